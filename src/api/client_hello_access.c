/*
 * What a client hello callback may look at: SSL_client_hello_isv2(3) and its family. Outside that
 * callback there is nothing to see, as in OpenSSL. And SSL_select_next_proto(3), which servers call
 * in their ALPN callback.
 */
#include "api/internal.h"

#include "handshake/ext/extensions.h"
#include "handshake/handshake.h"

#include <openssl/err.h>
#include <string.h>

/* The ClientHello while its callback runs; NULL otherwise. */
static const struct client_hello *visible_hello(const SSL *s)
{
    return s->in_client_hello_cb && s->conn.hs != NULL ? s->conn.hs->hello : NULL;
}

int SSL_client_hello_isv2(SSL *s)
{
    const struct client_hello *hello = visible_hello(s);

    return hello != NULL && hello->is_v2;
}

unsigned int SSL_client_hello_get0_legacy_version(SSL *s)
{
    const struct client_hello *hello = visible_hello(s);

    return hello == NULL ? 0 : hello->legacy_version;
}

static size_t give(const unsigned char **out, const uint8_t *bytes, size_t len)
{
    if (out != NULL) {
        *out = bytes;
    }
    return len;
}

size_t SSL_client_hello_get0_random(SSL *s, const unsigned char **out)
{
    const struct client_hello *hello = visible_hello(s);

    return hello == NULL ? 0 : give(out, hello->random, RANDOM_LEN);
}

size_t SSL_client_hello_get0_session_id(SSL *s, const unsigned char **out)
{
    const struct client_hello *hello = visible_hello(s);

    return hello == NULL ? 0 : give(out, hello->session_id.at, hello->session_id.left);
}

size_t SSL_client_hello_get0_ciphers(SSL *s, const unsigned char **out)
{
    const struct client_hello *hello = visible_hello(s);

    if (hello == NULL) {
        return 0;
    }
    const struct reader *suites = hello->is_v2 ? &hello->v2_suites : &hello->suites;
    return give(out, suites->at, suites->left);
}

size_t SSL_client_hello_get0_compression_methods(SSL *s, const unsigned char **out)
{
    const struct client_hello *hello = visible_hello(s);

    return hello == NULL ? 0 : give(out, hello->compressions.at, hello->compressions.left);
}

/* The types in the order they came; the caller frees *out with OPENSSL_free(). */
int SSL_client_hello_get1_extensions_present(SSL *s, int **out, size_t *outlen)
{
    const struct client_hello *hello = visible_hello(s);

    if (hello == NULL || out == NULL || outlen == NULL) {
        return 0;
    }
    *out = NULL;
    *outlen = hello->num_extensions;
    if (hello->num_extensions == 0) {
        return 1;
    }
    int *types = OPENSSL_malloc(hello->num_extensions * sizeof *types);
    if (types == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    for (size_t i = 0; i < hello->num_extensions; i++) {
        types[i] = hello->extensions[i].type;
    }
    *out = types;
    return 1;
}

int SSL_client_hello_get0_ext(SSL *s, unsigned int type, const unsigned char **out, size_t *outlen)
{
    const struct client_hello *hello = visible_hello(s);

    for (size_t i = 0; hello != NULL && i < hello->num_extensions; i++) {
        const struct raw_extension *e = &hello->extensions[i];
        if (e->type == type) {
            if (out != NULL) {
                *out = e->body.at;
            }
            if (outlen != NULL) {
                *outlen = e->body.left;
            }
            return 1;
        }
    }
    return 0;
}

/* The first name of the server's list that the client has too; else the client's first, and
 * OPENSSL_NPN_NO_OVERLAP. An empty or malformed client list gives nothing at all (CVE-2024-5535).
 */
int SSL_select_next_proto(unsigned char **out, unsigned char *outlen, const unsigned char *server,
                          unsigned int server_len, const unsigned char *client,
                          unsigned int client_len)
{
    struct reader offers = reader_of(client, client_len);
    struct reader wishes = reader_of(server, server_len);
    struct reader first;
    struct reader wish;

    *out = NULL;
    *outlen = 0;
    if (!alpn_is_protocol_list(offers) || !reader_vec8(&offers, &first)) {
        return OPENSSL_NPN_NO_OVERLAP;
    }
    /* The interface is not const although nothing is written through it. */
    *out = (unsigned char *)(uintptr_t)first.at;
    *outlen = (unsigned char)first.left;
    if (!alpn_is_protocol_list(wishes)) {
        return OPENSSL_NPN_NO_OVERLAP;
    }
    while (reader_vec8(&wishes, &wish)) {
        struct reader name;
        offers = reader_of(client, client_len);
        while (reader_vec8(&offers, &name)) {
            if (reader_equals(&name, wish.at, wish.left)) {
                *out = (unsigned char *)(uintptr_t)wish.at;
                *outlen = (unsigned char)wish.left;
                return OPENSSL_NPN_NEGOTIATED;
            }
        }
    }
    return OPENSSL_NPN_NO_OVERLAP;
}
