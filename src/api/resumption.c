/*
 * A connection's dealings with the cache of sessions: finding, naming, judging, keeping and
 * dropping. SSL_CTX_sess_set_get_cb(3), SSL_CTX_set_session_cache_mode(3),
 * SSL_CTX_set_generate_session_id(3), SSL_CTX_set_session_id_context(3). The cache itself is in
 * session_cache.c, tickets are in tickets.c.
 */
#include "api/resumption.h"

#include "api/early_guard.h"
#include "api/session_binding.h"
#include "api/session_cache.h"
#include "crypto/random.h"
#include "handshake/ticket13.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

/* Ids that are drawn before a generator that repeats itself is given up. */
#define MAX_ID_ATTEMPTS 10

/* The cache is cleaned when a counter of handshakes ends with these bits: every 256th. */
#define CLEANING_MASK 0xff

static void count(_Atomic int *counter)
{
    (void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static enum hook_answer fail(struct record_error *failure, int reason)
{
    *failure = (struct record_error){ ALERT_INTERNAL_ERROR, reason };
    return HOOK_FAIL;
}

/* --- Finding --- */

/* The application's cache. */
static SSL_SESSION *ask_application(SSL *s, const uint8_t *id, size_t len)
{
    SSL_CTX *ctx = s->session_ctx;
    int copy = 1;
    SSL_SESSION *session = ctx->get_session_cb(s, id, (int)len, &copy);

    if (session == NULL) {
        return NULL;
    }
    if (session->not_resumable) {
        if (copy == 0) {
            session_free(session);
        }
        return NULL;
    }
    count(&ctx->stats.cb_hit);
    if (copy != 0) {
        (void)session_ref(session);
    }
    if ((ctx->session_cache_mode & SSL_SESS_CACHE_NO_INTERNAL_STORE) == 0) {
        (void)SSL_CTX_add_session(ctx, session);
    }
    return session;
}

SSL_SESSION *lookup_session(SSL *s, const uint8_t *id, size_t len)
{
    SSL_CTX *ctx = s->session_ctx;
    SSL_SESSION *session = NULL;

    if ((ctx->session_cache_mode & SSL_SESS_CACHE_NO_INTERNAL_LOOKUP) == 0) {
        session = session_cache_find(ctx, (uint16_t)SSL_version(s), id, len);
        if (session == NULL) {
            count(&ctx->stats.miss);
        }
    }
    if (session == NULL && ctx->get_session_cb != NULL) {
        session = ask_application(s, id, len);
    }
    return session;
}

enum hook_answer find_session(void *owner, const uint8_t *id, size_t len,
                              struct ssl_session_st **session, struct record_error *failure)
{
    (void)failure;
    *session = lookup_session(owner, id, len);
    return *session != NULL ? HOOK_OK : HOOK_NONE;
}

/* --- Naming --- */

static bool is_taken(SSL *s, const uint8_t *id, unsigned len)
{
    return SSL_has_matching_session_id(s, id, len) != 0;
}

/* The generator that is asked when the application has given none. */
static int draw_id(SSL *s, unsigned char *id, unsigned int *len)
{
    for (int attempt = 0; attempt < MAX_ID_ATTEMPTS; attempt++) {
        if (!random_public(s->config->core.lib, id, *len)) {
            return 0;
        }
        if (!is_taken(s, id, *len)) {
            return 1;
        }
    }
    return 0;
}

/* The application's generator; NULL: none. */
static GEN_SESSION_CB id_generator(SSL *s)
{
    GEN_SESSION_CB generator = s->config->generate_session_id;

    if (generator == NULL) {
        struct ssl_config *config = ctx_config_ref(s->session_ctx);
        generator = config->generate_session_id;
        ssl_config_free(config);
    }
    return generator;
}

bool names_own_sessions(SSL *s)
{
    return id_generator(s) != NULL;
}

/* The name says who keeps the early data of the session's ticket from being replayed. */
static bool is_guarded(const SSL *s)
{
    return s->conn.neg.version == VERSION_TLS13 && ticket13_is_protected(&s->conn) &&
           !ticket13_is_stateful(&s->conn);
}

enum hook_answer name_session(void *owner, struct ssl_session_st *session,
                              struct record_error *failure)
{
    SSL *s = owner;
    unsigned len = SESSION_MAX_ID;
    GEN_SESSION_CB generator = id_generator(s);

    /* Until all is well the session has no id: one that is taken belongs to another session, which
     * has nothing to do with this failure. */
    session->id_len = 0;
    memset(session->id, 0, sizeof(session->id));
    if (generator == NULL && is_guarded(s)) {
        return early_guard_name(s, session) ? HOOK_OK : fail(failure, ERR_R_INTERNAL_ERROR);
    }
    if ((generator != NULL ? generator : draw_id)(s, session->id, &len) == 0) {
        return fail(failure, SSL_R_SSL_SESSION_ID_CALLBACK_FAILED);
    }
    if (len == 0 || len > SESSION_MAX_ID) {
        return fail(failure, SSL_R_SSL_SESSION_ID_HAS_BAD_LENGTH);
    }
    if (is_taken(s, session->id, len)) {
        return fail(failure, SSL_R_SSL_SESSION_ID_CONFLICT);
    }
    session->id_len = (uint8_t)len;
    return HOOK_OK;
}

/* --- Judging --- */

static bool has_expired(const SSL_SESSION *session)
{
    int64_t age;

    return __builtin_sub_overflow((int64_t)time(NULL), session->time, &age) ||
           age > session->timeout;
}

static bool is_of_context(const SSL *s, const SSL_SESSION *session)
{
    const struct ssl_config *config = s->config;

    return session->context_len == config->session_context_len &&
           memcmp(session->context, config->session_context, session->context_len) == 0;
}

/* The application has set a session that is not this connection's to resume. */
static enum hook_answer may_client_resume(const SSL *s, const SSL_SESSION *session,
                                          struct record_error *failure)
{
    if (is_of_context(s, session)) {
        return HOOK_OK;
    }
    *failure = (struct record_error){ ALERT_ILLEGAL_PARAMETER,
                                      SSL_R_ATTEMPT_TO_REUSE_SESSION_IN_DIFFERENT_CONTEXT };
    return HOOK_FAIL;
}

enum hook_answer may_resume(void *owner, struct ssl_session_st *session, bool by_id,
                            struct record_error *failure)
{
    SSL *s = owner;
    const struct ssl_config *config = s->config;

    if (s->conn.role == ROLE_CLIENT) {
        return may_client_resume(s, session, failure);
    }
    if (!is_of_context(s, session)) {
        return HOOK_NONE;
    }
    /* Nothing would tell the sessions of this application from those of another that verifies
     * clients otherwise. */
    if ((config->verify_mode & SSL_VERIFY_PEER) != 0 && config->session_context_len == 0) {
        return fail(failure, SSL_R_SESSION_ID_CONTEXT_UNINITIALIZED);
    }
    if (has_expired(session)) {
        count(&s->session_ctx->stats.timeout);
        if (by_id) {
            (void)SSL_CTX_remove_session(s->session_ctx, session);
        }
        return HOOK_NONE;
    }
    return HOOK_OK;
}

bool denies_resumption(void *owner, bool forward_secure)
{
    SSL *s = owner;

    return s->config->not_resumable_callback != NULL &&
           s->config->not_resumable_callback(s, forward_secure) != 0;
}

void session_resumed(void *owner)
{
    SSL *s = owner;

    count(&s->session_ctx->stats.hit);
    s->verify_result = s->conn.session->verify_result;
}

void session_missed(void *owner)
{
    SSL *s = owner;

    count(&s->session_ctx->stats.miss);
}

/* A server goes by the context of the moment. */
bool keeps_sessions(void *owner)
{
    const SSL *s = owner;

    return s->conn.role == ROLE_SERVER
               ? (s->ctx->session_cache_mode & SSL_SESS_CACHE_SERVER) != 0
               : (s->session_ctx->session_cache_mode & SSL_SESS_CACHE_CLIENT) != 0;
}

/* --- Keeping --- */

static uint32_t own_cache_mode(const SSL *s)
{
    return s->conn.role == ROLE_SERVER ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_CLIENT;
}

/* A TLS 1.3 server's session is in its ticket. The cache has it only for a server that gives out
 * ids instead, or an application that wants to hear of its end. */
static bool wants_internal(const SSL *s, const SSL_SESSION *session)
{
    const SSL_CTX *ctx = s->session_ctx;

    if ((ctx->session_cache_mode & SSL_SESS_CACHE_NO_INTERNAL_STORE) != 0) {
        return false;
    }
    return session->version != VERSION_TLS13 || s->conn.role == ROLE_CLIENT ||
           ctx->remove_session_cb != NULL || ticket13_is_stateful(&s->conn);
}

static void clean_cache(SSL *s)
{
    SSL_CTX *ctx = s->session_ctx;
    uint32_t mode = own_cache_mode(s);
    int done = s->conn.role == ROLE_SERVER ? ctx->stats.accept_good : ctx->stats.connect_good;

    if ((ctx->session_cache_mode & (mode | SSL_SESS_CACHE_NO_AUTO_CLEAR)) == mode &&
        (done & CLEANING_MASK) == CLEANING_MASK) {
        SSL_CTX_flush_sessions(ctx, time(NULL));
    }
}

void keep_session(void *owner, struct ssl_session_st *session)
{
    SSL *s = owner;
    SSL_CTX *ctx = s->session_ctx;

    if (session->id_len == 0 || session->not_resumable ||
        (s->conn.role == ROLE_SERVER && session->context_len == 0 &&
         (s->config->verify_mode & SSL_VERIFY_PEER) != 0)) {
        return;
    }
    if ((ctx->session_cache_mode & own_cache_mode(s)) != 0) {
        if (s->conn.role == ROLE_SERVER && !session->bound && !session_bind(s, session)) {
            return;
        }
        if (wants_internal(s, session)) {
            (void)SSL_CTX_add_session(ctx, session);
        }
        if (ctx->new_session_cb != NULL && ctx->new_session_cb(s, session_ref(session)) == 0) {
            session_free(session);
        }
    }
    if (session->version == VERSION_TLS13) {
        clean_cache(s);
    }
}

void sessions_after_handshake(SSL *s)
{
    if (s->conn.neg.version != VERSION_TLS13) {
        clean_cache(s);
        return;
    }
    /* RFC 8446, C.4: a client should use a ticket once. */
    if (s->conn.role == ROLE_CLIENT &&
        (s->session_ctx->session_cache_mode & SSL_SESS_CACHE_CLIENT) != 0) {
        (void)SSL_CTX_remove_session(s->session_ctx, s->conn.session);
    }
}

/* --- Dropping --- */

bool drop_session(void *owner, struct ssl_session_st *session)
{
    const SSL *s = owner;

    return SSL_CTX_remove_session(s->session_ctx, session) == 1;
}

bool forget_unclosed_session(SSL *s)
{
    if (s->conn.session == NULL || (s->shutdown & SSL_SENT_SHUTDOWN) != 0 || SSL_in_init(s)) {
        return false;
    }
    (void)SSL_CTX_remove_session(s->session_ctx, s->conn.session);
    return true;
}
