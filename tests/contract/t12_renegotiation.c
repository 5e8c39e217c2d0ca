/*
 * Renegotiation: who may ask, what a refusal does, data around it, what changes with it, and that
 * it is invisible to programs that only read and write. RFC 5246, 7.4.1; RFC 5746;
 * SSL_renegotiate(3), SSL_CTX_set_options(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static char buffer[20000];

static void prepare(struct pair *p, enum transport transport)
{
    pair_init_connected(p, transport, 0);
    (void)SSL_set_options(p->server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
}

static void log_counters(struct pair *p)
{
    SSL *const sides[2] = { p->client, p->server };

    for (size_t i = 0; i < 2; i++) {
        SSL *ssl = sides[i];

        note("%s: pending %d, renegotiations %ld of %ld, in init %d, %s", ssl_get_name(ssl),
             SSL_renegotiate_pending(ssl), SSL_num_renegotiations(ssl),
             SSL_total_renegotiations(ssl), SSL_in_init(ssl), SSL_state_string(ssl));
    }
}

static void ask(SSL *ssl)
{
    (void)log_call(ssl, "SSL_renegotiate", SSL_renegotiate(ssl));
}

static void read_once(SSL *ssl)
{
    (void)call_read(ssl, buffer, sizeof(buffer));
}

/* Each side reads in turn until nothing moves; the reads' lines stand in the log. */
static void read_in_turn(struct pair *p, SSL *first)
{
    SSL *second = first == p->client ? p->server : p->client;

    for (int i = 0; i < 4; i++) {
        read_once(first);
        read_once(second);
    }
    log_counters(p);
    log_alive(p->client, p->server);
}

static void by_server(void)
{
    struct pair p;

    section("the server asks by SSL_do_handshake");
    prepare(&p, OVER_MEMORY);
    log_counters(&p);
    ask(p.server);
    log_counters(&p);
    (void)call_do_handshake(p.server);
    log_counters(&p);
    (void)call_do_handshake(p.server);
    log_counters(&p);
    read_once(p.client);
    log_counters(&p);
    read_once(p.server);
    log_counters(&p);
    read_once(p.client);
    log_counters(&p);
    read_once(p.server);
    log_counters(&p);
    read_once(p.client);
    log_counters(&p);
    note("cleared: %ld", SSL_clear_num_renegotiations(p.server));
    log_counters(&p);
    log_alive(p.client, p.server);
    pair_free(&p);

    section("the server asks twice");
    prepare(&p, OVER_MEMORY);
    ask(p.server);
    ask(p.server);
    (void)call_do_handshake(p.server);
    ask(p.server);
    (void)call_do_handshake(p.server);
    read_in_turn(&p, p.client);
    pair_free(&p);
}

static void by_server_write(void)
{
    struct pair p;

    section("the server asks, then writes");
    prepare(&p, OVER_MEMORY);
    ask(p.server);
    CHECK(call_write(p.server, "first", 5) == 5);
    CHECK(call_write(p.server, "second", 6) == 6);
    read_once(p.client);
    read_once(p.client);
    (void)call_write(p.client, "answer", 6);
    read_once(p.server);
    (void)call_write(p.server, "third", 5);
    (void)call_write(p.client, "answer", 6);
    read_once(p.server);
    (void)call_write(p.server, "third", 5);
    (void)call_write(p.client, "answer", 6);
    read_in_turn(&p, p.server);
    pair_free(&p);

    section("the server asks, then reads");
    prepare(&p, OVER_MEMORY);
    CHECK(call_write(p.client, "early", 5) == 5);
    ask(p.server);
    read_once(p.server);
    log_counters(&p);
    read_in_turn(&p, p.client);
    pair_free(&p);
}

static void by_client(void)
{
    struct pair p;

    section("the client asks by SSL_write");
    prepare(&p, OVER_MEMORY);
    ask(p.client);
    log_counters(&p);
    (void)call_write(p.client, "hello", 5);
    log_counters(&p);
    (void)call_write(p.client, "hello", 5);
    CHECK(call_write(p.server, "in flight", 9) == 9);
    read_once(p.server);
    log_counters(&p);
    (void)call_write(p.server, "blocked", 7);
    read_once(p.client);
    log_counters(&p);
    read_once(p.client);
    (void)call_write(p.client, "hello", 5);
    (void)call_write(p.server, "blocked", 7);
    CHECK(call_write(p.client, "hello", 5) == 5);
    log_counters(&p);
    read_in_turn(&p, p.server);
    pair_free(&p);

    section("the client asks by SSL_read");
    prepare(&p, OVER_MEMORY);
    ask(p.client);
    read_once(p.client);
    read_in_turn(&p, p.server);
    pair_free(&p);

    section("the client asks by SSL_do_handshake, both go on with it");
    prepare(&p, OVER_MEMORY);
    ask(p.client);
    (void)call_do_handshake(p.client);
    read_once(p.server);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    (void)call_do_handshake(p.client);
    log_counters(&p);
    log_alive(p.client, p.server);
    pair_free(&p);

    section("the client asks for an abbreviated one");
    prepare(&p, OVER_MEMORY);
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    read_once(p.client);
    read_in_turn(&p, p.server);
    note("reused %d", SSL_session_reused(p.client));
    pair_free(&p);
}

static void both_at_once(void)
{
    struct pair p;

    section("both ask at the same time");
    prepare(&p, OVER_MEMORY);
    ask(p.client);
    (void)call_do_handshake(p.client);
    ask(p.server);
    (void)call_do_handshake(p.server);
    log_counters(&p);
    read_in_turn(&p, p.client);
    pair_free(&p);
}

static void refused_by_server(uint64_t options, bool by_write)
{
    struct pair p;

    section("the server refuses, options %llx, by_write %d", (unsigned long long)options, by_write);
    pair_init_connected(&p, OVER_MEMORY, 0);
    (void)SSL_set_options(p.server, options);
    ask(p.client);
    (void)call_do_handshake(p.client);
    read_once(p.server);
    log_counters(&p);
    CHECK(call_write(p.server, "after", 5) == 5);
    for (int i = 0; i < 3; i++) {
        if (by_write) {
            (void)call_write(p.client, "hello", 5);
        } else {
            read_once(p.client);
        }
    }
    log_counters(&p);
    read_once(p.server);
    log_state(p.client);
    log_state(p.server);
    pair_free(&p);
}

/* Only SSL_read can deliver what the peer wrote before it saw the request. */
static void data_in_flight(bool by_read)
{
    struct pair p;

    section("data in flight, the client goes on by %s", by_read ? "SSL_read" : "SSL_do_handshake");
    prepare(&p, OVER_MEMORY);
    CHECK(call_write(p.server, "before", 6) == 6);
    ask(p.client);
    if (by_read) {
        read_once(p.client);
    } else {
        (void)call_do_handshake(p.client);
    }
    read_once(p.server);
    (void)call_write(p.server, "after", 5);
    read_once(p.client);
    read_once(p.server);
    read_once(p.client);
    read_once(p.client);
    log_counters(&p);
    log_state(p.client);
    pair_free(&p);
}

static void refused_by_client(void)
{
    struct pair p;

    section("the client refuses");
    prepare(&p, OVER_MEMORY);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    ask(p.server);
    CHECK(call_write(p.server, "data", 4) == 4);
    read_once(p.client);
    CHECK(call_write(p.client, "answer", 6) == 6);
    log_counters(&p);
    read_once(p.server);
    read_once(p.server);
    read_once(p.client);
    log_state(p.client);
    log_state(p.server);
    pair_free(&p);
}

static void own_option(void)
{
    struct pair p;

    section("SSL_OP_NO_RENEGOTIATION on the side that asks");
    prepare(&p, OVER_MEMORY);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    (void)SSL_set_options(p.server, SSL_OP_NO_RENEGOTIATION);
    ask(p.client);
    ask(p.server);
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    log_counters(&p);
    log_alive(p.client, p.server);
    (void)SSL_clear_options(p.client, SSL_OP_NO_RENEGOTIATION);
    ask(p.client);
    (void)SSL_set_options(p.client, SSL_OP_NO_RENEGOTIATION);
    log_counters(&p);
    pair_free(&p);
}

/* In one version there is no such thing, in the other it is what KeyUpdate is for. */
static void other_version(void)
{
    struct pair p;

    section("TLS 1.3");
    pair_version = TLS1_3_VERSION;
    pair_init_connected(&p, OVER_MEMORY, 0);
    ask(p.client);
    ask(p.server);
    (void)log_call(p.client, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(p.client));
    log_counters(&p);
    log_alive(p.client, p.server);
    pair_free(&p);
    pair_version = TLS1_2_VERSION;
    section("KeyUpdate and post-handshake authentication in TLS 1.2");
    prepare(&p, OVER_MEMORY);
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
    prepare(&p, OVER_MEMORY);
    log_common_name(p.client);
    SSL_certs_clear(p.server);
    identity_use_ssl(other, p.server);
    ask(p.server);
    (void)call_do_handshake(p.server);
    read_in_turn(&p, p.client);
    log_common_name(p.client);
    REQUIRE(SSL_set_cipher_list(p.client, "ECDHE-RSA-AES128-SHA") == 1);
    ask(p.client);
    (void)call_do_handshake(p.client);
    read_in_turn(&p, p.server);
    log_common_name(p.client);
    REQUIRE(SSL_set_cipher_list(p.client, "ECDHE-ECDSA-AES128-SHA") == 1);
    ask(p.client);
    (void)call_do_handshake(p.client);
    read_in_turn(&p, p.server);
    pair_free(&p);
    identity_free(other);
}

/* What programs like web servers do for a part of their site. */
static void certificate_of_client(const char *title, int mode, bool has_one, bool trusted)
{
    struct pair p;

    section("client's certificate: %s", title);
    prepare(&p, OVER_MEMORY);
    if (trusted) {
        identity_trust(identity_default(), p.server_ctx);
    }
    if (has_one) {
        identity_use_ssl(identity_default(), p.client);
    }
    SSL_set_verify(p.server, mode, NULL);
    ask(p.server);
    (void)call_do_handshake(p.server);
    read_in_turn(&p, p.client);
    log_common_name(p.server);
    if (SSL_in_init(p.server) == 0) {
        ask(p.server);
        (void)call_do_handshake(p.server);
        read_in_turn(&p, p.client);
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

/* A write waits on a closed transport when the other side's request comes in. Where the client is
 * the one that asks, the system's server loses the connection ("bad length"). */
static void blocked_write(bool client_asks)
{
    uint8_t *data = pattern_new(20000, 3);
    struct pair p;
    SSL *blocked;
    SSL *asking;

    section("a write is blocked while the %s asks", client_asks ? "client" : "server");
    prepare(&p, OVER_WIRE);
    blocked = client_asks ? p.server : p.client;
    asking = client_asks ? p.client : p.server;
    wire_budget(p.wire, client_asks ? WIRE_SERVER : WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(blocked, data, 20000) == -1);
    ask(asking);
    (void)call_do_handshake(asking);
    if (client_asks) {
        difference_begin("renegotiation-during-blocked-write");
    }
    read_once(blocked);
    (void)call_write(blocked, data, 20000);
    wire_budget(p.wire, client_asks ? WIRE_SERVER : WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    (void)call_write(blocked, data, 20000);
    for (int i = 0; i < 6; i++) {
        read_once(asking);
        read_once(blocked);
        if (i < 3) {
            (void)call_write(blocked, data, 20000);
        }
    }
    log_counters(&p);
    CHECK(!(client_asks && on_tenon()) || SSL_in_init(p.client) == 0);
    difference_end();
    pair_free(&p);
    free(data);
}

/* Data in both directions around each of many renegotiations. */
static void many(enum transport transport, int step)
{
    uint8_t *data = pattern_new(5000, 4);
    struct pair p;

    section("many, transport %d, %d bytes a call", (int)transport, step);
    prepare(&p, transport);
    if (transport == OVER_WIRE && step > 0) {
        wire_default(p.wire, WIRE_CLIENT, WIRE_READ, step);
        wire_default(p.wire, WIRE_SERVER, WIRE_READ, step);
        wire_default(p.wire, WIRE_CLIENT, WIRE_WRITE, step);
        wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, step);
    }
    for (int i = 0; i < 6; i++) {
        SSL *asking = i % 2 == 0 ? p.server : p.client;

        CHECK(SSL_renegotiate(asking) == 1);
        CHECK(drive_transfer(p.server, p.client, data, 5000) == 5000);
        CHECK(drive_transfer(p.client, p.server, data, 5000) == 5000);
        CHECK(drive_transfer(p.server, p.client, data, 5000) == 5000);
        log_counters(&p);
    }
    pair_free(&p);
    free(data);
}

static void without_auto_retry(void)
{
    struct pair p;

    section("without SSL_MODE_AUTO_RETRY");
    prepare(&p, OVER_MEMORY);
    (void)SSL_clear_mode(p.client, SSL_MODE_AUTO_RETRY);
    (void)SSL_clear_mode(p.server, SSL_MODE_AUTO_RETRY);
    ask(p.server);
    CHECK(call_write(p.server, "data", 4) == 4);
    for (int i = 0; i < 4; i++) {
        read_once(p.client);
        read_once(p.server);
    }
    log_counters(&p);
    ask(p.server);
    CHECK(call_write(p.server, "data", 4) == 4);
    (void)call_peek(p.client, buffer, 10);
    (void)call_peek(p.client, buffer, 10);
    read_in_turn(&p, p.client);
    pair_free(&p);
}

static void amid_shutdown(void)
{
    struct pair p;

    section("SSL_shutdown while it goes on");
    prepare(&p, OVER_MEMORY);
    ask(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    read_once(p.server);
    read_once(p.client);
    (void)call_shutdown(p.server);
    (void)call_shutdown(p.client);
    pair_free(&p);
    section("SSL_shutdown with a request that waits");
    prepare(&p, OVER_MEMORY);
    ask(p.server);
    (void)call_shutdown(p.server);
    read_once(p.client);
    log_counters(&p);
    read_once(p.client);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    pair_free(&p);
    section("after close_notify");
    prepare(&p, OVER_MEMORY);
    (void)call_shutdown(p.client);
    ask(p.client);
    (void)call_do_handshake(p.client);
    ask(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.server);
    read_once(p.client);
    log_counters(&p);
    pair_free(&p);
}

static void flood(void)
{
    struct pair p;

    section("fifty requests, then the client reads");
    prepare(&p, OVER_MEMORY);
    for (int i = 0; i < 50; i++) {
        CHECK(SSL_renegotiate(p.server) == 1 && SSL_do_handshake(p.server) == 1);
    }
    log_counters(&p);
    read_in_turn(&p, p.client);
    pair_free(&p);
}

/* Blocking sockets and threads: nobody notices. */
#define BLOCKING_LEN 100000

static size_t read_all(SSL *ssl, size_t len)
{
    size_t at = 0;

    while (at < len) {
        int ret = SSL_read(ssl, buffer, sizeof(buffer));

        if (ret <= 0 && SSL_get_error(ssl, ret) != SSL_ERROR_WANT_READ) {
            break;
        }
        at += ret > 0 ? (size_t)ret : 0;
    }
    return at;
}

static void client_body(void *arg)
{
    struct pair *p = arg;
    uint8_t *data = pattern_new(BLOCKING_LEN, 5);

    CHECK(SSL_connect(p->client) == 1);
    for (int i = 0; i < 4; i++) {
        (void)call_write(p->client, data, BLOCKING_LEN);
        CHECK(read_all(p->client, 4) == 4);
        if (i == 2) {
            CHECK(SSL_renegotiate(p->client) == 1);
        }
    }
    CHECK(call_shutdown(p->client) == 0);
    CHECK(call_shutdown(p->client) == 1);
    free(data);
}

static void server_body(void *arg)
{
    struct pair *p = arg;
    static char own[16384];

    CHECK(SSL_accept(p->server) == 1);
    for (int i = 0; i < 4; i++) {
        size_t at = 0;

        while (at < BLOCKING_LEN) {
            int ret = SSL_read(p->server, own, sizeof(own));

            if (ret <= 0) {
                CHECK(SSL_get_error(p->server, ret) == SSL_ERROR_WANT_READ);
                continue;
            }
            at += (size_t)ret;
        }
        note("server got %zu", at);
        if (i < 2) {
            CHECK(SSL_renegotiate(p->server) == 1);
        }
        CHECK(call_write(p->server, "next", 4) == 4);
    }
    (void)call_read(p->server, own, sizeof(own));
    CHECK(call_shutdown(p->server) == 1);
}

static void blocking(void)
{
    struct log_thread *client;
    struct log_thread *server;
    struct pair p;

    section("blocking sockets, two threads");
    pair_init(&p, OVER_SOCKET, 0);
    (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    client = log_thread_start(client_body, &p);
    server = log_thread_start(server_body, &p);
    log_thread_join(client);
    log_thread_join(server);
    log_counters(&p);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    (void)identity_default();
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
    blocked_write(false);
    blocked_write(true);
    many(OVER_MEMORY, 0);
    many(OVER_WIRE, 1);
    many(OVER_WIRE, 7);
    without_auto_retry();
    amid_shutdown();
    flood();
    blocking();
    identity_default_free();
    return contract_finish();
}
