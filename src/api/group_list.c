/*
 * Lists of groups: setting them, and what both sides have.
 */
#include "api/lists.h"

#include "api/certs.h"
#include <ctype.h>
#include <openssl/objects.h>
#include <string.h>

/* As many as there are: no list can name more without naming one twice. */
#define MAX_GROUPS 64

/* Longest name in a list. */
#define MAX_NAME 63

struct group_list {
    uint16_t ids[MAX_GROUPS];
    size_t num;
};

/* Appends g. False: unknown, not available or there already. */
static bool add_group(struct group_list *list, const struct crypto_lib *lib, const struct group *g)
{
    if (g == NULL || !group_is_available(lib, g) || list->num == MAX_GROUPS) {
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
    struct group_list list = { .num = 0 };

    if (num == 0) {
        raise_error(SSL_R_BAD_LENGTH);
        return 0;
    }
    if (num < 0 || nids == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    for (long i = 0; i < num; i++) {
        if (!add_group(&list, settings_of(s, ctx)->core.lib, group_by_nid(nids[i]))) {
            return 0;
        }
    }
    return store_groups(s, ctx, &list);
}

long groups_set_list(SSL *s, SSL_CTX *ctx, const char *text)
{
    const bool only_check = s == NULL && ctx == NULL;
    const struct crypto_lib *lib =
        only_check ? crypto_lib_default() : settings_of(s, ctx)->core.lib;
    struct group_list list = { .num = 0 };
    bool more = true;

    if (lib == NULL) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    if (text == NULL) {
        ERR_raise(ERR_LIB_CONF, CONF_R_LIST_CANNOT_BE_NULL);
        return 0;
    }
    while (more) {
        struct list_word word = list_next_word(&text, &more);

        const struct group *g =
            word.len == 0 || word.len > MAX_NAME ? NULL : group_by_name(word.at, word.len);
        if (!add_group(&list, lib, g)) {
            report_name(word, g);
            return 0;
        }
    }
    return only_check ? 1 : store_groups(s, ctx, &list);
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
    const struct group *g = group_by_id(id);

    if (g != NULL) {
        return g->nid;
    }
    return id == 0 ? NID_undef : TLSEXT_nid_unknown | id;
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
    const struct group *g = group_by_id(id);

    if (g == NULL || (s->conn.neg.version >= VERSION_TLS13 && !g->tls13)) {
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
    const struct group *g;

    if ((nid & TLSEXT_nid_unknown) != 0) {
        g = group_by_id((uint16_t)nid);
    } else {
        g = group_by_nid(nid);
    }
    return g == NULL || !group_is_available(s->ctx->lib, g) ? NULL : g->name;
}
