/*
 * The peer's certificates, as the application asks for them. Behaviour:
 * SSL_get_peer_certificate(3), SSL_get_peer_cert_chain(3).
 */
#include "api/internal.h"

X509 *SSL_get0_peer_certificate(const SSL *s)
{
    return s == NULL || s->conn.session == NULL ? NULL : s->conn.session->peer;
}

X509 *SSL_get1_peer_certificate(const SSL *s)
{
    X509 *cert = SSL_get0_peer_certificate(s);

    if (cert != NULL) {
        X509_up_ref(cert);
    }
    return cert;
}

/* True when list holds the certificates of chain from the second on. */
static bool is_rest_of(const STACK_OF(X509) *list, const STACK_OF(X509) *chain)
{
    if (list == NULL || sk_X509_num(list) != sk_X509_num(chain) - 1) {
        return false;
    }
    for (int i = 0; i < sk_X509_num(list); i++) {
        if (sk_X509_value(list, i) != sk_X509_value(chain, i + 1)) {
            return false;
        }
    }
    return true;
}

/* What a server gives out does not hold the client's own certificate; made when first asked for. */
static STACK_OF(X509) *chain_above_leaf(SSL *s, STACK_OF(X509) *chain)
{
    if (!is_rest_of(s->peer_authorities, chain)) {
        sk_X509_pop_free(s->peer_authorities, X509_free);
        s->peer_authorities = X509_chain_up_ref(chain);
        X509_free(sk_X509_shift(s->peer_authorities));
    }
    return s->peer_authorities;
}

STACK_OF(X509) *SSL_get_peer_cert_chain(const SSL *s)
{
    STACK_OF(X509) *chain;

    if (s == NULL || s->conn.session == NULL || s->conn.session->peer_chain == NULL) {
        return NULL;
    }
    chain = s->conn.session->peer_chain;
    /* A cache behind a function that is const for the application. */
    return s->conn.role == ROLE_SERVER ? chain_above_leaf((SSL *)(uintptr_t)s, chain) : chain;
}
