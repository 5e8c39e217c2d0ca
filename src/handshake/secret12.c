/*
 * Master secrets that the application knows beforehand, by the ticket that its client has shown:
 * EAP-FAST (RFC 4851, 3.2). The rest of the handshake is that of a resumption. A server says
 * nothing of it: a client finds out when ChangeCipherSpec follows the ServerHello.
 */
#include "handshake/secret12.h"

#include "handshake/keys12.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* What the session is, besides its secret. */
static void note_facts(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    c->session->suite = c->neg.suite;
    c->session->suite_id = c->neg.suite->id;
    c->session->extended_master_secret = hs->extended_master_secret;
}

/* --- Server --- */

/* The suite that goes with the secret: the application's choice, or ours. */
static enum step_result take_suite(struct handshake *hs, const struct ssl_cipher_st *chosen)
{
    struct tls_conn *c = hs->conn;
    const struct ssl_cipher_st *suite =
        chosen != NULL ? chosen : negotiate_suite12(c, hs->hello->suites);

    if (suite == NULL || suite->tls13 || suite->min_version > c->neg.version) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_CIPHER);
    }
    c->neg.suite = suite;
    note_facts(hs);
    return keys12_hash(c) != NULL ? STEP_OK : step_internal(hs);
}

enum step_result ask_session_secret12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct reader suites = hs->hello->suites;
    const struct ssl_cipher_st *chosen = NULL;

    if (c->neg.resumed || !c->hooks->gives_secrets(c->owner) ||
        c->hooks->session_secret(c->owner, suites, c->session, &chosen) != HOOK_OK) {
        return STEP_OK;
    }
    hs->has_secret = true;
    c->neg.resumed = true;
    blob_set(&c->neg.peer_suites, blob_new(suites.at, suites.left));
    return c->neg.peer_suites != NULL ? take_suite(hs, chosen)
                                      : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

/* --- Client --- */

enum step_result secret12_ask_client(struct handshake *hs, uint16_t suite)
{
    struct tls_conn *c = hs->conn;
    const struct ssl_cipher_st *chosen = NULL;

    hs->has_secret = false;
    if (c->session->ticket == NULL || !c->hooks->gives_secrets(c->owner)) {
        return STEP_OK;
    }
    struct ssl_session_st *session = conn_own_session(c);
    if (session == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (c->hooks->session_secret(c->owner, (struct reader){ 0 }, session, &chosen) != HOOK_OK) {
        return step_internal(hs);
    }
    hs->has_secret = true;
    session->suite = chosen != NULL ? chosen : suite_by_id(suite);
    return STEP_OK;
}

enum step_result resume_by_secret12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    c->neg.resumed = true;
    note_facts(hs);
    hs->expect_ticket = false; /* it would have come before */
    return STEP_OK;
}
