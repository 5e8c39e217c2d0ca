/*
 * What key exchanges with a pre-shared key have beside the others: the server's hint, the client's
 * identity, and how the key is mixed in. RFC 4279, 2 to 4; RFC 5489, 2.
 */
#include "handshake/keys12.h"
#include "handshake/negotiate12.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* Replaces *slot by the text of a message, which ends at a NUL if it has one. False: out of memory.
 */
static bool keep_text(char **slot, const uint8_t *text, size_t len)
{
    OPENSSL_free(*slot);
    *slot = OPENSSL_strndup((const char *)text, len);
    return *slot != NULL;
}

/* --- The hint of ServerKeyExchange --- */

void write_psk_hint(struct handshake *hs, struct writer *w)
{
    const struct blob *hint = hs->conn->config->psk_identity_hint;

    writer_open(w, 2);
    if (hint != NULL) {
        writer_bytes(w, hint->bytes, hint->len);
    }
    writer_close(w);
}

enum step_result read_psk_hint(struct handshake *hs, struct reader *body)
{
    struct ssl_session_st *session = hs->conn->session;
    struct reader hint;

    if (!reader_vec16(body, &hint)) {
        return STEP_MALFORMED;
    }
    if (reader_left(&hint) > PSK_IDENTITY_MAX) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_DATA_LENGTH_TOO_LONG);
    }
    if (reader_is_empty(&hint)) {
        OPENSSL_free(session->psk_identity_hint);
        session->psk_identity_hint = NULL;
        return STEP_OK;
    }
    return keep_text(&session->psk_identity_hint, hint.at, hint.left) ? STEP_OK : step_internal(hs);
}

/* --- The identity of ClientKeyExchange --- */

static bool reserve_psk(struct handshake *hs)
{
    if (hs->psk == NULL) {
        hs->psk = OPENSSL_zalloc(sizeof *hs->psk);
    }
    return hs->psk != NULL;
}

enum step_result write_psk_identity(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    if (!c->hooks->has_psk(c->owner)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_PSK_NO_CLIENT_CB);
    }
    if (!reserve_psk(hs)) {
        return step_internal(hs);
    }
    enum hook_answer answer =
        c->hooks->client_psk(c->owner, c->session->psk_identity_hint, hs->psk, &failure);
    if (answer == HOOK_NONE) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_PSK_IDENTITY_NOT_FOUND);
    }
    enum step_result result = step_of_answer(hs, answer, &failure, PAUSE_NONE);
    if (result != STEP_OK) {
        return result;
    }
    size_t len = strlen(hs->psk->identity);
    writer_open(w, 2);
    writer_bytes(w, hs->psk->identity, len);
    writer_close(w);
    return keep_text(&c->session->psk_identity, (const uint8_t *)hs->psk->identity, len)
               ? STEP_OK
               : step_internal(hs);
}

enum step_result read_psk_identity(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    struct reader identity;

    if (!reader_vec16(body, &identity)) {
        return STEP_MALFORMED;
    }
    if (reader_left(&identity) > PSK_IDENTITY_MAX) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_DATA_LENGTH_TOO_LONG);
    }
    if (!c->hooks->has_psk(c->owner)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_PSK_NO_SERVER_CB);
    }
    if (!reserve_psk(hs) || !keep_text(&c->session->psk_identity, identity.at, identity.left)) {
        return step_internal(hs);
    }
    memcpy(hs->psk->identity, c->session->psk_identity, strlen(c->session->psk_identity) + 1);
    enum hook_answer answer = c->hooks->server_psk(c->owner, hs->psk, &failure);
    if (answer == HOOK_NONE) {
        return step_fail(hs, ALERT_UNKNOWN_PSK_IDENTITY, SSL_R_PSK_IDENTITY_NOT_FOUND);
    }
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

/* --- The premaster secret --- */

/* RFC 4279, 2: the other exchange's secret, or as many zeros as the key has bytes, then the key,
 * each behind its length. */
bool derive_with_psk(struct handshake *hs)
{
    struct buffer premaster = { 0 };
    struct writer w = writer_to(&premaster);
    bool alone = suite12_exchange(hs->conn->neg.suite) == EXCHANGE12_NONE;

    writer_open(&w, 2);
    if (alone) {
        writer_zeros(&w, hs->psk->key_len);
    } else {
        writer_bytes(&w, hs->shared->bytes, hs->shared->len);
    }
    writer_close(&w);
    writer_open(&w, 2);
    writer_bytes(&w, hs->psk->key, hs->psk->key_len);
    writer_close(&w);
    bool ok =
        writer_ok(&w) && keys12_derive_master(hs, buffer_bytes(&premaster), buffer_len(&premaster));
    buffer_wipe(&premaster);
    return ok;
}
