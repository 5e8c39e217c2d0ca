/*
 * Question "handshake": a connection from SSL_new to SSL_free, each side in its own clock, TLS 1.3
 * with X25519 and AES-128-GCM. The client verifies leaf and intermediate; in mutual handshakes the
 * server does as well. "fresh": the client never saw these certificates before.
 */
#include "harness.h"

#include <stdlib.h>

#define SUITE      "TLS_AES_128_GCM_SHA256"
#define PIPE_SIZE  ((size_t)64 << 10)
#define WARM       16
#define MAX_TIMES  600
#define MIN_NS     120000000U
#define FRESH_ONES 200

struct kind {
    const char *name;
    enum key_kind key;
    bool mutual;
    bool fresh;
    bool tickets; /* the server sends as many as it likes by default */
};

static const struct kind kinds[] = {
    { "ecdsa", KEY_P256, false, false, false },
    { "ecdsa-fresh", KEY_P256, false, true, false },
    { "ecdsa-mutual", KEY_P256, true, false, false },
    { "ecdsa-default-tickets", KEY_P256, false, false, true },
    { "rsa2048", KEY_RSA2048, false, false, false },
};

static void measure(const struct kind *kind, struct link *l, SSL_CTX *client, SSL_CTX *server,
                    const struct identity *fresh)
{
    static double client_ns[MAX_TIMES], server_ns[MAX_TIMES];
    size_t num = 0;
    size_t most = kind->fresh ? FRESH_ONES : MAX_TIMES;
    uint64_t begin = now_ns();

    while (num < most && (num < 2 * WARM || now_ns() - begin < MIN_NS)) {
        struct meter c = { 0 }, s = { 0 };
        l->server_speaks = kind->fresh ? &fresh[num] : NULL;
        link_connect(l, client, server, &c, &s);
        link_disconnect(l, &c, &s);
        client_ns[num] = (double)c.ns;
        server_ns[num++] = (double)s.ns;
    }
    /* Where the server's certificates change each time its own calls are not what is asked for. */
    if (!kind->fresh) {
        answer("/s", 1e9 / undisturbed(server_ns + WARM, num - WARM), "handshake/%s/server",
               kind->name);
    }
    answer("/s", 1e9 / undisturbed(client_ns + WARM, num - WARM), "handshake/%s/client",
           kind->name);
}

static void ask(const struct kind *kind, const struct identity *id)
{
    struct identity *fresh = NULL;
    SSL_CTX *client = context_make(false, kind->mutual ? id : NULL, id->root, SUITE);
    SSL_CTX *server = context_make(true, id, kind->mutual ? id->root : NULL, SUITE);
    struct link l;

    if (kind->tickets) {
        require(SSL_CTX_set_num_tickets(server, 2) == 1, "SSL_CTX_set_num_tickets");
    }
    if (kind->fresh) {
        fresh = calloc(FRESH_ONES, sizeof *fresh);
        require(fresh != NULL, "calloc");
        for (size_t i = 0; i < FRESH_ONES; i++) {
            identity_make_fresh(&fresh[i], id);
        }
    }
    link_init(&l, PIPE_SIZE);
    measure(kind, &l, client, server, fresh);
    link_wipe(&l);
    for (size_t i = 0; kind->fresh && i < FRESH_ONES; i++) {
        identity_wipe(&fresh[i]);
    }
    free(fresh);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

/* Argument: a kind's name. */
int main(int argc, char **argv)
{
    (void)argc;
    bench_begin(false);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        if (asked_for(argv, kinds[i].name)) {
            struct identity id;
            identity_make(&id, kinds[i].key);
            ask(&kinds[i], &id);
            identity_wipe(&id);
        }
    }
    return 0;
}
