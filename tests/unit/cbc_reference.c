#include "cbc_reference.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint32_t enc;
    const char *name;
    size_t block_len;
} ciphers[] = {
    { ENC_AES128, "AES-128-CBC", 16 },
    { ENC_AES256, "AES-256-CBC", 16 },
    { ENC_CAMELLIA128, "CAMELLIA-128-CBC", 16 },
    { ENC_CAMELLIA256, "CAMELLIA-256-CBC", 16 },
    { ENC_3DES, "DES-EDE3-CBC", 8 },
    { ENC_NULL, NULL, 0 },
};

static const struct {
    uint32_t mac;
    const char *name;
    size_t len;
} macs[] = {
    { MAC_SHA1, "SHA1", 20 },
    { MAC_SHA256, "SHA256", 32 },
    { MAC_SHA384, "SHA384", 48 },
    { MAC_MD5, "MD5", 16 },
};

_Static_assert(NUM_COMBINATIONS == 4 * COUNT_OF(ciphers) * COUNT_OF(macs), "all of them");

static const uint8_t some_iv[CBC_MAX_BLOCK_LEN] = { 9, 8,  7,  6,  5,  4,  3,  2,
                                                    1, 11, 22, 33, 44, 55, 66, 77 };

/* Long enough for all; the halves of none are equal, which matters to 3DES. */
static const uint8_t cipher_key[32] = { 0x80, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                        0x10, 0x32, 0x54, 0x76, 0x98, 0xba, 0xdc, 0xfe,
                                        0x02, 0x13, 0x57, 0x9b, 0xdf, 0x24, 0x68, 0xac,
                                        0xe0, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77 };
static const uint8_t mac_key[48] = { 0x0b, 0x16, 0x21, 0x2c, 0x37, 0x42, 0x4d, 0x58, 0x63, 0x6e };

static void require(bool fact, const char *what)
{
    if (!fact) {
        fprintf(stderr, "cbc_reference: %s failed\n", what);
        abort();
    }
}

struct combination combination(size_t i)
{
    size_t cipher = i / 4 % COUNT_OF(ciphers);
    size_t mac = i / 4 / COUNT_OF(ciphers);

    return (struct combination){
        { ciphers[cipher].enc, macs[mac].mac, i % 2 == 1,
          i / 2 % 2 == 0 ? VERSION_TLS12 : VERSION_TLS11 },
        ciphers[cipher].name,
        macs[mac].name,
        ciphers[cipher].block_len,
        macs[mac].len,
    };
}

struct protection *combination_keyed(const struct combination *c, enum aead_direction direction)
{
    return protection_new_cbc(crypto_lib_default(), &c->parameters, direction, mac_key, cipher_key);
}

void combination_keys(const uint8_t **of_mac, const uint8_t **of_cipher)
{
    *of_mac = mac_key;
    *of_cipher = cipher_key;
}

struct cbc *combination_opener(const struct combination *c)
{
    return cbc_new(crypto_lib_default(), &c->parameters, AEAD_OPEN, mac_key, cipher_key, NULL);
}

/* RFC 5246, 6.2.3.1 */
static void append_mac(const struct combination *c, const struct forged *f, uint8_t *data,
                       size_t len)
{
    static uint8_t text[13 + MAX_CBC_RECORD];
    uint16_t version = c->parameters.version;
    unsigned int mac_len = 0;

    for (size_t i = 0; i < 8; i++) {
        text[i] = (uint8_t)(f->sequence >> (56 - 8 * i));
    }
    text[8] = f->type;
    text[9] = (uint8_t)(version >> 8);
    text[10] = (uint8_t)version;
    text[11] = (uint8_t)(len >> 8);
    text[12] = (uint8_t)len;
    memcpy(text + 13, data, len);
    require(HMAC(EVP_get_digestbyname(c->digest), mac_key, (int)c->mac_len, text, 13 + len,
                 data + len, &mac_len) != NULL &&
                mac_len == c->mac_len,
            "HMAC");
    if (f->wrong_mac) {
        data[len + mac_len / 2] ^= 0x10;
    }
}

void reference_encrypt(const struct combination *c, const uint8_t *iv, uint8_t *text, size_t len)
{
    const EVP_CIPHER *cipher = EVP_get_cipherbyname(c->cipher);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int done = 0;

    require(EVP_EncryptInit_ex2(ctx, cipher, cipher_key, iv, NULL) == 1 &&
                EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
                EVP_EncryptUpdate(ctx, text, &done, text, (int)len) == 1 && (size_t)done == len,
            c->cipher);
    EVP_CIPHER_CTX_free(ctx);
}

size_t least_padding(const struct combination *c, size_t len)
{
    size_t under_padding = len + (c->parameters.encrypt_then_mac ? 0 : c->mac_len);

    return c->block_len == 0 ? 0 : c->block_len - under_padding % c->block_len;
}

/* Puts padding behind text[0..len) as f wants it. Returns the new length. */
static size_t pad(const struct forged *f, uint8_t *text, size_t len)
{
    uint8_t *padding = text + len;

    for (size_t i = 0; i < f->padding; i++) {
        padding[i] = (uint8_t)(f->padding - 1);
    }
    if (f->spoilt > 0) {
        padding[f->spoilt - 1] ^= 1;
    }
    if (f->padding > 0) {
        padding[f->padding - 1] = (uint8_t)(padding[f->padding - 1] + f->length_byte);
    }
    return len + f->padding;
}

size_t reference_seal(const struct combination *c, const struct forged *f, const uint8_t *iv,
                      uint8_t *record)
{
    uint8_t *fragment = record + RECORD_HEADER_LEN;
    uint8_t *content = fragment + c->block_len;
    size_t len = f->len;

    if (len > 0) {
        memcpy(content, f->data, len);
    }
    if (!c->parameters.encrypt_then_mac || c->cipher == NULL) {
        append_mac(c, f, content, len);
        len += c->mac_len;
    }
    if (c->cipher != NULL) {
        memcpy(fragment, iv == NULL ? some_iv : iv, c->block_len);
        len = pad(f, content, len);
        reference_encrypt(c, iv == NULL ? some_iv : iv, content, len);
        len += c->block_len;
        if (c->parameters.encrypt_then_mac) {
            append_mac(c, f, fragment, len);
            len += c->mac_len;
        }
    }
    record[0] = f->type;
    record[1] = (uint8_t)(c->parameters.version >> 8);
    record[2] = (uint8_t)c->parameters.version;
    record[3] = (uint8_t)(len >> 8);
    record[4] = (uint8_t)len;
    return RECORD_HEADER_LEN + len;
}
