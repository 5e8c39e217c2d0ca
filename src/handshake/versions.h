/*
 * Which versions this library speaks, and the rules of those before TLS 1.3.
 */
#ifndef TENON_HANDSHAKE_VERSIONS_H
#define TENON_HANDSHAKE_VERSIONS_H

#include "conn/version_rules.h"

/* For loops over all versions, spoken or not; SSL 3.0 is none of them. */
#define VERSION_LOWEST  VERSION_TLS1
#define VERSION_HIGHEST VERSION_TLS13

/* NULL: TLS 1.3, or a version that we do not speak. */
const struct version_rules *version_rules(uint16_t version);

/* What the header of a record says in a version: RFC 8446, 5.1. */
uint16_t record_version(uint16_t version);

/* True when the library, as it was built, speaks the version, and lib has what it takes. */
bool version_is_available(const struct crypto_lib *lib, uint16_t version);

#endif
