/*
 * Sets of certificates with their keys; see credential.h.
 */
#include "conn/credential.h"

#include "crypto/cert.h"
#include <openssl/crypto.h>
#include <stdatomic.h>

/* Makes copy, which is empty, a second owner of what source holds. False: out of memory; copy can
 * be cleared. */
static bool credential_copy(struct credential *copy, const struct credential *source)
{
    if (source->chain != NULL) {
        copy->chain = cert_list_copy(source->chain);
        if (copy->chain == NULL) {
            return false;
        }
    }
    if (source->cert != NULL) {
        cert_up_ref(source->cert);
        copy->cert = source->cert;
    }
    if (source->key != NULL) {
        cert_key_up_ref(source->key);
        copy->key = source->key;
        copy->signer = signer_ref(source->signer);
    }
    copy->serverinfo = blob_ref(source->serverinfo);
    return true;
}

struct credentials *credentials_new(void)
{
    struct credentials *set = OPENSSL_zalloc(sizeof(*set));

    if (set != NULL) {
        atomic_init(&set->refs, 1);
        set->current = KEY_RSA;
    }
    return set;
}

struct credentials *credentials_ref(struct credentials *set)
{
    if (set != NULL) {
        (void)atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    }
    return set;
}

void credentials_free(struct credentials *set)
{
    if (set == NULL || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < NUM_KEY_SLOTS; i++) {
        credential_clear(&set->slot[i]);
    }
    OPENSSL_free(set);
}

struct credentials *credentials_edit(struct credentials **set)
{
    if (atomic_load_explicit(&(*set)->refs, memory_order_acquire) == 1) {
        return *set;
    }
    struct credentials *copy = credentials_new();
    if (copy == NULL) {
        return NULL;
    }
    copy->current = (*set)->current;
    for (size_t i = 0; i < NUM_KEY_SLOTS; i++) {
        if (!credential_copy(&copy->slot[i], &(*set)->slot[i])) {
            credentials_free(copy);
            return NULL;
        }
    }
    credentials_free(*set);
    *set = copy;
    return copy;
}

bool credentials_has(const struct credentials *set, enum key_slot slot)
{
    return slot < NUM_KEY_SLOTS && set->slot[slot].cert != NULL && set->slot[slot].key != NULL;
}

bool credential_set_key(struct credential *c, EVP_PKEY *key)
{
    struct signer *signer = signer_new(key);

    if (signer == NULL) {
        return false;
    }
    cert_key_up_ref(key);
    credential_drop_key(c);
    c->key = key;
    c->signer = signer;
    return true;
}

void credential_drop_key(struct credential *c)
{
    cert_key_free(c->key);
    signer_free(c->signer);
    c->key = NULL;
    c->signer = NULL;
}

void credential_clear(struct credential *c)
{
    cert_free(c->cert);
    credential_drop_key(c);
    cert_list_free(c->chain);
    blob_free(c->serverinfo);
    *c = (struct credential){ 0 };
}
