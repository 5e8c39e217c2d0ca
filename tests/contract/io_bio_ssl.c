/*
 * BIO_f_ssl: a BIO whose bytes travel over TLS, the helpers that build chains with it, and how its
 * retry flags follow the SSL. BIO_f_ssl(3).
 */
#include "contract.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void log_bio(const char *what, BIO *bio, int ret)
{
    note("%s = %d%s%s%s%s%s reason %d", what, ret, BIO_should_retry(bio) ? " retry" : "",
         BIO_should_read(bio) ? " read" : "", BIO_should_write(bio) ? " write" : "",
         BIO_should_io_special(bio) ? " special" : "", BIO_eof(bio) ? " eof" : "",
         BIO_get_retry_reason(bio));
    log_errors("error");
}

/* The client side as a BIO chain ssl -> wire; the server a plain SSL. */
struct chain {
    struct pair pair; /* its client is unused */
    struct wire *wire;
    BIO *bio;
};

static void chain_init(struct chain *chain)
{
    pair_init(&chain->pair, OVER_MEMORY, 0);
    chain->wire = wire_new();
    SSL_set_bio(chain->pair.server, wire_bio_new(chain->wire, WIRE_SERVER),
                wire_bio_new(chain->wire, WIRE_SERVER));
    chain->bio = BIO_new_ssl(chain->pair.client_ctx, 1);
    REQUIRE(chain->bio != NULL);
    chain->bio = BIO_push(chain->bio, wire_bio_new(chain->wire, WIRE_CLIENT));
}

static void chain_free(struct chain *chain)
{
    BIO_free_all(chain->bio);
    note("wire BIOs freed: %zu", wire_freed(chain->wire, WIRE_CLIENT));
    pair_free(&chain->pair);
    wire_free(chain->wire);
}

static void handshake_and_data(void)
{
    struct chain c;
    char got[16];
    SSL *ssl = NULL;

    section("handshake, data and end by BIO calls");
    chain_init(&c);
    note("get_ssl %ld", BIO_get_ssl(c.bio, &ssl));
    REQUIRE(ssl != NULL);
    ssl_set_name(ssl, "chain");
    log_bio("BIO_do_handshake", c.bio, (int)BIO_do_handshake(c.bio));
    (void)SSL_do_handshake(c.pair.server);
    log_bio("BIO_do_handshake", c.bio, (int)BIO_do_handshake(c.bio));
    CHECK(SSL_do_handshake(c.pair.server) == 1);
    log_bio("BIO_read", c.bio, BIO_read(c.bio, got, sizeof(got)));
    log_bio("BIO_write", c.bio, BIO_write(c.bio, "hello", 5));
    CHECK(call_read(c.pair.server, got, sizeof(got)) == 5);
    CHECK(call_write(c.pair.server, "answer", 6) == 6);
    note("pending %d wpending %d", (int)BIO_pending(c.bio), (int)BIO_wpending(c.bio));
    log_bio("BIO_read 2", c.bio, BIO_read(c.bio, got, 2));
    note("pending %d", (int)BIO_pending(c.bio));
    log_bio("BIO_gets", c.bio, BIO_gets(c.bio, got, sizeof(got)));
    log_bio("BIO_read", c.bio, BIO_read(c.bio, got, sizeof(got)));
    log_bio("BIO_puts", c.bio, BIO_puts(c.bio, "puts"));
    CHECK(call_read(c.pair.server, got, sizeof(got)) == 4);
    log_bio("BIO_flush", c.bio, (int)BIO_flush(c.bio));
    log_bio("BIO_write 0", c.bio, BIO_write(c.bio, "x", 0));
    log_bio("BIO_read 0", c.bio, BIO_read(c.bio, got, 0));
    CHECK(call_shutdown(c.pair.server) == 0);
    log_bio("BIO_read at the end", c.bio, BIO_read(c.bio, got, sizeof(got)));
    log_bio("BIO_read at the end", c.bio, BIO_read(c.bio, got, sizeof(got)));
    BIO_ssl_shutdown(c.bio);
    log_state(ssl);
    CHECK(call_read(c.pair.server, got, sizeof(got)) == 0);
    chain_free(&c);
}

static void retries(void)
{
    struct chain c;
    size_t done = 0;
    char got[16];

    section("retry flags");
    chain_init(&c);
    log_bio("BIO_write", c.bio, BIO_write(c.bio, "early", 5));
    (void)SSL_do_handshake(c.pair.server);
    log_bio("BIO_write_ex", c.bio, BIO_write_ex(c.bio, "early", 5, &done));
    note("written %zu", done);
    wire_budget(c.wire, WIRE_CLIENT, WIRE_WRITE, 3);
    log_bio("BIO_write", c.bio, BIO_write(c.bio, "blocked", 7));
    log_bio("BIO_read", c.bio, BIO_read(c.bio, got, sizeof(got)));
    wire_budget(c.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    log_bio("BIO_write", c.bio, BIO_write(c.bio, "blocked", 7));
    note("read %zu", drive_read(c.pair.server, 12));
    wire_default(c.wire, WIRE_CLIENT, WIRE_READ, WIRE_FATAL);
    log_bio("BIO_read of a broken transport", c.bio, BIO_read(c.bio, got, sizeof(got)));
    chain_free(&c);
}

static void controls(void)
{
    struct chain c;
    SSL *ssl = NULL;
    BIO *wire_bio;

    section("controls");
    chain_init(&c);
    (void)BIO_get_ssl(c.bio, &ssl);
    wire_bio = BIO_next(c.bio);
    note("rbio %d wbio %d", SSL_get_rbio(ssl) == wire_bio, SSL_get_wbio(ssl) == wire_bio);
    note("type %d name %s", BIO_method_type(c.bio), BIO_method_name(c.bio));
    note("close %d", (int)BIO_get_close(c.bio));
    note("renegotiate_bytes %ld", BIO_set_ssl_renegotiate_bytes(c.bio, 100));
    note("renegotiate_bytes %ld", BIO_set_ssl_renegotiate_bytes(c.bio, 1000));
    note("renegotiate_bytes %ld", BIO_set_ssl_renegotiate_bytes(c.bio, 0));
    note("renegotiate_timeout %ld", BIO_set_ssl_renegotiate_timeout(c.bio, 10));
    note("renegotiate_timeout %ld", BIO_set_ssl_renegotiate_timeout(c.bio, 100));
    note("renegotiates %ld", BIO_get_num_renegotiates(c.bio));
    (void)BIO_pop(c.bio);
    note("after pop: rbio %d wbio %d next %d", SSL_get_rbio(ssl) != NULL, SSL_get_wbio(ssl) != NULL,
         BIO_next(c.bio) != NULL);
    (void)BIO_push(c.bio, wire_bio);
    note("after push: rbio %d wbio %d", SSL_get_rbio(ssl) == wire_bio,
         SSL_get_wbio(ssl) == wire_bio);
    note("is_server %d", SSL_is_server(ssl));
    note("set_ssl_mode %ld", BIO_set_ssl_mode(c.bio, 0));
    note("is_server %d", SSL_is_server(ssl));
    note("set_ssl_mode %ld", BIO_set_ssl_mode(c.bio, 1));
    note("is_server %d", SSL_is_server(ssl));
    log_errors("queue");
    chain_free(&c);
}

/* A BIO_f_ssl without an SSL is no working BIO yet; BIO_CLOSE decides who frees the SSL. */
static void without_ssl(void)
{
    SSL_CTX *ctx = client_ctx_new();
    BIO *bio = BIO_new(BIO_f_ssl());
    SSL *ssl = SSL_new(ctx);
    char got[4];

    section("without an SSL, and who owns it");
    REQUIRE(bio != NULL && ssl != NULL);
    note("init %d", BIO_get_init(bio));
    log_bio("BIO_read", bio, BIO_read(bio, got, sizeof(got)));
    log_bio("BIO_write", bio, BIO_write(bio, "x", 1));
    note("set_ssl %ld", BIO_set_ssl(bio, ssl, BIO_NOCLOSE));
    note("init %d", BIO_get_init(bio));
    BIO_free(bio);
    note("the SSL lives: %d", SSL_get_SSL_CTX(ssl) == ctx);
    bio = BIO_new(BIO_f_ssl());
    REQUIRE(bio != NULL);
    note("set_ssl %ld", BIO_set_ssl(bio, ssl, BIO_CLOSE));
    BIO_free(bio);
    SSL_CTX_free(ctx);
    log_errors("queue");
}

static void log_shape(const char *what, BIO *bio)
{
    note("%s", what);
    for (; bio != NULL; bio = BIO_next(bio)) {
        note("  %s %d", BIO_method_name(bio), BIO_method_type(bio));
    }
}

static void shapes(void)
{
    SSL_CTX *ctx = client_ctx_new();
    BIO *bio;
    BIO *other;

    section("shapes of built chains");
    bio = BIO_new_ssl(ctx, 0);
    log_shape("BIO_new_ssl", bio);
    BIO_free_all(bio);
    bio = BIO_new_ssl_connect(ctx);
    log_shape("BIO_new_ssl_connect", bio);
    other = BIO_new_ssl_connect(ctx);
    note("copy_session_id %d", BIO_ssl_copy_session_id(bio, other));
    BIO_free_all(other);
    BIO_free_all(bio);
    bio = BIO_new_buffer_ssl_connect(ctx);
    log_shape("BIO_new_buffer_ssl_connect", bio);
    BIO_free_all(bio);
    bio = BIO_new(BIO_s_mem());
    other = BIO_new(BIO_s_mem());
    note("copy_session_id of memory BIOs %d", BIO_ssl_copy_session_id(bio, other));
    BIO_free(bio);
    BIO_free(other);
    log_errors("queue");
    SSL_CTX_free(ctx);
}

struct listener {
    int fd;
    SSL_CTX *ctx;
};

static void serve_one(void *arg)
{
    struct listener *listener = arg;
    SSL *ssl = SSL_new(listener->ctx);
    char got[64];
    int fd = accept(listener->fd, NULL, NULL);
    int ret;

    REQUIRE(ssl != NULL && fd >= 0 && SSL_set_fd(ssl, fd) == 1);
    ssl_set_name(ssl, "listener");
    CHECK(call_accept(ssl) == 1);
    ret = call_read(ssl, got, sizeof(got));
    CHECK(ret == 4);
    CHECK(call_write(ssl, "line one\nline two\n", 18) == 18);
    CHECK(call_shutdown(ssl) == 0);
    (void)call_read(ssl, got, sizeof(got));
    SSL_free(ssl);
    (void)close(fd);
}

/* BIO_new_buffer_ssl_connect does all: connect, handshake, lines. */
static void buffered_connect(void)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t address_len = sizeof(address);
    struct listener listener = { socket(AF_INET, SOCK_STREAM, 0), server_ctx_new() };
    struct log_thread *thread;
    SSL_CTX *ctx = client_ctx_new();
    BIO *bio = BIO_new_buffer_ssl_connect(ctx);
    char port[8];
    char line[64];

    section("BIO_new_buffer_ssl_connect over the loopback");
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(listener.fd >= 0 && bio != NULL);
    REQUIRE(bind(listener.fd, (struct sockaddr *)&address, sizeof(address)) == 0);
    REQUIRE(listen(listener.fd, 1) == 0);
    REQUIRE(getsockname(listener.fd, (struct sockaddr *)&address, &address_len) == 0);
    (void)BIO_snprintf(port, sizeof(port), "%d", ntohs(address.sin_port));
    thread = log_thread_start(serve_one, &listener);
    (void)BIO_set_conn_hostname(bio, "127.0.0.1");
    (void)BIO_set_conn_port(bio, port);
    log_bio("BIO_do_connect", bio, (int)BIO_do_connect(bio));
    log_bio("BIO_do_handshake", bio, (int)BIO_do_handshake(bio));
    log_bio("BIO_puts", bio, BIO_puts(bio, "GET\n"));
    log_bio("BIO_flush", bio, (int)BIO_flush(bio));
    log_bio("BIO_gets", bio, BIO_gets(bio, line, sizeof(line)));
    log_bio("BIO_gets", bio, BIO_gets(bio, line, sizeof(line)));
    log_bio("BIO_gets at the end", bio, BIO_gets(bio, line, sizeof(line)));
    BIO_ssl_shutdown(bio);
    log_thread_join(thread);
    BIO_free_all(bio);
    (void)close(listener.fd);
    SSL_CTX_free(ctx);
    SSL_CTX_free(listener.ctx);
}

/* BIO_reset starts over with the same SSL and a new connection. */
static void reset(void)
{
    struct chain c;

    section("BIO_reset");
    chain_init(&c);
    log_bio("BIO_do_handshake", c.bio, (int)BIO_do_handshake(c.bio));
    log_bio("BIO_reset", c.bio, (int)BIO_reset(c.bio));
    wire_drop(c.wire, WIRE_SERVER);
    log_bio("BIO_do_handshake", c.bio, (int)BIO_do_handshake(c.bio));
    (void)SSL_do_handshake(c.pair.server);
    log_bio("BIO_do_handshake", c.bio, (int)BIO_do_handshake(c.bio));
    chain_free(&c);
}

int main(void)
{
    contract_start();
    handshake_and_data();
    retries();
    controls();
    without_ssl();
    shapes();
    buffered_connect();
    reset();
    identity_default_free();
    return contract_finish();
}
