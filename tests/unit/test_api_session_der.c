#include "session_readers.h"
#include "unit.h"

#include "api/internal.h"
#include "api/session_der.h"
#include "crypto/cert_cache.h"

#include <string.h>

#define MAX_LEN 4096

static X509 *made_cert;

static int make_certificate(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509_NAME *name;

    (void)state;
    made_cert = X509_new();
    name = X509_get_subject_name(made_cert);
    if (key == NULL || X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                                  (const uint8_t *)"localhost", -1, -1, 0) != 1) {
        return -1;
    }
    X509_set_issuer_name(made_cert, name);
    X509_gmtime_adj(X509_getm_notBefore(made_cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(made_cert), 3600);
    X509_set_pubkey(made_cert, key);
    int signature_len = X509_sign(made_cert, key, EVP_sha256());
    EVP_PKEY_free(key);
    return signature_len > 0 ? 0 : -1;
}

static int free_certificate(void **state)
{
    (void)state;
    X509_free(made_cert);
    return 0;
}

/* A session with everything that the table has; long_len: bytes of its ticket. cert: the peer's
 * certificate, or NULL. */
static size_t make_encoding_for(uint8_t *out, size_t long_len, X509 *cert)
{
    static uint8_t bytes[2048];
    SSL_SESSION *session = SSL_SESSION_new();
    unsigned char *end = out;

    assert_non_null(session);
    session->version = VERSION_TLS13;
    session->suite_id = 0x03001301;
    fill_pattern(session->id, sizeof(session->id), 3, 7);
    session->id_len = sizeof(session->id);
    session->master.len = 48;
    session->context_len = 5;
    session->time = INT64_MAX;
    session->timeout = 0x80;
    session->verify_result = 27;
    session->hostname = OPENSSL_strdup("unit.example");
    session->psk_identity = OPENSSL_strdup("me");
    session->psk_identity_hint = OPENSSL_strdup("hint");
    session->ticket_lifetime_hint = UINT32_MAX;
    session->ticket = blob_new(bytes, long_len);
    session->unknown_flags = -2; /* 64 bits, the first of them set */
    session->extended_master_secret = true;
    session->ticket_age_add = 0x80000000;
    session->max_early_data = 0x7fff;
    session->alpn = blob_new("h2", 2);
    session->max_fragment_code = 1;
    session->ticket_appdata = blob_new("", 0);
    session->group = 29;
    if (cert != NULL) {
        cert_up_ref(cert);
        session->peer = peer_chain_of(cert);
    }
    int len = i2d_SSL_SESSION(session, NULL);
    assert_in_range(len, 1, MAX_LEN);
    assert_int_equal(i2d_SSL_SESSION(session, &end), len);
    SSL_SESSION_free(session);
    return (size_t)len;
}

static size_t make_encoding(uint8_t *out, size_t long_len)
{
    return make_encoding_for(out, long_len, NULL);
}

/* Asserts that both ways agree about data. True: the strict reader took it. */
static bool agree(const uint8_t *data, size_t len)
{
    bool taken;
    const char *problem = session_readers_disagree(data, len, &taken);

    if (problem != NULL) {
        fail_msg("not so: %s", problem);
    }
    return taken;
}

/* Lengths of one, two and three bytes. */
static void what_we_write_is_taken(void **state)
{
    static const size_t lens[] = { 0, 1, 127, 128, 255, 256, 2048 };
    uint8_t der[MAX_LEN];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        size_t len = make_encoding(der, lens[i]);
        assert_true(agree(der, len));
        der[len] = 0x30; /* what follows is not looked at */
        assert_true(agree(der, len + 1));
    }
}

static void every_shorter_input_is_left(void **state)
{
    uint8_t der[MAX_LEN];
    size_t len = make_encoding(der, 10);

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        assert_false(agree(der, cut));
    }
}

/* Every byte made every other: what is still taken means the same to libcrypto. */
static void other_bytes_mean_the_same_to_both(void **state)
{
    uint8_t der[MAX_LEN];
    size_t len = make_encoding(der, 130);
    size_t num_taken = 0;

    (void)state;
    for (size_t i = 0; i < len; i++) {
        uint8_t was = der[i];
        for (unsigned change = 1; change < 256; change++) {
            der[i] = (uint8_t)(was ^ change);
            num_taken += agree(der, len);
        }
        der[i] = was;
    }
    assert_true(num_taken > 0);
}

/* Each bit the other way round; the certificate comes out of either reader alike. */
static void certificates_mean_the_same_to_both(void **state)
{
    uint8_t der[MAX_LEN];
    size_t len = make_encoding_for(der, 10, made_cert);
    size_t num_taken = 0, num_left = 0;

    (void)state;
    assert_true(agree(der, len));
    for (size_t i = 0; i < 8 * len; i++) {
        uint8_t bit = (uint8_t)(1U << i % 8);
        der[i / 8] ^= bit;
        if (agree(der, len)) {
            num_taken++;
        } else {
            num_left++;
        }
        der[i / 8] ^= bit;
    }
    assert_true(num_taken > 0 && num_left > 0);
    for (size_t cut = 0; cut < len; cut++) {
        assert_false(agree(der, cut));
    }
}

/* What was found once is found again: both sessions look at one object. */
static void sessions_share_a_certificate_that_came_before(void **state)
{
    uint8_t der[MAX_LEN];
    size_t len = make_encoding_for(der, 10, made_cert);
    SSL_SESSION *sessions[4];

    (void)state;
    cert_cache_turn(crypto_lib_default(), true);
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        const unsigned char *at = der;
        sessions[i] = d2i_SSL_SESSION(NULL, &at, (long)len);
        assert_non_null(sessions[i]);
        assert_int_equal(X509_cmp(peer_chain_look(sessions[i]->peer, 0), made_cert), 0);
    }
    assert_ptr_equal(peer_chain_look(sessions[2]->peer, 0), peer_chain_look(sessions[3]->peer, 0));
    assert_ptr_not_equal(SSL_SESSION_get0_peer(sessions[2]), SSL_SESSION_get0_peer(sessions[3]));
    for (size_t i = 0; i < COUNT_OF(sessions); i++) {
        SSL_SESSION_free(sessions[i]);
    }
    cert_cache_clear();
    cert_cache_turn(crypto_lib_default(), false);
}

static void what_only_libcrypto_does_is_left(void **state)
{
    ENCODED_SESSION e = { .tls_version = 0x304 };
    struct session_strings strings;
    uint8_t byte = 1;

    (void)state;
    assert_int_equal(session_der_len(&e), 0); /* no suite */
    session_der_borrow(&e.suite, &strings.of_field[0], &byte, 1);
    session_der_borrow(&e.id, &strings.of_field[1], &byte, 1);
    session_der_borrow(&e.secret, &strings.of_field[2], &byte, 1);
    assert_int_not_equal(session_der_len(&e), 0);
    e.time = -1;
    assert_int_equal(session_der_len(&e), 0);
    e.time = 0;
    e.verify_result = INT32_MIN;
    assert_int_equal(session_der_len(&e), 0);
    e.verify_result = 0;
    session_der_borrow(&e.compression, &strings.of_field[3], &byte, 1);
    assert_int_equal(session_der_len(&e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_we_write_is_taken),
        cmocka_unit_test(every_shorter_input_is_left),
        cmocka_unit_test(other_bytes_mean_the_same_to_both),
        cmocka_unit_test(certificates_mean_the_same_to_both),
        cmocka_unit_test(sessions_share_a_certificate_that_came_before),
        cmocka_unit_test(what_only_libcrypto_does_is_left),
    };

    return cmocka_run_group_tests(tests, make_certificate, free_certificate);
}
