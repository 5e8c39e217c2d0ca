/*
 * Question "peers" on OpenSSL's API, for Tenon and the system's libssl.
 */
#include "harness.h"
#include "peers/peer.h"

#include <stdio.h>
#include <string.h>

static SSL_CTX *contexts[2]; /* client, server */

static const char *version(void)
{
    bench_begin(false);
    return OpenSSL_version(OPENSSL_VERSION);
}

static bool set_up(enum peer_version version, const struct peer_files *files)
{
    const char *suite =
        version == PEER_TLS13 ? "TLS_AES_128_GCM_SHA256" : "ECDHE-ECDSA-AES128-GCM-SHA256";

    contexts[0] = context_make(false, NULL, NULL, suite);
    contexts[1] = context_make(true, NULL, NULL, suite);
    require(SSL_CTX_load_verify_file(contexts[0], files->root) == 1 &&
                SSL_CTX_use_certificate_chain_file(contexts[1], files->chain) == 1 &&
                SSL_CTX_use_PrivateKey_file(contexts[1], files->key, SSL_FILETYPE_PEM) == 1 &&
                SSL_CTX_set_num_tickets(contexts[1], 0) == 1,
            "contexts");
    SSL_CTX_set_options(contexts[1], SSL_OP_NO_TICKET);
    SSL_CTX_set_verify(contexts[0], SSL_VERIFY_PEER, NULL);
    return true;
}

static void *open_side(bool server, struct peer_wire *wire)
{
    SSL *s = SSL_new(contexts[server ? 1 : 0]);

    require(s != NULL, "SSL_new");
    BIO *bio = flat_new(wire->in, wire->out);
    SSL_set_bio(s, bio, bio);
    if (server) {
        SSL_set_accept_state(s);
    } else {
        SSL_set_connect_state(s);
        require(SSL_set_tlsext_host_name(s, PEER_HOST) == 1 && SSL_set1_host(s, PEER_HOST) == 1,
                "host name");
    }
    return s;
}

static bool handshake(void *side)
{
    int result = SSL_do_handshake(side);

    require(result == 1 || SSL_get_error(side, result) == SSL_ERROR_WANT_READ, "SSL_do_handshake");
    return result == 1;
}

static void write_data(void *side, const uint8_t *data, size_t len)
{
    write_all(side, data, len);
}

static size_t read_data(void *side, uint8_t *data, size_t len)
{
    size_t got = 0;

    require(SSL_read_ex(side, data, len, &got) == 1, "SSL_read_ex");
    return got;
}

static void close_side(void *side)
{
    SSL_free(side);
}

const struct peer peer = {
    version, set_up, open_side, handshake, write_data, read_data, close_side
};
