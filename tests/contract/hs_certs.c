/*
 * Own certificates, keys, chains and lists of authorities: every way to set them, what is refused
 * and with which error. SSL_CTX_use_certificate(3), SSL_CTX_add1_chain_cert(3), SSL_check_chain(3),
 * SSL_CTX_set0_CA_list(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct identity *root, *middle, *leaf, *rsa, *ed;

static void make_identities(void)
{
    root = identity_new(KEY_P256, "root");
    middle = identity_issue(root, KEY_P256, "middle", true);
    leaf = identity_issue(middle, KEY_P256, "leaf", false);
    rsa = identity_new(KEY_RSA, "rsa");
    ed = identity_new(KEY_ED25519, "ed");
    REQUIRE(root != NULL && middle != NULL && leaf != NULL && rsa != NULL && ed != NULL);
}

static const char *name_of(const X509 *cert)
{
    static char names[4][64];
    static int next;
    char *name = names[next++ % 4];

    if (cert == NULL) {
        return "none";
    }
    X509_NAME_get_text_by_NID(X509_get_subject_name(cert), NID_commonName, name, 64);
    return name;
}

static void log_current(SSL_CTX *ctx)
{
    STACK_OF(X509) *chain = NULL;

    SSL_CTX_get0_chain_certs(ctx, &chain);
    note("  cert %s key %d chain %d", name_of(SSL_CTX_get0_certificate(ctx)),
         SSL_CTX_get0_privatekey(ctx) != NULL, sk_X509_num(chain));
}

static void try(const char *what, long ret)
{
    note("%s = %ld", what, ret);
    log_errors("e");
}

static void test_objects(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("objects");
    try("check, nothing set", SSL_CTX_check_private_key(ctx));
    try("check of NULL", SSL_CTX_check_private_key(NULL));
    try("certificate NULL", SSL_CTX_use_certificate(ctx, NULL));
    try("key NULL", SSL_CTX_use_PrivateKey(ctx, NULL));
    try("certificate", SSL_CTX_use_certificate(ctx, leaf->cert));
    log_current(ctx);
    try("check without a key", SSL_CTX_check_private_key(ctx));
    try("foreign key", SSL_CTX_use_PrivateKey(ctx, root->key));
    log_current(ctx);
    try("key", SSL_CTX_use_PrivateKey(ctx, leaf->key));
    try("check", SSL_CTX_check_private_key(ctx));
    log_current(ctx);
    try("another certificate", SSL_CTX_use_certificate(ctx, root->cert));
    log_current(ctx);
    try("key first, of another kind", SSL_CTX_use_PrivateKey(ctx, rsa->key));
    log_current(ctx);
    try("check without a certificate", SSL_CTX_check_private_key(ctx));
    try("its certificate", SSL_CTX_use_certificate(ctx, rsa->cert));
    log_current(ctx);
    try("third kind",
        SSL_CTX_use_certificate(ctx, ed->cert) + SSL_CTX_use_PrivateKey(ctx, ed->key));
    log_current(ctx);
    ssl = SSL_new(ctx);
    note("SSL has %s %d", name_of(SSL_get_certificate(ssl)), SSL_get_privatekey(ssl) != NULL);
    try("SSL check", SSL_check_private_key(ssl));
    try("SSL check of NULL", SSL_check_private_key(NULL));
    try("SSL certificate", SSL_use_certificate(ssl, leaf->cert));
    try("SSL key", SSL_use_PrivateKey(ssl, leaf->key));
    note("SSL has %s, context %s", name_of(SSL_get_certificate(ssl)),
         name_of(SSL_CTX_get0_certificate(ctx)));
    SSL_certs_clear(ssl);
    note("cleared: %s %d, context %s", name_of(SSL_get_certificate(ssl)),
         SSL_get_privatekey(ssl) != NULL, name_of(SSL_CTX_get0_certificate(ctx)));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_cert_and_key(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    STACK_OF(X509) *chain = sk_X509_new_null();

    section("certificate and key at once");
    sk_X509_push(chain, middle->cert);
    try("all", SSL_CTX_use_cert_and_key(ctx, leaf->cert, leaf->key, chain, 0));
    log_current(ctx);
    try("again", SSL_CTX_use_cert_and_key(ctx, leaf->cert, leaf->key, chain, 0));
    try("again, over it", SSL_CTX_use_cert_and_key(ctx, leaf->cert, leaf->key, NULL, 1));
    log_current(ctx);
    try("mismatch", SSL_CTX_use_cert_and_key(ctx, leaf->cert, root->key, NULL, 1));
    try("other kind", SSL_CTX_use_cert_and_key(ctx, rsa->cert, leaf->key, NULL, 1));
    log_current(ctx);
    try("no key", SSL_CTX_use_cert_and_key(ctx, rsa->cert, NULL, NULL, 1));
    log_current(ctx);
    SSL_CTX_free(ctx);
    sk_X509_free(chain);
}

static void test_security_level(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    STACK_OF(X509) *chain = sk_X509_new_null();

    section("security level");
    sk_X509_push(chain, rsa->cert);
    SSL_CTX_set_security_level(ctx, 3);
    try("certificate", SSL_CTX_use_certificate(ctx, rsa->cert));
    try("key", SSL_CTX_use_PrivateKey(ctx, rsa->key));
    try("P-256", SSL_CTX_use_certificate(ctx, leaf->cert));
    try("chain", SSL_CTX_set1_chain(ctx, chain));
    try("chain certificate", SSL_CTX_add1_chain_cert(ctx, rsa->cert));
    try("all", SSL_CTX_use_cert_and_key(ctx, leaf->cert, leaf->key, chain, 1));
    SSL_CTX_set_security_level(ctx, 5);
    try("P-256 at 5", SSL_CTX_use_certificate(ctx, leaf->cert));
    SSL_CTX_free(ctx);
    sk_X509_free(chain);
}

static void test_chains(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    STACK_OF(X509) *chain = sk_X509_new_null(), *got = NULL;

    section("chains");
    sk_X509_push(chain, middle->cert);
    sk_X509_push(chain, root->cert);
    try("build without a certificate", SSL_CTX_build_cert_chain(ctx, 0));
    REQUIRE(SSL_CTX_use_certificate(ctx, leaf->cert) && SSL_CTX_use_PrivateKey(ctx, leaf->key));
    try("set1", SSL_CTX_set1_chain(ctx, chain));
    log_current(ctx);
    try("set1 NULL", SSL_CTX_set1_chain(ctx, NULL));
    log_current(ctx);
    try("add1", SSL_CTX_add1_chain_cert(ctx, middle->cert));
    log_current(ctx);
    try("clear", SSL_CTX_clear_chain_certs(ctx));
    try("build, nothing to build from", SSL_CTX_build_cert_chain(ctx, 0));
    log_current(ctx);
    try("build, error ignored", SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR));
    log_current(ctx);
    try("... and cleared", SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR |
                                                             SSL_BUILD_CHAIN_FLAG_CLEAR_ERROR));
    SSL_CTX_set1_chain(ctx, chain);
    try("check", SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_CHECK));
    log_current(ctx);
    try("check, no root",
        SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_CHECK | SSL_BUILD_CHAIN_FLAG_NO_ROOT));
    log_current(ctx);
    try("check, root missing", SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_CHECK));
    try("check, root missing, ignored",
        SSL_CTX_build_cert_chain(ctx,
                                 SSL_BUILD_CHAIN_FLAG_CHECK | SSL_BUILD_CHAIN_FLAG_IGNORE_ERROR));
    log_current(ctx);
    ERR_clear_error();
    identity_trust(root, ctx);
    try("untrusted", SSL_CTX_build_cert_chain(ctx, SSL_BUILD_CHAIN_FLAG_UNTRUSTED));
    log_current(ctx);
    try("extra", SSL_CTX_get_extra_chain_certs(ctx, &got));
    note("  %d", sk_X509_num(got));
    try("extra only", SSL_CTX_get_extra_chain_certs_only(ctx, &got));
    note("  %d", got != NULL);
    X509_up_ref(middle->cert);
    try("add extra", SSL_CTX_add_extra_chain_cert(ctx, middle->cert));
    try("extra", SSL_CTX_get_extra_chain_certs(ctx, &got));
    note("  %d", sk_X509_num(got));
    try("clear extra", SSL_CTX_clear_extra_chain_certs(ctx));
    SSL_CTX_free(ctx);
    sk_X509_free(chain);
}

static void test_current(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("which is current");
    try("first of none", SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST));
    REQUIRE(SSL_CTX_use_certificate(ctx, leaf->cert) && SSL_CTX_use_PrivateKey(ctx, leaf->key));
    REQUIRE(SSL_CTX_use_certificate(ctx, ed->cert) && SSL_CTX_use_PrivateKey(ctx, ed->key));
    REQUIRE(SSL_CTX_use_certificate(ctx, rsa->cert) && SSL_CTX_use_PrivateKey(ctx, rsa->key));
    log_current(ctx);
    for (long ret = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST); ret == 1;
         ret = SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_NEXT)) {
        log_current(ctx);
    }
    try("select", SSL_CTX_select_current_cert(ctx, leaf->cert));
    log_current(ctx);
    try("select absent", SSL_CTX_select_current_cert(ctx, root->cert));
    try("select NULL", SSL_CTX_select_current_cert(ctx, NULL));
    try("no such choice", SSL_CTX_set_current_cert(ctx, 77));
    ssl = SSL_new(ctx);
    SSL_set_accept_state(ssl);
    try("server's, before a handshake", SSL_set_current_cert(ssl, SSL_CERT_SET_SERVER));
    SSL_set_connect_state(ssl);
    try("server's, on a client", SSL_set_current_cert(ssl, SSL_CERT_SET_SERVER));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* --- DER --- */

static void test_der(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    unsigned char *der = NULL;
    int len = i2d_X509(rsa->cert, &der);

    section("DER");
    try("certificate", SSL_CTX_use_certificate_ASN1(ctx, len, der));
    try("shortened", SSL_CTX_use_certificate_ASN1(ctx, len - 1, der));
    try("SSL", SSL_use_certificate_ASN1(ssl, der, len));
    OPENSSL_free(der);
    der = NULL;
    len = i2d_PrivateKey(rsa->key, &der);
    try("key", SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_RSA, ctx, der, len));
    try("key of another kind", SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, ctx, der, len) > 0);
    ERR_clear_error();
    try("RSA", SSL_CTX_use_RSAPrivateKey_ASN1(ctx, der, len));
    try("SSL RSA", SSL_use_RSAPrivateKey_ASN1(ssl, der, len));
    try("RSA shortened", SSL_use_RSAPrivateKey_ASN1(ssl, der, len - 1) > 0);
    log_errors("e");
    OPENSSL_free(der);
    try("RSA NULL", SSL_CTX_use_RSAPrivateKey(ctx, NULL));
    try("RSA", SSL_CTX_use_RSAPrivateKey(ctx, (RSA *)(uintptr_t)EVP_PKEY_get0_RSA(rsa->key)));
    try("SSL RSA", SSL_use_RSAPrivateKey(ssl, (RSA *)(uintptr_t)EVP_PKEY_get0_RSA(rsa->key)));
    try("check", SSL_check_private_key(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* --- Files --- */

static char dir[] = "/tmp/contract-certs-XXXXXX";

static const char *path_of(const char *name)
{
    static char paths[2][200];
    static int next;
    char *path = paths[next++ % 2];

    snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
    return path;
}

static FILE *open_for_writing(const char *name)
{
    FILE *f = fopen(path_of(name), "w");

    REQUIRE(f != NULL);
    return f;
}

static const char *const file_names[] = { "chain.pem",  "leaf.der", "key.pem",   "key.der",
                                          "locked.pem", "rsa.pem",  "empty.pem", "broken.pem" };

static void write_files(void)
{
    FILE *f;

    REQUIRE(mkdtemp(dir) != NULL);
    f = open_for_writing("chain.pem");
    PEM_write_X509(f, leaf->cert);
    PEM_write_X509(f, middle->cert);
    PEM_write_X509(f, middle->cert);
    PEM_write_X509(f, root->cert);
    fclose(f);
    f = open_for_writing("leaf.der");
    i2d_X509_fp(f, leaf->cert);
    fclose(f);
    f = open_for_writing("key.pem");
    PEM_write_PrivateKey(f, leaf->key, NULL, NULL, 0, NULL, NULL);
    fclose(f);
    f = open_for_writing("key.der");
    i2d_PrivateKey_fp(f, leaf->key);
    fclose(f);
    f = open_for_writing("locked.pem");
    PEM_write_PrivateKey(f, leaf->key, EVP_aes_128_cbc(), NULL, 0, NULL, (void *)"secret");
    fclose(f);
    f = open_for_writing("rsa.pem");
    PEM_write_RSAPrivateKey(f, EVP_PKEY_get0_RSA(rsa->key), NULL, NULL, 0, NULL, NULL);
    fclose(f);
    f = open_for_writing("empty.pem");
    fclose(f);
    f = open_for_writing("broken.pem");
    PEM_write_X509(f, leaf->cert);
    fputs("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", f);
    fclose(f);
}

static int give_passphrase(char *buf, int size, int rwflag, void *userdata)
{
    note("  asked, size %d, writing %d, data %s", size > 8, rwflag, (const char *)userdata);
    if (userdata == NULL) {
        return -1;
    }
    strcpy(buf, userdata);
    return (int)strlen(userdata);
}

/* AddressSanitizer's fopen() reads the name, which the C library's refuses when there is none. */
static void try_no_path(SSL_CTX *ctx)
{
#ifdef __SANITIZE_ADDRESS__
    (void)ctx;
#else
    try("NULL", SSL_CTX_use_certificate_file(ctx, NULL, SSL_FILETYPE_PEM));
    try("chain NULL", SSL_CTX_use_certificate_chain_file(ctx, NULL));
    try("key NULL", SSL_CTX_use_PrivateKey_file(ctx, NULL, SSL_FILETYPE_PEM));
#endif
}

static void test_files(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("files");
    try("certificate", SSL_CTX_use_certificate_file(ctx, path_of("chain.pem"), SSL_FILETYPE_PEM));
    log_current(ctx);
    try("DER", SSL_CTX_use_certificate_file(ctx, path_of("leaf.der"), SSL_FILETYPE_ASN1));
    try("wrong type", SSL_CTX_use_certificate_file(ctx, path_of("leaf.der"), SSL_FILETYPE_PEM));
    try("unknown type", SSL_CTX_use_certificate_file(ctx, path_of("leaf.der"), 77));
    try("missing", SSL_CTX_use_certificate_file(ctx, path_of("nothing"), SSL_FILETYPE_PEM));
    try_no_path(ctx);
    try("chain", SSL_CTX_use_certificate_chain_file(ctx, path_of("chain.pem")));
    log_current(ctx);
    try("chain missing", SSL_CTX_use_certificate_chain_file(ctx, path_of("nothing")));
    try("chain empty", SSL_CTX_use_certificate_chain_file(ctx, path_of("empty.pem")));
    note("chain broken = %d", SSL_CTX_use_certificate_chain_file(ctx, path_of("broken.pem")));
    ERR_clear_error();
    log_current(ctx);
    try("key", SSL_CTX_use_PrivateKey_file(ctx, path_of("key.pem"), SSL_FILETYPE_PEM));
    try("key DER", SSL_CTX_use_PrivateKey_file(ctx, path_of("key.der"), SSL_FILETYPE_ASN1));
    try("key missing", SSL_CTX_use_PrivateKey_file(ctx, path_of("nothing"), SSL_FILETYPE_PEM));
    try("key unknown type", SSL_CTX_use_PrivateKey_file(ctx, path_of("key.pem"), 77));
    note("no key in it = %d",
         SSL_CTX_use_PrivateKey_file(ctx, path_of("chain.pem"), SSL_FILETYPE_PEM));
    ERR_clear_error();
    log_current(ctx);
    SSL_CTX_set_default_passwd_cb(ctx, give_passphrase);
    note("locked, no passphrase = %d",
         SSL_CTX_use_PrivateKey_file(ctx, path_of("locked.pem"), SSL_FILETYPE_PEM));
    ERR_clear_error();
    SSL_CTX_set_default_passwd_cb_userdata(ctx, (void *)"secret");
    try("locked", SSL_CTX_use_PrivateKey_file(ctx, path_of("locked.pem"), SSL_FILETYPE_PEM));
    note("callback %d data %s", SSL_CTX_get_default_passwd_cb(ctx) == give_passphrase,
         (const char *)SSL_CTX_get_default_passwd_cb_userdata(ctx));
    ssl = SSL_new(ctx);
    try("SSL locked", SSL_use_PrivateKey_file(ssl, path_of("locked.pem"), SSL_FILETYPE_PEM));
    SSL_set_default_passwd_cb_userdata(ssl, (void *)"wrong");
    note("SSL locked, wrong = %d",
         SSL_use_PrivateKey_file(ssl, path_of("locked.pem"), SSL_FILETYPE_PEM));
    ERR_clear_error();
    note("callback %d data %s", SSL_get_default_passwd_cb(ssl) == give_passphrase,
         (const char *)SSL_get_default_passwd_cb_userdata(ssl));
    try("SSL certificate", SSL_use_certificate_file(ssl, path_of("chain.pem"), SSL_FILETYPE_PEM));
    try("SSL chain", SSL_use_certificate_chain_file(ssl, path_of("chain.pem")));
    try("SSL RSA", SSL_use_RSAPrivateKey_file(ssl, path_of("rsa.pem"), SSL_FILETYPE_PEM));
    try("RSA", SSL_CTX_use_RSAPrivateKey_file(ctx, path_of("rsa.pem"), SSL_FILETYPE_PEM));
    try("RSA missing", SSL_CTX_use_RSAPrivateKey_file(ctx, path_of("nothing"), SSL_FILETYPE_PEM));
    try("RSA unknown type", SSL_CTX_use_RSAPrivateKey_file(ctx, path_of("rsa.pem"), 77));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* --- Authorities --- */

static void log_names(const char *what, const STACK_OF(X509_NAME) *names)
{
    note("%s: %d", what, sk_X509_NAME_num(names));
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        char name[64];

        X509_NAME_get_text_by_NID(sk_X509_NAME_value(names, i), NID_commonName, name, 64);
        note("  %s", name);
    }
}

static void test_authorities(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = SSL_new(ctx);
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(path_of("chain.pem"));
    STACK_OF(X509_NAME) *copy;

    section("authorities");
    log_names("file", names);
    log_errors("e");
    copy = SSL_dup_CA_list(names);
    log_names("copy", copy);
    note("missing %d", SSL_load_client_CA_file(path_of("nothing")) != NULL);
    log_errors("e");
    note("empty %d", SSL_load_client_CA_file(path_of("empty.pem")) != NULL);
    log_errors("e");
    try("add file", SSL_add_file_cert_subjects_to_stack(copy, path_of("chain.pem")));
    log_names("after", copy);
    try("add empty file", SSL_add_file_cert_subjects_to_stack(copy, path_of("empty.pem")));
    try("add missing file", SSL_add_file_cert_subjects_to_stack(copy, path_of("nothing")));
    try("add store", SSL_add_store_cert_subjects_to_stack(copy, path_of("chain.pem")));
    log_names("after", copy);
    sk_X509_NAME_pop_free(copy, X509_NAME_free);
    copy = sk_X509_NAME_new_null();
    try("add folder", SSL_add_dir_cert_subjects_to_stack(copy, dir));
    note("  %d", sk_X509_NAME_num(copy));
    note("add missing folder = %d", SSL_add_dir_cert_subjects_to_stack(copy, path_of("nothing")));
    ERR_clear_error();
    SSL_CTX_set_client_CA_list(ctx, names);
    log_names("context", SSL_CTX_get_client_CA_list(ctx));
    log_names("SSL", SSL_get_client_CA_list(ssl));
    SSL_set_client_CA_list(ssl, copy);
    try("add to SSL", SSL_add_client_CA(ssl, rsa->cert));
    note("SSL %d context %d", sk_X509_NAME_num(SSL_get_client_CA_list(ssl)),
         sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)));
    try("add to context", SSL_CTX_add_client_CA(ctx, rsa->cert));
    try("add NULL", SSL_CTX_add_client_CA(ctx, NULL));
    log_names("context", SSL_CTX_get_client_CA_list(ctx));
    log_names("other list", SSL_CTX_get0_CA_list(ctx));
    try("add1", SSL_CTX_add1_to_CA_list(ctx, ed->cert));
    log_names("SSL's", SSL_get0_CA_list(ssl));
    try("add1 to SSL", SSL_add1_to_CA_list(ssl, rsa->cert));
    log_names("SSL's", SSL_get0_CA_list(ssl));
    SSL_CTX_set0_CA_list(ctx, NULL);
    log_names("none", SSL_CTX_get0_CA_list(ctx));
    log_names("peer's", SSL_get0_peer_CA_list(ssl));
    SSL_set_connect_state(ssl);
    log_names("client's", SSL_get_client_CA_list(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* --- SSL_check_chain --- */

static void log_checks(SSL *ssl, const char *when)
{
    STACK_OF(X509) *chain = sk_X509_new_null();

    sk_X509_push(chain, middle->cert);
    note("%s: leaf %x, with chain %x, root %x, rsa %x, ed %x, none %x", when,
         SSL_check_chain(ssl, leaf->cert, leaf->key, NULL),
         SSL_check_chain(ssl, leaf->cert, leaf->key, chain),
         SSL_check_chain(ssl, root->cert, root->key, NULL),
         SSL_check_chain(ssl, rsa->cert, rsa->key, NULL),
         SSL_check_chain(ssl, ed->cert, ed->key, NULL), SSL_check_chain(ssl, NULL, NULL, NULL));
    sk_X509_free(chain);
}

static int check_in_callback(SSL *ssl, void *arg)
{
    log_checks(ssl, arg);
    return 1;
}

static void check_with(const char *title, const char *sigalgs, const char *groups, unsigned flags,
                       const struct identity *authority)
{
    SSL_CTX *client_ctx = client_ctx_new(), *server_ctx = server_ctx_new();
    struct pair p;

    section("check_chain: %s", title);
    if (sigalgs != NULL) {
        REQUIRE(SSL_CTX_set1_sigalgs_list(client_ctx, (char *)(uintptr_t)sigalgs) == 1 &&
                SSL_CTX_set1_sigalgs_list(server_ctx, (char *)(uintptr_t)sigalgs) == 1);
    }
    if (groups != NULL) {
        REQUIRE(SSL_CTX_set1_groups_list(client_ctx, (char *)(uintptr_t)groups) == 1 &&
                SSL_CTX_set1_groups_list(server_ctx, (char *)(uintptr_t)groups) == 1);
    }
    SSL_CTX_set_cert_flags(client_ctx, flags);
    SSL_CTX_set_cert_flags(server_ctx, flags);
    SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, NULL);
    if (authority != NULL) {
        SSL_CTX_add_client_CA(server_ctx, authority->cert);
    }
    SSL_CTX_set_cert_cb(client_ctx, check_in_callback, (void *)"client");
    SSL_CTX_set_cert_cb(server_ctx, check_in_callback, (void *)"server");
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    log_checks(p.client, "client before");
    log_checks(p.server, "server before");
    drive_handshake(p.client, p.server);
    ERR_clear_error();
    log_checks(p.client, "client after");
    pair_free(&p);
}

int main(void)
{
    contract_start();
    make_identities();
    test_objects();
    test_cert_and_key();
    test_security_level();
    test_chains();
    test_current();
    test_der();
    write_files();
    test_files();
    test_authorities();
    check_with("defaults", NULL, NULL, 0, NULL);
    check_with("an authority", NULL, NULL, 0, root);
    check_with("another authority", NULL, NULL, 0, rsa);
    check_with("strict", NULL, NULL, SSL_CERT_FLAG_TLS_STRICT, middle);
    check_with("P-256 alone", "ECDSA+SHA256", NULL, 0, NULL);
    check_with("P-384 alone", "ECDSA+SHA384:ECDSA+SHA256", "P-384", 0, NULL);
    for (size_t i = 0; i < sizeof(file_names) / sizeof(file_names[0]); i++) {
        unlink(path_of(file_names[i]));
    }
    rmdir(dir);
    identity_free(ed);
    identity_free(rsa);
    identity_free(leaf);
    identity_free(middle);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
