/*
 * What both sides do with messages about pre-shared keys that RFC 4279 doesn't allow, one line
 * each: the hint in ServerKeyExchange, the identity in ClientKeyExchange, and what stands beside
 * them. A premaster secret that doesn't fit must look like a wrong Finished (RFC 5246, 7.4.7.1).
 */
#include "contract.h"
#include "t12_peer.h"

#define ROW(verdict, server_under_test, kx, auth, name, ...)                                       \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            { name, server_under_test, false, auth, { __VA_ARGS__ } }, .exchange = (kx)            \
        }                                                                                          \
    }
/* From a server, from a client. */
#define S_PSK(verdict, name, ...) ROW(verdict, false, T12_PSK, false, name, __VA_ARGS__)
#define S_DHE(verdict, name, ...) ROW(verdict, false, T12_DHE_PSK, false, name, __VA_ARGS__)
#define S_RSA(verdict, name, ...) ROW(verdict, false, T12_RSA_PSK, false, name, __VA_ARGS__)
#define C_PSK(verdict, name, ...) ROW(verdict, true, T12_PSK, false, name, __VA_ARGS__)
#define C_DHE(verdict, name, ...) ROW(verdict, true, T12_DHE_PSK, false, name, __VA_ARGS__)
#define C_RSA(verdict, name, ...) ROW(verdict, true, T12_RSA_PSK, false, name, __VA_ARGS__)

#define SH  AT_SERVER_HELLO
#define SKE AT_SERVER_KEY_EXCHANGE
#define SHD AT_SERVER_HELLO_DONE
#define CKE AT_CLIENT_KEY_EXCHANGE

/* 64 letters, 256 letters. */
#define X64                                                                                        \
    "78787878787878787878787878787878787878787878787878787878787878787878787878787878787878787878" \
    "787878787878787878787878787878787878"
#define X256 X64 X64 X64 X64

#define EMPTY_CERTIFICATE "0b000003 000000"
#define REQUEST           "0d000009 01 01 0002 0401 0000 00"

/* The hint's length is at 4, the hint at 6 to 11. */
static const struct t12_row hints[] = {
    S_PSK(PEER_WORKS, "as it should be", { SKE, EDIT_END, 0, 0, NULL }),
    S_PSK(PEER_WORKS, "left out", { SKE, EDIT_SKIP, 0, 0, NULL }),
    S_PSK(PEER_WORKS, "empty", { SKE, EDIT_BODY, 0, 0, "0000" }),
    S_PSK(PEER_WORKS, "256 bytes", { SKE, EDIT_BODY, 0, 0, "0100" X256 }),
    S_PSK(PEER_FAILS, "257 bytes", { SKE, EDIT_BODY, 0, 0, "0101" X256 "78" }),
    S_PSK(PEER_WORKS, "with a zero", { SKE, EDIT_BODY, 0, 0, "0003 610062" }),
    S_PSK(PEER_WORKS, "beginning with a zero", { SKE, EDIT_BODY, 0, 0, "0003 006162" }),
    S_PSK(PEER_FAILS, "no body", { SKE, EDIT_BODY, 0, 0, "" }),
    S_PSK(PEER_FAILS, "one byte", { SKE, EDIT_BODY, 0, 0, "00" }),
    S_PSK(PEER_FAILS, "length too long", { SKE, EDIT_SET, 4, 0, "0007" }),
    S_PSK(PEER_FAILS, "length too short", { SKE, EDIT_SET, 4, 0, "0005" }),
    S_PSK(PEER_FAILS, "a byte behind it", { SKE, EDIT_TAIL, 0, 0, "00" }),
    S_PSK(PEER_FAILS, "parameters of ECDHE behind it",
          { SKE, EDIT_TAIL, 0, 0,
            "03 001d 20 0102030405060708 0102030405060708 0102030405060708 0102030405060708" }),
    S_PSK(PEER_FAILS, "twice", { SKE, EDIT_TWICE, 0, 0, NULL }),
    S_PSK(PEER_FAILS, "a certificate", { SKE, EDIT_BEFORE, 22, 1, EMPTY_CERTIFICATE }),
    S_PSK(PEER_FAILS, "a request for a certificate", { SHD, EDIT_BEFORE, 22, 1, REQUEST }),
    S_PSK(PEER_FAILS, "a suite that was not offered", { SH, EDIT_SET, 39, 0, "c018" }),
};

static const struct t12_row parameters[] = {
    S_DHE(PEER_WORKS, "as it should be", { SKE, EDIT_END, 0, 0, NULL }),
    S_DHE(PEER_FAILS, "left out", { SKE, EDIT_SKIP, 0, 0, NULL }),
    S_DHE(PEER_FAILS, "without a hint", { SKE, EDIT_REMOVE, 4, 8, NULL }),
    S_DHE(PEER_WORKS, "an empty hint", { SKE, EDIT_REMOVE, 6, 6, NULL },
          { SKE, EDIT_SET, 4, 0, "0000" }),
    S_DHE(PEER_FAILS, "the hint alone", { SKE, EDIT_BODY, 0, 0, "0006 612068696e74" }),
    S_DHE(PEER_FAILS, "nothing", { SKE, EDIT_BODY, 0, 0, "" }),
    S_DHE(PEER_FAILS, "p: length too long", { SKE, EDIT_SET, 12, 0, "ffff" }),
    S_DHE(PEER_FAILS, "public value: 0", { SKE, EDIT_BODY, 0, 0, "0000 0001 17 0001 02 0001 00" }),
    S_DHE(PEER_FAILS, "a prime of 5 bits",
          { SKE, EDIT_BODY, 0, 0, "0000 0001 17 0001 02 0001 08" }),
    S_DHE(PEER_FAILS, "a signature", { SKE, EDIT_TAIL, 0, 0, "0401 0004 01020304" }),
    S_DHE(PEER_FAILS, "a certificate", { SKE, EDIT_BEFORE, 22, 1, EMPTY_CERTIFICATE }),
    S_DHE(PEER_FAILS, "a request for a certificate", { SHD, EDIT_BEFORE, 22, 1, REQUEST }),
    S_RSA(PEER_WORKS, "RSA: as it should be", { SKE, EDIT_END, 0, 0, NULL }),
    S_RSA(PEER_WORKS, "RSA: no hint", { SKE, EDIT_SKIP, 0, 0, NULL }),
    S_RSA(PEER_FAILS, "RSA: no certificate", { AT_CERTIFICATE, EDIT_SKIP, 0, 0, NULL }),
    S_RSA(PEER_FAILS, "RSA: a signature", { SKE, EDIT_TAIL, 0, 0, "0401 0004 01020304" }),
    ROW(PEER_WORKS, false, T12_RSA_PSK, true, "RSA: a request for a certificate",
        { SKE, EDIT_END, 0, 0, NULL }),
};

/* The identity's length is at 4, the identity at 6 to 12. */
static const struct t12_row identities[] = {
    C_PSK(PEER_WORKS, "as it should be", { CKE, EDIT_END, 0, 0, NULL }),
    C_PSK(PEER_WORKS, "empty", { CKE, EDIT_BODY, 0, 0, "0000" }),
    C_PSK(PEER_WORKS, "256 bytes", { CKE, EDIT_BODY, 0, 0, "0100" X256 }),
    C_PSK(PEER_FAILS, "257 bytes", { CKE, EDIT_BODY, 0, 0, "0101" X256 "78" }),
    C_PSK(PEER_WORKS, "with a zero", { CKE, EDIT_BODY, 0, 0, "0003 610062" }),
    C_PSK(PEER_WORKS, "beginning with a zero", { CKE, EDIT_BODY, 0, 0, "0003 006162" }),
    C_PSK(PEER_FAILS, "left out", { CKE, EDIT_SKIP, 0, 0, NULL }),
    C_PSK(PEER_FAILS, "no body", { CKE, EDIT_BODY, 0, 0, "" }),
    C_PSK(PEER_FAILS, "one byte", { CKE, EDIT_BODY, 0, 0, "00" }),
    C_PSK(PEER_FAILS, "length too long", { CKE, EDIT_SET, 4, 0, "0008" }),
    C_PSK(PEER_FAILS, "length too short", { CKE, EDIT_SET, 4, 0, "0006" }),
    C_PSK(PEER_FAILS, "a byte behind it", { CKE, EDIT_TAIL, 0, 0, "00" }),
    C_PSK(PEER_FAILS, "a certificate", { CKE, EDIT_BEFORE, 22, 1, EMPTY_CERTIFICATE }),
    C_DHE(PEER_WORKS, "DHE: as it should be", { CKE, EDIT_END, 0, 0, NULL }),
    C_DHE(PEER_FAILS, "DHE: the identity alone", { CKE, EDIT_BODY, 0, 0, "0001 61" }),
    C_DHE(PEER_FAILS, "DHE: zero", { CKE, EDIT_BODY, 0, 0, "0001 61 0001 00" }),
    C_DHE(PEER_FAILS_ANYHOW, "DHE: no bytes", { CKE, EDIT_BODY, 0, 0, "0001 61 0000" }),
    C_DHE(PEER_FAILS, "DHE: length too long", { CKE, EDIT_SET, 13, 0, "ffff" }),
    C_DHE(PEER_FAILS, "DHE: length too short", { CKE, EDIT_SET, 13, 0, "0010" }),
};

/* All of these must look like each other, from the ChangeCipherSpec on. */
static const struct t12_row premaster[] = {
    C_RSA(PEER_FAILS, "a bit changed", { CKE, EDIT_SET, 40, 0, "5a5b" }),
    C_RSA(PEER_FAILS, "zero", { CKE, EDIT_SET, 15, 0, "0000000000000000000000000000000000000000" }),
    C_RSA(PEER_FAILS, "last byte changed", { CKE, EDIT_SET, 270, 0, "5a" }),
    C_RSA(PEER_FAILS, "Finished wrong, premaster right", { AT_FINISHED, EDIT_SET, 6, 0, "010203" }),
    C_RSA(PEER_FAILS, "Finished's tag broken, premaster right",
          { AT_FINISHED, EDIT_BREAK_TAG, 0, 0, NULL }),
};

static const struct t12_row premaster_form[] = {
    C_RSA(PEER_WORKS, "as it should be", { CKE, EDIT_END, 0, 0, NULL }),
    ROW(PEER_WORKS, true, T12_RSA_PSK, true, "with a client's certificate",
        { CKE, EDIT_END, 0, 0, NULL }),
    C_RSA(PEER_FAILS, "the identity alone", { CKE, EDIT_BODY, 0, 0, "0001 61" }),
    C_RSA(PEER_FAILS, "no bytes", { CKE, EDIT_BODY, 0, 0, "0001 61 0000" }),
    C_RSA(PEER_FAILS, "one byte", { CKE, EDIT_BODY, 0, 0, "0001 61 0001 00" }),
    C_RSA(PEER_FAILS, "a byte short", { CKE, EDIT_SET, 13, 0, "00ff" },
          { CKE, EDIT_CUT, 1, 0, NULL }),
    C_RSA(PEER_FAILS, "a byte long", { CKE, EDIT_SET, 13, 0, "0101" },
          { CKE, EDIT_TAIL, 0, 0, "00" }),
    C_RSA(PEER_FAILS, "length too long", { CKE, EDIT_SET, 13, 0, "ffff" }),
    C_RSA(PEER_FAILS, "length too short", { CKE, EDIT_SET, 13, 0, "0010" }),
};

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
#define RUN(rows) t12_run_table(rows, sizeof(rows) / sizeof((rows)[0]))
    section("ServerKeyExchange, PSK");
    RUN(hints);
    section("ServerKeyExchange, DHE-PSK and RSA-PSK");
    RUN(parameters);
    section("ClientKeyExchange, PSK and DHE-PSK");
    RUN(identities);
    section("ClientKeyExchange, RSA-PSK");
    RUN(premaster);
    section("ClientKeyExchange, RSA-PSK: its form");
    RUN(premaster_form);
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
