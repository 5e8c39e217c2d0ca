/*
 * The receiving record layer of TLS 1.2 and older: AEADs, CBC mode in both orders and NULL
 * encryption, and the chained CBC of TLS 1.0. Input: which protection, then pieces of {kind, length
 * (2 bytes), bytes}. A piece is raw bytes of the wire; or content that our own sending half seals;
 * or such content in a record of which some bytes are then changed, counted from its end, where
 * tag, MAC and padding are; either may be the end of a long record. The outcome must not depend on
 * how the bytes arrive, nor on whether long records of data are opened into the reader's memory,
 * and as long as nobody has changed anything what comes out is what went in.
 */
#include "stage.h"

#include "legacy/implicit_iv.h"

#include <openssl/sslerr.h>
#include <stddef.h>
#include <string.h>

#define MOST 65536

enum kind { RAW, SEALED, CHANGED, NUM_KINDS };

/* A bit beside the kind: so many bytes stand before the content. */
#define KIND_LONG  0x80
#define FILLER_LEN 4096

/* Bytes in front of the content of a changed piece: three times {place from the end, xor}. */
#define NUM_CHANGES 3
#define CHANGES_LEN (2 * NUM_CHANGES)

static const enum aead_id aeads[] = { AEAD_AES_128_GCM, AEAD_CHACHA20_POLY1305,
                                      AEAD_AES_128_CCM_8 };

static const struct cbc_parameters cbcs[] = {
    { ENC_AES128, MAC_SHA1, false, VERSION_TLS12 },
    { ENC_AES256, MAC_SHA384, false, VERSION_TLS12 },
    { ENC_3DES, MAC_SHA1, false, VERSION_TLS11 },
    { ENC_AES128, MAC_SHA256, true, VERSION_TLS12 },
    { ENC_AES256, MAC_SHA1, true, VERSION_TLS11 },
    { ENC_NULL, MAC_SHA256, false, VERSION_TLS12 },
    { ENC_AES128, MAC_SHA1, false, VERSION_TLS1 },
    { ENC_3DES, MAC_SHA1, true, VERSION_TLS1 },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    return 0;
}

static uint16_t version_of(size_t choice)
{
    return choice < COUNT_OF(aeads) ? VERSION_TLS12 : cbcs[choice - COUNT_OF(aeads)].version;
}

static struct protection *protection(size_t choice, enum aead_direction direction)
{
    static const uint8_t mac_key[PROTECTION_MAX_MAC_KEY_LEN] = "a key for the message digests";
    static const uint8_t key[PROTECTION_MAX_KEY_LEN] = "thirty-two bytes are long enough";
    static const uint8_t iv[PROTECTION_MAX_IV_LEN] = "a first block...";
    const struct crypto_lib *lib = crypto_lib_default();
    struct protection *p;

    if (choice < COUNT_OF(aeads)) {
        p = protection_new_tls12(lib, aeads[choice], direction, VERSION_TLS12, key, iv);
    } else if (version_of(choice) == VERSION_TLS1) {
        p = protection_new_implicit_iv(lib, &cbcs[choice - COUNT_OF(aeads)], direction, mac_key,
                                       key, iv, true);
    } else {
        p = protection_new_cbc(lib, &cbcs[choice - COUNT_OF(aeads)], direction, mac_key, key);
    }
    stage_require(p != NULL, "memory");
    return p;
}

static void note(uint64_t *digest, const void *bytes, size_t len)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < len; i++) {
        *digest = (*digest ^ p[i]) * UINT64_C(1099511628211);
    }
}

/* A wire, and how many bytes of content its honest beginning has, with their digest. */
struct wire {
    struct record_out out;
    bool honest;
    size_t len;
    uint64_t digest;
};

/* bytes of a CHANGED piece: the changes and the content. */
static void seal(struct wire *w, enum kind kind, bool is_long, const uint8_t *bytes, size_t len)
{
    static uint8_t content[RECORD_MAX_PLAINTEXT];
    const uint8_t *changes = bytes;

    if (kind == CHANGED) {
        bytes += CHANGES_LEN;
        len -= CHANGES_LEN;
    }
    if (is_long && len <= sizeof(content) - FILLER_LEN) {
        memset(content, 'x', FILLER_LEN);
        if (len > 0) {
            memcpy(content + FILLER_LEN, bytes, len);
        }
        bytes = content;
        len += FILLER_LEN;
    }
    size_t before = buffer_len(&w->out.buffer);
    record_out_begin_write(&w->out);
    stage_require(record_seal(&w->out, CONTENT_APPLICATION, bytes, len, NULL), "sealing works");
    size_t grown = buffer_len(&w->out.buffer) - before;
    uint8_t *end = buffer_bytes(&w->out.buffer) + before + grown;
    for (size_t i = 0; kind == CHANGED && i < NUM_CHANGES; i++) {
        size_t place = changes[2 * i] % grown;
        end[-1 - (ptrdiff_t)place] ^= changes[2 * i + 1];
        w->honest = w->honest && changes[2 * i + 1] == 0;
    }
    if (w->honest) {
        w->len += len;
        note(&w->digest, bytes, len);
    }
}

static void build_wire(struct wire *w, struct reader r)
{
    uint8_t kind;
    uint16_t len;

    while (buffer_len(&w->out.buffer) < MOST && reader_u8(&r, &kind) && reader_u16(&r, &len)) {
        size_t take = len < r.left ? len : r.left;

        bool is_long = (kind & KIND_LONG) != 0;
        kind = (uint8_t)(kind & ~KIND_LONG) % NUM_KINDS;
        if (kind == RAW) {
            w->honest = w->honest && take == 0;
            stage_require(buffer_append(&w->out.buffer, r.at, take), "memory");
        } else if ((kind == SEALED || take >= CHANGES_LEN) && take <= RECORD_MAX_PLAINTEXT) {
            seal(w, kind, is_long, r.at, take);
        }
        stage_require(reader_skip(&r, take), "there are as many");
    }
}

/* What came of a wire: a digest of all content, and how it ended. */
struct outcome {
    size_t len, honest_len;
    uint64_t digest, honest_digest; /* honest: when as much content had come as the wire's
                                       beginning has */
    bool failed;
    struct record_error error;
};

static uint8_t reader[RECORD_MAX_PLAINTEXT];

static void take_record(struct record_in *in, struct outcome *o, const struct wire *w)
{
    const uint8_t *start = buffer_bytes(&in->buffer);
    size_t len = in->current.len;

    stage_require((in->current.data == reader && in->current.type == CONTENT_APPLICATION) ||
                      (in->current.data >= start &&
                       in->current.data + len <= start + in->current_size &&
                       in->current_size <= buffer_len(&in->buffer)),
                  "a record lies in its buffer, or is data for the reader");
    stage_require(len <= RECORD_MAX_PLAINTEXT, "no record is longer than allowed");
    note(&o->digest, in->current.data, len);
    o->len += len;
    if (o->len == w->len) {
        o->honest_len = o->len;
        o->honest_digest = o->digest;
    }
    record_in_consume(in, len);
}

/* greedy: everything is there at once; otherwise what is wanted arrives, byte for byte. room: NULL,
 * or the reader's memory, as long as the longest record. */
static struct outcome run(const struct wire *w, size_t choice, bool greedy, uint8_t *room)
{
    struct outcome o = { .digest = UINT64_C(14695981039346656037) };
    struct record_in in = { .max_plaintext = RECORD_MAX_PLAINTEXT,
                            .version = version_of(choice),
                            .seen_record = true };
    const uint8_t *bytes = buffer_bytes(&w->out.buffer);
    size_t len = buffer_len(&w->out.buffer);
    enum record_status status;

    record_in_protect(&in, protection(choice, AEAD_OPEN), EPOCH_APPLICATION);
    while ((status = record_in_step(&in, room, sizeof(reader), &o.error)) != RECORD_BAD) {
        if (status == RECORD_READY) {
            take_record(&in, &o, w);
        }
        if (status != RECORD_WANT) {
            continue;
        }
        size_t wanted = record_in_wanted(&in);
        stage_require(wanted > 0, "whoever waits wants something");
        size_t take = greedy || wanted > len ? len : wanted;
        if (take == 0) {
            break;
        }
        stage_require(buffer_append(&in.buffer, bytes, take), "memory");
        bytes += take;
        len -= take;
    }
    o.failed = status == RECORD_BAD;
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
    struct wire w = { .honest = true, .digest = UINT64_C(14695981039346656037) };

    if (size == 0) {
        return 0;
    }
    size_t choice = data[0] % (COUNT_OF(aeads) + COUNT_OF(cbcs));
    w.out.version = version_of(choice);
    record_out_protect(&w.out, protection(choice, AEAD_SEAL), EPOCH_APPLICATION);
    build_wire(&w, reader_of(data + 1, size - 1));
    const struct outcome at_once = run(&w, choice, true, NULL);
    const struct outcome in_pieces = run(&w, choice, false, NULL);
    const struct outcome direct = run(&w, choice, true, reader);
    require_same(&at_once, &in_pieces, "how bytes arrive makes no difference");
    require_same(&at_once, &direct, "where records are opened makes no difference");
    /* Empty records come to nothing, and too many of them to a failure. */
    bool flooded = at_once.failed && at_once.error.reason == SSL_R_RECORD_TOO_SMALL;
    stage_require(w.len == 0 || flooded ||
                      (at_once.honest_len == w.len && at_once.honest_digest == w.digest),
                  "what was sealed comes out");
    stage_require(!w.honest || flooded || !at_once.failed, "an honest wire is accepted");
    record_out_wipe(&w.out);
    return 0;
}
