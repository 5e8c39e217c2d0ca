/*
 * The scenarios of resumption in TLS 1.2: the full handshake that makes a session, abbreviated ones
 * by id and by ticket, and when the callbacks about sessions and tickets are called in them.
 *
 * The ticket keys are the application's, so that tickets have the same length in every run. The
 * length of a ticket for a session that has an id already is each library's own.
 */
#include "callback_order.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

/* Where a ticket for such a session is sent. */
#define RENEWING (TRACE_INFO | TRACE_KEYLOG | QUESTIONS)

static SSL_CTX *client_ctx;
static SSL_CTX *server_ctx;
static SSL_SESSION *session; /* of the last connection, the client's */

/* --- The callbacks --- */

static struct {
    int seal; /* what ticket_key_cb answers */
    int open; /* and when it opens */
    bool not_resumable;
    SSL_TICKET_RETURN decrypted;
} answers;

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

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    (void)id;
    note("%s get_session_cb [%s] id %d copy %d", ssl_get_name(ssl), SSL_state_string(ssl), len,
         *copy);
    return NULL;
}

static int on_name_session(SSL *ssl, unsigned char *id, unsigned *len)
{
    static unsigned char next;

    note("%s generate_session_id [%s] room %u", ssl_get_name(ssl), SSL_state_string(ssl), *len);
    memset(id, next++, *len);
    return 1;
}

static int on_not_resumable(SSL *ssl, int forward_secure)
{
    note("%s not_resumable_session_cb [%s] %d", ssl_get_name(ssl), SSL_state_string(ssl),
         forward_secure);
    return answers.not_resumable;
}

static int on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                         EVP_MAC_CTX *mac, int seal)
{
    unsigned char key[32] = "thirty-two bytes are a key here";
    char digest[] = "SHA256";
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key, sizeof(key)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    int answer = seal ? answers.seal : answers.open;

    note("%s ticket_key_cb [%s] seal %d -> %d", ssl_get_name(ssl), SSL_state_string(ssl), seal,
         answer);
    if (seal) {
        memset(name, 'n', 16);
        memset(iv, 'v', 16);
    }
    if (answer > 0) {
        REQUIRE(EVP_CipherInit_ex2(cipher, EVP_aes_256_cbc(), key, iv, seal, NULL) == 1);
        REQUIRE(EVP_MAC_CTX_set_params(mac, params) == 1);
    }
    return answer;
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
    SSL_TICKET_RETURN answer = answers.decrypted;

    (void)name;
    (void)arg;
    if (opened == NULL && answer == SSL_TICKET_RETURN_USE) {
        answer = SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    note("%s decrypt_ticket_cb [%s] session %d name %zu status %d -> %d", ssl_get_name(ssl),
         SSL_state_string(ssl), opened != NULL, name_len, (int)status, (int)answer);
    return answer;
}

/* --- Contexts and connections --- */

static SSL_CTX *context(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL && SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) == 1);
    REQUIRE(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"golden", 6) == 1);
    identity_trust(root, ctx);
    SSL_CTX_sess_set_new_cb(ctx, on_new);
    SSL_CTX_sess_set_remove_cb(ctx, on_remove);
    return ctx;
}

static void begin(bool tickets)
{
    static unsigned char keys[80] = "keys of tickets";

    answers.seal = answers.open = 1;
    answers.not_resumable = false;
    answers.decrypted = SSL_TICKET_RETURN_USE;
    client_ctx = context(TLS_client_method());
    server_ctx = context(TLS_server_method());
    identity_use_ctx(leaf, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    (void)SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
    (void)SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_SERVER);
    SSL_CTX_sess_set_get_cb(server_ctx, on_get);
    (void)SSL_CTX_set_generate_session_id(server_ctx, on_name_session);
    SSL_CTX_set_not_resumable_session_callback(server_ctx, on_not_resumable);
    REQUIRE(SSL_CTX_set_tlsext_ticket_keys(server_ctx, keys, sizeof(keys)) == 1);
    if (!tickets) {
        (void)SSL_CTX_set_options(server_ctx, SSL_OP_NO_TICKET);
    }
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
    trace_ssl(p.client, TRACE_TLSEXT_DEBUG);
    trace_ssl(p.server, TRACE_TLSEXT_DEBUG);
    note("both done: %d", trace_pair(p.client, p.server));
    note("reused %d %d", SSL_session_reused(p.client), SSL_session_reused(p.server));
    section("closing");
    close_pair(&p);
}

/* --- Scenarios --- */

static void first_by_ticket(void)
{
    begin(true);
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void first_by_id(void)
{
    begin(false);
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void first_not_resumable(void)
{
    begin(true);
    answers.not_resumable = true;
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void again(bool by_ticket, unsigned events)
{
    begin(by_ticket);
    visit_unrecorded();
    trace(events);
    visit();
    end();
}

static void by_ticket(void)
{
    again(true, TRACE_CALLS);
}

static void by_id(void)
{
    again(false, TRACE_CALLS);
}

static void by_ticket_questions(void)
{
    again(true, TRACE_CALLS | QUESTIONS | TRACE_EXTENSIONS_TLS12);
}

static void by_id_questions(void)
{
    again(false, TRACE_CALLS | QUESTIONS | TRACE_EXTENSIONS_TLS12);
}

static void by_id_new_ticket(void)
{
    begin(false);
    visit_unrecorded();
    (void)SSL_CTX_clear_options(server_ctx, SSL_OP_NO_TICKET);
    trace(RENEWING);
    visit();
    end();
}

static void by_foreign_id(void)
{
    begin(false);
    visit_unrecorded();
    SSL_CTX_flush_sessions(server_ctx, 0);
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void by_foreign_ticket(void)
{
    unsigned char keys[80] = "keys of tickets, later";

    begin(true);
    visit_unrecorded();
    REQUIRE(SSL_CTX_set_tlsext_ticket_keys(server_ctx, keys, sizeof(keys)) == 1);
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void with_keys(int seal, int open, bool again_too)
{
    begin(true);
    (void)SSL_CTX_set_tlsext_ticket_key_evp_cb(server_ctx, on_ticket_key);
    if (again_too) {
        visit_unrecorded();
    }
    answers.seal = seal;
    answers.open = open;
    trace(open == 2 && seal == 1 ? RENEWING : TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void keys_renewed(void)
{
    with_keys(1, 2, true);
}

static void keys_renewed_without(void)
{
    with_keys(0, 2, true);
}

static void keys_unknown(void)
{
    with_keys(1, 0, true);
}

static void keys_failing(void)
{
    with_keys(1, -1, true);
}

static void keys_none(void)
{
    with_keys(0, 1, false);
}

static void keys_failing_to_seal(void)
{
    with_keys(-1, 1, false);
}

static void with_appdata(SSL_TICKET_RETURN answer, bool foreign)
{
    unsigned char keys[80] = "keys of tickets, later";

    begin(true);
    REQUIRE(SSL_CTX_set_session_ticket_cb(server_ctx, on_generate_ticket, on_decrypted_ticket,
                                          NULL) == 1);
    visit_unrecorded();
    if (foreign) {
        REQUIRE(SSL_CTX_set_tlsext_ticket_keys(server_ctx, keys, sizeof(keys)) == 1);
    }
    answers.decrypted = answer;
    trace(answer == SSL_TICKET_RETURN_USE_RENEW ? RENEWING : TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void appdata_used(void)
{
    with_appdata(SSL_TICKET_RETURN_USE, false);
}

static void appdata_renewed(void)
{
    with_appdata(SSL_TICKET_RETURN_USE_RENEW, false);
}

static void appdata_ignored(void)
{
    with_appdata(SSL_TICKET_RETURN_IGNORE, false);
}

static void appdata_ignored_renewed(void)
{
    with_appdata(SSL_TICKET_RETURN_IGNORE_RENEW, false);
}

static void appdata_aborted(void)
{
    with_appdata(SSL_TICKET_RETURN_ABORT, false);
}

static void appdata_foreign(void)
{
    with_appdata(SSL_TICKET_RETURN_USE, true);
}

static void suspended_hello(void)
{
    trace_plan.hello_pauses = 2;
    begin(true);
    visit_unrecorded();
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void refused_master_secret(void)
{
    begin(true);
    visit_unrecorded();
    (void)SSL_CTX_set_options(client_ctx, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

static void fatal_name(void)
{
    begin(true);
    visit_unrecorded();
    trace_plan.sni_result = SSL_TLSEXT_ERR_ALERT_FATAL;
    trace(TRACE_CALLS | QUESTIONS);
    visit();
    end();
}

/* --- Renegotiation --- */

/* `first` begins; both are driven by reads. */
static void renegotiate(bool tickets, bool by_client, bool abbreviated, uint64_t server_options)
{
    struct pair p;
    SSL *first;
    SSL *second;

    begin(tickets);
    trace(TRACE_CALLS | QUESTIONS);
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION | server_options);
    make_pair(&p);
    connect_unrecorded(&p);
    first = by_client ? p.client : p.server;
    second = by_client ? p.server : p.client;
    section("renegotiation");
    if (abbreviated) {
        (void)log_call(first, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(first));
    } else {
        (void)log_call(first, "SSL_renegotiate", SSL_renegotiate(first));
    }
    (void)trace_handshake(first);
    for (int i = 0; i < 3; i++) {
        read_once(second);
        read_once(first);
    }
    note("reused %d %d", SSL_session_reused(p.client), SSL_session_reused(p.server));
    (void)call_write(first, "hello", 5);
    read_once(second);
    close_pair(&p);
    end();
}

static void renegotiation_of_client_by_ticket(void)
{
    renegotiate(true, true, true, 0);
}

static void renegotiation_of_client_by_id(void)
{
    renegotiate(false, true, true, 0);
}

static void renegotiation_of_client_full(void)
{
    renegotiate(true, true, false, 0);
}

static void renegotiation_of_server_by_ticket(void)
{
    renegotiate(true, false, false, 0);
}

static void renegotiation_of_server_by_id(void)
{
    renegotiate(false, false, true, 0);
}

static void renegotiation_of_server_full(void)
{
    renegotiate(false, false, false, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
}

const struct scenario scenarios_resume12[] = {
    { "resume12_first_by_ticket", first_by_ticket },
    { "resume12_first_by_id", first_by_id },
    { "resume12_first_not_resumable", first_not_resumable },
    { "resume12_by_ticket", by_ticket },
    { "resume12_by_id", by_id },
    { "resume12_by_ticket_questions", by_ticket_questions },
    { "resume12_by_id_questions", by_id_questions },
    { "resume12_by_id_new_ticket", by_id_new_ticket },
    { "resume12_by_foreign_id", by_foreign_id },
    { "resume12_by_foreign_ticket", by_foreign_ticket },
    { "resume12_keys_renewed", keys_renewed },
    { "resume12_keys_renewed_without", keys_renewed_without },
    { "resume12_keys_unknown", keys_unknown },
    { "resume12_keys_failing", keys_failing },
    { "resume12_keys_none", keys_none },
    { "resume12_keys_failing_to_seal", keys_failing_to_seal },
    { "resume12_appdata_used", appdata_used },
    { "resume12_appdata_renewed", appdata_renewed },
    { "resume12_appdata_ignored", appdata_ignored },
    { "resume12_appdata_ignored_renewed", appdata_ignored_renewed },
    { "resume12_appdata_aborted", appdata_aborted },
    { "resume12_appdata_foreign", appdata_foreign },
    { "resume12_suspended_hello", suspended_hello },
    { "resume12_refused_master_secret", refused_master_secret },
    { "resume12_fatal_name", fatal_name },
    { "resume12_renegotiation_of_client_by_ticket", renegotiation_of_client_by_ticket },
    { "resume12_renegotiation_of_client_by_id", renegotiation_of_client_by_id },
    { "resume12_renegotiation_of_client_full", renegotiation_of_client_full },
    { "resume12_renegotiation_of_server_by_ticket", renegotiation_of_server_by_ticket },
    { "resume12_renegotiation_of_server_by_id", renegotiation_of_server_by_id },
    { "resume12_renegotiation_of_server_full", renegotiation_of_server_full },
};

const size_t num_scenarios_resume12 = sizeof(scenarios_resume12) / sizeof(scenarios_resume12[0]);
