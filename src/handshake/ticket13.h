/*
 * NewSessionTicket of TLS 1.3 (RFC 8446, 4.6.1): which kind of ticket a server gives.
 */
#ifndef TENON_HANDSHAKE_TICKET13_H
#define TENON_HANDSHAKE_TICKET13_H

#include "conn/conn.h"

/* True when a server's tickets are names of sessions in its cache, not sealed sessions. */
bool ticket13_is_stateful(const struct tls_conn *c);

/* True when a ticket is good for one connection: what early data needs that nobody shall replay. */
bool ticket13_is_single_use(const struct tls_conn *c);

#endif
