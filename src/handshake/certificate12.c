/*
 * Certificate, CertificateStatus, CertificateRequest, CertificateVerify and ServerHelloDone of TLS
 * 1.2 and older: RFC 5246, 7.4.2, 7.4.4 to 7.4.6, 7.4.8; RFC 6066, 8.
 */
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#define STATUS_TYPE_OCSP 1

/* ClientCertificateType: RFC 5246, 7.4.4; RFC 8422, 5.5. */
#define CERT_TYPE_RSA_SIGN   1
#define CERT_TYPE_DSS_SIGN   2
#define CERT_TYPE_ECDSA_SIGN 64

enum step_result write_certificate12(struct handshake *hs, struct writer *w)
{
    STACK_OF(X509) *chain;
    enum step_result result = certificate_own_chain(hs, &chain);

    writer_open(w, 3);
    for (size_t i = 0; i < cert_list_len(chain) && result == STEP_OK; i++) {
        writer_open(w, 3);
        if (!cert_write(w, cert_list_at(chain, i))) {
            result = step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        }
        writer_close(w);
    }
    writer_close(w);
    cert_list_free(chain);
    return result;
}

enum step_result read_certificate12(struct handshake *hs, struct reader *body)
{
    struct reader list;
    enum step_result result = certificate_begin_chain(hs);

    if (result != STEP_OK) {
        return result;
    }
    if (!reader_vec24(body, &list) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    while (!reader_is_empty(&list) && result == STEP_OK) {
        struct reader der;
        if (!reader_vec24(&list, &der)) {
            return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_CERT_LENGTH_MISMATCH);
        }
        result = certificate_take(hs, der);
    }
    return result == STEP_OK ? certificate_end_chain(hs) : result;
}

enum step_result check_server_key(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    EVP_PKEY *key = peer_chain_key(c->session->peer);

    if (key == NULL || negotiate_auth_of_slot12(key_slot_of(key)) != c->neg.suite->auth) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_CERTIFICATE_TYPE);
    }
    return STEP_OK;
}

enum step_result check_key_usage(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    /* RFC 4055, 1.2: a key for RSASSA-PSS encrypts nothing. */
    if (suite12_exchange(c->neg.suite) == EXCHANGE12_RSA &&
        key_slot_of(peer_chain_key(c->session->peer)) != KEY_RSA) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_MISSING_RSA_ENCRYPTING_CERT);
    }
    return step_of_answer(hs, c->hooks->judge_key_usage(c->owner, &failure), &failure, PAUSE_NONE);
}

enum step_result write_certificate_status(struct handshake *hs, struct writer *w)
{
    writer_u8(w, STATUS_TYPE_OCSP);
    writer_open(w, 3);
    writer_bytes(w, hs->ocsp_response->bytes, hs->ocsp_response->len);
    writer_close(w);
    return STEP_OK;
}

enum step_result read_certificate_status(struct handshake *hs, struct reader *body)
{
    return status_on_answer(hs, EXT_CERTIFICATE, body);
}

/* --- CertificateRequest --- */

/* The types for which there is a signature algorithm. */
static void write_types(const struct tls_conn *c, struct writer *w)
{
    static const struct {
        uint32_t auth;
        uint8_t type;
    } types[] = {
        { AUTH_RSA, CERT_TYPE_RSA_SIGN },
        { AUTH_DSS, CERT_TYPE_DSS_SIGN },
        { AUTH_ECDSA, CERT_TYPE_ECDSA_SIGN },
    };

    writer_open(w, 1);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        if (negotiate_takes_auth12(c, config_client_sigalgs(c->config), types[i].auth)) {
            writer_u8(w, types[i].type);
        }
    }
    writer_close(w);
}

enum step_result write_certificate_request12(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    if (!c->hooks->write_certificate_types(c->owner, w)) {
        write_types(c, w);
    }
    if (negotiate_names_schemes12(c) && !sigalgs_offer(hs, EXT_CERTIFICATE_REQUEST, w)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    writer_open(w, 2);
    bool ok = c->hooks->write_authorities(c->owner, w);
    writer_close(w);
    c->num_requests++;
    return ok ? STEP_OK : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

/* The list is the same as in the extension. */
static enum step_result read_schemes(struct handshake *hs, struct reader *body)
{
    struct reader schemes;

    if (!reader_vec16(body, &schemes)) {
        return STEP_MALFORMED;
    }
    struct reader list = reader_of(schemes.at - 2, schemes.left + 2);
    enum step_result result = sigalgs_on_offer(hs, EXT_CERTIFICATE_REQUEST, &list);
    return result == STEP_MALFORMED
               ? step_fail(hs, ALERT_DECODE_ERROR, SSL_R_SIGNATURE_ALGORITHMS_ERROR)
               : result;
}

enum step_result read_certificate_request12(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader types;
    enum step_result result = STEP_OK;

    if (!reader_vec8(body, &types)) {
        return STEP_MALFORMED;
    }
    blob_set(&c->neg.peer_cert_types, blob_new(types.at, types.left));
    if (c->neg.peer_cert_types == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (negotiate_names_schemes12(c)) {
        result = read_schemes(hs, body);
    }
    if (result == STEP_OK) {
        result = authorities_on_offer(hs, EXT_CERTIFICATE_REQUEST, body);
    }
    hs->asked_cert = true;
    return result;
}

/* --- CertificateVerify --- */

enum step_result write_certificate_verify12(struct handshake *hs, struct writer *w)
{
    return write_signature12(hs, w, buffer_bytes(&hs->transcript.early),
                             buffer_len(&hs->transcript.early), ERR_R_EVP_LIB);
}

enum step_result read_certificate_verify12(struct handshake *hs, struct reader *body)
{
    return check_signature12(hs, body, buffer_bytes(&hs->transcript.early),
                             buffer_len(&hs->transcript.early));
}

/* --- Messages that say nothing --- */

enum step_result write_nothing(struct handshake *hs, struct writer *w)
{
    (void)hs;
    (void)w;
    return STEP_OK;
}

enum step_result read_nothing(struct handshake *hs, struct reader *body)
{
    (void)hs;
    (void)body; /* must be empty: the runner sees to it */
    return STEP_OK;
}
