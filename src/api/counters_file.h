/*
 * A file to which a process appends its counters (base/counters.h) when it ends, for those who run
 * it: TENON_COUNTERS_FILE, docs/certificate-cache.md.
 */
#ifndef TENON_API_COUNTERS_FILE_H
#define TENON_API_COUNTERS_FILE_H

/* Names the file, once for the process; NULL or empty: none. A file that cannot be written is
 * nobody's failure. */
void counters_file_configure(const char *path);

#endif
