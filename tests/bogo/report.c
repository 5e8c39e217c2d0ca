#include "shim.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/ct.h>
#include <openssl/err.h>

static FILE *file;

void report_open(const char *prefix)
{
    char name[4096];

    if (prefix == NULL) {
        return;
    }
    snprintf(name, sizeof(name), "%sreport", prefix);
    file = fopen(name, "w");
    if (file == NULL) {
        perror(name);
        exit(1);
    }
}

void report(const char *format, ...)
{
    va_list arguments;

    if (file == NULL) {
        return;
    }
    va_start(arguments, format);
    vfprintf(file, format, arguments);
    va_end(arguments);
    fputc('\n', file);
    fflush(file); /* a crash must not take the last lines with it */
}

void report_close(void)
{
    if (file != NULL) {
        fclose(file);
    }
    file = NULL;
}

void report_errors(void)
{
    unsigned long error;

    while ((error = ERR_get_error()) != 0) {
        const char *library = ERR_lib_error_string(error);
        const char *reason = ERR_reason_error_string(error);

        library = library != NULL ? library : "unknown library";
        reason = reason != NULL ? reason : "system error";
        report("error %s: %s", library, reason);
    }
}

static void report_bytes(const char *what, const unsigned char *data, size_t length)
{
    char text[128];
    size_t used = 0;

    for (size_t i = 0; i < length && used + 3 < sizeof(text); i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%02x", data[i]);
    }
    text[used] = '\0';
    if (length > 0) {
        report("%s: %zu bytes, %s", what, length, text);
    }
}

static void report_extensions(SSL *ssl)
{
    const unsigned char *data = NULL;
    unsigned int length = 0;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const STACK_OF(SCT) *timestamps = SSL_get0_peer_scts(ssl);
    long status;

    SSL_get0_alpn_selected(ssl, &data, &length);
    report_bytes("alpn", data, length);
    data = NULL;
    length = 0;
    SSL_get0_next_proto_negotiated(ssl, &data, &length);
    report_bytes("next protocol", data, length);
    data = NULL;
    status = SSL_get_tlsext_status_ocsp_resp(ssl, &data);
    report_bytes("ocsp", data, status > 0 ? (size_t)status : 0);
    if (name != NULL) {
        report("server name %s", name);
    }
    if (timestamps != NULL) {
        report("%d timestamps", sk_SCT_num(timestamps));
    }
}

void report_connection(SSL *ssl)
{
    const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
    X509 *peer = SSL_get0_peer_certificate(ssl);
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int theirs = 0, ours = 0;

    SSL_get_peer_signature_nid(ssl, &theirs);
    SSL_get_signature_nid(ssl, &ours);
    report("%s %s, %s, group %d, signatures %d %d, reused %d, verify %ld", SSL_get_version(ssl),
           cipher != NULL ? SSL_CIPHER_get_name(cipher) : "no cipher",
           SSL_is_server(ssl) ? "server" : "client", (int)SSL_get_negotiated_group(ssl), theirs,
           ours, SSL_session_reused(ssl), SSL_get_verify_result(ssl));
    report("certificate %d, chain %d, extended master secret %d, secure renegotiation %d, early %d",
           peer != NULL, chain != NULL ? sk_X509_num(chain) : -1, (int)SSL_get_extms_support(ssl),
           (int)SSL_get_secure_renegotiation_support(ssl), SSL_get_early_data_status(ssl));
    report_extensions(ssl);
}
