/*
 * Groups and signature algorithms: setters and lists, what is chosen by whose preference, and what
 * both sides report as shared.
 * Manual pages: SSL_get_shared_sigalgs(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static void set_groups(SSL *ssl, const char *list)
{
    note("groups %s: %d", list, (int)SSL_set1_groups_list(ssl, list));
    log_errors("error");
}

static void test_group_setters(void)
{
    static const char *const lists[] = {
        "X25519",
        "P-256:P-384",
        "prime256v1",
        "secp384r1",
        "x25519",
        "P-256:P-256",
        "",
        ":",
        "P-256:",
        "nonsense",
        "P-256:xyz",
        "ffdhe2048",
        "X448:P-521",
        "brainpoolP256r1",
        "secp256k1",
        "K-163",
        "P-256,P-384",
        " P-256",
        "ffdhe8192:X25519:P-256",
    };
    static const int nids[][3] = { { NID_X25519, NID_X9_62_prime256v1, 0 },
                                   { NID_X25519, NID_X25519, 0 },
                                   { NID_sha256, 0, 0 },
                                   { 99999, 0, 0 } };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("setting groups");
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        set_groups(ssl, lists[i]);
    }
    note("context: %d %d", (int)SSL_CTX_set1_groups_list(ctx, "P-384"),
         (int)SSL_CTX_set1_groups_list(ctx, "nothing"));
    log_errors("error");
    for (size_t i = 0; i < 4; i++) {
        int copy[3];
        int num = nids[i][1] != 0 ? 2 : 1;

        memcpy(copy, nids[i], sizeof(copy));
        note("numbers %d %d: %d", copy[0], copy[1], (int)SSL_set1_groups(ssl, copy, num));
        log_errors("error");
    }
    {
        int none[1] = { 0 };

        note("no number: %d", (int)SSL_set1_groups(ssl, none, 0));
        log_errors("error");
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void log_groups(SSL *ssl)
{
    int groups[64];
    int num = (int)SSL_get1_groups(ssl, NULL);

    note("%s: negotiated %ld, shared %ld, peer's list %d", ssl_get_name(ssl),
         (long)SSL_get_negotiated_group(ssl), (long)SSL_get_shared_group(ssl, -1), num);
    if (num > 0 && num <= 64) {
        CHECK(SSL_get1_groups(ssl, groups) == num);
        for (int i = 0; i < num; i++) {
            note("  peer's %d: %d", i, groups[i]);
        }
    }
    for (int i = 0; i < (int)SSL_get_shared_group(ssl, -1); i++) {
        note("  shared %d: %ld", i, (long)SSL_get_shared_group(ssl, i));
    }
    note("  shared beyond the end: %ld, number -2: %ld", (long)SSL_get_shared_group(ssl, 99),
         (long)SSL_get_shared_group(ssl, -2));
}

static void choose_group(const char *client, const char *server, uint64_t server_options)
{
    struct pair p;

    section("client %s, server %s, options %llx", client, server,
            (unsigned long long)server_options);
    pair_init(&p, OVER_MEMORY, 0);
    REQUIRE(client[0] == '\0' || SSL_set1_groups_list(p.client, client) == 1);
    REQUIRE(server[0] == '\0' || SSL_set1_groups_list(p.server, server) == 1);
    (void)SSL_set_options(p.server, server_options);
    if (log_handshake(p.client, p.server)) {
        log_groups(p.client);
        log_groups(p.server);
    }
    pair_free(&p);
}

static void test_group_choice(void)
{
    choose_group("", "", 0);
    choose_group("P-256:X25519:P-384", "X25519:P-384:P-256", 0);
    choose_group("P-256:X25519:P-384", "X25519:P-384:P-256", SSL_OP_CIPHER_SERVER_PREFERENCE);
    choose_group("P-521:P-384:X448", "X448:P-384", 0);
    choose_group("P-521:P-384:X448", "X448:P-384", SSL_OP_CIPHER_SERVER_PREFERENCE);
    choose_group("ffdhe2048", "ffdhe2048", 0);
    choose_group("P-256", "P-384", 0);
}

static void test_sigalg_setters(void)
{
    static const char *const lists[] = {
        "ECDSA+SHA256",
        "RSA-PSS+SHA256",
        "rsa_pss_rsae_sha256",
        "ecdsa_secp256r1_sha256",
        "ed25519",
        "ED25519",
        "RSA+SHA1",
        "ECDSA+SHA256:RSA+SHA256",
        "ECDSA+SHA256:ECDSA+SHA256",
        "",
        ":",
        "nonsense",
        "ECDSA+nonsense",
        "ECDSA+SHA256:",
        "DSA+SHA256",
        "ecdsa_secp256r1_sha256:rsa_pss_pss_sha512",
        "PSS+SHA384",
    };
    static const int pairs[] = { NID_sha256, EVP_PKEY_EC, NID_sha384, EVP_PKEY_RSA_PSS };
    static const int wrong[] = { NID_sha256, NID_sha256 };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("setting signature algorithms");
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        note("%s: %d", lists[i], (int)SSL_set1_sigalgs_list(ssl, lists[i]));
        log_errors("error");
        note("%s for clients: %d", lists[i], (int)SSL_set1_client_sigalgs_list(ssl, lists[i]));
        log_errors("error");
    }
    note("numbers: %d %d %d", (int)SSL_set1_sigalgs(ssl, pairs, 4),
         (int)SSL_set1_sigalgs(ssl, pairs, 3), (int)SSL_set1_sigalgs(ssl, wrong, 2));
    log_errors("error");
    note("context: %d %d", (int)SSL_CTX_set1_sigalgs_list(ctx, "ed448"),
         (int)SSL_CTX_set1_client_sigalgs_list(ctx, "ed448"));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void log_sigalgs(SSL *ssl)
{
    int num = SSL_get_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL);
    int num_shared;

    note("%s: peer's signature algorithms %d", ssl_get_name(ssl), num);
    for (int i = 0; i < num; i++) {
        int sign = 0, hash = 0, both = 0;
        unsigned char raw_sign = 0, raw_hash = 0;
        int ret = SSL_get_sigalgs(ssl, i, &sign, &hash, &both, &raw_sign, &raw_hash);

        note("  %d: %d sign %d hash %d both %d raw %02x%02x", i, ret, sign, hash, both, raw_hash,
             raw_sign);
    }
    num_shared = SSL_get_shared_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL);
    note("%s: shared %d", ssl_get_name(ssl), num_shared);
    for (int i = 0; i < num_shared; i++) {
        int sign = 0, hash = 0, both = 0;
        unsigned char raw_sign = 0, raw_hash = 0;
        int ret = SSL_get_shared_sigalgs(ssl, i, &sign, &hash, &both, &raw_sign, &raw_hash);

        note("  %d: %d sign %d hash %d both %d raw %02x%02x", i, ret, sign, hash, both, raw_hash,
             raw_sign);
    }
    note("  beyond the end: %d %d, negative: %d",
         SSL_get_sigalgs(ssl, 99, NULL, NULL, NULL, NULL, NULL),
         SSL_get_shared_sigalgs(ssl, 99, NULL, NULL, NULL, NULL, NULL),
         SSL_get_shared_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL));
}

static void choose_sigalg(enum key_kind kind, const char *client, const char *server)
{
    struct identity *identity = identity_new(kind, "localhost");
    struct pair p;
    int digest = 0;
    int type = 0;

    section("key %d, client %s, server %s", (int)kind, client, server);
    pair_init(&p, OVER_MEMORY, 0);
    SSL_certs_clear(p.server);
    identity_use_ssl(identity, p.server);
    REQUIRE(client[0] == '\0' || SSL_set1_sigalgs_list(p.client, client) == 1);
    REQUIRE(server[0] == '\0' || SSL_set1_sigalgs_list(p.server, server) == 1);
    if (log_handshake(p.client, p.server)) {
        CHECK(SSL_get_peer_signature_nid(p.client, &digest) == 1);
        CHECK(SSL_get_peer_signature_type_nid(p.client, &type) == 1);
        note("digest %d type %d", digest, type);
    }
    log_sigalgs(p.server);
    log_sigalgs(p.client);
    pair_free(&p);
    identity_free(identity);
}

static void test_sigalg_choice(void)
{
    choose_sigalg(KEY_P256, "", "");
    choose_sigalg(KEY_RSA, "", "");
    choose_sigalg(KEY_RSA, "RSA-PSS+SHA512:RSA-PSS+SHA256", "");
    choose_sigalg(KEY_RSA, "RSA-PSS+SHA512:RSA-PSS+SHA256", "RSA-PSS+SHA256:RSA-PSS+SHA512");
    choose_sigalg(KEY_RSA, "RSA+SHA256", "");
    choose_sigalg(KEY_RSA_PSS, "", "");
    choose_sigalg(KEY_RSA_PSS, "rsa_pss_rsae_sha256", "");
    choose_sigalg(KEY_P384, "ECDSA+SHA256", "");
    choose_sigalg(KEY_P384, "ECDSA+SHA384", "");
    choose_sigalg(KEY_ED25519, "", "");
    choose_sigalg(KEY_ED448, "ed25519", "");
}

/* Schemes of TLS 1.2 alone: the client finds out before it sends a hello. */
static void test_no_scheme(void)
{
    struct pair p;

    section("no scheme for TLS 1.3");
    pair_init(&p, OVER_MEMORY, 0);
    REQUIRE(SSL_set1_sigalgs_list(p.client, "ECDSA+SHA1") == 1);
    note("client %d", SSL_do_handshake(p.client));
    note("first reason %d", ERR_GET_REASON(ERR_peek_error()));
    ERR_clear_error();
    pair_free(&p);
}

/* What a server asks its client for has nothing that fits TLS 1.3. */
static void test_no_scheme_for_clients(const char *list)
{
    struct pair p;

    section("clients are to sign with %s", list);
    pair_init(&p, OVER_WIRE, 0);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
    REQUIRE(SSL_set1_client_sigalgs_list(p.server, list) == 1);
    (void)call_do_handshake(p.client);
    note("server %d", SSL_do_handshake(p.server));
    note("first reason %d", ERR_GET_REASON(ERR_peek_error()));
    ERR_clear_error();
    (void)call_do_handshake(p.client);
    pair_free(&p);
}

/* Several certificates: the client's preference among signature algorithms decides. */
static void several_keys(const char *client, uint64_t options)
{
    struct identity *rsa = identity_new(KEY_RSA, "localhost");
    struct identity *edwards = identity_new(KEY_ED25519, "localhost");
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;
    X509 *peer;

    section("three certificates, client %s, options %llx", client, (unsigned long long)options);
    identity_use_ctx(rsa, server_ctx);
    identity_use_ctx(edwards, server_ctx);
    (void)SSL_CTX_set_options(server_ctx, options);
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    REQUIRE(client[0] == '\0' || SSL_set1_sigalgs_list(p.client, client) == 1);
    (void)log_handshake(p.client, p.server);
    peer = SSL_get1_peer_certificate(p.client);
    note("key of the chosen certificate %d",
         peer != NULL ? EVP_PKEY_get_base_id(X509_get0_pubkey(peer)) : -1);
    X509_free(peer);
    pair_free(&p);
    identity_free(rsa);
    identity_free(edwards);
}

int main(void)
{
    contract_start();
    test_group_setters();
    test_group_choice();
    test_sigalg_setters();
    test_sigalg_choice();
    test_no_scheme();
    test_no_scheme_for_clients("ECDSA+SHA1:RSA+SHA256");
    test_no_scheme_for_clients("RSA+SHA256:ECDSA+SHA256");
    several_keys("", 0);
    several_keys("ed25519:ECDSA+SHA256:RSA-PSS+SHA256", 0);
    several_keys("RSA-PSS+SHA256:ed25519:ECDSA+SHA256", 0);
    several_keys("RSA-PSS+SHA256:ed25519:ECDSA+SHA256", SSL_OP_CIPHER_SERVER_PREFERENCE);
    identity_default_free();
    return contract_finish();
}
