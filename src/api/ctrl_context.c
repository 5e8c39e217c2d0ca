/*
 * Control commands of an SSL_CTX alone: the session cache and its statistics, ticket keys,
 * arguments of callbacks, OCSP, and the certificates that go with every chain.
 */
#include "api/ctrl.h"

#include "api/chain.h"
#include "api/ocsp.h"
#include "api/session_cache.h"
#include "api/ticket_keys.h"
#include <stdatomic.h>

static bool ctrl_statistics(SSL_CTX *ctx, int cmd, long *result)
{
    const _Atomic int *counter;

    switch (cmd) {
    case SSL_CTRL_SESS_CONNECT:
        counter = &ctx->stats.connect;
        break;
    case SSL_CTRL_SESS_CONNECT_GOOD:
        counter = &ctx->stats.connect_good;
        break;
    case SSL_CTRL_SESS_CONNECT_RENEGOTIATE:
        counter = &ctx->stats.connect_renegotiate;
        break;
    case SSL_CTRL_SESS_ACCEPT:
        counter = &ctx->stats.accept;
        break;
    case SSL_CTRL_SESS_ACCEPT_GOOD:
        counter = &ctx->stats.accept_good;
        break;
    case SSL_CTRL_SESS_ACCEPT_RENEGOTIATE:
        counter = &ctx->stats.accept_renegotiate;
        break;
    case SSL_CTRL_SESS_HIT:
        counter = &ctx->stats.hit;
        break;
    case SSL_CTRL_SESS_CB_HIT:
        counter = &ctx->stats.cb_hit;
        break;
    case SSL_CTRL_SESS_MISSES:
        counter = &ctx->stats.miss;
        break;
    case SSL_CTRL_SESS_TIMEOUTS:
        counter = &ctx->stats.timeout;
        break;
    case SSL_CTRL_SESS_CACHE_FULL:
        counter = &ctx->stats.cache_full;
        break;
    default:
        return false;
    }
    *result = atomic_load_explicit(counter, memory_order_relaxed);
    return true;
}

static bool ctrl_cache(SSL_CTX *ctx, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_SESS_NUMBER:
        *result = session_cache_count(ctx);
        return true;
    case SSL_CTRL_SET_SESS_CACHE_SIZE:
        if (larg < 0) {
            *result = 0;
            return true;
        }
        *result = (long)ctx->session_cache_size;
        ctx->session_cache_size = (size_t)larg;
        return true;
    case SSL_CTRL_GET_SESS_CACHE_SIZE:
        *result = (long)ctx->session_cache_size;
        return true;
    case SSL_CTRL_SET_SESS_CACHE_MODE:
        *result = (long)ctx->session_cache_mode;
        ctx->session_cache_mode = (uint32_t)larg;
        return true;
    case SSL_CTRL_GET_SESS_CACHE_MODE:
        *result = (long)ctx->session_cache_mode;
        return true;
    case SSL_CTRL_GET_TLSEXT_TICKET_KEYS:
        *result = ticket_keys_get(ctx, parg, larg);
        return true;
    case SSL_CTRL_SET_TLSEXT_TICKET_KEYS:
        *result = ticket_keys_set(ctx, parg, larg);
        return true;
    default:
        return false;
    }
}

static long set_msg_callback_arg(SSL_CTX *ctx, void *arg)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config == NULL) {
        return 0;
    }
    config->msg_callback_arg = arg;
    return 1;
}

/* Where SSL_CTX_get_tlsext_status_cb() puts the callback. */
typedef int (*status_callback)(SSL *, void *);

static bool ctrl_callbacks(SSL_CTX *ctx, int cmd, long larg, void *parg, long *result)
{
    *result = 1;
    switch (cmd) {
    case SSL_CTRL_SET_MSG_CALLBACK_ARG:
        *result = set_msg_callback_arg(ctx, parg);
        return true;
    case SSL_CTRL_SET_TLSEXT_SERVERNAME_ARG:
        ctx->servername_arg = parg;
        return true;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_CB_ARG:
        ctx->status_arg = parg;
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB_ARG:
        *(void **)parg = ctx->status_arg;
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_CB:
        *(status_callback *)parg = ctx->status_cb;
        return true;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE:
        *result = ocsp_set_type(NULL, ctx, larg);
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE:
        *result = ocsp_get_type(NULL, ctx);
        return true;
    default:
        return false;
    }
}

bool ctrl_context(SSL_CTX *ctx, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_EXTRA_CHAIN_CERT:
        *result = chain_add_extra(ctx, parg);
        return true;
    case SSL_CTRL_GET_EXTRA_CHAIN_CERTS:
        *result = chain_get_extra(ctx, larg != 0, parg);
        return true;
    case SSL_CTRL_CLEAR_EXTRA_CHAIN_CERTS:
        *result = chain_clear_extra(ctx);
        return true;
    case SSL_CTRL_SET_TLS_EXT_SRP_USERNAME:
        *result = SSL_CTX_set_srp_username(ctx, parg);
        return true;
    case SSL_CTRL_SET_TLS_EXT_SRP_STRENGTH:
        *result = SSL_CTX_set_srp_strength(ctx, (int)larg);
        return true;
    case SSL_CTRL_SET_TLS_EXT_SRP_PASSWORD:
        *result = SSL_CTX_set_srp_password(ctx, parg);
        return true;
    default:
        return ctrl_statistics(ctx, cmd, result) || ctrl_cache(ctx, cmd, larg, parg, result) ||
               ctrl_callbacks(ctx, cmd, larg, parg, result);
    }
}
