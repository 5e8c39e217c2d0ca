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

static bool prepare_wait_context(SSL *s)
{
    if (s->waitctx == NULL) {
        s->waitctx = ASYNC_WAIT_CTX_new();
    }
    return s->waitctx != NULL && (s->config->async_callback == NULL ||
                                  ASYNC_WAIT_CTX_set_callback(s->waitctx, wait_callback, s));
}

static int start_job(SSL *s, struct io_call *call)
{
    struct io_call *running = &s->job_call;
    int result = -1;

    if (!prepare_wait_context(s)) {
        return call_fail(s, ERR_R_MALLOC_FAILURE);
    }
    /* A job that was paused goes on with the call it was started for. */
    if (s->job == NULL) {
        *running = *call;
    }
    s->rwstate = SSL_NOTHING;
    switch (ASYNC_start_job(&s->job, s->waitctx, &result, run_in_job, &running, sizeof running)) {
    case ASYNC_ERR:
        return call_fail(s, SSL_R_FAILED_TO_INIT_ASYNC);
    case ASYNC_PAUSE:
        s->rwstate = SSL_ASYNC_PAUSED;
        return -1;
    case ASYNC_NO_JOBS:
        s->rwstate = SSL_ASYNC_NO_JOBS;
        return -1;
    case ASYNC_FINISH:
        s->job = NULL;
        call->done = running->done;
        return result;
    default:
        return call_fail(s, ERR_R_INTERNAL_ERROR);
    }
}

int run_io_call(struct io_call *call)
{
    SSL *s = call->s;

    if ((s->config->mode & SSL_MODE_ASYNC) != 0 && ASYNC_get_current_job() == NULL) {
        return start_job(s, call);
    }
    return call->run(call);
}

int SSL_waiting_for_async(SSL *s)
{
    return s->job != NULL;
}

int SSL_get_all_async_fds(SSL *s, OSSL_ASYNC_FD *fds, size_t *numfds)
{
    return s->waitctx != NULL && ASYNC_WAIT_CTX_get_all_fds(s->waitctx, fds, numfds);
}

int SSL_get_changed_async_fds(SSL *s, OSSL_ASYNC_FD *addfd, size_t *numaddfds, OSSL_ASYNC_FD *delfd,
                              size_t *numdelfds)
{
    return s->waitctx != NULL &&
           ASYNC_WAIT_CTX_get_changed_fds(s->waitctx, addfd, numaddfds, delfd, numdelfds);
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
    if (s->waitctx == NULL) {
        return 0;
    }
    *status = ASYNC_WAIT_CTX_get_status(s->waitctx);
    return 1;
}
