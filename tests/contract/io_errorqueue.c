/*
 * Entries that somebody else left in the thread's error queue. SSL_get_error(3) of the system's
 * library takes any entry for this SSL's failure, so the manual page asks for an empty queue. Tenon
 * judges this SSL's last call alone (docs/differences.md). What stays in the queue is the same.
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

#define SLUG "get-error-judges-own-call"

static void leave_foreign_entry(void)
{
    ERR_raise(ERR_LIB_USER, 42);
}

/* Logs what SSL_get_error says of `ret` as a difference; on Tenon it must be `own`. */
static void judge(SSL *ssl, const char *what, int ret, int own)
{
    int error = SSL_get_error(ssl, ret);

    note("%s = %d want %s", what, ret, name_of_want(SSL_want(ssl)));
    log_difference(SLUG, "%s", name_of_error(error));
    CHECK(!on_tenon() || error == own);
    log_errors("left");
}

static void before_the_call(void)
{
    struct pair p;
    char got[16];

    section("an entry from before the call");
    pair_init_connected(&p, OVER_WIRE, 0);
    leave_foreign_entry();
    judge(p.client, "SSL_read", SSL_read(p.client, got, sizeof(got)), SSL_ERROR_WANT_READ);
    leave_foreign_entry();
    judge(p.client, "SSL_peek", SSL_peek(p.client, got, sizeof(got)), SSL_ERROR_WANT_READ);
    leave_foreign_entry();
    judge(p.client, "SSL_do_handshake", SSL_do_handshake(p.client), SSL_ERROR_NONE);
    leave_foreign_entry();
    judge(p.client, "SSL_write", SSL_write(p.client, "data", 4), SSL_ERROR_NONE);
    leave_foreign_entry();
    judge(p.server, "SSL_read", SSL_read(p.server, got, sizeof(got)), SSL_ERROR_NONE);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 0);
    leave_foreign_entry();
    judge(p.client, "SSL_write", SSL_write(p.client, "data", 4), SSL_ERROR_WANT_WRITE);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    leave_foreign_entry();
    judge(p.client, "SSL_write", SSL_write(p.client, "data", 4), SSL_ERROR_NONE);
    leave_foreign_entry();
    judge(p.client, "SSL_shutdown", SSL_shutdown(p.client), SSL_ERROR_SYSCALL);
    (void)SSL_read(p.server, got, sizeof(got));
    leave_foreign_entry();
    judge(p.server, "SSL_read at the end", SSL_read(p.server, got, sizeof(got)),
          SSL_ERROR_ZERO_RETURN);
    leave_foreign_entry();
    judge(p.server, "SSL_shutdown", SSL_shutdown(p.server), SSL_ERROR_NONE);
    pair_free(&p);
}

/* The handshake's state machine empties the queue by itself. */
static void before_the_handshake(void)
{
    struct pair p;
    char got[16];

    section("an entry from before the handshake");
    pair_init(&p, OVER_WIRE, 0);
    leave_foreign_entry();
    judge(p.client, "SSL_do_handshake", SSL_do_handshake(p.client), SSL_ERROR_WANT_READ);
    leave_foreign_entry();
    judge(p.server, "SSL_read", SSL_read(p.server, got, sizeof(got)), SSL_ERROR_WANT_READ);
    if (!pair_is_tls13()) {
        leave_foreign_entry();
        judge(p.client, "SSL_write", SSL_write(p.client, "x", 1), SSL_ERROR_WANT_READ);
        leave_foreign_entry();
        judge(p.server, "SSL_read", SSL_read(p.server, got, sizeof(got)), SSL_ERROR_WANT_READ);
    }
    leave_foreign_entry();
    judge(p.client, "SSL_write", SSL_write(p.client, "x", 1), SSL_ERROR_NONE);
    leave_foreign_entry();
    judge(p.server, "SSL_read", SSL_read(p.server, got, sizeof(got)), SSL_ERROR_NONE);
    pair_free(&p);
}

static void after_the_call(void)
{
    struct pair p;
    char got[16];
    int ret;

    section("an entry from after the call");
    pair_init_connected(&p, OVER_WIRE, 0);
    ret = SSL_read(p.client, got, sizeof(got));
    leave_foreign_entry();
    judge(p.client, "SSL_read", ret, SSL_ERROR_WANT_READ);
    wire_default(p.wire, WIRE_CLIENT, WIRE_READ, WIRE_FATAL);
    ret = SSL_read(p.client, got, sizeof(got));
    leave_foreign_entry();
    judge(p.client, "SSL_read of a failing transport", ret, SSL_ERROR_SYSCALL);
    pair_free(&p);
}

/* The entries of another SSL on the same thread are foreign, too. */
static void of_another_ssl(void)
{
    struct pair p;
    struct pair broken;
    char got[16];
    int ret;
    int other;

    section("an entry of another SSL");
    pair_init_connected(&p, OVER_WIRE, 0);
    pair_init_connected(&broken, OVER_WIRE, 0);
    wire_close_towards(broken.wire, WIRE_CLIENT);
    other = SSL_read(broken.client, got, sizeof(got));
    ret = SSL_read(p.client, got, sizeof(got));
    note("the broken one: %s", name_of_error(SSL_get_error(broken.client, other)));
    judge(p.client, "SSL_read", ret, SSL_ERROR_WANT_READ);
    ret = SSL_read(p.client, got, sizeof(got));
    judge(broken.client, "broken SSL_read", SSL_read(broken.client, got, sizeof(got)),
          SSL_ERROR_SYSCALL);
    judge(p.client, "SSL_read", ret, SSL_ERROR_WANT_READ);
    pair_free(&broken);
    pair_free(&p);
}

/* This SSL's own failure is named as such, whatever stands around it in the queue. */
static void own_failure(void)
{
    struct pair p;
    char got[16];
    int ret;

    section("an own failure among foreign entries");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_close_towards(p.wire, WIRE_CLIENT);
    leave_foreign_entry();
    ret = SSL_read(p.client, got, sizeof(got));
    leave_foreign_entry();
    judge(p.client, "SSL_read", ret, SSL_ERROR_SSL);
    leave_foreign_entry();
    ret = SSL_write(p.client, "x", -1);
    judge(p.client, "SSL_write", ret, SSL_ERROR_SSL);
    section("an own failure, and the queue emptied before SSL_get_error");
    ret = SSL_write(p.client, "x", -1);
    ERR_clear_error();
    judge(p.client, "SSL_write", ret, SSL_ERROR_SSL);
    pair_free(&p);
}

/* What a failing call does with the entries that were there before. */
static void queue_is_kept(void)
{
    struct pair p;

    section("what stays in the queue after a failed handshake");
    pair_init(&p, OVER_WIRE, 0);
    (void)SSL_do_handshake(p.client);
    wire_inject(p.wire, WIRE_CLIENT, "this is no TLS record", 21);
    leave_foreign_entry();
    errors_keep_foreign(true);
    note("SSL_do_handshake = %d", SSL_do_handshake(p.client));
    log_errors("left");
    leave_foreign_entry();
    note("SSL_do_handshake = %d", SSL_do_handshake(p.client));
    log_errors("left");
    errors_keep_foreign(false);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    before_the_call();
    before_the_handshake();
    after_the_call();
    of_another_ssl();
    own_failure();
    queue_is_kept();
    identity_default_free();
    return contract_finish();
}
