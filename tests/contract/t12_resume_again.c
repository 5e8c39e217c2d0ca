/*
 * Resumption in renegotiations of TLS 1.2 and what it counts as: full and abbreviated ones of
 * either side, after SSL_clear(), with sessions that several connections share; the counters of
 * contexts.
 */
#include "t12_renegotiate.h"
#include "t12_site.h"

#include <openssl/err.h>

static void use_form(struct site *site, bool by_ticket)
{
    site_init(site);
    if (!by_ticket) {
        (void)SSL_CTX_set_options(site->server_ctx, SSL_OP_NO_TICKET);
    }
    (void)SSL_CTX_set_options(site->server_ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
}

static const char *form_name(bool by_ticket)
{
    return by_ticket ? "ticket" : "id";
}

static void log_reused(const struct site *site)
{
    note("reused: client %d, server %d", SSL_session_reused(site->pair.client),
         SSL_session_reused(site->pair.server));
    log_session("client's", SSL_get_session(site->pair.client));
    log_session("server's", SSL_get_session(site->pair.server));
    log_statistics(site);
}

static void renegotiate(struct site *site, bool by_client, bool abbreviated)
{
    SSL *first = by_client ? site->pair.client : site->pair.server;

    if (abbreviated) {
        (void)log_call(first, "SSL_renegotiate_abbreviated", SSL_renegotiate_abbreviated(first));
    } else {
        (void)log_call(first, "SSL_renegotiate", SSL_renegotiate(first));
    }
    (void)call_do_handshake(first);
    renegotiation_read_in_turn(&site->pair, by_client ? site->pair.server : site->pair.client);
    log_reused(site);
}

static void test_renegotiation(int bits)
{
    struct site site;
    bool by_ticket = (bits & 1) != 0;
    bool by_client = (bits & 2) != 0;
    bool abbreviated = (bits & 4) != 0;
    bool option = (bits & 8) != 0;

    section("%s renegotiation of the %s, %s, option %d", abbreviated ? "abbreviated" : "full",
            by_client ? "client" : "server", form_name(by_ticket), option);
    use_form(&site, by_ticket);
    if (option) {
        (void)SSL_CTX_set_options(site.server_ctx, SSL_OP_NO_SESSION_RESUMPTION_ON_RENEGOTIATION);
    }
    site_begin(&site);
    CHECK(site_connect(&site));
    renegotiate(&site, by_client, abbreviated);
    renegotiate(&site, by_client, abbreviated);
    site_end(&site);
    (void)site_visit(&site);
    site_free(&site);
}

/* One side gives up the extended master secret that the first handshake had: RFC 7627, 5.4. */
static void test_master_secret(bool by_client, bool first)
{
    struct site site;

    section("extended master secret given up by the %s, first %d", by_client ? "client" : "server",
            first);
    use_form(&site, true);
    site_begin(&site);
    if (!first) {
        (void)SSL_set_options(site.pair.client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    }
    CHECK(site_connect(&site));
    if (first) {
        (void)SSL_set_options(by_client ? site.pair.client : site.pair.server,
                              SSL_OP_NO_EXTENDED_MASTER_SECRET);
    } else {
        (void)SSL_clear_options(site.pair.client, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    }
    renegotiate(&site, true, false);
    site_end(&site);
    site_free(&site);
}

static void test_refused(bool by_client)
{
    struct site site;

    section("refused renegotiation of the %s", by_client ? "client" : "server");
    use_form(&site, true);
    site_begin(&site);
    (void)SSL_set_options(by_client ? site.pair.server : site.pair.client, SSL_OP_NO_RENEGOTIATION);
    CHECK(site_connect(&site));
    renegotiate(&site, by_client, false);
    site_end(&site);
    site_free(&site);
}

/* --- One session in several hands --- */

static void test_shared(bool by_ticket)
{
    struct site site;
    struct pair first;

    section("two connections at once, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)site_visit(&site);
    site_begin(&site);
    first = site.pair;
    CHECK(site_connect(&site));
    site_begin(&site);
    CHECK(site_connect(&site));
    note("one session: %d", SSL_get_session(first.client) == SSL_get_session(site.pair.client));
    site_end(&site);
    note("still resumable: %d", SSL_SESSION_is_resumable(SSL_get_session(first.client)));
    log_alive(first.client, first.server);
    pair_free(&first);
    note("and without a close_notify: %d", SSL_SESSION_is_resumable(site.session));
    (void)site_visit(&site);
    log_statistics(&site);
    site_free(&site);
}

/* SSL_clear() keeps the session, which is offered again. */
static void test_clear(bool by_ticket, bool closed)
{
    struct site site;
    SSL *sides[2];

    section("SSL_clear, closed %d, %s", closed, form_name(by_ticket));
    use_form(&site, by_ticket);
    site_begin(&site);
    CHECK(site_connect(&site));
    if (closed) {
        (void)call_shutdown(site.pair.client);
        (void)call_shutdown(site.pair.server);
        (void)call_shutdown(site.pair.client);
    }
    sides[0] = site.pair.client;
    sides[1] = site.pair.server;
    for (int i = 0; i < 2; i++) {
        (void)BIO_reset(SSL_get_rbio(sides[i]));
        (void)log_call(sides[i], "SSL_clear", SSL_clear(sides[i]));
    }
    difference_begin("ssl-clear-forgets"); /* the client's groups */
    (void)site_connect(&site);
    difference_end();
    log_reused(&site);
    site_end(&site);
    site_free(&site);
}

/* --- Failures --- */

/* What ends with a fatal alert is not resumed again. */
static void test_fatal(bool by_ticket, bool by_client)
{
    struct site site;
    char junk[16] = { 23, 3, 3, 0, 11 };
    SSL *victim;
    SSL *other;

    section("a record that the %s cannot read, %s", by_client ? "client" : "server",
            form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)site_visit(&site);
    site_begin(&site);
    CHECK(site_connect(&site));
    victim = by_client ? site.pair.client : site.pair.server;
    other = by_client ? site.pair.server : site.pair.client;
    REQUIRE(BIO_write(SSL_get_rbio(victim), junk, sizeof(junk)) == (int)sizeof(junk));
    renegotiation_read_once(victim);
    renegotiation_read_once(other);
    log_reused(&site);
    site_end(&site);
    (void)site_visit(&site);
    log_statistics(&site);
    site_free(&site);
}

int main(void)
{
    contract_start();
    for (int bits = 0; bits < 16; bits++) {
        test_renegotiation(bits);
    }
    test_master_secret(true, true);
    test_master_secret(false, true);
    test_master_secret(true, false);
    test_refused(true);
    test_refused(false);
    for (int i = 0; i < 2; i++) {
        test_shared(i == 0);
        test_clear(i == 0, true);
        test_clear(i == 0, false);
        test_fatal(i == 0, true);
        test_fatal(i == 0, false);
    }
    identity_default_free();
    return contract_finish();
}
