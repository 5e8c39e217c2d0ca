/*
 * The sending record layer of a connection: seals content into an output buffer, to which it only
 * appends. Whoever owns the connection takes bytes from the front.
 */
#ifndef TENON_RECORD_RECORD_OUT_H
#define TENON_RECORD_RECORD_OUT_H

#include "base/buffer.h"
#include "record/protection.h"

struct record_out {
    struct buffer buffer;          /* sealed bytes that were not taken yet */
    struct protection *protection; /* owns; NULL: plaintext */
    enum epoch epoch;
    uint16_t version; /* record version field */
};

/* How many bytes of padding a record gets: called with the content type and length. */
struct record_padding {
    size_t (*pad)(void *owner, uint8_t type, size_t len);
    void *owner;
};

/* Appends one record of data[0..len) (at most RECORD_MAX_PLAINTEXT), padded as padding says (NULL:
 * not). False: out of memory, or the sequence number would wrap; nothing was appended. */
MUST_CHECK bool record_seal(struct record_out *r, uint8_t type, const uint8_t *data, size_t len,
                            const struct record_padding *padding);

/* The next record is the first of a write of the application. */
void record_out_begin_write(struct record_out *r);

/* True when the key has protected as many records as it may and must be updated before the next
 * (RFC 8446, 5.5). */
bool record_out_is_worn(const struct record_out *r);

/* Changes protection and epoch; takes over p. */
void record_out_protect(struct record_out *r, struct protection *p, enum epoch epoch);

/* Frees everything. */
void record_out_wipe(struct record_out *r);

#endif
