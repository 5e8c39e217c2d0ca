/*
 * Record protection of TLS 1.2 by AEADs (RFC 5246, 6.2.3.3): type and version stand in the header,
 * the additional data are the header with the plaintext's length, behind the sequence number. The
 * nonce of GCM (RFC 5288, 3) and CCM (RFC 6655, 3) has an explicit half in the record; that of
 * ChaCha20-Poly1305 (RFC 7905, 2) is made as in TLS 1.3. Also how key blocks are cut.
 */
#include "record/protection.h"

#include <openssl/crypto.h>
#include <string.h>

#define EXPLICIT_NONCE_LEN 8
#define FIXED_NONCE_LEN    (AEAD_NONCE_LEN - EXPLICIT_NONCE_LEN)
#define AAD_LEN            13

/* All of it is one block. */
struct tls12_protection {
    struct protection base;
    uint8_t iv[AEAD_NONCE_LEN]; /* the fixed part, or what the sequence number is xored into */
    uint16_t version;
    uint8_t tag_len;
    uint8_t explicit_len; /* of the nonce, in the record; 0: all of it is known */
    _Alignas(AEAD_ALIGNMENT) uint8_t aead[];
};

static struct tls12_protection *tls12_of(struct protection *p)
{
    return (struct tls12_protection *)p;
}

static struct aead *aead_of(struct tls12_protection *p)
{
    return (struct aead *)(void *)p->aead;
}

static uint8_t explicit_len_of(enum aead_id id)
{
    return id == AEAD_CHACHA20_POLY1305 ? 0 : EXPLICIT_NONCE_LEN;
}

static void write_u64(uint8_t *out, uint64_t value)
{
    for (size_t i = 0; i < 8; i++) {
        out[i] = (uint8_t)(value >> (56 - 8 * i));
    }
}

/* explicit_part: as it stands in the record, when the nonce has one. */
static void make_nonce(const struct tls12_protection *p, const uint8_t *explicit_part,
                       uint8_t nonce[AEAD_NONCE_LEN])
{
    memcpy(nonce, p->iv, AEAD_NONCE_LEN);
    if (p->explicit_len > 0) {
        memcpy(nonce + FIXED_NONCE_LEN, explicit_part, EXPLICIT_NONCE_LEN);
        return;
    }
    for (size_t i = 0; i < 8; i++) {
        nonce[AEAD_NONCE_LEN - 1 - i] ^= (uint8_t)(p->base.sequence >> (8 * i));
    }
}

/* RFC 5246, 6.2.3.3. The version is the record's own. */
static void make_aad(const struct tls12_protection *p, const uint8_t *record, size_t len,
                     uint8_t aad[AAD_LEN])
{
    write_u64(aad, p->base.sequence);
    memcpy(aad + 8, record, 3);
    aad[11] = (uint8_t)(len >> 8);
    aad[12] = (uint8_t)len;
}

static size_t tls12_seal(struct protection *base, uint8_t *record, uint8_t type,
                         const uint8_t *data, size_t len, size_t padding)
{
    struct tls12_protection *p = tls12_of(base);
    uint8_t *explicit_part = record + RECORD_HEADER_LEN;
    size_t fragment_len = p->explicit_len + len + p->tag_len;
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t aad[AAD_LEN];

    if (base->sequence == UINT64_MAX || len > RECORD_MAX_PLAINTEXT || padding != 0) {
        return 0;
    }
    record[0] = type;
    record[1] = (uint8_t)(p->version >> 8);
    record[2] = (uint8_t)p->version;
    record[3] = (uint8_t)(fragment_len >> 8);
    record[4] = (uint8_t)fragment_len;
    if (p->explicit_len > 0) {
        /* RFC 5288, 3: it may be the sequence number, which never comes twice. */
        write_u64(explicit_part, base->sequence);
    }
    make_nonce(p, explicit_part, nonce);
    make_aad(p, record, len, aad);
    if (!aead_seal(aead_of(p), nonce, aad, sizeof aad, explicit_part + p->explicit_len, data, len,
                   0)) {
        return 0;
    }
    base->sequence++;
    return RECORD_HEADER_LEN + fragment_len;
}

static enum open_result tls12_open(struct protection *base, uint8_t *record, size_t len,
                                   uint8_t *dst, struct opened *out)
{
    struct tls12_protection *p = tls12_of(base);
    uint8_t *explicit_part = record + RECORD_HEADER_LEN;
    uint8_t *text = explicit_part + p->explicit_len;
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t aad[AAD_LEN];

    if (base->sequence == UINT64_MAX) {
        return OPEN_EXHAUSTED;
    }
    if (len < p->explicit_len + p->tag_len) {
        return OPEN_BAD_MAC;
    }
    size_t sealed_len = len - p->explicit_len;
    size_t plain_len = sealed_len - p->tag_len;
    uint8_t *content = dst == NULL ? text : dst;
    make_nonce(p, explicit_part, nonce);
    make_aad(p, record, plain_len, aad);
    enum aead_result result =
        aead_open(aead_of(p), nonce, aad, sizeof aad, content, text, sealed_len);
    if (result != AEAD_OPENED) {
        return open_failure(result);
    }
    base->sequence++;
    if (plain_len > RECORD_MAX_PLAINTEXT) {
        return OPEN_TOO_LONG;
    }
    *out = (struct opened){ content, (uint32_t)plain_len, record[0] };
    return OPEN_OK;
}

static void tls12_rest(struct protection *base)
{
    aead_rest(aead_of(tls12_of(base)));
}

static void tls12_free(struct protection *base)
{
    aead_wipe(aead_of(tls12_of(base)));
    wipe(base, sizeof(struct tls12_protection));
    OPENSSL_free(base);
}

static const struct protection_ops tls12_ops = { tls12_seal, NULL, tls12_open, tls12_rest,
                                                 tls12_free };

struct protection *protection_new_tls12(const struct crypto_lib *lib, enum aead_id id,
                                        enum aead_direction direction, uint16_t version,
                                        const uint8_t *key, const uint8_t *iv)
{
    struct tls12_protection *p = OPENSSL_malloc(sizeof *p + aead_size(lib, id));

    if (p == NULL) {
        return NULL;
    }
    *p = (struct tls12_protection){ .version = version,
                                    .tag_len = aead_facts(id)->tag_len,
                                    .explicit_len = explicit_len_of(id) };
    p->base.ops = &tls12_ops;
    p->base.seal_limit = UINT64_MAX;
    p->base.max_fragment = RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS12;
    p->base.overhead = p->explicit_len + p->tag_len;
    p->base.opens_elsewhere = true;
    memcpy(p->iv, iv, AEAD_NONCE_LEN - p->explicit_len);
    if (!aead_init(aead_of(p), lib, id, direction, key)) {
        wipe(p, sizeof *p);
        OPENSSL_free(p);
        return NULL;
    }
    return &p->base;
}

struct protection_lens protection_key_lens(const struct ssl_cipher_st *suite)
{
    static const size_t mac_key_lens[NUM_HASHES] = {
        [HASH_MD5] = 16, [HASH_SHA1] = 20, [HASH_SHA256] = 32, [HASH_SHA384] = 48
    };

    if (suite->aead != AEAD_NONE) {
        return (struct protection_lens){ 0, aead_facts(suite->aead)->key_len,
                                         AEAD_NONCE_LEN - explicit_len_of(suite->aead) };
    }
    /* No IV: it is explicit and random (RFC 5246, 6.2.3.2). */
    return (struct protection_lens){ mac_key_lens[suite_mac_hash(suite->mac)],
                                     cbc_key_len(suite->enc), 0 };
}
