/*
 * A client that begins with a hello in the format of SSL 2.0 and goes on in TLS 1.2 (RFC 5246,
 * E.2): the transcript covers the hello as it came. What else such a hello may look like:
 * hs_junk.c.
 */
#include "contract.h"
#include "t12_peer.h"

#define HELLO  AT_CLIENT_HELLO, EDIT_V2, 0, 0, NULL
#define FINISH AT_FINISHED, EDIT_SET, 4, 0, "00000000"
#define AGAIN                                                                                      \
    AT_CLIENT_KEY_EXCHANGE, EDIT_RAW_BEFORE, 0, 0,                                                 \
        "8015 01 0303 0006 0000 0006 00009c 0000ff 777777777777"

#define ROW(verdict, name, auth, kind, ...)                                                        \
    {                                                                                              \
        verdict,                                                                                   \
        {                                                                                          \
            .base = { name, true, false, auth, { __VA_ARGS__ } }, .exchange = kind                 \
        }                                                                                          \
    }

static const struct t12_row rows[] = {
    ROW(PEER_WORKS, "RSA", false, T12_RSA, { HELLO }),
    ROW(PEER_WORKS, "DHE", false, T12_DHE, { HELLO }),
    ROW(PEER_FAILS, "ECDHE, and no curve was named", false, T12_ECDHE, { HELLO }),
    ROW(PEER_WORKS, "PSK", false, T12_PSK, { HELLO }),
    ROW(PEER_WORKS, "RSA and a certificate of the client", true, T12_RSA, { HELLO }),
    ROW(PEER_FAILS, "Finished of another transcript", false, T12_RSA, { HELLO }, { FINISH }),
    ROW(PEER_FAILS, "a hello in place of the ClientKeyExchange", false, T12_RSA, { HELLO },
        { AGAIN }),
};

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    t12_run_table(rows, sizeof(rows) / sizeof(rows[0]));
    t12_peer_free();
    identity_default_free();
    return contract_finish();
}
