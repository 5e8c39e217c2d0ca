/*
 * SSL_select_next_proto, whose lists come from the peer and from the application (CVE-2024-5535).
 * Input: the length of the first list, then both lists.
 */
#include "stage.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static bool is_inside(const unsigned char *at, size_t len, const uint8_t *list, size_t list_len)
{
    return at >= list && len <= list_len && at + len <= list + list_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t first_len = data[0] < size - 1 ? data[0] : size - 1;
    size_t second_len = size - 1 - first_len;
    uint8_t *first = stage_copy(data + 1, first_len);
    uint8_t *second = stage_copy(data + 1 + first_len, second_len);
    unsigned char *out = NULL;
    unsigned char out_len = 0;
    int result = SSL_select_next_proto(&out, &out_len, first, (unsigned int)first_len, second,
                                       (unsigned int)second_len);

    stage_require(result == OPENSSL_NPN_NEGOTIATED || result == OPENSSL_NPN_NO_OVERLAP,
                  "one of two results");
    stage_require(out_len == 0 || is_inside(out, out_len, first, first_len) ||
                      is_inside(out, out_len, second, second_len),
                  "what is chosen is in a list");
    free(first);
    free(second);
    return 0;
}
