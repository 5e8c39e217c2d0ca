/*
 * Certificates and contexts of the questions; see harness.h.
 */
#include "harness.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

static EVP_PKEY *make_key(enum key_kind kind)
{
    EVP_PKEY *key = kind == KEY_P256 ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);

    require(key != NULL, "key generation");
    return key;
}

static void add_extension(X509 *cert, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_nconf_nid(NULL, &context, nid, value);
    require(extension != NULL && X509_add_ext(cert, extension, -1) == 1, "extension");
    X509_EXTENSION_free(extension);
}

/* cert as a program has it from a file, in place of cert: libcrypto keeps the encoding of what it
 * has decoded, and encodes what was made in memory whenever it is sent. */
static X509 *as_loaded(X509 *cert)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);
    const unsigned char *at = der;
    X509 *loaded = len > 0 ? d2i_X509(NULL, &at, len) : NULL;

    require(loaded != NULL, "a certificate again from its encoding");
    OPENSSL_free(der);
    X509_free(cert);
    return loaded;
}

/* issuer NULL: its own. */
static X509 *make_cert(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key, bool ca)
{
    static long serial = 1;
    X509 *cert = X509_new();

    require(cert != NULL, "X509_new");
    X509 *by = issuer != NULL ? issuer : cert;
    X509_NAME *subject = X509_get_subject_name(cert);
    require(X509_set_version(cert, X509_VERSION_3) == 1 &&
                ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++) == 1 &&
                X509_gmtime_adj(X509_getm_notBefore(cert), -3600) != NULL &&
                X509_gmtime_adj(X509_getm_notAfter(cert), 86400) != NULL &&
                X509_set_pubkey(cert, key) == 1 &&
                X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const uint8_t *)name, -1,
                                           -1, 0) == 1 &&
                X509_set_issuer_name(cert, X509_get_subject_name(by)) == 1,
            "certificate");
    add_extension(cert, by, NID_basic_constraints, ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_extension(cert, by, NID_key_usage, ca ? "critical,keyCertSign" : "digitalSignature");
    add_extension(cert, by, NID_subject_key_identifier, "hash");
    if (issuer != NULL) {
        add_extension(cert, by, NID_authority_key_identifier, "keyid");
    }
    if (!ca) {
        add_extension(cert, by, NID_subject_alt_name, "DNS:bench.example");
    }
    require(X509_sign(cert, issuer_key, EVP_sha256()) > 0, "X509_sign");
    return as_loaded(cert);
}

static void issue(struct identity *id)
{
    id->intermediate =
        make_cert("Bench intermediate", id->intermediate_key, id->root, id->root_key, true);
    id->leaf = make_cert("bench.example", id->key, id->intermediate, id->intermediate_key, false);
}

void identity_make(struct identity *id, enum key_kind kind)
{
    *id = (struct identity){ .key = make_key(kind),
                             .root_key = make_key(kind),
                             .intermediate_key = make_key(kind) };
    id->root = make_cert("Bench root", id->root_key, NULL, id->root_key, true);
    issue(id);
}

void identity_make_fresh(struct identity *id, const struct identity *like)
{
    *id = (struct identity){ .key = like->key,
                             .root_key = like->root_key,
                             .intermediate_key = like->intermediate_key,
                             .root = like->root };
    EVP_PKEY_up_ref(id->key);
    EVP_PKEY_up_ref(id->root_key);
    EVP_PKEY_up_ref(id->intermediate_key);
    X509_up_ref(id->root);
    issue(id);
}

void identity_wipe(struct identity *id)
{
    EVP_PKEY_free(id->key);
    EVP_PKEY_free(id->root_key);
    EVP_PKEY_free(id->intermediate_key);
    X509_free(id->leaf);
    X509_free(id->intermediate);
    X509_free(id->root);
    *id = (struct identity){ 0 };
}

static void trust(SSL_CTX *ctx, const X509 *root)
{
    X509 *copy = X509_dup(root);

    require(copy != NULL && X509_STORE_add_cert(SSL_CTX_get_cert_store(ctx), copy) == 1, "trust");
    X509_free(copy);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    require(SSL_CTX_set_session_id_context(ctx, (const uint8_t *)"bench", 5) == 1,
            "session context");
}

SSL_CTX *context_make(bool server, const struct identity *own, const X509 *verify_root,
                      const char *suite)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    const bool tls13 = strncmp(suite, "TLS_", 4) == 0;
    const int version = tls13 ? TLS1_3_VERSION : TLS1_2_VERSION;

    require(ctx != NULL && SSL_CTX_set_min_proto_version(ctx, version) == 1 &&
                SSL_CTX_set_max_proto_version(ctx, version) == 1 &&
                (tls13 ? SSL_CTX_set_ciphersuites(ctx, suite)
                       : SSL_CTX_set_cipher_list(ctx, suite)) == 1 &&
                SSL_CTX_set1_groups_list(ctx, "X25519:P-256") == 1,
            "context");
    if (own != NULL) {
        require(SSL_CTX_use_certificate(ctx, own->leaf) == 1 &&
                    SSL_CTX_use_PrivateKey(ctx, own->key) == 1 &&
                    SSL_CTX_add1_chain_cert(ctx, own->intermediate) == 1,
                "context's certificate");
    }
    if (verify_root != NULL) {
        trust(ctx, verify_root);
    }
    return ctx;
}
