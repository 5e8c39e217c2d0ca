/*
 * Extensions that a hello is built of: supported_versions (RFC 8446, 4.2.1), cookie (4.2.2),
 * supported_groups (4.2.7) and key_share (4.2.8).
 */
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/versions.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* --- supported_versions --- */

bool versions_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    uint16_t min = 0;
    uint16_t max = 0;

    (void)place;
    writer_open(w, 1);
    if (negotiate_version_range(hs->conn, &min, &max)) {
        for (uint16_t version = max; version >= min; version--) {
            writer_u16(w, version);
        }
    }
    writer_close(w);
    return true;
}

bool versions_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_u16(w, hs->conn->neg.version);
    return true;
}

enum step_result versions_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    uint16_t version;

    (void)place;
    if (!reader_u16(body, &version) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    /* RFC 8446, 4.2.1: an answer below TLS 1.3, or one that was not offered. */
    if (version != VERSION_TLS13) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_PROTOCOL_VERSION_NUMBER);
    }
    return STEP_OK;
}

/* --- cookie --- */

bool cookie_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->cookie != NULL;
}

bool cookie_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_open(w, 2);
    writer_bytes(w, hs->cookie->bytes, hs->cookie->len);
    writer_close(w);
    return true;
}

enum step_result cookie_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    if (!reader_vec16(body, &hs->offered_cookie) || reader_is_empty(&hs->offered_cookie)) {
        return STEP_MALFORMED;
    }
    return STEP_OK;
}

enum step_result cookie_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader cookie;

    (void)place;
    if (!reader_vec16(body, &cookie) || reader_is_empty(&cookie) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    blob_set(&hs->cookie, blob_new(cookie.at, cookie.left));
    return hs->cookie != NULL ? STEP_OK : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

/* --- supported_groups --- */

bool groups_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    struct offered_groups walk = negotiate_offered_groups(hs->conn);
    const struct group *group;

    (void)place;
    writer_open(w, 2);
    while ((group = negotiate_next_offered_group(hs->conn, &walk)) != NULL) {
        writer_u16(w, group->id);
    }
    writer_close(w);
    return true;
}

enum step_result groups_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    return extension_read_u16_list(hs, body, &hs->conn->neg.peer_groups);
}

/* A server tells its list when the group in use is not the one it would rather have had
 * (RFC 8446, 4.2.7). */
bool groups_answer_due(const struct handshake *hs, unsigned place)
{
    size_t position = 0;
    const struct group *best = negotiate_next_group(hs->conn, &position);

    return place == EXT_ENCRYPTED_EXTENSIONS && best != NULL && hs->share_group != NULL &&
           best != hs->share_group;
}

/* Nothing may depend on it before the handshake is over; nothing of ours does afterwards. */
enum step_result groups_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader ids;

    (void)hs;
    if (place == EXT_TLS12_SERVER_HELLO) {
        /* Some servers send it although RFC 8422, 5.1.1, has it in the ClientHello only. */
        return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
    }
    return reader_vec16(body, &ids) && !reader_is_empty(&ids) && reader_left(&ids) % 2 == 0
               ? STEP_OK
               : STEP_MALFORMED;
}

/* --- key_share --- */

void handshake_keep_own_share(struct handshake *hs)
{
    struct negotiated *neg = &hs->conn->neg;

    neg->own_share_group = hs->share_group;
    blob_set(&neg->own_share, blob_new(buffer_bytes(&hs->own_share), buffer_len(&hs->own_share)));
}

bool key_share_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    (void)place;
    writer_open(w, 2);
    writer_u16(w, hs->share_group->id);
    writer_open(w, 2);
    /* A second ClientHello for a cookie alone repeats the share of the first (RFC 8446, 4.1.2). */
    if (hs->key == NULL) {
        struct writer share = writer_to(&hs->own_share);
        hs->key = c->hooks->generate_key(c->owner, hs->share_group, &share);
        handshake_keep_own_share(hs);
    }
    writer_bytes(w, buffer_bytes(&hs->own_share), buffer_len(&hs->own_share));
    writer_close(w);
    writer_close(w);
    return hs->key != NULL;
}

enum step_result key_share_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    if (!reader_vec16(body, &hs->offered_shares) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    return STEP_OK;
}

/* Not with a pre-shared key alone; and a HelloRetryRequest asks for a share that is not there. */
bool key_share_answer_due(const struct handshake *hs, unsigned place)
{
    return place == EXT_SERVER_HELLO ? hs->picked_group != NULL
                                     : hs->picked_group == NULL && hs->share_group != NULL;
}

bool key_share_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    writer_u16(w, hs->share_group->id);
    if (place == EXT_SERVER_HELLO) {
        handshake_keep_own_share(hs);
        writer_open(w, 2);
        writer_bytes(w, buffer_bytes(&hs->own_share), buffer_len(&hs->own_share));
        writer_close(w);
    }
    return true;
}

/* A HelloRetryRequest names the group that the next ClientHello has to bring. */
static enum step_result read_wanted_group(struct handshake *hs, uint16_t id)
{
    const struct group *group = group_by_id(hs->conn->config->lib, id);

    if (group == hs->share_group ||
        !negotiate_supports_group(hs->conn, group, SECURITY_SUPPORTED)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    }
    group_key_free(hs->key);
    hs->key = NULL;
    buffer_wipe(&hs->own_share);
    hs->share_group = group;
    return STEP_OK;
}

enum step_result key_share_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    uint16_t id;

    if (!reader_u16(body, &id)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    if (place == EXT_HELLO_RETRY_REQUEST) {
        return reader_is_empty(body) ? read_wanted_group(hs, id)
                                     : step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    if (id != hs->share_group->id) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    }
    if (!reader_vec16(body, &hs->answered_share) || reader_is_empty(&hs->answered_share) ||
        !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    return STEP_OK;
}

/* The extension is a mark: the walker sees to it that there is nothing in it. */
enum step_result nothing_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)hs;
    (void)place;
    (void)body;
    return STEP_OK;
}

/* --- padding --- */

/* Some servers hang on a ClientHello of 256 to 511 bytes (RFC 7685, 1). */
#define HANGS_FROM  0x100
#define HANGS_BELOW 0x200

/* What comes of pre_shared_key around the ticket and the binder: type, lengths, age. */
#define PSK_OVERHEAD 15

/* How much is missing, with the extension's own header; 0: nothing. */
static size_t missing_len(const struct handshake *hs)
{
    const struct ssl_session_st *session = hs->conn->session;
    size_t len = hs->hello_len;

    if (session != NULL && session->version == VERSION_TLS13 && session->suite != NULL &&
        blob_len(session->ticket) > 0) {
        const struct hash *h = hash_get(hs->conn->config->lib, session->suite->hash);
        len += PSK_OVERHEAD + blob_len(session->ticket) + (h != NULL ? hash_len(h) : 0);
    }
    return len >= HANGS_FROM && len < HANGS_BELOW ? HANGS_BELOW - len : 0;
}

bool padding_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return (hs->conn->config->options & OPTION_TLSEXT_PADDING) != 0 && missing_len(hs) > 0;
}

bool padding_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    size_t missing = missing_len(hs);

    (void)place;
    /* Never empty: an empty extension at the end is another thing that servers hang on. */
    writer_zeros(w, missing > 4 ? missing - 4 : 1);
    return true;
}
