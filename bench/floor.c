/*
 * Question "floor": what the primitives of a call take, alone, without any TLS: how much better
 * than the system's library a libssl can become on this machine at most, where nothing of its own
 * costs anything. bench/run has the system's library answer the same question in turn.
 *
 * Records: one seal or open by ipsec-mb, and one copy of the record, as every transport makes at
 * least one. Handshakes: X25519 twice, make a share and derive, by the provider's own functions; a
 * server signs once, a client verifies three times. Hashing, certificates and memory are left out.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "harness.h"

#include <intel-ipsec-mb.h>
#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#define MIN_NS     40000000U
#define MAX_TIMES  4096
#define WARM       4
#define CALLS      16 /* of a record, in one batch; handshakes are timed one by one */
#define TAG_LEN    16
#define AAD_LEN    5
#define NONCE_LEN  12
#define RECORD_LEN 16384

static uint8_t plain[RECORD_LEN], sealed[RECORD_LEN + TAG_LEN], wire[RECORD_LEN + TAG_LEN];
static const uint8_t key[32], nonce[NONCE_LEN], aad[AAD_LEN];
static size_t record_len;

/* The undisturbed time of one call of work, from batches of so many. */
static double time_of(void (*work)(void), int calls)
{
    static double times[MAX_TIMES];
    size_t num = 0;
    uint64_t begin = now_ns();

    while (num < MAX_TIMES && (num < 2 * WARM || now_ns() - begin < MIN_NS)) {
        uint64_t start = now_ns();
        for (int i = 0; i < calls; i++) {
            work();
        }
        times[num++] = (double)(now_ns() - start) / calls;
    }
    return undisturbed(times + WARM, num - WARM);
}

/* --- Records --- */

static IMB_MGR *manager;
static struct gcm_key_data gcm_key;
static struct gcm_context_data gcm_state;
static struct chacha20_poly1305_context_data chacha_state;

static void seal_gcm(void)
{
    manager->gcm128_enc(&gcm_key, &gcm_state, sealed, plain, record_len, nonce, aad, AAD_LEN,
                        sealed + record_len, TAG_LEN);
    memcpy(wire, sealed, record_len + TAG_LEN);
}

static void open_gcm(void)
{
    uint8_t tag[TAG_LEN];

    memcpy(wire, sealed, record_len + TAG_LEN);
    manager->gcm128_dec(&gcm_key, &gcm_state, plain, wire, record_len, nonce, aad, AAD_LEN, tag,
                        TAG_LEN);
    require(memcmp(tag, sealed + record_len, TAG_LEN) == 0, "tag");
}

static void seal_chacha(void)
{
    manager->chacha20_poly1305_init(key, &chacha_state, nonce, aad, AAD_LEN);
    manager->chacha20_poly1305_enc_update(key, &chacha_state, sealed, plain, record_len);
    manager->chacha20_poly1305_finalize(&chacha_state, sealed + record_len, TAG_LEN);
    memcpy(wire, sealed, record_len + TAG_LEN);
}

static const struct {
    const char *key;
    size_t len;
    void (*work)(void);
} records[] = {
    { "write/aes128gcm/64", 64, seal_gcm },
    { "read/aes128gcm/64", 64, open_gcm },
    { "write/aes128gcm/1024", 1024, seal_gcm },
    { "read/aes128gcm/1024", 1024, open_gcm },
    { "write/aes128gcm/16384", RECORD_LEN, seal_gcm },
    { "read/aes128gcm/16384", RECORD_LEN, open_gcm },
    { "write/chacha20/16384", RECORD_LEN, seal_chacha },
};

static void ask_records(char **argv)
{
    manager = alloc_mb_mgr(0);
    require(manager != NULL, "alloc_mb_mgr");
    init_mb_mgr_auto(manager, NULL);
    manager->gcm128_pre(key, &gcm_key);
    for (size_t i = 0; i < sizeof records / sizeof records[0]; i++) {
        if (!asked_for(argv, records[i].key)) {
            continue;
        }
        record_len = records[i].len;
        seal_gcm(); /* what there is to open */
        double ns = time_of(records[i].work, CALLS);
        if (record_len == RECORD_LEN) {
            answer("MB/s", RECORD_LEN * 1000 / ns, "floor/%s", records[i].key);
        } else {
            answer("ns", ns, "floor/%s", records[i].key);
        }
    }
    free_mb_mgr(manager);
}

/* --- Handshakes --- */

/* X25519 by the default provider's tables. */
static OSSL_FUNC_keymgmt_new_fn *key_new;
static OSSL_FUNC_keymgmt_free_fn *key_free;
static OSSL_FUNC_keymgmt_import_fn *key_import;
static OSSL_FUNC_keyexch_newctx_fn *exchange_new;
static OSSL_FUNC_keyexch_freectx_fn *exchange_free;
static OSSL_FUNC_keyexch_init_fn *exchange_init;
static OSSL_FUNC_keyexch_set_peer_fn *exchange_set_peer;
static OSSL_FUNC_keyexch_derive_fn *exchange_derive;
static void *provider_context, *peer;

/* The function of that number in the table of X25519; they are cast to their types by the caller.
 */
static void (*function_of(const OSSL_PROVIDER *provider, int operation, int number))(void)
{
    int no_store = 0;
    const OSSL_ALGORITHM *one = OSSL_PROVIDER_query_operation(provider, operation, &no_store);

    while (one->algorithm_names != NULL && strncmp(one->algorithm_names, "X25519:", 7) != 0) {
        one++;
    }
    require(one->algorithm_names != NULL, "X25519");
    const OSSL_DISPATCH *function = one->implementation;
    while (function->function_id != 0 && function->function_id != number) {
        function++;
    }
    require(function->function_id != 0, "a function of X25519");
    return function->function;
}

/* With both halves given libcrypto computes none. */
static void *import_key(int selection)
{
    static uint8_t bytes[32] = { 9, 1, 2, 3 };
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, bytes, sizeof bytes),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, bytes, sizeof bytes),
        OSSL_PARAM_construct_end()
    };
    void *made = key_new(provider_context);

    require(made != NULL && key_import(made, selection, params) == 1, "import");
    return made;
}

static void exchange_set_up(OSSL_PROVIDER *provider)
{
    const int keys = OSSL_OP_KEYMGMT, exchange = OSSL_OP_KEYEXCH;

    key_new = (OSSL_FUNC_keymgmt_new_fn *)function_of(provider, keys, OSSL_FUNC_KEYMGMT_NEW);
    key_free = (OSSL_FUNC_keymgmt_free_fn *)function_of(provider, keys, OSSL_FUNC_KEYMGMT_FREE);
    key_import =
        (OSSL_FUNC_keymgmt_import_fn *)function_of(provider, keys, OSSL_FUNC_KEYMGMT_IMPORT);
    exchange_new =
        (OSSL_FUNC_keyexch_newctx_fn *)function_of(provider, exchange, OSSL_FUNC_KEYEXCH_NEWCTX);
    exchange_free =
        (OSSL_FUNC_keyexch_freectx_fn *)function_of(provider, exchange, OSSL_FUNC_KEYEXCH_FREECTX);
    exchange_init =
        (OSSL_FUNC_keyexch_init_fn *)function_of(provider, exchange, OSSL_FUNC_KEYEXCH_INIT);
    exchange_set_peer = (OSSL_FUNC_keyexch_set_peer_fn *)function_of(provider, exchange,
                                                                     OSSL_FUNC_KEYEXCH_SET_PEER);
    exchange_derive =
        (OSSL_FUNC_keyexch_derive_fn *)function_of(provider, exchange, OSSL_FUNC_KEYEXCH_DERIVE);
    provider_context = OSSL_PROVIDER_get0_provider_ctx(provider);
    peer = import_key(OSSL_KEYMGMT_SELECT_PUBLIC_KEY);
}

/* A share is the product of the private key and the base point, which takes as long as that with a
 * peer's point; by the table that libcrypto has for it, it takes longer. */
static void exchange_keys(void)
{
    uint8_t secret[32];
    size_t len = 0;
    void *own = import_key(OSSL_KEYMGMT_SELECT_KEYPAIR);
    void *exchange = exchange_new(provider_context);

    require(exchange != NULL && exchange_init(exchange, own, NULL) == 1, "exchange");
    for (int i = 0; i < 2; i++) {
        require(exchange_set_peer(exchange, peer) == 1 &&
                    exchange_derive(exchange, secret, &len, sizeof secret) == 1,
                "X25519");
    }
    exchange_free(exchange);
    key_free(own);
}

static const uint8_t digest[32];
static EC_KEY *ec;
static EVP_PKEY_CTX *rsa;
static uint8_t signature[256];
static unsigned int signature_len;

static void sign_ecdsa(void)
{
    require(ECDSA_sign(0, digest, sizeof digest, signature, &signature_len, ec) == 1, "ECDSA_sign");
}

static void ecdsa_server(void)
{
    exchange_keys();
    sign_ecdsa();
}

static void ecdsa_client(void)
{
    exchange_keys();
    for (int i = 0; i < 3; i++) {
        require(ECDSA_verify(0, digest, sizeof digest, signature, (int)signature_len, ec) == 1,
                "ECDSA_verify");
    }
}

static void rsa_server(void)
{
    size_t len = sizeof signature;

    exchange_keys();
    require(EVP_PKEY_sign(rsa, signature, &len, digest, sizeof digest) == 1, "EVP_PKEY_sign");
}

static void keys_set_up(void)
{
    EVP_PKEY *rsa_key = EVP_RSA_gen(2048);

    ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
    require(ec != NULL && EC_KEY_generate_key(ec) == 1, "EC_KEY_generate_key");
    sign_ecdsa(); /* what the client verifies */
    require(rsa_key != NULL, "EVP_RSA_gen");
    rsa = EVP_PKEY_CTX_new_from_pkey(NULL, rsa_key, NULL);
    require(rsa != NULL && EVP_PKEY_sign_init(rsa) == 1 &&
                EVP_PKEY_CTX_set_rsa_padding(rsa, RSA_PKCS1_PSS_PADDING) == 1 &&
                EVP_PKEY_CTX_set_signature_md(rsa, EVP_sha256()) == 1 &&
                EVP_PKEY_CTX_set_rsa_pss_saltlen(rsa, RSA_PSS_SALTLEN_DIGEST) == 1,
            "EVP_PKEY_sign_init");
    EVP_PKEY_free(rsa_key);
}

static const struct {
    const char *key;
    void (*work)(void);
} handshakes[] = {
    { "handshake/ecdsa/server", ecdsa_server },
    { "handshake/ecdsa/client", ecdsa_client },
    { "handshake/rsa2048/server", rsa_server },
    { "resume/tls13/server", exchange_keys },
};

static void ask_handshakes(char **argv)
{
    OSSL_PROVIDER *provider = OSSL_PROVIDER_load(NULL, "default");

    require(provider != NULL, "OSSL_PROVIDER_load");
    exchange_set_up(provider);
    keys_set_up();
    for (size_t i = 0; i < sizeof handshakes / sizeof handshakes[0]; i++) {
        if (asked_for(argv, handshakes[i].key)) {
            answer("/s", 1e9 / time_of(handshakes[i].work, 1), "floor/%s", handshakes[i].key);
        }
    }
    EVP_PKEY_CTX_free(rsa);
    EC_KEY_free(ec);
    key_free(peer);
    OSSL_PROVIDER_unload(provider);
}

/* Argument: the key of a figure of another question; without one, all. */
int main(int argc, char **argv)
{
    (void)argc;
    bench_begin(false);
    ask_records(argv);
    ask_handshakes(argv);
    return 0;
}
