/*
 * Messages, alerts and floods that a peer with the right keys sends amid a handshake: what spans a
 * key change, is mixed, too long, changed, or too much.
 */
#include "unit.h"

#include "engines.h"

#include <openssl/sslerr.h>
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

/* The client up to where the server's flight is due; *flight gets it. */
static void begin(struct buffer *flight)
{
    struct buffer hello = { 0 };

    assert_int_equal(endpoint_run(&client, &hello), TLS_WANT_INPUT);
    assert_int_equal(endpoint_run(&server, NULL), TLS_WANT_INPUT);
    endpoint_feed(&server, buffer_bytes(&hello), buffer_len(&hello));
    assert_int_equal(endpoint_run(&server, flight), TLS_WANT_INPUT);
    buffer_wipe(&hello);
}

static void seal_item(struct forger *f, const struct item *item, struct buffer *out)
{
    forger_enter(f, item->epoch);
    forger_seal(f, item->content, item->bytes, item->len, out);
}

/* Delivers the server's items before `num` as they are. */
static void deliver_items(struct forger *f, size_t num)
{
    struct buffer wire = { 0 };

    for (size_t i = 0; i < num; i++) {
        seal_item(f, &server.sent.at[i], &wire);
    }
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
}

static size_t item_of_type(uint8_t type)
{
    for (size_t i = 0; i < server.sent.num; i++) {
        if (server.sent.at[i].content == CONTENT_HANDSHAKE && server.sent.at[i].bytes[0] == type) {
            return i;
        }
    }
    fail_msg("the server has sent no message of type %u", type);
    return 0;
}

static void expect_client_failure(uint8_t alert, int reason)
{
    assert_int_equal(endpoint_run(&client, NULL), TLS_FAILED);
    assert_int_equal(client.conn.error.alert, alert);
    assert_int_equal(client.conn.error.reason, reason);
    assert_int_equal(client.num_done, 0);
}

/* RFC 8446, 5.1: "Handshake messages MUST NOT span key changes. Implementations MUST verify that
 * all messages immediately preceding a key change align with a record boundary; if not, then they
 * MUST terminate the connection with an "unexpected_message" alert." */
static void messages_do_not_span_key_changes(void **state)
{
    static const uint8_t types[] = { MSG_SERVER_HELLO, MSG_FINISHED };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        struct forger f;
        struct buffer flight = { 0 };
        struct buffer wire = { 0 };
        uint8_t longer[512];
        renew();
        begin(&flight);
        buffer_wipe(&flight);
        forger_init(&f, &server);
        size_t at = item_of_type(types[i]);
        const struct item *item = &server.sent.at[at];
        deliver_items(&f, at);
        memcpy(longer, item->bytes, item->len);
        longer[item->len] = MSG_ENCRYPTED_EXTENSIONS;
        forger_enter(&f, item->epoch);
        forger_seal(&f, CONTENT_HANDSHAKE, longer, item->len + 1, &wire);
        endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
        expect_client_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_NOT_ON_RECORD_BOUNDARY);
        buffer_wipe(&wire);
        forger_wipe(&f);
    }
}

/* RFC 8446, 5.1: "Handshake messages MUST NOT be interleaved with other record types." */
static void nothing_comes_between_the_parts_of_a_message(void **state)
{
    static const struct {
        uint8_t content;
        const char *bytes;
        size_t len;
    } others[] = { { CONTENT_ALERT, "\1\132", 2 }, { CONTENT_APPLICATION, "x", 1 } };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        struct forger f;
        struct buffer flight = { 0 };
        struct buffer wire = { 0 };
        renew();
        begin(&flight);
        buffer_wipe(&flight);
        forger_init(&f, &server);
        size_t at = item_of_type(MSG_CERTIFICATE);
        const struct item *item = &server.sent.at[at];
        deliver_items(&f, at);
        forger_seal(&f, CONTENT_HANDSHAKE, item->bytes, 20, &wire);
        forger_seal(&f, others[i].content, others[i].bytes, others[i].len, &wire);
        forger_seal(&f, CONTENT_HANDSHAKE, item->bytes + 20, item->len - 20, &wire);
        endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
        expect_client_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_RECORD);
        buffer_wipe(&wire);
        forger_wipe(&f);
    }
}

/* A header that announces more than a message of its type may hold is refused before any of it is
 * waited for. */
static void a_message_that_announces_too_much_is_refused(void **state)
{
    static const struct {
        uint8_t type;
        uint32_t most; /* bytes of body */
    } limits[] = {
        { MSG_ENCRYPTED_EXTENSIONS, 20000 },
        { MSG_CERTIFICATE, 102400 },
        { MSG_CERTIFICATE_VERIFY, 16384 },
        { MSG_FINISHED, 64 },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        for (uint32_t more = 0; more <= 1; more++) {
            struct forger f;
            struct buffer flight = { 0 };
            struct buffer wire = { 0 };
            uint32_t len = limits[i].most + more;
            const uint8_t header[] = { limits[i].type, (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                                       (uint8_t)len };
            renew();
            begin(&flight);
            buffer_wipe(&flight);
            forger_init(&f, &server);
            deliver_items(&f, item_of_type(limits[i].type));
            forger_enter(&f, EPOCH_HANDSHAKE);
            forger_seal(&f, CONTENT_HANDSHAKE, header, sizeof(header), &wire);
            endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
            if (more == 0) {
                assert_int_equal(endpoint_run(&client, NULL), TLS_WANT_INPUT);
            } else {
                expect_client_failure(ALERT_ILLEGAL_PARAMETER, SSL_R_EXCESSIVE_MESSAGE_SIZE);
            }
            buffer_wipe(&wire);
            forger_wipe(&f);
        }
    }
}

/* RFC 8446, 4.1.4: "If a client receives a second HelloRetryRequest in the same connection (i.e.,
 * where the ClientHello was itself in response to a HelloRetryRequest), it MUST abort the handshake
 * with an "unexpected_message" alert", also where the second asks for something else. */
static void one_retry_is_all(void **state)
{
    static const uint16_t p256 = 0x0017;
    struct buffer wire = { 0 };
    struct forger f;

    (void)state;
    server.config.groups = u16_list_of(&p256, 1);
    begin(&wire);
    buffer_wipe(&wire);
    forger_init(&f, &server);
    struct item *request = &server.sent.at[0];
    forger_seal(&f, CONTENT_HANDSHAKE, request->bytes, request->len, &wire);
    /* key_share is the last extension, its group the last field: now secp384r1. */
    assert_int_equal(request->bytes[request->len - 1], p256);
    request->bytes[request->len - 1] = 0x18;
    forger_seal(&f, CONTENT_HANDSHAKE, request->bytes, request->len, &wire);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    expect_client_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
    assert_true(client.conn.neg.was_retried);
    buffer_wipe(&wire);
    forger_wipe(&f);
}

/* Each bit of Finished and CertificateVerify counts (CVE-2013-4353 class). */
static void a_changed_proof_is_no_proof(void **state)
{
    static const uint8_t types[] = { MSG_CERTIFICATE_VERIFY, MSG_FINISHED };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        /* Behind the lengths and the scheme, in steps that share no factor with 8. */
        size_t first = types[i] == MSG_FINISHED ? 4 : 8;
        for (size_t bit = 8 * first; bit < 8 * (first + 32); bit += 5) {
            struct forger f;
            struct buffer flight = { 0 };
            renew();
            begin(&flight);
            buffer_wipe(&flight);
            size_t at = item_of_type(types[i]);
            server.sent.at[at].bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            forger_init(&f, &server);
            deliver_items(&f, at + 1);
            expect_client_failure(ALERT_DECRYPT_ERROR, types[i] == MSG_FINISHED
                                                           ? SSL_R_DIGEST_CHECK_FAILED
                                                           : SSL_R_BAD_SIGNATURE);
            forger_wipe(&f);
        }
    }
}

/* --- Key shares --- */

enum damage { ALL_ZEROS, FIRST_BYTE, LAST_BYTE };

static void damage_share(struct item *hello, const struct group *group, enum damage damage)
{
    /* key_share is the last extension of both hellos. */
    uint8_t *share = hello->bytes + hello->len - group->public_len;

    switch (damage) {
    case ALL_ZEROS:
        memset(share, 0, group->public_len);
        break;
    case FIRST_BYTE:
        share[0] ^= 1;
        break;
    case LAST_BYTE:
        share[group->public_len - 1] ^= 1;
        break;
    }
}

/* One of the two hellos with a damaged share arrives. */
static void play_damaged_share(uint16_t id, enum damage damage, bool of_client)
{
    struct buffer flight = { 0 };
    struct buffer wire = { 0 };
    struct forger f;

    renew();
    client.config.groups = u16_list_of(&id, 1);
    if (of_client) {
        assert_int_equal(endpoint_run(&client, NULL), TLS_WANT_INPUT);
        assert_int_equal(endpoint_run(&server, NULL), TLS_WANT_INPUT);
    } else {
        begin(&flight);
        buffer_wipe(&flight);
    }
    struct endpoint *from = of_client ? &client : &server;
    struct endpoint *to = of_client ? &server : &client;
    damage_share(&from->sent.at[0], group_by_id(crypto_lib_default(), id), damage);
    forger_init(&f, from);
    forger_seal(&f, CONTENT_HANDSHAKE, from->sent.at[0].bytes, from->sent.at[0].len, &wire);
    endpoint_feed(to, buffer_bytes(&wire), buffer_len(&wire));
    assert_int_equal(endpoint_run(to, NULL), TLS_FAILED);
    assert_int_equal(to->conn.error.alert, ALERT_ILLEGAL_PARAMETER);
    buffer_wipe(&wire);
    forger_wipe(&f);
}

/* RFC 8446, 4.2.8.1, 4.2.8.2 and 7.4.2: shares out of range, off the curve, or that give zeros
 * (CVE-2017-3730, CVE-2016-0701 class). */
static void bad_key_shares_are_refused(void **state)
{
    static const uint16_t ids[] = { 0x001d, 0x0017, 0x001e, 0x0019, 0x0018, 0x0100 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        for (int of_client = 0; of_client <= 1; of_client++) {
            play_damaged_share(ids[i], ALL_ZEROS, of_client != 0);
            if (group_by_id(crypto_lib_default(), ids[i])->kind == GROUP_EC) {
                play_damaged_share(ids[i], FIRST_BYTE, of_client != 0); /* not "uncompressed" */
                play_damaged_share(ids[i], LAST_BYTE, of_client != 0);  /* off the curve */
            }
        }
    }
}

/* --- Floods on the way --- */

static void a_flood_of_change_cipher_specs_ends(void **state)
{
    struct buffer flight = { 0 };
    static const uint8_t ccs[] = { CONTENT_CCS, 3, 3, 0, 1, 1 };

    (void)state;
    begin(&flight);
    for (unsigned i = 0; i < RECORD_MAX_EMPTY; i++) {
        endpoint_feed(&server, ccs, sizeof(ccs));
        assert_int_equal(endpoint_run(&server, NULL), TLS_WANT_INPUT);
        assert_null(server.conn.in.buffer.data);
    }
    endpoint_feed(&server, ccs, sizeof(ccs));
    assert_int_equal(endpoint_run(&server, NULL), TLS_FAILED);
    assert_int_equal(server.conn.error.alert, ALERT_UNEXPECTED_MESSAGE);
    buffer_wipe(&flight);
}

/* CVE-2016-8610: warnings cost us work and the application nothing. */
static void a_flood_of_warnings_ends(void **state)
{
    struct forger f;
    struct buffer flight = { 0 };
    struct buffer wire = { 0 };
    static const uint8_t canceled[] = { ALERT_LEVEL_WARNING, ALERT_USER_CANCELED };

    (void)state;
    begin(&flight);
    forger_init(&f, &server);
    deliver_items(&f, item_of_type(MSG_ENCRYPTED_EXTENSIONS));
    forger_enter(&f, EPOCH_HANDSHAKE);
    for (int i = 0; i < 4; i++) {
        forger_seal(&f, CONTENT_ALERT, canceled, 2, &wire);
    }
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    assert_int_equal(endpoint_run(&client, NULL), TLS_WANT_INPUT);
    assert_int_equal(client.num_alerts_received, 4);
    buffer_wipe(&wire);
    forger_seal(&f, CONTENT_ALERT, canceled, 2, &wire);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    expect_client_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MANY_WARN_ALERTS);
    buffer_wipe(&wire);
    buffer_wipe(&flight);
    forger_wipe(&f);
}

/* RFC 8446, 5.1: "Alert messages MUST NOT be fragmented across records", and two in one record are
 * no alert either. */
static void an_alert_has_two_bytes(void **state)
{
    static const uint8_t bytes[] = { 2, 40, 2, 40 };

    (void)state;
    for (size_t len = 1; len <= sizeof(bytes); len++) {
        struct forger f;
        struct buffer flight = { 0 };
        struct buffer wire = { 0 };
        renew();
        begin(&flight);
        buffer_wipe(&flight);
        forger_init(&f, &server);
        deliver_items(&f, item_of_type(MSG_ENCRYPTED_EXTENSIONS));
        forger_enter(&f, EPOCH_HANDSHAKE);
        forger_seal(&f, CONTENT_ALERT, bytes, len, &wire);
        endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
        if (len == 2) {
            expect_client_failure(ALERT_NONE, REASON_OF_ALERT + 40);
            assert_int_equal(client.conn.received_fatal, 40);
        } else {
            expect_client_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_INVALID_ALERT);
        }
        buffer_wipe(&wire);
        forger_wipe(&f);
    }
}

/* RFC 8446, 4.4.2.1: the response is about the certificate in whose entry it stands. What stands in
 * an issuer's entry does not take the place of the leaf's. */
static void a_status_of_an_issuer_is_not_the_leafs(void **state)
{
    static const uint8_t status[] = { 0, 11, 0, 5, 0, 7, 1, 0, 0, 3, 'x', 'y', 'z' };
    struct forger f;
    struct buffer flight = { 0 };
    struct buffer message = { 0 };
    struct buffer wire = { 0 };
    struct writer w = writer_to(&message);
    struct reader list, cert;

    (void)state;
    client.config.request_ocsp = true;
    server.ocsp = blob_new("response", 8);
    begin(&flight);
    forger_init(&f, &server);
    size_t at = item_of_type(MSG_CERTIFICATE);
    const struct item *item = &server.sent.at[at];
    struct reader body = reader_of(item->bytes + 5, item->len - 5); /* behind an empty context */
    assert_true(reader_vec24(&body, &list));
    struct reader entry = list;
    assert_true(reader_vec24(&entry, &cert));
    writer_u8(&w, MSG_CERTIFICATE);
    writer_open(&w, 3);
    writer_u8(&w, 0);
    writer_open(&w, 3);
    writer_bytes(&w, list.at, list.left);
    writer_open(&w, 3);
    writer_bytes(&w, cert.at, cert.left);
    writer_close(&w);
    writer_bytes(&w, status, sizeof(status));
    writer_close(&w);
    writer_close(&w);
    assert_true(writer_ok(&w));
    deliver_items(&f, at);
    forger_enter(&f, item->epoch);
    forger_seal(&f, CONTENT_HANDSHAKE, buffer_bytes(&message), buffer_len(&message), &wire);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    assert_int_equal(endpoint_run(&client, NULL), TLS_WANT_INPUT);
    assert_int_equal(peer_chain_len(client.conn.session->peer), 2);
    assert_int_equal(client.peer_ocsp_len, 8);
    buffer_wipe(&flight);
    buffer_wipe(&message);
    buffer_wipe(&wire);
    forger_wipe(&f);
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
        TEST(messages_do_not_span_key_changes),
        TEST(nothing_comes_between_the_parts_of_a_message),
        TEST(a_message_that_announces_too_much_is_refused),
        TEST(one_retry_is_all),
        TEST(a_changed_proof_is_no_proof),
        TEST(bad_key_shares_are_refused),
        TEST(a_flood_of_change_cipher_specs_ends),
        TEST(a_flood_of_warnings_ends),
        TEST(an_alert_has_two_bytes),
        TEST(a_status_of_an_issuer_is_not_the_leafs),
    };

    deterministic_random_install();
    return cmocka_run_group_tests(tests, NULL, forget_identity);
}
