/*
 * CertificateRequest and Certificate: RFC 8446, 4.3.2 and 4.4.2; and the questions whether the
 * peer's chain is good and which of our certificates to send.
 */
#include "conn/pipes.h"
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* Bytes of the context that identifies one of several post-handshake requests. */
#define REQUEST_CONTEXT_LEN 32

/* --- CertificateRequest --- */

/* RFC 8446, 4.3.2: empty in the handshake, unique after it. */
static bool make_request_context(struct handshake *hs)
{
    uint8_t context[REQUEST_CONTEXT_LEN];
    struct tls_conn *c = hs->conn;
    size_t len = hs->initial ? 0 : sizeof context;

    if (len > 0 && !c->hooks->random(c->owner, context, len)) {
        return false;
    }
    blob_set(&hs->request_context, blob_new(context, len));
    return hs->request_context != NULL;
}

/* A request after the handshake is answered much later: its bytes start the transcript then. */
static bool keep_request(struct tls_conn *c, const struct handshake *hs)
{
    size_t len = buffer_len(&hs->outgoing);
    uint8_t *bytes = buffer_bytes(&hs->outgoing);

    /* Out of memory, the writer may not even have the header. */
    if (len < MESSAGE_HEADER_LEN) {
        return false;
    }
    blob_set(&c->auth_request, blob_new(bytes, len));
    if (c->auth_request == NULL) {
        return false;
    }
    /* The runner fills the header's length in later. */
    size_t body_len = len - MESSAGE_HEADER_LEN;
    c->auth_request->bytes[1] = (uint8_t)(body_len >> 16);
    c->auth_request->bytes[2] = (uint8_t)(body_len >> 8);
    c->auth_request->bytes[3] = (uint8_t)body_len;
    return true;
}

enum step_result write_certificate_request(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    if (!make_request_context(hs)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    writer_open(w, 1);
    writer_bytes(w, hs->request_context->bytes, hs->request_context->len);
    writer_close(w);
    enum step_result result = extensions_write(hs, EXT_CERTIFICATE_REQUEST, w, NULL, 0);
    if (result == STEP_OK && !hs->initial) {
        if (!keep_request(c, hs)) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        }
        c->post_auth = POST_AUTH_PENDING;
    }
    c->num_requests++;
    return result;
}

enum step_result read_certificate_request(struct handshake *hs, struct reader *body)
{
    struct reader context;
    struct reader block;

    if (!reader_vec8(body, &context) || !reader_vec16(body, &block) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    if (!hs->is_post_auth && !reader_is_empty(&context)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CONTEXT);
    }
    blob_set(&hs->request_context, blob_new(context.at, context.left));
    if (hs->request_context == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    enum step_result result = extensions_read(hs, EXT_CERTIFICATE_REQUEST, block, NULL, 0);
    if (result == STEP_OK && !extension_was_seen(hs, EXT_SIGNATURE_ALGORITHMS)) {
        return step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_MISSING_SIGALGS_EXTENSION);
    }
    hs->asked_cert = true;
    return result;
}

/* --- Our certificate --- */

void handshake_choose_scheme(struct handshake *hs, const struct sig_scheme *scheme)
{
    struct tls_conn *c = hs->conn;

    hs->scheme = scheme;
    c->neg.own_scheme = scheme;
    c->neg.own_slot = KEY_NONE;
    if (scheme != NULL) {
        c->neg.own_slot = scheme->slot;
        c->hooks->credential_chosen(c->owner, scheme->slot);
    }
}

enum step_result choose_credential_client(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CALLBACK_FAILED };
    enum step_result result = step_of_answer(hs, c->hooks->choose_credential(c->owner, &failure),
                                             &failure, PAUSE_X509_LOOKUP);

    if (result != STEP_OK) {
        return result;
    }
    /* None that fits: an empty Certificate says so, and the server decides (RFC 8446, 4.4.2.3). */
    handshake_choose_scheme(hs, c->neg.version == VERSION_TLS13 ? negotiate_scheme(c)
                                                                : negotiate_client_scheme12(c));
    hs->have_cert = hs->scheme != NULL;
    return STEP_OK;
}

static enum step_result write_entries(struct handshake *hs, struct writer *w,
                                      const STACK_OF(X509) *chain)
{
    enum step_result result = STEP_OK;

    for (size_t i = 0; i < cert_list_len(chain) && result == STEP_OK; i++) {
        X509 *cert = cert_list_at(chain, i);
        writer_open(w, 3);
        if (!cert_write(w, cert)) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        }
        writer_close(w);
        result = extensions_write(hs, EXT_CERTIFICATE, w, cert, i);
    }
    return result;
}

enum step_result certificate_own_chain(struct handshake *hs, STACK_OF(X509) **chain)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    *chain = NULL;
    if (!hs->have_cert) {
        return STEP_OK;
    }
    return step_of_answer(hs,
                          c->hooks->certificate_chain(c->owner, c->neg.own_slot, chain, &failure),
                          &failure, PAUSE_NONE);
}

enum step_result write_certificate(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    STACK_OF(X509) *chain;
    enum step_result result = certificate_own_chain(hs, &chain);

    if (result == STEP_OK) {
        writer_open(w, 1);
        if (hs->request_context != NULL && c->role == ROLE_CLIENT) {
            writer_bytes(w, hs->request_context->bytes, hs->request_context->len);
        }
        writer_close(w);
        writer_open(w, 3);
        result = write_entries(hs, w, chain);
        writer_close(w);
    }
    cert_list_free(chain);
    return result;
}

/* --- The peer's certificate --- */

/* RFC 8446, 4.4.2: a client repeats the context of the request. */
static bool is_expected_context(const struct handshake *hs, struct reader context)
{
    const struct tls_conn *c = hs->conn;
    struct reader request;
    struct reader expected;

    if (!hs->is_post_auth) {
        return reader_is_empty(&context);
    }
    request = reader_of(c->auth_request->bytes, c->auth_request->len);
    return reader_skip(&request, MESSAGE_HEADER_LEN) && reader_vec8(&request, &expected) &&
           reader_equals(&context, expected.at, expected.left);
}

enum step_result certificate_begin_chain(struct handshake *hs)
{
    peer_chain_free(hs->peer_chain);
    hs->peer_chain = peer_chain_new();
    return hs->peer_chain != NULL ? STEP_OK
                                  : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

enum step_result certificate_take(struct handshake *hs, struct reader der)
{
    struct tls_conn *c = hs->conn;

    switch (peer_chain_add(&hs->peer_chain, c->config->lib, der.at, der.left)) {
    case PEER_CHAIN_ADDED:
        return STEP_OK;
    case PEER_CHAIN_MALFORMED:
        return step_fail(hs, c->role == ROLE_CLIENT ? ALERT_BAD_CERTIFICATE : ALERT_DECODE_ERROR,
                         ERR_R_ASN1_LIB);
    case PEER_CHAIN_NO_MEMORY:
        break;
    }
    return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

static enum step_result read_entry(struct handshake *hs, struct reader *list, size_t index)
{
    struct reader der;
    struct reader block;

    if (!reader_vec24(list, &der)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_CERT_LENGTH_MISMATCH);
    }
    enum step_result result = certificate_take(hs, der);
    if (result != STEP_OK) {
        return result;
    }
    if (!reader_vec16(list, &block)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_LENGTH);
    }
    return extensions_read(hs, EXT_CERTIFICATE, block, hs->peer_chain, index);
}

static enum step_result read_chain(struct handshake *hs, struct reader list)
{
    enum step_result result = certificate_begin_chain(hs);

    for (size_t i = 0; !reader_is_empty(&list) && result == STEP_OK; i++) {
        result = read_entry(hs, &list, i);
    }
    return result;
}

/* The session takes the chain over: on a client as soon as it has been read, so that verification
 * callbacks find it there; on a server once it has been judged. */
static void keep_chain(struct handshake *hs)
{
    struct ssl_session_st *session = hs->conn->session;

    peer_chain_free(session->peer);
    session->peer = NULL;
    peer_chain_free(session->chain);
    session->chain = hs->peer_chain;
    hs->peer_chain = NULL;
}

/* The peer has no certificate: an empty chain. */
static enum step_result accept_none(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (c->role == ROLE_CLIENT) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    if (c->config->require_client_cert) {
        /* RFC 5246, 7.4.6, has no better alert. */
        return step_fail(hs,
                         c->neg.version == VERSION_TLS13 ? ALERT_CERTIFICATE_REQUIRED
                                                         : ALERT_HANDSHAKE_FAILURE,
                         SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE);
    }
    keep_chain(hs);
    return STEP_OK;
}

enum step_result certificate_end_chain(struct handshake *hs)
{
    hs->peer_has_cert = peer_chain_len(hs->peer_chain) > 0;
    if (!hs->peer_has_cert) {
        return accept_none(hs);
    }
    if (hs->conn->role == ROLE_CLIENT) {
        keep_chain(hs);
    }
    return STEP_OK;
}

enum step_result read_certificate(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader context;
    struct reader list;

    if (!reader_vec8(body, &context) || !reader_vec24(body, &list) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    if (!is_expected_context(hs, context)) {
        return step_fail(hs, ALERT_DECODE_ERROR,
                         c->role == ROLE_CLIENT ? SSL_R_LENGTH_MISMATCH : SSL_R_INVALID_CONTEXT);
    }
    enum step_result result = read_chain(hs, list);
    if (result != STEP_OK) {
        return result;
    }
    /* After the handshake the session may be shared: this connection goes on with its own. */
    c->sent_tickets = 0;
    if (hs->is_post_auth) {
        struct ssl_session_st *own = session_copy(c->session, false);
        if (own == NULL) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        }
        session_free(c->session);
        c->session = own;
    }
    return certificate_end_chain(hs);
}

enum step_result verify_peer(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_CERTIFICATE_UNKNOWN, SSL_R_CERTIFICATE_VERIFY_FAILED };
    struct peer_chain *chain = hs->peer_chain != NULL ? hs->peer_chain : c->session->chain;
    enum step_result result = step_of_answer(hs, c->hooks->verify_peer(c->owner, chain, &failure),
                                             &failure, PAUSE_RETRY_VERIFY);

    if (result != STEP_OK) {
        return result;
    }
    if (peer_chain_key(chain) == NULL) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_UNABLE_TO_FIND_PUBLIC_KEY_PARAMETERS);
    }
    if (hs->peer_chain != NULL) {
        keep_chain(hs);
    }
    c->session->peer = peer_chain_ref(chain);
    return STEP_OK;
}

enum step_result check_stapled(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_BAD_CERTIFICATE_STATUS_RESPONSE,
                                    SSL_R_INVALID_STATUS_RESPONSE };

    return step_of_answer(hs, c->hooks->check_stapled(c->owner, &failure), &failure, PAUSE_NONE);
}
