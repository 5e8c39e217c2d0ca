/*
 * Verification of the peer's certificate; ssl_verify_chain() and alert_of_verify_result() are
 * declared in api/internal.h.
 */
#ifndef TENON_API_VERIFY_H
#define TENON_API_VERIFY_H

#include "api/internal.h"

/* SSL_CTRL_SET_RETRY_VERIFY: the verification callback that is running wants to be called again
 * later. */
long verify_set_retry(SSL *s);

/* The hook judge_key_usage of conn/hooks.h; owner is the SSL. */
enum hook_answer verify_key_usage(void *owner, struct record_error *failure);

/* Index of the SSL among an X509_STORE_CTX's ex_data; -1: out of memory. */
int verify_ssl_index(void);

/* Gives a new connection its own copy of the context's parameters where the application may hold a
 * pointer to those. False: out of memory, an error was raised. */
MUST_CHECK bool verify_start_param(SSL *s);

/* The verification parameters of a connection: its own when it has some, else those of its
 * settings. Not to be changed. */
const X509_VERIFY_PARAM *verify_param(const SSL *s);

/* The connection's own parameters, made on first use; NULL: out of memory, an error was raised. */
MUST_CHECK X509_VERIFY_PARAM *verify_own_param(SSL *s);

#endif
