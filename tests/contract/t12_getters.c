/*
 * What TLS 1.2's connections tell about themselves, by key exchange: secrets that both sides share,
 * key log, exporters, Finished messages, lists of suites, and what a renegotiation changes of it.
 * (The moments of a handshake: tls12_hs_getters.)
 * Manual pages: SSL_get_current_cipher(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASTER_LEN 48
#define LINES_MAX  8

struct lines {
    char *text[LINES_MAX];
    size_t num;
};

static struct lines of_client;
static struct lines of_server;

static void on_keylog(const SSL *ssl, const char *line)
{
    struct lines *lines = SSL_is_server(ssl) ? &of_server : &of_client;

    REQUIRE(lines->num < LINES_MAX);
    lines->text[lines->num] = strdup(line);
    REQUIRE(lines->text[lines->num++] != NULL);
}

static void forget(struct lines *lines)
{
    for (size_t i = 0; i < lines->num; i++) {
        free(lines->text[i]);
    }
    lines->num = 0;
}

static void prepare(struct pair *p, enum key_kind kind, const char *suite)
{
    struct identity *identity = identity_new(kind, "localhost");
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();

    SSL_CTX_set_keylog_callback(client_ctx, on_keylog);
    SSL_CTX_set_keylog_callback(server_ctx, on_keylog);
    (void)SSL_CTX_set_dh_auto(server_ctx, 1);
    (void)SSL_CTX_set_options(server_ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    identity_use_ctx(identity, server_ctx);
    REQUIRE(SSL_CTX_set_cipher_list(client_ctx, suite) == 1);
    pair_init_ctx(p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_certs_clear(p->server);
    identity_use_ssl(identity, p->server);
    identity_free(identity);
}

static void to_hex(char *out, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        (void)snprintf(out + 2 * i, 3, "%02x", data[i]);
    }
}

/* "CLIENT_RANDOM random master", the NSS key log format. */
static void check_keylog(const struct pair *p, const uint8_t master[MASTER_LEN])
{
    uint8_t random[32];
    char expected[256] = "CLIENT_RANDOM ";
    bool found[2] = { false, false };

    REQUIRE(SSL_get_client_random(p->client, random, 32) == 32);
    to_hex(expected + 14, random, 32);
    expected[14 + 64] = ' ';
    to_hex(expected + 14 + 65, master, MASTER_LEN);
    for (size_t i = 0; i < of_client.num; i++) {
        note("client's line %.*s, %zu characters", (int)strcspn(of_client.text[i], " "),
             of_client.text[i], strlen(of_client.text[i]));
        found[0] |= strcmp(of_client.text[i], expected) == 0;
    }
    for (size_t i = 0; i < of_server.num; i++) {
        note("server's line %.*s, %zu characters", (int)strcspn(of_server.text[i], " "),
             of_server.text[i], strlen(of_server.text[i]));
        found[1] |= strcmp(of_server.text[i], expected) == 0;
    }
    CHECK(found[0] && found[1]);
}

static void check_master(const struct pair *p, uint8_t master[MASTER_LEN])
{
    uint8_t other[64];
    const SSL_SESSION *client = SSL_get_session(p->client);
    const SSL_SESSION *server = SSL_get_session(p->server);

    note("master key %zu %zu, room for none %zu, for 10 %zu",
         SSL_SESSION_get_master_key(client, master, MASTER_LEN),
         SSL_SESSION_get_master_key(server, other, sizeof(other)),
         SSL_SESSION_get_master_key(client, NULL, 0),
         SSL_SESSION_get_master_key(client, other, 10));
    REQUIRE(SSL_SESSION_get_master_key(server, other, sizeof(other)) == MASTER_LEN);
    CHECK(memcmp(master, other, MASTER_LEN) == 0);
}

/* RFC 5705, 4: a context that is there and empty is not the same as none. */
static void check_exporter(const struct pair *p, uint8_t out[40])
{
    uint8_t other[40];

    CHECK(SSL_export_keying_material(p->client, out, 40, "EXPERIMENTAL x", 14, NULL, 0, 0) == 1);
    CHECK(SSL_export_keying_material(p->server, other, 40, "EXPERIMENTAL x", 14, NULL, 0, 0) == 1);
    CHECK(memcmp(out, other, 40) == 0);
    CHECK(SSL_export_keying_material(p->client, other, 40, "EXPERIMENTAL x", 14,
                                     (const unsigned char *)"", 0, 1) == 1);
    CHECK(memcmp(out, other, 40) != 0);
}

static void reserved_labels(SSL *ssl)
{
    static const char *const labels[] = { "client finished", "server finished",
                                          "master secret",   "extended master secret",
                                          "key expansion",   "client finished x",
                                          "xmaster secret",  "" };
    uint8_t out[16];

    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        note("label '%s': %d", labels[i],
             SSL_export_keying_material(ssl, out, sizeof(out), labels[i], strlen(labels[i]), NULL,
                                        0, 0));
        log_errors("error");
    }
}

/* What one side sent is what the other saw; returns both. */
static void check_finished(const struct pair *p, uint8_t client[12], uint8_t server[12])
{
    uint8_t seen[64];
    size_t len = SSL_get_finished(p->client, client, 12);

    CHECK(len == 12 && SSL_get_peer_finished(p->server, seen, sizeof(seen)) == 12);
    CHECK(memcmp(client, seen, 12) == 0);
    len = SSL_get_finished(p->server, server, 12);
    CHECK(len == 12 && SSL_get_peer_finished(p->client, seen, sizeof(seen)) == 12);
    CHECK(memcmp(server, seen, 12) == 0 && memcmp(client, server, 12) != 0);
}

static void log_suite(SSL *ssl)
{
    const SSL_CIPHER *suite = SSL_get_current_cipher(ssl);
    const SSL_SESSION *session = SSL_get_session(ssl);
    unsigned id_len = 99;
    int secret = 0;
    int bits = SSL_get_cipher_bits(ssl, &secret);
    char list[2048];

    (void)SSL_SESSION_get_id(session, &id_len);
    note("%s: %s %s %s bits %d %d, kx %d auth %d digest %d aead %d", ssl_get_name(ssl),
         SSL_get_cipher(ssl), SSL_CIPHER_standard_name(suite), SSL_get_cipher_version(ssl), bits,
         secret, SSL_CIPHER_get_kx_nid(suite), SSL_CIPHER_get_auth_nid(suite),
         SSL_CIPHER_get_digest_nid(suite), SSL_CIPHER_is_aead(suite));
    note("  EMS %d, secure renegotiation %d, pending suite %d", (int)SSL_get_extms_support(ssl),
         (int)SSL_get_secure_renegotiation_support(ssl), SSL_get_pending_cipher(ssl) != NULL);
    note("  session: id %u, ticket %d, resumable %d, suite %d, version %x, reused %d", id_len,
         SSL_SESSION_has_ticket(session), SSL_SESSION_is_resumable(session),
         SSL_SESSION_get0_cipher(session) == suite,
         (unsigned)SSL_SESSION_get_protocol_version(session), SSL_session_reused(ssl));
    note("  shared suites %s",
         SSL_get_shared_ciphers(ssl, list, sizeof(list)) != NULL ? list : "-");
}

static void by_key_exchange(enum key_kind kind, const char *suite)
{
    uint8_t master[MASTER_LEN], again[MASTER_LEN], material[40], material_again[40];
    uint8_t client[12], server[12], client_again[12], server_again[12];
    struct pair p;

    section("%s", suite);
    prepare(&p, kind, suite);
    CHECK(log_handshake(p.client, p.server));
    check_master(&p, master);
    check_keylog(&p, master);
    check_exporter(&p, material);
    reserved_labels(p.client);
    check_finished(&p, client, server);
    log_suite(p.client);
    log_suite(p.server);
    forget(&of_client);
    forget(&of_server);
    note("renegotiation");
    CHECK(SSL_renegotiate(p.client) == 1 && SSL_do_handshake(p.client) == -1);
    log_alive(p.client, p.server);
    check_master(&p, again);
    CHECK(memcmp(master, again, MASTER_LEN) != 0);
    check_keylog(&p, again);
    check_exporter(&p, material_again);
    CHECK(memcmp(material, material_again, sizeof(material)) != 0);
    check_finished(&p, client_again, server_again);
    CHECK(memcmp(client, client_again, 12) != 0 && memcmp(server, server_again, 12) != 0);
    log_suite(p.client);
    log_suite(p.server);
    forget(&of_client);
    forget(&of_server);
    pair_free(&p);
}

static void log_temporary(SSL *ssl, const char *moment)
{
    EVP_PKEY *own = NULL;
    EVP_PKEY *peer = NULL;
    long has_own = SSL_get_tmp_key(ssl, &own);
    long has_peer = SSL_get_peer_tmp_key(ssl, &peer);

    note("%s, %s: own %ld %s %d, peer's %ld %s %d", ssl_get_name(ssl), moment, has_own,
         own != NULL ? EVP_PKEY_get0_type_name(own) : "-", own != NULL ? EVP_PKEY_get_bits(own) : 0,
         has_peer, peer != NULL ? EVP_PKEY_get0_type_name(peer) : "-",
         peer != NULL ? EVP_PKEY_get_bits(peer) : 0);
    EVP_PKEY_free(own);
    EVP_PKEY_free(peer);
}

static int log_both(SSL *ssl, const char *moment)
{
    log_temporary(ssl, moment);
    return 1;
}

static int on_cert(SSL *ssl, void *arg)
{
    (void)arg;
    return log_both(ssl, "cert_cb");
}

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    return log_both(X509_STORE_CTX_get_ex_data(ctx, SSL_get_ex_data_X509_STORE_CTX_idx()),
                    "verify callback");
}

/* RFC 5246, 7.4.3: ephemeral keys, and while which message either side can name them. */
static void temporary_keys(enum key_kind kind, const char *suite, const char *groups)
{
    struct pair p;

    section("ephemeral keys, %s, %s", suite, groups);
    prepare(&p, kind, suite);
    REQUIRE(SSL_set1_groups_list(p.client, (uintptr_t)groups) == 1);
    identity_use_ssl(identity_default(), p.client);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, on_verify);
    SSL_set_verify(p.server, SSL_VERIFY_PEER, on_verify);
    SSL_set_cert_cb(p.client, on_cert, NULL);
    SSL_set_cert_cb(p.server, on_cert, NULL);
    for (int i = 0; i < 3; i++) {
        (void)SSL_do_handshake(p.client);
        log_temporary(p.client, "between");
        (void)SSL_do_handshake(p.server);
        log_temporary(p.server, "between");
    }
    CHECK(SSL_is_init_finished(p.client) && SSL_is_init_finished(p.server));
    note("renegotiation");
    CHECK(SSL_renegotiate(p.client) == 1);
    for (int i = 0; i < 3; i++) {
        (void)SSL_do_handshake(p.client);
        log_temporary(p.client, "between");
        (void)SSL_read(p.server, NULL, 0);
        log_temporary(p.server, "between");
    }
    forget(&of_client);
    forget(&of_server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    by_key_exchange(KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256");
    by_key_exchange(KEY_RSA, "ECDHE-RSA-AES256-SHA384");
    by_key_exchange(KEY_RSA, "DHE-RSA-CHACHA20-POLY1305");
    by_key_exchange(KEY_RSA, "AES256-SHA");
    temporary_keys(KEY_P256, "ECDHE-ECDSA-AES128-GCM-SHA256", "P-384:P-256");
    temporary_keys(KEY_RSA, "ECDHE-RSA-AES128-GCM-SHA256", "X448:P-256");
    temporary_keys(KEY_RSA, "DHE-RSA-AES128-GCM-SHA256", "P-256");
    temporary_keys(KEY_RSA, "AES128-GCM-SHA256", "P-256");
    identity_default_free();
    return contract_finish();
}
