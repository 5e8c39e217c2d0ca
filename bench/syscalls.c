/*
 * Question "syscalls": how often a blocking SSL_write of 1 MiB on a socket calls the system, and
 * the SSL_reads that take it from the other end, each once its record and what follows it are
 * there.
 */
#include "harness.h"

#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define SUITE    "TLS_AES_128_GCM_SHA256"
#define MEGABYTE ((size_t)1 << 20)
/* A record of TLS 1.3: its data; around that a header, a type and a tag. */
#define RECORD   16384
#define HEADER   5
#define OVERHEAD (HEADER + 1 + 16)

static uint8_t sent[MEGABYTE], received[MEGABYTE];

struct reader {
    SSL *ssl;
    int fd;
    struct meter meter; /* of its thread */
};

/* Waits until the socket holds len bytes, without a call that is counted. */
static void wait_for(int fd, int len)
{
    int there = 0;

    while (there < len) {
        require(ioctl(fd, FIONREAD, &there) == 0, "FIONREAD");
        (void)sched_yield();
    }
}

/* The number of calls then does not depend on which of both is quicker. */
static void read_each_record(const struct reader *r)
{
    for (size_t at = 0; at < MEGABYTE; at += RECORD) {
        bool last = at + RECORD == MEGABYTE;
        /* A header may have been read with the record before. */
        wait_for(r->fd, RECORD + OVERHEAD + (last ? -HEADER : HEADER));
        read_all(r->ssl, received + at, RECORD);
    }
}

/* The reader is the server of the connection and does its handshake first. */
static void *take_it(void *arg)
{
    struct reader *r = arg;

    require(SSL_accept(r->ssl) == 1, "SSL_accept");
    meter_start(&r->meter);
    read_each_record(r);
    meter_stop(&r->meter);
    return NULL;
}

int main(void)
{
    struct identity id;
    struct meter m = { 0 };
    struct reader reader = { 0 };
    pthread_t thread;
    int fds[2];

    bench_begin(true);
    identity_make(&id, KEY_P256);
    SSL_CTX *client = context_make(false, NULL, NULL, SUITE);
    SSL_CTX *server = context_make(true, &id, NULL, SUITE);
    SSL *writer = SSL_new(client);
    reader.ssl = SSL_new(server);
    require(writer != NULL && reader.ssl != NULL && socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0 &&
                SSL_set_fd(writer, fds[0]) == 1 && SSL_set_fd(reader.ssl, fds[1]) == 1,
            "socketpair");
    reader.fd = fds[1];
    require(pthread_create(&thread, NULL, take_it, &reader) == 0, "pthread_create");
    require(SSL_connect(writer) == 1, "SSL_connect");
    meter_start(&m);
    write_all(writer, sent, sizeof sent);
    meter_stop(&m);
    require(pthread_join(thread, NULL) == 0, "pthread_join");
    answer("calls", (double)m.counts.send_calls, "syscalls/write-1MiB");
    answer("calls", (double)reader.meter.counts.receive_calls, "syscalls/read-1MiB");
    SSL_free(writer);
    SSL_free(reader.ssl);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
    close(fds[0]);
    close(fds[1]);
    identity_wipe(&id);
    return 0;
}
