/*
 * The receiving record layer: limits, padding, empty records, header checks, skipped early data,
 * and that nothing is held for nothing.
 */
#include "unit.h"

#include "record/record_in.h"
#include "record/record_out.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

static const uint8_t key[16] = "sixteen bytes...";
static const uint8_t iv[AEAD_NONCE_LEN] = "twelve bytes";

static struct record_in in;
static struct record_out out;
static struct record_error error;

static struct protection *protection(enum aead_direction direction)
{
    struct protection *p =
        protection_new_tls13(crypto_lib_default(), AEAD_AES_128_GCM, direction, key, iv);

    assert_non_null(p);
    return p;
}

/* Fresh pipes; both protected by the same key, or none. */
static void open_pipes(bool protected)
{
    in = (struct record_in){ .max_plaintext = RECORD_MAX_PLAINTEXT };
    out = (struct record_out){ .version = VERSION_TLS12 };
    error = (struct record_error){ 0 };
    if (protected) {
        record_in_protect(&in, protection(AEAD_OPEN), EPOCH_APPLICATION);
        record_out_protect(&out, protection(AEAD_SEAL), EPOCH_APPLICATION);
    }
}

static void close_pipes(void)
{
    record_in_wipe(&in);
    record_out_wipe(&out);
}

static void feed(const void *bytes, size_t len)
{
    uint8_t *space = buffer_reserve(&in.buffer, len);

    assert_non_null(space);
    memcpy(space, bytes, len);
    buffer_commit(&in.buffer, len);
}

/* What was sealed arrives. */
static void transfer(void)
{
    feed(buffer_bytes(&out.buffer), buffer_len(&out.buffer));
    buffer_wipe(&out.buffer);
}

static void send(uint8_t type, const void *data, size_t len)
{
    assert_true(record_seal(&out, type, data, len, NULL));
    transfer();
}

/* Seals inside, whatever it is, as the receiver's next record. */
static void send_inside(const uint8_t *inside, size_t len)
{
    struct aead *aead = aead_new(crypto_lib_default(), AEAD_AES_128_GCM, AEAD_SEAL, key);
    const struct aead_part part = { inside, len };
    uint8_t nonce[AEAD_NONCE_LEN];
    static uint8_t record[RECORD_HEADER_LEN + 20000];
    size_t body = len + 16;

    assert_non_null(aead);
    memcpy(nonce, iv, sizeof(nonce));
    nonce[11] ^= (uint8_t)in.protection->sequence;
    record[0] = CONTENT_APPLICATION;
    record[1] = record[2] = 3;
    record[3] = (uint8_t)(body >> 8);
    record[4] = (uint8_t)body;
    assert_true(
        aead_seal(aead, nonce, record, RECORD_HEADER_LEN, record + RECORD_HEADER_LEN, &part, 1));
    feed(record, RECORD_HEADER_LEN + body);
    aead_free(aead);
}

static void expect_record(uint8_t type, const void *data, size_t len)
{
    assert_int_equal(record_in_next(&in, &error), RECORD_READY);
    assert_int_equal(in.current.type, type);
    assert_int_equal(in.current.len, len);
    assert_memory_equal(in.current.data, data, len);
}

static void expect_failure(uint8_t alert, int reason)
{
    assert_int_equal(record_in_next(&in, &error), RECORD_BAD);
    assert_int_equal(error.alert, alert);
    assert_int_equal(error.reason, reason);
}

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

static void a_record_is_consumed_piece_by_piece(void **state)
{
    (void)state;
    open_pipes(true);
    send(CONTENT_APPLICATION, "abcdef", 6);
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
    send(CONTENT_APPLICATION, "", 0);
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
    expect_failure(ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
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
    expect_failure(ALERT_RECORD_OVERFLOW, SSL_R_ENCRYPTED_LENGTH_TOO_LONG);
    close_pipes();
    open_pipes(true);
    memset(header + 3, 0xff, 2);
    feed(header, sizeof(header));
    expect_failure(ALERT_RECORD_OVERFLOW, SSL_R_PACKET_LENGTH_TOO_LONG);
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
    expect_failure(ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    close_pipes();
}

/* RFC 6066, 4: an agreed maximum holds for what is received. */
static void an_agreed_maximum_is_enforced(void **state)
{
    static uint8_t data[513];

    (void)state;
    open_pipes(true);
    in.max_plaintext = 512;
    send(CONTENT_APPLICATION, data, 512);
    expect_record(CONTENT_APPLICATION, data, 512);
    record_in_consume(&in, 512);
    send(CONTENT_APPLICATION, data, 513);
    expect_failure(ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
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
        expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
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
            expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
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
            expect_failure(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
        } else {
            expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
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
    send(CONTENT_APPLICATION, "x", 1);
    expect_record(CONTENT_APPLICATION, "x", 1);
    record_in_consume(&in, 1);
    feed(alert, sizeof(alert));
    expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
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
        expect_failure(ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        close_pipes();
        open_pipes(protected != 0);
        in.plain_ccs = true;
        feed(longer, sizeof(longer));
        expect_failure(ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        close_pipes();
        open_pipes(protected != 0);
        in.plain_ccs = true;
        feed(empty, sizeof(empty));
        expect_failure(ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        close_pipes();
    }
}

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
        { "\x80\x2e\x01\x00\x02", true, ALERT_PROTOCOL_VERSION, SSL_R_UNKNOWN_PROTOCOL },
        { "\x80\x2e\x01\x03\x01", true, ALERT_PROTOCOL_VERSION, SSL_R_UNSUPPORTED_PROTOCOL },
        { "\x80\x2e\x01\x03\x01", false, ALERT_NONE, SSL_R_WRONG_VERSION_NUMBER },
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        open_pipes(false);
        in.of_server = cases[i].of_server;
        feed(cases[i].bytes, RECORD_HEADER_LEN);
        expect_failure(cases[i].alert, cases[i].reason);
        close_pipes();
    }
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
    expect_failure(ALERT_PROTOCOL_VERSION, SSL_R_WRONG_VERSION_NUMBER);
    close_pipes();
    open_pipes(true);
    feed(other_minor, sizeof(other_minor));
    expect_failure(ALERT_DECODE_ERROR, SSL_R_WRONG_VERSION_NUMBER);
    close_pipes();
}

/* --- Empty records --- */

/* RFC 8446, 5.1: "Implementations MUST NOT send zero-length fragments of Handshake types, even if
 * those fragments contain padding"; 5.4: only application data may be empty. */
static void handshake_and_alert_records_are_not_empty(void **state)
{
    static const uint8_t types[] = { CONTENT_HANDSHAKE, CONTENT_ALERT };
    static const uint8_t plain[] = { CONTENT_HANDSHAKE, 3, 3, 0, 0 };

    (void)state;
    for (size_t i = 0; i < sizeof(types); i++) {
        open_pipes(true);
        send(types[i], "", 0);
        expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_LENGTH);
        close_pipes();
    }
    open_pipes(false);
    feed(plain, sizeof(plain));
    expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_LENGTH);
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
            send(CONTENT_APPLICATION, "", 0);
            assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
        }
        send(CONTENT_APPLICATION, "x", 1);
        expect_record(CONTENT_APPLICATION, "x", 1);
        record_in_consume(&in, 1);
    }
    for (unsigned i = 0; i < RECORD_MAX_EMPTY; i++) {
        send(CONTENT_APPLICATION, "", 0);
        assert_int_equal(record_in_next(&in, &error), RECORD_WANT);
    }
    send(CONTENT_APPLICATION, "", 0);
    expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_RECORD_TOO_SMALL);
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
    expect_failure(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    close_pipes();
}

/* RFC 8446, 5.3: "Because the size of sequence numbers is 64-bit, they should not wrap." */
static void sequence_numbers_do_not_wrap(void **state)
{
    (void)state;
    open_pipes(true);
    in.protection->sequence = out.protection->sequence = UINT64_MAX - 1;
    send(CONTENT_APPLICATION, "last", 4);
    expect_record(CONTENT_APPLICATION, "last", 4);
    record_in_consume(&in, 4);
    assert_false(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"more", 4, NULL));
    assert_int_equal(buffer_len(&out.buffer), 0);
    static const uint8_t record[RECORD_HEADER_LEN + 20] = { CONTENT_APPLICATION, 3, 3, 0, 20 };
    feed(record, sizeof(record));
    expect_failure(ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
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
    assert_int_equal(in.skip_left, 50);
    /* The first record that opens ends it. */
    send(CONTENT_HANDSHAKE, "real", 4);
    expect_record(CONTENT_HANDSHAKE, "real", 4);
    record_in_consume(&in, 4);
    feed(junk, sizeof(junk));
    expect_failure(ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    close_pipes();
    open_pipes(true);
    in.skip_left = 99;
    feed(junk, sizeof(junk));
    expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
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
    expect_failure(ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
    close_pipes();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(records_arrive_at_every_byte_boundary),
        cmocka_unit_test(what_is_wanted_is_a_header_then_a_body),
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
        cmocka_unit_test(the_first_bytes_say_what_is_no_tls),
        cmocka_unit_test(later_records_have_a_version),
        cmocka_unit_test(handshake_and_alert_records_are_not_empty),
        cmocka_unit_test(a_flood_of_empty_records_ends),
        cmocka_unit_test(every_byte_of_a_record_is_authentic),
        cmocka_unit_test(records_come_in_their_order_and_once),
        cmocka_unit_test(sequence_numbers_do_not_wrap),
        cmocka_unit_test(rejected_early_data_is_skipped_up_to_a_limit),
        cmocka_unit_test(early_data_before_a_second_hello_is_skipped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
