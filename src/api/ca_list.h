/*
 * Names of certificate authorities: those that are sent to the peer and those that the peer sent.
 */
#ifndef TENON_API_CA_LIST_H
#define TENON_API_CA_LIST_H

#include "api/internal.h"

/* A copy of list, each name copied; *copy is NULL for NULL. False: out of memory. */
MUST_CHECK bool ca_list_copy(STACK_OF(X509_NAME) **copy, const STACK_OF(X509_NAME) *list);
void ca_list_free(STACK_OF(X509_NAME) *list);

/* The hooks write_authorities and peer_authorities of conn/hooks.h; owner is the SSL. */
bool ca_list_write(void *owner, struct writer *w);
bool ca_list_read(void *owner, struct reader names);

#endif
