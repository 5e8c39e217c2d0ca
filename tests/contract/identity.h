/*
 * Certificates and keys made on the spot, in memory. Nothing of them appears in logs except what
 * the caller chose (names, kinds).
 */
#ifndef CONTRACT_IDENTITY_H
#define CONTRACT_IDENTITY_H

#include <openssl/ssl.h>
#include <stdbool.h>

enum key_kind {
    KEY_P256,
    KEY_P384,
    KEY_P521,
    KEY_RSA,     /* 2048 bits, rsaEncryption */
    KEY_RSA_PSS, /* 2048 bits, id-RSASSA-PSS */
    KEY_ED25519,
    KEY_ED448,
    KEY_DSA,      /* 2048 bits */
    KEY_DSA_1024, /* with the digest SHA-1 */
    KEY_RSA_1024
};

/* A certificate with its key; `issuer` is NULL when it signed itself, otherwise borrowed: it must
 * outlive this one. */
struct identity {
    X509 *cert;
    EVP_PKEY *key;
    const struct identity *issuer;
};

/* Self-signed, for `common_name` (also its DNS name); an authority may sign others. */
struct identity *identity_new(enum key_kind kind, const char *common_name);

/* Signed by `issuer`. With `authority`, it may sign others in turn (an intermediate). */
struct identity *identity_issue(const struct identity *issuer, enum key_kind kind,
                                const char *common_name, bool authority);

void identity_free(struct identity *identity);

/* The self-signed P-256 identity "localhost" that all contexts share; made at the first call,
 * kept until the program ends (identity_default_free). */
const struct identity *identity_default(void);
void identity_default_free(void);

/* Sets certificate, key and the intermediates between it and its root (root not included). */
void identity_use_ctx(const struct identity *identity, SSL_CTX *ctx);
void identity_use_ssl(const struct identity *identity, SSL *ssl);

/* Makes `root` a trust anchor of the context's store. */
void identity_trust(const struct identity *root, SSL_CTX *ctx);

#endif
