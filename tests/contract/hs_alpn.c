/*
 * Application protocol negotiation: the callback's answers, what both sides report, the setters'
 * checks, and SSL_select_next_proto with lists that no caller should pass.
 * Manual pages: SSL_CTX_set_alpn_select_cb(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static int answer;
static const char *chosen; /* NULL: the client's first */

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    note("callback: %u bytes, first %.*s", in_len, (int)in[0], (const char *)in + 1);
    if (chosen != NULL) {
        /* A name that is empty is none. */
        *out = chosen[0] != '\0' ? (const unsigned char *)chosen : NULL;
        *out_len = (unsigned char)strlen(chosen);
    } else {
        *out = in + 1;
        *out_len = in[0];
    }
    return answer;
}

static void log_protocol(SSL *ssl)
{
    const unsigned char *name = NULL;
    unsigned len = 77;

    SSL_get0_alpn_selected(ssl, &name, &len);
    note("%s protocol: %.*s (%u)", ssl_get_name(ssl), (int)len,
         name != NULL ? (const char *)name : "", len);
}

static void run(const char *title, const char *offer, bool callback)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s", title);
    if (callback) {
        SSL_CTX_set_alpn_select_cb(server_ctx, on_alpn, NULL);
    }
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    if (offer != NULL) {
        CHECK(SSL_set_alpn_protos(p.client, (const unsigned char *)offer,
                                  (unsigned)strlen(offer)) == 0);
    }
    (void)log_handshake(p.client, p.server);
    log_protocol(p.client);
    log_protocol(p.server);
    pair_free(&p);
    answer = SSL_TLSEXT_ERR_OK;
    chosen = NULL;
}

static void test_answers(void)
{
    run("no offer", NULL, true);
    run("offer, no callback", "\2h2\10http/1.1", false);
    run("first chosen", "\2h2\10http/1.1", true);
    chosen = "http/1.1";
    run("second chosen", "\2h2\10http/1.1", true);
    answer = SSL_TLSEXT_ERR_NOACK;
    run("not acknowledged", "\2h2", true);
    answer = SSL_TLSEXT_ERR_ALERT_WARNING;
    run("warning", "\2h2", true);
    answer = SSL_TLSEXT_ERR_ALERT_FATAL;
    run("fatal", "\2h2", true);
    answer = 99;
    run("an answer that does not exist", "\2h2", true);
    chosen = "never-offered";
    run("chosen one was not offered", "\2h2", true);
    chosen = "";
    run("chosen one has no name", "\2h2", true);
}

static void set_protocols(SSL *ssl, const char *title, const char *list, unsigned len)
{
    note("%s: %d", title, SSL_set_alpn_protos(ssl, (const unsigned char *)list, len));
    log_errors("error");
}

static void test_setters(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("setters: 0 is success");
    REQUIRE(ssl != NULL);
    set_protocols(ssl, "one", "\2h2", 3);
    set_protocols(ssl, "NULL", NULL, 0);
    set_protocols(ssl, "empty", "", 0);
    set_protocols(ssl, "name of no bytes", "\0", 1);
    set_protocols(ssl, "name beyond the end", "\5h2", 3);
    set_protocols(ssl, "trailing", "\2h2\3", 4);
    set_protocols(ssl, "name of no bytes inside", "\2h2\0\2h3", 7);
    note("context: %d", SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2", 3));
    note("context, wrong: %d", SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\7h2", 3));
    log_errors("error");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* A list that the SSL cannot send must not be kept: the next offer is what was set before. */
static void test_bad_list_keeps_offer(void)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("a wrong list after a right one");
    SSL_CTX_set_alpn_select_cb(server_ctx, on_alpn, NULL);
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    set_protocols(p.client, "right", "\2h2", 3);
    set_protocols(p.client, "wrong", "\7h2", 3);
    (void)log_handshake(p.client, p.server);
    log_protocol(p.client);
    pair_free(&p);
}

static void select_next(const char *title, const char *server, unsigned server_len,
                        const char *client, unsigned client_len)
{
    unsigned char *out = NULL;
    unsigned char out_len = 0;
    int ret = SSL_select_next_proto(&out, &out_len, (const unsigned char *)server, server_len,
                                    (const unsigned char *)client, client_len);

    note("%s: %d %.*s", title, ret, out != NULL ? (int)out_len : 0,
         out != NULL ? (const char *)out : "");
}

/* CVE-2024-5535: an empty client list made it read beyond its memory. */
static void test_select_next(void)
{
    char *tight = (char *)pattern_new(3, 1);

    section("SSL_select_next_proto");
    select_next("match", "\2h2\10http/1.1", 12, "\10http/1.1\2h2", 12);
    select_next("no overlap", "\2h2", 3, "\10http/1.1", 9);
    select_next("empty client list", "\2h2", 3, "", 0);
    select_next("empty server list", "", 0, "\2h2", 3);
    select_next("both empty", "", 0, "", 0);
    select_next("server list broken", "\7h2", 3, "\2h2", 3);
    memcpy(tight, "\7h2", 3);
    select_next("client list broken", "\2h2", 3, tight, 3);
    select_next("client list of an empty name", "\2h2", 3, "\0", 1);
    free(tight);
}

int main(void)
{
    contract_start();
    test_answers();
    test_setters();
    test_bad_list_keeps_offer();
    test_select_next();
    identity_default_free();
    return contract_finish();
}
