/*
 * Question "floor": what the primitives alone take, without any TLS, by the routes that there are:
 * "quick" (ipsec-mb for records, contexts that are kept, ECDSA on the key itself) and "usual" (EVP,
 * everything by name, as libssl 3.0 does it). How much better a libssl can become is the ratio of
 * the two at most, where nothing else costs anything.
 *
 * Records: one seal or open, and one copy of the record, as every transport makes at least one.
 * Handshakes: X25519 and P-256 of one side of a full handshake; a client verifies three signatures.
 */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "harness.h"

#include <intel-ipsec-mb.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <string.h>

#define MIN_NS     40000000U
#define MAX_TIMES  4096
#define WARM       4
#define CALLS      16
#define TAG_LEN    16
#define AAD_LEN    5
#define NONCE_LEN  12
#define RECORD_LEN 16384

static uint8_t plain[RECORD_LEN], sealed[RECORD_LEN + TAG_LEN], wire[RECORD_LEN + TAG_LEN];
static const uint8_t key[16], nonce[NONCE_LEN], aad[AAD_LEN];
static size_t record_len;

/* The undisturbed time of one call of work. */
static double time_of(void (*work)(void))
{
    static double times[MAX_TIMES];
    size_t num = 0;
    uint64_t begin = now_ns();

    while (num < MAX_TIMES && (num < 2 * WARM || now_ns() - begin < MIN_NS)) {
        uint64_t start = now_ns();
        for (int i = 0; i < CALLS; i++) {
            work();
        }
        times[num++] = (double)(now_ns() - start) / CALLS;
    }
    return undisturbed(times + WARM, num - WARM);
}

/* --- Records --- */

static IMB_MGR *manager;
static struct gcm_key_data gcm_key;
static struct gcm_context_data gcm_state;
static EVP_CIPHER_CTX *sealer, *opener;

static void records_set_up(void)
{
    manager = alloc_mb_mgr(0);
    require(manager != NULL, "alloc_mb_mgr");
    init_mb_mgr_auto(manager, NULL);
    manager->gcm128_pre(key, &gcm_key);
    sealer = EVP_CIPHER_CTX_new();
    opener = EVP_CIPHER_CTX_new();
    require(sealer != NULL && opener != NULL &&
                EVP_EncryptInit_ex(sealer, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
                EVP_DecryptInit_ex(opener, EVP_aes_128_gcm(), NULL, key, nonce) == 1,
            "EVP");
}

static void seal_quick(void)
{
    manager->gcm128_enc(&gcm_key, &gcm_state, sealed, plain, record_len, nonce, aad, AAD_LEN,
                        sealed + record_len, TAG_LEN);
    memcpy(wire, sealed, record_len + TAG_LEN);
}

static void open_quick(void)
{
    uint8_t tag[TAG_LEN];

    memcpy(wire, sealed, record_len + TAG_LEN);
    manager->gcm128_dec(&gcm_key, &gcm_state, plain, wire, record_len, nonce, aad, AAD_LEN, tag,
                        TAG_LEN);
    require(memcmp(tag, sealed + record_len, TAG_LEN) == 0, "tag");
}

static void seal_usual(void)
{
    int len = 0;

    require(EVP_EncryptInit_ex(sealer, NULL, NULL, NULL, nonce) == 1 &&
                EVP_EncryptUpdate(sealer, NULL, &len, aad, AAD_LEN) == 1 &&
                EVP_EncryptUpdate(sealer, sealed, &len, plain, (int)record_len) == 1 &&
                EVP_EncryptFinal_ex(sealer, sealed + len, &len) == 1 &&
                EVP_CIPHER_CTX_ctrl(sealer, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, sealed + record_len) ==
                    1,
            "seal");
    memcpy(wire, sealed, record_len + TAG_LEN);
}

static void open_usual(void)
{
    int len = 0;

    memcpy(wire, sealed, record_len + TAG_LEN);
    require(EVP_DecryptInit_ex(opener, NULL, NULL, NULL, nonce) == 1 &&
                EVP_CIPHER_CTX_ctrl(opener, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, wire + record_len) ==
                    1 &&
                EVP_DecryptUpdate(opener, NULL, &len, aad, AAD_LEN) == 1 &&
                EVP_DecryptUpdate(opener, plain, &len, wire, (int)record_len) == 1 &&
                EVP_DecryptFinal_ex(opener, plain + len, &len) == 1,
            "open");
}

static void ask_records(bool quick)
{
    static const size_t lengths[] = { 64, 1024, RECORD_LEN };

    records_set_up();
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        record_len = lengths[i];
        answer("ns", time_of(quick ? seal_quick : seal_usual), "floor/write/aes128gcm/%zu",
               record_len);
        answer("ns", time_of(quick ? open_quick : open_usual), "floor/read/aes128gcm/%zu",
               record_len);
    }
    EVP_CIPHER_CTX_free(sealer);
    EVP_CIPHER_CTX_free(opener);
    free_mb_mgr(manager);
}

/* --- Handshakes --- */

static const uint8_t message[130], digest[32];
static EVP_PKEY *ec_key, *peer;
static const EC_KEY *ec;
static EVP_PKEY_CTX *generator;
static uint8_t signature[128];
static size_t signature_len;

static void key_exchange(EVP_PKEY_CTX *generate)
{
    EVP_PKEY *own = NULL;
    uint8_t secret[32];
    size_t secret_len = sizeof secret;

    require(generate != NULL && EVP_PKEY_keygen_init(generate) == 1 &&
                EVP_PKEY_keygen(generate, &own) == 1,
            "keygen");
    EVP_PKEY_CTX *derive = EVP_PKEY_CTX_new(own, NULL);
    require(derive != NULL && EVP_PKEY_derive_init(derive) == 1 &&
                EVP_PKEY_derive_set_peer(derive, peer) == 1 &&
                EVP_PKEY_derive(derive, secret, &secret_len) == 1,
            "derive");
    EVP_PKEY_CTX_free(derive);
    EVP_PKEY_free(own);
}

static void sign(bool quick)
{
    unsigned int len = sizeof signature;
    size_t evp_len = sizeof signature;

    if (quick) {
        require(ECDSA_sign(0, digest, sizeof digest, signature, &len, (EC_KEY *)(uintptr_t)ec) == 1,
                "ECDSA_sign");
        return;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    require(ctx != NULL &&
                EVP_DigestSignInit_ex(ctx, NULL, "SHA256", NULL, NULL, ec_key, NULL) == 1 &&
                EVP_DigestSign(ctx, signature, &evp_len, message, sizeof message) == 1,
            "EVP_DigestSign");
    EVP_MD_CTX_free(ctx);
    signature_len = evp_len;
}

static void verify(bool quick)
{
    if (quick) {
        require(ECDSA_verify(0, digest, sizeof digest, signature, (int)signature_len,
                             (EC_KEY *)(uintptr_t)ec) == 1,
                "ECDSA_verify");
        return;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    require(ctx != NULL &&
                EVP_DigestVerifyInit_ex(ctx, NULL, "SHA256", NULL, NULL, ec_key, NULL) == 1 &&
                EVP_DigestVerify(ctx, signature, signature_len, message, sizeof message) == 1,
            "EVP_DigestVerify");
    EVP_MD_CTX_free(ctx);
}

static void server_quick(void)
{
    key_exchange(generator);
    sign(true);
}

static void client_quick(void)
{
    key_exchange(generator);
    for (int i = 0; i < 3; i++) {
        verify(true);
    }
}

static void server_usual(void)
{
    EVP_PKEY_CTX *generate = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);

    key_exchange(generate);
    EVP_PKEY_CTX_free(generate);
    sign(false);
}

static void client_usual(void)
{
    EVP_PKEY_CTX *generate = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);

    key_exchange(generate);
    EVP_PKEY_CTX_free(generate);
    for (int i = 0; i < 3; i++) {
        verify(false);
    }
}

/* A signature that verify() accepts by the route that is asked for. */
static void prepare_signature(bool quick)
{
    unsigned int len = sizeof signature;

    if (quick) {
        require(ECDSA_sign(0, digest, sizeof digest, signature, &len, (EC_KEY *)(uintptr_t)ec) == 1,
                "ECDSA_sign");
        signature_len = len;
    } else {
        sign(false);
    }
}

static void ask_handshakes(bool quick)
{
    ec_key = EVP_EC_gen("P-256");
    peer = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    generator = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    require(ec_key != NULL && peer != NULL && generator != NULL, "keys");
    ec = EVP_PKEY_get0_EC_KEY(ec_key);
    require(ec != NULL, "EVP_PKEY_get0_EC_KEY");
    answer("/s", 1e9 / time_of(quick ? server_quick : server_usual), "floor/handshake/server");
    prepare_signature(quick);
    answer("/s", 1e9 / time_of(quick ? client_quick : client_usual), "floor/handshake/client");
    EVP_PKEY_CTX_free(generator);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(ec_key);
}

/* Arguments: quick or usual. */
int main(int argc, char **argv)
{
    require(argc == 2, "argument quick or usual");
    bench_begin(false);
    const bool quick = strcmp(argv[1], "quick") == 0;
    ask_records(quick);
    ask_handshakes(quick);
    return 0;
}
