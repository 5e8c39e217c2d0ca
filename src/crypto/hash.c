/*
 * Digests and HMAC (RFC 2104). SHA-2 of the default provider is computed through libcrypto's
 * SHA256_* and SHA512_* functions: their state is a plain struct, so that a snapshot of a
 * transcript is a copy, and nothing is allocated, locked or looked up. Everything else goes
 * through EVP.
 */
#include "crypto/hash.h"

#include "crypto/hmac.h"
#include "crypto/lib_internal.h"

#include <assert.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <string.h>

#define LONGEST_BLOCK 128 /* of SHA-384 and SHA-512: FIPS 180-4, figure 1 */

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct running_hash *)0)->state), "room for SHA-256");
_Static_assert(sizeof(SHA512_CTX) <= sizeof(((struct running_hash *)0)->state), "room for SHA-512");

struct hash_row {
    const char *name;
    int nid;
    size_t len;
    size_t block_len;
    size_t direct_len; /* bytes of the plain struct; 0: there is none */
};

static const struct hash_row rows[NUM_HASHES] = {
    [HASH_MD5] = { "MD5", NID_md5, 16, 64, 0 },
    [HASH_SHA1] = { "SHA1", NID_sha1, 20, 64, 0 },
    [HASH_SHA224] = { "SHA2-224", NID_sha224, 28, 64, 0 },
    [HASH_SHA256] = { "SHA2-256", NID_sha256, 32, 64, sizeof(SHA256_CTX) },
    [HASH_SHA384] = { "SHA2-384", NID_sha384, 48, 128, sizeof(SHA512_CTX) },
    [HASH_SHA512] = { "SHA2-512", NID_sha512, 64, 128, sizeof(SHA512_CTX) },
    [HASH_MD5_SHA1] = { "MD5-SHA1", NID_md5_sha1, 36, 64, 0 },
};

void hash_fetch_all(struct crypto_lib *lib, bool direct)
{
    for (int id = HASH_NONE + 1; id < NUM_HASHES; id++) {
        struct hash *h = &lib->hashes[id];

        ERR_set_mark();
        h->md = EVP_MD_fetch(lib->libctx, rows[id].name, lib->propq);
        ERR_pop_to_mark();
        h->name = rows[id].name;
        h->nid = rows[id].nid;
        h->len = rows[id].len;
        h->block_len = rows[id].block_len;
        h->id = (enum hash_id)id;
        if (direct && h->md != NULL && provider_is_builtin(EVP_MD_get0_provider(h->md)) &&
            !engine_has_digest(h->nid)) {
            h->direct_len = rows[id].direct_len;
        }
    }
}

void hash_free_all(struct crypto_lib *lib)
{
    for (size_t i = 0; i < COUNT_OF(lib->hashes); i++) {
        EVP_MD_free(lib->hashes[i].md);
    }
}

const struct hash *hash_get(const struct crypto_lib *lib, enum hash_id id)
{
    return lib->hashes[id].md == NULL ? NULL : &lib->hashes[id];
}

size_t hash_len(const struct hash *h)
{
    return h->len;
}

const char *hash_name(const struct hash *h)
{
    return h->name;
}

int hash_nid(const struct hash *h)
{
    return h->nid;
}

enum hash_id hash_id(const struct hash *h)
{
    return h->id;
}

const uint8_t *hash_of_nothing(const struct hash *h)
{
    return h->of_nothing;
}

const EVP_MD *hash_evp(const struct hash *h)
{
    return h->md;
}

static SHA256_CTX *sha256(struct running_hash *r)
{
    return (SHA256_CTX *)(void *)r->state.direct;
}

static SHA512_CTX *sha512(struct running_hash *r)
{
    return (SHA512_CTX *)(void *)r->state.direct;
}

static bool direct_start(struct running_hash *r)
{
    if (r->hash->id == HASH_SHA256) {
        return SHA256_Init(sha256(r)) == 1;
    }
    if (r->hash->id == HASH_SHA384) {
        return SHA384_Init(sha512(r)) == 1;
    }
    return SHA512_Init(sha512(r)) == 1;
}

static bool direct_update(struct running_hash *r, const void *data, size_t len)
{
    if (r->hash->id == HASH_SHA256) {
        return SHA256_Update(sha256(r), data, len) == 1;
    }
    return SHA512_Update(sha512(r), data, len) == 1;
}

/* Ends r. The state knows whether it is SHA-384 or SHA-512. */
static bool direct_finish(struct running_hash *r, uint8_t *out)
{
    if (r->hash->id == HASH_SHA256) {
        return SHA256_Final(out, sha256(r)) == 1;
    }
    return SHA512_Final(out, sha512(r)) == 1;
}

bool running_hash_start(struct running_hash *r, const struct hash *h)
{
    r->hash = h;
    if (h->direct_len > 0) {
        return direct_start(r);
    }
    r->state.evp = EVP_MD_CTX_new();
    if (r->state.evp == NULL || EVP_DigestInit_ex2(r->state.evp, h->md, NULL) != 1) {
        running_hash_wipe(r);
        return false;
    }
    return true;
}

bool running_hash_update(struct running_hash *r, const void *data, size_t len)
{
    if (len == 0) {
        return true;
    }
    return r->hash->direct_len > 0 ? direct_update(r, data, len)
                                   : EVP_DigestUpdate(r->state.evp, data, len) == 1;
}

/* The digest of everything so far; r is then wiped. */
static bool finish(struct running_hash *r, uint8_t *out)
{
    bool done = r->hash->direct_len > 0 ? direct_finish(r, out)
                                        : EVP_DigestFinal_ex(r->state.evp, out, NULL) == 1;

    running_hash_wipe(r);
    return done;
}

bool running_hash_peek(const struct running_hash *r, uint8_t *out)
{
    struct running_hash copy;

    return running_hash_copy(&copy, r) && finish(&copy, out);
}

bool running_hash_copy(struct running_hash *dst, const struct running_hash *src)
{
    dst->hash = src->hash;
    if (src->hash == NULL) {
        return true;
    }
    if (src->hash->direct_len > 0) {
        memcpy(&dst->state, &src->state, src->hash->direct_len);
        return true;
    }
    dst->state.evp = EVP_MD_CTX_new();
    if (dst->state.evp == NULL || EVP_MD_CTX_copy_ex(dst->state.evp, src->state.evp) != 1) {
        running_hash_wipe(dst);
        return false;
    }
    return true;
}

void running_hash_wipe(struct running_hash *r)
{
    if (r->hash != NULL && r->hash->direct_len > 0) {
        wipe(&r->state, r->hash->direct_len);
    } else if (r->hash != NULL) {
        EVP_MD_CTX_free(r->state.evp);
    }
    r->hash = NULL;
}

bool hash_once(const struct hash *h, const void *data, size_t len, uint8_t *out)
{
    struct running_hash r;

    if (!running_hash_start(&r, h)) {
        return false;
    }
    if (!running_hash_update(&r, data, len)) {
        running_hash_wipe(&r);
        return false;
    }
    return finish(&r, out);
}

/* Starts r with the key block xored with pad. */
static bool start_padded(struct running_hash *r, const struct hash *h,
                         const uint8_t block[LONGEST_BLOCK], uint8_t pad)
{
    uint8_t padded[LONGEST_BLOCK];

    for (size_t i = 0; i < h->block_len; i++) {
        padded[i] = block[i] ^ pad;
    }
    bool done = running_hash_start(r, h) && running_hash_update(r, padded, h->block_len);
    wipe(padded, sizeof(padded));
    return done;
}

bool hmac_key_set(struct hmac_key *k, const struct hash *h, const uint8_t *key, size_t key_len)
{
    uint8_t block[LONGEST_BLOCK] = { 0 };
    bool done = true;

    assert(h->block_len <= LONGEST_BLOCK);
    k->inner.hash = NULL;
    k->outer.hash = NULL;
    if (key_len > h->block_len) {
        done = hash_once(h, key, key_len, block);
    } else if (key_len != 0) {
        memcpy(block, key, key_len);
    }
    done =
        done && start_padded(&k->inner, h, block, 0x36) && start_padded(&k->outer, h, block, 0x5c);
    wipe(block, sizeof(block));
    if (!done) {
        hmac_key_wipe(k);
    }
    return done;
}

size_t hmac_key_len(const struct hmac_key *k)
{
    return k->inner.hash->len;
}

bool hmac_key_mac(const struct hmac_key *k, uint8_t *out, const struct hmac_part *parts,
                  size_t num_parts)
{
    struct running_hash r;
    uint8_t inner[HASH_MAX_LEN];
    size_t len = k->inner.hash->len;

    bool done = running_hash_copy(&r, &k->inner);
    for (size_t i = 0; done && i < num_parts; i++) {
        done = running_hash_update(&r, parts[i].data, parts[i].len);
    }
    done = done && finish(&r, inner) && running_hash_copy(&r, &k->outer) &&
           running_hash_update(&r, inner, len) && finish(&r, out);
    running_hash_wipe(&r);
    wipe(inner, sizeof(inner));
    return done;
}

void hmac_key_wipe(struct hmac_key *k)
{
    running_hash_wipe(&k->inner);
    running_hash_wipe(&k->outer);
}

bool hmac_once(const struct hash *h, const uint8_t *key, size_t key_len, const void *data,
               size_t len, uint8_t *out)
{
    struct hmac_key k;
    struct hmac_part part = { data, len };

    bool done = hmac_key_set(&k, h, key, key_len) && hmac_key_mac(&k, out, &part, 1);
    hmac_key_wipe(&k);
    return done;
}
