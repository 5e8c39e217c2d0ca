/*
 * The byte queue. Its memory is a pool block while one is large enough, and a growing piece of the
 * heap beyond that; which of them is told by the capacity alone.
 */
#include "base/buffer.h"

#include "base/pool.h"
#include "base/secret.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

/* Wipes what may be secret, gives the memory back, leaves an empty buffer. */
static void give_back(struct buffer *b)
{
    if (b->data != NULL) {
        wipe(b->data, b->high);
        if (b->cap <= POOL_BATCH_SIZE) {
            pool_give(b->data, b->cap);
        } else {
            OPENSSL_free(b->data);
        }
    }
    *b = (struct buffer){ 0 };
}

/* Moves the readable bytes to the front of new memory with room for at least need bytes. */
static bool move_to_larger(struct buffer *b, size_t need)
{
    struct buffer larger = { 0 };
    size_t len = b->end - b->start;

    larger.cap = pool_size_for(need);
    if (larger.cap != 0) {
        larger.data = pool_take(larger.cap);
    } else {
        /* Half as much again, so that appending byte by byte costs linear time. */
        size_t half_more = b->cap <= SIZE_MAX / 2 ? b->cap + b->cap / 2 : b->cap;
        larger.cap = need > half_more ? need : half_more;
        larger.data = OPENSSL_malloc(larger.cap);
    }
    if (larger.data == NULL) {
        return false;
    }
    if (len != 0) {
        memcpy(larger.data, b->data + b->start, len);
    }
    larger.end = len;
    larger.high = len;
    give_back(b);
    *b = larger;
    return true;
}

/* True when moving the readable bytes to the front makes the room and is cheap: the bytes dropped
 * before pay for those moved, or there are never more than a block of them. */
static bool may_move_to_front(const struct buffer *b, size_t need)
{
    return need <= b->cap && (b->cap == POOL_BLOCK_SIZE || b->start >= b->end - b->start);
}

uint8_t *buffer_reserve(struct buffer *b, size_t len)
{
    size_t readable = b->end - b->start;

    if (len > SIZE_MAX - readable) {
        return NULL;
    }
    if (b->data == NULL || len > b->cap - b->end) {
        if (b->data != NULL && may_move_to_front(b, readable + len)) {
            memmove(b->data, b->data + b->start, readable);
            b->start = 0;
            b->end = readable;
        } else if (!move_to_larger(b, readable + len)) {
            return NULL;
        }
    }
    if (b->end + len > b->high) {
        b->high = b->end + len;
    }
    return b->data + b->end;
}

void buffer_commit(struct buffer *b, size_t len)
{
    assert(len <= b->cap - b->end);
    b->end += len;
}

void buffer_declare_public(struct buffer *b)
{
    b->high = 0;
}

bool buffer_append(struct buffer *b, const void *data, size_t len)
{
    if (len == 0) {
        return true;
    }
    uint8_t *space = buffer_reserve(b, len);
    if (space == NULL) {
        return false;
    }
    memcpy(space, data, len);
    buffer_commit(b, len);
    return true;
}

uint8_t *buffer_bytes(const struct buffer *b)
{
    return b->data == NULL ? NULL : b->data + b->start;
}

size_t buffer_len(const struct buffer *b)
{
    return b->end - b->start;
}

void buffer_consume(struct buffer *b, size_t len)
{
    assert(len <= b->end - b->start);
    b->start += len;
    if (b->start == b->end) {
        b->start = 0;
        b->end = 0;
    }
}

void buffer_truncate(struct buffer *b, size_t len)
{
    size_t readable = b->end - b->start;

    assert(len <= readable);
    if (len < readable) {
        wipe(b->data + b->start + len, readable - len);
        b->end = b->start + len;
    }
}

void buffer_release(struct buffer *b)
{
    if (b->start == b->end) {
        give_back(b);
    }
}

void buffer_wipe(struct buffer *b)
{
    give_back(b);
}
