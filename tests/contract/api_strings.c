/*
 * Numbers in words: reasons, alerts, versions. ERR_reason_error_string(3),
 * SSL_alert_type_string(3), SSL_get_version(3).
 * Manual pages: SSL_rstate_string(3), SSL_state_string(3).
 */
#include "contract.h"

#include <openssl/comp.h>
#include <openssl/err.h>
#include <string.h>

static void reasons(void)
{
    section("reasons");
    for (int reason = 0; reason < 1300; reason++) {
        const char *text = ERR_reason_error_string(ERR_PACK(ERR_LIB_SSL, 0, reason));

        if (text != NULL) {
            note("%d %s", reason, text);
        }
    }
    note("library: %s", ERR_lib_error_string(ERR_PACK(ERR_LIB_SSL, 0, 0)));
    note("load again: %d", ERR_load_SSL_strings());
}

static void alerts(void)
{
    section("alerts");
    for (int level = 0; level < 4; level++) {
        note("level %d: %s %s", level, SSL_alert_type_string(level << 8),
             SSL_alert_type_string_long(level << 8 | 40));
    }
    for (int description = 0; description < 256; description++) {
        note("%d: %s %s", description, SSL_alert_desc_string(description),
             SSL_alert_desc_string_long(0x200 | description));
    }
}

static void versions(void)
{
    static const struct {
        const char *name;
        const SSL_METHOD *(*method)(void);
    } methods[] = { { "TLS", TLS_method },
                    { "TLS client", TLS_client_method },
                    { "TLS server", TLS_server_method },
                    { "TLS 1.2", TLSv1_2_method },
                    { "TLS 1.2 client", TLSv1_2_client_method },
                    { "TLS 1.1 server", TLSv1_1_server_method },
                    { "TLS 1.0", TLSv1_method } };

    section("methods");
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        SSL_CTX *ctx = SSL_CTX_new(methods[i].method());
        SSL *ssl = SSL_new(ctx);

        REQUIRE(ssl != NULL);
        CHECK(SSL_CTX_get_ssl_method(ctx) == methods[i].method());
        CHECK(SSL_get_ssl_method(ssl) == methods[i].method());
        note("%s: %s %x, client version %x, server %d, DTLS %d", methods[i].name,
             SSL_get_version(ssl), (unsigned)SSL_version(ssl), (unsigned)SSL_client_version(ssl),
             SSL_is_server(ssl), SSL_is_dtls(ssl));
        note("  minimum 1.3: %d", (int)SSL_set_min_proto_version(ssl, TLS1_3_VERSION));
        note("  minimum %x, maximum %x", (unsigned)SSL_get_min_proto_version(ssl),
             (unsigned)SSL_get_max_proto_version(ssl));
        STACK_OF(SSL_CIPHER) *suites = SSL_get1_supported_ciphers(ssl);
        note("  supported suites %d", sk_SSL_CIPHER_num(suites));
        sk_SSL_CIPHER_free(suites);
        note("  states: %s, %s, %s, %s", SSL_state_string(ssl), SSL_state_string_long(ssl),
             SSL_rstate_string(ssl), SSL_rstate_string_long(ssl));
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
}

static void compression(void)
{
    section("compression");
    note("methods: %d", sk_SSL_COMP_num(SSL_COMP_get_compression_methods()));
    note("none: %d", SSL_COMP_add_compression_method(193, NULL));
    note("name: %s", SSL_COMP_get_name(NULL) == NULL ? "none" : "some");
    log_errors("error");
}

int main(void)
{
    contract_start();
    REQUIRE(OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL) == 1);
    reasons();
    alerts();
    versions();
    compression();
    return contract_finish();
}
