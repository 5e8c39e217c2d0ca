#include "toy_provider.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/param_build.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <stdint.h>
#include <string.h>

#define SECRET_LEN 32
#define FILLER     0x5a /* behind the first 32 bytes of a long share */
#define MASK       0xa5 /* between a private byte and its public one */

struct toy toy;

struct key {
    uint8_t secret[SECRET_LEN];
    uint8_t share[TOY_BIG_SHARE_LEN];
    size_t share_len;
    bool has_secret, has_share;
};

struct generation {
    int selection;
    size_t share_len;
};

struct operation {
    const struct key *own;
    const struct key *peer;
};

/* --- Keys --- */

static void *key_new(void *provider)
{
    (void)provider;
    return OPENSSL_zalloc(sizeof(struct key));
}

static void key_free(void *key)
{
    OPENSSL_free(key);
}

static void *key_dup(const void *key, int selection)
{
    struct key *copy = OPENSSL_memdup(key, sizeof(*copy));

    if (copy != NULL && (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0) {
        copy->has_secret = false;
    }
    if (copy != NULL && (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0) {
        copy->has_share = false;
    }
    return copy;
}

static int key_has(const void *data, int selection)
{
    const struct key *key = data;

    return key != NULL && ((selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) == 0 || key->has_secret) &&
           ((selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) == 0 || key->has_share);
}

static void make_share(struct key *key)
{
    memset(key->share, FILLER, sizeof(key->share));
    for (size_t i = 0; i < SECRET_LEN; i++) {
        key->share[i] = key->secret[i] ^ MASK;
    }
    key->has_share = true;
}

static int key_get(void *data, OSSL_PARAM params[])
{
    const struct key *key = data;
    OSSL_PARAM *share = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    OSSL_PARAM *bits = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_BITS);
    OSSL_PARAM *security_bits = OSSL_PARAM_locate(params, OSSL_PKEY_PARAM_SECURITY_BITS);

    if (share != NULL && (toy.fails == TOY_GET_SHARE || !key->has_share ||
                          !OSSL_PARAM_set_octet_string(share, key->share, key->share_len))) {
        return 0;
    }
    return (bits == NULL || OSSL_PARAM_set_int(bits, SECRET_LEN * 8)) &&
           (security_bits == NULL || OSSL_PARAM_set_int(security_bits, 0));
}

static const OSSL_PARAM *key_gettable(void *provider)
{
    static const OSSL_PARAM list[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
        OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
        OSSL_PARAM_END,
    };

    (void)provider;
    return list;
}

static int key_set(void *data, const OSSL_PARAM params[])
{
    struct key *key = data;
    const OSSL_PARAM *share = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY);
    const uint8_t *bytes = share == NULL ? NULL : share->data;

    if (share == NULL) {
        return 1;
    }
    if (toy.fails == TOY_SET_SHARE || share->data_size != key->share_len) {
        return 0;
    }
    for (size_t i = SECRET_LEN; i < key->share_len; i++) {
        if (bytes[i] != FILLER) {
            return 0;
        }
    }
    memcpy(key->share, bytes, key->share_len);
    key->has_share = true;
    return 1;
}

static const OSSL_PARAM *key_settable(void *provider)
{
    static const OSSL_PARAM list[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, NULL, 0),
        OSSL_PARAM_END,
    };

    (void)provider;
    return list;
}

static int generation_set(void *data, const OSSL_PARAM params[])
{
    struct generation *generation = data;
    const OSSL_PARAM *name = OSSL_PARAM_locate_const(params, OSSL_PKEY_PARAM_GROUP_NAME);

    if (name != NULL) {
        bool is_big = name->data_type == OSSL_PARAM_UTF8_STRING && strcmp(name->data, TOY_BIG) == 0;
        generation->share_len = is_big ? TOY_BIG_SHARE_LEN : TOY_SHARE_LEN;
    }
    return 1;
}

static const OSSL_PARAM *generation_settable(void *data, void *provider)
{
    static const OSSL_PARAM list[] = { OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
                                       OSSL_PARAM_END };

    (void)data;
    (void)provider;
    return list;
}

static void *generation_new(void *provider, int selection, const OSSL_PARAM params[])
{
    struct generation *generation = OPENSSL_zalloc(sizeof(*generation));

    (void)provider;
    if (generation != NULL) {
        generation->selection = selection;
        if (params != NULL) {
            (void)generation_set(generation, params);
        }
    }
    return generation;
}

static int generation_like(void *data, void *key)
{
    ((struct generation *)data)->share_len = ((const struct key *)key)->share_len;
    return 1;
}

static void *generate(void *data, OSSL_CALLBACK *progress, void *arg)
{
    const struct generation *generation = data;
    bool is_key = (generation->selection & OSSL_KEYMGMT_SELECT_KEYPAIR) != 0;
    struct key *key;

    (void)progress;
    (void)arg;
    if (toy.fails == (is_key ? TOY_GENERATE : TOY_PARAMETERS) || generation->share_len == 0) {
        return NULL;
    }
    key = OPENSSL_zalloc(sizeof(*key));
    if (key == NULL) {
        return NULL;
    }
    key->share_len = generation->share_len;
    if (is_key) {
        if (RAND_bytes(key->secret, sizeof(key->secret)) != 1) {
            OPENSSL_free(key);
            return NULL;
        }
        key->has_secret = true;
        make_share(key);
    }
    return key;
}

static void generation_free(void *data)
{
    OPENSSL_free(data);
}

/* --- Key exchange and encapsulation --- */

static void *operation_new(void *provider)
{
    (void)provider;
    return OPENSSL_zalloc(sizeof(struct operation));
}

static void operation_free(void *data)
{
    OPENSSL_free(data);
}

static int operation_init(void *data, void *key, const OSSL_PARAM params[])
{
    (void)params;
    ((struct operation *)data)->own = key;
    return 1;
}

static int operation_set_peer(void *data, void *key)
{
    ((struct operation *)data)->peer = key;
    return toy.fails != TOY_SET_PEER;
}

static void mix(uint8_t *out, const uint8_t *secret, const uint8_t *share)
{
    for (size_t i = 0; i < SECRET_LEN; i++) {
        out[i] = secret[i] ^ share[i];
    }
}

static int derive(void *data, unsigned char *secret, size_t *len, size_t room)
{
    const struct operation *operation = data;

    *len = SECRET_LEN;
    if (secret == NULL) {
        return toy.fails != TOY_SECRET_LEN;
    }
    if (toy.fails == TOY_DERIVE || room < SECRET_LEN) {
        return 0;
    }
    mix(secret, operation->own->secret, operation->peer->share);
    return 1;
}

static int encapsulate(void *data, unsigned char *out, size_t *out_len, unsigned char *secret,
                       size_t *len)
{
    const struct operation *operation = data;
    struct key ephemeral = { .share_len = operation->own->share_len };

    *out_len = ephemeral.share_len;
    *len = SECRET_LEN;
    if (out == NULL) {
        return toy.fails != TOY_SECRET_LEN;
    }
    if (toy.fails == TOY_ENCAPSULATE ||
        RAND_bytes(ephemeral.secret, sizeof(ephemeral.secret)) != 1) {
        return 0;
    }
    make_share(&ephemeral);
    memcpy(out, ephemeral.share, ephemeral.share_len);
    mix(secret, ephemeral.secret, operation->own->share);
    return 1;
}

static int decapsulate(void *data, unsigned char *secret, size_t *len, const unsigned char *in,
                       size_t in_len)
{
    const struct operation *operation = data;

    *len = SECRET_LEN;
    if (secret == NULL) {
        return toy.fails != TOY_SECRET_LEN;
    }
    if (toy.fails == TOY_DECAPSULATE || in_len != operation->own->share_len) {
        return 0;
    }
    mix(secret, operation->own->secret, in);
    return 1;
}

/* --- The provider --- */

static void push_text(OSSL_PARAM_BLD *builder, const struct toy_group *group, unsigned field,
                      const char *key, const char *text)
{
    if ((group->misshapen & field) != 0) {
        (void)OSSL_PARAM_BLD_push_octet_string(builder, key, text, strlen(text));
    } else if ((group->left_out & field) == 0) {
        (void)OSSL_PARAM_BLD_push_utf8_string(builder, key, text, 0);
    }
}

static void push_number(OSSL_PARAM_BLD *builder, const struct toy_group *group, unsigned field,
                        const char *key, int64_t number, bool is_signed)
{
    if ((group->misshapen & field) != 0) {
        (void)OSSL_PARAM_BLD_push_utf8_string(builder, key, "many", 0);
    } else if ((group->left_out & field) != 0) {
        return;
    } else if (is_signed) {
        (void)OSSL_PARAM_BLD_push_int(builder, key, (int)number);
    } else {
        (void)OSSL_PARAM_BLD_push_uint(builder, key, (unsigned)number);
    }
}

static OSSL_PARAM *describe(const struct toy_group *group)
{
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    OSSL_PARAM *params = NULL;

    if (builder != NULL) {
        push_text(builder, group, TOY_FIELD_NAME, OSSL_CAPABILITY_TLS_GROUP_NAME, group->name);
        push_text(builder, group, TOY_FIELD_INTERNAL, OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL,
                  group->internal);
        push_text(builder, group, TOY_FIELD_ALGORITHM, OSSL_CAPABILITY_TLS_GROUP_ALG,
                  group->algorithm);
        push_number(builder, group, TOY_FIELD_ID, OSSL_CAPABILITY_TLS_GROUP_ID, group->id, false);
        push_number(builder, group, TOY_FIELD_BITS, OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS,
                    group->security_bits, false);
        push_number(builder, group, TOY_FIELD_IS_KEM, OSSL_CAPABILITY_TLS_GROUP_IS_KEM,
                    group->is_kem, false);
        push_number(builder, group, TOY_FIELD_MIN_TLS, OSSL_CAPABILITY_TLS_GROUP_MIN_TLS,
                    group->min_tls, true);
        push_number(builder, group, TOY_FIELD_MAX_TLS, OSSL_CAPABILITY_TLS_GROUP_MAX_TLS,
                    group->max_tls, true);
        push_number(builder, group, TOY_FIELD_MIN_DTLS, OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, -1,
                    true);
        push_number(builder, group, TOY_FIELD_MAX_DTLS, OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, -1,
                    true);
        params = OSSL_PARAM_BLD_to_param(builder);
    }
    OSSL_PARAM_BLD_free(builder);
    return params;
}

static int capabilities(void *provider, const char *capability, OSSL_CALLBACK *callback, void *arg)
{
    int ok = toy.fails != TOY_CAPABILITIES;

    (void)provider;
    if (strcmp(capability, "TLS-GROUP") != 0) {
        return 0;
    }
    for (size_t i = 0; i < toy.num; i++) {
        OSSL_PARAM *params = describe(&toy.groups[i]);
        ok = params != NULL && callback(params, arg) == 1 && ok;
        OSSL_PARAM_free(params);
    }
    return ok;
}

#define FUNCTION(id, function)                                                                     \
    {                                                                                              \
        (id), (void (*)(void))(function)                                                           \
    }

static const OSSL_DISPATCH key_functions[] = {
    FUNCTION(OSSL_FUNC_KEYMGMT_NEW, key_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_FREE, key_free),
    FUNCTION(OSSL_FUNC_KEYMGMT_DUP, key_dup),
    FUNCTION(OSSL_FUNC_KEYMGMT_HAS, key_has),
    FUNCTION(OSSL_FUNC_KEYMGMT_GET_PARAMS, key_get),
    FUNCTION(OSSL_FUNC_KEYMGMT_GETTABLE_PARAMS, key_gettable),
    FUNCTION(OSSL_FUNC_KEYMGMT_SET_PARAMS, key_set),
    FUNCTION(OSSL_FUNC_KEYMGMT_SETTABLE_PARAMS, key_settable),
    FUNCTION(OSSL_FUNC_KEYMGMT_GEN_INIT, generation_new),
    FUNCTION(OSSL_FUNC_KEYMGMT_GEN_SET_PARAMS, generation_set),
    FUNCTION(OSSL_FUNC_KEYMGMT_GEN_SETTABLE_PARAMS, generation_settable),
    FUNCTION(OSSL_FUNC_KEYMGMT_GEN_SET_TEMPLATE, generation_like),
    FUNCTION(OSSL_FUNC_KEYMGMT_GEN, generate),
    FUNCTION(OSSL_FUNC_KEYMGMT_GEN_CLEANUP, generation_free),
    { 0, NULL },
};

static const OSSL_DISPATCH exchange_functions[] = {
    FUNCTION(OSSL_FUNC_KEYEXCH_NEWCTX, operation_new),
    FUNCTION(OSSL_FUNC_KEYEXCH_FREECTX, operation_free),
    FUNCTION(OSSL_FUNC_KEYEXCH_INIT, operation_init),
    FUNCTION(OSSL_FUNC_KEYEXCH_SET_PEER, operation_set_peer),
    FUNCTION(OSSL_FUNC_KEYEXCH_DERIVE, derive),
    { 0, NULL },
};

static const OSSL_DISPATCH kem_functions[] = {
    FUNCTION(OSSL_FUNC_KEM_NEWCTX, operation_new),
    FUNCTION(OSSL_FUNC_KEM_FREECTX, operation_free),
    FUNCTION(OSSL_FUNC_KEM_ENCAPSULATE_INIT, operation_init),
    FUNCTION(OSSL_FUNC_KEM_ENCAPSULATE, encapsulate),
    FUNCTION(OSSL_FUNC_KEM_DECAPSULATE_INIT, operation_init),
    FUNCTION(OSSL_FUNC_KEM_DECAPSULATE, decapsulate),
    { 0, NULL },
};

static const OSSL_ALGORITHM *query(void *provider, int operation, int *no_cache)
{
    static const OSSL_ALGORITHM keys[] = { { TOY_NAME, "provider=toy", key_functions, NULL },
                                           { NULL, NULL, NULL, NULL } };
    static const OSSL_ALGORITHM exchanges[] = {
        { TOY_NAME, "provider=toy", exchange_functions, NULL }, { NULL, NULL, NULL, NULL }
    };
    static const OSSL_ALGORITHM kems[] = { { TOY_NAME, "provider=toy", kem_functions, NULL },
                                           { NULL, NULL, NULL, NULL } };

    (void)provider;
    *no_cache = 0;
    return operation == OSSL_OP_KEYMGMT   ? keys
           : operation == OSSL_OP_KEYEXCH ? exchanges
           : operation == OSSL_OP_KEM     ? kems
                                          : NULL;
}

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *in,
                         const OSSL_DISPATCH **out, void **context)
{
    static const OSSL_DISPATCH functions[] = {
        FUNCTION(OSSL_FUNC_PROVIDER_QUERY_OPERATION, query),
        FUNCTION(OSSL_FUNC_PROVIDER_GET_CAPABILITIES, capabilities),
        { 0, NULL },
    };

    (void)handle;
    (void)in;
    *out = functions;
    *context = &toy;
    return 1;
}

OSSL_PROVIDER *toy_load(OSSL_LIB_CTX *libctx)
{
    const int keep_default = 1;

    return OSSL_PROVIDER_add_builtin(libctx, "toy", provider_init) == 1
               ? OSSL_PROVIDER_try_load(libctx, "toy", keep_default)
               : NULL;
}

bool toy_context_init(struct toy_context *context)
{
    context->libctx = OSSL_LIB_CTX_new();
    context->provider = context->libctx == NULL ? NULL : toy_load(context->libctx);
    return context->provider != NULL;
}

void toy_context_free(struct toy_context *context)
{
    if (context->provider != NULL) {
        (void)OSSL_PROVIDER_unload(context->provider);
    }
    OSSL_LIB_CTX_free(context->libctx);
}
