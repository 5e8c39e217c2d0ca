/*
 * Budgets that are counts: allocations and locks of a handshake, SSL_new to SSL_free. Bounds are
 * what a side needs on Debian 12's libcrypto, whose own share differs between releases; they are at
 * or below the budgets of docs/performance.md. A figure is the median of many handshakes: each
 * thread fetches random bytes for several at once.
 */
#include "unit.h"

#include "base/base.h"
#include "counting.h"

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define TRANSPORT_LEN 40000
#define WARM_ROUNDS   3
#define ROUNDS        21

struct counts {
    size_t allocations, locks, writing;
};

struct side {
    SSL_CTX *ctx;
    SSL *ssl;
    struct counts counts;
};

static EVP_PKEY *key;
static X509 *cert;

static int make_identity(void **state)
{
    (void)state;
    key = EVP_EC_gen("P-256");
    cert = X509_new();
    if (key == NULL || cert == NULL || X509_set_version(cert, X509_VERSION_3) != 1 ||
        ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) != 1 ||
        X509_gmtime_adj(X509_getm_notBefore(cert), -60) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(cert), 3600) == NULL ||
        X509_set_pubkey(cert, key) != 1 || X509_sign(cert, key, EVP_sha256()) == 0) {
        return -1;
    }
    return 0;
}

static int free_identity(void **state)
{
    (void)state;
    EVP_PKEY_free(key);
    X509_free(cert);
    return 0;
}

static SSL_SESSION *session; /* the newest that a client got */

static int keep(SSL *s, SSL_SESSION *got)
{
    (void)s;
    SSL_SESSION_free(session);
    session = got;
    return 1;
}

static void side_begin(struct side *side, bool server, int version)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_min_proto_version(ctx, version), 1);
    assert_int_equal(SSL_CTX_set_max_proto_version(ctx, version), 1);
    if (server) {
        SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN); /* looking for issuers is libcrypto's */
        assert_int_equal(SSL_CTX_use_certificate(ctx, cert), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, key), 1);
    } else {
        SSL_CTX_set_session_cache_mode(ctx,
                                       SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL_STORE);
        SSL_CTX_sess_set_new_cb(ctx, keep);
    }
    *side = (struct side){ .ctx = ctx };
}

static void start_counting(void)
{
    num_allocations = 0;
    num_locks = 0;
    num_writing = 0;
}

static void stop_counting(struct side *side)
{
    side->counts.allocations += num_allocations;
    side->counts.locks += num_locks;
    side->counts.writing += num_writing;
}

static void side_new(struct side *side, BIO *bio, bool server)
{
    side->counts = (struct counts){ 0 };
    start_counting();
    side->ssl = SSL_new(side->ctx);
    assert_non_null(side->ssl);
    SSL_set_bio(side->ssl, bio, bio);
    if (server) {
        SSL_set_accept_state(side->ssl);
    } else {
        SSL_set_connect_state(side->ssl);
    }
    stop_counting(side);
}

static bool side_step(struct side *side)
{
    start_counting();
    int result = SSL_do_handshake(side->ssl);
    stop_counting(side);
    return result == 1;
}

static void side_free(struct side *side)
{
    start_counting();
    SSL_free(side->ssl);
    stop_counting(side);
}

static void connect_once(struct side *client, struct side *server, bool resume)
{
    BIO *left = NULL;
    BIO *right = NULL;
    uint8_t nothing;

    assert_int_equal(BIO_new_bio_pair(&left, TRANSPORT_LEN, &right, TRANSPORT_LEN), 1);
    assert_int_equal(BIO_up_ref(left), 1);
    assert_int_equal(BIO_up_ref(right), 1);
    side_new(client, left, false);
    side_new(server, right, true);
    if (resume) {
        assert_int_equal(SSL_set_session(client->ssl, session), 1);
    }
    bool client_done = false;
    bool server_done = false;
    for (int i = 0; i < 10 && (!client_done || !server_done); i++) {
        client_done = client_done || side_step(client);
        server_done = server_done || side_step(server);
    }
    assert_true(client_done && server_done);
    assert_int_equal(SSL_session_reused(server->ssl), resume);
    /* Tickets come with the first read. */
    start_counting();
    assert_int_equal(SSL_read(client->ssl, &nothing, 1), -1);
    stop_counting(client);
    SSL_set_shutdown(client->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(server->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    side_free(client);
    side_free(server);
    BIO_free(left);
    BIO_free(right);
}

static int by_size(const void *a, const void *b)
{
    size_t x = *(const size_t *)a;
    size_t y = *(const size_t *)b;

    return (x > y) - (x < y);
}

static size_t median(size_t *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_size);
    return values[ROUNDS / 2];
}

struct figures {
    size_t server_allocations, client_allocations, server_locks, both_locks, both_writing;
};

static struct figures measure(int version, bool resume, bool tickets)
{
    size_t values[5][ROUNDS];
    struct side client, server;

    side_begin(&client, false, version);
    side_begin(&server, true, version);
    connect_once(&client, &server, false);
    if (!tickets) {
        assert_int_equal(SSL_CTX_set_num_tickets(server.ctx, 0), 1);
    }
    for (int i = -WARM_ROUNDS; i < ROUNDS; i++) {
        connect_once(&client, &server, resume);
        if (i >= 0) {
            values[0][i] = server.counts.allocations;
            values[1][i] = client.counts.allocations;
            values[2][i] = server.counts.locks;
            values[3][i] = server.counts.locks + client.counts.locks;
            values[4][i] = server.counts.writing + client.counts.writing;
        }
    }
    SSL_SESSION_free(session);
    session = NULL;
    SSL_CTX_free(client.ctx);
    SSL_CTX_free(server.ctx);
    return (struct figures){ median(values[0]), median(values[1]), median(values[2]),
                             median(values[3]), median(values[4]) };
}

/* Under AddressSanitizer the pool frees every block, so that buffers are allocated anew. */
static void assert_at_most(const char *what, size_t value, size_t bound, bool is_memory)
{
    print_message("%s: %zu, at most %zu\n", what, value, bound);
    if (!BUILT_WITH_ASAN || !is_memory) {
        assert_in_range(value, 0, bound);
    }
}

static void full_handshakes_of_a_server(void **state)
{
    (void)state;
    struct figures f = measure(TLS1_3_VERSION, false, true);

    assert_at_most("TLS 1.3, allocations, server", f.server_allocations, 72, true);
    assert_at_most("TLS 1.3, locks, server", f.server_locks, 16, false);
    f = measure(TLS1_2_VERSION, false, true);
    assert_at_most("TLS 1.2, allocations, server", f.server_allocations, 76, true);
    assert_at_most("TLS 1.2, locks, server", f.server_locks, 16, false);
}

/* Two of the locks of each side are libcrypto's, for the ex_data of an SSL. */
static void resumptions(void **state)
{
    (void)state;
    struct figures f = measure(TLS1_3_VERSION, true, true);

    assert_at_most("TLS 1.3 resumption, allocations, server", f.server_allocations, 27, true);
    assert_at_most("TLS 1.3 resumption, allocations, client", f.client_allocations, 22, true);
    assert_at_most("TLS 1.3 resumption, locks, both", f.both_locks, 4, false);
    assert_at_most("TLS 1.3 resumption, writing locks, both", f.both_writing, 4, false);
    f = measure(TLS1_2_VERSION, true, true);
    assert_at_most("TLS 1.2 resumption, allocations, server", f.server_allocations, 12, true);
    assert_at_most("TLS 1.2 resumption, allocations, client", f.client_allocations, 5, true);
    assert_at_most("TLS 1.2 resumption, locks, both", f.both_locks, 4, false);
    assert_at_most("TLS 1.2 resumption, writing locks, both", f.both_writing, 4, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(full_handshakes_of_a_server),
        cmocka_unit_test(resumptions),
    };

    return counting_install()
               ? cmocka_run_group_tests_name("budgets", tests, make_identity, free_identity)
               : 1;
}
