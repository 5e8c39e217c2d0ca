/*
 * Key derivation: HKDF (RFC 5869) with TLS 1.3's labels (RFC 8446, 7.1) and the TLS 1.2 PRF
 * (RFC 5246, 5), on hash.h.
 */
#ifndef TENON_CRYPTO_KDF_H
#define TENON_CRYPTO_KDF_H

#include "crypto/hmac.h"

/* HKDF-Extract(salt, ikm). salt and ikm may be empty (len 0: hash_len() zero bytes are used for
 * a missing ikm only if the caller passes them). prk gets hash_len() bytes. */
MUST_CHECK bool hkdf_extract(const struct hash *h, const uint8_t *salt, size_t salt_len,
                             const uint8_t *ikm, size_t ikm_len, struct secret *prk);

/* HKDF-Expand(prk, info, out_len). out_len: at most 255 * hash_len(). */
MUST_CHECK bool hkdf_expand(const struct hash *h, const struct secret *prk, const uint8_t *info,
                            size_t info_len, uint8_t *out, size_t out_len);

/* HKDF-Expand-Label(prk, label, context, out_len): RFC 8446, 7.1. label without "tls13 ";
 * label_len at most 249, context_len at most 255, else false. */
MUST_CHECK bool hkdf_expand_label(const struct hash *h, const struct secret *prk, const char *label,
                                  size_t label_len, const uint8_t *context, size_t context_len,
                                  uint8_t *out, size_t out_len);

/* The same for a secret that several keys come from: half of the work is done when it is set. */
MUST_CHECK bool hkdf_key_expand_label(const struct hmac_key *prk, const char *label,
                                      size_t label_len, const uint8_t *context, size_t context_len,
                                      uint8_t *out, size_t out_len);

/* Derive-Secret(HKDF-Extract(0, 0), "derived", ""): the salt of TLS 1.3's handshake secret without
 * a pre-shared key (RFC 8446, 7.1), which is the same for everybody. */
const struct secret *hkdf_first_salt(const struct hash *h);

/* P_hash-based PRF of TLS 1.2: out = PRF(secret, label, seed). */
MUST_CHECK bool tls12_prf(const struct hash *h, const uint8_t *secret, size_t secret_len,
                          const char *label, size_t label_len, const uint8_t *seed, size_t seed_len,
                          uint8_t *out, size_t out_len);

#endif
