/*
 * Block ciphers in CBC mode and HMAC for records (RFC 5246, 6.2.3.1 and 6.2.3.2). Padding is put
 * on and taken off by libcrypto's own TLS mode of these ciphers, which is constant time, and so is
 * its HMAC over content of secret length; what is done here with their results branches on none of
 * them (CVE-2013-0169, CVE-2016-2107).
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

#define LENGTH_AT (CBC_HEADER_LEN - 2)

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

/* The MAC that the provider took out of the last record, in its own memory, borrowed: mac_len
 * bytes. NULL: there is none, or the provider does not treat ciphertext as records. */
static const void *taken_mac(const struct cbc *c, size_t *mac_len)
{
    void *mac = NULL;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_ptr(OSSL_CIPHER_PARAM_TLS_MAC, &mac, 0),
        OSSL_PARAM_construct_end(),
    };

    *mac_len = EVP_CIPHER_CTX_get_params(c->cipher, params) == 1 && OSSL_PARAM_modified(params)
                   ? params[0].return_size
                   : SIZE_MAX;
    return mac;
}

/* True when the provider took the parameters. One that does not know them would ignore them and
 * give out content with its padding. Asked like this because not every cipher that knows them lists
 * them: 3DES does not. */
static bool knows_records(const struct cbc *c, size_t expected_mac_len)
{
    size_t mac_len;

    (void)taken_mac(c, &mac_len);
    return mac_len == expected_mac_len;
}

static bool set_cipher(struct cbc *c, const struct crypto_lib *lib,
                       const struct cbc_parameters *parameters, enum aead_direction direction,
                       const uint8_t *key)
{
    /* Any IV will do: the explicit one is the first block's ciphertext. */
    static const uint8_t iv[CBC_MAX_BLOCK_LEN];
    const struct block_cipher *b = find(parameters->enc);
    unsigned int version = parameters->version;
    size_t mac_len = parameters->encrypt_then_mac ? 0 : hash_len(c->hash);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_uint(OSSL_CIPHER_PARAM_TLS_VERSION, &version),
        OSSL_PARAM_construct_size_t(OSSL_CIPHER_PARAM_TLS_MAC_SIZE, &mac_len),
        OSSL_PARAM_construct_end(),
    };

    if (b == NULL) {
        return parameters->enc == ENC_NULL;
    }
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(lib->libctx, b->name, lib->propq);
    c->block_len = b->block_len;
    c->cipher = EVP_CIPHER_CTX_new();
    bool done =
        c->cipher != NULL && cipher != NULL &&
        EVP_CipherInit_ex2(c->cipher, cipher, key, iv, direction == AEAD_SEAL, params) == 1 &&
        knows_records(c, mac_len);
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
                    enum aead_direction direction, const uint8_t *mac_key, const uint8_t *key)
{
    enum hash_id id = suite_mac_hash(parameters->mac);
    struct cbc *c = OPENSSL_zalloc(sizeof(*c));

    if (c == NULL) {
        return NULL;
    }
    ERR_set_mark();
    c->hash = id == HASH_NONE ? NULL : hash_get(lib, id);
    bool done = c->hash != NULL && hmac_key_set(&c->mac, c->hash, mac_key, hash_len(c->hash)) &&
                set_cipher(c, lib, parameters, direction, key);
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
        OPENSSL_clear_free(c, sizeof(*c));
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

bool cbc_encrypt(struct cbc *c, uint8_t *text, size_t len, size_t *padded_len)
{
    int done = 0;

    if (len > AEAD_LONGEST_INPUT || EVP_CipherUpdate(c->cipher, text, &done, text, (int)len) != 1) {
        return false;
    }
    *padded_len = (size_t)done;
    return true;
}

/* Lengths that padding and a MAC of mac_len bytes can have led to: RFC 5246, 6.2.3.2. They are the
 * peer's and everybody's to see. */
static bool is_possible(const struct cbc *c, size_t len, size_t mac_len)
{
    return len <= AEAD_LONGEST_INPUT && len % c->block_len == 0 &&
           len >= c->block_len + mac_len + 1;
}

/* The provider's part. It fails on wrong padding only where there is no MAC to be checked. */
static bool decrypt(struct cbc *c, uint8_t *text, size_t len, size_t *plain_len)
{
    int done = 0;

    ERR_set_mark();
    bool decrypted = EVP_CipherUpdate(c->cipher, text, &done, text, (int)len) == 1;
    ERR_pop_to_mark();
    *plain_len = (size_t)done;
    return decrypted;
}

bool cbc_decrypt(struct cbc *c, uint8_t *text, size_t len, size_t *plain_len)
{
    return is_possible(c, len, 0) && decrypt(c, text, len, plain_len);
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
                     size_t *plain_len)
{
    uint8_t full_header[CBC_HEADER_LEN];
    uint8_t expected[HASH_MAX_LEN];
    size_t mac_len = hash_len(c->hash);
    size_t taken_len;

    if (!is_possible(c, len, mac_len) || !decrypt(c, text, len, plain_len)) {
        return false;
    }
    /* Random bytes if the padding was wrong. */
    const void *taken = taken_mac(c, &taken_len);
    if (taken == NULL || taken_len != mac_len) {
        return false;
    }
    memcpy(full_header, header, LENGTH_AT);
    full_header[LENGTH_AT] = (uint8_t)(*plain_len >> 8);
    full_header[LENGTH_AT + 1] = (uint8_t)*plain_len;
    if (!blind_mac(c, expected, full_header, text + c->block_len, *plain_len, len - c->block_len)) {
        return false;
    }
    bool right = constant_time_equals(expected, taken, mac_len);
    wipe(expected, sizeof(expected));
    return right;
}
