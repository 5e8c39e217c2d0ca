/*
 * Resumption in TLS 1.2 through the public API where the system's library cannot be the measure:
 * every allocation of an abbreviated handshake fails in turn, and a session that is resumed stays
 * as it is, because other connections may have it.
 */
#include "unit.h"

#include "engines.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static struct {
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    SSL *client;
    SSL *server;
    SSL_SESSION *clients; /* as the full handshake left them: never used themselves */
    SSL_SESSION *servers;
    bool by_ticket;
    bool judges_client; /* allocations fail on that side alone */
    size_t num_full;
    size_t num_resumed;
} p;

/* Also gives a new ticket each time. */
static SSL_TICKET_RETURN renew(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                               size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl;
    (void)name;
    (void)name_len;
    (void)arg;
    if (session == NULL) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}

static int add_data(SSL *ssl, void *arg)
{
    (void)arg;
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), "data", 4);
}

static SSL_CTX *make_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_certificate(ctx, endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, endpoint_key()), 1);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"unit", 4), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ctx;
}

static void make_link(void)
{
    BIO *to_client = BIO_new(BIO_s_mem());
    BIO *to_server = BIO_new(BIO_s_mem());

    p.client = SSL_new(p.client_ctx);
    p.server = SSL_new(p.server_ctx);
    assert_true(to_client != NULL && to_server != NULL && p.client != NULL && p.server != NULL);
    BIO_up_ref(to_client);
    BIO_up_ref(to_server);
    SSL_set_bio(p.client, to_client, to_server);
    SSL_set_bio(p.server, to_server, to_client);
    assert_int_equal(SSL_set_tlsext_host_name(p.client, "unit.example"), 1);
    SSL_set_connect_state(p.client);
    SSL_set_accept_state(p.server);
}

static void free_link(void)
{
    SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN);
    SSL_set_shutdown(p.server, SSL_SENT_SHUTDOWN);
    SSL_free(p.client);
    SSL_free(p.server);
}

/* False: the call failed, with an error. */
static bool turn(SSL *ssl, bool judged, bool *done)
{
    failing_alloc_pause(!judged);
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    int error = SSL_get_error(ssl, result);
    failing_alloc_pause(true);

    *done = result == 1;
    if (*done || error == SSL_ERROR_WANT_READ) {
        return true;
    }
    assert_int_equal(error, SSL_ERROR_SSL);
    assert_int_not_equal(ERR_peek_error(), 0);
    return false;
}

static bool shake_hands(void)
{
    bool client_done = false;
    bool server_done = false;

    for (int i = 0; i < 10 && !(client_done && server_done); i++) {
        if (!turn(p.client, p.judges_client, &client_done) ||
            !turn(p.server, !p.judges_client, &server_done)) {
            return false;
        }
    }
    return client_done && server_done;
}

/* The full handshake that makes the sessions. */
static void establish(bool by_ticket)
{
    p.by_ticket = by_ticket;
    p.client_ctx = make_ctx();
    p.server_ctx = make_ctx();
    if (by_ticket) {
        assert_int_equal(SSL_CTX_set_session_ticket_cb(p.server_ctx, add_data, renew, NULL), 1);
    } else {
        SSL_CTX_set_options(p.server_ctx, SSL_OP_NO_TICKET);
    }
    make_link();
    assert_true(shake_hands());
    p.clients = SSL_SESSION_dup(SSL_get_session(p.client));
    p.servers = SSL_SESSION_dup(SSL_get_session(p.server));
    assert_true(p.clients != NULL && p.servers != NULL);
    assert_int_equal(SSL_SESSION_has_ticket(p.clients), by_ticket);
    free_link();
}

static void forget(void)
{
    SSL_SESSION_free(p.clients);
    SSL_SESSION_free(p.servers);
    SSL_CTX_free(p.client_ctx);
    SSL_CTX_free(p.server_ctx);
}

/* A session whose connection has failed is given up, so each trial has copies. */
static void use_sessions(void)
{
    SSL_SESSION *copy = SSL_SESSION_dup(p.clients);

    assert_int_equal(SSL_set_session(p.client, copy), 1);
    SSL_SESSION_free(copy);
    if (!p.by_ticket) {
        copy = SSL_SESSION_dup(p.servers);
        (void)SSL_CTX_add_session(p.server_ctx, copy);
        SSL_SESSION_free(copy);
    }
}

static bool live(void *arg)
{
    (void)arg;
    failing_alloc_pause(true);
    make_link();
    use_sessions();
    bool ok = shake_hands();
    if (ok) {
        /* Out of memory, a full handshake may do. */
        p.num_full += SSL_session_reused(p.client) == 0;
        p.num_resumed += SSL_session_reused(p.client) == 1;
        assert_int_equal(SSL_session_reused(p.client), SSL_session_reused(p.server));
        assert_ptr_not_equal(SSL_get0_peer_certificate(p.server), NULL);
        assert_int_equal(SSL_get_verify_result(p.server), X509_V_OK);
        assert_int_equal(SSL_SESSION_is_resumable(SSL_get_session(p.client)), 1);
    }
    free_link();
    failing_alloc_pause(false);
    return ok;
}

static void handshakes_survive_failing_allocations(void **state)
{
    (void)state;
    for (int bits = 0; bits < 4; bits++) {
        failing_alloc_pause(true);
        establish((bits & 1) != 0);
        p.judges_client = (bits & 2) != 0;
        failing_alloc_pause(false);
        p.num_full = p.num_resumed = 0;
        assert_true(live(NULL) && p.num_resumed == 1);
        size_t num = fail_each_allocation(live, NULL, true);
        assert_true(num > 3 && p.num_full <= num / 4 && p.num_resumed > num / 16);
        failing_alloc_pause(true);
        forget();
        failing_alloc_pause(false);
    }
}

static size_t encode(SSL_SESSION *session, unsigned char out[4096])
{
    unsigned char *end = out;
    int len = i2d_SSL_SESSION(session, &end);

    assert_true(len > 0 && len <= 4096);
    return (size_t)len;
}

/* Whatever happens on a connection that resumes it. */
static void assert_untouched(SSL_SESSION *session, const unsigned char *before, size_t len)
{
    unsigned char now[4096];

    assert_int_equal(encode(session, now), len);
    assert_memory_equal(now, before, len);
}

static void a_session_that_is_resumed_is_not_changed(void **state)
{
    unsigned char clients[4096];
    unsigned char servers[4096];

    (void)state;
    for (int by_ticket = 0; by_ticket < 2; by_ticket++) {
        failing_alloc_pause(true);
        establish(by_ticket != 0);
        SSL_SESSION *servers_own = SSL_SESSION_dup(p.servers);
        /* A ticket is given to who has come with an id, too. */
        SSL_CTX_clear_options(p.server_ctx, SSL_OP_NO_TICKET);
        make_link();
        assert_int_equal(SSL_set_session(p.client, p.clients), 1);
        if (!p.by_ticket) {
            SSL_CTX_flush_sessions(p.server_ctx, 0);
            assert_int_equal(SSL_CTX_add_session(p.server_ctx, servers_own), 1);
        }
        size_t clients_len = encode(p.clients, clients);
        size_t servers_len = encode(servers_own, servers);
        assert_true(shake_hands());
        assert_int_equal(SSL_session_reused(p.client), 1);
        assert_untouched(p.clients, clients, clients_len);
        assert_untouched(servers_own, servers, servers_len);
        /* The new ticket is in a copy. */
        assert_ptr_not_equal(SSL_get_session(p.client), p.clients);
        assert_int_equal(SSL_SESSION_has_ticket(SSL_get_session(p.client)), 1);
        free_link();
        SSL_SESSION_free(servers_own);
        forget();
        failing_alloc_pause(false);
    }
}

static int free_identity(void **state)
{
    (void)state;
    endpoint_identity_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handshakes_survive_failing_allocations),
        cmocka_unit_test(a_session_that_is_resumed_is_not_changed),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, free_identity);
}
