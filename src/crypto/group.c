/*
 * Named groups: RFC 8446, 4.2.7 and 4.2.8; RFC 8422 for the curves of TLS 1.2; RFC 7919 for the
 * finite fields. Arithmetic is libcrypto's, reached through EVP by name, so that it works in every
 * library context; X25519 and X448 of the default one directly (ecx.h).
 */
#include "crypto/group.h"

#include "base/secret.h"
#include "crypto/lib_internal.h"
#include "crypto/random.h"

#include <assert.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <string.h>

#define UNCOMPRESSED_POINT 0x04 /* SEC 1, 2.3.3 */

/* Binary curves (RFC 8422, 5.1.1, code points 1 to 14) have cofactors 2 and 4: only a
 * multiplication by the order shows that a point is in the right subgroup. Every other curve has
 * cofactor 1. */
#define LAST_BINARY_CURVE 14

struct group_key {
    const struct group *group;
    const struct ecx *ecx;  /* borrows: how direct came about; NULL: pkey it is */
    struct ecx_key *direct; /* owns one of the two */
    EVP_PKEY *pkey;
};

/* Key generation and import of domain parameters differ in the call at their end only. */
static EVP_PKEY_CTX *context_by_name(const struct crypto_lib *lib, const struct group *g)
{
    return EVP_PKEY_CTX_new_from_name(lib->libctx, g->algorithm, lib->propq);
}

static EVP_PKEY *make_key(const struct crypto_lib *lib, const struct group *g)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = context_by_name(lib, g);

    if (ctx == NULL || EVP_PKEY_keygen_init(ctx) != 1 ||
        (g->parameter != NULL && EVP_PKEY_CTX_set_group_name(ctx, g->parameter) != 1) ||
        EVP_PKEY_generate(ctx, &pkey) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* An EVP_PKEY that knows its group and has no key in it. g: EC or FFDH. */
static EVP_PKEY *make_parameters(const struct crypto_lib *lib, const struct group *g)
{
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = context_by_name(lib, g);
    /* The parameter is only read, but its type is that of an output, too. */
    char *group_name = (char *)(uintptr_t)g->parameter;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group_name,
                                                             0),
                            OSSL_PARAM_construct_end() };

    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEY_PARAMETERS, params) != 1) {
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

enum group_result group_share_or_memory(void)
{
    return ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_MALLOC_FAILURE ? GROUP_FAILED
                                                                         : GROUP_BAD_SHARE;
}

/* The range or curve check of a share that has been imported. */
static enum group_result check_share(const struct crypto_lib *lib, const struct group *g,
                                     EVP_PKEY *peer)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, peer, lib->propq);

    if (ctx == NULL) {
        return GROUP_FAILED;
    }
    /* Quick: 1 < Y < p-1 (RFC 8446, 4.2.8.1); coordinates in range and on the curve (4.2.8.2). */
    bool valid = g->kind == GROUP_EC && g->id <= LAST_BINARY_CURVE
                     ? EVP_PKEY_public_check(ctx) == 1
                     : EVP_PKEY_public_check_quick(ctx) == 1;
    EVP_PKEY_CTX_free(ctx);
    return valid ? GROUP_OK : group_share_or_memory();
}

/* Turns a peer's share into a key, with all the checks of RFC 8446, 4.2.8, that don't need a
 * private key. On GROUP_OK *peer is the caller's. */
static enum group_result import_share(const struct crypto_lib *lib, const struct group *g,
                                      const uint8_t *share, size_t len, EVP_PKEY **peer)
{
    enum group_result result;

    if (len != g->public_len || (g->kind == GROUP_EC && share[0] != UNCOMPRESSED_POINT)) {
        return GROUP_BAD_SHARE;
    }
    if (g->kind == GROUP_ECX) {
        /* Any string of the right length is a share. */
        *peer = EVP_PKEY_new_raw_public_key_ex(lib->libctx, g->algorithm, lib->propq, share, len);
        return *peer == NULL ? GROUP_FAILED : GROUP_OK;
    }
    *peer = make_parameters(lib, g);
    if (*peer == NULL) {
        return GROUP_FAILED;
    }
    result = EVP_PKEY_set1_encoded_public_key(*peer, share, len) == 1 ? check_share(lib, g, *peer)
                                                                      : group_share_or_memory();
    if (result != GROUP_OK) {
        EVP_PKEY_free(*peer);
        *peer = NULL;
    }
    return result;
}

static bool is_all_zero(const uint8_t *bytes, size_t len)
{
    static const uint8_t zeros[GROUP_MAX_SHARED_LEN];

    return constant_time_equals(bytes, zeros, len);
}

/* The shared secret of an own key and a peer's checked one. */
static enum group_result derive(const struct crypto_lib *lib, const struct group *g, EVP_PKEY *own,
                                EVP_PKEY *peer, struct shared_secret *shared)
{
    enum group_result result = GROUP_FAILED;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(lib->libctx, own, lib->propq);
    unsigned int pad = 1;
    /* Leading zero bytes stay, up to the length of the prime: RFC 8446, 7.4.1. */
    OSSL_PARAM params[] = { OSSL_PARAM_construct_uint(OSSL_EXCHANGE_PARAM_PAD, &pad),
                            OSSL_PARAM_construct_end() };

    shared->len = sizeof(shared->bytes);
    if (ctx == NULL || EVP_PKEY_derive_init_ex(ctx, g->kind == GROUP_FFDH ? params : NULL) != 1 ||
        EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1) {
        result = GROUP_FAILED;
    } else if (EVP_PKEY_derive(ctx, shared->bytes, &shared->len) != 1) {
        /* A curve's share has passed every check; the others may still be of small order. */
        result = g->kind == GROUP_EC || group_share_or_memory() == GROUP_FAILED ? GROUP_FAILED
                                                                                : GROUP_WEAK_SHARE;
    } else if (g->kind == GROUP_ECX && is_all_zero(shared->bytes, shared->len)) {
        result = GROUP_WEAK_SHARE; /* RFC 8446, 7.4.2 */
    } else {
        result = GROUP_OK;
    }
    EVP_PKEY_CTX_free(ctx);
    if (result != GROUP_OK) {
        wipe(shared, sizeof(*shared));
    }
    return result;
}

static enum group_result combine(const struct crypto_lib *lib, const struct group *g, EVP_PKEY *own,
                                 const uint8_t *peer, size_t peer_len, struct shared_secret *shared)
{
    EVP_PKEY *peer_key = NULL;
    enum group_result result = import_share(lib, g, peer, peer_len, &peer_key);

    if (result == GROUP_OK) {
        result = derive(lib, g, own, peer_key, shared);
    }
    EVP_PKEY_free(peer_key);
    return result;
}

/* Appends a key's own share. */
static bool write_share(const struct group *g, const EVP_PKEY *pkey, struct writer *out)
{
    uint8_t *at = writer_space(out, g->public_len);
    size_t len = 0;

    return at != NULL &&
           EVP_PKEY_get_octet_string_param(pkey, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, at,
                                           g->public_len, &len) == 1 &&
           len == g->public_len;
}

/* The direct route to a group of lib; NULL: there is none. */
static const struct ecx *direct_route(const struct crypto_lib *lib, const struct group *g)
{
    const struct ecx *e = g->nid == NID_X25519 ? &lib->x25519
                          : g->nid == NID_X448 ? &lib->x448
                                               : NULL;

    return e != NULL && e->keymgmt != NULL ? e : NULL;
}

/* RFC 7748, 5: the bits that every private key has. */
static void clamp(uint8_t *bytes, size_t len)
{
    bool is_x448 = len == ECX_MAX_LEN;

    bytes[0] &= is_x448 ? 0xfc : 0xf8;
    bytes[len - 1] &= is_x448 ? 0xff : 0x7f;
    bytes[len - 1] |= is_x448 ? 0x80 : 0x40;
}

/* True for a group of which nothing but its provider's word is known. */
static bool is_provided(const struct group *g)
{
    return g->kind == GROUP_PROVIDED || g->kind == GROUP_PROVIDED_KEM;
}

/* A new key, whose share is appended. */
static struct ecx_key *make_direct_key(const struct crypto_lib *lib, const struct ecx *e,
                                       const struct group *g, struct writer *share)
{
    uint8_t bytes[ECX_MAX_LEN];
    uint8_t *at = writer_space(share, g->public_len);
    struct ecx_key *key = NULL;

    assert(g->public_len <= sizeof(bytes)); /* a private key is as long as a share */
    if (at != NULL && random_secret(lib, bytes, g->public_len)) {
        clamp(bytes, g->public_len);
        key = ecx_key_new(e, bytes, at, g->public_len);
    }
    wipe(bytes, sizeof(bytes));
    return key;
}

static enum group_result combine_direct(const struct ecx *e, const struct group *g,
                                        struct ecx_key *own, const uint8_t *peer, size_t peer_len,
                                        struct shared_secret *shared)
{
    if (peer_len != g->public_len) {
        return GROUP_BAD_SHARE;
    }
    enum ecx_result derived = ecx_derive(e, own, peer, shared->bytes, g->public_len);
    shared->len = g->public_len;
    /* RFC 8446, 7.4.2. libcrypto refuses all zeros itself. */
    if (derived == ECX_OK && !is_all_zero(shared->bytes, shared->len)) {
        return GROUP_OK;
    }
    wipe(shared, sizeof(*shared));
    return derived == ECX_FAILED ? GROUP_FAILED : GROUP_WEAK_SHARE;
}

struct group_key *group_generate(const struct crypto_lib *lib, const struct group *g,
                                 struct writer *public_key)
{
    struct group_key *key = OPENSSL_zalloc(sizeof(*key));
    bool made;

    if (key == NULL) {
        return NULL;
    }
    key->group = g;
    key->ecx = direct_route(lib, g);
    if (key->ecx != NULL) {
        key->direct = make_direct_key(lib, key->ecx, g, public_key);
        made = key->direct != NULL;
    } else if (is_provided(g)) {
        key->pkey = provided_generate(lib, g, public_key);
        made = key->pkey != NULL;
    } else {
        key->pkey = make_key(lib, g);
        made = key->pkey != NULL && write_share(g, key->pkey, public_key);
    }
    if (!made) {
        group_key_free(key);
        return NULL;
    }
    return key;
}

/* An EVP_PKEY of EC or FFDH with both halves. */
static EVP_PKEY *import_halves(const struct crypto_lib *lib, const struct group *g,
                               const uint8_t *private_key, size_t private_len,
                               const uint8_t *public_key)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = NULL;
    BIGNUM *secret = BN_bin2bn(private_key, (int)private_len, NULL);
    BIGNUM *open = BN_bin2bn(public_key, (int)g->public_len, NULL);
    EVP_PKEY_CTX *ctx = context_by_name(lib, g);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();

    /* A point is an octet string to libcrypto, a number of FFDH a number. */
    if (secret != NULL && open != NULL && ctx != NULL && builder != NULL &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, g->parameter, 0) ==
            1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PRIV_KEY, secret) == 1 &&
        (g->kind == GROUP_EC
             ? OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, public_key,
                                                g->public_len)
             : OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_PUB_KEY, open)) == 1) {
        params = OSSL_PARAM_BLD_to_param(builder);
    }
    if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_KEYPAIR, params) != 1) {
        pkey = NULL;
    }
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(builder);
    EVP_PKEY_CTX_free(ctx);
    BN_clear_free(secret);
    BN_free(open);
    return pkey;
}

struct group_key *group_key_import(const struct crypto_lib *lib, const struct group *g,
                                   const uint8_t *private_key, size_t private_len,
                                   const uint8_t *public_key)
{
    struct group_key *key = OPENSSL_zalloc(sizeof(*key));
    uint8_t share[ECX_MAX_LEN]; /* the caller has it already */

    if (key == NULL) {
        return NULL;
    }
    key->group = g;
    key->ecx = direct_route(lib, g);
    if (key->ecx != NULL) {
        key->direct = ecx_key_new(key->ecx, private_key, share, private_len);
    } else if (g->kind == GROUP_ECX) {
        key->pkey = EVP_PKEY_new_raw_private_key_ex(lib->libctx, g->algorithm, lib->propq,
                                                    private_key, private_len);
    } else {
        key->pkey = import_halves(lib, g, private_key, private_len, public_key);
    }
    if (key->pkey == NULL && key->direct == NULL) {
        group_key_free(key);
        return NULL;
    }
    return key;
}

void group_key_free(struct group_key *key)
{
    if (key != NULL) {
        /* libcrypto wipes the private part. */
        ecx_key_free(key->ecx, key->direct);
        EVP_PKEY_free(key->pkey);
        OPENSSL_free(key);
    }
}

static enum group_result encapsulate_direct(const struct crypto_lib *lib, const struct ecx *e,
                                            const struct group *g, const uint8_t *peer,
                                            size_t peer_len, struct writer *public_key,
                                            struct shared_secret *shared)
{
    size_t before = writer_len(public_key);
    struct ecx_key *own = make_direct_key(lib, e, g, public_key);
    enum group_result result =
        own == NULL ? GROUP_FAILED : combine_direct(e, g, own, peer, peer_len, shared);

    if (result != GROUP_OK) {
        writer_cut(public_key, before);
    }
    ecx_key_free(e, own);
    return result;
}

enum group_result group_encapsulate(const struct crypto_lib *lib, const struct group *g,
                                    const uint8_t *peer, size_t peer_len, struct writer *public_key,
                                    struct shared_secret *shared)
{
    const struct ecx *e = direct_route(lib, g);
    enum group_result result = GROUP_FAILED;

    if (e != NULL) {
        return encapsulate_direct(lib, e, g, peer, peer_len, public_key, shared);
    }
    if (is_provided(g)) {
        return provided_encapsulate(lib, g, peer, peer_len, public_key, shared);
    }
    EVP_PKEY *own = make_key(lib, g);
    if (own != NULL) {
        result = combine(lib, g, own, peer, peer_len, shared);
    }
    if (result == GROUP_OK && !write_share(g, own, public_key)) {
        wipe(shared, sizeof(*shared));
        result = GROUP_FAILED;
    }
    EVP_PKEY_free(own);
    return result;
}

enum group_result group_decapsulate(const struct crypto_lib *lib, const struct group_key *key,
                                    const uint8_t *peer, size_t peer_len,
                                    struct shared_secret *shared)
{
    const struct group *g = key->group;

    if (key->ecx != NULL) {
        return combine_direct(key->ecx, g, key->direct, peer, peer_len, shared);
    }
    return is_provided(g) ? provided_decapsulate(lib, g, key->pkey, peer, peer_len, shared)
                          : combine(lib, g, key->pkey, peer, peer_len, shared);
}

EVP_PKEY *group_share_to_pkey(const struct crypto_lib *lib, const struct group *g,
                              const uint8_t *share, size_t share_len)
{
    EVP_PKEY *peer = NULL;

    if (is_provided(g)) {
        return provided_share_to_pkey(lib, g, share, share_len);
    }
    return import_share(lib, g, share, share_len, &peer) == GROUP_OK ? peer : NULL;
}
