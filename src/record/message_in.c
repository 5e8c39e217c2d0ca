/*
 * Handshake messages out of records (RFC 8446, 4 and 5.1); see message_in.h.
 */
#include "record/message_in.h"

static size_t message_len(const uint8_t *header)
{
    return MESSAGE_HEADER_LEN +
           ((size_t)header[1] << 16 | (size_t)header[2] << 8 | (size_t)header[3]);
}

/* Moves up to len bytes of the current record behind what has been collected. */
static bool collect(struct message_in *mi, struct record_in *in, size_t len)
{
    if (len > in->current.len) {
        len = in->current.len;
    }
    if (len == 0) {
        return true;
    }
    if (!buffer_append(&mi->partial, in->current.data, len)) {
        return false;
    }
    record_in_consume(in, len);
    return true;
}

/* A message of which a part has been collected: completes its header, then its body. */
static enum message_status next_from_partial(struct message_in *mi, struct record_in *in,
                                             struct message *m, bool *failed)
{
    size_t have = buffer_len(&mi->partial);

    if (have < MESSAGE_HEADER_LEN) {
        *failed = !collect(mi, in, MESSAGE_HEADER_LEN - have);
        have = buffer_len(&mi->partial);
        if (*failed || have < MESSAGE_HEADER_LEN) {
            return MESSAGE_WANT;
        }
    }
    const uint8_t *header = buffer_bytes(&mi->partial);
    m->type = header[0];
    m->len = message_len(header);
    if (have < m->len) {
        *failed = !collect(mi, in, m->len - have);
        if (*failed || buffer_len(&mi->partial) < m->len) {
            return MESSAGE_HEADER;
        }
    }
    m->bytes = buffer_bytes(&mi->partial);
    m->from_partial = true;
    return MESSAGE_WHOLE;
}

enum message_status message_in_next(struct message_in *mi, struct record_in *in, struct message *m,
                                    bool *failed)
{
    *failed = false;
    *m = (struct message){ 0 };
    if (message_in_is_partial(mi)) {
        return next_from_partial(mi, in, m, failed);
    }
    if (in->is_v2_hello && in->current.len > 0) {
        *m = (struct message){ .type = in->current.data[0],
                               .bytes = in->current.data,
                               .len = in->current.len,
                               .is_v2_hello = true };
        return MESSAGE_WHOLE;
    }
    if (in->current.len >= MESSAGE_HEADER_LEN) {
        m->type = in->current.data[0];
        m->len = message_len(in->current.data);
        if (in->current.len >= m->len) {
            m->bytes = in->current.data;
            return MESSAGE_WHOLE;
        }
    }
    if (in->current.len == 0) {
        return MESSAGE_WANT;
    }
    *failed = !collect(mi, in, in->current.len);
    return m->len > 0 ? MESSAGE_HEADER : MESSAGE_WANT;
}

size_t message_header_len(const struct message *m)
{
    return m->is_v2_hello ? 1 : MESSAGE_HEADER_LEN;
}

void message_in_consume(struct message_in *mi, struct record_in *in, const struct message *m)
{
    if (m->from_partial) {
        buffer_wipe(&mi->partial);
    } else {
        record_in_consume(in, m->len);
    }
}

bool message_in_is_partial(const struct message_in *mi)
{
    return buffer_len(&mi->partial) > 0;
}

void message_in_wipe(struct message_in *mi)
{
    buffer_wipe(&mi->partial);
}
