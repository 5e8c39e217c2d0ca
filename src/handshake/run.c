/*
 * The runner: fetches and checks a message, calls the row, keeps the transcript, frames, pauses,
 * fails and reports. The same for every flow; what the flows are is in scripts.c.
 */
#include "handshake/handshake.h"

#include "conn/pipes.h"
#include "handshake/keys12.h"
#include "handshake/keys13.h"
#include "handshake/psk13.h"
#include "handshake/states.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

/* Longest message of a type that is accepted: what its fields allow at most, so that a peer cannot
 * make us collect more (CVE-2016-6307 class). OpenSSL's limits, in bytes of body. */
static size_t longest_message(const struct tls_conn *c, uint8_t type)
{
    static const struct {
        uint8_t type;
        size_t len;
    } limits[] = {
        { MSG_HELLO_REQUEST, 0 },
        { MSG_CLIENT_HELLO, 131396 },
        { MSG_SERVER_HELLO, 65607 },
        { MSG_ENCRYPTED_EXTENSIONS, 20000 },
        { MSG_SERVER_HELLO_DONE, 0 },
        { MSG_CLIENT_KEY_EXCHANGE, 2048 },
        { MSG_CERTIFICATE_STATUS, 16384 },
        { MSG_CERTIFICATE_VERIFY, 16384 },
        { MSG_NEXT_PROTO, 514 },
        { MSG_FINISHED, 64 },
        { MSG_KEY_UPDATE, 1 },
        { MSG_NEW_SESSION_TICKET, 131338 },
        { MSG_END_OF_EARLY_DATA, 0 },
    };

    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        if (limits[i].type == type) {
            return limits[i].len;
        }
    }
    return c->config->max_cert_list;
}

/* Messages after the handshake are not part of any transcript (RFC 8446, 4.4.1); in TLS 1.2 a
 * NewSessionTicket belongs to the handshake (RFC 5077, 3.3) and a HelloRequest does not (RFC 5246,
 * 7.4.1.1). */
static bool is_in_transcript(const struct tls_conn *c, uint8_t type)
{
    if (type == MSG_NEW_SESSION_TICKET) {
        return c->neg.version != VERSION_TLS13;
    }
    return type != MSG_KEY_UPDATE && type != MSG_HELLO_REQUEST;
}

bool handshake_start(struct tls_conn *c, const struct step *script, bool initial)
{
    struct handshake *hs = OPENSSL_zalloc(sizeof *hs);

    if (hs == NULL) {
        conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        return false;
    }
    hs->conn = c;
    hs->step = script;
    hs->writing = true;
    hs->initial = initial;
    c->hs = hs;
    return true;
}

bool handshake_reserve_shared(struct handshake *hs)
{
    if (hs->shared == NULL) {
        hs->shared = OPENSSL_zalloc(sizeof *hs->shared);
    }
    return hs->shared != NULL;
}

void handshake_free_secrets(struct handshake *hs)
{
    free_wiped(hs->shared, sizeof *hs->shared);
    free_wiped(hs->psk, sizeof *hs->psk);
    hs->shared = NULL;
    hs->psk = NULL;
}

void handshake_end(struct tls_conn *c)
{
    struct handshake *hs = c->hs;

    if (hs == NULL) {
        return;
    }
    c->hs = NULL;
    buffer_wipe(&hs->outgoing);
    transcript_wipe(&hs->transcript);
    group_key_free(hs->key);
    dhe_free(hs->dhe_key);
    handshake_free_secrets(hs);
    buffer_wipe(&hs->own_share);
    blob_free(hs->hello_bytes);
    OPENSSL_free(hs->hello);
    blob_free(hs->cookie);
    blob_free(hs->request_context);
    peer_chain_free(hs->peer_chain);
    blob_free(hs->ocsp_response);
    psk13_drop_offers(hs);
    running_hash_wipe(&hs->before_hello);
    free_wiped(hs, sizeof *hs);
}

enum step_result step_fail_at(struct handshake *hs, uint8_t alert, int reason, const char *file,
                              int line, const char *function)
{
    conn_fail_at(hs->conn, alert, reason, file, line, function);
    return STEP_FAILED;
}

enum step_result step_of_answer(struct handshake *hs, enum hook_answer answer,
                                const struct record_error *failure, enum pause pause)
{
    switch (answer) {
    case HOOK_OK:
    case HOOK_NONE:
        return STEP_OK;
    case HOOK_PAUSE:
        hs->conn->pause = pause;
        return STEP_PAUSED;
    case HOOK_FAIL:
        break;
    }
    return step_fail(hs, failure->alert, failure->reason);
}

static void advance(struct handshake *hs)
{
    hs->step++;
    hs->entered = false;
}

/* Tells the application that one state is left and enters the row's. Once a row, however often it
 * runs. */
static void enter(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (!hs->entered && hs->step->state != 0) {
        c->hooks->step(c->owner);
        c->state = hs->step->state;
    }
    hs->entered = true;
}

static enum run_status status_of(struct handshake *hs, enum step_result result)
{
    switch (result) {
    case STEP_OK:
    case STEP_SKIPPED:
        return RUN_DONE;
    case STEP_PAUSED:
        return RUN_PAUSED;
    case STEP_MALFORMED:
        conn_fail(hs->conn, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
        return RUN_FAILED;
    case STEP_FAILED:
        break;
    }
    return RUN_FAILED;
}

/* --- Receiving --- */

/* TLS 1.2's ChangeCipherSpec is a step of its own, between messages: RFC 5246, 7.1. */
static bool is_awaited_ccs(const struct tls_conn *c)
{
    return c->in.current.type == CONTENT_CCS && c->hs->step->message == MSG_CCS &&
           !message_in_is_partial(&c->message);
}

static enum run_status fetch_ccs(struct tls_conn *c, struct message *m)
{
    if (c->in.current.len != 1 || c->in.current.data[0] != 1) {
        conn_fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_CHANGE_CIPHER_SPEC);
        return RUN_FAILED;
    }
    *m = (struct message){ .is_ccs = true, .bytes = c->in.current.data, .len = 1 };
    return RUN_DONE;
}

/* The next message as far as it has arrived. RUN_DONE: m is whole, or its header is known. */
static enum run_status fetch(struct tls_conn *c, struct message *m)
{
    for (;;) {
        if (c->peer_has_closed && c->in.current_size > 0) {
            c->in.current.len = 0;
            return RUN_CLOSED;
        }
        enum record_status record = conn_next_record(c, NULL, 0);
        if (record == RECORD_BAD) {
            c->error.in_record = true;
            return RUN_FAILED;
        }
        if (record == RECORD_READY && c->peer_has_closed) {
            continue;
        }
        bool have_handshake = record == RECORD_READY && c->in.current.type == CONTENT_HANDSHAKE;
        if (record == RECORD_READY && !have_handshake) {
            return is_awaited_ccs(c) ? fetch_ccs(c, m) : RUN_OTHER;
        }
        if (!have_handshake && !message_in_is_partial(&c->message)) {
            return RUN_WANT_INPUT;
        }
        bool failed = false;
        enum message_status status = message_in_next(&c->message, &c->in, m, &failed);
        if (failed) {
            conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
            return RUN_FAILED;
        }
        if (status != MESSAGE_WANT) {
            return RUN_DONE;
        }
        if (!have_handshake) {
            return RUN_WANT_INPUT;
        }
    }
}

static bool is_of_row(const struct handshake *hs, const struct message *m)
{
    return m->is_ccs ? hs->step->message == MSG_CCS : m->type == hs->step->message;
}

/* The header of a message is known: is it the one that this row waits for? */
static enum run_status check_header(struct handshake *hs, const struct message *m)
{
    struct tls_conn *c = hs->conn;

    if (!is_of_row(hs, m)) {
        c->hooks->step(c->owner);
        conn_fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
        return RUN_FAILED;
    }
    enter(hs);
    if (!m->is_ccs && m->len - message_header_len(m) > longest_message(c, m->type)) {
        conn_fail(c, ALERT_ILLEGAL_PARAMETER, SSL_R_EXCESSIVE_MESSAGE_SIZE);
        return RUN_FAILED;
    }
    return RUN_DONE;
}

/* Messages after which the reading keys change have to end their record (RFC 8446, 5.1). For the
 * hellos that is found out with the version: hs->ends_record. */
static bool has_to_end_record(const struct tls_conn *c, uint8_t type)
{
    return c->neg.version == VERSION_TLS13 &&
           (type == MSG_FINISHED || type == MSG_KEY_UPDATE || type == MSG_END_OF_EARLY_DATA);
}

static enum run_status handle_message(struct handshake *hs, const struct message *m)
{
    struct tls_conn *c = hs->conn;
    size_t header_len = message_header_len(m);
    struct reader body = reader_of(m->bytes + header_len, m->len - header_len);

    if (m->is_v2_hello) {
        c->hooks->message(c->owner, false, VERSION_SSL2, 0, m->bytes, m->len);
    } else {
        c->hooks->message(c->owner, false, c->neg.version, CONTENT_HANDSHAKE, m->bytes, m->len);
    }
    hs->is_v2_hello = m->is_v2_hello;
    hs->ends_record = c->in.current.len == (m->from_partial ? 0 : m->len);
    if (has_to_end_record(c, m->type) && !hs->ends_record) {
        conn_fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_NOT_ON_RECORD_BOUNDARY);
        return RUN_FAILED;
    }
    enum step_result result = hs->step->read(hs, &body);
    if (result == STEP_OK && !reader_is_empty(&body)) {
        result = STEP_MALFORMED;
    }
    if (result != STEP_OK) {
        return status_of(hs, result);
    }
    if (is_in_transcript(c, m->type) && !transcript_add(&hs->transcript, m->bytes, m->len)) {
        conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        return RUN_FAILED;
    }
    message_in_consume(&c->message, &c->in, m);
    advance(hs);
    return RUN_DONE;
}

/* A flight must be out before its answer is waited for. Application data that is blocked there is
 * nobody's business here, unless the flight is behind it. */
static bool wants_flush(struct handshake *hs)
{
    hs->unflushed = hs->unflushed && buffer_len(&hs->conn->out.buffer) > 0;
    return hs->unflushed;
}

/* A HelloRequest while a client waits for the ServerHello asks for what is under way: RFC 5246,
 * 7.4.1.1. Once the version is TLS 1.3 there is no such message. */
static bool is_needless_request(const struct tls_conn *c, const struct message *m)
{
    return c->role == ROLE_CLIENT && (c->neg.suite == NULL || c->neg.version < VERSION_TLS13) &&
           c->hs->step->message != MSG_HELLO_REQUEST && m->type == MSG_HELLO_REQUEST &&
           m->len == MESSAGE_HEADER_LEN && m->bytes != NULL && !m->is_ccs;
}

static enum run_status take_ccs(struct handshake *hs)
{
    record_in_consume(&hs->conn->in, 1);
    advance(hs);
    return RUN_DONE;
}

/* The next message, once everything of ours is out. */
static enum run_status await_message(struct handshake *hs, struct message *m)
{
    struct tls_conn *c = hs->conn;

    if (hs->writing) {
        if (wants_flush(hs)) {
            return RUN_WANT_FLUSH;
        }
        c->hooks->step(c->owner);
        hs->writing = false;
    }
    return fetch(c, m);
}

static enum run_status run_fork(struct handshake *hs)
{
    struct message m;
    enum run_status status = await_message(hs, &m);

    if (status != RUN_DONE) {
        return status;
    }
    if (is_of_row(hs, &m)) {
        hs->step = hs->step->script;
        hs->entered = false;
    } else {
        advance(hs);
    }
    return RUN_DONE;
}

static enum run_status run_recv(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct message m;
    enum run_status status = await_message(hs, &m);

    if (status != RUN_DONE) {
        return status;
    }
    if (is_needless_request(c, &m)) {
        c->hooks->message(c->owner, false, c->neg.version, CONTENT_HANDSHAKE, m.bytes, m.len);
        message_in_consume(&c->message, &c->in, &m);
        return RUN_DONE;
    }
    if (hs->step->kind == STEP_KIND_MAYBE && m.type != hs->step->message) {
        advance(hs);
        return RUN_DONE;
    }
    status = check_header(hs, &m);
    if (status != RUN_DONE) {
        return status;
    }
    if (m.is_ccs) {
        return take_ccs(hs);
    }
    if (m.bytes != NULL) {
        return handle_message(hs, &m);
    }
    /* Its next record may be here already, where reads go ahead. */
    return record_in_wanted(&c->in) == 0 ? RUN_DONE : RUN_WANT_INPUT;
}

/* --- Sending --- */

static enum run_status send_ccs(struct handshake *hs)
{
    static const uint8_t ccs = 1;
    struct tls_conn *c = hs->conn;

    if (!conn_seal(c, CONTENT_CCS, &ccs, 1)) {
        return RUN_FAILED;
    }
    c->hooks->message(c->owner, true, c->neg.version, CONTENT_CCS, &ccs, 1);
    return RUN_DONE;
}

/* Builds the message in hs->outgoing; rolled back unless it is complete. */
static enum step_result build(struct handshake *hs)
{
    struct writer w = writer_to(&hs->outgoing);

    writer_u8(&w, (uint8_t)hs->step->message);
    writer_open(&w, 3);
    enum step_result result = hs->step->write(hs, &w);
    writer_close(&w);
    if (result == STEP_OK && !writer_ok(&w)) {
        result = step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (result == STEP_OK && hs->step->complete != NULL) {
        result = hs->step->complete(hs, writer_begin(&w), writer_len(&w));
    }
    if (result != STEP_OK) {
        writer_rollback(&w);
    }
    return result;
}

static enum run_status send_message(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    enum step_result result = build(hs);

    if (result != STEP_OK) {
        return status_of(hs, result);
    }
    const uint8_t *bytes = buffer_bytes(&hs->outgoing);
    size_t len = buffer_len(&hs->outgoing);
    if (!conn_seal(c, CONTENT_HANDSHAKE, bytes, len)) {
        return RUN_FAILED;
    }
    if (is_in_transcript(c, bytes[0]) && !transcript_add(&hs->transcript, bytes, len)) {
        conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        return RUN_FAILED;
    }
    c->hooks->message(c->owner, true, c->neg.version, CONTENT_HANDSHAKE, bytes, len);
    buffer_truncate(&hs->outgoing, 0);
    return RUN_DONE;
}

static enum run_status run_send(struct handshake *hs)
{
    enter(hs);
    enum run_status status = hs->step->message == MSG_CCS ? send_ccs(hs) : send_message(hs);

    if (status == RUN_DONE) {
        hs->writing = true;
        hs->unflushed = true;
        advance(hs);
    }
    return status;
}

/* --- Everything else --- */

static enum run_status run_keys(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    enum direction direction = hs->step->direction;

    bool ok = hs->step->kind == STEP_KIND_NEXT  ? keys13_update(c, direction)
              : c->neg.version == VERSION_TLS13 ? keys13_install(c, direction, hs->step->epoch)
                                                : keys12_install(hs, direction);
    if (!ok) {
        conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
        return RUN_FAILED;
    }
    advance(hs);
    return RUN_DONE;
}

/* As far as applications are concerned the handshake is over for the moment. */
static enum run_status run_rest(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    bool rests = c->wants_early_data || c->stateless;

    /* A client's ClientHello goes out with its early data. */
    if (rests && c->role == ROLE_SERVER && wants_flush(hs)) {
        return RUN_WANT_FLUSH;
    }
    enter(hs);
    hs->writing = true;
    advance(hs);
    if (!rests) {
        return RUN_DONE;
    }
    c->rests = c->has_rested = true;
    c->hooks->done(c->owner, false);
    return RUN_RESTS;
}

static enum run_status run_flush(struct handshake *hs)
{
    if (wants_flush(hs)) {
        return RUN_WANT_FLUSH;
    }
    advance(hs);
    return RUN_DONE;
}

static enum run_status run_end(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    /* TLS 1.3 tells of the first handshake alone, older versions of every script. */
    bool tell = (hs->initial && !hs->told_done) || c->neg.version != VERSION_TLS13;
    bool established = hs->initial || c->renegotiation == RENEGOTIATION_UNDERWAY;

    if (wants_flush(hs)) {
        return RUN_WANT_FLUSH;
    }
    c->hooks->step(c->owner);
    c->state = STATE_OK;
    c->in.plain_ccs = false;
    c->handshakes_done++;
    conn_drop_handshake_secrets(c);
    if (established) {
        c->renegotiation = RENEGOTIATION_NONE;
        c->full_renegotiation = false;
    }
    if (hs->made_session) {
        c->hooks->keep_session(c->owner, c->session);
    }
    handshake_end(c);
    if (tell) {
        c->hooks->done(c->owner, established);
    }
    return RUN_DONE;
}

static enum run_status run_row(struct handshake *hs)
{
    enum run_status status;

    switch (hs->step->kind) {
    case STEP_KIND_RECV:
    case STEP_KIND_MAYBE:
        return run_recv(hs);
    case STEP_KIND_SEND:
        return run_send(hs);
    case STEP_KIND_DO:
        status = status_of(hs, hs->step->act(hs));
        if (status == RUN_DONE) {
            advance(hs);
        }
        return status;
    case STEP_KIND_MARK:
        enter(hs);
        hs->writing = true;
        advance(hs);
        return RUN_DONE;
    case STEP_KIND_KEYS:
    case STEP_KIND_NEXT:
        return run_keys(hs);
    case STEP_KIND_REST:
        return run_rest(hs);
    case STEP_KIND_FLUSH:
        return run_flush(hs);
    case STEP_KIND_FORK:
        return run_fork(hs);
    case STEP_KIND_GOTO:
        hs->step = hs->step->script;
        hs->entered = false;
        return RUN_DONE;
    case STEP_KIND_END:
        break;
    }
    return run_end(hs);
}

enum run_status handshake_run(struct tls_conn *c)
{
    enum run_status status = RUN_DONE;

    c->pause = PAUSE_NONE;
    while (status == RUN_DONE && c->hs != NULL) {
        struct handshake *hs = c->hs;
        if (hs->step->when != NULL && !hs->step->when(hs)) {
            advance(hs);
        } else {
            status = run_row(hs);
        }
    }
    return status;
}
