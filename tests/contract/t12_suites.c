/*
 * Every suite of TLS 1.2 that the library offers when it is asked for all of them, also those that
 * are off by default: DSA, anonymous, without encryption, AES-CCM, ARIA, Camellia. What each comes
 * to, how long its records are; then DSA's own rules. RFC 5246, 7.4.1.4.1 and 7.4.3.
 */
#include "contract.h"

#include <stdlib.h>

#define EVERY "ALL:COMPLEMENTOFALL:@SECLEVEL=0"

static struct identity *rsa;
static struct identity *dsa;

/* Two SSLs at security level 0; the server has a certificate of each type. */
static void prepare(struct pair *p, const char *suite)
{
    pair_init(p, OVER_WIRE, 0);
    REQUIRE(SSL_set_cipher_list(p->server, EVERY) == 1);
    REQUIRE(SSL_set_cipher_list(p->client, suite) == 1);
    SSL_set_security_level(p->client, 0);
    SSL_set_security_level(p->server, 0);
    identity_use_ssl(rsa, p->server);
    identity_use_ssl(dsa, p->server);
    (void)SSL_set_dh_auto(p->server, 1);
}

static void log_parameters(const struct pair *p)
{
    X509 *cert = SSL_get1_peer_certificate(p->client);
    int digest = 0;
    int type = 0;

    (void)SSL_get_peer_signature_nid(p->client, &digest);
    (void)SSL_get_peer_signature_type_nid(p->client, &type);
    note("  %s, certificate %s, signed with %d %d, group %d", SSL_get_cipher(p->client),
         cert == NULL ? "none" : EVP_PKEY_get0_type_name(X509_get0_pubkey(cert)), digest, type,
         (int)SSL_get_negotiated_group(p->client));
    X509_free(cert);
}

static void log_records(struct pair *p)
{
    static const size_t lens[] = { 1, 15, 16, 100 };
    uint8_t data[100];

    pattern_fill(data, sizeof(data), 1);
    wire_records_reset(p->wire, WIRE_CLIENT);
    wire_records_reset(p->wire, WIRE_SERVER);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        CHECK(drive_transfer(p->client, p->server, data, lens[i]) == lens[i]);
        CHECK(drive_transfer(p->server, p->client, data, lens[i]) == lens[i]);
    }
    wire_records_log(p->wire, WIRE_CLIENT);
    wire_records_log(p->wire, WIRE_SERVER);
}

static void one_suite(const char *name, bool encrypt_then_mac)
{
    struct pair p;

    note("%s%s", name, encrypt_then_mac ? "" : ", no encrypt-then-mac");
    prepare(&p, name);
    if (!encrypt_then_mac) {
        (void)SSL_set_options(p.server, SSL_OP_NO_ENCRYPT_THEN_MAC);
    }
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
        log_records(&p);
    }
    pair_free(&p);
}

static void test_every_suite(void)
{
    struct pair p;
    STACK_OF(SSL_CIPHER) *suites;

    section("every suite");
    prepare(&p, EVERY);
    suites = SSL_get1_supported_ciphers(p.client);
    REQUIRE(suites != NULL);
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
        const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i));

        one_suite(name, true);
        one_suite(name, false);
    }
    sk_SSL_CIPHER_free(suites);
    pair_free(&p);
}

/* A server with nothing but a DSA key. */
static void dsa_server(const char *title, const char *ciphers, const char *client_sigalgs,
                       const char *server_sigalgs, int version)
{
    struct pair p;

    section("DSA: %s", title);
    pair_init(&p, OVER_MEMORY, 0);
    SSL_certs_clear(p.server);
    identity_use_ssl(dsa, p.server);
    (void)SSL_set_dh_auto(p.server, 1);
    REQUIRE(SSL_set_max_proto_version(p.client, version) == 1);
    REQUIRE(SSL_set_max_proto_version(p.server, version) == 1);
    if (ciphers != NULL) {
        REQUIRE(SSL_set_cipher_list(p.client, ciphers) == 1);
        REQUIRE(SSL_set_cipher_list(p.server, ciphers) == 1);
    }
    if (client_sigalgs != NULL) {
        REQUIRE(SSL_set1_sigalgs_list(p.client, (uintptr_t)client_sigalgs) == 1);
    }
    if (server_sigalgs != NULL) {
        REQUIRE(SSL_set1_sigalgs_list(p.server, (uintptr_t)server_sigalgs) == 1);
    }
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
    }
    pair_free(&p);
}

static void test_dsa_server(void)
{
    static const char *const dss = "DHE-DSS-AES128-GCM-SHA256";

    dsa_server("default lists", NULL, NULL, NULL, TLS1_2_VERSION);
    dsa_server("one suite", dss, NULL, NULL, TLS1_2_VERSION);
    dsa_server("SHA-512", dss, "DSA+SHA512", NULL, TLS1_2_VERSION);
    dsa_server("SHA-384 first at the server", dss, NULL, "DSA+SHA384:DSA+SHA256", TLS1_2_VERSION);
    dsa_server("SHA-1", dss, "DSA+SHA1", NULL, TLS1_2_VERSION);
    dsa_server("SHA-1 at level 0", "DHE-DSS-AES128-GCM-SHA256:@SECLEVEL=0", "DSA+SHA1", "DSA+SHA1",
               TLS1_2_VERSION);
    dsa_server("a client without DSA", dss, "RSA+SHA256", NULL, TLS1_2_VERSION);
    dsa_server("a server without DSA", dss, NULL, "RSA+SHA256", TLS1_2_VERSION);
    dsa_server("no common digest", dss, "DSA+SHA256", "DSA+SHA512", TLS1_2_VERSION);
    dsa_server("both versions", dss, NULL, NULL, TLS1_3_VERSION);
}

/* A client whose only certificate is a DSA one. */
static void dsa_client(const char *title, const char *server_sigalgs, int version)
{
    struct pair p;
    X509 *cert;

    section("DSA: client, %s", title);
    pair_init(&p, OVER_MEMORY, 0);
    REQUIRE(SSL_set_max_proto_version(p.client, version) == 1);
    REQUIRE(SSL_set_max_proto_version(p.server, version) == 1);
    identity_use_ssl(dsa, p.client);
    identity_trust(dsa, p.server_ctx);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
    if (server_sigalgs != NULL) {
        REQUIRE(SSL_set1_client_sigalgs_list(p.server, (uintptr_t)server_sigalgs) == 1);
    }
    (void)log_handshake(p.client, p.server);
    cert = SSL_get1_peer_certificate(p.server);
    note("  certificate %d, verified %ld", cert != NULL, SSL_get_verify_result(p.server));
    X509_free(cert);
    pair_free(&p);
}

static void test_dsa_client(void)
{
    dsa_client("default", NULL, TLS1_2_VERSION);
    dsa_client("SHA-512", "DSA+SHA512:DSA+SHA256", TLS1_2_VERSION);
    dsa_client("not wanted", "RSA+SHA256:ECDSA+SHA256", TLS1_2_VERSION);
    dsa_client("both versions", NULL, TLS1_3_VERSION);
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    rsa = identity_new(KEY_RSA, "localhost");
    dsa = identity_new(KEY_DSA, "localhost");
    test_every_suite();
    test_dsa_server();
    test_dsa_client();
    identity_free(rsa);
    identity_free(dsa);
    identity_default_free();
    return contract_finish();
}
