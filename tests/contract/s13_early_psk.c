/*
 * Early data where the client has a ticket and the application's pre-shared key (RFC 8446, 4.2.10,
 * 4.2.11): both allow it, one does, none does; the key alone; the server knows the key or not.
 */
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

static const unsigned char THE_KEY[32] = "a key that both sides know of it";
static const char IDENTITY[] = "somebody";

static unsigned key_allows[2]; /* the client's and the server's idea of it */
static unsigned char key_suite;

static SSL_SESSION *make_key(SSL *ssl)
{
    const unsigned char suite[] = { 0x13, key_suite };
    SSL_SESSION *session = SSL_SESSION_new();

    REQUIRE(session != NULL &&
            SSL_SESSION_set1_master_key(session, THE_KEY, sizeof(THE_KEY)) == 1 &&
            SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, suite)) == 1 &&
            SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1 &&
            SSL_SESSION_set_max_early_data(session, key_allows[SSL_is_server(ssl)]) == 1);
    return session;
}

static int use_key(SSL *ssl, const EVP_MD *md, const unsigned char **id, size_t *id_len,
                   SSL_SESSION **session)
{
    note("  asked for a key, digest %s", md != NULL ? EVP_MD_get0_name(md) : "any");
    *session = make_key(ssl);
    *id = (const unsigned char *)IDENTITY;
    *id_len = strlen(IDENTITY);
    return 1;
}

static int find_key(SSL *ssl, const unsigned char *id, size_t id_len, SSL_SESSION **session)
{
    int known = id_len == strlen(IDENTITY) && memcmp(id, IDENTITY, id_len) == 0;

    note("  asked for the key of %s", known ? "the identity" : "another identity");
    *session = known ? make_key(ssl) : NULL;
    return 1;
}

static void log_side(SSL *ssl)
{
    const char *identity = SSL_get_psk_identity(ssl);

    note("  %s: %s, early data %d, reused %d, identity %s", ssl_get_name(ssl),
         SSL_state_string_long(ssl), SSL_get_early_data_status(ssl), SSL_session_reused(ssl),
         identity != NULL ? identity : "-");
}

static void write_early(SSL *ssl, size_t len)
{
    static char data[2000];
    size_t written = 77;

    log_call(ssl, "SSL_write_early_data", SSL_write_early_data(ssl, data, len, &written));
    note("  %zu written", written);
    log_side(ssl);
}

static void read_early(SSL *ssl)
{
    char data[2000];
    size_t got = 77;
    int ret = SSL_read_early_data(ssl, data, sizeof(data), &got);

    log_call(ssl, "SSL_read_early_data", ret);
    if (ret != SSL_READ_EARLY_DATA_ERROR) {
        note("  %zu read", got);
    }
    log_side(ssl);
}

static void handshake(SSL *ssl)
{
    log_call(ssl, "SSL_do_handshake", SSL_do_handshake(ssl));
    log_side(ssl);
}

/* Bytes of early data that each allows. */
struct row {
    int ticket; /* -1: there is none */
    unsigned key[2];
    unsigned char suite; /* of the key */
    size_t len;
    int unknown_ticket; /* the server has other keys by then */
    const char *differs;
};

static void play(const struct row *row)
{
    static unsigned char other_keys[80] = { 1 };
    struct site site;
    SSL *client;
    SSL *server;

    section("ticket %d%s, key %u %u of suite %u, %zu bytes", row->ticket,
            row->unknown_ticket ? " unknown" : "", row->key[0], row->key[1], row->suite, row->len);
    if (row->differs != NULL) {
        difference_begin(row->differs);
    }
    key_allows[0] = row->key[0];
    key_allows[1] = row->key[1];
    key_suite = row->suite;
    site_init_version(&site, TLS1_3_VERSION);
    REQUIRE(SSL_CTX_set_ciphersuites(site.server_ctx, "TLS_AES_128_GCM_SHA256") == 1);
    if (row->ticket >= 0) {
        REQUIRE(SSL_CTX_set_max_early_data(site.server_ctx, (unsigned)row->ticket) == 1);
        (void)site_visit(&site);
    }
    if (row->unknown_ticket) {
        SSL_CTX_flush_sessions(site.server_ctx, 0);
        REQUIRE(SSL_CTX_set_tlsext_ticket_keys(site.server_ctx, other_keys, sizeof(other_keys)) ==
                1);
    }
    REQUIRE(SSL_CTX_set_max_early_data(site.server_ctx, 1000) == 1);
    SSL_CTX_set_psk_use_session_callback(site.client_ctx, use_key);
    SSL_CTX_set_psk_find_session_callback(site.server_ctx, find_key);
    site_begin(&site);
    client = site.pair.client;
    server = site.pair.server;
    write_early(client, row->len);
    read_early(server);
    read_early(server);
    handshake(client);
    read_early(server);
    handshake(server);
    if (SSL_is_init_finished(client) && SSL_is_init_finished(server)) {
        log_alive(client, server);
    }
    site_end(&site);
    site_free(&site);
    if (row->differs != NULL) {
        difference_end();
    }
}

int main(void)
{
    static const char *const not_allowed = "early-data-not-allowed";
    static const char *const not_first = "early-data-key-not-first";
    const struct row rows[] = {
        { -1, { 100, 100 }, 1, 50, 0, NULL },
        { -1, { 100, 100 }, 1, 150, 0, NULL },
        { -1, { 100, 20 }, 1, 50, 0, NULL },
        { -1, { 0, 100 }, 1, 50, 0, not_allowed },
        { -1, { 100, 0 }, 1, 50, 0, NULL },
        { -1, { 100, 100 }, 2, 50, 0, NULL },
        { -1, { 100, 100 }, 3, 50, 0, "early-data-other-suite" },
        { 1000, { 100, 100 }, 1, 50, 0, NULL },
        { 1000, { 0, 0 }, 1, 50, 0, NULL },
        { 1000, { 100, 100 }, 1, 150, 0, NULL },
        { 1000, { 100, 100 }, 1, 50, 1, NULL },
        { 0, { 100, 100 }, 1, 50, 0, not_first },
        { 0, { 100, 100 }, 1, 50, 1, not_first },
        { 0, { 100, 100 }, 2, 50, 0, not_first },
        { 0, { 0, 0 }, 1, 50, 0, not_allowed },
        { 20, { 100, 100 }, 1, 50, 0, NULL },
    };

    contract_start();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        play(&rows[i]);
    }
    identity_default_free();
    return contract_finish();
}
