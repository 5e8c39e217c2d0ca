#include "unit.h"

#include "crypto/cert_decode.h"
#include "crypto/stand_in.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* --- Certificates --- */

struct encoding {
    unsigned char *der;
    size_t len;
};

static struct encoding encoding_of(EVP_PKEY *key)
{
    struct encoding e = { NULL, 0 };
    X509 *cert = X509_new();
    bool edwards = EVP_PKEY_is_a(key, "ED25519") == 1;

    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(cert), 7), 1);
    assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                                                (const unsigned char *)"localhost", -1, -1, 0),
                     1);
    assert_int_equal(X509_set_issuer_name(cert, X509_get_subject_name(cert)), 1);
    assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
    assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    assert_true(X509_sign(cert, key, edwards ? NULL : EVP_sha256()) > 0);
    int len = i2d_X509(cert, &e.der);
    assert_true(len > 0);
    e.len = (size_t)len;
    X509_free(cert);
    EVP_PKEY_free(key);
    return e;
}

static X509 *by_libcrypto(const struct encoding *e)
{
    const unsigned char *at = e->der;

    return d2i_X509(NULL, &at, (long)e->len);
}

static EVP_PKEY *key_of(const char *kind)
{
    char type[16] = { 0 };
    EVP_PKEY *key = NULL;

    memcpy(type, kind, strcspn(kind, " "));
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    const char *detail = kind + strcspn(kind, " ");
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    if (strncmp(type, "RSA", 3) == 0) {
        assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, atoi(detail)), 1);
    } else if (strcmp(type, "EC") == 0) {
        assert_int_equal(EVP_PKEY_CTX_set_group_name(ctx, detail + 1), 1);
    }
    assert_int_equal(EVP_PKEY_keygen(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

/* --- What has to be the same --- */

static void keys_are_equal(EVP_PKEY *a, EVP_PKEY *b)
{
    OSSL_PARAM *of_a = NULL;
    OSSL_PARAM *of_b = NULL;
    size_t i = 0;

    assert_int_equal(EVP_PKEY_eq(a, b), 1);
    assert_ptr_equal(EVP_PKEY_get0_provider(a), EVP_PKEY_get0_provider(b));
    assert_int_equal(EVP_PKEY_get_id(a), EVP_PKEY_get_id(b));
    assert_int_equal(EVP_PKEY_get_base_id(a), EVP_PKEY_get_base_id(b));
    assert_int_equal(EVP_PKEY_get_bits(a), EVP_PKEY_get_bits(b));
    assert_int_equal(EVP_PKEY_get_size(a), EVP_PKEY_get_size(b));
    assert_int_equal(EVP_PKEY_get_security_bits(a), EVP_PKEY_get_security_bits(b));
    assert_int_equal(EVP_PKEY_todata(a, EVP_PKEY_PUBLIC_KEY, &of_a), 1);
    assert_int_equal(EVP_PKEY_todata(b, EVP_PKEY_PUBLIC_KEY, &of_b), 1);
    for (; of_a[i].key != NULL && of_b[i].key != NULL; i++) {
        assert_string_equal(of_a[i].key, of_b[i].key);
        assert_int_equal(of_a[i].data_type, of_b[i].data_type);
        assert_int_equal(of_a[i].data_size, of_b[i].data_size);
        assert_memory_equal(of_a[i].data, of_b[i].data, of_b[i].data_size);
    }
    assert_null(of_a[i].key);
    assert_null(of_b[i].key);
    OSSL_PARAM_free(of_a);
    OSSL_PARAM_free(of_b);
}

static void is_what_libcrypto_makes(X509 *cert, const struct encoding *e)
{
    X509 *other = by_libcrypto(e);
    unsigned char *der = NULL;
    unsigned char *other_der = NULL;

    assert_non_null(other);
    int len = i2d_X509(cert, &der);
    assert_int_equal(i2d_X509(other, &other_der), len);
    assert_memory_equal(der, other_der, (size_t)len);
    OPENSSL_free(der);
    OPENSSL_free(other_der);
    assert_int_equal(X509_cmp(cert, other), 0);
    keys_are_equal(X509_get0_pubkey(cert), X509_get0_pubkey(other));
    X509_free(other);
}

/* --- Tests --- */

static void keys_of_each_kind(void **state)
{
    (void)state;
    const char *const kinds[] = { "RSA 512",  "RSA 1024", "RSA 2048",
                                  "EC P-256", "EC P-384", "EC P-521" };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct encoding e = encoding_of(key_of(kinds[i]));
        for (int again = 0; again < 3; again++) {
            X509 *cert = cert_decode(e.der, e.len);
            assert_non_null(cert);
            is_what_libcrypto_makes(cert, &e);
            assert_int_equal(X509_verify(cert, X509_get0_pubkey(cert)), 1);
            X509 *copy = X509_dup(cert);
            assert_int_equal(X509_cmp(cert, copy), 0);
            keys_are_equal(X509_get0_pubkey(cert), X509_get0_pubkey(copy));
            X509_free(copy);
            X509_free(cert);
        }
        OPENSSL_free(e.der);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* Explicit parameters, compressed points and every other kind of key. */
static void others_are_left_to_libcrypto(void **state)
{
    (void)state;
    EVP_PKEY *explicit = key_of("EC P-256");
    EVP_PKEY *compressed = key_of("EC P-256");
    EVP_PKEY *keys[] = { explicit, compressed, key_of("ED25519"), key_of("RSA-PSS 1024"),
                         key_of("EC secp256k1") };

    assert_int_equal(EVP_PKEY_set_utf8_string_param(explicit, "encoding", "explicit"), 1);
    assert_int_equal(EVP_PKEY_set_utf8_string_param(compressed, "point-format", "compressed"), 1);
    ERR_put_error(ERR_LIB_USER, 0, 77, "file", 7);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        struct encoding e = encoding_of(keys[i]);
        assert_null(cert_decode(e.der, e.len));
        OPENSSL_free(e.der);
    }
    assert_int_equal(ERR_GET_REASON(ERR_get_error()), 77);
    assert_int_equal(ERR_get_error(), 0);
}

/* Whatever byte is wrong: what is decoded at all is what libcrypto makes of it. */
static void damaged_ones(void **state)
{
    (void)state;
    const char *const kinds[] = { "RSA 512", "EC P-256" };
    const uint8_t damages[] = { 0x01, 0x41, 0x80, 0xff };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct encoding e = encoding_of(key_of(kinds[i]));
        for (size_t at = 0; at < e.len * COUNT_OF(damages); at++) {
            e.der[at % e.len] ^= damages[at / e.len];
            X509 *cert = cert_decode(e.der, e.len);
            if (cert != NULL) {
                is_what_libcrypto_makes(cert, &e);
            }
            X509_free(cert);
            e.der[at % e.len] ^= damages[at / e.len];
        }
        for (size_t len = 0; len < e.len; len++) {
            assert_null(cert_decode(e.der, len));
        }
        OPENSSL_free(e.der);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void something_behind_it(void **state)
{
    (void)state;
    struct encoding e = encoding_of(key_of("EC P-256"));

    e.der = OPENSSL_realloc(e.der, e.len + 1);
    e.der[e.len] = 0;
    assert_null(cert_decode(e.der, e.len + 1));
    OPENSSL_free(e.der);
    assert_int_equal(ERR_peek_error(), 0);
}

/* A provider that somebody has loaded may have decoders of its own. */
static int other_provider(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *core,
                          const OSSL_DISPATCH **functions, void **context)
{
    static const OSSL_DISPATCH none[] = { { 0, NULL } };

    (void)core;
    *functions = none;
    *context = (void *)(uintptr_t)handle;
    return 1;
}

static void other_providers(void **state)
{
    (void)state;
    struct encoding e = encoding_of(key_of("EC P-256"));

    assert_int_equal(OSSL_PROVIDER_add_builtin(NULL, "other", other_provider), 1);
    OSSL_PROVIDER *usual = OSSL_PROVIDER_load(NULL, "default");
    OSSL_PROVIDER *other = OSSL_PROVIDER_load(NULL, "other");
    assert_null(cert_decode(e.der, e.len));
    OSSL_PROVIDER_unload(other);
    X509 *cert = cert_decode(e.der, e.len);
    assert_non_null(cert);
    X509_free(cert);
    OSSL_PROVIDER_unload(usual);
    OPENSSL_free(e.der);
}

static void not_from_the_first(void **state)
{
    (void)state;

    for (int i = 0; i < CERT_DECODE_FIRST; i++) {
        assert_false(cert_decode_is_due());
    }
    assert_true(cert_decode_is_due());
    assert_true(cert_decode_is_due());
}

static void *decode_many(void *arg)
{
    const struct encoding *e = arg;

    for (int i = 0; i < 200; i++) {
        X509 *cert = cert_decode(e[i % 2].der, e[i % 2].len);
        if (cert == NULL || X509_verify(cert, X509_get0_pubkey(cert)) != 1) {
            return NULL;
        }
        X509_free(cert);
    }
    return arg;
}

static void threads(void **state)
{
    (void)state;
    struct encoding e[] = { encoding_of(key_of("EC P-256")), encoding_of(key_of("RSA 1024")) };
    pthread_t others[4];

    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(pthread_create(&others[i], NULL, decode_many, e), 0);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        void *done = NULL;
        assert_int_equal(pthread_join(others[i], &done), 0);
        assert_ptr_equal(done, e);
    }
    OPENSSL_free(e[0].der);
    OPENSSL_free(e[1].der);
}

static bool decodes(void *arg)
{
    const struct encoding *e = arg;
    X509 *cert = cert_decode(e->der, e->len);

    X509_free(cert);
    return cert != NULL;
}

/* What happens once in a process. libcrypto loses some of what it had when it has no memory for a
 * library context, which sanitizers would complain of. */
#ifndef __SANITIZE_ADDRESS__
static bool prepares(void *arg)
{
    OSSL_LIB_CTX *context;
    OSSL_PROVIDER *provider;

    if (!stand_in_context_new(&context, &provider)) {
        return false;
    }
    OSSL_LIB_CTX *usual = OSSL_LIB_CTX_set0_default(context);
    X509 *cert = by_libcrypto(arg);
    OSSL_LIB_CTX_set0_default(usual);
    EVP_PKEY *key = cert == NULL ? NULL : X509_get0_pubkey(cert);
    bool done = key != NULL && EVP_PKEY_get0_provider(key) == provider;
    X509_free(cert);
    OSSL_PROVIDER_unload(provider);
    OSSL_LIB_CTX_free(context);
    return done;
}
#endif

static void allocation_failures(void **state)
{
    (void)state;
    const char *const kinds[] = { "RSA 1024", "EC P-384" };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct encoding e = encoding_of(key_of(kinds[i]));
        assert_true(fail_each_allocation(decodes, &e, true) > 20);
#ifndef __SANITIZE_ADDRESS__
        assert_true(fail_each_allocation(prepares, &e, true) > 20);
#endif
        OPENSSL_free(e.der);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_of_each_kind), cmocka_unit_test(others_are_left_to_libcrypto),
        cmocka_unit_test(damaged_ones),      cmocka_unit_test(something_behind_it),
        cmocka_unit_test(other_providers),   cmocka_unit_test(not_from_the_first),
        cmocka_unit_test(threads),           cmocka_unit_test(allocation_failures),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/cert_decode", tests, NULL, NULL);
}
