/*
 * SSL_stateless(3): a server that sends a HelloRetryRequest with a cookie and forgets the client
 * until the cookie comes back; what the cookie holds, when it is not taken, and what the calls
 * return. Every hello is answered by a server of its own.
 */
#include "hs_trace.h"
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int generate_answer;
static int verify_answer;
static size_t cookie_len;

static int on_generate(SSL *ssl, unsigned char *cookie, size_t *len)
{
    note("%s makes a cookie in state %s", ssl_get_name(ssl), SSL_state_string(ssl));
    memset(cookie, 'c', cookie_len);
    *len = cookie_len;
    return generate_answer;
}

static int on_verify(SSL *ssl, const unsigned char *cookie, size_t len)
{
    bool same = len == cookie_len;

    for (size_t i = 0; i < len; i++) {
        same = same && cookie[i] == 'c';
    }
    note("%s verifies a cookie in state %s: ours %d", ssl_get_name(ssl), SSL_state_string(ssl),
         same);
    return verify_answer;
}

/* --- Clocks: both libraries ask here for the time --- */

static long clock_shift; /* seconds */

int clock_gettime(clockid_t id, struct timespec *now)
{
    long ret = syscall(SYS_clock_gettime, id, now);

    if (ret == 0 && id == CLOCK_REALTIME) {
        now->tv_sec += clock_shift;
    }
    return (int)ret;
}

time_t time(time_t *now)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_REALTIME, &at);
    if (now != NULL) {
        *now = at.tv_sec;
    }
    return at.tv_sec;
}

/* --- What a HelloRetryRequest and a ClientHello hold --- */

static const unsigned char *take(const unsigned char **at, size_t len)
{
    const unsigned char *begin = *at;

    *at += len;
    return begin;
}

static unsigned take_u16(const unsigned char **at)
{
    const unsigned char *b = take(at, 2);

    return (unsigned)b[0] << 8 | b[1];
}

static void log_cookie(const unsigned char *at, size_t len)
{
    unsigned format = take_u16(&at);
    unsigned version = take_u16(&at);
    unsigned group = take_u16(&at);
    unsigned suite = take_u16(&at);
    unsigned key_share = *take(&at, 1);
    const unsigned char *when = take(&at, 8);
    unsigned long long seconds = 0;
    size_t hash_len;

    for (int i = 0; i < 8; i++) {
        seconds = seconds << 8 | when[i];
    }
    hash_len = take_u16(&at);
    (void)take(&at, hash_len);
    note(
        "  cookie of %zu bytes: format %u, version %x, group %u, suite %x, key share %u, fresh %d, "
        "hash %zu, application's %u",
        len, format, version, group, suite, key_share,
        seconds <= (unsigned long long)time(NULL) && seconds + 100 > (unsigned long long)time(NULL),
        hash_len, *at);
}

/* extensions: their block without its length. */
static void log_extensions(const unsigned char *at, const unsigned char *end)
{
    while (at < end) {
        unsigned type = take_u16(&at);
        unsigned len = take_u16(&at);
        const unsigned char *body = take(&at, len);

        note("  extension %u", type);
        if (type == TLSEXT_TYPE_cookie) {
            unsigned inner = take_u16(&body);

            if (inner > 50) {
                log_cookie(body, inner);
            }
        } else if (type == TLSEXT_TYPE_key_share) {
            note("  group %u", take_u16(&body));
        }
    }
}

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
    static const unsigned char retry[4] = { 0xcf, 0x21, 0xad, 0x74 };
    const unsigned char *bytes = data;

    (void)arg;
    if (type == SSL3_RT_HANDSHAKE || type == SSL3_RT_CHANGE_CIPHER_SPEC) {
        note("%s %s %d of type %d, version %x", ssl_get_name(ssl), sent ? "sends" : "receives",
             bytes[0], type, (unsigned)version);
    } else if (type == SSL3_RT_ALERT) {
        note("%s %s alert %u %u", ssl_get_name(ssl), sent ? "sends" : "receives", bytes[0],
             bytes[1]);
    }
    if (type == SSL3_RT_HANDSHAKE && bytes[0] == SSL3_MT_SERVER_HELLO && sent &&
        memcmp(bytes + 6, retry, 4) == 0) {
        const unsigned char *at = bytes + 38;
        const unsigned char *block;

        at += 1 + *at + 2 + 1;
        block = at + 2;
        log_extensions(block, bytes + len);
    }
}

static void on_info(const SSL *ssl, int where, int ret)
{
    if ((where & SSL_CB_LOOP) == 0) {
        note("%s info %x %d in state %s", ssl_get_name(ssl), (unsigned)where, ret,
             SSL_state_string(ssl));
    }
}

/* --- The server --- */

static void log_side(SSL *ssl)
{
    note("  %s: %s, in init %d, before %d, finished %d, version %s, cipher %s", ssl_get_name(ssl),
         SSL_state_string_long(ssl), SSL_in_init(ssl), SSL_in_before(ssl),
         SSL_is_init_finished(ssl), SSL_get_version(ssl), SSL_get_cipher_name(ssl));
}

static int stateless(SSL *ssl)
{
    int ret = log_call(ssl, "SSL_stateless", SSL_stateless(ssl));

    log_side(ssl);
    return ret;
}

/* A client's ChangeCipherSpec comes before its second hello, and takes a call of its own. */
static int stateless_again(SSL *ssl)
{
    int ret = stateless(ssl);

    return ret < 0 && ERR_peek_error() == 0 && SSL_get_error(ssl, ret) == SSL_ERROR_SYSCALL
               ? stateless(ssl)
               : ret;
}

static void handshake(SSL *ssl)
{
    log_call(ssl, "SSL_do_handshake", SSL_do_handshake(ssl));
    log_side(ssl);
}

static void reset(void)
{
    generate_answer = verify_answer = 1;
    cookie_len = 20;
}

static void make_site(struct site *site, const char *title)
{
    reset();
    section("%s", title);
    site_init_version(site, TLS1_3_VERSION);
    SSL_CTX_set_stateless_cookie_generate_cb(site->server_ctx, on_generate);
    SSL_CTX_set_stateless_cookie_verify_cb(site->server_ctx, on_verify);
}

/* The pair over a wire; what it says is logged. */
static void begin(struct site *site)
{
    REQUIRE(SSL_CTX_up_ref(site->client_ctx) == 1 && SSL_CTX_up_ref(site->server_ctx) == 1);
    pair_init_ctx(&site->pair, site->client_ctx, site->server_ctx, OVER_WIRE, 0);
    if (site->session != NULL) {
        REQUIRE(SSL_set_session(site->pair.client, site->session) == 1);
    }
    for (int i = 0; i < 2; i++) {
        SSL *ssl = i == 0 ? site->pair.client : site->pair.server;

        SSL_set_msg_callback(ssl, on_message);
        SSL_set_info_callback(ssl, on_info);
    }
}

/* Another server of the same context takes the next hello. */
static void exchange_server(struct site *site)
{
    struct pair *p = &site->pair;
    BIO *bio = wire_bio_new(p->wire, WIRE_SERVER);

    SSL_free(p->server);
    p->server = SSL_new(site->server_ctx);
    REQUIRE(p->server != NULL && bio != NULL);
    ssl_set_name(p->server, "server");
    SSL_set_bio(p->server, bio, bio);
    SSL_set_accept_state(p->server);
    SSL_set_msg_callback(p->server, on_message);
    SSL_set_info_callback(p->server, on_info);
}

static void finish(struct site *site)
{
    if (log_handshake(site->pair.client, site->pair.server)) {
        note("groups %ld, retried", (long)SSL_get_negotiated_group(site->pair.client));
        note("reused %d %d", SSL_session_reused(site->pair.client),
             SSL_session_reused(site->pair.server));
        log_alive(site->pair.client, site->pair.server);
    }
    log_statistics(site);
}

static void end(struct site *site)
{
    pair_free(&site->pair);
    site_free(site);
}

/* The whole of it: hello, cookie, hello, handshake. */
static void run(struct site *site, bool another)
{
    begin(site);
    handshake(site->pair.client);
    if (stateless(site->pair.server) == 0) {
        handshake(site->pair.client);
        if (another) {
            exchange_server(site);
        }
        if (stateless_again(site->pair.server) == 1) {
            finish(site);
        } else {
            handshake(site->pair.client);
        }
    }
    end(site);
}

static void test_usual(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256" };
    struct site site;

    make_site(&site, "the same SSL twice");
    run(&site, false);
    make_site(&site, "another SSL");
    run(&site, true);
    make_site(&site, "a group that has to be asked for");
    REQUIRE(SSL_CTX_set1_groups_list(site.server_ctx, "P-384") == 1);
    run(&site, true);
    make_site(&site, "without compatibility");
    (void)SSL_CTX_clear_options(site.server_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    (void)SSL_CTX_clear_options(site.client_ctx, SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    run(&site, true);
    make_site(&site, "a client certificate is asked for");
    SSL_CTX_set_verify(site.server_ctx, SSL_VERIFY_PEER, NULL);
    run(&site, true);
    for (size_t i = 0; i < 3; i++) {
        make_site(&site, suites[i]);
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, suites[i]) == 1);
        run(&site, true);
    }
}

static void test_callbacks(void)
{
    static const size_t lens[] = { 0, 1, 255, 256, 4096 };
    struct site site;

    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        make_site(&site, "a cookie of any length");
        cookie_len = lens[i];
        note("%zu", cookie_len);
        run(&site, true);
    }
    make_site(&site, "no cookie can be made");
    generate_answer = 0;
    run(&site, true);
    make_site(&site, "the cookie is not good");
    verify_answer = 0;
    run(&site, true);
    make_site(&site, "nobody makes cookies");
    SSL_CTX_set_stateless_cookie_generate_cb(site.server_ctx, NULL);
    run(&site, true);
    make_site(&site, "nobody verifies cookies");
    SSL_CTX_set_stateless_cookie_verify_cb(site.server_ctx, NULL);
    run(&site, true);
}

/* Where the cookie is, in the bytes that wait at the server. */
static void test_tampered(void)
{
    /* From the hello's end: MAC, the application's part, hash, time, key share, suite, group. */
    static const size_t from_end[] = { 1, 32, 33, 53, 60, 100 };

    for (size_t i = 0; i < sizeof(from_end) / sizeof(from_end[0]); i++) {
        struct site site;
        size_t waiting;

        make_site(&site, "a cookie that was changed");
        note("%zu bytes before its end", from_end[i]);
        /* Without tickets and with one group the cookie is near the end of the hello. */
        begin(&site);
        handshake(site.pair.client);
        CHECK(stateless(site.pair.server) == 0);
        handshake(site.pair.client);
        waiting = wire_waiting(site.pair.wire, WIRE_SERVER);
        wire_flip(site.pair.wire, WIRE_SERVER, waiting - 1 - 6 - 38 - from_end[i]);
        exchange_server(&site);
        (void)stateless_again(site.pair.server);
        handshake(site.pair.client);
        end(&site);
    }
}

/* A cookie is good for ten minutes; one of another time is answered by a new one. */
static void test_age(void)
{
    static const long ages[] = { 0, 590, 602, 100000, -10 };

    for (size_t i = 0; i < sizeof(ages) / sizeof(ages[0]); i++) {
        struct site site;

        make_site(&site, "a cookie of some age");
        note("%ld seconds", ages[i]);
        begin(&site);
        handshake(site.pair.client);
        CHECK(stateless(site.pair.server) == 0);
        handshake(site.pair.client);
        exchange_server(&site);
        clock_shift = ages[i];
        (void)stateless_again(site.pair.server);
        clock_shift = 0;
        handshake(site.pair.client);
        end(&site);
    }
}

static void test_other_server(void)
{
    struct site site;
    SSL_CTX *other;

    make_site(&site, "a server with other keys");
    other = server_ctx_new();
    SSL_CTX_set_stateless_cookie_generate_cb(other, on_generate);
    SSL_CTX_set_stateless_cookie_verify_cb(other, on_verify);
    begin(&site);
    handshake(site.pair.client);
    CHECK(stateless(site.pair.server) == 0);
    handshake(site.pair.client);
    SSL_CTX_free(site.server_ctx);
    site.server_ctx = other;
    exchange_server(&site);
    (void)stateless_again(site.pair.server);
    end(&site);
    for (int i = 0; i < 2; i++) {
        make_site(&site, i == 0 ? "a server that wants another suite by now"
                                : "a server that wants another group by now");
        if (i == 1) {
            REQUIRE(SSL_CTX_set1_groups_list(site.client_ctx, "P-256:P-384:X25519") == 1);
        }
        begin(&site);
        handshake(site.pair.client);
        CHECK(stateless(site.pair.server) == 0);
        handshake(site.pair.client);
        exchange_server(&site);
        if (i == 0) {
            REQUIRE(SSL_set_ciphersuites(site.pair.server, "TLS_AES_128_GCM_SHA256") == 1);
        } else {
            REQUIRE(SSL_set1_groups_list(site.pair.server, "P-384") == 1);
        }
        (void)stateless_again(site.pair.server);
        handshake(site.pair.client);
        end(&site);
    }
}

/* Servers of different kinds for the two hellos. */
static void test_mixed(void)
{
    struct site site;

    make_site(&site, "the second hello meets SSL_accept");
    begin(&site);
    handshake(site.pair.client);
    CHECK(stateless(site.pair.server) == 0);
    handshake(site.pair.client);
    exchange_server(&site);
    handshake(site.pair.server);
    handshake(site.pair.client);
    end(&site);
    make_site(&site, "SSL_accept after SSL_stateless has said 0");
    begin(&site);
    handshake(site.pair.client);
    CHECK(stateless(site.pair.server) == 0);
    handshake(site.pair.client);
    difference_begin("stateless-then-accept");
    handshake(site.pair.server);
    finish(&site);
    difference_end();
    end(&site);
    make_site(&site, "SSL_read after SSL_stateless has said 1");
    begin(&site);
    handshake(site.pair.client);
    CHECK(stateless(site.pair.server) == 0);
    handshake(site.pair.client);
    CHECK(stateless_again(site.pair.server) == 1);
    handshake(site.pair.client);
    CHECK(call_write(site.pair.client, "data", 4) == 4);
    {
        char data[10];

        (void)call_read(site.pair.server, data, sizeof(data));
        log_side(site.pair.server);
        (void)call_write(site.pair.server, "data", 4);
        log_side(site.pair.server);
        (void)call_read(site.pair.client, data, sizeof(data));
    }
    finish(&site);
    end(&site);
    make_site(&site, "a connection that is up is asked again");
    begin(&site);
    handshake(site.pair.client);
    CHECK(stateless(site.pair.server) == 0);
    handshake(site.pair.client);
    CHECK(stateless_again(site.pair.server) == 1);
    finish(&site);
    (void)stateless(site.pair.server);
    end(&site);
}

static void test_versions(void)
{
    struct site site;

    make_site(&site, "a client of TLS 1.2");
    REQUIRE(SSL_CTX_set_min_proto_version(site.server_ctx, TLS1_2_VERSION) == 1);
    REQUIRE(SSL_CTX_set_min_proto_version(site.client_ctx, TLS1_2_VERSION) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(site.client_ctx, TLS1_2_VERSION) == 1);
    begin(&site);
    handshake(site.pair.client);
    (void)stateless(site.pair.server);
    end(&site);
    make_site(&site, "nothing has come");
    begin(&site);
    (void)stateless(site.pair.server);
    (void)stateless(site.pair.server);
    end(&site);
    make_site(&site, "half a hello");
    begin(&site);
    wire_budget(site.pair.wire, WIRE_CLIENT, WIRE_WRITE, 100);
    handshake(site.pair.client);
    (void)stateless(site.pair.server);
    end(&site);
    make_site(&site, "nobody can take the answer");
    begin(&site);
    handshake(site.pair.client);
    wire_default(site.pair.wire, WIRE_SERVER, WIRE_WRITE, WIRE_RETRY);
    (void)stateless(site.pair.server);
    end(&site);
    make_site(&site, "a client calls it");
    begin(&site);
    (void)stateless(site.pair.client);
    end(&site);
    make_site(&site, "the option SSL_OP_COOKIE_EXCHANGE alone does nothing");
    (void)SSL_CTX_set_options(site.server_ctx, SSL_OP_COOKIE_EXCHANGE);
    begin(&site);
    handshake(site.pair.client);
    handshake(site.pair.server);
    handshake(site.pair.client);
    end(&site);
}

/* Sessions are resumed behind a cookie (in OpenSSL binders do not verify); early data is not taken.
 */
static void test_sessions(void)
{
    for (int i = 0; i < 3; i++) {
        struct site site;
        size_t written;

        make_site(&site, i == 0   ? "a session"
                         : i == 1 ? "a session without (EC)DHE"
                                  : "a session and early data");
        if (i == 1) {
            (void)SSL_CTX_set_options(site.client_ctx, SSL_OP_ALLOW_NO_DHE_KEX);
            (void)SSL_CTX_set_options(site.server_ctx, SSL_OP_ALLOW_NO_DHE_KEX);
        } else if (i == 2) {
            REQUIRE(SSL_CTX_set_max_early_data(site.server_ctx, 1000) == 1);
        }
        (void)site_visit(&site);
        begin(&site);
        if (i == 2) {
            note("early data %d", SSL_write_early_data(site.pair.client, "early", 5, &written));
        }
        handshake(site.pair.client);
        CHECK(stateless(site.pair.server) == 0);
        handshake(site.pair.client);
        exchange_server(&site);
        if (i < 2) {
            difference_begin("stateless-resumption");
        }
        if (stateless_again(site.pair.server) == 1) {
            finish(&site);
            CHECK(SSL_session_reused(site.pair.server) == 1);
        } else {
            CHECK(i == 2 || !on_tenon());
        }
        difference_end();
        note("early data %d %d", SSL_get_early_data_status(site.pair.client),
             SSL_get_early_data_status(site.pair.server));
        end(&site);
    }
}

int main(void)
{
    contract_start();
    test_usual();
    test_callbacks();
    test_tampered();
    test_age();
    test_other_server();
    test_mixed();
    test_versions();
    test_sessions();
    identity_default_free();
    return contract_finish();
}
