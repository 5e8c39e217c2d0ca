/*
 * Handshakes: starting, running, asking how far they are, updating keys.
 * SSL_connect(3), SSL_accept(3), SSL_do_handshake(3), SSL_set_connect_state(3), SSL_key_update(3),
 * SSL_verify_client_post_handshake(3), SSL_in_init(3).
 */
#include "api/pump.h"

#include "handshake/states.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

/* The core numbers states without including <openssl/ssl.h>. */
#define STATES_AGREE(name)                                                                         \
    _Static_assert((int)STATE_##name == (int)TLS_ST_##name, "states agree with ssl.h")
STATES_AGREE(BEFORE);
STATES_AGREE(OK);
STATES_AGREE(CR_SRVR_HELLO);
STATES_AGREE(CR_SESSION_TICKET);
STATES_AGREE(CR_FINISHED);
STATES_AGREE(CW_FINISHED);
STATES_AGREE(SR_FINISHED);
STATES_AGREE(SW_FINISHED);
STATES_AGREE(CR_KEY_UPDATE);
STATES_AGREE(EARLY_DATA);
STATES_AGREE(SR_END_OF_EARLY_DATA);
_Static_assert(REASON_OF_ALERT == SSL_AD_REASON_OFFSET, "reasons of alerts agree with ssl.h");

/* --- Roles --- */

static void set_state(SSL *s, enum role role)
{
    s->shutdown = 0;
    if (s->conn.state != STATE_BEFORE || s->conn.error.failed) {
        ssl_reset(s);
    }
    s->conn.role = role;
    s->state_set = true;
    s->rwstate = SSL_NOTHING;
}

void SSL_set_connect_state(SSL *s)
{
    set_state(s, ROLE_CLIENT);
}

void SSL_set_accept_state(SSL *s)
{
    set_state(s, ROLE_SERVER);
}

int SSL_is_server(const SSL *s)
{
    if (!s->state_set) {
        return s->born_server;
    }
    return s->conn.role == ROLE_SERVER;
}

/* --- Where it stands --- */

bool ssl_in_init(const SSL *s)
{
    const struct tls_conn *c = &s->conn;

    if (c->reporting_done || (c->rests && !c->error.failed)) {
        return false;
    }
    return c->error.failed || c->hs != NULL || c->handshakes_done == 0 || s->work_due;
}

int SSL_in_init(const SSL *s)
{
    return ssl_in_init(s);
}

int SSL_is_init_finished(const SSL *s)
{
    return !ssl_in_init(s) && s->conn.state == STATE_OK;
}

int SSL_in_before(const SSL *s)
{
    return s->conn.state == STATE_BEFORE && s->conn.hs == NULL && !s->conn.error.failed;
}

OSSL_HANDSHAKE_STATE SSL_get_state(const SSL *s)
{
    return (OSSL_HANDSHAKE_STATE)s->conn.state;
}

/* --- Running --- */

static int want_of_pause(enum pause pause)
{
    switch (pause) {
    case PAUSE_CLIENT_HELLO:
        return SSL_CLIENT_HELLO_CB;
    case PAUSE_X509_LOOKUP:
        return SSL_X509_LOOKUP;
    case PAUSE_RETRY_VERIFY:
        return SSL_RETRY_VERIFY;
    case PAUSE_NONE:
        break;
    }
    return SSL_NOTHING;
}

/* A session ticket of TLS 1.3 that could not be delivered as the client has closed: the handshake
 * was over for it, and what it had sent before can still be read. Like OpenSSL, go on without. */
static bool is_ticket_to_nobody(const SSL *s)
{
    int code = errno;

    return s->conn.state == STATE_SW_SESSION_TICKET && s->conn.neg.version == VERSION_TLS13 &&
           SSL_get_error(s, 0) == SSL_ERROR_SYSCALL && (code == EPIPE || code == ECONNRESET);
}

static int flush(SSL *s)
{
    int result = pump_flush(s);

    if (result > 0 || !is_ticket_to_nobody(s)) {
        return result;
    }
    pump_drop(s);
    return 1;
}

/* One step of a handshake that runs. 1: *done, or go on. */
static int drive_step(SSL *s, bool *done)
{
    int result;

    s->rwstate = SSL_NOTHING;
    switch (tls_run(&s->conn)) {
    case TLS_OK:
        *done = true;
        return 1;
    case TLS_WANT_FLUSH:
        return flush(s);
    case TLS_WANT_INPUT:
        result = pump_in(s);
        if (result <= 0) {
            s->rwstate = SSL_READING;
        }
        return result;
    case TLS_PAUSED:
        s->rwstate = want_of_pause(s->conn.pause);
        return -1;
    case TLS_CLOSED:
        s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        s->rwstate = SSL_READING;
        return -1;
    case TLS_FAILED:
        if (s->conn.received_fatal >= 0) {
            s->shutdown |= SSL_RECEIVED_SHUTDOWN;
        }
        result = pump_fail(s);
        if (s->conn.error.in_record) {
            s->rwstate = SSL_READING; /* also when an alert has been sent since */
        }
        return result;
    case TLS_APP_DATA:
        if (s->conn.in_flight == DATA_KEPT) {
            s->rwstate = SSL_READING;
            return -1;
        }
        *done = true; /* for the caller, who is reading; the handshake goes on later */
        return 1;
    case TLS_HANDSHAKE:
        break;
    }
    return call_fail(s, ERR_R_INTERNAL_ERROR);
}

static int drive(SSL *s)
{
    bool done = false;
    int result = 1;

    while (!done && result > 0) {
        result = drive_step(s, &done);
    }
    return result > 0 ? 1 : -1;
}

bool ssl_ask_for_hostname(SSL *s)
{
    struct blob *name = NULL;

    if (s->hostname != NULL) {
        name = blob_new(s->hostname, strlen(s->hostname));
    }
    blob_set(&s->conn.neg.server_name, name);
    return (name == NULL) == (s->hostname == NULL);
}

static bool begin_initial(SSL *s)
{
    struct tls_conn *c = &s->conn;

    if (!ssl_follow_ctx(s)) {
        return false;
    }
    if (c->role == ROLE_SERVER) {
        return true;
    }
    s->session_ctx->stats.connect++;
    s->shutdown = 0;
    return ssl_ask_for_hostname(s);
}

int ssl_run_handshake(SSL *s)
{
    struct tls_conn *c = &s->conn;
    void (*info)(const SSL *, int, int) = ssl_info_callback(s);
    int result = 1;

    if (s->method->role != ROLE_NONE && s->method->role != c->role) {
        (void)call_fail(s, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        return 0;
    }
    if (c->error.failed || s->in_handshake) {
        return -1;
    }
    ERR_clear_error(); /* programs see in the queue what a handshake leaves there, and no more */
    errno = 0;
    if (SSL_in_before(s) && SSL_renegotiate_pending(s)) {
        return call_fail(s, ERR_R_INTERNAL_ERROR); /* there is nothing yet to do again */
    }
    s->in_handshake = true;
    c->wants_early_data = s->early_state != EARLY_NONE &&
                          s->early_state != EARLY_FINISHED_WRITING &&
                          s->early_state != EARLY_FINISHED_READING;
    c->peer_has_closed = (s->shutdown & SSL_RECEIVED_SHUTDOWN) != 0;
    if (c->hs == NULL && c->handshakes_done == 0 && !begin_initial(s)) {
        conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (c->hs != NULL || tls_start(c)) {
        result = drive(s);
    } else if (c->error.failed) {
        result = pump_fail(s);
    }
    s->in_handshake = false;
    if (result > 0) {
        s->work_due = false;
    }
    ssl_note_end_of_early_data(s);
    /* The callback that was there when the call began, also when the context has changed since. A
     * handshake that makes way for data is told as one that waits. */
    if (info != NULL) {
        info(s, c->role == ROLE_CLIENT ? SSL_CB_CONNECT_EXIT : SSL_CB_ACCEPT_EXIT,
             c->hs != NULL && !c->rests ? -1 : result);
    }
    return result;
}

static int do_handshake(struct io_call *call)
{
    return ssl_run_handshake(call->s);
}

int SSL_do_handshake(SSL *s)
{
    struct io_call call = { .s = s, .run = do_handshake };

    call_begin(s);
    if (!s->state_set) {
        return call_fail(s, SSL_R_CONNECTION_TYPE_NOT_SET);
    }
    ssl_check_renegotiation(s);
    ssl_check_early_data(s, EARLY_ENDS_HERE);
    return ssl_in_init(s) ? run_io_call(&call) : 1;
}

int SSL_connect(SSL *s)
{
    if (!s->state_set) {
        SSL_set_connect_state(s);
    }
    return SSL_do_handshake(s);
}

int SSL_accept(SSL *s)
{
    if (!s->state_set) {
        SSL_set_accept_state(s);
    }
    return SSL_do_handshake(s);
}

/* --- After the handshake --- */

/* Why the keys cannot be updated now; 0: they can. */
static int refuse_key_update(const SSL *s, int updatetype)
{
    size_t undelivered;

    if (s->conn.neg.suite == NULL || s->conn.neg.version != VERSION_TLS13) {
        return SSL_R_WRONG_SSL_VERSION;
    }
    if (updatetype != SSL_KEY_UPDATE_NOT_REQUESTED && updatetype != SSL_KEY_UPDATE_REQUESTED) {
        return SSL_R_INVALID_KEY_UPDATE_TYPE;
    }
    if (!SSL_is_init_finished(s)) {
        return SSL_R_STILL_IN_INIT;
    }
    (void)tls_output(&s->conn, &undelivered);
    return undelivered > 0 ? SSL_R_BAD_WRITE_RETRY : 0;
}

int SSL_key_update(SSL *s, int updatetype)
{
    int reason = refuse_key_update(s, updatetype);

    call_begin(s);
    if (reason != 0) {
        (void)call_fail(s, reason);
        return 0;
    }
    s->work_due = true;
    s->conn.key_update = (enum key_update)updatetype;
    return 1;
}

int SSL_get_key_update_type(const SSL *s)
{
    return s->conn.key_update;
}

/* SSL_VERIFY_CLIENT_ONCE: a second request on a connection is not to be sent. */
static bool may_ask_client(const SSL *s)
{
    return (s->config->verify_mode & SSL_VERIFY_PEER) != 0 &&
           ((s->config->verify_mode & SSL_VERIFY_CLIENT_ONCE) == 0 || s->conn.num_requests == 0);
}

/* Why a request for the client's certificate cannot be sent now; 0: it can. */
static int refuse_post_auth(const SSL *s)
{
    const struct tls_conn *c = &s->conn;

    if (c->neg.suite == NULL || c->neg.version != VERSION_TLS13) {
        return SSL_R_WRONG_SSL_VERSION;
    }
    if (c->role != ROLE_SERVER) {
        return SSL_R_NOT_SERVER;
    }
    if (!SSL_is_init_finished(s)) {
        return SSL_R_STILL_IN_INIT;
    }
    switch (c->post_auth) {
    case POST_AUTH_NONE:
        return SSL_R_EXTENSION_NOT_RECEIVED;
    case POST_AUTH_OFFERED:
        return may_ask_client(s) ? 0 : SSL_R_INVALID_CONFIG;
    case POST_AUTH_ASKED:
        return SSL_R_REQUEST_PENDING;
    case POST_AUTH_PENDING:
        break;
    }
    return SSL_R_REQUEST_SENT;
}

int SSL_verify_client_post_handshake(SSL *s)
{
    int reason = refuse_post_auth(s);

    call_begin(s);
    if (reason != 0) {
        (void)call_fail(s, reason);
        return 0;
    }
    s->conn.post_auth = POST_AUTH_ASKED;
    s->work_due = true;
    return 1;
}

int SSL_new_session_ticket(SSL *s)
{
    struct tls_conn *c = &s->conn;

    call_begin(s);
    /* While tickets are being sent there may be more of them. */
    if ((ssl_in_init(s) && c->extra_tickets == 0) || c->handshakes_done == 0 ||
        c->role != ROLE_SERVER || c->neg.version != VERSION_TLS13) {
        return 0;
    }
    c->extra_tickets++;
    if (s->pending.len == 0) {
        s->work_due = true;
    }
    return 1;
}

/* --- Renegotiation --- */

/* Only marks the wish; the next call that may talk to the peer begins it. */
static int renegotiate(SSL *s, bool full)
{
    call_begin(s);
    if (s->conn.neg.suite != NULL && s->conn.neg.version == VERSION_TLS13) {
        (void)call_fail(s, SSL_R_WRONG_SSL_VERSION);
        return 0;
    }
    if ((s->config->core.options & SSL_OP_NO_RENEGOTIATION) != 0) {
        (void)call_fail(s, SSL_R_NO_RENEGOTIATION);
        return 0;
    }
    s->conn.renegotiation_due = true;
    if (s->conn.renegotiation == RENEGOTIATION_NONE) {
        s->conn.renegotiation = RENEGOTIATION_WANTED;
    }
    s->conn.full_renegotiation = full;
    return 1;
}

int SSL_renegotiate(SSL *s)
{
    return renegotiate(s, true);
}

int SSL_renegotiate_abbreviated(SSL *s)
{
    return renegotiate(s, false);
}

int SSL_renegotiate_pending(const SSL *s)
{
    return s->conn.renegotiation != RENEGOTIATION_NONE;
}

void ssl_check_renegotiation(SSL *s)
{
    if (tls_begin_renegotiation(&s->conn)) {
        s->shutdown = 0; /* who greets again goes on talking */
        s->work_due = true;
    }
}
