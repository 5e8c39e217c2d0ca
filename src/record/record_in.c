/*
 * The receiving record layer (RFC 8446, 5); see record_in.h. What a record may contain at this
 * moment is the engine's business; here is what makes it a record.
 */
#include "record/record_in.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* Longer than any record may be: plaintext, its expansion, and the slack of OpenSSL's buffer, with
 * what aligns it. */
#define MAX_PACKET_LEN (RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS12 + 3)

#define V2_HEADER_LEN    2
/* Type, version, three lengths: RFC 5246, E.2. */
#define MIN_V2_HELLO_LEN 9

/* Content of at least so many bytes goes straight to the reader. Below that opening in place, in
 * one call, and copying is as quick or quicker: measured. */
#define SHORTEST_DIRECT 2048

static enum record_status bad(struct record_error *error, uint8_t alert, int reason)
{
    *error = (struct record_error){ alert, reason };
    return RECORD_BAD;
}

/* A hello in the format of SSL 2.0 (RFC 5246, E.2): two bytes of length with the high bit set, the
 * type CLIENT-HELLO. */
static bool starts_v2_hello(const struct record_in *r, const uint8_t *header)
{
    return r->of_server && !r->seen_record && (header[0] & 0x80) != 0 && header[2] == 1;
}

static size_t v2_body_len(const uint8_t *header)
{
    return (size_t)(header[0] & 0x7f) << 8 | header[1];
}

static size_t body_len(const uint8_t *header)
{
    return (size_t)header[3] << 8 | header[4];
}

/* Bytes of the record whose first five are at header. */
static size_t record_len(const struct record_in *r, const uint8_t *header)
{
    return starts_v2_hello(r, header) ? V2_HEADER_LEN + v2_body_len(header)
                                      : RECORD_HEADER_LEN + body_len(header);
}

/* The very first bytes are not TLS: says what they look like. */
static enum record_status refuse_first(const uint8_t *header, struct record_error *error)
{
    static const char *const verbs[] = { "GET ", "POST ", "HEAD ", "PUT " };

    for (size_t i = 0; i < COUNT_OF(verbs); i++) {
        if (memcmp(header, verbs[i], strlen(verbs[i])) == 0) {
            return bad(error, ALERT_NONE, SSL_R_HTTP_REQUEST);
        }
    }
    if (memcmp(header, "CONNE", 5) == 0) {
        return bad(error, ALERT_NONE, SSL_R_HTTPS_PROXY_REQUEST);
    }
    return bad(error, ALERT_NONE, SSL_R_WRONG_VERSION_NUMBER);
}

static enum record_status check_v2_header(const uint8_t *header, struct record_error *error)
{
    if (v2_body_len(header) > MAX_PACKET_LEN) {
        return bad(error, ALERT_RECORD_OVERFLOW, SSL_R_PACKET_LENGTH_TOO_LONG);
    }
    if (v2_body_len(header) < MIN_V2_HELLO_LEN) {
        return bad(error, ALERT_DECODE_ERROR, SSL_R_LENGTH_TOO_SHORT);
    }
    return RECORD_READY;
}

static enum record_status check_header(const struct record_in *r, const uint8_t *header,
                                       struct record_error *error)
{
    if (starts_v2_hello(r, header)) {
        return check_v2_header(header, error);
    }
    if (header[1] != 0x03) {
        if (!r->seen_record) {
            return refuse_first(header, error);
        }
        return bad(error, ALERT_PROTOCOL_VERSION, SSL_R_WRONG_VERSION_NUMBER);
    }
    if (r->version != 0 && (header[1] << 8 | header[2]) != r->version) {
        return bad(error, ALERT_PROTOCOL_VERSION, SSL_R_WRONG_VERSION_NUMBER);
    }
    if (r->protection != NULL && r->protection->hides_type) {
        bool plain_ccs = header[0] == CONTENT_CCS && r->plain_ccs;
        bool plain_alert = header[0] == CONTENT_ALERT && r->plain_alerts;
        if (header[0] != CONTENT_APPLICATION && !plain_ccs && !plain_alert) {
            return bad(error, ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
        }
        /* RFC 8446, 5.2: legacy_record_version is always 0x0303. */
        if (header[2] != 0x03) {
            return bad(error, ALERT_DECODE_ERROR, SSL_R_WRONG_VERSION_NUMBER);
        }
    }
    if (body_len(header) > MAX_PACKET_LEN) {
        return bad(error, ALERT_RECORD_OVERFLOW, SSL_R_PACKET_LENGTH_TOO_LONG);
    }
    /* OpenSSL applies the limit of older versions to records in the clear, too. */
    if (body_len(header) > (r->protection != NULL
                                ? r->protection->max_fragment
                                : RECORD_MAX_PLAINTEXT + RECORD_MAX_EXPANSION_TLS12)) {
        return bad(error, ALERT_RECORD_OVERFLOW, SSL_R_ENCRYPTED_LENGTH_TOO_LONG);
    }
    return RECORD_READY;
}

/* Takes the record at the front of the buffer off it. */
static void drop_record(struct record_in *r)
{
    buffer_consume(&r->buffer, r->current_size);
    r->current_size = 0;
    r->current = (struct opened){ 0 };
    if (buffer_len(&r->buffer) == 0) {
        buffer_release(&r->buffer);
    }
}

/* Early data that we rejected: RFC 8446, 4.2.10 has us drop what does not open. */
static enum record_status skip_early_data(struct record_in *r, size_t len,
                                          struct record_error *error)
{
    if (len > r->skip_left) {
        return bad(error, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
    }
    r->skip_left -= len;
    drop_record(r);
    return RECORD_DROPPED;
}

/* Early data that we accepted: RFC 8446, 4.2.10 has us refuse more than was allowed. */
static enum record_status count_early_data(struct record_in *r, struct record_error *error)
{
    if (r->epoch != EPOCH_EARLY || r->current.type != CONTENT_APPLICATION) {
        return RECORD_READY;
    }
    if (r->current.len > r->early_left) {
        return bad(error, ALERT_UNEXPECTED_MESSAGE, SSL_R_TOO_MUCH_EARLY_DATA);
    }
    r->early_left -= r->current.len;
    return RECORD_READY;
}

/* True when the content of the record with len bytes of fragment goes to memory of cap bytes. */
static bool goes_elsewhere(const struct record_in *r, const uint8_t *record, size_t len, size_t cap)
{
    const struct protection *p = r->protection;
    size_t most = cap < r->max_plaintext ? cap : r->max_plaintext;

    if (most < SHORTEST_DIRECT || record[0] != CONTENT_APPLICATION || !p->opens_elsewhere) {
        return false;
    }
    return len >= p->overhead + (size_t)SHORTEST_DIRECT && len - p->overhead <= most;
}

/* dst and cap: see record_in_step(). */
static enum open_result open_protected(struct record_in *r, uint8_t *record, size_t len,
                                       uint8_t *dst, size_t cap)
{
    struct protection *p = r->protection;

    if (dst == NULL || !goes_elsewhere(r, record, len, cap)) {
        buffer_declare_secret(&r->buffer, r->current_size);
        return p->ops->open(p, record, len, NULL, &r->current);
    }
    enum open_result result = p->ops->open(p, record, len, dst, &r->current);
    if (result == OPEN_OK && r->current.type == CONTENT_APPLICATION) {
        return OPEN_OK;
    }
    /* It is no data: nothing of it stays with who wants data. */
    if (result == OPEN_OK) {
        buffer_declare_secret(&r->buffer, r->current_size);
        r->current.data = memcpy(record + RECORD_HEADER_LEN, dst, r->current.len);
    }
    wipe(dst, len - p->overhead);
    return result;
}

/* Opens the whole record at the front. */
static enum record_status open_record(struct record_in *r, size_t len, uint8_t *dst, size_t cap,
                                      struct record_error *error)
{
    uint8_t *record = buffer_bytes(&r->buffer);
    uint8_t type = record[0];

    if (r->is_v2_hello) {
        r->current = (struct opened){ record + V2_HEADER_LEN, (uint32_t)len, CONTENT_HANDSHAKE };
        return RECORD_READY;
    }
    bool plain = r->protection == NULL ||
                 (r->protection->hides_type && (type == CONTENT_CCS || type == CONTENT_ALERT));

    if (plain) {
        if (type == CONTENT_APPLICATION && r->skip_left > 0) {
            return skip_early_data(r, len, error);
        }
        r->current = (struct opened){ record + RECORD_HEADER_LEN, (uint32_t)len, type };
        /* RFC 8446, 5: one byte of value 1, and nothing else, may be dropped. */
        if (type == CONTENT_CCS && r->plain_ccs && (len != 1 || r->current.data[0] != 1)) {
            return bad(error, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_CCS_MESSAGE);
        }
        return RECORD_READY;
    }
    switch (open_protected(r, record, len, dst, cap)) {
    case OPEN_OK:
        r->skip_left = 0;
        r->plain_alerts = false;
        return count_early_data(r, error);
    case OPEN_BAD_MAC:
        if (r->skip_left > 0) {
            /* Its tag does not count here, as in OpenSSL; the overhead is that and a type. */
            size_t tag_len = r->protection->overhead - 1U;
            return skip_early_data(r, len > tag_len ? len - tag_len : 0, error);
        }
        drop_record(r);
        return bad(error, ALERT_BAD_RECORD_MAC, SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC);
    case OPEN_TOO_LONG:
        return bad(error, ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    case OPEN_MALFORMED:
        return bad(error, ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_RECORD_TYPE);
    case OPEN_NO_MEMORY:
        return bad(error, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    case OPEN_EXHAUSTED:
        break;
    }
    return bad(error, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

/* True when the current record must belong to the handshake: under the keys that TLS 1.3 has for
 * it, and as the first under a key of TLS 1.2. */
static bool is_before_finished(const struct record_in *r)
{
    return r->protection != NULL &&
           (r->protection->hides_type ? r->epoch == EPOCH_HANDSHAKE : r->protection->sequence == 1);
}

/* Rules that hold for the content of every record. */
static enum record_status check_content(struct record_in *r, struct record_error *error)
{
    const struct opened *c = &r->current;

    if (c->len > r->max_plaintext) {
        return bad(error, ALERT_RECORD_OVERFLOW, SSL_R_DATA_LENGTH_TOO_LONG);
    }
    if (c->len > 0) {
        r->num_empty = 0;
        return RECORD_READY;
    }
    /* What is not a handshake message may not come in the clear at all, but for an alert, which
     * has a form: who sees it refuses it. */
    if (r->protection == NULL && c->type != CONTENT_HANDSHAKE) {
        return RECORD_READY;
    }
    /* RFC 8446, 5.1 and 5.4: only application data may be empty. RFC 5246, 6.2.1, says so, too, but
     * OpenSSL takes empty records of the handshake there, and before the version is known. */
    bool tls13 = r->protection != NULL && r->protection->hides_type;
    if (c->type != CONTENT_APPLICATION && (c->type != CONTENT_HANDSHAKE || tls13)) {
        return bad(error, ALERT_UNEXPECTED_MESSAGE, SSL_R_BAD_LENGTH);
    }
    /* It may come where data may: not before the Finished. Who waits for that refuses it. */
    if (c->type == CONTENT_APPLICATION && is_before_finished(r)) {
        return RECORD_READY;
    }
    if (++r->num_empty > RECORD_MAX_EMPTY) {
        return bad(error, ALERT_UNEXPECTED_MESSAGE, SSL_R_RECORD_TOO_SMALL);
    }
    drop_record(r);
    return RECORD_DROPPED;
}

enum record_status record_in_step(struct record_in *r, uint8_t *dst, size_t cap,
                                  struct record_error *error)
{
    const uint8_t *header = buffer_bytes(&r->buffer);
    size_t have = buffer_len(&r->buffer);

    if (r->current_size > 0) {
        return RECORD_READY;
    }
    if (have < RECORD_HEADER_LEN) {
        return RECORD_WANT;
    }
    memcpy(r->header, header, RECORD_HEADER_LEN);
    r->is_v2_hello = starts_v2_hello(r, header);
    enum record_status status = check_header(r, header, error);
    if (status != RECORD_READY) {
        return status;
    }
    size_t len = r->is_v2_hello ? v2_body_len(header) : body_len(header);
    size_t size = record_len(r, header);
    if (have < size) {
        return RECORD_WANT;
    }
    r->seen_record = true;
    r->current_size = (uint32_t)size;
    status = open_record(r, len, dst, cap, error);
    return status == RECORD_READY ? check_content(r, error) : status;
}

enum record_status record_in_next(struct record_in *r, struct record_error *error)
{
    enum record_status status;

    do {
        status = record_in_step(r, NULL, 0, error);
    } while (status == RECORD_DROPPED);
    return status;
}

size_t record_in_wanted(const struct record_in *r)
{
    size_t have = buffer_len(&r->buffer) - r->current_size;
    const uint8_t *header = buffer_bytes(&r->buffer);

    if (have < RECORD_HEADER_LEN) {
        return RECORD_HEADER_LEN - have;
    }
    size_t need = record_len(r, header + r->current_size);
    return have < need ? need - have : 0;
}

size_t record_in_body_wanted(const struct record_in *r)
{
    const uint8_t *header = buffer_bytes(&r->buffer);
    size_t have = buffer_len(&r->buffer);
    struct record_error unused;

    if (r->current_size > 0 || have < RECORD_HEADER_LEN) {
        return 0;
    }
    size_t need = record_len(r, header);
    return have < need && check_header(r, header, &unused) == RECORD_READY ? need - have : 0;
}

bool record_in_awaits_full(const struct record_in *r)
{
    const uint8_t *header = buffer_bytes(&r->buffer);

    return r->current_size == 0 && buffer_len(&r->buffer) >= RECORD_HEADER_LEN &&
           body_len(header) > r->max_plaintext && header[0] == CONTENT_APPLICATION &&
           r->epoch == EPOCH_APPLICATION && r->protection != NULL;
}

void record_in_consume(struct record_in *r, size_t n)
{
    r->current.data += n;
    r->current.len -= (uint32_t)n;
    if (r->current.len == 0) {
        drop_record(r);
    }
}

bool record_in_has_unopened(const struct record_in *r)
{
    size_t buffered = record_in_buffered(r);

    return buffered > 0 && buffered != RECORD_HEADER_LEN;
}

void record_in_protect(struct record_in *r, struct protection *p, enum epoch epoch)
{
    protection_free(r->protection);
    r->protection = p;
    r->epoch = epoch;
}

void record_in_wipe(struct record_in *r)
{
    record_in_protect(r, NULL, EPOCH_PLAINTEXT);
    buffer_wipe(&r->buffer);
    *r = (struct record_in){ 0 };
}
