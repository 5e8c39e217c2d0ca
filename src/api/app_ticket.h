/*
 * The hooks of conn/hooks.h for tickets and secrets of the application (EAP-FAST). owner is the
 * SSL.
 */
#ifndef TENON_API_APP_TICKET_H
#define TENON_API_APP_TICKET_H

#include "api/internal.h"

bool app_ticket_to_offer(void *owner, struct blob **ticket);
bool app_ticket_seen(void *owner, const uint8_t *ticket, size_t len);
bool app_gives_secrets(void *owner);
enum hook_answer app_session_secret(void *owner, struct reader suites,
                                    struct ssl_session_st *session,
                                    const struct ssl_cipher_st **suite);

/* Frees what an SSL that is going away was given. */
void app_tickets_free(SSL *s);

#endif
