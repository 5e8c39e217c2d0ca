#include "unit.h"

#include "base/blob.h"

#include <pthread.h>
#include <string.h>

static void copies_and_counts(void **state)
{
    (void)state;
    static const uint8_t zeros[5];
    struct blob *a = blob_new("hello", 5);
    struct blob *slot = NULL;

    assert_non_null(a);
    assert_int_equal(blob_len(a), 5);
    assert_memory_equal(a->bytes, "hello", 5);
    assert_int_equal((uintptr_t)a->bytes % 8, 0);
    blob_set(&slot, blob_ref(a));
    blob_free(a);
    assert_memory_equal(slot->bytes, "hello", 5); /* the slot keeps it */
    blob_set(&slot, blob_new(NULL, 5));
    assert_memory_equal(slot->bytes, zeros, 5);
    blob_set(&slot, blob_ref(slot)); /* itself */
    assert_memory_equal(slot->bytes, zeros, 5);
    blob_set(&slot, NULL);
    assert_null(slot);
    blob_free(NULL);
    assert_null(blob_ref(NULL));
    assert_int_equal(blob_len(NULL), 0);
    struct blob *empty = blob_new("", 0);
    assert_int_equal(blob_len(empty), 0);
    blob_free(empty);
    assert_null(blob_new("x", SIZE_MAX));
}

static void *count(void *arg)
{
    for (int i = 0; i < 1000; i++) {
        blob_free(blob_ref(arg));
    }
    blob_free(arg);
    return NULL;
}

static void references_are_counted_across_threads(void **state)
{
    (void)state;
    struct blob *b = blob_new("shared", 6);
    pthread_t threads[2];

    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, count, blob_ref(b)), 0);
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_memory_equal(b->bytes, "shared", 6);
    blob_free(b);
}

static bool make(void *arg)
{
    (void)arg;
    struct blob *b = blob_new("abc", 3);
    bool done = b != NULL;

    blob_free(b);
    return done;
}

static void allocation_failures(void **state)
{
    (void)state;
    assert_int_equal(fail_each_allocation(make, NULL, false), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_and_counts),
        cmocka_unit_test(references_are_counted_across_threads),
        cmocka_unit_test(allocation_failures),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("base/blob", tests, NULL, NULL);
}
