/*
 * What the shim counts. The programs of bench/ find it only when it is preloaded: figures that are
 * times are measured without it.
 */
#ifndef BENCH_COUNTS_H
#define BENCH_COUNTS_H

#include <stdint.h>

/* Calls made by one thread since it began. */
struct bench_counts {
    uint64_t allocations;   /* malloc, calloc, realloc, aligned_alloc, posix_memalign */
    int64_t live_bytes;     /* usable size of what was allocated less that of what was freed */
    uint64_t read_locks;    /* pthread_rwlock_rdlock, _tryrdlock */
    uint64_t write_locks;   /* pthread_rwlock_wrlock, _trywrlock */
    uint64_t mutex_locks;   /* pthread_mutex_lock, _trylock */
    uint64_t send_calls;    /* write, writev, send, sendmsg */
    uint64_t receive_calls; /* read, readv, recv, recvmsg */
};

/* The calling thread's counts; they go on counting. Only in the shim. */
const struct bench_counts *bench_shim_counts(void);

#endif
