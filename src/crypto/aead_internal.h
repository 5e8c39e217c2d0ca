/*
 * The vtable behind struct aead and the back ends that fill it. For crypto/ only.
 */
#ifndef TENON_CRYPTO_AEAD_INTERNAL_H
#define TENON_CRYPTO_AEAD_INTERNAL_H

#include "crypto/aead.h"

/* Longest input of one seal or open: far above any record, and within the int of the EVP calls. */
#define AEAD_LONGEST_INPUT (1 << 30)

struct aead_ops {
    const char *name;             /* of the back end */
    size_t size;                  /* of an instance */
    void (*wipe)(struct aead *a); /* frees what a holds; NULL: nothing */
    void (*rest)(struct aead *a); /* as aead_rest(); NULL: there is nothing to give back */
    /* As the functions of these names, with lengths already checked. What opens may leave
     * plaintext behind when it says AEAD_FORGED: the caller wipes it. */
    bool (*seal)(struct aead *a, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                 uint8_t *dst, const uint8_t *data, size_t len, size_t tail_len);
    enum aead_result (*open)(struct aead *a, const uint8_t *nonce, const uint8_t *aad,
                             size_t aad_len, uint8_t *dst, const uint8_t *src, size_t len);
    /* NULL: it cannot. */
    enum aead_result (*open_apart)(struct aead *a, const uint8_t *nonce, const uint8_t *aad,
                                   size_t aad_len, uint8_t *dst, uint8_t *src, size_t len);
};

/* The first member of every back end's instance. */
struct aead {
    const struct aead_ops *ops;
    uint8_t id; /* enum aead_id */
    uint8_t tag_len;
};

/* True when the ipsec-mb back end was built in, the processor has what it needs and it serves id.
 * Decided once per process. */
bool aead_ipsecmb_serves(enum aead_id id);

/* The functions for id, and setting a key; only when aead_ipsecmb_serves(id). */
const struct aead_ops *aead_ipsecmb_ops(enum aead_id id);
void aead_ipsecmb_init(struct aead *a, enum aead_id id, const uint8_t *key);

#endif
