/*
 * The byte queue. Its memory is a pool block while one is large enough, and a growing piece of the
 * heap beyond that; which of them is told by the capacity alone.
 */
#include "base/buffer.h"

#include "base/pool.h"
#include "base/secret.h"

#include <openssl/crypto.h>
#include <string.h>

/* Wipes what may be secret, gives the memory back, leaves an empty buffer. */
void buffer_give_back(struct buffer *b)
{
    wipe(b->data, b->high);
    if (b->cap <= POOL_BATCH_SIZE) {
        pool_give(b->data, b->cap);
    } else {
        OPENSSL_free(b->data);
    }
    *b = (struct buffer){ 0 };
}

/* Moves the readable bytes to the front of new memory with room for at least need bytes. */
static bool move_to_larger(struct buffer *b, size_t need)
{
    struct buffer larger = { 0 };
    uint32_t len = b->end - b->start;

    larger.cap = (uint32_t)pool_size_for(need);
    if (larger.cap != 0) {
        larger.data = pool_take(larger.cap);
    } else {
        /* Half as much again, so that appending byte by byte costs linear time. */
        uint32_t half_more = b->cap <= UINT32_MAX / 2 ? b->cap + b->cap / 2 : b->cap;
        larger.cap = need > half_more ? (uint32_t)need : half_more;
        larger.data = OPENSSL_malloc(larger.cap);
    }
    if (larger.data == NULL) {
        return false;
    }
    if (len != 0) {
        memcpy(larger.data, b->data + b->start, len);
    }
    larger.end = len;
    if (b->high > b->start) {
        larger.high = b->high - b->start < len ? b->high - b->start : len;
    }
    buffer_wipe(b);
    *b = larger;
    return true;
}

/* True when moving the readable bytes to the front makes the room and is cheap: the bytes dropped
 * before pay for those moved, or there are never more than a block of them. */
static bool may_move_to_front(const struct buffer *b, size_t need)
{
    return need <= b->cap && (b->cap == POOL_BLOCK_SIZE || b->start >= b->end - b->start);
}

uint8_t *buffer_make_room(struct buffer *b, size_t len)
{
    uint32_t readable = b->end - b->start;

    if (len > UINT32_MAX - readable) {
        return NULL;
    }
    if (b->data != NULL && may_move_to_front(b, readable + len)) {
        memmove(b->data, b->data + b->start, readable);
        b->start = 0;
        b->end = readable;
    } else if (!move_to_larger(b, readable + len)) {
        return NULL;
    }
    return b->data + b->end;
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

void buffer_truncate(struct buffer *b, size_t len)
{
    size_t readable = b->end - b->start;

    assert(len <= readable);
    if (len < readable) {
        wipe(b->data + b->start + len, readable - len);
        b->end = b->start + (uint32_t)len;
    }
}
