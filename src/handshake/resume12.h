/*
 * Resumption in TLS 1.2 and older, as the handlers of the hellos need it (RFC 5246, 7.3; RFC 5077;
 * RFC 7627, 5.3). The rows of the scripts are declared in handshake.h.
 */
#ifndef TENON_HANDSHAKE_RESUME12_H
#define TENON_HANDSHAKE_RESUME12_H

#include "handshake/handshake.h"

/* A client, before its first ClientHello: keeps the connection's session when it can be offered,
 * whatever its version, else makes a new one. */
enum step_result choose_session(struct handshake *hs);

/* True when the ClientHello offers c->session as one of TLS 1.2 or older. */
bool resume12_is_offered(const struct handshake *hs);

/* A client, when the version of the ServerHello is known: goes on with the session that was offered
 * if the server says so, else with a new one; whether the suite goes with that. */
enum step_result resume12_on_server_hello(struct handshake *hs, struct reader session_id);
enum step_result resume12_check_suite(struct handshake *hs, const struct ssl_cipher_st *suite);

/* A client goes on with a new session, whichever it has offered. */
enum step_result leave_session(struct handshake *hs);

/* Both sides, when the extensions of the other's hello have been read: whether the extended master
 * secret is used as before. */
enum step_result resume12_check_answers(struct handshake *hs);

#endif
