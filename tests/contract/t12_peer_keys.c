/*
 * Which signatures of a peer TLS 1.2 takes: the curve of an ECDSA certificate, signature schemes
 * that were not offered, SHA-1, Suite B, the security level. RFC 5246, 7.4.1.4.1; RFC 8422, 5.1;
 * RFC 6460. An SSL whose settings change once its ClientHello is out judges what its peer chose by
 * the new ones; so each refusal is reached without a scripted peer.
 */
#include "contract.h"

#include <openssl/err.h>

static struct identity *identities[KEY_ED448 + 1];

static const struct identity *identity_of(enum key_kind kind)
{
    if (identities[kind] == NULL) {
        identities[kind] = identity_new(kind, "localhost");
    }
    return identities[kind];
}

/* What is set on an SSL: NULL, 0: left alone. */
struct settings {
    const char *groups;
    const char *sigalgs;
    const char *ciphers;
    int level; /* of security; -1: left alone */
    unsigned cert_flags;
};

#define UNCHANGED                                                                                  \
    {                                                                                              \
        NULL, NULL, NULL, -1, 0                                                                    \
    }

static void apply(SSL *ssl, const struct settings *settings)
{
    if (settings->level >= 0) {
        SSL_set_security_level(ssl, settings->level);
    }
    if (settings->ciphers != NULL) {
        REQUIRE(SSL_set_cipher_list(ssl, settings->ciphers) == 1);
    }
    if (settings->groups != NULL) {
        REQUIRE(SSL_set1_groups_list(ssl, (uintptr_t)settings->groups) == 1);
    }
    if (settings->sigalgs != NULL) {
        REQUIRE(SSL_set1_sigalgs_list(ssl, (uintptr_t)settings->sigalgs) == 1);
    }
    if (settings->cert_flags != 0) {
        (void)SSL_set_cert_flags(ssl, settings->cert_flags);
    }
}

struct row {
    const char *title;
    enum key_kind server_key;
    int client_key; /* -1: the server does not ask for one */
    struct settings client;
    struct settings server;
    struct settings client_later; /* once the ClientHello is out */
    struct settings server_later; /* once the server's flight is out */
};

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

static void run(const struct row *row)
{
    struct pair p;

    section("%s", row->title);
    pair_init(&p, OVER_MEMORY, 0);
    SSL_certs_clear(p.server);
    identity_use_ssl(identity_of(row->server_key), p.server);
    if (row->client_key >= 0) {
        const struct identity *own = identity_of((enum key_kind)row->client_key);
        identity_use_ssl(own, p.client);
        identity_trust(own, p.server_ctx);
        SSL_set_verify(p.server, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    apply(p.client, &row->client);
    apply(p.server, &row->server);
    log_call(p.client, "SSL_do_handshake", SSL_do_handshake(p.client));
    apply(p.client, &row->client_later);
    log_call(p.server, "SSL_do_handshake", SSL_do_handshake(p.server));
    apply(p.server, &row->server_later);
    (void)log_handshake(p.client, p.server);
    log_signature(p.client);
    log_signature(p.server);
    pair_free(&p);
}

static void run_rows(const struct row *rows, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        run(&rows[i]);
    }
}

#define RUN_ROWS(rows) run_rows(rows, sizeof(rows) / sizeof((rows)[0]))

static void test_curves(void)
{
    static const struct row rows[] = {
        { "server's P-384, both have it",
          KEY_P384,
          -1,
          { "X25519:P-384", NULL, NULL, -1, 0 },
          { "X25519", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "server's P-384, which the client has no more",
          KEY_P384,
          -1,
          { "X25519:P-384", NULL, NULL, -1, 0 },
          UNCHANGED,
          { "X25519:P-256", NULL, NULL, -1, 0 },
          UNCHANGED },
        { "server's P-384, for which the client is too strict now",
          KEY_P384,
          -1,
          UNCHANGED,
          UNCHANGED,
          { NULL, NULL, NULL, 5, 0 },
          UNCHANGED },
        { "server's P-384, never in the client's list",
          KEY_P384,
          -1,
          { "X25519:P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED,
          UNCHANGED },
        { "client's P-384, both have it", KEY_P256, KEY_P384, UNCHANGED, UNCHANGED, UNCHANGED,
          UNCHANGED },
        { "client's P-384, not among the server's groups",
          KEY_P256,
          KEY_P384,
          UNCHANGED,
          { "X25519:P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "client's P-384, not among the client's groups",
          KEY_P256,
          KEY_P384,
          { "X25519:P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED,
          UNCHANGED },
        { "client's P-521, taken out of the server's groups",
          KEY_P256,
          KEY_P521,
          UNCHANGED,
          UNCHANGED,
          UNCHANGED,
          { "X25519:P-256", NULL, NULL, -1, 0 } },
        { "client's P-384, RSA server",
          KEY_RSA,
          KEY_P384,
          UNCHANGED,
          { "X25519:P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "client's Ed25519, of which no group speaks",
          KEY_P256,
          KEY_ED25519,
          { "P-256", NULL, NULL, -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "client's RSA",
          KEY_P256,
          KEY_RSA,
          { "P-256", NULL, NULL, -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "DHE and plain RSA offer no groups: client's P-384",
          KEY_RSA,
          KEY_P384,
          { NULL, NULL, "AES128-GCM-SHA256", -1, 0 },
          UNCHANGED,
          UNCHANGED,
          UNCHANGED },
        { "no groups offered, client's P-384 not the server's",
          KEY_RSA,
          KEY_P384,
          { NULL, NULL, "AES128-GCM-SHA256", -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "SHA-512 with P-256",
          KEY_P256,
          KEY_P256,
          UNCHANGED,
          { NULL, "ECDSA+SHA512", NULL, -1, 0 },
          UNCHANGED,
          UNCHANGED },
    };

    RUN_ROWS(rows);
}

static void test_schemes(void)
{
    static const struct row rows[] = {
        { "SHA-256, no more in the client's list",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA256", NULL, -1, 0 },
          UNCHANGED,
          { NULL, "RSA+SHA384", NULL, -1, 0 },
          UNCHANGED },
        { "SHA-1 was offered, level 0",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          UNCHANGED,
          UNCHANGED },
        { "SHA-1 was offered, level 1",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA1", NULL, 1, 0 },
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          UNCHANGED,
          UNCHANGED },
        { "SHA-1, no more in the list, level 0",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA256", NULL, -1, 0 },
          UNCHANGED },
        { "SHA-1, no more in the list, level 0, strict",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA256", NULL, -1, SSL_CERT_FLAG_TLS_STRICT },
          UNCHANGED },
        { "SHA-1, no more in the list, level 1",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA1", NULL, 0, 0 },
          { NULL, "RSA+SHA256", NULL, 1, 0 },
          UNCHANGED },
        { "SHA-224, no more in the list, level 0",
          KEY_RSA,
          -1,
          { NULL, "RSA+SHA224", NULL, 0, 0 },
          { NULL, "RSA+SHA224", NULL, 0, 0 },
          { NULL, "RSA+SHA256", NULL, -1, 0 },
          UNCHANGED },
        { "ECDSA with SHA-1, no more in the list, level 0",
          KEY_P256,
          -1,
          { NULL, "ECDSA+SHA1", NULL, 0, 0 },
          { NULL, "ECDSA+SHA1", NULL, 0, 0 },
          { NULL, "ECDSA+SHA256", NULL, -1, 0 },
          UNCHANGED },
        { "client's SHA-1, taken out of the server's list, level 0",
          KEY_P256,
          KEY_RSA,
          { NULL, NULL, NULL, 0, 0 },
          { NULL, "RSA+SHA1:ECDSA+SHA256", NULL, 0, 0 },
          UNCHANGED,
          { NULL, "ECDSA+SHA256", NULL, -1, 0 } },
        { "client's SHA-1, taken out, strict server",
          KEY_P256,
          KEY_RSA,
          { NULL, NULL, NULL, 0, 0 },
          { NULL, "RSA+SHA1:ECDSA+SHA256", NULL, 0, 0 },
          UNCHANGED,
          { NULL, "ECDSA+SHA256", NULL, -1, SSL_CERT_FLAG_TLS_STRICT } },
        { "client's SHA-256, taken out of the server's list",
          KEY_P256,
          KEY_RSA,
          { NULL, NULL, NULL, 0, 0 },
          { NULL, "RSA+SHA256:ECDSA+SHA256", NULL, 0, 0 },
          UNCHANGED,
          { NULL, "ECDSA+SHA256", NULL, -1, 0 } },
        { "level 5 later, RSA of 2048 bits",
          KEY_RSA,
          -1,
          UNCHANGED,
          UNCHANGED,
          { NULL, NULL, NULL, 5, 0 },
          UNCHANGED },
        { "server level 5 later, client's RSA",
          KEY_P256,
          KEY_RSA,
          UNCHANGED,
          UNCHANGED,
          UNCHANGED,
          { NULL, NULL, NULL, 5, 0 } },
    };

    RUN_ROWS(rows);
}

static void test_suite_b(void)
{
    static const struct row rows[] = {
        { "Suite B on both sides, P-256",
          KEY_P256,
          KEY_P256,
          { NULL, NULL, "SUITEB128", -1, 0 },
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B on both sides, P-384",
          KEY_P384,
          KEY_P384,
          { NULL, NULL, "SUITEB128", -1, 0 },
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B 192, P-384",
          KEY_P384,
          KEY_P384,
          { NULL, NULL, "SUITEB192", -1, 0 },
          { NULL, NULL, "SUITEB192", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B 192, P-256",
          KEY_P256,
          -1,
          { NULL, NULL, "SUITEB192", -1, 0 },
          UNCHANGED,
          UNCHANGED,
          UNCHANGED },
        { "Suite B server alone, client's P-256",
          KEY_P256,
          KEY_P256,
          UNCHANGED,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B server alone, client's RSA",
          KEY_P256,
          KEY_RSA,
          UNCHANGED,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B server alone, client's P-384",
          KEY_P256,
          KEY_P384,
          UNCHANGED,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B client alone, server's P-256",
          KEY_P256,
          -1,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED,
          UNCHANGED },
        { "Suite B client alone, server's P-384",
          KEY_P384,
          -1,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED,
          UNCHANGED },
        { "Suite B server alone, P-384",
          KEY_P384,
          -1,
          UNCHANGED,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B server, RSA key",
          KEY_RSA,
          -1,
          UNCHANGED,
          { NULL, NULL, "SUITEB128", -1, 0 },
          UNCHANGED,
          UNCHANGED },
        { "Suite B from the server's flight on, client's RSA",
          KEY_P256,
          KEY_RSA,
          UNCHANGED,
          UNCHANGED,
          UNCHANGED,
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS } },
        { "Suite B from the server's flight on, client's P-521",
          KEY_P256,
          KEY_P521,
          UNCHANGED,
          UNCHANGED,
          UNCHANGED,
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS } },
        { "Suite B from the ClientHello on, Ed25519 server",
          KEY_ED25519,
          -1,
          UNCHANGED,
          { "P-256", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
        { "Suite B 128 only from the ClientHello on, P-384 server",
          KEY_P384,
          -1,
          { NULL, NULL, "ECDHE-ECDSA-AES128-GCM-SHA256", -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS_ONLY },
          UNCHANGED },
        { "Suite B from the ClientHello on, P-384 with AES-128",
          KEY_P384,
          -1,
          { NULL, NULL, "ECDHE-ECDSA-AES128-GCM-SHA256", -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
        { "Suite B from the ClientHello on, P-256 with AES-256",
          KEY_P256,
          -1,
          { NULL, NULL, "ECDHE-ECDSA-AES256-GCM-SHA384", -1, 0 },
          { "P-384", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
        { "Suite B from the ClientHello on, P-256 with SHA-512",
          KEY_P256,
          -1,
          { "P-256", "ECDSA+SHA512", "ECDHE-ECDSA-AES128-GCM-SHA256", -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
        { "Suite B from the ClientHello on, P-256 with SHA-384",
          KEY_P256,
          -1,
          { "P-256", "ECDSA+SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256", -1, 0 },
          { "P-256", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
        { "Suite B from the ClientHello on, other suite",
          KEY_P256,
          -1,
          { "P-256", NULL, "ECDHE-ECDSA-CHACHA20-POLY1305", -1, 0 },
          UNCHANGED,
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
        { "Suite B from the ClientHello on, X25519",
          KEY_P256,
          -1,
          { "X25519:P-256", NULL, "ECDHE-ECDSA-AES128-GCM-SHA256", -1, 0 },
          { "X25519", NULL, NULL, -1, 0 },
          { NULL, NULL, NULL, -1, SSL_CERT_FLAG_SUITEB_128_LOS },
          UNCHANGED },
    };

    RUN_ROWS(rows);
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    test_curves();
    test_schemes();
    test_suite_b();
    for (size_t i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
        identity_free(identities[i]);
    }
    identity_default_free();
    return contract_finish();
}
