/*
 * Server name indication: what both sides report, the callback's answers, a switch of contexts.
 * Manual pages: SSL_CTX_set_tlsext_servername_callback(3), SSL_get_SSL_CTX(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static int answer;
static int own_alert;
static SSL_CTX *other_ctx;

static const char *name_or_none(const char *name)
{
    return name != NULL ? name : "(none)";
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    note("callback: name %s type %d alert %d argument %s",
         name_or_none(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)),
         SSL_get_servername_type(ssl), *alert, name_or_none(arg));
    if (own_alert != 0) {
        *alert = own_alert;
    }
    if (other_ctx != NULL) {
        CHECK(SSL_set_SSL_CTX(ssl, other_ctx) == other_ctx);
        CHECK(SSL_get_SSL_CTX(ssl) == other_ctx);
    }
    return answer;
}

static void log_names(SSL *ssl)
{
    SSL_SESSION *session = SSL_get_session(ssl);

    note("%s name %s type %d, session's %s", ssl_get_name(ssl),
         name_or_none(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)),
         SSL_get_servername_type(ssl),
         session != NULL ? name_or_none(SSL_SESSION_get0_hostname(session)) : "(no session)");
    note("%s name of type 1: %s", ssl_get_name(ssl), name_or_none(SSL_get_servername(ssl, 1)));
}

static void run(const char *title, const char *name, bool callback)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s", title);
    if (callback) {
        REQUIRE(SSL_CTX_set_tlsext_servername_callback(server_ctx, on_server_name) == 1);
        REQUIRE(SSL_CTX_set_tlsext_servername_arg(server_ctx, "argument") == 1);
    }
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    if (name != NULL) {
        CHECK(SSL_set_tlsext_host_name(p.client, name) == 1);
    }
    (void)log_handshake(p.client, p.server);
    log_names(p.client);
    log_names(p.server);
    pair_free(&p);
    answer = SSL_TLSEXT_ERR_OK;
    own_alert = 0;
}

static void test_answers(void)
{
    run("no name, no callback", NULL, false);
    run("name, no callback", "example.org", false);
    run("no name, callback", NULL, true);
    run("name, callback", "example.org", true);
    answer = SSL_TLSEXT_ERR_ALERT_WARNING;
    run("warning", "example.org", true);
    answer = SSL_TLSEXT_ERR_ALERT_FATAL;
    run("fatal", "example.org", true);
    answer = SSL_TLSEXT_ERR_ALERT_FATAL;
    own_alert = SSL_AD_ACCESS_DENIED;
    run("fatal with an alert of its own", "example.org", true);
    answer = SSL_TLSEXT_ERR_NOACK;
    run("not acknowledged", "example.org", true);
    answer = SSL_TLSEXT_ERR_NOACK;
    run("not acknowledged, no name", NULL, true);
    answer = SSL_TLSEXT_ERR_ALERT_FATAL;
    run("fatal, no name", NULL, true);
    answer = 17;
    run("an answer that does not exist", "example.org", true);
    run("a name with capitals and a dot", "Example.ORG.", true);
    run("an address", "192.0.2.1", true);
}

/* Logs what a setter returned and left in the error queue; SSL_get_error() is not for setters. */
static void set_name(const char *what, long ret)
{
    note("%s: %ld", what, ret);
    log_errors("error");
}

static void test_set_name(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    char longest[260];

    section("SSL_set_tlsext_host_name");
    ssl_set_name(ssl, "client");
    log_names(ssl);
    set_name("name", SSL_set_tlsext_host_name(ssl, "a.example"));
    log_names(ssl);
    set_name("empty name", SSL_set_tlsext_host_name(ssl, ""));
    log_names(ssl);
    memset(longest, 'a', sizeof(longest));
    longest[255] = '\0';
    set_name("255 bytes", SSL_set_tlsext_host_name(ssl, longest));
    longest[255] = 'a';
    longest[256] = '\0';
    set_name("256 bytes", SSL_set_tlsext_host_name(ssl, longest));
    set_name("another type", SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 1, longest));
    set_name("NULL", SSL_set_tlsext_host_name(ssl, (char *)NULL));
    log_names(ssl);
    SSL_set_connect_state(ssl);
    log_names(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* The switched-to context brings its certificates; versions, callbacks of the SSL and its options
 * stay what they were. */
static void test_switch(void)
{
    struct identity *second = identity_new(KEY_P384, "second.example");
    SSL_CTX *server_ctx = server_ctx_new();
    X509 *seen;
    struct pair p;

    section("switch of the context");
    other_ctx = SSL_CTX_new(TLS_server_method());
    REQUIRE(other_ctx != NULL);
    identity_use_ctx(second, other_ctx);
    SSL_CTX_set_security_level(other_ctx, SSL_CTX_get_security_level(server_ctx));
    SSL_CTX_set_options(other_ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_verify(other_ctx, SSL_VERIFY_PEER, NULL);
    REQUIRE(SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"one", 3) == 1);
    REQUIRE(SSL_CTX_set_session_id_context(other_ctx, (const unsigned char *)"three", 5) == 1);
    REQUIRE(SSL_CTX_set_tlsext_servername_callback(server_ctx, on_server_name) == 1);
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_set_tlsext_host_name(p.client, "second.example") == 1);
    CHECK(log_handshake(p.client, p.server));
    seen = SSL_get1_peer_certificate(p.client);
    CHECK(seen != NULL && X509_cmp(seen, second->cert) == 0);
    note("verify mode %d, options differ %d, tickets %zu", SSL_get_verify_mode(p.server),
         (SSL_get_options(p.server) & SSL_OP_CIPHER_SERVER_PREFERENCE) == 0,
         SSL_get_num_tickets(p.server));
    note("initial context's callbacks %d", SSL_get_SSL_CTX(p.server) == other_ctx);
    log_alive(p.client, p.server);
    X509_free(seen);
    pair_free(&p);
    SSL_CTX_free(other_ctx);
    other_ctx = NULL;
    identity_free(second);
}

/* Outside a handshake, and with NULL, which means the context that the SSL was made from. */
static void test_set_ctx(void)
{
    SSL_CTX *first = server_ctx_new();
    SSL_CTX *second = SSL_CTX_new(TLS_server_method());
    SSL *ssl = SSL_new(first);

    section("SSL_set_SSL_CTX");
    REQUIRE(ssl != NULL && second != NULL);
    CHECK(SSL_set_SSL_CTX(ssl, second) == second && SSL_get_SSL_CTX(ssl) == second);
    note("certificate after the switch %d", SSL_get_certificate(ssl) != NULL);
    CHECK(SSL_set_SSL_CTX(ssl, NULL) == first && SSL_get_SSL_CTX(ssl) == first);
    note("certificate after the way back %d", SSL_get_certificate(ssl) != NULL);
    CHECK(SSL_set_SSL_CTX(ssl, first) == first);
    SSL_free(ssl);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
}

/* A name that was set on the server's SSL is forgotten when the client has come. */
static void test_name_of_server(void)
{
    static const char *const asked[] = { NULL, "client.example" };

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        struct pair p;

        section("a name set on the server, the client asks for %s", name_or_none(asked[i]));
        pair_init(&p, OVER_WIRE, 0);
        REQUIRE(SSL_set_tlsext_host_name(p.server, "server.example") == 1);
        if (asked[i] != NULL) {
            REQUIRE(SSL_set_tlsext_host_name(p.client, asked[i]) == 1);
        }
        log_names(p.server);
        (void)call_do_handshake(p.client);
        (void)call_do_handshake(p.server);
        log_names(p.server);
        log_handshake(p.client, p.server);
        log_names(p.client);
        log_names(p.server);
        pair_free(&p);
    }
}

/* A callback that is told of the handshake names the server, or unnames it, before the hello is
 * written. */
static struct {
    int where;
    const char *name;
} late;

static void on_info(const SSL *ssl, int where, int ret)
{
    union {
        const SSL *given;
        SSL *writable;
    } object = { .given = ssl };

    (void)ret;
    if (where == late.where) {
        CHECK(SSL_set_tlsext_host_name(object.writable, late.name) == 1);
        late.where = 0;
    }
}

static void run_late(const char *title, const char *first, int where, const char *then)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s", title);
    REQUIRE(SSL_CTX_set_tlsext_servername_callback(server_ctx, on_server_name) == 1);
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    CHECK(SSL_set_tlsext_host_name(p.client, first) == 1);
    SSL_set_info_callback(p.client, on_info);
    late.where = where;
    late.name = then;
    (void)log_handshake(p.client, p.server);
    log_names(p.client);
    log_names(p.server);
    pair_free(&p);
}

static void test_late_names(void)
{
    run_late("named at the start", NULL, SSL_CB_HANDSHAKE_START, "late.example");
    run_late("renamed at the start", "first.example", SSL_CB_HANDSHAKE_START, "late.example");
    run_late("unnamed at the start", "first.example", SSL_CB_HANDSHAKE_START, NULL);
    run_late("named at the first step", NULL, SSL_CB_CONNECT_LOOP, "late.example");
    run_late("renamed at the end", "first.example", SSL_CB_HANDSHAKE_DONE, "late.example");
}

/* What was to be asked for by a client is nothing that a server was asked for. */
static void test_client_that_serves(void)
{
    struct pair p;

    section("a client with a name becomes a server");
    pair_init(&p, OVER_WIRE, 0);
    SSL_set_connect_state(p.server);
    REQUIRE(SSL_set_tlsext_host_name(p.server, "server.example") == 1);
    SSL_set_accept_state(p.server);
    (void)log_handshake(p.client, p.server);
    log_names(p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    test_late_names();
    test_client_that_serves();
    test_name_of_server();
    test_answers();
    test_set_name();
    test_switch();
    test_set_ctx();
    identity_default_free();
    return contract_finish();
}
