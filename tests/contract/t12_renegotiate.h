/*
 * What the tests of renegotiation share: a pair that may renegotiate from either side, and steps
 * whose results stand in the log.
 */
#ifndef CONTRACT_T12_RENEGOTIATE_H
#define CONTRACT_T12_RENEGOTIATE_H

#include "contract.h"

/* Connected over TLS 1.2; the server grants a client's wish. */
void renegotiation_prepare(struct pair *p, enum transport transport);

/* What both sides say about renegotiations. */
void renegotiation_log_counters(struct pair *p);

/* SSL_renegotiate. */
void renegotiation_ask(SSL *ssl);

/* SSL_read of up to 20000 bytes. */
void renegotiation_read_once(SSL *ssl);

/* Each side reads in turn, first first, until nothing moves. */
void renegotiation_read_in_turn(struct pair *p, SSL *first);

#endif
