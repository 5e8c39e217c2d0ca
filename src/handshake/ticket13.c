/*
 * NewSessionTicket of TLS 1.3: RFC 8446, 4.6.1; see ticket13.h.
 */
#include "handshake/ticket13.h"

#include "handshake/ext/extensions.h"
#include "handshake/keys13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* RFC 8446, 4.6.1: servers must not use a longer lifetime. Seconds. */
#define MAX_LIFETIME 604800

#define NONCE_LEN 8

bool ticket13_is_protected(const struct tls_conn *c)
{
    return c->config->max_early_data > 0 && config_is_anti_replay(c->config);
}

bool ticket13_is_stateful(const struct tls_conn *c)
{
    return (c->config->options & OPTION_NO_TICKET) != 0 ||
           (ticket13_is_protected(c) && !c->hooks->guards_early_data(c->owner));
}

bool ticket13_is_single_use(const struct tls_conn *c)
{
    return ticket13_is_protected(c) && ticket13_is_stateful(c);
}

/* --- Server --- */

/* RFC 8446, 4.6.1, leaves the number to the server: what is configured after a full handshake and
 * after client authentication, one more after a resumption. */
bool ticket_is_due(const struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;

    if (c->extra_tickets > 0) {
        return true;
    }
    return hs->ticket_due && c->config->num_tickets > c->sent_tickets &&
           !(c->neg.resumed && c->sent_tickets > 0);
}

enum step_result begin_tickets(struct handshake *hs)
{
    hs->ticket_due = true;
    return STEP_OK;
}

/* The handshake is over as far as applications are concerned. */
enum step_result tell_done(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    hs->told_done = true;
    c->reporting_done = true;
    c->hooks->done(c->owner, true);
    c->reporting_done = false;
    return STEP_OK;
}

/* Every ticket stands for a session of its own: the first for the connection's, which nobody else
 * has seen yet unless it was resumed. */
static enum step_result separate_session(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (c->sent_tickets == 0 && !c->neg.resumed) {
        return STEP_OK;
    }
    struct ssl_session_st *copy = session_copy(c->session, false);
    if (copy == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    copy->not_resumable = false; /* what was resumed may be used up */
    session_free(c->session);
    c->session = copy;
    return STEP_OK;
}

/* Makes the connection's session the one that a new ticket will stand for. */
static enum step_result prepare_session(struct handshake *hs, const uint8_t nonce[NONCE_LEN])
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    uint8_t age_add[4];
    enum step_result result = separate_session(hs);

    if (result != STEP_OK) {
        return result;
    }
    struct ssl_session_st *session = c->session;
    if (c->hooks->name_session(c->owner, session, &failure) != HOOK_OK) {
        return step_fail(hs, failure.alert, failure.reason);
    }
    if (!c->hooks->random(c->owner, age_add, sizeof age_add) ||
        !keys13_ticket_psk(c, nonce, NONCE_LEN, &session->master)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    session->ticket_age_add = (uint32_t)age_add[0] << 24 | (uint32_t)age_add[1] << 16 |
                              (uint32_t)age_add[2] << 8 | age_add[3];
    session->time = c->hooks->now(c->owner) / 1000;
    session->max_early_data = c->config->max_early_data;
    if (c->neg.alpn != NULL) {
        blob_set(&session->alpn, blob_ref(c->neg.alpn));
    }
    return STEP_OK;
}

static enum step_result write_ticket(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    enum hook_answer answer = c->hooks->seal_ticket(c->owner, c->session, w, &failure);

    return answer == HOOK_NONE ? STEP_SKIPPED : step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

enum step_result write_new_session_ticket(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    uint8_t nonce[NONCE_LEN];

    for (size_t i = 0; i < NONCE_LEN; i++) {
        nonce[i] = (uint8_t)(c->next_ticket_nonce >> 8 * (NONCE_LEN - 1 - i));
    }
    enum step_result result = prepare_session(hs, nonce);
    if (result != STEP_OK) {
        return result;
    }
    const struct ssl_session_st *session = c->session;
    writer_u32(w, (uint32_t)(session->timeout > MAX_LIFETIME ? MAX_LIFETIME : session->timeout));
    writer_u32(w, session->ticket_age_add);
    writer_open(w, 1);
    writer_bytes(w, nonce, NONCE_LEN);
    writer_close(w);
    writer_open(w, 2);
    result = write_ticket(hs, w);
    writer_close(w);
    if (result == STEP_OK) {
        result = extensions_write(hs, EXT_NEW_SESSION_TICKET, w, NULL, 0);
    }
    if (result == STEP_OK || result == STEP_SKIPPED) {
        c->sent_tickets++;
        c->next_ticket_nonce++;
        c->extra_tickets -= c->extra_tickets > 0;
    }
    if (result == STEP_OK) {
        c->hooks->keep_session(c->owner, c->session);
    }
    return result;
}

/* --- Client --- */

/* The session that a ticket resumes: a copy of the connection's, which others may have by now. Its
 * id is the ticket's hash, so that caches can tell sessions apart. */
static bool fill_session(struct tls_conn *c, struct ssl_session_st *session, struct reader ticket,
                         struct reader nonce)
{
    const struct hash *sha256 = hash_get(c->config->lib, HASH_SHA256);

    session->time = c->hooks->now(c->owner) / 1000;
    session->not_resumable = false;
    session->max_early_data = 0;
    session->id_len = SESSION_MAX_ID;
    blob_set(&session->ticket, blob_new(ticket.at, ticket.left));
    return session->ticket != NULL && sha256 != NULL &&
           hash_once(sha256, ticket.at, ticket.left, session->id) &&
           keys13_ticket_psk(c, nonce.at, nonce.left, &session->master);
}

static enum step_result replace_session(struct handshake *hs, struct reader ticket,
                                        struct reader nonce)
{
    struct tls_conn *c = hs->conn;
    struct ssl_session_st *session = session_copy(c->session, false);

    if (session == NULL || !fill_session(c, session, ticket, nonce)) {
        session_free(session);
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    session_free(c->session);
    c->session = session;
    return STEP_OK;
}

enum step_result read_new_session_ticket(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    uint32_t lifetime;
    uint32_t age_add;
    struct reader nonce;
    struct reader ticket;
    struct reader extensions;

    if (!reader_u32(body, &lifetime) || !reader_u32(body, &age_add) || !reader_vec8(body, &nonce) ||
        !reader_vec16(body, &ticket) || reader_is_empty(&ticket) ||
        !reader_vec16(body, &extensions) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    enum step_result result = replace_session(hs, ticket, nonce);
    if (result != STEP_OK) {
        return result;
    }
    c->session->ticket_lifetime_hint = lifetime;
    c->session->ticket_age_add = age_add;
    result = extensions_read(hs, EXT_NEW_SESSION_TICKET, extensions, NULL, 0);
    if (result == STEP_OK) {
        c->hooks->keep_session(c->owner, c->session);
    }
    return result;
}
