/*
 * Which of TLS 1.0 and 1.1 a libssl speaks: a line for each version with what a server and a client
 * of that version alone come to at security level 0. Run by tools/check-legacy on two libraries.
 */
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>

static void require(int fine, const char *what)
{
    if (!fine) {
        (void)fprintf(stderr, "%s failed\n", what);
        exit(2);
    }
}

/* Anonymous suites: no certificate is needed. */
static SSL *make(const SSL_METHOD *method, int min, int max)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    require(ctx != NULL, "SSL_CTX_new");
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_dh_auto(ctx, 1);
    require(SSL_CTX_set_cipher_list(ctx, "aNULL:@SECLEVEL=0") == 1, "SSL_CTX_set_cipher_list");
    require(SSL_CTX_set_min_proto_version(ctx, min) == 1 &&
                SSL_CTX_set_max_proto_version(ctx, max) == 1,
            "setting the versions");
    SSL *s = SSL_new(ctx);
    require(s != NULL, "SSL_new");
    SSL_CTX_free(ctx);
    return s;
}

/* 0: it has failed. */
static int step(SSL *s, const char *name)
{
    int failed = SSL_do_handshake(s) != 1 && SSL_get_error(s, -1) == SSL_ERROR_SSL;

    if (failed) {
        (void)printf(" %s: %s;", name, ERR_reason_error_string(ERR_peek_error()));
    }
    ERR_clear_error();
    return !failed;
}

int main(void)
{
    for (int version = TLS1_VERSION; version <= TLS1_1_VERSION; version++) {
        SSL *client = make(TLS_client_method(), version, version);
        SSL *server = make(TLS_server_method(), version, TLS1_2_VERSION);
        BIO *up = BIO_new(BIO_s_mem());
        BIO *down = BIO_new(BIO_s_mem());

        require(up != NULL && down != NULL && BIO_up_ref(up) && BIO_up_ref(down), "BIO_new");
        SSL_set_bio(client, down, up);
        SSL_set_bio(server, up, down);
        SSL_set_connect_state(client);
        SSL_set_accept_state(server);
        (void)printf("%04x:", (unsigned)version);
        for (int i = 0; i < 3 && step(client, "client") && step(server, "server"); i++) {
        }
        (void)printf(" %s\n", SSL_is_init_finished(client) && SSL_is_init_finished(server)
                                  ? SSL_get_version(client)
                                  : "no connection");
        SSL_free(client);
        SSL_free(server);
    }
    /* A hello of TLS 1.0 as such a client would send it. */
    static const unsigned char hello[] = {
        0x16, 3,  1,  0,  47, 1,  0,  0,  43, 3,  1,  1,    2,  3,    4,  5,  6,  7,
        8,    9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19,   20, 21,   22, 23, 24, 25,
        26,   27, 28, 29, 30, 31, 32, 0,  0,  4,  0,  0x34, 0,  0xff, 1,  0
    };
    SSL *server = make(TLS_server_method(), TLS1_VERSION, TLS1_2_VERSION);
    BIO *in = BIO_new_mem_buf(hello, (int)sizeof hello);
    BIO *out = BIO_new(BIO_s_mem());
    require(in != NULL && out != NULL && BIO_set_mem_eof_return(in, -1) == 1, "BIO_new");
    SSL_set_bio(server, in, out);
    SSL_set_accept_state(server);
    (void)printf("hello:");
    (void)step(server, "server");
    unsigned char answer[7] = { 0 };
    (void)BIO_read(out, answer, (int)sizeof answer);
    (void)printf(" record %u, alert %u\n", answer[0], answer[0] == SSL3_RT_ALERT ? answer[6] : 0U);
    SSL_free(server);
    return 0;
}
