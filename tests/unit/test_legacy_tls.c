/*
 * The room of TLS 1.0 and 1.1: the PRF beside libcrypto's, CBC records that are chained, the
 * schemes.
 */
#include "unit.h"

#include "cbc_reference.h"
#include "legacy/implicit_iv.h"
#include "legacy/legacy.h"
#include "legacy/prf.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <string.h>

/* --- The PRF --- */

static void evp_prf(uint8_t *secret, size_t secret_len, uint8_t *seed, size_t seed_len,
                    uint8_t *out, size_t out_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "MD5-SHA1" }, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret, secret_len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, seed_len),
        OSSL_PARAM_construct_end(),
    };

    assert_int_equal(EVP_KDF_derive(ctx, out, out_len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* RFC 2246, 5: secrets of odd length share a byte between the halves. */
static void prf_is_libcryptos(void **state)
{
    static const size_t secret_lens[] = { 1, 2, 15, 16, 47, 48, 63, 64, 65, 127, 128, 129, 131 };
    static const size_t out_lens[] = { 1, 12, 16, 20, 36, 48, 80, 104, 200 };
    uint8_t secret[131], seed[80], ours[200], theirs[200];

    (void)state;
    fill_pattern(secret, sizeof(secret), 5, 3);
    memcpy(seed, "key expansion", 13);
    fill_pattern(seed + 13, sizeof(seed) - 13, 9, 11);
    for (size_t i = 0; i < COUNT_OF(secret_lens) * COUNT_OF(out_lens); i++) {
        struct reader key = reader_of(secret, secret_lens[i / COUNT_OF(out_lens)]);
        struct reader label = reader_of(seed, 13);
        struct reader rest = reader_of(seed + 13, i % (sizeof(seed) - 13));
        size_t len = out_lens[i % COUNT_OF(out_lens)];

        evp_prf(secret, key.left, seed, 13 + rest.left, theirs, len);
        assert_true(legacy_prf(crypto_lib_default(), NULL, &key, &label, &rest, ours, len));
        assert_memory_equal(ours, theirs, len);
    }
}

static bool prf_trial(void *arg)
{
    const struct reader bytes = reader_of("secret", 6);
    uint8_t out[48];

    (void)arg;
    return legacy_prf(crypto_lib_default(), NULL, &bytes, &bytes, &bytes, out, sizeof(out));
}

static void prf_without_memory(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(prf_trial, NULL, false) > 0);
}

/* --- Records --- */

static const uint8_t first_iv[CBC_MAX_BLOCK_LEN] = { 1, 2, 4, 8, 16, 32, 64, 128, 3, 5, 7, 11, 13 };

static struct protection *keyed(const struct combination *c, enum aead_direction direction,
                                bool empty_first)
{
    const uint8_t *mac_key;
    const uint8_t *key;

    combination_keys(&mac_key, &key);
    return protection_new_implicit_iv(crypto_lib_default(), &c->parameters, direction, mac_key, key,
                                      first_iv, empty_first);
}

static struct combination tls10(size_t i)
{
    struct combination c = combination(i);

    c.parameters.version = VERSION_TLS1;
    return c;
}

/* Takes the IV out of a record of the reference; that of TLS 1.0 is the same without. */
static size_t without_iv(const struct combination *c, uint8_t *record, size_t size)
{
    memmove(record + RECORD_HEADER_LEN, record + RECORD_HEADER_LEN + c->block_len,
            size - RECORD_HEADER_LEN - c->block_len);
    size -= c->block_len;
    record[3] = (uint8_t)((size - RECORD_HEADER_LEN) >> 8);
    record[4] = (uint8_t)(size - RECORD_HEADER_LEN);
    return size;
}

/* RFC 2246, 6.2.3.2: "The IV for subsequent records is the last ciphertext block from the previous
 * record." */
static void records_are_chained(void **state)
{
    static const size_t lens[] = { 0, 1, 11, 12, 16, 100, 0, 1000, RECORD_MAX_PLAINTEXT, 5 };
    static uint8_t text[RECORD_MAX_PLAINTEXT], ours[MAX_CBC_RECORD], theirs[MAX_CBC_RECORD];

    (void)state;
    fill_pattern(text, sizeof(text), 1, 13);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = tls10(i);
        if (c.parameters.encrypt_then_mac) {
            continue; /* the reference's MAC covers the IV: round_trips */
        }
        struct protection *seal = keyed(&c, AEAD_SEAL, false);
        struct protection *open = keyed(&c, AEAD_OPEN, false);
        uint8_t iv[CBC_MAX_BLOCK_LEN];

        memcpy(iv, first_iv, sizeof(iv));
        for (size_t k = 0; k < COUNT_OF(lens); k++) {
            struct forged f = { CONTENT_APPLICATION,        k, text, lens[k],
                                least_padding(&c, lens[k]), 0, 0,    false };
            size_t size = seal->ops->seal(seal, ours, CONTENT_APPLICATION, text, lens[k], 0);
            struct opened out;

            assert_int_equal(size, without_iv(&c, theirs, reference_seal(&c, &f, iv, theirs)));
            assert_memory_equal(ours, theirs, size);
            assert_true(size <= RECORD_HEADER_LEN + lens[k] + seal->overhead);
            memcpy(iv, ours + size - c.block_len, c.block_len);
            assert_int_equal(open->ops->open(open, ours, size - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_OK);
            assert_int_equal(out.len, lens[k]);
            assert_memory_equal(out.data, text, lens[k]);
        }
        protection_free(seal);
        protection_free(open);
    }
}

static void round_trips(void **state)
{
    static uint8_t text[700], record[MAX_CBC_RECORD];

    (void)state;
    fill_pattern(text, sizeof(text), 3, 7);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = tls10(i);
        struct protection *seal = keyed(&c, AEAD_SEAL, false);
        struct protection *open = keyed(&c, AEAD_OPEN, false);
        struct opened out;

        for (size_t len = 0; len < sizeof(text); len += 1 + len / 40) {
            size_t size = seal->ops->seal(seal, record, CONTENT_HANDSHAKE, text, len, 0);

            assert_int_equal(record[1] << 8 | record[2], VERSION_TLS1);
            assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_OK);
            assert_int_equal(out.len, len);
            assert_memory_equal(out.data, text, len);
        }
        /* A record that is lost breaks the chain and the sequence. */
        (void)!seal->ops->seal(seal, record, CONTENT_HANDSHAKE, text, 40, 0);
        size_t size = seal->ops->seal(seal, record, CONTENT_HANDSHAKE, text, 40, 0);
        assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                         OPEN_BAD_MAC);
        protection_free(seal);
        protection_free(open);
    }
}

/* Whatever is wrong, one answer; every length a record can have. */
static void what_is_wrong_is_refused(void **state)
{
    static uint8_t text[64], record[MAX_CBC_RECORD];

    (void)state;
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = tls10(i);
        struct opened out;

        for (size_t bit = 0; bit < 8 * (64 + c.mac_len + c.block_len); bit += 5) {
            struct protection *seal = keyed(&c, AEAD_SEAL, false);
            struct protection *open = keyed(&c, AEAD_OPEN, false);
            size_t size = seal->ops->seal(seal, record, CONTENT_ALERT, text, sizeof(text), 0);

            if (RECORD_HEADER_LEN + bit / 8 < size) {
                record[RECORD_HEADER_LEN + bit / 8] ^= (uint8_t)(1 << bit % 8);
                assert_int_equal(
                    open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                    OPEN_BAD_MAC);
            }
            protection_free(seal);
            protection_free(open);
        }
        for (size_t len = 0; len < 100; len++) {
            struct protection *open = keyed(&c, AEAD_OPEN, false);
            memset(record, 0x55, sizeof(record));
            assert_int_equal(open->ops->open(open, record, len, NULL, &out), OPEN_BAD_MAC);
            protection_free(open);
        }
    }
}

/* CVE-2011-3389: an empty record begins a write, none the rest of it, and none an alert. */
static void an_empty_record_begins_each_write(void **state)
{
    static const uint8_t text[100];
    static uint8_t record[1000];

    (void)state;
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = tls10(i);
        struct protection *seal = keyed(&c, AEAD_SEAL, true);
        struct protection *open = keyed(&c, AEAD_OPEN, true);
        struct opened out;

        for (int write = 0; write < 3; write++) {
            seal->ops->begin_write(seal);
            size_t alert = seal->ops->seal(seal, record, CONTENT_ALERT, text, 2, 0);
            assert_int_equal(open->ops->open(open, record, alert - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_OK);
            assert_int_equal(out.len, 2);
            for (int k = 0; k < 2; k++) {
                bool empty_due = k == 0 && c.block_len > 0;
                size_t size = seal->ops->seal(seal, record, CONTENT_APPLICATION, text, 100, 0);
                size_t first = RECORD_HEADER_LEN + (size_t)(record[3] << 8 | record[4]);

                assert_true(size <= RECORD_HEADER_LEN + 100 + (size_t)seal->overhead);
                assert_true((first < size) == empty_due);
                assert_int_equal(
                    open->ops->open(open, record, first - RECORD_HEADER_LEN, NULL, &out), OPEN_OK);
                assert_int_equal(out.len, empty_due ? 0 : 100);
                if (empty_due) {
                    assert_int_equal(open->ops->open(open, record + first,
                                                     size - first - RECORD_HEADER_LEN, NULL, &out),
                                     OPEN_OK);
                    assert_int_equal(out.len, 100);
                }
            }
        }
        seal->sequence = UINT64_MAX;
        seal->ops->begin_write(seal);
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, 1, 0), 0);
        protection_free(seal);
        protection_free(open);
    }
}

static bool record_trial(void *arg)
{
    static const uint8_t text[20];
    const struct combination *c = arg;
    struct protection *seal = keyed(c, AEAD_SEAL, true);
    struct protection *open = keyed(c, AEAD_OPEN, true);
    uint8_t record[300];
    struct opened out;
    bool done = false;

    if (seal != NULL && open != NULL) {
        size_t size = seal->ops->seal(seal, record, CONTENT_ALERT, text, sizeof(text), 0);
        done = size > 0 &&
               open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out) == OPEN_OK;
    }
    protection_free(seal);
    protection_free(open);
    ERR_clear_error();
    return done;
}

static void records_without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_COMBINATIONS; i += 4) {
        struct combination c = tls10(i);
        assert_true(fail_each_allocation(record_trial, &c, true) > 0);
    }
}

/* --- Rules --- */

static void rules_of_the_two(void **state)
{
    (void)state;
    assert_null(legacy_rules(VERSION_TLS12));
    assert_null(legacy_rules(VERSION_SSL3));
    for (uint16_t version = VERSION_TLS1; version <= VERSION_TLS11; version++) {
        const struct version_rules *rules = legacy_rules(version);
        const struct ssl_cipher_st *suite = suite_by_id(0x002f);

        assert_non_null(rules);
        assert_int_equal(rules->version, version);
        assert_int_equal(rules->hash(suite), HASH_MD5_SHA1);
        assert_int_equal(rules->needs, HASH_MD5_SHA1);
        assert_int_equal(rules->key_lens(suite).mac_key, 20);
        assert_int_equal(rules->key_lens(suite).key, 16);
        assert_int_equal(rules->key_lens(suite).iv, version == VERSION_TLS1 ? 16 : 0);
        assert_int_equal(rules->scheme(KEY_RSA)->hash, HASH_MD5_SHA1);
        assert_int_equal(rules->scheme(KEY_ECDSA)->hash, HASH_SHA1);
        assert_int_equal(rules->scheme(KEY_DSA)->hash, HASH_SHA1);
        assert_null(rules->scheme(KEY_ED25519));
        assert_null(rules->scheme(KEY_RSA_PSS));
    }
    /* What the key block's room is counted by: handshake/keys12.c. */
    assert_true(20 + 32 + 16 <=
                PROTECTION_MAX_MAC_KEY_LEN + PROTECTION_MAX_KEY_LEN + PROTECTION_MAX_IV_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prf_is_libcryptos),
        cmocka_unit_test(prf_without_memory),
        cmocka_unit_test(records_are_chained),
        cmocka_unit_test(round_trips),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(an_empty_record_begins_each_write),
        cmocka_unit_test(records_without_memory),
        cmocka_unit_test(rules_of_the_two),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
