/*
 * Names that SSL_trace() gives to numbers of the protocol: trace_names.c's tables.
 */
#ifndef TENON_API_TRACE_H
#define TENON_API_TRACE_H

#include "base/base.h"

enum trace_names {
    NAMES_VERSIONS,
    NAMES_CONTENT_TYPES,
    NAMES_MESSAGES,
    NAMES_SUITES,
    NAMES_COMPRESSIONS,
    NAMES_EXTENSIONS,
    NAMES_GROUPS,
    NAMES_POINT_FORMATS,
    NAMES_SIGNATURES,
    NAMES_FRAGMENT_LENGTHS,
    NAMES_PSK_MODES,
    NAMES_KEY_UPDATES,
    NAMES_CERTIFICATE_TYPES
};

/* The name of a number, or "UNKNOWN". */
const char *trace_name(enum trace_names names, unsigned number);

#endif
