/*
 * Certificate Transparency (RFC 6962) on a client: collecting the server's timestamps from the
 * handshake, the OCSP response and the certificate, and having them judged. Behaviour:
 * SSL_CTX_set_ct_validation_callback(3), SSL_CTX_set_ctlog_list_file(3), SSL_get0_peer_scts(3).
 */
#include "api/ct.h"

#include "api/certs.h"
#include "api/dane.h"

#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* --- Logs --- */

/* The context's logs, made when first needed; NULL: out of memory. */
static CTLOG_STORE *logs_of(SSL_CTX *ctx)
{
    CTLOG_STORE *logs;

    if (!CRYPTO_THREAD_write_lock(ctx->lock)) {
        return NULL;
    }
    if (ctx->ctlog_store == NULL) {
        ctx->ctlog_store =
            CTLOG_STORE_new_ex(settings_libctx(NULL, ctx), settings_propq(NULL, ctx));
    }
    logs = ctx->ctlog_store;
    CRYPTO_THREAD_unlock(ctx->lock);
    return logs;
}

int SSL_CTX_set_default_ctlog_list_file(SSL_CTX *ctx)
{
    CTLOG_STORE *logs = logs_of(ctx);

    return logs != NULL && CTLOG_STORE_load_default_file(logs);
}

int SSL_CTX_set_ctlog_list_file(SSL_CTX *ctx, const char *path)
{
    CTLOG_STORE *logs = logs_of(ctx);

    return logs != NULL && CTLOG_STORE_load_file(logs, path);
}

void SSL_CTX_set0_ctlog_store(SSL_CTX *ctx, CTLOG_STORE *logs)
{
    CTLOG_STORE_free(ctx->ctlog_store);
    ctx->ctlog_store = logs;
}

const CTLOG_STORE *SSL_CTX_get0_ctlog_store(const SSL_CTX *ctx)
{
    /* A member that is made late, behind a function that is const for the application. */
    return logs_of((SSL_CTX *)(uintptr_t)ctx);
}

/* --- Whether and how --- */

/* The timestamps belong either to this file or to the application's custom extension. */
static bool is_taken(SSL_CTX *ctx, ssl_ct_validation_cb callback)
{
    if (callback != NULL &&
        SSL_CTX_has_client_custom_ext(ctx, TLSEXT_TYPE_signed_certificate_timestamp)) {
        raise_error(SSL_R_CUSTOM_EXT_HANDLER_ALREADY_INSTALLED);
        return true;
    }
    return false;
}

static int set_callback(SSL *s, SSL_CTX *ctx, ssl_ct_validation_cb callback, void *arg)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config == NULL) {
        return 0;
    }
    config->ct_callback = callback;
    config->ct_callback_arg = arg;
    return 1;
}

int SSL_set_ct_validation_callback(SSL *s, ssl_ct_validation_cb callback, void *arg)
{
    if (is_taken(s->ctx, callback)) {
        return 0;
    }
    /* Servers may deliver timestamps in the OCSP response (RFC 6962, 3.3). */
    if (callback != NULL && !SSL_set_tlsext_status_type(s, TLSEXT_STATUSTYPE_ocsp)) {
        return 0;
    }
    return set_callback(s, NULL, callback, arg);
}

int SSL_CTX_set_ct_validation_callback(SSL_CTX *ctx, ssl_ct_validation_cb callback, void *arg)
{
    return !is_taken(ctx, callback) && set_callback(NULL, ctx, callback, arg);
}

int SSL_ct_is_enabled(const SSL *s)
{
    return s->config->ct_callback != NULL;
}

int SSL_CTX_ct_is_enabled(const SSL_CTX *ctx)
{
    return ctx->config->ct_callback != NULL;
}

static int accept_all(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) *scts, void *arg)
{
    (void)ctx;
    (void)scts;
    (void)arg;
    return 1;
}

/* One timestamp that is valid is enough. */
static int want_one(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) *scts, void *arg)
{
    (void)ctx;
    (void)arg;
    for (int i = 0; i < sk_SCT_num(scts); i++) {
        if (SCT_get_validation_status(sk_SCT_value(scts, i)) == SCT_VALIDATION_STATUS_VALID) {
            return 1;
        }
    }
    raise_error(SSL_R_NO_VALID_SCTS);
    return 0;
}

/* The callback for SSL_CT_VALIDATION_*; NULL: unknown, an error was raised. */
static ssl_ct_validation_cb callback_of_mode(int mode)
{
    switch (mode) {
    case SSL_CT_VALIDATION_PERMISSIVE:
        return accept_all;
    case SSL_CT_VALIDATION_STRICT:
        return want_one;
    default:
        raise_error(SSL_R_INVALID_CT_VALIDATION_TYPE);
        return NULL;
    }
}

int SSL_enable_ct(SSL *s, int validation_mode)
{
    ssl_ct_validation_cb callback = callback_of_mode(validation_mode);

    return callback != NULL && SSL_set_ct_validation_callback(s, callback, NULL);
}

int SSL_CTX_enable_ct(SSL_CTX *ctx, int validation_mode)
{
    ssl_ct_validation_cb callback = callback_of_mode(validation_mode);

    return callback != NULL && SSL_CTX_set_ct_validation_callback(ctx, callback, NULL);
}

bool ct_begin(SSL *s)
{
    return s->config->ct_callback == NULL ||
           SSL_set_ct_validation_callback(s, s->config->ct_callback, s->config->ct_callback_arg);
}

bool ct_wanted(const SSL *s)
{
    return s->config->ct_callback != NULL;
}

/* --- Collecting --- */

static void forget_timestamps(SSL *s)
{
    SCT_LIST_free(s->scts);
    s->scts = NULL;
    s->scts_collected = false;
}

bool ct_received(void *owner, const uint8_t *list, size_t len)
{
    SSL *s = owner;
    struct blob *copy = blob_new(list, len);

    if (copy == NULL) {
        return false;
    }
    forget_timestamps(s);
    blob_set(&s->tls_scts, copy);
    return true;
}

/* Moves timestamps, last first as OpenSSL does, to the connection's and frees the list. A source
 * that has none (NULL) still makes the connection's list. False: out of memory. */
static bool take(SSL *s, STACK_OF(SCT) *list, sct_source_t source)
{
    SCT *sct = NULL;
    bool ok = true;

    if (s->scts == NULL) {
        s->scts = sk_SCT_new_null();
        ok = s->scts != NULL;
    }
    while (ok && list != NULL && (sct = sk_SCT_pop(list)) != NULL) {
        ok = SCT_set_source(sct, source) == 1 && sk_SCT_push(s->scts, sct) > 0;
        if (!ok) {
            SCT_free(sct);
        }
    }
    SCT_LIST_free(list);
    return ok;
}

static bool take_from_handshake(SSL *s)
{
    const unsigned char *at = s->tls_scts != NULL ? s->tls_scts->bytes : NULL;

    return at == NULL ||
           take(s, o2i_SCT_LIST(NULL, &at, s->tls_scts->len), SCT_SOURCE_TLS_EXTENSION);
}

static bool take_from_ocsp(SSL *s)
{
    const unsigned char *at = s->ocsp_response;
    OCSP_RESPONSE *response;
    OCSP_BASICRESP *basic;
    bool ok = true;

    if (at == NULL || s->ocsp_response_len == 0) {
        return true;
    }
    response = d2i_OCSP_RESPONSE(NULL, &at, (long)s->ocsp_response_len);
    basic = response != NULL ? OCSP_response_get1_basic(response) : NULL;
    for (int i = 0; ok && basic != NULL && i < OCSP_resp_count(basic); i++) {
        OCSP_SINGLERESP *single = OCSP_resp_get0(basic, i);

        if (single != NULL) {
            ok = take(s, OCSP_SINGLERESP_get1_ext_d2i(single, NID_ct_cert_scts, NULL, NULL),
                      SCT_SOURCE_OCSP_STAPLED_RESPONSE);
        }
    }
    OCSP_BASICRESP_free(basic);
    OCSP_RESPONSE_free(response);
    return ok;
}

static bool take_from_certificate(SSL *s)
{
    const SSL_SESSION *session = s->conn.session;
    X509 *cert = session == NULL ? NULL : peer_chain_look(session->peer, 0);

    return cert == NULL || take(s, X509_get_ext_d2i(cert, NID_ct_precert_scts, NULL, NULL),
                                SCT_SOURCE_X509V3_EXTENSION);
}

const STACK_OF(SCT) *SSL_get0_peer_scts(SSL *s)
{
    if (!s->scts_collected) {
        if (!take_from_handshake(s) || !take_from_ocsp(s) || !take_from_certificate(s)) {
            return NULL;
        }
        s->scts_collected = true;
    }
    return s->scts;
}

/* --- Judging --- */

/* Timestamps are about certificates of public authorities: a chain that was not verified, or that
 * DANE anchors elsewhere, is none of their business. */
static bool is_applicable(const SSL *s)
{
    return s->config->ct_callback != NULL && s->conn.session->peer != NULL &&
           s->verify_result == X509_V_OK && sk_X509_num(s->verified_chain) > 1 && !dane_anchored(s);
}

/* Runs the callback. False: not accepted; *reason says why. */
static bool judge(SSL *s, CT_POLICY_EVAL_CTX *policy, int *reason)
{
    const STACK_OF(SCT) *scts;
    int answer;

    X509 *cert = SSL_get0_peer_certificate(s);
    X509 *issuer = sk_X509_value(SSL_get0_verified_chain(s), 1);
    if (cert == NULL || issuer == NULL || CT_POLICY_EVAL_CTX_set1_cert(policy, cert) != 1 ||
        CT_POLICY_EVAL_CTX_set1_issuer(policy, issuer) != 1) {
        *reason = ERR_R_MALLOC_FAILURE;
        return false;
    }
    CT_POLICY_EVAL_CTX_set_shared_CTLOG_STORE(policy, logs_of(s->ctx));
    CT_POLICY_EVAL_CTX_set_time(policy, (uint64_t)s->conn.session->time * 1000);
    scts = SSL_get0_peer_scts(s);
    /* 0 only says that some are invalid: the callback decides what that means. */
    if (SCT_LIST_validate(scts, policy) < 0) {
        *reason = SSL_R_SCT_VERIFICATION_FAILED;
        return false;
    }
    answer = s->config->ct_callback(policy, scts, s->config->ct_callback_arg);
    *reason = SSL_R_CALLBACK_FAILED;
    return answer > 0;
}

enum hook_answer ct_validate(SSL *s, struct record_error *failure)
{
    CT_POLICY_EVAL_CTX *policy;
    int reason = ERR_R_MALLOC_FAILURE;
    bool accepted = false;

    if (!is_applicable(s)) {
        return HOOK_OK;
    }
    policy = CT_POLICY_EVAL_CTX_new_ex(settings_libctx(s, NULL), settings_propq(s, NULL));
    if (policy != NULL && logs_of(s->ctx) != NULL) {
        accepted = judge(s, policy, &reason);
    }
    CT_POLICY_EVAL_CTX_free(policy);
    if (accepted) {
        return HOOK_OK;
    }
    /* Also for a client that goes on: the application can see it, and so can a resumption. */
    s->verify_result = X509_V_ERR_NO_VALID_SCTS;
    s->conn.session->verify_result = s->verify_result;
    if ((s->config->verify_mode & SSL_VERIFY_PEER) == 0) {
        return HOOK_OK;
    }
    failure->alert = SSL_AD_HANDSHAKE_FAILURE;
    failure->reason = reason;
    return HOOK_FAIL;
}

void ct_wipe(SSL *s)
{
    forget_timestamps(s);
    blob_set(&s->tls_scts, NULL);
}

void ct_ctx_wipe(SSL_CTX *ctx)
{
    CTLOG_STORE_free(ctx->ctlog_store);
    ctx->ctlog_store = NULL;
}
