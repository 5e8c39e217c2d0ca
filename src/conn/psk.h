/*
 * A pre-shared key that the application holds (RFC 4279; in TLS 1.3 an external PSK, RFC 8446,
 * 4.2.11): what is passed between the core and the application's callbacks. Who owns one wipes it.
 */
#ifndef TENON_CONN_PSK_H
#define TENON_CONN_PSK_H

#include "base/base.h"

/* Bytes without the NUL; PSK_MAX_IDENTITY_LEN and PSK_MAX_PSK_LEN of <openssl/ssl.h>, which api/
 * checks. RFC 4279, 5.3 asks for 128 and 64 at least. */
#define PSK_IDENTITY_MAX 256
#define PSK_KEY_MAX      512

struct psk {
    char identity[PSK_IDENTITY_MAX + 1]; /* ends with a NUL */
    uint8_t key[PSK_KEY_MAX];
    size_t key_len;
};

#endif
