/*
 * The premaster secret that a client encrypts to the server's RSA key: RFC 5246, 7.4.7.1; RFC 4279,
 * 4 for the same beside a pre-shared key.
 */
#include "handshake/handshake.h"

#include "crypto/random.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>

/* RFC 5246, 7.4.7.1: the version is the one that the ClientHello offered. */
enum step_result write_client_rsa(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    EVP_PKEY *key = peer_chain_key(c->session->peer);

    if (!handshake_reserve_shared(hs) ||
        !random_secret(c->config->lib, hs->shared->bytes, PREMASTER_LEN)) {
        return step_internal(hs);
    }
    hs->shared->len = PREMASTER_LEN;
    hs->shared->bytes[0] = (uint8_t)(c->neg.client_version >> 8);
    hs->shared->bytes[1] = (uint8_t)c->neg.client_version;
    if (key == NULL || key_slot_of(key) != KEY_RSA) {
        return step_internal(hs);
    }
    writer_open(w, 2);
    size_t at = writer_len(w);
    bool ok = rsa_kx_encrypt(c->config->lib, key, hs->shared->bytes, w);
    writer_close(w);
    if (!ok || writer_len(w) < at + 8) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_BAD_RSA_ENCRYPT);
    }
    c->hooks->keylog_rsa(c->owner, writer_begin(w) + at, hs->shared->bytes, PREMASTER_LEN);
    return STEP_OK;
}

enum step_result read_client_rsa(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    EVP_PKEY *key = c->config->credentials->slot[KEY_RSA].key;
    struct reader encrypted;

    if (!reader_vec16(body, &encrypted) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    if (!handshake_reserve_shared(hs)) {
        return step_internal(hs);
    }
    hs->shared->len = PREMASTER_LEN;
    /* Some clients wrote the version that was agreed on: RFC 5246, 7.4.7.1. */
    uint16_t also = (c->config->options & OPTION_TLS_ROLLBACK_BUG) != 0 ? c->neg.version
                                                                        : c->neg.client_version;
    if (!rsa_kx_decrypt(c->config->lib, key, c->neg.client_version, also, encrypted.at,
                        encrypted.left, hs->shared->bytes)) {
        return step_fail(hs, ALERT_DECRYPT_ERROR, SSL_R_DECRYPTION_FAILED);
    }
    return STEP_OK;
}
