/*
 * What a server makes of a ClientHello, and ServerHello, HelloRetryRequest and EncryptedExtensions
 * on both sides: RFC 8446, 4.1.3, 4.1.4, 4.3.1.
 */
#include "handshake/ext/extensions.h"
#include "handshake/keys13.h"
#include "handshake/negotiate.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* Rejected early data that is dropped, in bytes of ciphertext: what a client may have sent with the
 * default max_early_data of 16384 and the overhead of a few records. */
#define EARLY_DATA_SKIP_LIMIT (16384 + 6 * 80 + 2)

/* RFC 8446, 4.1.3: the random of a ServerHello that is a HelloRetryRequest. */
static const uint8_t retry_random[RANDOM_LEN] = { 0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11,
                                                  0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
                                                  0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e,
                                                  0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c };

/* --- Server: decisions --- */

enum step_result ask_client_hello_hook(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CALLBACK_FAILED };

    return step_of_answer(hs, c->hooks->client_hello(c->owner, &failure), &failure,
                          PAUSE_CLIENT_HELLO);
}

/* Looks for a version in supported_versions (RFC 8446, 4.2.1). */
static bool offers_version(const struct client_hello *hello, uint16_t version, bool *malformed)
{
    struct reader body;
    struct reader list;
    uint16_t next;

    *malformed = false;
    if (!client_hello_extension(hello, EXT_SUPPORTED_VERSIONS, &body)) {
        return false;
    }
    if (!reader_vec8(&body, &list) || !reader_is_empty(&body) || reader_left(&list) % 2 != 0) {
        *malformed = true;
        return false;
    }
    while (reader_u16(&list, &next)) {
        if (next == version) {
            return true;
        }
    }
    return false;
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
    c->neg.version = VERSION_TLS13;
    c->neg.client_version = hello->legacy_version;
    c->in.plain_ccs = true;
    return STEP_OK;
}

enum step_result choose_version(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    bool malformed;
    bool offered = offers_version(hs->hello, VERSION_TLS13, &malformed);

    if (malformed) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_LENGTH_MISMATCH);
    }
    if (offered && hs->hello->legacy_version <= VERSION_SSL3) {
        /* RFC 8446, 4.1.2; SSL 3.0 has no protocol_version alert. */
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_BAD_LEGACY_VERSION);
    }
    if (!offered || !negotiate_allows_tls13(c)) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_UNSUPPORTED_PROTOCOL);
    }
    return accept_tls13(hs);
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
    if (c->session == NULL || hs->retry == RETRY_NONE) {
        session_free(c->session);
        c->session = c->hooks->make_session(c->owner);
    }
    const struct hash *h = keys13_hash(c);
    if (h == NULL || c->session == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    c->session->version = c->neg.version;
    return STEP_OK;
}

/* RFC 8446, 4.2.8: after a HelloRetryRequest there is one share, for the group it named. */
static bool is_wanted_share(const struct handshake *hs, uint16_t id)
{
    return hs->retry != RETRY_DONE || id == hs->share_group->id;
}

/* What applications may ask for from the servername callback on. */
static enum step_result remember_share(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    blob_set(&c->neg.peer_share, blob_new(hs->picked_share.at, hs->picked_share.left));
    c->neg.group = hs->picked_group;
    c->session->group = hs->picked_group->id;
    return c->neg.peer_share != NULL ? STEP_OK
                                     : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

/* Looks through the client's key shares and picks the first whose group we have. */
static enum step_result pick_share(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct reader shares = hs->offered_shares;
    size_t num = 0;

    hs->picked_group = NULL;
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
        const struct group *group = group_by_id(id);
        if (negotiate_supports_group(c, group, SECURITY_SUPPORTED) &&
            c->hooks->allows_group(c->owner, SECURITY_CHECK, group)) {
            hs->picked_group = group;
            hs->picked_share = key;
        }
    }
    if (hs->retry == RETRY_DONE && extension_was_seen(hs, EXT_KEY_SHARE) && num != 1) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_KEY_SHARE);
    }
    return hs->picked_group != NULL ? remember_share(hs) : STEP_OK;
}

enum step_result read_hello_extensions(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    hs->offered_alpn = hs->offered_shares = hs->offered_cookie = (struct reader){ 0 };
    c->neg.max_fragment_code = 0;
    c->neg.peer_wants_ocsp = false;
    enum step_result result = extensions_read_hello(hs);
    if (result != STEP_OK) {
        return result;
    }
    /* RFC 8446, 4.2.9 and 9.2: what has to come together. */
    if (extension_was_seen(hs, EXT_PRE_SHARED_KEY) &&
        !extension_was_seen(hs, EXT_PSK_KEY_EXCHANGE_MODES)) {
        return step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_MISSING_PSK_KEX_MODES_EXTENSION);
    }
    if (!extension_was_seen(hs, EXT_SIGNATURE_ALGORITHMS)) {
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

enum step_result ask_server_name(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_UNRECOGNIZED_NAME, SSL_R_CALLBACK_FAILED };
    enum hook_answer answer = c->hooks->server_name(c->owner, c->neg.server_name, &failure);

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

static enum step_result step_of_group(struct handshake *hs, enum group_result result)
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

enum step_result choose_group(struct handshake *hs)
{
    if (extension_was_seen(hs, EXT_EARLY_DATA)) {
        hs->conn->in.skip_left = EARLY_DATA_SKIP_LIMIT;
    }
    if (!negotiate_has_shared_sigalgs(hs->conn)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SHARED_SIGNATURE_ALGORITHMS);
    }
    if (hs->picked_group != NULL) {
        return encapsulate(hs);
    }
    bool has_shares = extension_was_seen(hs, EXT_KEY_SHARE);
    hs->share_group = has_shares && hs->retry == RETRY_NONE ? group_to_retry(hs->conn) : NULL;
    if (hs->share_group == NULL) {
        return step_fail(hs, has_shares ? ALERT_HANDSHAKE_FAILURE : ALERT_MISSING_EXTENSION,
                         SSL_R_NO_SUITABLE_KEY_SHARE);
    }
    hs->retry = RETRY_DUE;
    hs->conn->neg.was_retried = true;
    return STEP_OK;
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
    blob_set(&c->session->alpn, blob_ref(chosen));
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
    enum step_result result = step_of_answer(hs, c->hooks->choose_credential(c->owner, &failure),
                                             &failure, PAUSE_X509_LOOKUP);

    if (result != STEP_OK) {
        return result;
    }
    hs->scheme = negotiate_scheme(c);
    if (hs->scheme == NULL) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_SUITABLE_SIGNATURE_ALGORITHM);
    }
    c->neg.own_scheme = hs->scheme;
    c->neg.own_slot = hs->scheme->slot;
    hs->have_cert = true;
    hs->asked_cert = c->config->ask_client_cert && !c->config->ask_client_cert_later;
    return STEP_OK;
}

enum step_result ask_ocsp(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, SSL_R_CLIENTHELLO_TLSEXT };
    struct blob *response = NULL;

    if (!c->neg.peer_wants_ocsp) {
        return STEP_OK;
    }
    enum hook_answer answer = c->hooks->ocsp_response(c->owner, &response, &failure);
    blob_set(&hs->ocsp_response, response);
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

/* --- Server: messages --- */

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
    if (!transcript_retry(&hs->transcript, keys13_hash(hs->conn))) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    write_hello_head(hs, w, retry_random);
    return extensions_write(hs, EXT_HELLO_RETRY_REQUEST, w, NULL, 0);
}

enum step_result write_server_hello(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    if (!transcript_start(&hs->transcript, keys13_hash(c)) ||
        !c->hooks->random(c->owner, c->neg.server_random, RANDOM_LEN)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    write_hello_head(hs, w, c->neg.server_random);
    c->session->suite = c->neg.suite;
    c->session->suite_id = c->neg.suite->id;
    c->in.plain_alerts = true;
    return extensions_write(hs, EXT_SERVER_HELLO, w, NULL, 0);
}

/* RFC 6066, 4: the length holds for both directions from the moment it is agreed on. */
static void apply_max_fragment(struct tls_conn *c)
{
    if (c->neg.max_fragment_code != 0) {
        c->in.max_plaintext = (size_t)256 << c->neg.max_fragment_code;
        c->session->max_fragment_code = c->neg.max_fragment_code;
    }
}

enum step_result write_encrypted_extensions(struct handshake *hs, struct writer *w)
{
    apply_max_fragment(hs->conn);
    return extensions_write(hs, EXT_ENCRYPTED_EXTENSIONS, w, NULL, 0);
}

enum step_result write_ccs(struct handshake *hs, struct writer *w)
{
    (void)hs;
    (void)w; /* the runner knows the one byte */
    return STEP_OK;
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

/* RFC 8446, 4.1.3: what every ServerHello has to repeat. */
static enum step_result check_head(struct handshake *hs, const struct server_hello *hello)
{
    /* legacy_version is not looked at, as OpenSSL does not: supported_versions decides. */
    if (!has_selected_version(hello->extensions)) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION,
                         hs->retry == RETRY_NONE ? SSL_R_UNSUPPORTED_PROTOCOL
                                                 : SSL_R_WRONG_SSL_VERSION);
    }
    if (hello->compression != 0) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_COMPRESSION_ALGORITHM);
    }
    if (!reader_equals(&hello->session_id, hs->session_id, hs->session_id_len)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_INVALID_SESSION_ID);
    }
    return STEP_OK;
}

static enum step_result take_suite(struct handshake *hs, uint16_t id)
{
    struct tls_conn *c = hs->conn;
    const struct ssl_cipher_st *suite = suite_by_id(id);

    if (suite == NULL) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_UNKNOWN_CIPHER_RETURNED);
    }
    if (!suite->tls13 || !u16_list_has(config_suites13(c->config), id) ||
        !c->hooks->allows_suite(c->owner, SECURITY_CHECK, suite) ||
        (hs->retry == RETRY_DONE && suite != c->neg.suite)) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_WRONG_CIPHER_RETURNED);
    }
    c->neg.suite = suite;
    c->session->version = c->neg.version;
    c->session->suite = suite;
    c->session->suite_id = suite->id;
    return keys13_hash(c) != NULL ? STEP_OK
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
    if (!transcript_retry(&hs->transcript, keys13_hash(c))) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    hs->retry = RETRY_DUE;
    c->neg.was_retried = true;
    return STEP_OK;
}

static enum step_result take_share(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    struct reader share = hs->answered_share;

    if (!extension_was_seen(hs, EXT_KEY_SHARE)) {
        return step_fail(hs, ALERT_MISSING_EXTENSION, SSL_R_NO_SUITABLE_KEY_SHARE);
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
    c->session->group = hs->share_group->id;
    return transcript_start(&hs->transcript, keys13_hash(c))
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
}

enum step_result read_server_hello(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct server_hello hello;

    c->out.version = VERSION_TLS12;
    enum step_result result = parse(hs, &hello, body);

    if (result == STEP_OK) {
        result = check_head(hs, &hello);
    }
    if (result == STEP_OK) {
        result = take_suite(hs, hello.suite);
    }
    if (result != STEP_OK) {
        return result;
    }
    c->in.plain_ccs = true;
    if (hello.legacy_version == VERSION_TLS12 &&
        memcmp(hello.random, retry_random, RANDOM_LEN) == 0) {
        return take_retry(hs, &hello);
    }
    memcpy(c->neg.server_random, hello.random, RANDOM_LEN);
    result = extensions_read(hs, EXT_SERVER_HELLO, hello.extensions, NULL, 0);
    return result == STEP_OK ? take_share(hs) : result;
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

enum step_result read_encrypted_extensions(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader block;

    if (!reader_vec16(body, &block) || !reader_is_empty(body)) {
        return STEP_MALFORMED;
    }
    enum step_result result = extensions_read(hs, EXT_ENCRYPTED_EXTENSIONS, block, NULL, 0);
    if (result == STEP_OK && c->neg.alpn != NULL && !alpn_was_offered(c)) {
        blob_set(&c->neg.alpn, NULL);
        result = step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    if (result != STEP_OK) {
        return result;
    }
    apply_max_fragment(c);
    blob_set(&c->session->alpn, blob_ref(c->neg.alpn));
    if (c->neg.server_name_acknowledged && !session_set_hostname(c->session, c->neg.server_name)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    /* OpenSSL's clients ask the servername callback too, if they have one. */
    struct record_error failure = { ALERT_UNRECOGNIZED_NAME, SSL_R_CALLBACK_FAILED };
    return step_of_answer(hs, c->hooks->server_name(c->owner, c->neg.server_name, &failure),
                          &failure, PAUSE_NONE);
}
