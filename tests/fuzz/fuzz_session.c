/*
 * Encoded sessions. What is accepted encodes again, and that encoding means the same. What the
 * strict reader takes libcrypto reads as well, and alike.
 */
#include "session_readers.h"
#include "stage.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return 0;
}

static unsigned char *encode(SSL_SESSION *session, int *len)
{
    unsigned char *bytes;
    unsigned char *end;

    *len = i2d_SSL_SESSION(session, NULL);
    if (*len <= 0) {
        return NULL;
    }
    bytes = end = malloc((size_t)*len);
    stage_require(bytes != NULL && i2d_SSL_SESSION(session, &end) == *len && end == bytes + *len,
                  "an encoding is as long as announced");
    return bytes;
}

static void look(SSL_SESSION *session)
{
    BIO *sink = BIO_new(BIO_s_null());

    stage_require(sink != NULL, "memory");
    (void)SSL_SESSION_print(sink, session);
    (void)SSL_SESSION_print_keylog(sink, session);
    (void)SSL_SESSION_is_resumable(session);
    BIO_free(sink);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *copy = stage_copy(data, size);
    const unsigned char *at = copy;
    SSL_SESSION *session = d2i_SSL_SESSION(NULL, &at, (long)size);
    int len;
    int again_len;
    bool taken;

    const char *problem = session_readers_disagree(copy, size, &taken);
    stage_require(problem == NULL, problem);
    if (session != NULL) {
        stage_require(at > copy && at <= copy + size, "an encoding ends inside of the input");
        look(session);
        unsigned char *bytes = encode(session, &len);
        if (bytes != NULL) {
            at = bytes;
            SSL_SESSION *again = d2i_SSL_SESSION(NULL, &at, len);
            stage_require(again != NULL && at == bytes + len, "what was encoded is accepted");
            unsigned char *bytes_again = encode(again, &again_len);
            stage_require(bytes_again != NULL && again_len == len &&
                              memcmp(bytes, bytes_again, (size_t)len) == 0,
                          "encoding again gives the same");
            free(bytes_again);
            SSL_SESSION_free(again);
        }
        free(bytes);
        SSL_SESSION_free(session);
    }
    ERR_clear_error();
    free(copy);
    return 0;
}
