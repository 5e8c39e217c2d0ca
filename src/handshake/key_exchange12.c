/*
 * ServerKeyExchange and ClientKeyExchange of TLS 1.2 and older: RFC 5246, 7.4.3 and 7.4.7;
 * RFC 8422, 5.4 and 5.7. What is agreed on ends in hs->shared. What a pre-shared key adds is in
 * key_exchange_psk12.c, the key exchange by RSA in key_exchange_rsa12.c.
 */
#include "handshake/keys12.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"

#include "crypto/dhe.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* ECCurveType named_curve: RFC 8422, 5.4. */
#define NAMED_CURVE 3

/* --- The signature --- */

/* Both randoms and the parameters are signed: RFC 5246, 7.4.3. NULL: out of memory. */
static struct blob *signed_content(const struct handshake *hs, const uint8_t *params, size_t len)
{
    const struct negotiated *neg = &hs->conn->neg;
    struct blob *content = blob_new(NULL, 2 * RANDOM_LEN + len);

    if (content != NULL) {
        memcpy(content->bytes, neg->client_random, RANDOM_LEN);
        memcpy(content->bytes + RANDOM_LEN, neg->server_random, RANDOM_LEN);
        memcpy(content->bytes + 2 * RANDOM_LEN, params, len);
    }
    return content;
}

static enum step_result sign_parameters(struct handshake *hs, struct writer *w, size_t begin)
{
    struct blob *content = signed_content(hs, writer_begin(w) + begin, writer_len(w) - begin);

    if (content == NULL) {
        return step_internal(hs);
    }
    enum step_result result =
        write_signature12(hs, w, content->bytes, content->len, ERR_R_INTERNAL_ERROR);
    blob_free(content);
    return result;
}

/* --- ServerKeyExchange --- */

static enum step_result write_ecdhe(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct writer share = writer_to(&hs->own_share);

    if (hs->share_group == NULL) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_UNSUPPORTED_ELLIPTIC_CURVE);
    }
    if (hs->key == NULL) {
        hs->key = c->hooks->generate_key(c->owner, hs->share_group, &share);
    }
    if (hs->key == NULL) {
        return step_internal(hs);
    }
    writer_u8(w, NAMED_CURVE);
    writer_u16(w, hs->share_group->id);
    writer_open(w, 1);
    writer_bytes(w, buffer_bytes(&hs->own_share), buffer_len(&hs->own_share));
    writer_close(w);
    handshake_keep_own_share(hs);
    c->neg.group = hs->share_group;
    c->session->group = hs->share_group->id;
    return STEP_OK;
}

static enum step_result write_dhe(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    if (hs->dhe_key == NULL) {
        EVP_PKEY *params = c->hooks->dhe_parameters(c->owner, c->neg.suite);
        if (params == NULL && c->hooks->has_dhe(c->owner)) {
            return step_internal(hs); /* the source is there and gives nothing */
        }
        if (params == NULL) {
            return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_MISSING_TMP_DH_KEY);
        }
        if (!c->hooks->allows_dhe(c->owner, params)) {
            dhe_free(params);
            return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_DH_KEY_TOO_SMALL);
        }
        hs->dhe_key = dhe_generate(c->config->lib, params);
        dhe_free(params);
    }
    return hs->dhe_key != NULL && dhe_write(w, hs->dhe_key) ? STEP_OK : step_internal(hs);
}

static enum step_result write_parameters(struct handshake *hs, struct writer *w)
{
    switch (suite12_exchange(hs->conn->neg.suite)) {
    case EXCHANGE12_ECDHE:
        return write_ecdhe(hs, w);
    case EXCHANGE12_DHE:
        return write_dhe(hs, w);
    case EXCHANGE12_RSA:
    case EXCHANGE12_NONE:
        break;
    }
    return STEP_OK;
}

enum step_result write_server_key_exchange(struct handshake *hs, struct writer *w)
{
    const struct ssl_cipher_st *suite = hs->conn->neg.suite;
    size_t begin = writer_len(w);

    if (suite12_has_psk(suite)) {
        write_psk_hint(hs, w);
    }
    enum step_result result = write_parameters(hs, w);
    if (result != STEP_OK || !suite12_signs_exchange(suite)) {
        return result;
    }
    return sign_parameters(hs, w, begin);
}

/* The client answers at once: its own share and the premaster secret are kept for the next message.
 */
static enum step_result read_ecdhe(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct writer own = writer_to(&hs->own_share);
    struct reader point;
    uint8_t type;
    uint16_t id;

    if (!reader_u8(body, &type) || !reader_u16(body, &id)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_TOO_SHORT);
    }
    const struct group *group = type == NAMED_CURVE ? group_by_id(c->config->lib, id) : NULL;
    if (group == NULL || !u16_list_has(config_groups(c->config), id) ||
        !suite12_takes_curve(c, c->neg.suite, group) || group->kind == GROUP_PROVIDED_KEM ||
        !c->hooks->allows_group(c->owner, SECURITY_CHECK, group)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_CURVE);
    }
    if (!reader_vec8(body, &point)) {
        return STEP_MALFORMED;
    }
    blob_set(&c->neg.peer_share, blob_new(point.at, point.left));
    if (c->neg.peer_share == NULL || !handshake_reserve_shared(hs)) {
        return step_internal(hs);
    }
    buffer_truncate(&hs->own_share, 0);
    hs->share_group = group;
    c->neg.group = group;
    c->session->group = group->id;
    return step_of_group(
        hs, group_encapsulate(c->config->lib, group, point.at, point.left, &own, hs->shared));
}

static enum step_result read_dhe(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader p;
    struct reader g;
    struct reader y;

    if (!reader_vec16(body, &p) || !reader_vec16(body, &g) || !reader_vec16(body, &y)) {
        return STEP_MALFORMED;
    }
    EVP_PKEY *peer = dhe_read(c->config->lib, p.at, p.left, g.at, g.left, y.at, y.left);
    if (peer == NULL) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_DH_VALUE);
    }
    if (!c->hooks->allows_dhe(c->owner, peer)) {
        dhe_free(peer);
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_DH_KEY_TOO_SMALL);
    }
    hs->dhe_key = dhe_generate(c->config->lib, peer);
    bool ok = hs->dhe_key != NULL && handshake_reserve_shared(hs) &&
              dhe_derive(c->config->lib, hs->dhe_key, peer, hs->shared);
    dhe_free(c->neg.peer_dhe);
    c->neg.peer_dhe = peer;
    return ok ? STEP_OK : step_internal(hs);
}

static enum step_result read_parameters(struct handshake *hs, struct reader *body)
{
    switch (suite12_exchange(hs->conn->neg.suite)) {
    case EXCHANGE12_ECDHE:
        return read_ecdhe(hs, body);
    case EXCHANGE12_DHE:
        return read_dhe(hs, body);
    case EXCHANGE12_RSA:
    case EXCHANGE12_NONE:
        break;
    }
    return STEP_OK;
}

enum step_result read_server_key_exchange(struct handshake *hs, struct reader *body)
{
    const struct ssl_cipher_st *suite = hs->conn->neg.suite;
    struct reader params = *body;
    enum step_result result = suite12_has_psk(suite) ? read_psk_hint(hs, body) : STEP_OK;

    if (result == STEP_OK) {
        result = read_parameters(hs, body);
    }
    if (result == STEP_OK && !suite12_signs_exchange(suite) && !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_EXTRA_DATA_IN_MESSAGE);
    }
    if (result != STEP_OK || !suite12_signs_exchange(suite)) {
        return result;
    }
    struct blob *content = signed_content(hs, params.at, params.left - body->left);
    if (content == NULL) {
        return step_internal(hs);
    }
    result = check_signature12(hs, body, content->bytes, content->len);
    blob_free(content);
    return result;
}

/* --- ClientKeyExchange --- */

static enum step_result write_client_ecdhe(struct handshake *hs, struct writer *w)
{
    writer_open(w, 1);
    writer_bytes(w, buffer_bytes(&hs->own_share), buffer_len(&hs->own_share));
    writer_close(w);
    return STEP_OK;
}

enum step_result write_client_key_exchange(struct handshake *hs, struct writer *w)
{
    const struct ssl_cipher_st *suite = hs->conn->neg.suite;
    enum step_result result = suite12_has_psk(suite) ? write_psk_identity(hs, w) : STEP_OK;

    if (result != STEP_OK) {
        return result;
    }
    switch (suite12_exchange(suite)) {
    case EXCHANGE12_ECDHE:
        return write_client_ecdhe(hs, w);
    case EXCHANGE12_DHE:
        return dhe_write_public(w, hs->dhe_key) ? STEP_OK : step_internal(hs);
    case EXCHANGE12_RSA:
        return write_client_rsa(hs, w);
    case EXCHANGE12_NONE:
        break;
    }
    return STEP_OK;
}

static enum step_result read_client_ecdhe(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader point;

    if (!reader_vec8(body, &point) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    blob_set(&c->neg.peer_share, blob_new(point.at, point.left));
    if (c->neg.peer_share == NULL || !handshake_reserve_shared(hs)) {
        return step_internal(hs);
    }
    enum group_result result =
        group_decapsulate(c->config->lib, hs->key, point.at, point.left, hs->shared);
    if (result == GROUP_OK) {
        blob_set(&c->neg.own_share, NULL); /* SSL_get_tmp_key gives it no more */
    }
    if (result == GROUP_BAD_SHARE) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    }
    return step_of_group(hs, result);
}

static enum step_result read_client_dhe(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader y;

    if (!reader_vec16(body, &y) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_DH_PUBLIC_VALUE_LENGTH_IS_WRONG);
    }
    if (reader_is_empty(&y)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_MISSING_TMP_DH_KEY);
    }
    EVP_PKEY *peer = dhe_read_public(c->config->lib, hs->dhe_key, y.at, y.left);
    if (peer == NULL) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    }
    bool ok =
        handshake_reserve_shared(hs) && dhe_derive(c->config->lib, hs->dhe_key, peer, hs->shared);
    dhe_free(peer);
    dhe_free(hs->dhe_key);
    hs->dhe_key = NULL;
    return ok ? STEP_OK : step_internal(hs);
}

enum step_result read_client_key_exchange(struct handshake *hs, struct reader *body)
{
    const struct ssl_cipher_st *suite = hs->conn->neg.suite;
    enum step_result result = suite12_has_psk(suite) ? read_psk_identity(hs, body) : STEP_OK;

    if (result != STEP_OK) {
        return result;
    }
    switch (suite12_exchange(suite)) {
    case EXCHANGE12_ECDHE:
        return read_client_ecdhe(hs, body);
    case EXCHANGE12_DHE:
        return read_client_dhe(hs, body);
    case EXCHANGE12_RSA:
        return read_client_rsa(hs, body);
    case EXCHANGE12_NONE:
        break;
    }
    return STEP_OK; /* the runner sees to it that nothing is left */
}

enum step_result derive_master_secret(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    bool ok = suite12_has_psk(c->neg.suite)
                  ? derive_with_psk(hs)
                  : keys12_derive_master(hs, hs->shared->bytes, hs->shared->len);

    handshake_free_secrets(hs);
    hs->made_session = ok;
    return ok ? STEP_OK : step_internal(hs);
}
