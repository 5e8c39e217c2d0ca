/*
 * The TLS 1.2 peer's key exchanges: ServerKeyExchange, ClientKeyExchange and the premaster secret
 * (RFC 5246, 7.4.3, 7.4.7; RFC 4279, 2 to 4).
 */
#include "contract.h"
#include "t12_peer.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

static const struct t12_traits all_traits[] = {
    [T12_ECDHE] = { 0xc02b, T12_SECRET_ECDHE, .certificate = true },
    [T12_DHE] = { 0x009e, T12_SECRET_DHE, .certificate = true },
    [T12_RSA] = { 0x009c, T12_SECRET_RSA, .certificate = true },
    [T12_PSK] = { 0x00a8, T12_SECRET_NONE, .psk = true },
    [T12_DHE_PSK] = { 0x00aa, T12_SECRET_DHE, .psk = true },
    [T12_RSA_PSK] = { 0x00ac, T12_SECRET_RSA, .certificate = true, .psk = true },
};

static struct identity *rsa;

const struct t12_traits *t12_traits_of(enum t12_exchange exchange)
{
    return &all_traits[exchange];
}

static const struct t12_traits *traits_of_peer(const struct peer *peer)
{
    return t12_traits_of(peer->tls12->script->exchange);
}

const struct identity *t12_identity(enum t12_exchange exchange)
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

void t12_begin(struct bytes *message, unsigned type)
{
    message->len = 0;
    bytes_add_number(message, 1, type);
    bytes_add_number(message, 3, 0);
}

/* --- The pre-shared key --- */

#define PSK_LEN 32

unsigned int t12_psk_client(SSL *ssl, const char *hint, char *identity, unsigned int max_identity,
                            unsigned char *psk, unsigned int max_psk)
{
    (void)ssl;
    if (hint != NULL) {
        note("  hint of %zu", strlen(hint));
    }
    REQUIRE(max_identity >= 8 && max_psk >= PSK_LEN);
    memcpy(identity, "someone", 8);
    memset(psk, 'k', PSK_LEN);
    return PSK_LEN;
}

unsigned int t12_psk_server(SSL *ssl, const char *identity, unsigned char *psk,
                            unsigned int max_psk)
{
    (void)ssl;
    note("  identity of %zu", strlen(identity));
    REQUIRE(max_psk >= PSK_LEN);
    memset(psk, 'k', PSK_LEN);
    return PSK_LEN;
}

/* RFC 4279, 2: puts the other secret (`len` bytes in `premaster`) and the key together. */
static size_t mix_psk(const struct peer *peer, uint8_t premaster[T12_PREMASTER_MAX], size_t len)
{
    struct bytes both = { 0 };
    uint8_t key[PSK_LEN];

    if (!traits_of_peer(peer)->psk) {
        return len;
    }
    if (traits_of_peer(peer)->secret == T12_SECRET_NONE) {
        len = PSK_LEN;
        memset(premaster, 0, len);
    }
    memset(key, 'k', sizeof(key));
    bytes_add_number(&both, 2, len);
    bytes_add(&both, premaster, len);
    bytes_add_number(&both, 2, sizeof(key));
    bytes_add(&both, key, sizeof(key));
    len = both.len;
    REQUIRE(len <= T12_PREMASTER_MAX);
    memcpy(premaster, both.data, len);
    bytes_free(&both);
    return len;
}

/* How long the text in front is that belongs to the pre-shared key, with its length. */
static size_t psk_part(const struct peer *peer, const struct bytes *message)
{
    if (!traits_of_peer(peer)->psk) {
        return 0;
    }
    REQUIRE(message->len >= 6);
    return 2 + (size_t)(message->data[4] << 8 | message->data[5]);
}

/* --- ServerKeyExchange --- */

void t12_add_signature(struct peer *peer, struct bytes *message, const struct bytes *content)
{
    enum t12_exchange exchange = peer->tls12->script->exchange;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t signature[512];
    size_t len = sizeof(signature);

    REQUIRE(ctx != NULL &&
            EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, t12_identity(exchange)->key) == 1);
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

EVP_PKEY *t12_dh_key(void)
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

static void add_parameters(struct peer *peer, struct bytes *params)
{
    unsigned char *public_key = NULL;
    size_t len;

    if (traits_of_peer(peer)->psk) {
        bytes_add_hex(params, "0006 612068696e74"); /* "a hint" */
    }
    if (traits_of_peer(peer)->secret == T12_SECRET_DHE) {
        peer->share = t12_dh_key();
        add_dh_number(params, peer->share, OSSL_PKEY_PARAM_FFC_P);
        add_dh_number(params, peer->share, OSSL_PKEY_PARAM_FFC_G);
        add_dh_number(params, peer->share, OSSL_PKEY_PARAM_PUB_KEY);
    } else if (traits_of_peer(peer)->secret == T12_SECRET_ECDHE) {
        peer_new_share(peer, false);
        len = EVP_PKEY_get1_encoded_public_key(peer->share, &public_key);
        bytes_add_hex(params, "03 001d");
        bytes_add_number(params, 1, len);
        bytes_add(params, public_key, len);
        OPENSSL_free(public_key);
    }
}

void t12_build_server_key_exchange(struct peer *peer, struct bytes *message)
{
    struct bytes params = { 0 };
    struct bytes content = { 0 };

    add_parameters(peer, &params);
    t12_begin(message, SSL3_MT_SERVER_KEY_EXCHANGE);
    bytes_add(message, params.data, params.len);
    if (!traits_of_peer(peer)->psk) {
        bytes_add(&content, peer->tls12->client_random, 32);
        bytes_add(&content, peer->tls12->server_random, 32);
        bytes_add(&content, params.data, params.len);
        t12_add_signature(peer, message, &content);
    }
    bytes_fix_length(message, 4, 3);
    bytes_free(&params);
    bytes_free(&content);
}

/* --- ClientKeyExchange --- */

static size_t agree(EVP_PKEY *own, EVP_PKEY *other, uint8_t out[T12_PREMASTER_MAX])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(own, NULL);
    size_t len = T12_PREMASTER_MAX;

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

static size_t decrypt(const struct peer *peer, const uint8_t *encrypted, size_t encrypted_len,
                      uint8_t out[T12_PREMASTER_MAX])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(t12_identity(peer->tls12->script->exchange)->key, NULL);
    size_t len = T12_PREMASTER_MAX;

    REQUIRE(ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1);
    REQUIRE(EVP_PKEY_decrypt(ctx, out, &len, encrypted, encrypted_len) == 1);
    EVP_PKEY_CTX_free(ctx);
    return len;
}

size_t t12_read_client_key_exchange(struct peer *peer, const struct bytes *message,
                                    uint8_t out[T12_PREMASTER_MAX])
{
    enum t12_secret secret = traits_of_peer(peer)->secret;
    size_t start = 4 + psk_part(peer, message) + (secret == T12_SECRET_ECDHE ? 1 : 2);
    size_t len = 0;

    if (secret == T12_SECRET_NONE) {
        return mix_psk(peer, out, 0);
    }
    REQUIRE(message->len > start);
    if (secret == T12_SECRET_RSA) {
        len = decrypt(peer, message->data + start, message->len - start, out);
    } else {
        EVP_PKEY *other = other_share(peer->share, message->data + start, message->len - start);

        len = agree(peer->share, other, out);
        EVP_PKEY_free(other);
    }
    return mix_psk(peer, out, len);
}

static size_t add_encrypted(struct bytes *message, uint8_t premaster[T12_PREMASTER_MAX])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(t12_identity(T12_RSA)->key, NULL);
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

/* Answers the parameters of the server at `data`. */
static size_t add_share(struct peer *peer, struct bytes *message, const uint8_t *data,
                        uint8_t premaster[T12_PREMASTER_MAX])
{
    bool elliptic = traits_of_peer(peer)->secret == T12_SECRET_ECDHE;
    unsigned char *public_key = NULL;
    EVP_PKEY *other;
    size_t len, at;

    if (elliptic) {
        peer_new_share(peer, data[2] == 0x17);
        other = other_share(peer->share, data + 4, data[3]);
    } else {
        /* The server under test takes ffdhe2048 from SSL_set0_tmp_dh_pkey(). */
        peer->share = t12_dh_key();
        at = 2 + (size_t)(data[0] << 8 | data[1]);
        at += 2 + (size_t)(data[at] << 8 | data[at + 1]);
        other = other_share(peer->share, data + at + 2, (size_t)(data[at] << 8 | data[at + 1]));
    }
    len = EVP_PKEY_get1_encoded_public_key(peer->share, &public_key);
    bytes_add_number(message, elliptic ? 1 : 2, len);
    bytes_add(message, public_key, len);
    OPENSSL_free(public_key);
    len = agree(peer->share, other, premaster);
    EVP_PKEY_free(other);
    return len;
}

size_t t12_build_client_key_exchange(struct peer *peer, struct bytes *message,
                                     const struct bytes *server_params,
                                     uint8_t premaster[T12_PREMASTER_MAX])
{
    size_t len = 0;

    t12_begin(message, SSL3_MT_CLIENT_KEY_EXCHANGE);
    if (traits_of_peer(peer)->psk) {
        bytes_add_hex(message, "0007 736f6d656f6e65"); /* "someone" */
    }
    switch (traits_of_peer(peer)->secret) {
    case T12_SECRET_NONE:
        break;
    case T12_SECRET_RSA:
        len = add_encrypted(message, premaster);
        break;
    case T12_SECRET_ECDHE:
    case T12_SECRET_DHE:
        len = add_share(peer, message, server_params->data + 4 + psk_part(peer, server_params),
                        premaster);
        break;
    }
    return mix_psk(peer, premaster, len);
}
