/*
 * A byte queue with one contiguous readable and one contiguous writable span. Memory comes from
 * the per-thread pool (pool.h) while it fits a record, from the heap beyond that, and goes back as
 * soon as the queue is empty and buffer_release() is called: an idle connection holds none.
 * The contents may be secret: memory is wiped before it is given back.
 */
#ifndef TENON_BASE_BUFFER_H
#define TENON_BASE_BUFFER_H

#include "base/base.h"

struct buffer {
    uint8_t *data; /* owns; NULL when nothing is held */
    size_t cap;    /* bytes at data */
    size_t start;  /* first readable byte */
    size_t end;    /* one past the last readable byte */
    size_t high;   /* one past the last byte that may hold a secret */
};

/* An empty buffer that holds no memory is all zeros: struct buffer b = { 0 }. */

/* Makes room for len more bytes behind the readable ones, moving or growing as needed, and returns
 * where they go; NULL when memory is out (the contents are then unchanged). */
MUST_CHECK uint8_t *buffer_reserve(struct buffer *b, size_t len);

/* Makes len bytes, written where buffer_reserve() said, readable. len: at most what was reserved.
 */
void buffer_commit(struct buffer *b, size_t len);

/* Says that nothing written so far is secret, as it goes out to the world: what was reserved until
 * now needs no wiping. Bytes reserved later count as secret again until this is called anew. */
void buffer_declare_public(struct buffer *b);

/* Appends a copy of data[0..len). False: out of memory, nothing changed. */
MUST_CHECK bool buffer_append(struct buffer *b, const void *data, size_t len);

/* The readable span: pointer (valid until the next reserve, consume or release) and its length. */
uint8_t *buffer_bytes(const struct buffer *b);
size_t buffer_len(const struct buffer *b);

/* Drops len readable bytes from the front. len: at most buffer_len(). */
void buffer_consume(struct buffer *b, size_t len);

/* Cuts the readable span to its first len bytes; what is cut off is wiped. */
void buffer_truncate(struct buffer *b, size_t len);

/* Gives the memory back when nothing is readable; otherwise does nothing. */
void buffer_release(struct buffer *b);

/* Drops and wipes everything and gives the memory back. */
void buffer_wipe(struct buffer *b);

#endif
