/*
 * The language of cipher lists (ciphers(1)): a list of suites in which every term adds, removes,
 * bans or moves those that match a mask. Terms are names of suites or the aliases of
 * cipher_alias.c.
 *
 * The list that is worked on holds every suite the library has. A suite that is not selected keeps
 * a place in it, which is how the default order shows in whatever a term adds.
 */
#include "api/cipher_string.h"

#include "api/cipher_alias.h"
#include <ctype.h>
#include <string.h>

/* More than the table has. */
#define MAX_SUITES 256

/* Strongest encryption of any suite. */
#define MAX_STRENGTH_BITS 256

struct entry {
    const SSL_CIPHER *suite;
    bool selected;
};

struct selection {
    struct entry entries[MAX_SUITES];
    size_t num;
    const SSL_CIPHER *known[MAX_SUITES]; /* whose names are words; what is banned stays known */
    size_t num_known;
};

enum action { ACTION_ADD, ACTION_REMOVE, ACTION_BAN, ACTION_TO_END, ACTION_TO_FRONT };

static bool entry_takes_part(const struct entry *entry, enum action action)
{
    switch (action) {
    case ACTION_ADD:
        return !entry->selected;
    case ACTION_REMOVE:
    case ACTION_TO_END:
    case ACTION_TO_FRONT:
        return entry->selected;
    case ACTION_BAN:
        return true;
    }
    return false;
}

/* Parts the list into entries that the term moves and those that stay, both in their order, and
 * puts the two together again as the action says. */
static void selection_apply(struct selection *list, const struct cipher_term *term,
                            enum action action)
{
    struct entry moved[MAX_SUITES];
    size_t num_moved = 0;
    size_t num_left = 0;

    for (size_t i = 0; i < list->num; i++) {
        struct entry *entry = &list->entries[i];

        if (entry_takes_part(entry, action) && cipher_term_matches(term, entry->suite)) {
            moved[num_moved] = *entry;
            moved[num_moved].selected = action != ACTION_REMOVE;
            num_moved++;
        } else {
            list->entries[num_left++] = *entry;
        }
    }
    if (action == ACTION_BAN) {
        list->num = num_left;
        return;
    }
    size_t at = num_left;
    if (action == ACTION_REMOVE || action == ACTION_TO_FRONT) {
        /* What is removed waits at the front, so that adding it again keeps its order. */
        memmove(list->entries + num_moved, list->entries, num_left * sizeof(struct entry));
        at = 0;
    }
    memcpy(list->entries + at, moved, num_moved * sizeof(struct entry));
}

/* @STRENGTH: the strongest first; the order among equals stays. */
static void selection_sort_by_strength(struct selection *list)
{
    for (int bits = MAX_STRENGTH_BITS; bits >= 0; bits--) {
        struct cipher_term term = { .strength_bits = bits, .by_strength = true };

        selection_apply(list, &term, ACTION_TO_END);
    }
}

/* The order that OpenSSL 3.0 gives its suites: (EC)DHE with AEAD, then (EC)DHE, then AEAD, then the
 * rest; within each TLS 1.2 before older, strong before weak, ECDHE before DHE, GCM before ChaCha20
 * before other AES before others, and plain RSA, PSK and the unauthenticated last. */
static void selection_order(struct selection *list)
{
    static const struct {
        struct cipher_term term;
        enum action action;
    } before_strength[] = {
        { { .kx = KX_ECDHE, .auth = AUTH_ECDSA }, ACTION_ADD },
        { { .kx = KX_ECDHE }, ACTION_ADD },
        { { .kx = KX_ECDHE }, ACTION_REMOVE },
        { { .enc = ENC_AES128GCM | ENC_AES256GCM }, ACTION_ADD },
        { { .enc = ENC_CHACHA20 }, ACTION_ADD },
        { { .enc = ENC_AES128 | ENC_AES256 | ENC_AES128CCM | ENC_AES256CCM | ENC_AES128CCM8 |
                   ENC_AES256CCM8 },
          ACTION_ADD },
        { { 0 }, ACTION_ADD },
        { { .mac = MAC_MD5 }, ACTION_TO_END },
        { { .auth = AUTH_NULL }, ACTION_TO_END },
        { { .kx = KX_RSA }, ACTION_TO_END },
        { { .kx = KX_PSK }, ACTION_TO_END },
    };
    static const struct cipher_term preferred[] = {
        { .min_version = TLS1_2_VERSION },
        { .mac = MAC_AEAD },
        { .kx = KX_DHE | KX_ECDHE },
        { .kx = KX_DHE | KX_ECDHE, .mac = MAC_AEAD },
    };
    static const struct cipher_term everything = { 0 };

    for (size_t i = 0; i < COUNT_OF(before_strength); i++) {
        selection_apply(list, &before_strength[i].term, before_strength[i].action);
    }
    selection_sort_by_strength(list);
    for (size_t i = 0; i < COUNT_OF(preferred); i++) {
        selection_apply(list, &preferred[i], ACTION_TO_FRONT);
    }
    selection_apply(list, &everything, ACTION_REMOVE);
}

static void selection_init(struct selection *list, const struct crypto_lib *lib)
{
    size_t num;
    const SSL_CIPHER *table = suite_table(&num);

    list->num = 0;
    for (size_t i = 0; i < num && list->num < MAX_SUITES; i++) {
        if (!table[i].tls13 && suite_is_available(lib, &table[i])) {
            list->known[list->num] = &table[i];
            list->entries[list->num++] = (struct entry){ .suite = &table[i] };
        }
    }
    list->num_known = list->num;
    selection_order(list);
}

static bool is_separator(char c)
{
    return c == ':' || c == ' ' || c == ';' || c == ',';
}

/* The length of the word at text. */
static size_t word_len(const char *text)
{
    size_t len = 0;

    while (isalnum((unsigned char)text[len]) ||
           (text[len] != '\0' && strchr("-.=", text[len]) != NULL)) {
        len++;
    }
    return len;
}

/* "@STRENGTH" and "@SECLEVEL=n". False: neither; an error was raised. */
static bool apply_command(struct selection *list, const char *word, size_t len,
                          struct cipher_string_effects *effects)
{
    static const char strength[] = "STRENGTH";
    static const char level[] = "SECLEVEL=";

    if (len == strlen(strength) && memcmp(word, strength, len) == 0) {
        selection_sort_by_strength(list);
        return true;
    }
    if (len == strlen(level) + 1 && memcmp(word, level, strlen(level)) == 0 &&
        word[len - 1] >= '0' && word[len - 1] <= '5') {
        effects->security_level = word[len - 1] - '0';
        return true;
    }
    raise_error(SSL_R_INVALID_COMMAND);
    return false;
}

enum term_result { TERM_OK, TERM_UNKNOWN, TERM_MALFORMED };

/* Reads a term, "ALIAS" or "ALIAS+ALIAS...", at *text, which is moved to the first byte that does
 * not belong to it or is not known. */
static enum term_result read_term(const struct selection *list, const char **text,
                                  struct cipher_term *term)
{
    *term = (struct cipher_term){ 0 };
    for (;;) {
        size_t len = word_len(*text);
        const char *word = *text;

        if (len == 0) {
            raise_error(SSL_R_INVALID_COMMAND);
            return TERM_MALFORMED;
        }
        *text += len;
        bool more = **text == '+';
        if (more) {
            (*text)++;
        }
        const SSL_CIPHER *suite = NULL;
        for (size_t i = 0; i < list->num_known && suite == NULL; i++) {
            if (cipher_has_name(list->known[i], word, len)) {
                suite = list->known[i];
            }
        }
        if (!(suite != NULL ? cipher_term_add_suite(term, suite)
                            : cipher_term_add_alias(term, word, len))) {
            return TERM_UNKNOWN;
        }
        if (!more) {
            return TERM_OK;
        }
    }
}

/* Applies text to the list. False: a syntax error; an error was raised. */
static bool selection_run(struct selection *list, const char *text,
                          struct cipher_string_effects *effects)
{
    bool ok = true;

    while (*text != '\0') {
        enum action action = ACTION_ADD;
        bool is_command = false;
        struct cipher_term term;

        switch (*text) {
        case '-':
            action = ACTION_REMOVE;
            text++;
            break;
        case '+':
            action = ACTION_TO_END;
            text++;
            break;
        case '!':
            action = ACTION_BAN;
            text++;
            break;
        case '@':
            is_command = true;
            text++;
            break;
        default:
            break;
        }
        /* After a sign a separator is an error; without, it stands between terms. */
        if (action == ACTION_ADD && !is_command && is_separator(*text)) {
            text++;
            continue;
        }
        enum term_result result = TERM_UNKNOWN;
        if (is_command) {
            size_t len = word_len(text);

            if (len == 0) {
                raise_error(SSL_R_INVALID_COMMAND);
                return false;
            }
            ok = apply_command(list, text, len, effects) && ok;
            text += len;
        } else {
            result = read_term(list, &text, &term);
        }
        if (result == TERM_MALFORMED) {
            return false;
        }
        if (result == TERM_OK) {
            selection_apply(list, &term, action);
            continue;
        }
        while (*text != '\0' && !is_separator(*text)) {
            text++;
        }
    }
    return ok;
}

/* SUITEB128 and its kin at the beginning stand for a list of their own and set flags that stay in
 * force for later lists. *text is replaced by that list. */
static void replace_suite_b(const char **text, struct cipher_string_effects *effects)
{
    static const char both[] = "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384";
    static const char weaker[] = "ECDHE-ECDSA-AES128-GCM-SHA256";
    static const char stronger[] = "ECDHE-ECDSA-AES256-GCM-SHA384";
    static const struct {
        const char *word;
        uint32_t flag;
        const char *list;
    } words[] = { { "SUITEB128ONLY", SSL_CERT_FLAG_SUITEB_128_LOS_ONLY, weaker },
                  { "SUITEB128C2", SSL_CERT_FLAG_SUITEB_128_LOS, stronger },
                  { "SUITEB128", SSL_CERT_FLAG_SUITEB_128_LOS, both },
                  { "SUITEB192", SSL_CERT_FLAG_SUITEB_192_LOS, stronger } };

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strncmp(*text, words[i].word, strlen(words[i].word)) == 0) {
            effects->cert_flags &= ~(uint32_t)SSL_CERT_FLAG_SUITEB_128_LOS;
            effects->cert_flags |= words[i].flag;
            *text = words[i].list;
            return;
        }
    }
    switch (effects->cert_flags & SSL_CERT_FLAG_SUITEB_128_LOS) {
    case SSL_CERT_FLAG_SUITEB_128_LOS:
        *text = both;
        break;
    case SSL_CERT_FLAG_SUITEB_128_LOS_ONLY:
        *text = weaker;
        break;
    case SSL_CERT_FLAG_SUITEB_192_LOS:
        *text = stronger;
        break;
    default:
        break;
    }
}

static STACK_OF(SSL_CIPHER) *selection_result(const struct selection *list)
{
    STACK_OF(SSL_CIPHER) *result = sk_SSL_CIPHER_new_null();

    for (size_t i = 0; result != NULL && i < list->num; i++) {
        if (list->entries[i].selected && sk_SSL_CIPHER_push(result, list->entries[i].suite) <= 0) {
            sk_SSL_CIPHER_free(result);
            result = NULL;
        }
    }
    return result;
}

STACK_OF(SSL_CIPHER) *cipher_string_select(const struct crypto_lib *lib, const char *text,
                                           struct cipher_string_effects *effects)
{
    static const char default_word[] = "DEFAULT";
    struct selection list;

    replace_suite_b(&text, effects);
    selection_init(&list, lib);
    if (strncmp(text, default_word, strlen(default_word)) == 0) {
        if (!selection_run(&list, OSSL_default_cipher_list(), effects)) {
            return NULL;
        }
        text += strlen(default_word);
    }
    return selection_run(&list, text, effects) ? selection_result(&list) : NULL;
}
