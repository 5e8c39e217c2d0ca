/*
 * A private key with what its signatures need again and again: which schemes fit it, and for each
 * that was used a context to copy. Counted and shared between threads. What it keeps it keeps for
 * the default crypto_lib and for software keys of libcrypto's own provider alone; keys of engines
 * and of other providers are asked anew each time.
 */
#ifndef TENON_CRYPTO_SIGNER_H
#define TENON_CRYPTO_SIGNER_H

#include "crypto/sigscheme.h"

struct signer;

/* One for key, of which it counts a reference. NULL: out of memory. The caller owns it. */
MUST_CHECK struct signer *signer_new(EVP_PKEY *key);

/* One more reference to s, which is returned; NULL is allowed. */
struct signer *signer_ref(struct signer *s);

/* Drops a reference; NULL is allowed. */
void signer_free(struct signer *s);

/* sig_scheme_fits_key() and sig_sign() with its key. */
bool signer_fits(const struct crypto_lib *lib, const struct sig_scheme *scheme, struct signer *s,
                 bool tls13);
MUST_CHECK bool signer_sign(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                            struct signer *s, const uint8_t *data, size_t len, struct writer *out);

#endif
