/*
 * Records of TLS 1.0 in CBC mode: each is chained to the last block of the one before, the first
 * to an IV from the key block (RFC 2246, 6.2.3.2).
 */
#ifndef TENON_LEGACY_IMPLICIT_IV_H
#define TENON_LEGACY_IMPLICIT_IV_H

#include "record/protection.h"

/* How the key block is cut: RFC 2246, 6.3. */
struct protection_lens implicit_iv_key_lens(const struct ssl_cipher_st *suite);

/* As protection_new_cbc(), for TLS 1.0; also for NULL encryption. empty_first: every write of the
 * application is preceded by a record without content, whose MAC makes the block that the data is
 * chained to unpredictable (CVE-2011-3389, BEAST). The records of one write need no more: who chose
 * its data has chosen all of it. */
MUST_CHECK struct protection *protection_new_implicit_iv(const struct crypto_lib *lib,
                                                         const struct cbc_parameters *parameters,
                                                         enum aead_direction direction,
                                                         const uint8_t *mac_key, const uint8_t *key,
                                                         const uint8_t *iv, bool empty_first);

#endif
