/*
 * Whole writes and partial ones, and into which records a write is cut.
 * SSL_write(3), SSL_CTX_set_mode(3), SSL_CTX_set_split_send_fragment(3).
 */
#include "contract.h"

#include <stdlib.h>

static void read_records(SSL *ssl, size_t total)
{
    static uint8_t got[32768];
    size_t at = 0;

    while (at < total) {
        int ret = call_read(ssl, got, sizeof(got));

        if (ret <= 0) {
            break;
        }
        at += (size_t)ret;
    }
    CHECK(at == total);
}

/* Without limits from the transport: a whole write goes out at once, a partial one by record. */
static void unlimited(bool partial)
{
    uint8_t *data = pattern_new(50000, 1);
    struct pair p;
    size_t sent = 0;

    section("50000 bytes, unlimited transport, partial %d", partial);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (partial) {
        note("mode %ld", SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE));
    }
    wire_records_reset(p.wire, WIRE_CLIENT);
    while (sent < 50000) {
        int ret = call_write(p.client, data + sent, (int)(50000 - sent));

        REQUIRE(ret > 0);
        sent += (size_t)ret;
    }
    wire_records_log(p.wire, WIRE_CLIENT);
    read_records(p.server, 50000);
    pair_free(&p);
    free(data);
}

/* The transport takes `room` bytes in all, then nothing for one call, then everything. */
static void blocked_at(bool partial, size_t room)
{
    uint8_t *data = pattern_new(40000, 2);
    struct pair p;
    int sent = 0;

    section("40000 bytes, blocked after %zu on the wire, partial %d", room, partial);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (partial) {
        (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, room);
    for (int i = 0; i < 8 && sent < 40000; i++) {
        int ret = call_write(p.client, data + sent, 40000 - sent);

        if (ret > 0) {
            sent += ret;
        } else {
            note("on the wire: %zu", wire_waiting(p.wire, WIRE_SERVER));
            wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
        }
    }
    read_records(p.server, 40000);
    pair_free(&p);
    free(data);
}

/* A retry that finishes the pending record goes on to the next: what if that one blocks too? */
static void blocked_twice(size_t first, size_t second)
{
    uint8_t *data = pattern_new(60000, 2);
    struct pair p;
    int ret;
    int sent = 0;

    section("60000 bytes partially, %zu on the wire, then %zu more", first, second);
    pair_init_connected(&p, OVER_WIRE, 0);
    (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, first);
    CHECK(call_write(p.client, data, 60000) == -1);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, second);
    ret = call_write(p.client, data, 60000);
    sent += ret > 0 ? ret : 0;
    ret = call_write(p.client, data + sent, 60000 - sent);
    sent += ret > 0 ? ret : 0;
    note("on the wire: %zu", wire_waiting(p.wire, WIRE_SERVER));
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    while (sent < 60000) {
        ret = call_write(p.client, data + sent, 60000 - sent);
        if (ret <= 0) {
            break;
        }
        sent += ret;
    }
    read_records(p.server, 60000);
    pair_free(&p);
    free(data);
}

static void log_cut(const char *what, struct pair *p, size_t len)
{
    uint8_t *data = pattern_new(len, 3);

    note("%s", what);
    wire_records_reset(p->wire, WIRE_CLIENT);
    CHECK(call_write(p->client, data, (int)len) == (int)len);
    wire_records_log(p->wire, WIRE_CLIENT);
    CHECK(drive_read(p->server, len) == len);
    free(data);
}

static void fragments_by_ssl(void)
{
    struct pair p;

    section("fragment sizes of an SSL");
    pair_init_connected(&p, OVER_WIRE, 0);
    note("max_send_fragment 511: %ld", SSL_set_max_send_fragment(p.client, 511));
    note("max_send_fragment 16385: %ld", SSL_set_max_send_fragment(p.client, 16385));
    note("split_send_fragment 0: %ld", SSL_set_split_send_fragment(p.client, 0));
    note("split_send_fragment 16385: %ld", SSL_set_split_send_fragment(p.client, 16385));
    log_errors("queue");
    log_cut("default", &p, 20000);
    note("split_send_fragment 1000: %ld", SSL_set_split_send_fragment(p.client, 1000));
    log_cut("split 1000, no pipelines", &p, 5000);
    note("max_send_fragment 512: %ld", SSL_set_max_send_fragment(p.client, 512));
    log_cut("max 512", &p, 2000);
    note("split_send_fragment 600: %ld", SSL_set_split_send_fragment(p.client, 600));
    note("split_send_fragment 100: %ld", SSL_set_split_send_fragment(p.client, 100));
    log_cut("max 512, split 100", &p, 2000);
    note("max_send_fragment 16384: %ld", SSL_set_max_send_fragment(p.client, 16384));
    log_cut("max 16384 again", &p, 20000);
    note("split_send_fragment 16384: %ld", SSL_set_split_send_fragment(p.client, 16384));
    log_cut("split 16384 again", &p, 20000);
    (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    note("max_send_fragment 700: %ld", SSL_set_max_send_fragment(p.client, 700));
    pair_free(&p);
}

static void partial_with_small_fragments(void)
{
    uint8_t *data = pattern_new(2000, 4);
    struct pair p;
    int sent = 0;

    section("partial writes of 700 bytes");
    pair_init_connected(&p, OVER_WIRE, 0);
    (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    note("max_send_fragment 700: %ld", SSL_set_max_send_fragment(p.client, 700));
    while (sent < 2000) {
        int ret = call_write(p.client, data + sent, 2000 - sent);

        REQUIRE(ret > 0);
        sent += ret;
    }
    CHECK(drive_read(p.server, 2000) == 2000);
    pair_free(&p);
    free(data);
}

/* An SSL takes the sizes of its context when made; the handshake's records obey them too. */
static void fragments_by_ctx(void)
{
    SSL_CTX *client_ctx = client_ctx_new();
    struct pair p;

    section("fragment sizes of a context");
    note("max_send_fragment 511: %ld", SSL_CTX_set_max_send_fragment(client_ctx, 511));
    note("max_send_fragment 1024: %ld", SSL_CTX_set_max_send_fragment(client_ctx, 1024));
    note("split_send_fragment 2000: %ld", SSL_CTX_set_split_send_fragment(client_ctx, 2000));
    note("split_send_fragment 300: %ld", SSL_CTX_set_split_send_fragment(client_ctx, 300));
    pair_init_ctx(&p, client_ctx, server_ctx_new(), OVER_WIRE, 0);
    CHECK(log_handshake(p.client, p.server));
    log_cut("max 1024, split 300", &p, 3000);
    note("context to 2048: %ld", SSL_CTX_set_max_send_fragment(client_ctx, 2048));
    log_cut("the SSL keeps 1024", &p, 3000);
    pair_free(&p);
}

/* max_pipelines above 1 makes split_send_fragment count, if the cipher could pipeline: it can't. */
static void pipelines(void)
{
    struct pair p;

    section("max_pipelines");
    pair_init_connected(&p, OVER_WIRE, 0);
    note("max_pipelines 0: %ld", SSL_set_max_pipelines(p.client, 0));
    note("max_pipelines 33: %ld", SSL_set_max_pipelines(p.client, 33));
    note("max_pipelines 4: %ld", SSL_set_max_pipelines(p.client, 4));
    note("split_send_fragment 500: %ld", SSL_set_split_send_fragment(p.client, 500));
    note("read_ahead %d", SSL_get_read_ahead(p.client));
    log_cut("pipelines 4, split 500", &p, 3000);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* RFC 8449 is not OpenSSL 3.0's, RFC 6066's max_fragment_length is: it lowers what is sent. */
static void max_fragment_length(void)
{
    SSL_CTX *client_ctx = client_ctx_new();
    struct pair p;

    section("max_fragment_length 512");
    CHECK(SSL_CTX_set_tlsext_max_fragment_length(client_ctx, TLSEXT_max_fragment_length_512) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx_new(), OVER_WIRE, 0);
    CHECK(log_handshake(p.client, p.server));
    log_cut("client to server", &p, 1500);
    wire_records_reset(p.wire, WIRE_SERVER);
    {
        uint8_t *data = pattern_new(1500, 5);

        CHECK(call_write(p.server, data, 1500) == 1500);
        free(data);
    }
    wire_records_log(p.wire, WIRE_SERVER);
    CHECK(drive_read(p.client, 1500) == 1500);
    pair_free(&p);
}

int main(void)
{
    static const size_t rooms[] = { 0, 1, 5, 16405, 16406, 16407, 16411, 32811, 32812, 32813 };

    contract_start();
    unlimited(false);
    unlimited(true);
    for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
        blocked_at(false, rooms[i]);
        blocked_at(true, rooms[i]);
    }
    blocked_twice(0, 0);
    blocked_twice(10, 10);
    blocked_twice(10, 16396);
    blocked_twice(10, 16397);
    blocked_twice(10, 16500);
    blocked_twice(10, 32802);
    blocked_twice(10, 33000);
    fragments_by_ssl();
    partial_with_small_fragments();
    fragments_by_ctx();
    pipelines();
    max_fragment_length();
    identity_default_free();
    return contract_finish();
}
