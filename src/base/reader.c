/*
 * The checked cursor over received bytes: RFC 8446, 3.3 (numbers) and 3.4 (vectors). What the
 * bytes mean is left to the callers.
 */
#include "base/reader.h"

#include <string.h>

/* Takes a big-endian integer of width bytes, at most 8. */
static bool read_integer(struct reader *r, size_t width, uint64_t *value)
{
    if (r->left < width) {
        return false;
    }
    uint64_t sum = 0;
    for (size_t i = 0; i < width; i++) {
        sum = sum << 8 | r->at[i];
    }
    r->at += width;
    r->left -= width;
    *value = sum;
    return true;
}

/* Takes a length of width bytes and that many bytes behind it, or nothing. */
static bool read_vector(struct reader *r, size_t width, struct reader *vec)
{
    struct reader ahead = *r;
    uint64_t len = 0;

    if (!read_integer(&ahead, width, &len) || len > ahead.left) {
        return false;
    }
    *vec = reader_of(ahead.at, (size_t)len);
    r->at = ahead.at + len;
    r->left = ahead.left - (size_t)len;
    return true;
}

struct reader reader_of(const void *data, size_t len)
{
    /* A cursor that may be advanced by 0 and compared needs some address: adding even 0 to a null
     * pointer is undefined. */
    static const uint8_t nothing[1] = { 0 };
    struct reader r = { .at = data != NULL ? data : nothing, .left = data != NULL ? len : 0 };

    return r;
}

size_t reader_left(const struct reader *r)
{
    return r->left;
}

bool reader_is_empty(const struct reader *r)
{
    return r->left == 0;
}

bool reader_u8(struct reader *r, uint8_t *value)
{
    uint64_t wide;

    if (!read_integer(r, 1, &wide)) {
        return false;
    }
    *value = (uint8_t)wide;
    return true;
}

bool reader_u16(struct reader *r, uint16_t *value)
{
    uint64_t wide;

    if (!read_integer(r, 2, &wide)) {
        return false;
    }
    *value = (uint16_t)wide;
    return true;
}

bool reader_u24(struct reader *r, uint32_t *value)
{
    uint64_t wide;

    if (!read_integer(r, 3, &wide)) {
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

bool reader_u32(struct reader *r, uint32_t *value)
{
    uint64_t wide;

    if (!read_integer(r, 4, &wide)) {
        return false;
    }
    *value = (uint32_t)wide;
    return true;
}

bool reader_u64(struct reader *r, uint64_t *value)
{
    return read_integer(r, 8, value);
}

bool reader_bytes(struct reader *r, const uint8_t **bytes, size_t len)
{
    if (r->left < len) {
        return false;
    }
    *bytes = r->at;
    r->at += len;
    r->left -= len;
    return true;
}

bool reader_copy(struct reader *r, void *dst, size_t len)
{
    const uint8_t *bytes;

    if (!reader_bytes(r, &bytes, len)) {
        return false;
    }
    if (len != 0) {
        memcpy(dst, bytes, len);
    }
    return true;
}

bool reader_skip(struct reader *r, size_t len)
{
    const uint8_t *skipped;

    return reader_bytes(r, &skipped, len);
}

bool reader_vec8(struct reader *r, struct reader *vec)
{
    return read_vector(r, 1, vec);
}

bool reader_vec16(struct reader *r, struct reader *vec)
{
    return read_vector(r, 2, vec);
}

bool reader_vec24(struct reader *r, struct reader *vec)
{
    return read_vector(r, 3, vec);
}

bool reader_equals(const struct reader *r, const void *data, size_t len)
{
    return r->left == len && (len == 0 || memcmp(r->at, data, len) == 0);
}
