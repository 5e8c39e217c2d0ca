/*
 * Contexts and connections as objects: what a connection takes from its context and when, copies,
 * references, a change of context or method. SSL_new(3), SSL_dup(3), SSL_set_SSL_CTX(),
 * SSL_CTX_set_ssl_version(3).
 * Manual pages: SSL_CTX_set_options(3), SSL_free(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static void log_info(const SSL *ssl, int where, int value)
{
    (void)ssl;
    (void)where;
    (void)value;
}

static int verify(int ok, X509_STORE_CTX *store)
{
    (void)store;
    return ok;
}

static void log_settings(const char *title, SSL *ssl)
{
    note("%s: options %llx mode %ld verify %d depth %d level %d", title,
         (unsigned long long)SSL_get_options(ssl), SSL_get_mode(ssl), SSL_get_verify_mode(ssl),
         SSL_get_verify_depth(ssl), SSL_get_security_level(ssl));
    note("  verify callback %d info callback %d quiet %d read ahead %d shutdown %d",
         SSL_get_verify_callback(ssl) != NULL, SSL_get_info_callback(ssl) != NULL,
         SSL_get_quiet_shutdown(ssl), SSL_get_read_ahead(ssl), SSL_get_shutdown(ssl));
    note("  tickets %d early data %u of %u certificate list %ld minimum %lx maximum %lx",
         (int)SSL_get_num_tickets(ssl), SSL_get_max_early_data(ssl),
         SSL_get_recv_max_early_data(ssl), SSL_get_max_cert_list(ssl),
         SSL_get_min_proto_version(ssl), SSL_get_max_proto_version(ssl));
    note("  name %s, certificate %d, suites %d from %s, server %d",
         SSL_get_servername(ssl, 0) == NULL ? "none" : SSL_get_servername(ssl, 0),
         SSL_get_certificate(ssl) != NULL, sk_SSL_CIPHER_num(SSL_get_ciphers(ssl)),
         SSL_get_cipher_list(ssl, 0), SSL_is_server(ssl));
    note("  authorities %d, client authorities %d, flags %lx, ex_data %s",
         sk_X509_NAME_num(SSL_get0_CA_list(ssl)), sk_X509_NAME_num(SSL_get_client_CA_list(ssl)),
         (unsigned long)SSL_set_cert_flags(ssl, 0),
         SSL_get_ex_data(ssl, 0) == NULL ? "none" : (const char *)SSL_get_ex_data(ssl, 0));
}

static void change(SSL *ssl)
{
    static char data[] = "data";

    (void)SSL_set_options(ssl, SSL_OP_NO_TICKET);
    (void)SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, verify);
    SSL_set_verify_depth(ssl, 3);
    SSL_set_security_level(ssl, 1);
    SSL_set_info_callback(ssl, log_info);
    SSL_set_quiet_shutdown(ssl, 1);
    SSL_set_read_ahead(ssl, 1);
    SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN);
    CHECK(SSL_set_num_tickets(ssl, 7) == 1);
    CHECK(SSL_set_max_early_data(ssl, 5) == 1);
    CHECK(SSL_set_recv_max_early_data(ssl, 6) == 1);
    (void)SSL_set_max_cert_list(ssl, 1000);
    CHECK(SSL_set_min_proto_version(ssl, TLS1_2_VERSION) == 1);
    CHECK(SSL_set_tlsext_host_name(ssl, "name.example") == 1);
    CHECK(SSL_set_cipher_list(ssl, "AES128-SHA") == 1);
    (void)SSL_set_cert_flags(ssl, SSL_CERT_FLAG_TLS_STRICT);
    CHECK(SSL_set_ex_data(ssl, 0, data) == 1);
}

static void copies(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    SSL *copy;

    section("SSL_dup");
    REQUIRE(ssl != NULL);
    log_settings("new", ssl);
    change(ssl);
    log_settings("changed", ssl);
    copy = SSL_dup(ssl);
    REQUIRE(copy != NULL && copy != ssl);
    log_settings("copy", copy);
    SSL_free(copy);
    SSL_set_connect_state(ssl);
    copy = SSL_dup(ssl);
    REQUIRE(copy != NULL);
    log_settings("copy with a state", copy);
    SSL_free(copy);
    (void)SSL_do_handshake(ssl);
    errors_drop();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void running_is_shared(void)
{
    struct pair p;
    SSL *copy;

    section("SSL_dup of a connection that runs");
    pair_init_connected(&p, OVER_MEMORY, 0);
    copy = SSL_dup(p.client);
    CHECK(copy == p.client);
    SSL_free(copy);
    pair_free(&p);
}

static void live_settings(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("a context that changes after SSL_new");
    REQUIRE(ssl != NULL);
    SSL_CTX_set_info_callback(ctx, log_info);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, verify);
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_quiet_shutdown(ctx, 1);
    CHECK(SSL_CTX_set_num_tickets(ctx, 3) == 1);
    CHECK(SSL_CTX_set_cipher_list(ctx, "AES256-SHA") == 1);
    (void)SSL_CTX_set_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT);
    log_settings("older", ssl);
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    log_settings("newer", ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void other_context(void)
{
    SSL_CTX *first = SSL_CTX_new(TLS_method());
    SSL_CTX *second = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(first);

    section("SSL_set_SSL_CTX");
    REQUIRE(ssl != NULL && second != NULL);
    change(ssl);
    SSL_CTX_set_security_level(second, 4);
    (void)SSL_CTX_set_options(second, SSL_OP_NO_TLSv1_2);
    (void)SSL_CTX_set_cert_flags(second, SSL_CERT_FLAG_BROKEN_PROTOCOL);
    SSL_CTX_set_verify(second, SSL_VERIFY_CLIENT_ONCE, NULL);
    CHECK(SSL_CTX_set_cipher_list(second, "AES256-SHA") == 1);
    CHECK(SSL_set_SSL_CTX(ssl, second) == second);
    CHECK(SSL_get_SSL_CTX(ssl) == second);
    log_settings("moved", ssl);
    CHECK(SSL_set_SSL_CTX(ssl, second) == second);
    CHECK(SSL_set_SSL_CTX(ssl, NULL) == first);
    log_settings("back", ssl);
    SSL_CTX_free(second);
    SSL_free(ssl);
    SSL_CTX_free(first);
}

static void methods(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("another method");
    REQUIRE(ctx != NULL);
    CHECK(SSL_CTX_set_cipher_list(ctx, "AES256-SHA") == 1);
    note("context: %d", SSL_CTX_set_ssl_version(ctx, TLSv1_2_method()));
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("%s, %d suites", SSL_get_version(ssl), sk_SSL_CIPHER_num(SSL_get_ciphers(ssl)));
    note("SSL: %d", SSL_set_ssl_method(ssl, TLS_method()));
    note("%s", SSL_get_version(ssl));
    note("SSL: %d", SSL_set_ssl_method(ssl, TLSv1_1_client_method()));
    note("%s", SSL_get_version(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void references(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("references");
    REQUIRE(ssl != NULL);
    note("%d %d", SSL_CTX_up_ref(ctx), SSL_up_ref(ssl));
    SSL_CTX_free(ctx);
    SSL_CTX_free(ctx);
    CHECK(SSL_get_SSL_CTX(ssl) == ctx);
    SSL_free(ssl);
    note("%s", SSL_get_version(ssl));
    SSL_free(ssl);
    SSL_free(NULL);
    SSL_CTX_free(NULL);
}

int main(void)
{
    contract_start();
    /* Without any index libcrypto refuses to copy application data. */
    REQUIRE(SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL) >= 0);
    copies();
    running_is_shared();
    live_settings();
    other_context();
    methods();
    references();
    identity_default_free();
    return contract_finish();
}
