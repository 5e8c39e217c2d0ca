/*
 * The cache of sessions of an SSL_CTX. Behaviour:
 * SSL_CTX_set_session_cache_mode(3), SSL_CTX_add_session(3), SSL_CTX_flush_sessions(3),
 * SSL_CTX_sess_set_cache_size(3), SSL_CTX_sessions(3).
 *
 * A hash table finds a session by version and id; a list in the order of expiry finds what to throw
 * out. Both are guarded by the context's lock. The remove callback is called without the lock, so
 * that it may use the cache.
 */
#include "api/session_cache.h"

#include <openssl/err.h>
#include <openssl/lhash.h>

#include <stdatomic.h>
#include <string.h>
#include <time.h>

DEFINE_LHASH_OF(SSL_SESSION);

/* FNV-1a over the id. Ids that an attacker chooses can collide, as with any fixed function; the
 * cache holds only ids that this server drew, or that the application entered. */
static unsigned long hash_session(const SSL_SESSION *session)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < session->id_len; i++) {
        hash = (hash ^ session->id[i]) * 16777619U;
    }
    return hash;
}

static int compare_sessions(const SSL_SESSION *a, const SSL_SESSION *b)
{
    if (a->version != b->version || a->id_len != b->id_len) {
        return 1;
    }
    return memcmp(a->id, b->id, a->id_len);
}

bool session_cache_init(SSL_CTX *ctx)
{
    ctx->sessions = lh_SSL_SESSION_new(hash_session, compare_sessions);
    return ctx->sessions != NULL;
}

/* --- The list by expiry; the lock is held --- */

static int64_t expiry_of(const SSL_SESSION *session)
{
    int64_t expiry;

    return __builtin_add_overflow(session->time, session->timeout, &expiry) ? INT64_MAX : expiry;
}

static void unlink_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    if (session->newer != NULL) {
        session->newer->older = session->older;
    } else {
        ctx->newest = session->older;
    }
    if (session->older != NULL) {
        session->older->newer = session->newer;
    } else {
        ctx->oldest = session->newer;
    }
    session->newer = NULL;
    session->older = NULL;
    session->cache = NULL;
}

/* Most sessions live equally long, so the place is nearly always at the newer end. */
static void link_session(SSL_CTX *ctx, SSL_SESSION *session)
{
    int64_t expiry = expiry_of(session);
    SSL_SESSION *older = ctx->newest;
    SSL_SESSION *newer = NULL;

    while (older != NULL && expiry_of(older) > expiry) {
        newer = older;
        older = older->older;
    }
    session->older = older;
    session->newer = newer;
    if (older != NULL) {
        older->newer = session;
    } else {
        ctx->oldest = session;
    }
    if (newer != NULL) {
        newer->older = session;
    } else {
        ctx->newest = session;
    }
    session->cache = ctx;
}

/* Takes what the table holds under session's version and id out of both; NULL: nothing. */
static SSL_SESSION *take_out(SSL_CTX *ctx, const SSL_SESSION *session)
{
    SSL_SESSION *held = lh_SSL_SESSION_delete(ctx->sessions, session);

    if (held != NULL) {
        unlink_session(ctx, held);
    }
    return held;
}

/* --- Removing; the lock is not held --- */

/* Says that a session left the cache and drops the cache's reference. */
static void let_go(SSL_CTX *ctx, SSL_SESSION *session)
{
    if (ctx->remove_session_cb != NULL) {
        ctx->remove_session_cb(ctx, session);
    }
    session_free(session);
}

/* Sessions that have left the cache and are still to be let go of. Their places in the list say
 * nothing about that: meanwhile another thread may put one back. */
struct leaving {
    SSL_SESSION *sessions[16];
    size_t num;
};

static bool is_full(const struct leaving *leaving)
{
    return leaving->num == COUNT_OF(leaving->sessions);
}

/* Takes a session out that the cache has; the lock is held, and leaving not full. */
static void leave(SSL_CTX *ctx, SSL_SESSION *session, struct leaving *leaving)
{
    (void)lh_SSL_SESSION_delete(ctx->sessions, session);
    unlink_session(ctx, session);
    session->not_resumable = true;
    leaving->sessions[leaving->num] = session;
    leaving->num++;
}

static void let_go_all(SSL_CTX *ctx, const struct leaving *leaving)
{
    for (size_t i = 0; i < leaving->num; i++) {
        let_go(ctx, leaving->sessions[i]);
    }
}

int SSL_CTX_remove_session(SSL_CTX *ctx, SSL_SESSION *c)
{
    SSL_SESSION *held = NULL;

    if (c == NULL || c->id_len == 0) {
        return 0;
    }
    if (ctx->newest != NULL) {
        if (!CRYPTO_THREAD_write_lock(ctx->lock)) {
            return 0;
        }
        held = take_out(ctx, c);
        CRYPTO_THREAD_unlock(ctx->lock);
    }
    c->not_resumable = true;
    /* External caches are told about sessions, too, that this one does not hold. */
    if (ctx->remove_session_cb != NULL) {
        ctx->remove_session_cb(ctx, c);
    }
    session_free(held);
    return held != NULL;
}

/* Takes out what had expired at tm, or everything if tm is 0, until leaving is full, and lets go of
 * it. *num is how many may go. True: there may be more. */
static bool flush_some(SSL_CTX *ctx, long tm, size_t *num)
{
    struct leaving leaving = { .num = 0 };

    if (!CRYPTO_THREAD_write_lock(ctx->lock)) {
        return false;
    }
    while (*num > 0 && !is_full(&leaving) && ctx->oldest != NULL &&
           (tm == 0 || tm > expiry_of(ctx->oldest))) {
        leave(ctx, ctx->oldest, &leaving);
        (*num)--;
    }
    CRYPTO_THREAD_unlock(ctx->lock);
    let_go_all(ctx, &leaving);
    return is_full(&leaving);
}

void SSL_CTX_flush_sessions(SSL_CTX *ctx, long tm)
{
    if (ctx->sessions != NULL) {
        /* The remove callback may put back what it is told of. */
        size_t num = lh_SSL_SESSION_num_items(ctx->sessions);

        while (flush_some(ctx, tm, &num)) {
        }
    }
}

void session_cache_wipe(SSL_CTX *ctx)
{
    if (ctx->sessions == NULL) {
        return;
    }
    SSL_CTX_flush_sessions(ctx, 0);
    lh_SSL_SESSION_free(ctx->sessions);
    ctx->sessions = NULL;
}

/* --- Adding --- */

/* Makes room as OpenSSL does: what was added already counts, but stays. The lock is held. */
static void make_room(SSL_CTX *ctx, const SSL_SESSION *added, struct leaving *leaving)
{
    leaving->num = 0;
    while (!is_full(leaving) && ctx->session_cache_size > 0 &&
           lh_SSL_SESSION_num_items(ctx->sessions) >= ctx->session_cache_size) {
        SSL_SESSION *oldest = ctx->oldest != added ? ctx->oldest : added->newer;

        if (oldest == NULL) {
            return;
        }
        leave(ctx, oldest, leaving);
        (void)atomic_fetch_add_explicit(&ctx->stats.cache_full, 1, memory_order_relaxed);
    }
}

/* Enters session, whose reference the cache takes over. False: out of memory, or it was there.
 * *replaced is another session of the same id. */
static bool enter(SSL_CTX *ctx, SSL_SESSION *session, SSL_SESSION **replaced)
{
    SSL_SESSION *old = lh_SSL_SESSION_insert(ctx->sessions, session);

    if (old == session) {
        unlink_session(ctx, session);
        link_session(ctx, session);
        return false;
    }
    if (old == NULL && lh_SSL_SESSION_retrieve(ctx->sessions, session) == NULL) {
        return false;
    }
    if (old != NULL) {
        unlink_session(ctx, old);
        *replaced = old;
    }
    link_session(ctx, session);
    return true;
}

int SSL_CTX_add_session(SSL_CTX *ctx, SSL_SESSION *c)
{
    SSL_SESSION *session = session_ref(c);
    SSL_SESSION *replaced = NULL;
    struct leaving leaving = { .num = 0 };
    SSL_CTX *earlier = c->cache;
    bool entered;

    /* A session can be in the list of one cache only. */
    if (earlier != NULL && earlier != ctx) {
        session_free(session);
        session = session_copy(c, true);
    }
    if (session == NULL || !CRYPTO_THREAD_write_lock(ctx->lock)) {
        session_free(session);
        return 0;
    }
    if ((ctx->session_cache_mode & SSL_SESS_CACHE_UPDATE_TIME) != 0) {
        session->time = time(NULL);
    }
    entered = enter(ctx, session, &replaced);
    if (entered) {
        make_room(ctx, session, &leaving);
    }
    CRYPTO_THREAD_unlock(ctx->lock);
    session_free(replaced);
    let_go_all(ctx, &leaving);
    while (is_full(&leaving) && CRYPTO_THREAD_write_lock(ctx->lock)) {
        make_room(ctx, session, &leaving);
        CRYPTO_THREAD_unlock(ctx->lock);
        let_go_all(ctx, &leaving);
    }
    if (!entered) {
        session_free(session);
    }
    return entered;
}

static void set_name(SSL_SESSION *session, uint16_t version, const uint8_t *id, size_t id_len)
{
    session->version = version;
    session->id_len = (uint8_t)id_len;
    if (id_len > 0) {
        memmove(session->id, id, id_len);
    }
}

/* Enters a session anew, whose name has changed; the lock is held. Returns who has to leave:
 * another session of the new name, or this one when memory is out; NULL: nobody. */
static SSL_SESSION *enter_again(SSL_CTX *ctx, SSL_SESSION *session)
{
    SSL_SESSION *leaving = lh_SSL_SESSION_insert(ctx->sessions, session);

    if (leaving == NULL && lh_SSL_SESSION_retrieve(ctx->sessions, session) != session) {
        leaving = session;
    }
    if (leaving != NULL) {
        unlink_session(ctx, leaving);
    }
    return leaving;
}

void session_cache_rename(SSL_SESSION *session, uint16_t version, const uint8_t *id, size_t id_len)
{
    SSL_CTX *ctx = session->cache;
    SSL_SESSION *leaving = NULL;
    bool locked = ctx != NULL && CRYPTO_THREAD_write_lock(ctx->lock);
    bool cached = locked && session->cache == ctx;

    /* The table finds sessions by their names: it must not hold one whose name changes. */
    if (cached) {
        (void)lh_SSL_SESSION_delete(ctx->sessions, session);
    }
    set_name(session, version, id, id_len);
    if (cached) {
        leaving = enter_again(ctx, session);
    }
    if (locked) {
        CRYPTO_THREAD_unlock(ctx->lock);
    }
    session_free(leaving);
}

void session_cache_set_times(SSL_SESSION *session, int64_t time, int64_t timeout)
{
    SSL_CTX *ctx = session->cache;
    bool locked = ctx != NULL && CRYPTO_THREAD_write_lock(ctx->lock);

    session->time = time;
    session->timeout = timeout;
    if (!locked) {
        return;
    }
    /* It may have left the cache before the lock was ours. */
    if (session->cache == ctx) {
        unlink_session(ctx, session);
        link_session(ctx, session);
    }
    CRYPTO_THREAD_unlock(ctx->lock);
}

/* --- Looking up --- */

long session_cache_count(SSL_CTX *ctx)
{
    return (long)lh_SSL_SESSION_num_items(ctx->sessions);
}

LHASH_OF(SSL_SESSION) *SSL_CTX_sessions(SSL_CTX *ctx)
{
    return ctx->sessions;
}

SSL_SESSION *session_cache_find(SSL_CTX *ctx, uint16_t version, const uint8_t *id, size_t id_len)
{
    SSL_SESSION key = { .version = version, .id_len = (uint8_t)id_len };
    SSL_SESSION *found = NULL;

    /* A server that keeps its sessions in tickets has none here, and takes no lock to learn it. */
    if (id_len > sizeof(key.id) || ctx->newest == NULL) {
        return NULL;
    }
    memcpy(key.id, id, id_len);
    if (CRYPTO_THREAD_read_lock(ctx->lock)) {
        found = session_ref(lh_SSL_SESSION_retrieve(ctx->sessions, &key));
        CRYPTO_THREAD_unlock(ctx->lock);
    }
    return found;
}

int SSL_has_matching_session_id(const SSL *s, const unsigned char *id, unsigned int id_len)
{
    SSL_SESSION *found = session_cache_find(s->session_ctx, (uint16_t)SSL_version(s), id, id_len);

    session_free(found);
    return found != NULL;
}

/* --- Callbacks --- */

void SSL_CTX_sess_set_new_cb(SSL_CTX *ctx, int (*new_session_cb)(SSL *ssl, SSL_SESSION *sess))
{
    ctx->new_session_cb = new_session_cb;
}

int (*SSL_CTX_sess_get_new_cb(SSL_CTX *ctx))(SSL *ssl, SSL_SESSION *sess)
{
    return ctx->new_session_cb;
}

void SSL_CTX_sess_set_remove_cb(SSL_CTX *ctx,
                                void (*remove_session_cb)(SSL_CTX *ctx, SSL_SESSION *sess))
{
    ctx->remove_session_cb = remove_session_cb;
}

void (*SSL_CTX_sess_get_remove_cb(SSL_CTX *ctx))(SSL_CTX *ctx, SSL_SESSION *sess)
{
    return ctx->remove_session_cb;
}

void SSL_CTX_sess_set_get_cb(SSL_CTX *ctx,
                             SSL_SESSION *(*get_session_cb)(SSL *ssl, const unsigned char *data,
                                                            int len, int *copy))
{
    ctx->get_session_cb = get_session_cb;
}

SSL_SESSION *(*SSL_CTX_sess_get_get_cb(SSL_CTX *ctx))(SSL *ssl, const unsigned char *data, int len,
                                                      int *copy)
{
    return ctx->get_session_cb;
}
