/*
 * HKDF (RFC 5869), HKDF-Expand-Label (RFC 8446, 7.1) and the TLS 1.2 PRF (RFC 5246, 5) on the HMAC
 * of hash.c: through EVP_KDF each would cost several times its arithmetic.
 */
#include "crypto/kdf.h"

#include "crypto/hmac.h"
#include "crypto/lib_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define LONGEST_LABEL   249 /* 255 less the prefix: RFC 8446, 7.1 */
#define LONGEST_CONTEXT 255

static const char label_prefix[] = { 't', 'l', 's', '1', '3', ' ' };

bool hkdf_extract(const struct hash *h, const uint8_t *salt, size_t salt_len, const uint8_t *ikm,
                  size_t ikm_len, struct secret *prk)
{
    /* salt or ikm may be prk itself, so it is written last. */
    uint8_t mac[HASH_MAX_LEN];

    if (!hmac_once(h, salt, salt_len, ikm, ikm_len, mac)) {
        return false;
    }
    secret_set(prk, mac, hash_len(h));
    wipe(mac, sizeof(mac));
    return true;
}

static bool expand(const struct hmac_key *key, const uint8_t *info, size_t info_len, uint8_t *out,
                   size_t out_len)
{
    const size_t hash_len = hmac_key_len(key);
    uint8_t t[HASH_MAX_LEN];
    size_t t_len = 0; /* T(0) is empty */
    uint8_t counter = 0;
    bool done = out_len <= 255 * hash_len;

    while (done && out_len > 0) {
        counter++;
        struct hmac_part parts[] = { { t, t_len }, { info, info_len }, { &counter, 1 } };
        done = hmac_key_mac(key, t, parts, COUNT_OF(parts));
        if (done) {
            t_len = hash_len;
            size_t take = out_len < t_len ? out_len : t_len;
            memcpy(out, t, take);
            out += take;
            out_len -= take;
        }
    }
    wipe(t, sizeof(t));
    return done;
}

bool hkdf_expand(const struct hash *h, const struct secret *prk, const uint8_t *info,
                 size_t info_len, uint8_t *out, size_t out_len)
{
    struct hmac_key key;

    if (!hmac_key_set(&key, h, prk->bytes, prk->len)) {
        return false;
    }
    bool done = expand(&key, info, info_len, out, out_len);
    hmac_key_wipe(&key);
    return done;
}

/* Writes a vector with a one-byte length and returns where it ends. */
static uint8_t *put_vector(uint8_t *at, const void *first, size_t first_len, const void *second,
                           size_t second_len)
{
    *at++ = (uint8_t)(first_len + second_len);
    if (first_len != 0) {
        memcpy(at, first, first_len);
    }
    if (second_len != 0) {
        memcpy(at + first_len, second, second_len);
    }
    return at + first_len + second_len;
}

bool hkdf_key_expand_label(const struct hmac_key *key, const char *label, size_t label_len,
                           const uint8_t *context, size_t context_len, uint8_t *out, size_t out_len)
{
    /* struct HkdfLabel: RFC 8446, 7.1 */
    uint8_t info[2 + 1 + sizeof(label_prefix) + LONGEST_LABEL + 1 + LONGEST_CONTEXT];
    uint8_t *at = info;

    if (out_len > UINT16_MAX || label_len > LONGEST_LABEL || context_len > LONGEST_CONTEXT) {
        return false;
    }
    *at++ = (uint8_t)(out_len >> 8);
    *at++ = (uint8_t)out_len;
    at = put_vector(at, label_prefix, sizeof(label_prefix), label, label_len);
    at = put_vector(at, context, context_len, NULL, 0);
    return expand(key, info, (size_t)(at - info), out, out_len);
}

bool hkdf_expand_label(const struct hash *h, const struct secret *prk, const char *label,
                       size_t label_len, const uint8_t *context, size_t context_len, uint8_t *out,
                       size_t out_len)
{
    struct hmac_key key;

    if (!hmac_key_set(&key, h, prk->bytes, prk->len)) {
        return false;
    }
    bool done = hkdf_key_expand_label(&key, label, label_len, context, context_len, out, out_len);
    hmac_key_wipe(&key);
    return done;
}

/* RFC 8446, 7.1: zeros in place of the key, and of the salt before it. */
static bool prepare(struct hash *h)
{
    static const uint8_t zeros[HASH_MAX_LEN];
    struct secret early = { 0 };

    h->first_salt.len = (uint8_t)h->len;
    return hash_once(h, "", 0, h->of_nothing) && hkdf_extract(h, NULL, 0, zeros, h->len, &early) &&
           hkdf_expand_label(h, &early, "derived", 7, h->of_nothing, h->len, h->first_salt.bytes,
                             h->len);
}

void kdf_prepare_all(struct crypto_lib *lib)
{
    ERR_set_mark();
    for (size_t i = 0; i < COUNT_OF(lib->hashes); i++) {
        struct hash *h = &lib->hashes[i];
        if (h->md != NULL && !prepare(h)) {
            EVP_MD_free(h->md);
            h->md = NULL;
        }
    }
    ERR_pop_to_mark();
}

const struct secret *hkdf_first_salt(const struct hash *h)
{
    return &h->first_salt;
}

bool tls12_prf(const struct hash *h, const uint8_t *secret, size_t secret_len, const char *label,
               size_t label_len, const uint8_t *seed, size_t seed_len, uint8_t *out, size_t out_len)
{
    struct hmac_key key;
    uint8_t a[HASH_MAX_LEN];
    uint8_t block[HASH_MAX_LEN];
    struct hmac_part first[] = { { label, label_len }, { seed, seed_len } };

    if (!hmac_key_set(&key, h, secret, secret_len)) {
        return false;
    }
    /* A(1) = HMAC(secret, label + seed), A(i) = HMAC(secret, A(i-1)): RFC 5246, 5. */
    bool done = hmac_key_mac(&key, a, first, COUNT_OF(first));
    while (done && out_len > 0) {
        struct hmac_part parts[] = { { a, hash_len(h) }, { label, label_len }, { seed, seed_len } };
        size_t take = out_len < hash_len(h) ? out_len : hash_len(h);

        done = hmac_key_mac(&key, block, parts, COUNT_OF(parts));
        if (done) {
            memcpy(out, block, take);
            out += take;
            out_len -= take;
        }
        done = done && (out_len == 0 || hmac_key_mac(&key, a, parts, 1));
    }
    hmac_key_wipe(&key);
    wipe(a, sizeof(a));
    wipe(block, sizeof(block));
    return done;
}
