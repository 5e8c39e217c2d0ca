/*
 * Reads the values of RFC 8448; see rfc8448.h.
 */
#include "unit.h"

#include "rfc8448.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct value values[1024];
size_t num_values;

static void add_value(char *line)
{
    struct value *v = &values[num_values];
    const struct value *before = num_values > 0 ? v - 1 : NULL;
    char *rest = line;
    const char *section = strsep(&rest, "|");
    const char *side = strsep(&rest, "|");
    const char *title = strsep(&rest, "|");
    const char *field = strsep(&rest, "|");

    assert_true(num_values < COUNT_OF(values) && rest != NULL);
    struct bytes bytes = from_hex(rest);
    v->section = atoi(section);
    v->side = strcmp(side, "client") == 0 ? ROLE_CLIENT : ROLE_SERVER;
    (void)snprintf(v->title, sizeof(v->title), "%s", title);
    (void)snprintf(v->field, sizeof(v->field), "%s", field);
    v->len = bytes.len;
    v->bytes = malloc(bytes.len + 1);
    assert_non_null(v->bytes);
    memcpy(v->bytes, bytes.data, bytes.len);
    bool same = before != NULL && before->side == v->side && strcmp(before->title, title) == 0 &&
                strcmp(before->field, field) != 0 &&
                !(strncmp(title, "send ", 5) == 0 && strcmp(field, "payload") == 0);
    v->event = before == NULL ? 0 : before->event + !same;
    num_values++;
}

int rfc8448_load(void **state)
{
    const char *directory = getenv("TEST_DATA");
    char path[512];
    static char line[8192];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/rfc8448.txt", directory != NULL ? directory : ".");
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        printf("cannot open %s\n", path);
        return -1;
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        add_value(line);
    }
    (void)fclose(file);
    return num_values > 0 ? 0 : -1;
}

int rfc8448_unload(void **state)
{
    (void)state;
    for (size_t i = 0; i < num_values; i++) {
        free(values[i].bytes);
    }
    return 0;
}

const struct value *field_of(const struct value *of, const char *field)
{
    for (size_t i = 0; i < num_values; i++) {
        if (values[i].event == of->event && strcmp(values[i].field, field) == 0) {
            return &values[i];
        }
    }
    return NULL;
}

const struct value *find(int section, enum role side, const char *title, const char *field,
                         size_t index)
{
    for (size_t i = 0; i < num_values; i++) {
        const struct value *v = &values[i];
        if (v->section == section && v->side == side && strcmp(v->title, title) == 0 &&
            strcmp(v->field, field) == 0 && index-- == 0) {
            return v;
        }
    }
    fail_msg("section %d has no %s, %s", section, title, field);
    return NULL;
}

void assert_value(const struct value *v, const void *bytes, size_t len)
{
    assert_int_equal(v->len, len);
    assert_memory_equal(v->bytes, bytes, len);
}

void assert_traced_secret(int section, enum role side, const char *title, const char *field,
                          const struct secret *secret)
{
    assert_value(find(section, side, title, field, 0), secret->bytes, secret->len);
}
