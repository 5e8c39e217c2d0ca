/*
 * The scripted peer's bytes, keys and records (RFC 8446, 4.4.4, 5.2, 7.1 to 7.3), and the calls on
 * the SSL under test.
 */
#include "hs_peer.h"

#include "contract.h"

#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TAG_LEN 16

void bytes_free(struct bytes *b)
{
    free(b->data);
    memset(b, 0, sizeof(*b));
}

void bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (b->len + len > b->capacity) {
        b->capacity = (b->len + len) * 2 + 64;
        b->data = realloc(b->data, b->capacity);
        REQUIRE(b->data != NULL);
    }
    if (len > 0) {
        memcpy(b->data + b->len, data, len);
    }
    b->len += len;
}

void bytes_add_number(struct bytes *b, size_t num_bytes, size_t value)
{
    for (size_t i = num_bytes; i > 0; i--) {
        uint8_t byte = (uint8_t)(value >> (8 * (i - 1)));

        bytes_add(b, &byte, 1);
    }
}

void bytes_add_hex(struct bytes *b, const char *hex)
{
    for (const char *at = hex; at != NULL && *at != '\0'; at += 2) {
        unsigned value;

        while (*at == ' ') {
            at++;
        }
        REQUIRE(sscanf(at, "%2x", &value) == 1);
        bytes_add_number(b, 1, value);
    }
}

void bytes_remove(struct bytes *b, size_t offset, size_t len)
{
    REQUIRE(offset <= b->len && len <= b->len - offset);
    memmove(b->data + offset, b->data + offset + len, b->len - offset - len);
    b->len -= len;
}

void bytes_insert(struct bytes *b, size_t offset, const void *data, size_t len)
{
    size_t old_len = b->len;

    REQUIRE(offset <= old_len);
    bytes_add(b, data, len); /* makes room */
    memmove(b->data + offset + len, b->data + offset, old_len - offset);
    memcpy(b->data + offset, data, len);
}

void bytes_fix_length(struct bytes *b, size_t offset, size_t num_bytes)
{
    size_t value = b->len - offset;

    for (size_t i = 0; i < num_bytes; i++) {
        b->data[offset - 1 - i] = (uint8_t)(value >> (8 * i));
    }
}

static void expand_label(uint8_t *out, size_t out_len, const uint8_t secret[32], const char *label,
                         const uint8_t *context, size_t context_len)
{
    struct bytes info = { 0 };
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_HKDF, NULL);

    bytes_add_number(&info, 2, out_len);
    bytes_add_number(&info, 1, strlen(label) + 6);
    bytes_add(&info, "tls13 ", 6);
    bytes_add(&info, label, strlen(label));
    bytes_add_number(&info, 1, context_len);
    bytes_add(&info, context, context_len);
    REQUIRE(ctx != NULL && EVP_PKEY_derive_init(ctx) == 1);
    REQUIRE(EVP_PKEY_CTX_set_hkdf_mode(ctx, EVP_PKEY_HKDEF_MODE_EXPAND_ONLY) == 1);
    REQUIRE(EVP_PKEY_CTX_set_hkdf_md(ctx, EVP_sha256()) == 1);
    REQUIRE(EVP_PKEY_CTX_set1_hkdf_key(ctx, secret, 32) == 1);
    REQUIRE(EVP_PKEY_CTX_add1_hkdf_info(ctx, info.data, (int)info.len) == 1);
    REQUIRE(EVP_PKEY_derive(ctx, out, &out_len) == 1);
    EVP_PKEY_CTX_free(ctx);
    bytes_free(&info);
}

static void extract(uint8_t out[32], const uint8_t *salt, size_t salt_len, const uint8_t *key,
                    size_t key_len)
{
    unsigned len = 32;

    REQUIRE(HMAC(EVP_sha256(), salt, (int)salt_len, key, key_len, out, &len) != NULL);
}

static void derive_secret(uint8_t out[32], const uint8_t secret[32], const char *label,
                          const uint8_t hash[32])
{
    expand_label(out, 32, secret, label, hash, 32);
}

void peer_hash(const struct peer *peer, uint8_t hash[32])
{
    REQUIRE(EVP_Q_digest(NULL, "SHA256", NULL, peer->transcript.data, peer->transcript.len, hash,
                         NULL) == 1);
}

void peer_set_keys(struct peer_direction *direction, const uint8_t secret[32])
{
    memmove(direction->secret, secret, 32);
    expand_label(direction->key, sizeof(direction->key), secret, "key", NULL, 0);
    expand_label(direction->iv, sizeof(direction->iv), secret, "iv", NULL, 0);
    direction->sequence = 0;
    direction->on = true;
}

void peer_handshake_keys(struct peer *peer)
{
    static const uint8_t zeros[32];
    uint8_t empty[32], early[32], derived[32], hash[32];

    REQUIRE(EVP_Q_digest(NULL, "SHA256", NULL, "", 0, empty, NULL) == 1);
    extract(early, zeros, sizeof(zeros), zeros, sizeof(zeros));
    derive_secret(derived, early, "derived", empty);
    extract(peer->handshake_secret, derived, sizeof(derived), peer->shared_secret,
            peer->shared_secret_len);
    peer_hash(peer, hash);
    derive_secret(peer->client_handshake, peer->handshake_secret, "c hs traffic", hash);
    derive_secret(peer->server_handshake, peer->handshake_secret, "s hs traffic", hash);
    derive_secret(derived, peer->handshake_secret, "derived", empty);
    extract(peer->master_secret, derived, sizeof(derived), zeros, sizeof(zeros));
}

void peer_application_keys(struct peer *peer)
{
    uint8_t hash[32];

    peer_hash(peer, hash);
    derive_secret(peer->client_application, peer->master_secret, "c ap traffic", hash);
    derive_secret(peer->server_application, peer->master_secret, "s ap traffic", hash);
}

void peer_finished(const struct peer *peer, const uint8_t secret[32], uint8_t mac[32])
{
    uint8_t key[32], hash[32];

    expand_label(key, sizeof(key), secret, "finished", NULL, 0);
    peer_hash(peer, hash);
    extract(mac, key, sizeof(key), hash, sizeof(hash));
}

void peer_new_share(struct peer *peer, bool p256)
{
    EVP_PKEY_free(peer->share);
    peer->share = p256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                       : EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
    REQUIRE(peer->share != NULL);
}

void peer_derive(struct peer *peer, const uint8_t *public_key, size_t len)
{
    EVP_PKEY *other = EVP_PKEY_new();
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(peer->share, NULL);

    REQUIRE(other != NULL && ctx != NULL && EVP_PKEY_copy_parameters(other, peer->share) == 1);
    REQUIRE(EVP_PKEY_set1_encoded_public_key(other, public_key, len) == 1);
    peer->shared_secret_len = sizeof(peer->shared_secret);
    REQUIRE(EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, other) == 1);
    REQUIRE(EVP_PKEY_derive(ctx, peer->shared_secret, &peer->shared_secret_len) == 1);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(other);
}

void peer_join(struct peer *peer, SSL *ssl)
{
    BIO *in = BIO_new(BIO_s_mem());
    BIO *out = BIO_new(BIO_s_mem());

    REQUIRE(in != NULL && out != NULL);
    BIO_set_mem_eof_return(in, -1);
    SSL_set_bio(ssl, in, out);
    peer->ssl = ssl;
    peer->alert = -1;
}

void peer_send_raw(struct peer *peer, const void *data, size_t len)
{
    REQUIRE(len == 0 || BIO_write(SSL_get_rbio(peer->ssl), data, (int)len) == (int)len);
}

/* RFC 8446, 5.3. */
static void next_nonce(struct peer_direction *direction, uint8_t nonce[12])
{
    memcpy(nonce, direction->iv, 12);
    for (size_t i = 0; i < 8; i++) {
        nonce[11 - i] ^= (uint8_t)(direction->sequence >> (8 * i));
    }
    direction->sequence++;
}

static void seal(struct peer *peer, struct bytes *record, const struct bytes *inner)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12], tag[TAG_LEN];
    int len;

    next_nonce(&peer->out, nonce);
    REQUIRE(ctx != NULL);
    REQUIRE(EVP_EncryptInit_ex2(ctx, EVP_aes_128_gcm(), peer->out.key, nonce, NULL) == 1);
    REQUIRE(EVP_EncryptUpdate(ctx, NULL, &len, record->data, 5) == 1);
    bytes_add(record, inner->data, inner->len);
    REQUIRE(EVP_EncryptUpdate(ctx, record->data + 5, &len, inner->data, (int)inner->len) == 1);
    REQUIRE(EVP_EncryptFinal_ex(ctx, nonce, &len) == 1);
    REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1);
    bytes_add(record, tag, TAG_LEN);
    EVP_CIPHER_CTX_free(ctx);
}

void peer_send_record(struct peer *peer, const struct peer_record *form, const void *data,
                      size_t len)
{
    struct bytes record = { 0 };
    struct bytes inner = { 0 };
    bool sealed = peer->out.on && form->type != SSL3_RT_CHANGE_CIPHER_SPEC;
    unsigned outer = sealed ? SSL3_RT_APPLICATION_DATA : form->type;

    if (peer->tls12 != NULL) {
        t12_send_record(peer, form, data, len);
        return;
    }
    bytes_add(&inner, data, len);
    if (sealed) {
        bytes_add_number(&inner, 1, form->type);
        for (size_t i = 0; i < form->padding; i++) {
            bytes_add_number(&inner, 1, 0);
        }
    }
    bytes_add_number(&record, 1, form->outer_type != 0 ? form->outer_type : outer);
    bytes_add_number(&record, 2, form->version != 0 ? form->version : 0x0303);
    bytes_add_number(&record, 2, inner.len + (sealed ? TAG_LEN : 0));
    if (sealed) {
        seal(peer, &record, &inner);
    } else {
        bytes_add(&record, inner.data, inner.len);
    }
    if (form->break_tag) {
        record.data[record.len - 1] ^= 1;
    }
    peer_send_raw(peer, record.data, record.len);
    bytes_free(&record);
    bytes_free(&inner);
}

/* Returns false when the record is not under these keys. */
static bool open_record(struct peer_direction *direction, const uint8_t *record, size_t len,
                        struct bytes *inner)
{
    struct peer_direction before = *direction;
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[12], tag[TAG_LEN];
    size_t body = len - 5 - TAG_LEN;
    int out_len;
    bool good;

    REQUIRE(len > 5 + TAG_LEN && ctx != NULL);
    inner->len = 0;
    bytes_add(inner, record + 5, body);
    memcpy(tag, record + len - TAG_LEN, TAG_LEN);
    next_nonce(direction, nonce);
    REQUIRE(EVP_DecryptInit_ex2(ctx, EVP_aes_128_gcm(), direction->key, nonce, NULL) == 1);
    REQUIRE(EVP_DecryptUpdate(ctx, NULL, &out_len, record, 5) == 1);
    REQUIRE(EVP_DecryptUpdate(ctx, inner->data, &out_len, record + 5, (int)body) == 1);
    REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1);
    good = EVP_DecryptFinal_ex(ctx, nonce, &out_len) == 1;
    if (!good) {
        *direction = before;
    }
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

void peer_take_content(struct peer *peer, unsigned type, bool encrypted, const uint8_t *data,
                       size_t len)
{
    if (type == SSL3_RT_ALERT && len == 2) {
        if (peer->num_alerts++ == 0) {
            peer->alert = data[0] << 8 | data[1];
            peer->alert_encrypted = encrypted;
        }
    } else if (type == SSL3_RT_HANDSHAKE) {
        bytes_add(&peer->incoming, data, len);
    }
}

static void take_record(struct peer *peer, const uint8_t *record, size_t len)
{
    struct bytes inner = { 0 };

    if (peer->tls12 != NULL) {
        t12_take_record(peer, record, len);
        return;
    }
    if (record[0] != SSL3_RT_APPLICATION_DATA) {
        peer->saw_ccs |= record[0] == SSL3_RT_CHANGE_CIPHER_SPEC;
        peer_take_content(peer, record[0], false, record + 5, len - 5);
        return;
    }
    /* An alert may come under the keys of the next epoch. What comes under keys that this peer does
     * not know is passed over: its own key share was edited away. */
    if (!(peer->in.on && open_record(&peer->in, record, len, &inner))) {
        struct peer_direction other = { 0 };

        peer_set_keys(&other,
                      peer->is_server ? peer->client_application : peer->server_application);
        if (!open_record(&other, record, len, &inner)) {
            bytes_free(&inner);
            return;
        }
        peer->in = other;
    }
    while (inner.len > 0 && inner.data[inner.len - 1] == 0) {
        inner.len--;
    }
    if (inner.len > 0) {
        peer_take_content(peer, inner.data[inner.len - 1], true, inner.data, inner.len - 1);
    }
    bytes_free(&inner);
}

/* Looks at one more record; false when there is none that can be read. */
static bool take_next_record(struct peer *peer)
{
    size_t len;

    if (peer->raw.len < 5 || (peer->raw.data[0] == SSL3_RT_APPLICATION_DATA && !peer->in.on)) {
        return false;
    }
    len = 5 + (size_t)(peer->raw.data[3] << 8 | peer->raw.data[4]);
    REQUIRE(len <= peer->raw.len);
    take_record(peer, peer->raw.data, len);
    bytes_remove(&peer->raw, 0, len);
    return true;
}

void peer_drain(struct peer *peer)
{
    while (take_next_record(peer)) {
    }
}

static void collect_output(struct peer *peer)
{
    uint8_t *data;
    long len = BIO_get_mem_data(SSL_get_wbio(peer->ssl), &data);

    bytes_add(&peer->raw, data, (size_t)len);
    REQUIRE(BIO_reset(SSL_get_wbio(peer->ssl)) == 1);
}

static void judge(struct peer *peer, const char *call, int ret)
{
    int error = SSL_get_error(peer->ssl, ret);

    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE || peer->failed) {
        return;
    }
    peer->failed = true;
    peer->call = call;
    peer->ret = ret;
    peer->error = error;
    peer->reason = 0;
    peer->last_reason = ERR_peek_last_error();
    while (peer->reason == 0 || ERR_GET_LIB(peer->reason) != ERR_LIB_SSL) {
        unsigned long code = ERR_get_error();

        if (code == 0) {
            break;
        }
        peer->reason = code;
    }
}

void peer_run_ssl(struct peer *peer)
{
    char data[256];
    int ret;

    ERR_clear_error();
    if (!peer->failed && !peer->connected) {
        ret = SSL_do_handshake(peer->ssl);
        peer->connected = ret == 1;
        if (ret != 1) {
            judge(peer, "handshake", ret);
        }
    }
    while (!peer->failed && peer->connected) {
        ERR_clear_error();
        ret = SSL_read(peer->ssl, data, sizeof(data));
        if (ret <= 0) {
            judge(peer, "read", ret);
            break;
        }
        peer->data_received += (size_t)ret;
    }
    ERR_clear_error();
    collect_output(peer);
}

static bool whole_message(const struct bytes *in, size_t *len)
{
    if (in->len < 4) {
        return false;
    }
    *len = 4 + (size_t)(in->data[1] << 16 | in->data[2] << 8 | in->data[3]);
    return in->len >= *len;
}

bool peer_take_message(struct peer *peer, struct bytes *message)
{
    size_t len;

    message->len = 0;
    while (!whole_message(&peer->incoming, &len)) {
        if (!take_next_record(peer)) {
            return false;
        }
    }
    bytes_add(message, peer->incoming.data, len);
    bytes_remove(&peer->incoming, 0, len);
    return true;
}
