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

bool ecx_find(struct ecx *e, const char *name)
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
    if (!is_complete(e)) {
        ecx_release(e);
        return false;
    }
    return true;
}

void ecx_release(struct ecx *e)
{
    EVP_KEYMGMT_free(e->keymgmt);
    EVP_KEYEXCH_free(e->exchange);
    *e = (struct ecx){ 0 };
}

/* name: which half is given. */
static struct ecx_key *import(const struct ecx *e, int selection, const char *name,
                              const uint8_t *bytes, size_t len)
{
    /* Only read, but its type is that of an output, too. */
    uint8_t *data = (uint8_t *)(uintptr_t)bytes;
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(name, data, len),
                            OSSL_PARAM_construct_end() };
    void *key = e->key_new(e->provider_context);

    if (key != NULL && e->key_import(key, selection, params) != 1) {
        e->key_free(key);
        key = NULL;
    }
    return key;
}

struct ecx_key *ecx_key_pair(const struct ecx *e, const uint8_t *private_key, size_t len)
{
    return import(e, OSSL_KEYMGMT_SELECT_KEYPAIR, OSSL_PKEY_PARAM_PRIV_KEY, private_key, len);
}

struct ecx_key *ecx_key_public(const struct ecx *e, const uint8_t *share, size_t len)
{
    return import(e, OSSL_KEYMGMT_SELECT_PUBLIC_KEY, OSSL_PKEY_PARAM_PUB_KEY, share, len);
}

void ecx_key_free(const struct ecx *e, struct ecx_key *key)
{
    if (key != NULL) {
        e->key_free(key);
    }
}

bool ecx_key_share(const struct ecx *e, struct ecx_key *key, uint8_t *share, size_t len)
{
    OSSL_PARAM params[] = { OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
                                                              share, len),
                            OSSL_PARAM_construct_end() };

    return e->key_get(key, params) == 1 && params[0].return_size == len;
}

enum ecx_result ecx_derive(const struct ecx *e, struct ecx_key *own, struct ecx_key *peer,
                           uint8_t *secret, size_t len)
{
    enum ecx_result result = ECX_FAILED;
    void *exchange = e->exchange_new(e->provider_context);
    size_t got = 0;

    if (exchange != NULL && e->exchange_init(exchange, own, NULL) == 1 &&
        e->exchange_set_peer(exchange, peer) == 1) {
        result = e->exchange_derive(exchange, secret, &got, len) == 1 && got == len ? ECX_OK
                                                                                    : ECX_REFUSED;
    }
    if (exchange != NULL) {
        e->exchange_free(exchange);
    }
    return result;
}
