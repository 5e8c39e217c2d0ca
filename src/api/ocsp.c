/*
 * Stapled OCSP responses (RFC 6066, 8): what the application sets and asks through control
 * commands, and what the core asks. Behaviour: SSL_CTX_set_tlsext_status_cb(3).
 */
#include "api/ocsp.h"

#include "api/certs.h"

#include <openssl/err.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

/* --- Control commands --- */

long ocsp_set_type(SSL *s, SSL_CTX *ctx, long type)
{
    struct ssl_config *config = settings_edit(s, ctx);

    if (config == NULL) {
        return 0;
    }
    config->status_type = (int)type;
    config->core.request_ocsp = type == TLSEXT_STATUSTYPE_ocsp;
    return 1;
}

long ocsp_get_type(const SSL *s, const SSL_CTX *ctx)
{
    /* A server tells what the client asked for. */
    if (s != NULL && s->conn.role == ROLE_SERVER && s->conn.neg.peer_wants_ocsp) {
        return TLSEXT_STATUSTYPE_ocsp;
    }
    return settings_of(s, ctx)->status_type;
}

long ocsp_get_extensions(const SSL *s, STACK_OF(X509_EXTENSION) **extensions)
{
    *extensions = s->ocsp_exts;
    return 1;
}

/* What is replaced stays the application's, as OpenSSL has it. */
long ocsp_set_extensions(SSL *s, STACK_OF(X509_EXTENSION) *extensions)
{
    s->ocsp_exts = extensions;
    return 1;
}

long ocsp_get_ids(const SSL *s, STACK_OF(OCSP_RESPID) **ids)
{
    *ids = s->ocsp_ids;
    return 1;
}

long ocsp_set_ids(SSL *s, STACK_OF(OCSP_RESPID) *ids)
{
    s->ocsp_ids = ids;
    return 1;
}

long ocsp_get_response(const SSL *s, unsigned char **response)
{
    *response = s->ocsp_response;
    return s->ocsp_response_len == 0 ? -1 : (long)s->ocsp_response_len;
}

long ocsp_set_response(SSL *s, unsigned char *response, long len)
{
    OPENSSL_free(s->ocsp_response);
    s->ocsp_response = response;
    s->ocsp_response_len = len > 0 ? (size_t)len : 0;
    return 1;
}

static void free_ids(SSL *s)
{
    sk_OCSP_RESPID_pop_free(s->ocsp_ids, OCSP_RESPID_free);
    s->ocsp_ids = NULL;
}

static void free_extensions(SSL *s)
{
    sk_X509_EXTENSION_pop_free(s->ocsp_exts, X509_EXTENSION_free);
    s->ocsp_exts = NULL;
}

void ocsp_wipe(SSL *s)
{
    free_ids(s);
    free_extensions(s);
    (void)ocsp_set_response(s, NULL, 0);
}

/* --- The request --- */

/* Appends one ResponderID with its length. */
static bool append_id(struct writer *w, OCSP_RESPID *id)
{
    int len = i2d_OCSP_RESPID(id, NULL);
    unsigned char *out;

    writer_open(w, 2);
    out = len > 0 ? writer_space(w, (size_t)len) : NULL;
    if (out == NULL || i2d_OCSP_RESPID(id, &out) != len) {
        return false;
    }
    writer_close(w);
    return true;
}

static bool append_extensions(struct writer *w, const STACK_OF(X509_EXTENSION) *extensions)
{
    int len = i2d_X509_EXTENSIONS(extensions, NULL);
    unsigned char *out = len > 0 ? writer_space(w, (size_t)len) : NULL;

    return out != NULL && i2d_X509_EXTENSIONS(extensions, &out) == len;
}

bool ocsp_write_request(void *owner, struct writer *w)
{
    SSL *s = owner;

    /* The callback shall not see the response of an earlier handshake. */
    (void)ocsp_set_response(s, NULL, 0);
    writer_open(w, 2);
    for (int i = 0; i < sk_OCSP_RESPID_num(s->ocsp_ids); i++) {
        if (!append_id(w, sk_OCSP_RESPID_value(s->ocsp_ids, i))) {
            return false;
        }
    }
    writer_close(w);
    writer_open(w, 2);
    if (s->ocsp_exts != NULL && !append_extensions(w, s->ocsp_exts)) {
        return false;
    }
    writer_close(w);
    return true;
}

static bool read_ids(SSL *s, struct reader list)
{
    struct reader der;

    free_ids(s);
    if (reader_is_empty(&list)) {
        return true;
    }
    s->ocsp_ids = sk_OCSP_RESPID_new_null();
    while (!reader_is_empty(&list)) {
        OCSP_RESPID *id = NULL;

        if (reader_vec16(&list, &der)) {
            const unsigned char *at = der.at;

            id = d2i_OCSP_RESPID(NULL, &at, (long)der.left);
            if (id != NULL && at != der.at + der.left) {
                OCSP_RESPID_free(id);
                id = NULL;
            }
        }
        if (id == NULL || !sk_OCSP_RESPID_push(s->ocsp_ids, id)) {
            OCSP_RESPID_free(id);
            return false;
        }
    }
    return true;
}

bool ocsp_read_request(void *owner, struct reader responders, struct reader extensions)
{
    SSL *s = owner;
    const unsigned char *at = extensions.at;

    if (!read_ids(s, responders)) {
        return false;
    }
    if (reader_is_empty(&extensions)) {
        return true;
    }
    free_extensions(s);
    s->ocsp_exts = d2i_X509_EXTENSIONS(NULL, &at, (long)extensions.left);
    return s->ocsp_exts != NULL && at == extensions.at + extensions.left;
}

/* --- The response --- */

enum hook_answer ocsp_staple(void *owner, struct blob **response, struct record_error *failure)
{
    SSL *s = owner;

    if (s->ctx->status_cb == NULL || s->conn.neg.own_slot == KEY_NONE) {
        return HOOK_NONE;
    }
    /* The callback asks SSL_get_certificate() for the one that will be sent. */
    (void)certs_set_current(s, NULL, SSL_CERT_SET_SERVER);
    switch (s->ctx->status_cb(s, s->ctx->status_arg)) {
    case SSL_TLSEXT_ERR_NOACK:
        return HOOK_NONE;
    case SSL_TLSEXT_ERR_OK:
        if (s->ocsp_response == NULL) {
            return HOOK_NONE;
        }
        *response = blob_new(s->ocsp_response, s->ocsp_response_len);
        if (*response != NULL) {
            return HOOK_OK;
        }
        failure->alert = SSL_AD_INTERNAL_ERROR;
        failure->reason = ERR_R_MALLOC_FAILURE;
        return HOOK_FAIL;
    default:
        failure->alert = SSL_AD_INTERNAL_ERROR;
        failure->reason = SSL_R_CLIENTHELLO_TLSEXT;
        return HOOK_FAIL;
    }
}

bool ocsp_received(void *owner, const uint8_t *response, size_t len)
{
    unsigned char *copy = OPENSSL_memdup(response, len);

    if (copy == NULL && len > 0) {
        return false;
    }
    return ocsp_set_response(owner, copy, (long)len) == 1;
}

enum hook_answer ocsp_check(void *owner, struct record_error *failure)
{
    SSL *s = owner;
    int answer = s->ctx->status_cb != NULL ? s->ctx->status_cb(s, s->ctx->status_arg) : 1;

    if (answer == 0) {
        failure->alert = SSL_AD_BAD_CERTIFICATE_STATUS_RESPONSE;
        failure->reason = SSL_R_INVALID_STATUS_RESPONSE;
        return HOOK_FAIL;
    }
    if (answer < 0) {
        failure->alert = SSL_AD_INTERNAL_ERROR;
        failure->reason = SSL_R_OCSP_CALLBACK_FAILURE;
        return HOOK_FAIL;
    }
    return HOOK_OK;
}
