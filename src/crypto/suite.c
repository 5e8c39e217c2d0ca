/*
 * Finding cipher suites. The facts about them are in suite_table.c.
 */
#include "crypto/suite.h"

#include "crypto/lib_internal.h"
#include "crypto/suite_table.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

/* Binary search among the suites before TLS 1.3, which stand by falling code point. */
static const struct ssl_cipher_st *find_older(uint16_t id)
{
    const struct ssl_cipher_st *rows = suite_rows + NUM_TLS13_SUITES;
    size_t first = 0;
    size_t end = NUM_OLDER_SUITES;

    while (first < end) {
        size_t middle = first + (end - first) / 2;
        uint16_t there = suite_id(&rows[middle]);

        if (there == id) {
            return &rows[middle];
        }
        if (there > id) {
            first = middle + 1;
        } else {
            end = middle;
        }
    }
    return NULL;
}

static const struct ssl_cipher_st *find_among(size_t first, size_t num, uint16_t id)
{
    for (size_t i = first; i < first + num; i++) {
        if (suite_id(&suite_rows[i]) == id) {
            return &suite_rows[i];
        }
    }
    return NULL;
}

const struct ssl_cipher_st *suite_by_id(uint16_t id)
{
    const struct ssl_cipher_st *found = find_among(0, NUM_TLS13_SUITES, id);

    if (found == NULL) {
        found = find_older(id);
    }
    if (found == NULL) {
        found = find_among(NUM_TLS13_SUITES + NUM_OLDER_SUITES, NUM_HIDDEN_SUITES, id);
    }
    return found;
}

static bool is_name(const char *candidate, const char *name, size_t len)
{
    return candidate != NULL && strlen(candidate) == len && memcmp(candidate, name, len) == 0;
}

const struct ssl_cipher_st *suite_by_name(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT_OF(suite_rows); i++) {
        if (is_name(suite_rows[i].name, name, len) || is_name(suite_rows[i].standard, name, len)) {
            return &suite_rows[i];
        }
    }
    return NULL;
}

const struct ssl_cipher_st *suite_table(size_t *num)
{
    *num = NUM_TLS13_SUITES + NUM_OLDER_SUITES;
    return suite_rows;
}

uint16_t suite_id(const struct ssl_cipher_st *suite)
{
    return (uint16_t)suite->id;
}

/* Ciphers that are no AEAD, by their libcrypto names. IDEA, SEED and GOST are left out: no suite
 * with them can be chosen. */
static const struct {
    uint32_t enc;
    const char *name;
} block_ciphers[] = {
    { ENC_3DES, "DES-EDE3-CBC" },
    { ENC_AES128, "AES-128-CBC" },
    { ENC_AES256, "AES-256-CBC" },
    { ENC_CAMELLIA128, "CAMELLIA-128-CBC" },
    { ENC_CAMELLIA256, "CAMELLIA-256-CBC" },
};

uint32_t suite_find_ciphers(const struct crypto_lib *lib)
{
    uint32_t found = ENC_NULL;

    for (size_t i = 0; i < NUM_TLS13_SUITES + NUM_OLDER_SUITES; i++) {
        if (lib->aeads[suite_rows[i].aead] != NULL) {
            found |= suite_rows[i].enc;
        }
    }
    for (size_t i = 0; i < COUNT_OF(block_ciphers); i++) {
        ERR_set_mark();
        EVP_CIPHER *cipher = EVP_CIPHER_fetch(lib->libctx, block_ciphers[i].name, lib->propq);
        ERR_pop_to_mark();

        if (cipher != NULL) {
            found |= block_ciphers[i].enc;
        }
        EVP_CIPHER_free(cipher);
    }
    return found;
}

enum hash_id suite_mac_hash(uint32_t mac)
{
    switch (mac) {
    case MAC_MD5:
        return HASH_MD5;
    case MAC_SHA1:
        return HASH_SHA1;
    case MAC_SHA256:
        return HASH_SHA256;
    case MAC_SHA384:
        return HASH_SHA384;
    default:
        return HASH_NONE;
    }
}

bool suite_is_available(const struct crypto_lib *lib, const struct ssl_cipher_st *suite)
{
    enum hash_id prf = suite->hash == HASH_MD5_SHA1 ? HASH_SHA256 : suite->hash;

    return (lib->ciphers & suite->enc) != 0 && hash_get(lib, prf) != NULL &&
           (suite->mac == MAC_AEAD || hash_get(lib, suite_mac_hash(suite->mac)) != NULL);
}
