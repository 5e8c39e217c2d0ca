/*
 * A checked cursor over received bytes, in the presentation language of RFC 8446, 3 (big-endian
 * integers, length-prefixed vectors). A reader borrows the bytes. Every getter either takes what
 * it returns or changes nothing and returns false; there is no way to read past the end.
 */
#ifndef TENON_BASE_READER_H
#define TENON_BASE_READER_H

#include "base/base.h"

struct reader {
    const uint8_t *at; /* next byte; borrows */
    size_t left;       /* bytes that remain */
};

/* A reader over data[0..len). data may be NULL when len is 0. */
struct reader reader_of(const void *data, size_t len);

/* Bytes that remain. */
size_t reader_left(const struct reader *r);

/* True when nothing remains. */
bool reader_is_empty(const struct reader *r);

/* Integers of 1, 2, 3, 4 and 8 bytes. False: too few bytes remain. */
MUST_CHECK bool reader_u8(struct reader *r, uint8_t *value);
MUST_CHECK bool reader_u16(struct reader *r, uint16_t *value);
MUST_CHECK bool reader_u24(struct reader *r, uint32_t *value);
MUST_CHECK bool reader_u32(struct reader *r, uint32_t *value);
MUST_CHECK bool reader_u64(struct reader *r, uint64_t *value);

/* A view of the next len bytes. False: too few bytes remain. */
MUST_CHECK bool reader_bytes(struct reader *r, const uint8_t **bytes, size_t len);

/* Copies the next len bytes to dst. False: too few bytes remain. */
MUST_CHECK bool reader_copy(struct reader *r, void *dst, size_t len);

/* Steps over len bytes. False: too few bytes remain. */
MUST_CHECK bool reader_skip(struct reader *r, size_t len);

/* A length of 1, 2 or 3 bytes and a sub-reader over that many bytes. False: they do not fit. */
MUST_CHECK bool reader_vec8(struct reader *r, struct reader *vec);
MUST_CHECK bool reader_vec16(struct reader *r, struct reader *vec);
MUST_CHECK bool reader_vec24(struct reader *r, struct reader *vec);

/* True when the remaining bytes are exactly data[0..len). Not constant time. */
bool reader_equals(const struct reader *r, const void *data, size_t len);

#endif
