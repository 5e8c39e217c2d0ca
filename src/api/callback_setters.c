/*
 * Callbacks that applications give to contexts and connections. They are only kept here; who calls
 * them, and when, is in callbacks.c.
 */
#include "api/internal.h"

#include "base/reader.h"
#include "handshake/ext/extensions.h"

#include <string.h>

/* --- What happens: states, messages, secrets --- */

void SSL_CTX_set_info_callback(SSL_CTX *ctx, void (*cb)(const SSL *ssl, int type, int val))
{
    ctx->info_callback = cb;
}

void (*SSL_CTX_get_info_callback(SSL_CTX *ctx))(const SSL *ssl, int type, int val)
{
    return ctx->info_callback;
}

void SSL_set_info_callback(SSL *s, void (*cb)(const SSL *ssl, int type, int val))
{
    s->info_callback = cb;
}

void (*SSL_get_info_callback(const SSL *s))(const SSL *ssl, int type, int val)
{
    return s->info_callback;
}

void SSL_CTX_set_msg_callback(SSL_CTX *ctx,
                              void (*cb)(int write_p, int version, int content_type,
                                         const void *buf, size_t len, SSL *ssl, void *arg))
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->msg_callback = cb;
        config->core.reports_records = cb != NULL;
    }
}

void SSL_set_msg_callback(SSL *s, void (*cb)(int write_p, int version, int content_type,
                                             const void *buf, size_t len, SSL *ssl, void *arg))
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->msg_callback = cb;
        config->core.reports_records = cb != NULL;
    }
}

void SSL_CTX_set_keylog_callback(SSL_CTX *ctx, SSL_CTX_keylog_cb_func cb)
{
    ctx->keylog_cb = cb;
}

SSL_CTX_keylog_cb_func SSL_CTX_get_keylog_callback(const SSL_CTX *ctx)
{
    return ctx->keylog_cb;
}

/* --- A server's answers --- */

void SSL_CTX_set_client_hello_cb(SSL_CTX *c, SSL_client_hello_cb_fn cb, void *arg)
{
    c->client_hello_cb = cb;
    c->client_hello_arg = arg;
}

void SSL_CTX_set_alpn_select_cb(SSL_CTX *ctx, SSL_CTX_alpn_select_cb_func cb, void *arg)
{
    ctx->alpn_select_cb = cb;
    ctx->alpn_select_arg = arg;
}

/* --- Protocols above TLS --- */

/* What is to be stored: *list is NULL for none. False: malformed, or out of memory. */
static bool make_protocol_list(struct blob **list, const uint8_t *protos, size_t len)
{
    *list = NULL;
    if (protos == NULL || len == 0) {
        return true;
    }
    if (!alpn_is_protocol_list(reader_of(protos, len))) {
        return false;
    }
    *list = blob_new(protos, len);
    if (*list == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    return true;
}

/* These two return 0 for success, unlike their neighbours. */
int SSL_CTX_set_alpn_protos(SSL_CTX *ctx, const unsigned char *protos, unsigned int protos_len)
{
    struct blob *list;

    if (!make_protocol_list(&list, protos, protos_len)) {
        return 1;
    }
    struct ssl_config *config = ctx_edit(ctx);
    if (config == NULL) {
        blob_free(list);
        return 1;
    }
    blob_set(&config->core.alpn, list);
    return 0;
}

int SSL_set_alpn_protos(SSL *s, const unsigned char *protos, unsigned int protos_len)
{
    struct blob *list;

    if (!make_protocol_list(&list, protos, protos_len)) {
        return 1;
    }
    struct ssl_config *config = ssl_edit(s);
    if (config == NULL) {
        blob_free(list);
        return 1;
    }
    blob_set(&config->core.alpn, list);
    return 0;
}

/* --- Early data --- */

void SSL_CTX_set_allow_early_data_cb(SSL_CTX *ctx, SSL_allow_early_data_cb_fn cb, void *arg)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->allow_early_data = cb;
        config->allow_early_data_arg = arg;
    }
}

void SSL_set_allow_early_data_cb(SSL *s, SSL_allow_early_data_cb_fn cb, void *arg)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->allow_early_data = cb;
        config->allow_early_data_arg = arg;
    }
}
