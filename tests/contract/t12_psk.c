/*
 * Pre-shared keys in TLS 1.2 and older: every suite, hints, identities and keys of all lengths,
 * callbacks that refuse or are missing, the choice of a suite with and without them. RFC 4279,
 * 5489; SSL_CTX_set_psk_client_callback(3), SSL_CTX_use_psk_identity_hint(3).
 */
#include "contract.h"
#include "hs_trace.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

/* What the callbacks answer, and whether they say that they were called. */
static struct {
    bool silent;
    const char *identity;     /* the client's */
    size_t fill;              /* client: the buffer is filled with so many 'x' instead */
    unsigned client_len;      /* of the key, as claimed */
    unsigned server_len;      /* the same */
    unsigned char client_key; /* every byte of it */
    unsigned char server_key;
} plan;

static void plan_reset(void)
{
    memset(&plan, 0, sizeof(plan));
    plan.identity = "someone";
    plan.client_len = 32;
    plan.server_len = 32;
    plan.client_key = 'k';
    plan.server_key = 'k';
}

static unsigned int on_client(SSL *ssl, const char *hint, char *identity,
                              unsigned int max_identity_len, unsigned char *psk,
                              unsigned int max_psk_len)
{
    if (!plan.silent) {
        note("client callback [%s]: hint %s, room for %u and %u", SSL_state_string(ssl),
             hint == NULL ? "(none)" : hint, max_identity_len, max_psk_len);
    }
    if (plan.fill > 0) {
        memset(identity, 'x', plan.fill);
    } else {
        REQUIRE(strlen(plan.identity) <= max_identity_len);
        memcpy(identity, plan.identity, strlen(plan.identity) + 1);
    }
    memset(psk, plan.client_key, plan.client_len < max_psk_len ? plan.client_len : max_psk_len);
    return plan.client_len;
}

static unsigned int on_server(SSL *ssl, const char *identity, unsigned char *psk,
                              unsigned int max_psk_len)
{
    if (!plan.silent) {
        note("server callback [%s]: identity of %zu, %s, room for %u", SSL_state_string(ssl),
             strlen(identity), identity, max_psk_len);
    }
    memset(psk, plan.server_key, plan.server_len < max_psk_len ? plan.server_len : max_psk_len);
    return plan.server_len;
}

static struct identity *rsa;

/* One suite for each key exchange. */
static const char *const exchanges[] = { "PSK-AES128-CBC-SHA256", "RSA-PSK-AES128-CBC-SHA256",
                                         "DHE-PSK-AES128-CBC-SHA256",
                                         "ECDHE-PSK-AES128-CBC-SHA256" };

#define NUM_EXCHANGES (sizeof(exchanges) / sizeof(exchanges[0]))

enum with { WITH_RSA, WITHOUT_CERT };

/* Both sides, both with callbacks; the client offers what `ciphers` says. */
static void prepare(struct pair *p, enum with with, const char *ciphers)
{
    pair_init(p, OVER_WIRE, 0);
    SSL_certs_clear(p->server);
    if (with == WITH_RSA) {
        identity_use_ssl(rsa, p->server);
    }
    (void)SSL_set_dh_auto(p->server, 1);
    SSL_set_psk_client_callback(p->client, on_client);
    SSL_set_psk_server_callback(p->server, on_server);
    if (ciphers != NULL) {
        REQUIRE(SSL_set_cipher_list(p->client, ciphers) == 1);
        REQUIRE(SSL_set_cipher_list(p->server, ciphers) == 1);
    }
}

static const char *shown(const char *text)
{
    return text == NULL ? "(none)" : text;
}

static void log_names(const SSL *ssl)
{
    note("  %s: identity %s, hint %s", ssl_get_name(ssl), shown(SSL_get_psk_identity(ssl)),
         shown(SSL_get_psk_identity_hint(ssl)));
}

static void log_parameters(const struct pair *p)
{
    EVP_PKEY *key = NULL;
    X509 *cert = SSL_get1_peer_certificate(p->client);
    int nid = 0;

    if (SSL_get_peer_tmp_key(p->client, &key) == 1) {
        note("  ephemeral %s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
        EVP_PKEY_free(key);
    }
    note("  %s, certificate %d, signature %ld %d, EMS %d", SSL_get_cipher(p->client), cert != NULL,
         SSL_get_peer_signature_nid(p->client, &nid), nid, (int)SSL_get_extms_support(p->client));
    X509_free(cert);
    log_names(p->client);
    log_names(p->server);
}

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

/* A second handshake on the connection takes another identity. */
static void test_renegotiation(void)
{
    struct pair p;
    char got[8];

    section("renegotiation");
    plan_reset();
    prepare(&p, WITHOUT_CERT, exchanges[0]);
    REQUIRE(SSL_use_psk_identity_hint(p.server, "first") == 1);
    CHECK(drive_handshake(p.client, p.server));
    log_names(p.client);
    plan.identity = "another";
    REQUIRE(SSL_use_psk_identity_hint(p.server, NULL) == 1);
    log_call(p.server, "SSL_renegotiate", SSL_renegotiate(p.server));
    (void)call_do_handshake(p.server);
    for (int i = 0; i < 4; i++) {
        (void)call_read(p.client, got, sizeof(got));
        (void)call_read(p.server, got, sizeof(got));
    }
    log_names(p.client);
    log_names(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* The session holds both names. */
static void test_session(void)
{
    struct pair p;
    unsigned char *der = NULL;
    char *text;
    BIO *out = BIO_new(BIO_s_mem());
    SSL_SESSION *copy;
    const unsigned char *at;
    int len;

    section("session");
    plan_reset();
    prepare(&p, WITHOUT_CERT, exchanges[0]);
    REQUIRE(SSL_use_psk_identity_hint(p.server, "a hint") == 1);
    CHECK(drive_handshake(p.client, p.server));
    len = i2d_SSL_SESSION(SSL_get0_session(p.client), &der);
    at = der;
    copy = d2i_SSL_SESSION(NULL, &at, len);
    REQUIRE(out != NULL && copy != NULL && SSL_SESSION_print(out, copy) == 1);
    REQUIRE(BIO_write(out, "", 1) == 1);
    (void)BIO_get_mem_data(out, &text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strstr(line, "PSK identity") != NULL) {
            note("%s", line);
        }
    }
    BIO_free(out);
    SSL_SESSION_free(copy);
    OPENSSL_free(der);
    pair_free(&p);
}

/* Both names go with a session, in the cache and in a ticket; nobody is asked again. */
static void resume(const char *suite, bool ticket, bool callback)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    SSL_SESSION *session;
    struct pair p;

    section("resumption by %s, %s%s", ticket ? "ticket" : "id", suite,
            callback ? "" : ", without callbacks");
    plan_reset();
    if (ticket) {
        SSL_CTX_clear_options(client_ctx, SSL_OP_NO_TICKET);
        SSL_CTX_clear_options(server_ctx, SSL_OP_NO_TICKET);
    }
    SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_SERVER);
    identity_use_ctx(rsa, server_ctx);
    (void)SSL_CTX_set_dh_auto(server_ctx, 1);
    REQUIRE(SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"psk", 3) == 1);
    REQUIRE(SSL_CTX_set_cipher_list(client_ctx, suite) == 1);
    REQUIRE(SSL_CTX_use_psk_identity_hint(server_ctx, "a hint") == 1);
    SSL_CTX_set_psk_client_callback(client_ctx, on_client);
    SSL_CTX_set_psk_server_callback(server_ctx, on_server);
    REQUIRE(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
    CHECK(log_handshake(p.client, p.server));
    session = SSL_get1_session(p.client);
    SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(p.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    pair_free(&p);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
    REQUIRE(SSL_set_session(p.client, session) == 1);
    if (!callback) {
        SSL_set_psk_client_callback(p.client, NULL);
        SSL_set_psk_server_callback(p.server, NULL);
    }
    note("once more");
    if (log_handshake(p.client, p.server)) {
        note("  reused %d %d", (int)SSL_session_reused(p.client),
             (int)SSL_session_reused(p.server));
        log_parameters(&p);
    }
    SSL_SESSION_free(session);
    pair_free(&p);
}

static void test_resumption(void)
{
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        resume(exchanges[i], false, true);
        resume(exchanges[i], true, true);
    }
    resume(exchanges[0], true, false);
    resume("PSK-AES128-CBC-SHA256:AES128-SHA", false, false);
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
    test_renegotiation();
    test_session();
    test_resumption();
    identity_free(rsa);
    identity_default_free();
    return contract_finish();
}
