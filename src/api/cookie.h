/*
 * The hooks of conn/hooks.h for cookies: SSL_CTX_set_stateless_cookie_generate_cb(3). owner is the
 * SSL.
 */
#ifndef TENON_API_COOKIE_H
#define TENON_API_COOKIE_H

#include "api/internal.h"

const uint8_t *cookie_key(void *owner);
enum hook_answer cookie_make(void *owner, uint8_t *cookie, size_t room, size_t *len,
                             struct record_error *failure);
bool cookies_are_taken(void *owner);
bool cookie_verify(void *owner, const uint8_t *cookie, size_t len);

#endif
