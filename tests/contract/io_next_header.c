/*
 * Long records over a socket, and how much of what follows them a read takes from it. With the body
 * of a record that another one follows Tenon asks a plain socket for the header of that other one;
 * nobody who reads, waits or takes the socket over can tell. SSL_read(3), SSL_peek(3),
 * SSL_pending(3), SSL_has_pending(3), SSL_free_buffers(3), SSL_set_fd(3), SSL_shutdown(3).
 */
#include "contract.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FULL   16384
#define HEADER 5
#define PLAIN  "in the clear"

/* A connection whose client's records are in memory, to be sent in pieces. */
struct stage {
    struct pair pair;
    BIO *records; /* the client's write BIO */
    uint8_t *data;
    size_t delivered; /* bytes that the server's socket was given so far */
    size_t first_end; /* where the first long record ends in what the client wrote */
};

static void stage_init(struct stage *st)
{
    *st = (struct stage){ .data = pattern_new(FULL, 7) };
    pair_init_connected(&st->pair, OVER_NONBLOCKING_SOCKET, 0);
    st->records = BIO_new(BIO_s_mem());
    REQUIRE(st->records != NULL);
    SSL_set0_wbio(st->pair.client, st->records);
}

static void stage_free(struct stage *st)
{
    pair_free(&st->pair);
    free(st->data);
}

/* Has the client make a record of len bytes of data. */
static void make_record(struct stage *st, int len)
{
    CHECK(SSL_write(st->pair.client, st->data, len) == len);
}

/* Looks where the first record of a full length ends; TLS 1.0 has short ones before it. */
static void find_first_end(struct stage *st)
{
    const uint8_t *bytes;
    size_t len = (size_t)BIO_get_mem_data(st->records, &bytes);
    size_t at = 0;
    size_t body = 0;

    while (body < FULL && at + HEADER <= len) {
        body = (size_t)bytes[at + 3] << 8 | bytes[at + 4];
        at += HEADER + body;
    }
    REQUIRE(body >= FULL && at <= len);
    st->first_end = at;
}

/* Sends the next len bytes of the records. */
static void deliver(struct stage *st, size_t len)
{
    uint8_t *bytes = malloc(len);

    REQUIRE(bytes != NULL && BIO_read(st->records, bytes, (int)len) == (int)len);
    REQUIRE(send(st->pair.client_fd, bytes, len, 0) == (ssize_t)len);
    st->delivered += len;
    free(bytes);
}

static void deliver_rest(struct stage *st)
{
    if (BIO_pending(st->records) > 0) {
        deliver(st, (size_t)BIO_pending(st->records));
    }
}

/* How many bytes behind the first long record are no longer in the socket. */
static int taken_ahead(const struct stage *st)
{
    int left = 0;

    REQUIRE(ioctl(st->pair.server_fd, FIONREAD, &left) == 0);
    return (int)(st->delivered - st->first_end) - left;
}

/* One full record and a short one are there: reads the first, then what follows. asked: the plain
 * socket is one that is asked for more. */
static void read_both(struct stage *st, bool asked)
{
    SSL *server = st->pair.server;
    uint8_t *got = malloc(FULL);
    int ahead;

    REQUIRE(got != NULL);
    CHECK(call_read(server, got, FULL) == FULL && memcmp(got, st->data, FULL) == 0);
    ahead = taken_ahead(st);
    CHECK(ahead == (asked && on_tenon() ? HEADER : 0));
    if (asked) {
        log_difference("next-header", "%d bytes taken ahead", ahead);
    }
    log_state(server);
    CHECK(call_read(server, got, FULL) == 100 && memcmp(got, st->data, 100) == 0);
    CHECK(call_read(server, got, FULL) == -1);
    log_state(server);
    free(got);
}

static void two_records(struct stage *st)
{
    make_record(st, FULL);
    make_record(st, 100);
    find_first_end(st);
    deliver_rest(st);
}

static void plain_socket(void)
{
    struct stage st;

    section("a plain socket");
    stage_init(&st);
    two_records(&st);
    read_both(&st, true);
    stage_free(&st);
}

/* --- Sockets that are not asked for more --- */

static long watch_ex(BIO *bio, int oper, const char *argp, size_t len, int argi, long argl, int ret,
                     size_t *processed)
{
    (void)bio;
    (void)argp;
    (void)argi;
    (void)argl;
    (void)processed;
    if (oper == BIO_CB_READ) {
        note("a read of %zu bytes", len);
    }
    return ret;
}

static long watch(BIO *bio, int oper, const char *argp, int argi, long argl, long ret)
{
    (void)bio;
    (void)argp;
    (void)argl;
    if (oper == BIO_CB_READ) {
        note("a read of %d bytes", argi);
    }
    return ret;
}

static void watched_socket(bool of_old)
{
    struct stage st;

    section("a socket with a callback%s", of_old ? " of the old form" : "");
    stage_init(&st);
    if (of_old) {
        BIO_set_callback(SSL_get_rbio(st.pair.server), watch);
    } else {
        BIO_set_callback_ex(SSL_get_rbio(st.pair.server), watch_ex);
    }
    two_records(&st);
    read_both(&st, false);
    stage_free(&st);
}

static void filtered_socket(const BIO_METHOD *filter, const char *name)
{
    struct stage st;
    BIO *front = BIO_new(filter);
    uint8_t *got = malloc(FULL);

    section("a socket below %s", name);
    stage_init(&st);
    REQUIRE(front != NULL && got != NULL);
    SSL_set0_rbio(st.pair.server, BIO_push(front, BIO_new_socket(st.pair.server_fd, BIO_NOCLOSE)));
    two_records(&st);
    CHECK(call_read(st.pair.server, got, FULL) == FULL);
    note("%d bytes taken ahead", taken_ahead(&st));
    log_state(st.pair.server);
    CHECK(call_read(st.pair.server, got, FULL) == 100);
    CHECK(call_read(st.pair.server, got, FULL) == -1);
    free(got);
    stage_free(&st);
}

/* --- Who waits --- */

/* A blocking socket with one record and nothing behind it. */
static void nothing_follows(void)
{
    struct stage st;
    uint8_t *got = malloc(FULL);

    section("a blocking socket and nothing behind the record");
    stage_init(&st);
    REQUIRE(got != NULL && fcntl(st.pair.server_fd, F_SETFL,
                                 fcntl(st.pair.server_fd, F_GETFL) & ~O_NONBLOCK) == 0);
    for (int i = 0; i < 3; i++) {
        make_record(&st, FULL);
        deliver_rest(&st);
        CHECK(call_read(st.pair.server, got, FULL) == FULL && memcmp(got, st.data, FULL) == 0);
        log_state(st.pair.server);
    }
    make_record(&st, 100);
    deliver_rest(&st);
    CHECK(call_read(st.pair.server, got, FULL) == 100);
    free(got);
    stage_free(&st);
}

/* What follows the first record comes in two pieces, of which the first has len bytes. */
static void cut_behind(size_t len)
{
    struct stage st;
    uint8_t *got = malloc(FULL);

    section("%zu bytes behind the record", len);
    stage_init(&st);
    REQUIRE(got != NULL);
    make_record(&st, FULL);
    make_record(&st, FULL);
    find_first_end(&st);
    deliver(&st, st.first_end - 1);
    CHECK(call_read(st.pair.server, got, FULL) == -1);
    deliver(&st, 1 + len);
    CHECK(call_read(st.pair.server, got, FULL) == FULL && memcmp(got, st.data, FULL) == 0);
    note("pending %d", SSL_pending(st.pair.server));
    /* A part of a header that a read did not ask for shows. */
    if (len == 0 || len >= HEADER) {
        note("has pending %d", SSL_has_pending(st.pair.server));
    } else {
        log_difference("next-header", "has pending %d", SSL_has_pending(st.pair.server));
    }
    CHECK(call_read(st.pair.server, got, FULL) == -1);
    log_state(st.pair.server);
    deliver_rest(&st);
    CHECK(call_read(st.pair.server, got, FULL) == FULL && memcmp(got, st.data, FULL) == 0);
    CHECK(call_read(st.pair.server, got, FULL) == -1);
    free(got);
    stage_free(&st);
}

/* --- What else happens between two reads --- */

/* A peek and a read in pieces leave the header where it is. */
static void peek_and_pieces(void)
{
    struct stage st;
    uint8_t *got = malloc(FULL);

    section("a peek, and a read in pieces");
    stage_init(&st);
    REQUIRE(got != NULL);
    two_records(&st);
    CHECK(call_peek(st.pair.server, got, FULL) == FULL && memcmp(got, st.data, FULL) == 0);
    log_state(st.pair.server);
    CHECK(call_read(st.pair.server, got, 10000) == 10000);
    log_state(st.pair.server);
    CHECK(call_peek(st.pair.server, got, FULL) == FULL - 10000);
    CHECK(call_read(st.pair.server, got, FULL) == FULL - 10000);
    log_state(st.pair.server);
    CHECK(call_peek(st.pair.server, got, FULL) == 100);
    CHECK(call_read(st.pair.server, got, FULL) == 100);
    log_state(st.pair.server);
    free(got);
    stage_free(&st);
}

/* The BIO is replaced between the two records. */
static void another_bio(bool filter)
{
    struct stage st;
    SSL *server;
    uint8_t *got = malloc(FULL);

    section(filter ? "SSL_set_bio in between" : "SSL_set_fd in between");
    stage_init(&st);
    server = st.pair.server;
    REQUIRE(got != NULL);
    two_records(&st);
    CHECK(call_read(server, got, FULL) == FULL);
    if (filter) {
        BIO *bio =
            BIO_push(BIO_new(BIO_f_buffer()), BIO_new_socket(st.pair.server_fd, BIO_NOCLOSE));
        SSL_set_bio(server, bio, bio);
    } else {
        log_call(server, "SSL_set_fd", SSL_set_fd(server, st.pair.server_fd));
    }
    CHECK(call_read(server, got, FULL) == 100 && memcmp(got, st.data, 100) == 0);
    free(got);
    stage_free(&st);
}

static void buffers_freed(void)
{
    struct stage st;
    SSL *server;
    uint8_t *got = malloc(FULL);
    int freed;

    section("SSL_free_buffers between records");
    stage_init(&st);
    server = st.pair.server;
    REQUIRE(got != NULL);
    two_records(&st);
    CHECK(call_read(server, got, FULL) == FULL);
    freed = SSL_free_buffers(server);
    CHECK(freed == (on_tenon() ? 0 : 1));
    log_difference("next-header", "SSL_free_buffers %d", freed);
    CHECK(call_read(server, got, FULL) == 100);
    log_call(server, "SSL_free_buffers", SSL_free_buffers(server));
    CHECK(call_read(server, got, FULL) == -1);
    free(got);
    stage_free(&st);
}

/* Key updates (TLS 1.3) and a close of our own behind a full record. */
static void no_data_follows(void)
{
    struct stage st;
    SSL *server;
    uint8_t *got = malloc(FULL);

    section("no data behind the record");
    stage_init(&st);
    server = st.pair.server;
    REQUIRE(got != NULL);
    make_record(&st, FULL);
    if (pair_is_tls13()) {
        CHECK(call_key_update(st.pair.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
    }
    make_record(&st, FULL);
    find_first_end(&st);
    deliver_rest(&st);
    CHECK(call_read(server, got, FULL) == FULL);
    CHECK(call_read(server, got, FULL) == FULL && memcmp(got, st.data, FULL) == 0);
    make_record(&st, FULL);
    make_record(&st, 100);
    deliver_rest(&st);
    CHECK(call_read(server, got, FULL) == FULL);
    CHECK(call_shutdown(server) == 0);
    (void)call_shutdown(server);
    log_state(server);
    free(got);
    stage_free(&st);
}

/* --- Who takes the socket over --- */

/* Behind close_notify everything is still in the socket. */
static void in_the_clear_after_close(bool all_at_once)
{
    struct stage st;
    uint8_t *got = malloc(FULL);
    char plain[64] = { 0 };

    section("in the clear after close_notify%s", all_at_once ? ", all there at once" : "");
    stage_init(&st);
    REQUIRE(got != NULL);
    make_record(&st, FULL);
    find_first_end(&st);
    CHECK(call_shutdown(st.pair.client) == 0);
    if (!all_at_once) {
        deliver(&st, st.first_end);
        CHECK(call_read(st.pair.server, got, FULL) == FULL);
    }
    deliver_rest(&st);
    REQUIRE(send(st.pair.client_fd, PLAIN, sizeof(PLAIN), 0) == sizeof(PLAIN));
    if (all_at_once) {
        CHECK(call_read(st.pair.server, got, FULL) == FULL);
    }
    CHECK(call_read(st.pair.server, got, FULL) == 0);
    CHECK(call_shutdown(st.pair.server) == 1);
    CHECK(recv(st.pair.server_fd, plain, sizeof(plain), MSG_DONTWAIT) == sizeof(PLAIN) &&
          strcmp(plain, PLAIN) == 0);
    note("then \"%s\"", plain);
    free(got);
    stage_free(&st);
}

/* Without one, who reads until a length that both know finds five bytes missing, if that ends with
 * a full record. */
static void in_the_clear_without_close(int last_len)
{
    struct stage st;
    uint8_t *got = malloc(FULL);
    char plain[64] = { 0 };

    section("in the clear without close_notify, behind a record of %d bytes", last_len);
    stage_init(&st);
    REQUIRE(got != NULL);
    make_record(&st, last_len);
    deliver_rest(&st);
    REQUIRE(send(st.pair.client_fd, PLAIN, sizeof(PLAIN), 0) == sizeof(PLAIN));
    CHECK(call_read(st.pair.server, got, FULL) == last_len);
    ssize_t len = recv(st.pair.server_fd, plain, sizeof(plain), MSG_DONTWAIT);
    CHECK(len == (ssize_t)sizeof(PLAIN) - (last_len == FULL && on_tenon() ? HEADER : 0));
    if (last_len == FULL) {
        log_difference("next-header", "then \"%s\"", plain);
    } else {
        note("then \"%s\"", plain);
    }
    free(got);
    stage_free(&st);
}

int main(void)
{
    contract_start();
    plain_socket();
    watched_socket(false);
    watched_socket(true);
    filtered_socket(BIO_f_buffer(), "BIO_f_buffer");
    filtered_socket(BIO_f_null(), "BIO_f_null");
    nothing_follows();
    for (size_t len = 0; len <= HEADER + 1; len++) {
        cut_behind(len);
    }
    cut_behind(1000);
    peek_and_pieces();
    another_bio(false);
    another_bio(true);
    buffers_freed();
    no_data_follows();
    in_the_clear_after_close(false);
    in_the_clear_after_close(true);
    in_the_clear_without_close(FULL);
    in_the_clear_without_close(10000);
    identity_default_free();
    return contract_finish();
}
