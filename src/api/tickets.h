/*
 * Session tickets (RFC 5077, 4; RFC 8446, 4.6.1): sessions that the client keeps, sealed by a key
 * of the server. The hooks of conn/hooks.h that are about tickets.
 */
#ifndef TENON_API_TICKETS_H
#define TENON_API_TICKETS_H

#include "api/internal.h"

/* The hooks of the same names. */
bool tickets_allowed(void *owner);
enum hook_answer ticket_open(void *owner, const uint8_t *ticket, size_t len,
                             struct reader session_id, struct ssl_session_st **session, bool *renew,
                             struct record_error *failure);
enum hook_answer ticket_seal(void *owner, struct ssl_session_st *session, struct writer *w,
                             struct record_error *failure);

#endif
