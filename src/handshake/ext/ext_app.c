/*
 * Extensions about what the connection is for: server_name (RFC 6066, 3), max_fragment_length
 * (RFC 6066, 4), application_layer_protocol_negotiation (RFC 7301) and use_srtp (RFC 5764).
 */
#include "handshake/ext/extensions.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* NameType host_name, and the longest name DNS allows: RFC 6066, 3; RFC 1035, 2.3.4. */
#define NAME_TYPE_HOST 0
#define MAX_HOST_NAME  255

/* --- server_name --- */

bool server_name_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->neg.server_name != NULL;
}

bool server_name_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    const struct blob *name = hs->conn->neg.server_name;

    (void)place;
    writer_open(w, 2);
    writer_u8(w, NAME_TYPE_HOST);
    writer_open(w, 2);
    writer_bytes(w, name->bytes, name->len);
    writer_close(w);
    writer_close(w);
    return true;
}

static bool parse_name(struct reader *body, struct reader *name)
{
    struct reader list;
    uint8_t type;

    return reader_vec16(body, &list) && reader_u8(&list, &type) && type == NAME_TYPE_HOST &&
           reader_vec16(&list, name) && reader_is_empty(&list);
}

static bool is_host_name(const struct reader *name)
{
    return reader_left(name) <= MAX_HOST_NAME &&
           (name->left == 0 || memchr(name->at, 0, name->left) == NULL);
}

bool server_name_parse(struct reader *body, struct reader *name)
{
    return parse_name(body, name) && is_host_name(name);
}

enum step_result server_name_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader name;

    (void)place;
    if (!parse_name(body, &name)) {
        return STEP_MALFORMED;
    }
    /* TLS 1.2: a session that is resumed has its own name. */
    if (hs->conn->neg.resumed && hs->conn->neg.version != VERSION_TLS13) {
        return STEP_OK;
    }
    if (!is_host_name(&name)) {
        return step_fail(hs, ALERT_UNRECOGNIZED_NAME, SSL_R_BAD_EXTENSION);
    }
    blob_set(&hs->conn->neg.server_name, blob_new(name.at, name.left));
    return hs->conn->neg.server_name != NULL
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

bool server_name_answer_due(const struct handshake *hs, unsigned place)
{
    const struct negotiated *neg = &hs->conn->neg;

    (void)place;
    /* RFC 6066, 3: not where a session of TLS 1.2 is resumed. */
    return neg->server_name_acknowledged && (!neg->resumed || neg->version == VERSION_TLS13);
}

enum step_result server_name_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    (void)body; /* must be empty: the walker sees to it */
    hs->conn->neg.server_name_acknowledged = true;
    return STEP_OK;
}

/* --- max_fragment_length --- */

bool max_fragment_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->config->max_fragment_code != 0;
}

bool max_fragment_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->neg.max_fragment_code != 0;
}

bool max_fragment_write(struct handshake *hs, unsigned place, struct writer *w)
{
    writer_u8(w, place == EXT_CLIENT_HELLO ? hs->conn->config->max_fragment_code
                                           : hs->conn->neg.max_fragment_code);
    return true;
}

static enum step_result read_fragment_code(struct handshake *hs, struct reader *body, uint8_t *code)
{
    if (!reader_u8(body, code)) {
        return STEP_MALFORMED;
    }
    if (*code < 1 || *code > 4) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_SSL3_EXT_INVALID_MAX_FRAGMENT_LENGTH);
    }
    return STEP_OK;
}

enum step_result max_fragment_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    return read_fragment_code(hs, body, &hs->conn->neg.max_fragment_code);
}

enum step_result max_fragment_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    uint8_t code = 0;
    enum step_result result = read_fragment_code(hs, body, &code);

    (void)place;
    if (result == STEP_OK && code != hs->conn->config->max_fragment_code) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_SSL3_EXT_INVALID_MAX_FRAGMENT_LENGTH);
    }
    hs->conn->neg.max_fragment_code = code;
    return result;
}

/* --- application_layer_protocol_negotiation --- */

bool alpn_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->initial && hs->conn->config->alpn != NULL;
}

bool alpn_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_open(w, 2);
    writer_bytes(w, hs->conn->config->alpn->bytes, hs->conn->config->alpn->len);
    writer_close(w);
    return true;
}

bool alpn_is_protocol_list(struct reader list)
{
    struct reader name;

    if (reader_is_empty(&list)) {
        return false;
    }
    while (!reader_is_empty(&list)) {
        if (!reader_vec8(&list, &name) || reader_is_empty(&name)) {
            return false;
        }
    }
    return true;
}

enum step_result alpn_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    return reader_vec16(body, &hs->offered_alpn) && alpn_is_protocol_list(hs->offered_alpn)
               ? STEP_OK
               : STEP_MALFORMED;
}

bool alpn_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->neg.alpn != NULL;
}

bool alpn_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_open(w, 2);
    writer_open(w, 1);
    writer_bytes(w, hs->conn->neg.alpn->bytes, hs->conn->neg.alpn->len);
    writer_close(w);
    writer_close(w);
    return true;
}

enum step_result alpn_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader list;
    struct reader name;

    (void)place;
    if (!reader_vec16(body, &list) || !reader_vec8(&list, &name) || reader_is_empty(&name) ||
        !reader_is_empty(&list)) {
        return STEP_MALFORMED;
    }
    blob_set(&hs->conn->neg.alpn, blob_new(name.at, name.left));
    return hs->conn->neg.alpn != NULL ? STEP_OK
                                      : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

/* --- use_srtp --- */

bool srtp_offer_due(const struct handshake *hs, unsigned place)
{
    const struct tls_conn *c = hs->conn;

    (void)place;
    return c->hooks->has_srtp_profiles(c->owner);
}

bool srtp_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    const struct tls_conn *c = hs->conn;

    (void)place;
    writer_open(w, 2);
    c->hooks->write_srtp_profiles(c->owner, w);
    writer_close(w);
    writer_u8(w, 0); /* no srtp_mki: RFC 5764, 4.1.3 */
    return true;
}
