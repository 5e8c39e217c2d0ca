/*
 * Unusual lengths: zero, negative, INT_MAX, SIZE_MAX, NULL buffers, and the _ex forms.
 * SSL_write(3), SSL_read(3).
 */
#include "contract.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_BLOCK ((size_t)INT_MAX + 65536)

static void write_nothing(void)
{
    struct pair p;
    size_t done = 99;
    char got[8];

    section("writes of nothing");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_records_reset(p.wire, WIRE_CLIENT);
    CHECK(call_write(p.client, "x", 0) == 0);
    CHECK(call_write(p.client, NULL, 0) == 0);
    CHECK(call_write_ex(p.client, "x", 0, &done) == 1 || done == 0);
    (void)call_write_ex(p.client, NULL, 0, &done);
    wire_records_log(p.wire, WIRE_CLIENT);
    CHECK(call_read(p.server, got, sizeof(got)) < 0);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void read_nothing(void)
{
    struct pair p;
    size_t done = 99;
    char got[8];

    section("reads of nothing, nothing waiting");
    pair_init_connected(&p, OVER_WIRE, 0);
    (void)call_read(p.server, got, 0);
    (void)call_read(p.server, NULL, 0);
    (void)call_read_ex(p.server, got, 0, &done);
    (void)call_peek(p.server, got, 0);
    (void)call_peek_ex(p.server, NULL, 0, &done);
    log_state(p.server);
    section("reads of nothing, a record waiting");
    CHECK(call_write(p.client, "hello", 5) == 5);
    if (pair_version == TLS1_VERSION) {
        /* Two records, the first of them empty. */
        difference_begin("read-of-nothing");
        (void)call_read(p.server, got, 0);
        log_state(p.server);
        difference_end();
    } else {
        (void)call_read(p.server, got, 0);
        log_state(p.server);
    }
    (void)call_read(p.server, NULL, 0);
    (void)call_read_ex(p.server, got, 0, &done);
    (void)call_peek(p.server, got, 0);
    (void)call_peek_ex(p.server, got, 0, &done);
    log_state(p.server);
    CHECK(call_read(p.server, got, sizeof(got)) == 5);
    section("reads of nothing after close_notify");
    (void)call_shutdown(p.client);
    (void)call_read(p.server, got, 0);
    (void)call_peek(p.server, got, 0);
    (void)call_read_ex(p.server, got, 0, &done);
    log_state(p.server);
    pair_free(&p);
}

static void negative(void)
{
    static const int numbers[] = { -1, -5, INT_MIN };
    struct pair p;
    char buf[8] = "";

    section("negative lengths");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_records_reset(p.wire, WIRE_CLIENT);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        CHECK(call_write(p.client, buf, numbers[i]) == -1);
        CHECK(log_call(p.client, "SSL_read", SSL_read(p.client, buf, numbers[i])) == -1);
        CHECK(log_call(p.client, "SSL_peek", SSL_peek(p.client, buf, numbers[i])) == -1);
    }
    wire_records_log(p.wire, WIRE_CLIENT);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* Lengths come before the state: without a role, before the handshake, after the end. */
static void odd_lengths_in_other_states(void)
{
    struct pair p;
    char buf[8] = "";
    size_t done;

    section("odd lengths before the handshake");
    pair_init(&p, OVER_WIRE, 0);
    (void)call_write(p.client, buf, -1);
    (void)log_call(p.client, "SSL_read(-1)", SSL_read(p.client, buf, -1));
    note("sent anything: %d", wire_waiting(p.wire, WIRE_SERVER) > 0);
    (void)call_read(p.client, buf, 0);
    note("sent anything: %d", wire_waiting(p.wire, WIRE_SERVER) > 0);
    CHECK(log_handshake(p.client, p.server));
    section("odd lengths after SSL_shutdown");
    (void)call_shutdown(p.client);
    (void)call_write(p.client, buf, -1);
    (void)call_write(p.client, buf, 0);
    (void)call_write_ex(p.client, buf, 0, &done);
    pair_free(&p);
}

/* Exact heap block and exact read: nothing beyond is touched. */
static void exact_blocks(void)
{
    static const size_t sizes[] = { 1, 2, 15, 16, 17, 16383, 16384, 16385, 40000 };
    struct pair p;

    section("exact blocks");
    pair_init_connected(&p, OVER_WIRE, 0);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        uint8_t *data = pattern_new(sizes[i], (unsigned)i);
        uint8_t *got = malloc(sizes[i]);
        size_t at = 0;

        REQUIRE(got != NULL);
        wire_records_reset(p.wire, WIRE_CLIENT);
        CHECK(call_write(p.client, data, (int)sizes[i]) == (int)sizes[i]);
        wire_records_log(p.wire, WIRE_CLIENT);
        while (at < sizes[i]) {
            int ret = call_read(p.server, got + at, (int)(sizes[i] - at));

            if (ret <= 0) {
                break;
            }
            at += (size_t)ret;
        }
        CHECK(at == sizes[i] && memcmp(data, got, at) == 0);
        free(data);
        free(got);
    }
    pair_free(&p);
}

/* More zero bytes than INT_MAX at the price of one page; the first 16384 hold a pattern. SIZE_MAX
 * cannot be backed by memory: nobody reads that far ahead of a transport that takes nothing. */
static uint8_t *huge_block_new(void)
{
    void *block = mmap(NULL, HUGE_BLOCK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    REQUIRE(block != MAP_FAILED);
    pattern_fill(block, 16384, 7);
    return block;
}

static void huge_lengths(void)
{
    static const size_t claims[] = { INT_MAX, (size_t)INT_MAX + 1, SIZE_MAX };
    uint8_t *data = huge_block_new();

    section("huge lengths on a blocked transport");
    for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++) {
        struct pair p;
        size_t done = 0;

        pair_init_connected(&p, OVER_WIRE, 0);
        wire_default(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_RETRY);
        wire_records_reset(p.wire, WIRE_CLIENT);
        note("claim %zu", claims[i]);
        if (claims[i] == INT_MAX) {
            CHECK(call_write(p.client, data, INT_MAX) == -1);
            CHECK(call_write(p.client, data, INT_MAX) == -1);
        }
        CHECK(call_write_ex(p.client, data, claims[i], &done) == 0);
        wire_records_log(p.wire, WIRE_CLIENT);
        pair_free(&p);
    }
    REQUIRE(munmap(data, HUGE_BLOCK) == 0);
}

/* With partial writes exactly one record goes out, the rest of the claim waits. */
static void huge_length_partial(void)
{
    uint8_t *data = huge_block_new();
    uint8_t got[16384];
    struct pair p;
    size_t done = 0;

    section("INT_MAX with SSL_MODE_ENABLE_PARTIAL_WRITE");
    pair_init_connected(&p, OVER_WIRE, 0);
    (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    wire_records_reset(p.wire, WIRE_CLIENT);
    CHECK(call_write(p.client, data, INT_MAX) == 16384);
    wire_records_log(p.wire, WIRE_CLIENT);
    CHECK(call_read(p.server, got, sizeof(got)) == 16384 && memcmp(data, got, 16384) == 0);
    CHECK(call_write_ex(p.client, data, SIZE_MAX, &done) == 1 && done == 16384);
    CHECK(call_read_ex(p.server, got, INT_MAX, &done) == 1 && done == 16384);
    CHECK(memcmp(data, got, 16384) == 0);
    pair_free(&p);
    REQUIRE(munmap(data, HUGE_BLOCK) == 0);
}

/* Reads may claim any room: one call delivers from one record at most. */
static void huge_reads(void)
{
    struct pair p;
    char got[64];
    size_t done;

    section("reads with huge room");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.client, "first", 5) == 5);
    CHECK(call_write(p.client, "second", 6) == 6);
    CHECK(call_read(p.server, got, INT_MAX) == 5);
    CHECK(call_peek_ex(p.server, got, SIZE_MAX, &done) == 1 && done == 6);
    CHECK(call_read_ex(p.server, got, SIZE_MAX, &done) == 1 && done == 6);
    CHECK(call_read(p.server, got, INT_MAX) == -1);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    write_nothing();
    read_nothing();
    negative();
    odd_lengths_in_other_states();
    exact_blocks();
    huge_lengths();
    huge_length_partial();
    huge_reads();
    identity_default_free();
    return contract_finish();
}
