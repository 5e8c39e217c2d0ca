/*
 * The same conversation over every kind of BIO: pairs of any size, memory, socket, fd, a buffer BIO
 * in front, an own BIO_METHOD, separate read and write BIOs, TLS within TLS. BIO_f_ssl has its own
 * file. SSL_set_bio(3), BIO_s_bio(3), BIO_f_buffer(3).
 * Manual pages: SSL_get_rbio(3).
 */
#include "contract.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH 20000

/* Data both ways in turn, then an orderly end: how often a call must be repeated is not logged. */
static void converse(SSL *client, SSL *server)
{
    uint8_t *data = pattern_new(LENGTH, 1);
    size_t there = 0;
    size_t back = 0;
    int ends[2] = { 0, 0 };

    if (log_handshake(client, server)) {
        there = drive_transfer(client, server, data, LENGTH);
        back = drive_transfer(server, client, data, LENGTH);
        for (int i = 0; i < 1000 && !(ends[0] == 1 && ends[1] == 1); i++) {
            /* A transport smaller than a record needs somebody who reads. */
            ends[0] = SSL_shutdown(client);
            (void)SSL_read(server, data, 1);
            ends[1] = SSL_shutdown(server);
            (void)SSL_read(client, data, 1);
            errors_drop();
        }
    }
    note("there %zu back %zu ends %d %d", there, back, ends[0], ends[1]);
    CHECK(there == LENGTH && back == LENGTH && ends[0] == 1 && ends[1] == 1);
    free(data);
}

static void plain_transports(void)
{
    static const size_t sizes[] = { 1, 2, 3, 4, 5, 6, 7, 16, 17, 100, 1000, 4096, 16405, 17000 };
    struct pair p;

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        section("BIO pair of %zu", sizes[i]);
        pair_init(&p, OVER_BIO_PAIR, sizes[i]);
        converse(p.client, p.server);
        pair_free(&p);
    }
    section("memory BIOs");
    pair_init(&p, OVER_MEMORY, 0);
    converse(p.client, p.server);
    pair_free(&p);
    section("own BIO_METHOD");
    pair_init(&p, OVER_WIRE, 0);
    converse(p.client, p.server);
    pair_free(&p);
    section("non-blocking sockets");
    pair_init(&p, OVER_NONBLOCKING_SOCKET, 0);
    converse(p.client, p.server);
    pair_free(&p);
}

/* Two pipes, each side with an fd BIO to read and one to write. */
static void fd_bios(void)
{
    int fds[2];
    struct pair p;

    section("fd BIOs, one for each direction");
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == 0);
    pair_init(&p, OVER_MEMORY, 0);
    SSL_set_bio(p.client, BIO_new_fd(fds[0], BIO_NOCLOSE), BIO_new_fd(fds[0], BIO_NOCLOSE));
    SSL_set_bio(p.server, BIO_new_fd(fds[1], BIO_NOCLOSE), BIO_new_fd(fds[1], BIO_NOCLOSE));
    converse(p.client, p.server);
    note("fds known: %d %d %d %d", SSL_get_fd(p.client) == fds[0], SSL_get_rfd(p.client) == fds[0],
         SSL_get_wfd(p.server) == fds[1], SSL_get_fd(p.server) == fds[1]);
    pair_free(&p);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static BIO *with_buffer(BIO *bio)
{
    BIO *buffer = BIO_new(BIO_f_buffer());

    REQUIRE(buffer != NULL && bio != NULL);
    return BIO_push(buffer, bio);
}

/* The handshake flushes, data doesn't: the program must, as with any buffer BIO. */
static void buffer_bio_in_front(void)
{
    struct wire *wire;
    struct pair p;
    char got[16];

    section("a buffer BIO in front");
    pair_init(&p, OVER_MEMORY, 0);
    wire = wire_new();
    SSL_set_bio(p.client, wire_bio_new(wire, WIRE_CLIENT),
                with_buffer(wire_bio_new(wire, WIRE_CLIENT)));
    SSL_set_bio(p.server, wire_bio_new(wire, WIRE_SERVER), wire_bio_new(wire, WIRE_SERVER));
    CHECK(log_handshake(p.client, p.server));
    CHECK(call_write(p.client, "hello", 5) == 5);
    note("on the wire %zu, in the buffer %ld", wire_waiting(wire, WIRE_SERVER),
         (long)BIO_wpending(SSL_get_wbio(p.client)));
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    note("flush %d", (int)BIO_flush(SSL_get_wbio(p.client)));
    CHECK(call_read(p.server, got, sizeof(got)) == 5);
    CHECK(call_write(p.client, "more", 4) == 4);
    if (pair_is_tls13()) {
        CHECK(call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        CHECK(call_do_handshake(p.client) == 1);
        note("after the KeyUpdate: in the buffer %ld", (long)BIO_wpending(SSL_get_wbio(p.client)));
    } else {
        CHECK(BIO_flush(SSL_get_wbio(p.client)) == 1);
    }
    CHECK(call_read(p.server, got, sizeof(got)) == 4);
    CHECK(call_write(p.client, "last", 4) == 4);
    CHECK(call_shutdown(p.client) == 0);
    note("after close_notify: in the buffer %ld", (long)BIO_wpending(SSL_get_wbio(p.client)));
    CHECK(call_read(p.server, got, sizeof(got)) == 4);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    pair_free(&p);
    wire_free(wire);
}

/* A buffer BIO on both directions with a transport that stutters. */
static void buffer_bio_with_limits(void)
{
    struct wire *wire;
    struct pair p;
    BIO *bio;
    uint8_t *data = pattern_new(30000, 2);
    size_t there = 0;
    int ret;

    section("a buffer BIO over a transport of 1000 bytes per call");
    pair_init(&p, OVER_MEMORY, 0);
    wire = wire_new();
    wire_default(wire, WIRE_CLIENT, WIRE_WRITE, 1000);
    wire_default(wire, WIRE_CLIENT, WIRE_READ, 1000);
    bio = with_buffer(wire_bio_new(wire, WIRE_CLIENT));
    SSL_set_bio(p.client, bio, bio);
    SSL_set_bio(p.server, wire_bio_new(wire, WIRE_SERVER), wire_bio_new(wire, WIRE_SERVER));
    CHECK(log_handshake(p.client, p.server));
    ret = call_write(p.client, data, 30000);
    CHECK(ret == 30000 && BIO_flush(SSL_get_wbio(p.client)) == 1);
    there = drive_read(p.server, 30000);
    note("there %zu", there);
    pair_free(&p);
    wire_free(wire);
    free(data);
}

/* What the application left in wbio's chain must still be its chain after the handshake. */
static void chain_is_left_alone(void)
{
    struct wire *wire;
    struct pair p;
    BIO *buffer;
    BIO *sink;

    section("SSL_get_wbio during and after the handshake");
    pair_init(&p, OVER_MEMORY, 0);
    wire = wire_new();
    sink = wire_bio_new(wire, WIRE_CLIENT);
    buffer = with_buffer(sink);
    SSL_set_bio(p.client, wire_bio_new(wire, WIRE_CLIENT), buffer);
    SSL_set_bio(p.server, wire_bio_new(wire, WIRE_SERVER), wire_bio_new(wire, WIRE_SERVER));
    note("before: own %d next %d", SSL_get_wbio(p.client) == buffer, BIO_next(buffer) == sink);
    (void)SSL_do_handshake(p.client);
    note("during: own %d next %d", SSL_get_wbio(p.client) == buffer, BIO_next(buffer) == sink);
    CHECK(log_handshake(p.client, p.server));
    note("after: own %d next %d", SSL_get_wbio(p.client) == buffer, BIO_next(buffer) == sink);
    pair_free(&p);
    note("freed: client %zu server %zu", wire_freed(wire, WIRE_CLIENT),
         wire_freed(wire, WIRE_SERVER));
    wire_free(wire);
}

/* The BIOs change between calls: what is half sent continues on the new one. */
static void bio_replaced(void)
{
    struct wire *wire;
    struct pair p;
    char got[16];

    section("write BIO replaced during a pending write");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire = wire_new();
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 10);
    CHECK(call_write(p.client, "hello world", 11) == -1);
    SSL_set0_wbio(p.client, wire_bio_new(wire, WIRE_CLIENT));
    CHECK(call_write(p.client, "hello world", 11) == 11);
    note("old wire %zu, new wire %zu", wire_waiting(p.wire, WIRE_SERVER),
         wire_waiting(wire, WIRE_SERVER));
    {
        uint8_t rest[256];
        BIO *reader = wire_bio_new(wire, WIRE_SERVER);
        int len = BIO_read(reader, rest, sizeof(rest));

        wire_inject(p.wire, WIRE_SERVER, rest, len > 0 ? (size_t)len : 0);
        BIO_free(reader);
    }
    CHECK(call_read(p.server, got, sizeof(got)) == 11);
    pair_free(&p);
    wire_free(wire);
}

/* The inner connection's transport is the outer connection, by BIO_f_ssl. */
static void tls_in_tls(size_t size)
{
    struct pair outer;
    struct pair inner;
    BIO *client_bio = BIO_new(BIO_f_ssl());
    BIO *server_bio = BIO_new(BIO_f_ssl());

    section("TLS in TLS over a BIO pair of %zu", size);
    pair_init(&outer, OVER_BIO_PAIR, size);
    pair_init(&inner, OVER_MEMORY, 0);
    REQUIRE(client_bio != NULL && server_bio != NULL);
    REQUIRE(BIO_set_ssl(client_bio, outer.client, BIO_NOCLOSE) == 1);
    REQUIRE(BIO_set_ssl(server_bio, outer.server, BIO_NOCLOSE) == 1);
    SSL_set_bio(inner.client, client_bio, client_bio);
    SSL_set_bio(inner.server, server_bio, server_bio);
    converse(inner.client, inner.server);
    note("outer still open: %d %d", SSL_get_shutdown(outer.client), SSL_get_shutdown(outer.server));
    log_alive(outer.client, outer.server);
    pair_free(&inner);
    pair_free(&outer);
}

/* A memory BIO says what an empty one means: retry or end of file. */
static void memory_eof(void)
{
    struct pair p;
    char got[8];

    section("BIO_set_mem_eof_return");
    pair_init_connected(&p, OVER_MEMORY, 0);
    CHECK(call_read(p.client, got, sizeof(got)) == -1);
    (void)BIO_set_mem_eof_return(SSL_get_rbio(p.client), 0);
    (void)call_read(p.client, got, sizeof(got));
    pair_free(&p);
    pair_init_connected(&p, OVER_BIO_PAIR, 1000);
    section("BIO_shutdown_wr of a BIO pair");
    (void)BIO_shutdown_wr(SSL_get_wbio(p.server));
    (void)call_read(p.client, got, sizeof(got));
    (void)call_write(p.server, "x", 1);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    plain_transports();
    fd_bios();
    buffer_bio_in_front();
    buffer_bio_with_limits();
    chain_is_left_alone();
    bio_replaced();
    tls_in_tls(1);
    tls_in_tls(100);
    tls_in_tls(20000);
    memory_eof();
    identity_default_free();
    return contract_finish();
}
