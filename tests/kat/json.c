#include "json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cursor {
    const char *at; /* ends with a NUL */
};

static struct json *read_value(struct cursor *c);

static void skip_blanks(struct cursor *c)
{
    c->at += strspn(c->at, " \t\r\n");
}

/* Steps over ch, after blanks. */
static bool take(struct cursor *c, char ch)
{
    skip_blanks(c);
    if (*c->at != ch) {
        return false;
    }
    c->at++;
    return true;
}

static char unescaped(char ch)
{
    switch (ch) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        return ch; /* " \ / and the letters that vectors don't use */
    }
}

/* A string, the opening quote already taken. */
static char *read_string(struct cursor *c)
{
    size_t room = 0;
    size_t len = 0;

    while (c->at[room] != '"' && c->at[room] != '\0') {
        room += c->at[room] == '\\' && c->at[room + 1] != '\0' ? 2 : 1;
    }
    char *text = malloc(room + 1);
    while (text != NULL && *c->at != '"' && *c->at != '\0') {
        if (*c->at == '\\' && c->at[1] != '\0') {
            c->at++;
            text[len++] = unescaped(*c->at);
        } else {
            text[len++] = *c->at;
        }
        c->at++;
    }
    if (text == NULL || *c->at != '"') {
        free(text);
        return NULL;
    }
    c->at++;
    text[len] = '\0';
    return text;
}

static struct json *make(enum json_kind kind)
{
    struct json *j = calloc(1, sizeof(*j));

    if (j != NULL) {
        j->kind = kind;
    }
    return j;
}

/* Members up to the closing bracket, the opening one already taken. */
static struct json *read_members(struct cursor *c, enum json_kind kind)
{
    char end = kind == JSON_OBJECT ? '}' : ']';
    struct json *whole = make(kind);
    struct json **last = whole == NULL ? NULL : &whole->first;

    if (whole == NULL || take(c, end)) {
        return whole;
    }
    do {
        char *key = NULL;
        bool named = kind == JSON_ARRAY;

        if (kind == JSON_OBJECT && take(c, '"')) {
            key = read_string(c);
            named = key != NULL && take(c, ':');
        }
        *last = named ? read_value(c) : NULL;
        if (*last == NULL) {
            free(key);
            json_free(whole);
            return NULL;
        }
        (*last)->key = key;
        last = &(*last)->next;
    } while (take(c, ','));
    if (!take(c, end)) {
        json_free(whole);
        return NULL;
    }
    return whole;
}

/* true, false, null or a whole number. */
static struct json *read_word(struct cursor *c)
{
    static const struct {
        const char *word;
        enum json_kind kind;
        long number;
    } words[] = { { "true", JSON_BOOL, 1 }, { "false", JSON_BOOL, 0 }, { "null", JSON_NULL, 0 } };
    struct json *j;

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t len = strlen(words[i].word);

        if (strncmp(c->at, words[i].word, len) == 0) {
            c->at += len;
            j = make(words[i].kind);
            if (j != NULL) {
                j->number = words[i].number;
            }
            return j;
        }
    }
    char *end;
    long number = strtol(c->at, &end, 10);
    if (end == c->at) {
        return NULL;
    }
    c->at = end;
    j = make(JSON_NUMBER);
    if (j != NULL) {
        j->number = number;
    }
    return j;
}

static struct json *read_value(struct cursor *c)
{
    if (take(c, '{')) {
        return read_members(c, JSON_OBJECT);
    }
    if (take(c, '[')) {
        return read_members(c, JSON_ARRAY);
    }
    if (!take(c, '"')) {
        return read_word(c);
    }
    struct json *j = make(JSON_STRING);
    if (j != NULL) {
        j->text = read_string(c);
        if (j->text == NULL) {
            json_free(j);
            return NULL;
        }
    }
    return j;
}

/* The file with a NUL behind it. */
static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    char *text = NULL;
    long len;

    if (file == NULL) {
        return NULL;
    }
    if (fseek(file, 0, SEEK_END) == 0 && (len = ftell(file)) >= 0 &&
        fseek(file, 0, SEEK_SET) == 0) {
        text = malloc((size_t)len + 1);
        if (text != NULL) {
            text[fread(text, 1, (size_t)len, file)] = '\0';
        }
    }
    (void)fclose(file);
    return text;
}

struct json *json_read(const char *path)
{
    char *text = read_file(path);
    struct cursor c = { text };

    if (text == NULL) {
        return NULL;
    }
    struct json *j = read_value(&c);
    free(text);
    return j;
}

void json_free(struct json *j)
{
    while (j != NULL) {
        struct json *next = j->next;

        json_free(j->first);
        free(j->key);
        free(j->text);
        free(j);
        j = next;
    }
}

const struct json *json_member(const struct json *object, const char *key)
{
    const struct json *m = object == NULL ? NULL : object->first;

    while (m != NULL && (m->key == NULL || strcmp(m->key, key) != 0)) {
        m = m->next;
    }
    return m;
}

const char *json_text(const struct json *object, const char *key)
{
    const struct json *m = json_member(object, key);

    return m != NULL && m->kind == JSON_STRING ? m->text : "";
}

long json_number(const struct json *object, const char *key)
{
    const struct json *m = json_member(object, key);

    return m != NULL && m->kind == JSON_NUMBER ? m->number : -1;
}

bool json_lists(const struct json *object, const char *key, const char *value)
{
    const struct json *list = json_member(object, key);
    const struct json *m = list == NULL ? NULL : list->first;

    while (m != NULL && (m->kind != JSON_STRING || strcmp(m->text, value) != 0)) {
        m = m->next;
    }
    return m != NULL;
}
