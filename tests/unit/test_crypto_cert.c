#include "unit.h"

#include "crypto/cert.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

static const struct crypto_lib *lib;
static struct bytes der; /* of a certificate made for the test */

static int make_certificate(void **state)
{
    (void)state;
    lib = crypto_lib_default();
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *cert = X509_new();
    uint8_t *at = der.data;

    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 7);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    int len = i2d_X509(cert, NULL);
    if (len > 0 && len <= (int)sizeof(der.data)) {
        der.len = (size_t)i2d_X509(cert, &at);
    }
    X509_free(cert);
    EVP_PKEY_free(key);
    return der.len > 0 && lib != NULL ? 0 : -1;
}

static void bytes_to_certificate_and_back(void **state)
{
    (void)state;
    const struct crypto_lib *libs[] = { lib, crypto_lib_new(NULL, "provider=default") };

    for (size_t l = 0; l < COUNT_OF(libs); l++) {
        X509 *cert = cert_parse(libs[l], der.data, der.len);
        struct buffer out = { 0 };
        struct writer w = writer_to(&out);

        assert_non_null(cert);
        assert_true(EVP_PKEY_is_a(cert_public_key(cert), "EC"));
        writer_open(&w, 3);
        assert_true(cert_write(&w, cert));
        writer_close(&w);
        assert_true(writer_ok(&w));
        assert_int_equal(writer_len(&w), der.len + 3);
        assert_memory_equal(writer_begin(&w) + 3, der.data, der.len);
        cert_up_ref(cert);
        cert_free(cert);
        assert_non_null(cert_public_key(cert));
        cert_free(cert);
        buffer_wipe(&out);
    }
    cert_free(NULL);
    crypto_lib_free(libs[1]);
}

/* RFC 8446, 4.4.2: each CertificateEntry holds one certificate, nothing behind it. */
static void anything_but_one_whole_certificate_is_refused(void **state)
{
    (void)state;
    uint8_t longer[sizeof(der.data) + 1] = { 0 };

    for (size_t len = 0; len < der.len; len++) {
        assert_null(cert_parse(lib, der.data, len));
    }
    memcpy(longer, der.data, der.len);
    assert_null(cert_parse(lib, longer, der.len + 1));
    longer[0] = 0x31;
    assert_null(cert_parse(lib, longer, der.len));
    ERR_clear_error();
}

/* Any single damaged byte: refused or parsed, but never a crash, and the key is a key or NULL. */
static void damaged_certificates_do_no_harm(void **state)
{
    (void)state;
    uint8_t damaged[sizeof(der.data)];

    memcpy(damaged, der.data, der.len);
    for (size_t i = 0; i < der.len; i++) {
        damaged[i] ^= 0x41;
        X509 *cert = cert_parse(lib, damaged, der.len);
        if (cert != NULL) {
            EVP_PKEY *key = cert_public_key(cert);
            assert_true(key == NULL || EVP_PKEY_is_a(key, "EC"));
        }
        cert_free(cert);
        damaged[i] ^= 0x41;
    }
    ERR_clear_error();
}

static void signature_algorithm(void **state)
{
    (void)state;
    X509 *cert = cert_parse(lib, der.data, der.len);

    assert_non_null(cert);
    for (unsigned id = 0x0200; id < 0x0900; id++) {
        const struct sig_scheme *scheme = sig_scheme_by_id((uint16_t)id);

        if (scheme != NULL) {
            assert_int_equal(cert_is_signed_with(cert, scheme), id == 0x0403);
        }
    }
    cert_free(cert);
}

static void lists(void **state)
{
    (void)state;
    STACK_OF(X509) *list = cert_list_new();
    X509 *first = cert_parse(lib, der.data, der.len);
    X509 *second = cert_parse(lib, der.data, der.len);

    assert_int_equal(cert_list_len(NULL), 0);
    assert_null(cert_list_at(NULL, 0));
    assert_int_equal(cert_list_len(list), 0);
    assert_true(cert_list_add(list, first));
    assert_true(cert_list_add(list, second));
    assert_int_equal(cert_list_len(list), 2);
    assert_ptr_equal(cert_list_at(list, 0), first);
    assert_ptr_equal(cert_list_at(list, 1), second);
    assert_null(cert_list_at(list, 2));
    assert_null(cert_list_at(list, SIZE_MAX));
    cert_list_free(list);
    cert_list_free(NULL);
}

static bool parse_write_and_list(void *arg)
{
    (void)arg;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    STACK_OF(X509) *list = cert_list_new();
    X509 *cert = list == NULL ? NULL : cert_parse(lib, der.data, der.len);
    bool done = cert != NULL && cert_write(&w, cert);

    if (done) {
        done = cert_list_add(list, cert); /* takes it, also when it fails */
    } else {
        cert_free(cert);
    }
    cert_list_free(list);
    buffer_wipe(&out);
    return done;
}

static void allocation_failures(void **state)
{
    (void)state;
    assert_true(fail_each_allocation(parse_write_and_list, NULL, true) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_to_certificate_and_back),
        cmocka_unit_test(anything_but_one_whole_certificate_is_refused),
        cmocka_unit_test(damaged_certificates_do_no_harm),
        cmocka_unit_test(signature_algorithm),
        cmocka_unit_test(lists),
        cmocka_unit_test(allocation_failures),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/cert", tests, make_certificate, NULL);
}
