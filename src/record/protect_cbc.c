/*
 * Record protection of TLS 1.2 and 1.1 with HMAC, and CBC mode or no encryption (RFC 5246, 6.2.3.1
 * and 6.2.3.2; RFC 4346, 6.2.3; RFC 7366). Whatever is wrong with a record, its lengths included,
 * has one result; and until MAC and padding are both judged nothing here depends on them.
 */
#include "record/protect_cbc.h"

#include "crypto/random.h"

#include <openssl/crypto.h>
#include <string.h>

static struct cbc_protection *cbc_of(struct protection *p)
{
    return (struct cbc_protection *)p;
}

/* What the MAC covers besides len bytes of content. The version is the record's own. */
static void make_header(const struct cbc_protection *p, const uint8_t *record, size_t len,
                        uint8_t header[CBC_HEADER_LEN])
{
    for (size_t i = 0; i < 8; i++) {
        header[i] = (uint8_t)(p->base.sequence >> (56 - 8 * i));
    }
    memcpy(header + 8, record, 3);
    header[11] = (uint8_t)(len >> 8);
    header[12] = (uint8_t)len;
}

/* Puts the MAC of data[0..len) behind them. */
static bool append_mac(const struct cbc_protection *p, const uint8_t *record, uint8_t *data,
                       size_t len)
{
    uint8_t header[CBC_HEADER_LEN];

    make_header(p, record, len, header);
    return cbc_mac(p->cbc, data + len, header, data, len);
}

/* True when data[0..len) are followed by their MAC. */
static bool has_mac(const struct cbc_protection *p, const uint8_t *record, const uint8_t *data,
                    size_t len)
{
    uint8_t header[CBC_HEADER_LEN];
    uint8_t mac[HASH_MAX_LEN];

    make_header(p, record, len, header);
    return cbc_mac(p->cbc, mac, header, data, len) &&
           constant_time_equals(mac, data + len, p->mac_len);
}

/* Bytes that a fragment grows by, at most: padding fills the last block or is a block. */
static size_t expansion(const struct cbc_protection *p)
{
    return p->iv_len + p->block_len + p->mac_len;
}

/* The fragment for len bytes of content that stand after the place of the IV. *fragment_len: its
 * length. */
static bool protect(struct cbc_protection *p, const uint8_t *record, uint8_t *fragment, size_t len,
                    size_t *fragment_len)
{
    uint8_t *content = fragment + p->iv_len;

    if (p->block_len == 0) {
        *fragment_len = len + p->mac_len;
        return append_mac(p, record, content, len);
    }
    if (p->iv_len > 0 && !random_public(p->lib, fragment, p->iv_len)) {
        return false;
    }
    if (!p->encrypt_then_mac) {
        return append_mac(p, record, content, len) &&
               cbc_encrypt(p->cbc, fragment, p->iv_len + len + p->mac_len, fragment_len);
    }
    if (!cbc_encrypt(p->cbc, fragment, p->iv_len + len, fragment_len) ||
        !append_mac(p, record, fragment, *fragment_len)) {
        return false;
    }
    *fragment_len += p->mac_len;
    return true;
}

size_t cbc_seal(struct protection *base, uint8_t *record, uint8_t type, const uint8_t *data,
                size_t len, size_t padding)
{
    struct cbc_protection *p = cbc_of(base);
    uint8_t *fragment = record + RECORD_HEADER_LEN;
    size_t fragment_len = 0;

    if (base->sequence == UINT64_MAX || len > RECORD_MAX_PLAINTEXT || padding != 0) {
        return 0;
    }
    record[0] = type;
    record[1] = (uint8_t)(p->version >> 8);
    record[2] = (uint8_t)p->version;
    if (len > 0) {
        memcpy(fragment + p->iv_len, data, len);
    }
    if (!protect(p, record, fragment, len, &fragment_len)) {
        /* Content may be there that is not encrypted. */
        wipe(fragment, len + expansion(p));
        return 0;
    }
    record[3] = (uint8_t)(fragment_len >> 8);
    record[4] = (uint8_t)fragment_len;
    base->sequence++;
    return RECORD_HEADER_LEN + fragment_len;
}

/* Opens a fragment; *plain_len bytes of content follow the IV. */
static bool unprotect(struct cbc_protection *p, const uint8_t *record, uint8_t *fragment,
                      size_t len, size_t *plain_len)
{
    uint8_t header[CBC_HEADER_LEN];

    if (p->block_len != 0 && !p->encrypt_then_mac) {
        /* The length in header is filled in where it is known. */
        make_header(p, record, 0, header);
        return cbc_decrypt_mac(p->cbc, header, fragment, len, p->iv_len, plain_len);
    }
    if (len < p->mac_len || !has_mac(p, record, fragment, len - p->mac_len)) {
        return false;
    }
    if (p->block_len != 0) {
        return cbc_decrypt(p->cbc, fragment, len - p->mac_len, p->iv_len, plain_len);
    }
    *plain_len = len - p->mac_len;
    return true;
}

enum open_result cbc_open(struct protection *base, uint8_t *record, size_t len, uint8_t *dst,
                          struct opened *out)
{
    struct cbc_protection *p = cbc_of(base);
    uint8_t *fragment = record + RECORD_HEADER_LEN;
    size_t plain_len = 0;

    (void)dst; /* not opens_elsewhere */
    if (base->sequence == UINT64_MAX) {
        return OPEN_EXHAUSTED;
    }
    if (!unprotect(p, record, fragment, len, &plain_len)) {
        /* Nothing unauthenticated stays behind. */
        wipe(fragment, len);
        return OPEN_BAD_MAC;
    }
    base->sequence++;
    if (plain_len > RECORD_MAX_PLAINTEXT) {
        return OPEN_TOO_LONG;
    }
    *out = (struct opened){ fragment + p->iv_len, (uint32_t)plain_len, record[0] };
    return OPEN_OK;
}

void cbc_protection_wipe(struct cbc_protection *p)
{
    cbc_free(p->cbc);
    crypto_lib_free(p->lib);
}

static void cbc_protection_free(struct protection *base)
{
    cbc_protection_wipe(cbc_of(base));
    free_wiped(base, sizeof(struct cbc_protection));
}

static const struct protection_ops cbc_ops = { cbc_seal, NULL, cbc_open, NULL,
                                               cbc_protection_free };

bool cbc_protection_init(struct cbc_protection *p, const struct crypto_lib *lib,
                         const struct cbc_parameters *parameters, enum aead_direction direction,
                         const uint8_t *mac_key, const uint8_t *key, size_t iv_len,
                         const uint8_t *iv)
{
    p->base.seal_limit = UINT64_MAX;
    p->base.max_fragment = RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS12;
    p->block_len = cbc_block_len(parameters->enc);
    p->iv_len = iv_len;
    p->version = parameters->version;
    p->encrypt_then_mac = parameters->encrypt_then_mac;
    p->cbc = cbc_new(lib, parameters, direction, mac_key, key, iv);
    if (p->cbc == NULL) {
        return false;
    }
    p->mac_len = cbc_mac_len(p->cbc);
    p->base.overhead = (uint16_t)expansion(p);
    p->lib = lib;
    crypto_lib_up_ref(lib);
    return true;
}

struct protection *protection_new_cbc(const struct crypto_lib *lib,
                                      const struct cbc_parameters *parameters,
                                      enum aead_direction direction, const uint8_t *mac_key,
                                      const uint8_t *key)
{
    struct cbc_protection *p = NULL;

    if (parameters->version == VERSION_TLS12 || parameters->version == VERSION_TLS11) {
        p = OPENSSL_zalloc(sizeof *p);
    }
    if (p == NULL) {
        return NULL;
    }
    p->base.ops = &cbc_ops;
    if (!cbc_protection_init(p, lib, parameters, direction, mac_key, key,
                             cbc_block_len(parameters->enc), NULL)) {
        free_wiped(p, sizeof *p);
        return NULL;
    }
    return &p->base;
}
