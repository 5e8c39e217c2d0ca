/*
 * HelloRetryRequest: when a server asks for one, what both sides report, and what stays equal to a
 * handshake without one.
 * Manual pages: SSL_CTX_set_client_hello_cb(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static int hellos;

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *content = NULL;
    size_t len = 0;
    int *types = NULL;
    size_t num_types = 0;

    (void)alert;
    (void)arg;
    hellos++;
    note("hello %d: version %04x, random %zu, session id %zu, suites %zu, compression %zu", hellos,
         SSL_client_hello_get0_legacy_version(ssl), SSL_client_hello_get0_random(ssl, &content),
         SSL_client_hello_get0_session_id(ssl, &content),
         SSL_client_hello_get0_ciphers(ssl, &content),
         SSL_client_hello_get0_compression_methods(ssl, &content));
    CHECK(SSL_client_hello_get1_extensions_present(ssl, &types, &num_types) == 1);
    for (size_t i = 0; i < num_types; i++) {
        CHECK(SSL_client_hello_get0_ext(ssl, (unsigned)types[i], &content, &len) == 1);
        note("  extension %d, %zu bytes", types[i], len);
    }
    note("  extension 4660: %d, SSL 2.0 hello %d",
         SSL_client_hello_get0_ext(ssl, 0x1234, &content, &len), SSL_client_hello_isv2(ssl));
    OPENSSL_free(types);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static void run(const char *title, const char *client_groups, const char *server_groups)
{
    SSL_CTX *server_ctx = server_ctx_new();
    uint8_t ours[32], theirs[32];
    struct pair p;
    bool done;

    section("%s", title);
    hellos = 0;
    SSL_CTX_set_client_hello_cb(server_ctx, on_client_hello, NULL);
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    REQUIRE(client_groups == NULL || SSL_set1_groups_list(p.client, client_groups) == 1);
    REQUIRE(server_groups == NULL || SSL_set1_groups_list(p.server, server_groups) == 1);
    done = log_handshake(p.client, p.server);
    note("hellos %d", hellos);
    if (done) {
        note("groups %ld %ld", (long)SSL_get_negotiated_group(p.client),
             (long)SSL_get_negotiated_group(p.server));
        CHECK(SSL_get_client_random(p.client, ours, 32) == 32);
        CHECK(SSL_get_client_random(p.server, theirs, 32) == 32 && memcmp(ours, theirs, 32) == 0);
        CHECK(SSL_export_keying_material(p.client, ours, 32, "test", 4, NULL, 0, 0) == 1);
        CHECK(SSL_export_keying_material(p.server, theirs, 32, "test", 4, NULL, 0, 0) == 1);
        CHECK(memcmp(ours, theirs, 32) == 0);
        log_alive(p.client, p.server);
    }
    pair_free(&p);
}

static void test_groups(void)
{
    static const char *const groups[] = { "X25519",    "P-256",     "P-384",     "P-521",
                                          "X448",      "ffdhe2048", "ffdhe3072", "ffdhe4096",
                                          "ffdhe6144", "ffdhe8192" };
    char list[64];

    for (size_t i = 1; i < sizeof(groups) / sizeof(groups[0]); i++) {
        (void)snprintf(list, sizeof(list), "X25519:%s", groups[i]);
        run(groups[i], list, groups[i]);
    }
    run("no retry needed", NULL, NULL);
    run("client's first is the server's second", "P-256:X25519", "X25519:P-256");
    run("client's first unknown to the server", "P-521:P-384:P-256", "P-256:P-384");
    run("nothing in common", "P-521", "P-256");
}

/* One byte per call. (Through a pair of BIOs that hold one byte in all, a retry cannot work: the
 * server still writes its change_cipher_spec while the client, which need not read it, writes.) */
static void test_slow(void)
{
    struct pair p;

    section("one byte at a time");
    pair_init(&p, OVER_WIRE, 0);
    for (int end = WIRE_CLIENT; end <= WIRE_SERVER; end++) {
        wire_default(p.wire, (enum wire_end)end, WIRE_READ, 1);
        wire_default(p.wire, (enum wire_end)end, WIRE_WRITE, 1);
    }
    REQUIRE(SSL_set1_groups_list(p.server, "P-384") == 1);
    CHECK(log_handshake(p.client, p.server));
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void test_suites(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256" };

    for (size_t i = 0; i < 3; i++) {
        struct pair p;

        section("retry with %s", suites[i]);
        pair_init(&p, OVER_MEMORY, 0);
        REQUIRE(SSL_set_ciphersuites(p.server, suites[i]) == 1);
        REQUIRE(SSL_set1_groups_list(p.server, "P-384") == 1);
        CHECK(log_handshake(p.client, p.server));
        note("cipher %s", SSL_get_cipher_name(p.client));
        log_alive(p.client, p.server);
        pair_free(&p);
    }
}

int main(void)
{
    contract_start();
    test_groups();
    test_slow();
    test_suites();
    identity_default_free();
    return contract_finish();
}
