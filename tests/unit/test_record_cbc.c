#include "unit.h"

#include "cbc_reference.h"
#include "memcheck.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct protection *keyed_number(size_t i, enum aead_direction direction)
{
    struct combination c = combination(i);

    return combination_keyed(&c, direction);
}

/* Opens a copy of a record made by reference_seal(). */
static enum open_result open_forged(const struct combination *c, struct protection *p,
                                    const struct forged *f, struct opened *out)
{
    static uint8_t record[MAX_CBC_RECORD];
    size_t len = reference_seal(c, f, NULL, record);

    return p->ops->open(p, record, len - RECORD_HEADER_LEN, NULL, out);
}

/* --- What has to work --- */

static void round_trips(void **state)
{
    (void)state;
    static uint8_t text[RECORD_MAX_PLAINTEXT], record[MAX_CBC_RECORD];

    fill_pattern(text, sizeof(text), 3, 7);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct protection *seal = keyed_number(i, AEAD_SEAL);
        struct protection *open = keyed_number(i, AEAD_OPEN);

        assert_non_null(seal);
        assert_non_null(open);
        assert_false(seal->hides_type);
        assert_true(seal->seal_limit == UINT64_MAX);
        for (size_t len = 0; len <= 601; len++) {
            size_t n = len == 601 ? sizeof(text) : len;
            uint8_t type = (uint8_t)(CONTENT_ALERT + len % 3);
            struct opened out;
            size_t size = seal->ops->seal(seal, record, type, text, n, 0);

            assert_true(size > RECORD_HEADER_LEN + n);
            assert_true(size <= RECORD_HEADER_LEN + n + seal->overhead);
            assert_int_equal(record[3] << 8 | record[4], size - RECORD_HEADER_LEN);
            assert_true(size - RECORD_HEADER_LEN <= open->max_fragment);
            assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_OK);
            assert_int_equal(out.type, type);
            assert_int_equal(out.len, n);
            assert_memory_equal(out.data, text, n);
        }
        assert_true(seal->sequence == 602 && open->sequence == 602);
        protection_free(seal);
        protection_free(open);
    }
}

/* RFC 5246, 6.2.3.2: byte for byte what the construction says, given the IV that was drawn. */
static void seals_like_the_reference(void **state)
{
    (void)state;
    static uint8_t text[RECORD_MAX_PLAINTEXT], ours[MAX_CBC_RECORD], theirs[MAX_CBC_RECORD];
    static const size_t lens[] = { 0, 1, 11, 12, 15, 16, 27, 28, 100, RECORD_MAX_PLAINTEXT };

    fill_pattern(text, sizeof(text), 1, 13);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);
        struct protection *seal = combination_keyed(&c, AEAD_SEAL);

        seal->sequence = UINT64_C(0x0102030405060708);
        for (size_t k = 0; k < COUNT_OF(lens); k++) {
            struct forged f = { CONTENT_HANDSHAKE,
                                seal->sequence,
                                text,
                                lens[k],
                                least_padding(&c, lens[k]),
                                0,
                                0,
                                false };
            size_t size = seal->ops->seal(seal, ours, CONTENT_HANDSHAKE, text, lens[k], 0);

            assert_int_equal(size, reference_seal(&c, &f, ours + RECORD_HEADER_LEN, theirs));
            assert_memory_equal(ours, theirs, size);
        }
        protection_free(seal);
    }
}

/* RFC 5246, 6.2.3.2: "The padding MAY be any length up to 255 bytes, as long as it results in the
 * TLSCiphertext.length being an integral multiple of the block length." */
static void every_padding_length(void **state)
{
    (void)state;
    static uint8_t text[300];

    fill_pattern(text, sizeof(text), 2, 3);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);
        size_t block = c.block_len;
        struct protection *open = combination_keyed(&c, AEAD_OPEN);

        for (size_t len = 0; block > 0 && len <= sizeof(text); len += 1 + len % 37) {
            for (size_t padding = least_padding(&c, len); padding <= 256; padding += block) {
                struct forged f = {
                    CONTENT_APPLICATION, open->sequence, text, len, padding, 0, 0, false
                };
                struct opened out;

                assert_int_equal(open_forged(&c, open, &f, &out), OPEN_OK);
                assert_int_equal(out.len, len);
                assert_memory_equal(out.data, text, len);
            }
        }
        protection_free(open);
    }
}

static void explicit_iv_is_random(void **state)
{
    (void)state;
    static const uint8_t text[20];
    struct combination c = combination(0);
    struct protection *seal = combination_keyed(&c, AEAD_SEAL);
    uint8_t records[2][128];

    for (size_t i = 0; i < 2; i++) {
        seal->sequence = 0;
        assert_int_equal(seal->ops->seal(seal, records[i], CONTENT_APPLICATION, text, 20, 0),
                         RECORD_HEADER_LEN + 16 + 48);
    }
    assert_memory_not_equal(records[0] + RECORD_HEADER_LEN, records[1] + RECORD_HEADER_LEN, 16);
    protection_free(seal);
}

/* --- What has to be refused, always with the one result --- */

/* True when it opened, although something is wrong with it. */
static bool opens_spoilt(const struct combination *c, struct protection *open,
                         const struct forged *f)
{
    size_t last = f->spoilt == f->padding ? (f->padding - 1) ^ 1 : f->padding - 1;
    struct opened out;
    enum open_result result = open_forged(c, open, f, &out);

    assert_true(result == OPEN_OK || result == OPEN_BAD_MAC);
    assert_true(open->sequence == (result == OPEN_OK));
    open->sequence = 0;
    /* A last byte of zero is right: a padding of nothing but its length. Encrypt-then-MAC has the
     * sender vouch for it, and the rest is content. */
    if (c->parameters.encrypt_then_mac && !f->wrong_mac && (uint8_t)(last + f->length_byte) == 0) {
        assert_int_equal(result, OPEN_OK);
        assert_int_equal(out.len, f->len + f->padding - 1);
        return false;
    }
    return result == OPEN_OK;
}

static void wrong_padding(void **state)
{
    (void)state;
    static uint8_t text[40];

    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);
        size_t block = c.block_len;
        struct protection *open = combination_keyed(&c, AEAD_OPEN);

        size_t least = least_padding(&c, sizeof(text));

        /* The version has no part in it. */
        bool is_due = block > 0 && c.parameters.version == VERSION_TLS12;
        for (size_t padding = least; is_due && padding <= 256; padding += block) {
            struct forged f = { CONTENT_ALERT, 0, text, sizeof(text), padding, 0, 0, false };

            /* POODLE against TLS: each byte of it counts, and the last is its length. */
            for (f.spoilt = 1; f.spoilt <= padding; f.spoilt++) {
                assert_false(opens_spoilt(&c, open, &f));
            }
            f.spoilt = 0;
            unsigned first = padding == least ? 1 : 249;
            for (unsigned delta = first; delta < 256; delta++) {
                f.length_byte = (uint8_t)delta;
                assert_false(opens_spoilt(&c, open, &f));
            }
            f.length_byte = 0;
            f.wrong_mac = true;
            assert_false(opens_spoilt(&c, open, &f));
        }
        protection_free(open);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* CVE-2019-1559: nothing but padding, with room for a MAC or without; nothing but a MAC. */
static void nothing_but_padding(void **state)
{
    (void)state;
    uint8_t text[512];

    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);
        size_t block = c.block_len;
        struct protection *open = combination_keyed(&c, AEAD_OPEN);
        struct opened out;

        if (block > 0 && !c.parameters.encrypt_then_mac) {
            for (size_t len = block; len <= 256; len += block) {
                uint8_t record[RECORD_HEADER_LEN + sizeof(text)] = {
                    CONTENT_APPLICATION, 3, (uint8_t)c.parameters.version
                };
                uint8_t *fragment = record + RECORD_HEADER_LEN;

                memset(fragment + block, (int)(len - 1), len);
                reference_encrypt(&c, fragment, fragment + block, len);
                assert_int_equal(open->ops->open(open, record, block + len, NULL, &out),
                                 OPEN_BAD_MAC);
            }
        }
        protection_free(open);
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void every_flipped_bit_and_every_cut(void **state)
{
    (void)state;
    uint8_t text[37], record[256], copy[256];

    fill_pattern(text, sizeof(text), 0, 9);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct protection *seal = keyed_number(i, AEAD_SEAL);
        struct protection *open = keyed_number(i, AEAD_OPEN);
        struct opened out;
        size_t size = seal->ops->seal(seal, record, CONTENT_APPLICATION, text, sizeof(text), 0);

        for (size_t bit = 0; bit < 8 * size; bit++) {
            if (bit / 8 == 3 || bit / 8 == 4) {
                continue; /* the length: where the record ends, which is given */
            }
            memcpy(copy, record, size);
            copy[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_int_equal(open->ops->open(open, copy, size - RECORD_HEADER_LEN, NULL, &out),
                             OPEN_BAD_MAC);
        }
        for (size_t len = 0; len < size - RECORD_HEADER_LEN; len++) {
            memcpy(copy, record, size);
            assert_int_equal(open->ops->open(open, copy, len, NULL, &out), OPEN_BAD_MAC);
        }
        /* None of them counted; this one does, and may not come again. */
        memcpy(copy, record, size);
        assert_int_equal(open->ops->open(open, copy, size - RECORD_HEADER_LEN, NULL, &out),
                         OPEN_OK);
        assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                         OPEN_BAD_MAC);
        assert_int_equal(ERR_peek_error(), 0);
        protection_free(seal);
        protection_free(open);
    }
}

static void limits(void **state)
{
    (void)state;
    static uint8_t text[RECORD_MAX_PLAINTEXT + 1], record[MAX_CBC_RECORD];

    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);
        struct protection *seal = combination_keyed(&c, AEAD_SEAL);
        struct protection *open = combination_keyed(&c, AEAD_OPEN);
        struct forged f = {
            CONTENT_APPLICATION, 0, text, sizeof(text), least_padding(&c, sizeof(text)), 0, 0, false
        };
        struct opened out;

        assert_int_equal(open_forged(&c, open, &f, &out), OPEN_TOO_LONG);
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, sizeof(text), 0),
                         0);
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, 1, 1), 0);
        seal->sequence = UINT64_MAX;
        open->sequence = UINT64_MAX;
        assert_int_equal(seal->ops->seal(seal, record, CONTENT_APPLICATION, text, 1, 0), 0);
        assert_int_equal(open->ops->open(open, record, 64, NULL, &out), OPEN_EXHAUSTED);
        protection_free(seal);
        protection_free(open);
    }
}

/* A library context and properties of the application's choice. */
static void other_properties(void **state)
{
    (void)state;
    static const uint8_t key[48], text[100];
    const struct crypto_lib *other = crypto_lib_new(NULL, "provider=default");

    assert_non_null(other);
    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);
        struct protection *seal = protection_new_cbc(other, &c.parameters, AEAD_SEAL, key, key);
        struct protection *open = protection_new_cbc(other, &c.parameters, AEAD_OPEN, key, key);
        uint8_t record[256];
        struct opened out;

        assert_non_null(seal);
        assert_non_null(open);
        size_t size = seal->ops->seal(seal, record, CONTENT_ALERT, text, sizeof(text), 0);
        assert_int_equal(open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out),
                         OPEN_OK);
        assert_int_equal(out.len, sizeof(text));
        protection_free(seal);
        protection_free(open);
    }
    crypto_lib_free(other);
}

static void what_there_is_not(void **state)
{
    (void)state;
    static const struct cbc_parameters bad[] = {
        { ENC_AES128GCM, MAC_SHA1, false, VERSION_TLS12 },
        { ENC_IDEA, MAC_SHA1, false, VERSION_TLS12 },
        { ENC_AES128, MAC_AEAD, false, VERSION_TLS12 },
        { ENC_AES128, MAC_SHA1, false, VERSION_TLS1 },
        { ENC_AES128, MAC_SHA1, false, VERSION_TLS13 },
    };
    static const uint8_t key[48];
    const struct crypto_lib *lib = crypto_lib_default();

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_null(protection_new_cbc(lib, &bad[i], AEAD_SEAL, key, key));
        assert_null(protection_new_cbc(lib, &bad[i], AEAD_OPEN, key, key));
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* One record there and back, in spite of anything that cannot be allocated. */
static bool trial(void *arg)
{
    static const uint8_t text[20];
    const struct combination *c = arg;
    struct protection *seal = combination_keyed(c, AEAD_SEAL);
    struct protection *open = combination_keyed(c, AEAD_OPEN);
    uint8_t record[128];
    struct opened out;
    bool done = false;

    if (seal != NULL && open != NULL) {
        size_t size = seal->ops->seal(seal, record, CONTENT_ALERT, text, sizeof(text), 0);
        done = size > 0 &&
               open->ops->open(open, record, size - RECORD_HEADER_LEN, NULL, &out) == OPEN_OK;
    }
    protection_free(seal);
    protection_free(open);
    ERR_clear_error();
    return done;
}

static void without_memory(void **state)
{
    (void)state;
    for (size_t i = 0; i < NUM_COMBINATIONS; i += 2) {
        struct combination c = combination(i + i / 2 % 2);

        assert_true(fail_each_allocation(trial, &c, true) > 0);
    }
}

/* --- Time: run under memcheck, to which all that was encrypted is undefined, so that it reports
 * every branch and every address that depends on it --- */

/* One record through the check with everything but its length unknown. True: as it should be. */
static bool check_marked(const struct combination *c, const struct forged *f)
{
    static uint8_t record[MAX_CBC_RECORD];
    struct cbc *open = combination_opener(c);
    uint8_t header[CBC_HEADER_LEN] = { 0 };
    size_t len = reference_seal(c, f, NULL, record) - RECORD_HEADER_LEN;
    uint8_t *fragment = record + RECORD_HEADER_LEN;
    size_t plain_len = 0;

    memcpy(header + 8, record, 3);
    VALGRIND_MAKE_MEM_UNDEFINED(fragment, len);
    bool right = cbc_decrypt_mac(open, header, fragment, len, c->block_len, &plain_len);
    /* From here on the verdict is known to everybody. */
    VALGRIND_MAKE_MEM_DEFINED(&right, sizeof(right));
    VALGRIND_MAKE_MEM_DEFINED(&plain_len, sizeof(plain_len));
    VALGRIND_MAKE_MEM_DEFINED(record, sizeof(record));
    cbc_free(open);
    bool expected = f->spoilt == 0 && f->length_byte == 0 && !f->wrong_mac;
    return right == expected && (!right || plain_len == f->len);
}

static int run_marked(void)
{
    static uint8_t text[400];
    bool fine = true;

    for (size_t i = 0; i < NUM_COMBINATIONS; i++) {
        struct combination c = combination(i);

        /* AES: the other ciphers are full of tables, and that is libcrypto's. */
        if (c.parameters.enc != ENC_AES128 || c.parameters.encrypt_then_mac ||
            c.parameters.version != VERSION_TLS12) {
            continue;
        }
        for (size_t len = 0; len < sizeof(text); len += 57) {
            size_t least = least_padding(&c, len);
            size_t more = least + 5 * c.block_len;
            struct forged f[] = {
                { CONTENT_APPLICATION, 0, text, len, least, 0, 0, false },
                { CONTENT_APPLICATION, 0, text, len, more, 0, 0, false },
                { CONTENT_APPLICATION, 0, text, len, more, 0, 0, true },
                { CONTENT_APPLICATION, 0, text, len, more, 2, 0, false },
                { CONTENT_APPLICATION, 0, text, len, least, 0, 0xf0, false },
            };

            for (size_t k = 0; k < COUNT_OF(f); k++) {
                fine = check_marked(&c, &f[k]) && fine;
            }
        }
    }
    return fine ? 0 : EXIT_WRONG;
}

/* What memcheck has to find: a branch that depends on such a byte. */
static int run_leaking(void)
{
    volatile uint8_t a = 1;
    uint8_t copy = a;

    VALGRIND_MAKE_MEM_UNDEFINED(&copy, 1);
    if (copy == 1) {
        (void)getpid();
    }
    return 0;
}

static void time_tells_nothing(void **state)
{
    (void)state;
    memcheck_finds("leaking", "marked");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(seals_like_the_reference),
        cmocka_unit_test(every_padding_length),
        cmocka_unit_test(explicit_iv_is_random),
        cmocka_unit_test(wrong_padding),
        cmocka_unit_test(nothing_but_padding),
        cmocka_unit_test(every_flipped_bit_and_every_cut),
        cmocka_unit_test(limits),
        cmocka_unit_test(other_properties),
        cmocka_unit_test(what_there_is_not),
        cmocka_unit_test(without_memory),
        cmocka_unit_test(time_tells_nothing),
    };

    if (argc == 2) {
        return strcmp(argv[1], "leaking") == 0 ? run_leaking() : run_marked();
    }
    failing_alloc_install();
    return cmocka_run_group_tests_name("record/cbc", tests, NULL, NULL);
}
