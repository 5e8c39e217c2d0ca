/*
 * The cache of CA files and the lookup behind a store: what is read once, what is not kept, whose
 * objects a store has, threads that look something up while the application asks for the store.
 */
#include "unit.h"

#include "api/ca_lookup.h"
#include "base/counters.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define NUM_CERTS 20

/* A file with one certificate. */
#define SMALL (CA_FILES_KEPT + 2)

static const struct crypto_lib *lib;
static char folder[] = "/tmp/unit-ca-files-XXXXXX";
static X509 *certs[NUM_CERTS];

static const char *path_of(int n)
{
    static char path[64];

    (void)snprintf(path, sizeof(path), "%s/%d.pem", folder, n);
    return path;
}

static X509 *make_cert(int n, EVP_PKEY *key)
{
    X509 *cert = X509_new();
    char name[16];

    (void)snprintf(name, sizeof(name), "%d", n);
    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), n);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    return cert;
}

static void write_file(int n)
{
    FILE *file = fopen(path_of(n), "w");

    assert_non_null(file);
    for (int i = 0; i < (n == SMALL ? 1 : NUM_CERTS); i++) {
        assert_int_equal(PEM_write_X509(file, certs[i]), 1);
    }
    (void)fclose(file);
}

static int set_up(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    lib = crypto_lib_default();
    if (lib == NULL || mkdtemp(folder) == NULL) {
        return -1;
    }
    for (int i = 0; i < NUM_CERTS; i++) {
        certs[i] = make_cert(i, key);
    }
    EVP_PKEY_free(key);
    for (int n = 0; n <= SMALL; n++) {
        write_file(n);
    }
    (void)sleep(CA_FILE_MIN_AGE + 1);
    ca_files_turn(true);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int n = 0; n <= SMALL; n++) {
        (void)unlink(path_of(n));
    }
    (void)rmdir(folder);
    for (int i = 0; i < NUM_CERTS; i++) {
        X509_free(certs[i]);
    }
    return 0;
}

static struct ca_set *get(int n)
{
    struct ca_set *set = NULL;

    assert_int_equal(ca_file_get(lib, path_of(n), &set), CA_FILE_READ);
    assert_int_equal(ca_set_len(set), n == SMALL ? 1 : NUM_CERTS);
    return set;
}

/* --- Files --- */

static void files_are_read_once(void **state)
{
    uint64_t misses = counter_get(COUNTER_CA_FILE_MISS);
    struct ca_set *first = get(0);
    struct ca_set *second = get(0);
    const size_t *places;

    (void)state;
    assert_ptr_equal(first, second);
    assert_int_equal(counter_get(COUNTER_CA_FILE_MISS), misses + 1);
    for (int i = 0; i < NUM_CERTS; i++) {
        assert_int_equal(ca_set_find(first, X509_get_subject_name(certs[i]), &places), 1);
        assert_int_equal(X509_cmp(ca_set_at(first, *places), certs[i]), 0);
    }
    assert_false(ca_set_take(first)); /* there are two */
    ca_set_free(second);
    assert_true(ca_set_take(first));
    ca_set_free(first);
    ca_set_free(get(0));
    assert_int_equal(counter_get(COUNTER_CA_FILE_MISS), misses + 2);
}

static void few_files_are_kept(void **state)
{
    uint64_t evicted = counter_get(COUNTER_CA_FILE_EVICTED);
    uint64_t misses;

    (void)state;
    for (int n = 0; n < CA_FILES_KEPT; n++) {
        ca_set_free(get(n));
    }
    ca_set_free(get(0)); /* now 1 has not been used for longest */
    ca_set_free(get(CA_FILES_KEPT));
    assert_int_equal(counter_get(COUNTER_CA_FILE_EVICTED), evicted + 1);
    misses = counter_get(COUNTER_CA_FILE_MISS);
    ca_set_free(get(0));
    assert_int_equal(counter_get(COUNTER_CA_FILE_MISS), misses);
    ca_set_free(get(1));
    assert_int_equal(counter_get(COUNTER_CA_FILE_MISS), misses + 1);
}

static void what_is_not_for_the_cache(void **state)
{
    struct ca_set *set = NULL;
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    const struct crypto_lib *other = crypto_lib_new(libctx, NULL);
    enum ca_file result = CA_FILE_READ;

    (void)state;
    assert_int_equal(ca_file_get(lib, "/dev/null", &set), CA_FILE_ELSEWISE);
    assert_int_equal(ca_file_get(lib, folder, &set), CA_FILE_ELSEWISE);
    assert_int_equal(ca_file_get(lib, "/no/such/file", &set), CA_FILE_ELSEWISE);
    assert_int_equal(ca_file_get(lib, NULL, &set), CA_FILE_ELSEWISE);
    assert_int_equal(ca_file_get(other, path_of(0), &set), CA_FILE_ELSEWISE);
    ca_files_turn(false);
    assert_int_equal(ca_file_get(lib, path_of(0), &set), CA_FILE_ELSEWISE);
    ca_files_turn(true);
    /* Written a moment ago; on a machine so busy that it no longer is, once more. */
    for (int i = 0; i < 20 && result != CA_FILE_ELSEWISE; i++) {
        ca_set_free(set);
        set = NULL;
        write_file(CA_FILES_KEPT + 1);
        result = ca_file_get(lib, path_of(CA_FILES_KEPT + 1), &set);
    }
    assert_int_equal(result, CA_FILE_ELSEWISE);
    assert_null(set);
    crypto_lib_free(other);
    OSSL_LIB_CTX_free(libctx);
}

/* --- Stores --- */

static int num_objects(X509_STORE *store)
{
    return sk_X509_OBJECT_num(X509_STORE_get0_objects(store));
}

/* The certificate of a subject, as a verification looks it up; counted. */
static X509 *look_up(X509_STORE *store, int i)
{
    X509_STORE_CTX *verification = X509_STORE_CTX_new();
    X509_OBJECT *found = X509_OBJECT_new();
    X509 *cert = NULL;

    if (verification != NULL && found != NULL &&
        X509_STORE_CTX_init(verification, store, NULL, NULL) == 1 &&
        X509_STORE_CTX_get_by_subject(verification, X509_LU_X509, X509_get_subject_name(certs[i]),
                                      found) == 1) {
        cert = X509_OBJECT_get0_X509(found);
        X509_up_ref(cert);
    }
    X509_OBJECT_free(found);
    X509_STORE_CTX_free(verification);
    return cert;
}

static void stores_have_their_own_objects(void **state)
{
    X509_STORE *a = X509_STORE_new();
    X509_STORE *b = X509_STORE_new();

    (void)state;
    assert_true(ca_lookup_add(a, get(2)));
    assert_true(ca_lookup_add(b, get(2)));
    assert_int_equal(num_objects(a), 0);
    X509 *mine = look_up(a, 3);
    X509 *others = look_up(b, 3);
    assert_non_null(mine);
    assert_non_null(others);
    assert_ptr_not_equal(mine, others);
    assert_int_equal(num_objects(a), 1);
    X509 *again = look_up(a, 3);
    assert_ptr_equal(again, mine);
    assert_true(ca_lookup_fill(a));
    assert_int_equal(num_objects(a), NUM_CERTS);
    assert_int_equal(num_objects(b), 1);
    assert_true(ca_lookup_fill(a)); /* which changes nothing */
    assert_int_equal(num_objects(a), NUM_CERTS);
    assert_true(ca_lookup_fill(b)); /* now alone with the set */
    for (int i = 0; i < NUM_CERTS; i++) {
        X509 *x = look_up(a, i);
        X509 *y = look_up(b, i);
        assert_non_null(x);
        assert_non_null(y);
        assert_ptr_not_equal(x, y);
        X509_free(x);
        X509_free(y);
    }
    X509_free(mine);
    X509_free(others);
    X509_free(again);
    X509_STORE_free(a);
    X509_STORE_free(b);
}

#define NUM_THREADS 4

static void *look_up_all(void *store)
{
    for (int i = 0; i < NUM_CERTS; i++) {
        X509 *cert = look_up(store, i);
        if (cert == NULL || X509_cmp(cert, certs[i]) != 0) {
            return store;
        }
        X509_free(cert);
    }
    return NULL;
}

static void threads_find_everything(void **state)
{
    (void)state;
    for (int round = 0; round < 10; round++) {
        X509_STORE *store = X509_STORE_new();
        pthread_t threads[NUM_THREADS];

        assert_true(ca_lookup_add(store, get(3)));
        for (int i = 0; i < NUM_THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, look_up_all, store), 0);
        }
        assert_true(ca_lookup_fill(store));
        for (int i = 0; i < NUM_THREADS; i++) {
            void *failed;
            assert_int_equal(pthread_join(threads[i], &failed), 0);
            assert_null(failed);
        }
        assert_int_equal(num_objects(store), NUM_CERTS);
        X509_STORE_free(store);
    }
}

static bool try_store(void *arg)
{
    X509_STORE *store = X509_STORE_new();
    struct ca_set *set = NULL;
    bool done =
        store != NULL && ca_file_get(lib, arg, &set) == CA_FILE_READ && ca_lookup_add(store, set);

    if (done) {
        X509 *cert = look_up(store, 0);
        done = cert != NULL && ca_lookup_fill(store) && num_objects(store) == 1;
        X509_free(cert);
    }
    X509_STORE_free(store);
    return done;
}

static void survives_failing_allocations(void **state)
{
    static char path[64];
    struct ca_set *held = get(SMALL); /* so that the store gets copies */

    (void)state;
    (void)snprintf(path, sizeof(path), "%s", path_of(SMALL));
    assert_true(fail_each_allocation(try_store, path, true) > 10);
    ca_set_free(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_are_read_once),
        cmocka_unit_test(few_files_are_kept),
        cmocka_unit_test(what_is_not_for_the_cache),
        cmocka_unit_test(stores_have_their_own_objects),
        cmocka_unit_test(threads_find_everything),
        cmocka_unit_test(survives_failing_allocations),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
