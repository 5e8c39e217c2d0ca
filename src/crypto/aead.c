/*
 * The AEADs of TLS 1.3 (RFC 8446, 5.2 and B.4) and TLS 1.2: facts, the choice of a back end, and
 * the EVP back end, which serves every algorithm, library context and processor.
 */
#include "crypto/aead.h"

#include "base/secret.h"
#include "crypto/aead_internal.h"
#include "crypto/lib_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <string.h>

#define GCM_SEAL_LIMIT UINT64_C(23726566)  /* 2^24.5: RFC 8446, 5.5 */
#define CCM_SEAL_LIMIT (UINT64_C(1) << 23) /* RFC 9147, 4.5.3 */

static const struct aead_facts facts[NUM_AEADS] = {
    [AEAD_AES_128_GCM] = { 16, 16, GCM_SEAL_LIMIT },
    [AEAD_AES_256_GCM] = { 32, 16, GCM_SEAL_LIMIT },
    [AEAD_CHACHA20_POLY1305] = { 32, 16, UINT64_MAX },
    [AEAD_AES_128_CCM] = { 16, 16, CCM_SEAL_LIMIT },
    [AEAD_AES_128_CCM_8] = { 16, 8, CCM_SEAL_LIMIT },
    [AEAD_AES_256_CCM] = { 32, 16, CCM_SEAL_LIMIT },
    [AEAD_AES_256_CCM_8] = { 32, 8, CCM_SEAL_LIMIT },
    [AEAD_ARIA_128_GCM] = { 16, 16, GCM_SEAL_LIMIT },
    [AEAD_ARIA_256_GCM] = { 32, 16, GCM_SEAL_LIMIT },
};

static const char *const cipher_names[NUM_AEADS] = {
    [AEAD_AES_128_GCM] = "AES-128-GCM",
    [AEAD_AES_256_GCM] = "AES-256-GCM",
    [AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
    [AEAD_AES_128_CCM] = "AES-128-CCM",
    [AEAD_AES_128_CCM_8] = "AES-128-CCM",
    [AEAD_AES_256_CCM] = "AES-256-CCM",
    [AEAD_AES_256_CCM_8] = "AES-256-CCM",
    [AEAD_ARIA_128_GCM] = "ARIA-128-GCM",
    [AEAD_ARIA_256_GCM] = "ARIA-256-GCM",
};

struct aead_evp {
    struct aead base;
    EVP_CIPHER_CTX *ctx; /* owns; holds the key schedule */
};

static EVP_CIPHER_CTX *context_of(struct aead *a)
{
    return ((struct aead_evp *)a)->ctx;
}

static void evp_wipe(struct aead *a)
{
    EVP_CIPHER_CTX_free(context_of(a));
}

/* Sets the nonce, keeping the key. */
static bool evp_begin(EVP_CIPHER_CTX *ctx, const uint8_t *nonce)
{
    return EVP_CipherInit_ex2(ctx, NULL, NULL, nonce, -1, NULL) == 1;
}

static bool evp_aad(EVP_CIPHER_CTX *ctx, const uint8_t *aad, size_t aad_len)
{
    int done;

    return aad_len == 0 || EVP_CipherUpdate(ctx, NULL, &done, aad, (int)aad_len) == 1;
}

static bool evp_seal(struct aead *a, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                     uint8_t *dst, const uint8_t *data, size_t len, size_t tail_len)
{
    EVP_CIPHER_CTX *ctx = context_of(a);
    uint8_t *tail = dst + len;
    uint8_t *tag = tail + tail_len;
    int done;

    return evp_begin(ctx, nonce) && evp_aad(ctx, aad, aad_len) &&
           (len == 0 || EVP_CipherUpdate(ctx, dst, &done, data, (int)len) == 1) &&
           (tail_len == 0 || EVP_CipherUpdate(ctx, tail, &done, tail, (int)tail_len) == 1) &&
           EVP_CipherFinal_ex(ctx, tag, &done) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)a->tag_len, tag) == 1;
}

static enum aead_result evp_open(struct aead *a, const uint8_t *nonce, const uint8_t *aad,
                                 size_t aad_len, uint8_t *dst, const uint8_t *src, size_t len)
{
    EVP_CIPHER_CTX *ctx = context_of(a);
    size_t text_len = len - a->tag_len;
    uint8_t tag[AEAD_MAX_TAG_LEN]; /* the control call wants it writable */
    int done = 0;

    memcpy(tag, src + text_len, a->tag_len);
    bool ok = evp_begin(ctx, nonce) && evp_aad(ctx, aad, aad_len) &&
              (text_len == 0 || EVP_CipherUpdate(ctx, dst, &done, src, (int)text_len) == 1) &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)a->tag_len, tag) == 1 &&
              EVP_CipherFinal_ex(ctx, dst + done, &done) == 1;
    return ok ? AEAD_OPENED : AEAD_FORGED;
}

static enum aead_result evp_open_apart(struct aead *a, const uint8_t *nonce, const uint8_t *aad,
                                       size_t aad_len, uint8_t *dst, uint8_t *src, size_t len)
{
    EVP_CIPHER_CTX *ctx = context_of(a);
    size_t apart_len = len - a->tag_len - 1;
    uint8_t *last = src + apart_len;
    int done = 0;

    bool ok = evp_begin(ctx, nonce) && evp_aad(ctx, aad, aad_len) &&
              (apart_len == 0 || EVP_CipherUpdate(ctx, dst, &done, src, (int)apart_len) == 1) &&
              EVP_CipherUpdate(ctx, last, &done, last, 1) == 1 &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)a->tag_len, last + 1) == 1 &&
              EVP_CipherFinal_ex(ctx, last + done, &done) == 1;
    return ok ? AEAD_OPENED : AEAD_FORGED;
}

/* CCM authenticates the length first and takes the text in one piece (RFC 3610, 2.2), so that is
 * gathered in dst and encrypted there. */
static bool evp_ccm_seal(struct aead *a, const uint8_t *nonce, const uint8_t *aad, size_t aad_len,
                         uint8_t *dst, const uint8_t *data, size_t len, size_t tail_len)
{
    EVP_CIPHER_CTX *ctx = context_of(a);
    size_t text_len = len + tail_len;
    int done;

    if (data != dst && len > 0) {
        memcpy(dst, data, len);
    }
    return evp_begin(ctx, nonce) && EVP_CipherUpdate(ctx, NULL, &done, NULL, (int)text_len) == 1 &&
           evp_aad(ctx, aad, aad_len) &&
           EVP_CipherUpdate(ctx, dst, &done, dst, (int)text_len) == 1 &&
           EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, (int)a->tag_len, dst + text_len) == 1;
}

static enum aead_result evp_ccm_open(struct aead *a, const uint8_t *nonce, const uint8_t *aad,
                                     size_t aad_len, uint8_t *dst, const uint8_t *src, size_t len)
{
    EVP_CIPHER_CTX *ctx = context_of(a);
    size_t text_len = len - a->tag_len;
    uint8_t tag[AEAD_MAX_TAG_LEN];
    int done;

    memcpy(tag, src + text_len, a->tag_len);
    ERR_set_mark();
    /* The update call checks the tag; it has to be made for an empty text, too. */
    bool ok = evp_begin(ctx, nonce) &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, (int)a->tag_len, tag) == 1 &&
              EVP_CipherUpdate(ctx, NULL, &done, NULL, (int)text_len) == 1 &&
              evp_aad(ctx, aad, aad_len) &&
              EVP_CipherUpdate(ctx, dst, &done, src, (int)text_len) == 1;
    /* This mode alone raises an error for a wrong tag, which may be early data to skip. */
    ERR_pop_to_mark();
    return ok ? AEAD_OPENED : AEAD_FORGED;
}

static const struct aead_ops evp_ops = {
    "evp", sizeof(struct aead_evp), evp_wipe, NULL, evp_seal, evp_open, evp_open_apart
};
static const struct aead_ops evp_ccm_ops = {
    "evp", sizeof(struct aead_evp), evp_wipe, NULL, evp_ccm_seal, evp_ccm_open, NULL
};

static bool is_ccm(enum aead_id id)
{
    return id == AEAD_AES_128_CCM || id == AEAD_AES_128_CCM_8 || id == AEAD_AES_256_CCM ||
           id == AEAD_AES_256_CCM_8;
}

static bool evp_init(struct aead *a, const EVP_CIPHER *cipher, enum aead_id id,
                     enum aead_direction direction, const uint8_t *key)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int tag_len = facts[id].tag_len;

    /* Lengths before the key: CCM's first block depends on both. */
    if (ctx == NULL ||
        EVP_CipherInit_ex2(ctx, cipher, NULL, NULL, direction == AEAD_SEAL, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, AEAD_NONCE_LEN, NULL) != 1 ||
        (is_ccm(id) && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, tag_len, NULL) != 1) ||
        EVP_CipherInit_ex2(ctx, NULL, key, NULL, -1, NULL) != 1) {
        EVP_CIPHER_CTX_free(ctx);
        return false;
    }
    ((struct aead_evp *)a)->ctx = ctx;
    return true;
}

/* True when instances of lib go to ipsec-mb: nobody asked for another implementation. */
static bool goes_to_ipsecmb(const struct crypto_lib *lib, enum aead_id id)
{
    return lib->is_default && lib->aeads[id] != NULL && aead_ipsecmb_serves(id) &&
           provider_is_builtin(EVP_CIPHER_get0_provider(lib->aeads[id])) &&
           (lib->engine_aeads >> id & 1) == 0;
}

void aead_fetch_all(struct crypto_lib *lib)
{
    for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
        ERR_set_mark();
        lib->aeads[id] = EVP_CIPHER_fetch(lib->libctx, cipher_names[id], lib->propq);
        ERR_pop_to_mark();
        if (lib->aeads[id] != NULL && engine_has_cipher(EVP_CIPHER_get_nid(lib->aeads[id]))) {
            lib->engine_aeads |= UINT32_C(1) << id;
        }
    }
}

void aead_free_all(struct crypto_lib *lib)
{
    for (size_t i = 0; i < COUNT_OF(lib->aeads); i++) {
        EVP_CIPHER_free(lib->aeads[i]);
    }
}

const struct aead_facts *aead_facts(enum aead_id id)
{
    return &facts[id];
}

static const struct aead_ops *ops_for(const struct crypto_lib *lib, enum aead_id id)
{
    return goes_to_ipsecmb(lib, id) ? aead_ipsecmb_ops(id) : is_ccm(id) ? &evp_ccm_ops : &evp_ops;
}

size_t aead_size(const struct crypto_lib *lib, enum aead_id id)
{
    return ops_for(lib, id)->size;
}

bool aead_init(struct aead *a, const struct crypto_lib *lib, enum aead_id id,
               enum aead_direction direction, const uint8_t *key)
{
    if (lib->aeads[id] == NULL) {
        return false;
    }
    a->ops = ops_for(lib, id);
    a->id = (uint8_t)id;
    a->tag_len = facts[id].tag_len;
    if (!goes_to_ipsecmb(lib, id)) {
        return evp_init(a, lib->aeads[id], id, direction, key);
    }
    aead_ipsecmb_init(a, id, key);
    return true;
}

void aead_wipe(struct aead *a)
{
    size_t size = a->ops->size;

    if (a->ops->wipe != NULL) {
        a->ops->wipe(a);
    }
    wipe(a, size);
}

void aead_rest(struct aead *a)
{
    if (a->ops->rest != NULL) {
        a->ops->rest(a);
    }
}

bool aead_seal(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], const uint8_t *aad,
               size_t aad_len, uint8_t *dst, const uint8_t *data, size_t len, size_t tail_len)
{
    return aad_len <= AEAD_LONGEST_INPUT && len <= AEAD_LONGEST_INPUT &&
           tail_len <= AEAD_LONGEST_INPUT - len &&
           a->ops->seal(a, nonce, aad, aad_len, dst, data, len, tail_len);
}

enum aead_result aead_open(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN], const uint8_t *aad,
                           size_t aad_len, uint8_t *dst, const uint8_t *src, size_t len)
{
    if (len < a->tag_len || len > AEAD_LONGEST_INPUT || aad_len > AEAD_LONGEST_INPUT) {
        return AEAD_FORGED;
    }
    enum aead_result result = a->ops->open(a, nonce, aad, aad_len, dst, src, len);
    if (result == AEAD_FORGED) {
        /* Nothing unauthenticated gets out: RFC 5116, 2.2. */
        wipe(dst, len - a->tag_len);
    }
    return result;
}

enum aead_result aead_open_apart(struct aead *a, const uint8_t nonce[AEAD_NONCE_LEN],
                                 const uint8_t *aad, size_t aad_len, uint8_t *dst, uint8_t *src,
                                 size_t len)
{
    if (len <= a->tag_len || len > AEAD_LONGEST_INPUT || aad_len > AEAD_LONGEST_INPUT) {
        return AEAD_FORGED;
    }
    enum aead_result result = a->ops->open_apart(a, nonce, aad, aad_len, dst, src, len);
    if (result == AEAD_FORGED) {
        size_t apart_len = len - a->tag_len - 1;
        wipe(dst, apart_len);
        src[apart_len] = 0;
    }
    return result;
}

bool aead_opens_apart(const struct aead *a)
{
    return a->ops->open_apart != NULL;
}

const char *aead_backend(enum aead_id id)
{
    const struct crypto_lib *lib = crypto_lib_default();

    return lib != NULL && goes_to_ipsecmb(lib, id) ? "ipsec-mb" : evp_ops.name;
}
