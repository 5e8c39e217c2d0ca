/*
 * Moving bytes between the engine and the BIOs; see pump.h. SSL_read(3), SSL_write(3),
 * SSL_get_error(3), SSL_set_read_ahead(3).
 */
#include "api/pump.h"
#include "api/resumption.h"

#include <errno.h>
#include <limits.h>
#include <openssl/err.h>

/* What reading ahead may take: one record and its slack, as OpenSSL's buffer does. */
#define READ_AHEAD_LEN (RECORD_HEADER_LEN + RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS13 + 64)

void call_begin(SSL *s)
{
    s->last_error = SSL_ERROR_NONE;
    errno = 0;
}

int call_fail_at(SSL *s, int reason, const char *file, int line, const char *function)
{
    raise_error_at(reason, file, line, function);
    s->last_error = SSL_ERROR_SSL;
    return -1;
}

/* A BIO has failed: it may have said why in the error queue. That is looked at here and not before
 * each call, to see what is new, as every look costs as much as a fifth of a short record. One that
 * asks to be called again has not failed; an entry of somebody else's does not make it so. */
static void note_bio_error(SSL *s, BIO *bio)
{
    unsigned long newest = BIO_should_retry(bio) && BIO_get_init(bio) ? 0 : ERR_peek_last_error();

    if (newest != 0) {
        s->last_error = ERR_GET_LIB(newest) == ERR_LIB_SYS ? SSL_ERROR_SYSCALL : SSL_ERROR_SSL;
    }
}

/* What the queue says about a failure of the core, or of the callback that made it fail. */
static void raise_failure(SSL *s)
{
    struct conn_error *e = &s->conn.error;

    if (e->raised) {
        return;
    }
    e->raised = true;
    s->last_error = SSL_ERROR_SSL;
    if (s->conn.received_fatal >= 0) {
        raise_error_with_at(e->reason, e->file, e->line, e->function, "SSL alert number %d",
                            s->conn.received_fatal);
    } else if (e->reason != 0) {
        raise_error_at(e->reason, e->file, e->line, e->function);
    }
}

/* Tells callbacks of an alert of ours. */
static void report_alert(SSL *s)
{
    struct tls_conn *c = &s->conn;
    uint8_t alert[2] = { c->alert_level, c->alert_description };

    c->hooks->message(c->owner, true, c->neg.version, CONTENT_ALERT, alert, sizeof alert);
    c->hooks->alert(c->owner, true, (uint16_t)(alert[0] << 8 | alert[1]));
}

int pump_fail(SSL *s)
{
    /* RFC 5246, 7.2.2: a session that a fatal alert ended is not resumed. */
    if (!s->conn.error.raised && s->conn.alert_due && s->conn.alert_level == ALERT_LEVEL_FATAL &&
        s->conn.session != NULL) {
        (void)drop_session(s, s->conn.session);
    }
    raise_failure(s);
    /* After our close_notify nothing more is sent. */
    if (s->conn.alert_due && s->pending.len == 0 && (s->shutdown & SSL_SENT_SHUTDOWN) == 0) {
        /* Where it cannot be delivered nobody can be told; the reason stands in the queue. A
         * handshake of OpenSSL's writes into a buffer: for callbacks its alert is always out. */
        if (pump_alert(s) <= 0 && s->alert_sealed && s->conn.handshakes_done == 0 &&
            s->conn.in.epoch != EPOCH_EARLY) {
            report_alert(s);
        }
    }
    s->conn.alert_due = false;
    return -1;
}

static int fail_connection(SSL *s, uint8_t alert, int reason)
{
    conn_fail(&s->conn, alert, reason);
    if (alert != ALERT_NONE) {
        tls_queue_alert(&s->conn, ALERT_LEVEL_FATAL, alert);
    }
    return pump_fail(s);
}

/* The transport ended without a close_notify: a truncation, unless the application does not mind.
 */
static int take_eof(SSL *s, int result)
{
    if ((s->config->core.options & SSL_OP_IGNORE_UNEXPECTED_EOF) != 0) {
        s->shutdown = SSL_RECEIVED_SHUTDOWN; /* OpenSSL forgets a close_notify of ours here */
        s->conn.last_warning = ALERT_CLOSE_NOTIFY;
        return result;
    }
    (void)fail_connection(s, ALERT_DECODE_ERROR, SSL_R_UNEXPECTED_EOF_WHILE_READING);
    return result;
}

bool pump_is_unwatched(BIO *bio)
{
    return bio != NULL && BIO_method_type(bio) == BIO_TYPE_SOCKET &&
           BIO_get_callback_ex(bio) == NULL && BIO_get_callback(bio) == NULL;
}

/* Bytes to ask for behind a body: the next header, where the record is not the last. Nobody waits
 * in vain for what it announces: a header is no data, and its body is still to come. */
static size_t behind_body(const SSL *s)
{
    return record_in_awaits_full(&s->conn.in) && pump_is_unwatched(s->rbio) ? RECORD_HEADER_LEN : 0;
}

/* How much to ask the BIO for: what is wanted, or, where a record begins, what fits a buffer. */
static size_t read_len(const SSL *s)
{
    size_t have = record_in_buffered(&s->conn.in);
    size_t ahead =
        s->config->read_buffer_len > READ_AHEAD_LEN ? s->config->read_buffer_len : READ_AHEAD_LEN;

    if (!s->config->read_ahead || have >= RECORD_HEADER_LEN) {
        return tls_input_wanted(&s->conn) + behind_body(s);
    }
    return ahead > INT_MAX ? INT_MAX : ahead - have;
}

static int read_once(SSL *s, size_t want)
{
    uint8_t *space = tls_input_space(&s->conn, want);

    if (space == NULL) {
        return pump_fail(s);
    }
    if (s->rbio == NULL) {
        return fail_connection(s, ALERT_INTERNAL_ERROR, SSL_R_READ_BIO_NOT_SET);
    }
    s->rwstate = SSL_READING;
    errno = 0;
    int n = BIO_read(s->rbio, space, (int)want);
    if (n <= 0) {
        tls_rest(&s->conn);
        if (!BIO_should_retry(s->rbio) && BIO_eof(s->rbio)) {
            return take_eof(s, n);
        }
        note_bio_error(s, s->rbio);
        return n;
    }
    s->rwstate = SSL_NOTHING;
    tls_input_ack(&s->conn, (size_t)n);
    return 1;
}

int pump_in(SSL *s)
{
    int result = read_once(s, read_len(s));
    size_t want = record_in_body_wanted(&s->conn.in);

    while (result > 0 && want > 0) {
        result = read_once(s, want + behind_body(s));
        want = record_in_body_wanted(&s->conn.in);
    }
    return result;
}

int pump_out(SSL *s)
{
    size_t len;
    const uint8_t *bytes = tls_output(&s->conn, &len);

    while (len > 0) {
        if (s->wbio == NULL) {
            return fail_connection(s, ALERT_NONE, SSL_R_BIO_NOT_SET);
        }
        s->rwstate = SSL_WRITING;
        errno = 0;
        int n = BIO_write(s->wbio, bytes, len > INT_MAX ? INT_MAX : (int)len);
        if (n <= 0) {
            note_bio_error(s, s->wbio);
            return n;
        }
        tls_output_ack(&s->conn, (size_t)n);
        bytes = tls_output(&s->conn, &len);
    }
    s->rwstate = SSL_NOTHING;
    return 1;
}

int pump_flush(SSL *s)
{
    size_t len;

    if (s->wbio == NULL) {
        return -1;
    }
    (void)tls_output(&s->conn, &len);
    if (len > 0) {
        s->flush_due = true;
    }
    int result = pump_out(s);
    if (result <= 0 || !s->flush_due) {
        return result;
    }
    s->rwstate = SSL_WRITING;
    errno = 0;
    if (BIO_flush(s->wbio) <= 0) {
        note_bio_error(s, s->wbio);
        return -1;
    }
    s->flush_due = false;
    s->rwstate = SSL_NOTHING;
    return 1;
}

void pump_drop(SSL *s)
{
    size_t len;

    (void)tls_output(&s->conn, &len);
    tls_output_ack(&s->conn, len);
    s->flush_due = false;
    s->rwstate = SSL_NOTHING;
}

int pump_alert(SSL *s)
{
    struct tls_conn *c = &s->conn;
    int result = 1;

    if (s->pending.len > 0) {
        result = pump_out(s);
        if (result <= 0) {
            return result;
        }
        s->pending.len = 0;
    }
    if (!s->alert_sealed && !tls_seal_alert(c)) {
        c->alert_due = false; /* nothing else will carry it */
        return pump_fail(s);
    }
    s->alert_sealed = true;
    result = pump_out(s);
    if (result <= 0) {
        return result;
    }
    s->alert_sealed = false;
    c->alert_due = false;
    (void)BIO_flush(s->wbio);
    report_alert(s);
    return 1;
}
