/*
 * The scenarios of TLS 1.2: full handshakes of each key exchange, what interrupts them, and
 * renegotiation. Without a session cache and without tickets.
 *
 * Ed25519 keys serve ECDHE, an RSA key of fixed length the other key exchanges, so that the lengths
 * of all messages and records belong to the recording.
 */
#include "callback_order.h"

#include <openssl/err.h>
#include <string.h>

static struct identity *rsa;

static SSL_CTX *context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL && SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) == 1);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    identity_trust(root, ctx);
    return ctx;
}

/* As in TLS 1.3's scenarios; the server has `identity`. */
static void prepare_with(struct pair *p, unsigned events, const struct identity *identity)
{
    SSL_CTX *client_ctx = context(TLS_client_method());
    SSL_CTX *server_ctx = context(TLS_server_method());

    identity_use_ctx(identity, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    trace_ctx(client_ctx, false, events);
    trace_ctx(server_ctx, true, events);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    trace_ssl(p->client, events);
    trace_ssl(p->server, events);
    REQUIRE(SSL_set_tlsext_host_name(p->client, "leaf.example") == 1);
    REQUIRE(SSL_set_alpn_protos(p->client, (const unsigned char *)"\2h2\10http/1.1", 12) == 0);
}

static void prepare(struct pair *p, unsigned events)
{
    prepare_with(p, events, leaf);
}

static void use_ciphers(struct pair *p, const char *ciphers)
{
    REQUIRE(SSL_set_cipher_list(p->client, ciphers) == 1);
    REQUIRE(SSL_set_cipher_list(p->server, ciphers) == 1);
}

/* A message each way and both close_notify alerts. */
static void talk_and_finish(struct pair *p)
{
    note("both done: %d", trace_pair(p->client, p->server));
    (void)call_write(p->client, "hello", 5);
    read_once(p->server);
    (void)call_write(p->server, "hello", 5);
    read_once(p->client);
    (void)call_shutdown(p->client);
    (void)call_shutdown(p->server);
    (void)call_shutdown(p->client);
    (void)call_shutdown(p->server);
    finish(p);
}

static void ecdhe(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    talk_and_finish(&p);
}

static void ecdhe_cbc(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    use_ciphers(&p, "ECDHE-ECDSA-AES128-SHA");
    talk_and_finish(&p);
}

static void ecdhe_cbc_mac_then_encrypt(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    use_ciphers(&p, "ECDHE-ECDSA-AES256-SHA384");
    (void)SSL_set_options(p.client, SSL_OP_NO_ENCRYPT_THEN_MAC);
    talk_and_finish(&p);
}

static void ecdhe_chacha(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS);
    use_ciphers(&p, "ECDHE-ECDSA-CHACHA20-POLY1305");
    talk_and_finish(&p);
}

static void no_extended_master_secret(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | TRACE_TLSEXT_DEBUG);
    (void)SSL_set_options(p.client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    run_and_finish(&p);
}

static void with_rsa_key(const char *ciphers)
{
    struct pair p;

    rsa = identity_issue(root, KEY_RSA, "leaf.example", false);
    prepare_with(&p, TRACE_CALLS | QUESTIONS | TRACE_TLSEXT_DEBUG, rsa);
    use_ciphers(&p, ciphers);
    (void)SSL_set_dh_auto(p.server, 1);
    run_and_finish(&p);
    identity_free(rsa);
}

static void ecdhe_rsa(void)
{
    with_rsa_key("ECDHE-RSA-AES128-GCM-SHA256");
}

static void dhe_rsa(void)
{
    with_rsa_key("DHE-RSA-AES128-GCM-SHA256");
}

static void plain_rsa(void)
{
    with_rsa_key("AES128-GCM-SHA256");
}

static void default_client(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_TLSEXT_DEBUG);
    REQUIRE(SSL_set_max_proto_version(p.client, 0) == 1);
    SSL_clear_options(p.client, SSL_OP_NO_TICKET);
    run_and_finish(&p);
}

static void default_server(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_TLSEXT_DEBUG);
    REQUIRE(SSL_set_max_proto_version(p.server, 0) == 1);
    run_and_finish(&p);
}

static void questions(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void app_verify(void)
{
    struct pair p;

    prepare(&p, TRACE_INFO | QUESTIONS | TRACE_APP_VERIFY);
    run_and_finish(&p);
}

static void extensions(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_EXTENSIONS_TLS12 | TRACE_TLSEXT_DEBUG);
    run_and_finish(&p);
}

static void status_with(const char *response, unsigned events)
{
    struct pair p;

    trace_plan.status_response = response;
    prepare(&p, events | QUESTIONS | TRACE_STATUS);
    REQUIRE(SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp) == 1);
    run_and_finish(&p);
}

static void status(void)
{
    status_with("staple", TRACE_CALLS | TRACE_TLSEXT_DEBUG);
}

static void status_none(void)
{
    trace_plan.status_result = SSL_TLSEXT_ERR_NOACK;
    status_with(NULL, TRACE_CALLS);
}

static void status_without_response(void)
{
    status_with(NULL, TRACE_CALLS);
}

static void status_fatal(void)
{
    trace_plan.status_result = SSL_TLSEXT_ERR_ALERT_FATAL;
    status_with(NULL, TRACE_CALLS);
}

static void status_refused(void)
{
    trace_plan.client_status_result = 0;
    status_with("staple", TRACE_INFO);
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

static void client_auth_status(void)
{
    struct pair p;

    trace_plan.status_response = "staple";
    prepare(&p, TRACE_INFO | QUESTIONS | TRACE_STATUS);
    REQUIRE(SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp) == 1);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, SSL_get_verify_callback(p.server));
    identity_use_ssl(leaf, p.client);
    run_and_finish(&p);
}

static void verify_failure(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    SSL_certs_clear(p.server);
    identity_use_ssl(stranger, p.server);
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
    REQUIRE(SSL_set_cipher_list(p.client, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1);
    REQUIRE(SSL_set_cipher_list(p.server, "ECDHE-ECDSA-AES256-GCM-SHA384") == 1);
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

static void server_too_new(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    REQUIRE(SSL_set_max_proto_version(p.server, 0) == 1);
    REQUIRE(SSL_set_min_proto_version(p.server, TLS1_3_VERSION) == 1);
    run_and_finish(&p);
}

static void client_too_new(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    REQUIRE(SSL_set_max_proto_version(p.client, 0) == 1);
    REQUIRE(SSL_set_min_proto_version(p.client, TLS1_3_VERSION) == 1);
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

static void sni_with(int result)
{
    struct pair p;

    trace_plan.sni_result = result;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void sni_fatal(void)
{
    sni_with(SSL_TLSEXT_ERR_ALERT_FATAL);
}

static void sni_warning(void)
{
    sni_with(SSL_TLSEXT_ERR_ALERT_WARNING);
}

static void sni_noack(void)
{
    sni_with(SSL_TLSEXT_ERR_NOACK);
}

static void sni_switch(void)
{
    struct pair p;
    SSL_CTX *other = context(TLS_server_method());

    identity_use_ctx(leaf, other);
    trace_ctx(other, true, QUESTIONS);
    trace_plan.sni_switch = other;
    prepare(&p, TRACE_CALLS | QUESTIONS);
    run_and_finish(&p);
}

static void suspended_hello(void)
{
    struct pair p;

    trace_plan.hello_pauses = 2;
    prepare(&p, TRACE_CALLS | QUESTIONS);
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

/* Both sides' turns of a renegotiation that `first` begins, driven by reads alone. */
static void renegotiate_and_finish(struct pair *p, SSL *first)
{
    SSL *second = first == p->client ? p->server : p->client;

    section("renegotiation");
    (void)log_call(first, "SSL_renegotiate", SSL_renegotiate(first));
    (void)trace_handshake(first);
    for (int i = 0; i < 3; i++) {
        read_once(second);
        read_once(first);
    }
    (void)call_write(first, "hello", 5);
    read_once(second);
    (void)call_write(second, "hello", 5);
    read_once(first);
    finish(p);
}

static void renegotiation_of_client_refused(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    connect_unrecorded(&p);
    renegotiate_and_finish(&p, p.client);
}

static void renegotiation_of_client(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS | TRACE_TLSEXT_DEBUG);
    (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    connect_unrecorded(&p);
    renegotiate_and_finish(&p, p.client);
}

static void renegotiation_of_server(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    connect_unrecorded(&p);
    renegotiate_and_finish(&p, p.server);
}

static void renegotiation_of_server_refused(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    connect_unrecorded(&p);
    renegotiate_and_finish(&p, p.server);
}

static void renegotiation_for_certificate(void)
{
    struct pair p;

    prepare(&p, TRACE_CALLS | QUESTIONS);
    identity_use_ssl(leaf, p.client);
    connect_unrecorded(&p);
    SSL_set_verify(p.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                   SSL_get_verify_callback(p.server));
    renegotiate_and_finish(&p, p.server);
}

const struct scenario scenarios_tls12[] = {
    { "tls12_ecdhe", ecdhe },
    { "tls12_ecdhe_cbc", ecdhe_cbc },
    { "tls12_ecdhe_cbc_mac_then_encrypt", ecdhe_cbc_mac_then_encrypt },
    { "tls12_ecdhe_chacha", ecdhe_chacha },
    { "tls12_no_extended_master_secret", no_extended_master_secret },
    { "tls12_ecdhe_rsa", ecdhe_rsa },
    { "tls12_dhe_rsa", dhe_rsa },
    { "tls12_rsa", plain_rsa },
    { "tls12_default_client", default_client },
    { "tls12_default_server", default_server },
    { "tls12_questions", questions },
    { "tls12_app_verify", app_verify },
    { "tls12_extensions", extensions },
    { "tls12_status", status },
    { "tls12_status_none", status_none },
    { "tls12_status_without_response", status_without_response },
    { "tls12_status_fatal", status_fatal },
    { "tls12_status_refused", status_refused },
    { "tls12_client_auth", client_auth },
    { "tls12_client_auth_callback", client_auth_callback },
    { "tls12_client_auth_none", client_auth_none },
    { "tls12_client_auth_required", client_auth_required },
    { "tls12_client_auth_unverified", client_auth_unverified },
    { "tls12_client_auth_status", client_auth_status },
    { "tls12_verify_failure", verify_failure },
    { "tls12_no_shared_group", no_shared_group },
    { "tls12_no_shared_suite", no_shared_suite },
    { "tls12_no_shared_sigalg", no_shared_sigalg },
    { "tls12_no_certificate", no_certificate },
    { "tls12_server_too_new", server_too_new },
    { "tls12_client_too_new", client_too_new },
    { "tls12_alpn_fatal", alpn_fatal },
    { "tls12_alpn_noack", alpn_noack },
    { "tls12_sni_fatal", sni_fatal },
    { "tls12_sni_warning", sni_warning },
    { "tls12_sni_noack", sni_noack },
    { "tls12_sni_switch", sni_switch },
    { "tls12_suspended_hello", suspended_hello },
    { "tls12_refused_hello", refused_hello },
    { "tls12_suspended_cert", suspended_cert },
    { "tls12_refused_cert", refused_cert },
    { "tls12_suspended_client_cert", suspended_client_cert },
    { "tls12_suspended_verify", suspended_verify },
    { "tls12_renegotiation_of_client_refused", renegotiation_of_client_refused },
    { "tls12_renegotiation_of_client", renegotiation_of_client },
    { "tls12_renegotiation_of_server", renegotiation_of_server },
    { "tls12_renegotiation_of_server_refused", renegotiation_of_server_refused },
    { "tls12_renegotiation_for_certificate", renegotiation_for_certificate },
};

const size_t num_scenarios_tls12 = sizeof(scenarios_tls12) / sizeof(scenarios_tls12[0]);
