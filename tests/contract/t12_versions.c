/*
 * Which version two sides agree on: all combinations of minimum and maximum, the options that
 * switch a version off, fallback signalling (RFC 7507), and the downgrade mark in the server's
 * random (RFC 8446, 4.1.3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define V12 TLS1_2_VERSION
#define V13 TLS1_3_VERSION

static void prepare(struct pair *p, enum transport transport)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    REQUIRE(SSL_CTX_set_min_proto_version(client_ctx, V12) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(client_ctx, 0) == 1);
    REQUIRE(SSL_CTX_set_min_proto_version(server_ctx, V12) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(server_ctx, 0) == 1);
    pair_init_ctx(p, client_ctx, server_ctx, transport, 0);
}

static void log_versions(const struct pair *p)
{
    note("%s %s, %x %x, client's hello %x, DTLS %d, server's suite %s", SSL_get_version(p->client),
         SSL_get_version(p->server), (unsigned)SSL_version(p->client),
         (unsigned)SSL_version(p->server), (unsigned)SSL_client_version(p->server),
         SSL_is_dtls(p->server), SSL_get_cipher(p->server));
}

static void combine(const int *v)
{
    struct pair p;

    section("client %x to %x, server %x to %x", (unsigned)v[0], (unsigned)v[1], (unsigned)v[2],
            (unsigned)v[3]);
    prepare(&p, OVER_MEMORY);
    note("set %d %d %d %d", (int)SSL_set_min_proto_version(p.client, v[0]),
         (int)SSL_set_max_proto_version(p.client, v[1]),
         (int)SSL_set_min_proto_version(p.server, v[2]),
         (int)SSL_set_max_proto_version(p.server, v[3]));
    log_errors("error");
    if (log_handshake(p.client, p.server)) {
        log_versions(&p);
        log_alive(p.client, p.server);
    }
    pair_free(&p);
}

static void test_combinations(void)
{
    static const int ranges[][2] = {
        { 0, 0 }, { V12, V12 }, { V13, V13 }, { V12, V13 }, { 0, V12 }, { V13, 0 }, { V12, 0 },
    };
    const size_t num = sizeof(ranges) / sizeof(ranges[0]);

    for (size_t i = 0; i < num * num; i++) {
        const int *client = ranges[i / num];
        const int *server = ranges[i % num];

        combine((const int[]){ client[0], client[1], server[0], server[1] });
    }
}

static void test_options(void)
{
    static const uint64_t options[] = { 0, SSL_OP_NO_TLSv1_3, SSL_OP_NO_TLSv1_2,
                                        SSL_OP_NO_TLSv1_2 | SSL_OP_NO_TLSv1_3 };

    for (size_t i = 0; i < 16; i++) {
        struct pair p;

        section("options of client %llx, server %llx", (unsigned long long)options[i / 4],
                (unsigned long long)options[i % 4]);
        prepare(&p, OVER_MEMORY);
        (void)SSL_set_options(p.client, options[i / 4]);
        (void)SSL_set_options(p.server, options[i % 4]);
        if (log_handshake(p.client, p.server)) {
            log_versions(&p);
        }
        pair_free(&p);
    }
}

static void with_method(const char *name, const SSL_METHOD *client, const SSL_METHOD *server)
{
    SSL_CTX *client_ctx = SSL_CTX_new(client);
    SSL_CTX *server_ctx = SSL_CTX_new(server);
    struct pair p;

    section("%s", name);
    REQUIRE(client_ctx != NULL && server_ctx != NULL);
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_OFF);
    REQUIRE(SSL_CTX_set_num_tickets(server_ctx, 0) == 1);
    identity_use_ctx(identity_default(), server_ctx);
    note("minimum %ld %ld", SSL_CTX_get_min_proto_version(client_ctx),
         SSL_CTX_get_max_proto_version(client_ctx));
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    note("before: %s %x", SSL_get_version(p.client), (unsigned)SSL_version(p.client));
    if (log_handshake(p.client, p.server)) {
        log_versions(&p);
        log_alive(p.client, p.server);
    }
    pair_free(&p);
}

static void test_methods(void)
{
    with_method("both flexible", TLS_client_method(), TLS_server_method());
    with_method("client fixed", TLSv1_2_client_method(), TLS_server_method());
    with_method("server fixed", TLS_client_method(), TLSv1_2_server_method());
    with_method("both fixed", TLSv1_2_method(), TLSv1_2_method());
}

/* RFC 7507: a client that tries again with a lower maximum says so. */
static void fallback(const char *title, int client_max, int server_max)
{
    struct pair p;

    section("fallback: %s", title);
    prepare(&p, OVER_MEMORY);
    REQUIRE(SSL_set_max_proto_version(p.client, client_max) == 1);
    REQUIRE(SSL_set_max_proto_version(p.server, server_max) == 1);
    note("mode %lx", SSL_set_mode(p.client, SSL_MODE_SEND_FALLBACK_SCSV));
    if (log_handshake(p.client, p.server)) {
        log_versions(&p);
    }
    pair_free(&p);
}

static void test_fallback(void)
{
    fallback("1.2, the server knows more", V12, 0);
    fallback("1.2, the server knows no more", V12, V12);
    fallback("1.3", 0, 0);
    fallback("1.3, the server only 1.2", 0, V12);
}

/* The last eight bytes of the server's random. */
static void log_mark(const struct pair *p)
{
    uint8_t random[32];

    REQUIRE(SSL_get_server_random(p->server, random, 32) == 32);
    note("mark %d", memcmp(random + 24, "DOWNGRD\x01", 8) == 0   ? 1
                    : memcmp(random + 24, "DOWNGRD\x00", 8) == 0 ? 0
                                                                 : -1);
}

static void mark(const char *title, int client_max, int server_max)
{
    struct pair p;

    section("mark: %s", title);
    prepare(&p, OVER_MEMORY);
    REQUIRE(SSL_set_max_proto_version(p.client, client_max) == 1);
    REQUIRE(SSL_set_max_proto_version(p.server, server_max) == 1);
    (void)log_handshake(p.client, p.server);
    log_mark(&p);
    pair_free(&p);
}

/* Offset of the body of extension `type` in the ClientHello that waits for the server. */
static size_t find_extension(const uint8_t *hello, size_t len, unsigned type)
{
    size_t at = 5 + 38;

    at += 1 + (size_t)hello[at];
    at += 2 + (size_t)(hello[at] << 8 | hello[at + 1]);
    at += 1 + (size_t)hello[at];
    for (at += 2; at + 4 <= len; at += 4 + (size_t)(hello[at + 2] << 8 | hello[at + 3])) {
        if ((unsigned)(hello[at] << 8 | hello[at + 1]) == type) {
            return at;
        }
    }
    return 0;
}

/* Somebody on the path rewrites the client's supported_versions: an extension type that nobody
 * knows hides it. The client must see the mark. */
static void hidden_versions(const char *title, int client_min)
{
    uint8_t hello[1024];
    struct pair p;
    size_t len, at;
    BIO *bio;
    int ret;

    section("the path hides supported_versions: %s", title);
    prepare(&p, OVER_MEMORY);
    REQUIRE(SSL_set_min_proto_version(p.client, client_min) == 1);
    (void)call_do_handshake(p.client);
    bio = SSL_get_rbio(p.server);
    ret = BIO_read(bio, hello, sizeof(hello));
    REQUIRE(ret > 0);
    len = (size_t)ret;
    at = find_extension(hello, len, TLSEXT_TYPE_supported_versions);
    REQUIRE(at != 0);
    hello[at] = 0x7a;
    hello[at + 1] = 0x7a;
    REQUIRE(BIO_write(bio, hello, ret) == ret);
    (void)call_do_handshake(p.server);
    if (client_min == V12) {
        log_mark(&p);
    }
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    pair_free(&p);
}

/* Changes the version field of a hello on its way. */
static void legacy_version(bool server_hello, unsigned version)
{
    uint8_t hello[4096];
    struct pair p;
    BIO *bio;
    int ret;

    section("legacy_version of the %s becomes %04x", server_hello ? "ServerHello" : "ClientHello",
            version);
    if (!server_hello && version > V12) {
        difference_begin("provider-error-of-bad-record"); /* the transcripts differ */
    }
    prepare(&p, OVER_MEMORY);
    REQUIRE(SSL_set_max_proto_version(p.client, V12) == 1);
    (void)call_do_handshake(p.client);
    if (server_hello) {
        (void)call_do_handshake(p.server);
    }
    bio = SSL_get_rbio(server_hello ? p.client : p.server);
    ret = BIO_read(bio, hello, sizeof(hello));
    REQUIRE(ret > 0);
    hello[9] = (uint8_t)(version >> 8);
    hello[10] = (uint8_t)version;
    REQUIRE(BIO_write(bio, hello, ret) == ret);
    if (!server_hello) {
        (void)call_do_handshake(p.server);
    }
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    difference_end();
    pair_free(&p);
}

static void test_legacy_versions(void)
{
    static const unsigned versions[] = { 0x0000, 0x0002, 0x0200, 0x0300, 0x0301, 0x0302, 0x0303,
                                         0x0304, 0x0305, 0x0400, 0x7f12, 0xfefd, 0xffff };

    for (size_t i = 0; i < 2 * sizeof(versions) / sizeof(versions[0]); i++) {
        legacy_version(i % 2 == 1, versions[i / 2]);
    }
}

/* The first record's version, and that of an alert of a server that knows no version of ours. */
static void log_record_version(const char *what, BIO *bio)
{
    char *data = NULL;
    long len = BIO_get_mem_data(bio, &data);

    note("%s: record type %d version %02x%02x", what, len >= 5 ? data[0] : -1,
         len >= 5 ? (unsigned)data[1] : 0, len >= 5 ? (unsigned)data[2] : 0);
}

static void record_versions(int client_min, int client_max, int server_min, int server_max)
{
    struct pair p;

    section("record versions: client %x to %x, server %x to %x", (unsigned)client_min,
            (unsigned)client_max, (unsigned)server_min, (unsigned)server_max);
    prepare(&p, OVER_MEMORY);
    REQUIRE(SSL_set_max_proto_version(p.client, client_max) == 1);
    REQUIRE(SSL_set_min_proto_version(p.client, client_min) == 1);
    REQUIRE(SSL_set_max_proto_version(p.server, server_max) == 1);
    REQUIRE(SSL_set_min_proto_version(p.server, server_min) == 1);
    (void)SSL_do_handshake(p.client);
    log_record_version("hello", SSL_get_rbio(p.server));
    (void)SSL_do_handshake(p.server);
    log_record_version("answer", SSL_get_rbio(p.client));
    pair_free(&p);
}

int main(void)
{
    contract_start();
    test_combinations();
    test_options();
    test_methods();
    test_fallback();
    mark("both know 1.3", 0, 0);
    mark("the client does not", V12, 0);
    mark("the server does not", 0, V12);
    mark("neither does", V12, V12);
    hidden_versions("both could do 1.2", V12);
    hidden_versions("the client only 1.3", V13);
    test_legacy_versions();
    record_versions(V12, 0, V12, 0);
    record_versions(V12, V12, V12, 0);
    record_versions(V12, V12, V13, 0);
    record_versions(V13, 0, V12, V12);
    identity_default_free();
    return contract_finish();
}
