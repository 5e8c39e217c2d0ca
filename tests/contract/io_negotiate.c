/*
 * Negotiation happens by itself inside the first SSL_write or SSL_read once the SSL knows whether
 * it connects or accepts; without that it fails. SSL_write(3), SSL_read(3), SSL_do_handshake(3),
 * SSL_connect(3), SSL_accept(3), SSL_set_connect_state(3).
 */
#include "contract.h"

#include <string.h>

static void log_progress(SSL *ssl)
{
    note("%s: in_init %d in_before %d init_finished %d server %d state %s", ssl_get_name(ssl),
         SSL_in_init(ssl), SSL_in_before(ssl), SSL_is_init_finished(ssl), SSL_is_server(ssl),
         SSL_state_string_long(ssl));
}

static SSL *bare_ssl(SSL_CTX *ctx, struct wire *wire)
{
    SSL *ssl = SSL_new(ctx);
    BIO *bio = wire_bio_new(wire, WIRE_CLIENT);

    REQUIRE(ssl != NULL);
    SSL_set_bio(ssl, bio, bio);
    ssl_set_name(ssl, "bare");
    return ssl;
}

static void without_state(const SSL_METHOD *method, const char *name)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    struct wire *wire = wire_new();
    SSL *ssl = bare_ssl(ctx, wire);
    char buf[8] = "";
    size_t done;

    section("no state set, %s", name);
    log_progress(ssl);
    CHECK(call_write(ssl, "hello", 5) <= 0);
    CHECK(call_write(ssl, "", 0) <= 0);
    CHECK(call_write_ex(ssl, "hello", 5, &done) == 0);
    CHECK(call_read(ssl, buf, sizeof(buf)) <= 0);
    CHECK(call_read_ex(ssl, buf, sizeof(buf), &done) == 0);
    CHECK(call_peek(ssl, buf, sizeof(buf)) <= 0);
    CHECK(call_do_handshake(ssl) <= 0);
    CHECK(call_shutdown(ssl) < 0);
    (void)call_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
    log_progress(ssl);
    note("sent %zu", wire_waiting(wire, WIRE_SERVER));
    SSL_free(ssl);
    wire_free(wire);
    SSL_CTX_free(ctx);
}

/* A method of one role refuses the other; a general method takes the role of the first call. */
static void role_by_call(const SSL_METHOD *method, const char *name)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL);
    SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION);
    identity_use_ctx(identity_default(), ctx);
    for (int accept = 0; accept < 2; accept++) {
        struct wire *wire = wire_new();
        SSL *ssl = bare_ssl(ctx, wire);

        section("%s, first call %s", name, accept ? "SSL_accept" : "SSL_connect");
        (void)(accept ? call_accept(ssl) : call_connect(ssl));
        log_progress(ssl);
        note("something sent: %d", wire_waiting(wire, WIRE_SERVER) > 0);
        (void)call_do_handshake(ssl);
        (void)call_write(ssl, "x", 1);
        log_progress(ssl);
        SSL_free(ssl);
        wire_free(wire);
    }
    SSL_CTX_free(ctx);
}

static void log_both(const struct pair *pair)
{
    log_progress(pair->client);
    log_progress(pair->server);
}

/* Memory BIOs: each call goes as far as the bytes that are there. */
static void implicit_by_write_and_read(void)
{
    struct pair p;
    char got[16];

    section("client SSL_write, server SSL_read");
    pair_init(&p, OVER_MEMORY, 0);
    log_both(&p);
    CHECK(call_read(p.server, got, sizeof(got)) < 0);
    CHECK(call_write(p.client, "hello", 5) < 0);
    log_both(&p);
    CHECK(call_read(p.server, got, sizeof(got)) < 0);
    log_both(&p);
    if (!pair_is_tls13()) {
        CHECK(call_write(p.client, "hello", 5) < 0);
        CHECK(call_read(p.server, got, sizeof(got)) < 0);
    }
    CHECK(call_write(p.client, "hello", 5) == 5);
    log_both(&p);
    CHECK(call_read(p.server, got, sizeof(got)) == 5);
    log_both(&p);
    CHECK(call_write(p.server, "world!", 6) == 6);
    CHECK(call_read(p.client, got, sizeof(got)) == 6);
    pair_free(&p);
}

/* The server's write waits for the client's Finished; the client that only reads answers. */
static void implicit_by_server_write(void)
{
    struct pair p;
    char got[16];
    size_t done;

    section("server SSL_write_ex, client SSL_read_ex");
    pair_init(&p, OVER_MEMORY, 0);
    CHECK(call_write_ex(p.server, "greeting", 8, &done) == 0);
    CHECK(call_read_ex(p.client, got, sizeof(got), &done) == 0);
    CHECK(call_write_ex(p.server, "greeting", 8, &done) == 0);
    CHECK(call_read_ex(p.client, got, sizeof(got), &done) == 0);
    log_both(&p);
    CHECK(call_write_ex(p.server, "greeting", 8, &done) == 1 && done == 8);
    log_both(&p);
    CHECK(call_read_ex(p.client, got, sizeof(got), &done) == 1 && done == 8);
    CHECK(memcmp(got, "greeting", 8) == 0);
    pair_free(&p);
}

static void implicit_by_peek(void)
{
    struct pair p;
    char got[16];

    section("both by SSL_peek");
    pair_init(&p, OVER_MEMORY, 0);
    CHECK(call_peek(p.client, got, sizeof(got)) < 0);
    CHECK(call_peek(p.server, got, sizeof(got)) < 0);
    CHECK(call_peek(p.client, got, sizeof(got)) < 0);
    CHECK(call_peek(p.server, got, sizeof(got)) < 0);
    log_both(&p);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* A write of nothing negotiates like any other. */
static void implicit_by_empty_write(void)
{
    struct pair p;

    section("both by SSL_write of nothing");
    pair_init(&p, OVER_MEMORY, 0);
    (void)call_write(p.client, "", 0);
    (void)call_write(p.server, "", 0);
    (void)call_write(p.client, "", 0);
    (void)call_write(p.server, "", 0);
    log_both(&p);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void explicit_calls(void)
{
    struct pair p;

    section("SSL_connect and SSL_accept, also after the end");
    pair_init(&p, OVER_MEMORY, 0);
    CHECK(call_connect(p.client) == -1);
    CHECK(call_accept(p.server) == -1);
    if (!pair_is_tls13()) {
        CHECK(call_connect(p.client) == -1);
        CHECK(call_accept(p.server) == 1);
    }
    CHECK(call_connect(p.client) == 1);
    CHECK(call_accept(p.server) == 1);
    CHECK(call_connect(p.client) == 1);
    CHECK(call_accept(p.server) == 1);
    CHECK(call_do_handshake(p.client) == 1);
    CHECK(call_do_handshake(p.server) == 1);
    (void)call_accept(p.client);
    (void)call_connect(p.server);
    log_both(&p);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* SSL_connect and SSL_accept keep a role that was set before. */
static void crossed_calls(void)
{
    struct pair p;

    section("SSL_accept on a connecting SSL and the reverse");
    pair_init(&p, OVER_MEMORY, 0);
    (void)call_accept(p.client);
    (void)call_connect(p.server);
    (void)call_accept(p.client);
    (void)call_connect(p.server);
    log_both(&p);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* A failed handshake stays failed, whoever asks. */
static void failed_handshake(void)
{
    static const char junk[] = "HTTP/1.1 400 Bad Request\r\n\r\n";
    struct pair p;
    char buf[8];

    section("the peer answers in plain HTTP");
    pair_init(&p, OVER_WIRE, 0);
    CHECK(call_do_handshake(p.client) < 0);
    wire_inject(p.wire, WIRE_CLIENT, junk, sizeof(junk) - 1);
    CHECK(call_do_handshake(p.client) < 0);
    CHECK(call_do_handshake(p.client) < 0);
    CHECK(call_write(p.client, "x", 1) < 0);
    CHECK(call_read(p.client, buf, sizeof(buf)) < 0);
    (void)call_shutdown(p.client);
    log_progress(p.client);
    pair_free(&p);
    section("the peer closes before it answers");
    pair_init(&p, OVER_WIRE, 0);
    CHECK(call_do_handshake(p.client) < 0);
    wire_close_towards(p.wire, WIRE_CLIENT);
    CHECK(call_do_handshake(p.client) <= 0);
    CHECK(call_do_handshake(p.client) <= 0);
    (void)call_write(p.client, "x", 1);
    (void)call_read(p.client, buf, sizeof(buf));
    log_progress(p.client);
    pair_free(&p);
}

/* A role set again in the middle starts over. */
static void state_set_again(void)
{
    struct pair p;

    section("SSL_set_connect_state twice, and role changed before the first byte");
    pair_init(&p, OVER_MEMORY, 0);
    SSL_set_accept_state(p.client);
    log_progress(p.client);
    SSL_set_connect_state(p.client);
    log_progress(p.client);
    CHECK(log_handshake(p.client, p.server));
    log_both(&p);
    SSL_set_connect_state(p.client);
    log_progress(p.client);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    without_state(TLS_method(), "TLS_method");
    without_state(TLS_client_method(), "TLS_client_method");
    without_state(TLS_server_method(), "TLS_server_method");
    role_by_call(TLS_method(), "TLS_method");
    role_by_call(TLS_client_method(), "TLS_client_method");
    role_by_call(TLS_server_method(), "TLS_server_method");
    implicit_by_write_and_read();
    implicit_by_server_write();
    implicit_by_peek();
    implicit_by_empty_write();
    explicit_calls();
    crossed_calls();
    failed_handshake();
    state_set_again();
    identity_default_free();
    return contract_finish();
}
