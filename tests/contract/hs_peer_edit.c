/*
 * How the edits of a script change the scripted peer's messages and records.
 */
#include "hs_peer.h"

#include "contract.h"

#include <string.h>

/* Offset of the extension block's length field, or 0 when the message has none. */
static size_t find_extensions(enum peer_stage stage, const struct bytes *message)
{
    const uint8_t *data = message->data;
    size_t at;

    switch (stage) {
    case AT_CLIENT_HELLO:
    case AT_SECOND_HELLO:
        at = 38;
        at += 1 + (size_t)data[at];
        at += 2 + (size_t)(data[at] << 8 | data[at + 1]);
        return at + 1 + data[at];
    case AT_RETRY_REQUEST:
    case AT_SERVER_HELLO:
        return 38 + 1 + (size_t)data[38] + 3;
    case AT_ENCRYPTED_EXTENSIONS:
        return 4;
    case AT_CERTIFICATE_REQUEST:
        return 4 + 1 + (size_t)data[4];
    case AT_CERTIFICATE:
        at = 4 + 1 + (size_t)data[4] + 3;
        return at + 3 + (size_t)(data[at] << 16 | data[at + 1] << 8 | data[at + 2]);
    case AT_CCS:
    case AT_CERTIFICATE_VERIFY:
    case AT_FINISHED:
    case AT_CONNECTED:
    case AT_CERTIFICATE_STATUS:
    case AT_SERVER_KEY_EXCHANGE:
    case AT_SERVER_HELLO_DONE:
    case AT_CLIENT_KEY_EXCHANGE:
    case AT_NEXT_PROTO:
    case AT_NEW_SESSION_TICKET:
        break;
    }
    return 0;
}

/* After a change of `delta` bytes in the extension block: its length, and those around it. */
static void adjust(enum peer_stage stage, struct bytes *message, size_t block, int delta)
{
    unsigned old = (unsigned)(message->data[block] << 8 | message->data[block + 1]);
    unsigned len = (unsigned)((int)old + delta);

    message->data[block] = (uint8_t)(len >> 8);
    message->data[block + 1] = (uint8_t)len;
    if (stage == AT_CERTIFICATE) {
        bytes_fix_length(message, 4 + 1 + (size_t)message->data[4] + 3, 3);
    }
    bytes_fix_length(message, 4, 3);
}

/* Offset of extension `type` in the block, 0 when absent; `*len` with its header. */
static size_t find_extension(const struct bytes *message, size_t block, unsigned type, size_t *len)
{
    size_t end = block + 2 + (size_t)(message->data[block] << 8 | message->data[block + 1]);

    for (size_t at = block + 2; at + 4 <= end; at += *len) {
        const uint8_t *data = message->data + at;

        *len = 4 + (size_t)(data[2] << 8 | data[3]);
        if ((unsigned)(data[0] << 8 | data[1]) == type) {
            return at;
        }
    }
    return 0;
}

static void edit_extensions(const struct peer_edit *edit, struct bytes *message)
{
    size_t block = find_extensions(edit->at, message);
    size_t block_len = (size_t)(message->data[block] << 8 | message->data[block + 1]);
    size_t end = block + 2 + block_len;
    struct bytes extension = { 0 };
    size_t len = 0;
    size_t at = find_extension(message, block, edit->a, &len);

    REQUIRE(block != 0);
    bytes_add_number(&extension, 2, edit->a);
    bytes_add_number(&extension, 2, 0);
    bytes_add_hex(&extension, edit->hex);
    bytes_fix_length(&extension, 4, 2);
    if (edit->kind == EDIT_EXT_DROP || edit->kind == EDIT_EXT_BODY) {
        REQUIRE(at != 0);
        bytes_remove(message, at, len);
        adjust(edit->at, message, block, -(int)len);
    }
    if (edit->kind == EDIT_EXT_DUPLICATE) {
        REQUIRE(at != 0);
        extension.len = 0;
        bytes_add(&extension, message->data + at, len);
        bytes_insert(message, end, extension.data, extension.len);
    } else if (edit->kind == EDIT_EXT_ADD) {
        bytes_insert(message, end, extension.data, extension.len);
    } else if (edit->kind == EDIT_EXT_FIRST) {
        bytes_insert(message, block + 2, extension.data, extension.len);
    } else if (edit->kind == EDIT_EXT_BODY) {
        bytes_insert(message, at, extension.data, extension.len);
    }
    if (edit->kind == EDIT_EXT_LENGTH) {
        block_len += edit->a;
        message->data[block] = (uint8_t)(block_len >> 8);
        message->data[block + 1] = (uint8_t)block_len;
    } else if (edit->kind != EDIT_EXT_DROP) {
        adjust(edit->at, message, block, (int)extension.len);
    }
    bytes_free(&extension);
}

static void edit_bytes(const struct peer_edit *edit, struct bytes *message)
{
    struct bytes extra = { 0 };

    bytes_add_hex(&extra, edit->hex);
    if (edit->kind == EDIT_SET) {
        REQUIRE(edit->a + extra.len <= message->len);
        memcpy(message->data + edit->a, extra.data, extra.len);
    } else if (edit->kind == EDIT_TYPE) {
        message->data[0] = (uint8_t)edit->a;
    } else if (edit->kind == EDIT_LENGTH) {
        message->data[1] = (uint8_t)(edit->a >> 16);
        message->data[2] = (uint8_t)(edit->a >> 8);
        message->data[3] = (uint8_t)edit->a;
    } else if (edit->kind == EDIT_REMOVE) {
        bytes_remove(message, edit->a, edit->b);
    } else if (edit->kind == EDIT_INSERT) {
        bytes_insert(message, edit->a, extra.data, extra.len);
    } else if (edit->kind == EDIT_CUT) {
        bytes_remove(message, message->len - edit->a, edit->a);
    } else if (edit->kind == EDIT_BODY) {
        message->len = edit->at == AT_CCS ? 0 : 4;
        bytes_add(message, extra.data, extra.len);
    } else {
        bytes_add(message, extra.data, extra.len);
    }
    if (edit->kind != EDIT_SET && edit->kind != EDIT_LENGTH && edit->at != AT_CCS) {
        bytes_fix_length(message, 4, 3);
    }
    bytes_free(&extra);
}

static void apply(const struct peer_edit *edit, struct bytes *message)
{
    switch (edit->kind) {
    case EDIT_SET:
    case EDIT_REMOVE:
    case EDIT_INSERT:
    case EDIT_CUT:
    case EDIT_TAIL:
    case EDIT_LENGTH:
    case EDIT_BODY:
    case EDIT_TYPE:
        edit_bytes(edit, message);
        break;
    case EDIT_EXT_DROP:
    case EDIT_EXT_DUPLICATE:
    case EDIT_EXT_ADD:
    case EDIT_EXT_FIRST:
    case EDIT_EXT_BODY:
    case EDIT_EXT_LENGTH:
        edit_extensions(edit, message);
        break;
    case EDIT_END:
    case EDIT_SKIP:
    case EDIT_TWICE:
    case EDIT_EXTRA:
    case EDIT_SPLIT:
    case EDIT_SPLIT_BETWEEN:
    case EDIT_RECORD_TYPE:
    case EDIT_OUTER_TYPE:
    case EDIT_VERSION:
    case EDIT_BEFORE:
    case EDIT_AFTER:
    case EDIT_RAW_BEFORE:
    case EDIT_PADDED:
    case EDIT_HOLD:
    case EDIT_LATER:
    case EDIT_BREAK_TAG:
    case EDIT_BIG:
    case EDIT_V2:
        break;
    }
}

static const struct peer_edit *find_edit(const struct peer *peer, enum peer_stage stage,
                                         enum peer_edit_kind kind)
{
    for (size_t i = 0; i < PEER_EDITS_MAX && peer->script->edits[i].kind != EDIT_END; i++) {
        if (peer->script->edits[i].at == stage && peer->script->edits[i].kind == kind) {
            return &peer->script->edits[i];
        }
    }
    return NULL;
}

static void send_extra_records(struct peer *peer, const struct peer_edit *edit)
{
    const struct peer_record form = { .type = edit == NULL ? 0 : edit->a };
    struct bytes content = { 0 };

    if (edit == NULL) {
        return;
    }
    bytes_add_hex(&content, edit->hex);
    for (unsigned i = 0; i < edit->b; i++) {
        peer_send_record(peer, &form, content.data, content.len);
    }
    bytes_free(&content);
}

static void send_before(struct peer *peer, enum peer_stage stage)
{
    const struct peer_edit *raw = find_edit(peer, stage, EDIT_RAW_BEFORE);
    const struct peer_edit *big = find_edit(peer, stage, EDIT_BIG);
    struct bytes content = { 0 };

    send_extra_records(peer, find_edit(peer, stage, EDIT_BEFORE));
    if (raw != NULL) {
        bytes_add_hex(&content, raw->hex);
        peer_send_raw(peer, content.data, content.len);
    }
    if (big != NULL) {
        const struct peer_record form = { .type = big->a };

        content.len = 0;
        for (unsigned i = 0; i < big->b; i++) {
            bytes_add_number(&content, 1, 0);
        }
        peer_send_record(peer, &form, content.data, content.len);
    }
    bytes_free(&content);
}

static struct peer_record form_of(const struct peer *peer, enum peer_stage stage)
{
    const struct peer_edit *type = find_edit(peer, stage, EDIT_RECORD_TYPE);
    const struct peer_edit *outer = find_edit(peer, stage, EDIT_OUTER_TYPE);
    const struct peer_edit *version = find_edit(peer, stage, EDIT_VERSION);
    const struct peer_edit *padded = find_edit(peer, stage, EDIT_PADDED);

    return (struct peer_record){
        .type = type != NULL      ? type->a
                : stage == AT_CCS ? 20
                                  : 22,
        .outer_type = outer != NULL ? outer->a : 0,
        .version = version != NULL            ? version->a
                   : stage == AT_CLIENT_HELLO ? 0x0301
                                              : 0,
        .padding = padded != NULL ? padded->a : 0,
        .break_tag = find_edit(peer, stage, EDIT_BREAK_TAG) != NULL,
    };
}

static void send_in_parts(struct peer *peer, enum peer_stage stage, const struct bytes *message)
{
    const struct peer_edit *between = find_edit(peer, stage, EDIT_SPLIT_BETWEEN);
    const struct peer_edit *split = find_edit(peer, stage, EDIT_SPLIT);
    const struct peer_record form = form_of(peer, stage);
    size_t part = message->len;

    split = split != NULL ? split : between;
    if (split != NULL) {
        part = split->a;
    } else if (part > SSL3_RT_MAX_PLAIN_LENGTH) {
        part = SSL3_RT_MAX_PLAIN_LENGTH;
    }
    for (size_t at = 0; at < message->len; at += part) {
        size_t len = message->len - at < part ? message->len - at : part;

        peer_send_record(peer, &form, message->data + at, len);
        if (at == 0 && between != NULL) {
            struct peer_edit other = *between;

            other.a = between->b;
            other.b = 1;
            send_extra_records(peer, &other);
        }
    }
}

static void send_times(struct peer *peer, enum peer_stage stage, struct bytes *message, int times)
{
    const struct peer_edit *extra = find_edit(peer, stage, EDIT_EXTRA);

    for (int i = 0; i < times && message->len > 0; i++) {
        if (stage != AT_CCS && i == 0) {
            bytes_add(&peer->transcript, message->data, message->len);
        }
        if (extra != NULL) {
            bytes_add_hex(message, extra->hex);
        }
        bytes_add(&peer->held, message->data, message->len);
        if (find_edit(peer, stage, EDIT_HOLD) == NULL) {
            send_in_parts(peer, stage, &peer->held);
            peer->held.len = 0;
        }
    }
}

void peer_send_message(struct peer *peer, enum peer_stage stage, struct bytes *message)
{
    int times = find_edit(peer, stage, EDIT_TWICE) != NULL ? 2 : 1;

    for (size_t i = 0; i < PEER_EDITS_MAX && peer->script->edits[i].kind != EDIT_END; i++) {
        if (peer->script->edits[i].at == stage && message->len > 0) {
            apply(&peer->script->edits[i], message);
        }
    }
    if (find_edit(peer, stage, EDIT_SKIP) != NULL) {
        times = 0;
    }
    send_before(peer, stage);
    if (find_edit(peer, stage, EDIT_LATER) != NULL) {
        bytes_add(&peer->later, message->data, message->len);
        peer->later_stage = stage;
        return;
    }
    send_times(peer, stage, message, times);
    if (peer->later.len > 0) {
        send_times(peer, peer->later_stage, &peer->later, 1);
        peer->later.len = 0;
    }
    send_extra_records(peer, find_edit(peer, stage, EDIT_AFTER));
}
