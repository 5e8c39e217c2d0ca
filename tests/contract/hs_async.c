/*
 * SSL_MODE_ASYNC with keys that take their time: who waits, for what, and how it goes on.
 * Manual pages: SSL_get_all_async_fds(3), SSL_set_async_callback(3), SSL_CTX_set_mode(3),
 * SSL_want(3), SSL_get_error(3).
 */
#include "async_engine.h"
#include "contract.h"

#include <openssl/async.h>
#include <openssl/err.h>
#include <stdlib.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

#define MAX_FDS 8

static struct identity *rsa;

/* One line: what SSL tells of a job that waits. */
static void log_wait(SSL *ssl)
{
    OSSL_ASYNC_FD all[MAX_FDS], added[MAX_FDS], gone[MAX_FDS];
    size_t num_all = MAX_FDS, num_added = MAX_FDS, num_gone = MAX_FDS;
    int status = -1;
    int got_all, got_changed, got_status;

    got_all = SSL_get_all_async_fds(ssl, NULL, &num_all);
    REQUIRE(!got_all || num_all <= MAX_FDS);
    got_all = got_all && SSL_get_all_async_fds(ssl, all, &num_all);
    got_changed = SSL_get_changed_async_fds(ssl, NULL, &num_added, NULL, &num_gone);
    REQUIRE(!got_changed || (num_added <= MAX_FDS && num_gone <= MAX_FDS));
    got_changed = got_changed && SSL_get_changed_async_fds(ssl, added, &num_added, gone, &num_gone);
    got_status = SSL_get_async_status(ssl, &status);
    note("  %s waits %d, fds %d %zu, changed %d +%zu -%zu, status %d %d", ssl_get_name(ssl),
         SSL_waiting_for_async(ssl), got_all, got_all ? num_all : 0, got_changed,
         got_changed ? num_added : 0, got_changed ? num_gone : 0, got_status, status);
    if (got_all && num_all > 0) {
        CHECK(num_added == 0 || added[0] == all[0]);
    }
}

static void log_counts(void)
{
    int begun, ended;

    async_engine_counts(&begun, &ended);
    note("operations begun %d, ended %d", begun, ended);
}

/* Both sides in turn, each call with its outcome, until both are done, or one has failed. */
static bool step_through(SSL *client, SSL *server)
{
    SSL *sides[] = { client, server };

    for (int turn = 0; turn < 40; turn++) {
        SSL *ssl = sides[turn % 2];
        int ret, error;

        if (SSL_is_init_finished(client) && SSL_is_init_finished(server)) {
            return true;
        }
        ret = SSL_do_handshake(ssl);
        error = SSL_get_error(ssl, ret);
        if (error == SSL_ERROR_WANT_ASYNC || error == SSL_ERROR_WANT_ASYNC_JOB) {
            note("%s: %s, want %s, %d %d", ssl_get_name(ssl), name_of_error(error),
                 name_of_want(SSL_want(ssl)), SSL_want_async(ssl), SSL_want_async_job(ssl));
            log_wait(ssl);
        } else if (ret != 1 && error != SSL_ERROR_WANT_READ) {
            note("%s: %s", ssl_get_name(ssl), name_of_error(error));
            log_errors("error");
            return false;
        }
    }
    return false;
}

struct scene {
    const char *title;
    int version;
    const char *suites; /* of TLS 1.2, NULL: the default's */
    bool with_rsa;
    bool client_waits;
    struct async_behaviour behaviour;
};

static void use_slow_key(SSL_CTX *ctx, const struct identity *who)
{
    EVP_PKEY *slow = async_engine_key(who->key);

    CHECK(SSL_CTX_use_certificate(ctx, who->cert) == 1);
    CHECK(SSL_CTX_use_PrivateKey(ctx, slow) == 1);
    EVP_PKEY_free(slow);
    (void)SSL_CTX_set_mode(ctx, SSL_MODE_ASYNC);
}

static void init_scene(struct pair *p, const struct scene *scene)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    const struct identity *who = scene->with_rsa ? rsa : identity_default();

    (void)SSL_CTX_set_min_proto_version(client_ctx, scene->version);
    (void)SSL_CTX_set_max_proto_version(client_ctx, scene->version);
    (void)SSL_CTX_set_min_proto_version(server_ctx, scene->version);
    (void)SSL_CTX_set_max_proto_version(server_ctx, scene->version);
    if (scene->suites != NULL) {
        CHECK(SSL_CTX_set_cipher_list(client_ctx, scene->suites) == 1);
    }
    if (scene->with_rsa) {
        CHECK(SSL_CTX_set1_sigalgs_list(client_ctx, "rsa_pss_rsae_sha256:RSA+SHA256") == 1);
        CHECK(SSL_CTX_set1_sigalgs_list(server_ctx, "rsa_pss_rsae_sha256:RSA+SHA256") == 1);
    }
    use_slow_key(server_ctx, who);
    if (scene->client_waits) {
        use_slow_key(client_ctx, who);
        identity_trust(who, server_ctx);
        SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, NULL);
    }
    async_engine_behave(scene->behaviour);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
}

static void handshake(const struct scene *scene)
{
    struct pair p;

    section("%s", scene->title);
    init_scene(&p, scene);
    log_wait(p.server);
    note("done %d", step_through(p.client, p.server));
    log_wait(p.client);
    log_wait(p.server);
    log_counts();
    if (SSL_is_init_finished(p.client)) {
        note("%s %s", SSL_get_version(p.client), SSL_get_cipher_name(p.client));
        log_alive(p.client, p.server);
        (void)call_shutdown(p.client);
        (void)call_shutdown(p.server);
    }
    pair_free(&p);
}

static const struct scene once = {
    .title = "once",
    .version = TLS1_3_VERSION,
    .behaviour = { .pauses = 1, .signal = ASYNC_SIGNAL_FD },
};

static void handshakes(void)
{
    const struct scene scenes[] = {
        { "TLS 1.3, ECDSA", TLS1_3_VERSION, NULL, false, false, { 1, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.3, three pauses",
          TLS1_3_VERSION,
          NULL,
          false,
          false,
          { 3, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.3, RSA", TLS1_3_VERSION, NULL, true, false, { 1, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.3, without a sign",
          TLS1_3_VERSION,
          NULL,
          true,
          false,
          { 2, ASYNC_SIGNAL_NONE, false } },
        { "TLS 1.3, it fails", TLS1_3_VERSION, NULL, false, false, { 1, ASYNC_SIGNAL_FD, true } },
        { "TLS 1.3, both", TLS1_3_VERSION, NULL, false, true, { 2, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.3, never waits",
          TLS1_3_VERSION,
          NULL,
          false,
          true,
          { 0, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.2, ECDSA", TLS1_2_VERSION, NULL, false, false, { 1, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.2, ECDHE and RSA",
          TLS1_2_VERSION,
          NULL,
          true,
          false,
          { 2, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.2, PKCS #1",
          TLS1_2_VERSION,
          "ECDHE-RSA-AES128-SHA",
          true,
          true,
          { 1, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.2, both", TLS1_2_VERSION, NULL, true, true, { 1, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.2, RSA decrypts",
          TLS1_2_VERSION,
          "AES128-SHA",
          true,
          false,
          { 2, ASYNC_SIGNAL_FD, false } },
        { "TLS 1.2, it fails", TLS1_2_VERSION, NULL, true, false, { 1, ASYNC_SIGNAL_FD, true } },
    };

    for (size_t i = 0; i < sizeof(scenes) / sizeof(scenes[0]); i++) {
        handshake(&scenes[i]);
    }
}

/* ---- callbacks ---- */

static char of_context[] = "of the context";
static char of_connection[] = "of the connection";

static int on_ready(SSL *ssl, void *arg)
{
    note("  callback of %s, argument %s", ssl_get_name(ssl),
         arg == NULL ? "none" : (const char *)arg);
    return 1;
}

static int on_ready_too(SSL *ssl, void *arg)
{
    note("  other callback of %s, argument %s", ssl_get_name(ssl),
         arg == NULL ? "none" : (const char *)arg);
    return 0;
}

static void callbacks(int version)
{
    struct scene scene = once;
    struct pair p;
    SSL *later;

    section("callbacks, version %x", (unsigned)version);
    scene.version = version;
    scene.behaviour.signal = ASYNC_SIGNAL_CALLBACK;
    init_scene(&p, &scene);
    note("none");
    CHECK(step_through(p.client, p.server));
    note("of the context, after the connection was made: %d %d",
         SSL_CTX_set_async_callback(p.server_ctx, on_ready),
         SSL_CTX_set_async_callback_arg(p.server_ctx, of_context));
    later = SSL_new(p.server_ctx);
    REQUIRE(later != NULL && SSL_clear(p.client) == 1);
    SSL_free(p.server);
    p.server = later;
    ssl_set_name(later, "server");
    SSL_set_bio(later, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_accept_state(later);
    SSL_set_bio(p.client, SSL_get_wbio(later), SSL_get_rbio(later));
    CHECK(BIO_up_ref(SSL_get_wbio(later)) == 1 && BIO_up_ref(SSL_get_rbio(later)) == 1);
    CHECK(step_through(p.client, p.server));
    pair_free(&p);

    note("of the connection");
    init_scene(&p, &scene);
    CHECK(SSL_CTX_set_async_callback(p.server_ctx, on_ready) == 1);
    note("%d %d", SSL_set_async_callback(p.server, on_ready_too),
         SSL_set_async_callback_arg(p.server, of_connection));
    CHECK(step_through(p.client, p.server));
    pair_free(&p);

    note("taken away");
    init_scene(&p, &scene);
    CHECK(SSL_set_async_callback(p.server, on_ready) == 1);
    CHECK(SSL_set_async_callback(p.server, NULL) == 1);
    CHECK(SSL_set_async_callback_arg(p.server, NULL) == 1);
    CHECK(step_through(p.client, p.server));
    pair_free(&p);
    log_counts();
}

/* ---- while it waits ---- */

static void start_waiting(struct pair *p, const struct scene *scene)
{
    init_scene(p, scene);
    (void)call_do_handshake(p->client);
    (void)call_do_handshake(p->server);
    CHECK(SSL_waiting_for_async(p->server) == 1);
}

static void other_calls(void)
{
    struct scene scene = once;
    struct pair p;
    char got[8];

    section("other calls while it waits");
    scene.behaviour.pauses = 4;
    start_waiting(&p, &scene);
    (void)call_accept(p.server);
    (void)call_read(p.server, got, 8);
    log_wait(p.server);
    (void)call_write(p.server, "hello", 5);
    log_wait(p.server);
    note("in init %d, pending %d, shutdown %d", SSL_in_init(p.server), SSL_pending(p.server),
         SSL_get_shutdown(p.server));
    CHECK(step_through(p.client, p.server));
    log_alive(p.client, p.server);
    pair_free(&p);

    section("the mode goes while it waits");
    scene.behaviour.pauses = 1;
    start_waiting(&p, &scene);
    (void)SSL_clear_mode(p.server, SSL_MODE_ASYNC);
    log_wait(p.server);
    (void)SSL_set_mode(p.server, SSL_MODE_ASYNC);
    CHECK(step_through(p.client, p.server));
    pair_free(&p);
    log_counts();
}

static void without_jobs(void)
{
    struct scene scene = once;
    struct pair first, second;

    section("one job for two connections");
    ASYNC_cleanup_thread();
    note("init %d", ASYNC_init_thread(1, 0));
    start_waiting(&first, &scene);
    init_scene(&second, &scene);
    (void)call_do_handshake(second.server);
    note("%d %d", SSL_want_async_job(second.server), SSL_waiting_for_async(second.server));
    log_wait(second.server);
    CHECK(step_through(first.client, first.server));
    CHECK(step_through(second.client, second.server));
    log_alive(second.client, second.server);
    pair_free(&first);
    pair_free(&second);
    ASYNC_cleanup_thread();
    log_counts();
}

/* What has no private key operation passes through a job without a pause. */
static void data(int version)
{
    struct scene scene = once;
    struct pair p;
    char got[8];
    size_t done = 77;
    uint8_t *bytes = pattern_new(40000, 3);

    section("data, version %x", (unsigned)version);
    scene.version = version;
    init_scene(&p, &scene);
    (void)SSL_set_mode(p.client, SSL_MODE_ASYNC);
    CHECK(step_through(p.client, p.server));
    (void)call_read(p.server, got, 8);
    (void)call_write(p.client, "hello", 5);
    (void)call_peek(p.server, got, 2);
    (void)call_read_ex(p.server, got, 5, &done);
    (void)call_read_ex(p.server, got, 5, &done);
    (void)call_write_ex(p.server, "back", 4, &done);
    (void)call_read(p.client, got, 0);
    (void)call_write(p.client, "", 0);
    (void)call_read(p.client, got, 8);
    note("%zu bytes", drive_transfer(p.client, p.server, bytes, 40000));
    (void)call_shutdown(p.client);
    (void)call_read(p.server, got, 8);
    (void)call_shutdown(p.server);
    (void)call_shutdown(p.client);
    (void)call_write(p.client, "late", 4);
    pair_free(&p);
    free(bytes);
}

int main(void)
{
    contract_start();
    rsa = identity_new(KEY_RSA, "localhost");
    REQUIRE(rsa != NULL);
    note("capable %d", ASYNC_is_capable());
    handshakes();
    callbacks(TLS1_3_VERSION);
    callbacks(TLS1_2_VERSION);
    other_calls();
    without_jobs();
    data(TLS1_3_VERSION);
    data(TLS1_2_VERSION);
    identity_free(rsa);
    identity_default_free();
    async_engine_free();
    return contract_finish();
}
