/*
 * Records of a connection, reported; see pipes.h.
 */
#include "conn/pipes.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* Content types of reports that are not on the wire: SSL3_RT_HEADER, SSL3_RT_INNER_CONTENT_TYPE. */
#define REPORT_HEADER     256
#define REPORT_INNER_TYPE 257

static void report_record(struct tls_conn *c, bool sent, const uint8_t *header, bool protected,
                          uint8_t inner_type)
{
    uint16_t record_version = (uint16_t)(header[1] << 8 | header[2]);

    if (!c->config->reports_records) {
        return;
    }
    c->hooks->message(c->owner, sent, record_version, REPORT_HEADER, header, RECORD_HEADER_LEN);
    if (protected && c->neg.version == VERSION_TLS13) {
        c->hooks->message(c->owner, sent, sent ? record_version : c->neg.version, REPORT_INNER_TYPE,
                          &inner_type, 1);
    }
}

/* The records that were sealed, the first at byte begin of the output: TLS 1.0 may have put an
 * empty one before it. */
static void report_sealed(struct tls_conn *c, size_t begin, bool protected, uint8_t type)
{
    const uint8_t *bytes = buffer_bytes(&c->out.buffer);

    while (begin < buffer_len(&c->out.buffer)) {
        const uint8_t *header = bytes + begin;
        begin += RECORD_HEADER_LEN + (size_t)(header[3] << 8 | header[4]);
        report_record(c, true, header, protected, type);
    }
}

static size_t ask_padding(void *owner, uint8_t type, size_t len)
{
    const struct tls_conn *c = owner;

    return c->hooks->pad(c->owner, type, len);
}

size_t conn_max_fragment(const struct tls_conn *c)
{
    size_t agreed = c->in.max_plaintext;

    return agreed < c->config->max_send_fragment ? agreed : c->config->max_send_fragment;
}

static bool seal_record(struct tls_conn *c, uint8_t type, const uint8_t *data, size_t len)
{
    const struct record_padding padding = { ask_padding, c };
    bool protected = c->out.protection != NULL && type != CONTENT_CCS;
    size_t before = buffer_len(&c->out.buffer);

    if (!record_seal(&c->out, type, data, len, c->config->pads_records ? &padding : NULL)) {
        conn_fail(c, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
        return false;
    }
    if (c->config->reports_records) {
        report_sealed(c, before, protected, type);
    }
    return true;
}

bool conn_seal(struct tls_conn *c, uint8_t type, const uint8_t *data, size_t len)
{
    size_t limit = conn_max_fragment(c);

    while (len > limit) {
        if (!seal_record(c, type, data, limit)) {
            return false;
        }
        data += limit;
        len -= limit;
    }
    return seal_record(c, type, data, len);
}

/* The record layer has checked what is in it. */
static enum record_status drop_ccs(struct tls_conn *c)
{
    if (++c->in.num_empty > RECORD_MAX_EMPTY) {
        conn_fail(c, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_CCS_MESSAGE);
        return RECORD_BAD;
    }
    uint32_t num_empty = c->in.num_empty;
    record_in_consume(&c->in, 1);
    c->in.num_empty = num_empty;
    return RECORD_READY;
}

/* A version other than the one that was agreed on. As in OpenSSL, as long as nothing is encrypted,
 * it is answered in the version that it has, and not at all where it may be an alert itself. */
static void take_wrong_version(struct tls_conn *c, struct record_error *error)
{
    const uint8_t *header = c->in.header;

    if (header[1] != c->neg.version >> 8 || c->in.protection != NULL || c->out.protection != NULL) {
        return;
    }
    if (header[0] == CONTENT_ALERT) {
        error->alert = ALERT_NONE;
        return;
    }
    c->neg.version = (uint16_t)(header[1] << 8 | header[2]);
    c->out.version = c->neg.version;
}

enum record_status conn_next_record(struct tls_conn *c, uint8_t *dst, size_t cap)
{
    struct record_error error = { 0 };

    if (c->in.current_size > 0 && c->in.current.len == 0) {
        record_in_consume(&c->in, 0); /* thrown away, see peer_has_closed */
    }
    while (c->in.current_size == 0) {
        uint32_t num_empty = c->in.num_empty;
        enum record_status status = record_in_step(&c->in, dst, cap, &error);
        if (status == RECORD_BAD) {
            if (!c->in.is_v2_hello) {
                report_record(c, false, c->in.header, false, 0);
            }
            if (error.reason == SSL_R_WRONG_VERSION_NUMBER && error.alert != ALERT_NONE) {
                take_wrong_version(c, &error);
            }
            conn_fail(c, error.alert, error.reason);
        }
        if (status == RECORD_DROPPED) {
            report_record(c, false, c->in.header, false, 0);
            if (c->in.protection != NULL && c->in.protection->hides_type &&
                message_in_is_partial(&c->message)) {
                /* RFC 8446, 5.1: not even an empty record comes between those of one message. */
                conn_fail(c, ALERT_UNEXPECTED_MESSAGE,
                          SSL_R_MIXED_HANDSHAKE_AND_NON_HANDSHAKE_DATA);
                return RECORD_BAD;
            }
            continue;
        }
        if (status != RECORD_READY) {
            return status;
        }
        if (c->in.is_v2_hello) {
            return RECORD_READY;
        }
        report_record(c, false, c->in.header,
                      c->in.protection != NULL && c->in.header[0] == CONTENT_APPLICATION,
                      c->in.current.type);
        if (c->in.current.type == CONTENT_CCS && c->in.plain_ccs) {
            c->in.num_empty = num_empty;
            if (drop_ccs(c) != RECORD_READY) {
                return RECORD_BAD;
            }
        }
    }
    return RECORD_READY;
}
