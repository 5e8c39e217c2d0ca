/*
 * The sending record layer and the protection of TLS 1.3: forms, padding, limits of keys, failing
 * allocations.
 */
#include "unit.h"

#include "record/record_in.h"
#include "record/record_out.h"

#include <string.h>

static const uint8_t key[AEAD_MAX_KEY_LEN] = "thirty-two bytes of known secret";
static const uint8_t iv[AEAD_NONCE_LEN] = "twelve bytes";
static const enum aead_id aeads[] = { AEAD_AES_128_GCM, AEAD_AES_256_GCM, AEAD_CHACHA20_POLY1305,
                                      AEAD_AES_128_CCM, AEAD_AES_128_CCM_8 };

static struct protection *protection(enum aead_id id, enum aead_direction direction)
{
    struct protection *p = protection_new_tls13(crypto_lib_default(), id, direction, key, iv);

    assert_non_null(p);
    return p;
}

static struct record_out sealing(enum aead_id id)
{
    struct record_out out = { .version = VERSION_TLS12 };

    record_out_protect(&out, protection(id, AEAD_SEAL), EPOCH_APPLICATION);
    return out;
}

static void a_plain_record_is_header_and_content(void **state)
{
    struct record_out out = { .version = VERSION_TLS1 };

    (void)state;
    assert_true(record_seal(&out, CONTENT_HANDSHAKE, (const uint8_t *)"abc", 3, NULL));
    out.version = VERSION_TLS12;
    assert_true(record_seal(&out, CONTENT_ALERT, (const uint8_t *)"\2\50", 2, NULL));
    assert_hex(buffer_bytes(&out.buffer), buffer_len(&out.buffer),
               "16 0301 0003 616263 15 0303 0002 0228");
    record_out_wipe(&out);
}

/* RFC 8446, 5: a ChangeCipherSpec of middlebox compatibility is never protected, and takes no
 * sequence number. */
static void a_change_cipher_spec_is_never_protected(void **state)
{
    struct record_out out = sealing(AEAD_AES_128_GCM);

    (void)state;
    assert_true(record_seal(&out, CONTENT_CCS, (const uint8_t *)"\1", 1, NULL));
    assert_hex(buffer_bytes(&out.buffer), buffer_len(&out.buffer), "14 0303 0001 01");
    assert_int_equal(out.protection->sequence, 0);
    record_out_wipe(&out);
}

/* RFC 8446, 5.2: type and version of every protected record; tag and inner type are what is added.
 */
static void a_protected_record_has_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct record_out out = sealing(aeads[i]);
        size_t tag = aead_facts(aeads[i])->tag_len;
        out.version = VERSION_TLS1;
        assert_true(record_seal(&out, CONTENT_ALERT, (const uint8_t *)"\1\0", 2, NULL));
        const uint8_t *record = buffer_bytes(&out.buffer);
        assert_int_equal(out.protection->overhead, 1 + tag);
        assert_int_equal(buffer_len(&out.buffer), RECORD_HEADER_LEN + 2 + 1 + tag);
        assert_int_equal(record[0], CONTENT_APPLICATION);
        assert_int_equal(record[1] << 8 | record[2], VERSION_TLS12);
        assert_int_equal(record[3] << 8 | record[4], 2 + 1 + tag);
        record_out_wipe(&out);
    }
}

/* --- Padding --- */

static size_t pad_by(void *owner, uint8_t type, size_t len)
{
    (void)type;
    (void)len;
    return *(const size_t *)owner;
}

/* Any amount is sealed and taken off again; never beyond what a record may hold (RFC 8446, 5.4). */
static void records_are_padded_within_the_limit(void **state)
{
    static const size_t amounts[] = { 0,     1,     2,     100,   1023,    1024,
                                      1025,  2048,  8000,  16000, 16380,   16383,
                                      16384, 16385, 20000, 65536, SIZE_MAX };
    static uint8_t data[RECORD_MAX_PLAINTEXT];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(amounts); i++) {
        for (size_t len = 0; len <= sizeof(data); len = len * 8 + 1) {
            struct record_out out = sealing(AEAD_AES_128_GCM);
            struct record_in in = { .max_plaintext = RECORD_MAX_PLAINTEXT };
            size_t amount = amounts[i];
            struct record_padding padding = { pad_by, &amount };
            struct record_error error;
            size_t most = RECORD_MAX_PLAINTEXT - len;
            record_in_protect(&in, protection(AEAD_AES_128_GCM, AEAD_OPEN), EPOCH_APPLICATION);
            assert_true(record_seal(&out, CONTENT_APPLICATION, data, len, &padding));
            assert_int_equal(buffer_len(&out.buffer),
                             RECORD_HEADER_LEN + len + (amount < most ? amount : most) + 17);
            assert_true(
                buffer_append(&in.buffer, buffer_bytes(&out.buffer), buffer_len(&out.buffer)));
            assert_int_equal(record_in_next(&in, &error), len > 0 ? RECORD_READY : RECORD_WANT);
            assert_int_equal(in.current.len, len);
            record_in_wipe(&in);
            record_out_wipe(&out);
        }
    }
}

/* --- Limits --- */

static void content_is_at_most_16384_bytes(void **state)
{
    static uint8_t data[RECORD_MAX_PLAINTEXT + 1];
    struct record_out out = sealing(AEAD_AES_128_GCM);

    (void)state;
    assert_false(record_seal(&out, CONTENT_APPLICATION, data, sizeof(data), NULL));
    assert_int_equal(buffer_len(&out.buffer), 0);
    assert_true(record_seal(&out, CONTENT_APPLICATION, data, sizeof(data) - 1, NULL));
    record_out_wipe(&out);
}

/* RFC 8446, 5.5: 2^24.5 full records for AES-GCM; ChaCha20-Poly1305 has no limit before the
 * sequence number wraps. */
static void keys_wear_out(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct record_out out = sealing(aeads[i]);
        uint64_t limit = out.protection->seal_limit;
        assert_int_equal(limit, aead_facts(aeads[i])->seal_limit);
        if (aeads[i] == AEAD_CHACHA20_POLY1305) {
            assert_true(limit == UINT64_MAX);
        } else {
            assert_true(limit > 0 && limit <= 23726566); /* 2^24.5 */
        }
        assert_false(record_out_is_worn(&out));
        out.protection->sequence = limit - 1;
        assert_false(record_out_is_worn(&out));
        out.protection->sequence = limit;
        assert_true(record_out_is_worn(&out));
        record_out_wipe(&out);
    }
    struct record_out plain = { .version = VERSION_TLS12 };
    assert_false(record_out_is_worn(&plain));
}

/* The same record twice in a row is never the same bytes: the nonce counts. */
static void each_record_has_its_own_nonce(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct record_out out = sealing(aeads[i]);
        assert_true(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"same", 4, NULL));
        size_t len = buffer_len(&out.buffer);
        assert_true(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"same", 4, NULL));
        assert_int_equal(buffer_len(&out.buffer), 2 * len);
        const uint8_t *bytes = buffer_bytes(&out.buffer);
        assert_memory_not_equal(bytes + RECORD_HEADER_LEN, bytes + len + RECORD_HEADER_LEN,
                                len - RECORD_HEADER_LEN);
        assert_int_equal(out.protection->sequence, 2);
        record_out_wipe(&out);
    }
}

/* A new key starts counting anew. */
static void a_new_protection_starts_at_zero(void **state)
{
    struct record_out out = sealing(AEAD_AES_128_GCM);

    (void)state;
    assert_true(record_seal(&out, CONTENT_APPLICATION, (const uint8_t *)"x", 1, NULL));
    record_out_protect(&out, protection(AEAD_AES_128_GCM, AEAD_SEAL), EPOCH_APPLICATION);
    assert_int_equal(out.protection->sequence, 0);
    record_out_wipe(&out);
    assert_null(out.protection);
    assert_int_equal(out.epoch, EPOCH_PLAINTEXT);
    protection_free(NULL);
}

/* --- Failing allocations --- */

static bool make_and_seal(void *arg)
{
    static uint8_t data[1000];
    struct record_out out = { .version = VERSION_TLS12 };
    struct protection *p =
        protection_new_tls13(crypto_lib_default(), *(const enum aead_id *)arg, AEAD_SEAL, key, iv);

    if (p == NULL) {
        return false;
    }
    record_out_protect(&out, p, EPOCH_APPLICATION);
    bool ok = record_seal(&out, CONTENT_APPLICATION, data, sizeof(data), NULL);
    /* Nothing half-made is left to be sent. */
    assert_int_equal(buffer_len(&out.buffer), ok ? sizeof(data) + 22 : 0);
    record_out_wipe(&out);
    return ok;
}

static void sealing_survives_failing_allocations(void **state)
{
    enum aead_id ids[] = { AEAD_AES_128_GCM, AEAD_CHACHA20_POLY1305 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_true(fail_each_allocation(make_and_seal, &ids[i], false) >= 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_record_is_header_and_content),
        cmocka_unit_test(a_change_cipher_spec_is_never_protected),
        cmocka_unit_test(a_protected_record_has_one_form),
        cmocka_unit_test(records_are_padded_within_the_limit),
        cmocka_unit_test(content_is_at_most_16384_bytes),
        cmocka_unit_test(keys_wear_out),
        cmocka_unit_test(each_record_has_its_own_nonce),
        cmocka_unit_test(a_new_protection_starts_at_zero),
        cmocka_unit_test(sealing_survives_failing_allocations),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
