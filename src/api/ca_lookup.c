/*
 * The lookup for CA files; see ca_lookup.h.
 */
#include "api/ca_lookup.h"

#include "base/counters.h"
#include "crypto/cert.h"

#include <pthread.h>

#define MAX_SETS 4

/* One set behind a store. */
struct source {
    struct ca_set *set; /* counted */
    X509 **own;         /* owns, and what they point to: the store's own object for each place;
                           NULL: not in the store yet, or (the array) none is */
};

struct sources {
    pthread_mutex_t lock;
    struct source at[MAX_SETS];
    size_t num;
    bool asked; /* something was looked for */
};

static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;
static X509_LOOKUP_METHOD *method;

/* A copy for one store. The encoding is that of the original, as decoded: it's what libcrypto
 * itself calls the same certificate. */
static X509 *copy_of(X509 *shared)
{
    unsigned char *der = NULL;
    int len = i2d_X509(shared, &der);
    X509 *copy = len <= 0 ? NULL : cert_parse(crypto_lib_default(), der, (size_t)len);

    OPENSSL_free(der);
    if (copy != NULL) {
        counter_add(COUNTER_CA_COPIED);
    }
    return copy;
}

static bool reserve(struct source *source)
{
    if (source->own == NULL) {
        source->own = OPENSSL_zalloc(ca_set_len(source->set) * sizeof(source->own[0]));
    }
    return source->own != NULL;
}

/* Brings the certificate at a place into the store; is_ours: the set's own object may go there. */
static bool bring(X509_STORE *store, struct source *source, size_t place, bool is_ours)
{
    X509 *cert = ca_set_at(source->set, place);

    if (source->own[place] != NULL) {
        return true;
    }
    if (is_ours) {
        X509_up_ref(cert);
    } else {
        cert = copy_of(cert);
    }
    if (cert == NULL || X509_STORE_add_cert(store, cert) != 1) {
        X509_free(cert);
        return false;
    }
    source->own[place] = cert;
    return true;
}

static void release(struct source *source)
{
    for (size_t i = 0; source->own != NULL && i < ca_set_len(source->set); i++) {
        X509_free(source->own[i]);
    }
    OPENSSL_free(source->own);
    ca_set_free(source->set);
}

/* --- The lookup --- */

/* All that have the subject go into the store together, as those with the same name are looked for
 * there only; the first is the answer. NULL: none. */
static X509 *bring_subject(struct sources *sources, X509_STORE *store, const X509_NAME *subject)
{
    X509 *first = NULL;

    for (size_t i = 0; i < sources->num; i++) {
        struct source *source = &sources->at[i];
        const size_t *places;
        size_t num = ca_set_find(source->set, subject, &places);

        for (size_t j = 0; j < num; j++) {
            if (!reserve(source) || !bring(store, source, places[j], false)) {
                return first;
            }
            if (first == NULL) {
                first = source->own[places[j]];
            }
        }
    }
    return first;
}

/* What has come into the store since it was asked itself. */
static X509 *find_in_store(X509_STORE *store, const X509_NAME *subject)
{
    X509_OBJECT *object;
    X509 *cert = NULL;

    (void)X509_STORE_lock(store);
    object = X509_OBJECT_retrieve_by_subject(X509_STORE_get0_objects(store), X509_LU_X509, subject);
    if (object != NULL) {
        cert = X509_OBJECT_get0_X509(object); /* nothing is ever taken out of a store */
    }
    (void)X509_STORE_unlock(store);
    return cert;
}

static int find(X509_LOOKUP *lookup, X509_LOOKUP_TYPE type, const X509_NAME *subject,
                X509_OBJECT *found)
{
    struct sources *sources = X509_LOOKUP_get_method_data(lookup);
    int answer = 0;

    X509_STORE *store = X509_LOOKUP_get_store(lookup);
    X509 *cert;

    if (type != X509_LU_X509 || sources == NULL) {
        return 0;
    }
    (void)pthread_mutex_lock(&sources->lock);
    sources->asked = true;
    cert =
        sources->num > 0 ? bring_subject(sources, store, subject) : find_in_store(store, subject);
    if (cert != NULL) {
        /* Who asked counts the object up once more, and lets go of it once. */
        answer = X509_OBJECT_set1_X509(found, cert);
        X509_free(cert);
    }
    (void)pthread_mutex_unlock(&sources->lock);
    return answer;
}

static void free_sources(X509_LOOKUP *lookup)
{
    struct sources *sources = X509_LOOKUP_get_method_data(lookup);

    if (sources != NULL) {
        for (size_t i = 0; i < sources->num; i++) {
            release(&sources->at[i]);
        }
        (void)pthread_mutex_destroy(&sources->lock);
        OPENSSL_free(sources);
        (void)X509_LOOKUP_set_method_data(lookup, NULL);
    }
}

static void make_method(void)
{
    X509_LOOKUP_METHOD *fresh = X509_LOOKUP_meth_new("CA files in memory");

    if (fresh != NULL && X509_LOOKUP_meth_set_get_by_subject(fresh, find) == 1 &&
        X509_LOOKUP_meth_set_free(fresh, free_sources) == 1) {
        method = fresh;
    } else {
        X509_LOOKUP_meth_free(fresh);
    }
}

/* The sets behind a store, made when there are none; NULL: out of memory. */
static struct sources *sources_of(X509_STORE *store)
{
    X509_LOOKUP *lookup = NULL;

    if (CRYPTO_THREAD_run_once(&method_once, make_method) && method != NULL) {
        lookup = X509_STORE_add_lookup(store, method);
    }
    if (lookup == NULL) {
        return NULL;
    }
    struct sources *sources = X509_LOOKUP_get_method_data(lookup);
    if (sources == NULL) {
        sources = OPENSSL_zalloc(sizeof(*sources));
        if (sources != NULL && pthread_mutex_init(&sources->lock, NULL) != 0) {
            OPENSSL_free(sources);
            sources = NULL;
        }
        (void)X509_LOOKUP_set_method_data(lookup, sources);
    }
    return sources;
}

bool ca_lookup_add(X509_STORE *store, struct ca_set *set)
{
    struct sources *sources = sources_of(store);
    bool added = false;

    if (sources == NULL) {
        ca_set_free(set);
        return false;
    }
    (void)pthread_mutex_lock(&sources->lock);
    if (sources->num < MAX_SETS) {
        sources->at[sources->num] = (struct source){ .set = set };
        sources->num++;
        added = true;
    }
    (void)pthread_mutex_unlock(&sources->lock);
    if (!added) {
        ca_set_free(set);
    }
    return added;
}

/* Applications can list a store. Whoever looks for something there sorts it; what was added last
 * stands last before that. */
static void sort(X509_STORE *store)
{
    (void)X509_STORE_lock(store);
    sk_X509_OBJECT_sort(X509_STORE_get0_objects(store));
    (void)X509_STORE_unlock(store);
}

static bool fill_from(X509_STORE *store, struct source *source)
{
    bool ok = reserve(source);
    bool is_ours = ok && ca_set_take(source->set);

    for (size_t i = 0; ok && i < ca_set_len(source->set); i++) {
        ok = bring(store, source, i, is_ours);
    }
    return ok;
}

bool ca_lookup_fill(X509_STORE *store)
{
    struct sources *sources = sources_of(store);
    bool ok = sources != NULL;

    if (!ok) {
        return false;
    }
    (void)pthread_mutex_lock(&sources->lock);
    for (size_t i = 0; ok && i < sources->num; i++) {
        ok = fill_from(store, &sources->at[i]);
    }
    for (size_t i = 0; ok && i < sources->num; i++) {
        release(&sources->at[i]);
    }
    if (ok && sources->num > 0) {
        sources->num = 0;
        if (sources->asked) {
            sort(store);
        }
    }
    (void)pthread_mutex_unlock(&sources->lock);
    return ok;
}
