/*
 * A per-thread pool of equally sized blocks for record buffers. Taking and giving back touch no
 * lock; a block may be given back by another thread than the one that took it. The pool keeps at
 * most POOL_KEPT_BLOCKS free blocks a thread and frees them when the thread ends.
 */
#ifndef TENON_BASE_POOL_H
#define TENON_BASE_POOL_H

#include "base/base.h"

/* Large enough for one TLS record with its header and the largest expansion any version allows
 * (RFC 5246, 6.2.3: 2048), rounded up so that blocks stay aligned for vector loads. */
#define POOL_BLOCK_SIZE  18496
#define POOL_KEPT_BLOCKS 8

/* A block of POOL_BLOCK_SIZE bytes, 64-byte aligned, contents unspecified; NULL: out of memory. */
void *pool_take(void);

/* Gives a block back; NULL is allowed. The caller has wiped what was secret in it. */
void pool_give(void *block);

#endif
