/*
 * Lists of cipher suites in the settings: STACK_OF(SSL_CIPHER) as applications see them and code
 * points as the core uses them are kept in step here.
 */
#ifndef TENON_API_CIPHERS_H
#define TENON_API_CIPHERS_H

#include "api/internal.h"

/* The suites of a fresh SSL_CTX, and of SSL_CTX_set_ssl_version(). False: out of memory, or none is
 * available; no error was raised. */
MUST_CHECK bool ciphers_set_defaults(struct ssl_config *config);

/* Makes config use the suites that other uses, without copying them if it does already; the TLS 1.3
 * suites that a new list of config would start with stay as they are. False: out of memory, config
 * is unchanged. */
MUST_CHECK bool ciphers_share(struct ssl_config *config, const struct ssl_config *other);

/* True when both use the same list. */
bool ciphers_are_shared(const struct ssl_config *config, const struct ssl_config *other);

#endif
