/*
 * Fixture: two engines whose handshake is over, and somebody who can speak in the place of either.
 */
#ifndef TENON_TESTS_IDLE_PAIR_H
#define TENON_TESTS_IDLE_PAIR_H

#include "engines.h"

extern struct endpoint client;
extern struct endpoint server;
extern struct forger as_server; /* speaks to the client */
extern struct forger as_client; /* speaks to the server */

/* Group fixtures. */
int idle_pair_begin(void **state);
int idle_pair_end(void **state);

/* Test fixtures: a pair that has offered post-handshake authentication. */
int idle_pair_make(void **state);
int idle_pair_free(void **state);

/* A new pair in place of the old. */
void renew(bool post_auth);

struct endpoint *peer_of(const struct endpoint *e);

/* A record of the peer's arrives, forged; e reads until it wants more. */
enum tls_status receive(struct endpoint *e, uint8_t content, const void *bytes, size_t len);

/* Output of one end arrives at the other, which reads until it wants more; its own output goes to
 * *back (may be NULL). */
enum tls_status move(struct endpoint *from, struct buffer *back);

/* Data goes both ways. */
void assert_usable(void);

/* e has failed, with that status, alert and reason. */
void expect_failure(struct endpoint *e, enum tls_status status, uint8_t alert, int reason);

#endif
