/*
 * The scenarios of TLS 1.3's full handshakes: questions, refusals, pauses, client authentication in
 * and after the handshake, and KeyUpdate.
 */
#include "callback_order.h"

#include <openssl/err.h>

/* Contexts of both sides: ALPN and SNI offered, the client verifies against the root. */
static void prepare(struct pair *p, unsigned events)
{
    SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());

    REQUIRE(client_ctx != NULL && server_ctx != NULL);
    REQUIRE(SSL_CTX_set_min_proto_version(client_ctx, TLS1_3_VERSION) == 1);
    REQUIRE(SSL_CTX_set_min_proto_version(server_ctx, TLS1_3_VERSION) == 1);
    REQUIRE(SSL_CTX_set_num_tickets(server_ctx, 0) == 1);
    identity_use_ctx(leaf, server_ctx);
    identity_trust(root, client_ctx);
    identity_trust(root, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    trace_ctx(client_ctx, false, events);
    trace_ctx(server_ctx, true, events);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    trace_ssl(p->client, events);
    trace_ssl(p->server, events);
    REQUIRE(SSL_set_tlsext_host_name(p->client, "leaf.example") == 1);
    REQUIRE(SSL_set_alpn_protos(p->client, (const unsigned char *)"\2h2\10http/1.1", 12) == 0);
}

static void full(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    note("both done: %d", trace_pair(p.client, p.server));
    (void)call_write(p.client, "hello", 5);
    read_once(p.server);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    finish(&p);
}

static void full_questions(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void full_app_verify(void)
{
    struct pair p;

    prepare(&p, TRACE_INFO | QUESTIONS | TRACE_APP_VERIFY);
    run_and_finish(&p);
}

static void full_status(void)
{
    struct pair p;

    trace_plan.status_response = "staple";
    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_STATUS);
    REQUIRE(SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp) == 1);
    run_and_finish(&p);
}

static void full_status_refused(void)
{
    struct pair p;

    trace_plan.status_response = "staple";
    trace_plan.client_status_result = 0;
    prepare(&p, TRACE_INFO | QUESTIONS | TRACE_STATUS);
    REQUIRE(SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp) == 1);
    run_and_finish(&p);
}

static void full_extensions(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_EXTENSIONS | TRACE_TLSEXT_DEBUG);
    run_and_finish(&p);
}

static void full_padding(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | TRACE_PADDING);
    note("both done: %d", trace_pair(p.client, p.server));
    (void)call_write(p.client, "hello", 5);
    read_once(p.server);
    finish(&p);
}

static void retry_request(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_TLSEXT_DEBUG | TRACE_EXTENSIONS);
    REQUIRE(SSL_set1_groups_list(p.server, "P-256") == 1);
    run_and_finish(&p);
}

static void retry_request_no_compat(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    REQUIRE(SSL_set1_groups_list(p.server, "P-256") == 1);
    SSL_clear_options(p.client, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    run_and_finish(&p);
}

static void no_compat(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    SSL_clear_options(p.client, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_clear_options(p.server, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    run_and_finish(&p);
}

/* Client authentication; `mode` is the server's. */
static void client_auth_with(int mode, unsigned events, const struct identity *identity)
{
    struct pair p;

    prepare(&p, events);
    SSL_set_verify(p.server, mode, SSL_get_verify_callback(p.server));
    if (identity != NULL) {
        identity_use_ssl(identity, p.client);
    }
    note("both done: %d", trace_pair(p.client, p.server));
    read_once(p.client);
    read_once(p.server);
    finish(&p);
}

static void client_auth(void)
{
    client_auth_with(SSL_VERIFY_PEER, TRACE_CALLS | QUESTIONS, leaf);
}

static void client_auth_extensions(void)
{
    client_auth_with(SSL_VERIFY_PEER, TRACE_INFO | QUESTIONS | TRACE_EXTENSIONS, leaf);
}

static void client_auth_callback(void)
{
    trace_plan.client.client_cert = true;
    trace_plan.identity = leaf;
    client_auth_with(SSL_VERIFY_PEER, TRACE_CALLS | QUESTIONS | TRACE_CLIENT_CERT, NULL);
}

static void client_auth_none(void)
{
    client_auth_with(SSL_VERIFY_PEER, TRACE_CALLS | QUESTIONS | TRACE_CLIENT_CERT, NULL);
}

static void client_auth_required(void)
{
    client_auth_with(SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, TRACE_CALLS | QUESTIONS,
                     NULL);
}

static void client_auth_unverified(void)
{
    client_auth_with(SSL_VERIFY_PEER, TRACE_CALLS | QUESTIONS, stranger);
}

static void client_auth_overridden(void)
{
    trace_plan.server.verify_override = 1;
    client_auth_with(SSL_VERIFY_PEER, TRACE_INFO | QUESTIONS, stranger);
}

static void verify_failure(void)
{
    struct pair p;

    /* Whether the alert is under keys is not part of the recording. */
    prepare(&p, TRACE_INFO | QUESTIONS);
    identity_use_ssl(stranger, p.server);
    run_and_finish(&p);
}

static void verify_none(void)
{
    struct pair p;

    prepare(&p, TRACE_INFO | QUESTIONS);
    identity_use_ssl(stranger, p.server);
    SSL_set_verify(p.client, SSL_VERIFY_NONE, SSL_get_verify_callback(p.client));
    run_and_finish(&p);
}

static void verify_refused(void)
{
    struct pair p;

    trace_plan.client.verify_override = 0;
    prepare(&p, TRACE_INFO | QUESTIONS);
    run_and_finish(&p);
}

static void no_shared_group(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    REQUIRE(SSL_set1_groups_list(p.client, "X25519") == 1);
    REQUIRE(SSL_set1_groups_list(p.server, "P-256") == 1);
    run_and_finish(&p);
}

static void no_shared_suite(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    REQUIRE(SSL_set_ciphersuites(p.client, "TLS_AES_128_GCM_SHA256") == 1);
    REQUIRE(SSL_set_ciphersuites(p.server, "TLS_AES_256_GCM_SHA384") == 1);
    run_and_finish(&p);
}

static void no_shared_sigalg(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    REQUIRE(SSL_set1_sigalgs_list(p.client, "ECDSA+SHA256") == 1);
    run_and_finish(&p);
}

static void no_certificate(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    SSL_certs_clear(p.server);
    run_and_finish(&p);
}

static void alpn_with(int result)
{
    struct pair p;

    trace_plan.alpn_result = result;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void alpn_fatal(void)
{
    alpn_with(SSL_TLSEXT_ERR_ALERT_FATAL);
}

static void alpn_noack(void)
{
    alpn_with(SSL_TLSEXT_ERR_NOACK);
}

static void key_update(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    connect_unrecorded(&p);
    section("requested");
    (void)call_key_update(p.client, SSL_KEY_UPDATE_REQUESTED);
    note("pending %d", SSL_get_key_update_type(p.client));
    (void)call_do_handshake(p.client);
    read_once(p.server);
    (void)call_write(p.server, "hello", 5);
    read_once(p.client);
    section("not requested, sent by the next write");
    (void)call_key_update(p.server, SSL_KEY_UPDATE_NOT_REQUESTED);
    (void)call_write(p.server, "hello", 5);
    read_once(p.client);
    (void)call_write(p.client, "hello", 5);
    read_once(p.server);
    finish(&p);
}

static void post_handshake(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    SSL_set_post_handshake_auth(p.client, 1);
    identity_use_ssl(leaf, p.client);
    note("both done: %d", trace_pair(p.client, p.server));
    section("request");
    SSL_set_verify(p.server, SSL_VERIFY_PEER, SSL_get_verify_callback(p.server));
    (void)log_call(p.server, "SSL_verify_client_post_handshake",
                   SSL_verify_client_post_handshake(p.server));
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    (void)call_write(p.server, "hello", 5);
    read_once(p.client);
    finish(&p);
}

static void post_handshake_declined(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    SSL_set_post_handshake_auth(p.client, 1);
    connect_unrecorded(&p);
    section("request");
    SSL_set_verify(p.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                   SSL_get_verify_callback(p.server));
    (void)log_call(p.server, "SSL_verify_client_post_handshake",
                   SSL_verify_client_post_handshake(p.server));
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    read_once(p.client);
    finish(&p);
}

static void suspended_hello(void)
{
    struct pair p;

    trace_plan.hello_pauses = 2;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void suspended_hello_retry_request(void)
{
    struct pair p;

    trace_plan.hello_pauses = 1;
    prepare(&p, TRACE_INFO | QUESTIONS);
    REQUIRE(SSL_set1_groups_list(p.server, "P-256") == 1);
    run_and_finish(&p);
}

static void refused_hello(void)
{
    struct pair p;

    trace_plan.hello_refuses = true;
    trace_plan.hello_alert = SSL_AD_ACCESS_DENIED;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void suspended_cert(void)
{
    struct pair p;

    trace_plan.server.cert_pauses = 2;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void refused_cert(void)
{
    struct pair p;

    trace_plan.server.cert_refuses = true;
    prepare(&p, TRACE_INFO | QUESTIONS);
    run_and_finish(&p);
}

static void suspended_client_cert(void)
{
    trace_plan.client.cert_pauses = 1;
    trace_plan.client.client_cert_pauses = 2;
    trace_plan.client.client_cert = true;
    trace_plan.identity = leaf;
    client_auth_with(SSL_VERIFY_PEER, TRACE_CALLS | QUESTIONS | TRACE_CLIENT_CERT, NULL);
}

static void suspended_verify(void)
{
    struct pair p;

    trace_plan.client.verify_pauses = 2;
    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_APP_VERIFY);
    run_and_finish(&p);
}

static void sni_with(int result, int alert)
{
    struct pair p;

    trace_plan.sni_result = result;
    trace_plan.sni_alert = alert;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void sni_fatal(void)
{
    sni_with(SSL_TLSEXT_ERR_ALERT_FATAL, 0);
}

static void sni_fatal_own_alert(void)
{
    sni_with(SSL_TLSEXT_ERR_ALERT_FATAL, SSL_AD_ACCESS_DENIED);
}

static void sni_warning(void)
{
    sni_with(SSL_TLSEXT_ERR_ALERT_WARNING, 0);
}

static void sni_noack(void)
{
    sni_with(SSL_TLSEXT_ERR_NOACK, 0);
}

static void sni_switch(void)
{
    struct pair p;
    SSL_CTX *other = SSL_CTX_new(TLS_server_method());

    REQUIRE(other != NULL);
    identity_use_ctx(leaf, other);
    trace_ctx(other, true, QUESTIONS);
    trace_plan.sni_switch = other;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

const struct scenario scenarios_tls13[] = {
    { "full", full },
    { "full_questions", full_questions },
    { "full_app_verify", full_app_verify },
    { "full_status", full_status },
    { "full_status_refused", full_status_refused },
    { "full_extensions", full_extensions },
    { "full_padding", full_padding },
    { "retry_request", retry_request },
    { "retry_request_no_compat", retry_request_no_compat },
    { "no_compat", no_compat },
    { "client_auth", client_auth },
    { "client_auth_extensions", client_auth_extensions },
    { "client_auth_callback", client_auth_callback },
    { "client_auth_none", client_auth_none },
    { "client_auth_required", client_auth_required },
    { "client_auth_unverified", client_auth_unverified },
    { "client_auth_overridden", client_auth_overridden },
    { "verify_failure", verify_failure },
    { "verify_none", verify_none },
    { "verify_refused", verify_refused },
    { "no_shared_group", no_shared_group },
    { "no_shared_suite", no_shared_suite },
    { "no_shared_sigalg", no_shared_sigalg },
    { "no_certificate", no_certificate },
    { "alpn_fatal", alpn_fatal },
    { "alpn_noack", alpn_noack },
    { "key_update", key_update },
    { "post_handshake", post_handshake },
    { "post_handshake_declined", post_handshake_declined },
    { "suspended_hello", suspended_hello },
    { "suspended_hello_retry_request", suspended_hello_retry_request },
    { "refused_hello", refused_hello },
    { "suspended_cert", suspended_cert },
    { "refused_cert", refused_cert },
    { "suspended_client_cert", suspended_client_cert },
    { "suspended_verify", suspended_verify },
    { "sni_fatal", sni_fatal },
    { "sni_fatal_own_alert", sni_fatal_own_alert },
    { "sni_warning", sni_warning },
    { "sni_noack", sni_noack },
    { "sni_switch", sni_switch },
};

const size_t num_scenarios_tls13 = sizeof(scenarios_tls13) / sizeof(scenarios_tls13[0]);
