/*
 * External pre-shared keys in TLS 1.3 (RFC 8446, 2.2, 4.2.11): all four callbacks, in which order
 * they are asked and with what, what their answers come to, beside a ticket and across a
 * HelloRetryRequest.
 * Manual pages: SSL_CTX_set_psk_client_callback(3).
 */
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

static const unsigned char the_key[32] = "a key that both sides know of it";

/* What the callbacks answer. */
struct answers {
    int result;          /* of the callback that hands over a session */
    unsigned char suite; /* 0x13xx; 0: no session */
    int version;
    const char *identity; /* the client's, or the one that the server knows */
    unsigned key_len;     /* of the old callbacks */
    int wrong_key;
};

static struct answers client_answers;
static struct answers server_answers;

static SSL_SESSION *make_session(SSL *ssl, const struct answers *a)
{
    const unsigned char id[] = { 0x13, a->suite };
    unsigned char key[32];
    SSL_SESSION *session = SSL_SESSION_new();

    memcpy(key, the_key, sizeof(key));
    key[0] ^= (unsigned char)a->wrong_key;
    REQUIRE(session != NULL && SSL_SESSION_set1_master_key(session, key, sizeof(key)) == 1 &&
            SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, id)) == 1 &&
            SSL_SESSION_set_protocol_version(session, a->version) == 1);
    return session;
}

static int use_session(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_len,
                       SSL_SESSION **session)
{
    const struct answers *a = &client_answers;

    note("  asked for a session to use, digest %s", md != NULL ? EVP_MD_get0_name(md) : "any");
    *session = a->suite != 0 ? make_session(ssl, a) : NULL;
    *id = (const unsigned char *)a->identity;
    *id_len = strlen(a->identity);
    return a->result;
}

static int find_session(SSL *ssl, const unsigned char *id, size_t id_len, SSL_SESSION **session)
{
    const struct answers *a = &server_answers;
    int known = id_len == strlen(a->identity) && memcmp(id, a->identity, id_len) == 0;

    note("  asked for the session of %s", known ? "the identity" : "another identity");
    /* A callback that fails gives nothing: neither library frees it. */
    *session = known && a->suite != 0 && a->result == 1 ? make_session(ssl, a) : NULL;
    return a->result;
}

static unsigned give_key(SSL *ssl, const char *hint, char *identity, unsigned max_identity,
                         unsigned char *key, unsigned max_key)
{
    const struct answers *a = &client_answers;

    (void)ssl;
    note("  asked for a key, hint %s, room %u and %u", hint != NULL ? hint : "none", max_identity,
         max_key);
    strcpy(identity, a->identity);
    memcpy(key, the_key, a->key_len <= 32 ? a->key_len : 32);
    return a->key_len;
}

static unsigned find_key(SSL *ssl, const char *identity, unsigned char *key, unsigned max_key)
{
    const struct answers *a = &server_answers;

    (void)ssl;
    note("  asked for the key of %s, room %u",
         strcmp(identity, a->identity) == 0 ? "the identity" : "another identity", max_key);
    if (strcmp(identity, a->identity) != 0) {
        return 0;
    }
    memcpy(key, the_key, a->key_len <= 32 ? a->key_len : 32);
    key[0] ^= (unsigned char)a->wrong_key;
    return a->key_len;
}

enum callbacks { NEW = 1, OLD = 2 };

static void begin(struct site *site, int client, int server)
{
    static const struct answers good = { 1, 0x01, TLS1_3_VERSION, "somebody", 32, 0 };

    site_init_version(site, TLS1_3_VERSION);
    client_answers = server_answers = good;
    if ((client & NEW) != 0) {
        SSL_CTX_set_psk_use_session_callback(site->client_ctx, use_session);
    }
    if ((client & OLD) != 0) {
        SSL_CTX_set_psk_client_callback(site->client_ctx, give_key);
    }
    if ((server & NEW) != 0) {
        SSL_CTX_set_psk_find_session_callback(site->server_ctx, find_session);
    }
    if ((server & OLD) != 0) {
        SSL_CTX_set_psk_server_callback(site->server_ctx, find_key);
    }
}

static void log_identity(const struct site *site)
{
    const char *client = SSL_get_psk_identity(site->pair.client);
    const char *server = SSL_get_psk_identity(site->pair.server);

    note("identities: %s, %s", client != NULL ? client : "-", server != NULL ? server : "-");
}

static void visit(struct site *site, int times)
{
    for (int i = 0; i < times; i++) {
        site_begin(site);
        if (SSL_get_error(site->pair.client, SSL_do_handshake(site->pair.client)) ==
            SSL_ERROR_SSL) {
            note("no hello");
            /* OpenSSL adds what its memory functions say of an empty identity. */
            if (client_answers.identity[0] != '\0') {
                log_errors("error");
            }
            errors_drop();
        } else {
            (void)site_connect(site);
            log_identity(site);
        }
        site_end(site);
    }
}

static void test_callbacks(void)
{
    for (int i = 0; i < 16; i++) {
        struct site site;

        section("callbacks of client %d, server %d", i & 3, i >> 2);
        begin(&site, i & 3, i >> 2);
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, "TLS_AES_128_GCM_SHA256") == 1);
        visit(&site, 2);
        site_free(&site);
    }
}

static void test_answers(void)
{
    for (int i = 0; i < 18; i++) {
        struct site site;
        static const char *const titles[] = {
            "as it should be",
            "client fails",
            "client has none",
            "client is of TLS 1.2",
            "an empty identity",
            "server fails",
            "server has none",
            "server is of TLS 1.2",
            "another key",
            "client of SHA-384",
            "server of SHA-384",
            "both of SHA-384",
            "SHA-384, hello retried",
            "SHA-256, hello retried",
            "an identity of 200 bytes",
            "client of ChaCha20",
            "a certificate is asked for",
            "both, hello retried",
        };
        char longer[201];

        section("%s", titles[i]);
        begin(&site, NEW, NEW);
        memset(longer, 'x', 200);
        longer[200] = '\0';
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, i == 11 || i == 12
                                                              ? "TLS_AES_256_GCM_SHA384"
                                                              : "TLS_AES_128_GCM_SHA256") == 1);
        client_answers.result = i != 1;
        client_answers.suite = i == 2 ? 0 : i == 9 || i == 11 || i == 12 ? 2 : i == 15 ? 3 : 1;
        server_answers.suite = i == 6 ? 0 : i == 10 || i == 11 || i == 12 ? 2 : 1;
        client_answers.version = i == 3 ? TLS1_2_VERSION : TLS1_3_VERSION;
        server_answers.version = i == 7 ? TLS1_2_VERSION : TLS1_3_VERSION;
        client_answers.identity = server_answers.identity = i == 4    ? ""
                                                            : i == 14 ? longer
                                                                      : "somebody";
        server_answers.result = i != 5;
        server_answers.wrong_key = i == 8;
        if (i == 12 || i == 13 || i == 17) {
            REQUIRE(SSL_CTX_set1_groups_list(site.server_ctx, "P-384") == 1);
        }
        if (i == 16) {
            SSL_CTX_set_verify(site.server_ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                               NULL);
        }
        visit(&site, 1);
        SSL_SESSION_free(site.session);
        site.session = NULL;
        visit(&site, 1);
        site_free(&site);
    }
}

/* Suites of the two sides differ from those of the key. */
static void test_old_answers(void)
{
    static const unsigned lens[] = { 1, 16, 32, 0 };

    for (size_t i = 0; i < 8; i++) {
        struct site site;

        section("a key of %u bytes for %s", lens[i / 2], i % 2 == 0 ? "SHA-256" : "SHA-384");
        begin(&site, OLD, OLD);
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, i % 2 == 0
                                                              ? "TLS_AES_128_GCM_SHA256"
                                                              : "TLS_AES_256_GCM_SHA384") == 1);
        client_answers.key_len = server_answers.key_len = lens[i / 2];
        visit(&site, 2);
        site_free(&site);
    }
    for (int i = 0; i < 3; i++) {
        struct site site;

        section("%s", i == 0   ? "too much of the client"
                      : i == 1 ? "too much of the server"
                               : "another key of the server");
        begin(&site, OLD, OLD);
        REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, "TLS_AES_128_GCM_SHA256") == 1);
        client_answers.key_len = i == 0 ? PSK_MAX_PSK_LEN + 1 : 16;
        server_answers.key_len = i == 1 ? PSK_MAX_PSK_LEN + 1 : 16;
        server_answers.wrong_key = i == 2;
        visit(&site, 1);
        site_free(&site);
    }
}

/* A server that has nothing but keys. */
static void test_without_certificate(void)
{
    for (int i = 0; i < 4; i++) {
        struct site site;

        section("a server without a certificate, %d", i);
        begin(&site, i < 2 ? NEW : OLD, i < 2 ? NEW : OLD);
        SSL_CTX_free(site.server_ctx);
        site.server_ctx = SSL_CTX_new(TLS_server_method());
        REQUIRE(site.server_ctx != NULL &&
                SSL_CTX_set_ciphersuites(site.server_ctx, "TLS_AES_128_GCM_SHA256") == 1);
        if (i < 2) {
            SSL_CTX_set_psk_find_session_callback(site.server_ctx, find_session);
        } else {
            SSL_CTX_set_psk_server_callback(site.server_ctx, find_key);
        }
        if (i % 2 == 1) {
            client_answers.identity = "nobody";
        }
        visit(&site, 2);
        site_free(&site);
    }
}

/* The old callbacks' keys are for SHA-256: with nothing else a server looks for its suites first.
 */
static void test_suite_without_certificate(void)
{
    static const uint64_t options[] = { 0, SSL_OP_CIPHER_SERVER_PREFERENCE,
                                        SSL_OP_CIPHER_SERVER_PREFERENCE |
                                            SSL_OP_PRIORITIZE_CHACHA };
    static const char *const offers[] = {
        "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256",
        "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256",
        "TLS_AES_256_GCM_SHA384",
    };

    for (int i = 0; i < 18; i++) {
        struct site site;
        int certificate = i / 9;

        section("suite %s a certificate, options %d, offer %d", certificate ? "with" : "without",
                i / 3 % 3, i % 3);
        begin(&site, OLD, OLD);
        if (!certificate) {
            SSL_CTX_free(site.server_ctx);
            site.server_ctx = SSL_CTX_new(TLS_server_method());
            REQUIRE(site.server_ctx != NULL);
            SSL_CTX_set_psk_server_callback(site.server_ctx, find_key);
        }
        (void)SSL_CTX_set_options(site.server_ctx, options[i / 3 % 3]);
        REQUIRE(SSL_CTX_set_ciphersuites(site.client_ctx, offers[i % 3]) == 1);
        visit(&site, 1);
        site_free(&site);
    }
}

int main(void)
{
    contract_start();
    test_callbacks();
    test_answers();
    test_old_answers();
    test_without_certificate();
    test_suite_without_certificate();
    identity_default_free();
    return contract_finish();
}
