/*
 * Finite-field Diffie-Hellman and RSA key transport of TLS 1.2; see dhe.h.
 */
#include "crypto/dhe.h"

#include "base/secret.h"
#include "crypto/lib_internal.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/prov_ssl.h>
#include <openssl/rsa.h>
#include <string.h>

/* Longest modulus that is accepted: libcrypto's own limit for computing with one (CVE-2018-0732).
 */
#define MAX_MODULUS_LEN (10000 / 8)

/* type: "DH" or, for parameters in the form of X9.42, "DHX"; the two do not mix in libcrypto. */
static EVP_PKEY *import(const struct crypto_lib *lib, const char *type, int selection,
                        const BIGNUM *p, const BIGNUM *g, const BIGNUM *y)
{
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(lib->libctx, type, lib->propq);
    OSSL_PARAM *params = NULL;
    EVP_PKEY *key = NULL;

    if (build != NULL && ctx != NULL && OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_P, p) &&
        OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_FFC_G, g) &&
        (y == NULL || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PUB_KEY, y))) {
        params = OSSL_PARAM_BLD_to_param(build);
    }
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, selection, params) != 1) {
        key = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *dhe_generate(const struct crypto_lib *lib, EVP_PKEY *params)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, params, lib->propq);
    EVP_PKEY *key = NULL;

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &key) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

void dhe_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

EVP_PKEY *dhe_automatic(const struct crypto_lib *lib, int security_bits)
{
    BIGNUM *(*const prime)(BIGNUM *) = security_bits >= 192   ? BN_get_rfc3526_prime_8192
                                       : security_bits >= 152 ? BN_get_rfc3526_prime_4096
                                       : security_bits >= 128 ? BN_get_rfc3526_prime_3072
                                       : security_bits >= 112 ? BN_get_rfc3526_prime_2048
                                                              : BN_get_rfc2409_prime_1024;
    BIGNUM *p = prime(NULL);
    BIGNUM *g = BN_new();
    EVP_PKEY *params = NULL;

    if (p != NULL && g != NULL && BN_set_word(g, 2) == 1) {
        params = import(lib, "DH", EVP_PKEY_KEY_PARAMETERS, p, g, NULL);
    }
    BN_free(p);
    BN_free(g);
    return params;
}

static bool write_number(struct writer *w, EVP_PKEY *key, const char *name, size_t pad_to)
{
    BIGNUM *n = NULL;

    if (EVP_PKEY_get_bn_param(key, name, &n) != 1) {
        return false;
    }
    size_t len = (size_t)BN_num_bytes(n);
    if (len < pad_to) {
        len = pad_to;
    }
    writer_open(w, 2);
    uint8_t *space = writer_space(w, len);
    bool ok = space != NULL && BN_bn2binpad(n, space, (int)len) == (int)len;
    writer_close(w);
    BN_free(n);
    return ok;
}

bool dhe_write(struct writer *w, EVP_PKEY *key)
{
    return write_number(w, key, OSSL_PKEY_PARAM_FFC_P, 0) &&
           write_number(w, key, OSSL_PKEY_PARAM_FFC_G, 0) && dhe_write_public(w, key);
}

bool dhe_write_public(struct writer *w, EVP_PKEY *key)
{
    /* As long as the modulus: some peers insist. */
    return write_number(w, key, OSSL_PKEY_PARAM_PUB_KEY, (size_t)EVP_PKEY_get_size(key));
}

/* RFC 7919, 5.1: 1 < Y < p - 1. */
static bool is_sound(const BIGNUM *p, const BIGNUM *y)
{
    BIGNUM *limit = BN_dup(p);
    bool sound = limit != NULL && BN_sub_word(limit, 1) == 1 && BN_cmp(y, BN_value_one()) > 0 &&
                 BN_cmp(y, limit) < 0;

    BN_free(limit);
    return sound;
}

static EVP_PKEY *import_peer(const struct crypto_lib *lib, const char *type, const BIGNUM *p,
                             const BIGNUM *g, const BIGNUM *y)
{
    if (p == NULL || g == NULL || y == NULL || !is_sound(p, y)) {
        return NULL;
    }
    return import(lib, type, EVP_PKEY_PUBLIC_KEY, p, g, y);
}

/* RFC 7919, 3: what libcrypto can see of a group in a moment, such as its size; and the key. */
static EVP_PKEY *check(const struct crypto_lib *lib, EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx =
        key == NULL ? NULL : EVP_PKEY_CTX_new_from_pkey(lib->libctx, key, lib->propq);

    if (ctx == NULL || EVP_PKEY_param_check_quick(ctx) != 1 || EVP_PKEY_public_check(ctx) != 1) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

EVP_PKEY *dhe_read(const struct crypto_lib *lib, const uint8_t *p, size_t p_len, const uint8_t *g,
                   size_t g_len, const uint8_t *y, size_t y_len)
{
    if (p_len > MAX_MODULUS_LEN || g_len > MAX_MODULUS_LEN || y_len > MAX_MODULUS_LEN) {
        return NULL;
    }
    BIGNUM *bn_p = BN_bin2bn(p, (int)p_len, NULL);
    BIGNUM *bn_g = BN_bin2bn(g, (int)g_len, NULL);
    BIGNUM *bn_y = BN_bin2bn(y, (int)y_len, NULL);
    EVP_PKEY *key = check(lib, import_peer(lib, "DH", bn_p, bn_g, bn_y));

    BN_free(bn_p);
    BN_free(bn_g);
    BN_free(bn_y);
    return key;
}

EVP_PKEY *dhe_read_public(const struct crypto_lib *lib, EVP_PKEY *own, const uint8_t *y,
                          size_t y_len)
{
    BIGNUM *p = NULL;
    BIGNUM *g = NULL;
    BIGNUM *bn_y = y_len > MAX_MODULUS_LEN ? NULL : BN_bin2bn(y, (int)y_len, NULL);
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_FFC_P, &p) == 1 &&
        EVP_PKEY_get_bn_param(own, OSSL_PKEY_PARAM_FFC_G, &g) == 1) {
        key = import_peer(lib, EVP_PKEY_get0_type_name(own), p, g, bn_y);
    }
    BN_free(p);
    BN_free(g);
    BN_free(bn_y);
    return key;
}

bool dhe_derive(const struct crypto_lib *lib, EVP_PKEY *own, EVP_PKEY *peer,
                struct shared_secret *shared)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, own, lib->propq);

    shared->len = sizeof shared->bytes;
    bool ok = ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_dh_pad(ctx, 0) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
              EVP_PKEY_derive(ctx, shared->bytes, &shared->len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

int dhe_security_bits(EVP_PKEY *key)
{
    return EVP_PKEY_get_security_bits(key);
}

bool rsa_kx_encrypt(const struct crypto_lib *lib, EVP_PKEY *key,
                    const uint8_t secret[PREMASTER_LEN], struct writer *w)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, key, lib->propq);
    size_t len = (size_t)EVP_PKEY_get_size(key);
    uint8_t *space = writer_space(w, len);

    bool ok = ctx != NULL && space != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1 &&
              EVP_PKEY_encrypt(ctx, space, &len, secret, PREMASTER_LEN) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

bool rsa_kx_decrypt(const struct crypto_lib *lib, EVP_PKEY *key, uint16_t client_version,
                    uint16_t also_version, const uint8_t *encrypted, size_t len,
                    uint8_t secret[PREMASTER_LEN])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, key, lib->propq);
    unsigned int version = client_version;
    unsigned int also = also_version;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_CLIENT_VERSION, &version),
        OSSL_PARAM_construct_uint(OSSL_ASYM_CIPHER_PARAM_TLS_NEGOTIATED_VERSION, &also),
        OSSL_PARAM_construct_end()
    };
    size_t out_len = PREMASTER_LEN;

    /* The provider does the implicit rejection: padding, length and version are judged in constant
     * time, and what is bad comes out as random bytes. */
    bool ok = ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_WITH_TLS_PADDING) == 1 &&
              EVP_PKEY_CTX_set_params(ctx, params) == 1 &&
              EVP_PKEY_decrypt(ctx, secret, &out_len, encrypted, len) == 1 &&
              out_len == PREMASTER_LEN;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}
