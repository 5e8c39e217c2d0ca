/*
 * Alerts: RFC 8446, 6; see alert.h.
 */
#include "engine/alert.h"

#include "conn/pipes.h"
#include "handshake/keys13.h"

#include <openssl/sslerr.h>

/* Warning alerts in a row before the peer is refused: each costs us work and the application
 * nothing (CVE-2016-8610). OpenSSL's limit. */
#define MAX_CONSECUTIVE_WARNINGS 5

static enum tls_status fail(struct tls_conn *c, uint8_t alert, int reason)
{
    conn_fail(c, alert, reason);
    return TLS_FAILED;
}

static enum tls_status act_on(struct tls_conn *c, uint8_t level, uint8_t description)
{
    /* In TLS 1.3 the level says nothing: all but two alerts are fatal (RFC 8446, 6). Before a
     * version is agreed on, and in older ones, it counts. */
    bool tls13 = c->neg.suite != NULL && c->neg.version == VERSION_TLS13;
    bool warning = level == ALERT_LEVEL_WARNING || (tls13 && description == ALERT_USER_CANCELED);

    if (warning) {
        c->last_warning = description;
        if (++c->num_warnings >= MAX_CONSECUTIVE_WARNINGS) {
            return fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MANY_WARN_ALERTS);
        }
    }
    if (tls13 && description == ALERT_USER_CANCELED) {
        return TLS_OK;
    }
    if (description == ALERT_CLOSE_NOTIFY && (tls13 || warning)) {
        return TLS_CLOSED;
    }
    /* A peer that will not renegotiate when we asked it to has refused the handshake. */
    if (warning && description == ALERT_NO_RENEGOTIATION && !tls13) {
        return fail(c, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_RENEGOTIATION);
    }
    if (warning && !tls13) {
        return TLS_OK;
    }
    if (level != ALERT_LEVEL_FATAL && !tls13) {
        return fail(c, ALERT_ILLEGAL_PARAMETER, SSL_R_UNKNOWN_ALERT_TYPE);
    }
    c->received_fatal = description;
    return fail(c, ALERT_NONE, REASON_OF_ALERT + description);
}

enum tls_status alert_receive(struct tls_conn *c)
{
    uint8_t alert[2];

    if (c->in.current.len != sizeof alert) {
        return fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_INVALID_ALERT);
    }
    alert[0] = c->in.current.data[0];
    alert[1] = c->in.current.data[1];
    /* As in OpenSSL a close_notify of fatal level stays where it is: SSL_has_pending() sees it. */
    if (alert[0] == ALERT_LEVEL_WARNING || alert[1] != ALERT_CLOSE_NOTIFY) {
        record_in_consume(&c->in, sizeof alert);
    }
    c->hooks->message(c->owner, false, c->neg.version, CONTENT_ALERT, alert, sizeof alert);
    c->hooks->alert(c->owner, false, (uint16_t)(alert[0] << 8 | alert[1]));
    return act_on(c, alert[0], alert[1]);
}

void tls_queue_alert(struct tls_conn *c, uint8_t level, uint8_t description)
{
    c->alert_due = true;
    c->alert_level = level;
    c->alert_description = description;
}

void alert_queue_failure(struct tls_conn *c)
{
    if (c->error.failed && c->error.alert != ALERT_NONE) {
        tls_queue_alert(c, ALERT_LEVEL_FATAL, c->error.alert);
    }
}

/* A client's own handshake key is installed late, where OpenSSL's callbacks show it. An alert
 * before that must not go out in the clear when the server's flight was encrypted. While the server
 * reads early data, it can read the alert under that key alone. */
static bool needs_handshake_key(const struct tls_conn *c)
{
    return c->role == ROLE_CLIENT && c->out.epoch < EPOCH_HANDSHAKE &&
           c->in.epoch >= EPOCH_HANDSHAKE && c->neg.version == VERSION_TLS13 &&
           c->neg.early_data != EARLY_DATA_ACCEPTED;
}

/* RFC 8446, D.4: a ChangeCipherSpec for middleboxes comes before a client's first encrypted record.
 * It is out where there was a second hello or early data. Callbacks don't see it here: where
 * OpenSSL's client sends an alert in the clear there is none. */
static bool seal_owed_ccs(struct tls_conn *c)
{
    static const uint8_t ccs = 1;

    if ((c->config->options & OPTION_ENABLE_MIDDLEBOX_COMPAT) == 0 || c->neg.was_retried ||
        c->neg.early_data != EARLY_DATA_NOT_SENT) {
        return true;
    }
    return conn_seal(c, CONTENT_CCS, &ccs, 1);
}

bool tls_seal_alert(struct tls_conn *c)
{
    uint8_t alert[2] = { c->alert_level, c->alert_description };

    if (needs_handshake_key(c) &&
        (!seal_owed_ccs(c) || !keys13_install(c, DIRECTION_OUT, EPOCH_HANDSHAKE))) {
        return false;
    }
    return conn_seal(c, CONTENT_ALERT, alert, sizeof alert);
}
