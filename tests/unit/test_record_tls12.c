#include "unit.h"

#include "crypto/suite.h"
#include "loose_aead.h"
#include "record/protection.h"

#include <dlfcn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <string.h>

#define MAX_RECORD (RECORD_HEADER_LEN + RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS12)

static const enum aead_id aeads[] = {
    AEAD_AES_128_GCM,   AEAD_AES_256_GCM,   AEAD_CHACHA20_POLY1305,
    AEAD_AES_128_CCM,   AEAD_AES_128_CCM_8, AEAD_AES_256_CCM,
    AEAD_AES_256_CCM_8, AEAD_ARIA_128_GCM,  AEAD_ARIA_256_GCM,
};

static struct protection *keyed(enum aead_id id, enum aead_direction direction)
{
    uint8_t key[AEAD_MAX_KEY_LEN];
    uint8_t iv[AEAD_NONCE_LEN];

    fill_pattern(key, sizeof(key), 0x30, 7);
    fill_pattern(iv, sizeof(iv), 0xc0, 1);
    return protection_new_tls12(crypto_lib_default(), id, direction, VERSION_TLS12, key, iv);
}

/* --- By itself --- */

static void round_trips(void **state)
{
    (void)state;
    static uint8_t text[RECORD_MAX_PLAINTEXT], record[MAX_RECORD];

    fill_pattern(text, sizeof(text), 3, 7);
    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct protection *seal = keyed(aeads[i], AEAD_SEAL);
        struct protection *open = keyed(aeads[i], AEAD_OPEN);

        assert_false(seal->hides_type);
        assert_true(seal->seal_limit == UINT64_MAX);
        for (size_t len = 0; len <= 601; len++) {
            size_t n = len == 601 ? sizeof(text) : len;
            uint8_t type = (uint8_t)(CONTENT_ALERT + len % 3);
            struct opened out;
            size_t size = seal->ops->seal(seal, record, type, text, n, 0);

            assert_int_equal(size, RECORD_HEADER_LEN + n + seal->overhead);
            assert_int_equal(record[0], type);
            assert_int_equal(record[1] << 8 | record[2], VERSION_TLS12);
            assert_int_equal(record[3] << 8 | record[4], size - RECORD_HEADER_LEN);
            assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_OK);
            assert_int_equal(out.type, type);
            assert_int_equal(out.len, n);
            assert_memory_equal(out.data, text, n);
        }
        assert_true(seal->sequence == 602 && open->sequence == 602);
        protection_free(seal);
        protection_free(open);
    }
}

/* RFC 5288, 3: "The nonce_explicit MAY be the 64-bit sequence number." RFC 7905, 2: ChaCha20 has
 * none in the record. */
static void explicit_nonces(void **state)
{
    (void)state;
    static const uint8_t text[20];
    uint8_t record[64];

    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct protection *seal = keyed(aeads[i], AEAD_SEAL);
        bool has_nonce = aeads[i] != AEAD_CHACHA20_POLY1305;

        assert_int_equal(seal->overhead, (has_nonce ? 8U : 0U) + aead_facts(aeads[i])->tag_len);
        seal->sequence = UINT64_C(0x0123456789abcdef);
        for (unsigned k = 0; k < 2; k++) {
            assert_true(seal->ops->seal(seal, record, CONTENT_ALERT, text, sizeof(text), 0) > 0);
            if (has_nonce) {
                assert_hex(record + RECORD_HEADER_LEN, 8,
                           k == 0 ? "0123456789abcdef" : "0123456789abcdf0");
            }
        }
        protection_free(seal);
    }
}

static void every_flipped_bit_and_every_cut(void **state)
{
    (void)state;
    uint8_t text[37], record[128], copy[128];

    fill_pattern(text, sizeof(text), 0, 9);
    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct protection *seal = keyed(aeads[i], AEAD_SEAL);
        struct protection *open = keyed(aeads[i], AEAD_OPEN);
        struct opened out;
        size_t size = seal->ops->seal(seal, record, CONTENT_APPLICATION, text, sizeof(text), 0);

        for (size_t bit = 0; bit < 8 * size; bit++) {
            if (bit / 8 == 3 || bit / 8 == 4) {
                continue; /* the length: where the record ends, which is given */
            }
            memcpy(copy, record, size);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(open->ops->open(open, copy, size - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_BAD_MAC);
        }
        for (size_t len = 0; len < size - RECORD_HEADER_LEN; len++) {
            memcpy(copy, record, size);
            assert_int_equal(open->ops->open(open, copy, len, NULL, &out), OPEN_BAD_MAC);
        }
        /* None of them counted; this one does, and may not come again. */
        memcpy(copy, record, size);
        assert_int_equal(open->ops->open(open, copy, size - RECORD_HEADER_LEN, NULL, &out),
                         OPEN_OK);
        assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                         OPEN_BAD_MAC);
        ERR_clear_error(); /* some providers say so themselves */
        protection_free(seal);
        protection_free(open);
    }
}

/* A record of one byte too many, made with the AEAD alone. */
static size_t seal_too_long(enum aead_id id, uint8_t *record)
{
    static uint8_t text[RECORD_MAX_PLAINTEXT + 1];
    uint8_t key[AEAD_MAX_KEY_LEN];
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t aad[13] = { 0, 0, 0, 0, 0, 0, 0, 0, CONTENT_APPLICATION, 3, 3, 0x40, 1 };
    size_t explicit_len = id == AEAD_CHACHA20_POLY1305 ? 0 : 8;

    fill_pattern(key, sizeof(key), 0x30, 7);
    fill_pattern(nonce, sizeof(nonce), 0xc0, 1);
    struct aead *a = aead_new(crypto_lib_default(), id, AEAD_SEAL, key);
    assert_non_null(a);
    memcpy(record, aad + 8, 3);
    memset(record + RECORD_HEADER_LEN, 0, explicit_len);
    memset(nonce + AEAD_NONCE_LEN - explicit_len, 0, explicit_len);
    assert_true(aead_seal(a, nonce, aad, sizeof(aad), record + RECORD_HEADER_LEN + explicit_len,
                          text, sizeof(text), 0));
    aead_free(a);
    return explicit_len + sizeof(text) + aead_facts(id)->tag_len;
}

static void limits(void **state)
{
    (void)state;
    static uint8_t text[RECORD_MAX_PLAINTEXT + 1], record[MAX_RECORD];

    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        struct protection *seal = keyed(aeads[i], AEAD_SEAL);
        struct protection *open = keyed(aeads[i], AEAD_OPEN);
        struct opened out;
        size_t len = seal_too_long(aeads[i], record);

        assert_int_equal(open->max_fragment, RECORD_MAX_PLAINTEXT + 320);
        assert_int_equal(open->ops->open(open, record, len, NULL, &out), OPEN_TOO_LONG);
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, sizeof(text), 0),
                         0);
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, 1, 1), 0);
        seal->sequence = UINT64_MAX;
        open->sequence = UINT64_MAX;
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, 1, 0), 0);
        assert_int_equal(open->ops->open(open, record, 64, NULL, &out), OPEN_EXHAUSTED);
        protection_free(seal);
        protection_free(open);
    }
}

/* RFC 5246, 6.3 and appendix C. */
static void key_lens(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct protection_lens lens;
    } rows[] = {
        { "ECDHE-RSA-AES128-GCM-SHA256", { 0, 16, 4 } },
        { "ECDHE-RSA-AES256-GCM-SHA384", { 0, 32, 4 } },
        { "ECDHE-RSA-CHACHA20-POLY1305", { 0, 32, 12 } },
        { "ECDHE-ECDSA-AES128-CCM8", { 0, 16, 4 } },
        { "ECDHE-ECDSA-AES256-CCM", { 0, 32, 4 } },
        { "ECDHE-ARIA256-GCM-SHA384", { 0, 32, 4 } },
        { "AES128-SHA", { 20, 16, 0 } },
        { "AES256-SHA256", { 32, 32, 0 } },
        { "ECDHE-RSA-AES256-SHA384", { 48, 32, 0 } },
        { "CAMELLIA256-SHA", { 20, 32, 0 } },
        { "NULL-MD5", { 16, 0, 0 } },
        { "NULL-SHA256", { 32, 0, 0 } },
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct ssl_cipher_st *suite = suite_by_name(rows[i].name, strlen(rows[i].name));
        assert_non_null(suite);
        struct protection_lens lens = protection_key_lens(suite);

        assert_int_equal(lens.mac_key, rows[i].lens.mac_key);
        assert_int_equal(lens.key, rows[i].lens.key);
        assert_int_equal(lens.iv, rows[i].lens.iv);
        assert_true(lens.mac_key <= PROTECTION_MAX_MAC_KEY_LEN);
        assert_true(lens.key <= PROTECTION_MAX_KEY_LEN && lens.iv <= PROTECTION_MAX_IV_LEN);
    }
    assert_int_equal(cbc_key_len(ENC_3DES), 24);
}

static bool trial(void *arg)
{
    static const uint8_t text[20];
    enum aead_id id = *(const enum aead_id *)arg;
    struct protection *seal = keyed(id, AEAD_SEAL);
    struct protection *open = keyed(id, AEAD_OPEN);
    uint8_t record[128];
    struct opened out;
    bool done = false;

    if (seal != NULL && open != NULL) {
        size_t size = seal->ops->seal(seal, record, CONTENT_ALERT, text, sizeof(text), 0);
        done = size > 0 &&
               open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out) == OPEN_OK;
    }
    protection_free(seal);
    protection_free(open);
    ERR_clear_error();
    return done;
}

static void without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(aeads); i++) {
        enum aead_id id = aeads[i];

        assert_true(fail_each_allocation(trial, &id, true) > 0);
    }
}

/* --- With the system's libssl at the other end, in every suite that needs no certificate --- */

#define LIBSSL_FUNCTIONS(X)                                                                        \
    X(TLS_method)                                                                                  \
    X(SSL_CTX_new)                                                                                 \
    X(SSL_CTX_free)                                                                                \
    X(SSL_CTX_ctrl)                                                                                \
    X(SSL_CTX_set_options)                                                                         \
    X(SSL_CTX_set_cipher_list)                                                                     \
    X(SSL_CTX_set_psk_client_callback)                                                             \
    X(SSL_CTX_set_psk_server_callback)                                                             \
    X(SSL_new)                                                                                     \
    X(SSL_free)                                                                                    \
    X(SSL_set_bio)                                                                                 \
    X(SSL_set_connect_state)                                                                       \
    X(SSL_set_accept_state)                                                                        \
    X(SSL_do_handshake)                                                                            \
    X(SSL_read)                                                                                    \
    X(SSL_write)                                                                                   \
    X(SSL_get_session)                                                                             \
    X(SSL_SESSION_get_master_key)                                                                  \
    X(SSL_get_client_random)                                                                       \
    X(SSL_get_server_random)

#define DECLARE_FUNCTION(name) static __typeof__(&name) system_##name;
#define LOAD_FUNCTION(name)    load(library, #name, &system_##name) &&

LIBSSL_FUNCTIONS(DECLARE_FUNCTION)

static bool load(void *library, const char *name, void *slot)
{
    void *symbol = dlsym(library, name);

    memcpy(slot, &symbol, sizeof(symbol));
    return symbol != NULL;
}

static bool load_libssl(void)
{
    void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL);

    return library != NULL && LIBSSL_FUNCTIONS(LOAD_FUNCTION) true;
}

static unsigned int give_psk_to_client(SSL *ssl, const char *hint, char *identity,
                                       unsigned int max_identity, unsigned char *psk,
                                       unsigned int max_psk)
{
    (void)ssl;
    (void)hint;
    snprintf(identity, max_identity, "somebody");
    memset(psk, 0x77, 16);
    return max_psk < 16 ? 0 : 16;
}

static unsigned int give_psk_to_server(SSL *ssl, const char *identity, unsigned char *psk,
                                       unsigned int max_psk)
{
    (void)ssl;
    (void)identity;
    memset(psk, 0x77, 16);
    return max_psk < 16 ? 0 : 16;
}

/* What a test connection is to be. */
struct kind {
    const struct ssl_cipher_st *suite;
    uint16_t version;
    bool encrypt_then_mac;
};

/* Client and server of the system's library. [0] is the client; what it writes is in pipe[0]. */
struct pair {
    SSL_CTX *ctx;
    SSL *ssl[2];
    BIO *pipe[2];
};

static bool pair_open(struct pair *p, const struct kind *k)
{
    char ciphers[100];

    snprintf(ciphers, sizeof(ciphers), "%s:@SECLEVEL=0", k->suite->name);
    *p = (struct pair){ .ctx = system_SSL_CTX_new(system_TLS_method()) };
    system_SSL_CTX_ctrl(p->ctx, SSL_CTRL_SET_MIN_PROTO_VERSION, k->version, NULL);
    system_SSL_CTX_ctrl(p->ctx, SSL_CTRL_SET_MAX_PROTO_VERSION, k->version, NULL);
    system_SSL_CTX_set_options(p->ctx, SSL_OP_NO_TICKET |
                                           (k->encrypt_then_mac ? 0 : SSL_OP_NO_ENCRYPT_THEN_MAC));
    system_SSL_CTX_set_psk_client_callback(p->ctx, give_psk_to_client);
    system_SSL_CTX_set_psk_server_callback(p->ctx, give_psk_to_server);
    if (system_SSL_CTX_set_cipher_list(p->ctx, ciphers) != 1) {
        return false; /* built without it */
    }
    for (size_t i = 0; i < 2; i++) {
        p->ssl[i] = system_SSL_new(p->ctx);
        p->pipe[i] = BIO_new(BIO_s_mem());
        BIO_set_mem_eof_return(p->pipe[i], -1);
    }
    for (size_t i = 0; i < 2; i++) {
        BIO_up_ref(p->pipe[0]);
        BIO_up_ref(p->pipe[1]);
        system_SSL_set_bio(p->ssl[i], p->pipe[1 - i], p->pipe[i]);
    }
    system_SSL_set_connect_state(p->ssl[0]);
    system_SSL_set_accept_state(p->ssl[1]);
    int done = 0;
    for (size_t i = 0; i < 10 && done != 3; i++) {
        done = (system_SSL_do_handshake(p->ssl[0]) == 1) +
               (system_SSL_do_handshake(p->ssl[1]) == 1) * 2;
    }
    assert_int_equal(done, 3);
    return true;
}

static void pair_close(struct pair *p)
{
    for (size_t i = 0; i < 2; i++) {
        system_SSL_free(p->ssl[i]);
        BIO_free(p->pipe[i]);
    }
    system_SSL_CTX_free(p->ctx);
    ERR_clear_error();
}

/* RFC 5246, 6.3, by libcrypto's own PRF. */
static void derive_key_block(const struct pair *p, const struct kind *k, uint8_t *out, size_t len)
{
    uint8_t master[48], seed[64];
    char digest[20];
    char label[] = "key expansion";
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);

    snprintf(digest, sizeof(digest), "%s",
             k->version != VERSION_TLS12     ? "MD5-SHA1"
             : k->suite->hash == HASH_SHA384 ? "SHA384"
                                             : "SHA256");
    assert_int_equal(system_SSL_SESSION_get_master_key(system_SSL_get_session(p->ssl[0]), master,
                                                       sizeof(master)),
                     sizeof(master));
    system_SSL_get_server_random(p->ssl[0], seed, 32);
    system_SSL_get_client_random(p->ssl[0], seed + 32, 32);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof(master)),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, label, sizeof(label) - 1),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed)),
        OSSL_PARAM_construct_end(),
    };
    assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* Our protection for what end `from` writes. Its Finished took sequence number 0. */
static struct protection *protection_of(const struct pair *p, const struct kind *k, size_t from,
                                        enum aead_direction direction)
{
    struct protection_lens lens = protection_key_lens(k->suite);
    uint8_t
        block[2 * (PROTECTION_MAX_MAC_KEY_LEN + PROTECTION_MAX_KEY_LEN + PROTECTION_MAX_IV_LEN)];
    const uint8_t *mac_key = block + from * lens.mac_key;
    const uint8_t *key = block + 2 * lens.mac_key + from * lens.key;
    const uint8_t *iv = block + 2 * (lens.mac_key + lens.key) + from * lens.iv;
    struct cbc_parameters parameters = { k->suite->enc, k->suite->mac, k->encrypt_then_mac,
                                         k->version };

    derive_key_block(p, k, block, sizeof(block));
    struct protection *made =
        k->suite->aead != AEAD_NONE
            ? protection_new_tls12(crypto_lib_default(), k->suite->aead, direction, k->version, key,
                                   iv)
            : protection_new_cbc(crypto_lib_default(), &parameters, direction, mac_key, key);
    assert_non_null(made);
    made->sequence = 1;
    return made;
}

static const size_t live_lens[] = { 1, 15, 16, 17, 255, 256, 1000, RECORD_MAX_PLAINTEXT };

/* What the system's library writes at that end, we read. */
static void opens_theirs(const struct pair *p, const struct kind *k, size_t from)
{
    static uint8_t text[RECORD_MAX_PLAINTEXT], record[MAX_RECORD];
    struct protection *open = protection_of(p, k, from, AEAD_OPEN);

    fill_pattern(text, sizeof(text), 1, 5);
    for (size_t i = 0; i < COUNT_OF(live_lens); i++) {
        struct opened out;
        assert_int_equal(system_SSL_write(p->ssl[from], text, (int)live_lens[i]), live_lens[i]);
        int size = BIO_read(p->pipe[from], record, sizeof(record));

        assert_int_equal(size, RECORD_HEADER_LEN + (record[3] << 8 | record[4]));
        assert_int_equal(
            open->ops->open(open, record, (size_t)size - RECORD_HEADER_LEN, NULL, &out), OPEN_OK);
        assert_int_equal(out.type, CONTENT_APPLICATION);
        assert_int_equal(out.len, live_lens[i]);
        assert_memory_equal(out.data, text, out.len);
    }
    protection_free(open);
}

/* What we write in place of that end, the system's library reads at the other: their own records
 * were taken out of the pipe, so that ours begin where the peer is. */
static void they_open_ours(const struct pair *p, const struct kind *k, size_t from)
{
    static uint8_t text[RECORD_MAX_PLAINTEXT], back[RECORD_MAX_PLAINTEXT], record[MAX_RECORD];
    struct protection *seal = protection_of(p, k, from, AEAD_SEAL);

    fill_pattern(text, sizeof(text), 9, 3);
    for (size_t i = 0; i < COUNT_OF(live_lens); i++) {
        size_t size = seal->ops->seal(seal, record, CONTENT_APPLICATION, text, live_lens[i], 0);

        assert_true(size > 0);
        assert_int_equal(BIO_write(p->pipe[from], record, (int)size), size);
        assert_int_equal(system_SSL_read(p->ssl[1 - from], back, sizeof(back)), live_lens[i]);
        assert_memory_equal(back, text, live_lens[i]);
    }
    protection_free(seal);
}

/* False: their library has no such suite. */
static bool talk(const struct kind *k)
{
    struct pair p;
    bool opened = pair_open(&p, k);

    for (size_t from = 0; opened && from < 2; from++) {
        opens_theirs(&p, k, from);
        they_open_ours(&p, k, from);
    }
    pair_close(&p);
    return opened;
}

static void with_the_systems_library(void **state)
{
    (void)state;
    size_t num_suites;
    const struct ssl_cipher_st *suites = suite_table(&num_suites);
    unsigned num_talks = 0;

    if (!load_libssl()) {
        skip();
    }
    for (size_t i = 0; i < num_suites; i++) {
        const struct ssl_cipher_st *suite = &suites[i];

        if (suite->kx != KX_PSK) {
            continue;
        }
        for (unsigned k = 0; k < (suite->aead != AEAD_NONE ? 1U : 2U); k++) {
            struct kind now = { suite, VERSION_TLS12, k == 1 };
            struct kind before = { suite, VERSION_TLS11, k == 1 };

            num_talks += talk(&now);
            num_talks += suite->min_version <= VERSION_TLS11 && talk(&before);
        }
    }
    printf("         %u connections\n", num_talks);
    assert_true(num_talks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(explicit_nonces),
        cmocka_unit_test(every_flipped_bit_and_every_cut),
        cmocka_unit_test(limits),
        cmocka_unit_test(key_lens),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(with_the_systems_library),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("record/tls12", tests, NULL, NULL);
}
