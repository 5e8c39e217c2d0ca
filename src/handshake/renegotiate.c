/*
 * HelloRequest, and the refusal of a renegotiation: RFC 5246, 7.4.1.1 and 7.2.2; RFC 5746.
 */
#include "conn/pipes.h"
#include "handshake/handshake.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

bool renegotiation_is_in_order(const struct tls_conn *c)
{
    return buffer_len(&c->out.buffer) == 0 && !record_in_has_unopened(&c->in);
}

static void count_renegotiation(struct tls_conn *c)
{
    c->num_renegotiations++;
    c->total_renegotiations++;
}

enum step_result write_hello_request(struct handshake *hs, struct writer *w)
{
    (void)w; /* it has no body */
    hs->conn->hooks->renegotiates(hs->conn->owner);
    hs->conn->renegotiation = RENEGOTIATION_REQUESTED;
    count_renegotiation(hs->conn);
    return STEP_OK;
}

/* Says no, and the connection goes on: RFC 5246, 7.2.2. */
static enum step_result refuse(struct handshake *hs)
{
    static const uint8_t alert[2] = { ALERT_LEVEL_WARNING, ALERT_NO_RENEGOTIATION };
    struct tls_conn *c = hs->conn;
    bool was_empty = buffer_len(&c->out.buffer) == 0;

    if (!conn_seal(c, CONTENT_ALERT, alert, sizeof alert)) {
        return STEP_FAILED;
    }
    c->hooks->message(c->owner, true, c->neg.version, CONTENT_ALERT, alert, sizeof alert);
    c->hooks->alert(c->owner, true, ALERT_LEVEL_WARNING << 8 | ALERT_NO_RENEGOTIATION);
    /* Behind data that is held up it goes out with that. */
    hs->unflushed = was_empty;
    return STEP_OK;
}

enum step_result read_hello_request(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;

    (void)body; /* must be empty: the runner sees to it */
    if (handshake_is_flooded(c)) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_NO_RENEGOTIATION);
    }
    if ((c->config->options & OPTION_NO_RENEGOTIATION) != 0) {
        return refuse(hs);
    }
    c->full_renegotiation = false;
    c->renegotiation_due = !renegotiation_is_in_order(c);
    c->renegotiation = c->renegotiation_due ? RENEGOTIATION_WANTED : RENEGOTIATION_ASKED;
    return STEP_OK;
}

enum step_result read_refused_hello(struct handshake *hs, struct reader *body)
{
    if (handshake_is_flooded(hs->conn)) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_NO_RENEGOTIATION);
    }
    hs->conn->hooks->renegotiates(hs->conn->owner);
    return reader_skip(body, reader_left(body)) ? refuse(hs) : STEP_MALFORMED;
}
