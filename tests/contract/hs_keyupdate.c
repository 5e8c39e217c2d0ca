/*
 * Key updates that the application asks for: what the calls return at which time, when the message
 * goes out, many of them, and both sides at once. (Key updates amid blocked writes: io_keyupdate.)
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static int num_secrets;

static void on_keylog(const SSL *ssl, const char *line)
{
    (void)ssl;
    num_secrets += strstr(line, "TRAFFIC_SECRET_N ") != NULL ? 1 : 0;
}

static void prepare(struct pair *p)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    SSL_CTX_set_keylog_callback(client_ctx, on_keylog);
    SSL_CTX_set_keylog_callback(server_ctx, on_keylog);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_WIRE, 0);
    num_secrets = 0;
}

static void read_once(SSL *ssl)
{
    char buf[64];

    (void)call_read(ssl, buf, sizeof(buf));
}

static void log_pending(SSL *ssl)
{
    note("%s pending update %d, new secrets so far %d", ssl_get_name(ssl),
         SSL_get_key_update_type(ssl), num_secrets);
}

static void test_wrong_time(void)
{
    struct pair p;

    section("at the wrong time");
    prepare(&p);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)call_do_handshake(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)call_do_handshake(p.server);
    (void)call_key_update(p.server, SSL_KEY_UPDATE_REQUESTED);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    section("types");
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NONE);
    (void)call_key_update(p.client, 2);
    (void)call_key_update(p.client, -2);
    log_pending(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED);
    log_pending(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    log_pending(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED);
    log_pending(p.client);
    section("after close_notify");
    (void)call_shutdown(p.client);
    log_pending(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)call_do_handshake(p.client);
    log_pending(p.client);
    pair_free(&p);
}

static void test_carriers(void)
{
    struct pair p;

    section("sent by SSL_do_handshake");
    prepare(&p);
    REQUIRE(drive_handshake(p.client, p.server));
    wire_records_reset(p.wire, WIRE_CLIENT);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED);
    wire_records_log(p.wire, WIRE_CLIENT);
    (void)call_do_handshake(p.client);
    wire_records_log(p.wire, WIRE_CLIENT);
    log_pending(p.client);
    read_once(p.server);
    log_alive(p.client, p.server);

    section("sent by SSL_write");
    wire_records_reset(p.wire, WIRE_CLIENT);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)call_write(p.client, "hello", 5);
    wire_records_log(p.wire, WIRE_CLIENT);
    log_pending(p.client);
    read_once(p.server);
    log_pending(p.server);
    wire_records_reset(p.wire, WIRE_SERVER);
    (void)call_write(p.server, "world", 5);
    wire_records_log(p.wire, WIRE_SERVER);
    log_pending(p.server);
    read_once(p.client);
    log_alive(p.client, p.server);

    section("SSL_read sends what is pending?");
    wire_records_reset(p.wire, WIRE_CLIENT);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED);
    read_once(p.client);
    wire_records_log(p.wire, WIRE_CLIENT);
    log_pending(p.client);
    section("SSL_write of no bytes, SSL_peek, SSL_shutdown");
    (void)call_write(p.client, "", 0);
    wire_records_log(p.wire, WIRE_CLIENT);
    log_pending(p.client);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED);
    (void)call_shutdown(p.client);
    wire_records_log(p.wire, WIRE_CLIENT);
    log_pending(p.client);
    pair_free(&p);
}

static void test_both_at_once(void)
{
    struct pair p;

    section("both ask at once");
    prepare(&p);
    REQUIRE(drive_handshake(p.client, p.server));
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)call_key_update(p.server, SSL_KEY_UPDATE_REQUESTED);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    log_pending(p.client);
    log_pending(p.server);
    log_alive(p.client, p.server);
    log_pending(p.client);
    log_pending(p.server);
    pair_free(&p);
}

/* Many in a row: no limit on their number as long as data flows; and asked for twice before the
 * other side has answered, it answers once. */
static void test_many(void)
{
    struct pair p;

    section("a hundred, data between");
    prepare(&p);
    REQUIRE(drive_handshake(p.client, p.server));
    for (int i = 0; i < 100; i++) {
        CHECK(SSL_key_update(p.client, i % 2) == 1);
        CHECK(drive_transfer(p.client, p.server, "data", 4) == 4);
        CHECK(drive_transfer(p.server, p.client, "data", 4) == 4);
    }
    note("new secrets %d", num_secrets);
    ERR_clear_error();
    section("fifty that ask, nothing between");
    num_secrets = 0;
    for (int i = 0; i < 50; i++) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
        CHECK(SSL_do_handshake(p.client) == 1);
    }
    read_once(p.server);
    log_pending(p.server);
    log_alive(p.client, p.server);
    log_pending(p.server);
    pair_free(&p);
}

/* Every suite has its own length of secrets. */
static void test_suites(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                                          "TLS_AES_128_CCM_8_SHA256" };

    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        struct pair p;

        section("%s", suites[i]);
        prepare(&p);
        REQUIRE(SSL_set_ciphersuites(p.client, suites[i]) == 1);
        REQUIRE(SSL_set_ciphersuites(p.server, suites[i]) == 1);
        if (!drive_handshake(p.client, p.server)) {
            note("no handshake");
            ERR_clear_error();
            pair_free(&p);
            continue;
        }
        for (int turn = 0; turn < 3; turn++) {
            (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
            log_alive(p.client, p.server);
            (void)call_key_update(p.server, SSL_KEY_UPDATE_NOT_REQUESTED);
            log_alive(p.client, p.server);
        }
        pair_free(&p);
    }
}

int main(void)
{
    contract_start();
    test_wrong_time();
    test_carriers();
    test_both_at_once();
    test_many();
    test_suites();
    identity_default_free();
    return contract_finish();
}
