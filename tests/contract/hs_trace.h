/*
 * Logs every callback that an application can install, in the order in which the library makes
 * them, and lets a test script what the callbacks answer.
 *
 * A line is "NAME EVENT [STATE] details": NAME the SSL's, STATE the short string of
 * SSL_state_string() at that moment. A test picks the events with a mask, because several callbacks
 * change what is negotiated by being there.
 */
#ifndef HS_TRACE_H
#define HS_TRACE_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_event {
    TRACE_INFO = 1 << 0,
    TRACE_MESSAGE = 1 << 1,
    TRACE_KEYLOG = 1 << 2,
    TRACE_CLIENT_HELLO = 1 << 3,
    TRACE_SERVER_NAME = 1 << 4,
    TRACE_ALPN = 1 << 5,
    TRACE_CERT = 1 << 6,
    TRACE_CLIENT_CERT = 1 << 7,
    TRACE_VERIFY = 1 << 8,     /* per certificate; keeps the verify mode */
    TRACE_APP_VERIFY = 1 << 9, /* the whole verification, runs X509_verify_cert() itself */
    TRACE_STATUS = 1 << 10,
    TRACE_EXTENSIONS = 1 << 11, /* two custom extensions; trace_custom_extensions() says which */
    TRACE_SECURITY = 1 << 12,
    TRACE_TLSEXT_DEBUG = 1 << 13, /* on the SSL only */
    TRACE_PADDING = 1 << 14,
    TRACE_EXTENSIONS_TLS12 = 1 << 15, /* as TRACE_EXTENSIONS, with an answer in TLS 1.2 */
    TRACE_CALLS = TRACE_INFO | TRACE_MESSAGE | TRACE_KEYLOG
};

/* What the callbacks of one side answer. trace_plan_reset() makes every one agree. */
struct trace_side {
    int cert_pauses;     /* cert_cb returns -1 that often, then 1 */
    bool cert_refuses;   /* cert_cb returns 0 */
    int verify_pauses;   /* app verify asks for a retry that often */
    int verify_override; /* -1: keep what was found; 0 or 1: the verify callback returns this */
    bool client_cert;    /* client_cert_cb hands out `identity` of the plan */
    int client_cert_pauses;
};

struct trace_plan {
    struct trace_side client;
    struct trace_side server;
    int hello_pauses;
    bool hello_refuses;
    int hello_alert; /* set by client_hello_cb when it refuses; 0: left alone */
    int sni_result;  /* SSL_TLSEXT_ERR_* */
    int sni_alert;   /* 0: left alone */
    SSL_CTX *sni_switch;
    int alpn_result; /* with SSL_TLSEXT_ERR_OK the client's first protocol is chosen */
    int status_result;
    const char *status_response; /* set by the server's status callback, NULL: none */
    int client_status_result;
    int extension_add_result;   /* of the custom extension's add callback */
    int extension_parse_result; /* of its parse callback */
    const struct identity *identity;
};

extern struct trace_plan trace_plan;

void trace_plan_reset(void);

/* Installs the callbacks of `events` on a context; `server` says which role it serves. */
void trace_ctx(SSL_CTX *ctx, bool server, unsigned events);

/* What can only be set on the SSL itself (TRACE_TLSEXT_DEBUG). */
void trace_ssl(SSL *ssl, unsigned events);

/* SSL_do_handshake() with a line before and after it; returns SSL_get_error(). */
int trace_handshake(SSL *ssl);

/* Both sides in turn until both are done or have failed; a line for each call. */
bool trace_pair(SSL *client, SSL *server);

/* Names for log lines. */
const char *trace_where_name(int where);

#endif
