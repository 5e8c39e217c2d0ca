/*
 * Question "threads": full handshakes (TLS 1.3, ECDSA, both sides, each thread with connections of
 * its own under shared contexts) on one thread and on two. Time of day decides, since whoever waits
 * for a lock spends none of the processor's; the processor's time per handshake stands beside it.
 */
#include "harness.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#define SUITE       "TLS_AES_128_GCM_SHA256"
#define PIPE_SIZE   ((size_t)64 << 10)
#define MAX_THREADS 2
#define WARM        20
#define SLICE_NS    60000000U
#define NUM_SLICES  7

struct worker {
    SSL_CTX *client, *server; /* shared by all */
    pthread_barrier_t *barrier;
    pthread_t thread;
    double rates[NUM_SLICES]; /* handshakes a second */
    double cpu_ns;            /* of the thread, per handshake */
};

static double cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void handshakes(struct worker *w, struct link *l, int num)
{
    struct meter unused = { 0 };

    for (int i = 0; i < num; i++) {
        link_connect(l, w->client, w->server, &unused, &unused);
        link_disconnect(l, &unused, &unused);
    }
}

static void *work(void *arg)
{
    struct worker *w = arg;
    struct link l;
    size_t total = 0;

    link_init(&l, PIPE_SIZE);
    handshakes(w, &l, WARM);
    pthread_barrier_wait(w->barrier);
    double cpu = cpu_now();
    for (int slice = 0; slice < NUM_SLICES; slice++) {
        uint64_t begin = now_ns();
        size_t num = 0;
        while (now_ns() - begin < SLICE_NS) {
            handshakes(w, &l, 1);
            num++;
        }
        w->rates[slice] = (double)num * 1e9 / (double)(now_ns() - begin);
        total += num;
    }
    w->cpu_ns = (cpu_now() - cpu) / (double)total;
    link_wipe(&l);
    return NULL;
}

/* Handshakes a second of num threads together. */
static double ask(struct worker *workers, unsigned num)
{
    pthread_barrier_t barrier;
    double rate = 0;

    require(pthread_barrier_init(&barrier, NULL, num) == 0, "pthread_barrier_init");
    for (unsigned i = 0; i < num; i++) {
        workers[i].barrier = &barrier;
        require(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
    }
    for (unsigned i = 0; i < num; i++) {
        require(pthread_join(workers[i].thread, NULL) == 0, "pthread_join");
        rate += median(workers[i].rates, NUM_SLICES);
    }
    pthread_barrier_destroy(&barrier);
    answer("/s", rate, "threads/%u/rate", num);
    answer("us", workers[0].cpu_ns / 1000, "threads/%u/cpu", num);
    return rate;
}

int main(void)
{
    struct identity id;
    struct worker workers[MAX_THREADS];

    bench_begin(false);
    identity_make(&id, KEY_P256);
    for (unsigned i = 0; i < MAX_THREADS; i++) {
        workers[i] = (struct worker){ 0 };
        workers[i].client = i == 0 ? context_make(false, NULL, id.root, SUITE) : workers[0].client;
        workers[i].server = i == 0 ? context_make(true, &id, NULL, SUITE) : workers[0].server;
    }
    /* BIO_METHOD is made by whoever comes first: not by two at once. */
    struct link first;
    link_init(&first, PIPE_SIZE);
    link_wipe(&first);
    double one = ask(workers, 1);
    answer("times", ask(workers, MAX_THREADS) / one, "threads/2-over-1");
    SSL_CTX_free(workers[0].client);
    SSL_CTX_free(workers[0].server);
    identity_wipe(&id);
    return 0;
}
