#include "resume.h"

#include "calls.h"
#include "log.h"

#include <openssl/err.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_NUMBERED 4096

void resume_init(struct resume *r)
{
    memset(r, 0, sizeof(*r));
    r->client_ctx = client_ctx_new();
    r->server_ctx = server_ctx_new();
    (void)SSL_CTX_clear_options(r->client_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_clear_options(r->server_ctx, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(r->client_ctx, SSL_SESS_CACHE_OFF);
    (void)SSL_CTX_set_session_cache_mode(r->server_ctx, SSL_SESS_CACHE_SERVER);
    REQUIRE(SSL_CTX_set_num_tickets(r->server_ctx, 1) == 1);
}

void resume_free(struct resume *r)
{
    SSL_CTX_free(r->client_ctx);
    SSL_CTX_free(r->server_ctx);
    memset(r, 0, sizeof(*r));
}

/* A message each way brings the client its tickets. */
static void exchange(struct resume *r, struct pair *p)
{
    size_t there = drive_transfer(p->client, p->server, "ping", 4);
    size_t back = drive_transfer(p->server, p->client, "pong", 4);

    note("  reused %d %d, exchanged %zu %zu", SSL_session_reused(p->client),
         SSL_session_reused(p->server), there, back);
    if (r->inspect != NULL) {
        r->inspect(p->client, p->server);
    }
}

static void close_both(struct pair *p)
{
    (void)SSL_shutdown(p->client);
    (void)SSL_shutdown(p->server);
    (void)SSL_shutdown(p->client);
    ERR_clear_error();
}

SSL_SESSION *resume_connect(struct resume *r, const char *title, SSL_SESSION *session)
{
    SSL_SESSION *result;
    struct pair p;

    note("%s", title);
    REQUIRE(SSL_CTX_up_ref(r->client_ctx) == 1 && SSL_CTX_up_ref(r->server_ctx) == 1);
    pair_init_ctx(&p, r->client_ctx, r->server_ctx, OVER_MEMORY, 0);
    if (session != NULL) {
        CHECK(SSL_set_session(p.client, session) == 1);
    }
    if (r->prepare != NULL) {
        r->prepare(p.client, p.server);
    }
    if (log_handshake(p.client, p.server)) {
        exchange(r, &p);
        if (!r->abrupt) {
            close_both(&p);
        }
    }
    result = SSL_get1_session(p.client);
    pair_free(&p);
    return result;
}

void resume_once(struct resume *r, const char *title, SSL_SESSION *session)
{
    SSL_SESSION_free(resume_connect(r, title, session));
}

void log_session_stats(const char *name, SSL_CTX *ctx)
{
    const struct {
        const char *what;
        long value;
    } stats[] = {
        { "sessions", SSL_CTX_sess_number(ctx) },
        { "connect", SSL_CTX_sess_connect(ctx) },
        { "connect_good", SSL_CTX_sess_connect_good(ctx) },
        { "accept", SSL_CTX_sess_accept(ctx) },
        { "accept_good", SSL_CTX_sess_accept_good(ctx) },
        { "hits", SSL_CTX_sess_hits(ctx) },
        { "cb_hits", SSL_CTX_sess_cb_hits(ctx) },
        { "misses", SSL_CTX_sess_misses(ctx) },
        { "timeouts", SSL_CTX_sess_timeouts(ctx) },
        { "full", SSL_CTX_sess_cache_full(ctx) },
    };
    char text[256] = "";
    size_t len = 0;

    for (size_t i = 0; i < sizeof(stats) / sizeof(stats[0]); i++) {
        if (stats[i].value != 0) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, " %s %ld", stats[i].what,
                                    stats[i].value);
        }
    }
    note("  %s:%s", name, len > 0 ? text : " nothing");
}

int number_of_bytes(const unsigned char *bytes, size_t len)
{
    static uint64_t seen[MAX_NUMBERED];
    static int num;
    uint64_t hash = hash_bytes(bytes, len);

    if (len == 0) {
        return 0;
    }
    for (int i = 0; i < num; i++) {
        if (seen[i] == hash) {
            return i + 1;
        }
    }
    REQUIRE(num < MAX_NUMBERED);
    seen[num++] = hash;
    return num;
}

const char *session_text(const SSL_SESSION *session)
{
    static char text[64];
    unsigned len = 0;
    const unsigned char *id;

    if (session == NULL) {
        return "none";
    }
    id = SSL_SESSION_get_id(session, &len);
    (void)snprintf(text, sizeof(text), "%d (%u bytes, resumable %d)", number_of_bytes(id, len), len,
                   SSL_SESSION_is_resumable(session));
    return text;
}
