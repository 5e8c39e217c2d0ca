/*
 * The extension walkers. Input: a byte of flags, a byte that names the message, then the block.
 */
#include "stage.h"

#include "handshake/ext/extensions.h"

#include <stdlib.h>

static const unsigned places[] = {
    EXT_CLIENT_HELLO,        EXT_SERVER_HELLO, EXT_ENCRYPTED_EXTENSIONS,
    EXT_HELLO_RETRY_REQUEST, EXT_CERTIFICATE,  EXT_CERTIFICATE_REQUEST,
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    return 0;
}

static enum step_result walk_hello(struct handshake *hs, struct reader block)
{
    struct client_hello *hello = calloc(1, sizeof(*hello));

    stage_require(hello != NULL, "memory");
    hello->extensions_block = block;
    enum step_result result = extensions_split(hs, hello);
    if (result == STEP_OK) {
        hs->hello = hello;
        result = extensions_read_hello(hs);
        hs->hello = NULL;
    }
    free(hello);
    return result;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct endpoint e;

    if (size < 2) {
        return 0;
    }
    unsigned place = places[data[1] % COUNT_OF(places)];
    uint8_t flags = data[0];
    /* Who can receive what. */
    if (place == EXT_CLIENT_HELLO) {
        flags |= FLAG_SERVER;
    } else if (place != EXT_CERTIFICATE) {
        flags &= (uint8_t)~FLAG_SERVER;
    }
    uint8_t *block = stage_copy(data + 2, size - 2);
    stage_init(&e, flags);
    struct reader r = reader_of(block, size - 2);
    enum step_result result =
        place == EXT_CLIENT_HELLO
            ? walk_hello(e.conn.hs, r)
            : extensions_read(e.conn.hs, place, r,
                              place == EXT_CERTIFICATE ? e.conn.session->peer : NULL, 0);
    stage_require(result == STEP_OK || result == STEP_FAILED, "walkers explain what they refuse");
    stage_require((result == STEP_FAILED) == e.conn.error.failed, "a failure is explained");
    endpoint_wipe(&e);
    free(block);
    return 0;
}
