/*
 * The two record pipes of a connection, with what is reported about every record.
 */
#ifndef TENON_CONN_PIPES_H
#define TENON_CONN_PIPES_H

#include "conn/conn.h"

/* The longest plaintext of a record of ours: max_send_fragment, or what was agreed on by RFC
 * 6066, 4. */
size_t conn_max_fragment(const struct tls_conn *c);

/* Seals content of one type into c->out, in records of at most max_send_fragment bytes, and reports
 * each. False: out of memory or keys worn out (conn_fail() was called). */
MUST_CHECK bool conn_seal(struct tls_conn *c, uint8_t type, const uint8_t *data, size_t len);

/* Makes the next record current and reports its header; drops the ChangeCipherSpec records of
 * middlebox compatibility (RFC 8446, 5 and D.4). dst and cap: as record_in_step() has them.
 * RECORD_BAD: conn_fail() was called. */
MUST_CHECK enum record_status conn_next_record(struct tls_conn *c, uint8_t *dst, size_t cap);

#endif
