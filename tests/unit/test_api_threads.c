/*
 * Contexts that several threads use at once, and the sessions, certificates and files that they
 * find there. Allowed is what SSL_CTX_new(3) and openssl-threads(7) allow and what servers with
 * threads do; a setter beside SSL_new() is not. ThreadSanitizer watches this in the stage tsan.
 */
#include "unit.h"

#include "thread_site.h"

#include "api/ca_files.h"
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NUM_WORKERS 4

#define NUM_CA_FILES (CA_FILES_KEPT + 2)
static char folder[] = "/tmp/tenon-threads-XXXXXX";
static time_t files_written;

static const char *path_of(size_t n)
{
    static _Thread_local char path[64];

    (void)snprintf(path, sizeof(path), "%s/%zu.pem", folder, n);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    site_begin();
    MUST(mkdtemp(folder) != NULL);
    for (size_t n = 0; n < NUM_CA_FILES; n++) {
        FILE *file = fopen(path_of(n), "w");
        MUST(file != NULL && PEM_write_X509(file, site_root) == 1 && fclose(file) == 0);
    }
    files_written = time(NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t n = 0; n < NUM_CA_FILES; n++) {
        (void)unlink(path_of(n));
    }
    (void)rmdir(folder);
    site_end();
    return 0;
}

/* --- The first use --- */

static void come_first(size_t who)
{
    SSL_CTX *server = site_new_ctx(TLS_server_method(), TLS1_3_VERSION, who % 2 == 0);
    SSL_CTX *client = site_new_ctx(TLS_client_method(), TLS1_3_VERSION, true);
    struct link l = link_new(client, server);

    /* The connection has what it needs of them. */
    SSL_CTX_free(server);
    SSL_CTX_free(client);
    link_connect(&l);
    link_talk(&l, 20000);
    link_free(&l);
}

/* What is made once in a process is made by whoever comes first. */
static void test_first_use(void **state)
{
    (void)state;
    run_together(NUM_WORKERS, come_first);
}

/* --- Contexts that are shared --- */

#define NUM_ROUNDS 40
#define NUM_PLACES 3

static struct {
    SSL_CTX *client, *server, *other_server;
    bool by_ticket;
    pthread_mutex_t lock;
    SSL_SESSION *sessions[NUM_PLACES]; /* guarded by lock */
    _Atomic int num_resumed, num_busy;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static SSL_SESSION *borrow_session(size_t place)
{
    (void)pthread_mutex_lock(&shared.lock);
    SSL_SESSION *session = shared.sessions[place];
    MUST(session == NULL || SSL_SESSION_up_ref(session) == 1);
    (void)pthread_mutex_unlock(&shared.lock);
    return session;
}

static void leave_session(size_t place, SSL_SESSION *session)
{
    (void)pthread_mutex_lock(&shared.lock);
    SSL_SESSION *earlier = shared.sessions[place];
    shared.sessions[place] = session;
    (void)pthread_mutex_unlock(&shared.lock);
    SSL_SESSION_free(earlier);
}

/* Looks at what others may be looking at, too. */
static void inspect(SSL *ssl, SSL_SESSION *session)
{
    unsigned char *der = NULL;
    int len = i2d_SSL_SESSION(session, &der);
    const unsigned char *at = der;
    SSL_SESSION *again = d2i_SSL_SESSION(NULL, &at, len);

    MUST(len > 0 && again != NULL);
    SSL_SESSION_free(again);
    OPENSSL_free(der);
    again = SSL_SESSION_dup(session);
    MUST(again != NULL && SSL_SESSION_get0_peer(again) == SSL_SESSION_get0_peer(session));
    SSL_SESSION_free(again);
    MUST(SSL_SESSION_get_time(session) > 0 && SSL_SESSION_get_timeout(session) > 0);
    MUST(SSL_SESSION_get_ex_data(session, 0) == NULL);
    MUST(SSL_get_verify_result(ssl) == X509_V_OK);
    (void)SSL_get_peer_cert_chain(ssl);
    if (SSL_SESSION_get0_peer(session) != NULL) {
        MUST(X509_check_host(SSL_SESSION_get0_peer(session), "none.example", 0, 0, NULL) != 1);
    }
}

/* Settings of a connection are its context's until it changes one. */
static void set_something(struct link *l)
{
    MUST(SSL_set_cipher_list(l->server, "ECDHE-ECDSA-AES128-GCM-SHA256") == 1);
    MUST(SSL_set1_groups_list(l->client, "P-256:X25519") == 1);
    MUST((SSL_set_options(l->server, SSL_OP_CIPHER_SERVER_PREFERENCE) &
          SSL_OP_CIPHER_SERVER_PREFERENCE) != 0);
    MUST(SSL_get0_param(l->client) != NULL);
}

static void full_connection(size_t round)
{
    struct link l = link_new(shared.client, shared.server);
    X509 *leaf = site_new_leaf();

    if (round % 2 == 0) {
        MUST(SSL_use_certificate(l.server, leaf) == 1);
        MUST(SSL_use_PrivateKey(l.server, site_key()) == 1);
        set_something(&l);
    }
    X509_free(leaf);
    link_connect(&l);
    link_talk(&l, 300);
    SSL_SESSION *session = SSL_get1_session(l.client);
    MUST(session != NULL && SSL_session_reused(l.client) == 0);
    inspect(l.client, session);
    leave_session(round % NUM_PLACES, session);
    link_free(&l);
}

static void next_connection(size_t round)
{
    SSL_SESSION *session = borrow_session(round % NUM_PLACES);
    struct link l = link_new(shared.client, shared.server);

    MUST(session == NULL || SSL_set_session(l.client, session) == 1);
    link_connect(&l);
    link_talk(&l, 300);
    MUST(SSL_session_reused(l.client) == SSL_session_reused(l.server));
    if (session != NULL) {
        shared.num_resumed += SSL_session_reused(l.client);
        inspect(l.server, SSL_get_session(l.server));
        inspect(l.client, session);
    }
    link_free(&l);
    SSL_SESSION_free(session);
}

static void work(size_t who)
{
    for (size_t round = 0; round < NUM_ROUNDS; round++) {
        (round % 4 == 0 ? full_connection : next_connection)(round + who);
    }
    shared.num_busy--;
}

/* What a server's own threads do beside connections: they look, clean up, add authorities. */
static void disturb(void)
{
    SSL_SESSION *session = borrow_session(0);
    X509 *stranger = site_new_stranger();
    unsigned char keys[80];

    MUST(X509_STORE_add_cert(SSL_CTX_get_cert_store(shared.client), stranger) == 1);
    X509_free(stranger);
    MUST(SSL_CTX_up_ref(shared.server) == 1);
    MUST(SSL_CTX_sess_number(shared.server) >= 0 && SSL_CTX_sess_hits(shared.server) >= 0);
    MUST(SSL_CTX_get0_certificate(shared.server) != NULL);
    MUST(SSL_CTX_get_ciphers(shared.server) != NULL);
    MUST(SSL_CTX_get_tlsext_ticket_keys(shared.other_server, keys, sizeof(keys)) == 1);
    MUST(SSL_CTX_set_tlsext_ticket_keys(shared.other_server, keys, sizeof(keys)) == 1);
    if (session != NULL) {
        (void)SSL_CTX_add_session(shared.server, session);
        (void)SSL_SESSION_set_timeout(session, 1000);
        (void)SSL_CTX_remove_session(shared.client, session);
    }
    SSL_CTX_flush_sessions(shared.server, time(NULL) + (shared.by_ticket ? 100000 : -1));
    SSL_SESSION_free(session);
    SSL_CTX_free(shared.server);
}

static void work_or_disturb(size_t who)
{
    if (who < NUM_WORKERS) {
        work(who);
    }
    while (who == NUM_WORKERS && shared.num_busy > 0) {
        disturb();
        (void)usleep(200);
    }
}

/* Some connections go on with another context's certificate. */
static int choose_context(SSL *ssl, int *alert, void *arg)
{
    static _Atomic unsigned asked;

    (void)alert;
    (void)arg;
    if (++asked % 3 == 0) {
        (void)SSL_set_SSL_CTX(ssl, shared.other_server);
    }
    return SSL_TLSEXT_ERR_OK;
}

static void share_contexts(int version, bool by_ticket, bool trusts)
{
    shared.client = site_new_ctx(TLS_client_method(), version, true);
    shared.server = site_new_ctx(TLS_server_method(), version, trusts);
    shared.other_server = site_new_ctx(TLS_server_method(), version, trusts);
    shared.by_ticket = by_ticket;
    if (!by_ticket) {
        (void)SSL_CTX_set_options(shared.server, SSL_OP_NO_TICKET);
    }
    SSL_CTX_set_tlsext_servername_callback(shared.server, choose_context);
    (void)SSL_CTX_set_session_cache_mode(shared.client, SSL_SESS_CACHE_CLIENT);
    shared.num_resumed = 0;
    shared.num_busy = NUM_WORKERS;
}

static void leave_contexts(void)
{
    for (size_t i = 0; i < NUM_PLACES; i++) {
        leave_session(i, NULL);
    }
    SSL_CTX_free(shared.client);
    SSL_CTX_free(shared.server);
    SSL_CTX_free(shared.other_server);
}

static void run_shared(int version, bool by_ticket, bool trusts)
{
    share_contexts(version, by_ticket, trusts);
    run_together(NUM_WORKERS + 1, work_or_disturb);
    assert_true(shared.num_resumed > 0);
    leave_contexts();
}

static void test_tickets13(void **state)
{
    (void)state;
    run_shared(TLS1_3_VERSION, true, true);
}

static void test_ids13(void **state)
{
    (void)state;
    run_shared(TLS1_3_VERSION, false, false);
}

static void test_tickets12(void **state)
{
    (void)state;
    run_shared(TLS1_2_VERSION, true, false);
}

static void test_ids12(void **state)
{
    (void)state;
    run_shared(TLS1_2_VERSION, false, true);
}

/* --- One certificate for all --- */

static X509 *peers[NUM_WORKERS];

static void ask_for_peer(size_t who)
{
    peers[who] = SSL_SESSION_get0_peer(shared.sessions[0]);
}

/* What is made for the application when it asks is made once, whichever thread is first. */
static void test_same_certificate(void **state)
{
    (void)state;
    share_contexts(TLS1_3_VERSION, true, false);
    SSL_CTX_set_tlsext_servername_callback(shared.server, NULL);
    for (int round = 0; round < 40; round++) {
        struct link l = link_new(shared.client, shared.server);

        link_connect(&l);
        link_talk(&l, 100);
        leave_session(0, SSL_get1_session(l.client));
        link_free(&l);
        run_together(NUM_WORKERS, ask_for_peer);
        for (size_t i = 0; i < NUM_WORKERS; i++) {
            assert_non_null(peers[i]);
            assert_ptr_equal(peers[i], peers[0]);
        }
    }
    leave_contexts();
}

/* --- Settings that change --- */

/* Held for reading while an SSL is made, which is all that a setter must not run beside. */
static pthread_rwlock_t gate;

static struct link gated_link(void)
{
    (void)pthread_rwlock_rdlock(&gate);
    struct link l = link_new(shared.client, shared.server);
    (void)pthread_rwlock_unlock(&gate);
    return l;
}

static void reload(void)
{
    X509 *leaf = site_new_leaf();

    (void)pthread_rwlock_wrlock(&gate);
    MUST(SSL_CTX_use_certificate(shared.server, leaf) == 1);
    MUST(SSL_CTX_use_PrivateKey(shared.server, site_key()) == 1);
    MUST(SSL_CTX_set1_groups_list(shared.server, "X25519:P-256") == 1);
    SSL_CTX_set_verify_depth(shared.client, 7);
    (void)SSL_CTX_set_options(shared.server, SSL_OP_CIPHER_SERVER_PREFERENCE);
    (void)pthread_rwlock_unlock(&gate);
    X509_free(leaf);
}

static void connect_or_reload(size_t who)
{
    for (size_t i = 0; who < NUM_WORKERS && i < NUM_ROUNDS; i++) {
        struct link l = gated_link();
        MUST(sk_SSL_CIPHER_num(SSL_get_ciphers(l.server)) > 0);
        link_connect(&l);
        link_talk(&l, 100);
        link_free(&l);
    }
    shared.num_busy -= who < NUM_WORKERS;
    while (who == NUM_WORKERS && shared.num_busy > 0) {
        reload();
    }
}

/* A connection keeps the settings that it was made with, whatever becomes of its context's. */
static void test_reload(void **state)
{
    (void)state;
    share_contexts(TLS1_3_VERSION, true, false);
    gate_init(&gate);
    run_together(NUM_WORKERS + 1, connect_or_reload);
    leave_contexts();
    (void)pthread_rwlock_destroy(&gate);
}

/* --- Files of authorities --- */

static void load_and_connect(size_t who)
{
    SSL_CTX *server = site_new_ctx(TLS_server_method(), TLS1_3_VERSION, false);

    for (size_t i = 0; i < 2 * NUM_CA_FILES; i++) {
        SSL_CTX *client = site_new_ctx(TLS_client_method(), TLS1_3_VERSION, false);
        struct link l;

        MUST(SSL_CTX_load_verify_file(client, path_of((i * (who + 1)) % NUM_CA_FILES)) == 1);
        SSL_CTX_set_verify(client, SSL_VERIFY_PEER, NULL);
        if (i % 3 == 0) {
            MUST(SSL_CTX_get_cert_store(client) != NULL);
        }
        l = link_new(client, server);
        link_connect(&l);
        link_free(&l);
        SSL_CTX_free(client);
    }
    SSL_CTX_free(server);
}

/* Threads read the same files for contexts of their own, more than are kept. */
static void test_ca_files(void **state)
{
    (void)state;
    while (time(NULL) <= files_written + CA_FILE_MIN_AGE) {
        (void)usleep(100000);
    }
    run_together(NUM_WORKERS, load_and_connect);
}

static void verify_or_look(size_t who)
{
    for (int i = 0; i < 4; i++) {
        struct link l = link_new(shared.client, shared.server);

        link_connect(&l);
        link_free(&l);
        if (who == 0) {
            MUST(SSL_CTX_get_cert_store(shared.client) != NULL);
        }
    }
}

/* One thread looks into a store that others verify with. */
static void test_ca_file_shared(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        share_contexts(TLS1_3_VERSION, true, false);
        SSL_CTX_free(shared.client);
        shared.client = site_new_ctx(TLS_client_method(), TLS1_3_VERSION, false);
        SSL_CTX_set_verify(shared.client, SSL_VERIFY_PEER, NULL);
        assert_int_equal(SSL_CTX_load_verify_file(shared.client, path_of(i)), 1);
        run_together(NUM_WORKERS, verify_or_look);
        leave_contexts();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_use), /* first */
        cmocka_unit_test(test_tickets13),        cmocka_unit_test(test_ids13),
        cmocka_unit_test(test_tickets12),        cmocka_unit_test(test_ids12),
        cmocka_unit_test(test_same_certificate), cmocka_unit_test(test_reload),
        cmocka_unit_test(test_ca_files),         cmocka_unit_test(test_ca_file_shared),
    };

    return cmocka_run_group_tests_name("api/threads", tests, set_up, tear_down);
}
