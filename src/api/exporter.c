/*
 * Keying material for other protocols: SSL_export_keying_material(3), RFC 8446, 7.5.
 */
#include "api/pump.h"

#include "handshake/keys12.h"
#include "handshake/keys13.h"

#include <openssl/err.h>
#include <string.h>

/* HkdfLabel holds 255 bytes, "tls13 " included: RFC 8446, 7.1. */
#define MAX_EXPORTER_LABEL 249

/* RFC 5705, 4: labels that would give away the handshake's own keys. */
static bool is_reserved_label(const char *label, size_t len)
{
    static const char *const reserved[] = { "client finished", "server finished", "master secret",
                                            "extended master secret", "key expansion" };

    for (size_t i = 0; i < COUNT_OF(reserved); i++) {
        if (len >= strlen(reserved[i]) && memcmp(label, reserved[i], strlen(reserved[i])) == 0) {
            return true;
        }
    }
    return false;
}

static int export12(const SSL *s, unsigned char *out, size_t olen, const char *label, size_t llen,
                    const unsigned char *context, size_t contextlen, bool use_context)
{
    if (is_reserved_label(label, llen)) {
        raise_error(SSL_R_TLS_ILLEGAL_EXPORTER_LABEL);
        return 0;
    }
    if (s->conn.session->master.len == 0 || contextlen > UINT16_MAX ||
        !keys12_export(&s->conn, label, llen, context, contextlen, use_context, out, olen)) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    return 1;
}

/* In TLS 1.3 an absent context and an empty one are the same. */
int SSL_export_keying_material(SSL *s, unsigned char *out, size_t olen, const char *label,
                               size_t llen, const unsigned char *context, size_t contextlen,
                               int use_context)
{
    const struct tls_conn *c = &s->conn;

    if (c->session == NULL) {
        return -1;
    }
    if (c->neg.version != VERSION_TLS13) {
        return export12(s, out, olen, label, llen, context, contextlen, use_context != 0);
    }
    if (llen > MAX_EXPORTER_LABEL) {
        raise_error(SSL_R_TLS_ILLEGAL_EXPORTER_LABEL);
        return 0;
    }
    /* A server may export from its Finished on, before the client's has come. */
    if (c->secrets == NULL || c->secrets->exporter_master.len == 0 ||
        !keys13_export(c, &c->secrets->exporter_master, label, llen, context,
                       use_context != 0 ? contextlen : 0, out, olen)) {
        raise_error(ERR_R_INTERNAL_ERROR);
        return 0;
    }
    return 1;
}

int SSL_export_keying_material_early(SSL *s, unsigned char *out, size_t olen, const char *label,
                                     size_t llen, const unsigned char *context, size_t contextlen)
{
    const struct tls_conn *c = &s->conn;

    /* There is such a secret only where early data was offered. */
    if (c->secrets == NULL || c->secrets->early_exporter_master == NULL) {
        return 0;
    }
    return keys13_export(c, c->secrets->early_exporter_master, label, llen, context, contextlen,
                         out, olen)
               ? 1
               : 0;
}
