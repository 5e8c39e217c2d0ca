/*
 * The keys that seal tickets when the application brings no callback. By default they rotate: each
 * half day has a key of its own, derived from a seed of the context, which processes that it forks
 * have as well, or from a secret that servers share (ticket_secret.h). A key opens tickets for as
 * long as they may live. Keys that the
 * application sets, or asks for, stay as they are, and then tickets are as OpenSSL makes them.
 */
#ifndef TENON_API_TICKET_KEYS_H
#define TENON_API_TICKET_KEYS_H

#include "api/internal.h"

#define TICKET_KEY_NAME_LEN 16
#define TICKET_KEY_LEN      80

/* Seconds that one key seals. */
#define TICKET_KEY_PERIOD (12 * 60 * 60)

/* In the order of SSL_CTX_set_tlsext_ticket_keys(). */
struct ticket_key {
    uint8_t name[TICKET_KEY_NAME_LEN]; /* what tickets begin with */
    uint8_t mac[32];
    uint8_t cipher[32];
    bool rotates; /* by itself: the application does not know it */
};

/* The key that seals now (seconds since the epoch). False: the generator failed, or out of memory.
 * The caller wipes *key. */
MUST_CHECK bool ticket_key_to_seal(SSL_CTX *ctx, int64_t now, struct ticket_key *key);

/* The key of a name, if tickets that it sealed can still be good. *found says whether there is one.
 * False: as above. */
MUST_CHECK bool ticket_key_to_open(SSL_CTX *ctx, int64_t now,
                                   const uint8_t name[TICKET_KEY_NAME_LEN], struct ticket_key *key,
                                   bool *found);

/* SSL_CTRL_GET_TLSEXT_TICKET_KEYS and _SET_: keys NULL: their size; else 1, or 0 with an error
 * raised. */
long ticket_keys_get(SSL_CTX *ctx, void *keys, long len);
long ticket_keys_set(SSL_CTX *ctx, const void *keys, long len);

/* Draws the seed of a new context. False: the generator failed. */
MUST_CHECK bool ticket_keys_init(SSL_CTX *ctx, int64_t now);

/* Wipes and frees a context's keys. */
void ticket_keys_wipe(SSL_CTX *ctx);

#endif
