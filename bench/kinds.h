/*
 * The kinds of handshake that "handshake", "resume" and "counts" ask about, by name.
 */
#ifndef BENCH_KINDS_H
#define BENCH_KINDS_H

#include "harness.h"

struct kind {
    const char *name;
    const char *suite;
    enum key_kind key;
    bool mutual;      /* the client shows a certificate as well */
    bool fresh;       /* the client never saw the server's certificates before */
    bool quiet;       /* TLS 1.3: the server sends no ticket */
    bool resumed;     /* one session, offered again and again */
    size_t early_len; /* TLS 1.3: early data of the client, by a server that accepts it again */
    bool ticketless;  /* TLS 1.2: the session is in the server's cache */
};

/* Ends with a kind without a name. */
extern const struct kind kinds[];

/* What connections of a kind need. */
struct setting {
    SSL_CTX *client, *server; /* own */
    SSL_SESSION *session;     /* owns, or NULL */
    struct link link;
};

/* id serves connections of this kind and must stay until setting_wipe. */
void setting_make(struct setting *s, const struct kind *kind, const struct identity *id);
void setting_wipe(struct setting *s);

/* One connection, SSL_new to SSL_free. */
void setting_connect(struct setting *s, struct meter *client, struct meter *server);

#endif
