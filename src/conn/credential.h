/*
 * Certificates with their keys, one slot for each kind of key, as OpenSSL has them. A set is
 * counted and shared; whoever wants to change one first makes it its own (credentials_edit).
 */
#ifndef TENON_CONN_CREDENTIAL_H
#define TENON_CONN_CREDENTIAL_H

#include "base/blob.h"
#include "crypto/signer.h"

struct credential {
    X509 *cert;              /* counted; NULL: none */
    EVP_PKEY *key;           /* counted; NULL: none */
    struct signer *signer;   /* counted; for key */
    STACK_OF(X509) *chain;   /* owns; NULL: none. Without the leaf */
    struct blob *serverinfo; /* counted; extensions to send with the certificate */
};

struct credentials {
    _Atomic uint32_t refs;
    struct credential slot[NUM_KEY_SLOTS];
    enum key_slot current; /* what the next setter works on */
};

/* An empty set with one reference; NULL: out of memory. */
MUST_CHECK struct credentials *credentials_new(void);

/* One more reference to set, which is returned. NULL is allowed. */
struct credentials *credentials_ref(struct credentials *set);

/* Drops a reference; NULL is allowed. */
void credentials_free(struct credentials *set);

/* Makes *set exclusively the caller's, copying it if it is shared, and returns it; NULL: out of
 * memory, *set is unchanged. */
MUST_CHECK struct credentials *credentials_edit(struct credentials **set);

/* True when the slot has both a certificate and a key. */
bool credentials_has(const struct credentials *set, enum key_slot slot);

/* Puts key, of which c counts a reference, in the place of c's. False: out of memory, c is
 * unchanged. */
MUST_CHECK bool credential_set_key(struct credential *c, EVP_PKEY *key);

/* Leaves c without a key. */
void credential_drop_key(struct credential *c);

/* Empties one slot. */
void credential_clear(struct credential *c);

#endif
