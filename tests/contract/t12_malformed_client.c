/*
 * What a TLS 1.2 server does with a client's messages that RFC 5246, 5746, 7627 or 8422 don't
 * allow, one line each. A premaster secret that doesn't fit must look like a wrong Finished
 * (RFC 5246, 7.4.7.1).
 */
#include "contract.h"
#include "t12_peer.h"

#define ROW(verdict, kx, auth, name, ...)                                                          \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            { name, true, false, auth, { __VA_ARGS__ } }, .exchange = (kx)                         \
        }                                                                                          \
    }
#define ECDHE(verdict, name, ...) ROW(verdict, T12_ECDHE, false, name, __VA_ARGS__)
#define DHE(verdict, name, ...)   ROW(verdict, T12_DHE, false, name, __VA_ARGS__)
#define RSA(verdict, name, ...)   ROW(verdict, T12_RSA, false, name, __VA_ARGS__)
#define AUTH(verdict, name, ...)  ROW(verdict, T12_ECDHE, true, name, __VA_ARGS__)

#define CH  AT_CLIENT_HELLO
#define CT  AT_CERTIFICATE
#define CKE AT_CLIENT_KEY_EXCHANGE
#define CV  AT_CERTIFICATE_VERIFY
#define CCS AT_CCS
#define FIN AT_FINISHED

/* Offsets in the scripted hello: suites' length 39, suites 41, compression 45. */
static const struct t12_row client_hello[] = {
    ECDHE(PEER_WORKS, "as it should be", { CH, EDIT_END, 0, 0, NULL }),
    ECDHE(PEER_ANY, "version 0304", { CH, EDIT_SET, 4, 0, "0304" }),
    ECDHE(PEER_FAILS, "use_srtp, which is DTLS's", { CH, EDIT_EXT_ADD, 14, 0, "0002 0001 00" }),
    ECDHE(PEER_FAILS, "version 0302", { CH, EDIT_SET, 4, 0, "0302" }),
    ECDHE(PEER_FAILS, "session id of 33 bytes", { CH, EDIT_SET, 38, 0, "21" },
          { CH, EDIT_INSERT, 39, 0,
            "000102030405060708 0102030405060708 0102030405060708 0102030405060708" }),
    ECDHE(PEER_WORKS, "session id that nobody knows", { CH, EDIT_SET, 38, 0, "08" },
          { CH, EDIT_INSERT, 39, 0, "0102030405060708" }),
    ECDHE(PEER_FAILS, "suites: none", { CH, EDIT_SET, 39, 0, "0000" },
          { CH, EDIT_REMOVE, 41, 4, NULL }),
    ECDHE(PEER_FAILS, "suites: odd length", { CH, EDIT_SET, 39, 0, "0003" },
          { CH, EDIT_REMOVE, 44, 1, NULL }),
    ECDHE(PEER_FAILS, "suites: unknown only", { CH, EDIT_SET, 41, 0, "7a7a" }),
    ECDHE(PEER_FAILS, "suites: of TLS 1.3 only", { CH, EDIT_SET, 41, 0, "1301" }),
    ECDHE(PEER_WORKS, "suites: unknown ones too", { CH, EDIT_SET, 39, 0, "0008" },
          { CH, EDIT_INSERT, 41, 0, "7a7a fefe" }),
    ECDHE(PEER_WORKS, "suites: twice the same", { CH, EDIT_SET, 39, 0, "0006" },
          { CH, EDIT_INSERT, 41, 0, "c02b" }),
    ECDHE(PEER_FAILS, "suites: fallback, and the server knows no more",
          { CH, EDIT_SET, 4, 0, "0302" }, { CH, EDIT_SET, 39, 0, "0006" },
          { CH, EDIT_INSERT, 41, 0, "5600" }),
    ECDHE(PEER_WORKS, "suites: fallback at the server's highest version",
          { CH, EDIT_SET, 39, 0, "0006" }, { CH, EDIT_INSERT, 41, 0, "5600" }),
    ECDHE(PEER_ANY, "neither renegotiation value nor extension", { CH, EDIT_SET, 43, 0, "7a7a" }),
    ECDHE(PEER_FAILS, "compression: none offered", { CH, EDIT_SET, 45, 0, "00" },
          { CH, EDIT_REMOVE, 46, 1, NULL }),
    ECDHE(PEER_FAILS, "compression: deflate only", { CH, EDIT_SET, 45, 0, "0101" }),
    ECDHE(PEER_WORKS, "compression: deflate too", { CH, EDIT_SET, 45, 0, "02" },
          { CH, EDIT_INSERT, 46, 0, "01" }),
    ECDHE(PEER_WORKS, "renegotiation_info", { CH, EDIT_EXT_ADD, 0xff01, 0, "00" }),
    ECDHE(PEER_FAILS, "renegotiation_info: not the first", { CH, EDIT_EXT_ADD, 0xff01, 0, "0101" }),
    ECDHE(PEER_FAILS, "renegotiation_info: empty", { CH, EDIT_EXT_ADD, 0xff01, 0, "" }),
    ECDHE(PEER_STRICT, "renegotiation_info: trailing byte",
          { CH, EDIT_EXT_ADD, 0xff01, 0, "0000" }),
    ECDHE(PEER_WORKS, "no extended_master_secret", { CH, EDIT_EXT_DROP, 23, 0, NULL }),
    ECDHE(PEER_ANY, "extended_master_secret: not empty", { CH, EDIT_EXT_BODY, 23, 0, "00" }),
    ECDHE(PEER_FAILS, "extended_master_secret twice", { CH, EDIT_EXT_DUPLICATE, 23, 0, NULL }),
    ECDHE(PEER_STRICT, "encrypt_then_mac: not empty", { CH, EDIT_EXT_ADD, 22, 0, "00" }),
    ECDHE(PEER_WORKS, "encrypt_then_mac", { CH, EDIT_EXT_ADD, 22, 0, "" }),
    ECDHE(PEER_ANY, "no signature_algorithms", { CH, EDIT_EXT_DROP, 13, 0, NULL }),
    ECDHE(PEER_FAILS, "signature_algorithms_cert without signature_algorithms",
          { CH, EDIT_EXT_DROP, 13, 0, NULL }, { CH, EDIT_EXT_ADD, 50, 0, "00020401" }),
    ECDHE(PEER_ANY, "signature_algorithms_cert too", { CH, EDIT_EXT_ADD, 50, 0, "000404030401" }),
    ECDHE(PEER_ANY, "no supported_groups", { CH, EDIT_EXT_DROP, 10, 0, NULL }),
    ECDHE(PEER_FAILS, "supported_groups: none", { CH, EDIT_EXT_BODY, 10, 0, "0000" }),
    ECDHE(PEER_FAILS, "supported_groups: odd length", { CH, EDIT_EXT_BODY, 10, 0, "0003001d00" }),
    ECDHE(PEER_FAILS, "supported_groups: unknown only", { CH, EDIT_EXT_BODY, 10, 0, "00027a7a" }),
    ECDHE(PEER_FAILS, "supported_groups: finite fields only",
          { CH, EDIT_EXT_BODY, 10, 0, "00020100" }),
    ECDHE(PEER_WORKS, "supported_groups: P-256 only", { CH, EDIT_EXT_BODY, 10, 0, "00020017" }),
    ECDHE(PEER_FAILS, "supported_groups: not that of the key",
          { CH, EDIT_EXT_BODY, 10, 0, "0002001d" }),
    ECDHE(PEER_WORKS, "no ec_point_formats", { CH, EDIT_EXT_DROP, 11, 0, NULL }),
    ECDHE(PEER_FAILS, "ec_point_formats: none", { CH, EDIT_EXT_BODY, 11, 0, "00" }),
    ECDHE(PEER_ANY, "ec_point_formats: compressed only", { CH, EDIT_EXT_BODY, 11, 0, "0101" }),
    ECDHE(PEER_FAILS, "ec_point_formats: cut", { CH, EDIT_EXT_BODY, 11, 0, "0200" }),
    ECDHE(PEER_ANY, "no signature_algorithms", { CH, EDIT_EXT_DROP, 13, 0, NULL }),
    ECDHE(PEER_FAILS, "signature_algorithms: none", { CH, EDIT_EXT_BODY, 13, 0, "0000" }),
    ECDHE(PEER_FAILS, "signature_algorithms: odd length",
          { CH, EDIT_EXT_BODY, 13, 0, "0003040300" }),
    ECDHE(PEER_FAILS, "signature_algorithms: unknown only",
          { CH, EDIT_EXT_BODY, 13, 0, "00027a7a" }),
    ECDHE(PEER_FAILS, "signature_algorithms: RSA only", { CH, EDIT_EXT_BODY, 13, 0, "00020401" }),
    ECDHE(PEER_WORKS, "signature_algorithms: ECDSA with SHA-384",
          { CH, EDIT_EXT_BODY, 13, 0, "00020503" }),
    ECDHE(PEER_FAILS, "signature_algorithms: ECDSA with SHA-1",
          { CH, EDIT_EXT_BODY, 13, 0, "00020203" }),
    ECDHE(PEER_WORKS, "session_ticket", { CH, EDIT_EXT_ADD, 35, 0, "" }),
    ECDHE(PEER_WORKS, "session_ticket: garbage",
          { CH, EDIT_EXT_ADD, 35, 0, "00010203040506070809" }),
    ECDHE(PEER_WORKS, "ALPN without a callback", { CH, EDIT_EXT_ADD, 16, 0, "0003026832" }),
    ECDHE(PEER_FAILS, "ALPN: no names", { CH, EDIT_EXT_ADD, 16, 0, "0000" }),
    ECDHE(PEER_FAILS, "ALPN: empty name", { CH, EDIT_EXT_ADD, 16, 0, "000100" }),
    ECDHE(PEER_FAILS, "server_name: empty", { CH, EDIT_EXT_BODY, 0, 0, "" }),
    ECDHE(PEER_FAILS, "server_name: name with a zero",
          { CH, EDIT_EXT_BODY, 0, 0, "0006 00 0003 610062" }),
    ECDHE(PEER_FAILS, "status_request: cut", { CH, EDIT_EXT_ADD, 5, 0, "0100" }),
    ECDHE(PEER_ANY, "status_request: another type", { CH, EDIT_EXT_ADD, 5, 0, "0200" }),
    ECDHE(PEER_FAILS, "server_name twice", { CH, EDIT_EXT_DUPLICATE, 0, 0, NULL }),
    ECDHE(PEER_WORKS, "an extension that nobody knows", { CH, EDIT_EXT_ADD, 0x7a7a, 0, "0102" }),
    ECDHE(PEER_ANY, "supported_versions: 0303", { CH, EDIT_EXT_ADD, 43, 0, "020303" }),
    ECDHE(PEER_FAILS, "supported_versions: 0304 alone", { CH, EDIT_EXT_ADD, 43, 0, "020304" }),
    ECDHE(PEER_FAILS, "supported_versions: none", { CH, EDIT_EXT_ADD, 43, 0, "00" }),
    ECDHE(PEER_WORKS, "key_share without TLS 1.3", { CH, EDIT_EXT_ADD, 51, 0, "0000" }),
    ECDHE(PEER_FAILS, "extensions: a byte too long", { CH, EDIT_EXT_LENGTH, 1, 0, NULL }),
    ECDHE(PEER_FAILS, "extensions: a byte too short",
          { CH, EDIT_EXT_LENGTH, (unsigned)-1, 0, NULL }),
    ECDHE(PEER_FAILS, "a byte after the extensions", { CH, EDIT_TAIL, 0, 0, "00" }),
};

static const struct t12_row elliptic[] = {
    ECDHE(PEER_FAILS, "no point", { CKE, EDIT_BODY, 0, 0, "00" }),
    ECDHE(PEER_FAILS, "point: length too long", { CKE, EDIT_SET, 4, 0, "ff" }),
    ECDHE(PEER_FAILS, "point: length too short", { CKE, EDIT_SET, 4, 0, "1f" }),
    ECDHE(PEER_FAILS, "point: 31 bytes", { CKE, EDIT_SET, 4, 0, "1f" },
          { CKE, EDIT_REMOVE, 5, 1, NULL }),
    ECDHE(PEER_FAILS, "point: zero",
          { CKE, EDIT_SET, 5, 0,
            "0000000000000000000000000000000000000000000000000000000000000000" }),
    ECDHE(PEER_FAILS, "point: a bit changed", { CKE, EDIT_SET, 12, 0, "5a5b" }),
    ECDHE(PEER_FAILS_ANYHOW, "P-256: at infinity", { CH, EDIT_EXT_BODY, 10, 0, "00020017" },
          { CKE, EDIT_BODY, 0, 0, "0100" }),
    ECDHE(PEER_FAILS, "P-256: not on the curve", { CH, EDIT_EXT_BODY, 10, 0, "00020017" },
          { CKE, EDIT_SET, 20, 0, "5a5b5c" }),
    ECDHE(PEER_FAILS_ANYHOW, "P-256: a form that does not exist",
          { CH, EDIT_EXT_BODY, 10, 0, "00020017" }, { CKE, EDIT_SET, 5, 0, "05" }),
};

static const struct t12_row finite_field[] = {
    DHE(PEER_FAILS_ANYHOW, "no bytes", { CKE, EDIT_BODY, 0, 0, "0000" }),
    DHE(PEER_FAILS, "zero", { CKE, EDIT_BODY, 0, 0, "0001 00" }),
    DHE(PEER_FAILS, "one", { CKE, EDIT_BODY, 0, 0, "0001 01" }),
    DHE(PEER_FAILS, "two", { CKE, EDIT_BODY, 0, 0, "0001 02" }),
    DHE(PEER_FAILS, "larger than p", { CKE, EDIT_SET, 6, 0, "ffffffffffffffffffff" }),
    DHE(PEER_FAILS, "length too long", { CKE, EDIT_SET, 4, 0, "ffff" }),
    DHE(PEER_FAILS, "length too short", { CKE, EDIT_SET, 4, 0, "0010" }),
};

/* All of these must look like each other, from the ChangeCipherSpec on. */
static const struct t12_row premaster[] = {
    RSA(PEER_FAILS, "a bit changed", { CKE, EDIT_SET, 30, 0, "5a5b" }),
    RSA(PEER_FAILS, "zero", { CKE, EDIT_SET, 6, 0, "0000000000000000000000000000000000000000" }),
    RSA(PEER_FAILS, "last bytes changed", { CKE, EDIT_SET, 257, 0, "5a5a5a5a" }),
    RSA(PEER_FAILS, "Finished wrong, premaster right", { FIN, EDIT_SET, 6, 0, "01020304" }),
    RSA(PEER_FAILS, "Finished's tag broken, premaster right", { FIN, EDIT_BREAK_TAG, 0, 0, NULL }),
};

static const struct t12_row premaster_form[] = {
    RSA(PEER_FAILS, "no bytes", { CKE, EDIT_BODY, 0, 0, "0000" }),
    RSA(PEER_FAILS, "one byte", { CKE, EDIT_BODY, 0, 0, "0001 00" }),
    RSA(PEER_FAILS, "a byte short", { CKE, EDIT_SET, 4, 0, "00ff" }, { CKE, EDIT_CUT, 1, 0, NULL }),
    RSA(PEER_FAILS, "a byte long", { CKE, EDIT_SET, 4, 0, "0101" }, { CKE, EDIT_TAIL, 0, 0, "00" }),
    RSA(PEER_FAILS, "larger than the modulus", { CKE, EDIT_SET, 6, 0, "ffffffffffffffffffff" }),
    RSA(PEER_FAILS, "without its length", { CKE, EDIT_REMOVE, 4, 2, NULL }),
    RSA(PEER_FAILS, "length too long", { CKE, EDIT_SET, 4, 0, "ffff" }),
    RSA(PEER_FAILS, "length too short", { CKE, EDIT_SET, 4, 0, "0010" }),
    RSA(PEER_FAILS, "a point",
        { CKE, EDIT_BODY, 0, 0,
          "20 0102030405060708 0102030405060708 0102030405060708 0102030405060708" }),
};

static const struct t12_row certificate[] = {
    AUTH(PEER_WORKS, "as it should be", { CT, EDIT_END, 0, 0, NULL }),
    AUTH(PEER_WORKS, "no certificate", { CT, EDIT_BODY, 0, 0, "000000" },
         { CV, EDIT_SKIP, 0, 0, NULL }),
    AUTH(PEER_FAILS, "no certificate, but a CertificateVerify", { CT, EDIT_BODY, 0, 0, "000000" }),
    AUTH(PEER_FAILS, "an empty certificate", { CT, EDIT_BODY, 0, 0, "000003 000000" }),
    AUTH(PEER_FAILS, "garbage", { CT, EDIT_BODY, 0, 0, "000007 000004 30020100" }),
    AUTH(PEER_FAILS, "list length too long", { CT, EDIT_SET, 4, 0, "ffffff" }),
    AUTH(PEER_FAILS, "certificate length too long", { CT, EDIT_SET, 7, 0, "ffffff" }),
    AUTH(PEER_FAILS, "CertificateVerify: scheme that was not asked for",
         { CV, EDIT_SET, 4, 0, "0101" }),
    AUTH(PEER_FAILS, "CertificateVerify: scheme of RSA", { CV, EDIT_SET, 4, 0, "0401" }),
    AUTH(PEER_FAILS, "CertificateVerify: scheme of Ed25519", { CV, EDIT_SET, 4, 0, "0807" }),
    AUTH(PEER_FAILS, "CertificateVerify: another digest", { CV, EDIT_SET, 4, 0, "0503" }),
    AUTH(PEER_FAILS, "CertificateVerify: of no bytes", { CV, EDIT_BODY, 0, 0, "0403 0000" }),
    AUTH(PEER_FAILS, "CertificateVerify: length too long", { CV, EDIT_SET, 6, 0, "ffff" }),
    AUTH(PEER_FAILS, "CertificateVerify: not DER", { CV, EDIT_SET, 8, 0, "ff" }),
    AUTH(PEER_FAILS, "CertificateVerify: a bit changed", { CV, EDIT_SET, 30, 0, "a5a6" }),
    AUTH(PEER_FAILS, "CertificateVerify: without its scheme", { CV, EDIT_REMOVE, 4, 2, NULL }),
    AUTH(PEER_FAILS, "CertificateVerify before ClientKeyExchange", { CKE, EDIT_LATER, 0, 0, NULL }),
    ECDHE(PEER_FAILS, "a certificate that nobody asked for",
          { CKE, EDIT_BEFORE, 22, 1, "0b000003000000" }),
};

static const struct t12_row end[] = {
    ECDHE(PEER_FAILS, "ChangeCipherSpec: 0", { CCS, EDIT_BODY, 0, 0, "00" }),
    ECDHE(PEER_FAILS, "ChangeCipherSpec: 2", { CCS, EDIT_BODY, 0, 0, "02" }),
    ECDHE(PEER_FAILS, "ChangeCipherSpec: two bytes", { CCS, EDIT_BODY, 0, 0, "0101" }),
    ECDHE(PEER_FAILS, "Finished: wrong", { FIN, EDIT_SET, 6, 0, "01020304" }),
    ECDHE(PEER_FAILS, "Finished: of 32 bytes",
          { FIN, EDIT_TAIL, 0, 0, "0000000000000000000000000000000000000000" }),
    ECDHE(PEER_ANY, "Finished: more in its record", { FIN, EDIT_EXTRA, 0, 0, "01000000" }),
    ECDHE(PEER_FAILS, "Finished: tag broken", { FIN, EDIT_BREAK_TAG, 0, 0, NULL }),
    ECDHE(PEER_WORKS, "Finished: in two records", { FIN, EDIT_SPLIT, 8, 0, NULL }),
    ECDHE(PEER_FAILS, "Finished in the record of the ClientKeyExchange",
          { CKE, EDIT_EXTRA, 0, 0, "1400000c 010203040506070809101112" }),
};

#define NP AT_NEXT_PROTO
#define NPN(verdict, name, ...)                                                                    \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            { name, true, false, false, { __VA_ARGS__ } }, .exchange = T12_ECDHE, .npn = true      \
        }                                                                                          \
    }

static const struct t12_row next_proto[] = {
    NPN(PEER_WORKS, "as it should be", { NP, EDIT_END, 0, 0, NULL }),
    NPN(PEER_ANY, "no name", { NP, EDIT_BODY, 0, 0, "00 06 000000000000" }),
    NPN(PEER_ANY, "no padding", { NP, EDIT_BODY, 0, 0, "03 616263 00" }),
    NPN(PEER_ANY, "padding of ones", { NP, EDIT_BODY, 0, 0, "03 616263 02 ffff" }),
    NPN(PEER_ANY, "nothing of both", { NP, EDIT_BODY, 0, 0, "00 00" }),
    NPN(PEER_ANY, "a name that was not advertised", { NP, EDIT_BODY, 0, 0, "03 787878 01 00" }),
    NPN(PEER_FAILS, "empty", { NP, EDIT_BODY, 0, 0, "" }),
    NPN(PEER_FAILS, "without padding's length", { NP, EDIT_BODY, 0, 0, "03 616263" }),
    NPN(PEER_FAILS, "name length too long", { NP, EDIT_SET, 4, 0, "ff" }),
    NPN(PEER_FAILS, "name length too short", { NP, EDIT_SET, 4, 0, "01" }),
    NPN(PEER_FAILS, "padding length too long", { NP, EDIT_SET, 8, 0, "ff" }),
    NPN(PEER_FAILS, "padding length too short", { NP, EDIT_SET, 8, 0, "01" }),
    NPN(PEER_FAILS, "longer than any", { NP, EDIT_LENGTH, 515, 0, NULL }),
    ECDHE(PEER_FAILS, "that nobody asked for",
          { FIN, EDIT_BEFORE, 22, 1, "43000006 03 616263 01 00" }),
    NPN(PEER_ANY, "the extension is not empty",
        { AT_CLIENT_HELLO, EDIT_EXT_BODY, 0x3374, 0, "01 61" }),
    NPN(PEER_FAILS, "the extension twice", { AT_CLIENT_HELLO, EDIT_EXT_ADD, 0x3374, 0, "" }),
};

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
#define RUN(rows) t12_run_table(rows, sizeof(rows) / sizeof((rows)[0]))
    section("ClientHello");
    RUN(client_hello);
    section("ClientKeyExchange, ECDHE");
    RUN(elliptic);
    section("ClientKeyExchange, DHE");
    RUN(finite_field);
    section("ClientKeyExchange, RSA");
    RUN(premaster);
    section("ClientKeyExchange, RSA: its form");
    RUN(premaster_form);
    section("Certificate, CertificateVerify");
    RUN(certificate);
    section("ChangeCipherSpec, Finished");
    RUN(end);
    section("NextProto");
    RUN(next_proto);
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
