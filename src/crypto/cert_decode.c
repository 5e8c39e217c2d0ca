/*
 * Certificates with their public keys; see cert_decode.h. Nearly all of what d2i_X509(3) costs is a
 * search: for each certificate it collects every key type and every decoder of the library context.
 *
 * So a certificate is decoded while this thread's default library context is one in which there is
 * little to collect, and gets a stand-in for a key (stand_in.h). Then that EVP_PKEY, which hangs in
 * the certificate already, is given its real contents by the default context's own provider:
 * EVP_PKEY_fromdata(3) and EVP_PKEY_paramgen(3) may be given an EVP_PKEY that has others. Nothing
 * of the small context is left, and the certificate's encoding is the one that came.
 */
#include "crypto/cert_decode.h"

#include "crypto/lib_internal.h"
#include "crypto/stand_in.h"

#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <string.h>

struct decoding {
    OSSL_LIB_CTX *small;     /* owns */
    OSSL_PROVIDER *stand_in; /* owns; the provider in small */
    EVP_PKEY_CTX *rsa;       /* owns; for EVP_PKEY_fromdata, which changes nothing in it */
};

static struct decoding *_Atomic prepared; /* for good */
static _Atomic uint32_t num_counted;

/* Contexts that make keys without a point, which saves computing what belongs to the curve again.
 * Whoever needs one takes it away. */
static const int curves[] = { NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1 };
static EVP_PKEY_CTX *_Atomic on_curve[COUNT_OF(curves)];

static void decoding_free(struct decoding *d)
{
    if (d->stand_in != NULL) {
        (void)OSSL_PROVIDER_unload(d->stand_in);
    }
    OSSL_LIB_CTX_free(d->small);
    EVP_PKEY_CTX_free(d->rsa);
    OPENSSL_free(d);
}

static struct decoding *decoding_get(void)
{
    struct decoding *d = atomic_load_explicit(&prepared, memory_order_acquire);
    struct decoding *earlier = NULL;

    if (d != NULL || (d = OPENSSL_zalloc(sizeof(*d))) == NULL) {
        return d;
    }
    d->rsa = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    if (d->rsa == NULL || EVP_PKEY_fromdata_init(d->rsa) != 1 ||
        !stand_in_context_new(&d->small, &d->stand_in) ||
        !atomic_compare_exchange_strong(&prepared, &earlier, d)) {
        decoding_free(d);
        return earlier;
    }
    return d;
}

bool cert_decode_is_due(void)
{
    return atomic_load_explicit(&num_counted, memory_order_relaxed) >= CERT_DECODE_FIRST ||
           atomic_fetch_add_explicit(&num_counted, 1, memory_order_relaxed) >= CERT_DECODE_FIRST;
}

/* --- Keys --- */

static bool fill_rsa(const struct decoding *d, EVP_PKEY *key, const uint8_t *der, size_t len)
{
    uint8_t n[OPENSSL_RSA_MAX_MODULUS_BITS / 8];
    uint8_t e[sizeof(n)];
    const uint8_t *at = der;
    RSA *rsa = d2i_RSAPublicKey(NULL, &at, (long)len);
    int n_len = rsa == NULL ? 0 : BN_num_bytes(RSA_get0_n(rsa));
    int e_len = rsa == NULL ? 0 : BN_num_bytes(RSA_get0_e(rsa));
    bool filled = false;

    if (rsa != NULL && at == der + len && n_len <= (int)sizeof(n) && e_len <= (int)sizeof(e) &&
        BN_is_odd(RSA_get0_n(rsa)) && BN_is_odd(RSA_get0_e(rsa))) {
        OSSL_PARAM params[] = {
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, (size_t)n_len),
            OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, e, (size_t)e_len),
            OSSL_PARAM_construct_end(),
        };
        filled = BN_bn2nativepad(RSA_get0_n(rsa), n, n_len) == n_len &&
                 BN_bn2nativepad(RSA_get0_e(rsa), e, e_len) == e_len &&
                 EVP_PKEY_fromdata(d->rsa, &key, EVP_PKEY_PUBLIC_KEY, params) == 1;
    }
    RSA_free(rsa);
    return filled;
}

static EVP_PKEY_CTX *curve_context(size_t i)
{
    EVP_PKEY_CTX *ctx = atomic_exchange(&on_curve[i], NULL);

    if (ctx != NULL) {
        return ctx;
    }
    ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    if (ctx == NULL || EVP_PKEY_paramgen_init(ctx) != 1 ||
        EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx, curves[i]) != 1) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* RFC 5480, 2.1.1: the place in curves of the one that is named; COUNT_OF(curves): it has none. */
static size_t find_curve(const X509_ALGOR *algorithm)
{
    const void *curve;
    int type;
    size_t i = 0;

    X509_ALGOR_get0(NULL, &type, &curve, algorithm);
    while (i < COUNT_OF(curves) && (type != V_ASN1_OBJECT || OBJ_obj2nid(curve) != curves[i])) {
        i++;
    }
    return i;
}

/* An uncompressed point (RFC 5480, 2.2), which libcrypto finds on the curve or refuses. */
static bool fill_ec(EVP_PKEY *key, const X509_ALGOR *algorithm, const uint8_t *point, size_t len)
{
    size_t i = find_curve(algorithm);

    if (i == COUNT_OF(curves) || len == 0 || point[0] != POINT_CONVERSION_UNCOMPRESSED) {
        return false;
    }
    EVP_PKEY_CTX *ctx = curve_context(i);
    if (ctx == NULL) {
        return false;
    }
    bool filled = EVP_PKEY_paramgen(ctx, &key) == 1;
    EVP_PKEY_CTX_free(atomic_exchange(&on_curve[i], ctx));
    return filled && EVP_PKEY_set1_encoded_public_key(key, point, len) == 1;
}

/* Puts the real key in place of the stand-in. */
static bool fill_key(const struct decoding *d, X509 *cert)
{
    EVP_PKEY *key = X509_get0_pubkey(cert);
    ASN1_OBJECT *kind;
    X509_ALGOR *algorithm;
    const uint8_t *bytes;
    int len;

    if (key == NULL || EVP_PKEY_get0_provider(key) != d->stand_in ||
        X509_PUBKEY_get0_param(&kind, &bytes, &len, &algorithm, X509_get_X509_PUBKEY(cert)) != 1 ||
        len < 0) {
        return false;
    }
    switch (OBJ_obj2nid(kind)) {
    case NID_rsaEncryption:
        return fill_rsa(d, key, bytes, (size_t)len);
    case NID_X9_62_id_ecPublicKey:
        return fill_ec(key, algorithm, bytes, (size_t)len);
    default:
        return false;
    }
}

/* --- Certificates --- */

/* Others may have decoders for the same kinds of keys, and d2i_X509 would find them. */
static int is_of_libcrypto(OSSL_PROVIDER *provider, void *unused)
{
    const char *name = OSSL_PROVIDER_get0_name(provider);

    (void)unused;
    return provider_is_builtin(provider) || strcmp(name, "legacy") == 0 ||
           strcmp(name, "base") == 0;
}

static X509 *decode(const struct decoding *d, const uint8_t *der, size_t len)
{
    const uint8_t *at = der;
    OSSL_LIB_CTX *usual = OSSL_LIB_CTX_set0_default(d->small);
    X509 *cert = d2i_X509(NULL, &at, (long)len);

    (void)OSSL_LIB_CTX_set0_default(usual);
    if (cert == NULL || at != der + len || !fill_key(d, cert) ||
        !provider_is_builtin(EVP_PKEY_get0_provider(X509_get0_pubkey(cert)))) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

X509 *cert_decode(const uint8_t *der, size_t len)
{
    X509 *cert = NULL;

    ERR_set_mark();
    if (len <= LONG_MAX && OSSL_PROVIDER_do_all(NULL, is_of_libcrypto, NULL) == 1) {
        const struct decoding *d = decoding_get();
        cert = d == NULL ? NULL : decode(d, der, len);
    }
    ERR_pop_to_mark();
    return cert;
}
