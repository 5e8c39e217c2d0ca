/*
 * Groups that a provider brings along: what providers may say of them, how long they live, and what
 * peers may send.
 */
#include "../contract/toy_provider.h"
#include "crypto/group.h"
#include "unit.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/prov_ssl.h>
#include <openssl/provider.h>
#include <string.h>

enum { EXCHANGE = 0xfe10, KEM, BIG, BIG_KEM, OLD_KEM, NUM_GROUPS = 5 };

static const struct toy_group groups[] = {
    { "toyexchange", "toy-exchange", TOY_NAME, EXCHANGE, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toykem", "toy-kem", TOY_NAME, KEM, 192, 1, TLS1_3_VERSION, 0, 0, 0 },
    { "toybig", TOY_BIG, TOY_NAME, BIG, 128, 0, TLS1_3_VERSION, 0, 0, 0 },
    { "toybigkem", TOY_BIG, TOY_NAME, BIG_KEM, 128, 1, TLS1_3_VERSION, 0, 0, 0 },
    { "toyoldkem", "toy-old-kem", TOY_NAME, OLD_KEM, 128, 1, 0, TLS1_2_VERSION, 0, 0 },
};

struct fixture {
    struct toy_context context;
    const struct crypto_lib *lib;
};

static int set_up(void **state)
{
    static struct fixture f;

    toy = (struct toy){ groups, NUM_GROUPS, TOY_NOTHING };
    bool ok = toy_context_init(&f.context);
    f.lib = ok ? crypto_lib_new(f.context.libctx, NULL) : NULL;
    *state = &f;
    return f.lib == NULL;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    crypto_lib_free(f->lib);
    toy_context_free(&f->context);
    ERR_clear_error();
    return 0;
}

static void both_sides_agree(void **state)
{
    const struct fixture *f = *state;

    for (uint16_t id = EXCHANGE; id <= BIG_KEM; id++) {
        const struct group *g = group_by_id(f->lib, id);
        size_t share_len = id >= BIG ? TOY_BIG_SHARE_LEN : TOY_SHARE_LEN;
        struct shared_secret first, second;
        struct buffer offer = { 0 };
        struct buffer answer = { 0 };
        struct writer offered = writer_to(&offer);
        struct writer answered = writer_to(&answer);

        assert_non_null(g);
        struct group_key *key = group_generate(f->lib, g, &offered);
        assert_non_null(key);
        assert_int_equal(writer_len(&offered), share_len);
        writer_u16(&answered, 0x1234); /* an answer stands behind other things */
        assert_int_equal(
            group_encapsulate(f->lib, g, writer_begin(&offered), share_len, &answered, &first),
            GROUP_OK);
        assert_int_equal(writer_len(&answered), 2 + share_len);
        assert_int_equal(
            group_decapsulate(f->lib, key, writer_begin(&answered) + 2, share_len, &second),
            GROUP_OK);
        assert_int_equal(first.len, 32);
        assert_int_equal(second.len, 32);
        assert_memory_equal(first.bytes, second.bytes, 32);
        group_key_free(key);
        buffer_wipe(&offer);
        buffer_wipe(&answer);
    }
}

static void groups_outlive_their_library(void **state)
{
    (void)state;
    const struct group *before = NULL;

    for (int i = 0; i < 3; i++) {
        struct toy_context context;
        assert_true(toy_context_init(&context));
        const struct crypto_lib *lib = crypto_lib_new(context.libctx, NULL);
        const struct group *g = group_by_name(lib, "toykem", 6);

        assert_non_null(g);
        assert_true(before == NULL || before == g);
        before = g;
        crypto_lib_free(lib);
        toy_context_free(&context);
    }
    assert_string_equal(before->name, "toykem");
}

static void versions(void **state)
{
    const struct fixture *f = *state;
    const struct group *kem = group_by_id(f->lib, KEM);
    const struct group *old = group_by_id(f->lib, OLD_KEM);

    assert_true(group_serves(kem, TLS1_2_VERSION, TLS1_3_VERSION));
    assert_false(group_serves(kem, TLS1_VERSION, TLS1_2_VERSION));
    /* Encapsulation that is for TLS 1.2 alone is for nothing. */
    assert_false(group_serves(old, TLS1_2_VERSION, TLS1_2_VERSION));
    assert_false(group_serves(old, TLS1_3_VERSION, TLS1_3_VERSION));
    assert_false(group_is_curve(kem));
}

/* A share that is cut, longer, empty or damaged; nothing is left of what was written. */
static void expect_refusals(const struct crypto_lib *lib, uint16_t id)
{
    const struct group *g = group_by_id(lib, id);
    struct shared_secret shared;
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    uint8_t share[TOY_BIG_SHARE_LEN + 1];
    static const size_t lengths[] = { 0, 1, TOY_SHARE_LEN, TOY_BIG_SHARE_LEN - 1,
                                      TOY_BIG_SHARE_LEN + 1 };
    struct group_key *key = group_generate(lib, g, &w);

    assert_non_null(key);
    memcpy(share, writer_begin(&w), TOY_BIG_SHARE_LEN);
    share[TOY_BIG_SHARE_LEN] = share[TOY_BIG_SHARE_LEN - 1];
    writer_rollback(&w);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        assert_int_equal(group_encapsulate(lib, g, share, lengths[i], &w, &shared),
                         GROUP_BAD_SHARE);
        assert_int_equal(writer_len(&w), 0);
        assert_int_equal(group_decapsulate(lib, key, share, lengths[i], &shared),
                         g->kind == GROUP_PROVIDED_KEM ? GROUP_FAILED : GROUP_BAD_SHARE);
        assert_null(group_share_to_pkey(lib, g, share, lengths[i]));
    }
    share[TOY_BIG_SHARE_LEN - 1] ^= 1;
    assert_int_equal(group_encapsulate(lib, g, share, TOY_BIG_SHARE_LEN, &w, &shared),
                     GROUP_BAD_SHARE);
    group_key_free(key);
    buffer_wipe(&out);
}

static void bad_shares(void **state)
{
    const struct fixture *f = *state;

    expect_refusals(f->lib, BIG);
    expect_refusals(f->lib, BIG_KEM);
}

static bool makes_a_library(void *arg)
{
    const struct crypto_lib *lib = crypto_lib_new(arg, NULL);
    bool made = lib != NULL && group_by_id(lib, BIG_KEM) != NULL;

    crypto_lib_free(lib);
    ERR_clear_error();
    return made;
}

struct exchange {
    const struct crypto_lib *lib;
    const struct group *group;
};

/* All three steps; true when both sides have the same secret. Nothing is left of a failed answer.
 */
static bool one_exchange(void *arg)
{
    const struct exchange *e = arg;
    struct shared_secret first, second;
    struct buffer offer = { 0 };
    struct buffer answer = { 0 };
    struct writer offered = writer_to(&offer);
    struct writer answered = writer_to(&answer);
    struct group_key *key = group_generate(e->lib, e->group, &offered);
    bool done = false;

    if (key != NULL) {
        bool ok = group_encapsulate(e->lib, e->group, writer_begin(&offered), writer_len(&offered),
                                    &answered, &first) == GROUP_OK;
        assert_int_equal(writer_len(&answered), ok ? TOY_SHARE_LEN : 0);
        done = ok && group_decapsulate(e->lib, key, writer_begin(&answered), TOY_SHARE_LEN,
                                       &second) == GROUP_OK;
    }
    if (done) {
        assert_int_equal(first.len, second.len);
        assert_memory_equal(first.bytes, second.bytes, first.len);
    }
    group_key_free(key);
    buffer_wipe(&offer);
    buffer_wipe(&answer);
    ERR_clear_error();
    return done;
}

static void failures_of_the_provider(void **state)
{
    const struct fixture *f = *state;

    for (int step = TOY_GENERATE; step < TOY_NUM_STEPS; step++) {
        bool is_of_exchange = step == TOY_SET_PEER || step == TOY_DERIVE;
        bool is_of_kem = step == TOY_ENCAPSULATE || step == TOY_DECAPSULATE;
        struct exchange exchange = { f->lib, group_by_id(f->lib, EXCHANGE) };
        struct exchange kem = { f->lib, group_by_id(f->lib, KEM) };

        toy.fails = (enum toy_step)step;
        assert_int_equal(one_exchange(&exchange), is_of_kem);
        assert_int_equal(one_exchange(&kem), is_of_exchange);
        toy.fails = TOY_NOTHING;
    }
}

static void allocation_failures(void **state)
{
    const struct fixture *f = *state;
    struct exchange exchange = { f->lib, group_by_id(f->lib, EXCHANGE) };
    struct exchange kem = { f->lib, group_by_id(f->lib, KEM) };

    assert_true(fail_each_allocation(one_exchange, &exchange, true) > 20);
    assert_true(fail_each_allocation(one_exchange, &kem, true) > 20);
    assert_true(fail_each_allocation(makes_a_library, f->context.libctx, true) > 50);
}

/* A library for such descriptions; NULL: they make no sense. */
static bool is_taken(const struct toy_group *list, size_t num, size_t *known)
{
    struct toy_context context;

    assert_true(toy_context_init(&context));
    toy = (struct toy){ list, num, TOY_NOTHING };
    const struct crypto_lib *lib = crypto_lib_new(context.libctx, NULL);
    bool taken = lib != NULL;
    assert_true(taken || ERR_GET_REASON(ERR_peek_last_error()) == ERR_R_PASSED_INVALID_ARGUMENT);
    *known = 0;
    for (size_t i = 0; taken && i < num; i++) {
        *known += group_by_name(lib, list[i].name, strlen(list[i].name)) != NULL;
    }
    /* Whatever a provider says, the groups of TLS are what they were. */
    assert_true(!taken || (group_by_id(lib, 0x1d)->kind == GROUP_ECX &&
                           group_by_id(lib, 0x17)->kind == GROUP_EC));
    crypto_lib_free(lib);
    toy_context_free(&context);
    ERR_clear_error();
    return taken;
}

static void hostile_descriptions(void **state)
{
    (void)state;
    static char long_name[65536];
    const struct toy_group good = groups[0];
    struct toy_group list[3] = { good, good, good };
    size_t known;

    memset(long_name, 'x', sizeof(long_name) - 1);
    for (int i = 0; i < TOY_NUM_FIELDS; i++) {
        bool may_miss = 1 << i == TOY_FIELD_IS_KEM;
        list[1] = good;
        list[1].left_out = 1u << i;
        assert_int_equal(is_taken(list, 2, &known), may_miss);
        list[1].left_out = 0;
        list[1].misshapen = 1u << i;
        assert_false(is_taken(list, 2, &known));
    }
    list[1] = good;
    list[1].name = long_name;
    list[1].id = 1 + EXCHANGE;
    list[2] = good; /* twice the same */
    assert_true(is_taken(list, 3, &known));
    assert_int_equal(known, 3);
    list[1].id = 0;
    assert_true(is_taken(list, 2, &known));
    assert_int_equal(known, 1);
    list[1].id = 0x1d; /* X25519's */
    assert_true(is_taken(list, 2, &known));
    assert_int_equal(known, 2);
    list[1].id = 0x10000;
    assert_false(is_taken(list, 2, &known));
}

/* The default library context: contexts see the providers of the moment they are made at. */
static void default_context_is_asked_again(void **state)
{
    (void)state;
    const struct crypto_lib *before = crypto_lib_new(NULL, NULL);

    assert_ptr_equal(before, crypto_lib_default());
    assert_ptr_equal(before, crypto_lib_new(NULL, NULL));
    assert_null(group_by_id(before, KEM));
    OSSL_PROVIDER *provider = toy_load(NULL);
    assert_non_null(provider);
    const struct crypto_lib *during = crypto_lib_new(NULL, NULL);
    assert_ptr_equal(during, crypto_lib_new(NULL, NULL));
    assert_ptr_equal(before, crypto_lib_default());
    assert_non_null(group_by_id(during, KEM));
    assert_null(group_by_id(before, KEM));
    /* The same provider with other groups. */
    toy.num = 1;
    assert_null(group_by_id(crypto_lib_new(NULL, NULL), KEM));
    toy.num = NUM_GROUPS;
    assert_ptr_equal(during, crypto_lib_new(NULL, NULL));
    assert_int_equal(OSSL_PROVIDER_unload(provider), 1);
    assert_null(group_by_id(crypto_lib_new(NULL, NULL), KEM));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_sides_agree, set_up, tear_down),
        cmocka_unit_test_setup_teardown(groups_outlive_their_library, set_up, tear_down),
        cmocka_unit_test_setup_teardown(versions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(bad_shares, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failures_of_the_provider, set_up, tear_down),
        cmocka_unit_test_setup_teardown(allocation_failures, set_up, tear_down),
        cmocka_unit_test_setup_teardown(hostile_descriptions, set_up, tear_down),
        cmocka_unit_test_setup_teardown(default_context_is_asked_again, set_up, tear_down),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
