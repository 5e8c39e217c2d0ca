/*
 * Records opened into the memory of whoever reads: which ones are, and that nothing else stays
 * there. By every AEAD of TLS 1.3 and 1.2, and by both back ends.
 */
#include "unit.h"

#include "idle_pair.h"

#include "record/record_in.h"

#include <openssl/sslerr.h>
#include <string.h>

#define CANARY 0xee
#define MAX_RECORD                                                                                 \
    (RECORD_HEADER_LEN + RECORD_MAX_PLAINTEXT + 1 + AEAD_MAX_TAG_LEN + 8 /* explicit nonce */)

/* The shortest content that takes the way that is tested, and one below. */
#define SHORTEST 2048
#define SHORTER  (SHORTEST - 1)

static const enum aead_id aeads[] = {
    AEAD_AES_128_GCM, AEAD_AES_256_GCM,  AEAD_CHACHA20_POLY1305,
    AEAD_AES_128_CCM, AEAD_ARIA_128_GCM, /* TLS 1.2 alone */
};

/* What the records of a test are protected by. */
struct kind {
    uint16_t version;
    enum aead_id id;
    const struct crypto_lib *lib;
};

static struct record_in in;
static struct protection *seal;
static struct record_error error;
static uint8_t text[RECORD_MAX_PLAINTEXT];
static uint8_t record[MAX_RECORD];
static uint8_t dst[RECORD_MAX_PLAINTEXT + 64];

static struct protection *protection(const struct kind *k, enum aead_direction direction)
{
    static const uint8_t key[AEAD_MAX_KEY_LEN] = "a key of thirty-two bytes, or 16";
    static const uint8_t iv[AEAD_NONCE_LEN] = "twelve bytes";
    struct protection *p =
        k->version == VERSION_TLS13
            ? protection_new_tls13(k->lib, k->id, direction, key, iv)
            : protection_new_tls12(k->lib, k->id, direction, k->version, key, iv);

    assert_non_null(p);
    return p;
}

static void begin(const struct kind *k)
{
    in = (struct record_in){ .max_plaintext = RECORD_MAX_PLAINTEXT };
    record_in_protect(&in, protection(k, AEAD_OPEN), EPOCH_APPLICATION);
    seal = protection(k, AEAD_SEAL);
    memset(dst, CANARY, sizeof(dst));
}

static void end(void)
{
    record_in_wipe(&in);
    protection_free(seal);
}

/* Runs test with each kind. In TLS 1.3 CCM's records are opened in place: it takes text in one
 * piece. */
static void with_each_kind(void (*test)(const struct kind *k))
{
    const struct crypto_lib *libs[] = { crypto_lib_default(),
                                        crypto_lib_new(NULL, "provider=default") };
    static const uint16_t versions[] = { VERSION_TLS13, VERSION_TLS12 };

    fill_pattern(text, sizeof(text), 1, 3);
    for (size_t i = 0; i < COUNT_OF(libs) * COUNT_OF(versions) * COUNT_OF(aeads); i++) {
        struct kind k = { versions[i % 2], aeads[i / 4], libs[i / 2 % 2] };
        bool unusable =
            k.version == VERSION_TLS13 && (k.id == AEAD_AES_128_CCM || k.id == AEAD_ARIA_128_GCM);
        assert_non_null(k.lib);
        if (!unusable) {
            test(&k);
        }
    }
    crypto_lib_free(libs[1]);
}

/* A record arrives, with bit changed of the byte that is `back` from its end (0: none is). */
static void arrive(uint8_t type, const void *content, size_t len, size_t padding, size_t back)
{
    size_t size = seal->ops->seal(seal, record, type, content, len, padding);

    assert_true(size > 0);
    if (back > 0) {
        record[size - back] ^= 4;
    }
    assert_true(buffer_append(&in.buffer, record, size));
}

static void expect_bytes(const uint8_t *at, size_t len, uint8_t value)
{
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(at[i], value);
    }
}

/* The next record holds text[0..len) as application data, at dst or in the buffer. */
static void expect_data(size_t cap, size_t len, bool direct)
{
    assert_int_equal(record_in_step(&in, dst, cap, &error), RECORD_READY);
    assert_int_equal(in.current.type, CONTENT_APPLICATION);
    assert_int_equal(in.current.len, len);
    assert_memory_equal(in.current.data, text, len);
    assert_true((in.current.data == dst) == direct);
    expect_bytes(dst + (direct ? len : 0), sizeof(dst) - (direct ? len : 0), CANARY);
    record_in_consume(&in, len);
    assert_null(in.buffer.data);
    memset(dst, CANARY, sizeof(dst));
}

/* --- What goes there --- */

static void data_goes_where_it_fits(const struct kind *k)
{
    static const size_t lens[] = { SHORTEST, SHORTEST + 1, 4095, 4096, 5000, RECORD_MAX_PLAINTEXT };

    begin(k);
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        arrive(CONTENT_APPLICATION, text, lens[i], 0, 0);
        expect_data(lens[i], lens[i], true);
        arrive(CONTENT_APPLICATION, text, lens[i], 0, 0);
        expect_data(lens[i] + 1, lens[i], true);
        arrive(CONTENT_APPLICATION, text, lens[i], 0, 0);
        expect_data(lens[i] - 1, lens[i], false);
    }
    arrive(CONTENT_APPLICATION, text, SHORTER, 0, 0);
    expect_data(sizeof(dst), SHORTER, false);
    arrive(CONTENT_APPLICATION, text, SHORTEST, 0, 0);
    assert_int_equal(record_in_next(&in, &error), RECORD_READY);
    assert_ptr_not_equal(in.current.data, dst);
    end();
}

static void long_records_that_fit_go_to_the_reader(void **state)
{
    (void)state;
    with_each_kind(data_goes_where_it_fits);
}

/* Ciphertext is not wiped: the memory that is given back has never held anything else. */
static void no_secret_was_in_the_buffer(const struct kind *k)
{
    begin(k);
    arrive(CONTENT_APPLICATION, text, 5000, 0, 0);
    buffer_declare_public(&in.buffer);
    assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error), RECORD_READY);
    assert_int_equal(in.buffer.high, 0);
    record_in_consume(&in, 5000);
    arrive(CONTENT_APPLICATION, text, 5000, 0, 0);
    buffer_declare_public(&in.buffer);
    assert_int_equal(record_in_step(&in, dst, 4999, &error), RECORD_READY);
    assert_true(in.buffer.high >= RECORD_HEADER_LEN + 5000);
    end();
}

static void only_what_was_opened_in_place_is_wiped(void **state)
{
    (void)state;
    with_each_kind(no_secret_was_in_the_buffer);
}

/* --- What does not stay there --- */

static void forged_record(const struct kind *k)
{
    static const size_t places[] = { 1, 16, 17, 18, 2000, 5000 };

    for (size_t i = 0; i < COUNT_OF(places); i++) {
        begin(k);
        arrive(CONTENT_APPLICATION, text, 5000, 0, places[i]);
        assert_int_equal(record_in_step(&in, dst, 5000, &error), RECORD_BAD);
        assert_int_equal(error.alert, ALERT_BAD_RECORD_MAC);
        expect_bytes(dst, 5000, 0);
        expect_bytes(dst + 5000, sizeof(dst) - 5000, CANARY);
        assert_null(in.buffer.data);
        end();
    }
}

/* RFC 8446, 5.2: "If the decryption fails, the receiver MUST terminate the connection with a
 * "bad_record_mac" alert." */
static void nothing_of_a_forged_record_gets_to_the_reader(void **state)
{
    (void)state;
    with_each_kind(forged_record);
}

static void message_record(const struct kind *k)
{
    static const uint8_t types[] = { CONTENT_HANDSHAKE, CONTENT_ALERT };

    for (size_t i = 0; i < COUNT_OF(types); i++) {
        begin(k);
        arrive(types[i], text, 8000, 0, 0);
        assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error), RECORD_READY);
        assert_int_equal(in.current.type, types[i]);
        assert_int_equal(in.current.len, 8000);
        assert_memory_equal(in.current.data, text, 8000);
        /* In TLS 1.2 the type is known before. */
        expect_bytes(dst, 8000, k->version == VERSION_TLS13 ? 0 : CANARY);
        expect_bytes(dst + 8000, sizeof(dst) - 8000, CANARY);
        assert_true(in.buffer.high >= RECORD_HEADER_LEN + 8000);
        /* It is in the buffer, where it can be consumed piece by piece. */
        record_in_consume(&in, 4000);
        memset(dst, 1, sizeof(dst));
        assert_memory_equal(in.current.data, text + 4000, 4000);
        record_in_consume(&in, 4000);
        assert_null(in.buffer.data);
        end();
    }
}

static void messages_are_taken_back(void **state)
{
    (void)state;
    with_each_kind(message_record);
}

static void padded_record(const struct kind *k)
{
    static const size_t lens[] = { 0, 1, 100, 5000 };
    static const size_t paddings[] = { 1, 15, 4000, 11383 };

    if (k->version != VERSION_TLS13) {
        return;
    }
    for (size_t i = 0; i < COUNT_OF(lens) * COUNT_OF(paddings); i++) {
        size_t len = lens[i % COUNT_OF(lens)];
        size_t padding = paddings[i / COUNT_OF(lens)];
        bool direct = len + padding >= SHORTEST;

        begin(k);
        arrive(CONTENT_APPLICATION, text, len, padding, 0);
        assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error),
                         len > 0 ? RECORD_READY : RECORD_DROPPED);
        assert_int_equal(in.current.len, len);
        assert_true(len == 0 || (in.current.data == dst) == direct);
        assert_true(len == 0 || memcmp(in.current.data, text, len) == 0);
        /* Neither the type nor anything else is behind the content. */
        expect_bytes(dst + len, direct ? padding : 0, 0);
        expect_bytes(dst + len + padding, sizeof(dst) - len - padding, CANARY);
        end();
        begin(k);
        arrive(CONTENT_HANDSHAKE, text, len, padding, 0);
        assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error),
                         len > 0 ? RECORD_READY : RECORD_BAD);
        assert_ptr_not_equal(in.current.data, dst);
        assert_true(len == 0 || memcmp(in.current.data, text, len) == 0);
        expect_bytes(dst, direct ? len + padding : 0, 0);
        end();
    }
}

/* RFC 8446, 5.4 */
static void padding_leaves_zeros(void **state)
{
    (void)state;
    with_each_kind(padded_record);
}

static void typeless_record(const struct kind *k)
{
    static const uint8_t zeros[5000];

    if (k->version != VERSION_TLS13) {
        return;
    }
    for (uint8_t type = 0; type <= CONTENT_CCS; type += CONTENT_CCS) {
        begin(k);
        arrive(type, type == 0 ? zeros : text, sizeof(zeros), 0, 0);
        assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error), RECORD_BAD);
        assert_int_equal(error.alert, ALERT_UNEXPECTED_MESSAGE);
        assert_int_equal(error.reason, SSL_R_BAD_RECORD_TYPE);
        expect_bytes(dst, sizeof(zeros), 0);
        end();
    }
}

static void what_has_no_right_type_is_wiped(void **state)
{
    (void)state;
    with_each_kind(typeless_record);
}

static void long_record(const struct kind *k)
{
    begin(k);
    in.max_plaintext = 4096;
    arrive(CONTENT_APPLICATION, text, 4096, 0, 0);
    expect_data(sizeof(dst), 4096, true);
    arrive(CONTENT_APPLICATION, text, 4097, 0, 0);
    assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error), RECORD_BAD);
    assert_int_equal(error.alert, ALERT_RECORD_OVERFLOW);
    expect_bytes(dst, sizeof(dst), CANARY);
    end();
    begin(k);
    seal->sequence = in.protection->sequence = UINT64_MAX - 1;
    arrive(CONTENT_APPLICATION, text, 4096, 0, 0);
    expect_data(sizeof(dst), 4096, true);
    assert_true(buffer_append(&in.buffer, record, sizeof(record)));
    assert_int_equal(record_in_step(&in, dst, sizeof(dst), &error), RECORD_BAD);
    assert_int_equal(error.alert, ALERT_INTERNAL_ERROR);
    end();
}

/* RFC 6066, 4, and RFC 8446, 5.3 */
static void limits_hold(void **state)
{
    (void)state;
    with_each_kind(long_record);
}

/* --- Whole connections --- */

/* One SSL_read of e, whose dst has cap bytes of room. */
static enum tls_status read_some(struct endpoint *e, size_t cap, bool peek, size_t *got)
{
    memset(dst, CANARY, sizeof(dst));
    return tls_read(&e->conn, dst, cap, peek, got);
}

static void send_data(size_t len)
{
    struct buffer wire = { 0 };

    assert_int_equal(tls_write(&client.conn, text, len), TLS_OK);
    endpoint_take(&client, &wire);
    endpoint_feed(&server, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
}

static void readers_get_what_was_sent(void **state)
{
    size_t got;

    (void)state;
    fill_pattern(text, sizeof(text), 1, 3);
    send_data(sizeof(text));
    assert_int_equal(read_some(&server, sizeof(text), true, &got), TLS_APP_DATA);
    assert_int_equal(got, sizeof(text));
    assert_int_equal(tls_pending(&server.conn), sizeof(text));
    assert_int_equal(read_some(&server, sizeof(text), false, &got), TLS_APP_DATA);
    assert_int_equal(got, sizeof(text));
    assert_memory_equal(dst, text, sizeof(text));
    /* exactly as long, without a look before */
    send_data(sizeof(text));
    assert_int_equal(read_some(&server, sizeof(text), false, &got), TLS_APP_DATA);
    assert_int_equal(got, sizeof(text));
    assert_memory_equal(dst, text, sizeof(text));
    expect_bytes(dst + got, sizeof(dst) - got, CANARY);
    assert_int_equal(tls_pending(&server.conn), 0);
    assert_null(server.conn.in.buffer.data);
    /* in pieces */
    send_data(sizeof(text));
    for (size_t at = 0; at < sizeof(text); at += got) {
        assert_int_equal(read_some(&server, 5000, false, &got), TLS_APP_DATA);
        assert_memory_equal(dst, text + at, got);
        expect_bytes(dst + got, sizeof(dst) - got, CANARY);
        assert_int_equal(tls_pending(&server.conn), sizeof(text) - at - got);
    }
    assert_usable();
}

/* A ticket so long that its record might be data. */
static void a_long_message_gets_where_it_belongs(void **state)
{
    static uint8_t message[9000];
    struct buffer wire = { 0 };
    size_t ticket_len = sizeof(message) - 4 - 4 - 4 - 1 - 2 - 2;
    size_t got;

    (void)state;
    /* NewSessionTicket (RFC 8446, 4.6.1): lifetime, age_add, an empty nonce, ticket, no extensions.
     */
    fill_pattern(message, sizeof(message), 1, 3);
    message[0] = 4;
    message[1] = 0;
    message[2] = (uint8_t)((sizeof(message) - 4) >> 8);
    message[3] = (uint8_t)(sizeof(message) - 4);
    memset(message + 4, 0, 9);
    message[13] = (uint8_t)(ticket_len >> 8);
    message[14] = (uint8_t)ticket_len;
    memset(message + sizeof(message) - 2, 0, 2);
    forger_seal(&as_server, CONTENT_HANDSHAKE, message, sizeof(message), &wire);
    forger_seal(&as_server, CONTENT_APPLICATION, text, 3000, &wire);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    assert_int_equal(read_some(&client, sizeof(dst), false, &got), TLS_HANDSHAKE);
    assert_int_equal(got, 0);
    expect_bytes(dst, sizeof(message), 0);
    expect_bytes(dst + sizeof(message), sizeof(dst) - sizeof(message), CANARY);
    assert_int_equal(endpoint_run(&client, NULL), TLS_OK);
    assert_int_equal(read_some(&client, sizeof(dst), false, &got), TLS_APP_DATA);
    assert_int_equal(got, 3000);
    assert_memory_equal(dst, text, 3000);
}

/* RFC 8446, 5.1: "Handshake messages MUST NOT be interleaved with other record types." */
static void data_amid_a_message_stays_out(void **state)
{
    static const uint8_t beginning[] = { 24, 0, 0, 1 };
    struct buffer wire = { 0 };
    size_t got;

    (void)state;
    forger_seal(&as_server, CONTENT_HANDSHAKE, beginning, sizeof(beginning), &wire);
    forger_seal(&as_server, CONTENT_APPLICATION, text, 5000, &wire);
    endpoint_feed(&client, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    enum tls_status status = read_some(&client, sizeof(dst), false, &got);
    while (status == TLS_HANDSHAKE) {
        status = endpoint_run(&client, NULL);
    }
    assert_int_equal(status, TLS_FAILED);
    expect_bytes(dst, sizeof(dst), CANARY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_records_that_fit_go_to_the_reader),
        cmocka_unit_test(only_what_was_opened_in_place_is_wiped),
        cmocka_unit_test(nothing_of_a_forged_record_gets_to_the_reader),
        cmocka_unit_test(messages_are_taken_back),
        cmocka_unit_test(padding_leaves_zeros),
        cmocka_unit_test(what_has_no_right_type_is_wiped),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test_setup_teardown(readers_get_what_was_sent, idle_pair_make, idle_pair_free),
        cmocka_unit_test_setup_teardown(a_long_message_gets_where_it_belongs, idle_pair_make,
                                        idle_pair_free),
        cmocka_unit_test_setup_teardown(data_amid_a_message_stays_out, idle_pair_make,
                                        idle_pair_free),
    };

    return cmocka_run_group_tests_name("record/direct", tests, idle_pair_begin, idle_pair_end);
}
