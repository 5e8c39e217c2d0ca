/*
 * Renegotiation and the calls around it: asked for before, during and after a handshake, beside
 * SSL_shutdown and SSL_clear, and data in flight that meets another call than a read.
 * SSL_renegotiate(3), SSL_shutdown(3), SSL_clear(3).
 */
#include "t12_renegotiate.h"

#include <stdlib.h>
#include <string.h>

static char buffer[20000];

/* The client greets again, the server answers; then one of them asks once more. 3.0.22's client
 * waits for an answer to a hello that it has never sent, and its server, which has forgotten that
 * it asked, takes the client's hello only where a client may ask by itself. */
static void again(bool by_server)
{
    struct pair p;

    section("asked again while it goes on, by the %s", by_server ? "server" : "client");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)SSL_clear_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_read_once(p.client);
    renegotiation_read_once(p.server);
    renegotiation_log_counters(&p);
    if (!by_server) {
        (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    }
    renegotiation_ask(by_server ? p.server : p.client);
    renegotiation_log_counters(&p);
    difference_begin("renegotiate-while-it-goes-on");
    for (int i = 0; i < 2; i++) {
        renegotiation_read_in_turn(&p, p.client);
    }
    CHECK(!on_tenon() || SSL_total_renegotiations(by_server ? p.server : p.client) == 2);
    difference_end();
    pair_free(&p);
}

/* At the same time, before either of them knows. */
static void amid_first(bool by_server, int steps)
{
    struct pair p;

    section("asked %d steps into the first handshake, by the %s", steps,
            by_server ? "server" : "client");
    pair_init(&p, OVER_MEMORY, 0);
    (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    for (int i = 0; i < steps; i++) {
        (void)call_do_handshake(i % 2 == 0 ? p.client : p.server);
    }
    renegotiation_ask(by_server ? p.server : p.client);
    renegotiation_log_counters(&p);
    for (int i = 0; i < 3; i++) {
        (void)call_do_handshake(p.client);
        (void)call_do_handshake(p.server);
        if (steps > 1 && i == 1) {
            difference_begin("renegotiate-while-it-goes-on");
        }
    }
    if (steps > 1) {
        renegotiation_read_in_turn(&p, p.client);
    }
    difference_end();
    pair_free(&p);
}

static void log_shutdown(struct pair *p)
{
    note("shutdown: client %d, server %d", SSL_get_shutdown(p->client),
         SSL_get_shutdown(p->server));
}

enum next_call { NEXT_PEEK, NEXT_HANDSHAKE, NEXT_SHUTDOWN, NEXT_ANSWER };

/* Who greets again, or asks for it, forgets that it has said goodbye. */
static void beside_shutdown(bool by_server, enum next_call next)
{
    struct pair p;
    SSL *asking;
    SSL *other;

    section("SSL_shutdown behind the %s's request, then %d", by_server ? "server" : "client",
            (int)next);
    renegotiation_prepare(&p, OVER_MEMORY);
    asking = by_server ? p.server : p.client;
    other = by_server ? p.client : p.server;
    renegotiation_ask(asking);
    (void)call_shutdown(asking);
    log_shutdown(&p);
    switch (next) {
    case NEXT_PEEK:
        (void)call_peek(asking, buffer, 100);
        break;
    case NEXT_HANDSHAKE:
        (void)call_do_handshake(asking);
        break;
    case NEXT_SHUTDOWN:
        (void)call_shutdown(asking);
        break;
    case NEXT_ANSWER:
        renegotiation_read_once(other);
        (void)call_shutdown(other);
        renegotiation_read_once(asking);
        break;
    }
    log_shutdown(&p);
    renegotiation_log_counters(&p);
    (void)call_write(asking, "data", 4);
    for (int i = 0; i < 3; i++) {
        renegotiation_read_once(other);
        renegotiation_read_once(asking);
        log_shutdown(&p);
    }
    (void)call_write(other, "data", 4);
    renegotiation_read_once(asking);
    for (int i = 0; i < 4; i++) {
        (void)call_shutdown(i % 2 == 0 ? asking : other);
        log_shutdown(&p);
    }
    pair_free(&p);
}

/* After our close_notify what comes of a handshake is dropped, and without SSL_MODE_AUTO_RETRY the
 * call ends with it. */
static void dropped(bool auto_retry, bool by_shutdown)
{
    struct pair p;

    section("a request behind our close_notify, auto_retry %d, SSL_shutdown %d", auto_retry,
            by_shutdown);
    renegotiation_prepare(&p, OVER_MEMORY);
    if (!auto_retry) {
        (void)SSL_clear_mode(p.client, SSL_MODE_AUTO_RETRY);
    }
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    if (!by_shutdown) {
        CHECK(call_write(p.server, "data", 4) == 4);
    }
    (void)call_shutdown(p.client);
    for (int i = 0; i < 3; i++) {
        if (by_shutdown) {
            (void)call_shutdown(p.client);
        } else {
            (void)call_read(p.client, buffer, 2);
        }
    }
    renegotiation_log_counters(&p);
    pair_free(&p);
}

static void cleared(bool asked, bool begun)
{
    struct pair p;

    section("SSL_clear, asked %d begun %d", asked, begun);
    renegotiation_prepare(&p, OVER_MEMORY);
    SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN);
    if (asked) {
        renegotiation_ask(p.client);
    }
    if (begun) {
        (void)call_do_handshake(p.client);
    }
    (void)log_call(p.client, "SSL_clear", SSL_clear(p.client));
    log_shutdown(&p);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    pair_free(&p);
}

/* A write that meets data in flight loses the connection, unless the read before it has met some:
 * then it waits for the next read. */
static void data_meets_write(bool read_first)
{
    struct pair p;

    section("data in flight meets SSL_write, %s", read_first ? "behind SSL_read" : "alone");
    renegotiation_prepare(&p, OVER_MEMORY);
    CHECK(call_write(p.server, "some data", 9) == 9);
    CHECK(call_write(p.server, "and more", 8) == 8);
    CHECK(call_read(p.client, buffer, 4) == 4);
    log_state(p.client);
    renegotiation_ask(p.client);
    if (read_first) {
        CHECK(call_read(p.client, buffer, 1) == 1);
        log_state(p.client);
    }
    for (int i = 0; i < 2; i++) {
        (void)call_write(p.client, "hello", 5);
        (void)call_do_handshake(p.client);
        renegotiation_read_once(p.client);
        log_state(p.client);
    }
    renegotiation_read_once(p.server);
    (void)call_write(p.client, "hello", 5);
    (void)call_write(p.client, "hello", 5);
    renegotiation_read_in_turn(&p, p.server);
    pair_free(&p);
}

/* The peer's stream has ended, which this side doesn't mind; a renegotiation still waits. */
static void after_end(void)
{
    struct pair p;

    section("the stream has ended");
    renegotiation_prepare(&p, OVER_WIRE);
    (void)SSL_set_options(p.server, SSL_OP_IGNORE_UNEXPECTED_EOF);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_read_once(p.server);
    CHECK(wire_waiting(p.wire, WIRE_CLIENT) > 0);
    renegotiation_read_once(p.client);
    wire_close_towards(p.wire, WIRE_SERVER);
    SSL_set_shutdown(p.server, SSL_RECEIVED_SHUTDOWN);
    for (int i = 0; i < 3; i++) {
        (void)call_write(p.server, "data", 4);
        log_state(p.server);
    }
    pair_free(&p);
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    again(true);
    again(false);
    for (int steps = 0; steps < 3; steps++) {
        amid_first(true, steps);
        amid_first(false, steps);
    }
    for (int next = NEXT_PEEK; next <= NEXT_ANSWER; next++) {
        beside_shutdown(true, (enum next_call)next);
        beside_shutdown(false, (enum next_call)next);
    }
    dropped(true, false);
    dropped(false, false);
    dropped(true, true);
    dropped(false, true);
    cleared(true, false);
    cleared(true, true);
    cleared(false, false);
    data_meets_write(true);
    data_meets_write(false);
    after_end();
    identity_default_free();
    return contract_finish();
}
