/*
 * Next protocol negotiation, which ALPN replaced: the extension 13172 in both hellos, the callbacks
 * of SSL_CTX_set_next_proto_select_cb(3), and the client's choice in a message of its own between
 * ChangeCipherSpec and Finished. Only TLS 1.2 and older, only in a first handshake, never beside
 * ALPN.
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

struct behaviour {
    int advertise; /* what the server's callback answers */
    const char *list;
    size_t list_len;
    int select; /* what the client's callback answers */
    size_t chosen_len;
    int alpn; /* the server's ALPN callback; -1: there is none */
};

static struct behaviour does;
static char names[256];

static int on_advertise(SSL *ssl, const unsigned char **out, unsigned int *len, void *arg)
{
    note("%s advertises in state %s, argument %s -> %d", ssl_get_name(ssl), SSL_state_string(ssl),
         (const char *)arg, does.advertise);
    *out = (const unsigned char *)does.list;
    *len = (unsigned)does.list_len;
    return does.advertise;
}

static int on_select(SSL *ssl, unsigned char **out, unsigned char *out_len, const unsigned char *in,
                     unsigned int in_len, void *arg)
{
    note("%s selects in state %s among %u bytes, argument %s -> %d", ssl_get_name(ssl),
         SSL_state_string(ssl), in_len, (const char *)arg, does.select);
    CHECK(in_len == does.list_len && (in_len == 0 || memcmp(in, does.list, in_len) == 0));
    *out = (unsigned char *)names;
    *out_len = (unsigned char)does.chosen_len;
    return does.select;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)arg;
    (void)in_len;
    note("%s is asked for ALPN -> %d", ssl_get_name(ssl), does.alpn);
    *out = in + 1;
    *out_len = in[0];
    return does.alpn;
}

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
    const unsigned char *bytes = data;

    (void)version;
    (void)arg;
    if (type == SSL3_RT_HANDSHAKE && len > 5 && bytes[0] == SSL3_MT_NEXT_PROTO) {
        bool zeros = true;

        for (size_t i = 6 + (size_t)bytes[4]; i < len; i++) {
            zeros = zeros && bytes[i] == 0;
        }
        note("%s %s NextProto of %zu bytes, name %u, padding %u, zeros %d", ssl_get_name(ssl),
             sent ? "sends" : "receives", len, bytes[4], bytes[5 + bytes[4]], zeros);
    } else if (type == SSL3_RT_ALERT && len == 2) {
        note("%s %s alert %u %u", ssl_get_name(ssl), sent ? "sends" : "receives", bytes[0],
             bytes[1]);
    }
}

static void on_info(const SSL *ssl, int where, int ret)
{
    OSSL_HANDSHAKE_STATE state = SSL_get_state(ssl);

    (void)ret;
    if ((where & SSL_CB_LOOP) != 0 &&
        (state == TLS_ST_CW_NEXT_PROTO || state == TLS_ST_SR_NEXT_PROTO)) {
        note("%s left %s (%s)", ssl_get_name(ssl), SSL_state_string_long(ssl),
             SSL_state_string(ssl));
    }
}

static void log_protocol(SSL *ssl)
{
    const unsigned char *name = (const unsigned char *)"";
    const unsigned char *alpn = NULL;
    unsigned len = 99;
    unsigned alpn_len = 0;

    SSL_get0_next_proto_negotiated(ssl, &name, &len);
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    note("%s: %s, next protocol %u bytes '%.*s'%s, ALPN '%.*s'", ssl_get_name(ssl),
         SSL_get_version(ssl), len, len < 40 ? (int)len : 40,
         name != NULL ? (const char *)name : "", name == NULL ? " (none)" : "", (int)alpn_len,
         alpn != NULL ? (const char *)alpn : "");
}

static void reset(void)
{
    does = (struct behaviour){ SSL_TLSEXT_ERR_OK, "\3foo\3bar", 8, SSL_TLSEXT_ERR_OK, 3, -1 };
    memset(names, 'x', sizeof(names));
    memcpy(names, "foo", 3);
}

#define CLIENT_ASKS  1
#define SERVER_KNOWS 2
#define CLIENT_ALPN  4
#define BOTH         (CLIENT_ASKS | SERVER_KNOWS)

static void start(struct pair *p, unsigned who)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    if ((who & CLIENT_ASKS) != 0) {
        SSL_CTX_set_next_proto_select_cb(client_ctx, on_select, (void *)(uintptr_t) "c");
    }
    if ((who & SERVER_KNOWS) != 0) {
        SSL_CTX_set_next_protos_advertised_cb(server_ctx, on_advertise, (void *)(uintptr_t) "s");
    }
    if (does.alpn >= 0) {
        SSL_CTX_set_alpn_select_cb(server_ctx, on_alpn, NULL);
    }
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_msg_callback(client_ctx, on_message);
    SSL_CTX_set_msg_callback(server_ctx, on_message);
    SSL_CTX_set_info_callback(client_ctx, on_info);
    SSL_CTX_set_info_callback(server_ctx, on_info);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    if ((who & CLIENT_ALPN) != 0) {
        REQUIRE(SSL_set_alpn_protos(p->client, (const unsigned char *)"\2h2\3foo", 7) == 0);
    }
}

static void run(const char *title, unsigned who)
{
    struct pair p;

    section("%s", title);
    start(&p, who);
    if (log_handshake(p.client, p.server)) {
        log_alive(p.client, p.server);
    }
    log_protocol(p.client);
    log_protocol(p.server);
    pair_free(&p);
    reset();
}

static void test_callbacks(void)
{
    static const int answers[] = { SSL_TLSEXT_ERR_ALERT_WARNING, SSL_TLSEXT_ERR_ALERT_FATAL,
                                   SSL_TLSEXT_ERR_NOACK, -1, 17 };

    run("both sides", BOTH);
    run("only the client", CLIENT_ASKS);
    run("only the server", SERVER_KNOWS);
    run("neither", 0);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        does.advertise = answers[i];
        run("the server's callback declines", BOTH);
        does.select = answers[i];
        run("the client's callback declines", BOTH);
    }
}

static void test_lists(void)
{
    static const struct {
        const char *list;
        size_t len;
    } lists[] = { { "", 0 },          { "\0", 1 },  { "\3foo\0", 5 },   { "\4foo", 4 },
                  { "\3foo\3ba", 7 }, { "\1a", 2 }, { "\3foo\3foo", 8 } };
    static const size_t lens[] = { 0, 1, 29, 30, 31, 62, 63, 255 };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        does.list = lists[i].list;
        does.list_len = lists[i].len;
        run("a list that may be malformed", BOTH);
    }
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        does.chosen_len = lens[i];
        run("a choice of any length", BOTH);
    }
}

static void test_alpn(void)
{
    static const int answers[] = { SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_NOACK,
                                   SSL_TLSEXT_ERR_ALERT_FATAL };

    run("ALPN, which the server does not know", BOTH | CLIENT_ALPN);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        does.alpn = answers[i];
        run("ALPN, which the server knows", BOTH | CLIENT_ALPN);
        does.alpn = answers[i];
        run("a server that knows ALPN, a client that does not", BOTH);
    }
}

static void test_versions(void)
{
    static const struct {
        int client;
        int server;
    } versions[] = { { TLS1_3_VERSION, TLS1_2_VERSION },
                     { TLS1_2_VERSION, TLS1_3_VERSION },
                     { TLS1_3_VERSION, TLS1_3_VERSION } };

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct pair p;

        section("versions up to %x and %x", (unsigned)versions[i].client,
                (unsigned)versions[i].server);
        start(&p, BOTH);
        CHECK(SSL_set_max_proto_version(p.client, versions[i].client) == 1);
        CHECK(SSL_set_max_proto_version(p.server, versions[i].server) == 1);
        (void)log_handshake(p.client, p.server);
        log_protocol(p.client);
        log_protocol(p.server);
        pair_free(&p);
    }
}

/* The client of a second pair of the same contexts has the session of the first. */
static void resume(const struct pair *first)
{
    SSL_SESSION *session = SSL_get1_session(first->client);
    struct pair p;

    SSL_CTX_up_ref(first->client_ctx);
    SSL_CTX_up_ref(first->server_ctx);
    pair_init_ctx(&p, first->client_ctx, first->server_ctx, OVER_MEMORY, 0);
    (void)SSL_clear_options(p.client, SSL_OP_NO_TICKET);
    (void)SSL_clear_options(p.server, SSL_OP_NO_TICKET);
    CHECK(SSL_set_session(p.client, session) == 1);
    does.chosen_len = 1;
    (void)log_handshake(p.client, p.server);
    note("reused %d %d", SSL_session_reused(p.client), SSL_session_reused(p.server));
    log_protocol(p.client);
    log_protocol(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
    SSL_SESSION_free(session);
    reset();
}

/* A renegotiation neither asks nor forgets; a connection that is used again does both. */
static void test_again(void)
{
    struct pair p;

    section("renegotiation");
    start(&p, BOTH);
    CHECK(log_handshake(p.client, p.server));
    CHECK(SSL_renegotiate(p.client) == 1 && SSL_do_handshake(p.client) == -1);
    log_alive(p.client, p.server);
    log_protocol(p.client);
    log_protocol(p.server);
    pair_free(&p);
    section("a session that is resumed");
    start(&p, BOTH);
    SSL_CTX_set_session_cache_mode(p.client_ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_set_session_cache_mode(p.server_ctx, SSL_SESS_CACHE_BOTH);
    (void)SSL_clear_options(p.client, SSL_OP_NO_TICKET);
    (void)SSL_clear_options(p.server, SSL_OP_NO_TICKET);
    CHECK(drive_handshake(p.client, p.server));
    resume(&p);
    pair_free(&p);
    section("a connection that is used again");
    start(&p, BOTH);
    CHECK(drive_handshake(p.client, p.server));
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    CHECK(SSL_clear(p.client) == 1 && SSL_clear(p.server) == 1);
    log_protocol(p.client);
    log_protocol(p.server);
    does.chosen_len = 2;
    CHECK(log_handshake(p.client, p.server));
    log_protocol(p.client);
    log_protocol(p.server);
    pair_free(&p);
    reset();
}

/* The callbacks are the context's of the moment, also when it is exchanged on the way. */
static void test_moment(void)
{
    struct pair p;

    section("a client that forgets its callback");
    start(&p, BOTH);
    (void)SSL_do_handshake(p.client);
    (void)SSL_do_handshake(p.server);
    SSL_CTX_set_next_proto_select_cb(p.client_ctx, NULL, NULL);
    (void)log_handshake(p.client, p.server);
    log_protocol(p.client);
    log_protocol(p.server);
    pair_free(&p);
    section("a server that learns it late");
    start(&p, CLIENT_ASKS);
    (void)SSL_do_handshake(p.client);
    SSL_CTX_set_next_protos_advertised_cb(p.server_ctx, on_advertise, NULL);
    (void)log_handshake(p.client, p.server);
    log_protocol(p.client);
    log_protocol(p.server);
    pair_free(&p);
}

static void test_trace(void)
{
    struct pair p;
    BIO *out = BIO_new(BIO_s_mem());
    char line[512];
    bool shown = false;

    section("SSL_trace");
    start(&p, BOTH);
    SSL_set_msg_callback(p.client, SSL_trace);
    SSL_set_msg_callback_arg(p.client, out);
    CHECK(drive_handshake(p.client, p.server));
    while (BIO_gets(out, line, sizeof(line)) > 0) {
        shown = (shown && line[0] != '\n') || strstr(line, "NextProto") != NULL;
        if (shown || strstr(line, "next_proto") != NULL) {
            line[strcspn(line, "\n")] = 0;
            note("%s", line);
        }
    }
    BIO_free(out);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    reset();
    test_callbacks();
    test_lists();
    test_alpn();
    test_versions();
    test_again();
    test_moment();
    test_trace();
    identity_default_free();
    return contract_finish();
}
