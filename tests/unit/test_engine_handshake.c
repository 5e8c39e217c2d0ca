/*
 * Handshakes between two engines: at every byte boundary, with every hook pausing, with every suite
 * and group; what does not fit, and what is left when it is over.
 */
#include "unit.h"

#include "engines.h"

#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

static struct endpoint client;
static struct endpoint server;

static int make_pair(void **state)
{
    (void)state;
    deterministic_random_restart();
    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    return 0;
}

static int free_pair(void **state)
{
    (void)state;
    endpoint_wipe(&client);
    endpoint_wipe(&server);
    return 0;
}

static void renew(void)
{
    (void)free_pair(NULL);
    (void)make_pair(NULL);
}

/* Everything that can be configured. */
static void configure_all(void)
{
    static const uint16_t p256 = 0x0017;

    client.config.alpn = blob_new("\2h2\5hello", 9);
    client.config.post_handshake_auth = true;
    client.config.request_ocsp = true;
    client.conn.neg.server_name = blob_new("unit.example", 12);
    server.alpn = blob_new("hello", 5);
    server.ocsp = blob_new("response", 8);
    server.config.ask_client_cert = true;
    server.config.groups = u16_list_of(&p256, 1);
}

static void assert_idle(const struct endpoint *e)
{
    assert_null(e->conn.hs);
    assert_null(e->conn.in.buffer.data);
    assert_null(e->conn.out.buffer.data);
    assert_null(e->conn.message.partial.data);
    assert_int_equal(e->conn.state, STATE_OK);
    assert_int_equal(e->conn.in.epoch, EPOCH_APPLICATION);
    assert_int_equal(e->conn.out.epoch, EPOCH_APPLICATION);
    assert_int_equal(e->num_done, 1);
}

static void assert_connected(void)
{
    assert_idle(&client);
    assert_idle(&server);
    assert_true(endpoints_exchange(&client, &server, "ping", 4));
    assert_true(endpoints_exchange(&server, &client, "pong", 4));
}

/* --- Byte boundaries and pauses --- */

static void a_handshake_survives_every_byte_boundary(void **state)
{
    static const size_t pieces[] = { 0, 1, 2, 3, 4, 5, 6, 7, 9, 16, 31, 100, 1000 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        renew();
        assert_true(endpoints_connect(&client, &server, pieces[i]));
        assert_connected();
        renew();
        configure_all();
        assert_true(endpoints_connect(&client, &server, pieces[i]));
        assert_connected();
    }
}

struct wire {
    struct items client;
    struct items server;
};

static void assert_same_items(const struct items *a, const struct items *b)
{
    assert_int_equal(a->num, b->num);
    for (size_t i = 0; i < a->num; i++) {
        assert_int_equal(a->at[i].content, b->at[i].content);
        assert_int_equal(a->at[i].len, b->at[i].len);
        assert_memory_equal(a->at[i].bytes, b->at[i].bytes, a->at[i].len);
    }
}

/* The step rule: a step that paused and runs again leaves no trace. Randomness repeats itself here,
 * so that the messages are the same to the last byte. */
static void pausing_hooks_leave_no_trace(void **state)
{
    struct wire plain;

    (void)state;
    configure_all();
    assert_true(endpoints_connect(&client, &server, 0));
    plain = (struct wire){ client.sent, server.sent };
    client.sent.num = server.sent.num = 0;
    for (unsigned times = 1; times <= 3; times++) {
        renew();
        configure_all();
        client.pauses_left = server.pauses_left = times;
        assert_true(endpoints_connect(&client, &server, 7));
        /* client: verify, credential; server: hello and credential (twice), verify. */
        assert_int_equal(client.num_pauses, 2 * times);
        assert_int_equal(server.num_pauses, 5 * times);
        assert_same_items(&client.sent, &plain.client);
        assert_same_items(&server.sent, &plain.server);
        assert_int_equal(client.num_verified, 1);
        assert_int_equal(server.num_verified, 1);
        assert_connected();
    }
    items_wipe(&plain.client);
    items_wipe(&plain.server);
}

/* A flight has to be out before its answer is waited for: TLS_WANT_INPUT says that nothing is left
 * to deliver. */
static void output_is_delivered_before_input_is_wanted(void **state)
{
    size_t len;

    (void)state;
    assert_true(tls_start(&client.conn));
    assert_int_equal(tls_run(&client.conn), TLS_WANT_FLUSH);
    (void)tls_output(&client.conn, &len);
    assert_true(len > 1);
    tls_output_ack(&client.conn, 1);
    assert_int_equal(tls_run(&client.conn), TLS_WANT_FLUSH);
    tls_output_ack(&client.conn, len - 1);
    assert_int_equal(tls_run(&client.conn), TLS_WANT_INPUT);
    assert_int_equal(tls_input_wanted(&client.conn), RECORD_HEADER_LEN);
    assert_null(client.conn.out.buffer.data);
}

/* What each side learnt about the other. */
static void both_sides_know_the_same(void **state)
{
    uint8_t of_client[40];
    uint8_t of_server[40];

    (void)state;
    configure_all();
    assert_true(endpoints_connect(&client, &server, 0));
    const struct negotiated *c = &client.conn.neg;
    const struct negotiated *s = &server.conn.neg;
    assert_int_equal(c->version, VERSION_TLS13);
    assert_int_equal(s->version, VERSION_TLS13);
    assert_ptr_equal(c->suite, s->suite);
    assert_ptr_equal(c->group, s->group);
    assert_int_equal(c->group->id, 0x0017);
    assert_true(c->was_retried && s->was_retried);
    assert_memory_equal(c->alpn->bytes, "hello", 5);
    assert_memory_equal(s->alpn->bytes, "hello", 5);
    assert_memory_equal(s->server_name->bytes, "unit.example", 12);
    assert_true(c->server_name_acknowledged);
    assert_int_equal(client.peer_ocsp_len, 8);
    assert_memory_equal(c->client_random, s->client_random, RANDOM_LEN);
    assert_memory_equal(c->server_random, s->server_random, RANDOM_LEN);
    assert_ptr_equal(c->own_scheme, s->peer_scheme);
    assert_ptr_equal(c->peer_scheme, s->own_scheme);
    assert_memory_equal(client.conn.secrets, server.conn.secrets, sizeof(*client.conn.secrets));
    assert_true(keys13_export(&client.conn, &client.conn.secrets->exporter_master, "label", 5,
                              (const uint8_t *)"context", 7, of_client, sizeof(of_client)));
    assert_true(keys13_export(&server.conn, &server.conn.secrets->exporter_master, "label", 5,
                              (const uint8_t *)"context", 7, of_server, sizeof(of_server)));
    assert_memory_equal(of_client, of_server, sizeof(of_client));
    assert_true(keys13_export(&server.conn, &server.conn.secrets->exporter_master, "label", 5, NULL,
                              0, of_server, sizeof(of_server)));
    assert_memory_not_equal(of_client, of_server, sizeof(of_client));
}

/* --- Suites and groups --- */

static void every_suite_works(void **state)
{
    static const uint16_t suites[] = { 0x1301, 0x1302, 0x1303, 0x1304, 0x1305 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        renew();
        client.config.suites13 = u16_list_of(&suites[i], 1);
        server.config.suites13 = u16_list_of(suites, COUNT_OF(suites));
        assert_true(endpoints_connect(&client, &server, 0));
        assert_int_equal(suite_id(client.conn.neg.suite), suites[i]);
        assert_connected();
    }
}

/* Offered at once, and asked for by a HelloRetryRequest. The largest are left to the tests of
 * group.h: they take long. */
static void every_group_works(void **state)
{
    static const uint16_t groups[] = { 0x001d, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100, 0x0101 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        renew();
        client.config.groups = u16_list_of(&groups[i], 1);
        assert_true(endpoints_connect(&client, &server, 0));
        assert_int_equal(server.conn.neg.group->id, groups[i]);
        assert_false(client.conn.neg.was_retried);
        assert_connected();
        renew();
        server.config.groups = u16_list_of(&groups[i], 1);
        assert_true(endpoints_connect(&client, &server, 0));
        assert_int_equal(client.conn.neg.group->id, groups[i]);
        assert_int_equal(client.conn.neg.was_retried, i > 0);
        assert_connected();
    }
}

static void padding_of_any_length_is_accepted(void **state)
{
    static const size_t amounts[] = { 1, 255, 5000, 20000 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(amounts); i++) {
        renew();
        client.padding = server.padding = amounts[i];
        assert_true(endpoints_connect(&client, &server, 0));
        assert_connected();
    }
}

/* RFC 6066, 4: both sides keep to what was agreed on; messages are split accordingly. */
static void an_agreed_fragment_length_is_kept(void **state)
{
    static uint8_t data[513];

    (void)state;
    client.config.max_fragment_code = 1; /* 512 bytes */
    assert_true(endpoints_connect(&client, &server, 0));
    assert_int_equal(tls_write_limit(&client.conn), 512);
    assert_int_equal(tls_write_limit(&server.conn), 512);
    assert_int_equal(client.conn.in.max_plaintext, 512);
    assert_connected();
    assert_int_equal(tls_write(&client.conn, data, sizeof(data)), TLS_OK);
    size_t len;
    const uint8_t *out = tls_output(&client.conn, &len);
    assert_int_equal(len, 2 * (RECORD_HEADER_LEN + 17) + sizeof(data));
    assert_int_equal(out[3] << 8 | out[4], 512 + 17);
}

static void small_fragments_carry_a_handshake(void **state)
{
    (void)state;
    configure_all();
    client.config.max_send_fragment = server.config.max_send_fragment = 512;
    client.padding = server.padding = 0;
    assert_true(endpoints_connect(&client, &server, 0));
    assert_int_equal(tls_write_limit(&client.conn), 512);
    assert_connected();
}

/* --- The server may write before the client's Finished --- */

static void a_server_may_write_after_its_finished(void **state)
{
    struct buffer to_client = { 0 };
    struct buffer to_server = { 0 };
    uint8_t data[16];
    size_t got;

    (void)state;
    assert_int_equal(endpoint_run(&client, &to_server), TLS_WANT_INPUT);
    assert_int_equal(endpoint_run(&server, NULL), TLS_WANT_INPUT);
    endpoint_feed(&server, buffer_bytes(&to_server), buffer_len(&to_server));
    buffer_wipe(&to_server);
    assert_int_equal(endpoint_run(&server, &to_client), TLS_WANT_INPUT);
    assert_int_equal(server.conn.out.epoch, EPOCH_APPLICATION);
    assert_int_equal(server.conn.in.epoch, EPOCH_HANDSHAKE);
    assert_int_equal(tls_write(&server.conn, (const uint8_t *)"early", 5), TLS_OK);
    endpoint_take(&server, &to_client);
    endpoint_feed(&client, buffer_bytes(&to_client), buffer_len(&to_client));
    buffer_wipe(&to_client);
    assert_int_equal(endpoint_read(&client, data, sizeof(data), &got, &to_server), TLS_APP_DATA);
    assert_int_equal(got, 5);
    assert_memory_equal(data, "early", 5);
    endpoint_feed(&server, buffer_bytes(&to_server), buffer_len(&to_server));
    buffer_wipe(&to_server);
    assert_int_equal(endpoint_run(&server, NULL), TLS_OK);
    assert_connected();
}

/* --- What does not fit --- */

/* Client and server until one of them fails; the other has been told. */
static void expect_failure(struct endpoint *who, uint8_t alert, int reason)
{
    struct endpoint *other = who == &client ? &server : &client;

    assert_false(endpoints_connect(&client, &server, 0));
    assert_true(who->conn.error.failed);
    assert_int_equal(who->conn.error.alert, alert);
    if (reason != 0) {
        assert_int_equal(who->conn.error.reason, reason);
    }
    assert_null(who->conn.hs);
    assert_int_equal(who->num_done, 0);
    assert_int_equal(other->last_alert, ALERT_LEVEL_FATAL << 8 | alert);
}

static void nothing_in_common_is_a_handshake_failure(void **state)
{
    static const uint16_t suites[] = { 0x1301, 0x1302 };
    static const uint16_t groups[] = { 0x001d, 0x0017 };
    static const uint16_t sigalgs[] = { 0x0403, 0x0807 };

    (void)state;
    client.config.suites13 = u16_list_of(&suites[0], 1);
    server.config.suites13 = u16_list_of(&suites[1], 1);
    expect_failure(&server, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_CIPHER);
    renew();
    client.config.groups = u16_list_of(&groups[0], 1);
    server.config.groups = u16_list_of(&groups[1], 1);
    expect_failure(&server, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SUITABLE_KEY_SHARE);
    renew();
    client.config.sigalgs = u16_list_of(&sigalgs[0], 1);
    server.config.sigalgs = u16_list_of(&sigalgs[1], 1);
    expect_failure(&server, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS);
}

static void a_refused_certificate_ends_it(void **state)
{
    (void)state;
    client.verify_answer = HOOK_FAIL;
    client.verify_alert = ALERT_CERTIFICATE_EXPIRED;
    expect_failure(&client, ALERT_CERTIFICATE_EXPIRED, SSL_R_CERTIFICATE_VERIFY_FAILED);
    renew();
    server.config.ask_client_cert = true;
    server.verify_answer = HOOK_FAIL;
    assert_false(endpoints_connect(&client, &server, 0));
    assert_int_equal(server.conn.error.alert, ALERT_UNKNOWN_CA);
    assert_int_equal(server.num_done, 0);
}

static void a_required_certificate_must_come(void **state)
{
    (void)state;
    server.config.ask_client_cert = server.config.require_client_cert = true;
    credential_clear(&client.config.credentials->slot[KEY_ED25519]);
    assert_false(endpoints_connect(&client, &server, 0));
    assert_int_equal(server.conn.error.alert, ALERT_CERTIFICATE_REQUIRED);
    assert_int_equal(server.num_done, 0);
    renew();
    server.config.ask_client_cert = true; /* but not required */
    credential_clear(&client.config.credentials->slot[KEY_ED25519]);
    assert_true(endpoints_connect(&client, &server, 0));
    assert_null(server.conn.session->peer);
    assert_connected();
}

/* --- Again --- */

static void a_connection_can_be_used_again(void **state)
{
    (void)state;
    configure_all();
    for (int round = 0; round < 3; round++) {
        assert_true(endpoints_connect(&client, &server, 0));
        assert_connected();
        conn_reset(&client.conn, false);
        conn_reset(&server.conn, false);
        client.num_done = server.num_done = 0;
        assert_null(client.conn.session);
        assert_int_equal(client.conn.handshakes_done, 0);
    }
}

/* Abandoned at any byte, a handshake leaves nothing behind; the sanitizer looks. */
static void a_handshake_can_be_abandoned_anywhere(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < 1500; cut += 37) {
        struct buffer hello = { 0 };
        struct buffer flight = { 0 };
        renew();
        configure_all();
        (void)endpoint_run(&client, &hello);
        (void)endpoint_run(&server, NULL);
        size_t to_server = cut < buffer_len(&hello) ? cut : buffer_len(&hello);
        endpoint_feed(&server, buffer_bytes(&hello), to_server);
        (void)endpoint_run(&server, &flight);
        size_t to_client = cut < buffer_len(&flight) ? cut : buffer_len(&flight);
        endpoint_feed(&client, buffer_bytes(&flight), to_client);
        (void)endpoint_run(&client, NULL);
        tls_abandon(&client.conn);
        tls_abandon(&server.conn);
        assert_null(client.conn.hs);
        buffer_wipe(&hello);
        buffer_wipe(&flight);
    }
}

static int forget_identity(void **state)
{
    (void)state;
    endpoint_identity_free();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_pair, free_pair)
    const struct CMUnitTest tests[] = {
        TEST(a_handshake_survives_every_byte_boundary),
        TEST(pausing_hooks_leave_no_trace),
        TEST(output_is_delivered_before_input_is_wanted),
        TEST(both_sides_know_the_same),
        TEST(every_suite_works),
        TEST(every_group_works),
        TEST(padding_of_any_length_is_accepted),
        TEST(an_agreed_fragment_length_is_kept),
        TEST(small_fragments_carry_a_handshake),
        TEST(a_server_may_write_after_its_finished),
        TEST(nothing_in_common_is_a_handshake_failure),
        TEST(a_refused_certificate_ends_it),
        TEST(a_required_certificate_must_come),
        TEST(a_connection_can_be_used_again),
        TEST(a_handshake_can_be_abandoned_anywhere),
    };

    deterministic_random_install();
    return cmocka_run_group_tests(tests, NULL, forget_identity);
}
