/*
 * Pre-shared keys and early data, engine to engine: what is accepted arrives, what is not is
 * skipped, whatever is in the place of EndOfEarlyData ends the connection, and so does a binder of
 * which one bit is wrong. RFC 8446, 2.3, 4.2.10, 4.2.11.
 */
#include "unit.h"

#include "engines.h"

#include <openssl/sslerr.h>
#include <string.h>

static struct endpoint client, server;
static struct buffer to_server, to_client;

static int set_up(void **state)
{
    (void)state;
    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    endpoint_share_psk(&client, &server);
    server.config.max_early_data = 100;
    server.config.recv_max_early_data = 100;
    client.conn.wants_early_data = server.conn.wants_early_data = true;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    endpoint_wipe(&client);
    endpoint_wipe(&server);
    buffer_wipe(&to_server);
    buffer_wipe(&to_client);
    return 0;
}

static void deliver(struct endpoint *to, struct buffer *from)
{
    endpoint_feed(to, buffer_bytes(from), buffer_len(from));
    buffer_wipe(from);
}

/* The client's first flight: a ClientHello and, if there is any, data. */
static void begin(const char *data)
{
    assert_int_equal(endpoint_run(&client, &to_server), TLS_OK);
    assert_true(client.conn.rests);
    if (data != NULL) {
        assert_int_equal(tls_begin_early(&client.conn, strlen(data)), TLS_OK);
        assert_int_equal(tls_write(&client.conn, (const uint8_t *)data, strlen(data)), TLS_OK);
        endpoint_take(&client, &to_server);
    }
    deliver(&server, &to_server);
}

static void expect_data(const char *data)
{
    uint8_t got[128];
    size_t len;

    assert_int_equal(tls_read(&server.conn, got, sizeof(got), false, &len), TLS_APP_DATA);
    assert_int_equal(len, strlen(data));
    assert_memory_equal(got, data, len);
}

/* Both to the end. */
static void finish(void)
{
    client.conn.wants_early_data = server.conn.wants_early_data = false;
    deliver(&client, &to_client);
    assert_int_equal(endpoint_run(&client, &to_server), TLS_OK);
    deliver(&server, &to_server);
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    assert_true(client.conn.hs == NULL && server.conn.hs == NULL);
    assert_true(endpoints_exchange(&client, &server, "ping", 4));
    assert_true(endpoints_exchange(&server, &client, "pong", 4));
}

static void early_data_arrives(void **state)
{
    (void)state;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    assert_true(server.conn.rests);
    assert_int_equal(server.conn.neg.early_data, EARLY_DATA_ACCEPTED);
    expect_data("early");
    finish();
    assert_int_equal(client.conn.neg.early_data, EARLY_DATA_ACCEPTED);
    assert_true(client.conn.neg.resumed && server.conn.neg.resumed);
    assert_int_equal(client.num_verified, 0);
}

static void rejected_data_is_skipped(void **state)
{
    (void)state;
    server.conn.wants_early_data = false;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_WANT_INPUT);
    assert_int_equal(server.conn.neg.early_data, EARLY_DATA_REJECTED);
    finish();
    assert_int_equal(client.conn.neg.early_data, EARLY_DATA_REJECTED);
}

static void a_retry_rejects(void **state)
{
    static const uint16_t p256 = 0x0017;

    (void)state;
    server.config.groups = u16_list_of(&p256, 1);
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    assert_true(server.conn.rests);
    server.conn.wants_early_data = client.conn.wants_early_data = false;
    deliver(&client, &to_client);
    assert_int_equal(endpoint_run(&client, &to_server), TLS_WANT_INPUT);
    deliver(&server, &to_server);
    assert_int_equal(endpoint_run(&server, &to_client), TLS_WANT_INPUT);
    finish();
    assert_int_equal(server.conn.neg.early_data, EARLY_DATA_REJECTED);
    assert_true(client.conn.neg.resumed && server.conn.neg.resumed);
}

static void assert_failed(const struct endpoint *e, uint8_t alert, int reason)
{
    assert_true(e->conn.error.failed);
    assert_int_equal(e->conn.error.alert, alert);
    assert_int_equal(e->conn.error.reason, reason);
}

/* More than the server takes, although the session allowed it. */
static void too_much_is_refused(void **state)
{
    uint8_t got[16];
    size_t len;

    (void)state;
    server.config.recv_max_early_data = 4;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    assert_int_equal(tls_read(&server.conn, got, sizeof(got), false, &len), TLS_FAILED);
    assert_failed(&server, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
}

static void a_client_keeps_to_its_limit(void **state)
{
    (void)state;
    begin(NULL);
    assert_int_equal(tls_begin_early(&client.conn, 101), TLS_FAILED);
    assert_failed(&client, ALERT_INTERNAL_ERROR, SSL_R_TOO_MUCH_EARLY_DATA);
}

/* Under the keys of early data nothing but data and its end may come. */
static void only_its_end_ends_it(void **state)
{
    static const uint8_t types[] = { MSG_CLIENT_HELLO, MSG_FINISHED, MSG_KEY_UPDATE,
                                     MSG_CERTIFICATE, MSG_NEW_SESSION_TICKET };

    for (size_t i = 0; i < sizeof(types); i++) {
        const uint8_t message[4] = { types[i] };
        struct forger forger;
        uint8_t got[16];
        size_t len;

        if (i > 0) {
            (void)tear_down(state);
            (void)set_up(state);
        }
        begin("early");
        assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
        expect_data("early");
        forger_init(&forger, &client);
        forger.conn.early_suite = client.conn.early_suite;
        forger_enter(&forger, EPOCH_EARLY);
        /* The second record under these keys. */
        forger_seal(&forger, CONTENT_APPLICATION, "early", 5, &to_server);
        buffer_wipe(&to_server);
        forger_seal(&forger, CONTENT_HANDSHAKE, message, sizeof(message), &to_server);
        deliver(&server, &to_server);
        assert_int_equal(endpoint_read(&server, got, sizeof(got), &len, NULL), TLS_FAILED);
        assert_failed(&server, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
        forger_wipe(&forger);
    }
}

/* What fails behind the acceptance is told under the key of early data, the only one that the
 * server reads with by then: RFC 8446, 4.2.10. */
static void a_clients_alert_comes_under_the_key_that_is_read(void **state)
{
    struct forger forger;
    uint8_t got[16];
    size_t len;

    (void)state;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    buffer_wipe(&to_client);
    expect_data("early");
    forger_init(&forger, &server);
    for (size_t i = 0; i < server.sent.num; i++) {
        const struct item *item = &server.sent.at[i];
        uint8_t bytes[1024];
        assert_in_range(item->len, 1, sizeof(bytes));
        memcpy(bytes, item->bytes, item->len);
        if (item->content == CONTENT_HANDSHAKE && bytes[0] == MSG_FINISHED) {
            bytes[item->len - 1] ^= 1;
        }
        forger_enter(&forger, item->epoch);
        forger_seal(&forger, item->content, bytes, item->len, &to_client);
    }
    client.conn.wants_early_data = false;
    deliver(&client, &to_client);
    assert_int_equal(endpoint_run(&client, &to_server), TLS_FAILED);
    assert_failed(&client, ALERT_DECRYPT_ERROR, SSL_R_DIGEST_CHECK_FAILED);
    assert_int_equal(client.conn.neg.early_data, EARLY_DATA_ACCEPTED);
    assert_true(tls_seal_alert(&client.conn));
    endpoint_take(&client, &to_server);
    deliver(&server, &to_server);
    assert_int_equal(endpoint_read(&server, got, sizeof(got), &len, NULL), TLS_FAILED);
    assert_int_equal(server.conn.received_fatal, ALERT_DECRYPT_ERROR);
    forger_wipe(&forger);
}

/* Data is over when the server goes on with its handshake: RFC 8446, 4.5. */
static void what_is_not_read_is_not_lost_silently(void **state)
{
    (void)state;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    server.conn.wants_early_data = false;
    assert_int_equal(endpoint_run(&server, &to_client), TLS_FAILED);
    assert_failed(&server, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_RECORD);
}

/* The last 32 bytes of a ClientHello with one key are its binder. */
static void every_bit_of_a_binder_counts(void **state)
{
    for (size_t bit = 0; bit < 256; bit++) {
        (void)tear_down(state);
        (void)set_up(state);
        client.conn.wants_early_data = false;
        assert_int_equal(endpoint_run(&client, &to_server), TLS_WANT_INPUT);
        buffer_bytes(&to_server)[buffer_len(&to_server) - 1 - bit / 8] ^= (uint8_t)(1 << bit % 8);
        deliver(&server, &to_server);
        assert_int_equal(endpoint_run(&server, &to_client), TLS_FAILED);
        assert_failed(&server, ALERT_ILLEGAL_PARAMETER, SSL_R_BINDER_DOES_NOT_VERIFY);
    }
}

/* A session that may not be resumed here after all leaves nothing behind but a full handshake. */
static void what_may_not_be_resumed_is_not(void **state)
{
    (void)state;
    server.resume_answer = HOOK_NONE;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    finish();
    assert_false(client.conn.neg.resumed || server.conn.neg.resumed);
    assert_int_equal(client.num_verified, 1);
}

/* A key that the application looked up is not bound to where a session was made. */
static void an_external_key_is_good_everywhere(void **state)
{
    (void)state;
    server.is_elsewhere = true;
    begin("early");
    assert_int_equal(endpoint_run(&server, &to_client), TLS_OK);
    assert_true(server.conn.neg.resumed);
}

static int free_identity(void **state)
{
    (void)state;
    endpoint_identity_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(early_data_arrives, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rejected_data_is_skipped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_retry_rejects, set_up, tear_down),
        cmocka_unit_test_setup_teardown(too_much_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_client_keeps_to_its_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(only_its_end_ends_it, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clients_alert_comes_under_the_key_that_is_read, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_read_is_not_lost_silently, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_bit_of_a_binder_counts, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_may_not_be_resumed_is_not, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_external_key_is_good_everywhere, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, free_identity);
}
