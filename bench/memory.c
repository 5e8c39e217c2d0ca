/*
 * Question "memory": heap bytes that an idle connection holds on each side, as the usable size of
 * its blocks, averaged over many at once so that what the process or a thread keeps does not
 * count. After the handshake, and after a megabyte in each direction; both ends wait for more.
 */
#include "harness.h"

#define SUITE       "TLS_AES_128_GCM_SHA256"
#define PIPE_SIZE   ((size_t)64 << 10)
#define CONNECTIONS 100
#define CHUNK       ((size_t)16 << 10)
#define MEGABYTE    ((size_t)1 << 20)

static uint8_t data[CHUNK];

struct side_meters {
    struct meter client, server;
};

/* Whoever waits for more finds nothing: that is what idle means. */
static void find_nothing(SSL *s, struct meter *m)
{
    uint8_t byte;
    size_t got = 0;

    meter_start(m);
    int result = SSL_read_ex(s, &byte, 1, &got);
    require(result == 0 && SSL_get_error(s, result) == SSL_ERROR_WANT_READ, "no more data");
    meter_stop(m);
}

static void transfer(SSL *from, SSL *to, struct meter *from_meter, struct meter *to_meter)
{
    for (size_t done = 0; done < MEGABYTE; done += CHUNK) {
        meter_start(from_meter);
        write_all(from, data, CHUNK);
        meter_stop(from_meter);
        meter_start(to_meter);
        read_all(to, data, CHUNK);
        meter_stop(to_meter);
    }
    find_nothing(to, to_meter);
    find_nothing(from, from_meter);
}

static void report(const struct side_meters *m, const char *mode, const char *when)
{
    answer("bytes", (double)m->server.counts.live_bytes / CONNECTIONS, "memory/%s/%s/server", mode,
           when);
    answer("bytes", (double)m->client.counts.live_bytes / CONNECTIONS, "memory/%s/%s/client", mode,
           when);
}

static void ask(const char *mode, long ssl_mode, size_t tickets, const struct identity *id)
{
    static struct link links[CONNECTIONS];
    struct side_meters m = { 0 }, unused = { 0 };
    SSL_CTX *client = context_make(false, NULL, id->root, SUITE);
    SSL_CTX *server = context_make(true, id, NULL, SUITE);

    require(SSL_CTX_set_num_tickets(server, tickets) == 1, "SSL_CTX_set_num_tickets");
    SSL_CTX_set_mode(client, ssl_mode);
    SSL_CTX_set_mode(server, ssl_mode);
    for (int i = 0; i < 2 * CONNECTIONS; i++) {
        struct link *l = &links[i % CONNECTIONS];
        /* The first round warms up what the process keeps. */
        struct side_meters *now = i < CONNECTIONS ? &unused : &m;
        if (i >= CONNECTIONS) {
            link_disconnect(l, &unused.client, &unused.server);
        } else {
            link_init(l, PIPE_SIZE);
        }
        link_connect(l, client, server, &now->client, &now->server);
        find_nothing(l->client, &now->client);
        find_nothing(l->server, &now->server);
    }
    report(&m, mode, "handshake");
    for (int i = 0; i < CONNECTIONS; i++) {
        transfer(links[i].client, links[i].server, &m.client, &m.server);
        transfer(links[i].server, links[i].client, &m.server, &m.client);
    }
    report(&m, mode, "data");
    for (int i = 0; i < CONNECTIONS; i++) {
        link_disconnect(&links[i], &unused.client, &unused.server);
        link_wipe(&links[i]);
    }
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    struct identity id;

    bench_begin(true);
    identity_make(&id, KEY_P256);
    ask("default", 0, 2, &id);
    ask("no-ticket", 0, 0, &id);
    ask("release-buffers", SSL_MODE_RELEASE_BUFFERS, 2, &id);
    identity_wipe(&id);
    return 0;
}
