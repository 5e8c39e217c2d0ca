/*
 * A server whose early data is accepted once among all machines that share a ticket secret and a
 * Redis: the hook that docs/early-data.md describes, whole. Written for <openssl/ssl.h> alone; it
 * runs on OpenSSL's library as well, where only the machine that sealed a ticket opens it.
 *
 *     cc -o early_data_redis early_data_redis.c -lssl -lcrypto -lhiredis
 *     early_data_redis PORT CERTIFICATE KEY REDIS_PORT
 *
 * Listens on loopback, one connection at a time, and answers one line with that line and how it
 * came: "early" or "late".
 */
#include <arpa/inet.h>
#include <hiredis/hiredis.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define MAX_EARLY_DATA 1000

/* Milliseconds for which a claim is remembered. A copy is fresh for eleven seconds by the clock of
 * the machine that gets it; the rest is for clocks that differ (docs/early-data.md). */
#define REMEMBERED "60000"

/* How long a handshake may wait for Redis: what takes longer costs more than early data saves. */
static const struct timeval patience = { .tv_usec = 100000 };

struct register_of_all {
    int port;
    redisContext *redis; /* NULL: not connected */
};

static int connect_redis(struct register_of_all *reg)
{
    if (reg->redis != NULL && reg->redis->err == 0) {
        return 1;
    }
    if (reg->redis != NULL) {
        redisFree(reg->redis);
    }
    reg->redis = redisConnectWithTimeout("127.0.0.1", reg->port, patience);
    return reg->redis != NULL && reg->redis->err == 0 &&
           redisSetTimeout(reg->redis, patience) == REDIS_OK;
}

/* SSL_CTX_set_allow_early_data_cb: 1 when nobody has come with this ClientHello before. Whatever
 * goes wrong the answer is 0, and the client sends its data again when the handshake is over. */
static int claim(SSL *ssl, void *arg)
{
    struct register_of_all *reg = arg;
    unsigned char random[32];
    redisReply *reply;
    int first;

    if (SSL_get_client_random(ssl, random, sizeof(random)) != sizeof(random) ||
        !connect_redis(reg)) {
        return 0;
    }
    /* Enters the key unless it is there: of all who ask one is told OK, the others nil. */
    reply = redisCommand(reg->redis, "SET tls-early-data:%b 1 NX PX " REMEMBERED, random,
                         sizeof(random));
    first = reply != NULL && reply->type == REDIS_REPLY_STATUS && strcmp(reply->str, "OK") == 0;
    if (reply != NULL) {
        freeReplyObject(reply);
    }
    return first;
}

/* Here a request would be carried out. When it came early the client has not proved yet that it is
 * there at all, which is why a copy must not come this far. */
static void carry_out(const char *how, const char *line, size_t len)
{
    printf("%s: %.*s", how, (int)len, line);
    fflush(stdout);
}

/* Reads early data into line, to its end, and carries out what is whole. Returns its length; -1:
 * the connection is of no use. */
static int read_early(SSL *ssl, char *line, size_t size)
{
    size_t len = 0;

    for (;;) {
        size_t got = 0;
        int result = SSL_read_early_data(ssl, line + len, size - len, &got);

        len += got;
        if (got > 0 && line[len - 1] == '\n') {
            carry_out("early", line, len);
        }
        if (result == SSL_READ_EARLY_DATA_FINISH) {
            return (int)len;
        }
        if (result == SSL_READ_EARLY_DATA_ERROR || len == size) {
            return -1;
        }
    }
}

static void serve(SSL *ssl)
{
    char line[MAX_EARLY_DATA + 1];
    int len = read_early(ssl, line, sizeof(line));
    const char *how = len > 0 ? "early" : "late";

    if (len < 0 || SSL_accept(ssl) != 1) {
        return;
    }
    if (len == 0) {
        len = SSL_read(ssl, line, sizeof(line));
        if (len > 0) {
            carry_out("late", line, (size_t)len);
        }
    }
    if (len > 0 && SSL_write(ssl, line, len) == len) {
        (void)SSL_write(ssl, how, (int)strlen(how));
        (void)SSL_write(ssl, "\n", 1);
    }
    (void)SSL_shutdown(ssl);
}

static int listen_on(int port)
{
    const struct sockaddr_in address = { .sin_family = AF_INET,
                                         .sin_port = htons((unsigned short)port),
                                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 16) != 0) {
        perror("listening");
        exit(1);
    }
    return fd;
}

static SSL_CTX *make_context(const char *certificate, const char *key, struct register_of_all *reg)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL || SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    /* The protection of one machine makes room for that of all. */
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
    if (SSL_CTX_set_max_early_data(ctx, MAX_EARLY_DATA) != 1) {
        ERR_print_errors_fp(stderr);
        exit(1);
    }
    SSL_CTX_set_allow_early_data_cb(ctx, claim, reg);
    return ctx;
}

int main(int argc, char **argv)
{
    const struct timeval silence = { .tv_sec = 5 };
    struct register_of_all reg = { 0 };
    SSL_CTX *ctx;
    int listener;

    if (argc != 5) {
        fprintf(stderr, "usage: early_data_redis PORT CERTIFICATE KEY REDIS_PORT\n");
        return 2;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    reg.port = atoi(argv[4]);
    ctx = make_context(argv[2], argv[3], &reg);
    listener = listen_on(atoi(argv[1]));
    for (;;) {
        int fd = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(ctx);

        if (fd >= 0 && ssl != NULL && SSL_set_fd(ssl, fd) == 1 &&
            setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence)) == 0) {
            SSL_set_accept_state(ssl);
            serve(ssl);
        }
        SSL_free(ssl);
        ERR_clear_error();
        if (fd >= 0) {
            (void)close(fd);
        }
    }
}
