/*
 * Chains: set, added, read back, built and selected, for contexts and connections alike.
 * Manual pages: SSL_CTX_add1_chain_cert(3), SSL_CTX_add_extra_chain_cert(3).
 */
#include "contract.h"

#include <openssl/err.h>

static struct identity *root, *middle, *leaf, *rsa, *stranger;

static void try(const char *what, long ret)
{
    note("%s: %ld", what, ret);
    log_errors("error");
}

static STACK_OF(X509) *chain_of(X509 *first, X509 *second)
{
    STACK_OF(X509) *chain = sk_X509_new_null();

    REQUIRE(chain != NULL);
    if (first != NULL) {
        REQUIRE(X509_up_ref(first) == 1 && sk_X509_push(chain, first) > 0);
    }
    if (second != NULL) {
        REQUIRE(X509_up_ref(second) == 1 && sk_X509_push(chain, second) > 0);
    }
    return chain;
}

static int num(STACK_OF(X509) *chain)
{
    return chain == NULL ? -1 : sk_X509_num(chain);
}

static void log_ctx_chain(SSL_CTX *ctx)
{
    STACK_OF(X509) *chain = NULL;
    STACK_OF(X509) *extra = NULL;
    STACK_OF(X509) *only_extra = NULL;
    long ret = SSL_CTX_get0_chain_certs(ctx, &chain);

    CHECK(SSL_CTX_get_extra_chain_certs(ctx, &extra) == 1);
    CHECK(SSL_CTX_get_extra_chain_certs_only(ctx, &only_extra) == 1);
    note("  chain %ld %d, extra %d, only extra %d", ret, num(chain), num(extra), num(only_extra));
}

static void log_ssl_chain(SSL *ssl)
{
    STACK_OF(X509) *chain = NULL;
    long ret = SSL_get0_chain_certs(ssl, &chain);

    note("  chain %ld %d", ret, num(chain));
}

static void without_certificate(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    STACK_OF(X509) *chain = chain_of(middle->cert, NULL);

    section("before there is a certificate");
    REQUIRE(ssl != NULL);
    log_ctx_chain(ctx);
    log_ssl_chain(ssl);
    try("CTX set1", SSL_CTX_set1_chain(ctx, chain));
    try("CTX add1", SSL_CTX_add1_chain_cert(ctx, middle->cert));
    try("CTX clear", SSL_CTX_clear_chain_certs(ctx));
    try("CTX build", SSL_CTX_build_cert_chain(ctx, 0));
    try("SSL set1", SSL_set1_chain(ssl, chain));
    try("SSL add1", SSL_add1_chain_cert(ssl, middle->cert));
    try("SSL clear", SSL_clear_chain_certs(ssl));
    try("SSL build", SSL_build_cert_chain(ssl, 0));
    try("SSL select", SSL_select_current_cert(ssl, leaf->cert));
    try("CTX select", SSL_CTX_select_current_cert(ctx, leaf->cert));
    try("CTX select none", SSL_CTX_select_current_cert(ctx, NULL));
    try("CTX first", SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST));
    try("CTX next", SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT));
    try("SSL first", SSL_set_current_cert(ssl, SSL_CERT_SET_FIRST));
    try("SSL next", SSL_set_current_cert(ssl, SSL_CERT_SET_NEXT));
    try("SSL server", SSL_set_current_cert(ssl, SSL_CERT_SET_SERVER));
    try("CTX other", SSL_CTX_set_current_cert(ctx, 77));
    sk_X509_pop_free(chain, X509_free);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void of_a_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    STACK_OF(X509) *chain = chain_of(middle->cert, root->cert);
    SSL *ssl;

    section("of a context");
    REQUIRE(ctx != NULL && SSL_CTX_use_certificate(ctx, leaf->cert) == 1);
    log_ctx_chain(ctx);
    try("set1", SSL_CTX_set1_chain(ctx, chain));
    log_ctx_chain(ctx);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    log_ssl_chain(ssl);
    SSL_free(ssl);
    try("set0", SSL_CTX_set0_chain(ctx, chain));
    log_ctx_chain(ctx);
    CHECK(X509_up_ref(stranger->cert) == 1);
    try("add0", SSL_CTX_add0_chain_cert(ctx, stranger->cert));
    try("add1", SSL_CTX_add1_chain_cert(ctx, stranger->cert));
    log_ctx_chain(ctx);
    try("set0 nothing", SSL_CTX_set0_chain(ctx, NULL));
    log_ctx_chain(ctx);
    try("set1 nothing", SSL_CTX_set1_chain(ctx, NULL));
    try("clear", SSL_CTX_clear_chain_certs(ctx));
    log_ctx_chain(ctx);
    try("key of another kind", SSL_CTX_use_certificate(ctx, rsa->cert));
    log_ctx_chain(ctx);
    try("add1", SSL_CTX_add1_chain_cert(ctx, root->cert));
    log_ctx_chain(ctx);
    try("select", SSL_CTX_select_current_cert(ctx, leaf->cert));
    log_ctx_chain(ctx);
    try("next", SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT));
    try("first", SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST));
    log_ctx_chain(ctx);
    try("select a stranger", SSL_CTX_select_current_cert(ctx, stranger->cert));
    SSL_CTX_free(ctx);
}

static void of_a_connection(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("of a connection");
    REQUIRE(ssl != NULL && SSL_use_certificate(ssl, leaf->cert) == 1);
    log_ssl_chain(ssl);
    try("set0", SSL_set0_chain(ssl, chain_of(middle->cert, root->cert)));
    log_ssl_chain(ssl);
    CHECK(X509_up_ref(stranger->cert) == 1);
    try("add0", SSL_add0_chain_cert(ssl, stranger->cert));
    try("add1", SSL_add1_chain_cert(ssl, stranger->cert));
    log_ssl_chain(ssl);
    try("set1 nothing", SSL_set1_chain(ssl, NULL));
    log_ssl_chain(ssl);
    try("add1", SSL_add1_chain_cert(ssl, middle->cert));
    try("clear", SSL_clear_chain_certs(ssl));
    log_ssl_chain(ssl);
    try("rsa", SSL_use_certificate(ssl, rsa->cert));
    try("select", SSL_select_current_cert(ssl, leaf->cert));
    try("next", SSL_set_current_cert(ssl, SSL_CERT_SET_NEXT));
    try("next", SSL_set_current_cert(ssl, SSL_CERT_SET_NEXT));
    try("first", SSL_set_current_cert(ssl, SSL_CERT_SET_FIRST));
    log_ctx_chain(ctx);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static const struct {
    const char *name;
    int flags;
} ways[] = {
    { "none", 0 },
    { "untrusted", SSL_BUILD_CHAIN_FLAG_UNTRUSTED },
    { "no root", SSL_BUILD_CHAIN_FLAG_NO_ROOT },
    { "check", SSL_BUILD_CHAIN_FLAG_CHECK },
    { "check, no root", SSL_BUILD_CHAIN_FLAG_CHECK | SSL_BUILD_CHAIN_FLAG_NO_ROOT },
    { "ignore", SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR },
    { "ignore, clear", SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR | SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR },
    { "untrusted, no root", SSL_BUILD_CHAIN_FLAG_UNTRUSTED | SSL_BUILD_CHAIN_FLAG_NO_ROOT },
    { "unknown bits", 0x1000 },
};

/* Which certificates the store trusts and which the chain holds already. */
static void build(const char *title, X509 *trusted, X509 *also_trusted, X509 *first, X509 *second)
{
    section("building: %s", title);
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        SSL *ssl;

        REQUIRE(ctx != NULL && SSL_CTX_use_certificate(ctx, leaf->cert) == 1);
        if (trusted != NULL) {
            REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), trusted) == 1);
        }
        if (also_trusted != NULL) {
            REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), also_trusted) == 1);
        }
        REQUIRE(SSL_CTX_set0_chain(ctx, chain_of(first, second)) == 1);
        ssl = SSL_new(ctx);
        REQUIRE(ssl != NULL);
        try(ways[i].name, SSL_CTX_build_cert_chain(ctx, ways[i].flags));
        log_ctx_chain(ctx);
        try("  of the connection", SSL_build_cert_chain(ssl, ways[i].flags));
        log_ssl_chain(ssl);
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
}

static void extra(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("extra chain");
    REQUIRE(ctx != NULL);
    CHECK(X509_up_ref(middle->cert) == 1);
    try("add", SSL_CTX_add_extra_chain_cert(ctx, middle->cert));
    log_ctx_chain(ctx);
    REQUIRE(SSL_CTX_use_certificate(ctx, leaf->cert) == 1);
    log_ctx_chain(ctx);
    try("own", SSL_CTX_add1_chain_cert(ctx, middle->cert));
    log_ctx_chain(ctx);
    try("clear", SSL_CTX_clear_extra_chain_certs(ctx));
    log_ctx_chain(ctx);
    SSL_CTX_free(ctx);
}

static void log_sent(const char *title, bool own, bool extra_chain)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("sent: %s", title);
    REQUIRE(SSL_CTX_use_certificate(server_ctx, leaf->cert) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(server_ctx, leaf->key) == 1);
    if (own) {
        CHECK(SSL_CTX_add1_chain_cert(server_ctx, middle->cert) == 1);
    }
    if (extra_chain) {
        CHECK(X509_up_ref(stranger->cert) == 1 && X509_up_ref(root->cert) == 1);
        CHECK(SSL_CTX_add_extra_chain_cert(server_ctx, stranger->cert) == 1);
        CHECK(SSL_CTX_add_extra_chain_cert(server_ctx, root->cert) == 1);
    }
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    (void)log_handshake(p.client, p.server);
    note("%d", num(SSL_get_peer_cert_chain(p.client)));
    pair_free(&p);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root");
    middle = identity_issue(root, KEY_P256, "middle", true);
    leaf = identity_issue(middle, KEY_P256, "leaf", false);
    rsa = identity_new(KEY_RSA, "rsa");
    stranger = identity_new(KEY_P256, "stranger");
    REQUIRE(leaf != NULL && rsa != NULL && stranger != NULL);
    without_certificate();
    of_a_context();
    of_a_connection();
    build("nothing is known", NULL, NULL, NULL, NULL);
    build("the root is trusted", root->cert, NULL, NULL, NULL);
    build("the root is trusted, the chain is there", root->cert, NULL, middle->cert, NULL);
    build("both are trusted", root->cert, middle->cert, NULL, NULL);
    build("only the chain", NULL, NULL, middle->cert, root->cert);
    build("a stranger in the chain", root->cert, NULL, stranger->cert, middle->cert);
    extra();
    log_sent("alone", false, false);
    log_sent("own chain", true, false);
    log_sent("extra chain", false, true);
    log_sent("both", true, true);
    identity_free(stranger);
    identity_free(rsa);
    identity_free(leaf);
    identity_free(middle);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
