/*
 * Finished: RFC 8446, 4.4.4.
 */
#include "handshake/handshake.h"
#include "handshake/keys13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

enum step_result write_finished(struct handshake *hs, struct writer *w)
{
    struct secret verify_data = { 0 };

    if (!keys13_finished(hs, DIRECTION_OUT, &verify_data)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    writer_bytes(w, verify_data.bytes, verify_data.len);
    hs->conn->neg.own_finished = verify_data;
    return STEP_OK;
}

enum step_result read_finished(struct handshake *hs, struct reader *body)
{
    struct secret expected = { 0 };
    const uint8_t *received;

    if (!keys13_finished(hs, DIRECTION_IN, &expected)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (reader_left(body) != expected.len || !reader_bytes(body, &received, expected.len)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_DIGEST_LENGTH);
    }
    if (!secret_equals(&expected, received, expected.len)) {
        return step_fail(hs, ALERT_DECRYPT_ERROR, SSL_R_DIGEST_CHECK_FAILED);
    }
    hs->conn->neg.peer_finished = expected;
    return STEP_OK;
}
