/*
 * Sessions as objects, beside what hs_session has: application data, times under their older names,
 * text to a file, copies between connections, and the callback that forbids resumption.
 * Manual pages: SSL_SESSION_get_time(3), SSL_SESSION_print(3), BIO_get_ex_new_index(3),
 * SSL_get_session(3).
 * SSL_SESSION_get0_id_context(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char value_name[] = "value";
static char index_name[] = "index";

/* How many objects a handshake makes is the library's own affair. */
static bool quiet;

static void on_new(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent;
    (void)ad;
    if (quiet) {
        return;
    }
    note("  new %d, value %d, argl %ld, %s", idx, ptr != NULL, argl, (const char *)argp);
}

static void on_free(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl, void *argp)
{
    (void)parent;
    (void)ad;
    if (quiet) {
        return;
    }
    note("  free %d, value %s, argl %ld, %s", idx, ptr == NULL ? "none" : (const char *)ptr, argl,
         (const char *)argp);
}

static int on_dup(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from, void **from_d, int idx, long argl,
                  void *argp)
{
    (void)to;
    (void)from;
    if (quiet) {
        return 1;
    }
    note("  dup %d, value %s, argl %ld, %s", idx, *from_d == NULL ? "none" : (const char *)*from_d,
         argl, (const char *)argp);
    return 1;
}

static void application_data(void)
{
    int idx = SSL_SESSION_get_ex_new_index(5, index_name, on_new, on_dup, on_free);
    SSL_SESSION *session;
    SSL_SESSION *copy;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("application data");
    note("index %d", idx);
    session = SSL_SESSION_new();
    REQUIRE(session != NULL && ctx != NULL);
    note("get %d", SSL_SESSION_get_ex_data(session, idx) != NULL);
    note("set %d", SSL_SESSION_set_ex_data(session, idx, value_name));
    CHECK(SSL_SESSION_get_ex_data(session, idx) == value_name);
    note("application's %d", SSL_SESSION_set_app_data(session, index_name));
    CHECK(SSL_SESSION_get_app_data(session) == index_name);
    note("an index that is not there: get %d", SSL_SESSION_get_ex_data(session, 99) != NULL);
    note("negative: set %d get %d", SSL_SESSION_set_ex_data(session, -1, value_name),
         SSL_SESSION_get_ex_data(session, -1) != NULL);
    log_errors("error");
    note("dup");
    copy = SSL_SESSION_dup(session);
    REQUIRE(copy != NULL);
    note("copy's %d", SSL_SESSION_get_ex_data(copy, idx) == value_name);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(session);
    note("context: %d", SSL_CTX_set_app_data(ctx, value_name));
    CHECK(SSL_CTX_get_app_data(ctx) == value_name);
    SSL_CTX_free(ctx);
}

static void times(void)
{
    SSL_SESSION *session = SSL_SESSION_new();

    section("times");
    REQUIRE(session != NULL);
    note("timeout %ld %ld", SSL_SESSION_get_timeout(session), SSL_get_timeout(session));
    CHECK(SSL_SESSION_get_time(session) == SSL_get_time(session));
    note("set %ld %ld", SSL_set_time(session, 1000), SSL_set_timeout(session, 50));
    note("%ld %ld", SSL_SESSION_get_time(session), SSL_SESSION_get_timeout(session));
    note("set %ld %ld", SSL_SESSION_set_time(session, 0), SSL_SESSION_set_timeout(session, 0));
    note("%ld %ld", SSL_get_time(session), SSL_get_timeout(session));
    note("set %ld %ld", SSL_SESSION_set_time(session, -5), SSL_SESSION_set_timeout(session, -5));
    note("%ld %ld", SSL_get_time(session), SSL_get_timeout(session));
    note("without: %ld %ld %ld %ld", SSL_SESSION_get_time(NULL), SSL_SESSION_get_timeout(NULL),
         SSL_SESSION_set_time(NULL, 5), SSL_SESSION_set_timeout(NULL, 5));
    SSL_SESSION_free(session);
}

/* The text of a session whose every field has a fixed value. */
static void text(void)
{
    static const unsigned char key[] = "0123456789abcdef0123456789abcdef0123456789abcdef";
    SSL_SESSION *session = SSL_SESSION_new();
    char *out = NULL;
    size_t len = 0;
    FILE *file = open_memstream(&out, &len);
    BIO *bio = BIO_new(BIO_s_mem());

    section("text");
    REQUIRE(session != NULL && file != NULL && bio != NULL);
    CHECK(SSL_SESSION_set1_master_key(session, key, 48) == 1);
    CHECK(SSL_SESSION_set1_id(session, key, 32) == 1);
    CHECK(SSL_SESSION_set1_id_context(session, key, 8) == 1);
    CHECK(SSL_SESSION_set_protocol_version(session, TLS1_2_VERSION) == 1);
    (void)SSL_SESSION_set_time(session, 1000000);
    (void)SSL_SESSION_set_timeout(session, 300);
    note("print_fp %d", SSL_SESSION_print_fp(file, session));
    log_errors("error");
    REQUIRE(fclose(file) == 0);
    note("%s", out);
    free(out);
    note("print nothing %d", SSL_SESSION_print(bio, NULL));
    note("keylog %d", SSL_SESSION_print_keylog(bio, session));
    note("keylog nothing %d", SSL_SESSION_print_keylog(bio, NULL));
    log_errors("error");
    BIO_free(bio);
    SSL_SESSION_free(session);
}

static void copied_id(void)
{
    struct pair p;
    SSL *to;
    SSL *from;
    static const unsigned char context[] = "context";

    section("SSL_copy_session_id");
    pair_init(&p, OVER_MEMORY, 0);
    CHECK(SSL_set_session_id_context(p.client, context, 7) == 1);
    CHECK(drive_handshake(p.client, p.server));
    to = SSL_new(p.client_ctx);
    REQUIRE(to != NULL);
    note("%d", SSL_copy_session_id(to, p.client));
    log_errors("error");
    CHECK(SSL_get0_session(to) == SSL_get0_session(p.client));
    note("same method %d", SSL_get_ssl_method(to) == SSL_get_ssl_method(p.client));
    from = SSL_new(p.client_ctx);
    REQUIRE(from != NULL);
    note("from a connection without session %d", SSL_copy_session_id(to, from));
    note("session %d", SSL_get0_session(to) != NULL);
    SSL_free(from);
    SSL_free(to);
    pair_free(&p);
}

static int forbidden;

static int not_resumable(SSL *ssl, int is_forward_secure)
{
    note("asked about %s, forward secure %d", ssl_get_name(ssl), is_forward_secure);
    return forbidden;
}

static SSL_SESSION *session_of(SSL_CTX *client_ctx, SSL_CTX *server_ctx, SSL_SESSION *offered,
                               bool for_connection)
{
    struct pair p;
    SSL_SESSION *session;
    char byte = 0;

    CHECK(SSL_CTX_up_ref(client_ctx) == 1 && SSL_CTX_up_ref(server_ctx) == 1);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    if (for_connection) {
        SSL_set_not_resumable_session_callback(p.server, not_resumable);
    }
    CHECK(offered == NULL || SSL_set_session(p.client, offered) == 1);
    (void)log_handshake(p.client, p.server);
    (void)SSL_read(p.client, &byte, 1);
    errors_drop();
    note("reused %d", SSL_session_reused(p.client));
    session = SSL_get1_session(p.client);
    note("resumable %d, ticket %d, id %d", SSL_SESSION_is_resumable(session),
         SSL_SESSION_has_ticket(session), *SSL_SESSION_get0_id_context(session, NULL) != 0);
    (void)SSL_shutdown(p.client);
    (void)SSL_shutdown(p.server);
    pair_free(&p);
    return session;
}

static void forbidding(int version, bool tickets, bool for_connection, int answer)
{
    SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
    SSL_SESSION *first;
    SSL_SESSION *second;

    section("not resumable: version %x, tickets %d, of the connection %d, answer %d",
            (unsigned)version, tickets, for_connection, answer);
    REQUIRE(client_ctx != NULL && server_ctx != NULL);
    (void)SSL_CTX_set_max_proto_version(server_ctx, version);
    identity_use_ctx(identity_default(), server_ctx);
    if (!tickets) {
        (void)SSL_CTX_set_options(server_ctx, SSL_OP_NO_TICKET);
    }
    forbidden = answer;
    if (!for_connection) {
        SSL_CTX_set_not_resumable_session_callback(server_ctx, not_resumable);
    }
    first = session_of(client_ctx, server_ctx, NULL, for_connection);
    second = session_of(client_ctx, server_ctx, first, for_connection);
    note("in the cache %ld", SSL_CTX_sess_number(server_ctx));
    SSL_SESSION_free(first);
    SSL_SESSION_free(second);
    SSL_CTX_free(client_ctx);
    SSL_CTX_free(server_ctx);
}

int main(void)
{
    contract_start();
    application_data();
    quiet = true;
    times();
    text();
    copied_id();
    for (int i = 0; i < 16; i++) {
        forbidding((i & 1) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION, (i & 2) != 0, (i & 4) != 0,
                   (i & 8) != 0);
    }
    identity_default_free();
    return contract_finish();
}
