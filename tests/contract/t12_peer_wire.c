/*
 * The TLS 1.2 peer's records (RFC 5246, 6.2.3.3; RFC 5288, 3) and secrets (RFC 5246, 5, 6.3, 8.1).
 */
#include "contract.h"
#include "t12_peer.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#define TAG_LEN      16
#define EXPLICIT_LEN 8
#define SALT_LEN     4

void t12_prf(uint8_t *out, size_t out_len, const uint8_t *secret, size_t secret_len,
             const char *label, const uint8_t *seed, size_t seed_len)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    struct bytes all = { 0 };
    struct bytes key = { 0 };
    OSSL_PARAM params[4];

    bytes_add(&all, label, strlen(label));
    bytes_add(&all, seed, seed_len);
    bytes_add(&key, secret, secret_len);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char[]){ "SHA256" }, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, key.data, key.len);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, all.data, all.len);
    params[3] = OSSL_PARAM_construct_end();
    REQUIRE(ctx != NULL && EVP_KDF_derive(ctx, out, out_len, params) == 1);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    bytes_free(&all);
    bytes_free(&key);
}

static void derive_master(struct peer *peer, const uint8_t *premaster, size_t len)
{
    struct t12_state *state = peer->tls12;
    uint8_t seed[64];

    if (state->extended) {
        peer_hash(peer, seed);
        t12_prf(state->master, sizeof(state->master), premaster, len, "extended master secret",
                seed, 32);
        return;
    }
    memcpy(seed, state->client_random, 32);
    memcpy(seed + 32, state->server_random, 32);
    t12_prf(state->master, sizeof(state->master), premaster, len, "master secret", seed, 64);
}

void t12_derive_keys(struct peer *peer, const uint8_t *premaster, size_t len)
{
    derive_master(peer, premaster, len);
    t12_install_keys(peer);
}

void t12_install_keys(struct peer *peer)
{
    struct t12_state *state = peer->tls12;
    struct peer_direction *client = peer->is_server ? &state->next_in : &state->next_out;
    struct peer_direction *server = peer->is_server ? &state->next_out : &state->next_in;
    uint8_t seed[64], block[40];

    memcpy(seed, state->server_random, 32);
    memcpy(seed + 32, state->client_random, 32);
    t12_prf(block, sizeof(block), state->master, sizeof(state->master), "key expansion", seed, 64);
    memcpy(client->key, block, 16);
    memcpy(server->key, block + 16, 16);
    memcpy(client->iv, block + 32, SALT_LEN);
    memcpy(server->iv, block + 36, SALT_LEN);
    client->on = true;
    server->on = true;
}

void t12_finished(const struct peer *peer, bool of_client, uint8_t mac[12])
{
    uint8_t hash[32];

    peer_hash(peer, hash);
    t12_prf(mac, 12, peer->tls12->master, sizeof(peer->tls12->master),
            of_client ? "client finished" : "server finished", hash, sizeof(hash));
}

/* RFC 5246, 6.2.3.3: sequence number, then type, version and length of the plaintext. */
static void additional_data(uint8_t out[13], uint64_t sequence, const uint8_t *header, size_t len)
{
    for (size_t i = 0; i < 8; i++) {
        out[7 - i] = (uint8_t)(sequence >> (8 * i));
    }
    memcpy(out + 8, header, 3);
    out[11] = (uint8_t)(len >> 8);
    out[12] = (uint8_t)len;
}

static void seal(struct peer_direction *direction, struct bytes *record, const uint8_t *data,
                 size_t len)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[SALT_LEN + EXPLICIT_LEN], extra[13], tag[TAG_LEN];
    int out_len;

    additional_data(extra, direction->sequence, record->data, len);
    memcpy(nonce, direction->iv, SALT_LEN);
    memcpy(nonce + SALT_LEN, extra, EXPLICIT_LEN);
    direction->sequence++;
    bytes_add(record, extra, EXPLICIT_LEN);
    bytes_add(record, data, len);
    REQUIRE(ctx != NULL);
    REQUIRE(EVP_EncryptInit_ex2(ctx, EVP_aes_128_gcm(), direction->key, nonce, NULL) == 1);
    REQUIRE(EVP_EncryptUpdate(ctx, NULL, &out_len, extra, sizeof(extra)) == 1);
    REQUIRE(EVP_EncryptUpdate(ctx, record->data + 5 + EXPLICIT_LEN, &out_len, data, (int)len) == 1);
    REQUIRE(EVP_EncryptFinal_ex(ctx, tag, &out_len) == 1);
    REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, tag) == 1);
    bytes_add(record, tag, TAG_LEN);
    EVP_CIPHER_CTX_free(ctx);
}

void t12_send_record(struct peer *peer, const struct peer_record *form, const void *data,
                     size_t len)
{
    struct bytes record = { 0 };

    bytes_add_number(&record, 1, form->outer_type != 0 ? form->outer_type : form->type);
    bytes_add_number(&record, 2, form->version != 0 ? form->version : 0x0303);
    bytes_add_number(&record, 2, 0);
    if (peer->out.on) {
        seal(&peer->out, &record, data, len);
    } else {
        bytes_add(&record, data, len);
    }
    bytes_fix_length(&record, 5, 2);
    if (form->break_tag) {
        record.data[record.len - 1] ^= 1;
    }
    peer_send_raw(peer, record.data, record.len);
    bytes_free(&record);
}

/* Returns false when the record is not under these keys. */
static bool open_record(struct peer_direction *direction, const uint8_t *record, size_t len,
                        struct bytes *content)
{
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t nonce[SALT_LEN + EXPLICIT_LEN], extra[13], tag[TAG_LEN];
    int out_len;
    bool good;

    if (len < 5 + EXPLICIT_LEN + TAG_LEN) {
        EVP_CIPHER_CTX_free(ctx);
        return false;
    }
    bytes_add(content, record + 5 + EXPLICIT_LEN, len - 5 - EXPLICIT_LEN - TAG_LEN);
    additional_data(extra, direction->sequence, record, content->len);
    memcpy(nonce, direction->iv, SALT_LEN);
    memcpy(nonce + SALT_LEN, record + 5, EXPLICIT_LEN);
    memcpy(tag, record + len - TAG_LEN, TAG_LEN);
    REQUIRE(ctx != NULL);
    REQUIRE(EVP_DecryptInit_ex2(ctx, EVP_aes_128_gcm(), direction->key, nonce, NULL) == 1);
    REQUIRE(EVP_DecryptUpdate(ctx, NULL, &out_len, extra, sizeof(extra)) == 1);
    REQUIRE(EVP_DecryptUpdate(ctx, content->data, &out_len, content->data, (int)content->len) == 1);
    REQUIRE(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, tag) == 1);
    good = EVP_DecryptFinal_ex(ctx, tag, &out_len) == 1;
    direction->sequence += good;
    EVP_CIPHER_CTX_free(ctx);
    return good;
}

void t12_take_record(struct peer *peer, const uint8_t *record, size_t len)
{
    struct bytes content = { 0 };
    bool sealed = peer->in.on;

    if (!sealed) {
        bytes_add(&content, record + 5, len - 5);
    } else if (!open_record(&peer->in, record, len, &content)) {
        bytes_free(&content);
        return;
    }
    if (record[0] == SSL3_RT_CHANGE_CIPHER_SPEC) {
        peer->in = peer->tls12->next_in;
    } else {
        peer_take_content(peer, record[0], sealed, content.data, content.len);
    }
    bytes_free(&content);
}
