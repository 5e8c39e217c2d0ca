/*
 * Pre-shared keys: the callbacks and the hint that applications set, and the core's questions put
 * to them. SSL_CTX_set_psk_client_callback(3), SSL_CTX_use_psk_identity_hint(3),
 * SSL_CTX_set_psk_use_session_callback(3), SSL_CTX_set_psk_find_session_callback(3).
 */
#include "api/psk.h"

#include <openssl/err.h>
#include <string.h>

_Static_assert(PSK_IDENTITY_MAX == PSK_MAX_IDENTITY_LEN && PSK_KEY_MAX == PSK_MAX_PSK_LEN,
               "limits of the callbacks");

/* --- Settings --- */

void SSL_CTX_set_psk_client_callback(SSL_CTX *ctx, SSL_psk_client_cb_func cb)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->psk_client_callback = cb;
    }
}

void SSL_set_psk_client_callback(SSL *s, SSL_psk_client_cb_func cb)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->psk_client_callback = cb;
    }
}

void SSL_CTX_set_psk_server_callback(SSL_CTX *ctx, SSL_psk_server_cb_func cb)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->psk_server_callback = cb;
    }
}

void SSL_set_psk_server_callback(SSL *s, SSL_psk_server_cb_func cb)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->psk_server_callback = cb;
    }
}

void SSL_CTX_set_psk_find_session_callback(SSL_CTX *ctx, SSL_psk_find_session_cb_func cb)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->psk_find_session = cb;
    }
}

void SSL_set_psk_find_session_callback(SSL *s, SSL_psk_find_session_cb_func cb)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->psk_find_session = cb;
    }
}

void SSL_CTX_set_psk_use_session_callback(SSL_CTX *ctx, SSL_psk_use_session_cb_func cb)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->psk_use_session = cb;
    }
}

void SSL_set_psk_use_session_callback(SSL *s, SSL_psk_use_session_cb_func cb)
{
    struct ssl_config *config = ssl_edit(s);

    if (config != NULL) {
        config->psk_use_session = cb;
    }
}

/* hint NULL: none from now on. config may be NULL: an error was raised. */
static int store_hint(struct ssl_config *config, const char *hint)
{
    struct blob *copy = hint != NULL ? blob_new(hint, strlen(hint)) : NULL;

    if (config == NULL || (hint != NULL && copy == NULL)) {
        blob_free(copy);
        return 0;
    }
    blob_set(&config->core.psk_identity_hint, copy);
    return 1;
}

static bool is_hint(const char *hint)
{
    if (hint != NULL && strlen(hint) > PSK_MAX_IDENTITY_LEN) {
        raise_error(SSL_R_DATA_LENGTH_TOO_LONG);
        return false;
    }
    return true;
}

int SSL_CTX_use_psk_identity_hint(SSL_CTX *ctx, const char *hint)
{
    return is_hint(hint) ? store_hint(ctx_edit(ctx), hint) : 0;
}

int SSL_use_psk_identity_hint(SSL *s, const char *hint)
{
    return s != NULL && is_hint(hint) ? store_hint(ssl_edit(s), hint) : 0;
}

/* --- Answers --- */

bool psk_is_known(void *owner)
{
    const SSL *s = owner;

    return s->conn.role == ROLE_CLIENT ? s->config->psk_client_callback != NULL
                                       : s->config->psk_server_callback != NULL;
}

/* len: what a callback says it has written. */
static enum hook_answer take_key(struct psk *psk, unsigned int len, uint8_t alert,
                                 struct record_error *failure)
{
    if (len > sizeof psk->key) {
        *failure = (struct record_error){ alert, ERR_R_INTERNAL_ERROR };
        return HOOK_FAIL;
    }
    psk->key_len = len;
    return len > 0 ? HOOK_OK : HOOK_NONE;
}

enum hook_answer psk_ask_client(void *owner, const char *hint, struct psk *psk,
                                struct record_error *failure)
{
    SSL *s = owner;

    if (s->config->psk_client_callback == NULL) {
        return HOOK_NONE;
    }
    unsigned int len = s->config->psk_client_callback(s, hint, psk->identity, PSK_IDENTITY_MAX,
                                                      psk->key, sizeof psk->key);
    enum hook_answer answer = take_key(psk, len, ALERT_HANDSHAKE_FAILURE, failure);
    if (answer == HOOK_OK && memchr(psk->identity, 0, sizeof psk->identity) == NULL) {
        *failure = (struct record_error){ ALERT_HANDSHAKE_FAILURE, ERR_R_INTERNAL_ERROR };
        return HOOK_FAIL;
    }
    return answer;
}

enum hook_answer psk_ask_server(void *owner, struct psk *psk, struct record_error *failure)
{
    SSL *s = owner;

    if (s->config->psk_server_callback == NULL) {
        return HOOK_NONE;
    }
    return take_key(psk,
                    s->config->psk_server_callback(s, psk->identity, psk->key, sizeof psk->key),
                    ALERT_INTERNAL_ERROR, failure);
}
