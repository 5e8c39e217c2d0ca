/*
 * Certificate Transparency (RFC 6962).
 */
#ifndef TENON_API_CT_H
#define TENON_API_CT_H

#include "api/internal.h"

/* The hook peer_scts of conn/hooks.h; owner is the SSL. */
bool ct_received(void *owner, const uint8_t *list, size_t len);

/* Runs the connection's validation callback once the peer's chain has been verified. OK, or FAIL
 * with *failure set. */
enum hook_answer ct_validate(SSL *s, struct record_error *failure);

/* SSL_new(): what SSL_set_ct_validation_callback() does, where the context has a callback. False:
 * the context reads the timestamps by itself (custom extension), or out of memory. */
MUST_CHECK bool ct_begin(SSL *s);

/* True when the connection asks the server for timestamps. */
bool ct_wanted(const SSL *s);

/* Frees what a connection, respectively a context, holds of all this. */
void ct_wipe(SSL *s);
void ct_ctx_wipe(SSL_CTX *ctx);

#endif
