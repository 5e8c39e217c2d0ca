/*
 * Handshakes, writes and reads on one library; see peer.h.
 *
 *     PROGRAM FOLDER CELL      folder: with the files of identity_files.c
 */
#include "peers/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PIPE_SIZE    ((size_t)2 << 20)
#define BATCH_LEN    ((size_t)256 << 10)
#define MAX_CALLS    64
#define RECORD_NS    40000000U
#define HANDSHAKE_NS 100000000U
#define MAX_TIMES    4096
#define WARM         8

struct pair {
    struct pipe to_server, to_client;
    struct peer_wire client_wire, server_wire;
    void *client, *server;
    uint64_t client_ns, server_ns; /* of the last connection */
};

static void pair_init(struct pair *p)
{
    *p = (struct pair){ 0 };
    pipe_init(&p->to_server, PIPE_SIZE);
    pipe_init(&p->to_client, PIPE_SIZE);
    p->client_wire = (struct peer_wire){ &p->to_client, &p->to_server };
    p->server_wire = (struct peer_wire){ &p->to_server, &p->to_client };
}

static void pair_wipe(struct pair *p)
{
    pipe_wipe(&p->to_server);
    pipe_wipe(&p->to_client);
}

static bool step(void *side, bool done, uint64_t *ns)
{
    if (!done) {
        uint64_t begin = now_ns();
        done = peer.handshake(side);
        *ns += now_ns() - begin;
    }
    return done;
}

static void connect_pair(struct pair *p)
{
    bool client_done = false;
    bool server_done = false;

    pipe_drop(&p->to_server);
    pipe_drop(&p->to_client);
    uint64_t begin = now_ns();
    p->client = peer.open(false, &p->client_wire);
    uint64_t between = now_ns();
    p->server = peer.open(true, &p->server_wire);
    p->server_ns = now_ns() - between;
    p->client_ns = between - begin;
    for (int flights = 0; !client_done || !server_done; flights++) {
        require(flights < 12, "handshake without an end");
        client_done = step(p->client, client_done, &p->client_ns);
        server_done = step(p->server, server_done, &p->server_ns);
    }
}

static void disconnect_pair(struct pair *p)
{
    uint64_t begin = now_ns();

    peer.close(p->client);
    uint64_t between = now_ns();
    peer.close(p->server);
    p->server_ns += now_ns() - between;
    p->client_ns += between - begin;
}

static void ask_handshake(const char *version, struct pair *p)
{
    static double client_ns[MAX_TIMES], server_ns[MAX_TIMES];
    size_t num = 0;
    uint64_t begin = now_ns();

    while (num < MAX_TIMES && (num < 2 * WARM || now_ns() - begin < HANDSHAKE_NS)) {
        connect_pair(p);
        disconnect_pair(p);
        client_ns[num] = (double)p->client_ns;
        server_ns[num++] = (double)p->server_ns;
    }
    answer("/s", 1e9 / undisturbed(server_ns + WARM, num - WARM), "peers/%s/handshake/server",
           version);
    answer("/s", 1e9 / undisturbed(client_ns + WARM, num - WARM), "peers/%s/handshake/client",
           version);
}

static void write_calls(struct pair *p, const uint8_t *data, size_t size, size_t calls)
{
    for (size_t i = 0; i < calls; i++) {
        peer.write(p->client, data, size);
    }
}

static void read_calls(struct pair *p, uint8_t *data, size_t size, size_t calls)
{
    for (size_t i = 0; i < calls; i++) {
        for (size_t got = 0; got < size;) {
            got += peer.read(p->server, data + got, size - got);
        }
    }
}

static void report(double *times, size_t num, size_t size, const char *version, const char *what)
{
    double ns = undisturbed(times + WARM, num - WARM);

    if (size >= 16384) {
        answer("MB/s", (double)size * 1000 / ns, "peers/%s/%s/%zu", version, what, size);
    } else {
        answer("ns", ns, "peers/%s/%s/%zu", version, what, size);
    }
}

/* Writes and reads in turn: what is written is read, each in its clock. */
static void ask_records(const char *version, struct pair *p, size_t size)
{
    static double writes[MAX_TIMES], reads[MAX_TIMES];
    static uint8_t sent[16384], received[16384];
    size_t calls = BATCH_LEN / size < MAX_CALLS ? BATCH_LEN / size : MAX_CALLS;
    size_t num = 0;

    connect_pair(p);
    /* What came after the handshake is read before the first data. */
    peer.write(p->server, sent, 1);
    require(peer.read(p->client, received, 1) == 1, "the first byte");
    uint64_t begin = now_ns();
    while (num < MAX_TIMES && (num < 2 * WARM || now_ns() - begin < RECORD_NS)) {
        uint64_t at_start = now_ns();
        write_calls(p, sent, size, calls);
        uint64_t at_middle = now_ns();
        read_calls(p, received, size, calls);
        reads[num] = (double)(now_ns() - at_middle) / (double)calls;
        writes[num++] = (double)(at_middle - at_start) / (double)calls;
    }
    disconnect_pair(p);
    report(writes, num, size, version, "write");
    report(reads, num, size, version, "read");
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 64, 1024, 16384 };
    struct peer_files files;
    struct pair p;

    require(argc == 3, "arguments: FOLDER tls12|tls13");
    const bool tls13 = strcmp(argv[2], "tls13") == 0;
    snprintf(files.chain, sizeof files.chain, "%s/chain.pem", argv[1]);
    snprintf(files.key, sizeof files.key, "%s/key.pem", argv[1]);
    snprintf(files.root, sizeof files.root, "%s/root.pem", argv[1]);
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("# version %s\n", peer.version());
    if (!peer.set_up(tls13 ? PEER_TLS13 : PEER_TLS12, &files)) {
        return 0;
    }
    pair_init(&p);
    ask_handshake(argv[2], &p);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ask_records(argv[2], &p, sizes[i]);
    }
    pair_wipe(&p);
    return 0;
}
