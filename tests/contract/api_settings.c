/*
 * Settings of contexts and connections, as set and read back: SSL_CTX_ctrl(3) and the macros on it,
 * SSL_CTX_set_options(3), SSL_CTX_set_mode(3), SSL_CTX_set_alpn_select_cb(3) and others.
 * Manual pages: SSL_CTX_sess_set_cache_size(3), SSL_CTX_set_tlsext_use_srtp(3), SSL_get_fd(3).
 */
#include "contract.h"

#include <openssl/dh.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <string.h>

/* Logs the value of an expression with its text, then the errors it left. */
#define LOG(expression) log_value(#expression, (long)(expression))

static void log_value(const char *what, long value)
{
    note("%s: %ld", what, value);
    log_errors("error");
}

/* Commands that write to what parg points to, which these calls leave NULL, and the commands of SRP
 * (79 to 81), which Tenon refuses. */
static bool is_left_out(int command)
{
    static const int left_out[] = { 66,  68,  70,  79,  80,  81,  82, 109,
                                    115, 128, 129, 133, 134, 137, 138 };

    for (size_t i = 0; i < sizeof(left_out) / sizeof(left_out[0]); i++) {
        if (left_out[i] == command) {
            return true;
        }
    }
    return false;
}

static void every_command(SSL_CTX *ctx, SSL *ssl)
{
    section("every command without an argument");
    for (int command = -1; command < 145; command++) {
        if (!is_left_out(command)) {
            note("SSL %d: %ld", command, SSL_ctrl(ssl, command, 0, NULL));
            log_errors("error");
            note("SSL_CTX %d: %ld", command, SSL_CTX_ctrl(ctx, command, 0, NULL));
            log_errors("error");
        }
    }
    for (int command = 0; command < 145; command++) {
        if (command < 75 || command > 77) {
            note("callback %d: %ld %ld", command, SSL_callback_ctrl(ssl, command, NULL),
                 SSL_CTX_callback_ctrl(ctx, command, NULL));
            log_errors("error");
        }
    }
}

static void numbers(SSL_CTX *ctx, SSL *ssl)
{
    section("numbers");
    LOG(SSL_CTX_get_options(ctx));
    LOG(SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_CRYPTOPRO_TLSEXT_BUG));
    LOG(SSL_clear_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION));
    LOG(SSL_CTX_get_options(ctx));
    LOG(SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE));
    LOG(SSL_clear_mode(ssl, SSL_MODE_AUTO_RETRY));
    LOG(SSL_CTX_get_mode(ctx));
    LOG(SSL_CTX_set_read_ahead(ctx, 7));
    LOG(SSL_CTX_get_read_ahead(ctx));
    LOG(SSL_get_read_ahead(ssl));
    LOG(SSL_set_max_cert_list(ssl, -1));
    LOG(SSL_set_max_cert_list(ssl, 5));
    LOG(SSL_get_max_cert_list(ssl));
    LOG(SSL_set_max_send_fragment(ssl, 511));
    LOG(SSL_set_max_send_fragment(ssl, 512));
    LOG(SSL_set_max_send_fragment(ssl, 16385));
    LOG(SSL_set_split_send_fragment(ssl, 513));
    LOG(SSL_set_split_send_fragment(ssl, 512));
    LOG(SSL_set_split_send_fragment(ssl, 0));
    LOG(SSL_set_max_pipelines(ssl, 0));
    LOG(SSL_set_max_pipelines(ssl, 33));
    LOG(SSL_set_max_pipelines(ssl, 32));
    LOG(SSL_get_read_ahead(ssl));
    LOG(SSL_CTX_set_max_pipelines(ctx, 2));
    LOG(SSL_CTX_get_read_ahead(ctx));
    LOG(SSL_CTX_sess_set_cache_size(ctx, -1));
    LOG(SSL_CTX_sess_set_cache_size(ctx, 7));
    LOG(SSL_CTX_sess_get_cache_size(ctx));
    LOG(SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_BOTH));
    LOG(SSL_CTX_get_session_cache_mode(ctx));
    LOG(SSL_CTX_set_tlsext_max_fragment_length(ctx, 5));
    LOG(SSL_CTX_set_tlsext_max_fragment_length(ctx, TLSEXT_max_fragment_length_4096));
    LOG(SSL_set_tlsext_max_fragment_length(ssl, 200));
    LOG(SSL_CTX_set_block_padding(ctx, 16385));
    LOG(SSL_CTX_set_block_padding(ctx, 16384));
    LOG(SSL_set_block_padding(ssl, 1));
    LOG(SSL_CTX_set_num_tickets(ctx, 9));
    LOG(SSL_get_num_tickets(ssl));
    LOG(SSL_CTX_set_max_early_data(ctx, 77));
    LOG(SSL_get_max_early_data(ssl));
    LOG(SSL_CTX_get_recv_max_early_data(ctx));
    LOG(SSL_CTX_set_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT));
    LOG(SSL_CTX_clear_cert_flags(ctx, SSL_CERT_FLAG_TLS_STRICT));
    SSL_set_quiet_shutdown(ssl, 5);
    LOG(SSL_get_quiet_shutdown(ssl));
    LOG(SSL_CTX_get_quiet_shutdown(ctx));
    SSL_set_shutdown(ssl, 77);
    LOG(SSL_get_shutdown(ssl));
    LOG(SSL_get_default_timeout(ssl));
}

static void version_bounds(SSL_CTX *ctx)
{
    static const int versions[] = { 0,     0x2ff,  0x300,  0x301,  0x302, 0x303, 0x304,
                                    0x305, 0xfeff, 0xfefd, 0xfefe, 0x100, -1,    0x7777 };
    size_t num = sizeof(versions) / sizeof(versions[0]);

    section("version bounds");
    for (size_t i = 0; i < num; i++) {
        for (size_t k = 0; k < num; k++) {
            (void)SSL_CTX_set_min_proto_version(ctx, 0);
            (void)SSL_CTX_set_max_proto_version(ctx, 0);
            int min = (int)SSL_CTX_set_min_proto_version(ctx, versions[i]);
            int max = (int)SSL_CTX_set_max_proto_version(ctx, versions[k]);

            note("%x to %x: %d %d, reads %x to %x", (unsigned)versions[i], (unsigned)versions[k],
                 min, max, (unsigned)SSL_CTX_get_min_proto_version(ctx),
                 (unsigned)SSL_CTX_get_max_proto_version(ctx));
        }
    }
}

static void names_and_lists(SSL_CTX *ctx, SSL *ssl)
{
    char text[300];
    unsigned char keys[81] = { 0 };

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    section("names and lists");
    LOG(SSL_set_tlsext_host_name(ssl, ""));
    LOG(SSL_set_tlsext_host_name(ssl, text));
    text[255] = '\0';
    LOG(SSL_set_tlsext_host_name(ssl, text));
    LOG(SSL_get_servername_type(ssl));
    LOG(SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, 1, text));
    LOG(SSL_set_tlsext_host_name(ssl, NULL));
    LOG(SSL_get_servername_type(ssl));
    LOG(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2\3foo", 7));
    LOG(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h", 2));
    LOG(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\0", 1));
    LOG(SSL_CTX_set_alpn_protos(ctx, (const unsigned char *)"\2h2\0", 4));
    LOG(SSL_CTX_set_alpn_protos(ctx, NULL, 5));
    LOG(SSL_set_alpn_protos(ssl, (const unsigned char *)"\2h2", 0));
    LOG(SSL_CTX_use_psk_identity_hint(ctx, "hint"));
    text[255] = 'a';
    LOG(SSL_CTX_use_psk_identity_hint(ctx, text));
    LOG(SSL_use_psk_identity_hint(ssl, NULL));
    LOG(SSL_CTX_get_tlsext_ticket_keys(ctx, keys, 81));
    LOG(SSL_CTX_get_tlsext_ticket_keys(ctx, keys, 80));
    LOG(SSL_CTX_set_tlsext_ticket_keys(ctx, keys, 80));
    LOG(SSL_set1_client_certificate_types(ssl, keys, 2));
    LOG(SSL_set1_client_certificate_types(ssl, (unsigned char *)text, 256));
    for (unsigned type = 0; type < 70000; type++) {
        if (SSL_extension_supported(type)) {
            note("extension %u is known", type);
        }
    }
}

static void srtp(SSL_CTX *ctx)
{
    static const char *const lists[] = { "SRTP_AES128_CM_SHA1_80",
                                         "SRTP_AEAD_AES_256_GCM:SRTP_AEAD_AES_128_GCM",
                                         "FOO",
                                         "",
                                         "SRTP_AES128_CM_SHA1_80:SRTP_AES128_CM_SHA1_80",
                                         "SRTP_AES128_CM_SHA1_32:FOO",
                                         "SRTP_AES128_CM_SHA1_32:" };
    SSL *ssl = SSL_new(ctx);

    section("SRTP profiles");
    REQUIRE(ssl != NULL);
    note("profiles %d", sk_SRTP_PROTECTION_PROFILE_num(SSL_get_srtp_profiles(ssl)));
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        STACK_OF(SRTP_PROTECTION_PROFILE) *profiles;

        note("'%s': %d", lists[i], SSL_CTX_set_tlsext_use_srtp(ctx, lists[i]));
        log_errors("error");
        profiles = SSL_get_srtp_profiles(ssl);
        for (int k = 0; k < sk_SRTP_PROTECTION_PROFILE_num(profiles); k++) {
            const SRTP_PROTECTION_PROFILE *p = sk_SRTP_PROTECTION_PROFILE_value(profiles, k);

            note("  %s %lx", p->name, p->id);
        }
    }
    note("own: %d, %d of them", SSL_set_tlsext_use_srtp(ssl, "SRTP_AES128_CM_SHA1_32"),
         sk_SRTP_PROTECTION_PROFILE_num(SSL_get_srtp_profiles(ssl)));
    note("selected: %d", SSL_get_selected_srtp_profile(ssl) != NULL);
    SSL_free(ssl);
}

static void diffie_hellman(SSL_CTX *ctx, SSL *ssl)
{
    DH *strong = DH_get_2048_256();
    DH *weak = DH_get_1024_160();
    EC_KEY *curve = EC_KEY_new_by_curve_name(NID_secp384r1);
    EC_KEY *empty = EC_KEY_new();

    section("Diffie-Hellman");
    LOG(SSL_CTX_set_tmp_dh(ctx, NULL));
    LOG(SSL_CTX_set_tmp_dh(ctx, strong));
    LOG(SSL_CTX_set_tmp_dh(ctx, weak));
    SSL_set_security_level(ssl, 1);
    LOG(SSL_set_tmp_dh(ssl, weak));
    LOG(SSL_set_dh_auto(ssl, 2));
    LOG(SSL_CTX_set_tmp_ecdh(ctx, curve));
    LOG(SSL_CTX_set_tmp_ecdh(ctx, empty));
    DH_free(strong);
    DH_free(weak);
    EC_KEY_free(curve);
    EC_KEY_free(empty);
}

static void descriptors(SSL *ssl)
{
    section("descriptors");
    LOG(SSL_get_fd(ssl));
    LOG(SSL_set_wfd(ssl, 1));
    LOG(SSL_get_fd(ssl));
    LOG(SSL_get_wfd(ssl));
    LOG(SSL_set_rfd(ssl, 1));
    CHECK(SSL_get_rbio(ssl) == SSL_get_wbio(ssl));
    LOG(SSL_set_rfd(ssl, 2));
    LOG(SSL_get_rfd(ssl));
    CHECK(SSL_get_rbio(ssl) != SSL_get_wbio(ssl));
    LOG(SSL_set_fd(ssl, -1));
    LOG(SSL_get_fd(ssl));
}

static void without_context(void)
{
    section("without a context");
    LOG(SSL_CTX_set1_sigalgs_list(NULL, "RSA+SHA256:ed25519"));
    LOG(SSL_CTX_set1_sigalgs_list(NULL, "nonsense"));
    LOG(SSL_CTX_set1_client_sigalgs_list(NULL, "RSA+SHA256"));
    LOG(SSL_CTX_set1_client_sigalgs_list(NULL, NULL));
    LOG(SSL_CTX_set_mode(NULL, 1));
    LOG(SSL_CTX_new(NULL) != NULL);
    LOG(SSL_new(NULL) != NULL);
}

int main(void)
{
    SSL_CTX *ctx;
    SSL *ssl;

    contract_start();
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    numbers(ctx, ssl);
    names_and_lists(ctx, ssl);
    diffie_hellman(ctx, ssl);
    descriptors(ssl);
    srtp(ctx);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    ctx = SSL_CTX_new(TLS_method());
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    every_command(ctx, ssl);
    version_bounds(ctx);
    without_context();
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    return contract_finish();
}
