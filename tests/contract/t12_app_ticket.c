/*
 * Session tickets and master secrets that applications bring along, as EAP-FAST does (RFC
 * 4851, 3.2; RFC 5077): SSL_set_session_ticket_ext, SSL_set_session_ticket_ext_cb,
 * SSL_set_session_secret_cb. TLS 1.2 and older. A client finds out by the message that follows the
 * ServerHello whether the server has taken the ticket.
 */
#include "hs_trace.h"
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

/* What one side's application does. */
struct side {
    bool asks;          /* has a session secret callback */
    int answer;         /* what it returns */
    int secret_len;     /* what it says of the secret's length */
    char fill;          /* what the secret is made of */
    const char *suite;  /* that it chooses; NULL: none */
    int listens;        /* the ticket callback's answer; -1: there is none */
    const char *ticket; /* the client's; NULL: none is set */
    int ticket_len;     /* -1: SSL_set_session_ticket_ext(NULL, 0) */
};

static struct side client;
static struct side server;

static const SSL_CIPHER *find_suite(SSL *ssl, const char *name)
{
    STACK_OF(SSL_CIPHER) *all = SSL_get_ciphers(ssl);

    for (int i = 0; name != NULL && i < sk_SSL_CIPHER_num(all); i++) {
        if (strcmp(SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i)), name) == 0) {
            return sk_SSL_CIPHER_value(all, i);
        }
    }
    return NULL;
}

static int on_secret(SSL *ssl, void *secret, int *secret_len, STACK_OF(SSL_CIPHER) *peer_suites,
                     const SSL_CIPHER **suite, void *arg)
{
    const struct side *side = arg;
    unsigned char random[32];
    static const unsigned char zeros[32];

    note("%s is asked for the secret in state %s, room %d, suites of the peer %d, suite %d, randoms"
         " %d %d",
         ssl_get_name(ssl), SSL_state_string(ssl), *secret_len,
         peer_suites != NULL ? sk_SSL_CIPHER_num(peer_suites) : -1, *suite != NULL,
         SSL_get_client_random(ssl, random, 32) == 32 && memcmp(random, zeros, 32) != 0,
         SSL_get_server_random(ssl, random, 32) == 32 && memcmp(random, zeros, 32) != 0);
    note("  session %d, ticket %d, reused %d, current suite %s", SSL_get_session(ssl) != NULL,
         SSL_get_session(ssl) != NULL && SSL_SESSION_has_ticket(SSL_get_session(ssl)),
         SSL_session_reused(ssl), SSL_get_cipher_name(ssl));
    if (side->answer != 0 && side->secret_len > 0 && side->secret_len <= *secret_len) {
        memset(secret, side->fill, (size_t)side->secret_len);
    }
    *secret_len = side->secret_len;
    if (side->suite != NULL) {
        *suite = find_suite(ssl, side->suite);
        CHECK(*suite != NULL);
    }
    return side->answer;
}

static int on_ticket(SSL *ssl, const unsigned char *data, int len, void *arg)
{
    const struct side *side = arg;

    bool ours = len >= 3 && memcmp(data, "the", 3) == 0;

    note("%s sees %s ticket of %d bytes in state %s, reused %d", ssl_get_name(ssl),
         ours ? "our" : "a", ours ? len : len > 0, SSL_state_string(ssl), SSL_session_reused(ssl));
    return side->listens;
}

static void reset(void)
{
    client = (struct side){ true, 1, 48, 'x', NULL, -1, "the ticket", 10 };
    server = (struct side){ true, 1, 48, 'x', "ECDHE-ECDSA-AES256-GCM-SHA384", 1, NULL, 0 };
}

static void set_up(SSL *ssl, struct side *side)
{
    if (side->asks) {
        log_call(ssl, "SSL_set_session_secret_cb", SSL_set_session_secret_cb(ssl, on_secret, side));
    }
    if (side->listens >= 0) {
        log_call(ssl, "SSL_set_session_ticket_ext_cb",
                 SSL_set_session_ticket_ext_cb(ssl, on_ticket, side));
    }
    if (side->ticket_len < 0) {
        log_call(ssl, "SSL_set_session_ticket_ext", SSL_set_session_ticket_ext(ssl, NULL, 0));
    } else if (side->ticket != NULL) {
        unsigned char bytes[64];

        memcpy(bytes, side->ticket, (size_t)side->ticket_len);
        log_call(ssl, "SSL_set_session_ticket_ext",
                 SSL_set_session_ticket_ext(ssl, bytes, side->ticket_len));
        memset(bytes, 0, sizeof(bytes)); /* it was copied */
    }
}

static void log_outcome(SSL *ssl)
{
    SSL_SESSION *session = SSL_get_session(ssl);
    unsigned char secret[64] = { 0 };
    size_t len = SSL_SESSION_get_master_key(session, secret, sizeof(secret));
    unsigned id_len;
    const unsigned char *ticket;
    size_t ticket_len;

    (void)SSL_SESSION_get_id(session, &id_len);
    SSL_SESSION_get0_ticket(session, &ticket, &ticket_len);
    note("%s: reused %d, %s, id %u, ticket %s%zu, secret %zu%s, resumable %d, verify %ld, ems %ld",
         ssl_get_name(ssl), SSL_session_reused(ssl), SSL_get_cipher_name(ssl), id_len,
         ticket_len > 0 && memcmp(ticket, "the", 3) == 0 ? "ours " : "",
         ticket_len > 0 && memcmp(ticket, "the", 3) == 0 ? ticket_len : (size_t)(ticket_len > 0),
         len, len >= 16 && memcmp(secret, "xxxxxxxxxxxxxxxx", 16) == 0 ? " given" : "",
         SSL_SESSION_is_resumable(session), SSL_get_verify_result(ssl), SSL_get_extms_support(ssl));
    note("  suite of the session %s, peer's certificate %d",
         SSL_SESSION_get0_cipher(session) != NULL
             ? SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(session))
             : "none",
         SSL_get0_peer_certificate(ssl) != NULL);
}

static void log_both(const struct site *site)
{
    log_outcome(site->pair.client);
    log_outcome(site->pair.server);
    note("client ciphers %d", SSL_get_client_ciphers(site->pair.server) != NULL);
}

static void begin(struct site *site, const char *title, int version)
{
    section("%s", title);
    site_init_version(site, version);
    SSL_CTX_set_security_level(site->client_ctx, version < TLS1_2_VERSION ? 0 : 1);
    SSL_CTX_set_security_level(site->server_ctx, version < TLS1_2_VERSION ? 0 : 1);
}

static void finish(struct site *site)
{
    if (log_handshake(site->pair.client, site->pair.server)) {
        log_both(site);
        log_alive(site->pair.client, site->pair.server);
    }
    log_statistics(site);
    site_end(site);
    site_free(site);
    reset();
}

/* One connection between both sides as they are described now. */
static void run_version(const char *title, int version)
{
    struct site site;

    begin(&site, title, version);
    site_begin(&site);
    set_up(site.pair.client, &client);
    set_up(site.pair.server, &server);
    finish(&site);
}

static void run(const char *title)
{
    run_version(title, TLS1_2_VERSION);
}

static void test_accepted(void)
{
    struct site site;

    begin(&site, "every step", TLS1_2_VERSION);
    trace_plan_reset();
    trace_ctx(site.client_ctx, false, TRACE_CALLS);
    trace_ctx(site.server_ctx, true, TRACE_CALLS | TRACE_SERVER_NAME | TRACE_CERT | TRACE_STATUS);
    site_begin(&site);
    set_up(site.pair.client, &client);
    set_up(site.pair.server, &server);
    REQUIRE(SSL_set_tlsext_host_name(site.pair.client, "localhost") == 1);
    finish(&site);
    server.suite = "ECDHE-ECDSA-CHACHA20-POLY1305";
    client.suite = "ECDHE-ECDSA-AES128-SHA256";
    run("both choose one");
    client.suite = "ECDHE-ECDSA-AES128-SHA256";
    run("the client's application chooses one");
    server.suite = NULL;
    run_version("TLS 1.1, where nobody chooses", TLS1_1_VERSION);
    server.suite = NULL;
    run_version("TLS 1.0, where nobody chooses", TLS1_VERSION);
    server.suite = NULL;
    difference_begin("secret-without-suite");
    run("TLS 1.2, where nobody chooses");
    difference_end();
    client.secret_len = server.secret_len = 10;
    run("a short secret");
    client.listens = 1;
    run("the client listens, too");
}

static void test_refused(void)
{
    server.answer = 0;
    run("the server's application does not know the ticket");
    server.secret_len = 0;
    run("the server's application gives an empty secret");
    server.asks = false;
    run("a server that knows nothing of it");
    server.asks = false;
    server.listens = -1;
    run("a server that does not even listen");
    server.listens = 0;
    run("the server's application refuses the ticket");
    client.answer = 0;
    run("the client's application has no secret");
    client.secret_len = 0;
    run("the client's application has an empty secret");
    client.asks = false;
    run("a client that has a ticket and no callback");
    client.fill = 'y';
    run("different secrets");
    client.listens = 0;
    server.answer = 0;
    run("the client refuses what the server says");
    server.suite = "AES128-SHA";
    run("a suite that the client has, and the certificate does not fit");
}

static void test_tickets(void)
{
    client.ticket = NULL;
    run("a client without a ticket");
    client.ticket_len = -1;
    run("a client that wants no extension");
    client.ticket = NULL;
    client.asks = false;
    run("a server alone that gives secrets");
    client.ticket_len = -1;
    server.asks = false;
    run("no extension, a usual server");
}

/* An extension without content is what a client without a ticket sends. */
static void test_empty(void)
{
    client.ticket_len = 0;
    run("a ticket of no bytes");
}

static int on_decrypted(SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t len,
                        SSL_TICKET_STATUS status, void *arg)
{
    (void)name;
    note("%s has a ticket: session %d, name %zu, status %d", ssl_get_name(ssl), session != NULL,
         len, (int)status);
    return *(int *)arg;
}

static void test_ticket_callback(void)
{
    static int answers[] = { SSL_TICKET_RETURN_ABORT, SSL_TICKET_RETURN_IGNORE,
                             SSL_TICKET_RETURN_IGNORE_RENEW, SSL_TICKET_RETURN_USE,
                             SSL_TICKET_RETURN_USE_RENEW };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct site site;

        begin(&site, "with a callback for tickets", TLS1_2_VERSION);
        note("that answers %d", answers[i]);
        CHECK(SSL_CTX_set_session_ticket_cb(site.server_ctx, NULL, on_decrypted, &answers[i]) == 1);
        site_begin(&site);
        set_up(site.pair.client, &client);
        set_up(site.pair.server, &server);
        finish(&site);
    }
}

/* Sessions of the usual kind between the same peers. */
static void test_sessions(void)
{
    for (int i = 0; i < 8; i++) {
        struct site site;

        begin(&site, "a session beside it", TLS1_2_VERSION);
        note("client has a ticket %d, server gives secrets %d, sessions by id %d", i & 1,
             (i & 2) != 0, (i & 4) != 0);
        if ((i & 4) != 0) {
            (void)SSL_CTX_set_options(site.server_ctx, SSL_OP_NO_TICKET);
        }
        (void)site_visit(&site);
        site_begin(&site);
        client.asks = client.ticket != NULL;
        client.ticket = (i & 1) != 0 ? client.ticket : NULL;
        server.asks = (i & 2) != 0;
        set_up(site.pair.client, &client);
        set_up(site.pair.server, &server);
        finish(&site);
    }
}

static void test_options(void)
{
    static const uint64_t options[] = { SSL_OP_NO_TICKET, SSL_OP_NO_EXTENDED_MASTER_SECRET };

    for (size_t i = 0; i < 6; i++) {
        struct site site;

        begin(&site, "with an option", TLS1_2_VERSION);
        site_begin(&site);
        if (i % 3 != 1) {
            (void)SSL_set_options(site.pair.client, options[i / 3]);
        }
        if (i % 3 != 0) {
            (void)SSL_set_options(site.pair.server, options[i / 3]);
        }
        set_up(site.pair.client, &client);
        set_up(site.pair.server, &server);
        finish(&site);
    }
}

/* TLS 1.3 knows nothing of it. */
static void test_versions(void)
{
    struct site site;

    for (int i = 0; i < 2; i++) {
        begin(&site, "a client that could speak TLS 1.3, too", TLS1_2_VERSION);
        CHECK(SSL_CTX_set_max_proto_version(site.client_ctx, TLS1_3_VERSION) == 1);
        if (i == 1) {
            CHECK(SSL_CTX_set_max_proto_version(site.server_ctx, TLS1_3_VERSION) == 1);
        }
        site_begin(&site);
        set_up(site.pair.client, &client);
        set_up(site.pair.server, &server);
        difference_begin("application-ticket-beside-tls13");
        finish(&site);
        difference_end();
    }
}

/* Callbacks and ticket stay until others are set. OpenSSL frees a list twice, which ends the
 * program: on the system's library this is left out. */
static void test_again(void)
{
    struct site site;

    difference_begin("application-secret-again");
    if (!on_tenon()) {
        note("left out");
        difference_end();
        return;
    }
    begin(&site, "connections that are used again", TLS1_2_VERSION);
    site_begin(&site);
    set_up(site.pair.client, &client);
    CHECK(drive_handshake(site.pair.client, site.pair.server));
    CHECK(SSL_session_reused(site.pair.client) == 0);
    (void)call_shutdown(site.pair.client);
    (void)call_shutdown(site.pair.server);
    (void)call_shutdown(site.pair.client);
    (void)call_shutdown(site.pair.server);
    CHECK(SSL_clear(site.pair.client) == 1 && SSL_clear(site.pair.server) == 1);
    (void)SSL_set_session(site.pair.client, NULL);
    set_up(site.pair.server, &server);
    CHECK(drive_handshake(site.pair.client, site.pair.server));
    CHECK(SSL_session_reused(site.pair.client) == 1 && SSL_session_reused(site.pair.server) == 1);
    log_alive(site.pair.client, site.pair.server);
    finish(&site);
    difference_end();
}

static void test_calls(void)
{
    section("calls");
    note("without a connection %d %d", SSL_set_session_secret_cb(NULL, on_secret, NULL),
         SSL_set_session_ticket_ext_cb(NULL, on_ticket, NULL));
}

int main(void)
{
    contract_start();
    reset();
    test_accepted();
    test_refused();
    test_tickets();
    test_empty();
    test_ticket_callback();
    test_sessions();
    test_options();
    test_versions();
    test_again();
    test_calls();
    identity_default_free();
    return contract_finish();
}
