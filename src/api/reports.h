/*
 * The engine's reports as OpenSSL's callbacks, which listen and answer nothing: the hooks of
 * conn/hooks.h with these names. SSL_CTX_set_info_callback(3), SSL_CTX_set_msg_callback(3),
 * SSL_CTX_set_keylog_callback(3), SSL_set_tlsext_debug_callback(3). What SSL_CTX_sess_number(3)
 * counts of handshakes is counted here.
 */
#ifndef TENON_API_REPORTS_H
#define TENON_API_REPORTS_H

#include "api/internal.h"

/* The info callback, if there is one; where: SSL_CB_*. */
void report_info(SSL *s, int where, int ret);

void report_message(void *owner, bool sent, uint16_t version, int content_type,
                    const uint8_t *bytes, size_t len);
void report_step(void *owner);
void report_started(void *owner);
void report_listens(void *owner);
void report_done(void *owner, bool established);
void report_renegotiation(void *owner);
void report_alert(void *owner, bool sent, uint16_t value);
void report_secret(void *owner, const char *label, const struct secret *secret);
void report_premaster(void *owner, const uint8_t *encrypted, const uint8_t *premaster, size_t len);
void report_extension(void *owner, uint16_t type, const uint8_t *body, size_t len);

#endif
