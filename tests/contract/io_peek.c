/*
 * Looking without taking: SSL_peek, SSL_peek_ex, SSL_pending, SSL_has_pending, in combination with
 * read_ahead. SSL_read(3), SSL_pending(3), SSL_CTX_set_read_ahead(3).
 */
#include "contract.h"

#include <stdlib.h>
#include <string.h>

static void peek_and_read(bool read_ahead)
{
    struct pair p;
    char got[16];
    size_t done;

    section("peek, then read in parts, read_ahead %d", read_ahead);
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.server, read_ahead);
    note("read_ahead %d", SSL_get_read_ahead(p.server));
    CHECK(call_peek(p.server, got, sizeof(got)) == -1);
    CHECK(call_write(p.client, "first", 5) == 5);
    CHECK(call_write(p.client, "second", 6) == 6);
    CHECK(call_write(p.client, "third", 5) == 5);
    log_state(p.server);
    CHECK(call_peek(p.server, got, 2) == 2);
    log_state(p.server);
    CHECK(call_peek(p.server, got, sizeof(got)) == 5);
    CHECK(call_peek_ex(p.server, got, sizeof(got), &done) == 1 && done == 5);
    CHECK(call_read(p.server, got, 3) == 3);
    log_state(p.server);
    CHECK(call_peek(p.server, got, sizeof(got)) == 2);
    CHECK(call_read_ex(p.server, got, 1, &done) == 1 && done == 1);
    log_state(p.server);
    CHECK(call_read(p.server, got, sizeof(got)) == 1);
    log_state(p.server);
    CHECK(call_peek(p.server, got, sizeof(got)) == 6);
    log_state(p.server);
    CHECK(call_read(p.server, got, sizeof(got)) == 6);
    log_state(p.server);
    note("on the wire %zu", wire_waiting(p.wire, WIRE_SERVER));
    CHECK(call_read(p.server, got, sizeof(got)) == 5);
    log_state(p.server);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    log_state(p.server);
    pair_free(&p);
}

/* SSL_has_pending knows of half a record, SSL_pending only of data to deliver. */
static void half_a_record(bool read_ahead)
{
    static const size_t rooms[] = { 1, 4, 5, 6, 20, 21 };
    struct pair p;
    char got[16];

    section("half a record, read_ahead %d", read_ahead);
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.server, read_ahead);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        CHECK(call_write(p.client, "x", 1) == 1);
        wire_budget(p.wire, WIRE_SERVER, WIRE_READ, rooms[i]);
        (void)call_peek(p.server, got, sizeof(got));
        log_state(p.server);
        (void)call_peek(p.server, NULL, 0);
        wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
        CHECK(call_read(p.server, got, sizeof(got)) == 1);
        log_state(p.server);
    }
    pair_free(&p);
}

/* With read_ahead, what was read ahead stays available when read_ahead ends. */
static void read_ahead_switched(void)
{
    struct pair p;
    char got[16];

    section("read_ahead switched off with records in the buffer");
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.server, 1);
    CHECK(call_write(p.client, "one", 3) == 3);
    CHECK(call_write(p.client, "two", 3) == 3);
    CHECK(call_write(p.client, "three", 5) == 5);
    CHECK(call_read(p.server, got, sizeof(got)) == 3);
    note("on the wire %zu", wire_waiting(p.wire, WIRE_SERVER));
    SSL_set_read_ahead(p.server, 0);
    log_state(p.server);
    CHECK(call_read(p.server, got, sizeof(got)) == 3);
    CHECK(call_read(p.server, got, sizeof(got)) == 5);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    pair_free(&p);
}

/* How much one BIO_read asks for is what custom BIOs see. */
static void asked_sizes(bool read_ahead)
{
    uint8_t *data = pattern_new(16384, 1);
    struct pair p;

    section("sizes asked of the BIO, read_ahead %d", read_ahead);
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.server, read_ahead);
    CHECK(call_write(p.client, "abc", 3) == 3);
    CHECK(call_write(p.client, data, 16384) == 16384);
    wire_trace(p.wire, WIRE_SERVER, !read_ahead);
    (void)drive_read(p.server, 3);
    (void)drive_read(p.server, 16384);
    (void)drive_read(p.server, 1);
    pair_free(&p);
    free(data);
}

static void context_setting(void)
{
    SSL_CTX *ctx = server_ctx_new();
    SSL *ssl;

    section("read_ahead and default_read_buffer_len of a context");
    note("get %d", (int)SSL_CTX_get_read_ahead(ctx));
    note("set 1: %ld", SSL_CTX_set_read_ahead(ctx, 1));
    note("set 7: %ld", SSL_CTX_set_read_ahead(ctx, 7));
    note("get %d", (int)SSL_CTX_get_read_ahead(ctx));
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("ssl %d", SSL_get_read_ahead(ssl));
    SSL_set_read_ahead(ssl, 0);
    note("ssl %d", SSL_get_read_ahead(ssl));
    note("ctx %d", (int)SSL_CTX_get_read_ahead(ctx));
    log_errors("queue");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* A large read buffer with read_ahead takes many records at once; all of them arrive. */
static void large_read_buffer(void)
{
    struct pair p;
    uint8_t *data = pattern_new(100000, 2);

    section("read buffer of 65536 and read_ahead");
    pair_init(&p, OVER_WIRE, 0);
    SSL_set_default_read_buffer_len(p.server, 65536);
    SSL_set_read_ahead(p.server, 1);
    CHECK(drive_handshake(p.client, p.server));
    CHECK(call_write(p.client, data, 100000) == 100000);
    note("read %zu", drive_read(p.server, 100000));
    log_state(p.server);
    pair_free(&p);
    free(data);
}

/* Peeked data that is followed by close_notify: first the data, then the end, each by peek too. */
static void peek_the_end(void)
{
    struct pair p;
    char got[16];

    section("peek before and at close_notify");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.client, "last", 4) == 4);
    CHECK(call_shutdown(p.client) == 0);
    CHECK(call_peek(p.server, got, sizeof(got)) == 4);
    log_state(p.server);
    CHECK(call_read(p.server, got, sizeof(got)) == 4);
    CHECK(call_peek(p.server, got, sizeof(got)) == 0);
    log_state(p.server);
    CHECK(call_peek(p.server, got, sizeof(got)) == 0);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    pair_free(&p);
}

/* Buffers may go whenever nothing is in them, and come back by themselves. */
static void buffers_freed(void)
{
    uint8_t *data = pattern_new(1000, 3);
    struct pair p;
    char got[16];

    section("SSL_free_buffers and SSL_alloc_buffers");
    pair_init_connected(&p, OVER_WIRE, 0);
    log_call(p.client, "SSL_free_buffers", SSL_free_buffers(p.client));
    log_call(p.client, "SSL_free_buffers", SSL_free_buffers(p.client));
    log_call(p.client, "SSL_alloc_buffers", SSL_alloc_buffers(p.client));
    log_call(p.client, "SSL_alloc_buffers", SSL_alloc_buffers(p.client));
    log_call(p.server, "SSL_free_buffers", SSL_free_buffers(p.server));
    log_alive(p.client, p.server);
    CHECK(call_write(p.client, data, 1000) == 1000);
    CHECK(call_read(p.server, got, sizeof(got)) == sizeof(got));
    log_call(p.server, "SSL_free_buffers, half-read", SSL_free_buffers(p.server));
    CHECK(drive_read(p.server, 1000 - sizeof(got)) == 1000 - sizeof(got));
    CHECK(call_write(p.client, data, 1000) == 1000);
    wire_budget(p.wire, WIRE_SERVER, WIRE_READ, 300);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    log_call(p.server, "SSL_free_buffers, half-received", SSL_free_buffers(p.server));
    wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
    CHECK(drive_read(p.server, 1000) == 1000);
    for (size_t len = 1; len <= 6; len++) {
        CHECK(call_write(p.client, data, 1000) == 1000);
        wire_budget(p.wire, WIRE_SERVER, WIRE_READ, len);
        CHECK(call_read(p.server, got, sizeof(got)) == -1);
        note("%zu bytes of a record have come", len);
        log_call(p.server, "SSL_free_buffers", SSL_free_buffers(p.server));
        note("pending %d", SSL_has_pending(p.server));
        wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
        CHECK(drive_read(p.server, 1000) == 1000);
    }
    CHECK(call_write(p.client, data, 1000) == 1000);
    wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
    CHECK(drive_read(p.server, 1000) == 1000);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 300);
    CHECK(call_write(p.client, data, 1000) == -1);
    log_call(p.client, "SSL_free_buffers, half-sent", SSL_free_buffers(p.client));
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 1000) == 1000);
    CHECK(drive_read(p.server, 1000) == 1000);
    log_alive(p.client, p.server);
    pair_free(&p);
    free(data);
}

/* No data before its time; what the handshake still waits for is not "pending". */
static void before_and_after_handshake(void)
{
    struct pair p;

    section("SSL_pending around the handshake");
    pair_init(&p, OVER_WIRE, 0);
    log_state(p.client);
    (void)SSL_do_handshake(p.client);
    log_state(p.client);
    wire_budget(p.wire, WIRE_SERVER, WIRE_READ, 3);
    (void)SSL_do_handshake(p.server);
    log_state(p.server);
    wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
    CHECK(log_handshake(p.client, p.server));
    log_state(p.client);
    log_state(p.server);
    errors_drop();
    pair_free(&p);
}

int main(void)
{
    contract_start();
    peek_and_read(false);
    peek_and_read(true);
    half_a_record(false);
    half_a_record(true);
    read_ahead_switched();
    asked_sizes(false);
    asked_sizes(true);
    context_setting();
    large_read_buffer();
    peek_the_end();
    buffers_freed();
    before_and_after_handshake();
    identity_default_free();
    return contract_finish();
}
