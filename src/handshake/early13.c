/*
 * Early data; see early13.h.
 */
#include "handshake/early13.h"

#include "handshake/ext/extensions.h"
#include "handshake/keys13.h"
#include "handshake/ticket13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* Milliseconds by which a client's idea of its ticket's age may be behind ours: OpenSSL's. */
#define AGE_TOLERANCE 10000
#define ROUNDING      1000

/* What rejected early data may have beyond the plaintext that was allowed: tags and content types
 * of six records, as in OpenSSL. */
#define CIPHERTEXT_OVERHEAD (6 * 17 + 2)

static bool same_bytes(const struct blob *a, const struct blob *b)
{
    return blob_len(a) == blob_len(b) &&
           (a == NULL || b == NULL || a->len == 0 || memcmp(a->bytes, b->bytes, a->len) == 0);
}

/* --- Client --- */

/* Early data is for the name that the session was made for. */
static bool is_for_name(const struct tls_conn *c, const struct ssl_session_st *session)
{
    const struct blob *name = c->neg.server_name;

    return session->hostname == NULL || (name != NULL && strlen(session->hostname) == name->len &&
                                         memcmp(session->hostname, name->bytes, name->len) == 0);
}

/* And for its protocol, which has to be among those that are offered. */
static bool is_for_protocol(const struct tls_conn *c, const struct ssl_session_st *session)
{
    const struct blob *offered = c->config->alpn;
    struct reader list = reader_of(offered != NULL ? offered->bytes : NULL, blob_len(offered));
    struct reader name;

    if (session->alpn == NULL) {
        return true;
    }
    while (reader_vec8(&list, &name)) {
        if (reader_equals(&name, session->alpn->bytes, session->alpn->len)) {
            return true;
        }
    }
    return false;
}

/* The session whose limit holds: the connection's own first, as in OpenSSL. */
static const struct ssl_session_st *early_session(const struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;

    if (c->session->max_early_data > 0) {
        return c->session;
    }
    for (size_t i = 0; i < hs->num_offers; i++) {
        if (hs->offers[i].external && hs->offers[i].session->max_early_data > 0) {
            return hs->offers[i].session;
        }
    }
    return NULL;
}

enum step_result early13_offer(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct ssl_session_st *session = early_session(hs);

    hs->early_offered = false;
    if (!c->wants_early_data || hs->retry != RETRY_NONE || session == NULL) {
        return STEP_OK;
    }
    if (!is_for_name(c, session)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_INCONSISTENT_EARLY_DATA_SNI);
    }
    if (!is_for_protocol(c, session)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_INCONSISTENT_EARLY_DATA_ALPN);
    }
    c->early_data_left = session->max_early_data;
    c->neg.early_data = EARLY_DATA_REJECTED; /* until the server says otherwise */
    /* Its key has to be the first that is offered. */
    hs->early_offered = hs->num_offers > 0 && hs->offers[0].session == session;
    return STEP_OK;
}

enum step_result begin_early_data(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    uint8_t hash[HASH_MAX_LEN];
    struct secret early = { 0 };

    hs->began_early = true;
    c->out.version = VERSION_TLS12;
    if (!hs->early_offered) {
        return STEP_OK;
    }
    const struct ssl_session_st *session = hs->offers[0].session;
    const struct hash *h = hash_get(c->config->lib, session->suite->hash);
    const struct buffer *hello = &hs->transcript.early;
    bool ok = hash_once(h, buffer_bytes(hello), buffer_len(hello), hash) &&
              keys13_early_secret(h, &session->master, &early) &&
              keys13_derive_early(c, h, &early, hash);

    secret_wipe(&early);
    c->early_suite = session->suite;
    return ok ? STEP_OK : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

enum step_result early13_check_answer(struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;

    if (c->neg.early_data != EARLY_DATA_ACCEPTED) {
        return STEP_OK;
    }
    return same_bytes(c->neg.alpn, c->session->alpn)
               ? STEP_OK
               : step_fail(hs, ALERT_ILLEGAL_PARAMETER,
                           c->neg.alpn != NULL ? SSL_R_BAD_EXTENSION : SSL_R_BAD_EARLY_DATA);
}

/* --- Server --- */

bool early13_is_fresh(struct handshake *hs, const struct ssl_session_st *session,
                      uint32_t obfuscated_age)
{
    const struct tls_conn *c = hs->conn;
    uint32_t theirs = obfuscated_age - session->ticket_age_add;
    int64_t seconds = c->hooks->now(c->owner) / 1000 - session->time;

    if (seconds < 0 || seconds > session->timeout || seconds > UINT32_MAX / 1000) {
        return false;
    }
    hs->early_sent = session->time * 1000 + theirs;
    /* Seconds are compared, a client may count milliseconds. What is fresh now stays so for less
     * than AGE_TOLERANCE + ROUNDING, which the strike register remembers (STRIKE_WINDOW). */
    int64_t ours = seconds * 1000 + ROUNDING;
    return theirs <= ours && (int64_t)theirs + AGE_TOLERANCE >= ours;
}

/* RFC 8446, 8: nobody has sent this flight before, or nobody is to care. */
static bool is_first(const struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;

    return hs->early_is_first || !ticket13_is_protected(c) ||
           c->hooks->claims_early_data(c->owner, c->session, hs->early_sent);
}

/* RFC 8446, 4.2.10: the key is the first, its suite and protocol are those of this connection, and
 * everybody agrees. */
static bool can_accept(const struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;

    return c->wants_early_data && c->config->max_early_data > 0 && c->neg.resumed &&
           hs->early_is_fit && hs->retry == RETRY_NONE && c->session->suite == c->neg.suite &&
           same_bytes(c->neg.alpn, c->session->alpn) && is_first(hs) &&
           c->hooks->allows_early_data(c->owner);
}

static enum step_result accept_early_data(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    uint32_t most = c->config->recv_max_early_data;
    uint8_t hash[HASH_MAX_LEN];

    c->in.early_left = most < c->session->max_early_data ? most : c->session->max_early_data;
    c->early_suite = c->neg.suite;
    c->neg.early_data = EARLY_DATA_ACCEPTED;
    return transcript_start(&hs->transcript, keys13_hash(c)) &&
                   transcript_peek(&hs->transcript, hash) &&
                   keys13_derive_early(c, keys13_hash(c), &hs->early_secret, hash)
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

enum step_result choose_early_data(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (!extension_was_seen(hs, EXT_EARLY_DATA)) {
        return STEP_OK;
    }
    if (can_accept(hs)) {
        return accept_early_data(hs);
    }
    c->neg.early_data = EARLY_DATA_REJECTED;
    /* A limit of 0 leaves room for no record at all: it has to be looked at to be refused. */
    c->in.skip_left = c->config->recv_max_early_data > 0
                          ? (size_t)c->config->recv_max_early_data + CIPHERTEXT_OVERHEAD
                          : 1;
    return STEP_OK;
}

enum step_result read_end_of_early_data(struct handshake *hs, struct reader *body)
{
    (void)hs;
    (void)body; /* must be empty: the runner sees to it */
    return STEP_OK;
}
