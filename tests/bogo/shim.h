/*
 * What the files of the shim share: the state of a connection, and the report of what an
 * application saw of it.
 */
#ifndef BOGO_SHIM_H
#define BOGO_SHIM_H

#include <stdbool.h>

#include <openssl/ssl.h>

#include "flags.h"

/* One connection. `config` is borrowed; `new_session` is owned. */
struct connection {
    const struct config *config;
    BIO *slow;                /* with -async: below the SSL, owned by it */
    SSL_SESSION *new_session; /* the last one that was given to the callback */
    bool got_new_session;     /* since the handshake began or ended */
    bool handshake_done;
    bool certificate_ready, hello_ready,
        verification_ready; /* with -async: answer on the second call */
};

/* The connection that belongs to an SSL. */
struct connection *connection_of(const SSL *ssl);
int connection_attach(SSL *ssl, struct connection *connection);

/* Adds a line to the report. Without -write-settings there is no report. The file's name is
 * `prefix` and "report". */
void report_open(const char *prefix);
void report(const char *format, ...) __attribute__((format(printf, 1, 2)));
void report_close(void);
/* Reports and empties the error queue. */
void report_errors(void);
/* What a finished handshake came to, as far as the API tells. */
void report_connection(SSL *ssl);

/* A context for all connections of a test, and what one connection's flags want of it. */
SSL_CTX *setup_new_context(void);
bool setup_context(SSL_CTX *ctx, const struct config *config);
/* An SSL set up as the flags want it, for a client with the session to offer; NULL on failure. */
SSL *setup_ssl(SSL_CTX *ctx, struct connection *connection, SSL_SESSION *session);

/* Puts the callbacks that the flags ask for on a context; on an SSL. */
void callbacks_of_context(SSL_CTX *ctx, const struct config *config);
void callbacks_of_ssl(SSL *ssl, const struct config *config);
/* Loads -key-file, -cert-file and -ocsp-response into an SSL. */
bool callbacks_install_certificate(SSL *ssl);

/* A filter BIO that lets nothing through until it is told to, one byte at a time (-async). */
BIO *slow_bio_new(void);
void slow_bio_allow_read(BIO *slow, size_t bytes);
void slow_bio_allow_write(BIO *slow, size_t bytes);

/* Whether the negotiated properties are those that the flags expect; says on stderr which aren't.
 */
bool expectations_hold(SSL *ssl, bool resumed);

#endif
