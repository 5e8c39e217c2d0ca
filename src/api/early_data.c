/*
 * Early data: SSL_read_early_data(3). A server that accepts none is a case the manual page knows:
 * reading finishes at once and the handshake goes on with SSL_accept or SSL_read. What a client
 * sends all the same is dropped by the record layer (RFC 8446, 4.2.10).
 */
#include "api/pump.h"

#include <openssl/err.h>

int SSL_read_early_data(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    (void)buf;
    (void)num;
    call_begin(s);
    if (!s->state_set || s->conn.role != ROLE_SERVER || s->conn.handshakes_done > 0) {
        (void)call_fail(s, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return SSL_READ_EARLY_DATA_ERROR;
    }
    *readbytes = 0;
    return SSL_READ_EARLY_DATA_FINISH;
}

/* Without a session that allows it there is nothing to write early with, and there is none before
 * resumption exists. */
int SSL_write_early_data(SSL *s, const void *buf, size_t num, size_t *written)
{
    (void)s;
    (void)buf;
    (void)num;
    (void)written;
    refuse("early data");
    return 0;
}

int SSL_stateless(SSL *s)
{
    (void)s;
    refuse("stateless HelloRetryRequest");
    return -1;
}
