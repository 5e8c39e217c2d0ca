/*
 * A client's session on other connections: SSL_set_session(3), SSL_session_reused(3),
 * SSL_get_session(3), SSL_SESSION_is_resumable(3), SSL_CTX_set_timeout(3),
 * SSL_CTX_set_not_resumable_session_callback in <openssl/ssl.h>.
 * Manual pages: SSL_SESSION_get0_peer(3).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static void log_sides(SSL *client, SSL *server)
{
    SSL_SESSION *of_client = SSL_get_session(client);
    SSL_SESSION *of_server = SSL_get_session(server);

    note("  client: %x %s, resumable %d, ticket %d, hint %lu, verify %ld, host %s",
         SSL_SESSION_get_protocol_version(of_client),
         SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(of_client)),
         SSL_SESSION_is_resumable(of_client), SSL_SESSION_has_ticket(of_client),
         SSL_SESSION_get_ticket_lifetime_hint(of_client), SSL_get_verify_result(client),
         SSL_SESSION_get0_hostname(of_client) != NULL ? "there" : "none");
    note("  server: %x %s, resumable %d, ticket %d, verify %ld, host %s",
         SSL_SESSION_get_protocol_version(of_server),
         SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(of_server)),
         SSL_SESSION_is_resumable(of_server), SSL_SESSION_has_ticket(of_server),
         SSL_get_verify_result(server),
         SSL_SESSION_get0_hostname(of_server) != NULL ? "there" : "none");
    note("  peers: %d %d, chain %d", SSL_SESSION_get0_peer(of_client) != NULL,
         SSL_SESSION_get0_peer(of_server) != NULL, SSL_get_peer_cert_chain(client) != NULL);
    note("  names: %s %s",
         SSL_get_servername(client, TLSEXT_NAMETYPE_host_name) != NULL
             ? SSL_get_servername(client, TLSEXT_NAMETYPE_host_name)
             : "none",
         SSL_get_servername(server, TLSEXT_NAMETYPE_host_name) != NULL
             ? SSL_get_servername(server, TLSEXT_NAMETYPE_host_name)
             : "none");
}

static void begin(struct resume *r, bool tickets)
{
    resume_init(r);
    if (!tickets) {
        (void)SSL_CTX_set_options(r->server_ctx, SSL_OP_NO_TICKET);
    }
    r->inspect = log_sides;
}

static const char *kind(bool tickets)
{
    return tickets ? "tickets" : "ids";
}

/* Encoded and decoded it is as good, and so is a copy. */
static void test_copies(bool tickets)
{
    SSL_SESSION *session, *copy;
    unsigned char der[4000];
    const unsigned char *in = der;
    unsigned char *out = der;
    struct resume r;
    int len;

    section("copies, %s", kind(tickets));
    begin(&r, tickets);
    session = resume_connect(&r, "first", NULL);
    len = i2d_SSL_SESSION(session, &out);
    REQUIRE(len > 0 && len < (int)sizeof(der));
    copy = SSL_SESSION_dup(session);
    note("the copy is resumable %d", SSL_SESSION_is_resumable(copy));
    resume_once(&r, "a copy", copy);
    SSL_SESSION_free(copy);
    copy = d2i_SSL_SESSION(NULL, &in, len);
    note("the decoded is resumable %d", SSL_SESSION_is_resumable(copy));
    resume_once(&r, "decoded", copy);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* One session on several connections at once. */
static void test_several(bool tickets)
{
    SSL_SESSION *session;
    struct pair p[3];
    struct resume r;

    section("several at once, %s", kind(tickets));
    begin(&r, tickets);
    session = resume_connect(&r, "first", NULL);
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(SSL_CTX_up_ref(r.client_ctx) == 1 && SSL_CTX_up_ref(r.server_ctx) == 1);
        pair_init_ctx(&p[i], r.client_ctx, r.server_ctx, OVER_MEMORY, 0);
        CHECK(SSL_set_session(p[i].client, session) == 1);
        note("the session is the connection's %d, reused %d",
             SSL_get_session(p[i].client) == session, SSL_session_reused(p[i].client));
    }
    for (size_t i = 0; i < 3; i++) {
        CHECK(log_handshake(p[i].client, p[i].server));
        note("reused %d %d", SSL_session_reused(p[i].client), SSL_session_reused(p[i].server));
        log_alive(p[i].client, p[i].server);
    }
    for (size_t i = 0; i < 3; i++) {
        pair_free(&p[i]);
    }
    note("resumable %d", SSL_SESSION_is_resumable(session));
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* The object is used again: SSL_clear keeps the session and offers it. */
static void test_clear(bool tickets, bool closed)
{
    struct pair p;
    struct resume r;

    section("SSL_clear, %s, %s", kind(tickets), closed ? "closed" : "not closed");
    begin(&r, tickets);
    (void)SSL_CTX_set_session_cache_mode(r.client_ctx, SSL_SESS_CACHE_CLIENT);
    REQUIRE(SSL_CTX_up_ref(r.client_ctx) == 1 && SSL_CTX_up_ref(r.server_ctx) == 1);
    pair_init_ctx(&p, r.client_ctx, r.server_ctx, OVER_MEMORY, 0);
    for (int i = 0; i < 3; i++) {
        CHECK(log_handshake(p.client, p.server));
        log_alive(p.client, p.server);
        note("reused %d %d", SSL_session_reused(p.client), SSL_session_reused(p.server));
        if (closed) {
            SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
            SSL_set_shutdown(p.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
        }
        note("clear %d %d", SSL_clear(p.client), SSL_clear(p.server));
        note("sessions %d %d, reused %d %d", SSL_get_session(p.client) != NULL,
             SSL_get_session(p.server) != NULL, SSL_session_reused(p.client),
             SSL_session_reused(p.server));
    }
    log_session_stats("client", r.client_ctx);
    log_session_stats("server", r.server_ctx);
    pair_free(&p);
    resume_free(&r);
}

/* What of a session no longer fits the client's settings. */
static void prepare_suite(SSL *client, SSL *server)
{
    (void)server;
    CHECK(pair_is_tls13() ? SSL_set_ciphersuites(client, "TLS_CHACHA20_POLY1305_SHA256") == 1
                          : SSL_set_cipher_list(client, "ECDHE-ECDSA-CHACHA20-POLY1305") == 1);
}

static void prepare_server_suite(SSL *client, SSL *server)
{
    (void)client;
    CHECK(pair_is_tls13() ? SSL_set_ciphersuites(server, "TLS_CHACHA20_POLY1305_SHA256") == 1
                          : SSL_set_cipher_list(server, "ECDHE-ECDSA-CHACHA20-POLY1305") == 1);
}

static void prepare_hash(SSL *client, SSL *server)
{
    (void)server;
    CHECK(pair_is_tls13() ? SSL_set_ciphersuites(client, "TLS_AES_128_GCM_SHA256") == 1
                          : SSL_set_cipher_list(client, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1);
}

static void prepare_version(SSL *client, SSL *server)
{
    int other = pair_is_tls13() ? TLS1_2_VERSION : TLS1_3_VERSION;

    CHECK(SSL_set_min_proto_version(client, other) == 1);
    CHECK(SSL_set_max_proto_version(client, other) == 1);
    CHECK(SSL_set_min_proto_version(server, other) == 1);
    CHECK(SSL_set_max_proto_version(server, other) == 1);
}

static void prepare_no_tickets(SSL *client, SSL *server)
{
    (void)server;
    (void)SSL_set_options(client, SSL_OP_NO_TICKET);
}

static void prepare_server_no_tickets(SSL *client, SSL *server)
{
    (void)client;
    (void)SSL_set_options(server, SSL_OP_NO_TICKET);
}

static void prepare_no_ems(SSL *client, SSL *server)
{
    (void)server;
    (void)SSL_set_options(client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
}

static void prepare_group(SSL *client, SSL *server)
{
    (void)client;
    CHECK(SSL_set1_groups_list(server, "P-384") == 1);
}

static void prepare_level(SSL *client, SSL *server)
{
    (void)client;
    SSL_set_security_level(server, 3);
}

static void prepare_name(SSL *client, SSL *server)
{
    (void)server;
    CHECK(SSL_set_tlsext_host_name(client, "another.example") == 1);
}

static void test_changed(const char *title, void (*prepare)(SSL *, SSL *), bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("%s, %s", title, kind(tickets));
    begin(&r, tickets);
    session = resume_connect(&r, "first", NULL);
    r.prepare = prepare;
    resume_once(&r, "changed", session);
    r.prepare = NULL;
    resume_once(&r, "as before", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* --- The server name --- */

static const char *asked_name;
static int name_answer;

static void prepare_asked(SSL *client, SSL *server)
{
    (void)server;
    if (asked_name != NULL) {
        CHECK(SSL_set_tlsext_host_name(client, asked_name) == 1);
    }
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)arg;
    note("  name %s, reused %d", name != NULL ? name : "none", SSL_session_reused(ssl));
    return name_answer;
}

static void test_name(bool tickets, int answer)
{
    SSL_SESSION *session;
    struct resume r;

    section("server name, %s, answer %d", kind(tickets), answer);
    begin(&r, tickets);
    r.prepare = prepare_asked;
    name_answer = answer;
    CHECK(SSL_CTX_set_tlsext_servername_callback(r.server_ctx, on_name) == 1);
    asked_name = "one.example";
    session = resume_connect(&r, "first", NULL);
    resume_once(&r, "the same", session);
    asked_name = "two.example";
    difference_begin("session-bound-to-name");
    resume_once(&r, "another", session);
    asked_name = NULL;
    resume_once(&r, "no name", session);
    difference_end();
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* --- Sessions that the server does not want resumed --- */

static int denied;

static int on_denied(SSL *ssl, int forward_secure)
{
    note("  %s: forward secure %d", ssl_get_name(ssl), forward_secure);
    return denied;
}

static void test_denied(bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("not resumable, %s", kind(tickets));
    begin(&r, tickets);
    SSL_CTX_set_not_resumable_session_callback(r.server_ctx, on_denied);
    denied = 0;
    SSL_SESSION_free(resume_connect(&r, "allowed", NULL));
    denied = 1;
    session = resume_connect(&r, "denied", NULL);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* --- SSL_set_session itself --- */

static void test_setting(void)
{
    SSL_SESSION *session, *other;
    struct pair p;
    struct resume r;

    section("setting");
    begin(&r, true);
    (void)SSL_CTX_set_session_cache_mode(r.client_ctx, SSL_SESS_CACHE_CLIENT);
    session = resume_connect(&r, "first", NULL);
    other = resume_connect(&r, "second", NULL);
    REQUIRE(SSL_CTX_up_ref(r.client_ctx) == 1 && SSL_CTX_up_ref(r.server_ctx) == 1);
    pair_init_ctx(&p, r.client_ctx, r.server_ctx, OVER_MEMORY, 0);
    note("set %d, then another %d, none %d, again %d", SSL_set_session(p.client, session),
         SSL_set_session(p.client, other), SSL_set_session(p.client, NULL),
         SSL_set_session(p.client, session));
    note("of a server %d", SSL_set_session(p.server, other));
    CHECK(log_handshake(p.client, p.server));
    note("reused %d %d", SSL_session_reused(p.client), SSL_session_reused(p.server));
    note("the server's is the other %d", SSL_get_session(p.server) == other);
    /* During a connection: what was there counts as cut off. */
    note("set during the connection %d", SSL_set_session(p.client, other));
    note("resumable %d %d", SSL_SESSION_is_resumable(session), SSL_SESSION_is_resumable(other));
    difference_begin("set-session-when-connected");
    log_alive(p.client, p.server);
    difference_end();
    pair_free(&p);
    SSL_SESSION_free(session);
    SSL_SESSION_free(other);
    resume_free(&r);
}

/* A session lives on when its context is gone, and a client of another context may offer it. */
static void test_other_context(bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("another context, %s", kind(tickets));
    begin(&r, tickets);
    (void)SSL_CTX_set_session_cache_mode(r.client_ctx, SSL_SESS_CACHE_CLIENT);
    session = resume_connect(&r, "first", NULL);
    SSL_CTX_free(r.client_ctx);
    note("resumable %d", SSL_SESSION_is_resumable(session));
    r.client_ctx = client_ctx_new();
    (void)SSL_CTX_clear_options(r.client_ctx, SSL_OP_NO_TICKET);
    resume_once(&r, "again", session);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void test_client_age(bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("an old session of a client, %s", kind(tickets));
    begin(&r, tickets);
    session = resume_connect(&r, "first", NULL);
    CHECK(SSL_SESSION_set_time(session, (long)time(NULL) - 8000) > 0);
    resume_once(&r, "8000 seconds", session);
    CHECK(SSL_SESSION_set_time(session, (long)time(NULL) + 8000) > 0);
    resume_once(&r, "of the future", session);
    CHECK(SSL_SESSION_set_time(session, (long)time(NULL)) > 0);
    CHECK(SSL_SESSION_set_timeout(session, 0) == 1);
    resume_once(&r, "no timeout", session);
    SSL_SESSION_free(session);
    resume_free(&r);
}

int main(void)
{
    static const struct {
        const char *title;
        void (*prepare)(SSL *, SSL *);
    } changes[] = {
        { "suite of the client", prepare_suite },
        { "suite of the server", prepare_server_suite },
        { "another hash", prepare_hash },
        { "another version", prepare_version },
        { "a client without tickets", prepare_no_tickets },
        { "a server without tickets", prepare_server_no_tickets },
        { "no extended master secret", prepare_no_ems },
        { "another group", prepare_group },
        { "security level 3", prepare_level },
    };

    contract_start();
    for (int tickets = 0; tickets <= 1; tickets++) {
        test_copies(tickets);
        test_several(tickets);
        test_clear(tickets, true);
        test_clear(tickets, false);
        for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
            test_changed(changes[i].title, changes[i].prepare, tickets);
        }
        test_name(tickets, SSL_TLSEXT_ERR_OK);
        test_name(tickets, SSL_TLSEXT_ERR_NOACK);
        test_denied(tickets);
        test_other_context(tickets);
        test_client_age(tickets);
    }
    difference_begin("session-bound-to-name");
    test_changed("a name that nobody acknowledges", prepare_name, true);
    difference_end();
    test_setting();
    identity_default_free();
    return contract_finish();
}
