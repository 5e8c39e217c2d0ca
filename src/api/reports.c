/*
 * What the engine reports, as the callbacks that only listen see it, and what contexts count of it;
 * see reports.h.
 */
#include "api/reports.h"
#include "api/resumption.h"

#include <string.h>

void report_message(void *owner, bool sent, uint16_t version, int content_type,
                    const uint8_t *bytes, size_t len)
{
    SSL *s = owner;

    if (s->config->msg_callback != NULL) {
        s->config->msg_callback(sent, version, content_type, bytes, len, s,
                                s->config->msg_callback_arg);
    }
}

void report_info(SSL *s, int where, int ret)
{
    void (*callback)(const SSL *, int, int) = ssl_info_callback(s);

    if (callback != NULL) {
        callback(s, where, ret);
    }
}

void report_step(void *owner)
{
    SSL *s = owner;

    report_info(s, s->conn.role == ROLE_CLIENT ? SSL_CB_CONNECT_LOOP : SSL_CB_ACCEPT_LOOP, 1);
}

void report_started(void *owner)
{
    report_info(owner, SSL_CB_HANDSHAKE_START, 1);
}

void report_listens(void *owner)
{
    SSL *s = owner;

    s->session_ctx->stats.accept++;
}

static void count_handshake(SSL *s)
{
    sessions_after_handshake(s);
    if (s->conn.role == ROLE_CLIENT) {
        if (s->conn.neg.resumed) { /* a server's was counted when it was found */
            s->session_ctx->stats.hit++;
        }
        s->session_ctx->stats.connect_good++;
    } else {
        s->ctx->stats.accept_good++;
    }
}

void report_done(void *owner, bool established)
{
    if (established) {
        count_handshake(owner);
    }
    report_info(owner, SSL_CB_HANDSHAKE_DONE, 1);
}

/* As OpenSSL counts: a server that has asked for the ClientHello counts it twice. */
void report_renegotiation(void *owner)
{
    SSL *s = owner;

    if (s->conn.role == ROLE_CLIENT) {
        s->session_ctx->stats.connect_renegotiate++;
    } else {
        s->ctx->stats.accept_renegotiate +=
            s->conn.renegotiation == RENEGOTIATION_REQUESTED ? 2 : 1;
    }
}

void report_alert(void *owner, bool sent, uint16_t value)
{
    SSL *s = owner;

    report_info(s, sent ? SSL_CB_WRITE_ALERT : SSL_CB_READ_ALERT, value);
    /* RFC 5246, 7.2.2: such a session is not resumed. */
    if (!sent && value >> 8 == ALERT_LEVEL_FATAL && s->conn.session != NULL) {
        (void)drop_session(s, s->conn.session);
    }
}

static char *append_hex(char *out, const uint8_t *bytes, size_t len)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < len; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
    return out;
}

/* One line of NSS's key log format: label, what identifies the connection (at most 32 bytes),
 * secret. */
static void log_secret(SSL *s, const char *label, const uint8_t *id, size_t id_len,
                       const uint8_t *bytes, size_t len)
{
    char line[64 + 2 * 32 + 2 * SECRET_MAX + 3];
    size_t label_len = strlen(label);

    if (s->ctx->keylog_cb == NULL || label_len > 64 || len > SECRET_MAX) {
        return;
    }
    memcpy(line, label, label_len);
    char *out = line + label_len;
    *out++ = ' ';
    out = append_hex(out, id, id_len);
    *out++ = ' ';
    out = append_hex(out, bytes, len);
    *out = '\0';
    s->ctx->keylog_cb(s, line);
    wipe(line, sizeof line);
}

void report_secret(void *owner, const char *label, const struct secret *secret)
{
    SSL *s = owner;

    log_secret(s, label, s->conn.neg.client_random, sizeof s->conn.neg.client_random, secret->bytes,
               secret->len);
}

void report_premaster(void *owner, const uint8_t *encrypted, const uint8_t *premaster, size_t len)
{
    log_secret(owner, "RSA", encrypted, 8, premaster, len);
}

void report_extension(void *owner, uint16_t type, const uint8_t *body, size_t len)
{
    SSL *s = owner;

    if (s->tlsext_debug_cb != NULL) {
        s->tlsext_debug_cb(s, s->conn.role == ROLE_CLIENT, type, body, (int)len,
                           s->tlsext_debug_arg);
    }
}
