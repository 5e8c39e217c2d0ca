/*
 * Both ways to read and write a session; see session_readers.h.
 */
#include "session_readers.h"

#include "api/session_der.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <string.h>

static const char *compare(const ENCODED_SESSION *strict, const ENCODED_SESSION *general)
{
    unsigned char *ours = NULL, *theirs = NULL, *written = NULL;
    const char *problem = NULL;
    int ours_len =
        ASN1_item_i2d((const ASN1_VALUE *)strict, &ours, ASN1_ITEM_rptr(ENCODED_SESSION));
    int theirs_len =
        ASN1_item_i2d((const ASN1_VALUE *)general, &theirs, ASN1_ITEM_rptr(ENCODED_SESSION));
    size_t len = session_der_len(strict);

    if (ours_len <= 0 || ours_len != theirs_len || memcmp(ours, theirs, (size_t)ours_len) != 0) {
        problem = "both read the same fields";
    } else if (len != (size_t)ours_len) {
        problem = "both write as many bytes";
    } else {
        written = OPENSSL_malloc(len);
        if (written != NULL) {
            session_der_write(strict, written, len);
            problem = memcmp(written, ours, len) == 0 ? NULL : "both write the same";
        }
    }
    OPENSSL_free(written);
    OPENSSL_free(ours);
    OPENSSL_free(theirs);
    return problem;
}

const char *session_readers_disagree(const uint8_t *data, size_t len, bool *taken)
{
    struct session_strings strings;
    struct peer_chain *peer;
    ENCODED_SESSION strict, *general;
    const unsigned char *at = data;
    const char *problem;
    size_t used;

    ERR_clear_error();
    *taken = session_der_read(&strict, &strings, &peer, &used, data, len);
    if (!*taken) {
        return peer == NULL && ERR_peek_error() == 0 ? NULL : "what is not taken leaves no trace";
    }
    strict.peer = peer_chain_look(peer, 0);
    general =
        (ENCODED_SESSION *)ASN1_item_d2i(NULL, &at, (long)len, ASN1_ITEM_rptr(ENCODED_SESSION));
    if (general == NULL || at != data + used) {
        problem = "libcrypto takes as much of what the strict reader takes";
    } else {
        problem = compare(&strict, general);
    }
    ASN1_item_free((ASN1_VALUE *)general, ASN1_ITEM_rptr(ENCODED_SESSION));
    peer_chain_free(peer);
    ERR_clear_error();
    return problem;
}
