/*
 * The receiving record layer of a connection: tells how many bytes it wants, takes them, and gives
 * the opened record of the moment, which its user consumes piece by piece.
 */
#ifndef TENON_RECORD_RECORD_IN_H
#define TENON_RECORD_RECORD_IN_H

#include "base/buffer.h"
#include "record/protection.h"

/* Consecutive records without content before the peer is refused: each costs us work and the
 * application nothing (CVE-2016-6305 class). OpenSSL's limit. */
#define RECORD_MAX_EMPTY 32

struct record_in {
    struct buffer buffer;          /* raw bytes, the current record first */
    struct protection *protection; /* owns; NULL: plaintext */
    struct opened current;         /* view into buffer, or where it was told to go; len is what is
                                      left of it */
    size_t skip_left;              /* bytes of rejected early data that may still be dropped
                                      (RFC 8446, 4.2.10); 0: none may */
    uint32_t current_size;         /* bytes of buffer the current record takes; 0: none */
    uint32_t early_left;           /* plaintext of early data that may still come */
    uint32_t num_empty;            /* consecutive empty records */
    enum epoch epoch;
    uint16_t max_plaintext;            /* RECORD_MAX_PLAINTEXT, or less by RFC 6066, 4 */
    uint16_t version;                  /* that every record must have; 0: any of major version 3 */
    uint8_t header[RECORD_HEADER_LEN]; /* of the current record, or of the one that was refused, as
                                          it came */
    bool plain_ccs;                    /* an unprotected ChangeCipherSpec may come (RFC 8446, 5) */
    bool plain_alerts; /* the peer may not have our keys yet: alerts may be plaintext */
    bool of_server;    /* the first record may be a hello in the format of SSL 2.0 */
    bool is_v2_hello;  /* the current record is one: its content has no message header, and
                          header has no record header */
    bool seen_record;  /* a valid record arrived on this connection */
};

enum record_status {
    RECORD_READY, /* r->current is a record, of at least one byte unless it is one to be refused */
    RECORD_WANT,  /* more bytes needed: record_in_wanted() */
    RECORD_DROPPED, /* record_in_step() alone: one was there that leaves nothing to be looked at;
                       header is its header */
    RECORD_BAD      /* *error says why */
};

/* Makes the next record current, unless the current one has bytes left. The first looks at one
 * record, the second goes on until there is one that leaves something.
 *
 * dst: NULL, or cap bytes of whoever wants application data. Where that is long enough to make a
 * difference, and fits whatever the record holds, it is put there: r->current points to it, and
 * whoever gave dst consumes all of it before anybody else looks. Nothing else stays at dst; but
 * what is behind the content of a record with padding, and all of dst where a long record was no
 * data, may have become zeros. */
MUST_CHECK enum record_status record_in_step(struct record_in *r, uint8_t *dst, size_t cap,
                                             struct record_error *error);
MUST_CHECK enum record_status record_in_next(struct record_in *r, struct record_error *error);

/* Bytes that are missing before record_in_next() can go on: the rest of a header, then the rest of
 * the body. 0: it can go on now. */
size_t record_in_wanted(const struct record_in *r);

/* Bytes of the next record's body that are missing, when its header is there and in order; 0: there
 * is none, or it is not for whoever reads to look at. */
size_t record_in_body_wanted(const struct record_in *r);

/* True when the next record, whose header is there, is one of protected data and as long as they
 * get, but for a few bytes: another follows it, if only a close_notify. */
bool record_in_awaits_full(const struct record_in *r);

/* Drops n bytes of the current record; with the last, the record and, if nothing else is buffered,
 * the memory. */
void record_in_consume(struct record_in *r, size_t n);

/* Bytes of raw input that are buffered and not part of the current record. */
static inline size_t record_in_buffered(const struct record_in *r)
{
    return buffer_len(&r->buffer) - r->current_size;
}

/* True when there is not even the header of a record. */
static inline bool record_in_is_empty(const struct record_in *r)
{
    return r->current_size == 0 && buffer_len(&r->buffer) < RECORD_HEADER_LEN;
}

/* True when there are such bytes. A header alone doesn't count: OpenSSL calls it processed. */
bool record_in_has_unopened(const struct record_in *r);

/* Changes protection and epoch; takes over p. */
void record_in_protect(struct record_in *r, struct protection *p, enum epoch epoch);

/* Frees everything. */
void record_in_wipe(struct record_in *r);

#endif
