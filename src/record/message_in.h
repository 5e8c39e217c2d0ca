/*
 * Handshake messages out of records: a view into the record when the message lies in one, a
 * collected copy when it is split. The header is checked before a body is waited for, so that a
 * length field allocates nothing (CVE-2016-6307 class): memory grows with what arrived.
 */
#ifndef TENON_RECORD_MESSAGE_IN_H
#define TENON_RECORD_MESSAGE_IN_H

#include "record/record_in.h"

#define MESSAGE_HEADER_LEN 4

struct message_in {
    struct buffer partial; /* the bytes of a split message so far */
};

/* One whole message, header included; views into the record or into the collected copy. */
struct message {
    uint8_t type;
    const uint8_t *bytes; /* header and body */
    size_t len;           /* of both */
    bool from_partial;
    bool is_ccs;      /* TLS 1.2: a ChangeCipherSpec record in the place of a message */
    bool is_v2_hello; /* a ClientHello in the format of SSL 2.0, whose header is the type alone */
};

/* Bytes before the body. */
size_t message_header_len(const struct message *m);

enum message_status {
    MESSAGE_WHOLE,  /* *m is set */
    MESSAGE_HEADER, /* only the header is known: m->type and m->len are set, m->bytes is NULL */
    MESSAGE_WANT    /* more of the current kind of record is needed */
};

/* Looks for a message at the front of the current record of in, which is of type handshake.
 * Moves split messages into its own memory. *failed is set when memory ran out. */
MUST_CHECK enum message_status message_in_next(struct message_in *mi, struct record_in *in,
                                               struct message *m, bool *failed);

/* Drops the message that message_in_next() returned as whole. */
void message_in_consume(struct message_in *mi, struct record_in *in, const struct message *m);

/* True when part of a message has been collected: no other content may come in between
 * (RFC 8446, 5.1). */
bool message_in_is_partial(const struct message_in *mi);

/* Frees everything. */
void message_in_wipe(struct message_in *mi);

#endif
