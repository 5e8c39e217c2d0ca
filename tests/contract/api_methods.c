/*
 * Methods and contexts: which versions and roles each method allows, what a library context and a
 * property query do to a new context, references. Manual pages: SSL_CTX_new(3), SSL_CTX_free(3),
 * SSL_library_init(3), SSL_CTX_set_session_cache_mode(3), SSL_CTX_set_ssl_version(3),
 * SSL_get_default_timeout(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/provider.h>

typedef const SSL_METHOD *(*method_fn)(void);

static const struct {
    const char *name;
    method_fn method;
} methods[] = {
    { "TLS_method", TLS_method },
    { "TLS_server_method", TLS_server_method },
    { "TLS_client_method", TLS_client_method },
    { "SSLv23_method", SSLv23_method },
    { "SSLv23_server_method", SSLv23_server_method },
    { "SSLv23_client_method", SSLv23_client_method },
    { "TLSv1_2_method", TLSv1_2_method },
    { "TLSv1_2_server_method", TLSv1_2_server_method },
    { "TLSv1_2_client_method", TLSv1_2_client_method },
    { "TLSv1_1_method", TLSv1_1_method },
    { "TLSv1_1_server_method", TLSv1_1_server_method },
    { "TLSv1_1_client_method", TLSv1_1_client_method },
    { "TLSv1_method", TLSv1_method },
    { "TLSv1_server_method", TLSv1_server_method },
    { "TLSv1_client_method", TLSv1_client_method },
};

/* A method is one object, also by its older name; a server's method refuses to connect. */
static void log_method(const char *name, const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);
    SSL *ssl;
    BIO *bio;

    note("%s: context %d", name, ctx != NULL);
    log_errors("error");
    if (ctx == NULL) {
        return;
    }
    CHECK(SSL_CTX_get_ssl_method(ctx) == method);
    note("  min %ld max %ld suites %d timeout %ld cache %ld options %llx",
         (long)SSL_CTX_get_min_proto_version(ctx), (long)SSL_CTX_get_max_proto_version(ctx),
         sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)), SSL_CTX_get_timeout(ctx),
         SSL_CTX_get_session_cache_mode(ctx), (unsigned long long)SSL_CTX_get_options(ctx));
    ssl = SSL_new(ctx);
    bio = BIO_new(BIO_s_mem());
    REQUIRE(ssl != NULL && bio != NULL);
    ssl_set_name(ssl, "ssl");
    BIO_up_ref(bio);
    SSL_set0_rbio(ssl, bio);
    SSL_set0_wbio(ssl, bio);
    note("  server %d, %s, client version %x, timeout %ld", SSL_is_server(ssl),
         SSL_get_version(ssl), SSL_client_version(ssl), SSL_get_default_timeout(ssl));
    (void)log_call(ssl, "SSL_do_handshake", SSL_do_handshake(ssl));
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    ssl_set_name(ssl, "ssl");
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    (void)call_connect(ssl);
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    ssl_set_name(ssl, "ssl");
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    (void)call_accept(ssl);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_methods(void)
{
    section("methods");
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        CHECK(methods[i].method() == methods[i].method());
        log_method(methods[i].name, methods[i].method());
    }
    CHECK(SSLv23_method() == TLS_method());
    note("without a method: %d", SSL_CTX_new(NULL) != NULL);
    log_errors("error");
}

static void test_ssl_versions(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("another method for a context");
    REQUIRE(ctx != NULL);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        SSL *ssl = SSL_new(ctx);

        REQUIRE(ssl != NULL);
        note("%s: context %d", methods[i].name, SSL_CTX_set_ssl_version(ctx, methods[i].method()));
        CHECK(SSL_CTX_get_ssl_method(ctx) == methods[i].method());
        note("  suites %d", sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)));
        note("  ssl %d", SSL_set_ssl_method(ssl, methods[i].method()));
        CHECK(SSL_get_ssl_method(ssl) == methods[i].method());
        note("  %s, server %d", SSL_get_version(ssl), SSL_is_server(ssl));
        log_errors("error");
        SSL_free(ssl);
    }
    SSL_CTX_free(ctx);
}

static void log_ctx_ex(const char *what, OSSL_LIB_CTX *library, const char *query)
{
    SSL_CTX *ctx = SSL_CTX_new_ex(library, query, TLS_method());

    note("%s: context %d", what, ctx != NULL);
    log_errors("error");
    if (ctx != NULL) {
        note("  suites %d of TLS 1.3 and older", sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)));
        for (int i = 0; i < sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)) && i < 4; i++) {
            note("  %s", SSL_CIPHER_get_name(sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(ctx), i)));
        }
        SSL_CTX_free(ctx);
    }
}

static void test_libraries(void)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *null_provider;

    section("library contexts and property queries");
    REQUIRE(library != NULL);
    log_ctx_ex("default library", NULL, NULL);
    log_ctx_ex("own library", library, NULL);
    log_ctx_ex("provider=default", NULL, "provider=default");
    log_ctx_ex("empty query", NULL, "");
    log_ctx_ex("nobody's property", NULL, "provider=nobody");
    log_ctx_ex("nobody's property, optional", NULL, "?provider=nobody");
    log_ctx_ex("fips=yes", library, "fips=yes");
    log_ctx_ex("not a query", NULL, "=");
    OSSL_LIB_CTX_free(library);
    library = OSSL_LIB_CTX_new();
    REQUIRE(library != NULL);
    null_provider = OSSL_PROVIDER_load(library, "null");
    REQUIRE(null_provider != NULL);
    log_ctx_ex("a library without algorithms", library, NULL);
    OSSL_PROVIDER_unload(null_provider);
    OSSL_LIB_CTX_free(library);
}

/* A pair over one library context each, with a property query. */
static void test_handshake(void)
{
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();
    SSL_CTX *client_ctx = SSL_CTX_new_ex(library, "provider=default", TLS_client_method());
    SSL_CTX *server_ctx = SSL_CTX_new_ex(NULL, "?fips=yes", TLS_server_method());
    struct pair p;

    section("a handshake between two library contexts");
    REQUIRE(client_ctx != NULL && server_ctx != NULL);
    identity_use_ctx(identity_default(), server_ctx);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    (void)log_handshake(p.client, p.server);
    note("%s %s", SSL_get_version(p.client), SSL_get_cipher_name(p.client));
    log_alive(p.client, p.server);
    pair_free(&p);
    OSSL_LIB_CTX_free(library);
}

static void test_initialization(void)
{
    section("initialization");
    note("SSL_library_init %d, OpenSSL_add_ssl_algorithms %d", SSL_library_init(),
         OpenSSL_add_ssl_algorithms());
    SSL_load_error_strings();
    ERR_load_SSL_strings();
    SSL_add_ssl_module();
    note("OPENSSL_init_ssl %d %d", OPENSSL_init_ssl(0, NULL),
         OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_NO_LOAD_SSL_STRINGS, NULL));
    note("%s", ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_NO_SHARED_CIPHER)));
}

int main(void)
{
    contract_start();
    test_methods();
    test_ssl_versions();
    test_libraries();
    test_handshake();
    test_initialization();
    identity_default_free();
    return contract_finish();
}
