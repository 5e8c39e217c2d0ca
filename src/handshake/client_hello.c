/*
 * ClientHello: RFC 8446, 4.1.2. Written by the client, parsed by the server; what the server makes
 * of it is in server_hello.c.
 */
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"
#include "handshake/resume12.h"
#include "handshake/states.h"
#include "handshake/versions.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/sslerr.h>
#include <string.h>

/* TLS_EMPTY_RENEGOTIATION_INFO_SCSV: RFC 5746, 3.3. */
#define SUITE_SCSV          0x00ff
/* TLS_FALLBACK_SCSV: RFC 7507. */
#define SUITE_FALLBACK_SCSV 0x5600

/* The session id of the session that is offered or the one that middlebox compatibility wants, and
 * the random bytes; once per handshake, as a second ClientHello repeats them (RFC 8446, 4.1.2). */
static bool draw_random(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (!c->hooks->random(c->owner, c->neg.client_random, RANDOM_LEN)) {
        return false;
    }
    if (resume12_is_offered(hs)) {
        hs->session_id_len = c->session->id_len;
        memcpy(hs->session_id, c->session->id, c->session->id_len);
        return true;
    }
    if ((c->config->options & OPTION_ENABLE_MIDDLEBOX_COMPAT) != 0 &&
        negotiate_allows_version(c, VERSION_TLS13)) {
        hs->session_id_len = SESSION_ID_MAX;
        return c->hooks->random(c->owner, hs->session_id, SESSION_ID_MAX);
    }
    return true;
}

/* The version a connection begins with, before any was agreed on. */
static uint16_t first_version(const struct tls_config *config)
{
    return config->only_version != 0 ? config->only_version : VERSION_HIGHEST;
}

/* A server finds out at once that its highest version has no suite, a client when it offers. */
static bool serves_highest(const struct tls_conn *c)
{
    const struct blob *list = c->config->suites;
    uint16_t min;
    uint16_t max;

    if (!negotiate_version_range(c, &min, &max)) {
        return false;
    }
    if (max == VERSION_TLS13) {
        return u16_list_len(config_suites13(c->config)) > 0;
    }
    for (size_t i = 0; i < u16_list_len(list); i++) {
        const struct ssl_cipher_st *suite = suite_by_id(u16_list_at(list, i));
        if (suite != NULL && suite->min_version <= max && suite->max_version >= max) {
            return true;
        }
    }
    return false;
}

/* True when a suite is configured for the version. */
static bool has_suite_for(const struct tls_conn *c, uint16_t max)
{
    if (max == VERSION_TLS13) {
        return u16_list_len(config_suites13(c->config)) > 0;
    }
    for (size_t i = 0; i < u16_list_len(c->config->suites); i++) {
        const struct ssl_cipher_st *suite = suite_by_id(u16_list_at(c->config->suites, i));
        if (suite != NULL && suite->min_version <= max && suite->max_version >= max) {
            return true;
        }
    }
    return false;
}

/* What a client is told when it offers something, a server checks beforehand. */
static enum step_result check_server(struct handshake *hs)
{
    uint16_t min;
    uint16_t max;

    if (!negotiate_version_range(hs->conn, &min, &max)) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE);
    }
    if (!has_suite_for(hs->conn, max)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_CIPHERS_AVAILABLE);
    }
    if (hs->initial && hs->retry == RETRY_NONE) {
        hs->conn->hooks->listens(hs->conn->owner);
    }
    return STEP_OK;
}

enum step_result check_versions(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    bool is_first = hs->initial && hs->retry == RETRY_NONE;

    if (is_first) {
        c->neg.version = first_version(c->config);
        c->out.version = record_version(c->neg.version);
    }
    /* As OpenSSL does, the version that applications see at this moment is asked about. */
    if (!c->hooks->allows_version(c->owner, c->neg.version)) {
        return step_fail(hs, ALERT_NONE, ERR_R_INTERNAL_ERROR);
    }
    uint16_t highest = negotiate_highest_version(c);
    if (highest == 0) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE);
    }
    if (c->role == ROLE_SERVER && is_first && !serves_highest(c)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_NO_CIPHERS_AVAILABLE);
    }
    if (is_first && c->role == ROLE_CLIENT) {
        c->neg.version = highest;
    }
    return c->role == ROLE_SERVER ? check_server(hs) : STEP_OK;
}

/* What the hello needs at least: a version, a suite of the highest and, in TLS 1.3, a group. */
static enum step_result check_offer(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;
    size_t suite = 0;
    size_t group = 0;
    uint16_t max = negotiate_highest_version(c);
    bool tls13 = max == VERSION_TLS13;

    if (max == 0) {
        return step_fail(hs, ALERT_PROTOCOL_VERSION, SSL_R_NO_PROTOCOLS_AVAILABLE);
    }
    if ((tls13 ? negotiate_next_suite13(c, &suite) : negotiate_next_suite12(c, max, max, &suite)) ==
        NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_NO_CIPHERS_AVAILABLE);
    }
    if (tls13) {
        hs->share_group = negotiate_next_group(c, &group);
        if (hs->share_group == NULL) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, SSL_R_NO_SUITABLE_GROUPS);
        }
    }
    return STEP_OK;
}

enum step_result prepare_client_hello(struct handshake *hs)
{
    struct tls_conn *c = hs->conn;

    if (hs->retry == RETRY_DUE) {
        hs->retry = RETRY_DONE;
        return STEP_OK;
    }
    if (hs->initial) {
        c->out.version = VERSION_TLS1; /* of an alert, too */
    }
    enum step_result result = check_offer(hs);
    if (result != STEP_OK) {
        return result;
    }
    if (!hs->initial) {
        c->num_renegotiations++;
        c->total_renegotiations++;
        c->renegotiation = RENEGOTIATION_UNDERWAY;
        c->hooks->renegotiates(c->owner);
    }
    result = choose_session(hs);
    if (result != STEP_OK) {
        return result;
    }
    if (!draw_random(hs)) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (hs->initial) { /* legacy_version, which stays; what SSL_client_version reports */
        c->neg.client_version = c->neg.version < VERSION_TLS12 ? c->neg.version : VERSION_TLS12;
    }
    return STEP_OK;
}

static void write_suites(const struct handshake *hs, struct writer *w)
{
    const struct tls_conn *c = hs->conn;
    const struct ssl_cipher_st *suite;
    size_t position = 0;
    uint16_t min;
    uint16_t max;

    if (!negotiate_version_range(c, &min, &max)) {
        return;
    }
    while (max == VERSION_TLS13 && (suite = negotiate_next_suite13(c, &position)) != NULL) {
        writer_u16(w, suite_id(suite));
    }
    position = 0;
    while (min < VERSION_TLS13 &&
           (suite = negotiate_next_suite12(c, min, max, &position)) != NULL) {
        writer_u16(w, suite_id(suite));
    }
    if (hs->initial) {
        writer_u16(w, SUITE_SCSV);
    }
    if (c->config->send_fallback_scsv) {
        writer_u16(w, SUITE_FALLBACK_SCSV);
    }
}

enum step_result write_client_hello(struct handshake *hs, struct writer *w)
{
    struct tls_conn *c = hs->conn;

    hs->sent_extensions = 0;
    writer_u16(w, c->neg.client_version);
    writer_bytes(w, c->neg.client_random, RANDOM_LEN);
    writer_open(w, 1);
    writer_bytes(w, hs->session_id, hs->session_id_len);
    writer_close(w);
    writer_open(w, 2);
    write_suites(hs, w);
    writer_close(w);
    writer_u8(w, 1); /* legacy_compression_methods: null */
    writer_u8(w, 0);
    enum step_result result = extensions_write(hs, EXT_CLIENT_HELLO, w, NULL, 0);
    /* RFC 8446, 5.1: only the first ClientHello may be in a record of version 3.1. */
    c->out.version =
        hs->initial && hs->retry == RETRY_NONE ? VERSION_TLS1 : record_version(c->neg.version);
    return result;
}

static bool parse(struct client_hello *hello, struct reader *body)
{
    if (!reader_bytes(body, &hello->random, RANDOM_LEN) || !reader_vec8(body, &hello->session_id) ||
        reader_left(&hello->session_id) > SESSION_ID_MAX || !reader_vec16(body, &hello->suites) ||
        !reader_vec8(body, &hello->compressions)) {
        return false;
    }
    /* Before TLS 1.3 the block may be missing altogether. */
    hello->extensions_block = (struct reader){ 0 };
    return reader_is_empty(body) ||
           (reader_vec16(body, &hello->extensions_block) && reader_is_empty(body));
}

enum step_result read_client_hello(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;

    c->out.version = record_version(c->neg.version);
    if (!hs->initial && handshake_is_flooded(c)) {
        return step_fail(hs, ALERT_UNEXPECTED_MESSAGE, SSL_R_NO_RENEGOTIATION);
    }
    if (hs->retry == RETRY_DUE) {
        hs->retry = RETRY_DONE;
        c->in.skip_left = 0;
        if (!running_hash_copy(&hs->before_hello, &hs->transcript.running)) {
            return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
        }
    }
    if (hs->hello == NULL) {
        hs->hello = OPENSSL_zalloc(sizeof *hs->hello);
    }
    if (hs->hello != NULL && hs->is_v2_hello) {
        return parse_v2_hello(hs, body);
    }
    /* The views have to live longer than the record. */
    blob_set(&hs->hello_bytes, blob_new(body->at, body->left));
    if (hs->hello == NULL || hs->hello_bytes == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    *body = reader_of(hs->hello_bytes->bytes, hs->hello_bytes->len);
    if (!reader_u16(body, &hs->hello->legacy_version)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_TOO_SHORT);
    }
    if (!parse(hs->hello, body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    memcpy(c->neg.client_random, hs->hello->random, RANDOM_LEN);
    return extensions_split(hs, hs->hello);
}
