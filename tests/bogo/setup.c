#include "shim.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/ct.h>

#define MAX_EARLY_DATA 14336 /* what the runner takes for granted */

/* Numbers on the wire, and what OpenSSL calls them. */
struct name {
    int number;
    const char *name;
};

static const struct name groups[] = {
    { 21, "P-224" }, { 23, "P-256" }, { 24, "P-384" }, { 25, "P-521" }, { 29, "X25519" },
};

static const struct name schemes[] = {
    { 0x0201, "RSA+SHA1" },
    { 0x0401, "RSA+SHA256" },
    { 0x0501, "RSA+SHA384" },
    { 0x0601, "RSA+SHA512" },
    { 0x0203, "ECDSA+SHA1" },
    { 0x0403, "ECDSA+SHA256" },
    { 0x0503, "ECDSA+SHA384" },
    { 0x0603, "ECDSA+SHA512" },
    { 0x0804, "rsa_pss_rsae_sha256" },
    { 0x0805, "rsa_pss_rsae_sha384" },
    { 0x0806, "rsa_pss_rsae_sha512" },
    { 0x0807, "ed25519" },
};

/* Joins the names of numbers with colons. Returns false when one has no name here. */
static bool join(const struct numbers *numbers, const struct name *names, size_t count, char *out,
                 size_t capacity)
{
    size_t used = 0;

    out[0] = '\0';
    for (size_t i = 0; i < numbers->count; i++) {
        size_t at = 0;

        while (at < count && names[at].number != numbers->at[i]) {
            at++;
        }
        if (at == count) {
            fprintf(stderr, "no name for %d\n", numbers->at[i]);
            return false;
        }
        used +=
            (size_t)snprintf(out + used, capacity - used, "%s%s", i > 0 ? ":" : "", names[at].name);
        if (used >= capacity) {
            return false;
        }
    }
    return true;
}

static bool set_client_authorities(SSL_CTX *ctx, const char *list)
{
    STACK_OF(X509_NAME) *names = NULL;

    if (strcmp(list, "<NULL>") != 0 && (names = sk_X509_NAME_new_null()) == NULL) {
        return false;
    }
    if (names != NULL && strcmp(list, "<EMPTY>") != 0) {
        while (*list != '\0') {
            unsigned char encoded[1024];
            const unsigned char *at = encoded;
            size_t digits = strcspn(list, ",");
            size_t length = flags_from_hex(list, digits, encoded, sizeof(encoded));
            X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)length);

            if (name == NULL || sk_X509_NAME_push(names, name) <= 0) {
                return false;
            }
            list += digits + (list[digits] == ',');
        }
    }
    SSL_CTX_set_client_CA_list(ctx, names);
    return true;
}

SSL_CTX *setup_new_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    if (ctx == NULL) {
        return NULL;
    }
    /* The runner's certificates are small, and older versions are to be tested too. */
    SSL_CTX_set_security_level(ctx, 0);
    SSL_CTX_set_min_proto_version(ctx, TLS1_VERSION);
    /* BoringSSL refuses to renegotiate unless it is told to, and talks to servers that can't do it
     * securely. */
    SSL_CTX_set_options(ctx, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"bogo", 4);
    SSL_CTX_set_dh_auto(ctx, 1);
    return ctx;
}

bool setup_context(SSL_CTX *ctx, const struct config *config)
{
    uint32_t early = config->enable_early_data && config->server ? MAX_EARLY_DATA : 0;

    if (config->cipher != NULL || config->server_preference) {
        SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
    }
    SSL_CTX_set_max_early_data(ctx, early);
    callbacks_of_context(ctx, config);
    return SSL_CTX_set_cipher_list(ctx, config->cipher != NULL ? config->cipher : "ALL") == 1 &&
           (config->use_client_ca_list == NULL ||
            set_client_authorities(ctx, config->use_client_ca_list));
}

static bool set_algorithms(SSL *ssl, const struct config *config)
{
    /* What we sign with and what we verify are one list for a server's own use, and two where a
     * client signs. */
    const struct numbers *own = config->server ? &config->signing_prefs : &config->verify_prefs;
    const struct numbers *clients = config->server ? &config->verify_prefs : &config->signing_prefs;
    char list[1024];

    if (config->curves.count > 0 &&
        (!join(&config->curves, groups, sizeof(groups) / sizeof(groups[0]), list, sizeof(list)) ||
         SSL_set1_groups_list(ssl, list) != 1)) {
        return false;
    }
    if (own->count > 0 &&
        (!join(own, schemes, sizeof(schemes) / sizeof(schemes[0]), list, sizeof(list)) ||
         SSL_set1_sigalgs_list(ssl, list) != 1)) {
        return false;
    }
    return clients->count == 0 ||
           (join(clients, schemes, sizeof(schemes) / sizeof(schemes[0]), list, sizeof(list)) &&
            SSL_set1_client_sigalgs_list(ssl, list) == 1);
}

static void set_options(SSL *ssl, const struct config *config)
{
    int mode = SSL_VERIFY_NONE;

    if (config->require_any_client_certificate) {
        mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    }
    if (config->verify_peer) {
        mode = SSL_VERIFY_PEER;
    }
    if (mode != SSL_VERIFY_NONE) {
        SSL_set_verify(ssl, mode, NULL);
    }
    if (config->no_tls13) {
        SSL_set_options(ssl, SSL_OP_NO_TLSv1_3);
    }
    if (config->no_tls12) {
        SSL_set_options(ssl, SSL_OP_NO_TLSv1_2);
    }
    if (config->no_tls11) {
        SSL_set_options(ssl, SSL_OP_NO_TLSv1_1);
    }
    if (config->no_tls1) {
        SSL_set_options(ssl, SSL_OP_NO_TLSv1);
    }
    if (config->no_ticket) {
        SSL_set_options(ssl, SSL_OP_NO_TICKET);
    }
    if (config->fallback_scsv) {
        SSL_set_mode(ssl, SSL_MODE_SEND_FALLBACK_SCSV);
    }
    if (config->partial_write) {
        SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    }
    if (config->renegotiate_freely || config->forbid_renegotiation_after_handshake) {
        SSL_clear_options(ssl, SSL_OP_NO_RENEGOTIATION);
    }
    if (!config->check_close_notify) {
        SSL_set_quiet_shutdown(ssl, 1);
    }
    if (config->max_cert_list > 0) {
        SSL_set_max_cert_list(ssl, config->max_cert_list);
    }
}

static bool set_extensions(SSL *ssl, const struct config *config)
{
    const char *alpn = config->advertise_alpn;

    if (config->host_name != NULL && SSL_set_tlsext_host_name(ssl, config->host_name) != 1) {
        return false;
    }
    if (alpn != NULL &&
        SSL_set_alpn_protos(ssl, (const unsigned char *)alpn, (unsigned int)strlen(alpn)) != 0) {
        return false;
    }
    if (config->srtp_profiles != NULL && SSL_set_tlsext_use_srtp(ssl, config->srtp_profiles) != 0) {
        return false;
    }
    if (config->enable_ocsp_stapling &&
        SSL_set_tlsext_status_type(ssl, TLSEXT_STATUSTYPE_ocsp) != 1) {
        return false;
    }
    if (config->enable_signed_cert_timestamps &&
        SSL_enable_ct(ssl, SSL_CT_VALIDATION_PERMISSIVE) != 1) {
        return false;
    }
    return config->psk_identity == NULL ||
           SSL_use_psk_identity_hint(ssl, config->psk_identity) == 1;
}

static bool set_up(SSL *ssl, const struct config *config, SSL_SESSION *session)
{
    if (config->min_version != 0 && SSL_set_min_proto_version(ssl, config->min_version) != 1) {
        return false;
    }
    if (config->max_version != 0 && SSL_set_max_proto_version(ssl, config->max_version) != 1) {
        return false;
    }
    if (!set_algorithms(ssl, config) || !set_extensions(ssl, config)) {
        return false;
    }
    set_options(ssl, config);
    callbacks_of_ssl(ssl, config);
    if (!config->use_early_callback && !config->use_old_client_cert_callback && !config->async &&
        !callbacks_install_certificate(ssl)) {
        return false;
    }
    if (config->max_send_fragment > 0 &&
        SSL_set_max_send_fragment(ssl, config->max_send_fragment) != 1) {
        return false;
    }
    if (session == NULL || config->server) {
        return true;
    }
    if (config->resumption_delay != 0) {
        SSL_SESSION_set_time(session, (long)time(NULL) - config->resumption_delay);
    }
    return SSL_set_session(ssl, session) == 1;
}

SSL *setup_ssl(SSL_CTX *ctx, struct connection *connection, SSL_SESSION *session)
{
    SSL *ssl = SSL_new(ctx);

    if (ssl == NULL || !connection_attach(ssl, connection) ||
        !set_up(ssl, connection->config, session)) {
        SSL_free(ssl);
        return NULL;
    }
    return ssl;
}
