/*
 * What a connection without a running handshake does with a message that it did not ask for: which
 * script takes it, and when. RFC 8446, 4.6; RFC 5246, 7.4.1.1 and 7.4.1.2.
 */
#include "handshake/handshake.h"
#include "handshake/step.h"

static bool is_tls13(const struct tls_conn *c)
{
    return c->neg.version == VERSION_TLS13;
}

static bool auth_was_offered(const struct tls_conn *c)
{
    return c->post_auth == POST_AUTH_OFFERED;
}

static bool auth_is_pending(const struct tls_conn *c)
{
    return c->post_auth == POST_AUTH_PENDING;
}

static bool is_tls12_idle(const struct tls_conn *c)
{
    return c->neg.version < VERSION_TLS13;
}

/* A client's wish is granted when we asked for it, or when it is allowed to wish. */
static bool takes_renegotiation(const struct tls_conn *c)
{
    uint64_t options = c->config->options;

    return is_tls12_idle(c) && (options & OPTION_NO_RENEGOTIATION) == 0 &&
           (c->neg.secure_renegotiation || (options & OPTION_ALLOW_UNSAFE_RENEGOTIATION) != 0) &&
           (c->renegotiation != RENEGOTIATION_NONE ||
            (options & OPTION_ALLOW_CLIENT_RENEGOTIATION) != 0);
}

static const struct {
    uint8_t message;
    enum role role;
    bool (*guard)(const struct tls_conn *c);
    const struct step *script;
} when_idle[] = {
    { MSG_KEY_UPDATE, ROLE_CLIENT, is_tls13, script_client_take_key_update },
    { MSG_KEY_UPDATE, ROLE_SERVER, is_tls13, script_server_take_key_update },
    { MSG_NEW_SESSION_TICKET, ROLE_CLIENT, is_tls13, script_take_ticket },
    { MSG_CERTIFICATE_REQUEST, ROLE_CLIENT, auth_was_offered, script_give_client_auth },
    { MSG_CERTIFICATE, ROLE_SERVER, auth_is_pending, script_take_client_auth },
    { MSG_HELLO_REQUEST, ROLE_CLIENT, is_tls12_idle, script_take_hello_request },
    { MSG_CLIENT_HELLO, ROLE_SERVER, takes_renegotiation, script_server_hello },
    { MSG_CLIENT_HELLO, ROLE_SERVER, is_tls12_idle, script_refuse_client_hello },
};

const struct step *script_for_idle(const struct tls_conn *c, uint8_t message)
{
    for (size_t i = 0; i < COUNT_OF(when_idle); i++) {
        if (when_idle[i].message == message && when_idle[i].role == c->role &&
            when_idle[i].guard(c)) {
            return when_idle[i].script;
        }
    }
    return NULL;
}
