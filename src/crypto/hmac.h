/*
 * HMAC (RFC 2104) with the key set once and used several times, which is what HKDF-Expand and the
 * TLS 1.2 PRF do: two of the four compressions of a short HMAC are the key's. Implemented in
 * hash.c.
 */
#ifndef TENON_CRYPTO_HMAC_H
#define TENON_CRYPTO_HMAC_H

#include "crypto/hash.h"

/* Owns what the running hashes own; neither is started: no key. */
struct hmac_key {
    struct running_hash inner;
    struct running_hash outer;
};

struct hmac_part {
    const void *data; /* borrows */
    size_t len;
};

/* Sets k, which has no key, to key. False: out of memory or provider failure; k has none then. */
MUST_CHECK bool hmac_key_set(struct hmac_key *k, const struct hash *h, const uint8_t *key,
                             size_t key_len);

/* Bytes of a MAC with k. */
size_t hmac_key_len(const struct hmac_key *k);

/* The MAC of the concatenated parts; out (hmac_key_len() bytes) may be one of them. */
MUST_CHECK bool hmac_key_mac(const struct hmac_key *k, uint8_t *out, const struct hmac_part *parts,
                             size_t num_parts);

/* Wipes and frees what k holds; k has no key then. */
void hmac_key_wipe(struct hmac_key *k);

#endif
