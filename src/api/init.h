/*
 * Initialisation of the library; OPENSSL_init_ssl() is the public entry.
 */
#ifndef TENON_API_INIT_H
#define TENON_API_INIT_H

#include "base/base.h"

/* What SSL_CTX_new() needs: configuration loaded, reason strings too unless OPENSSL_init_ssl() was
 * told not to. False: libcrypto refused (it has been shut down); an error was raised. */
MUST_CHECK bool init_for_context(void);

#endif
