/*
 * Question "tcp": what TLS costs at all. The same transfers over loopback TCP, without TLS and with
 * it (TLS 1.3, AES-128-GCM): a stream in pieces of 16 KB, small messages there and back, and
 * connections with one small message. One thread serves, one asks.
 */
#include "harness.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SUITE      "TLS_AES_128_GCM_SHA256"
#define PIECE      ((size_t)16 << 10)
#define STREAM_LEN ((size_t)64 << 20)
#define ROUNDTRIPS 2000
#define CONNECTS   60
#define SMALL      64
#define MAX_TIMES  ROUNDTRIPS

enum job { STREAM, ROUNDTRIP, CONNECT };

struct server {
    SSL_CTX *ctx; /* NULL: plain TCP */
    int listener;
    enum job job;
    size_t size; /* of a message */
    int connections;
    uint64_t cpu_ns; /* of its thread */
};

/* One end of a connection, plain where ssl is NULL. */
struct end {
    SSL *ssl;
    int fd;
};

static struct end end_make(SSL_CTX *ctx, int fd, bool server)
{
    struct end e = { NULL, fd };
    int on = 1;

    require(fd >= 0 && setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0, "socket");
    if (ctx != NULL) {
        e.ssl = SSL_new(ctx);
        require(e.ssl != NULL && SSL_set_fd(e.ssl, fd) == 1, "SSL_new");
        require((server ? SSL_accept(e.ssl) : SSL_connect(e.ssl)) == 1, "handshake");
    }
    return e;
}

static void end_wipe(struct end *e)
{
    SSL_free(e->ssl);
    close(e->fd);
}

static void put(struct end *e, const uint8_t *data, size_t len)
{
    if (e->ssl != NULL) {
        write_all(e->ssl, data, len);
        return;
    }
    while (len > 0) {
        ssize_t n = send(e->fd, data, len, 0);
        require(n > 0, "send");
        data += n;
        len -= (size_t)n;
    }
}

static void take(struct end *e, uint8_t *data, size_t len)
{
    if (e->ssl != NULL) {
        read_all(e->ssl, data, len);
        return;
    }
    while (len > 0) {
        ssize_t n = recv(e->fd, data, len, 0);
        require(n > 0, "recv");
        data += n;
        len -= (size_t)n;
    }
}

static void *serve(void *arg)
{
    static uint8_t data[PIECE];
    struct server *s = arg;
    uint64_t cpu = thread_cpu_ns();

    for (int i = 0; i < s->connections; i++) {
        struct end e = end_make(s->ctx, accept(s->listener, NULL, NULL), true);
        if (s->job == STREAM) {
            for (size_t done = 0; done < STREAM_LEN; done += PIECE) {
                take(&e, data, PIECE);
            }
            put(&e, data, 1);
        } else {
            for (int j = 0; j < (s->job == ROUNDTRIP ? ROUNDTRIPS : 1); j++) {
                take(&e, data, s->size);
                put(&e, data, s->size);
            }
        }
        end_wipe(&e);
    }
    s->cpu_ns = thread_cpu_ns() - cpu;
    return NULL;
}

static int listen_somewhere(struct sockaddr_in *address)
{
    socklen_t len = sizeof *address;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    *address = (struct sockaddr_in){ .sin_family = AF_INET };
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(fd >= 0 && bind(fd, (struct sockaddr *)address, len) == 0 && listen(fd, 16) == 0 &&
                getsockname(fd, (struct sockaddr *)address, &len) == 0,
            "listen");
    return fd;
}

static int dial(const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    require(fd >= 0 && connect(fd, (const struct sockaddr *)address, sizeof *address) == 0,
            "connect");
    return fd;
}

/* Nanoseconds of the whole stream. */
static double stream(struct end *e)
{
    static uint8_t data[PIECE];
    uint64_t begin = now_ns();

    for (size_t done = 0; done < STREAM_LEN; done += PIECE) {
        put(e, data, PIECE);
    }
    take(e, data, 1);
    return (double)(now_ns() - begin);
}

/* The usual time of one message there and back. */
static double roundtrip(struct end *e, size_t size)
{
    static double times[MAX_TIMES];
    uint8_t data[PIECE] = { 0 };

    for (int i = 0; i < ROUNDTRIPS; i++) {
        uint64_t begin = now_ns();
        put(e, data, size);
        take(e, data, size);
        times[i] = (double)(now_ns() - begin);
    }
    return undisturbed(times, ROUNDTRIPS);
}

/* The usual time of one connection. */
static double connects(SSL_CTX *client, const struct sockaddr_in *address)
{
    double times[CONNECTS];
    uint8_t data[SMALL] = { 0 };

    for (int i = 0; i < CONNECTS; i++) {
        uint64_t begin = now_ns();
        struct end e = end_make(client, dial(address), false);
        put(&e, data, sizeof data);
        take(&e, data, sizeof data);
        end_wipe(&e);
        times[i] = (double)(now_ns() - begin);
    }
    return undisturbed(times, CONNECTS);
}

static void ask(enum job job, size_t size, SSL_CTX *client, SSL_CTX *server)
{
    const char *how = client != NULL ? "tls" : "plain";
    struct server s = { .ctx = server, .job = job, .size = size };
    struct sockaddr_in address;
    struct end e = { NULL, -1 };
    pthread_t thread;
    double ns;

    s.listener = listen_somewhere(&address);
    s.connections = job == CONNECT ? CONNECTS : 1;
    require(pthread_create(&thread, NULL, serve, &s) == 0, "pthread_create");
    uint64_t cpu = thread_cpu_ns();
    if (job == CONNECT) {
        ns = connects(client, &address);
    } else {
        e = end_make(client, dial(&address), false);
        ns = job == STREAM ? stream(&e) : roundtrip(&e, size);
    }
    cpu = thread_cpu_ns() - cpu;
    require(pthread_join(thread, NULL) == 0, "pthread_join");
    if (job != CONNECT) {
        end_wipe(&e);
    }
    close(s.listener);
    double both_cpu = (double)(cpu + s.cpu_ns);
    if (job == STREAM) {
        answer("MB/s", (double)STREAM_LEN * 1000 / ns, "tcp/stream/%s", how);
        answer("ns per KB", both_cpu / (double)(STREAM_LEN >> 10), "tcp/stream/%s/cpu", how);
    } else if (job == ROUNDTRIP) {
        answer("us", ns / 1000, "tcp/roundtrip-%zu/%s", size, how);
        answer("us", both_cpu / ROUNDTRIPS / 1000, "tcp/roundtrip-%zu/%s/cpu", size, how);
    } else {
        answer("/s", 1e9 / ns, "tcp/connect/%s", how);
        answer("us", both_cpu / CONNECTS / 1000, "tcp/connect/%s/cpu", how);
    }
}

/* Argument: stream, roundtrip-64, roundtrip-1024 or connect. */
int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        enum job job;
        size_t size;
    } cells[] = {
        { "stream", STREAM, PIECE },
        { "roundtrip-64", ROUNDTRIP, SMALL },
        { "roundtrip-1024", ROUNDTRIP, 1024 },
        { "connect", CONNECT, SMALL },
    };
    struct identity id;

    (void)argc;
    bench_begin(false);
    identity_make(&id, KEY_P256);
    SSL_CTX *client = context_make(false, NULL, id.root, SUITE);
    SSL_CTX *server = context_make(true, &id, NULL, SUITE);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        if (asked_for(argv, cells[i].name)) {
            ask(cells[i].job, cells[i].size, NULL, NULL);
            ask(cells[i].job, cells[i].size, client, server);
        }
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    identity_wipe(&id);
    return 0;
}
