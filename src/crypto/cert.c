/*
 * Certificates: bytes to X509 and back, and lists of them.
 */
#include "crypto/cert.h"

#include "crypto/cert_decode.h"

#include <limits.h>
#include <openssl/x509v3.h>

X509 *cert_parse(const struct crypto_lib *lib, const uint8_t *der, size_t len)
{
    if (crypto_lib_is_everybodys(lib) && cert_decode_is_due()) {
        X509 *quick = cert_decode(der, len);
        if (quick != NULL) {
            return quick;
        }
    }
    /* Made for lib's context first, so that its public key is decoded by lib's providers. */
    X509 *cert = X509_new_ex(crypto_lib_context(lib), crypto_lib_propq(lib));
    const unsigned char *at = der;

    if (cert == NULL || len > LONG_MAX || d2i_X509(&cert, &at, (long)len) == NULL ||
        at != der + len) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

bool cert_write(struct writer *w, X509 *cert)
{
    int len = i2d_X509(cert, NULL);

    if (len <= 0) {
        return false;
    }
    unsigned char *at = writer_space(w, (size_t)len);
    return at != NULL && i2d_X509(cert, &at) == len;
}

EVP_PKEY *cert_public_key(const X509 *cert)
{
    return X509_get0_pubkey(cert);
}

void cert_up_ref(X509 *cert)
{
    X509_up_ref(cert);
}

void cert_free(X509 *cert)
{
    X509_free(cert);
}

STACK_OF(X509) *cert_list_new(void)
{
    return sk_X509_new_null();
}

bool cert_list_add(STACK_OF(X509) *list, X509 *cert)
{
    if (sk_X509_push(list, cert) <= 0) {
        X509_free(cert);
        return false;
    }
    return true;
}

size_t cert_list_len(const STACK_OF(X509) *list)
{
    return list == NULL ? 0 : (size_t)sk_X509_num(list);
}

X509 *cert_list_at(const STACK_OF(X509) *list, size_t i)
{
    return i < cert_list_len(list) ? sk_X509_value(list, (int)i) : NULL;
}

void cert_list_free(STACK_OF(X509) *list)
{
    sk_X509_pop_free(list, X509_free);
}

STACK_OF(X509) *cert_list_copy(const STACK_OF(X509) *list)
{
    return list == NULL ? NULL : X509_chain_up_ref((STACK_OF(X509) *)(uintptr_t)list);
}

void cert_key_up_ref(EVP_PKEY *key)
{
    EVP_PKEY_up_ref(key);
}

void cert_key_free(EVP_PKEY *key)
{
    EVP_PKEY_free(key);
}

bool cert_is_signed_with(const X509 *cert, const struct sig_scheme *scheme)
{
    int hash_nid;
    int key_nid;

    /* The object caches its signature's parameters, which is no change that anyone sees. */
    return X509_get_signature_info((X509 *)(uintptr_t)cert, &hash_nid, &key_nid, NULL, NULL) == 1 &&
           hash_nid == scheme->hash_nid && key_nid == scheme->sig_nid;
}

bool cert_may_sign(X509 *cert)
{
    return (X509_get_key_usage(cert) & KU_DIGITAL_SIGNATURE) != 0;
}
