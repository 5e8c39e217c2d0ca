/*
 * Keys of tickets from the application: both kinds of callback with every answer, and keys that two
 * contexts share. SSL_CTX_set_tlsext_ticket_key_cb(3).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

static int seal_answer;
static int open_answer;
static unsigned char secret[64] = "a secret key of this test program";
static const EVP_CIPHER *cipher;
static const char *digest;

static bool begin(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *ctx, int seal)
{
    note("  %s: %s, in init %d, session %s", ssl_get_name(ssl), seal ? "seal" : "open",
         SSL_in_init(ssl), SSL_get_session(ssl) != NULL ? "there" : "none");
    if (seal) {
        memcpy(name, "name of this key", 16);
        pattern_fill(iv, (size_t)EVP_CIPHER_get_iv_length(cipher), 7);
    } else {
        note("  name %.16s", name);
    }
    return EVP_CipherInit_ex(ctx, cipher, NULL, secret, iv, seal) == 1;
}

static int with_mac(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *ctx,
                    EVP_MAC_CTX *mac, int seal)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, sizeof(secret)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)digest, 0),
        OSSL_PARAM_construct_end(),
    };

    CHECK(begin(ssl, name, iv, ctx, seal) && EVP_MAC_CTX_set_params(mac, params) == 1);
    return seal ? seal_answer : open_answer;
}

static int with_hmac(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *ctx,
                     HMAC_CTX *hmac, int seal)
{
    CHECK(begin(ssl, name, iv, ctx, seal) &&
          HMAC_Init_ex(hmac, secret, sizeof(secret), EVP_get_digestbyname(digest), NULL) == 1);
    return seal ? seal_answer : open_answer;
}

static int unexpected(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *ctx,
                      HMAC_CTX *hmac, int seal)
{
    (void)name;
    (void)iv;
    (void)ctx;
    (void)hmac;
    note("  %s: %d: the other callback", ssl_get_name(ssl), seal);
    return -1;
}

enum kind { MAC, OLD_HMAC, BOTH };

static void use_callback(SSL_CTX *ctx, enum kind kind)
{
    if (kind == OLD_HMAC) {
        CHECK(SSL_CTX_set_tlsext_ticket_key_cb(ctx, with_hmac) == 1);
    } else {
        CHECK(SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, with_mac) == 1);
    }
    if (kind == BOTH) {
        CHECK(SSL_CTX_set_tlsext_ticket_key_cb(ctx, unexpected) == 1);
    }
}

static int ticket_number(const SSL_SESSION *session)
{
    const unsigned char *ticket = NULL;
    size_t len = 0;

    SSL_SESSION_get0_ticket(session, &ticket, &len);
    return number_of_bytes(ticket, len);
}

static SSL_SESSION *connect(struct resume *r, const char *title, SSL_SESSION *session)
{
    SSL_SESSION *result = resume_connect(r, title, session);

    if (result != NULL) {
        note("  ticket %d, hint %lu", ticket_number(result),
             SSL_SESSION_get_ticket_lifetime_hint(result));
    }
    return result;
}

static void test_answers(enum kind kind)
{
    static const int answers[] = { 1, 2, 3, 0, -1, -2 };
    SSL_SESSION *session, *next;
    struct resume r;

    section("callback %d", (int)kind);
    cipher = EVP_aes_128_cbc();
    digest = kind == OLD_HMAC ? "SHA1" : "SHA512";
    resume_init(&r);
    use_callback(r.server_ctx, kind);
    seal_answer = 1;
    session = connect(&r, "first", NULL);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        open_answer = answers[i];
        note("open answers %d", open_answer);
        next = connect(&r, "again", session);
        note("  the same ticket %d", ticket_number(next) == ticket_number(session));
        SSL_SESSION_free(next);
    }
    open_answer = 1;
    seal_answer = -1;
    SSL_SESSION_free(connect(&r, "sealing fails", NULL));
    seal_answer = 2;
    SSL_SESSION_free(connect(&r, "sealing answers 2", NULL));
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void test_no_ticket(void)
{
    struct resume r;

    section("sealing is declined");
    cipher = EVP_aes_256_cbc();
    digest = "SHA256";
    resume_init(&r);
    use_callback(r.server_ctx, MAC);
    seal_answer = 0;
    SSL_SESSION_free(connect(&r, "first", NULL));
    resume_free(&r);
}

/* Ciphers that have another IV, or none. */
static void test_cipher(const char *title, const EVP_CIPHER *other)
{
    SSL_SESSION *session;
    struct resume r;

    section("cipher %s", title);
    cipher = other;
    digest = "SHA256";
    resume_init(&r);
    use_callback(r.server_ctx, MAC);
    seal_answer = 1;
    open_answer = 1;
    session = connect(&r, "first", NULL);
    SSL_SESSION_free(connect(&r, "again", session));
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* Two servers with the same keys, then with others. */
static void test_shared(void)
{
    unsigned char keys[80], again[80];
    SSL_SESSION *session;
    struct resume a, b;

    section("two servers");
    resume_init(&a);
    resume_init(&b);
    session = connect(&a, "the first", NULL);
    resume_once(&b, "the second, other keys", session);
    CHECK(SSL_CTX_get_tlsext_ticket_keys(a.server_ctx, keys, sizeof(keys)) == 1);
    CHECK(SSL_CTX_set_tlsext_ticket_keys(b.server_ctx, keys, sizeof(keys)) == 1);
    CHECK(SSL_CTX_get_tlsext_ticket_keys(b.server_ctx, again, sizeof(again)) == 1);
    CHECK(memcmp(keys, again, sizeof(keys)) == 0);
    SSL_SESSION_free(session);
    session = connect(&a, "the first", NULL);
    resume_once(&b, "the second, the same keys", session);
    keys[40] ^= 1;
    CHECK(SSL_CTX_set_tlsext_ticket_keys(b.server_ctx, keys, sizeof(keys)) == 1);
    resume_once(&b, "the second, another MAC key", session);
    keys[40] ^= 1;
    keys[60] ^= 1;
    CHECK(SSL_CTX_set_tlsext_ticket_keys(b.server_ctx, keys, sizeof(keys)) == 1);
    resume_once(&b, "the second, another cipher key", session);
    SSL_SESSION_free(session);
    resume_free(&a);
    resume_free(&b);
}

/* Tickets that nobody sealed. */
static void test_forged(void)
{

    unsigned char der[4000];
    struct resume r;

    section("forged tickets");
    resume_init(&r);
    for (size_t i = 0; i < 14; i++) {
        SSL_SESSION *session = resume_connect(&r, "first", NULL);
        const unsigned char *ticket = NULL;
        const unsigned char *in = der;
        unsigned char *out = der;
        SSL_SESSION *forged;
        size_t len = 0;
        int der_len = i2d_SSL_SESSION(session, &out);

        SSL_SESSION_get0_ticket(session, &ticket, &len);
        REQUIRE(der_len > 0 && len > 0);
        for (int at = 0; at + 100 < der_len; at++) {
            if (memcmp(der + at, ticket, 64) == 0) {
                der[at + 20 + (int)i] ^= 1;
            }
        }
        forged = d2i_SSL_SESSION(NULL, &in, der_len);
        REQUIRE(forged != NULL);
        resume_once(&r, "one bit is another", forged);
        SSL_SESSION_free(forged);
        SSL_SESSION_free(session);
    }
    log_session_stats("server", r.server_ctx);
    resume_free(&r);
}

int main(void)
{
    contract_start();
    test_answers(MAC);
    test_answers(OLD_HMAC);
    test_answers(BOTH);
    test_no_ticket();
    test_cipher("AES-128-ECB", EVP_aes_128_ecb());
    test_cipher("3DES", EVP_des_ede3_cbc());
    test_shared();
    test_forged();
    difference_begin("ticket-stream-cipher");
    test_cipher("AES-256-CTR", EVP_aes_256_ctr());
    difference_end();
    identity_default_free();
    return contract_finish();
}
