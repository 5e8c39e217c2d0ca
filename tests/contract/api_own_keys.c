/*
 * Certificates and keys in every form at a connection and a context, beside what hs_certs has:
 * DER of a given kind, certificate with key and chain at once, Diffie-Hellman parameters as keys
 * and as callback. Manual pages: SSL_CTX_use_certificate(3), SSL_CTX_set_tmp_dh_callback(3),
 * SSL_get_certificate(3), SSL_get_peer_tmp_key(3).
 */
#include "contract.h"

#include <openssl/core_names.h>
#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

static struct identity *root, *leaf, *rsa;

static void try(const char *what, long ret)
{
    note("%s: %ld", what, ret);
    log_errors("error");
}

static void log_own(SSL_CTX *ctx, SSL *ssl)
{
    note("  context: certificate %d key %d check %d", SSL_CTX_get0_certificate(ctx) != NULL,
         SSL_CTX_get0_privatekey(ctx) != NULL, SSL_CTX_check_private_key(ctx));
    log_errors("  error");
    note("  connection: certificate %d key %d check %d", SSL_get_certificate(ssl) != NULL,
         SSL_get_privatekey(ssl) != NULL, SSL_check_private_key(ssl));
    log_errors("  error");
}

static void der_keys(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    unsigned char *ec_der = NULL;
    unsigned char *rsa_der = NULL;
    long ec_len = i2d_PrivateKey(leaf->key, &ec_der);
    long rsa_len = i2d_PrivateKey(rsa->key, &rsa_der);

    section("keys in DER");
    REQUIRE(ssl != NULL && ec_len > 0 && rsa_len > 0);
    try("SSL EC", SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, ssl, ec_der, ec_len));
    try("CTX EC", SSL_CTX_use_PrivateKey_ASN1(EVP_PKEY_EC, ctx, ec_der, ec_len));
    log_own(ctx, ssl);
    try("SSL RSA", SSL_use_PrivateKey_ASN1(EVP_PKEY_RSA, ssl, rsa_der, rsa_len));
    try("SSL RSA of its own", SSL_use_RSAPrivateKey_ASN1(ssl, rsa_der, rsa_len));
    try("CTX RSA of its own", SSL_CTX_use_RSAPrivateKey_ASN1(ctx, rsa_der, rsa_len));
    try("SSL EC as RSA", SSL_use_PrivateKey_ASN1(EVP_PKEY_RSA, ssl, ec_der, ec_len));
    try("CTX EC as RSA", SSL_CTX_use_RSAPrivateKey_ASN1(ctx, ec_der, ec_len));
    try("SSL one byte short", SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, ssl, ec_der, ec_len - 1));
    try("SSL nothing", SSL_use_PrivateKey_ASN1(EVP_PKEY_EC, ssl, ec_der, 0));
    try("SSL of no kind", SSL_use_PrivateKey_ASN1(77777, ssl, ec_der, ec_len));
    log_own(ctx, ssl);
    OPENSSL_free(ec_der);
    OPENSSL_free(rsa_der);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void at_once(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    STACK_OF(X509) *chain = sk_X509_new_null();
    STACK_OF(X509) *got = NULL;

    section("certificate, key and chain at once");
    REQUIRE(ssl != NULL && chain != NULL && sk_X509_push(chain, root->cert) > 0);
    try("SSL without a key", SSL_use_cert_and_key(ssl, leaf->cert, NULL, NULL, 0));
    log_own(ctx, ssl);
    try("SSL not over the other", SSL_use_cert_and_key(ssl, leaf->cert, leaf->key, chain, 0));
    try("SSL over the other", SSL_use_cert_and_key(ssl, leaf->cert, leaf->key, chain, 1));
    CHECK(SSL_get0_chain_certs(ssl, &got) == 1);
    note("  chain %d", got == NULL ? -1 : sk_X509_num(got));
    try("SSL a key that does not fit", SSL_use_cert_and_key(ssl, leaf->cert, rsa->key, NULL, 1));
    try("SSL no certificate", SSL_use_cert_and_key(ssl, NULL, leaf->key, NULL, 1));
    log_own(ctx, ssl);
    try("CTX", SSL_CTX_use_cert_and_key(ctx, leaf->cert, leaf->key, chain, 0));
    try("CTX again", SSL_CTX_use_cert_and_key(ctx, leaf->cert, leaf->key, NULL, 0));
    try("CTX another kind", SSL_CTX_use_cert_and_key(ctx, rsa->cert, rsa->key, NULL, 0));
    log_own(ctx, ssl);
    sk_X509_free(chain);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void nothing(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("nothing");
    REQUIRE(ssl != NULL);
    log_own(ctx, ssl);
    try("SSL certificate", SSL_use_certificate(ssl, NULL));
    try("CTX certificate", SSL_CTX_use_certificate(ctx, NULL));
    try("SSL key", SSL_use_PrivateKey(ssl, NULL));
    try("CTX key", SSL_CTX_use_PrivateKey(ctx, NULL));
    try("SSL RSA key", SSL_use_RSAPrivateKey(ssl, NULL));
    try("CTX RSA key", SSL_CTX_use_RSAPrivateKey(ctx, NULL));
    try("SSL file", SSL_use_certificate_file(ssl, "/nonexistent/tenon", SSL_FILETYPE_PEM));
    try("SSL file of no kind", SSL_use_certificate_file(ssl, "/dev/null", 77));
    try("SSL chain file", SSL_use_certificate_chain_file(ssl, "/nonexistent/tenon"));
    try("SSL key file", SSL_use_PrivateKey_file(ssl, "/dev/null", SSL_FILETYPE_PEM));
    try("CTX key file", SSL_CTX_use_PrivateKey_file(ctx, "/dev/null", SSL_FILETYPE_ASN1));
    try("SSL RSA file", SSL_use_RSAPrivateKey_file(ssl, "/dev/null", SSL_FILETYPE_PEM));
    try("check without context", SSL_CTX_check_private_key(NULL));
    try("check without connection", SSL_check_private_key(NULL));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static EVP_PKEY *group_key(const char *name)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    OSSL_PARAM params[2];
    char copy[32];

    (void)memset(copy, 0, sizeof(copy));
    (void)strncpy(copy, name, sizeof(copy) - 1);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, copy, 0);
    params[1] = OSSL_PARAM_construct_end();
    REQUIRE(ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1);
    REQUIRE(EVP_PKEY_CTX_set_params(ctx, params) == 1 && EVP_PKEY_paramgen(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static DH *asked_for;

static DH *on_tmp_dh(SSL *ssl, int exported, int bits)
{
    note("temporary DH for %s, exported %d, bits %d", ssl_get_name(ssl), exported, bits);
    return asked_for;
}

enum source { FROM_KEY, FROM_SSL_KEY, FROM_CALLBACK, FROM_SSL_CALLBACK, FROM_EMPTY_CALLBACK };

static void exchange(const char *title, enum source source, const char *group)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;
    EVP_PKEY *temporary = NULL;

    section("%s, %s", title, group);
    (void)SSL_CTX_set_min_proto_version(client_ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_max_proto_version(client_ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_min_proto_version(server_ctx, TLS1_2_VERSION);
    (void)SSL_CTX_set_max_proto_version(server_ctx, TLS1_2_VERSION);
    identity_use_ctx(rsa, server_ctx);
    CHECK(SSL_CTX_set_cipher_list(client_ctx, "DHE-RSA-AES128-GCM-SHA256") == 1);
    asked_for = source == FROM_EMPTY_CALLBACK ? NULL : DH_get_2048_256();
    if (source == FROM_KEY) {
        try("CTX", SSL_CTX_set0_tmp_dh_pkey(server_ctx, group_key(group)));
    } else if (source == FROM_CALLBACK || source == FROM_EMPTY_CALLBACK) {
        SSL_CTX_set_tmp_dh_callback(server_ctx, on_tmp_dh);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    if (source == FROM_SSL_KEY) {
        try("SSL", SSL_set0_tmp_dh_pkey(p.server, group_key(group)));
    } else if (source == FROM_SSL_CALLBACK) {
        SSL_set_tmp_dh_callback(p.server, on_tmp_dh);
    }
    (void)log_handshake(p.client, p.server);
    if (SSL_get_peer_tmp_key(p.client, &temporary) == 1) {
        note("temporary key of %d bits, kind %d", EVP_PKEY_get_bits(temporary),
             EVP_PKEY_get_base_id(temporary));
        EVP_PKEY_free(temporary);
    }
    temporary = NULL;
    note("by its older name: %ld", (long)SSL_get_server_tmp_key(p.client, &temporary));
    EVP_PKEY_free(temporary);
    pair_free(&p);
    DH_free(asked_for);
}

static void temporary_keys(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    EVP_PKEY *small = group_key("modp_1536");

    section("temporary keys, as set");
    REQUIRE(ssl != NULL);
    try("CTX automatic", SSL_CTX_set_dh_auto(ctx, 1));
    try("SSL automatic", SSL_set_dh_auto(ssl, 2));
    try("CTX DH", SSL_CTX_set_tmp_dh(ctx, NULL));
    try("SSL DH", SSL_set_tmp_dh(ssl, NULL));
    SSL_CTX_set_security_level(ctx, 4);
    SSL_set_security_level(ssl, 4);
    try("CTX key below the level", SSL_CTX_set0_tmp_dh_pkey(ctx, small));
    try("SSL key below the level", SSL_set0_tmp_dh_pkey(ssl, small));
    EVP_PKEY_free(small);
    SSL_CTX_set_security_level(ctx, 1);
    try("CTX key", SSL_CTX_set0_tmp_dh_pkey(ctx, group_key("ffdhe2048")));
    try("CTX key again", SSL_CTX_set0_tmp_dh_pkey(ctx, group_key("modp_2048")));
    try("CTX none", SSL_CTX_set0_tmp_dh_pkey(ctx, NULL));
    try("SSL none", SSL_set0_tmp_dh_pkey(ssl, NULL));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root");
    leaf = identity_issue(root, KEY_P256, "leaf", false);
    rsa = identity_new(KEY_RSA, "rsa");
    REQUIRE(leaf != NULL && rsa != NULL);
    der_keys();
    at_once();
    nothing();
    temporary_keys();
    exchange("key of the context", FROM_KEY, "ffdhe3072");
    exchange("key of the context", FROM_KEY, "modp_2048");
    exchange("key of the connection", FROM_SSL_KEY, "ffdhe2048");
    exchange("callback of the context", FROM_CALLBACK, "dh_2048_256");
    exchange("callback of the connection", FROM_SSL_CALLBACK, "dh_2048_256");
    exchange("callback without an answer", FROM_EMPTY_CALLBACK, "none");
    identity_free(rsa);
    identity_free(leaf);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
