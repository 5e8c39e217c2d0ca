/*
 * Limits and callbacks of early data, and pre-shared keys by the callbacks of TLS 1.3, at contexts
 * and connections. Manual pages: SSL_CTX_set_psk_client_callback(3),
 * SSL_CTX_use_psk_identity_hint(3), SSL_read_early_data(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static const unsigned char psk[] = "0123456789abcdef0123456789abcdef";
static const unsigned char psk_name[] = "name of the key";

static SSL_SESSION *psk_session(SSL *ssl)
{
    static const unsigned char aes128[] = { 0x13, 0x01 };
    SSL_SESSION *session = SSL_SESSION_new();

    REQUIRE(session != NULL);
    REQUIRE(SSL_SESSION_set1_master_key(session, psk, 32) == 1);
    REQUIRE(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, aes128)) == 1);
    REQUIRE(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1);
    REQUIRE(SSL_SESSION_set_max_early_data(session, 100) == 1);
    return session;
}

static int use_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *len,
                       SSL_SESSION **session)
{
    note("%s uses a key, digest %s", ssl_get_name(ssl), md == NULL ? "none" : EVP_MD_get0_name(md));
    *session = psk_session(ssl);
    *id = psk_name;
    *len = sizeof(psk_name) - 1;
    return 1;
}

static int find_session(SSL *ssl, const unsigned char *id, size_t len, SSL_SESSION **session)
{
    note("%s finds '%.*s'", ssl_get_name(ssl), (int)len, (const char *)id);
    *session = psk_session(ssl);
    return 1;
}

static int allow_context(SSL *ssl, void *arg)
{
    note("%s asks the context's, argument %s", ssl_get_name(ssl),
         arg == NULL ? "none" : (const char *)arg);
    return 1;
}

static int allow_connection(SSL *ssl, void *arg)
{
    note("%s asks the connection's, argument %s", ssl_get_name(ssl),
         arg == NULL ? "none" : (const char *)arg);
    return strcmp(arg == NULL ? "" : arg, "yes") == 0;
}

static char yes[] = "yes";
static char no[] = "no";

static void limits(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("limits of early data");
    REQUIRE(ctx != NULL);
    note("%u %u", SSL_CTX_get_max_early_data(ctx), SSL_CTX_get_recv_max_early_data(ctx));
    note("set %d %d", SSL_CTX_set_max_early_data(ctx, 0xffffffffU),
         SSL_CTX_set_recv_max_early_data(ctx, 17));
    note("%u %u", SSL_CTX_get_max_early_data(ctx), SSL_CTX_get_recv_max_early_data(ctx));
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("%u %u", SSL_get_max_early_data(ssl), SSL_get_recv_max_early_data(ssl));
    note("set %d %d", SSL_set_max_early_data(ssl, 0), SSL_set_recv_max_early_data(ssl, 0));
    note("%u %u", SSL_get_max_early_data(ssl), SSL_get_recv_max_early_data(ssl));
    note("status %d", SSL_get_early_data_status(ssl));
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void early(const char *title, bool of_connection, char *arg)
{
    struct pair p;
    size_t done = 0;
    char got[16];
    int status;

    section("early data: %s", title);
    pair_init(&p, OVER_MEMORY, 0);
    CHECK(SSL_set_ciphersuites(p.client, "TLS_AES_128_GCM_SHA256") == 1);
    REQUIRE(SSL_CTX_set_max_early_data(p.server_ctx, 100) == 1);
    CHECK(SSL_set_max_early_data(p.server, 100) == 1);
    CHECK(SSL_set_recv_max_early_data(p.server, 100) == 1);
    SSL_set_psk_use_session_callback(p.client, use_session);
    SSL_set_psk_find_session_callback(p.server, find_session);
    if (of_connection) {
        SSL_set_allow_early_data_cb(p.server, allow_connection, arg);
    }
    note("write %d", SSL_write_early_data(p.client, "early", 5, &done));
    log_errors("error");
    status = SSL_read_early_data(p.server, got, sizeof(got), &done);
    note("read %d, %d bytes", status, status == SSL_READ_EARLY_DATA_SUCCESS ? (int)done : 0);
    log_errors("error");
    while (status == SSL_READ_EARLY_DATA_SUCCESS) {
        status = SSL_read_early_data(p.server, got, sizeof(got), &done);
        if (status == SSL_READ_EARLY_DATA_ERROR) {
            break;
        }
    }
    (void)SSL_do_handshake(p.client);
    (void)SSL_read_early_data(p.server, got, sizeof(got), &done);
    errors_drop();
    note("done %d", drive_handshake(p.client, p.server));
    note("status %d %d", SSL_get_early_data_status(p.client), SSL_get_early_data_status(p.server));
    note("reused %d", SSL_session_reused(p.client));
    log_alive(p.client, p.server);
    pair_free(&p);
}

static void context_and_connection(void)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("callbacks of the context, taken away at the connection");
    CHECK(SSL_CTX_set_ciphersuites(client_ctx, "TLS_AES_128_GCM_SHA256") == 1);
    SSL_CTX_set_psk_use_session_callback(client_ctx, use_session);
    SSL_CTX_set_psk_find_session_callback(server_ctx, find_session);
    SSL_CTX_set_allow_early_data_cb(server_ctx, allow_context, yes);
    CHECK(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    (void)log_handshake(p.client, p.server);
    note("reused %d", SSL_session_reused(p.client));
    pair_free(&p);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_set_psk_use_session_callback(p.client, NULL);
    SSL_set_psk_find_session_callback(p.server, NULL);
    SSL_set_allow_early_data_cb(p.server, NULL, NULL);
    (void)log_handshake(p.client, p.server);
    note("reused %d", SSL_session_reused(p.client));
    pair_free(&p);
}

static void hints(void)
{
    char longest[PSK_MAX_IDENTITY_LEN + 2];
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("identity hints");
    REQUIRE(ssl != NULL);
    (void)memset(longest, 'h', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    note("CTX %d", SSL_CTX_use_psk_identity_hint(ctx, "hint"));
    note("SSL %d", SSL_use_psk_identity_hint(ssl, "hint"));
    note("too long: CTX %d", SSL_CTX_use_psk_identity_hint(ctx, longest));
    log_errors("error");
    note("too long: SSL %d", SSL_use_psk_identity_hint(ssl, longest));
    log_errors("error");
    longest[sizeof(longest) - 2] = '\0';
    note("longest: %d %d", SSL_CTX_use_psk_identity_hint(ctx, longest),
         SSL_use_psk_identity_hint(ssl, longest));
    note("none: %d %d", SSL_CTX_use_psk_identity_hint(ctx, NULL),
         SSL_use_psk_identity_hint(ssl, NULL));
    note("empty: %d %d", SSL_CTX_use_psk_identity_hint(ctx, ""),
         SSL_use_psk_identity_hint(ssl, ""));
    note("get %d %d", SSL_get_psk_identity_hint(ssl) != NULL, SSL_get_psk_identity(ssl) != NULL);
    log_errors("error");
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    limits();
    early("no callback", false, NULL);
    early("allowed", true, yes);
    early("refused", true, no);
    early("no argument", true, NULL);
    context_and_connection();
    hints();
    identity_default_free();
    return contract_finish();
}
