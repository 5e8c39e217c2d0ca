/*
 * The strike register that this process's servers ask before they accept early data
 * (strike_register.h), on behalf of tickets that hold their session. docs/early-data.md.
 *
 * There is one register for a process and its children, made when the first context allows early
 * data. Where servers share a ticket secret (ticket_secret.h) it is in a file of /dev/shm, whose
 * name is derived from the secret and the user, so that processes which were started separately
 * share it, too.
 */
#ifndef TENON_API_EARLY_GUARD_H
#define TENON_API_EARLY_GUARD_H

#include "api/internal.h"

/* Makes the register unless there is one. To be called before a server forks: children that make
 * their own do not accept early data for each other's tickets. */
void early_guard_prepare(const struct crypto_lib *lib);

/* Names a session after the register, which thereby answers for the ticket. False: the generator or
 * a provider failed. */
MUST_CHECK bool early_guard_name(const SSL *s, struct ssl_session_st *session);

/* The hooks of these names. Tickets stay names in a cache, as OpenSSL's are, for applications that
 * watch that cache or name sessions themselves, and where there is no register. */
bool guards_early_data(void *owner);
bool claims_early_data(void *owner, const struct ssl_session_st *session, int64_t sent);

#endif
