/*
 * What a connection can say of itself and its handshake.
 */
#include "api/internal.h"

#include "handshake/states.h"

#include "api/versions.h"
#include <string.h>

/* --- Role and version --- */

int SSL_is_dtls(const SSL *s)
{
    return s->method->dtls;
}

int SSL_version(const SSL *s)
{
    if (s->conn.neg.version != 0) {
        return s->conn.neg.version;
    }
    return s->config->core.only_version != 0 ? s->config->core.only_version : TLS1_3_VERSION;
}

const char *SSL_get_version(const SSL *s)
{
    return version_name(SSL_version(s));
}

int SSL_client_version(const SSL *s)
{
    uint16_t version = s->conn.neg.client_version;

    /* A server takes the client's word when it has chosen a version itself. */
    if (version == 0 || (SSL_is_server(s) && s->conn.neg.version == 0)) {
        return s->method->version;
    }
    return version; /* the field of the ClientHello */
}

/* --- Suite, randoms, Finished --- */

const SSL_CIPHER *SSL_get_current_cipher(const SSL *s)
{
    return s->conn.session == NULL ? NULL : s->conn.session->suite;
}

const SSL_CIPHER *SSL_get_pending_cipher(const SSL *s)
{
    return s->conn.neg.suite;
}

static size_t give_random(const uint8_t random[SSL3_RANDOM_SIZE], unsigned char *out, size_t room)
{
    if (room == 0) {
        return SSL3_RANDOM_SIZE;
    }
    if (room > SSL3_RANDOM_SIZE) {
        room = SSL3_RANDOM_SIZE;
    }
    memcpy(out, random, room);
    return room;
}

size_t SSL_get_client_random(const SSL *s, unsigned char *out, size_t outlen)
{
    return give_random(s->conn.neg.client_random, out, outlen);
}

size_t SSL_get_server_random(const SSL *s, unsigned char *out, size_t outlen)
{
    return give_random(s->conn.neg.server_random, out, outlen);
}

static size_t give_finished(const struct secret *finished, void *buf, size_t count)
{
    memcpy(buf, finished->bytes, count < finished->len ? count : finished->len);
    return finished->len;
}

size_t SSL_get_finished(const SSL *s, void *buf, size_t count)
{
    return give_finished(&s->conn.neg.own_finished, buf, count);
}

size_t SSL_get_peer_finished(const SSL *s, void *buf, size_t count)
{
    return give_finished(&s->conn.neg.peer_finished, buf, count);
}

/* --- Signatures --- */

static int give_key_type(const struct sig_scheme *scheme, int *nid)
{
    if (scheme == NULL) {
        return 0;
    }
    *nid = scheme->sig_nid;
    return 1;
}

int SSL_get_signature_type_nid(const SSL *s, int *pnid)
{
    return give_key_type(s->conn.neg.own_scheme, pnid);
}

int SSL_get_peer_signature_type_nid(const SSL *s, int *pnid)
{
    return give_key_type(s->conn.neg.peer_scheme, pnid);
}

/* --- Names --- */

/* The received name as a string: kept where a client keeps the name it asks for, which a server has
 * no other use for. */
static const char *received_name(const SSL *s)
{
    union {
        const SSL *given;
        SSL *writable;
    } object = { .given = s };
    const struct blob *name = s->conn.neg.server_name;

    if (name == NULL) {
        /* What was set on a server counts until the client has come. */
        return s->conn.state == STATE_BEFORE ? s->hostname : NULL;
    }
    if (s->hostname == NULL || strlen(s->hostname) != name->len ||
        memcmp(s->hostname, name->bytes, name->len) != 0) {
        char *copy = OPENSSL_strndup((const char *)name->bytes, name->len);

        if (copy == NULL) {
            return NULL;
        }
        OPENSSL_free(s->hostname);
        object.writable->hostname = copy;
    }
    return s->hostname;
}

/* In TLS 1.2 the name belongs to the session: the one it was made for counts when it is resumed. */
static bool has_resumed(const SSL *s)
{
    return s->conn.neg.resumed && s->conn.neg.version != TLS1_3_VERSION;
}

static const char *clients_name(const SSL *s)
{
    const struct ssl_session_st *session = s->conn.session;
    bool offers = s->conn.state == STATE_BEFORE && s->hostname == NULL && session != NULL &&
                  session->version != TLS1_3_VERSION;

    return (offers || has_resumed(s)) && session->hostname != NULL ? session->hostname
                                                                   : s->hostname;
}

const char *SSL_get_servername(const SSL *s, const int type)
{
    if (type != TLSEXT_NAMETYPE_host_name) {
        return NULL;
    }
    if (s->conn.role != ROLE_SERVER) {
        return clients_name(s);
    }
    return has_resumed(s) ? s->conn.session->hostname : received_name(s);
}

int SSL_get_servername_type(const SSL *s)
{
    return SSL_get_servername(s, TLSEXT_NAMETYPE_host_name) != NULL ? TLSEXT_NAMETYPE_host_name
                                                                    : -1;
}

void SSL_get0_alpn_selected(const SSL *s, const unsigned char **data, unsigned int *len)
{
    const struct blob *alpn = s->conn.neg.alpn;

    *data = alpn == NULL ? NULL : alpn->bytes;
    *len = (unsigned int)blob_len(alpn);
}

const char *SSL_get_psk_identity_hint(const SSL *s)
{
    return s == NULL || s->conn.session == NULL ? NULL : s->conn.session->psk_identity_hint;
}

const char *SSL_get_psk_identity(const SSL *s)
{
    return s == NULL || s->conn.session == NULL ? NULL : s->conn.session->psk_identity;
}

/* --- Resumption and early data --- */

int SSL_session_reused(const SSL *s)
{
    return s->conn.neg.resumed;
}

int SSL_get_early_data_status(const SSL *s)
{
    return (int)s->conn.neg.early_data;
}

/* --- What is always the same --- */

/* Buffers are taken when needed and given back when empty, whatever the application wants. */
int SSL_alloc_buffers(SSL *s)
{
    (void)s;
    return 1;
}

int SSL_free_buffers(SSL *s)
{
    return s->conn.in.current_size == 0 && record_in_buffered(&s->conn.in) == 0 &&
           s->pending.len == 0;
}

void SSL_set_debug(SSL *s, int debug)
{
    (void)s;
    (void)debug;
}
