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

#define RECORD_HEADER_LEN          5
#define RECORD_MAX_PLAINTEXT       16384
/* RFC 8446, 5.2: at most 256 bytes of expansion; RFC 5246, 6.2.3: at most 2048, of which OpenSSL
 * takes what padding and the largest MAC come to. */
#define RECORD_MAX_EXPANSION_TLS13 256
#define RECORD_MAX_EXPANSION_TLS12 (256 + 64)

enum tls_version {
    VERSION_SSL2 = 0x0002, /* as callbacks are told of a hello in its format */
    VERSION_SSL3 = 0x0300,
    VERSION_TLS1 = 0x0301,
    VERSION_TLS11 = 0x0302,
    VERSION_TLS12 = 0x0303,
    VERSION_TLS13 = 0x0304
};

/* Alert descriptions (RFC 8446, 6.2). */
enum alert {
    ALERT_CLOSE_NOTIFY = 0,
    ALERT_UNEXPECTED_MESSAGE = 10,
    ALERT_BAD_RECORD_MAC = 20,
    ALERT_RECORD_OVERFLOW = 22,
    ALERT_HANDSHAKE_FAILURE = 40,
    ALERT_BAD_CERTIFICATE = 42,
    ALERT_UNSUPPORTED_CERTIFICATE = 43,
    ALERT_CERTIFICATE_REVOKED = 44,
    ALERT_CERTIFICATE_EXPIRED = 45,
    ALERT_CERTIFICATE_UNKNOWN = 46,
    ALERT_ILLEGAL_PARAMETER = 47,
    ALERT_UNKNOWN_CA = 48,
    ALERT_ACCESS_DENIED = 49,
    ALERT_DECODE_ERROR = 50,
    ALERT_DECRYPT_ERROR = 51,
    ALERT_PROTOCOL_VERSION = 70,
    ALERT_INSUFFICIENT_SECURITY = 71,
    ALERT_INTERNAL_ERROR = 80,
    ALERT_INAPPROPRIATE_FALLBACK = 86,
    ALERT_USER_CANCELED = 90,
    ALERT_NO_RENEGOTIATION = 100,
    ALERT_MISSING_EXTENSION = 109,
    ALERT_UNSUPPORTED_EXTENSION = 110,
    ALERT_UNRECOGNIZED_NAME = 112,
    ALERT_BAD_CERTIFICATE_STATUS_RESPONSE = 113,
    ALERT_UNKNOWN_PSK_IDENTITY = 115,
    ALERT_CERTIFICATE_REQUIRED = 116,
    ALERT_NO_APPLICATION_PROTOCOL = 120,
    /* Not on the wire: the peer does not speak TLS, or the connection has no use for an answer. */
    ALERT_NONE = 255
};

/* The SSL_R_* reason of a fatal alert that was received is this plus its description. */
#define REASON_OF_ALERT 1000

enum alert_level { ALERT_LEVEL_WARNING = 1, ALERT_LEVEL_FATAL = 2 };

/* What protects one direction of a connection at the moment. Application data may be received
 * exactly when the incoming epoch is EARLY or APPLICATION, and sent exactly when the outgoing is.
 */
enum epoch { EPOCH_PLAINTEXT, EPOCH_EARLY, EPOCH_HANDSHAKE, EPOCH_APPLICATION };

/* Why something failed: the alert that tells the peer and the SSL_R_* reason for the application.
 */
struct record_error {
    uint8_t alert;
    int reason;
};

#endif
