/*
 * Extensions about authentication: signature_algorithms and signature_algorithms_cert (RFC 8446,
 * 4.2.3), certificate_authorities (4.2.4), post_handshake_auth (4.2.6), status_request (RFC 6066, 8
 * and RFC 8446, 4.4.2.1) and signed_certificate_timestamp (RFC 6962, 3.3.1).
 */
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* CertificateStatusType ocsp: RFC 6066, 8. */
#define STATUS_TYPE_OCSP 1

/* --- signature_algorithms --- */

/* Versions before TLS 1.2 do not know them. */
bool sigalgs_offer_due(const struct handshake *hs, unsigned place)
{
    return place != EXT_CLIENT_HELLO || hs->conn->neg.client_version >= VERSION_TLS12;
}

bool sigalgs_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    const struct blob *list = negotiate_own_sigalgs(c);
    bool tls13 = c->role == ROLE_SERVER && c->neg.version == VERSION_TLS13;
    bool usable = false; /* one at least must be fit for the version, as far as it is known */

    (void)place;
    writer_open(w, 2);
    for (size_t i = 0; i < u16_list_len(list); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(list, i));
        if (scheme != NULL && c->hooks->allows_scheme(c->owner, SECURITY_SUPPORTED, scheme)) {
            writer_u16(w, scheme->id);
            usable = usable || !tls13 || scheme->tls13;
        }
    }
    writer_close(w);
    if (!usable) {
        conn_fail(c, ALERT_INTERNAL_ERROR, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM);
    }
    return usable;
}

enum step_result sigalgs_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    enum step_result result = extension_read_u16_list(hs, body, &c->neg.peer_sigalgs);

    (void)place;
    if (c->neg.version != VERSION_TLS13 && !negotiate_names_schemes12(c)) {
        blob_set(&c->neg.peer_sigalgs, NULL);
    }
    return result;
}

enum step_result sigalgs_cert_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    return extension_read_u16_list(hs, body, &hs->conn->neg.peer_cert_sigalgs);
}

/* --- certificate_authorities --- */

bool authorities_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->hooks->has_authorities(hs->conn->owner);
}

bool authorities_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_open(w, 2);
    bool ok = hs->conn->hooks->write_authorities(hs->conn->owner, w);
    writer_close(w);
    return ok;
}

/* True when the list consists of names that fit. */
static bool is_name_list(struct reader list)
{
    struct reader name;

    while (!reader_is_empty(&list)) {
        if (!reader_vec16(&list, &name)) {
            return false;
        }
    }
    return true;
}

enum step_result authorities_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader names;

    (void)place;
    if (!reader_vec16(body, &names) || !is_name_list(names)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    return hs->conn->hooks->peer_authorities(hs->conn->owner, names)
               ? STEP_OK
               : step_fail(hs, ALERT_DECODE_ERROR, ERR_R_ASN1_LIB);
}

/* --- post_handshake_auth --- */

bool post_auth_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->config->post_handshake_auth;
}

bool post_auth_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    (void)w;
    hs->conn->post_auth = POST_AUTH_OFFERED;
    return true;
}

enum step_result post_auth_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    if (!reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_POST_HANDSHAKE_AUTH_ENCODING_ERR);
    }
    hs->conn->post_auth = POST_AUTH_OFFERED;
    return STEP_OK;
}

/* --- status_request --- */

bool status_offer_due(const struct handshake *hs, unsigned place)
{
    return place == EXT_CLIENT_HELLO && hs->conn->config->request_ocsp;
}

bool status_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_u8(w, STATUS_TYPE_OCSP);
    return hs->conn->hooks->write_ocsp_request(hs->conn->owner, w);
}

enum step_result status_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    uint8_t type;
    struct reader responders;
    struct reader request_extensions;

    /* In a CertificateRequest: the server would take a stapled response; we have none to give. */
    if (place == EXT_CERTIFICATE_REQUEST) {
        return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
    }
    if (!reader_u8(body, &type)) {
        return STEP_MALFORMED;
    }
    if (type != STATUS_TYPE_OCSP) {
        return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
    }
    if (!reader_vec16(body, &responders) || !reader_vec16(body, &request_extensions)) {
        return STEP_MALFORMED;
    }
    if (!hs->conn->hooks->peer_ocsp_request(hs->conn->owner, responders, request_extensions)) {
        return STEP_MALFORMED;
    }
    hs->conn->neg.peer_wants_ocsp = true;
    return STEP_OK;
}

bool status_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->role == ROLE_SERVER && hs->ocsp_response != NULL;
}

bool status_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    /* TLS 1.2 announces a message of its own: RFC 6066, 8. */
    if (place == EXT_TLS12_SERVER_HELLO) {
        return true;
    }
    writer_u8(w, STATUS_TYPE_OCSP);
    writer_open(w, 3);
    writer_bytes(w, hs->ocsp_response->bytes, hs->ocsp_response->len);
    writer_close(w);
    return true;
}

enum step_result status_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    uint8_t type;
    struct reader response;

    if (place == EXT_TLS12_SERVER_HELLO) {
        hs->expect_status = true;
        return STEP_OK;
    }
    if (!reader_u8(body, &type) || type != STATUS_TYPE_OCSP) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_UNSUPPORTED_STATUS_TYPE);
    }
    if (!reader_vec24(body, &response) || reader_is_empty(&response) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    if (!hs->conn->hooks->peer_ocsp(hs->conn->owner, response.at, response.left)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    return STEP_OK;
}

/* --- signed_certificate_timestamp --- */

bool scts_offer_due(const struct handshake *hs, unsigned place)
{
    return place == EXT_CLIENT_HELLO && hs->conn->hooks->wants_scts(hs->conn->owner);
}

enum step_result scts_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    if (!hs->conn->hooks->peer_scts(hs->conn->owner, body->at, body->left)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
}
