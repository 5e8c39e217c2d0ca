/*
 * The values of RFC 8448 as rfc8448.txt has them, which rfc8448-extract makes from the RFC.
 */
#ifndef TENON_TESTS_RFC8448_H
#define TENON_TESTS_RFC8448_H

#include "conn/conn.h"

/* Sections of the RFC. */
#define SIMPLE      3
#define RESUMED     4
#define RETRIED     5
#define CLIENT_AUTH 6
#define COMPAT      7

struct value {
    int section;
    enum role side;
    size_t event; /* number of the event, which is a run of lines with the same title */
    char title[80];
    char field[32];
    size_t len;
    uint8_t *bytes; /* owns */
};

extern struct value values[1024];
extern size_t num_values;

/* Group fixtures: reads the file from the directory TEST_DATA. */
int rfc8448_load(void **state);
int rfc8448_unload(void **state);

/* The field of the same event; NULL: it has none. */
const struct value *field_of(const struct value *of, const char *field);

/* The index-th value of that name; fails the test when there is none. */
const struct value *find(int section, enum role side, const char *title, const char *field,
                         size_t index);

/* Fails the test unless bytes[0..len) are the value. */
void assert_value(const struct value *v, const void *bytes, size_t len);

/* The same for a secret and the first value of that name. */
void assert_traced_secret(int section, enum role side, const char *title, const char *field,
                          const struct secret *secret);

#endif
