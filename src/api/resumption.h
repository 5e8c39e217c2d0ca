/*
 * A connection's dealings with the cache of sessions: the hooks of conn/hooks.h that are about
 * sessions by id.
 */
#ifndef TENON_API_RESUMPTION_H
#define TENON_API_RESUMPTION_H

#include "api/internal.h"

/* The hooks of the same names. */
enum hook_answer find_session(void *owner, const uint8_t *id, size_t len,
                              struct ssl_session_st **session, struct record_error *failure);
enum hook_answer name_session(void *owner, struct ssl_session_st *session,
                              struct record_error *failure);
enum hook_answer may_resume(void *owner, struct ssl_session_st *session, bool by_id,
                            struct record_error *failure);
void session_resumed(void *owner);
void session_missed(void *owner);
bool denies_resumption(void *owner, bool forward_secure);
bool keeps_sessions(void *owner);
void keep_session(void *owner, struct ssl_session_st *session);
bool drop_session(void *owner, struct ssl_session_st *session);

/* True when the application names sessions (SSL_CTX_set_generate_session_id). */
bool names_own_sessions(SSL *s);

/* The cache's session of an id, or the application's (SSL_CTX_sess_set_get_cb); with a new
 * reference. NULL: none. */
MUST_CHECK struct ssl_session_st *lookup_session(SSL *s, const uint8_t *id, size_t len);

/* A handshake is complete: single use of a TLS 1.3 client's session, the cleaning of the cache that
 * is due from time to time. To be called before the handshake is counted. */
void sessions_after_handshake(SSL *s);

/* A connection that is given up without a close_notify of ours may have been cut off, so nobody
 * shall resume its session from the cache. True when that was so. */
bool forget_unclosed_session(SSL *s);

#endif
