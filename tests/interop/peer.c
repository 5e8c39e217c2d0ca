/* TLS connections (1.3, or what --version says) for the interoperability tests, as client or as
 * server, on libssl's public API only: which library it runs on is decided by the loader. Called
 * with the word "list" it names the library's suites instead.
 *
 * It does the handshake, exchanges data, closes both halves and prints what it saw as one line
 * "facts key=value ...", for each connection. Exit status: 0 when all went as TLS says, 1 when the
 * connection failed (the reason is on standard error), 2 when it was called wrongly, 3 when its
 * time was up. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "peer.h"

/* Whole run, in seconds; the slowest handshake (ffdhe8192 under a sanitizer) takes a few. */
#define TIME_LIMIT 40

/* The largest piece of data; more than two records, less than a socket buffer. */
#define LARGEST_BLOCK 40000

/* ---- sockets ---- */

/* A server's listening socket; prints its port. */
static int listen_on(struct sockaddr_in *address)
{
    socklen_t len = sizeof(*address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    require(bind(fd, (struct sockaddr *)address, len) == 0, "cannot bind");
    require(listen(fd, 1) == 0, "cannot listen");
    require(getsockname(fd, (struct sockaddr *)address, &len) == 0, "no port");
    printf("port %d\n", ntohs(address->sin_port));
    fflush(stdout);
    return fd;
}

/* The next connection, to the address or from the listening socket. */
static int socket_open(const struct settings *set, const struct sockaddr_in *address, int listener)
{
    int fd = set->server ? accept(listener, NULL, NULL) : socket(AF_INET, SOCK_STREAM, 0);

    require(fd >= 0, "nobody came");
    require(set->server || connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0,
            "cannot connect");
    return fd;
}

/* ---- data ---- */

/* Text without the letters that command-line peers take for commands at a line's start. */
static void fill_block(char *block, size_t len, size_t line_len)
{
    for (size_t i = 0; i < len; i++) {
        block[i] = (char)('a' + (i * 7 + len) % 10);
        if (i % line_len == line_len - 1 || i == len - 1) {
            block[i] = '\n';
        }
    }
}

static void reverse_lines(char *block, size_t len)
{
    size_t start = 0;

    for (size_t i = 0; i < len; i++) {
        if (block[i] != '\n') {
            continue;
        }
        for (size_t a = start, b = i; a + 1 < b; a++, b--) {
            char kept = block[a];

            block[a] = block[b - 1];
            block[b - 1] = kept;
        }
        start = i + 1;
    }
}

static void read_exactly(SSL *ssl, char *data, size_t len)
{
    size_t have = 0;

    while (have < len) {
        size_t got = 0;

        require(SSL_read_ex(ssl, data + have, len - have, &got) == 1, "reading failed");
        have += got;
    }
}

static void write_all(SSL *ssl, const char *data, size_t len)
{
    size_t written = 0;

    require(SSL_write_ex(ssl, data, len, &written) == 1 && written == len, "writing failed");
}

/* Asks for another handshake. A client's takes place in its next write. A server waits for the end
 * of it, since not every client takes data behind a HelloRequest: without SSL_MODE_AUTO_RETRY a
 * read comes back when a handshake is over. */
static void renegotiate(SSL *ssl, int *left)
{
    char byte;

    if (*left == 0) {
        return;
    }
    (*left)--;
    require(SSL_renegotiate(ssl) == 1, "no renegotiation");
    if (!SSL_is_server(ssl)) {
        return;
    }
    SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY);
    require(SSL_do_handshake(ssl) == 1, "no HelloRequest");
    while (SSL_renegotiate_pending(ssl)) {
        require(SSL_peek(ssl, &byte, 1) < 0 && SSL_get_error(ssl, -1) == SSL_ERROR_WANT_READ,
                "the renegotiation failed");
    }
    SSL_set_mode(ssl, SSL_MODE_AUTO_RETRY);
}

static void send_blocks(SSL *ssl, const struct settings *set)
{
    static const size_t lens[] = { 2, 58, 4096, 16384, 16385, LARGEST_BLOCK };
    static char block[LARGEST_BLOCK];
    static char answer[LARGEST_BLOCK];
    int updates_left = set->key_updates;
    int renegotiations_left = set->renegotiations;

    if (set->first_line != NULL) {
        size_t got = 0;

        write_all(ssl, set->first_line, strlen(set->first_line));
        write_all(ssl, "\n", 1);
        require(SSL_read_ex(ssl, answer, sizeof(answer), &got) == 1, "no answer to the first line");
    }
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        if (updates_left > 0) {
            updates_left--;
            require(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1, "no key update");
        }
        renegotiate(ssl, &renegotiations_left);
        fill_block(block, lens[i], 1000);
        write_all(ssl, block, lens[i]);
        if (set->reversed) {
            reverse_lines(block, lens[i]);
        }
        read_exactly(ssl, answer, lens[i]);
        require(memcmp(block, answer, lens[i]) == 0, "the answer is not what was sent");
    }
}

/* Sends back what comes, until the other side closes, which it must do with a close_notify, or
 * until it was enough. */
static void echo_until_closed(SSL *ssl, const struct settings *set)
{
    static char data[LARGEST_BLOCK];
    long total = 0;
    bool ask_now = set->server && set->later;
    int updates_left = set->key_updates;
    int renegotiations_left = set->renegotiations;
    size_t got = 0;

    while (SSL_read_ex(ssl, data, sizeof(data), &got) == 1) {
        if (ask_now) {
            ask_now = false;
            require(SSL_verify_client_post_handshake(ssl) == 1, "cannot ask for a certificate");
            require(SSL_do_handshake(ssl) == 1, "asking for a certificate failed");
        }
        if (updates_left > 0) {
            updates_left--;
            require(SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1, "no key update");
        }
        renegotiate(ssl, &renegotiations_left);
        write_all(ssl, data, got);
        total += (long)got;
        if (total == set->echo_total) {
            return;
        }
    }
    require(SSL_get_error(ssl, 0) == SSL_ERROR_ZERO_RETURN, "the connection did not end well");
}

/* Closes our half and, unless the peer is already gone, waits for its close_notify. A client that
 * has sent one may be gone from the transport, too. */
static void close_connection(SSL *ssl)
{
    int done = SSL_shutdown(ssl);

    if (done < 0 && (SSL_get_shutdown(ssl) & SSL_RECEIVED_SHUTDOWN) != 0) {
        require(ERR_peek_error() == 0, "closing failed");
        return;
    }
    if (done == 0) {
        char rest[256];
        size_t got = 0;

        while (SSL_read_ex(ssl, rest, sizeof(rest), &got) == 1) {
        }
        require(SSL_get_error(ssl, 0) == SSL_ERROR_ZERO_RETURN, "no close_notify came back");
        done = SSL_shutdown(ssl);
    }
    require(done == 1, "closing failed");
}

/* ---- facts ---- */

static void print_signature(const char *name, bool known, int type, int hash)
{
    if (known) {
        printf(" %s=%s/%s", name, OBJ_nid2sn(type), hash == NID_undef ? "-" : OBJ_nid2sn(hash));
    } else {
        printf(" %s=-", name);
    }
}

static void print_facts(SSL *ssl, const struct seen *seen)
{
    static const char *const early[] = { [SSL_EARLY_DATA_NOT_SENT] = "-",
                                         [SSL_EARLY_DATA_REJECTED] = "rejected",
                                         [SSL_EARLY_DATA_ACCEPTED] = "accepted" };
    X509 *peer = SSL_get1_peer_certificate(ssl);
    const unsigned char *alpn = NULL;
    unsigned int alpn_len = 0;
    char subject[128] = "-";
    int type = NID_undef;
    int hash = NID_undef;
    int group;
    bool known;

    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    if (peer != NULL) {
        X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, subject,
                                  sizeof(subject));
    }
    printf("facts version=%s suite=%s", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
    group = (int)SSL_get_negotiated_group(ssl);
    printf(" group=%s", group != 0 ? SSL_group_to_name(ssl, group) : "-");
    printf(" peer=%s verify=%ld", subject, SSL_get_verify_result(ssl));
    known = SSL_get_signature_type_nid(ssl, &type) == 1 && SSL_get_signature_nid(ssl, &hash) == 1;
    print_signature("own_sig", known, type, hash);
    known = SSL_get_peer_signature_type_nid(ssl, &type) == 1 &&
            SSL_get_peer_signature_nid(ssl, &hash) == 1;
    print_signature("peer_sig", known, type, hash);
    printf(" alpn=%.*s", alpn_len == 0 ? 1 : (int)alpn_len,
           alpn_len == 0 ? "-" : (const char *)alpn);
    printf(" sni=%s", seen->sni[0] == '\0' ? "-" : seen->sni);
    printf(" client_hellos=%u cert_requests=%u", seen->client_hellos, seen->cert_requests);
    printf(" key_updates_in=%u key_updates_out=%u", seen->key_updates_in, seen->key_updates_out);
    printf(" etm=%d ems=%d safe_renegotiation=%d renegotiations=%ld", seen->encrypt_then_mac,
           (int)SSL_get_extms_support(ssl), (int)SSL_get_secure_renegotiation_support(ssl),
           SSL_total_renegotiations(ssl));
    printf(" resumed=%d tickets=%u early=%s early_data=%zu\n", SSL_session_reused(ssl),
           seen->tickets, early[SSL_get_early_data_status(ssl)], seen->early_data);
    fflush(stdout);
    X509_free(peer);
}

/* ---- the connection ---- */

/* A client's early data, if its session allows any, and the handshake. What the server does not
 * take is sent again as ordinary data; either way it must come back. */
static void connect_client(SSL *ssl, const struct settings *set)
{
    static char data[LARGEST_BLOCK];
    static char answer[LARGEST_BLOCK];
    SSL_SESSION *session = SSL_get0_session(ssl);
    size_t len = 0;

    if (set->early > 0 && session != NULL && SSL_SESSION_get_max_early_data(session) > 0) {
        size_t written = 0;

        len = set->early < sizeof(data) ? set->early : sizeof(data);
        fill_block(data, len, 1000);
        require(SSL_write_early_data(ssl, data, len, &written) == 1 && written == len,
                "early data cannot be written");
    }
    require(SSL_connect(ssl) == 1, "the handshake failed");
    bool accepted = SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_ACCEPTED;
    if (len > 0 && !accepted) {
        write_all(ssl, data, len);
    }
    if (len > 0 && !(accepted && set->early_unanswered)) {
        read_exactly(ssl, answer, len);
        require(memcmp(data, answer, len) == 0, "what came back is not the early data");
    }
}

/* A server's handshake; early data is sent back when it is over. Returns how much there was. */
static size_t accept_client(SSL *ssl, const struct settings *set)
{
    static char data[LARGEST_BLOCK];
    size_t len = 0;
    int state = set->max_early > 0 ? SSL_READ_EARLY_DATA_SUCCESS : SSL_READ_EARLY_DATA_FINISH;

    while (state == SSL_READ_EARLY_DATA_SUCCESS) {
        size_t got = 0;

        state = SSL_read_early_data(ssl, data + len, sizeof(data) - len, &got);
        require(state != SSL_READ_EARLY_DATA_ERROR, "the handshake failed");
        len += got;
    }
    require(SSL_accept(ssl) == 1, "the handshake failed");
    if (len > 0) {
        write_all(ssl, data, len);
    }
    return len;
}

static void converse(SSL *ssl, const struct settings *set, struct seen *seen)
{
    if (set->server) {
        seen->early_data = accept_client(ssl, set);
    } else {
        connect_client(ssl, set);
    }
    if (set->echo) {
        echo_until_closed(ssl, set);
    } else {
        send_blocks(ssl, set);
    }
    if (set->server && set->later) {
        X509 *cert = SSL_get1_peer_certificate(ssl);

        require(cert != NULL, "the certificate that was asked for never came");
        X509_free(cert);
    }
    close_connection(ssl);
}

/* One connection on a connected socket, with the session of the last one, and what it saw. Returns
 * a client's session then; the caller frees it. */
static SSL_SESSION *run_connection(SSL_CTX *ctx, const struct settings *set, struct seen *seen,
                                   int fd, SSL_SESSION *last)
{
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *session;

    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        fail(2, "no connection");
    }
    if (set->sni != NULL &&
        (SSL_set_tlsext_host_name(ssl, set->sni) != 1 || SSL_set1_host(ssl, set->sni) != 1)) {
        fail(2, "the server's name is refused");
    }
    require(last == NULL || SSL_set_session(ssl, last) == 1, "the session is refused");
    converse(ssl, set, seen);
    print_facts(ssl, seen);
    session = set->server ? NULL : SSL_get1_session(ssl);
    SSL_free(ssl);
    return session;
}

static void on_alarm(int number)
{
    (void)number;
    _exit(3);
}

int main(int argc, char **argv)
{
    struct settings set = { 0 };
    struct sockaddr_in address = { .sin_family = AF_INET };
    SSL_SESSION *session = NULL;
    SSL_CTX *ctx;
    SSL_CTX *other = NULL;
    struct seen seen;
    int listener = -1;

    if (argc == 2 && strcmp(argv[1], "list") == 0) {
        list_suites();
        return 0;
    }
    parse_options(&set, argc, argv);
    signal(SIGALRM, on_alarm);
    signal(SIGPIPE, SIG_IGN);
    alarm(TIME_LIMIT);
    ctx = make_context(&set, &seen);
    if (set.other_name != NULL) {
        other = make_other_context(&set);
    }
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)set.port);
    if (set.server) {
        listener = listen_on(&address);
    }
    for (int i = 0; i < set.connections; i++) {
        int fd = socket_open(&set, &address, listener);
        SSL_SESSION *next;

        seen = (struct seen){ .set = &set, .other = other };
        next = run_connection(ctx, &set, &seen, fd, session);
        SSL_SESSION_free(session);
        session = next;
        close(fd);
    }
    SSL_SESSION_free(session);
    SSL_CTX_free(other);
    SSL_CTX_free(ctx);
    return 0;
}
