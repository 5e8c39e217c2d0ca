/*
 * Pre-shared keys of TLS 1.3 (RFC 8446, 2.2 and 4.2.11): what a client offers, its binders, what a
 * server chooses, and what becomes of the session.
 */
#ifndef TENON_HANDSHAKE_PSK13_H
#define TENON_HANDSHAKE_PSK13_H

#include "handshake/handshake.h"

/* Client: collects in hs->offers what this ClientHello can offer. Asks the application. */
enum step_result psk13_collect(struct handshake *hs);

/* Client: fills in the binders at the end of a whole ClientHello, header included; its
 * pre_shared_key was written with room for them. */
enum step_result psk13_bind(struct handshake *hs, uint8_t *message, size_t len);

/* Client: what the ServerHello makes of the session: the one that was offered goes on when the
 * server took its key, else there is a new one. */
enum step_result psk13_settle_session(struct handshake *hs);

/* Writes suite, group and version of the connection into its session, or into a copy where that is
 * shared and says otherwise. */
enum step_result psk13_note_facts(struct handshake *hs);

/* Bytes of the binder of one offer. */
size_t psk13_binder_len(const struct handshake *hs, size_t i);

/* Drops all offers. */
void psk13_drop_offers(struct handshake *hs);

#endif
