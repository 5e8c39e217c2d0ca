/*
 * ClientHello in the format of SSL 2.0: RFC 5246, E.2. SSL 2.0 itself is spoken by nobody here; old
 * clients of TLS begin with its hello.
 */
#include "handshake/handshake.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

#define V2_SUITE_LEN 3

struct v2_hello {
    struct reader suites;
    struct reader session_id;
    struct reader challenge;
};

static bool take(struct reader *body, struct reader *part, uint16_t len)
{
    const uint8_t *bytes;

    if (!reader_bytes(body, &bytes, len)) {
        return false;
    }
    *part = reader_of(bytes, len);
    return true;
}

static enum step_result parse(struct handshake *hs, struct v2_hello *v2, struct reader *body)
{
    uint16_t suites_len;
    uint16_t id_len;
    uint16_t challenge_len;

    if (!reader_u16(body, &hs->hello->legacy_version)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_TOO_SHORT);
    }
    if (!reader_u16(body, &suites_len) || !reader_u16(body, &id_len) ||
        !reader_u16(body, &challenge_len)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_RECORD_LENGTH_MISMATCH);
    }
    if (id_len > SESSION_ID_MAX) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_LENGTH_MISMATCH);
    }
    if (!take(body, &v2->suites, suites_len) || !take(body, &v2->session_id, id_len) ||
        !take(body, &v2->challenge, challenge_len) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_RECORD_LENGTH_MISMATCH);
    }
    return STEP_OK;
}

/* RFC 5246, E.2: the challenge is the random, zeros before it where it is shorter. Returns where
 * writing goes on. */
static uint8_t *put_random(uint8_t *at, struct reader challenge)
{
    size_t len = reader_left(&challenge) < RANDOM_LEN ? reader_left(&challenge) : RANDOM_LEN;

    memset(at, 0, RANDOM_LEN);
    if (len > 0) {
        memcpy(at + RANDOM_LEN - len, challenge.at, len);
    }
    return at + RANDOM_LEN;
}

/* Suites of TLS have a zero byte in front; the rest are SSL 2.0's own. */
static uint8_t *put_suites(uint8_t *at, struct reader suites)
{
    uint8_t first;
    uint16_t id;

    while (reader_u8(&suites, &first) && reader_u16(&suites, &id)) {
        if (first == 0) {
            *at++ = (uint8_t)(id >> 8);
            *at++ = (uint8_t)id;
        }
    }
    return at;
}

/* Moves a view to a copy of its bytes. */
static void copy(uint8_t **at, struct reader *part)
{
    uint8_t *begin = *at;

    if (part->left > 0) {
        memcpy(begin, part->at, part->left);
    }
    *at += part->left;
    *part = reader_of(begin, part->left);
}

enum step_result parse_v2_hello(struct handshake *hs, struct reader *body)
{
    static const uint8_t null_compression = 0;
    struct client_hello *hello = hs->hello;
    struct v2_hello v2;
    enum step_result result = parse(hs, &v2, body);

    if (result != STEP_OK) {
        return result;
    }
    /* The list of TLS, at most two bytes for three, the random, and copies of the rest. */
    blob_set(&hs->hello_bytes,
             blob_new(NULL, 2 * v2.suites.left + RANDOM_LEN + v2.session_id.left));
    if (hs->hello_bytes == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    uint8_t *at = hs->hello_bytes->bytes;
    hello->is_v2 = true;
    hello->random = at;
    at = put_random(at, v2.challenge);
    const uint8_t *suites = at;
    at = put_suites(at, v2.suites);
    hello->suites = reader_of(suites, (size_t)(at - suites));
    copy(&at, &v2.suites);
    hello->v2_suites = v2.suites;
    copy(&at, &v2.session_id);
    hello->session_id = v2.session_id;
    hello->compressions = reader_of(&null_compression, 1);
    hello->extensions_block = (struct reader){ 0 };
    hello->num_extensions = 0;
    memcpy(hs->conn->neg.client_random, hello->random, RANDOM_LEN);
    return STEP_OK;
}
