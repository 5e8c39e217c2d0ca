/*
 * Early data (RFC 8446, 2.3): SSL_read_early_data(3), SSL_write_early_data(3). The handshake rests
 * where early data is written or read (conn->rests), and goes on when the application calls
 * anything else. What a server does not accept is dropped by the record layer.
 */
#include "api/pump.h"

#include <openssl/err.h>

_Static_assert((int)EARLY_DATA_REJECTED == SSL_EARLY_DATA_REJECTED &&
                   (int)EARLY_DATA_ACCEPTED == SSL_EARLY_DATA_ACCEPTED,
               "results agree with ssl.h");

void ssl_check_early_data(SSL *s, enum early_caller caller)
{
    struct tls_conn *c = &s->conn;
    bool before_hello = c->in.epoch == EPOCH_PLAINTEXT;

    if (!c->rests) {
        return;
    }
    if (caller == EARLY_ENDS_HERE) {
        c->rests = false;
    } else if (c->role == ROLE_SERVER) {
        c->rests = s->early_state != EARLY_FINISHED_READING;
    } else if (caller == EARLY_READER) {
        c->rests = !before_hello; /* between its Finished and ours the server may speak */
    } else {
        c->rests = s->early_state == EARLY_WRITING;
    }
    /* Nothing more is written early, unless the application only waits for the server. */
    if (!c->rests && caller != EARLY_READER && s->early_state == EARLY_WRITE_RETRY) {
        s->early_state = EARLY_FINISHED_WRITING;
    }
}

void ssl_note_end_of_early_data(SSL *s)
{
    if ((s->early_state == EARLY_READING || s->early_state == EARLY_READ_RETRY) &&
        s->conn.in.epoch > EPOCH_EARLY) {
        s->early_state = EARLY_FINISHED_READING;
    }
}

bool ssl_is_amid_early_data(SSL *s, enum early_caller caller)
{
    bool amid = s->early_state == EARLY_CONNECT_RETRY || s->early_state == EARLY_ACCEPT_RETRY ||
                (caller == EARLY_WRITER && s->early_state == EARLY_READ_RETRY);

    if (amid) {
        (void)call_fail(s, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
    }
    return amid;
}

/* The call is not for this connection, or not for this moment. */
static int refuse_call(SSL *s, int result)
{
    call_begin(s);
    (void)call_fail(s, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
    return result;
}

/* --- Server --- */

/* The handshake as far as the first flight. */
static bool accept_early(SSL *s)
{
    s->early_state = EARLY_ACCEPTING;
    if (SSL_accept(s) <= 0) {
        s->early_state = EARLY_ACCEPT_RETRY;
        return false;
    }
    return true;
}

static int read_early(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    if (s->conn.neg.early_data == EARLY_DATA_ACCEPTED) {
        s->early_state = EARLY_READING;
        bool done = ssl_read_data(s, buf, num, readbytes) > 0;
        if (done || s->early_state != EARLY_FINISHED_READING) {
            s->early_state = EARLY_READ_RETRY;
            return done ? SSL_READ_EARLY_DATA_SUCCESS : SSL_READ_EARLY_DATA_ERROR;
        }
    } else {
        s->early_state = EARLY_FINISHED_READING;
    }
    *readbytes = 0;
    return SSL_READ_EARLY_DATA_FINISH;
}

int SSL_read_early_data(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    bool begins = s->early_state == EARLY_NONE && SSL_in_before(s);

    if (!SSL_is_server(s)) {
        return refuse_call(s, SSL_READ_EARLY_DATA_ERROR);
    }
    if (begins || s->early_state == EARLY_ACCEPT_RETRY) {
        return accept_early(s) ? read_early(s, buf, num, readbytes) : SSL_READ_EARLY_DATA_ERROR;
    }
    return s->early_state == EARLY_READ_RETRY ? read_early(s, buf, num, readbytes)
                                              : refuse_call(s, SSL_READ_EARLY_DATA_ERROR);
}

/* --- Client --- */

/* Everything is out, and nothing waits in a BIO that buffers. */
static int flush_early(SSL *s, size_t num, size_t *written)
{
    s->flush_due = true;
    if (pump_flush(s) != 1) {
        return 0;
    }
    *written = num;
    s->early_state = EARLY_WRITE_RETRY;
    return 1;
}

static int write_early(SSL *s, const void *buf, size_t num, size_t *written)
{
    size_t done = 0;

    s->early_state = EARLY_WRITING;
    if (ssl_write_data(s, buf, num, &done) <= 0) {
        s->early_state = EARLY_WRITE_RETRY;
        return 0;
    }
    s->early_state = EARLY_WRITE_FLUSH;
    return flush_early(s, num, written);
}

static int connect_early(SSL *s, const void *buf, size_t num, size_t *written)
{
    s->early_state = EARLY_CONNECTING;
    if (SSL_connect(s) <= 0) {
        s->early_state = EARLY_CONNECT_RETRY;
        return 0;
    }
    return write_early(s, buf, num, written);
}

/* A server's data for a client that has not yet proved who it is. */
static int write_unauthenticated(SSL *s, const void *buf, size_t num, size_t *written)
{
    enum early_state state = s->early_state;

    s->early_state = EARLY_UNAUTHENTICATED_WRITING;
    int result = ssl_write_data(s, buf, num, written) > 0;
    if (result > 0) {
        (void)BIO_flush(s->wbio);
    }
    s->early_state = state;
    return result;
}

/* A client begins with a session that allows it, or with the hope for a key. */
static bool may_begin(const SSL *s)
{
    return !SSL_is_server(s) && SSL_in_before(s) &&
           ((s->conn.session != NULL && s->conn.session->max_early_data > 0) ||
            s->config->psk_use_session != NULL);
}

int SSL_write_early_data(SSL *s, const void *buf, size_t num, size_t *written)
{
    enum early_state state = s->early_state;

    if ((state == EARLY_NONE && may_begin(s)) || state == EARLY_CONNECT_RETRY) {
        return connect_early(s, buf, num, written);
    }
    if (state == EARLY_WRITE_RETRY) {
        return write_early(s, buf, num, written);
    }
    if (state == EARLY_WRITE_FLUSH) {
        return flush_early(s, num, written);
    }
    return state == EARLY_FINISHED_READING || state == EARLY_READ_RETRY
               ? write_unauthenticated(s, buf, num, written)
               : refuse_call(s, 0);
}
