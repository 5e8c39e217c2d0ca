/*
 * Questions change nothing: whatever is asked between two calls, the calls' outcomes stay the same.
 * And separate BIOs: one only read, one only written.
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

/* Everything that only asks; the sum keeps the compiler from dropping it. */
static unsigned long ask_everything(SSL *ssl)
{
    unsigned long sum = 0;

    sum += (unsigned long)SSL_pending(ssl) + (unsigned long)SSL_has_pending(ssl);
    sum += (unsigned long)SSL_want(ssl) + (unsigned long)SSL_get_shutdown(ssl);
    sum += (unsigned long)SSL_get_state(ssl) + (unsigned long)SSL_in_init(ssl);
    sum += (unsigned long)SSL_in_before(ssl) + (unsigned long)SSL_is_init_finished(ssl);
    sum += (unsigned long)SSL_version(ssl) + (unsigned long)SSL_is_server(ssl);
    sum += (unsigned long)SSL_get_error(ssl, 1) + (unsigned long)SSL_get_error(ssl, -1);
    sum += (unsigned long)SSL_get_error(ssl, 0) + (unsigned long)SSL_get_mode(ssl);
    sum += (unsigned long)SSL_get_key_update_type(ssl) + (unsigned long)SSL_session_reused(ssl);
    sum += (unsigned long)SSL_get_fd(ssl) + (unsigned long)SSL_is_dtls(ssl);
    sum += (unsigned long)(SSL_get_rbio(ssl) != NULL) + (unsigned long)(SSL_get_wbio(ssl) != NULL);
    sum += strlen(SSL_state_string(ssl)) + strlen(SSL_state_string_long(ssl));
    sum += strlen(SSL_rstate_string(ssl)) + strlen(SSL_rstate_string_long(ssl));
    sum += (unsigned long)(SSL_get_current_cipher(ssl) != NULL);
    sum += (unsigned long)(SSL_get0_peer_certificate(ssl) != NULL);
    sum += (unsigned long)SSL_get_verify_result(ssl) + (unsigned long)SSL_client_version(ssl);
    ERR_clear_error();
    return sum;
}

static void log_rstate(SSL *ssl)
{
    note("%s: state %s (%s) record state %s (%s)", ssl_get_name(ssl), SSL_state_string(ssl),
         SSL_state_string_long(ssl), SSL_rstate_string(ssl), SSL_rstate_string_long(ssl));
}

static void questions_in_between(void)
{
    uint8_t *data = pattern_new(20000, 1);
    uint8_t got[32];
    struct pair p;
    unsigned long sum = 0;

    section("questions between the calls of a conversation");
    pair_init(&p, OVER_WIRE, 0);
    log_rstate(p.client);
    sum += ask_everything(p.client) + ask_everything(p.server);
    CHECK(call_do_handshake(p.client) == -1);
    log_rstate(p.client);
    sum += ask_everything(p.client);
    note("want %s error %s", name_of_want(SSL_want(p.client)),
         name_of_error(SSL_get_error(p.client, -1)));
    CHECK(log_handshake(p.client, p.server));
    sum += ask_everything(p.client) + ask_everything(p.server);
    log_rstate(p.client);
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, 9000);
    CHECK(call_write(p.client, data, 20000) == -1);
    sum += ask_everything(p.client);
    note("want %s error %s", name_of_want(SSL_want(p.client)),
         name_of_error(SSL_get_error(p.client, -1)));
    wire_budget(p.wire, WIRE_CLIENT, WIRE_WRITE, WIRE_UNLIMITED);
    CHECK(call_write(p.client, data, 20000) == 20000);
    for (size_t room = 1; room < 200; room += 60) {
        wire_budget(p.wire, WIRE_SERVER, WIRE_READ, room);
        CHECK(call_read(p.server, got, sizeof(got)) == -1);
        log_rstate(p.server);
        sum += ask_everything(p.server);
        note("want %s error %s", name_of_want(SSL_want(p.server)),
             name_of_error(SSL_get_error(p.server, -1)));
    }
    wire_budget(p.wire, WIRE_SERVER, WIRE_READ, WIRE_UNLIMITED);
    CHECK(call_read(p.server, got, sizeof(got)) == (int)sizeof(got));
    log_rstate(p.server);
    sum += ask_everything(p.server);
    CHECK(drive_read(p.server, 20000 - sizeof(got)) == 20000 - sizeof(got));
    log_rstate(p.server);
    CHECK(call_shutdown(p.client) == 0);
    sum += ask_everything(p.client);
    CHECK(call_read(p.server, got, sizeof(got)) == 0);
    log_rstate(p.server);
    sum += ask_everything(p.server);
    CHECK(call_shutdown(p.server) == 1);
    CHECK(call_shutdown(p.client) == 1);
    CHECK(sum > 0);
    pair_free(&p);
    free(data);
}

/* A read never touches the write BIO, and a write never the read BIO (no message owed). */
static void only_their_own_bio(void)
{
    struct pair p;
    char got[16];
    size_t reads;
    size_t writes;

    section("calls on the BIOs");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.server, "data", 4) == 4);
    reads = wire_count(p.wire, WIRE_CLIENT, WIRE_READ);
    CHECK(call_write(p.client, "data", 4) == 4);
    note("reads during a write: %zu", wire_count(p.wire, WIRE_CLIENT, WIRE_READ) - reads);
    writes = wire_count(p.wire, WIRE_CLIENT, WIRE_WRITE);
    CHECK(call_read(p.client, got, sizeof(got)) == 4);
    CHECK(call_read(p.client, got, sizeof(got)) == -1);
    note("writes during reads: %zu", wire_count(p.wire, WIRE_CLIENT, WIRE_WRITE) - writes);
    reads = wire_count(p.wire, WIRE_CLIENT, WIRE_READ);
    writes = wire_count(p.wire, WIRE_CLIENT, WIRE_WRITE);
    (void)ask_everything(p.client);
    (void)call_write(p.client, "", 0);
    note("for questions and empty writes: %zu", wire_count(p.wire, WIRE_CLIENT, WIRE_READ) - reads +
                                                    wire_count(p.wire, WIRE_CLIENT, WIRE_WRITE) -
                                                    writes);
    CHECK(call_shutdown(p.client) == 0);
    note("reads by the first SSL_shutdown: %zu",
         wire_count(p.wire, WIRE_CLIENT, WIRE_READ) - reads);
    pair_free(&p);
}

/* An SSL without a write BIO still reads, and the reverse. */
static void one_bio_missing(void)
{
    struct pair p;
    char got[16];

    section("no write BIO");
    pair_init_connected(&p, OVER_WIRE, 0);
    CHECK(call_write(p.server, "data", 4) == 4);
    SSL_set0_wbio(p.client, NULL);
    CHECK(call_read(p.client, got, sizeof(got)) == 4);
    CHECK(call_write(p.client, "x", 1) == -1);
    (void)call_write(p.client, "x", 1);
    SSL_set0_wbio(p.client, wire_bio_new(p.wire, WIRE_CLIENT));
    (void)call_write(p.client, "x", 1);
    pair_free(&p);
    section("no read BIO");
    pair_init_connected(&p, OVER_WIRE, 0);
    SSL_set0_rbio(p.client, NULL);
    CHECK(call_write(p.client, "x", 1) == 1);
    note("SSL_read = %d", SSL_read(p.client, got, sizeof(got)));
    log_errors("error");
    pair_free(&p);
    section("no BIO at all, handshake");
    pair_init(&p, OVER_WIRE, 0);
    SSL_set_bio(p.client, NULL, NULL);
    note("SSL_do_handshake = %d", SSL_do_handshake(p.client));
    log_errors("error");
    pair_free(&p);
}

int main(void)
{
    contract_start();
    questions_in_between();
    only_their_own_bio();
    one_bio_missing();
    identity_default_free();
    return contract_finish();
}
