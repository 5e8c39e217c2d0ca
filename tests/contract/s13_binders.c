/*
 * Binders that are wrong (RFC 8446, 4.2.11.2): every bit of one turned over once, in whole
 * handshakes, and the lengths in front of it.
 */
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

/* Behind the binder there is nothing in a ClientHello; in front of it are its length and the
 * length of the list. */
#define NUM_LENGTH_BYTES 3

static SSL *make_side(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());

    REQUIRE(ssl != NULL && in != NULL && out != NULL);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    return ssl;
}

/* What the server made of a ClientHello of which one bit is another, counted from the end of the
 * last byte: 0 when it goes on, else the reason; *alert is what it sent. */
static unsigned long offer(struct site *site, size_t bit, int *alert)
{
    unsigned char hello[4000];
    unsigned char answer[16];
    SSL *client = make_side(site->client_ctx);
    SSL *server = make_side(site->server_ctx);
    unsigned long reason = 0;

    SSL_set_connect_state(client);
    SSL_set_accept_state(server);
    REQUIRE(SSL_set_session(client, site->session) == 1);
    (void)SSL_do_handshake(client);
    int len = BIO_read(SSL_get_wbio(client), hello, sizeof(hello));
    REQUIRE(len > 100 && (size_t)len < sizeof(hello));
    hello[(size_t)len - 1 - bit / 8] ^= (unsigned char)(1u << bit % 8);
    REQUIRE(BIO_write(SSL_get_rbio(server), hello, len) == len);
    ERR_clear_error();
    *alert = 0;
    if (SSL_get_error(server, SSL_do_handshake(server)) == SSL_ERROR_SSL) {
        reason = (unsigned long)ERR_GET_REASON(ERR_peek_error());
        if (BIO_read(SSL_get_wbio(server), answer, sizeof(answer)) == 7 && answer[0] == 21) {
            *alert = answer[6];
        }
    }
    CHECK(SSL_session_reused(server) == 0 || reason != 0);
    ERR_clear_error();
    SSL_free(client);
    SSL_free(server);
    return reason;
}

static void test_suite(const char *suite, size_t binder_len)
{
    struct site site;
    size_t num = 0;
    int alert;

    section("%s", suite);
    site_init_version(&site, TLS1_3_VERSION);
    REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, suite) == 1);
    (void)site_visit(&site);
    for (size_t bit = 0; bit < 8 * binder_len; bit++) {
        num += offer(&site, bit, &alert) == SSL_R_BINDER_DOES_NOT_VERIFY &&
               alert == SSL_AD_ILLEGAL_PARAMETER;
    }
    note("of %zu bits: %zu make the binder a wrong one", 8 * binder_len, num);
    CHECK(num == 8 * binder_len);
    for (size_t bit = 8 * binder_len; bit < 8 * (binder_len + NUM_LENGTH_BYTES); bit++) {
        unsigned long reason = offer(&site, bit, &alert);
        note("bit %zu of the lengths: reason %lu, alert %d", bit - 8 * binder_len, reason, alert);
        CHECK(reason != 0);
    }
    (void)site_visit(&site); /* the ticket is still good */
    site_free(&site);
}

int main(void)
{
    contract_start();
    test_suite("TLS_AES_128_GCM_SHA256", 32);
    test_suite("TLS_AES_256_GCM_SHA384", 48);
    identity_default_free();
    return contract_finish();
}
