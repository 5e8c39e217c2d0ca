/*
 * A server and its visitor; see t12_site.h.
 */
#include "t12_site.h"

#include <string.h>

void site_init(struct site *site)
{
    site_init_version(site, TLS1_2_VERSION);
}

void site_init_version(struct site *site, int version)
{
    static const unsigned char context[] = "site";

    memset(site, 0, sizeof(*site));
    pair_version = version;
    site->client_ctx = client_ctx_new();
    site->server_ctx = server_ctx_new();
    (void)SSL_CTX_clear_options(site->client_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_clear_options(site->server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(site->server_ctx, SSL_SESS_CACHE_SERVER);
    REQUIRE(SSL_CTX_set_num_tickets(site->server_ctx, 2) == 1);
    REQUIRE(SSL_CTX_set_session_id_context(site->server_ctx, context, sizeof(context)) == 1);
}

void site_free(struct site *site)
{
    SSL_SESSION_free(site->session);
    SSL_CTX_free(site->client_ctx);
    SSL_CTX_free(site->server_ctx);
}

void site_begin(struct site *site)
{
    REQUIRE(SSL_CTX_up_ref(site->client_ctx) == 1 && SSL_CTX_up_ref(site->server_ctx) == 1);
    pair_init_ctx(&site->pair, site->client_ctx, site->server_ctx, OVER_MEMORY, 0);
    if (site->session != NULL) {
        REQUIRE(SSL_set_session(site->pair.client, site->session) == 1);
    }
}

void log_session(const char *name, SSL_SESSION *session)
{
    unsigned id_len;
    unsigned context_len;
    const char *hostname;
    const unsigned char *alpn;
    size_t alpn_len;

    if (session == NULL) {
        note("%s: no session", name);
        return;
    }
    (void)SSL_SESSION_get_id(session, &id_len);
    (void)SSL_SESSION_get0_id_context(session, &context_len);
    SSL_SESSION_get0_alpn_selected(session, &alpn, &alpn_len);
    hostname = SSL_SESSION_get0_hostname(session);
    note("%s: id %u, context %u, ticket %d, hint %lu, resumable %d, timeout %ld, version %x, %s, "
         "secret %zu, host %s, alpn %.*s, fragment %d, peer %d",
         name, id_len, context_len, SSL_SESSION_has_ticket(session),
         SSL_SESSION_get_ticket_lifetime_hint(session), SSL_SESSION_is_resumable(session),
         SSL_SESSION_get_timeout(session), (unsigned)SSL_SESSION_get_protocol_version(session),
         SSL_SESSION_get0_cipher(session) != NULL
             ? SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(session))
             : "no suite",
         SSL_SESSION_get_master_key(session, NULL, 0), hostname != NULL ? hostname : "-",
         (int)alpn_len, alpn != NULL ? (const char *)alpn : "",
         SSL_SESSION_get_max_fragment_length(session), SSL_SESSION_get0_peer(session) != NULL);
}

static void log_side(SSL *ssl)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    const unsigned char *alpn;
    unsigned alpn_len;

    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    note("%s: reused %d, %s, %s, name %s, alpn %.*s, peer %d, chain %d, verified %ld, extms %ld, "
         "groups %ld",
         ssl_get_name(ssl), SSL_session_reused(ssl), SSL_get_version(ssl), SSL_get_cipher(ssl),
         name != NULL ? name : "-", (int)alpn_len, alpn != NULL ? (const char *)alpn : "",
         SSL_get0_peer_certificate(ssl) != NULL, sk_X509_num(SSL_get_peer_cert_chain(ssl)),
         SSL_get_verify_result(ssl), SSL_get_extms_support(ssl), SSL_get1_groups(ssl, NULL));
    log_session("  session", SSL_get_session(ssl));
}

/* Both sides know both Finished messages; RFC 5929's unique value is the first one. */
static void check_finished(struct pair *pair)
{
    char mine[64];
    char other[64];

    for (int i = 0; i < 2; i++) {
        SSL *from = i == 0 ? pair->client : pair->server;
        SSL *to = i == 0 ? pair->server : pair->client;
        size_t len = SSL_get_finished(from, mine, sizeof(mine));

        CHECK(len > 0 && SSL_get_peer_finished(to, other, sizeof(other)) == len &&
              memcmp(mine, other, len) == 0);
    }
}

bool site_connect(struct site *site)
{
    struct pair *pair = &site->pair;
    bool done = log_handshake(pair->client, pair->server);

    log_side(pair->client);
    log_side(pair->server);
    if (done) {
        check_finished(pair);
        log_alive(pair->client, pair->server);
    }
    return done;
}

void site_end(struct site *site)
{
    SSL_SESSION_free(site->session);
    site->session = SSL_get1_session(site->pair.client);
    (void)SSL_shutdown(site->pair.client);
    (void)SSL_shutdown(site->pair.server);
    errors_drop();
    pair_free(&site->pair);
    log_session("left with", site->session);
}

bool site_visit(struct site *site)
{
    bool reused;

    site_begin(site);
    reused = site_connect(site) && SSL_session_reused(site->pair.client) == 1;
    site_end(site);
    return reused;
}

static void log_counters(const char *name, SSL_CTX *ctx)
{
    note("%s: connect %ld %ld %ld, accept %ld %ld %ld, hits %ld %ld, misses %ld, timeouts %ld, "
         "full %ld, cached %ld",
         name, SSL_CTX_sess_connect(ctx), SSL_CTX_sess_connect_good(ctx),
         SSL_CTX_sess_connect_renegotiate(ctx), SSL_CTX_sess_accept(ctx),
         SSL_CTX_sess_accept_good(ctx), SSL_CTX_sess_accept_renegotiate(ctx),
         SSL_CTX_sess_hits(ctx), SSL_CTX_sess_cb_hits(ctx), SSL_CTX_sess_misses(ctx),
         SSL_CTX_sess_timeouts(ctx), SSL_CTX_sess_cache_full(ctx), SSL_CTX_sess_number(ctx));
}

void log_statistics(const struct site *site)
{
    log_counters("client's context", site->client_ctx);
    log_counters("server's context", site->server_ctx);
}
