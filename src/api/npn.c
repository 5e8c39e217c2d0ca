/*
 * Next protocol negotiation: SSL_CTX_set_next_proto_select_cb(3). Both callbacks are the context's
 * of the moment.
 */
#include "api/npn.h"

#include <openssl/err.h>

void SSL_CTX_set_next_protos_advertised_cb(SSL_CTX *ctx, SSL_CTX_npn_advertised_cb_func cb,
                                           void *arg)
{
    ctx->npn_advertised_cb = cb;
    ctx->npn_advertised_arg = arg;
}

void SSL_CTX_set_next_proto_select_cb(SSL_CTX *ctx, SSL_CTX_npn_select_cb_func cb, void *arg)
{
    ctx->npn_select_cb = cb;
    ctx->npn_select_arg = arg;
}

void SSL_get0_next_proto_negotiated(const SSL *s, const unsigned char **data, unsigned *len)
{
    const struct blob *name = s->conn.neg.next_protocol;

    *data = name == NULL ? NULL : name->bytes;
    *len = (unsigned)blob_len(name);
}

/* --- Server --- */

bool npn_is_advertised(void *owner)
{
    SSL *s = owner;
    const SSL_CTX *ctx = s->ctx;

    s->npn_list = NULL;
    s->npn_list_len = 0;
    return ctx->npn_advertised_cb != NULL &&
           ctx->npn_advertised_cb(s, &s->npn_list, &s->npn_list_len, ctx->npn_advertised_arg) ==
               SSL_TLSEXT_ERR_OK;
}

void npn_write_protocols(void *owner, struct writer *w)
{
    const SSL *s = owner;

    writer_bytes(w, s->npn_list, s->npn_list_len);
}

/* --- Client --- */

bool npn_is_asked_for(void *owner)
{
    const SSL *s = owner;

    return s->ctx->npn_select_cb != NULL;
}

enum hook_answer npn_choose(void *owner, const uint8_t *offered, size_t len, struct blob **chosen,
                            struct record_error *failure)
{
    SSL *s = owner;
    unsigned char *name = NULL;
    unsigned char name_len = 0;

    if (s->ctx->npn_select_cb == NULL) {
        *failure = (struct record_error){ ALERT_UNSUPPORTED_EXTENSION, SSL_R_BAD_EXTENSION };
        return HOOK_FAIL;
    }
    if (s->ctx->npn_select_cb(s, &name, &name_len, offered, (unsigned)len,
                              s->ctx->npn_select_arg) != SSL_TLSEXT_ERR_OK ||
        name_len == 0) {
        return HOOK_FAIL;
    }
    *chosen = blob_new(name, name_len);
    if (*chosen == NULL) {
        *failure = (struct record_error){ ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE };
        return HOOK_FAIL;
    }
    return HOOK_OK;
}
