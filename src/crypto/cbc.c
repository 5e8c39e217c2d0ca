/*
 * Block ciphers in CBC mode and HMAC for records (RFC 5246, 6.2.3.1 and 6.2.3.2). What was
 * decrypted decides about no branch and no address before padding and MAC are judged together:
 * Lucky 13 (CVE-2013-0169), CVE-2016-2107. The MAC of content whose length is not to be known is
 * libcrypto's: its HMAC has a mode for it.
 */
#include "crypto/cbc.h"

#include "crypto/aead_internal.h"
#include "crypto/hmac.h"
#include "crypto/lib_internal.h"
#include "crypto/suite.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#define LENGTH_AT       (CBC_HEADER_LEN - 2)
#define CBC_MAX_PADDING 256 /* RFC 5246, 6.2.3.2: 255 and the byte that says so; a power of two */

struct cbc {
    EVP_CIPHER_CTX *cipher;  /* owns; NULL: no encryption */
    struct hmac_key mac;     /* for content whose length is no secret */
    EVP_MAC_CTX *blind_mac;  /* owns; keyed, to be copied. NULL: not opening MAC-then-encrypt */
    const struct hash *hash; /* of the MAC */
    size_t block_len;
};

static const struct block_cipher {
    uint32_t enc;
    const char *name;
    size_t key_len;
    size_t block_len;
} block_ciphers[] = {
    { ENC_AES128, "AES-128-CBC", 16, 16 },
    { ENC_AES256, "AES-256-CBC", 32, 16 },
    { ENC_CAMELLIA128, "CAMELLIA-128-CBC", 16, 16 },
    { ENC_CAMELLIA256, "CAMELLIA-256-CBC", 32, 16 },
    { ENC_3DES, "DES-EDE3-CBC", 24, 8 },
};

static const struct block_cipher *find(uint32_t enc)
{
    for (size_t i = 0; i < COUNT_OF(block_ciphers); i++) {
        if (block_ciphers[i].enc == enc) {
            return &block_ciphers[i];
        }
    }
    return NULL;
}

size_t cbc_key_len(uint32_t enc)
{
    const struct block_cipher *b = find(enc);

    return b == NULL ? 0 : b->key_len;
}

size_t cbc_block_len(uint32_t enc)
{
    const struct block_cipher *b = find(enc);

    return b == NULL ? 0 : b->block_len;
}

static bool set_cipher(struct cbc *c, const struct crypto_lib *lib,
                       const struct cbc_parameters *parameters, enum aead_direction direction,
                       const uint8_t *key, const uint8_t *iv)
{
    static const uint8_t any_iv[CBC_MAX_BLOCK_LEN];
    const struct block_cipher *b = find(parameters->enc);

    if (b == NULL) {
        return parameters->enc == ENC_NULL;
    }
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(lib->libctx, b->name, lib->propq);
    c->block_len = b->block_len;
    c->cipher = EVP_CIPHER_CTX_new();
    bool done = c->cipher != NULL && cipher != NULL &&
                EVP_CipherInit_ex2(c->cipher, cipher, key, iv != NULL ? iv : any_iv,
                                   direction == AEAD_SEAL, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(c->cipher, 0) == 1;
    EVP_CIPHER_free(cipher);
    return done;
}

/* The HMAC that takes content whose length nobody may learn. */
static bool set_blind_mac(struct cbc *c, const struct crypto_lib *lib, const uint8_t *key)
{
    /* The parameters want them writable and do not write. */
    char *digest = OPENSSL_strdup(hash_name(c->hash));
    char *propq = lib->propq;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_end(), OSSL_PARAM_construct_end(),
                            OSSL_PARAM_construct_end() };
    EVP_MAC *mac = EVP_MAC_fetch(lib->libctx, "HMAC", lib->propq);
    bool done = mac != NULL && digest != NULL &&
                OSSL_PARAM_locate_const(EVP_MAC_settable_ctx_params(mac),
                                        OSSL_MAC_PARAM_TLS_DATA_SIZE) != NULL;

    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0);
    if (propq != NULL) {
        params[1] = OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_PROPERTIES, propq, 0);
    }
    if (done) {
        c->blind_mac = EVP_MAC_CTX_new(mac);
        done =
            c->blind_mac != NULL && EVP_MAC_init(c->blind_mac, key, hash_len(c->hash), params) == 1;
    }
    EVP_MAC_free(mac);
    OPENSSL_free(digest);
    return done;
}

struct cbc *cbc_new(const struct crypto_lib *lib, const struct cbc_parameters *parameters,
                    enum aead_direction direction, const uint8_t *mac_key, const uint8_t *key,
                    const uint8_t *iv)
{
    enum hash_id id = suite_mac_hash(parameters->mac);
    struct cbc *c = OPENSSL_zalloc(sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    ERR_set_mark();
    c->hash = id == HASH_NONE ? NULL : hash_get(lib, id);
    bool done = c->hash != NULL && hmac_key_set(&c->mac, c->hash, mac_key, hash_len(c->hash)) &&
                set_cipher(c, lib, parameters, direction, key, iv);
    if (done && c->cipher != NULL && direction == AEAD_OPEN && !parameters->encrypt_then_mac) {
        done = set_blind_mac(c, lib, mac_key);
    }
    ERR_pop_to_mark();
    if (!done) {
        cbc_free(c);
        return NULL;
    }
    return c;
}

void cbc_free(struct cbc *c)
{
    if (c != NULL) {
        EVP_CIPHER_CTX_free(c->cipher);
        EVP_MAC_CTX_free(c->blind_mac);
        hmac_key_wipe(&c->mac);
        free_wiped(c, sizeof(*c));
    }
}

size_t cbc_mac_len(const struct cbc *c)
{
    return hash_len(c->hash);
}

bool cbc_mac(const struct cbc *c, uint8_t *mac, const uint8_t header[CBC_HEADER_LEN],
             const uint8_t *data, size_t len)
{
    const struct hmac_part parts[] = { { header, CBC_HEADER_LEN }, { data, len } };

    return hmac_key_mac(&c->mac, mac, parts, COUNT_OF(parts));
}

/* Whole blocks, in place, chained to the last block of the call before. */
static bool crypt_blocks(struct cbc *c, uint8_t *text, size_t len)
{
    int done = 0;

    return len <= AEAD_LONGEST_INPUT &&
           EVP_CipherUpdate(c->cipher, text, &done, text, (int)len) == 1 && (size_t)done == len;
}

bool cbc_encrypt(struct cbc *c, uint8_t *text, size_t len, size_t *padded_len)
{
    size_t padding = c->block_len - len % c->block_len;

    memset(text + len, (int)(padding - 1), padding);
    *padded_len = len + padding;
    return crypt_blocks(c, text, *padded_len);
}

/* Lengths that an IV, padding and a MAC can have led to: RFC 5246, 6.2.3.2. They are everybody's to
 * see. */
static bool is_possible(const struct cbc *c, size_t len, size_t iv_len, size_t mac_len)
{
    return len % c->block_len == 0 && len >= iv_len + mac_len + 1;
}

/* All ones when text[0..len) ends with right padding after at least mac_len bytes, else zero.
 * *padding: its bytes; 0: it is wrong. RFC 5246, 6.2.3.2: each byte has the value of the last, and
 * all are looked at (POODLE). */
static size_t check_padding(const uint8_t *text, size_t len, size_t mac_len, size_t *padding)
{
    uint8_t last = text[len - 1];
    size_t num_looked_at = len < CBC_MAX_PADDING ? len : CBC_MAX_PADDING;
    uint8_t differences = 0;

    for (size_t i = 0; i < num_looked_at; i++) {
        uint8_t is_padding = (uint8_t)constant_time_ge(last, i);
        differences |= is_padding & (text[len - 1 - i] ^ last);
    }
    size_t right =
        constant_time_ge(len, mac_len + 1 + last) & constant_time_ge(0, (size_t)differences);
    *padding = right & ((size_t)last + 1);
    return right;
}

bool cbc_decrypt(struct cbc *c, uint8_t *text, size_t len, size_t iv_len, size_t *plain_len)
{
    size_t padding;

    if (!is_possible(c, len, iv_len, 0) || !crypt_blocks(c, text, len)) {
        return false;
    }
    size_t right = check_padding(text + iv_len, len - iv_len, 0, &padding);
    *plain_len = len - iv_len - padding;
    return right != 0;
}

/* Copies the MAC, which starts at text[at] and of which only the padding follows, without an
 * address that depends on at: the end of text is moved to the front in steps of powers of two, each
 * made or not. */
static void copy_mac(uint8_t *mac, size_t mac_len, const uint8_t *text, size_t len, size_t at)
{
    uint8_t end[HASH_MAX_LEN + 2 * CBC_MAX_PADDING] = { 0 };
    size_t end_len = len < mac_len + CBC_MAX_PADDING ? len : mac_len + CBC_MAX_PADDING;
    size_t distance = at - (len - end_len);

    memcpy(end, text + len - end_len, end_len);
    for (size_t step = CBC_MAX_PADDING; step > 0; step /= 2) {
        size_t is_due = constant_time_ge(distance, step);

        /* What follows is moved by less than step any more. */
        for (size_t i = 0; i < mac_len + step - 1; i++) {
            end[i] = constant_time_select((uint8_t)is_due, end[i + step], end[i]);
        }
        distance -= is_due & step;
    }
    memcpy(mac, end, mac_len);
    wipe(end, sizeof(end));
}

/* The MAC that content[0..plain_len) has to have, in time that depends on outer_len, which is what
 * content, MAC and padding take together. */
static bool blind_mac(const struct cbc *c, uint8_t *mac, const uint8_t header[CBC_HEADER_LEN],
                      const uint8_t *content, size_t plain_len, size_t outer_len)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_TLS_DATA_SIZE, &outer_len),
        OSSL_PARAM_construct_end(),
    };
    /* A copy each time: once it has been told of a record it does not begin another. */
    EVP_MAC_CTX *ctx = EVP_MAC_CTX_dup(c->blind_mac);
    size_t mac_len = 0;

    bool done = ctx != NULL && EVP_MAC_CTX_set_params(ctx, params) == 1 &&
                EVP_MAC_update(ctx, header, CBC_HEADER_LEN) == 1 &&
                EVP_MAC_update(ctx, content, plain_len) == 1 &&
                EVP_MAC_final(ctx, mac, &mac_len, HASH_MAX_LEN) == 1;
    EVP_MAC_CTX_free(ctx);
    return done && mac_len == hash_len(c->hash);
}

bool cbc_decrypt_mac(struct cbc *c, const uint8_t header[CBC_HEADER_LEN], uint8_t *text, size_t len,
                     size_t iv_len, size_t *plain_len)
{
    uint8_t full_header[CBC_HEADER_LEN];
    uint8_t expected[HASH_MAX_LEN];
    uint8_t found[HASH_MAX_LEN];
    size_t mac_len = hash_len(c->hash);
    size_t padding;

    if (!is_possible(c, len, iv_len, mac_len) || !crypt_blocks(c, text, len)) {
        return false;
    }
    const uint8_t *content = text + iv_len;
    size_t outer_len = len - iv_len;
    /* RFC 5246, 6.2.3.2: wrong padding is taken for none, so that there is a MAC to compute. */
    size_t right = check_padding(content, outer_len, mac_len, &padding);
    *plain_len = outer_len - padding - mac_len;
    memcpy(full_header, header, LENGTH_AT);
    full_header[LENGTH_AT] = (uint8_t)(*plain_len >> 8);
    full_header[LENGTH_AT + 1] = (uint8_t)*plain_len;
    if (!blind_mac(c, expected, full_header, content, *plain_len, outer_len)) {
        return false;
    }
    copy_mac(found, mac_len, content, outer_len, *plain_len);
    bool same = constant_time_equals(expected, found, mac_len);
    wipe(expected, sizeof(expected));
    wipe(found, sizeof(found));
    return ((size_t)same & right) != 0;
}
