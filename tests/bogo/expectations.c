#include "shim.h"

#include <stdio.h>
#include <string.h>

#include <openssl/pem.h>

static bool same(const char *what, long got, long wanted)
{
    if (got == wanted) {
        return true;
    }
    fprintf(stderr, "%s: got %ld, wanted %ld\n", what, got, wanted);
    report("unexpected %s", what);
    return false;
}

static bool same_text(const char *what, const unsigned char *got, size_t length, const char *wanted)
{
    return same(what, length == strlen(wanted) && (length == 0 || memcmp(got, wanted, length) == 0),
                1);
}

static bool same_certificates(SSL *ssl, const char *name)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    BIO *file = BIO_new_file(name, "r");
    X509 *wanted = PEM_read_bio_X509(file, NULL, NULL, NULL), *got;
    int place =
        SSL_is_server(ssl) ? 0 : 1; /* a server's chain is without the client's own certificate */
    bool equal;

    got = SSL_get0_peer_certificate(ssl);
    equal = same("certificate", wanted != NULL && got != NULL && X509_cmp(got, wanted) == 0, 1);
    X509_free(wanted);
    while (equal && (wanted = PEM_read_bio_X509(file, NULL, NULL, NULL)) != NULL) {
        got = sk_X509_value(chain, place++);
        equal = same("certificate of the chain", got != NULL && X509_cmp(got, wanted) == 0, 1);
        X509_free(wanted);
    }
    BIO_free(file);
    return equal && same("length of the chain", sk_X509_num(chain), place);
}

static bool extensions_hold(SSL *ssl, const struct config *config)
{
    const char *alpn = config->server ? config->select_alpn : config->expect_alpn;
    const struct bytes *response = &config->expect_ocsp_response;
    const unsigned char *data;
    unsigned int length;

    SSL_get0_alpn_selected(ssl, &data, &length);
    if (!same_text("alpn", data, length, alpn != NULL ? alpn : "")) {
        return false;
    }
    SSL_get0_next_proto_negotiated(ssl, &data, &length);
    if (config->expect_next_proto != NULL &&
        !same_text("next protocol", data, length, config->expect_next_proto)) {
        return false;
    }
    /* Sessions don't keep an OCSP response. */
    if (response->length > 0 && !SSL_session_reused(ssl)) {
        long got = SSL_get_tlsext_status_ocsp_resp(ssl, &data);

        return same("ocsp response",
                    got == (long)response->length &&
                        memcmp(data, response->data, response->length) == 0,
                    1);
    }
    return true;
}

static bool numbers_hold(SSL *ssl, const struct config *config)
{
    static const struct {
        int on_the_wire, nid;
    } curves[] = { { 21, NID_secp224r1 },
                   { 23, NID_X9_62_prime256v1 },
                   { 24, NID_secp384r1 },
                   { 25, NID_secp521r1 },
                   { 29, NID_X25519 } };
    int group = 0;

    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (curves[i].nid == (int)SSL_get_negotiated_group(ssl)) {
            group = curves[i].on_the_wire;
        }
    }
    if (config->expect_curve_id != 0 && !same("group", group, config->expect_curve_id)) {
        return false;
    }
    if (config->expect_cipher != 0 &&
        !same("cipher", SSL_CIPHER_get_protocol_id(SSL_get_current_cipher(ssl)),
              config->expect_cipher)) {
        return false;
    }
    if (config->expect_version != 0 && !same("version", SSL_version(ssl), config->expect_version)) {
        return false;
    }
    return !config->expect_verify_result ||
           same("verify result", SSL_get_verify_result(ssl),
                config->verify_fail ? X509_V_ERR_APPLICATION_VERIFICATION : X509_V_OK);
}

static bool session_holds(SSL *ssl, const struct connection *connection, bool resumed)
{
    const struct config *config = connection->config;
    bool wanted = resumed && !config->expect_session_miss;

    if (!same("resumption", SSL_session_reused(ssl), wanted)) {
        return false;
    }
    if (!config->server && SSL_version(ssl) < TLS1_3_VERSION && !SSL_session_reused(ssl) &&
        !same("new session", connection->got_new_session, !config->expect_no_session)) {
        return false;
    }
    if (!resumed && config->expect_session_id && !same("cached", connection->got_new_session, 1)) {
        return false;
    }
    return resumed || !config->expect_no_session_id ||
           same("cached", connection->got_new_session, 0);
}

bool expectations_hold(SSL *ssl, bool resumed)
{
    const struct connection *connection = connection_of(ssl);
    const struct config *config = connection->config;
    bool certificate = SSL_get0_peer_certificate(ssl) != NULL;
    long secure = SSL_get_secure_renegotiation_support(ssl);

    if (!same("handshake", connection->handshake_done, 1) || !numbers_hold(ssl, config) ||
        !session_holds(ssl, connection, resumed) || !extensions_hold(ssl, config)) {
        return false;
    }
    if (config->expect_extended_master_secret &&
        !same("extended master secret", SSL_get_extms_support(ssl), 1)) {
        return false;
    }
    if (config->expect_secure_renegotiation && !same("secure renegotiation", secure, 1)) {
        return false;
    }
    if (config->expect_no_secure_renegotiation && !same("secure renegotiation", secure, 0)) {
        return false;
    }
    if (config->expect_peer_cert_file != NULL &&
        !same_certificates(ssl, config->expect_peer_cert_file)) {
        return false;
    }
    if (config->psk != NULL) {
        return same("certificate", certificate, 0);
    }
    return (config->server && !config->require_any_client_certificate) ||
           same("certificate", certificate, 1);
}
