/*
 * The sans-I/O surface; see engine.h.
 */
#include "engine/engine.h"

#include "base/pool.h"
#include "conn/pipes.h"
#include "engine/alert.h"
#include "handshake/handshake.h"
#include "handshake/keys13.h"
#include "handshake/states.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

COLD static enum tls_status fail(struct tls_conn *c, uint8_t alert, int reason)
{
    conn_fail(c, alert, reason);
    alert_queue_failure(c);
    return TLS_FAILED;
}

/* --- Handshakes --- */

bool tls_start(struct tls_conn *c)
{
    if (c->error.failed || c->hs != NULL) {
        return false;
    }
    if (c->handshakes_done == 0) {
        c->in.of_server = c->role == ROLE_SERVER;
        c->hooks->started(c->owner);
        return handshake_start(
            c, c->role == ROLE_CLIENT ? script_client_hello : script_server_hello, true);
    }
    if (c->renegotiation == RENEGOTIATION_ASKED) {
        c->hooks->started(c->owner);
        return handshake_start(
            c, c->role == ROLE_CLIENT ? script_client_hello : script_ask_renegotiation(), false);
    }
    if (c->post_auth == POST_AUTH_ASKED) {
        return handshake_start(c, script_ask_client_auth(), false);
    }
    if (c->key_update == KEY_UPDATE_NONE && c->extra_tickets > 0) {
        return handshake_start(c, script_give_tickets(), false);
    }
    return c->key_update != KEY_UPDATE_NONE && handshake_start(c, script_give_key_update(c), false);
}

bool tls_begin_renegotiation(struct tls_conn *c)
{
    if (!c->renegotiation_due || c->error.failed || c->hs != NULL || c->handshakes_done == 0 ||
        c->neg.version == VERSION_TLS13 || !renegotiation_is_in_order(c)) {
        return false;
    }
    c->renegotiation_due = false;
    c->renegotiation = RENEGOTIATION_ASKED;
    return true;
}

/* A client that has asked for a renegotiation still gets what the server sent before it knew. */
static bool awaits_renegotiation(const struct tls_conn *c)
{
    return c->role == ROLE_CLIENT && c->handshakes_done > 0 && c->hs != NULL &&
           c->hs->step->message == MSG_SERVER_HELLO && c->in.epoch == EPOCH_APPLICATION;
}

/* In TLS 1.2 the Finished, and what may stand before it, follows ChangeCipherSpec at once. */
static bool is_behind_ccs(const struct tls_conn *c)
{
    return c->hs != NULL && c->neg.version != VERSION_TLS13 &&
           (c->hs->step->message == MSG_FINISHED || c->hs->step->message == MSG_NEXT_PROTO);
}

/* In TLS 1.2 a ChangeCipherSpec is a message of its own, which may come at the wrong time. */
static int reason_of_other_record(const struct tls_conn *c, bool amid_message)
{
    if (c->neg.suite == NULL) {
        return SSL_R_UNEXPECTED_MESSAGE;
    }
    if (c->in.current.type != CONTENT_CCS || c->neg.version == VERSION_TLS13) {
        return SSL_R_UNEXPECTED_RECORD;
    }
    if (c->in.current.len != 1 || c->in.current.data[0] != 1) {
        return SSL_R_BAD_CHANGE_CIPHER_SPEC;
    }
    return amid_message || c->hs == NULL ? SSL_R_CCS_RECEIVED_EARLY : SSL_R_UNEXPECTED_MESSAGE;
}

/* What a client sends between its hellos, to a server that has forgotten the first: RFC 8446, D.4.
 */
static bool is_ccs_between_hellos(const struct tls_conn *c)
{
    return c->stateless && c->role == ROLE_SERVER && c->state == STATE_BEFORE &&
           c->in.current.type == CONTENT_CCS && c->in.current.len == 1 &&
           c->in.current.data[0] == 1 && !message_in_is_partial(&c->message);
}

/* The current record is not a handshake message although one is waited for. */
static enum tls_status take_other_record(struct tls_conn *c)
{
    bool amid_message = message_in_is_partial(&c->message);

    if (c->in.current.type == CONTENT_APPLICATION && !amid_message &&
        c->in_flight != DATA_REFUSED && awaits_renegotiation(c)) {
        return TLS_APP_DATA;
    }
    if (is_ccs_between_hellos(c)) {
        record_in_consume(&c->in, 1);
        return TLS_PAUSED; /* as in OpenSSL such a record takes a call of its own */
    }
    if (is_behind_ccs(c)) {
        return fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_DATA_BETWEEN_CCS_AND_FINISHED);
    }
    bool is_early = c->neg.suite == NULL && c->in.version == 0;

    if (c->in.current.type == CONTENT_ALERT && !amid_message &&
        !(is_early && c->role == ROLE_SERVER)) {
        return alert_receive(c);
    }
    if (is_early && c->config->only_version == 0 && c->in.current.type != CONTENT_CCS) {
        /* As in OpenSSL the answer has the peer's version, whatever it is. */
        c->neg.version = (uint16_t)(c->in.header[1] << 8 | c->in.header[2]);
        c->out.version = c->neg.version;
    }
    /* RFC 8446, 5.1: nothing comes between the records of one message. */
    if (amid_message && c->handshakes_done > 0) {
        return fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA);
    }
    return fail(c, ALERT_UNEXPECTED_MESSAGE, reason_of_other_record(c, amid_message));
}

static enum tls_status status_of(struct tls_conn *c, enum run_status status)
{
    enum tls_status result;

    switch (status) {
    case RUN_DONE:
        return TLS_OK;
    case RUN_WANT_INPUT:
        return TLS_WANT_INPUT;
    case RUN_WANT_FLUSH:
        return TLS_WANT_FLUSH;
    case RUN_RESTS:
        return TLS_OK;
    case RUN_PAUSED:
        return TLS_PAUSED;
    case RUN_OTHER:
        result = take_other_record(c);
        /* ChangeCipherSpec is a message at the wrong time. */
        c->error.in_record = result == TLS_FAILED && c->in.current.type != CONTENT_CCS;
        return result;
    case RUN_CLOSED:
        return TLS_CLOSED;
    case RUN_FAILED:
        break;
    }
    return TLS_FAILED;
}

enum tls_status tls_run(struct tls_conn *c)
{
    enum tls_status status = TLS_OK;

    c->rests = false;
    if (c->has_rested) {
        c->has_rested = false;
        c->hooks->started(c->owner);
    }
    while (c->hs != NULL && status == TLS_OK && !c->rests) {
        status = status_of(c, handshake_run(c));
    }
    if (status == TLS_FAILED) {
        alert_queue_failure(c);
        handshake_end(c);
    }
    return status;
}

void tls_abandon(struct tls_conn *c)
{
    handshake_end(c);
}

/* --- Reading --- */

/* A handshake message on a connection that is idle starts a script, unless a KeyUpdate of ours is
 * owed and can go first. */
static enum tls_status start_unprompted(struct tls_conn *c)
{
    struct message m;
    bool failed = false;

    if (c->key_update != KEY_UPDATE_NONE && buffer_len(&c->out.buffer) == 0) {
        return handshake_start(c, script_give_key_update(c), false) ? TLS_HANDSHAKE : TLS_FAILED;
    }
    switch (message_in_next(&c->message, &c->in, &m, &failed)) {
    case MESSAGE_WHOLE:
    case MESSAGE_HEADER:
        break;
    case MESSAGE_WANT:
        return failed ? fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE) : TLS_OK;
    }
    const struct step *script = script_for_idle(c, m.type);
    if (script == NULL) {
        return fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
    }
    if (c->neg.version != VERSION_TLS13) {
        c->hooks->started(c->owner);
    }
    return handshake_start(c, script, false) ? TLS_HANDSHAKE : TLS_FAILED;
}

static bool takes_data(const struct tls_conn *c)
{
    return c->in.epoch == EPOCH_APPLICATION || (c->in.epoch == EPOCH_EARLY && c->rests);
}

/* Makes the next record of application data current; deals with all that is not. TLS_APP_DATA:
 * there is one. dst and cap: as record_in_step() has them. */
static enum tls_status next_app_data(struct tls_conn *c, uint8_t *dst, size_t cap)
{
    enum tls_status status = TLS_OK;

    while (status == TLS_OK) {
        enum record_status record = conn_next_record(c, dst, cap);
        if (record == RECORD_BAD) {
            alert_queue_failure(c);
            return TLS_FAILED;
        }
        if (record == RECORD_WANT) {
            return TLS_WANT_INPUT;
        }
        bool is_handshake = c->in.current.type == CONTENT_HANDSHAKE;
        if (is_handshake && c->closing && c->neg.version != VERSION_TLS13) {
            record_in_consume(&c->in, c->in.current.len);
            return TLS_OK;
        } else if (is_handshake) {
            status = c->hs != NULL ? TLS_HANDSHAKE : start_unprompted(c);
        } else if (c->in.current.type == CONTENT_APPLICATION && takes_data(c) &&
                   !message_in_is_partial(&c->message)) {
            status = TLS_APP_DATA;
        } else {
            status = take_other_record(c);
        }
    }
    if (status == TLS_FAILED) {
        alert_queue_failure(c);
    }
    return status;
}

/* True when the next record, if it is one of application data, is given out whatever it holds. */
static bool gives_data_out(const struct tls_conn *c)
{
    return c->in.epoch == EPOCH_APPLICATION && c->hs == NULL && !message_in_is_partial(&c->message);
}

enum tls_status tls_read(struct tls_conn *c, uint8_t *dst, size_t cap, bool peek, size_t *got)
{
    *got = 0;
    if (c->error.failed) {
        return TLS_FAILED;
    }
    if (record_in_is_empty(&c->in)) {
        return TLS_WANT_INPUT;
    }
    enum tls_status status = next_app_data(c, !peek && gives_data_out(c) ? dst : NULL, cap);
    if (status != TLS_APP_DATA) {
        return status;
    }
    size_t len = c->in.current.len < cap ? c->in.current.len : cap;
    if (len > 0 && c->in.current.data != dst) {
        memcpy(dst, c->in.current.data, len);
    }
    c->num_vain_requests = 0;
    c->num_warnings = 0;
    *got = len;
    if (!peek && len > 0) {
        record_in_consume(&c->in, len);
    }
    return TLS_APP_DATA;
}

enum tls_status tls_read_close(struct tls_conn *c)
{
    if (c->error.failed) {
        return TLS_FAILED;
    }
    enum tls_status status = next_app_data(c, NULL, 0);
    if (status == TLS_APP_DATA) {
        record_in_consume(&c->in, c->in.current.len);
        return fail(c, ALERT_NONE, SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY);
    }
    return status;
}

size_t tls_pending(const struct tls_conn *c)
{
    return c->in.current.type == CONTENT_APPLICATION ? c->in.current.len : 0;
}

/* --- Writing --- */

size_t tls_write_limit(const struct tls_conn *c)
{
    size_t limit = conn_max_fragment(c);

    return c->config->split_send_fragment < limit ? c->config->split_send_fragment : limit;
}

bool tls_key_is_worn(struct tls_conn *c)
{
    if (c->out.epoch != EPOCH_APPLICATION || !record_out_is_worn(&c->out)) {
        return false;
    }
    if (c->key_update == KEY_UPDATE_NONE) {
        c->key_update = KEY_UPDATE_NOT_REQUESTED;
    }
    return true;
}

void tls_begin_write(struct tls_conn *c)
{
    record_out_begin_write(&c->out);
}

enum tls_status tls_begin_early(struct tls_conn *c, size_t len)
{
    if (c->neg.early_data == EARLY_DATA_NOT_SENT) {
        return fail(c, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (len > c->early_data_left) {
        return fail(c, ALERT_INTERNAL_ERROR, SSL_R_TOO_MUCH_EARLY_DATA);
    }
    c->early_data_left -= (uint32_t)len;
    return TLS_OK;
}

enum tls_status tls_write(struct tls_conn *c, const uint8_t *src, size_t len)
{
    if (c->error.failed) {
        return TLS_FAILED;
    }
    if (c->out.epoch != EPOCH_APPLICATION && !c->rests) {
        return fail(c, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    /* Early data with a ticket that could not be offered any more: rejected before it is sent. */
    if (c->out.epoch == EPOCH_PLAINTEXT) {
        return TLS_OK;
    }
    if (!conn_seal(c, CONTENT_APPLICATION, src, len)) {
        alert_queue_failure(c);
        return TLS_FAILED;
    }
    return TLS_OK;
}

enum tls_status tls_write_records(struct tls_conn *c, const uint8_t *src, size_t len, size_t max,
                                  size_t *sealed)
{
    size_t limit = tls_write_limit(c);
    enum tls_status status = TLS_OK;

    /* Room for all of them at once, as a buffer that grew would move those it has. Without it they
     * can be sealed as well. */
    if (max > 1 && len > limit && buffer_len(&c->out.buffer) == 0) {
        (void)!buffer_reserve(&c->out.buffer, POOL_BATCH_SIZE);
    }
    *sealed = 0;
    for (size_t i = 0; i < max && *sealed < len && (i == 0 || !tls_key_is_worn(c)); i++) {
        size_t left = len - *sealed;
        size_t piece = left < limit ? left : limit;

        status = tls_write(c, src + *sealed, piece);
        if (status != TLS_OK) {
            return *sealed > 0 ? TLS_OK : status;
        }
        *sealed += piece;
    }
    return status;
}

/* --- Bytes --- */

size_t tls_input_wanted(const struct tls_conn *c)
{
    return record_in_wanted(&c->in);
}

uint8_t *tls_input_space(struct tls_conn *c, size_t want)
{
    uint8_t *space = buffer_reserve_public(&c->in.buffer, want);

    if (space == NULL) {
        (void)fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    return space;
}

void tls_input_ack(struct tls_conn *c, size_t n)
{
    buffer_commit(&c->in.buffer, n);
}

void tls_rest(struct tls_conn *c)
{
    buffer_release(&c->in.buffer);
    if (c->in.buffer.data == NULL && c->out.buffer.data == NULL) {
        protection_rest(c->in.protection);
        protection_rest(c->out.protection);
    }
}

const uint8_t *tls_output(const struct tls_conn *c, size_t *len)
{
    *len = buffer_len(&c->out.buffer);
    return buffer_bytes(&c->out.buffer);
}

void tls_output_ack(struct tls_conn *c, size_t n)
{
    buffer_consume(&c->out.buffer, n);
    buffer_release(&c->out.buffer);
}
