/*
 * Signatures in TLS 1.2 and older, in ServerKeyExchange and CertificateVerify: RFC 5246, 4.7,
 * 7.4.1.4.1 and 7.4.8; RFC 8422, 5.1 and 5.9; Suite B's profile, RFC 6460.
 */
#include "handshake/handshake.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

enum step_result write_signature12(struct handshake *hs, struct writer *w, const uint8_t *content,
                                   size_t len, int reason)
{
    struct tls_conn *c = hs->conn;
    struct signer *signer = c->config->credentials->slot[c->neg.own_slot].signer;

    if (negotiate_names_schemes12(c)) {
        writer_u16(w, hs->scheme->id);
    }
    writer_open(w, 2);
    bool ok = signer_sign(c->config->lib, hs->scheme, signer, content, len, w);
    writer_close(w);
    return ok ? STEP_OK : step_fail(hs, ALERT_INTERNAL_ERROR, reason);
}

/* RFC 8422, 5.1: groups speak of the curves of certificates, too: a server's must be among those
 * that the client named, and a client's, in OpenSSL, among both sides'. */
static bool takes_curve(const struct tls_conn *c, EVP_PKEY *key)
{
    const struct group *group = group_by_nid(c->config->lib, key_curve(key));
    const struct blob *peer = c->neg.peer_groups;

    return group != NULL && suite12_takes_curve(c, c->neg.suite, group) &&
           u16_list_has(config_groups(c->config), group->id) &&
           c->hooks->allows_group(c->owner, SECURITY_CHECK, group) &&
           (c->role == ROLE_CLIENT || u16_list_len(peer) == 0 || u16_list_has(peer, group->id));
}

static enum step_result check_ecdsa(struct handshake *hs, const struct sig_scheme *scheme,
                                    EVP_PKEY *key)
{
    struct tls_conn *c = hs->conn;
    bool suite_b = c->config->suite_b != SUITE_B_OFF;

    if ((suite_b && scheme->curve_nid != 0 && scheme->curve_nid != key_curve(key)) ||
        !takes_curve(c, key)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_CURVE);
    }
    if (suite_b && !suite_b_takes_scheme(scheme)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_WRONG_SIGNATURE_TYPE);
    }
    return STEP_OK;
}

/* As OpenSSL has it, SHA-1 is taken from a peer even if we did not name it (RFC 5246's peers that
 * name nothing mean it), unless the application is strict; the security level forbids it anyway,
 * but at level 0. */
static bool was_offered(const struct tls_conn *c, const struct sig_scheme *scheme)
{
    return u16_list_has(negotiate_own_sigalgs(c), scheme->id) ||
           (scheme->hash == HASH_SHA1 && !c->config->strict_certs);
}

/* The scheme must be one that we offered and that fits the certificate. */
static enum step_result check_scheme(struct handshake *hs, const struct sig_scheme *scheme,
                                     EVP_PKEY *key)
{
    const struct tls_conn *c = hs->conn;

    if (scheme == NULL || key == NULL || key_slot_of(key) != scheme->slot) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_SIGNATURE_TYPE);
    }
    if (scheme->slot == KEY_ECDSA) {
        enum step_result result = check_ecdsa(hs, scheme, key);
        if (result != STEP_OK) {
            return result;
        }
    } else if (c->config->suite_b != SUITE_B_OFF) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_WRONG_SIGNATURE_TYPE);
    }
    if (!was_offered(c, scheme) || !sig_scheme_fits_key(c->config->lib, scheme, key, false) ||
        !c->hooks->allows_scheme(c->owner, SECURITY_CHECK, scheme)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_WRONG_SIGNATURE_TYPE);
    }
    return STEP_OK;
}

enum step_result check_signature12(struct handshake *hs, struct reader *body,
                                   const uint8_t *content, size_t len)
{
    struct tls_conn *c = hs->conn;
    EVP_PKEY *key = peer_chain_key(c->session->peer);
    const struct sig_scheme *scheme;
    uint16_t id;

    if (!negotiate_names_schemes12(c)) {
        scheme = key == NULL ? NULL : negotiate_implied_scheme(c, key_slot_of(key));
        return scheme != NULL ? read_signature(hs, body, scheme, key, content, len)
                              : step_fail(hs, ALERT_INTERNAL_ERROR,
                                          SSL_R_LEGACY_SIGALG_DISALLOWED_OR_UNSUPPORTED);
    }
    if (!reader_u16(body, &id)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_TOO_SHORT);
    }
    scheme = sig_scheme_by_id(id);
    enum step_result result = check_scheme(hs, scheme, key);
    if (result != STEP_OK) {
        return result;
    }
    return read_signature(hs, body, scheme, key, content, len);
}
