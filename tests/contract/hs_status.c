/*
 * OCSP stapling: the request's setters, the server callback's answers, the client callback's, and
 * who sees which response.
 * Manual pages: SSL_CTX_set_tlsext_status_cb(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <string.h>

static int server_answer;
static int client_answer;
static const char *staple;
static struct identity *rsa; /* the server's other certificate, set last */

static int on_server(SSL *ssl, void *arg)
{
    note("  server's callback: type %ld argument %s, certificate of %s -> %d",
         SSL_get_tlsext_status_type(ssl), arg != NULL ? (const char *)arg : "(none)",
         EVP_PKEY_get0_type_name(X509_get0_pubkey(SSL_get_certificate(ssl))), server_answer);
    if (staple != NULL) {
        unsigned char *copy = OPENSSL_memdup(staple, strlen(staple));

        REQUIRE(copy != NULL);
        CHECK(SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)strlen(staple)) == 1);
    }
    return server_answer;
}

static int on_client(SSL *ssl, void *arg)
{
    const unsigned char *response = NULL;
    long len = SSL_get_tlsext_status_ocsp_resp(ssl, &response);

    note("  client's callback: %ld bytes %.*s argument %s, verified %ld -> %d", len,
         len > 0 ? (int)len : 0, response != NULL ? (const char *)response : "",
         arg != NULL ? (const char *)arg : "(none)", SSL_get_verify_result(ssl), client_answer);
    return client_answer;
}

static void run(const char *title, bool request, bool callback)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    const unsigned char *response = NULL;
    struct pair p;

    section("%s", title);
    if (callback) {
        CHECK(SSL_CTX_set_tlsext_status_cb(server_ctx, on_server) == 1);
        CHECK(SSL_CTX_set_tlsext_status_arg(server_ctx, "argument") == 1);
    }
    identity_use_ctx(rsa, server_ctx);
    CHECK(SSL_CTX_set_tlsext_status_cb(client_ctx, on_client) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    if (request) {
        CHECK(SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp) == 1);
    }
    note("types %ld %ld", SSL_get_tlsext_status_type(p.client),
         SSL_get_tlsext_status_type(p.server));
    if (log_handshake(p.client, p.server)) {
        note("client's response %ld", SSL_get_tlsext_status_ocsp_resp(p.client, &response));
        note("types %ld %ld", SSL_get_tlsext_status_type(p.client),
             SSL_get_tlsext_status_type(p.server));
        log_alive(p.client, p.server);
    }
    pair_free(&p);
    server_answer = SSL_TLSEXT_ERR_OK;
    client_answer = 1;
    staple = "staple";
}

static void test_answers(void)
{
    run("not requested", false, true);
    run("requested, no callback", true, false);
    run("requested, stapled", true, true);
    staple = NULL;
    run("requested, callback without response", true, true);
    server_answer = SSL_TLSEXT_ERR_NOACK;
    run("not acknowledged", true, true);
    server_answer = SSL_TLSEXT_ERR_ALERT_FATAL;
    run("server refuses", true, true);
    server_answer = SSL_TLSEXT_ERR_ALERT_WARNING;
    run("server warns", true, true);
    client_answer = 0;
    run("client refuses the response", true, true);
    client_answer = -1;
    run("client's callback fails", true, true);
    client_answer = 0;
    server_answer = SSL_TLSEXT_ERR_NOACK;
    run("client refuses that there is none", true, true);
    client_answer = 7;
    run("client answers 7", true, true);
}

static void test_setters(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    STACK_OF(OCSP_RESPID) *ids = NULL;
    X509_EXTENSIONS *extensions = NULL;
    void (*callback)(void) = NULL;
    void *arg = ctx;

    section("setters");
    REQUIRE(ssl != NULL);
    note("type by default: context %ld connection %ld", SSL_CTX_get_tlsext_status_type(ctx),
         SSL_get_tlsext_status_type(ssl));
    note("set context: %ld", SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp));
    note("then: context %ld connection %ld", SSL_CTX_get_tlsext_status_type(ctx),
         SSL_get_tlsext_status_type(ssl));
    note("type 7: %ld", (long)SSL_set_tlsext_status_type(ssl, 7));
    note("now %ld", SSL_get_tlsext_status_type(ssl));
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("newer connection: %ld", SSL_get_tlsext_status_type(ssl));
    note("ids %ld", (long)SSL_get_tlsext_status_ids(ssl, &ids));
    note("extensions %ld", (long)SSL_get_tlsext_status_exts(ssl, &extensions));
    note("callback %ld", (long)SSL_CTX_get_tlsext_status_cb(ctx, &callback));
    note("argument %ld", (long)SSL_CTX_get_tlsext_status_arg(ctx, &arg));
    CHECK(ids == NULL && extensions == NULL && callback == NULL && arg == NULL);
    {
        unsigned char *copy = OPENSSL_memdup("abc", 3);
        const unsigned char *response = NULL;

        REQUIRE(copy != NULL);
        note("response %ld", (long)SSL_set_tlsext_status_ocsp_resp(ssl, copy, 3));
        note("response %ld", (long)SSL_get_tlsext_status_ocsp_resp(ssl, &response));
        note("none %ld", (long)SSL_set_tlsext_status_ocsp_resp(ssl, NULL, 0));
        note("response %ld", (long)SSL_get_tlsext_status_ocsp_resp(ssl, &response));
    }
    log_errors("error");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    staple = "staple";
    client_answer = 1;
    rsa = identity_new(KEY_RSA, "localhost");
    test_answers();
    test_setters();
    identity_free(rsa);
    identity_default_free();
    return contract_finish();
}
