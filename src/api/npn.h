/*
 * Next protocol negotiation: the answers to conn/hooks.h; owner is the SSL.
 */
#ifndef TENON_API_NPN_H
#define TENON_API_NPN_H

#include "api/internal.h"

bool npn_is_advertised(void *owner);
void npn_write_protocols(void *owner, struct writer *w);
bool npn_is_asked_for(void *owner);
enum hook_answer npn_choose(void *owner, const uint8_t *offered, size_t len, struct blob **chosen,
                            struct record_error *failure);

#endif
