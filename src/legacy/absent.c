/*
 * Stands in for this folder in a library that is built without TLS 1.1 and 1.0.
 */
#include "legacy/legacy.h"

const struct version_rules *legacy_rules(uint16_t version)
{
    (void)version;
    return NULL;
}
