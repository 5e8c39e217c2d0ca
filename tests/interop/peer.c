/* One TLS connection (1.3, or what --version says) for the interoperability tests, as client or as
 * server, on libssl's public API only: which library it runs on is decided by the loader. Called
 * with the word "list" it names the library's suites instead.
 *
 * It does the handshake, exchanges data, closes both halves and prints what it saw as one line
 * "facts key=value ...". Exit status: 0 when all went as TLS says, 1 when the connection failed
 * (the reason is on standard error), 2 when it was called wrongly, 3 when its time was up. */
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

/* What the connection's callbacks saw. */
struct seen {
    const struct settings *set;
    SSL_CTX *other;
    unsigned int client_hellos;
    unsigned int cert_requests;
    unsigned int key_updates_in;
    unsigned int key_updates_out;
    bool encrypt_then_mac;
    char sni[256];
};

static void require(bool condition, const char *what)
{
    if (!condition) {
        fail(1, what);
    }
}

/* ---- callbacks ---- */

/* Extension 22 in a ServerHello: libssl has no function that tells. */
static bool accepts_encrypt_then_mac(const uint8_t *message, size_t len)
{
    size_t at = 4 + 2 + 32;

    if (len <= at) {
        return false;
    }
    at += 1 + (size_t)message[at] + 2 + 1 + 2;
    while (at + 4 <= len) {
        if (message[at] == 0 && message[at + 1] == TLSEXT_TYPE_encrypt_then_mac) {
            return true;
        }
        at += 4 + (size_t)(message[at + 2] << 8 | message[at + 3]);
    }
    return false;
}

static void on_message(int sent, int version, int content_type, const void *data, size_t len,
                       SSL *ssl, void *arg)
{
    struct seen *seen = arg;
    const uint8_t *message = data;

    (void)version;
    (void)ssl;
    if (content_type != SSL3_RT_HANDSHAKE || len == 0) {
        return;
    }
    if (message[0] == SSL3_MT_CLIENT_HELLO) {
        seen->client_hellos++;
    } else if (message[0] == SSL3_MT_SERVER_HELLO) {
        seen->encrypt_then_mac = accepts_encrypt_then_mac(message, len);
    } else if (message[0] == SSL3_MT_CERTIFICATE_REQUEST) {
        seen->cert_requests++;
    } else if (message[0] == SSL3_MT_KEY_UPDATE && sent) {
        seen->key_updates_out++;
    } else if (message[0] == SSL3_MT_KEY_UPDATE) {
        seen->key_updates_in++;
    }
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    struct seen *seen = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    snprintf(seen->sni, sizeof(seen->sni), "%s", name);
    if (seen->other != NULL && strcmp(name, seen->set->other_name) == 0 &&
        SSL_set_SSL_CTX(ssl, seen->other) == NULL) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* "h2,http/1.1" as the wire wants it, each name behind its length; returns the number of bytes. */
static unsigned int alpn_encode(uint8_t *out, size_t cap, const char *names)
{
    size_t len = 0;

    while (*names != '\0') {
        size_t name_len = strcspn(names, ",");

        require(name_len > 0 && name_len < 256 && len + 1 + name_len <= cap, "bad ALPN list");
        out[len] = (uint8_t)name_len;
        memcpy(out + len + 1, names, name_len);
        len += 1 + name_len;
        names += name_len;
        names += *names == ',';
    }
    return (unsigned int)len;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned int offered_len, void *arg)
{
    const struct seen *seen = arg;
    uint8_t ours[256];
    unsigned int len = alpn_encode(ours, sizeof(ours), seen->set->alpn);
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, ours, len, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    /* The choice lies in our list, which ends with this call; the same bytes are in the offer. */
    for (unsigned int at = 0; at < offered_len; at += 1u + offered[at]) {
        if (offered[at] == *out_len && memcmp(offered + at + 1, chosen, *out_len) == 0) {
            *out = offered + at + 1;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- pre-shared keys ---- */

static const struct settings *psk_settings;

static unsigned int take_psk(unsigned char *psk, unsigned int max)
{
    size_t len = strlen(psk_settings->psk);

    require(len <= max, "the pre-shared key is too long");
    memcpy(psk, psk_settings->psk, len);
    return (unsigned int)len;
}

static unsigned int on_psk_client(SSL *ssl, const char *hint, char *identity,
                                  unsigned int max_identity, unsigned char *psk,
                                  unsigned int max_psk)
{
    (void)ssl;
    (void)hint;
    require(strlen(psk_settings->psk_identity) < max_identity, "the identity is too long");
    strcpy(identity, psk_settings->psk_identity);
    return take_psk(psk, max_psk);
}

static unsigned int on_psk_server(SSL *ssl, const char *identity, unsigned char *psk,
                                  unsigned int max_psk)
{
    (void)ssl;
    return strcmp(identity, psk_settings->psk_identity) == 0 ? take_psk(psk, max_psk) : 0;
}

static void set_psk(SSL_CTX *ctx, const struct settings *set)
{
    if (set->psk == NULL) {
        return;
    }
    psk_settings = set;
    SSL_CTX_set_psk_client_callback(ctx, on_psk_client);
    SSL_CTX_set_psk_server_callback(ctx, on_psk_server);
    if (set->server && SSL_CTX_use_psk_identity_hint(ctx, "a hint") != 1) {
        fail(2, "the hint is refused");
    }
}

/* ---- contexts ---- */

static void load_identity(SSL_CTX *ctx, const char *cert, const char *key)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        fail(2, "the certificate or its key cannot be used");
    }
}

static void set_versions(SSL_CTX *ctx, const struct settings *set)
{
    static const struct {
        const char *name;
        int min, max;
    } versions[] = {
        { "1.3", TLS1_3_VERSION, TLS1_3_VERSION }, { "1.2", TLS1_2_VERSION, TLS1_2_VERSION },
        { "1.1", TLS1_1_VERSION, TLS1_1_VERSION }, { "1.0", TLS1_VERSION, TLS1_VERSION },
        { "any", TLS1_2_VERSION, TLS1_3_VERSION },
    };
    const char *name = set->version != NULL ? set->version : "1.3";
    size_t i = 0;

    while (i + 1 < sizeof(versions) / sizeof(versions[0]) && strcmp(versions[i].name, name) != 0) {
        i++;
    }
    if (SSL_CTX_set_min_proto_version(ctx, versions[i].min) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, versions[i].max) != 1) {
        fail(2, "the version is refused");
    }
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    if (set->no_etm) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_ENCRYPT_THEN_MAC);
    }
    if (set->server && SSL_CTX_set_dh_auto(ctx, 1) != 1) {
        fail(2, "no parameters for DHE");
    }
}

static void set_lists(SSL_CTX *ctx, const struct settings *set)
{
    if (set->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, set->ciphers) != 1) {
        fail(2, "the list of ciphers is refused");
    }
    if (set->suites != NULL && SSL_CTX_set_ciphersuites(ctx, set->suites) != 1) {
        fail(2, "the list of suites is refused");
    }
    if (set->groups != NULL && SSL_CTX_set1_groups_list(ctx, (char *)(uintptr_t)set->groups) != 1) {
        fail(2, "the list of groups is refused");
    }
    if (set->sigalgs != NULL &&
        SSL_CTX_set1_sigalgs_list(ctx, (char *)(uintptr_t)set->sigalgs) != 1) {
        fail(2, "the list of signature algorithms is refused");
    }
    if (set->client_sigalgs != NULL &&
        SSL_CTX_set1_client_sigalgs_list(ctx, (char *)(uintptr_t)set->client_sigalgs) != 1) {
        fail(2, "the list of signature algorithms for clients is refused");
    }
}

static void set_verification(SSL_CTX *ctx, const struct settings *set)
{
    if (set->ca == NULL) {
        return;
    }
    if (SSL_CTX_load_verify_locations(ctx, set->ca, NULL) != 1) {
        fail(2, "the file of trusted certificates cannot be used");
    }
    if (!set->server) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    } else if (set->verify_client) {
        int mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;

        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(set->ca));
        SSL_CTX_set_verify(ctx, set->later ? mode | SSL_VERIFY_POST_HANDSHAKE : mode, NULL);
    }
}

static SSL_CTX *make_context(const struct settings *set, struct seen *seen)
{
    SSL_CTX *ctx = SSL_CTX_new(set->server ? TLS_server_method() : TLS_client_method());
    uint8_t alpn[256];

    if (ctx == NULL) {
        fail(2, "no context");
    }
    set_versions(ctx, set);
    set_lists(ctx, set);
    set_psk(ctx, set);
    set_verification(ctx, set);
    if (set->cert != NULL) {
        load_identity(ctx, set->cert, set->key);
    }
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_msg_callback_arg(ctx, seen);
    SSL_CTX_set_post_handshake_auth(ctx, !set->server && set->later);
    if (set->server) {
        SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
        SSL_CTX_set_tlsext_servername_arg(ctx, seen);
    }
    if (set->alpn != NULL && set->server) {
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, seen);
    } else if (set->alpn != NULL &&
               SSL_CTX_set_alpn_protos(ctx, alpn, alpn_encode(alpn, sizeof(alpn), set->alpn)) !=
                   0) {
        fail(2, "the ALPN list is refused");
    }
    return ctx;
}

static SSL_CTX *make_other_context(const struct settings *set)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL) {
        fail(2, "no context");
    }
    load_identity(ctx, set->other_cert, set->other_key);
    return ctx;
}

/* ---- sockets ---- */

static int socket_open(const struct settings *set)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    int fd;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons((uint16_t)set->port);
    if (!set->server) {
        require(connect(listener, (struct sockaddr *)&address, len) == 0, "cannot connect");
        return listener;
    }
    require(bind(listener, (struct sockaddr *)&address, len) == 0, "cannot bind");
    require(listen(listener, 1) == 0, "cannot listen");
    require(getsockname(listener, (struct sockaddr *)&address, &len) == 0, "no port");
    printf("port %d\n", ntohs(address.sin_port));
    fflush(stdout);
    fd = accept(listener, NULL, NULL);
    require(fd >= 0, "nobody came");
    close(listener);
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

/* Closes our half and, unless the peer is already gone, waits for its close_notify. */
static void close_connection(SSL *ssl)
{
    int done = SSL_shutdown(ssl);

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
    printf(" etm=%d ems=%d safe_renegotiation=%d renegotiations=%ld\n", seen->encrypt_then_mac,
           (int)SSL_get_extms_support(ssl), (int)SSL_get_secure_renegotiation_support(ssl),
           SSL_total_renegotiations(ssl));
    X509_free(peer);
}

/* ---- the connection ---- */

static void converse(SSL *ssl, const struct settings *set)
{
    if (set->server) {
        require(SSL_accept(ssl) == 1, "the handshake failed");
    } else {
        require(SSL_connect(ssl) == 1, "the handshake failed");
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

static void on_alarm(int number)
{
    (void)number;
    _exit(3);
}

int main(int argc, char **argv)
{
    struct settings set = { 0 };
    struct seen seen = { .set = &set };
    SSL_CTX *ctx;
    SSL *ssl;
    int fd;

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
        seen.other = make_other_context(&set);
    }
    fd = socket_open(&set);
    ssl = SSL_new(ctx);
    if (ssl == NULL || SSL_set_fd(ssl, fd) != 1) {
        fail(2, "no connection");
    }
    if (set.sni != NULL &&
        (SSL_set_tlsext_host_name(ssl, set.sni) != 1 || SSL_set1_host(ssl, set.sni) != 1)) {
        fail(2, "the server's name is refused");
    }
    converse(ssl, &set);
    print_facts(ssl, &seen);
    SSL_free(ssl);
    SSL_CTX_free(seen.other);
    SSL_CTX_free(ctx);
    close(fd);
    return 0;
}
