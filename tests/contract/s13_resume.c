/*
 * Resumption in TLS 1.3 (RFC 8446, 2.2, 4.2.9, 4.2.11, 4.6.1): tickets of both kinds and their
 * number, what both sides say of a session that is resumed, and what is not resumed: another hash,
 * expired, forged, of another context.
 * Manual pages: SSL_CTX_set_num_tickets(3).
 */
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

static void begin(struct site *site)
{
    site_init_version(site, TLS1_3_VERSION);
}

static void visit(struct site *site, int times)
{
    for (int i = 0; i < times; i++) {
        (void)site_visit(site);
    }
}

/* --- Sessions and caches --- */

static int num_new[2];
static int num_removed[2];

static int count_new(SSL *ssl, SSL_SESSION *session)
{
    unsigned len;

    (void)SSL_SESSION_get_id(session, &len);
    num_new[SSL_is_server(ssl)]++;
    note("  new session for the %s, id %u, early data %u, is the connection's: %d",
         SSL_is_server(ssl) ? "server" : "client", len, SSL_SESSION_get_max_early_data(session),
         SSL_get_session(ssl) == session);
    return 0;
}

static void count_removed(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    num_removed[SSL_SESSION_has_ticket(session) ? 0 : 1]++;
    note("  removed, resumable %d", SSL_SESSION_is_resumable(session));
}

static SSL_SESSION *ask_cache(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    (void)ssl;
    (void)id;
    *copy = 0;
    note("  asked for a session of %d bytes", len);
    return NULL;
}

static void test_forms(void)
{
    static const long modes[] = { SSL_SESS_CACHE_OFF, SSL_SESS_CACHE_CLIENT, SSL_SESS_CACHE_SERVER,
                                  SSL_SESS_CACHE_BOTH,
                                  SSL_SESS_CACHE_BOTH | SSL_SESS_CACHE_NO_INTERNAL };

    for (size_t i = 0; i < 4 * sizeof(modes) / sizeof(modes[0]); i++) {
        struct site site;
        uint64_t options = (i & 1) != 0 ? SSL_OP_NO_TICKET : 0;
        bool hears = (i & 2) != 0;

        section("options of server %llx, caches %lx, callbacks %d", (unsigned long long)options,
                (unsigned long)modes[i / 4], hears);
        begin(&site);
        (void)SSL_CTX_set_options(site.server_ctx, options);
        (void)SSL_CTX_set_session_cache_mode(site.server_ctx, modes[i / 4]);
        (void)SSL_CTX_set_session_cache_mode(site.client_ctx, modes[i / 4]);
        for (int side = 0; side < 2 && hears; side++) {
            SSL_CTX *ctx = side == 0 ? site.client_ctx : site.server_ctx;
            SSL_CTX_sess_set_new_cb(ctx, count_new);
            SSL_CTX_sess_set_remove_cb(ctx, count_removed);
            SSL_CTX_sess_set_get_cb(ctx, ask_cache);
        }
        visit(&site, 3);
        log_statistics(&site);
        site_free(&site);
    }
}

/* --- The number of tickets --- */

static void test_numbers(void)
{
    for (size_t num = 0; num < 5; num++) {
        struct site site;

        section("%zu tickets", num);
        begin(&site);
        REQUIRE(SSL_CTX_set_num_tickets(site.server_ctx, num) == 1);
        (void)SSL_CTX_set_session_cache_mode(site.client_ctx,
                                             SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(site.client_ctx, count_new);
        SSL_CTX_sess_set_new_cb(site.server_ctx, count_new);
        visit(&site, 3);
        site_free(&site);
    }
}

/* More of them, when the application says so. */
static void test_extra_tickets(void)
{
    for (int blocked = 0; blocked < 2; blocked++) {
        struct site site;
        SSL *server;

        section("tickets on demand");
        begin(&site);
        (void)SSL_CTX_set_session_cache_mode(site.client_ctx,
                                             SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(site.client_ctx, count_new);
        SSL_CTX_sess_set_new_cb(site.server_ctx, count_new);
        site_begin(&site);
        server = site.pair.server;
        note("before: %d, of a client %d", SSL_new_session_ticket(server),
             SSL_new_session_ticket(site.pair.client));
        CHECK(site_connect(&site));
        note("of a client %d", SSL_new_session_ticket(site.pair.client));
        for (int i = 0; i < 3; i++) {
            note("asked: %d, in init %d", SSL_new_session_ticket(server), SSL_in_init(server));
        }
        if (blocked != 0) {
            note("write %d", SSL_write(server, "x", 1));
        } else {
            note("handshake %d", SSL_do_handshake(server));
        }
        note("in init %d", SSL_in_init(server));
        log_alive(site.pair.client, server);
        site_end(&site);
        visit(&site, 1);
        site_free(&site);
    }
}

/* --- What changes between two visits --- */

struct change {
    const char *what;
    const char *suites[2]; /* of the server, at the first and the second visit */
    const char *groups[2];
    uint64_t client_options, server_options;
};

static void test_changes(void)
{
    static const struct change changes[] = {
        { "another suite of the same hash",
          { "TLS_AES_128_GCM_SHA256", "TLS_CHACHA20_POLY1305_SHA256" },
          { "X25519", "X25519" },
          0,
          0 },
        { "a suite of another hash",
          { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384" },
          { "X25519", "X25519" },
          0,
          0 },
        { "another group", { NULL, NULL }, { "X25519", "P-384" }, 0, 0 },
        { "both",
          { "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256" },
          { "X25519", "P-256" },
          0,
          0 },
        { "without key exchange: client",
          { NULL, NULL },
          { "X25519", "X25519" },
          SSL_OP_ALLOW_NO_DHE_KEX,
          0 },
        { "without key exchange: server",
          { NULL, NULL },
          { "X25519", "X25519" },
          0,
          SSL_OP_ALLOW_NO_DHE_KEX },
        { "without key exchange",
          { NULL, NULL },
          { "X25519", "X25519" },
          SSL_OP_ALLOW_NO_DHE_KEX,
          SSL_OP_ALLOW_NO_DHE_KEX },
        { "without key exchange, no group in common",
          { NULL, NULL },
          { "X25519", "X448" },
          SSL_OP_ALLOW_NO_DHE_KEX,
          SSL_OP_ALLOW_NO_DHE_KEX },
        { "no middlebox compatibility", { NULL, NULL }, { "X25519", "P-384" }, 0, 0 },
    };

    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        const struct change *c = &changes[i];
        struct site site;

        section("%s", c->what);
        begin(&site);
        (void)SSL_CTX_set_options(site.client_ctx, c->client_options);
        (void)SSL_CTX_set_options(site.server_ctx, c->server_options);
        REQUIRE(SSL_CTX_set1_groups_list(site.client_ctx, "X25519:P-256:P-384") == 1);
        if (i == 8) {
            (void)SSL_CTX_clear_options(site.client_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
            (void)SSL_CTX_clear_options(site.server_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
        }
        for (int visit = 0; visit < 3; visit++) {
            int j = visit > 0;
            if (c->suites[j] != NULL) {
                REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, c->suites[j]) == 1);
            }
            REQUIRE(SSL_CTX_set1_groups_list(site.server_ctx, (uintptr_t)c->groups[j]) == 1);
            (void)site_visit(&site);
        }
        site_free(&site);
    }
}

static int accept_name(SSL *ssl, int *alert, void *answer)
{
    (void)ssl;
    (void)alert;
    return *(const int *)answer;
}

/* The name of the session's virtual host, where the server has a say about it. */
static void test_names(void)
{
    for (int i = 0; i < 4; i++) {
        struct site site;
        int answer = i % 2 == 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
        char first[] = "one.example";
        char other[] = "two.example";
        char *second = i < 2 ? first : other;

        section("one.example, then %s, answer %d", second, answer);
        begin(&site);
        (void)SSL_CTX_set_tlsext_servername_callback(site.server_ctx, accept_name);
        (void)SSL_CTX_set_tlsext_servername_arg(site.server_ctx, &answer);
        for (int j = 0; j < 3; j++) {
            bool differs = i >= 2 && j > 0;
            site_begin(&site);
            const char *name = j == 0 ? first : second;
            (void)SSL_set_tlsext_host_name(site.pair.client, (uintptr_t)name);
            if (differs) {
                difference_begin("s13-resume-name");
            }
            (void)site_connect(&site);
            site_end(&site);
            if (differs) {
                difference_end();
            }
        }
        site_free(&site);
    }
}

/* --- Age --- */

static void test_age(void)
{
    static const struct {
        long timeout; /* of the server's context */
        long age;     /* by which the client's session is made older */
    } rows[] = { { 300, 0 }, { 300, 290 }, { 300, 310 }, { 1, 0 }, { 1000000, 0 }, { 0, 0 } };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct site site;

        section("timeout %ld, age %ld", rows[i].timeout, rows[i].age);
        begin(&site);
        (void)SSL_CTX_set_timeout(site.server_ctx, rows[i].timeout);
        (void)site_visit(&site);
        (void)SSL_SESSION_set_time(site.session, SSL_SESSION_get_time(site.session) - rows[i].age);
        (void)site_visit(&site);
        site_free(&site);
    }
}

/* --- The application's word --- */

static int ticket_key_answer;

static int give_keys(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int seal)
{
    static unsigned char key[32] = "everybody may know this key";
    char digest[] = "SHA256";
    OSSL_PARAM params[3];

    note("  %s a ticket's key: %d", seal ? "asked for" : "asked whether there is",
         ticket_key_answer);
    (void)ssl;
    if (seal) {
        memset(name, 'n', 16);
        memset(iv, 'i', 16);
    }
    params[0] = OSSL_PARAM_construct_octet_string("key", key, sizeof(key));
    params[1] = OSSL_PARAM_construct_utf8_string("digest", digest, 0);
    params[2] = OSSL_PARAM_construct_end();
    REQUIRE(EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), NULL, key, iv, seal) == 1);
    REQUIRE(EVP_MAC_CTX_set_params(mac, params) == 1);
    return ticket_key_answer;
}

static void test_ticket_keys(void)
{
    static const int answers[][2] = {
        { 1, 1 }, { 1, 2 }, { 1, 0 }, { 1, -1 }, { 0, 1 }, { -1, 1 }
    };

    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        struct site site;

        section("keys for tickets: %d, then %d", answers[i][0], answers[i][1]);
        begin(&site);
        REQUIRE(SSL_CTX_set_tlsext_ticket_key_evp_cb(site.server_ctx, give_keys) == 1);
        ticket_key_answer = answers[i][0];
        (void)site_visit(&site);
        ticket_key_answer = answers[i][1];
        visit(&site, 1);
        site_free(&site);
    }
}

/* A ticket of another hash that is good, and that the application would not renew. */
static void test_keys_and_hash(void)
{
    for (int answer = 1; answer <= 2; answer++) {
        struct site site;

        section("another hash, keys for tickets %d", answer);
        begin(&site);
        REQUIRE(SSL_CTX_set_tlsext_ticket_key_evp_cb(site.server_ctx, give_keys) == 1);
        ticket_key_answer = answer;
        (void)site_visit(&site);
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, "TLS_AES_128_GCM_SHA256") == 1);
        visit(&site, 1);
        site_free(&site);
    }
}

static int judgement;

static int add_data(SSL *ssl, void *arg)
{
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), arg, 4);
}

static SSL_TICKET_RETURN judge(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                               size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    (void)ssl;
    (void)name;
    (void)arg;
    note("  a ticket, name %zu, status %d, session %d", name_len, status, session != NULL);
    return judgement;
}

static void test_ticket_callbacks(void)
{
    for (int i = 0; i < 10; i++) {
        struct site site;
        char data[] = "data";

        judgement = i % 5;
        section("tickets are judged with %d, stateful %d", judgement, i >= 5);
        begin(&site);
        if (i >= 5) {
            (void)SSL_CTX_set_options(site.server_ctx, SSL_OP_NO_TICKET);
        }
        REQUIRE(SSL_CTX_set_session_ticket_cb(site.server_ctx, add_data, judge, data) == 1);
        visit(&site, 2);
        site_free(&site);
    }
}

static int deny(SSL *ssl, int forward_secure)
{
    note("  %s may be resumed? forward secure %d", ssl_get_name(ssl), forward_secure);
    return 1;
}

static void test_not_resumable(void)
{
    struct site site;

    section("sessions that are not resumable");
    begin(&site);
    SSL_CTX_set_not_resumable_session_callback(site.server_ctx, deny);
    visit(&site, 2);
    SSL_CTX_set_not_resumable_session_callback(site.server_ctx, NULL);
    visit(&site, 1);
    SSL_CTX_set_not_resumable_session_callback(site.server_ctx, deny);
    visit(&site, 2);
    site_free(&site);
}

/* --- Contexts and clients --- */

static void test_contexts(void)
{
    for (int i = 0; i < 4; i++) {
        struct site site;
        static const unsigned char other[] = "other";

        section("%s", i == 0   ? "another context of the server"
                      : i == 1 ? "another context of the client"
                      : i == 2 ? "clients are verified from now on"
                               : "clients are verified, no context");
        begin(&site);
        if (i == 3) {
            REQUIRE(SSL_CTX_set_session_id_context(site.server_ctx, other, 0) == 1);
        }
        (void)site_visit(&site);
        if (i < 2) {
            REQUIRE(SSL_CTX_set_session_id_context(i == 0 ? site.server_ctx : site.client_ctx,
                                                   other, sizeof(other)) == 1);
        } else {
            SSL_CTX_set_verify(site.server_ctx, SSL_VERIFY_PEER, NULL);
        }
        if (i == 2) {
            difference_begin("s13-resume-verification");
        }
        visit(&site, 1);
        if (i == 2) {
            difference_end();
        }
        site_free(&site);
    }
}

static void test_client_auth(void)
{
    struct site site;

    section("a client with a certificate");
    begin(&site);
    SSL_CTX_set_verify(site.server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    identity_trust(identity_default(), site.server_ctx);
    identity_use_ctx(identity_default(), site.client_ctx);
    visit(&site, 3);
    site_free(&site);
}

static void test_post_handshake_auth(void)
{
    struct site site;

    section("a client that is asked later");
    begin(&site);
    identity_trust(identity_default(), site.server_ctx);
    identity_use_ctx(identity_default(), site.client_ctx);
    SSL_CTX_set_post_handshake_auth(site.client_ctx, 1);
    (void)SSL_CTX_set_session_cache_mode(site.client_ctx,
                                         SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(site.client_ctx, count_new);
    for (int i = 0; i < 3; i++) {
        site_begin(&site);
        CHECK(site_connect(&site));
        SSL_set_verify(site.pair.server, SSL_VERIFY_PEER, NULL);
        note("asked: %d", SSL_verify_client_post_handshake(site.pair.server));
        note("sent: %d", SSL_do_handshake(site.pair.server));
        log_alive(site.pair.client, site.pair.server);
        log_alive(site.pair.client, site.pair.server);
        note("the server has a certificate: %d",
             SSL_get0_peer_certificate(site.pair.server) != NULL);
        site_end(&site);
    }
    site_free(&site);
}

/* --- On the way --- */

/* Moves everything that one side has sent to the other, with bit `bit` before the end flipped. */
static void change_bit(BIO *wire, size_t bit)
{
    char *bytes;
    long len = BIO_get_mem_data(wire, &bytes);

    REQUIRE(len > 0 && bit / 8 < (size_t)len);
    bytes[(size_t)len - 1 - bit / 8] ^= (char)(1 << bit % 8);
}

/* The ClientHello ends with the binders: length of the list, length of the binder, binder. */
static void test_binders(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384" };

    for (int i = 0; i < 2; i++) {
        struct site site;
        size_t bits = i == 0 ? 8 * 35 : 8 * 51;
        SSL_SESSION *kept;

        section("binders of %s, every bit", suites[i]);
        begin(&site);
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, suites[i]) == 1);
        (void)site_visit(&site);
        kept = site.session;
        for (size_t bit = 0; bit < bits; bit++) {
            site.session = SSL_SESSION_dup(kept);
            site_begin(&site);
            SSL_SESSION_free(site.session);
            REQUIRE(SSL_do_handshake(site.pair.client) == -1);
            change_bit(SSL_get_wbio(site.pair.client), bit);
            note("bit %zu", bit);
            log_call(site.pair.server, "server", SSL_do_handshake(site.pair.server));
            log_call(site.pair.client, "client", SSL_do_handshake(site.pair.client));
            pair_free(&site.pair);
            errors_drop();
        }
        site.session = kept;
        site_free(&site);
    }
}

/* A session whose ticket is another: what the client's DER says of it is changed. */
static SSL_SESSION *forge(SSL_SESSION *session, size_t at, size_t cut)
{
    const unsigned char *ticket;
    unsigned char *der = NULL;
    const unsigned char *begin_der;
    size_t len;
    int der_len = i2d_SSL_SESSION(session, &der);
    SSL_SESSION *forged;

    SSL_SESSION_get0_ticket(session, &ticket, &len);
    REQUIRE(der_len > 0 && at < len);
    for (int i = 0; i + (int)len <= der_len; i++) {
        if (memcmp(der + i, ticket, len) == 0) {
            if (cut > 0) {
                memset(der + i + len - cut, 0, cut);
            } else {
                der[i + (int)at] ^= 1;
            }
            break;
        }
    }
    begin_der = der;
    forged = d2i_SSL_SESSION(NULL, &begin_der, der_len);
    REQUIRE(forged != NULL);
    OPENSSL_free(der);
    return forged;
}

static void test_forged_tickets(void)
{
    struct site site;
    SSL_SESSION *kept;

    section("tickets that nobody gave");
    begin(&site);
    (void)site_visit(&site);
    kept = site.session;
    for (size_t at = 0; at < 160; at += 10) {
        note("byte %zu", at);
        site.session = forge(kept, at, 0);
        visit(&site, 1);
        SSL_SESSION_free(site.session);
    }
    for (size_t cut = 1; cut < 160; cut += 20) {
        note("without its last %zu bytes", cut);
        site.session = forge(kept, 0, cut);
        visit(&site, 1);
        SSL_SESSION_free(site.session);
    }
    site.session = kept;
    visit(&site, 1);
    site_free(&site);
}

int main(void)
{
    contract_start();
    test_forms();
    test_numbers();
    test_extra_tickets();
    test_changes();
    test_names();
    test_age();
    test_ticket_keys();
    test_keys_and_hash();
    test_ticket_callbacks();
    test_not_resumable();
    test_contexts();
    test_client_auth();
    test_post_handshake_auth();
    test_binders();
    test_forged_tickets();
    identity_default_free();
    return contract_finish();
}
