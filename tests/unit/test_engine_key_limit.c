/*
 * SSL_write over keys that wear out (RFC 8446, 5.5): a KeyUpdate goes out by itself, in the middle
 * of a long write, too, however little the transport takes at a time. The limit is lowered behind
 * the API's back; the real one is millions of records away.
 */
#include "unit.h"

#include "api/internal.h"
#include "engines.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#define LEN 100000

static SSL_CTX *client_ctx;
static SSL_CTX *server_ctx;
static SSL *client;
static SSL *server;
static unsigned updates_sent;
static unsigned updates_received;

static void count_updates(int write_p, int version, int content_type, const void *buf, size_t len,
                          SSL *ssl, void *arg)
{
    (void)version;
    (void)ssl;
    (void)arg;
    if (content_type == SSL3_RT_HANDSHAKE && len > 0 &&
        *(const unsigned char *)buf == SSL3_MT_KEY_UPDATE) {
        updates_sent += write_p == 1;
        updates_received += write_p == 0;
    }
}

static int make_contexts(void **state)
{
    (void)state;
    client_ctx = SSL_CTX_new(TLS_method());
    server_ctx = SSL_CTX_new(TLS_method());
    assert_true(client_ctx != NULL && server_ctx != NULL);
    assert_int_equal(SSL_CTX_use_certificate(server_ctx, endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server_ctx, endpoint_key()), 1);
    /* Small transports would hold tickets up until the client reads. */
    assert_int_equal(SSL_CTX_set_num_tickets(server_ctx, 0), 1);
    SSL_CTX_set_msg_callback(client_ctx, count_updates);
    SSL_CTX_set_msg_callback(server_ctx, count_updates);
    return 0;
}

static int free_contexts(void **state)
{
    (void)state;
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    endpoint_identity_free();
    return 0;
}

static void connect_over(size_t capacity)
{
    BIO *of_client;
    BIO *of_server;
    int client_result = 0;
    int server_result = 0;

    assert_int_equal(BIO_new_bio_pair(&of_client, capacity, &of_server, capacity), 1);
    client = SSL_new(client_ctx);
    server = SSL_new(server_ctx);
    assert_true(client != NULL && server != NULL);
    SSL_set_bio(client, of_client, of_client);
    SSL_set_bio(server, of_server, of_server);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    for (int i = 0; i < 100000 && (client_result != 1 || server_result != 1); i++) {
        client_result = SSL_do_handshake(client);
        server_result = SSL_do_handshake(server);
    }
    assert_true(client_result == 1 && server_result == 1);
    updates_sent = updates_received = 0;
}

static void disconnect(void)
{
    SSL_free(client);
    SSL_free(server);
}

/* One end writes all of data in one call, repeated while it is blocked; the other reads. */
static void transfer(SSL *from, SSL *to, const uint8_t *data)
{
    static uint8_t received[LEN];
    size_t done = 0;
    int written = 0;

    for (int i = 0; i < 1000000 && (written != LEN || done < LEN); i++) {
        if (written != LEN) {
            written = SSL_write(from, data, LEN);
            assert_true(written == LEN || SSL_get_error(from, written) == SSL_ERROR_WANT_WRITE);
        }
        int n = SSL_read(to, received + done, (int)(LEN - done));
        assert_true(n > 0 || SSL_get_error(to, n) == SSL_ERROR_WANT_READ ||
                    SSL_get_error(to, n) == SSL_ERROR_WANT_WRITE);
        done += n > 0 ? (size_t)n : 0;
    }
    assert_int_equal(done, LEN);
    assert_memory_equal(received, data, LEN);
}

static void a_long_write_outlives_its_key(void **state)
{
    static const size_t capacities[] = { 1, 20, 1000, 16384, 200000 };
    static uint8_t data[LEN];

    (void)state;
    fill_pattern(data, sizeof(data), 3, 11);
    for (size_t i = 0; i < COUNT_OF(capacities); i++) {
        connect_over(capacities[i]);
        for (uint64_t limit = 1; limit <= 6; limit += 2) {
            struct protection *p = client->conn.out.protection;
            unsigned before = updates_sent;
            p->seal_limit = p->sequence + limit;
            transfer(client, server, data);
            assert_ptr_not_equal(client->conn.out.protection, p);
            assert_int_equal(updates_sent, before + 1);
            assert_int_equal(updates_received, updates_sent);
        }
        transfer(server, client, data);
        disconnect();
    }
}

static void short_writes_wear_a_key_out_as_well(void **state)
{
    char received[4];

    (void)state;
    connect_over(65536);
    for (int i = 0; i < 100; i++) {
        server->conn.out.protection->seal_limit = 7;
        assert_int_equal(SSL_write(server, "data", 4), 4);
        assert_true(server->conn.out.protection->sequence <= 7);
        assert_int_equal(SSL_read(client, received, 4), 4);
        assert_memory_equal(received, "data", 4);
    }
    /* 7 records a key, the last of which is the KeyUpdate */
    assert_true(updates_sent >= 100 / 7 - 1 && updates_sent <= 100 / 6 + 1);
    assert_int_equal(updates_received, updates_sent);
    disconnect();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_long_write_outlives_its_key),
        cmocka_unit_test(short_writes_wear_a_key_out_as_well),
    };

    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
