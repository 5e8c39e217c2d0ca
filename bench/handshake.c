/*
 * Questions "handshake" and "resume": a connection from SSL_new to SSL_free, each side in its own
 * clock, with X25519 and AES-128-GCM. The client verifies leaf and intermediate of a full
 * handshake; in mutual handshakes the server does as well. kinds.c has the list.
 */
#include "kinds.h"

#include <stdlib.h>
#include <string.h>

#define WARM       16
#define MAX_TIMES  2000
#define MIN_NS     30000000U
#define FRESH_ONES 60

static struct identity *make_fresh_ones(const struct identity *id)
{
    struct identity *fresh = calloc(FRESH_ONES, sizeof *fresh);

    require(fresh != NULL, "calloc");
    for (size_t i = 0; i < FRESH_ONES; i++) {
        identity_make_fresh(&fresh[i], id);
    }
    return fresh;
}

static void measure(const char *question, const struct kind *kind, const struct identity *id)
{
    static double client_ns[MAX_TIMES], server_ns[MAX_TIMES];
    struct identity *fresh = kind->fresh ? make_fresh_ones(id) : NULL;
    size_t most = kind->fresh ? FRESH_ONES : MAX_TIMES;
    size_t num = 0;
    struct setting s;

    setting_make(&s, kind, id);
    uint64_t begin = now_ns();
    while (num < most && (num < 2 * WARM || now_ns() - begin < MIN_NS)) {
        struct meter client = { 0 }, server = { 0 };
        s.link.server_speaks = kind->fresh ? &fresh[num] : NULL;
        setting_connect(&s, &client, &server);
        client_ns[num] = (double)client.ns;
        server_ns[num++] = (double)server.ns;
    }
    /* Where the server's certificates change each time its own calls are not what is asked for. */
    if (!kind->fresh) {
        answer("/s", 1e9 / undisturbed(server_ns + WARM, num - WARM), "%s/%s/server", question,
               kind->name);
    }
    answer("/s", 1e9 / undisturbed(client_ns + WARM, num - WARM), "%s/%s/client", question,
           kind->name);
    setting_wipe(&s);
    for (size_t i = 0; kind->fresh && i < FRESH_ONES; i++) {
        identity_wipe(&fresh[i]);
    }
    free(fresh);
}

/* Arguments: "handshake" or "resume", and a kind's name. */
int main(int argc, char **argv)
{
    require(argc > 1, "argument handshake or resume");
    bench_begin(false);
    for (const struct kind *kind = kinds; kind->name != NULL; kind++) {
        if (kind->resumed == (strcmp(argv[1], "resume") == 0) && asked_for(argv + 1, kind->name)) {
            struct identity id;
            identity_make(&id, kind->key);
            measure(argv[1], kind, &id);
            identity_wipe(&id);
        }
    }
    return 0;
}
