/*
 * The answers of endpoints to the core's questions; see engines.h.
 */
#include "engine_hooks.h"

#include "conn/psk.h"
#include "crypto/cert.h"

#include <string.h>

/* --- Hooks: questions --- */

static bool pauses(struct endpoint *e)
{
    if (e->pauses_now < e->pauses_left) {
        e->pauses_now++;
        e->num_pauses++;
        return true;
    }
    e->pauses_now = 0;
    return false;
}

static enum hook_answer client_hello(void *owner, struct record_error *failure)
{
    (void)failure;
    return pauses(owner) ? HOOK_PAUSE : HOOK_OK;
}

static enum hook_answer server_name(void *owner, const struct blob *name,
                                    struct record_error *failure)
{
    (void)owner;
    (void)failure;
    return name != NULL ? HOOK_OK : HOOK_NONE;
}

static enum hook_answer choose_alpn(void *owner, const uint8_t *offered, size_t len,
                                    struct blob **chosen, struct record_error *failure)
{
    struct endpoint *e = owner;

    (void)offered;
    (void)len;
    (void)failure;
    *chosen = blob_ref(e->alpn);
    return *chosen != NULL ? HOOK_OK : HOOK_NONE;
}

static bool has_srtp_profiles(void *owner)
{
    (void)owner;
    return false;
}

static void write_srtp_profiles(void *owner, struct writer *w)
{
    (void)owner;
    (void)w;
}

static bool has_npn(void *owner)
{
    const struct endpoint *e = owner;

    return e->npn != NULL;
}

static void write_protocols(void *owner, struct writer *w)
{
    const struct endpoint *e = owner;

    writer_bytes(w, e->npn->bytes, e->npn->len);
}

static enum hook_answer choose_next_protocol(void *owner, const uint8_t *offered, size_t len,
                                             struct blob **chosen, struct record_error *failure)
{
    struct endpoint *e = owner;

    (void)offered;
    (void)len;
    (void)failure;
    *chosen = blob_ref(e->npn);
    return HOOK_OK;
}

static enum hook_answer ocsp_response(void *owner, struct blob **response,
                                      struct record_error *failure)
{
    struct endpoint *e = owner;

    (void)failure;
    *response = blob_ref(e->ocsp);
    return *response != NULL ? HOOK_OK : HOOK_NONE;
}

static bool has_authorities(void *owner)
{
    (void)owner;
    return false;
}

static bool write_authorities(void *owner, struct writer *w)
{
    (void)owner;
    (void)w;
    return true;
}

static enum hook_answer choose_credential(void *owner, struct record_error *failure)
{
    (void)failure;
    return pauses(owner) ? HOOK_PAUSE : HOOK_OK;
}

static enum hook_answer judge_key_usage(void *owner, struct record_error *failure)
{
    (void)owner;
    (void)failure;
    return HOOK_OK;
}

static void credential_chosen(void *owner, enum key_slot slot)
{
    (void)owner;
    (void)slot;
}

static bool own_chain_suits(void *owner, enum key_slot slot)
{
    (void)owner;
    (void)slot;
    return true;
}

static enum hook_answer certificate_chain(void *owner, enum key_slot slot, STACK_OF(X509) **chain,
                                          struct record_error *failure)
{
    const struct endpoint *e = owner;
    X509 *cert = e->config.credentials->slot[slot].cert;

    *failure = (struct record_error){ ALERT_INTERNAL_ERROR, 0 };
    *chain = cert_list_new();
    if (*chain == NULL) {
        return HOOK_FAIL;
    }
    cert_up_ref(cert);
    if (!cert_list_add(*chain, cert)) {
        cert_list_free(*chain);
        *chain = NULL;
        return HOOK_FAIL;
    }
    return HOOK_OK;
}

static enum hook_answer judge_peer(void *owner, struct peer_chain *chain,
                                   struct record_error *failure)
{
    struct endpoint *e = owner;

    (void)chain;
    if (pauses(e)) {
        return HOOK_PAUSE;
    }
    e->num_verified++;
    failure->alert = e->verify_alert;
    return e->verify_answer;
}

static bool peer_authorities(void *owner, struct reader names)
{
    (void)owner;
    (void)names;
    return true;
}

static bool write_ocsp_request(void *owner, struct writer *w)
{
    (void)owner;
    writer_u16(w, 0);
    writer_u16(w, 0);
    return true;
}

static bool peer_ocsp_request(void *owner, struct reader responders, struct reader extensions)
{
    (void)owner;
    (void)responders;
    (void)extensions;
    return true;
}

static bool peer_ocsp(void *owner, const uint8_t *response, size_t len)
{
    struct endpoint *e = owner;

    (void)response;
    e->peer_ocsp_len = len;
    return true;
}

static enum hook_answer judge_stapled(void *owner, struct record_error *failure)
{
    (void)owner;
    (void)failure;
    return HOOK_OK;
}

static bool wants_scts(void *owner)
{
    (void)owner;
    return false;
}

static bool peer_scts(void *owner, const uint8_t *list, size_t len)
{
    (void)owner;
    (void)list;
    (void)len;
    return true;
}

/* --- Hooks: security, custom extensions --- */

static bool allows_version(void *owner, uint16_t version)
{
    (void)owner;
    (void)version;
    return true;
}

static bool allows_suite(void *owner, enum security_stage stage, const struct ssl_cipher_st *suite)
{
    (void)owner;
    (void)stage;
    (void)suite;
    return true;
}

static bool allows_group(void *owner, enum security_stage stage, const struct group *group)
{
    (void)owner;
    (void)stage;
    (void)group;
    return true;
}

static bool allows_scheme(void *owner, enum security_stage stage, const struct sig_scheme *scheme)
{
    (void)owner;
    (void)stage;
    (void)scheme;
    return true;
}

static enum hook_answer write_custom_extensions(void *owner, unsigned context, struct writer *w,
                                                X509 *cert, size_t index,
                                                struct record_error *failure)
{
    (void)owner;
    (void)context;
    (void)w;
    (void)cert;
    (void)index;
    (void)failure;
    return HOOK_NONE;
}

static enum hook_answer read_custom_extension(void *owner, unsigned context, uint16_t type,
                                              struct reader body, struct peer_chain *chain,
                                              size_t index, struct record_error *failure)
{
    const struct endpoint *e = owner;

    (void)context;
    (void)type;
    (void)body;
    (void)chain;
    (void)index;
    (void)failure;
    return e->knows_extensions ? HOOK_OK : HOOK_NONE;
}

/* --- Hooks: reports --- */

static void message(void *owner, bool sent, uint16_t version, int content_type,
                    const uint8_t *bytes, size_t len)
{
    struct endpoint *e = owner;
    struct tls_conn *c = &e->conn;

    (void)version;
    if (content_type != CONTENT_HANDSHAKE && content_type != CONTENT_CCS) {
        return;
    }
    if (sent) {
        items_add(&e->sent, (uint8_t)content_type, c->out.epoch, bytes, len);
        return;
    }
    if (e->received.num < MAX_ITEMS) {
        e->rows[e->received.num] = c->hs->step;
    }
    items_add(&e->received, (uint8_t)content_type, c->in.epoch, bytes, len);
}

static void step(void *owner)
{
    (void)owner;
}

static void started(void *owner)
{
    (void)owner;
}

static void done(void *owner, bool established)
{
    struct endpoint *e = owner;

    (void)established;
    e->num_done++;
}

static void alert(void *owner, bool sent, uint16_t value)
{
    struct endpoint *e = owner;

    if (!sent) {
        e->num_alerts_received++;
        e->last_alert = value;
    }
}

static void keylog(void *owner, const char *label, const struct secret *secret)
{
    (void)owner;
    (void)label;
    (void)secret;
}

static void keylog_rsa(void *owner, const uint8_t *encrypted, const uint8_t *premaster, size_t len)
{
    (void)owner;
    (void)encrypted;
    (void)premaster;
    (void)len;
}

static void extension_seen(void *owner, uint16_t type, const uint8_t *body, size_t len)
{
    (void)owner;
    (void)type;
    (void)body;
    (void)len;
}

/* --- Hooks: TLS 1.2 --- */

static bool has_dhe(void *owner)
{
    const struct endpoint *e = owner;

    return e->dhe != NULL;
}

static EVP_PKEY *dhe_parameters(void *owner, const struct ssl_cipher_st *suite)
{
    const struct endpoint *e = owner;

    (void)suite;
    if (e->dhe != NULL) {
        cert_key_up_ref(e->dhe);
    }
    return e->dhe;
}

static bool allows_dhe(void *owner, EVP_PKEY *key)
{
    (void)owner;
    (void)key;
    return true;
}

static bool write_certificate_types(void *owner, struct writer *w)
{
    (void)owner;
    (void)w;
    return false;
}

static bool can_serve_tls13(void *owner)
{
    (void)owner;
    return true;
}

/* Everybody's key is the same. */
static bool has_psk(void *owner)
{
    (void)owner;
    return true;
}

static enum hook_answer server_psk(void *owner, struct psk *psk, struct record_error *failure)
{
    (void)owner;
    (void)failure;
    psk->key_len = 16;
    memset(psk->key, 'k', psk->key_len);
    return HOOK_OK;
}

static enum hook_answer client_psk(void *owner, const char *hint, struct psk *psk,
                                   struct record_error *failure)
{
    (void)hint;
    memcpy(psk->identity, "someone", sizeof "someone");
    return server_psk(owner, psk, failure);
}

/* --- Hooks: sources --- */

static size_t pad(void *owner, uint8_t type, size_t len)
{
    const struct endpoint *e = owner;

    (void)type;
    (void)len;
    return e->padding;
}

static bool draw_random(void *owner, uint8_t *out, size_t len)
{
    struct endpoint *e = owner;

    if (e->random != NULL) {
        return e->random(out, len);
    }
    for (size_t i = 0; i < len; i++) {
        out[i] = e->random_next++;
    }
    return true;
}

static int64_t now(void *owner)
{
    const struct endpoint *e = owner;

    return e->now;
}

static struct ssl_session_st *make_session(void *owner)
{
    (void)owner;
    return session_new(0, 300);
}

static struct group_key *generate_key(void *owner, const struct group *group, struct writer *share)
{
    const struct endpoint *e = owner;

    return e->generate_key != NULL ? e->generate_key(group, share)
                                   : group_generate(e->config.lib, group, share);
}

const struct tls_hooks endpoint_hooks = {
    .client_hello = client_hello,
    .server_name = server_name,
    .choose_alpn = choose_alpn,
    .advertises_protocols = has_npn,
    .write_protocols = write_protocols,
    .has_srtp_profiles = has_srtp_profiles,
    .write_srtp_profiles = write_srtp_profiles,
    .asks_next_protocol = has_npn,
    .choose_next_protocol = choose_next_protocol,
    .ocsp_response = ocsp_response,
    .has_dhe = has_dhe,
    .has_psk = has_psk,
    .client_psk = client_psk,
    .server_psk = server_psk,
    .dhe_parameters = dhe_parameters,
    .allows_dhe = allows_dhe,
    .write_certificate_types = write_certificate_types,
    .can_serve_tls13 = can_serve_tls13,
    .has_authorities = has_authorities,
    .write_authorities = write_authorities,
    .choose_credential = choose_credential,
    .own_chain_suits = own_chain_suits,
    .credential_chosen = credential_chosen,
    .certificate_chain = certificate_chain,
    .verify_peer = judge_peer,
    .judge_key_usage = judge_key_usage,
    .peer_authorities = peer_authorities,
    .write_ocsp_request = write_ocsp_request,
    .peer_ocsp_request = peer_ocsp_request,
    .peer_ocsp = peer_ocsp,
    .check_stapled = judge_stapled,
    .wants_scts = wants_scts,
    .peer_scts = peer_scts,
    .allows_version = allows_version,
    .allows_suite = allows_suite,
    .allows_group = allows_group,
    .allows_scheme = allows_scheme,
    .write_custom_extensions = write_custom_extensions,
    .read_custom_extension = read_custom_extension,
    .application_ticket = hook_application_ticket,
    .ticket_seen = hook_ticket_seen,
    .gives_secrets = hook_gives_secrets,
    .allows_tickets = hook_allows_tickets,
    .open_ticket = hook_open_ticket,
    .seal_ticket = hook_seal_ticket,
    .find_session = hook_find_session,
    .name_session = hook_name_session,
    .may_resume = hook_may_resume,
    .is_for_name = hook_belongs_here,
    .belongs_here = hook_belongs_here,
    .session_resumed = hook_session_changed,
    .session_missed = hook_session_changed,
    .denies_resumption = hook_denies_resumption,
    .keeps_sessions = hook_keeps_sessions,
    .keep_session = hook_keep_session,
    .drop_session = hook_drop_session,
    .guards_early_data = hook_guards_early_data,
    .claims_early_data = hook_claims_early_data,
    .allows_early_data = hook_allows_early_data,
    .use_psk = hook_use_psk,
    .find_psk = hook_find_psk,
    .message = message,
    .step = step,
    .started = started,
    .listens = started,
    .done = done,
    .renegotiates = hook_session_changed,
    .alert = alert,
    .keylog = keylog,
    .keylog_rsa = keylog_rsa,
    .extension_seen = extension_seen,
    .pad = pad,
    .random = draw_random,
    .now = now,
    .make_session = make_session,
    .generate_key = generate_key,
};
