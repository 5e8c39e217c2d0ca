/*
 * A byte queue with one contiguous readable and one contiguous writable span. Memory comes from
 * the per-thread pool (pool.h) while it fits a record, from the heap beyond that, and goes back as
 * soon as the queue is empty and buffer_release() is called: an idle connection holds none.
 * The contents may be secret: memory is wiped before it is given back.
 */
#ifndef TENON_BASE_BUFFER_H
#define TENON_BASE_BUFFER_H

#include "base/base.h"

#include <assert.h>

/* Offsets are 32 bits wide: a connection holds several of these, and none grows to 4 GB. */
struct buffer {
    uint8_t *data;  /* owns; NULL when nothing is held */
    uint32_t cap;   /* bytes at data */
    uint32_t start; /* first readable byte */
    uint32_t end;   /* one past the last readable byte */
    uint32_t high;  /* one past the last byte that may hold a secret */
};

/* An empty buffer that holds no memory is all zeros: struct buffer b = { 0 }. */

/* Of buffer_reserve() and buffer_release(): what they do when it is not done at once. */
MUST_CHECK uint8_t *buffer_make_room(struct buffer *b, size_t len);
void buffer_give_back(struct buffer *b);

/* Makes room for len more bytes behind the readable ones, moving or growing as needed, and returns
 * where they go; NULL when memory is out (the contents are then unchanged). What the second puts
 * there is public, such as what came from the network, until buffer_declare_secret() is called. */
MUST_CHECK static inline uint8_t *buffer_reserve(struct buffer *b, size_t len);
MUST_CHECK static inline uint8_t *buffer_reserve_public(struct buffer *b, size_t len)
{
    return b->data == NULL || len > b->cap - b->end ? buffer_make_room(b, len) : b->data + b->end;
}

/* Says that the first len bytes from the beginning of the readable span, or of what was reserved
 * behind it, are secret. */
static inline void buffer_declare_secret(struct buffer *b, size_t len)
{
    if (b->start + len > b->high) {
        b->high = b->start + (uint32_t)len;
    }
}

static inline uint8_t *buffer_reserve(struct buffer *b, size_t len)
{
    uint8_t *space = buffer_reserve_public(b, len);

    if (space != NULL) {
        buffer_declare_secret(b, b->end - b->start + len);
    }
    return space;
}

/* Makes len bytes, written where buffer_reserve() said, readable. len: at most what was reserved.
 */
static inline void buffer_commit(struct buffer *b, size_t len)
{
    assert(len <= b->cap - b->end);
    b->end += (uint32_t)len;
}

/* Says that nothing written so far is secret, as it goes out to the world: what was reserved until
 * now needs no wiping. Bytes reserved later count as secret again until this is called anew. */
static inline void buffer_declare_public(struct buffer *b)
{
    b->high = 0;
}

/* Appends a copy of data[0..len). False: out of memory, nothing changed. */
MUST_CHECK bool buffer_append(struct buffer *b, const void *data, size_t len);

/* The readable span: pointer (valid until the next reserve, consume or release) and its length. */
static inline uint8_t *buffer_bytes(const struct buffer *b)
{
    return b->data == NULL ? NULL : b->data + b->start;
}

static inline size_t buffer_len(const struct buffer *b)
{
    return b->end - b->start;
}

/* Drops len readable bytes from the front. len: at most buffer_len(). */
static inline void buffer_consume(struct buffer *b, size_t len)
{
    assert(len <= b->end - b->start);
    b->start += (uint32_t)len;
    if (b->start == b->end) {
        b->start = 0;
        b->end = 0;
    }
}

/* Cuts the readable span to its first len bytes; what is cut off is wiped. */
void buffer_truncate(struct buffer *b, size_t len);

/* Gives the memory back when nothing is readable; otherwise does nothing. */
static inline void buffer_release(struct buffer *b)
{
    if (b->data != NULL && b->start == b->end) {
        buffer_give_back(b);
    }
}

/* Drops and wipes everything and gives the memory back. */
static inline void buffer_wipe(struct buffer *b)
{
    if (b->data != NULL) {
        buffer_give_back(b);
    }
}

#endif
