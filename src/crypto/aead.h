/*
 * Authenticated encryption for records: one vtable per algorithm, chosen once per process among
 * the back ends (ipsec-mb where the processor and the build have it, EVP otherwise). A keyed
 * instance serves one direction; nothing is allocated, locked or fetched per record. What a back
 * end makes of its key to be quick may be a thousand bytes: it is made when the key is used, and
 * goes back to the thread's pool when the connection rests.
 */
#ifndef TENON_CRYPTO_AEAD_H
#define TENON_CRYPTO_AEAD_H

#include "crypto/lib.h"

#define AEAD_NONCE_LEN   12
#define AEAD_MAX_KEY_LEN 32
#define AEAD_MAX_TAG_LEN 16

enum aead_id {
    AEAD_NONE,
    AEAD_AES_128_GCM,
    AEAD_AES_256_GCM,
    AEAD_CHACHA20_POLY1305,
    AEAD_AES_128_CCM,
    AEAD_AES_128_CCM_8,
    AEAD_AES_256_CCM, /* TLS 1.2 only, as the rest */
    AEAD_AES_256_CCM_8,
    AEAD_ARIA_128_GCM,
    AEAD_ARIA_256_GCM,
    NUM_AEADS
};

/* Facts about an algorithm. */
struct aead_facts {
    uint8_t key_len;
    uint8_t tag_len;
    /* Full-size records one key may protect before it must be updated: RFC 8446, 5.5 (2^24.5 for
     * AES-GCM); for CCM the bound of RFC 9147, 4.5.3 (2^23); UINT64_MAX: none before the sequence
     * number wraps. */
    uint64_t seal_limit;
    /* Records that may fail to open with one key: RFC 9147, 4.5.3; for TLS the first ends all. */
};
const struct aead_facts *aead_facts(enum aead_id id);

struct aead; /* a keyed instance; its owner has the memory it stands in */

enum aead_direction { AEAD_SEAL, AEAD_OPEN };

/* What an address has to be a multiple of for an instance to stand there. */
#define AEAD_ALIGNMENT 16

/* Bytes of an instance. */
size_t aead_size(const struct crypto_lib *lib, enum aead_id id);

/* Makes a an instance with key (key_len bytes). False: out of memory, or lib lacks the algorithm;
 * a is not one then. */
MUST_CHECK bool aead_init(struct aead *a, const struct crypto_lib *lib, enum aead_id id,
                          enum aead_direction direction, const uint8_t *key);

/* Frees what a holds, and wipes all its bytes. */
void aead_wipe(struct aead *a);

/* Gives back, wiped, what can be made from the key again, which the next seal or open will do. */
void aead_rest(struct aead *a);

/* Seals data[0..len) and, behind it, a tail of tail_len bytes that stands at dst + len already: dst
 * gets both encrypted and then the tag. data may be dst, and may not overlap what dst gets
 * otherwise. False: the provider failed, or out of memory; dst is
 * then worthless. */
MUST_CHECK bool aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], const uint8_t *aad,
                          size_t aad_len, uint8_t *dst, const uint8_t *data, size_t len,
                          size_t tail_len);

enum aead_result {
    AEAD_OPENED,
    AEAD_FORGED,   /* len is less than the tag, or the tag is wrong */
    AEAD_NO_MEMORY /* the same call may succeed later */
};

/* Opens src[0..len), ciphertext followed by its tag, into dst (len - tag_len bytes; dst == src is
 * allowed, other overlaps are not). Unless it succeeds, dst holds nothing of the plaintext; after
 * AEAD_NO_MEMORY it is as it was. */
MUST_CHECK enum aead_result aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN],
                                      const uint8_t *aad, size_t aad_len, uint8_t *dst,
                                      const uint8_t *src, size_t len);

/* The same with the text in two places: its last byte is opened where it stands in src, dst gets
 * what is before it. dst does not overlap src; len is more than the tag. Only where
 * aead_opens_apart(): CCM takes its text in one piece. */
MUST_CHECK enum aead_result aead_open_apart(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN],
                                            const uint8_t *aad, size_t aad_len, uint8_t *dst,
                                            uint8_t *src, size_t len);
bool aead_opens_apart(const struct aead *a);

/* Name of the back end an algorithm of the default crypto_lib uses: "ipsec-mb" or "evp". */
const char *aead_backend(enum aead_id id);

#endif
