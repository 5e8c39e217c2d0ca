/*
 * A per-thread pool of blocks, in three sizes: for record buffers, and for what an AEAD makes of
 * its key. Taking and giving back touch no lock; a block may be given back by another thread than
 * the one that took it. A thread keeps as many free blocks of each size as POOL_KEPT_* says, and
 * frees them when it ends.
 */
#ifndef TENON_BASE_POOL_H
#define TENON_BASE_POOL_H

#include "base/base.h"

/* Large enough for one TLS record with its header and the largest expansion any version allows
 * (RFC 5246, 6.2.3: 2048), rounded up so that blocks stay aligned for vector loads. */
#define POOL_BLOCK_SIZE  18496
#define POOL_KEPT_BLOCKS 8

/* Large enough for an expanded key of AES-GCM (crypto/aead_ipsecmb.c). */
#define POOL_KEY_SIZE  1024
#define POOL_KEPT_KEYS 16

/* Large enough for four records of 16384 bytes, each with its header and the expansion of any
 * cipher there is. */
#define POOL_BATCH_SIZE   66560
#define POOL_KEPT_BATCHES 1

/* The size of the record buffer that need bytes fit into; 0: none is that large. */
static inline size_t pool_size_for(size_t need)
{
    return need <= POOL_BLOCK_SIZE   ? POOL_BLOCK_SIZE
           : need <= POOL_BATCH_SIZE ? POOL_BATCH_SIZE
                                     : 0;
}

/* A block of size bytes, which is one of the three; 64-byte aligned, contents unspecified. NULL:
 * out of memory. */
void *pool_take(size_t size);

/* Gives a block of that size back; NULL is allowed. The caller has wiped what was secret in it. */
void pool_give(void *block, size_t size);

#endif
