/*
 * ServerHello, HelloRetryRequest and EncryptedExtensions on both sides: RFC 8446, 4.1.3, 4.1.4,
 * 4.3.1. What a server decides before it writes them is in server_choices.c.
 */
#include "handshake/cookie13.h"
#include "handshake/early13.h"
#include "handshake/ext/extensions.h"
#include "handshake/keys12.h"
#include "handshake/keys13.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"
#include "handshake/psk13.h"
#include "handshake/resume12.h"
#include "handshake/secret12.h"
#include "handshake/versions.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* RFC 8446, 4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
static const uint8_t retry_random[RANDOM_LEN] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                                  0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                                  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                                  0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

enum step_result step_of_group(struct handshake *hs, enum group_result result)
{
    switch (result) {
    case GROUP_OK:
        return STEP_OK;
    case GROUP_BAD_SHARE:
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_ECPOINT);
    case GROUP_WEAK_SHARE:
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    case GROUP_FAILED:
        break;
    }
    return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

/* --- Server --- */

static void write_hello_head(struct handshake *hs, struct writer *w, const uint8_t *random)
{
    writer_u16(w, VERSION_TLS12);
    writer_bytes(w, random, RANDOM_LEN);
    writer_open(w, 1);
    writer_bytes(w, hs->session_id, hs->session_id_len);
    writer_close(w);
    writer_u16(w, suite_id(hs->conn->neg.suite));
    writer_u8(w, 0); /* legacy_compression_method */
}

enum step_result write_hello_retry_request(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    if (!transcript_retry(&hs->transcript, keys13_hash(c), hs->first_hello)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    /* The next ClientHello decides anew. */
    session_free(c->session);
    c->session = NULL;
    c->neg.resumed = false;
    write_hello_head(hs, w, retry_random);
    return extensions_write(hs, EXT_HELLO_RETRY_REQUEST, w, NULL, 0);
}

void write_retry_again(struct handshake *hs, struct writer *w, const struct cookie13 *cookie,
                       struct reader sealed)
{
    writer_u8(w, MSG_SERVER_HELLO);
    writer_open(w, 3);
    write_hello_head(hs, w, retry_random);
    writer_open(w, 2);
    writer_u16(w, EXT_SUPPORTED_VERSIONS);
    writer_open(w, 2);
    writer_u16(w, cookie->version);
    writer_close(w);
    if (cookie->asked_share) {
        writer_u16(w, EXT_KEY_SHARE);
        writer_open(w, 2);
        writer_u16(w, cookie->group);
        writer_close(w);
    }
    writer_u16(w, EXT_COOKIE);
    writer_open(w, 2);
    writer_open(w, 2);
    writer_bytes(w, sealed.at, sealed.left);
    writer_close(w);
    writer_close(w);
    writer_close(w);
    writer_close(w);
}

enum step_result write_server_hello(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    if (!transcript_start(&hs->transcript, keys13_hash(c)) ||
        !c->hooks->random(c->owner, c->neg.server_random, RANDOM_LEN)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    write_hello_head(hs, w, c->neg.server_random);
    c->in.plain_alerts = true;
    enum step_result result = psk13_note_facts(hs);
    return result == STEP_OK ? extensions_write(hs, EXT_SERVER_HELLO, w, NULL, 0) : result;
}

/* RFC 6066, 4: the length holds for both directions from the moment it is agreed on. */
void handshake_apply_max_fragment(struct tls_conn *c)
{
    if (c->neg.max_fragment_code != 0) {
        c->in.max_plaintext = (uint16_t)(256 << c->neg.max_fragment_code);
    }
    /* A session that is resumed may be shared. */
    if (c->neg.max_fragment_code != 0 && !c->neg.resumed) {
        c->session->max_fragment_code = c->neg.max_fragment_code;
    }
}

enum step_result write_encrypted_extensions(struct handshake *hs, struct writer *w)
{
    handshake_apply_max_fragment(hs->conn);
    return extensions_write(hs, EXT_ENCRYPTED_EXTENSIONS, w, NULL, 0);
}

/* --- Client --- */

struct server_hello {
    uint16_t legacy_version;
    const uint8_t *random;
    struct reader session_id;
    uint16_t suite;
    uint8_t compression;
    struct reader extensions;
};

static enum step_result parse(struct handshake *hs, struct server_hello *hello, struct reader *body)
{
    if (!reader_u16(body, &hello->legacy_version) ||
        !reader_bytes(body, &hello->random, RANDOM_LEN) || !reader_vec8(body, &hello->session_id)) {
        return STEP_MALFORMED;
    }
    if (reader_left(&hello->session_id) > SESSION_ID_MAX) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_SSL3_SESSION_ID_TOO_LONG);
    }
    if (!reader_u16(body, &hello->suite) || !reader_u8(body, &hello->compression)) {
        return STEP_MALFORMED;
    }
    /* Before TLS 1.3 the block may be missing altogether. */
    hello->extensions = (struct reader){ 0 };
    if (!reader_is_empty(body) &&
        (!reader_vec16(body, &hello->extensions) || !reader_is_empty(body))) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_LENGTH);
    }
    return STEP_OK;
}

static bool is_retry(const struct server_hello *hello)
{
    return hello->legacy_version == VERSION_TLS12 &&
           memcmp(hello->random, retry_random, RANDOM_LEN) == 0;
}

/* A server that answers without supported_versions speaks TLS 1.2 at most. */
static bool has_selected_version(struct reader block)
{
    uint16_t type;
    struct reader body;

    while (reader_u16(&block, &type) && reader_vec16(&block, &body)) {
        if (type == EXT_SUPPORTED_VERSIONS) {
            return true;
        }
    }
    return false;
}

/* The version that the server has chosen: RFC 8446, 4.2.1. */
static enum step_result take_version(struct handshake *hs, const struct server_hello *hello)
{
    struct tls_conn *c = hs->conn;
    bool tls13 =
        extension_was_sent(hs, EXT_SUPPORTED_VERSIONS) && has_selected_version(hello->extensions);
    uint16_t version = tls13 ? VERSION_TLS13 : hello->legacy_version;

    if (hs->retry != RETRY_NONE && !tls13) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_WRONG_SSL_VERSION);
    }
    if (c->config->only_version != 0 && version != c->config->only_version) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_WRONG_SSL_VERSION);
    }
    /* Without the extension the answer is for TLS 1.2 at most. */
    if ((!tls13 && version >= VERSION_TLS13) || !negotiate_allows_version(c, version) ||
        (!hs->initial && version != c->neg.version)) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_UNSUPPORTED_PROTOCOL);
    }
    c->neg.version = version;
    if (tls13 && !hs->ends_record) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_NOT_ON_RECORD_BOUNDARY);
    }
    return STEP_OK;
}

/* RFC 8446, 4.1.3: what every ServerHello has to repeat. */
static enum step_result check_head(struct handshake *hs, const struct server_hello *hello)
{
    enum step_result result = take_version(hs, hello);

    if (result != STEP_OK) {
        return result;
    }
    if (hs->conn->neg.version != VERSION_TLS13) {
        return STEP_OK;
    }
    if (hello->compression != 0) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_COMPRESSION_ALGORITHM);
    }
    if (!reader_equals(&hello->session_id, hs->session_id, hs->session_id_len)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_SESSION_ID);
    }
    return STEP_OK;
}

/* True when the suite is one that we offered for the version. */
static bool suite_was_offered(const struct tls_conn *c, const struct ssl_cipher_st *suite)
{
    const struct ssl_cipher_st *next;
    uint16_t version = c->neg.version;
    size_t position = 0;

    if (version == VERSION_TLS13) {
        return suite->tls13 && u16_list_has(config_suites13(c->config), suite_id(suite));
    }
    while ((next = negotiate_next_suite12(c, version, version, &position)) != NULL) {
        if (next == suite) {
            return true;
        }
    }
    return false;
}

static enum step_result take_suite(struct handshake *hs, uint16_t id)
{
    struct tls_conn *c = hs->conn;
    const struct ssl_cipher_st *suite = suite_by_id(id);

    /* Signalling values have a name and no key exchange. */
    if (suite == NULL || (suite->kx == 0 && !suite->tls13)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_UNKNOWN_CIPHER_RETURNED);
    }
    if (!suite_was_offered(c, suite) || !c->hooks->allows_suite(c->owner, SECURITY_CHECK, suite) ||
        (hs->retry == RETRY_DONE && suite != c->neg.suite)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_CIPHER_RETURNED);
    }
    enum step_result result = resume12_check_suite(hs, suite);
    if (result != STEP_OK) {
        return result;
    }
    c->neg.suite = suite;
    return (c->neg.version == VERSION_TLS13 ? keys13_hash(c) : keys12_hash(c)) != NULL
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

static enum step_result take_retry(struct handshake *hs, const struct server_hello *hello)
{
    struct tls_conn *c = hs->conn;
    const struct group *group_before = hs->share_group;

    if (hs->retry != RETRY_NONE) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_UNEXPECTED_MESSAGE);
    }
    enum step_result result =
        extensions_read(hs, EXT_HELLO_RETRY_REQUEST, hello->extensions, NULL, 0);
    if (result != STEP_OK) {
        return result;
    }
    /* RFC 8446, 4.1.4: a retry that changes nothing. */
    if (hs->cookie == NULL && hs->share_group == group_before) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_NO_CHANGE_FOLLOWING_HRR);
    }
    if (!transcript_retry(&hs->transcript, keys13_hash(c), hs->first_hello)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    hs->retry = RETRY_DUE;
    c->neg.was_retried = true;
    record_out_protect(&c->out, NULL, EPOCH_PLAINTEXT); /* early data ends here */
    return STEP_OK;
}

static enum step_result take_share(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct reader share = hs->answered_share;

    if (!extension_was_seen(hs, EXT_KEY_SHARE)) {
        return c->neg.resumed && (hs->psk_modes & PSK_KE) != 0
                   ? STEP_OK
                   : step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_NO_SUITABLE_KEY_SHARE);
    }
    blob_set(&c->neg.peer_share, blob_new(share.at, share.left));
    hs->shared = OPENSSL_zalloc(sizeof *hs->shared);
    if (c->neg.peer_share == NULL || hs->shared == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    enum step_result result = step_of_group(
        hs, group_decapsulate(c->config->lib, hs->key, share.at, share.left, hs->shared));
    if (result != STEP_OK) {
        return result;
    }
    c->neg.group = hs->share_group;
    return STEP_OK;
}

/* RFC 7301, 3.2: the server's choice is one of ours. */
static bool alpn_was_offered(const struct tls_conn *c)
{
    struct reader list = reader_of(c->config->alpn->bytes, c->config->alpn->len);
    struct reader name;

    while (reader_vec8(&list, &name)) {
        if (reader_equals(&name, c->neg.alpn->bytes, c->neg.alpn->len)) {
            return true;
        }
    }
    return false;
}

/* The answers about the application, in EncryptedExtensions or TLS 1.2's ServerHello. */
static enum step_result check_application_answers(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (c->neg.alpn != NULL && !alpn_was_offered(c)) {
        blob_set(&c->neg.alpn, NULL);
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    if (!c->neg.resumed) {
        blob_set(&c->session->alpn, blob_ref(c->neg.alpn));
        if (c->neg.server_name_acknowledged &&
            !session_set_hostname(c->session, c->neg.server_name)) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        }
    }
    /* OpenSSL's clients ask the servername callback too, if they have one. */
    struct record_error failure = { ALERT_UNRECOGNIZED_NAME, SSL_R_CALLBACK_FAILED };
    return step_of_answer(hs, c->hooks->server_name(c->owner, c->neg.server_name, &failure),
                          &failure, PAUSE_NONE);
}

static enum step_result take_tls13(struct handshake *hs, const struct server_hello *hello)
{
    struct tls_conn *c = hs->conn;

    c->in.plain_ccs = true;
    if (is_retry(hello)) {
        return take_retry(hs, hello);
    }
    enum step_result result = extensions_read(hs, EXT_SERVER_HELLO, hello->extensions, NULL, 0);
    if (result == STEP_OK) {
        result = psk13_settle_session(hs);
    }
    if (result == STEP_OK) {
        result = take_share(hs);
    }
    if (result == STEP_OK) {
        result = psk13_note_facts(hs);
    }
    if (result == STEP_OK && !transcript_start(&hs->transcript, keys13_hash(c))) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    return result;
}

/* RFC 8446, 4.1.3: a server that knows better marks that it was made to choose less. A client that
 * has come down from a version, and says so, knows TLS 1.3; who does takes either mark. */
static bool was_downgraded(const struct tls_conn *c, const struct server_hello *hello)
{
    static const uint8_t mark[7] = { 'D', 'O', 'W', 'N', 'G', 'R', 'D' };
    const uint8_t *end = hello->random + RANDOM_LEN - 8;
    uint16_t best = c->config->send_fallback_scsv && c->config->only_version == 0
                        ? VERSION_HIGHEST
                        : negotiate_highest_version(c);

    return best > c->neg.version && memcmp(end, mark, sizeof mark) == 0 &&
           (end[7] == version_rules(c->neg.version)->downgrade_mark ||
            (best == VERSION_TLS13 && end[7] <= 1));
}

static enum step_result finish_tls12_hello(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    /* RFC 5746, 3.4: a server that does not know it cannot be told from an attacker's splice. */
    if (!c->neg.secure_renegotiation &&
        (c->config->options & (OPTION_LEGACY_SERVER_CONNECT | OPTION_ALLOW_UNSAFE_RENEGOTIATION)) ==
            0) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_UNSAFE_LEGACY_RENEGOTIATION_DISABLED);
    }
    hs->transcript.keep = true;
    handshake_apply_max_fragment(c);
    return transcript_start(&hs->transcript, keys12_hash(c))
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

static enum step_result take_tls12(struct handshake *hs, const struct server_hello *hello)
{
    struct tls_conn *c = hs->conn;

    /* RFC 8446, D.3: the server would take the early data for something else. */
    if (hs->early_offered) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_UNSUPPORTED_PROTOCOL);
    }
    if (was_downgraded(c, hello)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INAPPROPRIATE_FALLBACK);
    }
    c->in.version = c->neg.version;
    if (hello->compression != 0) {
        int reason = (c->config->options & OPTION_NO_COMPRESSION) != 0
                         ? SSL_R_COMPRESSION_DISABLED
                         : SSL_R_UNSUPPORTED_COMPRESSION_ALGORITHM;
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER,
                         c->neg.resumed ? SSL_R_OLD_SESSION_COMPRESSION_ALGORITHM_NOT_RETURNED
                                        : reason);
    }
    c->neg.secure_renegotiation = false;
    enum step_result result =
        extensions_read(hs, EXT_TLS12_SERVER_HELLO, hello->extensions, NULL, 0);
    if (result == STEP_OK) {
        result = resume12_check_answers(hs);
    }
    if (result == STEP_OK) {
        result = check_application_answers(hs);
    }
    return result == STEP_OK ? finish_tls12_hello(hs) : result;
}

enum step_result read_server_hello(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct server_hello hello;

    c->out.version = record_version(c->neg.version);
    enum step_result result = parse(hs, &hello, body);
    if (result == STEP_OK) {
        result = check_head(hs, &hello);
    }
    c->out.version = record_version(c->neg.version);
    if (result != STEP_OK) {
        return result;
    }
    memcpy(c->neg.server_random, hello.random, RANDOM_LEN);
    if (c->neg.version != VERSION_TLS13) {
        result = secret12_ask_client(hs, hello.suite);
        if (result == STEP_OK) {
            result = resume12_on_server_hello(hs, hello.session_id);
        }
    }
    if (result == STEP_OK) {
        result = take_suite(hs, hello.suite);
    }
    if (result != STEP_OK) {
        return result;
    }
    return c->neg.version == VERSION_TLS13 ? take_tls13(hs, &hello) : take_tls12(hs, &hello);
}

enum step_result read_encrypted_extensions(struct handshake *hs, struct reader *body)
{
    struct reader block;

    if (!reader_vec16(body, &block) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    enum step_result result = extensions_read(hs, EXT_ENCRYPTED_EXTENSIONS, block, NULL, 0);
    if (result == STEP_OK) {
        result = check_application_answers(hs);
    }
    if (result == STEP_OK) {
        handshake_apply_max_fragment(hs->conn);
        result = early13_check_answer(hs);
    }
    return result;
}
