/*
 * Custom extensions: registration and the hooks through which the core writes and reads them.
 * Serverinfo registers its extensions here (serverinfo.c). Behaviour:
 * SSL_CTX_add_custom_ext(3), SSL_extension_supported(3).
 */
#include "api/custom_ext.h"

#include <openssl/err.h>

#include <string.h>

/* Contexts in which an extension answers one of the peer's; the others ask or tell. */
#define ANSWERS                                                                                    \
    (SSL_EXT_TLS1_2_SERVER_HELLO | SSL_EXT_TLS1_3_SERVER_HELLO |                                   \
     SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS | SSL_EXT_TLS1_3_CERTIFICATE |                            \
     SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST)

/* Messages of a server that may only hold what the ClientHello asked for. */
#define SERVER_ANSWERS                                                                             \
    (SSL_EXT_TLS1_2_SERVER_HELLO | SSL_EXT_TLS1_3_SERVER_HELLO |                                   \
     SSL_EXT_TLS1_3_ENCRYPTED_EXTENSIONS)

/* The extensions of the first API apply to these. */
#define OLD_STYLE_CONTEXT                                                                          \
    (SSL_EXT_TLS1_2_AND_BELOW_ONLY | SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |          \
     SSL_EXT_IGNORE_ON_RESUMPTION)

/* What went over the connection, for each type it concerns. */
struct custom_exchange {
    uint16_t type;
    bool sent;     /* in a ClientHello */
    bool received; /* in a ClientHello or CertificateRequest */
};

/* The callbacks of the first API, behind the newer ones. */
struct old_style {
    custom_ext_add_cb add;
    custom_ext_free_cb free;
    void *add_arg;
    custom_ext_parse_cb parse;
    void *parse_arg;
};

/* --- Copies --- */

bool custom_extensions_copy(struct custom_extension **copy, const struct custom_extension *source,
                            size_t num)
{
    *copy = NULL;
    if (num == 0) {
        return true;
    }
    *copy = OPENSSL_memdup(source, num * sizeof(*source));
    if (*copy == NULL) {
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        struct custom_extension *entry = &(*copy)[i];

        if (source[i].old_style == NULL) {
            continue;
        }
        entry->old_style = OPENSSL_memdup(source[i].old_style, sizeof(struct old_style));
        if (entry->old_style == NULL) {
            custom_extensions_free(*copy, i);
            *copy = NULL;
            return false;
        }
        entry->add_arg = entry->old_style;
        entry->parse_arg = entry->old_style;
    }
    return true;
}

void custom_extensions_free(struct custom_extension *extensions, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        OPENSSL_free(extensions[i].old_style);
    }
    OPENSSL_free(extensions);
}

/* --- Registration --- */

/* An entry for type that serves one of the roles asked for. */
static const struct custom_extension *find_entry(const struct ssl_config *config, unsigned type,
                                                 bool for_client, bool for_server)
{
    for (size_t i = 0; i < config->num_custom; i++) {
        const struct custom_extension *entry = &config->custom[i];

        if (entry->type == type &&
            ((for_client && entry->for_client) || (for_server && entry->for_server))) {
            return entry;
        }
    }
    return NULL;
}

const struct custom_extension *custom_extension_find(const struct ssl_config *config, uint16_t type,
                                                     bool is_server)
{
    return find_entry(config, type, !is_server, is_server);
}

/* True when the application may register type: the library does not handle it itself, except the
 * timestamps, which it handles only where Certificate Transparency is on. */
static bool may_register(SSL_CTX *ctx, unsigned type, unsigned context)
{
    if (type == TLSEXT_TYPE_signed_certificate_timestamp) {
        return (context & SSL_EXT_CLIENT_HELLO) == 0 || !SSL_CTX_ct_is_enabled(ctx);
    }
    return type <= UINT16_MAX && !SSL_extension_supported(type);
}

bool custom_extension_add(SSL_CTX *ctx, const struct custom_extension *entry)
{
    struct custom_extension *list;
    struct ssl_config *config;

    if (find_entry(ctx->config, entry->type, entry->for_client, entry->for_server) != NULL) {
        return false;
    }
    config = ctx_edit(ctx);
    if (config == NULL) {
        return false;
    }
    list = OPENSSL_realloc(config->custom, (config->num_custom + 1) * sizeof(*list));
    if (list == NULL) {
        return false;
    }
    list[config->num_custom] = *entry;
    config->custom = list;
    config->num_custom++;
    return true;
}

int SSL_CTX_add_custom_ext(SSL_CTX *ctx, unsigned int ext_type, unsigned int context,
                           SSL_custom_ext_add_cb_ex add_cb, SSL_custom_ext_free_cb_ex free_cb,
                           void *add_arg, SSL_custom_ext_parse_cb_ex parse_cb, void *parse_arg)
{
    struct custom_extension entry = {
        .type = (uint16_t)ext_type,
        .context = context,
        .add = add_cb,
        .free = free_cb,
        .add_arg = add_arg,
        .parse = parse_cb,
        .parse_arg = parse_arg,
        .for_client = true,
        .for_server = true,
    };

    if ((add_cb == NULL && free_cb != NULL) || !may_register(ctx, ext_type, context)) {
        return 0;
    }
    return custom_extension_add(ctx, &entry);
}

int SSL_CTX_has_client_custom_ext(const SSL_CTX *ctx, unsigned int ext_type)
{
    return find_entry(ctx->config, ext_type, true, false) != NULL;
}

int SSL_extension_supported(unsigned int ext_type)
{
    switch (ext_type) {
    case TLSEXT_TYPE_server_name:
    case TLSEXT_TYPE_max_fragment_length:
    case TLSEXT_TYPE_status_request:
    case TLSEXT_TYPE_supported_groups:
    case TLSEXT_TYPE_ec_point_formats:
    case TLSEXT_TYPE_srp:
    case TLSEXT_TYPE_signature_algorithms:
    case TLSEXT_TYPE_use_srtp:
    case TLSEXT_TYPE_application_layer_protocol_negotiation:
    case TLSEXT_TYPE_signed_certificate_timestamp:
    case TLSEXT_TYPE_padding:
    case TLSEXT_TYPE_encrypt_then_mac:
    case TLSEXT_TYPE_extended_master_secret:
    case TLSEXT_TYPE_session_ticket:
    case TLSEXT_TYPE_psk:
    case TLSEXT_TYPE_early_data:
    case TLSEXT_TYPE_supported_versions:
    case TLSEXT_TYPE_cookie:
    case TLSEXT_TYPE_psk_kex_modes:
    case TLSEXT_TYPE_certificate_authorities:
    case TLSEXT_TYPE_post_handshake_auth:
    case TLSEXT_TYPE_key_share:
    case TLSEXT_TYPE_next_proto_neg:
    case TLSEXT_TYPE_renegotiate:
        return 1;
    default:
        return 0;
    }
}

/* --- The first API: one role, TLS 1.2 and older --- */

static int add_old_style(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                         size_t *len, X509 *cert, size_t index, int *alert, void *arg)
{
    const struct old_style *old = arg;

    (void)context;
    (void)cert;
    (void)index;
    return old->add == NULL ? 1 : old->add(s, type, out, len, alert, old->add_arg);
}

static void free_old_style(SSL *s, unsigned type, unsigned context, const unsigned char *out,
                           void *arg)
{
    const struct old_style *old = arg;

    (void)context;
    if (old->free != NULL) {
        old->free(s, type, out, old->add_arg);
    }
}

static int parse_old_style(SSL *s, unsigned type, unsigned context, const unsigned char *in,
                           size_t len, X509 *cert, size_t index, int *alert, void *arg)
{
    const struct old_style *old = arg;

    (void)context;
    (void)cert;
    (void)index;
    return old->parse == NULL ? 1 : old->parse(s, type, in, len, alert, old->parse_arg);
}

static int register_old_style(SSL_CTX *ctx, bool for_server, unsigned type,
                              const struct old_style *callbacks)
{
    struct custom_extension entry = {
        .type = (uint16_t)type,
        .context = OLD_STYLE_CONTEXT,
        .add = add_old_style,
        .free = free_old_style,
        .parse = parse_old_style,
        .for_client = !for_server,
        .for_server = for_server,
    };

    if ((callbacks->add == NULL && callbacks->free != NULL) ||
        !may_register(ctx, type, OLD_STYLE_CONTEXT)) {
        return 0;
    }
    entry.old_style = OPENSSL_memdup(callbacks, sizeof(*callbacks));
    entry.add_arg = entry.old_style;
    entry.parse_arg = entry.old_style;
    if (entry.old_style == NULL || !custom_extension_add(ctx, &entry)) {
        OPENSSL_free(entry.old_style);
        return 0;
    }
    return 1;
}

int SSL_CTX_add_client_custom_ext(SSL_CTX *ctx, unsigned int ext_type, custom_ext_add_cb add_cb,
                                  custom_ext_free_cb free_cb, void *add_arg,
                                  custom_ext_parse_cb parse_cb, void *parse_arg)
{
    struct old_style callbacks = { add_cb, free_cb, add_arg, parse_cb, parse_arg };

    return register_old_style(ctx, false, ext_type, &callbacks);
}

int SSL_CTX_add_server_custom_ext(SSL_CTX *ctx, unsigned int ext_type, custom_ext_add_cb add_cb,
                                  custom_ext_free_cb free_cb, void *add_arg,
                                  custom_ext_parse_cb parse_cb, void *parse_arg)
{
    struct old_style callbacks = { add_cb, free_cb, add_arg, parse_cb, parse_arg };

    return register_old_style(ctx, true, ext_type, &callbacks);
}

/* --- What went over the connection --- */

void custom_extensions_reset(SSL *s)
{
    OPENSSL_free(s->custom);
    s->custom = NULL;
    s->num_custom = 0;
}

static const struct custom_exchange *exchange_of(const SSL *s, uint16_t type)
{
    for (size_t i = 0; i < s->num_custom; i++) {
        if (s->custom[i].type == type) {
            return &s->custom[i];
        }
    }
    return NULL;
}

/* Notes that type was sent or received. False: out of memory. */
static bool note_exchange(SSL *s, uint16_t type, bool sent)
{
    struct custom_exchange *list = s->custom;
    size_t i = 0;

    while (i < s->num_custom && list[i].type != type) {
        i++;
    }
    if (i == s->num_custom) {
        list = OPENSSL_realloc(list, (i + 1) * sizeof(*list));
        if (list == NULL) {
            return false;
        }
        list[i] = (struct custom_exchange){ .type = type };
        s->custom = list;
        s->num_custom++;
    }
    if (sent) {
        list[i].sent = true;
    } else {
        list[i].received = true;
    }
    return true;
}

/* --- Hooks --- */

/* True when an entry of that context has to do with a message of this one. While a client writes
 * its ClientHello no version has been negotiated. */
static bool is_relevant(const SSL *s, unsigned entry_context, unsigned context)
{
    bool hello = (context & SSL_EXT_CLIENT_HELLO) != 0;
    bool is_server = s->conn.role == ROLE_SERVER;
    bool tls13 = (context & SSL_EXT_TLS1_3_HELLO_RETRY_REQUEST) != 0 ||
                 (s->conn.neg.version >= TLS1_3_VERSION && !(hello && !is_server));

    if ((entry_context & context) == 0) {
        return false;
    }
    if (s->conn.neg.resumed && !(hello && !is_server) &&
        (entry_context & SSL_EXT_IGNORE_ON_RESUMPTION) != 0) {
        return false;
    }
    if (tls13) {
        return (entry_context & SSL_EXT_TLS1_2_AND_BELOW_ONLY) == 0;
    }
    if ((entry_context & SSL_EXT_TLS1_3_ONLY) == 0) {
        return true;
    }
    return hello && !is_server && config_allows_version(s->conn.config, TLS1_3_VERSION);
}

/* True when the entry is to be written: answers only to what the peer sent; without an add callback
 * only the ClientHello gets the extension, empty. */
static bool is_due(const SSL *s, const struct custom_extension *entry, unsigned context)
{
    const struct custom_exchange *seen = exchange_of(s, entry->type);

    if (!is_relevant(s, entry->context, context)) {
        return false;
    }
    if ((context & ANSWERS) != 0 && (seen == NULL || !seen->received)) {
        return false;
    }
    return entry->add != NULL || (context & SSL_EXT_CLIENT_HELLO) != 0;
}

static uint8_t alert_of(int alert, uint8_t unset)
{
    return alert >= 0 && alert <= UINT8_MAX ? (uint8_t)alert : unset;
}

static enum hook_answer write_entry(SSL *s, const struct custom_extension *entry, unsigned context,
                                    struct writer *w, X509 *cert, size_t index,
                                    struct record_error *failure)
{
    const unsigned char *body = NULL;
    size_t len = 0;
    int alert = SSL_AD_INTERNAL_ERROR;
    bool ok = true;

    if (entry->add != NULL) {
        int answer =
            entry->add(s, entry->type, context, &body, &len, cert, index, &alert, entry->add_arg);

        if (answer < 0) {
            failure->alert = alert_of(alert, SSL_AD_INTERNAL_ERROR);
            failure->reason = SSL_R_CALLBACK_FAILED;
            return HOOK_FAIL;
        }
        if (answer == 0) {
            return HOOK_OK;
        }
    }
    writer_u16(w, entry->type);
    writer_open(w, 2);
    writer_bytes(w, body, len);
    writer_close(w);
    if ((context & SSL_EXT_CLIENT_HELLO) != 0) {
        ok = note_exchange(s, entry->type, true);
    }
    if (entry->free != NULL) {
        entry->free(s, entry->type, context, body, entry->add_arg);
    }
    if (!ok) {
        failure->alert = SSL_AD_INTERNAL_ERROR;
        failure->reason = ERR_R_MALLOC_FAILURE;
    }
    return ok ? HOOK_OK : HOOK_FAIL;
}

enum hook_answer write_custom_extensions(void *owner, unsigned context, struct writer *w,
                                         X509 *cert, size_t index, struct record_error *failure)
{
    SSL *s = owner;
    bool is_server = s->conn.role == ROLE_SERVER;
    struct ssl_config *config = ssl_config_ref(s->config);
    enum hook_answer answer = HOOK_OK;

    /* The reference keeps the list while callbacks change the connection's settings. */
    for (size_t i = 0; i < config->num_custom && answer == HOOK_OK; i++) {
        const struct custom_extension *entry = &config->custom[i];

        if ((is_server ? entry->for_server : entry->for_client) && is_due(s, entry, context)) {
            answer = write_entry(s, entry, context, w, cert, index, failure);
        }
    }
    ssl_config_free(config);
    return answer;
}

static enum hook_answer fail(struct record_error *failure, uint8_t alert, int reason)
{
    failure->alert = alert;
    failure->reason = reason;
    return HOOK_FAIL;
}

enum hook_answer read_custom_extension(void *owner, unsigned context, uint16_t type,
                                       struct reader body, struct peer_chain *chain, size_t index,
                                       struct record_error *failure)
{
    SSL *s = owner;
    const struct custom_extension *entry =
        custom_extension_find(s->config, type, s->conn.role == ROLE_SERVER);
    const struct custom_exchange *seen = exchange_of(s, type);
    int alert = SSL_AD_DECODE_ERROR;

    if (entry == NULL) {
        return HOOK_NONE;
    }
    if (!is_relevant(s, entry->context, context)) {
        return HOOK_OK;
    }
    if ((context & SERVER_ANSWERS) != 0 && (seen == NULL || !seen->sent)) {
        return fail(failure, SSL_AD_UNSUPPORTED_EXTENSION, SSL_R_BAD_EXTENSION);
    }
    if ((context & (SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_3_CERTIFICATE_REQUEST)) != 0 &&
        !note_exchange(s, type, false)) {
        return fail(failure, SSL_AD_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (entry->parse == NULL) {
        return HOOK_OK;
    }
    X509 *cert = peer_chain_own(chain, index);
    if (cert == NULL && chain != NULL) {
        return fail(failure, SSL_AD_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    if (entry->parse(s, type, context, body.at, body.left, cert, index, &alert, entry->parse_arg) <=
        0) {
        return fail(failure, alert_of(alert, SSL_AD_DECODE_ERROR), SSL_R_BAD_EXTENSION);
    }
    return HOOK_OK;
}
