/*
 * What a server does with client messages that RFC 8446 forbids, and with odd ones that it allows:
 * one line each.
 */
#include "contract.h"
#include "hs_peer.h"

#define PLAIN(verdict, name, ...)                                                                  \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, true, false, false,                                                              \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }
#define RETRY(verdict, name, ...)                                                                  \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, true, true, false,                                                               \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }
#define AUTH(verdict, name, ...)                                                                   \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, true, false, true,                                                               \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }

#define CH  AT_CLIENT_HELLO
#define CH2 AT_SECOND_HELLO
#define CCS AT_CCS
#define CT  AT_CERTIFICATE
#define CV  AT_CERTIFICATE_VERIFY
#define FIN AT_FINISHED

#define ZEROS_8  "0000000000000000"
#define ZEROS_32 ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8
#define ONES_32  "0101010101010101010101010101010101010101010101010101010101010101"

/* Offsets in the peer's ClientHello: a session id of 32 bytes, one suite. */
#define OF_VERSION     4
#define OF_RANDOM      6
#define OF_SESSION     38
#define OF_SUITES      71
#define OF_COMPRESSION 75
#define OF_EXTENSIONS  77

static const struct peer_row hello[] = {
    PLAIN(PEER_WORKS, "nothing changed", { CH, EDIT_END, 0, 0, NULL }),
    PLAIN(PEER_ANY, "legacy_version 0302", { CH, EDIT_SET, OF_VERSION, 0, "0302" }),
    PLAIN(PEER_ANY, "legacy_version 0301", { CH, EDIT_SET, OF_VERSION, 0, "0301" }),
    PLAIN(PEER_ANY, "legacy_version 0300", { CH, EDIT_SET, OF_VERSION, 0, "0300" }),
    PLAIN(PEER_ANY, "legacy_version 0304", { CH, EDIT_SET, OF_VERSION, 0, "0304" }),
    PLAIN(PEER_ANY, "legacy_version 7f7f", { CH, EDIT_SET, OF_VERSION, 0, "7f7f" }),
    PLAIN(PEER_ANY, "legacy_version fefd", { CH, EDIT_SET, OF_VERSION, 0, "fefd" }),
    PLAIN(PEER_WORKS, "no session id", { CH, EDIT_REMOVE, OF_SESSION + 1, 32, NULL },
          { CH, EDIT_SET, OF_SESSION, 0, "00" }),
    PLAIN(PEER_WORKS, "session id of 5 bytes", { CH, EDIT_REMOVE, OF_SESSION + 1, 27, NULL },
          { CH, EDIT_SET, OF_SESSION, 0, "05" }),
    PLAIN(PEER_FAILS, "session id of 33 bytes", { CH, EDIT_SET, OF_SESSION, 0, "21" },
          { CH, EDIT_INSERT, OF_SESSION + 1, 0, "aa" }),
    PLAIN(PEER_FAILS, "session id beyond the end", { CH, EDIT_SET, OF_SESSION, 0, "ff" }),
    PLAIN(PEER_FAILS, "no suites", { CH, EDIT_REMOVE, OF_SUITES + 2, 2, NULL },
          { CH, EDIT_SET, OF_SUITES, 0, "0000" }),
    PLAIN(PEER_FAILS, "suites of odd length", { CH, EDIT_INSERT, OF_SUITES + 4, 0, "13" },
          { CH, EDIT_SET, OF_SUITES, 0, "0003" }),
    PLAIN(PEER_FAILS, "suites beyond the end", { CH, EDIT_SET, OF_SUITES, 0, "fffe" }),
    PLAIN(PEER_FAILS, "only unknown suites", { CH, EDIT_SET, OF_SUITES + 2, 0, "13ff" }),
    PLAIN(PEER_FAILS, "only a suite of TLS 1.2", { CH, EDIT_SET, OF_SUITES + 2, 0, "c02b" }),
    PLAIN(PEER_WORKS, "unknown suites before the known",
          { CH, EDIT_INSERT, OF_SUITES + 2, 0, "0a0a 13ff" },
          { CH, EDIT_SET, OF_SUITES, 0, "0006" }),
    PLAIN(PEER_WORKS, "a suite twice", { CH, EDIT_INSERT, OF_SUITES + 2, 0, "1301" },
          { CH, EDIT_SET, OF_SUITES, 0, "0004" }),
    PLAIN(PEER_ANY, "renegotiation signal", { CH, EDIT_INSERT, OF_SUITES + 2, 0, "00ff" },
          { CH, EDIT_SET, OF_SUITES, 0, "0004" }),
    PLAIN(PEER_ANY, "fallback signal", { CH, EDIT_INSERT, OF_SUITES + 2, 0, "5600" },
          { CH, EDIT_SET, OF_SUITES, 0, "0004" }),
    PLAIN(PEER_FAILS, "no compression methods", { CH, EDIT_REMOVE, OF_COMPRESSION + 1, 1, NULL },
          { CH, EDIT_SET, OF_COMPRESSION, 0, "00" }),
    PLAIN(PEER_FAILS, "compression method 1 alone", { CH, EDIT_SET, OF_COMPRESSION + 1, 0, "01" }),
    PLAIN(PEER_FAILS, "compression methods 0 and 1", { CH, EDIT_SET, OF_COMPRESSION, 0, "02" },
          { CH, EDIT_INSERT, OF_COMPRESSION + 2, 0, "01" }),
    PLAIN(PEER_FAILS, "extension block a byte too long", { CH, EDIT_EXT_LENGTH, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "extension block a byte too short",
          { CH, EDIT_EXT_LENGTH, (unsigned)-1, 0, NULL }),
    PLAIN(PEER_FAILS, "trailing byte", { CH, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "cut by a byte", { CH, EDIT_CUT, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "empty", { CH, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "length beyond the limit", { CH, EDIT_LENGTH, 0x100000, 0, NULL }),
    PLAIN(PEER_FAILS, "twice", { CH, EDIT_TWICE, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "more handshake bytes in its record", { CH, EDIT_EXTRA, 0, 0, "14000000" }),
    PLAIN(PEER_FAILS, "as type 2, ServerHello", { CH, EDIT_TYPE, 2, 0, NULL }),
    PLAIN(PEER_FAILS, "as type 20, Finished", { CH, EDIT_TYPE, 20, 0, NULL }),
    PLAIN(PEER_FAILS, "HelloRequest before it", { CH, EDIT_BEFORE, 22, 1, "00000000" }),
    PLAIN(PEER_WORKS, "in records of one byte", { CH, EDIT_SPLIT, 1, 0, NULL }),
    PLAIN(PEER_WORKS, "in records of seven bytes", { CH, EDIT_SPLIT, 7, 0, NULL }),
};

static const struct peer_row extensions[] = {
    PLAIN(PEER_FAILS, "no supported_versions", { CH, EDIT_EXT_DROP, 43, 0, NULL }),
    PLAIN(PEER_FAILS, "supported_versions 0303", { CH, EDIT_EXT_BODY, 43, 0, "02 0303" }),
    PLAIN(PEER_FAILS, "supported_versions 0305", { CH, EDIT_EXT_BODY, 43, 0, "02 0305" }),
    PLAIN(PEER_FAILS, "supported_versions of a draft", { CH, EDIT_EXT_BODY, 43, 0, "02 7f1c" }),
    PLAIN(PEER_WORKS, "supported_versions with unknown ones",
          { CH, EDIT_EXT_BODY, 43, 0, "08 0a0a 0303 0304 0305" }),
    PLAIN(PEER_FAILS, "supported_versions without one", { CH, EDIT_EXT_BODY, 43, 0, "00" }),
    PLAIN(PEER_FAILS, "supported_versions empty", { CH, EDIT_EXT_BODY, 43, 0, "" }),
    PLAIN(PEER_FAILS, "supported_versions of odd length",
          { CH, EDIT_EXT_BODY, 43, 0, "03 030403" }),
    PLAIN(PEER_FAILS, "supported_versions twice", { CH, EDIT_EXT_DUPLICATE, 43, 0, NULL }),
    PLAIN(PEER_FAILS, "no key_share, no supported_groups", { CH, EDIT_EXT_DROP, 51, 0, NULL },
          { CH, EDIT_EXT_DROP, 10, 0, NULL }),
    PLAIN(PEER_FAILS, "no key_share", { CH, EDIT_EXT_DROP, 51, 0, NULL }),
    PLAIN(PEER_FAILS, "no supported_groups", { CH, EDIT_EXT_DROP, 10, 0, NULL }),
    PLAIN(PEER_FAILS, "supported_groups empty", { CH, EDIT_EXT_BODY, 10, 0, "" }),
    PLAIN(PEER_FAILS, "supported_groups without one", { CH, EDIT_EXT_BODY, 10, 0, "0000" }),
    PLAIN(PEER_FAILS, "supported_groups of odd length",
          { CH, EDIT_EXT_BODY, 10, 0, "0003 001d00" }),
    PLAIN(PEER_FAILS, "supported_groups unknown", { CH, EDIT_EXT_BODY, 10, 0, "0002 abcd" }),
    PLAIN(PEER_FAILS, "share of a group not in supported_groups",
          { CH, EDIT_EXT_BODY, 10, 0, "0002 0017" }),
    PLAIN(PEER_FAILS, "key_share empty", { CH, EDIT_EXT_BODY, 51, 0, "" }),
    PLAIN(PEER_FAILS, "key_share list without a share", { CH, EDIT_EXT_BODY, 51, 0, "0000" }),
    PLAIN(PEER_FAILS, "key_share list too long", { CH, EDIT_EXT_BODY, 51, 0, "0005 001d 0000" }),
    PLAIN(PEER_FAILS, "key_share of 0 bytes", { CH, EDIT_EXT_BODY, 51, 0, "0004 001d 0000" }),
    PLAIN(PEER_FAILS, "key_share of 31 bytes",
          { CH, EDIT_EXT_BODY, 51, 0, "0023 001d 001f" ZEROS_8 ZEROS_8 ZEROS_8 "01020304050607" }),
    PLAIN(PEER_FAILS, "key_share of 33 bytes",
          { CH, EDIT_EXT_BODY, 51, 0, "0025 001d 0021" ONES_32 "01" }),
    PLAIN(PEER_FAILS, "key_share of zeros",
          { CH, EDIT_EXT_BODY, 51, 0, "0024 001d 0020" ZEROS_32 }),
    PLAIN(PEER_FAILS, "key_share of a point not on the curve",
          { CH, EDIT_EXT_BODY, 51, 0, "0045 0017 0041 04" ONES_32 ONES_32 }),
    PLAIN(PEER_FAILS, "key_share of a compressed point",
          { CH, EDIT_EXT_BODY, 51, 0, "0025 0017 0021 02" ONES_32 }),
    PLAIN(PEER_ANY, "two shares of one group",
          { CH, EDIT_EXT_BODY, 51, 0, "0048 001d 0020" ONES_32 "001d 0020" ONES_32 }),
    PLAIN(PEER_FAILS, "key_share twice", { CH, EDIT_EXT_DUPLICATE, 51, 0, NULL }),
    PLAIN(PEER_FAILS, "no signature_algorithms", { CH, EDIT_EXT_DROP, 13, 0, NULL }),
    PLAIN(PEER_FAILS, "signature_algorithms empty", { CH, EDIT_EXT_BODY, 13, 0, "" }),
    PLAIN(PEER_FAILS, "signature_algorithms without one", { CH, EDIT_EXT_BODY, 13, 0, "0000" }),
    PLAIN(PEER_FAILS, "signature_algorithms of odd length",
          { CH, EDIT_EXT_BODY, 13, 0, "0003 040304" }),
    PLAIN(PEER_FAILS, "signature_algorithms unknown", { CH, EDIT_EXT_BODY, 13, 0, "0002 abcd" }),
    PLAIN(PEER_FAILS, "signature_algorithms without the key's",
          { CH, EDIT_EXT_BODY, 13, 0, "0002 0804" }),
    PLAIN(PEER_FAILS, "signature_algorithms with sha1 alone",
          { CH, EDIT_EXT_BODY, 13, 0, "0002 0203" }),
    PLAIN(PEER_FAILS, "signature_algorithms_cert of odd length",
          { CH, EDIT_EXT_ADD, 50, 0, "0003 040304" }),
    PLAIN(PEER_WORKS, "no psk_key_exchange_modes", { CH, EDIT_EXT_DROP, 45, 0, NULL }),
    PLAIN(PEER_FAILS, "psk_key_exchange_modes empty", { CH, EDIT_EXT_BODY, 45, 0, "" }),
    PLAIN(PEER_FAILS, "psk_key_exchange_modes without one", { CH, EDIT_EXT_BODY, 45, 0, "00" }),
    PLAIN(PEER_WORKS, "psk_key_exchange_modes unknown", { CH, EDIT_EXT_BODY, 45, 0, "01 7f" }),
    PLAIN(PEER_FAILS, "pre_shared_key without modes", { CH, EDIT_EXT_DROP, 45, 0, NULL },
          { CH, EDIT_EXT_ADD, 41, 0, "0007 0001 aa 00000000 0021 20" ONES_32 }),
    PLAIN(PEER_FAILS, "pre_shared_key not the last",
          { CH, EDIT_EXT_ADD, 41, 0, "0007 0001 aa 00000000 0021 20" ONES_32 },
          { CH, EDIT_EXT_ADD, 0xff99, 0, "" }),
    PLAIN(PEER_WORKS, "pre_shared_key unknown",
          { CH, EDIT_EXT_ADD, 41, 0, "0007 0001 aa 00000000 0021 20" ONES_32 }),
    PLAIN(PEER_FAILS, "pre_shared_key empty", { CH, EDIT_EXT_ADD, 41, 0, "" }),
    PLAIN(PEER_ANY, "pre_shared_key without identities",
          { CH, EDIT_EXT_ADD, 41, 0, "0000 0021 20" ONES_32 }),
    PLAIN(PEER_WORKS, "unknown extension", { CH, EDIT_EXT_ADD, 0xff99, 0, "00" }),
    PLAIN(PEER_WORKS, "unknown extension first", { CH, EDIT_EXT_FIRST, 0x0a0a, 0, "" }),
    PLAIN(PEER_STRICT, "unknown extension twice", { CH, EDIT_EXT_ADD, 0xff99, 0, "00" },
          { CH, EDIT_EXT_DUPLICATE, 0xff99, 0, NULL }),
    PLAIN(PEER_WORKS, "padding", { CH, EDIT_EXT_ADD, 21, 0, ZEROS_32 }),
    PLAIN(PEER_ANY, "padding with content", { CH, EDIT_EXT_ADD, 21, 0, ONES_32 }),
    PLAIN(PEER_ANY, "cookie that nobody gave", { CH, EDIT_EXT_ADD, 44, 0, "0001 aa" }),
    PLAIN(PEER_ANY, "early_data without pre_shared_key", { CH, EDIT_EXT_ADD, 42, 0, "" }),
    PLAIN(PEER_FAILS, "early_data with content", { CH, EDIT_EXT_ADD, 42, 0, "00" }),
    PLAIN(PEER_FAILS, "use_srtp, which is DTLS's", { CH, EDIT_EXT_ADD, 14, 0, "0002 0001 00" }),
    PLAIN(PEER_WORKS, "max_fragment_length 1", { CH, EDIT_EXT_ADD, 1, 0, "01" }),
    PLAIN(PEER_FAILS, "max_fragment_length 5", { CH, EDIT_EXT_ADD, 1, 0, "05" }),
    PLAIN(PEER_FAILS, "max_fragment_length empty", { CH, EDIT_EXT_ADD, 1, 0, "" }),
    PLAIN(PEER_WORKS, "extended_master_secret", { CH, EDIT_EXT_ADD, 23, 0, "" }),
    PLAIN(PEER_ANY, "extended_master_secret with content", { CH, EDIT_EXT_ADD, 23, 0, "00" }),
    PLAIN(PEER_ANY, "ec_point_formats empty", { CH, EDIT_EXT_ADD, 11, 0, "" }),
    PLAIN(PEER_ANY, "ec_point_formats without uncompressed", { CH, EDIT_EXT_ADD, 11, 0, "01 01" }),
    PLAIN(PEER_ANY, "renegotiation_info with content", { CH, EDIT_EXT_ADD, 0xff01, 0, "01 aa" }),
    PLAIN(PEER_WORKS, "post_handshake_auth", { CH, EDIT_EXT_ADD, 49, 0, "" }),
    PLAIN(PEER_FAILS, "post_handshake_auth with content", { CH, EDIT_EXT_ADD, 49, 0, "00" }),
    PLAIN(PEER_WORKS, "status_request", { CH, EDIT_EXT_ADD, 5, 0, "01 0000 0000" }),
    PLAIN(PEER_WORKS, "status_request of another type", { CH, EDIT_EXT_ADD, 5, 0, "02 0000 0000" }),
    PLAIN(PEER_FAILS, "status_request empty", { CH, EDIT_EXT_ADD, 5, 0, "" }),
    PLAIN(PEER_FAILS, "status_request cut", { CH, EDIT_EXT_ADD, 5, 0, "01 0004 00" }),
    PLAIN(PEER_WORKS, "no server_name", { CH, EDIT_EXT_DROP, 0, 0, NULL }),
    PLAIN(PEER_ANY, "server_name empty", { CH, EDIT_EXT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "server_name without a name", { CH, EDIT_EXT_BODY, 0, 0, "0000" }),
    PLAIN(PEER_ANY, "server_name of no bytes", { CH, EDIT_EXT_BODY, 0, 0, "0003 00 0000" }),
    PLAIN(PEER_FAILS, "server_name with a zero byte",
          { CH, EDIT_EXT_BODY, 0, 0, "0006 00 0003 61 00 62" }),
    PLAIN(PEER_FAILS, "server_name of another type",
          { CH, EDIT_EXT_BODY, 0, 0, "0004 01 0001 61" }),
    PLAIN(PEER_FAILS, "two server names",
          { CH, EDIT_EXT_BODY, 0, 0, "0008 00 0001 61 00 0001 62" }),
    PLAIN(PEER_FAILS, "server_name list cut", { CH, EDIT_EXT_BODY, 0, 0, "0009 00 0001 61" }),
    PLAIN(PEER_FAILS, "server_name of 256 bytes",
          { CH, EDIT_EXT_BODY, 0, 0,
            "0103 00 0100" ONES_32 ONES_32 ONES_32 ONES_32 ONES_32 ONES_32 ONES_32 ONES_32 }),
    PLAIN(PEER_WORKS, "ALPN", { CH, EDIT_EXT_ADD, 16, 0, "0003 02 6832" }),
    PLAIN(PEER_FAILS, "ALPN empty", { CH, EDIT_EXT_ADD, 16, 0, "" }),
    PLAIN(PEER_FAILS, "ALPN without a name", { CH, EDIT_EXT_ADD, 16, 0, "0000" }),
    PLAIN(PEER_FAILS, "ALPN name of no bytes", { CH, EDIT_EXT_ADD, 16, 0, "0004 00 02 6832" }),
    PLAIN(PEER_FAILS, "ALPN name beyond the list", { CH, EDIT_EXT_ADD, 16, 0, "0003 05 6832" }),
    PLAIN(PEER_FAILS, "ALPN list cut", { CH, EDIT_EXT_ADD, 16, 0, "0009 02 6832" }),
    PLAIN(PEER_FAILS, "ALPN twice", { CH, EDIT_EXT_ADD, 16, 0, "0003 02 6832" },
          { CH, EDIT_EXT_DUPLICATE, 16, 0, NULL }),
};

static const struct peer_row second_hello[] = {
    RETRY(PEER_WORKS, "retry: nothing changed", { CH2, EDIT_END, 0, 0, NULL }),
    RETRY(PEER_ANY, "retry: other random", { CH2, EDIT_SET, OF_RANDOM, 0, "00000000" }),
    RETRY(PEER_ANY, "retry: other session id", { CH2, EDIT_SET, OF_SESSION + 1, 0, "0000" }),
    RETRY(PEER_FAILS, "retry: other suites", { CH2, EDIT_SET, OF_SUITES + 2, 0, "1302" }),
    RETRY(PEER_ANY, "retry: one suite more", { CH2, EDIT_INSERT, OF_SUITES + 2, 0, "1302" },
          { CH2, EDIT_SET, OF_SUITES, 0, "0004" }),
    RETRY(PEER_FAILS, "retry: the same share again",
          { CH2, EDIT_EXT_BODY, 51, 0, "0024 001d 0020" ONES_32 }),
    RETRY(PEER_FAILS, "retry: no share", { CH2, EDIT_EXT_BODY, 51, 0, "0000" }),
    RETRY(PEER_FAILS, "retry: no key_share", { CH2, EDIT_EXT_DROP, 51, 0, NULL }),
    RETRY(PEER_FAILS, "retry: two shares",
          { CH2, EDIT_EXT_BODY, 51, 0, "0048 001d 0020" ONES_32 "001d 0020" ONES_32 }),
    RETRY(PEER_ANY, "retry: cookie that nobody gave", { CH2, EDIT_EXT_ADD, 44, 0, "0001 aa" }),
    RETRY(PEER_FAILS, "retry: early_data", { CH2, EDIT_EXT_ADD, 42, 0, "" }),
    RETRY(PEER_FAILS, "retry: no supported_versions", { CH2, EDIT_EXT_DROP, 43, 0, NULL }),
    RETRY(PEER_FAILS, "retry: supported_versions 0303", { CH2, EDIT_EXT_BODY, 43, 0, "02 0303" }),
    RETRY(PEER_FAILS, "retry: no signature_algorithms", { CH2, EDIT_EXT_DROP, 13, 0, NULL }),
    RETRY(PEER_ANY, "retry: other server_name", { CH2, EDIT_EXT_BODY, 0, 0, "0004 00 0001 62" }),
    RETRY(PEER_FAILS, "retry: trailing byte", { CH2, EDIT_TAIL, 0, 0, "00" }),
    RETRY(PEER_FAILS, "retry: twice", { CH2, EDIT_TWICE, 0, 0, NULL }),
    RETRY(PEER_FAILS, "retry: as type 20, Finished", { CH2, EDIT_TYPE, 20, 0, NULL }),
    RETRY(PEER_WORKS, "retry: no change_cipher_spec", { CCS, EDIT_SKIP, 0, 0, NULL }),
    RETRY(PEER_WORKS, "retry: in records of one byte", { CH2, EDIT_SPLIT, 1, 0, NULL }),
};

static const struct peer_row client_flight[] = {
    PLAIN(PEER_WORKS, "no change_cipher_spec", { CCS, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: wrong", { FIN, EDIT_SET, 10, 0, "00000000" }),
    PLAIN(PEER_FAILS, "Finished: a byte short", { FIN, EDIT_CUT, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: a byte long", { FIN, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "Finished: empty", { FIN, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "Finished: more handshake bytes in its record",
          { FIN, EDIT_EXTRA, 0, 0, "18000001 00" }),
    PLAIN(PEER_FAILS, "Finished: left out", { FIN, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: twice", { FIN, EDIT_TWICE, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "certificate that nobody asked for",
          { FIN, EDIT_BEFORE, 22, 1, "0b000004 00 000000" }),
    PLAIN(PEER_FAILS, "EndOfEarlyData", { FIN, EDIT_BEFORE, 22, 1, "05000000" }),
    PLAIN(PEER_FAILS, "key update before Finished", { FIN, EDIT_BEFORE, 22, 1, "18000001 00" }),
    PLAIN(PEER_FAILS, "application data before Finished", { FIN, EDIT_BEFORE, 23, 1, "6869" }),
    PLAIN(PEER_FAILS, "unknown message before Finished", { FIN, EDIT_BEFORE, 22, 1, "63000000" }),
    AUTH(PEER_WORKS, "Certificate: nothing changed", { CT, EDIT_END, 0, 0, NULL }),
    AUTH(PEER_FAILS, "Certificate: none, but CertificateVerify",
         { CT, EDIT_BODY, 0, 0, "00 000000" }),
    AUTH(PEER_WORKS, "Certificate: none", { CT, EDIT_BODY, 0, 0, "00 000000" },
         { CV, EDIT_SKIP, 0, 0, NULL }),
    AUTH(PEER_FAILS, "Certificate: left out, but CertificateVerify", { CT, EDIT_SKIP, 0, 0, NULL }),
    AUTH(PEER_FAILS, "Certificate: left out", { CT, EDIT_SKIP, 0, 0, NULL },
         { CV, EDIT_SKIP, 0, 0, NULL }),
    AUTH(PEER_FAILS, "Certificate: context not empty", { CT, EDIT_SET, 4, 0, "01" },
         { CT, EDIT_INSERT, 5, 0, "aa" }),
    AUTH(PEER_FAILS, "Certificate: entry of no bytes",
         { CT, EDIT_BODY, 0, 0, "00 000005 000000 0000" }),
    AUTH(PEER_FAILS, "Certificate: DER broken", { CT, EDIT_SET, 11, 0, "ff" }),
    AUTH(PEER_FAILS, "Certificate: status nobody asked for",
         { CT, EDIT_EXT_ADD, 5, 0, "01 000001 00" }),
    AUTH(PEER_FAILS, "Certificate: key_share", { CT, EDIT_EXT_ADD, 51, 0, "001d" }),
    AUTH(PEER_STRICT, "Certificate: unknown extension", { CT, EDIT_EXT_ADD, 0xff99, 0, "" }),
    AUTH(PEER_FAILS, "Certificate: trailing byte", { CT, EDIT_TAIL, 0, 0, "00" }),
    AUTH(PEER_FAILS, "Certificate: length beyond the limit",
         { CT, EDIT_LENGTH, 0x100000, 0, NULL }),
    AUTH(PEER_FAILS, "CertificateVerify: left out", { CV, EDIT_SKIP, 0, 0, NULL }),
    AUTH(PEER_FAILS, "CertificateVerify: twice", { CV, EDIT_TWICE, 0, 0, NULL }),
    AUTH(PEER_FAILS, "CertificateVerify: signature broken", { CV, EDIT_SET, 40, 0, "00000000" }),
    AUTH(PEER_FAILS, "CertificateVerify: scheme unknown", { CV, EDIT_SET, 4, 0, "abcd" }),
    AUTH(PEER_FAILS, "CertificateVerify: scheme of another key", { CV, EDIT_SET, 4, 0, "0804" }),
    AUTH(PEER_FAILS, "CertificateVerify: trailing byte", { CV, EDIT_TAIL, 0, 0, "00" }),
    AUTH(PEER_FAILS, "CertificateVerify: empty body", { CV, EDIT_BODY, 0, 0, "" }),
};

#define RUN(rows) peer_run_table(rows, sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    contract_start();
    section("ClientHello");
    RUN(hello);
    section("extensions of the ClientHello");
    RUN(extensions);
    section("second ClientHello");
    RUN(second_hello);
    section("client's second flight");
    RUN(client_flight);
    identity_default_free();
    return contract_finish();
}
