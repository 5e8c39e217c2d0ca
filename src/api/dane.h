/*
 * DANE (RFC 6698, RFC 7671): TLSA records of a connection, in the layout that libcrypto reads.
 */
#ifndef TENON_API_DANE_H
#define TENON_API_DANE_H

#include "api/internal.h"

/* True when SSL_dane_enable() was called and records were added: a verification then depends on
 * them. */
bool dane_in_use(const SSL *s);

/* True when a record of usage DANE-TA or DANE-EE matched: the chain ends where DANE says. */
bool dane_anchored(const SSL *s);

/* Forgets which record matched; before each verification. */
void dane_forget_match(SSL *s);

/* Copies the records of from to the connection to, which is new. False: out of memory. */
MUST_CHECK bool dane_copy(SSL *to, const SSL *from);

/* Frees what a connection, respectively a context, holds of all this. */
void dane_wipe(SSL *s);
void dane_ctx_wipe(SSL_CTX *ctx);

#endif
