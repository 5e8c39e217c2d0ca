/*
 * The TLS 1.2 peer's messages and flows (RFC 5246, 7), as a client and as a server.
 */
#include "t12_peer.h"

#include "contract.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#define PREMASTER_MAX 256

static struct identity *rsa;

static const struct identity *identity_of(enum t12_exchange exchange)
{
    if (exchange == T12_ECDHE) {
        return identity_default();
    }
    if (rsa == NULL) {
        rsa = identity_new(KEY_RSA, "localhost");
    }
    return rsa;
}

void t12_peer_free(void)
{
    identity_free(rsa);
    rsa = NULL;
}

static unsigned suite_of(enum t12_exchange exchange)
{
    switch (exchange) {
    case T12_ECDHE:
        return 0xc02b;
    case T12_DHE:
        return 0x009e;
    case T12_RSA:
        return 0x009c;
    }
    return 0;
}

static void begin(struct bytes *message, unsigned type)
{
    message->len = 0;
    bytes_add_number(message, 1, type);
    bytes_add_number(message, 3, 0);
}

static bool has_edit(const struct peer *peer, enum peer_stage stage, enum peer_edit_kind kind)
{
    for (size_t i = 0; i < PEER_EDITS_MAX && peer->script->edits[i].kind != EDIT_END; i++) {
        if (peer->script->edits[i].at == stage && peer->script->edits[i].kind == kind) {
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

static void build_client_hello(struct peer *peer, struct bytes *message)
{
    size_t block;

    REQUIRE(RAND_bytes(peer->tls12->client_random, 32) == 1);
    begin(message, SSL3_MT_CLIENT_HELLO);
    bytes_add_hex(message, "0303");
    bytes_add(message, peer->tls12->client_random, 32);
    bytes_add_hex(message, "00 0004");
    bytes_add_number(message, 2, suite_of(peer->tls12->script->exchange));
    bytes_add_hex(message, "00ff 01 00 0000");
    block = message->len;
    bytes_add_hex(message, "0000 000e 000c 00 0009 6c6f63616c686f7374"); /* server_name */
    bytes_add_hex(message, "000b 0002 01 00");                           /* ec_point_formats */
    bytes_add_hex(message, "000a 0006 0004 001d 0017");                  /* supported_groups */
    bytes_add_hex(message, "000d 0008 0006 0403 0804 0401");             /* signature_algorithms */
    if (peer->tls12->script->status) {
        bytes_add_hex(message, "0005 0005 01 0000 0000");
    }
    bytes_add_hex(message, "0017 0000"); /* extended_master_secret */
    bytes_fix_length(message, block, 2);
    bytes_fix_length(message, 4, 3);
}

static void build_server_hello(struct peer *peer, struct bytes *message)
{
    size_t block;

    REQUIRE(RAND_bytes(peer->tls12->server_random, 32) == 1);
    begin(message, SSL3_MT_SERVER_HELLO);
    bytes_add_hex(message, "0303");
    bytes_add(message, peer->tls12->server_random, 32);
    bytes_add_hex(message, "00");
    bytes_add_number(message, 2, suite_of(peer->tls12->script->exchange));
    bytes_add_hex(message, "00 0000");
    block = message->len;
    bytes_add_hex(message, "ff01 0001 00");
    if (peer->tls12->script->status) {
        bytes_add_hex(message, "0005 0000");
    }
    bytes_add_hex(message, "0017 0000");
    bytes_fix_length(message, block, 2);
    bytes_fix_length(message, 4, 3);
}

static void build_certificate(struct peer *peer, struct bytes *message)
{
    unsigned char *der = NULL;
    int len = i2d_X509(identity_of(peer->tls12->script->exchange)->cert, &der);

    REQUIRE(len > 0);
    begin(message, SSL3_MT_CERTIFICATE);
    bytes_add_number(message, 3, (size_t)len + 3);
    bytes_add_number(message, 3, (size_t)len);
    bytes_add(message, der, (size_t)len);
    bytes_fix_length(message, 4, 3);
    OPENSSL_free(der);
}

static void add_signature(struct peer *peer, struct bytes *message, const struct bytes *content)
{
    enum t12_exchange exchange = peer->tls12->script->exchange;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[512];
    size_t len = sizeof(signature);

    REQUIRE(ctx != NULL &&
            EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, identity_of(exchange)->key) == 1);
    REQUIRE(EVP_DigestSign(ctx, signature, &len, content->data, content->len) == 1);
    bytes_add_number(message, 2, exchange == T12_ECDHE ? 0x0403 : 0x0401);
    bytes_add_number(message, 2, len);
    bytes_add(message, signature, len);
    EVP_MD_CTX_free(ctx);
}

static void add_dh_number(struct bytes *out, const EVP_PKEY *key, const char *name)
{
    BIGNUM *number = NULL;
    uint8_t bytes[512];
    int len;

    REQUIRE(EVP_PKEY_get_bn_param(key, name, &number) == 1);
    len = BN_bn2bin(number, bytes);
    bytes_add_number(out, 2, (size_t)len);
    bytes_add(out, bytes, (size_t)len);
    BN_free(number);
}

static EVP_PKEY *dh_key(void)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
                                                             (char[]){ "ffdhe2048" }, 0),
                            OSSL_PARAM_construct_end() };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "DH", NULL);
    EVP_PKEY *key = NULL;

    REQUIRE(ctx != NULL && EVP_PKEY_keygen_init(ctx) == 1);
    REQUIRE(EVP_PKEY_CTX_set_params(ctx, params) == 1 && EVP_PKEY_generate(ctx, &key) == 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static void build_server_key_exchange(struct peer *peer, struct bytes *message)
{
    struct bytes params = { 0 };
    struct bytes content = { 0 };
    unsigned char *public_key = NULL;
    size_t len;

    if (peer->tls12->script->exchange == T12_DHE) {
        peer->share = dh_key();
        add_dh_number(&params, peer->share, OSSL_PKEY_PARAM_FFC_P);
        add_dh_number(&params, peer->share, OSSL_PKEY_PARAM_FFC_G);
        add_dh_number(&params, peer->share, OSSL_PKEY_PARAM_PUB_KEY);
    } else {
        peer_new_share(peer, false);
        len = EVP_PKEY_get1_encoded_public_key(peer->share, &public_key);
        bytes_add_hex(&params, "03 001d");
        bytes_add_number(&params, 1, len);
        bytes_add(&params, public_key, len);
        OPENSSL_free(public_key);
    }
    bytes_add(&content, peer->tls12->client_random, 32);
    bytes_add(&content, peer->tls12->server_random, 32);
    bytes_add(&content, params.data, params.len);
    begin(message, SSL3_MT_SERVER_KEY_EXCHANGE);
    bytes_add(message, params.data, params.len);
    add_signature(peer, message, &content);
    bytes_fix_length(message, 4, 3);
    bytes_free(&params);
    bytes_free(&content);
}

static void build_certificate_verify(struct peer *peer, struct bytes *message)
{
    begin(message, SSL3_MT_CERTIFICATE_VERIFY);
    add_signature(peer, message, &peer->transcript);
    bytes_fix_length(message, 4, 3);
}

static void send_change_and_finished(struct peer *peer, struct bytes *message)
{
    bool skipped = has_edit(peer, AT_CCS, EDIT_SKIP);
    bool later = has_edit(peer, AT_CCS, EDIT_LATER);
    uint8_t mac[12];

    message->len = 0;
    bytes_add_number(message, 1, 1);
    peer_send_message(peer, AT_CCS, message);
    if (!skipped && !later) {
        peer->out = peer->tls12->next_out;
    }
    t12_finished(peer, !peer->is_server, mac);
    begin(message, SSL3_MT_FINISHED);
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

static size_t agree(EVP_PKEY *own, EVP_PKEY *other, uint8_t out[PREMASTER_MAX])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    size_t len = PREMASTER_MAX;

    REQUIRE(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
    REQUIRE(EVP_PKEY_derive_set_peer(ctx, other) == 1 && EVP_PKEY_derive(ctx, out, &len) == 1);
    EVP_PKEY_CTX_free(ctx);
    return len;
}

static EVP_PKEY *other_share(const EVP_PKEY *own, const uint8_t *public_key, size_t len)
{
    EVP_PKEY *other = EVP_PKEY_new();

    REQUIRE(other != NULL && EVP_PKEY_copy_parameters(other, own) == 1);
    REQUIRE(EVP_PKEY_set1_encoded_public_key(other, public_key, len) == 1);
    return other;
}

/* The premaster secret in the client's ClientKeyExchange. */
static size_t read_client_key_exchange(struct peer *peer, const struct bytes *message,
                                       uint8_t out[PREMASTER_MAX])
{
    enum t12_exchange exchange = peer->tls12->script->exchange;
    size_t start = exchange == T12_ECDHE ? 5 : 6;
    size_t len = PREMASTER_MAX;

    REQUIRE(message->len > start);
    if (exchange == T12_RSA) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(identity_of(exchange)->key, NULL);

        REQUIRE(ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1);
        REQUIRE(EVP_PKEY_decrypt(ctx, out, &len, message->data + start, message->len - start) == 1);
        EVP_PKEY_CTX_free(ctx);
    } else {
        EVP_PKEY *other = other_share(peer->share, message->data + start, message->len - start);

        len = agree(peer->share, other, out);
        EVP_PKEY_free(other);
    }
    return len;
}

static void send_server_flight(struct peer *peer, struct bytes *message)
{
    build_server_hello(peer, message);
    peer_send_message(peer, AT_SERVER_HELLO, message);
    peer->tls12->extended = has_extension(message, 23);
    build_certificate(peer, message);
    peer_send_message(peer, AT_CERTIFICATE, message);
    if (peer->tls12->script->status) {
        begin(message, SSL3_MT_CERTIFICATE_STATUS);
        bytes_add_hex(message, "01 000002 3000");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_CERTIFICATE_STATUS, message);
    }
    if (peer->tls12->script->exchange != T12_RSA) {
        build_server_key_exchange(peer, message);
        peer_send_message(peer, AT_SERVER_KEY_EXCHANGE, message);
    }
    if (peer->script->client_auth) {
        begin(message, SSL3_MT_CERTIFICATE_REQUEST);
        bytes_add_hex(message, "02 01 40 0006 0403 0804 0401 0000");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_CERTIFICATE_REQUEST, message);
    }
    begin(message, SSL3_MT_SERVER_DONE);
    peer_send_message(peer, AT_SERVER_HELLO_DONE, message);
    peer_run_ssl(peer);
}

static void run_server(struct peer *peer)
{
    struct bytes message = { 0 };
    uint8_t premaster[PREMASTER_MAX];
    size_t len;

    peer_run_ssl(peer);
    REQUIRE(take_until(peer, &message, SSL3_MT_CLIENT_HELLO));
    memcpy(peer->tls12->client_random, message.data + 6, 32);
    send_server_flight(peer, &message);
    if (take_until(peer, &message, SSL3_MT_CLIENT_KEY_EXCHANGE)) {
        len = read_client_key_exchange(peer, &message, premaster);
        t12_derive_keys(peer, premaster, len);
        if (take_until(peer, &message, SSL3_MT_FINISHED)) {
            send_change_and_finished(peer, &message);
            connected_stage(peer);
        }
    }
    bytes_free(&message);
}

/* Fills in the ClientKeyExchange that answers the server's parameters (or certificate); returns the
 * premaster secret's length. */
static size_t build_client_key_exchange(struct peer *peer, struct bytes *message,
                                        const struct bytes *server_params,
                                        uint8_t premaster[PREMASTER_MAX])
{
    const uint8_t *data = server_params->data;
    unsigned char *public_key = NULL;
    EVP_PKEY *other;
    size_t len, at;

    begin(message, SSL3_MT_CLIENT_KEY_EXCHANGE);
    if (peer->tls12->script->exchange == T12_RSA) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(identity_of(T12_RSA)->key, NULL);
        uint8_t encrypted[512];
        size_t encrypted_len = sizeof(encrypted);

        REQUIRE(RAND_bytes(premaster, 48) == 1);
        premaster[0] = 3;
        premaster[1] = 3;
        REQUIRE(ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1);
        REQUIRE(EVP_PKEY_encrypt(ctx, encrypted, &encrypted_len, premaster, 48) == 1);
        bytes_add_number(message, 2, encrypted_len);
        bytes_add(message, encrypted, encrypted_len);
        EVP_PKEY_CTX_free(ctx);
        return 48;
    }
    if (peer->tls12->script->exchange == T12_ECDHE) {
        peer_new_share(peer, data[6] == 0x17);
        other = other_share(peer->share, data + 8, data[7]);
        len = EVP_PKEY_get1_encoded_public_key(peer->share, &public_key);
        bytes_add_number(message, 1, len);
    } else {
        /* The server under test takes ffdhe2048 from SSL_set0_tmp_dh_pkey(). */
        peer->share = dh_key();
        at = 4 + 2 + (size_t)(data[4] << 8 | data[5]);
        at += 2 + (size_t)(data[at] << 8 | data[at + 1]);
        other = other_share(peer->share, data + at + 2, (size_t)(data[at] << 8 | data[at + 1]));
        len = EVP_PKEY_get1_encoded_public_key(peer->share, &public_key);
        bytes_add_number(message, 2, len);
    }
    bytes_add(message, public_key, len);
    OPENSSL_free(public_key);
    len = agree(peer->share, other, premaster);
    EVP_PKEY_free(other);
    return len;
}

static void send_client_flight(struct peer *peer, struct bytes *message, const struct bytes *params)
{
    uint8_t premaster[PREMASTER_MAX];
    size_t len;

    if (peer->script->client_auth) {
        build_certificate(peer, message);
        peer_send_message(peer, AT_CERTIFICATE, message);
    }
    len = build_client_key_exchange(peer, message, params, premaster);
    bytes_fix_length(message, 4, 3);
    peer_send_message(peer, AT_CLIENT_KEY_EXCHANGE, message);
    t12_derive_keys(peer, premaster, len);
    if (peer->script->client_auth) {
        build_certificate_verify(peer, message);
        peer_send_message(peer, AT_CERTIFICATE_VERIFY, message);
    }
    send_change_and_finished(peer, message);
}

static void run_client(struct peer *peer)
{
    struct bytes message = { 0 };
    struct bytes params = { 0 };

    build_client_hello(peer, &message);
    peer_send_message(peer, AT_CLIENT_HELLO, &message);
    peer_run_ssl(peer);
    if (take_until(peer, &message, SSL3_MT_SERVER_HELLO)) {
        bool done = false;

        memcpy(peer->tls12->server_random, message.data + 6, 32);
        peer->tls12->extended = has_extension(&message, 23);
        while (!done && peer_take_message(peer, &message)) {
            bytes_add(&peer->transcript, message.data, message.len);
            done = message.data[0] == SSL3_MT_SERVER_DONE;
            if (message.data[0] == SSL3_MT_SERVER_KEY_EXCHANGE) {
                bytes_add(&params, message.data, message.len);
            }
        }
        if (done) {
            send_client_flight(peer, &message, &params);
            connected_stage(peer);
        }
    }
    bytes_free(&message);
    bytes_free(&params);
}

static void prepare_server(SSL *ssl, SSL_CTX *ctx, const struct t12_case *script)
{
    SSL_certs_clear(ssl);
    identity_use_ssl(identity_of(script->exchange), ssl);
    if (script->exchange == T12_DHE) {
        REQUIRE(SSL_set0_tmp_dh_pkey(ssl, dh_key()) == 1);
    }
    if (script->base.client_auth) {
        SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
        identity_trust(identity_of(script->exchange), ctx);
    }
    SSL_set_accept_state(ssl);
}

static void prepare_client(SSL *ssl, const struct t12_case *script)
{
    REQUIRE(SSL_set_tlsext_host_name(ssl, "localhost") == 1);
    REQUIRE(SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2", 3) == 0);
    if (script->base.client_auth) {
        identity_use_ssl(identity_of(script->exchange), ssl);
    }
    if (script->status) {
        REQUIRE(SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) == 1);
    }
    SSL_set_connect_state(ssl);
}

void t12_run(enum peer_verdict verdict, const struct t12_case *script)
{
    bool server_under_test = script->base.server_under_test;
    SSL_CTX *ctx = server_under_test ? server_ctx_new() : client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    struct t12_state state = { .script = script };
    struct peer peer = { 0 };

    REQUIRE(ssl != NULL);
    if (server_under_test) {
        prepare_server(ssl, ctx, script);
    } else {
        prepare_client(ssl, script);
    }
    peer_join(&peer, ssl);
    peer.tls12 = &state;
    peer.script = &script->base;
    peer.is_server = !server_under_test;
    if (peer.is_server) {
        run_server(&peer);
    } else {
        run_client(&peer);
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
