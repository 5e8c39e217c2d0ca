/*
 * SSL_MODE_ASYNC: a public call runs inside an ASYNC job, so that an asynchronous engine or
 * provider may pause it. ASYNC_start_job(3), SSL_get_all_async_fds(3), SSL_set_async_callback(3).
 */
#include "api/pump.h"

#include <openssl/err.h>

static int run_in_job(void *arg)
{
    /* ASYNC_start_job() copies its argument; what that points to is in the SSL. */
    struct io_call **call = arg;

    return (*call)->run(*call);
}

static int wait_callback(void *arg)
{
    SSL *s = arg;

    return s->config->async_callback(s, s->config->async_callback_arg);
}

struct async_calls {
    ASYNC_WAIT_CTX *waitctx;
    ASYNC_JOB *job;      /* paused */
    struct io_call call; /* what it runs */
};

/* False: out of memory. */
static bool prepare_wait_context(SSL *s)
{
    if (s->async == NULL) {
        s->async = OPENSSL_zalloc(sizeof *s->async);
    }
    if (s->async != NULL && s->async->waitctx == NULL) {
        s->async->waitctx = ASYNC_WAIT_CTX_new();
    }
    return s->async != NULL && s->async->waitctx != NULL &&
           (s->config->async_callback == NULL ||
            ASYNC_WAIT_CTX_set_callback(s->async->waitctx, wait_callback, s));
}

void async_wipe(SSL *s)
{
    if (s->async != NULL) {
        ASYNC_WAIT_CTX_free(s->async->waitctx);
        OPENSSL_free(s->async);
        s->async = NULL;
    }
}

static int start_job(SSL *s, struct io_call *call)
{
    int result = -1;

    if (!prepare_wait_context(s)) {
        return call_fail(s, ERR_R_MALLOC_FAILURE);
    }
    struct async_calls *async = s->async;
    struct io_call *running = &async->call;
    /* A job that was paused goes on with the call it was started for. */
    if (async->job == NULL) {
        *running = *call;
    }
    s->rwstate = SSL_NOTHING;
    switch (ASYNC_start_job(&async->job, async->waitctx, &result, run_in_job, &running,
                            sizeof running)) {
    case ASYNC_ERR:
        return call_fail(s, SSL_R_FAILED_TO_INIT_ASYNC);
    case ASYNC_PAUSE:
        s->rwstate = SSL_ASYNC_PAUSED;
        return -1;
    case ASYNC_NO_JOBS:
        s->rwstate = SSL_ASYNC_NO_JOBS;
        return -1;
    case ASYNC_FINISH:
        async->job = NULL;
        call->done = running->done;
        return result;
    default:
        return call_fail(s, ERR_R_INTERNAL_ERROR);
    }
}

int run_io_job(struct io_call *call)
{
    return ASYNC_get_current_job() == NULL ? start_job(call->s, call) : call->run(call);
}

static ASYNC_WAIT_CTX *wait_context(const SSL *s)
{
    return s->async == NULL ? NULL : s->async->waitctx;
}

int SSL_waiting_for_async(SSL *s)
{
    return s->async != NULL && s->async->job != NULL;
}

int SSL_get_all_async_fds(SSL *s, OSSL_ASYNC_FD *fds, size_t *numfds)
{
    return wait_context(s) != NULL && ASYNC_WAIT_CTX_get_all_fds(wait_context(s), fds, numfds);
}

int SSL_get_changed_async_fds(SSL *s, OSSL_ASYNC_FD *addfd, size_t *numaddfds, OSSL_ASYNC_FD *delfd,
                              size_t *numdelfds)
{
    return wait_context(s) != NULL &&
           ASYNC_WAIT_CTX_get_changed_fds(wait_context(s), addfd, numaddfds, delfd, numdelfds);
}

static int set_callback(struct ssl_config *config, SSL_async_callback_fn callback)
{
    if (config != NULL) {
        config->async_callback = callback;
    }
    return config != NULL;
}

static int set_callback_arg(struct ssl_config *config, void *arg)
{
    if (config != NULL) {
        config->async_callback_arg = arg;
    }
    return config != NULL;
}

int SSL_CTX_set_async_callback(SSL_CTX *ctx, SSL_async_callback_fn callback)
{
    return set_callback(ctx_edit(ctx), callback);
}

int SSL_CTX_set_async_callback_arg(SSL_CTX *ctx, void *arg)
{
    return set_callback_arg(ctx_edit(ctx), arg);
}

int SSL_set_async_callback(SSL *s, SSL_async_callback_fn callback)
{
    return set_callback(ssl_edit(s), callback);
}

int SSL_set_async_callback_arg(SSL *s, void *arg)
{
    return set_callback_arg(ssl_edit(s), arg);
}

int SSL_get_async_status(SSL *s, int *status)
{
    if (wait_context(s) == NULL) {
        return 0;
    }
    *status = ASYNC_WAIT_CTX_get_status(wait_context(s));
    return 1;
}
