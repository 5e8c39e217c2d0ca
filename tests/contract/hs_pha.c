/*
 * Post-handshake authentication: asked for once, twice, amid data, without the extension, declined,
 * failing, and what the calls return at the wrong time.
 * Manual pages: SSL_CTX_set_verify(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static struct identity *root;
static struct identity *alice;
static struct identity *bob;
static struct identity *stranger;

#define REQUIRED (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT | SSL_VERIFY_POST_HANDSHAKE)

static void prepare(struct pair *p, int mode, bool extension)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    identity_trust(root, server_ctx);
    SSL_CTX_set_verify(server_ctx, mode, NULL);
    SSL_CTX_set_post_handshake_auth(client_ctx, extension ? 1 : 0);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
}

static void connect_pair(struct pair *p)
{
    REQUIRE(drive_handshake(p->client, p->server));
    ERR_clear_error();
}

static void request(SSL *server)
{
    ERR_clear_error();
    (void)log_call(server, "SSL_verify_client_post_handshake",
                   SSL_verify_client_post_handshake(server));
}

static void read_once(SSL *ssl)
{
    char buf[64];

    (void)call_read(ssl, buf, sizeof(buf));
}

static void log_peer(SSL *server)
{
    X509 *peer = SSL_get1_peer_certificate(server);
    char name[128] = "(none)";

    if (peer != NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name,
                                        sizeof(name));
    }
    note("peer %s, result %ld", name, SSL_get_verify_result(server));
    X509_free(peer);
}

static void test_once(void)
{
    struct pair p;

    section("asked for once");
    prepare(&p, REQUIRED, true);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    log_peer(p.server);
    request(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    log_peer(p.server);
    read_once(p.server);
    log_peer(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void test_by_write(void)
{
    struct pair p;

    section("the request goes with the server's write, the answer with the client's read");
    prepare(&p, REQUIRED, true);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    request(p.server);
    (void)call_write(p.server, "question", 8);
    read_once(p.client);
    (void)call_write(p.client, "answer", 6);
    read_once(p.server);
    log_peer(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void test_twice(void)
{
    struct pair p;

    section("asked for twice, one after the other");
    prepare(&p, REQUIRED, true);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    request(p.server);
    (void)call_do_handshake(p.server);
    request(p.server);
    read_once(p.client);
    request(p.server);
    read_once(p.server);
    log_peer(p.server);
    SSL_certs_clear(p.client);
    identity_use_ssl(bob, p.client);
    request(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    log_peer(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void test_amid_data(void)
{
    struct pair p;

    section("amid data both ways");
    prepare(&p, REQUIRED, true);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    (void)call_write(p.client, "early", 5);
    request(p.server);
    (void)call_do_handshake(p.server);
    (void)call_write(p.client, "before", 6);
    read_once(p.server);
    read_once(p.client);
    (void)call_write(p.client, "after", 5);
    read_once(p.server);
    log_peer(p.server);
    read_once(p.server);
    log_peer(p.server);
    read_once(p.server);
    pair_free(&p);
}

static void test_no_extension(void)
{
    struct pair p;

    section("client didn't offer it");
    prepare(&p, REQUIRED, false);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    request(p.server);
    log_alive(p.client, p.server);
    section("offered after the handshake only");
    SSL_set_post_handshake_auth(p.client, 1);
    request(p.server);
    pair_free(&p);
}

static void decline(const char *title, int mode, const struct identity *identity)
{
    struct pair p;

    section("%s", title);
    prepare(&p, mode, true);
    connect_pair(&p);
    if (identity != NULL) {
        identity_use_ssl(identity, p.client);
    }
    request(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    log_peer(p.server);
    read_once(p.client);
    read_once(p.client);
    (void)call_write(p.client, "more", 4);
    (void)call_write(p.server, "more", 4);
    pair_free(&p);
}

static void test_declined(void)
{
    decline("declined, required", REQUIRED, NULL);
    decline("declined, asked", SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE, NULL);
    decline("a stranger's certificate, required", REQUIRED, stranger);
    decline("a stranger's certificate, asked", SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE,
            stranger);
}

static void test_once_flag(void)
{
    struct pair p;

    section("authenticated in the handshake, asked again");
    prepare(&p, SSL_VERIFY_PEER, true);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    log_peer(p.server);
    request(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    log_peer(p.server);
    pair_free(&p);

    section("the same with SSL_VERIFY_CLIENT_ONCE");
    prepare(&p, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, true);
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    request(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    pair_free(&p);
}

static void test_wrong_time(void)
{
    struct pair p;

    section("at the wrong time, on the wrong side");
    prepare(&p, REQUIRED, true);
    request(p.server);
    request(p.client);
    (void)call_do_handshake(p.client);
    (void)call_do_handshake(p.server);
    request(p.server);
    request(p.client);
    (void)call_do_handshake(p.client);
    request(p.client);
    (void)call_do_handshake(p.server);
    SSL_set_verify(p.server, SSL_VERIFY_NONE, NULL);
    request(p.server);
    (void)call_do_handshake(p.server);
    read_once(p.client);
    read_once(p.server);
    pair_free(&p);
}

/* The request stays pending while the write that carries it is blocked. */
static void test_blocked(void)
{
    const int blocked = WIRE_RETRY;
    struct pair p;

    section("blocked transport");
    {
        SSL_CTX *client_ctx = client_ctx_new();
        SSL_CTX *server_ctx = server_ctx_new();

        identity_trust(root, server_ctx);
        SSL_CTX_set_verify(server_ctx, REQUIRED, NULL);
        SSL_CTX_set_post_handshake_auth(client_ctx, 1);
        pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
    }
    identity_use_ssl(alice, p.client);
    connect_pair(&p);
    request(p.server);
    wire_script(p.wire, WIRE_SERVER, WIRE_WRITE, &blocked, 1);
    (void)call_do_handshake(p.server);
    (void)call_do_handshake(p.server);
    wire_script(p.wire, WIRE_CLIENT, WIRE_WRITE, &blocked, 1);
    read_once(p.client);
    read_once(p.client);
    read_once(p.server);
    log_peer(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root.example");
    alice = identity_issue(root, KEY_P256, "alice.example", false);
    bob = identity_issue(root, KEY_RSA, "bob.example", false);
    stranger = identity_new(KEY_P256, "stranger.example");
    test_once();
    test_by_write();
    test_twice();
    test_amid_data();
    test_no_extension();
    test_declined();
    test_once_flag();
    test_wrong_time();
    test_blocked();
    identity_free(alice);
    identity_free(bob);
    identity_free(root);
    identity_free(stranger);
    identity_default_free();
    return contract_finish();
}
