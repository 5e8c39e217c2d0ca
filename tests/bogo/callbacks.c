#include "shim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

/* ---- what the library tells of -----------------------------------------------------------------
 */

static void info_callback(const SSL *ssl, int where, int value)
{
    struct connection *connection = connection_of(ssl);

    if (where & SSL_CB_ALERT) {
        report("alert %s %s %s", where & SSL_CB_WRITE ? "sent" : "received",
               SSL_alert_type_string_long(value), SSL_alert_desc_string_long(value));
    }
    if (!(where & SSL_CB_HANDSHAKE_DONE)) {
        return;
    }
    report("handshake done");
    if (connection->config->handshake_never_done) {
        fputs("the handshake should never be done\n", stderr);
        exit(1);
    }
    connection->handshake_done = true;
}

static void message_callback(int writing, int version, int type, const void *data, size_t length,
                             SSL *ssl, void *argument)
{
    const unsigned char *bytes = data;

    (void)version;
    (void)ssl;
    (void)argument;
    if (type == SSL3_RT_HANDSHAKE && length > 0) {
        report("%s handshake message %d", writing ? "write" : "read", bytes[0]);
    } else if (type == SSL3_RT_CHANGE_CIPHER_SPEC || type == SSL3_RT_ALERT) {
        report("%s %s", writing ? "write" : "read",
               type == SSL3_RT_ALERT ? "alert" : "change cipher spec");
    }
}

static int new_session_callback(SSL *ssl, SSL_SESSION *session)
{
    struct connection *connection = connection_of(ssl);

    report("new session, early data %u", SSL_SESSION_get_max_early_data(session));
    connection->got_new_session = true;
    SSL_SESSION_free(connection->new_session);
    connection->new_session = session;
    return 1;
}

/* ---- names and protocols -----------------------------------------------------------------------
 */

static int server_name_callback(SSL *ssl, int *alert, void *argument)
{
    const char *wanted = connection_of(ssl)->config->expect_server_name;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)argument;
    if (wanted == NULL || (name != NULL && strcmp(name, wanted) == 0)) {
        return SSL_TLSEXT_ERR_OK;
    }
    fprintf(stderr, "server name %s, wanted %s\n", name != NULL ? name : "(none)", wanted);
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int alpn_callback(SSL *ssl, const unsigned char **out, unsigned char *out_length,
                         const unsigned char *offered, unsigned int length, void *argument)
{
    const struct config *config = connection_of(ssl)->config;
    const char *wanted = config->expect_advertised_alpn;

    (void)argument;
    if (wanted != NULL && (strlen(wanted) != length || memcmp(wanted, offered, length) != 0)) {
        fputs("other protocols were offered\n", stderr);
        exit(1);
    }
    if (config->decline_alpn) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    if (config->reject_alpn) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *out = (const unsigned char *)(config->select_alpn != NULL ? config->select_alpn : "");
    *out_length = (unsigned char)strlen((const char *)*out);
    return SSL_TLSEXT_ERR_OK;
}

static int npn_advertise_callback(SSL *ssl, const unsigned char **out, unsigned int *length,
                                  void *argument)
{
    const char *protocols = connection_of(ssl)->config->advertise_npn;

    (void)argument;
    *out = (const unsigned char *)protocols;
    *length = (unsigned int)strlen(protocols);
    return SSL_TLSEXT_ERR_OK;
}

static int npn_select_callback(SSL *ssl, unsigned char **out, unsigned char *out_length,
                               const unsigned char *offered, unsigned int length, void *argument)
{
    const char *protocol = connection_of(ssl)->config->select_next_proto;

    (void)offered;
    (void)length;
    (void)argument;
    *out = (unsigned char *)protocol;
    *out_length = (unsigned char)strlen(protocol);
    return SSL_TLSEXT_ERR_OK;
}

/* ---- certificates ------------------------------------------------------------------------------
 */

static bool install_ocsp_response(SSL *ssl, const struct config *config)
{
    const struct bytes *response = &config->ocsp_response;
    void *copy;

    if (response->length == 0) {
        return true;
    }
    copy = OPENSSL_memdup(response->data, response->length); /* the SSL frees it */
    return copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)response->length) == 1;
}

bool callbacks_install_certificate(SSL *ssl)
{
    const struct config *config = connection_of(ssl)->config;

    if (config->key_file != NULL &&
        SSL_use_PrivateKey_file(ssl, config->key_file, SSL_FILETYPE_PEM) != 1) {
        return false;
    }
    if (config->cert_file != NULL && SSL_use_certificate_chain_file(ssl, config->cert_file) != 1) {
        return false;
    }
    return config->set_ocsp_in_callback || install_ocsp_response(ssl, config);
}

/* What a server asked its client for. */
static void report_request(SSL *ssl)
{
    const unsigned char *types;
    size_t count = SSL_get0_certificate_types(ssl, &types);

    for (size_t i = 0; i < count; i++) {
        report("certificate type %d", types[i]);
    }
    report("%d names of authorities", sk_X509_NAME_num(SSL_get0_peer_CA_list(ssl)));
}

static int certificate_callback(SSL *ssl, void *argument)
{
    struct connection *connection = connection_of(ssl);
    const struct config *config = connection->config;

    (void)argument;
    report("certificate callback");
    if (!SSL_is_server(ssl)) {
        report_request(ssl);
    }
    if (config->fail_cert_callback) {
        return 0;
    }
    if (!config->async || config->use_early_callback) {
        return 1;
    }
    if (!connection->certificate_ready) {
        return -1;
    }
    return callbacks_install_certificate(ssl);
}

static int client_certificate_callback(SSL *ssl, X509 **certificate, EVP_PKEY **key)
{
    struct connection *connection = connection_of(ssl);
    const struct config *config = connection->config;
    BIO *file;

    report("client certificate callback");
    report_request(ssl);
    if (config->async && !connection->certificate_ready) {
        return -1;
    }
    if (config->cert_file == NULL || config->key_file == NULL) {
        return 0;
    }
    file = BIO_new_file(config->cert_file, "r");
    *certificate = PEM_read_bio_X509(file, NULL, NULL, NULL);
    BIO_free(file);
    file = BIO_new_file(config->key_file, "r");
    *key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
    BIO_free(file);
    return *certificate != NULL && *key != NULL ? 1 : -1;
}

static int verify_callback(X509_STORE_CTX *store, void *argument)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct connection *connection = connection_of(ssl);

    (void)argument;
    report("verify callback");
    /* Only a client may ask for time. */
    if (connection->config->use_custom_verify_callback && connection->config->async &&
        !SSL_is_server(ssl) && !connection->verification_ready) {
        return SSL_set_retry_verify(ssl);
    }
    if (!connection->config->verify_fail) {
        return 1;
    }
    X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
    return 0;
}

static int client_hello_callback(SSL *ssl, int *alert, void *argument)
{
    struct connection *connection = connection_of(ssl);
    const struct config *config = connection->config;

    (void)argument;
    report("hello callback");
    if (config->fail_early_callback) {
        *alert = SSL_AD_HANDSHAKE_FAILURE;
        return SSL_CLIENT_HELLO_ERROR;
    }
    if (config->async && !connection->hello_ready) {
        return SSL_CLIENT_HELLO_RETRY;
    }
    return !config->use_early_callback || callbacks_install_certificate(ssl)
               ? SSL_CLIENT_HELLO_SUCCESS
               : SSL_CLIENT_HELLO_ERROR;
}

static int status_callback(SSL *ssl, void *argument)
{
    const struct config *config = connection_of(ssl)->config;

    (void)argument;
    report("status callback");
    if (!SSL_is_server(ssl)) {
        return !config->fail_ocsp_callback;
    }
    if (config->set_ocsp_in_callback && !install_ocsp_response(ssl, config)) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    if (config->fail_ocsp_callback) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return config->decline_ocsp_callback ? SSL_TLSEXT_ERR_NOACK : SSL_TLSEXT_ERR_OK;
}

/* ---- tickets and keys that both sides know -----------------------------------------------------
 */

/* A ticket's keys are all zero, so that every connection has the same. */
static int ticket_callback(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                           EVP_MAC_CTX *mac, int encrypting)
{
    static unsigned char zeros[16];
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, zeros, sizeof(zeros)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };

    report("ticket callback %d", encrypting);
    if (encrypting) {
        memset(name, 0, sizeof(zeros));
        if (RAND_bytes(iv, 16) != 1) {
            return -1;
        }
    } else if (memcmp(name, zeros, sizeof(zeros)) != 0) {
        return 0;
    }
    if (!EVP_MAC_CTX_set_params(mac, parameters) ||
        !EVP_CipherInit_ex(cipher, EVP_aes_128_cbc(), NULL, zeros, iv, encrypting)) {
        return -1;
    }
    return !encrypting && connection_of(ssl)->config->renew_ticket ? 2 : 1;
}

static unsigned int psk_of(const struct config *config, unsigned char *key, unsigned int capacity)
{
    size_t length = strlen(config->psk);

    if (length > capacity) {
        return 0;
    }
    memcpy(key, config->psk, length);
    return (unsigned int)length;
}

static unsigned int psk_client_callback(SSL *ssl, const char *hint, char *identity,
                                        unsigned int identity_capacity, unsigned char *key,
                                        unsigned int key_capacity)
{
    const struct config *config = connection_of(ssl)->config;
    const char *ours = config->psk_identity != NULL ? config->psk_identity : "";

    report("key callback, hint %s", hint != NULL ? hint : "(none)");
    if (strcmp(hint != NULL ? hint : "", ours) != 0 || strlen(ours) >= identity_capacity) {
        fputs("another hint of the key was wanted\n", stderr);
        return 0;
    }
    memcpy(identity, ours, strlen(ours) + 1);
    return psk_of(config, key, key_capacity);
}

static unsigned int psk_server_callback(SSL *ssl, const char *identity, unsigned char *key,
                                        unsigned int capacity)
{
    const struct config *config = connection_of(ssl)->config;

    report("key callback, identity %s", identity);
    if (strcmp(identity, config->psk_identity != NULL ? config->psk_identity : "") != 0) {
        fputs("another identity was wanted\n", stderr);
        return 0;
    }
    return psk_of(config, key, capacity);
}

/* ---- which of them -----------------------------------------------------------------------------
 */

void callbacks_of_context(SSL_CTX *ctx, const struct config *config)
{
    bool alpn = config->select_alpn != NULL || config->decline_alpn || config->reject_alpn ||
                config->select_empty_alpn;
    bool hello = config->use_early_callback || config->fail_early_callback;

    SSL_CTX_set_info_callback(ctx, info_callback);
    SSL_CTX_set_msg_callback(ctx, message_callback);
    SSL_CTX_sess_set_new_cb(ctx, new_session_callback);
    SSL_CTX_set_cert_verify_callback(ctx, verify_callback, NULL);
    SSL_CTX_set_next_protos_advertised_cb(
        ctx, config->advertise_npn != NULL ? npn_advertise_callback : NULL, NULL);
    SSL_CTX_set_next_proto_select_cb(
        ctx, config->select_next_proto != NULL ? npn_select_callback : NULL, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, alpn ? alpn_callback : NULL, NULL);
    SSL_CTX_set_tlsext_servername_callback(ctx, server_name_callback);
    SSL_CTX_set_client_cert_cb(
        ctx, config->use_old_client_cert_callback ? client_certificate_callback : NULL);
    SSL_CTX_set_client_hello_cb(ctx, hello ? client_hello_callback : NULL, NULL);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, config->use_ticket_callback ? ticket_callback : NULL);
    if (config->use_ocsp_callback || config->ocsp_response.length > 0) {
        SSL_CTX_set_tlsext_status_cb(ctx, status_callback);
    }
}

void callbacks_of_ssl(SSL *ssl, const struct config *config)
{
    if (!config->use_old_client_cert_callback) {
        SSL_set_cert_cb(ssl, certificate_callback, NULL);
    }
    if (config->psk != NULL) {
        SSL_set_psk_client_callback(ssl, psk_client_callback);
        SSL_set_psk_server_callback(ssl, psk_server_callback);
    }
}
