/*
 * The hooks of conn/hooks.h for pre-shared keys: OpenSSL's callbacks,
 * SSL_CTX_set_psk_client_callback (3) and SSL_CTX_use_psk_identity_hint(3). owner is the SSL.
 */
#ifndef TENON_API_PSK_H
#define TENON_API_PSK_H

#include "api/internal.h"

#include "conn/psk.h"

/* The questions are the same for an external PSK of TLS 1.3, whose hint is NULL. */
bool psk_is_known(void *owner);
enum hook_answer psk_ask_client(void *owner, const char *hint, struct psk *psk,
                                struct record_error *failure);
enum hook_answer psk_ask_server(void *owner, struct psk *psk, struct record_error *failure);

/* psk13.c: external keys of TLS 1.3. */
enum hook_answer psk13_use(void *owner, const struct hash *hash, struct ssl_session_st **session,
                           struct blob **identity, struct record_error *failure);
enum hook_answer psk13_find(void *owner, const uint8_t *identity, size_t len,
                            struct ssl_session_st **session, struct record_error *failure);

#endif
