/*
 * What Debian's OpenSSL has names for and nothing behind: kernel TLS (it is built without),
 * pipelines (its ciphers have none), suites with static Diffie-Hellman or GOST; and the hooks for
 * OpenSSL's own tests, of whose functions there are two.
 */
#include "contract.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>

/* OpenSSL's declaration of the structure is internal. */
struct test_functions {
    int (*init_wbio_buffer)(SSL *ssl);
    int (*setup_buffers)(SSL *ssl);
};

static void sendfile(SSL *ssl)
{
    errno = 0;
    log_call(ssl, "SSL_sendfile", (int)SSL_sendfile(ssl, 0, 0, 10, 0));
}

static void test_kernel_tls(void)
{
    struct pair p;
    char data[16];
    SSL *fresh;

    section("kernel TLS");
    pair_init(&p, OVER_NONBLOCKING_SOCKET, 0);
    fresh = SSL_new(p.client_ctx);
    REQUIRE(fresh != NULL);
    ssl_set_name(fresh, "fresh");
    sendfile(fresh);
    SSL_free(fresh);
    note("options %d",
         (SSL_set_options(p.client, SSL_OP_ENABLE_KTLS) & SSL_OP_ENABLE_KTLS) != 0 &&
             (SSL_set_options(p.server, SSL_OP_ENABLE_KTLS) & SSL_OP_ENABLE_KTLS) != 0);
    sendfile(p.server);
    CHECK(drive_handshake(p.client, p.server));
    note("in use %d %d", (int)BIO_ctrl(SSL_get_wbio(p.server), 73, 0, NULL),
         (int)BIO_ctrl(SSL_get_rbio(p.server), 76, 0, NULL));
    sendfile(p.server);
    log_alive(p.client, p.server);
    (void)call_shutdown(p.server);
    sendfile(p.server);
    (void)call_read(p.client, data, sizeof(data));
    sendfile(p.client);
    pair_free(&p);
}

/* A long write in pieces: one record after the other. */
static void test_pipelines(void)
{
    static const unsigned splits[] = { 512, 5000, 16384 };
    static char data[20000];

    for (size_t i = 0; i < 3; i++) {
        struct pair p;
        char got[100];

        section("pipelines, records of %u", splits[i]);
        pair_init_connected(&p, OVER_WIRE, 0);
        note("pipelines %ld, split %ld, reads ahead %d", (long)SSL_set_max_pipelines(p.client, 8),
             (long)SSL_set_split_send_fragment(p.client, splits[i]), SSL_get_read_ahead(p.client));
        SSL_set_default_read_buffer_len(p.client, 50000);
        wire_records_reset(p.wire, WIRE_CLIENT);
        (void)call_write(p.client, data, sizeof(data));
        wire_records_log(p.wire, WIRE_CLIENT);
        note("arrived %zu", drive_read(p.server, sizeof(data)));
        (void)call_write(p.server, data, 200);
        (void)call_read(p.client, got, 50);
        note("pending %d, has %d", SSL_pending(p.client), SSL_has_pending(p.client));
        pair_free(&p);
    }
}

static void test_suites(void)
{
    static const char *const names[] = { "kDHr",
                                         "kDHd",
                                         "kDH",
                                         "aDH",
                                         "kECDHr",
                                         "kECDHe",
                                         "kGOST",
                                         "kGOST18",
                                         "aGOST",
                                         "aGOST01",
                                         "aGOST12",
                                         "GOST94",
                                         "GOST89MAC",
                                         "GOST2012-GOST8912-GOST8912",
                                         "GOST2001-GOST89-GOST89",
                                         "IANA-GOST2012-GOST8912-GOST8912",
                                         "DH-RSA-AES128-SHA",
                                         "ECDH-RSA-AES128-SHA" };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("suites that are not there");
    REQUIRE(ctx != NULL);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        note("%s %d", names[i], SSL_CTX_set_cipher_list(ctx, names[i]));
        log_errors("error");
    }
    CHECK(SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL") == 1);
    for (int i = 0; i < sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(ctx), i);

        CHECK(strstr(SSL_CIPHER_get_name(suite), "GOST") == NULL);
        CHECK(strncmp(SSL_CIPHER_get_name(suite), "DH-", 3) != 0);
    }
    SSL_CTX_free(ctx);
}

static void test_hooks(void)
{
    const struct test_functions *functions =
        (const struct test_functions *)(const void *)SSL_test_functions();
    struct pair p;

    section("hooks for tests");
    REQUIRE(functions != NULL);
    pair_init(&p, OVER_MEMORY, 0);
    for (int i = 0; i < 2; i++) {
        log_call(p.client, "setup_buffers", functions->setup_buffers(p.client));
        log_call(p.client, "init_wbio_buffer", functions->init_wbio_buffer(p.client));
    }
    CHECK(log_handshake(p.client, p.server));
    log_alive(p.client, p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    test_kernel_tls();
    test_pipelines();
    test_suites();
    test_hooks();
    identity_default_free();
    return contract_finish();
}
