/*
 * SSL_ctrl(), SSL_CTX_ctrl() and their siblings for callbacks: the commands behind most macros of
 * <openssl/ssl.h>, handed to whoever knows them. An unknown command gives 0, as OpenSSL's does.
 */
#include "api/ctrl.h"

#include "api/lists.h"

long SSL_ctrl(SSL *s, int cmd, long larg, void *parg)
{
    long result = 0;

    if (ctrl_numbers(s, NULL, cmd, larg, &result) ||
        ctrl_negotiation(s, NULL, cmd, larg, parg, &result) ||
        ctrl_certificates(s, NULL, cmd, larg, parg, &result) ||
        ctrl_connection(s, cmd, larg, parg, &result)) {
        return result;
    }
    return 0;
}

/* Without a context some commands check their text. */
static long check_text(int cmd, void *parg)
{
    switch (cmd) {
    case SSL_CTRL_SET_GROUPS_LIST:
        return groups_set_list(NULL, NULL, parg);
    case SSL_CTRL_SET_SIGALGS_LIST:
    case SSL_CTRL_SET_CLIENT_SIGALGS_LIST:
        return sigalgs_set_list(NULL, NULL, parg, false);
    default:
        return 0;
    }
}

long SSL_CTX_ctrl(SSL_CTX *ctx, int cmd, long larg, void *parg)
{
    long result = 0;

    if (ctx == NULL) {
        return check_text(cmd, parg);
    }
    if (ctrl_numbers(NULL, ctx, cmd, larg, &result) ||
        ctrl_negotiation(NULL, ctx, cmd, larg, parg, &result) ||
        ctrl_certificates(NULL, ctx, cmd, larg, parg, &result) ||
        ctrl_context(ctx, cmd, larg, parg, &result)) {
        return result;
    }
    return 0;
}

/* A callback as the caller cast it, and as what it is. */
union any_callback {
    void (*given)(void);
    void (*message)(int, int, int, const void *, size_t, SSL *, void *);
    DH *(*dh)(SSL *, int, int);
    void (*extension)(SSL *, int, int, const unsigned char *, int, void *);
    int (*not_resumable)(SSL *, int);
    int (*servername)(SSL *, int *, void *);
    int (*status)(SSL *, void *);
    int (*ticket_key)(SSL *, unsigned char *, unsigned char *, EVP_CIPHER_CTX *, HMAC_CTX *, int);
};

long SSL_callback_ctrl(SSL *s, int cmd, void (*fp)(void))
{
    union any_callback callback = { .given = fp };

    switch (cmd) {
    case SSL_CTRL_SET_MSG_CALLBACK:
        SSL_set_msg_callback(s, callback.message);
        return 1;
    case SSL_CTRL_SET_TMP_DH_CB:
        SSL_set_tmp_dh_callback(s, callback.dh);
        return 1;
    case SSL_CTRL_SET_TLSEXT_DEBUG_CB:
        s->tlsext_debug_cb = callback.extension;
        return 1;
    case SSL_CTRL_SET_NOT_RESUMABLE_SESS_CB:
        SSL_set_not_resumable_session_callback(s, callback.not_resumable);
        return 1;
    default:
        return 0;
    }
}

long SSL_CTX_callback_ctrl(SSL_CTX *ctx, int cmd, void (*fp)(void))
{
    union any_callback callback = { .given = fp };

    switch (cmd) {
    case SSL_CTRL_SET_MSG_CALLBACK:
        SSL_CTX_set_msg_callback(ctx, callback.message);
        return 1;
    case SSL_CTRL_SET_TMP_DH_CB:
        SSL_CTX_set_tmp_dh_callback(ctx, callback.dh);
        return 1;
    case SSL_CTRL_SET_TLSEXT_SERVERNAME_CB:
        ctx->servername_cb = callback.servername;
        return 1;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB:
        ctx->status_cb = callback.status;
        return 1;
    case SSL_CTRL_SET_TLSEXT_TICKET_KEY_CB:
        ctx->ticket_key_cb = callback.ticket_key;
        return 1;
    case SSL_CTRL_SET_NOT_RESUMABLE_SESS_CB:
        SSL_CTX_set_not_resumable_session_callback(ctx, callback.not_resumable);
        return 1;
    default:
        return 0;
    }
}
