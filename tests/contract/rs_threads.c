/*
 * One session resumed by several threads at once, between contexts that they share, while others
 * look through the cache and flush it.
 */
#include "contract.h"
#include "resume.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define NUM_THREADS 4
#define NUM_ROUNDS  40

static struct resume shared;
static SSL_SESSION *session;
static _Atomic int resumed, finished;

static void *connect_many(void *arg)
{
    (void)arg;
    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct pair p;

        REQUIRE(SSL_CTX_up_ref(shared.client_ctx) == 1 && SSL_CTX_up_ref(shared.server_ctx) == 1);
        pair_init_ctx(&p, shared.client_ctx, shared.server_ctx, OVER_MEMORY, 0);
        REQUIRE(SSL_set_session(p.client, session) == 1);
        REQUIRE(drive_handshake(p.client, p.server));
        REQUIRE(drive_transfer(p.server, p.client, "tickets first", 13) == 13);
        resumed += SSL_session_reused(p.client) && SSL_session_reused(p.server);
        SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        SSL_set_shutdown(p.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        pair_free(&p);
    }
    finished++;
    return NULL;
}

static void *disturb(void *arg)
{
    (void)arg;
    while (finished < NUM_THREADS) {
        SSL_SESSION *other = SSL_SESSION_new();

        REQUIRE(other != NULL && SSL_SESSION_set1_id(other, (const unsigned char *)"id", 2) == 1);
        SSL_SESSION_set_time(other, (long)time(NULL) - 10000);
        (void)SSL_CTX_add_session(shared.server_ctx, other);
        SSL_CTX_flush_sessions(shared.server_ctx, (long)time(NULL));
        (void)SSL_SESSION_is_resumable(session);
        (void)SSL_CTX_sess_number(shared.server_ctx);
        SSL_SESSION_free(other);
    }
    return NULL;
}

static void test(bool tickets)
{
    pthread_t threads[NUM_THREADS + 1];

    section("%s", tickets ? "tickets" : "ids");
    resume_init(&shared);
    if (!tickets) {
        (void)SSL_CTX_set_options(shared.server_ctx, SSL_OP_NO_TICKET);
    }
    session = resume_connect(&shared, "first", NULL);
    resumed = finished = 0;
    for (int i = 0; i <= NUM_THREADS; i++) {
        REQUIRE(pthread_create(&threads[i], NULL, i < NUM_THREADS ? connect_many : disturb, NULL) ==
                0);
    }
    for (int i = 0; i <= NUM_THREADS; i++) {
        REQUIRE(pthread_join(threads[i], NULL) == 0);
    }
    note("resumed %d of %d, hits %ld", resumed, NUM_THREADS * NUM_ROUNDS,
         SSL_CTX_sess_hits(shared.server_ctx));
    SSL_SESSION_free(session);
    resume_free(&shared);
}

int main(void)
{
    contract_start();
    (void)identity_default();
    test(true);
    test(false);
    identity_default_free();
    return contract_finish();
}
