/*
 * What the last call on a connection came to: SSL_get_error(3), SSL_want(3). The judgement is about
 * this connection's last call alone; entries that others left in the thread's error queue do not
 * count.
 */
#include "api/pump.h"

#include <openssl/err.h>

int SSL_want(const SSL *s)
{
    return s->rwstate;
}

/* What a BIO waits for when it is not what was asked of it: a connect BIO, an SSL below. */
static int special_error(BIO *bio)
{
    if (!BIO_should_io_special(bio)) {
        return SSL_ERROR_NONE;
    }
    switch (BIO_get_retry_reason(bio)) {
    case BIO_RR_CONNECT:
        return SSL_ERROR_WANT_CONNECT;
    case BIO_RR_ACCEPT:
        return SSL_ERROR_WANT_ACCEPT;
    default:
        return SSL_ERROR_SYSCALL;
    }
}

/* A BIO may want the other direction first: an SSL below does in its handshake. A BIO that has been
 * taken away meanwhile wants what it was asked for. */
static int retry_error(BIO *bio, int without_bio)
{
    if (bio == NULL) {
        return without_bio;
    }
    if (BIO_should_read(bio)) {
        return SSL_ERROR_WANT_READ;
    }
    if (BIO_should_write(bio)) {
        return SSL_ERROR_WANT_WRITE;
    }
    return special_error(bio);
}

static int error_of_state(const SSL *s)
{
    switch (s->rwstate) {
    case SSL_READING:
        return retry_error(s->rbio, SSL_ERROR_WANT_READ);
    case SSL_WRITING:
        return retry_error(s->wbio, SSL_ERROR_WANT_WRITE);
    case SSL_X509_LOOKUP:
        return SSL_ERROR_WANT_X509_LOOKUP;
    case SSL_RETRY_VERIFY:
        return SSL_ERROR_WANT_RETRY_VERIFY;
    case SSL_ASYNC_PAUSED:
        return SSL_ERROR_WANT_ASYNC;
    case SSL_ASYNC_NO_JOBS:
        return SSL_ERROR_WANT_ASYNC_JOB;
    case SSL_CLIENT_HELLO_CB:
        return SSL_ERROR_WANT_CLIENT_HELLO_CB;
    default:
        return SSL_ERROR_NONE;
    }
}

int SSL_get_error(const SSL *s, int ret)
{
    if (ret > 0) {
        return SSL_ERROR_NONE;
    }
    if (s->last_error != SSL_ERROR_NONE) {
        return s->last_error;
    }
    int error = error_of_state(s);
    if (error != SSL_ERROR_NONE) {
        return error;
    }
    if ((s->shutdown & SSL_RECEIVED_SHUTDOWN) != 0 && s->conn.last_warning == ALERT_CLOSE_NOTIFY) {
        return SSL_ERROR_ZERO_RETURN;
    }
    return SSL_ERROR_SYSCALL;
}
