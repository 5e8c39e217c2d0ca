/*
 * SSL_clear and reuse, SSL_dup, reference counts, and which BIO an SSL owns when.
 * SSL_clear(3), SSL_dup(3), SSL_up_ref(3), SSL_set_bio(3), SSL_set_fd(3). ex_data: io_exdata.c.
 */
#include "contract.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void join_again(struct pair *p)
{
    wire_drop(p->wire, WIRE_CLIENT);
    wire_drop(p->wire, WIRE_SERVER);
}

static void clear_and_reuse(bool orderly)
{
    struct pair p;
    char got[8];

    section("SSL_clear after %s", orderly ? "an orderly end" : "no end at all");
    pair_init_connected(&p, OVER_WIRE, 0);
    (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    CHECK(call_write(p.server, "unread", 6) == 6);
    CHECK(call_peek(p.client, got, 2) == 2);
    if (orderly) {
        CHECK(SSL_read(p.client, got, sizeof(got)) == 6);
        CHECK(SSL_shutdown(p.client) == 0 && SSL_shutdown(p.server) == 0);
        CHECK(SSL_shutdown(p.client) == 1 && SSL_shutdown(p.server) == 1);
    }
    for (int i = 0; i < 2; i++) {
        log_call(p.client, "SSL_clear", SSL_clear(p.client));
        log_call(p.server, "SSL_clear", SSL_clear(p.server));
        log_state(p.client);
        note("mode %ld server %d version %s state %s", SSL_get_mode(p.client),
             SSL_is_server(p.client), SSL_get_version(p.client), SSL_state_string(p.client));
        note("bios kept: %d %d", SSL_get_rbio(p.client) != NULL, SSL_get_wbio(p.server) != NULL);
        join_again(&p);
        CHECK(log_handshake(p.client, p.server));
        log_alive(p.client, p.server);
    }
    pair_free(&p);
}

/* A failed connection and one with a pending write can be cleared, too. */
static void clear_after_failure(void)
{
    struct pair p;
    char got[8];

    section("SSL_clear after a failure");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.client, "bad", 3) == 3);
    wire_flip(p.wire, WIRE_SERVER, wire_waiting(p.wire, WIRE_SERVER) - 1);
    CHECK(call_read(p.server, got, sizeof(got)) == -1);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 5);
    CHECK(call_write(p.client, "pending", 7) == -1);
    log_call(p.server, "SSL_clear", SSL_clear(p.server));
    log_call(p.client, "SSL_clear", SSL_clear(p.client));
    log_state(p.client);
    log_state(p.server);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    join_again(&p);
    CHECK(log_handshake(p.client, p.server));
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void clear_without_state(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("SSL_clear of an SSL without a state, and in the handshake");
    REQUIRE(ssl != NULL);
    ssl_set_name(ssl, "bare");
    log_call(ssl, "SSL_clear", SSL_clear(ssl));
    log_state(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    {
        struct pair p;

        pair_init(&p, OVER_WIRE, 0);
        CHECK(call_do_handshake(p.client) == -1);
        log_call(p.client, "SSL_clear", SSL_clear(p.client));
        log_state(p.client);
        join_again(&p);
        CHECK(log_handshake(p.client, p.server));
        pair_free(&p);
    }
}

/* A copy of an SSL that has not begun is an own SSL; of one that has, it is the same object. */
static void duplicate(void)
{
    struct pair p;
    SSL *copy;

    section("SSL_dup before the first call");
    pair_init(&p, OVER_WIRE, 0);
    (void)SSL_set_mode(p.client, SSL_MODE_ENABLE_PARTIAL_WRITE);
    SSL_set_verify_depth(p.client, 7);
    SSL_set_read_ahead(p.client, 1);
    SSL_set_quiet_shutdown(p.client, 1);
    (void)SSL_set_options(p.client, SSL_OP_NO_TICKET);
    (void)SSL_set_max_proto_version(p.client, TLS1_3_VERSION);
    CHECK(SSL_set_tlsext_host_name(p.client, "localhost") == 1);
    copy = SSL_dup(p.client);
    REQUIRE(copy != NULL);
    ssl_set_name(copy, "copy");
    note("same object %d, same context %d", copy == p.client,
         SSL_get_SSL_CTX(copy) == p.client_ctx);
    note("mode %ld depth %d read_ahead %d quiet %d no_ticket %d max %ld", SSL_get_mode(copy),
         SSL_get_verify_depth(copy), SSL_get_read_ahead(copy), SSL_get_quiet_shutdown(copy),
         (SSL_get_options(copy) & SSL_OP_NO_TICKET) != 0, SSL_get_max_proto_version(copy));
    note("rbio %d wbio %d same %d", SSL_get_rbio(copy) != NULL, SSL_get_wbio(copy) != NULL,
         SSL_get_rbio(copy) == SSL_get_rbio(p.client));
    note("server name %d", SSL_get_servername(copy, TLSEXT_NAMETYPE_host_name) != NULL);
    log_state(copy);
    log_errors("queue");
    SSL_free(copy);
    section("SSL_dup after the handshake");
    CHECK(log_handshake(p.client, p.server));
    copy = SSL_dup(p.client);
    note("same object %d", copy == p.client);
    SSL_free(copy);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void duplicate_works(void)
{
    struct pair p;
    SSL *copy;
    BIO *bio;

    section("a copy connects");
    pair_init(&p, OVER_WIRE, 0);
    copy = SSL_dup(p.client);
    REQUIRE(copy != NULL);
    ssl_set_name(copy, "copy");
    bio = wire_bio_new(p.wire, WIRE_CLIENT);
    SSL_set_bio(copy, bio, bio);
    CHECK(log_handshake(copy, p.server));
    log_alive(copy, p.server);
    SSL_free(copy);
    pair_free(&p);
}

static void references(void)
{
    struct pair p;

    section("reference counts");
    pair_init_connected(&p, OVER_WIRE, 0);
    note("SSL_up_ref %d", SSL_up_ref(p.client));
    SSL_free(p.client);
    note("freed %zu", wire_freed(p.wire, WIRE_CLIENT));
    log_alive(p.client, p.server);
    note("SSL_CTX_up_ref %d", SSL_CTX_up_ref(p.client_ctx));
    SSL_CTX_free(p.client_ctx);
    /* The SSL keeps its context alive. */
    SSL_CTX_free(p.client_ctx);
    note("method %d", SSL_CTX_get_ssl_method(SSL_get_SSL_CTX(p.client)) == TLS_client_method());
    p.client_ctx = NULL;
    SSL_free(p.client);
    note("freed %zu", wire_freed(p.wire, WIRE_CLIENT));
    p.client = NULL;
    SSL_free(NULL);
    SSL_CTX_free(NULL);
    pair_free(&p);
}

static void log_freed(const char *what, const struct wire *wire)
{
    note("%s: freed %zu", what, wire_freed(wire, WIRE_CLIENT));
}

/* The rules of SSL_set_bio(3), each with counted BIOs. */
static void bio_ownership(void)
{
    struct wire *wire = wire_new();
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    BIO *a = wire_bio_new(wire, WIRE_CLIENT);
    BIO *b = wire_bio_new(wire, WIRE_CLIENT);
    BIO *c = wire_bio_new(wire, WIRE_CLIENT);
    BIO *d = wire_bio_new(wire, WIRE_CLIENT);

    section("SSL_set_bio and who frees what");
    REQUIRE(ssl != NULL);
    note("at first: rbio %d wbio %d", SSL_get_rbio(ssl) != NULL, SSL_get_wbio(ssl) != NULL);
    SSL_set_bio(ssl, a, a);
    SSL_set_bio(ssl, a, a);
    log_freed("a,a twice", wire);
    SSL_set_bio(ssl, a, b);
    log_freed("a,a then a,b", wire);
    SSL_set_bio(ssl, a, c);
    log_freed("write changed to c", wire);
    SSL_set_bio(ssl, d, c);
    log_freed("read changed to d", wire);
    SSL_set_bio(ssl, NULL, NULL);
    log_freed("none", wire);
    a = wire_bio_new(wire, WIRE_CLIENT);
    b = wire_bio_new(wire, WIRE_CLIENT);
    REQUIRE(BIO_up_ref(a) == 1);
    SSL_set0_rbio(ssl, a);
    SSL_set0_wbio(ssl, a);
    log_freed("set0 a and a", wire);
    SSL_set0_wbio(ssl, b);
    log_freed("set0 wbio b", wire);
    SSL_set0_rbio(ssl, NULL);
    log_freed("set0 rbio none", wire);
    SSL_set_bio(ssl, b, b);
    log_freed("b,b with wbio b", wire);
    note("rbio %d wbio %d", SSL_get_rbio(ssl) == b, SSL_get_wbio(ssl) == b);
    SSL_free(ssl);
    log_freed("SSL_free", wire);
    SSL_CTX_free(ctx);
    wire_free(wire);
}

/* Chains are freed as a whole. */
static void chain_ownership(void)
{
    struct wire *wire = wire_new();
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    BIO *buffer = BIO_new(BIO_f_buffer());

    section("a chain");
    REQUIRE(ssl != NULL && buffer != NULL);
    (void)BIO_push(buffer, wire_bio_new(wire, WIRE_CLIENT));
    SSL_set_bio(ssl, wire_bio_new(wire, WIRE_CLIENT), buffer);
    SSL_free(ssl);
    log_freed("SSL_free", wire);
    SSL_CTX_free(ctx);
    wire_free(wire);
}

static void log_fds(const char *what, const SSL *ssl, const int fds[2])
{
    const int got[3] = { SSL_get_fd(ssl), SSL_get_rfd(ssl), SSL_get_wfd(ssl) };
    int known[3];

    for (int i = 0; i < 3; i++) {
        known[i] = got[i] < 0 ? got[i] : got[i] == fds[0] ? 0 : got[i] == fds[1] ? 1 : 99;
    }
    note("%s: fd %d rfd %d wfd %d, rbio %s wbio %s, one BIO %d", what, known[0], known[1], known[2],
         SSL_get_rbio(ssl) != NULL ? BIO_method_name(SSL_get_rbio(ssl)) : "none",
         SSL_get_wbio(ssl) != NULL ? BIO_method_name(SSL_get_wbio(ssl)) : "none",
         SSL_get_rbio(ssl) == SSL_get_wbio(ssl));
    log_errors("error");
}

static void descriptors(void)
{
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    int fds[2];

    section("SSL_set_fd and its family");
    REQUIRE(ssl != NULL && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    log_fds("none", ssl, fds);
    note("set_fd %d", SSL_set_fd(ssl, fds[0]));
    log_fds("set_fd 0", ssl, fds);
    note("set_wfd %d", SSL_set_wfd(ssl, fds[1]));
    log_fds("set_wfd 1", ssl, fds);
    note("set_wfd %d", SSL_set_wfd(ssl, fds[0]));
    log_fds("set_wfd 0", ssl, fds);
    note("set_rfd %d", SSL_set_rfd(ssl, fds[1]));
    log_fds("set_rfd 1", ssl, fds);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    log_fds("memory", ssl, fds);
    note("set_rfd %d", SSL_set_rfd(ssl, fds[0]));
    log_fds("set_rfd 0", ssl, fds);
    note("set_fd %d", SSL_set_fd(ssl, -1));
    log_fds("set_fd -1", ssl, fds);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    note("descriptors stay open: %d %d", close(fds[0]), close(fds[1]));
}

int main(void)
{
    contract_start();
    clear_and_reuse(true);
    clear_and_reuse(false);
    clear_after_failure();
    clear_without_state();
    duplicate();
    duplicate_works();
    references();
    bio_ownership();
    chain_ownership();
    descriptors();
    identity_default_free();
    return contract_finish();
}
