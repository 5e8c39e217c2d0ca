/*
 * Key exchange with a group that a provider brings along: by its key exchange or its KEM, and with
 * shares as the provider encodes them. Nothing is known of them here, so that every length is asked
 * for and every check is the provider's.
 */
#include "crypto/provider_groups.h"

#include "base/secret.h"
#include "crypto/lib_internal.h"

#include <openssl/crypto.h>
#include <openssl/dh.h>
#include <openssl/evp.h>
#include <string.h>

#define UNCOMPRESSED_POINT 0x04 /* SEC 1, 2.3.3 */
#define SHORTEST_POINT     3

/* A context for keys of the group, or for its parameters alone. */
static EVP_PKEY_CTX *context_for_group(const struct crypto_lib *lib, const struct group *g,
                                       int (*init)(EVP_PKEY_CTX *))
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(lib->libctx, g->algorithm, lib->propq);

    if (ctx != NULL && (init(ctx) != 1 || EVP_PKEY_CTX_set_group_name(ctx, g->parameter) != 1)) {
        EVP_PKEY_CTX_free(ctx);
        return NULL;
    }
    return ctx;
}

static bool write_share(EVP_PKEY *pkey, struct writer *out)
{
    unsigned char *share = NULL;
    size_t len = EVP_PKEY_get1_encoded_public_key(pkey, &share);
    uint8_t *at = len == 0 ? NULL : writer_space(out, len);

    if (at != NULL) {
        memcpy(at, share, len);
    }
    OPENSSL_free(share);
    return at != NULL;
}

EVP_PKEY *provided_generate(const struct crypto_lib *lib, const struct group *g,
                            struct writer *public_key)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = context_for_group(lib, g, EVP_PKEY_keygen_init);

    if (ctx == NULL || EVP_PKEY_keygen(ctx, &pkey) != 1 || !write_share(pkey, public_key)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

static EVP_PKEY *make_parameters(const struct crypto_lib *lib, const struct group *g)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = context_for_group(lib, g, EVP_PKEY_paramgen_init);

    if (ctx == NULL || EVP_PKEY_paramgen(ctx, &pkey) != 1) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* What TLS asks of the form of a share where the algorithm is one that TLS knows: RFC 8446, 4.2.8.1
 * and 4.2.8.2. */
static bool has_form(EVP_PKEY *peer, const uint8_t *share, size_t len)
{
    if (EVP_PKEY_is_a(peer, "DH")) {
        return EVP_PKEY_get_bits(peer) > 0 && len == (size_t)EVP_PKEY_get_bits(peer) / 8;
    }
    return !EVP_PKEY_is_a(peer, "EC") || (len >= SHORTEST_POINT && share[0] == UNCOMPRESSED_POINT);
}

/* Puts a peer's share into a key that has the group's parameters. */
static enum group_result set_share(EVP_PKEY *peer, const uint8_t *share, size_t len)
{
    if (!has_form(peer, share, len)) {
        return GROUP_BAD_SHARE;
    }
    return EVP_PKEY_set1_encoded_public_key(peer, share, len) == 1 ? GROUP_OK
                                                                   : group_share_or_memory();
}

static enum group_result import_share(const struct crypto_lib *lib, const struct group *g,
                                      const uint8_t *share, size_t len, EVP_PKEY **peer)
{
    *peer = make_parameters(lib, g);
    if (*peer == NULL) {
        return GROUP_FAILED;
    }
    return set_share(*peer, share, len);
}

/* A share that cannot be combined is taken for a weak one. */
static enum group_result weak_or_memory(void)
{
    return group_share_or_memory() == GROUP_FAILED ? GROUP_FAILED : GROUP_WEAK_SHARE;
}

static enum group_result derive(const struct crypto_lib *lib, EVP_PKEY *own, EVP_PKEY *peer,
                                struct shared_secret *shared)
{
    enum group_result result = GROUP_FAILED;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, own, lib->propq);

    if (ctx != NULL && EVP_PKEY_derive_init(ctx) == 1 && EVP_PKEY_derive_set_peer(ctx, peer) == 1 &&
        EVP_PKEY_derive(ctx, NULL, &shared->len) == 1 && shared->len <= sizeof(shared->bytes) &&
        /* RFC 8446, 7.4.1. */
        (!EVP_PKEY_is_a(own, "DH") || EVP_PKEY_CTX_set_dh_pad(ctx, 1) == 1)) {
        result =
            EVP_PKEY_derive(ctx, shared->bytes, &shared->len) == 1 ? GROUP_OK : weak_or_memory();
    }
    EVP_PKEY_CTX_free(ctx);
    return result;
}

/* A key with the parameters of a peer's. */
static EVP_PKEY *make_key_like(const struct crypto_lib *lib, EVP_PKEY *peer)
{
    EVP_PKEY *own = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, peer, lib->propq);

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &own) != 1) {
        EVP_PKEY_free(own);
        own = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return own;
}

static enum group_result answer_share(const struct crypto_lib *lib, EVP_PKEY *peer,
                                      struct writer *public_key, struct shared_secret *shared)
{
    EVP_PKEY *own = make_key_like(lib, peer);
    enum group_result result = GROUP_FAILED;

    if (own != NULL && write_share(own, public_key)) {
        result = derive(lib, own, peer, shared);
    }
    EVP_PKEY_free(own);
    return result;
}

static enum group_result encapsulate(const struct crypto_lib *lib, EVP_PKEY *peer,
                                     struct writer *ciphertext, struct shared_secret *shared)
{
    size_t before = writer_len(ciphertext);
    size_t len = 0;
    enum group_result result = GROUP_FAILED;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, peer, lib->propq);

    if (ctx != NULL && EVP_PKEY_encapsulate_init(ctx, NULL) == 1 &&
        EVP_PKEY_encapsulate(ctx, NULL, &len, NULL, &shared->len) == 1 && len > 0 &&
        shared->len > 0 && shared->len <= sizeof(shared->bytes)) {
        uint8_t *at = writer_space(ciphertext, len);
        if (at != NULL) {
            result = EVP_PKEY_encapsulate(ctx, at, &len, shared->bytes, &shared->len) == 1
                         ? GROUP_OK
                         : weak_or_memory();
        }
    }
    if (result == GROUP_OK) {
        writer_cut(ciphertext, before + len);
    }
    EVP_PKEY_CTX_free(ctx);
    return result;
}

enum group_result provided_encapsulate(const struct crypto_lib *lib, const struct group *g,
                                       const uint8_t *peer, size_t peer_len,
                                       struct writer *public_key, struct shared_secret *shared)
{
    size_t before = writer_len(public_key);
    EVP_PKEY *peer_key = NULL;
    enum group_result result = import_share(lib, g, peer, peer_len, &peer_key);

    if (result == GROUP_OK) {
        result = g->kind == GROUP_PROVIDED_KEM ? encapsulate(lib, peer_key, public_key, shared)
                                               : answer_share(lib, peer_key, public_key, shared);
    }
    if (result != GROUP_OK) {
        writer_cut(public_key, before);
        wipe(shared, sizeof(*shared));
    }
    EVP_PKEY_free(peer_key);
    return result;
}

static enum group_result decapsulate(const struct crypto_lib *lib, EVP_PKEY *pkey,
                                     const uint8_t *ciphertext, size_t len,
                                     struct shared_secret *shared)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, pkey, lib->propq);
    /* OpenSSL's alert for a ciphertext that the provider refuses is internal_error, too. */
    bool ok = ctx != NULL && EVP_PKEY_decapsulate_init(ctx, NULL) == 1 &&
              EVP_PKEY_decapsulate(ctx, NULL, &shared->len, ciphertext, len) == 1 &&
              shared->len <= sizeof(shared->bytes) &&
              EVP_PKEY_decapsulate(ctx, shared->bytes, &shared->len, ciphertext, len) == 1;

    EVP_PKEY_CTX_free(ctx);
    return ok ? GROUP_OK : GROUP_FAILED;
}

/* The answer is under the parameters of the key that was offered. */
static enum group_result combine(const struct crypto_lib *lib, EVP_PKEY *pkey, const uint8_t *peer,
                                 size_t peer_len, struct shared_secret *shared)
{
    EVP_PKEY *peer_key = EVP_PKEY_new();
    enum group_result result = GROUP_FAILED;

    if (peer_key != NULL && EVP_PKEY_copy_parameters(peer_key, pkey) == 1) {
        result = set_share(peer_key, peer, peer_len);
    }
    if (result == GROUP_OK) {
        result = derive(lib, pkey, peer_key, shared);
    }
    EVP_PKEY_free(peer_key);
    return result;
}

enum group_result provided_decapsulate(const struct crypto_lib *lib, const struct group *g,
                                       EVP_PKEY *pkey, const uint8_t *peer, size_t peer_len,
                                       struct shared_secret *shared)
{
    enum group_result result = g->kind == GROUP_PROVIDED_KEM
                                   ? decapsulate(lib, pkey, peer, peer_len, shared)
                                   : combine(lib, pkey, peer, peer_len, shared);

    if (result != GROUP_OK) {
        wipe(shared, sizeof(*shared));
    }
    return result;
}

EVP_PKEY *provided_share_to_pkey(const struct crypto_lib *lib, const struct group *g,
                                 const uint8_t *share, size_t share_len)
{
    EVP_PKEY *peer = NULL;

    if (import_share(lib, g, share, share_len, &peer) != GROUP_OK) {
        EVP_PKEY_free(peer);
        return NULL;
    }
    return peer;
}
