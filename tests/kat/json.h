/*
 * A reader for JSON (RFC 8259) as test vectors use it: strings without escapes beyond the simple
 * ones, whole numbers. Not for input that an attacker chooses.
 */
#ifndef TENON_TESTS_JSON_H
#define TENON_TESTS_JSON_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json {
    enum json_kind kind;
    char *key;          /* of a member of an object; NULL */
    char *text;         /* JSON_STRING */
    long number;        /* JSON_NUMBER, JSON_BOOL */
    struct json *first; /* elements and members */
    struct json *next;
};

/* The document in a file; NULL: no such file, out of memory, or not JSON. The caller frees it. */
struct json *json_read(const char *path);
void json_free(struct json *j);

/* A member of an object. NULL: there is none. */
const struct json *json_member(const struct json *object, const char *key);

/* A member that is a string, a number. Absent: "" and -1. */
const char *json_text(const struct json *object, const char *key);
long json_number(const struct json *object, const char *key);

/* True when the array member key holds the string value. */
bool json_lists(const struct json *object, const char *key, const char *value);

#endif
