/*
 * Resumption in TLS 1.2 by session id and by ticket: which session a client offers, whether a
 * server takes it, and NewSessionTicket. RFC 5246, 7.3 and 7.4.1.2; RFC 5077; RFC 7627, 5.3.
 * Whose sessions they are, and whether they fit the settings, is asked through the hooks.
 */
#include "handshake/resume12.h"

#include "handshake/ext/extensions.h"
#include "handshake/keys12.h"
#include "handshake/negotiate.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

#define MILLISECONDS_PER_SECOND 1000

/* --- Client --- */

enum step_result choose_session(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    c->neg.resumed = false;
    if (c->session != NULL && session_is_resumable(c->session) &&
        negotiate_allows_version(c, c->session->version)) {
        return STEP_OK;
    }
    return handshake_new_session(hs);
}

bool resume12_is_offered(const struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;

    return !hs->fresh_session && !c->full_renegotiation && c->session->version != VERSION_TLS13 &&
           c->session->master.len > 0;
}

/* The suite of a session, which the application may have set without its number. */
static uint32_t suite_of(const struct ssl_session_st *session)
{
    return session->suite != NULL ? session->suite->id : session->suite_id;
}

enum step_result resume12_check_suite(struct handshake *hs, const struct ssl_cipher_st *suite)
{
    const struct tls_conn *c = hs->conn;

    /* RFC 5246, 7.4.1.3 */
    return !c->neg.resumed || suite->id == suite_of(c->session)
               ? STEP_OK
               : step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_OLD_SESSION_CIPHER_NOT_RETURNED);
}

static enum step_result go_on_with_offered(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    enum hook_answer answer = c->hooks->may_resume(c->owner, c->session, true, &failure);

    c->neg.resumed = true;
    if (answer != HOOK_OK) {
        return step_of_answer(hs, HOOK_FAIL, &failure, PAUSE_NONE);
    }
    if (c->session->version != c->neg.version) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_SSL_SESSION_VERSION_MISMATCH);
    }
    return STEP_OK;
}

enum step_result leave_session(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (hs->fresh_session) {
        c->session->version = c->neg.version;
        if (c->neg.version == VERSION_TLS13) {
            blob_set(&c->session->ticket, NULL); /* the application's, for older versions */
        }
        return STEP_OK;
    }
    if (c->session->id_len > 0) {
        c->hooks->session_missed(c->owner);
    }
    hs->has_secret = false; /* it was for the session that is given up */
    return handshake_new_session(hs);
}

enum step_result resume12_on_server_hello(struct handshake *hs, struct reader session_id)
{
    struct tls_conn *c = hs->conn;

    if (resume12_is_offered(hs) && c->session->id_len > 0 &&
        reader_equals(&session_id, c->session->id, c->session->id_len)) {
        return go_on_with_offered(hs);
    }
    enum step_result result = leave_session(hs);
    if (result == STEP_OK) {
        c->session->id_len = (uint8_t)reader_left(&session_id);
        memcpy(c->session->id, session_id.at, c->session->id_len);
    }
    return result;
}

enum step_result resume12_check_answers(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    /* RFC 7627, 5.3 and 5.4: neither a resumption nor a renegotiation does without. */
    if ((c->neg.resumed && c->session->extended_master_secret != hs->extended_master_secret) ||
        (c->neg.extended_master_secret && !hs->extended_master_secret)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_INCONSISTENT_EXTMS);
    }
    c->neg.kept_extended_master = !hs->initial && c->neg.extended_master_secret;
    c->neg.extended_master_secret = hs->extended_master_secret;
    return STEP_OK;
}

/* --- Server --- */

/* The name of this hello, before the extensions are read as a whole; malformed ones are found
 * then. */
static enum step_result take_server_name(struct handshake *hs)
{
    struct reader body;
    struct reader name;
    struct blob **slot = &hs->conn->neg.server_name;

    blob_set(slot, NULL);
    if (client_hello_extension(hs->hello, EXT_SERVER_NAME, &body) &&
        server_name_parse(&body, &name)) {
        blob_set(slot, blob_new(name.at, name.left));
        return *slot != NULL ? STEP_OK : step_internal(hs);
    }
    return STEP_OK;
}

static bool uses_tickets(const struct tls_conn *c)
{
    return (c->config->options & OPTION_NO_TICKET) == 0 && c->hooks->allows_tickets(c->owner);
}

/* The session of the client's ticket or, without one, of its session id; RFC 5077, 3.4. */
static enum step_result look_up(struct handshake *hs, struct ssl_session_st **session)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    struct reader id = hs->hello->session_id;
    struct reader ticket = { 0 };
    bool counts = uses_tickets(c) && client_hello_extension(hs->hello, EXT_SESSION_TICKET, &ticket);

    *session = NULL;
    if (counts) {
        enum hook_answer answer = c->hooks->open_ticket(c->owner, ticket.at, ticket.left, id,
                                                        session, &hs->expect_ticket, &failure);
        if (answer != HOOK_NONE) {
            return step_of_answer(hs, answer, &failure, PAUSE_NONE);
        }
        counts = ticket.left > 0 && hs->expect_ticket;
    }
    if (counts || reader_is_empty(&id)) {
        return STEP_OK;
    }
    hs->found_by_id = true;
    return step_of_answer(hs, c->hooks->find_session(c->owner, id.at, id.left, session, &failure),
                          &failure, PAUSE_NONE);
}

/* RFC 6066, 4: the length holds for the session, resumptions included. */
static bool has_same_max_fragment(const struct handshake *hs, const struct ssl_session_st *session)
{
    struct reader body;
    uint8_t code;

    if (!client_hello_extension(hs->hello, EXT_MAX_FRAGMENT_LENGTH, &body) ||
        !reader_u8(&body, &code)) {
        code = 0;
    }
    return code == session->max_fragment_code;
}

/* RFC 7627, 5.3. *fits is false already when the session has other faults. */
static enum step_result check_master_secret(struct handshake *hs,
                                            const struct ssl_session_st *session, bool *fits)
{
    struct reader ignored;
    bool extended = client_hello_extension(hs->hello, EXT_EXTENDED_MASTER_SECRET, &ignored) &&
                    (hs->conn->config->options & OPTION_NO_EXTENDED_MASTER_SECRET) == 0;

    if (*fits && session->extended_master_secret && !extended) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_INCONSISTENT_EXTMS);
    }
    *fits = *fits && session->extended_master_secret == extended;
    return STEP_OK;
}

static enum step_result judge(struct handshake *hs, struct ssl_session_st *session, bool *fits)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    *fits = session->version == c->neg.version && session->suite != NULL &&
            session->master.len > 0 && !session->not_resumable &&
            has_same_max_fragment(hs, session);
    if (*fits) {
        enum hook_answer answer =
            c->hooks->may_resume(c->owner, session, hs->found_by_id, &failure);
        if (answer == HOOK_FAIL) {
            return step_of_answer(hs, answer, &failure, PAUSE_NONE);
        }
        *fits = answer == HOOK_OK && c->hooks->is_for_name(c->owner, session);
    }
    return check_master_secret(hs, session, fits);
}

/* A full handshake makes a session, which has an id unless a ticket will stand for it. */
static enum step_result begin_full(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    enum step_result result = handshake_new_session(hs);

    c->neg.resumed = false;
    if (result != STEP_OK || hs->expect_ticket) {
        return result;
    }
    return step_of_answer(hs, c->hooks->name_session(c->owner, c->session, &failure), &failure,
                          PAUSE_NONE);
}

/* The connection goes on with session, whose reference it takes over. */
static enum step_result go_on_with(struct handshake *hs, struct ssl_session_st *session)
{
    struct tls_conn *c = hs->conn;

    session_free(c->session);
    c->session = session;
    c->neg.resumed = true;
    c->neg.suite = session->suite;
    c->hooks->session_resumed(c->owner);
    /* RFC 5246, 7.4.1.2 */
    return negotiate_offers(hs->hello->suites, suite_id(session->suite))
               ? STEP_OK
               : step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_REQUIRED_CIPHER_MISSING);
}

/* A session of the cache is shared; one that a ticket is made for must not be. */
static bool own_for_ticket(const struct handshake *hs, struct ssl_session_st **session)
{
    if (!hs->found_by_id || !hs->expect_ticket) {
        return true;
    }
    struct ssl_session_st *own = session_copy(*session, false);
    session_free(*session);
    *session = own;
    return own != NULL;
}

static enum step_result look_up_and_judge(struct handshake *hs, struct ssl_session_st **session)
{
    bool fits = false;
    enum step_result result = look_up(hs, session);

    if (*session == NULL) {
        return result;
    }
    if (result == STEP_OK) {
        result = judge(hs, *session, &fits);
    }
    if (result == STEP_OK && fits) {
        return own_for_ticket(hs, session) ? STEP_OK : step_internal(hs);
    }
    hs->expect_ticket = hs->expect_ticket || !hs->found_by_id;
    session_free(*session);
    *session = NULL;
    return result;
}

enum step_result find_session12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct ssl_session_st *session = NULL;
    bool may_look =
        !c->full_renegotiation || (c->config->options & OPTION_NO_RESUMING_RENEGOTIATION) == 0;

    hs->expect_ticket = hs->found_by_id = false;
    enum step_result result = take_server_name(hs);
    if (result == STEP_OK && may_look) {
        result = look_up_and_judge(hs, &session);
    }
    if (result != STEP_OK) {
        return result;
    }
    /* The application deals with tickets itself. */
    hs->expect_ticket = hs->expect_ticket && !c->hooks->gives_secrets(c->owner);
    return session != NULL ? go_on_with(hs, session) : begin_full(hs);
}

/* The callback about the server name may have made the session unfit. */
static enum step_result turn_to_full(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    hs->expect_ticket = hs->expect_ticket || !hs->found_by_id;
    enum step_result result = begin_full(hs);
    if (result == STEP_OK && c->neg.server_name_acknowledged && c->neg.server_name != NULL &&
        !session_set_hostname(c->session, c->neg.server_name)) {
        return step_internal(hs);
    }
    return result;
}

enum step_result confirm_session12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    if (c->neg.resumed && !c->hooks->belongs_here(c->owner, c->session)) {
        enum step_result result = turn_to_full(hs);
        if (result != STEP_OK) {
            return result;
        }
    }
    if (hs->expect_ticket && !uses_tickets(c)) {
        hs->expect_ticket = false;
        if (!c->neg.resumed) {
            return step_of_answer(hs, c->hooks->name_session(c->owner, c->session, &failure),
                                  &failure, PAUSE_NONE);
        }
    }
    return STEP_OK;
}

enum step_result accept_resumption12(struct handshake *hs)
{
    struct negotiated *neg = &hs->conn->neg;

    if (hs->has_secret) {
        return STEP_OK;
    }
    /* What the client says of keys and certificates has no meaning: none is exchanged. */
    blob_set(&neg->peer_groups, NULL);
    blob_set(&neg->peer_sigalgs, NULL);
    blob_set(&neg->peer_cert_sigalgs, NULL);
    blob_set(&neg->peer_point_formats, NULL);
    neg->peer_wants_ocsp = false;
    neg->secure_renegotiation = hs->client_is_secure;
    return keys12_hash(hs->conn) != NULL ? STEP_OK : step_internal(hs);
}

/* --- NewSessionTicket --- */

enum step_result write_new_session_ticket12(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    struct buffer ticket = { 0 };
    struct writer sealed = writer_to(&ticket);
    enum hook_answer answer = c->hooks->seal_ticket(c->owner, c->session, &sealed, &failure);
    enum step_result result = step_of_answer(hs, answer, &failure, PAUSE_NONE);

    if (result == STEP_OK && !writer_ok(&sealed)) {
        result = step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    /* RFC 5077, 3.3: no hint when resumed, and an empty ticket when there is none after all. */
    bool hint = answer == HOOK_OK && !c->neg.resumed;
    writer_u32(w, hint ? (uint32_t)c->session->timeout : 0);
    writer_open(w, 2);
    writer_bytes(w, buffer_bytes(&ticket), buffer_len(&ticket));
    writer_close(w);
    buffer_wipe(&ticket);
    return result;
}

/* A session that others may have is not changed: the ticket goes into a copy. */
static enum step_result own_session(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (c->session->id_len == 0) {
        return STEP_OK;
    }
    struct ssl_session_st *own = session_copy(c->session, false);
    if (own == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    /* The old one is out of date. */
    if (c->hooks->keeps_sessions(c->owner)) {
        (void)c->hooks->drop_session(c->owner, c->session);
    }
    session_free(c->session);
    c->session = own;
    return STEP_OK;
}

/* A server that resumes by ticket repeats the session id, so there has to be one to be recognised:
 * RFC 5077, 3.4. The digest of the ticket, as in OpenSSL. */
static bool name_by_ticket(const struct tls_conn *c)
{
    const struct hash *sha256 = hash_get(c->config->lib, HASH_SHA256);
    struct ssl_session_st *session = c->session;

    if (sha256 == NULL || hash_len(sha256) > sizeof session->id) {
        return false;
    }
    session->id_len = (uint8_t)hash_len(sha256);
    return hash_once(sha256, session->ticket->bytes, session->ticket->len, session->id);
}

enum step_result read_new_session_ticket12(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    uint32_t lifetime;
    struct reader ticket;

    if (!reader_u32(body, &lifetime) || !reader_vec16(body, &ticket) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    if (reader_is_empty(&ticket)) {
        return STEP_OK;
    }
    enum step_result result = own_session(hs);
    if (result != STEP_OK) {
        return result;
    }
    blob_set(&c->session->ticket, blob_new(ticket.at, ticket.left));
    if (c->session->ticket == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    c->session->time = c->hooks->now(c->owner) / MILLISECONDS_PER_SECOND;
    c->session->ticket_lifetime_hint = lifetime;
    c->session->not_resumable = false;
    return name_by_ticket(c) ? STEP_OK : step_internal(hs);
}
