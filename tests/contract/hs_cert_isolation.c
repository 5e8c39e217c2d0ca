/*
 * What an application does to a certificate object that one connection handed to it (data, names,
 * trust, contents, its key's data), it finds again on that connection and on those that resume its
 * session, and nowhere else: whichever function or callback it had it from, on either side, in
 * whatever order connections come. The same chain is sent again and again, so that a library that
 * keeps what it has decoded has kept it.
 */
#include "contract.h"

#include <openssl/objects.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>
#include <threads.h>

static struct identity *root, *middle, *leaf;
static int cert_index, key_index, ssl_index;

/* --- Marks --- */

static char mark[] = "marked";

static void put_marks(X509 *cert)
{
    ASN1_OBJECT *purpose = OBJ_nid2obj(NID_server_auth);

    CHECK(X509_set_ex_data(cert, cert_index, mark) == 1);
    CHECK(X509_alias_set1(cert, (const unsigned char *)mark, 6) == 1);
    CHECK(X509_keyid_set1(cert, (const unsigned char *)mark, 6) == 1);
    CHECK(X509_add1_reject_object(cert, purpose) == 1);
    CHECK(EVP_PKEY_set_ex_data(X509_get0_pubkey(cert), key_index, mark) == 1);
    CHECK(ASN1_INTEGER_set(X509_get_serialNumber(cert), 4711) == 1);
}

/* What there is of them, a letter for each. */
static const char *marks_of(X509 *cert)
{
    static thread_local char found[8];
    char *at = found;
    int len;

    if (cert == NULL) {
        return "no certificate";
    }
    if (X509_get_ex_data(cert, cert_index) != NULL) {
        *at++ = 'd';
    }
    if (X509_alias_get0(cert, &len) != NULL) {
        *at++ = 'a';
    }
    if (X509_keyid_get0(cert, &len) != NULL) {
        *at++ = 'i';
    }
    if (X509_get0_reject_objects(cert) != NULL) {
        *at++ = 't';
    }
    if (EVP_PKEY_get_ex_data(X509_get0_pubkey(cert), key_index) != NULL) {
        *at++ = 'k';
    }
    if (ASN1_INTEGER_get(X509_get_serialNumber(cert)) == 4711) {
        *at++ = 's';
    }
    *at = '\0';
    return found;
}

static void put_marks_on_all(const STACK_OF(X509) *list, int num)
{
    for (int i = 0; i < num; i++) {
        put_marks(sk_X509_value(list, i));
    }
}

/* What every function shows of a connection. The root is the context's own object. */
static void show(const char *who, SSL *ssl)
{
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);
    STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);
    X509 *peer = SSL_get1_peer_certificate(ssl);
    SSL_SESSION *session = SSL_get1_session(ssl);

    note("  %s: result %ld, peer <%s> of the session <%s>", who, SSL_get_verify_result(ssl),
         marks_of(peer), marks_of(SSL_SESSION_get0_peer(session)));
    for (int i = 0; i < sk_X509_num(sent); i++) {
        note("    sent %d <%s>", i, marks_of(sk_X509_value(sent, i)));
    }
    for (int i = 0; i + 1 < sk_X509_num(verified); i++) {
        note("    verified %d <%s>", i, marks_of(sk_X509_value(verified, i)));
    }
    note("    one object: %d %d %d", peer == SSL_get0_peer_certificate(ssl),
         peer == SSL_SESSION_get0_peer(session), peer == sk_X509_value(verified, 0));
    if (!SSL_is_server(ssl)) {
        note("    one object: %d %d", peer == sk_X509_value(sent, 0),
             sk_X509_value(sent, 1) == sk_X509_value(verified, 1));
    }
    X509_free(peer);
    SSL_SESSION_free(session);
}

/* --- Ways to come by a certificate --- */

/* Set on the connection whose callbacks put marks. */
static bool is_marking(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, ssl_index) != NULL;
}

static SSL *ssl_of(X509_STORE_CTX *verification)
{
    return X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx());
}

static int mark_current(int ok, X509_STORE_CTX *verification)
{
    if (is_marking(ssl_of(verification)) && X509_STORE_CTX_get_error_depth(verification) < 2) {
        put_marks(X509_STORE_CTX_get_current_cert(verification));
    }
    return ok;
}

static int mark_leaf(int ok, X509_STORE_CTX *verification)
{
    if (is_marking(ssl_of(verification)) && X509_STORE_CTX_get_error_depth(verification) == 0) {
        put_marks(X509_STORE_CTX_get0_cert(verification));
    }
    return ok;
}

static int mark_untrusted(int ok, X509_STORE_CTX *verification)
{
    if (is_marking(ssl_of(verification)) && X509_STORE_CTX_get_error_depth(verification) == 0) {
        put_marks_on_all(X509_STORE_CTX_get0_untrusted(verification), 2);
    }
    return ok;
}

static int mark_found(int ok, X509_STORE_CTX *verification)
{
    if (is_marking(ssl_of(verification)) && X509_STORE_CTX_get_error_depth(verification) == 0) {
        put_marks_on_all(X509_STORE_CTX_get0_chain(verification), 2);
    }
    return ok;
}

static int mark_and_verify(X509_STORE_CTX *verification, void *arg)
{
    int answer = X509_verify_cert(verification);

    (void)arg;
    if (is_marking(ssl_of(verification))) {
        put_marks_on_all(X509_STORE_CTX_get0_untrusted(verification), 2);
    }
    return answer;
}

static int mark_issuer(X509_STORE_CTX *verification, X509 *cert, X509 *issuer)
{
    int fits = X509_check_issued(issuer, cert) == X509_V_OK;

    if (is_marking(ssl_of(verification)) && issuer != root->cert) {
        CHECK(X509_set_ex_data(cert, cert_index, mark) == 1);
        CHECK(X509_set_ex_data(issuer, cert_index, mark) == 1);
    }
    return fits;
}

static int add_extension(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                         size_t *len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)ssl, (void)type, (void)context, (void)cert, (void)index, (void)alert, (void)arg;
    *out = NULL;
    *len = 0;
    return 1;
}

static int mark_entry(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
                      size_t len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)type, (void)context, (void)in, (void)len, (void)index, (void)alert, (void)arg;
    if (cert != NULL && is_marking(ssl)) {
        CHECK(X509_set_ex_data(cert, cert_index, mark) == 1);
    }
    return 1;
}

static void mark_told(const SSL *ssl, int where, int value)
{
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);

    (void)where, (void)value;
    if (is_marking(ssl) && sent != NULL && sk_X509_num(sent) == 2) {
        CHECK(X509_set_ex_data(sk_X509_value(sent, 1), cert_index, mark) == 1);
    }
}

static void by_verify_callback(SSL_CTX *ctx, int (*callback)(int ok, X509_STORE_CTX *verification))
{
    SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), callback);
}

static void by_current(SSL_CTX *ctx)
{
    by_verify_callback(ctx, mark_current);
}

static void by_leaf(SSL_CTX *ctx)
{
    by_verify_callback(ctx, mark_leaf);
}

static void by_untrusted(SSL_CTX *ctx)
{
    by_verify_callback(ctx, mark_untrusted);
}

static void by_found(SSL_CTX *ctx)
{
    by_verify_callback(ctx, mark_found);
}

static void by_app_verify(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_verify_callback(ctx, mark_and_verify, NULL);
}

static void by_store_callback(SSL_CTX *ctx)
{
    X509_STORE_set_verify_cb(SSL_CTX_get_cert_store(ctx), mark_current);
}

static void by_check_issued(SSL_CTX *ctx)
{
    X509_STORE_set_check_issued(SSL_CTX_get_cert_store(ctx), mark_issuer);
}

static void by_info(SSL_CTX *ctx)
{
    SSL_CTX_set_info_callback(ctx, mark_told);
}

static void by_extension(SSL_CTX *ctx)
{
    CHECK(SSL_CTX_add_custom_ext(ctx, 1000, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE,
                                 add_extension, NULL, NULL, mark_entry, NULL) == 1);
}

static void after_peer(SSL *ssl)
{
    put_marks(SSL_get0_peer_certificate(ssl));
}

static void after_counted_peer(SSL *ssl)
{
    X509 *peer = SSL_get1_peer_certificate(ssl);

    put_marks(peer);
    X509_free(peer);
}

static void after_sent(SSL *ssl)
{
    STACK_OF(X509) *sent = SSL_get_peer_cert_chain(ssl);

    put_marks_on_all(sent, sk_X509_num(sent));
}

static void after_verified(SSL *ssl)
{
    STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);

    put_marks_on_all(verified, sk_X509_num(verified) - 1);
}

static void after_session(SSL *ssl)
{
    put_marks(SSL_SESSION_get0_peer(SSL_get0_session(ssl)));
}

/* A way: what is set on both contexts before, and what is done to the connection afterwards. */
static const struct way {
    const char *name;
    void (*before)(SSL_CTX *ctx);
    void (*after)(SSL *ssl);
} ways[] = {
    { "SSL_get0_peer_certificate", NULL, after_peer },
    { "SSL_get1_peer_certificate", NULL, after_counted_peer },
    { "SSL_get_peer_cert_chain", NULL, after_sent },
    { "SSL_get0_verified_chain", NULL, after_verified },
    { "SSL_SESSION_get0_peer", NULL, after_session },
    { "verify callback, current certificate", by_current, NULL },
    { "verify callback, leaf", by_leaf, NULL },
    { "verify callback, untrusted", by_untrusted, NULL },
    { "verify callback, chain", by_found, NULL },
    { "cert_verify_callback", by_app_verify, NULL },
    { "verify callback of the store", by_store_callback, NULL },
    { "check_issued of the store", by_check_issued, NULL },
    { "info callback", by_info, NULL },
    { "custom extension", by_extension, NULL },
};

/* --- Connections --- */

static void make_contexts(const struct way *way, SSL_CTX **client_ctx, SSL_CTX **server_ctx)
{
    *client_ctx = client_ctx_new();
    *server_ctx = server_ctx_new();
    identity_use_ctx(leaf, *server_ctx);
    identity_use_ctx(leaf, *client_ctx);
    identity_trust(root, *client_ctx);
    identity_trust(root, *server_ctx);
    SSL_CTX_set_verify(*client_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_verify(*server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    CHECK(SSL_CTX_set_session_id_context(*server_ctx, (const unsigned char *)"x", 1) == 1);
    CHECK(SSL_CTX_set_num_tickets(*server_ctx, 1) == 1);
    if (way != NULL && way->before != NULL) {
        way->before(*client_ctx);
        way->before(*server_ctx);
    }
}

/* A connection between contexts that stay the caller's. */
static void join(struct pair *p, SSL_CTX *client_ctx, SSL_CTX *server_ctx, const char *marking)
{
    SSL_CTX_up_ref(client_ctx);
    SSL_CTX_up_ref(server_ctx);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    if (marking != NULL) {
        SSL *marker = strcmp(marking, "client") == 0 ? p->client : p->server;
        CHECK(SSL_set_ex_data(marker, ssl_index, mark) == 1);
    }
}

static void finish(struct pair *p)
{
    char byte;

    CHECK(drive_handshake(p->client, p->server));
    CHECK(SSL_write(p->server, "x", 1) == 1);
    CHECK(SSL_read(p->client, &byte, 1) == 1); /* and the ticket before it */
}

/* Marks are put on one side of the second of four connections. */
static void try_way(const struct way *way, const char *side)
{
    SSL_CTX *client_ctx, *server_ctx;
    struct pair pairs[4];
    bool is_client = strcmp(side, "client") == 0;

    note("%s, %s", way->name, side);
    make_contexts(way, &client_ctx, &server_ctx);
    for (int i = 0; i < 4; i++) {
        join(&pairs[i], client_ctx, server_ctx, i == 1 ? side : NULL);
        finish(&pairs[i]);
        if (i == 1 && way->after != NULL) {
            way->after(is_client ? pairs[i].client : pairs[i].server);
        }
    }
    for (int i = 0; i < 4; i++) {
        show(i == 1 ? "marked" : "another", is_client ? pairs[i].client : pairs[i].server);
    }
    show("its peer", is_client ? pairs[1].server : pairs[1].client);
    for (int i = 0; i < 4; i++) {
        pair_free(&pairs[i]);
    }
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

static void test_ways(void)
{
    section("ways to a certificate");
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        try_way(&ways[i], "client");
        try_way(&ways[i], "server");
    }
}

/* DANE keeps the certificate that matched. */
static void test_dane(void)
{
    unsigned char *der = NULL;
    size_t len = (size_t)i2d_X509(middle->cert, &der);
    SSL_CTX *client_ctx, *server_ctx;
    struct pair p, other;
    X509 *authority = NULL;

    section("DANE");
    make_contexts(NULL, &client_ctx, &server_ctx);
    CHECK(SSL_CTX_dane_enable(client_ctx) == 1);
    join(&p, client_ctx, server_ctx, NULL);
    CHECK(SSL_dane_enable(p.client, "leaf.example") == 1);
    CHECK(SSL_dane_tlsa_add(p.client, 2, 0, 0, der, len) == 1);
    finish(&p);
    note("depth %d", SSL_get0_dane_authority(p.client, &authority, NULL));
    put_marks(authority);
    show("marked", p.client);
    join(&other, client_ctx, server_ctx, NULL);
    finish(&other);
    show("another", other.client);
    pair_free(&p);
    pair_free(&other);
    OPENSSL_free(der);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

/* Connections of one session have the same certificate. */
static void test_resumption(void)
{
    SSL_CTX *client_ctx, *server_ctx;
    struct pair first, second;
    SSL_SESSION *session, *copy;

    section("resumption");
    make_contexts(NULL, &client_ctx, &server_ctx);
    join(&first, client_ctx, server_ctx, NULL);
    finish(&first);
    session = SSL_get1_session(first.client);
    put_marks(SSL_get0_peer_certificate(first.client));
    join(&second, client_ctx, server_ctx, NULL);
    CHECK(SSL_set_session(second.client, session) == 1);
    finish(&second);
    note("resumed %d", SSL_session_reused(second.client));
    show("marked", first.client);
    note("  resumed: <%s>, one object: %d", marks_of(SSL_get0_peer_certificate(second.client)),
         SSL_get0_peer_certificate(second.client) == SSL_SESSION_get0_peer(session));
    copy = SSL_SESSION_dup(session);
    note("  copied: one object: %d", SSL_SESSION_get0_peer(copy) == SSL_SESSION_get0_peer(session));
    SSL_SESSION_free(copy);
    SSL_SESSION_free(session);
    pair_free(&first);
    pair_free(&second);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

/* --- Threads --- */

#define NUM_THREADS 4
#define NUM_ROUNDS  25

static atomic_int num_foreign;

/* Looks for marks that others put, and puts its own. */
static int connect_and_mark(void *arg)
{
    SSL_CTX **ctx = arg;

    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct pair p;
        join(&p, ctx[0], ctx[1], NULL);
        finish(&p);
        STACK_OF(X509) *verified = SSL_get0_verified_chain(p.client);
        for (int j = 0; j + 1 < sk_X509_num(verified); j++) {
            if (*marks_of(sk_X509_value(verified, j)) != '\0') {
                atomic_fetch_add(&num_foreign, 1);
            }
        }
        put_marks(SSL_get0_peer_certificate(p.client));
        put_marks_on_all(verified, sk_X509_num(verified) - 1);
        put_marks(SSL_get0_peer_certificate(p.server));
        pair_free(&p);
    }
    return 0;
}

static void test_threads(void)
{
    SSL_CTX *ctx[2];
    thrd_t threads[NUM_THREADS];

    section("threads");
    make_contexts(NULL, &ctx[0], &ctx[1]);
    for (int i = 0; i < NUM_THREADS; i++) {
        REQUIRE(thrd_create(&threads[i], connect_and_mark, ctx) == thrd_success);
    }
    for (int i = 0; i < NUM_THREADS; i++) {
        REQUIRE(thrd_join(threads[i], NULL) == thrd_success);
    }
    note("marks of others: %d", atomic_load(&num_foreign));
    SSL_CTX_free(ctx[0]);
    SSL_CTX_free(ctx[1]);
}

int main(void)
{
    contract_start();
    cert_index = X509_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    key_index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_EVP_PKEY, 0, NULL, NULL, NULL, NULL);
    ssl_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    root = identity_new(KEY_P256, "root.example");
    middle = identity_issue(root, KEY_P256, "middle.example", true);
    leaf = identity_issue(middle, KEY_P256, "leaf.example", false);
    test_ways();
    test_dane();
    test_resumption();
    test_threads();
    identity_free(leaf);
    identity_free(middle);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
