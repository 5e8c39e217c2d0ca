/*
 * Alerts as an application meets them: every description that a peer may send, in the handshake and
 * after it, as error, reason and text; what the info callback shows; and that nothing works after a
 * fatal one.
 */
#include "contract.h"
#include "hs_peer.h"

#include <openssl/err.h>
#include <stdio.h>

static void on_info(const SSL *ssl, int where, int ret)
{
    (void)ssl;
    if ((where & SSL_CB_ALERT) != 0) {
        note("  info: %s alert %d level %s (%s) description %s (%s)",
             (where & SSL_CB_READ) != 0 ? "read" : "write", ret, SSL_alert_type_string_long(ret),
             SSL_alert_type_string(ret), SSL_alert_desc_string_long(ret),
             SSL_alert_desc_string(ret));
    }
}

static void run(const struct peer_case *script, bool server)
{
    SSL_CTX *ctx = server ? server_ctx_new() : client_ctx_new();
    SSL *ssl = SSL_new(ctx);
    struct peer peer;
    char text[512];
    char buf[8];

    REQUIRE(ssl != NULL);
    ssl_set_name(ssl, server ? "server" : "client");
    SSL_set_info_callback(ssl, on_info);
    if (server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
    }
    peer_run(&peer, ssl, script);
    peer_describe(&peer, text, sizeof(text));
    note("%s", text);
    if (peer.failed) {
        (void)call_read(ssl, buf, sizeof(buf));
        (void)call_write(ssl, "x", 1);
        (void)call_do_handshake(ssl);
        (void)call_shutdown(ssl);
        note("shutdown %d init %d", SSL_get_shutdown(ssl), SSL_in_init(ssl));
    }
    peer_free(&peer);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* The numbers of RFC 8446, 6, those of older versions, and two that nobody has taken. */
static const unsigned descriptions[] = {
    0,  10, 20, 21, 22, 30, 40, 41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51,
    60, 70, 71, 80, 86, 90, 99, 100, 109, 110, 111, 112, 113, 114, 115, 116, 120, 255
};

static void test_descriptions(enum peer_stage stage, bool server, unsigned level)
{
    for (size_t i = 0; i < sizeof(descriptions) / sizeof(descriptions[0]); i++) {
        struct peer_case script = { .name = "alert", .server_under_test = server };
        char content[8];

        (void)snprintf(content, sizeof(content), "%02x%02x", level, descriptions[i]);
        script.edits[0] = (struct peer_edit){ stage, EDIT_BEFORE, 21, 1, content };
        section("level %u description %u", level, descriptions[i]);
        run(&script, server);
    }
}

static void test_strings(void)
{
    section("texts");
    for (unsigned i = 0; i < 256; i++) {
        note("%u %s %s", i, SSL_alert_desc_string((int)i), SSL_alert_desc_string_long((int)i));
    }
    for (int level = 0; level < 4; level++) {
        note("level %d %s %s", level, SSL_alert_type_string(level << 8),
             SSL_alert_type_string_long(level << 8));
    }
}

int main(void)
{
    contract_start();
    test_descriptions(AT_SERVER_HELLO, false, 2);
    test_descriptions(AT_CONNECTED, false, 2);
    test_descriptions(AT_CONNECTED, false, 1);
    test_descriptions(AT_CONNECTED, true, 2);
    test_descriptions(AT_FINISHED, true, 1);
    test_strings();
    identity_default_free();
    return contract_finish();
}
