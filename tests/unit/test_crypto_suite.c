#include "unit.h"

#include "crypto/suite.h"
#include "system_ssl.h"

#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

static void rows_are_found(void **state)
{
    (void)state;
    size_t num;
    const struct ssl_cipher_st *table = suite_table(&num);

    assert_int_equal(num, 160);
    for (size_t i = 0; i < num; i++) {
        const struct ssl_cipher_st *s = &table[i];

        assert_ptr_equal(suite_by_id(suite_id(s)), s);
        assert_ptr_equal(suite_by_name(s->name, strlen(s->name)), s);
        assert_ptr_equal(suite_by_name(s->standard, strlen(s->standard)), s);
        assert_int_equal(s->id >> 16, 0x0300);
        /* One bit of each kind. */
        assert_true(s->kx != 0 && (s->kx & (s->kx - 1)) == 0);
        assert_true(s->auth != 0 && (s->auth & (s->auth - 1)) == 0);
        assert_true(s->enc != 0 && (s->enc & (s->enc - 1)) == 0);
        assert_true(s->mac != 0 && (s->mac & (s->mac - 1)) == 0);
        assert_int_equal(s->tls13, i < 5);
        assert_int_equal(s->tls13, s->min_version == 0x0304);
        assert_int_equal(s->mac == MAC_AEAD, s->aead != AEAD_NONE);
        if (s->aead != AEAD_NONE) {
            assert_int_equal(s->alg_bits, 8 * aead_facts(s->aead)->key_len);
        }
        /* The order the search relies on. */
        assert_true(i == 0 || i == 5 || (i < 5) == (table[i - 1].id < s->id));
    }
    assert_int_equal(suite_by_id(0x1301)->aead, AEAD_AES_128_GCM);
    assert_int_equal(suite_by_id(0x1302)->hash, HASH_SHA384);
    assert_int_equal(suite_by_id(0x1303)->aead, AEAD_CHACHA20_POLY1305);
}

static void what_is_not_there_is_not_found(void **state)
{
    (void)state;
    assert_null(suite_by_id(0x0000));
    assert_null(suite_by_id(0x0a0a)); /* GREASE: RFC 8701 */
    assert_null(suite_by_id(0x1300));
    assert_null(suite_by_id(0x1306));
    assert_null(suite_by_id(0xffff));
    assert_null(suite_by_name("AES128-SHA", 9));
    assert_null(suite_by_name("aes128-sha", 10));
    assert_null(suite_by_name("", 0));
    assert_non_null(suite_by_name("AES128-SHA:x", 10));
}

static void availability_follows_the_providers(void **state)
{
    (void)state;
    const struct crypto_lib *none = crypto_lib_new(NULL, "provider=none");
    size_t num;
    const struct ssl_cipher_st *table = suite_table(&num);

    assert_non_null(none);
    for (size_t i = 0; i < num; i++) {
        assert_true(suite_is_available(crypto_lib_default(), &table[i]));
        assert_false(suite_is_available(none, &table[i]));
    }
    assert_false(suite_is_available(crypto_lib_default(), suite_by_id(0x0096))); /* SEED */
    assert_false(suite_is_available(crypto_lib_default(), suite_by_id(0x00ff))); /* a signal */
    crypto_lib_free(none);
}

static SSL_CTX *everything(const struct system_ssl *ssl, const char *list)
{
    SSL_CTX *ctx = ssl->ctx_new(ssl->method());

    assert_non_null(ctx);
    assert_int_equal(ssl->set_ciphersuites(ctx, ""), 1);
    (void)ssl->set_cipher_list(ctx, list);
    return ctx;
}

/* Key exchange and authentication as NIDs, in the order of the bits. */
static const int kx_nids[] = { NID_kx_rsa,     NID_kx_dhe,       NID_kx_ecdhe,   NID_kx_psk,
                               NID_kx_rsa_psk, NID_kx_ecdhe_psk, NID_kx_dhe_psk, NID_kx_srp,
                               NID_kx_any,     NID_kx_gost,      NID_kx_gost18 };
static const int auth_nids[] = { NID_auth_rsa,   NID_auth_dss,    NID_auth_null,
                                 NID_auth_ecdsa, NID_auth_psk,    NID_auth_srp,
                                 NID_auth_any,   NID_auth_gost01, NID_auth_gost12 };
static const int enc_nids[] = { NID_des_ede3_cbc,      NID_undef,
                                NID_aes_128_cbc,       NID_aes_256_cbc,
                                NID_camellia_128_cbc,  NID_camellia_256_cbc,
                                NID_aes_128_gcm,       NID_aes_256_gcm,
                                NID_aes_128_ccm,       NID_aes_256_ccm,
                                NID_aes_128_ccm,       NID_aes_256_ccm,
                                NID_chacha20_poly1305, NID_aria_128_gcm,
                                NID_aria_256_gcm };
static const int mac_nids[] = { NID_md5, NID_sha1, NID_sha256, NID_sha384, NID_undef };

static int by_bit(const int *nids, uint32_t bit)
{
    size_t i = 0;

    while (bit >> i != 1) {
        i++;
    }
    return nids[i];
}

/* Every code point: known to both or to neither, with the same facts. */
static void facts_are_those_of_openssl(void **state)
{
    (void)state;
    const struct system_ssl *ssl = system_ssl_load();
    if (ssl == NULL) {
        printf("         no OpenSSL 3.0 to compare with\n");
        skip();
    }
    SSL_CTX *ctx = everything(ssl, "ALL:COMPLEMENTOFALL:@SECLEVEL=0");
    SSL *conn = ssl->ssl_new(ctx);
    size_t compared = 0;

    for (unsigned id = 0; id < 0x10000; id++) {
        const uint8_t wire[2] = { (uint8_t)(id >> 8), (uint8_t)id };
        const SSL_CIPHER *theirs = ssl->find(conn, wire);
        const struct ssl_cipher_st *ours = suite_by_id((uint16_t)id);
        int alg_bits = 0;

        assert_int_equal(theirs != NULL, ours != NULL);
        if (theirs == NULL) {
            continue;
        }
        compared++;
        assert_int_equal(ssl->get_id(theirs), ours->id);
        assert_string_equal(ssl->get_name(theirs), ours->name);
        const char *standard = ssl->standard_name(theirs);
        assert_string_equal(standard == NULL ? "" : standard,
                            ours->standard == NULL ? "" : ours->standard);
        assert_int_equal(ssl->get_bits(theirs, &alg_bits), ours->strength_bits);
        assert_int_equal(alg_bits, ours->alg_bits);
        if (ours->kx == 0 || !suite_is_available(crypto_lib_default(), ours)) {
            continue; /* signals, and what OpenSSL cannot use either */
        }
        assert_int_equal(ssl->get_kx_nid(theirs), by_bit(kx_nids, ours->kx));
        assert_int_equal(ssl->get_auth_nid(theirs), by_bit(auth_nids, ours->auth));
        assert_int_equal(ssl->get_cipher_nid(theirs), by_bit(enc_nids, ours->enc));
        assert_int_equal(ssl->get_digest_nid(theirs), by_bit(mac_nids, ours->mac));
        assert_int_equal(ssl->is_aead(theirs), ours->aead != AEAD_NONE);
        assert_int_equal(EVP_MD_get_type(ssl->get_handshake_digest(theirs)),
                         hash_nid(hash_get(crypto_lib_default(), ours->hash)));
        static const char *const versions[] = { "SSLv3", "TLSv1.0", "TLSv1.1", "TLSv1.2",
                                                "TLSv1.3" };
        assert_string_equal(ssl->get_version(theirs), versions[ours->min_version - 0x0300]);
    }
    assert_int_equal(compared, 174);
    ssl->ssl_free(conn);
    ssl->ctx_free(ctx);
}

/* The classes of cipher strings that rows carry. */
static void classes_are_those_of_openssl(void **state)
{
    (void)state;
    static const char *const lists[] = { "HIGH:@SECLEVEL=0", "FIPS:@SECLEVEL=0",
                                         "COMPLEMENTOFDEFAULT:@SECLEVEL=0" };
    const struct system_ssl *ssl = system_ssl_load();
    if (ssl == NULL) {
        printf("         no OpenSSL 3.0 to compare with\n");
        skip();
    }
    for (size_t l = 0; l < 3; l++) {
        SSL_CTX *ctx = everything(ssl, lists[l]);
        STACK_OF(SSL_CIPHER) *theirs = ssl->get_ciphers(ctx);
        size_t num;
        const struct ssl_cipher_st *table = suite_table(&num);

        for (size_t i = 5; i < num; i++) {
            bool flags[] = { table[i].high, table[i].fips, table[i].not_default };
            bool there = false;

            for (int k = 0; k < sk_SSL_CIPHER_num(theirs); k++) {
                there = there || ssl->get_id(sk_SSL_CIPHER_value(theirs, k)) == table[i].id;
            }
            if (there != flags[l]) {
                fail_msg("%s: %s", lists[l], table[i].name);
            }
        }
        ssl->ctx_free(ctx);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found),
        cmocka_unit_test(what_is_not_there_is_not_found),
        cmocka_unit_test(availability_follows_the_providers),
        cmocka_unit_test(facts_are_those_of_openssl),
        cmocka_unit_test(classes_are_those_of_openssl),
    };

    return cmocka_run_group_tests_name("crypto/suite", tests, NULL, NULL);
}
