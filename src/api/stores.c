/*
 * Stores of certificates: the context's own, those of a connection, and what is loaded into them.
 * Behaviour: SSL_CTX_set_cert_store(3), SSL_CTX_set1_verify_cert_store(3),
 * SSL_CTX_load_verify_locations(3).
 */
#include "api/stores.h"

#include "api/ca_lookup.h"
#include "api/certs.h"

#include <openssl/err.h>
#include <stdlib.h>

/* --- The context's store --- */

X509_STORE *stores_for_library(const SSL_CTX *ctx)
{
    return ctx->cert_store;
}

X509_STORE *stores_for_application(SSL_CTX *ctx)
{
    ctx->store_is_open = true;
    if (ctx->store_is_short && ca_lookup_fill(ctx->cert_store)) {
        ctx->store_is_short = false;
    }
    return ctx->cert_store;
}

X509_STORE *SSL_CTX_get_cert_store(const SSL_CTX *ctx)
{
    /* Nothing that the application had seen before changes. */
    return stores_for_application((SSL_CTX *)(uintptr_t)ctx);
}

void SSL_CTX_set_cert_store(SSL_CTX *ctx, X509_STORE *store)
{
    X509_STORE_free(ctx->cert_store);
    ctx->cert_store = store;
    ctx->store_is_open = true;
    ctx->store_is_short = false;
}

void SSL_CTX_set1_cert_store(SSL_CTX *ctx, X509_STORE *store)
{
    if (store != NULL) {
        X509_STORE_up_ref(store);
    }
    SSL_CTX_set_cert_store(ctx, store);
}

/* --- Stores for one purpose --- */

static void replace_store(X509_STORE **slot, X509_STORE *store, bool up_ref)
{
    if (up_ref && store != NULL) {
        X509_STORE_up_ref(store);
    }
    X509_STORE_free(*slot);
    *slot = store;
}

long stores_set_verify(SSL *s, SSL_CTX *ctx, X509_STORE *store, bool up_ref)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config == NULL) {
        return 0;
    }
    replace_store(&config->verify_store, store, up_ref);
    return 1;
}

long stores_set_chain(SSL *s, SSL_CTX *ctx, X509_STORE *store, bool up_ref)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config == NULL) {
        return 0;
    }
    replace_store(&config->chain_store, store, up_ref);
    return 1;
}

long stores_get_verify(const SSL *s, const SSL_CTX *ctx, X509_STORE **store)
{
    *store = settings_of(s, ctx)->verify_store;
    return 1;
}

long stores_get_chain(const SSL *s, const SSL_CTX *ctx, X509_STORE **store)
{
    *store = settings_of(s, ctx)->chain_store;
    return 1;
}

/* --- Loading --- */

/* Loads a file by the cache. It serves a store that has nothing but such files; what is loaded
 * otherwise is found before them, and would hide what has the same name. */
static enum ca_file load_behind(SSL_CTX *ctx, const char *file)
{
    struct ca_set *set;

    if (ctx->store_is_open) {
        return CA_FILE_ELSEWISE;
    }
    enum ca_file result = ca_file_get(ctx->lib, file, &set);
    if (result == CA_FILE_READ) {
        if (!ca_lookup_add(ctx->cert_store, set)) {
            return CA_FILE_ELSEWISE;
        }
        ctx->store_is_short = true;
    }
    return result;
}

int SSL_CTX_load_verify_file(SSL_CTX *ctx, const char *CAfile)
{
    enum ca_file result = load_behind(ctx, CAfile);

    if (result != CA_FILE_ELSEWISE) {
        return result == CA_FILE_READ;
    }
    return X509_STORE_load_file_ex(stores_for_application(ctx), CAfile, settings_libctx(NULL, ctx),
                                   settings_propq(NULL, ctx));
}

int SSL_CTX_load_verify_dir(SSL_CTX *ctx, const char *CApath)
{
    ctx->store_is_open = true;
    return X509_STORE_load_path(ctx->cert_store, CApath);
}

int SSL_CTX_load_verify_store(SSL_CTX *ctx, const char *CAstore)
{
    ctx->store_is_open = true;
    return X509_STORE_load_store_ex(ctx->cert_store, CAstore, settings_libctx(NULL, ctx),
                                    settings_propq(NULL, ctx));
}

int SSL_CTX_load_verify_locations(SSL_CTX *ctx, const char *CAfile, const char *CApath)
{
    if (CAfile == NULL && CApath == NULL) {
        return 0;
    }
    if (CAfile != NULL && !SSL_CTX_load_verify_file(ctx, CAfile)) {
        return 0;
    }
    return CApath == NULL || SSL_CTX_load_verify_dir(ctx, CApath);
}

/* The same with the default file. A file that is missing or no good is no error. */
static enum ca_file load_default_behind(SSL_CTX *ctx)
{
    const char *file = secure_getenv(X509_get_default_cert_file_env());

    ERR_set_mark();
    enum ca_file result = load_behind(ctx, file != NULL ? file : X509_get_default_cert_file());
    ERR_pop_to_mark();
    return result;
}

/* Adds a lookup of the default place. A place that does not exist is no error. */
static int add_default_lookup(SSL_CTX *ctx, X509_LOOKUP_METHOD *method)
{
    X509_STORE *store = ctx->cert_store;

    if (method == X509_LOOKUP_file()) {
        if (load_default_behind(ctx) != CA_FILE_ELSEWISE) {
            return 1;
        }
        store = stores_for_application(ctx);
    }
    ctx->store_is_open = true;
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, method);

    if (lookup == NULL) {
        return 0;
    }
    ERR_set_mark();
    if (method == X509_LOOKUP_hash_dir()) {
        (void)X509_LOOKUP_add_dir(lookup, NULL, X509_FILETYPE_DEFAULT);
    } else if (method == X509_LOOKUP_file()) {
        (void)X509_LOOKUP_load_file_ex(lookup, NULL, X509_FILETYPE_DEFAULT,
                                       settings_libctx(NULL, ctx), settings_propq(NULL, ctx));
    } else {
        (void)X509_LOOKUP_add_store_ex(lookup, NULL, settings_libctx(NULL, ctx),
                                       settings_propq(NULL, ctx));
    }
    ERR_pop_to_mark();
    return 1;
}

int SSL_CTX_set_default_verify_paths(SSL_CTX *ctx)
{
    if (add_default_lookup(ctx, X509_LOOKUP_file()) == 0 ||
        add_default_lookup(ctx, X509_LOOKUP_hash_dir()) == 0 ||
        add_default_lookup(ctx, X509_LOOKUP_store()) == 0) {
        return 0;
    }
    ERR_clear_error(); /* as OpenSSL does */
    return 1;
}

int SSL_CTX_set_default_verify_dir(SSL_CTX *ctx)
{
    return add_default_lookup(ctx, X509_LOOKUP_hash_dir());
}

int SSL_CTX_set_default_verify_file(SSL_CTX *ctx)
{
    if (ctx->cert_store == NULL) {
        return 0;
    }
    return add_default_lookup(ctx, X509_LOOKUP_file());
}

int SSL_CTX_set_default_verify_store(SSL_CTX *ctx)
{
    return add_default_lookup(ctx, X509_LOOKUP_store());
}
