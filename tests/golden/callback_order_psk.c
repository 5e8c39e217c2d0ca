/*
 * The scenarios of pre-shared keys in TLS 1.2: when the application is asked for identity and key,
 * among all the other callbacks, and what it sees when it has none.
 */
#include "callback_order.h"

#include <string.h>

/* What the next callback answers; 0: nothing. */
static unsigned key_len;

static unsigned int on_client(SSL *ssl, const char *hint, char *identity, unsigned int max_identity,
                              unsigned char *psk, unsigned int max_psk)
{
    note("%s psk_client_cb [%s] hint %s room %u %u -> %u", ssl_get_name(ssl), SSL_state_string(ssl),
         hint == NULL ? "none" : hint, max_identity, max_psk, key_len);
    memcpy(identity, "someone", 8);
    memset(psk, 'k', key_len);
    return key_len;
}

static unsigned int on_server(SSL *ssl, const char *identity, unsigned char *psk,
                              unsigned int max_psk)
{
    note("%s psk_server_cb [%s] identity %s room %u -> %u", ssl_get_name(ssl),
         SSL_state_string(ssl), identity, max_psk, key_len);
    memset(psk, 'k', key_len);
    return key_len;
}

static SSL_CTX *context(const SSL_METHOD *method, bool server)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    REQUIRE(ctx != NULL && SSL_CTX_set_max_proto_version(ctx, TLS1_2_VERSION) == 1);
    (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    identity_trust(root, ctx);
    trace_ctx(ctx, server, TRACE_CALLS | QUESTIONS);
    SSL_CTX_set_psk_client_callback(ctx, on_client);
    SSL_CTX_set_psk_server_callback(ctx, on_server);
    return ctx;
}

/* A handshake with that suite alone; the server has an RSA key, of which only RSA-PSK makes use. */
static void shake_hands(const char *suite, const char *hint, unsigned client, unsigned server)
{
    struct identity *rsa = identity_issue(root, KEY_RSA, "leaf.example", false);
    struct pair p;

    pair_init_ctx(&p, context(TLS_client_method(), false), context(TLS_server_method(), true),
                  OVER_MEMORY, 0);
    SSL_set_verify(p.client, SSL_VERIFY_PEER, SSL_get_verify_callback(p.client));
    SSL_set_verify(p.server, SSL_VERIFY_PEER, SSL_get_verify_callback(p.server));
    identity_use_ssl(rsa, p.server);
    identity_use_ssl(rsa, p.client);
    (void)SSL_set_dh_auto(p.server, 1);
    REQUIRE(SSL_set_tlsext_host_name(p.client, "leaf.example") == 1);
    REQUIRE(SSL_set_cipher_list(p.client, suite) == 1);
    REQUIRE(SSL_set_cipher_list(p.server, suite) == 1);
    REQUIRE(SSL_use_psk_identity_hint(p.server, hint) == 1);
    key_len = client;
    if (client != server) {
        /* The client's flight is out when the server's callback is asked. */
        (void)trace_handshake(p.client);
        (void)trace_handshake(p.server);
        (void)trace_handshake(p.client);
        key_len = server;
    }
    run_and_finish(&p);
    identity_free(rsa);
}

static void psk(void)
{
    shake_hands("PSK-AES128-GCM-SHA256", NULL, 32, 32);
}

static void psk_with_hint(void)
{
    shake_hands("PSK-AES128-GCM-SHA256", "a hint", 32, 32);
}

static void dhe_psk(void)
{
    shake_hands("DHE-PSK-AES128-GCM-SHA256", "a hint", 32, 32);
}

static void ecdhe_psk(void)
{
    shake_hands("ECDHE-PSK-CHACHA20-POLY1305", NULL, 32, 32);
}

static void rsa_psk(void)
{
    shake_hands("RSA-PSK-AES128-GCM-SHA256", "a hint", 32, 32);
}

static void psk_no_key_of_client(void)
{
    shake_hands("PSK-AES128-GCM-SHA256", NULL, 0, 0);
}

static void psk_unknown_identity(void)
{
    shake_hands("PSK-AES128-GCM-SHA256", NULL, 32, 0);
}

static void psk_keys_differ(void)
{
    shake_hands("PSK-AES128-GCM-SHA256", NULL, 32, 16);
}

const struct scenario scenarios_psk[] = {
    { "psk12", psk },
    { "psk12_with_hint", psk_with_hint },
    { "psk12_dhe", dhe_psk },
    { "psk12_ecdhe", ecdhe_psk },
    { "psk12_rsa", rsa_psk },
    { "psk12_no_key_of_client", psk_no_key_of_client },
    { "psk12_unknown_identity", psk_unknown_identity },
    { "psk12_keys_differ", psk_keys_differ },
};

const size_t num_scenarios_psk = sizeof(scenarios_psk) / sizeof(scenarios_psk[0]);
