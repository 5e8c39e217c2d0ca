/*
 * How long a record may be: one of each length around the limits, in the clear and under keys, and
 * which error the longer ones get.
 * Manual pages: SSL_read(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static void inject(struct pair *p, unsigned char type, size_t len)
{
    unsigned char *record = calloc(1, 5 + len);

    REQUIRE(record != NULL);
    record[0] = type;
    record[1] = 3;
    record[2] = pair_version == TLS1_VERSION && type == SSL3_RT_APPLICATION_DATA ? 1 : 3;
    record[3] = (unsigned char)(len >> 8);
    record[4] = (unsigned char)len;
    wire_inject(p->wire, WIRE_SERVER, record, 5 + len);
    free(record);
}

static void log_last(const char *what, size_t len, int result)
{
    unsigned long error = ERR_peek_last_error();

    note("%s of %zu: %d, %s", what, len, result,
         error == 0 ? "no error" : ERR_reason_error_string(error));
    ERR_clear_error();
}

static void under_keys(size_t len)
{
    struct pair p;
    char got[16];

    pair_init_connected(&p, OVER_WIRE, 0);
    inject(&p, SSL3_RT_APPLICATION_DATA, len);
    log_last("record", len, SSL_read(p.server, got, sizeof(got)));
    pair_free(&p);
}

static void in_the_clear(size_t len)
{
    struct pair p;

    pair_init(&p, OVER_WIRE, 0);
    inject(&p, SSL3_RT_HANDSHAKE, len);
    log_last("first record", len, SSL_do_handshake(p.server));
    pair_free(&p);
}

int main(void)
{
    static const size_t limits[] = { 16384, 16384 + 256, 16384 + 320, 16384 + 323, 16384 + 2048 };

    contract_start();
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        for (size_t len = limits[i] - 1; len <= limits[i] + 1; len++) {
            in_the_clear(len);
            under_keys(len);
        }
    }
    under_keys(65535);
    identity_default_free();
    return contract_finish();
}
