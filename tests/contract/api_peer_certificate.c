/*
 * What a connection knows of its peer's certificate, before, during and after a handshake, and
 * whose reference it is. Manual pages: SSL_get_peer_certificate(3), SSL_get_peer_cert_chain(3),
 * SSL_get_verify_result(3), SSL_get_certificate(3).
 */
#include "contract.h"

#include <openssl/err.h>

static int accept_any(int ok, X509_STORE_CTX *store)
{
    (void)ok;
    (void)store;
    return 1;
}

static void log_peer(const char *when, SSL *ssl)
{
    X509 *borrowed = SSL_get0_peer_certificate(ssl);
    X509 *counted = SSL_get1_peer_certificate(ssl);
    X509 *older = SSL_get_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    STACK_OF(X509) *verified = SSL_get0_verified_chain(ssl);

    CHECK(borrowed == counted && counted == older);
    note("%s, %s: certificate %d, chain %d, verified %d, result %ld", when, ssl_get_name(ssl),
         borrowed != NULL, chain == NULL ? -1 : sk_X509_num(chain),
         verified == NULL ? -1 : sk_X509_num(verified), SSL_get_verify_result(ssl));
    note("  own certificate %d, key %d", SSL_get_certificate(ssl) != NULL,
         SSL_get_privatekey(ssl) != NULL);
    X509_free(counted);
    X509_free(older);
    /* Both references are gone, and the connection's is still there. */
    note("  %d", borrowed == NULL || X509_get0_pubkey(borrowed) != NULL);
}

static void connection(const char *title, int server_mode, bool client_has_one)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;
    X509 *kept;

    section("%s", title);
    SSL_CTX_set_verify(server_ctx, server_mode, accept_any);
    SSL_CTX_set_verify(client_ctx, SSL_VERIFY_PEER, accept_any);
    if (client_has_one) {
        identity_use_ctx(identity_default(), client_ctx);
    }
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    log_peer("before", p.client);
    log_peer("before", p.server);
    (void)SSL_do_handshake(p.client);
    (void)SSL_do_handshake(p.server);
    errors_drop();
    log_peer("after the server's flight", p.client);
    log_peer("after the server's flight", p.server);
    (void)log_handshake(p.client, p.server);
    log_peer("after", p.client);
    log_peer("after", p.server);
    SSL_set_verify_result(p.client, X509_V_ERR_CERT_REVOKED);
    note("result %ld", SSL_get_verify_result(p.client));
    kept = SSL_get1_peer_certificate(p.client);
    pair_free(&p);
    note("outlives the connection %d", kept != NULL && X509_get0_pubkey(kept) != NULL);
    X509_free(kept);
}

int main(void)
{
    contract_start();
    note("without a connection: %d %d %d", SSL_get0_peer_certificate(NULL) != NULL,
         SSL_get1_peer_certificate(NULL) != NULL, SSL_get_peer_cert_chain(NULL) != NULL);
    connection("server alone", SSL_VERIFY_NONE, false);
    connection("client has one, nobody asks", SSL_VERIFY_NONE, true);
    connection("both", SSL_VERIFY_PEER, true);
    connection("asked in vain", SSL_VERIFY_PEER, false);
    connection("asked for and needed", SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, false);
    identity_default_free();
    return contract_finish();
}
