/*
 * Sessions in DER, read and written by one table: what a server puts into its tickets and gets
 * back. It is strict. What it does not know (fields that nobody uses any more, negative numbers,
 * BER, a certificate that can't be decoded) is left to libcrypto's templates, which session_asn1.c
 * has for the same structure; where both can do something, both do the same.
 */
#ifndef TENON_API_SESSION_DER_H
#define TENON_API_SESSION_DER_H

#include "base/reader.h"
#include "crypto/peer_chain.h"

#include <openssl/asn1t.h>
#include <openssl/x509.h>

/* The fields; strings that are NULL and numbers with a tag that are 0 are left out. */
typedef struct encoded_session {
    uint32_t structure_version;
    int32_t tls_version;
    ASN1_OCTET_STRING *suite;
    ASN1_OCTET_STRING *id;
    ASN1_OCTET_STRING *secret;
    ASN1_OCTET_STRING *key_arg; /* of SSL 2; read over */
    int64_t time;
    int64_t timeout;
    X509 *peer;
    ASN1_OCTET_STRING *context;
    int32_t verify_result;
    ASN1_OCTET_STRING *hostname;
    ASN1_OCTET_STRING *psk_identity_hint;
    ASN1_OCTET_STRING *psk_identity;
    uint64_t ticket_lifetime_hint;
    ASN1_OCTET_STRING *ticket;
    ASN1_OCTET_STRING *compression;  /* read over */
    ASN1_OCTET_STRING *srp_username; /* read over */
    uint64_t flags;
    uint32_t ticket_age_add;
    uint32_t max_early_data;
    ASN1_OCTET_STRING *alpn;
    uint32_t max_fragment_code;
    ASN1_OCTET_STRING *ticket_appdata;
    uint32_t group;
} ENCODED_SESSION;

/* libcrypto's template, in session_asn1.c. */
DECLARE_ASN1_ITEM(ENCODED_SESSION)

/* The fields that the table has. */
#define SESSION_DER_NUM_FIELDS 22

/* The strings of an ENCODED_SESSION, which borrow their bytes. */
struct session_strings {
    ASN1_OCTET_STRING of_field[SESSION_DER_NUM_FIELDS];
    struct reader certificate; /* its encoding; empty: none */
};

/* Points *field at data[0..len) through string; data NULL: the field is left out. */
void session_der_borrow(ASN1_OCTET_STRING **field, ASN1_OCTET_STRING *string, const void *data,
                        size_t len);

/* Reads one encoding that data[0..len) begins with. *used: its bytes. e borrows data and strings;
 * e->peer stays NULL: the certificate, looked for among those that the process keeps, is in *peer
 * (owned by the caller, NULL: none). False: not for this reader; *e means nothing then, *peer is
 * NULL, and the error queue is as it was. */
MUST_CHECK bool session_der_read(ENCODED_SESSION *e, struct session_strings *strings,
                                 struct peer_chain **peer, size_t *used, const uint8_t *data,
                                 size_t len);

/* Bytes of the encoding; 0: not for this writer. */
MUST_CHECK size_t session_der_len(const ENCODED_SESSION *e);

/* Writes them. len: what session_der_len() said. */
void session_der_write(const ENCODED_SESSION *e, uint8_t *out, size_t len);

#endif
