/*
 * What happens between two engines after their handshake: data, key updates, tickets, alerts,
 * closing, floods.
 */
#include "unit.h"

#include "idle_pair.h"

#include <openssl/sslerr.h>
#include <stdio.h>
#include <string.h>

/* --- Data --- */

static void data_of_any_length_arrives(void **state)
{
    static uint8_t data[RECORD_MAX_PLAINTEXT];
    static uint8_t received[RECORD_MAX_PLAINTEXT];

    (void)state;
    fill_pattern(data, sizeof(data), 1, 7);
    for (size_t len = 1; len <= sizeof(data); len = len < 8 ? len + 1 : len * 2) {
        struct buffer wire = { 0 };
        size_t done = 0;
        size_t got;
        assert_int_equal(tls_write(&client.conn, data, len), TLS_OK);
        endpoint_take(&client, &wire);
        endpoint_feed(&server, buffer_bytes(&wire), buffer_len(&wire));
        buffer_wipe(&wire);
        /* A look first, then in pieces. */
        assert_int_equal(tls_read(&server.conn, received, 1, true, &got), TLS_APP_DATA);
        assert_int_equal(tls_pending(&server.conn), len);
        while (done < len) {
            assert_int_equal(tls_read(&server.conn, received + done, 1000, false, &got),
                             TLS_APP_DATA);
            done += got;
        }
        assert_int_equal(done, len);
        assert_memory_equal(received, data, len);
        assert_int_equal(tls_pending(&server.conn), 0);
        assert_null(server.conn.in.buffer.data);
        assert_null(client.conn.out.buffer.data);
    }
}

/* --- Key updates --- */

static void keys_are_updated_in_both_directions(void **state)
{
    struct endpoint *ends[] = { &client, &server };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct buffer wire = { 0 };
        struct endpoint *peer = peer_of(ends[i]);
        struct traffic_secrets before = *ends[i]->conn.secrets;
        ends[i]->conn.key_update = KEY_UPDATE_NOT_REQUESTED;
        assert_int_equal(endpoint_run(ends[i], &wire), TLS_OK);
        endpoint_feed(peer, buffer_bytes(&wire), buffer_len(&wire));
        buffer_wipe(&wire);
        assert_int_equal(move(ends[i], NULL), TLS_WANT_INPUT);
        assert_int_equal(peer->conn.key_update, KEY_UPDATE_NONE);
        assert_memory_equal(&client.conn.secrets->client_application,
                            &server.conn.secrets->client_application, sizeof(struct secret));
        assert_memory_equal(&client.conn.secrets->server_application,
                            &server.conn.secrets->server_application, sizeof(struct secret));
        assert_memory_not_equal(&before, ends[i]->conn.secrets, sizeof(before));
        assert_usable();
    }
}

/* RFC 8446, 4.6.3: "then the receiver MUST send a KeyUpdate of its own with request_update set to
 * update_not_requested prior to sending its next Application Data record"; while our output is
 * blocked one answer does for several requests, and nothing fails. */
static void a_request_is_answered_before_data(void **state)
{
    static const uint8_t request[] = { MSG_KEY_UPDATE, 0, 0, 1, 1 };
    struct buffer wire = { 0 };
    size_t sent = server.sent.num;
    uint8_t data[16];
    size_t got;

    (void)state;
    assert_int_equal(tls_write(&server.conn, (const uint8_t *)"blocked", 7), TLS_OK);
    for (int i = 0; i < 3; i++) {
        forger_seal(&as_client, CONTENT_HANDSHAKE, request, sizeof(request), &wire);
        forger_next_key(&as_client);
    }
    endpoint_feed(&server, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(tls_read(&server.conn, data, sizeof(data), false, &got), TLS_HANDSHAKE);
        assert_int_equal(tls_run(&server.conn), TLS_OK);
        assert_int_equal(server.conn.key_update, KEY_UPDATE_NOT_REQUESTED);
    }
    assert_int_equal(tls_read(&server.conn, data, sizeof(data), false, &got), TLS_WANT_INPUT);
    assert_int_equal(server.sent.num, sent);
    /* Data that was sealed before goes first. */
    assert_int_equal(endpoint_run(&server, &wire), TLS_OK);
    assert_int_equal(server.sent.num, sent + 1);
    assert_hex(server.sent.at[sent].bytes, server.sent.at[sent].len, "18 000001 00");
    assert_int_equal(server.conn.key_update, KEY_UPDATE_NONE);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    assert_int_equal(endpoint_read(&client, data, sizeof(data), &got, NULL), TLS_APP_DATA);
    assert_memory_equal(data, "blocked", 7);
    assert_true(endpoints_exchange(&server, &client, "data", 4));
}

/* A request of ours that has not gone out yet does not get lost over the peer's. */
static void our_own_request_is_kept(void **state)
{
    static const uint8_t request[] = { MSG_KEY_UPDATE, 0, 0, 1, 1 };
    struct buffer wire = { 0 };
    uint8_t data[16];
    size_t got;

    (void)state;
    assert_int_equal(tls_write(&server.conn, (const uint8_t *)"blocked", 7), TLS_OK);
    server.conn.key_update = KEY_UPDATE_REQUESTED;
    forger_seal(&as_client, CONTENT_HANDSHAKE, request, sizeof(request), &wire);
    endpoint_feed(&server, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    assert_int_equal(tls_read(&server.conn, data, sizeof(data), false, &got), TLS_HANDSHAKE);
    assert_int_equal(tls_run(&server.conn), TLS_OK);
    assert_int_equal(server.conn.key_update, KEY_UPDATE_REQUESTED);
}

/* Both ends ask at the same time. */
static void requests_may_cross(void **state)
{
    struct buffer from_client = { 0 };
    struct buffer from_server = { 0 };
    uint8_t data[8];
    size_t got;

    (void)state;
    client.conn.key_update = server.conn.key_update = KEY_UPDATE_REQUESTED;
    assert_int_equal(endpoint_run(&client, &from_client), TLS_OK);
    assert_int_equal(endpoint_run(&server, &from_server), TLS_OK);
    endpoint_feed(&client, buffer_bytes(&from_server), buffer_len(&from_server));
    endpoint_feed(&server, buffer_bytes(&from_client), buffer_len(&from_client));
    buffer_wipe(&from_client);
    buffer_wipe(&from_server);
    assert_int_equal(endpoint_read(&client, data, sizeof(data), &got, NULL), TLS_WANT_INPUT);
    assert_int_equal(endpoint_read(&server, data, sizeof(data), &got, NULL), TLS_WANT_INPUT);
    assert_int_equal(client.conn.key_update, KEY_UPDATE_NOT_REQUESTED);
    assert_int_equal(endpoint_run(&client, &from_client), TLS_OK);
    endpoint_feed(&server, buffer_bytes(&from_client), buffer_len(&from_client));
    buffer_wipe(&from_client);
    assert_int_equal(endpoint_run(&server, &from_server), TLS_OK);
    endpoint_feed(&client, buffer_bytes(&from_server), buffer_len(&from_server));
    buffer_wipe(&from_server);
    assert_usable();
}

/* RFC 8446, 5.5: before a key has protected as many records as it may it is updated, without
 * anybody's asking. */
static void a_worn_key_is_updated_by_itself(void **state)
{
    struct endpoint *ends[] = { &client, &server };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        struct tls_conn *c = &ends[i]->conn;
        size_t sent = ends[i]->sent.num;
        for (int round = 1; round <= 3; round++) {
            c->out.protection->seal_limit = 5;
            while (!tls_key_is_worn(c)) {
                assert_true(endpoints_exchange(ends[i], peer_of(ends[i]), "data", 4));
            }
            assert_int_equal(c->out.protection->sequence, 5);
            assert_int_equal(c->key_update, KEY_UPDATE_NOT_REQUESTED);
            struct buffer wire = { 0 };
            assert_int_equal(endpoint_run(ends[i], &wire), TLS_OK);
            endpoint_feed(peer_of(ends[i]), buffer_bytes(&wire), buffer_len(&wire));
            buffer_wipe(&wire);
            assert_int_equal(ends[i]->sent.num, sent + (size_t)round);
            assert_int_equal(c->out.protection->sequence, 0);
            assert_false(tls_key_is_worn(c));
            assert_true(endpoints_exchange(ends[i], peer_of(ends[i]), "more", 4));
        }
    }
}

static void a_key_update_is_one_byte_zero_or_one(void **state)
{
    static const struct {
        uint8_t bytes[6];
        size_t len;
        uint8_t alert;
        int reason;
    } cases[] = {
        { { MSG_KEY_UPDATE, 0, 0, 0 }, 4, ALERT_DECODE_ERROR, SSL_R_BAD_KEY_UPDATE },
        { { MSG_KEY_UPDATE, 0, 0, 1, 2 }, 5, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_UPDATE },
        { { MSG_KEY_UPDATE, 0, 0, 2, 0, 0 },
          6,
          ALERT_ILLEGAL_PARAMETER,
          SSL_R_EXCESSIVE_MESSAGE_SIZE },
        { { MSG_KEY_UPDATE, 0, 0, 1, 0, 'x' },
          6,
          ALERT_UNEXPECTED_MESSAGE,
          SSL_R_NOT_ON_RECORD_BOUNDARY },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        renew(true);
        enum tls_status status = receive(&server, CONTENT_HANDSHAKE, cases[i].bytes, cases[i].len);
        expect_failure(&server, status, cases[i].alert, cases[i].reason);
    }
}

/* Only consecutive ones count: each costs us key derivations and the application nothing. */
static void a_flood_of_key_updates_ends(void **state)
{
    static const uint8_t no_request[] = { MSG_KEY_UPDATE, 0, 0, 1, 0 };

    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 1024; i++) {
            assert_int_equal(receive(&server, CONTENT_HANDSHAKE, no_request, sizeof(no_request)),
                             TLS_WANT_INPUT);
            forger_next_key(&as_client);
        }
        if (round == 0) {
            assert_int_equal(receive(&server, CONTENT_APPLICATION, "x", 1), TLS_APP_DATA);
        }
    }
    enum tls_status status = receive(&server, CONTENT_HANDSHAKE, no_request, sizeof(no_request));
    expect_failure(&server, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MANY_KEY_UPDATES);
}

/* --- Alerts and closing --- */

static void each_half_closes_by_itself(void **state)
{
    (void)state;
    tls_queue_alert(&client.conn, ALERT_LEVEL_WARNING, ALERT_CLOSE_NOTIFY);
    assert_int_equal(move(&client, NULL), TLS_CLOSED);
    assert_int_equal(server.last_alert, ALERT_LEVEL_WARNING << 8 | ALERT_CLOSE_NOTIFY);
    assert_false(server.conn.error.failed);
    /* The other direction goes on: RFC 8446, 6.1. */
    assert_true(endpoints_exchange(&server, &client, "still", 5));
    tls_queue_alert(&server.conn, ALERT_LEVEL_WARNING, ALERT_CLOSE_NOTIFY);
    assert_int_equal(move(&server, NULL), TLS_CLOSED);
    assert_false(client.conn.error.failed);
}

static void data_after_our_close_is_an_error_for_who_waits_for_the_end(void **state)
{
    struct buffer wire = { 0 };

    (void)state;
    forger_seal(&as_server, CONTENT_APPLICATION, "x", 1, &wire);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    assert_int_equal(tls_read_close(&client.conn), TLS_FAILED);
    assert_int_equal(client.conn.error.reason, SSL_R_APPLICATION_DATA_AFTER_CLOSE_NOTIFY);
    assert_int_equal(client.conn.error.alert, ALERT_NONE);
}

/* RFC 8446, 6: in TLS 1.3 the level says nothing; all but two alerts end the connection. */
static void every_other_alert_is_fatal(void **state)
{
    (void)state;
    for (unsigned description = 0; description < 256; description++) {
        for (uint8_t level = 1; level <= 2; level++) {
            const uint8_t alert[] = { level, (uint8_t)description };
            renew(false);
            enum tls_status status = receive(&client, CONTENT_ALERT, alert, sizeof(alert));
            if (description == ALERT_CLOSE_NOTIFY) {
                assert_int_equal(status, TLS_CLOSED);
            } else if (description == ALERT_USER_CANCELED) {
                assert_int_equal(status, TLS_WANT_INPUT);
            } else {
                expect_failure(&client, status, ALERT_NONE, REASON_OF_ALERT + (int)description);
                assert_int_equal(client.conn.received_fatal, (int)description);
            }
        }
    }
}

/* CVE-2017-3737: after a failure nothing is sent or accepted any more. */
static void a_failure_is_for_good(void **state)
{
    uint8_t data[8];
    size_t got;

    (void)state;
    enum tls_status status = receive(&client, CONTENT_HANDSHAKE, "\0\0\0\0", 4);
    expect_failure(&client, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
    assert_int_equal(receive(&client, CONTENT_APPLICATION, "x", 1), TLS_FAILED);
    assert_int_equal(tls_read(&client.conn, data, sizeof(data), false, &got), TLS_FAILED);
    assert_int_equal(tls_read_close(&client.conn), TLS_FAILED);
    assert_int_equal(tls_write(&client.conn, data, 1), TLS_FAILED);
    client.conn.key_update = KEY_UPDATE_REQUESTED;
    assert_false(tls_start(&client.conn));
    assert_int_equal(client.conn.error.reason, SSL_R_UNEXPECTED_MESSAGE);
}

static void a_flood_of_warnings_ends(void **state)
{
    static const uint8_t canceled[] = { ALERT_LEVEL_WARNING, ALERT_USER_CANCELED };

    (void)state;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(receive(&client, CONTENT_ALERT, canceled, 2), TLS_WANT_INPUT);
    }
    assert_int_equal(receive(&client, CONTENT_APPLICATION, "x", 1), TLS_APP_DATA);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(receive(&client, CONTENT_ALERT, canceled, 2), TLS_WANT_INPUT);
    }
    enum tls_status status = receive(&client, CONTENT_ALERT, canceled, 2);
    expect_failure(&client, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MANY_WARN_ALERTS);
}

static void a_flood_of_empty_records_ends(void **state)
{
    (void)state;
    for (unsigned i = 0; i < RECORD_MAX_EMPTY; i++) {
        assert_int_equal(receive(&client, CONTENT_APPLICATION, "", 0), TLS_WANT_INPUT);
    }
    enum tls_status status = receive(&client, CONTENT_APPLICATION, "", 0);
    expect_failure(&client, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_RECORD_TOO_SMALL);
}

/* CVE-2014-0224 class, after the handshake. */
static void a_late_change_cipher_spec_is_refused(void **state)
{
    static const uint8_t ccs[] = { CONTENT_CCS, 3, 3, 0, 1, 1 };
    uint8_t data[8];
    size_t got;

    (void)state;
    endpoint_feed(&server, ccs, sizeof(ccs));
    enum tls_status status = endpoint_read(&server, data, sizeof(data), &got, NULL);
    expect_failure(&server, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
}

/* RFC 8446, 5.1: between the parts of a message nothing else comes, be its header known or not. */
static void data_amid_a_message_is_refused(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 8; len++) {
        renew(false);
        assert_int_equal(receive(&client, CONTENT_HANDSHAKE, "\4\0\0\40part", len), TLS_WANT_INPUT);
        enum tls_status status = receive(&client, CONTENT_APPLICATION, "x", 1);
        expect_failure(&client, status, ALERT_UNEXPECTED_MESSAGE,
                       SSL_R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA);
    }
}

/* --- Tickets --- */

static void tickets_are_checked(void **state)
{
    static const struct {
        const char *hex;
        uint8_t alert; /* 0: taken */
    } cases[] = {
        { "04 000013 00000100 01020304 00 0002 0909 0004 ffff0000 ", 0 },
        { "04 00000f 00000100 01020304 00 0002 0909 0000", 0 },
        { "04 00000d 00000100 01020304 00 0000 0000", ALERT_DECODE_ERROR },
        { "04 000010 00000100 01020304 00 0002 0909 0000 00", ALERT_DECODE_ERROR },
        { "04 000010 00000100 01020304 00 0002 0909 0001 00", ALERT_DECODE_ERROR },
        { "04 00000e 00000100 01020304 00 0002 0909 00", ALERT_DECODE_ERROR },
        { "04 000000", ALERT_DECODE_ERROR },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes ticket = from_hex(cases[i].hex);
        renew(false);
        enum tls_status status = receive(&client, CONTENT_HANDSHAKE, ticket.data, ticket.len);
        if (cases[i].alert == 0) {
            assert_int_equal(status, TLS_WANT_INPUT);
            assert_int_equal(receive(&client, CONTENT_APPLICATION, "x", 1), TLS_APP_DATA);
        } else {
            assert_int_equal(status, TLS_FAILED);
            assert_int_equal(client.conn.error.alert, cases[i].alert);
        }
    }
}

/* A server takes none. */
static void a_server_takes_no_ticket(void **state)
{
    struct bytes ticket = from_hex("04 00000f 00000100 01020304 00 0002 0909 0000");

    (void)state;
    enum tls_status status = receive(&server, CONTENT_HANDSHAKE, ticket.data, ticket.len);
    expect_failure(&server, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, idle_pair_make, idle_pair_free)
    const struct CMUnitTest tests[] = {
        TEST(data_of_any_length_arrives),
        TEST(keys_are_updated_in_both_directions),
        TEST(a_request_is_answered_before_data),
        TEST(our_own_request_is_kept),
        TEST(requests_may_cross),
        TEST(a_worn_key_is_updated_by_itself),
        TEST(a_key_update_is_one_byte_zero_or_one),
        TEST(a_flood_of_key_updates_ends),
        TEST(each_half_closes_by_itself),
        TEST(data_after_our_close_is_an_error_for_who_waits_for_the_end),
        TEST(every_other_alert_is_fatal),
        TEST(a_failure_is_for_good),
        TEST(a_flood_of_warnings_ends),
        TEST(a_flood_of_empty_records_ends),
        TEST(a_late_change_cipher_spec_is_refused),
        TEST(data_amid_a_message_is_refused),
        TEST(tickets_are_checked),
        TEST(a_server_takes_no_ticket),
    };

    return cmocka_run_group_tests(tests, idle_pair_begin, idle_pair_end);
}
