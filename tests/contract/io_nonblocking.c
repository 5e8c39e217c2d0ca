/*
 * Non-blocking transports: WANT_READ and WANT_WRITE whenever the transport says so, at any byte; a
 * read proceeds while a write is pending, and the reverse. SSL_get_error(3), SSL_want(3).
 */
#include "contract.h"

#include <stdlib.h>
#include <string.h>

/* A source that stops before every single byte, and remembers what it refused last. */
struct stutter {
    bool pass[3];
    enum wire_call refused;
};

static int stutter_next(void *arg, enum wire_call call)
{
    struct stutter *stutter = arg;

    if (call == WIRE_FLUSH) {
        return WIRE_UNLIMITED;
    }
    stutter->pass[call] = !stutter->pass[call];
    if (!stutter->pass[call]) {
        stutter->refused = call;
        return WIRE_RETRY;
    }
    return 1;
}

/* Both sides in turn until done; each refusal must be named after the call that was refused. */
static int stuttering_handshake(struct pair *p, struct stutter stutters[2])
{
    SSL *const sides[2] = { p->client, p->server };
    int ret[2] = { 0, 0 };
    int misnamed = 0;

    for (int turn = 0; turn < 100000 && !(ret[0] == 1 && ret[1] == 1); turn++) {
        int i = turn % 2;
        int error;

        /* What an empty queue refuses is a read, too. */
        stutters[i].refused = WIRE_READ;
        ret[i] = SSL_do_handshake(sides[i]);
        error = SSL_get_error(sides[i], ret[i]);
        if (ret[i] != 1) {
            int expected =
                stutters[i].refused == WIRE_READ ? SSL_ERROR_WANT_READ : SSL_ERROR_WANT_WRITE;
            int want = stutters[i].refused == WIRE_READ ? SSL_READING : SSL_WRITING;

            misnamed += error != expected || SSL_want(sides[i]) != want;
        }
    }
    note("done %d %d, misnamed refusals %d", ret[0], ret[1], misnamed);
    return misnamed;
}

static void stop_at_every_byte(bool read_ahead)
{
    struct stutter stutters[2];
    uint8_t *data = pattern_new(20000, 1);
    struct pair p;

    section("handshake and data, a stop before every byte, read_ahead %d", read_ahead);
    memset(stutters, 0, sizeof(stutters));
    pair_init(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.client, read_ahead);
    SSL_set_read_ahead(p.server, read_ahead);
    wire_source(p.wire, WIRE_CLIENT, stutter_next, &stutters[0]);
    wire_source(p.wire, WIRE_SERVER, stutter_next, &stutters[1]);
    CHECK(stuttering_handshake(&p, stutters) == 0);
    note("to server %zu, to client %zu", drive_transfer(p.client, p.server, data, 20000),
         drive_transfer(p.server, p.client, data, 20000));
    pair_free(&p);
    free(data);
}

/* A write is stopped once after `room` bytes on the wire: every boundary of a record of 20. */
static void stop_a_write(void)
{
    struct pair p;
    char got[32];

    section("one write, stopped at each byte");
    pair_init_connected(&p, OVER_WIRE, 0);
    for (size_t room = 0; room <= 42; room++) {
        wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, room);
        if (call_write(p.client, "twenty bytes of data", 20) < 0) {
            CHECK(wire_waiting(p.wire, WIRE_SERVER) == room);
            CHECK(call_read(p.server, got, sizeof(got)) == -1);
            wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
            CHECK(call_write(p.client, "twenty bytes of data", 20) == 20);
        }
        CHECK(call_read(p.server, got, sizeof(got)) == 20);
    }
    pair_free(&p);
}

static void stop_a_read(bool read_ahead)
{
    struct pair p;
    char got[32];

    section("one read, stopped at each byte, read_ahead %d", read_ahead);
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set_read_ahead(p.server, read_ahead);
    for (size_t room = 0; room <= 42; room++) {
        CHECK(call_write(p.client, "twenty bytes of data", 20) == 20);
        wire_budget(p.wire, WIRE_SERVER, WIRE_READ, room);
        if (call_read(p.server, got, sizeof(got)) < 0) {
            note("pending %d has_pending %d", SSL_pending(p.server), SSL_has_pending(p.server));
            wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
            CHECK(call_read(p.server, got, sizeof(got)) == 20);
        }
    }
    pair_free(&p);
}

/* A pending write doesn't hinder reads, and the other way round. */
static void both_ways(void)
{
    uint8_t *data = pattern_new(40000, 2);
    struct pair p;
    char got[16];

    section("reads while a write is pending");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 17000);
    CHECK(call_write(p.client, data, 40000) == -1);
    CHECK(call_read(p.client, got, sizeof(got)) == -1);
    CHECK(call_write(p.client, data, 40000) == -1);
    CHECK(call_write(p.server, "first", 5) == 5);
    CHECK(call_write(p.server, "second", 6) == 6);
    CHECK(call_peek(p.client, got, sizeof(got)) == 5);
    CHECK(call_write(p.client, data, 40000) == -1);
    CHECK(call_read(p.client, got, 2) == 2);
    CHECK(call_write(p.client, data, 40000) == -1);
    CHECK(call_read(p.client, got, sizeof(got)) == 3);
    CHECK(call_read(p.client, got, sizeof(got)) == 6);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 40000) == 40000);
    CHECK(drive_read(p.server, 40000) == 40000);
    section("writes while a read is halfway through a record");
    CHECK(call_write(p.server, "response", 8) == 8);
    for (int i = 0; i < 4; i++) {
        wire_budget(p.wire, WIRE_CLIENT, WIRE_READ, 7);
        if (call_read(p.client, got, sizeof(got)) > 0) {
            break;
        }
        CHECK(call_write(p.client, "request", 7) == 7);
        CHECK(call_read(p.server, got, sizeof(got)) == 7);
    }
    pair_free(&p);
    free(data);
}

/* Real sockets: the sender runs into a full buffer, the receiver into an empty one. */
static void over_sockets(void)
{
    uint8_t *data = pattern_new(2000000, 3);
    uint8_t *got = malloc(2000000);
    struct pair p;
    int ret;
    int at = 0;
    int done = 0;

    section("non-blocking sockets");
    REQUIRE(got != NULL);
    pair_init_connected(&p, OVER_NONBLOCKING_SOCKET, 0);
    CHECK(call_read(p.server, got, 10) == -1);
    CHECK(call_write(p.client, data, 2000000) == -1);
    CHECK(call_write(p.client, data, 2000000) == -1);
    for (int turn = 0; turn < 100000 && (at < 2000000 || done == 0); turn++) {
        ret = SSL_read(p.server, got + at, 2000000 - at);
        at += ret > 0 ? ret : 0;
        if (done == 0) {
            ret = SSL_write(p.client, data, 2000000);
            done = ret > 0 ? ret : 0;
        }
    }
    note("written %d read %d", done, at);
    CHECK(done == 2000000 && at == 2000000 && memcmp(data, got, 2000000) == 0);
    CHECK(call_read(p.server, got, 10) == -1);
    pair_free(&p);
    free(data);
    free(got);
}

/* The state that the last call left: asking any number of times changes nothing. */
static void judged_by_last_call(void)
{
    struct pair p;
    char got[8];

    section("SSL_get_error and SSL_want asked again");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 3);
    CHECK(call_write(p.client, "abc", 3) == -1);
    for (int i = 0; i < 3; i++) {
        note("%s %s", name_of_error(SSL_get_error(p.client, -1)), name_of_want(SSL_want(p.client)));
    }
    note("for 1: %s, for 0: %s", name_of_error(SSL_get_error(p.client, 1)),
         name_of_error(SSL_get_error(p.client, 0)));
    CHECK(call_read(p.client, got, sizeof(got)) == -1);
    note("want_read %d want_write %d", SSL_want_read(p.client), SSL_want_write(p.client));
    CHECK(call_write(p.client, "abc", 3) == -1);
    note("want_read %d want_write %d", SSL_want_read(p.client), SSL_want_write(p.client));
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, "abc", 3) == 3);
    note("for -1 after success: %s", name_of_error(SSL_get_error(p.client, -1)));
    pair_free(&p);
}

int main(void)
{
    contract_start();
    stop_at_every_byte(false);
    stop_at_every_byte(true);
    stop_a_write();
    stop_a_read(false);
    stop_a_read(true);
    both_ways();
    over_sockets();
    judged_by_last_call();
    identity_default_free();
    return contract_finish();
}
