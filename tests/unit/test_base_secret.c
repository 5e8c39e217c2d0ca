#include "unit.h"

#include "base/secret.h"

#include <string.h>

static void set_and_wipe(void **state)
{
    (void)state;
    static const uint8_t zeros[sizeof(struct secret)];
    uint8_t bytes[SECRET_MAX];
    struct secret s;

    memset(&s, 0xff, sizeof(s));
    fill_pattern(bytes, sizeof(bytes), 1, 1);
    secret_set(&s, bytes, SECRET_MAX);
    assert_int_equal(s.len, SECRET_MAX);
    assert_memory_equal(s.bytes, bytes, SECRET_MAX);
    secret_set(&s, bytes + 1, 3);
    assert_int_equal(s.len, 3);
    assert_memory_equal(s.bytes, bytes + 1, 3);
    assert_memory_equal(s.bytes + 3, zeros, SECRET_MAX - 3); /* nothing of the longer one stays */
    secret_set(&s, NULL, 0);
    assert_int_equal(s.len, 0);
    secret_set(&s, bytes, 5);
    secret_wipe(&s);
    assert_memory_equal(&s, zeros, sizeof(s));
}

static void equality(void **state)
{
    (void)state;
    uint8_t a[48], b[48];
    struct secret s;

    fill_pattern(a, sizeof(a), 5, 7);
    memcpy(b, a, sizeof(b));
    assert_true(constant_time_equals(a, b, sizeof(a)));
    for (size_t i = 0; i < sizeof(b) * 8; i++) {
        b[i / 8] ^= (uint8_t)(1 << i % 8);
        assert_false(constant_time_equals(a, b, sizeof(a)));
        b[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_true(constant_time_equals(NULL, NULL, 0));
    secret_set(&s, a, sizeof(a));
    assert_true(secret_equals(&s, b, sizeof(b)));
    assert_false(secret_equals(&s, b, sizeof(b) - 1));
    assert_false(secret_equals(&s, b, 0));
    b[47] ^= 0x80;
    assert_false(secret_equals(&s, b, sizeof(b)));
    secret_wipe(&s);
}

static void selection(void **state)
{
    (void)state;
    for (unsigned a = 0; a < 256; a++) {
        assert_int_equal(constant_time_select(0xff, (uint8_t)a, (uint8_t)~a), a);
        assert_int_equal(constant_time_select(0x00, (uint8_t)~a, (uint8_t)a), a);
    }
}

static void comparison(void **state)
{
    (void)state;
    static const size_t values[] = {
        0, 1, 2, 255, 256, 257, 65535, SIZE_MAX / 2 - 1, SIZE_MAX / 2
    };

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        for (size_t k = 0; k < COUNT_OF(values); k++) {
            assert_true(constant_time_ge(values[i], values[k]) == (i >= k ? SIZE_MAX : 0));
        }
    }
}

static void wiping_touches_its_range_only(void **state)
{
    (void)state;
    uint8_t bytes[32];

    memset(bytes, 0x5a, sizeof(bytes));
    wipe(bytes + 8, 16);
    wipe(NULL, 0);
    for (size_t i = 0; i < sizeof(bytes); i++) {
        assert_int_equal(bytes[i], i >= 8 && i < 24 ? 0 : 0x5a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_wipe),
        cmocka_unit_test(equality),
        cmocka_unit_test(selection),
        cmocka_unit_test(comparison),
        cmocka_unit_test(wiping_touches_its_range_only),
    };

    return cmocka_run_group_tests_name("base/secret", tests, NULL, NULL);
}
