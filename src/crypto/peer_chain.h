/*
 * The certificates that a peer sent, leaf first. What the library looks at may be shared with other
 * connections, through the cache of decoded certificates. What an application is given never is: it
 * may hang data on the object, set trust or change it, and finds that again wherever it gets the
 * same certificate of the same chain. An object of its own is decoded when it first asks.
 *
 * A chain is filled by the connection that receives it. Then it is counted, and used by several
 * threads: sessions that resume one another have the same chain.
 */
#ifndef TENON_CRYPTO_PEER_CHAIN_H
#define TENON_CRYPTO_PEER_CHAIN_H

#include "crypto/cert.h"

struct peer_chain;

enum peer_chain_added {
    PEER_CHAIN_ADDED,
    PEER_CHAIN_MALFORMED, /* an error was raised */
    PEER_CHAIN_NO_MEMORY
};

/* An empty chain with one reference; NULL: out of memory. */
MUST_CHECK struct peer_chain *peer_chain_new(void);

/* A chain of one certificate, whose reference it takes over, also when it fails. */
MUST_CHECK struct peer_chain *peer_chain_of(X509 *cert);

/* One more reference, which is returned; NULL is allowed for both. */
struct peer_chain *peer_chain_ref(struct peer_chain *chain);
void peer_chain_free(struct peer_chain *chain);

/* Adds the certificate that fills der[0..len) exactly. Only for whoever made the chain, before
 * anybody else has it; *chain may move. */
MUST_CHECK enum peer_chain_added peer_chain_add(struct peer_chain **chain,
                                                const struct crypto_lib *lib, const uint8_t *der,
                                                size_t len);

/* Number of certificates; NULL: 0. */
size_t peer_chain_len(const struct peer_chain *chain);

/* --- For the library --- */

/* The certificate at i, borrowed, to be looked at only; NULL: chain is NULL or has no such. What
 * the application has been given, it sees changed. */
X509 *peer_chain_look(const struct peer_chain *chain, size_t i);

/* The public key of the leaf, borrowed; NULL: no leaf, or an unknown or malformed key. */
EVP_PKEY *peer_chain_key(const struct peer_chain *chain);

/* True when that key comes from the cache: other connections have used it, and others will. */
bool peer_chain_key_lasts(const struct peer_chain *chain);

/* All of them in a new list that borrows them, for sk_X509_free(); NULL: out of memory. */
MUST_CHECK STACK_OF(X509) *peer_chain_look_all(const struct peer_chain *chain);

/* Says that the peer has proved to own the leaf's key: the cache may keep what it has seen before.
 * verified: the chain was. Only for whoever filled the chain; later it does nothing. */
void peer_chain_keep(struct peer_chain *chain, bool verified);

/* --- For applications --- */

/* The certificate at i, borrowed: the application's own. NULL: there is none, or out of memory. */
X509 *peer_chain_own(struct peer_chain *chain, size_t i);

/* All of them, or those above the leaf, in a list that belongs to the chain. NULL: chain is NULL,
 * or out of memory. */
STACK_OF(X509) *peer_chain_own_all(struct peer_chain *chain);
STACK_OF(X509) *peer_chain_own_above_leaf(struct peer_chain *chain);

/* Replaces what list (which owns its certificates) has of the certificates that the library looks
 * at by the application's own. False: out of memory; some may have been replaced. */
MUST_CHECK bool peer_chain_own_in(struct peer_chain *chain, STACK_OF(X509) *list);

#endif
