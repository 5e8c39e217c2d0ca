/*
 * SSL_trace(3): what it prints for messages of TLS 1.2 and 1.3, whole and damaged, before and after
 * a handshake of TLS 1.3, as client and as server.
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *hex;
} messages[] = {
    { "client_hello",
      "0100010b03039c1db849a625ef5dfbe39a03cb69b2f415f7fe12986f6dbfc2d6365991caceb220bc"
      "b08c514318ac7199736a5c633eb2dcb00a41ae7e32ae2349ffa3b922e2808e000813021303130100"
      "ff010000ba00000010000e00000b6578616d706c652e6f7267000b000403000102000a0016001400"
      "1d0017001e0019001801000101010201030104002300000005000501000000000010000e000c0268"
      "3208687474702f312e31001600000017000000310000000d001e001c040305030603080708080809"
      "080a080b080408050806040105010601002b0003020304002d00020101003300260024001d0020c4"
      "464bf61f8ef0548e0e07a37e1d1ad60e5c0f6f31fe2a57f59195ebd910ea4f" },
    { "server_hello",
      "02000076030380aeecc40ac62a23b06638c21029056b5d88e4fb47d52f70c117f5210eca42b920bc"
      "b08c514318ac7199736a5c633eb2dcb00a41ae7e32ae2349ffa3b922e2808e130200002e002b0002"
      "030400330024001d0020a1615c1569c54c71fa5357b4c075757e99a72f8946f47bfff5ed5169f3a1"
      "7748" },
    { "encrypted_extensions", "0800000b0009001000050003026832" },
    { "certificate_request",
      "0d000047000044000d00220020040305030603080708080809080a080b0804080508060401050106"
      "0103030301002f001a0018001630143112301006035504030c096c6f63616c686f7374" },
    { "certificate",
      "0b00016c000001680001633082015f30820105a003020102020101300a06082a8648ce3d04030230"
      "143112301006035504030c096c6f63616c686f7374301e170d3236313132333036323731305a170d"
      "3236313132343037323731305a30143112301006035504030c096c6f63616c686f73743059301306"
      "072a8648ce3d020106082a8648ce3d030107034200049ca3a7e47d25a5aa80b40e8f2b89260d57e5"
      "27c51763c8ae39db57879bee59459a624e1db0fd75618420bed3494dea633a10a7190457d6dd3fe7"
      "8d19dbebf463a3483046300f0603551d130101ff040530030101ff301d0603551d0e04160414a671"
      "ee7bd41ba08e92860f89671a843adcb6ba2430140603551d11040d300b82096c6f63616c686f7374"
      "300a06082a8648ce3d0403020348003045022100d2aa5e26f4d702769bea7c8c00f9c305a961b4f7"
      "f64e2edf484ad980142b552102206160916cfa79eb4e59c1b1879d3d7d407b0dc32916bd9b01db7e"
      "0740a7443a300000" },
    { "certificate_verify",
      "0f00004b040300473045022100bde4ae7cf6cbaa75a1296920d43ed6a12cca87d8e9602154b9bcf6"
      "8f81702462022069412b3c5796604ca7d9fa6defb7ea5df47c80a7e4dfa746fb10486ed2eccb51" },
    { "finished", "1400003056eaa09f538b477a314dd88e6fb9e3ab17608ff16cd49de4c2a79949cb0f03161eff2fa4"
                  "65ea8d7fbc7295bac0c4343e" },
    { "new_session_ticket",
      "0400003d00001c20579f0fc10800000000000000000020bf1667c4d8ad357e51b9ad94dc1e0caaa7"
      "487993f8fe5ec92dcef2921576a10f0008002a0004000003e8" },
    { "key_update", "1800000101" },
    { "hello_retry_request",
      "020000540303cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c2079"
      "2407f829dbace38902d113100f633ce5e13b18be4ee57289234ee917a32cd9130200000c002b0002"
      "0304003300020018" },
    { "client_hello12",
      "0100011b03037bbcfc95aba3ac5c727e0b464427d7b13a754f66ba00d54865cbb0578c3974c2206c"
      "81ac23c649f308b25e0de1e7efb84525554f0aa41a47f68c1c7c124c4c80ef000a130213031301c0"
      "2b00ff010000c800000010000e00000b6578616d706c652e6f7267000b000403000102000a001600"
      "14001d0017001e0019001801000101010201030104002300000005000501000000000010000e000c"
      "02683208687474702f312e31001600000017000000310000000d002a002804030503060308070808"
      "0809080a080b080408050806040105010601030303010302040205020602002b0005040304030300"
      "2d00020101003300260024001d002096e58c0d7bc6d49b0d23148b4c542776e5240cb7323614b1df"
      "57704b9b534b54" },
    { "server_hello12",
      "02000046030348b9d9f3fa92ad1ceffc7108676ccdb2720955a1680d07311d8162f7fa916e8600c0"
      "2b00001eff01000100000b0004030001020023000000100005000302683200170000" },
    { "certificate12",
      "0b0001690001660001633082015f30820105a003020102020101300a06082a8648ce3d0403023014"
      "3112301006035504030c096c6f63616c686f7374301e170d3236313132333036323731305a170d32"
      "36313132343037323731305a30143112301006035504030c096c6f63616c686f7374305930130607"
      "2a8648ce3d020106082a8648ce3d030107034200049ca3a7e47d25a5aa80b40e8f2b89260d57e527"
      "c51763c8ae39db57879bee59459a624e1db0fd75618420bed3494dea633a10a7190457d6dd3fe78d"
      "19dbebf463a3483046300f0603551d130101ff040530030101ff301d0603551d0e04160414a671ee"
      "7bd41ba08e92860f89671a843adcb6ba2430140603551d11040d300b82096c6f63616c686f737430"
      "0a06082a8648ce3d0403020348003045022100d2aa5e26f4d702769bea7c8c00f9c305a961b4f7f6"
      "4e2edf484ad980142b552102206160916cfa79eb4e59c1b1879d3d7d407b0dc32916bd9b01db7e07"
      "40a7443a30" },
    { "server_key_exchange",
      "0c00006f03001d203bc1cfbe4eaaa838788ca5cf316267cf0f4c74b286463cb69cfb4eef2c81f44a"
      "040300473045022100c2487a8140de069bba0ebf49ff57312afe9122bf16b14a02f3224cc8261bf8"
      "1c022005e16d40849c41570112cc4aaf325d9bcb16780ba6ac69bc0c9d9ee44cfa3879" },
    { "certificate_request12",
      "0d000048030102400028040305030603080708080809080a080b0804080508060401050106010303"
      "030103020402050206020018001630143112301006035504030c096c6f63616c686f7374" },
    { "client_key_exchange",
      "10000021204b12bd636b1d8ded171be2f25e15c96aa17ef85d5e0e21e11e16586efdcb331a" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MAX_MESSAGE  1024

static size_t from_hex(unsigned char *out, const char *hex)
{
    size_t len = 0;
    unsigned byte;

    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        out[len++] = (unsigned char)byte;
    }
    return len;
}

/* One call; what it printed. */
static const char *trace(SSL *ssl, int sent, int type, const unsigned char *bytes, size_t len)
{
    static char text[200000];
    BIO *bio = BIO_new(BIO_s_mem());
    unsigned char *exact = malloc(len > 0 ? len : 1);
    int n;

    REQUIRE(bio != NULL && exact != NULL);
    memcpy(exact, bytes, len);
    SSL_trace(sent, TLS1_2_VERSION, type, exact, len, ssl, bio);
    n = BIO_read(bio, text, sizeof(text) - 1);
    text[n > 0 ? n : 0] = '\0';
    BIO_free(bio);
    free(exact);
    ERR_clear_error();
    return text;
}

/* The hash of a text without the lines that show libcrypto's errors, which name the thread. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0;

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        const char *error = strstr(text, ":error:");

        if (error == NULL || error > text + len) {
            hash = hash * 31 + hash_bytes(text, len);
        }
        text += len + (text[len] == '\n');
    }
    return hash;
}

static void log_text(const char *text)
{
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        note("  |%.*s", (int)len, text);
        text += len + (text[len] == '\n');
    }
}

/* Key exchange messages need a suite, which the system's library takes for granted. */
static bool needs_suite(const unsigned char *bytes)
{
    return bytes[0] == 12 || bytes[0] == 16;
}

static void test_whole(const char *when, SSL *ssl, bool has_suite)
{
    unsigned char bytes[MAX_MESSAGE];

    for (size_t i = 0; i < COUNT(messages); i++) {
        size_t len = from_hex(bytes, messages[i].hex);

        if (has_suite || !needs_suite(bytes)) {
            section("%s: %s", when, messages[i].name);
            log_text(trace(ssl, i % 2 == 0, 22, bytes, len));
        }
    }
}

/* Every byte changed in turn, and every length: a hash of what is printed for each message. */
static void test_damaged(const char *when, SSL *ssl, bool has_suite)
{
    unsigned char bytes[MAX_MESSAGE];

    section("%s: damaged", when);
    for (size_t i = 0; i < COUNT(messages); i++) {
        size_t len = from_hex(bytes, messages[i].hex);
        uint64_t hash = 0;

        if (!has_suite && needs_suite(bytes)) {
            continue;
        }
        for (size_t at = 1; at < len; at++) {
            for (int change = 1; change < 256; change *= 4) {
                const char *text;

                bytes[at] ^= (unsigned char)change;
                text = trace(ssl, 0, 22, bytes, len);
                hash = hash * 31 + hash_text(text);
                bytes[at] ^= (unsigned char)change;
            }
        }
        note("%s changed: %016llx", messages[i].name, (unsigned long long)hash);
        hash = 0;
        for (size_t shorter = 0; shorter < len; shorter++) {
            const char *text;

            /* The message's own length follows, so that its parts are looked at. */
            if (shorter >= 4) {
                bytes[1] = 0;
                bytes[2] = (unsigned char)((shorter - 4) >> 8);
                bytes[3] = (unsigned char)(shorter - 4);
            }
            text = trace(ssl, 1, 22, bytes, shorter);
            hash = hash * 31 + hash_text(text);
        }
        note("%s shortened: %016llx", messages[i].name, (unsigned long long)hash);
    }
}

/* One extension in an EncryptedExtensions, a ClientHello or a NewSessionTicket. */
static size_t hello_with(unsigned char *out, unsigned type, const unsigned char *body, size_t len)
{
    unsigned char *p = out + 4;
    size_t total;

    memset(out, 0, 64);
    *p++ = 3;
    *p++ = 3;
    p += 33;
    memcpy(p, "\0\2\x13\1\1\0", 6);
    p += 6;
    *p++ = (unsigned char)((len + 4) >> 8);
    *p++ = (unsigned char)(len + 4);
    *p++ = (unsigned char)(type >> 8);
    *p++ = (unsigned char)type;
    *p++ = (unsigned char)(len >> 8);
    *p++ = (unsigned char)len;
    memcpy(p, body, len);
    total = (size_t)(p - out) + len;
    out[0] = 1;
    out[2] = (unsigned char)((total - 4) >> 8);
    out[3] = (unsigned char)(total - 4);
    return total;
}

static size_t server_extensions_with(unsigned char *out, unsigned type, const unsigned char *body,
                                     size_t len)
{
    out[0] = 8;
    out[1] = 0;
    out[2] = (unsigned char)((len + 6) >> 8);
    out[3] = (unsigned char)(len + 6);
    out[4] = (unsigned char)((len + 4) >> 8);
    out[5] = (unsigned char)(len + 4);
    out[6] = (unsigned char)(type >> 8);
    out[7] = (unsigned char)type;
    out[8] = (unsigned char)(len >> 8);
    out[9] = (unsigned char)len;
    memcpy(out + 10, body, len);
    return len + 10;
}

static void test_extensions(SSL *ssl)
{
    static const unsigned char bodies[][12] = { { 0 },
                                                { 1 },
                                                { 3, 1, 2, 3 },
                                                { 0, 4, 0, 29, 0, 23 },
                                                { 0, 3, 2, 'h', '2' },
                                                { 4, 1, 2, 3, 4 },
                                                { 0, 6, 0, 29, 0, 2, 9, 9 },
                                                { 0, 29, 0, 3, 7, 7, 7 },
                                                { 3, 4 },
                                                { 0, 0, 0, 9 },
                                                { 5, 3, 4, 3, 3, 9 },
                                                { 0, 1, 7 } };
    static const size_t lens[] = { 0, 1, 4, 6, 5, 5, 8, 7, 2, 4, 6, 3 };
    unsigned char message[200];

    section("extensions");
    for (unsigned type = 0; type < 70; type++) {
        for (size_t i = 0; i < COUNT(bodies); i++) {
            size_t len = hello_with(message, type, bodies[i], lens[i]);
            const char *text = strstr(trace(ssl, 1, 22, message, len), "extensions");

            note("%u with %zu: %016llx", type, i,
                 (unsigned long long)(text != NULL ? hash_text(text) : 0));
            len = server_extensions_with(message, type, bodies[i], lens[i]);
            text = trace(ssl, 0, 22, message, len);
            note("  server: %016llx", (unsigned long long)hash_text(text));
        }
    }
    for (size_t i = 0; i < COUNT(bodies); i++) {
        size_t len = hello_with(message, 0xff01, bodies[i], lens[i]);

        log_text(trace(ssl, 1, 22, message, len));
        len = server_extensions_with(message, 0xff01, bodies[i], lens[i]);
        log_text(trace(ssl, 0, 22, message, len));
    }
}

/* Numbers of all kinds: records, messages without a body, alerts, suites. */
static void test_numbers(SSL *ssl)
{
    unsigned char bytes[600] = { 22, 3, 3, 0, 7 };
    uint64_t hash = 0;
    const char *text;

    section("numbers");
    for (int i = 0; i < 256; i++) {
        bytes[0] = (unsigned char)i;
        log_text(trace(ssl, 1, SSL3_RT_INNER_CONTENT_TYPE, bytes, 1));
        text = trace(ssl, i & 1, SSL3_RT_HEADER, bytes, 5);
        hash = hash * 31 + hash_text(text);
    }
    for (int i = 0; i < 65536; i++) {
        bytes[1] = (unsigned char)(i >> 8);
        bytes[2] = (unsigned char)i;
        text = trace(ssl, 0, SSL3_RT_HEADER, bytes, 5);
        hash = hash * 31 + hash_text(text);
    }
    note("records %016llx", (unsigned long long)hash);
    log_text(trace(ssl, 0, SSL3_RT_HEADER, bytes, 4));
    for (int i = 0; i < 256; i++) {
        unsigned char message[4] = { (unsigned char)i, 0, 0, 0 };

        if (!needs_suite(message)) {
            log_text(trace(ssl, 0, 22, message, 4));
        }
        message[1] = (unsigned char)i;
        message[0] = (unsigned char)(i % 4);
        log_text(trace(ssl, 0, 21, message, 2));
    }
    log_text(trace(ssl, 0, 21, bytes, 3));
    log_text(trace(ssl, 0, 20, (const unsigned char *)"\1", 1));
    log_text(trace(ssl, 0, 20, (const unsigned char *)"\2", 1));
    log_text(trace(ssl, 0, 20, (const unsigned char *)"\1\1", 2));
    log_text(trace(ssl, 0, 23, bytes, 5));
    log_text(trace(ssl, 0, 99, bytes, 5));
    hash = 0;
    for (int high = 0; high < 256; high++) {
        unsigned char *p = bytes + 4;

        memset(bytes, 0, sizeof(bytes));
        p += 35;
        *p++ = 2;
        *p++ = 0;
        for (int low = 0; low < 256; low++) {
            *p++ = (unsigned char)high;
            *p++ = (unsigned char)low;
        }
        *p++ = 1;
        p += 3;
        bytes[0] = 1;
        bytes[2] = (unsigned char)((p - bytes - 4) >> 8);
        bytes[3] = (unsigned char)(p - bytes - 4);
        text = trace(ssl, 0, 22, bytes, (size_t)(p - bytes));
        hash = hash * 31 + hash_text(text);
    }
    note("suites %016llx", (unsigned long long)hash);
}

int main(void)
{
    struct pair p;
    SSL_CTX *ctx;
    SSL *ssl;

    contract_start();
    ctx = SSL_CTX_new(TLS_client_method());
    ssl = SSL_new(ctx);
    pair_init_connected(&p, OVER_MEMORY, 0);
    test_whole("before", ssl, false);
    test_damaged("before", ssl, false);
    test_extensions(ssl);
    test_numbers(ssl);
    test_whole("TLS 1.3 client", p.client, true);
    test_damaged("TLS 1.3 client", p.client, true);
    test_whole("TLS 1.3 server", p.server, true);
    test_damaged("TLS 1.3 server", p.server, true);
    pair_free(&p);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    identity_default_free();
    return contract_finish();
}
