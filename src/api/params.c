/*
 * Verification parameters of contexts and connections: depth, purpose, trust, host names.
 * Behaviour: SSL_CTX_get0_param(3), SSL_set1_host(3), SSL_CTX_set_verify(3).
 *
 * OpenSSL copies a context's parameters to each connection. Here a connection shares those of its
 * settings until it needs its own; and a context whose parameters the application may hold a
 * pointer to (SSL_CTX_get0_param) keeps them in one place and gives each new connection a copy.
 */
#include "api/certs.h"
#include "api/verify.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* A copy as a connection gets it; NULL: out of memory, an error was raised. */
static X509_VERIFY_PARAM *copy_param(const X509_VERIFY_PARAM *source)
{
    X509_VERIFY_PARAM *copy = X509_VERIFY_PARAM_new();

    if (copy == NULL || !X509_VERIFY_PARAM_inherit(copy, source)) {
        X509_VERIFY_PARAM_free(copy);
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    return copy;
}

bool verify_start_param(SSL *s)
{
    return s->ctx->param == NULL || (s->param = copy_param(s->ctx->param)) != NULL;
}

const X509_VERIFY_PARAM *verify_param(const SSL *s)
{
    return s->param != NULL ? s->param : s->config->param;
}

X509_VERIFY_PARAM *verify_own_param(SSL *s)
{
    if (s->param == NULL) {
        s->param = copy_param(s->config->param);
    }
    return s->param;
}

/* The parameters of a context, to be changed by us alone. */
static X509_VERIFY_PARAM *edit_ctx_param(SSL_CTX *ctx)
{
    struct ssl_config *config;

    if (ctx->param != NULL) {
        return ctx->param;
    }
    config = ctx_edit(ctx);
    return config != NULL ? config->param : NULL;
}

static const X509_VERIFY_PARAM *ctx_param(const SSL_CTX *ctx)
{
    return ctx->param != NULL ? ctx->param : ctx->config->param;
}

X509_VERIFY_PARAM *SSL_CTX_get0_param(SSL_CTX *ctx)
{
    if (ctx->param == NULL) {
        ctx->param = copy_param(ctx->config->param);
    }
    return ctx->param;
}

X509_VERIFY_PARAM *SSL_get0_param(SSL *ssl)
{
    return verify_own_param(ssl);
}

int SSL_CTX_set1_param(SSL_CTX *ctx, X509_VERIFY_PARAM *vpm)
{
    X509_VERIFY_PARAM *param = edit_ctx_param(ctx);

    return param != NULL && X509_VERIFY_PARAM_set1(param, vpm);
}

int SSL_set1_param(SSL *ssl, X509_VERIFY_PARAM *vpm)
{
    X509_VERIFY_PARAM *param = verify_own_param(ssl);

    return param != NULL && X509_VERIFY_PARAM_set1(param, vpm);
}

int SSL_CTX_set_purpose(SSL_CTX *ctx, int purpose)
{
    X509_VERIFY_PARAM *param = edit_ctx_param(ctx);

    return param != NULL && X509_VERIFY_PARAM_set_purpose(param, purpose);
}

int SSL_set_purpose(SSL *ssl, int purpose)
{
    X509_VERIFY_PARAM *param = verify_own_param(ssl);

    return param != NULL && X509_VERIFY_PARAM_set_purpose(param, purpose);
}

int SSL_CTX_set_trust(SSL_CTX *ctx, int trust)
{
    X509_VERIFY_PARAM *param = edit_ctx_param(ctx);

    return param != NULL && X509_VERIFY_PARAM_set_trust(param, trust);
}

int SSL_set_trust(SSL *ssl, int trust)
{
    X509_VERIFY_PARAM *param = verify_own_param(ssl);

    return param != NULL && X509_VERIFY_PARAM_set_trust(param, trust);
}

void SSL_CTX_set_verify_depth(SSL_CTX *ctx, int depth)
{
    X509_VERIFY_PARAM *param = edit_ctx_param(ctx);

    if (param != NULL) {
        X509_VERIFY_PARAM_set_depth(param, depth);
    }
}

void SSL_set_verify_depth(SSL *s, int depth)
{
    X509_VERIFY_PARAM *param = verify_own_param(s);

    if (param != NULL) {
        X509_VERIFY_PARAM_set_depth(param, depth);
    }
}

int SSL_CTX_get_verify_depth(const SSL_CTX *ctx)
{
    return X509_VERIFY_PARAM_get_depth(ctx_param(ctx));
}

int SSL_get_verify_depth(const SSL *s)
{
    return X509_VERIFY_PARAM_get_depth(verify_param(s));
}

/* --- Who the peer has to be --- */

int SSL_set1_host(SSL *s, const char *hostname)
{
    X509_VERIFY_PARAM *param = verify_own_param(s);

    if (param == NULL) {
        return 0;
    }
    if (hostname != NULL && X509_VERIFY_PARAM_set1_ip_asc(param, hostname) == 1) {
        return 1;
    }
    return X509_VERIFY_PARAM_set1_host(param, hostname, 0);
}

static bool is_ip_address(const char *name)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);

    ASN1_OCTET_STRING_free(address);
    return address != NULL;
}

/* A peer may have several names but, in libcrypto's parameters, only one address. */
static int add_address(X509_VERIFY_PARAM *param, const char *address)
{
    char *old = X509_VERIFY_PARAM_get1_ip_asc(param);

    if (old != NULL) {
        OPENSSL_free(old);
        return 0;
    }
    return X509_VERIFY_PARAM_set1_ip_asc(param, address);
}

int SSL_add1_host(SSL *s, const char *hostname)
{
    X509_VERIFY_PARAM *param = verify_own_param(s);

    if (param == NULL) {
        return 0;
    }
    if (hostname != NULL && is_ip_address(hostname)) {
        return add_address(param, hostname);
    }
    return X509_VERIFY_PARAM_add1_host(param, hostname, 0);
}

void SSL_set_hostflags(SSL *s, unsigned int flags)
{
    X509_VERIFY_PARAM *param = verify_own_param(s);

    if (param != NULL) {
        X509_VERIFY_PARAM_set_hostflags(param, flags);
    }
}

const char *SSL_get0_peername(SSL *s)
{
    return s->param != NULL ? X509_VERIFY_PARAM_get0_peername(s->param) : NULL;
}
