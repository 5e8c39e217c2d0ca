/*
 * Finite-field Diffie-Hellman with parameters that a server chooses (RFC 5246, 8.1.2), and the
 * encryption of an RSA premaster secret (RFC 5246, 7.4.7.1).
 */
#ifndef TENON_CRYPTO_DHE_H
#define TENON_CRYPTO_DHE_H

#include "base/writer.h"
#include "crypto/group.h"
#include "crypto/lib.h"

#define PREMASTER_LEN 48

/* A key of the same parameters as params (which has p and g). NULL: failure. The caller owns it. */
MUST_CHECK EVP_PKEY *dhe_generate(const struct crypto_lib *lib, EVP_PKEY *params);

/* Parameters of OpenSSL's automatic choice: the group of RFC 3526 or RFC 2409 for that many bits of
 * security. NULL: failure. The caller owns them. */
MUST_CHECK EVP_PKEY *dhe_automatic(const struct crypto_lib *lib, int security_bits);

/* NULL is allowed. */
void dhe_free(EVP_PKEY *key);

/* Appends p, g and the public value of key, each with a 2-byte length. */
MUST_CHECK bool dhe_write(struct writer *w, EVP_PKEY *key);

/* The peer's key from p, g and its public value; checks 1 < Y < p - 1. NULL: not a sound key. */
MUST_CHECK EVP_PKEY *dhe_read(const struct crypto_lib *lib, const uint8_t *p, size_t p_len,
                              const uint8_t *g, size_t g_len, const uint8_t *y, size_t y_len);

/* The peer's key from its public value alone, under the parameters of own. */
MUST_CHECK EVP_PKEY *dhe_read_public(const struct crypto_lib *lib, EVP_PKEY *own, const uint8_t *y,
                                     size_t y_len);

/* Appends the public value of key with a 2-byte length. */
MUST_CHECK bool dhe_write_public(struct writer *w, EVP_PKEY *key);

/* The shared secret, leading zero bytes stripped (RFC 5246, 8.1.2). */
MUST_CHECK bool dhe_derive(const struct crypto_lib *lib, EVP_PKEY *own, EVP_PKEY *peer,
                           struct shared_secret *shared);

/* Bits of security that the modulus gives. */
int dhe_security_bits(EVP_PKEY *key);

/* Appends secret, encrypted to an RSA key (PKCS #1 v1.5). */
MUST_CHECK bool rsa_kx_encrypt(const struct crypto_lib *lib, EVP_PKEY *key,
                               const uint8_t secret[PREMASTER_LEN], struct writer *w);

/* Decrypts a premaster secret, which begins with client_version or also_version (the same where
 * there is no other). Whatever is wrong with it, padding, length or version, secret
 * becomes random bytes and the result is true, in the same time (RFC 5246, 7.4.7.1; CVE-2003-0131,
 * CVE-2017-13099, CVE-2022-4304). False for what tells nothing about the key: encrypted is longer
 * than the modulus or, as a number, not below it, which everybody can see; and want of memory. */
MUST_CHECK bool rsa_kx_decrypt(const struct crypto_lib *lib, EVP_PKEY *key, uint16_t client_version,
                               uint16_t also_version, const uint8_t *encrypted, size_t len,
                               uint8_t secret[PREMASTER_LEN]);

#endif
