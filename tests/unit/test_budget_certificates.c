/*
 * Budgets that are counts, for clients that get a chain which came before, or one that never did:
 * what they allocate and lock for a full handshake, and what they hold while they are idle. Only
 * the client's calls count.
 */
#include "unit.h"

#include "base/counters.h"
#include "counting.h"
#include "crypto/cert_decode.h"
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#define WARM_ROUNDS     4
#define MAX_ALLOCATIONS 150
#define MAX_LOCKS       40
#define MAX_IDLE_BYTES  6000

/* Of a chain of two certificates that never came before; by d2i_X509 it is 3000 and 4800 more. */
#define MAX_NEW_ALLOCATIONS 750
#define MAX_NEW_LOCKS       650

/* --- A chain: leaf, intermediate, root --- */

struct identity {
    X509 *cert;
    EVP_PKEY *key;
};

static struct identity root, middle, leaf;

static struct identity make_identity(const char *name, const struct identity *issuer)
{
    struct identity id = { X509_new(), EVP_EC_gen("P-256") };
    X509_NAME *subject = X509_get_subject_name(id.cert);
    static long serial;

    assert_non_null(id.key);
    X509_set_version(id.cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(id.cert), ++serial);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(id.cert, X509_get_subject_name(issuer == NULL ? id.cert : issuer->cert));
    X509_gmtime_adj(X509_getm_notBefore(id.cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(id.cert), 3600);
    X509_set_pubkey(id.cert, id.key);
    if (issuer == NULL || issuer == &root) {
        X509_EXTENSION *ca = X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "CA:TRUE");
        X509_add_ext(id.cert, ca, -1);
        X509_EXTENSION_free(ca);
    }
    assert_true(X509_sign(id.cert, issuer == NULL ? id.key : issuer->key, EVP_sha256()) > 0);
    return id;
}

static void free_identity(struct identity *id)
{
    X509_free(id->cert);
    EVP_PKEY_free(id->key);
}

/* --- Handshakes --- */

struct pair {
    SSL_CTX *client_ctx, *server_ctx;
    SSL *client, *server;
};

static void make_contexts(struct pair *p)
{
    p->client_ctx = SSL_CTX_new(TLS_client_method());
    p->server_ctx = SSL_CTX_new(TLS_server_method());
    assert_int_equal(SSL_CTX_use_certificate(p->server_ctx, leaf.cert), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(p->server_ctx, leaf.key), 1);
    assert_int_equal(SSL_CTX_add1_chain_cert(p->server_ctx, middle.cert), 1);
    assert_int_equal(SSL_CTX_set_num_tickets(p->server_ctx, 0), 1);
    SSL_CTX_set_verify(p->client_ctx, SSL_VERIFY_PEER, NULL);
    assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(p->client_ctx), root.cert), 1);
}

static void connect_pair(struct pair *p)
{
    BIO *left = NULL;
    BIO *right = NULL;
    int client = 0;
    int server = 0;

    assert_int_equal(BIO_new_bio_pair(&left, 20000, &right, 20000), 1);
    counting = true;
    p->client = SSL_new(p->client_ctx);
    SSL_set_bio(p->client, left, left);
    SSL_set_connect_state(p->client);
    counting = false;
    p->server = SSL_new(p->server_ctx);
    SSL_set_bio(p->server, right, right);
    SSL_set_accept_state(p->server);
    for (int i = 0; i < 10 && (client != 1 || server != 1); i++) {
        counting = true;
        client = SSL_do_handshake(p->client);
        counting = false;
        server = SSL_do_handshake(p->server);
    }
    assert_int_equal(client, 1);
    assert_int_equal(server, 1);
    assert_int_equal(SSL_get_verify_result(p->client), X509_V_OK);
}

static void chains_that_came_before_are_cheap(void **state)
{
    struct pair p;
    uint64_t misses = 0;
    uint64_t verified = 0;

    (void)state;
    make_contexts(&p);
    for (int round = 0; round <= WARM_ROUNDS; round++) {
        num_allocations = num_locks = 0;
        num_bytes = 0;
        misses = counter_get(COUNTER_CERT_MISS);
        verified = counter_get(COUNTER_CHAIN_MISS);
        connect_pair(&p);
        if (round < WARM_ROUNDS) {
            SSL_free(p.client);
            SSL_free(p.server);
        }
    }
    assert_int_equal(counter_get(COUNTER_CERT_MISS), misses);
    assert_int_equal(counter_get(COUNTER_CHAIN_MISS), verified);
    if (!BUILT_WITH_ASAN) { /* which allocates by itself, and has no pool */
        assert_in_range(num_allocations, 1, MAX_ALLOCATIONS);
        assert_in_range(num_locks, 1, MAX_LOCKS);
        assert_in_range(num_bytes, 1, MAX_IDLE_BYTES);
    }
    /* Whoever asks for the certificate gets one of its own. */
    uint64_t copied = counter_get(COUNTER_CERT_COPIED);
    assert_int_equal(X509_cmp(SSL_get0_peer_certificate(p.client), leaf.cert), 0);
    assert_int_equal(counter_get(COUNTER_CERT_COPIED), copied + 1);
    SSL_free(p.client);
    SSL_free(p.server);
    SSL_CTX_free(p.client_ctx);
    SSL_CTX_free(p.server_ctx);
}

static void new_chains_are_decoded_without_a_search(void **state)
{
    struct pair p;

    (void)state;
    for (int round = 0; round <= CERT_DECODE_FIRST; round++) {
        free_identity(&leaf);
        free_identity(&middle);
        middle = make_identity("middle", &root);
        leaf = make_identity("leaf", &middle);
        make_contexts(&p);
        num_allocations = num_locks = 0;
        connect_pair(&p);
        SSL_free(p.client);
        SSL_free(p.server);
        SSL_CTX_free(p.client_ctx);
        SSL_CTX_free(p.server_ctx);
    }
    assert_int_not_equal(num_allocations, 0);
    if (!BUILT_WITH_ASAN) {
        assert_in_range(num_allocations, 1, MAX_NEW_ALLOCATIONS);
        assert_in_range(num_locks, 1, MAX_NEW_LOCKS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chains_that_came_before_are_cheap),
        cmocka_unit_test(new_chains_are_decoded_without_a_search),
    };

    counting = false;
    if (!counting_install()) {
        return 1;
    }
    root = make_identity("root", NULL);
    middle = make_identity("middle", &root);
    leaf = make_identity("leaf", &middle);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free_identity(&leaf);
    free_identity(&middle);
    free_identity(&root);
    return failed;
}
