/* The other side on mbedTLS 2.28. */
#include "other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/debug.h>
#include <mbedtls/ecp.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/net_sockets.h>
#include <mbedtls/pk.h>
#include <mbedtls/ssl.h>
#include <mbedtls/ssl_cache.h>
#include <mbedtls/ssl_ticket.h>
#include <mbedtls/x509_crt.h>

static struct {
    mbedtls_entropy_context entropy;
    mbedtls_ctr_drbg_context random;
    mbedtls_ssl_config config;
    mbedtls_ssl_context ssl;
    mbedtls_x509_crt chain;
    mbedtls_x509_crt trusted;
    mbedtls_pk_context key;
    mbedtls_net_context socket;
    mbedtls_ssl_cache_context cache;
    mbedtls_ssl_ticket_context tickets;
    mbedtls_ssl_session session;   /* of a client's last connection */
    unsigned char last_master[48]; /* the secret of the last connection's session */
    int suites[2];
    mbedtls_ecp_group_id groups[2];
    const char *protocols[2];
    char asked_name[256];
} it;

static const struct {
    const char *name;
    mbedtls_ecp_group_id id;
} GROUPS[] = { { "P-256", MBEDTLS_ECP_DP_SECP256R1 },
               { "P-384", MBEDTLS_ECP_DP_SECP384R1 },
               { "P-521", MBEDTLS_ECP_DP_SECP521R1 },
               { "X25519", MBEDTLS_ECP_DP_CURVE25519 } };

#define NUM_GROUPS (sizeof(GROUPS) / sizeof(GROUPS[0]))

static void list(void)
{
    for (const int *id = mbedtls_ssl_list_ciphersuites(); *id != 0; id++) {
        printf("suite %04x\n", (unsigned int)*id);
    }
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        printf("group %s\n", GROUPS[i].name);
    }
}

static int on_server_name(void *arg, mbedtls_ssl_context *ssl, const unsigned char *name,
                          size_t len)
{
    (void)arg;
    (void)ssl;
    snprintf(it.asked_name, sizeof(it.asked_name), "%.*s", (int)len, (const char *)name);
    return 0;
}

static void load_files(const struct options *set)
{
    if (set->cert != NULL) {
        int error = mbedtls_x509_crt_parse_file(&it.chain, set->cert);

        error = error != 0 ? error : mbedtls_pk_parse_keyfile(&it.key, set->key, NULL);
        error = error != 0 ? error : mbedtls_ssl_conf_own_cert(&it.config, &it.chain, &it.key);
        if (error != 0) {
            fail(2, "the certificate or its key cannot be used", error);
        }
    }
    mbedtls_ssl_conf_authmode(&it.config, MBEDTLS_SSL_VERIFY_NONE);
    if (set->ca != NULL) {
        int error = mbedtls_x509_crt_parse_file(&it.trusted, set->ca);

        if (error != 0) {
            fail(2, "the file of trusted certificates cannot be used", error);
        }
        mbedtls_ssl_conf_ca_chain(&it.config, &it.trusted, NULL);
        if (!set->server || set->verify_client) {
            mbedtls_ssl_conf_authmode(&it.config, MBEDTLS_SSL_VERIFY_REQUIRED);
        }
    }
}

/* What a server keeps sessions in, and seals tickets with. */
static void set_sessions(void)
{
    int error;

    mbedtls_ssl_cache_init(&it.cache);
    mbedtls_ssl_conf_session_cache(&it.config, &it.cache, mbedtls_ssl_cache_get,
                                   mbedtls_ssl_cache_set);
    mbedtls_ssl_ticket_init(&it.tickets);
    error = mbedtls_ssl_ticket_setup(&it.tickets, mbedtls_ctr_drbg_random, &it.random,
                                     MBEDTLS_CIPHER_AES_256_GCM, 3600);
    require(error == 0, "no tickets", error);
    mbedtls_ssl_conf_session_tickets_cb(&it.config, mbedtls_ssl_ticket_write,
                                        mbedtls_ssl_ticket_parse, &it.tickets);
}

static void configure(const struct options *set)
{
    int error = mbedtls_ssl_config_defaults(
        &it.config, set->server ? MBEDTLS_SSL_IS_SERVER : MBEDTLS_SSL_IS_CLIENT,
        MBEDTLS_SSL_TRANSPORT_STREAM, MBEDTLS_SSL_PRESET_DEFAULT);

    int minor = strcmp(set->version, "1.0") == 0   ? MBEDTLS_SSL_MINOR_VERSION_1
                : strcmp(set->version, "1.1") == 0 ? MBEDTLS_SSL_MINOR_VERSION_2
                                                   : MBEDTLS_SSL_MINOR_VERSION_3;

    require(error == 0, "no configuration", error);
    mbedtls_ssl_conf_rng(&it.config, mbedtls_ctr_drbg_random, &it.random);
    mbedtls_ssl_conf_min_version(&it.config, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
    mbedtls_ssl_conf_max_version(&it.config, MBEDTLS_SSL_MAJOR_VERSION_3, minor);
    mbedtls_ssl_conf_encrypt_then_mac(&it.config, set->no_etm ? MBEDTLS_SSL_ETM_DISABLED
                                                              : MBEDTLS_SSL_ETM_ENABLED);
    mbedtls_ssl_conf_renegotiation(&it.config, MBEDTLS_SSL_RENEGOTIATION_ENABLED);
    if (set->suite != 0) {
        it.suites[0] = set->suite;
        mbedtls_ssl_conf_ciphersuites(&it.config, it.suites);
    }
    for (size_t i = 0; set->group != NULL && i < NUM_GROUPS; i++) {
        if (strcmp(set->group, GROUPS[i].name) == 0) {
            it.groups[0] = GROUPS[i].id;
            mbedtls_ssl_conf_curves(&it.config, it.groups);
        }
    }
    if (set->alpn != NULL) {
        it.protocols[0] = set->alpn;
        require(mbedtls_ssl_conf_alpn_protocols(&it.config, it.protocols) == 0, "no ALPN", 0);
    }
    if (set->server) {
        mbedtls_ssl_conf_sni(&it.config, on_server_name, NULL);
    }
    if (set->psk != NULL) {
        error = mbedtls_ssl_conf_psk(&it.config, (const unsigned char *)set->psk, strlen(set->psk),
                                     (const unsigned char *)set->psk_identity,
                                     strlen(set->psk_identity));
        require(error == 0, "the pre-shared key is refused", error);
    }
    load_files(set);
    if (set->server && set->connections > 1) {
        set_sessions();
    }
}

static void start(const struct options *set)
{
    int error;

    mbedtls_entropy_init(&it.entropy);
    mbedtls_ctr_drbg_init(&it.random);
    mbedtls_ssl_config_init(&it.config);
    mbedtls_ssl_session_init(&it.session);
    mbedtls_x509_crt_init(&it.chain);
    mbedtls_x509_crt_init(&it.trusted);
    mbedtls_pk_init(&it.key);
    error = mbedtls_ctr_drbg_seed(&it.random, mbedtls_entropy_func, &it.entropy, NULL, 0);
    require(error == 0, "no randomness", error);
    configure(set);
}

static void open_connection(const struct options *set, int fd)
{
    int error;

    it.asked_name[0] = '\0';
    mbedtls_ssl_init(&it.ssl);
    error = mbedtls_ssl_setup(&it.ssl, &it.config);
    require(error == 0, "no connection", error);
    if (set->sni != NULL) {
        error = mbedtls_ssl_set_hostname(&it.ssl, set->sni);
        require(error == 0, "the server's name is refused", error);
    }
    if (it.session.start != 0) {
        error = mbedtls_ssl_set_session(&it.ssl, &it.session);
        require(error == 0, "the session is refused", error);
    }
    it.socket.fd = fd;
    mbedtls_ssl_set_bio(&it.ssl, &it.socket, mbedtls_net_send, mbedtls_net_recv, NULL);
    error = mbedtls_ssl_handshake(&it.ssl);
    require(error == 0, "the handshake failed", error);
}

static size_t read_some(uint8_t *data, size_t cap)
{
    int got;

    /* A renegotiation makes it come back without data. */
    do {
        got = mbedtls_ssl_read(&it.ssl, data, cap);
    } while (got == MBEDTLS_ERR_SSL_WANT_READ || got == MBEDTLS_ERR_SSL_WANT_WRITE);
    if (got == MBEDTLS_ERR_SSL_PEER_CLOSE_NOTIFY) {
        return 0;
    }
    require(got > 0, "reading failed", got);
    return (size_t)got;
}

static void write_all(const uint8_t *data, size_t len)
{
    while (len > 0) {
        int put = mbedtls_ssl_write(&it.ssl, data, len);

        require(put > 0, "writing failed", put);
        data += put;
        len -= (size_t)put;
    }
}

static void close_connection(void)
{
    int error = mbedtls_ssl_close_notify(&it.ssl);

    require(error == 0, "closing failed", error);
}

static void tell(struct facts *facts)
{
    const mbedtls_x509_crt *peer = mbedtls_ssl_get_peer_cert(&it.ssl);
    const char *alpn = mbedtls_ssl_get_alpn_protocol(&it.ssl);

    snprintf(facts->sni, sizeof(facts->sni), "%s", it.asked_name);
    snprintf(facts->alpn, sizeof(facts->alpn), "%s", alpn != NULL ? alpn : "");
    for (const mbedtls_x509_name *at = peer != NULL ? &peer->subject : NULL; at != NULL;
         at = at->next) {
        snprintf(facts->peer, sizeof(facts->peer), "%.*s", (int)at->val.len,
                 (const char *)at->val.p);
    }
    /* It has no function that tells: the connection is resumed when it has the last one's secret.
     */
    facts->resumed = memcmp(it.ssl.session->master, it.last_master, sizeof(it.last_master)) == 0;
    memcpy(it.last_master, it.ssl.session->master, sizeof(it.last_master));
}

static void forget(const struct options *set)
{
    if (!set->server) {
        int error;

        mbedtls_ssl_session_free(&it.session);
        error = mbedtls_ssl_get_session(&it.ssl, &it.session);
        require(error == 0, "no session", error);
    }
    mbedtls_ssl_free(&it.ssl);
}

const struct library library = { list,      start,     open_connection,
                                 read_some, write_all, close_connection,
                                 tell,      forget };
