/*
 * Signature schemes (RFC 8446, 4.2.3) and signing and verifying with them.
 */
#ifndef TENON_CRYPTO_SIGSCHEME_H
#define TENON_CRYPTO_SIGSCHEME_H

#include "base/writer.h"
#include "crypto/hash.h"

enum sig_kind {
    SIG_RSA_PKCS1,
    SIG_RSA_PSS_RSAE, /* PSS with an rsaEncryption key */
    SIG_RSA_PSS_PSS,  /* PSS with an RSASSA-PSS key */
    SIG_ECDSA,
    SIG_ED25519,
    SIG_ED448,
    SIG_DSA
};

/* Code points of the two schemes that Suite B has (RFC 6460, 4.1). */
#define SIG_ID_ECDSA_P256_SHA256 0x0403
#define SIG_ID_ECDSA_P384_SHA384 0x0503

/* Which of a credential's slots a scheme signs with; the order is OpenSSL's SSL_PKEY_*, which
 * applications see through SSL_CTX_set_current_cert. */
enum key_slot {
    KEY_RSA,
    KEY_RSA_PSS,
    KEY_DSA,
    KEY_ECDSA,
    KEY_GOST01,
    KEY_GOST12_256,
    KEY_GOST12_512,
    KEY_ED25519,
    KEY_ED448,
    NUM_KEY_SLOTS,
    KEY_NONE = NUM_KEY_SLOTS
};

struct sig_scheme {
    uint16_t id; /* code point */
    enum sig_kind kind;
    enum hash_id hash; /* HASH_NONE: the algorithm hashes by itself */
    int hash_nid;      /* NID_sha256, ...; NID_undef */
    int sig_nid;       /* NID of the key algorithm as OpenSSL reports it: EVP_PKEY_RSA_PSS, ... */
    int combined_nid;  /* NID_sha256WithRSAEncryption, ...; NID_undef */
    int curve_nid;     /* TLS 1.3 binds ECDSA schemes to a curve; NID_undef */
    enum key_slot slot;
    uint16_t security_bits;
    const char *name; /* "ecdsa_secp256r1_sha256" */
    bool tls13;       /* allowed in TLS 1.3 handshake signatures (not certificates) */
};

/* The scheme with that code point or name; NULL: unknown. */
const struct sig_scheme *sig_scheme_by_id(uint16_t id);
const struct sig_scheme *sig_scheme_by_name(const char *name, size_t len);

/* All known schemes: *num elements. */
const struct sig_scheme *sig_scheme_table(size_t *num);

/* True when the providers have the scheme's digest and its kind of keys; also for schemes that are
 * not in the table. */
bool sig_scheme_is_available(const struct crypto_lib *lib, const struct sig_scheme *scheme);

/* The slot a key goes into; KEY_NONE: an algorithm TLS has no certificate for. */
enum key_slot key_slot_of(const EVP_PKEY *key);

/* The NID of the curve of an elliptic-curve key; NID_undef: it has none that has a name. */
int key_curve(const EVP_PKEY *key);

/* True when key can sign (a public key: verify) with scheme: the algorithm, in TLS 1.3 the curve
 * and whether the scheme may sign handshakes at all, a large enough RSA modulus, the restrictions
 * of an RSASSA-PSS key. */
bool sig_scheme_fits_key(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                         const EVP_PKEY *key, bool tls13);

/* What RSASSA-PSS needs besides the digest, in a context for signing or verifying under scheme;
 * nothing for other schemes. False: the key does not take it, or out of memory. */
MUST_CHECK bool sig_scheme_set_padding(const struct crypto_lib *lib,
                                       const struct sig_scheme *scheme, EVP_PKEY_CTX *ctx);

/* Signs data with key and appends the signature to out. False: provider failure (its own errors
 * are in libcrypto's queue). */
MUST_CHECK bool sig_sign(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                         EVP_PKEY *key, const uint8_t *data, size_t len, struct writer *out);

/* True when sig is key's signature of data under scheme. */
MUST_CHECK bool sig_verify(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                           EVP_PKEY *key, const uint8_t *data, size_t len, const uint8_t *sig,
                           size_t sig_len);

/* The same with a key that verifies again and again. The first time costs more, later ones less:
 * software keys of libcrypto's own provider are used without a search for algorithms. */
MUST_CHECK bool sig_verify_lasting(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                                   EVP_PKEY *key, const uint8_t *data, size_t len,
                                   const uint8_t *sig, size_t sig_len);

#endif
