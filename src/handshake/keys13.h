/*
 * The key schedule of TLS 1.3 (RFC 8446, 7.1 to 7.3): from shared secrets to traffic secrets, from
 * those to the protection of a direction, and exporters.
 */
#ifndef TENON_HANDSHAKE_KEYS13_H
#define TENON_HANDSHAKE_KEYS13_H

#include "handshake/handshake.h"

/* The hash of the negotiated suite. */
const struct hash *keys13_hash(const struct tls_conn *c);

/* The early secret of a pre-shared key: HKDF-Extract(0, psk). */
MUST_CHECK bool keys13_early_secret(const struct hash *h, const struct secret *psk,
                                    struct secret *early);

/* The binder (RFC 8446, 4.2.11.2) of a key with that early secret over a transcript that ends with
 * the truncated ClientHello. external: not from a ticket. binder: hash_len(h) bytes. */
MUST_CHECK bool keys13_binder(const struct hash *h, const struct secret *early, bool external,
                              const uint8_t *transcript_hash, uint8_t *binder);

/* Derives the secrets of early data and its exporter from the early secret of its key and the hash
 * of the ClientHello. */
MUST_CHECK bool keys13_derive_early(struct tls_conn *c, const struct hash *h,
                                    const struct secret *early, const uint8_t *transcript_hash);

/* The pre-shared key of a ticket with that nonce (at most 255 bytes): RFC 8446, 4.6.1. */
MUST_CHECK bool keys13_ticket_psk(const struct tls_conn *c, const uint8_t *nonce, size_t len,
                                  struct secret *psk);

/* Derives handshake secret, both handshake traffic secrets and the master secret from
 * hs->early_secret (empty: without a pre-shared key), hs->shared (NULL: without key exchange) and
 * the transcript to ServerHello; wipes hs->shared. */
MUST_CHECK bool keys13_derive_handshake(struct handshake *hs);

/* Derives both application traffic secrets and the exporter secret from the transcript to the
 * server's Finished. */
MUST_CHECK bool keys13_derive_application(struct handshake *hs);

/* Derives the resumption master secret from the transcript to the client's Finished. */
MUST_CHECK bool keys13_derive_resumption(struct handshake *hs);

/* Installs the protection of one direction for an epoch and reports the secret to the key log. */
MUST_CHECK bool keys13_install(struct tls_conn *c, enum direction direction, enum epoch epoch);

/* Moves one direction to its next application secret (RFC 8446, 7.2) and installs it. */
MUST_CHECK bool keys13_update(struct tls_conn *c, enum direction direction);

/* verify_data of a Finished sent in direction over the transcript so far (RFC 8446, 4.4.4). */
MUST_CHECK bool keys13_finished(struct handshake *hs, enum direction direction,
                                struct secret *verify_data);

/* Exporter (RFC 8446, 7.5) from the exporter master secret. context may be NULL when context_len
 * is 0. */
MUST_CHECK bool keys13_export(const struct tls_conn *c, const struct secret *master,
                              const char *label, size_t label_len, const uint8_t *context,
                              size_t context_len, uint8_t *out, size_t out_len);

#endif
