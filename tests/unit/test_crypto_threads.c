/* First use from several threads at once: what is made once per process must be made once. */
#include "unit.h"

#include "crypto/group.h"
#include "crypto/hash.h"
#include "loose_aead.h"

#include <pthread.h>
#include <string.h>

#define NUM_THREADS 8

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    const struct crypto_lib *lib;
    bool right;
};

static bool use_everything(const struct crypto_lib *lib)
{
    static const uint8_t key[AEAD_MAX_KEY_LEN], nonce[AEAD_NONCE_LEN];
    struct aead *seal = aead_new(lib, AEAD_AES_128_GCM, AEAD_SEAL, key);
    struct aead *open = aead_new(lib, AEAD_AES_128_GCM, AEAD_OPEN, key);
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    uint8_t sealed[20], digest[HASH_MAX_LEN];

    bool right = seal != NULL && open != NULL &&
                 aead_seal(seal, nonce, NULL, 0, sealed, (const uint8_t *)"text", 4, 0) &&
                 opens(open, nonce, NULL, 0, sealed, sealed, sizeof(sealed)) &&
                 memcmp(sealed, "text", 4) == 0 &&
                 hash_once(hash_get(lib, HASH_SHA384), "abc", 3, digest);
    struct group_key *share =
        group_generate(lib, group_by_name(crypto_lib_default(), "x25519", 6), &w);
    right = right && share != NULL;
    group_key_free(share);
    aead_free(seal);
    aead_free(open);
    buffer_wipe(&out);
    return right;
}

static void *work(void *arg)
{
    struct worker *w = arg;

    pthread_barrier_wait(w->start);
    w->lib = crypto_lib_default();
    w->right = w->lib != NULL && use_everything(w->lib);
    return NULL;
}

static void first_use_from_many_threads(void **state)
{
    (void)state;
    struct worker workers[NUM_THREADS];
    pthread_barrier_t start;

    assert_int_equal(pthread_barrier_init(&start, NULL, NUM_THREADS), 0);
    for (size_t i = 0; i < NUM_THREADS; i++) {
        workers[i] = (struct worker){ .start = &start };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        assert_true(workers[i].right);
        assert_ptr_equal(workers[i].lib, workers[0].lib);
    }
    pthread_barrier_destroy(&start);
}

/* References of one instance, counted from several threads. */
static void *count(void *arg)
{
    const struct crypto_lib *lib = arg;

    for (int i = 0; i < 1000; i++) {
        crypto_lib_up_ref(lib);
        crypto_lib_free(lib);
    }
    crypto_lib_free(lib);
    return NULL;
}

static void references_are_counted_across_threads(void **state)
{
    (void)state;
    const struct crypto_lib *lib = crypto_lib_new(NULL, "provider=default");
    pthread_t threads[2];

    assert_non_null(lib);
    for (size_t i = 0; i < 2; i++) {
        crypto_lib_up_ref(lib);
        assert_int_equal(pthread_create(&threads[i], NULL, count, (void *)(uintptr_t)lib), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(use_everything(lib));
    crypto_lib_free(lib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_use_from_many_threads),
        cmocka_unit_test(references_are_counted_across_threads),
    };

    return cmocka_run_group_tests_name("crypto/threads", tests, NULL, NULL);
}
