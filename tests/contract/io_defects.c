/*
 * Defects of OpenSSL 3.0.22 that Tenon does not copy; each is a line of docs/differences.md. The
 * system's library shows the defect, Tenon must do what the manual page promises.
 */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A well-behaved peer asks for a key update, then sends another handshake message, while a write
 * of ours is blocked. The system's SSL_read then fails with "bad length". */
static void update_request_during_blocked_write(int second)
{
    uint8_t *data = pattern_new(1000, 1);
    struct pair p;
    char got[16];
    int ret;

    section("KeyUpdate(update_requested), then KeyUpdate(%d), while a write is blocked", second);
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 10);
    CHECK(call_write(p.client, data, 1000) == -1);
    CHECK(SSL_key_update(p.server, SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(call_do_handshake(p.server) == 1);
    CHECK(SSL_key_update(p.server, second) == 1);
    CHECK(call_write(p.server, "data", 4) == 4);
    difference_begin("key-update-during-blocked-write");
    ret = call_read(p.client, got, sizeof(got));
    CHECK(!on_tenon() || ret == 4);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    ret = call_write(p.client, data, 1000);
    CHECK(!on_tenon() || (ret == 1000 && drive_read(p.server, 1000) == 1000));
    ret = call_write(p.client, "after", 5);
    CHECK(!on_tenon() || (ret == 5 && drive_read(p.server, 5) == 5));
    errors_drop();
    difference_end();
    pair_free(&p);
    free(data);
}

/* The request alone is harmless: the write is finished, then the owed answer goes out. */
static void update_request_alone(void)
{
    uint8_t *data = pattern_new(1000, 2);
    struct pair p;
    char got[16];

    section("KeyUpdate(update_requested) alone while a write is blocked");
    pair_init_connected(&p, OVER_WIRE, 0);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 10);
    CHECK(call_write(p.client, data, 1000) == -1);
    CHECK(SSL_key_update(p.server, SSL_KEY_UPDATE_REQUESTED) == 1);
    CHECK(call_write(p.server, "data", 4) == 4);
    CHECK(call_read(p.client, got, sizeof(got)) == 4);
    CHECK(call_write(p.client, data, 1000) == -1);
    wire_records_reset(p.wire, WIRE_CLIENT);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 1000) == 1000);
    CHECK(drive_read(p.server, 1000) == 1000);
    wire_records_reset(p.wire, WIRE_CLIENT);
    log_alive(p.client, p.server);
    wire_records_log(p.wire, WIRE_CLIENT);
    pair_free(&p);
    free(data);
}

/* Runs in a child: its exit status is what SSL_get_error said. */
static void ask_without_read_bio(void)
{
    struct pair p;
    char got[16];
    int ret;

    pair_init_connected(&p, OVER_WIRE, 0);
    ret = SSL_read(p.client, got, sizeof(got));
    SSL_set0_rbio(p.client, NULL);
    _exit(SSL_get_error(p.client, ret));
}

static void get_error_without_read_bio(void)
{
    int status = 0;
    pid_t child;

    section("SSL_get_error of an SSL whose read BIO is gone");
    (void)fflush(stdout);
    child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
        REQUIRE(freopen("/dev/null", "w", stderr) != NULL);
        ask_without_read_bio();
    }
    REQUIRE(waitpid(child, &status, 0) == child);
    log_difference("get-error-without-read-bio", "%s",
                   WIFEXITED(status) && WEXITSTATUS(status) == SSL_ERROR_WANT_READ
                       ? name_of_error(WEXITSTATUS(status))
                       : "crashed");
    CHECK(!on_tenon() || (WIFEXITED(status) && WEXITSTATUS(status) == SSL_ERROR_WANT_READ));
}

/* A BIO that asks for a retry in BIO_flush: the handshake must wait, not fail. */
static void flush_asks_for_retry(void)
{
    static const int once[] = { WIRE_RETRY };
    struct pair p;
    int ret;

    section("BIO_flush asks for a retry in the handshake");
    pair_init(&p, OVER_WIRE, 0);
    wire_script(p.wire, WIRE_CLIENT, WIRE_FLUSH, once, 1);
    wire_script(p.wire, WIRE_SERVER, WIRE_FLUSH, once, 1);
    difference_begin("flush-retry");
    ret = call_do_handshake(p.client);
    CHECK(!on_tenon() || SSL_get_error(p.client, ret) == SSL_ERROR_WANT_WRITE);
    difference_end();
    CHECK(call_do_handshake(p.client) == -1);
    difference_begin("flush-retry");
    ret = call_do_handshake(p.server);
    CHECK(!on_tenon() || SSL_get_error(p.server, ret) == SSL_ERROR_WANT_WRITE);
    difference_end();
    CHECK(log_handshake(p.client, p.server));
    log_alive(p.client, p.server);
    section("BIO_flush asks for a retry after a KeyUpdate");
    CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
    wire_script(p.wire, WIRE_CLIENT, WIRE_FLUSH, once, 1);
    difference_begin("flush-retry");
    ret = call_write(p.client, "data", 4);
    CHECK(!on_tenon() || SSL_get_error(p.client, ret) == SSL_ERROR_WANT_WRITE);
    difference_end();
    CHECK(call_write(p.client, "data", 4) == 4);
    CHECK(drive_read(p.server, 4) == 4);
    log_alive(p.client, p.server);
    section("BIO_flush asks for a retry after close_notify");
    wire_script(p.wire, WIRE_CLIENT, WIRE_FLUSH, once, 1);
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.client);
    pair_free(&p);
}

/* A flush that fails for good is a failure of the transport. */
static void flush_fails(void)
{
    static const int once[] = { WIRE_FATAL };
    struct pair p;

    section("BIO_flush fails in the handshake");
    pair_init(&p, OVER_WIRE, 0);
    wire_script(p.wire, WIRE_CLIENT, WIRE_FLUSH, once, 1);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.client);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    update_request_during_blocked_write(SSL_KEY_UPDATE_NOT_REQUESTED);
    update_request_during_blocked_write(SSL_KEY_UPDATE_REQUESTED);
    update_request_alone();
    get_error_without_read_bio();
    flush_asks_for_retry();
    flush_fails();
    identity_default_free();
    return contract_finish();
}
