/*
 * Messages after the handshake: KeyUpdate (RFC 8446, 4.6.3) and the frame of post-handshake
 * authentication (4.6.2). NewSessionTicket is in ticket13.c.
 */
#include "handshake/handshake.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

bool handshake_is_flooded(struct tls_conn *c)
{
    return ++c->num_vain_requests > MAX_VAIN_REQUESTS;
}

enum step_result write_key_update(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    writer_u8(w, (uint8_t)c->key_update);
    c->key_update = KEY_UPDATE_NONE;
    return STEP_OK;
}

enum step_result read_key_update(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    uint8_t request;

    if (!reader_u8(body, &request) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_KEY_UPDATE);
    }
    if (request != KEY_UPDATE_NOT_REQUESTED && request != KEY_UPDATE_REQUESTED) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_UPDATE);
    }
    if (handshake_is_flooded(c)) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MANY_KEY_UPDATES);
    }
    /* Answered before the next application data, and once however often it was asked. */
    if (request == KEY_UPDATE_REQUESTED && c->key_update == KEY_UPDATE_NONE) {
        c->key_update = KEY_UPDATE_NOT_REQUESTED;
    }
    return STEP_OK;
}

/* RFC 8446, 4.4.1: the transcript is that of the handshake, then the CertificateRequest, which the
 * server has sent before and the client is about to read. */
enum step_result begin_post_auth(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    hs->is_post_auth = true;
    hs->asked_cert = true;
    if (c->post_transcript == NULL || !transcript_continue(&hs->transcript, c->post_transcript) ||
        (c->auth_request != NULL &&
         !transcript_add(&hs->transcript, c->auth_request->bytes, c->auth_request->len))) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    return STEP_OK;
}

enum step_result end_post_auth(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    blob_set(&c->auth_request, NULL);
    c->post_auth = POST_AUTH_OFFERED;
    return STEP_OK;
}
