/* The other side on BearSSL. */
#include "other.h"

#include <bearssl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const uint16_t SUITES[] = {
    BR_TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    BR_TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_CCM,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_CCM,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_CCM_8,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
    BR_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA384,
    BR_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,
    BR_TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA,
    BR_TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
    BR_TLS_ECDHE_ECDSA_WITH_AES_256_CBC_SHA,
    BR_TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA,
    BR_TLS_RSA_WITH_AES_128_GCM_SHA256,
    BR_TLS_RSA_WITH_AES_256_GCM_SHA384,
    BR_TLS_RSA_WITH_AES_128_CCM,
    BR_TLS_RSA_WITH_AES_256_CCM,
    BR_TLS_RSA_WITH_AES_128_CCM_8,
    BR_TLS_RSA_WITH_AES_256_CCM_8,
    BR_TLS_RSA_WITH_AES_128_CBC_SHA256,
    BR_TLS_RSA_WITH_AES_256_CBC_SHA256,
    BR_TLS_RSA_WITH_AES_128_CBC_SHA,
    BR_TLS_RSA_WITH_AES_256_CBC_SHA,
};

static const unsigned char OID_COMMON_NAME[] = { 3, 0x55, 4, 3 };

static struct {
    br_ssl_client_context client;
    br_ssl_server_context server;
    br_ssl_engine_context *engine; /* of one of the two */
    br_x509_minimal_context minimal;
    br_sslio_context io;
    br_skey_decoder_context key;
    br_x509_decoder_context trusted;
    br_x509_trust_anchor anchor;
    br_x509_certificate chain;
    uint8_t anchor_name[256];
    size_t anchor_name_len;
    uint8_t buffer[BR_SSL_BUFSIZE_BIDI];
    uint16_t suites[1];
    const char *protocols[1];
    br_ssl_session_cache_lru cache; /* of a server */
    unsigned char cached[2048];
    br_ssl_session_parameters session;
    unsigned char last_master[48]; /* the secret of the last connection's session */
    br_name_element name_element;
    char peer_name[128];
    int fd;
} it;

static void list(void)
{
    for (size_t i = 0; i < sizeof(SUITES) / sizeof(SUITES[0]); i++) {
        printf("suite %04x\n", SUITES[i]);
    }
}

/* ---- files ---- */

struct bytes {
    uint8_t *data;
    size_t len;
};

static void append(void *arg, const void *data, size_t len)
{
    struct bytes *bytes = arg;

    memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

/* The first object of a PEM file. */
static struct bytes read_pem(const char *name)
{
    br_pem_decoder_context decoder;
    struct bytes der = { 0 };
    size_t len;
    char *text = read_file(name, &len);
    const char *at = text;

    der.data = calloc(1, len);
    if (der.data == NULL) {
        fail(2, name, 0);
    }
    br_pem_decoder_init(&decoder);
    for (;;) {
        size_t taken = br_pem_decoder_push(&decoder, at, len - (size_t)(at - text));
        int event = br_pem_decoder_event(&decoder);

        at += taken;
        if (event == BR_PEM_BEGIN_OBJ) {
            br_pem_decoder_setdest(&decoder, append, &der);
        } else if (event == BR_PEM_END_OBJ) {
            break;
        } else if (event == BR_PEM_ERROR || taken == 0) {
            fail(2, name, event);
        }
    }
    free(text);
    return der;
}

static void append_name(void *arg, const void *data, size_t len)
{
    (void)arg;
    if (len <= sizeof(it.anchor_name) - it.anchor_name_len) {
        memcpy(it.anchor_name + it.anchor_name_len, data, len);
        it.anchor_name_len += len;
    }
}

static void load_trusted(const char *name)
{
    struct bytes der = read_pem(name);

    br_x509_decoder_init(&it.trusted, append_name, NULL);
    br_x509_decoder_push(&it.trusted, der.data, der.len);
    if (br_x509_decoder_get_pkey(&it.trusted) == NULL) {
        fail(2, name, br_x509_decoder_last_error(&it.trusted));
    }
    it.anchor.dn = (br_x500_name){ it.anchor_name, it.anchor_name_len };
    it.anchor.flags = BR_X509_TA_CA;
    it.anchor.pkey = *br_x509_decoder_get_pkey(&it.trusted);
}

static void load_identity(const struct options *set)
{
    struct bytes der = read_pem(set->cert);

    it.chain = (br_x509_certificate){ der.data, der.len };
    der = read_pem(set->key);
    br_skey_decoder_init(&it.key);
    br_skey_decoder_push(&it.key, der.data, der.len);
    if (br_skey_decoder_last_error(&it.key) != 0) {
        fail(2, set->key, br_skey_decoder_last_error(&it.key));
    }
}

/* ---- the connection ---- */

static int pull(void *arg, unsigned char *data, size_t len)
{
    ssize_t got = read(it.fd, data, len);

    (void)arg;
    return got > 0 ? (int)got : -1;
}

static int push(void *arg, const unsigned char *data, size_t len)
{
    ssize_t put = write(it.fd, data, len);

    (void)arg;
    return put > 0 ? (int)put : -1;
}

static void start_client(const struct options *set)
{
    br_ssl_client_init_full(&it.client, &it.minimal, &it.anchor, 1);
    it.engine = &it.client.eng;
    if (set->cert == NULL) {
        return;
    }
    load_identity(set);
    if (br_skey_decoder_key_type(&it.key) == BR_KEYTYPE_RSA) {
        br_ssl_client_set_single_rsa(&it.client, &it.chain, 1, br_skey_decoder_get_rsa(&it.key),
                                     br_rsa_pkcs1_sign_get_default());
    } else {
        br_ssl_client_set_single_ec(&it.client, &it.chain, 1, br_skey_decoder_get_ec(&it.key),
                                    BR_KEYTYPE_SIGN, BR_KEYTYPE_EC, br_ec_get_default(),
                                    br_ecdsa_sign_asn1_get_default());
    }
}

static void start_server(const struct options *set)
{
    load_identity(set);
    if (br_skey_decoder_key_type(&it.key) == BR_KEYTYPE_RSA) {
        br_ssl_server_init_full_rsa(&it.server, &it.chain, 1, br_skey_decoder_get_rsa(&it.key));
    } else {
        br_ssl_server_init_full_ec(&it.server, &it.chain, 1, BR_KEYTYPE_EC,
                                   br_skey_decoder_get_ec(&it.key));
    }
    it.engine = &it.server.eng;
    if (set->verify_client) {
        br_x509_minimal_init_full(&it.minimal, &it.anchor, 1);
        br_ssl_engine_set_default_rsavrfy(it.engine);
        br_ssl_engine_set_default_ecdsa(it.engine);
        br_ssl_engine_set_x509(it.engine, &it.minimal.vtable);
        br_ssl_server_set_trust_anchor_names_alt(&it.server, &it.anchor, 1);
    }
}

static void start(const struct options *set)
{
    unsigned int version;

    if (set->ca != NULL) {
        load_trusted(set->ca);
    }
    if (set->server) {
        start_server(set);
    } else {
        start_client(set);
    }
    it.name_element = (br_name_element){ OID_COMMON_NAME, it.peer_name, sizeof(it.peer_name), 0 };
    br_x509_minimal_set_name_elements(&it.minimal, &it.name_element, 1);
    if (set->suite != 0) {
        it.suites[0] = set->suite;
        br_ssl_engine_set_suites(it.engine, it.suites, 1);
    }
    if (set->alpn != NULL) {
        it.protocols[0] = set->alpn;
        br_ssl_engine_set_protocol_names(it.engine, it.protocols, 1);
    }
    version = strcmp(set->version, "1.0") == 0   ? BR_TLS10
              : strcmp(set->version, "1.1") == 0 ? BR_TLS11
                                                 : BR_TLS12;
    br_ssl_engine_set_versions(it.engine, version, version);
    br_ssl_engine_set_buffer(it.engine, it.buffer, sizeof(it.buffer), 1);
    if (set->server && set->connections > 1) {
        br_ssl_session_cache_lru_init(&it.cache, it.cached, sizeof(it.cached));
        br_ssl_server_set_cache(&it.server, &it.cache.vtable);
    }
}

static void open_connection(const struct options *set, int fd)
{
    int ready;

    it.fd = fd;
    it.name_element.status = 0;
    ready = set->server ? br_ssl_server_reset(&it.server)
                        : br_ssl_client_reset(&it.client, set->sni, 1);
    require(ready == 1, "no connection", br_ssl_engine_last_error(it.engine));
    br_sslio_init(&it.io, it.engine, pull, NULL, push, NULL);
    require(br_sslio_flush(&it.io) == 0, "the handshake failed",
            br_ssl_engine_last_error(it.engine));
}

static size_t read_some(uint8_t *data, size_t cap)
{
    int got = br_sslio_read(&it.io, data, cap);

    if (got < 0) {
        require(br_ssl_engine_last_error(it.engine) == BR_ERR_OK, "reading failed",
                br_ssl_engine_last_error(it.engine));
        return 0;
    }
    return (size_t)got;
}

static void write_all(const uint8_t *data, size_t len)
{
    require(br_sslio_write_all(&it.io, data, len) == 0 && br_sslio_flush(&it.io) == 0,
            "writing failed", br_ssl_engine_last_error(it.engine));
}

static void close_connection(void)
{
    require(br_sslio_close(&it.io) == 1, "closing failed", br_ssl_engine_last_error(it.engine));
}

static void tell(struct facts *facts)
{
    const char *alpn = br_ssl_engine_get_selected_protocol(it.engine);
    const char *sni = br_ssl_engine_get_server_name(it.engine);

    snprintf(facts->sni, sizeof(facts->sni), "%s", sni != NULL ? sni : "");
    snprintf(facts->alpn, sizeof(facts->alpn), "%s", alpn != NULL ? alpn : "");
    snprintf(facts->peer, sizeof(facts->peer), "%s",
             it.name_element.status == 1 ? it.peer_name : "");
    /* It has no function that tells: the connection is resumed when it has the last one's secret.
     */
    br_ssl_engine_get_session_parameters(it.engine, &it.session);
    facts->resumed = memcmp(it.session.master_secret, it.last_master, sizeof(it.last_master)) == 0;
    memcpy(it.last_master, it.session.master_secret, sizeof(it.last_master));
}

/* A client's session stays in the engine. */
static void forget(const struct options *set)
{
    (void)set;
}

const struct library library = { list,      start,     open_connection,
                                 read_some, write_all, close_connection,
                                 tell,      forget };
