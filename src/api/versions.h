/*
 * Which protocol versions, suites and signature algorithms the settings of a connection leave,
 * the security level included.
 */
#ifndef TENON_API_VERSIONS_H
#define TENON_API_VERSIONS_H

#include "api/internal.h"

/* The lowest and highest version in force: the lowest contiguous range, as OpenSSL has it. False:
 * every version is switched off. */
MUST_CHECK bool ssl_version_range(const SSL *s, uint16_t *min, uint16_t *max);

/* SSL_CTRL_SET_MIN_PROTO_VERSION and _MAX_: 1, or 0 for a version that does not exist. s or ctx is
 * NULL. */
long versions_set_min(SSL *s, SSL_CTX *ctx, long version);
long versions_set_max(SSL *s, SSL_CTX *ctx, long version);

/* "TLSv1.3" and so on; "unknown". */
const char *version_name(int version);

/* True when the security level or callback lets the suite, or the signature algorithm, be used for
 * op (SSL_SECOP_*); the latter also asks whether the versions in force have it. */
bool suite_is_allowed(const SSL *s, int op, const SSL_CIPHER *suite);
bool sigalg_is_allowed(const SSL *s, int op, const struct sig_scheme *scheme);

#endif
