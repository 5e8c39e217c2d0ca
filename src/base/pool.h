/*
 * A per-thread pool of blocks for record buffers, in two sizes. Taking and giving back touch no
 * lock; a block may be given back by another thread than the one that took it. The pool keeps at
 * most POOL_KEPT_BLOCKS free blocks for one record and POOL_KEPT_BATCHES for several a thread, and
 * frees them when the thread ends.
 */
#ifndef TENON_BASE_POOL_H
#define TENON_BASE_POOL_H

#include "base/base.h"

/* Large enough for one TLS record with its header and the largest expansion any version allows
 * (RFC 5246, 6.2.3: 2048), rounded up so that blocks stay aligned for vector loads. */
#define POOL_BLOCK_SIZE  18496
#define POOL_KEPT_BLOCKS 8

/* Large enough for four records of 16384 bytes, each with its header and the expansion of any
 * cipher there is. */
#define POOL_BATCH_SIZE   66560
#define POOL_KEPT_BATCHES 1

/* The size of the block that need bytes fit into; 0: none is that large. */
static inline size_t pool_size_for(size_t need)
{
    return need <= POOL_BLOCK_SIZE   ? POOL_BLOCK_SIZE
           : need <= POOL_BATCH_SIZE ? POOL_BATCH_SIZE
                                     : 0;
}

/* A block of size bytes, which is POOL_BLOCK_SIZE or POOL_BATCH_SIZE; 64-byte aligned, contents
 * unspecified. NULL: out of memory. */
void *pool_take(size_t size);

/* Gives a block of that size back; NULL is allowed. The caller has wiped what was secret in it. */
void pool_give(void *block, size_t size);

#endif
