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

struct app_tickets {
    tls_session_secret_cb_fn secret_cb; /* may know the master secret */
    void *secret_arg;
    tls_session_ticket_ext_cb_fn seen_cb; /* sees the peer's session_ticket extension */
    void *seen_arg;
    struct blob *offer; /* counted; what a client's holds; NULL: nothing of the application */
    bool offers_none;   /* or that it is not sent */
};

/* NULL: out of memory. */
static struct app_tickets *tickets_of(SSL *s)
{
    if (s->tickets == NULL) {
        s->tickets = OPENSSL_zalloc(sizeof *s->tickets);
    }
    return s->tickets;
}

void app_tickets_free(SSL *s)
{
    if (s->tickets != NULL) {
        blob_free(s->tickets->offer);
        OPENSSL_free(s->tickets);
    }
}

int SSL_set_session_secret_cb(SSL *s, tls_session_secret_cb_fn session_secret_cb, void *arg)
{
    if (s == NULL || tickets_of(s) == NULL) {
        return 0;
    }
    s->tickets->secret_cb = session_secret_cb;
    s->tickets->secret_arg = arg;
    return 1;
}

int SSL_set_session_ticket_ext_cb(SSL *s, tls_session_ticket_ext_cb_fn cb, void *arg)
{
    if (s == NULL || tickets_of(s) == NULL) {
        return 0;
    }
    s->tickets->seen_cb = cb;
    s->tickets->seen_arg = arg;
    return 1;
}

int SSL_set_session_ticket_ext(SSL *s, void *ext_data, int ext_len)
{
    struct blob *ticket = NULL;

    if (SSL_version(s) < TLS1_VERSION || ext_len < 0) {
        return 0;
    }
    if (tickets_of(s) != NULL && ext_data != NULL) {
        ticket = blob_new(ext_data, (size_t)ext_len);
    }
    if (s->tickets == NULL || (ext_data != NULL && ticket == NULL)) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    blob_set(&s->tickets->offer, ticket);
    s->tickets->offers_none = ext_data == NULL;
    return 1;
}

/* --- Hooks --- */

bool app_ticket_to_offer(void *owner, struct blob **ticket)
{
    const SSL *s = owner;

    *ticket = s->tickets == NULL ? NULL : s->tickets->offer;
    return s->tickets == NULL || !s->tickets->offers_none;
}

bool app_ticket_seen(void *owner, const uint8_t *ticket, size_t len)
{
    SSL *s = owner;

    return s->tickets == NULL || s->tickets->seen_cb == NULL ||
           s->tickets->seen_cb(s, ticket, (int)len, s->tickets->seen_arg) != 0;
}

bool app_gives_secrets(void *owner)
{
    const SSL *s = owner;

    return s->tickets != NULL && s->tickets->secret_cb != NULL;
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

    if (list == NULL && !reader_is_empty(&suites)) {
        return HOOK_NONE; /* out of memory: the handshake is a full one */
    }
    int answer = s->tickets->secret_cb(s, secret, &len, list, &chosen, s->tickets->secret_arg);
    bool ok = answer != 0 && len > 0 && len <= SECRET_MAX;

    if (ok) {
        secret_set(&session->master, secret, (size_t)len);
        *suite = chosen;
    }
    OPENSSL_cleanse(secret, sizeof(secret));
    sk_SSL_CIPHER_free(list);
    return ok ? HOOK_OK : HOOK_NONE;
}
