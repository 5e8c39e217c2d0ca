#include "unit.h"

#include "crypto/group.h"
#include "system_ssl.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <string.h>

static const struct crypto_lib *lib;

static int set_up(void **state)
{
    (void)state;
    lib = crypto_lib_default();
    return lib != NULL ? 0 : -1;
}

static const struct group *named(const char *name)
{
    const struct group *g = group_by_name(lib, name, strlen(name));

    assert_non_null(g);
    return g;
}

/* One exchange; both shares and the secret are checked for their lengths. */
static void exchange(const struct crypto_lib *a, const struct crypto_lib *b, const struct group *g)
{
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    struct shared_secret first, second;
    uint8_t offer[GROUP_MAX_SHARED_LEN];

    struct group_key *key = group_generate(a, g, &w);
    assert_non_null(key);
    assert_true(writer_ok(&w));
    assert_int_equal(writer_len(&w), g->public_len);
    memcpy(offer, writer_begin(&w), g->public_len);
    writer_rollback(&w);
    assert_int_equal(group_encapsulate(b, g, offer, g->public_len, &w, &first), GROUP_OK);
    assert_int_equal(writer_len(&w), g->public_len);
    assert_int_equal(group_decapsulate(a, key, writer_begin(&w), g->public_len, &second), GROUP_OK);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.bytes, second.bytes, first.len);
    switch (g->kind) {
    case GROUP_ECX:
    case GROUP_FFDH: /* RFC 8446, 7.4.1: as long as the prime */
        assert_int_equal(first.len, g->public_len);
        break;
    case GROUP_PROVIDED:
    case GROUP_PROVIDED_KEM:
        fail();
        break;
    case GROUP_EC: /* RFC 8446, 7.4.2: the x coordinate */
        assert_int_equal(first.len, (g->public_len - 1) / 2);
        break;
    }
    group_key_free(key);
    buffer_wipe(&out);
}

static void both_sides_agree_in_every_group(void **state)
{
    (void)state;
    const struct crypto_lib *other = crypto_lib_new(NULL, "provider=default");
    size_t num;
    const struct group *table = group_table(&num);

    assert_int_equal(num, 35);
    for (size_t i = 0; i < num; i++) {
        assert_true(group_by_id(lib, table[i].id) == &table[i]);
        assert_true(group_by_id(other, table[i].id) == &table[i]);
        exchange(lib, other, &table[i]);
    }
    crypto_lib_free(other);
}

static void availability_follows_the_providers(void **state)
{
    (void)state;
    const struct crypto_lib *none = crypto_lib_new(NULL, "provider=none");
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    size_t num;
    const struct group *table = group_table(&num);

    for (size_t i = 0; i < num; i++) {
        assert_null(group_by_id(none, table[i].id));
        assert_null(group_generate(none, &table[i], &w));
    }
    crypto_lib_free(none);
    buffer_wipe(&out);
    ERR_clear_error();
}

/* RFC 8448, 3 and 5: client's and server's key pairs and what they agree on. */
static const struct {
    const char *group;
    const char *client_private, *client_share, *server_private, *server_share, *shared;
} recorded[] = {
    { "x25519", "49af42ba7f7994852d713ef2784bcbcaa7911de26adc5642cb634540e7ea5005",
      "99381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c",
      "b1580eeadf6dd589b8ef4f2d5652578cc810e9980191ec8d058308cea216a21e",
      "c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f",
      "8bd4054fb55b9d63fdfbacf9f04b9f0d35e6d63f537563efd46272900f89492d" },
    { "secp256r1", "ab5473467e19346ceb0a0414e41da21d4d2445bc3025afe97c4e8dc8d513da39",
      "04a6da7392ec591e17abfd535964b99894d13befb221b3def2ebe3830eac8f0151812677c4d6d2237e85cf01d691"
      "0c"
      "fb83954e76ba7352830534159897e8065780",
      "8c510601f9765bfb8ed693449a48989859b5cfa879cb9f5443c41c5ff10634ed",
      "04583e054b7a66672ae020ad9d2686fcc85b5ad41a134a0f03ee72b893052bd85b4c8de6776f5b04ac07d83540ea"
      "b3"
      "e3d9c547bc6528c4317d294686093a6cad7d",
      "c142ce13ca11b5c2233652e63ad3d97844f1621fbfb9de69d547dc8fedeabeb4" },
};

static void recorded_keys_agree(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(recorded); i++) {
        const struct group *g = named(recorded[i].group);
        struct bytes client_private = from_hex(recorded[i].client_private);
        struct bytes client = from_hex(recorded[i].client_share);
        struct bytes server_private = from_hex(recorded[i].server_private);
        struct bytes server = from_hex(recorded[i].server_share);
        struct group_key *c =
            group_key_import(lib, g, client_private.data, client_private.len, client.data);
        struct group_key *s =
            group_key_import(lib, g, server_private.data, server_private.len, server.data);
        struct shared_secret shared;

        assert_non_null(c);
        assert_non_null(s);
        assert_int_equal(group_decapsulate(lib, c, server.data, server.len, &shared), GROUP_OK);
        assert_hex(shared.bytes, shared.len, recorded[i].shared);
        assert_int_equal(group_decapsulate(lib, s, client.data, client.len, &shared), GROUP_OK);
        assert_hex(shared.bytes, shared.len, recorded[i].shared);
        group_key_free(c);
        group_key_free(s);
    }
    group_key_free(NULL);
}

/* The answer of every entrance to a share. */
static void expect_refusal(const struct group *g, const uint8_t *share, size_t len,
                           enum group_result refusal)
{
    struct shared_secret shared;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    struct group_key *key = group_generate(lib, g, &w);

    assert_non_null(key);
    writer_rollback(&w);
    assert_int_equal(group_decapsulate(lib, key, share, len, &shared), refusal);
    assert_int_equal(group_encapsulate(lib, g, share, len, &w, &shared), refusal);
    assert_int_equal(writer_len(&w), 0);
    group_key_free(key);
    buffer_wipe(&out);
    ERR_clear_error();
}

static void expect_bad_share(const struct group *g, const uint8_t *share, size_t len)
{
    expect_refusal(g, share, len, GROUP_BAD_SHARE);
}

static void shares_of_wrong_length_are_bad(void **state)
{
    (void)state;
    static const char *const names[] = { "x25519", "x448", "P-256", "P-521", "ffdhe2048" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct group *g = named(names[i]);
        uint8_t share[GROUP_MAX_SHARED_LEN + 1];
        struct buffer out = { 0 };
        struct writer w = writer_to(&out);
        struct group_key *key = group_generate(lib, g, &w);

        assert_non_null(key);
        memset(share, 0, sizeof(share));
        memcpy(share, writer_begin(&w), g->public_len);
        expect_bad_share(g, share, 0);
        expect_bad_share(g, share, 1);
        expect_bad_share(g, share, g->public_len - 1);
        expect_bad_share(g, share, g->public_len + 1);
        assert_null(group_share_to_pkey(lib, g, share, g->public_len - 1));
        group_key_free(key);
        buffer_wipe(&out);
    }
}

/* RFC 8446, 4.2.8.2: "Peers MUST validate each other's public value Q by ensuring that the point is
 * a valid point on the elliptic curve." Uncompressed is the only form. */
static void points_must_be_uncompressed_and_on_the_curve(void **state)
{
    (void)state;
    static const char *const names[] = { "P-256", "P-384", "P-521", "brainpoolP256r1",
                                         "sect233k1" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct group *g = named(names[i]);
        uint8_t share[133];
        size_t half = (g->public_len - 1) / 2;
        struct buffer out = { 0 };
        struct writer w = writer_to(&out);
        struct group_key *key = group_generate(lib, g, &w);

        assert_non_null(key);
        memcpy(share, writer_begin(&w), g->public_len);
        share[g->public_len - 1] ^= 1; /* off the curve */
        expect_bad_share(g, share, g->public_len);
        assert_null(group_share_to_pkey(lib, g, share, g->public_len));
        ERR_clear_error();
        share[g->public_len - 1] ^= 1;
        EVP_PKEY *good = group_share_to_pkey(lib, g, share, g->public_len);
        assert_non_null(good);
        EVP_PKEY_free(good);
        for (unsigned form = 0; form < 256; form++) {
            if (form != 4) { /* hybrid forms 6 and 7, compressed 2 and 3, infinity 0 */
                share[0] = (uint8_t)form;
                expect_bad_share(g, share, g->public_len);
            }
            if (i > 0 && form > 8) {
                break;
            }
        }
        share[0] = (uint8_t)(2 + (share[g->public_len - 1] & 1));
        expect_bad_share(g, share, 1 + half);
        memset(share, 0xff, g->public_len); /* coordinates beyond the field */
        share[0] = 4;
        expect_bad_share(g, share, g->public_len);
        memset(share + 1, 0, g->public_len - 1);
        expect_bad_share(g, share, g->public_len);
        group_key_free(key);
        buffer_wipe(&out);
    }
}

/* RFC 8446, 7.4.2: "implementations MUST check whether the computed Diffie-Hellman shared secret is
 * the all-zero value and abort if so". These shares of small order give it with every key. */
static void small_orders_are_weak(void **state)
{
    (void)state;
    static const char *const x25519[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
    };

    for (size_t i = 0; i < COUNT_OF(x25519); i++) {
        struct bytes share = from_hex(x25519[i]);

        expect_refusal(named("x25519"), share.data, share.len, GROUP_WEAK_SHARE);
    }
    uint8_t x448[56] = { 0 };
    expect_refusal(named("x448"), x448, sizeof(x448), GROUP_WEAK_SHARE);
    x448[0] = 1;
    expect_refusal(named("x448"), x448, sizeof(x448), GROUP_WEAK_SHARE);
    memset(x448, 0xff, sizeof(x448)); /* p - 1, p and p + 1 of p = 2^448 - 2^224 - 1 */
    x448[28] = 0xfe;
    x448[0] = 0xfe;
    expect_refusal(named("x448"), x448, sizeof(x448), GROUP_WEAK_SHARE);
    x448[0] = 0xff;
    expect_refusal(named("x448"), x448, sizeof(x448), GROUP_WEAK_SHARE);
    memset(x448, 0, 28);
    x448[28] = 0xff;
    expect_refusal(named("x448"), x448, sizeof(x448), GROUP_WEAK_SHARE);
}

/* On a binary curve x = 0 is a point of order 2: on the curve, but not in the group. For y^2 = 1,
 * the equation of sect233k1 there, y is 1. */
static void points_must_be_of_the_right_order(void **state)
{
    (void)state;
    const struct group *g = named("sect233k1");
    uint8_t share[61] = { 4 };

    assert_int_equal(g->public_len, sizeof(share));
    share[60] = 1;
    expect_bad_share(g, share, sizeof(share));
}

/* RFC 8446, 4.2.8.1: "Peers MUST validate each other's public key Y by ensuring that
 * 1 < Y < p-1." */
static void finite_field_shares_have_a_range(void **state)
{
    (void)state;
    static const char *const names[] = { "ffdhe2048", "ffdhe3072", "ffdhe4096", "ffdhe6144",
                                         "ffdhe8192" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const struct group *g = named(names[i]);
        uint8_t share[GROUP_MAX_SHARED_LEN] = { 0 };
        BIGNUM *p = NULL;

        expect_bad_share(g, share, g->public_len); /* 0 */
        share[g->public_len - 1] = 1;
        expect_bad_share(g, share, g->public_len);
        share[g->public_len - 1] = 2;
        EVP_PKEY *two = group_share_to_pkey(lib, g, share, g->public_len);
        assert_non_null(two);
        assert_int_equal(EVP_PKEY_get_bn_param(two, "p", &p), 1);
        EVP_PKEY_free(two);
        assert_int_equal(BN_num_bytes(p), g->public_len);
        static const int offsets[] = { -1, 0, 1 };
        for (size_t k = 0; k < COUNT_OF(offsets); k++) {
            BIGNUM *y = BN_dup(p);

            assert_int_equal(
                offsets[k] < 0 ? BN_sub_word(y, 1) : BN_add_word(y, (BN_ULONG)offsets[k]), 1);
            assert_int_equal(BN_bn2binpad(y, share, (int)g->public_len), g->public_len);
            expect_bad_share(g, share, g->public_len);
            BN_free(y);
        }
        memset(share, 0xff, g->public_len);
        expect_bad_share(g, share, g->public_len);
        BN_free(p);
    }
}

/* RFC 8446, 7.4.1: the secret is padded with leading zeros up to the size of the prime. 2^3 needs
 * all but one byte of that. */
static void small_finite_field_secrets_are_padded(void **state)
{
    (void)state;
    const struct group *g = named("ffdhe2048");
    uint8_t two[256] = { 0 };
    uint8_t eight[256] = { 0 };
    static const uint8_t three = 3;
    struct shared_secret shared;

    two[255] = 2;
    eight[255] = 8;
    struct group_key *key = group_key_import(lib, g, &three, 1, eight);
    assert_non_null(key);
    assert_int_equal(group_decapsulate(lib, key, two, sizeof(two), &shared), GROUP_OK);
    assert_int_equal(shared.len, sizeof(eight));
    assert_memory_equal(shared.bytes, eight, sizeof(eight));
    group_key_free(key);
}

static void keys_can_be_shown_to_applications(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    struct group_key *key = group_generate(lib, named("P-256"), &w);
    uint8_t *encoded = NULL;
    char name[32];

    EVP_PKEY *peer = group_share_to_pkey(lib, named("P-256"), writer_begin(&w), writer_len(&w));
    group_key_free(key);
    assert_int_equal(EVP_PKEY_get_group_name(peer, name, sizeof(name), NULL), 1);
    assert_string_equal(name, "prime256v1");
    assert_int_equal((int)EVP_PKEY_get1_encoded_public_key(peer, &encoded), (int)writer_len(&w));
    assert_memory_equal(encoded, writer_begin(&w), writer_len(&w));
    OPENSSL_free(encoded);
    EVP_PKEY_free(peer);
    buffer_wipe(&out);
}

static void names_and_numbers(void **state)
{
    (void)state;
    size_t num;
    const struct group *table = group_table(&num);

    for (size_t i = 0; i < num; i++) {
        assert_ptr_equal(group_by_id(lib, table[i].id), &table[i]);
        assert_ptr_equal(group_by_nid(lib, table[i].nid), &table[i]);
        assert_ptr_equal(named(table[i].name), &table[i]);
        assert_true(i == 0 || table[i - 1].id < table[i].id);
    }
    assert_int_equal(named("prime256v1")->id, 23);
    assert_int_equal(named("P-256")->id, 23);
    assert_int_equal(named("X25519")->id, 29);
    assert_int_equal(named("x25519")->id, 29);
    assert_int_equal(group_by_name(lib, "P-2567", 5)->id, 23);
    assert_null(group_by_name(lib, "P-2567", 6));
    assert_null(group_by_name(lib, "p-256", 5));
    assert_null(group_by_name(lib, "EC", 2));
    assert_null(group_by_name(lib, "DH", 2));
    assert_null(group_by_name(lib, "", 0));
    assert_null(group_by_id(lib, 0));
    assert_null(group_by_id(lib, 0x0a0a));
    assert_null(group_by_nid(lib, NID_undef));
}

/* Group lists of both libraries know the same names. */
static void names_are_those_of_openssl(void **state)
{
    (void)state;
    const struct system_ssl *ssl = system_ssl_load();
    if (ssl == NULL) {
        printf("         no OpenSSL 3.0 to compare with\n");
        skip();
    }
    SSL_CTX *ctx = ssl->ctx_new(ssl->method());
    /* Every name libcrypto has for anything, the TLS names, and some that nobody knows. */
    char upper[64];
    size_t known = 0;

    for (int nid = 1; nid < 1400; nid++) {
        const char *candidates[4] = { OBJ_nid2sn(nid), OBJ_nid2ln(nid), EC_curve_nid2nist(nid),
                                      upper };
        const struct group *g = group_by_nid(lib, nid);

        snprintf(upper, sizeof(upper), "%s", g == NULL ? "none" : g->name);
        for (size_t k = 0; k < 4; k++) {
            char list[128];

            if (candidates[k] == NULL || candidates[k][0] == '\0' || strlen(candidates[k]) >= 64 ||
                strchr(candidates[k], ':') != NULL) {
                continue;
            }
            snprintf(list, sizeof(list), "%s", candidates[k]);
            const struct group *ours = group_by_name(lib, list, strlen(list));
            long theirs = ssl->ctx_ctrl(ctx, SSL_CTRL_SET_GROUPS_LIST, 0, list);
            if ((theirs == 1) != (ours != NULL)) {
                fail_msg("%s: %ld", list, theirs);
            }
            known += ours != NULL;
        }
    }
    assert_true(known > 100);
    ssl->ctx_free(ctx);
    ERR_clear_error();
}

static bool one_exchange(void *arg)
{
    const struct group *g = arg;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    struct shared_secret first, second;
    uint8_t offer[GROUP_MAX_SHARED_LEN];
    bool done = false;

    struct group_key *key = group_generate(lib, g, &w);
    if (key != NULL) {
        memcpy(offer, writer_begin(&w), g->public_len);
        writer_rollback(&w);
        done = group_encapsulate(lib, g, offer, g->public_len, &w, &first) == GROUP_OK &&
               group_decapsulate(lib, key, writer_begin(&w), g->public_len, &second) == GROUP_OK;
    }
    if (done) {
        assert_int_equal(first.len, second.len);
        assert_memory_equal(first.bytes, second.bytes, first.len);
    }
    group_key_free(key);
    buffer_wipe(&out);
    return done;
}

static void allocation_failures(void **state)
{
    (void)state;
    /* Those that EVP does are many. */
    static const struct {
        const char *name;
        size_t least;
    } rows[] = { { "x25519", 10 }, { "P-256", 20 }, { "ffdhe2048", 20 } };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        void *g = (void *)(uintptr_t)named(rows[i].name);

        assert_true(fail_each_allocation(one_exchange, g, true) > rows[i].least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_agree_in_every_group),
        cmocka_unit_test(availability_follows_the_providers),
        cmocka_unit_test(recorded_keys_agree),
        cmocka_unit_test(shares_of_wrong_length_are_bad),
        cmocka_unit_test(points_must_be_uncompressed_and_on_the_curve),
        cmocka_unit_test(points_must_be_of_the_right_order),
        cmocka_unit_test(small_orders_are_weak),
        cmocka_unit_test(finite_field_shares_have_a_range),
        cmocka_unit_test(small_finite_field_secrets_are_padded),
        cmocka_unit_test(keys_can_be_shown_to_applications),
        cmocka_unit_test(names_and_numbers),
        cmocka_unit_test(names_are_those_of_openssl),
        cmocka_unit_test(allocation_failures),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/group", tests, set_up, NULL);
}
