/*
 * The scenarios of sessions in TLS 1.3: the tickets behind a handshake, its resumption, with and
 * without a HelloRetryRequest, external pre-shared keys, early data, and when the callbacks about
 * sessions and tickets are called in them.
 */
#include "callback_order.h"

#include <openssl/err.h>
#include <string.h>

static SSL_CTX *client_ctx;
static SSL_CTX *server_ctx;
static SSL_SESSION *session; /* of the last connection, the client's */

/* --- The callbacks --- */

static int on_new(SSL *ssl, SSL_SESSION *made)
{
    unsigned len;

    (void)SSL_SESSION_get_id(made, &len);
    note("%s new_session_cb [%s] id %u ticket %d in init %d", ssl_get_name(ssl),
         SSL_state_string(ssl), len, SSL_SESSION_has_ticket(made), SSL_in_init(ssl));
    return 0;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *removed)
{
    unsigned len;

    (void)SSL_SESSION_get_id(removed, &len);
    note("%s remove_session_cb id %u", ctx == client_ctx ? "client" : "server", len);
}

static int on_generate_ticket(SSL *ssl, void *arg)
{
    (void)arg;
    note("%s generate_ticket_cb [%s]", ssl_get_name(ssl), SSL_state_string(ssl));
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), "appdata", 7);
}

static SSL_TICKET_RETURN on_decrypted_ticket(SSL *ssl, SSL_SESSION *opened,
                                             const unsigned char *name, size_t name_len,
                                             SSL_TICKET_STATUS status, void *arg)
{
    (void)name;
    (void)arg;
    note("%s decrypt_ticket_cb [%s] session %d name %zu status %d", ssl_get_name(ssl),
         SSL_state_string(ssl), opened != NULL, name_len, (int)status);
    return opened != NULL ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
}

static SSL_SESSION *make_psk(SSL *ssl)
{
    static const unsigned char suite[] = { 0x13, 0x01 };
    SSL_SESSION *made = SSL_SESSION_new();

    REQUIRE(made != NULL &&
            SSL_SESSION_set1_master_key(made, (const unsigned char *)"sixteen bytes...", 16) == 1 &&
            SSL_SESSION_set_cipher(made, SSL_CIPHER_find(ssl, suite)) == 1 &&
            SSL_SESSION_set_protocol_version(made, TLS1_3_VERSION) == 1);
    return made;
}

static int on_use_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len,
                          SSL_SESSION **used)
{
    note("%s psk_use_session_cb [%s] digest %s", ssl_get_name(ssl), SSL_state_string(ssl),
         md != NULL ? EVP_MD_get0_name(md) : "any");
    *used = make_psk(ssl);
    *id = (const unsigned char *)"me";
    *len = 2;
    return 1;
}

static int on_find_session(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **found)
{
    note("%s psk_find_session_cb [%s] %.*s", ssl_get_name(ssl), SSL_state_string(ssl), (int)len,
         (const char *)id);
    *found = make_psk(ssl);
    return 1;
}

static int on_allow_early_data(SSL *ssl, void *arg)
{
    (void)arg;
    note("%s allow_early_data_cb [%s]", ssl_get_name(ssl), SSL_state_string(ssl));
    return 1;
}

/* --- Contexts and connections --- */

static SSL_CTX *context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) == 1);
    REQUIRE(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"golden", 6) == 1);
    REQUIRE(SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256") == 1);
    identity_trust(root, ctx);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    return ctx;
}

static void begin(void)
{
    client_ctx = context(TLS_client_method());
    server_ctx = context(TLS_server_method());
    identity_use_ctx(leaf, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
    (void)SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_SERVER);
    REQUIRE(SSL_CTX_set_session_ticket_cb(server_ctx, on_generate_ticket, on_decrypted_ticket,
                                          NULL) == 1);
}

static void end(void)
{
    SSL_SESSION_free(session);
    session = NULL;
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

static void make_pair(struct pair *p)
{
    REQUIRE(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_set_tlsext_host_name(p->client, "leaf.example") == 1);
    REQUIRE(SSL_set_alpn_protos(p->client, (const unsigned char *)"\2h2\10http/1.1", 12) == 0);
    if (session != NULL) {
        REQUIRE(SSL_set_session(p->client, session) == 1);
    }
}

static void close_pair(struct pair *p)
{
    SSL_SESSION_free(session);
    session = SSL_get1_session(p->client);
    (void)SSL_shutdown(p->client);
    (void)SSL_shutdown(p->server);
    pair_free(p);
}

static void visit_unrecorded(void)
{
    struct pair p;

    log_capture_begin();
    make_pair(&p);
    REQUIRE(drive_handshake(p.client, p.server));
    REQUIRE(drive_transfer(p.server, p.client, "x", 1) == 1);
    close_pair(&p);
    free(log_capture_end());
}

static void trace(unsigned events)
{
    trace_ctx(client_ctx, false, events);
    trace_ctx(server_ctx, true, events);
}

static void visit(void)
{
    struct pair p;

    make_pair(&p);
    note("both done: %d", trace_pair(p.client, p.server));
    note("reused %d %d", SSL_session_reused(p.client), SSL_session_reused(p.server));
    section("reading");
    read_once(p.client);
    section("closing");
    close_pair(&p);
}

/* Message lengths are left out where a ticket is in one: its length is each library's own. */
#define EVENTS (TRACE_INFO | TRACE_KEYLOG | QUESTIONS)

/* --- Scenarios --- */

static void first_tickets(void)
{
    begin();
    trace(EVENTS);
    visit();
    end();
}

static void again(uint64_t options, const char *groups)
{
    begin();
    (void)SSL_CTX_set_options(server_ctx, options);
    visit_unrecorded();
    if (groups != NULL) {
        REQUIRE(SSL_CTX_set1_groups_list(server_ctx, (uintptr_t)groups) == 1);
    }
    trace(EVENTS);
    visit();
    end();
}

static void resumed(void)
{
    again(0, NULL);
}

static void resumed_stateful(void)
{
    again(SSL_OP_NO_TICKET, NULL);
}

static void resumed_retry(void)
{
    again(0, "P-384");
}

static void with_psk(const char *groups)
{
    begin();
    SSL_CTX_set_psk_use_session_callback(client_ctx, on_use_session);
    SSL_CTX_set_psk_find_session_callback(server_ctx, on_find_session);
    if (groups != NULL) {
        REQUIRE(SSL_CTX_set1_groups_list(server_ctx, (uintptr_t)groups) == 1);
    }
    trace(EVENTS);
    visit();
    end();
}

static void psk13(void)
{
    with_psk(NULL);
}

static void psk13_retry(void)
{
    with_psk("P-384");
}

static void early_data(void)
{
    struct pair p;
    char data[8];
    size_t n;

    begin();
    REQUIRE(SSL_CTX_set_max_early_data(server_ctx, 100) == 1);
    SSL_CTX_set_allow_early_data_cb(server_ctx, on_allow_early_data, NULL);
    trace(EVENTS); /* the protocol that it chooses has to be the same */
    visit_unrecorded();
    make_pair(&p);
    note("client writes %d", SSL_write_early_data(p.client, "early", 5, &n));
    note("server reads %d", SSL_read_early_data(p.server, data, sizeof(data), &n));
    note("client %d", SSL_do_handshake(p.client));
    note("server reads %d", SSL_read_early_data(p.server, data, sizeof(data), &n));
    note("server %d", SSL_do_handshake(p.server));
    section("closing");
    close_pair(&p);
    end();
}

const struct scenario scenarios_resume13[] = {
    { "tls13_tickets", first_tickets },
    { "tls13_resumed", resumed },
    { "tls13_resumed_stateful", resumed_stateful },
    { "tls13_resumed_retry", resumed_retry },
    { "tls13_psk", psk13 },
    { "tls13_psk_retry", psk13_retry },
    { "tls13_early_data", early_data },
};
const size_t num_scenarios_resume13 = sizeof(scenarios_resume13) / sizeof(scenarios_resume13[0]);
