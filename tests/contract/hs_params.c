/*
 * Verification parameters: whose they are, what is inherited when, names and addresses; and loading
 * trust anchors from places that do not exist. SSL_CTX_get0_param(3), SSL_set1_host(3),
 * SSL_CTX_load_verify_locations(3).
 * Manual pages: SSL_CTX_set_verify(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

static void try(const char *what, long ret)
{
    note("%s = %ld", what, ret);
    log_errors("e");
}

static void log_param(const char *what, SSL *ssl)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(ssl);
    const char *host = X509_VERIFY_PARAM_get0_host(param, 0);
    const char *second = X509_VERIFY_PARAM_get0_host(param, 1);
    char *address = X509_VERIFY_PARAM_get1_ip_asc(param);

    note("%s: depth %d flags %lx host %s %s address %s level %d", what, SSL_get_verify_depth(ssl),
         X509_VERIFY_PARAM_get_flags(param), host != NULL ? host : "-",
         second != NULL ? second : "-", address != NULL ? address : "-",
         X509_VERIFY_PARAM_get_auth_level(param));
    OPENSSL_free(address);
}

static void test_inheritance(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX *other = SSL_CTX_new(TLS_client_method());
    X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);
    X509_VERIFY_PARAM *mine = X509_VERIFY_PARAM_new();
    SSL *ssl, *copy;

    section("inheritance");
    X509_VERIFY_PARAM_set1_host(param, "context.example", 0);
    X509_VERIFY_PARAM_set_depth(param, 7);
    ssl = SSL_new(ctx);
    log_param("new", ssl);
    X509_VERIFY_PARAM_set_depth(param, 9);
    log_param("after a change of the context", ssl);
    note("context %d, same object %d", SSL_CTX_get_verify_depth(ctx),
         SSL_CTX_get0_param(ctx) == param);
    SSL_set_verify_depth(ssl, 3);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_WILDCARDS);
    X509_VERIFY_PARAM_set_flags(SSL_get0_param(ssl), X509_V_FLAG_X509_STRICT);
    log_param("own", ssl);
    copy = SSL_dup(ssl);
    log_param("copy", copy);
    note("host flags %x", X509_VERIFY_PARAM_get_hostflags(SSL_get0_param(copy)));
    SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    X509_VERIFY_PARAM_set_depth(param, 11);
    note("context %d", SSL_CTX_get_verify_depth(ctx));
    SSL_free(copy);
    SSL_free(ssl);
    note("context %d, same object %d", SSL_CTX_get_verify_depth(ctx),
         SSL_CTX_get0_param(ctx) == param);
    SSL_CTX_set_verify_depth(other, 5);
    ssl = SSL_new(ctx);
    SSL_set_SSL_CTX(ssl, other);
    log_param("another context", ssl);
    SSL_free(ssl);
    X509_VERIFY_PARAM_set_depth(mine, 21);
    X509_VERIFY_PARAM_set1_host(mine, "mine.example", 0);
    try("set1 context", SSL_CTX_set1_param(other, mine));
    ssl = SSL_new(other);
    log_param("from it", ssl);
    X509_VERIFY_PARAM_set1_host(mine, "later.example", 0);
    try("set1", SSL_set1_param(ssl, mine));
    log_param("own", ssl);
    X509_VERIFY_PARAM_free(mine);
    try("purpose", SSL_CTX_set_purpose(other, X509_PURPOSE_SSL_SERVER));
    try("no such purpose", SSL_set_purpose(ssl, 77));
    try("no such trust", SSL_CTX_set_trust(other, 77));
    try("trust", SSL_set_trust(ssl, X509_TRUST_SSL_SERVER));
    SSL_free(ssl);
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
}

static void test_names(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);

    section("names");
    try("address", SSL_set1_host(ssl, "127.0.0.1"));
    log_param("now", ssl);
    try("another address", SSL_add1_host(ssl, "127.0.0.2"));
    try("name", SSL_add1_host(ssl, "a.example"));
    try("another name", SSL_add1_host(ssl, "b.example"));
    log_param("now", ssl);
    try("NULL", SSL_add1_host(ssl, NULL));
    try("address of 16 bytes", SSL_set1_host(ssl, "::1"));
    log_param("now", ssl);
    try("name", SSL_set1_host(ssl, "c.example"));
    log_param("now", ssl);
    try("empty", SSL_set1_host(ssl, ""));
    log_param("now", ssl);
    try("NULL", SSL_set1_host(ssl, NULL));
    log_param("now", ssl);
    note("peer name %d", SSL_get0_peername(ssl) != NULL);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_places(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

    section("places");
    try("nothing", SSL_CTX_load_verify_locations(ctx, NULL, NULL));
    try("no file", SSL_CTX_load_verify_locations(ctx, "/nonexistent", NULL));
    try("no folder", SSL_CTX_load_verify_locations(ctx, NULL, "/nonexistent"));
    try("empty file", SSL_CTX_load_verify_file(ctx, "/dev/null"));
    note("no store %d", SSL_CTX_load_verify_store(ctx, "/nonexistent"));
    ERR_clear_error();
    try("default paths", SSL_CTX_set_default_verify_paths(ctx));
    try("default folder", SSL_CTX_set_default_verify_dir(ctx));
    try("default file", SSL_CTX_set_default_verify_file(ctx));
    try("default store", SSL_CTX_set_default_verify_store(ctx));
    note("index %d", SSL_get_ex_data_X509_STORE_CTX_idx());
    note("engine %d", SSL_CTX_set_client_cert_engine(ctx, NULL));
    ERR_clear_error();
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    test_inheritance();
    test_names();
    test_places();
    return contract_finish();
}
