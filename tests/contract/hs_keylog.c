/*
 * The key log: which lines at which moment, their form, equal secrets on both sides, and that the
 * lines of one connection carry its client random.
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINES_MAX 64

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
    REQUIRE(lines->text[lines->num] != NULL);
    lines->num++;
    note("%s in state %s: %.*s", ssl_get_name(ssl), SSL_state_string(ssl), (int)strcspn(line, " "),
         line);
}

static void forget(struct lines *lines)
{
    for (size_t i = 0; i < lines->num; i++) {
        free(lines->text[i]);
    }
    lines->num = 0;
}

static bool is_hex(const char *text, size_t len)
{
    return strspn(text, "0123456789abcdefABCDEF") == len;
}

/* "LABEL 64 hex digits, 2 * secret_len hex digits", nothing else. */
static void check_form(SSL *ssl, const struct lines *lines, size_t secret_len)
{
    uint8_t random[32];
    char hex[65];

    CHECK(SSL_get_client_random(ssl, random, sizeof(random)) == 32);
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(hex + 2 * i, 3, "%02x", random[i]);
    }
    for (size_t i = 0; i < lines->num; i++) {
        const char *at = lines->text[i] + strcspn(lines->text[i], " ");

        CHECK(*at == ' ' && strncmp(at + 1, hex, 64) == 0 && at[65] == ' ');
        CHECK(is_hex(at + 66, 2 * secret_len) && strlen(at + 66) == 2 * secret_len);
    }
}

static void check_equal(void)
{
    size_t num_common = 0;

    for (size_t i = 0; i < of_client.num; i++) {
        for (size_t j = 0; j < of_server.num; j++) {
            num_common += strcmp(of_client.text[i], of_server.text[j]) == 0 ? 1 : 0;
        }
    }
    note("lines: client %zu server %zu, in common %zu", of_client.num, of_server.num, num_common);
    CHECK(num_common == of_client.num && num_common == of_server.num);
}

static void run(const char *suite, size_t secret_len, bool retry)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s%s", suite, retry ? ", with a retry" : "");
    SSL_CTX_set_keylog_callback(client_ctx, on_keylog);
    SSL_CTX_set_keylog_callback(server_ctx, on_keylog);
    CHECK(SSL_CTX_get_keylog_callback(client_ctx) == on_keylog);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    REQUIRE(SSL_set_ciphersuites(p.client, suite) == 1);
    REQUIRE(!retry || SSL_set1_groups_list(p.server, "P-256") == 1);
    CHECK(log_handshake(p.client, p.server));
    check_form(p.client, &of_client, secret_len);
    check_form(p.server, &of_server, secret_len);
    check_equal();
    if (pair_is_tls13()) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
    }
    log_alive(p.client, p.server);
    check_form(p.client, &of_client, secret_len);
    check_equal();
    forget(&of_client);
    forget(&of_server);
    pair_free(&p);
}

/* The callback belongs to the context: set late it works for connections that exist, NULL ends it.
 */
static void test_setter(void)
{
    struct pair p;

    section("set after SSL_new");
    pair_init(&p, OVER_MEMORY, 0);
    CHECK(SSL_CTX_get_keylog_callback(p.client_ctx) == NULL);
    SSL_CTX_set_keylog_callback(p.client_ctx, on_keylog);
    CHECK(drive_handshake(p.client, p.server));
    note("lines %zu", of_client.num);
    section("taken away");
    SSL_CTX_set_keylog_callback(p.client_ctx, NULL);
    if (pair_is_tls13()) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
    }
    log_alive(p.client, p.server);
    note("lines %zu", of_client.num);
    forget(&of_client);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    if (pair_is_tls13()) {
        run("TLS_AES_128_GCM_SHA256", 32, false);
        run("TLS_AES_256_GCM_SHA384", 48, false);
        run("TLS_CHACHA20_POLY1305_SHA256", 32, true);
    } else {
        /* RFC 5246, 8.1: the master secret, whatever the suite. */
        run("", 48, false);
    }
    test_setter();
    identity_default_free();
    return contract_finish();
}
