/*
 * Diffie-Hellman parameters of an application: stored, and checked against the security level.
 * TLS 1.3 takes its groups from the group list instead.
 */
#include "api/dh.h"

#include "api/certs.h"
#include "api/lists.h"
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
