/*
 * Decoded certificates of peers, found by their bytes: one cache for the process. What comes out is
 * shared by all who ask, so it is for the library's own eyes (crypto/peer_chain.h has what
 * applications are given). Finding takes no lock.
 *
 * Only certificates for the default library context and no property query are kept: objects of
 * another one must not outlive it.
 *
 * A peer that sends ever new certificates costs no memory and displaces nothing that is in use:
 * - a certificate is kept from its second sight on, once its owner has proved to have the key;
 * - those of chains that nobody could verify, and those of encoded sessions, have a quarter of the
 *   places, and leave the others alone;
 * - one that was found since the last search for room is passed over once;
 * - places, bytes, and the bytes of a certificate have a limit.
 */
#ifndef TENON_CRYPTO_CERT_CACHE_H
#define TENON_CRYPTO_CERT_CACHE_H

#include "base/blob.h"
#include "crypto/lib.h"

#define CERT_CACHE_SETS  64
#define CERT_CACHE_WAYS  8
#define CERT_CACHE_SLOTS (CERT_CACHE_SETS * CERT_CACHE_WAYS)

/* Places of each set for certificates of chains that were not verified. */
#define CERT_CACHE_UNVERIFIED_WAYS 2

/* Bytes of DER: of one certificate, and of all. A decoded one takes three to five times as many. */
#define CERT_CACHE_MAX_LEN   ((size_t)8 << 10)
#define CERT_CACHE_MAX_BYTES ((size_t)1 << 20)

/* Switches the cache on or off. Off is where a process starts, and what it stays when there is no
 * randomness for lib. What was kept stays where it is when the cache is turned off. */
void cert_cache_turn(const struct crypto_lib *lib, bool on);

/* What a search came to. */
struct cert_cache_found {
    X509 *cert;       /* a reference for the caller; NULL: not found */
    struct blob *der; /* the same; its encoding */
    bool seen;        /* not found, but worth keeping: the bytes have come before */
};

/* Looks for the certificate with the encoding der[0..len), which lib shall decode. */
struct cert_cache_found cert_cache_find(const struct crypto_lib *lib, const uint8_t *der,
                                        size_t len);

/* Keeps a certificate that nobody but the library has seen; cert and its encoding der are counted
 * up. verified: its chain was. False: no room, or the cache is off or being changed by somebody
 * else. Takes no lock: whoever would have to wait gives up. */
bool cert_cache_keep(X509 *cert, struct blob *der, bool verified);

/* Drops everything, for tests: nobody else may be using the cache. */
void cert_cache_clear(void);

#endif
