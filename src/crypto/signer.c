/*
 * Signing with a key that is used often; see signer.h. EVP_DigestSignInit searches for the
 * signature and the digest by name and takes 48 locks; a copy of a context that has been through
 * it takes none.
 */
#include "crypto/signer.h"

#include "crypto/lib_internal.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdatomic.h>

#define MAX_SCHEMES 32

struct signer {
    _Atomic uint32_t refs;
    EVP_PKEY *key; /* counted */
    /* By row of sig_scheme_table(): a context to copy, owned, never changed once it is here; NULL:
     * not yet, or the scheme takes the ordinary route. */
    EVP_PKEY_CTX *_Atomic prepared[MAX_SCHEMES];
    /* Known to fit, in TLS 1.3 the second row. What does not fit is asked again: it may have been
     * want of memory. */
    atomic_bool fits[2][MAX_SCHEMES];
};

struct signer *signer_new(EVP_PKEY *key)
{
    struct signer *s = OPENSSL_zalloc(sizeof(*s));

    if (s == NULL) {
        return NULL;
    }
    if (EVP_PKEY_up_ref(key) != 1) {
        OPENSSL_free(s);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    s->key = key;
    return s;
}

struct signer *signer_ref(struct signer *s)
{
    if (s != NULL) {
        (void)atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    }
    return s;
}

void signer_free(struct signer *s)
{
    if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < MAX_SCHEMES; i++) {
        EVP_PKEY_CTX_free(s->prepared[i]);
    }
    EVP_PKEY_free(s->key);
    OPENSSL_free(s);
}

static size_t row_of(const struct sig_scheme *scheme)
{
    size_t num;
    size_t row = (size_t)(scheme - sig_scheme_table(&num));

    return row < num && row < MAX_SCHEMES ? row : MAX_SCHEMES;
}

/* True when what is found out about the key stays true. */
static bool is_plain(const struct crypto_lib *lib, const struct signer *s)
{
    return lib->is_default && provider_is_builtin(EVP_PKEY_get0_provider(s->key));
}

bool signer_fits(const struct crypto_lib *lib, const struct sig_scheme *scheme, struct signer *s,
                 bool tls13)
{
    size_t row = row_of(scheme);

    if (row == MAX_SCHEMES || !is_plain(lib, s)) {
        return sig_scheme_fits_key(lib, scheme, s->key, tls13);
    }
    bool fits = atomic_load_explicit(&s->fits[tls13][row], memory_order_relaxed);
    if (!fits) {
        fits = sig_scheme_fits_key(lib, scheme, s->key, tls13);
        atomic_store_explicit(&s->fits[tls13][row], fits, memory_order_relaxed);
    }
    return fits;
}

/* A context for signing digests under scheme; NULL: there is none, or out of memory. Leaves no
 * error: the ordinary route will raise its own. */
static EVP_PKEY_CTX *prepare(const struct crypto_lib *lib, const struct sig_scheme *scheme,
                             EVP_PKEY *key)
{
    ERR_set_mark();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, key, lib->propq);
    bool ready = ctx != NULL && EVP_PKEY_sign_init(ctx) == 1 &&
                 provider_is_builtin(EVP_PKEY_CTX_get0_provider(ctx)) &&
                 EVP_PKEY_CTX_set_signature_md(ctx, lib->hashes[scheme->hash].md) == 1 &&
                 sig_scheme_set_padding(lib, scheme, ctx);
    ERR_pop_to_mark();
    if (!ready) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

/* The context to copy for scheme; NULL: the ordinary route it is. */
static const EVP_PKEY_CTX *prepared_for(const struct crypto_lib *lib,
                                        const struct sig_scheme *scheme, struct signer *s)
{
    size_t row = row_of(scheme);

    if (row == MAX_SCHEMES || scheme->hash == HASH_NONE || scheme->kind == SIG_DSA ||
        hash_get(lib, scheme->hash) == NULL || !is_plain(lib, s)) {
        return NULL;
    }
    EVP_PKEY_CTX *ctx = atomic_load_explicit(&s->prepared[row], memory_order_acquire);
    if (ctx != NULL) {
        return ctx;
    }
    ctx = prepare(lib, scheme, s->key);
    EVP_PKEY_CTX *earlier = NULL;
    if (ctx != NULL && !atomic_compare_exchange_strong(&s->prepared[row], &earlier, ctx)) {
        EVP_PKEY_CTX_free(ctx);
        ctx = earlier;
    }
    return ctx;
}

/* Signs the digest of data with a copy of template. */
static bool sign_digest(const EVP_PKEY_CTX *template, const struct hash *hash, EVP_PKEY *key,
                        const uint8_t *data, size_t len, struct writer *out)
{
    int size = EVP_PKEY_get_size(key);
    size_t before = writer_len(out);
    size_t sig_len = size > 0 ? (size_t)size : 0;
    uint8_t *at = sig_len > 0 ? writer_space(out, sig_len) : NULL;
    uint8_t digest[HASH_MAX_LEN];

    if (at == NULL) {
        return false;
    }
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_dup(template);
    bool done = ctx != NULL && hash_once(hash, data, len, digest) &&
                EVP_PKEY_sign(ctx, at, &sig_len, digest, hash_len(hash)) == 1 &&
                sig_len <= (size_t)size;
    writer_cut(out, done ? before + sig_len : before);
    EVP_PKEY_CTX_free(ctx);
    return done;
}

bool signer_sign(const struct crypto_lib *lib, const struct sig_scheme *scheme, struct signer *s,
                 const uint8_t *data, size_t len, struct writer *out)
{
    const EVP_PKEY_CTX *template = prepared_for(lib, scheme, s);

    if (template == NULL) {
        return sig_sign(lib, scheme, s->key, data, len, out);
    }
    return sign_digest(template, hash_get(lib, scheme->hash), s->key, data, len, out);
}
