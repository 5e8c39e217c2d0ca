/*
 * Resumption in TLS 1.2 (RFC 5246, 7.3; RFC 5077): by session id and by ticket, with caches of
 * every kind; what is not resumed: expired, forged, of another context, under another suite, name
 * or kind of master secret (RFC 7627, 5.3).
 */
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

/* --- How a session is recognised --- */

static void test_forms(void)
{
    static const uint64_t options[] = { 0, SSL_OP_NO_TICKET };
    static const long modes[] = {
        SSL_SESS_CACHE_OFF,
        SSL_SESS_CACHE_SERVER,
        SSL_SESS_CACHE_CLIENT,
        SSL_SESS_CACHE_BOTH,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_LOOKUP,
        SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL_STORE,
    };
    const size_t num_modes = sizeof(modes) / sizeof(modes[0]);

    for (size_t i = 0; i < 4 * num_modes; i++) {
        struct site site;

        section("options of client %llx, server %llx, server's cache %lx",
                (unsigned long long)options[i / 2 % 2], (unsigned long long)options[i % 2],
                (unsigned long)modes[i / 4]);
        site_init(&site);
        (void)SSL_CTX_set_options(site.client_ctx, options[i / 2 % 2]);
        (void)SSL_CTX_set_options(site.server_ctx, options[i % 2]);
        (void)SSL_CTX_set_session_cache_mode(site.server_ctx, modes[i / 4]);
        for (int visit = 0; visit < 3; visit++) {
            (void)site_visit(&site);
        }
        log_statistics(&site);
        site_free(&site);
    }
}

/* Tickets go out of use, or come into use, between two visits. */
static void test_change_of_form(void)
{
    for (int i = 0; i < 8; i++) {
        struct site site;
        bool server = (i & 1) != 0;
        bool first = (i & 2) != 0;
        bool cached = (i & 4) != 0;
        SSL_CTX *ctx;

        section("%s without tickets at the %s visit, cache %d", server ? "server" : "client",
                first ? "first" : "second", cached);
        site_init(&site);
        ctx = server ? site.server_ctx : site.client_ctx;
        (void)SSL_CTX_set_session_cache_mode(site.server_ctx,
                                             cached ? SSL_SESS_CACHE_SERVER : SSL_SESS_CACHE_OFF);
        if (first) {
            (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
            (void)site_visit(&site);
            (void)SSL_CTX_clear_options(ctx, SSL_OP_NO_TICKET);
        } else {
            (void)site_visit(&site);
            (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        }
        (void)site_visit(&site);
        (void)site_visit(&site);
        log_statistics(&site);
        site_free(&site);
    }
}

static void test_client_cache(void)
{
    struct site site;

    section("a client that caches");
    site_init(&site);
    (void)SSL_CTX_set_session_cache_mode(site.client_ctx, SSL_SESS_CACHE_CLIENT);
    (void)site_visit(&site);
    log_statistics(&site);
    (void)site_visit(&site);
    log_statistics(&site);
    site_free(&site);
}

/* --- Sessions that are not good --- */

static void use_form(struct site *site, bool by_ticket)
{
    site_init(site);
    if (!by_ticket) {
        (void)SSL_CTX_set_options(site->server_ctx, SSL_OP_NO_TICKET);
    }
}

static const char *form_name(bool by_ticket)
{
    return by_ticket ? "ticket" : "id";
}

static void test_expired(bool by_ticket)
{
    struct site site;

    section("expired at the server, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)SSL_CTX_set_timeout(site.server_ctx, 60);
    (void)site_visit(&site);
    if (by_ticket) {
        /* What is in the ticket cannot be aged; a server whose clock is ahead cannot be had. */
        site_free(&site);
        return;
    }
    site_begin(&site);
    CHECK(site_connect(&site));
    REQUIRE(SSL_SESSION_set_time(SSL_get_session(site.pair.server), 1000000000) == 1000000000);
    site_end(&site);
    (void)site_visit(&site);
    log_statistics(&site);
    site_free(&site);
}

static void test_expired_at_client(bool by_ticket)
{
    struct site site;

    section("expired at the client, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)site_visit(&site);
    (void)SSL_SESSION_set_time(site.session, 1000000000);
    CHECK(site_visit(&site));
    site_free(&site);
}

/* The session with one bit of its ticket changed. */
static SSL_SESSION *forge_ticket(SSL_SESSION *session, size_t at)
{
    unsigned char der[4096];
    unsigned char *end = der;
    const unsigned char *begin = der;
    const unsigned char *ticket;
    size_t ticket_len;
    int len = i2d_SSL_SESSION(session, &end);

    SSL_SESSION_get0_ticket(session, &ticket, &ticket_len);
    REQUIRE(len > 0 && len < (int)sizeof(der) && ticket_len > 0);
    for (size_t i = 0; i + ticket_len <= (size_t)len; i++) {
        if (memcmp(der + i, ticket, ticket_len) == 0) {
            der[i + (at < ticket_len ? at : ticket_len - 1)] ^= 0x10;
            return d2i_SSL_SESSION(NULL, &begin, len);
        }
    }
    return NULL;
}

static void test_forged(void)
{
    static const size_t at[] = { 0, 15, 16, 31, 32, 60, 9999 };

    for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
        struct site site;
        SSL_SESSION *forged;

        section("ticket with byte %zu changed", at[i]);
        site_init(&site);
        (void)site_visit(&site);
        forged = forge_ticket(site.session, at[i]);
        REQUIRE(forged != NULL);
        SSL_SESSION_free(site.session);
        site.session = forged;
        CHECK(!site_visit(&site));
        CHECK(site_visit(&site));
        site_free(&site);
    }
}

static void test_other_keys(void)
{
    struct site site;
    unsigned char keys[80];

    section("ticket of other keys");
    site_init(&site);
    (void)site_visit(&site);
    pattern_fill(keys, sizeof(keys), 5);
    REQUIRE(SSL_CTX_set_tlsext_ticket_keys(site.server_ctx, keys, sizeof(keys)) == 1);
    (void)site_visit(&site);
    (void)site_visit(&site);
    site_free(&site);
}

static void test_other_server(bool by_ticket)
{
    struct site site;
    struct site other;

    section("another server, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    use_form(&other, by_ticket);
    (void)site_visit(&site);
    REQUIRE(SSL_SESSION_up_ref(site.session) == 1);
    other.session = site.session;
    (void)site_visit(&other);
    log_statistics(&other);
    site_free(&other);
    site_free(&site);
}

/* --- Contexts --- */

static void test_server_context(bool by_ticket, const char *context, int verify)
{
    struct site site;

    section("server's context \"%s\", verify mode %d, %s", context, verify, form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)site_visit(&site);
    site_begin(&site);
    REQUIRE(SSL_set_session_id_context(site.pair.server, (const unsigned char *)context,
                                       (unsigned)strlen(context)) == 1);
    SSL_set_verify(site.pair.server, verify, NULL);
    (void)site_connect(&site);
    site_end(&site);
    log_statistics(&site);
    site_free(&site);
}

static void test_client_context(bool by_ticket)
{
    struct site site;

    section("client's context, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)site_visit(&site);
    site_begin(&site);
    REQUIRE(SSL_set_session_id_context(site.pair.client, (const unsigned char *)"mine", 4) == 1);
    CHECK(!site_connect(&site));
    site_end(&site);
    site_free(&site);
}

/* --- What has to be as it was --- */

static void set_ems(SSL *ssl, bool on)
{
    if (!on) {
        (void)SSL_set_options(ssl, SSL_OP_NO_EXTENDED_MASTER_SECRET);
    }
}

/* RFC 7627, 5.3. */
static void test_master_secret(bool by_ticket)
{
    for (int i = 0; i < 16; i++) {
        struct site site;

        section("extended master secret: first client %d, server %d; then client %d, server %d; %s",
                i & 1, i >> 1 & 1, i >> 2 & 1, i >> 3 & 1, form_name(by_ticket));
        use_form(&site, by_ticket);
        site_begin(&site);
        set_ems(site.pair.client, (i & 1) != 0);
        set_ems(site.pair.server, (i & 2) != 0);
        CHECK(site_connect(&site));
        site_end(&site);
        site_begin(&site);
        set_ems(site.pair.client, (i & 4) != 0);
        set_ems(site.pair.server, (i & 8) != 0);
        (void)site_connect(&site);
        site_end(&site);
        (void)site_visit(&site);
        site_free(&site);
    }
}

static void test_suites(bool by_ticket, const char *client, const char *server)
{
    struct site site;

    section("suites of client %s, server %s, %s", client, server, form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)SSL_CTX_set_cipher_list(site.client_ctx, "ECDHE-ECDSA-AES128-GCM-SHA256");
    (void)site_visit(&site);
    site_begin(&site);
    REQUIRE(SSL_set_cipher_list(site.pair.client, client) == 1);
    REQUIRE(SSL_set_cipher_list(site.pair.server, server) == 1);
    (void)site_connect(&site);
    site_end(&site);
    (void)site_visit(&site);
    site_free(&site);
}

static void test_versions(bool by_ticket, int client, int server)
{
    struct site site;

    section("client up to %x, server %x, %s", (unsigned)client, (unsigned)server,
            form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)SSL_CTX_set_num_tickets(site.server_ctx, 0);
    (void)site_visit(&site);
    site_begin(&site);
    REQUIRE(SSL_set_max_proto_version(site.pair.client, client) == 1);
    REQUIRE(SSL_set_max_proto_version(site.pair.server, server) == 1);
    (void)site_connect(&site);
    site_end(&site);
    log_statistics(&site);
    site_free(&site);
}

static void test_fragments(bool by_ticket, int first, int second)
{
    struct site site;

    section("fragments of code %d, then %d, %s", first, second, form_name(by_ticket));
    use_form(&site, by_ticket);
    site_begin(&site);
    REQUIRE(SSL_set_tlsext_max_fragment_length(site.pair.client, (uint8_t)first) == 1);
    CHECK(site_connect(&site));
    site_end(&site);
    site_begin(&site);
    REQUIRE(SSL_set_tlsext_max_fragment_length(site.pair.client, (uint8_t)second) == 1);
    if (first != second) {
        difference_begin("t12-resume-fragment");
    }
    (void)site_connect(&site);
    site_end(&site);
    if (first != second) {
        difference_end();
    }
    site_free(&site);
}

static void test_faults(bool by_ticket)
{
    test_expired(by_ticket);
    test_expired_at_client(by_ticket);
    test_other_server(by_ticket);
    test_server_context(by_ticket, "other", SSL_VERIFY_NONE);
    test_server_context(by_ticket, "", SSL_VERIFY_NONE);
    test_server_context(by_ticket, "", SSL_VERIFY_PEER);
    test_server_context(by_ticket, "other", SSL_VERIFY_PEER);
    test_client_context(by_ticket);
    test_master_secret(by_ticket);
    test_suites(by_ticket, "ECDHE-ECDSA-AES256-GCM-SHA384", "ALL");
    test_suites(by_ticket, "ALL", "ECDHE-ECDSA-AES256-GCM-SHA384");
    test_suites(by_ticket, "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-AES128-GCM-SHA256", "ALL");
    test_versions(by_ticket, 0, TLS1_2_VERSION);
    test_versions(by_ticket, 0, 0);
    test_versions(by_ticket, TLS1_2_VERSION, 0);
    test_fragments(by_ticket, 1, 1);
    test_fragments(by_ticket, 1, 2);
    test_fragments(by_ticket, 0, 2);
    test_fragments(by_ticket, 1, 0);
}

int main(void)
{
    contract_start();
    test_forms();
    test_change_of_form();
    test_client_cache();
    test_faults(true);
    test_faults(false);
    test_forged();
    test_other_keys();
    identity_default_free();
    return contract_finish();
}
