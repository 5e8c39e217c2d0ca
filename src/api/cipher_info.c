/*
 * What a single cipher suite is: SSL_CIPHER_get_*(3) and the line that `openssl ciphers -v` prints.
 */
#include "api/internal.h"

#include "api/versions.h"
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

#define NO_SUITE "(NONE)"

/* SSL_CIPHER_description() refuses smaller buffers. */
#define DESCRIPTION_SIZE 128

/* An algorithm of a suite: its bit, what applications get, and its word in the description. */
struct algorithm {
    uint32_t bit;
    int nid;
    const char *word;
};

static const struct algorithm key_exchanges[] = {
    { KX_RSA, NID_kx_rsa, "RSA" },
    { KX_DHE, NID_kx_dhe, "DH" },
    { KX_ECDHE, NID_kx_ecdhe, "ECDH" },
    { KX_PSK, NID_kx_psk, "PSK" },
    { KX_RSA_PSK, NID_kx_rsa_psk, "RSAPSK" },
    { KX_ECDHE_PSK, NID_kx_ecdhe_psk, "ECDHEPSK" },
    { KX_DHE_PSK, NID_kx_dhe_psk, "DHEPSK" },
    { KX_SRP, NID_kx_srp, "SRP" },
    { KX_ANY, NID_kx_any, "any" },
    { KX_GOST, NID_kx_gost, "GOST" },
    { KX_GOST18, NID_kx_gost18, "GOST18" },
    { 0, NID_kx_any, "any" },
};

static const struct algorithm authentications[] = {
    { AUTH_RSA, NID_auth_rsa, "RSA" },          { AUTH_DSS, NID_auth_dss, "DSS" },
    { AUTH_NULL, NID_auth_null, "None" },       { AUTH_ECDSA, NID_auth_ecdsa, "ECDSA" },
    { AUTH_PSK, NID_auth_psk, "PSK" },          { AUTH_SRP, NID_auth_srp, "SRP" },
    { AUTH_ANY, NID_auth_any, "any" },          { AUTH_GOST01, NID_auth_gost01, "GOST01" },
    { AUTH_GOST12, NID_auth_gost12, "GOST12" }, { 0, NID_auth_any, "any" },
};

static const struct algorithm encryptions[] = {
    { ENC_3DES, NID_des_ede3_cbc, "3DES(168)" },
    { ENC_NULL, NID_undef, "None" },
    { ENC_AES128, NID_aes_128_cbc, "AES(128)" },
    { ENC_AES256, NID_aes_256_cbc, "AES(256)" },
    { ENC_CAMELLIA128, NID_camellia_128_cbc, "Camellia(128)" },
    { ENC_CAMELLIA256, NID_camellia_256_cbc, "Camellia(256)" },
    { ENC_AES128GCM, NID_aes_128_gcm, "AESGCM(128)" },
    { ENC_AES256GCM, NID_aes_256_gcm, "AESGCM(256)" },
    { ENC_AES128CCM, NID_aes_128_ccm, "AESCCM(128)" },
    { ENC_AES256CCM, NID_aes_256_ccm, "AESCCM(256)" },
    { ENC_AES128CCM8, NID_aes_128_ccm, "AESCCM8(128)" },
    { ENC_AES256CCM8, NID_aes_256_ccm, "AESCCM8(256)" },
    { ENC_CHACHA20, NID_chacha20_poly1305, "CHACHA20/POLY1305(256)" },
    { ENC_ARIA128GCM, NID_aria_128_gcm, "ARIAGCM(128)" },
    { ENC_ARIA256GCM, NID_aria_256_gcm, "ARIAGCM(256)" },
    { ENC_IDEA, NID_idea_cbc, "IDEA(128)" },
    { ENC_SEED, NID_seed_cbc, "SEED(128)" },
    { ENC_GOST89, NID_gost89_cnt, "GOST89(256)" },
    { ENC_GOST89_12, NID_gost89_cnt_12, "GOST89(256)" },
    { ENC_MAGMA, NID_magma_ctr_acpkm, "MAGMA" },
    { ENC_KUZNYECHIK, NID_kuznyechik_ctr_acpkm, "KUZNYECHIK" },
    { 0, NID_undef, "unknown" },
};

static const struct algorithm macs[] = {
    { MAC_MD5, NID_md5, "MD5" },
    { MAC_SHA1, NID_sha1, "SHA1" },
    { MAC_SHA256, NID_sha256, "SHA256" },
    { MAC_SHA384, NID_sha384, "SHA384" },
    { MAC_AEAD, NID_undef, "AEAD" },
    { MAC_GOST94, NID_id_GostR3411_94, "GOST94" },
    { MAC_GOST89, NID_id_Gost28147_89_MAC, "GOST89" },
    { MAC_GOST89_12, NID_gost_mac_12, "GOST89" },
    { MAC_GOST12_256, NID_id_GostR3411_2012_256, "GOST2012" },
    { MAC_MAGMA, NID_magma_mac, "unknown" },
    { MAC_KUZNYECHIK, NID_kuznyechik_mac, "unknown" },
    { 0, NID_undef, "unknown" },
};

/* The algorithm with that bit; tables end with one for bit 0. */
static const struct algorithm *find(const struct algorithm *table, uint32_t bit)
{
    while (table->bit != bit && table->bit != 0) {
        table++;
    }
    return table;
}

const SSL_CIPHER *SSL_CIPHER_find(SSL *s, const unsigned char *ptr)
{
    (void)s;
    return suite_by_id((uint16_t)(ptr[0] << 8 | ptr[1]));
}

const char *SSL_CIPHER_get_name(const SSL_CIPHER *c)
{
    return c == NULL ? NO_SUITE : c->name;
}

const char *SSL_CIPHER_standard_name(const SSL_CIPHER *c)
{
    return c == NULL ? NO_SUITE : c->standard;
}

const char *OPENSSL_cipher_name(const char *stdname)
{
    if (stdname == NULL) {
        return NO_SUITE;
    }
    const SSL_CIPHER *suite = suite_by_name(stdname, strlen(stdname));
    bool is_standard =
        suite != NULL && suite->standard != NULL && strcmp(suite->standard, stdname) == 0;
    return is_standard ? suite->name : NO_SUITE;
}

const char *SSL_CIPHER_get_version(const SSL_CIPHER *c)
{
    if (c == NULL) {
        return NO_SUITE;
    }
    return c->min_version == TLS1_VERSION ? "TLSv1.0" : version_name(c->min_version);
}

int SSL_CIPHER_get_bits(const SSL_CIPHER *c, int *alg_bits)
{
    if (c == NULL) {
        return 0;
    }
    if (alg_bits != NULL) {
        *alg_bits = c->alg_bits;
    }
    return c->strength_bits;
}

uint32_t SSL_CIPHER_get_id(const SSL_CIPHER *c)
{
    return c->id;
}

uint16_t SSL_CIPHER_get_protocol_id(const SSL_CIPHER *c)
{
    return suite_id(c);
}

int SSL_CIPHER_get_kx_nid(const SSL_CIPHER *c)
{
    return c == NULL ? NID_undef : find(key_exchanges, c->kx)->nid;
}

int SSL_CIPHER_get_auth_nid(const SSL_CIPHER *c)
{
    return c == NULL ? NID_undef : find(authentications, c->auth)->nid;
}

int SSL_CIPHER_get_cipher_nid(const SSL_CIPHER *c)
{
    return c == NULL ? NID_undef : find(encryptions, c->enc)->nid;
}

int SSL_CIPHER_get_digest_nid(const SSL_CIPHER *c)
{
    return c == NULL ? NID_undef : find(macs, c->mac)->nid;
}

const EVP_MD *SSL_CIPHER_get_handshake_digest(const SSL_CIPHER *c)
{
    switch (c->hash) {
    case HASH_MD5:
        return EVP_md5();
    case HASH_SHA1:
        return EVP_sha1();
    case HASH_SHA224:
        return EVP_sha224();
    case HASH_SHA256:
        return EVP_sha256();
    case HASH_SHA384:
        return EVP_sha384();
    case HASH_SHA512:
        return EVP_sha512();
    case HASH_MD5_SHA1:
        return EVP_md5_sha1();
    case HASH_NONE:
    case NUM_HASHES:
        break;
    }
    return NULL;
}

int SSL_CIPHER_is_aead(const SSL_CIPHER *c)
{
    return c->mac == MAC_AEAD;
}

char *SSL_CIPHER_description(const SSL_CIPHER *c, char *buf, int len)
{
    if (buf == NULL) {
        len = DESCRIPTION_SIZE;
        buf = OPENSSL_malloc(DESCRIPTION_SIZE);
        if (buf == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
            return NULL;
        }
    } else if (len < DESCRIPTION_SIZE) {
        return NULL;
    }
    (void)BIO_snprintf(buf, (size_t)len, "%-30s %-7s Kx=%-8s Au=%-5s Enc=%-22s Mac=%-4s\n", c->name,
                       version_name(c->min_version), find(key_exchanges, c->kx)->word,
                       find(authentications, c->auth)->word, find(encryptions, c->enc)->word,
                       find(macs, c->mac)->word);
    return buf;
}
