/*
 * Control commands that SSL_ctrl() and SSL_CTX_ctrl() share: they set or read settings, of the one
 * or the other. A setting that would not change is not set, so that the SSL keeps sharing them.
 */
#include "api/ctrl.h"

#include "api/certs.h"
#include "api/chain.h"
#include "api/dh.h"
#include "api/lists.h"
#include "api/stores.h"
#include "api/versions.h"

#define MIN_SEND_FRAGMENT 512
#define MAX_PIPELINES     32
#define MAX_CERT_TYPES    255

static long set_mode(SSL *s, SSL_CTX *ctx, uint32_t mode)
{
    if (settings_of(s, ctx)->mode != mode) {
        struct ssl_config *config = settings_edit(s, ctx);

        if (config == NULL) {
            return 0;
        }
        config->mode = mode;
        config->core.send_fallback_scsv = (mode & SSL_MODE_SEND_FALLBACK_SCSV) != 0;
    }
    return (long)mode;
}

static long set_cert_flags(SSL *s, SSL_CTX *ctx, uint32_t flags)
{
    if (settings_of(s, ctx)->cert_flags != flags) {
        struct ssl_config *config = settings_edit(s, ctx);

        if (config == NULL) {
            return 0;
        }
        config_set_cert_flags(config, flags);
    }
    return (long)flags;
}

static long set_max_cert_list(SSL *s, SSL_CTX *ctx, long len)
{
    struct ssl_config *config = len < 0 ? NULL : settings_edit(s, ctx);

    if (config == NULL) {
        return 0;
    }
    long old = (long)config->core.max_cert_list;
    config->core.max_cert_list = len > UINT32_MAX ? UINT32_MAX : (uint32_t)len;
    return old;
}

static long set_max_send_fragment(SSL *s, SSL_CTX *ctx, long len)
{
    bool ok = len >= MIN_SEND_FRAGMENT && len <= RECORD_MAX_PLAINTEXT;
    struct ssl_config *config = ok ? settings_edit(s, ctx) : NULL;

    if (config == NULL) {
        return 0;
    }
    config->core.max_send_fragment = (uint32_t)len;
    if (config->core.split_send_fragment > config->core.max_send_fragment) {
        config->core.split_send_fragment = config->core.max_send_fragment;
    }
    return 1;
}

static long set_split_send_fragment(SSL *s, SSL_CTX *ctx, long len)
{
    bool ok = len >= 1 && len <= (long)settings_of(s, ctx)->core.max_send_fragment;
    struct ssl_config *config = ok ? settings_edit(s, ctx) : NULL;

    if (config == NULL) {
        return 0;
    }
    config->core.split_send_fragment = (uint32_t)len;
    return 1;
}

/* Records are sealed one by one whatever the number; a connection with pipelines reads ahead. */
static long set_max_pipelines(SSL *s, SSL_CTX *ctx, long num)
{
    bool ok = num >= 1 && num <= MAX_PIPELINES;
    struct ssl_config *config = ok ? settings_edit(s, ctx) : NULL;

    if (config == NULL) {
        return 0;
    }
    config->max_pipelines = (uint32_t)num;
    if (num > 1 && s != NULL) {
        config->read_ahead = 1;
    }
    return 1;
}

static long set_read_ahead(SSL *s, SSL_CTX *ctx, long larg)
{
    long old = settings_of(s, ctx)->read_ahead;

    if (old != larg) {
        struct ssl_config *config = settings_edit(s, ctx);

        if (config != NULL) {
            config->read_ahead = (int)larg;
        }
    }
    return old;
}

bool ctrl_numbers(SSL *s, SSL_CTX *ctx, int cmd, long larg, long *result)
{
    const struct ssl_config *config = settings_of(s, ctx);

    switch (cmd) {
    case SSL_CTRL_MODE:
        *result = set_mode(s, ctx, config->mode | (uint32_t)larg);
        return true;
    case SSL_CTRL_CLEAR_MODE:
        *result = set_mode(s, ctx, config->mode & ~(uint32_t)larg);
        return true;
    case SSL_CTRL_CERT_FLAGS:
        *result = set_cert_flags(s, ctx, config->cert_flags | (uint32_t)larg);
        return true;
    case SSL_CTRL_CLEAR_CERT_FLAGS:
        *result = set_cert_flags(s, ctx, config->cert_flags & ~(uint32_t)larg);
        return true;
    case SSL_CTRL_GET_READ_AHEAD:
        *result = config->read_ahead;
        return true;
    case SSL_CTRL_SET_READ_AHEAD:
        *result = set_read_ahead(s, ctx, larg);
        return true;
    case SSL_CTRL_GET_MAX_CERT_LIST:
        *result = (long)config->core.max_cert_list;
        return true;
    case SSL_CTRL_SET_MAX_CERT_LIST:
        *result = set_max_cert_list(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_MAX_SEND_FRAGMENT:
        *result = set_max_send_fragment(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_SPLIT_SEND_FRAGMENT:
        *result = set_split_send_fragment(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_MAX_PIPELINES:
        *result = set_max_pipelines(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_MIN_PROTO_VERSION:
        *result = versions_set_min(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_MAX_PROTO_VERSION:
        *result = versions_set_max(s, ctx, larg);
        return true;
    case SSL_CTRL_GET_MIN_PROTO_VERSION:
        *result = config->core.min_version;
        return true;
    case SSL_CTRL_GET_MAX_PROTO_VERSION:
        *result = config->core.max_version;
        return true;
    default:
        return false;
    }
}

static long set_dh_auto(SSL *s, SSL_CTX *ctx, long on)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config == NULL) {
        return 0;
    }
    config->dh_auto = on != 0;
    return 1;
}

/* The kinds of certificates a server before TLS 1.3 asks for; NULL: back to those it can judge. */
static long set_cert_types(SSL *s, SSL_CTX *ctx, const void *types, long len)
{
    struct blob *blob = NULL;

    if (s != NULL && !SSL_is_server(s)) {
        return 0;
    }
    if (types != NULL && len != 0) {
        if (len < 0 || len > MAX_CERT_TYPES || (blob = blob_new(types, (size_t)len)) == NULL) {
            return 0;
        }
    }
    struct ssl_config *config = settings_edit(s, ctx);
    if (config == NULL) {
        blob_free(blob);
        return 0;
    }
    blob_set(&config->client_cert_types, blob);
    return 1;
}

bool ctrl_negotiation(SSL *s, SSL_CTX *ctx, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_SET_TMP_DH:
        *result = dh_set(s, ctx, parg);
        return true;
    case SSL_CTRL_SET_TMP_DH_CB:
        raise_error(ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
        *result = 0;
        return true;
    case SSL_CTRL_SET_DH_AUTO:
        *result = set_dh_auto(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_TMP_ECDH:
        *result = ecdh_set(s, ctx, parg);
        return true;
    case SSL_CTRL_SET_GROUPS:
        *result = groups_set(s, ctx, parg, larg);
        return true;
    case SSL_CTRL_SET_GROUPS_LIST:
        *result = groups_set_list(s, ctx, parg);
        return true;
    case SSL_CTRL_SET_SIGALGS:
        *result = sigalgs_set(s, ctx, parg, larg, false);
        return true;
    case SSL_CTRL_SET_SIGALGS_LIST:
        *result = sigalgs_set_list(s, ctx, parg, false);
        return true;
    case SSL_CTRL_SET_CLIENT_SIGALGS:
        *result = sigalgs_set(s, ctx, parg, larg, true);
        return true;
    case SSL_CTRL_SET_CLIENT_SIGALGS_LIST:
        *result = sigalgs_set_list(s, ctx, parg, true);
        return true;
    case SSL_CTRL_SET_CLIENT_CERT_TYPES:
        *result = set_cert_types(s, ctx, parg, larg);
        return true;
    default:
        return false;
    }
}

bool ctrl_certificates(SSL *s, SSL_CTX *ctx, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_CHAIN:
        *result = chain_set(s, ctx, parg, larg != 0);
        return true;
    case SSL_CTRL_CHAIN_CERT:
        *result = chain_add(s, ctx, parg, larg != 0);
        return true;
    case SSL_CTRL_GET_CHAIN_CERTS:
        *result = chain_get(s, ctx, parg);
        return true;
    case SSL_CTRL_BUILD_CERT_CHAIN:
        *result = chain_build(s, ctx, larg);
        return true;
    case SSL_CTRL_SELECT_CURRENT_CERT:
        *result = certs_select_current(s, ctx, parg);
        return true;
    case SSL_CTRL_SET_CURRENT_CERT:
        *result = certs_set_current(s, ctx, larg);
        return true;
    case SSL_CTRL_SET_VERIFY_CERT_STORE:
        *result = stores_set_verify(s, ctx, parg, larg != 0);
        return true;
    case SSL_CTRL_SET_CHAIN_CERT_STORE:
        *result = stores_set_chain(s, ctx, parg, larg != 0);
        return true;
    case SSL_CTRL_GET_VERIFY_CERT_STORE:
        *result = stores_get_verify(s, ctx, parg);
        return true;
    case SSL_CTRL_GET_CHAIN_CERT_STORE:
        *result = stores_get_chain(s, ctx, parg);
        return true;
    default:
        return false;
    }
}
