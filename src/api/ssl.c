/*
 * SSL: making, duplicating, sharing and freeing connections, and moving one to another context.
 */
#include "api/app_ticket.h"
#include "api/ca_list.h"
#include "api/ciphers.h"
#include "api/ct.h"
#include "api/custom_ext.h"
#include "api/dane.h"
#include "api/internal.h"
#include "api/method.h"
#include "api/ocsp.h"
#include "api/resumption.h"
#include "api/verify.h"

#include "crypto/cert.h"
#include "engine/engine.h"
#include <stdatomic.h>
#include <string.h>

SSL *SSL_new(SSL_CTX *ctx)
{
    if (ctx == NULL) {
        raise_error(SSL_R_NULL_SSL_CTX);
        return NULL;
    }
    SSL *s = OPENSSL_zalloc(sizeof(*s));
    if (s == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    atomic_init(&s->refs, 1);
    conn_init(&s->conn, &ssl_hooks, s);
    s->config = ctx_config_ref(ctx);
    if (CRYPTO_new_ex_data(CRYPTO_EX_INDEX_SSL, s, &s->ex_data) == 0) {
        ssl_config_free(s->config);
        conn_wipe(&s->conn);
        OPENSSL_free(s);
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    s->conn.config = &s->config->core;
    (void)SSL_CTX_up_ref(ctx);
    s->session_ctx = ctx;
    s->ctx = ctx;
    s->method = ctx->method;
    s->born_server = ctx->method->role != ROLE_CLIENT;
    s->quiet_shutdown = s->config->quiet_shutdown;
    s->rwstate = SSL_NOTHING;
    s->verify_result = X509_V_OK;
    s->sent_slot = KEY_NONE;
    if (!verify_start_param(s) || !ct_begin(s)) {
        SSL_free(s);
        return NULL;
    }
    return s;
}

int SSL_up_ref(SSL *s)
{
    (void)atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
    return 1;
}

/* Changes the context that is in force. */
static void set_ctx(SSL *s, SSL_CTX *ctx)
{
    SSL_CTX *old = s->ctx;

    if (ctx != s->session_ctx) {
        (void)SSL_CTX_up_ref(ctx);
    }
    s->ctx = ctx;
    if (old != s->session_ctx) {
        SSL_CTX_free(old);
    }
}

/* Takes one reference away; true: it was the last. Who has the only one is alone with the object,
 * and need not ask the other processors for it. */
static bool drops_last(SSL *s)
{
    return atomic_load_explicit(&s->refs, memory_order_acquire) == 1 ||
           atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) == 1;
}

void SSL_free(SSL *s)
{
    if (s == NULL || !drops_last(s)) {
        return;
    }
    dane_wipe(s);
    CRYPTO_free_ex_data(CRYPTO_EX_INDEX_SSL, s, &s->ex_data);
    BIO_free_all(s->wbio);
    BIO_free_all(s->rbio);
    (void)forget_unclosed_session(s);
    tls_abandon(&s->conn);
    conn_wipe(&s->conn);
    X509_VERIFY_PARAM_free(s->param);
    cert_list_free(s->verified_chain);
    peer_chain_free(s->verified);
    sk_SRTP_PROTECTION_PROFILE_free(s->srtp_profiles);
    ca_list_free(s->ca_names);
    ca_list_free(s->client_ca_names);
    ca_list_free(s->peer_ca_names);
    sk_SSL_CIPHER_free(s->peer_ciphers);
    app_tickets_free(s);
    ocsp_wipe(s);
    ct_wipe(s);
    custom_extensions_reset(s);
    async_wipe(s);
    OPENSSL_free(s->hostname);
    ssl_config_free(s->config);
    set_ctx(s, s->session_ctx);
    SSL_CTX_free(s->session_ctx);
    OPENSSL_free(s);
}

SSL_CTX *SSL_get_SSL_CTX(const SSL *s)
{
    return s->ctx;
}

const SSL_METHOD *SSL_get_ssl_method(const SSL *s)
{
    return s->method;
}

int SSL_set_ssl_method(SSL *s, const SSL_METHOD *method)
{
    if (s->method == method) {
        return 1;
    }
    if (!method_is_usable(method)) {
        return 0;
    }
    struct ssl_config *config = ssl_edit(s);
    if (config == NULL) {
        return 0;
    }
    config->core.only_version = method_only_version(method);
    s->method = method;
    return 1;
}

/* What OpenSSL keeps in the structure it calls the certificate of an object, and therefore swaps
 * as a whole. False: out of memory, to is unchanged. */
static bool take_identity(struct ssl_config *to, const struct ssl_config *from)
{
    struct ssl_config *copy = ssl_config_copy(from);

    if (copy == NULL) {
        return false;
    }
#define SWAP(type, member)                                                                         \
    do {                                                                                           \
        type swapped = to->member;                                                                 \
        to->member = copy->member;                                                                 \
        copy->member = swapped;                                                                    \
    } while (0)
    SWAP(struct credentials *, core.credentials);
    SWAP(struct blob *, core.sigalgs);
    SWAP(struct blob *, core.client_sigalgs);
    SWAP(struct blob *, client_cert_types);
    SWAP(X509_STORE *, verify_store);
    SWAP(X509_STORE *, chain_store);
    SWAP(struct custom_extension *, custom);
    SWAP(size_t, num_custom);
    SWAP(EVP_PKEY *, dh_pkey);
    SWAP(struct blob *, core.psk_identity_hint);
#undef SWAP
    to->cert_flags = copy->cert_flags;
    to->cert_cb = copy->cert_cb;
    to->cert_cb_arg = copy->cert_cb_arg;
    to->security_level = copy->security_level;
    to->security_callback = copy->security_callback;
    to->security_ex_data = copy->security_ex_data;
    to->dh_callback = copy->dh_callback;
    to->dh_auto = copy->dh_auto;
    ssl_config_free(copy);
    return true;
}

/* The context's settings are counted while they are looked at: another thread may exchange them. */
bool ssl_follow_ctx(SSL *s)
{
    bool ok = true;

    if (s->config->own_ciphers || s->config == s->ctx->config) {
        return true;
    }
    struct ssl_config *latest = ctx_config_ref(s->ctx);
    if (!ciphers_are_shared(s->config, latest)) {
        struct ssl_config *config = ssl_edit(s);
        ok = config != NULL && ciphers_share(config, latest);
        if (config != NULL && !ok) {
            raise_error(ERR_R_MALLOC_FAILURE);
        }
    }
    ssl_config_free(latest);
    return ok;
}

void (*ssl_info_callback(const SSL *s))(const SSL *, int, int)
{
    return s->info_callback != NULL ? s->info_callback : s->ctx->info_callback;
}

/* A session id context that the SSL was given itself stays; one that came from the old context
 * follows to the new one. */
static void follow_session_context(struct ssl_config *config, const struct ssl_config *old,
                                   const struct ssl_config *new)
{
    if (config->session_context_len == old->session_context_len &&
        memcmp(config->session_context, old->session_context, old->session_context_len) == 0) {
        memcpy(config->session_context, new->session_context, sizeof(config->session_context));
        config->session_context_len = new->session_context_len;
    }
}

SSL_CTX *SSL_set_SSL_CTX(SSL *s, SSL_CTX *ctx)
{
    if (ctx == NULL) {
        ctx = s->session_ctx;
    }
    if (ctx == s->ctx) {
        return ctx;
    }
    struct ssl_config *new = ctx_config_ref(ctx);
    struct ssl_config *config = new == NULL ? NULL : ssl_edit(s);
    bool ok = config != NULL && take_identity(config, new);
    if (ok) {
        config->core.lib = ctx->lib;
        struct ssl_config *old = ctx_config_ref(s->ctx);
        follow_session_context(config, old, new);
        ssl_config_free(old);
        set_ctx(s, ctx);
        s->sent_slot = KEY_NONE;
        ok = ssl_follow_ctx(s);
    }
    ssl_config_free(new);
    return ok ? ctx : NULL;
}

/* The settings of a duplicate: those of the original that SSL_dup() carries over, else those of the
 * context. NULL: out of memory. */
static struct ssl_config *duplicate_settings(const SSL *s)
{
    struct ssl_config *latest = ctx_config_ref(s->ctx);
    struct ssl_config *config = ssl_config_copy(latest);

    ssl_config_free(latest);
    if (config == NULL || !take_identity(config, s->config)) {
        ssl_config_free(config);
        return NULL;
    }
    config->core.options = s->config->core.options;
    config->core.min_version = s->config->core.min_version;
    config->core.max_version = s->config->core.max_version;
    config->core.only_version = s->config->core.only_version;
    config->core.max_cert_list = s->config->core.max_cert_list;
    config->core.ask_client_cert = s->config->core.ask_client_cert;
    config->core.require_client_cert = s->config->core.require_client_cert;
    config->core.ask_client_cert_once = s->config->core.ask_client_cert_once;
    config->core.verify_server = s->config->core.verify_server;
    config->mode = s->config->mode;
    config->verify_mode = s->config->verify_mode;
    config->verify_callback = s->config->verify_callback;
    config->msg_callback = s->config->msg_callback;
    config->core.reports_records = s->config->core.reports_records;
    config->msg_callback_arg = s->config->msg_callback_arg;
    config->passwd_callback = s->config->passwd_callback;
    config->passwd_userdata = s->config->passwd_userdata;
    config->read_ahead = s->config->read_ahead;
    config->generate_session_id = s->config->generate_session_id;
    memcpy(config->session_context, s->config->session_context, sizeof(config->session_context));
    config->session_context_len = s->config->session_context_len;
    config->own_ciphers = s->config->own_ciphers;
    if ((config->own_ciphers && !ciphers_share(config, s->config)) ||
        X509_VERIFY_PARAM_inherit(config->param, verify_param(s)) == 0) {
        ssl_config_free(config);
        return NULL;
    }
    return config;
}

/* The parameters of verification: those of the context hold where the original has none of its own,
 * and the depth is the original's. */
static bool duplicate_param(SSL *copy, const SSL *s)
{
    const X509_VERIFY_PARAM *source = verify_param(s);
    X509_VERIFY_PARAM *param = s->param != NULL ? verify_own_param(copy) : copy->param;

    if (param == NULL) {
        return s->param == NULL;
    }
    X509_VERIFY_PARAM_set_depth(param, X509_VERIFY_PARAM_get_depth(source));
    return X509_VERIFY_PARAM_inherit(param, source) == 1;
}

/* Carries everything but the settings and the session over to copy, which is new. */
static bool duplicate_rest(SSL *copy, const SSL *s)
{
    copy->method = s->method;
    copy->info_callback = s->info_callback;
    copy->sent_slot = s->sent_slot;
    copy->shutdown = s->shutdown;
    return duplicate_param(copy, s) && ca_list_copy(&copy->ca_names, s->ca_names) &&
           ca_list_copy(&copy->client_ca_names, s->client_ca_names) && dane_copy(copy, s) &&
           CRYPTO_dup_ex_data(CRYPTO_EX_INDEX_SSL, &copy->ex_data, &s->ex_data) != 0;
}

SSL *SSL_dup(SSL *s)
{
    /* A connection that has begun to talk cannot be in two places. */
    if (!SSL_in_before(s)) {
        (void)SSL_up_ref(s);
        return s;
    }
    SSL *copy = SSL_new(s->ctx);
    if (copy == NULL) {
        return NULL;
    }
    struct ssl_config *config = duplicate_settings(s);
    if (config != NULL) {
        ssl_config_free(copy->config);
        copy->config = config;
        copy->conn.config = &config->core;
    }
    if (config == NULL || !duplicate_rest(copy, s) ||
        (s->conn.session != NULL && SSL_copy_session_id(copy, s) == 0)) {
        SSL_free(copy);
        return NULL;
    }
    if (s->state_set && s->conn.role == ROLE_CLIENT) {
        SSL_set_connect_state(copy);
    } else if (s->state_set) {
        SSL_set_accept_state(copy);
    }
    copy->shutdown = s->shutdown; /* setting the state cleared it */
    return copy;
}
