/*
 * CertificateVerify: RFC 8446, 4.4.3.
 */
#include "handshake/keys13.h"
#include "handshake/negotiate.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

#define PREFIX_LEN  64
#define CONTEXT_LEN 34 /* with its final zero byte, which separates it from the hash */

/* What is signed: 64 spaces, who signs, a zero byte, the transcript hash. */
static bool signed_content(const struct handshake *hs, enum role signer,
                           uint8_t content[PREFIX_LEN + CONTEXT_LEN + HASH_MAX_LEN], size_t *len)
{
    static const char client[CONTEXT_LEN] = "TLS 1.3, client CertificateVerify";
    static const char server[CONTEXT_LEN] = "TLS 1.3, server CertificateVerify";

    memset(content, ' ', PREFIX_LEN);
    memcpy(content + PREFIX_LEN, signer == ROLE_CLIENT ? client : server, CONTEXT_LEN);
    *len = PREFIX_LEN + CONTEXT_LEN + hash_len(keys13_hash(hs->conn));
    return transcript_peek(&hs->transcript, content + PREFIX_LEN + CONTEXT_LEN);
}

enum step_result write_certificate_verify(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct signer *signer = c->config->credentials->slot[c->neg.own_slot].signer;
    uint8_t content[PREFIX_LEN + CONTEXT_LEN + HASH_MAX_LEN];
    size_t len;

    writer_u16(w, hs->scheme->id);
    writer_open(w, 2);
    if (!signed_content(hs, c->role, content, &len) ||
        !signer_sign(c->config->lib, hs->scheme, signer, content, len, w)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_EVP_LIB);
    }
    writer_close(w);
    return STEP_OK;
}

/* The scheme must be one that TLS 1.3 allows, that fits the certificate and that we offered. */
static enum step_result check_scheme(struct handshake *hs, const struct sig_scheme *scheme,
                                     const EVP_PKEY *key)
{
    const struct tls_conn *c = hs->conn;

    if (scheme == NULL || !scheme->tls13 || key_slot_of(key) != scheme->slot) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_SIGNATURE_TYPE);
    }
    if (!sig_scheme_fits_key(c->config->lib, scheme, key, true)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER,
                         scheme->kind == SIG_ECDSA ? SSL_R_WRONG_CURVE
                                                   : SSL_R_WRONG_SIGNATURE_TYPE);
    }
    if (!u16_list_has(negotiate_own_sigalgs(c), scheme->id) ||
        !c->hooks->allows_scheme(c->owner, SECURITY_CHECK, scheme)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_WRONG_SIGNATURE_TYPE);
    }
    return STEP_OK;
}

enum step_result read_signature(struct handshake *hs, struct reader *body,
                                const struct sig_scheme *scheme, EVP_PKEY *key,
                                const uint8_t *content, size_t len)
{
    struct tls_conn *c = hs->conn;
    struct reader signature;

    /* As in OpenSSL it is reported whether or not the signature turns out to be good. */
    c->neg.peer_scheme = scheme;
    if (!reader_vec16(body, &signature) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    bool lasts = peer_chain_key_lasts(c->session->peer);
    if (!(lasts ? sig_verify_lasting : sig_verify)(c->config->lib, scheme, key, content, len,
                                                   signature.at, signature.left)) {
        return step_fail(hs, ALERT_DECRYPT_ERROR, SSL_R_BAD_SIGNATURE);
    }
    return STEP_OK;
}

enum step_result read_certificate_verify(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    EVP_PKEY *key = peer_chain_key(c->session->peer);
    uint8_t content[PREFIX_LEN + CONTEXT_LEN + HASH_MAX_LEN];
    size_t len;
    uint16_t id;

    if (!reader_u16(body, &id)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_PACKET);
    }
    const struct sig_scheme *scheme = sig_scheme_by_id(id);
    enum step_result result = check_scheme(hs, scheme, key);
    if (result != STEP_OK) {
        return result;
    }
    if (!signed_content(hs, c->role == ROLE_CLIENT ? ROLE_SERVER : ROLE_CLIENT, content, &len)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    return read_signature(hs, body, scheme, key, content, len);
}
