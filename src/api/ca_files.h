/*
 * Files of trusted certificates that have been read and decoded, kept for the process by path and
 * what stat(2) tells of the file. What is in a set is shared by contexts and for the library's own
 * eyes: api/ca_lookup.h brings copies of it into an X509_STORE.
 */
#ifndef TENON_API_CA_FILES_H
#define TENON_API_CA_FILES_H

#include "api/internal.h"

/* Files that are kept, and bytes that each may have. */
#define CA_FILES_KEPT   8
#define CA_FILE_MAX_LEN ((off_t)1 << 20)

/* Seconds for which a file has to have been left alone: a change right after another may leave the
 * times that stat() tells as they were. */
#define CA_FILE_MIN_AGE 2

struct ca_set; /* immutable, counted */

/* Switches the cache on; a process starts without. */
void ca_files_turn(bool on);

/* What came of a file. */
enum ca_file {
    CA_FILE_READ,    /* *set is the caller's reference */
    CA_FILE_FAILED,  /* as X509_STORE_load_file(3) fails, an error was raised */
    CA_FILE_ELSEWISE /* nothing was raised: not for this cache, or that is off. What is to be kept
                        of it only libcrypto can read: a device, revocation lists, trust settings; a
                        file that changed a moment ago */
};

/* Reads a PEM file for lib, or finds it. */
MUST_CHECK enum ca_file ca_file_get(const struct crypto_lib *lib, const char *path,
                                    struct ca_set **set);

/* Drops a reference; NULL is allowed. */
void ca_set_free(struct ca_set *set);

/* Number of certificates, which are in the order of an X509_STORE, and one of them, borrowed. */
size_t ca_set_len(const struct ca_set *set);
X509 *ca_set_at(const struct ca_set *set, size_t i);

/* The places of the certificates with a subject: how many, and in *places (borrowed) which. */
size_t ca_set_find(const struct ca_set *set, const X509_NAME *subject, const size_t **places);

/* True when the caller is the only one to have the set, which is no longer in the cache then: its
 * certificates are the caller's to give away. */
bool ca_set_take(struct ca_set *set);

#endif
