/*
 * TLS 1.3 suites: setters and lists, whose preference counts, ChaCha20 first, and what SSL_CIPHER_*
 * says of each.
 * Manual pages: SSL_get_current_cipher(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define AES128 "TLS_AES_128_GCM_SHA256"
#define AES256 "TLS_AES_256_GCM_SHA384"
#define CHACHA "TLS_CHACHA20_POLY1305_SHA256"
#define CCM    "TLS_AES_128_CCM_SHA256"
#define CCM8   "TLS_AES_128_CCM_8_SHA256"

static const char *name_or_none(const char *name)
{
    return name != NULL ? name : "(none)";
}

static void log_list(SSL *ssl)
{
    for (int i = 0; i < 6; i++) {
        const char *name = SSL_get_cipher_list(ssl, i);

        if (name == NULL || strncmp(name, "TLS_", 4) != 0) {
            break;
        }
        note("  %s", name);
    }
}

static void test_setters(void)
{
    static const char *const lists[] = {
        AES128,
        AES256 ":" AES128,
        CCM8 ":" CCM,
        AES128 ":" AES128,
        "",
        ":",
        "nonsense",
        AES128 ":nonsense",
        "AES128-SHA",
        AES128 ":",
        "tls_aes_128_gcm_sha256",
        AES128 "," AES256,
    };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("setters");
    REQUIRE(ssl != NULL);
    note("by default:");
    log_list(ssl);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        note("%s: %d", lists[i], SSL_set_ciphersuites(ssl, lists[i]));
        log_errors("error");
        log_list(ssl);
    }
    note("context: %d %d", SSL_CTX_set_ciphersuites(ctx, CCM), SSL_CTX_set_ciphersuites(ctx, "x"));
    log_errors("error");
    note("an older connection:");
    log_list(ssl);
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    note("a newer connection:");
    log_list(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void choose(const char *client, const char *server, uint64_t options)
{
    struct pair p;

    section("client %s, server %s, options %llx", client, server, (unsigned long long)options);
    pair_init(&p, OVER_MEMORY, 0);
    REQUIRE(SSL_set_ciphersuites(p.client, client) == 1);
    REQUIRE(SSL_set_ciphersuites(p.server, server) == 1);
    (void)SSL_set_options(p.server, options);
    if (log_handshake(p.client, p.server)) {
        char shared[256];

        note("chosen %s", SSL_get_cipher_name(p.client));
        note("shared %s", name_or_none(SSL_get_shared_ciphers(p.server, shared, sizeof(shared))));
        note("shared in 30 bytes %s", name_or_none(SSL_get_shared_ciphers(p.server, shared, 30)));
        note("shared in 2 bytes %s", name_or_none(SSL_get_shared_ciphers(p.server, shared, 2)));
        note("shared in 1 byte %s", name_or_none(SSL_get_shared_ciphers(p.server, shared, 1)));
        log_alive(p.client, p.server);
    }
    pair_free(&p);
}

static void test_choice(void)
{
    const uint64_t prefer = SSL_OP_CIPHER_SERVER_PREFERENCE;

    choose(AES128 ":" AES256 ":" CHACHA, AES256 ":" CHACHA ":" AES128, 0);
    choose(AES128 ":" AES256 ":" CHACHA, AES256 ":" CHACHA ":" AES128, prefer);
    choose(CHACHA ":" AES256, AES256 ":" CHACHA, prefer);
    choose(CHACHA ":" AES256, AES256 ":" CHACHA, prefer | SSL_OP_PRIORITIZE_CHACHA);
    choose(AES256 ":" CHACHA, AES256 ":" CHACHA, prefer | SSL_OP_PRIORITIZE_CHACHA);
    choose(CCM, CCM ":" AES128, 0);
    choose(CCM8, CCM8, 0);
    choose(AES128, AES256, 0);
}

static void test_every_suite(void)
{
    static const char *const suites[] = { AES128, AES256, CHACHA, CCM, CCM8 };

    for (size_t i = 0; i < 5; i++) {
        const SSL_CIPHER *cipher;
        uint8_t *data = pattern_new(20000, 3);
        char text[128];
        struct pair p;
        int alg_bits = 0;

        section("%s", suites[i]);
        pair_init(&p, OVER_MEMORY, 0);
        REQUIRE(SSL_set_ciphersuites(p.client, suites[i]) == 1);
        REQUIRE(SSL_set_ciphersuites(p.server, suites[i]) == 1);
        CHECK(log_handshake(p.client, p.server));
        CHECK(drive_transfer(p.client, p.server, data, 20000) == 20000);
        CHECK(drive_transfer(p.server, p.client, data, 20000) == 20000);
        ERR_clear_error();
        cipher = SSL_get_current_cipher(p.client);
        REQUIRE(cipher != NULL);
        note("name %s standard %s version %s id %08x protocol id %04x", SSL_CIPHER_get_name(cipher),
             name_or_none(SSL_CIPHER_standard_name(cipher)), SSL_CIPHER_get_version(cipher),
             SSL_CIPHER_get_id(cipher), SSL_CIPHER_get_protocol_id(cipher));
        note("bits %d", SSL_CIPHER_get_bits(cipher, &alg_bits));
        note("of %d, cipher %d digest %d exchange %d auth %d aead %d", alg_bits,
             SSL_CIPHER_get_cipher_nid(cipher), SSL_CIPHER_get_digest_nid(cipher),
             SSL_CIPHER_get_kx_nid(cipher), SSL_CIPHER_get_auth_nid(cipher),
             SSL_CIPHER_is_aead(cipher));
        note("handshake digest %s", EVP_MD_get0_name(SSL_CIPHER_get_handshake_digest(cipher)));
        note("%s", name_or_none(SSL_CIPHER_description(cipher, text, sizeof(text))));
        note("in 127 bytes: %s", name_or_none(SSL_CIPHER_description(cipher, text, 127)));
        free(data);
        pair_free(&p);
    }
}

int main(void)
{
    contract_start();
    test_setters();
    test_choice();
    test_every_suite();
    identity_default_free();
    return contract_finish();
}
