/*
 * Connected pairs: two contexts and two SSLs over a transport of choice. TLS 1.3 only (or what
 * pair_version says), the server sends no session tickets, the client doesn't verify; the server's
 * certificate is identity_default().
 */
#ifndef CONTRACT_PAIR_H
#define CONTRACT_PAIR_H

#include "wire.h"

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum transport {
    OVER_MEMORY,   /* two memory BIOs */
    OVER_BIO_PAIR, /* BIO_new_bio_pair of `size` bytes each way */
    OVER_WIRE,     /* wire.h */
    OVER_SOCKET,   /* a blocking socketpair, SSL_set_fd */
    OVER_NONBLOCKING_SOCKET
};

struct pair {
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    SSL *client;
    SSL *server;
    struct wire *wire; /* OVER_WIRE, otherwise NULL */
    int client_fd;     /* sockets, otherwise -1 */
    int server_fd;
};

/* The one version of the contexts below. TLS1_2_VERSION comes without session cache and tickets;
 * tls12.c, linked to a program, sets it before main(). */
extern int pair_version;

/* pair_version is TLS 1.3: there are KeyUpdate messages, and the client is done first. */
bool pair_is_tls13(void);

/* A context of each role as described above; SSL_CTX_free() it. */
SSL_CTX *client_ctx_new(void);
SSL_CTX *server_ctx_new(void);

/* Fills `pair` with new contexts and SSLs named "client" and "server", joined and with connect and
 * accept state set; nothing is sent. `size` is for BIO pairs, 0 elsewhere. pair_free() it. */
void pair_init(struct pair *pair, enum transport transport, size_t size);

/* The same with contexts of the caller, which the pair takes over (one reference of each). */
void pair_init_ctx(struct pair *pair, SSL_CTX *client_ctx, SSL_CTX *server_ctx,
                   enum transport transport, size_t size);

/* pair_init() and a finished handshake (never with blocking sockets, which need two threads). */
void pair_init_connected(struct pair *pair, enum transport transport, size_t size);

/* Frees SSLs, contexts, wire, and closes sockets; SSLs that the test freed must be NULL. */
void pair_free(struct pair *pair);

/* Calls SSL_do_handshake on both in turn until both are done or one failed; no line in the log.
 * True when both are done. */
bool drive_handshake(SSL *client, SSL *server);

/* The same with a line for each side in the log: "NAME handshake: ok" or the error. */
bool log_handshake(SSL *client, SSL *server);

/* Writes all of `data` to `from` and reads it at `to`, in turn, unlogged; retries as the manual
 * page says. Returns how many bytes arrived unharmed; stops at the first failure. */
size_t drive_transfer(SSL *from, SSL *to, const void *data, size_t len);

/* Reads `len` bytes from `ssl`, unlogged, without touching the peer. Returns how many came. */
size_t drive_read(SSL *ssl, size_t len);

/* Sends a short message each way and logs whether it arrived. */
void log_alive(SSL *client, SSL *server);

#endif
