/*
 * Record protection of TLS 1.3 (RFC 8446, 5.2 to 5.4): the content type moves inside, the header is
 * the additional data, the nonce is the sequence number xored into the IV.
 */
#include "record/protection.h"

#include <endian.h>
#include <openssl/crypto.h>
#include <string.h>

/* All of it is one block. */
struct tls13_protection {
    struct protection base;
    uint8_t iv[AEAD_NONCE_LEN];
    uint8_t tag_len;
    _Alignas(AEAD_ALIGNMENT) uint8_t aead[];
};

static struct tls13_protection *tls13_of(struct protection *p)
{
    return (struct tls13_protection *)p;
}

static struct aead *aead_of(struct tls13_protection *p)
{
    return (struct aead *)(void *)p->aead;
}

/* RFC 8446, 5.3 */
static void make_nonce(const struct tls13_protection *p, uint8_t nonce[AEAD_NONCE_LEN])
{
    uint64_t number = htobe64(p->base.sequence);
    uint64_t last;

    memcpy(nonce, p->iv, AEAD_NONCE_LEN);
    memcpy(&last, p->iv + AEAD_NONCE_LEN - sizeof last, sizeof last);
    last ^= number;
    memcpy(nonce + AEAD_NONCE_LEN - sizeof last, &last, sizeof last);
}

static void write_header(uint8_t *record, uint8_t type, size_t len)
{
    record[0] = type;
    record[1] = 0x03;
    record[2] = 0x03;
    record[3] = (uint8_t)(len >> 8);
    record[4] = (uint8_t)len;
}

static size_t tls13_seal(struct protection *base, uint8_t *record, uint8_t type,
                         const uint8_t *data, size_t len, size_t padding)
{
    struct tls13_protection *p = tls13_of(base);
    uint8_t *fragment = record + RECORD_HEADER_LEN;
    size_t fragment_len = len + 1 + padding + p->tag_len;
    uint8_t nonce[AEAD_NONCE_LEN];

    if (base->sequence == UINT64_MAX || padding > RECORD_MAX_PLAINTEXT - len) {
        return 0;
    }
    fragment[len] = type;
    if (padding > 0) {
        memset(fragment + len + 1, 0, padding);
    }
    make_nonce(p, nonce);
    write_header(record, CONTENT_APPLICATION, fragment_len);
    if (!aead_seal(aead_of(p), nonce, record, RECORD_HEADER_LEN, fragment, data, len,
                   1 + padding)) {
        return 0;
    }
    base->sequence++;
    return RECORD_HEADER_LEN + fragment_len;
}

static bool is_inner_type(uint8_t type)
{
    return type == CONTENT_ALERT || type == CONTENT_HANDSHAKE || type == CONTENT_APPLICATION;
}

/* RFC 8446, 5.4: the last octet that is not zero is the content type. text: all len octets but the
 * very last, which is in the fragment; it is left with nothing but zeros behind the content. */
static bool take_off_padding(uint8_t *text, size_t len, const uint8_t *fragment, struct opened *out)
{
    *out = (struct opened){ text, (uint32_t)len, fragment[len] };
    while (out->type == 0 && out->len > 0) {
        out->len--;
        out->type = text[out->len];
        text[out->len] = 0;
    }
    return is_inner_type(out->type);
}

static enum open_result tls13_open(struct protection *base, uint8_t *record, size_t len,
                                   uint8_t *dst, struct opened *out)
{
    struct tls13_protection *p = tls13_of(base);
    uint8_t *fragment = record + RECORD_HEADER_LEN;
    uint8_t nonce[AEAD_NONCE_LEN];
    enum aead_result result;

    if (base->sequence == UINT64_MAX) {
        return OPEN_EXHAUSTED;
    }
    if (record[0] != CONTENT_APPLICATION) {
        return OPEN_MALFORMED;
    }
    if (len < p->tag_len) {
        return OPEN_BAD_MAC;
    }
    size_t plain_len = len - p->tag_len;
    make_nonce(p, nonce);
    if (dst == NULL) {
        dst = fragment;
        result = aead_open(aead_of(p), nonce, record, RECORD_HEADER_LEN, dst, fragment, len);
    } else {
        result = aead_open_apart(aead_of(p), nonce, record, RECORD_HEADER_LEN, dst, fragment, len);
    }
    if (result != AEAD_OPENED) {
        return open_failure(result);
    }
    base->sequence++;
    if (plain_len > RECORD_MAX_PLAINTEXT + 1) {
        return OPEN_TOO_LONG;
    }
    return plain_len > 0 && take_off_padding(dst, plain_len - 1, fragment, out) ? OPEN_OK
                                                                                : OPEN_MALFORMED;
}

static void tls13_rest(struct protection *base)
{
    aead_rest(aead_of(tls13_of(base)));
}

static void tls13_free(struct protection *base)
{
    aead_wipe(aead_of(tls13_of(base)));
    wipe(base, sizeof(struct tls13_protection));
    OPENSSL_free(base);
}

static const struct protection_ops tls13_ops = { tls13_seal, NULL, tls13_open, tls13_rest,
                                                 tls13_free };

struct protection *protection_new_tls13(const struct crypto_lib *lib, enum aead_id id,
                                        enum aead_direction direction, const uint8_t *key,
                                        const uint8_t iv[AEAD_NONCE_LEN])
{
    struct tls13_protection *p = OPENSSL_malloc(sizeof *p + aead_size(lib, id));

    if (p == NULL) {
        return NULL;
    }
    *p = (struct tls13_protection){ .tag_len = aead_facts(id)->tag_len };
    p->base.ops = &tls13_ops;
    p->base.seal_limit = aead_facts(id)->seal_limit;
    p->base.max_fragment = RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS13;
    p->base.overhead = 1 + p->tag_len;
    p->base.hides_type = true;
    memcpy(p->iv, iv, AEAD_NONCE_LEN);
    if (!aead_init(aead_of(p), lib, id, direction, key)) {
        wipe(p, sizeof *p);
        OPENSSL_free(p);
        return NULL;
    }
    p->base.opens_elsewhere = aead_opens_apart(aead_of(p));
    return &p->base;
}
