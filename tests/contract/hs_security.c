/*
 * Security levels and the security callback: what a level takes away in TLS 1.3, what the callback
 * is asked, and what its refusals do.
 * Manual pages: SSL_CTX_set_security_level(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>

static int refused_op; /* 0: none */
static int refused_nid;
static int num_asked;
static bool quiet;

static int on_security(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                       void *ex)
{
    (void)ctx;
    (void)other;
    num_asked++;
    if (op == refused_op && (refused_nid == 0 || nid == refused_nid)) {
        if (!quiet) {
            note("  refused: %s op %x bits %d nid %d ex %s",
                 ssl != NULL ? ssl_get_name(ssl) : "context", (unsigned)op, bits, nid,
                 ex != NULL ? (const char *)ex : "(none)");
        }
        return 0;
    }
    return 1;
}

/* Whether it came to a connection; what names the failure may differ. */
static void log_outcome(struct pair *p)
{
    bool done;
    char *lines;

    log_capture_begin();
    done = log_handshake(p->client, p->server);
    lines = log_capture_end();
    if (done) {
        note("cipher %s group %ld", SSL_get_cipher_name(p->client),
             (long)SSL_get_negotiated_group(p->client));
    } else {
        for (char *at = lines; *at != '\0'; at++) {
            *at = *at == '\n' ? ';' : *at;
        }
        note("no connection");
        log_difference("hs-security-reason", "%s", lines);
    }
    free(lines);
}

static void refuse(const char *title, int op, int nid, bool server)
{
    struct pair p;
    SSL *ssl;

    section("%s %s", server ? "server" : "client", title);
    refused_op = op;
    refused_nid = nid;
    pair_init(&p, OVER_MEMORY, 0);
    ssl = server ? p.server : p.client;
    SSL_set_security_callback(ssl, on_security);
    SSL_set0_security_ex_data(ssl, (void *)(uintptr_t) "ex");
    CHECK(SSL_get_security_callback(ssl) == on_security);
    CHECK(SSL_get0_security_ex_data(ssl) != NULL);
    quiet = true; /* how often one thing is asked is not a promise */
    num_asked = 0;
    log_outcome(&p);
    note("asked %d", num_asked > 0);
    quiet = false;
    refused_op = 0;
    pair_free(&p);
}

static void test_refusals(void)
{
    for (int server = 0; server < 2; server++) {
        refuse("nothing", 0, 0, server != 0);
        refuse("versions", SSL_SECOP_VERSION, 0, server != 0);
        refuse("supported suites", SSL_SECOP_CIPHER_SUPPORTED, 0, server != 0);
        refuse("shared suites", SSL_SECOP_CIPHER_SHARED, 0, server != 0);
        refuse("the chosen suite", SSL_SECOP_CIPHER_CHECK, 0, server != 0);
        refuse("supported groups", SSL_SECOP_CURVE_SUPPORTED, 0, server != 0);
        refuse("X25519 among them", SSL_SECOP_CURVE_SUPPORTED, NID_X25519, server != 0);
        refuse("shared groups", SSL_SECOP_CURVE_SHARED, 0, server != 0);
        refuse("the chosen group", SSL_SECOP_CURVE_CHECK, 0, server != 0);
        refuse("supported signature algorithms", SSL_SECOP_SIGALG_SUPPORTED, 0, server != 0);
        refuse("shared signature algorithms", SSL_SECOP_SIGALG_SHARED, 0, server != 0);
        refuse("the chosen signature algorithm", SSL_SECOP_SIGALG_CHECK, 0, server != 0);
        refuse("tickets", SSL_SECOP_TICKET, 0, server != 0);
        refuse("its certificate's key", SSL_SECOP_EE_KEY, 0, server != 0);
        refuse("its certificate's digest", SSL_SECOP_CA_MD, 0, server != 0);
        refuse("the peer's certificate's key", SSL_SECOP_PEER_EE_KEY, 0, server != 0);
    }
}

static void level(int level, enum key_kind kind, const char *title)
{
    struct identity *identity = identity_new(kind, "localhost");
    SSL_CTX *client_ctx = client_ctx_new();
    struct pair p;

    section("level %d, %s", level, title);
    identity_trust(identity, client_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    pair_init_ctx(&p, client_ctx, server_ctx_new(), OVER_MEMORY, 0);
    SSL_certs_clear(p.server);
    identity_use_ssl(identity, p.server);
    SSL_set_security_level(p.client, level);
    note("level %d, context's %d", SSL_get_security_level(p.client),
         SSL_CTX_get_security_level(p.client_ctx));
    if (log_handshake(p.client, p.server)) {
        note("cipher %s group %ld", SSL_get_cipher_name(p.client),
             (long)SSL_get_negotiated_group(p.client));
    }
    note("result %ld", SSL_get_verify_result(p.client));
    pair_free(&p);
    identity_free(identity);
}

static void test_levels(void)
{
    for (int i = 0; i <= 6; i++) {
        level(i, KEY_P256, "P-256");
        level(i, KEY_RSA, "RSA of 2048 bits");
        level(i, KEY_P521, "P-521");
    }
}

/* A key too weak for the level is refused when it is set. */
static void test_setting(void)
{
    for (int i = 0; i <= 5; i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
        struct identity *rsa = identity_new(KEY_RSA, "localhost");

        section("setting a certificate at level %d", i);
        REQUIRE(ctx != NULL);
        SSL_CTX_set_security_level(ctx, i);
        note("certificate %d", SSL_CTX_use_certificate(ctx, rsa->cert));
        log_errors("error");
        note("key %d", SSL_CTX_use_PrivateKey(ctx, rsa->key));
        log_errors("error");
        note("suites %d", SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256"));
        log_errors("error");
        note("groups %d", (int)SSL_CTX_set1_groups_list(ctx, "P-256"));
        log_errors("error");
        identity_free(rsa);
        SSL_CTX_free(ctx);
    }
}

static void test_callback_access(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl;

    section("callback of the context");
    CHECK(SSL_CTX_get_security_callback(ctx) != NULL);
    SSL_CTX_set_security_callback(ctx, on_security);
    SSL_CTX_set0_security_ex_data(ctx, ctx);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    CHECK(SSL_get_security_callback(ssl) == on_security);
    CHECK(SSL_get0_security_ex_data(ssl) == ctx && SSL_CTX_get0_security_ex_data(ctx) == ctx);
    note("default level %d", SSL_get_security_level(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    test_refusals();
    test_levels();
    test_setting();
    test_callback_access();
    identity_default_free();
    return contract_finish();
}
