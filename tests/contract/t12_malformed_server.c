/*
 * What a TLS 1.2 client does with a server's messages that RFC 5246, 5746, 6066, 7627, 8422 or the
 * client's own offer don't allow, one line each.
 */
#include "contract.h"
#include "t12_peer.h"

#define ROW(verdict, kx, auth, staple, name, ...)                                                  \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            { name, false, false, auth, { __VA_ARGS__ } }, .exchange = (kx), .status = (staple)    \
        }                                                                                          \
    }
#define ECDHE(verdict, name, ...)  ROW(verdict, T12_ECDHE, false, false, name, __VA_ARGS__)
#define DHE(verdict, name, ...)    ROW(verdict, T12_DHE, false, false, name, __VA_ARGS__)
#define AUTH(verdict, name, ...)   ROW(verdict, T12_ECDHE, true, false, name, __VA_ARGS__)
#define STAPLE(verdict, name, ...) ROW(verdict, T12_ECDHE, false, true, name, __VA_ARGS__)

#define SH  AT_SERVER_HELLO
#define CT  AT_CERTIFICATE
#define CS  AT_CERTIFICATE_STATUS
#define SKE AT_SERVER_KEY_EXCHANGE
#define CR  AT_CERTIFICATE_REQUEST
#define CCS AT_CCS
#define FIN AT_FINISHED

static const struct t12_row server_hello[] = {
    ECDHE(PEER_FAILS, "version 0300", { SH, EDIT_SET, 4, 0, "0300" }),
    ECDHE(PEER_FAILS, "version 0302", { SH, EDIT_SET, 4, 0, "0302" }),
    ECDHE(PEER_FAILS, "version 0304", { SH, EDIT_SET, 4, 0, "0304" }),
    ECDHE(PEER_FAILS, "another random than the one that was signed",
          { SH, EDIT_SET, 10, 0, "0102030405" }),
    ECDHE(PEER_ANY, "a session id of 32 bytes", { SH, EDIT_SET, 38, 0, "20" },
          { SH, EDIT_INSERT, 39, 0,
            "0102030405060708 0102030405060708 0102030405060708 0102030405060708" }),
    ECDHE(PEER_FAILS, "a session id of 33 bytes", { SH, EDIT_SET, 38, 0, "21" },
          { SH, EDIT_INSERT, 39, 0,
            "000102030405060708 0102030405060708 0102030405060708 0102030405060708" }),
    ECDHE(PEER_FAILS, "a suite that was not offered: NULL", { SH, EDIT_SET, 39, 0, "0001" }),
    ECDHE(PEER_FAILS, "a suite that was not offered: RC4", { SH, EDIT_SET, 39, 0, "0005" }),
    ECDHE(PEER_FAILS, "a suite that does not exist", { SH, EDIT_SET, 39, 0, "7a7a" }),
    ECDHE(PEER_FAILS, "a suite of TLS 1.3", { SH, EDIT_SET, 39, 0, "1301" }),
    ECDHE(PEER_FAILS, "the renegotiation value as suite", { SH, EDIT_SET, 39, 0, "00ff" }),
    ECDHE(PEER_FAILS, "the fallback value as suite", { SH, EDIT_SET, 39, 0, "5600" }),
    ECDHE(PEER_FAILS, "RSA authentication with an ECDSA key", { SH, EDIT_SET, 39, 0, "c02f" }),
    ECDHE(PEER_FAILS, "plain RSA with an ECDSA key", { SH, EDIT_SET, 39, 0, "009c" }),
    ECDHE(PEER_FAILS, "compression", { SH, EDIT_SET, 41, 0, "01" }),
    ECDHE(PEER_FAILS, "no renegotiation_info", { SH, EDIT_EXT_DROP, 0xff01, 0, NULL }),
    ECDHE(PEER_FAILS, "no extensions at all", { SH, EDIT_CUT, 11, 0, NULL }),
    ECDHE(PEER_FAILS, "renegotiation_info: empty", { SH, EDIT_EXT_BODY, 0xff01, 0, "" }),
    ECDHE(PEER_FAILS_ANYHOW, "renegotiation_info: not the first",
          { SH, EDIT_EXT_BODY, 0xff01, 0, "0101" }),
    ECDHE(PEER_FAILS_ANYHOW, "renegotiation_info: 12 bytes",
          { SH, EDIT_EXT_BODY, 0xff01, 0, "0c 0102030405060708090a0b0c" }),
    ECDHE(PEER_FAILS, "renegotiation_info: trailing byte",
          { SH, EDIT_EXT_BODY, 0xff01, 0, "0000" }),
    ECDHE(PEER_FAILS, "renegotiation_info twice", { SH, EDIT_EXT_DUPLICATE, 0xff01, 0, NULL }),
    ECDHE(PEER_WORKS, "no extended_master_secret", { SH, EDIT_EXT_DROP, 23, 0, NULL }),
    ECDHE(PEER_STRICT, "extended_master_secret: not empty", { SH, EDIT_EXT_BODY, 23, 0, "00" }),
    ECDHE(PEER_FAILS, "extended_master_secret twice", { SH, EDIT_EXT_DUPLICATE, 23, 0, NULL }),
    ECDHE(PEER_ANY, "encrypt_then_mac with an AEAD", { SH, EDIT_EXT_ADD, 22, 0, "" }),
    ECDHE(PEER_WORKS, "server_name", { SH, EDIT_EXT_ADD, 0, 0, "" }),
    ECDHE(PEER_FAILS, "server_name: not empty", { SH, EDIT_EXT_ADD, 0, 0, "00" }),
    ECDHE(PEER_WORKS, "ec_point_formats: uncompressed", { SH, EDIT_EXT_ADD, 11, 0, "0100" }),
    ECDHE(PEER_WORKS, "ec_point_formats: three", { SH, EDIT_EXT_ADD, 11, 0, "03000102" }),
    ECDHE(PEER_ANY, "ec_point_formats: without uncompressed", { SH, EDIT_EXT_ADD, 11, 0, "0101" }),
    ECDHE(PEER_FAILS, "ec_point_formats: none", { SH, EDIT_EXT_ADD, 11, 0, "00" }),
    ECDHE(PEER_FAILS, "ec_point_formats: cut", { SH, EDIT_EXT_ADD, 11, 0, "0200" }),
    ECDHE(PEER_ANY, "supported_groups", { SH, EDIT_EXT_ADD, 10, 0, "0002001d" }),
    ECDHE(PEER_FAILS, "signature_algorithms", { SH, EDIT_EXT_ADD, 13, 0, "00020403" }),
    ECDHE(PEER_FAILS, "status_request, not asked for", { SH, EDIT_EXT_ADD, 5, 0, "" }),
    ECDHE(PEER_WORKS, "ALPN", { SH, EDIT_EXT_ADD, 16, 0, "0003026832" }),
    ECDHE(PEER_FAILS, "ALPN: not offered", { SH, EDIT_EXT_ADD, 16, 0, "0003026833" }),
    ECDHE(PEER_FAILS, "ALPN: two", { SH, EDIT_EXT_ADD, 16, 0, "0006026832026832" }),
    ECDHE(PEER_FAILS, "ALPN: none", { SH, EDIT_EXT_ADD, 16, 0, "0000" }),
    ECDHE(PEER_FAILS, "ALPN: empty name", { SH, EDIT_EXT_ADD, 16, 0, "000100" }),
    ECDHE(PEER_FAILS, "session_ticket: not empty", { SH, EDIT_EXT_ADD, 35, 0, "00" }),
    ECDHE(PEER_FAILS, "supported_versions 0303", { SH, EDIT_EXT_ADD, 43, 0, "0303" }),
    ECDHE(PEER_FAILS, "supported_versions 0304", { SH, EDIT_EXT_ADD, 43, 0, "0304" }),
    ECDHE(PEER_FAILS, "key_share", { SH, EDIT_EXT_ADD, 51, 0, "001d0000" }),
    ECDHE(PEER_STRICT, "an extension that nobody knows", { SH, EDIT_EXT_ADD, 0x7a7a, 0, "" }),
    ECDHE(PEER_FAILS, "max_fragment_length, not offered", { SH, EDIT_EXT_ADD, 1, 0, "01" }),
    ECDHE(PEER_FAILS, "use_srtp, not offered", { SH, EDIT_EXT_ADD, 14, 0, "0002000100" }),
    ECDHE(PEER_FAILS, "next_protocol, not offered", { SH, EDIT_EXT_ADD, 13172, 0, "" }),
    ECDHE(PEER_FAILS, "extensions: a byte too long", { SH, EDIT_EXT_LENGTH, 1, 0, NULL }),
    ECDHE(PEER_FAILS, "extensions: a byte too short",
          { SH, EDIT_EXT_LENGTH, (unsigned)-1, 0, NULL }),
    ECDHE(PEER_FAILS, "a byte after the extensions", { SH, EDIT_TAIL, 0, 0, "00" }),
    ECDHE(PEER_FAILS,
          "in the random the mark of a downgrade from 1.3, which this client lacks: fine",
          { SH, EDIT_SET, 30, 0, "444f574e47524401" }),
};

static const struct t12_row certificate[] = {
    ECDHE(PEER_FAILS, "no certificate", { CT, EDIT_BODY, 0, 0, "000000" }),
    ECDHE(PEER_FAILS, "an empty certificate", { CT, EDIT_BODY, 0, 0, "000003 000000" }),
    ECDHE(PEER_FAILS, "garbage", { CT, EDIT_BODY, 0, 0, "000007 000004 30020100" }),
    ECDHE(PEER_FAILS, "list length too long", { CT, EDIT_SET, 4, 0, "ffffff" }),
    ECDHE(PEER_FAILS, "list length too short", { CT, EDIT_SET, 4, 0, "000001" }),
    ECDHE(PEER_FAILS, "certificate length too long", { CT, EDIT_SET, 7, 0, "ffffff" }),
    ECDHE(PEER_FAILS, "another tag", { CT, EDIT_SET, 10, 0, "31" }),
};

static const struct t12_row certificate_status[] = {
    STAPLE(PEER_WORKS, "as it should be", { CS, EDIT_END, 0, 0, NULL }),
    STAPLE(PEER_FAILS, "type 0", { CS, EDIT_SET, 4, 0, "00" }),
    STAPLE(PEER_FAILS, "type 2", { CS, EDIT_SET, 4, 0, "02" }),
    STAPLE(PEER_FAILS, "length too long", { CS, EDIT_SET, 5, 0, "000003" }),
    STAPLE(PEER_FAILS, "length too short", { CS, EDIT_SET, 5, 0, "000001" }),
    STAPLE(PEER_FAILS, "length 2^24 - 1", { CS, EDIT_SET, 5, 0, "ffffff" }),
    STAPLE(PEER_FAILS_ANYHOW, "empty response", { CS, EDIT_BODY, 0, 0, "01 000000" }),
    STAPLE(PEER_FAILS, "not announced", { SH, EDIT_EXT_DROP, 5, 0, NULL }),
    STAPLE(PEER_FAILS, "announced with content", { SH, EDIT_EXT_BODY, 5, 0, "01" }),
};

static const struct t12_row key_exchange[] = {
    ECDHE(PEER_FAILS, "explicit prime curve", { SKE, EDIT_SET, 4, 0, "01" }),
    ECDHE(PEER_FAILS, "explicit char2 curve", { SKE, EDIT_SET, 4, 0, "02" }),
    ECDHE(PEER_FAILS, "curve type 0", { SKE, EDIT_SET, 4, 0, "00" }),
    ECDHE(PEER_FAILS, "a group that was not offered: secp256k1", { SKE, EDIT_SET, 5, 0, "0016" }),
    ECDHE(PEER_FAILS, "a group that does not exist", { SKE, EDIT_SET, 5, 0, "7a7a" }),
    ECDHE(PEER_FAILS_ANYHOW, "a finite field group", { SKE, EDIT_SET, 5, 0, "0100" }),
    ECDHE(PEER_FAILS, "another group than the key", { SKE, EDIT_SET, 5, 0, "0017" }),
    ECDHE(PEER_FAILS, "point: no bytes", { SKE, EDIT_SET, 7, 0, "00" },
          { SKE, EDIT_REMOVE, 8, 32, NULL }),
    ECDHE(PEER_FAILS, "point: 31 bytes", { SKE, EDIT_SET, 7, 0, "1f" },
          { SKE, EDIT_REMOVE, 8, 1, NULL }),
    ECDHE(PEER_FAILS, "point: 33 bytes", { SKE, EDIT_SET, 7, 0, "21" },
          { SKE, EDIT_INSERT, 8, 0, "00" }),
    ECDHE(PEER_FAILS_ANYHOW, "point: zero",
          { SKE, EDIT_SET, 8, 0,
            "0000000000000000000000000000000000000000000000000000000000000000" }),
    ECDHE(PEER_FAILS, "point: a bit changed", { SKE, EDIT_SET, 20, 0, "5a5b" }),
    ECDHE(PEER_FAILS_ANYHOW, "point: P-256, at infinity", { SKE, EDIT_REMOVE, 5, 35, NULL },
          { SKE, EDIT_INSERT, 5, 0, "0017 01 00" }),
    ECDHE(PEER_FAILS, "point: P-256, not on the curve", { SKE, EDIT_REMOVE, 5, 35, NULL },
          { SKE, EDIT_INSERT, 5, 0,
            "0017 41 04 0101010101010101010101010101010101010101010101010101010101010101"
            "0202020202020202020202020202020202020202020202020202020202020202" }),
    ECDHE(PEER_FAILS_ANYHOW, "point: P-256, compressed", { SKE, EDIT_REMOVE, 5, 35, NULL },
          { SKE, EDIT_INSERT, 5, 0,
            "0017 21 02 6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296" }),
    ECDHE(PEER_FAILS, "signature: scheme that was not offered", { SKE, EDIT_SET, 40, 0, "0101" }),
    ECDHE(PEER_FAILS, "signature: scheme of RSA", { SKE, EDIT_SET, 40, 0, "0401" }),
    ECDHE(PEER_FAILS, "signature: scheme of PSS", { SKE, EDIT_SET, 40, 0, "0804" }),
    ECDHE(PEER_FAILS, "signature: scheme of Ed25519", { SKE, EDIT_SET, 40, 0, "0807" }),
    ECDHE(PEER_FAILS, "signature: another digest", { SKE, EDIT_SET, 40, 0, "0503" }),
    ECDHE(PEER_FAILS, "signature: scheme unknown", { SKE, EDIT_SET, 40, 0, "7a7a" }),
    ECDHE(PEER_FAILS, "signature: of no bytes", { SKE, EDIT_SET, 42, 0, "0000" }),
    ECDHE(PEER_FAILS, "signature: length too long", { SKE, EDIT_SET, 42, 0, "ffff" }),
    ECDHE(PEER_FAILS, "signature: not DER", { SKE, EDIT_SET, 44, 0, "ff" }),
    ECDHE(PEER_FAILS, "signature: a bit changed", { SKE, EDIT_SET, 60, 0, "a5a6" }),
    ECDHE(PEER_FAILS, "signature: none",
          { SKE, EDIT_BODY, 0, 0,
            "03001d20 6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c216" }),
    ECDHE(PEER_FAILS, "finite field parameters",
          { SKE, EDIT_BODY, 0, 0, "0001 17 0001 02 0001 08 0403 0002 3000" }),
};

static const struct t12_row finite_field[] = {
    DHE(PEER_FAILS, "p: no bytes", { SKE, EDIT_SET, 4, 0, "0000" }),
    DHE(PEER_FAILS, "p: length too long", { SKE, EDIT_SET, 4, 0, "ffff" }),
    DHE(PEER_FAILS, "p: not the one that was signed", { SKE, EDIT_SET, 100, 0, "0102" }),
    DHE(PEER_FAILS_ANYHOW, "p: even", { SKE, EDIT_SET, 261, 0, "fe" }),
    DHE(PEER_FAILS, "p of 512 bits", { SKE, EDIT_REMOVE, 70, 192, NULL },
        { SKE, EDIT_SET, 4, 0, "0040" }),
    DHE(PEER_FAILS_ANYHOW, "g: zero", { SKE, EDIT_SET, 262, 0, "0001 00" }),
    DHE(PEER_FAILS_ANYHOW, "g: one", { SKE, EDIT_SET, 262, 0, "0001 01" }),
    DHE(PEER_FAILS_ANYHOW, "g: no bytes", { SKE, EDIT_SET, 262, 0, "0000" },
        { SKE, EDIT_REMOVE, 264, 1, NULL }),
    DHE(PEER_FAILS, "public value: one", { SKE, EDIT_REMOVE, 265, 258, NULL },
        { SKE, EDIT_INSERT, 265, 0, "0001 01" }),
    DHE(PEER_FAILS, "public value: zero", { SKE, EDIT_REMOVE, 265, 258, NULL },
        { SKE, EDIT_INSERT, 265, 0, "0001 00" }),
    DHE(PEER_FAILS, "public value: no bytes", { SKE, EDIT_REMOVE, 265, 258, NULL },
        { SKE, EDIT_INSERT, 265, 0, "0000" }),
    DHE(PEER_FAILS, "public value: larger than p",
        { SKE, EDIT_SET, 267, 0, "ffffffffffffffffffff" }),
    DHE(PEER_FAILS, "signature: a bit changed", { SKE, EDIT_SET, 600, 0, "a5a6" }),
    DHE(PEER_FAILS, "signature: scheme of ECDSA", { SKE, EDIT_SET, 523, 0, "0403" }),
    DHE(PEER_FAILS, "signature: scheme of PSS, made without", { SKE, EDIT_SET, 523, 0, "0804" }),
};

static const struct t12_row request[] = {
    AUTH(PEER_WORKS, "as it should be", { CR, EDIT_END, 0, 0, NULL }),
    AUTH(PEER_WORKS, "types: ecdsa_sign alone", { CR, EDIT_BODY, 0, 0, "01 40 0002 0403 0000" }),
    AUTH(PEER_ANY, "types: rsa_sign alone", { CR, EDIT_BODY, 0, 0, "01 01 0002 0403 0000" }),
    AUTH(PEER_ANY, "types: unknown", { CR, EDIT_BODY, 0, 0, "01 7a 0002 0403 0000" }),
    AUTH(PEER_ANY, "types: none", { CR, EDIT_BODY, 0, 0, "00 0002 0403 0000" }),
    AUTH(PEER_FAILS, "types: length too long", { CR, EDIT_SET, 4, 0, "ff" }),
    AUTH(PEER_FAILS_ANYHOW, "algorithms: none", { CR, EDIT_BODY, 0, 0, "01 40 0000 0000" }),
    AUTH(PEER_FAILS_ANYHOW, "algorithms: odd length",
         { CR, EDIT_BODY, 0, 0, "01 40 0003 040304 0000" }),
    AUTH(PEER_FAILS, "algorithms: length too long",
         { CR, EDIT_BODY, 0, 0, "01 40 0020 0403 0000" }),
    AUTH(PEER_ANY, "algorithms: unknown ones only",
         { CR, EDIT_BODY, 0, 0, "01 40 0004 7a7a 7b7b 0000" }),
    AUTH(PEER_ANY, "algorithms: RSA only", { CR, EDIT_BODY, 0, 0, "01 40 0002 0401 0000" }),
    AUTH(PEER_FAILS, "names: left out", { CR, EDIT_BODY, 0, 0, "01 40 0002 0403" }),
    AUTH(PEER_FAILS, "names: length too long",
         { CR, EDIT_BODY, 0, 0, "01 40 0002 0403 0005 0000" }),
    AUTH(PEER_FAILS, "names: one too long",
         { CR, EDIT_BODY, 0, 0, "01 40 0002 0403 0004 0005 3000" }),
    AUTH(PEER_FAILS, "names: garbage", { CR, EDIT_BODY, 0, 0, "01 40 0002 0403 0004 0002 ffff" }),
    AUTH(PEER_ANY, "names: an empty one",
         { CR, EDIT_BODY, 0, 0, "01 40 0002 0403 0004 0002 3000" }),
    AUTH(PEER_FAILS, "as TLS 1.3 has it", { CR, EDIT_BODY, 0, 0, "00 0008 000d 0004 0002 0403" }),
};

static const struct t12_row end[] = {
    ECDHE(PEER_FAILS_ANYHOW, "ServerHelloDone: a byte",
          { AT_SERVER_HELLO_DONE, EDIT_TAIL, 0, 0, "00" }),
    ECDHE(PEER_FAILS, "ChangeCipherSpec: 0", { CCS, EDIT_BODY, 0, 0, "00" }),
    ECDHE(PEER_FAILS, "ChangeCipherSpec: 2", { CCS, EDIT_BODY, 0, 0, "02" }),
    ECDHE(PEER_FAILS, "ChangeCipherSpec: two bytes", { CCS, EDIT_BODY, 0, 0, "0101" }),
    ECDHE(PEER_FAILS, "Finished: wrong", { FIN, EDIT_SET, 6, 0, "01020304" }),
    ECDHE(PEER_FAILS, "Finished: of 32 bytes",
          { FIN, EDIT_TAIL, 0, 0, "0000000000000000000000000000000000000000" }),
    ECDHE(PEER_ANY, "Finished: more in its record", { FIN, EDIT_EXTRA, 0, 0, "00000000" }),
    ECDHE(PEER_FAILS, "Finished: tag broken", { FIN, EDIT_BREAK_TAG, 0, 0, NULL }),
    ECDHE(PEER_WORKS, "Finished: in two records", { FIN, EDIT_SPLIT, 8, 0, NULL }),
    ECDHE(PEER_FAILS, "all but the hello in one record, Finished as well",
          { AT_SERVER_HELLO_DONE, EDIT_EXTRA, 0, 0, "1400000c 010203040506070809101112" }),
    ECDHE(PEER_WORKS, "one record for the whole flight", { SH, EDIT_HOLD, 0, 0, NULL },
          { CT, EDIT_HOLD, 0, 0, NULL }, { SKE, EDIT_HOLD, 0, 0, NULL }),
};

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
#define RUN(rows) t12_run_table(rows, sizeof(rows) / sizeof((rows)[0]))
    section("ServerHello");
    RUN(server_hello);
    section("Certificate");
    RUN(certificate);
    section("CertificateStatus");
    RUN(certificate_status);
    section("ServerKeyExchange");
    RUN(key_exchange);
    section("ServerKeyExchange, DHE");
    RUN(finite_field);
    section("CertificateRequest");
    RUN(request);
    section("ServerHelloDone, ChangeCipherSpec, Finished");
    RUN(end);
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
