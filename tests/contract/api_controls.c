/*
 * Every control number, with neutral arguments and with nonsense, on every kind of object: what
 * SSL_ctrl(3), SSL_CTX_ctrl(3) and their callback_ctrl return, and which errors they leave. The
 * same for every command of SSL_CONF_cmd(3) with values that it may not like, and for every option
 * bit.
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Beyond every number that is known. */
#define NUM_COMMANDS 160

/* What a call with that number does with its pointer. */
enum kind {
    PLAIN,   /* nothing, or it judges that there is none */
    WRITES,  /* puts something there */
    LEFT_OUT /* needs something real, and crashes without it in OpenSSL; or is SRP */
};

static enum kind kind_of(int command)
{
    switch (command) {
    case 66: /* OCSP: extensions, responder ids, response */
    case 68:
    case 70:
    case 82:  /* extra chain certificates */
    case 103: /* certificate types */
    case 110: /* raw list of suites */
    case 111: /* point formats */
    case 115: /* chain */
    case 128: /* status callback and argument */
    case 129:
    case 137: /* stores */
    case 138:
        return WRITES;
    case 14: /* a certificate that there is not */
    case 79: /* SRP */
    case 80:
    case 81:
    case 89: /* a certificate */
    case 91: /* lists, of numbers and as text */
    case 92:
    case 97:
    case 98:
    case 101:
    case 102:
    case 108: /* numbers, keys */
    case 109:
    case 132:
    case 133:
    case 134: /* the group of a session that there is not */
        return LEFT_OUT;
    default:
        return PLAIN;
    }
}

static const long arguments[] = { 0, 1, 2, 3, -1, 512, 0x304, 20000 };

struct objects {
    struct pair pair;
    SSL *fresh;
};

static void make(struct objects *o, int version)
{
    pair_version = version;
    pair_init_connected(&o->pair, OVER_MEMORY, 0);
    o->fresh = SSL_new(o->pair.server_ctx);
    REQUIRE(o->fresh != NULL);
    ssl_set_name(o->fresh, "fresh");
}

static void drop(struct objects *o)
{
    SSL_free(o->fresh);
    pair_free(&o->pair);
}

/* A context's counters of sessions may be asked for, and a few more numbers, without saying what.
 */
static void control(const char *name, SSL *ssl, SSL_CTX *ctx, int command, long argument)
{
    void *room[8] = { NULL };
    void *pointer = kind_of(command) == WRITES ? room : NULL;
    long result = ssl != NULL ? SSL_ctrl(ssl, command, argument, pointer)
                              : SSL_CTX_ctrl(ctx, command, argument, pointer);

    note("%s %d(%ld): %ld%s", name, command, argument, result,
         room[0] != NULL ? ", something" : "");
    log_errors("error");
}

/* Each number on objects of its own, so that none sees what another has changed. */
static void test_command(int command, int version)
{
    for (size_t i = 0; i < COUNT(arguments); i++) {
        struct objects o;

        make(&o, version);
        control("fresh", o.fresh, NULL, command, arguments[i]);
        control("client", o.pair.client, NULL, command, arguments[i]);
        control("server", o.pair.server, NULL, command, arguments[i]);
        control("client context", NULL, o.pair.client_ctx, command, arguments[i]);
        control("server context", NULL, o.pair.server_ctx, command, arguments[i]);
        drop(&o);
    }
}

static void test_commands(void)
{
    for (int command = -1; command < NUM_COMMANDS; command++) {
        if (kind_of(command) == LEFT_OUT) {
            continue;
        }
        section("command %d", command);
        test_command(command, command % 2 == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
    }
}

/* What was left out, with something real. */
static void test_real_arguments(void)
{
    for (int i = 0; i < 2; i++) {
        struct objects o;
        X509 *cert = identity_default()->cert;
        int groups[] = { NID_X9_62_prime256v1, NID_X25519, NID_X25519 };
        int schemes[] = { NID_sha256, NID_rsaEncryption };

        section("with something real, %s", i == 0 ? "TLS 1.3" : "TLS 1.2");
        make(&o, i == 0 ? TLS1_3_VERSION : TLS1_2_VERSION);
        for (int k = 0; k < 3; k++) {
            SSL *ssl = k == 0 ? o.fresh : k == 1 ? o.pair.client : o.pair.server;
            int number = 0;
            EVP_PKEY *key = NULL;

            note("%s", ssl_get_name(ssl));
            note("  groups %ld %ld", SSL_set1_groups_list(ssl, "P-256:X25519"),
                 SSL_set1_groups_list(ssl, "nonsense"));
            note("  numbers %ld %ld %ld %ld", SSL_set1_groups(ssl, groups, 2),
                 SSL_set1_groups(ssl, groups, 3), SSL_set1_groups(ssl, groups, 0),
                 SSL_set1_sigalgs(ssl, schemes, 2));
            log_errors("  error");
            note("  odd %ld, for clients %ld", SSL_set1_sigalgs(ssl, schemes, 1),
                 SSL_set1_client_sigalgs(ssl, schemes, 2));
            log_errors("  error");
            note("  schemes %ld %ld %ld %ld", SSL_set1_sigalgs_list(ssl, "RSA+SHA256"),
                 SSL_set1_sigalgs_list(ssl, "nonsense"),
                 SSL_set1_client_sigalgs_list(ssl, "ed25519"),
                 SSL_set1_client_sigalgs_list(ssl, ""));
            log_errors("  error");
            if (k > 0) {
                note("  peer signs with %d", (int)SSL_get_peer_signature_nid(ssl, &number));
                note("  %d", number);
                note("  we sign with %d", (int)SSL_get_signature_nid(ssl, &number));
                note("  %d", number);
                note("  peer's key %d", (int)SSL_get_peer_tmp_key(ssl, &key));
                EVP_PKEY_free(key);
                key = NULL;
                note("  our key %d", (int)SSL_get_tmp_key(ssl, &key) != 0);
                EVP_PKEY_free(key);
                note("  group %d", (int)SSL_get_negotiated_group(ssl));
            }
            note("  chain %ld", SSL_add1_chain_cert(ssl, cert));
            log_errors("  error");
        }
        REQUIRE(X509_up_ref(cert) == 1);
        note("context: extra %ld", SSL_CTX_add_extra_chain_cert(o.pair.server_ctx, cert));
        note("context: chain %ld", SSL_CTX_add1_chain_cert(o.pair.server_ctx, cert));
        log_errors("error");
        drop(&o);
    }
}

/* SSL_CTRL_GET_FLAGS, of which programs have no macro. */
static void log_flags(const struct pair *p, const char *when)
{
    note("%s: client %lx, server %lx", when, SSL_ctrl(p->client, SSL_CTRL_GET_FLAGS, 0, NULL),
         SSL_ctrl(p->server, SSL_CTRL_GET_FLAGS, 0, NULL));
}

static void test_flags(void)
{
    static const char *const suites[] = { "ECDHE-ECDSA-AES128-SHA256",
                                          "ECDHE-ECDSA-AES128-GCM-SHA256" };
    static const uint64_t options[] = { 0, SSL_OP_NO_ENCRYPT_THEN_MAC,
                                        SSL_OP_NO_EXTENDED_MASTER_SECRET };

    section("flags");
    for (size_t i = 0; i < 6; i++) {
        struct pair p;
        char byte;

        pair_version = TLS1_2_VERSION;
        pair_init(&p, OVER_MEMORY, 0);
        note("%s, option %llx", suites[i / 3], (unsigned long long)options[i % 3]);
        REQUIRE(SSL_set_cipher_list(p.client, suites[i / 3]) == 1);
        (void)SSL_set_options(p.client, options[i % 3]);
        (void)SSL_set_options(p.server, SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
        log_flags(&p, "before");
        (void)SSL_do_handshake(p.client);
        (void)SSL_do_handshake(p.server);
        log_flags(&p, "amid");
        CHECK(drive_handshake(p.client, p.server));
        log_flags(&p, "after");
        CHECK(SSL_renegotiate(p.client) == 1);
        for (int k = 0; k < 6; k++) {
            (void)SSL_do_handshake(p.client);
            (void)SSL_read(p.server, &byte, 1);
        }
        ERR_clear_error();
        log_flags(&p, "again");
        CHECK(SSL_clear(p.client) == 1 && SSL_clear(p.server) == 1);
        log_flags(&p, "cleared");
        pair_free(&p);
    }
}

static void a_callback(void)
{
}

static void test_callback_controls(void)
{
    struct objects o;

    section("callbacks");
    make(&o, TLS1_3_VERSION);
    for (int command = -1; command < NUM_COMMANDS; command++) {
        if (command >= 75 && command <= 77) {
            continue; /* SRP */
        }
        for (int set = 1; set >= 0; set--) {
            void (*callback)(void) = set != 0 ? a_callback : NULL;

            note("%d %d: %ld %ld", command, set, SSL_callback_ctrl(o.fresh, command, callback),
                 SSL_CTX_callback_ctrl(o.pair.server_ctx, command, callback));
            log_errors("error");
        }
    }
    drop(&o);
}

static void test_options(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("option bits");
    REQUIRE(ssl != NULL);
    for (int bit = 0; bit < 64; bit++) {
        uint64_t option = (uint64_t)1 << bit;

        note("%d: %016llx %016llx %016llx %016llx", bit,
             (unsigned long long)SSL_CTX_set_options(ctx, option),
             (unsigned long long)SSL_set_options(ssl, option),
             (unsigned long long)SSL_CTX_clear_options(ctx, option),
             (unsigned long long)SSL_clear_options(ssl, option));
    }
    for (int bit = 0; bit < 32; bit++) {
        long mode = (long)((unsigned long)1 << bit);

        note("mode %d: %lx %lx %lx", bit, SSL_CTX_set_mode(ctx, mode), SSL_set_mode(ssl, mode),
             SSL_clear_mode(ssl, mode));
    }
    for (int bit = 0; bit < 32; bit++) {
        unsigned long flag = (unsigned long)1 << bit;
        X509_VERIFY_PARAM *param = SSL_CTX_get0_param(ctx);

        note("verify flag %d: %d %lx", bit, X509_VERIFY_PARAM_set_flags(param, flag),
             X509_VERIFY_PARAM_get_flags(SSL_get0_param(ssl)));
        SSL_set_verify(ssl, bit, NULL);
        note("verify mode %d: %d", bit, SSL_get_verify_mode(ssl));
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

/* --- SSL_CONF --- */

static const char *const names[] = { "SignatureAlgorithms",
                                     "ClientSignatureAlgorithms",
                                     "Curves",
                                     "Groups",
                                     "ECDHParameters",
                                     "CipherString",
                                     "Ciphersuites",
                                     "Protocol",
                                     "MinProtocol",
                                     "MaxProtocol",
                                     "Options",
                                     "VerifyMode",
                                     "Certificate",
                                     "PrivateKey",
                                     "ServerInfoFile",
                                     "ChainCAPath",
                                     "ChainCAFile",
                                     "ChainCAStore",
                                     "VerifyCAPath",
                                     "VerifyCAFile",
                                     "VerifyCAStore",
                                     "RequestCAFile",
                                     "ClientCAFile",
                                     "RequestCAPath",
                                     "ClientCAPath",
                                     "RequestCAStore",
                                     "ClientCAStore",
                                     "DHParameters",
                                     "RecordPadding",
                                     "NumTickets" };

static const char *const values[] = { NULL,
                                      "",
                                      " ",
                                      "nonsense",
                                      "0",
                                      "1",
                                      "-1",
                                      "16384",
                                      "16385",
                                      "99999999999",
                                      "none",
                                      "None",
                                      "auto",
                                      "ALL",
                                      "-ALL",
                                      "TLSv1.2",
                                      "TLSv1.3",
                                      "DTLSv1.2",
                                      "SSLv3",
                                      "+",
                                      ",",
                                      "P-256",
                                      "P-256:",
                                      ":P-256",
                                      "ECDSA+SHA256",
                                      "Peer,",
                                      "Require,Once",
                                      "Bugs,,-Compression",
                                      "-Bugs, Compression",
                                      "KTLS,-KTLS",
                                      "/nonexistent",
                                      "TLS_AES_128_GCM_SHA256:nonsense",
                                      "HIGH:!aNULL" };

static void test_conf(void)
{
    static const unsigned sides[] = { SSL_CONF_FLAG_CLIENT, SSL_CONF_FLAG_SERVER };

    for (size_t i = 0; i < COUNT(names); i++) {
        section("SSL_CONF %s", names[i]);
        for (size_t k = 0; k < COUNT(values); k++) {
            for (size_t side = 0; side < 2; side++) {
                SSL_CTX *ctx = SSL_CTX_new(TLS_method());
                SSL_CONF_CTX *conf = SSL_CONF_CTX_new();

                REQUIRE(ctx != NULL && conf != NULL);
                (void)SSL_CONF_CTX_set_flags(conf, SSL_CONF_FLAG_FILE | SSL_CONF_FLAG_SHOW_ERRORS |
                                                       SSL_CONF_FLAG_CERTIFICATE | sides[side]);
                SSL_CONF_CTX_set_ssl_ctx(conf, ctx);
                note("'%s' %d", values[k] != NULL ? values[k] : "(null)",
                     SSL_CONF_cmd(conf, names[i], values[k]));
                log_errors("error");
                note("  finish %d, options %016llx, verify %d, versions %lx to %lx, suites %d",
                     SSL_CONF_CTX_finish(conf), (unsigned long long)SSL_CTX_get_options(ctx),
                     SSL_CTX_get_verify_mode(ctx), SSL_CTX_get_min_proto_version(ctx),
                     SSL_CTX_get_max_proto_version(ctx),
                     sk_SSL_CIPHER_num(SSL_CTX_get_ciphers(ctx)));
                ERR_clear_error();
                SSL_CONF_CTX_free(conf);
                SSL_CTX_free(ctx);
            }
        }
    }
    section("SSL_CTX_config");
    {
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        SSL *ssl = SSL_new(ctx);

        note("%d %d %d", SSL_CTX_config(ctx, "nonsense"), SSL_CTX_config(ctx, ""),
             SSL_config(ssl, "nonsense"));
        log_errors("error");
        note("%d", SSL_CTX_config(ctx, NULL));
        log_errors("error");
        SSL_free(ssl);
        SSL_CTX_free(ctx);
    }
}

int main(void)
{
    contract_start();
    test_commands();
    test_real_arguments();
    test_flags();
    test_callback_controls();
    test_options();
    test_conf();
    identity_default_free();
    return contract_finish();
}
