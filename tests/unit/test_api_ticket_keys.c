/*
 * The keys of tickets against a clock of the test: when they change, how long they open, who else
 * has them when a secret is shared, and that readers never see half a key.
 */
#include "unit.h"

#include "api/ticket_keys.h"
#include "api/ticket_secret.h"
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOW  (INT64_C(40000) * TICKET_KEY_PERIOD)
#define HOUR 3600

static struct ticket_key seal_key(SSL_CTX *ctx, int64_t now)
{
    struct ticket_key key = { 0 };

    assert_true(ticket_key_to_seal(ctx, now, &key));
    return key;
}

static bool opens(SSL_CTX *ctx, int64_t now, const struct ticket_key *key)
{
    struct ticket_key other = { 0 };
    bool found = false;

    assert_true(ticket_key_to_open(ctx, now, key->name, &other, &found));
    if (found) {
        assert_memory_equal(&other, key, TICKET_KEY_LEN);
        assert_int_equal(other.rotates, key->rotates);
    }
    return found;
}

static void test_rotation(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX *other = SSL_CTX_new(TLS_server_method());
    struct ticket_key first = seal_key(ctx, NOW);
    struct ticket_key same = seal_key(ctx, NOW + TICKET_KEY_PERIOD - 1);
    struct ticket_key second = seal_key(ctx, NOW + TICKET_KEY_PERIOD);
    const int64_t end = NOW + TICKET_KEY_PERIOD;

    (void)state;
    assert_true(first.rotates);
    assert_memory_equal(&first, &same, sizeof(first));
    assert_memory_not_equal(first.name, second.name, sizeof(first.name));
    assert_memory_not_equal(first.mac, second.mac, sizeof(first.mac));
    assert_memory_not_equal(first.cipher, second.cipher, sizeof(first.cipher));
    assert_false(opens(other, NOW, &first));
    /* The last ticket of the first period is good for the context's timeout, two hours. */
    assert_true(opens(ctx, end + 2 * HOUR - 1, &first));
    assert_false(opens(ctx, end + 2 * HOUR, &first));
    assert_true(opens(ctx, end + 2 * HOUR, &second));
    SSL_CTX_set_timeout(ctx, 100 * 24 * HOUR);
    assert_true(opens(ctx, end + 24 * HOUR, &first));
    assert_true(opens(ctx, NOW + 7 * 24 * HOUR, &first));
    assert_false(opens(ctx, NOW + 7 * 24 * HOUR + TICKET_KEY_PERIOD, &first));
    SSL_CTX_set_timeout(ctx, 0);
    assert_true(opens(ctx, end + 2 * HOUR - 1, &first));
    assert_false(opens(ctx, end + 2 * HOUR, &first));
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
}

/* A clock that jumps does no harm. */
static void test_jumps(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct ticket_key now = seal_key(ctx, NOW);
    struct ticket_key earlier = seal_key(ctx, NOW - 5 * TICKET_KEY_PERIOD);
    struct ticket_key zero = seal_key(ctx, 3 * TICKET_KEY_PERIOD);

    (void)state;
    assert_true(opens(ctx, NOW, &now));
    assert_true(opens(ctx, NOW - 5 * TICKET_KEY_PERIOD, &earlier));
    assert_false(opens(ctx, NOW - 5 * TICKET_KEY_PERIOD, &now));
    assert_true(opens(ctx, 3 * TICKET_KEY_PERIOD, &zero));
    SSL_CTX_free(ctx);
}

/* Processes that were forked have the same keys as time goes by, also when one of them was idle. */
static void test_forked(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    const int64_t begin = time(NULL);
    struct ticket_key keys[4];
    int ends[2];
    int status = -1;
    pid_t child;

    (void)state;
    SSL_CTX_set_timeout(ctx, 7 * 24 * HOUR);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        bool ok = true;
        for (int i = 0; i < 4; i++) {
            ok = ok && ticket_key_to_seal(ctx, begin + i * TICKET_KEY_PERIOD, &keys[i]);
        }
        _exit(!ok || write(ends[1], keys, sizeof(keys)) != sizeof(keys));
    }
    assert_int_equal(read(ends[0], keys, sizeof(keys)), sizeof(keys));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (int i = 0; i < 3; i++) {
        assert_memory_not_equal(&keys[i], &keys[i + 1], TICKET_KEY_LEN);
    }
    /* By a clock that is behind; then in the last period, which no key was asked for before. */
    assert_true(opens(ctx, begin, &keys[0]));
    assert_true(opens(ctx, begin, &keys[1]));
    for (int i = 3; i >= 0; i--) {
        assert_true(opens(ctx, begin + 3 * TICKET_KEY_PERIOD, &keys[i]));
    }
    struct ticket_key own = seal_key(ctx, begin + 3 * TICKET_KEY_PERIOD);
    assert_memory_equal(&own, &keys[3], TICKET_KEY_LEN);
    (void)close(ends[0]);
    (void)close(ends[1]);
    SSL_CTX_free(ctx);
}

/* Far ahead every process is on its own: nobody makes us derive for ever. */
static void test_far_ahead(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    const int64_t later = INT64_C(1000000) * TICKET_KEY_PERIOD;
    struct ticket_key key = seal_key(ctx, later);

    (void)state;
    assert_true(opens(ctx, later, &key));
    assert_true(opens(ctx, later + TICKET_KEY_PERIOD, &key));
    SSL_CTX_free(ctx);
}

static void test_application_keys(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct ticket_key rotating = seal_key(ctx, NOW);
    uint8_t keys[TICKET_KEY_LEN];
    uint8_t again[TICKET_KEY_LEN];
    struct ticket_key key;

    (void)state;
    assert_int_equal(SSL_CTX_get_tlsext_ticket_keys(ctx, keys, sizeof(keys)), 1);
    key = seal_key(ctx, NOW + 1000 * TICKET_KEY_PERIOD);
    assert_false(key.rotates);
    assert_memory_equal(&key, keys, sizeof(keys));
    assert_true(opens(ctx, NOW, &key));
    assert_false(opens(ctx, NOW, &rotating));
    fill_pattern(keys, sizeof(keys), 1, 1);
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof(keys)), 1);
    assert_false(opens(ctx, NOW, &key));
    key = seal_key(ctx, NOW);
    assert_memory_equal(&key, keys, sizeof(keys));
    assert_int_equal(SSL_CTX_get_tlsext_ticket_keys(ctx, again, sizeof(again)), 1);
    assert_memory_equal(again, keys, sizeof(keys));
    SSL_CTX_free(ctx);
}

/* --- Threads --- */

#define NUM_READERS 3
#define NUM_ROUNDS  20000

static bool make_rotating(void *arg)
{
    struct ticket_key key;
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    bool ok = ctx != NULL && ticket_key_to_seal(ctx, NOW, &key);

    (void)arg;
    SSL_CTX_free(ctx);
    return ok;
}

static void test_memory(void **state)
{
    (void)state;
    (void)fail_each_allocation(make_rotating, NULL, true);
}

/* Every byte of the keys that are set is the same. */
static void *read_keys(void *arg)
{
    for (int i = 0; i < NUM_ROUNDS; i++) {
        struct ticket_key key = { 0 };
        if (!ticket_key_to_seal(arg, NOW, &key) || key.rotates ||
            memcmp(key.name, &key.name[1], TICKET_KEY_LEN - 1) != 0) {
            return arg;
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    uint8_t keys[TICKET_KEY_LEN] = { 0 };
    pthread_t readers[NUM_READERS];
    void *failed = NULL;

    (void)state;
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof(keys)), 1);
    for (size_t i = 0; i < NUM_READERS; i++) {
        assert_int_equal(pthread_create(&readers[i], NULL, read_keys, ctx), 0);
    }
    for (int i = 0; i < NUM_ROUNDS; i++) {
        memset(keys, i, sizeof(keys));
        assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(ctx, keys, sizeof(keys)), 1);
    }
    for (size_t i = 0; i < NUM_READERS; i++) {
        assert_int_equal(pthread_join(readers[i], &failed), 0);
        assert_null(failed);
    }
    SSL_CTX_free(ctx);
}

/* --- A shared secret --- */

static char folder[] = "/tmp/ticket-secret-XXXXXX";
static char path[64];

static void write_secret(const char *file, const char *text, mode_t mode)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, mode);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

/* The secret file gets other contents, as an operator would replace it. */
static void replace_secret(const char *text, mode_t mode)
{
    char fresh[80];

    (void)snprintf(fresh, sizeof(fresh), "%s.new", path);
    write_secret(fresh, text, mode);
    assert_int_equal(rename(fresh, path), 0);
}

static void assert_refused(const char *text, mode_t mode, const char *why)
{
    const char *data = NULL;
    int flags = 0;
    unsigned long error;

    write_secret(path, text, mode);
    assert_null(SSL_CTX_new(TLS_server_method()));
    error = ERR_peek_last_error_all(NULL, NULL, NULL, &data, &flags);
    assert_int_equal(ERR_GET_REASON(error), SSL_R_BAD_VALUE);
    assert_non_null(strstr(data, path));
    assert_non_null(strstr(data, why));
    ERR_clear_error();
}

#define SECRET "0123456789abcdef0123456789abcdef"

static void test_refused(void **state)
{
    SSL_CTX *client;

    (void)state;
    assert_int_equal(setenv("TENON_TICKET_SECRET_FILE", path, 1), 0);
    assert_null(SSL_CTX_new(TLS_server_method()));
    assert_int_equal(ERR_GET_REASON(ERR_peek_last_error()), SSL_R_BAD_VALUE);
    assert_refused(SECRET, 0640, "others");
    assert_refused(SECRET, 0604, "others");
    assert_refused("short", 0600, "32");
    /* A client has no use for it. */
    client = SSL_CTX_new(TLS_client_method());
    assert_non_null(client);
    SSL_CTX_free(client);
    write_secret(path, SECRET, 0600);
}

static void test_shared(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL_CTX *other = SSL_CTX_new(TLS_method());
    struct ticket_key key;

    (void)state;
    assert_non_null(ctx);
    assert_non_null(other);
    SSL_CTX_set_timeout(other, 100 * 24 * HOUR);
    key = seal_key(ctx, NOW);
    assert_true(key.rotates);
    /* Now, in a week, and by a clock that is behind. */
    assert_true(opens(other, NOW, &key));
    assert_true(opens(other, NOW + 7 * 24 * HOUR, &key));
    assert_true(opens(other, NOW - TICKET_KEY_PERIOD, &key));
    assert_false(opens(other, NOW - 2 * TICKET_KEY_PERIOD, &key));
    assert_false(opens(other, NOW + 7 * 24 * HOUR + TICKET_KEY_PERIOD, &key));
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
}

/* Whoever may not read the file is not among those that share. */
static void test_forbidden(void **state)
{
    int status = -1;
    pid_t child;

    (void)state;
    assert_int_equal(chmod(path, 0), 0);
    child = fork();
    if (child == 0) {
        SSL_CTX *ctx;
        struct ticket_key key = { 0 };
        bool ok = geteuid() != 0 || seteuid(65534) == 0;
        ctx = SSL_CTX_new(TLS_server_method());
        ok = ok && ctx != NULL && ticket_secret_generation(NOW) == 0 &&
             ticket_key_to_seal(ctx, NOW, &key) && key.rotates;
        SSL_CTX_free(ctx);
        _exit(ok ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(chmod(path, 0600), 0);
}

/* What is derived is a matter between machines: it stays as it is, whatever else changes. */
static void test_derivation(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct ticket_key key = seal_key(ctx, NOW);

    (void)state;
    assert_hex(key.name, TICKET_KEY_NAME_LEN, "bb2cd65fb5997add52dec8427e7494d9");
    SSL_CTX_free(ctx);
}

static void test_replaced(void **state)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct ticket_key first = seal_key(ctx, NOW);
    struct ticket_key second;

    (void)state;
    replace_secret("another secret of 32 bytes or so", 0600);
    assert_true(opens(ctx, NOW, &first)); /* not twice in a second */
    assert_false(opens(ctx, NOW + 1, &first));
    second = seal_key(ctx, NOW + 1);
    assert_memory_not_equal(first.name, second.name, sizeof(first.name));
    assert_true(opens(ctx, NOW + 1, &second));
    /* What is no secret is not taken, and neither does a missing file end anything. */
    replace_secret(SECRET, 0644);
    assert_true(opens(ctx, NOW + 2, &second));
    assert_int_equal(unlink(path), 0);
    assert_true(opens(ctx, NOW + 3, &second));
    replace_secret(SECRET, 0600);
    assert_true(opens(ctx, NOW + 4, &first));
    assert_false(opens(ctx, NOW + 4, &second));
    SSL_CTX_free(ctx);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory),     cmocka_unit_test(test_rotation),
        cmocka_unit_test(test_jumps),      cmocka_unit_test(test_forked),
        cmocka_unit_test(test_far_ahead),  cmocka_unit_test(test_application_keys),
        cmocka_unit_test(test_threads),    cmocka_unit_test(test_refused),
        cmocka_unit_test(test_forbidden),  cmocka_unit_test(test_shared),
        cmocka_unit_test(test_derivation), cmocka_unit_test(test_replaced),
    };
    int result;

    failing_alloc_install();
    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(path, sizeof(path), "%s/secret", folder);
    result = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(path);
    (void)rmdir(folder);
    return result;
}
