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
        return NULL;
    }
    lib->libctx = libctx;
    lib->is_default = is_default;
    atomic_init(&lib->references, 1);
    if (propq != NULL) {
        lib->propq = OPENSSL_strdup(propq);
        if (lib->propq == NULL) {
            destroy(lib);
            return NULL;
        }
    }
    hash_fetch_all(lib, is_default);
    kdf_prepare_all(lib);
    aead_fetch_all(lib);
    ERR_set_mark();
    lib->ticket_cipher = EVP_CIPHER_fetch(libctx, "AES-256-CBC", propq);
    ERR_pop_to_mark();
    lib->ciphers = suite_find_ciphers(lib);
    lib->groups = group_find_available(libctx, propq);
    lib->schemes = sig_scheme_find_available(lib);
    if (is_default) {
        /* Without them EVP does. For X448 libcrypto's way to the share is the quicker one. */
        (void)ecx_find(&lib->x25519, "X25519", quick_base25519(), BASE25519_LEN);
        (void)ecx_find(&lib->x448, "X448", NULL, 0);
    }
    return lib;
}

const struct crypto_lib *crypto_lib_default(void)
{
    static struct crypto_lib *_Atomic made;
    struct crypto_lib *lib = atomic_load_explicit(&made, memory_order_acquire);

    if (lib != NULL) {
        return lib;
    }
    lib = create(NULL, NULL, true);
    if (lib == NULL) {
        return NULL;
    }
    /* Kept only when it is usable, so that a failure for want of memory is not for ever. */
    if (hash_get(lib, HASH_SHA256) == NULL) {
        destroy(lib);
        return NULL;
    }
    struct crypto_lib *earlier = NULL;
    if (!atomic_compare_exchange_strong(&made, &earlier, lib)) {
        destroy(lib);
        return earlier;
    }
    return lib;
}

const struct crypto_lib *crypto_lib_new(OSSL_LIB_CTX *libctx, const char *propq)
{
    if (libctx == NULL && propq == NULL) {
        return crypto_lib_default();
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
    return lib->is_default && OSSL_LIB_CTX_set0_default(NULL) == OSSL_LIB_CTX_get0_global_default();
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
