/*
 * AES-GCM and ChaCha20-Poly1305 on Intel's ipsec-mb, through its direct functions: AES-GCM several
 * times as fast as libcrypto 3.0 on processors with vector AES, and both far quicker to start a
 * record. The one file that knows the library; without it, or where the processor lacks what it
 * needs, nothing here serves and the EVP back end does.
 */
#include "crypto/aead_internal.h"

#ifdef TENON_HAVE_IPSECMB

#include "base/counters.h"
#include "base/pool.h"
#include "base/secret.h"

#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <string.h>

/* Below this a copy and one call in place beat three calls from the caller's memory: measured. */
#define SHORTEST_PIECEWISE 1024

/* For what ipsec-mb writes while it works on a record: it holds key stream, stands on the stack and
 * is wiped. Its code for SSE, and no other, reads such structures and tables by aligned loads. */
#define ALIGNED _Alignas(AEAD_ALIGNMENT)

/* The library's functions for one key size, picked for this processor. */
struct gcm_functions {
    aes_gcm_pre_t set_key;
    aes_gcm_enc_dec_t seal_once;
    aes_gcm_enc_dec_t open_once;
    aes_gcm_init_t begin;
    aes_gcm_enc_dec_update_t seal_update;
    aes_gcm_enc_dec_finalize_t seal_finish;
    aes_gcm_enc_dec_update_t open_update;
    aes_gcm_enc_dec_finalize_t open_finish;
};

_Static_assert(sizeof(struct gcm_key_data) <= POOL_KEY_SIZE, "a table fits a block of the pool");

/* Which functions follows from base.id, see functions_of(). */
struct aead_gcm {
    struct aead base;
    struct gcm_key_data *table; /* owns, of the pool; NULL: to be made of key when it is needed */
    uint8_t key[];
};

/* Bytes of an instance with a key of bits bits. */
#define GCM_SIZE(bits) (sizeof(struct aead_gcm) + (bits) / 8)

/* ChaCha20-Poly1305 needs no key schedule. */
struct aead_chacha {
    struct aead base;
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
                                         manager->gcm128_enc_update, manager->gcm128_enc_finalize,
                                         manager->gcm128_dec_update, manager->gcm128_dec_finalize };
        gcm256 = (struct gcm_functions){ manager->gcm256_pre,        manager->gcm256_enc,
                                         manager->gcm256_dec,        manager->gcm256_init,
                                         manager->gcm256_enc_update, manager->gcm256_enc_finalize,
                                         manager->gcm256_dec_update, manager->gcm256_dec_finalize };
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

static const struct gcm_functions *functions_of(const struct aead *a)
{
    return a->id == AEAD_AES_128_GCM ? &gcm128 : &gcm256;
}

/* Making a table takes as long as a short record: it is made for many. False: out of memory. */
static bool has_table(struct aead_gcm *a)
{
    if (a->table != NULL) {
        return true;
    }
    a->table = pool_take(POOL_KEY_SIZE);
    if (a->table == NULL) {
        return false;
    }
    functions_of(&a->base)->set_key(a->key, a->table);
    counter_add(COUNTER_KEY_EXPANDED);
    return true;
}

static void gcm_rest(struct aead *base)
{
    struct aead_gcm *a = (struct aead_gcm *)base;

    if (a->table != NULL) {
        wipe(a->table, sizeof *a->table);
        pool_give(a->table, POOL_KEY_SIZE);
        a->table = NULL;
    }
}

static enum aead_result result_of(const uint8_t *tag, const uint8_t *received)
{
    return constant_time_equals(tag, received, AEAD_MAX_TAG_LEN) ? AEAD_OPENED : AEAD_FORGED;
}

/* Copies a short text to dst, where its tail is; true: the whole text is there now. */
static bool gather(uint8_t *dst, const uint8_t *data, size_t len)
{
    if (data != dst && len > 0 && len < SHORTEST_PIECEWISE) {
        memcpy(dst, data, len);
        return true;
    }
    return data == dst || len == 0;
}

static bool gcm_seal(struct aead *base, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                     uint8_t *dst, const uint8_t *data, size_t len, size_t tail_len)
{
    struct aead_gcm *a = (struct aead_gcm *)base;
    const struct gcm_functions *gcm = functions_of(base);
    ALIGNED struct gcm_context_data context;
    uint8_t *tail = dst + len;
    uint8_t *tag = tail + tail_len;

    if (!has_table(a)) {
        return false;
    }
    if (gather(dst, data, len)) {
        gcm->seal_once(a->table, &context, dst, dst, len + tail_len, nonce, aad, aad_len, tag,
                       base->tag_len);
    } else {
        gcm->begin(a->table, &context, nonce, aad, aad_len);
        gcm->seal_update(a->table, &context, dst, data, len);
        if (tail_len > 0) {
            gcm->seal_update(a->table, &context, tail, tail, tail_len);
        }
        gcm->seal_finish(a->table, &context, tag, base->tag_len);
    }
    wipe(&context, sizeof context);
    return true;
}

static enum aead_result gcm_open(struct aead *base, const uint8_t *nonce, const uint8_t *aad,
                                 size_t aad_len, uint8_t *dst, const uint8_t *src, size_t len)
{
    struct aead_gcm *a = (struct aead_gcm *)base;
    size_t text_len = len - base->tag_len;
    ALIGNED struct gcm_context_data context;
    uint8_t received[AEAD_MAX_TAG_LEN];
    uint8_t tag[AEAD_MAX_TAG_LEN];

    if (!has_table(a)) {
        return AEAD_NO_MEMORY;
    }
    memcpy(received, src + text_len, sizeof received);
    functions_of(base)->open_once(a->table, &context, dst, src, text_len, nonce, aad, aad_len, tag,
                                  sizeof tag);
    wipe(&context, sizeof context);
    return result_of(tag, received);
}

static enum aead_result gcm_open_apart(struct aead *base, const uint8_t *nonce, const uint8_t *aad,
                                       size_t aad_len, uint8_t *dst, uint8_t *src, size_t len)
{
    struct aead_gcm *a = (struct aead_gcm *)base;
    const struct gcm_functions *gcm = functions_of(base);
    size_t apart_len = len - base->tag_len - 1;
    uint8_t *last = src + apart_len;
    ALIGNED struct gcm_context_data context;
    uint8_t tag[AEAD_MAX_TAG_LEN];

    if (!has_table(a)) {
        return AEAD_NO_MEMORY;
    }
    gcm->begin(a->table, &context, nonce, aad, aad_len);
    if (apart_len > 0) {
        gcm->open_update(a->table, &context, dst, src, apart_len);
    }
    gcm->open_update(a->table, &context, last, last, 1);
    gcm->open_finish(a->table, &context, tag, sizeof tag);
    wipe(&context, sizeof context);
    return result_of(tag, last + 1);
}

static const struct aead_ops gcm128_ops = { "ipsec-mb", GCM_SIZE(128), gcm_rest,      gcm_rest,
                                            gcm_seal,   gcm_open,      gcm_open_apart };
static const struct aead_ops gcm256_ops = { "ipsec-mb", GCM_SIZE(256), gcm_rest,      gcm_rest,
                                            gcm_seal,   gcm_open,      gcm_open_apart };

static bool chacha_seal(struct aead *base, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                        uint8_t *dst, const uint8_t *data, size_t len, size_t tail_len)
{
    struct aead_chacha *a = (struct aead_chacha *)base;
    ALIGNED struct chacha20_poly1305_context_data context;
    /* What is sealed from where it is, and what of dst in place. */
    size_t apart_len = gather(dst, data, len) ? 0 : len;
    size_t in_place_len = len + tail_len - apart_len;
    uint8_t *in_place = dst + apart_len;

    chacha.begin(a->key, &context, nonce, aad, aad_len);
    if (apart_len > 0) {
        chacha.seal_update(a->key, &context, dst, data, apart_len);
    }
    if (in_place_len > 0) {
        chacha.seal_update(a->key, &context, in_place, in_place, in_place_len);
    }
    chacha.finish(&context, in_place + in_place_len, base->tag_len);
    wipe(&context, sizeof context);
    return true;
}

static enum aead_result chacha_open(struct aead *base, const uint8_t *nonce, const uint8_t *aad,
                                    size_t aad_len, uint8_t *dst, const uint8_t *src, size_t len)
{
    struct aead_chacha *a = (struct aead_chacha *)base;
    size_t text_len = len - base->tag_len;
    ALIGNED struct chacha20_poly1305_context_data context;
    uint8_t received[AEAD_MAX_TAG_LEN];
    uint8_t tag[AEAD_MAX_TAG_LEN];

    memcpy(received, src + text_len, sizeof received);
    chacha.begin(a->key, &context, nonce, aad, aad_len);
    if (text_len != 0) {
        chacha.open_update(a->key, &context, dst, src, text_len);
    }
    chacha.finish(&context, tag, sizeof tag);
    wipe(&context, sizeof context);
    return result_of(tag, received);
}

static enum aead_result chacha_open_apart(struct aead *base, const uint8_t *nonce,
                                          const uint8_t *aad, size_t aad_len, uint8_t *dst,
                                          uint8_t *src, size_t len)
{
    struct aead_chacha *a = (struct aead_chacha *)base;
    size_t apart_len = len - base->tag_len - 1;
    uint8_t *last = src + apart_len;
    ALIGNED struct chacha20_poly1305_context_data context;
    uint8_t tag[AEAD_MAX_TAG_LEN];

    chacha.begin(a->key, &context, nonce, aad, aad_len);
    if (apart_len > 0) {
        chacha.open_update(a->key, &context, dst, src, apart_len);
    }
    chacha.open_update(a->key, &context, last, last, 1);
    chacha.finish(&context, tag, sizeof tag);
    wipe(&context, sizeof context);
    return result_of(tag, last + 1);
}

static const struct aead_ops chacha_ops = {
    "ipsec-mb", sizeof(struct aead_chacha), NULL, NULL, chacha_seal, chacha_open, chacha_open_apart
};

const struct aead_ops *aead_ipsecmb_ops(enum aead_id id)
{
    return id == AEAD_CHACHA20_POLY1305 ? &chacha_ops
           : id == AEAD_AES_128_GCM     ? &gcm128_ops
                                        : &gcm256_ops;
}

/* A key serves both directions. */
void aead_ipsecmb_init(struct aead *a, enum aead_id id, const uint8_t *key)
{
    if (id == AEAD_CHACHA20_POLY1305) {
        memcpy(((struct aead_chacha *)a)->key, key, aead_facts(id)->key_len);
    } else {
        memcpy(((struct aead_gcm *)a)->key, key, aead_facts(id)->key_len);
        ((struct aead_gcm *)a)->table = NULL;
    }
}

#else

bool aead_ipsecmb_serves(enum aead_id id)
{
    (void)id;
    return false;
}

const struct aead_ops *aead_ipsecmb_ops(enum aead_id id)
{
    (void)id;
    return NULL;
}

void aead_ipsecmb_init(struct aead *a, enum aead_id id, const uint8_t *key)
{
    (void)a;
    (void)id;
    (void)key;
}

#endif
