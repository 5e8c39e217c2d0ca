/*
 * Parsers of handshake messages that are protected on the wire: the body goes straight to the
 * handler. Input: a byte of flags, then the body.
 */
#include "stage.h"

#include <stdlib.h>
#include <string.h>

struct parser {
    const char *name;
    enum step_result (*read)(struct handshake *hs, struct reader *body);
    bool on_client;
    bool on_server;
};

static const struct parser parsers[] = {
    { "encrypted_extensions", read_encrypted_extensions, true, false },
    { "certificate_request", read_certificate_request, true, false },
    { "certificate", read_certificate, true, true },
    { "certificate_verify", read_certificate_verify, true, true },
    { "finished", read_finished, true, true },
    { "key_update", read_key_update, true, true },
    { "new_session_ticket", read_new_session_ticket, true, false },
};

static const struct parser *parser;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    for (size_t i = 0; i < COUNT_OF(parsers); i++) {
        if (strcmp(parsers[i].name, TARGET) == 0) {
            parser = &parsers[i];
        }
    }
    stage_require(parser != NULL, "there is such a parser");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct endpoint e;

    if (size == 0) {
        return 0;
    }
    uint8_t flags = data[0];
    if (!parser->on_server) {
        flags &= (uint8_t)~FLAG_SERVER;
    }
    uint8_t *body = stage_copy(data + 1, size - 1);
    struct reader r = reader_of(body, size - 1);
    stage_init(&e, flags);
    enum step_result result = parser->read(e.conn.hs, &r);
    /* What the runner counts on. */
    stage_require(result != STEP_PAUSED, "a parser doesn't pause");
    stage_require((result == STEP_FAILED) == e.conn.error.failed, "a failure is explained");
    if (result == STEP_OK && parser->read == read_certificate && e.conn.hs->peer_has_cert) {
        result = verify_peer(e.conn.hs);
        stage_require((result == STEP_FAILED) == e.conn.error.failed, "a failure is explained");
    }
    endpoint_wipe(&e);
    free(body);
    return 0;
}
