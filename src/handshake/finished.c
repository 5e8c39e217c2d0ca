/*
 * Finished: RFC 8446, 4.4.4; RFC 5246, 7.4.9.
 */
#include "handshake/handshake.h"
#include "handshake/keys12.h"
#include "handshake/keys13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* verify_data by version. */
typedef bool finished_fn(struct handshake *hs, enum direction direction,
                         struct secret *verify_data);

static enum step_result write_with(struct handshake *hs, struct writer *w, finished_fn *compute)
{
    struct secret verify_data = { 0 };

    if (!compute(hs, DIRECTION_OUT, &verify_data)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    writer_bytes(w, verify_data.bytes, verify_data.len);
    hs->conn->neg.own_finished = verify_data;
    return STEP_OK;
}

static enum step_result read_with(struct handshake *hs, struct reader *body, finished_fn *compute)
{
    struct secret expected = { 0 };
    const uint8_t *received;
    const struct ssl_session_st *session = hs->conn->session;

    if (!compute(hs, DIRECTION_IN, &expected)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (reader_left(body) != expected.len || !reader_bytes(body, &received, expected.len)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_DIGEST_LENGTH);
    }
    if (!secret_equals(&expected, received, expected.len)) {
        return step_fail(hs, ALERT_DECRYPT_ERROR, SSL_R_DIGEST_CHECK_FAILED);
    }
    hs->conn->neg.peer_finished = expected;
    /* Only now it is known that whoever sent the certificates has the key of the first. */
    peer_chain_keep(session->chain, session->verify_result == SESSION_VERIFIED);
    return STEP_OK;
}

enum step_result write_finished(struct handshake *hs, struct writer *w)
{
    return write_with(hs, w, keys13_finished);
}

enum step_result read_finished(struct handshake *hs, struct reader *body)
{
    return read_with(hs, body, keys13_finished);
}

enum step_result write_finished12(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    c->hooks->keylog(c->owner, "CLIENT_RANDOM", &c->session->master);
    return write_with(hs, w, keys12_finished);
}

enum step_result read_finished12(struct handshake *hs, struct reader *body)
{
    return read_with(hs, body, keys12_finished);
}
