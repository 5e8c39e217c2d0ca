#include "unit.h"

#include "base/siphash.h"

/* The example of the paper's appendix A: key 00 01 .. 0f, input 00 01 .. 0e. */
static void published_example(void **state)
{
    uint8_t key[SIPHASH_KEY_LEN], data[15];

    (void)state;
    fill_pattern(key, sizeof(key), 0, 1);
    fill_pattern(data, sizeof(data), 0, 1);
    assert_int_equal(siphash(key, data, sizeof(data)), 0xa129ca6149be45e5);
}

/* Of the authors' list for inputs 00 01 .. of growing length: no byte, one, eight. */
static void lengths_around_a_word(void **state)
{
    uint8_t key[SIPHASH_KEY_LEN], data[8];

    (void)state;
    fill_pattern(key, sizeof(key), 0, 1);
    fill_pattern(data, sizeof(data), 0, 1);
    assert_int_equal(siphash(key, data, 0), 0x726fdb47dd0e0e31);
    assert_int_equal(siphash(key, data, 1), 0x74f839c593dc67fd);
    assert_int_equal(siphash(key, data, 8), 0x93f5f5799a932462);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_example),
        cmocka_unit_test(lengths_around_a_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
