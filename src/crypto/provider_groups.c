/*
 * Finding the groups of providers (provider-base(7), TLS-GROUP), as OpenSSL does for each SSL_CTX:
 * a group counts when the property query leads to its own provider's key management, and one entry
 * that makes no sense spoils them all.
 */
#include "crypto/provider_groups.h"

#include "crypto/lib_internal.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/params.h>
#include <openssl/prov_ssl.h>
#include <openssl/provider.h>
#include <openssl/sslerr.h>
#include <stdatomic.h>
#include <string.h>

/* Groups are named in the fields of connections that outlive contexts and their providers. They are
 * few and small: each is made once and stays, as the rows of the table do. */
struct kept_group {
    struct group group;
    struct kept_group *next;
    char names[]; /* name, parameter and algorithm, each terminated */
};

struct search {
    struct provider_groups *found;
    OSSL_LIB_CTX *libctx;
    const char *propq;
    const OSSL_PROVIDER *provider;
    bool ask_default;
};

static bool is_same(const struct group *a, const struct group *b)
{
    return a->id == b->id && a->kind == b->kind && a->security_bits == b->security_bits &&
           a->min_version == b->min_version && a->max_version == b->max_version &&
           strcmp(a->name, b->name) == 0 && strcmp(a->parameter, b->parameter) == 0 &&
           strcmp(a->algorithm, b->algorithm) == 0;
}

static struct kept_group *kept_group_new(const struct group *g)
{
    size_t name_size = strlen(g->name) + 1;
    size_t parameter_size = strlen(g->parameter) + 1;
    size_t algorithm_size = strlen(g->algorithm) + 1;
    struct kept_group *kept =
        OPENSSL_malloc(sizeof(*kept) + name_size + parameter_size + algorithm_size);

    if (kept != NULL) {
        char *parameter = kept->names + name_size;
        char *algorithm = parameter + parameter_size;
        kept->group = *g;
        kept->group.name = memcpy(kept->names, g->name, name_size);
        kept->group.parameter = memcpy(parameter, g->parameter, parameter_size);
        kept->group.algorithm = memcpy(algorithm, g->algorithm, algorithm_size);
    }
    return kept;
}

/* The group with these values that the process keeps; NULL: out of memory. */
static const struct group *keep_group(const struct group *g)
{
    static struct kept_group *_Atomic all;
    struct kept_group *first = atomic_load_explicit(&all, memory_order_acquire);
    struct kept_group *added = NULL;

    do {
        for (struct kept_group *kept = first; kept != NULL; kept = kept->next) {
            if (is_same(&kept->group, g)) {
                OPENSSL_free(added);
                return &kept->group;
            }
        }
        if (added == NULL) {
            added = kept_group_new(g);
        }
        if (added == NULL) {
            return NULL;
        }
        added->next = first;
    } while (!atomic_compare_exchange_weak_explicit(&all, &first, added, memory_order_acq_rel,
                                                    memory_order_acquire));
    return &added->group;
}

/* A pointer more at the end of an array of num. NULL: out of memory, and the array is as it was. */
static void *array_with_one_more(void *array, size_t num, const void *pointer)
{
    const void **grown = OPENSSL_realloc(array, (num + 1) * sizeof(*grown));

    if (grown != NULL) {
        grown[num] = pointer;
    }
    return grown;
}

static bool add_group(struct provider_groups *found, const struct group *g)
{
    const struct group *kept = keep_group(g);
    void *grown =
        kept == NULL ? NULL : array_with_one_more(found->provided, found->num_provided, kept);

    if (grown == NULL) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return false;
    }
    found->provided = grown;
    found->num_provided++;
    return true;
}

/* A copy of a text; NULL: it is not there, or no text, or memory is out. The caller frees it. */
static char *copy_text(const OSSL_PARAM params[], const char *key)
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, key);

    return p == NULL || p->data_type != OSSL_PARAM_UTF8_STRING || p->data == NULL
               ? NULL
               : OPENSSL_strndup(p->data, p->data_size);
}

static bool read_uint(const OSSL_PARAM params[], const char *key, unsigned int *value)
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, key);

    return p != NULL && OSSL_PARAM_get_uint(p, value) == 1;
}

static bool read_int(const OSSL_PARAM params[], const char *key, int *value)
{
    const OSSL_PARAM *p = OSSL_PARAM_locate_const(params, key);

    return p != NULL && OSSL_PARAM_get_int(p, value) == 1;
}

static bool read_numbers(const OSSL_PARAM params[], struct group *g)
{
    unsigned int id;
    unsigned int security_bits;
    unsigned int is_kem = 0;
    int dtls;

    if (!read_uint(params, OSSL_CAPABILITY_TLS_GROUP_ID, &id) || id > UINT16_MAX ||
        !read_uint(params, OSSL_CAPABILITY_TLS_GROUP_SECURITY_BITS, &security_bits) ||
        (OSSL_PARAM_locate_const(params, OSSL_CAPABILITY_TLS_GROUP_IS_KEM) != NULL &&
         (!read_uint(params, OSSL_CAPABILITY_TLS_GROUP_IS_KEM, &is_kem) || is_kem > 1)) ||
        !read_int(params, OSSL_CAPABILITY_TLS_GROUP_MIN_TLS, &g->min_version) ||
        !read_int(params, OSSL_CAPABILITY_TLS_GROUP_MAX_TLS, &g->max_version) ||
        !read_int(params, OSSL_CAPABILITY_TLS_GROUP_MIN_DTLS, &dtls) ||
        !read_int(params, OSSL_CAPABILITY_TLS_GROUP_MAX_DTLS, &dtls)) {
        return false;
    }
    g->id = (uint16_t)id;
    g->kind = is_kem == 1 ? GROUP_PROVIDED_KEM : GROUP_PROVIDED;
    g->security_bits = (int)security_bits; /* as OpenSSL hands it to the security callback */
    g->nid = group_nid(g->id);
    if (g->kind == GROUP_PROVIDED_KEM && g->min_version >= 0 && g->min_version < TLS1_3_VERSION) {
        g->min_version = TLS1_3_VERSION; /* ECDHE is an exchange of keys */
    }
    return true;
}

/* True when the property query leads to the provider that is being asked. */
static bool is_fetched_from(const struct search *search, const char *algorithm)
{
    ERR_set_mark();
    EVP_KEYMGMT *keymgmt = EVP_KEYMGMT_fetch(search->libctx, algorithm, search->propq);
    ERR_pop_to_mark();
    bool is_own = keymgmt != NULL && EVP_KEYMGMT_get0_provider(keymgmt) == search->provider;
    EVP_KEYMGMT_free(keymgmt);
    return is_own;
}

static bool note_group(struct search *search, const struct group *g)
{
    size_t num;
    const struct group *table = group_table(&num);

    /* Nothing can be said with the code point 0. */
    if (g->id == 0 || !is_fetched_from(search, g->algorithm)) {
        return true;
    }
    for (size_t i = 0; i < num; i++) {
        if (table[i].id == g->id && strcmp(table[i].algorithm, g->algorithm) == 0 &&
            g->kind == GROUP_PROVIDED) {
            search->found->known |= UINT64_C(1) << i;
            return true;
        }
    }
    return add_group(search->found, g);
}

/* One group of a provider: an OSSL_CALLBACK. */
static int read_group(const OSSL_PARAM params[], void *arg)
{
    struct group g = { .public_len = 0 };
    char *name = copy_text(params, OSSL_CAPABILITY_TLS_GROUP_NAME);
    char *parameter = copy_text(params, OSSL_CAPABILITY_TLS_GROUP_NAME_INTERNAL);
    char *algorithm = copy_text(params, OSSL_CAPABILITY_TLS_GROUP_ALG);
    bool ok = name != NULL && parameter != NULL && algorithm != NULL && read_numbers(params, &g);

    if (ok) {
        g.name = name;
        g.parameter = parameter;
        g.algorithm = algorithm;
        ok = note_group(arg, &g);
    } else {
        ERR_raise(ERR_LIB_SSL, ERR_R_PASSED_INVALID_ARGUMENT);
    }
    OPENSSL_free(name);
    OPENSSL_free(parameter);
    OPENSSL_free(algorithm);
    return ok;
}

static int ask_provider(OSSL_PROVIDER *provider, void *arg)
{
    struct search *search = arg;
    struct provider_groups *found = search->found;
    void *grown = array_with_one_more(found->providers, found->num_providers, provider);

    if (grown == NULL) {
        ERR_raise(ERR_LIB_SSL, ERR_R_MALLOC_FAILURE);
        return 0;
    }
    found->providers = grown;
    found->num_providers++;
    if (!search->ask_default && provider_is_builtin(provider)) {
        return 1;
    }
    search->provider = provider;
    return OSSL_PROVIDER_get_capabilities(provider, "TLS-GROUP", read_group, search);
}

bool provider_groups_find(struct provider_groups *found, OSSL_LIB_CTX *libctx, const char *propq,
                          bool ask_default)
{
    struct search search = { found, libctx, propq, NULL, ask_default };

    return OSSL_PROVIDER_do_all(libctx, ask_provider, &search) == 1;
}

bool provider_groups_equal(const struct provider_groups *a, const struct provider_groups *b)
{
    return a->num_providers == b->num_providers && a->num_provided == b->num_provided &&
           (a->num_providers == 0 ||
            memcmp(a->providers, b->providers, a->num_providers * sizeof(a->providers[0])) == 0) &&
           (a->num_provided == 0 ||
            memcmp(a->provided, b->provided, a->num_provided * sizeof(a->provided[0])) == 0);
}

void provider_groups_free(struct provider_groups *found)
{
    OPENSSL_free(found->provided);
    OPENSSL_free(found->providers);
}
