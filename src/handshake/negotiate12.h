/*
 * The choices of TLS 1.2, beside those of negotiate.h.
 */
#ifndef TENON_HANDSHAKE_NEGOTIATE12_H
#define TENON_HANDSHAKE_NEGOTIATE12_H

#include "conn/conn.h"

/* The next suite for TLS 1.2 that we offer, after *position in the configured list; NULL: none. */
const struct ssl_cipher_st *negotiate_next_suite12(const struct tls_conn *c, size_t *position);

/* A server's choice for a client's list: the suite, the group of its key exchange (NULL: not of that
 * kind) and the scheme it signs with (NULL: no signature). False: none in common. */
struct choice12 {
    const struct ssl_cipher_st *suite;
    const struct group *group;
    const struct sig_scheme *scheme;
};
MUST_CHECK bool negotiate_server12(const struct tls_conn *c, struct reader offered,
                                   struct choice12 *choice);

/* The scheme of a client's certificate; NULL: none that fits. */
const struct sig_scheme *negotiate_client_scheme12(const struct tls_conn *c);

/* What a suite needs. */
bool suite12_signs_exchange(const struct ssl_cipher_st *suite); /* ServerKeyExchange is signed */
bool suite12_is_ephemeral(const struct ssl_cipher_st *suite);   /* there is a ServerKeyExchange */
bool suite12_has_certificate(const struct ssl_cipher_st *suite);

/* True when a certificate's key in slot suits the suite's authentication. */
bool suite12_fits_slot(const struct ssl_cipher_st *suite, enum key_slot slot);

#endif
