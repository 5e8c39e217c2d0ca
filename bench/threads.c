/*
 * Question "threads": full handshakes (TLS 1.3, ECDSA, both sides, each thread with connections of
 * its own under shared contexts) on one thread and on two. One and two take turns a few times in
 * the program, so that what else runs on the machine disturbs both.
 *
 * Time of day decides, since whoever waits for a lock spends none of the processor's. On a machine
 * whose second processor is busy that figure says little, and two others stand beside it that other
 * work does not change much: the processor's time per handshake, and how often a thread waited (its
 * voluntary context switches).
 */
#include "harness.h"

#include <pthread.h>
#include <sys/resource.h>

#define SUITE       "TLS_AES_128_GCM_SHA256"
#define PIPE_SIZE   ((size_t)64 << 10)
#define MAX_THREADS 2
#define WARM        10
#define SLICE_NS    50000000U
#define NUM_SLICES  7

struct worker {
    SSL_CTX *client, *server; /* shared by all */
    pthread_barrier_t *barrier;
    pthread_t thread;
    double rate;   /* handshakes a second */
    double cpu_ns; /* of the thread, per handshake */
    double waits;  /* per handshake */
};

static double waits_so_far(void)
{
    struct rusage usage;

    require(getrusage(RUSAGE_THREAD, &usage) == 0, "getrusage");
    return (double)usage.ru_nvcsw;
}

static void handshakes(struct worker *w, struct link *l, int num)
{
    struct meter unused = { 0 };

    for (int i = 0; i < num; i++) {
        link_connect(l, w->client, w->server, &unused, &unused);
        link_disconnect(l, &unused, &unused);
    }
}

/* One slice. */
static void *work(void *arg)
{
    struct worker *w = arg;
    struct link l;
    double num = 0;

    link_init(&l, PIPE_SIZE);
    handshakes(w, &l, WARM);
    pthread_barrier_wait(w->barrier);
    double cpu = (double)thread_cpu_ns();
    double waits = waits_so_far();
    uint64_t begin = now_ns();
    while (now_ns() - begin < SLICE_NS) {
        handshakes(w, &l, 1);
        num++;
    }
    w->rate = num * 1e9 / (double)(now_ns() - begin);
    w->cpu_ns = ((double)thread_cpu_ns() - cpu) / num;
    w->waits = (waits_so_far() - waits) / num;
    link_wipe(&l);
    return NULL;
}

struct slice {
    double rate, cpu_ns, waits;
};

static struct slice run_slice(struct worker *workers, unsigned num)
{
    struct slice slice = { 0 };
    pthread_barrier_t barrier;

    require(pthread_barrier_init(&barrier, NULL, num) == 0, "pthread_barrier_init");
    for (unsigned i = 0; i < num; i++) {
        workers[i].barrier = &barrier;
        require(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "thread");
    }
    for (unsigned i = 0; i < num; i++) {
        require(pthread_join(workers[i].thread, NULL) == 0, "pthread_join");
        slice.rate += workers[i].rate;
        slice.cpu_ns += workers[i].cpu_ns / num;
        slice.waits += workers[i].waits / num;
    }
    pthread_barrier_destroy(&barrier);
    return slice;
}

/* The least disturbed of the slices: a rate only sinks by what else runs. */
static struct slice summary(const struct slice *slices)
{
    double slowness[NUM_SLICES], cpu_ns[NUM_SLICES], waits[NUM_SLICES];

    for (int i = 0; i < NUM_SLICES; i++) {
        slowness[i] = 1 / slices[i].rate;
        cpu_ns[i] = slices[i].cpu_ns;
        waits[i] = slices[i].waits;
    }
    return (struct slice){ 1 / undisturbed(slowness, NUM_SLICES), undisturbed(cpu_ns, NUM_SLICES),
                           median(waits, NUM_SLICES) };
}

static void ask(struct worker *workers)
{
    struct slice slices[MAX_THREADS][NUM_SLICES], totals[MAX_THREADS];

    for (int i = 0; i < NUM_SLICES; i++) {
        for (unsigned t = 0; t < MAX_THREADS; t++) {
            slices[t][i] = run_slice(workers, t + 1);
        }
    }
    for (unsigned t = 0; t < MAX_THREADS; t++) {
        totals[t] = summary(slices[t]);
        answer("/s", totals[t].rate, "threads/%u/rate", t + 1);
        answer("us", totals[t].cpu_ns / 1000, "threads/%u/cpu", t + 1);
        answer("waits", totals[t].waits * 1000, "threads/%u/waits-per-1000", t + 1);
    }
    answer("times", totals[1].rate / totals[0].rate, "threads/2-over-1");
    answer("times", 2 * totals[0].cpu_ns / totals[1].cpu_ns, "threads/2-over-1-by-cpu");
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
    ask(workers);
    SSL_CTX_free(workers[0].client);
    SSL_CTX_free(workers[0].server);
    identity_wipe(&id);
    return 0;
}
