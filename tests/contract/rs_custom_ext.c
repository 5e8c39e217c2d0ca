/*
 * Custom extensions and serverinfo when a session is resumed: those of the first API, and others
 * that say so, are left out by the server and the client's answers to them are not read.
 * Manual pages: SSL_extension_supported(3), SSL_CTX_use_serverinfo(3).
 */
#include "resume.h"

#include "contract.h"

static int on_add(SSL *ssl, unsigned type, unsigned context, const unsigned char **out, size_t *len,
                  X509 *x, size_t index, int *alert, void *arg)
{
    (void)x;
    (void)index;
    (void)alert;
    note("  %s adds %u in %x", SSL_is_server(ssl) != 0 ? "server" : "client", type, context);
    *out = arg;
    *len = 3;
    return 1;
}

static int on_parse(SSL *ssl, unsigned type, unsigned context, const unsigned char *in, size_t len,
                    X509 *x, size_t index, int *alert, void *arg)
{
    (void)in;
    (void)x;
    (void)index;
    (void)alert;
    (void)arg;
    note("  %s reads %u in %x: %zu bytes", SSL_is_server(ssl) != 0 ? "server" : "client", type,
         context, len);
    return 1;
}

static int on_old_add(SSL *ssl, unsigned type, const unsigned char **out, size_t *len, int *alert,
                      void *arg)
{
    return on_add(ssl, type, 0, out, len, NULL, 0, alert, arg);
}

static int on_old_parse(SSL *ssl, unsigned type, const unsigned char *in, size_t len, int *alert,
                        void *arg)
{
    return on_parse(ssl, type, 0, in, len, NULL, 0, alert, arg);
}

static void register_all(SSL_CTX *ctx, bool client)
{
    static unsigned char body[3] = { 1, 2, 3 };
    unsigned everywhere = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |
                          SSL_EXT_TLS1_3_SERVER_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS |
                          SSL_EXT_TLS1_3_CERTIFICATE | SSL_EXT_TLS1_3_NEW_SESSION_TICKET;

    REQUIRE(SSL_CTX_add_custom_ext(ctx, 4001, everywhere, on_add, NULL, body, on_parse, NULL) == 1);
    REQUIRE(SSL_CTX_add_custom_ext(ctx, 4002, everywhere | SSL_EXT_IGNORE_ON_RESUMPTION, on_add,
                                   NULL, body, on_parse, NULL) == 1);
    if (client) {
        REQUIRE(SSL_CTX_add_client_custom_ext(ctx, 4003, on_old_add, NULL, body, on_old_parse,
                                              NULL) == 1);
    } else {
        REQUIRE(SSL_CTX_add_server_custom_ext(ctx, 4003, on_old_add, NULL, body, on_old_parse,
                                              NULL) == 1);
    }
}

int main(void)
{
    static const unsigned char info[] = { 0x0f, 0xa4, 0, 2, 7, 8 }; /* 4004 */
    struct resume r;

    contract_start();
    resume_init(&r);
    register_all(r.client_ctx, true);
    register_all(r.server_ctx, false);
    REQUIRE(SSL_CTX_use_serverinfo(r.server_ctx, info, sizeof(info)) == 1);
    REQUIRE(SSL_CTX_add_custom_ext(r.client_ctx, 4004,
                                   SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |
                                       SSL_EXT_TLS1_3_CERTIFICATE,
                                   NULL, NULL, NULL, on_parse, NULL) == 1);
    SSL_SESSION *first = resume_connect(&r, "a full handshake", NULL);
    SSL_SESSION *second = resume_connect(&r, "resumed", first);
    resume_once(&r, "resumed again", second);
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    resume_free(&r);
    return contract_finish();
}
