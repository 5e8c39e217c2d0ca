/*
 * Immutable, counted bytes: a list or name that several owners share without copying it. Reference
 * counts are atomic; the bytes never change after blob_new().
 */
#ifndef TENON_BASE_BLOB_H
#define TENON_BASE_BLOB_H

#include "base/base.h"

struct blob {
    _Atomic uint32_t refs;
    uint32_t len;
    uint8_t bytes[]; /* aligned for any element type up to 8 bytes */
};

/* A copy of data[0..len) with one reference; data NULL: len zero bytes. NULL: out of memory, or len
 * is beyond 4 GB. */
MUST_CHECK struct blob *blob_new(const void *data, size_t len);

/* One more reference to b (NULL is allowed), which is returned. */
struct blob *blob_ref(struct blob *b);

/* Drops a reference; wipes and frees with the last. NULL is allowed. */
void blob_free(struct blob *b);

/* Replaces *slot by b, taking over b's reference and dropping that of the old value. */
void blob_set(struct blob **slot, struct blob *b);

/* Length; 0 for NULL. */
size_t blob_len(const struct blob *b);

#endif
