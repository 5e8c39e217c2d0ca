/*
 * Security levels 0 to 5 over TLS 1.2: which keys, signatures, parameters of DHE and suites each
 * level leaves, on either side. SSL_CTX_set_security_level(3).
 */
#include "contract.h"

#include <openssl/dh.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define HIGHEST_LEVEL 5

static const struct {
    enum key_kind kind;
    const char *name;
} kinds[] = {
    { KEY_RSA_1024, "RSA of 1024 bits" },
    { KEY_RSA, "RSA of 2048 bits" },
    { KEY_P256, "P-256" },
    { KEY_P521, "P-521" },
    { KEY_ED448, "Ed448" },
    { KEY_DSA_1024, "DSA of 1024 bits" },
    { KEY_DSA, "DSA of 2048 bits" },
};

#define NUM_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static struct identity *keys[NUM_KINDS];

/* Both sides at level 0 with every suite; the server has only this key, whose certificate the
 * client trusts. */
static void prepare(struct pair *p, const struct identity *identity)
{
    SSL_CTX *client_ctx = client_ctx_new();

    identity_trust(identity, client_ctx);
    pair_init_ctx(p, client_ctx, server_ctx_new(), OVER_MEMORY, 0);
    SSL_set_verify(p->client, SSL_VERIFY_PEER, NULL);
    REQUIRE(SSL_set_cipher_list(p->client, "ALL:eNULL:@SECLEVEL=0") == 1);
    REQUIRE(SSL_set_cipher_list(p->server, "ALL:eNULL:@SECLEVEL=0") == 1);
    SSL_certs_clear(p->server);
    identity_use_ssl(identity, p->server);
    (void)SSL_set_dh_auto(p->server, 1);
}

/* Whether it came to a connection; what names the failure may differ. */
static void log_outcome(struct pair *p)
{
    bool done;
    char *lines;

    log_capture_begin();
    done = log_handshake(p->client, p->server);
    lines = log_capture_end();
    if (done) {
        EVP_PKEY *key = NULL;
        int digest = 0;

        (void)SSL_get_peer_signature_nid(p->client, &digest);
        (void)SSL_get_peer_tmp_key(p->client, &key);
        note("  %s, digest %d, ephemeral %d bits", SSL_get_cipher_name(p->client), digest,
             key == NULL ? 0 : EVP_PKEY_get_bits(key));
        EVP_PKEY_free(key);
    } else {
        for (char *at = lines; *at != '\0'; at++) {
            *at = *at == '\n' ? ';' : *at;
        }
        note("  no connection, verified %ld", SSL_get_verify_result(p->client));
        log_difference("hs-security-reason", "%s", lines);
    }
    free(lines);
}

static void test_keys(void)
{
    for (size_t i = 0; i < NUM_KINDS; i++) {
        section("%s", kinds[i].name);
        for (int level = 0; level <= HIGHEST_LEVEL; level++) {
            for (int server = 0; server < 2; server++) {
                struct pair p;

                note("level %d at the %s", level, server != 0 ? "server" : "client");
                prepare(&p, keys[i]);
                SSL_set_security_level(server != 0 ? p.server : p.client, level);
                log_outcome(&p);
                pair_free(&p);
            }
        }
    }
}

/* The key exchange signed with SHA-1 or SHA-224: 64 and 112 bits. */
static void test_digests(void)
{
    static const struct {
        size_t kind;
        const char *sigalgs;
    } rows[] = { { 1, "RSA+SHA1" },     { 1, "RSA+SHA224" }, { 2, "ECDSA+SHA1" },
                 { 2, "ECDSA+SHA224" }, { 6, "DSA+SHA1" },   { 1, "RSA-PSS+SHA256" },
                 { 3, "ECDSA+SHA384" } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        section("%s", rows[i].sigalgs);
        for (int level = 0; level <= HIGHEST_LEVEL; level++) {
            for (int server = 0; server < 2; server++) {
                struct pair p;

                note("level %d at the %s", level, server != 0 ? "server" : "client");
                prepare(&p, keys[rows[i].kind]);
                note("  lists %d %d",
                     (int)SSL_set1_sigalgs_list(p.client, (uintptr_t)rows[i].sigalgs),
                     (int)SSL_set1_sigalgs_list(p.server, (uintptr_t)rows[i].sigalgs));
                SSL_set_security_level(server != 0 ? p.server : p.client, level);
                log_outcome(&p);
                pair_free(&p);
            }
        }
    }
}

/* Parameters of that many bits, of the groups that RFC 5114 and RFC 3526 name. */
static EVP_PKEY *dh_of(const char *name)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *key = NULL;

    REQUIRE(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1);
    REQUIRE(EVP_PKEY_CTX_set_group_name(ctx, name) == 1);
    REQUIRE(EVP_PKEY_keygen(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void dhe(const char *group, int level, bool server)
{
    struct pair p;

    note("level %d at the %s", level, server ? "server" : "client");
    prepare(&p, keys[1]);
    REQUIRE(SSL_set_cipher_list(p.client, "kDHE+AES256:@SECLEVEL=0") == 1);
    SSL_set_security_level(server ? p.server : p.client, level);
    if (group != NULL) {
        EVP_PKEY *key = dh_of(group);
        int set;

        (void)SSL_set_dh_auto(p.server, 0);
        set = SSL_set0_tmp_dh_pkey(p.server, key);
        note("  parameters %d", set);
        log_errors("error");
        if (set != 1) {
            EVP_PKEY_free(key);
        }
    }
    log_outcome(&p);
    pair_free(&p);
}

static void test_dhe(void)
{
    static const char *const groups[] = { NULL, "dh_1024_160", "modp_1536", "ffdhe2048",
                                          "ffdhe3072" };

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        section("DHE, %s", groups[i] == NULL ? "automatic" : groups[i]);
        for (int level = 0; level <= HIGHEST_LEVEL; level++) {
            dhe(groups[i], level, false);
            dhe(groups[i], level, true);
        }
    }
}

/* What each level leaves of every suite, and a handshake with some that it may not. */
static void test_suites(void)
{
    static const char *const suites[] = {
        "NULL-SHA256",          "ADH-AES128-SHA", "AECDH-AES256-SHA", "AES128-SHA",
        "ECDHE-RSA-AES128-SHA", "AES256-CCM8",    "NULL-MD5",         "ECDHE-RSA-AES256-GCM-SHA384",
        "AES256-GCM-SHA384"
    };

    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        section("%s", suites[i]);
        for (int level = 0; level <= HIGHEST_LEVEL; level++) {
            for (int server = 0; server < 2; server++) {
                struct pair p;

                note("level %d at the %s", level, server != 0 ? "server" : "client");
                prepare(&p, keys[1]);
                SSL_set_verify(p.client, SSL_VERIFY_NONE, NULL);
                REQUIRE(SSL_set_cipher_list(p.client, suites[i]) == 1);
                SSL_set_security_level(server != 0 ? p.server : p.client, level);
                log_outcome(&p);
                pair_free(&p);
            }
        }
    }
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    for (size_t i = 0; i < NUM_KINDS; i++) {
        keys[i] = identity_new(kinds[i].kind, "localhost");
    }
    test_keys();
    test_digests();
    test_dhe();
    test_suites();
    for (size_t i = 0; i < NUM_KINDS; i++) {
        identity_free(keys[i]);
    }
    identity_default_free();
    return contract_finish();
}
