/*
 * Making, resetting and freeing the plain data of a connection; see conn.h.
 */
#include "conn/conn.h"

#include "crypto/cert.h"

#include <openssl/crypto.h>
#include <stdatomic.h>
#include <string.h>

static void free_negotiated(struct negotiated *neg)
{
    blob_free(neg->alpn);
    blob_free(neg->next_protocol);
    blob_free(neg->server_name);
    cert_key_free(neg->peer_dhe);
    blob_free(neg->peer_share);
    blob_free(neg->own_share);
    blob_free(neg->peer_suites);
    blob_free(neg->peer_groups);
    blob_free(neg->peer_sigalgs);
    blob_free(neg->peer_cert_sigalgs);
    blob_free(neg->peer_point_formats);
    blob_free(neg->peer_cert_types);
}

static void set_fresh(struct tls_conn *c)
{
    c->in.max_plaintext = RECORD_MAX_PLAINTEXT;
    c->out.version = VERSION_TLS1;
    c->key_update = KEY_UPDATE_NONE;
    c->neg.own_slot = KEY_NONE;
    c->received_fatal = -1;
}

void conn_init(struct tls_conn *c, const struct tls_hooks *hooks, void *owner)
{
    c->hooks = hooks;
    c->owner = owner;
    set_fresh(c);
}

void conn_reset(struct tls_conn *c, bool keep_session)
{
    struct tls_conn fresh = {
        .role = c->role, .config = c->config, .hooks = c->hooks, .owner = c->owner
    };

    if (keep_session) {
        fresh.session = session_ref(c->session);
    }
    conn_wipe(c);
    *c = fresh;
    set_fresh(c);
}

bool conn_reserve_secrets(struct tls_conn *c)
{
    if (c->secrets == NULL) {
        c->secrets = OPENSSL_zalloc(sizeof *c->secrets);
    }
    if (c->handshake_secrets == NULL) {
        c->handshake_secrets = OPENSSL_zalloc(sizeof *c->handshake_secrets);
    }
    return c->secrets != NULL && c->handshake_secrets != NULL;
}

bool conn_reserve_early_secrets(struct tls_conn *c)
{
    if (!conn_reserve_secrets(c)) {
        return false;
    }
    if (c->secrets->early_exporter_master == NULL) {
        c->secrets->early_exporter_master = OPENSSL_zalloc(sizeof(struct secret));
    }
    return c->secrets->early_exporter_master != NULL;
}

static void drop_secrets(struct tls_conn *c)
{
    if (c->secrets != NULL) {
        free_wiped(c->secrets->early_exporter_master, sizeof(struct secret));
        free_wiped(c->secrets, sizeof *c->secrets);
        c->secrets = NULL;
    }
}

void conn_drop_handshake_secrets(struct tls_conn *c)
{
    free_wiped(c->handshake_secrets, sizeof *c->handshake_secrets);
    c->handshake_secrets = NULL;
}

void conn_wipe(struct tls_conn *c)
{
    record_in_wipe(&c->in);
    record_out_wipe(&c->out);
    message_in_wipe(&c->message);
    session_free(c->session);
    free_negotiated(&c->neg);
    drop_secrets(c);
    conn_drop_handshake_secrets(c);
    blob_free(c->auth_request);
    if (c->post_transcript != NULL) {
        running_hash_wipe(c->post_transcript);
        OPENSSL_free(c->post_transcript);
    }
    wipe(c, sizeof *c);
}

struct ssl_session_st *conn_own_session(struct tls_conn *c)
{
    if (c->session->cache == NULL && atomic_load(&c->session->refs) == 1) {
        return c->session;
    }
    struct ssl_session_st *own = session_copy(c->session, true);
    if (own != NULL) {
        session_free(c->session);
        c->session = own;
    }
    return own;
}

void conn_fail_at(struct tls_conn *c, uint8_t alert, int reason, const char *file, int line,
                  const char *function)
{
    if (!c->error.failed) {
        c->error = (struct conn_error){ .failed = true,
                                        .alert = alert,
                                        .reason = reason,
                                        .file = file,
                                        .line = line,
                                        .function = function };
    }
}
