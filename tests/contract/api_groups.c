/*
 * Groups and signature algorithms as numbers and as lists, under every name that the macros have:
 * what is taken, what is refused, what is read back. Manual pages: SSL_CTX_set1_curves(3),
 * SSL_CTX_set1_sigalgs(3), SSL_group_to_name(3), SSL_CTX_set_tmp_ecdh(3).
 */
#include "contract.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <string.h>

/* OpenSSL's macros cast the const of strings and lists away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

static void try(const char *what, long ret)
{
    note("%s: %ld", what, ret);
    log_errors("error");
}

static void log_shared(SSL *ssl)
{
    long count = SSL_get_shared_group(ssl, -1);

    note("  shared %ld, by its older name %ld", count, (long)SSL_get_shared_curve(ssl, -1));
    for (int i = 0; i <= count && i < 12; i++) {
        int nid = (int)SSL_get_shared_group(ssl, i);

        note("    %d %s", nid, nid == 0 ? "none" : OBJ_nid2sn(nid));
        CHECK(nid == (int)SSL_get_shared_curve(ssl, i));
    }
    note("  one that is not there: %ld %ld", (long)SSL_get_shared_group(ssl, 1000),
         (long)SSL_get_shared_group(ssl, -2));
}

static void log_groups_of_peer(SSL *ssl)
{
    int got[64];
    int count = (int)SSL_get1_groups(ssl, NULL);

    note("  peer's groups %d, curves %d", count, (int)SSL_get1_curves(ssl, NULL));
    REQUIRE(count <= 64);
    if (count > 0) {
        CHECK(SSL_get1_groups(ssl, got) == count);
        for (int i = 0; i < count; i++) {
            note("    %x", (unsigned)got[i]);
        }
        CHECK(SSL_get1_curves(ssl, got) == count);
    }
}

/* A handshake with these settings; takes the contexts over. */
static void log_connection(SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
    struct pair p;

    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    log_shared(p.server);
    (void)log_handshake(p.client, p.server);
    log_groups_of_peer(p.server);
    log_groups_of_peer(p.client);
    log_shared(p.server);
    log_shared(p.client);
    note("  negotiated %ld %ld", (long)SSL_get_negotiated_group(p.client),
         (long)SSL_get_negotiated_group(p.server));
    pair_free(&p);
}

static void numbers(void)
{
    static const int good[] = { NID_X9_62_prime256v1, NID_secp384r1, NID_X25519 };
    static const int twice[] = { NID_secp384r1, NID_secp384r1 };
    static const int bad[] = { NID_X9_62_prime256v1, NID_sha256 };
    static const int zero[] = { 0 };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("groups as numbers");
    REQUIRE(ssl != NULL);
    try("CTX groups", SSL_CTX_set1_groups(ctx, good, 3));
    try("CTX curves", SSL_CTX_set1_curves(ctx, good, 2));
    try("SSL groups", SSL_set1_groups(ssl, good, 3));
    try("SSL curves", SSL_set1_curves(ssl, good, 1));
    try("CTX twice", SSL_CTX_set1_groups(ctx, twice, 2));
    try("CTX bad", SSL_CTX_set1_groups(ctx, bad, 2));
    try("CTX zero", SSL_CTX_set1_groups(ctx, zero, 1));
    try("CTX none", SSL_CTX_set1_groups(ctx, good, 0));
    try("SSL none", SSL_set1_groups(ssl, good, 0));
    try("SSL twice", SSL_set1_groups(ssl, twice, 2));
    SSL_free(ssl);
    log_connection(ctx, server_ctx_new());
}

static void lists(void)
{
    static const char *const texts[] = {
        "P-256:P-384", "prime256v1", "X25519", "ffdhe2048:X448", "P-256:P-256", "P-256:",
        ":P-256",      "::",         "",       "nobody",         "p-256",       "P-256 :P-384",
        "P-256,P-384", "?P-256",
    };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("groups as lists");
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        note("'%s'", texts[i]);
        try("  CTX groups", SSL_CTX_set1_groups_list(ctx, texts[i]));
        try("  CTX curves", SSL_CTX_set1_curves_list(ctx, texts[i]));
        try("  SSL groups", SSL_set1_groups_list(ssl, texts[i]));
        try("  SSL curves", SSL_set1_curves_list(ssl, texts[i]));
    }
    try("CTX NULL", SSL_CTX_set1_groups_list(ctx, NULL));
    try("SSL NULL", SSL_set1_groups_list(ssl, NULL));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void names(void)
{
    struct pair p;

    section("names of groups");
    pair_init(&p, OVER_MEMORY, 0);
    for (int id = -1; id <= 0x110; id++) {
        const char *name = SSL_group_to_name(p.client, id);

        if (name != NULL) {
            note("%x %s", (unsigned)id, name);
        }
    }
    for (int i = 0; i < 10; i++) {
        static const int nids[] = {
            NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1, NID_X25519, NID_X448,
            NID_ffdhe2048,        NID_ffdhe8192, NID_secp256k1, NID_sha256, NID_undef
        };
        const char *name = SSL_group_to_name(p.client, nids[i]);

        note("%s: %s", OBJ_nid2sn(nids[i]), name == NULL ? "none" : name);
    }
    for (unsigned id = 0; id <= 0x110; id++) {
        const char *name = SSL_group_to_name(p.client, (int)(TLSEXT_nid_unknown | id));

        if (name != NULL) {
            note("unknown %x %s", id, name);
        }
    }
    log_errors("error");
    pair_free(&p);
}

static void signatures(void)
{
    static const int good[] = { EVP_PKEY_EC, NID_sha256, EVP_PKEY_RSA, NID_sha384 };
    static const int odd[] = { EVP_PKEY_EC, NID_sha256, EVP_PKEY_RSA };
    static const int bad[] = { EVP_PKEY_EC, NID_sha256, NID_sha256, EVP_PKEY_EC };
    static const int twice[] = { EVP_PKEY_EC, NID_sha256, EVP_PKEY_EC, NID_sha256 };
    static const char *const texts[] = {
        "ECDSA+SHA256",
        "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256",
        "RSA+SHA256:RSA+SHA256",
        "RSA+SHA256:",
        ":RSA+SHA256",
        "",
        "RSA",
        "RSA+",
        "+SHA256",
        "RSA+SHA256+SHA1",
        "nobody",
        "rsa+sha256",
        "RSA-PSS+SHA256:PSS+SHA384",
        "ed25519:ed448",
        "DSA+SHA1",
    };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("signature algorithms");
    REQUIRE(ssl != NULL);
    try("CTX", SSL_CTX_set1_sigalgs(ctx, good, 4));
    try("CTX client", SSL_CTX_set1_client_sigalgs(ctx, good, 4));
    try("SSL", SSL_set1_sigalgs(ssl, good, 4));
    try("SSL client", SSL_set1_client_sigalgs(ssl, good, 4));
    try("odd", SSL_CTX_set1_sigalgs(ctx, odd, 3));
    try("bad", SSL_CTX_set1_sigalgs(ctx, bad, 4));
    try("twice", SSL_CTX_set1_sigalgs(ctx, twice, 4));
    try("none", SSL_CTX_set1_sigalgs(ctx, good, 0));
    try("client none", SSL_set1_client_sigalgs(ssl, good, 0));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        note("'%s'", texts[i]);
        try("  CTX", SSL_CTX_set1_sigalgs_list(ctx, texts[i]));
        try("  CTX client", SSL_CTX_set1_client_sigalgs_list(ctx, texts[i]));
        try("  SSL", SSL_set1_sigalgs_list(ssl, texts[i]));
        try("  SSL client", SSL_set1_client_sigalgs_list(ssl, texts[i]));
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void one_curve(void)
{
    EC_KEY *p384 = EC_KEY_new_by_curve_name(NID_secp384r1);
    EC_KEY *no_curve = EC_KEY_new();
    EC_KEY *strange = EC_KEY_new_by_curve_name(NID_brainpoolP320r1);
    SSL_CTX *ctx = server_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("a temporary key for ECDH");
    REQUIRE(p384 != NULL && no_curve != NULL && strange != NULL && ssl != NULL);
    try("automatic CTX", SSL_CTX_set_ecdh_auto(ctx, 1));
    try("automatic SSL", SSL_set_ecdh_auto(ssl, 0));
    try("NULL", SSL_CTX_set_tmp_ecdh(ctx, NULL));
    try("SSL NULL", SSL_set_tmp_ecdh(ssl, NULL));
    try("no curve", SSL_CTX_set_tmp_ecdh(ctx, no_curve));
    try("SSL no curve", SSL_set_tmp_ecdh(ssl, no_curve));
    try("a curve without a group", SSL_set_tmp_ecdh(ssl, strange));
    try("SSL", SSL_set_tmp_ecdh(ssl, p384));
    try("CTX", SSL_CTX_set_tmp_ecdh(ctx, p384));
    SSL_free(ssl);
    log_connection(client_ctx_new(), ctx);
    EC_KEY_free(p384);
    EC_KEY_free(no_curve);
    EC_KEY_free(strange);
}

int main(void)
{
    contract_start();
    numbers();
    lists();
    names();
    signatures();
    one_curve();
    identity_default_free();
    return contract_finish();
}
