/*
 * NewSessionTicket of TLS 1.3 (RFC 8446, 4.6.1): which kind of ticket a server gives.
 */
#ifndef TENON_HANDSHAKE_TICKET13_H
#define TENON_HANDSHAKE_TICKET13_H

#include "conn/conn.h"

/* True when a server's tickets allow early data, and nobody shall replay it. */
bool ticket13_is_protected(const struct tls_conn *c);

/* True when a server's tickets are names of sessions in its cache, not sealed sessions: it was told
 * so, or they have to be good for once and the owner has no other guard (guards_early_data). */
bool ticket13_is_stateful(const struct tls_conn *c);

/* True when a ticket is good for one connection. */
bool ticket13_is_single_use(const struct tls_conn *c);

#endif
