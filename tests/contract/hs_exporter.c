/*
 * Exported keying material (RFC 8446, 7.5): equal on both ends, different for every label and
 * context, in particular no context and an empty one are the same in TLS 1.3.
 * Manual pages: SSL_export_keying_material(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#define LEN 48

static void export_both(struct pair *p, const char *title, const char *label, const char *context,
                        size_t context_len, bool use_context, uint8_t out[LEN])
{
    uint8_t other[LEN];
    int ours = SSL_export_keying_material(p->client, out, LEN, label, strlen(label),
                                          (const unsigned char *)context, context_len, use_context);
    int theirs =
        SSL_export_keying_material(p->server, other, LEN, label, strlen(label),
                                   (const unsigned char *)context, context_len, use_context);

    note("%s: %d %d", title, ours, theirs);
    log_errors("error");
    CHECK(ours != 1 || theirs != 1 || memcmp(out, other, LEN) == 0);
}

static void test_contexts(void)
{
    uint8_t none[LEN], empty[LEN], a[LEN], b[LEN], label[LEN], again[LEN];
    char longest[300];
    struct pair p;

    section("labels and contexts");
    pair_init_connected(&p, OVER_MEMORY, 0);
    export_both(&p, "no context", "EXPORTER-test", NULL, 0, false, none);
    export_both(&p, "empty context", "EXPORTER-test", "", 0, true, empty);
    export_both(&p, "context a", "EXPORTER-test", "a", 1, true, a);
    export_both(&p, "context b", "EXPORTER-test", "b", 1, true, b);
    export_both(&p, "other label", "EXPORTER-tesT", "a", 1, true, label);
    export_both(&p, "again", "EXPORTER-test", "a", 1, true, again);
    note("no context equals empty %d", memcmp(none, empty, LEN) == 0);
    CHECK((memcmp(none, empty, LEN) == 0) == pair_is_tls13());
    CHECK(memcmp(a, b, LEN) != 0 && memcmp(a, none, LEN) != 0 && memcmp(a, label, LEN) != 0);
    CHECK(memcmp(a, again, LEN) == 0);
    export_both(&p, "context given, not used", "EXPORTER-test", "a", 1, false, again);
    note("  equals none %d", memcmp(none, again, LEN) == 0);
    memset(longest, 'x', sizeof(longest));
    export_both(&p, "context of 300 bytes", "EXPORTER-test", longest, 300, true, again);
    export_both(&p, "label empty", "", NULL, 0, false, again);
    longest[249] = '\0';
    export_both(&p, "label of 249 bytes", longest, NULL, 0, false, again);
    longest[249] = 'x';
    longest[250] = '\0';
    export_both(&p, "label of 250 bytes", longest, NULL, 0, false, again);
    export_both(&p, "label of TLS 1.2", "master secret", NULL, 0, false, again);
    pair_free(&p);
}

static void test_lengths(void)
{
    static const size_t lens[] = { 1, 32, 48, 49, 255, 256, 8160, 12240, 12241, 0 };
    /* No bytes at all is no error in TLS 1.3 alone. */
    const size_t num = sizeof(lens) / sizeof(lens[0]) - (pair_is_tls13() ? 0 : 1);
    struct pair p;

    section("lengths");
    pair_init_connected(&p, OVER_MEMORY, 0);
    for (size_t i = 0; i < num; i++) {
        uint8_t *ours = calloc(1, lens[i] + 1);
        uint8_t *theirs = calloc(1, lens[i] + 1);
        int ret;

        REQUIRE(ours != NULL && theirs != NULL);
        ret = SSL_export_keying_material(p.client, ours, lens[i], "test", 4, NULL, 0, 0);
        note("%zu bytes: %d", lens[i], ret);
        log_errors("error");
        CHECK(SSL_export_keying_material(p.server, theirs, lens[i], "test", 4, NULL, 0, 0) == ret);
        CHECK(ret != 1 || memcmp(ours, theirs, lens[i] + 1) == 0);
        log_errors("error");
        free(ours);
        free(theirs);
    }
    pair_free(&p);
}

static void try_export(SSL *ssl, const char *when)
{
    uint8_t out[32];

    note("%s %s: %d, early %d", ssl_get_name(ssl), when,
         SSL_export_keying_material(ssl, out, sizeof(out), "test", 4, NULL, 0, 0),
         SSL_export_keying_material_early(ssl, out, sizeof(out), "test", 4, NULL, 0));
    log_errors("error");
}

static void test_moments(void)
{
    uint8_t before[32], after[32];
    struct pair p;

    section("moments");
    pair_init(&p, OVER_MEMORY, 0);
    try_export(p.client, "fresh");
    try_export(p.server, "fresh");
    (void)SSL_do_handshake(p.client);
    try_export(p.client, "hello sent");
    (void)SSL_do_handshake(p.server);
    if (pair_is_tls13()) {
        try_export(p.server, "flight sent");
    }
    if (!pair_is_tls13()) {
        (void)SSL_do_handshake(p.client);
        try_export(p.client, "flight sent");
        CHECK(SSL_do_handshake(p.server) == 1);
        try_export(p.server, "done");
    }
    CHECK(SSL_do_handshake(p.client) == 1);
    try_export(p.client, "done");
    CHECK(SSL_do_handshake(p.server) == 1);
    try_export(p.server, "done");
    CHECK(SSL_export_keying_material(p.client, before, 32, "test", 4, NULL, 0, 0) == 1);
    if (pair_is_tls13()) {
        CHECK(SSL_key_update(p.client, SSL_KEY_UPDATE_REQUESTED) == 1);
    }
    log_alive(p.client, p.server);
    CHECK(SSL_export_keying_material(p.client, after, 32, "test", 4, NULL, 0, 0) == 1);
    CHECK(memcmp(before, after, 32) == 0);
    (void)call_shutdown(p.client);
    try_export(p.client, "shut down");
    pair_free(&p);
}

static void test_suites(void)
{
    static const char *const suites[] = { "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256" };

    for (size_t i = 0; i < 3; i++) {
        uint8_t out[LEN];
        struct pair p;

        section("%s", suites[i]);
        pair_init(&p, OVER_MEMORY, 0);
        REQUIRE(SSL_set_ciphersuites(p.client, suites[i]) == 1);
        CHECK(drive_handshake(p.client, p.server));
        ERR_clear_error();
        export_both(&p, "export", "EXPORTER-test", "context", 7, true, out);
        pair_free(&p);
    }
}

int main(void)
{
    contract_start();
    test_contexts();
    test_lengths();
    test_moments();
    test_suites();
    identity_default_free();
    return contract_finish();
}
