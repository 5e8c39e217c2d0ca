/*
 * A server and its visitor for tests of resumption: two contexts of TLS 1.2 that outlive the
 * connections, each of which is described before it is made and told in the log.
 */
#ifndef CONTRACT_T12_SITE_H
#define CONTRACT_T12_SITE_H

#include "contract.h"

struct site {
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    SSL_SESSION *session; /* owns: what the last visit left the client */
    struct pair pair;     /* during a visit */
};

/* Tickets and a cache of the server are on, as libssl has them by default; sessions have the
 * context "site". */
void site_init(struct site *site);
void site_init_version(struct site *site, int version);
void site_free(struct site *site);

/* A pair of SSLs that is to resume the session, if there is one; nothing has been sent. */
void site_begin(struct site *site);

/* The handshake, and what both sides say about it. True: it came to its end. */
bool site_connect(struct site *site);

/* Takes the client's session in place of the old one, closes both ways, frees the SSLs. */
void site_end(struct site *site);

/* All three: whether it was resumed. */
bool site_visit(struct site *site);

/* What a session says of itself, without random bytes. */
void log_session(const char *name, SSL_SESSION *session);

/* The counters of both contexts, those that are not 0. */
void log_statistics(const struct site *site);

#endif
