/*
 * AES-GCM and ChaCha20-Poly1305 on Intel's ipsec-mb, through its direct functions: AES-GCM several
 * times as fast as libcrypto 3.0 on processors with vector AES, and both far quicker to start a
 * record. The one file that knows the library; without it, or where the processor lacks what it
 * needs, nothing here serves and the EVP back end does.
 */
#include "crypto/aead_internal.h"

#ifdef TENON_HAVE_IPSECMB

#include "base/secret.h"

#include <intel-ipsec-mb.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <string.h>

/* Below this a copy and one call in place beat three calls from the caller's memory: measured. */
#define SHORTEST_PIECEWISE 1400

#define KEY_ALIGNMENT 64 /* of struct gcm_key_data */

/* The library's functions for one key size, picked for this processor. */
struct gcm_functions {
    aes_gcm_pre_t set_key;
    aes_gcm_enc_dec_t seal_once;
    aes_gcm_enc_dec_t open_once;
    aes_gcm_init_t begin;
    aes_gcm_enc_dec_update_t seal_update;
    aes_gcm_enc_dec_finalize_t seal_finish;
};

struct aead_gcm {
    struct aead base;
    void *allocation; /* where this stands in, less aligned */
    const struct gcm_functions *gcm;
    struct gcm_context_data context; /* here and not on the stack, because it holds key stream */
    struct gcm_key_data key;
};

/* ChaCha20-Poly1305 needs no key schedule and no alignment. */
struct aead_chacha {
    struct aead base;
    struct chacha20_poly1305_context_data context;
    uint8_t key[32];
};

struct chacha_functions {
    chacha_poly_init_t begin;
    chacha_poly_enc_dec_update_t seal_update;
    chacha_poly_enc_dec_update_t open_update;
    chacha_poly_finalize_t finish;
};

/* Chosen once, then only read. */
static pthread_once_t choose_once = PTHREAD_ONCE_INIT;
static bool usable;
static struct gcm_functions gcm128, gcm256;
static struct chacha_functions chacha;

/* The manager is only asked for its functions: the direct ones need no other part of it. */
static void choose(void)
{
    IMB_MGR *manager = alloc_mb_mgr(0);
    const uint64_t needed = IMB_FEATURE_AESNI | IMB_FEATURE_PCLMULQDQ;

    if (manager == NULL) {
        return;
    }
    init_mb_mgr_auto(manager, NULL);
    if (imb_get_errno(manager) == 0 && (manager->features & needed) == needed) {
        gcm128 = (struct gcm_functions){ manager->gcm128_pre,        manager->gcm128_enc,
                                         manager->gcm128_dec,        manager->gcm128_init,
                                         manager->gcm128_enc_update, manager->gcm128_enc_finalize };
        gcm256 = (struct gcm_functions){ manager->gcm256_pre,        manager->gcm256_enc,
                                         manager->gcm256_dec,        manager->gcm256_init,
                                         manager->gcm256_enc_update, manager->gcm256_enc_finalize };
        chacha = (struct chacha_functions){ manager->chacha20_poly1305_init,
                                            manager->chacha20_poly1305_enc_update,
                                            manager->chacha20_poly1305_dec_update,
                                            manager->chacha20_poly1305_finalize };
        usable = true;
    }
    free_mb_mgr(manager);
}

bool aead_ipsecmb_serves(enum aead_id id)
{
    return (id == AEAD_AES_128_GCM || id == AEAD_AES_256_GCM || id == AEAD_CHACHA20_POLY1305) &&
           pthread_once(&choose_once, choose) == 0 && usable;
}

static void gcm_free(struct aead *base)
{
    struct aead_gcm *a = (struct aead_gcm *)base;
    void *allocation = a->allocation;

    wipe(a, sizeof(*a));
    OPENSSL_free(allocation);
}

/* Encrypts len bytes that already stand at dst. */
static void seal_in_place(struct aead_gcm *a, const uint8_t *nonce, const uint8_t *aad,
                          size_t aad_len, uint8_t *dst, size_t len)
{
    a->gcm->seal_once(&a->key, &a->context, dst, dst, len, nonce, aad, aad_len, dst + len,
                      a->base.tag_len);
}

static void seal_piecewise(struct aead_gcm *a, const uint8_t *nonce, const uint8_t *aad,
                           size_t aad_len, uint8_t *dst, const struct aead_part *parts,
                           size_t num_parts)
{
    a->gcm->begin(&a->key, &a->context, nonce, aad, aad_len);
    for (size_t i = 0; i < num_parts; i++) {
        if (parts[i].len != 0) {
            a->gcm->seal_update(&a->key, &a->context, dst, parts[i].data, parts[i].len);
            dst += parts[i].len;
        }
    }
    a->gcm->seal_finish(&a->key, &a->context, dst, a->base.tag_len);
}

static bool gcm_seal(struct aead *base, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                     uint8_t *dst, const struct aead_part *parts, size_t num_parts)
{
    struct aead_gcm *a = (struct aead_gcm *)base;
    size_t len = 0;

    for (size_t i = 0; i < num_parts; i++) {
        len += parts[i].len;
    }
    if (len >= SHORTEST_PIECEWISE) {
        seal_piecewise(a, nonce, aad, aad_len, dst, parts, num_parts);
        return true;
    }
    uint8_t *at = dst;
    for (size_t i = 0; i < num_parts; i++) {
        if (parts[i].len != 0) {
            if (parts[i].data != at) {
                memcpy(at, parts[i].data, parts[i].len);
            }
            at += parts[i].len;
        }
    }
    seal_in_place(a, nonce, aad, aad_len, dst, len);
    return true;
}

static bool gcm_open(struct aead *base, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                     uint8_t *dst, const uint8_t *src, size_t len)
{
    struct aead_gcm *a = (struct aead_gcm *)base;
    size_t text_len = len - a->base.tag_len;
    uint8_t received[AEAD_MAX_TAG_LEN];
    uint8_t tag[AEAD_MAX_TAG_LEN];

    memcpy(received, src + text_len, a->base.tag_len);
    a->gcm->open_once(&a->key, &a->context, dst, src, text_len, nonce, aad, aad_len, tag,
                      a->base.tag_len);
    return constant_time_equals(tag, received, a->base.tag_len);
}

static const struct aead_ops gcm_ops = { "ipsec-mb", gcm_free, gcm_seal, gcm_open };

static struct aead *gcm_new(const struct gcm_functions *gcm, const uint8_t *key)
{
    void *allocation = OPENSSL_zalloc(sizeof(struct aead_gcm) + KEY_ALIGNMENT);

    if (allocation == NULL) {
        return NULL;
    }
    uintptr_t misaligned = (uintptr_t)allocation % KEY_ALIGNMENT;
    struct aead_gcm *a =
        (struct aead_gcm *)(void *)((uint8_t *)allocation + KEY_ALIGNMENT - misaligned);
    a->base.ops = &gcm_ops;
    a->allocation = allocation;
    a->gcm = gcm;
    gcm->set_key(key, &a->key);
    return &a->base;
}

static void chacha_free(struct aead *base)
{
    wipe(base, sizeof(struct aead_chacha));
    OPENSSL_free(base);
}

static bool chacha_seal(struct aead *base, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                        uint8_t *dst, const struct aead_part *parts, size_t num_parts)
{
    struct aead_chacha *a = (struct aead_chacha *)base;

    chacha.begin(a->key, &a->context, nonce, aad, aad_len);
    for (size_t i = 0; i < num_parts; i++) {
        if (parts[i].len != 0) {
            chacha.seal_update(a->key, &a->context, dst, parts[i].data, parts[i].len);
            dst += parts[i].len;
        }
    }
    chacha.finish(&a->context, dst, base->tag_len);
    return true;
}

static bool chacha_open(struct aead *base, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                        uint8_t *dst, const uint8_t *src, size_t len)
{
    struct aead_chacha *a = (struct aead_chacha *)base;
    size_t text_len = len - base->tag_len;
    uint8_t received[AEAD_MAX_TAG_LEN];
    uint8_t tag[AEAD_MAX_TAG_LEN];

    memcpy(received, src + text_len, base->tag_len);
    chacha.begin(a->key, &a->context, nonce, aad, aad_len);
    if (text_len != 0) {
        chacha.open_update(a->key, &a->context, dst, src, text_len);
    }
    chacha.finish(&a->context, tag, base->tag_len);
    return constant_time_equals(tag, received, base->tag_len);
}

static const struct aead_ops chacha_ops = { "ipsec-mb", chacha_free, chacha_seal, chacha_open };

static struct aead *chacha_new(const uint8_t *key)
{
    struct aead_chacha *a = OPENSSL_zalloc(sizeof(*a));

    if (a == NULL) {
        return NULL;
    }
    a->base.ops = &chacha_ops;
    memcpy(a->key, key, sizeof(a->key));
    return &a->base;
}

struct aead *aead_ipsecmb_new(enum aead_id id, const uint8_t *key)
{
    /* A key serves both directions: nothing here depends on which. */
    if (id == AEAD_CHACHA20_POLY1305) {
        return chacha_new(key);
    }
    return gcm_new(id == AEAD_AES_128_GCM ? &gcm128 : &gcm256, key);
}

#else

bool aead_ipsecmb_serves(enum aead_id id)
{
    (void)id;
    return false;
}

struct aead *aead_ipsecmb_new(enum aead_id id, const uint8_t *key)
{
    (void)id;
    (void)key;
    return NULL;
}

#endif
