/*
 * Connected pairs of SSLs.
 */
#include "pair.h"

#include "calls.h"
#include "identity.h"
#include "log.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A handshake through a transport of one byte per call takes some thousand turns. */
#define TURNS_MAX 400000

int pair_version = TLS1_3_VERSION;

bool pair_is_tls13(void)
{
    return pair_version == TLS1_3_VERSION;
}

static SSL_CTX *ctx_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, pair_version) == 1);
    if (pair_version < TLS1_3_VERSION) {
        REQUIRE(SSL_CTX_set_max_proto_version(ctx, pair_version) == 1);
        (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
        (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    }
    if (pair_version < TLS1_2_VERSION) {
        SSL_CTX_set_security_level(ctx, 0); /* any other is against their signatures */
    }
    return ctx;
}

SSL_CTX *client_ctx_new(void)
{
    return ctx_new(TLS_client_method());
}

SSL_CTX *server_ctx_new(void)
{
    SSL_CTX *ctx = ctx_new(TLS_server_method());

    REQUIRE(SSL_CTX_set_num_tickets(ctx, 0) == 1);
    identity_use_ctx(identity_default(), ctx);
    return ctx;
}

static void join_memory(struct pair *pair)
{
    BIO *to_server = BIO_new(BIO_s_mem());
    BIO *to_client = BIO_new(BIO_s_mem());

    REQUIRE(to_server != NULL && to_client != NULL);
    REQUIRE(BIO_up_ref(to_server) == 1 && BIO_up_ref(to_client) == 1);
    SSL_set_bio(pair->client, to_client, to_server);
    SSL_set_bio(pair->server, to_server, to_client);
}

static void join_bio_pair(struct pair *pair, size_t size)
{
    BIO *client = NULL;
    BIO *server = NULL;

    REQUIRE(BIO_new_bio_pair(&client, size, &server, size) == 1);
    SSL_set_bio(pair->client, client, client);
    SSL_set_bio(pair->server, server, server);
}

static void join_wire(struct pair *pair)
{
    BIO *bio;

    pair->wire = wire_new();
    bio = wire_bio_new(pair->wire, WIRE_CLIENT);
    SSL_set_bio(pair->client, bio, bio);
    bio = wire_bio_new(pair->wire, WIRE_SERVER);
    SSL_set_bio(pair->server, bio, bio);
}

static void join_sockets(struct pair *pair, bool blocking)
{
    int fds[2];

    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
    for (int i = 0; i < 2 && !blocking; i++) {
        REQUIRE(fcntl(fds[i], F_SETFL, O_NONBLOCK) == 0);
    }
    pair->client_fd = fds[0];
    pair->server_fd = fds[1];
    REQUIRE(SSL_set_fd(pair->client, fds[0]) == 1 && SSL_set_fd(pair->server, fds[1]) == 1);
}

void pair_init_ctx(struct pair *pair, SSL_CTX *client_ctx, SSL_CTX *server_ctx,
                   enum transport transport, size_t size)
{
    memset(pair, 0, sizeof(*pair));
    pair->client_fd = -1;
    pair->server_fd = -1;
    pair->client_ctx = client_ctx;
    pair->server_ctx = server_ctx;
    pair->client = SSL_new(client_ctx);
    pair->server = SSL_new(server_ctx);
    REQUIRE(pair->client != NULL && pair->server != NULL);
    ssl_set_name(pair->client, "client");
    ssl_set_name(pair->server, "server");
    switch (transport) {
    case OVER_MEMORY:
        join_memory(pair);
        break;
    case OVER_BIO_PAIR:
        join_bio_pair(pair, size);
        break;
    case OVER_WIRE:
        join_wire(pair);
        break;
    case OVER_SOCKET:
        join_sockets(pair, true);
        break;
    case OVER_NONBLOCKING_SOCKET:
        join_sockets(pair, false);
        break;
    }
    SSL_set_connect_state(pair->client);
    SSL_set_accept_state(pair->server);
}

void pair_init(struct pair *pair, enum transport transport, size_t size)
{
    pair_init_ctx(pair, client_ctx_new(), server_ctx_new(), transport, size);
}

void pair_init_connected(struct pair *pair, enum transport transport, size_t size)
{
    pair_init(pair, transport, size);
    REQUIRE(drive_handshake(pair->client, pair->server));
}

void pair_free(struct pair *pair)
{
    ssl_forget_name(pair->client);
    ssl_forget_name(pair->server);
    SSL_free(pair->client);
    SSL_free(pair->server);
    SSL_CTX_free(pair->client_ctx);
    SSL_CTX_free(pair->server_ctx);
    wire_free(pair->wire);
    if (pair->client_fd >= 0) {
        (void)close(pair->client_fd);
    }
    if (pair->server_fd >= 0) {
        (void)close(pair->server_fd);
    }
    memset(pair, 0, sizeof(*pair));
    pair->client_fd = -1;
    pair->server_fd = -1;
}

static bool may_retry(const SSL *ssl, int ret)
{
    int error = SSL_get_error(ssl, ret);

    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool drive_handshake(SSL *client, SSL *server)
{
    SSL *const sides[2] = { client, server };
    bool done[2] = { false, false };

    for (int turn = 0; turn < TURNS_MAX && !(done[0] && done[1]); turn++) {
        SSL *ssl = sides[turn % 2];
        int ret;

        ERR_clear_error();
        ret = SSL_do_handshake(ssl);
        if (ret == 1) {
            done[turn % 2] = true;
        } else if (!may_retry(ssl, ret)) {
            return false;
        }
    }
    return done[0] && done[1];
}

bool log_handshake(SSL *client, SSL *server)
{
    SSL *const sides[2] = { client, server };
    int ret[2] = { 0, 0 };
    bool over[2] = { false, false };

    /* One side's failure sends an alert: the other side must still come to read it. */
    for (int turn = 0; turn < TURNS_MAX && !(over[0] && over[1]); turn++) {
        int i = turn % 2;

        if (over[i]) {
            continue;
        }
        ERR_clear_error();
        ret[i] = SSL_do_handshake(sides[i]);
        over[i] = !may_retry(sides[i], ret[i]);
        if (over[i]) {
            note("%s handshake: %s", ssl_get_name(sides[i]),
                 ret[i] == 1 ? "ok" : name_of_error(SSL_get_error(sides[i], ret[i])));
            log_errors("error");
        } else if (over[1 - i] && ret[1 - i] != 1 && turn > TURNS_MAX / 2) {
            break;
        }
    }
    return ret[0] == 1 && ret[1] == 1;
}

size_t drive_transfer(SSL *from, SSL *to, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    uint8_t part[4096];
    size_t sent = 0;
    size_t arrived = 0;

    for (int turn = 0; turn < TURNS_MAX && arrived < len; turn++) {
        size_t got = 0;
        int ret;

        ERR_clear_error();
        if (sent < len) {
            ret = SSL_write_ex(from, bytes + sent, len - sent, &got);
            if (ret == 1) {
                sent += got;
            } else if (!may_retry(from, ret)) {
                break;
            }
        }
        ret = SSL_read_ex(to, part, sizeof(part), &got);
        if (ret == 1) {
            if (got > len - arrived || memcmp(part, bytes + arrived, got) != 0) {
                break;
            }
            arrived += got;
        } else if (!may_retry(to, ret)) {
            break;
        }
    }
    return arrived;
}

size_t drive_read(SSL *ssl, size_t len)
{
    uint8_t part[4096];
    size_t at = 0;
    size_t got = 1;

    ERR_clear_error();
    while (at < len &&
           SSL_read_ex(ssl, part, len - at > sizeof(part) ? sizeof(part) : len - at, &got) == 1) {
        at += got;
    }
    return at;
}

void log_alive(SSL *client, SSL *server)
{
    size_t ping = drive_transfer(client, server, "ping", 4);
    size_t pong = drive_transfer(server, client, "pong", 4);

    note("alive: %zu of 4 to %s, %zu of 4 to %s", ping, ssl_get_name(server), pong,
         ssl_get_name(client));
    errors_drop();
}
