/*
 * A client for question "nginx": one connection after the other to 127.0.0.1, each with one request
 * for /small, for a while. Says how many there were a second.
 *
 *     connections PORT 1.2|1.3 full|resumed MILLISECONDS
 *
 * Always on the system's library, as what is judged is the server. Resumed: each connection offers
 * the newest session, and has to be accepted with it.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const char request[] =
    "GET /small HTTP/1.1\r\nHost: bench.example\r\nConnection: close\r\n\r\n";

static int dial(uint16_t port)
{
    struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0 &&
                connect(fd, (struct sockaddr *)&address, sizeof address) == 0,
            "connect");
    return fd;
}

/* Returns the session to offer next; offered: NULL, or what this connection offers. */
static SSL_SESSION *fetch(SSL_CTX *ctx, uint16_t port, SSL_SESSION *offered)
{
    char response[4096];
    size_t got = 0;
    size_t total = 0;
    int fd = dial(port);
    SSL *s = SSL_new(ctx);

    require(s != NULL && SSL_set_fd(s, fd) == 1 &&
                (offered == NULL || SSL_set_session(s, offered) == 1) && SSL_connect(s) == 1,
            "SSL_connect");
    require((SSL_session_reused(s) == 1) == (offered != NULL), "resumption as asked");
    write_all(s, request, sizeof request - 1);
    while (SSL_read_ex(s, response, sizeof response, &got) == 1) {
        require(total > 0 || memcmp(response, "HTTP/1.1 200", 12) == 0, "200");
        total += got;
    }
    require(SSL_get_error(s, 0) == SSL_ERROR_ZERO_RETURN, "the whole answer");
    SSL_SESSION *session = SSL_get1_session(s);
    SSL_shutdown(s);
    SSL_free(s);
    close(fd);
    return session;
}

int main(int argc, char **argv)
{
    require(argc == 5, "arguments: PORT 1.2|1.3 full|resumed MILLISECONDS");
    const uint16_t port = (uint16_t)strtol(argv[1], NULL, 10);
    const bool tls13 = strcmp(argv[2], "1.3") == 0;
    const bool resumed = strcmp(argv[3], "resumed") == 0;
    const uint64_t limit_ns = (uint64_t)strtol(argv[4], NULL, 10) * 1000000U;
    double num = 0;

    bench_begin(false);
    SSL_CTX *ctx = context_make(false, NULL, NULL,
                                tls13 ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256");
    SSL_SESSION *session = resumed ? fetch(ctx, port, NULL) : NULL;
    uint64_t begin = now_ns();
    while (now_ns() - begin < limit_ns) {
        SSL_SESSION *next = fetch(ctx, port, session);
        SSL_SESSION_free(resumed ? session : next);
        session = resumed ? next : NULL;
        num++;
    }
    answer("/s", num * 1e9 / (double)(now_ns() - begin), "rate");
    answer("requests", num, "requests");
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return 0;
}
