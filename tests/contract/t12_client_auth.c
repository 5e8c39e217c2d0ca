/*
 * Client certificates as TLS 1.2 asks for them: certificate types, signature algorithms and names
 * in the CertificateRequest, every kind of key under every key exchange, and what each side sees.
 * RFC 5246, 7.4.4 and 7.4.8. (What both versions have in common: hs_client_auth.)
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static const enum key_kind kinds[] = { KEY_P256,    KEY_P384,    KEY_P521, KEY_RSA,
                                       KEY_RSA_PSS, KEY_ED25519, KEY_ED448 };
#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct identity *root;
static struct identity *rsa;
static struct identity *clients[NUM_KINDS];

static void prepare(struct pair *p, int mode, const char *ciphers)
{
    pair_init(p, OVER_MEMORY, 0);
    identity_trust(root, p->server_ctx);
    SSL_set_verify(p->server, mode, NULL);
    SSL_certs_clear(p->server);
    identity_use_ssl(rsa, p->server);
    (void)SSL_set_dh_auto(p->server, 1);
    REQUIRE(SSL_set_cipher_list(p->client, ciphers) == 1);
}

static void log_signatures(const char *title, SSL *ssl)
{
    int own = 0;
    int own_type = 0;
    int peer = 0;
    int peer_type = 0;
    bool has_own = SSL_get_signature_nid(ssl, &own) == 1;
    bool has_own_type = SSL_get_signature_type_nid(ssl, &own_type) == 1;
    bool has_peer = SSL_get_peer_signature_nid(ssl, &peer) == 1;
    bool has_peer_type = SSL_get_peer_signature_type_nid(ssl, &peer_type) == 1;

    note("%s: own %d %d (%d %d), peer's %d %d (%d %d)", title, has_own, has_own_type, own, own_type,
         has_peer, has_peer_type, peer, peer_type);
}

static void log_peer(SSL *ssl)
{
    X509 *peer = SSL_get1_peer_certificate(ssl);
    const STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    char name[128] = "(none)";

    if (peer != NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name,
                                        sizeof(name));
    }
    note("%s's peer %s, chain %d, result %ld", ssl_get_name(ssl), name,
         chain != NULL ? sk_X509_num(chain) : -1, SSL_get_verify_result(ssl));
    X509_free(peer);
}

static void run(struct pair *p)
{
    if (log_handshake(p->client, p->server)) {
        log_signatures("client", p->client);
        log_signatures("server", p->server);
        log_alive(p->client, p->server);
    }
    log_peer(p->server);
    pair_free(p);
}

static void test_kinds(void)
{
    static const char *const suites[] = {
        "ECDHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-SHA256", "AES128-SHA",
        "ECDHE-RSA-CHACHA20-POLY1305", "AES256-GCM-SHA384",
    };

    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        for (size_t j = 0; j < NUM_KINDS; j++) {
            struct pair p;

            section("%s, client's key %zu", suites[i], j);
            prepare(&p, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, suites[i]);
            identity_use_ssl(clients[j], p.client);
            if (j % 2 == 1) {
                (void)SSL_set_options(p.client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
            }
            run(&p);
        }
    }
}

static void test_nothing_to_send(void)
{
    static const int modes[] = { SSL_VERIFY_PEER,
                                 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };
    static const char *const suites[] = { "ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA" };

    for (size_t i = 0; i < 4; i++) {
        struct pair p;

        section("no certificate, mode %d, %s", modes[i % 2], suites[i / 2]);
        prepare(&p, modes[i % 2], suites[i / 2]);
        run(&p);
    }
}

/* What the client is told, from its certificate callback. */
static int on_cert(SSL *ssl, void *arg)
{
    const unsigned char *types = NULL;
    size_t num = (size_t)SSL_get0_certificate_types(ssl, &types);
    int num_sigalgs = SSL_get_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL);
    const STACK_OF(X509_NAME) *names = SSL_get_client_CA_list(ssl);
    char text[256] = "";
    size_t used = 0;

    (void)arg;
    for (size_t i = 0; i < num && i < 16; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, " %02x", types[i]);
    }
    note("asked for types%s, %d signature algorithms, %d names", text, num_sigalgs,
         names != NULL ? sk_X509_NAME_num(names) : -1);
    for (int i = 0; i < num_sigalgs; i++) {
        int sign = 0;
        int hash = 0;
        unsigned char low = 0;
        unsigned char high = 0;

        (void)SSL_get_sigalgs(ssl, i, &sign, &hash, NULL, &low, &high);
        note("  %02x%02x %d %d", high, low, sign, hash);
    }
    return 1;
}

static void request(const char *title, const char *sigalgs, const unsigned char *types,
                    size_t num_types, size_t key)
{
    struct pair p;

    section("request: %s, key %zu", title, key);
    prepare(&p, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, "DEFAULT");
    SSL_set_cert_cb(p.client, on_cert, NULL);
    identity_use_ssl(clients[key], p.client);
    CHECK(SSL_add_client_CA(p.server, root->cert) == 1);
    if (sigalgs != NULL) {
        note("set %d", (int)SSL_set1_client_sigalgs_list(p.server, (uintptr_t)sigalgs));
    }
    if (num_types > 0) {
        note("set %d", (int)SSL_set1_client_certificate_types(
                           p.server, (unsigned char *)(uintptr_t)types, (long)num_types));
    }
    log_errors("error");
    run(&p);
}

static void test_requests(void)
{
    static const unsigned char rsa_sign[] = { TLS_CT_RSA_SIGN };
    static const unsigned char ecdsa_sign[] = { TLS_CT_ECDSA_SIGN };
    static const unsigned char unknown[] = { 99 };
    static const size_t keys[] = { 0, 3, 4, 5 };

    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        size_t key = keys[i];

        request("default", NULL, NULL, 0, key);
        request("RSA only", "RSA+SHA256", NULL, 0, key);
        request("PSS only", "RSA-PSS+SHA256", NULL, 0, key);
        request("ECDSA only", "ECDSA+SHA384", NULL, 0, key);
        difference_begin("second-error-without-sigalgs");
        difference_end();
        request("Ed25519 only", "ed25519", NULL, 0, key);
        request("type rsa_sign", NULL, rsa_sign, sizeof(rsa_sign), key);
        request("type ecdsa_sign", NULL, ecdsa_sign, sizeof(ecdsa_sign), key);
        request("unknown type", NULL, unknown, sizeof(unknown), key);
    }
}

/* The client has signature algorithms of its own, which it prefers. */
static void test_client_sigalgs(void)
{
    static const char *const lists[] = { "RSA+SHA512", "RSA-PSS+SHA384:RSA+SHA256", "ECDSA+SHA512",
                                         "RSA+SHA224" };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        struct pair p;

        section("client's own algorithms %s", lists[i]);
        prepare(&p, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, "DEFAULT");
        identity_use_ssl(clients[3], p.client);
        note("set %d", (int)SSL_set1_client_sigalgs_list(p.client, (uintptr_t)lists[i]));
        run(&p);
        section("both lists %s", lists[i]);
        prepare(&p, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, "DEFAULT");
        identity_use_ssl(clients[3], p.client);
        REQUIRE(SSL_set_cipher_list(p.client, "AES128-SHA") == 1);
        note("set %d", (int)SSL_set1_sigalgs_list(p.client, (uintptr_t)lists[i]));
        run(&p);
    }
}

/* RFC 5246, 7.4.6: the chain goes with the certificate; a stranger's is refused. */
static void test_chains(void)
{
    struct identity *middle = identity_issue(root, KEY_P256, "middle.example", true);
    struct identity *leaf = identity_issue(middle, KEY_P256, "leaf.example", false);
    struct identity *stranger = identity_new(KEY_P256, "stranger.example");
    struct pair p;

    section("a chain");
    prepare(&p, SSL_VERIFY_PEER, "DEFAULT");
    identity_use_ssl(leaf, p.client);
    run(&p);
    section("a chain without its intermediate");
    prepare(&p, SSL_VERIFY_PEER, "DEFAULT");
    identity_use_ssl(leaf, p.client);
    REQUIRE(SSL_clear_chain_certs(p.client) == 1);
    (void)SSL_set_mode(p.client, SSL_MODE_NO_AUTO_CHAIN);
    run(&p);
    section("a stranger");
    prepare(&p, SSL_VERIFY_PEER, "DEFAULT");
    identity_use_ssl(stranger, p.client);
    run(&p);
    identity_free(stranger);
    identity_free(leaf);
    identity_free(middle);
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    root = identity_new(KEY_P256, "root.example");
    rsa = identity_new(KEY_RSA, "localhost");
    for (size_t i = 0; i < NUM_KINDS; i++) {
        clients[i] = identity_issue(root, kinds[i], "client.example", false);
    }
    test_kinds();
    test_nothing_to_send();
    test_requests();
    test_client_sigalgs();
    test_chains();
    for (size_t i = 0; i < NUM_KINDS; i++) {
        identity_free(clients[i]);
    }
    identity_free(rsa);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
