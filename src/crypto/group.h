/*
 * Named groups (RFC 8446, 4.2.7; RFC 8422; RFC 7919) seen as key encapsulation: generate a key
 * share; encapsulate to a peer's share; decapsulate the answer. ECDH and finite-field DH are the
 * same thing here, and so is what a provider brings along, a hybrid with a KEM for instance.
 */
#ifndef TENON_CRYPTO_GROUP_H
#define TENON_CRYPTO_GROUP_H

#include "base/writer.h"
#include "crypto/lib.h"

/* Code points of the two curves that Suite B has (RFC 6460, 3). */
#define GROUP_ID_SECP256R1 0x0017
#define GROUP_ID_SECP384R1 0x0018

/* Longest shared secret: ffdhe8192. Of a provider's group a longer one is a failure. */
#define GROUP_MAX_SHARED_LEN 1024

/* The last two are groups that a provider brings along: its algorithm exchanges keys, or it
 * encapsulates (provider-base(7), "tls-group-is-kem"). */
enum group_kind { GROUP_ECX, GROUP_EC, GROUP_FFDH, GROUP_PROVIDED, GROUP_PROVIDED_KEM };

struct group {
    uint16_t id; /* code point */
    enum group_kind kind;
    int nid;               /* NID_X25519, NID_X9_62_prime256v1, NID_ffdhe2048, ...; NID_undef */
    const char *name;      /* as in the IANA registry: "x25519", "secp256r1" */
    const char *alias;     /* second name in group lists: "P-256"; NULL */
    const char *algorithm; /* libcrypto's: "X25519", "EC", "DH" */
    const char *parameter; /* libcrypto's group name: "P-256"; NULL for ECX */
    size_t public_len;     /* bytes of a key share, uncompressed points; 0: the provider knows */
    int security_bits;
    int min_version, max_version; /* of TLS; 0: no bound; -1: not for TLS */
};

/* The group with that code point, NID or name (TLS, NIST or OBJ name, case as OpenSSL has it);
 * NULL: lib's providers have none. What is returned lives as long as the process. */
const struct group *group_by_id(const struct crypto_lib *lib, uint16_t id);
const struct group *group_by_nid(const struct crypto_lib *lib, int nid);
const struct group *group_by_name(const struct crypto_lib *lib, const char *name, size_t len);

/* The NID that OpenSSL has for a code point, whether anybody provides the group or not; NID_undef:
 * none. */
int group_nid(uint16_t id);

/* The groups that TLS has numbers for in OpenSSL 3.0, in code point order: *num elements. */
const struct group *group_table(size_t *num);

/* True when g may be used in one of the versions min to max at least. */
bool group_serves(const struct group *g, uint16_t min, uint16_t max);

/* True for what OpenSSL takes for an elliptic curve: EC, X25519 and X448, by whatever provider. */
bool group_is_curve(const struct group *g);

struct group_key; /* an ephemeral private key; owned by whoever made it */

/* Generates a key and appends its share to public_key. NULL: out of memory or provider failure. */
MUST_CHECK struct group_key *group_generate(const struct crypto_lib *lib, const struct group *g,
                                            struct writer *public_key);

/* A key whose halves are given, for replaying recorded handshakes and known answers. g is
 * of group_table(); private_key: as in RFC 7748 for X25519 and X448, a big-endian number otherwise;
 * public_key: its share, g->public_len bytes. NULL: out of memory, or no such key. */
MUST_CHECK struct group_key *group_key_import(const struct crypto_lib *lib, const struct group *g,
                                              const uint8_t *private_key, size_t private_len,
                                              const uint8_t *public_key);

/* Wipes and frees; NULL is allowed. */
void group_key_free(struct group_key *key);

/* A shared secret; owner wipes. */
struct shared_secret {
    size_t len;
    uint8_t bytes[GROUP_MAX_SHARED_LEN];
};

enum group_result {
    GROUP_OK,
    GROUP_BAD_SHARE,  /* wrong length, out of range, not on the curve: RFC 8446, 4.2.8:
                         illegal_parameter */
    GROUP_WEAK_SHARE, /* small order, an all-zero result: RFC 8446, 7.4.2: the same alert */
    GROUP_FAILED      /* memory or provider */
};

/* The answering side: makes a key, appends its share to public_key and combines it with the peer's
 * share. */
MUST_CHECK enum group_result group_encapsulate(const struct crypto_lib *lib, const struct group *g,
                                               const uint8_t *peer, size_t peer_len,
                                               struct writer *public_key,
                                               struct shared_secret *shared);

/* The offering side: combines key with the peer's answer. key stays the caller's. */
MUST_CHECK enum group_result group_decapsulate(const struct crypto_lib *lib,
                                               const struct group_key *key, const uint8_t *peer,
                                               size_t peer_len, struct shared_secret *shared);

/* The public half of a peer's share as an EVP_PKEY for applications (SSL_get_peer_tmp_key);
 * NULL: not a valid share, or out of memory. The caller owns it. */
MUST_CHECK EVP_PKEY *group_share_to_pkey(const struct crypto_lib *lib, const struct group *g,
                                         const uint8_t *share, size_t share_len);

#endif
