/*
 * The receiving record layer: how records arrive, lengths, padding, content types, and that nothing
 * is held for nothing.
 */
#include "unit.h"

#include "record_pipe.h"

#include "base/pool.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* --- What arrives --- */

static void records_arrive_at_every_byte_boundary(void **state)
{
    static const uint8_t data[] = "some data";

    (void)state;
    for (size_t cut = 1; cut < 2 * (RECORD_HEADER_LEN + sizeof(data) + 17); cut++) {
        open_pipes(true);
        assert_true(record_seal(&out, CONTENT_APPLICATION, data, sizeof(data), NULL));
        assert_true(record_seal(&out, CONTENT_HANDSHAKE, data, 4, NULL));
        uint8_t wire[128];
        size_t len = buffer_len(&out.buffer);
        size_t seen = 0;
        assert_true(len <= sizeof(wire));
        memcpy(wire, buffer_bytes(&out.buffer), len);
        for (size_t done = 0; done < len;) {
            size_t piece = cut < len - done ? cut : len - done;
            feed(wire + done, piece);
            done += piece;
            while (record_in_next(&in, &error) == RECORD_READY) {
                assert_memory_equal(in.current.data, data, seen == 0 ? sizeof(data) : 4);
                record_in_consume(&in, in.current.len);
                seen++;
            }
        }
        assert_int_equal(seen, 2);
        assert_null(in.buffer.data);
        close_pipes();
    }
}

/* First the rest of a header is wanted, then the rest of the body: what applications see their
 * transport being asked for. */
static void what_is_wanted_is_a_header_then_a_body(void **state)
{
    uint8_t wire[64];

    (void)state;
    open_pipes(false);
    assert_true(record_seal(&out, CONTENT_HANDSHAKE, (const uint8_t *)"12345678", 8, NULL));
    memcpy(wire, buffer_bytes(&out.buffer), 13);
    for (size_t i = 0; i < 13; i++) {
        assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
        assert_int_equal(record_in_wanted(&in), i < 5 ? 5 - i : 13 - i);
        feed(wire + i, 1);
    }
    assert_int_equal(record_in_wanted(&in), 0);
    expect_record(CONTENT_HANDSHAKE, "12345678", 8);
    /* Behind the current record a header is wanted next. */
    assert_int_equal(record_in_wanted(&in), 5);
    assert_int_equal(record_in_buffered(&in), 0);
    feed(wire, 6);
    assert_int_equal(record_in_wanted(&in), 7);
    assert_int_equal(record_in_buffered(&in), 6);
    close_pipes();
}

/* Only while the body of protected application data of a full length is due. */
static void a_full_record_is_followed_by_another(void **state)
{
    static uint8_t data[RECORD_MAX_PLAINTEXT];
    static const struct {
        size_t len;
        uint16_t max;
        enum epoch epoch;
        bool follows;
    } cases[] = {
        { RECORD_MAX_PLAINTEXT, RECORD_MAX_PLAINTEXT, EPOCH_APPLICATION, true },
        { RECORD_MAX_PLAINTEXT, RECORD_MAX_PLAINTEXT, EPOCH_HANDSHAKE, false },
        { RECORD_MAX_PLAINTEXT, RECORD_MAX_PLAINTEXT, EPOCH_EARLY, false },
        { RECORD_MAX_PLAINTEXT - 17, RECORD_MAX_PLAINTEXT, EPOCH_APPLICATION, false },
        { 512, RECORD_MAX_PLAINTEXT, EPOCH_APPLICATION, false },
        { 512, 512, EPOCH_APPLICATION, true },
        { 495, 512, EPOCH_APPLICATION, false },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_pipes(true);
        in.epoch = cases[i].epoch;
        in.max_plaintext = cases[i].max;
        in.early_left = sizeof(data);
        assert_true(record_seal(&out, CONTENT_APPLICATION, data, cases[i].len, NULL));
        feed(buffer_bytes(&out.buffer), RECORD_HEADER_LEN - 1);
        assert_false(record_in_awaits_full(&in));
        feed(buffer_bytes(&out.buffer) + RECORD_HEADER_LEN - 1, 1);
        assert_int_equal(record_in_awaits_full(&in), cases[i].follows);
        feed(buffer_bytes(&out.buffer) + RECORD_HEADER_LEN,
             buffer_len(&out.buffer) - RECORD_HEADER_LEN);
        /* The header that was asked for with it does no harm to what is told of the record. */
        feed(buffer_bytes(&out.buffer), RECORD_HEADER_LEN);
        expect_record(CONTENT_APPLICATION, data, cases[i].len);
        assert_false(record_in_awaits_full(&in));
        assert_false(record_in_has_unopened(&in));
        record_in_consume(&in, cases[i].len);
        assert_false(record_in_has_unopened(&in));
        assert_int_equal(record_in_awaits_full(&in), cases[i].follows);
        close_pipes();
    }
    open_pipes(false);
    feed("\x17\x03\x03\x48\x00", RECORD_HEADER_LEN);
    assert_false(record_in_awaits_full(&in));
    close_pipes();
}

static void a_record_is_consumed_piece_by_piece(void **state)
{
    (void)state;
    open_pipes(true);
    deliver(CONTENT_APPLICATION, "abcdef", 6);
    expect_record(CONTENT_APPLICATION, "abcdef", 6);
    record_in_consume(&in, 2);
    expect_record(CONTENT_APPLICATION, "cdef", 4); /* asking again changes nothing */
    record_in_consume(&in, 3);
    expect_record(CONTENT_APPLICATION, "f", 1);
    assert_non_null(in.buffer.data);
    record_in_consume(&in, 1);
    assert_null(in.buffer.data);
    assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    close_pipes();
}

/* --- Idle connections hold no memory --- */

static void an_idle_pipe_holds_no_memory(void **state)
{
    static uint8_t data[RECORD_MAX_PLAINTEXT];

    (void)state;
    open_pipes(true);
    assert_null(in.buffer.data);
    assert_null(out.buffer.data);
    for (size_t len = 1; len <= sizeof(data); len *= 2) {
        assert_true(record_seal(&out, CONTENT_APPLICATION, data, len, NULL));
        feed(buffer_bytes(&out.buffer), buffer_len(&out.buffer));
        buffer_consume(&out.buffer, buffer_len(&out.buffer));
        buffer_release(&out.buffer);
        assert_null(out.buffer.data);
        expect_record(CONTENT_APPLICATION, data, len);
        record_in_consume(&in, len);
        assert_null(in.buffer.data);
    }
    /* A record that is dropped without being seen gives its memory back, too. */
    deliver(CONTENT_APPLICATION, "", 0);
    assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    assert_null(in.buffer.data);
    close_pipes();
}

/* RFC 8446, 5.1: a length field alone makes nobody allocate: buffers hold one record. */
static void a_length_field_reserves_nothing(void **state)
{
    static const uint8_t header[] = { CONTENT_HANDSHAKE, 3, 3, 0x40, 0x00 };

    (void)state;
    open_pipes(false);
    feed(header, sizeof(header));
    size_t cap = in.buffer.cap;
    assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    assert_int_equal(record_in_wanted(&in), RECORD_MAX_PLAINTEXT);
    assert_int_equal(in.buffer.cap, cap);
    close_pipes();
}

/* --- Lengths --- */

/* RFC 8446, 5.1: "The length MUST NOT exceed 2^14 bytes. An endpoint that receives a record that
 * exceeds this length MUST terminate the connection with a "record_overflow" alert." */
static void plaintext_is_at_most_16384_bytes(void **state)
{
    static uint8_t record[RECORD_HEADER_LEN + RECORD_MAX_PLAINTEXT + 1] = { CONTENT_HANDSHAKE, 3, 3,
                                                                            0x40 };

    (void)state;
    open_pipes(false);
    feed(record, sizeof(record) - 1);
    assert_int_equal(record_in_next(&in, &error), RECORD_READY);
    close_pipes();
    open_pipes(false);
    record[4] = 1;
    feed(record, sizeof(record));
    expect_refusal(ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    close_pipes();
}

/* RFC 8446, 5.2: "The length MUST NOT exceed 2^14 + 256 bytes. An endpoint that receives a record
 * that exceeds this length MUST terminate the connection with a "record_overflow" alert." The
 * header alone is enough to know. */
static void ciphertext_is_at_most_256_bytes_longer(void **state)
{
    const size_t most = RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS13;
    uint8_t header[RECORD_HEADER_LEN] = { CONTENT_APPLICATION, 3, 3, (uint8_t)(most >> 8),
                                          (uint8_t)most };

    (void)state;
    open_pipes(true);
    feed(header, sizeof(header));
    assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    close_pipes();
    open_pipes(true);
    header[4]++;
    feed(header, sizeof(header));
    expect_refusal(ALERT_RECORD_OVERFLOW, SSL_R_ENCRYPTED_LENGTH_TOO_LONG);
    close_pipes();
    open_pipes(true);
    memset(header + 3, 0xff, 2);
    feed(header, sizeof(header));
    expect_refusal(ALERT_RECORD_OVERFLOW, SSL_R_PACKET_LENGTH_TOO_LONG);
    close_pipes();
}

/* RFC 8446, 5.4: the limit holds for content and padding together: 2^14 + 1 with the type. */
static void the_inside_is_at_most_16384_bytes_and_a_type(void **state)
{
    static uint8_t inside[RECORD_MAX_PLAINTEXT + 2];

    (void)state;
    memset(inside, 'x', sizeof(inside));
    inside[RECORD_MAX_PLAINTEXT] = CONTENT_APPLICATION;
    inside[RECORD_MAX_PLAINTEXT + 1] = 0;
    open_pipes(true);
    send_inside(inside, RECORD_MAX_PLAINTEXT + 1);
    expect_record(CONTENT_APPLICATION, inside, RECORD_MAX_PLAINTEXT);
    close_pipes();
    open_pipes(true);
    send_inside(inside, RECORD_MAX_PLAINTEXT + 2);
    expect_refusal(ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    close_pipes();
}

/* RFC 6066, 4: an agreed maximum holds for what is received. */
static void an_agreed_maximum_is_enforced(void **state)
{
    static uint8_t data[513];

    (void)state;
    open_pipes(true);
    in.max_plaintext = 512;
    deliver(CONTENT_APPLICATION, data, 512);
    expect_record(CONTENT_APPLICATION, data, 512);
    record_in_consume(&in, 512);
    deliver(CONTENT_APPLICATION, data, 513);
    expect_refusal(ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    close_pipes();
}

/* --- Padding and content types --- */

static void padding_is_taken_off(void **state)
{
    uint8_t inside[200] = { 'h', 'i', 0, CONTENT_APPLICATION };

    (void)state;
    for (size_t len = 4; len <= sizeof(inside); len++) {
        open_pipes(true);
        send_inside(inside, len);
        expect_record(CONTENT_APPLICATION, "hi", 3); /* its own zero stays */
        close_pipes();
    }
}

/* RFC 8446, 5.4: "If a receiving implementation does not find a non-zero octet in the cleartext, it
 * MUST terminate the connection with an "unexpected_message" alert." */
static void a_record_of_zeros_is_refused(void **state)
{
    static const uint8_t zeros[64];

    (void)state;
    for (size_t len = 0; len <= sizeof(zeros); len += 16) {
        open_pipes(true);
        send_inside(zeros, len);
        expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
        close_pipes();
    }
}

/* RFC 8446, 5: a protected ChangeCipherSpec, and types that do not exist. */
static void an_inner_type_is_one_of_three(void **state)
{
    (void)state;
    for (unsigned type = 1; type < 256; type++) {
        const uint8_t inside[] = { 1, 0, (uint8_t)type };
        open_pipes(true);
        in.plain_ccs = true;
        send_inside(inside, sizeof(inside));
        if (type == CONTENT_ALERT || type == CONTENT_HANDSHAKE || type == CONTENT_APPLICATION) {
            expect_record((uint8_t)type, inside, 2);
        } else {
            expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
        }
        close_pipes();
    }
}

/* RFC 8446, 5.2: what is protected looks like application data. */
static void an_outer_type_under_protection_is_application_data(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 256; type++) {
        const uint8_t header[] = { (uint8_t)type, 3, 3, 0, 1, 1 };
        open_pipes(true);
        feed(header, sizeof(header));
        if (type == CONTENT_APPLICATION) {
            expect_refusal(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
        } else {
            expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
        }
        close_pipes();
    }
}

static void an_alert_in_the_clear_counts_only_before_the_first_protected_record(void **state)
{
    static const uint8_t alert[] = { CONTENT_ALERT, 3, 3, 0, 2, 2, 40 };

    (void)state;
    open_pipes(true);
    in.plain_alerts = true;
    feed(alert, sizeof(alert));
    expect_record(CONTENT_ALERT, alert + 5, 2);
    record_in_consume(&in, 2);
    deliver(CONTENT_APPLICATION, "x", 1);
    expect_record(CONTENT_APPLICATION, "x", 1);
    record_in_consume(&in, 1);
    feed(alert, sizeof(alert));
    expect_refusal(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
    close_pipes();
}

/* RFC 8446, 5: "An implementation may receive an unencrypted record of type change_cipher_spec
 * consisting of the single byte value 0x01 at any time [...] and MUST simply drop it"; whoever owns
 * the connection drops it, here is what it may look like. */
static void a_change_cipher_spec_is_a_single_one(void **state)
{
    static const uint8_t good[] = { CONTENT_CCS, 3, 3, 0, 1, 1 };
    static const uint8_t two[] = { CONTENT_CCS, 3, 3, 0, 1, 2 };
    static const uint8_t longer[] = { CONTENT_CCS, 3, 3, 0, 2, 1, 1 };
    static const uint8_t empty[] = { CONTENT_CCS, 3, 3, 0, 0 };

    (void)state;
    for (int protected = 0; protected <= 1; protected ++) {
        open_pipes(protected != 0);
        in.plain_ccs = true;
        feed(good, sizeof(good));
        expect_record(CONTENT_CCS, "\1", 1);
        record_in_consume(&in, 1);
        feed(two, sizeof(two));
        expect_refusal(ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        close_pipes();
        open_pipes(protected != 0);
        in.plain_ccs = true;
        feed(longer, sizeof(longer));
        expect_refusal(ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        close_pipes();
        open_pipes(protected != 0);
        in.plain_ccs = true;
        feed(empty, sizeof(empty));
        expect_refusal(ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        close_pipes();
    }
}

/* The key has to be expanded again for a record that comes to an idle connection. That there is no
 * memory for it is not the peer's fault. */
static bool wake_for_a_record(void *arg)
{
    void *blocks[POOL_KEPT_KEYS];

    (void)arg;
    failing_alloc_pause(true);
    open_pipes(true);
    deliver(CONTENT_APPLICATION, "data", 4);
    protection_rest(in.protection);
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        blocks[i] = pool_take(POOL_KEY_SIZE);
    }
    failing_alloc_pause(false);
    bool done = record_in_next(&in, &error) == RECORD_READY;
    failing_alloc_pause(true);
    if (done) {
        expect_record(CONTENT_APPLICATION, "data", 4);
    } else {
        assert_int_equal(error.alert, ALERT_INTERNAL_ERROR);
        assert_int_equal(error.reason, ERR_R_MALLOC_FAILURE);
    }
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        pool_give(blocks[i], POOL_KEY_SIZE);
    }
    close_pipes();
    failing_alloc_pause(false);
    return done;
}

static void waking_without_memory_is_our_failure(void **state)
{
    (void)state;
    bool has_table = strcmp(aead_backend(AEAD_AES_128_GCM), "ipsec-mb") == 0;

    assert_int_equal(fail_each_allocation(wake_for_a_record, NULL, false), has_table ? 1 : 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_at_every_byte_boundary),
        cmocka_unit_test(what_is_wanted_is_a_header_then_a_body),
        cmocka_unit_test(a_full_record_is_followed_by_another),
        cmocka_unit_test(a_record_is_consumed_piece_by_piece),
        cmocka_unit_test(an_idle_pipe_holds_no_memory),
        cmocka_unit_test(a_length_field_reserves_nothing),
        cmocka_unit_test(plaintext_is_at_most_16384_bytes),
        cmocka_unit_test(ciphertext_is_at_most_256_bytes_longer),
        cmocka_unit_test(the_inside_is_at_most_16384_bytes_and_a_type),
        cmocka_unit_test(an_agreed_maximum_is_enforced),
        cmocka_unit_test(padding_is_taken_off),
        cmocka_unit_test(a_record_of_zeros_is_refused),
        cmocka_unit_test(an_inner_type_is_one_of_three),
        cmocka_unit_test(an_outer_type_under_protection_is_application_data),
        cmocka_unit_test(an_alert_in_the_clear_counts_only_before_the_first_protected_record),
        cmocka_unit_test(a_change_cipher_spec_is_a_single_one),
        cmocka_unit_test(waking_without_memory_is_our_failure),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
