/*
 * What SSL_get_* and friends report at which moment of a handshake, on both sides.
 * Manual pages: SSL_get_ciphers(3), SSL_get_client_random(3), SSL_get_extms_support(3),
 * SSL_get_peer_cert_chain(3), SSL_get_peer_signature_nid(3), SSL_get_peer_tmp_key(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

static bool want_client_auth;

static const char *name_or_none(const char *name)
{
    return name != NULL ? name : "(none)";
}

static const char *cipher_name(const SSL_CIPHER *cipher)
{
    return cipher != NULL ? SSL_CIPHER_get_name(cipher) : "(none)";
}

static void log_session(const char *who, SSL_SESSION *session)
{
    unsigned id_len = 0;
    unsigned context_len = 0;
    const unsigned char *alpn = NULL;
    size_t alpn_len = 0;
    const SSL_CIPHER *cipher;

    if (session == NULL) {
        note("%s session (none)", who);
        return;
    }
    cipher = SSL_SESSION_get0_cipher(session);
    (void)SSL_SESSION_get_id(session, &id_len);
    (void)SSL_SESSION_get0_id_context(session, &context_len);
    SSL_SESSION_get0_alpn_selected(session, &alpn, &alpn_len);
    note("%s session version %04x cipher %s context %u timeout %ld ticket %d host %s alpn %zu "
         "peer %d master key %zu",
         who, (unsigned)SSL_SESSION_get_protocol_version(session), cipher_name(cipher), context_len,
         SSL_SESSION_get_timeout(session), SSL_SESSION_has_ticket(session),
         name_or_none(SSL_SESSION_get0_hostname(session)), alpn_len,
         SSL_SESSION_get0_peer(session) != NULL, SSL_SESSION_get_master_key(session, NULL, 0));
    note("%s session id %u resumable %d", who, id_len, SSL_SESSION_is_resumable(session));
}

static void log_temporary_key(SSL *ssl, const char *what, int peer)
{
    EVP_PKEY *key = NULL;
    long ret = peer != 0 ? SSL_get_peer_tmp_key(ssl, &key) : SSL_get_tmp_key(ssl, &key);

    note("%s %s %ld %s", ssl_get_name(ssl), what, ret,
         key != NULL ? name_or_none(EVP_PKEY_get0_type_name(key)) : "(none)");
    EVP_PKEY_free(key);
}

/* Without a session the system's library follows a null pointer here. */
static long negotiated_group(SSL *ssl)
{
    if (SSL_get_session(ssl) == NULL && !on_tenon()) {
        return 0;
    }
    return SSL_get_negotiated_group(ssl);
}

static void log_parameters(SSL *ssl, const char *who)
{
    int peer_nid = -1, nid = -1, peer_type = -1, type = -1;
    long peer_ret = SSL_get_peer_signature_nid(ssl, &peer_nid);
    long ret = SSL_get_signature_nid(ssl, &nid);
    int peer_type_ret = SSL_get_peer_signature_type_nid(ssl, &peer_type);
    int type_ret = SSL_get_signature_type_nid(ssl, &type);

    note("%s signature: peer digest %ld/%d type %d/%d, own digest %ld/%d type %d/%d", who, peer_ret,
         peer_nid, peer_type_ret, peer_type, ret, nid, type_ret, type);
    note("%s group %ld shared groups %ld groups %ld", who, negotiated_group(ssl),
         (long)SSL_get_shared_group(ssl, -1), (long)SSL_get1_groups(ssl, NULL));
    note("%s sigalgs %d shared sigalgs %d extms %ld", who,
         SSL_get_sigalgs(ssl, -1, NULL, NULL, NULL, NULL, NULL),
         SSL_get_shared_sigalgs(ssl, 0, NULL, NULL, NULL, NULL, NULL), SSL_get_extms_support(ssl));
    note("%s secure renegotiation %ld", who, SSL_get_secure_renegotiation_support(ssl));
    log_temporary_key(ssl, "tmp key", 0);
    log_temporary_key(ssl, "peer tmp key", 1);
}

static void log_certificates(SSL *ssl, const char *who)
{
    X509 *peer = SSL_get1_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(ssl);
    STACK_OF(X509_NAME) *client_names = SSL_get_client_CA_list(ssl);

    note("%s certificate own %d key %d peer %d chain %d verified %d result %ld", who,
         SSL_get_certificate(ssl) != NULL, SSL_get_privatekey(ssl) != NULL, peer != NULL,
         chain != NULL ? sk_X509_num(chain) : -1, verified != NULL ? sk_X509_num(verified) : -1,
         SSL_get_verify_result(ssl));
    note("%s peer's authorities %d client authorities %d", who,
         names != NULL ? sk_X509_NAME_num(names) : -1,
         client_names != NULL ? sk_X509_NAME_num(client_names) : -1);
    X509_free(peer);
}

static void log_lists(SSL *ssl, const char *who)
{
    char shared[512];
    STACK_OF(SSL_CIPHER) *clients = SSL_get_client_ciphers(ssl);
    STACK_OF(SSL_CIPHER) *supported = SSL_get1_supported_ciphers(ssl);

    note("%s client ciphers %d shared %s first of list %s second %s", who,
         clients != NULL ? sk_SSL_CIPHER_num(clients) : -1,
         name_or_none(SSL_get_shared_ciphers(ssl, shared, sizeof(shared))),
         name_or_none(SSL_get_cipher_list(ssl, 0)), name_or_none(SSL_get_cipher_list(ssl, 1)));
    note("%s supported ciphers begin with %s", who,
         supported != NULL && sk_SSL_CIPHER_num(supported) > 0
             ? SSL_CIPHER_get_name(sk_SSL_CIPHER_value(supported, 0))
             : "(none)");
    sk_SSL_CIPHER_free(supported);
}

static void log_getters(SSL *ssl, const char *moment)
{
    const char *who = ssl_get_name(ssl);
    uint8_t block[64];
    const unsigned char *alpn = NULL;
    unsigned alpn_len = 0;

    section("%s: %s", who, moment);
    note("%s state %s server %d init finished %d in init %d before %d", who,
         SSL_state_string_long(ssl), SSL_is_server(ssl), SSL_is_init_finished(ssl),
         SSL_in_init(ssl), SSL_in_before(ssl));
    note("%s version %04x %s client version %04x dtls %d", who, (unsigned)SSL_version(ssl),
         SSL_get_version(ssl), (unsigned)SSL_client_version(ssl), SSL_is_dtls(ssl));
    note("%s cipher %s pending cipher %s compression %d expansion %d bits %d", who,
         cipher_name(SSL_get_current_cipher(ssl)), cipher_name(SSL_get_pending_cipher(ssl)),
         SSL_get_current_compression(ssl) != NULL, SSL_get_current_expansion(ssl) != NULL,
         SSL_get_cipher_bits(ssl, NULL));
    note("%s finished %zu peer finished %zu client random %zu server random %zu", who,
         SSL_get_finished(ssl, block, sizeof(block)),
         SSL_get_peer_finished(ssl, block, sizeof(block)), SSL_get_client_random(ssl, NULL, 0),
         SSL_get_server_random(ssl, NULL, 0));
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    note("%s servername %s type %d alpn %.*s reused %d", who,
         name_or_none(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)),
         SSL_get_servername_type(ssl), (int)alpn_len, alpn != NULL ? (const char *)alpn : "",
         SSL_session_reused(ssl));
    note("%s key update %d early data %d quiet shutdown %d shutdown %d", who,
         SSL_get_key_update_type(ssl), SSL_get_early_data_status(ssl), SSL_get_quiet_shutdown(ssl),
         SSL_get_shutdown(ssl));
    log_parameters(ssl, who);
    log_certificates(ssl, who);
    log_lists(ssl, who);
    log_session(who, SSL_get_session(ssl));
    log_errors("left behind");
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    (void)arg;
    log_getters(ssl, "client_hello_cb");
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    (void)alert;
    (void)arg;
    log_getters(ssl, "servername callback");
    return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned int in_len, void *arg)
{
    (void)in_len;
    (void)arg;
    log_getters(ssl, "alpn select callback");
    *out = in + 1;
    *out_len = in[0];
    return SSL_TLSEXT_ERR_OK;
}

static int on_cert(SSL *ssl, void *arg)
{
    (void)arg;
    log_getters(ssl, "cert_cb");
    return 1;
}

static int on_verify(int ok, X509_STORE_CTX *store_ctx)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());

    (void)ok;
    log_getters(ssl, "verify callback");
    return 1;
}

static void prepare(struct pair *p)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    X509_NAME *name;

    SSL_CTX_set_client_hello_cb(server_ctx, on_client_hello, NULL);
    REQUIRE(SSL_CTX_set_tlsext_servername_callback(server_ctx, on_server_name) == 1);
    SSL_CTX_set_alpn_select_cb(server_ctx, on_alpn, NULL);
    SSL_CTX_set_cert_cb(server_ctx, on_cert, NULL);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, on_verify);
    if (want_client_auth) {
        name = X509_NAME_dup(X509_get_subject_name(identity_default()->cert));
        REQUIRE(name != NULL && SSL_CTX_add_client_CA(server_ctx, identity_default()->cert) == 1);
        X509_NAME_free(name);
        SSL_CTX_set_verify(server_ctx, SSL_VERIFY_PEER, on_verify);
        SSL_CTX_set_cert_cb(client_ctx, on_cert, NULL);
        identity_use_ctx(identity_default(), client_ctx);
    }
    REQUIRE(SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"test", 4) == 1);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_set_tlsext_host_name(p->client, "localhost") == 1);
    REQUIRE(SSL_set_alpn_protos(p->client, (const unsigned char *)"\2h2", 3) == 0);
}

static void test_moments(void)
{
    struct pair p;

    prepare(&p);
    log_getters(p.client, "fresh");
    log_getters(p.server, "fresh");
    (void)SSL_do_handshake(p.client);
    log_getters(p.client, "hello sent");
    (void)SSL_do_handshake(p.server);
    log_getters(p.server, "flight sent");
    if (!pair_is_tls13()) {
        (void)SSL_do_handshake(p.client);
        log_getters(p.client, "flight sent");
        CHECK(SSL_do_handshake(p.server) == 1);
        log_getters(p.server, "done before the client");
    }
    CHECK(SSL_do_handshake(p.client) == 1);
    log_getters(p.client, "done");
    CHECK(SSL_do_handshake(p.server) == 1);
    log_getters(p.server, "done");
    (void)call_shutdown(p.client);
    (void)call_shutdown(p.server);
    log_getters(p.client, "shut down");
    CHECK(SSL_clear(p.client) == 1 && SSL_clear(p.server) == 1);
    difference_begin("ssl-clear-forgets");
    log_getters(p.client, "cleared");
    log_getters(p.server, "cleared");
    difference_end();
    pair_free(&p);
}

static void test_failed(void)
{
    struct pair p;

    prepare(&p);
    REQUIRE(SSL_set1_groups_list(p.server, "P-521") == 1);
    REQUIRE(SSL_set1_groups_list(p.client, "X25519") == 1);
    CHECK(!log_handshake(p.client, p.server));
    log_getters(p.client, "failed");
    log_getters(p.server, "failed");
    pair_free(&p);
}

/* Finished messages: what one side sent is what the other received, and differs per side. */
static void test_finished(void)
{
    uint8_t sent[64], received[64], other[64];
    struct pair p;
    size_t len;

    section("Finished");
    pair_init_connected(&p, OVER_MEMORY, 0);
    len = SSL_get_finished(p.client, sent, sizeof(sent));
    note("client's %zu, server saw %zu", len,
         SSL_get_peer_finished(p.server, received, sizeof(received)));
    CHECK(len > 0 && memcmp(sent, received, len) == 0);
    len = SSL_get_finished(p.server, other, sizeof(other));
    note("server's %zu, client saw %zu", len,
         SSL_get_peer_finished(p.client, received, sizeof(received)));
    CHECK(len > 0 && memcmp(other, received, len) == 0 && memcmp(sent, other, len) != 0);
    memset(received, 0xee, sizeof(received));
    note("a buffer of 8: %zu", SSL_get_finished(p.client, received, 8));
    CHECK(memcmp(received, sent, 8) == 0 && received[8] == 0xee);
    CHECK(SSL_get_client_random(p.client, sent, 32) == 32);
    CHECK(SSL_get_client_random(p.server, other, 32) == 32 && memcmp(sent, other, 32) == 0);
    CHECK(SSL_get_server_random(p.client, sent, 32) == 32);
    CHECK(SSL_get_server_random(p.server, other, 32) == 32 && memcmp(sent, other, 32) == 0);
    memset(sent, 0xee, sizeof(sent));
    note("random into 8: %zu, byte behind %02x", SSL_get_server_random(p.client, sent, 8), sent[8]);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    test_moments();
    want_client_auth = true;
    test_moments();
    test_failed();
    test_finished();
    identity_default_free();
    return contract_finish();
}
