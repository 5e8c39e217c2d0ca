/*
 * What the files of crypto/ share about a crypto_lib and its digests. Not for other layers.
 */
#ifndef TENON_CRYPTO_LIB_INTERNAL_H
#define TENON_CRYPTO_LIB_INTERNAL_H

#include "crypto/aead.h"
#include "crypto/ecx.h"
#include "crypto/hash.h"
#include "crypto/provider_groups.h"

#include <stdatomic.h>

struct hash {
    EVP_MD *md; /* owns; NULL: the providers lack it */
    const char *name;
    size_t len;
    size_t block_len; /* HMAC pads its key to this */
    enum hash_id id;
    int nid;
    size_t direct_len; /* bytes of the struct with which SHA256_* or SHA512_* compute it; 0: EVP */
    uint8_t of_nothing[HASH_MAX_LEN];
    struct secret first_salt; /* nothing secret: hkdf_first_salt() */
};

struct crypto_lib {
    OSSL_LIB_CTX *libctx; /* borrows; NULL: the default library context */
    char *propq;          /* owns; NULL: none */
    struct hash hashes[NUM_HASHES];
    EVP_CIPHER *aeads[NUM_AEADS]; /* owns; NULL: the providers lack it */
    uint32_t engine_aeads;        /* bit i: an ENGINE wants to do aeads[i] */
    EVP_CIPHER *ticket_cipher;    /* owns; the same */
    uint32_t ciphers;             /* enum suite_enc bits of what the providers have */
    struct provider_groups groups;
    uint32_t schemes;        /* bit i: row i of sig_scheme_table() */
    struct ecx x25519, x448; /* with a direct route in the default instance only */
    atomic_uint references;
    bool is_default;
    struct crypto_lib *earlier; /* of the default instances, the one made before; NULL */
};

/* True when provider is libcrypto's own "default": only then may its algorithms be reached by
 * direct routes. */
bool provider_is_builtin(const OSSL_PROVIDER *provider);

/* True when an ENGINE is registered for the digest or the cipher with that NID. EVP goes to it by
 * itself; direct routes would pass it by. */
bool engine_has_digest(int nid);
bool engine_has_cipher(int nid);

/* What providers lack is no error: each of the following leaves the error queue as it was. The mark
 * is set for every fetch, because the queue keeps its latest 16 entries and loses marks, too. */

/* Fills hashes[] for lib's library context and properties; rows that the providers lack get no
 * md. direct: SHA-2 may take the direct route. */
void hash_fetch_all(struct crypto_lib *lib, bool direct);

/* Computes of each hash what never changes. One for which that fails loses its md. */
void kdf_prepare_all(struct crypto_lib *lib);

/* Fills aeads[]. */
void aead_fetch_all(struct crypto_lib *lib);

/* The bits for crypto_lib.ciphers and, when the hashes are there, for crypto_lib.schemes. */
uint32_t suite_find_ciphers(const struct crypto_lib *lib);
uint32_t sig_scheme_find_available(const struct crypto_lib *lib);

/* Frees what the two fetched. */
void hash_free_all(struct crypto_lib *lib);
void aead_free_all(struct crypto_lib *lib);

#endif
