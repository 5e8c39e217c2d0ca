/*
 * What the scenarios of callback_order share.
 */
#ifndef CALLBACK_ORDER_H
#define CALLBACK_ORDER_H

#include "contract.h"
#include "hs_trace.h"

#include <stddef.h>

#define QUESTIONS (TRACE_CLIENT_HELLO | TRACE_SERVER_NAME | TRACE_ALPN | TRACE_CERT | TRACE_VERIFY)

struct scenario {
    const char *name;
    void (*run)(void);
};

/* Ed25519: a root, what an intermediate of it issued, and somebody unknown; made for each run. */
extern struct identity *root;
extern struct identity *leaf;
extern struct identity *stranger;

/* Those of each file: TLS 1.3, 1.2, with pre-shared keys, with sessions that are resumed, TLS 1.0
 * and 1.1. */
extern const struct scenario scenarios_tls13[];
extern const size_t num_scenarios_tls13;
extern const struct scenario scenarios_tls12[];
extern const size_t num_scenarios_tls12;
extern const struct scenario scenarios_psk[];
extern const size_t num_scenarios_psk;
extern const struct scenario scenarios_resume12[];
extern const size_t num_scenarios_resume12;
extern const struct scenario scenarios_resume13[];
extern const size_t num_scenarios_resume13;
extern const struct scenario scenarios_legacy[];
extern const size_t num_scenarios_legacy;

/* Frees the pair and the context that trace_plan switches to. */
void finish(struct pair *p);

/* The handshake, then finish(). */
void run_and_finish(struct pair *p);

/* A handshake that another scenario records already. */
void connect_unrecorded(struct pair *p);

/* One application call with its line; the events that it makes stand before the line. */
void read_once(SSL *ssl);

#endif
