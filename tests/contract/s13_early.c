/*
 * Early data (RFC 8446, 2.3, 4.2.10): SSL_write_early_data and SSL_read_early_data step by step,
 * with every callback on the way: accepted, rejected for every reason, over the limits, retried,
 * replayed; and calls that come out of turn.
 * Manual pages: SSL_read_early_data(3).
 */
#include "hs_trace.h"
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

/* The server would not accept early data with this ticket again. OpenSSL has used the ticket up,
 * and makes a full handshake; where the session is in the ticket it resumes. */
static bool ticket_is_spent;

static void log_side(SSL *ssl)
{
    note("  %s: %s, in init %d, finished %d, early data %d", ssl_get_name(ssl),
         SSL_state_string_long(ssl), SSL_in_init(ssl), SSL_is_init_finished(ssl),
         SSL_get_early_data_status(ssl));
    if (ticket_is_spent) {
        log_difference("stateless-early-data", "  reused %d", SSL_session_reused(ssl));
    } else {
        note("  reused %d", SSL_session_reused(ssl));
    }
}

static void write_early(SSL *ssl, size_t len)
{
    static char data[4000];
    size_t written = 77;
    int ret = SSL_write_early_data(ssl, data, len, &written);

    log_call(ssl, "SSL_write_early_data", ret);
    if (ret == 1) {
        note("  %zu written", written);
    }
    log_side(ssl);
}

static int read_early(SSL *ssl, size_t len)
{
    static char data[4000];
    size_t got = 77;
    int ret = SSL_read_early_data(ssl, data, len, &got);

    log_call(ssl, "SSL_read_early_data", ret);
    if (ret != SSL_READ_EARLY_DATA_ERROR) {
        note("  %zu read", got);
    }
    log_side(ssl);
    return ret;
}

static void handshake(SSL *ssl)
{
    log_call(ssl, "SSL_do_handshake", SSL_do_handshake(ssl));
    log_side(ssl);
}

static void read_data(SSL *ssl)
{
    char data[100];

    log_call(ssl, "SSL_read", SSL_read(ssl, data, sizeof(data)));
    log_side(ssl);
}

/* A server whose tickets allow 1000 bytes, and a client that has one. */
static void begin(struct site *site)
{
    site_init_version(site, TLS1_3_VERSION);
    REQUIRE(SSL_CTX_set_max_early_data(site->server_ctx, 1000) == 1);
    (void)site_visit(site);
    note("the session allows %u", SSL_SESSION_get_max_early_data(site->session));
}

static void connect_traced(struct site *site)
{
    trace_plan_reset();
    trace_ctx(site->client_ctx, false, TRACE_KEYLOG);
    trace_ctx(site->server_ctx, true, TRACE_KEYLOG);
    site_begin(site);
    trace_ssl(site->pair.client, TRACE_INFO | TRACE_MESSAGE);
    trace_ssl(site->pair.server, TRACE_INFO | TRACE_MESSAGE);
}

static void end(struct site *site)
{
    log_alive(site->pair.client, site->pair.server);
    log_side(site->pair.client);
    log_side(site->pair.server);
    site_end(site);
    site_free(site);
}

/* --- Accepted --- */

static void test_accepted(void)
{
    for (int i = 0; i < 2; i++) {
        struct site site;
        SSL *client;
        SSL *server;
        unsigned char key[2][16];

        section("accepted, compatibility %d", i == 0);
        begin(&site);
        if (i == 1) {
            (void)SSL_CTX_clear_options(site.client_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
            (void)SSL_CTX_clear_options(site.server_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
        }
        connect_traced(&site);
        client = site.pair.client;
        server = site.pair.server;
        write_early(client, 6);
        write_early(client, 7);
        (void)read_early(server, 3);
        (void)read_early(server, 30);
        (void)read_early(server, 30);
        (void)read_early(server, 30);
        note("exporter %d %d",
             SSL_export_keying_material_early(client, key[0], 16, "label", 5, NULL, 0),
             SSL_export_keying_material_early(server, key[1], 16, "label", 5, NULL, 0));
        CHECK(memcmp(key[0], key[1], 16) == 0);
        write_early(server, 5);
        read_data(client);
        read_data(client);
        write_early(client, 8);
        handshake(client);
        (void)read_early(server, 30);
        (void)read_early(server, 30);
        (void)read_early(server, 30);
        handshake(server);
        end(&site);
    }
}

/* The client goes on with SSL_write or SSL_read, the server with its handshake or SSL_read. */
static void test_goes_on(void)
{
    for (int i = 0; i < 4; i++) {
        struct site site;
        char data[10];

        section("goes on with %s, %s", (i & 1) != 0 ? "SSL_read" : "SSL_write",
                (i & 2) != 0 ? "SSL_read" : "SSL_do_handshake");
        begin(&site);
        connect_traced(&site);
        write_early(site.pair.client, 6);
        (void)read_early(site.pair.server, 30);
        if ((i & 1) != 0) {
            read_data(site.pair.client);
        }
        log_call(site.pair.client, "SSL_write", SSL_write(site.pair.client, "data", 4));
        log_side(site.pair.client);
        (void)read_early(site.pair.server, 30);
        if ((i & 2) == 0) {
            handshake(site.pair.server);
        }
        log_call(site.pair.server, "SSL_read", SSL_read(site.pair.server, data, sizeof(data)));
        end(&site);
    }
}

/* --- Rejected --- */

static int deny(SSL *ssl, void *arg)
{
    (void)ssl;
    note("  early data is allowed: %d", *(int *)arg);
    return *(int *)arg;
}

static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *len,
                           const unsigned char *in, unsigned in_len, void *arg)
{
    (void)ssl;
    (void)in_len;
    (void)arg;
    *out = in + 1;
    *len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static void test_rejected(void)
{
    static const char *const reasons[] = {
        "the server does not read it",
        "another group",
        "the application says no",
        "the application says yes",
        "no limit any more",
        "another hash",
        "an older ticket",
        "a ticket of an unknown key",
    };

    for (int i = 0; i < 8; i++) {
        struct site site;
        int allowed = i == 3;
        unsigned char keys[80] = { 1 };

        section("%s", reasons[i]);
        ticket_is_spent = false;
        begin(&site);
        if (i == 1) {
            REQUIRE(SSL_CTX_set1_groups_list(site.server_ctx, "P-384") == 1);
        } else if (i == 2 || i == 3) {
            SSL_CTX_set_allow_early_data_cb(site.server_ctx, deny, &allowed);
        } else if (i == 4) {
            REQUIRE(SSL_CTX_set_max_early_data(site.server_ctx, 0) == 1);
        } else if (i == 5) {
            REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, "TLS_AES_128_GCM_SHA256") == 1);
        } else if (i == 6) {
            (void)SSL_SESSION_set_time(site.session, SSL_SESSION_get_time(site.session) - 100);
        } else if (i == 7) {
            SSL_CTX_flush_sessions(site.server_ctx, 0);
            REQUIRE(SSL_CTX_set_tlsext_ticket_keys(site.server_ctx, keys, sizeof(keys)) == 1);
        }
        ticket_is_spent = i == 1 || i == 4;
        connect_traced(&site);
        write_early(site.pair.client, 6);
        if (i == 0) {
            handshake(site.pair.server);
        } else {
            (void)read_early(site.pair.server, 30);
        }
        write_early(site.pair.client, 7);
        handshake(site.pair.client);
        handshake(site.pair.server);
        handshake(site.pair.client);
        handshake(site.pair.server);
        end(&site);
    }
    ticket_is_spent = false;
}

static void test_protocols(void)
{
    static const unsigned char one[] = "\3one\3two";
    static const unsigned char two[] = "\3two\3one";
    static const unsigned char other[] = "\5other";

    for (int i = 0; i < 4; i++) {
        struct site site;
        static const char *const titles[] = { "the same protocol", "another protocol",
                                              "the session's protocol is not offered",
                                              "another name" };

        section("%s", titles[i]);
        site_init_version(&site, TLS1_3_VERSION);
        REQUIRE(SSL_CTX_set_max_early_data(site.server_ctx, 1000) == 1);
        SSL_CTX_set_alpn_select_cb(site.server_ctx, choose_protocol, NULL);
        REQUIRE(SSL_CTX_set_alpn_protos(site.client_ctx, one, 8) == 0);
        (void)site_visit(&site);
        if (i == 3) {
            REQUIRE(SSL_SESSION_set1_hostname(site.session, "one.example") == 1);
        }
        REQUIRE(SSL_CTX_set_alpn_protos(site.client_ctx,
                                        i == 1   ? two
                                        : i == 2 ? other
                                                 : one,
                                        i == 2 ? 6 : 8) == 0);
        connect_traced(&site);
        write_early(site.pair.client, 6);
        if (i < 2) {
            (void)read_early(site.pair.server, 30);
            handshake(site.pair.client);
            (void)read_early(site.pair.server, 30);
            handshake(site.pair.server);
        }
        end(&site);
    }
}

/* --- Limits --- */

static void test_limits(void)
{
    static const struct {
        unsigned recv; /* the server's limit */
        size_t len;
        int reads; /* the server takes early data */
    } rows[] = { { 16384, 1000, 1 }, { 16384, 1001, 1 }, { 10, 10, 1 }, { 10, 11, 1 },
                 { 10, 400, 0 },     { 10, 600, 0 },     { 0, 1, 1 },   { 0, 1, 0 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site site;

        section("the server takes %u, reads %d, %zu are sent", rows[i].recv, rows[i].reads,
                rows[i].len);
        begin(&site);
        REQUIRE(SSL_CTX_set_recv_max_early_data(site.server_ctx, rows[i].recv) == 1);
        connect_traced(&site);
        write_early(site.pair.client, rows[i].len);
        if (rows[i].reads) {
            (void)read_early(site.pair.server, 4000);
            (void)read_early(site.pair.server, 4000);
        } else {
            handshake(site.pair.server);
        }
        handshake(site.pair.client);
        handshake(site.pair.server);
        end(&site);
    }
}

/* --- Again --- */

static SSL_SESSION *on_get(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    (void)id;
    *copy = 0;
    note("  %s is asked for a session, %d", ssl_get_name(ssl), len);
    return NULL;
}

static void on_remove(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    (void)session;
    note("  a session leaves");
}

/* Whoever watches the cache is asked for every ticket. */
static void test_replay(void)
{
    for (int i = 0; i < 4; i++) {
        struct site site;
        SSL_SESSION *kept;

        section("the same ticket again, protection %d, cache watched %d", i != 1, i >= 2);
        begin(&site);
        if (i >= 2) {
            SSL_CTX_flush_sessions(site.server_ctx, 0);
            SSL_CTX_sess_set_remove_cb(site.server_ctx, on_remove);
            SSL_CTX_sess_set_get_cb(site.server_ctx, i == 2 ? on_get : NULL);
            SSL_SESSION_free(site.session);
            site.session = NULL;
            (void)site_visit(&site);
        }
        if (i == 1) {
            (void)SSL_CTX_set_options(site.server_ctx, SSL_OP_NO_ANTI_REPLAY);
            SSL_SESSION_free(site.session);
            site.session = NULL;
            (void)site_visit(&site);
        }
        kept = SSL_SESSION_dup(site.session);
        for (int visit = 0; visit < 2; visit++) {
            SSL_SESSION_free(site.session);
            site.session = SSL_SESSION_dup(kept);
            site_begin(&site);
            ticket_is_spent = i == 0 && visit == 1;
            write_early(site.pair.client, 6);
            (void)read_early(site.pair.server, 30);
            handshake(site.pair.client);
            (void)read_early(site.pair.server, 30);
            handshake(site.pair.server);
            log_alive(site.pair.client, site.pair.server);
            CHECK(SSL_get_early_data_status(site.pair.server) ==
                  (i != 1 && visit == 1 ? SSL_EARLY_DATA_REJECTED : SSL_EARLY_DATA_ACCEPTED));
            site_end(&site);
        }
        ticket_is_spent = false;
        if (i < 2) {
            difference_begin("stateless-early-data");
            log_statistics(&site);
            difference_end();
        } else {
            log_statistics(&site);
        }
        SSL_SESSION_free(kept);
        site_free(&site);
    }
}

/* --- Out of turn --- */

static void test_out_of_turn(void)
{
    struct site site;

    section("without a session");
    begin(&site);
    SSL_SESSION_free(site.session);
    site.session = NULL;
    site_begin(&site);
    write_early(site.pair.client, 6);
    (void)read_early(site.pair.client, 6);
    write_early(site.pair.server, 6);
    (void)read_early(site.pair.server, 6);
    read_data(site.pair.server);
    log_call(site.pair.server, "SSL_write", SSL_write(site.pair.server, "x", 1));
    handshake(site.pair.client);
    (void)read_early(site.pair.server, 6);
    (void)read_early(site.pair.server, 6);
    handshake(site.pair.client);
    handshake(site.pair.server);
    write_early(site.pair.client, 6);
    end(&site);

    section("while early data is read");
    begin(&site);
    site_begin(&site);
    write_early(site.pair.client, 6);
    (void)read_early(site.pair.server, 3);
    log_call(site.pair.server, "SSL_write", SSL_write(site.pair.server, "x", 1));
    read_data(site.pair.server);
    handshake(site.pair.client);
    (void)read_early(site.pair.server, 3);
    handshake(site.pair.server);
    end(&site);

    section("the handshake before all is read");
    begin(&site);
    site_begin(&site);
    write_early(site.pair.client, 6);
    (void)read_early(site.pair.server, 3);
    handshake(site.pair.client);
    handshake(site.pair.server);
    site_end(&site);
    site_free(&site);
}

int main(void)
{
    contract_start();
    test_accepted();
    test_goes_on();
    test_rejected();
    test_protocols();
    test_limits();
    test_replay();
    test_out_of_turn();
    identity_default_free();
    return contract_finish();
}
