/*
 * Diffie-Hellman parameters of an application, for suites before TLS 1.3. Exactly one of s and ctx
 * is not NULL and names the object.
 */
#ifndef TENON_API_DH_H
#define TENON_API_DH_H

#include "api/internal.h"

/* SSL_CTRL_SET_TMP_DH: keeps a copy of dh. 1; 0: refused, an error was raised. */
long dh_set(SSL *s, SSL_CTX *ctx, DH *dh);

/* SSL_CTRL_SET_TMP_ECDH: the key's curve becomes the only group. */
long ecdh_set(SSL *s, SSL_CTX *ctx, const EC_KEY *key);

/* The hooks has_dhe, dhe_parameters and allows_dhe of conn/hooks.h; owner is the SSL. */
bool dh_available(void *owner);
EVP_PKEY *dh_parameters(void *owner, const struct ssl_cipher_st *suite);
bool dh_allowed(void *owner, EVP_PKEY *key);

#endif
