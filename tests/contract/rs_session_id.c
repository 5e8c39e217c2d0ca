/*
 * Ids of sessions from the application, and the context that a session belongs to:
 * SSL_CTX_set_generate_session_id(3), SSL_CTX_set_session_id_context(3).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/err.h>
#include <string.h>

static int generate_answer;
static int generated_len; /* -1: left alone */
static char generated[33];

static int generate(SSL *ssl, unsigned char *id, unsigned int *len, const char *which)
{
    bool zeros = true;

    for (unsigned i = 0; i < *len; i++) {
        zeros = zeros && id[i] == 0;
    }
    note("  %s: %s generates, %u bytes, zeros %d, known %d", ssl_get_name(ssl), which, *len, zeros,
         SSL_has_matching_session_id(ssl, (const unsigned char *)generated, *len));
    memcpy(id, generated, *len);
    if (generated_len >= 0) {
        *len = (unsigned)generated_len;
    }
    return generate_answer;
}

static int of_context(SSL *ssl, unsigned char *id, unsigned int *len)
{
    return generate(ssl, id, len, "the context");
}

static int of_connection(SSL *ssl, unsigned char *id, unsigned int *len)
{
    return generate(ssl, id, len, "the connection");
}

static void use_own(SSL *client, SSL *server)
{
    (void)client;
    CHECK(SSL_set_generate_session_id(server, of_connection) == 1);
}

static void log_ids(SSL *client, SSL *server)
{
    unsigned len = 0;
    const unsigned char *id = SSL_SESSION_get_id(SSL_get_session(server), &len);
    unsigned client_len = 0;
    const unsigned char *client_id = SSL_SESSION_get_id(SSL_get_session(client), &client_len);

    if (len < sizeof(generated) && memcmp(id, generated, len) == 0) {
        note("  server's id: %.*s, the client's %s", (int)len, (const char *)id,
             client_len == len && memcmp(id, client_id, len) == 0 ? "the same" : "another");
    } else {
        note("  server's id: %u bytes, the client's %u", len, client_len);
    }
}

static void begin(struct resume *r, bool tickets, const char *id)
{
    resume_init(r);
    if (!tickets) {
        (void)SSL_CTX_set_options(r->server_ctx, SSL_OP_NO_TICKET);
    }
    CHECK(SSL_CTX_set_generate_session_id(r->server_ctx, of_context) == 1);
    r->inspect = log_ids;
    generate_answer = 1;
    generated_len = -1;
    memset(generated, 0, sizeof(generated));
    memcpy(generated, id, strlen(id));
}

static void test_generators(bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("generators, %s", tickets ? "tickets" : "ids");
    begin(&r, tickets, "12345678901234567890123456789012");
    session = resume_connect(&r, "of the context", NULL);
    generated[0] = 'a';
    resume_once(&r, "again", session);
    generated[0] = 'b';
    r.prepare = use_own;
    resume_once(&r, "of the connection", NULL);
    generated[0] = 'c';
    generated_len = 7;
    SSL_SESSION_free(session);
    session = resume_connect(&r, "short", NULL);
    generated[0] = 'd';
    resume_once(&r, "short again", session);
    generated_len = 0;
    resume_once(&r, "empty", NULL);
    generated_len = 33;
    resume_once(&r, "too long", NULL);
    generated_len = -1;
    generate_answer = 0;
    resume_once(&r, "failing", NULL);
    generate_answer = -1;
    generated[0] = 'e';
    resume_once(&r, "answers -1", NULL);
    generate_answer = 1;
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "the same again", NULL);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* --- Contexts --- */

static const char *own_context;

static void set_own_context(SSL *client, SSL *server)
{
    (void)client;
    if (own_context != NULL) {
        CHECK(SSL_set_session_id_context(server, (const unsigned char *)own_context,
                                         (unsigned)strlen(own_context)) == 1);
    }
}

static void log_context(SSL *client, SSL *server)
{
    unsigned len = 0;
    const unsigned char *context = SSL_SESSION_get0_id_context(SSL_get_session(server), &len);

    note("  server's context: %.*s", (int)len, (const char *)context);
    (void)SSL_SESSION_get0_id_context(SSL_get_session(client), &len);
    note("  client's context: %u bytes", len);
}

static void test_contexts(bool tickets)
{
    SSL_SESSION *session;
    struct resume r;

    section("contexts, %s", tickets ? "tickets" : "ids");
    resume_init(&r);
    if (!tickets) {
        (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    }
    r.inspect = log_context;
    r.prepare = set_own_context;
    CHECK(SSL_CTX_set_session_id_context(r.server_ctx, (const unsigned char *)"common", 6) == 1);
    own_context = NULL;
    session = resume_connect(&r, "first", NULL);
    SSL_SESSION_free(resume_connect(&r, "again", session));
    own_context = "other";
    resume_once(&r, "another context", session);
    own_context = "";
    resume_once(&r, "no context", session);
    own_context = "common and more";
    resume_once(&r, "a longer context", session);
    own_context = "common";
    resume_once(&r, "its own, the same", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static int accept_all(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

/* A server that verifies clients needs a context. */
static void test_verifying(bool tickets, bool certificate)
{
    SSL_SESSION *session;
    struct resume r;

    section("verifying server, %s%s", tickets ? "tickets" : "ids",
            certificate ? ", client certificate" : "");
    resume_init(&r);
    if (!tickets) {
        (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    }
    SSL_CTX_set_verify(r.server_ctx, SSL_VERIFY_PEER, accept_all);
    if (certificate) {
        identity_use_ctx(identity_default(), r.client_ctx);
    }
    r.inspect = log_context;
    session = resume_connect(&r, "first", NULL);
    log_session_stats("server", r.server_ctx);
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    CHECK(SSL_CTX_set_session_id_context(r.server_ctx, (const unsigned char *)"context", 7) == 1);
    session = resume_connect(&r, "with a context", NULL);
    resume_once(&r, "again", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

int main(void)
{
    contract_start();
    test_generators(true);
    test_generators(false);
    test_contexts(true);
    test_contexts(false);
    for (int certificate = 0; certificate <= 1; certificate++) {
        test_verifying(true, certificate);
        test_verifying(false, certificate);
    }
    identity_default_free();
    return contract_finish();
}
