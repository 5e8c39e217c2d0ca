/*
 * The retry rule: after WANT_WRITE the call is repeated with the same arguments; otherwise it fails
 * with "bad write retry" and nothing is sent. SSL_write(3), SSL_CTX_set_mode(3).
 *
 * All buffers are heap blocks of exactly the stated length, so that ASan sees a read beyond.
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* What the second call passes, relative to the first. */
struct variant {
    const char *name;
    long mode;
    bool same_buffer;
    int first_len;
    int second_len;
};

static const struct variant variants[] = {
    { "same buffer, same length", 0, true, 1000, 1000 },
    { "same buffer, shorter", 0, true, 1000, 999 },
    { "same buffer, one byte", 0, true, 1000, 1 },
    { "same buffer, nothing", 0, true, 1000, 0 },
    { "same buffer, longer", 0, true, 500, 1000 },
    { "other buffer, same length", 0, false, 1000, 1000 },
    { "other buffer, shorter", 0, false, 1000, 999 },
    { "other buffer, longer", 0, false, 500, 1000 },
    { "moving: same buffer, same length", SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, true, 1000, 1000 },
    { "moving: other buffer, same length", SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, false, 1000, 1000 },
    { "moving: other buffer, longer", SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, false, 500, 1000 },
    { "moving: other buffer, shorter", SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, false, 1000, 999 },
    { "partial: same buffer, same length", SSL_MODE_ENABLE_PARTIAL_WRITE, true, 1000, 1000 },
    { "partial: other buffer", SSL_MODE_ENABLE_PARTIAL_WRITE, false, 1000, 1000 },
    { "partial: shorter", SSL_MODE_ENABLE_PARTIAL_WRITE, true, 1000, 999 },
    { "several records, same", 0, true, 40000, 40000 },
    { "several records, shorter", 0, true, 40000, 39999 },
    { "several records, shorter but beyond the pending one", 0, true, 40000, 20000 },
    { "several records, shorter than the pending one", 0, true, 40000, 16383 },
    { "several records, exactly the pending one", 0, true, 40000, 16384 },
    { "several records, other buffer", 0, false, 40000, 40000 },
    { "several records, longer", 0, true, 20000, 40000 },
    { "several records, moving, other buffer", SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, false, 40000,
      40000 },
    { "several records, partial, shorter", SSL_MODE_ENABLE_PARTIAL_WRITE, true, 40000, 20000 },
    { "several records, partial, one record", SSL_MODE_ENABLE_PARTIAL_WRITE, true, 40000, 16384 },
    { "several records, partial and moving, other buffer",
      SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER, false, 40000, 40000 },
};

static void deliver(struct pair *p)
{
    static uint8_t got[65536];

    for (int i = 0; i < 8; i++) {
        if (call_read(p->server, got, sizeof(got)) <= 0) {
            break;
        }
    }
}

/* The transport is closed for the first call and opens `room` bytes before the second. */
static void run_variant(const struct variant *v, size_t first_room)
{
    int longest = v->first_len > v->second_len ? v->first_len : v->second_len;
    uint8_t *data = pattern_new((size_t)(v->same_buffer ? longest : v->first_len), 1);
    uint8_t *other = pattern_new((size_t)v->second_len, 1);
    uint8_t *second = v->same_buffer ? data : other;
    struct pair p;

    section("%s (%zu through)", v->name, first_room);
    pair_init_connected(&p, OVER_WIRE, 0);
    if (v->mode != 0) {
        note("mode %ld", SSL_set_mode(p.client, v->mode));
    }
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, first_room);
    CHECK(call_write(p.client, data, v->first_len) == -1);
    if (!v->same_buffer) {
        /* The old block may be gone: only the new one is the caller's now. */
        free(data);
        data = NULL;
    }
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    if (call_write(p.client, second, v->second_len) < 0) {
        note("sent by the bad retry: %zu", wire_waiting(p.wire, WIRE_SERVER) - first_room);
        /* The promise still stands: the right arguments finish the write. */
        if (v->same_buffer) {
            (void)call_write(p.client, data, v->first_len);
        }
    }
    deliver(&p);
    pair_free(&p);
    free(data);
    free(other);
}

/* While blocked, any number of right retries is fine; a negative length does no harm. */
static void many_retries(void)
{
    uint8_t *data = pattern_new(3000, 2);
    struct pair p;

    section("right retries in turn");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(p.client, data, 3000) == -1);
    CHECK(call_write(p.client, data, 3000) == -1);
    CHECK(call_write(p.client, data, -1) == -1);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(p.client, data, 3000) == -1);
    note("on the wire %zu", wire_waiting(p.wire, WIRE_SERVER));
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 3000) == 3000);
    deliver(&p);
    pair_free(&p);
    free(data);
}

/* A bad retry ends the connection; what each later call says, and what goes out. */
static void after_bad_retry(bool shorter)
{
    uint8_t *data = pattern_new(3000, 2);
    uint8_t *other = pattern_new(3000, 3);
    char got[16];
    struct pair p;

    section("after a bad retry (%s)", shorter ? "shorter" : "other buffer");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.server, "waiting", 7) == 7);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(p.client, data, 3000) == -1);
    CHECK(call_write(p.client, shorter ? data : other, shorter ? 2000 : 3000) == -1);
    CHECK(call_write(p.client, data, 3000) == -1);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    (void)call_read(p.client, got, sizeof(got));
    (void)call_write(p.client, data, 3000);
    log_state(p.client);
    (void)call_shutdown(p.client);
    (void)call_do_handshake(p.client);
    note("on the wire %zu", wire_waiting(p.wire, WIRE_SERVER));
    deliver(&p);
    pair_free(&p);
    free(data);
    free(other);
}

/* Tenon's entry says in its data what the first call passed and what this one did; the system's has
 * no data. Only whether the lengths are named is logged: the text holds addresses. */
static void error_says_what(bool shorter)
{
    uint8_t *data = pattern_new(2345, 2);
    uint8_t *other = pattern_new(2345, 2);
    const char *text = "";
    int flags = 0;
    bool first_named;
    bool this_named;
    struct pair p;

    section("the data of the error entry (%s)", shorter ? "shorter" : "other buffer");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 100);
    CHECK(call_write(p.client, data, 2345) == -1);
    note("SSL_write = %d", SSL_write(p.client, shorter ? data : other, shorter ? 1678 : 2345));
    (void)ERR_peek_last_error_data(&text, &flags);
    first_named = (flags & ERR_TXT_STRING) != 0 && strstr(text, "2345") != NULL;
    this_named = (flags & ERR_TXT_STRING) != 0 && strstr(text, shorter ? "1678" : "2345") != NULL;
    log_difference("bad-write-retry-says-what", "first length named %d, this length named %d",
                   first_named, this_named);
    CHECK(!on_tenon() || (first_named && this_named));
    log_errors("error");
    pair_free(&p);
    free(data);
    free(other);
}

/* What was sealed in the first call goes out, not what the buffer holds at the retry. */
static void changed_content(void)
{
    uint8_t *data = pattern_new(1000, 4);
    struct pair p;

    section("content changed between the calls");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 0);
    CHECK(call_write(p.client, data, 1000) == -1);
    memset(data, 0, 1000);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 1000) == 1000);
    deliver(&p);
    pair_free(&p);
    free(data);
}

/* _ex and int forms may alternate; the mode may change between the calls. */
static void mixed_forms(void)
{
    uint8_t *data = pattern_new(1000, 5);
    uint8_t *other = pattern_new(1000, 5);
    size_t done;
    struct pair p;

    section("SSL_write retried by SSL_write_ex, then moving mode switched on");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 1);
    CHECK(call_write(p.client, data, 1000) == -1);
    CHECK(call_write_ex(p.client, data, 1000, &done) == 0);
    (void)SSL_set_mode(p.client, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    CHECK(call_write_ex(p.client, other, 1000, &done) == 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, other, 1000) == 1000);
    deliver(&p);
    pair_free(&p);
    free(data);
    free(other);
}

/* A write that is blocked in the implicit handshake has promised nothing yet. */
static void blocked_in_handshake(void)
{
    uint8_t *data = pattern_new(1000, 6);
    uint8_t *other = pattern_new(500, 7);
    struct pair p;

    section("another buffer after WANT_READ of the handshake");
    pair_init(&p, OVER_WIRE, 0);
    CHECK(call_write(p.client, data, 1000) == -1);
    free(data);
    (void)SSL_do_handshake(p.server);
    if (!pair_is_tls13()) {
        CHECK(call_write(p.client, other, 500) == -1);
        (void)SSL_do_handshake(p.server);
    }
    CHECK(call_write(p.client, other, 500) == 500);
    CHECK(drive_handshake(p.client, p.server));
    deliver(&p);
    pair_free(&p);
    free(other);
}

int main(void)
{
    contract_start();
    for (size_t i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
        run_variant(&variants[i], 0);
        run_variant(&variants[i], 10);
    }
    run_variant(&variants[16], 16416);
    run_variant(&variants[17], 16416);
    run_variant(&variants[18], 16416);
    run_variant(&variants[20], 16416);
    run_variant(&variants[21], 16416);
    run_variant(&variants[22], 16416);
    many_retries();
    after_bad_retry(false);
    after_bad_retry(true);
    error_says_what(false);
    error_says_what(true);
    changed_content();
    mixed_forms();
    blocked_in_handshake();
    identity_default_free();
    return contract_finish();
}
