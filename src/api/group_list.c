/*
 * Lists of groups: setting them, and what both sides have.
 */
#include "api/lists.h"

#include "api/certs.h"
#include <ctype.h>
#include <openssl/objects.h>
#include <string.h>

/* Longest name in a list. */
#define MAX_NAME 63

struct group_list {
    uint16_t *ids; /* owns */
    size_t num;
};

/* A list with room for max groups. False: out of memory. */
static bool group_list_init(struct group_list *list, size_t max)
{
    list->ids = OPENSSL_malloc(max * sizeof(list->ids[0]));
    list->num = 0;
    if (list->ids == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    }
    return list->ids != NULL;
}

/* Appends g. False: NULL (no provider has it), or there already. */
static bool add_group(struct group_list *list, const struct group *g)
{
    if (g == NULL) {
        return false;
    }
    for (size_t i = 0; i < list->num; i++) {
        if (list->ids[i] == g->id) {
            return false;
        }
    }
    list->ids[list->num++] = g->id;
    return true;
}

/* Explains a name that could not be added; OpenSSL has words only for one it does not know. */
static void report_name(struct list_word word, const struct group *g)
{
    if (g == NULL && word.len != 0 && word.len <= MAX_NAME) {
        raise_error_with(ERR_R_PASSED_INVALID_ARGUMENT, "group '%.*s' cannot be set", (int)word.len,
                         word.at);
    }
}

static long store_groups(SSL *s, SSL_CTX *ctx, const struct group_list *list)
{
    struct blob *groups = blob_new(list->ids, list->num * sizeof(list->ids[0]));
    struct ssl_config *config = groups == NULL ? NULL : settings_edit(s, ctx);

    if (config == NULL) {
        blob_free(groups);
        return 0;
    }
    blob_set(&config->core.groups, groups);
    return 1;
}

long groups_set(SSL *s, SSL_CTX *ctx, const int *nids, long num)
{
    const struct crypto_lib *lib = settings_of(s, ctx)->core.lib;
    struct group_list list;
    bool ok = true;

    if (num == 0) {
        raise_error(SSL_R_BAD_LENGTH);
        return 0;
    }
    if (num < 0 || nids == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    if (!group_list_init(&list, (size_t)num)) {
        return 0;
    }
    for (long i = 0; ok && i < num; i++) {
        ok = add_group(&list, group_by_nid(lib, nids[i]));
    }
    long result = ok ? store_groups(s, ctx, &list) : 0;
    OPENSSL_free(list.ids);
    return result;
}

/* As many groups as text has words, at most. */
static size_t count_words(const char *text)
{
    size_t num = 1;

    for (; *text != '\0'; text++) {
        num += *text == ':';
    }
    return num;
}

static bool add_all(struct group_list *list, const struct crypto_lib *lib, const char *text)
{
    bool more = true;

    while (more) {
        struct list_word word = list_next_word(&text, &more);
        const struct group *g =
            word.len == 0 || word.len > MAX_NAME ? NULL : group_by_name(lib, word.at, word.len);

        if (!add_group(list, g)) {
            report_name(word, g);
            return false;
        }
    }
    return true;
}

long groups_set_list(SSL *s, SSL_CTX *ctx, const char *text)
{
    const bool only_check = s == NULL && ctx == NULL;
    const struct crypto_lib *lib =
        only_check ? crypto_lib_new(NULL, NULL) : settings_of(s, ctx)->core.lib;
    struct group_list list;
    long result = 0;

    if (lib == NULL) {
        return 0; /* it has said why */
    }
    if (text == NULL) {
        ERR_raise(ERR_LIB_CONF, CONF_R_LIST_CANNOT_BE_NULL);
        return 0;
    }
    if (group_list_init(&list, count_words(text))) {
        if (add_all(&list, lib, text)) {
            result = only_check ? 1 : store_groups(s, ctx, &list);
        }
        OPENSSL_free(list.ids);
    }
    return result;
}

struct list_word list_next_word(const char **text, bool *more)
{
    struct list_word word = { .at = *text, .len = strcspn(*text, ":") };

    *more = word.at[word.len] == ':';
    *text += word.len + *more;
    while (word.len > 0 && isspace((unsigned char)*word.at)) {
        word.at++;
        word.len--;
    }
    while (word.len > 0 && isspace((unsigned char)word.at[word.len - 1])) {
        word.len--;
    }
    return word;
}

int group_nid_or_id(uint16_t id)
{
    int nid = group_nid(id);

    return nid != NID_undef || id == 0 ? nid : TLSEXT_nid_unknown | id;
}

long groups_of_peer(const SSL *s, int *nids)
{
    const struct blob *groups = s->conn.neg.peer_groups;

    for (size_t i = 0; nids != NULL && i < u16_list_len(groups); i++) {
        nids[i] = group_nid_or_id(u16_list_at(groups, i));
    }
    return (long)u16_list_len(groups);
}

static bool group_is_allowed(const SSL *s, int op, uint16_t id)
{
    uint8_t code[2] = { (uint8_t)(id >> 8), (uint8_t)id };
    const struct group *g = group_by_id(s->conn.config->lib, id);
    uint16_t version = s->conn.neg.version;

    /* Before there is a version, none is ruled out. */
    if (g == NULL || (version != 0 && !group_serves(g, version, version))) {
        return false;
    }
    return ssl_is_allowed(s, op, g->security_bits, g->nid, code);
}

long groups_shared(const SSL *s, long n)
{
    const struct blob *own = config_groups(s->conn.config);
    const struct blob *peer = s->conn.neg.peer_groups;
    bool own_first = (s->conn.config->options & SSL_OP_CIPHER_SERVER_PREFERENCE) != 0;
    const struct blob *preferred = own_first ? own : peer;
    const struct blob *other = own_first ? peer : own;
    long num = 0;

    if (!SSL_is_server(s)) {
        return 0;
    }
    for (size_t i = 0; i < u16_list_len(preferred); i++) {
        uint16_t id = u16_list_at(preferred, i);

        if (!u16_list_has(other, id) || !group_is_allowed(s, SSL_SECOP_CURVE_SHARED, id)) {
            continue;
        }
        /* OpenSSL takes -2 for "the first", where Suite B does not say which. */
        if (n == num || n == -2) {
            return group_nid_or_id(id);
        }
        num++;
    }
    return n == -1 ? num : 0;
}

const char *SSL_group_to_name(SSL *s, int nid)
{
    const struct crypto_lib *lib = s->ctx->lib;
    const struct group *g =
        (nid & TLSEXT_nid_unknown) != 0 ? group_by_id(lib, (uint16_t)nid) : group_by_nid(lib, nid);

    return g == NULL ? NULL : g->name;
}
