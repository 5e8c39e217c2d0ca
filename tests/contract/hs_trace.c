/*
 * The callbacks that log themselves, see hs_trace.h.
 */
#include "hs_trace.h"

#include "contract.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

/* Numbers from the private range; the second one is known to both sides, too. */
#define EXTENSION_FIRST  0xff21
#define EXTENSION_SECOND 0xff22

#define TURNS_MAX 200

struct trace_plan trace_plan;

void trace_plan_reset(void)
{
    memset(&trace_plan, 0, sizeof(trace_plan));
    trace_plan.client.verify_override = -1;
    trace_plan.server.verify_override = -1;
    trace_plan.sni_result = SSL_TLSEXT_ERR_OK;
    trace_plan.alpn_result = SSL_TLSEXT_ERR_OK;
    trace_plan.status_result = SSL_TLSEXT_ERR_OK;
    trace_plan.client_status_result = 1;
    trace_plan.extension_add_result = 1;
    trace_plan.extension_parse_result = 1;
}

static struct trace_side *side_of(const SSL *ssl)
{
    return SSL_is_server(ssl) ? &trace_plan.server : &trace_plan.client;
}

static void event(const SSL *ssl, const char *what, const char *details)
{
    note("%s %s [%s]%s%s", ssl_get_name(ssl), what, SSL_state_string(ssl),
         details[0] != '\0' ? " " : "", details);
}

const char *trace_where_name(int where)
{
    switch (where) {
    case SSL_CB_HANDSHAKE_START:
        return "handshake_start";
    case SSL_CB_HANDSHAKE_DONE:
        return "handshake_done";
    case SSL_CB_CONNECT_LOOP:
        return "connect_loop";
    case SSL_CB_CONNECT_EXIT:
        return "connect_exit";
    case SSL_CB_ACCEPT_LOOP:
        return "accept_loop";
    case SSL_CB_ACCEPT_EXIT:
        return "accept_exit";
    case SSL_CB_READ_ALERT:
        return "read_alert";
    case SSL_CB_WRITE_ALERT:
        return "write_alert";
    default:
        return "?";
    }
}

static void on_info(const SSL *ssl, int where, int ret)
{
    char details[256];

    if ((where & SSL_CB_ALERT) != 0) {
        (void)snprintf(details, sizeof(details), "%s 0x%x ret 0x%04x %s %s",
                       trace_where_name(where), (unsigned)where, (unsigned)ret,
                       SSL_alert_type_string_long(ret), SSL_alert_desc_string_long(ret));
    } else {
        (void)snprintf(details, sizeof(details), "%s 0x%x ret %d | %s", trace_where_name(where),
                       (unsigned)where, ret, SSL_state_string_long(ssl));
    }
    event(ssl, "info", details);
}

static void on_message(int write_p, int version, int content_type, const void *buf, size_t len,
                       SSL *ssl, void *arg)
{
    const uint8_t *bytes = buf;
    char details[128];
    char first[32] = "";

    (void)arg;
    /* A record header and an inner content type are short enough to show whole; of a Finished or a
     * key share only the kind is the same from run to run. */
    if (content_type == SSL3_RT_HEADER && len == 5) {
        (void)snprintf(first, sizeof(first), "%02x %02x%02x %u", bytes[0], bytes[1], bytes[2],
                       (unsigned)(bytes[3] << 8 | bytes[4]));
    } else if (len == 2) {
        (void)snprintf(first, sizeof(first), "%02x%02x", bytes[0], bytes[1]);
    } else if (len > 0) {
        (void)snprintf(first, sizeof(first), "%02x", bytes[0]);
    }
    (void)snprintf(details, sizeof(details), "%s version %04x type %d len %zu: %s",
                   write_p != 0 ? "out" : "in", (unsigned)version, content_type, len, first);
    event(ssl, "msg", details);
}

static void on_keylog(const SSL *ssl, const char *line)
{
    char details[64];

    (void)snprintf(details, sizeof(details), "%.*s, %zu characters", (int)strcspn(line, " "), line,
                   strlen(line));
    event(ssl, "keylog", details);
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    (void)arg;
    if (trace_plan.hello_pauses > 0) {
        trace_plan.hello_pauses--;
        event(ssl, "client_hello_cb", "-> retry");
        return SSL_CLIENT_HELLO_RETRY;
    }
    if (trace_plan.hello_refuses) {
        char details[64];

        (void)snprintf(details, sizeof(details), "alert preset to %d -> error", *alert);
        event(ssl, "client_hello_cb", details);
        if (trace_plan.hello_alert != 0) {
            *alert = trace_plan.hello_alert;
        }
        return SSL_CLIENT_HELLO_ERROR;
    }
    event(ssl, "client_hello_cb", "-> success");
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    char details[128];

    (void)arg;
    (void)snprintf(details, sizeof(details), "name %s type %d alert preset to %d -> %d",
                   name != NULL ? name : "(none)", SSL_get_servername_type(ssl), *alert,
                   trace_plan.sni_result);
    event(ssl, "servername_cb", details);
    if (trace_plan.sni_switch != NULL) {
        CHECK(SSL_set_SSL_CTX(ssl, trace_plan.sni_switch) == trace_plan.sni_switch);
    }
    if (trace_plan.sni_alert != 0) {
        *alert = trace_plan.sni_alert;
    }
    return trace_plan.sni_result;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned int in_len, void *arg)
{
    char details[64];

    (void)arg;
    (void)snprintf(details, sizeof(details), "%u bytes -> %d", in_len, trace_plan.alpn_result);
    event(ssl, "alpn_select_cb", details);
    *out = in + 1;
    *out_len = in[0];
    return trace_plan.alpn_result;
}

static int on_cert(SSL *ssl, void *arg)
{
    struct trace_side *side = side_of(ssl);

    (void)arg;
    if (side->cert_pauses > 0) {
        side->cert_pauses--;
        event(ssl, "cert_cb", "-> pause");
        return -1;
    }
    event(ssl, "cert_cb", side->cert_refuses ? "-> 0" : "-> 1");
    return side->cert_refuses ? 0 : 1;
}

static int on_client_cert(SSL *ssl, X509 **cert, EVP_PKEY **key)
{
    struct trace_side *side = side_of(ssl);

    if (side->client_cert_pauses > 0) {
        side->client_cert_pauses--;
        event(ssl, "client_cert_cb", "-> pause");
        return -1;
    }
    event(ssl, "client_cert_cb", side->client_cert ? "-> 1" : "-> 0");
    if (!side->client_cert) {
        return 0;
    }
    REQUIRE(X509_up_ref(trace_plan.identity->cert) == 1);
    REQUIRE(EVP_PKEY_up_ref(trace_plan.identity->key) == 1);
    *cert = trace_plan.identity->cert;
    *key = trace_plan.identity->key;
    return 1;
}

static SSL *ssl_of(X509_STORE_CTX *store_ctx)
{
    return X509_STORE_CTX_get_ex_data(store_ctx, SSL_get_ex_data_X509_STORE_CTX_idx());
}

static int on_verify(int ok, X509_STORE_CTX *store_ctx)
{
    SSL *ssl = ssl_of(store_ctx);
    int override = side_of(ssl)->verify_override;
    int ret = override >= 0 ? override : ok;
    char details[160];

    (void)snprintf(details, sizeof(details), "ok %d depth %d error %d -> %d", ok,
                   X509_STORE_CTX_get_error_depth(store_ctx), X509_STORE_CTX_get_error(store_ctx),
                   ret);
    event(ssl, "verify_cb", details);
    return ret;
}

static int on_app_verify(X509_STORE_CTX *store_ctx, void *arg)
{
    SSL *ssl = ssl_of(store_ctx);
    struct trace_side *side = side_of(ssl);
    char details[96];
    int ret;

    (void)arg;
    if (side->verify_pauses > 0) {
        side->verify_pauses--;
        event(ssl, "app_verify_cb", "-> retry");
        return SSL_set_retry_verify(ssl);
    }
    event(ssl, "app_verify_cb", "begins");
    ret = X509_verify_cert(store_ctx);
    (void)snprintf(details, sizeof(details), "error %d -> %d", X509_STORE_CTX_get_error(store_ctx),
                   ret);
    event(ssl, "app_verify_cb", details);
    return ret;
}

static int on_status(SSL *ssl, void *arg)
{
    const unsigned char *response = NULL;
    char details[96];

    (void)arg;
    if (SSL_is_server(ssl)) {
        (void)snprintf(details, sizeof(details), "requested type %ld -> %d",
                       SSL_get_tlsext_status_type(ssl), trace_plan.status_result);
        event(ssl, "status_cb", details);
        if (trace_plan.status_response != NULL) {
            size_t len = strlen(trace_plan.status_response);
            unsigned char *copy = OPENSSL_memdup(trace_plan.status_response, len);

            REQUIRE(copy != NULL);
            CHECK(SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)len) == 1);
        }
        return trace_plan.status_result;
    }
    (void)snprintf(details, sizeof(details), "response of %ld bytes -> %d",
                   SSL_get_tlsext_status_ocsp_resp(ssl, &response),
                   trace_plan.client_status_result);
    event(ssl, "status_cb", details);
    return trace_plan.client_status_result;
}

static int on_extension_add(SSL *ssl, unsigned int type, unsigned int context,
                            const unsigned char **out, size_t *out_len, X509 *cert,
                            size_t chain_index, int *alert, void *arg)
{
    static const unsigned char content[] = "extra";
    char details[128];

    /* What *alert holds at this moment is not set by the system's library. */
    (void)alert;
    (void)arg;
    (void)snprintf(details, sizeof(details), "add %04x context %04x cert %d index %zu -> %d", type,
                   context, cert != NULL, chain_index, trace_plan.extension_add_result);
    event(ssl, "extension", details);
    *out = content;
    *out_len = sizeof(content) - 1;
    return trace_plan.extension_add_result;
}

static void on_extension_free(SSL *ssl, unsigned int type, unsigned int context,
                              const unsigned char *out, void *arg)
{
    char details[96];

    (void)arg;
    (void)snprintf(details, sizeof(details), "free %04x context %04x content %d", type, context,
                   out != NULL);
    event(ssl, "extension", details);
}

static int on_extension_parse(SSL *ssl, unsigned int type, unsigned int context,
                              const unsigned char *in, size_t in_len, X509 *cert,
                              size_t chain_index, int *alert, void *arg)
{
    char details[128];

    (void)alert;
    (void)in;
    (void)arg;
    (void)snprintf(details, sizeof(details),
                   "parse %04x context %04x len %zu cert %d index %zu -> %d", type, context, in_len,
                   cert != NULL, chain_index, trace_plan.extension_parse_result);
    event(ssl, "extension", details);
    return trace_plan.extension_parse_result;
}

static int on_security(const SSL *ssl, const SSL_CTX *ctx, int op, int bits, int nid, void *other,
                       void *ex)
{
    (void)ex;
    if (ssl != NULL) {
        char details[96];

        (void)snprintf(details, sizeof(details), "op 0x%x bits %d nid %d other %d", (unsigned)op,
                       bits, nid, other != NULL);
        event(ssl, "security_cb", details);
    } else {
        note("ctx security_cb op 0x%x bits %d nid %d other %d ctx %d", (unsigned)op, bits, nid,
             other != NULL, ctx != NULL);
    }
    return 1;
}

static void on_tlsext_debug(SSL *ssl, int client_server, int type, const unsigned char *data,
                            int len, void *arg)
{
    char details[64];

    (void)data;
    (void)arg;
    (void)snprintf(details, sizeof(details), "%d type %d len %d", client_server, type, len);
    event(ssl, "tlsext_debug_cb", details);
}

static size_t on_padding(SSL *ssl, int type, size_t len, void *arg)
{
    char details[64];

    (void)arg;
    (void)snprintf(details, sizeof(details), "type %d len %zu", type, len);
    event(ssl, "padding_cb", details);
    return 0;
}

static void install_server(SSL_CTX *ctx, unsigned events)
{
    if ((events & TRACE_CLIENT_HELLO) != 0) {
        SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
    }
    if ((events & TRACE_SERVER_NAME) != 0) {
        CHECK(SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name) == 1);
    }
    if ((events & TRACE_ALPN) != 0) {
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    }
}

static void install_extensions(SSL_CTX *ctx)
{
    unsigned int everywhere = SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS |
                              SSL_EXT_TLS1_3_CERTIFICATE | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST;

    CHECK(SSL_CTX_add_custom_ext(ctx, EXTENSION_FIRST, everywhere, on_extension_add,
                                 on_extension_free, NULL, on_extension_parse, NULL) == 1);
    CHECK(SSL_CTX_add_custom_ext(ctx, EXTENSION_SECOND,
                                 SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_SERVER_HELLO |
                                     SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST,
                                 on_extension_add, on_extension_free, NULL, on_extension_parse,
                                 NULL) == 1);
}

static void install_extensions_tls12(SSL_CTX *ctx)
{
    CHECK(SSL_CTX_add_custom_ext(
              ctx, EXTENSION_FIRST, SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO,
              on_extension_add, on_extension_free, NULL, on_extension_parse, NULL) == 1);
    CHECK(SSL_CTX_add_custom_ext(ctx, EXTENSION_SECOND, SSL_EXT_CLIENT_HELLO, on_extension_add,
                                 on_extension_free, NULL, on_extension_parse, NULL) == 1);
}

static void install_credentials(SSL_CTX *ctx, bool server, unsigned events)
{
    if ((events & TRACE_CERT) != 0) {
        SSL_CTX_set_cert_cb(ctx, on_cert, NULL);
    }
    if ((events & TRACE_CLIENT_CERT) != 0 && !server) {
        SSL_CTX_set_client_cert_cb(ctx, on_client_cert);
    }
    if ((events & TRACE_VERIFY) != 0) {
        SSL_CTX_set_verify(ctx, SSL_CTX_get_verify_mode(ctx), on_verify);
    }
    if ((events & TRACE_APP_VERIFY) != 0) {
        SSL_CTX_set_cert_verify_callback(ctx, on_app_verify, NULL);
    }
    if ((events & TRACE_STATUS) != 0) {
        CHECK(SSL_CTX_set_tlsext_status_cb(ctx, on_status) == 1);
    }
}

void trace_ctx(SSL_CTX *ctx, bool server, unsigned events)
{
    if ((events & TRACE_INFO) != 0) {
        SSL_CTX_set_info_callback(ctx, on_info);
    }
    if ((events & TRACE_MESSAGE) != 0) {
        SSL_CTX_set_msg_callback(ctx, on_message);
    }
    if ((events & TRACE_KEYLOG) != 0) {
        SSL_CTX_set_keylog_callback(ctx, on_keylog);
    }
    if (server) {
        install_server(ctx, events);
    }
    install_credentials(ctx, server, events);
    if ((events & TRACE_EXTENSIONS) != 0) {
        install_extensions(ctx);
    }
    if ((events & TRACE_EXTENSIONS_TLS12) != 0) {
        install_extensions_tls12(ctx);
    }
    if ((events & TRACE_SECURITY) != 0) {
        SSL_CTX_set_security_callback(ctx, on_security);
    }
    if ((events & TRACE_PADDING) != 0) {
        SSL_CTX_set_record_padding_callback(ctx, on_padding);
    }
}

void trace_ssl(SSL *ssl, unsigned events)
{
    if ((events & TRACE_TLSEXT_DEBUG) != 0) {
        CHECK(SSL_set_tlsext_debug_callback(ssl, on_tlsext_debug) == 1);
    }
}

int trace_handshake(SSL *ssl)
{
    int ret;
    int error;

    ERR_clear_error();
    note("%s do_handshake begins", ssl_get_name(ssl));
    ret = SSL_do_handshake(ssl);
    error = SSL_get_error(ssl, ret);
    note("%s do_handshake = %d %s", ssl_get_name(ssl), ret, name_of_error(error));
    log_errors("error");
    return error;
}

bool trace_pair(SSL *client, SSL *server)
{
    SSL *const sides[2] = { client, server };
    int error[2] = { SSL_ERROR_WANT_READ, SSL_ERROR_WANT_READ };
    bool over[2] = { false, false };

    /* A side whose peer failed or is done still gets its turn to read the last flight or alert. */
    for (int turn = 0; turn < TURNS_MAX && !(over[0] && over[1]); turn++) {
        int i = turn % 2;

        if (over[i]) {
            continue;
        }
        error[i] = trace_handshake(sides[i]);
        over[i] = error[i] == SSL_ERROR_NONE || error[i] == SSL_ERROR_SSL ||
                  error[i] == SSL_ERROR_SYSCALL || error[i] == SSL_ERROR_ZERO_RETURN ||
                  (error[i] == SSL_ERROR_WANT_READ && over[1 - i]);
    }
    return error[0] == SSL_ERROR_NONE && error[1] == SSL_ERROR_NONE;
}
