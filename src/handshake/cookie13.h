/*
 * Cookies of a server that forgets the client behind its HelloRetryRequest (RFC 8446, 4.2.2;
 * SSL_stateless(3)): what it needs to know of the first ClientHello, under a MAC. In OpenSSL's
 * format. The row of the scripts is declared in handshake.h.
 */
#ifndef TENON_HANDSHAKE_COOKIE13_H
#define TENON_HANDSHAKE_COOKIE13_H

#include "handshake/handshake.h"

#define COOKIE13_KEY_LEN 32

/* The longest cookie of the application: its length is one byte. */
#define COOKIE13_MAX_APPLICATION 255

/* How old a cookie may be, in seconds. */
#define COOKIE13_MAX_AGE 600

/* What a cookie says. */
struct cookie13 {
    uint16_t version;
    uint16_t group; /* of the key share, present or asked for; 0: none */
    uint16_t suite;
    bool asked_share;          /* the HelloRetryRequest asked for a key share */
    uint64_t time;             /* seconds since the epoch */
    struct reader hello_hash;  /* of the first ClientHello, a view */
    struct reader application; /* a view */
};

enum cookie13_result {
    COOKIE13_GOOD,
    COOKIE13_FORGED,   /* the MAC is not that of the key */
    COOKIE13_UNKNOWN,  /* of another format: to be ignored */
    COOKIE13_MALFORMED /* or out of memory */
};

/* Opens a cookie. key: COOKIE13_KEY_LEN bytes. *cookie points into sealed. */
MUST_CHECK enum cookie13_result cookie13_open(const struct hash *sha256, const uint8_t *key,
                                              struct reader sealed, struct cookie13 *cookie);

/* Appends the MAC to the cookie that w has written from its beginning on. False: out of memory. */
MUST_CHECK bool cookie13_seal(const struct hash *sha256, const uint8_t *key, struct writer *w);

/* Appends what comes before the MAC. */
void cookie13_write(struct writer *w, const struct cookie13 *cookie);

#endif
