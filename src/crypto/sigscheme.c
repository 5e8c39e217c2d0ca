/*
 * Signature schemes: RFC 8446, 4.2.3, with the SHA-1, SHA-224, DSA and PKCS #1 ones of TLS 1.2
 * (RFC 5246, 7.4.1.4.1). Which of them a connection allows is decided elsewhere; here is which key
 * fits which, signing and verifying.
 */
#include "crypto/sigscheme.h"

#include "crypto/lib_internal.h"

#include <limits.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <string.h>

/* Rows stand in the order in which OpenSSL 3.0 offers them by default, and a NULL name is one that
 * its signature algorithm lists don't know. Strengths are half a digest, 64 bits for SHA-1. */
static const struct sig_scheme table[] = {
    { 0x0403, SIG_ECDSA, HASH_SHA256, NID_sha256, NID_X9_62_id_ecPublicKey, NID_ecdsa_with_SHA256,
      NID_X9_62_prime256v1, KEY_ECDSA, 128, "ecdsa_secp256r1_sha256", true },
    { 0x0503, SIG_ECDSA, HASH_SHA384, NID_sha384, NID_X9_62_id_ecPublicKey, NID_ecdsa_with_SHA384,
      NID_secp384r1, KEY_ECDSA, 192, "ecdsa_secp384r1_sha384", true },
    { 0x0603, SIG_ECDSA, HASH_SHA512, NID_sha512, NID_X9_62_id_ecPublicKey, NID_ecdsa_with_SHA512,
      NID_secp521r1, KEY_ECDSA, 256, "ecdsa_secp521r1_sha512", true },
    { 0x0807, SIG_ED25519, HASH_NONE, NID_undef, NID_ED25519, NID_undef, NID_undef, KEY_ED25519,
      128, "ed25519", true },
    { 0x0808, SIG_ED448, HASH_NONE, NID_undef, NID_ED448, NID_undef, NID_undef, KEY_ED448, 224,
      "ed448", true },
    { 0x0809, SIG_RSA_PSS_PSS, HASH_SHA256, NID_sha256, NID_rsassaPss, NID_undef, NID_undef,
      KEY_RSA_PSS, 128, "rsa_pss_pss_sha256", true },
    { 0x080a, SIG_RSA_PSS_PSS, HASH_SHA384, NID_sha384, NID_rsassaPss, NID_undef, NID_undef,
      KEY_RSA_PSS, 192, "rsa_pss_pss_sha384", true },
    { 0x080b, SIG_RSA_PSS_PSS, HASH_SHA512, NID_sha512, NID_rsassaPss, NID_undef, NID_undef,
      KEY_RSA_PSS, 256, "rsa_pss_pss_sha512", true },
    { 0x0804, SIG_RSA_PSS_RSAE, HASH_SHA256, NID_sha256, NID_rsassaPss, NID_undef, NID_undef,
      KEY_RSA, 128, "rsa_pss_rsae_sha256", true },
    { 0x0805, SIG_RSA_PSS_RSAE, HASH_SHA384, NID_sha384, NID_rsassaPss, NID_undef, NID_undef,
      KEY_RSA, 192, "rsa_pss_rsae_sha384", true },
    { 0x0806, SIG_RSA_PSS_RSAE, HASH_SHA512, NID_sha512, NID_rsassaPss, NID_undef, NID_undef,
      KEY_RSA, 256, "rsa_pss_rsae_sha512", true },
    { 0x0401, SIG_RSA_PKCS1, HASH_SHA256, NID_sha256, NID_rsaEncryption,
      NID_sha256WithRSAEncryption, NID_undef, KEY_RSA, 128, "rsa_pkcs1_sha256", false },
    { 0x0501, SIG_RSA_PKCS1, HASH_SHA384, NID_sha384, NID_rsaEncryption,
      NID_sha384WithRSAEncryption, NID_undef, KEY_RSA, 192, "rsa_pkcs1_sha384", false },
    { 0x0601, SIG_RSA_PKCS1, HASH_SHA512, NID_sha512, NID_rsaEncryption,
      NID_sha512WithRSAEncryption, NID_undef, KEY_RSA, 256, "rsa_pkcs1_sha512", false },
    { 0x0303, SIG_ECDSA, HASH_SHA224, NID_sha224, NID_X9_62_id_ecPublicKey, NID_ecdsa_with_SHA224,
      NID_undef, KEY_ECDSA, 112, NULL, false },
    { 0x0203, SIG_ECDSA, HASH_SHA1, NID_sha1, NID_X9_62_id_ecPublicKey, NID_ecdsa_with_SHA1,
      NID_undef, KEY_ECDSA, 64, NULL, false },
    { 0x0301, SIG_RSA_PKCS1, HASH_SHA224, NID_sha224, NID_rsaEncryption,
      NID_sha224WithRSAEncryption, NID_undef, KEY_RSA, 112, "rsa_pkcs1_sha224", false },
    { 0x0201, SIG_RSA_PKCS1, HASH_SHA1, NID_sha1, NID_rsaEncryption, NID_sha1WithRSAEncryption,
      NID_undef, KEY_RSA, 64, "rsa_pkcs1_sha1", false },
    { 0x0302, SIG_DSA, HASH_SHA224, NID_sha224, NID_dsa, NID_undef, NID_undef, KEY_DSA, 112, NULL,
      false },
    { 0x0202, SIG_DSA, HASH_SHA1, NID_sha1, NID_dsa, NID_dsaWithSHA1, NID_undef, KEY_DSA, 64, NULL,
      false },
    { 0x0402, SIG_DSA, HASH_SHA256, NID_sha256, NID_dsa, NID_dsa_with_SHA256, NID_undef, KEY_DSA,
      128, NULL, false },
    { 0x0502, SIG_DSA, HASH_SHA384, NID_sha384, NID_dsa, NID_undef, NID_undef, KEY_DSA, 192, NULL,
      false },
    { 0x0602, SIG_DSA, HASH_SHA512, NID_sha512, NID_dsa, NID_undef, NID_undef, KEY_DSA, 256, NULL,
      false },
};

_Static_assert(COUNT_OF(table) <= 32, "rows are bits of crypto_lib.schemes");

/* Names of the key types, by slot, as EVP_PKEY_is_a() knows them. */
static const char *const key_types[NUM_KEY_SLOTS] = {
    [KEY_RSA] = "RSA",
    [KEY_RSA_PSS] = "RSA-PSS",
    [KEY_DSA] = "DSA",
    [KEY_ECDSA] = "EC",
    [KEY_GOST01] = "gost2001",
    [KEY_GOST12_256] = "gost2012_256",
    [KEY_GOST12_512] = "gost2012_512",
    [KEY_ED25519] = "ED25519",
    [KEY_ED448] = "ED448",
};

const struct sig_scheme *sig_scheme_by_id(uint16_t id)
{
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].id == id) {
            return &table[i];
        }
    }
    return NULL;
}

const struct sig_scheme *sig_scheme_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const char *known = table[i].name;

        if (known != NULL && strlen(known) == len && memcmp(known, name, len) == 0) {
            return &table[i];
        }
    }
    return NULL;
}

const struct sig_scheme *sig_scheme_table(size_t *num)
{
    *num = COUNT_OF(table);
    return table;
}

static bool has_keys(const struct crypto_lib *lib, int nid)
{
    ERR_set_mark();
    EVP_KEYMGMT *keys = EVP_KEYMGMT_fetch(lib->libctx, OBJ_nid2sn(nid), lib->propq);
    ERR_pop_to_mark();
    EVP_KEYMGMT_free(keys);
    return keys != NULL;
}

uint32_t sig_scheme_find_available(const struct crypto_lib *lib)
{
    uint32_t found = 0;
    int nid = NID_undef;
    bool keys = false;

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].sig_nid != nid) { /* rows of a kind stand together, mostly */
            nid = table[i].sig_nid;
            keys = has_keys(lib, nid);
        }
        if (keys && (table[i].hash == HASH_NONE || hash_get(lib, table[i].hash) != NULL)) {
            found |= UINT32_C(1) << i;
        }
    }
    return found;
}

bool sig_scheme_is_available(const struct crypto_lib *lib, const struct sig_scheme *scheme)
{
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (scheme == &table[i]) {
            return (lib->schemes >> i & 1) != 0;
        }
    }
    return true; /* of versions that have no list of schemes */
}

enum key_slot key_slot_of(const EVP_PKEY *key)
{
    /* A number where libcrypto has one, as it does for keys of its own; a name takes locks. */
    switch (EVP_PKEY_get_id(key)) {
    case EVP_PKEY_RSA:
        return KEY_RSA;
    case EVP_PKEY_RSA_PSS:
        return KEY_RSA_PSS;
    case EVP_PKEY_EC:
        return KEY_ECDSA;
    case EVP_PKEY_ED25519:
        return KEY_ED25519;
    case EVP_PKEY_ED448:
        return KEY_ED448;
    default:
        break;
    }
    for (int slot = 0; slot < NUM_KEY_SLOTS; slot++) {
        if (EVP_PKEY_is_a(key, key_types[slot]) == 1) {
            return (enum key_slot)slot;
        }
    }
    return KEY_NONE;
}

/* The name of the scheme's digest for libcrypto; NULL: none. */
static const char *digest_name(const struct crypto_lib *lib, const struct sig_scheme *scheme)
{
    return scheme->hash == HASH_NONE ? NULL : lib->hashes[scheme->hash].name;
}

static bool is_pss(const struct sig_scheme *scheme)
{
    return scheme->kind == SIG_RSA_PSS_RSAE || scheme->kind == SIG_RSA_PSS_PSS;
}

/* RFC 8446, 4.2.3: the salt is as long as the digest, MGF1 uses the same digest. A key that is
 * restricted to something else refuses one of these. MGF1's digest is told as an object: a key that
 * belongs to an engine cannot take a name. */
bool sig_scheme_set_padding(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                            EVP_PKEY_CTX *ctx)
{
    if (!is_pss(scheme)) {
        return true;
    }
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, lib->hashes[scheme->hash].md) == 1;
}

static bool begin_sign(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                       EVP_MD_CTX *ctx, EVP_PKEY *key)
{
    EVP_PKEY_CTX *key_ctx = NULL; /* ctx owns it */

    return EVP_DigestSignInit_ex(ctx, &key_ctx, digest_name(lib, scheme), lib->libctx, lib->propq,
                                 key, NULL) == 1 &&
           sig_scheme_set_padding(lib, scheme, key_ctx);
}

static bool begin_verify(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                         EVP_MD_CTX *ctx, EVP_PKEY *key)
{
    EVP_PKEY_CTX *key_ctx = NULL;

    return EVP_DigestVerifyInit_ex(ctx, &key_ctx, digest_name(lib, scheme), lib->libctx, lib->propq,
                                   key, NULL) == 1 &&
           sig_scheme_set_padding(lib, scheme, key_ctx);
}

int key_curve(const EVP_PKEY *key)
{
    char name[64];

    if (EVP_PKEY_get_group_name(key, name, sizeof(name), NULL) != 1) {
        return NID_undef;
    }
    int nid = OBJ_txt2nid(name);
    return nid == NID_undef ? EC_curve_nist2nid(name) : nid;
}

/* PSS needs two digests and two bytes of modulus: RFC 8017, 9.1.1. */
static bool modulus_suffices(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                             const EVP_PKEY *key)
{
    int size = EVP_PKEY_get_size(key);

    return size > 0 && (size_t)size >= 2 * lib->hashes[scheme->hash].len + 2;
}

/* An RSASSA-PSS key may prescribe digest, MGF1 digest and least salt (RFC 4055, 3.1): whether it
 * takes the scheme is found by trying. Verifying is tried, for that needs no private key. */
static bool key_admits(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                       const EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *shared = (EVP_PKEY *)(uintptr_t)key; /* a reference is counted, nothing else */

    ERR_set_mark();
    bool admits = ctx != NULL && begin_verify(lib, scheme, ctx, shared);
    ERR_pop_to_mark();
    EVP_MD_CTX_free(ctx);
    return admits;
}

bool sig_scheme_fits_key(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                         const EVP_PKEY *key, bool tls13)
{
    if (key_slot_of(key) != scheme->slot || (tls13 && !scheme->tls13)) {
        return false;
    }
    if (scheme->hash != HASH_NONE && hash_get(lib, scheme->hash) == NULL) {
        return false;
    }
    switch (scheme->kind) {
    case SIG_RSA_PSS_RSAE:
        return modulus_suffices(lib, scheme, key);
    case SIG_RSA_PSS_PSS:
        return modulus_suffices(lib, scheme, key) && key_admits(lib, scheme, key);
    case SIG_ECDSA:
        return !tls13 || key_curve(key) == scheme->curve_nid;
    case SIG_RSA_PKCS1:
    case SIG_ED25519:
    case SIG_ED448:
    case SIG_DSA:
        return true;
    }
    return false;
}

bool sig_sign(const struct crypto_lib *lib, const struct sig_scheme *scheme, EVP_PKEY *key,
              const uint8_t *data, size_t len, struct writer *out)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    size_t before = writer_len(out);
    size_t sig_len = 0;
    bool done = false;

    /* The first call tells the longest a signature can be, the second how long it is. */
    if (ctx != NULL && begin_sign(lib, scheme, ctx, key) &&
        EVP_DigestSign(ctx, NULL, &sig_len, data, len) == 1) {
        size_t room = sig_len;
        uint8_t *at = writer_space(out, room);

        if (at != NULL) {
            done = EVP_DigestSign(ctx, at, &sig_len, data, len) == 1 && sig_len <= room;
            writer_cut(out, done ? before + sig_len : before);
        }
    }
    EVP_MD_CTX_free(ctx);
    return done;
}

bool sig_verify(const struct crypto_lib *lib, const struct sig_scheme *scheme, EVP_PKEY *key,
                const uint8_t *data, size_t len, const uint8_t *sig, size_t sig_len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    bool valid = ctx != NULL && begin_verify(lib, scheme, ctx, key) &&
                 EVP_DigestVerify(ctx, sig, sig_len, data, len) == 1;
    EVP_MD_CTX_free(ctx);
    return valid;
}

/* The key in the form that libcrypto keeps with it once it was asked for. */
static bool verify_digest_rsa(const struct hash *hash, bool pss, EVP_PKEY *key,
                              const uint8_t *digest, const uint8_t *sig, size_t sig_len)
{
    /* Not const only in the parameters of the functions below. */
    RSA *rsa = (RSA *)(uintptr_t)EVP_PKEY_get0_RSA(key);
    uint8_t encoded[OPENSSL_RSA_MAX_MODULUS_BITS / 8];

    if (rsa == NULL || RSA_size(rsa) < 0 || sig_len != (size_t)RSA_size(rsa) ||
        sig_len > sizeof(encoded)) {
        return false;
    }
    if (!pss) {
        return RSA_verify(hash->nid, digest, (unsigned)hash->len, sig, (unsigned)sig_len, rsa) == 1;
    }
    return RSA_public_decrypt((int)sig_len, sig, encoded, rsa, RSA_NO_PADDING) == (int)sig_len &&
           RSA_verify_PKCS1_PSS_mgf1(rsa, digest, hash->md, hash->md, encoded,
                                     RSA_PSS_SALTLEN_DIGEST) == 1;
}

bool sig_verify_lasting(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                        EVP_PKEY *key, const uint8_t *data, size_t len, const uint8_t *sig,
                        size_t sig_len)
{
    const struct hash *hash = scheme->hash == HASH_NONE ? NULL : hash_get(lib, scheme->hash);
    bool rsa = scheme->kind == SIG_RSA_PKCS1 || scheme->kind == SIG_RSA_PSS_RSAE;
    uint8_t digest[HASH_MAX_LEN];

    if (hash == NULL || (!rsa && scheme->kind != SIG_ECDSA) || !lib->is_default ||
        !provider_is_builtin(EVP_PKEY_get0_provider(key)) || key_slot_of(key) != scheme->slot) {
        return sig_verify(lib, scheme, key, data, len, sig, sig_len);
    }
    if (!hash_once(hash, data, len, digest) || sig_len > INT_MAX) {
        return false;
    }
    if (rsa) {
        return verify_digest_rsa(hash, is_pss(scheme), key, digest, sig, sig_len);
    }
    EC_KEY *ec = (EC_KEY *)(uintptr_t)EVP_PKEY_get0_EC_KEY(key);
    return ec != NULL && ECDSA_verify(0, digest, (int)hash->len, sig, (int)sig_len, ec) == 1;
}
