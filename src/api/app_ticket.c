/*
 * Session tickets and master secrets that applications bring along: EAP-FAST (RFC 4851, 3.2), TLS
 * 1.2 and older. SSL_set_session_secret_cb, SSL_set_session_ticket_ext and
 * SSL_set_session_ticket_ext_cb have no manual page.
 */
#include "api/app_ticket.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

/* What the callback may fill: OpenSSL's room for a master secret. Nobody has one as long. */
#define SECRET_ROOM 512

int SSL_set_session_secret_cb(SSL *s, tls_session_secret_cb_fn session_secret_cb, void *arg)
{
    if (s == NULL) {
        return 0;
    }
    s->session_secret_cb = session_secret_cb;
    s->session_secret_arg = arg;
    return 1;
}

int SSL_set_session_ticket_ext_cb(SSL *s, tls_session_ticket_ext_cb_fn cb, void *arg)
{
    if (s == NULL) {
        return 0;
    }
    s->ticket_ext_cb = cb;
    s->ticket_ext_arg = arg;
    return 1;
}

int SSL_set_session_ticket_ext(SSL *s, void *ext_data, int ext_len)
{
    struct blob *ticket = NULL;

    if (SSL_version(s) < TLS1_VERSION || ext_len < 0) {
        return 0;
    }
    if (ext_data != NULL) {
        ticket = blob_new(ext_data, (size_t)ext_len);
        if (ticket == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
            return 0;
        }
    }
    blob_set(&s->ticket_ext, ticket);
    s->no_ticket_ext = ext_data == NULL;
    return 1;
}

/* --- Hooks --- */

bool app_ticket_to_offer(void *owner, struct blob **ticket)
{
    const SSL *s = owner;

    *ticket = s->ticket_ext;
    return !s->no_ticket_ext;
}

bool app_ticket_seen(void *owner, const uint8_t *ticket, size_t len)
{
    SSL *s = owner;

    return s->ticket_ext_cb == NULL ||
           s->ticket_ext_cb(s, ticket, (int)len, s->ticket_ext_arg) != 0;
}

bool app_gives_secrets(void *owner)
{
    const SSL *s = owner;

    return s->session_secret_cb != NULL;
}

/* The client's suites as the callback sees them; NULL: out of memory, or a client asks. */
static STACK_OF(SSL_CIPHER) *list_of(SSL *s, struct reader suites)
{
    STACK_OF(SSL_CIPHER) *list = NULL;

    (void)ERR_set_mark();
    if (reader_is_empty(&suites) ||
        SSL_bytes_to_cipher_list(s, suites.at, suites.left, 0, &list, NULL) == 0) {
        list = NULL;
    }
    (void)ERR_pop_to_mark();
    return list;
}

enum hook_answer app_session_secret(void *owner, struct reader suites,
                                    struct ssl_session_st *session,
                                    const struct ssl_cipher_st **suite)
{
    SSL *s = owner;
    STACK_OF(SSL_CIPHER) *list = list_of(s, suites);
    uint8_t secret[SECRET_ROOM] = { 0 };
    int len = sizeof(secret);
    const SSL_CIPHER *chosen = NULL;
    int answer = s->session_secret_cb(s, secret, &len, list, &chosen, s->session_secret_arg);
    bool ok = answer != 0 && len > 0 && len <= SECRET_MAX;

    if (ok) {
        secret_set(&session->master, secret, (size_t)len);
        *suite = chosen;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    sk_SSL_CIPHER_free(list);
    return ok ? HOOK_OK : HOOK_NONE;
}
