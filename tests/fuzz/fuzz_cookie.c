/*
 * Cookies of a server that forgets. The first byte says how: the rest is a whole cookie, or what
 * stands before the MAC, which is then made, so that the parser behind the MAC is reached. What
 * opens can be written again.
 */
#include "stage.h"

#include "base/buffer.h"
#include "crypto/lib.h"
#include "handshake/cookie13.h"
#include <stdlib.h>
#include <string.h>

static const uint8_t key[COOKIE13_KEY_LEN] = { 1, 2, 3 };
static const struct crypto_lib *lib;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    lib = crypto_lib_new(NULL, NULL);
    stage_require(lib != NULL, "a library");
    return 0;
}

static bool is_inside(struct reader part, const uint8_t *whole, size_t len)
{
    return part.at >= whole && part.left <= len && part.at + part.left <= whole + len;
}

static void check_good(const struct cookie13 *cookie, const uint8_t *sealed, size_t len)
{
    const struct hash *sha256 = hash_get(lib, HASH_SHA256);
    struct buffer again = { 0 };
    struct writer w = writer_to(&again);
    struct cookie13 reread;

    stage_require(is_inside(cookie->hello_hash, sealed, len) &&
                      is_inside(cookie->application, sealed, len),
                  "the parts are in the cookie");
    cookie13_write(&w, cookie);
    stage_require(cookie13_seal(sha256, key, &w) && buffer_len(&again) == len, "the same length");
    stage_require(cookie13_open(sha256, key, reader_of(buffer_bytes(&again), len), &reread) ==
                          COOKIE13_GOOD &&
                      reread.time == cookie->time && reread.group == cookie->group,
                  "the same cookie");
    buffer_wipe(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct hash *sha256 = hash_get(lib, HASH_SHA256);
    struct cookie13 cookie;

    if (size == 0) {
        return 0;
    }
    bool gets_mac = data[0] % 2 == 1;
    size_t len = size - 1 + (gets_mac ? 32 : 0);
    uint8_t *sealed = calloc(1, len + 1);
    stage_require(sealed != NULL, "memory");
    memcpy(sealed, data + 1, size - 1);
    stage_require(!gets_mac ||
                      hmac_once(sha256, key, sizeof key, sealed, size - 1, sealed + size - 1),
                  "a MAC");
    uint8_t *exact = stage_copy(sealed, len);
    enum cookie13_result result = cookie13_open(sha256, key, reader_of(exact, len), &cookie);
    stage_require(!gets_mac || result != COOKIE13_FORGED, "a good MAC is good");
    if (result == COOKIE13_GOOD) {
        check_good(&cookie, exact, len);
    }
    free(exact);
    free(sealed);
    return 0;
}
