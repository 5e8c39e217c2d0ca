/*
 * The ends of a connection: close_notify of each side, fatal alerts, a truncated stream, a
 * transport that fails. SSL_shutdown(3), SSL_get_error(3), SSL_CTX_set_options(3),
 * SSL_set_shutdown(3).
 * Manual pages: SSL_CTX_set_quiet_shutdown(3).
 */
#include "contract.h"

#include <string.h>

static void all_calls(SSL *ssl)
{
    char got[16];

    (void)call_read(ssl, got, sizeof(got));
    (void)call_peek(ssl, got, sizeof(got));
    (void)call_write(ssl, "more", 4);
    (void)call_do_handshake(ssl);
    (void)call_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    log_state(ssl);
    (void)call_shutdown(ssl);
    log_state(ssl);
}

static void half_closed(void)
{
    struct pair p;
    char got[16];

    section("client closes its half: the other half goes on");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.client, "bye", 3) == 3);
    CHECK(call_shutdown(p.client) == 0);
    log_state(p.client);
    CHECK(call_write(p.client, "x", 1) == -1);
    CHECK(call_read(p.server, got, sizeof(got)) == 3);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    log_state(p.server);
    CHECK(call_write(p.server, "still here", 10) == 10);
    CHECK(call_read(p.client, got, sizeof(got)) == 10);
    CHECK(call_read(p.client, got, sizeof(got)) == -1);
    section("then the other");
    CHECK(call_shutdown(p.server) == 1);
    CHECK(call_shutdown(p.server) == 1);
    log_state(p.server);
    CHECK(call_read(p.client, got, sizeof(got)) == 0);
    log_state(p.client);
    all_calls(p.client);
    all_calls(p.server);
    pair_free(&p);
}

/* What the peer sends after its close_notify is not seen, unless the flag is taken back. */
static void data_after_close_notify(void)
{
    struct pair p;
    char got[16];

    section("data after close_notify");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_shutdown(p.client) == 0);
    SSL_set_shutdown(p.client, 0);
    CHECK(call_write(p.client, "late", 4) == 4);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    if (pair_version == TLS1_VERSION) {
        log_difference("empty-record-first", "on the wire %zu", wire_waiting(p.wire, WIRE_SERVER));
    } else {
        note("on the wire %zu", wire_waiting(p.wire, WIRE_SERVER));
    }
    SSL_set_shutdown(p.server, 0);
    (void)call_read(p.server, got, sizeof(got));
    log_state(p.server);
    pair_free(&p);
}

/* A flipped bit makes the server send bad_record_mac and the client receive it. */
static void fatal_alert(void)
{
    struct pair p;
    char got[16];

    section("a flipped bit: the side that finds it");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.client, "good", 4) == 4);
    CHECK(call_write(p.client, "bad", 3) == 3);
    wire_flip(p.wire, WIRE_SERVER, wire_waiting(p.wire, WIRE_SERVER) - 1);
    CHECK(call_read(p.server, got, sizeof(got)) == 4);
    wire_records_reset(p.wire, WIRE_SERVER);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    wire_records_log(p.wire, WIRE_SERVER);
    all_calls(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    section("the side that is told");
    (void)call_write(p.client, "unaware", 7);
    (void)call_read(p.client, got, sizeof(got));
    log_state(p.client);
    (void)call_read(p.client, got, sizeof(got));
    all_calls(p.client);
    pair_free(&p);
}

/* The alert waits behind a half-sent record; the record is not finished by reading. */
static void fatal_alert_behind_write(void)
{
    struct pair p;
    char got[16];

    section("a fatal alert while a write is pending");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_SERVER, WIRE_WRITE, 10);
    CHECK(call_write(p.server, "pending data", 12) == -1);
    CHECK(call_write(p.client, "bad", 3) == 3);
    wire_flip(p.wire, WIRE_SERVER, wire_waiting(p.wire, WIRE_SERVER) - 1);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    note("on the wire %zu", wire_waiting(p.wire, WIRE_CLIENT));
    wire_budget(p.wire, WIRE_SERVER, WIRE_WRITE, WIRE_UNLIMITED);
    (void)call_write(p.server, "pending data", 12);
    (void)call_read(p.server, got, sizeof(got));
    (void)call_shutdown(p.server);
    note("on the wire %zu", wire_waiting(p.wire, WIRE_CLIENT));
    (void)call_read(p.client, got, sizeof(got));
    pair_free(&p);
}

/* The transport ends after `keep` bytes of the record that carries "data". */
static void truncated(bool ignore, size_t keep)
{
    struct pair p;
    char got[16];

    section("the stream ends after %zu bytes, IGNORE_UNEXPECTED_EOF %d", keep, ignore);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (ignore) {
        (void)SSL_set_options(p.server, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    CHECK(call_write(p.client, "data", 4) == 4);
    wire_truncate(p.wire, WIRE_SERVER, keep);
    wire_close_towards(p.wire, WIRE_SERVER);
    wire_records_reset(p.wire, WIRE_SERVER);
    for (int i = 0; i < 3; i++) {
        (void)call_read(p.server, got, sizeof(got));
    }
    log_state(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    (void)call_write(p.server, "answer", 6);
    (void)call_shutdown(p.server);
    log_state(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    pair_free(&p);
}

/* The same while SSL_shutdown waits for the peer's half, and by peek. */
static void truncated_in_other_calls(bool ignore)
{
    struct pair p;
    char got[16];

    section("the stream ends under SSL_shutdown and SSL_peek, IGNORE_UNEXPECTED_EOF %d", ignore);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (ignore) {
        (void)SSL_set_options(p.client, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    CHECK(call_shutdown(p.client) == 0);
    wire_close_towards(p.wire, WIRE_CLIENT);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.client);
    log_state(p.client);
    pair_free(&p);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (ignore) {
        (void)SSL_set_options(p.client, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    wire_close_towards(p.wire, WIRE_CLIENT);
    (void)call_peek(p.client, got, sizeof(got));
    (void)call_peek(p.client, got, sizeof(got));
    (void)call_shutdown(p.client);
    log_state(p.client);
    pair_free(&p);
}

static void truncated_handshake(bool ignore)
{
    struct pair p;
    char got[16];

    section("the stream ends in the handshake, IGNORE_UNEXPECTED_EOF %d", ignore);
    pair_init(&p, OVER_WIRE, 0);
    if (ignore) {
        (void)SSL_set_options(p.client, SSL_OP_IGNORE_UNEXPECTED_EOF);
        (void)SSL_set_options(p.server, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    (void)call_do_handshake(p.client);
    wire_truncate(p.wire, WIRE_SERVER, 30);
    wire_close_towards(p.wire, WIRE_CLIENT);
    wire_close_towards(p.wire, WIRE_SERVER);
    (void)call_do_handshake(p.server);
    (void)call_read(p.server, got, sizeof(got));
    (void)call_read(p.client, got, sizeof(got));
    (void)call_write(p.client, "x", 1);
    log_state(p.client);
    log_state(p.server);
    pair_free(&p);
}

static void flags_set_by_hand(void)
{
    static const int flags[] = { SSL_SENT_SHUTDOWN, SSL_RECEIVED_SHUTDOWN,
                                 SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN };
    struct pair p;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        section("SSL_set_shutdown %d", flags[i]);
        pair_init_connected(&p, OVER_WIRE, 0);
        CHECK(call_write(p.server, "unseen", 6) == 6);
        wire_records_reset(p.wire, WIRE_CLIENT);
        SSL_set_shutdown(p.client, flags[i]);
        all_calls(p.client);
        wire_records_log(p.wire, WIRE_CLIENT);
        pair_free(&p);
    }
}

static void quiet(bool by_ctx)
{
    struct pair p;

    section("quiet shutdown set on the %s", by_ctx ? "context" : "SSL");
    if (by_ctx) {
        SSL_CTX *ctx = client_ctx_new();

        SSL_CTX_set_quiet_shutdown(ctx, 1);
        note("ctx %d", SSL_CTX_get_quiet_shutdown(ctx));
        pair_init_ctx(&p, ctx, server_ctx_new(), OVER_WIRE, 0);
        CHECK(drive_handshake(p.client, p.server));
    } else {
        pair_init_connected(&p, OVER_WIRE, 0);
        SSL_set_quiet_shutdown(p.client, 1);
    }
    note("ssl %d", SSL_get_quiet_shutdown(p.client));
    wire_records_reset(p.wire, WIRE_CLIENT);
    CHECK(call_shutdown(p.client) == 1);
    log_state(p.client);
    wire_records_log(p.wire, WIRE_CLIENT);
    all_calls(p.client);
    pair_free(&p);
}

/* One failing call of the transport; the next ones would succeed. */
static void transport_error(enum wire_call call, int step, const char *name)
{
    struct pair p;
    char got[16];

    section("transport: %s %s once", call == WIRE_READ ? "read" : "write", name);
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.server, "data", 4) == 4);
    wire_script(p.wire, WIRE_CLIENT, call, &step, 1);
    if (call == WIRE_READ) {
        (void)call_read(p.client, got, sizeof(got));
    } else {
        (void)call_write(p.client, "request", 7);
    }
    log_state(p.client);
    (void)call_read(p.client, got, sizeof(got));
    (void)call_write(p.client, "request", 7);
    (void)call_read(p.server, got, sizeof(got));
    (void)call_read(p.server, got, sizeof(got));
    (void)call_shutdown(p.client);
    pair_free(&p);
}

static void transport_error_in_handshake(enum wire_call call, int step, const char *name)
{
    struct pair p;

    section("handshake, transport: %s %s once", call == WIRE_READ ? "read" : "write", name);
    pair_init(&p, OVER_WIRE, 0);
    wire_script(p.wire, WIRE_CLIENT, call, &step, 1);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.client);
    log_state(p.client);
    pair_free(&p);
}

int main(void)
{
    static const struct {
        int step;
        const char *name;
    } errors[] = { { WIRE_FATAL, "fails" }, { WIRE_RESET, "resets" }, { WIRE_EOF, "returns 0" } };
    static const size_t kept[] = { 0, 1, 5, 6, 25, 26 };

    contract_start();
    half_closed();
    data_after_close_notify();
    fatal_alert();
    fatal_alert_behind_write();
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
        truncated(false, kept[i]);
        truncated(true, kept[i]);
    }
    truncated_in_other_calls(false);
    truncated_in_other_calls(true);
    truncated_handshake(false);
    truncated_handshake(true);
    flags_set_by_hand();
    quiet(true);
    quiet(false);
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        transport_error(WIRE_READ, errors[i].step, errors[i].name);
        transport_error(WIRE_WRITE, errors[i].step, errors[i].name);
        transport_error_in_handshake(WIRE_READ, errors[i].step, errors[i].name);
        transport_error_in_handshake(WIRE_WRITE, errors[i].step, errors[i].name);
    }
    identity_default_free();
    return contract_finish();
}
