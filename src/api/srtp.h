/*
 * Profiles for SRTP: the answers to conn/hooks.h; owner is the SSL.
 */
#ifndef TENON_API_SRTP_H
#define TENON_API_SRTP_H

#include "api/internal.h"

bool srtp_has_profiles(void *owner);
void srtp_write_profiles(void *owner, struct writer *w);

#endif
