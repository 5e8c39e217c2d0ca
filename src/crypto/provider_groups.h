/*
 * What the providers of a library context say about groups: capability TLS-GROUP of
 * provider-base(7). Not for other layers.
 */
#ifndef TENON_CRYPTO_PROVIDER_GROUPS_H
#define TENON_CRYPTO_PROVIDER_GROUPS_H

#include "crypto/group.h"

/* The active providers and their groups. Providers live as long as their library context, groups as
 * long as the process, so that equal pointers mean equal things. */
struct provider_groups {
    uint64_t known;                /* bit i: row i of group_table(); 0 where nobody asked */
    const struct group **provided; /* owns the array: those of no row, in the providers' order */
    size_t num_provided;
    const OSSL_PROVIDER **providers; /* owns the array */
    size_t num_providers;
};

/* Fills found, which is all zeros. ask_default: libcrypto's own default provider is asked as well,
 * which has the rows of group_table() only. False: out of memory, or a provider that says what
 * makes no sense, with the reason in the error queue; found needs to be freed all the same. */
MUST_CHECK bool provider_groups_find(struct provider_groups *found, OSSL_LIB_CTX *libctx,
                                     const char *propq, bool ask_default);

/* True when both have the same providers, with the same groups beyond group_table(). */
bool provider_groups_equal(const struct provider_groups *a, const struct provider_groups *b);

void provider_groups_free(struct provider_groups *found);

/* Key exchange with a group that a provider brings along. The functions and their results are those
 * of group.h; pkey is what provided_generate() made. */
MUST_CHECK EVP_PKEY *provided_generate(const struct crypto_lib *lib, const struct group *g,
                                       struct writer *public_key);
MUST_CHECK enum group_result provided_encapsulate(const struct crypto_lib *lib,
                                                  const struct group *g, const uint8_t *peer,
                                                  size_t peer_len, struct writer *public_key,
                                                  struct shared_secret *shared);
MUST_CHECK enum group_result provided_decapsulate(const struct crypto_lib *lib,
                                                  const struct group *g, EVP_PKEY *pkey,
                                                  const uint8_t *peer, size_t peer_len,
                                                  struct shared_secret *shared);
MUST_CHECK EVP_PKEY *provided_share_to_pkey(const struct crypto_lib *lib, const struct group *g,
                                            const uint8_t *share, size_t share_len);

/* libcrypto reports a bad share and missing memory alike, by failing: which of them it was. */
enum group_result group_share_or_memory(void);

#endif
