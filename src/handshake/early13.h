/*
 * Early data (RFC 8446, 2.3, 4.2.10): who may send it and who accepts it. Reading and writing it is
 * the engine's, once the handshake rests (conn->rests).
 */
#ifndef TENON_HANDSHAKE_EARLY13_H
#define TENON_HANDSHAKE_EARLY13_H

#include "handshake/handshake.h"

/* Client: decides whether the first ClientHello has early_data, when its offers are known. */
enum step_result early13_offer(struct handshake *hs);

/* Server: true when the age that the client says of session's ticket agrees with ours. Sets
 * hs->early_sent. */
bool early13_is_fresh(struct handshake *hs, const struct ssl_session_st *session,
                      uint32_t obfuscated_age);

/* Client, when the EncryptedExtensions have been read: whether data that was accepted fits. */
enum step_result early13_check_answer(struct handshake *hs);

#endif
