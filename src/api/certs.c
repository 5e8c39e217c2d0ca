/*
 * Own certificates and private keys given as objects or as DER bytes; files are in cert_files.c,
 * chains in chain.c, callbacks in cert_callbacks.c. Behaviour: SSL_CTX_use_certificate(3),
 * SSL_CTX_check_private_key(3), SSL_get_certificate(3).
 */
#include "api/certs.h"

#include "api/chain.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

const struct ssl_config *settings_of(const SSL *s, const SSL_CTX *ctx)
{
    return s != NULL ? s->config : ctx->config;
}

const struct credentials *certs_of(const SSL *s, const SSL_CTX *ctx)
{
    return settings_of(s, ctx)->core.credentials;
}

struct ssl_config *settings_edit(SSL *s, SSL_CTX *ctx)
{
    return s != NULL ? ssl_edit(s) : ctx_edit(ctx);
}

struct credentials *certs_edit(SSL *s, SSL_CTX *ctx)
{
    struct ssl_config *config = settings_edit(s, ctx);
    struct credentials *set;

    if (config == NULL) {
        return NULL;
    }
    set = credentials_edit(&config->core.credentials);
    if (set == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return NULL;
    }
    if (s != NULL && s->sent_slot != KEY_NONE) {
        set->current = s->sent_slot;
        s->sent_slot = KEY_NONE;
    }
    return set;
}

enum key_slot certs_current(const SSL *s, const SSL_CTX *ctx)
{
    return s != NULL && s->sent_slot != KEY_NONE ? s->sent_slot : certs_of(s, ctx)->current;
}

void certs_show_sent(void *owner, enum key_slot slot)
{
    SSL *s = owner;

    s->sent_slot = slot;
}

bool settings_allow(const SSL *s, const SSL_CTX *ctx, int op, int bits, int nid, void *other)
{
    return s != NULL ? ssl_is_allowed(s, op, bits, nid, other)
                     : ctx_is_allowed(ctx, op, bits, nid, other);
}

OSSL_LIB_CTX *settings_libctx(const SSL *s, const SSL_CTX *ctx)
{
    return crypto_lib_context(settings_of(s, ctx)->core.lib);
}

const char *settings_propq(const SSL *s, const SSL_CTX *ctx)
{
    return crypto_lib_propq(settings_of(s, ctx)->core.lib);
}

void certs_passphrase(const SSL *s, const SSL_CTX *ctx, pem_password_cb **callback, void **userdata)
{
    *callback = settings_of(s, ctx)->passwd_callback;
    *userdata = settings_of(s, ctx)->passwd_userdata;
}

/* --- Certificates --- */

/* A certificate that does not belong to the key of its slot pushes the key out: the application is
 * about to set the other one. */
static void drop_foreign_key(struct credential *slot, X509 *cert, EVP_PKEY *public_key)
{
    if (slot->key == NULL) {
        return;
    }
    ERR_set_mark();
    /* Parameters that the certificate leaves out (RFC 3279, 2.3.2) come with the key. */
    (void)EVP_PKEY_copy_parameters(public_key, slot->key);
    if (!X509_check_private_key(cert, slot->key)) {
        credential_drop_key(slot);
    }
    ERR_pop_to_mark();
}

bool certs_use_certificate(SSL *s, SSL_CTX *ctx, X509 *cert)
{
    int refusal = chain_judge_cert(s, ctx, cert, false, true);
    EVP_PKEY *public_key;
    enum key_slot slot;
    struct credentials *set;

    if (refusal != 0) {
        raise_error(refusal);
        return false;
    }
    public_key = X509_get0_pubkey(cert);
    if (public_key == NULL) {
        raise_error(SSL_R_X509_LIB);
        return false;
    }
    slot = key_slot_of(public_key);
    if (slot == KEY_NONE) {
        raise_error(SSL_R_UNKNOWN_CERTIFICATE_TYPE);
        return false;
    }
    if (slot == KEY_ECDSA && !EVP_PKEY_can_sign(public_key)) {
        raise_error(SSL_R_ECC_CERT_NOT_FOR_SIGNING);
        return false;
    }
    set = certs_edit(s, ctx);
    if (set == NULL) {
        return false;
    }
    drop_foreign_key(&set->slot[slot], cert, public_key);
    X509_up_ref(cert);
    X509_free(set->slot[slot].cert);
    set->slot[slot].cert = cert;
    set->current = slot;
    return true;
}

static int use_certificate(SSL *s, SSL_CTX *ctx, X509 *cert)
{
    if (cert == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    return certs_use_certificate(s, ctx, cert);
}

int SSL_use_certificate(SSL *ssl, X509 *x)
{
    return use_certificate(ssl, NULL, x);
}

int SSL_CTX_use_certificate(SSL_CTX *ctx, X509 *x)
{
    return use_certificate(NULL, ctx, x);
}

static int use_certificate_der(SSL *s, SSL_CTX *ctx, const unsigned char *der, long len)
{
    X509 *cert = X509_new_ex(settings_libctx(s, ctx), settings_propq(s, ctx));
    int used;

    if (cert == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (d2i_X509(&cert, &der, len) == NULL) {
        X509_free(cert);
        raise_error(ERR_R_ASN1_LIB);
        return 0;
    }
    used = use_certificate(s, ctx, cert);
    X509_free(cert);
    return used;
}

int SSL_use_certificate_ASN1(SSL *ssl, const unsigned char *d, int len)
{
    return use_certificate_der(ssl, NULL, d, len);
}

int SSL_CTX_use_certificate_ASN1(SSL_CTX *ctx, int len, const unsigned char *d)
{
    return use_certificate_der(NULL, ctx, d, len);
}

/* --- Private keys --- */

bool certs_use_key(SSL *s, SSL_CTX *ctx, EVP_PKEY *key)
{
    enum key_slot slot = key_slot_of(key);
    struct credentials *set;

    if (slot == KEY_NONE) {
        raise_error(SSL_R_UNKNOWN_CERTIFICATE_TYPE);
        return false;
    }
    set = certs_edit(s, ctx);
    if (set == NULL) {
        return false;
    }
    if (set->slot[slot].cert != NULL && !X509_check_private_key(set->slot[slot].cert, key)) {
        return false;
    }
    if (!credential_set_key(&set->slot[slot], key)) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return false;
    }
    set->current = slot;
    return true;
}

static int use_key(SSL *s, SSL_CTX *ctx, EVP_PKEY *key)
{
    if (key == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    return certs_use_key(s, ctx, key);
}

int SSL_use_PrivateKey(SSL *ssl, EVP_PKEY *pkey)
{
    return use_key(ssl, NULL, pkey);
}

int SSL_CTX_use_PrivateKey(SSL_CTX *ctx, EVP_PKEY *pkey)
{
    return use_key(NULL, ctx, pkey);
}

static int use_key_der(SSL *s, SSL_CTX *ctx, int type, const unsigned char *der, long len)
{
    EVP_PKEY *key =
        d2i_PrivateKey_ex(type, NULL, &der, len, settings_libctx(s, ctx), settings_propq(s, ctx));
    int used;

    if (key == NULL) {
        raise_error(ERR_R_ASN1_LIB);
        return 0;
    }
    used = use_key(s, ctx, key);
    EVP_PKEY_free(key);
    return used;
}

int SSL_use_PrivateKey_ASN1(int pk, SSL *ssl, const unsigned char *d, long len)
{
    return use_key_der(ssl, NULL, pk, d, len);
}

int SSL_CTX_use_PrivateKey_ASN1(int pk, SSL_CTX *ctx, const unsigned char *d, long len)
{
    return use_key_der(NULL, ctx, pk, d, len);
}

static int use_rsa(SSL *s, SSL_CTX *ctx, RSA *rsa)
{
    EVP_PKEY *key;
    int used;

    if (rsa == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    key = EVP_PKEY_new();
    if (key == NULL || EVP_PKEY_set1_RSA(key, rsa) <= 0) {
        EVP_PKEY_free(key);
        raise_error(ERR_R_EVP_LIB);
        return 0;
    }
    used = use_key(s, ctx, key);
    EVP_PKEY_free(key);
    return used;
}

int SSL_use_RSAPrivateKey(SSL *ssl, RSA *rsa)
{
    return use_rsa(ssl, NULL, rsa);
}

int SSL_CTX_use_RSAPrivateKey(SSL_CTX *ctx, RSA *rsa)
{
    return use_rsa(NULL, ctx, rsa);
}

static int use_rsa_der(SSL *s, SSL_CTX *ctx, const unsigned char *der, long len)
{
    RSA *rsa = d2i_RSAPrivateKey(NULL, &der, len);
    int used;

    if (rsa == NULL) {
        raise_error(ERR_R_ASN1_LIB);
        return 0;
    }
    used = use_rsa(s, ctx, rsa);
    RSA_free(rsa);
    return used;
}

int SSL_use_RSAPrivateKey_ASN1(SSL *ssl, const unsigned char *d, long len)
{
    return use_rsa_der(ssl, NULL, d, len);
}

int SSL_CTX_use_RSAPrivateKey_ASN1(SSL_CTX *ctx, const unsigned char *d, long len)
{
    return use_rsa_der(NULL, ctx, d, len);
}

static const struct credential *current_of(const SSL *s, const SSL_CTX *ctx)
{
    const struct credentials *set = certs_of(s, ctx);

    return &set->slot[certs_current(s, ctx)];
}

static int check_private_key(const struct credential *current)
{
    if (current->cert == NULL) {
        raise_error(SSL_R_NO_CERTIFICATE_ASSIGNED);
        return 0;
    }
    if (current->key == NULL) {
        raise_error(SSL_R_NO_PRIVATE_KEY_ASSIGNED);
        return 0;
    }
    return X509_check_private_key(current->cert, current->key);
}

int SSL_check_private_key(const SSL *ssl)
{
    if (ssl == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    return check_private_key(current_of(ssl, NULL));
}

int SSL_CTX_check_private_key(const SSL_CTX *ctx)
{
    if (ctx == NULL) {
        raise_error(SSL_R_NO_CERTIFICATE_ASSIGNED);
        return 0;
    }
    return check_private_key(current_of(NULL, ctx));
}

/* --- A certificate with its key and chain at once --- */

/* True when key is the private half of public_key; parameters that one of them lacks are taken from
 * the other. */
static bool keys_match(EVP_PKEY *public_key, EVP_PKEY *key)
{
    if (EVP_PKEY_missing_parameters(key)) {
        if (EVP_PKEY_missing_parameters(public_key)) {
            raise_error(SSL_R_MISSING_PARAMETERS);
            return false;
        }
        (void)EVP_PKEY_copy_parameters(key, public_key);
    } else if (EVP_PKEY_missing_parameters(public_key)) {
        (void)EVP_PKEY_copy_parameters(public_key, key);
    }
    if (EVP_PKEY_eq(public_key, key) != 1) {
        raise_error(SSL_R_PRIVATE_KEY_MISMATCH);
        return false;
    }
    return true;
}

static bool chain_is_allowed(const SSL *s, const SSL_CTX *ctx, X509 *cert, STACK_OF(X509) *chain)
{
    int refusal = chain_judge_cert(s, ctx, cert, false, true);

    for (int i = 0; refusal == 0 && i < sk_X509_num(chain); i++) {
        refusal = chain_judge_cert(s, ctx, sk_X509_value(chain, i), false, false);
    }
    if (refusal != 0) {
        raise_error(refusal);
    }
    return refusal == 0;
}

/* Fills the slot; public_key stands in for a missing private key, as OpenSSL has it. */
static bool replace_slot(SSL *s, SSL_CTX *ctx, X509 *cert, EVP_PKEY *key, STACK_OF(X509) *chain,
                         bool replace)
{
    enum key_slot slot = key_slot_of(X509_get0_pubkey(cert));
    struct credentials *set = slot == KEY_NONE ? NULL : certs_edit(s, ctx);
    STACK_OF(X509) *copy = NULL;
    struct credential *c;

    if (slot == KEY_NONE) {
        raise_error(SSL_R_UNKNOWN_CERTIFICATE_TYPE);
        return false;
    }
    if (set == NULL) {
        return false;
    }
    c = &set->slot[slot];
    if (!replace && (c->cert != NULL || c->key != NULL || c->chain != NULL)) {
        raise_error(SSL_R_NOT_REPLACING_CERTIFICATE);
        return false;
    }
    if (chain != NULL) {
        copy = X509_chain_up_ref(chain);
        if (copy == NULL) {
            raise_error(ERR_R_MALLOC_FAILURE);
            return false;
        }
    }
    if (!credential_set_key(c, key)) {
        raise_error(ERR_R_MALLOC_FAILURE);
        sk_X509_pop_free(copy, X509_free);
        return false;
    }
    X509_up_ref(cert);
    sk_X509_pop_free(c->chain, X509_free);
    X509_free(c->cert);
    c->chain = copy;
    c->cert = cert;
    set->current = slot;
    return true;
}

static int use_cert_and_key(SSL *s, SSL_CTX *ctx, X509 *cert, EVP_PKEY *key, STACK_OF(X509) *chain,
                            bool replace)
{
    EVP_PKEY *public_key;

    if (!chain_is_allowed(s, ctx, cert, chain)) {
        return 0;
    }
    public_key = X509_get0_pubkey(cert);
    if (public_key == NULL) {
        return 0;
    }
    if (key != NULL && !keys_match(public_key, key)) {
        return 0;
    }
    return replace_slot(s, ctx, cert, key != NULL ? key : public_key, chain, replace);
}

int SSL_use_cert_and_key(SSL *ssl, X509 *x509, EVP_PKEY *privatekey, STACK_OF(X509) *chain,
                         int override)
{
    return use_cert_and_key(ssl, NULL, x509, privatekey, chain, override != 0);
}

int SSL_CTX_use_cert_and_key(SSL_CTX *ctx, X509 *x509, EVP_PKEY *privatekey, STACK_OF(X509) *chain,
                             int override)
{
    return use_cert_and_key(NULL, ctx, x509, privatekey, chain, override != 0);
}

void SSL_certs_clear(SSL *s)
{
    struct credentials *set = certs_edit(s, NULL);

    if (set == NULL) {
        return;
    }
    for (size_t i = 0; i < NUM_KEY_SLOTS; i++) {
        credential_clear(&set->slot[i]);
    }
}

/* --- Which slot is current --- */

X509 *SSL_get_certificate(const SSL *ssl)
{
    return current_of(ssl, NULL)->cert;
}

EVP_PKEY *SSL_get_privatekey(const SSL *ssl)
{
    return current_of(ssl, NULL)->key;
}

X509 *SSL_CTX_get0_certificate(const SSL_CTX *ctx)
{
    return current_of(NULL, ctx)->cert;
}

EVP_PKEY *SSL_CTX_get0_privatekey(const SSL_CTX *ctx)
{
    return current_of(NULL, ctx)->key;
}

static long make_current(SSL *s, SSL_CTX *ctx, enum key_slot slot)
{
    struct credentials *set;

    if (certs_current(s, ctx) == slot) {
        return 1;
    }
    set = certs_edit(s, ctx);
    if (set == NULL) {
        return 0;
    }
    set->current = slot;
    return 1;
}

long certs_select_current(SSL *s, SSL_CTX *ctx, X509 *cert)
{
    const struct credentials *set = certs_of(s, ctx);

    if (cert == NULL) {
        return 0;
    }
    for (enum key_slot i = 0; i < NUM_KEY_SLOTS; i++) {
        if (set->slot[i].cert == cert && set->slot[i].key != NULL) {
            return make_current(s, ctx, i);
        }
    }
    for (enum key_slot i = 0; i < NUM_KEY_SLOTS; i++) {
        if (credentials_has(set, i) && X509_cmp(set->slot[i].cert, cert) == 0) {
            return make_current(s, ctx, i);
        }
    }
    return 0;
}

/* The slot whose certificate a server's handshake in progress sends. 2: the suite needs none. */
static long set_current_to_sent(SSL *s)
{
    const struct negotiated *neg;

    if (s == NULL || s->conn.role != ROLE_SERVER) {
        return 0;
    }
    neg = &s->conn.neg;
    if (neg->suite == NULL) {
        return 0;
    }
    if ((neg->suite->auth & (AUTH_NULL | AUTH_SRP)) != 0) {
        return 2;
    }
    return neg->own_slot == KEY_NONE ? 0 : make_current(s, NULL, neg->own_slot);
}

long certs_set_current(SSL *s, SSL_CTX *ctx, long op)
{
    const struct credentials *set = certs_of(s, ctx);
    enum key_slot first;

    if (op == SSL_CERT_SET_SERVER) {
        return set_current_to_sent(s);
    }
    if (op == SSL_CERT_SET_FIRST) {
        first = 0;
    } else if (op == SSL_CERT_SET_NEXT) {
        first = certs_current(s, ctx) + 1;
    } else {
        return 0;
    }
    for (enum key_slot i = first; i < NUM_KEY_SLOTS; i++) {
        if (credentials_has(set, i)) {
            return make_current(s, ctx, i);
        }
    }
    return 0;
}
