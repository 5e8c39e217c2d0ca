/*
 * A sending and a receiving record layer; see record_pipe.h.
 */
#include "unit.h"

#include "loose_aead.h"
#include "record_pipe.h"

#include <string.h>

static const uint8_t key[16] = "sixteen bytes...";
static const uint8_t iv[AEAD_NONCE_LEN] = "twelve bytes";

struct record_in in;
struct record_out out;
struct record_error error;

static struct protection *protection(enum aead_direction direction)
{
    struct protection *p =
        protection_new_tls13(crypto_lib_default(), AEAD_AES_128_GCM, direction, key, iv);

    assert_non_null(p);
    return p;
}

void open_pipes(bool protected)
{
    in = (struct record_in){ .max_plaintext = RECORD_MAX_PLAINTEXT };
    out = (struct record_out){ .version = VERSION_TLS12 };
    error = (struct record_error){ 0 };
    if (protected) {
        record_in_protect(&in, protection(AEAD_OPEN), EPOCH_APPLICATION);
        record_out_protect(&out, protection(AEAD_SEAL), EPOCH_APPLICATION);
    }
}

void close_pipes(void)
{
    record_in_wipe(&in);
    record_out_wipe(&out);
}

void feed(const void *bytes, size_t len)
{
    uint8_t *space = buffer_reserve(&in.buffer, len);

    assert_non_null(space);
    memcpy(space, bytes, len);
    buffer_commit(&in.buffer, len);
}

void transfer(void)
{
    feed(buffer_bytes(&out.buffer), buffer_len(&out.buffer));
    buffer_wipe(&out.buffer);
}

void deliver(uint8_t type, const void *data, size_t len)
{
    assert_true(record_seal(&out, type, data, len, NULL));
    transfer();
}

void send_inside(const uint8_t *inside, size_t len)
{
    struct aead *aead = aead_new(crypto_lib_default(), AEAD_AES_128_GCM, AEAD_SEAL, key);
    uint8_t nonce[AEAD_NONCE_LEN];
    static uint8_t record[RECORD_HEADER_LEN + 20000];
    size_t body = len + 16;

    assert_non_null(aead);
    memcpy(nonce, iv, sizeof(nonce));
    nonce[11] ^= (uint8_t)in.protection->sequence;
    record[0] = CONTENT_APPLICATION;
    record[1] = record[2] = 3;
    record[3] = (uint8_t)(body >> 8);
    record[4] = (uint8_t)body;
    assert_true(aead_seal(aead, nonce, record, RECORD_HEADER_LEN, record + RECORD_HEADER_LEN,
                          inside, len, 0));
    feed(record, RECORD_HEADER_LEN + body);
    aead_free(aead);
}

void expect_record(uint8_t type, const void *data, size_t len)
{
    assert_int_equal(record_in_next(&in, &error), RECORD_READY);
    assert_int_equal(in.current.type, type);
    assert_int_equal(in.current.len, len);
    assert_memory_equal(in.current.data, data, len);
}

void expect_refusal(uint8_t alert, int reason)
{
    assert_int_equal(record_in_next(&in, &error), RECORD_BAD);
    assert_int_equal(error.alert, alert);
    assert_int_equal(error.reason, reason);
}
