/*
 * An AEAD in a block of its own, for tests that look at it alone: in the library it stands in the
 * block of its protection.
 */
#ifndef TENON_TESTS_LOOSE_AEAD_H
#define TENON_TESTS_LOOSE_AEAD_H

#include "crypto/aead.h"

#include <openssl/crypto.h>

/* NULL: out of memory, or lib lacks the algorithm. */
static inline struct aead *aead_new(const struct crypto_lib *lib, enum aead_id id,
                                    enum aead_direction direction, const uint8_t *key)
{
    struct aead *a = OPENSSL_malloc(aead_size(lib, id));

    if (a != NULL && !aead_init(a, lib, id, direction, key)) {
        OPENSSL_free(a);
        a = NULL;
    }
    return a;
}

static inline bool opens(struct aead *a, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                         uint8_t *dst, const uint8_t *src, size_t len)
{
    return aead_open(a, nonce, aad, aad_len, dst, src, len) == AEAD_OPENED;
}

static inline void aead_free(struct aead *a)
{
    if (a != NULL) {
        aead_wipe(a);
        OPENSSL_free(a);
    }
}

#endif
