/*
 * The TLS 1.2 peer's messages and flows (RFC 5246, 7), as a client and as a server.
 */
#include "t12_peer.h"

#include "contract.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

static bool has_edit(const struct peer_case *script, enum peer_stage stage,
                     enum peer_edit_kind kind)
{
    for (size_t i = 0; i < PEER_EDITS_MAX && script->edits[i].kind != EDIT_END; i++) {
        if (script->edits[i].at == stage && script->edits[i].kind == kind) {
            return true;
        }
    }
    return false;
}

/* Whether a hello has extension `type`; the hello may be of any form. */
static bool has_extension(const struct bytes *hello, unsigned type)
{
    const uint8_t *data = hello->data;
    size_t at = 38;

    if (hello->len <= at) {
        return false;
    }
    at += 1 + (size_t)data[at];
    if (data[0] == SSL3_MT_SERVER_HELLO) {
        at += 3;
    } else {
        at += at + 2 <= hello->len ? 2 + (size_t)(data[at] << 8 | data[at + 1]) : 2;
        at += at < hello->len ? 1 + (size_t)data[at] : 1;
    }
    for (at += 2; at + 4 <= hello->len; at += 4 + (size_t)(data[at + 2] << 8 | data[at + 3])) {
        if ((unsigned)(data[at] << 8 | data[at + 1]) == type) {
            return true;
        }
    }
    return false;
}

SSL_SESSION *t12_session(SSL *ssl)
{
    static const unsigned char suite[2] = { 0xc0, 0x2b };
    SSL_SESSION *session = SSL_SESSION_new();
    uint8_t secret[T12_MASTER_LEN];

    memset(secret, 's', sizeof(secret));
    REQUIRE(session != NULL && SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    REQUIRE(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)) == 1);
    REQUIRE(SSL_SESSION_set1_id(session, secret, T12_ID_LEN) == 1);
    REQUIRE(SSL_SESSION_set1_master_key(session, secret, sizeof(secret)) == 1);
    return session;
}

/* A session that is resumed is named by both sides. */
static void add_session_id(const struct peer *peer, struct bytes *message)
{
    uint8_t id[T12_ID_LEN];
    size_t len = peer->tls12->script->resumed ? sizeof(id) : 0;

    memset(id, 's', sizeof(id));
    bytes_add_number(message, 1, len);
    bytes_add(message, id, len);
}

static void build_client_hello(struct peer *peer, struct bytes *message)
{
    size_t block;

    REQUIRE(RAND_bytes(peer->tls12->client_random, 32) == 1);
    t12_begin(message, SSL3_MT_CLIENT_HELLO);
    bytes_add_hex(message, "0303");
    bytes_add(message, peer->tls12->client_random, 32);
    add_session_id(peer, message);
    bytes_add_hex(message, "0004");
    bytes_add_number(message, 2, t12_traits_of(peer->tls12->script->exchange)->suite);
    bytes_add_hex(message, "00ff 01 00 0000");
    block = message->len;
    bytes_add_hex(message, "0000 000e 000c 00 0009 6c6f63616c686f7374"); /* server_name */
    bytes_add_hex(message, "000b 0002 01 00");                           /* ec_point_formats */
    bytes_add_hex(message, "000a 0006 0004 001d 0017");                  /* supported_groups */
    bytes_add_hex(message, "000d 0008 0006 0403 0804 0401");             /* signature_algorithms */
    if (peer->tls12->script->status) {
        bytes_add_hex(message, "0005 0005 01 0000 0000");
    }
    if (peer->tls12->script->npn) {
        bytes_add_hex(message, "3374 0000");
    }
    if (!peer->tls12->script->resumed) {
        bytes_add_hex(message, "0017 0000"); /* extended_master_secret */
    }
    bytes_fix_length(message, block, 2);
    bytes_fix_length(message, 4, 3);
}

static void build_server_hello(struct peer *peer, struct bytes *message)
{
    size_t block;

    REQUIRE(RAND_bytes(peer->tls12->server_random, 32) == 1);
    t12_begin(message, SSL3_MT_SERVER_HELLO);
    bytes_add_hex(message, "0303");
    bytes_add(message, peer->tls12->server_random, 32);
    add_session_id(peer, message);
    bytes_add_number(message, 2, t12_traits_of(peer->tls12->script->exchange)->suite);
    bytes_add_hex(message, "00 0000");
    block = message->len;
    bytes_add_hex(message, "ff01 0001 00");
    if (peer->tls12->script->status) {
        bytes_add_hex(message, "0005 0000");
    }
    if (peer->tls12->script->npn) {
        bytes_add_hex(message, "3374 0007 02 6832 03 616263");
    }
    if (peer->tls12->script->ticket) {
        bytes_add_hex(message, "0023 0000");
    }
    if (!peer->tls12->script->resumed) {
        bytes_add_hex(message, "0017 0000");
    }
    bytes_fix_length(message, block, 2);
    bytes_fix_length(message, 4, 3);
}

static void build_certificate(struct peer *peer, struct bytes *message)
{
    unsigned char *der = NULL;
    int len = i2d_X509(t12_identity(peer->tls12->script->exchange)->cert, &der);

    REQUIRE(len > 0);
    t12_begin(message, SSL3_MT_CERTIFICATE);
    bytes_add_number(message, 3, (size_t)len + 3);
    bytes_add_number(message, 3, (size_t)len);
    bytes_add(message, der, (size_t)len);
    bytes_fix_length(message, 4, 3);
    OPENSSL_free(der);
}

static void build_certificate_verify(struct peer *peer, struct bytes *message)
{
    t12_begin(message, SSL3_MT_CERTIFICATE_VERIFY);
    t12_add_signature(peer, message, &peer->transcript);
    bytes_fix_length(message, 4, 3);
}

static void send_change_and_finished(struct peer *peer, struct bytes *message)
{
    bool skipped = has_edit(peer->script, AT_CCS, EDIT_SKIP);
    bool later = has_edit(peer->script, AT_CCS, EDIT_LATER);
    uint8_t mac[12];

    message->len = 0;
    bytes_add_number(message, 1, 1);
    peer_send_message(peer, AT_CCS, message);
    if (!skipped && !later) {
        peer->out = peer->tls12->next_out;
    }
    if (peer->tls12->next_proto) {
        t12_begin(message, SSL3_MT_NEXT_PROTO);
        bytes_add_hex(message, "03 616263 03 000000");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_NEXT_PROTO, message);
    }
    t12_finished(peer, !peer->is_server, mac);
    t12_begin(message, SSL3_MT_FINISHED);
    bytes_add(message, mac, sizeof(mac));
    bytes_fix_length(message, 4, 3);
    peer_send_message(peer, AT_FINISHED, message);
    peer->out = peer->tls12->next_out.on && !peer->out.on ? peer->tls12->next_out : peer->out;
}

/* Adds what the SSL under test sent to the transcript until a message of `type` came. */
static bool take_until(struct peer *peer, struct bytes *message, unsigned type)
{
    while (peer_take_message(peer, message)) {
        bytes_add(&peer->transcript, message->data, message->len);
        if (message->data[0] == type) {
            return true;
        }
    }
    return false;
}

static void connected_stage(struct peer *peer)
{
    struct bytes nothing = { 0 };

    peer_run_ssl(peer);
    peer_send_message(peer, AT_CONNECTED, &nothing);
    peer_run_ssl(peer);
    bytes_free(&nothing);
}

static void send_server_flight(struct peer *peer, struct bytes *message)
{
    const struct t12_traits *traits = t12_traits_of(peer->tls12->script->exchange);

    build_server_hello(peer, message);
    peer_send_message(peer, AT_SERVER_HELLO, message);
    peer->tls12->extended = has_extension(message, 23);
    if (traits->certificate) {
        build_certificate(peer, message);
        peer_send_message(peer, AT_CERTIFICATE, message);
    }
    if (peer->tls12->script->status) {
        t12_begin(message, SSL3_MT_CERTIFICATE_STATUS);
        bytes_add_hex(message, "01 000002 3000");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_CERTIFICATE_STATUS, message);
    }
    if (traits->psk || traits->secret != T12_SECRET_RSA) {
        t12_build_server_key_exchange(peer, message);
        peer_send_message(peer, AT_SERVER_KEY_EXCHANGE, message);
    }
    if (peer->script->client_auth) {
        t12_begin(message, SSL3_MT_CERTIFICATE_REQUEST);
        bytes_add_hex(message, "02 01 40 0006 0403 0804 0401 0000");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_CERTIFICATE_REQUEST, message);
    }
    t12_begin(message, SSL3_MT_SERVER_DONE);
    peer_send_message(peer, AT_SERVER_HELLO_DONE, message);
    peer_run_ssl(peer);
}

static void send_ticket(struct peer *peer, struct bytes *message)
{
    if (peer->tls12->script->ticket) {
        t12_begin(message, SSL3_MT_NEWSESSION_TICKET);
        bytes_add_hex(message, "00000e10 0008 0102030405060708");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_NEW_SESSION_TICKET, message);
    }
}

static void use_master_secret(struct peer *peer)
{
    memset(peer->tls12->master, 's', sizeof(peer->tls12->master));
    t12_install_keys(peer);
}

static void run_resuming_server(struct peer *peer, struct bytes *message)
{
    build_server_hello(peer, message);
    peer_send_message(peer, AT_SERVER_HELLO, message);
    use_master_secret(peer);
    send_ticket(peer, message);
    send_change_and_finished(peer, message);
    peer_run_ssl(peer);
    if (take_until(peer, message, SSL3_MT_FINISHED)) {
        connected_stage(peer);
    }
}

static void run_full_server(struct peer *peer, struct bytes *message)
{
    uint8_t premaster[T12_PREMASTER_MAX];
    size_t len;

    send_server_flight(peer, message);
    if (take_until(peer, message, SSL3_MT_CLIENT_KEY_EXCHANGE)) {
        len = t12_read_client_key_exchange(peer, message, premaster);
        t12_derive_keys(peer, premaster, len);
        if (take_until(peer, message, SSL3_MT_FINISHED)) {
            send_ticket(peer, message);
            send_change_and_finished(peer, message);
            connected_stage(peer);
        }
    }
}

static void run_server(struct peer *peer)
{
    struct bytes message = { 0 };

    peer_run_ssl(peer);
    REQUIRE(take_until(peer, &message, SSL3_MT_CLIENT_HELLO));
    memcpy(peer->tls12->client_random, message.data + 6, 32);
    if (peer->tls12->script->resumed) {
        run_resuming_server(peer, &message);
    } else {
        run_full_server(peer, &message);
    }
    bytes_free(&message);
}

static void send_client_flight(struct peer *peer, struct bytes *message, const struct bytes *params)
{
    uint8_t premaster[T12_PREMASTER_MAX];
    size_t len;

    if (peer->script->client_auth) {
        build_certificate(peer, message);
        peer_send_message(peer, AT_CERTIFICATE, message);
    }
    len = t12_build_client_key_exchange(peer, message, params, premaster);
    bytes_fix_length(message, 4, 3);
    peer_send_message(peer, AT_CLIENT_KEY_EXCHANGE, message);
    t12_derive_keys(peer, premaster, len);
    if (peer->script->client_auth) {
        build_certificate_verify(peer, message);
        peer_send_message(peer, AT_CERTIFICATE_VERIFY, message);
    }
    send_change_and_finished(peer, message);
}

static void run_resuming_client(struct peer *peer, struct bytes *message)
{
    use_master_secret(peer);
    if (take_until(peer, message, SSL3_MT_FINISHED)) {
        send_change_and_finished(peer, message);
        connected_stage(peer);
    }
}

static void run_full_client(struct peer *peer, struct bytes *message)
{
    struct bytes params = { 0 };
    bool done = false;

    while (!done && peer_take_message(peer, message)) {
        bytes_add(&peer->transcript, message->data, message->len);
        done = message->data[0] == SSL3_MT_SERVER_DONE;
        if (message->data[0] == SSL3_MT_SERVER_KEY_EXCHANGE) {
            bytes_add(&params, message->data, message->len);
        }
    }
    if (done) {
        send_client_flight(peer, message, &params);
        connected_stage(peer);
    }
    bytes_free(&params);
}

/* RFC 5246, E.2. The record has two bytes of header; the message is all of its content. */
static void send_v2_hello(struct peer *peer)
{
    uint8_t *random = peer->tls12->client_random;
    struct bytes record = { 0 };

    memset(random, 0, 32);
    REQUIRE(RAND_bytes(random + 12, 20) == 1);
    bytes_add_hex(&record, "8000 01 0303 0009 0000 0014 010080 00");
    bytes_add_number(&record, 2, t12_traits_of(peer->tls12->script->exchange)->suite);
    bytes_add_hex(&record, "0000ff");
    bytes_add(&record, random + 12, 20);
    record.data[1] = (uint8_t)(record.len - 2);
    peer_send_raw(peer, record.data, record.len);
    bytes_add(&peer->transcript, record.data + 2, record.len - 2);
    bytes_free(&record);
}

static void run_client(struct peer *peer)
{
    struct bytes message = { 0 };

    if (has_edit(&peer->tls12->script->base, AT_CLIENT_HELLO, EDIT_V2)) {
        send_v2_hello(peer);
    } else {
        build_client_hello(peer, &message);
        peer_send_message(peer, AT_CLIENT_HELLO, &message);
    }
    peer_run_ssl(peer);
    if (take_until(peer, &message, SSL3_MT_SERVER_HELLO)) {
        memcpy(peer->tls12->server_random, message.data + 6, 32);
        peer->tls12->extended = has_extension(&message, 23);
        peer->tls12->next_proto = has_extension(&message, 0x3374);
        if (peer->tls12->script->resumed) {
            run_resuming_client(peer, &message);
        } else {
            run_full_client(peer, &message);
        }
    }
    bytes_free(&message);
}

static int advertise(SSL *ssl, const unsigned char **out, unsigned int *len, void *arg)
{
    (void)ssl;
    (void)arg;
    *out = (const unsigned char *)"\3abc";
    *len = 4;
    return SSL_TLSEXT_ERR_OK;
}

static int select_first(SSL *ssl, unsigned char **out, unsigned char *out_len,
                        const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)ssl;
    (void)arg;
    REQUIRE(in_len > 1);
    *out = (unsigned char *)(uintptr_t)(in + 1);
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void prepare_server(SSL *ssl, SSL_CTX *ctx, const struct t12_case *script)
{
    SSL_certs_clear(ssl);
    identity_use_ssl(t12_identity(script->exchange), ssl);
    if (t12_traits_of(script->exchange)->psk) {
        SSL_set_psk_server_callback(ssl, t12_psk_server);
    }
    if (t12_traits_of(script->exchange)->secret == T12_SECRET_DHE) {
        REQUIRE(SSL_set0_tmp_dh_pkey(ssl, t12_dh_key()) == 1);
    }
    if (script->base.client_auth) {
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        identity_trust(t12_identity(script->exchange), ctx);
    }
    if (script->resumed) {
        SSL_SESSION *session = t12_session(ssl);
        (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_SERVER);
        REQUIRE(SSL_CTX_add_session(ctx, session) == 1);
        SSL_SESSION_free(session);
    }
    if (has_edit(&script->base, AT_CLIENT_HELLO, EDIT_V2)) {
        SSL_set_security_level(ssl, 0); /* no signature algorithms: SHA-1 */
    }
    SSL_set_accept_state(ssl);
}

static void prepare_client(SSL *ssl, const struct t12_case *script)
{
    REQUIRE(SSL_set_tlsext_host_name(ssl, "localhost") == 1);
    REQUIRE(SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2", 3) == 0);
    if (script->base.client_auth) {
        identity_use_ssl(t12_identity(script->exchange), ssl);
    }
    if (t12_traits_of(script->exchange)->psk) {
        SSL_set_psk_client_callback(ssl, t12_psk_client);
    }
    if (script->status) {
        REQUIRE(SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) == 1);
    }
    if (script->ticket) {
        (void)SSL_clear_options(ssl, SSL_OP_NO_TICKET);
    }
    if (script->resumed) {
        SSL_SESSION *session = t12_session(ssl);
        REQUIRE(SSL_set_session(ssl, session) == 1);
        SSL_SESSION_free(session);
    }
    SSL_set_connect_state(ssl);
}

void t12_run(enum peer_verdict verdict, const struct t12_case *script)
{
    bool server_under_test = script->base.server_under_test;
    SSL_CTX *ctx = server_under_test ? server_ctx_new() : client_ctx_new();
    SSL *ssl;
    struct t12_state state = { .script = script };
    struct peer peer = { 0 };

    if (script->npn) {
        SSL_CTX_set_next_protos_advertised_cb(ctx, advertise, NULL);
        SSL_CTX_set_next_proto_select_cb(ctx, select_first, NULL);
    }
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    if (server_under_test) {
        prepare_server(ssl, ctx, script);
    } else {
        prepare_client(ssl, script);
    }
    (void)SSL_set_options(ssl, script->options);
    peer_join(&peer, ssl);
    peer.tls12 = &state;
    peer.script = &script->base;
    peer.is_server = !server_under_test;
    if (peer.is_server) {
        run_server(&peer);
    } else {
        run_client(&peer);
    }
    if (script->after != NULL && peer.connected) {
        script->after(&peer);
    }
    peer_drain(&peer);
    peer_judge(&peer, verdict);
    peer_free(&peer);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

void t12_run_table(const struct t12_row *rows, size_t num_rows)
{
    for (size_t i = 0; i < num_rows; i++) {
        t12_run(rows[i].verdict, &rows[i].script);
    }
}
