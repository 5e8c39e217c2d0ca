/*
 * TLS 1.2's full handshakes: every suite with every kind of key, what each negotiates and how long
 * its records are; parameters of DHE; groups; the server's choice of suite. RFC 5246, 7.3.
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>

static const char *const suites[] = {
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
    "DHE-RSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-RSA-CHACHA20-POLY1305",
    "DHE-RSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "DHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-SHA384",
    "ECDHE-RSA-AES256-SHA384",
    "DHE-RSA-AES256-SHA256",
    "ECDHE-ECDSA-AES128-SHA256",
    "ECDHE-RSA-AES128-SHA256",
    "DHE-RSA-AES128-SHA256",
    "ECDHE-ECDSA-AES256-SHA",
    "ECDHE-RSA-AES256-SHA",
    "DHE-RSA-AES256-SHA",
    "ECDHE-ECDSA-AES128-SHA",
    "ECDHE-RSA-AES128-SHA",
    "DHE-RSA-AES128-SHA",
    "AES256-GCM-SHA384",
    "AES128-GCM-SHA256",
    "AES256-SHA256",
    "AES128-SHA256",
    "AES256-SHA",
    "AES128-SHA",
};

static const struct {
    enum key_kind kind;
    const char *name;
} kinds[] = {
    { KEY_P256, "P-256" },  { KEY_P384, "P-384" },      { KEY_P521, "P-521" },
    { KEY_RSA, "RSA" },     { KEY_RSA_PSS, "RSA-PSS" }, { KEY_ED25519, "Ed25519" },
    { KEY_ED448, "Ed448" },
};

#define NUM_SUITES (sizeof(suites) / sizeof(suites[0]))
#define NUM_KINDS  (sizeof(kinds) / sizeof(kinds[0]))

static struct identity *keys[NUM_KINDS];

static const struct identity *key_of(enum key_kind kind)
{
    for (size_t i = 0; i < NUM_KINDS; i++) {
        if (kinds[i].kind == kind) {
            return keys[i];
        }
    }
    return NULL;
}

/* Both sides of a connection whose server has exactly this key. */
static void prepare(struct pair *p, enum key_kind kind, const char *ciphers)
{
    pair_init(p, OVER_WIRE, 0);
    SSL_certs_clear(p->server);
    identity_use_ssl(key_of(kind), p->server);
    (void)SSL_set_dh_auto(p->server, 1);
    if (ciphers != NULL) {
        REQUIRE(SSL_set_cipher_list(p->client, ciphers) == 1);
    }
}

static void log_parameters(const struct pair *p)
{
    EVP_PKEY *key = NULL;
    int digest = 0;
    int type = 0;

    if (SSL_get_peer_tmp_key(p->client, &key) == 1) {
        note("  ephemeral %s %d", EVP_PKEY_get0_type_name(key), EVP_PKEY_get_bits(key));
        EVP_PKEY_free(key);
    }
    (void)SSL_get_peer_signature_nid(p->client, &digest);
    (void)SSL_get_peer_signature_type_nid(p->client, &type);
    note("  %s, signed with %d %d, EMS %d %d, group %d", SSL_get_cipher(p->client), digest, type,
         (int)SSL_get_extms_support(p->client), (int)SSL_get_extms_support(p->server),
         (int)SSL_get_negotiated_group(p->client));
}

/* Records of data in both directions, of lengths around the blocks of CBC. */
static void log_records(struct pair *p)
{
    static const size_t lens[] = { 1, 15, 16, 31, 32, 100 };
    uint8_t data[100];

    pattern_fill(data, sizeof(data), 1);
    wire_records_reset(p->wire, WIRE_CLIENT);
    wire_records_reset(p->wire, WIRE_SERVER);
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        CHECK(drive_transfer(p->client, p->server, data, lens[i]) == lens[i]);
        CHECK(drive_transfer(p->server, p->client, data, lens[i]) == lens[i]);
    }
    wire_records_log(p->wire, WIRE_CLIENT);
    wire_records_log(p->wire, WIRE_SERVER);
}

static void test_suites(void)
{
    for (size_t i = 0; i < NUM_SUITES; i++) {
        section("%s", suites[i]);
        for (size_t j = 0; j < NUM_KINDS; j++) {
            struct pair p;

            note("with %s", kinds[j].name);
            prepare(&p, kinds[j].kind, suites[i]);
            if (log_handshake(p.client, p.server)) {
                log_parameters(&p);
                log_records(&p);
            }
            pair_free(&p);
        }
    }
}

static void options(const char *title, const char *ciphers, uint64_t client, uint64_t server)
{
    struct pair p;

    section("%s, %s", title, ciphers);
    prepare(&p, KEY_RSA, ciphers);
    (void)SSL_set_options(p.client, client);
    (void)SSL_set_options(p.server, server);
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
        log_records(&p);
    }
    pair_free(&p);
}

static void test_options(void)
{
    static const char *const of[] = { "ECDHE-RSA-AES256-SHA384", "DHE-RSA-AES128-SHA",
                                      "AES128-SHA256", "ECDHE-RSA-AES128-GCM-SHA256",
                                      "ECDHE-RSA-CHACHA20-POLY1305" };

    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        options("client without EtM", of[i], SSL_OP_NO_ENCRYPT_THEN_MAC, 0);
        options("server without EtM", of[i], 0, SSL_OP_NO_ENCRYPT_THEN_MAC);
        options("client without EMS", of[i], SSL_OP_NO_EXTENDED_MASTER_SECRET, 0);
        options("server without EMS", of[i], 0, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    }
}

/* Long data: records of the maximum, and of a split length. */
static void test_long_data(void)
{
    static const char *const of[] = { "ECDHE-RSA-AES256-SHA384", "AES128-SHA",
                                      "ECDHE-RSA-AES128-GCM-SHA256",
                                      "ECDHE-RSA-CHACHA20-POLY1305" };
    uint8_t *data = pattern_new(50000, 9);

    for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
        struct pair p;

        section("50000 bytes, %s", of[i]);
        prepare(&p, KEY_RSA, of[i]);
        REQUIRE(SSL_set_max_send_fragment(p.server, 512) == 1);
        CHECK(drive_handshake(p.client, p.server));
        wire_records_reset(p.wire, WIRE_CLIENT);
        wire_records_reset(p.wire, WIRE_SERVER);
        CHECK(drive_transfer(p.client, p.server, data, 50000) == 50000);
        CHECK(drive_transfer(p.server, p.client, data, 5000) == 5000);
        wire_records_log(p.wire, WIRE_CLIENT);
        wire_records_log(p.wire, WIRE_SERVER);
        pair_free(&p);
    }
    free(data);
}

static void test_groups(void)
{
    static const char *const groups[] = { "X25519",          "P-256",     "P-384",
                                          "P-521",           "X448",      "brainpoolP256r1",
                                          "brainpoolP384r1", "secp256k1", "P-521:P-256",
                                          "ffdhe2048" };

    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct pair p;

        section("group %s", groups[i]);
        prepare(&p, KEY_RSA, "ECDHE-RSA-AES128-GCM-SHA256");
        note("set %d", (int)SSL_set1_groups_list(p.client, (uintptr_t)groups[i]));
        note("set %d", (int)SSL_set1_groups_list(p.server, (uintptr_t)groups[i]));
        log_errors("error");
        if (log_handshake(p.client, p.server)) {
            log_parameters(&p);
        }
        pair_free(&p);
        prepare(&p, KEY_RSA, "ECDHE-RSA-AES128-GCM-SHA256");
        note("the client's alone: set %d",
             (int)SSL_set1_groups_list(p.client, (uintptr_t)groups[i]));
        log_errors("error");
        if (log_handshake(p.client, p.server)) {
            log_parameters(&p);
        }
        pair_free(&p);
    }
}

/* The key's own curve must be among the client's groups. */
static void test_curve_of_key(void)
{
    static const enum key_kind of[] = { KEY_P256, KEY_P384, KEY_P521 };
    static const char *const groups[] = { "X25519", "X25519:P-256", "X25519:P-384",
                                          "X25519:P-521" };

    for (size_t i = 0; i < 3; i++) {
        for (size_t j = 0; j < 4; j++) {
            struct pair p;

            section("key %zu, client's groups %s", i, groups[j]);
            prepare(&p, of[i], NULL);
            REQUIRE(SSL_set1_groups_list(p.client, (uintptr_t)groups[j]) == 1);
            if (log_handshake(p.client, p.server)) {
                log_parameters(&p);
            }
            pair_free(&p);
        }
    }
}

/* type: "DH", or "DHX" for the form of X9.42, which `openssl dhparam -dsaparam` writes. */
static EVP_PKEY *dh_parameters_of(const char *type, const char *group)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string("group", (char *)(uintptr_t)group, 0),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY *key = NULL;

    REQUIRE(ctx != NULL && EVP_PKEY_paramgen_init(ctx) == 1);
    REQUIRE(EVP_PKEY_CTX_set_params(ctx, params) == 1 && EVP_PKEY_generate(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *dh_parameters(const char *group)
{
    return dh_parameters_of("DH", group);
}

static void dhe(const char *title, int automatic, const char *group, const char *suite)
{
    struct pair p;

    section("DHE: %s", title);
    prepare(&p, KEY_RSA, suite);
    note("auto %d", (int)SSL_set_dh_auto(p.server, automatic));
    if (group != NULL) {
        EVP_PKEY *parameters = dh_parameters(group);
        int ret = SSL_set0_tmp_dh_pkey(p.server, parameters);

        note("set %d", ret);
        log_errors("error");
        if (ret != 1) {
            EVP_PKEY_free(parameters);
        }
    }
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
        log_alive(p.client, p.server);
    }
    pair_free(&p);
}

static void test_dhe(void)
{
    static const char *const suite = "DHE-RSA-AES128-GCM-SHA256";

    dhe("automatic", 1, NULL, suite);
    dhe("automatic, AES-256", 1, NULL, "DHE-RSA-AES256-GCM-SHA384");
    dhe("automatic 2", 2, NULL, suite);
    dhe("none", 0, NULL, suite);
    dhe("ffdhe2048", 0, "ffdhe2048", suite);
    dhe("ffdhe3072", 0, "ffdhe3072", suite);
    dhe("modp_2048", 0, "modp_2048", suite);
    dhe("given and automatic", 1, "ffdhe3072", suite);
    dhe("dh_1024_160", 0, "dh_1024_160", suite);
    dhe("dh_2048_256", 0, "dh_2048_256", suite);
}

static void test_x942(void)
{
    for (int old = 0; old < 2; old++) {
        EVP_PKEY *parameters = dh_parameters_of("DHX", "dh_2048_256");
        struct pair p;

        section("DHE: parameters in the form of X9.42, %s", old ? "as a DH" : "as an EVP_PKEY");
        prepare(&p, KEY_RSA, "DHE-RSA-AES128-GCM-SHA256");
        (void)SSL_set_dh_auto(p.server, 0);
        if (old) {
            note("set %d", (int)SSL_set_tmp_dh(p.server, (uintptr_t)EVP_PKEY_get0_DH(parameters)));
            EVP_PKEY_free(parameters);
        } else {
            note("set %d", SSL_set0_tmp_dh_pkey(p.server, parameters));
        }
        if (log_handshake(p.client, p.server)) {
            log_parameters(&p);
            log_alive(p.client, p.server);
        }
        pair_free(&p);
    }
}

/* Level 0 on one side lets it use short parameters, which the other side refuses. */
static void test_short_dhe(void)
{
    struct pair p;

    section("DHE of 1024 bits: the server is at level 0");
    prepare(&p, KEY_RSA, "DHE-RSA-AES128-GCM-SHA256");
    SSL_set_security_level(p.server, 0);
    note("set %d", SSL_set0_tmp_dh_pkey(p.server, dh_parameters("dh_1024_160")));
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
    }
    pair_free(&p);
    section("both are");
    prepare(&p, KEY_RSA, "DHE-RSA-AES128-GCM-SHA256");
    SSL_set_security_level(p.server, 0);
    SSL_set_security_level(p.client, 0);
    note("set %d", SSL_set0_tmp_dh_pkey(p.server, dh_parameters("dh_1024_160")));
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
    }
    pair_free(&p);
}

static void choice(const char *title, const char *client, const char *server, uint64_t flags,
                   enum key_kind kind, bool second_key)
{
    struct pair p;

    section("choice: %s", title);
    prepare(&p, kind, client);
    if (second_key) {
        identity_use_ssl(key_of(KEY_P256), p.server);
    }
    REQUIRE(SSL_set_cipher_list(p.server, server) == 1);
    (void)SSL_set_options(p.server, flags);
    if (log_handshake(p.client, p.server)) {
        log_parameters(&p);
    }
    pair_free(&p);
}

static void test_choice(void)
{
    const uint64_t preference = SSL_OP_CIPHER_SERVER_PREFERENCE;
    const uint64_t chacha = SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA;
    static const char *const two = "AES128-GCM-SHA256:AES256-GCM-SHA384";
    static const char *const owt = "AES256-GCM-SHA384:AES128-GCM-SHA256";
    static const char *const mixed = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256";
    static const char *const chacha_first =
        "ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384";
    static const char *const chacha_last =
        "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305";

    choice("client's order", two, owt, 0, KEY_RSA, false);
    choice("server's order", two, owt, preference, KEY_RSA, false);
    choice("chacha, client's first", chacha_first, chacha_last, chacha, KEY_RSA, false);
    choice("chacha, client's last", chacha_last, chacha_last, chacha, KEY_RSA, false);
    choice("two keys", mixed, mixed, 0, KEY_RSA, true);
    choice("two keys, server's order", "DEFAULT", mixed, preference, KEY_RSA, true);
    choice("RSA suites, ECDSA key", two, "DEFAULT", 0, KEY_P256, false);
    choice("RSA suites, PSS key", two, "DEFAULT", 0, KEY_RSA_PSS, false);
    choice("default, RSA", "DEFAULT", "DEFAULT", 0, KEY_RSA, false);
    choice("default, PSS", "DEFAULT", "DEFAULT", 0, KEY_RSA_PSS, false);
    choice("default, Ed448", "DEFAULT", "DEFAULT", 0, KEY_ED448, false);
    choice("default, two keys", "DEFAULT", "DEFAULT", 0, KEY_RSA, true);
    choice("DHE before ECDHE", "DHE-RSA-AES128-SHA:ECDHE-RSA-AES128-SHA", "DEFAULT", 0, KEY_RSA,
           false);
}

static void test_signatures(void)
{
    static const char *const lists[] = { "RSA+SHA256",
                                         "RSA+SHA512:RSA+SHA256",
                                         "rsa_pss_rsae_sha512",
                                         "RSA-PSS+SHA384",
                                         "ECDSA+SHA384",
                                         "RSA+SHA1",
                                         "ECDSA+SHA512:RSA+SHA224",
                                         "ed25519" };

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        for (size_t j = 0; j < 2; j++) {
            struct pair p;

            section("the client's signatures %s, key %zu", lists[i], j);
            prepare(&p, j == 0 ? KEY_RSA : KEY_P256, NULL);
            REQUIRE(SSL_set1_sigalgs_list(p.client, (uintptr_t)lists[i]) == 1);
            if (log_handshake(p.client, p.server)) {
                log_parameters(&p);
            }
            pair_free(&p);
            section("the server's signatures %s, key %zu", lists[i], j);
            prepare(&p, j == 0 ? KEY_RSA : KEY_P256, NULL);
            REQUIRE(SSL_set1_sigalgs_list(p.server, (uintptr_t)lists[i]) == 1);
            if (log_handshake(p.client, p.server)) {
                log_parameters(&p);
            }
            pair_free(&p);
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
    test_suites();
    test_options();
    test_long_data();
    test_groups();
    test_curve_of_key();
    test_dhe();
    test_x942();
    test_short_dhe();
    test_choice();
    test_signatures();
    for (size_t i = 0; i < NUM_KINDS; i++) {
        identity_free(keys[i]);
    }
    identity_default_free();
    return contract_finish();
}
