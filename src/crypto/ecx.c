/*
 * X25519 and X448 by the provider's function tables; see ecx.h.
 */
#include "crypto/ecx.h"

#include "crypto/lib_internal.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <string.h>

/* True when names ("X25519:1.3.101.110") begins with name. */
static bool is_called(const char *names, const char *name)
{
    size_t len = strlen(name);

    return strncmp(names, name, len) == 0 && (names[len] == ':' || names[len] == '\0');
}

/* The functions of an algorithm; NULL: the provider has none. */
static const OSSL_DISPATCH *functions_of(const OSSL_PROVIDER *provider, int operation,
                                         const char *name)
{
    int no_store = 0;
    const OSSL_ALGORITHM *all = OSSL_PROVIDER_query_operation(provider, operation, &no_store);
    const OSSL_DISPATCH *found = NULL;

    for (const OSSL_ALGORITHM *one = all; one != NULL && one->algorithm_names != NULL; one++) {
        if (is_called(one->algorithm_names, name)) {
            found = one->implementation;
            break;
        }
    }
    OSSL_PROVIDER_unquery_operation(provider, operation, all);
    return no_store == 0 ? found : NULL;
}

static void note_key_functions(struct ecx *e, const OSSL_DISPATCH *f)
{
    for (; f->function_id != 0; f++) {
        switch (f->function_id) {
        case OSSL_FUNC_KEYMGMT_NEW:
            e->key_new = OSSL_FUNC_keymgmt_new(f);
            break;
        case OSSL_FUNC_KEYMGMT_FREE:
            e->key_free = OSSL_FUNC_keymgmt_free(f);
            break;
        case OSSL_FUNC_KEYMGMT_IMPORT:
            e->key_import = OSSL_FUNC_keymgmt_import(f);
            break;
        case OSSL_FUNC_KEYMGMT_GET_PARAMS:
            e->key_get = OSSL_FUNC_keymgmt_get_params(f);
            break;
        default: /* not needed */
            break;
        }
    }
}

static void note_exchange_functions(struct ecx *e, const OSSL_DISPATCH *f)
{
    for (; f->function_id != 0; f++) {
        switch (f->function_id) {
        case OSSL_FUNC_KEYEXCH_NEWCTX:
            e->exchange_new = OSSL_FUNC_keyexch_newctx(f);
            break;
        case OSSL_FUNC_KEYEXCH_FREECTX:
            e->exchange_free = OSSL_FUNC_keyexch_freectx(f);
            break;
        case OSSL_FUNC_KEYEXCH_INIT:
            e->exchange_init = OSSL_FUNC_keyexch_init(f);
            break;
        case OSSL_FUNC_KEYEXCH_SET_PEER:
            e->exchange_set_peer = OSSL_FUNC_keyexch_set_peer(f);
            break;
        case OSSL_FUNC_KEYEXCH_DERIVE:
            e->exchange_derive = OSSL_FUNC_keyexch_derive(f);
            break;
        default: /* not needed */
            break;
        }
    }
}

static bool is_complete(const struct ecx *e)
{
    return e->key_new != NULL && e->key_free != NULL && e->key_import != NULL &&
           e->key_get != NULL && e->exchange_new != NULL && e->exchange_free != NULL &&
           e->exchange_init != NULL && e->exchange_set_peer != NULL && e->exchange_derive != NULL;
}

/* Either half of a key pair may be NULL: the public one is then computed. */
static void *import(const struct ecx *e, const uint8_t *private_key, const uint8_t *public_key,
                    size_t len)
{
    int selection =
        private_key != NULL ? OSSL_KEYMGMT_SELECT_KEYPAIR : OSSL_KEYMGMT_SELECT_PUBLIC_KEY;
    OSSL_PARAM params[3];
    size_t num = 0;

    /* They are only read, but their type is that of an output, too. */
    if (private_key != NULL) {
        params[num++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PRIV_KEY,
                                                          (uint8_t *)(uintptr_t)private_key, len);
    }
    if (public_key != NULL) {
        params[num++] = OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY,
                                                          (uint8_t *)(uintptr_t)public_key, len);
    }
    params[num] = OSSL_PARAM_construct_end();
    void *key = e->key_new(e->provider_context);

    if (key != NULL && e->key_import(key, selection, params) != 1) {
        e->key_free(key);
        key = NULL;
    }
    return key;
}

bool ecx_find(struct ecx *e, const char *name, const uint8_t *base, size_t len)
{
    const OSSL_DISPATCH *key = NULL;
    const OSSL_DISPATCH *exchange = NULL;

    ERR_set_mark();
    e->keymgmt = EVP_KEYMGMT_fetch(NULL, name, NULL);
    e->exchange = EVP_KEYEXCH_fetch(NULL, name, NULL);
    if (e->keymgmt != NULL && e->exchange != NULL) {
        const OSSL_PROVIDER *provider = EVP_KEYMGMT_get0_provider(e->keymgmt);
        if (provider_is_builtin(provider) && EVP_KEYEXCH_get0_provider(e->exchange) == provider) {
            key = functions_of(provider, OSSL_OP_KEYMGMT, name);
            exchange = functions_of(provider, OSSL_OP_KEYEXCH, name);
            e->provider_context = OSSL_PROVIDER_get0_provider_ctx(provider);
        }
    }
    ERR_pop_to_mark();
    if (key != NULL && exchange != NULL) {
        note_key_functions(e, key);
        note_exchange_functions(e, exchange);
    }
    bool found = is_complete(e);
    if (found && base != NULL) {
        memcpy(e->base_point, base, len);
        e->base = import(e, NULL, base, len);
        found = e->base != NULL;
    }
    if (!found) {
        ecx_release(e);
    }
    return found;
}

void ecx_release(struct ecx *e)
{
    if (e->base != NULL) {
        e->key_free(e->base);
    }
    EVP_KEYMGMT_free(e->keymgmt);
    EVP_KEYEXCH_free(e->exchange);
    *e = (struct ecx){ 0 };
}

/* Copies the public half that libcrypto has computed. */
static bool get_share(const struct ecx *e, void *key, uint8_t *share, size_t len)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                              share, len),
                            OSSL_PARAM_construct_end() };

    return e->key_get(key, params) == 1 && params[0].return_size == len;
}

/* The secret that own and the provider's key of a peer share. */
static enum ecx_result derive(const struct ecx *e, struct ecx_key *own, void *peer, uint8_t *secret,
                              size_t len)
{
    size_t got = 0;

    if (e->exchange_set_peer(own, peer) != 1) {
        return ECX_FAILED;
    }
    return e->exchange_derive(own, secret, &got, len) == 1 && got == len ? ECX_OK : ECX_REFUSED;
}

struct ecx_key *ecx_key_new(const struct ecx *e, const uint8_t *private_key, uint8_t *share,
                            size_t len)
{
    /* With a base point the key's own idea of its public half is that point: nobody asks it. */
    void *key = import(e, private_key, e->base != NULL ? e->base_point : NULL, len);
    struct ecx_key *own = key != NULL ? e->exchange_new(e->provider_context) : NULL;
    bool ok = own != NULL && e->exchange_init(own, key, NULL) == 1 &&
              (e->base != NULL ? derive(e, own, e->base, share, len) == ECX_OK
                               : get_share(e, key, share, len));

    if (key != NULL) {
        e->key_free(key); /* the exchange has its own reference */
    }
    if (!ok) {
        ecx_key_free(e, own);
        own = NULL;
    }
    return own;
}

void ecx_key_free(const struct ecx *e, struct ecx_key *key)
{
    if (key != NULL) {
        e->exchange_free(key);
    }
}

enum ecx_result ecx_derive(const struct ecx *e, struct ecx_key *own, const uint8_t *peer,
                           uint8_t *secret, size_t len)
{
    void *key = import(e, NULL, peer, len);
    enum ecx_result result = key != NULL ? derive(e, own, key, secret, len) : ECX_FAILED;

    if (key != NULL) {
        e->key_free(key);
    }
    return result;
}
