/*
 * Which cipher suites contexts and connections use: setting the lists and reading them back. The
 * language of the older list is in cipher_string.c, what a single suite is in cipher_info.c.
 */
#include "api/ciphers.h"

#include "api/cipher_string.h"
#include "api/lists.h"
#include "api/versions.h"
#include <ctype.h>
#include <string.h>

/* Longest name in a list of TLS 1.3 suites; longer words are unknown. */
#define MAX_SUITE_NAME 79

const char *OSSL_default_cipher_list(void)
{
    return "ALL:!COMPLEMENTOFDEFAULT:!eNULL";
}

const char *OSSL_default_ciphersuites(void)
{
    return "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
}

/* --- Keeping the two forms of a list in step --- */

/* The code points of those suites in list that are TLS 1.3's, or that are not. NULL: out of
 * memory. */
static struct blob *code_points(const STACK_OF(SSL_CIPHER) *list, bool tls13)
{
    size_t num = 0;

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        num += sk_SSL_CIPHER_value(list, i)->tls13 == tls13;
    }
    struct blob *result = blob_new(NULL, num * sizeof(uint16_t));
    if (result == NULL) {
        return NULL;
    }
    size_t at = 0;
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(list, i);

        if (suite->tls13 == tls13) {
            uint16_t id = suite_id(suite);

            memcpy(result->bytes + at, &id, sizeof(id));
            at += sizeof(id);
        }
    }
    return result;
}

/* Makes list, which is taken over, the one config uses. False: out of memory, nothing changed. */
static bool config_take_list(struct ssl_config *config, STACK_OF(SSL_CIPHER) *list)
{
    struct blob *suites13 = code_points(list, true);
    struct blob *suites = code_points(list, false);

    if (suites13 == NULL || suites == NULL) {
        blob_free(suites13);
        blob_free(suites);
        sk_SSL_CIPHER_free(list);
        return false;
    }
    sk_SSL_CIPHER_free(config->ciphers);
    config->ciphers = list;
    blob_set(&config->core.suites13, suites13);
    blob_set(&config->core.suites, suites);
    return true;
}

/* A new list: the available suites of first, then those of rest from index from on. NULL: out of
 * memory. */
static STACK_OF(SSL_CIPHER) *join_lists(const struct crypto_lib *lib,
                                        const STACK_OF(SSL_CIPHER) *first,
                                        const STACK_OF(SSL_CIPHER) *rest, int from)
{
    STACK_OF(SSL_CIPHER) *list = sk_SSL_CIPHER_new_null();
    bool ok = list != NULL;

    for (int i = 0; ok && i < sk_SSL_CIPHER_num(first); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(first, i);

        ok = !suite_is_available(lib, suite) || sk_SSL_CIPHER_push(list, suite) > 0;
    }
    for (int i = from; ok && i < sk_SSL_CIPHER_num(rest); i++) {
        ok = sk_SSL_CIPHER_push(list, sk_SSL_CIPHER_value(rest, i)) > 0;
    }
    if (!ok) {
        sk_SSL_CIPHER_free(list);
        return NULL;
    }
    return list;
}

/* --- Setting --- */

enum list_result { LIST_OK, LIST_EMPTY, LIST_FAILED };

/* Evaluates text and makes the result config's list, behind its TLS 1.3 suites. LIST_EMPTY: nothing
 * before TLS 1.3 is in it (it is set all the same). LIST_FAILED: an error was raised. */
static enum list_result config_set_list(struct ssl_config *config, const char *text)
{
    struct cipher_string_effects effects = { .security_level = config->security_level,
                                             .cert_flags = config->cert_flags };
    STACK_OF(SSL_CIPHER) *selected = cipher_string_select(config->core.lib, text, &effects);
    enum list_result result = LIST_FAILED;

    config->security_level = effects.security_level;
    config_set_cert_flags(config, effects.cert_flags);
    if (selected == NULL) {
        return LIST_FAILED;
    }
    if ((config->cert_flags & SSL_CERT_FLAG_SUITEB_128_LOS) != 0 &&
        config->core.only_version != 0 && config->core.only_version < TLS1_2_VERSION) {
        raise_error(SSL_R_AT_LEAST_TLS_1_2_NEEDED_IN_SUITEB_MODE);
        goto out;
    }
    STACK_OF(SSL_CIPHER) *list = join_lists(config->core.lib, config->ciphers13, selected, 0);
    if (list == NULL || !config_take_list(config, list)) {
        raise_error(ERR_R_MALLOC_FAILURE);
        goto out;
    }
    result = sk_SSL_CIPHER_num(selected) == 0 ? LIST_EMPTY : LIST_OK;
out:
    sk_SSL_CIPHER_free(selected);
    return result;
}

/* Reads names of TLS 1.3 suites between colons; unknown ones are skipped. NULL: none is known,
 * although text is not empty, or out of memory; an error was raised. */
static STACK_OF(SSL_CIPHER) *read_suites(const char *text)
{
    STACK_OF(SSL_CIPHER) *list = sk_SSL_CIPHER_new_null();
    const char *at = text;

    while (list != NULL && *at != '\0') {
        size_t word_len = strcspn(at, ":");
        const char *word = at;

        at += word_len + (at[word_len] == ':');
        while (word_len > 0 && isspace((unsigned char)*word)) {
            word++;
            word_len--;
        }
        while (word_len > 0 && isspace((unsigned char)word[word_len - 1])) {
            word_len--;
        }
        const SSL_CIPHER *suite = word_len <= MAX_SUITE_NAME ? suite_by_name(word, word_len) : NULL;
        bool is_standard = suite != NULL && suite->standard != NULL &&
                           strlen(suite->standard) == word_len &&
                           memcmp(suite->standard, word, word_len) == 0;
        if (is_standard && sk_SSL_CIPHER_push(list, suite) <= 0) {
            sk_SSL_CIPHER_free(list);
            list = NULL;
        }
    }
    if (list == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    } else if (*text != '\0' && sk_SSL_CIPHER_num(list) == 0) {
        raise_error(SSL_R_NO_CIPHER_MATCH);
        sk_SSL_CIPHER_free(list);
        list = NULL;
    }
    return list;
}

/* Replaces the TLS 1.3 suites at the head of config's list. */
static bool config_set_suites13(struct ssl_config *config, const char *text)
{
    STACK_OF(SSL_CIPHER) *suites13 = read_suites(text);

    if (suites13 == NULL) {
        return false;
    }
    int from = 0;
    while (from < sk_SSL_CIPHER_num(config->ciphers) &&
           sk_SSL_CIPHER_value(config->ciphers, from)->tls13) {
        from++;
    }
    STACK_OF(SSL_CIPHER) *list = join_lists(config->core.lib, suites13, config->ciphers, from);
    if (list == NULL || !config_take_list(config, list)) {
        raise_error(ERR_R_MALLOC_FAILURE);
        sk_SSL_CIPHER_free(suites13);
        return false;
    }
    sk_SSL_CIPHER_free(config->ciphers13);
    config->ciphers13 = suites13;
    return true;
}

bool ciphers_set_defaults(struct ssl_config *config)
{
    return config_set_suites13(config, OSSL_default_ciphersuites()) &&
           config_set_list(config, OSSL_default_cipher_list()) == LIST_OK;
}

static int finish_list(enum list_result result)
{
    if (result == LIST_EMPTY) {
        raise_error(SSL_R_NO_CIPHER_MATCH);
    }
    return result == LIST_OK;
}

int SSL_CTX_set_cipher_list(SSL_CTX *ctx, const char *text)
{
    struct ssl_config *config = ctx_edit(ctx);

    return config == NULL ? 0 : finish_list(config_set_list(config, text));
}

int SSL_set_cipher_list(SSL *s, const char *text)
{
    struct ssl_config *config = ssl_edit(s);

    if (config == NULL) {
        return 0;
    }
    enum list_result result = config_set_list(config, text);
    config->own_ciphers = config->own_ciphers || result != LIST_FAILED;
    return finish_list(result);
}

int SSL_CTX_set_ciphersuites(SSL_CTX *ctx, const char *text)
{
    struct ssl_config *config = ctx_edit(ctx);

    return config != NULL && config_set_suites13(config, text);
}

int SSL_set_ciphersuites(SSL *s, const char *text)
{
    /* The suites before TLS 1.3 stay those in force. */
    struct ssl_config *config = ssl_follow_ctx(s) ? ssl_edit(s) : NULL;

    if (config == NULL || !config_set_suites13(config, text)) {
        return 0;
    }
    config->own_ciphers = true;
    return 1;
}

/* --- Sharing --- */

bool ciphers_are_shared(const struct ssl_config *config, const struct ssl_config *other)
{
    return config->core.suites == other->core.suites &&
           config->core.suites13 == other->core.suites13;
}

bool ciphers_share(struct ssl_config *config, const struct ssl_config *other)
{
    if (ciphers_are_shared(config, other)) {
        return true;
    }
    STACK_OF(SSL_CIPHER) *list = sk_SSL_CIPHER_dup(other->ciphers);
    if (list == NULL) {
        return false;
    }
    sk_SSL_CIPHER_free(config->ciphers);
    config->ciphers = list;
    blob_set(&config->core.suites, blob_ref(other->core.suites));
    blob_set(&config->core.suites13, blob_ref(other->core.suites13));
    return true;
}

/* --- Reading --- */

STACK_OF(SSL_CIPHER) *SSL_CTX_get_ciphers(const SSL_CTX *ctx)
{
    return ctx == NULL ? NULL : ctx->config->ciphers;
}

STACK_OF(SSL_CIPHER) *SSL_get_ciphers(const SSL *s)
{
    SSL *follower = (SSL *)(uintptr_t)s; /* what it says of its context may become its own */

    return s != NULL && ssl_follow_ctx(follower) ? s->config->ciphers : NULL;
}

const char *SSL_get_cipher_list(const SSL *s, int n)
{
    const STACK_OF(SSL_CIPHER) *list = SSL_get_ciphers(s);
    const SSL_CIPHER *suite = n < 0 ? NULL : sk_SSL_CIPHER_value(list, n);

    return suite == NULL ? NULL : suite->name;
}

/* Kinds of authentication for which the settings leave no signature algorithm. */
static uint32_t auth_without_sigalg(const SSL *s)
{
    static const struct {
        enum suite_auth auth;
        enum key_slot slots[4];
        size_t num_slots;
    } kinds[] = { { AUTH_RSA, { KEY_RSA, KEY_RSA_PSS }, 2 },
                  { AUTH_DSS, { KEY_DSA }, 1 },
                  { AUTH_ECDSA, { KEY_ECDSA, KEY_ED25519, KEY_ED448 }, 3 } };
    uint32_t missing = AUTH_RSA | AUTH_DSS | AUTH_ECDSA;
    const struct blob *sigalgs = config_sigalgs(s->conn.config);

    for (size_t i = 0; i < u16_list_len(sigalgs); i++) {
        const struct sig_scheme *scheme = sig_scheme_by_id(u16_list_at(sigalgs, i));

        if (scheme == NULL || !sigalg_is_allowed(s, SSL_SECOP_SIGALG_MASK, scheme)) {
            continue;
        }
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            for (size_t n = 0; n < kinds[k].num_slots; n++) {
                if (kinds[k].slots[n] == scheme->slot) {
                    missing &= ~(uint32_t)kinds[k].auth;
                }
            }
        }
    }
    return missing;
}

/* A client learns the version together with the suite, a server chooses it first. */
static bool version_is_agreed(const SSL *s)
{
    return s->conn.neg.suite != NULL ||
           (s->conn.role == ROLE_SERVER && s->conn.neg.client_version != 0);
}

STACK_OF(SSL_CIPHER) *SSL_get1_supported_ciphers(SSL *s)
{
    const STACK_OF(SSL_CIPHER) *list = SSL_get_ciphers(s);
    uint16_t min;
    uint16_t max;

    if (list == NULL || !ssl_version_range(s, &min, &max)) {
        return NULL;
    }
    if (version_is_agreed(s)) {
        min = s->conn.neg.version;
        max = min;
    }
    uint32_t without_auth = auth_without_sigalg(s) | AUTH_SRP;
    uint32_t without_kx = KX_SRP;
    if (s->config->psk_client_callback == NULL) {
        without_auth |= AUTH_PSK;
        without_kx |= KX_ALL_PSK;
    }
    STACK_OF(SSL_CIPHER) *result = NULL;
    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(list, i);

        if ((suite->kx & without_kx) != 0 || (suite->auth & without_auth) != 0 ||
            suite->min_version > max || suite->max_version < min ||
            !suite_is_allowed(s, SSL_SECOP_CIPHER_SUPPORTED, suite)) {
            continue;
        }
        if ((result == NULL && (result = sk_SSL_CIPHER_new_null()) == NULL) ||
            sk_SSL_CIPHER_push(result, suite) <= 0) {
            sk_SSL_CIPHER_free(result);
            return NULL;
        }
    }
    return result;
}
