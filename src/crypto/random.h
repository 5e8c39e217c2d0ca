/*
 * Random bytes through libcrypto's generators.
 */
#ifndef TENON_CRYPTO_RANDOM_H
#define TENON_CRYPTO_RANDOM_H

#include "crypto/lib.h"

/* Fills out with len bytes that may be seen by others (hello randoms, nonces), respectively that
 * stay secret. False: the generator failed. */
MUST_CHECK bool random_public(const struct crypto_lib *lib, uint8_t *out, size_t len);
MUST_CHECK bool random_secret(const struct crypto_lib *lib, uint8_t *out, size_t len);

#endif
