/*
 * Connections that go from thread to thread, or outlive the threads that made them, and processes
 * with threads that fork. ThreadSanitizer watches this in the stage tsan.
 */
#include "unit.h"

#include "thread_site.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUM_WORKERS 4

static SSL_CTX *client_ctx, *server_ctx;

static void make_contexts(int version)
{
    client_ctx = site_new_ctx(TLS_client_method(), version, true);
    server_ctx = site_new_ctx(TLS_server_method(), version, true);
}

static void free_contexts(void)
{
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

/* --- Connections that change threads --- */

#define NUM_TRAVELLERS 6
#define NUM_STEPS      24

static struct {
    pthread_mutex_t lock;
    struct traveller {
        struct link link;
        int step;
        bool busy;
    } at[NUM_TRAVELLERS];
} travel = { .lock = PTHREAD_MUTEX_INITIALIZER };

static struct traveller *next_traveller(bool *all_done)
{
    struct traveller *next = NULL;

    *all_done = true;
    (void)pthread_mutex_lock(&travel.lock);
    for (size_t i = 0; i < NUM_TRAVELLERS; i++) {
        struct traveller *t = &travel.at[i];
        *all_done = *all_done && t->step == NUM_STEPS;
        if (!t->busy && t->step < NUM_STEPS && (next == NULL || t->step < next->step)) {
            next = t;
        }
    }
    if (next != NULL) {
        next->busy = true;
    }
    (void)pthread_mutex_unlock(&travel.lock);
    return next;
}

/* Parts of records remain, and sealed ones: buffers of one thread are given back in another. */
static void one_step(struct link *l, int step)
{
    if (step < 6) {
        (void)SSL_do_handshake(step % 2 == 0 ? l->client : l->server);
    } else if (step == NUM_STEPS - 1) {
        link_free(l);
    } else if (step % 2 == 0) {
        link_write(l->server, 5000);
        link_read(l->client, 100);
    } else {
        link_read(l->client, 4900);
        link_talk(l, 100);
    }
}

static void take_steps(size_t who)
{
    bool all_done = false;

    (void)who;
    while (!all_done) {
        struct traveller *t = next_traveller(&all_done);

        if (t == NULL) {
            (void)usleep(100);
            continue;
        }
        one_step(&t->link, t->step);
        (void)pthread_mutex_lock(&travel.lock);
        t->step++;
        t->busy = false;
        (void)pthread_mutex_unlock(&travel.lock);
    }
}

static void test_travelling(void **state)
{
    static const int versions[] = { TLS1_3_VERSION, TLS1_2_VERSION };

    (void)state;
    for (size_t v = 0; v < 2; v++) {
        make_contexts(versions[v]);
        for (size_t i = 0; i < NUM_TRAVELLERS; i++) {
            travel.at[i] = (struct traveller){ .link = link_new(client_ctx, server_ctx) };
        }
        /* Whoever frees the last connection frees them. */
        free_contexts();
        run_together(NUM_WORKERS, take_steps);
    }
}

/* --- Threads that end --- */

static struct link left_behind[NUM_WORKERS];

static void make_and_end(size_t who)
{
    struct link *l = &left_behind[who];

    *l = link_new(client_ctx, server_ctx);
    link_connect(l);
    link_write(l->server, 9000);
    link_read(l->client, 100);
}

static void take_over_and_end(size_t who)
{
    struct link *l = &left_behind[(who + 1) % NUM_WORKERS];

    link_read(l->client, 8000);
    link_write(l->client, 200);
}

/* Connections outlive the threads that made them, and those that went on with them. */
static void test_threads_end(void **state)
{
    (void)state;
    make_contexts(TLS1_3_VERSION);
    run_together(NUM_WORKERS, make_and_end);
    run_together(NUM_WORKERS, take_over_and_end);
    for (size_t i = 0; i < NUM_WORKERS; i++) {
        link_read(left_behind[i].client, 900);
        link_read(left_behind[i].server, 200);
        link_talk(&left_behind[i], 50);
        link_free(&left_behind[i]);
    }
    free_contexts();
}

static void finish(size_t who)
{
    link_connect(&left_behind[who]);
    link_talk(&left_behind[who], 100);
    link_free(&left_behind[who]);
}

/* What connections share with their contexts goes with the last of them. */
static void test_last_one(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        make_contexts(round % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
        for (size_t i = 0; i < NUM_WORKERS; i++) {
            left_behind[i] = link_new(client_ctx, server_ctx);
        }
        free_contexts();
        run_together(NUM_WORKERS, finish);
    }
}

/* --- Processes that are forked --- */

#define NUM_FORKS 3

static pthread_rwlock_t gate; /* held for reading while a connection is made */
static SSL_SESSION *parents;  /* of a connection before any fork */
static _Atomic bool forking;

/* Returns the client's session. */
static SSL_SESSION *connect_once(void)
{
    struct link l = link_new(client_ctx, server_ctx);

    link_connect(&l);
    link_talk(&l, 100);
    SSL_SESSION *session = SSL_get1_session(l.client);
    link_free(&l);
    return session;
}

static void resume_in_child(int out)
{
    unsigned char random[SSL3_RANDOM_SIZE];
    struct link l = link_new(client_ctx, server_ctx);

    MUST(SSL_set_session(l.client, parents) == 1);
    link_connect(&l);
    link_talk(&l, 1000);
    MUST(SSL_session_reused(l.client) == 1);
    MUST(SSL_get_client_random(l.client, random, sizeof(random)) == sizeof(random));
    link_free(&l);
    SSL_SESSION_free(connect_once());
    MUST(write(out, random, sizeof(random)) == sizeof(random));
}

static void fork_one(void)
{
    unsigned char childs[SSL3_RANDOM_SIZE], mine[SSL3_RANDOM_SIZE];
    int ends[2], status;

    MUST(pipe(ends) == 0 && pthread_rwlock_wrlock(&gate) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        resume_in_child(ends[1]);
        _exit(0);
    }
    (void)pthread_rwlock_unlock(&gate);
    struct link l = link_new(client_ctx, server_ctx);
    link_connect(&l);
    MUST(SSL_get_client_random(l.client, mine, sizeof(mine)) == sizeof(mine));
    link_free(&l);
    MUST(pid > 0 && close(ends[1]) == 0);
    MUST(read(ends[0], childs, sizeof(childs)) == sizeof(childs) && close(ends[0]) == 0);
    MUST(waitpid(pid, &status, 0) == pid && status == 0);
    MUST(memcmp(mine, childs, sizeof(mine)) != 0);
}

static void work_or_fork(size_t who)
{
    for (int i = 0; who == NUM_WORKERS && i < NUM_FORKS; i++) {
        fork_one();
    }
    if (who == NUM_WORKERS) {
        forking = false;
    }
    while (forking) {
        (void)pthread_rwlock_rdlock(&gate);
        SSL_SESSION_free(connect_once());
        (void)pthread_rwlock_unlock(&gate);
    }
}

/* A process with threads forks between their connections; the child goes on with contexts and
 * sessions, whose tickets its parent sealed, and draws random bytes of its own. */
static void test_fork(void **state)
{
    (void)state;
    gate_init(&gate);
    make_contexts(TLS1_3_VERSION);
    parents = connect_once();
    forking = true;
    run_together(NUM_WORKERS + 1, work_or_fork);
    SSL_SESSION_free(parents);
    free_contexts();
    (void)pthread_rwlock_destroy(&gate);
}

static int set_up(void **state)
{
    (void)state;
    site_begin();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    site_end();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_travelling),
        cmocka_unit_test(test_threads_end),
        cmocka_unit_test(test_last_one),
        cmocka_unit_test(test_fork),
    };

    return cmocka_run_group_tests_name("api/threads_moving", tests, set_up, tear_down);
}
