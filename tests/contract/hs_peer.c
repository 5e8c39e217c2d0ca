/*
 * The scripted peer's messages and flows (RFC 8446, 2 and 4), as a client and as a server.
 */
#include "hs_peer.h"

#include "contract.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#define GROUP_P256   0x0017
#define GROUP_X25519 0x001d

static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
};

static void begin(struct bytes *message, unsigned type)
{
    message->len = 0;
    bytes_add_number(message, 1, type);
    bytes_add_number(message, 3, 0);
}

static void add_share(struct peer *peer, struct bytes *out, bool p256)
{
    unsigned char *public_key = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(peer->share, &public_key);

    REQUIRE(len > 0);
    bytes_add_number(out, 2, p256 ? GROUP_P256 : GROUP_X25519);
    bytes_add_number(out, 2, len);
    bytes_add(out, public_key, len);
    OPENSSL_free(public_key);
}

static void add_client_extensions(struct peer *peer, struct bytes *message, bool p256)
{
    size_t block, extension;

    bytes_add_number(message, 2, 0);
    block = message->len;
    bytes_add_hex(message, "0000 000e 000c 00 0009 6c6f63616c686f7374"); /* server_name */
    bytes_add_hex(message, "000a 0006 0004 001d 0017");                  /* supported_groups */
    bytes_add_hex(message, "000d 000a 0008 0403 0804 0807 0401");        /* signature_algorithms */
    bytes_add_hex(message, "002b 0003 02 0304");                         /* supported_versions */
    bytes_add_hex(message, "002d 0002 01 01"); /* psk_key_exchange_modes */
    bytes_add_hex(message, "0033 0000 0000");  /* key_share */
    extension = message->len;
    add_share(peer, message, p256);
    bytes_fix_length(message, extension, 2);
    bytes_fix_length(message, extension - 2, 2);
    bytes_fix_length(message, block, 2);
}

static void build_client_hello(struct peer *peer, struct bytes *message, bool p256)
{
    uint8_t random[32];

    REQUIRE(RAND_bytes(random, sizeof(random)) == 1);
    begin(message, SSL3_MT_CLIENT_HELLO);
    bytes_add_hex(message, "0303");
    bytes_add(message, random, sizeof(random));
    bytes_add_number(message, 1, peer->session_id_len);
    bytes_add(message, peer->session_id, peer->session_id_len);
    bytes_add_hex(message, "0002 1301 01 00");
    add_client_extensions(peer, message, p256);
    bytes_fix_length(message, 4, 3);
}

/* The second hello differs only in what RFC 8446, 4.1.2 lets it: the random must stay. */
static void build_second_hello(struct peer *peer, struct bytes *message)
{
    build_client_hello(peer, message, true);
    memcpy(message->data + 6, peer->hello.data + 6, 32);
}

static void build_server_hello(struct peer *peer, struct bytes *message, bool retry, bool p256)
{
    uint8_t random[32];
    size_t block, extension;

    REQUIRE(RAND_bytes(random, sizeof(random)) == 1);
    begin(message, SSL3_MT_SERVER_HELLO);
    bytes_add_hex(message, "0303");
    bytes_add(message, retry ? retry_random : random, 32);
    bytes_add_number(message, 1, peer->session_id_len);
    bytes_add(message, peer->session_id, peer->session_id_len);
    bytes_add_hex(message, "1301 00 0000");
    block = message->len;
    bytes_add_hex(message, "002b 0002 0304");
    if (retry) {
        bytes_add_hex(message, "0033 0002 0017");
    } else {
        bytes_add_hex(message, "0033 0000");
        extension = message->len;
        add_share(peer, message, p256);
        bytes_fix_length(message, extension, 2);
    }
    bytes_fix_length(message, block, 2);
    bytes_fix_length(message, 4, 3);
}

static void build_certificate(struct bytes *message)
{
    unsigned char *der = NULL;
    int len = i2d_X509(identity_default()->cert, &der);

    REQUIRE(len > 0);
    begin(message, SSL3_MT_CERTIFICATE);
    bytes_add_number(message, 1, 0);
    bytes_add_number(message, 3, (size_t)len + 5);
    bytes_add_number(message, 3, (size_t)len);
    bytes_add(message, der, (size_t)len);
    bytes_add_number(message, 2, 0);
    bytes_fix_length(message, 4, 3);
    OPENSSL_free(der);
}

static void build_certificate_verify(struct peer *peer, struct bytes *message)
{
    const char *context =
        peer->is_server ? "TLS 1.3, server CertificateVerify" : "TLS 1.3, client CertificateVerify";
    struct bytes content = { 0 };
    uint8_t hash[32], signature[256];
    size_t len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();

    for (int i = 0; i < 64; i++) {
        bytes_add_number(&content, 1, 0x20);
    }
    bytes_add(&content, context, strlen(context) + 1);
    peer_hash(peer, hash);
    bytes_add(&content, hash, sizeof(hash));
    REQUIRE(ctx != NULL);
    REQUIRE(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, identity_default()->key) == 1);
    REQUIRE(EVP_DigestSign(ctx, signature, &len, content.data, content.len) == 1);
    EVP_MD_CTX_free(ctx);
    bytes_free(&content);
    begin(message, SSL3_MT_CERTIFICATE_VERIFY);
    bytes_add_hex(message, "0403");
    bytes_add_number(message, 2, len);
    bytes_add(message, signature, len);
    bytes_fix_length(message, 4, 3);
}

static void send_finished(struct peer *peer, struct bytes *message, const uint8_t secret[32])
{
    uint8_t mac[32];

    peer_finished(peer, secret, mac);
    begin(message, SSL3_MT_FINISHED);
    bytes_add(message, mac, sizeof(mac));
    bytes_fix_length(message, 4, 3);
    peer_send_message(peer, AT_FINISHED, message);
}

static void send_ccs(struct peer *peer, struct bytes *message)
{
    message->len = 0;
    bytes_add_number(message, 1, 1);
    peer_send_message(peer, AT_CCS, message);
}

/* Copies an extension's body out of a received hello; false when it is not there. */
static bool received_share(const struct bytes *hello, bool server_hello, const uint8_t **key,
                           size_t *len)
{
    const uint8_t *data = hello->data;
    size_t at = 38;

    at += 1 + (size_t)data[at];
    if (server_hello) {
        at += 3;
    } else {
        at += 2 + (size_t)(data[at] << 8 | data[at + 1]);
        at += 1 + (size_t)data[at];
    }
    for (at += 2; at + 4 <= hello->len; at += 4 + (size_t)(data[at + 2] << 8 | data[at + 3])) {
        if (data[at] == 0 && data[at + 1] == 0x33) {
            at += server_hello ? 4 : 6;
            *len = (size_t)(data[at + 2] << 8 | data[at + 3]);
            *key = data + at + 4;
            return true;
        }
    }
    return false;
}

/* RFC 8446, 4.4.1: the first hello counts as a message_hash message once a retry is asked for. */
static void replace_first_hello(struct peer *peer)
{
    uint8_t hash[32];

    peer_hash(peer, hash);
    peer->transcript.len = 0;
    bytes_add_hex(&peer->transcript, "fe 000020");
    bytes_add(&peer->transcript, hash, sizeof(hash));
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

static void client_second_flight(struct peer *peer, struct bytes *message, bool ccs)
{
    if (ccs) {
        send_ccs(peer, message);
    }
    peer_set_keys(&peer->out, peer->client_handshake);
    if (peer->script->client_auth) {
        build_certificate(message);
        peer_send_message(peer, AT_CERTIFICATE, message);
        build_certificate_verify(peer, message);
        peer_send_message(peer, AT_CERTIFICATE_VERIFY, message);
    }
    send_finished(peer, message, peer->client_handshake);
    peer_set_keys(&peer->out, peer->client_application);
    peer_set_keys(&peer->in, peer->server_application);
}

static void run_client(struct peer *peer)
{
    struct bytes message = { 0 };
    const uint8_t *key;
    size_t len;

    peer_new_share(peer, false);
    build_client_hello(peer, &message, false);
    bytes_add(&peer->hello, message.data, message.len);
    peer_send_message(peer, AT_CLIENT_HELLO, &message);
    peer_run_ssl(peer);
    if (peer->script->retry && peer_take_message(peer, &message)) {
        replace_first_hello(peer);
        bytes_add(&peer->transcript, message.data, message.len);
        send_ccs(peer, &message);
        peer_new_share(peer, true);
        build_second_hello(peer, &message);
        peer_send_message(peer, AT_SECOND_HELLO, &message);
        peer_run_ssl(peer);
    }
    if (!take_until(peer, &message, SSL3_MT_SERVER_HELLO)) {
        bytes_free(&message);
        return;
    }
    peer->asked_retry = memcmp(message.data + 6, retry_random, sizeof(retry_random)) == 0;
    if (!peer->asked_retry && received_share(&message, true, &key, &len)) {
        peer_derive(peer, key, len);
        peer_handshake_keys(peer);
        peer_set_keys(&peer->in, peer->server_handshake);
    }
    bytes_free(&message);
}

static void finish_client(struct peer *peer)
{
    struct bytes message = { 0 };

    if (take_until(peer, &message, SSL3_MT_FINISHED)) {
        peer_application_keys(peer);
        client_second_flight(peer, &message, !peer->script->retry);
        connected_stage(peer);
    }
    bytes_free(&message);
}

static void server_flight(struct peer *peer, struct bytes *message)
{
    begin(message, SSL3_MT_ENCRYPTED_EXTENSIONS);
    bytes_add_number(message, 2, 0);
    bytes_fix_length(message, 4, 3);
    peer_send_message(peer, AT_ENCRYPTED_EXTENSIONS, message);
    if (peer->script->client_auth) {
        begin(message, SSL3_MT_CERTIFICATE_REQUEST);
        bytes_add_hex(message, "00 0008 000d 0004 0002 0403");
        bytes_fix_length(message, 4, 3);
        peer_send_message(peer, AT_CERTIFICATE_REQUEST, message);
    }
    build_certificate(message);
    peer_send_message(peer, AT_CERTIFICATE, message);
    build_certificate_verify(peer, message);
    peer_send_message(peer, AT_CERTIFICATE_VERIFY, message);
    send_finished(peer, message, peer->server_handshake);
    peer_application_keys(peer);
    peer_set_keys(&peer->out, peer->server_application);
}

/* Where extension `type` lies in a ClientHello: NULL when absent. */
static const uint8_t *hello_extension(const struct bytes *hello, unsigned type, size_t *len)
{
    const uint8_t *data = hello->data;
    size_t at = 38;

    at += 1 + (size_t)data[at];
    at += 2 + (size_t)(data[at] << 8 | data[at + 1]);
    at += 1 + (size_t)data[at];
    for (at += 2; at + 4 <= hello->len; at += 4 + *len) {
        *len = (size_t)(data[at + 2] << 8 | data[at + 3]);
        if ((unsigned)(data[at] << 8 | data[at + 1]) == type) {
            return data + at + 4;
        }
    }
    return NULL;
}

/* RFC 8446, 4.1.2: a second hello changes only certain extensions, and brings the cookie back. */
static void check_second_hello(const struct peer *peer, const struct bytes *second)
{
    static const unsigned equal[] = { 0, 10, 13, 16, 43, 45 };
    const struct bytes *first = &peer->hello;
    const struct peer_edit *edit = peer->script->edits;

    CHECK(memcmp(first->data + 4, second->data + 4, 75) == 0);
    for (size_t i = 0; i < sizeof(equal) / sizeof(equal[0]); i++) {
        size_t len = 0;
        size_t second_len = 0;
        const uint8_t *one = hello_extension(first, equal[i], &len);
        const uint8_t *other = hello_extension(second, equal[i], &second_len);

        CHECK((one != NULL) == (other != NULL));
        CHECK(one == NULL || (len == second_len && memcmp(one, other, len) == 0));
    }
    if (edit->at == AT_RETRY_REQUEST && edit->kind == EDIT_EXT_ADD && edit->a == 44) {
        struct bytes cookie = { 0 };
        size_t len = 0;
        const uint8_t *returned = hello_extension(second, 44, &len);

        bytes_add_hex(&cookie, edit->hex);
        CHECK(cookie.len <= 2 ||
              (returned != NULL && len == cookie.len && memcmp(returned, cookie.data, len) == 0));
        bytes_free(&cookie);
    }
}

/* Takes the client's hello; false when there is none. */
static bool take_hello(struct peer *peer, struct bytes *message, bool derive)
{
    const uint8_t *key;
    size_t len;

    if (!take_until(peer, message, SSL3_MT_CLIENT_HELLO)) {
        return false;
    }
    if (peer->hello.len == 0) {
        bytes_add(&peer->hello, message->data, message->len);
    } else {
        check_second_hello(peer, message);
    }
    peer->session_id_len = message->data[38];
    memcpy(peer->session_id, message->data + 39, peer->session_id_len);
    if (derive && received_share(message, false, &key, &len)) {
        peer_derive(peer, key, len);
    }
    return true;
}

static void run_server(struct peer *peer)
{
    struct bytes message = { 0 };
    bool retry = peer->script->retry;

    peer_new_share(peer, retry);
    peer_run_ssl(peer);
    REQUIRE(take_hello(peer, &message, !retry));
    if (retry) {
        replace_first_hello(peer);
        build_server_hello(peer, &message, true, true);
        peer_send_message(peer, AT_RETRY_REQUEST, &message);
        send_ccs(peer, &message);
        peer_run_ssl(peer);
    }
    if (!retry || take_hello(peer, &message, true)) {
        build_server_hello(peer, &message, false, retry);
        peer_send_message(peer, AT_SERVER_HELLO, &message);
        if (!retry) {
            send_ccs(peer, &message);
        }
        peer_handshake_keys(peer);
        peer_set_keys(&peer->out, peer->server_handshake);
        peer_set_keys(&peer->in, peer->client_handshake);
        server_flight(peer, &message);
        connected_stage(peer);
    }
    bytes_free(&message);
}

void peer_run(struct peer *peer, SSL *ssl, const struct peer_case *script)
{
    memset(peer, 0, sizeof(*peer));
    peer_join(peer, ssl);
    peer->script = script;
    peer->is_server = !script->server_under_test;
    if (peer->is_server) {
        run_server(peer);
    } else {
        peer->session_id_len = sizeof(peer->session_id);
        pattern_fill(peer->session_id, sizeof(peer->session_id), 7);
        run_client(peer);
        finish_client(peer);
    }
    peer_drain(peer);
}

void peer_free(struct peer *peer)
{
    bytes_free(&peer->transcript);
    bytes_free(&peer->raw);
    bytes_free(&peer->incoming);
    bytes_free(&peer->hello);
    bytes_free(&peer->held);
    bytes_free(&peer->later);
    EVP_PKEY_free(peer->share);
    OPENSSL_cleanse(peer, sizeof(*peer));
}
