/*
 * Sessions as data; see session.h. Their encodings, accessors and cache are in api/.
 */
#include "conn/session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* X509_V_ERR_UNSPECIFIED: nobody has verified anything yet, and 0 would mean success. */
#define NOT_VERIFIED 1

struct ssl_session_st *session_new(int64_t now, int64_t default_timeout)
{
    struct ssl_session_st *session = OPENSSL_zalloc(sizeof(*session));

    if (session == NULL) {
        return NULL;
    }
    atomic_init(&session->refs, 1);
    session->time = now;
    session->timeout = default_timeout;
    session->verify_result = NOT_VERIFIED;
    return session;
}

/* Copies what needs no allocation. */
static void copy_facts(struct ssl_session_st *copy, const struct ssl_session_st *source)
{
    copy->version = source->version;
    copy->suite = source->suite;
    copy->suite_id = source->suite_id;
    copy->master = source->master;
    memcpy(copy->id, source->id, sizeof(copy->id));
    copy->id_len = source->id_len;
    memcpy(copy->context, source->context, sizeof(copy->context));
    copy->context_len = source->context_len;
    copy->time = source->time;
    copy->timeout = source->timeout;
    copy->verify_result = source->verify_result;
    copy->group = source->group;
    copy->extended_master_secret = source->extended_master_secret;
    copy->not_resumable = source->not_resumable;
    copy->unknown_flags = source->unknown_flags;
    copy->max_early_data = source->max_early_data;
    copy->max_fragment_code = source->max_fragment_code;
}

/* Copies a string that may be NULL. */
static bool copy_string(char **copy, const char *source)
{
    if (source == NULL) {
        return true;
    }
    *copy = OPENSSL_strdup(source);
    return *copy != NULL;
}

/* Held while a session gets its ex_data: two threads may ask one session for it. What libcrypto
 * then calls may ask again. */
static pthread_mutex_t ex_data_lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;

CRYPTO_EX_DATA *session_ex_data(struct ssl_session_st *session)
{
    if (session->ex_state == EX_MADE) {
        return &session->ex_data;
    }
    if (pthread_mutex_lock(&ex_data_lock) != 0) {
        return NULL;
    }
    if (session->ex_state == EX_NONE) {
        session->ex_state = EX_BEGUN;
        session->ex_state =
            CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, session, &session->ex_data) == 1
                ? EX_MADE
                : EX_NONE;
    }
    bool made = session->ex_state != EX_NONE;
    (void)pthread_mutex_unlock(&ex_data_lock);
    return made ? &session->ex_data : NULL;
}

static bool copy_ex_data(struct ssl_session_st *copy, const struct ssl_session_st *source)
{
    /* One that is just being made by another thread is waited for. */
    const CRYPTO_EX_DATA *from = source->ex_state == EX_NONE
                                     ? NULL
                                     : session_ex_data((struct ssl_session_st *)(uintptr_t)source);

    return from == NULL ||
           (session_ex_data(copy) != NULL &&
            CRYPTO_dup_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, &copy->ex_data, from) == 1);
}

/* Makes copy a second owner of the rest. False: out of memory; copy can be freed. */
static bool copy_possessions(struct ssl_session_st *copy, const struct ssl_session_st *source)
{
    copy->peer = peer_chain_ref(source->peer);
    copy->chain = peer_chain_ref(source->chain);
    copy->ticket_appdata = blob_ref(source->ticket_appdata);
    copy->alpn = blob_ref(source->alpn);
    return copy_string(&copy->hostname, source->hostname) &&
           copy_string(&copy->psk_identity, source->psk_identity) &&
           copy_string(&copy->psk_identity_hint, source->psk_identity_hint) &&
           copy_ex_data(copy, source);
}

struct ssl_session_st *session_copy(const struct ssl_session_st *session, bool with_ticket)
{
    struct ssl_session_st *copy = session_new(session->time, session->timeout);

    if (copy == NULL) {
        return NULL;
    }
    copy_facts(copy, session);
    if (!copy_possessions(copy, session)) {
        session_free(copy);
        return NULL;
    }
    if (with_ticket) {
        copy->ticket = blob_ref(session->ticket);
        copy->ticket_lifetime_hint = session->ticket_lifetime_hint;
        copy->ticket_age_add = session->ticket_age_add;
    }
    return copy;
}

struct ssl_session_st *session_ref(struct ssl_session_st *session)
{
    if (session != NULL) {
        (void)atomic_fetch_add_explicit(&session->refs, 1, memory_order_relaxed);
    }
    return session;
}

void session_free(struct ssl_session_st *session)
{
    if (session == NULL ||
        atomic_fetch_sub_explicit(&session->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (session->ex_state != EX_NONE) {
        CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL_SESSION, session, &session->ex_data);
    }
    peer_chain_free(session->peer);
    peer_chain_free(session->chain);
    blob_free(session->ticket);
    blob_free(session->ticket_appdata);
    blob_free(session->alpn);
    OPENSSL_free(session->hostname);
    OPENSSL_free(session->psk_identity);
    OPENSSL_free(session->psk_identity_hint);
    secret_wipe(&session->master);
    wipe(session->id, sizeof(session->id));
    OPENSSL_free(session);
}

bool session_set_hostname(struct ssl_session_st *session, const struct blob *name)
{
    char *copy = OPENSSL_strndup((const char *)name->bytes, name->len);

    if (copy == NULL) {
        return false;
    }
    OPENSSL_free(session->hostname);
    session->hostname = copy;
    return true;
}

bool session_is_resumable(const struct ssl_session_st *session)
{
    return !session->not_resumable && (session->id_len > 0 || blob_len(session->ticket) > 0);
}
