/*
 * ClientHello to a server and ServerHello to a client, through the engine: what is parsed is also
 * decided upon and answered. Input: a byte of flags, the length of the first body (2 bytes), the
 * first body, the second body, which is sent if the first led to a HelloRetryRequest.
 */
#include "stage.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static bool as_server;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    as_server = strcmp(TARGET, "client_hello") == 0;
    return 0;
}

static void feed(struct endpoint *e, const uint8_t *body, size_t len)
{
    struct buffer framed = { 0 };

    stage_frame(&framed, as_server ? MSG_CLIENT_HELLO : MSG_SERVER_HELLO, body, len);
    endpoint_feed(e, buffer_bytes(&framed), buffer_len(&framed));
    buffer_wipe(&framed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint16_t p256 = 0x0017;
    struct reader r = reader_of(data, size);
    struct endpoint e;
    uint8_t flags;
    uint16_t first_len;

    if (!reader_u8(&r, &flags) || !reader_u16(&r, &first_len)) {
        return 0;
    }
    if (first_len > r.left) {
        first_len = (uint16_t)r.left;
    }
    ERR_clear_error();
    deterministic_random_restart();
    endpoint_init(&e, as_server ? ROLE_SERVER : ROLE_CLIENT);
    stage_configure(&e, flags);
    if (as_server && (flags & FLAG_RETRY) != 0) {
        e.config.groups = u16_list_of(&p256, 1);
    }
    if ((flags & FLAG_RESUMES) != 0) {
        stage_resume12(&e);
    }
    (void)endpoint_run(&e, NULL);
    feed(&e, r.at, first_len);
    enum tls_status status = endpoint_run(&e, NULL);
    if (status == TLS_WANT_INPUT && e.conn.neg.was_retried) {
        feed(&e, r.at + first_len, r.left - first_len);
        status = endpoint_run(&e, NULL);
    }
    stage_require(status == TLS_WANT_INPUT || status == TLS_FAILED, "a hello ends no handshake");
    stage_require((status == TLS_FAILED) == e.conn.error.failed, "a failure is explained");
    endpoint_wipe(&e);
    return 0;
}
