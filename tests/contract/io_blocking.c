/*
 * Blocking sockets and a thread on each side: a call returns when all is done or failed. Messages
 * after the handshake are invisible with SSL_MODE_AUTO_RETRY (the default), and show as
 * SSL_ERROR_WANT_READ without it. SSL_write(3), SSL_read(3), SSL_CTX_set_mode(3).
 */
#include "contract.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LONG_MESSAGE 300000

static void run_both(struct pair *pair, void (*client)(void *), void (*server)(void *))
{
    struct log_thread *first = log_thread_start(client, pair);
    struct log_thread *second = log_thread_start(server, pair);

    log_thread_join(first);
    log_thread_join(second);
}

/* Reads until `len` bytes came; logs one line. */
static void read_all(SSL *ssl, size_t len, unsigned seed)
{
    uint8_t *expected = pattern_new(len, seed);
    uint8_t *got = malloc(len);
    size_t at = 0;
    int ret = 1;

    REQUIRE(got != NULL);
    while (at < len && ret > 0) {
        ret = SSL_read(ssl, got + at, (int)(len - at));
        at += ret > 0 ? (size_t)ret : 0;
    }
    CHECK(at == len && memcmp(expected, got, len) == 0);
    note("%s got %zu bytes %s", ssl_get_name(ssl), at, ret > 0 ? "" : "then failed");
    free(expected);
    free(got);
}

static void client_explicit(void *arg)
{
    struct pair *pair = arg;
    uint8_t *data = pattern_new(LONG_MESSAGE, 1);

    CHECK(call_connect(pair->client) == 1);
    CHECK(call_write(pair->client, data, LONG_MESSAGE) == LONG_MESSAGE);
    read_all(pair->client, LONG_MESSAGE, 2);
    free(data);
}

static void server_explicit(void *arg)
{
    struct pair *pair = arg;
    uint8_t *data = pattern_new(LONG_MESSAGE, 2);
    size_t done;

    CHECK(call_accept(pair->server) == 1);
    read_all(pair->server, LONG_MESSAGE, 1);
    CHECK(call_write_ex(pair->server, data, LONG_MESSAGE, &done) == 1 && done == LONG_MESSAGE);
    free(data);
}

static void client_implicit(void *arg)
{
    struct pair *pair = arg;
    char got[8];

    CHECK(call_write(pair->client, "question", 8) == 8);
    CHECK(call_read(pair->client, got, sizeof(got)) == 6);
    CHECK(call_shutdown(pair->client) == 0);
    CHECK(call_read(pair->client, got, sizeof(got)) == 0);
    CHECK(call_shutdown(pair->client) == 1);
}

static void server_implicit(void *arg)
{
    struct pair *pair = arg;
    char got[8];

    CHECK(call_read(pair->server, got, sizeof(got)) == 8);
    CHECK(call_write(pair->server, "answer", 6) == 6);
    CHECK(call_read(pair->server, got, sizeof(got)) == 0);
    CHECK(call_shutdown(pair->server) == 1);
}

/* The client sends: KeyUpdate, "a", KeyUpdate twice, "b", and reads the server's answer. */
static void client_updates(void *arg)
{
    struct pair *pair = arg;
    char got[8];

    CHECK(SSL_connect(pair->client) == 1);
    CHECK(call_key_update(pair->client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    CHECK(call_do_handshake(pair->client) == 1);
    CHECK(call_write(pair->client, "a", 1) == 1);
    CHECK(call_key_update(pair->client, SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(call_do_handshake(pair->client) == 1);
    CHECK(call_key_update(pair->client, SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(call_write(pair->client, "b", 1) == 1);
    /* The server's answer has two KeyUpdates in front. */
    for (int i = 0; i < 4; i++) {
        int ret = call_read(pair->client, got, sizeof(got));

        if (ret == 1) {
            break;
        }
    }
    CHECK(call_shutdown(pair->client) == 0);
    CHECK(call_shutdown(pair->client) == 1);
}

static void server_reads_updates(void *arg)
{
    struct pair *pair = arg;
    char got[8];
    int letters = 0;

    CHECK(SSL_accept(pair->server) == 1);
    for (int i = 0; i < 8 && letters < 2; i++) {
        int ret = i == 0 ? call_peek(pair->server, got, sizeof(got))
                         : call_read(pair->server, got, sizeof(got));

        letters += i > 0 && ret == 1;
    }
    CHECK(letters == 2);
    CHECK(call_write(pair->server, "c", 1) == 1);
    (void)call_read(pair->server, got, sizeof(got));
    CHECK(call_shutdown(pair->server) == 1);
}

static void updates(bool auto_retry)
{
    struct pair p;

    section("KeyUpdates in between, SSL_MODE_AUTO_RETRY %s", auto_retry ? "on" : "off");
    pair_init(&p, OVER_SOCKET, 0);
    if (!auto_retry) {
        note("mode %ld", SSL_clear_mode(p.client, SSL_MODE_AUTO_RETRY));
        note("mode %ld", SSL_clear_mode(p.server, SSL_MODE_AUTO_RETRY));
    }
    run_both(&p, client_updates, server_reads_updates);
    pair_free(&p);
}

static void client_writes_until_reset(void *arg)
{
    struct pair *pair = arg;
    uint8_t *data = pattern_new(LONG_MESSAGE, 3);

    CHECK(SSL_connect(pair->client) == 1);
    /* The peer goes away while this call blocks: nothing was promised, so it fails as a whole. */
    CHECK(call_write(pair->client, data, LONG_MESSAGE) == -1);
    CHECK(call_write(pair->client, data, LONG_MESSAGE) == -1);
    free(data);
}

static void server_goes_away(void *arg)
{
    struct pair *pair = arg;
    char got[1];

    CHECK(SSL_accept(pair->server) == 1);
    CHECK(SSL_read(pair->server, got, 1) == 1);
    CHECK(shutdown(pair->server_fd, SHUT_RDWR) == 0);
}

/* With read_ahead what follows the KeyUpdate is already in the buffer: the call goes on. */
static void update_and_data_together(bool read_ahead)
{
    struct pair p;
    char got[8];

    section("KeyUpdate and data arrive together, no AUTO_RETRY, read_ahead %d", read_ahead);
    pair_init_connected(&p, OVER_WIRE, 0);
    (void)SSL_clear_mode(p.server, SSL_MODE_AUTO_RETRY);
    SSL_set_read_ahead(p.server, read_ahead);
    CHECK(call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    CHECK(call_write(p.client, "data", 4) == 4);
    if (call_read(p.server, got, sizeof(got)) < 0) {
        CHECK(call_read(p.server, got, sizeof(got)) == 4);
    }
    section("a KeyUpdate alone, no AUTO_RETRY, read_ahead %d", read_ahead);
    CHECK(call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    CHECK(call_do_handshake(p.client) == 1);
    CHECK(call_peek(p.server, got, sizeof(got)) == -1);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    log_state(p.server);
    pair_free(&p);
}

int main(void)
{
    struct pair p;

    contract_start();
    (void)identity_default();
    section("explicit handshake, long messages");
    pair_init(&p, OVER_SOCKET, 0);
    run_both(&p, client_explicit, server_explicit);
    pair_free(&p);
    section("implicit handshake, orderly end");
    pair_init(&p, OVER_SOCKET, 0);
    run_both(&p, client_implicit, server_implicit);
    pair_free(&p);
    if (pair_is_tls13()) {
        updates(true);
        updates(false);
        update_and_data_together(false);
        update_and_data_together(true);
    }
    section("the peer goes away during a write");
    pair_init(&p, OVER_SOCKET, 0);
    run_both(&p, client_writes_until_reset, server_goes_away);
    pair_free(&p);
    identity_default_free();
    return contract_finish();
}
