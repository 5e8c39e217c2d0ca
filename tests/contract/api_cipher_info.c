/*
 * Every cipher suite by its code point: SSL_CIPHER_get_name(3) and its relatives;
 * SSL_bytes_to_cipher_list().
 * Manual pages: SSL_CTX_set_cipher_list(3), SSL_get_ciphers(3).
 */
#include "contract.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

/* Suites of GOST and the two signals can never be chosen; OpenSSL reports some of their parts by
 * accident of its tables. */
static bool is_left_out(unsigned id)
{
    return id == 0x0081 || id == 0x0083 || (id >= 0xc100 && id <= 0xc102) || id >= 0xff00 ||
           id == 0x00ff || id == 0x5600;
}

static void log_suite(unsigned id, const SSL_CIPHER *suite)
{
    char text[256];
    int alg_bits = -1;
    int bits = SSL_CIPHER_get_bits(suite, &alg_bits);
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(suite);

    note("%04x %s, %s, %s", id, SSL_CIPHER_get_name(suite), SSL_CIPHER_standard_name(suite),
         SSL_CIPHER_get_version(suite));
    note("  bits %d of %d, cipher %d digest %d key exchange %d authentication %d, %s, AEAD %d",
         bits, alg_bits, SSL_CIPHER_get_cipher_nid(suite), SSL_CIPHER_get_digest_nid(suite),
         SSL_CIPHER_get_kx_nid(suite), SSL_CIPHER_get_auth_nid(suite),
         digest == NULL ? "no digest" : EVP_MD_get0_name(digest), SSL_CIPHER_is_aead(suite));
    note("  id %08x %04x, by name %s", SSL_CIPHER_get_id(suite), SSL_CIPHER_get_protocol_id(suite),
         OPENSSL_cipher_name(SSL_CIPHER_standard_name(suite)));
    CHECK(SSL_CIPHER_description(suite, text, sizeof(text)) == text);
    note("  %.*s", (int)strcspn(text, "\n"), text);
}

static void every_suite(SSL *ssl)
{
    section("every suite");
    for (unsigned id = 0; id <= 0xffff; id++) {
        unsigned char code[2] = { (unsigned char)(id >> 8), (unsigned char)id };
        const SSL_CIPHER *suite = is_left_out(id) ? NULL : SSL_CIPHER_find(ssl, code);

        if (suite != NULL) {
            log_suite(id, suite);
        }
    }
}

static void nothing(SSL *ssl)
{
    static const unsigned char code[2] = { 0x13, 0x01 };
    const SSL_CIPHER *suite = SSL_CIPHER_find(ssl, code);
    char small[127];
    char *text;

    section("nothing");
    note("%s %s %s %d", SSL_CIPHER_get_name(NULL), SSL_CIPHER_standard_name(NULL),
         SSL_CIPHER_get_version(NULL), SSL_CIPHER_get_bits(NULL, NULL));
    note("%s %s", OPENSSL_cipher_name(NULL), OPENSSL_cipher_name("TLS_NOTHING"));
    note("short buffer: %d", SSL_CIPHER_description(suite, small, sizeof(small)) != NULL);
    text = SSL_CIPHER_description(suite, NULL, 0);
    note("own buffer: %s", text);
    OPENSSL_free(text);
    note("defaults: %s, %s", OSSL_default_cipher_list(), OSSL_default_ciphersuites());
}

static void read_list(SSL *ssl, const char *title, const char *bytes, size_t len, int v2)
{
    STACK_OF(SSL_CIPHER) *suites = NULL;
    STACK_OF(SSL_CIPHER) *signals = NULL;
    int ok =
        SSL_bytes_to_cipher_list(ssl, (const unsigned char *)bytes, len, v2, &suites, &signals);

    note("%s: %d", title, ok);
    log_errors("error");
    if (ok == 1) {
        for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
            note("  %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i)));
        }
        for (int i = 0; i < sk_SSL_CIPHER_num(signals); i++) {
            note("  signal %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(signals, i)));
        }
        sk_SSL_CIPHER_free(suites);
        sk_SSL_CIPHER_free(signals);
    }
}

static void lists_of_bytes(SSL *ssl)
{
    section("lists of bytes");
    read_list(ssl, "two", "\x13\x01\x00\x2f", 4, 0);
    read_list(ssl, "unknown and signals", "\x13\x99\x00\xff\xc0\x2f\x56\x00", 8, 0);
    read_list(ssl, "odd", "\x13\x01\x00", 3, 0);
    read_list(ssl, "empty", "", 0, 0);
    read_list(ssl, "SSL 2.0", "\x00\x13\x01\x01\x00\x80\x00\x00\x2f", 9, 1);
    read_list(ssl, "SSL 2.0, cut off", "\x00\x13\x01\x00", 4, 1);
    note("no lists: %d",
         SSL_bytes_to_cipher_list(ssl, (const unsigned char *)"\x13\x01", 2, 0, NULL, NULL));
}

int main(void)
{
    SSL_CTX *ctx;
    SSL *ssl;

    contract_start();
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    every_suite(ssl);
    nothing(ssl);
    lists_of_bytes(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return contract_finish();
}
