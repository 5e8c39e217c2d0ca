/*
 * The key schedule of TLS 1.2 (RFC 5246, 6.3 and 8.1; RFC 7627): premaster secret, master secret,
 * key block, Finished, exporters (RFC 5705).
 */
#ifndef TENON_HANDSHAKE_KEYS12_H
#define TENON_HANDSHAKE_KEYS12_H

#include "handshake/handshake.h"

#define MASTER_SECRET_LEN 48
#define FINISHED12_LEN    12

/* The hash of the negotiated suite's PRF; NULL: the provider lacks it. */
const struct hash *keys12_hash(const struct tls_conn *c);

/* Derives the master secret into the session from the premaster secret, with the transcript to
 * ClientKeyExchange when the extended master secret was agreed on. */
MUST_CHECK bool keys12_derive_master(struct handshake *hs, const uint8_t *premaster, size_t len);

/* Installs the protection of one direction. */
MUST_CHECK bool keys12_install(struct handshake *hs, enum direction direction);

/* verify_data of a Finished sent in direction over the transcript so far. */
MUST_CHECK bool keys12_finished(struct handshake *hs, enum direction direction,
                                struct secret *verify_data);

/* Exporter: with a context only when use_context. */
MUST_CHECK bool keys12_export(const struct tls_conn *c, const char *label, size_t label_len,
                              const uint8_t *context, size_t context_len, bool use_context,
                              uint8_t *out, size_t out_len);

#endif
