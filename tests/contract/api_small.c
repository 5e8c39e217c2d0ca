/*
 * Small functions, each with every argument that OpenSSL survives: buffers, file transfer, modes,
 * whether a handshake runs, debugging, authorities from a file. Manual pages:
 * SSL_CTX_set_split_send_fragment(3), SSL_CTX_set_read_ahead(3), SSL_CTX_set_mode(3),
 * SSL_in_init(3), SSL_load_client_CA_file(3), SSL_alloc_buffers(3), SSL_CTX_set_ctlog_list_file(3),
 * SSL_want(3), SSL_write(3), SSL_CTX_set_stateless_cookie_generate_cb(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static void try(const char *what, long ret)
{
    note("%s: %ld", what, ret);
    log_errors("error");
}

static void fragments(void)
{
    static const long sizes[] = { -1, 0, 1, 511, 512, 1000, 16384, 16385, 1000000 };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("fragments, pipelines and buffers");
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        note("%ld", sizes[i]);
        try("  CTX send fragment", SSL_CTX_set_max_send_fragment(ctx, sizes[i]));
        try("  SSL send fragment", SSL_set_max_send_fragment(ssl, sizes[i]));
        try("  CTX split", SSL_CTX_set_split_send_fragment(ctx, sizes[i]));
        try("  SSL split", SSL_set_split_send_fragment(ssl, sizes[i]));
        try("  CTX pipelines", SSL_CTX_set_max_pipelines(ctx, sizes[i]));
        try("  SSL pipelines", SSL_set_max_pipelines(ssl, sizes[i]));
        try("  CTX fragment length",
            SSL_CTX_set_tlsext_max_fragment_length(ctx, (uint8_t)sizes[i]));
        try("  SSL fragment length", SSL_set_tlsext_max_fragment_length(ssl, (uint8_t)sizes[i]));
        if (sizes[i] >= 0) {
            SSL_CTX_set_default_read_buffer_len(ctx, (size_t)sizes[i]);
            SSL_set_default_read_buffer_len(ssl, (size_t)sizes[i]);
        }
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* The size of the buffer is how much one BIO_read asks for when it reads ahead. */
static void read_sizes(size_t of_context, size_t of_connection)
{
    struct pair p;
    char got[64];

    section("buffers of %zu and %zu", of_context, of_connection);
    {
        SSL_CTX *client_ctx = client_ctx_new();

        SSL_CTX_set_read_ahead(client_ctx, 1);
        if (of_context != 0) {
            SSL_CTX_set_default_read_buffer_len(client_ctx, of_context);
        }
        pair_init_ctx(&p, client_ctx, server_ctx_new(), OVER_MEMORY, 0);
    }
    if (of_connection != 0) {
        SSL_set_default_read_buffer_len(p.client, of_connection);
    }
    note("read ahead %d %ld", SSL_get_read_ahead(p.client),
         (long)SSL_CTX_get_read_ahead(p.client_ctx));
    note("by default %ld", (long)SSL_CTX_get_default_read_ahead(p.client_ctx));
    CHECK(drive_handshake(p.client, p.server));
    (void)call_write(p.server, "one", 3);
    (void)call_write(p.server, "two", 3);
    (void)call_read(p.client, got, 1);
    note("pending %d, anything %d", SSL_pending(p.client), SSL_has_pending(p.client));
    (void)call_read(p.client, got, 2);
    note("pending %d, anything %d", SSL_pending(p.client), SSL_has_pending(p.client));
    note("free %d", SSL_free_buffers(p.client));
    (void)call_read(p.client, got, 64);
    note("free %d, allocate %d", SSL_free_buffers(p.client), SSL_alloc_buffers(p.client));
    note("allocate again %d", SSL_alloc_buffers(p.client));
    log_alive(p.client, p.server);
    SSL_set_read_ahead(p.client, 0);
    SSL_CTX_set_read_ahead(p.client_ctx, 0);
    note("read ahead %d %ld", SSL_get_read_ahead(p.client),
         (long)SSL_CTX_get_read_ahead(p.client_ctx));
    pair_free(&p);
}

static void file_transfer(void)
{
    struct pair p;

    section("SSL_sendfile");
    pair_init(&p, OVER_NONBLOCKING_SOCKET, 0);
    (void)log_call(p.client, "before the handshake", (int)SSL_sendfile(p.client, 0, 0, 10, 0));
    CHECK(drive_handshake(p.client, p.server));
    (void)log_call(p.client, "10 bytes", (int)SSL_sendfile(p.client, 0, 0, 10, 0));
    (void)log_call(p.client, "no bytes", (int)SSL_sendfile(p.client, 0, 0, 0, 0));
    (void)log_call(p.client, "no file", (int)SSL_sendfile(p.client, -1, 0, 10, 0));
    log_alive(p.client, p.server);
    (void)call_shutdown(p.client);
    (void)log_call(p.client, "after shutdown", (int)SSL_sendfile(p.client, 0, 0, 10, 0));
    pair_free(&p);
}

static void modes(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("modes");
    REQUIRE(ssl != NULL);
    note("%lx %lx", (unsigned long)SSL_CTX_get_mode(ctx), (unsigned long)SSL_get_mode(ssl));
    for (int bit = 0; bit < 12; bit++) {
        note("%d: %lx %lx", bit, (unsigned long)SSL_CTX_set_mode(ctx, 1L << bit),
             (unsigned long)SSL_set_mode(ssl, 1L << bit));
    }
    note("clear %lx %lx", (unsigned long)SSL_CTX_clear_mode(ctx, SSL_MODE_AUTO_RETRY),
         (unsigned long)SSL_clear_mode(ssl, SSL_MODE_ASYNC));
    note("%lx %lx", (unsigned long)SSL_CTX_get_mode(ctx), (unsigned long)SSL_get_mode(ssl));
    note("clear all %lx %lx", (unsigned long)SSL_CTX_clear_mode(ctx, -1),
         (unsigned long)SSL_clear_mode(ssl, -1));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void log_init(SSL *ssl)
{
    note("%s: init %d finished %d before %d connecting %d accepting %d, state %d, nothing %d "
         "read %d write %d lookup %d retry %d hello %d async %d jobs %d",
         ssl_get_name(ssl), SSL_in_init(ssl), SSL_is_init_finished(ssl), SSL_in_before(ssl),
         SSL_in_connect_init(ssl), SSL_in_accept_init(ssl), (int)SSL_get_state(ssl),
         SSL_want_nothing(ssl), SSL_want_read(ssl), SSL_want_write(ssl), SSL_want_x509_lookup(ssl),
         SSL_want_retry_verify(ssl), SSL_want_client_hello_cb(ssl), SSL_want_async(ssl),
         SSL_want_async_job(ssl));
}

static void in_init(void)
{
    struct pair p;

    section("is a handshake running?");
    pair_init(&p, OVER_MEMORY, 0);
    log_init(p.client);
    log_init(p.server);
    (void)SSL_do_handshake(p.client);
    log_init(p.client);
    (void)SSL_do_handshake(p.server);
    log_init(p.server);
    CHECK(drive_handshake(p.client, p.server));
    log_init(p.client);
    log_init(p.server);
    (void)SSL_clear(p.client);
    log_init(p.client);
    errors_drop();
    pair_free(&p);
}

static void authorities(void)
{
    char path[] = "/tmp/tenon-authorities-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    STACK_OF(X509_NAME) *names;
    OSSL_LIB_CTX *library = OSSL_LIB_CTX_new();

    section("authorities from a file");
    REQUIRE(file != NULL && library != NULL);
    REQUIRE(PEM_write_X509(file, identity_default()->cert) == 1);
    REQUIRE(PEM_write_X509(file, identity_default()->cert) == 1 && fclose(file) == 0);
    names = SSL_load_client_CA_file_ex(path, library, "provider=default");
    note("a library of one's own: %d", names == NULL ? -1 : sk_X509_NAME_num(names));
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    names = SSL_load_client_CA_file_ex(path, NULL, NULL);
    note("default library: %d", names == NULL ? -1 : sk_X509_NAME_num(names));
    if (names != NULL) {
        note("again: %d, %d", SSL_add_file_cert_subjects_to_stack(names, path),
             sk_X509_NAME_num(names));
        note("absent: %d", SSL_add_file_cert_subjects_to_stack(names, "/nonexistent/tenon"));
        log_errors("error");
        note("folder: %d", SSL_add_dir_cert_subjects_to_stack(names, "/nonexistent/tenon"));
        log_errors("error");
        note("store: %d", SSL_add_store_cert_subjects_to_stack(names, path));
        note("absent store: %d", SSL_add_store_cert_subjects_to_stack(names, "/nonexistent/x"));
        errors_drop();
        note("%d", sk_X509_NAME_num(names));
    }
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    REQUIRE(unlink(path) == 0);
    names = SSL_load_client_CA_file_ex("/nonexistent/tenon", NULL, NULL);
    note("absent: %d", names != NULL);
    log_errors("error");
    names = SSL_load_client_CA_file("/dev/null");
    note("empty: %d", names != NULL);
    log_errors("error");
    OSSL_LIB_CTX_free(library);
}

static void transparency(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl;

    section("certificate transparency");
    REQUIRE(ctx != NULL);
    try("default list", SSL_CTX_set_default_ctlog_list_file(ctx));
    try("absent list", SSL_CTX_set_ctlog_list_file(ctx, "/nonexistent/tenon"));
    try("a list from elsewhere", setenv("CTLOG_FILE", "/nonexistent/tenon", 1));
    try("default list", SSL_CTX_set_default_ctlog_list_file(ctx));
    REQUIRE(unsetenv("CTLOG_FILE") == 0);
    try("enabled", SSL_CTX_ct_is_enabled(ctx));
    try("permissive", SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_PERMISSIVE));
    try("enabled", SSL_CTX_ct_is_enabled(ctx));
    try("another mode", SSL_CTX_enable_ct(ctx, 7));
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    try("SSL enabled", SSL_ct_is_enabled(ssl));
    try("status type", (int)SSL_get_tlsext_status_type(ssl));
    CHECK(SSL_set_ct_validation_callback(ssl, NULL, NULL) == 1);
    try("SSL enabled", SSL_ct_is_enabled(ssl));
    try("SSL strict", SSL_enable_ct(ssl, SSL_CT_VALIDATION_STRICT));
    try("SSL another mode", SSL_enable_ct(ssl, -1));
    CHECK(SSL_CTX_set_ct_validation_callback(ctx, NULL, NULL) == 1);
    try("enabled", SSL_CTX_ct_is_enabled(ctx));
    try("SSL enabled", SSL_ct_is_enabled(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static int make_cookie(SSL *ssl, unsigned char *cookie, unsigned int *len)
{
    note("%s makes a cookie of DTLS", ssl_get_name(ssl));
    cookie[0] = 'c';
    *len = 1;
    return 1;
}

static int check_cookie(SSL *ssl, const unsigned char *cookie, unsigned int len)
{
    note("%s checks a cookie of DTLS, %u bytes, '%c'", ssl_get_name(ssl), len, cookie[0]);
    return 1;
}

static int make_stateless(SSL *ssl, unsigned char *cookie, size_t *len)
{
    note("%s makes a cookie", ssl_get_name(ssl));
    cookie[0] = 'c';
    *len = 1;
    return 1;
}

static int check_stateless(SSL *ssl, const unsigned char *cookie, size_t len)
{
    note("%s checks a cookie, %zu bytes, '%c'", ssl_get_name(ssl), len, cookie[0]);
    return 1;
}

/* Cookies are for DTLS and for SSL_stateless(): an ordinary handshake never asks for one. */
static void cookies(void)
{
    struct pair p;

    section("cookies");
    pair_init(&p, OVER_MEMORY, 0);
    SSL_free(p.server);
    SSL_CTX_set_cookie_generate_cb(p.server_ctx, make_cookie);
    SSL_CTX_set_cookie_verify_cb(p.server_ctx, check_cookie);
    SSL_CTX_set_stateless_cookie_generate_cb(p.server_ctx, make_stateless);
    SSL_CTX_set_stateless_cookie_verify_cb(p.server_ctx, check_stateless);
    (void)SSL_CTX_set_options(p.server_ctx, SSL_OP_COOKIE_EXCHANGE);
    p.server = SSL_new(p.server_ctx);
    REQUIRE(p.server != NULL);
    ssl_set_name(p.server, "server");
    SSL_set_bio(p.server, SSL_get_wbio(p.client), SSL_get_rbio(p.client));
    CHECK(BIO_up_ref(SSL_get_wbio(p.client)) == 1 && BIO_up_ref(SSL_get_rbio(p.client)) == 1);
    SSL_set_accept_state(p.server);
    CHECK(SSL_set1_groups_list(p.server, "P-384") == 1);
    (void)log_handshake(p.client, p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void debugging(void)
{
    struct pair p;

    section("debugging, duplicates of lists");
    pair_init_connected(&p, OVER_MEMORY, 0);
    SSL_set_debug(p.client, 1);
    SSL_set_debug(p.client, 0);
    log_alive(p.client, p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    fragments();
    read_sizes(0, 0);
    read_sizes(40, 0);
    read_sizes(20, 1000);
    file_transfer();
    modes();
    in_init();
    authorities();
    transparency();
    cookies();
    debugging();
    identity_default_free();
    return contract_finish();
}
