/*
 * The sending record layer (RFC 8446, 5.1 and 5.2); see record_out.h.
 */
#include "record/record_out.h"

#include "base/secret.h"

#include <string.h>

/* A record without protection: header and content. */
static size_t write_plain(const struct record_out *r, uint8_t *record, uint8_t type,
                          const uint8_t *data, size_t len)
{
    record[0] = type;
    record[1] = (uint8_t)(r->version >> 8);
    record[2] = (uint8_t)r->version;
    record[3] = (uint8_t)(len >> 8);
    record[4] = (uint8_t)len;
    if (len > 0) {
        memcpy(record + RECORD_HEADER_LEN, data, len);
    }
    return RECORD_HEADER_LEN + len;
}

bool record_seal(struct record_out *r, uint8_t type, const uint8_t *data, size_t len,
                 const struct record_padding *padding)
{
    struct protection *p = r->protection;
    size_t pad = 0;

    if (len > RECORD_MAX_PLAINTEXT) {
        return false;
    }
    /* RFC 8446, 5: a compatibility ChangeCipherSpec always goes out unprotected. */
    if (p == NULL || (type == CONTENT_CCS && p->hides_type)) {
        uint8_t *record = buffer_reserve(&r->buffer, RECORD_HEADER_LEN + len);
        if (record == NULL) {
            return false;
        }
        buffer_commit(&r->buffer, write_plain(r, record, type, data, len));
        return true;
    }
    if (padding != NULL && p->hides_type && len < RECORD_MAX_PLAINTEXT) {
        pad = padding->pad(padding->owner, type, len);
        if (pad > RECORD_MAX_PLAINTEXT - len) {
            pad = RECORD_MAX_PLAINTEXT - len;
        }
    }
    size_t longest = RECORD_HEADER_LEN + len + pad + p->overhead;
    uint8_t *record = buffer_reserve(&r->buffer, longest);
    if (record == NULL) {
        return false;
    }
    size_t record_len = p->ops->seal(p, record, type, data, len, pad);
    if (record_len == 0) {
        /* It may have got as far as copying the content, which the next record would disown. */
        wipe(record, longest);
        return false;
    }
    buffer_commit(&r->buffer, record_len);
    /* Ciphertext and what went out in the clear: clearing it costs a tenth of the encryption. */
    buffer_declare_public(&r->buffer);
    return true;
}

void record_out_begin_write(struct record_out *r)
{
    if (r->protection != NULL && r->protection->ops->begin_write != NULL) {
        r->protection->ops->begin_write(r->protection);
    }
}

bool record_out_is_worn(const struct record_out *r)
{
    return r->protection != NULL && r->protection->sequence >= r->protection->seal_limit;
}

void record_out_protect(struct record_out *r, struct protection *p, enum epoch epoch)
{
    protection_free(r->protection);
    r->protection = p;
    r->epoch = epoch;
}

void record_out_wipe(struct record_out *r)
{
    record_out_protect(r, NULL, EPOCH_PLAINTEXT);
    buffer_wipe(&r->buffer);
}
