/*
 * Record protection of TLS 1.0 in CBC mode; see implicit_iv.h.
 */
#include "legacy/implicit_iv.h"

#include "record/protect_cbc.h"

#include <openssl/crypto.h>

struct implicit_iv {
    struct cbc_protection cbc;
    bool empty_first; /* an empty record begins each write */
    bool empty_due;   /* and is the next */
};

static struct implicit_iv *implicit_of(struct protection *p)
{
    return (struct implicit_iv *)p;
}

static size_t implicit_seal(struct protection *base, uint8_t *record, uint8_t type,
                            const uint8_t *data, size_t len, size_t padding)
{
    struct implicit_iv *p = implicit_of(base);
    size_t empty_len = 0;

    if (p->empty_due && type == CONTENT_APPLICATION) {
        empty_len = cbc_seal(base, record, type, data, 0, 0);
        if (empty_len == 0) {
            return 0;
        }
        p->empty_due = false;
    }
    size_t full_len = cbc_seal(base, record + empty_len, type, data, len, padding);
    return full_len == 0 ? 0 : empty_len + full_len;
}

static void implicit_begin_write(struct protection *base)
{
    implicit_of(base)->empty_due = implicit_of(base)->empty_first;
}

static void implicit_free(struct protection *base)
{
    cbc_protection_wipe(&implicit_of(base)->cbc);
    free_wiped(base, sizeof(struct implicit_iv));
}

static const struct protection_ops implicit_ops = { implicit_seal, implicit_begin_write, cbc_open,
                                                    NULL, implicit_free };

struct protection_lens implicit_iv_key_lens(const struct ssl_cipher_st *suite)
{
    struct protection_lens lens = protection_key_lens(suite);

    lens.iv = cbc_block_len(suite->enc);
    return lens;
}

struct protection *protection_new_implicit_iv(const struct crypto_lib *lib,
                                              const struct cbc_parameters *parameters,
                                              enum aead_direction direction, const uint8_t *mac_key,
                                              const uint8_t *key, const uint8_t *iv,
                                              bool empty_first)
{
    struct implicit_iv *p = OPENSSL_zalloc(sizeof *p);

    if (p == NULL) {
        return NULL;
    }
    p->cbc.base.ops = &implicit_ops;
    if (!cbc_protection_init(&p->cbc, lib, parameters, direction, mac_key, key, 0, iv)) {
        free_wiped(p, sizeof *p);
        return NULL;
    }
    /* An empty record may come first, which is padding and MAC as well. */
    p->cbc.base.overhead = (uint16_t)(RECORD_HEADER_LEN + 2 * p->cbc.base.overhead);
    p->empty_first = empty_first && p->cbc.block_len != 0;
    return &p->cbc.base;
}
