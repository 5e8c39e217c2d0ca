/*
 * Question "counts": allocations and locks of each kind of handshake (SSL_new to SSL_free) on each
 * side and of one SSL_write and SSL_read in steady state.
 */
#include "kinds.h"

#define SUITE      "TLS_AES_128_GCM_SHA256"
#define PIPE_SIZE  ((size_t)64 << 10)
#define WARM       20
#define CONNECTS   31
#define CALLS      100
#define NUM_COUNTS 3

/* "writing" locks keep everybody else out: write locks and mutexes. */
static const char *const names[NUM_COUNTS] = { "allocations", "locks", "writing" };

static double count_of(const struct meter *m, size_t which)
{
    const struct bench_counts *c = &m->counts;
    const uint64_t writing = c->write_locks + c->mutex_locks;
    const uint64_t all[NUM_COUNTS] = { c->allocations, c->read_locks + writing, writing };

    return (double)all[which];
}

/* The median of one count of many connections: the length of a signature varies, and with it now
 * and then a count. */
static double middle(const struct meter *meters, size_t which)
{
    double values[CONNECTS];

    for (int i = 0; i < CONNECTS; i++) {
        values[i] = count_of(&meters[WARM + i], which);
    }
    return median(values, CONNECTS);
}

static void ask_handshake(const struct kind *kind, const struct identity *id)
{
    static struct meter c[WARM + CONNECTS], s[WARM + CONNECTS];
    const char *what = kind->resumed ? "resume-" : "";
    struct setting setting;

    setting_make(&setting, kind, id);
    for (int i = 0; i < WARM + CONNECTS; i++) {
        struct identity fresh = { 0 };
        if (kind->fresh) {
            identity_make_fresh(&fresh, id);
            setting.link.server_speaks = &fresh;
        }
        c[i] = (struct meter){ 0 };
        s[i] = (struct meter){ 0 };
        setting_connect(&setting, &c[i], &s[i]);
        identity_wipe(&fresh);
    }
    for (size_t which = 0; which < NUM_COUNTS; which++) {
        double server = middle(s, which);
        double client = middle(c, which);
        const char *name = names[which];
        answer(name, client, "counts/%s%s/client/%s", what, kind->name, name);
        /* Where the server's certificates change each time its calls are not what is asked for. */
        if (!kind->fresh) {
            answer(name, server, "counts/%s%s/server/%s", what, kind->name, name);
            answer(name, server + client, "counts/%s%s/both/%s", what, kind->name, name);
        }
    }
    setting_wipe(&setting);
}

static void ask_data(struct link *l, const char *suite, size_t size)
{
    static uint8_t data[16384];
    struct meter w = { 0 }, r = { 0 };

    for (int i = 0; i < WARM + CALLS; i++) {
        if (i == WARM) {
            w = (struct meter){ 0 };
            r = (struct meter){ 0 };
        }
        meter_start(&w);
        write_all(l->client, data, size);
        meter_stop(&w);
        meter_start(&r);
        read_all(l->server, data, size);
        meter_stop(&r);
    }
    for (size_t which = 0; which < NUM_COUNTS - 1; which++) {
        answer(names[which], count_of(&w, which) / CALLS, "counts/%s/write-%zu/%s", suite, size,
               names[which]);
        answer(names[which], count_of(&r, which) / CALLS, "counts/%s/read-%zu/%s", suite, size,
               names[which]);
    }
}

static void ask_suite(const char *suite, const char *name, const struct identity *id)
{
    struct meter unused = { 0 };
    SSL_CTX *client = context_make(false, NULL, NULL, suite);
    SSL_CTX *server = context_make(true, id, NULL, suite);
    struct link l;

    link_init(&l, PIPE_SIZE);
    link_connect(&l, client, server, &unused, &unused);
    ask_data(&l, name, 64);
    ask_data(&l, name, 16384);
    link_disconnect(&l, &unused, &unused);
    link_wipe(&l);
    SSL_CTX_free(client);
    SSL_CTX_free(server);
}

int main(void)
{
    struct identity ecdsa, rsa;

    bench_begin(true);
    identity_make(&ecdsa, KEY_P256);
    identity_make(&rsa, KEY_RSA2048);
    for (const struct kind *kind = kinds; kind->name != NULL; kind++) {
        ask_handshake(kind, kind->key == KEY_P256 ? &ecdsa : &rsa);
    }
    ask_suite(SUITE, "aes128gcm", &ecdsa);
    identity_wipe(&ecdsa);
    identity_wipe(&rsa);
    return 0;
}
