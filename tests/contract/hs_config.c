/*
 * openssl.cnf: the section system_default that every context gets, and named sections.
 * SSL_CTX_config(3), OPENSSL_init_ssl(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const char text[] = "openssl_conf = main\n"
                           "[main]\n"
                           "ssl_conf = sections\n"
                           "[sections]\n"
                           "system_default = everywhere\n"
                           "server = server_section\n"
                           "broken = broken_section\n"
                           "client = client_section\n"
                           "[everywhere]\n"
                           "MinProtocol = TLSv1.2\n"
                           "Options = -SessionTicket,ServerPreference\n"
                           "Ciphersuites = TLS_AES_128_GCM_SHA256\n"
                           "NoSuchThing = 1\n"
                           "[server_section]\n"
                           "NumTickets = 7\n"
                           "VerifyMode = Require\n"
                           "[client_section]\n"
                           "VerifyMode = Peer\n"
                           "MaxProtocol = TLSv1.2\n"
                           "[broken_section]\n"
                           "Options = Nonsense\n"
                           "MaxProtocol = TLSv1.3\n"
                           "Certificate = /nonexistent\n"
                           "NoSuchCommand = 3\n";

/* The errors with their text, which names section, command and value. */
static void log_details(void)
{
    const char *data;
    int flags;
    unsigned long e;

    while ((e = ERR_get_error_all(NULL, NULL, NULL, &data, &flags)) != 0) {
        note("  %d:%d '%s'", ERR_GET_LIB(e), ERR_GET_REASON(e),
             (flags & ERR_TXT_STRING) != 0 && ERR_GET_LIB(e) == ERR_LIB_SSL ? data : "");
    }
}

static void log_ctx(SSL_CTX *ctx)
{
    note("  options %016llx verify %d min %lx max %lx tickets %zu first %s",
         (unsigned long long)SSL_CTX_get_options(ctx), SSL_CTX_get_verify_mode(ctx),
         SSL_CTX_get_min_proto_version(ctx), SSL_CTX_get_max_proto_version(ctx),
         SSL_CTX_get_num_tickets(ctx),
         SSL_CIPHER_get_name(sk_SSL_CIPHER_value(SSL_CTX_get_ciphers(ctx), 0)));
}

static void test_method(const char *title, const SSL_METHOD *method)
{
    SSL_CTX *ctx;
    SSL *ssl;

    section("%s", title);
    ctx = SSL_CTX_new(method);
    REQUIRE(ctx != NULL);
    log_details();
    log_ctx(ctx);
    note("server %d", SSL_CTX_config(ctx, "server"));
    log_details();
    log_ctx(ctx);
    note("broken %d", SSL_CTX_config(ctx, "broken"));
    log_details();
    log_ctx(ctx);
    note("missing %d", SSL_CTX_config(ctx, "missing"));
    log_details();
    ssl = SSL_new(ctx);
    note("SSL client %d", SSL_config(ssl, "client"));
    log_details();
    note("  verify %d max %lx, context %d %lx", SSL_get_verify_mode(ssl),
         SSL_get_max_proto_version(ssl), SSL_CTX_get_verify_mode(ctx),
         SSL_CTX_get_max_proto_version(ctx));
    note("SSL missing %d", SSL_config(ssl, "missing"));
    log_details();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    char path[] = "/tmp/contract-config-XXXXXX";
    FILE *f = fdopen(mkstemp(path), "w");

    REQUIRE(f != NULL && fputs(text, f) >= 0);
    fclose(f);
    setenv("OPENSSL_CONF", path, 1);
    contract_start();
    note("init %d", OPENSSL_init_ssl(0, NULL));
    note("init strings %d", OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL));
    note("reason %s", ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, SSL_R_BAD_VALUE)));
    test_method("both roles", TLS_method());
    test_method("client", TLS_client_method());
    test_method("server", TLS_server_method());
    SSL_add_ssl_module();
    unlink(path);
    return contract_finish();
}
