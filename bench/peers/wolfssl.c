/*
 * Question "peers" on wolfSSL.
 */
#include "peers/peer.h"

#include <wolfssl/options.h>

#include <string.h>
#include <wolfssl/ssl.h>

static WOLFSSL_CTX *contexts[2]; /* client, server */
static bool is_tls13;

static const char *version(void)
{
    return wolfSSL_lib_version();
}

static int receive(WOLFSSL *ssl, char *data, int len, void *wire)
{
    size_t got = pipe_take(((struct peer_wire *)wire)->in, data, (size_t)len);

    (void)ssl;
    return got == 0 ? WOLFSSL_CBIO_ERR_WANT_READ : (int)got;
}

static int emit(WOLFSSL *ssl, char *data, int len, void *wire)
{
    (void)ssl;
    pipe_put(((struct peer_wire *)wire)->out, data, (size_t)len);
    return len;
}

static WOLFSSL_CTX *context_of(WOLFSSL_METHOD *method, const char *suite)
{
    WOLFSSL_CTX *ctx = wolfSSL_CTX_new(method);

    require(ctx != NULL && wolfSSL_CTX_set_cipher_list(ctx, suite) == WOLFSSL_SUCCESS, "context");
    wolfSSL_CTX_SetIORecv(ctx, receive);
    wolfSSL_CTX_SetIOSend(ctx, emit);
    return ctx;
}

static bool set_up(enum peer_version version, const struct peer_files *files)
{
    is_tls13 = version == PEER_TLS13;
    require(wolfSSL_Init() == WOLFSSL_SUCCESS, "wolfSSL_Init");
    if (is_tls13) {
        contexts[0] = context_of(wolfTLSv1_3_client_method(), "TLS13-AES128-GCM-SHA256");
        contexts[1] = context_of(wolfTLSv1_3_server_method(), "TLS13-AES128-GCM-SHA256");
        require(wolfSSL_CTX_no_ticket_TLSv13(contexts[1]) == 0, "no tickets");
    } else {
        contexts[0] = context_of(wolfTLSv1_2_client_method(), "ECDHE-ECDSA-AES128-GCM-SHA256");
        contexts[1] = context_of(wolfTLSv1_2_server_method(), "ECDHE-ECDSA-AES128-GCM-SHA256");
    }
    require(wolfSSL_CTX_load_verify_locations(contexts[0], files->root, NULL) == WOLFSSL_SUCCESS &&
                wolfSSL_CTX_use_certificate_chain_file(contexts[1], files->chain) ==
                    WOLFSSL_SUCCESS &&
                wolfSSL_CTX_use_PrivateKey_file(contexts[1], files->key, WOLFSSL_FILETYPE_PEM) ==
                    WOLFSSL_SUCCESS,
            "certificates");
    wolfSSL_CTX_set_verify(contexts[0], WOLFSSL_VERIFY_PEER, NULL);
    wolfSSL_CTX_set_verify(contexts[1], WOLFSSL_VERIFY_NONE, NULL);
    return true;
}

static void *open_side(bool server, struct peer_wire *wire)
{
    WOLFSSL *ssl = wolfSSL_new(contexts[server ? 1 : 0]);

    require(ssl != NULL, "wolfSSL_new");
    wolfSSL_SetIOReadCtx(ssl, wire);
    wolfSSL_SetIOWriteCtx(ssl, wire);
    if (server) {
        wolfSSL_set_accept_state(ssl);
        return ssl;
    }
    wolfSSL_set_connect_state(ssl);
    require(
        wolfSSL_UseSNI(ssl, WOLFSSL_SNI_HOST_NAME, PEER_HOST, (unsigned short)strlen(PEER_HOST)) ==
                WOLFSSL_SUCCESS &&
            wolfSSL_check_domain_name(ssl, PEER_HOST) == WOLFSSL_SUCCESS &&
            wolfSSL_UseSupportedCurve(ssl, WOLFSSL_ECC_X25519) == WOLFSSL_SUCCESS &&
            (is_tls13 ? wolfSSL_UseKeyShare(ssl, WOLFSSL_ECC_X25519)
                      : wolfSSL_UseSupportedCurve(ssl, WOLFSSL_ECC_SECP256R1)) == WOLFSSL_SUCCESS,
        "client");
    return ssl;
}

static bool handshake(void *side)
{
    int result = wolfSSL_is_server(side) ? wolfSSL_accept(side) : wolfSSL_connect(side);
    int error = wolfSSL_get_error(side, result);

    require(result == WOLFSSL_SUCCESS || error == WOLFSSL_ERROR_WANT_READ,
            wolfSSL_ERR_reason_error_string((unsigned long)error));
    return result == WOLFSSL_SUCCESS;
}

static void write_data(void *side, const uint8_t *data, size_t len)
{
    require(wolfSSL_write(side, data, (int)len) == (int)len, "wolfSSL_write");
}

static size_t read_data(void *side, uint8_t *data, size_t len)
{
    int got = wolfSSL_read(side, data, (int)len);

    require(got > 0, "wolfSSL_read");
    return (size_t)got;
}

static void close_side(void *side)
{
    wolfSSL_free(side);
}

const struct peer peer = {
    version, set_up, open_side, handshake, write_data, read_data, close_side
};
