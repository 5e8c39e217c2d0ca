/*
 * Short secrets: keeping, wiping and comparing them without telling anything through time.
 */
#include "base/secret.h"

#include <assert.h>
#include <openssl/crypto.h>
#include <string.h>

void free_wiped(void *data, size_t len)
{
    if (data != NULL) {
        wipe(data, len);
        OPENSSL_free(data);
    }
}

void secret_wipe(struct secret *s)
{
    wipe(s, sizeof(*s));
}

void secret_set(struct secret *s, const uint8_t *bytes, size_t len)
{
    assert(len <= SECRET_MAX);
    wipe(s->bytes, sizeof(s->bytes));
    s->len = (uint8_t)len;
    if (len != 0) {
        memcpy(s->bytes, bytes, len);
    }
}

bool constant_time_equals(const void *a, const void *b, size_t len)
{
    if (len == 0) {
        return true;
    }
    /* Not behind a ||: without optimisation that would branch on the result. */
    return CRYPTO_memcmp(a, b, len) == 0;
}

bool secret_equals(const struct secret *s, const uint8_t *bytes, size_t len)
{
    return s->len == len && constant_time_equals(s->bytes, bytes, len);
}

size_t constant_time_ge(size_t a, size_t b)
{
    /* The difference wraps around, and has its top bit set, exactly when a is less. */
    return ((a - b) >> (8 * sizeof(a) - 1)) - 1;
}

uint8_t constant_time_select(uint8_t mask, uint8_t a, uint8_t b)
{
    return (uint8_t)((mask & a) | (~mask & b));
}
