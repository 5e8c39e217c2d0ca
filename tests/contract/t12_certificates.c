/*
 * Certificates of TLS 1.2 beside the ordinary: points in compressed form (RFC 8422, 5.1.2), servers
 * that show another certificate than they work with (RFC 5246, 7.4.2), and which of several an
 * endpoint takes and names afterwards.
 */
#include "contract.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

static struct identity *identities[KEY_ED448 + 1];

static const struct identity *identity_of(enum key_kind kind)
{
    if (identities[kind] == NULL) {
        identities[kind] = identity_new(kind, "localhost");
    }
    return identities[kind];
}

static void log_signature(SSL *ssl)
{
    int digest = 0;
    int type = 0;
    int own_digest = 0;
    bool has_digest = SSL_get_peer_signature_nid(ssl, &digest) == 1;
    bool has_type = SSL_get_peer_signature_type_nid(ssl, &type) == 1;
    bool has_own = SSL_get_signature_nid(ssl, &own_digest) == 1;

    if (SSL_is_init_finished(ssl)) {
        note("%s: %s, group %ld", ssl_get_name(ssl), SSL_get_cipher_name(ssl),
             (long)SSL_get_negotiated_group(ssl));
    } else {
        note("%s: %s", ssl_get_name(ssl), SSL_get_cipher_name(ssl));
    }
    note("%s: peer's digest %d %d, type %d %d, own digest %d %d", ssl_get_name(ssl), has_digest,
         digest, has_type, type, has_own, own_digest);
}

/* Takes the compressed forms out of the ec_point_formats that wait in a memory BIO. */
static void forget_point_formats(SSL *ssl)
{
    static const unsigned char all[] = { 0, 11, 0, 4, 3, 0, 1, 2 };
    char *data;
    long len = BIO_get_mem_data(SSL_get_rbio(ssl), &data);

    long i = 0;

    while (i + (long)sizeof(all) <= len && memcmp(data + i, all, sizeof(all)) != 0) {
        i++;
    }
    REQUIRE(i + (long)sizeof(all) <= len);
    memset(data + i + 5, 0, 3);
}

static int on_cert(SSL *ssl, void *arg)
{
    const struct identity *own = arg;

    note("%s: chain %x", ssl_get_name(ssl),
         (unsigned)SSL_check_chain(ssl, own->cert, own->key, NULL));
    return 1;
}

/* A key whose point is compressed in the certificate: RFC 8422, 5.1.2. Whether the peer announced
 * that form does not matter to either side; the Finished does not fit where it was edited. */
static void test_point_form(void)
{
    for (int i = 0; i < 4; i++) {
        bool is_server = i % 2 == 0;
        struct identity *own = identity_new(KEY_P384, "localhost");
        struct pair p;

        section("a compressed point, %s, %s", is_server ? "server" : "client",
                i / 2 == 0 ? "announced" : "not announced");
        REQUIRE(EVP_PKEY_set_utf8_string_param(own->key, "point-format", "compressed") == 1);
        REQUIRE(X509_set_pubkey(own->cert, own->key) == 1 &&
                X509_sign(own->cert, own->key, EVP_sha384()) > 0);
        pair_init(&p, OVER_MEMORY, 0);
        if (is_server) {
            SSL_certs_clear(p.server);
        } else {
            SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
            identity_trust(own, p.server_ctx);
        }
        identity_use_ssl(own, is_server ? p.server : p.client);
        SSL_set_cert_cb(p.server, on_cert, own);
        SSL_set_cert_cb(p.client, on_cert, own);
        (void)SSL_do_handshake(p.client);
        if (i == 3) {
            forget_point_formats(p.server);
        }
        (void)SSL_do_handshake(p.server);
        if (i == 2) {
            forget_point_formats(p.client);
        }
        (void)log_handshake(p.client, p.server);
        log_signature(p.client);
        log_signature(p.server);
        pair_free(&p);
        identity_free(own);
    }
}

/* --- A server that shows another certificate than it works with --- */

/* In a memory BIO that holds a server's first flight, the Certificate message is replaced. */
static void replace_certificate(BIO *bio, X509 *cert)
{
    unsigned char flight[16384], message[4096], *der = message + 15;
    int len = BIO_read(bio, flight, sizeof(flight));
    int der_len = i2d_X509(cert, &der);
    bool found = false;

    REQUIRE(len > 0 && der_len > 0 && der_len < 4000);
    memcpy(message, "\x16\x03\x03\0\0\x0b\0\0\0\0\0\0\0\0\0", 15);
    for (int at = 0; at < 4; at++) { /* record, message, list, certificate: two bytes suffice */
        static const int ends[] = { 5, 9, 12, 15 };
        int body = der_len + 15 - ends[at];

        message[ends[at] - 2] = (unsigned char)(body >> 8);
        message[ends[at] - 1] = (unsigned char)body;
    }
    for (int at = 0; at + 5 < len;) {
        int record = 5 + (flight[at + 3] << 8 | flight[at + 4]);

        if (flight[at] == 22 && flight[at + 5] == 11) {
            REQUIRE(BIO_write(bio, message, der_len + 15) == der_len + 15);
            found = true;
        } else {
            REQUIRE(BIO_write(bio, flight + at, record) == record);
        }
        at += record;
    }
    REQUIRE(found);
}

static X509 *for_usage(const struct identity *identity, const char *usage)
{
    X509 *cert = X509_dup(identity->cert);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
    int at = cert != NULL ? X509_get_ext_by_NID(cert, NID_key_usage, -1) : -1;

    REQUIRE(cert != NULL && extension != NULL);
    if (at >= 0) {
        X509_EXTENSION_free(X509_delete_ext(cert, at));
    }
    REQUIRE(X509_add_ext(cert, extension, -1) == 1);
    REQUIRE(X509_sign(cert, identity->key, EVP_sha256()) > 0);
    X509_EXTENSION_free(extension);
    return cert;
}

static void test_other_certificate(void)
{
    static const struct {
        enum key_kind server;
        const char *suite;
        enum key_kind shown;
        const char *usage; /* NULL: the certificate as it is */
    } rows[] = {
        { KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256", KEY_P256, "digitalSignature" },
        { KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256", KEY_P256, "keyAgreement" },
        { KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256", KEY_P384, NULL },
        { KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256", KEY_ED25519, NULL },
        { KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256", KEY_RSA, NULL },
        { KEY_RSA, "ECDHE-RSA-AES128-GCM-SHA256", KEY_RSA, "keyEncipherment" },
        { KEY_RSA, "ECDHE-RSA-AES128-GCM-SHA256", KEY_RSA_PSS, NULL },
        { KEY_RSA, "ECDHE-RSA-AES128-GCM-SHA256", KEY_P256, NULL },
        { KEY_RSA, "AES128-GCM-SHA256", KEY_RSA, "digitalSignature" },
        { KEY_RSA, "AES128-GCM-SHA256", KEY_RSA_PSS, NULL },
        { KEY_RSA, "AES128-GCM-SHA256", KEY_P256, NULL },
        { KEY_RSA, "AES128-GCM-SHA256", KEY_ED25519, NULL },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct identity *shown = identity_of(rows[i].shown);
        X509 *cert = rows[i].usage != NULL ? for_usage(shown, rows[i].usage) : NULL;
        struct pair p;

        section("%s, certificate of kind %d for %s", rows[i].suite, (int)rows[i].shown,
                rows[i].usage != NULL ? rows[i].usage : "anything");
        pair_init(&p, OVER_MEMORY, 0);
        SSL_certs_clear(p.server);
        identity_use_ssl(identity_of(rows[i].server), p.server);
        REQUIRE(SSL_set_cipher_list(p.client, rows[i].suite) == 1);
        (void)SSL_do_handshake(p.client);
        (void)SSL_do_handshake(p.server);
        replace_certificate(SSL_get_rbio(p.client), cert != NULL ? cert : shown->cert);
        log_call(p.client, "SSL_do_handshake", SSL_do_handshake(p.client));
        log_signature(p.client);
        pair_free(&p);
        X509_free(cert);
    }
}

/* --- Which of its own a side takes when it has several --- */

static void test_several(void)
{
    static const enum key_kind kinds[] = { KEY_RSA, KEY_P256, KEY_ED25519 };
    static const char *const sigalgs[] = { NULL, "RSA+SHA256", "ECDSA+SHA256", "ed25519" };

    for (size_t i = 0; i < 24; i++) {
        const char *list = sigalgs[i % 4];
        enum key_kind last = kinds[i / 4 % 3];
        bool is_client = i >= 12;
        struct pair p;
        SSL *of;

        section("%s, kind %d set last, the peer's list %s", is_client ? "client" : "server",
                (int)last, list != NULL ? list : "default");
        pair_init(&p, OVER_MEMORY, 0);
        of = is_client ? p.client : p.server;
        SSL_certs_clear(of);
        for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
            identity_use_ssl(identity_of(kinds[k]), of);
        }
        REQUIRE(SSL_use_certificate(of, identity_of(last)->cert) == 1);
        if (is_client) {
            SSL_set_verify(p.server, SSL_VERIFY_PEER, NULL);
            for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
                identity_trust(identity_of(kinds[k]), p.server_ctx);
            }
            if (list != NULL) {
                REQUIRE(SSL_set1_client_sigalgs_list(p.server, (uintptr_t)list) == 1);
            }
        } else if (list != NULL) {
            REQUIRE(SSL_set1_sigalgs_list(p.client, (uintptr_t)list) == 1);
        }
        (void)log_handshake(p.client, p.server);
        log_signature(p.client);
        log_signature(p.server);
        note("own certificate now: %s",
             SSL_get_certificate(of) != NULL
                 ? EVP_PKEY_get0_type_name(X509_get0_pubkey(SSL_get_certificate(of)))
                 : "none");
        pair_free(&p);
    }
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    test_point_form();
    test_other_certificate();
    test_several();
    for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
        identity_free(identities[i]);
    }
    identity_default_free();
    return contract_finish();
}
