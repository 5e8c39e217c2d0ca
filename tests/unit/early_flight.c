/*
 * Flights with early data that somebody has recorded, and servers of <openssl/ssl.h> that get them.
 */
#include "early_flight.h"

#include "engines.h"

#include <string.h>

static const char early[] = "GET /transfer?amount=1000";

SSL_CTX *server_ctx, *client_ctx;

SSL_CTX *new_server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_certificate(ctx, endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, endpoint_key()), 1);
    assert_int_equal(SSL_CTX_set_max_early_data(ctx, 1000), 1);
    return ctx;
}

int early_flight_begin(void **state)
{
    (void)state;
    server_ctx = new_server();
    client_ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(client_ctx);
    return 0;
}

int early_flight_end(void **state)
{
    (void)state;
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
    return 0;
}

/* An SSL with two memory BIOs of its own. */
SSL *new_end(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);

    assert_non_null(ssl);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
    if (ctx == client_ctx) {
        SSL_set_connect_state(ssl);
    } else {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}

void pass_on(SSL *from, SSL *to)
{
    char *bytes;
    long len = BIO_get_mem_data(SSL_get_wbio(from), &bytes);

    if (len > 0) {
        assert_int_equal(BIO_write(SSL_get_rbio(to), bytes, (int)len), len);
    }
    (void)BIO_reset(SSL_get_wbio(from));
}

/* Runs the handshake to its end and takes what the client gets for later: a session. */
SSL_SESSION *finish(SSL *client, SSL *server)
{
    char data[64];

    for (int i = 0; i < 4; i++) {
        (void)SSL_do_handshake(client);
        pass_on(client, server);
        (void)SSL_do_handshake(server);
        pass_on(server, client);
    }
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    assert_int_equal(SSL_write(client, "late", 4), 4);
    pass_on(client, server);
    assert_int_equal(SSL_read(server, data, sizeof(data)), 4);
    assert_int_equal(SSL_write(server, "answer", 6), 6);
    pass_on(server, client);
    assert_int_equal(SSL_read(client, data, sizeof(data)), 6);
    SSL_SESSION *session = SSL_get1_session(client);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    (void)SSL_shutdown(client);
    (void)SSL_shutdown(server);
    return session;
}

SSL_SESSION *visit(SSL_CTX *ctx)
{
    SSL *server = new_end(ctx);
    SSL *client = new_end(client_ctx);
    SSL_SESSION *session = finish(client, server);

    SSL_free(client);
    SSL_free(server);
    return session;
}

/* A client that has sent its first flight, with early data. */
SSL *send_early(SSL_SESSION *session)
{
    SSL *client = new_end(client_ctx);
    size_t written;

    assert_int_equal(SSL_set_session(client, session), 1);
    assert_int_equal(SSL_write_early_data(client, early, sizeof(early), &written), 1);
    return client;
}

/* The first flight of a client that nothing is heard of again. */
struct flight record_flight(SSL_SESSION *session)
{
    struct flight flight = { 0 };
    SSL *client = send_early(session);
    char *bytes;
    long len = BIO_get_mem_data(SSL_get_wbio(client), &bytes);

    assert_in_range(len, 100, MAX_FLIGHT);
    flight.len = (size_t)len;
    memcpy(flight.bytes, bytes, flight.len);
    /* Or the session would be spoilt. */
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN);
    SSL_free(client);
    return flight;
}

enum verdict read_early(SSL *server)
{
    char data[100];
    size_t len;
    int result = SSL_read_early_data(server, data, sizeof(data), &len);

    if (result == SSL_READ_EARLY_DATA_SUCCESS) {
        return len == sizeof(early) && memcmp(data, early, len) == 0 ? ACCEPTED : FAILED;
    }
    if (result != SSL_READ_EARLY_DATA_FINISH ||
        SSL_get_early_data_status(server) != SSL_EARLY_DATA_REJECTED) {
        return FAILED;
    }
    /* It goes on, and waits for the client. */
    if (SSL_do_handshake(server) != -1 || SSL_get_error(server, -1) != SSL_ERROR_WANT_READ) {
        return FAILED;
    }
    return SSL_session_reused(server) ? REJECTED_AND_RESUMED : REJECTED;
}

enum verdict replay(SSL_CTX *ctx, const struct flight *flight)
{
    SSL *server = SSL_new(ctx);
    enum verdict verdict;

    if (server == NULL) {
        return FAILED;
    }
    SSL_set_bio(server, BIO_new_mem_buf(flight->bytes, (int)flight->len), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(server), -1);
    SSL_set_accept_state(server);
    verdict = read_early(server);
    SSL_free(server);
    return verdict;
}
