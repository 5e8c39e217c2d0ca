/*
 * Every choice of the handshake, as functions of what is configured and what the peer offered.
 * They only look; who calls them remembers the result.
 */
#ifndef TENON_HANDSHAKE_NEGOTIATE_H
#define TENON_HANDSHAKE_NEGOTIATE_H

#include "conn/conn.h"

/* True when the version may be negotiated: we speak it, and configuration and security level are
 * for it. A client offers no versions above a gap. */
bool negotiate_allows_version(const struct tls_conn *c, uint16_t version);

/* The same for a server that may choose it: TLS 1.3 needs a certificate or a key that it can use.
 */
bool negotiate_serves_version(const struct tls_conn *c, uint16_t version);

/* The ends of the lowest range of versions without a gap. False: there is none at all. */
MUST_CHECK bool negotiate_version_range(const struct tls_conn *c, uint16_t *min, uint16_t *max);

/* The highest version that may be negotiated, for a client below gaps; 0: none. */
uint16_t negotiate_highest_version(const struct tls_conn *c);

/* A walk over the groups for supported_groups: those that serve one of the versions that are
 * offered, or the one that a server has chosen. NULL at the end. */
struct offered_groups {
    size_t position;
    uint16_t min, max;
};
struct offered_groups negotiate_offered_groups(const struct tls_conn *c);
const struct group *negotiate_next_offered_group(const struct tls_conn *c,
                                                 struct offered_groups *walk);

/* True when a client's list of suites (2 bytes each) has id. */
bool negotiate_offers(struct reader offered, uint16_t id);

/* SSL_OP_PRIORITIZE_CHACHA: a client that puts ChaCha20 first has no fast AES, so it gets it. */
bool negotiate_wants_chacha(const struct tls_conn *c, struct reader offered);

/* The TLS 1.3 suite for a client's list (2 bytes each), by the preference that is configured;
 * NULL: none in common. */
const struct ssl_cipher_st *negotiate_suite13(const struct tls_conn *c, struct reader offered);

/* The next TLS 1.3 suite that we offer, after *position in the configured list; NULL: no more. */
const struct ssl_cipher_st *negotiate_next_suite13(const struct tls_conn *c, size_t *position);

/* The next group that we support and allow for TLS 1.3, after *position; NULL: no more. */
const struct group *negotiate_next_group(const struct tls_conn *c, size_t *position);

/* True when the group is one we support and allow at that stage. */
bool negotiate_supports_group(const struct tls_conn *c, const struct group *group,
                              enum security_stage stage);

/* The signature schemes we accept from the peer (a counted list the core borrows from config). */
const struct blob *negotiate_own_sigalgs(const struct tls_conn *c);

/* The scheme and credential for our CertificateVerify: the first that both sides have, by the
 * preference that is configured, for which there is a usable certificate. NULL: none. */
const struct sig_scheme *negotiate_scheme(const struct tls_conn *c);

/* True when client and server have any signature scheme in common. */
bool negotiate_has_shared_sigalgs(const struct tls_conn *c);

/* True when we can sign with scheme and the certificate in its slot. */
bool negotiate_can_sign(const struct tls_conn *c, const struct sig_scheme *scheme);

#endif
