/*
 * Protection of one direction of a connection: how plaintext becomes the fragment of a record and
 * back. Nobody above asks which cipher or version it is. No protection at all is a NULL pointer.
 */
#ifndef TENON_RECORD_PROTECTION_H
#define TENON_RECORD_PROTECTION_H

#include "base/secret.h"
#include "crypto/aead.h"
#include "record/record.h"

struct protection;

enum open_result {
    OPEN_OK,
    OPEN_BAD_MAC,   /* bad_record_mac */
    OPEN_TOO_LONG,  /* record_overflow: plaintext longer than allowed */
    OPEN_MALFORMED, /* unexpected_message: no content type, or a wrong outer type */
    OPEN_EXHAUSTED  /* sequence numbers used up */
};

/* A record that was opened: its true type and a view of its plaintext. */
struct opened {
    uint8_t type;
    uint8_t *data;
    size_t len;
};

struct protection_ops {
    /* Bytes a fragment grows by: explicit nonce, inner type, tag. Without padding. */
    size_t (*overhead)(const struct protection *p);
    /* Writes the whole record, header included, for data[0..len) of the given type and padding
     * extra zero bytes, to record; that has room for header + len + padding + overhead. Returns
     * the record's length; 0: failure. */
    size_t (*seal)(struct protection *p, uint8_t *record, uint8_t type, const uint8_t *data,
                   size_t len, size_t padding);
    /* Opens the record at record (header and len bytes of fragment) in place. */
    enum open_result (*open)(struct protection *p, uint8_t *record, size_t len, struct opened *out);
    /* Wipes and frees p. */
    void (*free)(struct protection *p);
};

/* Common head; each implementation embeds it first. */
struct protection {
    const struct protection_ops *ops;
    uint64_t sequence;   /* number of the next record */
    uint64_t seal_limit; /* records after which the key must be updated */
    size_t max_fragment; /* longest fragment that may arrive */
};

/* TLS 1.3 (RFC 8446, 5.2 and 5.3): key and iv of the traffic secret, AEAD by suite. NULL: out of
 * memory or no such algorithm. */
MUST_CHECK struct protection *protection_new_tls13(const struct crypto_lib *lib, enum aead_id id,
                                                   enum aead_direction direction,
                                                   const uint8_t *key,
                                                   const uint8_t iv[AEAD_NONCE_LEN]);

/* Wipes and frees p; NULL is allowed. */
void protection_free(struct protection *p);

#endif
