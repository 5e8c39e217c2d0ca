/*
 * Serverinfo: extensions given as data, and which the client gets. SSL_CTX_use_serverinfo(3),
 * SSL_CTX_use_serverinfo_file(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <unistd.h>

/* Contexts: ClientHello with EncryptedExtensions, with Certificate. */
#define HELLO_AND_ENCRYPTED   0x00, 0x00, 0x04, 0x80
#define HELLO_AND_CERTIFICATE 0x00, 0x00, 0x10, 0x80

static const unsigned char old_one[] = { 1, 0, 0, 2, 9, 9 };
static const unsigned char old_other[] = { 1, 1, 0, 0 };
static const unsigned char old_two[] = { 1, 2, 0, 2, 9, 9, 1, 3, 0, 0 };
static const unsigned char old_cut[] = { 1, 4, 0, 5, 1 };
static const unsigned char new_ones[] = {
    HELLO_AND_CERTIFICATE, 2, 0, 0, 1, 7, HELLO_AND_ENCRYPTED, 3, 3, 0, 2, 8, 9
};

static void try(const char *what, long ret)
{
    note("%s = %ld", what, ret);
    log_errors("e");
}

static void test_data(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("data");
    try("first format", SSL_CTX_use_serverinfo(ctx, old_one, sizeof(old_one)));
    try("again", SSL_CTX_use_serverinfo(ctx, old_one, sizeof(old_one)));
    try("another", SSL_CTX_use_serverinfo(ctx, old_other, sizeof(old_other)));
    try("cut", SSL_CTX_use_serverinfo(ctx, old_cut, sizeof(old_cut)));
    try("second format", SSL_CTX_use_serverinfo_ex(ctx, 2, new_ones, sizeof(new_ones)));
    try("again", SSL_CTX_use_serverinfo_ex(ctx, 2, new_ones, sizeof(new_ones)));
    try("third format", SSL_CTX_use_serverinfo_ex(ctx, 3, new_ones, sizeof(new_ones)));
    try("NULL", SSL_CTX_use_serverinfo_ex(ctx, 2, NULL, 5));
    try("no bytes", SSL_CTX_use_serverinfo_ex(ctx, 2, new_ones, 0));
    try("no context", SSL_CTX_use_serverinfo_ex(NULL, 2, new_ones, sizeof(new_ones)));
    log_difference("hs-serverinfo-several", "several of the first format = %d",
                   SSL_CTX_use_serverinfo(ctx, old_two, sizeof(old_two)));
    ERR_clear_error();
    SSL_CTX_free(ctx);
}

static void test_file(const char *title, const char *first_name, const char *second_name,
                      size_t first_len)
{
    char path[] = "/tmp/contract-serverinfo-XXXXXX";
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    FILE *f = fdopen(mkstemp(path), "w");

    REQUIRE(f != NULL);
    if (first_name != NULL) {
        PEM_write(f, first_name, "", old_one, (long)first_len);
    }
    if (second_name != NULL) {
        PEM_write(f, second_name, "", new_ones, 9);
    }
    fclose(f);
    try(title, SSL_CTX_use_serverinfo_file(ctx, path));
    unlink(path);
    SSL_CTX_free(ctx);
}

static void test_files(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("files");
    test_file("both", "SERVERINFO FOR A", "SERVERINFOV2 FOR B", sizeof(old_one));
    test_file("empty", NULL, NULL, 0);
    test_file("short name", "SERVERINF", NULL, sizeof(old_one));
    test_file("other name", "SERVERINFO BAR A", NULL, sizeof(old_one));
    test_file("long other name", "SERVERINFO BAR AND MORE", NULL, sizeof(old_one));
    test_file("cut", "SERVERINFO FOR A", NULL, sizeof(old_one) - 1);
    try("missing", SSL_CTX_use_serverinfo_file(ctx, "/nonexistent"));
    try("NULL", SSL_CTX_use_serverinfo_file(ctx, NULL));
    SSL_CTX_free(ctx);
}

static int add_empty(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                     size_t *len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)ssl;
    (void)type;
    (void)context;
    (void)cert;
    (void)index;
    (void)alert;
    *out = arg;
    *len = arg != NULL;
    return 1;
}

static int parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t len,
                 X509 *cert, size_t index, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    note("  got %u in %x: %zu bytes %d, certificate %d %zu", type, context, len,
         len > 0 ? in[0] : -1, cert != NULL, index);
    return 1;
}

/* Which the client gets: those it asked for. content: what its own extension holds. */
static void exchange(const char *title, bool ask_first, bool ask_second, void *content)
{
    SSL_CTX *client_ctx = client_ctx_new(), *server_ctx = server_ctx_new();
    const unsigned all =
        SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS | SSL_EXT_TLS1_3_CERTIFICATE;
    struct pair p;

    section("%s", title);
    CHECK(SSL_CTX_use_serverinfo_ex(server_ctx, 2, new_ones, sizeof(new_ones)) == 1);
    if (ask_first) {
        SSL_CTX_add_custom_ext(client_ctx, 0x200, all, add_empty, NULL, content, parse, NULL);
    }
    if (ask_second) {
        SSL_CTX_add_custom_ext(client_ctx, 0x303, all, add_empty, NULL, content, parse, NULL);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    log_handshake(p.client, p.server);
    pair_free(&p);
}

int main(void)
{
    static unsigned char byte = 1;

    contract_start();
    test_data();
    test_files();
    exchange("nothing asked", false, false, NULL);
    exchange("one asked", true, false, NULL);
    exchange("the other asked", false, true, NULL);
    exchange("both asked", true, true, NULL);
    exchange("asked with content", true, false, &byte);
    identity_default_free();
    return contract_finish();
}
