/*
 * A recorded flight with early data, sent again: to the same process, to processes that were forked
 * before, to many threads at once, and to servers that were started separately and share a ticket
 * secret. One of them accepts it, the others reject the data and go on; so does everybody who has
 * the ticket's key but not its register. Servers of <openssl/ssl.h> throughout.
 */
#include "early_flight.h"
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
        pass_on(client, server);
        assert_int_equal(read_early(server), visit == 0 ? REJECTED_AND_RESUMED : ACCEPTED);
        if (visit == 1) {
            char data[10];
            size_t len;
            pass_on(server, client);
            assert_int_equal(SSL_do_handshake(client), 1);
            pass_on(client, server);
            assert_int_equal(SSL_read_early_data(server, data, sizeof(data), &len),
                             SSL_READ_EARLY_DATA_FINISH);
        }
        pass_on(server, client);
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
static const char early_secret[] = "a secret of 32 bytes and a few more";

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
        cmocka_unit_test_setup_teardown(test_again, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_the_client_goes_on, early_flight_begin,
                                        early_flight_end),
        cmocka_unit_test_setup_teardown(test_unprotected, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_callback, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_application_keys, early_flight_begin,
                                        early_flight_end),
        cmocka_unit_test_setup_teardown(test_used_up, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_insists, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_threads, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_forked, early_flight_begin, early_flight_end),
        cmocka_unit_test(test_shared_secret),
    };
    int fd;

    if (mkdtemp(folder) == NULL) {
        return 1;
    }
    (void)snprintf(secret_file, sizeof(secret_file), "%s/secret", folder);
    fd = open(secret_file, O_WRONLY | O_CREAT, 0600);
    if (fd < 0 || write(fd, folder, sizeof(folder)) != sizeof(folder) ||
        write(fd, early_secret, sizeof(early_secret)) != sizeof(early_secret) || close(fd) != 0) {
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
        cmocka_unit_test_setup_teardown(test_again, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_threads, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_forked, early_flight_begin, early_flight_end),
        cmocka_unit_test_setup_teardown(test_started_separately, early_flight_begin,
                                        early_flight_end),
        cmocka_unit_test_setup_teardown(test_another_register, early_flight_begin,
                                        early_flight_end),
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
