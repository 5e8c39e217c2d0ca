/*
 * SSL_OP_TLSEXT_PADDING (RFC 7685): the length of the ClientHello for every length of what it
 * holds, also where a ticket follows the padding.
 * Manual pages: SSL_CTX_set_options(3).
 */
#include "resume.h"

#include "contract.h"

#include <string.h>

static size_t hello_len;

static void on_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                       void *arg)
{
    (void)version;
    (void)ssl;
    (void)arg;
    if (sent != 0 && type == SSL3_RT_HANDSHAKE && *(const unsigned char *)bytes == 1) {
        hello_len = len;
    }
}

/* Sends a hello with that much of ALPN in it. */
static size_t hello_with(SSL_CTX *ctx, SSL_SESSION *session, size_t name_len)
{
    unsigned char protocols[256];
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());

    REQUIRE(ssl != NULL && in != NULL && out != NULL);
    SSL_set_bio(ssl, in, out);
    SSL_set_msg_callback(ssl, on_message);
    if (name_len > 0) {
        memset(protocols, 'p', sizeof(protocols));
        protocols[0] = (unsigned char)name_len;
        REQUIRE(SSL_set_alpn_protos(ssl, protocols, (unsigned)name_len + 1) == 0);
    }
    REQUIRE(session == NULL || SSL_set_session(ssl, session) == 1);
    hello_len = 0;
    REQUIRE(SSL_connect(ssl) == -1);
    SSL_free(ssl);
    return hello_len;
}

static void all_lengths(SSL_CTX *ctx, SSL_SESSION *session)
{
    for (size_t len = 0; len < 255; len++) {
        note("name of %zu: hello of %zu", len, hello_with(ctx, session, len));
    }
}

/* The key of the other side is never asked for, so any ticket will do. */
static SSL_SESSION *session_of(const char *suite)
{
    struct resume r;
    SSL_SESSION *session;

    unsigned char keys[80] = { 1 }; /* of the application: both libraries' tickets are as long */

    resume_init(&r);
    REQUIRE(SSL_CTX_set_tlsext_ticket_keys(r.server_ctx, keys, (int)sizeof(keys)) == 1);
    if (pair_is_tls13()) {
        REQUIRE(SSL_CTX_set_ciphersuites(r.client_ctx, suite) == 1);
    }
    session = resume_connect(&r, "for a ticket", NULL);
    resume_free(&r);
    return session;
}

int main(void)
{
    contract_start();
    SSL_CTX *ctx = client_ctx_new();
    REQUIRE(SSL_CTX_set_cipher_list(ctx, "ECDHE-RSA-AES128-GCM-SHA256") == 1);

    section("without the option");
    SSL_CTX_clear_options(ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT | SSL_OP_TLSEXT_PADDING);
    all_lengths(ctx, NULL);
    section("with it");
    SSL_CTX_set_options(ctx, SSL_OP_TLSEXT_PADDING);
    all_lengths(ctx, NULL);
    section("with a ticket");
    SSL_SESSION *session = session_of("TLS_AES_256_GCM_SHA384");
    all_lengths(ctx, session);
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    return contract_finish();
}
