/*
 * Own certificates and keys: what the control commands and other files of api/ need of certs.c.
 *
 * Functions that serve both objects take a connection (s) and a context (ctx); exactly one of the
 * two is not NULL and names the object. Functions that answer a control command return what
 * SSL_ctrl(3) documents for it.
 */
#ifndef TENON_API_CERTS_H
#define TENON_API_CERTS_H

#include "api/internal.h"

/* The object's settings and credentials, to be read. */
const struct ssl_config *settings_of(const SSL *s, const SSL_CTX *ctx);
const struct credentials *certs_of(const SSL *s, const SSL_CTX *ctx);

/* The same, ready to be changed. NULL: out of memory, an error was raised. */
MUST_CHECK struct ssl_config *settings_edit(SSL *s, SSL_CTX *ctx);
MUST_CHECK struct credentials *certs_edit(SSL *s, SSL_CTX *ctx);

/* True when the object's security level or callback allows it. */
bool settings_allow(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other);

/* The slot that getters and setters without a certificate work on: the one set or selected last, of
 * a connection the one whose certificate it has sent since. certs_edit() makes it set->current. */
enum key_slot certs_current(const SSL *s, const SSL_CTX *ctx);

/* The hook credential_chosen of conn/hooks.h; owner is the SSL. */
void certs_show_sent(void *owner, enum key_slot slot);

/* SSL_CTRL_SELECT_CURRENT_CERT: makes the slot with cert the current one. */
long certs_select_current(SSL *s, SSL_CTX *ctx, X509 *cert);

/* SSL_CTRL_SET_CURRENT_CERT: op is SSL_CERT_SET_FIRST, SSL_CERT_SET_NEXT or SSL_CERT_SET_SERVER. */
long certs_set_current(SSL *s, SSL_CTX *ctx, long op);

/* Takes cert into its slot (a new reference). False: refused, an error was raised. */
MUST_CHECK bool certs_use_certificate(SSL *s, SSL_CTX *ctx, X509 *cert);

/* Takes key into its slot (a new reference). False: refused, an error was raised. */
MUST_CHECK bool certs_use_key(SSL *s, SSL_CTX *ctx, EVP_PKEY *key);

/* The callback and its argument that ask for the passphrase of the object's key files. */
void certs_passphrase(const SSL *s, const SSL_CTX *ctx, pem_password_cb **callback,
                      void **userdata);

/* Opens a file to read from; NULL: libcrypto has raised why. */
BIO *certs_open_file(const char *file);

/* The library context and property query certificates and keys of the object are made in. */
OSSL_LIB_CTX *settings_libctx(const SSL *s, const SSL_CTX *ctx);
const char *settings_propq(const SSL *s, const SSL_CTX *ctx);

#endif
