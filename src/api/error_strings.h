/*
 * The texts of the SSL_R_* reasons.
 */
#ifndef TENON_API_ERROR_STRINGS_H
#define TENON_API_ERROR_STRINGS_H

#include <openssl/err.h>

/* Ends with a zero entry, as ERR_load_strings_const() wants it. Lives as long as the process. */
extern const ERR_STRING_DATA ssl_reason_strings[];

#endif
