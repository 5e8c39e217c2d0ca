/*
 * X25519 and X448 (RFC 7748) through the function tables of libcrypto's own provider
 * (provider-keymgmt(7), provider-keyexch(7)). The same code computes as through EVP, without the
 * searches by name, their locks and their objects.
 */
#ifndef TENON_CRYPTO_ECX_H
#define TENON_CRYPTO_ECX_H

#include "base/base.h"
#include "crypto/lib.h"

#include <openssl/core_dispatch.h>

#define ECX_MAX_LEN 56 /* of private key, share and secret: X448 */

struct ecx_key; /* a private key, ready to agree on secrets: the provider's exchange */

/* One of the two functions; immutable, of a crypto_lib. */
struct ecx {
    EVP_KEYMGMT *keymgmt; /* owns both: they keep the provider. NULL: no direct route */
    EVP_KEYEXCH *exchange;
    void *provider_context;
    OSSL_FUNC_keymgmt_new_fn *key_new;
    OSSL_FUNC_keymgmt_free_fn *key_free;
    OSSL_FUNC_keymgmt_import_fn *key_import;
    OSSL_FUNC_keymgmt_get_params_fn *key_get;
    OSSL_FUNC_keyexch_newctx_fn *exchange_new;
    OSSL_FUNC_keyexch_freectx_fn *exchange_free;
    OSSL_FUNC_keyexch_init_fn *exchange_init;
    OSSL_FUNC_keyexch_set_peer_fn *exchange_set_peer;
    OSSL_FUNC_keyexch_derive_fn *exchange_derive;
    void *base; /* owns; the base point as a public key. NULL: libcrypto makes the shares */
    uint8_t base_point[ECX_MAX_LEN];
};

/* Finds name ("X25519") for the default library context. True: e has a direct route. base, of len
 * bytes: the base point, where multiplying it as any other point (RFC 7748, 6) is quicker than what
 * libcrypto has for it; else NULL. */
bool ecx_find(struct ecx *e, const char *name, const uint8_t *base, size_t len);

/* Gives back what ecx_find took. */
void ecx_release(struct ecx *e);

/* The key of a private key of len bytes; its public half goes to share[0..len). NULL: out of
 * memory. The caller owns it. */
MUST_CHECK struct ecx_key *ecx_key_new(const struct ecx *e, const uint8_t *private_key,
                                       uint8_t *share, size_t len);

/* Wipes and frees; NULL is allowed. */
void ecx_key_free(const struct ecx *e, struct ecx_key *key);

enum ecx_result {
    ECX_OK,
    ECX_REFUSED, /* the peer's point is of small order (RFC 7748, 6); libcrypto has raised it */
    ECX_FAILED   /* out of memory */
};

/* The secret that own and a peer's share agree on; all of len bytes. */
MUST_CHECK enum ecx_result ecx_derive(const struct ecx *e, struct ecx_key *own, const uint8_t *peer,
                                      uint8_t *secret, size_t len);

#endif
