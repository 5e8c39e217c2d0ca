/*
 * The chain that goes with an own certificate: configured, built from a store, or the context's
 * extra certificates. Exactly one of s and ctx is not NULL and names the object.
 */
#ifndef TENON_API_CHAIN_H
#define TENON_API_CHAIN_H

#include "api/internal.h"

/* SSL_CTRL_CHAIN: the chain of the current certificate; NULL empties it. Takes chain over unless
 * up_ref. */
long chain_set(SSL *s, SSL_CTX *ctx, STACK_OF(X509) *chain, bool up_ref);

/* SSL_CTRL_CHAIN_CERT: appends cert to that chain. Takes cert over unless up_ref. */
long chain_add(SSL *s, SSL_CTX *ctx, X509 *cert, bool up_ref);

/* SSL_CTRL_GET_CHAIN_CERTS: *chain is borrowed, maybe NULL. */
long chain_get(const SSL *s, const SSL_CTX *ctx, STACK_OF(X509) **chain);

/* SSL_CTRL_BUILD_CERT_CHAIN: flags are SSL_BUILD_CHAIN_FLAG_*. 0: failed, an error was raised;
 * 2: a verification error was ignored. */
long chain_build(SSL *s, SSL_CTX *ctx, long flags);

/* SSL_CTRL_EXTRA_CHAIN_CERT, _GET_EXTRA_CHAIN_CERTS (only_extra: larg is not 0) and
 * _CLEAR_EXTRA_CHAIN_CERTS. Adding takes cert over. */
long chain_add_extra(SSL_CTX *ctx, X509 *cert);
long chain_get_extra(const SSL_CTX *ctx, bool only_extra, STACK_OF(X509) **chain);
long chain_clear_extra(SSL_CTX *ctx);

/* Asks the security level about a certificate's key and signature. verify: it is the peer's;
 * is_leaf: it is an end entity's. 0: allowed, else the SSL_R_* reason. */
int chain_judge_cert(const SSL *s, const SSL_CTX *ctx, X509 *cert, bool verify, bool is_leaf);

/* The hook own_chain_suits of conn/hooks.h, in chain_check.c; owner is the SSL. */
bool own_chain_suits(void *owner, enum key_slot slot);

#endif
