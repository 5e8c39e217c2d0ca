/*
 * TLS 1.1 (RFC 4346) and TLS 1.0 (RFC 2246): what they have that TLS 1.2 has not. The build option
 * legacy_tls leaves this folder out, but for absent.c.
 */
#ifndef TENON_LEGACY_LEGACY_H
#define TENON_LEGACY_LEGACY_H

#include "conn/version_rules.h"

/* The rules of the version; NULL: it is neither TLS 1.0 nor 1.1, or the room is not built. */
const struct version_rules *legacy_rules(uint16_t version);

#endif
