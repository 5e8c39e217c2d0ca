/*
 * What a session is bound to besides its peers: the server name and the settings of verification
 * that it was made under. A session of one virtual host must not open another, nor one that asked
 * for less a stricter one (CVE-2025-23419; RFC 6066, 3; RFC 8446, 4.6.1).
 */
#ifndef TENON_API_SESSION_BINDING_H
#define TENON_API_SESSION_BINDING_H

#include "api/internal.h"

/* Binds session to what is in force on the connection. False: a provider failed. */
MUST_CHECK bool session_bind(const SSL *s, struct ssl_session_st *session);

/* False when session was made for another name. The hook is_for_name. */
bool is_for_name(void *owner, const struct ssl_session_st *session);

/* False when session was made for another name or under weaker settings than are now in force. A
 * session without a binding (from an application's cache, or a ticket under an application's keys)
 * is judged by its server name. The hook belongs_here. */
bool belongs_here(void *owner, const struct ssl_session_st *session);

#endif
