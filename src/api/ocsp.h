/*
 * Stapled OCSP responses: what the control commands set and ask, and the hooks of the core. Exactly
 * one of s and ctx is not NULL where both are taken.
 */
#ifndef TENON_API_OCSP_H
#define TENON_API_OCSP_H

#include "api/internal.h"

/* SSL_CTRL_SET/GET_TLSEXT_STATUS_REQ_TYPE: TLSEXT_STATUSTYPE_ocsp or -1. */
long ocsp_set_type(SSL *s, SSL_CTX *ctx, long type);
long ocsp_get_type(const SSL *s, const SSL_CTX *ctx);

/* SSL_CTRL_GET/SET_TLSEXT_STATUS_REQ_EXTS and _IDS: setting takes the list over, getting borrows
 * it. */
long ocsp_get_extensions(const SSL *s, STACK_OF(X509_EXTENSION) **extensions);
long ocsp_set_extensions(SSL *s, STACK_OF(X509_EXTENSION) *extensions);
long ocsp_get_ids(const SSL *s, STACK_OF(OCSP_RESPID) **ids);
long ocsp_set_ids(SSL *s, STACK_OF(OCSP_RESPID) *ids);

/* SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP: the length, -1: none. _SET_: takes response (made by
 * OPENSSL_malloc) over. */
long ocsp_get_response(const SSL *s, unsigned char **response);
long ocsp_set_response(SSL *s, unsigned char *response, long len);

/* Frees what a connection holds of all this. */
void ocsp_wipe(SSL *s);

/* The hooks write_ocsp_request and peer_ocsp_request of conn/hooks.h: the OCSPStatusRequest of
 * RFC 6066, 8 without its type byte, from and to what the two lists above hold. */
bool ocsp_write_request(void *owner, struct writer *w);
bool ocsp_read_request(void *owner, struct reader responders, struct reader extensions);

/* The hooks ocsp_response, peer_ocsp and check_ocsp of conn/hooks.h; owner is the SSL. */
enum hook_answer ocsp_staple(void *owner, struct blob **response, struct record_error *failure);
bool ocsp_received(void *owner, const uint8_t *response, size_t len);
enum hook_answer ocsp_check(void *owner, struct record_error *failure);

#endif
