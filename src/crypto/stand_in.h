/*
 * A library context in which d2i_X509(3) decodes a certificate without searching: its only provider
 * answers for every RSA key and key on an elliptic curve with a stand-in, an EVP_PKEY that can do
 * nothing. For crypto/cert_decode.c.
 */
#ifndef TENON_CRYPTO_STAND_IN_H
#define TENON_CRYPTO_STAND_IN_H

#include "base/base.h"
#include <openssl/types.h>

/* The context, for OSSL_LIB_CTX_free(3), and its provider, to be unloaded before. False: out of
 * memory. */
MUST_CHECK bool stand_in_context_new(OSSL_LIB_CTX **context, OSSL_PROVIDER **provider);

#endif
