/*
 * Connections one after another between two contexts that keep sessions, each with what both sides
 * say of resumption in the log.
 */
#ifndef CONTRACT_RESUME_H
#define CONTRACT_RESUME_H

#include "pair.h"

struct resume {
    SSL_CTX *client_ctx; /* sessions are not cached, the caller offers them */
    SSL_CTX *server_ctx; /* OpenSSL's defaults, but the one version and one ticket a handshake */
    /* Called with both before the handshake; NULL: not. */
    void (*prepare)(SSL *client, SSL *server);
    /* Called with both after the handshake and its tickets, before they are closed; NULL: not. */
    void (*inspect)(SSL *client, SSL *server);
    bool abrupt; /* freed without SSL_shutdown */
};

/* Contexts of pair_version. resume_free() them. */
void resume_init(struct resume *r);
void resume_free(struct resume *r);

/* Connects, offering session (NULL: none), exchanges a message each way, closes. Returns the
 * session that the client has then, with a reference (NULL: none). */
SSL_SESSION *resume_connect(struct resume *r, const char *title, SSL_SESSION *session);

/* The same, without the session. */
void resume_once(struct resume *r, const char *title, SSL_SESSION *session);

/* One line with the context's sessions and counters that are not 0. */
void log_session_stats(const char *name, SSL_CTX *ctx);

/* A number for the bytes of an id or ticket: 1 for the first that is asked for, 2 for the next
 * other one, and so on; 0 for none. */
int number_of_bytes(const unsigned char *bytes, size_t len);

/* The number of a session's id, and whether it can be resumed, for the log. */
const char *session_text(const SSL_SESSION *session);

#endif
