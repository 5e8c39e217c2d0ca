/*
 * What a client does with server messages that RFC 8446 forbids, and with odd ones that it allows:
 * one line each.
 */
#include "contract.h"
#include "hs_peer.h"

#define PLAIN(verdict, name, ...)                                                                  \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, false, false, false,                                                             \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }
#define RETRY(verdict, name, ...)                                                                  \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, false, true, false,                                                              \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }
#define AUTH(verdict, name, ...)                                                                   \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            name, false, false, true,                                                              \
            {                                                                                      \
                __VA_ARGS__                                                                        \
            }                                                                                      \
        }                                                                                          \
    }

#define SH  AT_SERVER_HELLO
#define HRR AT_RETRY_REQUEST
#define EE  AT_ENCRYPTED_EXTENSIONS
#define CR  AT_CERTIFICATE_REQUEST
#define CT  AT_CERTIFICATE
#define CV  AT_CERTIFICATE_VERIFY
#define FIN AT_FINISHED

#define ZEROS_8   "0000000000000000"
#define ZEROS_32  ZEROS_8 ZEROS_8 ZEROS_8 ZEROS_8
#define ONES_32   "0101010101010101010101010101010101010101010101010101010101010101"
#define RETRY_RND "cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c"

/* Offsets in a ServerHello with a session id of 32 bytes. */
#define OF_VERSION     4
#define OF_RANDOM      6
#define OF_SESSION     38
#define OF_SUITE       71
#define OF_COMPRESSION 73
#define OF_EXTENSIONS  74

static const struct peer_row server_hello[] = {
    PLAIN(PEER_WORKS, "nothing changed", { SH, EDIT_END, 0, 0, NULL }),
    PLAIN(PEER_ANY, "legacy_version 0302", { SH, EDIT_SET, OF_VERSION, 0, "0302" }),
    PLAIN(PEER_ANY, "legacy_version 0304", { SH, EDIT_SET, OF_VERSION, 0, "0304" }),
    PLAIN(PEER_FAILS, "session id changed", { SH, EDIT_SET, OF_SESSION + 1, 0, "ffff" }),
    PLAIN(PEER_FAILS, "session id left out", { SH, EDIT_REMOVE, OF_SESSION + 1, 32, NULL },
          { SH, EDIT_SET, OF_SESSION, 0, "00" }),
    PLAIN(PEER_FAILS, "session id of 33 bytes", { SH, EDIT_SET, OF_SESSION, 0, "21" },
          { SH, EDIT_INSERT, OF_SESSION + 1, 0, "aa" }),
    PLAIN(PEER_FAILS, "suite that was not offered", { SH, EDIT_SET, OF_SUITE, 0, "1304" }),
    PLAIN(PEER_FAILS, "suite that does not exist", { SH, EDIT_SET, OF_SUITE, 0, "13ff" }),
    PLAIN(PEER_FAILS, "suite of TLS 1.2", { SH, EDIT_SET, OF_SUITE, 0, "c02b" }),
    PLAIN(PEER_FAILS, "compression method 1", { SH, EDIT_SET, OF_COMPRESSION, 0, "01" }),
    PLAIN(PEER_WORKS, "downgrade mark in a TLS 1.3 hello",
          { SH, EDIT_SET, OF_RANDOM + 24, 0, "444f574e47524401" }),
    PLAIN(PEER_FAILS, "no supported_versions", { SH, EDIT_EXT_DROP, 43, 0, NULL }),
    PLAIN(PEER_FAILS, "no supported_versions, downgrade mark", { SH, EDIT_EXT_DROP, 43, 0, NULL },
          { SH, EDIT_SET, OF_RANDOM + 24, 0, "444f574e47524401" }),
    PLAIN(PEER_FAILS, "supported_versions 0303", { SH, EDIT_EXT_BODY, 43, 0, "0303" }),
    PLAIN(PEER_FAILS, "supported_versions 0305", { SH, EDIT_EXT_BODY, 43, 0, "0305" }),
    PLAIN(PEER_FAILS, "supported_versions empty", { SH, EDIT_EXT_BODY, 43, 0, "" }),
    PLAIN(PEER_FAILS, "supported_versions too long", { SH, EDIT_EXT_BODY, 43, 0, "030400" }),
    PLAIN(PEER_FAILS, "supported_versions twice", { SH, EDIT_EXT_DUPLICATE, 43, 0, NULL }),
    PLAIN(PEER_FAILS, "no key_share", { SH, EDIT_EXT_DROP, 51, 0, NULL }),
    PLAIN(PEER_FAILS, "key_share twice", { SH, EDIT_EXT_DUPLICATE, 51, 0, NULL }),
    PLAIN(PEER_FAILS, "key_share of a group without an offered share",
          { SH, EDIT_EXT_BODY, 51, 0, "0017 0020" ONES_32 }),
    PLAIN(PEER_FAILS, "key_share of an unknown group",
          { SH, EDIT_EXT_BODY, 51, 0, "00ff 0020" ONES_32 }),
    PLAIN(PEER_FAILS, "key_share empty", { SH, EDIT_EXT_BODY, 51, 0, "" }),
    PLAIN(PEER_FAILS, "key_share with a group only", { SH, EDIT_EXT_BODY, 51, 0, "001d" }),
    PLAIN(PEER_FAILS, "key_share of 0 bytes", { SH, EDIT_EXT_BODY, 51, 0, "001d 0000" }),
    PLAIN(PEER_FAILS, "key_share of 31 bytes",
          { SH, EDIT_EXT_BODY, 51, 0, "001d 001f" ZEROS_8 ZEROS_8 ZEROS_8 "01020304050607" }),
    PLAIN(PEER_FAILS, "key_share of 33 bytes",
          { SH, EDIT_EXT_BODY, 51, 0, "001d 0021" ONES_32 "01" }),
    PLAIN(PEER_FAILS, "key_share of zeros", { SH, EDIT_EXT_BODY, 51, 0, "001d 0020" ZEROS_32 }),
    PLAIN(PEER_FAILS, "key_share with a trailing byte",
          { SH, EDIT_EXT_BODY, 51, 0, "001d 0020" ONES_32 "00" }),
    PLAIN(PEER_STRICT, "unknown extension", { SH, EDIT_EXT_ADD, 0xff99, 0, "00" }),
    PLAIN(PEER_FAILS, "ALPN in the ServerHello", { SH, EDIT_EXT_ADD, 16, 0, "0003026832" }),
    PLAIN(PEER_FAILS, "server_name in the ServerHello", { SH, EDIT_EXT_ADD, 0, 0, "" }),
    PLAIN(PEER_FAILS, "pre_shared_key without an offer", { SH, EDIT_EXT_ADD, 41, 0, "0000" }),
    PLAIN(PEER_FAILS, "cookie in the ServerHello", { SH, EDIT_EXT_ADD, 44, 0, "000101" }),
    PLAIN(PEER_FAILS, "extension block a byte too long", { SH, EDIT_EXT_LENGTH, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "extension block a byte too short",
          { SH, EDIT_EXT_LENGTH, (unsigned)-1, 0, NULL }),
    PLAIN(PEER_FAILS, "no extension block", { SH, EDIT_CUT, 48, 0, NULL }),
    PLAIN(PEER_FAILS, "trailing byte", { SH, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "cut by a byte", { SH, EDIT_CUT, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "empty", { SH, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "length beyond the limit", { SH, EDIT_LENGTH, 0x100000, 0, NULL }),
    PLAIN(PEER_FAILS, "twice", { SH, EDIT_TWICE, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "left out", { SH, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "as type 1, ClientHello", { SH, EDIT_TYPE, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "as type 3, HelloVerifyRequest", { SH, EDIT_TYPE, 3, 0, NULL }),
    PLAIN(PEER_FAILS, "as type 20, Finished", { SH, EDIT_TYPE, 20, 0, NULL }),
    PLAIN(PEER_ANY, "HelloRequest before it", { SH, EDIT_BEFORE, 22, 1, "00000000" }),
    PLAIN(PEER_FAILS, "EncryptedExtensions in the clear before it",
          { SH, EDIT_BEFORE, 22, 1, "08000002 0000" }),
    PLAIN(PEER_FAILS, "more handshake bytes in its record",
          { SH, EDIT_EXTRA, 0, 0, "08000002 0000" }),
    PLAIN(PEER_FAILS, "half a message more in its record", { SH, EDIT_EXTRA, 0, 0, "0800" }),
};

static const struct peer_row retry_request[] = {
    RETRY(PEER_WORKS, "retry: nothing changed", { HRR, EDIT_END, 0, 0, NULL }),
    RETRY(PEER_FAILS, "retry: for nothing", { HRR, EDIT_EXT_DROP, 51, 0, NULL }),
    RETRY(PEER_FAILS, "retry: for the group of the offered share",
          { HRR, EDIT_EXT_BODY, 51, 0, "001d" }),
    RETRY(PEER_FAILS, "retry: for a group that was not offered",
          { HRR, EDIT_EXT_BODY, 51, 0, "001a" }),
    RETRY(PEER_FAILS, "retry: for an unknown group", { HRR, EDIT_EXT_BODY, 51, 0, "abcd" }),
    RETRY(PEER_FAILS, "retry: key_share empty", { HRR, EDIT_EXT_BODY, 51, 0, "" }),
    RETRY(PEER_FAILS, "retry: key_share with a key", { HRR, EDIT_EXT_BODY, 51, 0, "0017 0001 00" }),
    RETRY(PEER_FAILS, "retry: key_share twice", { HRR, EDIT_EXT_DUPLICATE, 51, 0, NULL }),
    RETRY(PEER_WORKS, "retry: with a cookie", { HRR, EDIT_EXT_ADD, 44, 0, "0004 01020304" }),
    RETRY(PEER_STRICT, "retry: empty cookie", { HRR, EDIT_EXT_ADD, 44, 0, "0000" }),
    RETRY(PEER_FAILS, "retry: cookie without a length", { HRR, EDIT_EXT_ADD, 44, 0, "" }),
    RETRY(PEER_FAILS, "retry: cookie with a trailing byte",
          { HRR, EDIT_EXT_ADD, 44, 0, "0001 01 00" }),
    RETRY(PEER_FAILS, "retry: cookie shorter than its length",
          { HRR, EDIT_EXT_ADD, 44, 0, "0005 01" }),
    RETRY(PEER_STRICT, "retry: unknown extension", { HRR, EDIT_EXT_ADD, 0xff99, 0, "" }),
    RETRY(PEER_FAILS, "retry: ALPN", { HRR, EDIT_EXT_ADD, 16, 0, "0003026832" }),
    RETRY(PEER_STRICT, "retry: no supported_versions", { HRR, EDIT_EXT_DROP, 43, 0, NULL }),
    RETRY(PEER_FAILS, "retry: supported_versions 0303", { HRR, EDIT_EXT_BODY, 43, 0, "0303" }),
    RETRY(PEER_FAILS, "retry: session id changed", { HRR, EDIT_SET, OF_SESSION + 1, 0, "ffff" }),
    RETRY(PEER_FAILS, "retry: suite that was not offered", { HRR, EDIT_SET, OF_SUITE, 0, "1304" }),
    RETRY(PEER_FAILS, "retry: suite other than in the ServerHello",
          { HRR, EDIT_SET, OF_SUITE, 0, "1303" }),
    RETRY(PEER_FAILS, "retry: compression method 1", { HRR, EDIT_SET, OF_COMPRESSION, 0, "01" }),
    RETRY(PEER_FAILS, "retry: legacy_version 0302", { HRR, EDIT_SET, OF_VERSION, 0, "0302" }),
    RETRY(PEER_FAILS, "retry: trailing byte", { HRR, EDIT_TAIL, 0, 0, "00" }),
    RETRY(PEER_FAILS, "retry: twice", { HRR, EDIT_TWICE, 0, 0, NULL }),
    RETRY(PEER_FAILS, "retry: asked again", { SH, EDIT_SET, OF_RANDOM, 0, RETRY_RND },
          { SH, EDIT_EXT_BODY, 51, 0, "001e" }),
    RETRY(PEER_FAILS, "retry: ServerHello with the first share's group",
          { SH, EDIT_EXT_BODY, 51, 0, "001d 0020" ONES_32 }),
    RETRY(PEER_FAILS, "retry: ServerHello with a point at infinity",
          { SH, EDIT_EXT_BODY, 51, 0, "0017 0001 00" }),
    RETRY(PEER_FAILS, "retry: ServerHello with a point not on the curve",
          { SH, EDIT_EXT_BODY, 51, 0, "0017 0041 04" ONES_32 ONES_32 }),
    RETRY(PEER_FAILS, "retry: ServerHello with another session id",
          { SH, EDIT_SET, OF_SESSION + 1, 0, "ffff" }),
    RETRY(PEER_FAILS, "retry: ServerHello without supported_versions",
          { SH, EDIT_EXT_DROP, 43, 0, NULL }),
};

static const struct peer_row encrypted_extensions[] = {
    PLAIN(PEER_WORKS, "EE: ALPN", { EE, EDIT_EXT_ADD, 16, 0, "0003 02 6832" }),
    PLAIN(PEER_ANY, "EE: ALPN that was not offered", { EE, EDIT_EXT_ADD, 16, 0, "0003 02 6833" }),
    PLAIN(PEER_FAILS, "EE: two ALPN names", { EE, EDIT_EXT_ADD, 16, 0, "0006 02 6832 02 6832" }),
    PLAIN(PEER_FAILS, "EE: no ALPN name", { EE, EDIT_EXT_ADD, 16, 0, "0000" }),
    PLAIN(PEER_FAILS, "EE: ALPN empty", { EE, EDIT_EXT_ADD, 16, 0, "" }),
    PLAIN(PEER_FAILS, "EE: ALPN name of no bytes", { EE, EDIT_EXT_ADD, 16, 0, "0001 00" }),
    PLAIN(PEER_FAILS, "EE: ALPN name longer than the list",
          { EE, EDIT_EXT_ADD, 16, 0, "0003 05 6832" }),
    PLAIN(PEER_WORKS, "EE: server_name", { EE, EDIT_EXT_ADD, 0, 0, "" }),
    PLAIN(PEER_FAILS, "EE: server_name with content", { EE, EDIT_EXT_ADD, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "EE: server_name twice", { EE, EDIT_EXT_ADD, 0, 0, "" },
          { EE, EDIT_EXT_DUPLICATE, 0, 0, NULL }),
    PLAIN(PEER_WORKS, "EE: supported_groups", { EE, EDIT_EXT_ADD, 10, 0, "0002 0017" }),
    PLAIN(PEER_STRICT, "EE: unknown extension", { EE, EDIT_EXT_ADD, 0xff99, 0, "" }),
    PLAIN(PEER_FAILS, "EE: unsolicited max_fragment_length", { EE, EDIT_EXT_ADD, 1, 0, "01" }),
    PLAIN(PEER_FAILS, "EE: unsolicited early_data", { EE, EDIT_EXT_ADD, 42, 0, "" }),
    PLAIN(PEER_FAILS, "EE: unsolicited use_srtp", { EE, EDIT_EXT_ADD, 14, 0, "0002 0001 00" }),
    PLAIN(PEER_FAILS, "EE: key_share", { EE, EDIT_EXT_ADD, 51, 0, "001d" }),
    PLAIN(PEER_FAILS, "EE: supported_versions", { EE, EDIT_EXT_ADD, 43, 0, "0304" }),
    PLAIN(PEER_FAILS, "EE: signature_algorithms", { EE, EDIT_EXT_ADD, 13, 0, "0002 0403" }),
    PLAIN(PEER_FAILS, "EE: extended_master_secret", { EE, EDIT_EXT_ADD, 23, 0, "" }),
    PLAIN(PEER_FAILS, "EE: extension block too long", { EE, EDIT_EXT_LENGTH, 4, 0, NULL }),
    PLAIN(PEER_FAILS, "EE: trailing byte", { EE, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "EE: empty body", { EE, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "EE: left out", { EE, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "EE: twice", { EE, EDIT_TWICE, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "EE: length beyond the limit", { EE, EDIT_LENGTH, 0x100000, 0, NULL }),
};

static const struct peer_row certificate_request[] = {
    AUTH(PEER_WORKS, "CR: nothing changed", { CR, EDIT_END, 0, 0, NULL }),
    AUTH(PEER_STRICT, "CR: context not empty", { CR, EDIT_SET, 4, 0, "01" },
         { CR, EDIT_INSERT, 5, 0, "aa" }),
    AUTH(PEER_FAILS, "CR: no signature_algorithms", { CR, EDIT_EXT_DROP, 13, 0, NULL }),
    AUTH(PEER_FAILS, "CR: signature_algorithms empty", { CR, EDIT_EXT_BODY, 13, 0, "" }),
    AUTH(PEER_FAILS, "CR: signature_algorithms without one", { CR, EDIT_EXT_BODY, 13, 0, "0000" }),
    AUTH(PEER_FAILS, "CR: signature_algorithms of odd length",
         { CR, EDIT_EXT_BODY, 13, 0, "0003 040304" }),
    AUTH(PEER_ANY, "CR: signature_algorithms unknown", { CR, EDIT_EXT_BODY, 13, 0, "0002 abcd" }),
    AUTH(PEER_FAILS, "CR: signature_algorithms twice", { CR, EDIT_EXT_DUPLICATE, 13, 0, NULL }),
    AUTH(PEER_WORKS, "CR: unknown extension", { CR, EDIT_EXT_ADD, 0xff99, 0, "00" }),
    AUTH(PEER_STRICT, "CR: unknown extension twice", { CR, EDIT_EXT_ADD, 0xff99, 0, "00" },
         { CR, EDIT_EXT_DUPLICATE, 0xff99, 0, NULL }),
    AUTH(PEER_FAILS, "CR: key_share", { CR, EDIT_EXT_ADD, 51, 0, "001d" }),
    AUTH(PEER_FAILS, "CR: authorities cut", { CR, EDIT_EXT_ADD, 47, 0, "0004 0001" }),
    AUTH(PEER_FAILS, "CR: authorities of garbage", { CR, EDIT_EXT_ADD, 47, 0, "0004 0002 ffff" }),
    AUTH(PEER_FAILS, "CR: trailing byte", { CR, EDIT_TAIL, 0, 0, "00" }),
    AUTH(PEER_FAILS, "CR: empty body", { CR, EDIT_BODY, 0, 0, "" }),
    AUTH(PEER_FAILS, "CR: twice", { CR, EDIT_TWICE, 0, 0, NULL }),
    AUTH(PEER_FAILS, "CR: after the certificate", { CR, EDIT_SKIP, 0, 0, NULL },
         { CT, EDIT_AFTER, 22, 1, "0d00000b 00 0008 000d 0004 0002 0403" }),
};

static const struct peer_row certificates[] = {
    PLAIN(PEER_FAILS, "Certificate: context not empty", { CT, EDIT_SET, 4, 0, "01" },
          { CT, EDIT_INSERT, 5, 0, "aa" }),
    PLAIN(PEER_FAILS, "Certificate: none", { CT, EDIT_BODY, 0, 0, "00 000000" }),
    PLAIN(PEER_FAILS, "Certificate: list a byte short", { CT, EDIT_BODY, 0, 0, "00 000001" }),
    PLAIN(PEER_FAILS, "Certificate: entry of no bytes",
          { CT, EDIT_BODY, 0, 0, "00 000005 000000 0000" }),
    PLAIN(PEER_FAILS, "Certificate: entry of garbage",
          { CT, EDIT_BODY, 0, 0, "00 000008 000003 ffffff 0000" }),
    PLAIN(PEER_FAILS, "Certificate: entry without extension block",
          { CT, EDIT_BODY, 0, 0, "00 000006 000003 ffffff" }),
    PLAIN(PEER_FAILS, "Certificate: DER broken", { CT, EDIT_SET, 11, 0, "ff" }),
    PLAIN(PEER_FAILS, "Certificate: unsolicited status",
          { CT, EDIT_EXT_ADD, 5, 0, "01 000001 00" }),
    PLAIN(PEER_STRICT, "Certificate: unknown extension", { CT, EDIT_EXT_ADD, 0xff99, 0, "" }),
    PLAIN(PEER_FAILS, "Certificate: server_name", { CT, EDIT_EXT_ADD, 0, 0, "" }),
    PLAIN(PEER_FAILS, "Certificate: trailing byte", { CT, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "Certificate: empty body", { CT, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "Certificate: left out", { CT, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Certificate: twice", { CT, EDIT_TWICE, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Certificate: length beyond the limit",
          { CT, EDIT_LENGTH, 0x100000, 0, NULL }),
    PLAIN(PEER_FAILS, "CertificateVerify: signature broken", { CV, EDIT_SET, 40, 0, "00000000" }),
    PLAIN(PEER_FAILS, "CertificateVerify: scheme unknown", { CV, EDIT_SET, 4, 0, "abcd" }),
    PLAIN(PEER_FAILS, "CertificateVerify: rsa_pkcs1", { CV, EDIT_SET, 4, 0, "0401" }),
    PLAIN(PEER_FAILS, "CertificateVerify: scheme of another key", { CV, EDIT_SET, 4, 0, "0804" }),
    PLAIN(PEER_FAILS, "CertificateVerify: scheme of another curve", { CV, EDIT_SET, 4, 0, "0503" }),
    PLAIN(PEER_FAILS, "CertificateVerify: ecdsa_sha1", { CV, EDIT_SET, 4, 0, "0203" }),
    PLAIN(PEER_FAILS, "CertificateVerify: signature of no bytes",
          { CV, EDIT_BODY, 0, 0, "0403 0000" }),
    PLAIN(PEER_FAILS, "CertificateVerify: empty body", { CV, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "CertificateVerify: trailing byte", { CV, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "CertificateVerify: cut", { CV, EDIT_CUT, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "CertificateVerify: left out", { CV, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "CertificateVerify: twice", { CV, EDIT_TWICE, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: wrong", { FIN, EDIT_SET, 10, 0, "00000000" }),
    PLAIN(PEER_FAILS, "Finished: a byte short", { FIN, EDIT_CUT, 1, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: a byte long", { FIN, EDIT_TAIL, 0, 0, "00" }),
    PLAIN(PEER_FAILS, "Finished: empty", { FIN, EDIT_BODY, 0, 0, "" }),
    PLAIN(PEER_FAILS, "Finished: left out", { FIN, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: in the place of the certificate", { CT, EDIT_SKIP, 0, 0, NULL },
          { CV, EDIT_SKIP, 0, 0, NULL }),
    PLAIN(PEER_FAILS, "Finished: more handshake bytes in its record",
          { FIN, EDIT_EXTRA, 0, 0, "04000000" }),
    PLAIN(PEER_FAILS, "key update before Finished", { FIN, EDIT_BEFORE, 22, 1, "18000001 00" }),
    PLAIN(PEER_FAILS, "ticket before Finished",
          { FIN, EDIT_BEFORE, 22, 1, "0400000e 00000e10 00000000 00 0001 aa 0000" }),
    PLAIN(PEER_FAILS, "application data before Finished", { FIN, EDIT_BEFORE, 23, 1, "6869" }),
    PLAIN(PEER_FAILS, "unknown message before Finished", { FIN, EDIT_BEFORE, 22, 1, "63000000" }),
};

#define RUN(rows) peer_run_table(rows, sizeof(rows) / sizeof((rows)[0]))

int main(void)
{
    contract_start();
    section("ServerHello");
    RUN(server_hello);
    section("HelloRetryRequest");
    RUN(retry_request);
    section("EncryptedExtensions");
    RUN(encrypted_extensions);
    section("CertificateRequest");
    RUN(certificate_request);
    section("Certificate, CertificateVerify, Finished");
    RUN(certificates);
    identity_default_free();
    return contract_finish();
}
