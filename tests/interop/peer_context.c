/* The contexts of the interoperability tests' program: what the command line says, and callbacks
 * that note what a connection does. */
#include <stdio.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "peer.h"

/* ---- callbacks ---- */

/* Extension 22 in a ServerHello: libssl has no function that tells. */
static bool accepts_encrypt_then_mac(const uint8_t *message, size_t len)
{
    size_t at = 4 + 2 + 32;

    if (len <= at) {
        return false;
    }
    at += 1 + (size_t)message[at] + 2 + 1 + 2;
    while (at + 4 <= len) {
        if (message[at] == 0 && message[at + 1] == TLSEXT_TYPE_encrypt_then_mac) {
            return true;
        }
        at += 4 + (size_t)(message[at + 2] << 8 | message[at + 3]);
    }
    return false;
}

static void on_message(int sent, int version, int content_type, const void *data, size_t len,
                       SSL *ssl, void *arg)
{
    struct seen *seen = arg;
    const uint8_t *message = data;

    (void)version;
    (void)ssl;
    if (content_type != SSL3_RT_HANDSHAKE || len == 0) {
        return;
    }
    if (message[0] == SSL3_MT_CLIENT_HELLO) {
        seen->client_hellos++;
    } else if (message[0] == SSL3_MT_SERVER_HELLO) {
        seen->encrypt_then_mac = accepts_encrypt_then_mac(message, len);
    } else if (message[0] == SSL3_MT_NEWSESSION_TICKET) {
        seen->tickets++;
    } else if (message[0] == SSL3_MT_CERTIFICATE_REQUEST) {
        seen->cert_requests++;
    } else if (message[0] == SSL3_MT_KEY_UPDATE && sent) {
        seen->key_updates_out++;
    } else if (message[0] == SSL3_MT_KEY_UPDATE) {
        seen->key_updates_in++;
    }
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
    struct seen *seen = arg;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    if (name == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    snprintf(seen->sni, sizeof(seen->sni), "%s", name);
    if (seen->other != NULL && strcmp(name, seen->set->other_name) == 0 &&
        SSL_set_SSL_CTX(ssl, seen->other) == NULL) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    return SSL_TLSEXT_ERR_OK;
}

/* "h2,http/1.1" as the wire wants it, each name behind its length; returns the number of bytes. */
static unsigned int alpn_encode(uint8_t *out, size_t cap, const char *names)
{
    size_t len = 0;

    while (*names != '\0') {
        size_t name_len = strcspn(names, ",");

        require(name_len > 0 && name_len < 256 && len + 1 + name_len <= cap, "bad ALPN list");
        out[len] = (uint8_t)name_len;
        memcpy(out + len + 1, names, name_len);
        len += 1 + name_len;
        names += name_len;
        names += *names == ',';
    }
    return (unsigned int)len;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *offered, unsigned int offered_len, void *arg)
{
    const struct seen *seen = arg;
    uint8_t ours[256];
    unsigned int len = alpn_encode(ours, sizeof(ours), seen->set->alpn);
    unsigned char *chosen;

    (void)ssl;
    if (SSL_select_next_proto(&chosen, out_len, ours, len, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    /* The choice lies in our list, which ends with this call; the same bytes are in the offer. */
    for (unsigned int at = 0; at < offered_len; at += 1u + offered[at]) {
        if (offered[at] == *out_len && memcmp(offered + at + 1, chosen, *out_len) == 0) {
            *out = offered + at + 1;
            return SSL_TLSEXT_ERR_OK;
        }
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* ---- pre-shared keys ---- */

static const struct settings *psk_settings;

static unsigned int take_psk(unsigned char *psk, unsigned int max)
{
    size_t len = strlen(psk_settings->psk);

    require(len <= max, "the pre-shared key is too long");
    memcpy(psk, psk_settings->psk, len);
    return (unsigned int)len;
}

static unsigned int on_psk_client(SSL *ssl, const char *hint, char *identity,
                                  unsigned int max_identity, unsigned char *psk,
                                  unsigned int max_psk)
{
    (void)ssl;
    (void)hint;
    require(strlen(psk_settings->psk_identity) < max_identity, "the identity is too long");
    strcpy(identity, psk_settings->psk_identity);
    return take_psk(psk, max_psk);
}

static unsigned int on_psk_server(SSL *ssl, const char *identity, unsigned char *psk,
                                  unsigned int max_psk)
{
    (void)ssl;
    return strcmp(identity, psk_settings->psk_identity) == 0 ? take_psk(psk, max_psk) : 0;
}

static void set_psk(SSL_CTX *ctx, const struct settings *set)
{
    if (set->psk == NULL) {
        return;
    }
    psk_settings = set;
    SSL_CTX_set_psk_client_callback(ctx, on_psk_client);
    SSL_CTX_set_psk_server_callback(ctx, on_psk_server);
    if (set->server && SSL_CTX_use_psk_identity_hint(ctx, "a hint") != 1) {
        fail(2, "the hint is refused");
    }
}

/* ---- contexts ---- */

static void load_identity(SSL_CTX *ctx, const char *cert, const char *key)
{
    if (SSL_CTX_use_certificate_chain_file(ctx, cert) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1 ||
        SSL_CTX_check_private_key(ctx) != 1) {
        fail(2, "the certificate or its key cannot be used");
    }
}

static void set_versions(SSL_CTX *ctx, const struct settings *set)
{
    static const struct {
        const char *name;
        int min, max;
    } versions[] = {
        { "1.3", TLS1_3_VERSION, TLS1_3_VERSION }, { "1.2", TLS1_2_VERSION, TLS1_2_VERSION },
        { "1.1", TLS1_1_VERSION, TLS1_1_VERSION }, { "1.0", TLS1_VERSION, TLS1_VERSION },
        { "any", TLS1_2_VERSION, TLS1_3_VERSION },
    };
    const char *name = set->version != NULL ? set->version : "1.3";
    size_t i = 0;

    while (i + 1 < sizeof(versions) / sizeof(versions[0]) && strcmp(versions[i].name, name) != 0) {
        i++;
    }
    if (SSL_CTX_set_min_proto_version(ctx, versions[i].min) != 1 ||
        SSL_CTX_set_max_proto_version(ctx, versions[i].max) != 1) {
        fail(2, "the version is refused");
    }
    SSL_CTX_set_options(ctx, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    if (set->no_etm) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_ENCRYPT_THEN_MAC);
    }
    if (set->server && SSL_CTX_set_dh_auto(ctx, 1) != 1) {
        fail(2, "no parameters for DHE");
    }
}

static void set_lists(SSL_CTX *ctx, const struct settings *set)
{
    if (set->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, set->ciphers) != 1) {
        fail(2, "the list of ciphers is refused");
    }
    if (set->suites != NULL && SSL_CTX_set_ciphersuites(ctx, set->suites) != 1) {
        fail(2, "the list of suites is refused");
    }
    if (set->groups != NULL && SSL_CTX_set1_groups_list(ctx, (char *)(uintptr_t)set->groups) != 1) {
        fail(2, "the list of groups is refused");
    }
    if (set->sigalgs != NULL &&
        SSL_CTX_set1_sigalgs_list(ctx, (char *)(uintptr_t)set->sigalgs) != 1) {
        fail(2, "the list of signature algorithms is refused");
    }
    if (set->client_sigalgs != NULL &&
        SSL_CTX_set1_client_sigalgs_list(ctx, (char *)(uintptr_t)set->client_sigalgs) != 1) {
        fail(2, "the list of signature algorithms for clients is refused");
    }
}

static void set_verification(SSL_CTX *ctx, const struct settings *set)
{
    if (set->ca == NULL) {
        return;
    }
    if (SSL_CTX_load_verify_locations(ctx, set->ca, NULL) != 1) {
        fail(2, "the file of trusted certificates cannot be used");
    }
    if (!set->server) {
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    } else if (set->verify_client) {
        int mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;

        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(set->ca));
        SSL_CTX_set_verify(ctx, set->later ? mode | SSL_VERIFY_POST_HANDSHAKE : mode, NULL);
    }
}

/* A server that asks for certificates resumes only what was made in a context that has an id. */
static void set_sessions(SSL_CTX *ctx, const struct settings *set)
{
    static const unsigned char id[] = "peer";

    if (set->no_ticket) {
        SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
    }
    if (SSL_CTX_set_session_id_context(ctx, id, sizeof(id)) != 1 ||
        SSL_CTX_set_max_early_data(ctx, set->max_early) != 1 ||
        (set->recv_early > 0 && SSL_CTX_set_recv_max_early_data(ctx, set->recv_early) != 1)) {
        fail(2, "the settings of sessions are refused");
    }
}

SSL_CTX *make_context(const struct settings *set, struct seen *seen)
{
    SSL_CTX *ctx = SSL_CTX_new(set->server ? TLS_server_method() : TLS_client_method());
    uint8_t alpn[256];

    if (ctx == NULL) {
        fail(2, "no context");
    }
    set_versions(ctx, set);
    set_lists(ctx, set);
    set_psk(ctx, set);
    set_verification(ctx, set);
    set_sessions(ctx, set);
    if (set->cert != NULL) {
        load_identity(ctx, set->cert, set->key);
    }
    SSL_CTX_set_msg_callback(ctx, on_message);
    SSL_CTX_set_msg_callback_arg(ctx, seen);
    SSL_CTX_set_post_handshake_auth(ctx, !set->server && set->later);
    if (set->server) {
        SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
        SSL_CTX_set_tlsext_servername_arg(ctx, seen);
    }
    if (set->alpn != NULL && set->server) {
        SSL_CTX_set_alpn_select_cb(ctx, on_alpn, seen);
    } else if (set->alpn != NULL &&
               SSL_CTX_set_alpn_protos(ctx, alpn, alpn_encode(alpn, sizeof(alpn), set->alpn)) !=
                   0) {
        fail(2, "the ALPN list is refused");
    }
    return ctx;
}

SSL_CTX *make_other_context(const struct settings *set)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

    if (ctx == NULL) {
        fail(2, "no context");
    }
    load_identity(ctx, set->other_cert, set->other_key);
    return ctx;
}
