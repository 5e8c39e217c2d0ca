/*
 * What an application supplies certificates and passphrases through: cert_cb, client_cert_cb, an
 * engine with client certificates, passphrase callbacks. SSL_CTX_set_cert_cb(3),
 * SSL_CTX_set_client_cert_cb(3), SSL_CTX_set_default_passwd_cb(3).
 */
#include "api/certs.h"

#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>

static void set_cert_cb(SSL *s, SSL_CTX *ctx, int (*cb)(SSL *, void *), void *arg)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config != NULL) {
        config->cert_cb = cb;
        config->cert_cb_arg = arg;
    }
}

void SSL_set_cert_cb(SSL *s, int (*cb)(SSL *ssl, void *arg), void *arg)
{
    set_cert_cb(s, NULL, cb, arg);
}

void SSL_CTX_set_cert_cb(SSL_CTX *c, int (*cb)(SSL *ssl, void *arg), void *arg)
{
    set_cert_cb(NULL, c, cb, arg);
}

void SSL_CTX_set_client_cert_cb(SSL_CTX *ctx,
                                int (*client_cert_cb)(SSL *ssl, X509 **x509, EVP_PKEY **pkey))
{
    ctx->client_cert_cb = client_cert_cb;
}

int (*SSL_CTX_get_client_cert_cb(SSL_CTX *ctx))(SSL *ssl, X509 **x509, EVP_PKEY **pkey)
{
    return ctx->client_cert_cb;
}

int SSL_CTX_set_client_cert_engine(SSL_CTX *ctx, ENGINE *e)
{
    if (!ENGINE_init(e)) {
        raise_error(ERR_R_ENGINE_LIB);
        return 0;
    }
    if (ENGINE_get_ssl_client_cert_function(e) == NULL) {
        raise_error(SSL_R_NO_CLIENT_CERT_METHOD);
        ENGINE_finish(e);
        return 0;
    }
    ctx->client_cert_engine = e;
    return 1;
}

/* The engine is asked first, then the callback; results as those of client_cert_cb. */
static int ask_for_client_cert(SSL *s, X509 **cert, EVP_PKEY **key)
{
    int answer;

    if (s->ctx->client_cert_engine != NULL) {
        answer = ENGINE_load_ssl_client_cert(s->ctx->client_cert_engine, s, s->peer_ca_names, cert,
                                             key, NULL, NULL, NULL);
        if (answer != 0) {
            return answer;
        }
    }
    return s->ctx->client_cert_cb != NULL ? s->ctx->client_cert_cb(s, cert, key) : 0;
}

int ssl_ask_client_cert(SSL *s)
{
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    int answer = ask_for_client_cert(s, &cert, &key);

    if (answer < 0) {
        return -1;
    }
    if (answer == 1 && (cert == NULL || key == NULL)) {
        raise_error(SSL_R_BAD_DATA_RETURNED_BY_CALLBACK);
        answer = 0;
    } else if (answer == 1) {
        answer = certs_use_certificate(s, NULL, cert) && certs_use_key(s, NULL, key);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return answer != 0;
}

static void set_passphrase_cb(SSL *s, SSL_CTX *ctx, pem_password_cb *cb)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config != NULL) {
        config->passwd_callback = cb;
    }
}

static void set_passphrase_userdata(SSL *s, SSL_CTX *ctx, void *userdata)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config != NULL) {
        config->passwd_userdata = userdata;
    }
}

void SSL_set_default_passwd_cb(SSL *s, pem_password_cb *cb)
{
    set_passphrase_cb(s, NULL, cb);
}

void SSL_CTX_set_default_passwd_cb(SSL_CTX *ctx, pem_password_cb *cb)
{
    set_passphrase_cb(NULL, ctx, cb);
}

void SSL_set_default_passwd_cb_userdata(SSL *s, void *u)
{
    set_passphrase_userdata(s, NULL, u);
}

void SSL_CTX_set_default_passwd_cb_userdata(SSL_CTX *ctx, void *u)
{
    set_passphrase_userdata(NULL, ctx, u);
}

pem_password_cb *SSL_get_default_passwd_cb(SSL *s)
{
    return s->config->passwd_callback;
}

pem_password_cb *SSL_CTX_get_default_passwd_cb(SSL_CTX *ctx)
{
    return ctx->config->passwd_callback;
}

void *SSL_get_default_passwd_cb_userdata(SSL *s)
{
    return s->config->passwd_userdata;
}

void *SSL_CTX_get_default_passwd_cb_userdata(SSL_CTX *ctx)
{
    return ctx->config->passwd_userdata;
}
