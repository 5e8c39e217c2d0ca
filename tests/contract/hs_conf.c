/*
 * SSL_CONF_cmd(3): which commands exist for whom, what each changes, what it returns.
 * Manual pages: SSL_CONF_CTX_new(3), SSL_CONF_CTX_set1_prefix(3), SSL_CONF_CTX_set_flags(3),
 * SSL_CONF_CTX_set_ssl_ctx(3), SSL_CONF_cmd_argv(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char *const commands[] = { "no_ssl3",
                                        "no_tls1",
                                        "no_tls1_1",
                                        "no_tls1_2",
                                        "no_tls1_3",
                                        "bugs",
                                        "no_comp",
                                        "comp",
                                        "ecdh_single",
                                        "no_ticket",
                                        "serverpref",
                                        "legacy_renegotiation",
                                        "client_renegotiation",
                                        "legacy_server_connect",
                                        "no_renegotiation",
                                        "no_resumption_on_reneg",
                                        "no_legacy_server_connect",
                                        "allow_no_dhe_kex",
                                        "prioritize_chacha",
                                        "strict",
                                        "no_middlebox",
                                        "anti_replay",
                                        "no_anti_replay",
                                        "no_etm",
                                        "no_ems",
                                        "no_tx_cert_comp",
                                        "NoSuchCommand",
                                        "SignatureAlgorithms",
                                        "sigalgs",
                                        "ClientSignatureAlgorithms",
                                        "client_sigalgs",
                                        "Curves",
                                        "curves",
                                        "Groups",
                                        "groups",
                                        "ECDHParameters",
                                        "named_curve",
                                        "CipherString",
                                        "cipher",
                                        "Ciphersuites",
                                        "ciphersuites",
                                        "Protocol",
                                        "protocol",
                                        "MinProtocol",
                                        "min_protocol",
                                        "MaxProtocol",
                                        "max_protocol",
                                        "Options",
                                        "options",
                                        "VerifyMode",
                                        "Certificate",
                                        "cert",
                                        "PrivateKey",
                                        "key",
                                        "ServerInfoFile",
                                        "ChainCAPath",
                                        "chainCApath",
                                        "ChainCAFile",
                                        "chainCAfile",
                                        "ChainCAStore",
                                        "chainCAstore",
                                        "VerifyCAPath",
                                        "verifyCApath",
                                        "VerifyCAFile",
                                        "verifyCAfile",
                                        "VerifyCAStore",
                                        "verifyCAstore",
                                        "RequestCAFile",
                                        "requestCAFile",
                                        "requestCAfile",
                                        "ClientCAFile",
                                        "RequestCAPath",
                                        "requestCAPath",
                                        "ClientCAPath",
                                        "RequestCAStore",
                                        "requestCAStore",
                                        "ClientCAStore",
                                        "DHParameters",
                                        "dhparam",
                                        "RecordPadding",
                                        "record_padding",
                                        "NumTickets",
                                        "num_tickets",
                                        "IgnoreUnexpectedEOF" };

static const unsigned all_flags[] = {
    SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_CLIENT,
    SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER,
    SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CERTIFICATE,
    SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT,
    SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER,
    SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT | SSL_CONF_FLAG_CERTIFICATE,
    SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CLIENT |
        SSL_CONF_FLAG_CERTIFICATE
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The name as the context wants it: a command line has a dash before it. */
static const char *with_dash(const char *name, unsigned flags)
{
    static char text[64];

    snprintf(text, sizeof(text), "%s%s", (flags & SSL_CONF_FLAG_CMDLINE) != 0 ? "-" : "", name);
    return text;
}

static void test_value_types(void)
{
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

    section("which commands exist for whom");
    for (size_t i = 0; i < COUNT(all_flags); i++) {
        SSL_CONF_CTX_clear_flags(conf, ~0u);
        note("flags 0x%x -> 0x%x", all_flags[i], SSL_CONF_CTX_set_flags(conf, all_flags[i]));
        for (size_t j = 0; j < COUNT(commands); j++) {
            note("  %s %d", commands[j],
                 SSL_CONF_cmd_value_type(conf, with_dash(commands[j], all_flags[i])));
        }
    }
    SSL_CONF_CTX_free(conf);
}

static void log_ctx(SSL_CTX *ctx)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_CTX_get_ciphers(ctx);

    note("  options %016llx mode %lx verify %d min %lx max %lx cert_flags %lx",
         (unsigned long long)SSL_CTX_get_options(ctx), SSL_CTX_get_mode(ctx),
         SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_min_proto_version(ctx),
         SSL_CTX_get_max_proto_version(ctx), SSL_CTX_set_cert_flags(ctx, 0));
    note("  %d ciphers, first %s; tickets %zu; CA names %d", sk_SSL_CIPHER_num(ciphers),
         SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, 0)), SSL_CTX_get_num_tickets(ctx),
         sk_X509_NAME_num(SSL_CTX_get0_CA_list(ctx)));
}

/* One command on a fresh context. */
static void run(unsigned flags, const char *command, const char *value)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

    SSL_CONF_CTX_set_flags(conf, flags | SSL_CONF_FLAG_SHOW_ERRORS);
    SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
    note("%x %s '%s' = %d", flags, command, value == NULL ? "(null)" : value,
         SSL_CONF_cmd(conf, command, value));
    log_errors("e");
    note("  finish %d", SSL_CONF_CTX_finish(conf));
    log_errors("e");
    log_ctx(ctx);
    SSL_CONF_CTX_free(conf);
    SSL_CTX_free(ctx);
}

static void test_switches(void)
{
    const unsigned client = SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_CLIENT;
    const unsigned server = SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER;

    section("switches");
    for (size_t j = 0; j < 27; j++) {
        run(client, with_dash(commands[j], client), NULL);
        run(server, with_dash(commands[j], server), NULL);
    }
    run(client, "no_ssl3", NULL);
    run(client, "-", NULL);
    run(client, "", NULL);
    run(client, NULL, NULL);
    run(0, "Options", "Bugs");
}

static const char *const option_names[] = { "SessionTicket",
                                            "EmptyFragments",
                                            "Bugs",
                                            "Compression",
                                            "ServerPreference",
                                            "NoResumptionOnRenegotiation",
                                            "DHSingle",
                                            "ECDHSingle",
                                            "UnsafeLegacyRenegotiation",
                                            "UnsafeLegacyServerConnect",
                                            "ClientRenegotiation",
                                            "EncryptThenMac",
                                            "NoRenegotiation",
                                            "AllowNoDHEKEX",
                                            "PrioritizeChaCha",
                                            "MiddleboxCompat",
                                            "AntiReplay",
                                            "ExtendedMasterSecret",
                                            "CANames",
                                            "KTLS",
                                            "StrictCertCheck",
                                            "NoSuchOption",
                                            "bugs",
                                            "IgnoreUnexpectedEOF",
                                            "TxCertificateCompression",
                                            "PreferNoDHEKEX" };

static void test_options(void)
{
    const unsigned client = SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT;
    const unsigned server = SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER;
    char text[64];

    section("Options");
    for (size_t j = 0; j < COUNT(option_names); j++) {
        run(client, "Options", option_names[j]);
        run(server, "Options", option_names[j]);
        snprintf(text, sizeof(text), "-%s", option_names[j]);
        run(server, "Options", text);
    }
    run(server, "Options", "Bugs, -SessionTicket , +ServerPreference");
    run(server, "options", "Bugs,,KTLS");
    run(server, "Options", "Bugs,Nonsense,KTLS");
    run(server, "Options", "");
    run(server, "Options", NULL);
    run(server, "Options", "-");
}

static void test_strings(void)
{
    static const struct {
        const char *command, *value;
    } cases[] = {
        { "Protocol", "TLSv1.2" },
        { "Protocol", "-ALL,TLSv1.3" },
        { "Protocol", "ALL" },
        { "Protocol", "-ALL, +TLSv1.2, TLSv1.1" },
        { "Protocol", "-TLSv1, -SSLv3" },
        { "Protocol", "SSLv2" },
        { "Protocol", "-DTLSv1.2" },
        { "Protocol", "TLSv2" },
        { "MinProtocol", "TLSv1.2" },
        { "MinProtocol", "None" },
        { "MinProtocol", "tlsv1.2" },
        { "MinProtocol", "SSLv3" },
        { "MinProtocol", "DTLSv1.2" },
        { "MinProtocol", "TLSv1.4" },
        { "MaxProtocol", "TLSv1.2" },
        { "MaxProtocol", "TLSv1.3" },
        { "MaxProtocol", "DTLSv1" },
        { "MaxProtocol", "None" },
        { "MaxProtocol", "" },
        { "VerifyMode", "Peer" },
        { "VerifyMode", "Request" },
        { "VerifyMode", "Require" },
        { "VerifyMode", "Once" },
        { "VerifyMode", "RequestPostHandshake" },
        { "VerifyMode", "RequirePostHandshake" },
        { "VerifyMode", "Require,Once" },
        { "VerifyMode", "-Peer" },
        { "VerifyMode", "Never" },
        { "CipherString", "AES256" },
        { "CipherString", "NONSENSE" },
        { "CipherString", "" },
        { "Ciphersuites", "TLS_AES_128_GCM_SHA256" },
        { "Ciphersuites", "TLS_FOO" },
        { "Ciphersuites", "" },
        { "Groups", "P-256:X25519" },
        { "Groups", "nonsense" },
        { "Curves", "P-384" },
        { "ECDHParameters", "P-256" },
        { "ECDHParameters", "automatic" },
        { "ECDHParameters", "+Automatic" },
        { "ECDHParameters", "auto" },
        { "ECDHParameters", "P-256:P-384" },
        { "SignatureAlgorithms", "RSA+SHA256" },
        { "SignatureAlgorithms", "RSA+NONE" },
        { "ClientSignatureAlgorithms", "ed25519" },
        { "ClientSignatureAlgorithms", "foo" },
        { "RecordPadding", "512" },
        { "RecordPadding", "0" },
        { "RecordPadding", "-1" },
        { "RecordPadding", "20000" },
        { "RecordPadding", "x" },
        { "NumTickets", "5" },
        { "NumTickets", "-5" },
        { "NumTickets", "x" },
        { "NumTickets", "0" },
    };

    section("strings");
    for (size_t i = 0; i < COUNT(cases); i++) {
        run(SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT, cases[i].command, cases[i].value);
        run(SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER, cases[i].command, cases[i].value);
    }
    run(SSL_CONF_FLAG_FILE, "cipherstring", "AES128");
    run(SSL_CONF_FLAG_CMDLINE, "-Cipher", "AES128");
    run(SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER, "-named_curve", "auto");
    run(SSL_CONF_FLAG_CMDLINE | SSL_CONF_FLAG_SERVER, "-named_curve", "automatic");
}

/* The same on an SSL, and with a prefix. */
static void test_ssl_and_prefix(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    SSL *ssl = SSL_new(ctx);
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

    section("an SSL, and a prefix");
    SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT);
    SSL_CONF_CTX_set_ssl(conf, ssl);
    note("prefix %d", SSL_CONF_CTX_set1_prefix(conf, "Our"));
    note("%d", SSL_CONF_cmd(conf, "ourOptions", "Bugs,-SessionTicket"));
    note("%d", SSL_CONF_cmd(conf, "Options", "Bugs"));
    note("%d", SSL_CONF_cmd(conf, "Our", "Bugs"));
    note("%d", SSL_CONF_cmd(conf, "OURMinProtocol", "TLSv1.2"));
    note("%d", SSL_CONF_cmd(conf, "OurVerifyMode", "Peer"));
    note("%d", SSL_CONF_cmd(conf, "OurCiphersuites", "TLS_AES_128_GCM_SHA256"));
    log_errors("e");
    note("ssl options %llx ctx %llx min %lx verify %d", (unsigned long long)SSL_get_options(ssl),
         (unsigned long long)SSL_CTX_get_options(ctx), SSL_get_min_proto_version(ssl),
         SSL_get_verify_mode(ssl));
    note("ctx verify %d min %lx", SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_min_proto_version(ctx));
    note("prefix NULL %d", SSL_CONF_CTX_set1_prefix(conf, NULL));
    note("%d", SSL_CONF_cmd(conf, "Options", "KTLS"));
    note("flags %x", SSL_CONF_CTX_set_flags(conf, 0));
    SSL_CONF_CTX_set_ssl(conf, NULL);
    note("without object %d", SSL_CONF_cmd(conf, "Options", "KTLS"));
    note("without object %d", SSL_CONF_cmd(conf, "MinProtocol", "TLSv1.2"));
    note("without object %d", SSL_CONF_cmd(conf, "CipherString", "AES"));
    note("without object %d", SSL_CONF_cmd(conf, "SignatureAlgorithms", "RSA+SHA1"));
    note("without object %d", SSL_CONF_cmd(conf, "SignatureAlgorithms", "RSA+FOO"));
    note("finish %d", SSL_CONF_CTX_finish(conf));
    log_errors("e");
    note("set1_prefix on command line %d", SSL_CONF_CTX_set1_prefix(conf, "--x-"));
    SSL_CONF_CTX_clear_flags(conf, SSL_CONF_FLAG_FILE);
    SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_CMDLINE);
    note("%d %d", SSL_CONF_cmd(conf, "--x-no_ticket", NULL), SSL_CONF_cmd(conf, "--X-bugs", NULL));
    SSL_CONF_CTX_free(conf);
    SSL_CONF_CTX_free(NULL);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void test_argv(void)
{
    char *words[] = { (char *)"-no_ticket", (char *)"-cipher", (char *)"AES128",
                      (char *)"-foo",       (char *)"-cipher", NULL };
    char **argv = words;
    int argc = 5;
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

    section("argv");
    SSL_CONF_CTX_set_flags(conf,
                           SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_CLIENT | SSL_CONF_FLAG_SHOW_ERRORS);
    SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
    for (int i = 0; i < 5; i++) {
        int ret = SSL_CONF_cmd_argv(conf, &argc, &argv);

        note("%d, %d left, next %s", ret, argc, *argv);
        log_errors("e");
        if (ret <= 0) {
            argv++;
            argc--;
        }
    }
    note("%d", SSL_CONF_cmd_argv(conf, &argc, &argv));
    argv = words;
    note("without count %d", SSL_CONF_cmd_argv(conf, NULL, &argv));
    note("without count %d, next %s", SSL_CONF_cmd_argv(conf, NULL, &argv), *argv);
    note("flags %x", SSL_CONF_CTX_set_flags(conf, 0));
    log_ctx(ctx);
    SSL_CONF_CTX_free(conf);
    SSL_CTX_free(ctx);
}

/* Files: a certificate with its key in one file, lists of authorities, stores. */
static void test_files(void)
{
    char both[] = "/tmp/contract-conf-XXXXXX";
    char certs[] = "/tmp/contract-conf-XXXXXX";
    const struct identity *me = identity_default();
    unsigned flags = SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SERVER | SSL_CONF_FLAG_CERTIFICATE;
    FILE *f = fdopen(mkstemp(both), "w");

    section("files");
    REQUIRE(f != NULL && PEM_write_X509(f, me->cert) &&
            PEM_write_PrivateKey(f, me->key, NULL, NULL, 0, NULL, NULL));
    fclose(f);
    f = fdopen(mkstemp(certs), "w");
    REQUIRE(f != NULL && PEM_write_X509(f, me->cert) && PEM_write_X509(f, me->cert));
    fclose(f);
    for (int i = 0; i < 3; i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

        SSL_CONF_CTX_set_flags(conf, i == 1 ? flags | SSL_CONF_FLAG_REQUIRE_PRIVATE : flags);
        SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
        note("Certificate %d", SSL_CONF_cmd(conf, "Certificate", both));
        if (i == 2) {
            note("PrivateKey %d", SSL_CONF_cmd(conf, "PrivateKey", both));
            note("missing %d", SSL_CONF_cmd(conf, "PrivateKey", "/nonexistent"));
            log_errors("e");
            note("missing %d", SSL_CONF_cmd(conf, "Certificate", "/nonexistent"));
            log_errors("e");
        }
        note("ClientCAFile %d", SSL_CONF_cmd(conf, "ClientCAFile", certs));
        note("RequestCAFile %d", SSL_CONF_cmd(conf, "RequestCAFile", certs));
        note("RequestCAFile missing %d", SSL_CONF_cmd(conf, "RequestCAFile", "/nonexistent"));
        log_errors("e");
        note("ChainCAFile %d", SSL_CONF_cmd(conf, "ChainCAFile", certs));
        note("VerifyCAFile %d", SSL_CONF_cmd(conf, "VerifyCAFile", certs));
        note("VerifyCAFile missing %d", SSL_CONF_cmd(conf, "VerifyCAFile", "/nonexistent"));
        log_errors("e");
        note("VerifyCAPath %d", SSL_CONF_cmd(conf, "VerifyCAPath", "/nonexistent"));
        note("ClientCAPath missing %d", SSL_CONF_cmd(conf, "ClientCAPath", "/nonexistent"));
        ERR_clear_error();
        note("DHParameters missing %d", SSL_CONF_cmd(conf, "DHParameters", "/nonexistent"));
        log_errors("e");
        note("DHParameters without %d", SSL_CONF_cmd(conf, "DHParameters", certs));
        ERR_clear_error();
        note("finish %d", SSL_CONF_CTX_finish(conf));
        log_errors("e");
        note("key %d cert %d names %d client names %d", SSL_CTX_get0_privatekey(ctx) != NULL,
             SSL_CTX_get0_certificate(ctx) != NULL, sk_X509_NAME_num(SSL_CTX_get0_CA_list(ctx)),
             sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)));
        SSL_CONF_CTX_free(conf);
        SSL_CTX_free(ctx);
    }
    unlink(both);
    unlink(certs);
}

int main(void)
{
    contract_start();
    test_value_types();
    test_switches();
    test_options();
    test_strings();
    test_ssl_and_prefix();
    test_argv();
    test_files();
    identity_default_free();
    return contract_finish();
}
