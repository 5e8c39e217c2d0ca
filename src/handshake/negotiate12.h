/*
 * The choices of TLS 1.2 and older, beside those of negotiate.h.
 */
#ifndef TENON_HANDSHAKE_NEGOTIATE12_H
#define TENON_HANDSHAKE_NEGOTIATE12_H

#include "conn/conn.h"

/* The next suite that we offer for one of the versions min to max, TLS 1.2 at most, after *position
 * in the configured list; NULL: none. */
const struct ssl_cipher_st *negotiate_next_suite12(const struct tls_conn *c, uint16_t min,
                                                   uint16_t max, size_t *position);

/* A server's choice for a client's list of suites (2 bytes each); NULL: none in common. */
const struct ssl_cipher_st *negotiate_suite12(const struct tls_conn *c, struct reader offered);

/* The curve for ECDHE under a suite; NULL: none in common. A client that names none might take any
 * (RFC 8422, 4); as in OpenSSL it gets none. */
const struct group *negotiate_group12(const struct tls_conn *c, const struct ssl_cipher_st *suite);

/* False when Suite B is on and does not go with that curve under that suite: RFC 6460, 3.1 and 3.2
 * name one for each of their two suites. */
bool suite12_takes_curve(const struct tls_conn *c, const struct ssl_cipher_st *suite,
                         const struct group *group);

/* True for the two schemes of Suite B: RFC 6460, 4.1. */
bool suite_b_takes_scheme(const struct sig_scheme *scheme);

/* True when we have a curve at all that serves one of the versions min to max. */
bool negotiate_has_curve12(const struct tls_conn *c, uint16_t min, uint16_t max);

/* True when messages of the version that was chosen name the schemes they are signed with. */
bool negotiate_names_schemes12(const struct tls_conn *c);

/* Where they do not: the scheme for keys of a kind; NULL: none, or the security level is against
 * it. */
const struct sig_scheme *negotiate_implied_scheme(const struct tls_conn *c, enum key_slot slot);

/* The scheme a server signs with under the suite it has chosen; NULL: none that fits. */
const struct sig_scheme *negotiate_server_scheme12(const struct tls_conn *c);

/* The authentication that keys of a kind give; 0: none in TLS 1.2. */
uint32_t negotiate_auth_of_slot12(enum key_slot slot);

/* True when one of the schemes, which the security level allows, gives that authentication. */
bool negotiate_takes_auth12(const struct tls_conn *c, const struct blob *sigalgs, uint32_t auth);

/* The scheme of a client's certificate; NULL: none that fits. */
const struct sig_scheme *negotiate_client_scheme12(const struct tls_conn *c);

/* What makes the secret of a suite, alone or beside a pre-shared key. */
enum exchange12 {
    EXCHANGE12_NONE, /* the pre-shared key is all there is */
    EXCHANGE12_RSA,
    EXCHANGE12_DHE,
    EXCHANGE12_ECDHE
};
enum exchange12 suite12_exchange(const struct ssl_cipher_st *suite);

/* What a suite needs. */
bool suite12_has_psk(const struct ssl_cipher_st *suite);
bool suite12_signs_exchange(const struct ssl_cipher_st *suite); /* ServerKeyExchange is signed */
bool suite12_is_ephemeral(const struct ssl_cipher_st *suite);   /* there is a ServerKeyExchange */
bool suite12_has_certificate(const struct ssl_cipher_st *suite);

#endif
