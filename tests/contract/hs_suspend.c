/*
 * Handshakes that an application suspends: client_hello_cb, cert_cb, client_cert_cb and the
 * verification. Each pause shows up as its SSL_ERROR_WANT_*, SSL_want() and predicate, may last any
 * number of calls, in SSL_read and SSL_write too, and nothing that was decided is asked again.
 * Manual pages: SSL_set_retry_verify(3).
 */
#include "contract.h"
#include "hs_trace.h"

#include <openssl/err.h>
#include <stdlib.h>

#define EVENTS                                                                                     \
    (TRACE_CLIENT_HELLO | TRACE_SERVER_NAME | TRACE_ALPN | TRACE_CERT | TRACE_CLIENT_CERT |        \
     TRACE_APP_VERIFY | TRACE_VERIFY)

static struct identity *root;
static struct identity *leaf;

static void prepare(struct pair *p)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    identity_use_ctx(leaf, server_ctx);
    identity_trust(root, client_ctx);
    identity_trust(root, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    trace_ctx(client_ctx, false, EVENTS);
    trace_ctx(server_ctx, true, EVENTS);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_set_tlsext_host_name(p->client, "leaf.example") == 1);
    REQUIRE(SSL_set_alpn_protos(p->client, (const unsigned char *)"\2h2", 3) == 0);
}

static void log_predicates(SSL *ssl)
{
    note("%s wants: read %d write %d x509 %d client hello %d retry verify %d nothing %d",
         ssl_get_name(ssl), SSL_want_read(ssl), SSL_want_write(ssl), SSL_want_x509_lookup(ssl),
         SSL_want_client_hello_cb(ssl), SSL_want_retry_verify(ssl), SSL_want_nothing(ssl));
}

static void finish(struct pair *p)
{
    CHECK(trace_pair(p->client, p->server));
    log_alive(p->client, p->server);
    pair_free(p);
    trace_plan_reset();
}

static void test_client_hello(void)
{
    struct pair p;

    section("client_hello_cb pauses three times");
    trace_plan.hello_pauses = 3;
    prepare(&p);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    log_predicates(p.server);
    (void)call_accept(p.server);
    log_predicates(p.server);
    log_state(p.server);
    finish(&p);

    section("client_hello_cb pauses, in SSL_read and SSL_write");
    trace_plan.hello_pauses = 2;
    prepare(&p);
    {
        char buf[8];

        (void)call_write(p.client, "ping", 4);
        (void)call_read(p.server, buf, sizeof(buf));
        log_predicates(p.server);
        (void)call_write(p.server, "pong", 4);
        log_predicates(p.server);
        (void)call_read(p.server, buf, sizeof(buf));
        (void)call_write(p.client, "ping", 4);
        (void)call_read(p.server, buf, sizeof(buf));
    }
    pair_free(&p);
    trace_plan_reset();
}

static void test_cert(void)
{
    struct pair p;

    section("server's cert_cb pauses");
    trace_plan.server.cert_pauses = 3;
    prepare(&p);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    log_predicates(p.server);
    (void)call_do_handshake(p.server);
    finish(&p);

    section("server's client_hello_cb and cert_cb pause, with a HelloRetryRequest");
    trace_plan.hello_pauses = 1;
    trace_plan.server.cert_pauses = 1;
    prepare(&p);
    REQUIRE(SSL_set1_groups_list(p.server, "P-384") == 1);
    finish(&p);

    section("client's cert_cb and client_cert_cb pause");
    trace_plan.client.cert_pauses = 2;
    trace_plan.client.client_cert_pauses = 2;
    trace_plan.client.client_cert = true;
    trace_plan.server.verify_override = 1;
    trace_plan.identity = leaf;
    prepare(&p);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, SSL_get_verify_callback(p.server));
    finish(&p);
}

static void test_verify(void)
{
    struct pair p;

    section("client's verification pauses");
    trace_plan.client.verify_pauses = 3;
    prepare(&p);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    (void)call_do_handshake(p.client);
    log_predicates(p.client);
    (void)call_connect(p.client);
    note("verify result meanwhile %ld", SSL_get_verify_result(p.client));
    finish(&p);

    section("client's verification pauses, then fails");
    trace_plan.client.verify_pauses = 1;
    trace_plan.client.verify_override = 0;
    prepare(&p);
    CHECK(!trace_pair(p.client, p.server));
    pair_free(&p);
    trace_plan_reset();

    section("client's verification pauses in SSL_write");
    trace_plan.client.verify_pauses = 2;
    prepare(&p);
    (void)call_write(p.client, "ping", 4);
    (void)call_do_handshake(p.server);
    (void)call_write(p.client, "ping", 4);
    log_predicates(p.client);
    (void)call_write(p.client, "ping", 4);
    (void)call_write(p.client, "ping", 4);
    finish(&p);
}

/* The manual page gives SSL_set_retry_verify to clients only. The system's server takes the request
 * for success: a client whose certificate nobody verified is let in. */
static void test_verify_on_server(void)
{
    struct pair p;
    bool done;

    section("server's verification asks for a retry");
    trace_plan.server.verify_pauses = 1000;
    prepare(&p);
    SSL_set_verify(p.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                   SSL_get_verify_callback(p.server));
    identity_use_ssl(leaf, p.client);
    log_capture_begin();
    done = drive_handshake(p.client, p.server);
    free(log_capture_end());
    log_difference("hs-retry-verify-server", "connected %d", done);
    CHECK(!on_tenon() || !done);
    ERR_clear_error();
    pair_free(&p);
    trace_plan_reset();
}

/* A pause is not an error, and what is freed amid a pause is freed whole. */
static void test_free_amid(void)
{
    for (int i = 0; i < 3; i++) {
        struct pair p;

        section("freed amid pause %d", i);
        trace_plan.hello_pauses = i == 0;
        trace_plan.server.cert_pauses = i == 1;
        trace_plan.client.verify_pauses = i == 2;
        prepare(&p);
        for (int turn = 0; turn < 2; turn++) {
            (void)call_do_handshake(p.client);
            (void)call_do_handshake(p.server);
        }
        note("errors queued %d", ERR_peek_error() != 0);
        pair_free(&p);
        trace_plan_reset();
    }
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root.example");
    leaf = identity_issue(root, KEY_P256, "leaf.example", false);
    trace_plan_reset();
    test_client_hello();
    test_cert();
    test_verify();
    test_verify_on_server();
    test_free_amid();
    identity_free(leaf);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
