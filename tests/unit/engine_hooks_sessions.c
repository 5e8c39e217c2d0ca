/*
 * The answers of endpoints to the core's questions about sessions, tickets, pre-shared keys and
 * early data; see engines.h.
 */
#include "engine_hooks.h"

#include "conn/psk.h"

#include <string.h>

const uint8_t the_ticket[9] = "a ticket";

bool hook_allows_tickets(void *owner)
{
    const struct endpoint *e = owner;

    return e->tickets;
}

bool hook_application_ticket(void *owner, struct blob **ticket)
{
    (void)owner;
    *ticket = NULL;
    return true;
}

bool hook_ticket_seen(void *owner, const uint8_t *ticket, size_t len)
{
    (void)owner;
    (void)ticket;
    (void)len;
    return true;
}

/* Secrets of the application: tests/contract/t12_app_ticket.c. */
bool hook_gives_secrets(void *owner)
{
    (void)owner;
    return false;
}

static void keep(struct endpoint *e, struct ssl_session_st *session)
{
    session_free(e->kept);
    e->kept = session;
}

enum hook_answer hook_open_ticket(void *owner, const uint8_t *ticket, size_t len,
                                  struct reader session_id, struct ssl_session_st **session,
                                  bool *renew, struct record_error *failure)
{
    const struct endpoint *e = owner;
    struct reader sent = reader_of(ticket, len);

    *renew = true;
    if (e->kept == NULL || !reader_equals(&sent, the_ticket, sizeof(the_ticket))) {
        return HOOK_NONE;
    }
    *renew = e->renews_tickets;
    *session = session_copy(e->kept, false);
    if (*session == NULL) {
        *failure = (struct record_error){ ALERT_INTERNAL_ERROR, 0 };
        return HOOK_FAIL;
    }
    (*session)->id_len = (uint8_t)reader_left(&session_id);
    return reader_copy(&session_id, (*session)->id, (*session)->id_len) ? HOOK_OK : HOOK_FAIL;
}

enum hook_answer hook_seal_ticket(void *owner, struct ssl_session_st *session, struct writer *w,
                                  struct record_error *failure)
{
    struct ssl_session_st *copy = session_copy(session, false);

    if (copy == NULL) {
        *failure = (struct record_error){ ALERT_INTERNAL_ERROR, 0 };
        return HOOK_FAIL;
    }
    keep(owner, copy);
    writer_bytes(w, the_ticket, sizeof(the_ticket));
    return HOOK_OK;
}

enum hook_answer hook_find_session(void *owner, const uint8_t *id, size_t len,
                                   struct ssl_session_st **session, struct record_error *failure)
{
    const struct endpoint *e = owner;

    (void)failure;
    if (e->kept == NULL || e->kept->id_len != len || memcmp(e->kept->id, id, len) != 0) {
        return HOOK_NONE;
    }
    *session = session_ref(e->kept);
    return HOOK_OK;
}

enum hook_answer hook_name_session(void *owner, struct ssl_session_st *session,
                                   struct record_error *failure)
{
    (void)owner;
    (void)failure;
    memset(session->id, 7, sizeof(session->id));
    session->id_len = sizeof(session->id);
    return HOOK_OK;
}

enum hook_answer hook_may_resume(void *owner, struct ssl_session_st *session, bool by_id,
                                 struct record_error *failure)
{
    const struct endpoint *e = owner;

    (void)session;
    (void)by_id;
    *failure = (struct record_error){ ALERT_INTERNAL_ERROR, 0 };
    return e->resume_answer;
}

bool hook_belongs_here(void *owner, const struct ssl_session_st *session)
{
    const struct endpoint *e = owner;

    (void)session;
    return !e->is_elsewhere;
}

void hook_session_changed(void *owner)
{
    (void)owner;
}

bool hook_denies_resumption(void *owner, bool forward_secure)
{
    (void)owner;
    (void)forward_secure;
    return false;
}

bool hook_keeps_sessions(void *owner)
{
    const struct endpoint *e = owner;

    return e->keeps_sessions;
}

void hook_keep_session(void *owner, struct ssl_session_st *session)
{
    if (session->id_len > 0) {
        keep(owner, session_ref(session));
    }
}

bool hook_drop_session(void *owner, struct ssl_session_st *session)
{
    struct endpoint *e = owner;
    bool found = e->kept == session;

    if (found) {
        keep(e, NULL);
    }
    return found;
}

/* --- Hooks: external pre-shared keys --- */

enum hook_answer hook_use_psk(void *owner, const struct hash *hash, struct ssl_session_st **session,
                              struct blob **identity, struct record_error *failure)
{
    const struct endpoint *e = owner;

    (void)hash;
    (void)failure;
    if (e->psk == NULL) {
        return HOOK_NONE;
    }
    *session = session_ref(e->psk);
    *identity = blob_ref(e->psk_identity);
    return HOOK_OK;
}

enum hook_answer hook_find_psk(void *owner, const uint8_t *identity, size_t len,
                               struct ssl_session_st **session, struct record_error *failure)
{
    const struct endpoint *e = owner;

    *failure = (struct record_error){ ALERT_INTERNAL_ERROR, 0 };
    if (e->psk == NULL || e->psk_identity->len != len ||
        memcmp(e->psk_identity->bytes, identity, len) != 0) {
        return HOOK_NONE;
    }
    *session = session_copy(e->psk, false);
    return *session != NULL ? HOOK_OK : HOOK_FAIL;
}

bool hook_guards_early_data(void *owner)
{
    const struct endpoint *e = owner;

    return e->guards_early_data;
}

bool hook_claims_early_data(void *owner, const struct ssl_session_st *session, int64_t sent)
{
    struct endpoint *e = owner;

    (void)session;
    e->claimed = sent;
    return !e->is_replay;
}

bool hook_allows_early_data(void *owner)
{
    struct endpoint *e = owner;

    if (e->never_rests) {
        e->conn.wants_early_data = false;
    }
    return true;
}
