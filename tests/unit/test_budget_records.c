/*
 * Budgets that are counts: application data moves without an allocation and without a lock, and an
 * idle connection holds no record buffer; a long
 * write takes a system call for four records. The counting stands in the way of libcrypto's memory
 * functions and of the locks of every library of this process.
 */
#include "unit.h"

#include "counting.h"
#include "engines.h"

#include "api/internal.h"
#include "base/counters.h"
#include "crypto/aead.h"
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TRANSPORT_LEN 40000
#define WARM_ROUNDS   3
#define ROUNDS        20

/* --- A connection --- */

struct pair {
    SSL *client, *server;
};

static SSL *make_side(const char *suite, BIO *transport, bool server)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_set_ciphersuites(ctx, suite), 1);
    if (server) {
        assert_int_equal(SSL_CTX_use_certificate(ctx, endpoint_cert()), 1);
        assert_int_equal(SSL_CTX_use_PrivateKey(ctx, endpoint_key()), 1);
        assert_int_equal(SSL_CTX_set_num_tickets(ctx, 0), 1); /* nothing but data is counted */
    }
    SSL *s = SSL_new(ctx);
    SSL_CTX_free(ctx);
    assert_non_null(s);
    SSL_set_bio(s, transport, transport);
    if (server) {
        SSL_set_accept_state(s);
    } else {
        SSL_set_connect_state(s);
    }
    return s;
}

static struct pair connect_pair(const char *suite)
{
    BIO *left = NULL;
    BIO *right = NULL;

    assert_int_equal(BIO_new_bio_pair(&left, TRANSPORT_LEN, &right, TRANSPORT_LEN), 1);
    struct pair p = { make_side(suite, left, false), make_side(suite, right, true) };
    int client = 0;
    int server = 0;
    for (int i = 0; i < 10 && (client != 1 || server != 1); i++) {
        client = SSL_do_handshake(p.client);
        server = SSL_do_handshake(p.server);
    }
    assert_int_equal(client, 1);
    assert_int_equal(server, 1);
    return p;
}

static void free_pair(struct pair *p)
{
    SSL_free(p->client);
    SSL_free(p->server);
}

/* len bytes from one side to the other, with what programs do beside: looking before there is
 * anything, looking without taking, taking in two pieces. */
static void move_data(SSL *from, SSL *to, const uint8_t *data, size_t len)
{
    uint8_t got[SSL3_RT_MAX_PLAIN_LENGTH];

    assert_int_equal(SSL_read(to, got, sizeof(got)), -1);
    assert_int_equal(SSL_get_error(to, -1), SSL_ERROR_WANT_READ);
    assert_int_equal(SSL_write(from, data, (int)len), (int)len);
    assert_int_equal(SSL_peek(to, got, sizeof(got)), (int)len);
    assert_int_equal(SSL_read(to, got, 1), 1);
    if (len > 1) {
        assert_int_equal(SSL_read(to, got + 1, (int)len), (int)len - 1);
    }
    assert_memory_equal(got, data, len);
}

/* --- Budgets --- */

static const char *const suites[] = {
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",   "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256",
};

static const size_t lengths[] = { 1, 64, 1024, 1400, SSL3_RT_MAX_PLAIN_LENGTH };

static void data_moves_without_allocation_or_lock(void **state)
{
    static uint8_t data[SSL3_RT_MAX_PLAIN_LENGTH];

    (void)state;
    if (BUILT_WITH_ASAN) {
        skip(); /* the pool frees every block, so that a use after that is seen */
    }
    fill_pattern(data, sizeof(data), 1, 3);
    for (size_t i = 0; i < COUNT_OF(suites); i++) {
        struct pair p = connect_pair(suites[i]);
        for (int round = 0; round < WARM_ROUNDS + ROUNDS; round++) {
            if (round == WARM_ROUNDS) {
                num_allocations = 0;
                num_locks = 0;
            }
            for (size_t j = 0; j < COUNT_OF(lengths); j++) {
                move_data(p.client, p.server, data, lengths[j]);
                move_data(p.server, p.client, data, lengths[j]);
            }
        }
        assert_int_equal(num_allocations, 0);
        assert_int_equal(num_locks, 0);
        free_pair(&p);
    }
}

static void assert_holds_nothing(const SSL *s)
{
    assert_null(s->conn.in.buffer.data);
    assert_null(s->conn.out.buffer.data);
    assert_null(s->conn.hs);
}

static void idle_connections_hold_no_buffer(void **state)
{
    static const uint8_t data[100] = { 1 };
    uint8_t got[100];
    struct pair p = connect_pair(suites[0]);

    (void)state;
    /* The client has not read what came after the handshake. */
    assert_int_equal(SSL_read(p.client, got, sizeof(got)), -1);
    assert_holds_nothing(p.client);
    assert_holds_nothing(p.server);
    move_data(p.client, p.server, data, sizeof(data));
    move_data(p.server, p.client, data, sizeof(data));
    assert_holds_nothing(p.client);
    assert_holds_nothing(p.server);
    /* Whoever waits for more holds nothing either; whoever has left half of a record does. */
    assert_int_equal(SSL_read(p.server, got, sizeof(got)), -1);
    assert_holds_nothing(p.server);
    assert_int_equal(SSL_write(p.client, data, sizeof(data)), sizeof(data));
    assert_int_equal(SSL_read(p.server, got, 1), 1);
    assert_non_null(p.server->conn.in.buffer.data);
    assert_int_equal(SSL_read(p.server, got, sizeof(got)), sizeof(data) - 1);
    assert_holds_nothing(p.server);
    free_pair(&p);
}

/* glibc keeps freed blocks of up to this size at hand for each thread; one byte more takes it to
 * its heaps, which costs SSL_new and SSL_free half as much again. What is seldom needed is better
 * made when it is. */
#define LONGEST_CACHED_BLOCK 1032

/* What idle ends without tickets hold: themselves, keys, secrets and a session; a server what the
 * client offered, a client the server's chain. malloc makes a block 16 bytes longer where no more
 * than that would be left of a gap, so that what came before a connection counts, too: room for two
 * such. */
#define IDLE_SERVER (2112 + 32)
#define IDLE_CLIENT (2128 + 32)

/* Nothing is there to read for it: from now on it is idle. */
static void find_nothing(SSL *s)
{
    uint8_t byte;

    assert_int_equal(SSL_read(s, &byte, 1), -1);
    assert_int_equal(SSL_get_error(s, -1), SSL_ERROR_WANT_READ);
}

/* Bytes that SSL_free gives back, without what s shares with others. */
static long bytes_of(SSL *s)
{
    SSL_CTX *ctx = SSL_get_SSL_CTX(s);
    BIO *transport = SSL_get_rbio(s);

    assert_int_equal(SSL_CTX_up_ref(ctx), 1);
    assert_int_equal(BIO_up_ref(transport), 1);
    num_bytes = 0;
    SSL_free(s);
    long bytes = -num_bytes;
    BIO_free(transport);
    SSL_CTX_free(ctx);
    return bytes;
}

static void idle_connections_are_small(void **state)
{
    static const uint8_t data[100] = { 1 };

    (void)state;
    if (BUILT_WITH_ASAN || strcmp(aead_backend(AEAD_AES_128_GCM), "ipsec-mb") != 0) {
        skip(); /* blocks are larger there, EVP's contexts are */
    }
    assert_true(sizeof(SSL) <= LONGEST_CACHED_BLOCK);
    struct pair p = connect_pair(suites[0]);

    move_data(p.client, p.server, data, sizeof(data));
    move_data(p.server, p.client, data, sizeof(data));
    find_nothing(p.client);
    find_nothing(p.server);
    assert_in_range(bytes_of(p.server), sizeof(SSL), IDLE_SERVER);
    assert_in_range(bytes_of(p.client), sizeof(SSL), IDLE_CLIENT);
}

/* len bytes, num times, and the reads that take them and no more. */
static void stream(SSL *from, SSL *to, size_t len, int num)
{
    static uint8_t data[1024];
    uint8_t got[1024];

    for (int i = 0; i < num; i++) {
        assert_int_equal(SSL_write(from, data, (int)len), len);
    }
    for (int i = 0; i < num; i++) {
        assert_int_equal(SSL_read(to, got, (int)len), len);
    }
}

/* Expanding a key takes as long as sealing a short record. */
static void keys_are_expanded_once_for_many_records(void **state)
{
    (void)state;
    if (strcmp(aead_backend(AEAD_AES_128_GCM), "ipsec-mb") != 0) {
        skip(); /* EVP keeps them */
    }
    for (size_t i = 0; i < 2; i++) {
        struct pair p = connect_pair(suites[i]);
        uint64_t before = counter_get(COUNTER_KEY_EXPANDED);

        /* Whatever was used last, nobody has sealed or opened data with the keys of data. */
        for (int round = 0; round < 10; round++) {
            stream(p.client, p.server, 64, 20);
            stream(p.client, p.server, 1024, 20);
        }
        assert_int_equal(counter_get(COUNTER_KEY_EXPANDED) - before, 2);
        for (int round = 0; round < 3; round++) {
            /* A request and its answer, both of whom then wait: two keys on either side. */
            find_nothing(p.client);
            find_nothing(p.server);
            before = counter_get(COUNTER_KEY_EXPANDED);
            stream(p.client, p.server, 64, 20);
            stream(p.server, p.client, 1024, 20);
            stream(p.client, p.server, 64, 20);
            assert_int_equal(counter_get(COUNTER_KEY_EXPANDED) - before, 4);
        }
        free_pair(&p);
    }
}

/* Who has part of a record, or bytes to deliver, is not idle. */
static void busy_connections_keep_their_keys(void **state)
{
    struct pair p = connect_pair(suites[0]);
    uint8_t part[10];

    (void)state;
    if (strcmp(aead_backend(AEAD_AES_128_GCM), "ipsec-mb") != 0) {
        skip();
    }
    stream(p.client, p.server, 64, 1);
    uint64_t before = counter_get(COUNTER_KEY_EXPANDED);
    BIO *transport = SSL_get_rbio(p.server);
    assert_int_equal(SSL_write(p.client, part, sizeof(part)), sizeof(part));
    BIO *rest = BIO_new(BIO_s_mem());
    BIO *some = BIO_new(BIO_s_mem());
    assert_true(rest != NULL && some != NULL);
    uint8_t wire[100];
    int len = BIO_read(transport, wire, sizeof(wire));
    assert_int_equal(len, 5 + sizeof(part) + 1 + 16);
    assert_int_equal(BIO_write(some, wire, 20), 20);
    assert_int_equal(BIO_write(rest, wire + 20, len - 20), len - 20);
    assert_int_equal(BIO_up_ref(transport), 1);
    SSL_set0_rbio(p.server, some);
    find_nothing(p.server);
    SSL_set0_rbio(p.server, rest);
    assert_int_equal(SSL_read(p.server, part, sizeof(part)), sizeof(part));
    SSL_set0_rbio(p.server, transport);
    assert_int_equal(counter_get(COUNTER_KEY_EXPANDED), before);
    free_pair(&p);
}

static void blocked_connections_keep_their_keys(void **state)
{
    static uint8_t data[3 * SSL3_RT_MAX_PLAIN_LENGTH], got[SSL3_RT_MAX_PLAIN_LENGTH];
    struct pair p = connect_pair(suites[0]);

    (void)state;
    if (strcmp(aead_backend(AEAD_AES_128_GCM), "ipsec-mb") != 0) {
        skip();
    }
    stream(p.server, p.client, 64, 1);
    uint64_t before = counter_get(COUNTER_KEY_EXPANDED);
    assert_int_equal(SSL_write(p.server, data, sizeof(data)), -1);
    assert_int_equal(SSL_get_error(p.server, -1), SSL_ERROR_WANT_WRITE);
    find_nothing(p.server);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(SSL_read(p.client, got, sizeof(got)), sizeof(got));
    }
    assert_int_equal(SSL_write(p.server, data, sizeof(data)), sizeof(data));
    assert_int_equal(SSL_write(p.server, data, 64), 64);
    assert_int_equal(counter_get(COUNTER_KEY_EXPANDED), before);
    free_pair(&p);
}

#define LONG_WRITE (1 << 20)

/* What a socket that keeps the borders between writes gives out. */
struct packets {
    int fd;
    size_t num, len;
    uint8_t bytes[2 * LONG_WRITE];
};

static void *take_packets(void *arg)
{
    struct packets *packets = arg;
    ssize_t n;

    while ((n = recv(packets->fd, packets->bytes + packets->len,
                     sizeof(packets->bytes) - packets->len, 0)) > 0) {
        packets->num++;
        packets->len += (size_t)n;
    }
    return NULL;
}

static void long_writes_take_few_system_calls(void **state)
{
    static uint8_t data[LONG_WRITE], got[LONG_WRITE];
    static struct packets packets;
    struct pair p = connect_pair(suites[0]);
    size_t total = 0;
    pthread_t taker;
    size_t n;
    int fds[2];

    (void)state;
    fill_pattern(data, sizeof(data), 1, 7);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
    packets.fd = fds[1];
    assert_int_equal(pthread_create(&taker, NULL, take_packets, &packets), 0);
    BIO *transport = BIO_new_socket(fds[0], BIO_NOCLOSE);
    assert_non_null(transport);
    SSL_set0_wbio(p.server, transport);
    num_allocations = 0;
    assert_int_equal(SSL_write(p.server, data, sizeof(data)), sizeof(data));
    if (!BUILT_WITH_ASAN) {
        assert_int_equal(num_allocations, 1); /* the buffer, which the thread then keeps */
        num_allocations = 0;
        assert_int_equal(SSL_write(p.server, data, 5 * SSL3_RT_MAX_PLAIN_LENGTH),
                         5 * SSL3_RT_MAX_PLAIN_LENGTH);
        assert_int_equal(num_allocations, 0);
    }
    assert_holds_nothing(p.server);
    SSL_set0_wbio(p.server, NULL);
    assert_int_equal(close(fds[0]), 0);
    assert_int_equal(pthread_join(taker, NULL), 0);
    assert_int_equal(close(fds[1]), 0);
    assert_in_range(packets.num, 16, BUILT_WITH_ASAN ? 16 : 18);
    SSL_set0_rbio(p.client, BIO_new_mem_buf(packets.bytes, (int)packets.len));
    while (total < sizeof(got) &&
           SSL_read_ex(p.client, got + total, sizeof(got) - total, &n) == 1) {
        total += n;
    }
    assert_int_equal(total, sizeof(got));
    assert_memory_equal(got, data, sizeof(got));
    free_pair(&p);
}

/* The counting counts: otherwise zeros above would mean nothing. */
static void making_a_context_is_counted(void **state)
{
    (void)state;
    num_allocations = 0;
    num_locks = 0;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    assert_non_null(ctx);
    SSL_CTX_free(ctx);
    assert_true(num_allocations > 0);
    assert_true(num_locks > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_a_context_is_counted),
        cmocka_unit_test(data_moves_without_allocation_or_lock),
        cmocka_unit_test(idle_connections_hold_no_buffer),
        cmocka_unit_test(idle_connections_are_small),
        cmocka_unit_test(keys_are_expanded_once_for_many_records),
        cmocka_unit_test(busy_connections_keep_their_keys),
        cmocka_unit_test(blocked_connections_keep_their_keys),
        cmocka_unit_test(long_writes_take_few_system_calls),
    };

    if (!counting_install()) {
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    endpoint_identity_free();
    return failed;
}
