/*
 * Certificates decoded the quick way. What comes out is what d2i_X509(3) makes of the same bytes.
 */
#include "stage.h"

#include "crypto/cert_decode.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static void require_same_encoding(X509 *cert, X509 *expected)
{
    unsigned char *a = NULL;
    unsigned char *b = NULL;
    int a_len = i2d_X509(cert, &a);
    int b_len = i2d_X509(expected, &b);

    stage_require(a_len == b_len && (a_len <= 0 || memcmp(a, b, (size_t)a_len) == 0),
                  "the encoding is the same");
    OPENSSL_free(a);
    OPENSSL_free(b);
}

static void require_same_key(EVP_PKEY *key, EVP_PKEY *expected)
{
    stage_require(key != NULL && expected != NULL && EVP_PKEY_eq(key, expected) == 1,
                  "the key is the same");
    stage_require(EVP_PKEY_get0_provider(key) == EVP_PKEY_get0_provider(expected) &&
                      EVP_PKEY_get_id(key) == EVP_PKEY_get_id(expected) &&
                      EVP_PKEY_get_bits(key) == EVP_PKEY_get_bits(expected) &&
                      EVP_PKEY_get_security_bits(key) == EVP_PKEY_get_security_bits(expected),
                  "the key is of the same kind");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = stage_copy(data, size);
    const unsigned char *at = copy;
    X509 *cert = cert_decode(copy, size);

    stage_require(ERR_peek_error() == 0, "the error queue is left alone");
    if (cert != NULL) {
        X509 *expected = d2i_X509(NULL, &at, (long)size);
        stage_require(expected != NULL && at == copy + size, "libcrypto decodes it, too");
        require_same_encoding(cert, expected);
        require_same_key(X509_get0_pubkey(cert), X509_get0_pubkey(expected));
        X509_free(expected);
        X509_free(cert);
    }
    ERR_clear_error();
    free(copy);
    return 0;
}
