/*
 * DANE: TLSA records, which chains they accept and what is said about the match; and Certificate
 * Transparency where there are no timestamps. SSL_CTX_dane_enable(3),
 * SSL_CTX_set_ct_validation_callback(3).
 */
#include "contract.h"

#include <openssl/ct.h>
#include <openssl/err.h>
#include <string.h>

static struct identity *root, *middle, *leaf;

enum { PKIX_TA, PKIX_EE, DANE_TA, DANE_EE };
enum { WHOLE_CERT, KEY };
enum { FULL, BY_SHA256, BY_SHA512 };

static void try(const char *what, long ret)
{
    note("%s = %ld", what, ret);
    log_errors("e");
}

/* The data of a record about a certificate. */
static size_t record_data(unsigned char *out, const X509 *cert, int selector, int mtype)
{
    unsigned char *der = NULL;
    int len =
        selector == WHOLE_CERT ? i2d_X509(cert, &der) : i2d_PUBKEY(X509_get0_pubkey(cert), &der);
    unsigned digest_len = (unsigned)len;

    REQUIRE(len > 0);
    if (mtype == FULL) {
        memcpy(out, der, (size_t)len);
    } else {
        REQUIRE(EVP_Digest(der, (size_t)len, out, &digest_len,
                           mtype == BY_SHA256 ? EVP_sha256() : EVP_sha512(), NULL) == 1);
    }
    OPENSSL_free(der);
    return digest_len;
}

static int add(SSL *ssl, const X509 *cert, int usage, int selector, int mtype)
{
    unsigned char data[2000];
    size_t len = record_data(data, cert, selector, mtype);

    return SSL_dane_tlsa_add(ssl, (uint8_t)usage, (uint8_t)selector, (uint8_t)mtype, data, len);
}

static void test_setup(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    unsigned char data[64] = { 1 };

    section("setting up");
    try("enable, context not enabled", SSL_dane_enable(ssl, "leaf"));
    try("record, not enabled", SSL_dane_tlsa_add(ssl, 3, 1, 1, data, 32));
    note("authority %d tlsa %d dane %d", SSL_get0_dane_authority(ssl, NULL, NULL),
         SSL_get0_dane_tlsa(ssl, NULL, NULL, NULL, NULL, NULL), SSL_get0_dane(ssl) != NULL);
    try("context", SSL_CTX_dane_enable(ctx));
    try("context again", SSL_CTX_dane_enable(ctx));
    try("enable", SSL_dane_enable(ssl, "leaf"));
    note("name %s", SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
    try("enable again", SSL_dane_enable(ssl, "leaf"));
    try("usage 4", SSL_dane_tlsa_add(ssl, 4, 1, 1, data, 32));
    try("selector 2", SSL_dane_tlsa_add(ssl, 3, 2, 1, data, 32));
    try("type 3", SSL_dane_tlsa_add(ssl, 3, 1, 3, data, 32));
    try("short digest", SSL_dane_tlsa_add(ssl, 3, 1, 1, data, 31));
    try("no data", SSL_dane_tlsa_add(ssl, 3, 1, 1, NULL, 32));
    try("not a certificate", SSL_dane_tlsa_add(ssl, 3, 0, 0, data, 10) > 0);
    ERR_clear_error();
    try("not a key", SSL_dane_tlsa_add(ssl, 2, 1, 0, data, 10) > 0);
    ERR_clear_error();
    try("record", SSL_dane_tlsa_add(ssl, 3, 1, 1, data, 32));
    try("type 0 with a digest", SSL_CTX_dane_mtype_set(ctx, EVP_sha256(), 0, 1));
    try("type 9", SSL_CTX_dane_mtype_set(ctx, EVP_sha384(), 9, 3));
    try("record of type 9", SSL_dane_tlsa_add(ssl, 3, 1, 9, data, 48));
    try("switched off", SSL_CTX_dane_mtype_set(ctx, NULL, 1, 3));
    try("record of type 1", SSL_dane_tlsa_add(ssl, 3, 1, 1, data, 32));
    note("flags %lx", SSL_CTX_dane_set_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    note("flags %lx", SSL_CTX_dane_clear_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    note("flags %lx", SSL_CTX_dane_set_flags(ctx, 0));
    note("SSL flags %lx", SSL_dane_set_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    note("SSL flags %lx", SSL_dane_clear_flags(ssl, DANE_FLAG_NO_DANE_EE_NAMECHECKS));
    note("SSL flags %lx", SSL_dane_set_flags(ssl, 0));
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    try("no name", SSL_dane_enable(ssl, NULL));
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    try("empty name", SSL_dane_enable(ssl, ""));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

struct record {
    struct identity **of;
    int usage, selector, mtype;
};

/* A handshake with up to two records; a root the client trusts or not. */
static void connect_with(const char *title, const char *host, bool trust, unsigned long flags,
                         struct record first, struct record second)
{
    SSL_CTX *client_ctx = client_ctx_new(), *server_ctx = server_ctx_new();
    struct pair p;
    uint8_t usage = 99, selector = 99, mtype = 99;
    const unsigned char *data = NULL;
    size_t len = 0;
    X509 *cert = NULL;
    EVP_PKEY *key = NULL;
    int depth;

    section("%s", title);
    identity_use_ctx(leaf, server_ctx);
    REQUIRE(SSL_CTX_dane_enable(client_ctx) == 1);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    if (trust) {
        identity_trust(root, client_ctx);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_dane_enable(p.client, host) == 1);
    SSL_dane_set_flags(p.client, flags);
    note("record %d", add(p.client, (*first.of)->cert, first.usage, first.selector, first.mtype));
    if (second.of != NULL) {
        note("record %d",
             add(p.client, (*second.of)->cert, second.usage, second.selector, second.mtype));
    }
    log_errors("e");
    log_handshake(p.client, p.server);
    depth = SSL_get0_dane_tlsa(p.client, &usage, &selector, &mtype, &data, &len);
    note("result %ld, match at %d: %d %d %d, %zu bytes", SSL_get_verify_result(p.client), depth,
         usage, selector, mtype, mtype == FULL ? 0 : len);
    depth = SSL_get0_dane_authority(p.client, &cert, &key);
    note("authority at %d: certificate %d key %d, chain %d, peer name %s", depth, cert != NULL,
         key != NULL, sk_X509_num(SSL_get0_verified_chain(p.client)),
         SSL_get0_peername(p.client) != NULL ? SSL_get0_peername(p.client) : "(none)");
    pair_free(&p);
}

static void test_matches(void)
{
    static const struct record none;
    static const char *const usages[] = { "PKIX-TA", "PKIX-EE", "DANE-TA", "DANE-EE" };
    struct identity **const of[] = { &root, &leaf, &root, &leaf };
    struct identity **const wrong[] = { &leaf, &root, &leaf, &root };
    char title[100];

    for (int usage = 0; usage < 4; usage++) {
        for (int selector = 0; selector < 2; selector++) {
            for (int mtype = 0; mtype < 3; mtype++) {
                struct record right = { of[usage], usage, selector, mtype };

                for (int trust = 0; trust < 2; trust++) {
                    snprintf(title, sizeof(title), "%s %d %d, root %strusted", usages[usage],
                             selector, mtype, trust ? "" : "not ");
                    connect_with(title, "leaf", trust, 0, right, none);
                }
            }
        }
        {
            struct record bad = { wrong[usage], usage, KEY, BY_SHA256 };
            struct record good = { of[usage], usage, KEY, BY_SHA256 };
            struct record strong = { wrong[usage], usage, KEY, BY_SHA512 };

            snprintf(title, sizeof(title), "%s of another", usages[usage]);
            connect_with(title, "leaf", true, 0, bad, none);
            snprintf(title, sizeof(title), "%s of another and right", usages[usage]);
            connect_with(title, "leaf", true, 0, bad, good);
            snprintf(title, sizeof(title), "%s, the stronger wrong", usages[usage]);
            connect_with(title, "leaf", true, 0, good, strong);
            snprintf(title, sizeof(title), "%s, other name", usages[usage]);
            connect_with(title, "other", true, 0, good, none);
            snprintf(title, sizeof(title), "%s, other name, unchecked", usages[usage]);
            connect_with(title, "other", true, DANE_FLAG_NO_DANE_EE_NAMECHECKS, good, none);
        }
    }
}

/* --- Certificate Transparency --- */

static int ct_answer;

static int judge(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) *scts, void *arg)
{
    note("  judged: %d timestamps, certificate %d, issuer %d, data %s", sk_SCT_num(scts),
         CT_POLICY_EVAL_CTX_get0_cert(ctx) != NULL, CT_POLICY_EVAL_CTX_get0_issuer(ctx) != NULL,
         (const char *)arg);
    return ct_answer;
}

static int own_add(SSL *ssl, unsigned type, const unsigned char **out, size_t *len, int *alert,
                   void *arg)
{
    (void)ssl;
    (void)type;
    (void)out;
    (void)len;
    (void)alert;
    (void)arg;
    return 0;
}

static void test_ct_settings(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);

    section("Certificate Transparency: settings");
    note("enabled %d %d", SSL_CTX_ct_is_enabled(ctx), SSL_ct_is_enabled(ssl));
    try("unknown mode", SSL_enable_ct(ssl, 77));
    try("unknown mode", SSL_CTX_enable_ct(ctx, 77));
    try("permissive", SSL_enable_ct(ssl, SSL_CT_VALIDATION_PERMISSIVE));
    note("enabled %d %d, status type %ld", SSL_CTX_ct_is_enabled(ctx), SSL_ct_is_enabled(ssl),
         (long)SSL_get_tlsext_status_type(ssl));
    try("off", SSL_set_ct_validation_callback(ssl, NULL, NULL));
    note("enabled %d, status type %ld", SSL_ct_is_enabled(ssl),
         (long)SSL_get_tlsext_status_type(ssl));
    try("strict", SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_STRICT));
    note("enabled %d", SSL_CTX_ct_is_enabled(ctx));
    try("own extension", SSL_CTX_add_client_custom_ext(ctx, 18, own_add, NULL, NULL, NULL, NULL));
    try("off", SSL_CTX_set_ct_validation_callback(ctx, NULL, NULL));
    try("own extension", SSL_CTX_add_client_custom_ext(ctx, 18, own_add, NULL, NULL, NULL, NULL));
    try("strict again", SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_STRICT));
    try("on the SSL", SSL_enable_ct(ssl, SSL_CT_VALIDATION_STRICT));
    note("logs %d", SSL_CTX_get0_ctlog_store(ctx) != NULL);
    note("missing list %d", SSL_CTX_set_ctlog_list_file(ctx, "/nonexistent"));
    ERR_clear_error();
    SSL_CTX_set0_ctlog_store(ctx, CTLOG_STORE_new());
    note("peer's timestamps %d", SSL_get0_peer_scts(ssl) != NULL);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static int own_add_ex(SSL *ssl, unsigned type, unsigned context, const unsigned char **out,
                      size_t *len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)ssl;
    (void)cert;
    (void)alert;
    note("  %s writes %u in %x", (const char *)arg, type, context);
    *out = (const unsigned char *)"\0\3abc";
    *len = context == SSL_EXT_CLIENT_HELLO ? 0 : 5;
    return index == 0;
}

static int own_parse_ex(SSL *ssl, unsigned type, unsigned context, const unsigned char *in,
                        size_t len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)ssl;
    (void)in;
    (void)cert;
    (void)index;
    (void)alert;
    note("  %s reads %u in %x: %zu bytes", (const char *)arg, type, context, len);
    return 1;
}

/* Programs that handle the timestamps themselves. */
static void test_own_timestamps(void)
{
    const unsigned where =
        SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE | SSL_EXT_TLS1_2_SERVER_HELLO;
    SSL_CTX *client_ctx = client_ctx_new(), *server_ctx = server_ctx_new();
    struct pair p;

    section("Certificate Transparency: own extension");
    try("client", SSL_CTX_add_custom_ext(client_ctx, 18, where, own_add_ex, NULL, (void *)"client",
                                         own_parse_ex, (void *)"client"));
    try("server", SSL_CTX_add_custom_ext(server_ctx, 18, where, own_add_ex, NULL, (void *)"server",
                                         own_parse_ex, (void *)"server"));
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    log_handshake(p.client, p.server);
    pair_free(&p);
}

static void connect_with_ct(const char *title, int mode, int answer, int verify, bool trust)
{
    SSL_CTX *client_ctx = client_ctx_new(), *server_ctx = server_ctx_new();
    struct pair p;

    section("Certificate Transparency: %s", title);
    ct_answer = answer;
    identity_use_ctx(leaf, server_ctx);
    if (trust) {
        identity_trust(root, client_ctx);
    }
    SSL_CTX_set_verify(client_ctx, verify, NULL);
    if (mode >= 0) {
        SSL_CTX_enable_ct(client_ctx, mode);
    } else {
        SSL_CTX_set_ct_validation_callback(client_ctx, judge, (void *)"data");
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    log_handshake(p.client, p.server);
    note("result %ld, timestamps %d", SSL_get_verify_result(p.client),
         sk_SCT_num(SSL_get0_peer_scts(p.client)));
    pair_free(&p);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root");
    middle = identity_issue(root, KEY_P256, "middle", true);
    leaf = identity_issue(middle, KEY_P256, "leaf", false);
    REQUIRE(root != NULL && middle != NULL && leaf != NULL);
    test_setup();
    test_matches();
    test_ct_settings();
    test_own_timestamps();
    connect_with_ct("permissive", SSL_CT_VALIDATION_PERMISSIVE, 0, SSL_VERIFY_PEER, true);
    connect_with_ct("strict", SSL_CT_VALIDATION_STRICT, 0, SSL_VERIFY_PEER, true);
    connect_with_ct("strict, not verified", SSL_CT_VALIDATION_STRICT, 0, SSL_VERIFY_NONE, false);
    connect_with_ct("callback accepts", -1, 1, SSL_VERIFY_PEER, true);
    connect_with_ct("callback refuses", -1, 0, SSL_VERIFY_PEER, true);
    connect_with_ct("callback fails", -1, -1, SSL_VERIFY_PEER, true);
    identity_free(leaf);
    identity_free(middle);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
