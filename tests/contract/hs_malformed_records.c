/*
 * Records that a peer must not send, or may, and messages after the handshake: what each role does
 * with them, one line each. RFC 8446, 4.6, 5 and 6.
 */
#include "contract.h"
#include "hs_peer.h"

#define CLIENT(verdict, name, ...)                                                                 \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, false, false, false,                                                             \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }
#define SERVER(verdict, name, ...)                                                                 \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, true, false, false,                                                              \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }

#define CH  AT_CLIENT_HELLO
#define SH  AT_SERVER_HELLO
#define CCS AT_CCS
#define EE  AT_ENCRYPTED_EXTENSIONS
#define CT  AT_CERTIFICATE
#define FIN AT_FINISHED
#define ON  AT_CONNECTED

static const struct peer_row before_keys_client[] = {
    CLIENT(PEER_ANY, "record version 0300", { SH, EDIT_VERSION, 0x0300, 0, NULL }),
    CLIENT(PEER_ANY, "record version 0301", { SH, EDIT_VERSION, 0x0301, 0, NULL }),
    CLIENT(PEER_ANY, "record version 0304", { SH, EDIT_VERSION, 0x0304, 0, NULL }),
    CLIENT(PEER_FAILS, "record version 0203", { SH, EDIT_VERSION, 0x0203, 0, NULL }),
    CLIENT(PEER_FAILS, "record version 0403", { SH, EDIT_VERSION, 0x0403, 0, NULL }),
    CLIENT(PEER_FAILS, "record type 1", { SH, EDIT_OUTER_TYPE, 1, 0, NULL }),
    CLIENT(PEER_FAILS, "record type 24", { SH, EDIT_OUTER_TYPE, 24, 0, NULL }),
    CLIENT(PEER_FAILS, "record type 128", { SH, EDIT_OUTER_TYPE, 128, 0, NULL }),
    CLIENT(PEER_FAILS, "record type 23", { SH, EDIT_OUTER_TYPE, 23, 0, NULL }),
    CLIENT(PEER_FAILS, "record type 21", { SH, EDIT_OUTER_TYPE, 21, 0, NULL }),
    CLIENT(PEER_FAILS, "record of 16385 bytes", { SH, EDIT_BIG, 22, 16385, NULL }),
    CLIENT(PEER_FAILS, "record of 18000 bytes", { SH, EDIT_BIG, 22, 18000, NULL }),
    CLIENT(PEER_WORKS, "empty handshake record", { SH, EDIT_BEFORE, 22, 1, "" }),
    CLIENT(PEER_FAILS, "empty alert", { SH, EDIT_BEFORE, 21, 1, "" }),
    CLIENT(PEER_FAILS, "alert of one byte", { SH, EDIT_BEFORE, 21, 1, "02" }),
    CLIENT(PEER_FAILS, "alert of three bytes", { SH, EDIT_BEFORE, 21, 1, "020000" }),
    CLIENT(PEER_FAILS, "alert of level 0", { SH, EDIT_BEFORE, 21, 1, "0028" }),
    CLIENT(PEER_FAILS, "alert of level 3", { SH, EDIT_BEFORE, 21, 1, "0328" }),
    CLIENT(PEER_FAILS, "fatal handshake_failure", { SH, EDIT_BEFORE, 21, 1, "0228" }),
    CLIENT(PEER_FAILS, "fatal alert without a name", { SH, EDIT_BEFORE, 21, 1, "02fe" }),
    CLIENT(PEER_FAILS, "fatal close_notify", { SH, EDIT_BEFORE, 21, 1, "0200" }),
    CLIENT(PEER_FAILS, "close_notify", { SH, EDIT_BEFORE, 21, 1, "0100" }),
    CLIENT(PEER_ANY, "warning user_canceled", { SH, EDIT_BEFORE, 21, 1, "015a" }),
    CLIENT(PEER_ANY, "warning unrecognized_name", { SH, EDIT_BEFORE, 21, 1, "0170" }),
    CLIENT(PEER_ANY, "warning handshake_failure", { SH, EDIT_BEFORE, 21, 1, "0128" }),
    CLIENT(PEER_ANY, "five warnings", { SH, EDIT_BEFORE, 21, 5, "0170" }),
    CLIENT(PEER_FAILS, "a hundred warnings", { SH, EDIT_BEFORE, 21, 100, "0170" }),
    CLIENT(PEER_FAILS, "change_cipher_spec before the ServerHello",
           { SH, EDIT_BEFORE, 20, 1, "01" }),
    CLIENT(PEER_FAILS, "application data before the ServerHello",
           { SH, EDIT_BEFORE, 23, 1, "6869" }),
    CLIENT(PEER_FAILS, "empty application data before the ServerHello",
           { SH, EDIT_BEFORE, 23, 1, "" }),
    CLIENT(PEER_FAILS, "an HTTP answer",
           { SH, EDIT_RAW_BEFORE, 0, 0, "485454502f312e312034303020426164" }),
    CLIENT(PEER_FAILS, "an SMTP greeting",
           { SH, EDIT_RAW_BEFORE, 0, 0, "323230206d61696c2045534d54500d0a" }),
    CLIENT(PEER_FAILS, "zeros", { SH, EDIT_RAW_BEFORE, 0, 0, "00000000000000000000000000000000" }),
    CLIENT(PEER_WORKS, "ServerHello in records of one byte", { SH, EDIT_SPLIT, 1, 0, NULL }),
    CLIENT(PEER_STRICT, "alert amid the ServerHello", { SH, EDIT_SPLIT_BETWEEN, 20, 21, "0170" }),
    CLIENT(PEER_FAILS, "application data amid the ServerHello",
           { SH, EDIT_SPLIT_BETWEEN, 20, 23, "6869" }),
    CLIENT(PEER_FAILS, "change_cipher_spec amid the ServerHello",
           { SH, EDIT_SPLIT_BETWEEN, 20, 20, "01" }),
};

static const struct peer_row before_keys_server[] = {
    SERVER(PEER_ANY, "record version 0300", { CH, EDIT_VERSION, 0x0300, 0, NULL }),
    SERVER(PEER_WORKS, "record version 0303", { CH, EDIT_VERSION, 0x0303, 0, NULL }),
    SERVER(PEER_ANY, "record version 0304", { CH, EDIT_VERSION, 0x0304, 0, NULL }),
    SERVER(PEER_ANY, "record version 0203", { CH, EDIT_VERSION, 0x0203, 0, NULL }),
    SERVER(PEER_FAILS, "record version 0403", { CH, EDIT_VERSION, 0x0403, 0, NULL }),
    SERVER(PEER_FAILS, "record type 1", { CH, EDIT_OUTER_TYPE, 1, 0, NULL }),
    SERVER(PEER_FAILS, "record type 24", { CH, EDIT_OUTER_TYPE, 24, 0, NULL }),
    SERVER(PEER_FAILS, "record type 23", { CH, EDIT_OUTER_TYPE, 23, 0, NULL }),
    SERVER(PEER_FAILS, "record type 21", { CH, EDIT_OUTER_TYPE, 21, 0, NULL }),
    SERVER(PEER_FAILS, "record of 16385 bytes", { CH, EDIT_BIG, 22, 16385, NULL }),
    SERVER(PEER_FAILS, "record of 18000 bytes", { CH, EDIT_BIG, 22, 18000, NULL }),
    SERVER(PEER_WORKS, "empty handshake record", { CH, EDIT_BEFORE, 22, 1, "" }),
    SERVER(PEER_FAILS, "alert of one byte", { CH, EDIT_BEFORE, 21, 1, "02" }),
    SERVER(PEER_FAILS, "alert of three bytes", { CH, EDIT_BEFORE, 21, 1, "020000" }),
    SERVER(PEER_FAILS, "fatal handshake_failure", { CH, EDIT_BEFORE, 21, 1, "0228" }),
    SERVER(PEER_FAILS, "close_notify", { CH, EDIT_BEFORE, 21, 1, "0100" }),
    SERVER(PEER_ANY, "warning user_canceled", { CH, EDIT_BEFORE, 21, 1, "015a" }),
    SERVER(PEER_FAILS, "a hundred warnings", { CH, EDIT_BEFORE, 21, 100, "015a" }),
    SERVER(PEER_FAILS, "change_cipher_spec before the ClientHello",
           { CH, EDIT_BEFORE, 20, 1, "01" }),
    SERVER(PEER_FAILS, "application data before the ClientHello",
           { CH, EDIT_BEFORE, 23, 1, "6869" }),
    SERVER(PEER_FAILS, "an HTTP request: GET",
           { CH, EDIT_RAW_BEFORE, 0, 0, "474554202f20485454502f312e310d0a" }),
    SERVER(PEER_FAILS, "an HTTP request: POST",
           { CH, EDIT_RAW_BEFORE, 0, 0, "504f5354202f20485454502f312e310d" }),
    SERVER(PEER_FAILS, "an HTTP request: HEAD",
           { CH, EDIT_RAW_BEFORE, 0, 0, "48454144202f20485454502f312e310d" }),
    SERVER(PEER_FAILS, "an HTTP request: PUT",
           { CH, EDIT_RAW_BEFORE, 0, 0, "505554202f20485454502f312e310d0a" }),
    SERVER(PEER_FAILS, "a proxy request: CONNECT",
           { CH, EDIT_RAW_BEFORE, 0, 0, "434f4e4e45435420613a312048545450" }),
    SERVER(PEER_FAILS, "a hello of SSL 2.0",
           { CH, EDIT_RAW_BEFORE, 0, 0, "802e0100020015000000100100800200800300800400800500" }),
    SERVER(PEER_FAILS, "a version 2 hello that offers TLS",
           { CH, EDIT_RAW_BEFORE, 0, 0,
             "801c010303000300000010 001301 00112233445566778899aabbccddeeff" }),
    SERVER(PEER_FAILS, "zeros", { CH, EDIT_RAW_BEFORE, 0, 0, "00000000000000000000000000000000" }),
    SERVER(PEER_FAILS, "alert amid the ClientHello", { CH, EDIT_SPLIT_BETWEEN, 20, 21, "015a" }),
    SERVER(PEER_FAILS, "application data amid the ClientHello",
           { CH, EDIT_SPLIT_BETWEEN, 20, 23, "6869" }),
    SERVER(PEER_FAILS, "change_cipher_spec amid the ClientHello",
           { CH, EDIT_SPLIT_BETWEEN, 20, 20, "01" }),
};

static const struct peer_row under_keys[] = {
    CLIENT(PEER_FAILS, "client: empty data before the certificate", { CT, EDIT_BEFORE, 23, 1, "" }),
    SERVER(PEER_FAILS, "server: empty data before the Finished",
           { AT_FINISHED, EDIT_BEFORE, 23, 1, "" }),
    CLIENT(PEER_WORKS, "client: no change_cipher_spec", { CCS, EDIT_SKIP, 0, 0, NULL }),
    CLIENT(PEER_ANY, "client: two change_cipher_specs", { CCS, EDIT_TWICE, 0, 0, NULL }),
    CLIENT(PEER_ANY, "client: forty change_cipher_specs", { CCS, EDIT_BEFORE, 20, 40, "01" }),
    CLIENT(PEER_FAILS, "client: change_cipher_spec of 2", { CCS, EDIT_BODY, 0, 0, "02" }),
    CLIENT(PEER_FAILS, "client: change_cipher_spec of two bytes", { CCS, EDIT_TAIL, 0, 0, "01" }),
    CLIENT(PEER_FAILS, "client: change_cipher_spec empty", { CCS, EDIT_BEFORE, 20, 1, "" }),
    CLIENT(PEER_ANY, "client: change_cipher_spec amid the certificate",
           { CT, EDIT_SPLIT_BETWEEN, 20, 20, "01" }),
    CLIENT(PEER_WORKS, "client: certificate in records of one byte",
           { CT, EDIT_SPLIT, 1, 0, NULL }),
    CLIENT(PEER_FAILS, "client: application data amid the certificate",
           { CT, EDIT_SPLIT_BETWEEN, 20, 23, "6869" }),
    CLIENT(PEER_STRICT, "client: alert amid the certificate",
           { CT, EDIT_SPLIT_BETWEEN, 20, 21, "015a" }),
    CLIENT(PEER_WORKS, "client: the server's flight in one record", { EE, EDIT_HOLD, 0, 0, NULL },
           { CT, EDIT_HOLD, 0, 0, NULL }, { AT_CERTIFICATE_VERIFY, EDIT_HOLD, 0, 0, NULL }),
    CLIENT(PEER_WORKS, "client: the server's flight in one record, cut into records of 7 bytes",
           { EE, EDIT_HOLD, 0, 0, NULL }, { CT, EDIT_HOLD, 0, 0, NULL },
           { AT_CERTIFICATE_VERIFY, EDIT_HOLD, 0, 0, NULL }, { FIN, EDIT_SPLIT, 7, 0, NULL }),
    CLIENT(PEER_FAILS, "client: the server's flight and a ticket in one record",
           { EE, EDIT_HOLD, 0, 0, NULL }, { CT, EDIT_HOLD, 0, 0, NULL },
           { AT_CERTIFICATE_VERIFY, EDIT_HOLD, 0, 0, NULL },
           { FIN, EDIT_EXTRA, 0, 0, "0400000e 00000e10 00000000 00 0001 aa 0000" }),
    CLIENT(PEER_FAILS, "client: broken tag", { CT, EDIT_BREAK_TAG, 0, 0, NULL }),
    CLIENT(PEER_WORKS, "client: padded record", { CT, EDIT_PADDED, 100, 0, NULL }),
    CLIENT(PEER_ANY, "client: record version 0301 under keys",
           { CT, EDIT_VERSION, 0x0301, 0, NULL }),
    CLIENT(PEER_FAILS, "client: record version 0403 under keys",
           { CT, EDIT_VERSION, 0x0403, 0, NULL }),
    CLIENT(PEER_FAILS, "client: outer type 22 under keys", { CT, EDIT_OUTER_TYPE, 22, 0, NULL }),
    CLIENT(PEER_FAILS, "client: outer type 21 under keys", { CT, EDIT_OUTER_TYPE, 21, 0, NULL }),
    CLIENT(PEER_FAILS, "client: inner type 23 in the handshake",
           { CT, EDIT_RECORD_TYPE, 23, 0, NULL }),
    CLIENT(PEER_FAILS, "client: inner type 24", { CT, EDIT_RECORD_TYPE, 24, 0, NULL }),
    /* What is then the type is the last byte of a signature: it may be one that exists. */
    CLIENT(PEER_FAILS_ANYHOW, "client: inner type 0", { CT, EDIT_RECORD_TYPE, 0, 0, NULL }),
    CLIENT(PEER_FAILS, "client: empty handshake record", { CT, EDIT_BEFORE, 22, 1, "" }),
    CLIENT(PEER_FAILS, "client: content of 16385 bytes", { CT, EDIT_BIG, 22, 16385, NULL }),
    CLIENT(PEER_FAILS, "client: content of 17000 bytes", { CT, EDIT_BIG, 22, 17000, NULL }),
    CLIENT(PEER_FAILS, "client: record of 5 zero bytes",
           { CT, EDIT_RAW_BEFORE, 0, 0, "17 0303 0005 0000000000" }),
    CLIENT(PEER_FAILS, "client: record of 17 garbage bytes",
           { CT, EDIT_RAW_BEFORE, 0, 0, "17 0303 0011 0102030405060708091011121314151617" }),
    CLIENT(PEER_FAILS, "client: record of no bytes", { CT, EDIT_RAW_BEFORE, 0, 0, "17 0303 0000" }),
    CLIENT(PEER_FAILS, "client: record of 16641 bytes announced",
           { CT, EDIT_RAW_BEFORE, 0, 0, "17 0303 4101 00" }),
    CLIENT(PEER_FAILS, "client: alert in the clear after the ServerHello",
           { EE, EDIT_RAW_BEFORE, 0, 0, "15 0303 0002 0228" }),
    CLIENT(PEER_ANY, "client: warning user_canceled under keys",
           { CT, EDIT_BEFORE, 21, 1, "015a" }),
    CLIENT(PEER_FAILS, "client: fatal alert under keys", { CT, EDIT_BEFORE, 21, 1, "0228" }),
    CLIENT(PEER_FAILS, "client: two alerts in a record", { CT, EDIT_BEFORE, 21, 1, "015a0228" }),
    SERVER(PEER_ANY, "server: two change_cipher_specs", { CCS, EDIT_TWICE, 0, 0, NULL }),
    SERVER(PEER_ANY, "server: forty change_cipher_specs", { CCS, EDIT_BEFORE, 20, 40, "01" }),
    SERVER(PEER_FAILS, "server: change_cipher_spec of 2", { CCS, EDIT_BODY, 0, 0, "02" }),
    SERVER(PEER_FAILS, "server: change_cipher_spec of two bytes", { CCS, EDIT_TAIL, 0, 0, "01" }),
    { PEER_WORKS,
      { "server: the client's flight in one record",
        true,
        false,
        true,
        { { CT, EDIT_HOLD, 0, 0, NULL }, { AT_CERTIFICATE_VERIFY, EDIT_HOLD, 0, 0, NULL } } } },
    { PEER_WORKS,
      { "server: the client's flight in records of one byte",
        true,
        false,
        true,
        { { CT, EDIT_SPLIT, 1, 0, NULL },
          { AT_CERTIFICATE_VERIFY, EDIT_SPLIT, 1, 0, NULL },
          { FIN, EDIT_SPLIT, 1, 0, NULL } } } },
    SERVER(PEER_FAILS, "server: broken tag", { FIN, EDIT_BREAK_TAG, 0, 0, NULL }),
    SERVER(PEER_WORKS, "server: padded record", { FIN, EDIT_PADDED, 300, 0, NULL }),
    SERVER(PEER_FAILS, "server: alert in the clear after the ServerHello",
           { FIN, EDIT_RAW_BEFORE, 0, 0, "15 0303 0002 0228" }),
    SERVER(PEER_FAILS, "server: application data in the clear",
           { FIN, EDIT_RAW_BEFORE, 0, 0, "17 0303 0002 6869" }),
    SERVER(PEER_FAILS, "server: outer type 22 under keys", { FIN, EDIT_OUTER_TYPE, 22, 0, NULL }),
    SERVER(PEER_FAILS, "server: inner type 20", { FIN, EDIT_BEFORE, 20, 1, "" }),
};

static const struct peer_row connected_client[] = {
    CLIENT(PEER_WORKS, "data", { ON, EDIT_BEFORE, 23, 3, "6869" }),
    CLIENT(PEER_WORKS, "empty data", { ON, EDIT_BEFORE, 23, 3, "" }),
    CLIENT(PEER_ANY, "forty empty records of data", { ON, EDIT_BEFORE, 23, 40, "" }),
    CLIENT(PEER_WORKS, "key update", { ON, EDIT_BEFORE, 22, 1, "18000001 00" }),
    CLIENT(PEER_WORKS, "key update, asking for one", { ON, EDIT_BEFORE, 22, 1, "18000001 01" }),
    CLIENT(PEER_FAILS, "key update of value 2", { ON, EDIT_BEFORE, 22, 1, "18000001 02" }),
    CLIENT(PEER_FAILS, "key update empty", { ON, EDIT_BEFORE, 22, 1, "18000000" }),
    CLIENT(PEER_FAILS, "key update too long", { ON, EDIT_BEFORE, 22, 1, "18000002 0000" }),
    CLIENT(PEER_FAILS, "key update, more handshake bytes in its record",
           { ON, EDIT_BEFORE, 22, 1, "18000001 00 18" }),
    CLIENT(PEER_FAILS, "two key updates in a record",
           { ON, EDIT_BEFORE, 22, 1, "18000001 00 18000001 00" }),
    CLIENT(PEER_WORKS, "ticket",
           { ON, EDIT_BEFORE, 22, 1, "0400000e 00000e10 00000000 00 0001 aa 0000" }),
    CLIENT(PEER_WORKS, "two tickets in a record",
           { ON, EDIT_BEFORE, 22, 1,
             "0400000e 00000e10 00000000 00 0001 aa 0000 0400000e 00000e10 00000000 00 0001 ab "
             "0000" }),
    CLIENT(PEER_FAILS, "ticket empty", { ON, EDIT_BEFORE, 22, 1, "04000000" }),
    CLIENT(PEER_FAILS, "ticket of no bytes",
           { ON, EDIT_BEFORE, 22, 1, "0400000d 00000e10 00000000 00 0000 0000" }),
    CLIENT(PEER_FAILS, "ticket nonce beyond the end",
           { ON, EDIT_BEFORE, 22, 1, "0400000e 00000e10 00000000 ff 0001 aa 0000" }),
    CLIENT(PEER_FAILS, "ticket without extension block",
           { ON, EDIT_BEFORE, 22, 1, "0400000c 00000e10 00000000 00 0001 aa" }),
    CLIENT(PEER_FAILS, "ticket with a trailing byte",
           { ON, EDIT_BEFORE, 22, 1, "0400000f 00000e10 00000000 00 0001 aa 0000 00" }),
    CLIENT(PEER_WORKS, "ticket with an unknown extension",
           { ON, EDIT_BEFORE, 22, 1, "04000012 00000e10 00000000 00 0001 aa 0004 ff99 0000" }),
    CLIENT(PEER_FAILS, "ticket with early_data cut",
           { ON, EDIT_BEFORE, 22, 1, "04000014 00000e10 00000000 00 0001 aa 0006 002a 0002 0000" }),
    CLIENT(PEER_FAILS, "certificate request without post_handshake_auth",
           { ON, EDIT_BEFORE, 22, 1, "0d00000d 02 0102 0008 000d 0004 0002 0403" }),
    CLIENT(PEER_FAILS, "HelloRequest", { ON, EDIT_BEFORE, 22, 1, "00000000" }),
    CLIENT(PEER_FAILS, "ServerHello", { ON, EDIT_BEFORE, 22, 1, "02000000" }),
    CLIENT(PEER_FAILS, "EncryptedExtensions", { ON, EDIT_BEFORE, 22, 1, "08000002 0000" }),
    CLIENT(PEER_FAILS, "Certificate", { ON, EDIT_BEFORE, 22, 1, "0b000004 00 000000" }),
    CLIENT(PEER_FAILS, "Finished", { ON, EDIT_BEFORE, 22, 1, "14000000" }),
    CLIENT(PEER_FAILS, "unknown message", { ON, EDIT_BEFORE, 22, 1, "63000000" }),
    CLIENT(PEER_FAILS, "message beyond the limit", { ON, EDIT_BEFORE, 22, 1, "04ffffff" }),
    CLIENT(PEER_FAILS, "half a message, then data", { ON, EDIT_BEFORE, 22, 1, "040000" },
           { ON, EDIT_AFTER, 23, 1, "6869" }),
    CLIENT(PEER_FAILS, "half a message, then no data", { ON, EDIT_BEFORE, 22, 1, "180000" },
           { ON, EDIT_AFTER, 23, 1, "" }),
    CLIENT(PEER_WORKS, "half a message", { ON, EDIT_BEFORE, 22, 1, "040000" }),
    CLIENT(PEER_FAILS, "empty handshake record", { ON, EDIT_BEFORE, 22, 1, "" }),
    CLIENT(PEER_FAILS, "change_cipher_spec", { ON, EDIT_BEFORE, 20, 1, "01" }),
    CLIENT(PEER_FAILS, "alert in the clear", { ON, EDIT_RAW_BEFORE, 0, 0, "15 0303 0002 0100" }),
    CLIENT(PEER_ANY, "close_notify", { ON, EDIT_BEFORE, 21, 1, "0100" }),
    CLIENT(PEER_ANY, "fatal close_notify", { ON, EDIT_BEFORE, 21, 1, "0200" }),
    CLIENT(PEER_FAILS, "fatal alert", { ON, EDIT_BEFORE, 21, 1, "0250" }),
    CLIENT(PEER_FAILS, "fatal alert of level 1", { ON, EDIT_BEFORE, 21, 1, "0150" }),
    CLIENT(PEER_ANY, "warning user_canceled", { ON, EDIT_BEFORE, 21, 1, "015a" }),
    CLIENT(PEER_ANY, "warning no_renegotiation", { ON, EDIT_BEFORE, 21, 1, "0164" }),
    CLIENT(PEER_FAILS, "a hundred warnings", { ON, EDIT_BEFORE, 21, 100, "015a" }),
    CLIENT(PEER_FAILS, "empty alert", { ON, EDIT_BEFORE, 21, 1, "" }),
    CLIENT(PEER_FAILS, "alert of three bytes", { ON, EDIT_BEFORE, 21, 1, "010000" }),
    CLIENT(PEER_FAILS, "inner type 24", { ON, EDIT_BEFORE, 24, 1, "0100" }),
    CLIENT(PEER_FAILS, "no inner type", { ON, EDIT_BEFORE, 0, 1, "0000" }),
    CLIENT(PEER_FAILS, "content of 16385 bytes", { ON, EDIT_BIG, 23, 16385, NULL }),
    CLIENT(PEER_WORKS, "content of 16384 bytes", { ON, EDIT_BIG, 23, 16384, NULL }),
    CLIENT(PEER_FAILS, "broken record",
           { ON, EDIT_RAW_BEFORE, 0, 0, "17 0303 0014 0102030405060708091011121314151617181920" }),
};

static const struct peer_row connected_server[] = {
    SERVER(PEER_WORKS, "data", { ON, EDIT_BEFORE, 23, 3, "6869" }),
    SERVER(PEER_ANY, "forty empty records of data", { ON, EDIT_BEFORE, 23, 40, "" }),
    SERVER(PEER_WORKS, "key update", { ON, EDIT_BEFORE, 22, 1, "18000001 00" }),
    SERVER(PEER_FAILS, "key update of value 255", { ON, EDIT_BEFORE, 22, 1, "18000001 ff" }),
    SERVER(PEER_FAILS, "ClientHello", { ON, EDIT_BEFORE, 22, 1, "01000000" }),
    SERVER(PEER_FAILS, "HelloRequest", { ON, EDIT_BEFORE, 22, 1, "00000000" }),
    SERVER(PEER_FAILS, "ticket",
           { ON, EDIT_BEFORE, 22, 1, "0400000e 00000e10 00000000 00 0001 aa 0000" }),
    SERVER(PEER_FAILS, "certificate that nobody asked for",
           { ON, EDIT_BEFORE, 22, 1, "0b000004 00 000000" }),
    SERVER(PEER_FAILS, "certificate request",
           { ON, EDIT_BEFORE, 22, 1, "0d00000b 00 0008 000d 0004 0002 0403" }),
    SERVER(PEER_FAILS, "EndOfEarlyData", { ON, EDIT_BEFORE, 22, 1, "05000000" }),
    SERVER(PEER_FAILS, "Finished", { ON, EDIT_BEFORE, 22, 1, "14000000" }),
    SERVER(PEER_FAILS, "change_cipher_spec", { ON, EDIT_BEFORE, 20, 1, "01" }),
    SERVER(PEER_ANY, "close_notify", { ON, EDIT_BEFORE, 21, 1, "0100" }),
    SERVER(PEER_FAILS, "fatal alert", { ON, EDIT_BEFORE, 21, 1, "0250" }),
    SERVER(PEER_FAILS, "a hundred warnings", { ON, EDIT_BEFORE, 21, 100, "015a" }),
    SERVER(PEER_FAILS, "broken record",
           { ON, EDIT_RAW_BEFORE, 0, 0, "17 0303 0014 0102030405060708091011121314151617181920" }),
};

#define RUN(rows) peer_run_table(rows, sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    contract_start();
    section("client, before there are keys");
    RUN(before_keys_client);
    section("server, before there are keys");
    RUN(before_keys_server);
    section("under handshake keys");
    RUN(under_keys);
    section("client, after the handshake");
    RUN(connected_client);
    section("server, after the handshake");
    RUN(connected_server);
    identity_default_free();
    return contract_finish();
}
