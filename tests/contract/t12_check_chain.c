/*
 * Which certificate of its own a TLS 1.2 endpoint finds good enough: what SSL_check_chain(3) says
 * of it at every moment, and which a server takes (key usage, the client's curves and signature
 * algorithms, strict mode, Suite B). RFC 5246, 7.4.2 and 7.4.4; RFC 8422, 5.3; RFC 6460.
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define NUM_KINDS (KEY_ED448 + 1)

static struct identity *root;   /* P-256 */
static struct identity *middle; /* P-384, by root */
static struct identity *by_chain[NUM_KINDS];
static struct identity *by_itself[NUM_KINDS];
static STACK_OF(X509) *chain; /* middle alone */

static void make_identities(void)
{
    root = identity_new(KEY_P256, "root");
    middle = identity_issue(root, KEY_P384, "middle", true);
    chain = sk_X509_new_null();
    REQUIRE(chain != NULL && sk_X509_push(chain, middle->cert) > 0);
    for (int kind = 0; kind < NUM_KINDS; kind++) {
        by_chain[kind] = identity_issue(middle, (enum key_kind)kind, "localhost", false);
        by_itself[kind] = identity_new((enum key_kind)kind, "localhost");
    }
}

static void free_identities(void)
{
    for (int kind = 0; kind < NUM_KINDS; kind++) {
        identity_free(by_chain[kind]);
        identity_free(by_itself[kind]);
    }
    sk_X509_free(chain);
    identity_free(middle);
    identity_free(root);
}

/* --- SSL_check_chain --- */

static void log_checks(SSL *ssl, const char *when)
{
    for (int kind = 0; kind < NUM_KINDS; kind++) {
        note("%s, %s: kind %d alone %x, without chain %x, with it %x", ssl_get_name(ssl), when,
             kind,
             (unsigned)SSL_check_chain(ssl, by_itself[kind]->cert, by_itself[kind]->key, NULL),
             (unsigned)SSL_check_chain(ssl, by_chain[kind]->cert, by_chain[kind]->key, NULL),
             (unsigned)SSL_check_chain(ssl, by_chain[kind]->cert, by_chain[kind]->key, chain));
    }
    note("%s, %s: none %d, no key %d", ssl_get_name(ssl), when,
         SSL_check_chain(ssl, NULL, NULL, NULL),
         SSL_check_chain(ssl, by_itself[KEY_P256]->cert, NULL, NULL));
}

static int on_cert(SSL *ssl, void *arg)
{
    (void)arg;
    log_checks(ssl, "cert_cb");
    return 1;
}

static int on_name(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    (void)arg;
    log_checks(ssl, "servername callback");
    return SSL_TLSEXT_ERR_OK;
}

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

    (void)ok;
    if (X509_STORE_CTX_get_error_depth(ctx) == 0) {
        log_checks(ssl, "verify callback");
    }
    return 1;
}

static int on_verify_any(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

struct setting {
    const char *title;
    const char *client_sigalgs;
    const char *server_sigalgs;
    const char *client_groups;
    unsigned flags;
    bool names;
    int level;
};

static void check_at_all_moments(const struct setting *setting)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("check_chain: %s", setting->title);
    if (setting->client_sigalgs != NULL) {
        REQUIRE(SSL_CTX_set1_sigalgs_list(client_ctx, (uintptr_t)setting->client_sigalgs) == 1);
    }
    if (setting->server_sigalgs != NULL) {
        REQUIRE(SSL_CTX_set1_sigalgs_list(server_ctx, (uintptr_t)setting->server_sigalgs) == 1);
    }
    if (setting->client_groups != NULL) {
        REQUIRE(SSL_CTX_set1_groups_list(client_ctx, (uintptr_t)setting->client_groups) == 1);
    }
    (void)SSL_CTX_set_cert_flags(client_ctx, setting->flags);
    (void)SSL_CTX_set_cert_flags(server_ctx, setting->flags);
    SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, on_verify);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, on_verify);
    if (setting->names) {
        REQUIRE(SSL_CTX_add_client_CA(server_ctx, root->cert) == 1);
    }
    identity_use_ctx(by_chain[KEY_P256], client_ctx);
    SSL_CTX_set_cert_cb(client_ctx, on_cert, NULL);
    SSL_CTX_set_cert_cb(server_ctx, on_cert, NULL);
    REQUIRE(SSL_CTX_set_tlsext_servername_callback(server_ctx, on_name) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_certs_clear(p.server);
    identity_use_ssl(by_chain[KEY_P256], p.server);
    identity_use_ssl(by_chain[KEY_RSA], p.server);
    SSL_set_security_level(p.client, setting->level);
    SSL_set_security_level(p.server, setting->level);
    log_checks(p.client, "before");
    log_checks(p.server, "before");
    (void)log_handshake(p.client, p.server);
    log_checks(p.client, "after");
    log_checks(p.server, "after");
    pair_free(&p);
}

static void test_check_chain(void)
{
    static const struct setting settings[] = {
        { "defaults", NULL, NULL, NULL, 0, false, 1 },
        { "names of authorities", NULL, NULL, NULL, 0, true, 1 },
        { "ECDSA with SHA-256 alone", "ECDSA+SHA256", "ECDSA+SHA256", NULL, 0, false, 1 },
        { "the client ECDSA alone", "ECDSA+SHA256:ECDSA+SHA384", NULL, NULL, 0, false, 1 },
        { "the server RSA alone", NULL, "RSA+SHA256:RSA-PSS+SHA256", NULL, 0, false, 1 },
        { "curves", NULL, NULL, "X25519:P-256", 0, false, 1 },
        { "strict", NULL, NULL, NULL, SSL_CERT_FLAG_TLS_STRICT, false, 1 },
        { "strict, names", NULL, NULL, NULL, SSL_CERT_FLAG_TLS_STRICT, true, 1 },
        { "strict, ECDSA with SHA-384 alone", "ECDSA+SHA384", NULL, NULL, SSL_CERT_FLAG_TLS_STRICT,
          false, 1 },
        { "strict, RSA alone", "RSA+SHA256:RSA+SHA384", NULL, NULL, SSL_CERT_FLAG_TLS_STRICT, false,
          1 },
        { "strict, curves", NULL, NULL, "X25519:P-256", SSL_CERT_FLAG_TLS_STRICT, false, 1 },
        { "Suite B", NULL, NULL, NULL, SSL_CERT_FLAG_SUITEB_128_LOS, false, 1 },
        { "Suite B, 128 bits alone", NULL, NULL, NULL, SSL_CERT_FLAG_SUITEB_128_LOS_ONLY, false,
          1 },
        { "Suite B, 192 bits", NULL, NULL, NULL, SSL_CERT_FLAG_SUITEB_192_LOS, false, 1 },
        { "level 3", NULL, NULL, NULL, 0, false, 3 },
        { "level 0, SHA-1 alone", "ECDSA+SHA1:RSA+SHA1", NULL, NULL, 0, false, 0 },
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        check_at_all_moments(&settings[i]);
    }
}

/* --- What a server takes --- */

static void run(struct pair *p)
{
    if (log_handshake(p->client, p->server)) {
        X509 *cert = SSL_get0_peer_certificate(p->client);
        EVP_PKEY *key = cert != NULL ? X509_get0_pubkey(cert) : NULL;
        int digest = 0;

        (void)SSL_get_peer_signature_nid(p->client, &digest);
        note("%s, %s key, digest %d", SSL_get_cipher_name(p->client),
             key != NULL ? EVP_PKEY_get0_type_name(key) : "no", digest);
    }
    pair_free(p);
}

static void test_strict_choice(void)
{
    static const unsigned flags[] = { 0, SSL_CERT_FLAG_TLS_STRICT, SSL_CERT_FLAG_SUITEB_128_LOS,
                                      SSL_CERT_FLAG_SUITEB_192_LOS };
    static const char *const sigalgs[] = { NULL, "ECDSA+SHA256:RSA+SHA256", "ECDSA+SHA384",
                                           "RSA+SHA384", "ed25519:RSA+SHA256" };

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
        for (size_t k = 0; k < sizeof(sigalgs) / sizeof(sigalgs[0]); k++) {
            for (int kind = 0; kind < NUM_KINDS; kind++) {
                struct pair p;

                section("server's flags %x, client's signature algorithms %s, kind %d", flags[i],
                        sigalgs[k] != NULL ? sigalgs[k] : "default", kind);
                pair_init(&p, OVER_MEMORY, 0);
                (void)SSL_set_cert_flags(p.server, flags[i]);
                SSL_certs_clear(p.server);
                identity_use_ssl(kind % 2 == 0 ? by_chain[kind] : by_itself[kind], p.server);
                if (sigalgs[k] != NULL) {
                    REQUIRE(SSL_set1_sigalgs_list(p.client, (uintptr_t)sigalgs[k]) == 1);
                }
                run(&p);
            }
        }
    }
}

static void test_strict_client(void)
{
    static const unsigned flags[] = { 0, SSL_CERT_FLAG_TLS_STRICT, SSL_CERT_FLAG_SUITEB_128_LOS };
    static const char *const sigalgs[] = { NULL, "ECDSA+SHA384:RSA+SHA384" };

    for (size_t i = 0; i < 2 * sizeof(flags) / sizeof(flags[0]); i++) {
        for (int kind = 0; kind < NUM_KINDS; kind++) {
            struct pair p;

            section("client's flags %x, server's signature algorithms %s, kind %d", flags[i / 2],
                    sigalgs[i % 2] != NULL ? sigalgs[i % 2] : "default", kind);
            pair_init(&p, OVER_MEMORY, 0);
            (void)SSL_set_cert_flags(p.client, flags[i / 2]);
            SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
            SSL_set_verify_depth(p.server, 4);
            identity_trust(root, p.server_ctx);
            identity_trust(by_itself[kind], p.server_ctx);
            if (sigalgs[i % 2] != NULL) {
                REQUIRE(SSL_set1_client_sigalgs_list(p.server, (uintptr_t)sigalgs[i % 2]) == 1);
            }
            REQUIRE(SSL_add_client_CA(p.server, root->cert) == 1);
            identity_use_ssl(kind % 2 == 0 ? by_chain[kind] : by_itself[kind], p.client);
            run(&p);
        }
    }
}

/* --- Key usage --- */

static X509 *with_usage(const struct identity *identity, const char *usage)
{
    X509 *cert = X509_dup(identity->cert);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
    int at = X509_get_ext_by_NID(cert, NID_key_usage, -1);

    REQUIRE(cert != NULL && extension != NULL);
    if (at >= 0) {
        X509_EXTENSION_free(X509_delete_ext(cert, at));
    }
    REQUIRE(X509_add_ext(cert, extension, -1) == 1);
    REQUIRE(X509_sign(cert, identity->key,
                      EVP_PKEY_is_a(identity->key, "ED25519") ? NULL : EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    return cert;
}

static void test_key_usage(void)
{
    static const enum key_kind kinds[] = { KEY_P256, KEY_RSA, KEY_RSA_PSS, KEY_ED25519 };
    static const char *const usages[] = { "digitalSignature", "keyEncipherment", "keyAgreement",
                                          "digitalSignature,keyEncipherment", "keyCertSign" };
    static const char *const suites[] = { "DEFAULT", "ECDHE:DHE", "kRSA" };

    for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
        for (size_t i = 0; i < 15; i++) {
            X509 *cert = with_usage(by_itself[kinds[k]], usages[i % 5]);

            for (int as_client = 0; as_client < 2; as_client++) {
                struct pair p;
                SSL *of;

                section("%s, kind %d, %s, %s", as_client ? "client" : "server", (int)kinds[k],
                        usages[i % 5], suites[i / 5]);
                pair_init(&p, OVER_MEMORY, 0);
                of = as_client ? p.client : p.server;
                (void)SSL_set_dh_auto(p.server, 1);
                SSL_certs_clear(p.server);
                identity_use_ssl(by_itself[KEY_RSA], p.server);
                if (!as_client) {
                    SSL_certs_clear(p.server);
                }
                REQUIRE(SSL_use_certificate(of, cert) == 1);
                REQUIRE(SSL_use_PrivateKey(of, by_itself[kinds[k]]->key) == 1);
                SSL_set_verify(p.server, as_client ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                               on_verify_any);
                REQUIRE(SSL_set_cipher_list(p.client, suites[i / 5]) == 1);
                run(&p);
            }
            X509_free(cert);
        }
    }
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    make_identities();
    test_check_chain();
    test_strict_choice();
    test_strict_client();
    test_key_usage();
    free_identities();
    identity_default_free();
    return contract_finish();
}
