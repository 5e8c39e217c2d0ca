/*
 * Short secrets, and the only constant-time comparisons and selections of the library. What holds
 * a struct secret wipes it with secret_wipe() when it is done.
 */
#ifndef TENON_BASE_SECRET_H
#define TENON_BASE_SECRET_H

#include "base/base.h"

#include <string.h>

#define SECRET_MAX 64 /* the longest digest */

struct secret {
    uint8_t len; /* bytes used; 0: none */
    uint8_t bytes[SECRET_MAX];
};

/* A few vector stores do it: the context of a sealed record, on every record's way. */
#define WIPED_INLINE 128

/* Overwrites len bytes in a way the compiler keeps. */
static inline void wipe(void *data, size_t len)
{
    if (len == 0) {
        return;
    }
    if (len > WIPED_INLINE) {
        /* The compiler has to take the length as unknown and call memset: for a known one it writes
         * `rep stos`, which takes longer to begin than memset takes for a few hundred bytes. */
        __asm__ __volatile__("" : "+r"(len));
    }
    memset(data, 0, len);
    /* The compiler has to assume that this reads the zeros, so the memset stays. OPENSSL_cleanse
     * clears eight bytes a step, which for a record buffer costs as much as encrypting it. */
    __asm__ __volatile__("" : : "r"(data) : "memory");
}

/* Wipes and frees len bytes from OPENSSL_malloc(); NULL is allowed. */
void free_wiped(void *data, size_t len);

/* Wipes s and makes it empty. */
void secret_wipe(struct secret *s);

/* Sets s to a copy of bytes[0..len). len: at most SECRET_MAX. */
void secret_set(struct secret *s, const uint8_t *bytes, size_t len);

/* True when a[0..len) and b[0..len) are equal. Time depends on len alone. */
MUST_CHECK bool constant_time_equals(const void *a, const void *b, size_t len);

/* True when s has len bytes and they equal those at bytes. Time depends on len alone. */
MUST_CHECK bool secret_equals(const struct secret *s, const uint8_t *bytes, size_t len);

/* All ones when a >= b, else zero. Both are at most SIZE_MAX / 2. */
size_t constant_time_ge(size_t a, size_t b);

/* mask is all ones or all zeros: a where ones, b where zeros. */
uint8_t constant_time_select(uint8_t mask, uint8_t a, uint8_t b);

#endif
