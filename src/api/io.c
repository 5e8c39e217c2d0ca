/*
 * Application data: SSL_read(3), SSL_write(3), SSL_peek, their _ex forms, SSL_pending(3).
 */
#include "api/pump.h"

#include <openssl/err.h>

/* --- Reading --- */

int ssl_read_on(SSL *s)
{
    if ((s->config->mode & SSL_MODE_AUTO_RETRY) != 0) {
        return 1;
    }
    s->rwstate = SSL_READING;
    BIO_clear_retry_flags(s->rbio);
    BIO_set_retry_read(s->rbio);
    return -1;
}

int ssl_run_unprompted(SSL *s)
{
    int result = ssl_run_handshake(s);

    if (result <= 0) {
        return -1;
    }
    /* Not when data is there for which a renegotiation makes way. */
    bool more = s->conn.hs != NULL || record_in_has_unopened(&s->conn.in);
    return more ? 1 : ssl_read_on(s);
}

/* A handshake message instead of data. Behind the end of early data there is none that is early. */
static int take_message(SSL *s)
{
    bool early = s->early_state == EARLY_READING;

    int result = ssl_run_unprompted(s);
    return early ? -1 : result;
}

/* One step towards application data. 1: *done, or go on. */
static int read_step(struct io_call *call, bool *done)
{
    SSL *s = call->s;

    s->rwstate = SSL_NOTHING;
    switch (tls_read(&s->conn, call->buf, call->len, call->peek, &call->done)) {
    case TLS_APP_DATA:
        *done = true;
        return call->done > 0 ? 1 : 0;
    case TLS_WANT_INPUT:
        return pump_in(s);
    case TLS_HANDSHAKE:
        return take_message(s);
    case TLS_OK:
        return ssl_read_on(s);
    case TLS_CLOSED:
        s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        return 0;
    case TLS_FAILED:
        (void)pump_fail(s);
        if (s->conn.received_fatal >= 0) {
            s->shutdown |= SSL_RECEIVED_SHUTDOWN;
            return 0;
        }
        return -1;
    case TLS_WANT_FLUSH:
    case TLS_PAUSED:
        break;
    }
    return call_fail(s, ERR_R_INTERNAL_ERROR);
}

static int do_read(struct io_call *call)
{
    SSL *s = call->s;
    bool done = false;
    int result = 1;

    ssl_check_renegotiation(s);
    ssl_check_early_data(s, EARLY_READER);
    s->conn.in_flight = DATA_GIVEN;
    s->conn.closing = (s->shutdown & SSL_SENT_SHUTDOWN) != 0;
    if (ssl_in_init(s) && !s->in_handshake && ssl_run_handshake(s) <= 0) {
        result = -1;
    }
    while (!done && result > 0) {
        result = read_step(call, &done);
    }
    s->conn.in_flight = done && s->conn.hs != NULL && !s->conn.rests ? DATA_KEPT : DATA_REFUSED;
    return result;
}

static int read_internal(SSL *s, void *buf, size_t len, bool peek, size_t *got)
{
    struct io_call call = { .s = s, .run = do_read, .buf = buf, .len = len, .peek = peek };

    call_begin(s);
    if (!s->state_set) {
        return call_fail(s, SSL_R_UNINITIALIZED);
    }
    if ((s->shutdown & SSL_RECEIVED_SHUTDOWN) != 0) {
        s->rwstate = peek ? s->rwstate : SSL_NOTHING;
        return 0;
    }
    if (ssl_is_amid_early_data(s, EARLY_READER)) {
        return 0;
    }
    int result = run_io_call(&call);
    *got = call.done;
    return result;
}

int ssl_read_data(SSL *s, void *buf, size_t len, size_t *got)
{
    return read_internal(s, buf, len, false, got);
}

static int read_int(SSL *s, void *buf, int num, bool peek)
{
    size_t got = 0;

    if (num < 0) {
        call_begin(s);
        return call_fail(s, SSL_R_BAD_LENGTH);
    }
    int result = read_internal(s, buf, (size_t)num, peek, &got);
    return result > 0 ? (int)got : result;
}

int SSL_read(SSL *s, void *buf, int num)
{
    return read_int(s, buf, num, false);
}

int SSL_peek(SSL *s, void *buf, int num)
{
    return read_int(s, buf, num, true);
}

int SSL_read_ex(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    return read_internal(s, buf, num, false, readbytes) > 0;
}

int SSL_peek_ex(SSL *s, void *buf, size_t num, size_t *readbytes)
{
    return read_internal(s, buf, num, true, readbytes) > 0;
}

int SSL_pending(const SSL *s)
{
    return (int)tls_pending(&s->conn);
}

int SSL_has_pending(const SSL *s)
{
    return s->conn.in.current_size > 0 || record_in_has_unopened(&s->conn.in);
}

/* --- Writing --- */

/* The retry rule broken: nothing is sent any more, as the record that is half out belongs to bytes
 * which the caller no longer has. */
COLD static int refuse_retry(struct io_call *call, int reason)
{
    SSL *s = call->s;
    const struct pending_write *p = &s->pending;

    conn_fail(&s->conn, ALERT_NONE, reason);
    s->conn.error.raised = true;
    s->last_error = SSL_ERROR_SSL;
    raise_error_with(reason,
                     "first call: %zu bytes at %p, %zu of them sent and %zu on their way; this "
                     "call: %zu bytes at %p",
                     p->asked, p->first, p->sent, p->len, call->len, call->data);
    return -1;
}

/* Delivers the record that blocked. 1: it is out, *total counts it. */
static int finish_blocked(struct io_call *call, size_t *total)
{
    SSL *s = call->s;
    struct pending_write *p = &s->pending;

    if ((s->config->mode & SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) == 0 &&
        p->buf != (const uint8_t *)call->data + *total) {
        return refuse_retry(call, SSL_R_BAD_WRITE_RETRY);
    }
    int result = pump_out(s);
    if (result > 0) {
        *total += p->len;
        p->len = 0;
    }
    return result;
}

/* What has to go out before the next record of data: an alert that waited, a key update. */
static int write_what_is_due(SSL *s)
{
    if (s->conn.alert_due) {
        int result = pump_alert(s);
        if (result <= 0) {
            return result;
        }
    }
    return tls_key_is_worn(&s->conn) ? ssl_run_handshake(s) : 1;
}

/* How many records of len bytes may go out in one BIO_write. Applications can see the calls of
 * every BIO but a plain socket that nobody watches, and may count on one a record; with partial
 * writes each record is reported by itself. */
static size_t records_per_write(const SSL *s, size_t len)
{
    if (len <= tls_write_limit(&s->conn)) {
        return 1; /* as many as there are */
    }
    return !pump_is_unwatched(s->wbio) || (s->config->mode & SSL_MODE_ENABLE_PARTIAL_WRITE) != 0
               ? 1
               : TLS_WRITE_RECORDS;
}

/* Seals and delivers the next records of buf[0..len), counting in *total what is out. */
static int write_some(SSL *s, const uint8_t *buf, size_t len, size_t *total)
{
    struct pending_write *p = &s->pending;
    size_t sealed;
    int result = write_what_is_due(s);

    if (result <= 0) {
        return result;
    }
    if (tls_write_records(&s->conn, buf, len, records_per_write(s, len), &sealed) != TLS_OK) {
        return pump_fail(s);
    }
    p->buf = buf;
    p->len = sealed;
    result = pump_out(s);
    if (result > 0) {
        *total += p->len;
        p->len = 0;
    }
    return result;
}

static int write_records(struct io_call *call, size_t total)
{
    SSL *s = call->s;
    const uint8_t *buf = call->data;
    bool partial =
        (s->config->mode & SSL_MODE_ENABLE_PARTIAL_WRITE) != 0 && s->early_state != EARLY_WRITING;
    int result = 1;

    while (result > 0 && total < call->len) {
        result = write_some(s, buf + total, call->len - total, &total);
        if (partial) {
            break;
        }
    }
    /* What was delivered is remembered for the retry, until all of it is reported. */
    s->pending.sent = result > 0 ? 0 : total;
    call->done = result > 0 ? total : 0;
    return result;
}

/* Bytes of content that are sealed and undelivered: what a write has to be at least as long as. In
 * OpenSSL that holds for an alert's two bytes too. */
static size_t held_up(const SSL *s)
{
    return s->pending.len == 0 && s->alert_sealed ? 2 : s->pending.len;
}

static int do_write(struct io_call *call)
{
    SSL *s = call->s;
    struct pending_write *p = &s->pending;
    size_t total = p->sent;

    s->rwstate = SSL_NOTHING;
    if (call->len < total + held_up(s)) {
        return refuse_retry(call, SSL_R_BAD_LENGTH);
    }
    ssl_check_renegotiation(s);
    ssl_check_early_data(s, EARLY_WRITER);
    if (p->len == 0 && (s->conn.key_update != KEY_UPDATE_NONE || s->conn.extra_tickets > 0)) {
        s->work_due = true;
    }
    if (s->conn.error.failed) {
        p->sent = 0; /* nobody waits for the rest any more */
    }
    if (ssl_in_init(s) && !s->in_handshake && s->early_state != EARLY_UNAUTHENTICATED_WRITING &&
        ssl_run_handshake(s) <= 0) {
        return -1;
    }
    if (p->len > 0) {
        int result = finish_blocked(call, &total);
        if (result <= 0) {
            return result;
        }
    } else if (s->alert_sealed) {
        /* A close_notify is half out although nobody remembers sending it: see take_eof(). */
        return refuse_retry(call, SSL_R_BAD_WRITE_RETRY);
    } else if (total == 0) {
        p->asked = call->len;
        p->first = call->data;
        tls_begin_write(&s->conn);
        if (s->early_state == EARLY_WRITING && tls_begin_early(&s->conn, call->len) != TLS_OK) {
            return pump_fail(s);
        }
    }
    return write_records(call, total);
}

static int write_internal(SSL *s, const void *buf, size_t len, size_t *written)
{
    struct io_call call = { .s = s, .run = do_write, .data = buf, .len = len };

    call_begin(s);
    if (!s->state_set) {
        return call_fail(s, SSL_R_UNINITIALIZED);
    }
    if ((s->shutdown & SSL_SENT_SHUTDOWN) != 0) {
        s->rwstate = SSL_NOTHING;
        return call_fail(s, SSL_R_PROTOCOL_IS_SHUTDOWN);
    }
    if (ssl_is_amid_early_data(s, EARLY_WRITER)) {
        return 0;
    }
    int result = run_io_call(&call);
    *written = call.done;
    return result;
}

int ssl_write_data(SSL *s, const void *buf, size_t len, size_t *written)
{
    return write_internal(s, buf, len, written);
}

int SSL_write(SSL *s, const void *buf, int num)
{
    size_t written = 0;

    if (num < 0) {
        call_begin(s);
        return call_fail(s, SSL_R_BAD_LENGTH);
    }
    int result = write_internal(s, buf, (size_t)num, &written);
    return result > 0 ? (int)written : result;
}

int SSL_write_ex(SSL *s, const void *buf, size_t num, size_t *written)
{
    return write_internal(s, buf, num, written) > 0;
}

/* It exists for kernel TLS alone, which libcrypto gives no public way to set up. */
ossl_ssize_t SSL_sendfile(SSL *s, int fd, off_t offset, size_t size, int flags)
{
    (void)fd;
    (void)offset;
    (void)size;
    (void)flags;
    call_begin(s);
    return call_fail(s, s->state_set && (s->shutdown & SSL_SENT_SHUTDOWN) != 0
                            ? SSL_R_PROTOCOL_IS_SHUTDOWN
                            : SSL_R_UNINITIALIZED);
}
