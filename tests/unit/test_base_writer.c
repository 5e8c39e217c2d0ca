#include "unit.h"

#include "base/writer.h"

#include <string.h>

static void integers_and_bytes(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    writer_u8(&w, 0x01);
    writer_u16(&w, 0x0203);
    writer_u24(&w, 0x040506);
    writer_u32(&w, 0x0708090a);
    writer_u64(&w, UINT64_C(0x0b0c0d0e0f101112));
    writer_bytes(&w, "xyz", 3);
    writer_bytes(&w, NULL, 0);
    writer_zeros(&w, 2);
    writer_zeros(&w, 0);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_len(&w), 23);
    assert_hex(writer_begin(&w), 23, "01020304 05060708 090a0b0c 0d0e0f10 1112 78797a 0000");
    buffer_wipe(&out);
}

static void vectors_nest(void **state)
{
    (void)state;
    struct buffer out = { 0 };

    assert_true(buffer_append(&out, "before", 6));
    struct writer w = writer_to(&out);
    writer_u8(&w, 1);
    writer_open(&w, 3);
    writer_open(&w, 2);
    writer_open(&w, 1);
    writer_bytes(&w, "abc", 3);
    writer_close(&w);
    assert_false(writer_ok(&w)); /* still open */
    writer_u16(&w, 0xffff);
    writer_close(&w);
    writer_close(&w);
    assert_true(writer_ok(&w));
    assert_hex(writer_begin(&w), writer_len(&w), "01 000008 0006 03 616263 ffff");
    assert_memory_equal(buffer_bytes(&out), "before", 6);
    buffer_wipe(&out);
}

static void a_vector_too_long_for_its_prefix_fails(void **state)
{
    (void)state;
    static const struct {
        size_t width;
        size_t len;
        bool fits;
    } cases[] = { { 1, 255, true },       { 1, 256, false },  { 2, 65535, true },
                  { 2, 65536, false },    { 3, 65536, true }, { 3, 0xffffff, true },
                  { 3, 0x1000000, false } };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct buffer out = { 0 };
        struct writer w = writer_to(&out);

        writer_open(&w, cases[i].width);
        writer_zeros(&w, cases[i].len);
        writer_close(&w);
        assert_int_equal(writer_ok(&w), cases[i].fits);
        buffer_wipe(&out);
    }
}

static void misuse_fails_instead_of_writing_nonsense(void **state)
{
    (void)state;
    struct buffer out = { 0 };

    struct writer closed_too_often = writer_to(&out);
    writer_close(&closed_too_often);
    assert_false(writer_ok(&closed_too_often));

    struct writer too_deep = writer_to(&out);
    for (size_t i = 0; i <= WRITER_MAX_DEPTH; i++) {
        writer_open(&too_deep, 1);
    }
    assert_false(writer_ok(&too_deep));
    writer_rollback(&too_deep);

    struct writer wrong_width = writer_to(&out);
    writer_open(&wrong_width, 4);
    assert_false(writer_ok(&wrong_width));

    struct writer too_large = writer_to(&out);
    writer_u24(&too_large, 0x1000000);
    assert_false(writer_ok(&too_large));
    buffer_wipe(&out);
}

static void failure_is_sticky_and_rollback_forgets_it(void **state)
{
    (void)state;
    struct buffer out = { 0 };

    assert_true(buffer_append(&out, "keep", 4));
    struct writer w = writer_to(&out);
    writer_u32(&w, 1);
    writer_u24(&w, UINT32_MAX);
    writer_u32(&w, 2);
    writer_open(&w, 2);
    writer_close(&w);
    assert_null(writer_space(&w, 1));
    assert_false(writer_ok(&w));
    writer_rollback(&w);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_len(&w), 0);
    assert_memory_equal(buffer_bytes(&out), "keep", 4);
    writer_u8(&w, 3);
    assert_true(writer_ok(&w));
    assert_int_equal(buffer_len(&out), 5);
    buffer_wipe(&out);
}

static void space_can_be_cut(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    writer_open(&w, 2);
    uint8_t *at = writer_space(&w, 10);
    assert_non_null(at);
    memset(at, 0x11, 10);
    writer_cut(&w, 2 + 4);
    writer_close(&w);
    assert_true(writer_ok(&w));
    assert_hex(writer_begin(&w), writer_len(&w), "0004 11111111");
    buffer_wipe(&out);
}

static bool write_a_long_message(void *arg)
{
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    (void)arg;
    writer_open(&w, 3);
    for (int i = 0; i < 100000; i++) {
        writer_u8(&w, (uint8_t)i);
    }
    writer_close(&w);
    bool done = writer_ok(&w);
    writer_rollback(&w);
    assert_true(writer_ok(&w));
    buffer_wipe(&out);
    return done;
}

static void failed_allocations_stick(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(write_a_long_message, NULL, false) >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_and_bytes),
        cmocka_unit_test(vectors_nest),
        cmocka_unit_test(a_vector_too_long_for_its_prefix_fails),
        cmocka_unit_test(misuse_fails_instead_of_writing_nonsense),
        cmocka_unit_test(failure_is_sticky_and_rollback_forgets_it),
        cmocka_unit_test(space_can_be_cut),
        cmocka_unit_test(failed_allocations_stick),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("base/writer", tests, NULL, NULL);
}
