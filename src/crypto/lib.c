/*
 * Library contexts with the algorithms that TLS needs fetched once. A fetch by name costs locks
 * and a search; a handshake needs dozens of them.
 */
#include "crypto/lib_internal.h"

#include <openssl/crypto.h>
#include <openssl/engine.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/provider.h>
#include <stdlib.h>
#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>
#endif

bool provider_is_builtin(const OSSL_PROVIDER *provider)
{
    return provider != NULL && strcmp(OSSL_PROVIDER_get0_name(provider), "default") == 0;
}

bool engine_has_digest(int nid)
{
    ENGINE *engine = ENGINE_get_digest_engine(nid);

    (void)ENGINE_finish(engine);
    return engine != NULL;
}

bool engine_has_cipher(int nid)
{
    ENGINE *engine = ENGINE_get_cipher_engine(nid);

    (void)ENGINE_finish(engine);
    return engine != NULL;
}

static void destroy(struct crypto_lib *lib)
{
    hash_free_all(lib);
    aead_free_all(lib);
    EVP_CIPHER_free(lib->ticket_cipher);
    ecx_release(&lib->x25519);
    ecx_release(&lib->x448);
    provider_groups_free(&lib->groups);
    OPENSSL_free(lib->propq);
    OPENSSL_free(lib);
}

#define BASE25519_LEN 32

/* The base point of X25519 where multiplying it as any other point is quicker: libcrypto has
 * assembler for that on processors with two carry chains, and portable C with a table for the base
 * point (docs/performance.md has the figures). NULL elsewhere. */
static const uint8_t *quick_base25519(void)
{
#ifdef __x86_64__
    static const uint8_t base[BASE25519_LEN] = { 9 }; /* RFC 7748, 4.1 */
    const unsigned needed = bit_ADX | bit_BMI2;
    unsigned eax = 0;
    unsigned ebx = 0;
    unsigned ecx = 0;
    unsigned edx = 0;

    if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0 && (ebx & needed) == needed) {
        return base;
    }
#endif
    return NULL;
}

static struct crypto_lib *create(OSSL_LIB_CTX *libctx, const char *propq, bool is_default)
{
    struct crypto_lib *lib = OPENSSL_zalloc(sizeof(*lib));

    if (lib == NULL) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    lib->libctx = libctx;
    lib->is_default = is_default;
    atomic_init(&lib->references, 1);
    if (propq != NULL) {
        lib->propq = OPENSSL_strdup(propq);
        if (lib->propq == NULL) {
            ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
            destroy(lib);
            return NULL;
        }
    }
    if (!provider_groups_find(&lib->groups, libctx, propq, true)) {
        destroy(lib);
        return NULL;
    }
    hash_fetch_all(lib, is_default);
    kdf_prepare_all(lib);
    aead_fetch_all(lib);
    ERR_set_mark();
    lib->ticket_cipher = EVP_CIPHER_fetch(libctx, "AES-256-CBC", propq);
    ERR_pop_to_mark();
    lib->ciphers = suite_find_ciphers(lib);
    lib->schemes = sig_scheme_find_available(lib);
    if (is_default) {
        /* Without them EVP does. For X448 libcrypto's way to the share is the quicker one. */
        (void)ecx_find(&lib->x25519, "X25519", quick_base25519(), BASE25519_LEN);
        (void)ecx_find(&lib->x448, "X448", NULL, 0);
    }
    return lib;
}

/* The default instances, the latest first: one for each set of providers that a context was made
 * under. They stay, as connections do not count those that they use. */
static struct crypto_lib *_Atomic default_instances;

static struct crypto_lib *find_instance(struct crypto_lib *from,
                                        const struct provider_groups *groups)
{
    while (from != NULL && !provider_groups_equal(&from->groups, groups)) {
        from = from->earlier;
    }
    return from;
}

/* Makes an instance for the providers of this moment, if nobody else has meanwhile. */
static const struct crypto_lib *add_instance(void)
{
    struct crypto_lib *made = create(NULL, NULL, true);
    struct crypto_lib *newest = atomic_load_explicit(&default_instances, memory_order_acquire);

    if (made == NULL) {
        return NULL;
    }
    /* Kept only when it is usable, so that a failure for want of memory is not for ever. */
    if (hash_get(made, HASH_SHA256) == NULL) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        destroy(made);
        return NULL;
    }
    do {
        struct crypto_lib *equal = find_instance(newest, &made->groups);
        if (equal != NULL) {
            destroy(made);
            return equal;
        }
        made->earlier = newest;
    } while (!atomic_compare_exchange_weak_explicit(&default_instances, &newest, made,
                                                    memory_order_acq_rel, memory_order_acquire));
    return made;
}

static bool has_own_default_context(void)
{
    return OSSL_LIB_CTX_set0_default(NULL) != OSSL_LIB_CTX_get0_global_default();
}

/* The default instance for the providers of this moment. */
static const struct crypto_lib *current_instance(void)
{
    struct crypto_lib *newest = atomic_load_explicit(&default_instances, memory_order_acquire);
    struct provider_groups groups = { .num_providers = 0 };
    const struct crypto_lib *found = NULL;

    if (newest == NULL) {
        return add_instance();
    }
    /* What NULL means to one thread, and for a while, is not what the process goes by. */
    if (has_own_default_context()) {
        return crypto_lib_default();
    }
    if (provider_groups_find(&groups, NULL, NULL, false)) {
        found = find_instance(newest, &groups);
        if (found == NULL) {
            found = add_instance();
        }
    }
    provider_groups_free(&groups);
    return found;
}

const struct crypto_lib *crypto_lib_default(void)
{
    const struct crypto_lib *lib = atomic_load_explicit(&default_instances, memory_order_acquire);

    if (lib == NULL) {
        ERR_set_mark();
        lib = add_instance();
        ERR_pop_to_mark();
        return lib;
    }
    while (lib->earlier != NULL) {
        lib = lib->earlier;
    }
    return lib;
}

const struct crypto_lib *crypto_lib_new(OSSL_LIB_CTX *libctx, const char *propq)
{
    if (libctx == NULL && propq == NULL) {
        return current_instance();
    }
    return create(libctx, propq, false);
}

/* The count is the one thing that changes in an instance once it is made. */
static struct crypto_lib *mutable(const struct crypto_lib *lib)
{
    return (struct crypto_lib *)(uintptr_t)lib;
}

void crypto_lib_up_ref(const struct crypto_lib *lib)
{
    if (!lib->is_default) {
        atomic_fetch_add_explicit(&mutable(lib)->references, 1, memory_order_relaxed);
    }
}

void crypto_lib_free(const struct crypto_lib *lib)
{
    if (lib == NULL || lib->is_default) {
        return;
    }
    struct crypto_lib *owned = mutable(lib);
    if (atomic_fetch_sub_explicit(&owned->references, 1, memory_order_acq_rel) == 1) {
        destroy(owned);
    }
}

bool crypto_lib_is_everybodys(const struct crypto_lib *lib)
{
    return lib->is_default && !has_own_default_context();
}

OSSL_LIB_CTX *crypto_lib_context(const struct crypto_lib *lib)
{
    return lib->libctx;
}

const char *crypto_lib_propq(const struct crypto_lib *lib)
{
    return lib->propq;
}

const EVP_CIPHER *crypto_lib_ticket_cipher(const struct crypto_lib *lib)
{
    return lib->ticket_cipher;
}
