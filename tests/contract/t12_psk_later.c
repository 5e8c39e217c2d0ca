/*
 * Pre-shared keys in TLS 1.2 and older after the first handshake: renegotiation with another
 * identity, what a session holds of them, resumption by id and by ticket. RFC 4279; RFC 5077.
 */
#include "t12_psk_pair.h"

#include <openssl/err.h>
#include <string.h>

/* A second handshake on the connection takes another identity. */
static void test_renegotiation(void)
{
    struct pair p;
    char got[8];

    section("renegotiation");
    plan_reset();
    prepare(&p, WITHOUT_CERT, exchanges[0]);
    REQUIRE(SSL_use_psk_identity_hint(p.server, "first") == 1);
    CHECK(drive_handshake(p.client, p.server));
    log_names(p.client);
    plan.identity = "another";
    REQUIRE(SSL_use_psk_identity_hint(p.server, NULL) == 1);
    log_call(p.server, "SSL_renegotiate", SSL_renegotiate(p.server));
    (void)call_do_handshake(p.server);
    for (int i = 0; i < 4; i++) {
        (void)call_read(p.client, got, sizeof(got));
        (void)call_read(p.server, got, sizeof(got));
    }
    log_names(p.client);
    log_names(p.server);
    log_alive(p.client, p.server);
    pair_free(&p);
}

/* The session holds both names. */
static void test_session(void)
{
    struct pair p;
    unsigned char *der = NULL;
    char *text;
    BIO *out = BIO_new(BIO_s_mem());
    SSL_SESSION *copy;
    const unsigned char *at;
    int len;

    section("session");
    plan_reset();
    prepare(&p, WITHOUT_CERT, exchanges[0]);
    REQUIRE(SSL_use_psk_identity_hint(p.server, "a hint") == 1);
    CHECK(drive_handshake(p.client, p.server));
    len = i2d_SSL_SESSION(SSL_get0_session(p.client), &der);
    at = der;
    copy = d2i_SSL_SESSION(NULL, &at, len);
    REQUIRE(out != NULL && copy != NULL && SSL_SESSION_print(out, copy) == 1);
    REQUIRE(BIO_write(out, "", 1) == 1);
    (void)BIO_get_mem_data(out, &text);
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strstr(line, "PSK identity") != NULL) {
            note("%s", line);
        }
    }
    BIO_free(out);
    SSL_SESSION_free(copy);
    OPENSSL_free(der);
    pair_free(&p);
}

/* Both names go with a session, in the cache and in a ticket; nobody is asked again. */
static void resume(const char *suite, bool ticket, bool callback)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    SSL_SESSION *session;
    struct pair p;

    section("resumption by %s, %s%s", ticket ? "ticket" : "id", suite,
            callback ? "" : ", without callbacks");
    plan_reset();
    if (ticket) {
        SSL_CTX_clear_options(client_ctx, SSL_OP_NO_TICKET);
        SSL_CTX_clear_options(server_ctx, SSL_OP_NO_TICKET);
    }
    SSL_CTX_set_session_cache_mode(server_ctx, SSL_SESS_CACHE_SERVER);
    identity_use_ctx(rsa, server_ctx);
    (void)SSL_CTX_set_dh_auto(server_ctx, 1);
    REQUIRE(SSL_CTX_set_session_id_context(server_ctx, (const unsigned char *)"psk", 3) == 1);
    REQUIRE(SSL_CTX_set_cipher_list(client_ctx, suite) == 1);
    REQUIRE(SSL_CTX_use_psk_identity_hint(server_ctx, "a hint") == 1);
    SSL_CTX_set_psk_client_callback(client_ctx, on_client);
    SSL_CTX_set_psk_server_callback(server_ctx, on_server);
    REQUIRE(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
    CHECK(log_handshake(p.client, p.server));
    session = SSL_get1_session(p.client);
    SSL_set_shutdown(p.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_set_shutdown(p.server, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    pair_free(&p);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_WIRE, 0);
    REQUIRE(SSL_set_session(p.client, session) == 1);
    if (!callback) {
        SSL_set_psk_client_callback(p.client, NULL);
        SSL_set_psk_server_callback(p.server, NULL);
    }
    note("once more");
    if (log_handshake(p.client, p.server)) {
        note("  reused %d %d", (int)SSL_session_reused(p.client),
             (int)SSL_session_reused(p.server));
        log_parameters(&p);
    }
    SSL_SESSION_free(session);
    pair_free(&p);
}

static void test_resumption(void)
{
    for (size_t i = 0; i < NUM_EXCHANGES; i++) {
        resume(exchanges[i], false, true);
        resume(exchanges[i], true, true);
    }
    resume(exchanges[0], true, false);
    resume("PSK-AES128-CBC-SHA256:AES128-SHA", false, false);
}

int main(void)
{
    contract_start();
    if (pair_is_tls13()) {
        pair_version = TLS1_2_VERSION;
    }
    rsa = identity_new(KEY_RSA, "localhost");
    test_renegotiation();
    test_session();
    test_resumption();
    identity_free(rsa);
    identity_default_free();
    return contract_finish();
}
