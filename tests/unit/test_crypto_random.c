#include "unit.h"

#include "crypto/random.h"

#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLICE  16
#define SLICES 100 /* more than a thread draws at a time */

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

/* Sixteen bytes that come twice would be bytes that were given out twice. */
static void no_slice_comes_twice(void **state)
{
    (void)state;
    static uint8_t slices[2 * SLICES][SLICE];

    for (size_t i = 0; i < SLICES; i++) {
        assert_true(random_public(crypto_lib_default(), slices[2 * i], SLICE));
        assert_true(random_secret(crypto_lib_default(), slices[2 * i + 1], SLICE));
    }
    for (size_t i = 0; i < COUNT_OF(slices); i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(slices[i], slices[j], SLICE);
        }
    }
}

/* A process that draws, and whose child draws: SLICES pieces each, which the child writes to a
 * pipe. */
static void draw_in_child(int to)
{
    uint8_t slice[SLICE];
    bool done = true;

    for (size_t i = 0; done && i < SLICES; i++) {
        bool secret = i % 2 != 0;
        done = (secret ? random_secret(crypto_lib_default(), slice, SLICE)
                       : random_public(crypto_lib_default(), slice, SLICE)) &&
               write(to, slice, SLICE) == SLICE;
    }
    _exit(done ? 0 : 1);
}

static void a_child_draws_its_own(void **state)
{
    (void)state;
    static uint8_t own[2 * SLICES][SLICE], childs[3][SLICES][SLICE];
    int pipes[2];

    assert_int_equal(pipe(pipes), 0);
    /* Both kinds lie ready, so that a child could give out what its parent will. */
    assert_true(random_public(crypto_lib_default(), own[0], SLICE));
    assert_true(random_secret(crypto_lib_default(), own[1], SLICE));
    for (size_t child = 0; child < COUNT_OF(childs); child++) {
        int status = -1;
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            draw_in_child(pipes[1]);
        }
        for (size_t i = 0; i < SLICES; i++) {
            assert_int_equal(read(pipes[0], childs[child][i], SLICE), SLICE);
        }
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
    }
    for (size_t i = 1; i < SLICES; i++) {
        assert_true(random_public(crypto_lib_default(), own[2 * i], SLICE));
        assert_true(random_secret(crypto_lib_default(), own[2 * i + 1], SLICE));
    }
    const uint8_t *all = childs[0][0];
    for (size_t i = 0; i < COUNT_OF(childs) * SLICES; i++) {
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(all + i * SLICE, all + j * SLICE, SLICE);
        }
        for (size_t j = 0; j < COUNT_OF(own); j++) {
            assert_memory_not_equal(all + i * SLICE, own[j], SLICE);
        }
    }
    assert_int_equal(close(pipes[0]), 0);
    assert_int_equal(close(pipes[1]), 0);
}

static void *draw_one(void *out)
{
    return random_public(crypto_lib_default(), out, SLICE) ? out : NULL;
}

static void each_thread_draws_its_own(void **state)
{
    (void)state;
    static uint8_t slices[4][SLICE];
    pthread_t threads[COUNT_OF(slices)];
    void *done;

    for (size_t i = 0; i < COUNT_OF(slices); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, draw_one, slices[i]), 0);
    }
    for (size_t i = 0; i < COUNT_OF(slices); i++) {
        assert_int_equal(pthread_join(threads[i], &done), 0);
        assert_ptr_equal(done, slices[i]);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(slices[i], slices[j], SLICE);
        }
    }
}

static int num_asked;

static int refuse(unsigned char *out, int len)
{
    (void)out;
    (void)len;
    num_asked++;
    return 0;
}

static void a_failing_generator_is_noticed(void **state)
{
    (void)state;
    static const RAND_METHOD broken = { .bytes = refuse };
    const struct crypto_lib *lib = crypto_lib_default();
    uint8_t out[65]; /* more than is kept ready */

    assert_int_equal(RAND_set_rand_method(&broken), 1);
    assert_false(random_public(lib, out, sizeof(out)));
    assert_false(random_secret(lib, out, sizeof(out)));
    /* What was drawn before is used up; then an application's generator is asked each time. */
    for (size_t i = 0; i < SLICES && num_asked == 2; i++) {
        (void)!random_public(lib, out, SLICE);
    }
    assert_int_equal(num_asked, 3);
    assert_false(random_public(lib, out, SLICE));
    assert_false(random_public(lib, out, SLICE));
    assert_int_equal(num_asked, 5);
    assert_int_equal(RAND_set_rand_method(NULL), 1);
    assert_true(random_public(lib, out, sizeof(out)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(generators_fill_what_they_are_given),
        cmocka_unit_test(no_slice_comes_twice),
        cmocka_unit_test(a_child_draws_its_own),
        cmocka_unit_test(each_thread_draws_its_own),
        cmocka_unit_test(a_failing_generator_is_noticed),
    };

    return cmocka_run_group_tests_name("crypto/random", tests, NULL, NULL);
}
