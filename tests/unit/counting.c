/*
 * Counting stands in the way of libcrypto's memory functions and of pthread's locks; see
 * counting.h.
 */
#include "counting.h"

#include <dlfcn.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

bool counting = true;
size_t num_allocations, num_locks, num_writing;
long num_bytes;

static void count_block(const void *block, long before)
{
    if (counting) {
        num_allocations++;
        num_bytes += (long)malloc_usable_size((void *)(uintptr_t)block) - before;
    }
}

static void *count_malloc(size_t len, const char *file, int line)
{
    void *block = malloc(len);

    (void)file;
    (void)line;
    count_block(block, 0);
    return block;
}

static void *count_realloc(void *old, size_t len, const char *file, int line)
{
    long before = (long)malloc_usable_size(old);
    void *block = realloc(old, len);

    (void)file;
    (void)line;
    count_block(block, before);
    return block;
}

static void count_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    if (counting) {
        num_bytes -= (long)malloc_usable_size(block);
    }
    free(block);
}

bool counting_install(void)
{
    return CRYPTO_set_mem_functions(count_malloc, count_realloc, count_free) == 1;
}

/* The functions that those below hide, looked up before anybody calls them. */
static union {
    void *object;
    int (*function)(pthread_rwlock_t *lock);
} next_rdlock, next_wrlock;

static union {
    void *object;
    int (*function)(pthread_mutex_t *lock);
} next_mutex_lock;

__attribute__((constructor)) static void look_up(void)
{
    next_rdlock.object = dlsym(RTLD_NEXT, "pthread_rwlock_rdlock");
    next_wrlock.object = dlsym(RTLD_NEXT, "pthread_rwlock_wrlock");
    next_mutex_lock.object = dlsym(RTLD_NEXT, "pthread_mutex_lock");
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    num_locks += counting;
    return next_rdlock.function(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    num_locks += counting;
    num_writing += counting;
    return next_wrlock.function(lock);
}

int pthread_mutex_lock(pthread_mutex_t *lock)
{
    num_locks += counting;
    num_writing += counting;
    return next_mutex_lock.function(lock);
}
