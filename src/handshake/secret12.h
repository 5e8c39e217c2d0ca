/*
 * Master secrets of the application, as the handlers of the hellos need them (RFC 4851, 3.2). The
 * rows of the scripts are declared in handshake.h.
 */
#ifndef TENON_HANDSHAKE_SECRET12_H
#define TENON_HANDSHAKE_SECRET12_H

#include "handshake/handshake.h"

/* A client that has shown a ticket, before it knows whether its session is resumed: asks for the
 * secret that goes with it. suite: the server's choice. Sets hs->has_secret. */
enum step_result secret12_ask_client(struct handshake *hs, uint16_t suite);

#endif
