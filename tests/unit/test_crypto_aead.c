#include "unit.h"

#include "loose_aead.h"

#include "base/pool.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The default instance, which chooses its back ends, and one that has to use EVP. */
static const struct crypto_lib *libs[2];

static const uint8_t nonce[AEAD_NONCE_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
static const uint8_t aad[13] = { 0x17, 3, 3, 1, 0, 9, 8, 7, 6, 5, 4, 3, 2 };

static int make_libs(void **state)
{
    (void)state;
    libs[0] = crypto_lib_default();
    libs[1] = crypto_lib_new(NULL, "provider=default");
    return libs[0] != NULL && libs[1] != NULL ? 0 : -1;
}

static int free_libs(void **state)
{
    (void)state;
    crypto_lib_free(libs[1]);
    return 0;
}

static struct aead *keyed(size_t lib, int id, enum aead_direction direction)
{
    uint8_t key[AEAD_MAX_KEY_LEN];

    fill_pattern(key, sizeof(key), 0x40, 7);
    struct aead *a = aead_new(libs[lib], (enum aead_id)id, direction, key);
    assert_non_null(a);
    return a;
}

static void facts(void **state)
{
    (void)state;
    static const size_t key_lens[NUM_AEADS] = { 0, 16, 32, 32, 16, 16, 32, 32, 16, 32 };

    for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
        const struct aead_facts *f = aead_facts((enum aead_id)id);

        assert_int_equal(f->key_len, key_lens[id]);
        assert_int_equal(f->tag_len, id == AEAD_AES_128_CCM_8 || id == AEAD_AES_256_CCM_8 ? 8 : 16);
        assert_true(f->seal_limit >= UINT64_C(1) << 23);
    }
    /* RFC 8446, 5.5: "up to 2^24.5 full-size records (about 24 million) may be encrypted on a given
     * connection while keeping a safety margin" - 2^24.5 is between these two. */
    uint64_t limit = aead_facts(AEAD_AES_256_GCM)->seal_limit;
    assert_true(limit * limit <= UINT64_C(1) << 49);
    assert_true((limit + 1) * (limit + 1) > UINT64_C(1) << 49);
    assert_true(aead_facts(AEAD_CHACHA20_POLY1305)->seal_limit == UINT64_MAX);
    printf("         AES-GCM by %s, ChaCha20 by %s\n", aead_backend(AEAD_AES_128_GCM),
           aead_backend(AEAD_CHACHA20_POLY1305));
    assert_string_equal(aead_backend(AEAD_AES_128_CCM), "evp");
}

/* Independent of our code: libcrypto's one-shot way of doing the same. */
static void reference_seal(const char *name, const uint8_t *text, size_t len, uint8_t *out)
{
    EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, name, NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t key[AEAD_MAX_KEY_LEN];
    int n;

    fill_pattern(key, sizeof(key), 0x40, 7);
    assert_int_equal(EVP_EncryptInit_ex2(ctx, cipher, key, nonce, NULL), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, NULL, &n, aad, sizeof(aad)), 1);
    assert_int_equal(EVP_EncryptUpdate(ctx, out, &n, text, (int)len), 1);
    assert_int_equal(EVP_EncryptFinal_ex(ctx, out + n, &n), 1);
    assert_int_equal(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + len), 1);
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(cipher);
}

static void agrees_with_libcrypto_by_itself(void **state)
{
    (void)state;
    static const char *const names[] = { NULL, "AES-128-GCM", "AES-256-GCM", "ChaCha20-Poly1305" };
    static uint8_t text[20000], ours[20016], theirs[20016];
    static const size_t lens[] = { 1, 15, 16, 17, 1023, 1024, 1025, 4096, 16384, 16385, 20000 };

    fill_pattern(text, sizeof(text), 1, 3);
    for (int id = AEAD_AES_128_GCM; id <= AEAD_CHACHA20_POLY1305; id++) {
        struct aead *a = keyed(0, id, AEAD_SEAL);

        for (size_t i = 0; i < COUNT_OF(lens); i++) {
            reference_seal(names[id], text, lens[i], theirs);
            assert_true(aead_seal(a, nonce, aad, sizeof(aad), ours, text, lens[i], 0));
            assert_memory_equal(ours, theirs, lens[i] + 16);
        }
        aead_free(a);
    }
}

/* The back ends agree at every length, and opening gives back what was sealed. */
static void every_length(void **state)
{
    (void)state;
    static uint8_t text[2048], first[2064], second[2064], back[2048];

    fill_pattern(text, sizeof(text), 5, 11);
    for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
        size_t tag_len = aead_facts((enum aead_id)id)->tag_len;
        struct aead *seal[2] = { keyed(0, id, AEAD_SEAL), keyed(1, id, AEAD_SEAL) };
        struct aead *open[2] = { keyed(0, id, AEAD_OPEN), keyed(1, id, AEAD_OPEN) };

        for (size_t len = 0; len <= sizeof(text); len++) {
            size_t aad_len = len % (sizeof(aad) + 1);

            assert_true(aead_seal(seal[0], nonce, aad, aad_len, first, text, len, 0));
            assert_true(aead_seal(seal[1], nonce, aad, aad_len, second, text, len, 0));
            assert_memory_equal(first, second, len + tag_len);
            for (size_t l = 0; l < 2; l++) {
                memset(back, 0, len);
                assert_true(opens(open[l], nonce, aad, aad_len, back, first, len + tag_len));
                assert_memory_equal(back, text, len);
                memcpy(second, first, len + tag_len);
                assert_true(opens(open[l], nonce, aad, aad_len, second, second, len + tag_len));
                assert_memory_equal(second, text, len);
            }
        }
        for (size_t l = 0; l < 2; l++) {
            aead_free(seal[l]);
            aead_free(open[l]);
        }
    }
}

/* A text of which the end stands in its place already, or all of it. */
static void a_tail_is_as_good_as_the_rest(void **state)
{
    (void)state;
    static uint8_t text[4000], whole[4016], pieces[4016];
    static const size_t lens[] = { 0, 1, 2, 17, 64, 255, 1023, 1024, 1025, 3000, 4000 };
    static const size_t cuts[] = { 0, 1, 13, 16, 31, 32, 127, 128, 129, 1000, 1024, 3999 };

    fill_pattern(text, sizeof(text), 5, 11);
    for (size_t l = 0; l < 2; l++) {
        for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
            size_t tag_len = aead_facts((enum aead_id)id)->tag_len;
            struct aead *a = keyed(l, id, AEAD_SEAL);

            for (size_t i = 0; i < COUNT_OF(lens); i++) {
                size_t len = lens[i];

                assert_true(aead_seal(a, nonce, aad, sizeof(aad), whole, text, len, 0));
                for (size_t c = 0; c < COUNT_OF(cuts) && cuts[c] <= len; c++) {
                    size_t tail_len = len - cuts[c];

                    memset(pieces, 0xee, sizeof(pieces));
                    memcpy(pieces + cuts[c], text + cuts[c], tail_len);
                    assert_true(aead_seal(a, nonce, aad, sizeof(aad), pieces,
                                          cuts[c] == 0 ? NULL : text, cuts[c], tail_len));
                    assert_memory_equal(pieces, whole, len + tag_len);
                    memcpy(pieces, text, len);
                    assert_true(
                        aead_seal(a, nonce, aad, sizeof(aad), pieces, pieces, cuts[c], tail_len));
                    assert_memory_equal(pieces, whole, len + tag_len);
                }
            }
            aead_free(a);
        }
    }
}

/* Every tail of every length: the type byte of a record, wherever a block ends. */
static void every_tail_of_the_fast_path(void **state)
{
    (void)state;
    static uint8_t text[1124], whole[1140], pieces[1140];

    fill_pattern(text, sizeof(text), 77, 29);
    for (int id = AEAD_AES_128_GCM; id <= AEAD_CHACHA20_POLY1305; id++) {
        struct aead *a = keyed(0, id, AEAD_SEAL);
        struct aead *reference = keyed(1, id, AEAD_SEAL);

        for (size_t len = 1014; len <= sizeof(text); len += 11) {
            assert_true(aead_seal(reference, nonce, aad, 5, whole, text, len, 0));
            for (size_t x = 0; x <= len; x++) {
                memcpy(pieces + x, text + x, len - x);
                assert_true(aead_seal(a, nonce, aad, 5, pieces, text, x, len - x));
                assert_memory_equal(pieces, whole, len + 16);
            }
        }
        aead_free(a);
        aead_free(reference);
    }
}

static void nothing_forged_opens(void **state)
{
    (void)state;
    uint8_t text[40], sealed[56], back[56];
    static const size_t lens[] = { 0, 1, 16, 40 };

    fill_pattern(text, sizeof(text), 5, 11);
    for (size_t l = 0; l < 2; l++) {
        for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
            size_t tag_len = aead_facts((enum aead_id)id)->tag_len;
            struct aead *seal = keyed(l, id, AEAD_SEAL);
            struct aead *open = keyed(l, id, AEAD_OPEN);

            for (size_t i = 0; i < COUNT_OF(lens); i++) {
                size_t len = lens[i] + tag_len;
                uint8_t other[AEAD_NONCE_LEN];

                assert_true(aead_seal(seal, nonce, aad, 5, sealed, text, lens[i], 0));
                for (size_t bit = 0; bit < len * 8; bit++) {
                    sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                    memset(back, 0xee, sizeof(back));
                    assert_false(opens(open, nonce, aad, 5, back, sealed, len));
                    for (size_t k = 0; k < lens[i]; k++) {
                        assert_int_equal(back[k], 0); /* wiped, not plaintext */
                    }
                    assert_int_equal(back[lens[i]], 0xee);
                    sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
                }
                assert_false(opens(open, nonce, aad, 4, back, sealed, len));
                memcpy(other, nonce, sizeof(other));
                other[11] ^= 1;
                assert_false(opens(open, other, aad, 5, back, sealed, len));
                for (size_t cut = 1; cut <= len; cut++) {
                    assert_false(opens(open, nonce, aad, 5, back, sealed, len - cut));
                }
                /* and the instance still works */
                assert_true(opens(open, nonce, aad, 5, back, sealed, len));
                assert_memory_equal(back, text, lens[i]);
            }
            aead_free(seal);
            aead_free(open);
        }
    }
}

/* CVE-2026-75803 and its like: an empty text with an arbitrary tag must not open. */
static void an_empty_text_needs_its_tag_too(void **state)
{
    (void)state;
    static const uint8_t zeros[AEAD_MAX_TAG_LEN];

    for (size_t l = 0; l < 2; l++) {
        for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
            struct aead *open = keyed(l, id, AEAD_OPEN);
            size_t tag_len = aead_facts((enum aead_id)id)->tag_len;
            uint8_t back[1];

            assert_false(opens(open, nonce, aad, 5, back, zeros, tag_len));
            assert_false(opens(open, nonce, aad, 0, back, zeros, tag_len));
            assert_false(opens(open, nonce, aad, 5, back, zeros, 0));
            aead_free(open);
        }
    }
}

static void impossible_lengths_are_refused(void **state)
{
    (void)state;
    struct aead *a = keyed(0, AEAD_AES_128_GCM, AEAD_SEAL);
    uint8_t byte = 0;

    assert_false(aead_seal(a, nonce, aad, 5, &byte, &byte, SIZE_MAX - 3, 5));
    assert_false(aead_seal(a, nonce, aad, 5, &byte, &byte, 5, SIZE_MAX - 3));
    assert_false(aead_seal(a, nonce, aad, SIZE_MAX, &byte, NULL, 0, 0));
    assert_false(opens(a, nonce, aad, 5, &byte, &byte, SIZE_MAX));
    aead_free(a);
    aead_free(NULL);
}

/* A page that may be touched, between two that may not. */
static uint8_t *guarded_page(size_t page)
{
    uint8_t *area = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(area, MAP_FAILED);
    assert_int_equal(mprotect(area + page, page, PROT_READ | PROT_WRITE), 0);
    return area + page;
}

/* Assembly may read in wide steps: it must not leave the caller's memory, at either end. No tool
 * sees that but the processor. */
static void memory_beyond_the_arguments_is_not_touched(void **state)
{
    (void)state;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *in = guarded_page(page);
    uint8_t *out = guarded_page(page);
    uint8_t *ad = guarded_page(page);

    for (int id = AEAD_AES_128_GCM; id <= AEAD_CHACHA20_POLY1305; id++) {
        struct aead *seal = keyed(0, id, AEAD_SEAL);
        struct aead *open = keyed(0, id, AEAD_OPEN);

        for (size_t len = 0; len <= page - 16; len += len < 600 ? 1 : 97) {
            for (int at_end = 0; at_end <= 1; at_end++) {
                uint8_t *text = at_end ? in + page - len : in;
                uint8_t *sealed = at_end ? out + page - len - 16 : out;
                size_t aad_len = len % 2 == 0 ? 5 : 13;
                uint8_t *a = at_end ? ad + page - aad_len : ad;

                memset(text, (int)len, len);
                assert_true(aead_seal(seal, nonce, a, aad_len, sealed, text, len, 0));
                assert_true(opens(open, nonce, a, aad_len, text, sealed, len + 16));
                assert_true(opens(open, nonce, a, aad_len, sealed, sealed, len + 16));
                assert_true(len == 0 || sealed[len - 1] == (uint8_t)len);
            }
        }
        aead_free(seal);
        aead_free(open);
    }
    munmap(in - page, 3 * page);
    munmap(out - page, 3 * page);
    munmap(ad - page, 3 * page);
}

/* Whatever it gives back, the next call makes it again. */
static void a_rested_instance_works_as_before(void **state)
{
    (void)state;
    static uint8_t text[2000], first[2016], second[2016];

    fill_pattern(text, sizeof(text), 5, 11);
    for (size_t l = 0; l < 2; l++) {
        for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
            size_t len = sizeof(text) + aead_facts((enum aead_id)id)->tag_len;
            struct aead *seal = keyed(l, id, AEAD_SEAL);
            struct aead *open = keyed(l, id, AEAD_OPEN);

            assert_true(aead_seal(seal, nonce, aad, 5, first, text, sizeof(text), 0));
            for (int i = 0; i < 3; i++) {
                aead_rest(seal);
                aead_rest(open);
                assert_true(aead_seal(seal, nonce, aad, 5, second, text, sizeof(text), 0));
                assert_memory_equal(second, first, len);
                assert_true(opens(open, nonce, aad, 5, second, second, len));
                assert_memory_equal(second, text, sizeof(text));
            }
            aead_rest(open);
            aead_rest(open);
            aead_free(seal);
            aead_free(open);
        }
    }
}

struct trial {
    size_t lib;
    int id;
};

/* One seal and one open that make what a rested instance has not. What does not open for want of
 * memory is untouched, and is not taken for a forgery. */
static bool wake_and_work(struct aead *seal, struct aead *open, size_t tag_len)
{
    uint8_t sealed[20] = { 0 }, before[20];

    aead_rest(seal);
    aead_rest(open);
    if (!aead_seal(seal, nonce, aad, 5, sealed, (const uint8_t *)"abc", 3, 0)) {
        return false;
    }
    memcpy(before, sealed, sizeof(before));
    switch (aead_open(open, nonce, aad, 5, sealed, sealed, 3 + tag_len)) {
    case AEAD_OPENED:
        assert_memory_equal(sealed, "abc", 3);
        return true;
    case AEAD_NO_MEMORY:
        assert_memory_equal(sealed, before, sizeof(before));
        return false;
    case AEAD_FORGED:
        break;
    }
    fail();
    return false;
}

/* With instances that there are already, and a pool that is empty. */
static bool wake(void *arg)
{
    const struct trial *t = arg;
    size_t tag_len = aead_facts((enum aead_id)t->id)->tag_len;
    void *blocks[POOL_KEPT_KEYS];

    failing_alloc_pause(true);
    struct aead *seal = keyed(t->lib, t->id, AEAD_SEAL);
    struct aead *open = keyed(t->lib, t->id, AEAD_OPEN);
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        blocks[i] = pool_take(POOL_KEY_SIZE);
    }
    failing_alloc_pause(false);
    bool done = wake_and_work(seal, open, tag_len);
    failing_alloc_pause(true);
    /* A failure changes nothing: the same call succeeds later. */
    assert_true(wake_and_work(seal, open, tag_len));
    for (size_t i = 0; i < COUNT_OF(blocks); i++) {
        pool_give(blocks[i], POOL_KEY_SIZE);
    }
    aead_free(seal);
    aead_free(open);
    failing_alloc_pause(false);
    return done;
}

static void waking_survives_allocation_failures(void **state)
{
    (void)state;
    for (int id = AEAD_AES_128_GCM; id <= AEAD_AES_256_GCM; id++) {
        struct trial t = { 0, id };
        bool has_table = strcmp(aead_backend((enum aead_id)id), "ipsec-mb") == 0;

        assert_int_equal(fail_each_allocation(wake, &t, false), has_table ? 2 : 0);
    }
}

static bool seal_and_open(void *arg)
{
    const struct trial *t = arg;
    static const uint8_t key[AEAD_MAX_KEY_LEN];
    uint8_t sealed[20] = { 0 };
    size_t len = 3 + (size_t)aead_facts((enum aead_id)t->id)->tag_len;
    struct aead *seal = aead_new(libs[t->lib], (enum aead_id)t->id, AEAD_SEAL, key);
    struct aead *open = aead_new(libs[t->lib], (enum aead_id)t->id, AEAD_OPEN, key);

    bool done = seal != NULL && open != NULL &&
                aead_seal(seal, nonce, aad, 5, sealed, (const uint8_t *)"abc", 3, 0) &&
                opens(open, nonce, aad, 5, sealed, sealed, len);
    aead_free(seal);
    aead_free(open);
    return done;
}

static void allocation_failures(void **state)
{
    (void)state;
    for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
        for (size_t l = 0; l < 2; l++) {
            struct trial t = { l, id };

            assert_true(fail_each_allocation(seal_and_open, &t, true) >= 2);
        }
    }
}

/* A provider without the algorithm: no instance, and no crash. */
static void a_lib_may_lack_algorithms(void **state)
{
    (void)state;
    const struct crypto_lib *lib = crypto_lib_new(NULL, "provider=none");
    static const uint8_t key[AEAD_MAX_KEY_LEN];

    assert_non_null(lib);
    for (int id = AEAD_NONE + 1; id < NUM_AEADS; id++) {
        assert_null(aead_new(lib, (enum aead_id)id, AEAD_SEAL, key));
    }
    crypto_lib_free(lib);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts),
        cmocka_unit_test(agrees_with_libcrypto_by_itself),
        cmocka_unit_test(every_length),
        cmocka_unit_test(a_tail_is_as_good_as_the_rest),
        cmocka_unit_test(every_tail_of_the_fast_path),
        cmocka_unit_test(nothing_forged_opens),
        cmocka_unit_test(an_empty_text_needs_its_tag_too),
        cmocka_unit_test(impossible_lengths_are_refused),
        cmocka_unit_test(memory_beyond_the_arguments_is_not_touched),
        cmocka_unit_test(a_rested_instance_works_as_before),
        cmocka_unit_test(waking_survives_allocation_failures),
        cmocka_unit_test(allocation_failures),
        cmocka_unit_test(a_lib_may_lack_algorithms),
    };

    failing_alloc_install();
    return cmocka_run_group_tests_name("crypto/aead", tests, make_libs, free_libs);
}
