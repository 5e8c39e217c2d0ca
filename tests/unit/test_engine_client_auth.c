/*
 * Post-handshake authentication between two engines: RFC 8446, 4.6.2.
 */
#include "unit.h"

#include "crypto/kdf.h"
#include "idle_pair.h"

#include <openssl/sslerr.h>

static void ask(struct buffer *wire)
{
    server.conn.post_auth = POST_AUTH_ASKED;
    assert_int_equal(endpoint_run(&server, wire), TLS_OK);
    assert_int_equal(server.conn.post_auth, POST_AUTH_PENDING);
}

/* The server asks, the client answers. */
static enum tls_status authenticate(size_t piece)
{
    struct buffer request = { 0 };
    struct buffer response = { 0 };
    uint8_t data[8];
    size_t got;
    enum tls_status status = TLS_WANT_INPUT;

    ask(&request);
    endpoint_feed(&client, buffer_bytes(&request), buffer_len(&request));
    buffer_wipe(&request);
    assert_int_equal(endpoint_read(&client, data, sizeof(data), &got, &response), TLS_WANT_INPUT);
    while (buffer_len(&response) > 0 && status == TLS_WANT_INPUT) {
        size_t len = buffer_len(&response);
        len = piece != 0 && piece < len ? piece : len;
        endpoint_feed(&server, buffer_bytes(&response), len);
        buffer_consume(&response, len);
        status = endpoint_read(&server, data, sizeof(data), &got, NULL);
    }
    buffer_wipe(&response);
    return status;
}

static void a_client_may_authenticate_later_and_again(void **state)
{
    (void)state;
    assert_null(server.conn.session->peer);
    for (unsigned i = 1; i <= 3; i++) {
        struct ssl_session_st *before = server.conn.session;
        assert_int_equal(authenticate(i == 3 ? 1 : 0), TLS_WANT_INPUT);
        assert_int_equal(server.num_verified, i);
        assert_non_null(server.conn.session->peer);
        assert_ptr_not_equal(server.conn.session, before); /* which others may share */
        assert_int_equal(server.conn.post_auth, POST_AUTH_OFFERED);
        assert_usable();
    }
}

/* Adds the handshake messages among items[first..num) to h. */
static void hash_items(struct running_hash *h, const struct items *items, size_t first, size_t num)
{
    for (size_t i = first; i < num; i++) {
        if (items->at[i].content == CONTENT_HANDSHAKE) {
            assert_true(running_hash_update(h, items->at[i].bytes, items->at[i].len));
        }
    }
}

/* RFC 8446, 4.4 and 4.4.1: the transcript of the handshake, then request, Certificate and
 * CertificateVerify; the key is made of the client's application secret. Computed here from what
 * was sent. */
static void a_later_finished_covers_the_whole_story(void **state)
{
    size_t of_client = client.sent.num;
    size_t of_server = server.sent.num;
    const struct hash *h = keys13_hash(&server.conn);
    struct running_hash transcript = { 0 };
    struct secret key = { .len = (uint8_t)hash_len(h) };
    uint8_t digest[HASH_MAX_LEN];
    uint8_t expected[HASH_MAX_LEN];

    (void)state;
    assert_int_equal(authenticate(0), TLS_WANT_INPUT);
    assert_int_equal(client.sent.num, of_client + 3);
    assert_true(running_hash_start(&transcript, h));
    hash_items(&transcript, &client.sent, 0, 1);
    hash_items(&transcript, &server.sent, 0, of_server);
    hash_items(&transcript, &client.sent, 1, of_client);
    hash_items(&transcript, &server.sent, of_server, of_server + 1);
    hash_items(&transcript, &client.sent, of_client, of_client + 2);
    assert_true(running_hash_peek(&transcript, digest));
    assert_true(hkdf_expand_label(h, &client.conn.secrets->client_application, "finished", 8, NULL,
                                  0, key.bytes, key.len));
    assert_true(hmac_once(h, key.bytes, key.len, digest, hash_len(h), expected));
    const struct item *finished = &client.sent.at[of_client + 2];
    assert_int_equal(finished->len, 4 + hash_len(h));
    assert_memory_equal(finished->bytes + 4, expected, hash_len(h));
    running_hash_wipe(&transcript);
}

static void a_client_may_decline(void **state)
{
    (void)state;
    credential_clear(&client.config.credentials->slot[KEY_ED25519]);
    assert_int_equal(authenticate(0), TLS_WANT_INPUT);
    assert_int_equal(server.num_verified, 0);
    assert_null(server.conn.session->peer);
    assert_usable();
    server.config.require_client_cert = true;
    enum tls_status status = authenticate(0);
    expect_failure(&server, status, ALERT_CERTIFICATE_REQUIRED,
                   SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
}

static void a_refused_certificate_ends_the_connection(void **state)
{
    (void)state;
    server.verify_answer = HOOK_FAIL;
    enum tls_status status = authenticate(0);
    expect_failure(&server, status, ALERT_UNKNOWN_CA, SSL_R_CERTIFICATE_VERIFY_FAILED);
}

/* A client that has not offered it takes no request: RFC 8446, 4.6.2. */
static void who_has_not_offered_is_not_asked(void **state)
{
    static const uint8_t request[] = {
        MSG_CERTIFICATE_REQUEST, 0, 0, 11, 0, 0, 8, 0, 13, 0, 4, 0, 2, 8, 7
    };

    (void)state;
    assert_int_equal(receive(&client, CONTENT_HANDSHAKE, request, sizeof(request)), TLS_WANT_INPUT);
    renew(false);
    enum tls_status status = receive(&client, CONTENT_HANDSHAKE, request, sizeof(request));
    expect_failure(&client, status, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
}

/* RFC 8446, 4.6.2: "all of the client's messages for a given response MUST appear consecutively on
 * the wire with no intervening messages of other types." */
static void nothing_comes_amid_an_answer(void **state)
{
    static const uint8_t key_update[] = { MSG_KEY_UPDATE, 0, 0, 1, 0 };

    (void)state;
    for (int with_data = 0; with_data <= 1; with_data++) {
        struct buffer request = { 0 };
        uint8_t data[8];
        size_t got;
        renew(true);
        ask(&request);
        endpoint_feed(&client, buffer_bytes(&request), buffer_len(&request));
        buffer_wipe(&request);
        size_t first = client.sent.num;
        assert_int_equal(endpoint_read(&client, data, sizeof(data), &got, NULL), TLS_WANT_INPUT);
        const struct item *cert = &client.sent.at[first];
        assert_int_equal(receive(&server, CONTENT_HANDSHAKE, cert->bytes, cert->len),
                         TLS_WANT_INPUT);
        enum tls_status status =
            with_data ? receive(&server, CONTENT_APPLICATION, "x", 1)
                      : receive(&server, CONTENT_HANDSHAKE, key_update, sizeof(key_update));
        expect_failure(&server, status, ALERT_UNEXPECTED_MESSAGE,
                       with_data ? SSL_R_UNEXPECTED_RECORD : SSL_R_UNEXPECTED_MESSAGE);
    }
}

/* Data that was on its way when the request came. */
static void data_may_come_before_an_answer(void **state)
{
    struct buffer request = { 0 };

    (void)state;
    ask(&request);
    assert_int_equal(receive(&server, CONTENT_APPLICATION, "x", 1), TLS_APP_DATA);
    assert_int_equal(server.conn.post_auth, POST_AUTH_PENDING);
    buffer_wipe(&request);
}

/* The context of another request is no answer to this one. */
static void an_answer_has_the_context_of_its_request(void **state)
{
    struct buffer request = { 0 };
    uint8_t data[8];
    size_t got;

    (void)state;
    ask(&request);
    endpoint_feed(&client, buffer_bytes(&request), buffer_len(&request));
    buffer_wipe(&request);
    size_t first = client.sent.num;
    assert_int_equal(endpoint_read(&client, data, sizeof(data), &got, NULL), TLS_WANT_INPUT);
    struct item *cert = &client.sent.at[first];
    assert_true(cert->bytes[4] > 0);
    cert->bytes[5] ^= 1;
    enum tls_status status = receive(&server, CONTENT_HANDSHAKE, cert->bytes, cert->len);
    expect_failure(&server, status, ALERT_DECODE_ERROR, SSL_R_INVALID_CONTEXT);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, idle_pair_make, idle_pair_free)
    const struct CMUnitTest tests[] = {
        TEST(a_client_may_authenticate_later_and_again),
        TEST(a_later_finished_covers_the_whole_story),
        TEST(a_client_may_decline),
        TEST(a_refused_certificate_ends_the_connection),
        TEST(who_has_not_offered_is_not_asked),
        TEST(nothing_comes_amid_an_answer),
        TEST(data_may_come_before_an_answer),
        TEST(an_answer_has_the_context_of_its_request),
    };

    return cmocka_run_group_tests(tests, idle_pair_begin, idle_pair_end);
}
