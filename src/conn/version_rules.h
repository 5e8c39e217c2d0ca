/*
 * In what the versions before TLS 1.3 differ from each other. The rest of their handshake and
 * records is one and the same code, which asks here. TLS 1.2's row is in
 * handshake/version_rules12.c, those of TLS 1.1 and 1.0 in legacy/.
 */
#ifndef TENON_CONN_VERSION_RULES_H
#define TENON_CONN_VERSION_RULES_H

#include "conn/conn.h"
#include "record/protection.h"

struct version_rules {
    uint16_t version;
    uint8_t downgrade_mark; /* last byte of a server random that says the server could do better
                               (RFC 8446, 4.1.3) */
    enum hash_id needs;     /* what the version cannot do without; HASH_NONE: nothing that every
                               version needs */

    /* The hash of transcript and Finished under a suite. */
    enum hash_id (*hash)(const struct ssl_cipher_st *suite);

    /* out = PRF(secret, label, seed); h is that hash. False: out of memory, or an algorithm that
     * lib lacks. */
    bool (*prf)(const struct crypto_lib *lib, const struct hash *h, const struct reader *secret,
                const struct reader *label, const struct reader *seed, uint8_t *out,
                size_t out_len);

    /* How the key block is cut for a suite. */
    struct protection_lens (*key_lens)(const struct ssl_cipher_st *suite);

    /* The protection of suites that are no AEAD, for what was negotiated. NULL: out of memory or no
     * such algorithm. */
    struct protection *(*new_cbc)(const struct tls_conn *c, enum aead_direction direction,
                                  const uint8_t *mac_key, const uint8_t *key, const uint8_t *iv);

    /* The one scheme that keys of a kind sign with; NULL: there is none. The function is NULL where
     * messages name their scheme (RFC 5246, 4.7). */
    const struct sig_scheme *(*scheme)(enum key_slot slot);
};

#endif
