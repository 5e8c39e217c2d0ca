/*
 * The cache of CA files; see ca_files.h. State of the process, under a flag instead of a lock:
 * whoever finds it taken does without the cache, so nobody waits, not even behind a fork.
 */
#include "api/ca_files.h"

#include "base/counters.h"
#include "crypto/cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* What tells one version of a file from another. */
struct file_version {
    dev_t device;
    ino_t inode;
    off_t size;
    struct timespec modified;
    struct timespec changed;
};

struct ca_set {
    _Atomic uint32_t refs;
    size_t num;
    X509 **certs;   /* owns, and what they point to */
    size_t *sorted; /* owns: places in certs by subject */
};

static struct {
    char *path; /* owns; NULL: free */
    struct file_version version;
    struct ca_set *set; /* counted; NULL: what the file has is not for a set */
    uint64_t used;      /* value of now at its last use */
} kept[CA_FILES_KEPT];

static uint64_t now;
static _Atomic bool is_on;
static atomic_flag busy = ATOMIC_FLAG_INIT;

static bool enter(void)
{
    return !atomic_flag_test_and_set_explicit(&busy, memory_order_acquire);
}

static void leave(void)
{
    atomic_flag_clear_explicit(&busy, memory_order_release);
}

void ca_files_turn(bool on)
{
    atomic_store_explicit(&is_on, on, memory_order_relaxed);
}

/* --- Sets --- */

void ca_set_free(struct ca_set *set)
{
    if (set == NULL || atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < set->num; i++) {
        X509_free(set->certs[i]);
    }
    OPENSSL_free(set->certs);
    OPENSSL_free(set->sorted);
    OPENSSL_free(set);
}

size_t ca_set_len(const struct ca_set *set)
{
    return set->num;
}

X509 *ca_set_at(const struct ca_set *set, size_t i)
{
    return set->certs[i];
}

static int compare_subject(const struct ca_set *set, size_t place, const X509_NAME *subject)
{
    return X509_NAME_cmp(X509_get_subject_name(set->certs[set->sorted[place]]), subject);
}

size_t ca_set_find(const struct ca_set *set, const X509_NAME *subject, const size_t **places)
{
    size_t low = 0;
    size_t high = set->num;
    size_t found = 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_subject(set, middle, subject) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    *places = set->sorted + low;
    while (low + found < set->num && compare_subject(set, low + found, subject) == 0) {
        found++;
    }
    return found;
}

static int by_subject(const void *a, const void *b, void *arg)
{
    const struct ca_set *set = arg;
    size_t left = *(const size_t *)a;
    size_t right = *(const size_t *)b;
    int order = X509_NAME_cmp(X509_get_subject_name(set->certs[left]),
                              X509_get_subject_name(set->certs[right]));

    return order != 0 ? order : (left > right) - (left < right);
}

/* A set of what is in store; NULL: out of memory. */
static struct ca_set *set_of_store(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    size_t num = (size_t)sk_X509_OBJECT_num(objects);
    struct ca_set *set = OPENSSL_zalloc(sizeof(*set));

    if (set == NULL) {
        return NULL;
    }
    atomic_init(&set->refs, 1);
    set->certs = OPENSSL_malloc(num * sizeof(set->certs[0]));
    set->sorted = OPENSSL_malloc(num * sizeof(set->sorted[0]));
    if (set->certs == NULL || set->sorted == NULL) {
        ca_set_free(set);
        return NULL;
    }
    for (size_t i = 0; i < num; i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, (int)i));
        X509_up_ref(cert);
        set->certs[i] = cert;
        set->sorted[i] = i;
    }
    set->num = num;
    qsort_r(set->sorted, num, sizeof(set->sorted[0]), by_subject, set);
    return set;
}

/* --- Files --- */

static bool same_time(struct timespec a, struct timespec b)
{
    return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_version(const struct file_version *a, const struct file_version *b)
{
    return a->device == b->device && a->inode == b->inode && a->size == b->size &&
           same_time(a->modified, b->modified) && same_time(a->changed, b->changed);
}

/* False: not a file to be kept. */
static bool version_of(const char *path, struct file_version *version)
{
    struct timespec clock;
    struct stat info;

    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode) || info.st_size > CA_FILE_MAX_LEN ||
        clock_gettime(CLOCK_REALTIME, &clock) != 0 ||
        info.st_mtim.tv_sec > clock.tv_sec - CA_FILE_MIN_AGE ||
        info.st_ctim.tv_sec > clock.tv_sec - CA_FILE_MIN_AGE) {
        return false;
    }
    *version =
        (struct file_version){ info.st_dev, info.st_ino, info.st_size, info.st_mtim, info.st_ctim };
    return true;
}

static struct ca_set *ref(struct ca_set *set)
{
    if (set != NULL) {
        (void)atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    }
    return set;
}

/* True when the file is known; *set is counted, NULL: what it has is not for a set. */
static bool find(const char *path, const struct file_version *version, struct ca_set **set)
{
    bool found = false;

    if (!enter()) {
        return false;
    }
    for (size_t i = 0; i < CA_FILES_KEPT && !found; i++) {
        if (kept[i].path != NULL && strcmp(kept[i].path, path) == 0 &&
            same_version(&kept[i].version, version)) {
            found = true;
            *set = ref(kept[i].set);
            kept[i].used = ++now;
        }
    }
    leave();
    return found;
}

static void drop(size_t i)
{
    OPENSSL_free(kept[i].path);
    kept[i].path = NULL;
    ca_set_free(kept[i].set);
}

/* The place for a file: that of an older version, else a free one, else that of the file which was
 * not used for longest. */
static size_t place_for(const char *path)
{
    size_t best = 0;

    for (size_t i = 0; i < CA_FILES_KEPT; i++) {
        if (kept[i].path != NULL && strcmp(kept[i].path, path) == 0) {
            return i;
        }
        if (kept[best].path != NULL && (kept[i].path == NULL || kept[i].used < kept[best].used)) {
            best = i;
        }
    }
    return best;
}

static void keep(const char *path, const struct file_version *version, struct ca_set *set)
{
    char *copy = OPENSSL_strdup(path);

    if (copy == NULL || !enter()) {
        OPENSSL_free(copy);
        return;
    }
    size_t i = place_for(path);
    if (kept[i].path != NULL) {
        counter_add(COUNTER_CA_FILE_EVICTED);
        drop(i);
    }
    kept[i].path = copy;
    kept[i].version = *version;
    kept[i].set = ref(set);
    kept[i].used = ++now;
    leave();
}

bool ca_set_take(struct ca_set *set)
{
    bool taken = false;

    /* References are taken from the cache alone, so that the last but one stays the last but one.
     */
    if (!enter()) {
        return false;
    }
    for (size_t i = 0; i < CA_FILES_KEPT; i++) {
        if (kept[i].path != NULL && kept[i].set == set &&
            atomic_load_explicit(&set->refs, memory_order_acquire) == 2) {
            drop(i);
            taken = true;
        }
    }
    leave();
    return taken;
}

/* Revocation lists and trust settings ("TRUSTED CERTIFICATE") are not for sets. */
static bool is_plain(X509_STORE *store)
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(store);
    int len;

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *cert = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        if (cert == NULL || X509_get0_trust_objects(cert) != NULL ||
            X509_get0_reject_objects(cert) != NULL || X509_alias_get0(cert, &len) != NULL ||
            X509_keyid_get0(cert, &len) != NULL) {
            return false;
        }
    }
    return true;
}

/* Reads the next PEM block into store. True when it is a certificate without a header. */
static bool read_certificate(const struct crypto_lib *lib, BIO *in, X509_STORE *store)
{
    char *name = NULL;
    char *header = NULL;
    unsigned char *der = NULL;
    long len = 0;
    X509 *cert = NULL;

    if (PEM_read_bio(in, &name, &header, &der, &len) == 1 && strcmp(name, PEM_STRING_X509) == 0 &&
        header[0] == '\0') {
        cert = cert_parse(lib, der, (size_t)len);
    }
    bool ok = cert != NULL && X509_STORE_add_cert(store, cert) == 1;

    X509_free(cert);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(der);
    return ok;
}

/* Reads a file of nothing but certificates by cert_parse(), which decodes them in a fifth of the
 * time that X509_STORE_load_file() takes. NULL: that has to do it, and to say what is wrong; the
 * error queue is as it was. */
static X509_STORE *read_certificates(const struct crypto_lib *lib, const char *path)
{
    X509_STORE *store = X509_STORE_new();
    size_t num = 0;

    ERR_set_mark();
    BIO *in = BIO_new_file(path, "r");

    while (store != NULL && in != NULL && read_certificate(lib, in, store)) {
        num++;
    }
    /* What ends a file is that no further block begins. */
    unsigned long last = ERR_peek_last_error();
    bool at_end =
        num > 0 && ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;

    ERR_pop_to_mark();
    BIO_free(in);
    if (!at_end) {
        X509_STORE_free(store);
        return NULL;
    }
    return store;
}

static enum ca_file read_file(const struct crypto_lib *lib, const char *path, struct ca_set **set)
{
    X509_STORE *store = read_certificates(lib, path);
    enum ca_file result = CA_FILE_FAILED;
    bool ok = store != NULL;

    if (!ok) {
        store = X509_STORE_new();
        ok = store != NULL && X509_STORE_load_file(store, path) == 1;
    }
    if (ok) {
        if (is_plain(store)) {
            *set = set_of_store(store);
        }
        result = *set != NULL ? CA_FILE_READ : CA_FILE_ELSEWISE;
    }
    X509_STORE_free(store);
    return result;
}

enum ca_file ca_file_get(const struct crypto_lib *lib, const char *path, struct ca_set **set)
{
    struct file_version before, after;

    if (!atomic_load_explicit(&is_on, memory_order_relaxed) || path == NULL ||
        !crypto_lib_is_everybodys(lib) || !version_of(path, &before)) {
        return CA_FILE_ELSEWISE;
    }
    *set = NULL;
    if (find(path, &before, set)) {
        counter_add(COUNTER_CA_FILE_HIT);
        return *set != NULL ? CA_FILE_READ : CA_FILE_ELSEWISE;
    }
    counter_add(COUNTER_CA_FILE_MISS);
    enum ca_file result = read_file(lib, path, set);
    if (result != CA_FILE_FAILED && version_of(path, &after) && same_version(&before, &after)) {
        keep(path, &before, *set);
    }
    return result;
}
