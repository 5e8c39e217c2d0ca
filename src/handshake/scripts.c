/*
 * Every message flow as a table. Read them beside RFC 8446, figures 1 to 3 and 4.4.2, 4.6. The
 * order of the rows is also the order in which applications see states and callbacks, which is
 * OpenSSL's: tests/golden holds the recording.
 */
#include "handshake/handshake.h"
#include "handshake/keys13.h"
#include "handshake/negotiate12.h"
#include "handshake/psk13.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

/* OSSL_HANDSHAKE_STATE, as <openssl/ssl.h> numbers it; api/ checks that they agree. */
#include "handshake/states.h"

/* --- Conditions --- */

static bool retry_due(const struct handshake *hs)
{
    return hs->retry == RETRY_DUE;
}

static bool compat(const struct handshake *hs)
{
    return (hs->conn->config->options & OPTION_ENABLE_MIDDLEBOX_COMPAT) != 0;
}

/* RFC 8446, D.4: one ChangeCipherSpec, and after a HelloRetryRequest it has been sent. */
static bool compat_not_retried(const struct handshake *hs)
{
    return compat(hs) && hs->retry == RETRY_NONE && !hs->began_early;
}

/* Nor after early data. */
static bool compat_not_begun(const struct handshake *hs)
{
    return compat(hs) && !hs->began_early;
}

static bool retry_due_compat(const struct handshake *hs)
{
    return retry_due(hs) && compat(hs);
}

static bool asked_cert(const struct handshake *hs)
{
    return hs->asked_cert;
}

static bool not_asked_cert(const struct handshake *hs)
{
    return !hs->asked_cert;
}

static bool have_cert(const struct handshake *hs)
{
    return hs->have_cert;
}

static bool peer_has_cert(const struct handshake *hs)
{
    return hs->peer_has_cert;
}

/* Without a pre-shared key, by certificates. */
static bool full(const struct handshake *hs)
{
    return !hs->conn->neg.resumed;
}

static bool wants_early(const struct handshake *hs)
{
    return hs->conn->wants_early_data;
}

static bool began_early(const struct handshake *hs)
{
    return hs->began_early;
}

static bool began_early_compat(const struct handshake *hs)
{
    return hs->began_early && compat(hs);
}

static bool early_offered(const struct handshake *hs)
{
    return hs->early_offered;
}

static bool early_accepted(const struct handshake *hs)
{
    return hs->conn->neg.early_data == EARLY_DATA_ACCEPTED;
}

static bool not_early_accepted(const struct handshake *hs)
{
    return !early_accepted(hs);
}

static bool first_ticket_is_due(const struct handshake *hs)
{
    return hs->initial && !hs->told_done && ticket_is_due(hs);
}

static bool is_tls12(const struct handshake *hs)
{
    return hs->conn->neg.version != VERSION_TLS13;
}

static bool cert_auth(const struct handshake *hs)
{
    return suite12_has_certificate(hs->conn->neg.suite);
}

static bool ephemeral(const struct handshake *hs)
{
    return suite12_is_ephemeral(hs->conn->neg.suite);
}

/* RFC 4279, 2: without anything but a hint to say, ServerKeyExchange may be left out. */
static bool may_have_hint(const struct handshake *hs)
{
    return suite12_has_psk(hs->conn->neg.suite) && !ephemeral(hs);
}

static bool exchange_to_tell(const struct handshake *hs)
{
    return ephemeral(hs) || (may_have_hint(hs) && hs->conn->config->psk_identity_hint != NULL);
}

static bool expect_status(const struct handshake *hs)
{
    return hs->expect_status;
}

static bool expect_ticket(const struct handshake *hs)
{
    return hs->expect_ticket;
}

static bool resumes(const struct handshake *hs)
{
    return hs->conn->neg.resumed;
}

static bool resumes12(const struct handshake *hs)
{
    return resumes(hs) && is_tls12(hs);
}

static bool has_secret(const struct handshake *hs)
{
    return hs->has_secret;
}

static bool renegotiates(const struct handshake *hs)
{
    return hs->conn->renegotiation == RENEGOTIATION_ASKED;
}

static bool next_protocol_due(const struct handshake *hs)
{
    return hs->next_protocol_due;
}

static bool stapling(const struct handshake *hs)
{
    return hs->ocsp_response != NULL;
}

/* --- Derivations --- */

static enum step_result derive_handshake(struct handshake *hs)
{
    return keys13_derive_handshake(hs) ? STEP_OK
                                       : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

static enum step_result derive_application(struct handshake *hs)
{
    return keys13_derive_application(hs)
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

/* The last of the secrets; and where post-handshake authentication may follow, the transcript it
 * will start from (RFC 8446, 4.4.1). */
static enum step_result derive_resumption(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    bool ok = keys13_derive_resumption(hs);

    if (ok && c->post_auth == POST_AUTH_OFFERED) {
        c->post_transcript = OPENSSL_zalloc(sizeof *c->post_transcript);
        ok = c->post_transcript != NULL &&
             running_hash_copy(c->post_transcript, &hs->transcript.running);
    }
    return ok ? STEP_OK : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

/* --- Row macros --- */

/* clang-format off */
#define RECV_IF(c, m, f, s)  { .kind = STEP_KIND_RECV,  .when = c, .message = m, .read = f, .state = s, .name = #m }
#define RECV(m, f, s)        RECV_IF(NULL, m, f, s)
#define MAYBE(m, f, s)       { .kind = STEP_KIND_MAYBE, .message = m, .read = f, .state = s, .name = #m }
#define MAYBE_IF(c, m, f, s) { .kind = STEP_KIND_MAYBE, .when = c, .message = m, .read = f, .state = s, .name = #m }
#define RECV_CCS(s)          { .kind = STEP_KIND_RECV,  .message = MSG_CCS, .state = s, .name = "MSG_CCS" }
#define SEND_IF(c, m, f, s)  { .kind = STEP_KIND_SEND,  .when = c, .message = m, .write = f, .state = s, .name = #m }
#define CCS_IF(c, s)         { .kind = STEP_KIND_SEND,  .when = c, .message = MSG_CCS, .state = s, .name = "MSG_CCS" }
#define SEND(m, f, s)        SEND_IF(NULL, m, f, s)
#define DO_IF(c, f)          { .kind = STEP_KIND_DO,    .when = c, .act = f, .name = #f }
#define DO(f)                DO_IF(NULL, f)
#define CCS(s)               CCS_IF(NULL, s)
#define MARK_IF(c, s)        { .kind = STEP_KIND_MARK,  .when = c, .state = s, .name = #s }
#define MARK(s)              MARK_IF(NULL, s)
#define KEYS(d, e)           { .kind = STEP_KIND_KEYS,  .direction = DIRECTION_##d, .epoch = EPOCH_##e, .name = #d " " #e }
#define SEND_HELLO(m, f, g, s) { .kind = STEP_KIND_SEND, .message = m, .write = f, .complete = g, .state = s, .name = #m }
#define KEYS_IF(c, d, e)     { .kind = STEP_KIND_KEYS,  .when = c, .direction = DIRECTION_##d, .epoch = EPOCH_##e, .name = #d " " #e }
#define REST_IF(c, s)        { .kind = STEP_KIND_REST,  .when = c, .state = s, .name = #s }
#define REST(s)              REST_IF(NULL, s)
#define FLUSH                { .kind = STEP_KIND_FLUSH, .name = "FLUSH" }
#define NEXT_KEY(d)          { .kind = STEP_KIND_NEXT,  .direction = DIRECTION_##d, .name = #d " NEXT" }
#define GOTO_IF(c, t)        { .kind = STEP_KIND_GOTO,  .when = c, .script = t, .name = #t }
#define GOTO(t)              GOTO_IF(NULL, t)
#define FORK_IF(c, m, t)     { .kind = STEP_KIND_FORK,  .when = c, .message = m, .script = t, .name = #m ": " #t }
#define END                  { .kind = STEP_KIND_END, .name = "END" }

/* --- Client --- */

static const struct step client13[] = {
    DO      (derive_handshake),
    KEYS    (IN, HANDSHAKE),
    RECV    (MSG_ENCRYPTED_EXTENSIONS, read_encrypted_extensions, STATE_CR_ENCRYPTED_EXTENSIONS),
    MAYBE_IF(full, MSG_CERTIFICATE_REQUEST, read_certificate_request, STATE_CR_CERT_REQ),
    RECV_IF (full, MSG_CERTIFICATE,    read_certificate,          STATE_CR_CERT),
    DO_IF   (full, verify_peer),       /* may pause */
    RECV_IF (full, MSG_CERTIFICATE_VERIFY, read_certificate_verify, STATE_CR_CERT_VRFY),
    DO_IF   (asked_cert, choose_credential_client), /* may pause */
    RECV    (MSG_FINISHED,             read_finished,             STATE_CR_FINISHED),
    DO      (derive_application),
    KEYS    (IN, APPLICATION),
    DO      (check_stapled),
    REST_IF (began_early,                                         STATE_PENDING_EARLY_DATA_END),
    SEND_IF (early_accepted, MSG_END_OF_EARLY_DATA, write_nothing, STATE_CW_END_OF_EARLY_DATA),
    CCS_IF  (compat_not_retried,                                  STATE_CW_CHANGE),
    MARK_IF (asked_cert,                                          STATE_CW_CERT),
    MARK_IF (not_asked_cert,                                      STATE_CW_FINISHED),
    KEYS    (OUT, HANDSHAKE),
    SEND_IF (asked_cert, MSG_CERTIFICATE, write_certificate,      0),
    SEND_IF (have_cert, MSG_CERTIFICATE_VERIFY, write_certificate_verify, STATE_CW_CERT_VRFY),
    MARK_IF (asked_cert,                                          STATE_CW_FINISHED),
    SEND    (MSG_FINISHED,             write_finished,            0),
    DO      (derive_resumption),
    KEYS    (OUT, APPLICATION),
    END
};

static const struct step client12_resume[] = {
    RECV_IF (expect_ticket, MSG_NEW_SESSION_TICKET, read_new_session_ticket12, STATE_CR_SESSION_TICKET),
    RECV_CCS(                                                     STATE_CR_CHANGE),
    KEYS    (IN, APPLICATION),
    RECV    (MSG_FINISHED,             read_finished12,           STATE_CR_FINISHED),
    CCS     (                                                     STATE_CW_CHANGE),
    KEYS    (OUT, APPLICATION),
    SEND_IF (next_protocol_due, MSG_NEXT_PROTO, write_next_protocol, STATE_CW_NEXT_PROTO),
    SEND    (MSG_FINISHED,             write_finished12,          STATE_CW_FINISHED),
    END
};

/* The server has taken the application's ticket: RFC 4851, 3.2.2. */
static const struct step client12_by_secret[] = {
    DO      (resume_by_secret12),
    GOTO    (client12_resume),
    END
};

static const struct step client12[] = {
    FORK_IF (has_secret, MSG_CCS, client12_by_secret),
    RECV_IF (cert_auth, MSG_CERTIFICATE, read_certificate12,      STATE_CR_CERT),
    DO_IF   (cert_auth, verify_peer),  /* may pause */
    DO_IF   (cert_auth, check_server_key),
    MAYBE_IF(expect_status, MSG_CERTIFICATE_STATUS, read_certificate_status, STATE_CR_CERT_STATUS),
    RECV_IF (ephemeral, MSG_SERVER_KEY_EXCHANGE, read_server_key_exchange, STATE_CR_KEY_EXCH),
    MAYBE_IF(may_have_hint, MSG_SERVER_KEY_EXCHANGE, read_server_key_exchange, STATE_CR_KEY_EXCH),
    MAYBE_IF(cert_auth, MSG_CERTIFICATE_REQUEST, read_certificate_request12, STATE_CR_CERT_REQ),
    DO_IF   (asked_cert, choose_credential_client), /* may pause */
    RECV    (MSG_SERVER_HELLO_DONE,    read_nothing,              STATE_CR_SRVR_DONE),
    DO_IF   (cert_auth, check_key_usage),
    DO_IF   (cert_auth, check_stapled),
    SEND_IF (asked_cert, MSG_CERTIFICATE, write_certificate12,    STATE_CW_CERT),
    SEND    (MSG_CLIENT_KEY_EXCHANGE,  write_client_key_exchange, STATE_CW_KEY_EXCH),
    DO      (derive_master_secret),
    SEND_IF (have_cert, MSG_CERTIFICATE_VERIFY, write_certificate_verify12, STATE_CW_CERT_VRFY),
    CCS     (                                                     STATE_CW_CHANGE),
    KEYS    (OUT, APPLICATION),
    SEND_IF (next_protocol_due, MSG_NEXT_PROTO, write_next_protocol, STATE_CW_NEXT_PROTO),
    SEND    (MSG_FINISHED,             write_finished12,          STATE_CW_FINISHED),
    RECV_IF (expect_ticket, MSG_NEW_SESSION_TICKET, read_new_session_ticket12, STATE_CR_SESSION_TICKET),
    RECV_CCS(                                                     STATE_CR_CHANGE),
    KEYS    (IN, APPLICATION),
    RECV    (MSG_FINISHED,             read_finished12,           STATE_CR_FINISHED),
    END
};

static const struct step client13_retry[] = {
    CCS_IF  (compat_not_begun,                                              STATE_CW_CHANGE),
    DO      (prepare_client_hello),
    SEND_HELLO(MSG_CLIENT_HELLO, write_client_hello, psk13_bind,  STATE_CW_CLNT_HELLO),
    RECV    (MSG_SERVER_HELLO,         read_server_hello,         STATE_CR_SRVR_HELLO),
    GOTO    (client13),
    END
};

const struct step script_client_hello[] = {
    DO      (check_versions),
    DO      (prepare_client_hello),
    SEND_HELLO(MSG_CLIENT_HELLO, write_client_hello, psk13_bind,  STATE_CW_CLNT_HELLO),
    DO_IF   (wants_early, begin_early_data),
    CCS_IF  (began_early_compat,                                  STATE_CW_CHANGE),
    KEYS_IF (early_offered, OUT, EARLY),
    REST_IF (began_early,                                         STATE_EARLY_DATA),
    RECV    (MSG_SERVER_HELLO,         read_server_hello,         STATE_CR_SRVR_HELLO),
    GOTO_IF (resumes12, client12_resume),
    GOTO_IF (is_tls12, client12),
    GOTO_IF (retry_due, client13_retry),
    GOTO    (client13),
    END
};

/* --- Server --- */

/* As many as are due, each delivered by itself; applications see the first handshake end before
 * the first of them. */
static const struct step server13_tickets[] = {
    MARK_IF (ticket_is_due,                                       STATE_SW_SESSION_TICKET),
    DO_IF   (first_ticket_is_due, tell_done),
    SEND_IF (ticket_is_due, MSG_NEW_SESSION_TICKET, write_new_session_ticket, 0),
    FLUSH,
    GOTO_IF (ticket_is_due, server13_tickets),
    END
};

static const struct step server13[] = {
    DO      (choose_suite),
    DO      (check_cookie),
    DO      (choose_session13),
    DO      (read_hello_extensions),
    DO      (ask_server_name),
    DO      (confirm_session13),
    DO      (ask_alpn),
    DO      (choose_group),
    DO      (choose_early_data),
    KEYS_IF (early_accepted, IN, EARLY),
    DO      (choose_credential_server), /* may pause */
    DO      (ask_ocsp),
    SEND_IF (retry_due, MSG_SERVER_HELLO, write_hello_retry_request, STATE_SW_SRVR_HELLO),
    CCS_IF  (retry_due_compat,                                    STATE_SW_CHANGE),
    REST_IF (retry_due,                                           STATE_EARLY_DATA),
    GOTO_IF (retry_due, script_server_hello),
    SEND    (MSG_SERVER_HELLO,         write_server_hello,        STATE_SW_SRVR_HELLO),
    CCS_IF  (compat_not_retried,                                  STATE_SW_CHANGE),
    DO      (derive_handshake),
    KEYS    (OUT, HANDSHAKE),
    KEYS_IF (not_early_accepted, IN, HANDSHAKE),
    SEND    (MSG_ENCRYPTED_EXTENSIONS, write_encrypted_extensions, STATE_SW_ENCRYPTED_EXTENSIONS),
    SEND_IF (asked_cert, MSG_CERTIFICATE_REQUEST, write_certificate_request, STATE_SW_CERT_REQ),
    SEND_IF (full, MSG_CERTIFICATE,    write_certificate,         STATE_SW_CERT),
    SEND_IF (full, MSG_CERTIFICATE_VERIFY, write_certificate_verify, STATE_SW_CERT_VRFY),
    SEND    (MSG_FINISHED,             write_finished,            STATE_SW_FINISHED),
    DO      (derive_application),
    KEYS    (OUT, APPLICATION),
    REST    (STATE_EARLY_DATA),
    RECV_IF (early_accepted, MSG_END_OF_EARLY_DATA, read_end_of_early_data, STATE_SR_END_OF_EARLY_DATA),
    KEYS_IF (early_accepted, IN, HANDSHAKE),
    RECV_IF (asked_cert, MSG_CERTIFICATE, read_certificate,       STATE_SR_CERT),
    DO_IF   (peer_has_cert, verify_peer), /* may pause */
    RECV_IF (peer_has_cert, MSG_CERTIFICATE_VERIFY, read_certificate_verify, STATE_SR_CERT_VRFY),
    RECV    (MSG_FINISHED,             read_finished,             STATE_SR_FINISHED),
    KEYS    (IN, APPLICATION),
    DO      (derive_resumption),
    GOTO    (server13_tickets),
    END
};

static const struct step server12_resume[] = {
    DO      (accept_resumption12),
    DO      (ask_alpn),
    SEND    (MSG_SERVER_HELLO,         write_server_hello12,      STATE_SW_SRVR_HELLO),
    SEND_IF (expect_ticket, MSG_NEW_SESSION_TICKET, write_new_session_ticket12, STATE_SW_SESSION_TICKET),
    CCS     (                                                     STATE_SW_CHANGE),
    KEYS    (OUT, APPLICATION),
    SEND    (MSG_FINISHED,             write_finished12,          STATE_SW_FINISHED),
    RECV_CCS(                                                     STATE_SR_CHANGE),
    KEYS    (IN, APPLICATION),
    RECV_IF (next_protocol_due, MSG_NEXT_PROTO, read_next_protocol, STATE_SR_NEXT_PROTO),
    RECV    (MSG_FINISHED,             read_finished12,           STATE_SR_FINISHED),
    END
};

static const struct step server12[] = {
    DO      (find_session12),
    DO      (read_hello_extensions12),
    DO      (make_random12),
    DO      (ask_server_name),
    DO      (confirm_session12),
    DO      (ask_session_secret12),
    GOTO_IF (resumes, server12_resume),
    DO      (choose_credential_server12), /* may pause */
    DO      (choose_suite12),
    DO      (ask_ocsp),
    DO      (ask_alpn),
    SEND    (MSG_SERVER_HELLO,         write_server_hello12,      STATE_SW_SRVR_HELLO),
    SEND_IF (cert_auth, MSG_CERTIFICATE, write_certificate12,     STATE_SW_CERT),
    SEND_IF (stapling, MSG_CERTIFICATE_STATUS, write_certificate_status, STATE_SW_CERT_STATUS),
    SEND_IF (exchange_to_tell, MSG_SERVER_KEY_EXCHANGE, write_server_key_exchange, STATE_SW_KEY_EXCH),
    SEND_IF (asked_cert, MSG_CERTIFICATE_REQUEST, write_certificate_request12, STATE_SW_CERT_REQ),
    SEND    (MSG_SERVER_HELLO_DONE,    write_nothing,             STATE_SW_SRVR_DONE),
    RECV_IF (asked_cert, MSG_CERTIFICATE, read_certificate12,     STATE_SR_CERT),
    DO_IF   (peer_has_cert, verify_peer), /* may pause */
    RECV    (MSG_CLIENT_KEY_EXCHANGE,  read_client_key_exchange,  STATE_SR_KEY_EXCH),
    DO      (derive_master_secret),
    RECV_IF (peer_has_cert, MSG_CERTIFICATE_VERIFY, read_certificate_verify12, STATE_SR_CERT_VRFY),
    RECV_CCS(                                                     STATE_SR_CHANGE),
    KEYS    (IN, APPLICATION),
    RECV_IF (next_protocol_due, MSG_NEXT_PROTO, read_next_protocol, STATE_SR_NEXT_PROTO),
    RECV    (MSG_FINISHED,             read_finished12,           STATE_SR_FINISHED),
    SEND_IF (expect_ticket, MSG_NEW_SESSION_TICKET, write_new_session_ticket12, STATE_SW_SESSION_TICKET),
    CCS     (                                                     STATE_SW_CHANGE),
    KEYS    (OUT, APPLICATION),
    SEND    (MSG_FINISHED,             write_finished12,          STATE_SW_FINISHED),
    END
};

const struct step script_server_hello[] = {
    DO      (check_versions),
    RECV    (MSG_CLIENT_HELLO,         read_client_hello,         STATE_SR_CLNT_HELLO),
    DO      (ask_client_hello_hook),   /* may pause */
    DO      (choose_version),
    GOTO_IF (is_tls12, server12),
    GOTO    (server13),
    END
};

/* --- After the handshake --- */

const struct step script_client_take_key_update[] = {
    RECV    (MSG_KEY_UPDATE,           read_key_update,           STATE_CR_KEY_UPDATE),
    NEXT_KEY(IN),
    END
};
const struct step script_server_take_key_update[] = {
    RECV    (MSG_KEY_UPDATE,           read_key_update,           STATE_SR_KEY_UPDATE),
    NEXT_KEY(IN),
    END
};
static const struct step client_give_key_update[] = {
    SEND    (MSG_KEY_UPDATE,           write_key_update,          STATE_CW_KEY_UPDATE),
    NEXT_KEY(OUT),
    END
};
static const struct step server_give_key_update[] = {
    SEND    (MSG_KEY_UPDATE,           write_key_update,          STATE_SW_KEY_UPDATE),
    NEXT_KEY(OUT),
    END
};
const struct step script_take_ticket[] = {
    RECV    (MSG_NEW_SESSION_TICKET,   read_new_session_ticket,   STATE_CR_SESSION_TICKET),
    END
};
static const struct step ask_client_auth[] = {
    SEND    (MSG_CERTIFICATE_REQUEST,  write_certificate_request, STATE_SW_CERT_REQ),
    END
};
const struct step script_give_client_auth[] = {
    DO      (begin_post_auth),
    RECV    (MSG_CERTIFICATE_REQUEST,  read_certificate_request,  STATE_CR_CERT_REQ),
    DO      (choose_credential_client), /* may pause */
    SEND    (MSG_CERTIFICATE,          write_certificate,         STATE_CW_CERT),
    SEND_IF (have_cert, MSG_CERTIFICATE_VERIFY, write_certificate_verify, STATE_CW_CERT_VRFY),
    SEND    (MSG_FINISHED,             write_finished,            STATE_CW_FINISHED),
    DO      (end_post_auth),
    END
};
const struct step script_take_client_auth[] = {
    DO      (begin_post_auth),
    RECV    (MSG_CERTIFICATE,          read_certificate,          STATE_SR_CERT),
    DO_IF   (peer_has_cert, verify_peer), /* may pause */
    RECV_IF (peer_has_cert, MSG_CERTIFICATE_VERIFY, read_certificate_verify, STATE_SR_CERT_VRFY),
    RECV    (MSG_FINISHED,             read_finished,             STATE_SR_FINISHED),
    DO      (end_post_auth),
    DO      (begin_tickets),
    GOTO    (server13_tickets),
    END
};
/* TLS 1.2: a renegotiation is the initial script again. */
static const struct step ask_renegotiation[] = {
    SEND    (MSG_HELLO_REQUEST,        write_hello_request,       STATE_SW_HELLO_REQ),
    END
};
const struct step script_take_hello_request[] = {
    RECV    (MSG_HELLO_REQUEST,        read_hello_request,        STATE_CR_HELLO_REQ),
    GOTO_IF (renegotiates, script_client_hello),
    END
};
const struct step script_refuse_client_hello[] = {
    RECV    (MSG_CLIENT_HELLO,         read_refused_hello,        STATE_SR_CLNT_HELLO),
    END
};
/* clang-format on */

const struct script scripts[] = {
    { "client_hello", script_client_hello, ROLE_CLIENT },
    { "client13_retry", client13_retry, ROLE_CLIENT },
    { "client13", client13, ROLE_CLIENT },
    { "client12", client12, ROLE_CLIENT },
    { "client12_by_secret", client12_by_secret, ROLE_CLIENT },
    { "client12_resume", client12_resume, ROLE_CLIENT },
    { "server12", server12, ROLE_SERVER },
    { "server12_resume", server12_resume, ROLE_SERVER },
    { "server_hello", script_server_hello, ROLE_SERVER },
    { "server13", server13, ROLE_SERVER },
    { "server13_tickets", server13_tickets, ROLE_SERVER },
    { "client_take_key_update", script_client_take_key_update, ROLE_CLIENT },
    { "server_take_key_update", script_server_take_key_update, ROLE_SERVER },
    { "client_give_key_update", client_give_key_update, ROLE_CLIENT },
    { "server_give_key_update", server_give_key_update, ROLE_SERVER },
    { "take_ticket", script_take_ticket, ROLE_CLIENT },
    { "ask_renegotiation", ask_renegotiation, ROLE_SERVER },
    { "take_hello_request", script_take_hello_request, ROLE_CLIENT },
    { "refuse_client_hello", script_refuse_client_hello, ROLE_SERVER },
    { "ask_client_auth", ask_client_auth, ROLE_SERVER },
    { "give_client_auth", script_give_client_auth, ROLE_CLIENT },
    { "take_client_auth", script_take_client_auth, ROLE_SERVER },
};
const size_t num_scripts = COUNT_OF(scripts);

const struct step *script_give_key_update(const struct tls_conn *c)
{
    return c->role == ROLE_CLIENT ? client_give_key_update : server_give_key_update;
}

const struct step *script_ask_renegotiation(void)
{
    return ask_renegotiation;
}

const struct step *script_give_tickets(void)
{
    return server13_tickets;
}

const struct step *script_ask_client_auth(void)
{
    return ask_client_auth;
}
