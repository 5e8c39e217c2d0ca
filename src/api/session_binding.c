/*
 * Binding sessions to server name and verification; see session_binding.h. The binding is one byte
 * of what was demanded of the client, a digest of name and session id context, and one of the
 * certificate authorities that clients were to be verified by.
 */
#include "api/session_binding.h"

#include <string.h>

#define DIGEST_LEN 16 /* of SHA-256: nobody can choose both of two that collide */

_Static_assert(SESSION_BINDING_LEN == 1 + 2 * DIGEST_LEN, "one byte and two digests");

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

static bool digest_name(const SSL *s, const struct hash *h, uint8_t out[DIGEST_LEN])
{
    const struct blob *name = s->conn.neg.server_name;
    struct running_hash hash = { 0 };
    bool ok = running_hash_start(&hash, h) &&
              add_counted(&hash, name != NULL ? name->bytes : NULL, blob_len(name)) &&
              add_counted(&hash, s->config->session_context, s->config->session_context_len);

    return finish(&hash, out, ok);
}

static bool digest_authorities(const SSL *s, const struct hash *h, uint8_t out[DIGEST_LEN])
{
    const STACK_OF(X509_NAME) *names = SSL_get_client_CA_list(s);
    struct running_hash hash = { 0 };
    bool ok = running_hash_start(&hash, h);

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
    const struct hash *h = hash_get(s->config->core.lib, HASH_SHA256);

    memset(binding, 0, SESSION_BINDING_LEN);
    binding[0] = demands(s);
    return digest_name(s, h, binding + 1) && ((binding[0] & SSL_VERIFY_PEER) == 0 ||
                                              digest_authorities(s, h, binding + 1 + DIGEST_LEN));
}

bool session_bind(const SSL *s, struct ssl_session_st *session)
{
    session->bound = make_binding(s, session->binding);
    return session->bound;
}

static bool has_name(const struct ssl_session_st *session, const struct blob *name)
{
    return session->hostname == NULL || (name != NULL && strlen(session->hostname) == name->len &&
                                         memcmp(session->hostname, name->bytes, name->len) == 0);
}

bool belongs_here(void *owner, const struct ssl_session_st *session)
{
    const SSL *s = owner;
    uint8_t now[SESSION_BINDING_LEN];
    const uint8_t *then = session->binding;

    if (!session->bound) {
        return has_name(session, s->conn.neg.server_name);
    }
    if (!make_binding(s, now) || (now[0] & ~then[0]) != 0 ||
        memcmp(now + 1, then + 1, DIGEST_LEN) != 0) {
        return false;
    }
    /* Where no certificate is asked for it does not matter whose was accepted. */
    return (now[0] & SSL_VERIFY_PEER) == 0 ||
           memcmp(now + 1 + DIGEST_LEN, then + 1 + DIGEST_LEN, DIGEST_LEN) == 0;
}
