/*
 * A recorded flight with early data, sent again: to the same process, to processes that were forked
 * before, to many threads at once, and to servers that were started separately and share a ticket
 * secret. One of them accepts it, the others reject the data and go on; so does everybody who has
 * the ticket's key but not its register. Servers of <openssl/ssl.h> throughout.
 */
#include "unit.h"

#include "engines.h"

#include <fcntl.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUM_SERVERS 4
#define MAX_FLIGHT  2000

static const char early[] = "GET /transfer?amount=1000";

struct flight {
    size_t len;
    uint8_t bytes[MAX_FLIGHT];
};

/* What a server made of a flight. */
enum verdict { FAILED, REJECTED, REJECTED_AND_RESUMED, ACCEPTED };

static SSL_CTX *server_ctx, *client_ctx;

static SSL_CTX *new_server(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    assert_non_null(ctx);
    assert_int_equal(SSL_CTX_use_certificate(ctx, endpoint_cert()), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey(ctx, endpoint_key()), 1);
    assert_int_equal(SSL_CTX_set_max_early_data(ctx, 1000), 1);
    return ctx;
}

static int set_up(void **state)
{
    (void)state;
    server_ctx = new_server();
    client_ctx = SSL_CTX_new(TLS_client_method());
    assert_non_null(client_ctx);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    SSL_CTX_free(server_ctx);
    SSL_CTX_free(client_ctx);
    return 0;
}

/* An SSL with two memory BIOs of its own. */
static SSL *new_end(SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);

    assert_non_null(ssl);
    SSL_set_bio(ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(ssl), -1);
    if (ctx == client_ctx) {
        SSL_set_connect_state(ssl);
    } else {
        SSL_set_accept_state(ssl);
    }
    return ssl;
}

static void deliver(SSL *from, SSL *to)
{
    char *bytes;
    long len = BIO_get_mem_data(SSL_get_wbio(from), &bytes);

    if (len > 0) {
        assert_int_equal(BIO_write(SSL_get_rbio(to), bytes, (int)len), len);
    }
    (void)BIO_reset(SSL_get_wbio(from));
}

/* Runs the handshake to its end and takes what the client gets for later: a session. */
static SSL_SESSION *finish(SSL *client, SSL *server)
{
    char data[64];

    for (int i = 0; i < 4; i++) {
        (void)SSL_do_handshake(client);
        deliver(client, server);
        (void)SSL_do_handshake(server);
        deliver(server, client);
    }
    assert_true(SSL_is_init_finished(client) && SSL_is_init_finished(server));
    assert_int_equal(SSL_write(client, "late", 4), 4);
    deliver(client, server);
    assert_int_equal(SSL_read(server, data, sizeof(data)), 4);
    assert_int_equal(SSL_write(server, "answer", 6), 6);
    deliver(server, client);
    assert_int_equal(SSL_read(client, data, sizeof(data)), 6);
    SSL_SESSION *session = SSL_get1_session(client);
    assert_int_equal(SSL_SESSION_is_resumable(session), 1);
    (void)SSL_shutdown(client);
    (void)SSL_shutdown(server);
    return session;
}

static SSL_SESSION *visit(SSL_CTX *ctx)
{
    SSL *server = new_end(ctx);
    SSL *client = new_end(client_ctx);
    SSL_SESSION *session = finish(client, server);

    SSL_free(client);
    SSL_free(server);
    return session;
}

/* A client that has sent its first flight, with early data. */
static SSL *send_early(SSL_SESSION *session)
{
    SSL *client = new_end(client_ctx);
    size_t written;

    assert_int_equal(SSL_set_session(client, session), 1);
    assert_int_equal(SSL_write_early_data(client, early, sizeof(early), &written), 1);
    return client;
}

/* The first flight of a client that nothing is heard of again. */
static struct flight record_flight(SSL_SESSION *session)
{
    struct flight flight = { 0 };
    SSL *client = send_early(session);
    char *bytes;
    long len = BIO_get_mem_data(SSL_get_wbio(client), &bytes);

    assert_in_range(len, 100, MAX_FLIGHT);
    flight.len = (size_t)len;
    memcpy(flight.bytes, bytes, flight.len);
    /* Or the session would be spoilt. */
    SSL_set_shutdown(client, SSL_SENT_SHUTDOWN);
    SSL_free(client);
    return flight;
}

static enum verdict read_early(SSL *server)
{
    char data[100];
    size_t len;
    int result = SSL_read_early_data(server, data, sizeof(data), &len);

    if (result == SSL_READ_EARLY_DATA_SUCCESS) {
        return len == sizeof(early) && memcmp(data, early, len) == 0 ? ACCEPTED : FAILED;
    }
    if (result != SSL_READ_EARLY_DATA_FINISH ||
        SSL_get_early_data_status(server) != SSL_EARLY_DATA_REJECTED) {
        return FAILED;
    }
    /* It goes on, and waits for the client. */
    if (SSL_do_handshake(server) != -1 || SSL_get_error(server, -1) != SSL_ERROR_WANT_READ) {
        return FAILED;
    }
    return SSL_session_reused(server) ? REJECTED_AND_RESUMED : REJECTED;
}

static enum verdict replay(SSL_CTX *ctx, const struct flight *flight)
{
    SSL *server = SSL_new(ctx);
    enum verdict verdict;

    if (server == NULL) {
        return FAILED;
    }
    SSL_set_bio(server, BIO_new_mem_buf(flight->bytes, (int)flight->len), BIO_new(BIO_s_mem()));
    BIO_set_mem_eof_return(SSL_get_rbio(server), -1);
    SSL_set_accept_state(server);
    verdict = read_early(server);
    SSL_free(server);
    return verdict;
}

/* Of num verdicts one is to have accepted; the others resumed at least. */
static void assert_one_accepted(const enum verdict *verdicts, size_t num)
{
    size_t accepted = 0;

    for (size_t i = 0; i < num; i++) {
        accepted += verdicts[i] == ACCEPTED;
        assert_true(verdicts[i] == ACCEPTED || verdicts[i] == REJECTED_AND_RESUMED);
    }
    assert_int_equal(accepted, 1);
}

/* --- One process --- */

static void test_again(void **state)
{
    SSL_SESSION *session = visit(server_ctx);
    struct flight flight = record_flight(session);

    (void)state;
    assert_int_equal(replay(server_ctx, &flight), ACCEPTED);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(replay(server_ctx, &flight), REJECTED_AND_RESUMED);
    }
    SSL_SESSION_free(session);
}

/* The client whose flight was taken from it comes through all the same, and with its next ticket
 * its early data is accepted again. */
static void test_the_client_goes_on(void **state)
{
    SSL_SESSION *session = visit(server_ctx);
    struct flight flight = record_flight(session);

    (void)state;
    assert_int_equal(replay(server_ctx, &flight), ACCEPTED);
    for (int visit = 0; visit < 2; visit++) {
        SSL *client = send_early(session);
        SSL *server = new_end(server_ctx);
        SSL_SESSION_free(session);
        deliver(client, server);
        assert_int_equal(read_early(server), visit == 0 ? REJECTED_AND_RESUMED : ACCEPTED);
        if (visit == 1) {
            char data[10];
            size_t len;
            deliver(server, client);
            assert_int_equal(SSL_do_handshake(client), 1);
            deliver(client, server);
            assert_int_equal(SSL_read_early_data(server, data, sizeof(data), &len),
                             SSL_READ_EARLY_DATA_FINISH);
        }
        deliver(server, client);
        session = finish(client, server);
        assert_int_equal(SSL_session_reused(client), 1);
        assert_int_equal(SSL_get_early_data_status(client),
                         visit == 0 ? SSL_EARLY_DATA_REJECTED : SSL_EARLY_DATA_ACCEPTED);
        SSL_free(client);
        SSL_free(server);
    }
    SSL_SESSION_free(session);
}

/* SSL_OP_NO_ANTI_REPLAY: nobody is asked. What was sealed without protection is not accepted with
 * it: it may have been used. */
static void test_unprotected(void **state)
{
    SSL_SESSION *session;
    struct flight flight;

    (void)state;
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_NO_ANTI_REPLAY);
    session = visit(server_ctx);
    flight = record_flight(session);
    assert_int_equal(replay(server_ctx, &flight), ACCEPTED);
    assert_int_equal(replay(server_ctx, &flight), ACCEPTED);
    (void)SSL_CTX_clear_options(server_ctx, SSL_OP_NO_ANTI_REPLAY);
    assert_int_equal(replay(server_ctx, &flight), REJECTED_AND_RESUMED);
    SSL_SESSION_free(session);
}

static int allow(SSL *ssl, void *arg)
{
    (void)ssl;
    ++*(int *)arg;
    return 0;
}

/* The application is not asked about a replay; what it declines is spent. */
static void test_callback(void **state)
{
    SSL_SESSION *session = visit(server_ctx);
    struct flight flight = record_flight(session);
    int asked = 0;

    (void)state;
    SSL_CTX_set_allow_early_data_cb(server_ctx, allow, &asked);
    assert_int_equal(replay(server_ctx, &flight), REJECTED_AND_RESUMED);
    assert_int_equal(asked, 1);
    assert_int_equal(replay(server_ctx, &flight), REJECTED_AND_RESUMED);
    assert_int_equal(asked, 1);
    SSL_SESSION_free(session);
}

/* Keys of the application's: the tickets are OpenSSL's, and the register answers for them, too. */
static void test_application_keys(void **state)
{
    uint8_t keys[80] = { 1, 2, 3 };
    SSL_SESSION *session;
    struct flight flight;

    (void)state;
    assert_int_equal(SSL_CTX_set_tlsext_ticket_keys(server_ctx, keys, sizeof(keys)), 1);
    session = visit(server_ctx);
    assert_int_equal(SSL_CTX_sess_number(server_ctx), 0);
    flight = record_flight(session);
    assert_int_equal(replay(server_ctx, &flight), ACCEPTED);
    assert_int_equal(replay(server_ctx, &flight), REJECTED_AND_RESUMED);
    SSL_SESSION_free(session);
}

/* --- Applications that keep OpenSSL's tickets --- */

static SSL_SESSION *find_nothing(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    (void)ssl;
    (void)id;
    (void)len;
    *copy = 0;
    return NULL;
}

static void ignore(SSL_CTX *ctx, SSL_SESSION *session)
{
    (void)ctx;
    (void)session;
}

static int draw_id(SSL *ssl, unsigned char *id, unsigned *len)
{
    static unsigned char next;

    (void)ssl;
    memset(id, ++next, *len);
    return 1;
}

static void test_used_up(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        SSL_CTX *ctx = new_server();
        if (i == 0) {
            SSL_CTX_sess_set_get_cb(ctx, find_nothing);
        } else if (i == 1) {
            SSL_CTX_sess_set_remove_cb(ctx, ignore);
        } else if (i == 2) {
            assert_int_equal(SSL_CTX_set_generate_session_id(ctx, draw_id), 1);
        } else {
            (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        }
        SSL_SESSION *session = visit(ctx);
        assert_int_equal(SSL_CTX_sess_number(ctx), 2);
        struct flight flight = record_flight(session);
        assert_int_equal(replay(ctx, &flight), ACCEPTED);
        assert_int_equal(replay(ctx, &flight), REJECTED);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
}

/* --- The operator insists --- */

/* What applications want that take care of themselves does not count, and they notice nothing but
 * the refusals: tickets resume, whatever callbacks there are. Names of their own nobody answers
 * for. */
static void test_insists(void **state)
{
    (void)state;
    assert_int_equal(setenv("TENON_EARLY_DATA_PROTECTION", "Always", 1), 0);
    for (int i = 0; i < 3; i++) {
        SSL_CTX *ctx = new_server();
        (void)SSL_CTX_set_options(ctx, SSL_OP_NO_ANTI_REPLAY);
        if (i == 1) {
            SSL_CTX_sess_set_get_cb(ctx, find_nothing);
            SSL_CTX_sess_set_remove_cb(ctx, ignore);
        } else if (i == 2) {
            assert_int_equal(SSL_CTX_set_generate_session_id(ctx, draw_id), 1);
        }
        SSL_SESSION *session = visit(ctx);
        struct flight flight = record_flight(session);
        assert_int_equal(replay(ctx, &flight), i == 2 ? REJECTED_AND_RESUMED : ACCEPTED);
        assert_int_equal(replay(ctx, &flight), REJECTED_AND_RESUMED);
        SSL_SESSION_free(session);
        SSL_CTX_free(ctx);
    }
    assert_int_equal(setenv("TENON_EARLY_DATA_PROTECTION", "", 1), 0);
}

/* --- At once --- */

struct contest {
    const struct flight *flight;
    pthread_barrier_t barrier;
};

static void *contend(void *arg)
{
    struct contest *contest = arg;
    enum verdict *verdict = malloc(sizeof(*verdict));

    (void)pthread_barrier_wait(&contest->barrier);
    *verdict = replay(server_ctx, contest->flight);
    return verdict;
}

static void test_threads(void **state)
{
    (void)state;
    for (int round = 0; round < 5; round++) {
        SSL_SESSION *session = visit(server_ctx);
        struct flight flight = record_flight(session);
        struct contest contest = { .flight = &flight };
        pthread_t threads[NUM_SERVERS];
        enum verdict verdicts[NUM_SERVERS];

        assert_int_equal(pthread_barrier_init(&contest.barrier, NULL, NUM_SERVERS), 0);
        for (size_t i = 0; i < NUM_SERVERS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, contend, &contest), 0);
        }
        for (size_t i = 0; i < NUM_SERVERS; i++) {
            void *verdict;
            assert_int_equal(pthread_join(threads[i], &verdict), 0);
            verdicts[i] = *(enum verdict *)verdict;
            free(verdict);
        }
        (void)pthread_barrier_destroy(&contest.barrier);
        assert_one_accepted(verdicts, NUM_SERVERS);
        SSL_SESSION_free(session);
    }
}

/* --- Other processes --- */

/* What a process that was started earlier is told through a pipe, and its answer. */
struct child {
    pid_t pid;
    int flights; /* it reads them here */
    int verdicts;
};

static void serve(SSL_CTX *ctx, int in, int out)
{
    struct flight flight;

    while (read(in, &flight, sizeof(flight)) == sizeof(flight)) {
        enum verdict verdict = replay(ctx, &flight);
        if (write(out, &verdict, sizeof(verdict)) != sizeof(verdict)) {
            break;
        }
    }
}

/* program NULL: a fork of this process; else it starts anew, with the argument "serve". */
static struct child start_child(const char *program)
{
    struct child child;
    int in[2], out[2];

    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    child.pid = fork();
    assert_true(child.pid >= 0);
    if (child.pid == 0) {
        (void)close(in[1]);
        (void)close(out[0]);
        if (program != NULL) {
            (void)dup2(in[0], 0);
            (void)dup2(out[1], 1);
            (void)execl(program, program, "serve", (char *)NULL);
            _exit(127);
        }
        serve(server_ctx, in[0], out[1]);
        _exit(0);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    child.flights = in[1];
    child.verdicts = out[0];
    /* The next one must not hold this one's pipe open. */
    assert_int_equal(fcntl(child.flights, F_SETFD, FD_CLOEXEC), 0);
    assert_int_equal(fcntl(child.verdicts, F_SETFD, FD_CLOEXEC), 0);
    return child;
}

static void ask(const struct child *child, const struct flight *flight)
{
    assert_int_equal(write(child->flights, flight, sizeof(*flight)), sizeof(*flight));
}

static enum verdict answer(const struct child *child)
{
    enum verdict verdict = FAILED;

    assert_int_equal(read(child->verdicts, &verdict, sizeof(verdict)), sizeof(verdict));
    return verdict;
}

static void end_child(struct child *child)
{
    int status = -1;

    (void)close(child->flights);
    (void)close(child->verdicts);
    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    (void)status; /* a fork holds earlier pipes open until this process has closed them all */
}

/* The flight goes to all children at once, and to this process. */
static void contest_children(struct child *children)
{
    for (int round = 0; round < 5; round++) {
        SSL_SESSION *session = visit(server_ctx);
        struct flight flight = record_flight(session);
        enum verdict verdicts[NUM_SERVERS + 1];

        for (size_t i = 0; i < NUM_SERVERS; i++) {
            ask(&children[i], &flight);
        }
        verdicts[NUM_SERVERS] = replay(server_ctx, &flight);
        for (size_t i = 0; i < NUM_SERVERS; i++) {
            verdicts[i] = answer(&children[i]);
        }
        assert_one_accepted(verdicts, NUM_SERVERS + 1);
        /* And afterwards. */
        for (size_t i = 0; i < NUM_SERVERS; i++) {
            ask(&children[i], &flight);
            assert_int_equal(answer(&children[i]), REJECTED_AND_RESUMED);
        }
        SSL_SESSION_free(session);
    }
}

static void run_contest(const char *program)
{
    struct child children[NUM_SERVERS];

    for (size_t i = 0; i < NUM_SERVERS; i++) {
        children[i] = start_child(program);
    }
    contest_children(children);
    for (size_t i = NUM_SERVERS; i > 0; i--) {
        end_child(&children[i - 1]);
    }
}

/* Workers, which were forked before anybody came. */
static void test_forked(void **state)
{
    (void)state;
    run_contest(NULL);
}

static char self[4096];

static void test_started_separately(void **state)
{
    (void)state;
    run_contest(self);
}

/* --- The shared secret --- */

static char folder[] = "/tmp/early-replay-XXXXXX";
static char secret_file[64];

/* The register's file among what this process has mapped. */
static bool find_register(char *path, size_t size)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4096];
    bool found = false;

    assert_non_null(maps);
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        char *name = strstr(line, "/dev/shm/tenon-early-");
        if (name != NULL) {
            name[strcspn(name, "\n")] = '\0';
            found = snprintf(path, size, "%s", name) < (int)size;
        }
    }
    (void)fclose(maps);
    return found;
}

/* A server that has the key and another register, as one of another machine, or of this one after
 * it was started again. */
static void test_another_register(void **state)
{
    SSL_SESSION *session = visit(server_ctx);
    struct flight flight = record_flight(session);
    struct child child;
    char path[128];

    (void)state;
    assert_true(find_register(path, sizeof(path)));
    assert_int_equal(unlink(path), 0);
    child = start_child(self);
    ask(&child, &flight);
    assert_int_equal(answer(&child), REJECTED_AND_RESUMED);
    assert_int_equal(replay(server_ctx, &flight), ACCEPTED);
    ask(&child, &flight);
    assert_int_equal(answer(&child), REJECTED_AND_RESUMED);
    end_child(&child);
    /* Its file is the one of before. */
    assert_int_equal(unlink(path), 0);
    SSL_SESSION_free(session);
}

static void test_shared_secret(void **state)
{
    int status = -1;
    pid_t child = fork();

    (void)state;
    assert_true(child >= 0);
    if (child == 0) {
        (void)setenv("TENON_TICKET_SECRET_FILE", secret_file, 1);
        (void)execl(self, self, "shared", (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static int run_alone(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_client_goes_on, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_unprotected, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_callback, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_application_keys, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_used_up, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_insists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forked, set_up, tear_down),
        cmocka_unit_test(test_shared_secret),
    };
    int fd;

    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(secret_file, sizeof(secret_file), "%s/secret", folder);
    fd = open(secret_file, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, folder, sizeof(folder)) != sizeof(folder) ||
        write(fd, early, sizeof(early)) != sizeof(early) || close(fd) != 0) {
        return 1;
    }
    int result = cmocka_run_group_tests(tests, NULL, NULL);
    (void)unlink(secret_file);
    (void)rmdir(folder);
    return result;
}

static int run_shared(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_started_separately, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_another_register, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("with a shared secret", tests, NULL, NULL);
}

int main(int argc, char **argv)
{
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    int result = 0;

    if (len <= 0) {
        return 1;
    }
    if (argc > 1 && strcmp(argv[1], "serve") == 0) {
        SSL_CTX *ctx = new_server();
        serve(ctx, 0, 1);
        SSL_CTX_free(ctx);
    } else {
        result = argc > 1 ? run_shared() : run_alone();
    }
    endpoint_identity_free();
    return result;
}
