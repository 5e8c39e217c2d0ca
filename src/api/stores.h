/*
 * Stores of certificates: where trust anchors and chain certificates are looked up. Exactly one of
 * s and ctx is not NULL and names the object.
 */
#ifndef TENON_API_STORES_H
#define TENON_API_STORES_H

#include "api/internal.h"

/* SSL_CTRL_SET_VERIFY_CERT_STORE and SSL_CTRL_SET_CHAIN_CERT_STORE: take store over unless up_ref;
 * NULL: back to the context's store. */
long stores_set_verify(SSL *s, SSL_CTX *ctx, X509_STORE *store, bool up_ref);
long stores_set_chain(SSL *s, SSL_CTX *ctx, X509_STORE *store, bool up_ref);

/* SSL_CTRL_GET_VERIFY_CERT_STORE and SSL_CTRL_GET_CHAIN_CERT_STORE: *store is borrowed. */
long stores_get_verify(const SSL *s, const SSL_CTX *ctx, X509_STORE **store);
long stores_get_chain(const SSL *s, const SSL_CTX *ctx, X509_STORE **store);

/* The context's store to look things up in, without the application's seeing it; and with all that
 * is behind it, for the application: from then on it may be changed at any time. Borrowed. */
X509_STORE *stores_for_library(const SSL_CTX *ctx);
X509_STORE *stores_for_application(SSL_CTX *ctx);

#endif
