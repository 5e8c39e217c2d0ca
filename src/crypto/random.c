/*
 * Random bytes from libcrypto's public and private generators, which are per thread and notice a
 * fork by themselves.
 */
#include "crypto/random.h"

#include <openssl/rand.h>

bool random_public(const struct crypto_lib *lib, uint8_t *out, size_t len)
{
    return len == 0 || RAND_bytes_ex(crypto_lib_context(lib), out, len, 0) == 1;
}

bool random_secret(const struct crypto_lib *lib, uint8_t *out, size_t len)
{
    return len == 0 || RAND_priv_bytes_ex(crypto_lib_context(lib), out, len, 0) == 1;
}
