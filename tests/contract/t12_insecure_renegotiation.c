/*
 * Peers that do not know RFC 5746: whom a client connects to, and which renegotiations either side
 * goes into with them, by SSL_OP_LEGACY_SERVER_CONNECT, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION
 * and SSL_OP_ALLOW_CLIENT_RENEGOTIATION. SSL_CTX_set_options(3), SECURE RENEGOTIATION.
 */
#include "contract.h"
#include "t12_peer.h"

static const uint64_t client_options[] = { 0, SSL_OP_LEGACY_SERVER_CONNECT,
                                           SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION,
                                           SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION |
                                               SSL_OP_NO_RENEGOTIATION };

static const uint64_t server_options[] = {
    0, SSL_OP_ALLOW_CLIENT_RENEGOTIATION, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION,
    SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_ALLOW_CLIENT_RENEGOTIATION,
    SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_NO_RENEGOTIATION
};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void tell(const SSL *ssl, int where, int ret)
{
    if ((where & SSL_CB_ALERT) != 0) {
        note("  alert %s %s", (where & SSL_CB_READ) != 0 ? "received" : "sent",
             SSL_alert_desc_string_long(ret));
    } else if ((where & SSL_CB_HANDSHAKE_START) != 0) {
        note("  handshake starts");
    }
    (void)ssl;
}

static void log_renegotiations(struct peer *peer, const char *when)
{
    SSL *ssl = peer->ssl;

    peer_run_ssl(peer);
    note("  %s: support %ld, renegotiations %ld, pending %d, in init %d", when,
         SSL_get_secure_renegotiation_support(ssl), SSL_total_renegotiations(ssl),
         SSL_renegotiate_pending(ssl), SSL_in_init(ssl));
}

/* The server asks, then the application of the client does. */
static void server_asks(struct peer *peer)
{
    static const uint8_t hello_request[4];
    const struct peer_record form = { .type = SSL3_RT_HANDSHAKE };

    SSL_set_info_callback(peer->ssl, tell);
    peer_send_record(peer, &form, hello_request, sizeof(hello_request));
    log_renegotiations(peer, "after a HelloRequest");
}

static void own_wish(struct peer *peer)
{
    SSL_set_info_callback(peer->ssl, tell);
    note("  SSL_renegotiate %d", SSL_renegotiate(peer->ssl));
    log_renegotiations(peer, "after a wish of our own");
}

/* The client comes with its first hello again. */
static void client_asks(struct peer *peer)
{
    const struct peer_record form = { .type = SSL3_RT_HANDSHAKE };

    SSL_set_info_callback(peer->ssl, tell);
    peer_send_record(peer, &form, peer->hello.data, peer->hello.len);
    log_renegotiations(peer, "after a ClientHello");
}

static void client_answers(struct peer *peer)
{
    const struct peer_record form = { .type = SSL3_RT_HANDSHAKE };

    own_wish(peer);
    if (!peer->failed) {
        peer_send_record(peer, &form, peer->hello.data, peer->hello.len);
        log_renegotiations(peer, "after the answer");
    }
}

int main(void)
{
    static void (*const client_afters[])(struct peer * peer) = { server_asks, own_wish };
    static void (*const server_afters[])(struct peer * peer) = { client_asks, client_answers };

    contract_start();
    for (size_t i = 0; i < COUNT(client_options) * 2; i++) {
        const struct t12_case script = {
            .base = { .name = i % 2 == 0 ? "a server that asks" : "a wish of the client's",
                      .edits = { { AT_SERVER_HELLO, EDIT_EXT_DROP, 0xff01, 0, NULL } } },
            .options = client_options[i / 2],
            .after = client_afters[i % 2],
        };
        section("client, options %zu", i / 2);
        t12_run(PEER_ANY, &script);
    }
    for (size_t i = 0; i < COUNT(server_options) * 2; i++) {
        const struct t12_case script = {
            .base = { .name = i % 2 == 0 ? "a client that asks" : "a wish of the server's",
                      .server_under_test = true,
                      .edits = { { AT_CLIENT_HELLO, EDIT_SET, 43, 0, "7a7a" } } },
            .options = server_options[i / 2],
            .after = server_afters[i % 2],
        };
        section("server, options %zu", i / 2);
        t12_run(PEER_ANY, &script);
    }
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
