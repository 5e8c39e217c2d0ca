/*
 * The cache of sessions of an SSL_CTX and its ticket keys: what contexts and control commands need.
 * session_cache_init() and session_cache_wipe() are declared in api/internal.h.
 */
#ifndef TENON_API_SESSION_CACHE_H
#define TENON_API_SESSION_CACHE_H

#include "api/internal.h"

/* SSL_CTRL_SESS_NUMBER: sessions in the cache. */
long session_cache_count(SSL_CTX *ctx);

/* A session of the cache by its version and id (at most SESSION_MAX_ID bytes), with a new
 * reference; NULL: none. */
struct ssl_session_st *session_cache_find(SSL_CTX *ctx, uint16_t version, const uint8_t *id,
                                          size_t id_len);

/* Gives a session that may be in a cache another version and id (len: at most SESSION_MAX_ID),
 * under which it is found from then on. */
void session_cache_rename(struct ssl_session_st *session, uint16_t version, const uint8_t *id,
                          size_t id_len);

/* Gives a session that may be in a cache another time or timeout. */
void session_cache_set_times(struct ssl_session_st *session, int64_t time, int64_t timeout);

#endif
