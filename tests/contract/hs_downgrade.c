/*
 * The marks of RFC 8446, 4.1.3, in the random of a server that chose an older version: which of
 * them which client takes for a downgrade, by what it may choose and with the signal of RFC 7507.
 * Manual pages: SSL_CTX_set_mode(3), SSL_CTX_set_options(3), SSL_CTX_set_min_proto_version(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static const struct settings {
    const char *name;
    uint64_t options;
    int min;
    int max;
    bool fixed; /* a method of TLS 1.2 alone */
} clients[] = {
    { "all versions", 0, TLS1_VERSION, 0, false },
    { "at most 1.2", 0, TLS1_VERSION, TLS1_2_VERSION, false },
    { "at most 1.1", 0, TLS1_VERSION, TLS1_1_VERSION, false },
    { "not 1.3", SSL_OP_NO_TLSv1_3, TLS1_VERSION, 0, false },
    { "not 1.2", SSL_OP_NO_TLSv1_2, TLS1_VERSION, 0, false },
    { "neither 1.3 nor 1.2", SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1_2, TLS1_VERSION, 0, false },
    { "not 1.1", SSL_OP_NO_TLSv1_1, TLS1_VERSION, 0, false },
    { "not 1.3, at most 1.2", SSL_OP_NO_TLSv1_3, TLS1_VERSION, TLS1_2_VERSION, false },
    { "the method of 1.2", 0, 0, 0, true },
};

/* A ServerHello of that version, with ECDHE-RSA-AES128-SHA and secure renegotiation or without. */
static size_t make_hello(unsigned char *out, int version, int mark, bool renegotiation)
{
    static const unsigned char info[] = { 0xff, 0x01, 0, 1, 0 };
    size_t len = 5 + 4 + 38 + (renegotiation ? 2 + sizeof(info) : 0);

    memset(out, 0, len);
    out[0] = 22;
    out[1] = 3;
    out[2] = (unsigned char)version;
    out[4] = (unsigned char)(len - 5);
    out[5] = 2;
    out[8] = (unsigned char)(len - 9);
    out[9] = 3;
    out[10] = (unsigned char)version;
    if (mark >= 0) {
        memcpy(out + 11 + 24, "DOWNGRD", 7);
        out[11 + 31] = (unsigned char)mark;
    }
    out[44] = 0xc0;
    out[45] = 0x13;
    if (renegotiation) {
        out[48] = sizeof(info);
        memcpy(out + 49, info, sizeof(info));
    }
    return len;
}

static void answer(const struct settings *client, bool signal, int version, int mark,
                   bool renegotiation)
{
    unsigned char hello[64];
    SSL_CTX *ctx = SSL_CTX_new(client->fixed ? TLSv1_2_client_method() : TLS_client_method());
    SSL *ssl;
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());
    size_t len = make_hello(hello, version, mark, renegotiation);
    int ret;

    REQUIRE(ctx != NULL && in != NULL && out != NULL);
    REQUIRE(SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-SHA@SECLEVEL=0") == 1);
    REQUIRE(client->fixed || SSL_CTX_set_min_proto_version(ctx, client->min) == 1);
    REQUIRE(client->fixed || SSL_CTX_set_max_proto_version(ctx, client->max) == 1);
    (void)SSL_CTX_set_options(ctx, client->options);
    if (signal) {
        (void)SSL_CTX_set_mode(ctx, SSL_MODE_SEND_FALLBACK_SCSV);
    }
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    SSL_set_bio(ssl, in, out);
    ERR_clear_error();
    ret = SSL_connect(ssl);
    if (SSL_get_error(ssl, ret) == SSL_ERROR_WANT_READ) {
        REQUIRE(BIO_write(in, hello, (int)len) == (int)len);
        ret = SSL_connect(ssl);
    }
    note("%s%s, answer %x mark %d%s: %d %d", client->name, signal ? " with signal" : "",
         (unsigned)version, mark, renegotiation ? "" : " legacy", SSL_get_error(ssl, ret),
         ERR_GET_REASON(ERR_peek_error()));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++) {
        for (int version = TLS1_VERSION; version <= TLS1_2_VERSION; version++) {
            for (int mark = -1; mark <= 2; mark++) {
                answer(&clients[i], false, version, mark, true);
                answer(&clients[i], true, version, mark, true);
                answer(&clients[i], false, version, mark, false);
                answer(&clients[i], true, version, mark, false);
            }
        }
    }
    return contract_finish();
}
