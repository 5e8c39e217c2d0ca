/*
 * Custom extensions: setters' checks, the older functions of one role, what the callbacks are asked
 * and what their answers do. (Their order among the others: the golden files.)
 * Manual pages: SSL_CTX_has_client_custom_ext(3), SSL_extension_supported(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

struct behaviour {
    int add;   /* result of the add callback */
    int parse; /* result of the parse callback */
    int alert; /* set by whichever refuses, 0: left alone */
    size_t len;
};

static struct behaviour client_does;
static struct behaviour server_does;
static uint8_t content[20000];

static struct behaviour *of(SSL *ssl)
{
    return SSL_is_server(ssl) ? &server_does : &client_does;
}

static int on_add(SSL *ssl, unsigned int type, unsigned int context, const unsigned char **out,
                  size_t *out_len, X509 *cert, size_t chain_index, int *alert, void *arg)
{
    struct behaviour *does = of(ssl);

    note("  %s add %u context %04x certificate %d %zu argument %s -> %d", ssl_get_name(ssl), type,
         context, cert != NULL, chain_index, (const char *)arg, does->add);
    *out = content;
    *out_len = does->len;
    if (does->add < 0 && does->alert != 0) {
        *alert = does->alert;
    }
    return does->add;
}

static void on_free(SSL *ssl, unsigned int type, unsigned int context, const unsigned char *out,
                    void *arg)
{
    note("  %s free %u context %04x content %d argument %s", ssl_get_name(ssl), type, context,
         out == content, (const char *)arg);
}

static int on_parse(SSL *ssl, unsigned int type, unsigned int context, const unsigned char *in,
                    size_t in_len, X509 *cert, size_t chain_index, int *alert, void *arg)
{
    struct behaviour *does = of(ssl);

    note("  %s parse %u context %04x %zu bytes sound %d certificate %d %zu argument %s -> %d",
         ssl_get_name(ssl), type, context, in_len, memcmp(in, content, in_len) == 0, cert != NULL,
         chain_index, (const char *)arg, does->parse);
    if (does->parse <= 0 && does->alert != 0) {
        *alert = does->alert;
    }
    return does->parse;
}

static int add_to(SSL_CTX *ctx, unsigned type, unsigned context)
{
    return SSL_CTX_add_custom_ext(ctx, type, context, on_add, on_free, (void *)(uintptr_t) "add",
                                  on_parse, (void *)(uintptr_t) "parse");
}

static void reset(void)
{
    client_does = (struct behaviour){ 1, 1, 0, 5 };
    server_does = client_does;
}

static void run(const char *title, unsigned client_context, unsigned server_context, bool retry)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s", title);
    CHECK(client_context == 0 || add_to(client_ctx, 1000, client_context) == 1);
    CHECK(server_context == 0 || add_to(server_ctx, 1000, server_context) == 1);
    identity_use_ctx(identity_default(), client_ctx);
    SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, NULL);
    identity_trust(identity_default(), server_ctx);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(!retry || SSL_set1_groups_list(p.server, "P-384") == 1);
    if (log_handshake(p.client, p.server)) {
        log_alive(p.client, p.server);
    }
    pair_free(&p);
    reset();
}

static void test_places(void)
{
    const unsigned hello = SSL_EXT_CLIENT_HELLO;
    const unsigned encrypted = SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS;

    run("hello and EncryptedExtensions", hello | encrypted, hello | encrypted, false);
    run("hello only", hello, hello, false);
    run("unknown to the server", hello | encrypted, 0, false);
    run("unknown to the client", 0, hello | encrypted, false);
    run("in the ServerHello", hello | SSL_EXT_TLS1_3_SERVER_HELLO,
        hello | SSL_EXT_TLS1_3_SERVER_HELLO, false);
    run("in HelloRetryRequest", hello | SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST,
        hello | SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST, true);
    run("in certificates", hello | SSL_EXT_TLS1_3_CERTIFICATE, hello | SSL_EXT_TLS1_3_CERTIFICATE,
        false);
    run("in the certificate request",
        SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE,
        SSL_EXT_TLS1_3_CERTIFICATE_REQUEST | SSL_EXT_TLS1_3_CERTIFICATE, false);
    run("EncryptedExtensions nobody asked for", encrypted, encrypted, false);
    run("for TLS 1.2 only", hello | SSL_EXT_TLS1_2_AND_BELOW_ONLY | SSL_EXT_TLS1_2_SERVER_HELLO,
        hello | SSL_EXT_TLS1_2_AND_BELOW_ONLY | SSL_EXT_TLS1_2_SERVER_HELLO, false);
    run("for TLS 1.3 only", hello | SSL_EXT_TLS1_3_ONLY | encrypted,
        hello | SSL_EXT_TLS1_3_ONLY | encrypted, false);
}

static void test_answers(void)
{
    const unsigned both = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS;

    client_does.add = 0;
    run("client leaves it out", both, both, false);
    server_does.add = 0;
    run("server leaves it out", both, both, false);
    client_does.add = -1;
    client_does.alert = SSL_AD_ACCESS_DENIED;
    run("client's add fails", both, both, false);
    server_does.add = -1;
    server_does.alert = SSL_AD_ACCESS_DENIED;
    run("server's add fails", both, both, false);
    server_does.parse = 0;
    server_does.alert = SSL_AD_ACCESS_DENIED;
    run("server's parse refuses", both, both, false);
    server_does.parse = -1;
    server_does.alert = SSL_AD_BAD_CERTIFICATE;
    run("server's parse fails", both, both, false);
    client_does.parse = 0;
    client_does.alert = SSL_AD_ACCESS_DENIED;
    run("client's parse refuses", both, both, false);
    client_does.len = 0;
    server_does.len = 0;
    run("empty content", both, both, false);
    client_does.len = sizeof(content);
    run("long content", both, both, false);
}

static void test_setters(void)
{
    static const unsigned types[] = { 0,  1,  5,  10,   13,    14,    16,    18,   21, 23,
                                      35, 41, 42, 43,   44,    45,    49,    50,   51, 47,
                                      22, 11, 17, 1000, 65535, 65536, 13172, 65281 };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("setters");
    REQUIRE(ctx != NULL);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        note("type %u: supported %d, added %d, has it %d", types[i],
             SSL_extension_supported(types[i]), add_to(ctx, types[i], SSL_EXT_CLIENT_HELLO),
             types[i] <= 65535 && SSL_CTX_has_client_custom_ext(ctx, types[i]));
        log_errors("error");
    }
    note("again: %d", add_to(ctx, 1000, SSL_EXT_CLIENT_HELLO));
    note("free without add: %d", SSL_CTX_add_custom_ext(ctx, 1001, SSL_EXT_CLIENT_HELLO, NULL,
                                                        on_free, NULL, on_parse, NULL));
    note("no callbacks: %d",
         SSL_CTX_add_custom_ext(ctx, 1002, SSL_EXT_CLIENT_HELLO, NULL, NULL, NULL, NULL, NULL));
    log_errors("error");
    SSL_CTX_free(ctx);
}

static int on_old_add(SSL *ssl, unsigned int type, const unsigned char **out, size_t *out_len,
                      int *alert, void *arg)
{
    (void)alert;
    note("  %s add %u argument %s", ssl_get_name(ssl), type, (const char *)arg);
    *out = content;
    *out_len = 3;
    return 1;
}

static int on_old_parse(SSL *ssl, unsigned int type, const unsigned char *in, size_t in_len,
                        int *alert, void *arg)
{
    (void)in;
    (void)alert;
    note("  %s parse %u %zu bytes argument %s", ssl_get_name(ssl), type, in_len, (const char *)arg);
    return 1;
}

/* They put their extension in TLS 1.2's ServerHello only: in TLS 1.3 the client's hello has it. */
static void test_old_functions(void)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("functions for one role");
    note(
        "client %d server %d",
        SSL_CTX_add_client_custom_ext(client_ctx, 2000, on_old_add, NULL, (void *)(uintptr_t) "add",
                                      on_old_parse, (void *)(uintptr_t) "parse"),
        SSL_CTX_add_server_custom_ext(server_ctx, 2000, on_old_add, NULL, (void *)(uintptr_t) "add",
                                      on_old_parse, (void *)(uintptr_t) "parse"));
    note("has it: %d, other role %d", SSL_CTX_has_client_custom_ext(client_ctx, 2000),
         SSL_CTX_has_client_custom_ext(server_ctx, 2000));
    note("again with the newer one: %d", add_to(client_ctx, 2000, SSL_EXT_CLIENT_HELLO));
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    (void)log_handshake(p.client, p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    pattern_fill(content, sizeof(content), 9);
    reset();
    test_setters();
    test_places();
    test_answers();
    test_old_functions();
    identity_default_free();
    return contract_finish();
}
