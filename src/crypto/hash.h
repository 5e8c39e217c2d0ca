/*
 * Digests and HMAC. A running hash can be copied, which is how a transcript gives intermediate
 * values (RFC 8446, 4.4.1).
 */
#ifndef TENON_CRYPTO_HASH_H
#define TENON_CRYPTO_HASH_H

#include "base/secret.h"
#include "crypto/lib.h"

#define HASH_MAX_LEN 64

enum hash_id {
    HASH_NONE,
    HASH_MD5, /* legacy versions only */
    HASH_SHA1,
    HASH_SHA224,
    HASH_SHA256,
    HASH_SHA384,
    HASH_SHA512,
    HASH_MD5_SHA1, /* legacy versions only */
    NUM_HASHES
};

struct hash; /* one digest of one crypto_lib; immutable, lives as long as the crypto_lib */

/* The digest id of lib; NULL when its providers lack it. */
const struct hash *hash_get(const struct crypto_lib *lib, enum hash_id id);

/* Bytes of its output. */
size_t hash_len(const struct hash *h);

/* Its name as libcrypto knows it ("SHA2-256"), its NID (NID_sha256) and its id. */
const char *hash_name(const struct hash *h);
int hash_nid(const struct hash *h);
enum hash_id hash_id(const struct hash *h);

/* The digest of no bytes at all; hash_len() bytes. */
const uint8_t *hash_of_nothing(const struct hash *h);

/* The EVP object behind it, for those who hand it to applications; borrowed. */
const EVP_MD *hash_evp(const struct hash *h);

/* A running computation. Owns what it points to. */
struct running_hash {
    const struct hash *hash; /* NULL: not started, and the rest means nothing */
    union {
        EVP_MD_CTX *evp;     /* EVP route */
        uint64_t direct[28]; /* room for a SHA256_CTX or SHA512_CTX; checked where it is used */
    } state;
};

/* Starts r, which is not running. False: out of memory or the provider failed; r is not started. */
MUST_CHECK bool running_hash_start(struct running_hash *r, const struct hash *h);
MUST_CHECK bool running_hash_update(struct running_hash *r, const void *data, size_t len);

/* The digest of everything so far, without ending r. out: hash_len() bytes. */
MUST_CHECK bool running_hash_peek(const struct running_hash *r, uint8_t *out);

/* Makes dst, which is not running, an independent copy of src. False: out of memory; dst is not
 * started. */
MUST_CHECK bool running_hash_copy(struct running_hash *dst, const struct running_hash *src);

/* Wipes and frees what r holds; r is not started then. */
void running_hash_wipe(struct running_hash *r);

/* Digest of data[0..len) in one call. */
MUST_CHECK bool hash_once(const struct hash *h, const void *data, size_t len, uint8_t *out);

/* HMAC (RFC 2104) with h over data. out: hash_len() bytes. */
MUST_CHECK bool hmac_once(const struct hash *h, const uint8_t *key, size_t key_len,
                          const void *data, size_t len, uint8_t *out);

#endif
