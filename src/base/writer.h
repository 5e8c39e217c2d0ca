/*
 * Builds messages in the presentation language of RFC 8446, 3, at the end of a struct buffer.
 * Length prefixes nest. Failure (out of memory, a vector too long for its prefix) is sticky: write
 * everything, ask writer_ok() once. writer_rollback() takes everything back.
 */
#ifndef TENON_BASE_WRITER_H
#define TENON_BASE_WRITER_H

#include "base/buffer.h"

/* Deepest nesting in TLS: handshake header, extension block, extension, list, entry; and spare. */
#define WRITER_MAX_DEPTH 8

struct writer {
    struct buffer *out; /* borrows */
    size_t begin;       /* length of out's readable span when the writer was made */
    size_t depth;
    struct {
        size_t at;    /* where the prefix stands, counted from the readable start */
        size_t width; /* its bytes: 1, 2 or 3 */
    } open[WRITER_MAX_DEPTH];
    bool failed;
};

/* A writer that appends to out. out must not be consumed from while the writer is in use. */
struct writer writer_to(struct buffer *out);

/* Integers of 1, 2, 3, 4 and 8 bytes. */
void writer_u8(struct writer *w, uint8_t value);
void writer_u16(struct writer *w, uint16_t value);
void writer_u24(struct writer *w, uint32_t value);
void writer_u32(struct writer *w, uint32_t value);
void writer_u64(struct writer *w, uint64_t value);

/* len bytes copied from data; len zero bytes. */
void writer_bytes(struct writer *w, const void *data, size_t len);
void writer_zeros(struct writer *w, size_t len);

/* Room for len bytes that the caller fills at once; NULL once the writer has failed. */
MUST_CHECK uint8_t *writer_space(struct writer *w, size_t len);

/* Cuts what was written to its first len bytes, for space that turned out too long. len: at most
 * writer_len(), and not into the prefix of an open vector. */
void writer_cut(struct writer *w, size_t len);

/* Opens a vector whose length has width bytes (1 to 3); writer_close() fills the length in. */
void writer_open(struct writer *w, size_t width);
void writer_close(struct writer *w);

/* Bytes written so far, and the first of them (valid until the next write). */
size_t writer_len(const struct writer *w);
uint8_t *writer_begin(const struct writer *w);

/* False when anything failed or a vector is still open. */
MUST_CHECK bool writer_ok(const struct writer *w);

/* Removes everything this writer wrote and clears the failure. */
void writer_rollback(struct writer *w);

#endif
