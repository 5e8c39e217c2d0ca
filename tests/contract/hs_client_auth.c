/*
 * Client certificates in the handshake: who asks, who answers with what, and how each side finds
 * out; authorities; certificates chosen by cert_cb and client_cert_cb on both sides.
 * Manual pages: SSL_CTX_set0_CA_list(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static struct identity *root;
static struct identity *alice;
static struct identity *stranger;

struct setting {
    const char *title;
    int mode;
    const struct identity *identity; /* the client's, NULL: none */
};

static void log_peer(SSL *server)
{
    X509 *peer = SSL_get1_peer_certificate(server);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(server);
    char name[128] = "(none)";

    if (peer != NULL) {
        (void)X509_NAME_get_text_by_NID(X509_get_subject_name(peer), NID_commonName, name,
                                        sizeof(name));
    }
    note("server's peer %s, chain %d, result %ld", name, chain != NULL ? sk_X509_num(chain) : -1,
         SSL_get_verify_result(server));
    X509_free(peer);
}

/* The client is done before the server has judged its certificate: it learns at its first read. */
static void finish(struct pair *p)
{
    char buf[16];

    (void)log_handshake(p->client, p->server);
    log_peer(p->server);
    (void)call_read(p->client, buf, sizeof(buf));
    (void)call_read(p->client, buf, sizeof(buf));
    (void)call_write(p->client, "hello", 5);
    log_state(p->client);
    pair_free(p);
}

static void prepare(struct pair *p, int mode)
{
    SSL_CTX *server_ctx = server_ctx_new();

    identity_trust(root, server_ctx);
    SSL_CTX_set_verify(server_ctx, mode, NULL);
    pair_init_ctx(p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
}

static void test_settings(void)
{
    const int required = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    const struct setting settings[] = {
        { "not asked, has one", SSL_VERIFY_NONE, alice },
        { "asked, has one", SSL_VERIFY_PEER, alice },
        { "asked, has none", SSL_VERIFY_PEER, NULL },
        { "asked, has a stranger's", SSL_VERIFY_PEER, stranger },
        { "required, has one", required, alice },
        { "required, has none", required, NULL },
        { "required, has a stranger's", required, stranger },
        { "required without asking", SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL },
        { "once", SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, alice },
        { "only later", SSL_VERIFY_PEER | SSL_VERIFY_POST_HANDSHAKE, alice },
    };

    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        struct pair p;

        section("%s", settings[i].title);
        prepare(&p, settings[i].mode);
        if (settings[i].identity != NULL) {
            identity_use_ssl(settings[i].identity, p.client);
        }
        finish(&p);
    }
}

static void test_key_kinds(void)
{
    static const enum key_kind kinds[] = { KEY_P256,    KEY_P384,    KEY_P521, KEY_RSA,
                                           KEY_RSA_PSS, KEY_ED25519, KEY_ED448 };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        struct identity *one = identity_issue(root, kinds[i], "kind.example", false);
        struct pair p;
        int nid = 0;

        section("key kind %d", (int)kinds[i]);
        prepare(&p, SSL_VERIFY_PEER);
        identity_use_ssl(one, p.client);
        CHECK(log_handshake(p.client, p.server));
        /* TLS 1.1 has no use for some kinds of key: nothing is signed then. */
        CHECK(SSL_get_peer_signature_nid(p.server, &nid) == 1 || pair_version < TLS1_2_VERSION);
        note("digest of the signature %d", nid);
        CHECK(SSL_get_peer_signature_type_nid(p.server, &nid) == 1 ||
              pair_version < TLS1_2_VERSION);
        note("type of the signature %d", nid);
        log_alive(p.client, p.server);
        pair_free(&p);
        identity_free(one);
    }
}

static void log_names(const char *title, const STACK_OF(X509_NAME) *names)
{
    note("%s: %d", title, names != NULL ? sk_X509_NAME_num(names) : -1);
    for (int i = 0; names != NULL && i < sk_X509_NAME_num(names); i++) {
        char text[128] = "";

        (void)X509_NAME_get_text_by_NID(sk_X509_NAME_value(names, i), NID_commonName, text,
                                        sizeof(text));
        note("  %s", text);
    }
}

static int on_client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    log_names("in client_cert_cb: authorities", SSL_get_client_CA_list(ssl));
    log_names("in client_cert_cb: peer's", SSL_get0_peer_CA_list(ssl));
    REQUIRE(X509_up_ref(alice->cert) == 1 && EVP_PKEY_up_ref(alice->key) == 1);
    *cert = alice->cert;
    *key = alice->key;
    return 1;
}

static void test_authorities(void)
{
    struct pair p;

    section("names of authorities");
    prepare(&p, SSL_VERIFY_PEER);
    CHECK(SSL_add_client_CA(p.server, root->cert) == 1);
    CHECK(SSL_add_client_CA(p.server, stranger->cert) == 1);
    SSL_CTX_set_client_cert_cb(p.client_ctx, on_client_cert);
    (void)log_handshake(p.client, p.server);
    log_names("client: authorities", SSL_get_client_CA_list(p.client));
    log_names("client: peer's", SSL_get0_peer_CA_list(p.client));
    log_names("server: authorities", SSL_get_client_CA_list(p.server));
    log_names("server: peer's", SSL_get0_peer_CA_list(p.server));
    log_peer(p.server);
    pair_free(&p);

    section("names of the context; the connection's own come first");
    prepare(&p, SSL_VERIFY_PEER);
    CHECK(SSL_CTX_add_client_CA(p.server_ctx, root->cert) == 1);
    SSL_CTX_set_client_cert_cb(p.client_ctx, on_client_cert);
    (void)log_handshake(p.client, p.server);
    log_peer(p.server);
    pair_free(&p);

    section("names in the client's hello");
    prepare(&p, SSL_VERIFY_NONE);
    {
        STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();

        REQUIRE(names != NULL);
        REQUIRE(sk_X509_NAME_push(names, X509_NAME_dup(X509_get_subject_name(root->cert))) == 1);
        SSL_set0_CA_list(p.client, names);
    }
    (void)log_handshake(p.client, p.server);
    log_names("server: peer's", SSL_get0_peer_CA_list(p.server));
    log_names("server: authorities", SSL_get_client_CA_list(p.server));
    pair_free(&p);
}

static const struct identity *cert_choice;
static int cert_answer;

static int on_cert(SSL *ssl, void *arg)
{
    note("cert_cb of %s, argument %s, certificate set %d", ssl_get_name(ssl), (const char *)arg,
         SSL_get_certificate(ssl) != NULL);
    if (cert_choice != NULL) {
        SSL_certs_clear(ssl);
        identity_use_ssl(cert_choice, ssl);
    }
    return cert_answer;
}

static void cert_callback(const char *title, bool server, const struct identity *choice, int answer)
{
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s", title);
    cert_choice = choice;
    cert_answer = answer;
    identity_trust(root, server_ctx);
    SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, NULL);
    pair_init_ctx(&p, client_ctx_new(), server_ctx, OVER_MEMORY, 0);
    SSL_set_cert_cb(server ? p.server : p.client, on_cert, (void *)(uintptr_t) "argument");
    (void)log_handshake(p.client, p.server);
    log_peer(p.server);
    {
        X509 *seen = SSL_get1_peer_certificate(p.client);

        note("client sees the chosen one: %d",
             seen != NULL && choice != NULL && X509_cmp(seen, choice->cert) == 0);
        X509_free(seen);
    }
    pair_free(&p);
}

static void test_cert_callback(void)
{
    cert_callback("server's cert_cb sets another", true, alice, 1);
    cert_callback("server's cert_cb leaves it", true, NULL, 1);
    cert_callback("server's cert_cb refuses", true, NULL, 0);
    cert_callback("client's cert_cb sets one", false, alice, 1);
    cert_callback("client's cert_cb sets none", false, NULL, 1);
    cert_callback("client's cert_cb refuses", false, NULL, 0);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root.example");
    alice = identity_issue(root, KEY_P256, "alice.example", false);
    stranger = identity_new(KEY_P256, "stranger.example");
    test_settings();
    test_key_kinds();
    test_authorities();
    test_cert_callback();
    identity_free(alice);
    identity_free(root);
    identity_free(stranger);
    identity_default_free();
    return contract_finish();
}
