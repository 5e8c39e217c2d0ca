/*
 * Custom extensions (SSL_CTX_add_custom_ext) and serverinfo: their copies in the settings and the
 * hooks of the core.
 */
#ifndef TENON_API_CUSTOM_EXT_H
#define TENON_API_CUSTOM_EXT_H

#include "api/internal.h"

/* A copy of source[0..num) for another struct ssl_config; *copy is NULL for none. False: out of
 * memory. */
MUST_CHECK bool custom_extensions_copy(struct custom_extension **copy,
                                       const struct custom_extension *source, size_t num);
void custom_extensions_free(struct custom_extension *extensions, size_t num);

/* Appends one entry to ctx. False: the type is taken, or out of memory; nothing changed. */
MUST_CHECK bool custom_extension_add(SSL_CTX *ctx, const struct custom_extension *entry);

/* The entry for type in a context and role; NULL: none. */
const struct custom_extension *custom_extension_find(const struct ssl_config *config, uint16_t type,
                                                     bool is_server);

/* Forgets which extensions were exchanged: before a new handshake, and when the SSL is freed. */
void custom_extensions_reset(SSL *s);

/* The hooks of the same names of conn/hooks.h; owner is the SSL. */
enum hook_answer write_custom_extensions(void *owner, unsigned context, struct writer *w,
                                         X509 *cert, size_t index, struct record_error *failure);
enum hook_answer read_custom_extension(void *owner, unsigned context, uint16_t type,
                                       struct reader body, struct peer_chain *chain, size_t index,
                                       struct record_error *failure);

#endif
