/*
 * The engine's questions as OpenSSL's callbacks: which object a callback is taken from, what its
 * answers mean, what it is preset with. Every quirk of a callback lives here.
 * SSL_CTX_set_client_hello_cb(3), SSL_CTX_set_tlsext_servername_callback(3),
 * SSL_CTX_set_alpn_select_cb(3), SSL_CTX_set_cert_cb(3), SSL_CTX_set_client_cert_cb(3),
 * SSL_CTX_set_record_padding_callback(3). Those that only listen are in reports.c.
 */
#include "api/app_ticket.h"
#include "api/ca_list.h"
#include "api/certs.h"
#include "api/chain.h"
#include "api/cookie.h"
#include "api/ct.h"
#include "api/custom_ext.h"
#include "api/dh.h"
#include "api/early_guard.h"
#include "api/internal.h"
#include "api/npn.h"
#include "api/ocsp.h"
#include "api/psk.h"
#include "api/reports.h"
#include "api/resumption.h"
#include "api/session_binding.h"
#include "api/srtp.h"
#include "api/tickets.h"
#include "api/verify.h"

#include "engine/engine.h"

#include "crypto/random.h"
#include "handshake/negotiate.h"

#include <openssl/err.h>
#include <string.h>
#include <time.h>

/* --- Questions of a server --- */

static enum hook_answer ask_client_hello(void *owner, struct record_error *failure)
{
    SSL *s = owner;
    int alert = failure->alert;

    if (s->ctx->client_hello_cb == NULL) {
        return HOOK_OK;
    }
    s->in_client_hello_cb = true;
    int answer = s->ctx->client_hello_cb(s, &alert, s->ctx->client_hello_arg);
    s->in_client_hello_cb = false;
    switch (answer) {
    case SSL_CLIENT_HELLO_SUCCESS:
        return HOOK_OK;
    case SSL_CLIENT_HELLO_RETRY:
        return HOOK_PAUSE;
    default:
        failure->alert = (uint8_t)alert;
        return HOOK_FAIL;
    }
}

/* A server's session has the name that its callback accepted. */
static enum hook_answer remember_name(SSL *s, const struct blob *name, struct record_error *failure)
{
    if (s->conn.role == ROLE_SERVER && name != NULL && !s->conn.neg.resumed &&
        !session_set_hostname(s->conn.session, name)) {
        *failure = (struct record_error){ ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE };
        return HOOK_FAIL;
    }
    return HOOK_OK;
}

/* TLS 1.3 has no warning to send: RFC 8446, 6. Before it, one goes out with the flight. */
static void send_warning(SSL *s, uint8_t description)
{
    struct tls_conn *c = &s->conn;
    const uint8_t alert[2] = { ALERT_LEVEL_WARNING, description };

    if (c->neg.version == VERSION_TLS13) {
        return;
    }
    tls_queue_alert(c, ALERT_LEVEL_WARNING, description);
    c->alert_due = false;
    if (tls_seal_alert(c)) {
        report_message(s, true, c->neg.version, CONTENT_ALERT, alert, sizeof alert);
        report_info(s, SSL_CB_WRITE_ALERT, ALERT_LEVEL_WARNING << 8 | description);
    }
}

/* The callback of the context of the moment, else of the one the connection was made with. It is
 * asked whether the client sent a name or not. */
static enum hook_answer call_servername_cb(SSL *s, const struct blob *name,
                                           struct record_error *failure)
{
    SSL_CTX *ctx = s->ctx->servername_cb != NULL ? s->ctx : s->session_ctx;
    int alert = failure->alert;

    if (ctx->servername_cb == NULL) {
        return HOOK_NONE;
    }
    switch (ctx->servername_cb(s, &alert, ctx->servername_arg)) {
    case SSL_TLSEXT_ERR_OK:
        return remember_name(s, name, failure);
    case SSL_TLSEXT_ERR_ALERT_FATAL:
        failure->alert = (uint8_t)alert;
        return HOOK_FAIL;
    case SSL_TLSEXT_ERR_ALERT_WARNING:
        send_warning(s, (uint8_t)alert);
        return HOOK_NONE;
    case SSL_TLSEXT_ERR_NOACK:
        return HOOK_NONE;
    default: /* OpenSSL acknowledges the name all the same */
        return HOOK_OK;
    }
}

/* Where a callback has led the connection to another context, that one counts it. */
static enum hook_answer ask_server_name(void *owner, const struct blob *name,
                                        struct record_error *failure)
{
    SSL *s = owner;
    enum hook_answer answer = call_servername_cb(s, name, failure);

    if (s->conn.role == ROLE_SERVER && s->conn.handshakes_done == 0 && !s->conn.neg.was_retried &&
        s->ctx != s->session_ctx) {
        s->ctx->stats.accept++;
        s->session_ctx->stats.accept--;
    }
    return answer;
}

static enum hook_answer ask_alpn(void *owner, const uint8_t *offered, size_t len,
                                 struct blob **chosen, struct record_error *failure)
{
    SSL *s = owner;
    const unsigned char *selected = NULL;
    unsigned char selected_len = 0;

    (void)failure; /* preset: no_application_protocol */
    if (s->ctx->alpn_select_cb == NULL) {
        return HOOK_NONE;
    }
    int answer = s->ctx->alpn_select_cb(s, &selected, &selected_len, offered, (unsigned int)len,
                                        s->ctx->alpn_select_arg);
    if (answer == SSL_TLSEXT_ERR_NOACK) {
        return HOOK_NONE;
    }
    if (answer != SSL_TLSEXT_ERR_OK) {
        return HOOK_FAIL;
    }
    /* A protocol has a name: RFC 7301, 3.1. */
    *chosen = selected_len > 0 ? blob_new(selected, selected_len) : NULL;
    if (*chosen == NULL) {
        *failure = (struct record_error){ ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
        return HOOK_FAIL;
    }
    return HOOK_OK;
}

static bool has_authorities(void *owner)
{
    const SSL *s = owner;

    if (s->conn.role == ROLE_SERVER) {
        return (s->config->core.options & SSL_OP_DISABLE_TLSEXT_CA_NAMES) == 0 &&
               (sk_X509_NAME_num(SSL_get_client_CA_list(s)) > 0 ||
                sk_X509_NAME_num(SSL_get0_CA_list(s)) > 0);
    }
    return sk_X509_NAME_num(SSL_get0_CA_list(s)) > 0;
}

static bool write_certificate_types(void *owner, struct writer *w)
{
    const SSL *s = owner;
    const struct blob *types = s->config->client_cert_types;

    if (types == NULL) {
        return false;
    }
    writer_open(w, 1);
    writer_bytes(w, types->bytes, types->len);
    writer_close(w);
    return true;
}

/* TLS 1.3 binds ECDSA to three curves, and has no DSA. */
static bool fits_tls13(const SSL *s, enum key_slot slot)
{
    const struct credentials *set = s->config->core.credentials;
    size_t num;
    const struct sig_scheme *schemes = sig_scheme_table(&num);

    for (size_t i = 0; credentials_has(set, slot) && i < num; i++) {
        if (schemes[i].slot == slot &&
            signer_fits(s->config->core.lib, &schemes[i], set->slot[slot].signer, true)) {
            return true;
        }
    }
    return false;
}

/* A callback may still bring what is needed. */
static bool can_serve_tls13(void *owner)
{
    const SSL *s = owner;

    if (s->ctx->servername_cb != NULL || s->session_ctx->servername_cb != NULL ||
        s->config->cert_cb != NULL || s->config->psk_find_session != NULL ||
        s->config->psk_server_callback != NULL) {
        return true;
    }
    for (enum key_slot slot = KEY_RSA; slot < NUM_KEY_SLOTS; slot++) {
        if (fits_tls13(s, slot)) {
            return true;
        }
    }
    return false;
}

/* --- Certificates --- */

/* Called once for each time the question is put, however often a later callback pauses. */
static int call_cert_cb(SSL *s)
{
    int answer = 1;

    if (!s->cert_cb_done && s->config->cert_cb != NULL) {
        answer = s->config->cert_cb(s, s->config->cert_cb_arg);
    }
    s->cert_cb_done = answer > 0;
    return answer;
}

static enum hook_answer ask_credential(void *owner, struct record_error *failure)
{
    SSL *s = owner;
    int answer = call_cert_cb(s);

    (void)failure; /* preset by the side */
    if (answer < 0) {
        return HOOK_PAUSE;
    }
    if (answer > 0 && s->conn.role == ROLE_CLIENT && negotiate_scheme(&s->conn) == NULL &&
        ssl_ask_client_cert(s) < 0) {
        return HOOK_PAUSE;
    }
    s->cert_cb_done = false;
    return answer > 0 ? HOOK_OK : HOOK_FAIL;
}

static enum hook_answer make_chain(void *owner, enum key_slot slot, STACK_OF(X509) **chain,
                                   struct record_error *failure)
{
    *chain = ssl_chain_to_send(owner, slot);
    if (*chain == NULL) {
        *failure = (struct record_error){ ALERT_INTERNAL_ERROR, 0 };
        return HOOK_FAIL;
    }
    return HOOK_OK;
}

static enum hook_answer verify_peer_chain(void *owner, struct peer_chain *chain,
                                          struct record_error *failure)
{
    SSL *s = owner;
    int answer = ssl_verify_chain(s, chain);

    if (answer < 0) {
        return HOOK_PAUSE;
    }
    s->conn.session->verify_result = s->verify_result;
    if (answer == 0) {
        failure->alert = alert_of_verify_result(s->verify_result);
        return HOOK_FAIL;
    }
    return HOOK_OK;
}

/* The client's last judgement on the server's certificate: the OCSP response, then the timestamps
 * of Certificate Transparency. */
static enum hook_answer check_stapled(void *owner, struct record_error *failure)
{
    SSL *s = owner;

    if (s->config->core.request_ocsp) {
        enum hook_answer answer = ocsp_check(s, failure);
        if (answer == HOOK_FAIL) {
            return answer;
        }
    }
    return ct_validate(s, failure);
}

static bool wants_scts(void *owner)
{
    return ct_wanted(owner);
}

/* --- Security --- */

static bool allows_version(void *owner, uint16_t version)
{
    return ssl_is_allowed(owner, SSL_SECOP_VERSION, 0, version, NULL);
}

static bool allows_suite(void *owner, enum security_stage stage, const struct ssl_cipher_st *suite)
{
    static const int ops[] = { SSL_SECOP_CIPHER_SUPPORTED, SSL_SECOP_CIPHER_SHARED,
                               SSL_SECOP_CIPHER_CHECK };

    /* OpenSSL's prototype is not const although the callback only looks. */
    return ssl_is_allowed(owner, ops[stage], suite->strength_bits, 0, (void *)(uintptr_t)suite);
}

static bool allows_group(void *owner, enum security_stage stage, const struct group *group)
{
    static const int ops[] = { SSL_SECOP_CURVE_SUPPORTED, SSL_SECOP_CURVE_SHARED,
                               SSL_SECOP_CURVE_CHECK };
    uint8_t id[2] = { (uint8_t)(group->id >> 8), (uint8_t)group->id };

    return ssl_is_allowed(owner, ops[stage], group->security_bits, group->nid, id);
}

/* RFC 8446, 4.2.3: TLS 1.3 has no DSA, and a client that offers it alone does not offer the weaker
 * hashes either. */
static bool is_obsolete(const SSL *s, const struct sig_scheme *scheme)
{
    bool weak = scheme->hash == HASH_SHA1 || scheme->hash == HASH_SHA224;
    uint16_t min;
    uint16_t max;

    if (s->conn.role == ROLE_CLIENT) {
        return (scheme->kind == SIG_DSA || weak) && negotiate_version_range(&s->conn, &min, &max) &&
               min >= VERSION_TLS13;
    }
    return scheme->kind == SIG_DSA && s->conn.neg.version == VERSION_TLS13;
}

static bool allows_scheme(void *owner, enum security_stage stage, const struct sig_scheme *scheme)
{
    static const int ops[] = { SSL_SECOP_SIGALG_SUPPORTED, SSL_SECOP_SIGALG_SHARED,
                               SSL_SECOP_SIGALG_CHECK };
    const SSL *s = owner;
    uint8_t id[2] = { (uint8_t)(scheme->id >> 8), (uint8_t)scheme->id };

    if (!sig_scheme_is_available(s->config->core.lib, scheme) ||
        (stage == SECURITY_SUPPORTED && is_obsolete(s, scheme))) {
        return false;
    }
    return ssl_is_allowed(owner, ops[stage], scheme->security_bits, scheme->hash_nid, id);
}

/* --- Early data --- */

static bool allows_early_data(void *owner)
{
    SSL *s = owner;

    return s->config->allow_early_data == NULL ||
           s->config->allow_early_data(s, s->config->allow_early_data_arg) != 0;
}

/* --- Sources --- */

/* The callbacks count the inner content type as content. */
static size_t ask_padding(void *owner, uint8_t type, size_t len)
{
    SSL *s = owner;
    const struct ssl_config *config = s->config;
    size_t content = len + 1;
    size_t padding = 0;

    if (content >= config->core.max_send_fragment) {
        return 0;
    }
    if (config->padding_callback != NULL) {
        padding = config->padding_callback(s, type, content, s->config->padding_arg);
    } else if (config->block_padding > 0 && content % config->block_padding != 0) {
        padding = config->block_padding - content % config->block_padding;
    }
    size_t most = config->core.max_send_fragment - content;
    return padding < most ? padding : most;
}

static bool make_random(void *owner, uint8_t *out, size_t len)
{
    const SSL *s = owner;

    return random_public(s->config->core.lib, out, len);
}

static int64_t tell_time(void *owner)
{
    struct timespec now;

    (void)owner;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct ssl_session_st *make_session(void *owner)
{
    const SSL *s = owner;
    long timeout = s->session_ctx->session_timeout;
    struct ssl_session_st *session =
        session_new((int64_t)time(NULL), timeout != 0 ? timeout : SSL_get_default_timeout(s));

    if (session != NULL) {
        memcpy(session->context, s->config->session_context, s->config->session_context_len);
        session->context_len = (uint8_t)s->config->session_context_len;
        session->verify_result = X509_V_OK;
    }
    return session;
}

static struct group_key *make_key(void *owner, const struct group *group, struct writer *share)
{
    const SSL *s = owner;

    return group_generate(s->config->core.lib, group, share);
}

const struct tls_hooks ssl_hooks = {
    .client_hello = ask_client_hello,
    .server_name = ask_server_name,
    .choose_alpn = ask_alpn,
    .advertises_protocols = npn_is_advertised,
    .write_protocols = npn_write_protocols,
    .ocsp_response = ocsp_staple,
    .has_dhe = dh_available,
    .dhe_parameters = dh_parameters,
    .allows_dhe = dh_allowed,
    .write_certificate_types = write_certificate_types,
    .can_serve_tls13 = can_serve_tls13,
    .has_authorities = has_authorities,
    .write_authorities = ca_list_write,
    .choose_credential = ask_credential,
    .own_chain_suits = own_chain_suits,
    .credential_chosen = certs_show_sent,
    .certificate_chain = make_chain,
    .verify_peer = verify_peer_chain,
    .judge_key_usage = verify_key_usage,
    .peer_authorities = ca_list_read,
    .write_ocsp_request = ocsp_write_request,
    .peer_ocsp_request = ocsp_read_request,
    .has_srtp_profiles = srtp_has_profiles,
    .write_srtp_profiles = srtp_write_profiles,
    .asks_next_protocol = npn_is_asked_for,
    .choose_next_protocol = npn_choose,
    .peer_ocsp = ocsp_received,
    .check_stapled = check_stapled,
    .wants_scts = wants_scts,
    .peer_scts = ct_received,
    .allows_version = allows_version,
    .allows_suite = allows_suite,
    .allows_group = allows_group,
    .allows_scheme = allows_scheme,
    .write_custom_extensions = write_custom_extensions,
    .read_custom_extension = read_custom_extension,
    .has_psk = psk_is_known,
    .client_psk = psk_ask_client,
    .server_psk = psk_ask_server,
    .cookie_key = cookie_key,
    .make_cookie = cookie_make,
    .takes_cookies = cookies_are_taken,
    .verify_cookie = cookie_verify,
    .application_ticket = app_ticket_to_offer,
    .ticket_seen = app_ticket_seen,
    .gives_secrets = app_gives_secrets,
    .session_secret = app_session_secret,
    .allows_tickets = tickets_allowed,
    .open_ticket = ticket_open,
    .seal_ticket = ticket_seal,
    .find_session = find_session,
    .name_session = name_session,
    .may_resume = may_resume,
    .is_for_name = is_for_name,
    .belongs_here = belongs_here,
    .session_resumed = session_resumed,
    .session_missed = session_missed,
    .denies_resumption = denies_resumption,
    .keeps_sessions = keeps_sessions,
    .keep_session = keep_session,
    .drop_session = drop_session,
    .guards_early_data = guards_early_data,
    .claims_early_data = claims_early_data,
    .allows_early_data = allows_early_data,
    .use_psk = psk13_use,
    .find_psk = psk13_find,
    .message = report_message,
    .step = report_step,
    .started = report_started,
    .listens = report_listens,
    .done = report_done,
    .renegotiates = report_renegotiation,
    .alert = report_alert,
    .keylog = report_secret,
    .keylog_rsa = report_premaster,
    .extension_seen = report_extension,
    .pad = ask_padding,
    .random = make_random,
    .now = tell_time,
    .make_session = make_session,
    .generate_key = make_key,
};
