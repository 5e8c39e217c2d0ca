/*
 * Every allocation fails in turn, through the public API: a whole handshake with certificates of
 * both sides and a HelloRetryRequest, data, a key update, a certificate asked for afterwards,
 * closing. Either all goes well in spite of it, or a call fails, says so and leaves an error;
 * nothing crashes, and nothing leaks: the sanitizer looks.
 */
#include "unit.h"

#include "engines.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>

struct link {
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    SSL *client;
    SSL *server;
    SSL *judged; /* allocations fail while this one is called */
};

static struct link link_;

static SSL_CTX *make_ctx(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_certificate(ctx, endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, endpoint_key()), 1);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), endpoint_cert()), 1);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return ctx;
}

static int choose_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                       const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    *out = in + 1;
    *out_len = in[0];
    return in_len > 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

static int make_contexts(void **state)
{
    (void)state;
    failing_alloc_pause(true);
    link_.client_ctx = make_ctx();
    link_.server_ctx = make_ctx();
    assert_int_equal(SSL_CTX_set1_groups_list(link_.server_ctx, "P-256"), 1);
    SSL_CTX_set_alpn_select_cb(link_.server_ctx, choose_alpn, NULL);
    SSL_CTX_set_post_handshake_auth(link_.client_ctx, 1);
    failing_alloc_pause(false);
    return 0;
}

static int free_contexts(void **state)
{
    (void)state;
    SSL_CTX_free(link_.client_ctx);
    SSL_CTX_free(link_.server_ctx);
    endpoint_identity_free();
    return 0;
}

/* Memory BIOs both ways, as a program that moves the bytes itself has them. */
static void make_link(void)
{
    BIO *to_client = BIO_new(BIO_s_mem());
    BIO *to_server = BIO_new(BIO_s_mem());

    link_.client = SSL_new(link_.client_ctx);
    link_.server = SSL_new(link_.server_ctx);
    assert_true(to_client != NULL && to_server != NULL && link_.client != NULL &&
                link_.server != NULL);
    BIO_set_mem_eof_return(to_client, -1);
    BIO_set_mem_eof_return(to_server, -1);
    BIO_up_ref(to_client);
    BIO_up_ref(to_server);
    SSL_set_bio(link_.client, to_client, to_server);
    SSL_set_bio(link_.server, to_server, to_client);
    assert_int_equal(SSL_set_tlsext_host_name(link_.client, "unit.example"), 1);
    assert_int_equal(SSL_set_alpn_protos(link_.client, (const unsigned char *)"\2h2", 3), 0);
    SSL_set_connect_state(link_.client);
    SSL_set_accept_state(link_.server);
}

/* One call on one side; allocations fail only on the side that is judged. */
#define CALL(ssl, expression) (failing_alloc_pause((ssl) != link_.judged), (expression))

/* What a call that did not succeed has left: it may go on later, or an error. */
static bool may_go_on(SSL *ssl, int result)
{
    int error = SSL_get_error(ssl, result);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return true;
    }
    failing_alloc_pause(true);
    assert_int_equal(error, SSL_ERROR_SSL);
    assert_int_not_equal(ERR_peek_error(), 0);
    return false;
}

static bool shake_hands(void)
{
    bool client_done = false;
    bool server_done = false;

    for (int turn = 0; turn < 20 && !(client_done && server_done); turn++) {
        ERR_clear_error();
        int result = CALL(link_.client, SSL_do_handshake(link_.client));
        client_done = result == 1;
        if (!client_done && !may_go_on(link_.client, result)) {
            return false;
        }
        ERR_clear_error();
        result = CALL(link_.server, SSL_do_handshake(link_.server));
        server_done = result == 1;
        if (!server_done && !may_go_on(link_.server, result)) {
            return false;
        }
    }
    return client_done && server_done;
}

static bool send(SSL *from, SSL *to, const char *text)
{
    char received[64];
    int len = (int)strlen(text);

    ERR_clear_error();
    int result = CALL(from, SSL_write(from, text, len));
    if (result != len) {
        assert_true(result <= 0);
        assert_false(may_go_on(from, result));
        return false;
    }
    ERR_clear_error();
    result = CALL(to, SSL_read(to, received, sizeof(received)));
    if (result <= 0) {
        (void)may_go_on(to, result);
        return false;
    }
    assert_int_equal(result, len);
    assert_memory_equal(received, text, (size_t)len);
    return true;
}

static bool update_keys(void)
{
    ERR_clear_error();
    return CALL(link_.server, SSL_key_update(link_.server, SSL_KEY_UPDATE_REQUESTED)) == 1 &&
           send(link_.server, link_.client, "new key") && send(link_.client, link_.server, "mine");
}

static bool authenticate_later(void)
{
    ERR_clear_error();
    return CALL(link_.server, SSL_verify_client_post_handshake(link_.server)) == 1 &&
           CALL(link_.server, SSL_do_handshake(link_.server)) == 1 &&
           send(link_.server, link_.client, "who?") && send(link_.client, link_.server, "me");
}

static bool close_both(void)
{
    ERR_clear_error();
    return CALL(link_.client, SSL_shutdown(link_.client)) == 0 &&
           CALL(link_.server, SSL_shutdown(link_.server)) == 0 &&
           CALL(link_.client, SSL_shutdown(link_.client)) == 1 &&
           CALL(link_.server, SSL_shutdown(link_.server)) == 1;
}

/* What failed on the way and was got over must not be missing afterwards. */
static void assert_nothing_is_missing(void)
{
    SSL *ends[] = { link_.client, link_.server };

    failing_alloc_pause(true);
    for (size_t i = 0; i < 2; i++) {
        const unsigned char *alpn;
        unsigned int alpn_len;
        assert_non_null(SSL_get0_peer_certificate(ends[i]));
        assert_int_equal(SSL_get_verify_result(ends[i]), X509_V_OK);
        SSL_get0_alpn_selected(ends[i], &alpn, &alpn_len);
        assert_int_equal(alpn_len, 2);
        assert_memory_equal(alpn, "h2", 2);
        assert_string_equal(SSL_get_servername(ends[i], TLSEXT_NAMETYPE_host_name), "unit.example");
    }
}

static bool live(void *arg)
{
    const bool *judge_client = arg;

    failing_alloc_pause(true);
    make_link();
    link_.judged = *judge_client ? link_.client : link_.server;
    bool ok = shake_hands() && send(link_.client, link_.server, "hello") &&
              send(link_.server, link_.client, "world") && update_keys() && authenticate_later() &&
              close_both();
    if (ok) {
        assert_nothing_is_missing();
    }
    failing_alloc_pause(true);
    SSL_free(link_.client);
    SSL_free(link_.server);
    failing_alloc_pause(false);
    return ok;
}

static void a_client_survives_failing_allocations(void **state)
{
    bool judge_client = true;

    (void)state;
    assert_true(fail_each_allocation(live, &judge_client, true) > 100);
}

static void a_server_survives_failing_allocations(void **state)
{
    bool judge_client = false;

    (void)state;
    assert_true(fail_each_allocation(live, &judge_client, true) > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_client_survives_failing_allocations),
        cmocka_unit_test(a_server_survives_failing_allocations),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, make_contexts, free_contexts);
}
