/*
 * The settings an SSL shares with its SSL_CTX until one of the two changes something: defaults,
 * copies, references. Only the swap of a context's settings takes its lock: threads may make SSLs
 * at once, and an SSL goes on with what it was made with whatever is set later. A setter beside
 * SSL_new() is against SSL_CTX_new(3): the SSL may see half of what is being set.
 */
#include "api/ciphers.h"
#include "api/custom_ext.h"
#include "api/internal.h"
#include "api/lists.h"
#include "api/security.h"

#include "crypto/cert.h"
#include <assert.h>
#include <sched.h>
#include <stdatomic.h>

#define DEFAULT_MAX_CERT_LIST (100 * 1024)
#define DEFAULT_NUM_TICKETS   2

static struct ssl_config *config_alloc(void)
{
    struct ssl_config *config = OPENSSL_zalloc(sizeof(*config));

    if (config != NULL) {
        atomic_init(&config->refs, 1);
    }
    return config;
}

/* OpenSSL's defaults without cipher lists; NULL: out of memory. */
static struct ssl_config *ssl_config_new(const struct crypto_lib *lib)
{
    struct ssl_config *config = config_alloc();

    if (config == NULL) {
        return NULL;
    }
    config->core.lib = lib;
    config->core.credentials = credentials_new();
    config->core.max_cert_list = DEFAULT_MAX_CERT_LIST;
    config->core.max_send_fragment = RECORD_MAX_PLAINTEXT;
    config->core.split_send_fragment = RECORD_MAX_PLAINTEXT;
    config->core.options = SSL_OP_NO_COMPRESSION | SSL_OP_ENABLE_MIDDLEBOX_COMPAT;
    config->mode = SSL_MODE_AUTO_RETRY;
    config->param = X509_VERIFY_PARAM_new();
    config->status_type = -1;
    config->core.num_tickets = DEFAULT_NUM_TICKETS;
    config->core.recv_max_early_data = RECORD_MAX_PLAINTEXT;
    config->security_callback = security_default_callback;
    config->security_level = SECURITY_DEFAULT_LEVEL;
    if (config->core.credentials == NULL || config->param == NULL) {
        ssl_config_free(config);
        return NULL;
    }
    return config;
}

/* Interpreting the default cipher string is nearly all of what a context costs, and the settings it
 * begins with are the same for every context of the process's default library: they are made once
 * and shared until a context sets something. */
struct ssl_config *ssl_config_default(const struct crypto_lib *lib)
{
    static struct ssl_config *_Atomic shared;
    struct ssl_config *earlier = NULL;
    struct ssl_config *config = NULL;

    if (lib == crypto_lib_default()) {
        config = atomic_load_explicit(&shared, memory_order_acquire);
        if (config != NULL) {
            return ssl_config_ref(config);
        }
    }
    config = ssl_config_new(lib);
    if (config == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    if (!ciphers_set_defaults(config)) {
        raise_error(SSL_R_LIBRARY_HAS_NO_CIPHERS);
        ssl_config_free(config);
        return NULL;
    }
    if (lib == crypto_lib_default() && atomic_compare_exchange_strong(&shared, &earlier, config)) {
        return ssl_config_ref(config);
    }
    return config;
}

struct ssl_config *ssl_config_ref(struct ssl_config *config)
{
    (void)atomic_fetch_add_explicit(&config->refs, 1, memory_order_relaxed);
    return config;
}

/* The parts of copy that may not be shared with source become copies. False: out of memory. */
static bool copy_owned(struct ssl_config *copy, const struct ssl_config *source)
{
    bool ok = true;

    copy->param = X509_VERIFY_PARAM_new();
    if (copy->param == NULL || X509_VERIFY_PARAM_inherit(copy->param, source->param) == 0) {
        ok = false;
    }
    if (source->ciphers != NULL) {
        copy->ciphers = sk_SSL_CIPHER_dup(source->ciphers);
        ok = ok && copy->ciphers != NULL;
    }
    if (source->ciphers13 != NULL) {
        copy->ciphers13 = sk_SSL_CIPHER_dup(source->ciphers13);
        ok = ok && copy->ciphers13 != NULL;
    }
    if (!custom_extensions_copy(&copy->custom, source->custom, source->num_custom)) {
        copy->num_custom = 0;
        ok = false;
    }
    return ok;
}

/* Where the settings go on behind the count of references. */
#define REST_AT offsetof(struct ssl_config, mode)

struct ssl_config *ssl_config_copy(const struct ssl_config *source)
{
    struct ssl_config *copy = config_alloc();

    if (copy == NULL) {
        return NULL;
    }
    /* All but the count: other threads may take their references meanwhile. */
    copy->core = source->core;
    memcpy((char *)copy + REST_AT, (const char *)source + REST_AT, sizeof(*copy) - REST_AT);
    config_copy(&copy->core, &source->core);
    (void)blob_ref(copy->client_cert_types);
    if (copy->dh_pkey != NULL) {
        EVP_PKEY_up_ref(copy->dh_pkey);
    }
    if (copy->verify_store != NULL) {
        X509_STORE_up_ref(copy->verify_store);
    }
    if (copy->chain_store != NULL) {
        X509_STORE_up_ref(copy->chain_store);
    }
    copy->param = NULL;
    copy->ciphers = NULL;
    copy->ciphers13 = NULL;
    copy->custom = NULL;
    if (!copy_owned(copy, source)) {
        ssl_config_free(copy);
        return NULL;
    }
    return copy;
}

void ssl_config_free(struct ssl_config *config)
{
    if (config == NULL || atomic_fetch_sub_explicit(&config->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    config_wipe(&config->core);
    X509_VERIFY_PARAM_free(config->param);
    X509_STORE_free(config->verify_store);
    X509_STORE_free(config->chain_store);
    sk_SSL_CIPHER_free(config->ciphers);
    sk_SSL_CIPHER_free(config->ciphers13);
    blob_free(config->client_cert_types);
    custom_extensions_free(config->custom, config->num_custom);
    EVP_PKEY_free(config->dh_pkey);
    OPENSSL_free(config);
}

struct ssl_config *ssl_config_edit(struct ssl_config **config)
{
    if (atomic_load_explicit(&(*config)->refs, memory_order_acquire) == 1) {
        return *config;
    }
    struct ssl_config *copy = ssl_config_copy(*config);
    if (copy != NULL) {
        ssl_config_free(*config);
        *config = copy;
    }
    return copy;
}

/* Puts a copy of a context's settings in their place. Whoever has read the old pointer and has not
 * yet counted its reference is waited for: that is an instruction or two. */
static struct ssl_config *exchange_config(SSL_CTX *ctx, struct ssl_config *old)
{
    struct ssl_config *copy = ssl_config_copy(old);

    if (copy == NULL) {
        return NULL;
    }
    atomic_store(&ctx->config, copy);
    while (atomic_load(&ctx->readers) != 0) {
        (void)sched_yield();
    }
    ssl_config_free(old);
    return copy;
}

struct ssl_config *ctx_edit(SSL_CTX *ctx)
{
    struct ssl_config *config = NULL;

    if (CRYPTO_THREAD_write_lock(ctx->lock) != 0) {
        config = ctx->config;
        if (atomic_load_explicit(&config->refs, memory_order_acquire) != 1) {
            config = exchange_config(ctx, config);
        }
        CRYPTO_THREAD_unlock(ctx->lock);
    }
    if (config == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    }
    return config;
}

/* Every SSL_new() comes here, from any thread: a lock would be the one that they all meet at. */
struct ssl_config *ctx_config_ref(SSL_CTX *ctx)
{
    atomic_fetch_add(&ctx->readers, 1);
    struct ssl_config *config = ssl_config_ref(atomic_load(&ctx->config));
    atomic_fetch_sub(&ctx->readers, 1);
    return config;
}

struct ssl_config *ssl_edit(SSL *s)
{
    struct ssl_config *config = ssl_config_edit(&s->config);

    if (config == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    s->conn.config = &config->core;
    return config;
}

static_assert(SSL_CERT_FLAG_SUITEB_128_LOS_ONLY == SUITE_B_128_ONLY << 16 &&
                  SSL_CERT_FLAG_SUITEB_192_LOS == SUITE_B_192 << 16 &&
                  SSL_CERT_FLAG_SUITEB_128_LOS == SUITE_B_128 << 16,
              "Suite B's levels are the flags' bits");

void config_set_cert_flags(struct ssl_config *config, uint32_t flags)
{
    config->cert_flags = flags;
    config->core.suite_b = (enum suite_b)(flags >> 16 & SUITE_B_128);
    config->core.strict_certs = (flags & SSL_CERT_FLAG_TLS_STRICT) != 0;
}
