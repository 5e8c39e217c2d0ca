#include "unit.h"

#include "base/reader.h"

#include <string.h>

static void integers_are_big_endian(void **state)
{
    (void)state;
    struct bytes b = from_hex("01 0203 040506 0708090a 0b0c0d0e0f101112");
    struct reader r = reader_of(b.data, b.len);
    uint8_t u8 = 0;
    uint16_t u16 = 0;
    uint32_t u24 = 0, u32 = 0;
    uint64_t u64 = 0;

    assert_true(reader_u8(&r, &u8) && reader_u16(&r, &u16) && reader_u24(&r, &u24) &&
                reader_u32(&r, &u32) && reader_u64(&r, &u64));
    assert_int_equal(u8, 0x01);
    assert_int_equal(u16, 0x0203);
    assert_int_equal(u24, 0x040506);
    assert_int_equal(u32, 0x0708090a);
    assert_true(u64 == UINT64_C(0x0b0c0d0e0f101112));
    assert_true(reader_is_empty(&r));
    assert_int_equal(reader_left(&r), 0);
}

static bool take(struct reader *r, int which)
{
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
    uint8_t copy[16];
    const uint8_t *view;
    struct reader vec;

    switch (which) {
    case 0:
        return reader_u8(r, &u8);
    case 1:
        return reader_u16(r, &u16);
    case 2:
        return reader_u24(r, &u32);
    case 3:
        return reader_u32(r, &u32);
    case 4:
        return reader_u64(r, &u64);
    case 5:
        return reader_bytes(r, &view, 5);
    case 6:
        return reader_copy(r, copy, 6);
    case 7:
        return reader_skip(r, 7);
    case 8:
        return reader_vec8(r, &vec);
    case 9:
        return reader_vec16(r, &vec);
    default:
        return reader_vec24(r, &vec);
    }
}

/* The contract of every getter: it takes what it returns, or nothing. */
static void getters_take_all_or_nothing(void **state)
{
    (void)state;
    static const size_t needed[] = { 1, 2, 3, 4, 8, 5, 6, 7, 4, 5, 6 };
    /* Read as any vector's prefix this is a length of 3. */
    static const char *const inputs[] = {
        "0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000",
        "0000000000000000", "0000000000000000", "0000000000000000", "0000000000000000",
        "03aabbcc",         "0003aabbcc",       "000003aabbcc"
    };

    for (int which = 0; which < 11; which++) {
        struct bytes b = from_hex(inputs[which]);

        for (size_t len = 0; len <= b.len; len++) {
            struct reader r = reader_of(b.data, len);

            if (len < needed[which]) {
                assert_false(take(&r, which));
                assert_ptr_equal(r.at, b.data);
                assert_int_equal(r.left, len);
            } else {
                assert_true(take(&r, which));
                assert_ptr_equal(r.at, b.data + needed[which]);
                assert_int_equal(r.left, len - needed[which]);
            }
        }
    }
}

static void vectors_bound_their_contents(void **state)
{
    (void)state;
    struct bytes b = from_hex("02 aabb 0003 010203 000001 ff ee");
    struct reader r = reader_of(b.data, b.len);
    struct reader v8, v16, v24;
    uint32_t u32;

    assert_true(reader_vec8(&r, &v8) && reader_vec16(&r, &v16) && reader_vec24(&r, &v24));
    assert_int_equal(reader_left(&v8), 2);
    assert_true(reader_equals(&v8, "\xaa\xbb", 2));
    assert_int_equal(reader_left(&v16), 3);
    assert_false(reader_u32(&v16, &u32)); /* although there is more behind the vector */
    assert_true(reader_u24(&v16, &u32));
    assert_int_equal(u32, 0x010203);
    assert_true(reader_equals(&v24, "\xff", 1));
    assert_int_equal(reader_left(&r), 1);
}

static void largest_length_does_not_wrap(void **state)
{
    (void)state;
    struct bytes b = from_hex("ffffff 00");
    struct reader r = reader_of(b.data, b.len);
    struct reader vec;
    const uint8_t *view;

    assert_false(reader_vec24(&r, &vec));
    assert_false(reader_skip(&r, SIZE_MAX));
    assert_false(reader_bytes(&r, &view, SIZE_MAX));
    assert_int_equal(reader_left(&r), 4);
}

static void views_and_copies_agree(void **state)
{
    (void)state;
    struct bytes b = from_hex("00112233445566");
    struct reader r = reader_of(b.data, b.len);
    const uint8_t *view = NULL;
    uint8_t copy[3];

    assert_true(reader_skip(&r, 1) && reader_bytes(&r, &view, 3) && reader_copy(&r, copy, 3));
    assert_ptr_equal(view, b.data + 1);
    assert_memory_equal(copy, b.data + 4, 3);
    assert_true(reader_is_empty(&r));
}

static void nothing_is_a_reader_too(void **state)
{
    (void)state;
    struct reader r = reader_of(NULL, 0);
    const uint8_t *view;
    uint8_t u8;

    assert_true(reader_is_empty(&r));
    assert_true(reader_skip(&r, 0) && reader_bytes(&r, &view, 0) && reader_copy(&r, NULL, 0));
    assert_true(reader_equals(&r, NULL, 0));
    assert_true(reader_equals(&r, "", 0));
    assert_false(reader_u8(&r, &u8));
    assert_false(reader_equals(&r, "a", 1));
}

static void equality_is_of_the_whole_rest(void **state)
{
    (void)state;
    struct reader r = reader_of("abcd", 4);

    assert_true(reader_equals(&r, "abcd", 4));
    assert_false(reader_equals(&r, "abc", 3));
    assert_false(reader_equals(&r, "abcde", 5));
    assert_false(reader_equals(&r, "abce", 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_big_endian),
        cmocka_unit_test(getters_take_all_or_nothing),
        cmocka_unit_test(vectors_bound_their_contents),
        cmocka_unit_test(largest_length_does_not_wrap),
        cmocka_unit_test(views_and_copies_agree),
        cmocka_unit_test(nothing_is_a_reader_too),
        cmocka_unit_test(equality_is_of_the_whole_rest),
    };

    return cmocka_run_group_tests_name("base/reader", tests, NULL, NULL);
}
