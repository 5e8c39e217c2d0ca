/*
 * Chains whose signatures are remembered: what is remembered and what is not, that a later chain
 * takes an earlier one's place, and that every other judgement is made each time.
 */
#include "unit.h"

#include "base/counters.h"
#include "crypto/chain_verdicts.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <time.h>

#define YEAR (365L * 24 * 60 * 60)

static const struct crypto_lib *lib;
static EVP_PKEY *root_key, *leaf_key;
static X509 *root, *leaf;

static X509 *make_cert(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key)
{
    static long serial;
    X509 *cert = X509_new();

    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), ++serial);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer != NULL ? issuer : cert));
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    if (issuer == NULL) {
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");
        X509_add_ext(cert, ca, -1);
        X509_EXTENSION_free(ca);
    }
    assert_true(X509_sign(cert, issuer_key, EVP_sha256()) > 0);
    return cert;
}

static int set_up(void **state)
{
    (void)state;
    lib = crypto_lib_default();
    root_key = EVP_EC_gen("P-256");
    leaf_key = EVP_EC_gen("P-256");
    root = make_cert("root", root_key, NULL, root_key);
    leaf = make_cert("leaf", leaf_key, root, root_key);
    return lib != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    X509_free(root);
    X509_free(leaf);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(leaf_key);
    return 0;
}

static int begin(void **state)
{
    (void)state;
    chain_verdicts_clear();
    chain_verdicts_turn(true);
    return 0;
}

static int end(void **state)
{
    (void)state;
    chain_verdicts_turn(false);
    return 0;
}

/* How a verification ended, and whether the memory was asked, and knew. */
struct outcome {
    int error; /* X509_V_... */
    uint64_t hits, misses;
};

static struct outcome verify(X509 *cert, const struct crypto_lib *for_lib, unsigned long flags,
                             time_t when)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    struct outcome outcome = { 0, counter_get(COUNTER_CHAIN_HIT), counter_get(COUNTER_CHAIN_MISS) };

    assert_int_equal(X509_STORE_add_cert(store, root), 1);
    assert_int_equal(X509_STORE_CTX_init(verification, store, cert, NULL), 1);
    X509_STORE_CTX_set_flags(verification, flags);
    if (when != 0) {
        X509_STORE_CTX_set_time(verification, 0, when);
    }
    chain_verdicts_use(for_lib, verification);
    bool ok = X509_verify_cert(verification) == 1;
    outcome.error = X509_STORE_CTX_get_error(verification);
    assert_int_equal(ok, outcome.error == X509_V_OK);
    outcome.hits = counter_get(COUNTER_CHAIN_HIT) - outcome.hits;
    outcome.misses = counter_get(COUNTER_CHAIN_MISS) - outcome.misses;
    X509_STORE_CTX_free(verification);
    X509_STORE_free(store);
    return outcome;
}

static void expect(struct outcome outcome, int error, uint64_t hits, uint64_t misses)
{
    assert_int_equal(outcome.error, error);
    assert_int_equal(outcome.hits, hits);
    assert_int_equal(outcome.misses, misses);
}

static void right_signatures_are_remembered(void **state)
{
    (void)state;
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 0, 1);
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 1, 0);
    X509 *copy = X509_dup(leaf); /* it is the bytes that count */
    expect(verify(copy, lib, 0, 0), X509_V_OK, 1, 0);
    X509_free(copy);
}

static void wrong_signatures_are_not(void **state)
{
    unsigned char *der = NULL;

    (void)state;
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 0, 1);
    int len = i2d_X509(leaf, &der);
    der[len - 1] ^= 1;
    const unsigned char *at = der;
    X509 *wrong = d2i_X509(NULL, &at, len);
    expect(verify(wrong, lib, 0, 0), X509_V_ERR_CERT_SIGNATURE_FAILURE, 0, 1);
    expect(verify(wrong, lib, 0, 0), X509_V_ERR_CERT_SIGNATURE_FAILURE, 0, 1);
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 1, 0);
    X509_free(wrong);
    OPENSSL_free(der);
}

static void time_is_judged_each_time(void **state)
{
    time_t now = time(NULL);

    (void)state;
    expect(verify(leaf, lib, 0, now), X509_V_OK, 0, 1);
    expect(verify(leaf, lib, 0, now), X509_V_OK, 1, 0);
    expect(verify(leaf, lib, 0, now + YEAR), X509_V_ERR_CERT_HAS_EXPIRED, 0, 1);
    expect(verify(leaf, lib, 0, now - YEAR), X509_V_ERR_CERT_NOT_YET_VALID, 0, 1);
    expect(verify(leaf, lib, 0, now), X509_V_OK, 1, 0);
}

/* Which signatures are looked at, and how strictly, depends on them. */
static void flags_are_part_of_what_is_known(void **state)
{
    (void)state;
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 0, 1);
    expect(verify(leaf, lib, X509_V_FLAG_CHECK_SS_SIGNATURE, 0), X509_V_OK, 0, 1);
    expect(verify(leaf, lib, X509_V_FLAG_CHECK_SS_SIGNATURE, 0), X509_V_OK, 1, 0);
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 1, 0);
}

static void what_was_changed_is_another(void **state)
{
    X509 *cert = X509_dup(leaf);

    (void)state;
    expect(verify(cert, lib, 0, 0), X509_V_OK, 0, 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711), 1);
    assert_true(i2d_re_X509_tbs(cert, NULL) > 0); /* OpenSSL keeps the encoding until told */
    expect(verify(cert, lib, 0, 0), X509_V_ERR_CERT_SIGNATURE_FAILURE, 0, 1);
    X509_free(cert);
}

static void one_that_is_trusted_itself_has_no_signature_to_remember(void **state)
{
    (void)state;
    expect(verify(root, lib, 0, 0), X509_V_OK, 0, 1);
    expect(verify(root, lib, 0, 0), X509_V_OK, 0, 1);
}

static void an_id_beside_the_bytes_is_judged_each_time(void **state)
{
    X509 *cert = X509_dup(leaf);
    ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();

    (void)state;
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 0, 1);
    X509_set0_distinguishing_id(cert, id); /* which is for SM2: ECDSA can't do with one */
    expect(verify(cert, lib, 0, 0), X509_V_ERR_CERT_SIGNATURE_FAILURE, 0, 1);
    X509_free(cert);
}

static void others_do_not_use_it(void **state)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    const struct crypto_lib *other = crypto_lib_new(libctx, NULL);

    (void)state;
    expect(verify(leaf, other, 0, 0), X509_V_OK, 0, 0);
    chain_verdicts_turn(false);
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 0, 0);
    crypto_lib_free(other);
    OSSL_LIB_CTX_free(libctx);
}

/* As many chains as there are places; then the first ones have to be verified again. */
static void later_ones_take_the_place_of_earlier_ones(void **state)
{
    uint64_t hits = 0;

    (void)state;
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 0, 1);
    for (int i = 0; i < 8 * CHAIN_VERDICT_SLOTS && hits == 0; i++) {
        X509 *cert = make_cert("another", leaf_key, root, root_key);
        expect(verify(cert, lib, 0, 0), X509_V_OK, 0, 1);
        expect(verify(cert, lib, 0, 0), X509_V_OK, 1, 0);
        X509_free(cert);
        hits = i % 64 == 63 ? verify(leaf, lib, 0, 0).misses : 0;
    }
    assert_int_equal(hits, 1);
    expect(verify(leaf, lib, 0, 0), X509_V_OK, 1, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(right_signatures_are_remembered),
        TEST(wrong_signatures_are_not),
        TEST(time_is_judged_each_time),
        TEST(flags_are_part_of_what_is_known),
        TEST(what_was_changed_is_another),
        TEST(one_that_is_trusted_itself_has_no_signature_to_remember),
        TEST(an_id_beside_the_bytes_is_judged_each_time),
        TEST(others_do_not_use_it),
        TEST(later_ones_take_the_place_of_earlier_ones),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
