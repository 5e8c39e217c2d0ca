/*
 * Reading and writing across renegotiations: writes that are blocked meanwhile, every cut of the
 * transport, SSL_MODE_AUTO_RETRY, SSL_shutdown, floods, and blocking sockets where nobody notices.
 * RFC 5246, 7.4.1; SSL_write(3), SSL_CTX_set_mode(3).
 */
#include "t12_renegotiate.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static char buffer[20000];

/* A write waits on a closed transport when the other side's request comes in. Where the client is
 * the one that asks, the system's server loses the connection ("bad length"). */
static void blocked_write(bool client_asks)
{
    uint8_t *data = pattern_new(20000, 3);
    struct pair p;
    SSL *blocked;
    SSL *asking;

    section("a write is blocked while the %s asks", client_asks ? "client" : "server");
    renegotiation_prepare(&p, OVER_WIRE);
    blocked = client_asks ? p.server : p.client;
    asking = client_asks ? p.client : p.server;
    wire_budget(p.wire, client_asks ? WIRE_SERVER : WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(blocked, data, 20000) == -1);
    renegotiation_ask(asking);
    (void)call_do_handshake(asking);
    if (client_asks) {
        difference_begin("renegotiation-during-blocked-write");
    }
    renegotiation_read_once(blocked);
    (void)call_write(blocked, data, 20000);
    wire_budget(p.wire, client_asks ? WIRE_SERVER : WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    (void)call_write(blocked, data, 20000);
    for (int i = 0; i < 6; i++) {
        renegotiation_read_once(asking);
        renegotiation_read_once(blocked);
        if (i < 3) {
            (void)call_write(blocked, data, 20000);
        }
    }
    renegotiation_log_counters(&p);
    CHECK(!(client_asks && on_tenon()) || SSL_in_init(p.client) == 0);
    difference_end();
    pair_free(&p);
    free(data);
}

/* The length of records has changed since the buffers were made: 3.0.22 makes new ones when it
 * takes the request, and with the old ones goes the record that waits. */
static void fragment_changed(void)
{
    uint8_t *data = pattern_new(600, 3);
    struct pair p;

    section("a write is blocked, records have become shorter");
    renegotiation_prepare(&p, OVER_WIRE);
    REQUIRE(SSL_set_max_send_fragment(p.client, 512) == 1);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(p.client, data, 600) == -1);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    difference_begin("fragment-during-blocked-write");
    renegotiation_read_once(p.client);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    (void)call_write(p.client, data, 600);
    renegotiation_read_in_turn(&p, p.server);
    difference_end();
    pair_free(&p);
    free(data);
}

/* Data in both directions around each of many renegotiations. */
static void many(enum transport transport, int step)
{
    uint8_t *data = pattern_new(5000, 4);
    struct pair p;

    section("many, transport %d, %d bytes a call", (int)transport, step);
    renegotiation_prepare(&p, transport);
    if (transport == OVER_WIRE && step > 0) {
        wire_default(p.wire, WIRE_CLIENT, WIRE_READ, step);
        wire_default(p.wire, WIRE_SERVER, WIRE_READ, step);
        wire_default(p.wire, WIRE_CLIENT, WIRE_WRITE, step);
        wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, step);
    }
    for (int i = 0; i < 6; i++) {
        SSL *asking = i % 2 == 0 ? p.server : p.client;

        CHECK(SSL_renegotiate(asking) == 1);
        CHECK(drive_transfer(p.server, p.client, data, 5000) == 5000);
        CHECK(drive_transfer(p.client, p.server, data, 5000) == 5000);
        CHECK(drive_transfer(p.server, p.client, data, 5000) == 5000);
        renegotiation_log_counters(&p);
    }
    pair_free(&p);
    free(data);
}

static void without_auto_retry(void)
{
    struct pair p;

    section("without SSL_MODE_AUTO_RETRY");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)SSL_clear_mode(p.client, SSL_MODE_AUTO_RETRY);
    (void)SSL_clear_mode(p.server, SSL_MODE_AUTO_RETRY);
    renegotiation_ask(p.server);
    CHECK(call_write(p.server, "data", 4) == 4);
    for (int i = 0; i < 4; i++) {
        renegotiation_read_once(p.client);
        renegotiation_read_once(p.server);
    }
    renegotiation_log_counters(&p);
    renegotiation_ask(p.server);
    CHECK(call_write(p.server, "data", 4) == 4);
    (void)call_peek(p.client, buffer, 10);
    (void)call_peek(p.client, buffer, 10);
    renegotiation_read_in_turn(&p, p.client);
    pair_free(&p);
}

static void amid_shutdown(void)
{
    struct pair p;

    section("SSL_shutdown while it goes on");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_read_once(p.client);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    renegotiation_read_once(p.server);
    renegotiation_read_once(p.client);
    (void)call_shutdown(p.server);
    (void)call_shutdown(p.client);
    pair_free(&p);
    section("SSL_shutdown with a request that waits");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.server);
    (void)call_shutdown(p.server);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.client);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    pair_free(&p);
    section("after close_notify");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)call_shutdown(p.client);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_read_once(p.server);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    pair_free(&p);
}

static void flood(void)
{
    struct pair p;

    section("fifty requests, then the client reads");
    renegotiation_prepare(&p, OVER_MEMORY);
    for (int i = 0; i < 50; i++) {
        CHECK(SSL_renegotiate(p.server) == 1 && SSL_do_handshake(p.server) == 1);
    }
    renegotiation_log_counters(&p);
    renegotiation_read_in_turn(&p, p.client);
    pair_free(&p);
}

/* Each request costs the client a refusal: Tenon's takes 1024 with no data in between. */
static void flood_of_refused(void)
{
    uint8_t *data = pattern_new(100, 4);
    struct pair p;

    section("eleven hundred requests to a client that refuses");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    for (int i = 0; i < 1100; i++) {
        CHECK(SSL_renegotiate(p.server) == 1 && SSL_do_handshake(p.server) == 1);
        /* Data in between, at first. */
        if (i == 20) {
            CHECK(SSL_write(p.server, data, 100) == 100);
            renegotiation_read_once(p.client);
        }
    }
    difference_begin("renegotiation-flood");
    renegotiation_read_once(p.client);
    difference_end();
    pair_free(&p);
    free(data);
}

/* Blocking sockets and threads: nobody notices. */
#define BLOCKING_LEN 100000

static size_t read_all(SSL *ssl, size_t len)
{
    size_t at = 0;

    while (at < len) {
        int ret = SSL_read(ssl, buffer, sizeof(buffer));

        if (ret <= 0 && SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ) {
            break;
        }
        at += ret > 0 ? (size_t)ret : 0;
    }
    return at;
}

static void client_body(void *arg)
{
    struct pair *p = arg;
    uint8_t *data = pattern_new(BLOCKING_LEN, 5);

    CHECK(SSL_connect(p->client) == 1);
    for (int i = 0; i < 4; i++) {
        (void)call_write(p->client, data, BLOCKING_LEN);
        CHECK(read_all(p->client, 4) == 4);
        if (i == 2) {
            CHECK(SSL_renegotiate(p->client) == 1);
        }
    }
    CHECK(call_shutdown(p->client) == 0);
    CHECK(call_shutdown(p->client) == 1);
    free(data);
}

static void server_body(void *arg)
{
    struct pair *p = arg;
    static char own[16384];

    CHECK(SSL_accept(p->server) == 1);
    for (int i = 0; i < 4; i++) {
        size_t at = 0;

        while (at < BLOCKING_LEN) {
            int ret = SSL_read(p->server, own, sizeof(own));

            if (ret <= 0) {
                CHECK(SSL_get_error(p->server, ret) == SSL_ERROR_WANT_READ);
                continue;
            }
            at += (size_t)ret;
        }
        note("server got %zu", at);
        if (i < 2) {
            CHECK(SSL_renegotiate(p->server) == 1);
        }
        CHECK(call_write(p->server, "next", 4) == 4);
    }
    (void)call_read(p->server, own, sizeof(own));
    CHECK(call_shutdown(p->server) == 1);
}

static void blocking(void)
{
    struct log_thread *client;
    struct log_thread *server;
    struct pair p;

    section("blocking sockets, two threads");
    pair_init(&p, OVER_SOCKET, 0);
    (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    client = log_thread_start(client_body, &p);
    server = log_thread_start(server_body, &p);
    log_thread_join(client);
    log_thread_join(server);
    renegotiation_log_counters(&p);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    (void)identity_default();
    pair_version = TLS1_2_VERSION;
    blocked_write(false);
    blocked_write(true);
    fragment_changed();
    many(OVER_MEMORY, 0);
    many(OVER_WIRE, 1);
    many(OVER_WIRE, 7);
    without_auto_retry();
    amid_shutdown();
    flood();
    flood_of_refused();
    blocking();
    identity_default_free();
    return contract_finish();
}
