/* The other side on wolfSSL. */
#include "other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>
#include <wolfssl/wolfcrypt/dh.h>

static struct {
    WOLFSSL_CTX *ctx;
    WOLFSSL *ssl;
} it;

static const struct {
    const char *name;
    word16 id;
} GROUPS[] = { { "P-256", WOLFSSL_ECC_SECP256R1 },     { "P-384", WOLFSSL_ECC_SECP384R1 },
               { "P-521", WOLFSSL_ECC_SECP521R1 },     { "X25519", WOLFSSL_ECC_X25519 },
               { "X448", WOLFSSL_ECC_X448 },           { "ffdhe2048", WOLFSSL_FFDHE_2048 },
               { "ffdhe3072", WOLFSSL_FFDHE_2048 + 1 } };

#define NUM_GROUPS (sizeof(GROUPS) / sizeof(GROUPS[0]))

static void list(void)
{
    static char names[16384];

    require(wolfSSL_get_ciphers_iana(names, sizeof(names)) == WOLFSSL_SUCCESS, "no suites", 0);
    for (const char *name = strtok(names, ":"); name != NULL; name = strtok(NULL, ":")) {
        printf("suite %s\n", name);
    }
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        printf("group %s\n", GROUPS[i].name);
    }
}

static WOLFSSL_METHOD *method_of(const struct options *set)
{
    if (strcmp(set->version, "1.2") == 0) {
        return set->server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
    }
    if (strcmp(set->version, "1.3") == 0) {
        return set->server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
    }
    return set->server ? wolfSSLv23_server_method() : wolfSSLv23_client_method();
}

static void load_files(const struct options *set)
{
    if (set->cert != NULL &&
        (wolfSSL_CTX_use_certificate_chain_file(it.ctx, set->cert) != WOLFSSL_SUCCESS ||
         wolfSSL_CTX_use_PrivateKey_file(it.ctx, set->key, WOLFSSL_FILETYPE_PEM) !=
             WOLFSSL_SUCCESS)) {
        fail(2, "the certificate or its key cannot be used", 0);
    }
    wolfSSL_CTX_set_verify(it.ctx, WOLFSSL_VERIFY_NONE, NULL);
    if (set->ca == NULL) {
        return;
    }
    if (wolfSSL_CTX_load_verify_locations(it.ctx, set->ca, NULL) != WOLFSSL_SUCCESS) {
        fail(2, "the file of trusted certificates cannot be used", 0);
    }
    if (!set->server || set->verify_client) {
        wolfSSL_CTX_set_verify(it.ctx, WOLFSSL_VERIFY_PEER | WOLFSSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                               NULL);
    }
}

static void configure(const struct options *set)
{
    if (set->suite != 0) {
        require(wolfSSL_CTX_set_cipher_list(it.ctx, set->suite_name) == WOLFSSL_SUCCESS,
                "the suite is refused", set->suite);
        if (strstr(set->suite_name, "_anon_") != NULL) {
            wolfSSL_CTX_allow_anon_cipher(it.ctx);
        }
    }
    if (set->server) {
        const DhParams *dh = wc_Dh_ffdhe2048_Get();

        require(wolfSSL_CTX_SetTmpDH(it.ctx, dh->p, (int)dh->p_len, dh->g, (int)dh->g_len) ==
                    WOLFSSL_SUCCESS,
                "no parameters for DHE", 0);
    }
    wolfSSL_CTX_AllowEncryptThenMac(it.ctx, !set->no_etm);
    for (size_t i = 0; set->group != NULL && i < NUM_GROUPS; i++) {
        if (strcmp(set->group, GROUPS[i].name) == 0) {
            require(wolfSSL_CTX_UseSupportedCurve(it.ctx, GROUPS[i].id) == WOLFSSL_SUCCESS,
                    "the group is refused", GROUPS[i].id);
        }
    }
    load_files(set);
}

static void open_connection(const struct options *set, int fd)
{
    int done;

    require(wolfSSL_Init() == WOLFSSL_SUCCESS, "no library", 0);
    it.ctx = wolfSSL_CTX_new(method_of(set));
    require(it.ctx != NULL, "no context", 0);
    configure(set);
    it.ssl = wolfSSL_new(it.ctx);
    require(it.ssl != NULL && wolfSSL_set_fd(it.ssl, fd) == WOLFSSL_SUCCESS, "no connection", 0);
    if (set->sni != NULL) {
        require(wolfSSL_UseSNI(it.ssl, WOLFSSL_SNI_HOST_NAME, set->sni,
                               (unsigned short)strlen(set->sni)) == WOLFSSL_SUCCESS &&
                    wolfSSL_check_domain_name(it.ssl, set->sni) == WOLFSSL_SUCCESS,
                "the server's name is refused", 0);
    }
    if (set->alpn != NULL) {
        require(wolfSSL_UseALPN(it.ssl, (char *)(uintptr_t)set->alpn,
                                (unsigned int)strlen(set->alpn),
                                WOLFSSL_ALPN_FAILED_ON_MISMATCH) == WOLFSSL_SUCCESS,
                "no ALPN", 0);
    }
    done = set->server ? wolfSSL_accept(it.ssl) : wolfSSL_connect(it.ssl);
    require(done == WOLFSSL_SUCCESS, "the handshake failed", wolfSSL_get_error(it.ssl, done));
}

static size_t read_some(uint8_t *data, size_t cap)
{
    int got = wolfSSL_read(it.ssl, data, (int)cap);
    int error;

    if (got > 0) {
        return (size_t)got;
    }
    error = wolfSSL_get_error(it.ssl, got);
    require(error == WOLFSSL_ERROR_ZERO_RETURN, "reading failed", error);
    return 0;
}

static void write_all(const uint8_t *data, size_t len)
{
    int put = wolfSSL_write(it.ssl, data, (int)len);

    require(put == (int)len, "writing failed", wolfSSL_get_error(it.ssl, put));
}

static void close_connection(void)
{
    int done = wolfSSL_shutdown(it.ssl);

    require(done >= 0 || done == WOLFSSL_SHUTDOWN_NOT_DONE, "closing failed",
            wolfSSL_get_error(it.ssl, done));
}

static void tell(struct facts *facts)
{
    WOLFSSL_X509 *peer = wolfSSL_get_peer_certificate(it.ssl);
    void *sni = NULL;
    unsigned short sni_len = wolfSSL_SNI_GetRequest(it.ssl, WOLFSSL_SNI_HOST_NAME, &sni);
    char *alpn = NULL;
    unsigned short alpn_len = 0;

    snprintf(facts->sni, sizeof(facts->sni), "%.*s", sni_len, sni_len == 0 ? "" : (char *)sni);
    if (wolfSSL_ALPN_GetProtocol(it.ssl, &alpn, &alpn_len) == WOLFSSL_SUCCESS) {
        snprintf(facts->alpn, sizeof(facts->alpn), "%.*s", alpn_len, alpn);
    }
    if (peer != NULL) {
        wolfSSL_X509_NAME_get_text_by_NID(wolfSSL_X509_get_subject_name(peer), NID_commonName,
                                          facts->peer, sizeof(facts->peer));
    }
}

const struct library library = {
    list, open_connection, read_some, write_all, close_connection, tell
};
