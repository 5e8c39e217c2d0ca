/*
 * Pre-shared keys through the public API where OpenSSL's own behaviour cannot be measured: every
 * allocation of a handshake fails in turn, an identity has no end, and keys are gone afterwards.
 */
#include "unit.h"

#include "api/internal.h"
#include "handshake/handshake.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

static struct {
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    SSL *client;
    SSL *server;
    bool endless;       /* the client's identity has no NUL */
    bool key_was_held;  /* when the server's callback was asked */
    const char *suite;  /* what both are held to */
    bool judges_client; /* allocations fail on that side alone */
} p;

static unsigned int give_key(SSL *ssl, const char *hint, char *identity, unsigned int max_identity,
                             unsigned char *psk, unsigned int max_psk)
{
    (void)ssl;
    assert_string_equal(hint, "a hint");
    assert_int_equal(max_identity, PSK_IDENTITY_MAX);
    assert_int_equal(max_psk, PSK_KEY_MAX);
    if (p.endless) {
        memset(identity, 'x', PSK_IDENTITY_MAX + 1);
    } else {
        memcpy(identity, "someone", sizeof("someone"));
    }
    memset(psk, 'k', 32);
    return 32;
}

static unsigned int find_key(SSL *ssl, const char *identity, unsigned char *psk,
                             unsigned int max_psk)
{
    assert_string_equal(identity, "someone");
    assert_int_equal(max_psk, PSK_KEY_MAX);
    p.key_was_held = ssl->conn.hs->psk != NULL;
    memset(psk, 'k', 32);
    return 32;
}

static SSL_CTX *make_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    SSL_CTX_set_psk_client_callback(ctx, give_key);
    SSL_CTX_set_psk_server_callback(ctx, find_key);
    (void)SSL_CTX_set_dh_auto(ctx, 1);
    assert_int_equal(SSL_CTX_use_psk_identity_hint(ctx, "a hint"), 1);
    return ctx;
}

static unsigned char *key_der;
static int key_der_len;

static void use_certificate(SSL_CTX *ctx)
{
    EVP_PKEY *key = EVP_RSA_gen(2048);
    X509 *cert = X509_new();

    assert_true(key != NULL && cert != NULL);
    assert_true(X509_gmtime_adj(X509_getm_notBefore(cert), -60) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(cert), 3600) != NULL);
    assert_true(X509_set_pubkey(cert, key) == 1 && X509_sign(cert, key, EVP_sha256()) > 0);
    assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
    key_der_len = i2d_PrivateKey(key, &key_der);
    assert_true(key_der_len > 0);
    X509_free(cert);
    EVP_PKEY_free(key);
}

static int make_contexts(void **state)
{
    (void)state;
    failing_alloc_pause(true);
    p.client_ctx = make_ctx();
    p.server_ctx = make_ctx();
    use_certificate(p.server_ctx);
    failing_alloc_pause(false);
    return 0;
}

static int free_contexts(void **state)
{
    (void)state;
    SSL_CTX_free(p.client_ctx);
    SSL_CTX_free(p.server_ctx);
    OPENSSL_free(key_der);
    return 0;
}

static void make_link(void)
{
    BIO *to_client = BIO_new(BIO_s_mem());
    BIO *to_server = BIO_new(BIO_s_mem());

    p.client = SSL_new(p.client_ctx);
    p.server = SSL_new(p.server_ctx);
    assert_true(to_client != NULL && to_server != NULL && p.client != NULL && p.server != NULL);
    BIO_up_ref(to_client);
    BIO_up_ref(to_server);
    SSL_set_bio(p.client, to_client, to_server);
    SSL_set_bio(p.server, to_server, to_client);
    SSL_set_connect_state(p.client);
    SSL_set_accept_state(p.server);
    assert_int_equal(SSL_set_cipher_list(p.client, p.suite), 1);
    /* A new object each time: libcrypto's blinding, which is kept in it, does not survive a failed
     * allocation, and later decryptions with it go wrong. */
    assert_int_equal(SSL_use_PrivateKey_ASN1(EVP_PKEY_RSA, p.server, key_der, key_der_len), 1);
}

static void free_link(void)
{
    SSL_free(p.client);
    SSL_free(p.server);
}

/* False: the call failed, with an error. */
static bool turn(SSL *ssl, bool judged, bool *done)
{
    failing_alloc_pause(!judged);
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    int error = SSL_get_error(ssl, result);
    failing_alloc_pause(true);

    *done = result == 1;
    if (*done || error == SSL_ERROR_WANT_READ) {
        return true;
    }
    assert_int_equal(error, SSL_ERROR_SSL);
    assert_int_not_equal(ERR_peek_error(), 0);
    return false;
}

static bool shake_hands(void)
{
    bool client_done = false;
    bool server_done = false;

    for (int i = 0; i < 10 && !(client_done && server_done); i++) {
        if (!turn(p.client, p.judges_client, &client_done) ||
            !turn(p.server, !p.judges_client, &server_done)) {
            return false;
        }
    }
    return client_done && server_done;
}

static bool live(void *arg)
{
    (void)arg;
    failing_alloc_pause(true);
    make_link();
    bool ok = shake_hands();
    if (ok) {
        assert_string_equal(SSL_get_cipher(p.client), p.suite);
        assert_string_equal(SSL_get_psk_identity(p.client), "someone");
        assert_string_equal(SSL_get_psk_identity(p.server), "someone");
        assert_string_equal(SSL_get_psk_identity_hint(p.client), "a hint");
    }
    free_link();
    failing_alloc_pause(false);
    return ok;
}

static void handshakes_survive_failing_allocations(void **state)
{
    static const char *const suites[] = { "PSK-AES128-GCM-SHA256", "RSA-PSK-AES128-GCM-SHA256",
                                          "DHE-PSK-AES128-GCM-SHA256",
                                          "ECDHE-PSK-CHACHA20-POLY1305" };

    (void)state;
    p.endless = false;
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        for (int side = 0; side < 2; side++) {
            p.suite = suites[i];
            p.judges_client = side == 0;
            assert_true(fail_each_allocation(live, NULL, true) >= 5);
        }
    }
}

/* OpenSSL reads on behind the buffer that it gave the callback. */
static void an_identity_without_end_is_refused(void **state)
{
    bool done;

    (void)state;
    p.endless = true;
    p.suite = "PSK-AES128-GCM-SHA256";
    make_link();
    failing_alloc_pause(true);
    assert_true(turn(p.client, false, &done) && turn(p.server, false, &done));
    assert_false(turn(p.client, false, &done));
    assert_int_equal(ERR_GET_REASON(ERR_peek_error()), ERR_R_INTERNAL_ERROR);
    assert_int_equal(p.client->conn.error.alert, SSL_AD_HANDSHAKE_FAILURE);
    assert_null(SSL_get_psk_identity(p.client));
    free_link();
    failing_alloc_pause(false);
}

static void keys_are_dropped_when_they_are_used(void **state)
{
    bool done;

    (void)state;
    p.endless = false;
    p.key_was_held = false;
    p.suite = "PSK-AES128-GCM-SHA256";
    make_link();
    failing_alloc_pause(true);
    assert_true(turn(p.client, false, &done) && turn(p.server, false, &done));
    assert_true(turn(p.client, false, &done));
    assert_null(p.client->conn.hs->psk);
    assert_true(turn(p.server, false, &done) && done);
    assert_true(p.key_was_held);
    assert_true(turn(p.client, false, &done) && done);
    free_link();
    failing_alloc_pause(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_survive_failing_allocations),
        cmocka_unit_test(an_identity_without_end_is_refused),
        cmocka_unit_test(keys_are_dropped_when_they_are_used),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
