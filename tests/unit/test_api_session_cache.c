/*
 * The cache of sessions where OpenSSL's would be damaged: a session that gets another id or version
 * while it is in there.
 */
#include "unit.h"

#include "api/session_cache.h"
#include <string.h>

static SSL_SESSION *add(SSL_CTX *ctx, const char *id)
{
    SSL_SESSION *session = SSL_SESSION_new();

    assert_non_null(session);
    assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION), 1);
    assert_int_equal(SSL_SESSION_set1_id(session, (const uint8_t *)id, (unsigned)strlen(id)), 1);
    assert_int_equal(SSL_CTX_add_session(ctx, session), 1);
    return session;
}

/* The session of an id, without a reference; NULL: none. */
static SSL_SESSION *find(SSL_CTX *ctx, uint16_t version, const char *id)
{
    SSL_SESSION *found = session_cache_find(ctx, version, (const uint8_t *)id, strlen(id));

    session_free(found);
    return found;
}

static void test_renamed(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *session = add(ctx, "old");

    (void)state;
    assert_int_equal(SSL_SESSION_set1_id(session, (const uint8_t *)"new", 3), 1);
    assert_null(find(ctx, TLS1_2_VERSION, "old"));
    assert_ptr_equal(find(ctx, TLS1_2_VERSION, "new"), session);
    assert_int_equal(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
    assert_null(find(ctx, TLS1_2_VERSION, "new"));
    assert_ptr_equal(find(ctx, TLS1_3_VERSION, "new"), session);
    assert_int_equal(SSL_CTX_sess_number(ctx), 1);
    SSL_CTX_flush_sessions(ctx, 0);
    assert_int_equal(SSL_CTX_sess_number(ctx), 0);
    assert_null(find(ctx, TLS1_3_VERSION, "new"));
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
}

/* The name was another session's. */
static void test_renamed_to_another(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *one = add(ctx, "one");
    SSL_SESSION *two = add(ctx, "two");

    (void)state;
    assert_int_equal(SSL_SESSION_set1_id(one, (const uint8_t *)"two", 3), 1);
    assert_int_equal(SSL_CTX_sess_number(ctx), 1);
    assert_ptr_equal(find(ctx, TLS1_2_VERSION, "two"), one);
    assert_int_equal(SSL_CTX_remove_session(ctx, one), 1);
    assert_int_equal(SSL_CTX_sess_number(ctx), 0);
    SSL_SESSION_free(one);
    SSL_SESSION_free(two);
    SSL_CTX_free(ctx);
}

/* Without memory for the table it leaves the cache, and nothing else happens. */
static bool rename_many(void *arg)
{
    SSL_CTX *ctx = arg;
    char id[8] = "id 00";
    SSL_SESSION *session;

    failing_alloc_pause(true);
    session = add(ctx, "first");
    failing_alloc_pause(false);
    for (int i = 0; i < 20; i++) {
        id[4] = (char)('a' + i);
        (void)SSL_SESSION_set1_id(session, (const uint8_t *)id, 5);
    }
    bool kept = find(ctx, TLS1_2_VERSION, id) == session;
    (void)SSL_CTX_remove_session(ctx, session);
    SSL_SESSION_free(session);
    return kept;
}

static void test_renamed_without_memory(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    (void)state;
    assert_true(fail_each_allocation(rename_many, ctx, true) > 0);
    assert_int_equal(SSL_CTX_sess_number(ctx), 0);
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_renamed_without_memory),
        cmocka_unit_test(test_renamed),
        cmocka_unit_test(test_renamed_to_another),
    };

    failing_alloc_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
