/*
 * SSL_CTX: making, sharing and freeing contexts, and what identifies them.
 */
#include "api/ca_list.h"
#include "api/ciphers.h"
#include "api/ct.h"
#include "api/dane.h"
#include "api/init.h"
#include "api/internal.h"
#include "api/method.h"
#include "api/session_cache.h"
#include "api/ticket_keys.h"
#include "api/ticket_secret.h"
#include "api/verify.h"

#include "crypto/cert.h"
#include "crypto/random.h"
#include <openssl/engine.h>
#include <stdatomic.h>
#include <strings.h>
#include <time.h>

#define DEFAULT_SESSION_TIMEOUT (2 * 60 * 60) /* seconds */

/* Fills in what a context needs from the outset. False: an error was raised. */
/* What the operator has said in our own settings. */
static bool apply_server_settings(SSL_CTX *ctx)
{
    const char *secret = conf_own_setting("TENON_TICKET_SECRET_FILE", "TicketSecretFile");
    const char *protection = conf_own_setting("TENON_EARLY_DATA_PROTECTION", "EarlyDataProtection");

    if (protection != NULL && strcasecmp(protection, "always") == 0) {
        struct ssl_config *own = ctx_edit(ctx);
        if (own == NULL) {
            return false;
        }
        own->core.protects_early_data = true;
    }
    if (!ticket_keys_init(ctx, time(NULL))) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return false;
    }
    return ticket_secret_configure(secret);
}

static bool ctx_init(SSL_CTX *ctx, OSSL_LIB_CTX *libctx, const char *propq)
{
    ctx->lock = CRYPTO_THREAD_lock_new();
    ctx->lib = crypto_lib_new(libctx, propq);
    if (ctx->lib == NULL) {
        return false; /* it has said why */
    }
    if (ctx->lock == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    ctx->config = ssl_config_default(ctx->lib);
    if (ctx->config == NULL) {
        return false;
    }
    ctx->cert_store = X509_STORE_new();
    ctx->ca_names = sk_X509_NAME_new_null();
    ctx->client_ca_names = sk_X509_NAME_new_null();
    if (ctx->cert_store == NULL || ctx->ca_names == NULL || ctx->client_ca_names == NULL ||
        !session_cache_init(ctx) ||
        CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL_CTX, ctx, &ctx->ex_data) == 0) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    uint16_t only_version = method_only_version(ctx->method);
    if (only_version != 0) {
        struct ssl_config *own = ctx_edit(ctx);
        if (own == NULL) {
            return false;
        }
        own->core.only_version = only_version;
    }
    if (!random_secret(ctx->lib, ctx->cookie_key, sizeof(ctx->cookie_key))) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return false;
    }
    if (ctx->method->role != ROLE_CLIENT && !apply_server_settings(ctx)) {
        return false;
    }
    ctx->session_cache_mode = SSL_SESS_CACHE_SERVER;
    ctx->session_cache_size = SSL_SESSION_CACHE_MAX_SIZE_DEFAULT;
    ctx->session_timeout = DEFAULT_SESSION_TIMEOUT;
    return true;
}

SSL_CTX *SSL_CTX_new_ex(OSSL_LIB_CTX *libctx, const char *propq, const SSL_METHOD *method)
{
    if (method == NULL) {
        raise_error(SSL_R_NULL_SSL_METHOD_PASSED);
        return NULL;
    }
    if (!init_for_context() || !method_is_usable(method)) {
        return NULL;
    }
    if (verify_ssl_index() < 0) {
        raise_error(SSL_R_X509_VERIFICATION_SETUP_PROBLEMS);
        return NULL;
    }
    SSL_CTX *ctx = OPENSSL_zalloc(sizeof(*ctx));
    if (ctx == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    atomic_init(&ctx->refs, 1);
    ctx->method = method;
    if (!ctx_init(ctx, libctx, propq)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    conf_apply_system_default(ctx);
    return ctx;
}

SSL_CTX *SSL_CTX_new(const SSL_METHOD *method)
{
    return SSL_CTX_new_ex(NULL, NULL, method);
}

int SSL_CTX_up_ref(SSL_CTX *ctx)
{
    (void)atomic_fetch_add_explicit(&ctx->refs, 1, memory_order_relaxed);
    return 1;
}

void SSL_CTX_free(SSL_CTX *ctx)
{
    if (ctx == NULL || atomic_fetch_sub_explicit(&ctx->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    /* The remove callback may still ask for the context's ex_data. */
    session_cache_wipe(ctx);
    CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL_CTX, ctx, &ctx->ex_data);
    ct_ctx_wipe(ctx);
    dane_ctx_wipe(ctx);
    X509_STORE_free(ctx->cert_store);
    X509_VERIFY_PARAM_free(ctx->param);
    ENGINE_finish(ctx->client_cert_engine);
    cert_list_free(ctx->extra_certs);
    sk_SRTP_PROTECTION_PROFILE_free(ctx->srtp_profiles);
    ca_list_free(ctx->ca_names);
    ca_list_free(ctx->client_ca_names);
    ssl_config_free(ctx->config);
    crypto_lib_free(ctx->lib);
    CRYPTO_THREAD_lock_free(ctx->lock);
    OPENSSL_cleanse(ctx->cookie_key, sizeof(ctx->cookie_key));
    ticket_keys_wipe(ctx);
    EVP_CIPHER_CTX_free(ctx->ticket_cipher);
    OPENSSL_free(ctx);
}

int SSL_CTX_set_ssl_version(SSL_CTX *ctx, const SSL_METHOD *method)
{
    if (!method_is_usable(method)) {
        return 0;
    }
    struct ssl_config *config = ctx_edit(ctx);
    if (config == NULL) {
        return 0;
    }
    ctx->method = method;
    config->core.only_version = method_only_version(method);
    if (!ciphers_set_defaults(config)) {
        raise_error(SSL_R_SSL_LIBRARY_HAS_NO_CIPHERS);
        return 0;
    }
    return 1;
}

const SSL_METHOD *SSL_CTX_get_ssl_method(const SSL_CTX *ctx)
{
    return ctx->method;
}
