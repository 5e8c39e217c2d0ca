/* The shim of BoringSSL's protocol tests (BoGo): a program that the runner starts for each test,
 * that connects to it as TLS client or server and does what the flags say. It is on libssl's public
 * API only: which library it runs on is decided by the loader. Beside the verdict, which the runner
 * finds, it writes a report of all that an application saw. */
#include "shim.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>

static const char first_words[] = "hello";

struct connection *connection_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, 0);
}

int connection_attach(SSL *ssl, struct connection *connection)
{
    return SSL_set_ex_data(ssl, 0, connection);
}

/* ---- calls that are made again until they are through -------------------------------------------
 */

/* Whether a call that returned `result` is to be made again, after what it waits for has been
 * provided. */
static bool again(SSL *ssl, int result)
{
    struct connection *connection = connection_of(ssl);

    if (result > 0 || connection->slow == NULL) {
        return false;
    }
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
        slow_bio_allow_read(connection->slow, 1);
        return true;
    case SSL_ERROR_WANT_WRITE:
        slow_bio_allow_write(connection->slow, 1);
        return true;
    case SSL_ERROR_WANT_X509_LOOKUP:
        connection->certificate_ready = true;
        return true;
    case SSL_ERROR_WANT_CLIENT_HELLO_CB:
        connection->hello_ready = true;
        return true;
    case SSL_ERROR_WANT_RETRY_VERIFY:
        connection->verification_ready = true;
        return true;
    default:
        return false;
    }
}

static bool failed(SSL *ssl, const char *call, int result)
{
    int error = SSL_get_error(ssl, result);

    report("%s: %d, error %d, want %d, shutdown %d", call, result, error, SSL_want(ssl),
           SSL_get_shutdown(ssl));
    fprintf(stderr, "%s: error %d\n", call, error);
    report_errors();
    return false;
}

static bool write_all(SSL *ssl, const void *data, size_t length)
{
    const unsigned char *at = data;
    int result;

    do {
        result = SSL_write(ssl, at, (int)length);
        if (result > 0) {
            at += result;
            length -= (size_t)result;
        }
    } while (again(ssl, result) || (result > 0 && length > 0));
    return result > 0 || length == 0 || failed(ssl, "SSL_write", result);
}

static bool handshake(SSL *ssl)
{
    int result;

    do {
        result = SSL_do_handshake(ssl);
    } while (again(ssl, result));
    /* libcrypto may leave entries behind when all is well, which SSL_get_error would take for a
     * later call's. */
    if (result == 1) {
        report_errors();
        return true;
    }
    failed(ssl, "SSL_do_handshake", result);
    /* What a program is told that doesn't take no for an answer. */
    result = SSL_do_handshake(ssl);
    report("once more: %d, error %d", result, SSL_get_error(ssl, result));
    report_errors();
    return false;
}

/* ---- early data --------------------------------------------------------------------------------
 */

static bool client_writes_early(SSL *ssl)
{
    size_t written;
    int result;

    do {
        result = SSL_write_early_data(ssl, first_words, strlen(first_words), &written);
    } while (again(ssl, result));
    return result == 1 || failed(ssl, "SSL_write_early_data", result);
}

/* Answers early data at once, with each byte's complement. */
static bool server_reads_early(SSL *ssl)
{
    unsigned char data[512];
    size_t length, written;

    for (;;) {
        int result = SSL_read_early_data(ssl, data, sizeof(data), &length);

        if (result == SSL_READ_EARLY_DATA_ERROR) {
            if (again(ssl, -1)) {
                continue;
            }
            return failed(ssl, "SSL_read_early_data", 0);
        }
        if (result == SSL_READ_EARLY_DATA_FINISH) {
            return true;
        }
        report("%zu bytes of early data", length);
        for (size_t i = 0; i < length; i++) {
            data[i] ^= 0xff;
        }
        do {
            result = SSL_write_early_data(ssl, data, length, &written);
        } while (again(ssl, result));
        if (result != 1) {
            return failed(ssl, "SSL_write_early_data", result);
        }
    }
}

static bool early_data(SSL *ssl, bool resumed)
{
    const struct config *config = connection_of(ssl)->config;

    if (!config->enable_early_data) {
        return true;
    }
    if (config->server) {
        return server_reads_early(ssl);
    }
    if (!resumed || SSL_SESSION_get_max_early_data(SSL_get0_session(ssl)) == 0) {
        return true;
    }
    return config->shim_writes_first ? client_writes_early(ssl) : true;
}

static bool early_data_holds(SSL *ssl)
{
    const struct config *config = connection_of(ssl)->config;
    int status = SSL_get_early_data_status(ssl);

    if ((config->expect_accept_early_data && status != SSL_EARLY_DATA_ACCEPTED) ||
        (config->expect_reject_early_data && status != SSL_EARLY_DATA_REJECTED) ||
        (config->expect_no_offer_early_data && status != SSL_EARLY_DATA_NOT_SENT)) {
        fprintf(stderr, "early data: status %d\n", status);
        return false;
    }
    return true;
}

/* ---- after the handshake ------------------------------------------------------------------------
 */

static bool export_and_send(SSL *ssl)
{
    const struct config *config = connection_of(ssl)->config;
    const char *context = config->export_context != NULL ? config->export_context : "";
    const char *label = config->export_label != NULL ? config->export_label : "";
    size_t length = (size_t)config->export_keying_material;
    unsigned char *material = OPENSSL_malloc(length);
    bool sent;

    if (SSL_export_keying_material(ssl, material, length, label, strlen(label),
                                   (const unsigned char *)context, strlen(context),
                                   config->use_export_context) != 1) {
        sent = failed(ssl, "SSL_export_keying_material", 0);
    } else {
        sent = write_all(ssl, material, length);
    }
    OPENSSL_free(material);
    return sent;
}

/* The Finished message that came first: the client's, or in a resumed handshake the server's. */
static bool send_unique(SSL *ssl)
{
    unsigned char finished[64];
    bool ours = SSL_is_server(ssl) == SSL_session_reused(ssl);
    size_t length = ours ? SSL_get_finished(ssl, finished, sizeof(finished))
                         : SSL_get_peer_finished(ssl, finished, sizeof(finished));

    return length <= sizeof(finished) && write_all(ssl, finished, length);
}

static bool write_sizes(SSL *ssl)
{
    static const size_t sizes[] = { 0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769 };
    static unsigned char data[32769];

    memset(data, 0x42, sizeof(data));
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        if (!write_all(ssl, data, sizes[i])) {
            return false;
        }
    }
    return true;
}

/* Reads at most `size` bytes; with -peek-then-read after two looks at them. Returns as SSL_read. */
static int read_some(SSL *ssl, unsigned char *data, int size)
{
    bool peek = connection_of(ssl)->config->peek_then_read;
    unsigned char *twice;
    int result, second;

    do {
        result = peek ? SSL_peek(ssl, data, size) : SSL_read(ssl, data, size);
    } while (again(ssl, result));
    if (!peek || result <= 0) {
        return result;
    }
    twice = OPENSSL_zalloc((size_t)result);
    for (int i = 0; i < 2; i++) {
        second = i == 0 ? SSL_peek(ssl, twice, result) : SSL_read(ssl, twice, result);
        if (second != result || memcmp(twice, data, (size_t)result) != 0) {
            report("what was peeked at has changed");
        }
    }
    OPENSSL_free(twice);
    return result;
}

/* Whether reading ended as it may, with or without a close_notify. */
static bool ended(SSL *ssl, int result)
{
    switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_ZERO_RETURN:
        report("end of data");
        return true;
    case SSL_ERROR_SSL:
        if (ERR_GET_REASON(ERR_peek_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            return failed(ssl, "SSL_read", result);
        }
        report("end without close_notify");
        ERR_clear_error();
        return true;
    default:
        return failed(ssl, "SSL_read", result);
    }
}

/* Sends every byte's complement back until the peer ends. `pending` is a write that was begun. */
static bool echo(SSL *ssl, bool pending)
{
    const struct config *config = connection_of(ssl)->config;
    int size = config->read_size > 0 ? config->read_size : 512, result;
    unsigned char *data = OPENSSL_malloc((size_t)size), exported[1];
    bool good = true;
    size_t total = 0;

    while (good && (result = read_some(ssl, data, size)) > 0) {
        total += (size_t)result;
        if (pending) {
            good = write_all(ssl, first_words, strlen(first_words));
        }
        pending = false;
        if (config->key_update && SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1) {
            good = failed(ssl, "SSL_key_update", 0);
        }
        if (config->use_exporter_between_reads &&
            SSL_export_keying_material(ssl, exported, 1, "some label", 10, NULL, 0, 0) != 1) {
            good = failed(ssl, "SSL_export_keying_material", 0);
        }
        for (int i = 0; i < result; i++) {
            data[i] ^= 0xff;
        }
        good = good && write_all(ssl, data, (size_t)result);
    }
    report("%zu bytes read", total);
    OPENSSL_free(data);
    return good && ended(ssl, result);
}

static bool begin_write(SSL *ssl)
{
    struct connection *connection = connection_of(ssl);
    int result;

    slow_bio_allow_write(connection->slow, 1);
    result = SSL_write(ssl, first_words, (int)strlen(first_words));
    return SSL_get_error(ssl, result) == SSL_ERROR_WANT_WRITE || failed(ssl, "SSL_write", result);
}

static bool talk(SSL *ssl)
{
    const struct config *config = connection_of(ssl)->config;
    bool early = SSL_get_early_data_status(ssl) != SSL_EARLY_DATA_NOT_SENT && !config->server;

    if (config->export_keying_material > 0 && !export_and_send(ssl)) {
        return false;
    }
    if (config->tls_unique && !send_unique(ssl)) {
        return false;
    }
    if (config->write_different_record_sizes) {
        return write_sizes(ssl);
    }
    if (config->read_with_unfinished_write) {
        if (!begin_write(ssl)) {
            return false;
        }
    } else if (config->shim_writes_first && !early &&
               !write_all(ssl, first_words, strlen(first_words))) {
        return false;
    }
    return config->shim_shuts_down || echo(ssl, config->read_with_unfinished_write);
}

static bool close_down(SSL *ssl)
{
    const struct config *config = connection_of(ssl)->config;
    bool two_steps = config->shim_shuts_down && config->check_close_notify;
    int result;

    do {
        result = SSL_shutdown(ssl);
    } while (again(ssl, result) && result != 0);
    report("shutdown %d", result);
    if (two_steps && result == 0) {
        do {
            result = SSL_shutdown(ssl);
        } while (again(ssl, result));
        report("shutdown %d", result);
    }
    return result == 1 || failed(ssl, "SSL_shutdown", result);
}

static bool session_is_as_expected(SSL *ssl)
{
    const struct connection *connection = connection_of(ssl);
    const struct config *config = connection->config;
    bool wanted = !config->expect_no_session && !config->shim_shuts_down;

    if (config->server || SSL_version(ssl) < TLS1_3_VERSION) {
        return true;
    }
    if (connection->got_new_session != wanted) {
        fprintf(stderr, "new session: %d\n", connection->got_new_session);
        return false;
    }
    return !wanted || (SSL_SESSION_get_max_early_data(connection->new_session) > 0) ==
                          config->expect_ticket_supports_early_data;
}

static bool exchange(SSL *ssl, bool resumed, const struct config *retry)
{
    struct connection *connection = connection_of(ssl);
    const struct config *config = connection->config;
    bool good;

    if (!config->implicit_handshake) {
        if (!early_data(ssl, resumed) || !handshake(ssl) || !early_data_holds(ssl)) {
            return false;
        }
        /* From here on a client whose early data was rejected goes by other flags. */
        if (!config->server && SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_REJECTED) {
            connection->config = config = retry;
        }
        report_connection(ssl);
        report_errors();
        if (config->forbid_renegotiation_after_handshake) {
            SSL_set_options(ssl, SSL_OP_NO_RENEGOTIATION);
        }
        good = expectations_hold(ssl, resumed);
        ERR_clear_error(); /* of the files that were read for them */
        if (!good || (config->handshake_twice && !handshake(ssl)) ||
            (config->no_op_extra_handshake && !handshake(ssl))) {
            return false;
        }
        connection->got_new_session = false;
    }
    if (!talk(ssl) || !session_is_as_expected(ssl) || !close_down(ssl)) {
        return false;
    }
    report("renegotiations %ld", SSL_total_renegotiations(ssl));
    return SSL_total_renegotiations(ssl) == config->expect_total_renegotiations;
}

/* ---- connections -------------------------------------------------------------------------------
 */

static int connect_to_runner(int port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
    int one = 1, at = socket(AF_INET6, SOCK_STREAM, 0);

    six.sin6_addr = in6addr_loopback;
    four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (at < 0 || connect(at, (struct sockaddr *)&six, sizeof(six)) != 0) {
        if (at >= 0) {
            close(at);
        }
        at = socket(AF_INET, SOCK_STREAM, 0);
        if (at < 0 || connect(at, (struct sockaddr *)&four, sizeof(four)) != 0) {
            perror("connect");
            exit(1);
        }
    }
    setsockopt(at, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return at;
}

/* Closes without a reset, which would take what the peer hasn't read yet with it. */
static void close_slowly(int at)
{
    char rest[1024];

    shutdown(at, SHUT_WR);
    while (recv(at, rest, sizeof(rest), 0) > 0) {
        continue;
    }
    close(at);
}

/* One connection; *session is what a client offers, and afterwards what it got. */
static bool connection_run(SSL_CTX *ctx, const struct configs *configs, bool resumed,
                           SSL_SESSION **session)
{
    struct connection connection = { 0 };
    const struct config *config = resumed ? &configs->resume : &configs->initial;
    SSL *ssl;
    BIO *bio;
    bool good;
    int at;

    connection.config = config;
    if (!setup_context(ctx, config) || (ssl = setup_ssl(ctx, &connection, *session)) == NULL) {
        report_errors();
        exit(EXIT_UNIMPLEMENTED);
    }
    at = connect_to_runner(config->port);
    bio = BIO_new_socket(at, BIO_NOCLOSE);
    if (config->async) {
        connection.slow = slow_bio_new();
        bio = BIO_push(connection.slow, bio);
    }
    SSL_set_bio(ssl, bio, bio);
    if (config->server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    good = exchange(ssl, resumed, &configs->retry);
    report_errors();
    /* A renewed ticket of TLS 1.2 comes to no callback. */
    if (connection.new_session == NULL && !config->server) {
        connection.new_session = SSL_get1_session(ssl);
    }
    SSL_free(ssl);
    close_slowly(at);
    SSL_SESSION_free(*session);
    *session = connection.new_session;
    return good;
}

int main(int argc, char **argv)
{
    struct configs configs = { 0 };
    SSL_SESSION *session = NULL;
    SSL_CTX *ctx;
    bool good = true;

    if (argc == 2 && strcmp(argv[1], "-is-handshaker-supported") == 0) {
        puts("No");
        return 0;
    }
    signal(SIGPIPE, SIG_IGN);
    flags_parse(&configs, argc, argv);
    report_open(configs.initial.write_settings);
    ctx = setup_new_context();
    for (int i = 0; good && i <= configs.initial.resume_count; i++) {
        report("--- connection %d", i);
        if (i > 0 && !configs.initial.server && session == NULL) {
            fputs("no session to offer\n", stderr);
            good = false;
            break;
        }
        good = connection_run(ctx, &configs, i > 0, &session);
    }
    report("%s", good ? "good" : "bad");
    SSL_SESSION_free(session);
    SSL_CTX_free(ctx);
    flags_free(&configs);
    report_close();
    return good ? 0 : 1;
}
