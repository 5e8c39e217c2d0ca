/*
 * Threads, contexts and connections for tests of what threads share.
 */
#include "thread_site.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define MAX_THREADS 8
#define MAX_TURNS   10
#define NAME        "threads.example"

void must(bool ok, const char *file, int line, const char *condition)
{
    if (!ok) {
        fprintf(stderr, "%s:%d: %s\n", file, line, condition);
        ERR_print_errors_fp(stderr);
        abort();
    }
}

/* --- Threads --- */

struct worker {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*work)(size_t who);
    size_t who;
};

static void *run(void *arg)
{
    struct worker *w = arg;

    (void)pthread_barrier_wait(w->start);
    w->work(w->who);
    return NULL;
}

void run_together(size_t num, void (*work)(size_t who))
{
    struct worker workers[MAX_THREADS];
    pthread_barrier_t start;

    MUST(num <= MAX_THREADS && pthread_barrier_init(&start, NULL, (unsigned)num) == 0);
    for (size_t i = 0; i < num; i++) {
        workers[i] = (struct worker){ .start = &start, .work = work, .who = i };
        MUST(pthread_create(&workers[i].thread, NULL, run, &workers[i]) == 0);
    }
    for (size_t i = 0; i < num; i++) {
        MUST(pthread_join(workers[i].thread, NULL) == 0);
    }
    (void)pthread_barrier_destroy(&start);
}

void gate_init(pthread_rwlock_t *gate)
{
    pthread_rwlockattr_t attributes;

    MUST(pthread_rwlockattr_init(&attributes) == 0);
    MUST(pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP) ==
         0);
    MUST(pthread_rwlock_init(gate, &attributes) == 0);
    (void)pthread_rwlockattr_destroy(&attributes);
}

/* --- Certificates --- */

X509 *site_root;
static EVP_PKEY *root_key, *leaf_key;
static _Atomic long last_serial;

/* Signed by the root's key; issuer NULL: by itself, with the root's key as its own. */
static X509 *issue(const char *name, const X509 *issuer)
{
    X509 *cert = X509_new();
    X509_NAME *subject = cert != NULL ? X509_get_subject_name(cert) : NULL;

    MUST(cert != NULL && X509_set_version(cert, X509_VERSION_3) == 1);
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(cert), ++last_serial) == 1);
    MUST(X509_gmtime_adj(X509_getm_notBefore(cert), -1000) != NULL);
    MUST(X509_gmtime_adj(X509_getm_notAfter(cert), 100000) != NULL);
    MUST(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1,
                                    -1, 0) == 1);
    MUST(X509_set_issuer_name(cert, issuer != NULL ? X509_get_subject_name(issuer) : subject) == 1);
    MUST(X509_set_pubkey(cert, issuer != NULL ? leaf_key : root_key) == 1);
    if (issuer == NULL) {
        X509_EXTENSION *is_ca =
            X509V3_EXT_conf_nid(NULL, NULL, NID_basic_constraints, "critical,CA:TRUE");
        MUST(is_ca != NULL && X509_add_ext(cert, is_ca, -1) == 1);
        X509_EXTENSION_free(is_ca);
    }
    MUST(X509_sign(cert, root_key, EVP_sha256()) > 0);
    return cert;
}

void site_begin(void)
{
    root_key = EVP_EC_gen("P-256");
    leaf_key = EVP_EC_gen("P-256");
    MUST(root_key != NULL && leaf_key != NULL);
    site_root = issue("Root", NULL);
}

void site_end(void)
{
    X509_free(site_root);
    EVP_PKEY_free(root_key);
    EVP_PKEY_free(leaf_key);
}

X509 *site_new_leaf(void)
{
    return issue(NAME, site_root);
}

EVP_PKEY *site_key(void)
{
    return leaf_key;
}

X509 *site_new_stranger(void)
{
    char name[40];

    (void)snprintf(name, sizeof(name), "Stranger %ld", last_serial + 1);
    return issue(name, NULL);
}

/* --- Contexts and connections --- */

SSL_CTX *site_new_ctx(const SSL_METHOD *method, int version, bool trusts)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    X509 *leaf = site_new_leaf();

    MUST(ctx != NULL && SSL_CTX_set_max_proto_version(ctx, version) == 1);
    MUST(SSL_CTX_use_certificate(ctx, leaf) == 1 && SSL_CTX_use_PrivateKey(ctx, leaf_key) == 1);
    MUST(SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"threads", 7) == 1);
    if (trusts) {
        MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), site_root) == 1);
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    X509_free(leaf);
    return ctx;
}

struct link link_new(SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
    struct link l = { SSL_new(client_ctx), SSL_new(server_ctx) };
    BIO *to_client = BIO_new(BIO_s_mem());
    BIO *to_server = BIO_new(BIO_s_mem());

    MUST(l.client != NULL && l.server != NULL && to_client != NULL && to_server != NULL);
    MUST(BIO_up_ref(to_client) == 1 && BIO_up_ref(to_server) == 1);
    SSL_set_bio(l.client, to_client, to_server);
    SSL_set_bio(l.server, to_server, to_client);
    MUST(SSL_set_tlsext_host_name(l.client, NAME) == 1);
    SSL_set_connect_state(l.client);
    SSL_set_accept_state(l.server);
    return l;
}

static bool is_done(SSL *ssl)
{
    int result = SSL_do_handshake(ssl);

    MUST(result == 1 || SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ);
    return result == 1;
}

void link_connect(struct link *l)
{
    bool client_done = false;
    bool server_done = false;

    for (int i = 0; i < MAX_TURNS && !(client_done && server_done); i++) {
        client_done = is_done(l->client);
        server_done = is_done(l->server);
    }
    MUST(client_done && server_done);
}

void link_write(SSL *from, size_t len)
{
    static const char data[1000];

    while (len > 0) {
        size_t now = len < sizeof(data) ? len : sizeof(data);
        MUST(SSL_write(from, data, (int)now) == (int)now);
        len -= now;
    }
}

void link_read(SSL *to, size_t len)
{
    char data[1000];

    while (len > 0) {
        int n = SSL_read(to, data, (int)(len < sizeof(data) ? len : sizeof(data)));
        MUST(n > 0);
        len -= (size_t)n;
    }
}

void link_talk(struct link *l, size_t len)
{
    link_write(l->server, len);
    link_read(l->client, len);
    link_write(l->client, len);
    link_read(l->server, len);
}

void link_free(struct link *l)
{
    (void)SSL_shutdown(l->client);
    (void)SSL_shutdown(l->server);
    SSL_free(l->client);
    SSL_free(l->server);
}
