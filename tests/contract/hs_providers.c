/*
 * A library context whose provider lacks digests or kinds of keys: signature algorithms that need
 * them are neither offered nor accepted.
 * Manual pages: SSL_CTX_new(3), SSL_CTX_set1_sigalgs(3).
 */
#include "contract.h"

#include <openssl/core_dispatch.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <string.h>

/* The provider "part": the default one's algorithms, but for those of one operation only the ones
 * that are named. */
static OSSL_LIB_CTX *whole_libctx;
static OSSL_PROVIDER *whole;
static int cut_operation;
static const char *const *kept_names;

static bool is_kept(const char *names)
{
    for (size_t i = 0; kept_names[i] != NULL; i++) {
        size_t len = strlen(kept_names[i]);

        if (strncmp(names, kept_names[i], len) == 0 && (names[len] == ':' || names[len] == '\0')) {
            return true;
        }
    }
    return false;
}

static const OSSL_ALGORITHM *query(void *ctx, int operation, int *no_cache)
{
    static OSSL_ALGORITHM kept[64];
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(whole, operation, no_cache);
    size_t num = 0;

    (void)ctx;
    if (operation != cut_operation || all == NULL) {
        return all;
    }
    for (; all->algorithm_names != NULL; all++) {
        if (is_kept(all->algorithm_names)) {
            REQUIRE(num + 1 < sizeof(kept) / sizeof(kept[0]));
            kept[num++] = *all;
        }
    }
    memset(&kept[num], 0, sizeof(kept[num]));
    *no_cache = 1;
    return kept;
}

static int capabilities(void *ctx, const char *capability, OSSL_CALLBACK *cb, void *arg)
{
    (void)ctx;
    return OSSL_PROVIDER_get_capabilities(whole, capability, cb, arg);
}

static int part_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                     const OSSL_DISPATCH **out, void **ctx)
{
    static const OSSL_DISPATCH functions[] = {
        { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))query },
        { OSSL_FUNC_PROVIDER_GET_CAPABILITIES, (void (*)(void))capabilities },
        { 0, NULL },
    };

    (void)handle;
    (void)in;
    *out = functions;
    *ctx = OSSL_PROVIDER_get0_provider_ctx(whole);
    return 1;
}

static void cut(const char *title, int operation, const char *const *kept, enum key_kind kind,
                bool client_is_cut)
{
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    struct identity *identity = identity_new(kind, "localhost");
    struct pair p;
    OSSL_PROVIDER *part;
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    int nid = NID_undef;

    section("%s, %s", title, client_is_cut ? "client" : "server");
    cut_operation = operation;
    kept_names = kept;
    REQUIRE(libctx != NULL && OSSL_PROVIDER_add_builtin(libctx, "part", part_init) == 1);
    part = OSSL_PROVIDER_load(libctx, "part");
    REQUIRE(part != NULL);
    client_ctx =
        client_is_cut ? SSL_CTX_new_ex(libctx, NULL, TLS_client_method()) : client_ctx_new();
    server_ctx =
        client_is_cut ? server_ctx_new() : SSL_CTX_new_ex(libctx, NULL, TLS_server_method());
    REQUIRE(client_ctx != NULL && server_ctx != NULL);
    SSL_CTX_set_num_tickets(server_ctx, 0);
    if (client_is_cut) {
        identity_use_ctx(identity, server_ctx);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    for (int i = 0; i < SSL_get_sigalgs(p.server, -1, NULL, NULL, NULL, NULL, NULL); i++) {
        unsigned char low;
        unsigned char high;

        (void)SSL_get_sigalgs(p.server, i, NULL, NULL, NULL, &low, &high);
        note("offered %02x%02x", high, low);
    }
    for (int i = 0; i < SSL_get_shared_sigalgs(p.server, 0, NULL, NULL, NULL, NULL, NULL); i++) {
        unsigned char low;
        unsigned char high;

        (void)SSL_get_shared_sigalgs(p.server, i, NULL, NULL, NULL, &low, &high);
        note("shared %02x%02x", high, low);
    }
    if (client_is_cut) {
        (void)log_handshake(p.client, p.server);
        note("signed: %d", (int)SSL_get_peer_signature_nid(p.client, &nid));
        note("with %d", nid);
    }
    pair_free(&p);
    identity_free(identity);
    OSSL_PROVIDER_unload(part);
    OSSL_LIB_CTX_free(libctx);
}

int main(void)
{
    static const char *const digests[] = { "SHA2-256", "SHA1", NULL };
    static const char *const curves[] = { "EC", "X25519", "X448", NULL };

    contract_start();
    whole_libctx = OSSL_LIB_CTX_new();
    whole = OSSL_PROVIDER_load(whole_libctx, "default");
    REQUIRE(whole != NULL);
    for (int client = 0; client < 2; client++) {
        cut("SHA-256 and SHA-1 alone", OSSL_OP_DIGEST, digests, KEY_P256, client == 1);
        cut("elliptic curves alone", OSSL_OP_KEYMGMT, curves, KEY_P256, client == 1);
    }
    identity_default_free();
    OSSL_PROVIDER_unload(whole);
    OSSL_LIB_CTX_free(whole_libctx);
    return contract_finish();
}
