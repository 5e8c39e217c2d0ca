/*
 * Which version a connection gets where TLS 1.0 and 1.1 may come: ranges and gaps, options, methods
 * of one version, security levels, Suite B, the signalling suite of a fallback, marks of a
 * downgrade. What the hellos say of it is logged, too.
 */
#include "contract.h"

#include <string.h>

#define V10 TLS1_VERSION
#define V11 TLS1_1_VERSION
#define V12 TLS1_2_VERSION
#define V13 TLS1_3_VERSION

static struct identity *rsa;

static SSL_CTX *context(const SSL_METHOD *method, bool is_server, int level)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL);
    if (level >= 0) {
        SSL_CTX_set_security_level(ctx, level);
    }
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    REQUIRE(SSL_CTX_set_num_tickets(ctx, 0) == 1);
    if (is_server) {
        identity_use_ctx(rsa, ctx);
    }
    return ctx;
}

/* Legacy version, list of versions, number of suites, of a ClientHello; version and mark of a
 * ServerHello. */
static void log_client_hello(const uint8_t *hello, size_t len)
{
    size_t at = 38 + 1 + (size_t)hello[38];
    size_t suites = (size_t)(hello[at] << 8 | hello[at + 1]);

    note("  ClientHello %02x%02x, id of %u, %zu bytes of suites %016llx", hello[4], hello[5],
         hello[38], suites, (unsigned long long)hash_bytes(hello + at + 2, suites));
    at += 2 + suites;
    at += 1 + (size_t)hello[at];
    for (at += 2; at + 4 <= len; at += 4 + (size_t)(hello[at + 2] << 8 | hello[at + 3])) {
        unsigned type = (unsigned)(hello[at] << 8 | hello[at + 1]);
        size_t size = (size_t)(hello[at + 2] << 8 | hello[at + 3]);
        note("  extension %u, %zu bytes%s", type, size, type == 43 ? ":" : "");
        for (size_t i = 1; type == 43 && i + 1 < size; i += 2) {
            note("    %02x%02x", hello[at + 4 + i], hello[at + 5 + i]);
        }
    }
}

static bool logs_hellos;

static void on_message(int sent, int version, int type, const void *buf, size_t len, SSL *ssl,
                       void *arg)
{
    const uint8_t *bytes = buf;

    (void)ssl;
    (void)arg;
    if (!sent) {
        return;
    }
    if (type == SSL3_RT_HEADER) {
        note("  record of %02x%02x", bytes[1], bytes[2]);
    } else if (type == SSL3_RT_ALERT) {
        note("  alert %u %u, %04x", bytes[0], bytes[1], (unsigned)version);
    } else if (type == SSL3_RT_HANDSHAKE && bytes[0] == SSL3_MT_CLIENT_HELLO && logs_hellos) {
        log_client_hello(bytes, len);
    } else if (type == SSL3_RT_HANDSHAKE && bytes[0] == SSL3_MT_SERVER_HELLO) {
        bool marked = memcmp(bytes + 30, "DOWNGRD", 7) == 0;
        note("  ServerHello %02x%02x, mark %d", bytes[4], bytes[5], marked ? bytes[37] : -1);
    }
}

static void run(SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
    struct pair p;

    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_set_msg_callback(p.client, on_message);
    SSL_set_msg_callback(p.server, on_message);
    if (log_handshake(p.client, p.server)) {
        note("%s, %s, hello of %04x, %s %s", SSL_get_version(p.client), SSL_get_version(p.server),
             (unsigned)SSL_client_version(p.server), SSL_get_cipher(p.client),
             SSL_CIPHER_get_version(SSL_get_current_cipher(p.client)));
        log_alive(p.client, p.server);
    } else {
        note("%s, %s", SSL_get_version(p.client), SSL_get_version(p.server));
    }
    pair_free(&p);
}

static void set_range(SSL_CTX *ctx, const int range[2])
{
    REQUIRE(SSL_CTX_set_min_proto_version(ctx, range[0]) == 1);
    REQUIRE(SSL_CTX_set_max_proto_version(ctx, range[1]) == 1);
}

static void test_ranges(void)
{
    static const int ranges[][2] = { { 0, 0 },     { V10, V10 }, { V11, V11 }, { V10, V11 },
                                     { V10, V12 }, { V11, V13 }, { V12, 0 },   { V11, V12 } };
    const size_t num = sizeof(ranges) / sizeof(ranges[0]);

    for (size_t i = 0; i < num * num; i++) {
        SSL_CTX *client = context(TLS_client_method(), false, 0);
        SSL_CTX *server = context(TLS_server_method(), true, 0);

        section("client %x %x, server %x %x", (unsigned)ranges[i / num][0],
                (unsigned)ranges[i / num][1], (unsigned)ranges[i % num][0],
                (unsigned)ranges[i % num][1]);
        logs_hellos = i % num == 0;
        set_range(client, ranges[i / num]);
        set_range(server, ranges[i % num]);
        run(client, server);
    }
}

/* All gaps that options can make. */
static void test_gaps(void)
{
    static const uint64_t bits[] = { SSL_OP_NO_TLSv1, SSL_OP_NO_TLSv1_1, SSL_OP_NO_TLSv1_2,
                                     SSL_OP_NO_TLSv1_3 };

    for (unsigned mask = 0; mask < 16; mask++) {
        for (int role = 0; role < 2; role++) {
            SSL_CTX *client = context(TLS_client_method(), false, 0);
            SSL_CTX *server = context(TLS_server_method(), true, 0);
            uint64_t options = 0;

            for (unsigned i = 0; i < 4; i++) {
                options |= (mask >> i & 1) != 0 ? bits[i] : 0;
            }
            section("%s without %x", role == 0 ? "client" : "server", mask);
            logs_hellos = role == 0;
            (void)SSL_CTX_set_options(role == 0 ? client : server, options);
            run(client, server);
        }
    }
}

/* A gap on one side, one version less on the other. */
static void test_two_gaps(void)
{
    static const uint64_t clients[] = { SSL_OP_NO_TLSv1_1, SSL_OP_NO_TLSv1_2,
                                        SSL_OP_NO_TLSv1_1 | SSL_OP_NO_TLSv1_2 };
    static const uint64_t servers[] = { SSL_OP_NO_TLSv1_3, SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1,
                                        SSL_OP_NO_TLSv1_3 | SSL_OP_NO_TLSv1_2 };

    for (size_t i = 0; i < 18; i++) {
        SSL_CTX *client = context(TLS_client_method(), false, 0);
        SSL_CTX *server = context(TLS_server_method(), true, 0);

        section("gaps %zu %zu%s", i / 3 % 3, i % 3, i < 9 ? "" : ", a fallback");
        logs_hellos = false;
        (void)SSL_CTX_set_options(client, clients[i / 3 % 3]);
        (void)SSL_CTX_set_options(server, servers[i % 3]);
        if (i >= 9) {
            (void)SSL_CTX_set_mode(client, SSL_MODE_SEND_FALLBACK_SCSV);
        }
        run(client, server);
    }
}

static void test_fallback(void)
{
    static const int max[] = { V10, V11, V12 };

    for (size_t i = 0; i < 9; i++) {
        SSL_CTX *client = context(TLS_client_method(), false, 0);
        SSL_CTX *server = context(TLS_server_method(), true, 0);

        section("fallback to %x, server to %x", (unsigned)max[i / 3], (unsigned)max[i % 3]);
        set_range(client, (const int[]){ V10, max[i / 3] });
        set_range(server, (const int[]){ V10, max[i % 3] });
        (void)SSL_CTX_set_mode(client, SSL_MODE_SEND_FALLBACK_SCSV);
        run(client, server);
    }
}

static void with_methods(const char *name, const SSL_METHOD *client, const SSL_METHOD *server,
                         int level, uint64_t options)
{
    SSL_CTX *client_ctx = context(client, false, level);
    SSL_CTX *server_ctx = context(server, true, level);

    section("%s, level %d, options %llx", name, level, (unsigned long long)options);
    note("bounds %ld %ld", SSL_CTX_get_min_proto_version(client_ctx),
         SSL_CTX_get_max_proto_version(client_ctx));
    (void)SSL_CTX_set_options(client_ctx, options);
    (void)SSL_CTX_set_options(server_ctx, options);
    run(client_ctx, server_ctx);
}

static void test_methods(void)
{
    logs_hellos = true;
    for (int level = 0; level <= 2; level += 2) {
        with_methods("1.0, 1.0", TLSv1_client_method(), TLSv1_server_method(), level, 0);
        with_methods("1.1, 1.1", TLSv1_1_method(), TLSv1_1_method(), level, 0);
        with_methods("1.0, any", TLSv1_client_method(), TLS_server_method(), level, 0);
        with_methods("1.1, any", TLSv1_1_client_method(), TLS_server_method(), level, 0);
        with_methods("any, 1.0", TLS_client_method(), TLSv1_server_method(), level, 0);
        with_methods("any, 1.1", TLS_client_method(), TLSv1_1_server_method(), level, 0);
        with_methods("1.1, 1.0", TLSv1_1_client_method(), TLSv1_server_method(), level, 0);
        with_methods("1.0, 1.1", TLSv1_client_method(), TLSv1_1_server_method(), level, 0);
        with_methods("1.2, 1.0", TLSv1_2_client_method(), TLSv1_server_method(), level, 0);
    }
    with_methods("1.0, 1.0", TLSv1_client_method(), TLSv1_server_method(), 0, SSL_OP_NO_TLSv1);
    with_methods("1.2, 1.2", TLSv1_2_client_method(), TLSv1_2_server_method(), 0,
                 SSL_OP_NO_TLSv1_2);
    with_methods("1.3 less", TLS_client_method(), TLSv1_server_method(), 0,
                 SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1);
}

static void test_levels(void)
{
    static const int max[] = { V10, V11, V12 };

    logs_hellos = false;
    for (int i = 0; i < 18; i++) {
        SSL_CTX *client = context(TLS_client_method(), false, 0);
        SSL_CTX *server = context(TLS_server_method(), true, 0);

        SSL_CTX_set_security_level(client, i / 3);
        section("client of level %d, to %x", i / 3, (unsigned)max[i % 3]);
        set_range(client, (const int[]){ V10, max[i % 3] });
        run(client, server);
        client = context(TLS_client_method(), false, 0);
        server = context(TLS_server_method(), true, 0);
        SSL_CTX_set_security_level(server, i / 3);
        section("server of level %d, to %x", i / 3, (unsigned)max[i % 3]);
        set_range(server, (const int[]){ V10, max[i % 3] });
        set_range(client, (const int[]){ V10, V11 });
        run(client, server);
    }
}

/* What the version of the highest offer asks of the list of suites. */
static void test_suites(void)
{
    static const char *const lists[] = { "AES128-SHA:@SECLEVEL=0", "AES128-GCM-SHA256:@SECLEVEL=0",
                                         "AES128-SHA256:AES128-SHA:@SECLEVEL=0",
                                         "ECDHE-RSA-AES128-SHA:@SECLEVEL=0", "SUITEB128" };
    static const int ranges[][2] = { { V10, V10 }, { V10, V11 }, { V10, V12 }, { 0, 0 } };

    logs_hellos = true;
    for (size_t i = 0; i < 20; i++) {
        for (int role = 0; role < 2; role++) {
            SSL_CTX *client = context(TLS_client_method(), false, 0);
            SSL_CTX *server = context(TLS_server_method(), true, 0);

            section("%s with %s, %x to %x", role == 0 ? "client" : "server", lists[i % 5],
                    (unsigned)ranges[i / 5][0], (unsigned)ranges[i / 5][1]);
            REQUIRE(SSL_CTX_set_cipher_list(role == 0 ? client : server, lists[i % 5]) == 1);
            set_range(role == 0 ? client : server, ranges[i / 5]);
            run(client, server);
        }
    }
}

/* A renegotiation keeps the version and says again what the first hello said. */
static void test_renegotiation(void)
{
    static const int max[] = { V10, V11 };

    for (size_t i = 0; i < 4; i++) {
        SSL_CTX *client = context(TLS_client_method(), false, 0);
        SSL_CTX *server = context(TLS_server_method(), true, 0);
        struct pair p;

        section("renegotiation of %x, the client could do %s", (unsigned)max[i % 2],
                i < 2 ? "no better" : "better");
        set_range(server, (const int[]){ V10, max[i % 2] });
        set_range(client, (const int[]){ V10, i < 2 ? max[i % 2] : V12 });
        (void)SSL_CTX_set_options(server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
        pair_init_ctx(&p, client, server, OVER_MEMORY, 0);
        CHECK(log_handshake(p.client, p.server));
        SSL_set_msg_callback(p.client, on_message);
        CHECK(SSL_renegotiate(p.client) == 1);
        for (int turn = 0; turn < 4; turn++) {
            uint8_t byte;
            (void)call_do_handshake(p.client);
            (void)call_read(p.server, &byte, 1);
        }
        note("%s, %ld", SSL_get_version(p.client), SSL_num_renegotiations(p.client));
        log_alive(p.client, p.server);
        pair_free(&p);
    }
}

int main(void)
{
    contract_start();
    rsa = identity_new(KEY_RSA, "versions.example");
    test_ranges();
    test_gaps();
    test_two_gaps();
    test_fallback();
    test_methods();
    test_levels();
    test_suites();
    test_renegotiation();
    identity_free(rsa);
    identity_default_free();
    return contract_finish();
}
