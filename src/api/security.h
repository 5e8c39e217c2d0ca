/*
 * Security levels (SSL_CTX_set_security_level(3)).
 */
#ifndef TENON_API_SECURITY_H
#define TENON_API_SECURITY_H

#include "api/internal.h"

/* Debian builds OpenSSL with this one. */
#define SECURITY_DEFAULT_LEVEL 2

/* The callback that objects start with: what each level allows. Arguments and result as in
 * SSL_CTX_set_security_callback(3). */
int security_default_callback(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid,
                              void *other, void *ex);

#endif
