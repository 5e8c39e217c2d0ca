/*
 * The receiving record layer. Input: a byte of flags, then pieces of {kind, length (2 bytes),
 * bytes}: raw bytes of the wire, or the inside of a record that is sealed with the key in use, so
 * that what lies behind the tag is reached, too; or the end of the inside of a long record. The
 * outcome must not depend on how the bytes arrive, nor on whether long records of data are opened
 * into the reader's memory.
 */
#include "stage.h"

#include "loose_aead.h"

#include <stdlib.h>
#include <string.h>

#define KEY  "sixteen bytes..."
#define IV   "twelve bytes"
#define TAG  16
#define MOST 65536

/* Bits of a piece's kind. */
#define KIND_SEALED 1
#define KIND_LONG   0x80

/* What stands before the bytes of a long piece. */
#define FILLER_LEN 4096

enum flag {
    PROTECTED = 1,
    PLAIN_CCS = 2,
    PLAIN_ALERTS = 4,
    OF_SERVER = 8,
    SHORT_RECORDS = 16,
    SKIPS = 32
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    return 0;
}

/* Seals inside as one record whatever it holds; sequence is the record's number. */
static void seal(struct buffer *wire, struct aead *aead, uint64_t sequence, const uint8_t *inside,
                 size_t len)
{
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t *record = buffer_reserve(wire, RECORD_HEADER_LEN + len + TAG);

    stage_require(record != NULL, "memory");
    memcpy(nonce, IV, sizeof(nonce));
    for (size_t i = 0; i < 8; i++) {
        nonce[sizeof(nonce) - 1 - i] ^= (uint8_t)(sequence >> (8 * i));
    }
    record[0] = CONTENT_APPLICATION;
    record[1] = record[2] = 3;
    record[3] = (uint8_t)((len + TAG) >> 8);
    record[4] = (uint8_t)(len + TAG);
    stage_require(aead_seal(aead, nonce, record, RECORD_HEADER_LEN, record + RECORD_HEADER_LEN,
                            inside, len, 0),
                  "sealing works");
    buffer_commit(wire, RECORD_HEADER_LEN + len + TAG);
}

static void build_wire(struct buffer *wire, struct reader r)
{
    struct aead *aead =
        aead_new(crypto_lib_default(), AEAD_AES_128_GCM, AEAD_SEAL, (const uint8_t *)KEY);
    struct buffer inside = { 0 };
    uint64_t sequence = 0;
    uint8_t kind;
    uint16_t len;

    stage_require(aead != NULL, "memory");
    while (buffer_len(wire) < MOST && reader_u8(&r, &kind) && reader_u16(&r, &len)) {
        size_t take = len < r.left ? len : r.left;
        if ((kind & KIND_SEALED) == 0) {
            stage_require(buffer_append(wire, r.at, take), "memory");
        } else if ((kind & KIND_LONG) == 0) {
            seal(wire, aead, sequence++, r.at, take);
        } else {
            stage_require(buffer_reserve(&inside, FILLER_LEN) != NULL, "memory");
            buffer_commit(&inside, FILLER_LEN);
            memset(buffer_bytes(&inside), 'x', FILLER_LEN);
            stage_require(buffer_append(&inside, r.at, take), "memory");
            seal(wire, aead, sequence++, buffer_bytes(&inside), FILLER_LEN + take);
            buffer_wipe(&inside);
        }
        stage_require(reader_skip(&r, take), "there are as many");
    }
    aead_free(aead);
}

/* What came of a wire: a digest of all records, and how it ended. */
struct outcome {
    uint64_t digest;
    bool failed;
    struct record_error error;
};

static void note(struct outcome *o, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++) {
        o->digest = (o->digest ^ p[i]) * UINT64_C(1099511628211);
    }
}

static void init(struct record_in *in, uint8_t flags)
{
    *in = (struct record_in){ .max_plaintext = RECORD_MAX_PLAINTEXT };
    if ((flags & PROTECTED) != 0) {
        struct protection *p =
            protection_new_tls13(crypto_lib_default(), AEAD_AES_128_GCM, AEAD_OPEN,
                                 (const uint8_t *)KEY, (const uint8_t *)IV);
        stage_require(p != NULL, "memory");
        record_in_protect(in, p, EPOCH_APPLICATION);
    }
    in->plain_ccs = (flags & PLAIN_CCS) != 0;
    in->plain_alerts = (flags & PLAIN_ALERTS) != 0;
    in->of_server = (flags & OF_SERVER) != 0;
    in->max_plaintext = (flags & SHORT_RECORDS) != 0 ? 512 : RECORD_MAX_PLAINTEXT;
    in->skip_left = (flags & SKIPS) != 0 ? 1000 : 0;
}

static uint8_t reader[RECORD_MAX_PLAINTEXT];

/* Takes the current record apart in two steps. */
static void take_record(struct record_in *in, struct outcome *o)
{
    const uint8_t *start = buffer_bytes(&in->buffer);
    size_t len = in->current.len;

    stage_require((in->current.data == reader && in->current.type == CONTENT_APPLICATION) ||
                      (in->current.data >= start && in->current_size <= buffer_len(&in->buffer) &&
                       in->current.data + len <= start + in->current_size),
                  "a record lies in its buffer, or is data for the reader");
    stage_require(len <= in->max_plaintext, "no record is longer than allowed");
    note(o, &in->current.type, 1);
    note(o, &len, sizeof(len));
    note(o, in->current.data, len);
    if (len > 1) {
        record_in_consume(in, len / 2);
        record_in_consume(in, len - len / 2);
    } else {
        record_in_consume(in, len);
    }
}

/* room: NULL, or the reader's memory, as long as the longest record. */
static enum record_status next_record(struct record_in *in, uint8_t *room,
                                      struct record_error *error)
{
    enum record_status status;

    do {
        status = record_in_step(in, room, sizeof(reader), error);
    } while (status == RECORD_DROPPED);
    return status;
}

/* greedy: everything is there at once; otherwise what is wanted arrives, byte for byte. */
static struct outcome run(const uint8_t *bytes, size_t len, uint8_t flags, bool greedy,
                          uint8_t *room)
{
    struct outcome o = { .digest = UINT64_C(14695981039346656037) };
    struct record_in in;
    size_t done = 0;

    init(&in, flags);
    for (;;) {
        enum record_status status = next_record(&in, room, &o.error);
        if (status == RECORD_READY) {
            take_record(&in, &o);
            continue;
        }
        if (status == RECORD_BAD) {
            o.failed = true;
            break;
        }
        size_t wanted = record_in_wanted(&in);
        stage_require(wanted > 0, "whoever waits wants something");
        stage_require(buffer_len(&in.buffer) > 0 || in.buffer.data == NULL,
                      "nothing is held for nothing");
        wanted += record_in_awaits_full(&in) ? RECORD_HEADER_LEN : 0; /* as pump_in() asks */
        size_t take = greedy || wanted > len - done ? len - done : wanted;
        if (take == 0) {
            break;
        }
        uint8_t *space = buffer_reserve(&in.buffer, take);
        stage_require(space != NULL, "memory");
        memcpy(space, bytes + done, take);
        buffer_commit(&in.buffer, take);
        done += take;
    }
    record_in_wipe(&in);
    return o;
}

static void require_same(const struct outcome *a, const struct outcome *b, const char *what)
{
    stage_require(a->digest == b->digest && a->failed == b->failed &&
                      a->error.alert == b->error.alert && a->error.reason == b->error.reason,
                  what);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buffer wire = { 0 };

    if (size == 0) {
        return 0;
    }
    build_wire(&wire, reader_of(data + 1, size - 1));
    const struct outcome at_once = run(buffer_bytes(&wire), buffer_len(&wire), data[0], true, NULL);
    const struct outcome in_pieces =
        run(buffer_bytes(&wire), buffer_len(&wire), data[0], false, NULL);
    const struct outcome direct =
        run(buffer_bytes(&wire), buffer_len(&wire), data[0], true, reader);
    require_same(&at_once, &in_pieces, "how bytes arrive makes no difference");
    require_same(&at_once, &direct, "where records are opened makes no difference");
    buffer_wipe(&wire);
    return 0;
}
