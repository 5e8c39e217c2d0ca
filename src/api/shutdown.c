/*
 * Ending a connection: SSL_shutdown(3), SSL_clear(3).
 */
#include "api/ct.h"
#include "api/custom_ext.h"
#include "api/dane.h"
#include "api/pump.h"
#include "api/resumption.h"

#include <openssl/err.h>

/* Sends close_notify, once. While a write is blocked it waits for a later call; so it does when it
 * is itself half out already and was forgotten, see take_eof() in pump.c. */
static void send_close(SSL *s)
{
    s->shutdown |= SSL_SENT_SHUTDOWN;
    tls_queue_alert(&s->conn, ALERT_LEVEL_WARNING, ALERT_CLOSE_NOTIFY);
    if (s->pending.len == 0 && !s->alert_sealed) {
        (void)!pump_alert(s);
    }
}

/* One step towards the peer's close_notify; whatever else may still come is dealt with. */
static int await_step(SSL *s)
{
    s->rwstate = SSL_NOTHING;
    switch (tls_read_close(&s->conn)) {
    case TLS_CLOSED:
        s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        return 1;
    case TLS_WANT_INPUT:
        return pump_in(s);
    case TLS_HANDSHAKE:
        return ssl_run_unprompted(s);
    case TLS_OK:
        return ssl_read_on(s);
    case TLS_FAILED:
        if (s->conn.received_fatal >= 0) {
            s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        }
        return pump_fail(s);
    case TLS_WANT_FLUSH:
    case TLS_APP_DATA:
    case TLS_PAUSED:
        break;
    }
    return -1;
}

static int await_close(SSL *s)
{
    int result = 1;

    while (result > 0 && (s->shutdown & SSL_RECEIVED_SHUTDOWN) == 0) {
        result = await_step(s);
    }
    return (s->shutdown & SSL_RECEIVED_SHUTDOWN) != 0 ? 1 : -1;
}

static int do_shutdown(struct io_call *call)
{
    SSL *s = call->s;
    const int both = SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN;

    if (s->quiet_shutdown || SSL_in_before(s)) {
        s->shutdown = both;
        return 1;
    }
    if ((s->shutdown & SSL_SENT_SHUTDOWN) == 0) {
        send_close(s);
        if (s->conn.alert_due) {
            return -1;
        }
    } else if (s->conn.alert_due) {
        if (pump_alert(s) < 0) {
            return -1;
        }
    } else if ((s->shutdown & SSL_RECEIVED_SHUTDOWN) == 0) {
        s->conn.closing = true;
        if (await_close(s) < 0) {
            return -1;
        }
    }
    return s->shutdown == both && !s->conn.alert_due;
}

int SSL_shutdown(SSL *s)
{
    struct io_call call = { .s = s, .run = do_shutdown };

    call_begin(s);
    if (!s->state_set) {
        return call_fail(s, SSL_R_UNINITIALIZED);
    }
    if (ssl_in_init(s)) {
        return call_fail(s, SSL_R_SHUTDOWN_WHILE_IN_INIT);
    }
    return run_io_call(&call);
}

void ssl_reset(SSL *s)
{
    tls_abandon(&s->conn);
    conn_reset(&s->conn, true);
    s->pending = (struct pending_write){ 0 };
    s->shutdown = 0;
    s->rwstate = SSL_NOTHING;
    s->early_state = EARLY_NONE;
    s->work_due = s->flush_due = s->alert_sealed = s->cert_cb_done = false;
}

/* SSL_clear() keeps settings, BIOs and role, and the result of the last verification. Where a
 * renegotiation was asked for it refuses, as OpenSSL's does. */
int SSL_clear(SSL *s)
{
    call_begin(s);
    if (SSL_renegotiate_pending(s)) {
        s->shutdown = 0;
    }
    if (s->in_handshake || SSL_renegotiate_pending(s)) {
        (void)call_fail(s, ERR_R_INTERNAL_ERROR);
        return 0;
    }
    if (forget_unclosed_session(s)) {
        session_free(s->conn.session);
        s->conn.session = NULL;
    }
    ssl_reset(s);
    sk_X509_NAME_pop_free(s->peer_ca_names, X509_NAME_free);
    s->peer_ca_names = NULL;
    sk_SSL_CIPHER_free(s->peer_ciphers);
    s->peer_ciphers = NULL;
    custom_extensions_reset(s);
    dane_forget_match(s);
    ct_wipe(s);
    if (s->param != NULL) {
        X509_VERIFY_PARAM_move_peername(s->param, NULL);
    }
    return 1;
}
