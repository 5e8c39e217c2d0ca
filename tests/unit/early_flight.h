/*
 * Fixture: a server and a client of TLS 1.3 with early data, the client's first flights as bytes,
 * and what servers make of them.
 */
#ifndef TENON_TESTS_EARLY_FLIGHT_H
#define TENON_TESTS_EARLY_FLIGHT_H

#include "unit.h"

#include <openssl/ssl.h>

#define MAX_FLIGHT 2000

struct flight {
    size_t len;
    uint8_t bytes[MAX_FLIGHT];
};

/* What a server made of a flight. */
enum verdict { FAILED, REJECTED, REJECTED_AND_RESUMED, ACCEPTED };

extern SSL_CTX *server_ctx, *client_ctx;

/* Test fixtures: make and free the two. */
int early_flight_begin(void **state);
int early_flight_end(void **state);

/* A context with a certificate whose tickets allow early data. */
SSL_CTX *new_server(void);

/* An SSL with two memory BIOs of its own; what one has written, to the other. */
SSL *new_end(SSL_CTX *ctx);
void pass_on(SSL *from, SSL *to);

/* Runs the handshake to its end, sends data both ways and closes. Returns the client's session. */
SSL_SESSION *finish(SSL *client, SSL *server);

/* A connection with a server of ctx; the session that it left the client. */
SSL_SESSION *visit(SSL_CTX *ctx);

/* A client that has sent its first flight, with early data. */
SSL *send_early(SSL_SESSION *session);

/* The first flight of a client that nothing is heard of again. */
struct flight record_flight(SSL_SESSION *session);

/* What a server makes of the early data that has arrived; of a flight. */
enum verdict read_early(SSL *server);
enum verdict replay(SSL_CTX *ctx, const struct flight *flight);

#endif
