/*
 * Sessions between threads: one cache that all of them enter, search, clean and rename in at once,
 * and caches of the application's that its callbacks share, as servers with threads have them.
 * ThreadSanitizer watches this in the stage tsan.
 */
#include "unit.h"

#include "thread_site.h"

#include "api/session_cache.h"
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#define NUM_WORKERS  4
#define NUM_SESSIONS 64

static SSL_CTX *ctx;
static SSL_SESSION *sessions[NUM_SESSIONS];
static _Atomic int num_removed;

/* owner 0: everybody's. */
static SSL_SESSION *new_session(size_t owner, uint8_t number, long timeout)
{
    const uint8_t id[4] = { 'i', 'd', (uint8_t)owner, number };
    SSL_SESSION *session = SSL_SESSION_new();

    MUST(session != NULL && SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    MUST(SSL_SESSION_set1_id(session, id, sizeof(id)) == 1);
    (void)SSL_SESSION_set_timeout(session, timeout);
    return session;
}

static int set_up(void **state)
{
    (void)state;
    ctx = SSL_CTX_new(TLS_method());
    assert_non_null(ctx);
    for (size_t i = 0; i < NUM_SESSIONS; i++) {
        sessions[i] = new_session(0, (uint8_t)i, 1000);
    }
    num_removed = 0;
    return 0;
}

/* The cache has no reference left. */
static int tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(ctx);
    for (size_t i = 0; i < NUM_SESSIONS; i++) {
        assert_int_equal(sessions[i]->refs, 1);
        SSL_SESSION_free(sessions[i]);
    }
    return 0;
}

/* --- One cache --- */

static void count_removed(SSL_CTX *of, SSL_SESSION *session)
{
    (void)of;
    (void)session;
    num_removed++;
}

static void add_all(void)
{
    for (size_t i = 0; i < NUM_SESSIONS; i++) {
        assert_int_equal(SSL_CTX_add_session(ctx, sessions[i]), 1);
    }
}

static void put_last_back(SSL_CTX *of, SSL_SESSION *session)
{
    if (num_removed++ == 0) {
        (void)SSL_CTX_add_session(of, sessions[NUM_SESSIONS - 1]);
        (void)SSL_CTX_add_session(of, session);
    }
}

/* Whoever is told of one session may put it back, and others. */
static void test_put_back(void **state)
{
    (void)state;
    add_all();
    SSL_CTX_sess_set_remove_cb(ctx, put_last_back);
    SSL_CTX_flush_sessions(ctx, 0);
    assert_in_range(num_removed, NUM_SESSIONS - 1, NUM_SESSIONS);
    SSL_CTX_flush_sessions(ctx, 0);
    assert_int_equal(SSL_CTX_sess_number(ctx), 0);
    assert_int_equal(num_removed, NUM_SESSIONS + 1);
}

/* A cache that is made smaller loses what is too many at the next chance, in the order of expiry;
 * what comes then stays. */
static void test_made_smaller(void **state)
{
    SSL_SESSION *brief = new_session(0, NUM_SESSIONS, 10);

    (void)state;
    add_all();
    SSL_CTX_sess_set_remove_cb(ctx, count_removed);
    (void)SSL_CTX_sess_set_cache_size(ctx, 4);
    assert_int_equal(SSL_CTX_add_session(ctx, brief), 1);
    assert_int_equal(SSL_CTX_sess_number(ctx), 3);
    assert_int_equal(num_removed, NUM_SESSIONS - 2);
    assert_int_equal(SSL_CTX_sess_cache_full(ctx), NUM_SESSIONS - 2);
    assert_int_equal(SSL_CTX_remove_session(ctx, brief), 1);
    assert_int_equal(brief->refs, 1);
    SSL_SESSION_free(brief);
}

static void look_for(const SSL_SESSION *session)
{
    unsigned len;
    const uint8_t *id = SSL_SESSION_get_id(session, &len);
    SSL_SESSION *found = session_cache_find(ctx, TLS1_2_VERSION, id, len);

    MUST(found == NULL || memcmp(SSL_SESSION_get_id(found, &len), id, len) == 0);
    SSL_SESSION_free(found);
}

/* Each thread is at every session, for one of the reasons there are. */
static void churn(size_t who)
{
    for (size_t i = 0; i < 20 * NUM_SESSIONS; i++) {
        SSL_SESSION *session = sessions[(i * (2 * who + 1)) % NUM_SESSIONS];

        switch ((i / 5 + who) % 6) {
        case 0:
        case 1:
            (void)SSL_CTX_add_session(ctx, session);
            break;
        case 2:
            look_for(session);
            break;
        case 3:
            (void)SSL_SESSION_set_time(session, (long)time(NULL) - (long)i % 20);
            (void)SSL_SESSION_set_timeout(session, 900 + (long)i % 200);
            break;
        case 4:
            (void)SSL_CTX_remove_session(ctx, session);
            (void)SSL_SESSION_is_resumable(session);
            break;
        case 5:
            SSL_CTX_flush_sessions(ctx, i % 7 == 0 ? 0 : (long)time(NULL) + 990);
            break;
        }
    }
}

static void test_churn(void **state)
{
    (void)state;
    SSL_CTX_sess_set_remove_cb(ctx, count_removed);
    run_together(NUM_WORKERS, churn);
    assert_true(num_removed > 0);
    SSL_CTX_flush_sessions(ctx, 0);
    assert_int_equal(SSL_CTX_sess_number(ctx), 0);
}

/* More sessions than there is room for; each thread renames some that nobody else asks for. */
static void crowd(size_t who)
{
    for (uint8_t i = 0; i < 200; i++) {
        SSL_SESSION *mine = new_session(who + 1, i, 500 + i % 3);

        MUST(SSL_CTX_add_session(ctx, mine) == 1);
        (void)SSL_CTX_add_session(ctx, sessions[i % NUM_SESSIONS]);
        look_for(sessions[i % NUM_SESSIONS]);
        if (i % 4 == 0) {
            const uint8_t other[5] = { 'n', 'e', 'w', (uint8_t)who, i };
            MUST(SSL_SESSION_set1_id(mine, other, sizeof(other)) == 1);
        }
        SSL_SESSION_free(mine);
    }
}

static void test_crowd(void **state)
{
    (void)state;
    (void)SSL_CTX_sess_set_cache_size(ctx, 20);
    SSL_CTX_sess_set_remove_cb(ctx, count_removed);
    run_together(NUM_WORKERS, crowd);
    assert_in_range(SSL_CTX_sess_number(ctx), 1, 20);
    assert_int_equal(SSL_CTX_sess_cache_full(ctx), num_removed);
}

/* Two threads ask one session for data of the application for the first time. */
static void use_data(size_t who)
{
    for (size_t i = 0; i < NUM_SESSIONS; i++) {
        SSL_SESSION *copy;

        if (who % 2 == 0) {
            (void)SSL_SESSION_get_ex_data(sessions[i], 0);
        }
        copy = SSL_SESSION_dup(sessions[i]);
        MUST(copy != NULL && SSL_SESSION_set_ex_data(copy, 0, ctx) == 1);
        MUST(SSL_SESSION_get_ex_data(sessions[i], 0) == NULL);
        SSL_SESSION_free(copy);
    }
}

static void test_ex_data(void **state)
{
    (void)state;
    run_together(NUM_WORKERS, use_data);
}

/* --- Caches of the application's --- */

#define NUM_PLACES 16

static struct {
    SSL_CTX *client, *server;
    bool as_objects; /* sessions are kept themselves, not as bytes */
    pthread_mutex_t lock;
    struct place { /* guarded by lock */
        unsigned char id[SSL_MAX_SSL_SESSION_ID_LENGTH];
        unsigned id_len;
        unsigned char der[1000];
        long der_len;
        SSL_SESSION *object;
    } places[NUM_PLACES];
    size_t next;
    _Atomic int num_resumed;
} store = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int keep(SSL *ssl, SSL_SESSION *session)
{
    SSL_SESSION *earlier = NULL;

    (void)ssl;
    (void)pthread_mutex_lock(&store.lock);
    struct place *p = &store.places[store.next++ % NUM_PLACES];
    unsigned char *to = p->der;
    const unsigned char *id = SSL_SESSION_get_id(session, &p->id_len);

    memcpy(p->id, id, p->id_len);
    MUST(i2d_SSL_SESSION(session, NULL) <= (int)sizeof(p->der));
    p->der_len = i2d_SSL_SESSION(session, &to);
    if (store.as_objects) {
        earlier = p->object;
        p->object = session;
    }
    (void)pthread_mutex_unlock(&store.lock);
    SSL_SESSION_free(earlier);
    return store.as_objects ? 1 : 0;
}

static struct place *place_of(const unsigned char *id, size_t len)
{
    for (size_t i = 0; i < NUM_PLACES; i++) {
        struct place *p = &store.places[i];
        if (p->id_len == len && memcmp(p->id, id, len) == 0) {
            return p;
        }
    }
    return NULL;
}

static SSL_SESSION *fetch(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    SSL_SESSION *found = NULL;

    (void)ssl;
    *copy = 0;
    (void)pthread_mutex_lock(&store.lock);
    struct place *p = place_of(id, (size_t)len);
    if (p != NULL && store.as_objects) {
        found = p->object;
        MUST(SSL_SESSION_up_ref(found) == 1);
    } else if (p != NULL) {
        const unsigned char *from = p->der;
        found = d2i_SSL_SESSION(NULL, &from, p->der_len);
    }
    (void)pthread_mutex_unlock(&store.lock);
    return found;
}

static void forget(SSL_CTX *of, SSL_SESSION *session)
{
    unsigned len;
    const unsigned char *id = SSL_SESSION_get_id(session, &len);
    SSL_SESSION *gone = NULL;

    (void)of;
    (void)pthread_mutex_lock(&store.lock);
    struct place *p = place_of(id, len);
    if (p != NULL) {
        p->id_len = 0;
        gone = p->object;
        p->object = NULL;
    }
    (void)pthread_mutex_unlock(&store.lock);
    SSL_SESSION_free(gone);
}

static void come_again(size_t who)
{
    SSL_SESSION *session = NULL;

    for (size_t i = 0; i < 24; i++) {
        struct link l = link_new(store.client, store.server);

        MUST(session == NULL || SSL_set_session(l.client, session) == 1);
        link_connect(&l);
        link_talk(&l, 100);
        store.num_resumed += SSL_session_reused(l.server);
        SSL_SESSION_free(session);
        session = SSL_get1_session(l.client);
        if ((i + who) % 8 == 0) {
            /* As after a fault. */
            (void)SSL_CTX_remove_session(store.server, SSL_get_session(l.server));
        }
        link_free(&l);
    }
    SSL_SESSION_free(session);
}

static void run_store(int version, long mode, bool as_objects)
{
    memset(store.places, 0, sizeof(store.places));
    store.as_objects = as_objects;
    store.client = site_new_ctx(TLS_client_method(), version, true);
    store.server = site_new_ctx(TLS_server_method(), version, true);
    store.num_resumed = 0;
    (void)SSL_CTX_set_options(store.server, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(store.server, SSL_SESS_CACHE_SERVER | mode);
    SSL_CTX_sess_set_new_cb(store.server, keep);
    SSL_CTX_sess_set_get_cb(store.server, fetch);
    SSL_CTX_sess_set_remove_cb(store.server, forget);
    run_together(NUM_WORKERS, come_again);
    assert_true(store.num_resumed > 0);
    SSL_CTX_free(store.client);
    SSL_CTX_free(store.server);
    for (size_t i = 0; i < NUM_PLACES; i++) {
        SSL_SESSION_free(store.places[i].object);
    }
}

/* Bytes in a table that the callbacks guard, and no other cache. */
static void test_bytes(void **state)
{
    (void)state;
    run_store(TLS1_2_VERSION, SSL_SESS_CACHE_NO_INTERNAL, false);
    run_store(TLS1_3_VERSION, SSL_SESS_CACHE_NO_INTERNAL, false);
}

/* The objects themselves, which the context's own cache has, too. */
static void test_objects(void **state)
{
    (void)state;
    run_store(TLS1_2_VERSION, SSL_SESS_CACHE_UPDATE_TIME, true);
    run_store(TLS1_3_VERSION, SSL_SESS_CACHE_UPDATE_TIME, true);
}

static int begin_group(void **state)
{
    (void)state;
    site_begin();
    return 0;
}

static int end_group(void **state)
{
    (void)state;
    site_end();
    return 0;
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(test_put_back),
        TEST(test_made_smaller),
        TEST(test_churn),
        TEST(test_crowd),
        TEST(test_ex_data),
        cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_objects),
    };

    return cmocka_run_group_tests_name("api/threads_sessions", tests, begin_group, end_group);
}
