/*
 * Binding sessions to server name and verification; see session_binding.h. The binding is one byte
 * of what was demanded of the client, a digest of the name, one of the session id context and one
 * of the certificate authorities that clients were to be verified by.
 */
#include "api/session_binding.h"

#include <string.h>

#define DIGEST_LEN 16 /* of SHA-256: nobody can choose both of two that collide */

/* Where they stand. */
#define NAME_AT        1
#define CONTEXT_AT     (NAME_AT + DIGEST_LEN)
#define AUTHORITIES_AT (CONTEXT_AT + DIGEST_LEN)

_Static_assert(SESSION_BINDING_LEN == AUTHORITIES_AT + DIGEST_LEN, "one byte and three digests");

static bool add_counted(struct running_hash *hash, const void *data, size_t len)
{
    uint8_t prefix[4] = { (uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                          (uint8_t)len };

    return running_hash_update(hash, prefix, sizeof(prefix)) &&
           (len == 0 || running_hash_update(hash, data, len));
}

static bool finish(struct running_hash *hash, uint8_t out[DIGEST_LEN], bool ok)
{
    uint8_t digest[HASH_MAX_LEN];

    ok = ok && running_hash_peek(hash, digest);
    if (ok) {
        memcpy(out, digest, DIGEST_LEN);
    }
    running_hash_wipe(hash);
    return ok;
}

static bool digest_bytes(const SSL *s, const void *data, size_t len, uint8_t out[DIGEST_LEN])
{
    struct running_hash hash = { 0 };
    bool ok = running_hash_start(&hash, hash_get(s->config->core.lib, HASH_SHA256)) &&
              add_counted(&hash, data, len);

    return finish(&hash, out, ok);
}

/* A server without any callback that could look at names has no virtual hosts: it ignores what
 * clients send. */
static bool minds_names(const SSL *s)
{
    return s->ctx != s->session_ctx || s->ctx->servername_cb != NULL ||
           s->session_ctx->servername_cb != NULL || s->ctx->client_hello_cb != NULL ||
           s->config->cert_cb != NULL;
}

static bool digest_name(const SSL *s, uint8_t out[DIGEST_LEN])
{
    const struct blob *name = s->conn.neg.server_name;

    return digest_bytes(s, name != NULL ? name->bytes : NULL, blob_len(name), out);
}

static bool digest_authorities(const SSL *s, uint8_t out[DIGEST_LEN])
{
    const STACK_OF(X509_NAME) *names = SSL_get_client_CA_list(s);
    struct running_hash hash = { 0 };
    bool ok = running_hash_start(&hash, hash_get(s->config->core.lib, HASH_SHA256));

    for (int i = 0; ok && i < sk_X509_NAME_num(names); i++) {
        const unsigned char *der;
        size_t len;
        ok = X509_NAME_get0_der(sk_X509_NAME_value(names, i), &der, &len) == 1 &&
             add_counted(&hash, der, len);
    }
    return finish(&hash, out, ok);
}

/* What is demanded of clients now. */
static uint8_t demands(const SSL *s)
{
    return (uint8_t)(s->config->verify_mode & (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT));
}

static bool make_binding(const SSL *s, uint8_t binding[SESSION_BINDING_LEN])
{
    const struct ssl_config *config = s->config;

    memset(binding, 0, SESSION_BINDING_LEN);
    binding[0] = demands(s);
    return digest_name(s, binding + NAME_AT) &&
           digest_bytes(s, config->session_context, config->session_context_len,
                        binding + CONTEXT_AT) &&
           ((binding[0] & SSL_VERIFY_PEER) == 0 || digest_authorities(s, binding + AUTHORITIES_AT));
}

bool session_bind(const SSL *s, struct ssl_session_st *session)
{
    session->bound = make_binding(s, session->binding);
    return session->bound;
}

bool is_for_name(void *owner, const struct ssl_session_st *session)
{
    const SSL *s = owner;
    const struct blob *name = s->conn.neg.server_name;
    uint8_t digest[DIGEST_LEN];

    if (session->bound) {
        return !minds_names(s) || (digest_name(s, digest) &&
                                   memcmp(digest, session->binding + NAME_AT, DIGEST_LEN) == 0);
    }
    return session->hostname == NULL || (name != NULL && strlen(session->hostname) == name->len &&
                                         memcmp(session->hostname, name->bytes, name->len) == 0);
}

bool belongs_here(void *owner, const struct ssl_session_st *session)
{
    const SSL *s = owner;
    uint8_t now[SESSION_BINDING_LEN];
    const uint8_t *then = session->binding;

    if (!session->bound) {
        return is_for_name(owner, session);
    }
    if (!make_binding(s, now) || (now[0] & ~then[0]) != 0 ||
        memcmp(now + CONTEXT_AT, then + CONTEXT_AT, DIGEST_LEN) != 0) {
        return false;
    }
    if (minds_names(s) && memcmp(now + NAME_AT, then + NAME_AT, DIGEST_LEN) != 0) {
        return false;
    }
    /* Where no certificate is asked for it does not matter whose was accepted. */
    return (now[0] & SSL_VERIFY_PEER) == 0 ||
           memcmp(now + AUTHORITIES_AT, then + AUTHORITIES_AT, DIGEST_LEN) == 0;
}
