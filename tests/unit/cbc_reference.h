/*
 * Records of TLS 1.2 and 1.1 with HMAC and a block cipher or none (RFC 5246, 6.2.3.1 and 6.2.3.2;
 * RFC 7366), made of libcrypto's plain functions and with every freedom that a sender has or takes.
 * What must not fail here ends the program.
 */
#ifndef TENON_TESTS_CBC_REFERENCE_H
#define TENON_TESTS_CBC_REFERENCE_H

#include "record/protection.h"

#define MAX_CBC_RECORD (RECORD_HEADER_LEN + RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS12)

/* A cipher, a MAC, their order and a version; the keys are patterns. */
struct combination {
    struct cbc_parameters parameters;
    const char *cipher; /* as libcrypto calls it; NULL: none */
    const char *digest;
    size_t block_len;
    size_t mac_len;
};

#define NUM_COMBINATIONS 96

/* All of them, the order and the version changing fastest. */
struct combination combination(size_t i);

/* Our protection with the keys of the reference; NULL as protection_new_cbc(). */
struct protection *combination_keyed(const struct combination *c, enum aead_direction direction);

/* The keys of the reference; borrowed. */
void combination_keys(const uint8_t **of_mac, const uint8_t **of_cipher);

/* As combination_keyed(), the part of crypto/ alone. */
struct cbc *combination_opener(const struct combination *c);

struct forged {
    uint8_t type;
    uint64_t sequence;
    const uint8_t *data;
    size_t len;
    size_t padding;      /* bytes of padding, the last included */
    size_t spoilt;       /* 1 + position of the padding byte that is wrong; 0: none */
    uint8_t length_byte; /* added to the last byte */
    bool wrong_mac;
};

/* The least padding that fills the last block after len bytes of content. */
size_t least_padding(const struct combination *c, size_t len);

/* A whole record; iv has block_len bytes, NULL: some constant. Returns its length. */
size_t reference_seal(const struct combination *c, const struct forged *f, const uint8_t *iv,
                      uint8_t *record);

/* text[0..len), whole blocks, encrypted in place. */
void reference_encrypt(const struct combination *c, const uint8_t *iv, uint8_t *text, size_t len);

#endif
