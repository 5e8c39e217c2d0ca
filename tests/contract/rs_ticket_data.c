/*
 * The application's data in tickets, and its word on each ticket that comes:
 * SSL_CTX_set_session_ticket_cb(3).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/err.h>
#include <string.h>

static int generate_answer;
static int decrypt_answer;
static const char *new_data;

static int on_generate(SSL *ssl, void *arg)
{
    SSL_SESSION *session = SSL_get_session(ssl);
    void *data;
    size_t len;

    CHECK(SSL_SESSION_get0_ticket_appdata(session, &data, &len) == 1);
    note("  generate: %s, data so far %zu, argument %s, in init %d", ssl_get_name(ssl), len,
         (const char *)arg, SSL_in_init(ssl));
    if (new_data != NULL) {
        CHECK(SSL_SESSION_set1_ticket_appdata(session, new_data, strlen(new_data)) == 1);
    }
    return generate_answer;
}

static SSL_TICKET_RETURN on_decrypt(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                    size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    void *data = NULL;
    size_t len = 0;

    (void)name;
    if (session != NULL) {
        CHECK(SSL_SESSION_get0_ticket_appdata(session, &data, &len) == 1);
    }
    note("  decrypt: %s, status %d, session %d, name %zu, data %.*s, argument %s, in init %d",
         ssl_get_name(ssl), status, session != NULL, name_len, (int)len,
         data != NULL ? (const char *)data : "", (const char *)arg, SSL_in_init(ssl));
    return decrypt_answer;
}

static void log_data(SSL *client, SSL *server)
{
    void *data = NULL;
    size_t len = 0;

    CHECK(SSL_SESSION_get0_ticket_appdata(SSL_get_session(server), &data, &len) == 1);
    note("  server's data: %.*s", (int)len, data != NULL ? (const char *)data : "");
    CHECK(SSL_SESSION_get0_ticket_appdata(SSL_get_session(client), &data, &len) == 1);
    note("  client's data: %zu bytes, has ticket %d", len,
         SSL_SESSION_has_ticket(SSL_get_session(client)));
}

static void begin(struct resume *r, const char *argument)
{
    resume_init(r);
    CHECK(SSL_CTX_set_session_ticket_cb(r->server_ctx, on_generate, on_decrypt,
                                        (void *)(uintptr_t)argument) == 1);
    r->inspect = log_data;
    generate_answer = 1;
    decrypt_answer = SSL_TICKET_RETURN_USE_RENEW;
    new_data = "one";
}

static const char *name_of_answer(int answer)
{
    switch (answer) {
    case SSL_TICKET_RETURN_ABORT:
        return "abort";
    case SSL_TICKET_RETURN_IGNORE:
        return "ignore";
    case SSL_TICKET_RETURN_IGNORE_RENEW:
        return "ignore and renew";
    case SSL_TICKET_RETURN_USE:
        return "use";
    case SSL_TICKET_RETURN_USE_RENEW:
        return "use and renew";
    default:
        return "nonsense";
    }
}

/* One answer to a good ticket, to one of other keys, to none. */
static void test_answer(int answer)
{
    SSL_SESSION *session;
    struct resume r;

    section("answer: %s", name_of_answer(answer));
    begin(&r, "argument");
    /* Without a session a TLS 1.2 client sends an empty ticket. */
    session = resume_connect(&r, "first", NULL);
    new_data = "two";
    decrypt_answer = answer;
    resume_once(&r, "good", session);
    resume_once(&r, "none", NULL);
    SSL_SESSION_free(session);
    decrypt_answer = SSL_TICKET_RETURN_IGNORE_RENEW;
    session = resume_connect(&r, "another", NULL);
    decrypt_answer = answer;
    {
        unsigned char keys[80] = "other keys than before";
        CHECK(SSL_CTX_set_tlsext_ticket_keys(r.server_ctx, keys, sizeof(keys)) == 1);
    }
    resume_once(&r, "of other keys", session);
    log_session_stats("server", r.server_ctx);
    SSL_SESSION_free(session);
    resume_free(&r);
}

static void test_generate(void)
{
    struct resume r;

    section("generating fails");
    begin(&r, "argument");
    decrypt_answer = SSL_TICKET_RETURN_IGNORE_RENEW;
    generate_answer = 0;
    resume_once(&r, "first", NULL);
    generate_answer = -1;
    resume_once(&r, "answers -1", NULL);
    resume_free(&r);
}

/* Data that is not set again stays with the session. */
static void test_kept(void)
{
    SSL_SESSION *session, *next;
    struct resume r;

    section("kept data");
    begin(&r, "other");
    decrypt_answer = SSL_TICKET_RETURN_IGNORE_RENEW;
    session = resume_connect(&r, "first", NULL);
    decrypt_answer = SSL_TICKET_RETURN_USE_RENEW;
    new_data = NULL;
    next = resume_connect(&r, "renewed", session);
    resume_once(&r, "renewed again", next);
    SSL_SESSION_free(session);
    SSL_SESSION_free(next);
    resume_free(&r);
}

static void test_one_of_two(bool generate)
{
    SSL_SESSION *session;
    struct resume r;

    section("only %s", generate ? "generate" : "decrypt");
    begin(&r, "argument");
    decrypt_answer = SSL_TICKET_RETURN_IGNORE_RENEW;
    CHECK(SSL_CTX_set_session_ticket_cb(r.server_ctx, generate ? on_generate : NULL,
                                        generate ? NULL : on_decrypt, "argument") == 1);
    session = resume_connect(&r, "first", NULL);
    decrypt_answer = SSL_TICKET_RETURN_USE;
    resume_once(&r, "again", session);
    SSL_SESSION_free(session);
    resume_free(&r);
}

/* A server that keeps state calls them, or not. */
static void test_stateful(void)
{
    SSL_SESSION *session;
    struct resume r;

    section("without tickets");
    begin(&r, "argument");
    (void)SSL_CTX_set_options(r.server_ctx, SSL_OP_NO_TICKET);
    session = resume_connect(&r, "first", NULL);
    new_data = "two";
    resume_once(&r, "again", session);
    SSL_SESSION_free(session);
    resume_free(&r);
}

int main(void)
{
    static const int answers[] = { SSL_TICKET_RETURN_ABORT,        SSL_TICKET_RETURN_IGNORE,
                                   SSL_TICKET_RETURN_IGNORE_RENEW, SSL_TICKET_RETURN_USE,
                                   SSL_TICKET_RETURN_USE_RENEW,    77 };

    contract_start();
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        test_answer(answers[i]);
    }
    test_generate();
    test_kept();
    test_one_of_two(true);
    test_one_of_two(false);
    test_stateful();
    identity_default_free();
    return contract_finish();
}
