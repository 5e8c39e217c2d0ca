/*
 * Pre-shared keys of TLS 1.3; see psk13.h.
 */
#include "handshake/psk13.h"

#include "handshake/early13.h"
#include "handshake/ext/extensions.h"
#include "handshake/keys13.h"
#include "handshake/negotiate.h"
#include "handshake/resume12.h"
#include "handshake/ticket13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

enum step_result handshake_new_session(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    session_free(c->session);
    c->session = c->hooks->make_session(c->owner);
    if (c->session == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    c->session->version = c->neg.version;
    hs->fresh_session = true;
    return STEP_OK;
}

/* The hash that a session's key belongs to; NULL: its suite is not known here. */
static const struct hash *hash_of(const struct tls_conn *c, const struct ssl_session_st *session)
{
    return session->suite != NULL ? hash_get(c->config->lib, session->suite->hash) : NULL;
}

enum step_result psk13_note_facts(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct ssl_session_st *session = c->session;
    uint16_t group = hs->shared != NULL ? hs->share_group->id : session->group;

    if (session->suite == c->neg.suite && session->group == group &&
        session->version == c->neg.version) {
        return STEP_OK;
    }
    /* The session that goes on with another group is not the one that the ticket stands for. */
    if (c->role == ROLE_CLIENT && c->neg.resumed && session->group != group) {
        session = session_copy(session, false);
        if (session != NULL) {
            session_free(c->session);
            c->session = session;
        }
    } else {
        session = conn_own_session(c);
    }
    if (session == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    session->suite = c->neg.suite;
    session->suite_id = c->neg.suite->id;
    session->group = group;
    session->version = c->neg.version;
    return STEP_OK;
}

/* --- Client: offers --- */

void psk13_drop_offers(struct handshake *hs)
{
    for (size_t i = 0; i < hs->num_offers; i++) {
        session_free(hs->offers[i].session);
        blob_free(hs->offers[i].identity);
    }
    hs->num_offers = 0;
}

/* RFC 8446, 4.2.11.1: milliseconds since the ticket came, in steps of a second. A second less than
 * it may be, so that a server which counts finer never finds it too old. False: the ticket has
 * expired. */
static bool ticket_age(const struct tls_conn *c, uint32_t *milliseconds)
{
    const struct ssl_session_st *session = c->session;
    uint32_t seconds = (uint32_t)(c->hooks->now(c->owner) / 1000 - session->time);

    if (seconds > 0) {
        seconds--;
    }
    if (session->ticket_lifetime_hint < seconds || seconds > UINT32_MAX / 1000) {
        return false;
    }
    *milliseconds = seconds * 1000;
    return true;
}

/* The session's ticket, unless it is too old or its hash is not the one to be used. */
static enum step_result offer_session(struct handshake *hs, const struct hash *fixed)
{
    struct tls_conn *c = hs->conn;
    struct ssl_session_st *session = c->session;
    struct psk_offer *offer = &hs->offers[hs->num_offers];
    uint32_t age;

    if (hs->fresh_session || session->version != VERSION_TLS13 || blob_len(session->ticket) == 0) {
        return STEP_OK;
    }
    if (session->suite == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    const struct hash *h = hash_of(c, session);
    if (h == NULL || (fixed != NULL && h != fixed) || !ticket_age(c, &age)) {
        return STEP_OK;
    }
    *offer = (struct psk_offer){ .session = session_ref(session),
                                 .identity = blob_ref(session->ticket),
                                 .obfuscated_age = age + session->ticket_age_add };
    hs->num_offers++;
    return STEP_OK;
}

/* What the application brings along. */
static enum step_result offer_external(struct handshake *hs, const struct hash *fixed)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_BAD_PSK };
    struct psk_offer offer = { .external = true };
    enum hook_answer answer =
        c->hooks->use_psk(c->owner, fixed, &offer.session, &offer.identity, &failure);

    if (answer != HOOK_OK) {
        return step_of_answer(hs, answer, &failure, PAUSE_NONE);
    }
    hs->offers[hs->num_offers++] = offer;
    const struct hash *h = hash_of(c, offer.session);
    if (h == NULL || (fixed != NULL && h != fixed)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_BAD_PSK);
    }
    return STEP_OK;
}

enum step_result psk13_collect(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct hash *fixed = hs->retry == RETRY_DONE ? keys13_hash(c) : NULL;

    psk13_drop_offers(hs);
    if (!negotiate_allows_version(c, VERSION_TLS13)) {
        return STEP_OK;
    }
    enum step_result result = offer_session(hs, fixed);
    if (result == STEP_OK) {
        result = offer_external(hs, fixed);
    }
    return result == STEP_OK ? early13_offer(hs) : result;
}

/* --- Client: binders --- */

size_t psk13_binder_len(const struct handshake *hs, size_t i)
{
    return hash_len(hash_of(hs->conn, hs->offers[i].session));
}

/* The list of all binders, its length included. */
static size_t binders_len(const struct handshake *hs)
{
    size_t len = 2;

    for (size_t i = 0; i < hs->num_offers; i++) {
        len += 1 + psk13_binder_len(hs, i);
    }
    return len;
}

/* The hash of the transcript so far and of what is behind it: the truncated ClientHello, in two
 * parts (RFC 8446, 4.2.11.2). before: not started when there was nothing. */
static bool hash_truncated(const struct running_hash *before, const struct hash *h,
                           struct reader header, struct reader rest, uint8_t *out)
{
    struct running_hash running = { 0 };
    bool started = before->hash != NULL ? before->hash == h && running_hash_copy(&running, before)
                                        : running_hash_start(&running, h);
    bool ok = started && running_hash_update(&running, header.at, header.left) &&
              running_hash_update(&running, rest.at, rest.left) && running_hash_peek(&running, out);

    running_hash_wipe(&running);
    return ok;
}

static bool compute_binder(const struct running_hash *before, const struct hash *h,
                           const struct secret *early, bool external, struct reader header,
                           struct reader rest, uint8_t *binder)
{
    uint8_t hash[HASH_MAX_LEN];

    return hash_truncated(before, h, header, rest, hash) &&
           keys13_binder(h, early, external, hash, binder);
}

enum step_result psk13_bind(struct handshake *hs, uint8_t *message, size_t len)
{
    size_t truncated = len - binders_len(hs);
    uint8_t *binder = message + truncated + 2;

    for (size_t i = 0; i < hs->num_offers; i++) {
        const struct psk_offer *offer = &hs->offers[i];
        const struct hash *h = hash_of(hs->conn, offer->session);
        struct secret early = { 0 };
        bool ok = keys13_early_secret(h, &offer->session->master, &early) &&
                  compute_binder(&hs->transcript.running, h, &early, offer->external,
                                 reader_of(message, truncated), reader_of(NULL, 0), binder + 1);
        secret_wipe(&early);
        if (!ok) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
        }
        binder += 1 + hash_len(h);
    }
    return STEP_OK;
}

/* --- Client: the answer --- */

/* The server has chosen a key of ours. */
static enum step_result take_offer(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct psk_offer *offer = &hs->offers[hs->psk_identity];
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    if (offer->external) {
        session_free(c->session);
        c->session = session_ref(offer->session);
    }
    c->neg.resumed = true;
    if (c->hooks->may_resume(c->owner, c->session, false, &failure) != HOOK_OK) {
        return step_fail(hs, failure.alert, failure.reason);
    }
    if (c->session->version != c->neg.version) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_SSL_SESSION_VERSION_MISMATCH);
    }
    /* RFC 8446, 4.2.11: another suite is allowed, another hash is not. */
    const struct hash *h = hash_of(c, offer->session);
    if (h != keys13_hash(c)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_CIPHERSUITE_DIGEST_HAS_CHANGED);
    }
    return keys13_early_secret(h, &offer->session->master, &hs->early_secret)
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

enum step_result psk13_settle_session(struct handshake *hs)
{
    enum step_result result =
        extension_was_seen(hs, EXT_PRE_SHARED_KEY) ? take_offer(hs) : leave_session(hs);

    psk13_drop_offers(hs);
    return result;
}

/* --- Server --- */

static enum step_result open_ticket(struct handshake *hs, struct reader identity,
                                    struct ssl_session_st **session)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    bool renew = true;
    enum hook_answer answer = c->hooks->open_ticket(c->owner, identity.at, identity.left,
                                                    reader_of(NULL, 0), session, &renew, &failure);

    hs->ticket_due = hs->ticket_due || renew;
    hs->early_is_first = false;
    /* Where early data may come with it a ticket may have to be good for once (RFC 8446, 8.1). */
    if (answer == HOOK_OK && ticket13_is_single_use(c)) {
        hs->early_is_first = c->hooks->drop_session(c->owner, *session);
        if (!hs->early_is_first) {
            session_free(*session);
            *session = NULL;
        }
    }
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

/* What an identity stands for; *session NULL: nothing that is known here. */
static enum step_result look_up(struct handshake *hs, struct reader identity,
                                struct ssl_session_st **session, bool *external)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_BAD_EXTENSION };
    enum hook_answer answer =
        c->hooks->find_psk(c->owner, identity.at, identity.left, session, &failure);

    *external = answer == HOOK_OK;
    hs->early_is_first = *external;
    if (answer != HOOK_NONE) {
        hs->ticket_due = true;
        return step_of_answer(hs, answer, &failure, PAUSE_NONE);
    }
    if (reader_is_empty(&identity)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    return open_ticket(hs, identity, session);
}

struct psk_choice {
    struct ssl_session_st *session; /* owns; NULL: none of the identities is of use */
    bool external;
    uint16_t index;
};

/* The first identity that stands for a key of the suite's hash. */
static enum step_result choose_identity(struct handshake *hs, struct reader identities,
                                        struct psk_choice *choice)
{
    const struct tls_conn *c = hs->conn;
    struct reader identity;
    uint32_t age;

    hs->ticket_due = false;
    hs->early_is_fit = false;
    for (uint16_t i = 0; !reader_is_empty(&identities); i++) {
        if (!reader_vec16(&identities, &identity) || !reader_u32(&identities, &age)) {
            return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
        }
        enum step_result result = look_up(hs, identity, &choice->session, &choice->external);
        if (result != STEP_OK) {
            return result;
        }
        if (choice->session != NULL && hash_of(c, choice->session) == keys13_hash(c)) {
            choice->index = i;
            hs->early_is_fit =
                i == 0 && (choice->external || early13_is_fresh(hs, choice->session, age));
            return STEP_OK;
        }
        if (choice->session != NULL) {
            session_free(choice->session);
            choice->session = NULL;
            hs->ticket_due = true;
        }
    }
    return STEP_OK;
}

/* RFC 8446, 4.2.11.2. binders: where the list of the chosen identity's binder begins. */
static enum step_result check_binder(struct handshake *hs, struct reader binders,
                                     const struct psk_choice *choice)
{
    const struct hash *h = keys13_hash(hs->conn);
    const struct blob *hello = hs->hello_bytes;
    const uint8_t header[4] = { MSG_CLIENT_HELLO, (uint8_t)(hello->len >> 16),
                                (uint8_t)(hello->len >> 8), (uint8_t)hello->len };
    struct reader truncated = reader_of(hello->bytes, (size_t)(binders.at - hello->bytes));
    struct reader list;
    struct reader binder;
    uint8_t expected[HASH_MAX_LEN];
    bool found = reader_vec16(&binders, &list);

    for (size_t i = 0; found && i <= choice->index; i++) {
        found = reader_vec8(&list, &binder);
    }
    if (!found || binder.left != hash_len(h)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    if (!keys13_early_secret(h, &choice->session->master, &hs->early_secret) ||
        !compute_binder(&hs->before_hello, h, &hs->early_secret, choice->external,
                        reader_of(header, sizeof header), truncated, expected)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    return constant_time_equals(binder.at, expected, hash_len(h))
               ? STEP_OK
               : step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BINDER_DOES_NOT_VERIFY);
}

/* The application's and the context's word on a session whose key the client has proved to know. */
static enum step_result resume(struct handshake *hs, const struct psk_choice *choice)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    enum hook_answer answer = HOOK_NONE;

    if (choice->session->version == c->neg.version) {
        answer = c->hooks->may_resume(c->owner, choice->session, false, &failure);
    }
    if (answer == HOOK_OK) {
        session_free(c->session);
        c->session = session_ref(choice->session);
        c->neg.resumed = true;
        c->hooks->session_resumed(c->owner);
        hs->psk_identity = choice->index;
        hs->external_psk = choice->external;
    } else {
        secret_wipe(&hs->early_secret);
        hs->ticket_due = true;
    }
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

static enum step_result resume_from(struct handshake *hs, struct reader body)
{
    struct psk_choice choice = { 0 };
    struct reader identities;

    if (!reader_vec16(&body, &identities)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    enum step_result result = choose_identity(hs, identities, &choice);
    if (result == STEP_OK && choice.session != NULL) {
        result = check_binder(hs, body, &choice);
        if (result == STEP_OK) {
            result = resume(hs, &choice);
        }
    }
    session_free(choice.session);
    return result;
}

/* The client's ways of using a key that we know: RFC 8446, 4.2.9. */
static enum step_result read_modes(struct handshake *hs)
{
    struct reader body;
    struct reader modes;
    uint8_t mode;

    hs->psk_modes = 0;
    if (!client_hello_extension(hs->hello, EXT_PSK_KEY_EXCHANGE_MODES, &body)) {
        return STEP_OK;
    }
    if (!reader_vec8(&body, &modes) || reader_is_empty(&modes) || !reader_is_empty(&body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    while (reader_u8(&modes, &mode)) {
        if (mode == PSK_MODE_DHE_KE) {
            hs->psk_modes |= PSK_DHE_KE;
        } else if (mode == PSK_MODE_KE &&
                   (hs->conn->config->options & OPTION_ALLOW_NO_DHE_KEX) != 0) {
            hs->psk_modes |= PSK_KE;
        }
    }
    return STEP_OK;
}

enum step_result choose_session13(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct reader body;

    c->neg.resumed = false;
    secret_wipe(&hs->early_secret); /* a first ClientHello's */
    hs->ticket_due = true;
    enum step_result result = read_modes(hs);
    if (result == STEP_OK && hs->psk_modes != 0 &&
        client_hello_extension(hs->hello, EXT_PRE_SHARED_KEY, &body)) {
        result = resume_from(hs, body);
    }
    if (result == STEP_OK && !c->neg.resumed) {
        result = handshake_new_session(hs);
    }
    return result;
}

/* RFC 8446, 4.6.1, lets a session be resumed under another name; here it is not. A key that the
 * application looked up is nobody else's to judge. */
enum step_result confirm_session13(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (!c->neg.resumed || hs->external_psk || c->hooks->belongs_here(c->owner, c->session)) {
        return STEP_OK;
    }
    c->neg.resumed = false;
    hs->ticket_due = true;
    secret_wipe(&hs->early_secret);
    enum step_result result = handshake_new_session(hs);
    if (result == STEP_OK && c->neg.server_name_acknowledged &&
        !session_set_hostname(c->session, c->neg.server_name)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    /* With the key alone the client's share was of no interest. */
    return result == STEP_OK ? check_hello_extensions(hs) : result;
}
