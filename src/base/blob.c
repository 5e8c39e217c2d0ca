/*
 * Immutable, counted bytes; see blob.h.
 */
#include "base/blob.h"

#include "base/secret.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>

struct blob *blob_new(const void *data, size_t len)
{
    if (len > UINT32_MAX) {
        return NULL;
    }
    struct blob *b = OPENSSL_zalloc(sizeof(struct blob) + len);
    if (b == NULL) {
        return NULL;
    }
    atomic_init(&b->refs, 1);
    b->len = (uint32_t)len;
    if (data != NULL && len > 0) {
        memcpy(b->bytes, data, len);
    }
    return b;
}

struct blob *blob_ref(struct blob *b)
{
    if (b != NULL) {
        (void)atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    }
    return b;
}

void blob_free(struct blob *b)
{
    if (b != NULL && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1) {
        free_wiped(b, sizeof(struct blob) + b->len);
    }
}

void blob_set(struct blob **slot, struct blob *b)
{
    blob_free(*slot);
    *slot = b;
}

size_t blob_len(const struct blob *b)
{
    return b == NULL ? 0 : b->len;
}
