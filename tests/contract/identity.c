/*
 * Certificates and keys made on the spot.
 */
#include "identity.h"

#include "log.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static struct identity *shared;
static pthread_once_t shared_once = PTHREAD_ONCE_INIT;

/* Parameters of DSA, which take seconds to make; nothing depends on them but the time. */
static const char dsa_2048[] = "-----BEGIN DSA PARAMETERS-----\n"
                               "MIICLAKCAQEA9F1++Ias44SkFL2W5zuUFBtyl4J7R8uItBBIctPZtm5v4N3YnVmG\n"
                               "GWcIdTw+DSFocVe0EwiiCRLdGWKEO7s83LQHD9WGTYPBX/ySYTBEO34lZTdPTOAy\n"
                               "2ZME29NNUaQW4DwkNHvHbGkk3VM0s9CjsQUJgewOM6QbrQd3NelTKPuYziQjkpOq\n"
                               "cfWnRGlB/D3RDaMSLGMCaBzjOaCS2jgrPok5XfP4D8aeDZv+G/SzaoV+646Yc4WB\n"
                               "TXBF3+V7hQAHNdBIv0p0vfJSt0FXDWobO5umIZoOytmMzN7bU9U5qO6rRCtnUCvD\n"
                               "M+GiVaiudXmiV+ci1erdqE1w66PrR+OHnQIhAONpEKxnGNLA5+BMK1OVHPNG77qV\n"
                               "kAB/FfTw6xkjkrNrAoIBAH43AFiXTQNlsuuk15cTLUzlnw4eBGYAjgUCBp6WtwJq\n"
                               "kylRSxpLlQ7mPVXSMtavHxff+a6Gpca1EdEdsEV5d0DAfX+TCiQ3au82RrIT0/zl\n"
                               "RxYKdJF0HOR3qVaXMw+dkOkjMKFDRcsq4xNtUdEWawG6wX0/sXbVIs4IKJOwrRZO\n"
                               "jg9plw20GzTq/R/MEL8oJuxsXTCl4QOJrEl1QRX12VsJaucD73lodCoJqhbK9DZu\n"
                               "FxcJmbB0RhRQTxFuFbM0QYMEsTIMWwZ+xIMH6NlrDcacF8yPOWivvmSGFq8zuMt2\n"
                               "mLgaoLMG+1RXYHoNSJ/hSHD+eZFhTPQs8tHCxZ3m9pk=\n"
                               "-----END DSA PARAMETERS-----\n";
static const char dsa_1024[] = "-----BEGIN DSA PARAMETERS-----\n"
                               "MIIBHwKBgQC7FvZNfBsCNcdYo+zDFvG5CtbzAg7XVCeTw6Ysl7b2jglcP23JkQUC\n"
                               "SujnYmNt1IkYRGvxfWnxt8wWydBqM8RBFvBclmcEqKqS5G49aAZTadyJR0En+9l1\n"
                               "utCX0ECML1rqQR3nEL94Kt33wAhm/DzZWOBO9fxS1/fotR8B1SebEwIVANmpF9MT\n"
                               "gsY1mHbl4dY9uysETDzPAoGBAKxpUtt9d7ZwGoswbojBdu+pbfcUD1cTi5BHPGHO\n"
                               "qkOboiHJOVbw7dNqxQAdVVQI1U+otF7U8Grz0yIcQ48WSoGRlwVk89rajsy6REZg\n"
                               "/y/J6aaBMynKNrjk1Dj/KB2qI4+gl/ReYeRFlvRAB04NcBVU7nXWY7rBXJDdsZWx\n"
                               "i/Ei\n"
                               "-----END DSA PARAMETERS-----\n";

static EVP_PKEY *make_dsa_key(const char *parameters)
{
    BIO *text = BIO_new_mem_buf(parameters, -1);
    EVP_PKEY *group = PEM_read_bio_Parameters(text, NULL);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, group, NULL);
    EVP_PKEY *key = NULL;

    REQUIRE(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1);
    REQUIRE(EVP_PKEY_generate(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(group);
    BIO_free(text);
    return key;
}

static EVP_PKEY *make_key(enum key_kind kind)
{
    EVP_PKEY *key = NULL;

    switch (kind) {
    case KEY_P256:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
        break;
    case KEY_P384:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-384");
        break;
    case KEY_P521:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521");
        break;
    case KEY_RSA:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
        break;
    case KEY_RSA_PSS: {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA-PSS", NULL);

        REQUIRE(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1);
        REQUIRE(EVP_PKEY_generate(ctx, &key) == 1);
        EVP_PKEY_CTX_free(ctx);
        break;
    }
    case KEY_ED25519:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
        break;
    case KEY_ED448:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
        break;
    case KEY_DSA:
        key = make_dsa_key(dsa_2048);
        break;
    case KEY_DSA_1024:
        key = make_dsa_key(dsa_1024);
        break;
    case KEY_RSA_1024:
        key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)1024);
        break;
    }
    REQUIRE(key != NULL);
    return key;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *extension;

    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    REQUIRE(extension != NULL && X509_add_ext(cert, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

/* Ed25519 and Ed448 bring their own digest, small keys go with a weak one. */
static const EVP_MD *signing_digest(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448")) {
        return NULL;
    }
    return EVP_PKEY_get_bits(key) == 1024 ? EVP_sha1() : EVP_sha256();
}

static struct identity *make(const struct identity *issuer, enum key_kind kind,
                             const char *common_name, bool authority)
{
    static long serial = 1;
    struct identity *identity = calloc(1, sizeof(*identity));
    X509_NAME *name;
    X509 *signer;
    char dns[256];

    REQUIRE(identity != NULL);
    identity->issuer = issuer;
    identity->key = make_key(kind);
    identity->cert = X509_new();
    REQUIRE(identity->cert != NULL && X509_set_version(identity->cert, X509_VERSION_3) == 1);
    signer = issuer != NULL ? issuer->cert : identity->cert;
    REQUIRE(ASN1_INTEGER_set(X509_get_serialNumber(identity->cert), serial++) == 1);
    REQUIRE(X509_gmtime_adj(X509_getm_notBefore(identity->cert), -3600L) != NULL);
    REQUIRE(X509_gmtime_adj(X509_getm_notAfter(identity->cert), 86400L) != NULL);
    REQUIRE(X509_set_pubkey(identity->cert, identity->key) == 1);
    name = X509_get_subject_name(identity->cert);
    REQUIRE(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)common_name,
                                       -1, -1, 0) == 1);
    REQUIRE(X509_set_issuer_name(identity->cert, X509_get_subject_name(signer)) == 1);
    add_extension(identity->cert, signer, NID_basic_constraints,
                  authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(identity->cert, signer, NID_subject_key_identifier, "hash");
    (void)snprintf(dns, sizeof(dns), "DNS:%s", common_name);
    add_extension(identity->cert, signer, NID_subject_alt_name, dns);
    {
        EVP_PKEY *key = issuer != NULL ? issuer->key : identity->key;

        REQUIRE(X509_sign(identity->cert, key, signing_digest(key)) > 0);
    }
    return identity;
}

struct identity *identity_new(enum key_kind kind, const char *common_name)
{
    return make(NULL, kind, common_name, true);
}

struct identity *identity_issue(const struct identity *issuer, enum key_kind kind,
                                const char *common_name, bool authority)
{
    return make(issuer, kind, common_name, authority);
}

void identity_free(struct identity *identity)
{
    if (identity != NULL) {
        X509_free(identity->cert);
        EVP_PKEY_free(identity->key);
        free(identity);
    }
}

static void make_shared(void)
{
    shared = identity_new(KEY_P256, "localhost");
}

const struct identity *identity_default(void)
{
    REQUIRE(pthread_once(&shared_once, make_shared) == 0);
    return shared;
}

void identity_default_free(void)
{
    identity_free(shared);
    shared = NULL;
}

void identity_use_ctx(const struct identity *identity, SSL_CTX *ctx)
{
    REQUIRE(SSL_CTX_use_certificate(ctx, identity->cert) == 1);
    REQUIRE(SSL_CTX_use_PrivateKey(ctx, identity->key) == 1);
    for (const struct identity *i = identity->issuer; i != NULL && i->issuer != NULL;
         i = i->issuer) {
        REQUIRE(SSL_CTX_add1_chain_cert(ctx, i->cert) == 1);
    }
}

void identity_use_ssl(const struct identity *identity, SSL *ssl)
{
    REQUIRE(SSL_use_certificate(ssl, identity->cert) == 1);
    REQUIRE(SSL_use_PrivateKey(ssl, identity->key) == 1);
    for (const struct identity *i = identity->issuer; i != NULL && i->issuer != NULL;
         i = i->issuer) {
        REQUIRE(SSL_add1_chain_cert(ssl, i->cert) == 1);
    }
}

void identity_trust(const struct identity *root, SSL_CTX *ctx)
{
    REQUIRE(X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), root->cert) == 1);
}
