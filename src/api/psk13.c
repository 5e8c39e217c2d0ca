/*
 * External pre-shared keys of TLS 1.3: the callbacks that hand over a session, and those of older
 * versions, whose keys count as keys for TLS_AES_128_GCM_SHA256 (RFC 8446, 4.2.11: SHA-256 where
 * nothing says otherwise). SSL_CTX_set_psk_use_session_callback(3),
 * SSL_CTX_set_psk_find_session_callback(3), SSL_CTX_set_psk_client_callback(3).
 */
#include "api/psk.h"

#include <openssl/err.h>
#include <string.h>

#define SUITE_AES128_GCM_SHA256 0x1301

static enum hook_answer fail(struct record_error *failure, uint8_t alert, int reason)
{
    *failure = (struct record_error){ alert, reason };
    return HOOK_FAIL;
}

/* The session that a key of the old callbacks stands for. */
static enum hook_answer session_of_key(const struct psk *psk, struct ssl_session_st **session,
                                       struct record_error *failure)
{
    SSL_SESSION *made = psk->key_len <= SECRET_MAX ? SSL_SESSION_new() : NULL;

    if (made == NULL) {
        return fail(failure, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    secret_set(&made->master, psk->key, psk->key_len);
    made->suite = suite_by_id(SUITE_AES128_GCM_SHA256);
    made->suite_id = made->suite->id;
    made->version = VERSION_TLS13;
    *session = made;
    return HOOK_OK;
}

/* --- Client --- */

/* psk_use_session_callback. */
static enum hook_answer ask_session(SSL *s, const struct hash *hash,
                                    struct ssl_session_st **session, struct blob **identity,
                                    struct record_error *failure)
{
    const unsigned char *id = NULL;
    size_t id_len = 0;
    SSL_SESSION *given = NULL;

    if (s->config->psk_use_session == NULL) {
        return HOOK_NONE;
    }
    if (!s->config->psk_use_session(s, hash != NULL ? hash_evp(hash) : NULL, &id, &id_len,
                                    &given) ||
        (given != NULL && given->version != VERSION_TLS13)) {
        session_free(given);
        return fail(failure, ALERT_INTERNAL_ERROR, SSL_R_BAD_PSK);
    }
    if (given == NULL) {
        return HOOK_NONE;
    }
    *identity = id_len > 0 ? blob_new(id, id_len) : NULL; /* RFC 8446, 4.2.11: never empty */
    if (*identity == NULL) {
        session_free(given);
        return fail(failure, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    *session = given;
    return HOOK_OK;
}

/* psk_client_callback. */
static enum hook_answer ask_key(SSL *s, struct ssl_session_st **session, struct blob **identity,
                                struct record_error *failure)
{
    struct psk psk = { 0 };
    enum hook_answer answer = psk_ask_client(s, NULL, &psk, failure);

    if (answer == HOOK_OK) {
        *identity = blob_new(psk.identity, strlen(psk.identity));
        answer = *identity != NULL ? session_of_key(&psk, session, failure)
                                   : fail(failure, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (answer != HOOK_OK) {
        blob_set(identity, NULL);
    }
    wipe(&psk, sizeof psk);
    return answer;
}

enum hook_answer psk13_use(void *owner, const struct hash *hash, struct ssl_session_st **session,
                           struct blob **identity, struct record_error *failure)
{
    enum hook_answer answer = ask_session(owner, hash, session, identity, failure);

    return answer == HOOK_NONE ? ask_key(owner, session, identity, failure) : answer;
}

/* --- Server --- */

/* psk_find_session_callback. */
static enum hook_answer find_by_session(SSL *s, const uint8_t *identity, size_t len,
                                        struct ssl_session_st **session,
                                        struct record_error *failure)
{
    if (s->config->psk_find_session == NULL) {
        return HOOK_NONE;
    }
    if (!s->config->psk_find_session(s, identity, len, session)) {
        *session = NULL;
        return fail(failure, ALERT_INTERNAL_ERROR, SSL_R_BAD_EXTENSION);
    }
    return *session != NULL ? HOOK_OK : HOOK_NONE;
}

/* psk_server_callback. */
static enum hook_answer find_by_key(SSL *s, const uint8_t *identity, size_t len,
                                    struct ssl_session_st **session, struct record_error *failure)
{
    struct psk psk = { 0 };

    if (s->config->psk_server_callback == NULL || len > PSK_IDENTITY_MAX) {
        return HOOK_NONE;
    }
    memcpy(psk.identity, identity, len);
    enum hook_answer answer = psk_ask_server(s, &psk, failure);
    if (answer == HOOK_OK) {
        answer = session_of_key(&psk, session, failure);
    }
    wipe(&psk, sizeof psk);
    return answer;
}

/* The application's session may be in use elsewhere; the connection gets its own, for the context
 * that it was found for. */
static enum hook_answer separate(const SSL *s, struct ssl_session_st **session,
                                 struct record_error *failure)
{
    SSL_SESSION *copy = session_copy(*session, false);

    session_free(*session);
    *session = copy;
    if (copy == NULL) {
        return fail(failure, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    memcpy(copy->context, s->config->session_context, sizeof copy->context);
    copy->context_len = (uint8_t)s->config->session_context_len;
    return HOOK_OK;
}

enum hook_answer psk13_find(void *owner, const uint8_t *identity, size_t len,
                            struct ssl_session_st **session, struct record_error *failure)
{
    enum hook_answer answer = find_by_session(owner, identity, len, session, failure);

    if (answer == HOOK_NONE) {
        answer = find_by_key(owner, identity, len, session, failure);
    }
    return answer == HOOK_OK ? separate(owner, session, failure) : answer;
}
