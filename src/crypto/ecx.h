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
};

struct ecx_key; /* the provider's: a key pair, or a public key */

/* Finds name ("X25519") for the default library context. True: e has a direct route. */
bool ecx_find(struct ecx *e, const char *name);

/* Gives back what ecx_find took. */
void ecx_release(struct ecx *e);

/* The key pair of a private key of len bytes, respectively a peer's public key. NULL: out of
 * memory. The caller owns it. */
MUST_CHECK struct ecx_key *ecx_key_pair(const struct ecx *e, const uint8_t *private_key,
                                        size_t len);
MUST_CHECK struct ecx_key *ecx_key_public(const struct ecx *e, const uint8_t *share, size_t len);

/* Wipes and frees; NULL is allowed. */
void ecx_key_free(const struct ecx *e, struct ecx_key *key);

/* Copies the public half to share[0..len). */
MUST_CHECK bool ecx_key_share(const struct ecx *e, struct ecx_key *key, uint8_t *share, size_t len);

enum ecx_result {
    ECX_OK,
    ECX_REFUSED, /* the peer's point is of small order (RFC 7748, 6); libcrypto has raised it */
    ECX_FAILED   /* out of memory */
};

/* The secret that own and peer share, all of len bytes. */
MUST_CHECK enum ecx_result ecx_derive(const struct ecx *e, struct ecx_key *own,
                                      struct ecx_key *peer, uint8_t *secret, size_t len);

#endif
