/*
 * TLS 1.2's flows with each message left out, repeated, or exchanged with its neighbour, with
 * change_cipher_spec and other records too early, for every key exchange and both roles. The
 * library must see it. The cases follow from the table of flows. RFC 5246, 7.3.
 */
#include "contract.h"
#include "t12_peer.h"

#include <stdio.h>
#include <string.h>

/* What the peer sends, in order. */
struct flow {
    const char *name;
    bool server_under_test;
    bool client_auth;
    bool status;
    bool npn;
    bool ticket;
    bool resumed;
    enum t12_exchange exchange;
    enum peer_stage stages[10];
    size_t num_stages;
};

static const struct flow flows[] = {
    { "server, ECDHE", .exchange = T12_ECDHE,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_SERVER_KEY_EXCHANGE, AT_SERVER_HELLO_DONE,
                  AT_CCS, AT_FINISHED },
      .num_stages = 6 },
    { "server, DHE, everything", .client_auth = true, .status = true, .exchange = T12_DHE,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_CERTIFICATE_STATUS, AT_SERVER_KEY_EXCHANGE,
                  AT_CERTIFICATE_REQUEST, AT_SERVER_HELLO_DONE, AT_CCS, AT_FINISHED },
      .num_stages = 8 },
    { "server, RSA", .exchange = T12_RSA,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_SERVER_HELLO_DONE, AT_CCS, AT_FINISHED },
      .num_stages = 5 },
    { "server, ECDHE, everything", .client_auth = true, .status = true, .exchange = T12_ECDHE,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_CERTIFICATE_STATUS, AT_SERVER_KEY_EXCHANGE,
                  AT_CERTIFICATE_REQUEST, AT_SERVER_HELLO_DONE, AT_CCS, AT_FINISHED },
      .num_stages = 8 },
    { "server, PSK", .exchange = T12_PSK,
      .stages = { AT_SERVER_HELLO, AT_SERVER_KEY_EXCHANGE, AT_SERVER_HELLO_DONE, AT_CCS,
                  AT_FINISHED },
      .num_stages = 5 },
    { "server, DHE-PSK", .exchange = T12_DHE_PSK,
      .stages = { AT_SERVER_HELLO, AT_SERVER_KEY_EXCHANGE, AT_SERVER_HELLO_DONE, AT_CCS,
                  AT_FINISHED },
      .num_stages = 5 },
    { "server, RSA-PSK, certificate", .client_auth = true, .exchange = T12_RSA_PSK,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_SERVER_KEY_EXCHANGE, AT_CERTIFICATE_REQUEST,
                  AT_SERVER_HELLO_DONE, AT_CCS, AT_FINISHED },
      .num_stages = 7 },
    { "client, ECDHE", .server_under_test = true, .exchange = T12_ECDHE,
      .stages = { AT_CLIENT_HELLO, AT_CLIENT_KEY_EXCHANGE, AT_CCS, AT_FINISHED }, .num_stages = 4 },
    { "client, ECDHE, certificate", .server_under_test = true, .client_auth = true,
      .exchange = T12_ECDHE,
      .stages = { AT_CLIENT_HELLO, AT_CERTIFICATE, AT_CLIENT_KEY_EXCHANGE, AT_CERTIFICATE_VERIFY,
                  AT_CCS, AT_FINISHED },
      .num_stages = 6 },
    { "client, DHE", .server_under_test = true, .exchange = T12_DHE,
      .stages = { AT_CLIENT_HELLO, AT_CLIENT_KEY_EXCHANGE, AT_CCS, AT_FINISHED }, .num_stages = 4 },
    { "client, RSA, certificate", .server_under_test = true, .client_auth = true,
      .exchange = T12_RSA,
      .stages = { AT_CLIENT_HELLO, AT_CERTIFICATE, AT_CLIENT_KEY_EXCHANGE, AT_CERTIFICATE_VERIFY,
                  AT_CCS, AT_FINISHED },
      .num_stages = 6 },
    { "client, PSK", .server_under_test = true, .exchange = T12_PSK,
      .stages = { AT_CLIENT_HELLO, AT_CLIENT_KEY_EXCHANGE, AT_CCS, AT_FINISHED }, .num_stages = 4 },
    { "client, RSA-PSK, certificate", .server_under_test = true, .client_auth = true,
      .exchange = T12_RSA_PSK,
      .stages = { AT_CLIENT_HELLO, AT_CERTIFICATE, AT_CLIENT_KEY_EXCHANGE, AT_CERTIFICATE_VERIFY,
                  AT_CCS, AT_FINISHED },
      .num_stages = 6 },
    { "server, ECDHE, NPN", .npn = true, .exchange = T12_ECDHE,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_SERVER_KEY_EXCHANGE, AT_SERVER_HELLO_DONE,
                  AT_CCS, AT_FINISHED },
      .num_stages = 6 },
    { "client, ECDHE, NPN", .server_under_test = true, .npn = true, .exchange = T12_ECDHE,
      .stages = { AT_CLIENT_HELLO, AT_CLIENT_KEY_EXCHANGE, AT_CCS, AT_NEXT_PROTO, AT_FINISHED },
      .num_stages = 5 },
    { "server, ECDHE, ticket", .ticket = true, .exchange = T12_ECDHE,
      .stages = { AT_SERVER_HELLO, AT_CERTIFICATE, AT_SERVER_KEY_EXCHANGE, AT_SERVER_HELLO_DONE,
                  AT_NEW_SESSION_TICKET, AT_CCS, AT_FINISHED },
      .num_stages = 7 },
    { "server, resumed", .resumed = true, .exchange = T12_ECDHE,
      .stages = { AT_SERVER_HELLO, AT_CCS, AT_FINISHED }, .num_stages = 3 },
    { "server, resumed, ticket", .resumed = true, .ticket = true, .exchange = T12_ECDHE,
      .stages = { AT_SERVER_HELLO, AT_NEW_SESSION_TICKET, AT_CCS, AT_FINISHED }, .num_stages = 4 },
    { "client, resumed", .server_under_test = true, .resumed = true, .exchange = T12_ECDHE,
      .stages = { AT_CLIENT_HELLO, AT_CCS, AT_FINISHED }, .num_stages = 3 },
};

static const char *name_of_stage(enum peer_stage stage)
{
    switch (stage) {
    case AT_CLIENT_HELLO:
        return "ClientHello";
    case AT_SERVER_HELLO:
        return "ServerHello";
    case AT_CERTIFICATE:
        return "Certificate";
    case AT_CERTIFICATE_STATUS:
        return "CertificateStatus";
    case AT_SERVER_KEY_EXCHANGE:
        return "ServerKeyExchange";
    case AT_CERTIFICATE_REQUEST:
        return "CertificateRequest";
    case AT_SERVER_HELLO_DONE:
        return "ServerHelloDone";
    case AT_CLIENT_KEY_EXCHANGE:
        return "ClientKeyExchange";
    case AT_CERTIFICATE_VERIFY:
        return "CertificateVerify";
    case AT_CCS:
        return "ChangeCipherSpec";
    case AT_NEXT_PROTO:
        return "NextProto";
    case AT_NEW_SESSION_TICKET:
        return "NewSessionTicket";
    case AT_FINISHED:
        return "Finished";
    case AT_RETRY_REQUEST:
    case AT_SECOND_HELLO:
    case AT_ENCRYPTED_EXTENSIONS:
    case AT_CONNECTED:
        break;
    }
    return "?";
}

static void run(const struct flow *flow, enum peer_verdict verdict, const char *what,
                struct peer_edit edit)
{
    char name[128];
    struct t12_case script = {
        .base = { .name = name,
                  .server_under_test = flow->server_under_test,
                  .client_auth = flow->client_auth,
                  .edits = { edit } },
        .exchange = flow->exchange,
        .status = flow->status,
        .npn = flow->npn,
        .ticket = flow->ticket,
        .resumed = flow->resumed,
    };

    (void)snprintf(name, sizeof(name), "%s%s", edit.kind == EDIT_END ? "" : name_of_stage(edit.at),
                   what);
    t12_run(verdict, &script);
}

/* Leaving these out, or having them, is the sender's choice (RFC 5246, 7.4.4; RFC 6066, 8; RFC
 * 4279, 2); then the transcript and the rest of the flow are still right. */
static bool is_optional(const struct flow *flow, enum peer_stage stage)
{
    return stage == AT_CERTIFICATE_STATUS || stage == AT_CERTIFICATE_REQUEST ||
           (stage == AT_SERVER_KEY_EXCHANGE &&
            (flow->exchange == T12_PSK || flow->exchange == T12_RSA_PSK));
}

static void run_flow(const struct flow *flow)
{
    section("%s", flow->name);
    run(flow, PEER_WORKS, "as it should be", (struct peer_edit){ 0 });
    for (size_t i = 0; i < flow->num_stages; i++) {
        enum peer_stage at = flow->stages[i];
        const char *const hello_request = "00000000";
        bool answered_next = at == AT_SERVER_HELLO_DONE || at == AT_CLIENT_HELLO;

        if (i > 0 || !flow->server_under_test) {
            run(flow, is_optional(flow, at) ? PEER_ANY : PEER_FAILS, " left out",
                (struct peer_edit){ at, EDIT_SKIP, 0, 0, NULL });
        }
        run(flow, PEER_FAILS, " twice", (struct peer_edit){ at, EDIT_TWICE, 0, 0, NULL });
        if (i + 1 < flow->num_stages && !answered_next) {
            run(flow, PEER_FAILS, " after the next one",
                (struct peer_edit){ at, EDIT_LATER, 0, 0, NULL });
        }
        run(flow, PEER_FAILS, ": a change_cipher_spec before it",
            (struct peer_edit){ at, EDIT_BEFORE, 20, 1, "01" });
        run(flow, PEER_FAILS, ": application data before it",
            (struct peer_edit){ at, EDIT_BEFORE, 23, 1, "6869" });
        /* RFC 5246, 7.4.1.1: a client ignores it during a handshake. */
        run(flow, flow->server_under_test ? PEER_FAILS : PEER_ANY, ": a HelloRequest before it",
            (struct peer_edit){ at, EDIT_BEFORE, 22, 1, hello_request });
        run(flow, PEER_FAILS, ": an unknown message before it",
            (struct peer_edit){ at, EDIT_BEFORE, 22, 1, "63000000" });
        run(flow, PEER_FAILS, ": a TLS 1.3 KeyUpdate before it",
            (struct peer_edit){ at, EDIT_BEFORE, 22, 1, "1800000100" });
        run(flow, PEER_FAILS, ": a NewSessionTicket before it",
            (struct peer_edit){ at, EDIT_BEFORE, 22, 1, "0400000800000e10 0002abcd" });
        run(flow, PEER_ANY, ": a warning before it",
            (struct peer_edit){ at, EDIT_BEFORE, 21, 1, "0170" });
        run(flow, PEER_FAILS, ": a hundred warnings before it",
            (struct peer_edit){ at, EDIT_BEFORE, 21, 100, "0170" });
        run(flow, PEER_FAILS, ": close_notify before it",
            (struct peer_edit){ at, EDIT_BEFORE, 21, 1, "0100" });
        run(flow, PEER_FAILS, ": a fatal alert before it",
            (struct peer_edit){ at, EDIT_BEFORE, 21, 1, "0228" });
        run(flow, PEER_ANY, " in records of one byte",
            (struct peer_edit){ at, EDIT_SPLIT, 1, 0, NULL });
        if (at != AT_CCS) {
            run(flow, PEER_FAILS, ": a byte less", (struct peer_edit){ at, EDIT_CUT, 1, 0, NULL });
            run(flow, at == AT_SERVER_HELLO_DONE ? PEER_FAILS_ANYHOW : PEER_FAILS, ": a byte more",
                (struct peer_edit){ at, EDIT_TAIL, 0, 0, "00" });
            run(flow, PEER_FAILS, ": length 2^24 - 1",
                (struct peer_edit){ at, EDIT_LENGTH, 0xffffff, 0, NULL });
        }
    }
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++) {
        run_flow(&flows[i]);
    }
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
