/*
 * Certificates decoded without libcrypto's search for the decoder of a public key, which takes nine
 * tenths of d2i_X509(3). What comes out is what d2i_X509 makes, down to the provider of the key;
 * cert_decode.c says how.
 *
 * For RSA keys and for keys on the curves of TLS 1.3's ECDSA. Whatever else there may be in a
 * certificate, and whatever may be wrong with it, is for d2i_X509 itself.
 */
#ifndef TENON_CRYPTO_CERT_DECODE_H
#define TENON_CRYPTO_CERT_DECODE_H

#include "base/base.h"
#include <openssl/types.h>

/* Certificates that a process decodes by d2i_X509 before it prepares another way, which takes as
 * long as to decode about five of them. */
#define CERT_DECODE_FIRST 8

/* Counts a certificate. True when it shall be tried with cert_decode(). */
bool cert_decode_is_due(void);

/* The certificate that fills der[0..len) exactly, for the default library context, which has to be
 * this thread's, too. The caller owns a reference. NULL: d2i_X509 has to do it; the error queue is
 * as it was. */
MUST_CHECK X509 *cert_decode(const uint8_t *der, size_t len);

#endif
