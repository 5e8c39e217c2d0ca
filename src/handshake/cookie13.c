/*
 * Cookies of a server that forgets; see cookie13.h.
 */
#include "handshake/cookie13.h"

#include "handshake/ext/extensions.h"
#include "handshake/keys13.h"
#include "handshake/negotiate.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

#define FORMAT_VERSION 1
#define MAC_LEN        32 /* of SHA-256 */

#define MILLISECONDS_PER_SECOND 1000

/* --- The format --- */

void cookie13_write(struct writer *w, const struct cookie13 *cookie)
{
    writer_u16(w, FORMAT_VERSION);
    writer_u16(w, cookie->version);
    writer_u16(w, cookie->group);
    writer_u16(w, cookie->suite);
    writer_u8(w, cookie->asked_share);
    writer_u64(w, cookie->time);
    writer_open(w, 2);
    writer_bytes(w, cookie->hello_hash.at, cookie->hello_hash.left);
    writer_close(w);
    writer_open(w, 1);
    writer_bytes(w, cookie->application.at, cookie->application.left);
    writer_close(w);
}

bool cookie13_seal(const struct hash *sha256, const uint8_t *key, struct writer *w)
{
    uint8_t mac[HASH_MAX_LEN];

    if (!writer_ok(w) ||
        !hmac_once(sha256, key, COOKIE13_KEY_LEN, writer_begin(w), writer_len(w), mac)) {
        return false;
    }
    writer_bytes(w, mac, MAC_LEN);
    return writer_ok(w);
}

enum cookie13_result cookie13_open(const struct hash *sha256, const uint8_t *key,
                                   struct reader sealed, struct cookie13 *cookie)
{
    uint8_t mac[HASH_MAX_LEN];
    uint16_t format;
    uint8_t asked_share;

    if (reader_left(&sealed) < MAC_LEN) {
        return COOKIE13_MALFORMED;
    }
    struct reader state = reader_of(sealed.at, sealed.left - MAC_LEN);
    if (!hmac_once(sha256, key, COOKIE13_KEY_LEN, state.at, state.left, mac)) {
        return COOKIE13_MALFORMED;
    }
    if (!constant_time_equals(mac, sealed.at + state.left, MAC_LEN)) {
        return COOKIE13_FORGED;
    }
    if (!reader_u16(&state, &format)) {
        return COOKIE13_MALFORMED;
    }
    if (format != FORMAT_VERSION) {
        return COOKIE13_UNKNOWN;
    }
    if (!reader_u16(&state, &cookie->version) || !reader_u16(&state, &cookie->group) ||
        !reader_u16(&state, &cookie->suite) || !reader_u8(&state, &asked_share) ||
        !reader_u64(&state, &cookie->time) || !reader_vec16(&state, &cookie->hello_hash) ||
        !reader_vec8(&state, &cookie->application) || !reader_is_empty(&state)) {
        return COOKIE13_MALFORMED;
    }
    cookie->asked_share = asked_share != 0;
    return COOKIE13_GOOD;
}

/* --- The extension of a HelloRetryRequest --- */

static uint64_t seconds_now(const struct tls_conn *c)
{
    return (uint64_t)(c->hooks->now(c->owner) / MILLISECONDS_PER_SECOND);
}

bool cookie_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->stateless;
}

static bool write_sealed(struct handshake *hs, struct reader application, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    const struct hash *sha256 = hash_get(c->config->lib, HASH_SHA256);
    const struct cookie13 cookie = {
        .version = VERSION_TLS13,
        .group = hs->share_group != NULL ? hs->share_group->id : 0,
        .suite = suite_id(c->neg.suite),
        .asked_share = key_share_answer_due(hs, EXT_HELLO_RETRY_REQUEST),
        .time = seconds_now(c),
        .hello_hash = reader_of(hs->first_hello, hash_len(keys13_hash(c))),
        .application = application,
    };
    struct buffer sealed = { 0 };
    struct writer to = writer_to(&sealed);

    cookie13_write(&to, &cookie);
    bool ok = sha256 != NULL && cookie13_seal(sha256, c->hooks->cookie_key(c->owner), &to);
    if (ok) {
        writer_open(w, 2);
        writer_bytes(w, buffer_bytes(&sealed), buffer_len(&sealed));
        writer_close(w);
    }
    buffer_wipe(&sealed);
    return ok;
}

bool cookie_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_NO_COOKIE_CALLBACK_SET };
    uint8_t application[COOKIE13_MAX_APPLICATION];
    size_t len;

    (void)place;
    enum hook_answer answer =
        c->hooks->make_cookie(c->owner, application, sizeof application, &len, &failure);
    return step_of_answer(hs, answer, &failure, PAUSE_NONE) == STEP_OK &&
           write_sealed(hs, reader_of(application, len), w);
}

/* --- The cookie that comes back --- */

static enum step_result mismatch(struct handshake *hs)
{
    return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_COOKIE_MISMATCH);
}

static bool is_fresh(const struct tls_conn *c, const struct cookie13 *cookie)
{
    uint64_t now = seconds_now(c);

    return cookie->time <= now && now - cookie->time <= COOKIE13_MAX_AGE;
}

/* The transcript as it would be if this were the connection that sent the HelloRetryRequest (RFC
 * 8446, 4.2.2), which is made anew for that. */
static bool restore_transcript(struct handshake *hs, const struct cookie13 *cookie,
                               struct reader sealed)
{
    struct buffer retry = { 0 };
    struct writer w = writer_to(&retry);

    write_retry_again(hs, &w, cookie, sealed);
    bool ok = writer_ok(&w) &&
              transcript_restore(&hs->transcript, keys13_hash(hs->conn), cookie->hello_hash.at,
                                 buffer_bytes(&retry), buffer_len(&retry), &hs->before_hello);
    buffer_wipe(&retry);
    return ok;
}

static enum step_result go_on_with(struct handshake *hs, const struct cookie13 *cookie,
                                   struct reader sealed)
{
    struct tls_conn *c = hs->conn;

    if (!restore_transcript(hs, cookie, sealed)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    hs->retry = RETRY_DONE;
    hs->share_group = group_by_id(c->config->lib, cookie->group);
    c->neg.was_retried = true;
    c->cookie_is_good = true;
    return STEP_OK;
}

/* A cookie with a good MAC. What it says is still judged by what this server would say. */
static enum step_result judge(struct handshake *hs, const struct cookie13 *cookie,
                              struct reader sealed)
{
    struct tls_conn *c = hs->conn;
    const struct group *group = first_shared_group(hs);

    if (cookie->version != VERSION_TLS13) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_PROTOCOL_VERSION_NUMBER);
    }
    /* Other settings by now, or another server under the same key. */
    if (cookie->group != (group != NULL ? group->id : 0) ||
        cookie->suite != suite_id(c->neg.suite) ||
        reader_left(&cookie->hello_hash) != hash_len(keys13_hash(c))) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_CIPHER);
    }
    if (!is_fresh(c, cookie)) {
        return STEP_OK; /* one more will be sent */
    }
    return c->hooks->verify_cookie(c->owner, cookie->application.at, cookie->application.left)
               ? go_on_with(hs, cookie, sealed)
               : mismatch(hs);
}

enum step_result check_cookie(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct hash *sha256 = hash_get(c->config->lib, HASH_SHA256);
    struct reader body;
    struct reader sealed;
    struct cookie13 cookie;

    if (!c->stateless || !c->hooks->takes_cookies(c->owner) ||
        !client_hello_extension(hs->hello, EXT_COOKIE, &body)) {
        return STEP_OK;
    }
    if (sha256 == NULL) {
        return step_internal(hs);
    }
    if (!reader_vec16(&body, &sealed) || !reader_is_empty(&body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    switch (cookie13_open(sha256, c->hooks->cookie_key(c->owner), sealed, &cookie)) {
    case COOKIE13_GOOD:
        return judge(hs, &cookie, sealed);
    case COOKIE13_FORGED:
        return mismatch(hs);
    case COOKIE13_UNKNOWN:
        return STEP_OK;
    case COOKIE13_MALFORMED:
        break;
    }
    return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
}
