#include "unit.h"

#include "crypto/signer.h"
#include "system_ssl.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static const struct crypto_lib *lib;

/* Keys of every kind, made once. */
enum {
    RSA_2048,
    RSA_1024,
    RSA_512,
    PSS_FREE,
    PSS_SHA256,
    PSS_LONG_SALT,
    EC_P256,
    EC_P384,
    EC_P521,
    EC_BRAINPOOL,
    ED25519_KEY,
    ED448_KEY,
    DSA_KEY,
    X25519_KEY,
    NUM_KEYS
};
static EVP_PKEY *keys[NUM_KEYS];

static EVP_PKEY *rsa(const char *type, unsigned bits, const char *digest, int salt)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) != 1 ||
        (digest != NULL && (EVP_PKEY_CTX_set_rsa_pss_keygen_md_name(ctx, digest, NULL) != 1 ||
                            EVP_PKEY_CTX_set_rsa_pss_keygen_mgf1_md_name(ctx, digest) != 1)) ||
        (salt > 0 && EVP_PKEY_CTX_set_rsa_pss_keygen_saltlen(ctx, salt) != 1) ||
        EVP_PKEY_generate(ctx, &key) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static EVP_PKEY *dsa(void)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DSA", NULL);
    EVP_PKEY *params = NULL;
    EVP_PKEY *key = NULL;

    if (EVP_PKEY_paramgen_init(ctx) == 1 && EVP_PKEY_CTX_set_dsa_paramgen_bits(ctx, 1024) == 1 &&
        EVP_PKEY_generate(ctx, &params) == 1) {
        EVP_PKEY_CTX_free(ctx);
        ctx = EVP_PKEY_CTX_new_from_pkey(NULL, params, NULL);
        if (EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_generate(ctx, &key) != 1) {
            key = NULL;
        }
    }
    EVP_PKEY_free(params);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static int make_keys(void **state)
{
    (void)state;
    lib = crypto_lib_default();
    keys[RSA_2048] = rsa("RSA", 2048, NULL, 0);
    keys[RSA_1024] = rsa("RSA", 1024, NULL, 0);
    keys[RSA_512] = rsa("RSA", 512, NULL, 0);
    keys[PSS_FREE] = rsa("RSA-PSS", 2048, NULL, 0);
    keys[PSS_SHA256] = rsa("RSA-PSS", 2048, "SHA256", 32);
    keys[PSS_LONG_SALT] = rsa("RSA-PSS", 2048, "SHA256", 64);
    keys[EC_P256] = EVP_EC_gen("P-256");
    keys[EC_P384] = EVP_EC_gen("P-384");
    keys[EC_P521] = EVP_EC_gen("P-521");
    keys[EC_BRAINPOOL] = EVP_EC_gen("brainpoolP256r1");
    keys[ED25519_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    keys[ED448_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "ED448");
    keys[DSA_KEY] = dsa();
    keys[X25519_KEY] = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    for (size_t i = 0; i < NUM_KEYS; i++) {
        if (keys[i] == NULL) {
            fprintf(stderr, "no key %zu\n", i);
            return -1;
        }
    }
    return lib != NULL ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_KEYS; i++) {
        EVP_PKEY_free(keys[i]);
    }
    return 0;
}

static const struct sig_scheme *named(const char *name)
{
    const struct sig_scheme *s = sig_scheme_by_name(name, strlen(name));

    assert_non_null(s);
    return s;
}

static void rows_are_found(void **state)
{
    (void)state;
    size_t num;
    const struct sig_scheme *table = sig_scheme_table(&num);

    assert_int_equal(num, 23);
    for (size_t i = 0; i < num; i++) {
        assert_ptr_equal(sig_scheme_by_id(table[i].id), &table[i]);
        if (table[i].name != NULL) {
            assert_ptr_equal(named(table[i].name), &table[i]);
        }
        if (table[i].hash != HASH_NONE) {
            assert_int_equal(hash_nid(hash_get(lib, table[i].hash)), table[i].hash_nid);
        } else {
            assert_int_equal(table[i].hash_nid, NID_undef);
        }
        /* What libcrypto knows about pairs of digest and algorithm. */
        int combined = NID_undef;
        if (table[i].combined_nid != NID_undef) {
            assert_int_equal(OBJ_find_sigid_by_algs(&combined, table[i].hash_nid,
                                                    table[i].sig_nid == NID_rsaEncryption
                                                        ? NID_rsaEncryption
                                                        : table[i].sig_nid),
                             1);
            assert_int_equal(combined, table[i].combined_nid);
        }
    }
    assert_null(sig_scheme_by_id(0));
    assert_null(sig_scheme_by_id(0x0101));
    assert_null(sig_scheme_by_name("ED25519", 7));
    assert_null(sig_scheme_by_name("ed25519", 6));
    assert_null(sig_scheme_by_name("", 0));
    /* RFC 8446, 4.2.3, names and numbers. */
    assert_int_equal(named("rsa_pss_rsae_sha256")->id, 0x0804);
    assert_int_equal(named("rsa_pss_pss_sha512")->id, 0x080b);
    assert_int_equal(named("ecdsa_secp384r1_sha384")->id, 0x0503);
    assert_int_equal(named("rsa_pkcs1_sha1")->id, 0x0201);
    assert_int_equal(named("ed448")->id, 0x0808);
}

static void names_are_those_of_openssl(void **state)
{
    (void)state;
    static const char *const names[] = { "ecdsa_secp256r1_sha256",
                                         "ecdsa_secp384r1_sha384",
                                         "ecdsa_secp521r1_sha512",
                                         "ecdsa_sha224",
                                         "ecdsa_sha1",
                                         "ed25519",
                                         "ed448",
                                         "rsa_pss_pss_sha256",
                                         "rsa_pss_pss_sha384",
                                         "rsa_pss_pss_sha512",
                                         "rsa_pss_rsae_sha256",
                                         "rsa_pss_rsae_sha384",
                                         "rsa_pss_rsae_sha512",
                                         "rsa_pkcs1_sha224",
                                         "rsa_pkcs1_sha256",
                                         "rsa_pkcs1_sha384",
                                         "rsa_pkcs1_sha512",
                                         "rsa_pkcs1_sha1",
                                         "dsa_sha1",
                                         "dsa_sha256",
                                         "ED25519",
                                         "rsa_pkcs1_md5",
                                         "ecdsa_brainpoolP256r1tls13_sha256" };
    const struct system_ssl *ssl = system_ssl_load();
    if (ssl == NULL) {
        printf("         no OpenSSL 3.0 to compare with\n");
        skip();
    }
    SSL_CTX *ctx = ssl->ctx_new(ssl->method());

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        char list[64];

        snprintf(list, sizeof(list), "%s", names[i]);
        long theirs = ssl->ctx_ctrl(ctx, SSL_CTRL_SET_SIGALGS_LIST, 0, list);
        if ((theirs == 1) != (sig_scheme_by_name(list, strlen(list)) != NULL)) {
            fail_msg("%s: %ld", list, theirs);
        }
    }
    ssl->ctx_free(ctx);
    ERR_clear_error();
}

static void keys_have_slots(void **state)
{
    (void)state;
    static const enum key_slot slots[NUM_KEYS] = {
        KEY_RSA,   KEY_RSA,   KEY_RSA,   KEY_RSA_PSS, KEY_RSA_PSS, KEY_RSA_PSS, KEY_ECDSA,
        KEY_ECDSA, KEY_ECDSA, KEY_ECDSA, KEY_ED25519, KEY_ED448,   KEY_DSA,     KEY_NONE
    };

    for (size_t i = 0; i < NUM_KEYS; i++) {
        assert_int_equal(key_slot_of(keys[i]), slots[i]);
    }
}

struct fit {
    const char *scheme;
    int key;
    bool older, tls13; /* expected: in TLS 1.2, in TLS 1.3 */
};

static const struct fit fits[] = {
    { "rsa_pss_rsae_sha256", RSA_2048, true, true },
    { "rsa_pss_rsae_sha512", RSA_2048, true, true },
    { "rsa_pss_rsae_sha384", RSA_1024, true, true },
    { "rsa_pss_rsae_sha512", RSA_1024, false, false }, /* 128 bytes < 2 * 64 + 2 */
    { "rsa_pss_rsae_sha256", RSA_512, false, false },  /* 64 < 2 * 32 + 2 */
    { "rsa_pkcs1_sha256", RSA_512, true, false },
    { "rsa_pkcs1_sha256", RSA_2048, true, false },
    { "rsa_pkcs1_sha1", RSA_2048, true, false },
    { "rsa_pss_rsae_sha256", PSS_FREE, false, false },
    { "rsa_pkcs1_sha256", PSS_FREE, false, false },
    { "rsa_pss_pss_sha256", RSA_2048, false, false },
    { "rsa_pss_pss_sha256", PSS_FREE, true, true },
    { "rsa_pss_pss_sha512", PSS_FREE, true, true },
    { "rsa_pss_pss_sha256", PSS_SHA256, true, true },
    { "rsa_pss_pss_sha384", PSS_SHA256, false, false },
    { "rsa_pss_pss_sha256", PSS_LONG_SALT, false, false },
    { "ecdsa_secp256r1_sha256", EC_P256, true, true },
    { "ecdsa_secp256r1_sha256", EC_P384, true, false },
    { "ecdsa_secp384r1_sha384", EC_P384, true, true },
    { "ecdsa_secp521r1_sha512", EC_P521, true, true },
    { "ecdsa_secp521r1_sha512", EC_P256, true, false },
    { "ecdsa_secp256r1_sha256", EC_BRAINPOOL, true, false },
    { "ecdsa_secp256r1_sha256", ED25519_KEY, false, false },
    { "ed25519", ED25519_KEY, true, true },
    { "ed25519", ED448_KEY, false, false },
    { "ed448", ED448_KEY, true, true },
    { "ed25519", X25519_KEY, false, false },
    { "rsa_pkcs1_sha256", EC_P256, false, false },
};

static void keys_fit_schemes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(fits); i++) {
        const struct sig_scheme *s = named(fits[i].scheme);

        if (sig_scheme_fits_key(lib, s, keys[fits[i].key], false) != fits[i].older ||
            sig_scheme_fits_key(lib, s, keys[fits[i].key], true) != fits[i].tls13) {
            fail_msg("%s with key %d", fits[i].scheme, fits[i].key);
        }
        struct signer *signer = signer_new(keys[fits[i].key]);
        assert_non_null(signer);
        for (int again = 0; again < 2; again++) {
            assert_int_equal(signer_fits(lib, s, signer, false), fits[i].older);
            assert_int_equal(signer_fits(lib, s, signer, true), fits[i].tls13);
        }
        signer_free(signer);
    }
    assert_int_equal(ERR_peek_error(), 0); /* judging a key leaves nothing in the queue */
}

static EVP_PKEY *key_for(const struct sig_scheme *s)
{
    switch (s->kind) {
    case SIG_RSA_PKCS1:
    case SIG_RSA_PSS_RSAE:
        return keys[RSA_2048];
    case SIG_RSA_PSS_PSS:
        return keys[PSS_FREE];
    case SIG_ED25519:
        return keys[ED25519_KEY];
    case SIG_ED448:
        return keys[ED448_KEY];
    case SIG_DSA:
        return keys[DSA_KEY];
    case SIG_ECDSA:
        break;
    }
    return keys[s->curve_nid == NID_secp384r1   ? EC_P384
                : s->curve_nid == NID_secp521r1 ? EC_P521
                                                : EC_P256];
}

typedef __typeof__(&sig_verify) verifier;

static void signatures_verify_and_forgeries_do_not(void **state)
{
    (void)state;
    const struct crypto_lib *libs[] = { lib, crypto_lib_new(NULL, "provider=default") };
    size_t num;
    const struct sig_scheme *table = sig_scheme_table(&num);
    uint8_t data[130];

    fill_pattern(data, sizeof(data), 3, 5);
    for (size_t i = 0; i < num; i++) {
        const struct sig_scheme *s = &table[i];
        EVP_PKEY *key = key_for(s);
        struct buffer out = { 0 };
        struct writer w = writer_to(&out);

        assert_true(sig_scheme_fits_key(lib, s, key, false));
        /* In a vector with something before, as in a message: only the signature is added. */
        writer_u16(&w, s->id);
        writer_open(&w, 2);
        assert_true(sig_sign(libs[i % 2], s, key, data, sizeof(data), &w));
        writer_close(&w);
        assert_true(writer_ok(&w));
        uint8_t *sig = writer_begin(&w) + 4;
        size_t len = writer_len(&w) - 4;
        assert_int_equal(sig[-2] << 8 | sig[-1], len);
        assert_true(len <= (size_t)EVP_PKEY_get_size(key));
        for (size_t l = 0; l < 4; l++) {
            verifier verify = l < 2 ? sig_verify : sig_verify_lasting;
            const struct crypto_lib *with = libs[l % 2];
            assert_true(verify(with, s, key, data, sizeof(data), sig, len));
            assert_false(verify(with, s, key, data, sizeof(data) - 1, sig, len));
            assert_false(verify(with, s, key, data, sizeof(data), sig, len - 1));
            assert_false(verify(with, s, key, data, sizeof(data), sig, 0));
            sig[len / 2] ^= 0x10;
            assert_false(verify(with, s, key, data, sizeof(data), sig, len));
            sig[len / 2] ^= 0x10;
        }
        /* A signature is of its scheme alone. */
        for (size_t k = 0; k < num; k++) {
            if (k != i && key_slot_of(key) == table[k].slot) {
                bool same = s->kind == SIG_ECDSA && table[k].hash == s->hash;
                assert_int_equal(sig_verify(lib, &table[k], key, data, sizeof(data), sig, len),
                                 same);
                assert_int_equal(
                    sig_verify_lasting(lib, &table[k], key, data, sizeof(data), sig, len), same);
            }
        }
        buffer_wipe(&out);
        ERR_clear_error();
    }
    crypto_lib_free(libs[1]);
}

/* One for all schemes of a key, which are used in turn: the second time round all is prepared. */
static void a_signer_signs_like_its_key(void **state)
{
    (void)state;
    const struct crypto_lib *libs[] = { lib, crypto_lib_new(NULL, "provider=default") };
    struct signer *signers[NUM_KEYS];
    size_t num;
    const struct sig_scheme *table = sig_scheme_table(&num);
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    for (size_t i = 0; i < NUM_KEYS; i++) {
        signers[i] = signer_new(keys[i]);
        assert_non_null(signers[i]);
    }
    for (size_t round = 0; round < 3; round++) {
        for (size_t i = 0; i < num; i++) {
            EVP_PKEY *key = key_for(&table[i]);
            size_t k = 0;
            while (keys[k] != key) {
                k++;
            }
            writer_u8(&w, 7);
            assert_true(
                signer_sign(libs[round % 2], &table[i], signers[k], (const uint8_t *)"abc", 3, &w));
            assert_true(sig_verify(lib, &table[i], key, (const uint8_t *)"abc", 3,
                                   writer_begin(&w) + 1, writer_len(&w) - 1));
            writer_rollback(&w);
        }
    }
    writer_u8(&w, 7);
    assert_false(
        signer_sign(lib, named("ed25519"), signers[X25519_KEY], (const uint8_t *)"a", 1, &w));
    assert_false(signer_sign(lib, named("rsa_pss_pss_sha384"), signers[PSS_SHA256],
                             (const uint8_t *)"a", 1, &w));
    assert_false(signer_sign(lib, named("rsa_pss_rsae_sha512"), signers[RSA_1024],
                             (const uint8_t *)"a", 1, &w));
    assert_int_equal(writer_len(&w), 1);
    for (size_t i = 0; i < NUM_KEYS; i++) {
        signer_free(signers[i]);
    }
    signer_free(NULL);
    crypto_lib_free(libs[1]);
    buffer_wipe(&out);
    ERR_clear_error();
}

struct signing_thread {
    pthread_t thread;
    struct signer *signer;
    bool right;
};

static void *sign_often(void *arg)
{
    struct signing_thread *t = arg;
    static const char *const names[] = { "rsa_pss_rsae_sha256", "rsa_pkcs1_sha256" };
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    t->right = true;
    for (size_t i = 0; i < 20; i++) {
        const struct sig_scheme *s = sig_scheme_by_name(names[i % 2], strlen(names[i % 2]));
        t->right = t->right && signer_fits(lib, s, t->signer, false) &&
                   signer_sign(lib, s, t->signer, (const uint8_t *)"abc", 3, &w) &&
                   (i < 10 ? sig_verify : sig_verify_lasting)(lib, s, keys[RSA_2048],
                                                              (const uint8_t *)"abc", 3,
                                                              writer_begin(&w), writer_len(&w));
        writer_rollback(&w);
    }
    signer_free(t->signer);
    buffer_wipe(&out);
    return NULL;
}

static void threads_share_a_signer(void **state)
{
    (void)state;
    struct signer *signer = signer_new(keys[RSA_2048]);
    struct signing_thread threads[6];

    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        threads[i].signer = signer_ref(signer);
        assert_int_equal(pthread_create(&threads[i].thread, NULL, sign_often, &threads[i]), 0);
    }
    signer_free(signer);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_join(threads[i].thread, NULL), 0);
        assert_true(threads[i].right);
    }
}

/* RFC 8446, 4.2.3: "The length of the Salt MUST be equal to the length of the output of the digest
 * algorithm." */
static void pss_salts_are_as_long_as_the_digest(void **state)
{
    (void)state;
    const struct sig_scheme *s = named("rsa_pss_rsae_sha384");
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    static const int salts[] = { 48, 47, 49, 0 };

    assert_true(sig_sign(lib, s, keys[RSA_2048], (const uint8_t *)"abc", 3, &w));
    for (size_t i = 0; i < COUNT_OF(salts); i++) {
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        EVP_PKEY_CTX *key_ctx = NULL;
        uint8_t sig[256];
        size_t len = sizeof(sig);

        /* libcrypto judges ours, and we judge its own with other salts. */
        assert_int_equal(
            EVP_DigestVerifyInit_ex(ctx, &key_ctx, "SHA384", NULL, NULL, keys[RSA_2048], NULL), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, salts[i]), 1);
        assert_int_equal(
            EVP_DigestVerify(ctx, writer_begin(&w), writer_len(&w), (const uint8_t *)"abc", 3) == 1,
            salts[i] == 48);
        EVP_MD_CTX_free(ctx);
        ctx = EVP_MD_CTX_new();
        assert_int_equal(
            EVP_DigestSignInit_ex(ctx, &key_ctx, "SHA384", NULL, NULL, keys[RSA_2048], NULL), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(key_ctx, RSA_PKCS1_PSS_PADDING), 1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(key_ctx, salts[i]), 1);
        assert_int_equal(EVP_DigestSign(ctx, sig, &len, (const uint8_t *)"abc", 3), 1);
        EVP_MD_CTX_free(ctx);
        assert_int_equal(sig_verify(lib, s, keys[RSA_2048], (const uint8_t *)"abc", 3, sig, len),
                         salts[i] == 48);
        assert_int_equal(
            sig_verify_lasting(lib, s, keys[RSA_2048], (const uint8_t *)"abc", 3, sig, len),
            salts[i] == 48);
    }
    buffer_wipe(&out);
    ERR_clear_error();
}

static void a_key_that_cannot_sign_fails(void **state)
{
    (void)state;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    writer_u8(&w, 1);
    assert_false(sig_sign(lib, named("ed25519"), keys[X25519_KEY], (const uint8_t *)"a", 1, &w));
    assert_false(
        sig_sign(lib, named("rsa_pss_pss_sha384"), keys[PSS_SHA256], (const uint8_t *)"a", 1, &w));
    assert_false(
        sig_sign(lib, named("rsa_pss_rsae_sha512"), keys[RSA_1024], (const uint8_t *)"a", 1, &w));
    assert_int_equal(writer_len(&w), 1);
    buffer_wipe(&out);
    ERR_clear_error();
}

static bool sign_and_verify(void *arg)
{
    const struct sig_scheme *s = arg;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    /* A fresh key each time: libcrypto 3.0 leaves the blinding of an RSA key damaged when memory
     * runs out while it is updated, and later signatures with that key are wrong. */
    failing_alloc_pause(true);
    EVP_PKEY *key = EVP_PKEY_dup(key_for(s));
    failing_alloc_pause(false);

    bool done =
        sig_scheme_fits_key(lib, s, key, true) &&
        sig_sign(lib, s, key, (const uint8_t *)"abc", 3, &w) &&
        sig_verify(lib, s, key, (const uint8_t *)"abc", 3, writer_begin(&w), writer_len(&w));
    EVP_PKEY_free(key);
    buffer_wipe(&out);
    return done;
}

static bool verify_lasting(void *arg)
{
    const struct sig_scheme *s = arg;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    failing_alloc_pause(true);
    EVP_PKEY *key = EVP_PKEY_dup(key_for(s));
    bool done = sig_sign(lib, s, key, (const uint8_t *)"abc", 3, &w);
    if (s->slot == KEY_RSA) {
        (void)EVP_PKEY_get0_RSA(key); /* libcrypto leaks when memory runs out in here */
    }
    failing_alloc_pause(false);
    done = done && sig_verify_lasting(lib, s, key, (const uint8_t *)"abc", 3, writer_begin(&w),
                                      writer_len(&w));
    EVP_PKEY_free(key);
    buffer_wipe(&out);
    return done;
}

static bool sign_with_signer(void *arg)
{
    const struct sig_scheme *s = arg;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    failing_alloc_pause(true);
    EVP_PKEY *key = EVP_PKEY_dup(key_for(s));
    failing_alloc_pause(false);

    struct signer *signer = signer_new(key);
    bool done = signer != NULL && signer_fits(lib, s, signer, true);
    for (int i = 0; done && i < 2; i++) {
        done = signer_sign(lib, s, signer, (const uint8_t *)"abc", 3, &w);
        failing_alloc_pause(true);
        done = done &&
               sig_verify(lib, s, key, (const uint8_t *)"abc", 3, writer_begin(&w), writer_len(&w));
        failing_alloc_pause(false);
        writer_rollback(&w);
    }
    signer_free(signer);
    EVP_PKEY_free(key);
    buffer_wipe(&out);
    return done;
}

static void allocation_failures(void **state)
{
    (void)state;
    static const char *const names[] = { "rsa_pss_rsae_sha256", "rsa_pss_pss_sha256",
                                         "ecdsa_secp256r1_sha256", "ed25519" };

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        void *s = (void *)(uintptr_t)named(names[i]);

        assert_true(fail_each_allocation(sign_and_verify, s, true) > 10);
        assert_true(fail_each_allocation(sign_with_signer, s, true) > 10);
        assert_true(fail_each_allocation(verify_lasting, s, true) > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_found),
        cmocka_unit_test(names_are_those_of_openssl),
        cmocka_unit_test(keys_have_slots),
        cmocka_unit_test(keys_fit_schemes),
        cmocka_unit_test(signatures_verify_and_forgeries_do_not),
        cmocka_unit_test(a_signer_signs_like_its_key),
        cmocka_unit_test(threads_share_a_signer),
        cmocka_unit_test(pss_salts_are_as_long_as_the_digest),
        cmocka_unit_test(a_key_that_cannot_sign_fails),
        cmocka_unit_test(allocation_failures),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/sigscheme", tests, make_keys, free_keys);
}
