/*
 * Builds messages: RFC 8446, 3.3 (numbers) and 3.4 (vectors). A vector's length is filled in when
 * it is closed; the first failure makes every later call do nothing.
 */
#include "base/writer.h"

#include <string.h>

#define WIDEST_PREFIX 3

static void put_integer(uint8_t *at, uint64_t value, size_t width)
{
    for (size_t i = width; i > 0; i--) {
        at[i - 1] = (uint8_t)value;
        value >>= 8;
    }
}

static void write_integer(struct writer *w, uint64_t value, size_t width)
{
    uint8_t *at = writer_space(w, width);

    if (at != NULL) {
        put_integer(at, value, width);
    }
}

/* Bytes in the innermost open vector. depth is not 0. */
static size_t vector_len(const struct writer *w)
{
    size_t i = w->depth - 1;

    return buffer_len(w->out) - w->open[i].at - w->open[i].width;
}

struct writer writer_to(struct buffer *out)
{
    struct writer w = { .out = out, .begin = buffer_len(out) };

    return w;
}

void writer_u8(struct writer *w, uint8_t value)
{
    write_integer(w, value, 1);
}

void writer_u16(struct writer *w, uint16_t value)
{
    write_integer(w, value, 2);
}

void writer_u24(struct writer *w, uint32_t value)
{
    if (value > 0xffffff) {
        w->failed = true;
    }
    write_integer(w, value, 3);
}

void writer_u32(struct writer *w, uint32_t value)
{
    write_integer(w, value, 4);
}

void writer_u64(struct writer *w, uint64_t value)
{
    write_integer(w, value, 8);
}

void writer_bytes(struct writer *w, const void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    uint8_t *at = writer_space(w, len);
    if (at != NULL) {
        memcpy(at, data, len);
    }
}

void writer_zeros(struct writer *w, size_t len)
{
    if (len == 0) {
        return;
    }
    uint8_t *at = writer_space(w, len);
    if (at != NULL) {
        memset(at, 0, len);
    }
}

uint8_t *writer_space(struct writer *w, size_t len)
{
    if (w->failed) {
        return NULL;
    }
    uint8_t *at = buffer_reserve(w->out, len);
    if (at == NULL) {
        w->failed = true;
        return NULL;
    }
    buffer_commit(w->out, len);
    return at;
}

void writer_cut(struct writer *w, size_t len)
{
    if (!w->failed) {
        buffer_truncate(w->out, w->begin + len);
    }
}

void writer_open(struct writer *w, size_t width)
{
    if (w->failed) {
        return;
    }
    if (w->depth == WRITER_MAX_DEPTH || width < 1 || width > WIDEST_PREFIX) {
        w->failed = true;
        return;
    }
    size_t at = buffer_len(w->out);
    writer_zeros(w, width);
    if (w->failed) {
        return;
    }
    w->open[w->depth].at = at;
    w->open[w->depth].width = width;
    w->depth++;
}

void writer_close(struct writer *w)
{
    if (w->failed) {
        return;
    }
    if (w->depth == 0) {
        w->failed = true;
        return;
    }
    size_t width = w->open[w->depth - 1].width;
    size_t len = vector_len(w);
    if (len >> (8 * width) != 0) {
        w->failed = true;
        return;
    }
    put_integer(buffer_bytes(w->out) + w->open[w->depth - 1].at, len, width);
    w->depth--;
}

size_t writer_len(const struct writer *w)
{
    return buffer_len(w->out) - w->begin;
}

uint8_t *writer_begin(const struct writer *w)
{
    uint8_t *bytes = buffer_bytes(w->out);

    return bytes == NULL ? NULL : bytes + w->begin;
}

bool writer_ok(const struct writer *w)
{
    return !w->failed && w->depth == 0;
}

void writer_rollback(struct writer *w)
{
    buffer_truncate(w->out, w->begin);
    w->depth = 0;
    w->failed = false;
}
