#include "unit.h"

#include "crypto/hash.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdlib.h>
#include <string.h>

/* The default instance, which may take direct routes, and one that may not. */
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
    crypto_lib_free(libs[0]);
    crypto_lib_free(libs[1]);
    return 0;
}

/* FIPS 180-4 examples, RFC 1321, and the concatenation for TLS 1.0. */
static const struct {
    enum hash_id id;
    int nid;
    const char *name;
    const char *abc;
} answers[] = {
    { HASH_MD5, NID_md5, "MD5", "900150983cd24fb0d6963f7d28e17f72" },
    { HASH_SHA1, NID_sha1, "SHA1", "a9993e364706816aba3e25717850c26c9cd0d89d" },
    { HASH_SHA224, NID_sha224, "SHA2-224",
      "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7" },
    { HASH_SHA256, NID_sha256, "SHA2-256",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { HASH_SHA384, NID_sha384, "SHA2-384",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c8"
      "25a7" },
    { HASH_SHA512, NID_sha512, "SHA2-512",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3fe"
      "ebbd454d4423643ce80e2a9ac94fa54ca49f" },
    { HASH_MD5_SHA1, NID_md5_sha1, "MD5-SHA1",
      "900150983cd24fb0d6963f7d28e17f72a9993e364706816aba3e25717850c26c9cd0d89d" },
};

static void known_digests_and_facts(void **state)
{
    (void)state;
    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            const struct hash *h = hash_get(libs[l], answers[i].id);
            uint8_t out[HASH_MAX_LEN];

            assert_non_null(h);
            assert_true(hash_once(h, "abc", 3, out));
            assert_hex(out, hash_len(h), answers[i].abc);
            assert_string_equal(hash_name(h), answers[i].name);
            assert_int_equal(hash_nid(h), answers[i].nid);
            assert_int_equal(hash_id(h), answers[i].id);
            assert_int_equal(EVP_MD_get_size(hash_evp(h)), hash_len(h));
        }
        assert_null(hash_get(libs[l], HASH_NONE));
    }
}

static void both_routes_agree_at_every_length(void **state)
{
    (void)state;
    uint8_t data[300];

    fill_pattern(data, sizeof(data), 1, 5);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        for (size_t len = 0; len <= sizeof(data); len++) {
            uint8_t a[HASH_MAX_LEN], b[HASH_MAX_LEN], c[HASH_MAX_LEN];
            const struct hash *h = hash_get(libs[0], answers[i].id);

            assert_true(hash_once(h, data, len, a));
            assert_true(hash_once(hash_get(libs[1], answers[i].id), data, len, b));
            assert_int_equal(EVP_Digest(data, len, c, NULL, hash_evp(h), NULL), 1);
            assert_memory_equal(a, c, hash_len(h));
            assert_memory_equal(b, c, hash_len(h));
        }
    }
}

static void a_peek_changes_nothing(void **state)
{
    (void)state;
    uint8_t data[400];

    fill_pattern(data, sizeof(data), 9, 11);
    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            const struct hash *h = hash_get(libs[l], answers[i].id);
            struct running_hash r = { 0 };

            assert_true(running_hash_start(&r, h));
            for (size_t len = 0; len + 7 <= sizeof(data); len += 7) {
                uint8_t seen[HASH_MAX_LEN], again[HASH_MAX_LEN], expected[HASH_MAX_LEN];

                assert_true(running_hash_peek(&r, seen));
                assert_true(running_hash_peek(&r, again));
                assert_true(hash_once(h, data, len, expected));
                assert_memory_equal(seen, expected, hash_len(h));
                assert_memory_equal(again, expected, hash_len(h));
                assert_true(running_hash_update(&r, data + len, 7));
                assert_true(running_hash_update(&r, NULL, 0));
            }
            running_hash_wipe(&r);
            assert_null(r.hash);
            running_hash_wipe(&r);
        }
    }
}

static void copies_are_independent(void **state)
{
    (void)state;
    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        for (size_t i = 0; i < COUNT_OF(answers); i++) {
            const struct hash *h = hash_get(libs[l], answers[i].id);
            struct running_hash a = { 0 }, b = { 0 }, none = { 0 };
            uint8_t out[HASH_MAX_LEN];

            assert_true(running_hash_copy(&b, &none));
            assert_null(b.hash);
            assert_true(running_hash_start(&a, h));
            assert_true(running_hash_update(&a, "ab", 2));
            assert_true(running_hash_copy(&b, &a));
            assert_true(running_hash_update(&a, "xxxxx", 5));
            running_hash_wipe(&a);
            assert_true(running_hash_update(&b, "c", 1));
            assert_true(running_hash_peek(&b, out));
            assert_hex(out, hash_len(h), answers[i].abc);
            running_hash_wipe(&b);
        }
    }
}

/* RFC 4231, test cases 1, 2, 6 and 7. */
static void known_macs(void **state)
{
    (void)state;
    uint8_t aa[131], b0[20], out[HASH_MAX_LEN];
    static const char first[] = "Test Using Larger Than Block-Size Key - Hash Key First";
    static const char larger[] = "This is a test using a larger than block-size key and a larger "
                                 "than block-size data. The key needs to be hashed before being "
                                 "used by the HMAC algorithm.";

    memset(aa, 0xaa, sizeof(aa));
    memset(b0, 0x0b, sizeof(b0));
    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        const struct hash *sha256 = hash_get(libs[l], HASH_SHA256);
        const struct hash *sha384 = hash_get(libs[l], HASH_SHA384);

        assert_true(hmac_once(sha256, b0, 20, "Hi There", 8, out));
        assert_hex(out, 32, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
        assert_true(
            hmac_once(sha256, (const uint8_t *)"Jefe", 4, "what do ya want for nothing?", 28, out));
        assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_true(hmac_once(sha256, aa, 131, first, sizeof(first) - 1, out));
        assert_hex(out, 32, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
        assert_true(hmac_once(sha256, aa, 131, larger, sizeof(larger) - 1, out));
        assert_hex(out, 32, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2");
        assert_true(hmac_once(sha384, b0, 20, "Hi There", 8, out));
        assert_hex(
            out, 48,
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f"
            "4af152e8b2fa9cb6");
    }
}

static void macs_agree_with_libcrypto(void **state)
{
    (void)state;
    uint8_t key[200], data[200];
    static const size_t lens[] = { 0, 1, 31, 63, 64, 65, 127, 128, 129, 200 };

    fill_pattern(key, sizeof(key), 3, 7);
    fill_pattern(data, sizeof(data), 4, 9);
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        for (size_t k = 0; k < COUNT_OF(lens); k++) {
            for (size_t d = 0; d < COUNT_OF(lens); d++) {
                const struct hash *h = hash_get(libs[0], answers[i].id);
                uint8_t ours[HASH_MAX_LEN], theirs[HASH_MAX_LEN];
                size_t len;

                assert_true(hmac_once(h, key, lens[k], data, lens[d], ours));
                assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, hash_name(h), NULL, key, lens[k],
                                          data, lens[d], theirs, sizeof(theirs), &len));
                assert_int_equal(len, hash_len(h));
                assert_memory_equal(ours, theirs, len);
            }
        }
    }
}

static bool hash_everything(void *arg)
{
    const struct crypto_lib *lib = arg;
    const struct hash *h = hash_get(lib, HASH_SHA256);
    struct running_hash a = { 0 }, b = { 0 };
    uint8_t out[HASH_MAX_LEN];

    bool done = running_hash_start(&a, h) && running_hash_update(&a, "abc", 3) &&
                running_hash_peek(&a, out) && running_hash_copy(&b, &a) &&
                running_hash_peek(&b, out) && hash_once(h, "abc", 3, out) &&
                hmac_once(h, out, 32, "abc", 3, out);
    running_hash_wipe(&a);
    running_hash_wipe(&b);
    return done;
}

static void allocation_failures(void **state)
{
    (void)state;
    void *direct = (void *)(uintptr_t)libs[0];
    void *evp = (void *)(uintptr_t)libs[1];

    assert_int_equal(fail_each_allocation(hash_everything, direct, false), 0);
    assert_true(fail_each_allocation(hash_everything, evp, true) > 5);
}

static bool make_a_lib(void *arg)
{
    (void)arg;
    const struct crypto_lib *lib = crypto_lib_new(NULL, "provider=default");
    /* Where memory ran out, algorithms may be missing; those that are there must work. */
    bool complete = lib != NULL && hash_get(lib, HASH_SHA256) != NULL;
    uint8_t out[HASH_MAX_LEN];

    if (complete) {
        complete = hash_once(hash_get(lib, HASH_SHA256), "abc", 3, out);
        crypto_lib_up_ref(lib);
        crypto_lib_free(lib);
        assert_string_equal(crypto_lib_propq(lib), "provider=default");
        assert_null(crypto_lib_context(lib));
    }
    crypto_lib_free(lib);
    return complete;
}

static void a_lib_survives_allocation_failures(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(make_a_lib, NULL, true) > 1);
}

/* What a provider lacks is found out silently: the queue is the application's. */
static void missing_algorithms_leave_no_errors(void **state)
{
    (void)state;
    ERR_clear_error();
    for (int reason = 85; reason < 100; reason++) {
        ERR_raise(ERR_LIB_USER, reason); /* as many as the queue holds */
    }
    const struct crypto_lib *none = crypto_lib_new(NULL, "provider=none");
    assert_non_null(none);
    assert_null(hash_get(none, HASH_SHA256));
    crypto_lib_free(none);
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), 99);
    ERR_clear_error();
    ERR_raise(ERR_LIB_USER, 98);
    none = crypto_lib_new(NULL, "provider=none");
    crypto_lib_free(none);
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 98);
    assert_int_equal(ERR_peek_error(), 0);
}

static void the_default_instance_is_one(void **state)
{
    (void)state;
    assert_ptr_equal(crypto_lib_new(NULL, NULL), crypto_lib_default());
    crypto_lib_up_ref(crypto_lib_default());
    crypto_lib_free(crypto_lib_default());
    crypto_lib_free(crypto_lib_default());
    assert_non_null(hash_get(crypto_lib_default(), HASH_SHA256));
    assert_null(crypto_lib_context(crypto_lib_default()));
    assert_null(crypto_lib_propq(crypto_lib_default()));
    crypto_lib_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_digests_and_facts),
        cmocka_unit_test(both_routes_agree_at_every_length),
        cmocka_unit_test(a_peek_changes_nothing),
        cmocka_unit_test(copies_are_independent),
        cmocka_unit_test(known_macs),
        cmocka_unit_test(macs_agree_with_libcrypto),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(a_lib_survives_allocation_failures),
        cmocka_unit_test(missing_algorithms_leave_no_errors),
        cmocka_unit_test(the_default_instance_is_one),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/hash", tests, make_libs, free_libs);
}
