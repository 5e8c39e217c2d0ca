/*
 * Fixture: threads that start together, contexts for them to share, and connections in memory. What
 * fails in a thread ends the program: cmocka's assertions belong to the main thread.
 */
#ifndef TENON_TESTS_THREAD_SITE_H
#define TENON_TESTS_THREAD_SITE_H

#include <openssl/ssl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#define MUST(condition) must((condition), __FILE__, __LINE__, #condition)

/* Ends the program with the error queue, unless ok. */
void must(bool ok, const char *file, int line, const char *condition);

/* Runs work(0) to work(num - 1), each in a thread of its own, and waits for them. */
void run_together(size_t num, void (*work)(size_t who));

/* A lock whose writers need not wait until no reader comes any more. */
void gate_init(pthread_rwlock_t *gate);

/* The authority that everybody trusts; made by site_begin(). */
extern X509 *site_root;

/* Makes and frees the authority and its keys. */
void site_begin(void);
void site_end(void);

/* A certificate of that authority for the site's key, which nobody has seen before. */
X509 *site_new_leaf(void);
EVP_PKEY *site_key(void);

/* A self-signed certificate of another authority each time. */
X509 *site_new_stranger(void);

/* Contexts of up to version, with a certificate; trusts: they ask for the peer's and verify it. */
SSL_CTX *site_new_ctx(const SSL_METHOD *method, int version, bool trusts);

/* Both ends of a connection. */
struct link {
    SSL *client, *server;
};

/* Two ends with BIOs in memory between them, ready to begin. */
struct link link_new(SSL_CTX *client_ctx, SSL_CTX *server_ctx);

/* Runs the handshake to its end; sends len bytes each way, which also brings tickets. */
void link_connect(struct link *l);
void link_talk(struct link *l, size_t len);

/* Half of the latter: len bytes from one end; the other takes them. */
void link_write(SSL *from, size_t len);
void link_read(SSL *to, size_t len);

/* Closes, so that the session stays good, and frees. */
void link_free(struct link *l);

#endif
