/*
 * Two engines whose handshake is over; see idle_pair.h.
 */
#include "unit.h"

#include "idle_pair.h"

int idle_pair_begin(void **state)
{
    (void)state;
    deterministic_random_install();
    return 0;
}

int idle_pair_end(void **state)
{
    (void)state;
    endpoint_identity_free();
    return 0;
}

struct endpoint client;
struct endpoint server;
struct forger as_server;
struct forger as_client;

static void connect_pair(bool post_auth)
{
    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    client.config.post_handshake_auth = post_auth;
    assert_true(endpoints_connect(&client, &server, 0));
    forger_init(&as_server, &server);
    forger_enter(&as_server, EPOCH_APPLICATION);
    forger_init(&as_client, &client);
    forger_enter(&as_client, EPOCH_APPLICATION);
}

int idle_pair_make(void **state)
{
    (void)state;
    deterministic_random_restart();
    connect_pair(true);
    return 0;
}

int idle_pair_free(void **state)
{
    (void)state;
    forger_wipe(&as_server);
    forger_wipe(&as_client);
    endpoint_wipe(&client);
    endpoint_wipe(&server);
    return 0;
}

void renew(bool post_auth)
{
    (void)idle_pair_free(NULL);
    connect_pair(post_auth);
}

struct endpoint *peer_of(const struct endpoint *e)
{
    return e == &client ? &server : &client;
}

enum tls_status receive(struct endpoint *e, uint8_t content, const void *bytes, size_t len)
{
    struct buffer wire = { 0 };
    uint8_t data[64];
    size_t got;

    forger_seal(e == &client ? &as_server : &as_client, content, bytes, len, &wire);
    endpoint_feed(e, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    return endpoint_read(e, data, sizeof(data), &got, NULL);
}

enum tls_status move(struct endpoint *from, struct buffer *back)
{
    struct endpoint *to = peer_of(from);
    struct buffer wire = { 0 };
    uint8_t data[64];
    size_t got;

    endpoint_take(from, &wire);
    endpoint_feed(to, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    return endpoint_read(to, data, sizeof(data), &got, back);
}

void assert_usable(void)
{
    for (int i = 0; i < 2; i++) {
        assert_true(endpoints_exchange(&client, &server, "ping", 4));
        assert_true(endpoints_exchange(&server, &client, "pong", 4));
    }
}

void expect_failure(struct endpoint *e, enum tls_status status, uint8_t alert, int reason)
{
    assert_int_equal(status, TLS_FAILED);
    assert_true(e->conn.error.failed);
    assert_int_equal(e->conn.error.alert, alert);
    assert_int_equal(e->conn.error.reason, reason);
    assert_null(e->conn.hs);
}
