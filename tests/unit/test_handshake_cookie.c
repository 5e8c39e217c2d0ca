#include "unit.h"

#include "base/buffer.h"
#include "crypto/lib.h"
#include "handshake/cookie13.h"

#include <openssl/crypto.h>
#include <string.h>

static const struct crypto_lib *lib;
static const uint8_t key[COOKIE13_KEY_LEN] = { 7 };
static uint8_t hello_hash[48];

static const struct hash *sha256(void)
{
    return hash_get(lib, HASH_SHA256);
}

static void make(struct buffer *out, size_t application_len)
{
    static const uint8_t application[COOKIE13_MAX_APPLICATION] = "application";
    const struct cookie13 cookie = { .version = 0x0304,
                                     .group = 29,
                                     .suite = 0x1302,
                                     .asked_share = true,
                                     .time = UINT64_C(0x0102030405060708),
                                     .hello_hash = reader_of(hello_hash, sizeof(hello_hash)),
                                     .application = reader_of(application, application_len) };
    struct writer w = writer_to(out);

    cookie13_write(&w, &cookie);
    assert_true(cookie13_seal(sha256(), key, &w));
}

/* OpenSSL's format, byte by byte. */
static void format(void **state)
{
    struct buffer out = { 0 };
    struct cookie13 cookie;

    (void)state;
    make(&out, 3);
    assert_int_equal(buffer_len(&out), 2 + 2 + 2 + 2 + 1 + 8 + 2 + 48 + 1 + 3 + 32);
    assert_hex(buffer_bytes(&out), 19, "0001 0304 001d 1302 01 0102030405060708 0030");
    assert_hex(buffer_bytes(&out) + 19 + 48, 4, "03 617070");
    assert_int_equal(
        cookie13_open(sha256(), key, reader_of(buffer_bytes(&out), buffer_len(&out)), &cookie),
        COOKIE13_GOOD);
    assert_int_equal(cookie.version, 0x0304);
    assert_int_equal(cookie.group, 29);
    assert_int_equal(cookie.suite, 0x1302);
    assert_true(cookie.asked_share);
    assert_true(cookie.time == UINT64_C(0x0102030405060708));
    assert_int_equal(cookie.hello_hash.left, 48);
    assert_true(reader_equals(&cookie.application, "app", 3));
    buffer_wipe(&out);
}

static void every_bit_counts(void **state)
{
    struct buffer out = { 0 };
    struct cookie13 cookie;
    uint8_t changed[512];

    (void)state;
    make(&out, COOKIE13_MAX_APPLICATION);
    size_t len = buffer_len(&out);
    assert_true(len <= sizeof(changed));
    for (size_t i = 0; i < len * 8; i++) {
        memcpy(changed, buffer_bytes(&out), len);
        changed[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_int_equal(cookie13_open(sha256(), key, reader_of(changed, len), &cookie),
                         COOKIE13_FORGED);
    }
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(cookie13_open(sha256(), key, reader_of(buffer_bytes(&out), i), &cookie),
                         i < 32 ? COOKIE13_MALFORMED : COOKIE13_FORGED);
    }
    memcpy(changed, key, sizeof(key));
    changed[31] = 1;
    assert_int_equal(cookie13_open(sha256(), changed, reader_of(buffer_bytes(&out), len), &cookie),
                     COOKIE13_FORGED);
    buffer_wipe(&out);
}

/* What only the owner of the key can have made. */
static void behind_a_good_mac(void **state)
{
    static const struct {
        const char *text;
        enum cookie13_result result;
    } cases[] = { { "", COOKIE13_MALFORMED },
                  { "00", COOKIE13_MALFORMED },
                  { "0000", COOKIE13_UNKNOWN },
                  { "0002 0304", COOKIE13_UNKNOWN },
                  { "0001", COOKIE13_MALFORMED },
                  { "0001 0304 001d 1302 00 0000000000000000 0000 00", COOKIE13_GOOD },
                  { "0001 0304 001d 1302 00 0000000000000000 0000 00 00", COOKIE13_MALFORMED },
                  { "0001 0304 001d 1302 00 0000000000000000 0001 00", COOKIE13_MALFORMED },
                  { "0001 0304 001d 1302 00 0000000000000000 0000 01", COOKIE13_MALFORMED },
                  { "0001 0303 0000 0000 02 ffffffffffffffff 0001 00 01 00", COOKIE13_GOOD } };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct bytes text = from_hex(cases[i].text);
        struct buffer out = { 0 };
        struct writer w = writer_to(&out);
        struct cookie13 cookie;

        writer_bytes(&w, text.data, text.len);
        assert_true(cookie13_seal(sha256(), key, &w));
        assert_int_equal(
            cookie13_open(sha256(), key, reader_of(buffer_bytes(&out), buffer_len(&out)), &cookie),
            cases[i].result);
        buffer_wipe(&out);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(format),
        cmocka_unit_test(every_bit_counts),
        cmocka_unit_test(behind_a_good_mac),
    };

    lib = crypto_lib_new(NULL, NULL);
    fill_pattern(hello_hash, sizeof(hello_hash), 1, 3);
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    crypto_lib_free(lib);
    return result;
}
