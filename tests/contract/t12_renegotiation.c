/*
 * Renegotiation: who may ask, what a refusal does, data around it, what changes with it, and that
 * it is invisible to programs that only read and write. RFC 5246, 7.4.1; RFC 5746;
 * SSL_renegotiate(3), SSL_CTX_set_options(3).
 */
#include "t12_renegotiate.h"

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static void by_server(void)
{
    struct pair p;

    section("the server asks by SSL_do_handshake");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_log_counters(&p);
    renegotiation_ask(p.server);
    renegotiation_log_counters(&p);
    (void)call_do_handshake(p.server);
    renegotiation_log_counters(&p);
    (void)call_do_handshake(p.server);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.server);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.server);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    note("cleared: %ld", SSL_clear_num_renegotiations(p.server));
    renegotiation_log_counters(&p);
    log_alive(p.client, p.server);
    pair_free(&p);

    section("the server asks twice");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.server);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_read_in_turn(&p, p.client);
    pair_free(&p);
}

static void by_server_write(void)
{
    struct pair p;

    section("the server asks, then writes");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.server);
    CHECK(call_write(p.server, "first", 5) == 5);
    CHECK(call_write(p.server, "second", 6) == 6);
    renegotiation_read_once(p.client);
    renegotiation_read_once(p.client);
    (void)call_write(p.client, "answer", 6);
    renegotiation_read_once(p.server);
    (void)call_write(p.server, "third", 5);
    (void)call_write(p.client, "answer", 6);
    renegotiation_read_once(p.server);
    (void)call_write(p.server, "third", 5);
    (void)call_write(p.client, "answer", 6);
    renegotiation_read_in_turn(&p, p.server);
    pair_free(&p);

    section("the server asks, then reads");
    renegotiation_prepare(&p, OVER_MEMORY);
    CHECK(call_write(p.client, "early", 5) == 5);
    renegotiation_ask(p.server);
    renegotiation_read_once(p.server);
    renegotiation_log_counters(&p);
    renegotiation_read_in_turn(&p, p.client);
    pair_free(&p);
}

static void by_client(void)
{
    struct pair p;

    section("the client asks by SSL_write");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.client);
    renegotiation_log_counters(&p);
    (void)call_write(p.client, "hello", 5);
    renegotiation_log_counters(&p);
    (void)call_write(p.client, "hello", 5);
    CHECK(call_write(p.server, "in flight", 9) == 9);
    renegotiation_read_once(p.server);
    renegotiation_log_counters(&p);
    (void)call_write(p.server, "blocked", 7);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.client);
    (void)call_write(p.client, "hello", 5);
    (void)call_write(p.server, "blocked", 7);
    CHECK(call_write(p.client, "hello", 5) == 5);
    renegotiation_log_counters(&p);
    renegotiation_read_in_turn(&p, p.server);
    pair_free(&p);

    section("the client asks by SSL_read");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.client);
    renegotiation_read_once(p.client);
    renegotiation_read_in_turn(&p, p.server);
    pair_free(&p);

    section("the client asks by SSL_do_handshake, both go on with it");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_read_once(p.server);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    (void)call_do_handshake(p.client);
    renegotiation_log_counters(&p);
    log_alive(p.client, p.server);
    pair_free(&p);

    section("the client asks for an abbreviated one");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    renegotiation_read_once(p.client);
    renegotiation_read_in_turn(&p, p.server);
    note("reused %d", SSL_session_reused(p.client));
    pair_free(&p);
}

static void both_at_once(void)
{
    struct pair p;

    section("both ask at the same time");
    renegotiation_prepare(&p, OVER_MEMORY);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_log_counters(&p);
    renegotiation_read_in_turn(&p, p.client);
    pair_free(&p);
}

static void refused_by_server(uint64_t options, bool by_write)
{
    struct pair p;

    section("the server refuses, options %llx, by_write %d", (unsigned long long)options, by_write);
    pair_init_connected(&p, OVER_MEMORY, 0);
    (void)SSL_set_options(p.server, options);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_read_once(p.server);
    renegotiation_log_counters(&p);
    CHECK(call_write(p.server, "after", 5) == 5);
    for (int i = 0; i < 3; i++) {
        if (by_write) {
            (void)call_write(p.client, "hello", 5);
        } else {
            renegotiation_read_once(p.client);
        }
    }
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.server);
    log_state(p.client);
    log_state(p.server);
    pair_free(&p);
}

/* Only SSL_read can deliver what the peer wrote before it saw the request. */
static void data_in_flight(bool by_read)
{
    struct pair p;

    section("data in flight, the client goes on by %s", by_read ? "SSL_read" : "SSL_do_handshake");
    renegotiation_prepare(&p, OVER_MEMORY);
    CHECK(call_write(p.server, "before", 6) == 6);
    renegotiation_ask(p.client);
    if (by_read) {
        renegotiation_read_once(p.client);
    } else {
        (void)call_do_handshake(p.client);
    }
    renegotiation_read_once(p.server);
    (void)call_write(p.server, "after", 5);
    renegotiation_read_once(p.client);
    renegotiation_read_once(p.server);
    renegotiation_read_once(p.client);
    renegotiation_read_once(p.client);
    renegotiation_log_counters(&p);
    log_state(p.client);
    pair_free(&p);
}

static void refused_by_client(void)
{
    struct pair p;

    section("the client refuses");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    renegotiation_ask(p.server);
    CHECK(call_write(p.server, "data", 4) == 4);
    renegotiation_read_once(p.client);
    CHECK(call_write(p.client, "answer", 6) == 6);
    renegotiation_log_counters(&p);
    renegotiation_read_once(p.server);
    renegotiation_read_once(p.server);
    renegotiation_read_once(p.client);
    log_state(p.client);
    log_state(p.server);
    pair_free(&p);
}

static void own_option(void)
{
    struct pair p;

    section("SSL_OP_NO_RENEGOTIATION on the side that asks");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    (void)SSL_set_options(p.server, SSL_OP_NO_RENEGOTIATION);
    renegotiation_ask(p.client);
    renegotiation_ask(p.server);
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    renegotiation_log_counters(&p);
    log_alive(p.client, p.server);
    (void)SSL_clear_options(p.client, SSL_OP_NO_RENEGOTIATION);
    renegotiation_ask(p.client);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    renegotiation_log_counters(&p);
    pair_free(&p);
}

/* In one version there is no such thing, in the other it is what KeyUpdate is for. */
static void other_version(void)
{
    struct pair p;

    section("TLS 1.3");
    pair_version = TLS1_3_VERSION;
    pair_init_connected(&p, OVER_MEMORY, 0);
    renegotiation_ask(p.client);
    renegotiation_ask(p.server);
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    renegotiation_log_counters(&p);
    log_alive(p.client, p.server);
    pair_free(&p);
    pair_version = TLS1_2_VERSION;
    section("KeyUpdate and post-handshake authentication in TLS 1.2");
    renegotiation_prepare(&p, OVER_MEMORY);
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    (void)log_call(p.server, "SSL_verify_client_post_handshake",
                   SSL_verify_client_post_handshake(p.server));
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void log_common_name(SSL *ssl)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    char name[64] = "(none)";

    if (cert != NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                                        sizeof(name));
    }
    note("%s's peer %s, suite %s, result %ld", ssl_get_name(ssl), name, SSL_get_cipher(ssl),
         SSL_get_verify_result(ssl));
    X509_free(cert);
}

static void another_certificate(void)
{
    struct identity *other = identity_new(KEY_RSA, "other.example");
    struct pair p;

    section("another certificate and suite");
    renegotiation_prepare(&p, OVER_MEMORY);
    log_common_name(p.client);
    SSL_certs_clear(p.server);
    identity_use_ssl(other, p.server);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_read_in_turn(&p, p.client);
    log_common_name(p.client);
    REQUIRE(SSL_set_cipher_list(p.client, "ECDHE-RSA-AES128-SHA") == 1);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_read_in_turn(&p, p.server);
    log_common_name(p.client);
    REQUIRE(SSL_set_cipher_list(p.client, "ECDHE-ECDSA-AES128-SHA") == 1);
    renegotiation_ask(p.client);
    (void)call_do_handshake(p.client);
    renegotiation_read_in_turn(&p, p.server);
    pair_free(&p);
    identity_free(other);
}

/* What programs like web servers do for a part of their site. */
static void certificate_of_client(const char *title, int mode, bool has_one, bool trusted)
{
    struct pair p;

    section("client's certificate: %s", title);
    renegotiation_prepare(&p, OVER_MEMORY);
    if (trusted) {
        identity_trust(identity_default(), p.server_ctx);
    }
    if (has_one) {
        identity_use_ssl(identity_default(), p.client);
    }
    SSL_set_verify(p.server, mode, NULL);
    renegotiation_ask(p.server);
    (void)call_do_handshake(p.server);
    renegotiation_read_in_turn(&p, p.client);
    log_common_name(p.server);
    if (SSL_in_init(p.server) == 0) {
        renegotiation_ask(p.server);
        (void)call_do_handshake(p.server);
        renegotiation_read_in_turn(&p, p.client);
        log_common_name(p.server);
    }
    pair_free(&p);
}

static void certificates_of_client(void)
{
    const int required = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;

    certificate_of_client("has one", required, true, true);
    certificate_of_client("asked once only", required | SSL_VERIFY_CLIENT_ONCE, true, true);
    certificate_of_client("has none", SSL_VERIFY_PEER, false, true);
    certificate_of_client("required, has none", required, false, true);
    certificate_of_client("not trusted", required, true, false);
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)arg;
    note("asked for %s", name != NULL ? name : "(nothing)");
    return SSL_TLSEXT_ERR_OK;
}

/* Each hello asks for the name that is set when it is written. */
static void test_other_name(const char *first, const char *then)
{
    struct pair p;

    section("renegotiation asks for %s", then != NULL ? then : "nothing");
    pair_init(&p, OVER_MEMORY, 0);
    (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    REQUIRE(SSL_CTX_set_tlsext_servername_callback(p.server_ctx, on_server_name) == 1);
    REQUIRE(SSL_set_tlsext_host_name(p.client, first) == 1);
    (void)log_handshake(p.client, p.server);
    REQUIRE(SSL_set_tlsext_host_name(p.client, then) == 1);
    renegotiation_ask(p.client);
    renegotiation_read_in_turn(&p, p.client);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    test_other_name("first.example", "second.example");
    test_other_name(NULL, "second.example");
    test_other_name("first.example", NULL);
    pair_version = TLS1_2_VERSION;
    by_server();
    by_server_write();
    by_client();
    both_at_once();
    refused_by_server(0, false);
    refused_by_server(0, true);
    refused_by_server(SSL_OP_NO_RENEGOTIATION, false);
    refused_by_server(SSL_OP_NO_RENEGOTIATION | SSL_OP_ALLOW_CLIENT_RENEGOTIATION, false);
    data_in_flight(true);
    data_in_flight(false);
    refused_by_client();
    own_option();
    other_version();
    another_certificate();
    certificates_of_client();
    identity_default_free();
    return contract_finish();
}
