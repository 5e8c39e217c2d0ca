/*
 * Where algorithms come from: one OSSL_LIB_CTX and property query, with the digests and ciphers
 * that TLS needs fetched once. The default instance (default library context, no property query)
 * may use quick direct routes through libcrypto; every other instance goes through EVP fetches, so
 * that engines, other providers and FIPS are honoured.
 */
#ifndef TENON_CRYPTO_LIB_H
#define TENON_CRYPTO_LIB_H

#include "base/base.h"
#include <openssl/types.h>

struct crypto_lib; /* immutable once made; counted */

/* The process's first default instance. Made on first use, lives as long as the process.
 * NULL: libcrypto could not provide SHA-256 (out of memory, a broken configuration), or a
 * provider's groups make no sense. The error queue stays as it is: nobody has asked for that
 * library yet. */
MUST_CHECK const struct crypto_lib *crypto_lib_default(void);

/* An instance for libctx (borrowed, must outlive the result) and propq (copied, may be NULL).
 * With both NULL a default instance is returned: the one that was made under the same providers, or
 * a new one, which lives as long as the process. NULL: out of memory, or a provider's groups make
 * no sense (provider-base(7), TLS-GROUP); the reason is in the error queue. */
MUST_CHECK const struct crypto_lib *crypto_lib_new(OSSL_LIB_CTX *libctx, const char *propq);

/* Takes another reference. */
void crypto_lib_up_ref(const struct crypto_lib *lib);

/* Drops a reference; NULL and default instances are allowed. */
void crypto_lib_free(const struct crypto_lib *lib);

/* True when what lib decodes may be shared by everybody in the process: it is a default instance,
 * and its library context is not replaced for this thread (OSSL_LIB_CTX_set0_default(3)). */
bool crypto_lib_is_everybodys(const struct crypto_lib *lib);

/* What it was made of. */
OSSL_LIB_CTX *crypto_lib_context(const struct crypto_lib *lib);
const char *crypto_lib_propq(const struct crypto_lib *lib);

/* AES-256-CBC, which session tickets are encrypted with (RFC 5077, 4, with a longer key); borrowed.
 * NULL: the providers lack it. */
const EVP_CIPHER *crypto_lib_ticket_cipher(const struct crypto_lib *lib);

#endif
