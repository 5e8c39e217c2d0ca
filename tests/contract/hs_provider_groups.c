/*
 * Key exchange groups that a provider brings along: how they are named and listed, in which
 * versions they serve, key exchange and encapsulation with them, what becomes of failures, and
 * providers that describe their groups badly. Manual pages: SSL_CTX_set1_groups_list(3),
 * SSL_group_to_name(3).
 */
#include "contract.h"
#include "toy_provider.h"

#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/provider.h>
#include <stdio.h>
#include <string.h>

/* OpenSSL's macros cast the const of strings away. */
#pragma GCC diagnostic ignored "-Wcast-qual"

enum { EXCHANGE = 0xfe10, KEM, BIG, BIG_KEM, OLD, ANY, NEVER, WEAK, OLD_KEM };

static const struct toy_group groups[] = {
    { "toyexchange", "toy-exchange", TOY_NAME, EXCHANGE, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toykem", "toy-kem", TOY_NAME, KEM, 192, 1, TLS1_3_VERSION, 0, 0, 0 },
    { "toybig", TOY_BIG, TOY_NAME, BIG, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toybigkem", TOY_BIG, TOY_NAME, BIG_KEM, 128, 1, TLS1_3_VERSION, 0, 0, 0 },
    { "toyold", "toy-old", TOY_NAME, OLD, 128, 0, TLS1_VERSION, TLS1_2_VERSION, 0, 0 },
    { "toyany", "toy-any", TOY_NAME, ANY, 128, 0, 0, 0, TOY_FIELD_IS_KEM, 0 },
    { "toynever", "toy-never", TOY_NAME, NEVER, 128, 0, -1, -1, 0, 0 },
    { "toyweak", "toy-weak", TOY_NAME, WEAK, 40, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toyforeign", "toy-foreign", "EC", 0xfe30, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toymissing", "toy-missing", "NOBODYS", 0xfe31, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toyzero", "toy-zero", TOY_NAME, 0, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toytwin", "toy-twin", TOY_NAME, EXCHANGE, 128, 1, TLS1_3_VERSION, 0, 0, 0 },
    { "0123456789012345678901234567890123456789012345678901234567890123", "toy-long", TOY_NAME,
      0xfe32, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "012345678901234567890123456789012345678901234567890123456789012", "toy-long", TOY_NAME,
      0xfe33, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
};

static struct toy_context context;
static struct identity *identity;

static void use_groups(void)
{
    toy.groups = groups;
    toy.num = sizeof(groups) / sizeof(groups[0]);
    toy.fails = TOY_NOTHING;
}

static void pair_of_toys(struct pair *p, const char *client, const char *server)
{
    SSL_CTX *client_ctx = SSL_CTX_new_ex(context.libctx, NULL, TLS_client_method());
    SSL_CTX *server_ctx = SSL_CTX_new_ex(context.libctx, NULL, TLS_server_method());

    REQUIRE(client_ctx != NULL && server_ctx != NULL);
    SSL_CTX_set_num_tickets(server_ctx, 0);
    identity_use_ctx(identity, server_ctx);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(client == NULL || SSL_set1_groups_list(p->client, client) == 1);
    REQUIRE(server == NULL || SSL_set1_groups_list(p->server, server) == 1);
}

static void log_group(SSL *ssl)
{
    int ids[64];
    int num = (int)SSL_get1_groups(ssl, NULL);
    int shared = (int)SSL_get_shared_group(ssl, -1);
    long negotiated = (long)SSL_get_negotiated_group(ssl);
    const char *name = SSL_group_to_name(ssl, (int)negotiated);
    EVP_PKEY *key = NULL;

    note("%s: negotiated %lx, %s", ssl_get_name(ssl), negotiated, name == NULL ? "none" : name);
    REQUIRE(num <= 64 && (num == 0 || SSL_get1_groups(ssl, ids) == num));
    for (int i = 0; i < num; i++) {
        note("  peer's %x", ids[i]);
    }
    for (int i = 0; i < shared; i++) {
        note("  shared %lx", (long)SSL_get_shared_group(ssl, i));
    }
    note("  peer's key: %d, %s", (int)SSL_get_peer_tmp_key(ssl, &key),
         key == NULL ? "none" : EVP_PKEY_get0_type_name(key));
    EVP_PKEY_free(key);
    key = NULL;
    note("  own key: %d, %s", (int)SSL_get_tmp_key(ssl, &key),
         key == NULL ? "none" : EVP_PKEY_get0_type_name(key));
    EVP_PKEY_free(key);
}

static void shake_hands(struct pair *p)
{
    if (log_handshake(p->client, p->server)) {
        log_group(p->client);
        log_group(p->server);
        log_alive(p->client, p->server);
    }
}

static void test_names(void)
{
    static const char *const lists[] = {
        "toyexchange",
        "toy-exchange",
        "toykem",
        "TOYKEM",
        "toykem:toyexchange:X25519",
        "toykem:toykem",
        "toykem:toy-kem",
        "toyold",
        "toynever",
        "toyforeign",
        "toymissing",
        "toyzero",
        "toytwin",
        "toyexchange:toytwin",
        "0123456789012345678901234567890123456789012345678901234567890123",
        "012345678901234567890123456789012345678901234567890123456789012",
        "toy-long",
        TOY_NAME,
        "65040",
    };
    SSL_CTX *ctx = SSL_CTX_new_ex(context.libctx, NULL, TLS_method());
    SSL_CTX *other = client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    int nids[] = { NID_X25519, TLSEXT_nid_unknown | EXCHANGE };

    section("names");
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        note("%s: CTX %d", lists[i], (int)SSL_CTX_set1_groups_list(ctx, lists[i]));
        log_errors("error");
        note("%s: SSL %d", lists[i], (int)SSL_set1_groups_list(ssl, lists[i]));
        log_errors("error");
    }
    note("by number: %d", (int)SSL_set1_groups(ssl, nids, 2));
    log_errors("error");
    note("in another library context: %d", (int)SSL_CTX_set1_groups_list(other, "toykem"));
    log_errors("error");
    for (int id = EXCHANGE - 1; id <= OLD_KEM; id++) {
        const char *name = SSL_group_to_name(ssl, TLSEXT_nid_unknown | id);

        note("%x is %s", id, name == NULL ? "nothing" : name);
    }
    SSL_free(ssl);
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
}

static void negotiate(const char *client, const char *server, int version)
{
    struct pair p;

    section("client %s, server %s, version %x", client == NULL ? "default" : client,
            server == NULL ? "default" : server, version);
    pair_of_toys(&p, client, server);
    if (version != 0) {
        REQUIRE(SSL_set_max_proto_version(p.client, version) == 1);
    }
    shake_hands(&p);
    pair_free(&p);
}

static void test_negotiation(void)
{
    negotiate(NULL, NULL, 0);
    negotiate("toyexchange", "toyexchange", 0);
    negotiate("toykem", "toykem", 0);
    negotiate("toybig", "toybig", 0);
    negotiate("toybigkem", "toybigkem", 0);
    negotiate("toyany", "toyany", 0);
    negotiate("toykem:X25519", NULL, 0);
    negotiate("X25519:toykem", "toykem", 0);
    negotiate("toybigkem:toyexchange:X25519", "toyexchange:toybigkem", 0);
    negotiate("X25519:toybigkem", "toybigkem", 0);
    negotiate("toykem", "toyexchange", 0);
    negotiate("toykem", "X25519", 0);
    negotiate("toyold", "toyold", 0);
    negotiate("toyold:X25519", "toyold:X25519", 0);
    negotiate("toynever:toykem", "toynever:toykem", 0);
    negotiate("toynever", "toynever", 0);
    negotiate("toyweak:toykem", "toyweak:toykem", 0);
    negotiate("toytwin", "toytwin", 0);
    negotiate("X25519:toyold", "toyold:X25519", TLS1_2_VERSION);
    negotiate("X25519:toyany", "toyany:X25519", TLS1_2_VERSION);
    negotiate("P-256:toykem", "toykem:P-256", TLS1_2_VERSION);
    negotiate("toyold", "toyold", TLS1_2_VERSION);
    negotiate("toykem", "toykem", TLS1_2_VERSION);
}

static void test_preference(void)
{
    struct pair p;

    section("the server's preference");
    pair_of_toys(&p, "toykem:toyexchange", "X25519:toyexchange:toykem");
    (void)SSL_set_options(p.server, SSL_OP_CIPHER_SERVER_PREFERENCE);
    shake_hands(&p);
    pair_free(&p);
}

static int judge(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                 void *arg)
{
    const unsigned char *id = other;
    bool is_toy = ((unsigned)op & SSL_SECOP_OTHER_TYPE) == SSL_SECOP_OTHER_CURVE && id[0] == 0xfe;
    bool is_kem = is_toy && id[1] == (KEM & 0xff);

    (void)ctx;
    if (is_toy && ssl == arg) {
        note("asked: %s, operation %x, %d bits, NID %d, group %02x%02x", ssl_get_name(ssl), op,
             bits, nid, id[0], id[1]);
    }
    return !is_kem;
}

static void test_security(void)
{
    struct pair p;

    section("the client's security callback");
    pair_of_toys(&p, "toykem:toyexchange:X25519", "toykem:toyexchange:X25519");
    SSL_set_security_callback(p.client, judge);
    SSL_set0_security_ex_data(p.client, p.client);
    shake_hands(&p);
    pair_free(&p);
    section("the server's security callback");
    pair_of_toys(&p, "toykem:toyexchange:X25519", "toykem:toyexchange:X25519");
    SSL_set_security_callback(p.server, judge);
    shake_hands(&p);
    pair_free(&p);
    section("a level above the group's");
    pair_of_toys(&p, "toyexchange:toykem", "toyexchange:toykem");
    SSL_set_security_level(p.client, 4);
    SSL_set_security_level(p.server, 0);
    (void)log_handshake(p.client, p.server);
    pair_free(&p);
}

static void test_failures(void)
{
    static const char *const names[] = { "toyexchange", "toykem" };
    struct pair p;

    for (int step = TOY_GENERATE; step < TOY_NUM_STEPS; step++) {
        for (size_t i = 0; i < 2; i++) {
            section("%s, step %d fails", names[i], step);
            pair_of_toys(&p, names[i], names[i]);
            toy.fails = (enum toy_step)step;
            if (step <= TOY_GET_SHARE) {
                difference_begin("hs-provider-group-reason");
            }
            (void)log_handshake(p.client, p.server);
            if (step <= TOY_GET_SHARE) {
                difference_end();
            }
            toy.fails = TOY_NOTHING;
            pair_free(&p);
        }
    }
}

static void describe(const char *what, const struct toy_group *group)
{
    const struct toy_group list[2] = { groups[0], *group };
    SSL_CTX *ctx;

    toy.groups = list;
    toy.num = 2;
    ctx = SSL_CTX_new_ex(context.libctx, NULL, TLS_method());
    note("%s: %s", what, ctx == NULL ? "no context" : "a context");
    log_errors("error");
    if (ctx != NULL) {
        note("  first %d, second %d", (int)SSL_CTX_set1_groups_list(ctx, "toyexchange"),
             (int)SSL_CTX_set1_groups_list(ctx, "odd"));
        errors_drop();
    }
    SSL_CTX_free(ctx);
    use_groups();
}

static void test_descriptions(void)
{
    const struct toy_group good = { "odd", "toy-odd",      TOY_NAME, 0xfe40, 128,
                                    0,     TLS1_3_VERSION, 0,        0,      0 };
    struct toy_group odd;
    char text[32];

    section("descriptions");
    describe("good", &good);
    for (int i = 0; i < TOY_NUM_FIELDS; i++) {
        odd = good;
        odd.left_out = 1u << i;
        (void)snprintf(text, sizeof(text), "without field %d", i);
        describe(text, &odd);
        odd = good;
        odd.misshapen = 1u << i;
        (void)snprintf(text, sizeof(text), "misshapen field %d", i);
        describe(text, &odd);
    }
    odd = good;
    odd.id = 0xffff;
    describe("the last number", &odd);
    odd.id = 0x10000;
    describe("too large a number", &odd);
    odd = good;
    odd.is_kem = 2;
    describe("neither KEM nor not", &odd);
    odd = good;
    odd.algorithm = "EC";
    odd.is_kem = 2;
    describe("bad, and another provider's", &odd);
    odd = good;
    odd.name = "";
    describe("no name", &odd);
    odd = good;
    odd.security_bits = 0xffffffff;
    describe("many bits", &odd);
    toy.fails = TOY_CAPABILITIES;
    describe("an answer of 0", &good);
    toy.num = 0;
    toy.fails = TOY_CAPABILITIES;
    SSL_CTX *ctx = SSL_CTX_new_ex(context.libctx, NULL, TLS_method());
    note("an answer of 0 and no group: %s", ctx == NULL ? "no context" : "a context");
    log_errors("error");
    SSL_CTX_free(ctx);
    use_groups();
}

/* The default library context, of which a context sees what is loaded at that moment. */
static void test_loaded_later(void)
{
    SSL_CTX *before = SSL_CTX_new(TLS_method());
    OSSL_PROVIDER *provider = toy_load(NULL);
    SSL_CTX *during = SSL_CTX_new(TLS_method());
    SSL_CTX *again = SSL_CTX_new(TLS_method());

    section("loaded later");
    REQUIRE(before != NULL && provider != NULL && during != NULL && again != NULL);
    note("before %d, during %d, again %d", (int)SSL_CTX_set1_groups_list(before, "toykem"),
         (int)SSL_CTX_set1_groups_list(during, "toykem"),
         (int)SSL_CTX_set1_groups_list(again, "toykem"));
    errors_drop();
    (void)OSSL_PROVIDER_unload(provider);
    SSL_CTX *after = SSL_CTX_new(TLS_method());
    note("after %d", (int)SSL_CTX_set1_groups_list(after, "toykem"));
    errors_drop();
    SSL_CTX_free(before);
    SSL_CTX_free(during);
    SSL_CTX_free(again);
    SSL_CTX_free(after);
}

int main(void)
{
    contract_start();
    use_groups();
    REQUIRE(toy_context_init(&context));
    identity = identity_new(KEY_P256, "localhost");
    REQUIRE(identity != NULL);
    test_names();
    test_negotiation();
    test_preference();
    test_security();
    test_failures();
    test_descriptions();
    test_loaded_later();
    identity_free(identity);
    identity_default_free();
    toy_context_free(&context);
    return contract_finish();
}
