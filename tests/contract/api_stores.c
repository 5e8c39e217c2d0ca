/*
 * Stores of trust: the context's own, those for building and for verifying chains, and every way to
 * load them. Manual pages: SSL_CTX_set_cert_store(3), SSL_CTX_set1_verify_cert_store(3),
 * SSL_CTX_load_verify_locations(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static struct identity *root;
static struct identity *leaf;
static char folder[] = "/tmp/tenon-stores-XXXXXX";
static char pem[64], der[64], junk[64], empty[64], hashed[96], uri[96];

static void write_pem(const char *path, X509 *cert)
{
    FILE *file = fopen(path, "w");

    REQUIRE(file != NULL && PEM_write_X509(file, cert) == 1);
    REQUIRE(fclose(file) == 0);
}

static void write_files(void)
{
    FILE *file;

    REQUIRE(mkdtemp(folder) != NULL);
    (void)snprintf(pem, sizeof(pem), "%s/root.pem", folder);
    (void)snprintf(der, sizeof(der), "%s/root.der", folder);
    (void)snprintf(junk, sizeof(junk), "%s/junk.pem", folder);
    (void)snprintf(empty, sizeof(empty), "%s/empty.pem", folder);
    (void)snprintf(hashed, sizeof(hashed), "%s/%08lx.0", folder,
                   X509_subject_name_hash(root->cert));
    (void)snprintf(uri, sizeof(uri), "file:%s", pem);
    write_pem(pem, root->cert);
    write_pem(hashed, root->cert);
    file = fopen(der, "w");
    REQUIRE(file != NULL && i2d_X509_fp(file, root->cert) == 1 && fclose(file) == 0);
    file = fopen(junk, "w");
    REQUIRE(file != NULL);
    (void)fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
    REQUIRE(fclose(file) == 0);
    file = fopen(empty, "w");
    REQUIRE(file != NULL && fclose(file) == 0);
}

static void remove_files(void)
{
    (void)unlink(pem);
    (void)unlink(der);
    (void)unlink(junk);
    (void)unlink(empty);
    (void)unlink(hashed);
    (void)rmdir(folder);
}

/* Does a client with these anchors accept the leaf? Takes the context over. */
static void log_trust(SSL_CTX *client_ctx)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    identity_use_ctx(leaf, server_ctx);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    (void)log_handshake(p.client, p.server);
    note("verified: %s", X509_verify_cert_error_string(SSL_get_verify_result(p.client)));
    pair_free(&p);
}

static int objects_of(const SSL_CTX *ctx)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx)));
}

enum way { LOCATIONS, LOCATION_DIR, ONLY_FILE, ONLY_DIR, ONLY_STORE };

static int load(SSL_CTX *ctx, enum way way, const char *path)
{
    switch (way) {
    case LOCATIONS:
        return SSL_CTX_load_verify_locations(ctx, path, NULL);
    case LOCATION_DIR:
        return SSL_CTX_load_verify_locations(ctx, NULL, path);
    case ONLY_FILE:
        return SSL_CTX_load_verify_file(ctx, path);
    case ONLY_DIR:
        return SSL_CTX_load_verify_dir(ctx, path);
    case ONLY_STORE:
        return SSL_CTX_load_verify_store(ctx, path);
    }
    return -1;
}

static void test_loading(void)
{
    static const char *const ways[] = { "locations, file", "locations, dir", "file", "dir",
                                        "store" };
    const struct {
        const char *name;
        const char *path;
    } paths[] = {
        { "NULL", NULL },         { "PEM", pem },     { "DER", der },
        { "junk", junk },         { "empty", empty }, { "folder", folder },
        { "uri", uri },           { "no name", "" },  { "absent", "/nonexistent/tenon" },
        { "nobody", "nobody:x" },
    };

    for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
        section("loading: %s", ways[way]);
        for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
            SSL_CTX *ctx = client_ctx_new();

            note("%s: %d", paths[i].name, load(ctx, (enum way)way, paths[i].path));
            log_errors("error");
            note("  objects %d", objects_of(ctx));
            log_trust(ctx);
        }
    }
    section("both places");
    {
        SSL_CTX *ctx = client_ctx_new();

        note("file and folder: %d", SSL_CTX_load_verify_locations(ctx, pem, folder));
        note("file and a bad folder: %d", SSL_CTX_load_verify_locations(ctx, pem, "/nonexistent"));
        note("bad file and a folder: %d", SSL_CTX_load_verify_locations(ctx, junk, folder));
        log_errors("error");
        note("nothing: %d", SSL_CTX_load_verify_locations(ctx, NULL, NULL));
        log_errors("error");
        log_trust(ctx);
    }
}

static void test_default_places(void)
{
    SSL_CTX *ctx;

    section("default places");
    REQUIRE(setenv("SSL_CERT_FILE", pem, 1) == 0 && setenv("SSL_CERT_DIR", "/nonexistent", 1) == 0);
    ctx = client_ctx_new();
    note("paths %d", SSL_CTX_set_default_verify_paths(ctx));
    log_errors("error");
    log_trust(ctx);
    ctx = client_ctx_new();
    note("file %d", SSL_CTX_set_default_verify_file(ctx));
    log_errors("error");
    log_trust(ctx);
    ctx = client_ctx_new();
    note("dir %d", SSL_CTX_set_default_verify_dir(ctx));
    log_errors("error");
    log_trust(ctx);
    REQUIRE(setenv("SSL_CERT_DIR", folder, 1) == 0);
    REQUIRE(setenv("SSL_CERT_FILE", "/nonexistent/file", 1) == 0);
    ctx = client_ctx_new();
    note("dir %d", SSL_CTX_set_default_verify_dir(ctx));
    log_trust(ctx);
    ctx = client_ctx_new();
    note("absent file %d", SSL_CTX_set_default_verify_file(ctx));
    log_errors("error");
    log_trust(ctx);
    ctx = client_ctx_new();
    note("store %d", SSL_CTX_set_default_verify_store(ctx));
    log_errors("error");
    SSL_CTX_free(ctx);
    REQUIRE(unsetenv("SSL_CERT_FILE") == 0 && unsetenv("SSL_CERT_DIR") == 0);
}

static X509_STORE *store_with_root(void)
{
    X509_STORE *store = X509_STORE_new();

    REQUIRE(store != NULL && X509_STORE_add_cert(store, root->cert) == 1);
    return store;
}

static void test_own_store(void)
{
    X509_STORE *store = store_with_root();
    SSL_CTX *ctx = client_ctx_new();

    section("SSL_CTX_set_cert_store");
    CHECK(SSL_CTX_get_cert_store(ctx) != NULL);
    SSL_CTX_set_cert_store(ctx, store);
    CHECK(SSL_CTX_get_cert_store(ctx) == store);
    log_trust(ctx);
    section("SSL_CTX_set1_cert_store");
    store = store_with_root();
    ctx = client_ctx_new();
    SSL_CTX_set1_cert_store(ctx, store);
    CHECK(SSL_CTX_get_cert_store(ctx) == store);
    SSL_CTX_set1_cert_store(ctx, store);
    CHECK(SSL_CTX_get_cert_store(ctx) == store);
    X509_STORE_free(store);
    log_trust(ctx);
    section("no store");
    ctx = client_ctx_new();
    SSL_CTX_set1_cert_store(ctx, NULL);
    CHECK(SSL_CTX_get_cert_store(ctx) == NULL);
    log_trust(ctx);
    ctx = client_ctx_new();
    SSL_CTX_set_cert_store(ctx, NULL);
    CHECK(SSL_CTX_get_cert_store(ctx) == NULL);
    SSL_CTX_free(ctx);
}

static void test_chain_stores(void)
{
    X509_STORE *first = store_with_root();
    X509_STORE *second = store_with_root();
    X509_STORE *got = NULL;
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    SSL *newer;

    section("stores for building and for verifying");
    REQUIRE(ssl != NULL);
    note("verify none: %ld %d", (long)SSL_CTX_get0_verify_cert_store(ctx, &got), got != NULL);
    note("chain none: %ld %d", (long)SSL_CTX_get0_chain_cert_store(ctx, &got), got != NULL);
    note("set1 verify %ld", (long)SSL_CTX_set1_verify_cert_store(ctx, first));
    note("set1 chain %ld", (long)SSL_CTX_set1_chain_cert_store(ctx, second));
    note("set0 verify again %ld", (long)SSL_CTX_set0_verify_cert_store(ctx, first));
    note("set0 chain again %ld", (long)SSL_CTX_set0_chain_cert_store(ctx, second));
    CHECK(SSL_CTX_get0_verify_cert_store(ctx, &got) == 1 && got == first);
    CHECK(SSL_CTX_get0_chain_cert_store(ctx, &got) == 1 && got == second);
    note("an older SSL: %ld %d", (long)SSL_get0_verify_cert_store(ssl, &got), got != NULL);
    newer = SSL_new(ctx);
    REQUIRE(newer != NULL);
    CHECK(SSL_get0_verify_cert_store(newer, &got) == 1 && got == first);
    CHECK(SSL_get0_chain_cert_store(newer, &got) == 1 && got == second);
    note("SSL set1 verify %ld", (long)SSL_set1_verify_cert_store(ssl, second));
    note("SSL set1 chain %ld", (long)SSL_set1_chain_cert_store(ssl, first));
    CHECK(SSL_get0_verify_cert_store(ssl, &got) == 1 && got == second);
    CHECK(SSL_get0_chain_cert_store(ssl, &got) == 1 && got == first);
    note("SSL set0 nothing %ld %ld", (long)SSL_set0_verify_cert_store(ssl, NULL),
         (long)SSL_set0_chain_cert_store(ssl, NULL));
    note("nothing: %ld %d", (long)SSL_get0_verify_cert_store(ssl, &got), got != NULL);
    note("nothing: %ld %d", (long)SSL_get0_chain_cert_store(ssl, &got), got != NULL);
    SSL_free(newer);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* The verify store is asked instead of the context's own; the chain store never for the peer. */
static void test_which_store(void)
{
    SSL_CTX *ctx = client_ctx_new();

    section("trust in the verify store");
    CHECK(SSL_CTX_set0_verify_cert_store(ctx, store_with_root()) == 1);
    log_trust(ctx);
    section("trust in the chain store");
    ctx = client_ctx_new();
    CHECK(SSL_CTX_set0_chain_cert_store(ctx, store_with_root()) == 1);
    log_trust(ctx);
    section("trust in the context's store, another verify store");
    ctx = client_ctx_new();
    SSL_CTX_set_cert_store(ctx, store_with_root());
    CHECK(SSL_CTX_set0_verify_cert_store(ctx, X509_STORE_new()) == 1);
    log_trust(ctx);
}

/* A server builds the chain that it sends from the chain store, else from the context's. */
static void log_sent_chain(X509_STORE *chain_store, X509_STORE *store, long mode)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    CHECK(SSL_CTX_use_certificate(server_ctx, leaf->cert) == 1);
    CHECK(SSL_CTX_use_PrivateKey(server_ctx, leaf->key) == 1);
    (void)SSL_CTX_set_mode(server_ctx, mode);
    if (chain_store != NULL) {
        CHECK(SSL_CTX_set0_chain_cert_store(server_ctx, chain_store) == 1);
    }
    if (store != NULL) {
        SSL_CTX_set_cert_store(server_ctx, store);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    (void)log_handshake(p.client, p.server);
    note("chain of %d", sk_X509_num(SSL_get_peer_cert_chain(p.client)));
    pair_free(&p);
}

static void test_sent_chain(void)
{
    section("the chain that is sent");
    log_sent_chain(NULL, NULL, 0);
    log_sent_chain(store_with_root(), NULL, 0);
    log_sent_chain(NULL, store_with_root(), 0);
    log_sent_chain(X509_STORE_new(), store_with_root(), 0);
    log_sent_chain(NULL, store_with_root(), SSL_MODE_NO_AUTO_CHAIN);
    log_sent_chain(store_with_root(), NULL, SSL_MODE_NO_AUTO_CHAIN);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root");
    leaf = identity_issue(root, KEY_P256, "leaf", false);
    REQUIRE(root != NULL && leaf != NULL);
    write_files();
    test_loading();
    test_default_places();
    test_own_store();
    test_chain_stores();
    test_which_store();
    test_sent_chain();
    remove_files();
    identity_free(leaf);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
