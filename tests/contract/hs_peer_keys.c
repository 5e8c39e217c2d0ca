/*
 * A peer's certificate and its public key, in every way in which an application may look at them:
 * beside what d2i_X509(3) makes of the same bytes in the program itself. Each kind of key comes in
 * many certificates that nobody has seen before.
 */
#include "contract.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <string.h>

#define STRANGERS 12

static const struct {
    enum key_kind kind;
    const char *name;
} kinds[] = {
    { KEY_P256, "P-256" },      { KEY_P384, "P-384" },        { KEY_P521, "P-521" },
    { KEY_RSA, "RSA 2048" },    { KEY_RSA_1024, "RSA 1024" }, { KEY_RSA_PSS, "RSA-PSS" },
    { KEY_ED25519, "Ed25519" },
};

/* --- Two keys beside each other --- */

static const char *same(const void *a, size_t a_len, const void *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0) ? "same" : "different";
}

static const char *same_bio(BIO *a, BIO *b)
{
    char *a_data, *b_data;
    long a_len = BIO_get_mem_data(a, &a_data);
    long b_len = BIO_get_mem_data(b, &b_data);
    const char *answer = same(a_data, (size_t)a_len, b_data, (size_t)b_len);

    BIO_free(a);
    BIO_free(b);
    return answer;
}

static BIO *printed(const EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());

    CHECK(EVP_PKEY_print_public(out, key, 0, NULL) == 1);
    return out;
}

static BIO *pem(EVP_PKEY *key)
{
    BIO *out = BIO_new(BIO_s_mem());

    CHECK(PEM_write_bio_PUBKEY(out, key) == 1);
    return out;
}

static void show_encoding(EVP_PKEY *key, EVP_PKEY *expected)
{
    unsigned char *a = NULL, *b = NULL;
    int a_len = i2d_PUBKEY(key, &a);
    int b_len = i2d_PUBKEY(expected, &b);

    note("  i2d_PUBKEY %s, PEM %s, printed %s", same(a, (size_t)a_len, b, (size_t)b_len),
         same_bio(pem(key), pem(expected)), same_bio(printed(key), printed(expected)));
    OPENSSL_free(a);
    OPENSSL_free(b);
}

/* Every parameter that its provider can tell, and the names of those that can be set. */
static void show_parameters(const EVP_PKEY *key, const EVP_PKEY *expected)
{
    const OSSL_PARAM *can_get = EVP_PKEY_gettable_params(key);
    const OSSL_PARAM *can_set = EVP_PKEY_settable_params(key);
    OSSL_PARAM *a = NULL, *b = NULL;

    for (; can_get != NULL && can_get->key != NULL; can_get++) {
        unsigned char of_key[4096] = { 0 };
        unsigned char of_expected[4096] = { 0 };
        OSSL_PARAM get[] = { *can_get, OSSL_PARAM_construct_end() };
        get[0].data = of_key;
        get[0].data_size = can_get->data_type <= OSSL_PARAM_UNSIGNED_INTEGER ? 2048 : 4096;
        get[0].return_size = OSSL_PARAM_UNMODIFIED;
        int a_ok = EVP_PKEY_get_params(key, get);
        size_t a_len = get[0].return_size;
        get[0].data = of_expected;
        get[0].return_size = OSSL_PARAM_UNMODIFIED;
        int b_ok = EVP_PKEY_get_params(expected, get);
        note("  %s: %d %d, %s length, %s", can_get->key, a_ok, b_ok,
             a_len == get[0].return_size ? "same" : "different",
             same(of_key, sizeof(of_key), of_expected, sizeof(of_expected)));
        ERR_clear_error();
    }
    for (; can_set != NULL && can_set->key != NULL; can_set++) {
        note("  can set %s", can_set->key);
    }
    CHECK(EVP_PKEY_todata(key, EVP_PKEY_PUBLIC_KEY, &a) == 1);
    CHECK(EVP_PKEY_todata(expected, EVP_PKEY_PUBLIC_KEY, &b) == 1);
    for (size_t i = 0; a[i].key != NULL || b[i].key != NULL; i++) {
        CHECK(a[i].key != NULL && b[i].key != NULL && strcmp(a[i].key, b[i].key) == 0);
        note("  data %s %s", a[i].key, same(a[i].data, a[i].data_size, b[i].data, b[i].data_size));
    }
    OSSL_PARAM_free(a);
    OSSL_PARAM_free(b);
}

/* The forms that programs older than 3.0 ask for. */
static void show_old_forms(EVP_PKEY *key, EVP_PKEY *expected)
{
    const RSA *rsa = EVP_PKEY_get0_RSA(key);
    const EC_KEY *ec = EVP_PKEY_get0_EC_KEY(key);

    ERR_clear_error();
    note("  RSA %d, EC_KEY %d", rsa != NULL, ec != NULL);
    if (rsa != NULL) {
        const RSA *other = EVP_PKEY_get0_RSA(expected);
        note("  n %d, e %d, flags %x %x, bits %d", BN_cmp(RSA_get0_n(rsa), RSA_get0_n(other)),
             BN_cmp(RSA_get0_e(rsa), RSA_get0_e(other)), (unsigned)RSA_test_flags(rsa, ~0),
             (unsigned)RSA_test_flags(other, ~0), RSA_bits(rsa));
    }
    if (ec != NULL) {
        const EC_KEY *other = EVP_PKEY_get0_EC_KEY(expected);
        note("  curve %d, point %d, form %d %d, flags %x %x, asn1 flag %d %d",
             EC_GROUP_cmp(EC_KEY_get0_group(ec), EC_KEY_get0_group(other), NULL),
             EC_POINT_cmp(EC_KEY_get0_group(ec), EC_KEY_get0_public_key(ec),
                          EC_KEY_get0_public_key(other), NULL),
             (int)EC_KEY_get_conv_form(ec), (int)EC_KEY_get_conv_form(other),
             (unsigned)EC_KEY_get_flags(ec), (unsigned)EC_KEY_get_flags(other),
             EC_GROUP_get_asn1_flag(EC_KEY_get0_group(ec)),
             EC_GROUP_get_asn1_flag(EC_KEY_get0_group(other)));
    }
}

static void show_key(EVP_PKEY *key, EVP_PKEY *expected)
{
    char digest[64] = "";

    CHECK(key != NULL && expected != NULL);
    note("  type %s, provider %s, the usual one %d", EVP_PKEY_get0_type_name(key),
         OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(key)),
         EVP_PKEY_get0_provider(key) == EVP_PKEY_get0_provider(expected));
    note("  id %d, base id %d, bits %d, security bits %d, size %d", EVP_PKEY_get_id(key),
         EVP_PKEY_get_base_id(key), EVP_PKEY_get_bits(key), EVP_PKEY_get_security_bits(key),
         EVP_PKEY_get_size(key));
    note("  eq %d %d, parameters eq %d, signs %d, default digest %d %s", EVP_PKEY_eq(key, expected),
         EVP_PKEY_eq(expected, key), EVP_PKEY_parameters_eq(key, expected), EVP_PKEY_can_sign(key),
         EVP_PKEY_get_default_digest_name(key, digest, sizeof(digest)), digest);
    show_encoding(key, expected);
    show_parameters(key, expected);
    show_old_forms(key, expected);
    EVP_PKEY *copy = EVP_PKEY_dup(key);
    note("  copy eq %d", copy == NULL ? -9 : EVP_PKEY_eq(copy, expected));
    EVP_PKEY_free(copy);
    ERR_clear_error();
}

static void show_check(EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);

    note("  public check %d", EVP_PKEY_public_check(ctx));
    EVP_PKEY_CTX_free(ctx);
}

/* --- Two certificates beside each other --- */

static void show_digest(const X509 *cert, const X509 *expected)
{
    unsigned char a[EVP_MAX_MD_SIZE], b[EVP_MAX_MD_SIZE];
    unsigned a_len, b_len;

    CHECK(X509_digest(cert, EVP_sha256(), a, &a_len) == 1);
    CHECK(X509_digest(expected, EVP_sha256(), b, &b_len) == 1);
    note("  SHA-256 %s", same(a, a_len, b, b_len));
    CHECK(X509_pubkey_digest(cert, EVP_sha1(), a, &a_len) == 1);
    CHECK(X509_pubkey_digest(expected, EVP_sha1(), b, &b_len) == 1);
    note("  SHA-1 of the key %s", same(a, a_len, b, b_len));
}

static void show_signature(X509 *cert, X509 *expected)
{
    int digest, kind, bits;
    uint32_t flags;

    note("  signature info %d", X509_get_signature_info(cert, &digest, &kind, &bits, &flags));
    note("  digest %d, kind %d, bits %d, flags %u", digest, kind, bits, flags);
    note("  flags %x %x, usage %x, purpose %d", X509_get_extension_flags(cert),
         X509_get_extension_flags(expected), X509_get_key_usage(cert),
         X509_check_purpose(cert, X509_PURPOSE_SSL_SERVER, 0));
}

static void show_certificate(X509 *cert, X509 *expected, EVP_PKEY *issuer)
{
    unsigned char *a = NULL, *b = NULL;
    int a_len = i2d_X509(cert, &a);
    int b_len = i2d_X509(expected, &b);
    X509 *copy = X509_dup(cert);
    X509_PUBKEY *key = X509_PUBKEY_dup(X509_get_X509_PUBKEY(cert));

    note("  cmp %d, encoding %s", X509_cmp(cert, expected),
         same(a, (size_t)a_len, b, (size_t)b_len));
    note("  verify %d, copy cmp %d, key of the copy %d", X509_verify(cert, issuer),
         X509_cmp(copy, expected), EVP_PKEY_eq(X509_get0_pubkey(copy), X509_get0_pubkey(expected)));
    note("  copy of the key %d, one object %d",
         EVP_PKEY_eq(X509_PUBKEY_get0(key), X509_get0_pubkey(expected)),
         X509_get0_pubkey(cert) == X509_PUBKEY_get0(X509_get_X509_PUBKEY(cert)));
    show_digest(cert, expected);
    show_signature(cert, expected);
    X509_PUBKEY_free(key);
    X509_free(copy);
    OPENSSL_free(a);
    OPENSSL_free(b);
}

/* Decoded into again, the object is as usual: nothing sticks to it. */
static void show_decoded_again(X509 *cert)
{
    unsigned char *der = NULL;
    long len = i2d_X509(cert, &der);
    const unsigned char *at = der;

    note("  again %d, provider %s", d2i_X509(&cert, &at, len) == cert,
         OSSL_PROVIDER_get0_name(EVP_PKEY_get0_provider(X509_get0_pubkey(cert))));
    OPENSSL_free(der);
}

/* --- Connections --- */

/* One connection to the identity; what the client has got, a reference for the caller. */
static X509 *meet(const struct identity *id, const struct identity *root)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method()); /* without any identity */
    struct pair p;

    SSL_CTX_set_security_level(client_ctx, 1); /* for the short RSA key */
    SSL_CTX_set_security_level(server_ctx, 1);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    identity_use_ctx(id, server_ctx);
    identity_trust(root, client_ctx);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    CHECK(log_handshake(p.client, p.server));
    X509 *peer = SSL_get1_peer_certificate(p.client);
    pair_free(&p);
    return peer;
}

static X509 *own_decoding(X509 *cert)
{
    unsigned char *der = NULL;
    long len = i2d_X509(cert, &der);
    const unsigned char *at = der;
    X509 *decoded = d2i_X509(NULL, &at, len);

    CHECK(decoded != NULL);
    OPENSSL_free(der);
    return decoded;
}

static void test_kind(const struct identity *root, enum key_kind kind, const char *name)
{
    struct identity *leaf = identity_issue(root, kind, "leaf.example", false);
    X509 *expected = own_decoding(leaf->cert);

    section("%s", name);
    X509 *peer = meet(leaf, root);
    CHECK(peer != NULL);
    show_certificate(peer, expected, root->key);
    show_key(X509_get0_pubkey(peer), X509_get0_pubkey(expected));
    show_check(X509_get0_pubkey(peer));
    show_decoded_again(peer);
    X509_free(peer);
    X509_free(expected);
    identity_free(leaf);
}

static const struct bad_key {
    enum key_kind kind;
    size_t from_end; /* the byte that is changed */
    unsigned char change;
    const char *name;
} bad_keys[] = {
    { KEY_P256, 1, 0x01, "a point that is not on the curve" },
    { KEY_P256, 65, 0x01, "a point of no form" },
    { KEY_RSA, 1, 0x01, "an even exponent" },
    { KEY_RSA, 6, 0x01, "an even modulus" },
    { KEY_RSA, 7, 0x01, "another modulus" },
    { KEY_RSA, 4, 0x02, "an exponent with something behind it" },
};

/* An intermediate whose key cannot be decoded, or is none that anybody should use. */
static void test_bad_key(const struct identity *root, const struct bad_key *how, int verify)
{
    struct identity *middle = identity_issue(root, how->kind, "middle.example", true);
    struct identity *leaf = identity_issue(middle, KEY_P256, "leaf.example", false);
    unsigned char *der = NULL, *key = NULL;
    size_t len = (size_t)i2d_X509(middle->cert, &der);
    size_t key_len = (size_t)i2d_X509_PUBKEY(X509_get_X509_PUBKEY(middle->cert), &key);
    unsigned char *at = memmem(der, len, key, key_len);
    const unsigned char *begin = der;
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method()); /* without any identity */
    struct pair p;

    section("%s, %s", how->name, verify == SSL_VERIFY_NONE ? "not verified" : "verified");
    CHECK(at != NULL);
    at[key_len - how->from_end] ^= how->change;
    X509 *bad = d2i_X509(NULL, &begin, (long)len);
    CHECK(bad != NULL);
    SSL_CTX_set_security_level(server_ctx, 0); /* which takes such a certificate */
    CHECK(SSL_CTX_use_certificate(server_ctx, leaf->cert) == 1);
    CHECK(SSL_CTX_use_PrivateKey(server_ctx, leaf->key) == 1);
    CHECK(SSL_CTX_add1_chain_cert(server_ctx, bad) == 1);
    identity_trust(root, client_ctx);
    SSL_CTX_set_verify(client_ctx, verify, NULL);
    ERR_clear_error();
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    /* What RSA finds wrong with a signature by another key varies: the last error is enough. */
    for (int i = 0; i < 2; i++) {
        int answer = SSL_do_handshake(p.client);
        note("client %d, reason %d", answer, ERR_GET_REASON(ERR_peek_last_error()));
        ERR_clear_error();
        (void)SSL_do_handshake(p.server);
        ERR_clear_error(); /* the server has looked at the key, too */
    }
    X509 *got = sk_X509_value(SSL_get_peer_cert_chain(p.client), 1);
    note("  result %ld, sent %d", SSL_get_verify_result(p.client), got != NULL);
    note("  a key %d, cmp %d", got != NULL && X509_get0_pubkey(got) != NULL,
         got == NULL ? -9 : X509_cmp(got, bad));
    if (got != NULL && X509_get0_pubkey(got) != NULL) {
        show_key(X509_get0_pubkey(got), X509_get0_pubkey(bad));
    }
    ERR_clear_error();
    pair_free(&p);
    X509_free(bad);
    OPENSSL_free(der);
    OPENSSL_free(key);
    identity_free(leaf);
    identity_free(middle);
}

int main(void)
{
    contract_start();
    struct identity *root = identity_new(KEY_P256, "root.example");

    for (int i = 0; i < STRANGERS; i++) {
        struct identity *stranger = identity_issue(root, KEY_P256, "stranger.example", false);
        X509_free(meet(stranger, root));
        identity_free(stranger);
    }
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        test_kind(root, kinds[i].kind, kinds[i].name);
    }
    for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
        test_bad_key(root, &bad_keys[i], SSL_VERIFY_NONE);
        test_bad_key(root, &bad_keys[i], SSL_VERIFY_PEER);
    }
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
