/*
 * Verification of the peer's certificate chain: the run of X509_verify_cert() or of the
 * application's own function, and its results. Parameters are in params.c, stores in stores.c.
 * Behaviour: SSL_CTX_set_verify(3), SSL_CTX_set_cert_verify_callback(3), SSL_set_retry_verify(3),
 * SSL_get_verify_result(3).
 */
#include "api/verify.h"

#include "api/certs.h"
#include "api/dane.h"
#include "api/stores.h"

#include "crypto/cert.h"
#include "crypto/chain_verdicts.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

/* --- The SSL among the ex_data of a verification --- */

static CRYPTO_ONCE index_once = CRYPTO_ONCE_STATIC_INIT;
static int ssl_index = -1;

static void make_index(void)
{
    ssl_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

int verify_ssl_index(void)
{
    return CRYPTO_THREAD_run_once(&index_once, make_index) ? ssl_index : -1;
}

int SSL_get_ex_data_X509_STORE_CTX_idx(void)
{
    return verify_ssl_index();
}

/* --- Mode and callbacks --- */

/* What the core asks of the mode. */
static void apply_mode(struct ssl_config *config, int mode)
{
    config->verify_mode = mode;
    config->core.ask_client_cert = (mode & SSL_VERIFY_PEER) != 0;
    config->core.require_client_cert = (mode & SSL_VERIFY_FAIL_IF_NO_PEER_CERT) != 0;
    config->core.ask_client_cert_once = (mode & SSL_VERIFY_CLIENT_ONCE) != 0;
    config->core.ask_client_cert_later = (mode & SSL_VERIFY_POST_HANDSHAKE) != 0;
    config->core.verify_server = mode != SSL_VERIFY_NONE;
}

void SSL_set_verify(SSL *s, int mode, SSL_verify_cb callback)
{
    struct ssl_config *config = settings_edit(s, NULL);

    if (config == NULL) {
        return;
    }
    apply_mode(config, mode);
    if (callback != NULL) {
        config->verify_callback = callback;
    }
}

void SSL_CTX_set_verify(SSL_CTX *ctx, int mode, SSL_verify_cb callback)
{
    struct ssl_config *config = settings_edit(NULL, ctx);

    if (config == NULL) {
        return;
    }
    apply_mode(config, mode);
    config->verify_callback = callback;
}

int SSL_get_verify_mode(const SSL *s)
{
    return s->config->verify_mode;
}

int SSL_CTX_get_verify_mode(const SSL_CTX *ctx)
{
    return ctx->config->verify_mode;
}

SSL_verify_cb SSL_get_verify_callback(const SSL *s)
{
    return s->config->verify_callback;
}

SSL_verify_cb SSL_CTX_get_verify_callback(const SSL_CTX *ctx)
{
    return ctx->config->verify_callback;
}

void SSL_CTX_set_cert_verify_callback(SSL_CTX *ctx, int (*cb)(X509_STORE_CTX *, void *), void *arg)
{
    ctx->app_verify_callback = cb;
    ctx->app_verify_arg = arg;
}

long verify_set_retry(SSL *s)
{
    s->rwstate = SSL_RETRY_VERIFY;
    return 1;
}

/* --- Results --- */

void SSL_set_verify_result(SSL *ssl, long arg)
{
    ssl->verify_result = arg;
}

long SSL_get_verify_result(const SSL *ssl)
{
    return ssl->verify_result;
}

/* The alert for each X509_V_* that does not mean certificate_unknown, the answer to all others. */
static const struct {
    int result;
    uint8_t alert;
} alerts[] = {
    { X509_V_ERR_UNSPECIFIED, SSL_AD_INTERNAL_ERROR },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_UNABLE_TO_GET_CRL, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_CERT_SIGNATURE_FAILURE, SSL_AD_DECRYPT_ERROR },
    { X509_V_ERR_CRL_SIGNATURE_FAILURE, SSL_AD_DECRYPT_ERROR },
    { X509_V_ERR_CERT_NOT_YET_VALID, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_CERT_HAS_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED },
    { X509_V_ERR_CRL_NOT_YET_VALID, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_CRL_HAS_EXPIRED, SSL_AD_CERTIFICATE_EXPIRED },
    { X509_V_ERR_ERROR_IN_CERT_NOT_BEFORE_FIELD, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_ERROR_IN_CERT_NOT_AFTER_FIELD, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_OUT_OF_MEM, SSL_AD_INTERNAL_ERROR },
    { X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_CERT_CHAIN_TOO_LONG, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_CERT_REVOKED, SSL_AD_CERTIFICATE_REVOKED },
    { X509_V_ERR_PATH_LENGTH_EXCEEDED, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_INVALID_PURPOSE, SSL_AD_UNSUPPORTED_CERTIFICATE },
    { X509_V_ERR_CERT_UNTRUSTED, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_CERT_REJECTED, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_APPLICATION_VERIFICATION, SSL_AD_HANDSHAKE_FAILURE },
    { X509_V_ERR_HOSTNAME_MISMATCH, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_EMAIL_MISMATCH, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_IP_ADDRESS_MISMATCH, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_DANE_NO_MATCH, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_EE_KEY_TOO_SMALL, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_CA_KEY_TOO_SMALL, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_CA_MD_TOO_WEAK, SSL_AD_BAD_CERTIFICATE },
    { X509_V_ERR_INVALID_CALL, SSL_AD_INTERNAL_ERROR },
    { X509_V_ERR_STORE_LOOKUP, SSL_AD_INTERNAL_ERROR },
    { X509_V_ERR_INVALID_CA, SSL_AD_UNKNOWN_CA },
    { X509_V_ERR_EC_KEY_EXPLICIT_PARAMS, SSL_AD_BAD_CERTIFICATE },
};

uint8_t alert_of_verify_result(long result)
{
    for (size_t i = 0; i < COUNT_OF(alerts); i++) {
        if (alerts[i].result == result) {
            return alerts[i].alert;
        }
    }
    return SSL_AD_CERTIFICATE_UNKNOWN;
}

/* --- The verification --- */

static X509_STORE *store_of(const SSL *s)
{
    return s->config->verify_store != NULL ? s->config->verify_store : stores_for_library(s->ctx);
}

/* Sets what a verification for s depends on. */
static bool prepare(SSL *s, X509_STORE_CTX *verification, STACK_OF(X509) *chain)
{
    X509_STORE *store = store_of(s);
    const char *purpose = s->conn.role == ROLE_SERVER ? "ssl_client" : "ssl_server";
    X509_VERIFY_PARAM *param;

    if (!X509_STORE_CTX_init(verification, store, sk_X509_value(chain, 0), chain)) {
        raise_error(ERR_R_X509_LIB);
        return false;
    }
    param = X509_STORE_CTX_get0_param(verification);
    X509_VERIFY_PARAM_set_auth_level(param, SSL_get_security_level(s));
    X509_STORE_CTX_set_flags(verification, s->config->cert_flags & SSL_CERT_FLAG_SUITEB_128_LOS);
    if (!X509_STORE_CTX_set_ex_data(verification, verify_ssl_index(), s)) {
        return false;
    }
    if (dane_in_use(s)) {
        X509_STORE_CTX_set0_dane(verification, s->dane);
    }
    /* Defaults of the purpose first; what the application set on the connection goes over them. */
    X509_STORE_CTX_set_default(verification, purpose);
    X509_VERIFY_PARAM_set1(param, verify_param(s));
    if (s->config->verify_callback != NULL) {
        X509_STORE_CTX_set_verify_cb(verification, s->config->verify_callback);
    }
    return true;
}

/* Keeps what the verification found out. */
static bool keep_results(SSL *s, X509_STORE_CTX *verification)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(verification);
    STACK_OF(X509) *found = X509_STORE_CTX_get0_chain(verification);
    X509_VERIFY_PARAM *own;

    s->verify_result = X509_STORE_CTX_get_error(verification);
    sk_X509_pop_free(s->verified_chain, X509_free);
    s->verified_chain = NULL;
    if (found != NULL) {
        s->verified_chain = X509_chain_up_ref(found);
        if (s->verified_chain == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
            return false;
        }
    }
    if (X509_VERIFY_PARAM_get0_peername(param) != NULL || s->param != NULL) {
        own = verify_own_param(s);
        if (own == NULL) {
            return false;
        }
        X509_VERIFY_PARAM_move_peername(own, param);
    }
    return true;
}

/* True when the application changed what libcrypto thinks of purposes or trust:
 * X509_PURPOSE_add(3), X509_TRUST_add(3). Entries it brought or overwrote have an allocated name.
 */
static bool has_own_checks(void)
{
    const unsigned own_purpose = X509_PURPOSE_DYNAMIC_NAME;
    const unsigned own_trust = X509_TRUST_DYNAMIC_NAME;
    int num_purposes = X509_PURPOSE_get_count();
    int num_trusts = X509_TRUST_get_count();

    for (int i = 0; i < num_purposes; i++) {
        if (((unsigned)X509_PURPOSE_get0(i)->flags & own_purpose) != 0) {
            return true;
        }
    }
    for (int i = 0; i < num_trusts; i++) {
        if (((unsigned)X509_TRUST_get0(i)->flags & own_trust) != 0) {
            return true;
        }
    }
    return false;
}

static bool store_has_functions(const X509_STORE *store)
{
    return X509_STORE_get_verify_cb(store) != NULL || X509_STORE_get_verify(store) != NULL ||
           X509_STORE_get_get_issuer(store) != NULL || X509_STORE_get_check_issued(store) != NULL ||
           X509_STORE_get_check_revocation(store) != NULL ||
           X509_STORE_get_get_crl(store) != NULL || X509_STORE_get_check_crl(store) != NULL ||
           X509_STORE_get_cert_crl(store) != NULL || X509_STORE_get_check_policy(store) != NULL ||
           X509_STORE_get_lookup_certs(store) != NULL ||
           X509_STORE_get_lookup_crls(store) != NULL || X509_STORE_get_cleanup(store) != NULL;
}

/* True when code of the application takes part in a verification: its functions may come by the
 * certificates, and do with them what they like. DANE keeps the one that matched for it. An
 * application may take the store away, too. */
static bool application_sees(const SSL *s)
{
    const X509_STORE *store = store_of(s);

    return s->config->verify_callback != NULL || s->ctx->app_verify_callback != NULL ||
           dane_in_use(s) || (store != NULL && store_has_functions(store)) || has_own_checks();
}

/* True when the chain was accepted. unseen: no code of the application takes part. An internal
 * error of X509_verify_cert() (negative) is a refusal and nothing else: only SSL_set_retry_verify()
 * asks for a retry (CVE-2021-4044). */
static bool verify_chain(SSL *s, STACK_OF(X509) *chain, bool unseen)
{
    X509_STORE_CTX *verification =
        X509_STORE_CTX_new_ex(settings_libctx(s, NULL), settings_propq(s, NULL));
    bool accepted = false;

    if (verification == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    if (prepare(s, verification, chain)) {
        if (unseen) {
            chain_verdicts_use(s->conn.config->lib, verification);
        }
        accepted = s->ctx->app_verify_callback != NULL
                       ? s->ctx->app_verify_callback(verification, s->ctx->app_verify_arg) > 0
                       : X509_verify_cert(verification) > 0;
        if (!keep_results(s, verification)) {
            accepted = false;
        }
    }
    X509_STORE_CTX_free(verification);
    return accepted;
}

/* The same for a chain as the library sees it. */
static bool verify_unseen(SSL *s, struct peer_chain *chain)
{
    STACK_OF(X509) *list = peer_chain_look_all(chain);
    bool accepted;

    if (list == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    accepted = verify_chain(s, list, true);
    sk_X509_free(list);
    if (s->verified_chain != NULL) {
        s->verified = peer_chain_ref(chain);
    }
    return accepted;
}

/* The same for the application's own. */
static bool verify_seen(SSL *s, struct peer_chain *chain)
{
    STACK_OF(X509) *list = peer_chain_own_all(chain);

    if (list == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    if (s->config->verify_store == NULL) {
        (void)stores_for_application(s->ctx); /* which X509_STORE_CTX_get0_store() would give it */
    }
    return verify_chain(s, list, false);
}

int ssl_verify_chain(SSL *s, struct peer_chain *chain)
{
    bool is_client = s->conn.role != ROLE_SERVER;
    bool accepted;

    if (peer_chain_len(chain) == 0) {
        return 0;
    }
    if (s->rwstate == SSL_RETRY_VERIFY) {
        s->rwstate = SSL_NOTHING;
    }
    ERR_set_mark();
    peer_chain_free(s->verified);
    s->verified = NULL;
    accepted = application_sees(s) ? verify_seen(s, chain) : verify_unseen(s, chain);
    /* OpenSSL's server takes the wish to be asked again for success; here it waits as a client
     * does. */
    if (accepted && s->rwstate == SSL_RETRY_VERIFY) {
        ERR_pop_to_mark();
        return -1;
    }
    if (!accepted && (!is_client || s->config->verify_mode != SSL_VERIFY_NONE)) {
        ERR_clear_last_mark();
        return 0;
    }
    /* A client that does not insist goes on; the application finds the reason in verify_result. */
    ERR_pop_to_mark();
    return 1;
}

/* Two entries of the error queue tell it, of which the second ends the handshake. */
enum hook_answer verify_key_usage(void *owner, struct record_error *failure)
{
    const SSL *s = owner;

    if (s->conn.neg.suite->auth != AUTH_ECDSA ||
        cert_may_sign(peer_chain_look(s->conn.session->peer, 0))) {
        return HOOK_OK;
    }
    raise_error(SSL_R_ECC_CERT_NOT_FOR_SIGNING);
    *failure = (struct record_error){ ALERT_HANDSHAKE_FAILURE, SSL_R_BAD_ECC_CERT };
    return HOOK_FAIL;
}
