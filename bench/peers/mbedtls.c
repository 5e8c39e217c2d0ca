/*
 * Question "peers" on mbedTLS 2.28, which has no TLS 1.3.
 */
#include "peers/peer.h"

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/ssl.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crt.h>
#include <stdlib.h>

static const int suites[] = { MBEDTLS_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, 0 };
static const mbedtls_ecp_group_id groups[] = { MBEDTLS_ECP_DP_CURVE25519, MBEDTLS_ECP_DP_SECP256R1,
                                               MBEDTLS_ECP_DP_NONE };

static mbedtls_entropy_context entropy;
static mbedtls_ctr_drbg_context random_source;
static mbedtls_ssl_config configs[2]; /* client, server */
static mbedtls_x509_crt chain, root;
static mbedtls_pk_context key;

static const char *version(void)
{
    static char words[18];

    mbedtls_version_get_string(words);
    return words;
}

static void configure(mbedtls_ssl_config *config, int role)
{
    mbedtls_ssl_config_init(config);
    require(mbedtls_ssl_config_defaults(config, role, MBEDTLS_SSL_TRANSPORT_STREAM,
                                        MBEDTLS_SSL_PRESET_DEFAULT) == 0,
            "configuration");
    mbedtls_ssl_conf_rng(config, mbedtls_ctr_drbg_random, &random_source);
    mbedtls_ssl_conf_ciphersuites(config, suites);
    mbedtls_ssl_conf_curves(config, groups);
}

static bool set_up(enum peer_version version, const struct peer_files *files)
{
    if (version == PEER_TLS13) {
        return false;
    }
    mbedtls_entropy_init(&entropy);
    mbedtls_ctr_drbg_init(&random_source);
    mbedtls_x509_crt_init(&chain);
    mbedtls_x509_crt_init(&root);
    mbedtls_pk_init(&key);
    require(mbedtls_ctr_drbg_seed(&random_source, mbedtls_entropy_func, &entropy, NULL, 0) == 0 &&
                mbedtls_x509_crt_parse_file(&chain, files->chain) == 0 &&
                mbedtls_x509_crt_parse_file(&root, files->root) == 0 &&
                mbedtls_pk_parse_keyfile(&key, files->key, NULL) == 0,
            "certificates");
    configure(&configs[0], MBEDTLS_SSL_IS_CLIENT);
    configure(&configs[1], MBEDTLS_SSL_IS_SERVER);
    mbedtls_ssl_conf_authmode(&configs[0], MBEDTLS_SSL_VERIFY_REQUIRED);
    mbedtls_ssl_conf_ca_chain(&configs[0], &root, NULL);
    require(mbedtls_ssl_conf_own_cert(&configs[1], &chain, &key) == 0, "own certificate");
    return true;
}

static int emit(void *wire, const unsigned char *data, size_t len)
{
    pipe_put(((struct peer_wire *)wire)->out, data, len);
    return (int)len;
}

static int receive(void *wire, unsigned char *data, size_t len)
{
    size_t got = pipe_take(((struct peer_wire *)wire)->in, data, len);

    return got == 0 ? MBEDTLS_ERR_SSL_WANT_READ : (int)got;
}

static void *open_side(bool server, struct peer_wire *wire)
{
    mbedtls_ssl_context *ssl = malloc(sizeof *ssl);

    require(ssl != NULL, "malloc");
    mbedtls_ssl_init(ssl);
    require(mbedtls_ssl_setup(ssl, &configs[server ? 1 : 0]) == 0, "mbedtls_ssl_setup");
    require(server || mbedtls_ssl_set_hostname(ssl, PEER_HOST) == 0, "host name");
    mbedtls_ssl_set_bio(ssl, wire, emit, receive, NULL);
    return ssl;
}

static bool handshake(void *side)
{
    int result = mbedtls_ssl_handshake(side);

    require(result == 0 || result == MBEDTLS_ERR_SSL_WANT_READ, "mbedtls_ssl_handshake");
    return result == 0;
}

static void write_data(void *side, const uint8_t *data, size_t len)
{
    while (len > 0) {
        int put = mbedtls_ssl_write(side, data, len);
        require(put > 0, "mbedtls_ssl_write");
        data += put;
        len -= (size_t)put;
    }
}

static size_t read_data(void *side, uint8_t *data, size_t len)
{
    int got = mbedtls_ssl_read(side, data, len);

    require(got > 0, "mbedtls_ssl_read");
    return (size_t)got;
}

static void close_side(void *side)
{
    mbedtls_ssl_free(side);
    free(side);
}

const struct peer peer = {
    version, set_up, open_side, handshake, write_data, read_data, close_side
};
