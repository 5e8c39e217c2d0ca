/*
 * The per-thread pool of blocks. Mutable file-scope state: the free lists of each thread, and the
 * key whose destructor empties them when the thread ends.
 */
#include "base/pool.h"

#include <openssl/crypto.h>
#include <pthread.h>

#define BLOCK_ALIGNMENT 64

_Static_assert(POOL_KEY_SIZE % BLOCK_ALIGNMENT == 0 && POOL_BLOCK_SIZE % BLOCK_ALIGNMENT == 0 &&
                   POOL_BATCH_SIZE % BLOCK_ALIGNMENT == 0,
               "blocks end on a cache line");

enum size_class { CLASS_KEY, CLASS_BLOCK, CLASS_BATCH, NUM_CLASSES };

/* How many free blocks a thread keeps. */
static const uint8_t kept[NUM_CLASSES] = {
    [CLASS_KEY] = POOL_KEPT_KEYS,
    [CLASS_BLOCK] = POOL_KEPT_BLOCKS,
    [CLASS_BATCH] = POOL_KEPT_BATCHES,
};

/* Stands right before each block. */
struct header {
    void *allocated;     /* the address that has to be freed */
    struct header *next; /* of a free block: the next that is free */
};

/* Free blocks of this thread. */
struct free_lists {
    struct header *first[NUM_CLASSES];
    uint8_t num[NUM_CLASSES];
};

/* NULL: it has given nothing back yet. A pointer is little enough for the memory that a thread has
 * for all libraries at once, where it is found without a call. */
static _Thread_local struct free_lists *own_lists __attribute__((tls_model("initial-exec")));

static pthread_once_t key_once = PTHREAD_ONCE_INIT;
static pthread_key_t key;
static bool key_made;

/* OPENSSL_malloc aligns to 16 bytes at least, a block to 64. NULL: out of memory. */
static struct header *allocate_block(size_t size)
{
    uint8_t *raw = OPENSSL_malloc(sizeof(struct header) + BLOCK_ALIGNMENT - 1 + size);

    if (raw == NULL) {
        return NULL;
    }
    uintptr_t first = (uintptr_t)raw + sizeof(struct header);
    size_t gap = (BLOCK_ALIGNMENT - first % BLOCK_ALIGNMENT) % BLOCK_ALIGNMENT;
    struct header *header = (void *)(raw + gap);

    header->allocated = raw;
    return header;
}

static void free_block(struct header *header)
{
    OPENSSL_free(header->allocated);
}

static enum size_class class_of(size_t size)
{
    return size == POOL_BLOCK_SIZE ? CLASS_BLOCK : size == POOL_KEY_SIZE ? CLASS_KEY : CLASS_BATCH;
}

static struct header *take_first(struct free_lists *lists, size_t which)
{
    struct header *header = lists->first[which];

    lists->first[which] = header->next;
    lists->num[which]--;
    return header;
}

/* Runs at the end of a thread that used the pool. Another destructor may give a block back after
 * this one has run: there are new lists then, and this runs again. */
static void drain(void *lists_of_thread)
{
    struct free_lists *lists = lists_of_thread;

    own_lists = NULL;
    for (size_t i = 0; i < NUM_CLASSES; i++) {
        while (lists->num[i] > 0) {
            free_block(take_first(lists, i));
        }
    }
    OPENSSL_free(lists);
}

static void make_key(void)
{
    key_made = pthread_key_create(&key, drain) == 0;
}

/* NULL: out of memory, or the thread's end would not empty them. */
static struct free_lists *make_lists(void)
{
    struct free_lists *lists = NULL;

    if (pthread_once(&key_once, make_key) == 0 && key_made) {
        lists = OPENSSL_zalloc(sizeof *lists);
    }
    if (lists != NULL && pthread_setspecific(key, lists) != 0) {
        OPENSSL_free(lists);
        lists = NULL;
    }
    own_lists = lists;
    return lists;
}

void *pool_take(size_t size)
{
    struct free_lists *lists = own_lists;
    enum size_class which = class_of(size);

    if (lists != NULL && lists->num[which] > 0) {
        return take_first(lists, which) + 1;
    }
    struct header *header = allocate_block(size);
    return header == NULL ? NULL : header + 1;
}

void pool_give(void *block, size_t size)
{
    enum size_class which = class_of(size);

    if (block == NULL) {
        return;
    }
    struct header *header = (struct header *)block - 1;
    /* AddressSanitizer can only see a use after giving back when the block is really freed. */
    struct free_lists *lists = BUILT_WITH_ASAN     ? NULL
                               : own_lists != NULL ? own_lists
                                                   : make_lists();
    if (lists == NULL || lists->num[which] == kept[which]) {
        free_block(header);
        return;
    }
    header->next = lists->first[which];
    lists->first[which] = header;
    lists->num[which]++;
}
