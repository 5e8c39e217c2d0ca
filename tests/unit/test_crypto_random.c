#include "unit.h"

#include "crypto/random.h"

#include <openssl/rand.h>
#include <string.h>

static void generators_fill_what_they_are_given(void **state)
{
    (void)state;
    const struct crypto_lib *libs[] = { crypto_lib_default(),
                                        crypto_lib_new(NULL, "provider=default") };

    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        uint8_t a[66] = { 0 }, b[66] = { 0 };

        assert_true(random_public(libs[l], a + 1, 64));
        assert_true(random_secret(libs[l], b + 1, 64));
        assert_memory_not_equal(a + 1, b + 1, 64);
        assert_int_equal(a[0] | a[65] | b[0] | b[65], 0); /* and nothing beside it */
        memcpy(b, a, sizeof(b));
        assert_true(random_public(libs[l], a + 1, 64));
        assert_memory_not_equal(a + 1, b + 1, 64);
        assert_true(random_public(libs[l], NULL, 0));
        assert_true(random_secret(libs[l], NULL, 0));
    }
    crypto_lib_free(libs[1]);
}

static int refuse(unsigned char *out, int len)
{
    (void)out;
    (void)len;
    return 0;
}

static void a_failing_generator_is_noticed(void **state)
{
    (void)state;
    static const RAND_METHOD broken = { .bytes = refuse };
    const struct crypto_lib *lib = crypto_lib_default();
    uint8_t out[32];

    assert_int_equal(RAND_set_rand_method(&broken), 1);
    assert_false(random_public(lib, out, sizeof(out)));
    assert_false(random_secret(lib, out, sizeof(out)));
    assert_int_equal(RAND_set_rand_method(NULL), 1);
    assert_true(random_public(lib, out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_fill_what_they_are_given),
        cmocka_unit_test(a_failing_generator_is_noticed),
    };

    return cmocka_run_group_tests_name("crypto/random", tests, NULL, NULL);
}
