/*
 * The cache of decoded certificates and the chains that use it: what is kept and what is not, what
 * is displaced, what a flood does, and that applications never get what is shared.
 */
#include "unit.h"

#include "base/counters.h"
#include "crypto/cert_cache.h"
#include "crypto/peer_chain.h"

#include <openssl/evp.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

static const struct crypto_lib *lib;
static uint8_t der[1024]; /* of a certificate, whose serial number is at serial */
static size_t der_len;
static uint8_t *serial;

static void encode(EVP_PKEY *key)
{
    X509 *cert = X509_new();
    uint8_t *at = der;

    X509_set_version(cert, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 0x41424344);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
                               (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(cert));
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    X509_sign(cert, key, EVP_sha256());
    int len = i2d_X509(cert, NULL);
    if (len > 0 && len <= (int)sizeof(der)) {
        der_len = (size_t)i2d_X509(cert, &at);
    }
    X509_free(cert);
}

static int set_up(void **state)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");

    (void)state;
    lib = crypto_lib_default();
    encode(key);
    EVP_PKEY_free(key);
    serial = memmem(der, der_len,
                    "\x02\x04"
                    "ABCD",
                    6);
    return lib != NULL && serial != NULL ? 0 : -1;
}

static int begin(void **state)
{
    (void)state;
    cert_cache_clear();
    cert_cache_turn(lib, true);
    return 0;
}

static int end(void **state)
{
    (void)state;
    cert_cache_clear();
    cert_cache_turn(lib, false);
    return 0;
}

/* Makes the certificate number n: the signature is no longer good, which nobody looks at. */
static void number(uint32_t n)
{
    serial[2] = 0x40;
    serial[3] = (uint8_t)(n >> 16);
    serial[4] = (uint8_t)(n >> 8);
    serial[5] = (uint8_t)n;
}

/* A peer sends the certificate number n. */
static struct peer_chain *receive_for(const struct crypto_lib *whose, uint32_t n)
{
    struct peer_chain *chain = peer_chain_new();

    assert_non_null(chain);
    number(n);
    assert_int_equal(peer_chain_add(&chain, whose, der, der_len), PEER_CHAIN_ADDED);
    return chain;
}

/* The same to the end of a handshake. */
static void visit(uint32_t n, bool verified)
{
    struct peer_chain *chain = receive_for(lib, n);

    peer_chain_keep(chain, verified);
    peer_chain_free(chain);
}

static bool is_kept(uint32_t n)
{
    number(n);
    struct cert_cache_found found = cert_cache_find(lib, der, der_len);
    bool kept = found.cert != NULL;

    cert_free(found.cert);
    blob_free(found.der);
    return kept;
}

/* --- What is kept --- */

static void kept_from_the_second_sight_on(void **state)
{
    (void)state;
    uint64_t hits = counter_get(COUNTER_CERT_HIT);
    uint64_t misses = counter_get(COUNTER_CERT_MISS);

    visit(1, true);
    assert_int_equal(counter_get(COUNTER_CERT_MISS), misses + 1);
    visit(1, true);
    assert_int_equal(counter_get(COUNTER_CERT_MISS), misses + 2);
    assert_int_equal(counter_get(COUNTER_CERT_HIT), hits);
    struct peer_chain *a = receive_for(lib, 1);
    struct peer_chain *b = receive_for(lib, 1);
    assert_int_equal(counter_get(COUNTER_CERT_HIT), hits + 2);
    assert_ptr_equal(peer_chain_look(a, 0), peer_chain_look(b, 0));
    peer_chain_free(a);
    peer_chain_free(b);
}

static void nobody_who_gave_up_is_kept(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++) {
        peer_chain_free(receive_for(lib, 2)); /* no Finished */
    }
    assert_false(is_kept(2));
}

static void off_means_off(void **state)
{
    (void)state;
    uint64_t misses = counter_get(COUNTER_CERT_MISS);

    cert_cache_turn(lib, false);
    for (int i = 0; i < 3; i++) {
        visit(3, true);
    }
    assert_int_equal(counter_get(COUNTER_CERT_MISS), misses);
    cert_cache_turn(lib, true);
    assert_false(is_kept(3));
}

static void large_ones_are_not_kept(void **state)
{
    (void)state;
    static uint8_t zeros[CERT_CACHE_MAX_LEN + 1];
    struct blob *large = blob_new(zeros, sizeof(zeros));
    struct peer_chain *chain = receive_for(lib, 4);

    assert_false(cert_cache_keep(peer_chain_look(chain, 0), large, true));
    blob_free(large);
    peer_chain_free(chain);
}

/* Objects of another library context, or with a property query, stay their owner's; so do those of
 * a thread for which another library context is the default. */
static void other_library_contexts_have_their_own(void **state)
{
    (void)state;
    OSSL_LIB_CTX *other = OSSL_LIB_CTX_new();
    const struct crypto_lib *others = crypto_lib_new(other, NULL);
    const struct crypto_lib *query = crypto_lib_new(NULL, "provider=default");

    assert_non_null(others);
    assert_non_null(query);
    visit(5, true);
    visit(5, true);
    struct peer_chain *shared = receive_for(lib, 5);
    struct peer_chain *a = receive_for(others, 5);
    struct peer_chain *b = receive_for(query, 5);
    assert_ptr_not_equal(peer_chain_look(a, 0), peer_chain_look(shared, 0));
    assert_ptr_not_equal(peer_chain_look(b, 0), peer_chain_look(shared, 0));
    OSSL_LIB_CTX *previous = OSSL_LIB_CTX_set0_default(other);
    struct peer_chain *c = receive_for(lib, 5);
    OSSL_LIB_CTX_set0_default(previous);
    assert_ptr_not_equal(peer_chain_look(c, 0), peer_chain_look(shared, 0));
    peer_chain_free(shared);
    peer_chain_free(a);
    peer_chain_free(b);
    peer_chain_free(c);
    crypto_lib_free(others);
    crypto_lib_free(query);
    OSSL_LIB_CTX_free(other);
}

/* --- Floods --- */

#define FLOOD (2 * CERT_CACHE_SLOTS)

static uint32_t num_kept(uint32_t first, uint32_t num)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < num; i++) {
        kept += is_kept(first + i);
    }
    return kept;
}

static void those_seen_once_displace_nothing(void **state)
{
    (void)state;
    visit(1, true);
    visit(1, true);
    for (uint32_t i = 0; i < FLOOD; i++) {
        visit(1000 + i, true);
    }
    assert_true(is_kept(1));
    assert_int_equal(num_kept(1000, FLOOD), 0);
}

static void unverified_ones_have_their_own_places(void **state)
{
    (void)state;
    uint32_t before = 100;

    /* Twice in a row, as two of them may share the place where a first sight is noted. */
    for (uint32_t i = 0; i < before; i++) {
        visit(i, true);
        visit(i, true);
    }
    before = num_kept(0, before);
    assert_true(before > 90); /* a set may have got more than it has places for */
    for (uint32_t i = 0; i < FLOOD; i++) {
        visit(1000 + i, false);
        visit(1000 + i, false);
    }
    assert_int_equal(num_kept(0, 100), before);
    uint32_t unverified = num_kept(1000, FLOOD);
    assert_in_range(unverified, 1, CERT_CACHE_SETS * CERT_CACHE_UNVERIFIED_WAYS);
}

/* Verified ones displace one another, but not what is used in between. */
static void what_is_used_stays(void **state)
{
    (void)state;
    uint64_t evicted = counter_get(COUNTER_CERT_EVICTED);

    visit(1, true);
    visit(1, true);
    for (uint32_t i = 0; i < FLOOD; i++) {
        visit(1000 + i, true);
        visit(1000 + i, true);
        assert_true(is_kept(1));
    }
    assert_true(counter_get(COUNTER_CERT_EVICTED) > evicted);
    assert_true(num_kept(1000, FLOOD) <= CERT_CACHE_SLOTS);
}

/* Bytes are limited as well: the encodings are what the cache is told they are. */
static void bytes_are_limited(void **state)
{
    (void)state;
    static uint8_t large[CERT_CACHE_MAX_LEN];
    struct peer_chain *chain = receive_for(lib, 7);
    X509 *cert = peer_chain_look(chain, 0);
    size_t kept = 0;

    for (uint32_t i = 0; i < 300; i++) {
        memcpy(large, &i, sizeof(i));
        struct blob *bytes = blob_new(large, sizeof(large));
        assert_non_null(bytes);
        (void)cert_cache_keep(cert, bytes, true);
        blob_free(bytes);
    }
    for (uint32_t i = 0; i < 300; i++) {
        memcpy(large, &i, sizeof(i));
        struct cert_cache_found found = cert_cache_find(lib, large, sizeof(large));
        kept += found.cert != NULL;
        cert_free(found.cert);
        blob_free(found.der);
    }
    assert_in_range(kept, 1, CERT_CACHE_MAX_BYTES / CERT_CACHE_MAX_LEN);
    peer_chain_free(chain);
}

/* --- What applications get --- */

static void applications_get_their_own(void **state)
{
    (void)state;
    uint64_t copied = counter_get(COUNTER_CERT_COPIED);

    visit(1, true);
    visit(1, true);
    struct peer_chain *a = receive_for(lib, 1);
    struct peer_chain *b = receive_for(lib, 1);
    X509 *own = peer_chain_own(a, 0);
    assert_non_null(own);
    assert_ptr_not_equal(own, peer_chain_look(b, 0));
    assert_ptr_equal(own, peer_chain_own(a, 0));
    assert_ptr_equal(own, peer_chain_look(a, 0)); /* with what the application did to it */
    assert_ptr_equal(own, sk_X509_value(peer_chain_own_all(a), 0));
    assert_int_equal(sk_X509_num(peer_chain_own_above_leaf(a)), 0);
    assert_ptr_not_equal(own, peer_chain_own(b, 0));
    assert_ptr_not_equal(X509_get0_pubkey(own), peer_chain_key(b));
    assert_int_equal(X509_cmp(own, peer_chain_own(b, 0)), 0);
    assert_int_equal(counter_get(COUNTER_CERT_COPIED), copied + 2);
    peer_chain_free(a);
    peer_chain_free(b);
}

/* What nobody else has needs no copy. */
static void what_is_not_shared_is_given_out(void **state)
{
    (void)state;
    struct peer_chain *a = receive_for(lib, 8);
    X509 *seen = peer_chain_look(a, 0);

    assert_ptr_equal(peer_chain_own(a, 0), seen);
    peer_chain_keep(a, true);
    assert_false(is_kept(8));
    peer_chain_free(a);
    /* Given out before the end of the handshake in which it would have been kept: it is kept, and
     * what was given out is another. */
    a = receive_for(lib, 8);
    X509 *own = peer_chain_own(a, 0);
    peer_chain_keep(a, true);
    struct peer_chain *b = receive_for(lib, 8);
    assert_ptr_not_equal(peer_chain_look(b, 0), own);
    peer_chain_free(a);
    peer_chain_free(b);
}

/* --- Threads --- */

#define NUM_THREADS 4
#define ROUNDS      1500

/* Few places and many certificates, so that slots change hands while others look at them. */
static void *use(void *arg)
{
    uint8_t mine[sizeof(der)];
    size_t offset = (size_t)(serial - der);
    uint32_t seed = *(uint32_t *)arg;

    memcpy(mine, der, der_len);
    for (uint32_t i = 0; i < ROUNDS; i++) {
        struct peer_chain *chain = peer_chain_new();
        seed = seed * 1664525 + 1013904223;
        mine[offset + 4] = (uint8_t)(seed >> 30);
        mine[offset + 5] = (uint8_t)(seed >> 22);
        if (chain == NULL || peer_chain_add(&chain, lib, mine, der_len) != PEER_CHAIN_ADDED) {
            return arg;
        }
        peer_chain_keep(chain, true);
        /* It is the certificate that was asked for. */
        uint64_t asked = 0;
        uint64_t got;
        for (size_t byte = 2; byte < 6; byte++) {
            asked = asked << 8 | mine[offset + byte];
        }
        if (ASN1_INTEGER_get_uint64(&got, X509_get0_serialNumber(peer_chain_look(chain, 0))) != 1 ||
            got != asked) {
            return arg;
        }
        peer_chain_free(chain);
    }
    return NULL;
}

static void threads_find_what_they_asked_for(void **state)
{
    (void)state;
    static uint32_t seeds[NUM_THREADS];
    pthread_t threads[NUM_THREADS];

    number(0);
    for (uint32_t i = 0; i < NUM_THREADS; i++) {
        seeds[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, use, &seeds[i]), 0);
    }
    for (size_t i = 0; i < NUM_THREADS; i++) {
        void *failed;
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

/* --- Allocation failures --- */

static bool try_chain(void *arg)
{
    struct peer_chain *chain = peer_chain_new();
    bool done = chain != NULL;

    (void)arg;
    for (int i = 0; i < 3 && done; i++) {
        done = peer_chain_add(&chain, lib, der, der_len) == PEER_CHAIN_ADDED;
    }
    if (done) {
        peer_chain_keep(chain, true);
        STACK_OF(X509) *list = peer_chain_look_all(chain);
        done = list != NULL && peer_chain_own_all(chain) != NULL &&
               peer_chain_own_above_leaf(chain) != NULL;
        sk_X509_free(list);
    }
    peer_chain_free(chain);
    return done;
}

static void survives_failing_allocations(void **state)
{
    (void)state;
    number(9);
    visit(9, true);
    visit(9, true);
    assert_true(fail_each_allocation(try_chain, NULL, true) > 5);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(kept_from_the_second_sight_on),
        TEST(nobody_who_gave_up_is_kept),
        TEST(off_means_off),
        TEST(large_ones_are_not_kept),
        TEST(other_library_contexts_have_their_own),
        TEST(those_seen_once_displace_nothing),
        TEST(unverified_ones_have_their_own_places),
        TEST(what_is_used_stays),
        TEST(bytes_are_limited),
        TEST(applications_get_their_own),
        TEST(what_is_not_shared_is_given_out),
        TEST(threads_find_what_they_asked_for),
        TEST(survives_failing_allocations),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, set_up, NULL);
}
