/*
 * What belongs to a session of TLS 1.2 beside its keys: server name, protocol, OCSP response, the
 * peer's certificate; the callbacks of applications while a session is resumed.
 */
#include "t12_site.h"

#include <openssl/err.h>
#include <string.h>

static void use_form(struct site *site, bool by_ticket)
{
    site_init(site);
    if (!by_ticket) {
        (void)SSL_CTX_set_options(site->server_ctx, SSL_OP_NO_TICKET);
    }
}

static const char *form_name(bool by_ticket)
{
    return by_ticket ? "ticket" : "id";
}

/* --- Server names --- */

static int name_answer;
static SSL_CTX *name_switch;

static int on_name(SSL *ssl, int *alert, void *arg)
{
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);

    (void)alert;
    (void)arg;
    note("servername callback: %s, reused %d", name != NULL ? name : "-", SSL_session_reused(ssl));
    if (name_switch != NULL) {
        (void)SSL_set_SSL_CTX(ssl, name_switch);
    }
    return name_answer;
}

static void visit_as(struct site *site, const char *name)
{
    site_begin(site);
    if (name != NULL) {
        REQUIRE(SSL_set_tlsext_host_name(site->pair.client, (uintptr_t)name) == 1);
    }
    name = SSL_get_servername(site->pair.client, TLSEXT_NAMETYPE_host_name);
    note("the client's name before: %s", name != NULL ? name : "-");
    (void)site_connect(site);
    site_end(site);
}

static void test_same_name(bool by_ticket, bool callback, int answer)
{
    struct site site;

    section("the same name, callback %d answers %d, %s", callback, answer, form_name(by_ticket));
    use_form(&site, by_ticket);
    name_answer = answer;
    if (callback) {
        (void)SSL_CTX_set_tlsext_servername_callback(site.server_ctx, on_name);
    }
    visit_as(&site, "one.example");
    visit_as(&site, "one.example");
    log_statistics(&site);
    site_free(&site);
}

static void test_other_name(bool by_ticket, int answer, const char *first, const char *second)
{
    struct site site;

    section("%s, then %s, %d, %s", first != NULL ? first : "no name",
            second != NULL ? second : "no name", answer, form_name(by_ticket));
    use_form(&site, by_ticket);
    name_answer = answer;
    (void)SSL_CTX_set_tlsext_servername_callback(site.server_ctx, on_name);
    visit_as(&site, first);
    difference_begin("t12-resume-name");
    visit_as(&site, second);
    difference_end();
    site_free(&site);
}

/* The callback leads to another context, with another session id context or none. */
static void test_switch(bool by_ticket, const char *context)
{
    struct site site;

    section("another SSL_CTX with context \"%s\", %s", context, form_name(by_ticket));
    use_form(&site, by_ticket);
    name_answer = SSL_TLSEXT_ERR_OK;
    name_switch = server_ctx_new();
    (void)SSL_CTX_clear_options(name_switch, SSL_OP_NO_TICKET);
    (void)SSL_CTX_set_session_cache_mode(name_switch, SSL_SESS_CACHE_SERVER);
    REQUIRE(SSL_CTX_set_session_id_context(name_switch, (const unsigned char *)context,
                                           (unsigned)strlen(context)) == 1);
    (void)SSL_CTX_set_tlsext_servername_callback(site.server_ctx, on_name);
    visit_as(&site, "one.example");
    visit_as(&site, "one.example");
    log_statistics(&site);
    SSL_CTX_free(name_switch);
    name_switch = NULL;
    site_free(&site);
}

static void test_names(bool by_ticket)
{
    static const int answers[] = { SSL_TLSEXT_ERR_OK, SSL_TLSEXT_ERR_NOACK,
                                   SSL_TLSEXT_ERR_ALERT_WARNING, SSL_TLSEXT_ERR_ALERT_FATAL };

    test_same_name(by_ticket, false, 0);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        test_same_name(by_ticket, true, answers[i]);
    }
    for (int i = 0; i < 2; i++) {
        int answer = i == 0 ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
        test_other_name(by_ticket, answer, "one.example", "two.example");
        test_other_name(by_ticket, answer, NULL, "one.example");
        test_other_name(by_ticket, answer, "one.example", NULL);
    }
    test_switch(by_ticket, "site");
    test_switch(by_ticket, "other");
}

/* --- Protocols --- */

static const char *protocol;

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                   const unsigned char *in, unsigned in_len, void *arg)
{
    (void)arg;
    (void)in;
    note("ALPN callback: %u bytes, reused %d", in_len, SSL_session_reused(ssl));
    if (protocol == NULL) {
        return SSL_TLSEXT_ERR_NOACK;
    }
    *out = (const unsigned char *)protocol;
    *out_len = (unsigned char)strlen(protocol);
    return SSL_TLSEXT_ERR_OK;
}

static void visit_for(struct site *site, const char *list, const char *chosen)
{
    protocol = chosen;
    site_begin(site);
    if (list != NULL) {
        REQUIRE(SSL_set_alpn_protos(site->pair.client, (const unsigned char *)list,
                                    (unsigned)strlen(list)) == 0);
    }
    (void)site_connect(site);
    site_end(site);
}

static void test_protocols(bool by_ticket)
{
    struct site site;

    section("protocols, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    SSL_CTX_set_alpn_select_cb(site.server_ctx, on_alpn, NULL);
    visit_for(&site, "\2h2\3one", "h2");
    visit_for(&site, "\2h2\3one", "h2");
    visit_for(&site, "\2h2\3one", "one");
    visit_for(&site, "\2h2", NULL);
    visit_for(&site, NULL, NULL);
    site_free(&site);
}

/* --- OCSP --- */

static int on_server_status(SSL *ssl, void *arg)
{
    unsigned char *response = OPENSSL_memdup("staple", 6);

    (void)arg;
    note("status callback: reused %d", SSL_session_reused(ssl));
    REQUIRE(response != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, response, 6) == 1);
    return SSL_TLSEXT_ERR_OK;
}

static int on_client_status(SSL *ssl, void *arg)
{
    const unsigned char *response;

    (void)arg;
    note("client's status callback: %ld", SSL_get_tlsext_status_ocsp_resp(ssl, &response));
    return 1;
}

static void test_status(bool by_ticket)
{
    struct site site;

    section("OCSP response, %s", form_name(by_ticket));
    use_form(&site, by_ticket);
    (void)SSL_CTX_set_tlsext_status_cb(site.server_ctx, on_server_status);
    (void)SSL_CTX_set_tlsext_status_cb(site.client_ctx, on_client_status);
    (void)SSL_CTX_set_tlsext_status_type(site.client_ctx, TLSEXT_STATUSTYPE_ocsp);
    (void)site_visit(&site);
    (void)site_visit(&site);
    site_free(&site);
}

/* --- Certificates --- */

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    note("verify callback: %d, depth %d", ok, X509_STORE_CTX_get_error_depth(ctx));
    return 1;
}

/* What a server knows of a client whose session is resumed. */
static void test_client_certificate(bool by_ticket, int first, int second)
{
    struct site site;
    struct identity *root = identity_new(KEY_P256, "root");
    struct identity *between = identity_issue(root, KEY_P256, "between", true);
    struct identity *leaf = identity_issue(between, KEY_P256, "client", false);

    section("client certificate, verify mode %d, then %d, %s", first, second, form_name(by_ticket));
    use_form(&site, by_ticket);
    identity_use_ctx(leaf, site.client_ctx);
    SSL_CTX_set_verify(site.server_ctx, first, on_verify);
    (void)site_visit(&site);
    if (first == second) {
        SSL_CTX_set_verify(site.server_ctx, second, on_verify);
        (void)site_visit(&site);
        (void)site_visit(&site);
    } else {
        SSL_CTX_set_verify(site.server_ctx, second, on_verify);
        difference_begin("t12-resume-verification");
        (void)site_visit(&site);
        difference_end();
    }
    site_free(&site);
    identity_free(leaf);
    identity_free(between);
    identity_free(root);
}

static void test_server_certificate(bool by_ticket, int result)
{
    struct site site;

    section("server certificate, verified %d, %s", result, form_name(by_ticket));
    use_form(&site, by_ticket);
    SSL_CTX_set_verify(site.client_ctx, SSL_VERIFY_PEER, on_verify);
    if (result == X509_V_OK) {
        identity_trust(identity_default(), site.client_ctx);
    }
    (void)site_visit(&site);
    (void)site_visit(&site);
    site_free(&site);
}

static void test_certificates(bool by_ticket)
{
    test_client_certificate(by_ticket, SSL_VERIFY_PEER, SSL_VERIFY_PEER);
    test_client_certificate(by_ticket, SSL_VERIFY_NONE, SSL_VERIFY_PEER);
    test_client_certificate(by_ticket, SSL_VERIFY_PEER, SSL_VERIFY_NONE);
    test_client_certificate(by_ticket, SSL_VERIFY_PEER,
                            SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT);
    test_server_certificate(by_ticket, X509_V_OK);
    test_server_certificate(by_ticket, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT);
}

int main(void)
{
    contract_start();
    for (int i = 0; i < 2; i++) {
        test_names(i == 0);
        test_protocols(i == 0);
        test_status(i == 0);
        test_certificates(i == 0);
    }
    identity_default_free();
    return contract_finish();
}
