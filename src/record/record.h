/*
 * Constants of the record layer (RFC 8446, 5; RFC 5246, 6.2) and the error a lower layer reports
 * upwards.
 */
#ifndef TENON_RECORD_RECORD_H
#define TENON_RECORD_RECORD_H

#include "base/base.h"

enum content_type {
    CONTENT_CCS = 20,
    CONTENT_ALERT = 21,
    CONTENT_HANDSHAKE = 22,
    CONTENT_APPLICATION = 23
};

#define RECORD_HEADER_LEN 5
#define RECORD_MAX_PLAINTEXT 16384
/* RFC 8446, 5.2: at most 256 bytes of expansion; RFC 5246, 6.2.3: at most 2048. */
#define RECORD_MAX_EXPANSION_TLS13 256
#define RECORD_MAX_EXPANSION_TLS12 2048

enum tls_version {
    VERSION_SSL3 = 0x0300,
    VERSION_TLS1 = 0x0301,
    VERSION_TLS11 = 0x0302,
    VERSION_TLS12 = 0x0303,
    VERSION_TLS13 = 0x0304
};

/* What protects one direction of a connection at the moment. Application data may be received
 * exactly when the incoming epoch is EARLY or APPLICATION, and sent exactly when the outgoing is. */
enum epoch { EPOCH_PLAINTEXT, EPOCH_EARLY, EPOCH_HANDSHAKE, EPOCH_APPLICATION };

/* Why something failed: the alert that tells the peer and the SSL_R_* reason for the application. */
struct record_error {
    uint8_t alert;
    int reason;
};

#endif
