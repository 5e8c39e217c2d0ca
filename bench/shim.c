/*
 * Counts allocations, locks and system calls of a program and all its libraries when it stands in
 * LD_PRELOAD. Each function counts and calls the one it hides; the C library's own name of malloc
 * is used for memory, since looking a function up may allocate.
 */
#include "counts.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

/* What the C library calls its own, without a header. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

static __thread struct bench_counts counts __attribute__((tls_model("initial-exec")));

const struct bench_counts *bench_shim_counts(void)
{
    return &counts;
}

/* --- Memory --- */

static void *count_block(void *block)
{
    if (block != NULL) {
        counts.allocations++;
        counts.live_bytes += (int64_t)malloc_usable_size(block);
    }
    return block;
}

void *malloc(size_t size)
{
    return count_block(__libc_malloc(size));
}

void *calloc(size_t num, size_t size)
{
    return count_block(__libc_calloc(num, size));
}

void *realloc(void *old, size_t size)
{
    int64_t had = (int64_t)malloc_usable_size(old);
    void *block = __libc_realloc(old, size);

    if (block != NULL || size == 0) {
        counts.live_bytes -= had;
    }
    return count_block(block);
}

void *memalign(size_t alignment, size_t size)
{
    return count_block(__libc_memalign(alignment, size));
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
    void *block = memalign(alignment, size);

    if (block == NULL) {
        return ENOMEM;
    }
    *out = block;
    return 0;
}

void free(void *block)
{
    counts.live_bytes -= (int64_t)malloc_usable_size(block);
    __libc_free(block);
}

/* --- Locks and system calls --- */

/* The function that this file hides. ISO C has no conversion of an object pointer to a function
 * pointer; POSIX promises that it works, through a union too. */
union next {
    void *object;
    int (*rwlock)(pthread_rwlock_t *lock);
    int (*mutex)(pthread_mutex_t *lock);
    ssize_t (*write)(int fd, const void *data, size_t len);
    ssize_t (*writev)(int fd, const struct iovec *parts, int num);
    ssize_t (*send)(int fd, const void *data, size_t len, int flags);
    ssize_t (*sendmsg)(int fd, const struct msghdr *message, int flags);
    ssize_t (*read)(int fd, void *data, size_t len);
    ssize_t (*readv)(int fd, const struct iovec *parts, int num);
    ssize_t (*recv)(int fd, void *data, size_t len, int flags);
    ssize_t (*recvmsg)(int fd, struct msghdr *message, int flags);
};

static union next next_of(void **cache, const char *name)
{
    void *found = __atomic_load_n(cache, __ATOMIC_RELAXED);

    if (found == NULL) {
        found = dlsym(RTLD_NEXT, name);
        if (found == NULL) {
            abort();
        }
        __atomic_store_n(cache, found, __ATOMIC_RELAXED);
    }
    return (union next){ .object = found };
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    static void *cache;

    counts.read_locks++;
    return next_of(&cache, "pthread_rwlock_rdlock").rwlock(lock);
}

int pthread_rwlock_tryrdlock(pthread_rwlock_t *lock)
{
    static void *cache;

    counts.read_locks++;
    return next_of(&cache, "pthread_rwlock_tryrdlock").rwlock(lock);
}

int pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    static void *cache;

    counts.write_locks++;
    return next_of(&cache, "pthread_rwlock_wrlock").rwlock(lock);
}

int pthread_rwlock_trywrlock(pthread_rwlock_t *lock)
{
    static void *cache;

    counts.write_locks++;
    return next_of(&cache, "pthread_rwlock_trywrlock").rwlock(lock);
}

int pthread_mutex_lock(pthread_mutex_t *lock)
{
    static void *cache;

    counts.mutex_locks++;
    return next_of(&cache, "pthread_mutex_lock").mutex(lock);
}

int pthread_mutex_trylock(pthread_mutex_t *lock)
{
    static void *cache;

    counts.mutex_locks++;
    return next_of(&cache, "pthread_mutex_trylock").mutex(lock);
}

ssize_t write(int fd, const void *data, size_t len)
{
    static void *cache;

    counts.send_calls++;
    return next_of(&cache, "write").write(fd, data, len);
}

ssize_t writev(int fd, const struct iovec *parts, int num)
{
    static void *cache;

    counts.send_calls++;
    return next_of(&cache, "writev").writev(fd, parts, num);
}

ssize_t send(int fd, const void *data, size_t len, int flags)
{
    static void *cache;

    counts.send_calls++;
    return next_of(&cache, "send").send(fd, data, len, flags);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    static void *cache;

    counts.send_calls++;
    return next_of(&cache, "sendmsg").sendmsg(fd, message, flags);
}

ssize_t read(int fd, void *data, size_t len)
{
    static void *cache;

    counts.receive_calls++;
    return next_of(&cache, "read").read(fd, data, len);
}

ssize_t readv(int fd, const struct iovec *parts, int num)
{
    static void *cache;

    counts.receive_calls++;
    return next_of(&cache, "readv").readv(fd, parts, num);
}

ssize_t recv(int fd, void *data, size_t len, int flags)
{
    static void *cache;

    counts.receive_calls++;
    return next_of(&cache, "recv").recv(fd, data, len, flags);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
    static void *cache;

    counts.receive_calls++;
    return next_of(&cache, "recvmsg").recvmsg(fd, message, flags);
}
