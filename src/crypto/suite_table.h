/*
 * The rows behind suite.h, for suite.c.
 */
#ifndef TENON_CRYPTO_SUITE_TABLE_H
#define TENON_CRYPTO_SUITE_TABLE_H

#include "crypto/suite.h"

#define NUM_TLS13_SUITES  5
#define NUM_OLDER_SUITES  155
#define NUM_HIDDEN_SUITES 14

/* The suites of TLS 1.3 by code point; the others by falling code point; then, not part of
 * suite_table(), those that only suite_by_id() and suite_by_name() find. */
extern const struct ssl_cipher_st
    suite_rows[NUM_TLS13_SUITES + NUM_OLDER_SUITES + NUM_HIDDEN_SUITES];

#endif
