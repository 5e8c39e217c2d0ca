/*
 * Options and numbers of contexts and connections that have functions of their own.
 */
#include "api/early_guard.h"
#include "api/internal.h"

#include <assert.h>
#include <string.h>

static_assert(SSL_OP_IGNORE_UNEXPECTED_EOF == OPTION_IGNORE_UNEXPECTED_EOF &&
                  SSL_OP_ALLOW_NO_DHE_KEX == OPTION_ALLOW_NO_DHE_KEX &&
                  SSL_OP_NO_TICKET == OPTION_NO_TICKET &&
                  SSL_OP_NO_COMPRESSION == OPTION_NO_COMPRESSION &&
                  SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS == OPTION_DONT_INSERT_EMPTY_FRAGMENTS &&
                  SSL_OP_TLS_ROLLBACK_BUG == OPTION_TLS_ROLLBACK_BUG &&
                  SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION ==
                      OPTION_NO_RESUMING_RENEGOTIATION &&
                  SSL_OP_ENABLE_MIDDLEBOX_COMPAT == OPTION_ENABLE_MIDDLEBOX_COMPAT &&
                  SSL_OP_PRIORITIZE_CHACHA == OPTION_PRIORITIZE_CHACHA &&
                  SSL_OP_CIPHER_SERVER_PREFERENCE == OPTION_CIPHER_SERVER_PREFERENCE &&
                  SSL_OP_NO_ANTI_REPLAY == OPTION_NO_ANTI_REPLAY &&
                  SSL_OP_TLSEXT_PADDING == OPTION_TLSEXT_PADDING &&
                  SSL_OP_NO_RENEGOTIATION == OPTION_NO_RENEGOTIATION,
              "the core's option bits are OpenSSL's");
static_assert(SSL_OP_NO_SSLv3 == OPTION_NO_SSL3 && SSL_OP_NO_TLSv1 == OPTION_NO_TLS1 &&
                  SSL_OP_NO_TLSv1_1 == OPTION_NO_TLS11 &&
                  SSL_OP_LEGACY_SERVER_CONNECT == OPTION_LEGACY_SERVER_CONNECT &&
                  SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION == OPTION_ALLOW_UNSAFE_RENEGOTIATION &&
                  SSL_OP_NO_TLSv1_2 == OPTION_NO_TLS12 && SSL_OP_NO_TLSv1_3 == OPTION_NO_TLS13,
              "the core's version bits are OpenSSL's");

/* --- Options --- */

static uint64_t ctx_change_options(SSL_CTX *ctx, uint64_t options)
{
    if (ctx->config->core.options != options) {
        struct ssl_config *config = ctx_edit(ctx);

        if (config != NULL) {
            config->core.options = options;
        }
    }
    return ctx->config->core.options;
}

static uint64_t ssl_change_options(SSL *s, uint64_t options)
{
    if (s->config->core.options != options) {
        struct ssl_config *config = ssl_edit(s);

        if (config != NULL) {
            config->core.options = options;
        }
    }
    return s->config->core.options;
}

uint64_t SSL_CTX_get_options(const SSL_CTX *ctx)
{
    return ctx->config->core.options;
}

uint64_t SSL_get_options(const SSL *s)
{
    return s->config->core.options;
}

uint64_t SSL_CTX_set_options(SSL_CTX *ctx, uint64_t op)
{
    return ctx_change_options(ctx, ctx->config->core.options | op);
}

uint64_t SSL_set_options(SSL *s, uint64_t op)
{
    return ssl_change_options(s, s->config->core.options | op);
}

uint64_t SSL_CTX_clear_options(SSL_CTX *ctx, uint64_t op)
{
    return ctx_change_options(ctx, ctx->config->core.options & ~op);
}

uint64_t SSL_clear_options(SSL *s, uint64_t op)
{
    return ssl_change_options(s, s->config->core.options & ~op);
}

/* --- Closing --- */

void SSL_CTX_set_quiet_shutdown(SSL_CTX *ctx, int mode)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->quiet_shutdown = mode;
    }
}

int SSL_CTX_get_quiet_shutdown(const SSL_CTX *ctx)
{
    return ctx->config->quiet_shutdown;
}

void SSL_set_quiet_shutdown(SSL *s, int mode)
{
    s->quiet_shutdown = mode;
}

int SSL_get_quiet_shutdown(const SSL *s)
{
    return s->quiet_shutdown;
}

void SSL_set_shutdown(SSL *s, int mode)
{
    s->shutdown = mode;
}

int SSL_get_shutdown(const SSL *s)
{
    return s->shutdown;
}

/* --- Reading --- */

void SSL_set_read_ahead(SSL *s, int yes)
{
    if (s->config->read_ahead != yes) {
        struct ssl_config *config = ssl_edit(s);

        if (config != NULL) {
            config->read_ahead = yes;
        }
    }
}

int SSL_get_read_ahead(const SSL *s)
{
    return s->config->read_ahead;
}

void SSL_CTX_set_default_read_buffer_len(SSL_CTX *ctx, size_t len)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->read_buffer_len = len;
    }
}

void SSL_set_default_read_buffer_len(SSL *s, size_t len)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->read_buffer_len = len;
    }
}

/* --- Record sizes --- */

static bool is_fragment_code(uint8_t mode)
{
    if (mode > TLSEXT_max_fragment_length_4096) {
        raise_error(SSL_R_SSL3_EXT_INVALID_MAX_FRAGMENT_LENGTH);
        return false;
    }
    return true;
}

int SSL_CTX_set_tlsext_max_fragment_length(SSL_CTX *ctx, uint8_t mode)
{
    struct ssl_config *config = is_fragment_code(mode) ? ctx_edit(ctx) : NULL;

    if (config == NULL) {
        return 0;
    }
    config->core.max_fragment_code = mode;
    return 1;
}

int SSL_set_tlsext_max_fragment_length(SSL *s, uint8_t mode)
{
    struct ssl_config *config = is_fragment_code(mode) ? ssl_edit(s) : NULL;

    if (config == NULL) {
        return 0;
    }
    config->core.max_fragment_code = mode;
    return 1;
}

/* --- Padding --- */

static void note_padding(struct ssl_config *config)
{
    config->core.pads_records = config->padding_callback != NULL || config->block_padding > 0;
}

/* Stores a block size; 1 is no padding. */
static int store_block_size(struct ssl_config *config, size_t block_size)
{
    if (config == NULL) {
        return 0;
    }
    config->block_padding = block_size == 1 ? 0 : block_size;
    note_padding(config);
    return 1;
}

int SSL_CTX_set_block_padding(SSL_CTX *ctx, size_t block_size)
{
    return store_block_size(block_size <= RECORD_MAX_PLAINTEXT ? ctx_edit(ctx) : NULL, block_size);
}

int SSL_set_block_padding(SSL *s, size_t block_size)
{
    return store_block_size(block_size <= RECORD_MAX_PLAINTEXT ? ssl_edit(s) : NULL, block_size);
}

void SSL_CTX_set_record_padding_callback(SSL_CTX *ctx,
                                         size_t (*cb)(SSL *ssl, int type, size_t len, void *arg))
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->padding_callback = cb;
        note_padding(config);
    }
}

int SSL_set_record_padding_callback(SSL *s, size_t (*cb)(SSL *ssl, int type, size_t len, void *arg))
{
    struct ssl_config *config = ssl_edit(s);

    if (config == NULL) {
        return 0;
    }
    config->padding_callback = cb;
    note_padding(config);
    return 1;
}

void SSL_CTX_set_record_padding_callback_arg(SSL_CTX *ctx, void *arg)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->padding_arg = arg;
    }
}

void SSL_set_record_padding_callback_arg(SSL *s, void *arg)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->padding_arg = arg;
    }
}

void *SSL_CTX_get_record_padding_callback_arg(const SSL_CTX *ctx)
{
    return ctx->config->padding_arg;
}

void *SSL_get_record_padding_callback_arg(const SSL *s)
{
    return s->config->padding_arg;
}

/* --- Early data --- */

static int store_max_early_data(struct ssl_config *config, uint32_t max_early_data)
{
    if (config == NULL) {
        return 0;
    }
    config->core.max_early_data = max_early_data;
    return 1;
}

int SSL_CTX_set_max_early_data(SSL_CTX *ctx, uint32_t max_early_data)
{
    /* Servers set themselves up, then fork. */
    if (max_early_data > 0 && ctx->method->role != ROLE_CLIENT &&
        config_is_anti_replay(&ctx->config->core)) {
        early_guard_prepare(ctx->lib);
    }
    return store_max_early_data(ctx_edit(ctx), max_early_data);
}

int SSL_set_max_early_data(SSL *s, uint32_t max_early_data)
{
    return store_max_early_data(ssl_edit(s), max_early_data);
}

uint32_t SSL_CTX_get_max_early_data(const SSL_CTX *ctx)
{
    return ctx->config->core.max_early_data;
}

uint32_t SSL_get_max_early_data(const SSL *s)
{
    return s->config->core.max_early_data;
}

static int store_recv_max_early_data(struct ssl_config *config, uint32_t recv_max_early_data)
{
    if (config == NULL) {
        return 0;
    }
    config->core.recv_max_early_data = recv_max_early_data;
    return 1;
}

int SSL_CTX_set_recv_max_early_data(SSL_CTX *ctx, uint32_t recv_max_early_data)
{
    return store_recv_max_early_data(ctx_edit(ctx), recv_max_early_data);
}

int SSL_set_recv_max_early_data(SSL *s, uint32_t recv_max_early_data)
{
    return store_recv_max_early_data(ssl_edit(s), recv_max_early_data);
}

uint32_t SSL_CTX_get_recv_max_early_data(const SSL_CTX *ctx)
{
    return ctx->config->core.recv_max_early_data;
}

uint32_t SSL_get_recv_max_early_data(const SSL *s)
{
    return s->config->core.recv_max_early_data;
}

/* --- Post-handshake authentication --- */

void SSL_CTX_set_post_handshake_auth(SSL_CTX *ctx, int val)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->core.post_handshake_auth = val != 0;
    }
}

void SSL_set_post_handshake_auth(SSL *s, int val)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->core.post_handshake_auth = val != 0;
    }
}
