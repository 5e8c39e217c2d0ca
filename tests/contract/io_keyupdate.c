/*
 * SSL_key_update of both kinds: when the message goes out, what stands in its way, and how many may
 * follow each other. SSL_key_update(3), SSL_get_key_update_type(3).
 */
#include "contract.h"

#include <stdlib.h>

static void log_type(SSL *ssl)
{
    note("%s key_update_type %d in_init %d", ssl_get_name(ssl), SSL_get_key_update_type(ssl),
         SSL_in_init(ssl));
}

static void refused(void)
{
    struct pair p;

    section("refusals");
    pair_init(&p, OVER_WIRE, 0);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)SSL_do_handshake(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    CHECK(log_handshake(p.client, p.server));
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NONE);
    (void)call_key_update(p.client, 2);
    (void)call_key_update(p.client, 7);
    log_type(p.client);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* Nothing is sent by SSL_key_update itself. */
static void sent_by(int type, const char *how)
{
    struct pair p;
    char got[16];

    section("type %d, sent by %s", type, how);
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_records_reset(p.wire, WIRE_CLIENT);
    wire_records_reset(p.wire, WIRE_SERVER);
    CHECK(call_key_update(p.client, type) == 1);
    log_type(p.client);
    wire_records_log(p.wire, WIRE_CLIENT);
    switch (how[0]) {
    case 'w':
        CHECK(call_write(p.client, "data", 4) == 4);
        break;
    case 'r':
        (void)call_read(p.client, got, sizeof(got));
        break;
    case 'p':
        (void)call_peek(p.client, got, sizeof(got));
        break;
    case 'e':
        (void)call_write(p.client, "", 0);
        break;
    default:
        CHECK(call_do_handshake(p.client) == 1);
        break;
    }
    log_type(p.client);
    wire_records_log(p.wire, WIRE_CLIENT);
    (void)call_read(p.server, got, sizeof(got));
    log_type(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    (void)call_write(p.server, "answer", 6);
    log_type(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    (void)call_read(p.client, got, sizeof(got));
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* Asked again before the first was sent: one message; a mix of kinds: the last one counts. */
static void asked_twice(int first, int second)
{
    struct pair p;
    int ret;

    section("type %d, then %d before anything is sent", first, second);
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_records_reset(p.wire, WIRE_CLIENT);
    wire_records_reset(p.wire, WIRE_SERVER);
    CHECK(call_key_update(p.client, first) == 1);
    ret = call_key_update(p.client, second);
    log_type(p.client);
    note("second %d", ret);
    log_alive(p.client, p.server);
    wire_records_log(p.wire, WIRE_CLIENT);
    wire_records_log(p.wire, WIRE_SERVER);
    pair_free(&p);
}

static void during_pending_write(int type)
{
    uint8_t *data = pattern_new(1000, 1);
    struct pair p;

    section("type %d during a pending write", type);
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 10);
    CHECK(call_write(p.client, data, 1000) == -1);
    (void)call_key_update(p.client, type);
    log_type(p.client);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 1000) == 1000);
    CHECK(drive_read(p.server, 1000) == 1000);
    CHECK(call_key_update(p.client, type) == 1);
    log_alive(p.client, p.server);
    pair_free(&p);
    free(data);
}

/* The KeyUpdate itself is stopped: SSL_write then has not begun yet. */
static void stopped_itself(void)
{
    uint8_t *data = pattern_new(100, 2);
    uint8_t *other = pattern_new(50, 3);
    struct pair p;
    char got[64];

    section("a KeyUpdate stopped at each byte");
    pair_init_connected(&p, OVER_WIRE, 0);
    for (size_t room = 0; room < 27; room += 3) {
        CHECK(call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, room);
        CHECK(call_write(p.client, data, 100) == -1);
        log_type(p.client);
        (void)call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED);
        CHECK(call_read(p.client, got, sizeof(got)) == -1);
        wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
        /* Another buffer and length: the first call promised nothing yet. */
        CHECK(call_write(p.client, other, 50) == 50);
        log_type(p.client);
        CHECK(call_read(p.server, got, sizeof(got)) == 50);
    }
    log_alive(p.client, p.server);
    pair_free(&p);
    free(data);
    free(other);
}

/* More than any small limit, each with a byte of data or without. */
static void many(int count, bool with_data, int type)
{
    struct pair p;
    char got[16];
    int sent = 0;
    int arrived = 0;

    section("%d in a row, type %d, with data %d", count, type, with_data);
    pair_init_connected(&p, OVER_WIRE, 0);
    for (int i = 0; i < count; i++) {
        sent += SSL_key_update(p.client, type) == 1 && SSL_do_handshake(p.client) == 1;
        if (with_data && SSL_write(p.client, "x", 1) == 1 && SSL_read(p.server, got, 1) == 1) {
            arrived++;
        }
    }
    note("sent %d arrived %d", sent, arrived);
    (void)call_read(p.server, got, sizeof(got));
    wire_records_reset(p.wire, WIRE_SERVER);
    CHECK(call_write(p.server, "y", 1) == 1);
    wire_records_log(p.wire, WIRE_SERVER);
    (void)call_read(p.client, got, sizeof(got));
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* Both sides ask each other at the same time, many times. */
static void crossing(void)
{
    struct pair p;
    int good = 0;

    section("both sides ask at once");
    pair_init_connected(&p, OVER_WIRE, 0);
    for (int i = 0; i < 100; i++) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
        CHECK(SSL_key_update(p.server, SSL_KEY_UPDATE_REQUESTED) == 1);
        good += drive_transfer(p.client, p.server, "question", 8) == 8;
        good += drive_transfer(p.server, p.client, "answer", 6) == 6;
    }
    note("good %d of 200", good);
    errors_drop();
    log_type(p.client);
    log_type(p.server);
    pair_free(&p);
}

/* The reply that is owed waits until this side writes; a read alone doesn't send it. */
static void reply_is_owed(bool auto_retry)
{
    struct pair p;
    char got[16];

    section("the owed reply, AUTO_RETRY %d", auto_retry);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (!auto_retry) {
        (void)SSL_clear_mode(p.server, SSL_MODE_AUTO_RETRY);
    }
    wire_records_reset(p.wire, WIRE_SERVER);
    CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(call_do_handshake(p.client) == 1);
    (void)call_read(p.server, got, sizeof(got));
    log_type(p.server);
    (void)call_read(p.server, got, sizeof(got));
    (void)call_do_handshake(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(call_write(p.client, "data", 4) == 4);
    for (int i = 0; i < 4; i++) {
        if (call_read(p.server, got, sizeof(got)) == 4) {
            break;
        }
    }
    log_type(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    (void)call_shutdown(p.server);
    wire_records_log(p.wire, WIRE_SERVER);
    pair_free(&p);
}

int main(void)
{
    static const char *const ways[] = { "write", "read", "peek", "empty write", "do_handshake" };
    static const int types[] = { SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED };

    contract_start();
    refused();
    for (size_t type = 0; type < 2; type++) {
        for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
            sent_by(types[type], ways[i]);
        }
        for (size_t other = 0; other < 2; other++) {
            asked_twice(types[type], types[other]);
        }
        during_pending_write(types[type]);
        many(100, false, types[type]);
        many(40, true, types[type]);
    }
    stopped_itself();
    crossing();
    reply_is_owed(true);
    reply_is_owed(false);
    identity_default_free();
    return contract_finish();
}
