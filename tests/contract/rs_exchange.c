/*
 * Sessions that outlive their process and their library: `make FOLDER` connects and saves what
 * client and server keep, `use FOLDER` loads it and resumes. The script `exchange` runs the two
 * halves on different libraries.
 * Manual pages: PEM_read_CMS(3).
 */
#include "contract.h"
#include "resume.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char ticket_keys[80] = "keys of tickets that two libraries share";
static SSL_SESSION *of_server;

static SSL_SESSION *give_session(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    unsigned own_len = 0;
    const unsigned char *own = SSL_SESSION_get_id(of_server, &own_len);

    (void)ssl;
    *copy = 1;
    return (int)own_len == len && memcmp(own, id, own_len) == 0 ? of_server : NULL;
}

static int take_session(SSL *ssl, SSL_SESSION *session)
{
    (void)ssl;
    SSL_SESSION_free(of_server);
    of_server = session;
    return 1;
}

static int name_is_known(SSL *ssl, int *alert, void *arg)
{
    (void)ssl;
    (void)alert;
    (void)arg;
    return SSL_TLSEXT_ERR_OK;
}

static int add_data(SSL *ssl, void *arg)
{
    return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), arg, 4);
}

static SSL_TICKET_RETURN look_at_data(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                      size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    void *data = NULL;
    size_t len = 0;

    (void)ssl;
    (void)name;
    (void)name_len;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    CHECK(SSL_SESSION_get0_ticket_appdata(session, &data, &len) == 1);
    CHECK(len == 4 && memcmp(data, arg, 4) == 0);
    return SSL_TICKET_RETURN_USE;
}

static int accept_all(int ok, X509_STORE_CTX *ctx)
{
    (void)ok;
    (void)ctx;
    return 1;
}

static void prepare_name(SSL *client, SSL *server)
{
    (void)server;
    CHECK(SSL_ctrl(client, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   (void *)(uintptr_t) "name.example") == 1);
}

/* Settings that put as much as possible into a session. */
static void begin(struct resume *r, bool tickets, bool client_cert)
{
    static const unsigned char protocols[] = "\2h2";
    static char data[] = "data";

    resume_init(r);
    CHECK(SSL_CTX_set_tlsext_ticket_keys(r->server_ctx, ticket_keys, sizeof(ticket_keys)) == 1);
    CHECK(SSL_CTX_set_session_id_context(r->server_ctx, protocols, sizeof(protocols)) == 1);
    CHECK(SSL_CTX_set_tlsext_servername_callback(r->server_ctx, name_is_known) == 1);
    CHECK(SSL_CTX_set_session_ticket_cb(r->server_ctx, add_data, look_at_data, data) == 1);
    CHECK(SSL_CTX_set_alpn_protos(r->client_ctx, protocols, sizeof(protocols) - 1) == 0);
    r->prepare = prepare_name;
    if (!tickets) {
        (void)SSL_CTX_set_options(r->server_ctx, SSL_OP_NO_TICKET);
        (void)SSL_CTX_set_session_cache_mode(r->server_ctx,
                                             SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(r->server_ctx, take_session);
        SSL_CTX_sess_set_get_cb(r->server_ctx, give_session);
    }
    if (client_cert) {
        SSL_CTX_set_verify(r->server_ctx, SSL_VERIFY_PEER, accept_all);
        identity_use_ctx(identity_default(), r->client_ctx);
    }
}

static FILE *open_file(const char *folder, const char *name, const char *mode)
{
    char path[1024];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.pem", folder, name);
    file = fopen(path, mode);
    REQUIRE(file != NULL);
    return file;
}

static void save(const char *folder, const char *name, SSL_SESSION *session)
{
    FILE *file = open_file(folder, name, "w");

    CHECK(PEM_write_SSL_SESSION(file, session) == 1);
    CHECK(fclose(file) == 0);
}

static SSL_SESSION *load(const char *folder, const char *name)
{
    FILE *file = open_file(folder, name, "r");
    SSL_SESSION *session = PEM_read_SSL_SESSION(file, NULL, NULL, NULL);

    REQUIRE(session != NULL);
    CHECK(fclose(file) == 0);
    return session;
}

static void drop_server_session(void)
{
    SSL_SESSION_free(of_server);
    of_server = NULL;
}

/* The names of the files of one case. */
struct names {
    char client[64];
    char server[64];
};

static struct names names_of(int version, bool tickets, bool client_cert)
{
    struct names names;

    (void)snprintf(names.client, sizeof(names.client), "%x-%d-%d-client", (unsigned)version,
                   tickets, client_cert);
    (void)snprintf(names.server, sizeof(names.server), "%x-%d-%d-server", (unsigned)version,
                   tickets, client_cert);
    return names;
}

static void make(const char *folder, bool tickets, bool client_cert)
{
    struct names names = names_of(pair_version, tickets, client_cert);
    SSL_SESSION *session;
    struct resume r;

    begin(&r, tickets, client_cert);
    session = resume_connect(&r, names.client, NULL);
    save(folder, names.client, session);
    if (!tickets) {
        REQUIRE(of_server != NULL);
        save(folder, names.server, of_server);
    }
    drop_server_session();
    SSL_SESSION_free(session);
    resume_free(&r);
}

static bool certificate_expected;
static int num_resumed;

static void check_resumed(SSL *client, SSL *server)
{
    SSL_SESSION *session = SSL_get_session(server);
    X509 *peer = SSL_get0_peer_certificate(server);

    num_resumed += SSL_session_reused(client) == 1 && SSL_session_reused(server) == 1;
    CHECK((peer != NULL) == certificate_expected);
    CHECK(SSL_SESSION_get0_hostname(session) != NULL &&
          strcmp(SSL_SESSION_get0_hostname(session), "name.example") == 0);
    CHECK(SSL_get0_peer_certificate(client) != NULL);
}

static void use(const char *folder, bool tickets, bool client_cert)
{
    struct names names = names_of(pair_version, tickets, client_cert);
    SSL_SESSION *session = load(folder, names.client);
    struct resume r;

    begin(&r, tickets, client_cert);
    if (!tickets) {
        of_server = load(folder, names.server);
    }
    certificate_expected = client_cert;
    num_resumed = 0;
    r.inspect = check_resumed;
    resume_once(&r, names.client, session);
    CHECK(num_resumed == 1);
    drop_server_session();
    SSL_SESSION_free(session);
    resume_free(&r);
}

int main(int argc, char **argv)
{
    static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
    bool making = argc == 3 && strcmp(argv[1], "make") == 0;

    REQUIRE(argc == 3 && (making || strcmp(argv[1], "use") == 0));
    contract_start();
    for (int i = 0; i < 8; i++) {
        pair_version = versions[i / 4];
        if (making) {
            make(argv[2], i % 2 == 0, i % 4 >= 2);
        } else {
            use(argv[2], i % 2 == 0, i % 4 >= 2);
        }
    }
    identity_default_free();
    return contract_finish();
}
