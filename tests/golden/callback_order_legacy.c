/*
 * The scenarios of TLS 1.0 and 1.1, at security level 0: each key exchange, a client's certificate,
 * a renegotiation, and what the versions make of a hello that offers more. RSA keys throughout: the
 * lengths of their signatures are fixed.
 */
#include "callback_order.h"

static struct identity *rsa;

static SSL_CTX *context(const SSL_METHOD *method, int max, const char *ciphers)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL);
    SSL_CTX_set_security_level(ctx, 0);
    REQUIRE(SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(ctx, max) == 1);
    REQUIRE(SSL_CTX_set_cipher_list(ctx, ciphers) == 1);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET | SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    (void)SSL_CTX_set_dh_auto(ctx, 1);
    identity_trust(root, ctx);
    return ctx;
}

static void prepare(struct pair *p, int client_max, int server_max, const char *ciphers)
{
    const unsigned events = TRACE_CALLS | QUESTIONS;
    SSL_CTX *client_ctx = context(TLS_client_method(), client_max, ciphers);
    SSL_CTX *server_ctx = context(TLS_server_method(), server_max, ciphers);

    rsa = identity_issue(root, KEY_RSA, "leaf.example", false);
    identity_use_ctx(rsa, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    trace_ctx(client_ctx, false, events);
    trace_ctx(server_ctx, true, events);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    trace_ssl(p->client, events);
    trace_ssl(p->server, events);
    REQUIRE(SSL_set_tlsext_host_name(p->client, "leaf.example") == 1);
}

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
    identity_free(rsa);
}

static void plain(int client_max, int server_max, const char *ciphers)
{
    struct pair p;

    prepare(&p, client_max, server_max, ciphers);
    talk_and_finish(&p);
}

static void tls10_ecdhe(void)
{
    plain(TLS1_VERSION, TLS1_VERSION, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0");
}

static void tls10_dhe(void)
{
    plain(TLS1_VERSION, TLS1_VERSION, "DHE-RSA-AES128-SHA:@SECLEVEL=0");
}

static void tls10_rsa(void)
{
    plain(TLS1_VERSION, TLS1_VERSION, "AES128-SHA:@SECLEVEL=0");
}

static void tls10_null(void)
{
    plain(TLS1_VERSION, TLS1_VERSION, "NULL-SHA:@SECLEVEL=0");
}

static void tls11_ecdhe(void)
{
    plain(TLS1_1_VERSION, TLS1_1_VERSION, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0");
}

static void tls10_of_all(void)
{
    plain(TLS1_3_VERSION, TLS1_VERSION, "DEFAULT:@SECLEVEL=0");
}

static void tls11_server_of_all(void)
{
    plain(TLS1_1_VERSION, TLS1_3_VERSION, "DEFAULT:@SECLEVEL=0");
}

static void client_auth(int max)
{
    struct pair p;

    prepare(&p, max, max, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0");
    SSL_set_verify(p.server, SSL_VERIFY_PEER, SSL_get_verify_callback(p.server));
    identity_use_ssl(rsa, p.client);
    talk_and_finish(&p);
}

static void tls10_client_auth(void)
{
    client_auth(TLS1_VERSION);
}

static void tls11_client_auth(void)
{
    client_auth(TLS1_1_VERSION);
}

static void renegotiation(int max)
{
    struct pair p;

    prepare(&p, max, max, "ECDHE-RSA-AES128-SHA:@SECLEVEL=0");
    note("both done: %d", trace_pair(p.client, p.server));
    REQUIRE(SSL_renegotiate(p.client) == 1);
    for (int turn = 0; turn < 3; turn++) {
        (void)call_do_handshake(p.client);
        read_once(p.server);
    }
    talk_and_finish(&p);
}

static void tls10_renegotiation(void)
{
    renegotiation(TLS1_VERSION);
}

static void tls11_renegotiation(void)
{
    renegotiation(TLS1_1_VERSION);
}

const struct scenario scenarios_legacy[] = {
    { "tls10_ecdhe", tls10_ecdhe },
    { "tls10_dhe", tls10_dhe },
    { "tls10_rsa", tls10_rsa },
    { "tls10_null", tls10_null },
    { "tls11_ecdhe", tls11_ecdhe },
    { "tls10_of_all", tls10_of_all },
    { "tls11_server_of_all", tls11_server_of_all },
    { "tls10_client_auth", tls10_client_auth },
    { "tls11_client_auth", tls11_client_auth },
    { "tls10_renegotiation", tls10_renegotiation },
    { "tls11_renegotiation", tls11_renegotiation },
};
const size_t num_scenarios_legacy = sizeof(scenarios_legacy) / sizeof(scenarios_legacy[0]);
