/*
 * The ciphers of TLS 1.2 and older that are no AEAD: a block cipher in CBC mode or none at all, and
 * HMAC. Both orders of the two are composed of these pieces in record/; the order MAC-then-encrypt
 * has its check here, because nothing of it may show in time before the verdict is known.
 */
#ifndef TENON_CRYPTO_CBC_H
#define TENON_CRYPTO_CBC_H

#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/lib.h"

#define CBC_MAX_BLOCK_LEN 16

/* What the MAC covers besides the content: sequence number, type, version, length (RFC 5246,
 * 6.2.3.1). */
#define CBC_HEADER_LEN 13

struct cbc_parameters {
    uint32_t enc;          /* one enum suite_enc bit: AES, Camellia, 3DES or NULL */
    uint32_t mac;          /* one enum suite_mac bit: MD5, SHA-1, SHA-256 or SHA-384 */
    bool encrypt_then_mac; /* RFC 7366; makes no difference to NULL encryption */
    uint16_t version;      /* as on the wire */
};

/* Bytes of key and block of one enum suite_enc bit; 0: NULL encryption, or no block cipher. */
size_t cbc_key_len(uint32_t enc);
size_t cbc_block_len(uint32_t enc);

struct cbc; /* a keyed pair of cipher and MAC for one direction; owned by whoever made it */

/* A new instance; mac_key has as many bytes as the MAC, key has cbc_key_len() (and may be NULL when
 * that is 0). iv, cbc_block_len() bytes, is what the first block is chained to; NULL: who uses it
 * begins with a block that needs none. NULL: out of memory, an algorithm that lib lacks, or an HMAC
 * that cannot take content of secret length, which opening MAC-then-encrypt needs. */
MUST_CHECK struct cbc *cbc_new(const struct crypto_lib *lib,
                               const struct cbc_parameters *parameters,
                               enum aead_direction direction, const uint8_t *mac_key,
                               const uint8_t *key, const uint8_t *iv);

/* Wipes and frees; NULL is allowed. */
void cbc_free(struct cbc *c);

/* Bytes of the MAC. */
size_t cbc_mac_len(const struct cbc *c);

/* MAC of header and data[0..len). mac: cbc_mac_len() bytes. */
MUST_CHECK bool cbc_mac(const struct cbc *c, uint8_t *mac, const uint8_t header[CBC_HEADER_LEN],
                        const uint8_t *data, size_t len);

/* The next three are for block ciphers only. Blocks are chained from one call to the next. */

/* Pads text[0..len) to whole blocks and encrypts it in place. text has room for a block more;
 * *padded_len bytes are to be sent. False: the provider failed. */
MUST_CHECK bool cbc_encrypt(struct cbc *c, uint8_t *text, size_t len, size_t *padded_len);

/* Decrypts text[0..len) in place and takes off its padding. What is left begins after iv_len bytes
 * (RFC 5246, 6.2.3.2: a block that decrypts to nothing of use) and has *plain_len bytes. False: not
 * whole blocks, too short, or wrong padding; so this is only for what a MAC has vouched for. */
MUST_CHECK bool cbc_decrypt(struct cbc *c, uint8_t *text, size_t len, size_t iv_len,
                            size_t *plain_len);

/* MAC-then-encrypt: as cbc_decrypt(), and takes off and checks the MAC of the content, too. The
 * length in header is ignored. False: wrong padding, wrong MAC, or a length that no record has.
 * Time and memory access depend on len alone: the result and *plain_len are secrets until the
 * caller has looked at the result, and *plain_len stays one if that is false. */
MUST_CHECK bool cbc_decrypt_mac(struct cbc *c, const uint8_t header[CBC_HEADER_LEN], uint8_t *text,
                                size_t len, size_t iv_len, size_t *plain_len);

#endif
