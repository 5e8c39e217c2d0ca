/*
 * Handshake messages out of records. Input: the length of the records (1 byte, 0: 16384), then a
 * stream of messages. However it is cut into records, the messages are the same, and no more is
 * held than has arrived.
 */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

struct outcome {
    size_t num;
    size_t bytes;
    uint64_t digest;
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    return 0;
}

static void note(struct outcome *o, const struct message *m)
{
    stage_require(m->bytes[0] == m->type && m->len >= MESSAGE_HEADER_LEN, "a message is whole");
    o->num++;
    o->bytes += m->len;
    for (size_t i = 0; i < m->len; i++) {
        o->digest = (o->digest ^ m->bytes[i]) * UINT64_C(1099511628211);
    }
}

static void frame(struct buffer *wire, const uint8_t *stream, size_t len, size_t piece)
{
    struct record_out out = { .version = VERSION_TLS12 };

    while (len > 0) {
        size_t take = len < piece ? len : piece;
        stage_require(record_seal(&out, CONTENT_HANDSHAKE, stream, take, NULL), "memory");
        stream += take;
        len -= take;
    }
    stage_require(buffer_append(wire, buffer_bytes(&out.buffer), buffer_len(&out.buffer)),
                  "memory");
    record_out_wipe(&out);
}

static struct outcome run(const uint8_t *stream, size_t len, size_t piece)
{
    struct outcome o = { 0 };
    struct record_in in = { .max_plaintext = RECORD_MAX_PLAINTEXT };
    struct message_in mi = { 0 };
    struct record_error error;
    bool going = true;

    frame(&in.buffer, stream, len, piece);
    while (going) {
        struct message m;
        bool failed;
        going = record_in_next(&in, &error) == RECORD_READY;
        while (going || message_in_is_partial(&mi)) {
            enum message_status status = message_in_next(&mi, &in, &m, &failed);
            stage_require(!failed, "memory");
            if (status != MESSAGE_WHOLE) {
                break;
            }
            note(&o, &m);
            message_in_consume(&mi, &in, &m);
            if (in.current_size == 0) {
                break;
            }
        }
        stage_require(in.current_size == 0, "a record is used up before the next");
        stage_require(buffer_len(&mi.partial) <= len - o.bytes, "no more is held than has come");
    }
    message_in_wipe(&mi);
    record_in_wipe(&in);
    return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    const struct outcome whole = run(data + 1, size - 1, RECORD_MAX_PLAINTEXT);
    const struct outcome cut =
        run(data + 1, size - 1, data[0] == 0 ? RECORD_MAX_PLAINTEXT : data[0]);
    stage_require(whole.num == cut.num && whole.bytes == cut.bytes && whole.digest == cut.digest,
                  "records make no difference to messages");
    return 0;
}
