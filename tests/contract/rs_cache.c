/*
 * The session cache of a server and of a client as a context's settings make it: who is asked and
 * told, what is counted, what leaves it. SSL_CTX_set_session_cache_mode(3),
 * SSL_CTX_sess_set_get_cb(3), SSL_CTX_sess_number(3), SSL_CTX_flush_sessions(3).
 * Manual pages: SSL_CTX_add_session(3), SSL_SESSION_free(3).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

static int new_answer;      /* of the new-session callback */
static int copy_answer;     /* what the get callback sets *copy to; -1: leaves it */
static bool same_in_server; /* the new session is SSL_get_session() */
static SSL_SESSION *kept;   /* what the get callback gives */

static int on_new(SSL *ssl, SSL_SESSION *session)
{
    same_in_server = SSL_get_session(ssl) == session;
    note("  %s new %s, the connection's %d, in init %d", ssl_get_name(ssl), session_text(session),
         same_in_server, SSL_in_init(ssl));
    if (new_answer != 0) {
        SSL_SESSION_free(kept);
        kept = session;
    }
    return new_answer;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    note("  removed %s", session_text(session));
}

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    note("  %s get %d (%d bytes), copy %d", ssl_get_name(ssl), number_of_bytes(id, (size_t)len),
         len, *copy);
    if (copy_answer >= 0) {
        *copy = copy_answer;
    }
    if (kept != NULL && *copy == 0) {
        CHECK(SSL_SESSION_up_ref(kept) == 1);
    }
    return kept;
}

static void drop_kept(void)
{
    SSL_SESSION_free(kept);
    kept = NULL;
}

static void use_callbacks(SSL_CTX *ctx)
{
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    SSL_CTX_sess_set_get_cb(ctx, on_get);
    new_answer = 0;
    copy_answer = -1;
}

/* A server without tickets in each mode: a full handshake, one that resumes, one with an id that
 * nobody knows. */
static void test_mode(const char *title, long mode, bool callbacks)
{
    SSL_SESSION *session, *strange;
    struct resume r;

    section("%s%s", title, callbacks ? ", callbacks" : "");
    resume_init(&r);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(r.server_ctx, mode);
    if (callbacks) {
        use_callbacks(r.server_ctx);
        new_answer = 1;
    }
    session = resume_connect(&r, "first", NULL);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    new_answer = 0;
    drop_kept();
    SSL_CTX_flush_sessions(r.server_ctx, 0);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "after the flush", session);
    strange = SSL_SESSION_dup(session);
    if (strange != NULL) {
        CHECK(SSL_SESSION_set1_id(strange, (const unsigned char *)"strange", 7) == 1);
    }
    resume_once(&r, "another id", strange);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    SSL_SESSION_free(strange);
    drop_kept();
    resume_free(&r);
}

/* Tickets, which need no cache. */
static void test_tickets(bool callbacks)
{
    SSL_SESSION *session;
    struct resume r;

    section("tickets%s", callbacks ? ", callbacks" : "");
    resume_init(&r);
    if (callbacks) {
        use_callbacks(r.server_ctx);
    }
    session = resume_connect(&r, "first", NULL);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "again", session);
    SSL_CTX_flush_sessions(r.server_ctx, 0);
    resume_once(&r, "after the flush", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* The get callback's reference, and a session that it must not give. */
static void test_external(int copy, bool unusable)
{
    SSL_SESSION *session;
    struct resume r;

    section("external cache, copy %d%s", copy, unusable ? ", not resumable" : "");
    resume_init(&r);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(r.server_ctx,
                                         SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
    use_callbacks(r.server_ctx);
    new_answer = 1;
    session = resume_connect(&r, "first", NULL);
    new_answer = 0;
    if (unusable && kept != NULL) {
        note("remove %d", SSL_CTX_remove_session(r.server_ctx, kept));
    }
    copy_answer = copy;
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    drop_kept();
    resume_free(&r);
}

/* What the internal cache makes of a session that the external one gave. */
static void test_adopted(void)
{
    SSL_SESSION *session;
    struct resume r;

    section("from the external cache into the internal one");
    resume_init(&r);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    use_callbacks(r.server_ctx);
    new_answer = 1;
    session = resume_connect(&r, "first", NULL);
    new_answer = 0;
    if (pair_is_tls13()) {
        SSL_CTX_sess_set_remove_cb(r.server_ctx, NULL);
    }
    SSL_CTX_flush_sessions(r.server_ctx, 0);
    log_session_stats("server", r.server_ctx);
    if (kept != NULL) {
        /* The flush made it unfit. */
        SSL_SESSION *copy = SSL_SESSION_dup(kept);
        note("copy %s", session_text(copy));
        SSL_SESSION_free(copy);
    }
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    drop_kept();
    resume_free(&r);
}

static SSL_SESSION *held; /* the server's session of the last connection */

static void hold_session(SSL *client, SSL *server)
{
    (void)client;
    SSL_SESSION_free(held);
    held = SSL_get1_session(server);
}

static void test_timeout(bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("timeouts, %s", tickets ? "tickets" : "ids");
    resume_init(&r);
    if (!tickets) {
        (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    }
    r.inspect = hold_session;
    SSL_CTX_sess_set_remove_cb(r.server_ctx, on_remove);
    note("timeout %ld", SSL_CTX_set_timeout(r.server_ctx, 300));
    session = resume_connect(&r, "first", NULL);
    note("client %ld server %ld", SSL_SESSION_get_timeout(session), SSL_SESSION_get_timeout(held));
    if (!tickets) {
        CHECK(SSL_SESSION_set_time(held, (long)time(NULL) - 200) > 0);
        resume_once(&r, "after 200 seconds", session);
    }
    CHECK(SSL_SESSION_set_time(held, (long)time(NULL) - 310) > 0);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "after 310 seconds", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    note("timeout %ld", SSL_CTX_set_timeout(r.server_ctx, 0));
    session = resume_connect(&r, "timeout of 0", NULL);
    note("client %ld server %ld", SSL_SESSION_get_timeout(session), SSL_SESSION_get_timeout(held));
    SSL_SESSION_free(session);
    SSL_SESSION_free(held);
    held = NULL;
    resume_free(&r);
}

static void test_full(void)
{
    SSL_SESSION *sessions[3];
    struct resume r;

    section("a cache of two");
    resume_init(&r);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_remove_cb(r.server_ctx, on_remove);
    note("size %ld", SSL_CTX_sess_set_cache_size(r.server_ctx, 2));
    for (int i = 0; i < 3; i++) {
        sessions[i] = resume_connect(&r, "new", NULL);
        log_session_stats("server", r.server_ctx);
    }
    for (int i = 0; i < 3; i++) {
        resume_once(&r, "again", sessions[i]);
        log_session_stats("server", r.server_ctx);
        SSL_SESSION_free(sessions[i]);
    }
    resume_free(&r);
}

/* Which ways of ending a connection leave its session in the cache. */
static void test_endings(void)
{
    SSL_SESSION *session;
    struct resume r;

    section("endings");
    resume_init(&r);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    SSL_CTX_sess_set_remove_cb(r.server_ctx, on_remove);
    r.abrupt = true;
    session = resume_connect(&r, "freed without shutdown", NULL);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "again", session);
    SSL_SESSION_free(session);
    SSL_CTX_set_quiet_shutdown(r.server_ctx, 1);
    r.abrupt = false;
    session = resume_connect(&r, "quiet shutdown", NULL);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "again", session);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void fail_connection(SSL *client, SSL *server)
{
    unsigned char junk[] = { 23, 3,  3,  0,  20, 1,  2,  3,  4,  5,  6,  7, 8,
                             9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };
    char byte;

    CHECK(BIO_write(SSL_get_wbio(client), junk, sizeof(junk)) == sizeof(junk));
    note("  read %d", SSL_read(server, &byte, 1));
    note("  server's session %s", session_text(SSL_get_session(server)));
    note("  read %d", SSL_read(client, &byte, 1));
    note("  client's session %s", session_text(SSL_get_session(client)));
    ERR_clear_error();
}

static void test_alert(void)
{
    SSL_SESSION *session;
    struct resume r;

    section("a fatal alert");
    resume_init(&r);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(r.client_ctx, SSL_SESS_CACHE_CLIENT);
    SSL_CTX_sess_set_remove_cb(r.server_ctx, on_remove);
    SSL_CTX_sess_set_remove_cb(r.client_ctx, on_remove);
    r.inspect = fail_connection;
    session = resume_connect(&r, "damaged record", NULL);
    r.inspect = NULL;
    log_session_stats("server", r.server_ctx);
    log_session_stats("client", r.client_ctx);
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* A client's own cache: for the application's eyes alone. */
static void test_client(const char *title, long mode, bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("client: %s, %s", title, tickets ? "tickets" : "ids");
    resume_init(&r);
    if (!tickets) {
        (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    }
    (void)SSL_CTX_set_session_cache_mode(r.client_ctx, mode);
    use_callbacks(r.client_ctx);
    session = resume_connect(&r, "first", NULL);
    log_session_stats("client", r.client_ctx);
    note("session %s", session_text(session));
    resume_once(&r, "again", session);
    log_session_stats("client", r.client_ctx);
    note("session %s", session_text(session));
    resume_once(&r, "once more", session);
    log_session_stats("client", r.client_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* Every 256th handshake cleans the cache, if it may. */
static void test_cleaning(long mode)
{
    struct resume r;
    SSL_SESSION *old = SSL_SESSION_new();

    section("cleaning, mode %lx", (unsigned long)mode);
    resume_init(&r);
    (void)SSL_CTX_set_session_cache_mode(r.server_ctx, mode);
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_options(r.client_ctx, SSL_OP_NO_TICKET);
    REQUIRE(old != NULL && SSL_SESSION_set1_id(old, (const unsigned char *)"old", 3) == 1);
    SSL_SESSION_set_time(old, (long)time(NULL) - 1000);
    SSL_CTX_sess_set_remove_cb(r.server_ctx, on_remove);
    CHECK(SSL_CTX_add_session(r.server_ctx, old) == 1);
    for (int i = 0; i < 260; i++) {
        struct pair p;
        long before = SSL_CTX_sess_number(r.server_ctx);

        REQUIRE(SSL_CTX_up_ref(r.client_ctx) == 1 && SSL_CTX_up_ref(r.server_ctx) == 1);
        pair_init_ctx(&p, r.client_ctx, r.server_ctx, OVER_MEMORY, 0);
        REQUIRE(drive_handshake(p.client, p.server));
        SSL_set_shutdown(p.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        if (SSL_CTX_sess_number(r.server_ctx) <= before) {
            note("handshake %d: %ld, then %ld", i + 1, before, SSL_CTX_sess_number(r.server_ctx));
        }
        pair_free(&p);
    }
    log_session_stats("server", r.server_ctx);
    SSL_CTX_sess_set_remove_cb(r.server_ctx, NULL);
    SSL_SESSION_free(old);
    resume_free(&r);
}

int main(void)
{
    static const struct {
        const char *title;
        long mode;
    } modes[] = {
        { "off", SSL_SESS_CACHE_OFF },
        { "client only", SSL_SESS_CACHE_CLIENT },
        { "server", SSL_SESS_CACHE_SERVER },
        { "both", SSL_SESS_CACHE_BOTH },
        { "no internal lookup", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP },
        { "no internal store", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE },
        { "no internal", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL },
        { "times brought up to date", SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_UPDATE_TIME },
    };

    contract_start();
    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        test_mode(modes[i].title, modes[i].mode, false);
        test_mode(modes[i].title, modes[i].mode, true);
    }
    test_tickets(false);
    test_tickets(true);
    for (int copy = 0; copy <= 1; copy++) {
        test_external(copy, false);
        test_external(copy, true);
    }
    test_adopted();
    test_timeout(false);
    test_timeout(true);
    test_full();
    test_endings();
    test_alert();
    test_client("cached", SSL_SESS_CACHE_CLIENT, true);
    test_client("cached", SSL_SESS_CACHE_CLIENT, false);
    test_client("not stored", SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE, true);
    test_client("server only", SSL_SESS_CACHE_SERVER, true);
    test_cleaning(SSL_SESS_CACHE_SERVER);
    test_cleaning(SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_AUTO_CLEAR);
    identity_default_free();
    return contract_finish();
}
