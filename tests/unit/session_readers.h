/*
 * The strict reader and writer of sessions (api/session_der.h) beside libcrypto's templates.
 */
#ifndef TENON_UNIT_SESSION_READERS_H
#define TENON_UNIT_SESSION_READERS_H

#include "base/base.h"

/* Reads data both ways and writes what was read both ways again. NULL: the strict reader leaves it
 * to libcrypto, or both agree; else what they disagree about. *taken: the strict reader took it.
 * Empties the error queue. */
const char *session_readers_disagree(const uint8_t *data, size_t len, bool *taken);

#endif
