/*
 * The transcript hash (RFC 8446, 4.4.1): messages are kept as they are until the suite says which
 * hash it is, then hashed as they come.
 */
#ifndef TENON_HANDSHAKE_TRANSCRIPT_H
#define TENON_HANDSHAKE_TRANSCRIPT_H

#include "base/buffer.h"
#include "crypto/hash.h"

struct transcript {
    struct buffer early;         /* messages before the hash is known; with keep, all of them */
    bool keep;                   /* TLS 1.2: CertificateVerify signs the messages themselves */
    struct running_hash running; /* started once it is */
};

/* Adds a message, header included. False: out of memory or provider failure. */
MUST_CHECK bool transcript_add(struct transcript *t, const uint8_t *message, size_t len);

/* Fixes the hash and hashes what was kept. Does nothing if it is already h. */
MUST_CHECK bool transcript_start(struct transcript *t, const struct hash *h);

/* Replaces ClientHello1 by message_hash (RFC 8446, 4.4.1) when a HelloRetryRequest is sent or
 * received. The hash is known by then; hello, of hash_len() bytes, becomes that of ClientHello1. */
MUST_CHECK bool transcript_retry(struct transcript *t, const struct hash *h, uint8_t *hello);

/* The transcript of ClientHello1, of which only the hash is known, and the HelloRetryRequest, which
 * a server has forgotten, before what was added so far; *before becomes that of those two alone. */
MUST_CHECK bool transcript_restore(struct transcript *t, const struct hash *h, const uint8_t *hello,
                                   const uint8_t *retry, size_t retry_len,
                                   struct running_hash *before);

/* The hash of everything so far. out: hash_len() bytes. */
MUST_CHECK bool transcript_peek(const struct transcript *t, uint8_t *out);

/* Takes over a copy of an earlier running hash (post-handshake authentication). */
MUST_CHECK bool transcript_continue(struct transcript *t, const struct running_hash *from);

/* Frees everything. */
void transcript_wipe(struct transcript *t);

#endif
