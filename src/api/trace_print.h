/*
 * What the files of SSL_trace() share: printing pieces of messages. Nothing here fails but for
 * malformed input: then a function has printed what came before and returns false.
 */
#ifndef TENON_API_TRACE_PRINT_H
#define TENON_API_TRACE_PRINT_H

#include "api/internal.h"
#include "api/trace.h"

/* The deepest indentation there is. */
#define TRACE_MAX_INDENT 80

/* A line with a name, a length and bytes in hexadecimal. */
void trace_hex(BIO *out, int indent, const char *name, const uint8_t *bytes, size_t len);

/* The same with a vector taken from r whose length has width (1 or 2) bytes. */
MUST_CHECK bool trace_vector(BIO *out, int indent, const char *name, size_t width,
                             struct reader *r);

/* A line for each number of width (1 or 2) bytes in a list. */
MUST_CHECK bool trace_list(BIO *out, int indent, enum trace_names names, size_t width,
                           struct reader list);

/* A line for each signature scheme in a list. */
MUST_CHECK bool trace_signatures(BIO *out, int indent, struct reader list);

/* The extension block at the end of a message (SSL3_MT_*) of the server or the client. */
MUST_CHECK bool trace_extensions(BIO *out, int indent, bool from_server, int message,
                                 struct reader *r);

#endif
