/*
 * Protocol versions: setters, what is refused and how, fixed-version methods, options that switch a
 * version off, and the reports. (Which older version is negotiated belongs to TLS 1.2's tests.)
 * Manual pages: SSL_CTX_set_min_proto_version(3).
 */
#include "contract.h"

#include <openssl/err.h>

static void test_setters(void)
{
    static const int versions[] = {
        0,      SSL3_VERSION,    TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION,
        0x0305, DTLS1_2_VERSION, -1,           TLS_ANY_VERSION
    };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("setters");
    REQUIRE(ctx != NULL);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("context by default %d to %d", (int)SSL_CTX_get_min_proto_version(ctx),
         (int)SSL_CTX_get_max_proto_version(ctx));
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        int min = (int)SSL_set_min_proto_version(ssl, versions[i]);
        int max;

        log_errors("error");
        note("min %x: %d, now %x to %x", (unsigned)versions[i], min,
             (unsigned)SSL_get_min_proto_version(ssl), (unsigned)SSL_get_max_proto_version(ssl));
        max = (int)SSL_set_max_proto_version(ssl, versions[i]);
        log_errors("error");
        note("max %x: %d, now %x to %x", (unsigned)versions[i], max,
             (unsigned)SSL_get_min_proto_version(ssl), (unsigned)SSL_get_max_proto_version(ssl));
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* Whatever they would agree on below TLS 1.3 is not asked here: only refusals and TLS 1.3. */
static void combine(int client_min, int client_max, int server_min, int server_max)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("client %x to %x, server %x to %x", (unsigned)client_min, (unsigned)client_max,
            (unsigned)server_min, (unsigned)server_max);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    note("set: %d %d %d %d", (int)SSL_set_min_proto_version(p.client, client_min),
         (int)SSL_set_max_proto_version(p.client, client_max),
         (int)SSL_set_min_proto_version(p.server, server_min),
         (int)SSL_set_max_proto_version(p.server, server_max));
    log_errors("error");
    if (log_handshake(p.client, p.server)) {
        note("%s %s", SSL_get_version(p.client), SSL_get_version(p.server));
    }
    pair_free(&p);
}

static void test_combinations(void)
{
    const int v12 = TLS1_2_VERSION;
    const int v13 = TLS1_3_VERSION;

    combine(0, 0, 0, 0);
    combine(v13, 0, 0, 0);
    combine(0, 0, v13, 0);
    combine(v12, v13, v13, v13);
    combine(v13, v13, v12, v13);
    combine(v13, v13, v12, v12);
}

static void options(uint64_t client, uint64_t server)
{
    struct pair p;

    section("options of client %llx, server %llx", (unsigned long long)client,
            (unsigned long long)server);
    pair_init(&p, OVER_MEMORY, 0);
    (void)SSL_set_options(p.client, client);
    (void)SSL_set_options(p.server, server);
    (void)log_handshake(p.client, p.server);
    pair_free(&p);
}

static void test_options(void)
{
    options(SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_2);
    options(SSL_OP_NO_TLSv1_3, 0);
    options(0, SSL_OP_NO_TLSv1_3);
    options(SSL_OP_NO_SSL_MASK, 0);
    options(0, SSL_OP_NO_SSL_MASK);
}

/* An unmet minimum. */
static void test_nothing_left(void)
{
    SSL_CTX *ctx = client_ctx_new();
    struct pair p;

    section("a client with no version left sends an alert");
    pair_init_ctx(&p, ctx, server_ctx_new(), OVER_WIRE, 0);
    (void)SSL_set_options(p.client, SSL_OP_NO_TLSv1_3);
    (void)call_do_handshake(p.client);
    note("sent %zu bytes", wire_waiting(p.wire, WIRE_SERVER));
    (void)call_do_handshake(p.client);
    pair_free(&p);
}

static void test_reports(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("reports");
    REQUIRE(ssl != NULL);
    note("version %x %s server %d", (unsigned)SSL_version(ssl), SSL_get_version(ssl),
         SSL_is_server(ssl));
    SSL_set_accept_state(ssl);
    note("version %x %s server %d", (unsigned)SSL_version(ssl), SSL_get_version(ssl),
         SSL_is_server(ssl));
    SSL_set_connect_state(ssl);
    note("version %x %s server %d", (unsigned)SSL_version(ssl), SSL_get_version(ssl),
         SSL_is_server(ssl));
    CHECK(SSL_set_max_proto_version(ssl, TLS1_2_VERSION) == 1);
    note("version %x %s", (unsigned)SSL_version(ssl), SSL_get_version(ssl));
    note("method is that of the context %d", SSL_get_ssl_method(ssl) == TLS_method());
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    test_setters();
    test_combinations();
    test_options();
    test_nothing_left();
    test_reports();
    identity_default_free();
    return contract_finish();
}
