#include "unit.h"

#include "base/buffer.h"
#include "base/pool.h"

#include <pthread.h>
#include <string.h>

static void appended_bytes_come_out_in_order(void **state)
{
    (void)state;
    struct buffer b = { 0 };

    assert_int_equal(buffer_len(&b), 0);
    assert_true(buffer_append(&b, "hello ", 6));
    assert_true(buffer_append(&b, "world", 5));
    assert_int_equal(buffer_len(&b), 11);
    assert_memory_equal(buffer_bytes(&b), "hello world", 11);
    buffer_consume(&b, 6);
    assert_memory_equal(buffer_bytes(&b), "world", 5);
    buffer_truncate(&b, 2);
    assert_int_equal(buffer_len(&b), 2);
    assert_memory_equal(buffer_bytes(&b), "wo", 2);
    buffer_wipe(&b);
    assert_null(b.data);
    assert_int_equal(buffer_len(&b), 0);
}

static void memory_is_held_only_while_something_is_readable(void **state)
{
    (void)state;
    struct buffer b = { 0 };

    buffer_release(&b);
    assert_null(b.data);
    assert_true(buffer_append(&b, "x", 1));
    buffer_release(&b);
    assert_non_null(b.data);
    buffer_consume(&b, 1);
    assert_non_null(b.data);
    buffer_release(&b);
    assert_null(b.data);
}

static void reserved_room_is_not_readable_until_committed(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    uint8_t *room = buffer_reserve(&b, 100);

    assert_non_null(room);
    assert_int_equal(buffer_len(&b), 0);
    memset(room, 7, 100);
    buffer_commit(&b, 30);
    assert_int_equal(buffer_len(&b), 30);
    assert_int_equal(buffer_bytes(&b)[29], 7);
    buffer_wipe(&b);
}

static void what_is_public_is_not_wiped(void **state)
{
    (void)state;
    struct buffer b = { 0 };

    assert_true(buffer_append(&b, "secret", 6));
    assert_int_equal(b.high, 6);
    buffer_declare_public(&b);
    assert_int_equal(b.high, 0);
    assert_memory_equal(buffer_bytes(&b), "secret", 6);
    /* What comes later counts again, with all that stands before it. */
    assert_true(buffer_append(&b, "more", 4));
    assert_int_equal(b.high, 10);
    buffer_wipe(&b);
}

static void grows_beyond_a_block_and_keeps_the_contents(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    uint8_t chunk[1000];

    for (unsigned i = 0; i < 100; i++) {
        fill_pattern(chunk, sizeof(chunk), (uint8_t)i, 3);
        assert_true(buffer_append(&b, chunk, sizeof(chunk)));
    }
    assert_int_equal(buffer_len(&b), 100000);
    for (unsigned i = 0; i < 100; i++) {
        fill_pattern(chunk, sizeof(chunk), (uint8_t)i, 3);
        assert_memory_equal(buffer_bytes(&b), chunk, sizeof(chunk));
        buffer_consume(&b, sizeof(chunk));
    }
    buffer_release(&b);
    assert_null(b.data);
}

/* A queue that is never empty must not grow without end, nor cost a move per byte. */
static void a_standing_queue_stays_in_its_block(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    uint8_t next_in = 0;
    uint8_t next_out = 0;

    for (size_t i = 0; i < 10; i++) {
        assert_true(buffer_append(&b, &next_in, 1));
        next_in++;
    }
    for (size_t i = 0; i < 5 * POOL_BLOCK_SIZE; i++) {
        assert_true(buffer_append(&b, &next_in, 1));
        next_in++;
        assert_int_equal(buffer_bytes(&b)[0], next_out);
        next_out++;
        buffer_consume(&b, 1);
    }
    assert_int_equal(b.cap, POOL_BLOCK_SIZE);
    assert_int_equal(buffer_len(&b), 10);
    buffer_wipe(&b);
}

/* Under "nothing fits": what the buffer holds may not change. */
static void impossible_reservations_change_nothing(void **state)
{
    (void)state;
    struct buffer b = { 0 };

    assert_true(buffer_append(&b, "abc", 3));
    assert_null(buffer_reserve(&b, SIZE_MAX));
    assert_null(buffer_reserve(&b, SIZE_MAX - 3));
    assert_memory_equal(buffer_bytes(&b), "abc", 3);
    buffer_wipe(&b);
}

static bool grow_in_two_steps(void *arg)
{
    struct buffer *b = arg;
    static const uint8_t chunk[POOL_BATCH_SIZE];

    *b = (struct buffer){ 0 };
    bool done = buffer_append(b, "abc", 3);
    if (done && !buffer_append(b, chunk, sizeof(chunk))) {
        assert_int_equal(buffer_len(b), 3);
        assert_memory_equal(buffer_bytes(b), "abc", 3);
        done = false;
    }
    buffer_wipe(b);
    return done;
}

static void failed_growth_keeps_the_contents(void **state)
{
    (void)state;
    struct buffer b;

    assert_true(fail_each_allocation(grow_in_two_steps, &b, false) >= 1);
}

static bool take_more_than_is_kept(void *arg)
{
    void *blocks[POOL_KEPT_BLOCKS + 1];
    bool done = true;

    (void)arg;
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        blocks[i] = pool_take(POOL_BLOCK_SIZE);
        done = done && blocks[i] != NULL;
    }
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        pool_give(blocks[i], POOL_BLOCK_SIZE);
    }
    return done;
}

static void failed_blocks_are_null(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(take_more_than_is_kept, NULL, false) >= 1);
}

static void truncated_and_released_bytes_are_wiped(void **state)
{
    (void)state;
    struct buffer b = { 0 };
    static const uint8_t zeros[64];
    uint8_t secret[64];

    memset(secret, 0xa5, sizeof(secret));
    assert_true(buffer_append(&b, secret, sizeof(secret)));
    buffer_truncate(&b, 16);
    assert_memory_equal(b.data + 16, zeros, 48);
    if (BUILT_WITH_ASAN) {
        buffer_wipe(&b);
        return; /* the block is really freed there and may not be looked at */
    }
    uint8_t *block = b.data;
    assert_non_null(buffer_reserve(&b, 200));
    memset(b.data + 16, 0xa5, 200); /* written, never committed */
    buffer_consume(&b, 16);
    buffer_release(&b);
    for (size_t i = 0; i < 216; i++) {
        assert_int_equal(block[i], 0);
    }
}

static void blocks_are_aligned_and_distinct(void **state)
{
    (void)state;
    void *blocks[POOL_KEPT_BLOCKS * 2];

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < COUNT_OF(blocks); i++) {
            blocks[i] = pool_take(POOL_BLOCK_SIZE);
            assert_non_null(blocks[i]);
            assert_int_equal((uintptr_t)blocks[i] % 64, 0);
            memset(blocks[i], (int)i, POOL_BLOCK_SIZE);
        }
        for (size_t i = 0; i < COUNT_OF(blocks); i++) {
            assert_int_equal(((uint8_t *)blocks[i])[0], i);
            assert_int_equal(((uint8_t *)blocks[i])[POOL_BLOCK_SIZE - 1], i);
            pool_give(blocks[i], POOL_BLOCK_SIZE);
        }
    }
    pool_give(NULL, POOL_BLOCK_SIZE);
}

static void *use_pool(void *given)
{
    void *mine = pool_take(POOL_BLOCK_SIZE);

    if (mine != NULL) {
        memset(mine, 1, POOL_BLOCK_SIZE);
    }
    pool_give(mine, POOL_BLOCK_SIZE);
    pool_give(given, POOL_BLOCK_SIZE); /* of another thread */
    return NULL;
}

/* The leak checker of the sanitizer run sees whether a thread's end empties its pool. */
static void threads_give_back_what_they_keep(void **state)
{
    (void)state;

    for (int i = 0; i < 20; i++) {
        pthread_t thread;
        void *block = pool_take(POOL_BLOCK_SIZE);

        assert_non_null(block);
        assert_int_equal(pthread_create(&thread, NULL, use_pool, block), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appended_bytes_come_out_in_order),
        cmocka_unit_test(memory_is_held_only_while_something_is_readable),
        cmocka_unit_test(reserved_room_is_not_readable_until_committed),
        cmocka_unit_test(what_is_public_is_not_wiped),
        cmocka_unit_test(grows_beyond_a_block_and_keeps_the_contents),
        cmocka_unit_test(a_standing_queue_stays_in_its_block),
        cmocka_unit_test(impossible_reservations_change_nothing),
        cmocka_unit_test(failed_growth_keeps_the_contents),
        cmocka_unit_test(failed_blocks_are_null),
        cmocka_unit_test(truncated_and_released_bytes_are_wiped),
        cmocka_unit_test(blocks_are_aligned_and_distinct),
        cmocka_unit_test(threads_give_back_what_they_keep),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("base/buffer", tests, NULL, NULL);
}
