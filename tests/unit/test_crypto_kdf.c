#include "unit.h"

#include "crypto/kdf.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

static const struct crypto_lib *libs[2];

static int make_libs(void **state)
{
    (void)state;
    libs[0] = crypto_lib_default();
    libs[1] = crypto_lib_new(NULL, "provider=default");
    return libs[0] != NULL && libs[1] != NULL ? 0 : -1;
}

static int free_libs(void **state)
{
    (void)state;
    crypto_lib_free(libs[1]);
    return 0;
}

/* RFC 5869, A.1, A.2 and A.3. */
static const struct {
    const char *ikm, *salt, *info, *prk, *okm;
} rfc5869[] = {
    { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "000102030405060708090a0b0c",
      "f0f1f2f3f4f5f6f7f8f9", "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865" },
    { "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f2021222324252627"
      "28292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f",
      "606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f8081828384858687"
      "88898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeaf",
      "b0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7"
      "d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff",
      "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
      "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c6"
      "5e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87" },
    { "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b", "", "",
      "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8" },
};

static void hkdf_of_rfc_5869(void **state)
{
    (void)state;
    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        const struct hash *h = hash_get(libs[l], HASH_SHA256);

        for (size_t i = 0; i < COUNT_OF(rfc5869); i++) {
            struct bytes ikm = from_hex(rfc5869[i].ikm);
            struct bytes salt = from_hex(rfc5869[i].salt);
            struct bytes info = from_hex(rfc5869[i].info);
            struct secret prk = { 0 };
            uint8_t okm[82];
            size_t len = strlen(rfc5869[i].okm) / 2;

            assert_true(hkdf_extract(h, salt.data, salt.len, ikm.data, ikm.len, &prk));
            assert_hex(prk.bytes, prk.len, rfc5869[i].prk);
            assert_true(hkdf_expand(h, &prk, info.data, info.len, okm, len));
            assert_hex(okm, len, rfc5869[i].okm);
        }
    }
}

/* RFC 8448, 3: the key schedule of the simple handshake, down to the handshake secret. */
static void key_schedule_of_rfc_8448(void **state)
{
    (void)state;
    static const uint8_t zeros[32];
    struct bytes shared =
        from_hex("8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d");
    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        const struct hash *h = hash_get(libs[l], HASH_SHA256);
        struct secret secret = { 0 };
        uint8_t empty[32], out[32];

        assert_true(hash_once(h, NULL, 0, empty));
        assert_true(hkdf_extract(h, NULL, 0, zeros, sizeof(zeros), &secret));
        assert_hex(secret.bytes, secret.len,
                   "33ad0a1c607ec03b09e6cd9893680ce210adf300aa1f2660e1b22e10f170f92a");
        assert_true(hkdf_expand_label(h, &secret, "derived", 7, empty, 32, out, 32));
        assert_hex(out, 32, "6f2615a108c702c5678f54fc9dbab69716c076189c48250cebeac3576c3611ba");
        assert_true(secret_equals(hkdf_first_salt(h), out, 32));
        assert_memory_equal(hash_of_nothing(h), empty, 32);
        assert_true(hkdf_extract(h, out, 32, shared.data, shared.len, &secret));
        assert_hex(secret.bytes, secret.len,
                   "1dc826e93606aa6fdc0aadc12f741b01046aa6b99f691ed221a9f0ca043fbeac");
        /* Input and output of an extraction may be the same secret. */
        assert_true(hkdf_extract(h, secret.bytes, secret.len, zeros, 32, &secret));
        assert_int_equal(secret.len, 32);
    }
}

static void run_kdf(const char *name, const OSSL_PARAM *params, uint8_t *out, size_t len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, name, NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);

    assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

static OSSL_PARAM text(const char *key, const char *value)
{
    return OSSL_PARAM_construct_utf8_string(key, (char *)(uintptr_t)value, 0);
}

static OSSL_PARAM octets(const char *key, const void *value, size_t len)
{
    return OSSL_PARAM_construct_octet_string(key, (void *)(uintptr_t)value, len);
}

static const enum hash_id suites_hashes[] = { HASH_SHA256, HASH_SHA384 };

static void labels_agree_with_libcrypto(void **state)
{
    (void)state;
    static const size_t label_lens[] = { 1, 7, 12, 40, 249 };
    static const size_t context_lens[] = { 0, 1, 32, 48, 255 };
    static const size_t out_lens[] = { 1, 12, 16, 32, 48, 64, 65, 255 };
    char label[250];
    uint8_t context[255], ours[255], theirs[255];

    memset(label, 'L', sizeof(label));
    fill_pattern(context, sizeof(context), 0, 3);
    for (size_t s = 0; s < COUNT_OF(suites_hashes); s++) {
        const struct hash *h = hash_get(libs[0], suites_hashes[s]);
        struct secret prk = { 0 };

        fill_pattern(prk.bytes, hash_len(h), 77, 1);
        prk.len = (uint8_t)hash_len(h);
        for (size_t i = 0; i < COUNT_OF(label_lens) * COUNT_OF(context_lens); i++) {
            size_t label_len = label_lens[i / COUNT_OF(context_lens)];
            size_t context_len = context_lens[i % COUNT_OF(context_lens)];
            size_t out_len = out_lens[i % COUNT_OF(out_lens)];
            /* RFC 8446, 7.1, through plain HKDF-Expand: libcrypto's TLS13-KDF limits labels. */
            uint8_t info[600];
            size_t n = 0;
            int mode = EVP_KDF_HKDF_MODE_EXPAND_ONLY;

            info[n++] = 0;
            info[n++] = (uint8_t)out_len;
            info[n++] = (uint8_t)(label_len + 6);
            memcpy(info + n, "tls13 ", 6);
            memcpy(info + n + 6, label, label_len);
            n += 6 + label_len;
            info[n++] = (uint8_t)context_len;
            memcpy(info + n, context, context_len);
            n += context_len;
            OSSL_PARAM params[] = { OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
                                    text(OSSL_KDF_PARAM_DIGEST, hash_name(h)),
                                    octets(OSSL_KDF_PARAM_KEY, prk.bytes, prk.len),
                                    octets(OSSL_KDF_PARAM_INFO, info, n),
                                    OSSL_PARAM_construct_end() };
            run_kdf("HKDF", params, theirs, out_len);
            assert_true(
                hkdf_expand_label(h, &prk, label, label_len, context, context_len, ours, out_len));
            assert_memory_equal(ours, theirs, out_len);
        }
    }
}

static void limits_of_expansion(void **state)
{
    (void)state;
    const struct hash *h = hash_get(libs[0], HASH_SHA256);
    struct secret prk = { .len = 32 };
    static uint8_t out[65536];
    char label[250] = { 0 };
    uint8_t context[256] = { 0 };

    assert_true(hkdf_expand(h, &prk, NULL, 0, out, 255 * 32));
    assert_false(hkdf_expand(h, &prk, NULL, 0, out, 255 * 32 + 1)); /* RFC 5869, 2.3 */
    assert_true(hkdf_expand(h, &prk, NULL, 0, out, 0));
    assert_true(hkdf_expand_label(h, &prk, label, 249, context, 255, out, 32));
    assert_false(hkdf_expand_label(h, &prk, label, 250, context, 255, out, 32));
    assert_false(hkdf_expand_label(h, &prk, label, 249, context, 256, out, 32));
    assert_false(hkdf_expand_label(h, &prk, label, 1, context, 1, out, 65536));
}

/* A vector that implementers of TLS 1.2 agreed on when it was new. */
/* What is computed once is what a handshake would compute. */
static void first_salts(void **state)
{
    static const enum hash_id ids[] = { HASH_SHA256, HASH_SHA384 };
    static const uint8_t zeros[HASH_MAX_LEN];
    uint8_t empty[HASH_MAX_LEN], salt[HASH_MAX_LEN];
    struct secret early = { 0 };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(libs) * COUNT_OF(ids); i++) {
        const struct hash *h = hash_get(libs[i / COUNT_OF(ids)], ids[i % COUNT_OF(ids)]);
        size_t len = hash_len(h);

        assert_true(hash_once(h, NULL, 0, empty));
        assert_memory_equal(hash_of_nothing(h), empty, len);
        assert_true(hkdf_extract(h, NULL, 0, zeros, len, &early));
        assert_true(hkdf_expand_label(h, &early, "derived", 7, empty, len, salt, len));
        assert_true(secret_equals(hkdf_first_salt(h), salt, len));
    }
}

static void prf_known_answer(void **state)
{
    (void)state;
    struct bytes secret = from_hex("9bbe436ba940f017b17652849a71db35");
    struct bytes seed = from_hex("a0ba9f936cda311827a6f796ffd5198c");
    uint8_t out[100];

    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        assert_true(tls12_prf(hash_get(libs[l], HASH_SHA256), secret.data, secret.len, "test label",
                              10, seed.data, seed.len, out, sizeof(out)));
        assert_hex(
            out, sizeof(out),
            "e3f229ba727be17b8d122620557cd453c2aab21d07c3d495329b52d4e61edb5a6b301791e90d35c9"
            "c9a46b4e14baf9af0fa022f7077def17abfd3797c0564bab4fbc91666e9def9b97fce34f796789ba"
            "a48082d122ee42c5a72e5a5110fff70187347b66");
    }
}

static void prf_agrees_with_libcrypto(void **state)
{
    (void)state;
    uint8_t secret[200], seed[77], ours[300], theirs[300];
    static const char label[] = "extended master secret";

    fill_pattern(secret, sizeof(secret), 200, 3);
    fill_pattern(seed, sizeof(seed), 5, 13);
    for (size_t s = 0; s < COUNT_OF(suites_hashes); s++) {
        const struct hash *h = hash_get(libs[0], suites_hashes[s]);

        for (size_t len = 1; len <= sizeof(ours); len += 23) {
            size_t secret_len = len % sizeof(secret) + 1;
            OSSL_PARAM params[] = { text(OSSL_KDF_PARAM_DIGEST, hash_name(h)),
                                    octets(OSSL_KDF_PARAM_SECRET, secret, secret_len),
                                    octets(OSSL_KDF_PARAM_SEED, label, sizeof(label) - 1),
                                    octets(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
                                    OSSL_PARAM_construct_end() };

            run_kdf("TLS1-PRF", params, theirs, len);
            assert_true(tls12_prf(h, secret, secret_len, label, sizeof(label) - 1, seed,
                                  sizeof(seed), ours, len));
            assert_memory_equal(ours, theirs, len);
        }
    }
}

static bool derive_everything(void *arg)
{
    const struct hash *h = hash_get(arg, HASH_SHA384);
    struct secret prk = { 0 };
    uint8_t out[100];

    return hkdf_extract(h, NULL, 0, out, 0, &prk) &&
           hkdf_expand_label(h, &prk, "key", 3, NULL, 0, out, sizeof(out)) &&
           tls12_prf(h, prk.bytes, prk.len, "label", 5, NULL, 0, out, sizeof(out));
}

static void allocation_failures(void **state)
{
    (void)state;
    assert_int_equal(fail_each_allocation(derive_everything, (void *)(uintptr_t)libs[0], false), 0);
    assert_true(fail_each_allocation(derive_everything, (void *)(uintptr_t)libs[1], true) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hkdf_of_rfc_5869),
        cmocka_unit_test(key_schedule_of_rfc_8448),
        cmocka_unit_test(labels_agree_with_libcrypto),
        cmocka_unit_test(limits_of_expansion),
        cmocka_unit_test(first_salts),
        cmocka_unit_test(prf_known_answer),
        cmocka_unit_test(prf_agrees_with_libcrypto),
        cmocka_unit_test(allocation_failures),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/kdf", tests, make_libs, free_libs);
}
