/*
 * Diffie-Hellman parameters of an application: stored, and checked against the security level.
 * TLS 1.3 takes its groups from the group list instead.
 */
#include "api/dh.h"

#include "api/certs.h"
#include "api/lists.h"
#include "crypto/dhe.h"
#include <openssl/dh.h>
#include <openssl/ec.h>

/* Takes key over when it returns true; otherwise an error was raised. */
static bool store_key(SSL *s, SSL_CTX *ctx, EVP_PKEY *key)
{
    int bits = key == NULL ? 0 : EVP_PKEY_get_security_bits(key);

    if (!settings_allow(s, ctx, SSL_SECOP_TMP_DH, bits, 0, key)) {
        raise_error(SSL_R_DH_KEY_TOO_SMALL);
        return false;
    }
    struct ssl_config *config = settings_edit(s, ctx);
    if (config == NULL) {
        return false;
    }
    EVP_PKEY_free(config->dh_pkey);
    config->dh_pkey = key;
    return true;
}

int SSL_set0_tmp_dh_pkey(SSL *s, EVP_PKEY *dhpkey)
{
    return store_key(s, NULL, dhpkey);
}

int SSL_CTX_set0_tmp_dh_pkey(SSL_CTX *ctx, EVP_PKEY *dhpkey)
{
    return store_key(NULL, ctx, dhpkey);
}

long dh_set(SSL *s, SSL_CTX *ctx, DH *dh)
{
    if (dh == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    EVP_PKEY *key = EVP_PKEY_new();
    if (key == NULL || EVP_PKEY_set1_DH(key, dh) <= 0) {
        EVP_PKEY_free(key);
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (!store_key(s, ctx, key)) {
        EVP_PKEY_free(key);
        return 0;
    }
    return 1;
}

long ecdh_set(SSL *s, SSL_CTX *ctx, const EC_KEY *key)
{
    if (key == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    const EC_GROUP *group = EC_KEY_get0_group(key);
    if (group == NULL) {
        raise_error(SSL_R_MISSING_PARAMETERS);
        return 0;
    }
    int nid = EC_GROUP_get_curve_name(group);
    return nid == NID_undef ? 0 : groups_set(s, ctx, &nid, 1);
}

void SSL_CTX_set_tmp_dh_callback(SSL_CTX *ctx, DH *(*callback)(SSL *, int, int))
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->dh_callback = callback;
    }
}

void SSL_set_tmp_dh_callback(SSL *s, DH *(*callback)(SSL *, int, int))
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->dh_callback = callback;
    }
}

/* --- What the core asks --- */

bool dh_available(void *owner)
{
    const struct ssl_config *config = ((const SSL *)owner)->config;

    return config->dh_auto || config->dh_pkey != NULL || config->dh_callback != NULL;
}

/* Bits of security that each level asks for: SSL_CTX_set_security_level(3). */
static int level_bits(int level)
{
    static const int bits[] = { 0, 80, 112, 128, 192, 256 };

    return level < 0 ? 0 : bits[level < (int)COUNT_OF(bits) ? level : (int)COUNT_OF(bits) - 1];
}

/* As strong as the certificate that signs them, and as the security level demands. */
static EVP_PKEY *automatic_parameters(const SSL *s, const struct ssl_cipher_st *suite)
{
    enum key_slot slot = s->conn.neg.own_slot;
    int bits = suite->strength_bits == 256 ? 128 : 80;

    if ((suite->auth & (AUTH_NULL | AUTH_PSK)) == 0) {
        bits = EVP_PKEY_get_security_bits(s->config->core.credentials->slot[slot].key);
    }
    if (bits < level_bits(s->config->security_level)) {
        bits = level_bits(s->config->security_level);
    }
    return dhe_automatic(s->config->core.lib, bits);
}

EVP_PKEY *dh_parameters(void *owner, const struct ssl_cipher_st *suite)
{
    SSL *s = owner;
    EVP_PKEY *key = s->config->dh_pkey;

    if (s->config->dh_auto) {
        return automatic_parameters(s, suite);
    }
    if (key != NULL) {
        return EVP_PKEY_up_ref(key) == 1 ? key : NULL;
    }
    /* The callback keeps what it returns. 1024 is what OpenSSL has always asked for. */
    DH *dh = s->config->dh_callback != NULL ? s->config->dh_callback(s, 0, 1024) : NULL;
    key = dh != NULL ? EVP_PKEY_new() : NULL;
    if (key == NULL || EVP_PKEY_set1_DH(key, dh) != 1) {
        EVP_PKEY_free(key);
        return NULL;
    }
    return key;
}

bool dh_allowed(void *owner, EVP_PKEY *key)
{
    return ssl_is_allowed(owner, SSL_SECOP_TMP_DH, dhe_security_bits(key), 0, key);
}
