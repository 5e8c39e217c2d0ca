/*
 * The cipher suites. A row of the table is the public SSL_CIPHER; pointers to rows are handed to
 * applications and live as long as the process.
 */
#ifndef TENON_CRYPTO_SUITE_H
#define TENON_CRYPTO_SUITE_H

#include "crypto/aead.h"
#include "crypto/hash.h"

/* Key exchange, authentication, encryption and MAC as bit sets, so that the terms of cipher
 * strings (ciphers(1)) are masks over rows. */
enum suite_kx {
    KX_RSA = 1,
    KX_DHE = 2,
    KX_ECDHE = 4,
    KX_PSK = 8,
    KX_RSA_PSK = 16,
    KX_ECDHE_PSK = 32,
    KX_DHE_PSK = 64,
    KX_SRP = 128,
    KX_ANY = 256, /* TLS 1.3: not part of the suite */
    KX_GOST = 512,
    KX_GOST18 = 1024
};

/* The key exchanges with a pre-shared key. */
#define KX_ALL_PSK (KX_PSK | KX_RSA_PSK | KX_ECDHE_PSK | KX_DHE_PSK)

enum suite_auth {
    AUTH_RSA = 1,
    AUTH_DSS = 2,
    AUTH_NULL = 4,
    AUTH_ECDSA = 8,
    AUTH_PSK = 16,
    AUTH_SRP = 32,
    AUTH_ANY = 64,
    AUTH_GOST01 = 128,
    AUTH_GOST12 = 256
};

enum suite_enc {
    ENC_3DES = 1,
    ENC_NULL = 1 << 1,
    ENC_AES128 = 1 << 2,
    ENC_AES256 = 1 << 3,
    ENC_CAMELLIA128 = 1 << 4,
    ENC_CAMELLIA256 = 1 << 5,
    ENC_AES128GCM = 1 << 6,
    ENC_AES256GCM = 1 << 7,
    ENC_AES128CCM = 1 << 8,
    ENC_AES256CCM = 1 << 9,
    ENC_AES128CCM8 = 1 << 10,
    ENC_AES256CCM8 = 1 << 11,
    ENC_CHACHA20 = 1 << 12,
    ENC_ARIA128GCM = 1 << 13,
    ENC_ARIA256GCM = 1 << 14,
    ENC_IDEA = 1 << 15,
    ENC_SEED = 1 << 16,
    ENC_GOST89 = 1 << 17,    /* GOST 28147-89 with the parameters of GOST R 34.10-2001 */
    ENC_GOST89_12 = 1 << 18, /* with those of GOST R 34.10-2012 */
    ENC_MAGMA = 1 << 19,
    ENC_KUZNYECHIK = 1 << 20
};

enum suite_mac {
    MAC_MD5 = 1,
    MAC_SHA1 = 2,
    MAC_SHA256 = 4,
    MAC_SHA384 = 8,
    MAC_AEAD = 16,
    MAC_GOST94 = 32,
    MAC_GOST89 = 64,
    MAC_GOST89_12 = 128,
    MAC_GOST12_256 = 256,
    MAC_MAGMA = 512,
    MAC_KUZNYECHIK = 1024
};

struct ssl_cipher_st {
    uint32_t id;                 /* 0x03000000 | code point, as SSL_CIPHER_get_id returns it */
    const char *name;            /* OpenSSL's: "ECDHE-RSA-AES128-GCM-SHA256" */
    const char *standard;        /* IANA's: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"; NULL */
    uint32_t kx, auth, enc, mac; /* one bit each; all 0: a signal, not a suite (SCSV) */
    uint16_t min_version, max_version; /* 0x0300 .. 0x0304 */
    uint16_t min_dtls, max_dtls;       /* DTLS versions, 0: none */
    enum aead_id aead;                 /* AEAD_NONE: CBC or NULL encryption */
    enum hash_id hash;                 /* of PRF or HKDF; HASH_MD5_SHA1: the version's own PRF,
                                          which is SHA-256 in TLS 1.2 (RFC 5246, 5) */
    uint16_t strength_bits;            /* security strength */
    uint16_t alg_bits;                 /* key length */
    bool high;                         /* HIGH (cipher string class); MEDIUM and LOW are empty */
    bool fips;
    bool not_default; /* in COMPLEMENTOFDEFAULT */
    bool tls13;
};

/* Suite by code point (2 bytes), by OpenSSL name or by IANA name; NULL: unknown. Finds, besides the
 * suites of suite_table(), those that no cipher string of OpenSSL 3.0 as Debian builds it can give
 * (GOST, IDEA, SEED) and the two signals: applications see them in what a peer offers. */
const struct ssl_cipher_st *suite_by_id(uint16_t id);
const struct ssl_cipher_st *suite_by_name(const char *name, size_t len);

/* The suites that can be chosen: those of TLS 1.3 by code point, then the rest by falling code
 * point, which is what OpenSSL's cipher strings start from. *num elements. */
const struct ssl_cipher_st *suite_table(size_t *num);

/* True when lib's providers have the suite's cipher, MAC and PRF digest. */
bool suite_is_available(const struct crypto_lib *lib, const struct ssl_cipher_st *suite);

/* The digest of the HMAC of one enum suite_mac bit; HASH_NONE: it is no HMAC. */
enum hash_id suite_mac_hash(uint32_t mac);

/* Code point of a suite. */
uint16_t suite_id(const struct ssl_cipher_st *suite);

#endif
