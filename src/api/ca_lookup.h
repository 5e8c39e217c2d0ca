/*
 * CA files behind an X509_STORE: a lookup that brings a certificate into the store when a
 * verification asks for its subject, as X509_LOOKUP_hash_dir(3) does for a folder. Every store gets
 * objects of its own. Before an application sees the store, all of them are put into it.
 */
#ifndef TENON_API_CA_LOOKUP_H
#define TENON_API_CA_LOOKUP_H

#include "api/ca_files.h"

/* Adds a set to those behind store; takes over the reference. The store must have no objects but
 * those that came this way, and no other lookup before this one. False: out of memory, or too many
 * sets; the set is given back. */
MUST_CHECK bool ca_lookup_add(X509_STORE *store, struct ca_set *set);

/* Puts what is not there yet into the store, in the files' order. From then on the lookup has
 * nothing to add. Without any set behind the store it does nothing. False: out of memory, and the
 * lookup goes on. */
bool ca_lookup_fill(X509_STORE *store);

#endif
