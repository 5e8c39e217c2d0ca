/*
 * Sizes: chains of certificates beyond a record and beyond the limit, long lists of authorities,
 * the limits' setters; and calls that TLS 1.3 has no use for.
 * Manual pages: SSL_CTX_set_max_cert_list(3).
 */
#include "contract.h"

#include <openssl/err.h>

static void run(const char *title, struct pair *p)
{
    section("%s", title);
    if (log_handshake(p->client, p->server)) {
        STACK_OF(X509) *chain = SSL_get_peer_cert_chain(p->client);

        note("chain %d", chain != NULL ? sk_X509_num(chain) : -1);
        log_alive(p->client, p->server);
    }
    pair_free(p);
}

/* Adds `num` certificates that have nothing to do with the first to what the server sends. */
static void lengthen(SSL *ssl, const struct identity *identity, int num)
{
    for (int i = 0; i < num; i++) {
        REQUIRE(SSL_add1_chain_cert(ssl, identity->cert) == 1);
    }
}

static void test_chains(void)
{
    struct identity *other = identity_new(KEY_RSA, "chain.example");
    struct pair p;

    pair_init(&p, OVER_MEMORY, 0);
    lengthen(p.server, other, 50);
    run("certificates of 40 KB", &p);

    pair_init(&p, OVER_WIRE, 0);
    lengthen(p.server, other, 50);
    wire_default(p.wire, WIRE_CLIENT, WIRE_READ, 100);
    wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, 77);
    run("certificates of 40 KB in small pieces", &p);

    pair_init(&p, OVER_MEMORY, 0);
    lengthen(p.server, other, 200);
    run("certificates beyond the limit", &p);

    pair_init(&p, OVER_MEMORY, 0);
    lengthen(p.server, other, 200);
    note("limit was %ld", SSL_set_max_cert_list(p.client, 1000000));
    note("limit is %ld", SSL_get_max_cert_list(p.client));
    run("limit raised", &p);

    pair_init(&p, OVER_MEMORY, 0);
    (void)SSL_set_max_cert_list(p.client, 100);
    run("limit lowered", &p);

    pair_init(&p, OVER_MEMORY, 0);
    note("context had %ld", SSL_CTX_set_max_cert_list(p.client_ctx, 77));
    note("now %ld, connection %ld", SSL_CTX_get_max_cert_list(p.client_ctx),
         SSL_get_max_cert_list(p.client));
    run("context's limit lowered after SSL_new", &p);
    identity_free(other);
}

static void test_client_chain(void)
{
    struct identity *other = identity_new(KEY_RSA, "chain.example");
    struct pair p;

    pair_init(&p, OVER_MEMORY, 0);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
    identity_use_ssl(other, p.client);
    lengthen(p.client, other, 200);
    run("client's certificates beyond the limit", &p);
    identity_free(other);
}

static void test_authorities(void)
{
    struct pair p;

    pair_init(&p, OVER_MEMORY, 0);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
    {
        STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

        REQUIRE(names != NULL);
        for (int i = 0; i < 900; i++) {
            X509_NAME *name = X509_NAME_dup(X509_get_subject_name(identity_default()->cert));

            REQUIRE(name != NULL && sk_X509_NAME_push(names, name) > 0);
        }
        SSL_set_client_CA_list(p.server, names);
    }
    section("900 authorities");
    (void)log_handshake(p.client, p.server);
    {
        STACK_OF(X509_NAME) *names = SSL_get_client_CA_list(p.client);

        note("client sees %d", names != NULL ? sk_X509_NAME_num(names) : -1);
    }
    pair_free(&p);
}

static void test_useless_calls(void)
{
    struct pair p;

    section("calls that TLS 1.3 has no use for");
    pair_init_connected(&p, OVER_MEMORY, 0);
    (void)log_call(p.client, "SSL_renegotiate", SSL_renegotiate(p.client));
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    note("pending %d", SSL_renegotiate_pending(p.client));
    (void)log_call(p.server, "SSL_renegotiate", SSL_renegotiate(p.server));
    note("renegotiations %ld %ld", SSL_num_renegotiations(p.client),
         SSL_total_renegotiations(p.client));
    (void)call_connect(p.client);
    (void)call_accept(p.server);
    (void)call_do_handshake(p.client);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* The counters of the context. */
static void test_counters(void)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("counters");
    REQUIRE(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    for (int i = 0; i < 2; i++) {
        SSL_CTX *ctx;

        pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
        CHECK(drive_handshake(p.client, p.server));
        ERR_clear_error();
        for (int side = 0; side < 2; side++) {
            ctx = side == 0 ? client_ctx : server_ctx;
            note("side %d: connect %ld good %ld renegotiate %ld accept %ld good %ld renegotiate "
                 "%ld hits %ld misses %ld timeouts %ld full %ld",
                 side, SSL_CTX_sess_connect(ctx), SSL_CTX_sess_connect_good(ctx),
                 SSL_CTX_sess_connect_renegotiate(ctx), SSL_CTX_sess_accept(ctx),
                 SSL_CTX_sess_accept_good(ctx), SSL_CTX_sess_accept_renegotiate(ctx),
                 SSL_CTX_sess_hits(ctx), SSL_CTX_sess_misses(ctx), SSL_CTX_sess_timeouts(ctx),
                 SSL_CTX_sess_cache_full(ctx));
        }
        if (i == 0) {
            REQUIRE(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
        }
        pair_free(&p);
    }
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

int main(void)
{
    contract_start();
    test_chains();
    test_client_chain();
    test_authorities();
    test_useless_calls();
    test_counters();
    identity_default_free();
    return contract_finish();
}
