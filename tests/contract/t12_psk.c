/*
 * Pre-shared keys in TLS 1.2 and older: every suite, hints, identities and keys of all lengths,
 * callbacks that refuse or are missing, the choice of a suite with and without them. RFC 4279,
 * 5489; SSL_CTX_set_psk_client_callback(3), SSL_CTX_use_psk_identity_hint(3).
 * Manual pages: SSL_get_psk_identity(3).
 */
#include "hs_trace.h"
#include "t12_psk_pair.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* Handshakes, logs what came of it on either side, frees the pair. */
static void finish(struct pair *p)
{
    if (log_handshake(p->client, p->server)) {
        log_parameters(p);
        log_alive(p->client, p->server);
    } else {
        log_names(p->client);
        log_names(p->server);
    }
    pair_free(p);
}

static void log_records(struct pair *p)
{
    static const size_t lens[] = { 1, 16, 100 };
    uint8_t data[100];

    pattern_fill(data, sizeof(data), 1);
    wire_records_reset(p->wire, WIRE_CLIENT);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        CHECK(drive_transfer(p->client, p->server, data, lens[i]) == lens[i]);
    }
    wire_records_log(p->wire, WIRE_CLIENT);
}

/* Every suite of the library that has to do with pre-shared keys, and those without authentication
 * or encryption, which have to be named. */
static void test_suites(const char *list)
{
    SSL_CTX *ctx = client_ctx_new();
    const STACK_OF(SSL_CIPHER) *suites;

    plan_reset();
    plan.silent = true;
    SSL_CTX_set_security_level(ctx, 0);
    REQUIRE(SSL_CTX_set_ciphersuites(ctx, "") == 1 && SSL_CTX_set_cipher_list(ctx, list) == 1);
    suites = SSL_CTX_get_ciphers(ctx);
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
        const char *name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(suites, i));

        section("%s: %s", list, name);
        for (int with = WITH_RSA; with <= WITHOUT_CERT; with++) {
            for (int level = 0; level <= 1; level++) {
                char named[80];
                struct pair p;

                note("%s, level %d", with == WITH_RSA ? "certificate" : "no certificate", level);
                (void)snprintf(named, sizeof(named), "%s:@SECLEVEL=%d", name, level);
                prepare(&p, (enum with)with, named);
                if (log_handshake(p.client, p.server)) {
                    log_parameters(&p);
                    log_records(&p);
                }
                pair_free(&p);
            }
        }
    }
    SSL_CTX_free(ctx);
}

static void test_levels(void)
{
    plan_reset();
    plan.silent = true;
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        for (int level = 2; level <= 4; level++) {
            struct pair p;

            section("level %d: %s", level, exchanges[i]);
            prepare(&p, WITH_RSA, NULL);
            SSL_set_security_level(p.server, level);
            REQUIRE(SSL_set_cipher_list(p.client, exchanges[i]) == 1);
            REQUIRE(SSL_set_cipher_list(p.server, exchanges[i]) == 1);
            finish(&p);
        }
    }
}

static void test_hints(void)
{
    char longest[PSK_MAX_IDENTITY_LEN + 2];
    const char *const hints[] = { "", "a hint", longest, longest + 1 };

    memset(longest, 'h', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    plan_reset();
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        for (size_t j = 0; j < sizeof(hints) / sizeof(hints[0]); j++) {
            struct pair p;

            section("hint of %zu, %s", strlen(hints[j]), exchanges[i]);
            prepare(&p, WITH_RSA, exchanges[i]);
            note("set %d", SSL_use_psk_identity_hint(p.server, hints[j]));
            log_errors("error");
            finish(&p);
        }
    }
}

/* Of the context, of the connection, and taken back. */
static void test_hint_objects(void)
{
    for (int i = 0; i < 4; i++) {
        SSL_CTX *ctx = server_ctx_new();
        struct pair p;

        section("hint of the context, case %d", i);
        plan_reset();
        note("set %d", SSL_CTX_use_psk_identity_hint(ctx, "the context's"));
        SSL_CTX_set_psk_server_callback(ctx, on_server);
        pair_init_ctx(&p, client_ctx_new(), ctx, OVER_WIRE, 0);
        SSL_set_psk_client_callback(p.client, on_client);
        REQUIRE(SSL_set_cipher_list(p.client, exchanges[0]) == 1);
        REQUIRE(SSL_set_cipher_list(p.server, exchanges[0]) == 1);
        if (i == 1) {
            note("set %d", SSL_use_psk_identity_hint(p.server, "the connection's"));
        } else if (i == 2) {
            note("set %d", SSL_use_psk_identity_hint(p.server, NULL));
        } else if (i == 3) {
            note("set %d", SSL_CTX_use_psk_identity_hint(ctx, "too late"));
        }
        finish(&p);
    }
    section("hint of nothing");
    note("set %d", SSL_use_psk_identity_hint(NULL, "of nobody"));
    log_errors("error");
}

static void test_identities(void)
{
    static const size_t lens[] = { 1, 128, 255, 256 };

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        struct pair p;

        section("identity of %zu", lens[i]);
        plan_reset();
        plan.fill = lens[i];
        prepare(&p, WITHOUT_CERT, exchanges[0]);
        finish(&p);
    }
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        struct pair p;

        section("identity of 0, %s", exchanges[i]);
        plan_reset();
        plan.identity = "";
        prepare(&p, WITH_RSA, exchanges[i]);
        finish(&p);
    }
}

static void lengths(unsigned client, unsigned server)
{
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        struct pair p;

        section("keys of %u and %u, %s", client, server, exchanges[i]);
        plan_reset();
        plan.client_len = client;
        plan.server_len = server;
        prepare(&p, WITH_RSA, exchanges[i]);
        finish(&p);
    }
}

static void test_keys(void)
{
    lengths(1, 1);
    lengths(512, 512);
    lengths(513, 32);
    lengths(0xffffffff, 32);
    lengths(0, 32);
    lengths(32, 513);
    lengths(32, 0xffffffff);
    lengths(32, 0);
    lengths(32, 31);
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        struct pair p;

        section("keys that differ, %s", exchanges[i]);
        plan_reset();
        plan.server_key = 'x';
        prepare(&p, WITH_RSA, exchanges[i]);
        finish(&p);
        section("keys that differ, without extended master secret or EtM, %s", exchanges[i]);
        prepare(&p, WITH_RSA, exchanges[i]);
        (void)SSL_set_options(p.client,
                              SSL_OP_NO_EXTENDED_MASTER_SECRET | SSL_OP_NO_ENCRYPT_THEN_MAC);
        finish(&p);
    }
}

/* After the ServerHello. */
static void forget_callback(int sent, int version, int type, const void *message, size_t len,
                            SSL *ssl, void *arg)
{
    (void)version;
    (void)len;
    (void)arg;
    if (!sent && type == SSL3_RT_HANDSHAKE &&
        *(const unsigned char *)message == SSL3_MT_SERVER_DONE) {
        SSL_set_psk_client_callback(ssl, NULL);
    }
}

static void test_missing_callbacks(void)
{
    static const char *const lists[] = { "PSK", "PSK:DEFAULT", "DEFAULT", NULL };
    struct pair p;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (int missing = 0; missing < 4; missing++) {
            section("without callbacks %d, %s", missing, shown(lists[i]));
            plan_reset();
            prepare(&p, WITH_RSA, lists[i]);
            if ((missing & 1) != 0) {
                SSL_set_psk_client_callback(p.client, NULL);
            }
            if ((missing & 2) != 0) {
                SSL_set_psk_server_callback(p.server, NULL);
            }
            finish(&p);
        }
    }
    section("the client's callback goes away");
    plan_reset();
    prepare(&p, WITHOUT_CERT, exchanges[0]);
    SSL_set_msg_callback(p.client, forget_callback);
    finish(&p);
    section("the server's callback goes away");
    prepare(&p, WITHOUT_CERT, exchanges[0]);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    SSL_set_psk_server_callback(p.server, NULL);
    finish(&p);
}

/* What a client offers, and what a server with several ways takes. */
static void test_choice(void)
{
    static const struct {
        const char *client;
        const char *server;
        uint64_t flags;
    } rows[] = {
        { "PSK:ECDHE", "PSK:ECDHE", 0 },
        { "ECDHE:PSK", "PSK:ECDHE", 0 },
        { "ECDHE:PSK", "PSK:ECDHE", SSL_OP_CIPHER_SERVER_PREFERENCE },
        { "kRSAPSK:kDHEPSK", "kDHEPSK:kRSAPSK", 0 },
        { "kRSAPSK:kDHEPSK", "kDHEPSK:kRSAPSK", SSL_OP_CIPHER_SERVER_PREFERENCE },
        { "kECDHEPSK:kPSK", "PSK", 0 },
        { "aPSK", "ALL", 0 },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int with = WITH_RSA; with <= WITHOUT_CERT; with++) {
            struct pair p;

            section("choice %zu, %s", i, with == WITH_RSA ? "certificate" : "no certificate");
            plan_reset();
            prepare(&p, (enum with)with, NULL);
            REQUIRE(SSL_set_cipher_list(p.client, rows[i].client) == 1);
            REQUIRE(SSL_set_cipher_list(p.server, rows[i].server) == 1);
            (void)SSL_set_options(p.server, rows[i].flags);
            finish(&p);
        }
    }
}

static void log_offer(const char *title, const char *list, bool callback)
{
    struct pair p;
    STACK_OF(SSL_CIPHER) *supported;

    section("%s", title);
    prepare(&p, WITHOUT_CERT, list);
    if (!callback) {
        SSL_set_psk_client_callback(p.client, NULL);
    }
    supported = SSL_get1_supported_ciphers(p.client);
    note("supported %d", sk_SSL_CIPHER_num(supported));
    for (int i = 0; i < sk_SSL_CIPHER_num(supported); i++) {
        note("  %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(supported, i)));
    }
    sk_SSL_CIPHER_free(supported);
    finish(&p);
}

static void test_offer(void)
{
    plan_reset();
    plan.silent = true;
    log_offer("offer of PSK", "PSK", true);
    log_offer("offer of PSK without a callback", "PSK", false);
    log_offer("offer of PSK and others without a callback", "PSK:AESGCM", false);
}

/* Parameters that there are none of. */
static void test_parameters(void)
{
    struct pair p;

    plan_reset();
    section("no DH parameters");
    prepare(&p, WITHOUT_CERT, exchanges[2]);
    (void)SSL_set_dh_auto(p.server, 0);
    finish(&p);
    section("no DH parameters, another suite");
    prepare(&p, WITHOUT_CERT, "DHE-PSK-AES128-CBC-SHA256:PSK-AES128-CBC-SHA256");
    (void)SSL_set_dh_auto(p.server, 0);
    finish(&p);
    section("automatic parameters for 256 bits");
    prepare(&p, WITH_RSA, "DHE-PSK-AES256-CBC-SHA384");
    finish(&p);
    section("no group in common");
    prepare(&p, WITHOUT_CERT, exchanges[3]);
    REQUIRE(SSL_set1_groups_list(p.client, (uintptr_t) "X25519") == 1);
    REQUIRE(SSL_set1_groups_list(p.server, (uintptr_t) "P-256") == 1);
    finish(&p);
    section("no group in common, another suite");
    prepare(&p, WITHOUT_CERT, "ECDHE-PSK-AES128-CBC-SHA256:PSK-AES128-CBC-SHA256");
    REQUIRE(SSL_set1_groups_list(p.client, (uintptr_t) "X25519") == 1);
    REQUIRE(SSL_set1_groups_list(p.server, (uintptr_t) "P-256") == 1);
    finish(&p);
    section("RSA-PSK, the client takes no RSA signatures");
    prepare(&p, WITH_RSA, exchanges[1]);
    note("set %d", (int)SSL_set1_sigalgs_list(p.client, (uintptr_t) "ECDSA+SHA256"));
    finish(&p);
}

/* RSA-PSK with keys of other kinds, and a client that verifies. */
static void test_rsa_certificates(void)
{
    static const enum key_kind kinds[] = { KEY_P256, KEY_RSA_PSS };
    struct pair p;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct identity *other = identity_new(kinds[i], "localhost");

        section("RSA-PSK with a certificate of kind %zu", i);
        plan_reset();
        prepare(&p, WITHOUT_CERT, exchanges[1]);
        identity_use_ssl(other, p.server);
        finish(&p);
        identity_free(other);
    }
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        section("an untrusted certificate, %s", exchanges[i]);
        plan_reset();
        prepare(&p, WITH_RSA, exchanges[i]);
        SSL_set_verify(p.client, SSL_VERIFY_PEER, NULL);
        finish(&p);
        section("a trusted certificate, %s", exchanges[i]);
        prepare(&p, WITH_RSA, exchanges[i]);
        SSL_set_verify(p.client, SSL_VERIFY_PEER, NULL);
        identity_trust(rsa, p.client_ctx);
        finish(&p);
    }
}

/* A server that asks for certificates, with suites that have none. */
static void test_client_auth(const char *suite, int mode, bool has_cert)
{
    struct pair p;
    X509 *cert;

    section("server asks (mode %d), client %s: %s", mode, has_cert ? "has one" : "has none", suite);
    plan_reset();
    plan.silent = true;
    prepare(&p, WITH_RSA, suite);
    SSL_set_verify(p.server, mode, NULL);
    identity_trust(rsa, p.server_ctx);
    if (has_cert) {
        identity_use_ssl(rsa, p.client);
    }
    if (log_handshake(p.client, p.server)) {
        cert = SSL_get1_peer_certificate(p.server);
        note("  the server has the client's: %d, verify result %ld", cert != NULL,
             SSL_get_verify_result(p.server));
        X509_free(cert);
    }
    pair_free(&p);
}

static void test_all_client_auth(void)
{
    static const int modes[] = { SSL_VERIFY_PEER,
                                 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };

    for (size_t j = 0; j < 2; j++) {
        for (int has_cert = 0; has_cert < 2; has_cert++) {
            for (size_t i = 0; i < NUM_EXCHANGES; i++) {
                test_client_auth(exchanges[i], modes[j], has_cert != 0);
            }
            test_client_auth("AECDH-AES128-SHA:@SECLEVEL=0", modes[j], has_cert != 0);
            test_client_auth("ADH-AES128-SHA:@SECLEVEL=0", modes[j], has_cert != 0);
        }
    }
}

/* Messages and states, as callbacks see them. */
static void test_flows(void)
{
    static const char *const hints[] = { NULL, "a hint" };

    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        for (size_t j = 0; j < 2; j++) {
            struct pair p;

            section("flow of %s, hint %s", exchanges[i], shown(hints[j]));
            plan_reset();
            trace_plan_reset();
            SSL_CTX *client_ctx = client_ctx_new();
            SSL_CTX *server_ctx = server_ctx_new();
            trace_ctx(client_ctx, false, TRACE_INFO | TRACE_MESSAGE);
            trace_ctx(server_ctx, true, TRACE_INFO | TRACE_MESSAGE);
            pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
            identity_use_ssl(rsa, p.server);
            (void)SSL_set_dh_auto(p.server, 1);
            SSL_set_psk_client_callback(p.client, on_client);
            SSL_set_psk_server_callback(p.server, on_server);
            REQUIRE(SSL_use_psk_identity_hint(p.server, hints[j]) == 1);
            REQUIRE(SSL_set_cipher_list(p.client, exchanges[i]) == 1);
            REQUIRE(SSL_set_cipher_list(p.server, exchanges[i]) == 1);
            trace_ssl(p.client, TRACE_TLSEXT_DEBUG);
            trace_ssl(p.server, TRACE_TLSEXT_DEBUG);
            trace_pair(p.client, p.server);
            pair_free(&p);
        }
    }
}

int main(void)
{
    contract_start();
    if (pair_is_tls13()) {
        pair_version = TLS1_2_VERSION;
    }
    rsa = identity_new(KEY_RSA, "localhost");
    test_suites("PSK");
    test_suites("aNULL");
    test_suites("eNULL");
    test_levels();
    test_hints();
    test_hint_objects();
    test_identities();
    test_keys();
    test_missing_callbacks();
    test_choice();
    test_offer();
    test_parameters();
    test_rsa_certificates();
    test_all_client_auth();
    test_flows();
    identity_free(rsa);
    identity_default_free();
    return contract_finish();
}
