/*
 * A client that is gone before the server's session tickets reach it, as one that connects and
 * closes does: the handshake counts as done all the same, in TLS 1.3 alone, and what comes of the
 * calls after it. SSL_accept(3), SSL_CTX_set_num_tickets(3), SSL_new_session_ticket(3).
 */
#include "contract.h"

#include <string.h>

static const struct {
    const char *name;
    int step;
} outcomes[] = {
    { "EPIPE", WIRE_BROKEN },      { "ECONNRESET", WIRE_RESET }, { "no errno", WIRE_FATAL },
    { "end of stream", WIRE_EOF }, { "retry", WIRE_RETRY },
};

static void log_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                        void *arg)
{
    (void)bytes;
    (void)ssl;
    (void)arg;
    if (type == SSL3_RT_HANDSHAKE || type == SSL3_RT_ALERT) {
        note("  message: %s %x %d, %zu bytes", sent != 0 ? "sent" : "got", (unsigned)version, type,
             len > 4 ? 4 : len);
    }
}

static void log_info(const SSL *ssl, int where, int value)
{
    note("  info: %x %d %s", (unsigned)where, value, SSL_state_string(ssl));
}

/* A connection of which the client has just sent its Finished. */
static void begin(struct pair *p, size_t tickets)
{
    pair_init(p, OVER_WIRE, 0);
    REQUIRE(SSL_set_num_tickets(p->server, tickets) == 1);
    while (SSL_do_handshake(p->client) != 1) {
        REQUIRE(SSL_do_handshake(p->server) != 1);
    }
    SSL_set_msg_callback(p->server, log_message);
    SSL_set_info_callback(p->server, log_info);
}

static void calls_afterwards(struct pair *p)
{
    char got[16];

    REQUIRE(SSL_write(p->client, "last words", 10) == 10);
    (void)call_read(p->server, got, sizeof(got));
    (void)call_write(p->server, "answer", 6);
    (void)call_write(p->server, "answer", 6);
    (void)call_read(p->server, got, sizeof(got));
    (void)call_shutdown(p->server);
    log_state(p->server);
}

static void gone(size_t outcome, size_t tickets)
{
    struct pair p;

    section("%zu tickets, each write: %s", tickets, outcomes[outcome].name);
    begin(&p, tickets);
    wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, outcomes[outcome].step);
    (void)call_do_handshake(p.server);
    log_state(p.server);
    note("accepted %ld, waiting %zu", SSL_CTX_sess_accept_good(p.server_ctx),
         wire_waiting(p.wire, WIRE_CLIENT));
    (void)call_do_handshake(p.server);
    calls_afterwards(&p);
    pair_free(&p);
}

/* The flush behind the write fails instead. */
static void gone_at_flush(size_t outcome)
{
    struct pair p;

    section("2 tickets, each flush: %s", outcomes[outcome].name);
    begin(&p, 2);
    wire_default(p.wire, WIRE_SERVER, WIRE_FLUSH, outcomes[outcome].step);
    (void)call_do_handshake(p.server);
    log_state(p.server);
    wire_default(p.wire, WIRE_SERVER, WIRE_FLUSH, WIRE_UNLIMITED);
    calls_afterwards(&p);
    pair_free(&p);
}

/* A transport that works again after it was broken has lost a record. */
static void back_again(void)
{
    struct pair p;
    char got[16];

    section("only the first write fails");
    begin(&p, 2);
    wire_script(p.wire, WIRE_SERVER, WIRE_WRITE, (int[]){ WIRE_BROKEN }, 1);
    (void)call_do_handshake(p.server);
    log_state(p.server);
    (void)call_write(p.server, "answer", 6);
    difference_begin("broken-pipe-mended");
    (void)call_read(p.client, got, sizeof(got));
    difference_end();
    pair_free(&p);
}

static void later_ticket(size_t outcome)
{
    struct pair p;

    section("a ticket after the handshake: %s", outcomes[outcome].name);
    begin(&p, 0);
    (void)call_do_handshake(p.server);
    wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, outcomes[outcome].step);
    CHECK(SSL_new_session_ticket(p.server) == 1);
    (void)call_do_handshake(p.server);
    log_state(p.server);
    calls_afterwards(&p);
    pair_free(&p);

    section("and with a write: %s", outcomes[outcome].name);
    begin(&p, 0);
    (void)call_do_handshake(p.server);
    wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, outcomes[outcome].step);
    CHECK(SSL_new_session_ticket(p.server) == 1);
    calls_afterwards(&p);
    pair_free(&p);
}

/* What else a server sends has no such rule. */
static void gone_earlier(void)
{
    struct pair p;

    section("the first flight: EPIPE");
    pair_init(&p, OVER_WIRE, 0);
    (void)call_do_handshake(p.client);
    wire_default(p.wire, WIRE_SERVER, WIRE_WRITE, WIRE_BROKEN);
    (void)call_do_handshake(p.server);
    log_state(p.server);
    (void)call_do_handshake(p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
        gone(i, 1);
        gone(i, 2);
        if (outcomes[i].step != WIRE_RETRY) { /* io_defects.c */
            gone_at_flush(i);
        }
        later_ticket(i);
    }
    gone(0, 0);
    back_again();
    gone_earlier();
    return contract_finish();
}
