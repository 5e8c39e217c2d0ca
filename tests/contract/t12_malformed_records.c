/*
 * TLS 1.2 records that a peer must not send, or may, before and after the handshake: types,
 * versions, lengths, alerts, floods; what each role does with them, one line each. RFC 5246,
 * 6, 7.2.
 */
#include "contract.h"
#include "t12_peer.h"

#define ROW(verdict, server, name, ...)                                                            \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            { name, server, false, false, { __VA_ARGS__ } }, .exchange = T12_ECDHE                 \
        }                                                                                          \
    }
#define CLIENT(verdict, name, ...) ROW(verdict, false, name, __VA_ARGS__)
#define SERVER(verdict, name, ...) ROW(verdict, true, name, __VA_ARGS__)

#define CH  AT_CLIENT_HELLO
#define SH  AT_SERVER_HELLO
#define CT  AT_CERTIFICATE
#define CKE AT_CLIENT_KEY_EXCHANGE
#define FIN AT_FINISHED
#define ON  AT_CONNECTED

/* Each for a message before the keys, for the Finished, and for a record afterwards. */
#define FORMS(ROLE, AT)                                                                            \
    ROLE(PEER_ANY, "record version 0301", { AT, EDIT_VERSION, 0x0301, 0, NULL }),                  \
        ROLE(PEER_ANY, "record version 0304", { AT, EDIT_VERSION, 0x0304, 0, NULL }),              \
        ROLE(PEER_ANY, "record version 0203", { AT, EDIT_VERSION, 0x0203, 0, NULL }),              \
        ROLE(PEER_FAILS, "record version 0403", { AT, EDIT_VERSION, 0x0403, 0, NULL }),            \
        ROLE(PEER_FAILS, "record version fefd", { AT, EDIT_VERSION, 0xfefd, 0, NULL }),            \
        ROLE(PEER_FAILS, "record type 1", { AT, EDIT_OUTER_TYPE, 1, 0, NULL }),                    \
        ROLE(PEER_FAILS, "record type 20", { AT, EDIT_OUTER_TYPE, 20, 0, NULL }),                  \
        ROLE(PEER_FAILS, "record type 21", { AT, EDIT_OUTER_TYPE, 21, 0, NULL }),                  \
        ROLE(PEER_FAILS, "record type 23", { AT, EDIT_OUTER_TYPE, 23, 0, NULL }),                  \
        ROLE(PEER_FAILS, "record type 24", { AT, EDIT_OUTER_TYPE, 24, 0, NULL }),                  \
        ROLE(PEER_FAILS_ANYHOW, "record type 128", { AT, EDIT_OUTER_TYPE, 128, 0, NULL }),         \
        ROLE(PEER_ANY, "record of 16384 zeros", { AT, EDIT_BIG, 22, 16384, NULL }),                \
        ROLE(PEER_FAILS, "record of 16385 bytes", { AT, EDIT_BIG, 22, 16385, NULL }),              \
        ROLE(PEER_FAILS, "record of 18433 bytes", { AT, EDIT_BIG, 22, 18433, NULL }),              \
        ROLE(PEER_FAILS, "record of 30000 bytes", { AT, EDIT_BIG, 23, 30000, NULL }),              \
        ROLE(PEER_WORKS, "empty handshake record", { AT, EDIT_BEFORE, 22, 1, "" }),                \
        ROLE(PEER_FAILS_ANYHOW, "empty alert", { AT, EDIT_BEFORE, 21, 1, "" }),                    \
        ROLE(PEER_FAILS, "alert of one byte", { AT, EDIT_BEFORE, 21, 1, "02" }),                   \
        ROLE(PEER_FAILS, "alert of three bytes", { AT, EDIT_BEFORE, 21, 1, "020000" }),            \
        ROLE(PEER_FAILS, "alert of level 0", { AT, EDIT_BEFORE, 21, 1, "0028" }),                  \
        ROLE(PEER_FAILS, "alert of level 3", { AT, EDIT_BEFORE, 21, 1, "0328" }),                  \
        ROLE(PEER_ANY, "warning no_renegotiation", { AT, EDIT_BEFORE, 21, 1, "0164" }),            \
        ROLE(PEER_ANY, "warning user_canceled", { AT, EDIT_BEFORE, 21, 1, "015a" }),               \
        ROLE(PEER_ANY, "warning handshake_failure", { AT, EDIT_BEFORE, 21, 1, "0128" }),           \
        ROLE(PEER_ANY, "warning certificate_expired", { AT, EDIT_BEFORE, 21, 1, "012d" }),         \
        ROLE(PEER_ANY, "warning without a name", { AT, EDIT_BEFORE, 21, 1, "01fe" }),              \
        ROLE(PEER_ANY, "four warnings", { AT, EDIT_BEFORE, 21, 4, "0170" }),                       \
        ROLE(PEER_ANY, "five warnings", { AT, EDIT_BEFORE, 21, 5, "0170" }),                       \
        ROLE(PEER_FAILS, "fatal close_notify", { AT, EDIT_BEFORE, 21, 1, "0200" }),                \
        ROLE(PEER_FAILS, "fatal alert without a name", { AT, EDIT_BEFORE, 21, 1, "02fe" }),        \
        ROLE(PEER_FAILS, "a message of 1 MB announced", { AT, EDIT_BEFORE, 22, 1, "0b100000" }),   \
        ROLE(PEER_FAILS, "an unknown message of 1 MB announced",                                   \
             { AT, EDIT_BEFORE, 22, 1, "63100000" })

#define OLD(ROLE, VERDICT, AT)                                                                     \
    ROLE(VERDICT, "record version 0300", { AT, EDIT_VERSION, 0x0300, 0, NULL })

static const struct t12_row client_hello_done[] = { FORMS(CLIENT, SH), OLD(CLIENT, PEER_ANY, SH) };
static const struct t12_row client_certificate[] = { FORMS(CLIENT, CT),
                                                     OLD(CLIENT, PEER_FAILS_ANYHOW, CT) };
static const struct t12_row client_finished[] = { FORMS(CLIENT, FIN),
                                                  OLD(CLIENT, PEER_FAILS_ANYHOW, FIN) };
static const struct t12_row server_hello[] = { FORMS(SERVER, CH), OLD(SERVER, PEER_ANY, CH) };
static const struct t12_row server_key_exchange[] = { FORMS(SERVER, CKE),
                                                      OLD(SERVER, PEER_FAILS_ANYHOW, CKE) };
static const struct t12_row server_finished[] = { FORMS(SERVER, FIN),
                                                  OLD(SERVER, PEER_FAILS_ANYHOW, FIN) };

static const struct t12_row fragments[] = {
    CLIENT(PEER_WORKS, "ServerHello in records of one byte", { SH, EDIT_SPLIT, 1, 0, NULL }),
    CLIENT(PEER_STRICT, "a warning amid the Certificate",
           { CT, EDIT_SPLIT_BETWEEN, 20, 21, "0170" }),
    CLIENT(PEER_FAILS, "application data amid the Certificate",
           { CT, EDIT_SPLIT_BETWEEN, 20, 23, "6869" }),
    CLIENT(PEER_FAILS, "change_cipher_spec amid the Certificate",
           { CT, EDIT_SPLIT_BETWEEN, 20, 20, "01" }),
    CLIENT(PEER_FAILS, "change_cipher_spec amid the Finished",
           { FIN, EDIT_SPLIT_BETWEEN, 4, 20, "01" }),
    SERVER(PEER_WORKS, "ClientHello in records of one byte", { CH, EDIT_SPLIT, 1, 0, NULL }),
    SERVER(PEER_FAILS, "change_cipher_spec amid the ClientHello",
           { CH, EDIT_SPLIT_BETWEEN, 20, 20, "01" }),
    SERVER(PEER_FAILS, "application data amid the ClientKeyExchange",
           { CKE, EDIT_SPLIT_BETWEEN, 20, 23, "6869" }),
    SERVER(PEER_WORKS, "Finished in records of one byte", { FIN, EDIT_SPLIT, 1, 0, NULL }),
    CLIENT(PEER_FAILS, "empty data before the Finished", { FIN, EDIT_BEFORE, 23, 1, "" }),
    SERVER(PEER_FAILS, "empty data before the Finished", { FIN, EDIT_BEFORE, 23, 1, "" }),
};

#define CONNECTED(ROLE)                                                                            \
    ROLE(PEER_WORKS, "data", { ON, EDIT_BEFORE, 23, 1, "68656c6c6f" }),                            \
        ROLE(PEER_WORKS, "empty data, then data", { ON, EDIT_BEFORE, 23, 1, "" },                  \
             { ON, EDIT_AFTER, 23, 1, "6869" }),                                                   \
        ROLE(PEER_WORKS, "31 empty records", { ON, EDIT_BEFORE, 23, 31, "" }),                     \
        ROLE(PEER_ANY, "32 empty records", { ON, EDIT_BEFORE, 23, 32, "" }),                       \
        ROLE(PEER_FAILS, "33 empty records", { ON, EDIT_BEFORE, 23, 33, "" }),                     \
        ROLE(PEER_FAILS, "a record of 16385 bytes", { ON, EDIT_BIG, 23, 16385, NULL }),            \
        ROLE(PEER_WORKS, "a record of 16384 bytes", { ON, EDIT_BIG, 23, 16384, NULL }),            \
        ROLE(PEER_FAILS, "a record of 20000 bytes", { ON, EDIT_BIG, 23, 20000, NULL }),            \
        ROLE(PEER_FAILS, "change_cipher_spec", { ON, EDIT_BEFORE, 20, 1, "01" }),                  \
        ROLE(PEER_FAILS, "type 24", { ON, EDIT_BEFORE, 24, 1, "010001" }),                         \
        ROLE(PEER_FAILS, "type 25", { ON, EDIT_BEFORE, 25, 1, "01" }),                             \
        ROLE(PEER_ANY, "warning user_canceled", { ON, EDIT_BEFORE, 21, 1, "015a" }),               \
        ROLE(PEER_ANY, "warning no_renegotiation", { ON, EDIT_BEFORE, 21, 1, "0164" }),            \
        ROLE(PEER_ANY, "warning unrecognized_name", { ON, EDIT_BEFORE, 21, 1, "0170" }),           \
        ROLE(PEER_ANY, "four warnings", { ON, EDIT_BEFORE, 21, 4, "0170" }),                       \
        ROLE(PEER_FAILS, "five warnings", { ON, EDIT_BEFORE, 21, 5, "0170" }),                     \
        ROLE(PEER_FAILS, "fatal alert", { ON, EDIT_BEFORE, 21, 1, "0250" }),                       \
        ROLE(PEER_FAILS, "close_notify", { ON, EDIT_BEFORE, 21, 1, "0100" }),                      \
        ROLE(PEER_FAILS, "data, close_notify", { ON, EDIT_BEFORE, 23, 1, "6869" },                 \
             { ON, EDIT_AFTER, 21, 1, "0100" }),                                                   \
        ROLE(PEER_FAILS, "alert in two records", { ON, EDIT_BEFORE, 21, 1, "01" },                 \
             { ON, EDIT_AFTER, 21, 1, "00" }),                                                     \
        ROLE(PEER_FAILS, "a Finished",                                                             \
             { ON, EDIT_BEFORE, 22, 1, "1400000c0102030405060708090a0b0c" }),                      \
        ROLE(PEER_FAILS, "a Certificate", { ON, EDIT_BEFORE, 22, 1, "0b000003000000" }),           \
        ROLE(PEER_FAILS, "a KeyUpdate of TLS 1.3", { ON, EDIT_BEFORE, 22, 1, "1800000100" }),      \
        ROLE(PEER_FAILS, "an unknown message", { ON, EDIT_BEFORE, 22, 1, "63000000" }),            \
        ROLE(PEER_FAILS, "a ServerHello", { ON, EDIT_BEFORE, 22, 1, "02000000" }),                 \
        ROLE(PEER_FAILS, "an empty record of the handshake", { ON, EDIT_BEFORE, 22, 40, "" }),     \
        ROLE(PEER_FAILS, "plaintext data",                                                         \
             { ON, EDIT_RAW_BEFORE, 0, 0, "1703030005 68656c6c6f" }),                              \
        ROLE(PEER_FAILS, "a record shorter than nonce and tag",                                    \
             { ON, EDIT_RAW_BEFORE, 0, 0,                                                          \
               "1703030017 0000000000000000 000000000000000000000000000000" }),                    \
        ROLE(PEER_FAILS, "garbage", { ON, EDIT_RAW_BEFORE, 0, 0, "ffffffffffffffffffff" }),        \
        ROLE(PEER_FAILS, "record version 0301",                                                    \
             { ON, EDIT_RAW_BEFORE, 0, 0,                                                          \
               "1703010020 0000000000000000 0000000000000000"                                      \
               "0000000000000000 0000000000000000" })

static const struct t12_row client_connected[] = {
    CONNECTED(CLIENT),
    CLIENT(PEER_ANY, "a HelloRequest", { ON, EDIT_BEFORE, 22, 1, "00000000" }),
    CLIENT(PEER_FAILS_ANYHOW, "a HelloRequest with a byte",
           { ON, EDIT_BEFORE, 22, 1, "0000000100" }),
    CLIENT(PEER_FAILS, "a HelloRequest, then data during it",
           { ON, EDIT_BEFORE, 22, 1, "00000000" }, { ON, EDIT_AFTER, 20, 1, "01" }),
    CLIENT(PEER_ANY, "a hundred HelloRequests", { ON, EDIT_BEFORE, 22, 100, "00000000" }),
    CLIENT(PEER_ANY, "HelloRequest, data", { ON, EDIT_BEFORE, 22, 1, "00000000" },
           { ON, EDIT_AFTER, 23, 1, "6869" }),
    CLIENT(PEER_FAILS, "a ClientHello", { ON, EDIT_BEFORE, 22, 1, "01000000" }),
    CLIENT(PEER_FAILS, "a NewSessionTicket",
           { ON, EDIT_BEFORE, 22, 1, "0400000800000e100002abcd" }),
};

static const struct t12_row server_connected[] = {
    CONNECTED(SERVER),
    SERVER(PEER_FAILS, "a HelloRequest", { ON, EDIT_BEFORE, 22, 1, "00000000" }),
    SERVER(PEER_ANY, "an empty ClientHello", { ON, EDIT_BEFORE, 22, 1, "01000000" }),
    SERVER(PEER_ANY, "ten ClientHellos without sense", { ON, EDIT_BEFORE, 22, 10, "0100000100" }),
};

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
#define RUN(rows) t12_run_table(rows, sizeof(rows) / sizeof((rows)[0]))
    section("client: around the ServerHello");
    RUN(client_hello_done);
    section("client: around the Certificate");
    RUN(client_certificate);
    section("client: around the Finished");
    RUN(client_finished);
    section("server: around the ClientHello");
    RUN(server_hello);
    section("server: around the ClientKeyExchange");
    RUN(server_key_exchange);
    section("server: around the Finished");
    RUN(server_finished);
    section("fragments");
    RUN(fragments);
    section("client, connected");
    RUN(client_connected);
    section("server, connected");
    RUN(server_connected);
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
