/*
 * Control commands of a connection alone: what it knows of its peer, OCSP, the name it asks for.
 */
#include "api/ctrl.h"

#include "api/lists.h"
#include "api/ocsp.h"
#include "api/pump.h"
#include "api/verify.h"
#include "handshake/handshake.h"
#include <string.h>

/* SSL_get0_raw_cipherlist() without a pointer asks for the size of one suite. */
#define SUITE_LEN 2

static long replace_hostname(SSL *s, const char *name)
{
    OPENSSL_free(s->hostname);
    s->hostname = NULL;
    if (name == NULL) {
        return 1;
    }
    size_t len = strlen(name);
    if (len == 0 || len > TLSEXT_MAXLEN_host_name) {
        raise_error(SSL_R_SSL3_EXT_INVALID_SERVERNAME);
        return 0;
    }
    s->hostname = OPENSSL_strdup(name);
    if (s->hostname == NULL) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    return 1;
}

static long set_hostname(SSL *s, long type, const char *name)
{
    if (type != TLSEXT_NAMETYPE_host_name) {
        raise_error(SSL_R_SSL3_EXT_INVALID_SERVERNAME_TYPE);
        return 0;
    }
    long result = replace_hostname(s, name);
    /* Callbacks may set it before the hello is written; a renegotiation asks for the new one. */
    bool has_begun = s->in_handshake || !SSL_in_before(s);
    if (has_begun && s->conn.role == ROLE_CLIENT && !ssl_ask_for_hostname(s)) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    return result;
}

static long set_msg_callback_arg(SSL *s, void *arg)
{
    struct ssl_config *config = ssl_edit(s);

    if (config == NULL) {
        return 0;
    }
    config->msg_callback_arg = arg;
    return 1;
}

static bool ctrl_ocsp(SSL *s, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_TYPE:
        *result = ocsp_set_type(s, NULL, larg);
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_TYPE:
        *result = ocsp_get_type(s, NULL);
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_EXTS:
        *result = ocsp_get_extensions(s, parg);
        return true;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_EXTS:
        *result = ocsp_set_extensions(s, parg);
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_IDS:
        *result = ocsp_get_ids(s, parg);
        return true;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_IDS:
        *result = ocsp_set_ids(s, parg);
        return true;
    case SSL_CTRL_GET_TLSEXT_STATUS_REQ_OCSP_RESP:
        *result = ocsp_get_response(s, parg);
        return true;
    case SSL_CTRL_SET_TLSEXT_STATUS_REQ_OCSP_RESP:
        *result = ocsp_set_response(s, parg, larg);
        return true;
    default:
        return false;
    }
}

/* Gives out a received list; 0 and *out untouched when there is none. */
static long give_blob(const struct blob *list, void *out)
{
    if (list == NULL) {
        return 0;
    }
    *(const uint8_t **)out = list->bytes;
    return (long)list->len;
}

/* num_renegotiations() of before, which starts again at nothing. */
static long clear_num_renegotiations(struct tls_conn *c)
{
    long num = c->num_renegotiations;

    c->num_renegotiations = 0;
    return num;
}

static bool ctrl_renegotiations(SSL *s, int cmd, long *result)
{
    switch (cmd) {
    case SSL_CTRL_GET_NUM_RENEGOTIATIONS:
        *result = s->conn.num_renegotiations;
        return true;
    case SSL_CTRL_CLEAR_NUM_RENEGOTIATIONS:
        *result = clear_num_renegotiations(&s->conn);
        return true;
    case SSL_CTRL_GET_TOTAL_RENEGOTIATIONS:
        *result = s->conn.total_renegotiations;
        return true;
    default:
        return false;
    }
}

/* The types a TLS 1.2 server asks for; a caller who passes no place for them learns how many. */
static long client_cert_types(const SSL *s, void *out)
{
    const struct blob *types = s->conn.neg.peer_cert_types;

    if (SSL_is_server(s) || types == NULL) {
        return 0;
    }
    return out == NULL ? (long)types->len : give_blob(types, out);
}

static long give_digest(const struct sig_scheme *scheme, void *out)
{
    if (scheme == NULL) {
        return 0;
    }
    *(int *)out = scheme->hash_nid;
    return 1;
}

/* A key share as a public key that the caller owns. sender: whose it is. A server's share of a KEM
 * is no key. */
static long give_share(const SSL *s, const struct group *group, const struct blob *share,
                       enum role sender, void *out)
{
    if (share == NULL || group == NULL ||
        (group->kind == GROUP_PROVIDED_KEM && sender == ROLE_SERVER)) {
        return 0;
    }
    EVP_PKEY *key = group_share_to_pkey(s->ctx->lib, group, share->bytes, share->len);
    if (key == NULL) {
        return 0;
    }
    *(EVP_PKEY **)out = key;
    return 1;
}

static long give_key(EVP_PKEY *key, void *out)
{
    if (!EVP_PKEY_up_ref(key)) {
        return 0;
    }
    *(EVP_PKEY **)out = key;
    return 1;
}

static long give_peer_share(const SSL *s, void *out)
{
    EVP_PKEY *dhe = s->conn.neg.peer_dhe;

    if (dhe == NULL) {
        /* In TLS 1.2 only clients get to know it. */
        if (s->conn.neg.version != VERSION_TLS13 && SSL_is_server(s)) {
            return 0;
        }
        return give_share(s, s->conn.neg.group, s->conn.neg.peer_share,
                          SSL_is_server(s) ? ROLE_CLIENT : ROLE_SERVER, out);
    }
    return give_key(dhe, out);
}

static long negotiated_group(const SSL *s)
{
    if (s->conn.neg.group != NULL) {
        return group_nid_or_id(s->conn.neg.group->id);
    }
    return s->conn.session == NULL ? NID_undef : group_nid_or_id(s->conn.session->group);
}

/* In TLS 1.2 a server's key is gone once the client has answered, a client's is never shown. */
static long give_own_share(const SSL *s, void *out)
{
    const struct tls_conn *c = &s->conn;

    if (c->hs != NULL && c->role == ROLE_SERVER && c->hs->dhe_key != NULL) {
        return give_key(c->hs->dhe_key, out);
    }
    return give_share(s, c->neg.own_share_group, c->neg.own_share, c->role, out);
}

static long extended_master_secret(const SSL *s)
{
    if (s->conn.session == NULL || SSL_in_init(s)) {
        return -1;
    }
    return s->conn.session->extended_master_secret;
}

/* What OpenSSL keeps in one word of flags: the extensions of TLS 1.2 that change how secrets and
 * records are made. */
static long flags_of(const struct tls_conn *c)
{
    bool own_mac = c->neg.suite != NULL && c->neg.suite->aead == AEAD_NONE;
    bool etm = c->neg.encrypt_then_mac && own_mac && c->neg.version != TLS1_3_VERSION;
    long flags = 0;

    if (c->neg.extended_master_secret) {
        flags |= TLS1_FLAGS_RECEIVED_EXTMS;
    }
    if (c->neg.kept_extended_master) {
        flags |= TLS1_FLAGS_REQUIRED_EXTMS;
    }
    if (etm && c->in.epoch == EPOCH_APPLICATION) {
        flags |= TLS1_FLAGS_ENCRYPT_THEN_MAC_READ;
    }
    if (etm && c->out.epoch == EPOCH_APPLICATION) {
        flags |= TLS1_FLAGS_ENCRYPT_THEN_MAC_WRITE;
    }
    return flags;
}

static bool ctrl_peer(SSL *s, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_GET_GROUPS:
        *result = s->conn.session == NULL ? 0 : groups_of_peer(s, parg);
        return true;
    case SSL_CTRL_GET_SHARED_GROUP:
        *result = groups_shared(s, larg);
        return true;
    case SSL_CTRL_GET_NEGOTIATED_GROUP:
        *result = negotiated_group(s);
        return true;
    case SSL_CTRL_GET_PEER_SIGNATURE_NID:
        *result = give_digest(s->conn.neg.peer_scheme, parg);
        return true;
    case SSL_CTRL_GET_SIGNATURE_NID:
        *result = give_digest(s->conn.neg.own_scheme, parg);
        return true;
    case SSL_CTRL_GET_PEER_TMP_KEY:
        *result = give_peer_share(s, parg);
        return true;
    case SSL_CTRL_GET_TMP_KEY:
        *result = give_own_share(s, parg);
        return true;
    case SSL_CTRL_GET_RAW_CIPHERLIST:
        *result = parg == NULL ? SUITE_LEN : give_blob(s->conn.neg.peer_suites, parg);
        return true;
    case SSL_CTRL_GET_EC_POINT_FORMATS:
        *result = give_blob(s->conn.neg.peer_point_formats, parg);
        return true;
    case SSL_CTRL_GET_CLIENT_CERT_TYPES:
        *result = client_cert_types(s, parg);
        return true;
    case SSL_CTRL_GET_RI_SUPPORT:
        *result = s->conn.neg.secure_renegotiation;
        return true;
    case SSL_CTRL_GET_FLAGS:
        *result = flags_of(&s->conn);
        return true;
    case SSL_CTRL_GET_EXTMS_SUPPORT:
        *result = extended_master_secret(s);
        return true;
    default:
        return false;
    }
}

bool ctrl_connection(SSL *s, int cmd, long larg, void *parg, long *result)
{
    switch (cmd) {
    case SSL_CTRL_SET_TLSEXT_HOSTNAME:
        *result = set_hostname(s, larg, parg);
        return true;
    case SSL_CTRL_SET_MSG_CALLBACK_ARG:
        *result = set_msg_callback_arg(s, parg);
        return true;
    case SSL_CTRL_SET_TLSEXT_DEBUG_ARG:
        s->tlsext_debug_arg = parg;
        *result = 1;
        return true;
    case SSL_CTRL_SET_RETRY_VERIFY:
        *result = verify_set_retry(s);
        return true;
    default:
        return ctrl_ocsp(s, cmd, larg, parg, result) || ctrl_renegotiations(s, cmd, result) ||
               ctrl_peer(s, cmd, larg, parg, result);
    }
}
