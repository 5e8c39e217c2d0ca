/*
 * Names of certificate authorities: the lists a context and a connection send, the list the peer
 * sent, and the functions that collect names from files, folders and stores. Behaviour:
 * SSL_CTX_set0_CA_list(3), SSL_load_client_CA_file(3).
 */
#include "api/ca_list.h"

#include "api/certs.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/store.h>

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>

/* --- Lists --- */

void ca_list_free(STACK_OF(X509_NAME) *list)
{
    sk_X509_NAME_pop_free(list, X509_NAME_free);
}

/* Appends a copy of name. False: out of memory, an error was raised. */
static bool append_name(STACK_OF(X509_NAME) *list, const X509_NAME *name)
{
    X509_NAME *copy = X509_NAME_dup(name);

    if (copy == NULL || !sk_X509_NAME_push(list, copy)) {
        X509_NAME_free(copy);
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    return true;
}

bool ca_list_copy(STACK_OF(X509_NAME) **copy, const STACK_OF(X509_NAME) *list)
{
    *copy = NULL;
    if (list == NULL) {
        return true;
    }
    *copy = SSL_dup_CA_list(list);
    return *copy != NULL;
}

STACK_OF(X509_NAME) *SSL_dup_CA_list(const STACK_OF(X509_NAME) *sk)
{
    int num = sk_X509_NAME_num(sk);
    STACK_OF(X509_NAME) *copy = sk_X509_NAME_new_reserve(NULL, num > 0 ? num : 0);

    if (copy == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    for (int i = 0; i < num; i++) {
        if (!append_name(copy, sk_X509_NAME_value(sk, i))) {
            ca_list_free(copy);
            return NULL;
        }
    }
    return copy;
}

static void replace_list(STACK_OF(X509_NAME) **slot, STACK_OF(X509_NAME) *list)
{
    ca_list_free(*slot);
    *slot = list;
}

static int add_subject(STACK_OF(X509_NAME) **slot, const X509 *cert)
{
    if (cert == NULL) {
        return 0;
    }
    if (*slot == NULL) {
        *slot = sk_X509_NAME_new_null();
    }
    return *slot != NULL && append_name(*slot, X509_get_subject_name(cert));
}

void SSL_set0_CA_list(SSL *s, STACK_OF(X509_NAME) *name_list)
{
    replace_list(&s->ca_names, name_list);
}

void SSL_CTX_set0_CA_list(SSL_CTX *ctx, STACK_OF(X509_NAME) *name_list)
{
    replace_list(&ctx->ca_names, name_list);
}

const STACK_OF(X509_NAME) *SSL_get0_CA_list(const SSL *s)
{
    return s->ca_names != NULL ? s->ca_names : s->ctx->ca_names;
}

const STACK_OF(X509_NAME) *SSL_CTX_get0_CA_list(const SSL_CTX *ctx)
{
    return ctx->ca_names;
}

int SSL_add1_to_CA_list(SSL *ssl, const X509 *x)
{
    return add_subject(&ssl->ca_names, x);
}

int SSL_CTX_add1_to_CA_list(SSL_CTX *ctx, const X509 *x)
{
    return add_subject(&ctx->ca_names, x);
}

void SSL_set_client_CA_list(SSL *s, STACK_OF(X509_NAME) *name_list)
{
    replace_list(&s->client_ca_names, name_list);
}

void SSL_CTX_set_client_CA_list(SSL_CTX *ctx, STACK_OF(X509_NAME) *name_list)
{
    replace_list(&ctx->client_ca_names, name_list);
}

/* A client is told what the server sent. */
STACK_OF(X509_NAME) *SSL_get_client_CA_list(const SSL *s)
{
    if (!SSL_is_server(s)) {
        return s->peer_ca_names;
    }
    return s->client_ca_names != NULL ? s->client_ca_names : s->ctx->client_ca_names;
}

STACK_OF(X509_NAME) *SSL_CTX_get_client_CA_list(const SSL_CTX *ctx)
{
    return ctx->client_ca_names;
}

int SSL_add_client_CA(SSL *ssl, X509 *x)
{
    return add_subject(&ssl->client_ca_names, x);
}

int SSL_CTX_add_client_CA(SSL_CTX *ctx, X509 *x)
{
    return add_subject(&ctx->client_ca_names, x);
}

const STACK_OF(X509_NAME) *SSL_get0_peer_CA_list(const SSL *s)
{
    return s->peer_ca_names;
}

/* --- Hooks --- */

static const STACK_OF(X509_NAME) *list_to_send(const SSL *s)
{
    if (SSL_is_server(s)) {
        const STACK_OF(X509_NAME) *names = SSL_get_client_CA_list(s);

        if (sk_X509_NAME_num(names) > 0) {
            return names;
        }
    }
    return SSL_get0_CA_list(s);
}

bool ca_list_write(void *owner, struct writer *w)
{
    const SSL *s = owner;
    const STACK_OF(X509_NAME) *names = list_to_send(s);

    if ((SSL_get_options(s) & SSL_OP_DISABLE_TLSEXT_CA_NAMES) != 0) {
        return true;
    }
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        const X509_NAME *name = sk_X509_NAME_value(names, i);
        int len = i2d_X509_NAME(name, NULL);
        unsigned char *out;

        writer_open(w, 2);
        out = len > 0 ? writer_space(w, (size_t)len) : NULL;
        if (out == NULL || i2d_X509_NAME(name, &out) != len) {
            return false;
        }
        writer_close(w);
    }
    return true;
}

bool ca_list_read(void *owner, struct reader names)
{
    SSL *s = owner;
    STACK_OF(X509_NAME) *list = sk_X509_NAME_new_null();

    while (list != NULL && !reader_is_empty(&names)) {
        struct reader der;
        const unsigned char *at;
        X509_NAME *name = NULL;

        if (reader_vec16(&names, &der)) {
            at = der.at;
            name = d2i_X509_NAME(NULL, &at, (long)der.left);
        }
        if (name == NULL || at != der.at + der.left || !sk_X509_NAME_push(list, name)) {
            X509_NAME_free(name);
            ca_list_free(list);
            return false;
        }
    }
    if (list == NULL) {
        return false;
    }
    replace_list(&s->peer_ca_names, list);
    return true;
}

/* --- Collecting names --- */

static int compare_names(const X509_NAME *const *a, const X509_NAME *const *b)
{
    return X509_NAME_cmp(*a, *b);
}

/* Appends the certificate's subject unless the list has it. The list must have compare_names. */
static bool append_new_subject(STACK_OF(X509_NAME) *list, const X509 *cert)
{
    X509_NAME *name = X509_get_subject_name(cert);

    if (name == NULL) {
        return false;
    }
    return sk_X509_NAME_find(list, name) >= 0 || append_name(list, name);
}

/* The next certificate, in an X509 of the library context; NULL: the file has no more. */
static X509 *next_cert(BIO *in, OSSL_LIB_CTX *libctx, const char *propq)
{
    X509 *cert = X509_new_ex(libctx, propq);

    if (cert == NULL || PEM_read_bio_X509(in, &cert, NULL, NULL) == NULL) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* True when list, in the order of the file, has name. */
static bool has_name(const STACK_OF(X509_NAME) *list, const X509_NAME *name)
{
    for (int i = 0; i < sk_X509_NAME_num(list); i++) {
        if (X509_NAME_cmp(sk_X509_NAME_value(list, i), name) == 0) {
            return true;
        }
    }
    return false;
}

STACK_OF(X509_NAME) *SSL_load_client_CA_file_ex(const char *file, OSSL_LIB_CTX *libctx,
                                                const char *propq)
{
    STACK_OF(X509_NAME) *list = NULL;
    BIO *in = certs_open_file(file);
    X509 *cert;
    bool ok = in != NULL;

    while (ok && (cert = next_cert(in, libctx, propq)) != NULL) {
        const X509_NAME *name = X509_get_subject_name(cert);

        if (list == NULL) {
            list = sk_X509_NAME_new_null();
        }
        ok = list != NULL && name != NULL && (has_name(list, name) || append_name(list, name));
        X509_free(cert);
    }
    BIO_free(in);
    if (!ok) {
        ca_list_free(list);
        return NULL;
    }
    if (list != NULL) {
        ERR_clear_error();
    }
    return list;
}

STACK_OF(X509_NAME) *SSL_load_client_CA_file(const char *file)
{
    return SSL_load_client_CA_file_ex(file, NULL, NULL);
}

int SSL_add_file_cert_subjects_to_stack(STACK_OF(X509_NAME) *stack, const char *file)
{
    sk_X509_NAME_compfunc old = sk_X509_NAME_set_cmp_func(stack, compare_names);
    BIO *in = certs_open_file(file);
    X509 *cert;
    bool ok = in != NULL;

    while (ok && (cert = next_cert(in, NULL, NULL)) != NULL) {
        ok = append_new_subject(stack, cert);
        X509_free(cert);
    }
    if (ok) {
        ERR_clear_error();
    }
    BIO_free(in);
    (void)sk_X509_NAME_set_cmp_func(stack, old);
    return ok;
}

/* One entry of a folder. */
static bool add_entry(STACK_OF(X509_NAME) *stack, const char *dir, const char *name)
{
    char path[PATH_MAX];
    struct stat about;
    int len = snprintf(path, sizeof(path), "%s/%s", dir, name);

    if (len <= 0 || (size_t)len >= sizeof(path)) {
        raise_error(SSL_R_PATH_TOO_LONG);
        return false;
    }
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        return true;
    }
    return SSL_add_file_cert_subjects_to_stack(stack, path) == 1;
}

int SSL_add_dir_cert_subjects_to_stack(STACK_OF(X509_NAME) *stack, const char *dir)
{
    DIR *folder = opendir(dir);
    const struct dirent *entry;
    bool ok = folder != NULL;

    if (!ok) {
        ERR_raise_data(ERR_LIB_SYS, errno, "calling opendir(%s)", dir);
        raise_error(ERR_R_SYS_LIB);
        return 0;
    }
    while (ok && (entry = readdir(folder)) != NULL) {
        ok = add_entry(stack, dir, entry->d_name);
    }
    closedir(folder);
    return ok;
}

/* depth: how many levels of names of other URIs are followed. */
static bool add_uri(STACK_OF(X509_NAME) *stack, const char *uri, int depth)
{
    OSSL_STORE_CTX *store = OSSL_STORE_open(uri, NULL, NULL, NULL, NULL);
    bool ok = store != NULL;

    while (ok && !OSSL_STORE_eof(store) && !OSSL_STORE_error(store)) {
        OSSL_STORE_INFO *info = OSSL_STORE_load(store);
        int type = info != NULL ? OSSL_STORE_INFO_get_type(info) : 0;

        if (type == OSSL_STORE_INFO_NAME && depth > 0) {
            ok = add_uri(stack, OSSL_STORE_INFO_get0_NAME(info), depth - 1);
        } else if (type == OSSL_STORE_INFO_CERT) {
            ok = append_new_subject(stack, OSSL_STORE_INFO_get0_CERT(info));
        }
        OSSL_STORE_INFO_free(info);
    }
    if (ok) {
        ERR_clear_error();
    }
    OSSL_STORE_close(store);
    return ok;
}

int SSL_add_store_cert_subjects_to_stack(STACK_OF(X509_NAME) *stack, const char *uri)
{
    sk_X509_NAME_compfunc old = sk_X509_NAME_set_cmp_func(stack, compare_names);
    bool ok = add_uri(stack, uri, 1);

    (void)sk_X509_NAME_set_cmp_func(stack, old);
    return ok;
}
