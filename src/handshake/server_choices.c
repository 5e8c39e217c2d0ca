/*
 * What a server makes of a ClientHello: which version, suite, group, protocol and certificate,
 * asking the application on the way in the order in which OpenSSL asks. RFC 8446, 4.1.1
 * to 4.1.4, 4.2.
 */
#include "handshake/ext/extensions.h"
#include "handshake/keys13.h"
#include "handshake/negotiate.h"
#include "handshake/resume12.h"
#include "handshake/versions.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* Signalling suites: RFC 5746, 3.3; RFC 7507, 2. */
#define SUITE_RENEGOTIATION_SCSV 0x00ff
#define SUITE_FALLBACK_SCSV      0x5600

enum step_result ask_client_hello_hook(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CALLBACK_FAILED };

    return step_of_answer(hs, c->hooks->client_hello(c->owner, &failure), &failure,
                          PAUSE_CLIENT_HELLO);
}

/* Remembers what every ServerHello has to repeat, and that ChangeCipherSpec may come from now on.
 */
static enum step_result accept_tls13(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct client_hello *hello = hs->hello;

    /* RFC 8446, 4.1.2: exactly the null method. */
    if (memchr(hello->compressions.at, 0, reader_left(&hello->compressions)) == NULL) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_NO_COMPRESSION_SPECIFIED);
    }
    if (reader_left(&hello->compressions) != 1 || hello->compressions.at[0] != 0) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_COMPRESSION_ALGORITHM);
    }
    hs->session_id_len = reader_left(&hello->session_id);
    memcpy(hs->session_id, hello->session_id.at, hs->session_id_len);
    if (!hs->ends_record) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_NOT_ON_RECORD_BOUNDARY);
    }
    c->in.plain_ccs = true;
    return STEP_OK;
}

/* RFC 7507: a client that came down from a higher version, which we would have spoken. */
static bool is_needless_fallback(const struct handshake *hs, uint16_t version)
{
    struct reader suites = hs->hello->suites;
    uint16_t id;

    while (reader_u16(&suites, &id)) {
        if (id == SUITE_FALLBACK_SCSV) {
            return version < negotiate_highest_version(hs->conn);
        }
    }
    return false;
}

/* RFC 8446, 4.2.1. */
static int pick_from_list(const struct handshake *hs, struct reader body, uint16_t *picked)
{
    struct reader list;
    uint16_t version;

    if (!reader_vec8(&body, &list) || !reader_is_empty(&body)) {
        return SSL_R_LENGTH_MISMATCH;
    }
    if (hs->hello->legacy_version <= VERSION_SSL3) {
        return SSL_R_BAD_LEGACY_VERSION;
    }
    *picked = 0;
    while (reader_u16(&list, &version)) {
        if (version > *picked && negotiate_serves_version(hs->conn, version)) {
            *picked = version;
        }
    }
    if (!reader_is_empty(&list)) {
        return SSL_R_LENGTH_MISMATCH;
    }
    bool after_retry = hs->retry == RETRY_DONE;
    return *picked == 0 || (after_retry && *picked != VERSION_TLS13) ? SSL_R_UNSUPPORTED_PROTOCOL
                                                                     : 0;
}

/* The version that the hello and we leave: 0 and *picked, or why there is none. */
static int pick_version(const struct handshake *hs, uint16_t *picked)
{
    const struct tls_conn *c = hs->conn;
    const struct client_hello *hello = hs->hello;
    uint16_t only = c->config->only_version;
    struct reader list;

    if (only != 0) {
        *picked = only;
        return hello->legacy_version < only ? SSL_R_WRONG_SSL_VERSION : 0;
    }
    if (client_hello_extension(hello, EXT_SUPPORTED_VERSIONS, &list)) {
        return pick_from_list(hs, list, picked);
    }
    if (hs->retry == RETRY_DONE) {
        return SSL_R_UNSUPPORTED_PROTOCOL;
    }
    for (*picked = VERSION_TLS12; *picked >= VERSION_LOWEST; (*picked)--) {
        if (hello->legacy_version >= *picked && negotiate_serves_version(c, *picked)) {
            return 0;
        }
    }
    return hello->legacy_version < VERSION_LOWEST ? SSL_R_VERSION_TOO_LOW
                                                  : SSL_R_UNSUPPORTED_PROTOCOL;
}

static enum step_result accept_tls12(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct client_hello *hello = hs->hello;

    if (memchr(hello->compressions.at, 0, reader_left(&hello->compressions)) == NULL) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_NO_COMPRESSION_SPECIFIED);
    }
    c->in.version = c->neg.version;
    blob_set(&c->neg.alpn, NULL); /* a renegotiation begins without */
    c->neg.resumed = false;
    if (!hs->initial) {
        c->hooks->renegotiates(c->owner);
    }
    /* One that the client has begun is meant to be a full one. */
    c->full_renegotiation =
        !hs->initial && (c->full_renegotiation || c->renegotiation == RENEGOTIATION_NONE);
    c->renegotiation = hs->initial ? RENEGOTIATION_NONE : RENEGOTIATION_UNDERWAY;
    return STEP_OK;
}

/* RFC 5746, 3.6: the signalling suite stands for an empty extension. It is taken note of under
 * every version, as OpenSSL's applications see it, and means nothing in TLS 1.3. */
static enum step_result read_renegotiation_signal(struct handshake *hs)
{
    if (negotiate_offers(hs->hello->suites, SUITE_RENEGOTIATION_SCSV)) {
        if (!hs->initial) {
            return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_SCSV_RECEIVED_WHEN_RENEGOTIATING);
        }
        hs->client_is_secure = true;
        hs->conn->neg.secure_renegotiation = true;
    }
    return STEP_OK;
}

/* No version to go on with. The alert is one that such a client can read, and callbacks and
 * SSL_version() see the client's version. */
static enum step_result refuse_version(struct handshake *hs, int reason)
{
    struct tls_conn *c = hs->conn;
    uint16_t version = hs->hello->legacy_version;

    if (hs->initial) {
        c->neg.version = version;
        c->neg.client_version = version;
        c->out.version = version == VERSION_TLS13 ? VERSION_TLS12 : version;
    }
    /* SSL 3.0 has no protocol_version alert. */
    return step_fail(hs, version == VERSION_SSL3 ? ALERT_HANDSHAKE_FAILURE : ALERT_PROTOCOL_VERSION,
                     reason);
}

static enum step_result check_suites(struct handshake *hs)
{
    const struct client_hello *hello = hs->hello;
    size_t len = hello->is_v2 ? reader_left(&hello->v2_suites) : reader_left(&hello->suites);

    if (len == 0) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_NO_CIPHERS_SPECIFIED);
    }
    if (len % (hello->is_v2 ? 3 : 2) != 0) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_ERROR_IN_RECEIVED_CIPHER_LIST);
    }
    return STEP_OK;
}

enum step_result choose_version(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    uint16_t version;

    if (hs->hello->is_v2 && hs->hello->legacy_version >> 8 != VERSION_SSL3 >> 8) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_UNKNOWN_PROTOCOL);
    }
    int reason = pick_version(hs, &version);
    if (reason != 0) {
        return refuse_version(hs, reason);
    }
    /* The version of a connection stays: RFC 5246, 7.4.1.3. */
    if (!hs->initial && version != c->neg.version) {
        return refuse_version(hs, SSL_R_UNSUPPORTED_PROTOCOL);
    }
    c->neg.version = version;
    c->neg.client_version = hs->hello->legacy_version;
    c->out.version = record_version(version);
    enum step_result result = check_suites(hs);
    if (result == STEP_OK && is_needless_fallback(hs, version)) {
        return step_fail(hs, ALERT_INAPPROPRIATE_FALLBACK, SSL_R_INAPPROPRIATE_FALLBACK);
    }
    if (result == STEP_OK) {
        result = read_renegotiation_signal(hs);
    }
    if (result != STEP_OK) {
        return result;
    }
    return version == VERSION_TLS13 ? accept_tls13(hs) : accept_tls12(hs);
}

enum step_result choose_suite(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct ssl_cipher_st *suite = negotiate_suite13(c, hs->hello->suites);

    if (suite == NULL) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_CIPHER);
    }
    /* RFC 8446, 4.1.4: the suite of the HelloRetryRequest stays. */
    if (hs->retry == RETRY_DONE && suite != c->neg.suite) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_CIPHER);
    }
    c->neg.suite = suite;
    return keys13_hash(c) != NULL ? STEP_OK
                                  : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

/* A HelloRetryRequest was sent by this connection, not by one that a cookie tells of. */
static bool asked_here(const struct handshake *hs)
{
    return hs->retry == RETRY_DONE && !hs->conn->cookie_is_good;
}

/* RFC 8446, 4.2.8: after a HelloRetryRequest there is one share, for the group it named. */
static bool is_wanted_share(const struct handshake *hs, uint16_t id)
{
    return !asked_here(hs) || id == hs->share_group->id;
}

/* What applications may ask for from the servername callback on. */
static enum step_result remember_share(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct ssl_session_st *session = conn_own_session(c);

    if (session == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    blob_set(&c->neg.peer_share, blob_new(hs->picked_share.at, hs->picked_share.left));
    c->neg.group = hs->picked_group;
    session->group = hs->picked_group->id;
    return c->neg.peer_share != NULL ? STEP_OK
                                     : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

static bool is_usable_group(const struct tls_conn *c, const struct group *group)
{
    return negotiate_supports_group(c, group, SECURITY_SUPPORTED) &&
           c->hooks->allows_group(c->owner, SECURITY_CHECK, group);
}

const struct group *first_shared_group(const struct handshake *hs)
{
    struct reader body;
    struct reader shares;
    struct reader ignored;
    uint16_t id;

    if (!client_hello_extension(hs->hello, EXT_KEY_SHARE, &body) || !reader_vec16(&body, &shares)) {
        return NULL;
    }
    while (reader_u16(&shares, &id) && reader_vec16(&shares, &ignored)) {
        const struct group *group = group_by_id(hs->conn->config->lib, id);
        if (is_usable_group(hs->conn, group)) {
            return group;
        }
    }
    return NULL;
}

/* Looks through the client's key shares and picks the first whose group we have. */
static enum step_result pick_share(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct reader shares = hs->offered_shares;
    size_t num = 0;

    hs->picked_group = NULL;
    if (c->neg.resumed && (hs->psk_modes & PSK_DHE_KE) == 0) {
        return STEP_OK;
    }
    while (!reader_is_empty(&shares)) {
        uint16_t id;
        struct reader key;
        if (!reader_u16(&shares, &id) || !reader_vec16(&shares, &key) || reader_is_empty(&key)) {
            return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
        }
        num++;
        if (hs->picked_group != NULL) {
            continue;
        }
        /* Shares are for groups of supported_groups. */
        if (!u16_list_has(c->neg.peer_groups, id) || !is_wanted_share(hs, id)) {
            return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
        }
        const struct group *group = group_by_id(c->config->lib, id);
        if (is_usable_group(c, group)) {
            hs->picked_group = group;
            hs->picked_share = key;
        }
    }
    if (asked_here(hs) && extension_was_seen(hs, EXT_KEY_SHARE) && num != 1) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    }
    return hs->picked_group != NULL ? remember_share(hs) : STEP_OK;
}

/* What the last ClientHello said is forgotten; this one is read. */
static enum step_result read_all_extensions(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    hs->offered_alpn = hs->offered_shares = hs->offered_cookie = (struct reader){ 0 };
    c->neg.max_fragment_code = 0;
    c->neg.peer_wants_ocsp = false;
    blob_set(&c->neg.peer_sigalgs, NULL); /* also where a renegotiation leaves them out */
    blob_set(&c->neg.peer_cert_sigalgs, NULL);
    blob_set(&c->neg.peer_point_formats, NULL);
    return extensions_read_hello(hs);
}

/* RFC 5746, 3.7: a renegotiation has to be as secure as the handshake before it. */
enum step_result read_hello_extensions12(struct handshake *hs)
{
    enum step_result result = read_all_extensions(hs);

    if (result == STEP_OK && !hs->initial && !hs->client_is_secure &&
        (hs->conn->config->options & OPTION_ALLOW_UNSAFE_RENEGOTIATION) == 0) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED);
    }
    return result == STEP_OK ? resume12_check_answers(hs) : result;
}

enum step_result check_hello_extensions(struct handshake *hs)
{
    /* RFC 8446, 4.2.9 and 9.2: what has to come together. */
    if (extension_was_seen(hs, EXT_PRE_SHARED_KEY) &&
        !extension_was_seen(hs, EXT_PSK_KEY_EXCHANGE_MODES)) {
        return step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_MISSING_PSK_KEX_MODES_EXTENSION);
    }
    if (!hs->conn->neg.resumed && !extension_was_seen(hs, EXT_SIGNATURE_ALGORITHMS)) {
        return step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_MISSING_SIGALGS_EXTENSION);
    }
    if (hs->retry == RETRY_DONE && extension_was_seen(hs, EXT_EARLY_DATA)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_EXTENSION);
    }
    if (extension_was_seen(hs, EXT_KEY_SHARE) && !extension_was_seen(hs, EXT_SUPPORTED_GROUPS)) {
        return step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_MISSING_SUPPORTED_GROUPS_EXTENSION);
    }
    return pick_share(hs);
}

enum step_result read_hello_extensions(struct handshake *hs)
{
    enum step_result result = read_all_extensions(hs);

    return result == STEP_OK ? check_hello_extensions(hs) : result;
}

enum step_result ask_server_name(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_UNRECOGNIZED_NAME, SSL_R_CALLBACK_FAILED };
    bool had_tickets = (c->config->options & OPTION_NO_TICKET) == 0;
    enum hook_answer answer = c->hooks->server_name(c->owner, c->neg.server_name, &failure);

    /* The context that it has changed to may want none. */
    if (answer == HOOK_OK && had_tickets && (c->config->options & OPTION_NO_TICKET) != 0) {
        hs->ticket_due = false;
    }
    c->neg.server_name_acknowledged = answer == HOOK_OK && c->neg.server_name != NULL;
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

/* The group that a HelloRetryRequest asks for: our first that the client also has. */
static const struct group *group_to_retry(const struct tls_conn *c)
{
    const struct group *group;
    size_t position = 0;

    while ((group = negotiate_next_group(c, &position)) != NULL) {
        if (u16_list_has(c->neg.peer_groups, group->id)) {
            return group;
        }
    }
    return NULL;
}

static enum step_result encapsulate(struct handshake *hs)
{
    const struct crypto_lib *lib = hs->conn->config->lib;
    struct reader share = hs->picked_share;
    struct writer own = writer_to(&hs->own_share);

    if (hs->shared == NULL) {
        hs->shared = OPENSSL_zalloc(sizeof *hs->shared);
    }
    if (hs->shared == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    enum step_result result = step_of_group(
        hs, group_encapsulate(lib, hs->picked_group, share.at, share.left, &own, hs->shared));
    if (result != STEP_OK) {
        return result;
    }
    hs->share_group = hs->picked_group;
    return STEP_OK;
}

static enum step_result ask_again(struct handshake *hs)
{
    hs->retry = RETRY_DUE;
    hs->conn->neg.was_retried = true;
    return STEP_OK;
}

enum step_result choose_group(struct handshake *hs)
{
    const struct tls_conn *c = hs->conn;
    bool resumed = c->neg.resumed;
    bool wants_cookie = c->stateless && !c->cookie_is_good;

    if (!resumed && !negotiate_has_shared_sigalgs(hs->conn)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS);
    }
    if (hs->picked_group != NULL && wants_cookie) {
        hs->share_group = hs->picked_group;
        return ask_again(hs);
    }
    if (hs->picked_group != NULL) {
        return encapsulate(hs);
    }
    bool has_shares = extension_was_seen(hs, EXT_KEY_SHARE);
    bool may_retry =
        has_shares && hs->retry == RETRY_NONE && (!resumed || (hs->psk_modes & PSK_DHE_KE) != 0);
    hs->share_group = may_retry ? group_to_retry(hs->conn) : NULL;
    if (hs->share_group == NULL && resumed && (hs->psk_modes & PSK_KE) != 0) {
        return wants_cookie ? ask_again(hs) : STEP_OK;
    }
    if (hs->share_group == NULL) {
        return step_fail(hs, has_shares ? ALERT_HANDSHAKE_FAILURE : ALERT_MISSING_EXTENSION,
                         SSL_R_NO_SUITABLE_KEY_SHARE);
    }
    return ask_again(hs);
}

enum step_result ask_alpn(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_NO_APPLICATION_PROTOCOL, SSL_R_NO_APPLICATION_PROTOCOL };
    struct blob *chosen = NULL;

    if (reader_is_empty(&hs->offered_alpn)) {
        return STEP_OK;
    }
    enum hook_answer answer = c->hooks->choose_alpn(c->owner, hs->offered_alpn.at,
                                                    hs->offered_alpn.left, &chosen, &failure);
    blob_set(&c->neg.alpn, chosen);
    if (!c->neg.resumed) {
        blob_set(&c->session->alpn, blob_ref(chosen));
    }
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

enum step_result choose_credential_server(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    const struct reader *suites = &hs->hello->suites;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CERT_CB_ERROR };

    /* Callbacks see the client's suites from here on. */
    blob_set(&c->neg.peer_suites, blob_new(suites->at, suites->left));
    if (c->neg.peer_suites == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (c->neg.resumed) {
        return STEP_OK; /* the key stands for the certificates */
    }
    enum step_result result = step_of_answer(hs, c->hooks->choose_credential(c->owner, &failure),
                                             &failure, PAUSE_X509_LOOKUP);

    if (result != STEP_OK) {
        return result;
    }
    handshake_choose_scheme(hs, negotiate_scheme(c));
    if (hs->scheme == NULL) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM);
    }
    hs->have_cert = true;
    if (c->hooks->denies_resumption(c->owner, false)) {
        c->session->not_resumable = true;
        hs->ticket_due = false;
    }
    hs->asked_cert = c->config->ask_client_cert && !c->config->ask_client_cert_later;
    return STEP_OK;
}

enum step_result ask_ocsp(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CLIENTHELLO_TLSEXT };
    struct blob *response = NULL;

    if (!c->neg.peer_wants_ocsp || c->neg.resumed) {
        return STEP_OK;
    }
    enum hook_answer answer = c->hooks->ocsp_response(c->owner, &response, &failure);
    blob_set(&hs->ocsp_response, response);
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}
