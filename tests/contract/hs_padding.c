/*
 * Record padding: block padding and the callback, on handshake messages, data, alerts and key
 * updates; sizes of the records as an observer sees them.
 * Manual pages: SSL_CTX_set_record_padding_callback(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static size_t callback_answer;
static bool callback_quiet;

static size_t on_padding(SSL *ssl, int type, size_t len, void *arg)
{
    if (!callback_quiet) {
        note("  padding callback of %s: type %d len %zu argument %s", ssl_get_name(ssl), type, len,
             (const char *)arg);
    }
    return callback_answer;
}

/* Signatures of ECDSA vary in length: Ed25519 keeps the handshake's records the same. */
static void prepare(struct pair *p, const struct identity *identity)
{
    SSL_CTX *server_ctx = server_ctx_new();

    identity_use_ctx(identity, server_ctx);
    pair_init_ctx(p, client_ctx_new(), server_ctx, OVER_WIRE, 0);
    REQUIRE(SSL_set1_sigalgs_list(p->client, "ed25519") == 1);
}

static void exchange(struct pair *p)
{
    uint8_t data[2000];
    char buf[2000];

    pattern_fill(data, sizeof(data), 1);
    wire_records_reset(p->wire, WIRE_CLIENT);
    (void)call_write(p->client, data, 1);
    (void)call_write(p->client, data, 15);
    (void)call_write(p->client, data, 100);
    (void)call_write(p->client, data, 2000);
    wire_records_log(p->wire, WIRE_CLIENT);
    for (int i = 0; i < 4; i++) {
        (void)call_read(p->server, buf, sizeof(buf));
    }
    wire_records_reset(p->wire, WIRE_CLIENT);
    (void)call_key_update(p->client, SSL_KEY_UPDATE_NOT_REQUESTED);
    (void)call_do_handshake(p->client);
    (void)call_shutdown(p->client);
    wire_records_log(p->wire, WIRE_CLIENT);
    (void)call_read(p->server, buf, sizeof(buf));
}

static void block(const struct identity *identity, size_t size)
{
    struct pair p;

    section("blocks of %zu", size);
    prepare(&p, identity);
    note("set: %d %d", SSL_set_block_padding(p.client, size),
         SSL_set_block_padding(p.server, size));
    wire_records_reset(p.wire, WIRE_SERVER);
    wire_records_reset(p.wire, WIRE_CLIENT);
    CHECK(log_handshake(p.client, p.server));
    wire_records_log(p.wire, WIRE_SERVER);
    wire_records_log(p.wire, WIRE_CLIENT);
    exchange(&p);
    pair_free(&p);
}

static void by_callback(const struct identity *identity, size_t answer)
{
    struct pair p;

    section("callback answers %zu", answer);
    callback_answer = answer;
    prepare(&p, identity);
    note("set: %d", SSL_set_record_padding_callback(p.client, on_padding));
    SSL_set_record_padding_callback_arg(p.client, (void *)(uintptr_t) "argument");
    CHECK(strcmp(SSL_get_record_padding_callback_arg(p.client), "argument") == 0);
    CHECK(log_handshake(p.client, p.server));
    exchange(&p);
    pair_free(&p);
}

/* A full record has no room for padding. */
static void test_full_record(const struct identity *identity)
{
    uint8_t *data = pattern_new(40000, 2);
    struct pair p;

    section("full records");
    callback_answer = 5000;
    callback_quiet = true;
    prepare(&p, identity);
    CHECK(SSL_set_record_padding_callback(p.client, on_padding) == 1);
    CHECK(log_handshake(p.client, p.server));
    wire_records_reset(p.wire, WIRE_CLIENT);
    (void)call_write(p.client, data, 16384);
    (void)call_write(p.client, data, 16000);
    (void)call_write(p.client, data, 40000);
    wire_records_log(p.wire, WIRE_CLIENT);
    section("small fragments");
    CHECK(SSL_set_max_send_fragment(p.client, 1000) == 1);
    wire_records_reset(p.wire, WIRE_CLIENT);
    (void)call_write(p.client, data, 2500);
    wire_records_log(p.wire, WIRE_CLIENT);
    callback_quiet = false;
    free(data);
    pair_free(&p);
}

static void test_setters(void)
{
    static const size_t sizes[] = { 0, 1, 2, 512, 16384, 16385 };
    SSL_CTX *ctx = client_ctx_new();
    SSL *ssl = SSL_new(ctx);

    section("setters");
    REQUIRE(ssl != NULL);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        note("block of %zu: context %d connection %d", sizes[i],
             SSL_CTX_set_block_padding(ctx, sizes[i]), SSL_set_block_padding(ssl, sizes[i]));
        log_errors("error");
    }
    SSL_CTX_set_record_padding_callback_arg(ctx, ctx);
    CHECK(SSL_CTX_get_record_padding_callback_arg(ctx) == ctx);
    note("argument of an older connection %d", SSL_get_record_padding_callback_arg(ssl) == ctx);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    struct identity *identity;

    contract_start();
    identity = identity_new(KEY_ED25519, "localhost");
    block(identity, 0);
    block(identity, 1);
    block(identity, 16);
    block(identity, 100);
    block(identity, 4096);
    block(identity, 16384);
    by_callback(identity, 0);
    by_callback(identity, 1);
    by_callback(identity, 1000);
    by_callback(identity, 100000);
    test_full_record(identity);
    test_setters();
    identity_free(identity);
    identity_default_free();
    return contract_finish();
}
