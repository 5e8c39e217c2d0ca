/*
 * Files of trusted certificates, loaded into one context after another: what is in the store, in
 * which order and how often, what verification finds there, whose objects they are, and what
 * happens when a file changes. Files are left alone for a moment first, so that a library that
 * keeps what it has read may do so.
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NUM_OTHERS 12

static struct identity *root, *twin, *leaf, *twin_leaf; /* twin has root's name and another key */
static struct identity *others[NUM_OTHERS];
static char folder[] = "/tmp/contract-ca-XXXXXX";
static int cert_index;
static char mark[] = "marked";

/* --- Files --- */

static const char *path_of(const char *name)
{
    static char path[4][256];
    static unsigned next;
    char *at = path[next++ % 4];

    (void)snprintf(at, sizeof(path[0]), "%s/%s", folder, name);
    return at;
}

static FILE *create(const char *name)
{
    FILE *file = fopen(path_of(name), "w");

    REQUIRE(file != NULL);
    return file;
}

static void write_others(FILE *file)
{
    for (int i = 0; i < NUM_OTHERS; i++) {
        CHECK(PEM_write_X509(file, others[i]->cert) == 1);
    }
}

static X509_CRL *make_crl(void)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *time = ASN1_TIME_adj(NULL, 1600000000, 0, 0);

    CHECK(X509_CRL_set_issuer_name(crl, X509_get_subject_name(root->cert)) == 1);
    CHECK(X509_CRL_set1_lastUpdate(crl, time) == 1);
    CHECK(X509_CRL_sign(crl, root->key, EVP_sha256()) > 0);
    ASN1_TIME_free(time);
    return crl;
}

/* What stands between and around the certificates of real files, each in a file of its own: text,
 * the label that old programs wrote, a key, a PEM header, and a byte behind the certificate. */
static void write_odd_files(void)
{
    static const char key_block[] = "-----BEGIN DH PARAMETERS-----\nMAA=\n"
                                    "-----END DH PARAMETERS-----\n";
    unsigned char *der = NULL;
    int len = i2d_X509(root->cert, &der);
    unsigned char longer[4096];
    FILE *file = create("text.pem");

    REQUIRE(len > 0 && (size_t)len < sizeof(longer));
    memcpy(longer, der, (size_t)len);
    longer[len] = 0;
    (void)fputs("# Some authority\r\n  =====\n", file);
    write_others(file);
    (void)fputs("\n# Another\n", file);
    CHECK(PEM_write_X509(file, root->cert) == 1);
    (void)fputs("that was all\n", file);
    (void)fclose(file);
    file = create("old.pem");
    CHECK(PEM_write(file, PEM_STRING_X509_OLD, "", der, len) > 0);
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    (void)fclose(file);
    file = create("others.pem");
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    (void)fputs(key_block, file);
    CHECK(PEM_write_X509(file, root->cert) == 1);
    (void)fclose(file);
    file = create("header.pem");
    CHECK(PEM_write(file, PEM_STRING_X509, "Comment: none\n", der, len) > 0);
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    (void)fclose(file);
    file = create("longer.pem");
    CHECK(PEM_write(file, PEM_STRING_X509, "", longer, len + 1) > 0);
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    (void)fclose(file);
    file = create("cut.pem");
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    (void)fputs("-----BEGIN CERTIFICATE-----\nAAAA\n", file);
    (void)fclose(file);
    OPENSSL_free(der);
}

static void write_files(void)
{
    X509 *trusted = X509_dup(root->cert);
    X509_CRL *crl = make_crl();
    FILE *file = create("roots.pem");

    write_others(file);
    CHECK(PEM_write_X509(file, root->cert) == 1);
    CHECK(PEM_write_X509(file, others[3]->cert) == 1); /* for the second time */
    (void)fclose(file);
    file = create("twin.pem");
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    (void)fclose(file);
    file = create("both.pem");
    CHECK(PEM_write_X509(file, twin->cert) == 1);
    CHECK(PEM_write_X509(file, root->cert) == 1);
    (void)fclose(file);
    file = create("crl.pem");
    CHECK(PEM_write_X509(file, root->cert) == 1);
    CHECK(PEM_write_X509_CRL(file, crl) == 1);
    (void)fclose(file);
    file = create("trusted.pem");
    CHECK(X509_alias_set1(trusted, (const unsigned char *)"named", 5) == 1);
    CHECK(PEM_write_X509_AUX(file, trusted) == 1);
    (void)fclose(file);
    file = create("broken.pem");
    CHECK(PEM_write_X509(file, root->cert) == 1);
    (void)fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", file);
    (void)fclose(file);
    file = create("none.pem");
    (void)fputs("nothing to see here\n", file);
    (void)fclose(file);
    write_odd_files();
    X509_free(trusted);
    X509_CRL_free(crl);
    (void)sleep(4);
}

static void remove_files(void)
{
    static const char *const names[] = { "roots.pem",   "twin.pem",   "both.pem",   "crl.pem",
                                         "trusted.pem", "broken.pem", "none.pem",   "text.pem",
                                         "old.pem",     "others.pem", "header.pem", "longer.pem",
                                         "cut.pem" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlink(path_of(names[i]));
    }
    (void)rmdir(folder);
}

/* --- What there is --- */

static void show_errors(void)
{
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        note("  error %s", ERR_reason_error_string(code));
    }
}

static X509 *object_at(X509_STORE *store, int i)
{
    return X509_OBJECT_get0_X509(sk_X509_OBJECT_value(X509_STORE_get0_objects(store), i));
}

static void show_store(X509_STORE *store)
{
    int num = sk_X509_OBJECT_num(X509_STORE_get0_objects(store));

    note("  %d objects", num);
    for (int i = 0; i < num; i++) {
        X509 *cert = object_at(store, i);
        char name[64] = "CRL";
        if (cert != NULL) {
            (void)X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name,
                                            sizeof(name));
        }
        note("    %s%s%s", name, cert != NULL && X509_cmp(cert, twin->cert) == 0 ? " (twin)" : "",
             cert != NULL && X509_get_ex_data(cert, cert_index) != NULL ? " marked" : "");
    }
}

/* How often the object itself is in the store. */
static int times_in_store(X509_STORE *store, const X509 *cert)
{
    int times = 0;

    for (int i = 0; i < sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); i++) {
        times += object_at(store, i) == cert;
    }
    return times;
}

static SSL_CTX *client_of(const char *first, const char *second)
{
    SSL_CTX *ctx = client_ctx_new();

    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    note("  load %s: %d", first, SSL_CTX_load_verify_file(ctx, path_of(first)));
    if (second != NULL) {
        note("  load %s: %d", second, SSL_CTX_load_verify_file(ctx, path_of(second)));
    }
    show_errors();
    return ctx;
}

/* Connects to a server with identity; the client is the caller's to look at and pair_free(). */
static void meet(struct pair *p, SSL_CTX *client_ctx, const struct identity *identity)
{
    SSL_CTX *server_ctx = server_ctx_new();

    identity_use_ctx(identity, server_ctx);
    SSL_CTX_up_ref(client_ctx);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    (void)drive_handshake(p->client, p->server);
    note("  %s: result %ld", identity == leaf ? "leaf" : "twin's leaf",
         SSL_get_verify_result(p->client));
    ERR_clear_error();
}

static X509 *anchor_of(const struct pair *p)
{
    STACK_OF(X509) *chain = SSL_get0_verified_chain(p->client);

    return sk_X509_value(chain, sk_X509_num(chain) - 1);
}

/* --- Tests --- */

static void test_contents(void)
{
    static const char *const names[] = { "roots.pem",  "both.pem",   "crl.pem",     "trusted.pem",
                                         "broken.pem", "none.pem",   "missing.pem", "text.pem",
                                         "old.pem",    "others.pem", "header.pem",  "longer.pem",
                                         "cut.pem" };

    section("contents");
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (int round = 0; round < 3; round++) {
            SSL_CTX *ctx = client_of(names[i], NULL);
            show_store(SSL_CTX_get_cert_store(ctx));
            SSL_CTX_free(ctx);
        }
    }
}

static void test_several_files(void)
{
    static const char *const pairs[][2] = {
        { "roots.pem", "twin.pem" }, { "twin.pem", "roots.pem" },   { "roots.pem", "roots.pem" },
        { "roots.pem", "crl.pem" },  { "roots.pem", "broken.pem" }, { "broken.pem", "both.pem" },
        { "crl.pem", "twin.pem" }
    };
    struct pair p;

    section("several files");
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        SSL_CTX *ctx = client_of(pairs[i][0], pairs[i][1]);
        meet(&p, ctx, leaf);
        pair_free(&p);
        meet(&p, ctx, twin_leaf);
        pair_free(&p);
        show_store(SSL_CTX_get_cert_store(ctx));
        meet(&p, ctx, leaf);
        pair_free(&p);
        SSL_CTX_free(ctx);
    }
}

static void test_objects(void)
{
    SSL_CTX *first, *second, *third;
    struct pair a, b, c;

    section("whose objects");
    first = client_of("roots.pem", NULL);
    second = client_of("roots.pem", NULL);
    third = client_of("roots.pem", NULL);
    meet(&a, first, leaf);
    meet(&b, second, leaf);
    CHECK(X509_set_ex_data(anchor_of(&a), cert_index, mark) == 1);
    CHECK(X509_alias_set1(anchor_of(&a), (const unsigned char *)mark, 6) == 1);
    CHECK(X509_add1_reject_object(anchor_of(&a), OBJ_nid2obj(NID_server_auth)) == 1);
    note("in its store %d, in the other's %d",
         times_in_store(SSL_CTX_get_cert_store(first), anchor_of(&a)),
         times_in_store(SSL_CTX_get_cert_store(second), anchor_of(&a)));
    note("the other's in its store %d",
         times_in_store(SSL_CTX_get_cert_store(second), anchor_of(&b)));
    show_store(SSL_CTX_get_cert_store(first));
    show_store(SSL_CTX_get_cert_store(second));
    for (int i = 0; i < NUM_OTHERS; i++) {
        CHECK(X509_set_ex_data(object_at(SSL_CTX_get_cert_store(second), i), cert_index, mark) ==
              1);
    }
    show_store(SSL_CTX_get_cert_store(third));
    pair_free(&a);
    meet(&a, first, leaf); /* which it no longer trusts */
    meet(&c, third, leaf);
    pair_free(&a);
    pair_free(&b);
    pair_free(&c);
    SSL_CTX_free(first);
    SSL_CTX_free(second);
    SSL_CTX_free(third);
}

static int count_objects(int ok, X509_STORE_CTX *verification)
{
    X509_STORE *store = X509_STORE_CTX_get0_store(verification);

    note("  callback: %d, %d objects", ok, sk_X509_OBJECT_num(X509_STORE_get0_objects(store)));
    return ok;
}

static void test_callback(void)
{
    SSL_CTX *ctx;
    struct pair p;

    section("a callback sees the store");
    ctx = client_of("roots.pem", NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, count_objects);
    meet(&p, ctx, leaf);
    pair_free(&p);
    SSL_CTX_free(ctx);
}

static void test_changed_store(void)
{
    SSL_CTX *first, *second;
    X509_STORE *store;
    struct pair p;

    section("a store that was changed");
    first = client_of("roots.pem", NULL);
    store = SSL_CTX_get_cert_store(first);
    CHECK(X509_STORE_add_cert(store, twin->cert) == 1);
    note("  load again: %d", SSL_CTX_load_verify_file(first, path_of("roots.pem")));
    show_store(store);
    meet(&p, first, twin_leaf);
    pair_free(&p);
    second = client_of("roots.pem", NULL);
    meet(&p, second, twin_leaf);
    pair_free(&p);
    SSL_CTX_set1_cert_store(second, store);
    meet(&p, second, twin_leaf);
    pair_free(&p);
    SSL_CTX_free(first);
    meet(&p, second, leaf);
    pair_free(&p);
    SSL_CTX_free(second);
}

static void test_folders(void)
{
    SSL_CTX *ctx = client_ctx_new();
    struct pair p;

    section("folders and files");
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    note("  folder %d", SSL_CTX_load_verify_dir(ctx, folder));
    note("  file %d", SSL_CTX_load_verify_file(ctx, path_of("roots.pem")));
    meet(&p, ctx, leaf);
    pair_free(&p);
    show_store(SSL_CTX_get_cert_store(ctx));
    SSL_CTX_free(ctx);
    ctx = client_ctx_new();
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    note("  both %d", SSL_CTX_load_verify_locations(ctx, path_of("both.pem"), folder));
    meet(&p, ctx, leaf);
    pair_free(&p);
    meet(&p, ctx, twin_leaf);
    pair_free(&p);
    note("  file %d", SSL_CTX_load_verify_file(ctx, path_of("roots.pem")));
    show_store(SSL_CTX_get_cert_store(ctx));
    SSL_CTX_free(ctx);
}

static void test_default(void)
{
    static const char *const names[] = { "roots.pem", "broken.pem", "missing.pem" };
    struct pair p;

    section("the default places");
    CHECK(setenv("SSL_CERT_DIR", folder, 1) == 0);
    for (size_t i = 0; i < 2 * sizeof(names) / sizeof(names[0]); i++) {
        SSL_CTX *ctx = client_ctx_new();
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
        CHECK(setenv("SSL_CERT_FILE", path_of(names[i / 2]), 1) == 0);
        ERR_raise(ERR_LIB_USER, 1);
        note("%s: %d", names[i / 2],
             i % 2 == 0 ? SSL_CTX_set_default_verify_paths(ctx)
                        : SSL_CTX_set_default_verify_file(ctx));
        note("  errors: %d", ERR_peek_error() != 0);
        ERR_clear_error();
        meet(&p, ctx, leaf);
        pair_free(&p);
        show_store(SSL_CTX_get_cert_store(ctx));
        SSL_CTX_free(ctx);
    }
}

/* A server finds the rest of its own chain there, too. */
static void test_own_chain(void)
{
    SSL_CTX *ctx = server_ctx_new();
    STACK_OF(X509) *chain = NULL;

    section("own chain");
    CHECK(SSL_CTX_load_verify_file(ctx, path_of("both.pem")) == 1);
    CHECK(SSL_CTX_use_certificate(ctx, leaf->cert) == 1);
    CHECK(SSL_CTX_use_PrivateKey(ctx, leaf->key) == 1);
    note("built %ld", (long)SSL_CTX_build_cert_chain(ctx, 0));
    CHECK(SSL_CTX_get0_chain_certs(ctx, &chain) == 1);
    note("%d above, of the store %d", sk_X509_num(chain),
         times_in_store(SSL_CTX_get_cert_store(ctx), sk_X509_value(chain, 0)));
    SSL_CTX_free(ctx);
}

/* By renaming, as such files are replaced, and in place, without and with another length. */
static void test_replaced(void)
{
    struct pair p;
    FILE *file;

    section("a file that changes");
    for (int step = 0; step < 3; step++) {
        SSL_CTX *ctx = client_of("twin.pem", NULL);
        meet(&p, ctx, leaf);
        pair_free(&p);
        meet(&p, ctx, twin_leaf);
        pair_free(&p);
        SSL_CTX_free(ctx);
        if (step == 0) {
            CHECK(rename(path_of("both.pem"), path_of("twin.pem")) == 0);
        } else {
            file = create("twin.pem");
            write_others(file);
            (void)fclose(file);
        }
    }
}

int main(void)
{
    contract_start();
    REQUIRE(mkdtemp(folder) != NULL);
    cert_index = X509_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    root = identity_new(KEY_P256, "m.root.example");
    twin = identity_new(KEY_P256, "m.root.example");
    leaf = identity_issue(root, KEY_P256, "leaf.example", false);
    twin_leaf = identity_issue(twin, KEY_P256, "leaf.example", false);
    for (int i = 0; i < NUM_OTHERS; i++) {
        char name[32];
        (void)snprintf(name, sizeof(name), "%c.example", 'z' - 7 * i % 26);
        others[i] = identity_new(KEY_P256, name);
    }
    write_files();
    test_contents();
    test_several_files();
    test_objects();
    test_callback();
    test_changed_store();
    test_folders();
    test_default();
    test_own_chain();
    test_replaced();
    remove_files();
    for (int i = 0; i < NUM_OTHERS; i++) {
        identity_free(others[i]);
    }
    identity_free(leaf);
    identity_free(twin_leaf);
    identity_free(root);
    identity_free(twin);
    identity_default_free();
    return contract_finish();
}
