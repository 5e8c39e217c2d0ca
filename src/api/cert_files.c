/*
 * Own certificates, keys and chains from files. Behaviour: SSL_CTX_use_certificate(3).
 */
#include "api/certs.h"
#include "api/chain.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include <errno.h>

BIO *certs_open_file(const char *file)
{
    BIO *in;
    /* The command only reads the name. */
    void *name = (void *)(uintptr_t)file;

    /* What fopen() answers, without asking it for a file without a name. */
    if (file == NULL) {
        ERR_raise(ERR_LIB_SYS, EFAULT);
        ERR_raise(ERR_LIB_BIO, ERR_R_SYS_LIB);
        return NULL;
    }
    in = BIO_new(BIO_s_file());
    if (in != NULL && BIO_ctrl(in, BIO_C_SET_FILENAME, BIO_CLOSE | BIO_FP_READ, name) <= 0) {
        BIO_free(in);
        in = NULL;
    }
    return in;
}

/* The same; also says in the error queue that the file could not be opened. */
static BIO *open_file(const char *file)
{
    BIO *in = certs_open_file(file);

    if (in == NULL) {
        raise_error(ERR_R_SYS_LIB);
    }
    return in;
}

/* Where the passphrase of an object's files comes from. */
struct passphrase {
    pem_password_cb *callback;
    void *userdata;
};

static struct passphrase passphrase_of(const SSL *s, const SSL_CTX *ctx)
{
    struct passphrase p;

    certs_passphrase(s, ctx, &p.callback, &p.userdata);
    return p;
}

/* Says that a file of that type could not be decoded. */
static void raise_undecodable(int type)
{
    raise_error(type == SSL_FILETYPE_PEM ? ERR_R_PEM_LIB : ERR_R_ASN1_LIB);
}

static bool type_is_known(int type)
{
    if (type != SSL_FILETYPE_PEM && type != SSL_FILETYPE_ASN1) {
        raise_error(SSL_R_BAD_SSL_FILETYPE);
        return false;
    }
    return true;
}

/* --- Certificates --- */

static X509 *new_cert(const SSL *s, const SSL_CTX *ctx)
{
    X509 *cert = X509_new_ex(settings_libctx(s, ctx), settings_propq(s, ctx));

    if (cert == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    }
    return cert;
}

static X509 *read_cert(const SSL *s, const SSL_CTX *ctx, BIO *in, int type)
{
    struct passphrase p = passphrase_of(s, ctx);
    X509 *cert = new_cert(s, ctx);
    X509 *read;

    if (cert == NULL || !type_is_known(type)) {
        X509_free(cert);
        return NULL;
    }
    read = type == SSL_FILETYPE_PEM ? PEM_read_bio_X509(in, &cert, p.callback, p.userdata)
                                    : d2i_X509_bio(in, &cert);
    if (read == NULL) {
        raise_undecodable(type);
        X509_free(cert);
        return NULL;
    }
    return cert;
}

static int use_certificate_file(SSL *s, SSL_CTX *ctx, const char *file, int type)
{
    BIO *in = open_file(file);
    X509 *cert = in != NULL ? read_cert(s, ctx, in, type) : NULL;
    int used = cert != NULL && certs_use_certificate(s, ctx, cert);

    X509_free(cert);
    BIO_free(in);
    return used;
}

int SSL_use_certificate_file(SSL *ssl, const char *file, int type)
{
    return use_certificate_file(ssl, NULL, file, type);
}

int SSL_CTX_use_certificate_file(SSL_CTX *ctx, const char *file, int type)
{
    return use_certificate_file(NULL, ctx, file, type);
}

/* --- A leaf and its chain --- */

/* Appends the certificates that follow in the file to the chain of the current certificate. */
static bool read_chain(SSL *s, SSL_CTX *ctx, BIO *in)
{
    struct passphrase p = passphrase_of(s, ctx);
    unsigned long why;
    X509 *cert;

    for (;;) {
        cert = new_cert(s, ctx);
        if (cert == NULL) {
            return false;
        }
        if (PEM_read_bio_X509(in, &cert, p.callback, p.userdata) == NULL) {
            X509_free(cert);
            break;
        }
        if (!chain_add(s, ctx, cert, false)) {
            X509_free(cert);
            return false;
        }
    }
    /* The end of the file is no error; everything else is. */
    why = ERR_peek_last_error();
    if (ERR_GET_LIB(why) != ERR_LIB_PEM || ERR_GET_REASON(why) != PEM_R_NO_START_LINE) {
        return false;
    }
    ERR_clear_error();
    return true;
}

static int use_chain(SSL *s, SSL_CTX *ctx, BIO *in)
{
    struct passphrase p = passphrase_of(s, ctx);
    X509 *leaf = new_cert(s, ctx);
    bool used;

    if (leaf == NULL) {
        return 0;
    }
    if (PEM_read_bio_X509_AUX(in, &leaf, p.callback, p.userdata) == NULL) {
        raise_error(ERR_R_PEM_LIB);
        X509_free(leaf);
        return 0;
    }
    used = certs_use_certificate(s, ctx, leaf);
    X509_free(leaf);
    return used && ERR_peek_error() == 0 && chain_set(s, ctx, NULL, false) == 1 &&
           read_chain(s, ctx, in);
}

static int use_chain_file(SSL *s, SSL_CTX *ctx, const char *file)
{
    BIO *in;
    int used;

    /* What is in the queue afterwards decides where the file ended. */
    ERR_clear_error();
    in = open_file(file);
    if (in == NULL) {
        return 0;
    }
    used = use_chain(s, ctx, in);
    BIO_free(in);
    return used;
}

int SSL_use_certificate_chain_file(SSL *ssl, const char *file)
{
    return use_chain_file(ssl, NULL, file);
}

int SSL_CTX_use_certificate_chain_file(SSL_CTX *ctx, const char *file)
{
    return use_chain_file(NULL, ctx, file);
}

/* --- Private keys --- */

static int use_key_file(SSL *s, SSL_CTX *ctx, const char *file, int type)
{
    struct passphrase p = passphrase_of(s, ctx);
    OSSL_LIB_CTX *libctx = settings_libctx(s, ctx);
    const char *propq = settings_propq(s, ctx);
    BIO *in = open_file(file);
    EVP_PKEY *key = NULL;
    int used = 0;

    if (in != NULL && type_is_known(type)) {
        key = type == SSL_FILETYPE_PEM
                  ? PEM_read_bio_PrivateKey_ex(in, NULL, p.callback, p.userdata, libctx, propq)
                  : d2i_PrivateKey_ex_bio(in, NULL, libctx, propq);
        if (key == NULL) {
            raise_undecodable(type);
        } else {
            used = certs_use_key(s, ctx, key);
        }
    }
    EVP_PKEY_free(key);
    BIO_free(in);
    return used;
}

int SSL_use_PrivateKey_file(SSL *ssl, const char *file, int type)
{
    return use_key_file(ssl, NULL, file, type);
}

int SSL_CTX_use_PrivateKey_file(SSL_CTX *ctx, const char *file, int type)
{
    return use_key_file(NULL, ctx, file, type);
}

/* The functions for RSA read the traditional encoding. */
static RSA *read_rsa(const SSL *s, const SSL_CTX *ctx, const char *file, int type)
{
    struct passphrase p = passphrase_of(s, ctx);
    BIO *in = open_file(file);
    RSA *rsa = NULL;

    if (in != NULL && type_is_known(type)) {
        rsa = type == SSL_FILETYPE_PEM
                  ? PEM_read_bio_RSAPrivateKey(in, NULL, p.callback, p.userdata)
                  : d2i_RSAPrivateKey_bio(in, NULL);
        if (rsa == NULL) {
            raise_undecodable(type);
        }
    }
    BIO_free(in);
    return rsa;
}

int SSL_use_RSAPrivateKey_file(SSL *ssl, const char *file, int type)
{
    RSA *rsa = read_rsa(ssl, NULL, file, type);
    int used = rsa != NULL && SSL_use_RSAPrivateKey(ssl, rsa);

    RSA_free(rsa);
    return used;
}

int SSL_CTX_use_RSAPrivateKey_file(SSL_CTX *ctx, const char *file, int type)
{
    RSA *rsa = read_rsa(NULL, ctx, file, type);
    int used = rsa != NULL && SSL_CTX_use_RSAPrivateKey(ctx, rsa);

    RSA_free(rsa);
    return used;
}
