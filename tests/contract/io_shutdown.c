/*
 * SSL_shutdown in both halves, on blocking and non-blocking transports, with data on the way,
 * during a handshake and during a pending write. SSL_shutdown(3).
 */
#include "contract.h"

#include <stdlib.h>
#include <string.h>

static void one_after_the_other(void)
{
    struct pair p;

    section("each side twice");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_shutdown(p.client) == 0);
    CHECK(call_shutdown(p.client) == -1);
    CHECK(call_shutdown(p.client) == -1);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_shutdown(p.server) == 1);
    CHECK(call_shutdown(p.client) == 1);
    CHECK(call_shutdown(p.client) == 1);
    log_state(p.client);
    log_state(p.server);
    section("both at once");
    pair_free(&p);
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_shutdown(p.client) == 0);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_shutdown(p.client) == 1);
    CHECK(call_shutdown(p.server) == 1);
    pair_free(&p);
}

/* Data that arrives while SSL_shutdown waits for the peer's close_notify. */
static void data_in_the_way(bool read_ahead)
{
    struct pair p;
    char got[16];

    section("data before the peer's close_notify, read_ahead %d", read_ahead);
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.client, read_ahead);
    CHECK(call_write(p.server, "unread", 6) == 6);
    CHECK(call_write(p.server, "and more", 8) == 8);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_shutdown(p.client) == 0);
    (void)call_shutdown(p.client);
    log_state(p.client);
    (void)call_shutdown(p.client);
    log_state(p.client);
    (void)call_read(p.client, got, sizeof(got));
    pair_free(&p);
    section("the same, read before the second SSL_shutdown");
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.client, read_ahead);
    CHECK(call_write(p.server, "unread", 6) == 6);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_shutdown(p.client) == 0);
    CHECK(call_read(p.client, got, sizeof(got)) == 6);
    CHECK(call_read(p.client, got, sizeof(got)) == 0);
    CHECK(call_shutdown(p.client) == 1);
    pair_free(&p);
}

/* Data already decrypted and partly read when the shutdown begins. */
static void pending_data(void)
{
    struct pair p;
    char got[16];

    section("half-read record");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.server, "half and half", 13) == 13);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_read(p.client, got, 4) == 4);
    CHECK(call_shutdown(p.client) == 0);
    (void)call_shutdown(p.client);
    log_state(p.client);
    (void)call_read(p.client, got, sizeof(got));
    (void)call_shutdown(p.client);
    log_state(p.client);
    pair_free(&p);
}

static void blocked_transport(void)
{
    struct pair p;
    char got[16];

    section("close_notify stopped at each byte");
    for (size_t room = 0; room < 24; room++) {
        pair_init_connected(&p, OVER_WIRE, 0);
        wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, room);
        (void)call_shutdown(p.client);
        if (room % 8 == 0) {
            log_state(p.client);
            (void)call_shutdown(p.client);
            (void)call_write(p.client, "x", 1);
            (void)call_read(p.client, got, sizeof(got));
        }
        wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
        (void)call_shutdown(p.client);
        CHECK(call_read(p.server, got, sizeof(got)) == 0);
        CHECK(call_shutdown(p.server) == 1);
        CHECK(call_shutdown(p.client) == 1);
        pair_free(&p);
    }
}

/* A peer's close_notify read by SSL_read while ours is stopped. */
static void blocked_both(void)
{
    struct pair p;
    char got[16];

    section("close_notify of the peer arrives while ours is stopped");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 9);
    CHECK(call_shutdown(p.client) == -1);
    CHECK(call_shutdown(p.server) == 0);
    (void)call_read(p.client, got, sizeof(got));
    (void)call_shutdown(p.client);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    (void)call_shutdown(p.client);
    log_state(p.client);
    CHECK(call_shutdown(p.server) == 1);
    pair_free(&p);
}

/* The manual page lets SSL_shutdown be repeated after WANT_WRITE. The system's library answers the
 * repetition with "bad write retry" and leaves the record in flight unfinished; Tenon finishes that
 * record, and close_notify follows. */
static void during_write(size_t room)
{
    uint8_t *data = pattern_new(20000, 1);
    struct pair p;
    char got[16];
    int ret;

    section("during a pending write, %zu on the wire", room);
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, room);
    CHECK(call_write(p.client, data, 20000) == -1);
    CHECK(call_shutdown(p.client) == -1);
    log_state(p.client);
    CHECK(call_write(p.client, data, 20000) == -1);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    difference_begin("shutdown-after-pending-write");
    ret = call_shutdown(p.client);
    log_state(p.client);
    note("server read %zu", drive_read(p.server, 20000));
    errors_drop();
    (void)call_read(p.server, got, sizeof(got));
    CHECK(!on_tenon() || (ret == 0 && SSL_get_shutdown(p.server) == SSL_RECEIVED_SHUTDOWN));
    difference_end();
    pair_free(&p);
    free(data);
}

static void in_handshake(void)
{
    struct pair p;

    section("before and during the handshake");
    pair_init(&p, OVER_WIRE, 0);
    (void)call_shutdown(p.client);
    log_state(p.client);
    CHECK(call_do_handshake(p.client) == -1);
    (void)call_shutdown(p.client);
    log_state(p.client);
    note("on the wire more than nothing: %d", wire_waiting(p.wire, WIRE_SERVER) > 0);
    CHECK(log_handshake(p.client, p.server));
    log_alive(p.client, p.server);
    section("quiet, before and during the handshake");
    pair_free(&p);
    pair_init(&p, OVER_WIRE, 0);
    SSL_set_quiet_shutdown(p.client, 1);
    (void)call_shutdown(p.client);
    log_state(p.client);
    (void)call_do_handshake(p.client);
    log_state(p.client);
    pair_free(&p);
}

/* The client is through, the server still waits for Finished: the client may already say goodbye.
 */
static void before_peer_finished(void)
{
    struct pair p;
    char got[16];

    if (!pair_is_tls13()) {
        return; /* the server is through first: server_before_client() */
    }

    section("client done, server not");
    pair_init(&p, OVER_MEMORY, 0);
    (void)SSL_do_handshake(p.client);
    (void)SSL_do_handshake(p.server);
    CHECK(call_do_handshake(p.client) == 1);
    (void)call_shutdown(p.server);
    CHECK(call_shutdown(p.client) == 0);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    log_state(p.server);
    CHECK(call_shutdown(p.server) == 1);
    CHECK(call_shutdown(p.client) == 1);
    pair_free(&p);
}

/* The same in TLS 1.2, where the server is through first. */
static void server_before_client(void)
{
    struct pair p;
    char got[16];

    if (pair_is_tls13()) {
        return;
    }
    section("server done, client not");
    pair_init(&p, OVER_MEMORY, 0);
    (void)SSL_do_handshake(p.client);
    (void)SSL_do_handshake(p.server);
    (void)SSL_do_handshake(p.client);
    CHECK(call_do_handshake(p.server) == 1);
    (void)call_shutdown(p.client);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_read(p.client, got, sizeof(got)) == 0);
    log_state(p.client);
    CHECK(call_shutdown(p.client) == 1);
    CHECK(call_shutdown(p.server) == 1);
    pair_free(&p);
}

/* A KeyUpdate of the peer in front of its close_notify. */
static void update_in_the_way(bool auto_retry)
{
    struct pair p;

    section("KeyUpdate before the peer's close_notify, AUTO_RETRY %d", auto_retry);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (!auto_retry) {
        (void)SSL_clear_mode(p.client, SSL_MODE_AUTO_RETRY);
    }
    CHECK(call_key_update(p.server, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    CHECK(call_do_handshake(p.server) == 1);
    CHECK(call_shutdown(p.server) == 0);
    CHECK(call_shutdown(p.client) == 0);
    if (call_shutdown(p.client) != 1) {
        (void)call_shutdown(p.client);
    }
    log_state(p.client);
    pair_free(&p);
}

static void client_body(void *arg)
{
    struct pair *p = arg;

    CHECK(SSL_connect(p->client) == 1);
    CHECK(call_shutdown(p->client) == 0);
    CHECK(call_shutdown(p->client) == 1);
}

static void server_body(void *arg)
{
    struct pair *p = arg;
    char got[8];

    CHECK(SSL_accept(p->server) == 1);
    CHECK(call_read(p->server, got, sizeof(got)) == 0);
    CHECK(call_shutdown(p->server) == 1);
}

static void blocking(void)
{
    struct log_thread *client;
    struct log_thread *server;
    struct pair p;

    section("blocking sockets");
    (void)identity_default();
    pair_init(&p, OVER_SOCKET, 0);
    client = log_thread_start(client_body, &p);
    server = log_thread_start(server_body, &p);
    log_thread_join(client);
    log_thread_join(server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    one_after_the_other();
    data_in_the_way(false);
    data_in_the_way(true);
    pending_data();
    blocked_transport();
    blocked_both();
    during_write(0);
    during_write(10);
    during_write(16406);
    during_write(17000);
    in_handshake();
    before_peer_finished();
    server_before_client();
    if (pair_is_tls13()) {
        update_in_the_way(true);
        update_in_the_way(false);
    }
    blocking();
    identity_default_free();
    return contract_finish();
}
