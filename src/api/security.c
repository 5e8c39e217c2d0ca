/*
 * Security levels: the default callback's judgement, the application's callback, and asking
 * whichever is in force.
 */
#include "api/security.h"

#define MAX_LEVEL 5

/* Bits of security that ephemeral DH has to have even at level 0: 1024-bit groups. */
#define MIN_DH_BITS 80

/* SHA-1 as HMAC gives that many bits. */
#define SHA1_HMAC_BITS 160

static int level_in_range(int level)
{
    if (level < 0) {
        return 0;
    }
    return level > MAX_LEVEL ? MAX_LEVEL : level;
}

static bool level_allows_suite(int level, int min_bits, int bits, const SSL_CIPHER *suite)
{
    const uint32_t forward_secret = KX_DHE | KX_ECDHE | KX_DHE_PSK | KX_ECDHE_PSK;

    if (bits < min_bits || (suite->auth & AUTH_NULL) != 0 || (suite->mac & MAC_MD5) != 0) {
        return false;
    }
    if (min_bits > SHA1_HMAC_BITS && (suite->mac & MAC_SHA1) != 0) {
        return false;
    }
    return level < 3 || suite->tls13 || (suite->kx & forward_secret) != 0;
}

/* The levels from which on old versions are off, as Debian builds OpenSSL. */
static bool level_allows_version(int level, int version)
{
    if (version <= SSL3_VERSION) {
        return level < 2;
    }
    if (version == TLS1_VERSION) {
        return level < 3;
    }
    return version != TLS1_1_VERSION || level < 4;
}

int security_default_callback(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid,
                              void *other, void *ex)
{
    static const int min_bits_of_level[MAX_LEVEL + 1] = { 0, 80, 112, 128, 192, 256 };
    int level =
        level_in_range(s != NULL ? SSL_get_security_level(s) : SSL_CTX_get_security_level(ctx));
    int min_bits = min_bits_of_level[level];

    (void)ex;
    if (level == 0) {
        return op != SSL_SECOP_TMP_DH || bits >= MIN_DH_BITS;
    }
    switch (op) {
    case SSL_SECOP_CIPHER_SUPPORTED:
    case SSL_SECOP_CIPHER_SHARED:
    case SSL_SECOP_CIPHER_CHECK:
        return level_allows_suite(level, min_bits, bits, other);
    case SSL_SECOP_VERSION:
        return level_allows_version(level, nid);
    case SSL_SECOP_COMPRESSION:
        return level < 2;
    case SSL_SECOP_TICKET:
        return level < 3;
    default:
        return bits >= min_bits;
    }
}

bool ssl_is_allowed(const SSL *s, int op, int bits, int nid, void *other)
{
    const struct ssl_config *config = s->config;

    return config->security_callback(s, NULL, op, bits, nid, other, config->security_ex_data) != 0;
}

bool ctx_is_allowed(const SSL_CTX *ctx, int op, int bits, int nid, void *other)
{
    const struct ssl_config *config = ctx->config;

    return config->security_callback(NULL, ctx, op, bits, nid, other, config->security_ex_data) !=
           0;
}

void SSL_set_security_level(SSL *s, int level)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->security_level = level;
    }
}

int SSL_get_security_level(const SSL *s)
{
    return s->config->security_level;
}

void SSL_set_security_callback(SSL *s, int (*callback)(const SSL *s, const SSL_CTX *ctx, int op,
                                                       int bits, int nid, void *other, void *ex))
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->security_callback = callback;
    }
}

int (*SSL_get_security_callback(const SSL *s))(const SSL *s, const SSL_CTX *ctx, int op, int bits,
                                               int nid, void *other, void *ex)
{
    return s->config->security_callback;
}

void SSL_set0_security_ex_data(SSL *s, void *ex)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->security_ex_data = ex;
    }
}

void *SSL_get0_security_ex_data(const SSL *s)
{
    return s->config->security_ex_data;
}

void SSL_CTX_set_security_level(SSL_CTX *ctx, int level)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->security_level = level;
    }
}

int SSL_CTX_get_security_level(const SSL_CTX *ctx)
{
    return ctx->config->security_level;
}

void SSL_CTX_set_security_callback(SSL_CTX *ctx,
                                   int (*callback)(const SSL *s, const SSL_CTX *ctx, int op,
                                                   int bits, int nid, void *other, void *ex))
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->security_callback = callback;
    }
}

int (*SSL_CTX_get_security_callback(const SSL_CTX *ctx))(const SSL *s, const SSL_CTX *ctx, int op,
                                                         int bits, int nid, void *other, void *ex)
{
    return ctx->config->security_callback;
}

void SSL_CTX_set0_security_ex_data(SSL_CTX *ctx, void *ex)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->security_ex_data = ex;
    }
}

void *SSL_CTX_get0_security_ex_data(const SSL_CTX *ctx)
{
    return ctx->config->security_ex_data;
}
