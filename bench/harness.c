/*
 * Meter and connections of the questions; see harness.h.
 */
#include "harness.h"

#include <dlfcn.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>

#define EARLY_LEN 1024 /* at most */

/* Found only when the shim is preloaded. */
extern const struct bench_counts *bench_shim_counts(void) __attribute__((weak));

static void explain(void)
{
    ERR_print_errors_fp(stderr);
}

void bench_begin(bool counted)
{
    Dl_info info;
    /* A function's address is an object's to the loader alone. */
    union {
        SSL *(*function)(SSL_CTX *ctx);
        void *object;
    } ssl_new = { .function = SSL_new };

    explain_failure = explain;
    setvbuf(stdout, NULL, _IOLBF, 0);
    require(dladdr(ssl_new.object, &info) != 0, "dladdr");
    printf("# library %s\n# libcrypto %s\n", info.dli_fname, OpenSSL_version(OPENSSL_VERSION));
    if (counted && bench_shim_counts == NULL) {
        fprintf(stderr, "this question counts: run it with the shim (bench/run does)\n");
        exit(2);
    }
}

/* --- Meter --- */

void meter_start(struct meter *m)
{
    if (bench_shim_counts != NULL) {
        m->start_counts = *bench_shim_counts();
    }
    m->start_ns = now_ns();
}

void meter_stop(struct meter *m)
{
    m->ns += now_ns() - m->start_ns;
    if (bench_shim_counts != NULL) {
        const struct bench_counts *now = bench_shim_counts();
        const struct bench_counts *then = &m->start_counts;
        m->counts.allocations += now->allocations - then->allocations;
        m->counts.live_bytes += now->live_bytes - then->live_bytes;
        m->counts.read_locks += now->read_locks - then->read_locks;
        m->counts.write_locks += now->write_locks - then->write_locks;
        m->counts.mutex_locks += now->mutex_locks - then->mutex_locks;
        m->counts.send_calls += now->send_calls - then->send_calls;
        m->counts.receive_calls += now->receive_calls - then->receive_calls;
    }
}

/* --- Flat buffers as a transport --- */

struct ends {
    struct pipe *in, *out;
};

static int flat_write(BIO *bio, const char *data, int len)
{
    require(len >= 0, "a length");
    pipe_put(((struct ends *)BIO_get_data(bio))->out, data, (size_t)len);
    return len;
}

static int flat_read(BIO *bio, char *data, int len)
{
    size_t take = pipe_take(((struct ends *)BIO_get_data(bio))->in, data, (size_t)len);

    BIO_clear_retry_flags(bio);
    if (take == 0) {
        BIO_set_retry_read(bio);
        return -1;
    }
    return (int)take;
}

static long flat_ctrl(BIO *bio, int command, long num, void *arg)
{
    (void)bio;
    (void)num;
    (void)arg;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

static int flat_destroy(BIO *bio)
{
    free(BIO_get_data(bio));
    return 1;
}

static const BIO_METHOD *flat_method(void)
{
    static BIO_METHOD *method;

    if (method == NULL) {
        method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "flat buffers");
        require(method != NULL && BIO_meth_set_write(method, flat_write) == 1 &&
                    BIO_meth_set_read(method, flat_read) == 1 &&
                    BIO_meth_set_ctrl(method, flat_ctrl) == 1 &&
                    BIO_meth_set_destroy(method, flat_destroy) == 1,
                "BIO_meth_new");
    }
    return method;
}

BIO *flat_new(struct pipe *in, struct pipe *out)
{
    BIO *bio = BIO_new(flat_method());
    struct ends *ends = malloc(sizeof *ends);

    require(bio != NULL && ends != NULL, "BIO_new");
    *ends = (struct ends){ in, out };
    BIO_set_data(bio, ends);
    BIO_set_init(bio, 1);
    return bio;
}

/* --- Connections --- */

void link_init(struct link *l, size_t pipe_size)
{
    *l = (struct link){ 0 };
    pipe_init(&l->to_server, pipe_size);
    pipe_init(&l->to_client, pipe_size);
    l->client_bio = flat_new(&l->to_client, &l->to_server);
    l->server_bio = flat_new(&l->to_server, &l->to_client);
}

void link_wipe(struct link *l)
{
    BIO_free(l->client_bio);
    BIO_free(l->server_bio);
    pipe_wipe(&l->to_server);
    pipe_wipe(&l->to_client);
    *l = (struct link){ 0 };
}

/* The link keeps its reference to the BIO, which serves its next connection again. */
static SSL *side_new(SSL_CTX *ctx, BIO *bio, bool server, SSL_SESSION *session, struct meter *m)
{
    BIO_up_ref(bio);
    meter_start(m);
    SSL *s = SSL_new(ctx);
    require(s != NULL, "SSL_new");
    SSL_set_bio(s, bio, bio);
    if (server) {
        SSL_set_accept_state(s);
    } else {
        SSL_set_connect_state(s);
        require(SSL_set_tlsext_host_name(s, "bench.example") == 1, "server name");
        require(session == NULL || SSL_set_session(s, session) == 1, "SSL_set_session");
    }
    meter_stop(m);
    return s;
}

static bool side_step(SSL *s, struct meter *m)
{
    meter_start(m);
    int result = SSL_do_handshake(s);
    meter_stop(m);
    require(result == 1 || SSL_get_error(s, result) == SSL_ERROR_WANT_READ, "SSL_do_handshake");
    return result == 1;
}

static uint8_t early_data[EARLY_LEN];

static void write_early(SSL *s, size_t len, struct meter *m)
{
    size_t written = 0;

    meter_start(m);
    int result = SSL_write_early_data(s, early_data, len, &written);
    meter_stop(m);
    require(result == 1 && written == len, "SSL_write_early_data");
}

/* Takes early data that is there; adds its length to *total. True at its end. */
static bool read_early(SSL *s, size_t *total, struct meter *m)
{
    uint8_t data[EARLY_LEN];
    int result;

    meter_start(m);
    do {
        size_t got = 0; /* stays as it is where nothing is read */
        result = SSL_read_early_data(s, data, sizeof data, &got);
        *total += got;
    } while (result == SSL_READ_EARLY_DATA_SUCCESS);
    meter_stop(m);
    require(result == SSL_READ_EARLY_DATA_FINISH || SSL_get_error(s, 0) == SSL_ERROR_WANT_READ,
            "SSL_read_early_data");
    return result == SSL_READ_EARLY_DATA_FINISH;
}

static void speak_as(SSL *s, const struct identity *id)
{
    require(SSL_use_certificate(s, id->leaf) == 1 && SSL_use_PrivateKey(s, id->key) == 1 &&
                SSL_clear_chain_certs(s) == 1 && SSL_add1_chain_cert(s, id->intermediate) == 1,
            "certificates of one connection");
}

/* Takes what the peer's handshake sent after its end; there is no data. */
static void read_nothing(SSL *s, struct meter *m)
{
    uint8_t byte;
    size_t got = 0;

    meter_start(m);
    int result = SSL_read_ex(s, &byte, 1, &got);
    meter_stop(m);
    require(result == 0 && SSL_get_error(s, result) == SSL_ERROR_WANT_READ, "nothing to read");
}

void link_connect(struct link *l, SSL_CTX *client, SSL_CTX *server, struct meter *client_meter,
                  struct meter *server_meter)
{
    bool client_done = false;
    bool server_done = false;
    bool early_done = l->early_len == 0;
    size_t early = 0;

    pipe_drop(&l->to_server);
    pipe_drop(&l->to_client);
    l->client = side_new(client, l->client_bio, false, l->session, client_meter);
    l->server = side_new(server, l->server_bio, true, NULL, server_meter);
    if (l->server_speaks != NULL) {
        speak_as(l->server, l->server_speaks);
    }
    if (!early_done) {
        write_early(l->client, l->early_len, client_meter);
        early_done = read_early(l->server, &early, server_meter);
    }
    for (int flights = 0; !client_done || !server_done; flights++) {
        require(flights < 8, "handshake without an end");
        client_done = client_done || side_step(l->client, client_meter);
        early_done = early_done || read_early(l->server, &early, server_meter);
        server_done = server_done || (early_done && side_step(l->server, server_meter));
    }
    require((SSL_session_reused(l->client) == 1) == (l->session != NULL), "resumption as asked");
    require(early == l->early_len, "all early data accepted");
    read_nothing(l->client, client_meter);
}

void link_disconnect(struct link *l, struct meter *client_meter, struct meter *server_meter)
{
    /* A connection that ends without a word would take its session with it. */
    SSL_set_shutdown(l->client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(l->server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    meter_start(client_meter);
    SSL_free(l->client);
    meter_stop(client_meter);
    meter_start(server_meter);
    SSL_free(l->server);
    meter_stop(server_meter);
    l->client = NULL;
    l->server = NULL;
}

/* --- Sessions --- */

SSL_SESSION *session_make(SSL_CTX *client, SSL_CTX *server)
{
    struct meter unused = { 0 };
    struct link l;

    link_init(&l, (size_t)64 << 10);
    link_connect(&l, client, server, &unused, &unused);
    SSL_SESSION *session = SSL_get1_session(l.client);
    require(session != NULL && SSL_SESSION_is_resumable(session) == 1, "a session to resume");
    link_disconnect(&l, &unused, &unused);
    link_wipe(&l);
    return session;
}

/* --- Data --- */

void write_all(SSL *s, const void *data, size_t len)
{
    size_t written = 0;

    require(SSL_write_ex(s, data, len, &written) == 1 && written == len, "SSL_write_ex");
}

void read_all(SSL *s, void *data, size_t len)
{
    size_t got = 0;

    while (got < len) {
        size_t now = 0;
        require(SSL_read_ex(s, (uint8_t *)data + got, len - got, &now) == 1, "SSL_read_ex");
        got += now;
    }
}
