/*
 * Extensions that say something of a certificate or of records: timestamps of Certificate
 * Transparency (RFC 6962, 3.3) with stapled OCSP responses beside them, max_fragment_length
 * (RFC 6066, 4), use_srtp (RFC 5764), which is DTLS's alone.
 * Manual pages: SSL_get0_peer_scts(3).
 */
#include "contract.h"

#include <openssl/ct.h>
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <string.h>

/* --- Timestamps --- */

/* One SCT: version, log, time, no extensions, ECDSA with SHA-256, a signature of two bytes. */
#define SCT_LEN 49

struct transparency {
    const char *title;
    size_t num_scts; /* that the server sends; 0: no extension */
    int cut;         /* bytes that its end lacks */
    int version;     /* of the timestamps */
    int enable;      /* SSL_CT_VALIDATION_*, -1: a callback of our own, -2: nothing */
    int answer;      /* of that callback */
    int verify;      /* SSL_VERIFY_* */
    bool staple;
    bool trusted;
};

static const struct transparency *now;
static struct identity *root; /* Certificate Transparency judges chains of two or more */
static struct identity *leaf;
static uint8_t list[1024];

static size_t make_list(void)
{
    size_t len = 2;

    memset(list, 0, sizeof(list));
    for (size_t i = 0; i < now->num_scts; i++) {
        uint8_t *at = list + len;

        at[1] = SCT_LEN;
        at[2] = (uint8_t)now->version;
        memset(at + 3, (int)(0x10 + i), 32);
        at[42] = 1;
        at[45] = 4;
        at[46] = 3;
        at[48] = 2;
        len += 2 + SCT_LEN;
    }
    list[0] = (uint8_t)((len - 2) >> 8);
    list[1] = (uint8_t)(len - 2);
    return len - (size_t)now->cut;
}

static int on_add(SSL *ssl, unsigned int type, unsigned int context, const unsigned char **out,
                  size_t *out_len, X509 *cert, size_t chain_index, int *alert, void *arg)
{
    (void)alert;
    (void)arg;
    note("%s: add %u, context %x, certificate %d %zu", ssl_get_name(ssl), type, context,
         cert != NULL, chain_index);
    *out = list;
    *out_len = make_list();
    return chain_index == 0 ? 1 : 0;
}

static int on_parse(SSL *ssl, unsigned int type, unsigned int context, const unsigned char *in,
                    size_t in_len, X509 *cert, size_t chain_index, int *alert, void *arg)
{
    (void)alert;
    (void)arg;
    (void)in;
    note("%s: parse %u, context %x, %zu bytes, certificate %d %zu", ssl_get_name(ssl), type,
         context, in_len, cert != NULL, chain_index);
    return 1;
}

static int on_ct(const CT_POLICY_EVAL_CTX *ctx, const STACK_OF(SCT) *scts, void *arg)
{
    (void)arg;
    note("client: judges %d timestamps, certificate %d issuer %d -> %d", sk_SCT_num(scts),
         CT_POLICY_EVAL_CTX_get0_cert(ctx) != NULL, CT_POLICY_EVAL_CTX_get0_issuer(ctx) != NULL,
         now->answer);
    for (int i = 0; i < sk_SCT_num(scts); i++) {
        const SCT *sct = sk_SCT_value(scts, i);

        note("  version %d source %d status %d", SCT_get_version(sct), SCT_get_source(sct),
             SCT_get_validation_status(sct));
    }
    return now->answer;
}

static int on_verify(int ok, X509_STORE_CTX *ctx)
{
    note("client: verify callback, depth %d, %d", X509_STORE_CTX_get_error_depth(ctx), ok);
    return 1;
}

static int on_staple(SSL *ssl, void *arg)
{
    const unsigned char *response = NULL;

    (void)arg;
    if (SSL_is_server(ssl)) {
        /* OCSPResponse of one field: tryLater. */
        unsigned char *copy = OPENSSL_memdup("\x30\x03\x0a\x01\x03", 5);

        REQUIRE(copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, 5) == 1);
        return SSL_TLSEXT_ERR_OK;
    }
    note("client: status callback, %ld bytes",
         (long)SSL_get_tlsext_status_ocsp_resp(ssl, &response));
    return 1;
}

static void log_scts(SSL *ssl, const char *when)
{
    const STACK_OF(SCT) *scts = SSL_get0_peer_scts(ssl);

    note("%s %s: %d timestamps, result %ld, enabled %d", ssl_get_name(ssl), when,
         scts != NULL ? sk_SCT_num(scts) : -1, SSL_get_verify_result(ssl), SSL_ct_is_enabled(ssl));
    log_errors("left behind");
}

static void run_transparency(const struct transparency *row)
{
    SSL_CTX *client_ctx = client_ctx_new();
    SSL_CTX *server_ctx = server_ctx_new();
    struct pair p;

    section("%s", row->title);
    now = row;
    if (row->num_scts > 0) {
        note("register %d",
             SSL_CTX_add_custom_ext(server_ctx, TLSEXT_TYPE_signed_certificate_timestamp,
                                    SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |
                                        SSL_EXT_TLS1_3_CERTIFICATE,
                                    on_add, NULL, NULL, on_parse, NULL));
    }
    if (row->staple) {
        REQUIRE(SSL_CTX_set_tlsext_status_cb(server_ctx, on_staple) == 1);
        REQUIRE(SSL_CTX_set_tlsext_status_cb(client_ctx, on_staple) == 1);
    }
    if (row->trusted) {
        identity_trust(root, client_ctx);
    }
    SSL_CTX_set_verify(client_ctx, row->verify, row->verify != SSL_VERIFY_NONE ? on_verify : NULL);
    pair_init_ctx(&p, client_ctx, server_ctx, OVER_MEMORY, 0);
    SSL_certs_clear(p.server);
    identity_use_ssl(leaf, p.server);
    if (row->enable >= 0) {
        log_call(p.client, "SSL_enable_ct", SSL_enable_ct(p.client, row->enable));
    } else if (row->enable == -1) {
        log_call(p.client, "SSL_set_ct_validation_callback",
                 SSL_set_ct_validation_callback(p.client, on_ct, NULL));
    }
    if (row->staple) {
        CHECK(SSL_set_tlsext_status_type(p.client, TLSEXT_STATUSTYPE_ocsp) == 1);
    }
    if (log_handshake(p.client, p.server)) {
        log_alive(p.client, p.server);
    }
    log_scts(p.client, "after");
    log_scts(p.server, "after");
    pair_free(&p);
}

static void test_transparency(void)
{
    static const struct transparency rows[] = {
        { "nobody asks", 1, 0, 0, -2, 1, SSL_VERIFY_NONE, false, false },
        { "own callback", 2, 0, 0, -1, 1, SSL_VERIFY_PEER, false, true },
        { "own callback, no verification", 2, 0, 0, -1, 1, SSL_VERIFY_NONE, false, true },
        { "own callback refuses", 1, 0, 0, -1, 0, SSL_VERIFY_PEER, false, true },
        { "own callback fails", 1, 0, 0, -1, -1, SSL_VERIFY_PEER, false, true },
        { "own callback, not trusted", 1, 0, 0, -1, 1, SSL_VERIFY_PEER, false, false },
        { "own callback refuses, not trusted", 1, 0, 0, -1, 0, SSL_VERIFY_NONE, false, false },
        { "none sent, own callback", 0, 0, 0, -1, 0, SSL_VERIFY_PEER, false, true },
        { "none sent, strict", 0, 0, 0, SSL_CT_VALIDATION_STRICT, 0, SSL_VERIFY_PEER, false, true },
        { "none sent, permissive", 0, 0, 0, SSL_CT_VALIDATION_PERMISSIVE, 0, SSL_VERIFY_PEER, false,
          true },
        { "unknown log, strict", 1, 0, 0, SSL_CT_VALIDATION_STRICT, 0, SSL_VERIFY_PEER, false,
          true },
        { "unknown log, permissive", 1, 0, 0, SSL_CT_VALIDATION_PERMISSIVE, 0, SSL_VERIFY_PEER,
          false, true },
        { "strict, a response beside", 1, 0, 0, SSL_CT_VALIDATION_STRICT, 0, SSL_VERIFY_PEER, true,
          true },
        { "unknown version, own callback", 1, 0, 7, -1, 1, SSL_VERIFY_PEER, false, true },
        { "cut, strict", 1, 1, 0, SSL_CT_VALIDATION_STRICT, 1, SSL_VERIFY_PEER, false, true },
    };

    /* Without verification the handshake goes on, as the manual page says; 3.0.22 has sent its
     * alert all the same. */
    static const struct transparency unverified[] = {
        { "own callback refuses, no verification", 1, 0, 0, -1, 0, SSL_VERIFY_NONE, false, true },
        { "unknown log, strict, no verification", 1, 0, 0, SSL_CT_VALIDATION_STRICT, 0,
          SSL_VERIFY_NONE, false, true },
    };
    /* Libcrypto's complaint stays in the queue, where 3.0.22 finds it when it only waits. */
    static const struct transparency cut[] = {
        { "own callback, a response beside", 1, 0, 0, -1, 1, SSL_VERIFY_PEER, true, true },
        { "cut, own callback", 2, 3, 0, -1, 1, SSL_VERIFY_PEER, false, true },
        { "cut, permissive", 1, 1, 0, SSL_CT_VALIDATION_PERMISSIVE, 1, SSL_VERIFY_NONE, false,
          true },
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        run_transparency(&rows[i]);
    }
    difference_begin("ct-without-verification");
    for (size_t i = 0; i < sizeof(unverified) / sizeof(unverified[0]); i++) {
        run_transparency(&unverified[i]);
    }
    difference_end();
    difference_begin("get-error-judges-own-call");
    for (size_t i = 0; i < sizeof(cut) / sizeof(cut[0]); i++) {
        run_transparency(&cut[i]);
    }
    difference_end();
}

/* A type that the application registers goes to it; Certificate Transparency wants it, too. */
static void test_both(void)
{
    SSL_CTX *ctx = client_ctx_new();

    section("a client's own extension 18");
    note("register %d", SSL_CTX_add_client_custom_ext(ctx, TLSEXT_TYPE_signed_certificate_timestamp,
                                                      NULL, NULL, NULL, NULL, NULL));
    note("enable %d", SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_STRICT));
    log_errors("error");
    SSL_CTX_free(ctx);
    ctx = client_ctx_new();
    note("enable %d", SSL_CTX_enable_ct(ctx, SSL_CT_VALIDATION_STRICT));
    note("register %d", SSL_CTX_add_client_custom_ext(ctx, TLSEXT_TYPE_signed_certificate_timestamp,
                                                      NULL, NULL, NULL, NULL, NULL));
    log_errors("error");
    note("enable 9: %d, enabled %d", SSL_CTX_enable_ct(ctx, 9), SSL_CTX_ct_is_enabled(ctx));
    log_errors("error");
    SSL_CTX_free(ctx);
}

/* --- max_fragment_length --- */

static size_t longest;

static void on_message(int sent, int version, int type, const void *data, size_t len, SSL *ssl,
                       void *arg)
{
    const uint8_t *header = data;

    (void)version;
    (void)ssl;
    (void)arg;
    if (sent && type == SSL3_RT_HEADER && len == 5 && header[0] == 23) {
        size_t body = (size_t)(header[3] << 8 | header[4]);

        longest = body > longest ? body : longest;
    }
}

static size_t longest_of(SSL *from, SSL *to)
{
    static uint8_t data[40000];

    longest = 0;
    CHECK(drive_transfer(from, to, data, sizeof(data)) == sizeof(data));
    return longest;
}

static void test_max_fragment(void)
{
    for (int code = 0; code <= 4; code++) {
        for (int limit = 0; limit < 3; limit++) {
            struct pair p;

            section("max_fragment_length %d, %s", code,
                    limit == 0   ? "no other limit"
                    : limit == 1 ? "the server sends 700 bytes at most"
                                 : "the client sends 700 bytes at most");
            pair_init(&p, OVER_MEMORY, 0);
            if (code > 0) {
                REQUIRE(SSL_set_tlsext_max_fragment_length(p.client, (uint8_t)code) == 1);
            }
            if (limit > 0) {
                CHECK(SSL_set_max_send_fragment(limit == 1 ? p.server : p.client, 700) == 1);
            }
            SSL_set_msg_callback(p.client, on_message);
            SSL_set_msg_callback(p.server, on_message);
            CHECK(log_handshake(p.client, p.server));
            note("sessions %d %d", SSL_SESSION_get_max_fragment_length(SSL_get_session(p.client)),
                 SSL_SESSION_get_max_fragment_length(SSL_get_session(p.server)));
            note("longest records %zu %zu", longest_of(p.client, p.server),
                 longest_of(p.server, p.client));
            pair_free(&p);
        }
    }
}

/* --- use_srtp --- */

static void log_srtp(SSL *ssl)
{
    STACK_OF(SRTP_PROTECTION_PROFILE) *profiles = SSL_get_srtp_profiles(ssl);
    const SRTP_PROTECTION_PROFILE *selected = SSL_get_selected_srtp_profile(ssl);

    note("%s: %d profiles, selected %s", ssl_get_name(ssl),
         profiles != NULL ? sk_SRTP_PROTECTION_PROFILE_num(profiles) : -1,
         selected != NULL ? selected->name : "none");
}

static void on_extension(SSL *ssl, int client, int type, const unsigned char *data, int len,
                         void *arg)
{
    (void)data;
    (void)arg;
    if (type == TLSEXT_TYPE_use_srtp) {
        note("%s: use_srtp of %d bytes in a hello of %s", ssl_get_name(ssl), len,
             client ? "the client" : "the server");
    }
}

static void test_srtp(void)
{
    struct pair p;

    section("SRTP profiles over TLS");
    pair_init(&p, OVER_MEMORY, 0);
    SSL_set_tlsext_debug_callback(p.client, on_extension);
    SSL_set_tlsext_debug_callback(p.server, on_extension);
    note("set %d %d", SSL_set_tlsext_use_srtp(p.client, "SRTP_AES128_CM_SHA1_80"),
         SSL_set_tlsext_use_srtp(p.server, "SRTP_AES128_CM_SHA1_32:SRTP_AES128_CM_SHA1_80"));
    log_srtp(p.client);
    log_srtp(p.server);
    (void)log_handshake(p.client, p.server);
    log_srtp(p.client);
    log_srtp(p.server);
    pair_free(&p);
}

int main(void)
{
    contract_start();
    root = identity_new(KEY_P256, "root");
    leaf = identity_issue(root, KEY_P256, "localhost", false);
    test_transparency();
    test_both();
    test_max_fragment();
    test_srtp();
    identity_free(leaf);
    identity_free(root);
    identity_default_free();
    return contract_finish();
}
