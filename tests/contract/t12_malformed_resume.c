/*
 * What a TLS 1.2 client and server do with messages about resumption that RFC 5246, 5077, 7627 or
 * the session don't allow, one line each.
 */
#include "contract.h"
#include "t12_peer.h"

#define ROW(verdict, server, has_ticket, is_resumed, name, ...)                                    \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            { name, server, false, false, { __VA_ARGS__ } },                                       \
                .exchange = T12_ECDHE, .ticket = (has_ticket), .resumed = (is_resumed)             \
        }                                                                                          \
    }
/* From a server: in a full handshake, an abbreviated one, the same with a new ticket. */
#define FULL(verdict, name, ...)    ROW(verdict, false, true, false, name, __VA_ARGS__)
#define RESUMED(verdict, name, ...) ROW(verdict, false, false, true, name, __VA_ARGS__)
#define RENEWED(verdict, name, ...) ROW(verdict, false, true, true, name, __VA_ARGS__)
/* From a client. */
#define CLIENT(verdict, name, ...)  ROW(verdict, true, false, true, name, __VA_ARGS__)

#define CH  AT_CLIENT_HELLO
#define SH  AT_SERVER_HELLO
#define NST AT_NEW_SESSION_TICKET
#define CCS AT_CCS
#define FIN AT_FINISHED

static const struct t12_row server_hello[] = {
    RESUMED(PEER_WORKS, "as it should be", { SH, EDIT_END, 0, 0, NULL }),
    RESUMED(PEER_FAILS, "another session id", { SH, EDIT_SET, 70, 0, "00" }),
    RESUMED(PEER_FAILS, "half of the session id", { SH, EDIT_SET, 38, 0, "10" },
            { SH, EDIT_REMOVE, 39, 16, NULL }),
    RESUMED(PEER_FAILS, "no session id", { SH, EDIT_SET, 38, 0, "00" },
            { SH, EDIT_REMOVE, 39, 32, NULL }),
    RESUMED(PEER_FAILS, "a session id of 33 bytes", { SH, EDIT_SET, 38, 0, "21" },
            { SH, EDIT_INSERT, 39, 0, "73" }),
    RESUMED(PEER_FAILS, "another suite", { SH, EDIT_SET, 71, 0, "c02c" }),
    RESUMED(PEER_FAILS, "another suite of the same hash", { SH, EDIT_SET, 71, 0, "c02f" }),
    RESUMED(PEER_FAILS, "a suite that was not offered", { SH, EDIT_SET, 71, 0, "0001" }),
    RESUMED(PEER_FAILS, "version 0302", { SH, EDIT_SET, 4, 0, "0302" }),
    RESUMED(PEER_FAILS, "version 0304", { SH, EDIT_SET, 4, 0, "0304" }),
    RESUMED(PEER_FAILS, "compression", { SH, EDIT_SET, 73, 0, "01" }),
    RESUMED(PEER_FAILS, "no renegotiation_info", { SH, EDIT_EXT_DROP, 0xff01, 0, NULL }),
    RESUMED(PEER_FAILS, "extended_master_secret, which the session has not",
            { SH, EDIT_EXT_ADD, 23, 0, "" }),
    RESUMED(PEER_FAILS, "session_ticket, which was not offered", { SH, EDIT_EXT_ADD, 35, 0, "" }),
    RESUMED(PEER_WORKS, "ALPN", { SH, EDIT_EXT_ADD, 16, 0, "0003026832" }),
    RESUMED(PEER_FAILS, "ALPN: not offered", { SH, EDIT_EXT_ADD, 16, 0, "0003026833" }),
    RESUMED(PEER_WORKS, "server_name", { SH, EDIT_EXT_ADD, 0, 0, "" }),
    RESUMED(PEER_WORKS, "ec_point_formats", { SH, EDIT_EXT_ADD, 11, 0, "0100" }),
    RESUMED(PEER_FAILS, "ec_point_formats: cut", { SH, EDIT_EXT_ADD, 11, 0, "0200" }),
    RESUMED(PEER_FAILS, "status_request, not asked for", { SH, EDIT_EXT_ADD, 5, 0, "" }),
    RESUMED(PEER_FAILS, "max_fragment_length, not offered", { SH, EDIT_EXT_ADD, 1, 0, "01" }),
    RENEWED(PEER_FAILS, "session_ticket: not empty", { SH, EDIT_EXT_BODY, 35, 0, "00" }),
    RENEWED(PEER_FAILS, "session_ticket twice", { SH, EDIT_EXT_DUPLICATE, 35, 0, NULL }),
    RENEWED(PEER_FAILS, "no session_ticket although a ticket comes",
            { SH, EDIT_EXT_DROP, 35, 0, NULL }),
    RESUMED(PEER_FAILS, "a Certificate follows",
            { SH, EDIT_AFTER, 22, 1, "0b000006 000003 000000" }),
};

static const struct t12_row new_session_ticket[] = {
    FULL(PEER_WORKS, "as it should be", { NST, EDIT_END, 0, 0, NULL }),
    FULL(PEER_WORKS, "an empty ticket", { NST, EDIT_BODY, 0, 0, "00000000 0000" }),
    FULL(PEER_WORKS, "an empty ticket with a lifetime", { NST, EDIT_BODY, 0, 0, "00001c20 0000" }),
    FULL(PEER_WORKS, "a lifetime of 0", { NST, EDIT_SET, 4, 0, "00000000" }),
    FULL(PEER_WORKS, "the longest lifetime", { NST, EDIT_SET, 4, 0, "ffffffff" }),
    FULL(PEER_WORKS, "a ticket of one byte", { NST, EDIT_BODY, 0, 0, "00000e10 0001 00" }),
    FULL(PEER_FAILS, "nothing", { NST, EDIT_BODY, 0, 0, "" }),
    FULL(PEER_FAILS, "no ticket at all", { NST, EDIT_BODY, 0, 0, "00000e10" }),
    FULL(PEER_FAILS, "half a length", { NST, EDIT_BODY, 0, 0, "00000e10 00" }),
    FULL(PEER_FAILS, "length too long", { NST, EDIT_SET, 8, 0, "0009" }),
    FULL(PEER_FAILS, "length too short", { NST, EDIT_SET, 8, 0, "0007" }),
    FULL(PEER_FAILS, "length 65535", { NST, EDIT_SET, 8, 0, "ffff" }),
    FULL(PEER_FAILS, "a message of 131339 bytes", { NST, EDIT_LENGTH, 131339, 0, NULL }),
    FULL(PEER_FAILS, "that of TLS 1.3",
         { NST, EDIT_BODY, 0, 0, "00000e10 01020304 01 00 0002 abcd 0000" }),
    FULL(PEER_FAILS, "not announced", { SH, EDIT_EXT_DROP, 35, 0, NULL }),
    RENEWED(PEER_WORKS, "in an abbreviated handshake", { NST, EDIT_END, 0, 0, NULL }),
    RENEWED(PEER_WORKS, "empty in an abbreviated handshake",
            { NST, EDIT_BODY, 0, 0, "00000000 0000" }),
    RENEWED(PEER_FAILS, "cut in an abbreviated handshake", { NST, EDIT_CUT, 1, 0, NULL }),
    RENEWED(PEER_FAILS, "after the ChangeCipherSpec", { NST, EDIT_LATER, 0, 0, NULL }),
    RENEWED(PEER_FAILS, "after the handshake", { NST, EDIT_SKIP, 0, 0, NULL },
            { FIN, EDIT_AFTER, 22, 1, "0400000800000e10 0002abcd" }),
};

static const struct t12_row finished[] = {
    RESUMED(PEER_FAILS, "another digest", { FIN, EDIT_SET, 15, 0, "00" }),
    RESUMED(PEER_FAILS, "11 bytes", { FIN, EDIT_CUT, 1, 0, NULL }),
    RESUMED(PEER_FAILS, "a ChangeCipherSpec of two bytes", { CCS, EDIT_TAIL, 0, 0, "01" }),
    RESUMED(PEER_FAILS, "application data before it", { FIN, EDIT_BEFORE, 23, 1, "6869" }),
    CLIENT(PEER_FAILS, "another digest, of a client", { FIN, EDIT_SET, 15, 0, "00" }),
    CLIENT(PEER_FAILS, "no ChangeCipherSpec", { CCS, EDIT_SKIP, 0, 0, NULL }),
    CLIENT(PEER_FAILS, "application data before it", { FIN, EDIT_BEFORE, 23, 1, "6869" }),
    CLIENT(PEER_FAILS, "a ClientKeyExchange before it",
           { CCS, EDIT_BEFORE, 22, 1, "10000004 03 040506" }),
};

static const struct t12_row client_hello[] = {
    CLIENT(PEER_WORKS, "as it should be", { CH, EDIT_END, 0, 0, NULL }),
    CLIENT(PEER_FAILS, "a session id that the server has not", { CH, EDIT_SET, 70, 0, "00" }),
    CLIENT(PEER_FAILS, "half of the session id", { CH, EDIT_SET, 38, 0, "10" },
           { CH, EDIT_REMOVE, 39, 16, NULL }),
    CLIENT(PEER_FAILS, "a session id of 33 bytes", { CH, EDIT_SET, 38, 0, "21" },
           { CH, EDIT_INSERT, 39, 0, "73" }),
    CLIENT(PEER_FAILS, "without the session's suite", { CH, EDIT_SET, 73, 0, "c02c" }),
    CLIENT(PEER_FAILS, "with extended_master_secret, which the session has not",
           { CH, EDIT_EXT_ADD, 23, 0, "" }),
    CLIENT(PEER_WORKS, "without extensions but renegotiation_info",
           { CH, EDIT_EXT_DROP, 10, 0, NULL }, { CH, EDIT_EXT_DROP, 11, 0, NULL },
           { CH, EDIT_EXT_DROP, 13, 0, NULL }),
    CLIENT(PEER_FAILS, "version 0302", { CH, EDIT_SET, 4, 0, "0302" }),
    CLIENT(PEER_WORKS, "an empty ticket, which this server does not take",
           { CH, EDIT_EXT_ADD, 35, 0, "" }),
    CLIENT(PEER_WORKS, "a ticket, which this server does not take",
           { CH, EDIT_EXT_ADD, 35, 0, "0102030405060708" }),
    CLIENT(PEER_FAILS, "groups cut", { CH, EDIT_EXT_BODY, 10, 0, "0004 001d" }),
    CLIENT(PEER_FAILS, "signature_algorithms cut", { CH, EDIT_EXT_BODY, 13, 0, "0004 0403" }),
    CLIENT(PEER_WORKS, "another server name than the session's",
           { CH, EDIT_EXT_BODY, 0, 0, "000c 00 0009 6f74686572686f7374" }),
    CLIENT(PEER_FAILS, "server_name cut", { CH, EDIT_EXT_BODY, 0, 0, "000c 00 0009 6f74" }),
    CLIENT(PEER_ANY, "server_name with a zero",
           { CH, EDIT_EXT_BODY, 0, 0, "000c 00 0009 6f7468006572686f73" }),
};

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    section("ServerHello");
    t12_run_table(server_hello, sizeof(server_hello) / sizeof(server_hello[0]));
    section("NewSessionTicket");
    t12_run_table(new_session_ticket, sizeof(new_session_ticket) / sizeof(new_session_ticket[0]));
    section("Finished");
    t12_run_table(finished, sizeof(finished) / sizeof(finished[0]));
    section("ClientHello");
    t12_run_table(client_hello, sizeof(client_hello) / sizeof(client_hello[0]));
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
