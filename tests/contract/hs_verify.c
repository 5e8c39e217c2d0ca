/*
 * Verification of the peer's certificate: modes, callbacks, depth, host names and addresses,
 * purposes, expired, self-signed and incomplete chains, with the verify result on one side and the
 * alert as the other side sees it.
 * Manual pages: SSL_get_verify_result(3), SSL_set_verify_result(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static struct identity *root;
static struct identity *middle;
static struct identity *leaf;

/* What the verify callback answers: -1 keeps what was found. */
static int override = -1;
static int calls;

static int on_verify(int ok, X509_STORE_CTX *store_ctx)
{
    int ret = override >= 0 ? override : ok;

    calls++;
    note("  callback: ok %d error %d depth %d -> %d", ok, X509_STORE_CTX_get_error(store_ctx),
         X509_STORE_CTX_get_error_depth(store_ctx), ret);
    return ret;
}

static int on_verify_sets_error(int ok, X509_STORE_CTX *store_ctx)
{
    (void)ok;
    X509_STORE_CTX_set_error(store_ctx, X509_V_ERR_CERT_REVOKED);
    return 0;
}

static int on_verify_hides_error(int ok, X509_STORE_CTX *store_ctx)
{
    (void)ok;
    X509_STORE_CTX_set_error(store_ctx, X509_V_OK);
    return 1;
}

/* Contexts: the server has `identity`, the client verifies and trusts the root. */
static void prepare(struct pair *p, const struct identity *identity)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    identity_use_ctx(identity, server_ctx);
    identity_trust(root, client_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
}

static void outcome(struct pair *p)
{
    STACK_OF(X509) *verified;
    X509 *seen;

    (void)log_handshake(p->client, p->server);
    verified = SSL_get0_verified_chain(p->client);
    seen = SSL_get1_peer_certificate(p->client);
    note("result %ld %s, verified chain %d, peer %d", SSL_get_verify_result(p->client),
         X509_verify_cert_error_string(SSL_get_verify_result(p->client)),
         verified != NULL ? sk_X509_num(verified) : -1, seen != NULL);
    X509_free(seen);
    pair_free(p);
}

static void test_modes(void)
{
    static const int modes[] = { SSL_VERIFY_NONE, SSL_VERIFY_PEER,
                                 SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT };
    struct identity *stranger = identity_new(KEY_P256, "stranger.example");
    struct pair p;

    for (size_t i = 0; i < 3; i++) {
        section("mode %d, trusted", modes[i]);
        prepare(&p, leaf);
        SSL_set_verify(p.client, modes[i], on_verify);
        CHECK(SSL_get_verify_mode(p.client) == modes[i]);
        outcome(&p);
        section("mode %d, self-signed", modes[i]);
        prepare(&p, stranger);
        SSL_set_verify(p.client, modes[i], on_verify);
        outcome(&p);
    }
    identity_free(stranger);
}

static void test_callbacks(void)
{
    struct identity *stranger = identity_new(KEY_P256, "stranger.example");
    struct pair p;

    section("callback accepts a self-signed certificate");
    override = 1;
    prepare(&p, stranger);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
    outcome(&p);
    section("callback refuses a good chain");
    override = 0;
    prepare(&p, leaf);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
    outcome(&p);
    override = -1;
    section("callback sets an error and refuses");
    prepare(&p, leaf);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify_sets_error);
    outcome(&p);
    section("callback hides the error");
    prepare(&p, stranger);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify_hides_error);
    outcome(&p);
    section("callback kept when set to NULL");
    prepare(&p, leaf);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, NULL);
    CHECK(SSL_get_verify_callback(p.client) == on_verify);
    calls = 0;
    outcome(&p);
    note("calls %d", calls);
    identity_free(stranger);
}

static int app_answer;
static int app_error;

static int on_app_verify(X509_STORE_CTX *store_ctx, void *arg)
{
    STACK_OF(X509) *untrusted = X509_STORE_CTX_get0_untrusted(store_ctx);
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store_ctx);

    note("  callback of %s: argument %s, certificate %d, untrusted %d, depth %d", ssl_get_name(ssl),
         (const char *)arg, X509_STORE_CTX_get0_cert(store_ctx) != NULL,
         untrusted != NULL ? sk_X509_num(untrusted) : -1, X509_VERIFY_PARAM_get_depth(param));
    X509_STORE_CTX_set_error(store_ctx, app_error);
    return app_answer;
}

static void app_verify(int answer, int error, int mode)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("application's verification: answer %d, error %d, mode %d", answer, error, mode);
    app_answer = answer;
    app_error = error;
    identity_use_ctx(leaf, server_ctx);
    SSL_CTX_set_cert_verify_callback(client_ctx, on_app_verify, (void *)(uintptr_t) "argument");
    SSL_CTX_set_verify(client_ctx, mode, NULL);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    outcome(&p);
}

static void test_app_verify(void)
{
    app_verify(1, X509_V_OK, SSL_VERIFY_PEER);
    app_verify(1, X509_V_ERR_CERT_HAS_EXPIRED, SSL_VERIFY_PEER);
    app_verify(0, X509_V_OK, SSL_VERIFY_PEER);
    app_verify(0, X509_V_ERR_CERT_REVOKED, SSL_VERIFY_PEER);
    app_verify(0, X509_V_ERR_CERT_REVOKED, SSL_VERIFY_NONE);
    app_verify(-1, X509_V_ERR_OUT_OF_MEM, SSL_VERIFY_PEER);
    app_verify(-1, X509_V_OK, SSL_VERIFY_PEER);
    app_verify(7, X509_V_OK, SSL_VERIFY_PEER);
}

/* Every X509_V_ERR_* has its alert: what the server reads as reason code. */
static void test_alerts_of_errors(void)
{
    for (int error = 1; error <= 95; error++) {
        SSL_CTX *client_ctx = client_ctx_new();
        struct pair p;
        int ret;

        app_answer = 0;
        app_error = error;
        log_capture_begin();
        SSL_CTX_set_cert_verify_callback(client_ctx, on_app_verify, (void *)(uintptr_t) "argument");
        SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
        pair_init_ctx(&p, client_ctx, server_ctx_new(), OVER_MEMORY, 0);
        (void)drive_handshake(p.client, p.server);
        ERR_clear_error();
        ret = SSL_do_handshake(p.server);
        free(log_capture_end());
        note("error %d: server %d reason %d", error, ret, ERR_GET_REASON(ERR_peek_error()));
        ERR_clear_error();
        pair_free(&p);
    }
}

static void test_depth(void)
{
    for (int depth = -1; depth <= 3; depth++) {
        struct pair p;

        section("depth %d", depth);
        prepare(&p, leaf);
        SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
        SSL_set_verify_depth(p.client, depth);
        note("depth reported %d", SSL_get_verify_depth(p.client));
        outcome(&p);
    }
}

static void test_chains(void)
{
    struct pair p;

    section("no intermediate sent");
    prepare(&p, leaf);
    SSL_CTX_clear_chain_certs(p.server_ctx);
    CHECK(SSL_clear_chain_certs(p.server) == 1);
    outcome(&p);

    section("no intermediate sent, client has it");
    prepare(&p, leaf);
    CHECK(SSL_clear_chain_certs(p.server) == 1);
    CHECK(X509_STORE_add_cert(SSL_CTX_get_cert_store(p.client_ctx), middle->cert) == 1);
    outcome(&p);

    section("no trust anchor");
    prepare(&p, leaf);
    {
        X509_STORE *empty = X509_STORE_new();

        REQUIRE(empty != NULL && SSL_set1_verify_cert_store(p.client, empty) == 1);
        X509_STORE_free(empty);
    }
    outcome(&p);

    section("intermediate as anchor, partial chain");
    prepare(&p, leaf);
    {
        X509_STORE *store = X509_STORE_new();

        REQUIRE(store != NULL && X509_STORE_add_cert(store, middle->cert) == 1);
        REQUIRE(SSL_set0_verify_cert_store(p.client, store) == 1);
        CHECK(X509_VERIFY_PARAM_set_flags(SSL_get0_param(p.client), X509_V_FLAG_PARTIAL_CHAIN) ==
              1);
    }
    outcome(&p);

    section("server builds its chain from its own store");
    prepare(&p, leaf);
    CHECK(SSL_clear_chain_certs(p.server) == 1);
    {
        X509_STORE *store = X509_STORE_new();

        REQUIRE(store != NULL && X509_STORE_add_cert(store, middle->cert) == 1);
        REQUIRE(X509_STORE_add_cert(store, root->cert) == 1);
        REQUIRE(SSL_set0_chain_cert_store(p.server, store) == 1);
    }
    outcome(&p);
}

/* Re-signs a certificate after a change. */
static void sign_again(struct identity *identity)
{
    REQUIRE(X509_sign(identity->cert, identity->issuer->key, EVP_sha256()) > 0);
}

static void add_extension(struct identity *identity, int nid, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

    REQUIRE(extension != NULL && X509_add_ext(identity->cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
    sign_again(identity);
}

static void one_certificate(const char *title, const struct identity *identity)
{
    struct pair p;

    section("%s", title);
    prepare(&p, identity);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
    outcome(&p);
}

static void test_certificates(void)
{
    struct identity *one;

    one = identity_issue(root, KEY_P256, "old.example", false);
    REQUIRE(X509_gmtime_adj(X509_getm_notAfter(one->cert), -1800L) != NULL);
    sign_again(one);
    one_certificate("expired", one);
    identity_free(one);

    one = identity_issue(root, KEY_P256, "future.example", false);
    REQUIRE(X509_gmtime_adj(X509_getm_notBefore(one->cert), 3600L) != NULL);
    sign_again(one);
    one_certificate("not yet valid", one);
    identity_free(one);

    one = identity_issue(root, KEY_P256, "client.example", false);
    add_extension(one, NID_ext_key_usage, "clientAuth");
    one_certificate("for clients only", one);
    identity_free(one);

    one = identity_issue(root, KEY_P256, "server.example", false);
    add_extension(one, NID_ext_key_usage, "serverAuth");
    one_certificate("for servers only", one);
    identity_free(one);

    one = identity_issue(root, KEY_P256, "agreement.example", false);
    add_extension(one, NID_key_usage, "critical,keyAgreement");
    one_certificate("key usage without signatures", one);
    identity_free(one);

    one = identity_issue(root, KEY_P256, "critical.example", false);
    add_extension(one, NID_policy_mappings, "critical,1.2.3.4:1.2.3.5");
    one_certificate("critical extension", one);
    identity_free(one);

    one = identity_issue(leaf, KEY_P256, "below.example", false);
    one_certificate("signed by a certificate that is no authority", one);
    identity_free(one);
}

static void log_setter(const char *what, int ret)
{
    note("%s: %d", what, ret);
    log_errors("error");
}

static void one_host(const char *title, const char *host, unsigned flags)
{
    struct pair p;

    section("host %s", title);
    prepare(&p, leaf);
    log_setter("SSL_set1_host", SSL_set1_host(p.client, host));
    SSL_set_hostflags(p.client, flags);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
    (void)log_handshake(p.client, p.server);
    note("result %ld, name that matched %s", SSL_get_verify_result(p.client),
         SSL_get0_peername(p.client) != NULL ? SSL_get0_peername(p.client) : "(none)");
    pair_free(&p);
}

static void test_hosts(void)
{
    struct identity *plain = leaf;
    struct pair p;

    leaf = identity_issue(middle, KEY_P256, "*.example.org", false);
    one_host("a.example.org", "a.example.org", 0);
    one_host("a.example.org, no wildcards", "a.example.org", X509_CHECK_FLAG_NO_WILDCARDS);
    one_host("a.b.example.org", "a.b.example.org", 0);
    one_host("example.org", "example.org", 0);
    one_host(".example.org", ".example.org", 0);
    one_host("A.EXAMPLE.ORG", "A.EXAMPLE.ORG", 0);
    one_host("192.0.2.1", "192.0.2.1", 0);
    one_host("empty", "", 0);
    one_host("NULL", NULL, 0);

    section("second host");
    prepare(&p, leaf);
    CHECK(SSL_set1_host(p.client, "nobody.example") == 1);
    CHECK(SSL_add1_host(p.client, "b.example.org") == 1);
    outcome(&p);
    identity_free(leaf);
    leaf = plain;
}

static void test_addresses(void)
{
    static const char *const addresses[] = { "192.0.2.1", "192.0.2.2", "2001:db8::1" };
    struct identity *plain = leaf;

    leaf = identity_issue(middle, KEY_P256, "address.example", false);
    X509_EXTENSION_free(
        X509_delete_ext(leaf->cert, X509_get_ext_by_NID(leaf->cert, NID_subject_alt_name, -1)));
    add_extension(leaf, NID_subject_alt_name, "IP:192.0.2.1,IP:2001:db8::1");
    for (size_t i = 0; i < 3; i++) {
        struct pair p;

        section("address %s", addresses[i]);
        prepare(&p, leaf);
        CHECK(X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(p.client), addresses[i]) == 1);
        outcome(&p);
    }
    identity_free(leaf);
    leaf = plain;
}

/* Purpose, trust and flags of the SSL and of its context. */
static void test_parameters(void)
{
    X509_VERIFY_PARAM *param = X509_VERIFY_PARAM_new();
    struct pair p;

    section("parameters");
    REQUIRE(param != NULL);
    prepare(&p, leaf);
    log_setter("purpose of clients", SSL_set_purpose(p.client, X509_PURPOSE_SSL_CLIENT));
    log_setter("purpose 99", SSL_set_purpose(p.client, 99));
    log_setter("trust", SSL_set_trust(p.client, X509_TRUST_SSL_SERVER));
    log_setter("trust 99", SSL_set_trust(p.client, 99));
    X509_VERIFY_PARAM_set_depth(param, 0);
    CHECK(SSL_set1_param(p.client, param) == 1);
    note("depth %d", SSL_get_verify_depth(p.client));
    outcome(&p);
    section("depth of the context after SSL_new");
    prepare(&p, leaf);
    SSL_CTX_set_verify_depth(p.client_ctx, 0);
    note("context %d connection %d", SSL_CTX_get_verify_depth(p.client_ctx),
         SSL_get_verify_depth(p.client));
    outcome(&p);
    section("revocation is asked for, no list is there");
    prepare(&p, leaf);
    CHECK(X509_VERIFY_PARAM_set_flags(SSL_get0_param(p.client), X509_V_FLAG_CRL_CHECK) == 1);
    outcome(&p);
    X509_VERIFY_PARAM_free(param);
}

static void test_result_setter(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("SSL_set_verify_result");
    note("fresh %ld", SSL_get_verify_result(ssl));
    SSL_set_verify_result(ssl, X509_V_ERR_CERT_REVOKED);
    note("set %ld", SSL_get_verify_result(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root.example");
    middle = identity_issue(root, KEY_P256, "middle.example", true);
    leaf = identity_issue(middle, KEY_P256, "leaf.example", false);
    test_modes();
    test_callbacks();
    test_app_verify();
    test_alerts_of_errors();
    test_depth();
    test_chains();
    test_certificates();
    test_hosts();
    test_addresses();
    test_parameters();
    test_result_setter();
    identity_free(leaf);
    identity_free(middle);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
