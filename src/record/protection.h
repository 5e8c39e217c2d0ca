/*
 * Protection of one direction of a connection: how plaintext becomes the fragment of a record and
 * back. Nobody above asks which cipher or version it is. No protection at all is a NULL pointer.
 */
#ifndef TENON_RECORD_PROTECTION_H
#define TENON_RECORD_PROTECTION_H

#include "base/secret.h"
#include "crypto/aead.h"
#include "crypto/cbc.h"
#include "crypto/suite.h"
#include "record/record.h"

struct protection;

enum open_result {
    OPEN_OK,
    OPEN_BAD_MAC,   /* bad_record_mac */
    OPEN_TOO_LONG,  /* record_overflow: plaintext longer than allowed */
    OPEN_MALFORMED, /* unexpected_message: no content type, or a wrong outer type */
    OPEN_EXHAUSTED, /* sequence numbers used up */
    OPEN_NO_MEMORY  /* nothing has changed */
};

/* A record that was opened: its true type and a view of its plaintext, in the record or where it
 * was told to go. */
struct opened {
    uint8_t *data;
    uint32_t len;
    uint8_t type;
};

struct protection_ops {
    /* Writes the whole record, header included, for data[0..len) of the given type and padding
     * extra zero bytes (none unless hides_type), to record; that has room for header + len +
     * padding + overhead and does not overlap data. Returns the record's length; 0: failure. */
    size_t (*seal)(struct protection *p, uint8_t *record, uint8_t type, const uint8_t *data,
                   size_t len, size_t padding);
    /* Called before the first record of each write of the application; NULL where that makes no
     * difference. */
    void (*begin_write)(struct protection *p);
    /* Opens the record at record (header and len bytes of fragment): in place, or, where dst is not
     * NULL, with its content at dst, which has room for len - overhead bytes. dst is NULL unless
     * opens_elsewhere and len is more than overhead. Behind the content of a record with padding
     * dst holds zeros; OPEN_BAD_MAC leaves nothing of the plaintext, another failure may. */
    enum open_result (*open)(struct protection *p, uint8_t *record, size_t len, uint8_t *dst,
                             struct opened *out);
    /* Gives back memory that the next record takes again; NULL: there is none. */
    void (*rest)(struct protection *p);
    /* Wipes and frees p. */
    void (*free)(struct protection *p);
};

/* Common head; each implementation embeds it first. */
struct protection {
    const struct protection_ops *ops;
    uint64_t sequence;   /* number of the next record */
    uint64_t seal_limit; /* records after which the key must be updated; UINT64_MAX where a version
                            has no such thing */
    uint16_t max_fragment; /* longest fragment that may arrive */
    uint16_t overhead;     /* bytes a fragment grows by, at most: explicit nonce, inner type, tag,
                              filling up of the last block; without padding */
    bool hides_type;       /* TLS 1.3: every record looks like application data */
    bool opens_elsewhere;  /* open() can put a record's content where it is told; overhead is
                              exact then */
};

/* TLS 1.3 (RFC 8446, 5.2 and 5.3): key and iv of the traffic secret, AEAD by suite. NULL: out of
 * memory or no such algorithm. */
MUST_CHECK struct protection *protection_new_tls13(const struct crypto_lib *lib, enum aead_id id,
                                                   enum aead_direction direction,
                                                   const uint8_t *key,
                                                   const uint8_t iv[AEAD_NONCE_LEN]);

/* The AEADs of TLS 1.2 (RFC 5288, 6209, 6655, 7251, 7905). version goes into the headers; iv is the
 * fixed part of the nonce, protection_key_lens().iv bytes. NULL: out of memory or no such
 * algorithm. */
MUST_CHECK struct protection *protection_new_tls12(const struct crypto_lib *lib, enum aead_id id,
                                                   enum aead_direction direction, uint16_t version,
                                                   const uint8_t *key, const uint8_t *iv);

/* Block cipher in CBC mode, or NULL encryption, with HMAC, in TLS 1.2 and 1.1 (RFC 5246, 6.2.3.1
 * and 6.2.3.2), either MAC-then-encrypt, opened in constant time, or encrypt-then-MAC (RFC 7366).
 * The IV stands in the record and is random. NULL: out of memory, no such algorithm, or another
 * version. */
MUST_CHECK struct protection *protection_new_cbc(const struct crypto_lib *lib,
                                                 const struct cbc_parameters *parameters,
                                                 enum aead_direction direction,
                                                 const uint8_t *mac_key, const uint8_t *key);

/* What an AEAD that did not open a record makes of it. */
static inline enum open_result open_failure(enum aead_result result)
{
    return result == AEAD_NO_MEMORY ? OPEN_NO_MEMORY : OPEN_BAD_MAC;
}

/* How the key block is cut (RFC 5246, 6.3): bytes of one direction. */
struct protection_lens {
    size_t mac_key;
    size_t key;
    size_t iv; /* fixed part of the nonce */
};

/* The longest of each: HMAC-SHA-384, a 256 bit key, the first block of TLS 1.0's CBC. */
#define PROTECTION_MAX_MAC_KEY_LEN 48
#define PROTECTION_MAX_KEY_LEN     32
#define PROTECTION_MAX_IV_LEN      16

/* Lengths for a suite of TLS 1.2 or 1.1. */
struct protection_lens protection_key_lens(const struct ssl_cipher_st *suite);

/* The connection rests: p gives back what it can do without until the next record. NULL is allowed.
 */
void protection_rest(struct protection *p);

/* Wipes and frees p; NULL is allowed. */
void protection_free(struct protection *p);

#endif
