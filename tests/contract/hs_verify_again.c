/*
 * A chain that was verified before, again and again, and then under other circumstances: at another
 * time, without its authority, revoked, for another name, with a wrong byte, with functions of the
 * application. What was found right once must not hide what is wrong now, nor what is called.
 * Manual pages: X509_VERIFY_PARAM_set_flags(3), X509_STORE_CTX_set_verify_cb(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <time.h>

#define ROUNDS  4
#define DAY     (24L * 60 * 60)
#define CENTURY (36525L * DAY)

static struct identity *root, *middle, *leaf;

/* --- What is different --- */

static void set_flags(SSL_CTX *ctx, unsigned long flags)
{
    CHECK(X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(ctx), flags) == 1);
}

static void set_time(SSL_CTX *ctx, long offset)
{
    X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(ctx), time(NULL) + offset);
}

static void later(SSL_CTX *ctx)
{
    set_time(ctx, CENTURY);
}

static void earlier(SSL_CTX *ctx)
{
    set_time(ctx, -CENTURY);
}

static void any_time(SSL_CTX *ctx)
{
    set_flags(ctx, X509_V_FLAG_NO_CHECK_TIME);
}

static void another_name(SSL_CTX *ctx)
{
    CHECK(X509_VERIFY_PARAM_set1_host(SSL_CTX_get0_param(ctx), "another.example", 0) == 1);
}

static void no_depth(SSL_CTX *ctx)
{
    SSL_CTX_set_verify_depth(ctx, 0);
}

static void purpose_of_timestamps(SSL_CTX *ctx)
{
    CHECK(X509_VERIFY_PARAM_set_purpose(SSL_CTX_get0_param(ctx), X509_PURPOSE_TIMESTAMP_SIGN) == 1);
}

static void own_signatures(SSL_CTX *ctx)
{
    set_flags(ctx, X509_V_FLAG_CHECK_SS_SIGNATURE);
}

static void strictly(SSL_CTX *ctx)
{
    set_flags(ctx, X509_V_FLAG_X509_STRICT);
}

static void explicit_policy(SSL_CTX *ctx)
{
    set_flags(ctx, X509_V_FLAG_POLICY_CHECK | X509_V_FLAG_EXPLICIT_POLICY);
}

static void high_level(SSL_CTX *ctx)
{
    X509_VERIFY_PARAM_set_auth_level(SSL_CTX_get0_param(ctx), 4);
}

static void without_list(SSL_CTX *ctx)
{
    set_flags(ctx, X509_V_FLAG_CRL_CHECK);
}

/* The intermediate's list, with the leaf on it or not. */
static void add_list(SSL_CTX *ctx, bool revoked)
{
    X509_CRL *crl = X509_CRL_new();
    ASN1_TIME *now = X509_gmtime_adj(NULL, -DAY);
    ASN1_TIME *next = X509_gmtime_adj(NULL, DAY);

    CHECK(X509_CRL_set_issuer_name(crl, X509_get_subject_name(middle->cert)) == 1);
    CHECK(X509_CRL_set1_lastUpdate(crl, now) == 1 && X509_CRL_set1_nextUpdate(crl, next) == 1);
    if (revoked) {
        X509_REVOKED *entry = X509_REVOKED_new();
        CHECK(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(leaf->cert)) == 1);
        CHECK(X509_REVOKED_set_revocationDate(entry, now) == 1);
        CHECK(X509_CRL_add0_revoked(crl, entry) == 1);
    }
    CHECK(X509_CRL_sign(crl, middle->key, EVP_sha256()) > 0);
    CHECK(X509_STORE_add_crl(SSL_CTX_get_cert_store(ctx), crl) == 1);
    set_flags(ctx, X509_V_FLAG_CRL_CHECK);
    X509_CRL_free(crl);
    ASN1_TIME_free(now);
    ASN1_TIME_free(next);
}

static void not_revoked(SSL_CTX *ctx)
{
    add_list(ctx, false);
}

static void revoked(SSL_CTX *ctx)
{
    add_list(ctx, true);
}

static int on_verify(int ok, X509_STORE_CTX *verification)
{
    X509 *issuer = X509_STORE_CTX_get0_current_issuer(verification);
    X509 *current = X509_STORE_CTX_get_current_cert(verification);

    note("    callback: ok %d error %d depth %d, an issuer %d that issued it %d", ok,
         X509_STORE_CTX_get_error(verification), X509_STORE_CTX_get_error_depth(verification),
         issuer != NULL, issuer != NULL && X509_check_issued(issuer, current) == X509_V_OK);
    return ok;
}

static int on_all(X509_STORE_CTX *verification, void *arg)
{
    int answer = X509_verify_cert(verification);

    (void)arg;
    note("    verified: %d error %d depth %d, chain of %d, a current certificate %d, an issuer %d",
         answer, X509_STORE_CTX_get_error(verification),
         X509_STORE_CTX_get_error_depth(verification),
         sk_X509_num(X509_STORE_CTX_get0_chain(verification)),
         X509_STORE_CTX_get_current_cert(verification) != NULL,
         X509_STORE_CTX_get0_current_issuer(verification) != NULL);
    return answer;
}

static int on_signatures(X509_STORE_CTX *verification)
{
    note("    signatures: chain of %d", sk_X509_num(X509_STORE_CTX_get0_chain(verification)));
    return 1;
}

static void callback(SSL_CTX *ctx)
{
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, on_verify);
}

static void callback_of_all(SSL_CTX *ctx)
{
    SSL_CTX_set_cert_verify_callback(ctx, on_all, NULL);
}

static void callback_of_store(SSL_CTX *ctx)
{
    X509_STORE_set_verify_cb(SSL_CTX_get_cert_store(ctx), on_verify);
}

static void signatures_of_store(SSL_CTX *ctx)
{
    X509_STORE_set_verify(SSL_CTX_get_cert_store(ctx), on_signatures);
}

static const struct circumstance {
    const char *name;
    void (*set)(SSL_CTX *ctx);
} circumstances[] = {
    { "in a century", later },
    { "a century ago", earlier },
    { "at any time", any_time },
    { "another name", another_name },
    { "depth 0", no_depth },
    { "another purpose", purpose_of_timestamps },
    { "signatures of the self-signed", own_signatures },
    { "strict", strictly },
    { "a policy", explicit_policy },
    { "a high level", high_level },
    { "without the list of the revoked", without_list },
    { "not revoked", not_revoked },
    { "revoked", revoked },
    { "callback", callback },
    { "callback for all of it", callback_of_all },
    { "callback of the store", callback_of_store },
    { "signatures for the store to judge", signatures_of_store },
};

/* --- Connections --- */

/* The server has cert and, when there is one, an intermediate. */
static void connect_once(X509 *cert, X509 *issuer, const struct identity *trusted,
                         void (*set)(SSL_CTX *ctx))
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    CHECK(SSL_CTX_use_certificate(server_ctx, cert) == 1);
    CHECK(SSL_CTX_use_PrivateKey(server_ctx, leaf->key) == 1);
    CHECK(issuer == NULL || SSL_CTX_add1_chain_cert(server_ctx, issuer) == 1);
    if (trusted != NULL) {
        identity_trust(trusted, client_ctx);
    }
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, NULL);
    if (set != NULL) {
        set(client_ctx);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    bool connected = drive_handshake(p.client, p.server);
    note("  connected %d, result %ld, chain of %d", connected, SSL_get_verify_result(p.client),
         sk_X509_num(SSL_get0_verified_chain(p.client)));
    if (!connected) {
        log_errors("error");
    }
    pair_free(&p);
}

static void connect_often(void)
{
    for (int round = 0; round < ROUNDS; round++) {
        connect_once(leaf->cert, middle->cert, root, NULL);
    }
}

static void test_circumstances(void)
{
    section("as it should be");
    connect_often();
    for (size_t i = 0; i < sizeof(circumstances) / sizeof(circumstances[0]); i++) {
        section("%s", circumstances[i].name);
        for (int round = 0; round < ROUNDS; round++) {
            connect_once(leaf->cert, middle->cert, root, circumstances[i].set);
        }
        connect_once(leaf->cert, middle->cert, root, NULL);
    }
}

/* The certificate with its byte `from_end` bytes before the end changed. */
static X509 *with_wrong_byte(X509 *cert, int from_end)
{
    unsigned char *der = NULL;
    int len = i2d_X509(cert, &der);

    REQUIRE(len > from_end);
    der[len - 1 - from_end] ^= 1;
    const unsigned char *at = der;
    X509 *wrong = d2i_X509(NULL, &at, len);
    REQUIRE(wrong != NULL);
    OPENSSL_free(der);
    return wrong;
}

static void test_others(void)
{
    struct identity *other_root = identity_new(KEY_P256, "again root.example");
    struct identity *other_middle = identity_issue(root, KEY_P256, "again middle.example", true);
    X509 *wrong_leaf = with_wrong_byte(leaf->cert, 0);
    X509 *wrong_middle = with_wrong_byte(middle->cert, 0);

    section("a wrong byte in the leaf's signature");
    for (int round = 0; round < ROUNDS; round++) {
        connect_once(wrong_leaf, middle->cert, root, NULL);
    }
    section("a wrong byte in the intermediate's signature");
    for (int round = 0; round < ROUNDS; round++) {
        connect_once(leaf->cert, wrong_middle, root, NULL);
    }
    section("an intermediate of the same name with another key");
    for (int round = 0; round < ROUNDS; round++) {
        connect_once(leaf->cert, other_middle->cert, root, NULL);
    }
    section("a root of the same name with another key");
    for (int round = 0; round < ROUNDS; round++) {
        connect_once(leaf->cert, middle->cert, other_root, NULL);
    }
    section("nothing is trusted");
    connect_once(leaf->cert, middle->cert, NULL, NULL);
    section("no intermediate");
    connect_once(leaf->cert, NULL, root, NULL);
    section("as it should be, after all");
    connect_often();
    X509_free(wrong_middle);
    X509_free(wrong_leaf);
    identity_free(other_middle);
    identity_free(other_root);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "again root.example");
    middle = identity_issue(root, KEY_P256, "again middle.example", true);
    leaf = identity_issue(middle, KEY_P256, "again leaf.example", false);
    test_circumstances();
    test_others();
    identity_free(leaf);
    identity_free(middle);
    identity_free(root);
    return contract_finish();
}
