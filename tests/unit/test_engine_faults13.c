/*
 * Every allocation fails in turn while a session of TLS 1.3 is resumed: early data, the rest of the
 * handshake, a new ticket, data, closing. Either all goes well in spite of it, or a call fails and
 * leaves an error; nothing crashes, and nothing leaks: the sanitizer looks.
 */
#include "unit.h"

#include "engines.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

static SSL_CTX *client_ctx, *server_ctx;
static SSL *client, *server;
static SSL *judged; /* allocations fail while this one is called */
static SSL_SESSION *session;

/* One call on one side; allocations fail only on the side that is judged. */
#define CALL(ssl, expression)                                                                      \
    (failing_alloc_pause((ssl) != judged), ERR_clear_error(), (expression))

/* What a call that did not succeed has left: it may go on later, or an error. */
static bool may_go_on(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    failing_alloc_pause(true);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return true;
    }
    assert_int_equal(error, SSL_ERROR_SSL);
    assert_int_not_equal(ERR_peek_error(), 0);
    return false;
}

static void make_link(void)
{
    BIO *to_client = BIO_new(BIO_s_mem());
    BIO *to_server = BIO_new(BIO_s_mem());

    client = SSL_new(client_ctx);
    server = SSL_new(server_ctx);
    assert_true(to_client != NULL && to_server != NULL && client != NULL && server != NULL);
    BIO_set_mem_eof_return(to_client, -1);
    BIO_set_mem_eof_return(to_server, -1);
    BIO_up_ref(to_client);
    BIO_up_ref(to_server);
    SSL_set_bio(client, to_client, to_server);
    SSL_set_bio(server, to_server, to_client);
    assert_int_equal(SSL_set_tlsext_host_name(client, "unit.example"), 1);
    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
}

static bool shake_hands(void)
{
    bool client_done = false;
    bool server_done = false;

    for (int turn = 0; turn < 20 && !(client_done && server_done); turn++) {
        int result = CALL(client, SSL_do_handshake(client));
        client_done = result == 1;
        if (!client_done && !may_go_on(client, result)) {
            return false;
        }
        result = CALL(server, SSL_do_handshake(server));
        server_done = result == 1;
        if (!server_done && !may_go_on(server, result)) {
            return false;
        }
    }
    return client_done && server_done;
}

static bool send(SSL *from, SSL *to, const char *text)
{
    char received[64];
    int len = (int)strlen(text);
    int result = CALL(from, SSL_write(from, text, len));

    if (result != len) {
        assert_false(may_go_on(from, result));
        return false;
    }
    result = CALL(to, SSL_read(to, received, sizeof(received)));
    if (result <= 0) {
        (void)may_go_on(to, result);
        return false;
    }
    assert_int_equal(result, len);
    assert_memory_equal(received, text, (size_t)len);
    return true;
}

static bool send_early(void)
{
    char received[64];
    size_t n = 0;
    int result = CALL(client, SSL_write_early_data(client, "early", 5, &n));

    if (result != 1) {
        assert_false(may_go_on(client, result));
        return false;
    }
    for (int turn = 0; turn < 3; turn++) {
        result = CALL(server, SSL_read_early_data(server, received, sizeof(received), &n));
        if (result == SSL_READ_EARLY_DATA_ERROR) {
            return may_go_on(server, -1);
        }
        if (result == SSL_READ_EARLY_DATA_FINISH) {
            return true; /* rejected, as a ticket that cannot be opened is of no use */
        }
        assert_true(n == 5 && memcmp(received, "early", 5) == 0);
    }
    return true;
}

/* The end of early data comes before what the client sends otherwise. */
static bool end_early(void)
{
    char received[8];
    size_t n;
    int result = CALL(client, SSL_do_handshake(client));

    if (result != 1) {
        return may_go_on(client, result);
    }
    if (SSL_get_early_data_status(server) != SSL_EARLY_DATA_ACCEPTED) {
        return true;
    }
    result = CALL(server, SSL_read_early_data(server, received, sizeof(received), &n));
    /* What is behind the end may have failed already. */
    return result == SSL_READ_EARLY_DATA_FINISH ? ERR_peek_error() == 0 : may_go_on(server, -1);
}

static bool live(void *arg)
{
    const bool *judge_client = arg;

    failing_alloc_pause(true);
    make_link();
    SSL_SESSION *own = SSL_SESSION_dup(session);
    assert_int_equal(SSL_set_session(client, own), 1);
    SSL_SESSION_free(own);
    judged = *judge_client ? client : server;
    bool ok = send_early() && end_early() && shake_hands() && send(client, server, "hello") &&
              send(server, client, "world");
    failing_alloc_pause(true);
    if (ok) {
        assert_int_equal(SSL_session_reused(client), SSL_session_reused(server));
    }
    SSL_free(client);
    SSL_free(server);
    ERR_clear_error();
    failing_alloc_pause(false);
    return ok;
}

static int make_session(void **state)
{
    (void)state;
    failing_alloc_pause(true);
    client_ctx = SSL_CTX_new(TLS_method());
    server_ctx = SSL_CTX_new(TLS_method());
    assert_true(client_ctx != NULL && server_ctx != NULL);
    assert_int_equal(SSL_CTX_use_certificate(server_ctx, endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(server_ctx, endpoint_key()), 1);
    /* One ticket serves every trial. */
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_NO_ANTI_REPLAY);
    assert_int_equal(SSL_CTX_set_max_early_data(server_ctx, 100), 1);
    make_link();
    judged = NULL;
    assert_true(shake_hands() && send(server, client, "ticket"));
    failing_alloc_pause(true);
    session = SSL_get1_session(client);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    (void)SSL_shutdown(client);
    SSL_free(client);
    SSL_free(server);
    failing_alloc_pause(false);
    return 0;
}

static int free_session(void **state)
{
    (void)state;
    failing_alloc_pause(true);
    SSL_SESSION_free(session);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    endpoint_identity_free();
    return 0;
}

static void a_client_survives_failing_allocations(void **state)
{
    bool judge_client = true;

    (void)state;
    assert_true(fail_each_allocation(live, &judge_client, true) > 20);
}

static void a_server_survives_failing_allocations(void **state)
{
    bool judge_client = false;

    (void)state;
    assert_true(fail_each_allocation(live, &judge_client, true) > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_survives_failing_allocations),
        cmocka_unit_test(a_server_survives_failing_allocations),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, make_session, free_session);
}
