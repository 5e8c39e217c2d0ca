/* The suites that the library under test offers when it is asked for every one. */
#include <stdint.h>
#include <stdio.h>

#include <openssl/ssl.h>

#include "peer.h"

/* A client without one offers none of the suites with pre-shared keys. */
static unsigned int on_psk_client(SSL *ssl, const char *hint, char *identity,
                                  unsigned int max_identity, unsigned char *psk,
                                  unsigned int max_psk)
{
    (void)ssl;
    (void)hint;
    (void)identity;
    (void)max_identity;
    (void)psk;
    (void)max_psk;
    return 0;
}

void list_suites(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    STACK_OF(SSL_CIPHER) *suites;
    SSL *ssl;

    if (ctx == NULL || SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL:@SECLEVEL=0") != 1 ||
        SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:"
                                      "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:"
                                      "TLS_AES_128_CCM_8_SHA256") != 1) {
        fail(2, "the suites are refused");
    }
    SSL_CTX_set_psk_client_callback(ctx, on_psk_client);
    ssl = SSL_new(ctx);
    suites = ssl != NULL ? SSL_get1_supported_ciphers(ssl) : NULL;
    if (suites == NULL) {
        fail(2, "no suites");
    }
    for (int i = 0; i < sk_SSL_CIPHER_num(suites); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(suites, i);

        printf("suite %04x %s %s\n", SSL_CIPHER_get_protocol_id(suite), SSL_CIPHER_get_name(suite),
               SSL_CIPHER_standard_name(suite));
    }
    sk_SSL_CIPHER_free(suites);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}
