/*
 * A secret that servers share, so that each opens the others' tickets: the contents of a file,
 * which the operator names in TENON_TICKET_SECRET_FILE or in openssl.cnf. docs/ticket-secrets.md.
 */
#ifndef TENON_API_TICKET_SECRET_H
#define TENON_API_TICKET_SECRET_H

#include "api/internal.h"

/* Bytes that the file may have; all of them are used. */
#define TICKET_SECRET_MIN 32
#define TICKET_SECRET_MAX 4096

/* Names the file, once for the process (later names are ignored), and reads it. path NULL: none. A
 * file that this process has no right to read counts as none. False: the file is missing, too short
 * or too long, or readable by others; an error was raised that says so. */
MUST_CHECK bool ticket_secret_configure(const char *path);

/* The number of the secret in force; 0: there is none. It grows when the file was replaced, which
 * is looked for at most once a second. now: seconds since the epoch. A replacement that cannot be
 * used is left alone. */
uint32_t ticket_secret_generation(int64_t now);

/* Derives out_len bytes for a purpose (info) from the secret (RFC 5869). *generation is that of the
 * secret used. False: there is none, or the provider failed. */
MUST_CHECK bool ticket_secret_derive(const struct hash *h, const uint8_t *info, size_t info_len,
                                     uint8_t *out, size_t out_len, uint32_t *generation);

#endif
