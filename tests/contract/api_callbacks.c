/*
 * Callbacks as values: set, read back, taken away, and inherited by connections; and the password
 * callback with its data, of contexts and connections. Manual pages: SSL_CTX_get_verify_mode(3),
 * SSL_CTX_set_client_cert_cb(3), SSL_CTX_set_default_passwd_cb(3), SSL_CTX_set_info_callback(3),
 * SSL_CTX_set_msg_callback(3), SSL_CTX_set_keylog_callback(3), SSL_CTX_set_cert_cb(3),
 * SSL_CTX_set_cert_verify_callback(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int verify(int ok, X509_STORE_CTX *store)
{
    (void)store;
    return ok;
}

static void info(const SSL *ssl, int where, int value)
{
    (void)ssl;
    (void)where;
    (void)value;
}

static void keylog(const SSL *ssl, const char *line)
{
    (void)ssl;
    (void)line;
}

static int client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    (void)ssl;
    (void)cert;
    (void)key;
    return 0;
}

static void message(int sent, int version, int type, const void *buf, size_t len, SSL *ssl,
                    void *arg)
{
    (void)version;
    (void)buf;
    (void)len;
    if (type == SSL3_RT_HANDSHAKE) {
        note("%s %s, argument %s", ssl_get_name(ssl), sent ? "sends" : "receives",
             arg == NULL ? "none" : (const char *)arg);
    }
}

static void values(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *older = SSL_new(ctx);
    SSL *ssl;

    section("values");
    REQUIRE(older != NULL);
    note("verify mode %d depth %d callback %d", SSL_CTX_get_verify_mode(ctx),
         SSL_CTX_get_verify_depth(ctx), SSL_CTX_get_verify_callback(ctx) != NULL);
    CHECK(SSL_CTX_get_info_callback(ctx) == NULL && SSL_CTX_get_keylog_callback(ctx) == NULL);
    CHECK(SSL_CTX_get_client_cert_cb(ctx) == NULL);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_CLIENT_ONCE, verify);
    SSL_CTX_set_verify_depth(ctx, 7);
    SSL_CTX_set_info_callback(ctx, info);
    SSL_CTX_set_keylog_callback(ctx, keylog);
    SSL_CTX_set_client_cert_cb(ctx, client_cert);
    CHECK(SSL_CTX_get_verify_callback(ctx) == verify);
    CHECK(SSL_CTX_get_info_callback(ctx) == info);
    CHECK(SSL_CTX_get_keylog_callback(ctx) == keylog);
    CHECK(SSL_CTX_get_client_cert_cb(ctx) == client_cert);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("older: mode %d depth %d callback %d info %d", SSL_get_verify_mode(older),
         SSL_get_verify_depth(older), SSL_get_verify_callback(older) != NULL,
         SSL_get_info_callback(older) != NULL);
    note("newer: mode %d depth %d callback %d info %d", SSL_get_verify_mode(ssl),
         SSL_get_verify_depth(ssl), SSL_get_verify_callback(ssl) == verify,
         SSL_get_info_callback(ssl) == info);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
    note("without a callback: %d %d", SSL_CTX_get_verify_mode(ctx),
         SSL_CTX_get_verify_callback(ctx) != NULL);
    SSL_set_verify(ssl, SSL_VERIFY_POST_HANDSHAKE, NULL);
    note("a callback stays: %d %d", SSL_get_verify_mode(ssl), SSL_get_verify_callback(ssl) != NULL);
    SSL_set_verify_depth(ssl, -1);
    note("depth %d", SSL_get_verify_depth(ssl));
    SSL_CTX_set_info_callback(ctx, NULL);
    SSL_CTX_set_keylog_callback(ctx, NULL);
    SSL_CTX_set_client_cert_cb(ctx, NULL);
    CHECK(SSL_CTX_get_info_callback(ctx) == NULL && SSL_CTX_get_keylog_callback(ctx) == NULL);
    CHECK(SSL_CTX_get_client_cert_cb(ctx) == NULL);
    SSL_set_info_callback(ssl, NULL);
    CHECK(SSL_get_info_callback(ssl) == NULL);
    SSL_free(ssl);
    SSL_free(older);
    SSL_CTX_free(ctx);
}

static char of_context[] = "of the context";
static char of_connection[] = "of the connection";

static void messages(void)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("message callbacks");
    SSL_CTX_set_msg_callback(client_ctx, message);
    SSL_CTX_set_msg_callback_arg(client_ctx, of_context);
    SSL_CTX_set_msg_callback_arg(server_ctx, of_context);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_set_msg_callback(p.server, message);
    SSL_CTX_set_msg_callback(client_ctx, NULL);
    SSL_CTX_set_msg_callback_arg(client_ctx, NULL);
    (void)log_handshake(p.client, p.server);
    SSL_set_msg_callback_arg(p.client, of_connection);
    SSL_set_msg_callback(p.server, NULL);
    if (pair_is_tls13()) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
        (void)SSL_do_handshake(p.client);
    }
    log_alive(p.client, p.server);
    pair_free(&p);
}

static int verify_whole(X509_STORE_CTX *store, void *arg)
{
    note("whole chain, argument %s, certificate %d, untrusted %d",
         arg == NULL ? "none" : (const char *)arg, X509_STORE_CTX_get0_cert(store) != NULL,
         sk_X509_num(X509_STORE_CTX_get0_untrusted(store)));
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return strcmp(arg == NULL ? "" : arg, of_context) == 0;
}

static int choose_certificate(SSL *ssl, void *arg)
{
    note("certificate callback of %s, argument %s", ssl_get_name(ssl),
         arg == NULL ? "none" : (const char *)arg);
    return 1;
}

static void whole_chain(void *arg, int mode)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("a verification of one's own, argument %s, mode %d",
            arg == NULL ? "none" : (const char *)arg, mode);
    SSL_CTX_set_verify(client_ctx, mode, verify);
    SSL_CTX_set_cert_verify_callback(client_ctx, verify_whole, arg);
    SSL_CTX_set_cert_cb(server_ctx, choose_certificate, of_context);
    SSL_CTX_set_cert_cb(client_ctx, choose_certificate, of_context);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_set_cert_cb(p.server, choose_certificate, arg);
    (void)log_handshake(p.client, p.server);
    note("result %ld", SSL_get_verify_result(p.client));
    pair_free(&p);
    SSL_CTX_set_cert_verify_callback(client_ctx = client_ctx_new(), NULL, NULL);
    SSL_CTX_free(client_ctx);
}

/* ---- passwords ---- */

static int asked;
static int answer;

static int password(char *buf, int size, int writing, void *data)
{
    asked++;
    note("asked for a password, size %d, writing %d, data %s", size, writing,
         data == NULL ? "none" : (const char *)data);
    if (answer > 0) {
        memcpy(buf, "secret", 6);
        return 6;
    }
    return answer;
}

static void with_passwords(const char *path)
{
    static char text[] = "secret";
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    section("passwords of a context");
    REQUIRE(ctx != NULL);
    CHECK(SSL_CTX_get_default_passwd_cb(ctx) == NULL);
    CHECK(SSL_CTX_get_default_passwd_cb_userdata(ctx) == NULL);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, text);
    note("data alone: %d", SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM));
    log_errors("error");
    SSL_CTX_set_default_passwd_cb(ctx, password);
    CHECK(SSL_CTX_get_default_passwd_cb(ctx) == password);
    CHECK(SSL_CTX_get_default_passwd_cb_userdata(ctx) == text);
    for (answer = -1; answer <= 1; answer++) {
        note("answer %d: %d", answer, SSL_CTX_use_PrivateKey_file(ctx, path, SSL_FILETYPE_PEM));
        log_errors("error");
    }
    section("passwords of a connection");
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("inherited: %d %d", SSL_get_default_passwd_cb(ssl) == password,
         SSL_get_default_passwd_cb_userdata(ssl) == text);
    SSL_set_default_passwd_cb_userdata(ssl, of_connection);
    answer = 1;
    note("connection: %d", SSL_use_PrivateKey_file(ssl, path, SSL_FILETYPE_PEM));
    log_errors("error");
    SSL_set_default_passwd_cb(ssl, NULL);
    SSL_set_default_passwd_cb_userdata(ssl, NULL);
    CHECK(SSL_get_default_passwd_cb(ssl) == NULL);
    CHECK(SSL_get_default_passwd_cb_userdata(ssl) == NULL);
    CHECK(SSL_CTX_get_default_passwd_cb(ctx) == password);
    SSL_set_default_passwd_cb(ssl, password);
    CHECK(SSL_get_default_passwd_cb(ssl) == password);
    note("a certificate chain: %d", SSL_CTX_use_certificate_chain_file(ctx, path));
    log_errors("error");
    note("asked %d times", asked);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void passwords(void)
{
    char path[] = "/tmp/tenon-password-XXXXXX";
    int fd = mkstemp(path);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    REQUIRE(file != NULL);
    REQUIRE(PEM_write_PKCS8PrivateKey(file, identity_default()->key, EVP_aes_128_cbc(), "secret", 6,
                                      NULL, NULL) == 1);
    REQUIRE(fclose(file) == 0);
    with_passwords(path);
    REQUIRE(unlink(path) == 0);
}

int main(void)
{
    contract_start();
    values();
    messages();
    whole_chain(of_context, SSL_VERIFY_PEER);
    whole_chain(of_connection, SSL_VERIFY_PEER);
    whole_chain(NULL, SSL_VERIFY_PEER);
    whole_chain(NULL, SSL_VERIFY_NONE);
    passwords();
    identity_default_free();
    return contract_finish();
}
