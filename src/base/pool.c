/*
 * The per-thread pool of record buffers. One of the two places of the library with mutable
 * file-scope state (the other is the choice of back ends in crypto/): a free list for each thread,
 * and the key whose destructor empties it when the thread ends.
 */
#include "base/pool.h"

#include <openssl/crypto.h>
#include <pthread.h>

#define BLOCK_ALIGNMENT 64

_Static_assert(POOL_BLOCK_SIZE % BLOCK_ALIGNMENT == 0 && POOL_BATCH_SIZE % BLOCK_ALIGNMENT == 0,
               "blocks end on a cache line");

/* Free blocks of this thread. */
struct free_list {
    void *blocks[POOL_KEPT_BLOCKS];
    void *batches[POOL_KEPT_BATCHES];
    size_t num_blocks, num_batches;
    bool drained_at_exit; /* the thread's end will empty the list */
};

static _Thread_local struct free_list free_list;

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;

/* OPENSSL_malloc aligns to 16 bytes at least, a block to 64: the address that has to be freed
 * stands right before the block. */
static void *allocate_block(size_t size)
{
    uint8_t *raw = OPENSSL_malloc(size + BLOCK_ALIGNMENT + sizeof(void *));

    if (raw == NULL) {
        return NULL;
    }
    uintptr_t first = (uintptr_t)raw + sizeof(void *);
    size_t gap = (BLOCK_ALIGNMENT - first % BLOCK_ALIGNMENT) % BLOCK_ALIGNMENT;
    void **block = (void **)(void *)(raw + sizeof(void *) + gap);

    block[-1] = raw;
    return block;
}

static void free_block(void *block)
{
    OPENSSL_free(((void **)block)[-1]);
}

/* Runs at the end of a thread that used the pool. Another destructor may give a block back after
 * this one has run: the list then registers itself anew, and this runs again. */
static void drain(void *list_of_thread)
{
    struct free_list *list = list_of_thread;

    list->drained_at_exit = false;
    while (list->num_blocks > 0) {
        free_block(list->blocks[--list->num_blocks]);
    }
    while (list->num_batches > 0) {
        free_block(list->batches[--list->num_batches]);
    }
}

static void make_key(void)
{
    key_made = pthread_key_create(&key, drain) == 0;
}

/* True when blocks may stay with this thread because its end will free them. */
static bool may_keep(struct free_list *list)
{
    if (list->drained_at_exit) {
        return true;
    }
    if (pthread_once(&key_once, make_key) != 0 || !key_made) {
        return false;
    }
    list->drained_at_exit = pthread_setspecific(key, list) == 0;
    return list->drained_at_exit;
}

void *pool_take(size_t size)
{
    struct free_list *list = &free_list;

    if (size == POOL_BLOCK_SIZE && list->num_blocks > 0) {
        return list->blocks[--list->num_blocks];
    }
    if (size == POOL_BATCH_SIZE && list->num_batches > 0) {
        return list->batches[--list->num_batches];
    }
    return allocate_block(size);
}

void pool_give(void *block, size_t size)
{
    struct free_list *list = &free_list;
    bool is_full = size == POOL_BLOCK_SIZE ? list->num_blocks == POOL_KEPT_BLOCKS
                                           : list->num_batches == POOL_KEPT_BATCHES;

    if (block == NULL) {
        return;
    }
    /* AddressSanitizer can only see a use after giving back when the block is really freed. */
    if (BUILT_WITH_ASAN || is_full || !may_keep(list)) {
        free_block(block);
    } else if (size == POOL_BLOCK_SIZE) {
        list->blocks[list->num_blocks++] = block;
    } else {
        list->batches[list->num_batches++] = block;
    }
}
