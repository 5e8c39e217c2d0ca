/*
 * The provider of stand-ins for public keys; see stand_in.h.
 */
#include "crypto/stand_in.h"

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/core_object.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/provider.h>

#define NAME "stand-in"

/* What the provider knows of the core. */
struct core {
    OSSL_FUNC_BIO_read_ex_fn *read;
};

static uint8_t the_key; /* nothing is ever in it */

static void *key_load(const void *reference, size_t len)
{
    (void)reference;
    (void)len;
    return &the_key;
}

static int key_has(const void *key, int selection)
{
    (void)key;
    (void)selection;
    return 1;
}

static void nothing_to_free(void *key)
{
    (void)key;
}

static void *decoder_new(void *core)
{
    return core;
}

/* Reads to the end, because d2i_X509 takes what is left over for an error. */
static int decoder_decode(void *context, OSSL_CORE_BIO *in, int selection, OSSL_CALLBACK *take,
                          void *taker, OSSL_PASSPHRASE_CALLBACK *ask, void *asked)
{
    const struct core *core = context;
    uint8_t *reference = &the_key;
    int type = OSSL_OBJECT_PKEY;
    char name[] = "RSA"; /* one kind does for all */
    uint8_t ignored[512];
    size_t len;
    OSSL_PARAM key[] = {
        OSSL_PARAM_construct_int(OSSL_OBJECT_PARAM_TYPE, &type),
        OSSL_PARAM_construct_utf8_string(OSSL_OBJECT_PARAM_DATA_TYPE, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_OBJECT_PARAM_REFERENCE, &reference,
                                          sizeof(reference)),
        OSSL_PARAM_construct_end(),
    };

    (void)selection;
    (void)ask;
    (void)asked;
    while (core->read(in, ignored, sizeof(ignored), &len) == 1 && len > 0) {
    }
    return take(key, taker);
}

static const OSSL_DISPATCH key_functions[] = {
    { OSSL_FUNC_KEYMGMT_LOAD, (void (*)(void))key_load },
    { OSSL_FUNC_KEYMGMT_FREE, (void (*)(void))nothing_to_free },
    { OSSL_FUNC_KEYMGMT_HAS, (void (*)(void))key_has },
    { 0, NULL },
};

static const OSSL_DISPATCH decoder_functions[] = {
    { OSSL_FUNC_DECODER_NEWCTX, (void (*)(void))decoder_new },
    { OSSL_FUNC_DECODER_FREECTX, (void (*)(void))nothing_to_free },
    { OSSL_FUNC_DECODER_DECODE, (void (*)(void))decoder_decode },
    { 0, NULL },
};

#define INPUT "provider=" NAME ",input=der,structure=SubjectPublicKeyInfo"

static const OSSL_ALGORITHM keys[] = {
    { "RSA", "provider=" NAME, key_functions, NULL },
    { "EC", "provider=" NAME, key_functions, NULL },
    { NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM decoders[] = {
    { "RSA", INPUT, decoder_functions, NULL },
    { "EC", INPUT, decoder_functions, NULL },
    { NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *provider_query(void *core, int operation, int *no_cache)
{
    (void)core;
    *no_cache = 0;
    switch (operation) {
    case OSSL_OP_KEYMGMT:
        return keys;
    case OSSL_OP_DECODER:
        return decoders;
    default:
        return NULL;
    }
}

static void provider_teardown(void *core)
{
    OPENSSL_free(core);
}

static const OSSL_DISPATCH provider_functions[] = {
    { OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))provider_query },
    { OSSL_FUNC_PROVIDER_TEARDOWN, (void (*)(void))provider_teardown },
    { 0, NULL },
};

static int provider_init(const OSSL_CORE_HANDLE *handle, const OSSL_DISPATCH *from_core,
                         const OSSL_DISPATCH **functions, void **context)
{
    struct core *core = OPENSSL_zalloc(sizeof(*core));

    (void)handle;
    for (; core != NULL && from_core->function_id != 0; from_core++) {
        if (from_core->function_id == OSSL_FUNC_BIO_READ_EX) {
            core->read = OSSL_FUNC_BIO_read_ex(from_core);
        }
    }
    if (core == NULL || core->read == NULL) {
        OPENSSL_free(core);
        return 0;
    }
    *functions = provider_functions;
    *context = core;
    return 1;
}

bool stand_in_context_new(OSSL_LIB_CTX **context, OSSL_PROVIDER **provider)
{
    OSSL_LIB_CTX *made = OSSL_LIB_CTX_new();

    if (made != NULL && OSSL_PROVIDER_add_builtin(made, NAME, provider_init) == 1) {
        *provider = OSSL_PROVIDER_load(made, NAME);
        if (*provider != NULL) {
            *context = made;
            return true;
        }
    }
    OSSL_LIB_CTX_free(made);
    return false;
}
