/*
 * A peer's certificates, shared inside and private outside; see peer_chain.h.
 */
#include "crypto/peer_chain.h"

#include "base/counters.h"
#include "crypto/cert_cache.h"

#include <openssl/crypto.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <string.h>

/* Two are what nearly every server sends. */
#define FIRST_ROOM 2

struct peer_cert {
    X509 *cert;        /* counted; what the library looks at */
    struct blob *der;  /* counted; NULL: cert is nobody else's and stays so, and the
                          application may have it */
    X509 *_Atomic own; /* counted; what the application was given instead; NULL: nothing yet */
    bool is_new;       /* to be offered to the cache */
};

struct peer_chain {
    _Atomic uint32_t refs;
    uint32_t num, room;
    bool may_keep;               /* some of certs are to be offered to the cache */
    STACK_OF(X509) *_Atomic all; /* owns; for the application: NULL until it asks */
    STACK_OF(X509) *_Atomic above_leaf;
    struct peer_cert certs[];
};

static size_t size_for(uint32_t room)
{
    return sizeof(struct peer_chain) + room * sizeof(struct peer_cert);
}

struct peer_chain *peer_chain_new(void)
{
    struct peer_chain *chain = OPENSSL_zalloc(size_for(FIRST_ROOM));

    if (chain != NULL) {
        atomic_init(&chain->refs, 1);
        chain->room = FIRST_ROOM;
    }
    return chain;
}

struct peer_chain *peer_chain_of(X509 *cert)
{
    struct peer_chain *chain = peer_chain_new();

    if (chain == NULL) {
        cert_free(cert);
        return NULL;
    }
    chain->certs[0].cert = cert;
    chain->num = 1;
    return chain;
}

struct peer_chain *peer_chain_ref(struct peer_chain *chain)
{
    if (chain != NULL) {
        (void)atomic_fetch_add_explicit(&chain->refs, 1, memory_order_relaxed);
    }
    return chain;
}

void peer_chain_free(struct peer_chain *chain)
{
    if (chain == NULL || atomic_fetch_sub_explicit(&chain->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    cert_list_free(chain->all);
    cert_list_free(chain->above_leaf);
    for (size_t i = 0; i < chain->num; i++) {
        cert_free(chain->certs[i].cert);
        cert_free(chain->certs[i].own);
        blob_free(chain->certs[i].der);
    }
    OPENSSL_free(chain);
}

static bool reserve(struct peer_chain **chain)
{
    uint32_t room = (*chain)->room;

    if ((*chain)->num < room) {
        return true;
    }
    struct peer_chain *larger = OPENSSL_realloc(*chain, size_for(2 * room));
    if (larger == NULL) {
        return false;
    }
    memset(larger->certs + room, 0, room * sizeof(larger->certs[0]));
    larger->room = 2 * room;
    *chain = larger;
    return true;
}

enum peer_chain_added peer_chain_add(struct peer_chain **chain, const struct crypto_lib *lib,
                                     const uint8_t *der, size_t len)
{
    if (!reserve(chain)) {
        return PEER_CHAIN_NO_MEMORY;
    }
    struct cert_cache_found found = cert_cache_find(lib, der, len);
    if (found.cert == NULL) {
        found.cert = cert_parse(lib, der, len);
        if (found.cert == NULL) {
            return PEER_CHAIN_MALFORMED;
        }
        /* Without the bytes it can't be kept, which is no failure. */
        if (found.seen) {
            found.der = blob_new(der, len);
        }
    }
    struct peer_cert *next = &(*chain)->certs[(*chain)->num++];
    next->cert = found.cert;
    next->der = found.der;
    next->is_new = found.seen && found.der != NULL;
    (*chain)->may_keep = next->is_new || (*chain)->may_keep;
    return PEER_CHAIN_ADDED;
}

size_t peer_chain_len(const struct peer_chain *chain)
{
    return chain == NULL ? 0 : chain->num;
}

/* --- For the library --- */

static X509 *look(const struct peer_cert *c)
{
    X509 *own = atomic_load_explicit(&c->own, memory_order_acquire);

    return own != NULL ? own : c->cert;
}

X509 *peer_chain_look(const struct peer_chain *chain, size_t i)
{
    return i < peer_chain_len(chain) ? look(&chain->certs[i]) : NULL;
}

EVP_PKEY *peer_chain_key(const struct peer_chain *chain)
{
    X509 *leaf = peer_chain_look(chain, 0);

    return leaf == NULL ? NULL : cert_public_key(leaf);
}

bool peer_chain_key_lasts(const struct peer_chain *chain)
{
    const struct peer_cert *leaf = peer_chain_len(chain) == 0 ? NULL : &chain->certs[0];

    return leaf != NULL && leaf->der != NULL && !leaf->is_new && look(leaf) == leaf->cert;
}

STACK_OF(X509) *peer_chain_look_all(const struct peer_chain *chain)
{
    STACK_OF(X509) *list = sk_X509_new_reserve(NULL, (int)chain->num);

    for (size_t i = 0; list != NULL && i < chain->num; i++) {
        (void)sk_X509_push(list, look(&chain->certs[i])); /* there is room */
    }
    return list;
}

void peer_chain_keep(struct peer_chain *chain, bool verified)
{
    if (chain == NULL || !chain->may_keep) {
        return;
    }
    for (size_t i = 0; i < chain->num; i++) {
        struct peer_cert *c = &chain->certs[i];
        if (c->is_new && !cert_cache_keep(c->cert, c->der, verified)) {
            /* It remains this chain's, so the application may have it. */
            blob_set(&c->der, NULL);
        }
        c->is_new = false;
    }
    chain->may_keep = false;
}

/* --- For applications --- */

static X509 *own(struct peer_cert *c)
{
    X509 *known = atomic_load_explicit(&c->own, memory_order_acquire);

    if (known != NULL || c->der == NULL) {
        return known != NULL ? known : c->cert;
    }
    X509 *copy = cert_parse(crypto_lib_default(), c->der->bytes, c->der->len);
    if (copy == NULL) {
        return NULL;
    }
    counter_add(COUNTER_CERT_COPIED);
    if (!atomic_compare_exchange_strong_explicit(&c->own, &known, copy, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        cert_free(copy);
        return known;
    }
    return copy;
}

X509 *peer_chain_own(struct peer_chain *chain, size_t i)
{
    return i < peer_chain_len(chain) ? own(&chain->certs[i]) : NULL;
}

/* A list of the application's certificates from first on, made once. */
static STACK_OF(X509) *own_from(struct peer_chain *chain, size_t first,
                                STACK_OF(X509) *_Atomic *list)
{
    STACK_OF(X509) *known = atomic_load_explicit(list, memory_order_acquire);
    STACK_OF(X509) *fresh = known != NULL ? NULL : cert_list_new();

    if (fresh == NULL) {
        return known;
    }
    for (size_t i = first; i < chain->num; i++) {
        X509 *cert = own(&chain->certs[i]);
        if (cert != NULL) {
            cert_up_ref(cert);
        }
        if (cert == NULL || !cert_list_add(fresh, cert)) {
            cert_list_free(fresh);
            return NULL;
        }
    }
    if (!atomic_compare_exchange_strong_explicit(list, &known, fresh, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        cert_list_free(fresh);
        return known;
    }
    return fresh;
}

STACK_OF(X509) *peer_chain_own_all(struct peer_chain *chain)
{
    return chain == NULL ? NULL : own_from(chain, 0, &chain->all);
}

STACK_OF(X509) *peer_chain_own_above_leaf(struct peer_chain *chain)
{
    return chain == NULL ? NULL : own_from(chain, 1, &chain->above_leaf);
}

bool peer_chain_own_in(struct peer_chain *chain, STACK_OF(X509) *list)
{
    for (int i = 0; i < sk_X509_num(list); i++) {
        X509 *cert = sk_X509_value(list, i);
        for (size_t j = 0; j < peer_chain_len(chain); j++) {
            if (cert == chain->certs[j].cert) {
                X509 *mine = own(&chain->certs[j]);
                if (mine == NULL) {
                    return false;
                }
                cert_up_ref(mine);
                (void)sk_X509_set(list, i, mine);
                cert_free(cert);
                break;
            }
        }
    }
    return true;
}
