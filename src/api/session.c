/*
 * SSL_SESSION as an object: its accessors, what a connection and a context keep of it, and the
 * settings about sessions and tickets. The cache is in session_cache.c, encodings in
 * session_asn1.c, text in session_text.c. Behaviour: SSL_SESSION_free(3), SSL_SESSION_get_time(3),
 * SSL_SESSION_set1_id(3), SSL_set_session(3), SSL_CTX_set_session_ticket_cb(3)
 * and their neighbours.
 */
#include "api/certs.h"
#include "api/resumption.h"
#include "api/session_cache.h"

#include <openssl/err.h>

#include <string.h>
#include <time.h>

/* Seconds a session lives that no context has given a timeout. */
#define BARE_SESSION_TIMEOUT (5 * 60 + 4)

/* Seconds a session lives by default, for every method. */
#define DEFAULT_TIMEOUT (2 * 60 * 60)

/* --- Life --- */

SSL_SESSION *SSL_SESSION_new(void)
{
    SSL_SESSION *session;

    if (!OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS, NULL)) {
        return NULL;
    }
    session = session_new(time(NULL), BARE_SESSION_TIMEOUT);
    if (session == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    }
    return session;
}

SSL_SESSION *SSL_SESSION_dup(const SSL_SESSION *src)
{
    SSL_SESSION *copy = session_copy(src, true);

    if (copy == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    }
    return copy;
}

int SSL_SESSION_up_ref(SSL_SESSION *ses)
{
    return session_ref(ses) != NULL;
}

void SSL_SESSION_free(SSL_SESSION *ses)
{
    session_free(ses);
}

int SSL_SESSION_set_ex_data(SSL_SESSION *ss, int idx, void *data)
{
    CRYPTO_EX_DATA *all = session_ex_data(ss);

    return all != NULL ? CRYPTO_set_ex_data(all, idx, data) : 0;
}

void *SSL_SESSION_get_ex_data(const SSL_SESSION *ss, int idx)
{
    const CRYPTO_EX_DATA *all = session_ex_data((SSL_SESSION *)(uintptr_t)ss);

    return all != NULL ? CRYPTO_get_ex_data(all, idx) : NULL;
}

/* --- Facts --- */

long SSL_SESSION_get_time(const SSL_SESSION *s)
{
    return s != NULL ? (long)s->time : 0;
}

long SSL_SESSION_set_time(SSL_SESSION *s, long t)
{
    if (s == NULL) {
        return 0;
    }
    session_cache_set_times(s, t, s->timeout);
    return t;
}

long SSL_SESSION_get_timeout(const SSL_SESSION *s)
{
    return s != NULL ? (long)s->timeout : 0;
}

long SSL_SESSION_set_timeout(SSL_SESSION *s, long t)
{
    if (s == NULL || t < 0) {
        return 0;
    }
    session_cache_set_times(s, s->time, t);
    return 1;
}

int SSL_SESSION_get_protocol_version(const SSL_SESSION *s)
{
    return s->version;
}

int SSL_SESSION_set_protocol_version(SSL_SESSION *s, int version)
{
    session_cache_rename(s, (uint16_t)version, s->id, s->id_len);
    return 1;
}

const SSL_CIPHER *SSL_SESSION_get0_cipher(const SSL_SESSION *s)
{
    return s->suite;
}

int SSL_SESSION_set_cipher(SSL_SESSION *s, const SSL_CIPHER *cipher)
{
    s->suite = cipher;
    return 1;
}

unsigned int SSL_SESSION_get_compress_id(const SSL_SESSION *s)
{
    (void)s;
    return 0; /* no compression */
}

X509 *SSL_SESSION_get0_peer(SSL_SESSION *s)
{
    return peer_chain_own(s->peer, 0);
}

int SSL_SESSION_is_resumable(const SSL_SESSION *s)
{
    return session_is_resumable(s);
}

uint32_t SSL_SESSION_get_max_early_data(const SSL_SESSION *s)
{
    return s->max_early_data;
}

int SSL_SESSION_set_max_early_data(SSL_SESSION *s, uint32_t max_early_data)
{
    s->max_early_data = max_early_data;
    return 1;
}

uint8_t SSL_SESSION_get_max_fragment_length(const SSL_SESSION *session)
{
    return session->max_fragment_code;
}

/* --- Identifiers and secrets --- */

const unsigned char *SSL_SESSION_get_id(const SSL_SESSION *s, unsigned int *len)
{
    if (len != NULL) {
        *len = s->id_len;
    }
    return s->id;
}

int SSL_SESSION_set1_id(SSL_SESSION *s, const unsigned char *sid, unsigned int sid_len)
{
    if (sid_len > SESSION_MAX_ID) {
        raise_error(SSL_R_SSL_SESSION_ID_TOO_LONG);
        return 0;
    }
    session_cache_rename(s, s->version, sid, sid_len);
    return 1;
}

const unsigned char *SSL_SESSION_get0_id_context(const SSL_SESSION *s, unsigned int *len)
{
    if (len != NULL) {
        *len = s->context_len;
    }
    return s->context;
}

/* True when len bytes fit a session id context; else an error was raised. */
static bool is_context_len(size_t len)
{
    if (len > SESSION_MAX_CONTEXT) {
        raise_error(SSL_R_SSL_SESSION_ID_CONTEXT_TOO_LONG);
        return false;
    }
    return true;
}

int SSL_SESSION_set1_id_context(SSL_SESSION *s, const unsigned char *sid_ctx,
                                unsigned int sid_ctx_len)
{
    if (!is_context_len(sid_ctx_len)) {
        return 0;
    }
    s->context_len = (uint8_t)sid_ctx_len;
    if (sid_ctx_len > 0) {
        memmove(s->context, sid_ctx, sid_ctx_len);
    }
    return 1;
}

size_t SSL_SESSION_get_master_key(const SSL_SESSION *sess, unsigned char *out, size_t outlen)
{
    if (outlen == 0) {
        return sess->master.len;
    }
    if (outlen > sess->master.len) {
        outlen = sess->master.len;
    }
    memcpy(out, sess->master.bytes, outlen);
    return outlen;
}

int SSL_SESSION_set1_master_key(SSL_SESSION *sess, const unsigned char *in, size_t len)
{
    if (len > SECRET_MAX) {
        return 0;
    }
    secret_set(&sess->master, in, len);
    return 1;
}

/* --- Ticket, names --- */

int SSL_SESSION_has_ticket(const SSL_SESSION *s)
{
    return blob_len(s->ticket) > 0;
}

unsigned long SSL_SESSION_get_ticket_lifetime_hint(const SSL_SESSION *s)
{
    return s->ticket_lifetime_hint;
}

void SSL_SESSION_get0_ticket(const SSL_SESSION *s, const unsigned char **tick, size_t *len)
{
    *len = blob_len(s->ticket);
    if (tick != NULL) {
        *tick = s->ticket != NULL ? s->ticket->bytes : NULL;
    }
}

/* Replaces *slot by a copy of data; none for NULL or no bytes. */
static int replace_bytes(struct blob **slot, const void *data, size_t len)
{
    struct blob *copy = NULL;

    if (data != NULL && len > 0) {
        copy = blob_new(data, len);
        if (copy == NULL) {
            return 0;
        }
    }
    blob_set(slot, copy);
    return 1;
}

int SSL_SESSION_set1_ticket_appdata(SSL_SESSION *ss, const void *data, size_t len)
{
    return replace_bytes(&ss->ticket_appdata, data, len);
}

int SSL_SESSION_get0_ticket_appdata(SSL_SESSION *ss, void **data, size_t *len)
{
    *data = ss->ticket_appdata != NULL ? ss->ticket_appdata->bytes : NULL;
    *len = blob_len(ss->ticket_appdata);
    return 1;
}

void SSL_SESSION_get0_alpn_selected(const SSL_SESSION *s, const unsigned char **alpn, size_t *len)
{
    *alpn = s->alpn != NULL ? s->alpn->bytes : NULL;
    *len = blob_len(s->alpn);
}

int SSL_SESSION_set1_alpn_selected(SSL_SESSION *s, const unsigned char *alpn, size_t len)
{
    return replace_bytes(&s->alpn, alpn, len);
}

const char *SSL_SESSION_get0_hostname(const SSL_SESSION *s)
{
    return s->hostname;
}

int SSL_SESSION_set1_hostname(SSL_SESSION *s, const char *hostname)
{
    char *copy = NULL;

    if (hostname != NULL) {
        copy = OPENSSL_strdup(hostname);
    }
    OPENSSL_free(s->hostname);
    s->hostname = copy;
    return hostname == NULL || copy != NULL;
}

/* --- A connection's session --- */

SSL_SESSION *SSL_get_session(const SSL *ssl)
{
    return ssl->conn.session;
}

SSL_SESSION *SSL_get1_session(SSL *ssl)
{
    return session_ref(ssl->conn.session);
}

int SSL_set_session(SSL *to, SSL_SESSION *session)
{
    (void)forget_unclosed_session(to);
    if (session != NULL) {
        (void)session_ref(session);
        to->verify_result = session->verify_result;
    }
    session_free(to->conn.session);
    to->conn.session = session;
    return 1;
}

int SSL_copy_session_id(SSL *to, const SSL *from)
{
    struct ssl_config *config;

    if (!SSL_set_session(to, SSL_get_session(from))) {
        return 0;
    }
    config = ssl_edit(to);
    if (config == NULL) {
        return 0;
    }
    credentials_free(config->core.credentials);
    config->core.credentials = credentials_ref(from->config->core.credentials);
    return SSL_set_session_id_context(to, from->config->session_context,
                                      (unsigned)from->config->session_context_len);
}

/* --- Settings --- */

long SSL_CTX_set_timeout(SSL_CTX *ctx, long t)
{
    long before;

    if (ctx == NULL) {
        return 0;
    }
    before = ctx->session_timeout;
    ctx->session_timeout = t;
    return before;
}

long SSL_CTX_get_timeout(const SSL_CTX *ctx)
{
    return ctx != NULL ? ctx->session_timeout : 0;
}

long SSL_get_default_timeout(const SSL *s)
{
    (void)s;
    return DEFAULT_TIMEOUT;
}

static int set_context(SSL *s, SSL_CTX *ctx, const unsigned char *context, unsigned len)
{
    struct ssl_config *config;

    if (!is_context_len(len)) {
        return 0;
    }
    config = settings_edit(s, ctx);
    if (config == NULL) {
        return 0;
    }
    config->session_context_len = len;
    if (len > 0) {
        memmove(config->session_context, context, len);
    }
    return 1;
}

int SSL_set_session_id_context(SSL *ssl, const unsigned char *sid_ctx, unsigned int sid_ctx_len)
{
    return set_context(ssl, NULL, sid_ctx, sid_ctx_len);
}

int SSL_CTX_set_session_id_context(SSL_CTX *ctx, const unsigned char *sid_ctx,
                                   unsigned int sid_ctx_len)
{
    return set_context(NULL, ctx, sid_ctx, sid_ctx_len);
}

int SSL_set_generate_session_id(SSL *ssl, GEN_SESSION_CB cb)
{
    struct ssl_config *config = ssl_edit(ssl);

    if (config == NULL) {
        return 0;
    }
    config->generate_session_id = cb;
    return 1;
}

int SSL_CTX_set_generate_session_id(SSL_CTX *ctx, GEN_SESSION_CB cb)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config == NULL) {
        return 0;
    }
    config->generate_session_id = cb;
    return 1;
}

void SSL_set_not_resumable_session_callback(SSL *ssl, int (*cb)(SSL *ssl, int is_forward_secure))
{
    struct ssl_config *config = ssl_edit(ssl);

    if (config != NULL) {
        config->not_resumable_callback = cb;
    }
}

void SSL_CTX_set_not_resumable_session_callback(SSL_CTX *ctx,
                                                int (*cb)(SSL *ssl, int is_forward_secure))
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config != NULL) {
        config->not_resumable_callback = cb;
    }
}

int SSL_set_num_tickets(SSL *s, size_t num_tickets)
{
    struct ssl_config *config = ssl_edit(s);

    if (config == NULL) {
        return 0;
    }
    config->core.num_tickets = num_tickets;
    return 1;
}

int SSL_CTX_set_num_tickets(SSL_CTX *ctx, size_t num_tickets)
{
    struct ssl_config *config = ctx_edit(ctx);

    if (config == NULL) {
        return 0;
    }
    config->core.num_tickets = num_tickets;
    return 1;
}

size_t SSL_get_num_tickets(const SSL *s)
{
    return s->config->core.num_tickets;
}

size_t SSL_CTX_get_num_tickets(const SSL_CTX *ctx)
{
    return ctx->config->core.num_tickets;
}

int SSL_CTX_set_session_ticket_cb(SSL_CTX *ctx, SSL_CTX_generate_session_ticket_fn gen_cb,
                                  SSL_CTX_decrypt_session_ticket_fn dec_cb, void *arg)
{
    ctx->generate_ticket_cb = gen_cb;
    ctx->decrypt_ticket_cb = dec_cb;
    ctx->ticket_cb_arg = arg;
    return 1;
}

int SSL_CTX_set_tlsext_ticket_key_evp_cb(SSL_CTX *ctx,
                                         int (*fp)(SSL *, unsigned char *, unsigned char *,
                                                   EVP_CIPHER_CTX *, EVP_MAC_CTX *, int))
{
    ctx->ticket_key_evp_cb = fp;
    return 1;
}
