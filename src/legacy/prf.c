/*
 * The PRF of TLS 1.0 and 1.1; see prf.h. Half of the secret goes through P_MD5, half through
 * P_SHA-1, so that it is as good as the better of the two.
 */
#include "legacy/prf.h"

#include "crypto/kdf.h"

#include <openssl/crypto.h>

/* P_hash(secret, label + seed) is what TLS 1.2 made its whole PRF of: RFC 5246, 5. */
static bool p_hash(const struct crypto_lib *lib, enum hash_id id, const struct reader *secret,
                   const struct reader *label, const struct reader *seed, uint8_t *out,
                   size_t out_len)
{
    const struct hash *h = hash_get(lib, id);

    return h != NULL && tls12_prf(h, secret->at, secret->left, (const char *)label->at, label->left,
                                  seed->at, seed->left, out, out_len);
}

bool legacy_prf(const struct crypto_lib *lib, const struct hash *h, const struct reader *secret,
                const struct reader *label, const struct reader *seed, uint8_t *out, size_t out_len)
{
    /* RFC 2246, 5: the halves share the middle byte of a secret of odd length. */
    size_t half = secret->left - secret->left / 2;
    struct reader first = reader_of(secret->at, half);
    struct reader second = reader_of(secret->at + secret->left - half, half);
    uint8_t *other = OPENSSL_malloc(out_len);

    (void)h;
    bool done = other != NULL && p_hash(lib, HASH_MD5, &first, label, seed, out, out_len) &&
                p_hash(lib, HASH_SHA1, &second, label, seed, other, out_len);
    for (size_t i = 0; done && i < out_len; i++) {
        out[i] ^= other[i];
    }
    free_wiped(other, out_len);
    return done;
}
