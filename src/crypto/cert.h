/*
 * Certificates as bytes and as X509 objects. The only code below api/ that knows X509.
 */
#ifndef TENON_CRYPTO_CERT_H
#define TENON_CRYPTO_CERT_H

#include "base/writer.h"
#include "crypto/lib.h"
#include "crypto/sigscheme.h"

/* Parses one DER certificate that fills der[0..len) exactly; NULL: malformed, trailing bytes or
 * out of memory. The caller owns a reference. */
MUST_CHECK X509 *cert_parse(const struct crypto_lib *lib, const uint8_t *der, size_t len);

/* Appends the DER encoding of cert. False: out of memory. */
MUST_CHECK bool cert_write(struct writer *w, X509 *cert);

/* The certificate's public key, borrowed from it; NULL: unknown or malformed key. */
EVP_PKEY *cert_public_key(const X509 *cert);

/* True unless the certificate's key usage says that its key does not make signatures. */
bool cert_may_sign(X509 *cert);

/* True when the signature on cert was made as scheme says (key algorithm and hash). */
bool cert_is_signed_with(const X509 *cert, const struct sig_scheme *scheme);

/* References. NULL is allowed for free. */
void cert_up_ref(X509 *cert);
void cert_free(X509 *cert);

/* Lists. cert_list_add takes over the reference, also when it fails. */
STACK_OF(X509) *cert_list_new(void);
MUST_CHECK bool cert_list_add(STACK_OF(X509) *list, X509 *cert);
size_t cert_list_len(const STACK_OF(X509) *list); /* NULL: 0 */
X509 *cert_list_at(const STACK_OF(X509) *list, size_t i);
void cert_list_free(STACK_OF(X509) *list);

/* An independent list of the same certificates, each counted up; NULL: list is NULL, or out of
 * memory. */
STACK_OF(X509) *cert_list_copy(const STACK_OF(X509) *list);

/* References to a key that goes with a certificate. NULL is allowed for free. */
void cert_key_up_ref(EVP_PKEY *key);
void cert_key_free(EVP_PKEY *key);

#endif
