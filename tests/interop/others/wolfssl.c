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
    WOLFSSL_SESSION *session; /* of a client's last connection */
    char asked_name[256];
    char peer_name[128];
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
    if (strcmp(set->version, "1.1") == 0) {
        return set->server ? wolfTLSv1_1_server_method() : wolfTLSv1_1_client_method();
    }
    if (strcmp(set->version, "1.2") == 0) {
        return set->server ? wolfTLSv1_2_server_method() : wolfTLSv1_2_client_method();
    }
    if (strcmp(set->version, "1.3") == 0) {
        return set->server ? wolfTLSv1_3_server_method() : wolfTLSv1_3_client_method();
    }
    return set->server ? wolfSSLv23_server_method() : wolfSSLv23_client_method();
}

/* Keeps the name of the other side; there is no X509 object for every kind of key. */
static int on_certificate(int ok, WOLFSSL_X509_STORE_CTX *store)
{
    if (store->error_depth == 0 && store->domain != NULL) {
        snprintf(it.peer_name, sizeof(it.peer_name), "%s", store->domain);
    }
    return ok;
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
                               on_certificate);
    }
}

static int on_server_name(WOLFSSL *ssl, int *alert, void *arg)
{
    const char *name = wolfSSL_get_servername(ssl, WOLFSSL_SNI_HOST_NAME);

    (void)alert;
    (void)arg;
    snprintf(it.asked_name, sizeof(it.asked_name), "%s", name != NULL ? name : "");
    return 0;
}

static const struct options *psk_options;

static unsigned int take_psk(unsigned char *key, unsigned int max)
{
    size_t len = strlen(psk_options->psk);

    require(len <= max, "the pre-shared key is too long", 0);
    memcpy(key, psk_options->psk, len);
    return (unsigned int)len;
}

static unsigned int on_psk_client(WOLFSSL *ssl, const char *hint, char *identity,
                                  unsigned int max_identity, unsigned char *key, unsigned int max)
{
    (void)ssl;
    (void)hint;
    snprintf(identity, max_identity, "%s", psk_options->psk_identity);
    return take_psk(key, max);
}

static unsigned int on_psk_server(WOLFSSL *ssl, const char *identity, unsigned char *key,
                                  unsigned int max)
{
    (void)ssl;
    return strcmp(identity, psk_options->psk_identity) == 0 ? take_psk(key, max) : 0;
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
    if (set->psk != NULL) {
        psk_options = set;
        wolfSSL_CTX_set_psk_client_callback(it.ctx, on_psk_client);
        wolfSSL_CTX_set_psk_server_callback(it.ctx, on_psk_server);
        if (set->server) {
            require(wolfSSL_CTX_use_psk_identity_hint(it.ctx, "a hint") == WOLFSSL_SUCCESS,
                    "the hint is refused", 0);
        }
    }
    if (set->server) {
        const DhParams *dh = wc_Dh_ffdhe2048_Get();

        wolfSSL_CTX_set_servername_callback(it.ctx, on_server_name);
        require(wolfSSL_CTX_SetTmpDH(it.ctx, dh->p, (int)dh->p_len, dh->g, (int)dh->g_len) ==
                    WOLFSSL_SUCCESS,
                "no parameters for DHE", 0);
    }
    wolfSSL_CTX_AllowEncryptThenMac(it.ctx, !set->no_etm);
    if (!set->server && set->connections > 1) {
        require(wolfSSL_CTX_UseSessionTicket(it.ctx) == WOLFSSL_SUCCESS, "no tickets", 0);
    }
    load_files(set);
}

/* A client's list and, in TLS 1.3, its first share; a server has a list in TLS 1.3 alone. */
static void set_group(const struct options *set)
{
    bool tls13 = strcmp(set->version, "1.3") == 0;
    bool done = true;

    for (size_t i = 0; set->group != NULL && i < NUM_GROUPS; i++) {
        int id = GROUPS[i].id;

        if (strcmp(set->group, GROUPS[i].name) != 0) {
            continue;
        }
        if (!set->server) {
            done = wolfSSL_UseSupportedCurve(it.ssl, GROUPS[i].id) == WOLFSSL_SUCCESS;
        }
        if (tls13 && done) {
            done = wolfSSL_set_groups(it.ssl, &id, 1) == WOLFSSL_SUCCESS &&
                   (set->server || wolfSSL_UseKeyShare(it.ssl, GROUPS[i].id) == WOLFSSL_SUCCESS);
        }
        require(done, "the group is refused", id);
    }
}

static void start(const struct options *set)
{
    require(wolfSSL_Init() == WOLFSSL_SUCCESS, "no library", 0);
    it.ctx = wolfSSL_CTX_new(method_of(set));
    require(it.ctx != NULL, "no context", 0);
    configure(set);
}

static void open_connection(const struct options *set, int fd)
{
    int done;

    it.asked_name[0] = it.peer_name[0] = '\0';
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
    set_group(set);
    require(it.session == NULL || wolfSSL_set_session(it.ssl, it.session) == WOLFSSL_SUCCESS,
            "the session is refused", 0);
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
    char *alpn = NULL;
    unsigned short alpn_len = 0;

    snprintf(facts->sni, sizeof(facts->sni), "%s", it.asked_name);
    if (wolfSSL_ALPN_GetProtocol(it.ssl, &alpn, &alpn_len) == WOLFSSL_SUCCESS) {
        snprintf(facts->alpn, sizeof(facts->alpn), "%.*s", alpn_len, alpn);
    }
    snprintf(facts->peer, sizeof(facts->peer), "%s", it.peer_name);
    facts->resumed = wolfSSL_session_reused(it.ssl) != 0;
}

static void forget(const struct options *set)
{
    if (!set->server) {
        wolfSSL_SESSION_free(it.session);
        it.session = wolfSSL_get1_session(it.ssl);
        require(it.session != NULL, "no session", 0);
    }
    wolfSSL_free(it.ssl);
}

const struct library library = { list,      start,     open_connection,
                                 read_some, write_all, close_connection,
                                 tell,      forget };
