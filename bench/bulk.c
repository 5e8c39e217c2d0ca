/*
 * Questions "write" and "read": one side's SSL_write or SSL_read of several sizes, alone in its
 * clock. Time is taken over a batch of calls whose records lie in the transport at once, and the
 * lower quartile of the batches answers.
 */
#include "harness.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#define MEGABYTE   ((size_t)1 << 20)
#define BATCH_LEN  ((size_t)256 << 10)
#define MAX_CALLS  64
#define MIN_NS     10000000U
#define MAX_TIMES  4096
#define WARM_TIMES 4

static const char *const suites[][2] = {
    { "TLS_AES_128_GCM_SHA256", "aes128gcm" },
    { "TLS_AES_256_GCM_SHA384", "aes256gcm" },
    { "TLS_CHACHA20_POLY1305_SHA256", "chacha20" },
};

static const size_t sizes[] = { 64, 256, 1024, 4096, 16384, MEGABYTE };

static uint8_t data[MEGABYTE];

static size_t calls_per_batch(size_t size)
{
    size_t calls = BATCH_LEN / size;

    return calls < 1 ? 1 : calls > MAX_CALLS ? MAX_CALLS : calls;
}

/* Nanoseconds of one call; the reader never sees what was written. */
static double time_writes(struct link *l, size_t size, size_t calls)
{
    struct meter m = { 0 };

    pipe_drop(&l->to_server);
    meter_start(&m);
    for (size_t i = 0; i < calls; i++) {
        write_all(l->client, data, size);
    }
    meter_stop(&m);
    return (double)m.ns / (double)calls;
}

/* Nanoseconds until size bytes are read, which at 1 MiB takes 64 calls. */
static double time_reads(struct link *l, size_t size, size_t calls)
{
    struct meter m = { 0 };

    for (size_t i = 0; i < calls; i++) {
        write_all(l->client, data, size);
    }
    meter_start(&m);
    for (size_t i = 0; i < calls; i++) {
        read_all(l->server, data, size);
    }
    meter_stop(&m);
    return (double)m.ns / (double)calls;
}

static void ask(struct link *l, bool reads, const char *suite, size_t size)
{
    static double times[MAX_TIMES];
    size_t calls = calls_per_batch(size);
    size_t num = 0;
    uint64_t begin = now_ns();

    while (num < MAX_TIMES && (num < WARM_TIMES * 2 || now_ns() - begin < MIN_NS)) {
        times[num++] = reads ? time_reads(l, size, calls) : time_writes(l, size, calls);
    }
    double ns = undisturbed(times + WARM_TIMES, num - WARM_TIMES);
    const char *question = reads ? "read" : "write";
    if (size >= 16384) {
        answer("MB/s", (double)size * 1000 / ns, "%s/%s/%zu", question, suite, size);
    } else {
        answer("ns", ns, "%s/%s/%zu", question, suite, size);
    }
}

static void ask_suite(const char *const names[2], const struct identity *id, bool reads,
                      char **argv)
{
    struct meter unused = { 0 };
    SSL_CTX *client = context_make(false, NULL, NULL, names[0]);
    SSL_CTX *server = context_make(true, id, NULL, names[0]);

    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        char cell[64];
        struct link l;
        snprintf(cell, sizeof cell, "%s/%zu", names[1], sizes[i]);
        if (asked_for(argv, cell)) {
            link_init(&l, 2 * MEGABYTE);
            link_connect(&l, client, server, &unused, &unused);
            ask(&l, reads, names[1], sizes[i]);
            link_disconnect(&l, &unused, &unused);
            link_wipe(&l);
        }
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Arguments: "write" or "read", and a cell as in aes128gcm/64. */
int main(int argc, char **argv)
{
    struct identity id;

    require(argc > 1, "argument read or write");
    bench_begin(false);
    require(RAND_bytes(data, sizeof data) == 1, "RAND_bytes");
    identity_make(&id, KEY_P256);
    for (size_t i = 0; i < sizeof suites / sizeof suites[0]; i++) {
        ask_suite(suites[i], &id, strcmp(argv[1], "read") == 0, argv + 1);
    }
    identity_wipe(&id);
    return 0;
}
