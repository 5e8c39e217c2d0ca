/*
 * The language of cipher lists: ciphers(1), SSL_CTX_set_cipher_list(3),
 * SSL_CTX_set_ciphersuites(3). Every alias, pairs of them, and many random strings.
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static const char *const words[] = { "ALL",
                                     "COMPLEMENTOFALL",
                                     "COMPLEMENTOFDEFAULT",
                                     "kRSA",
                                     "kEDH",
                                     "kDHE",
                                     "DH",
                                     "kEECDH",
                                     "kECDHE",
                                     "ECDH",
                                     "kPSK",
                                     "kRSAPSK",
                                     "kECDHEPSK",
                                     "kDHEPSK",
                                     "kSRP",
                                     "kGOST",
                                     "kGOST18",
                                     "aRSA",
                                     "aDSS",
                                     "DSS",
                                     "aNULL",
                                     "aECDSA",
                                     "ECDSA",
                                     "aPSK",
                                     "aGOST01",
                                     "aGOST12",
                                     "aGOST",
                                     "aSRP",
                                     "EDH",
                                     "DHE",
                                     "EECDH",
                                     "ECDHE",
                                     "NULL",
                                     "RSA",
                                     "ADH",
                                     "AECDH",
                                     "PSK",
                                     "SRP",
                                     "3DES",
                                     "RC4",
                                     "RC2",
                                     "IDEA",
                                     "SEED",
                                     "eNULL",
                                     "GOST89",
                                     "AES128",
                                     "AES256",
                                     "AES",
                                     "AESGCM",
                                     "AESCCM",
                                     "AESCCM8",
                                     "CAMELLIA128",
                                     "CAMELLIA256",
                                     "CAMELLIA",
                                     "CHACHA20",
                                     "ARIA",
                                     "ARIAGCM",
                                     "ARIA128",
                                     "ARIA256",
                                     "CBC",
                                     "MD5",
                                     "SHA1",
                                     "SHA",
                                     "GOST94",
                                     "SHA256",
                                     "SHA384",
                                     "GOST12",
                                     "SSLv3",
                                     "TLSv1",
                                     "TLSv1.0",
                                     "TLSv1.1",
                                     "TLSv1.2",
                                     "TLSv1.3",
                                     "LOW",
                                     "MEDIUM",
                                     "HIGH",
                                     "FIPS",
                                     "EXPORT",
                                     "eGOST",
                                     "kECDHr",
                                     "aECDH",
                                     "kDH",
                                     "DES",
                                     "DEFAULT",
                                     "NONE",
                                     "AES128-SHA",
                                     "ECDHE-RSA-AES128-GCM-SHA256",
                                     "ECDHE-ECDSA-CHACHA20-POLY1305",
                                     "PSK-AES256-CBC-SHA",
                                     "NULL-SHA256",
                                     "AES256-CCM8",
                                     "DHE-PSK-NULL-SHA",
                                     "TLS_AES_128_GCM_SHA256",
                                     "TLS_RSA_WITH_AES_128_CBC_SHA",
                                     "aes128-sha",
                                     "EDH-RSA-DES-CBC3-SHA",
                                     "DHE-DSS-AES256-SHA",
                                     "ECDHE-ARIA256-GCM-SHA384" };

#define NUM_WORDS (sizeof(words) / sizeof(words[0]))

/* A generator of our own, so that every C library makes the same strings. */
static uint32_t state = 1;

static unsigned draw(unsigned below)
{
    state = state * 1664525 + 1013904223;
    return (state >> 8) % below;
}

static void log_list(const char *title, const STACK_OF(SSL_CIPHER) *list, bool full)
{
    uint64_t hash = 0;

    for (int i = 0; i < sk_SSL_CIPHER_num(list); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(list, i);

        hash = hash * 31 + SSL_CIPHER_get_id(suite);
        if (full) {
            note("  %s", SSL_CIPHER_get_name(suite));
        }
    }
    note("  %s: %d, %016llx", title, sk_SSL_CIPHER_num(list), (unsigned long long)hash);
}

static void try_string(const char *text, bool full)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    STACK_OF(SSL_CIPHER) *supported;
    SSL *ssl;
    int set;

    REQUIRE(ctx != NULL);
    set = SSL_CTX_set_cipher_list(ctx, text);
    note("'%s': %d level %d flags %lx", text, set, SSL_CTX_get_security_level(ctx),
         (unsigned long)SSL_CTX_set_cert_flags(ctx, 0));
    log_errors("error");
    log_list("suites", SSL_CTX_get_ciphers(ctx), full);
    ssl = SSL_new(ctx);
    REQUIRE(ssl != NULL);
    SSL_set_connect_state(ssl);
    supported = SSL_get1_supported_ciphers(ssl);
    log_list("supported", supported, false);
    sk_SSL_CIPHER_free(supported);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

static void each_word(void)
{
    section("each word");
    for (size_t i = 0; i < NUM_WORDS; i++) {
        try_string(words[i], false);
    }
}

static void written_by_hand(void)
{
    static const char *const strings[] = { "",
                                           ":",
                                           "!",
                                           "-",
                                           "+",
                                           "@",
                                           "DEFAULT",
                                           "DEFAULT:-DEFAULT",
                                           "DEFAULTAES128-SHA",
                                           "DEFAULT:!aRSA",
                                           "AES128-SHA:DEFAULT",
                                           "ALL:!aNULL:!eNULL:@STRENGTH",
                                           "@STRENGTH",
                                           "AES128-SHA:@STRENGTHX",
                                           "AES128-SHA:-",
                                           "AES128-SHA:!:AES256-SHA",
                                           "AES128-SHA+",
                                           "AES128-SHA#",
                                           "AES128-SHA/AES256-SHA",
                                           "AES128-SHA@SECLEVEL=1",
                                           "AES128-SHA:@SECLEVEL=0",
                                           "@SECLEVEL=3",
                                           "@SECLEVEL=6:AES128-SHA",
                                           "@SECLEVEL=:AES128-SHA",
                                           "@SECLEVEL=12:AES128-SHA",
                                           "@FOO:AES128-SHA",
                                           "AES128-SHA,AES256-SHA;AES128-SHA256 AES256-SHA256",
                                           "SUITEB128",
                                           "SUITEB128ONLY",
                                           "SUITEB128C2",
                                           "SUITEB192",
                                           "SUITEB128:AES128-SHA",
                                           "SUITEB",
                                           "HIGH:!kRSA:!PSK:!SRP:+SHA1",
                                           "kEECDH+AESGCM:kEDH+AESGCM",
                                           "-ALL",
                                           "ALL:-AES:AES",
                                           "ECDHE+aECDSA+CHACHA20:ECDHE+aRSA+CHACHA20",
                                           "COMPLEMENTOFDEFAULT+HIGH",
                                           "!ALL:ALL",
                                           "ALL:!ALL:ALL",
                                           "AES128-SHA:AES128-SHA",
                                           "\tAES128-SHA",
                                           "HIGH:!LOW@STRENGTH",
                                           "LOW+HIGH",
                                           "!ALL@STRENGTH@kDHEPSK,!RSA-PSK-AES256-CBC-SHA#",
                                           "ALL:!AES128:!DHE-RSA-AES128-SHA@SECLEVEL=3",
                                           "AES128-SHA:MD5_X",
                                           "TLSv1_2:AES128-SHA",
                                           "TLS_AES:AES128-SHA",
                                           "_:AES128-SHA",
                                           "AES128-SHA:@SECLEVEL_2",
                                           "AES128-SHA\n" };

    section("written by hand");
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        try_string(strings[i], true);
    }
}

static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);

    (void)snprintf(text + len, size - len, "%s", more);
}

static void random_strings(void)
{
    static const char *const signs[] = { "", "", "", "", "!", "-", "+" };
    static const char *const separators[] = { ":", ":", ":", ",", " ", ";", "::" };
    static const char *const specials[] = { "@STRENGTH",   "@SECLEVEL=1", "@SECLEVEL=5",
                                            "@SECLEVEL=7", "@FOO",        "SUITEB128" };

    section("random strings");
    for (int n = 0; n < 1500; n++) {
        char text[1024] = "";
        unsigned num_terms = 1 + draw(6);
        const char *separator = separators[draw(7)];

        append(text, sizeof(text), draw(5) == 0 ? "DEFAULT" : draw(8) == 0 ? "ALL" : "");
        for (unsigned i = 0; i < num_terms; i++) {
            append(text, sizeof(text), text[0] == '\0' ? "" : separator);
            append(text, sizeof(text), signs[draw(7)]);
            append(text, sizeof(text), draw(20) == 0 ? specials[draw(6)] : words[draw(NUM_WORDS)]);
            for (unsigned k = draw(6); k > 3; k--) {
                append(text, sizeof(text), "+");
                append(text, sizeof(text), words[draw(NUM_WORDS)]);
            }
        }
        try_string(text, false);
    }
}

static void tls13_suites(void)
{
    static const char *const strings[] = {
        "TLS_AES_128_GCM_SHA256",
        "TLS_AES_128_GCM_SHA256:TLS_AES_128_GCM_SHA256",
        "",
        ":",
        "FOO",
        "FOO:TLS_AES_128_CCM_8_SHA256:BAR",
        "TLS_AES_128_GCM_SHA256,TLS_AES_256_GCM_SHA384",
        " TLS_AES_128_GCM_SHA256 : TLS_AES_256_GCM_SHA384\t",
        "tls_aes_128_gcm_sha256",
        "TLS_AES_128_GCM_SHA256::TLS_AES_256_GCM_SHA384",
        "AES128-SHA",
        "ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_CCM_SHA256",
        "DEFAULT",
        "ALL",
        ("TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256"
         "TLS_AES_128_GCM_SHA256TLS_AES_128_GCM_SHA256TLS_AES_128_GCM_SHA256")
    };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());

    section("TLS 1.3 suites, on a context that keeps the last that worked");
    REQUIRE(ctx != NULL && SSL_CTX_set_cipher_list(ctx, "AES128-SHA") == 1);
    for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        note("'%s': %d", strings[i], SSL_CTX_set_ciphersuites(ctx, strings[i]));
        log_errors("error");
        log_list("suites", SSL_CTX_get_ciphers(ctx), true);
    }
    SSL_CTX_free(ctx);
}

/* What an SSL takes over from its context, and when. */
static void lists_of_an_ssl(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_CTX *other = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);

    section("lists of an SSL");
    REQUIRE(ssl != NULL && other != NULL);
    note("context: %d", SSL_CTX_set_cipher_list(ctx, "AES256-SHA"));
    log_list("SSL", SSL_get_ciphers(ssl), true);
    note("context: %d", SSL_CTX_set_ciphersuites(ctx, "TLS_AES_128_CCM_SHA256"));
    log_list("SSL", SSL_get_ciphers(ssl), true);
    note("other context: %d", SSL_CTX_set_cipher_list(other, "PSK-AES128-CBC-SHA"));
    CHECK(SSL_set_SSL_CTX(ssl, other) == other);
    log_list("SSL", SSL_get_ciphers(ssl), true);
    note("own suites: %d", SSL_set_ciphersuites(ssl, "TLS_CHACHA20_POLY1305_SHA256"));
    log_list("SSL", SSL_get_ciphers(ssl), true);
    note("other context: %d", SSL_CTX_set_cipher_list(other, "AES128-SHA256"));
    log_list("SSL", SSL_get_ciphers(ssl), true);
    note("own list: %d", SSL_set_cipher_list(ssl, "AES128-SHA"));
    log_list("SSL", SSL_get_ciphers(ssl), true);
    note("own list, unknown: %d", SSL_set_cipher_list(ssl, "nonsense"));
    log_errors("error");
    log_list("SSL", SSL_get_ciphers(ssl), true);
    SSL_free(ssl);
    ssl = SSL_new(ctx);
    note("context after SSL_new: %d", SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384"));
    note("own list: %d", SSL_set_cipher_list(ssl, "AES128-SHA"));
    log_list("SSL", SSL_get_ciphers(ssl), true);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    SSL_CTX_free(other);
}

int main(void)
{
    contract_start();
    each_word();
    written_by_hand();
    random_strings();
    tls13_suites();
    lists_of_an_ssl();
    return contract_finish();
}
