/*
 * Random schedules: reads, peeks, writes of all sizes, key updates (in TLS 1.2: renegotiations from
 * either side) and shutdowns on both ends of a connection, over a transport that lets through
 * random amounts. A schedule follows from its seed alone; its log of what both applications saw
 * must be the same on both libraries.
 *
 *     io_random [FIRST_SEED [COUNT]] [-v]      -v prints the logs instead of their hashes
 *
 * The transport is limited by budgets of bytes, not by the number of calls, so that a schedule
 * doesn't depend on how a library gathers records into BIO_write calls. The handshake runs without
 * limits. Two situations in which the libraries differ on purpose (io_defects.c, io_shutdown.c) are
 * avoided: SSL_shutdown while a write is pending, and a handshake message after
 * KeyUpdate(update_requested) to a side whose writes may block.
 */
#include "contract.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_COUNT 2500
#define LONGEST_WRITE 100000
#define LONGEST_READ  40000

struct side {
    SSL *ssl;
    enum wire_end end;
    unsigned stream; /* which pattern this side sends */
    bool moving;     /* a retry passes another block */
    bool read_ahead;
    uint8_t *block; /* of the pending write; NULL without one */
    size_t block_len;
    int asked_len; /* what the last call passed */
    uint64_t sent; /* accepted bytes */
    uint64_t received;
};

struct schedule {
    uint64_t state;
    struct pair pair;
    struct side sides[2];
    size_t scale; /* of the budgets; 0: unlimited */
    bool limits_writes;
    bool rogue; /* breaks the retry rule now and then */
    bool ends_abruptly;
    bool fails; /* single calls of the transport fail */
};

static uint64_t next_random(struct schedule *s)
{
    uint64_t z = (s->state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static size_t below(struct schedule *s, size_t limit)
{
    return (size_t)(next_random(s) % limit);
}

static bool one_in(struct schedule *s, size_t n)
{
    return below(s, n) == 0;
}

/* The byte at `offset` of a side's stream: misplaced, lost and repeated bytes are all noticed. */
static uint8_t stream_byte(unsigned stream, uint64_t offset)
{
    return (uint8_t)(((offset + 1) * 0x9e3779b97f4a7c15u >> 40) + stream * 91);
}

static uint8_t *stream_block(const struct side *side, size_t len)
{
    uint8_t *block = malloc(len);

    REQUIRE(block != NULL);
    for (size_t i = 0; i < len; i++) {
        block[i] = stream_byte(side->stream, side->sent + i);
    }
    return block;
}

static size_t random_size(struct schedule *s, size_t longest)
{
    static const size_t edges[] = { 1, 2, 511, 512, 16383, 16384, 16385, 32768 };

    switch (below(s, 10)) {
    case 0:
        return edges[below(s, sizeof(edges) / sizeof(edges[0]))];
    case 1:
        return below(s, 2) * below(s, longest + 1);
    case 2:
    case 3:
        return below(s, 17000);
    case 4:
    case 5:
        return below(s, 1000);
    default:
        return below(s, 60);
    }
}

static void refill(struct schedule *s)
{
    for (int i = 0; i < 2 && s->scale > 0; i++) {
        struct side *side = &s->sides[i];

        if (s->limits_writes && one_in(s, 2)) {
            wire_budget(s->pair.wire, side->end, WIRE_WRITE, below(s, s->scale));
        }
        if (!side->read_ahead && one_in(s, 2)) {
            wire_budget(s->pair.wire, side->end, WIRE_READ, below(s, s->scale));
        }
    }
}

static void drop_block(struct side *side)
{
    free(side->block);
    side->block = NULL;
}

/* The second call of a write: same arguments, a moved block, a longer one, or (rogue) wrong ones.
 */
static int retry_write(struct schedule *s, struct side *side)
{
    if (s->rogue && one_in(s, 4)) {
        if (one_in(s, 2) && side->asked_len > 1) {
            return call_write(side->ssl, side->block, side->asked_len / 2);
        }
        if (!side->moving) {
            uint8_t *other = stream_block(side, side->block_len);
            int ret = call_write(side->ssl, other, side->asked_len);

            free(other);
            return ret;
        }
    }
    if (side->moving && one_in(s, 2)) {
        uint8_t *other = stream_block(side, side->block_len);

        drop_block(side);
        side->block = other;
    }
    if (one_in(s, 4)) {
        side->asked_len = (int)side->block_len;
    }
    return call_write(side->ssl, side->block, side->asked_len);
}

static void act_write(struct schedule *s, struct side *side)
{
    int ret;

    if (side->block != NULL) {
        ret = retry_write(s, side);
    } else {
        size_t len = random_size(s, LONGEST_WRITE);

        side->block_len = len + (one_in(s, 8) ? below(s, 3000) : 0);
        side->block = stream_block(side, side->block_len);
        side->asked_len = (int)len;
        ret = call_write(side->ssl, side->block, side->asked_len);
    }
    if (ret > 0) {
        CHECK(ret <= side->asked_len);
        side->sent += (uint64_t)ret;
    }
    /* 0 may also come from a BIO_write that returned 0: the record is still pending then. */
    if (ret > 0 || SSL_want(side->ssl) != SSL_WRITING) {
        drop_block(side);
    }
}

static int act_read(struct schedule *s, struct side *side, size_t len, bool peek)
{
    const struct side *peer = &s->sides[side == &s->sides[0] ? 1 : 0];
    uint8_t *got = malloc(len);
    bool in_order = true;
    int ret;

    REQUIRE(got != NULL);
    ret = peek ? call_peek(side->ssl, got, (int)len) : call_read(side->ssl, got, (int)len);
    for (int i = 0; i < ret; i++) {
        if (got[i] != stream_byte(peer->stream, side->received + (uint64_t)i)) {
            note("byte %d of this read is wrong", i);
            in_order = false;
            break;
        }
    }
    CHECK(in_order);
    side->received += ret > 0 && !peek ? (uint64_t)ret : 0;
    free(got);
    return ret;
}

static bool holds_up_writes(const struct schedule *s)
{
    return s->limits_writes || s->fails;
}

static void act_key_update(struct schedule *s, struct side *side)
{
    int type = one_in(s, 2) ? SSL_KEY_UPDATE_REQUESTED : SSL_KEY_UPDATE_NOT_REQUESTED;

    /* A KeyUpdate of either side that meets a write which is held up breaks 3.0.22's stream: the
     * peer sees a bad MAC (io_defects: key-update-during-blocked-write). Where writes can be held
     * up there are none, therefore; io_keyupdate and io_defects have such cases. */
    if (holds_up_writes(s)) {
        return;
    }
    (void)call_key_update(side->ssl, type);
}

static bool is_renegotiating(const struct schedule *s)
{
    return SSL_renegotiate_pending(s->pair.client) || SSL_renegotiate_pending(s->pair.server);
}

/* A ClientHello that meets a write which is held up makes 3.0.22's server lose the connection
 * (t12_renegotiation_io: blocked_write). Where writes can be held up the server alone asks, and
 * writes nothing from then on until the end. */
static bool may_renegotiate(const struct schedule *s, const struct side *side)
{
    if (is_renegotiating(s) ||
        (SSL_get_shutdown(s->pair.client) | SSL_get_shutdown(s->pair.server)) != 0) {
        return false;
    }
    return !holds_up_writes(s) || (side->end == WIRE_SERVER && side->block == NULL);
}

static void act_renegotiate(const struct schedule *s, const struct side *side)
{
    if (may_renegotiate(s, side)) {
        (void)log_call(side->ssl, "SSL_renegotiate", SSL_renegotiate(side->ssl));
    }
}

/* What a server does that has asked for one where writes can be held up: see above. */
static bool only_reads(const struct schedule *s, const struct side *side)
{
    return !pair_is_tls13() && side->end == WIRE_SERVER && holds_up_writes(s) &&
           (SSL_renegotiate_pending(side->ssl) || SSL_in_init(side->ssl));
}

static void act_ask(struct side *side)
{
    note("%s pending %d has_pending %d shutdown %d init %d type %d", ssl_get_name(side->ssl),
         SSL_pending(side->ssl), side->read_ahead ? -1 : SSL_has_pending(side->ssl),
         SSL_get_shutdown(side->ssl), SSL_in_init(side->ssl), SSL_get_key_update_type(side->ssl));
}

/* The stream towards this side ends, or its next read or write fails once. */
static void act_transport(struct schedule *s, const struct side *side)
{
    static const int steps[] = { WIRE_FATAL, WIRE_RESET, WIRE_EOF };

    if (s->ends_abruptly && one_in(s, 3)) {
        note("%s sees the end of the stream", ssl_get_name(side->ssl));
        wire_close_towards(s->pair.wire, side->end);
    }
    if (s->fails) {
        enum wire_call call = one_in(s, 2) ? WIRE_READ : WIRE_WRITE;

        note("%s: the next %s fails", ssl_get_name(side->ssl),
             call == WIRE_READ ? "read" : "write");
        wire_script(s->pair.wire, side->end, call, &steps[below(s, 3)], 1);
    }
}

static void act(struct schedule *s)
{
    struct side *side = &s->sides[below(s, 2)];

    if (only_reads(s, side)) {
        (void)act_read(s, side, random_size(s, LONGEST_READ), one_in(s, 4));
        return;
    }
    switch (below(s, 40)) {
    case 0:
    case 1:
        if (pair_is_tls13()) {
            act_key_update(s, side);
        } else {
            act_renegotiate(s, side);
        }
        break;
    case 2:
        (void)call_do_handshake(side->ssl);
        break;
    case 3:
        if (side->block == NULL && one_in(s, 3)) {
            (void)call_shutdown(side->ssl);
        }
        break;
    case 4:
        act_transport(s, side);
        break;
    case 5:
    case 6:
        act_ask(side);
        break;
    case 7:
    case 8:
    case 9:
    case 10:
        (void)act_read(s, side, random_size(s, LONGEST_READ), true);
        break;
    default:
        if (one_in(s, 2)) {
            act_write(s, side);
        } else {
            (void)act_read(s, side, random_size(s, LONGEST_READ), false);
        }
        break;
    }
}

/* Before the handshake: 3.0.22 drops a write that is held up when a renegotiation begins and the
 * length of records has changed since the buffers were made. */
static void init_side(struct schedule *s, struct side *side, SSL *ssl, enum wire_end end)
{
    static const long fragments[] = { 512, 700, 4096, 16384 };
    bool partial = one_in(s, 3);
    bool auto_retry = !one_in(s, 3);

    memset(side, 0, sizeof(*side));
    side->ssl = ssl;
    side->end = end;
    side->stream = end == WIRE_CLIENT ? 1 : 2;
    side->moving = one_in(s, 3);
    side->read_ahead = one_in(s, 4);
    SSL_set_read_ahead(ssl, side->read_ahead);
    if (partial) {
        (void)SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    if (side->moving) {
        (void)SSL_set_mode(ssl, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    if (one_in(s, 4)) {
        (void)SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
    }
    if (!auto_retry) {
        (void)SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    }
    if (one_in(s, 4)) {
        (void)SSL_set_max_send_fragment(ssl, fragments[below(s, 4)]);
    }
    if (one_in(s, 8)) {
        CHECK(SSL_set_block_padding(ssl, 1 + below(s, 1000)) == 1);
    }
    if (one_in(s, 3)) {
        (void)SSL_set_options(ssl, SSL_OP_IGNORE_UNEXPECTED_EOF);
    }
    note("%s mode %ld read_ahead %d", ssl_get_name(ssl), SSL_get_mode(ssl), side->read_ahead);
}

/* With all limits gone, what was promised must arrive, and both sides end. */
static void drain(struct schedule *s)
{
    note("no more limits");
    for (int i = 0; i < 4; i++) {
        wire_budget(s->pair.wire, i / 2 == 0 ? WIRE_CLIENT : WIRE_SERVER,
                    i % 2 == 0 ? WIRE_READ : WIRE_WRITE, WIRE_UNLIMITED);
    }
    s->rogue = false;
    for (int i = 0; i < 4; i++) {
        if (s->sides[i % 2].block != NULL) {
            act_write(s, &s->sides[i % 2]);
        }
    }
    /* More often than a single -1: without AUTO_RETRY each KeyUpdate shows as one. */
    for (int failures[2] = { 0, 0 }; failures[0] < 8 || failures[1] < 8;) {
        for (int i = 0; i < 2; i++) {
            failures[i] += act_read(s, &s->sides[i], LONGEST_READ, false) <= 0;
        }
    }
    for (int i = 0; i < 4; i++) {
        if (s->sides[i % 2].block == NULL) {
            (void)call_shutdown(s->sides[i % 2].ssl);
        }
    }
    for (int i = 0; i < 2; i++) {
        act_ask(&s->sides[i]);
        note("%s sent %" PRIu64 " received %" PRIu64 ", renegotiations %ld",
             ssl_get_name(s->sides[i].ssl), s->sides[i].sent, s->sides[i].received,
             SSL_total_renegotiations(s->sides[i].ssl));
        drop_block(&s->sides[i]);
    }
}

/* The contexts are shared: making them costs more than a schedule. */
static void run_seed(uint64_t seed, SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
    static const size_t scales[] = { 0, 30, 300, 5000, 40000 };
    struct schedule s;
    size_t num_acts;

    memset(&s, 0, sizeof(s));
    s.state = seed * 0xd1342543de82ef95u;
    s.scale = scales[below(&s, sizeof(scales) / sizeof(scales[0]))];
    s.limits_writes = s.scale > 0 && !one_in(&s, 3);
    s.rogue = one_in(&s, 16);
    s.ends_abruptly = one_in(&s, 4);
    s.fails = one_in(&s, 4);
    REQUIRE(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    pair_init_ctx(&s.pair, client_ctx, server_ctx, OVER_WIRE, 0);
    init_side(&s, &s.sides[0], s.pair.client, WIRE_CLIENT);
    init_side(&s, &s.sides[1], s.pair.server, WIRE_SERVER);
    REQUIRE(drive_handshake(s.pair.client, s.pair.server));
    num_acts = 10 + below(&s, 80);
    for (size_t i = 0; i < num_acts; i++) {
        refill(&s);
        act(&s);
    }
    drain(&s);
    errors_drop();
    pair_free(&s.pair);
}

/* Signatures of one length: budgets cut a renegotiation where they cut it the last time. */
static struct identity *use_even_signatures(SSL_CTX *client_ctx, SSL_CTX *server_ctx)
{
    bool is_old = pair_version < TLS1_2_VERSION;
    struct identity *identity = identity_new(is_old ? KEY_RSA : KEY_ED25519, "localhost");

    identity_use_ctx(identity, server_ctx);
    if (is_old) {
        REQUIRE(SSL_CTX_set_cipher_list(client_ctx, "aRSA+kECDHE") == 1);
    } else {
        REQUIRE(SSL_CTX_set1_sigalgs_list(client_ctx, "ed25519") == 1);
    }
    return identity;
}

int main(int argc, char **argv)
{
    uint64_t numbers[2] = { 1, DEFAULT_COUNT };
    size_t num_numbers = 0;
    bool verbose = false;
    SSL_CTX *client_ctx;
    SSL_CTX *server_ctx;
    struct identity *identity;

    contract_start();
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "-v") == 0) {
            verbose = true;
        } else if (num_numbers < 2) {
            numbers[num_numbers++] = strtoull(argv[i], NULL, 10);
        }
    }
    client_ctx = client_ctx_new();
    server_ctx = server_ctx_new();
    if (pair_version == TLS1_VERSION) {
        /* Which writes begin with an empty record differs on purpose: t10_records.c. */
        (void)SSL_CTX_set_options(client_ctx, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
        (void)SSL_CTX_set_options(server_ctx, SSL_OP_DONT_INSERT_EMPTY_FRAGMENTS);
    }
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    identity = use_even_signatures(client_ctx, server_ctx);
    for (uint64_t seed = numbers[0]; seed < numbers[0] + numbers[1]; seed++) {
        char *text;

        log_capture_begin();
        run_seed(seed, client_ctx, server_ctx);
        text = log_capture_end();
        note("seed %" PRIu64 " %016" PRIx64, seed, hash_bytes(text, strlen(text)));
        if (verbose) {
            note("%s", text);
        }
        free(text);
    }
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
    identity_free(identity);
    identity_default_free();
    return contract_finish();
}
