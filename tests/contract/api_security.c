/*
 * Security levels: what the default callback allows at each level, and which suites are left:
 * SSL_CTX_set_security_level(3), SSL_get1_supported_ciphers(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <string.h>

static const struct {
    const char *name;
    int op;
} operations[] = { { "curve supported", SSL_SECOP_CURVE_SUPPORTED },
                   { "curve shared", SSL_SECOP_CURVE_SHARED },
                   { "curve check", SSL_SECOP_CURVE_CHECK },
                   { "temporary DH", SSL_SECOP_TMP_DH },
                   { "ticket", SSL_SECOP_TICKET },
                   { "signature supported", SSL_SECOP_SIGALG_SUPPORTED },
                   { "signature shared", SSL_SECOP_SIGALG_SHARED },
                   { "signature check", SSL_SECOP_SIGALG_CHECK },
                   { "signature mask", SSL_SECOP_SIGALG_MASK },
                   { "compression", SSL_SECOP_COMPRESSION },
                   { "end entity key", SSL_SECOP_EE_KEY },
                   { "authority key", SSL_SECOP_CA_KEY },
                   { "authority digest", SSL_SECOP_CA_MD },
                   { "peer's key", SSL_SECOP_PEER_EE_KEY } };

static const int bits[] = { 0, 40, 79, 80, 111, 112, 127, 128, 160, 191, 192, 255, 256, 300 };

#define NUM_BITS (sizeof(bits) / sizeof(bits[0]))

static void log_strengths(SSL *ssl, SSL_CTX *ctx)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
        char line[2 * NUM_BITS + 1] = "";

        for (size_t k = 0; k < NUM_BITS; k++) {
            int of_ssl =
                SSL_get_security_callback(ssl)(ssl, NULL, operations[i].op, bits[k], 0, NULL, NULL);
            int of_ctx = SSL_CTX_get_security_callback(ctx)(NULL, ctx, operations[i].op, bits[k], 0,
                                                            NULL, NULL);

            line[2 * k] = of_ssl != 0 ? '1' : '0';
            line[2 * k + 1] = of_ctx != 0 ? '1' : '0';
        }
        line[2 * NUM_BITS] = '\0';
        note("  %s: %s", operations[i].name, line);
    }
}

static void log_versions(SSL *ssl)
{
    for (int version = 0x2ff; version <= 0x305; version++) {
        note("  version %x: %d", (unsigned)version,
             SSL_get_security_callback(ssl)(ssl, NULL, SSL_SECOP_VERSION, 0, version, NULL, NULL));
    }
}

static void log_suites(SSL *ssl)
{
    const STACK_OF(SSL_CIPHER) *list = SSL_get_ciphers(ssl);
    uint64_t hash = 0;
    int num = 0;

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        SSL_CIPHER *suite = (SSL_CIPHER *)(uintptr_t)sk_SSL_CIPHER_value(list, i);

        if (SSL_get_security_callback(ssl)(ssl, NULL, SSL_SECOP_CIPHER_SUPPORTED,
                                           SSL_CIPHER_get_bits(suite, NULL), 0, suite, NULL)) {
            hash = hash * 31 + SSL_CIPHER_get_id(suite);
            num++;
        }
    }
    note("  suites allowed: %d, %016llx", num, (unsigned long long)hash);
}

static void log_supported(const char *title, SSL *ssl)
{
    STACK_OF(SSL_CIPHER) *list = SSL_get1_supported_ciphers(ssl);
    uint64_t hash = 0;

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        hash = hash * 31 + SSL_CIPHER_get_id(sk_SSL_CIPHER_value(list, i));
    }
    note("  %s: %d, %016llx", title, sk_SSL_CIPHER_num(list), (unsigned long long)hash);
    sk_SSL_CIPHER_free(list);
}

static unsigned int no_psk(SSL *ssl, const char *hint, char *identity, unsigned int max_identity,
                           unsigned char *psk, unsigned int max_psk)
{
    (void)ssl;
    (void)hint;
    (void)identity;
    (void)max_identity;
    (void)psk;
    (void)max_psk;
    return 0;
}

static void log_ranges(SSL_CTX *ctx)
{
    static const uint64_t options[] = { 0, SSL_OP_NO_TLSv1_2, SSL_OP_NO_TLSv1_3,
                                        SSL_OP_NO_TLSv1 | SSL_OP_NO_TLSv1_1 };

    for (int min = 0; min < 6; min++) {
        for (int max = 0; max < 6; max++) {
            for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
                SSL *ssl = SSL_new(ctx);

                REQUIRE(ssl != NULL);
                (void)SSL_set_min_proto_version(ssl, min == 0 ? 0 : 0x2ff + min);
                (void)SSL_set_max_proto_version(ssl, max == 0 ? 0 : 0x2ff + max);
                (void)SSL_set_options(ssl, options[i]);
                if (min == 3) {
                    SSL_set_psk_client_callback(ssl, no_psk);
                } else if (min == 4) {
                    CHECK(SSL_set1_sigalgs_list(ssl, "RSA+SHA256") == 1);
                } else if (min == 2) {
                    SSL_set_connect_state(ssl);
                }
                note(" from %d to %d, options %llx", min, max, (unsigned long long)options[i]);
                log_supported("supported", ssl);
                SSL_free(ssl);
            }
        }
    }
}

static void levels(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl;

    REQUIRE(ctx != NULL);
    CHECK(SSL_CTX_set_cipher_list(ctx, "ALL:COMPLEMENTOFALL") == 1);
    CHECK(SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_CCM_8_SHA256:TLS_AES_256_GCM_SHA384") == 1);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    note("default level %d", SSL_get_security_level(ssl));
    for (int level = -1; level < 8; level++) {
        section("level %d", level);
        SSL_set_security_level(ssl, level);
        SSL_CTX_set_security_level(ctx, level);
        note("reads %d", SSL_get_security_level(ssl));
        log_strengths(ssl, ctx);
        log_versions(ssl);
        log_suites(ssl);
        log_ranges(ctx);
    }
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void suite_b(void)
{
    static const char *const words[] = { "SUITEB128", "SUITEB128ONLY", "SUITEB192", "SUITEB128C2" };

    section("Suite B");
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        SSL_CTX *ctx = SSL_CTX_new(TLS_method());
        SSL_CTX *old = SSL_CTX_new(TLSv1_1_method());
        SSL *ssl;

        REQUIRE(ctx != NULL && old != NULL);
        note("%s: %d, with TLS 1.1 %d", words[i], SSL_CTX_set_cipher_list(ctx, words[i]),
             SSL_CTX_set_cipher_list(old, words[i]));
        log_errors("error");
        ssl = SSL_new(ctx);
        REQUIRE(ssl != NULL);
        log_supported("supported", ssl);
        SSL_free(ssl);
        SSL_CTX_free(ctx);
        SSL_CTX_free(old);
    }
}

int main(void)
{
    contract_start();
    levels();
    suite_b();
    return contract_finish();
}
