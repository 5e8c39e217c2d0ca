/*
 * The peer's certificates, as the application asks for them. Behaviour:
 * SSL_get_peer_certificate(3), SSL_get_peer_cert_chain(3), SSL_get0_verified_chain(3).
 */
#include "api/internal.h"

X509 *SSL_get0_peer_certificate(const SSL *s)
{
    return s == NULL || s->conn.session == NULL ? NULL : peer_chain_own(s->conn.session->peer, 0);
}

X509 *SSL_get1_peer_certificate(const SSL *s)
{
    X509 *cert = SSL_get0_peer_certificate(s);

    if (cert != NULL) {
        X509_up_ref(cert);
    }
    return cert;
}

/* What a server gives out does not hold the client's own certificate. */
STACK_OF(X509) *SSL_get_peer_cert_chain(const SSL *s)
{
    if (s == NULL || s->conn.session == NULL) {
        return NULL;
    }
    return s->conn.role == ROLE_SERVER ? peer_chain_own_above_leaf(s->conn.session->chain)
                                       : peer_chain_own_all(s->conn.session->chain);
}

STACK_OF(X509) *SSL_get0_verified_chain(const SSL *s)
{
    SSL *changed = (SSL *)(uintptr_t)s; /* a cache behind a function that is const outside */

    if (s->verified != NULL) {
        if (!peer_chain_own_in(s->verified, s->verified_chain)) {
            return NULL;
        }
        peer_chain_free(s->verified);
        changed->verified = NULL;
    }
    return s->verified_chain;
}
