/*
 * What the receiving record layer refuses or drops: headers that are no TLS, empty records,
 * changed, repeated and misplaced ones, early data that was rejected.
 */
#include "unit.h"

#include "record_pipe.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* --- Headers --- */

static void the_first_bytes_say_what_is_no_tls(void **state)
{
    static const struct {
        const char *bytes;
        bool of_server;
        uint8_t alert;
        int reason;
    } cases[] = {
        { "GET / HTTP/1.1", true, ALERT_NONE, SSL_R_HTTP_REQUEST },
        { "POST / HTTP/1.1", true, ALERT_NONE, SSL_R_HTTP_REQUEST },
        { "HEAD / HTTP/1.1", true, ALERT_NONE, SSL_R_HTTP_REQUEST },
        { "PUT / HTTP/1.1", true, ALERT_NONE, SSL_R_HTTP_REQUEST },
        { "CONNECT host:443", true, ALERT_NONE, SSL_R_HTTPS_PROXY_REQUEST },
        { "HTTP/1.1 400 Bad", false, ALERT_NONE, SSL_R_WRONG_VERSION_NUMBER },
        { "SSH-2.0-OpenSSH", true, ALERT_NONE, SSL_R_WRONG_VERSION_NUMBER },
        { "\x80\x08\x01\x03\x01", true, ALERT_DECODE_ERROR, SSL_R_LENGTH_TOO_SHORT },
        { "\xff\xff\x01\x03\x01", true, ALERT_RECORD_OVERFLOW, SSL_R_PACKET_LENGTH_TOO_LONG },
        { "\x80\x2e\x01\x03\x01", false, ALERT_NONE, SSL_R_WRONG_VERSION_NUMBER },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_pipes(false);
        in.of_server = cases[i].of_server;
        feed(cases[i].bytes, RECORD_HEADER_LEN);
        expect_refusal(cases[i].alert, cases[i].reason);
        close_pipes();
    }
}

/* RFC 5246, E.2: two bytes of header, and only as the first record of a client. */
static void a_hello_of_ssl_2_is_one_record(void **state)
{
    static const uint8_t hello[] = { 0x80, 12, 1, 3, 3, 0, 3, 0, 0, 0, 0, 0, 0, 0x2f };

    (void)state;
    open_pipes(false);
    in.of_server = true;
    for (size_t i = 0; i < sizeof(hello); i++) {
        assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
        assert_int_equal(record_in_wanted(&in), i < 5 ? 5 - i : sizeof(hello) - i);
        feed(hello + i, 1);
    }
    expect_record(CONTENT_HANDSHAKE, hello + 2, sizeof(hello) - 2);
    assert_true(in.is_v2_hello);
    record_in_consume(&in, sizeof(hello) - 2);
    feed(hello, sizeof(hello));
    expect_refusal(ALERT_PROTOCOL_VERSION, SSL_R_WRONG_VERSION_NUMBER);
    assert_false(in.is_v2_hello);
    close_pipes();
}

static void later_records_have_a_version(void **state)
{
    static const uint8_t good[] = { CONTENT_HANDSHAKE, 3, 1, 0, 1, 'x' };
    static const uint8_t other_major[] = { CONTENT_HANDSHAKE, 2, 3, 0, 1 };
    static const uint8_t other_minor[] = { CONTENT_APPLICATION, 3, 1, 0, 17 };

    (void)state;
    open_pipes(false);
    feed(good, sizeof(good));
    expect_record(CONTENT_HANDSHAKE, "x", 1);
    record_in_consume(&in, 1);
    feed(other_major, sizeof(other_major));
    expect_refusal(ALERT_PROTOCOL_VERSION, SSL_R_WRONG_VERSION_NUMBER);
    close_pipes();
    open_pipes(true);
    feed(other_minor, sizeof(other_minor));
    expect_refusal(ALERT_DECODE_ERROR, SSL_R_WRONG_VERSION_NUMBER);
    close_pipes();
}

/* --- Empty records --- */

/* RFC 8446, 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types, even if
 * those fragments contain padding"; 5.4: only application data may be empty. */
static void handshake_and_alert_records_are_not_empty(void **state)
{
    static const uint8_t types[] = { CONTENT_HANDSHAKE, CONTENT_ALERT };
    static const uint8_t plain[] = {
        CONTENT_HANDSHAKE, 3, 3, 0, 0, CONTENT_HANDSHAKE, 3, 3, 0, 1, 1
    };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        open_pipes(true);
        deliver(types[i], "", 0);
        expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_LENGTH);
        close_pipes();
    }
    open_pipes(false); /* before anybody knows that it will be TLS 1.3 */
    feed(plain, sizeof(plain));
    expect_record(CONTENT_HANDSHAKE, "\x01", 1);
    close_pipes();
}

/* CVE-2016-6305 class: empty records cost us work and the application gets nothing. Consecutive
 * ones count. */
static void a_flood_of_empty_records_ends(void **state)
{
    (void)state;
    open_pipes(true);
    for (int round = 0; round < 3; round++) {
        for (unsigned i = 0; i < RECORD_MAX_EMPTY; i++) {
            deliver(CONTENT_APPLICATION, "", 0);
            assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
        }
        deliver(CONTENT_APPLICATION, "x", 1);
        expect_record(CONTENT_APPLICATION, "x", 1);
        record_in_consume(&in, 1);
    }
    for (unsigned i = 0; i < RECORD_MAX_EMPTY; i++) {
        deliver(CONTENT_APPLICATION, "", 0);
        assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    }
    deliver(CONTENT_APPLICATION, "", 0);
    expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_RECORD_TOO_SMALL);
    close_pipes();
}

/* --- Tags and sequence numbers --- */

static void every_byte_of_a_record_is_authentic(void **state)
{
    (void)state;
    for (size_t i = 0; i < RECORD_HEADER_LEN + 4 + 17; i++) {
        open_pipes(true);
        assert_true(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"data", 4, NULL));
        assert_int_equal(buffer_len(&out.buffer), RECORD_HEADER_LEN + 4 + 17);
        buffer_bytes(&out.buffer)[i] ^= 1;
        transfer();
        if (i == 4) {
            /* one byte less than there is; the length is authentic, too */
            assert_int_equal(buffer_bytes(&in.buffer)[4] & 1, 0);
        }
        if (i == 3) {
            assert_int_equal(record_in_next(&in, &error), RECORD_WANT); /* for a longer record */
        } else {
            assert_int_equal(record_in_next(&in, &error), RECORD_BAD);
        }
        close_pipes();
    }
}

/* CVE-2017-3731 class: what is shorter than a tag and a content type. */
static void a_record_shorter_than_its_tag_is_refused(void **state)
{
    (void)state;
    for (uint8_t len = 0; len <= 16; len++) {
        uint8_t record[RECORD_HEADER_LEN + 16] = { CONTENT_APPLICATION, 3, 3, 0, len };
        open_pipes(true);
        feed(record, RECORD_HEADER_LEN + (size_t)len);
        expect_refusal(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
        close_pipes();
    }
}

static void records_come_in_their_order_and_once(void **state)
{
    uint8_t first[64];
    size_t first_len;

    (void)state;
    open_pipes(true);
    assert_true(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"first", 5, NULL));
    first_len = buffer_len(&out.buffer);
    memcpy(first, buffer_bytes(&out.buffer), first_len);
    transfer();
    expect_record(CONTENT_APPLICATION, "first", 5);
    record_in_consume(&in, 5);
    assert_int_equal(in.protection->sequence, 1);
    feed(first, first_len);
    expect_refusal(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    close_pipes();
}

/* RFC 8446, 5.3: "Because the size of sequence numbers is 64-bit, they should not wrap." */
static void sequence_numbers_do_not_wrap(void **state)
{
    (void)state;
    open_pipes(true);
    in.protection->sequence = out.protection->sequence = UINT64_MAX - 1;
    deliver(CONTENT_APPLICATION, "last", 4);
    expect_record(CONTENT_APPLICATION, "last", 4);
    record_in_consume(&in, 4);
    assert_false(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"more", 4, NULL));
    assert_int_equal(buffer_len(&out.buffer), 0);
    static const uint8_t record[RECORD_HEADER_LEN + 20] = { CONTENT_APPLICATION, 3, 3, 0, 20 };
    feed(record, sizeof(record));
    expect_refusal(ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    close_pipes();
}

/* --- Early data that was rejected --- */

/* RFC 8446, 4.2.10: "The server then skips past early data by attempting to deprotect received
 * records using the handshake traffic key, discarding records which fail deprotection (up to the
 * configured max_early_data_size)." */
static void rejected_early_data_is_skipped_up_to_a_limit(void **state)
{
    static uint8_t junk[RECORD_HEADER_LEN + 100] = { CONTENT_APPLICATION, 3, 3, 0, 100 };

    (void)state;
    open_pipes(true);
    in.skip_left = 250;
    feed(junk, sizeof(junk));
    assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    assert_null(in.buffer.data);
    feed(junk, sizeof(junk));
    assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    assert_int_equal(in.skip_left, 250 - 2 * 84); /* tags do not count */
    /* The first record that opens ends it. */
    deliver(CONTENT_HANDSHAKE, "real", 4);
    expect_record(CONTENT_HANDSHAKE, "real", 4);
    record_in_consume(&in, 4);
    feed(junk, sizeof(junk));
    expect_refusal(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    close_pipes();
    open_pipes(true);
    in.skip_left = 83;
    feed(junk, sizeof(junk));
    expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
    close_pipes();
}

/* After a HelloRetryRequest there are no keys to try: everything of that type is skipped. */
static void early_data_before_a_second_hello_is_skipped(void **state)
{
    static uint8_t junk[RECORD_HEADER_LEN + 100] = { CONTENT_APPLICATION, 3, 3, 0, 100 };
    static const uint8_t hello[] = { CONTENT_HANDSHAKE, 3, 3, 0, 1, 'h' };

    (void)state;
    open_pipes(false);
    in.skip_left = 150;
    feed(junk, sizeof(junk));
    feed(hello, sizeof(hello));
    expect_record(CONTENT_HANDSHAKE, "h", 1);
    record_in_consume(&in, 1);
    feed(junk, sizeof(junk));
    expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
    close_pipes();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bytes_say_what_is_no_tls),
        cmocka_unit_test(a_hello_of_ssl_2_is_one_record),
        cmocka_unit_test(later_records_have_a_version),
        cmocka_unit_test(handshake_and_alert_records_are_not_empty),
        cmocka_unit_test(a_flood_of_empty_records_ends),
        cmocka_unit_test(every_byte_of_a_record_is_authentic),
        cmocka_unit_test(a_record_shorter_than_its_tag_is_refused),
        cmocka_unit_test(records_come_in_their_order_and_once),
        cmocka_unit_test(sequence_numbers_do_not_wrap),
        cmocka_unit_test(rejected_early_data_is_skipped_up_to_a_limit),
        cmocka_unit_test(early_data_before_a_second_hello_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
