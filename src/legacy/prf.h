/*
 * The PRF of TLS 1.0 and 1.1: RFC 2246, 5.
 */
#ifndef TENON_LEGACY_PRF_H
#define TENON_LEGACY_PRF_H

#include "base/reader.h"
#include "crypto/hash.h"

/* As struct version_rules has it; h is not looked at, because there is one PRF. */
MUST_CHECK bool legacy_prf(const struct crypto_lib *lib, const struct hash *h,
                           const struct reader *secret, const struct reader *label,
                           const struct reader *seed, uint8_t *out, size_t out_len);

#endif
