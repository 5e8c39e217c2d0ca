/*
 * The pieces of which record protections with HMAC, and a block cipher or none, are made: for
 * protect_cbc.c and for versions that keep the IV elsewhere (legacy/). Others use protection.h.
 */
#ifndef TENON_RECORD_PROTECT_CBC_H
#define TENON_RECORD_PROTECT_CBC_H

#include "record/protection.h"

struct cbc_protection {
    struct protection base;
    struct cbc *cbc;              /* owns */
    const struct crypto_lib *lib; /* counted */
    size_t mac_len;
    size_t block_len; /* 0: no encryption */
    size_t iv_len;    /* at the front of every fragment; random bytes */
    uint16_t version;
    bool encrypt_then_mac;
};

/* Prepares p, which is all zeros and allocated with OPENSSL_zalloc(), but for ops. iv_len and iv:
 * an IV in each fragment and NULL, or 0 and what the first is chained to. False: out of memory or
 * no such algorithm; nothing is held then. */
MUST_CHECK bool cbc_protection_init(struct cbc_protection *p, const struct crypto_lib *lib,
                                    const struct cbc_parameters *parameters,
                                    enum aead_direction direction, const uint8_t *mac_key,
                                    const uint8_t *key, size_t iv_len, const uint8_t *iv);

/* Wipes and frees what p holds, not p. */
void cbc_protection_wipe(struct cbc_protection *p);

/* As struct protection_ops has them. */
size_t cbc_seal(struct protection *base, uint8_t *record, uint8_t type, const uint8_t *data,
                size_t len, size_t padding);
enum open_result cbc_open(struct protection *base, uint8_t *record, size_t len, uint8_t *dst,
                          struct opened *out);

#endif
