/*
 * First bytes that are no hello of a version we could speak: other protocols, hellos of SSL 2.0 and
 * 3.0, records and versions that do not exist. What a server makes of them, and a client that gets
 * them as an answer: error, alert, version.
 */
#include "contract.h"

#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#define LONGEST_INPUT 400

struct input {
    size_t len;
    uint8_t bytes[LONGEST_INPUT];
};

static unsigned value_of(char digit)
{
    return (unsigned)(strchr("0123456789abcdef", digit) - "0123456789abcdef");
}

/* Hexadecimal digits; "name*n" repeats the byte before n times. */
static void add_hex(struct input *in, const char *hex)
{
    while (*hex != '\0') {
        if (*hex == ' ') {
            hex++;
            continue;
        }
        REQUIRE(in->len < LONGEST_INPUT);
        in->bytes[in->len++] = (uint8_t)(value_of(hex[0]) << 4 | value_of(hex[1]));
        hex += 2;
    }
}

static void add_zeros(struct input *in, size_t num)
{
    REQUIRE(in->len + num <= LONGEST_INPUT);
    in->len += num;
}

/* What an application's message callback sees, without random bytes. */
static void on_message(int sent, int version, int type, const void *buf, size_t len, SSL *ssl,
                       void *arg)
{
    (void)ssl;
    (void)arg;
    if (sent && type == SSL3_RT_HANDSHAKE && *(const uint8_t *)buf == SSL3_MT_SERVER_HELLO) {
        note("  ServerHello of %zu bytes",
             len); /* without extensions where the client knows none */
    }
    note("  %s %04x type %d%s", sent ? "sent" : "got", (unsigned)version, type,
         sent && len > 8 ? ""
         : len == 5      ? " len 5"
                         : "");
}

static SSL_CTX *context(bool is_server, int min, int max)
{
    SSL_CTX *ctx = SSL_CTX_new(is_server ? TLS_server_method() : TLS_client_method());

    REQUIRE(ctx != NULL);
    if (min >= 0) {
        SSL_CTX_set_security_level(ctx, 0);
        REQUIRE(SSL_CTX_set_min_proto_version(ctx, min) == 1);
        REQUIRE(SSL_CTX_set_max_proto_version(ctx, max) == 1);
    }
    if (is_server) {
        static struct identity *rsa;
        if (rsa == NULL) {
            rsa = identity_new(KEY_RSA, "junk.example");
        }
        identity_use_ctx(rsa, ctx);
        (void)SSL_CTX_set_options(ctx, SSL_OP_NO_TICKET);
        (void)SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    }
    return ctx;
}

/* The records that are waiting, with as much of them as is no random. */
static void log_output(BIO *out)
{
    uint8_t bytes[8192];
    int len = BIO_read(out, bytes, sizeof(bytes));

    for (int at = 0; at + 5 <= len;) {
        const uint8_t *record = bytes + at;
        int body = record[3] << 8 | record[4];

        if (record[0] == SSL3_RT_ALERT) {
            note("  alert %u %u in a record of %u.%u", record[5], record[6], record[1], record[2]);
        } else if (record[5] == SSL3_MT_SERVER_HELLO) {
            size_t id_len = record[5 + 38];
            note("  ServerHello %u.%u, suite %02x%02x, id of %zu, in a record of %u.%u", record[9],
                 record[10], record[44 + id_len], record[45 + id_len], id_len, record[1],
                 record[2]);
        } else {
            note("  record %u, message %u", record[0], record[5]);
        }
        at += 5 + body;
    }
}

static void feed(SSL_CTX *ctx, bool is_server, const struct input *in, size_t cut)
{
    SSL *ssl = SSL_new(ctx);
    BIO *input = BIO_new(BIO_s_mem());
    BIO *output = BIO_new(BIO_s_mem());

    REQUIRE(ssl != NULL && input != NULL && output != NULL);
    ssl_set_name(ssl, is_server ? "server" : "client");
    SSL_set_bio(ssl, input, output);
    if (is_server) {
        SSL_set_accept_state(ssl);
    } else {
        SSL_set_connect_state(ssl);
        (void)call_do_handshake(ssl);
        (void)BIO_reset(output);
    }
    SSL_set_msg_callback(ssl, on_message);
    if (cut > 0) {
        REQUIRE(BIO_write(input, in->bytes, (int)cut) == (int)cut);
        (void)call_do_handshake(ssl);
    }
    REQUIRE(BIO_write(input, in->bytes + cut, (int)(in->len - cut)) == (int)(in->len - cut));
    (void)call_do_handshake(ssl);
    note("  version %s, state %s", SSL_get_version(ssl), SSL_state_string(ssl));
    if (is_server) {
        note("  client version %04x", (unsigned)SSL_client_version(ssl));
    }
    log_output(output);
    SSL_free(ssl);
}

static const struct {
    const char *name;
    int min;
    int max;
} settings[] = {
    { "defaults", -1, -1 },
    { "1.0 to 1.3", TLS1_VERSION, TLS1_3_VERSION },
    { "1.0 to 1.1", TLS1_VERSION, TLS1_1_VERSION },
    { "1.3", TLS1_3_VERSION, TLS1_3_VERSION },
};

static void feed_all(const char *name, const struct input *in, bool servers, bool clients)
{
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        for (int server = clients ? 0 : 1; server <= (servers ? 1 : 0); server++) {
            SSL_CTX *ctx = context(server == 1, settings[i].min, settings[i].max);

            section("%s: %s, %s", server == 1 ? "server" : "client", name, settings[i].name);
            feed(ctx, server == 1, in, 0);
            SSL_CTX_free(ctx);
        }
    }
}

static void test_other_protocols(void)
{
    static const char *const texts[] = {
        "GET / HTTP/1.0\r\n\r\n",
        "POST / HTTP/1.0\r\n",
        "HEAD / HTTP/1.0\r\n",
        "PUT /x HTTP/1.0\r\n",
        "CONNECT a:443 HTTP",
        "CONNEXION",
        "GETX/ HTTP/1.0\r\n",
        "get / HTTP/1.0\r\n",
        "OPTIONS * HTTP/1.0\r\n",
        "DELETE /x HTTP/1.0\r\n",
        "PUT/ HTTP/1.0\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "HTTP/1.1 400 Bad Request\r\n",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "220 mail.example ESMTP\r\n",
        "EHLO example\r\n",
    };

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct input in = { 0 };

        memcpy(in.bytes, texts[i], strlen(texts[i]));
        in.len = strlen(texts[i]);
        feed_all(texts[i], &in, true, true);
    }
}

static void test_records(void)
{
    static const char *const records[] = {
        "00 00 00 00 00 00 00 00",
        "ff ff ff ff ff ff ff ff",
        "80 03 01 00 05 00 00 00 00 00",
        "16 02 00 00 04 00 00 00 00",
        "16 03 00 00 04 00 00 00 00",
        "16 03 01 00 04 00 00 00 00",
        "16 03 ff 00 04 00 00 00 00",
        "16 04 00 00 04 00 00 00 00",
        "16 fe fd 00 04 00 00 00 00",
        "16 00 02 00 04 00 00 00 00",
        "18 03 01 00 03 01 00 00",
        "17 03 01 00 03 01 00 00",
        "15 03 01 00 02 02 28",
        "15 03 00 00 02 02 28",
        "15 03 03 00 02 01 00",
        "15 03 03 00 02 01 5a",
        "15 02 00 00 02 02 46",
        "14 03 01 00 01 01",
        "16 03 01 ff ff",
        "16 03 03 48 01",
    };

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct input in = { 0 };

        add_hex(&in, records[i]);
        feed_all(records[i], &in, true, true);
    }
}

/* A ClientHello with AES128-SHA in a record of `record`. */
static void add_hello(struct input *in, const char *record, const char *version)
{
    add_hex(in, "16");
    add_hex(in, record);
    add_hex(in, "002f 01 00002b");
    add_hex(in, version);
    add_zeros(in, 32);
    add_hex(in, "00 0004 002f 00ff 01 00");
}

static void test_hello_versions(void)
{
    static const char *const versions[] = { "0002", "0200", "0300", "0301", "0302", "0303",
                                            "0304", "0305", "03ff", "0400", "fefd" };

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct input in = { 0 };
        char name[40];

        (void)snprintf(name, sizeof(name), "hello of %s", versions[i]);
        add_hello(&in, "0301", versions[i]);
        feed_all(name, &in, true, false);
        in.len = 0;
        memset(in.bytes, 0, sizeof(in.bytes));
        (void)snprintf(name, sizeof(name), "record and hello of %s", versions[i]);
        add_hello(&in, versions[i], versions[i]);
        feed_all(name, &in, true, false);
    }
}

/* A ServerHello with AES128-SHA. */
static void test_answered_versions(void)
{
    static const char *const versions[] = { "0002", "0200", "0300", "0301", "0302",
                                            "0303", "0304", "0305", "0400", "fefd" };

    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct input in = { 0 };
        char name[40];

        (void)snprintf(name, sizeof(name), "answer of %s", versions[i]);
        add_hex(&in, "16 0303 002f 02 00002b");
        add_hex(&in, versions[i]);
        add_zeros(&in, 32);
        add_hex(&in, "00 002f 00 0005 ff01 0001 00");
        in.bytes[4] = (uint8_t)(in.len - 5);
        in.bytes[8] = (uint8_t)(in.len - 9);
        in.bytes[in.len - 6] = 5;
        if (strcmp(versions[i], "0304") == 0) {
            /* Without supported_versions: OpenSSL takes it for TLS 1.3 all the same. */
            difference_begin("hs-peer-alert");
            feed_all(name, &in, false, true);
            difference_end();
        } else {
            feed_all(name, &in, false, true);
        }
    }
}

/* --- The format of SSL 2.0 (RFC 5246, E.2) --- */

struct v2_hello {
    const char *name;
    const char *version;
    const char *suites;
    size_t id_len;
    size_t challenge_len;
    const char *tail;
    int wrong_len; /* added to the length of the record */
};

static void add_v2_hello(struct input *in, const struct v2_hello *h)
{
    struct input suites = { 0 };

    add_hex(&suites, h->suites);
    add_hex(in, "8000 01");
    add_hex(in, h->version);
    in->bytes[in->len++] = (uint8_t)(suites.len >> 8);
    in->bytes[in->len++] = (uint8_t)suites.len;
    in->bytes[in->len++] = 0;
    in->bytes[in->len++] = (uint8_t)h->id_len;
    in->bytes[in->len++] = 0;
    in->bytes[in->len++] = (uint8_t)h->challenge_len;
    memcpy(in->bytes + in->len, suites.bytes, suites.len);
    in->len += suites.len;
    add_zeros(in, h->id_len);
    memset(in->bytes + in->len, 0x77, h->challenge_len);
    in->len += h->challenge_len;
    add_hex(in, h->tail);
    in->bytes[1] = (uint8_t)((int)in->len - 2 + h->wrong_len);
}

static void test_v2_hellos(void)
{
    static const struct v2_hello hellos[] = {
        { "SSL 2.0", "0002", "010080 00002f", 0, 16, "", 0 },
        { "version 0200", "0200", "00002f", 0, 16, "", 0 },
        { "SSL 3.0", "0300", "010080 00002f", 0, 16, "", 0 },
        { "TLS 1.0", "0301", "010080 00002f 0000ff", 0, 16, "", 0 },
        { "TLS 1.1", "0302", "010080 00002f 0000ff", 0, 16, "", 0 },
        { "TLS 1.2", "0303", "010080 00002f 0000ff", 0, 16, "", 0 },
        { "TLS 1.3", "0304", "010080 00002f 0000ff", 0, 16, "", 0 },
        { "version 0400", "0400", "00002f", 0, 16, "", 0 },
        { "fallback", "0301", "00002f 005600", 0, 16, "", 0 },
        { "no renegotiation signal", "0303", "00002f", 0, 16, "", 0 },
        { "suites of SSL 2.0 alone", "0303", "010080 020080", 0, 16, "", 0 },
        { "a suite of 12 bits more", "0303", "01002f", 0, 16, "", 0 },
        { "two bytes of suite", "0303", "002f", 0, 16, "", 0 },
        { "four bytes of suites", "0303", "00002f 00", 0, 16, "", 0 },
        { "no suites", "0303", "", 0, 16, "", 0 },
        { "no challenge", "0303", "00002f", 0, 0, "", 0 },
        { "challenge of 8", "0303", "00002f", 0, 8, "", 0 },
        { "challenge of 32", "0303", "00002f", 0, 32, "", 0 },
        { "challenge of 40", "0303", "00002f", 0, 40, "", 0 },
        { "id of 16", "0303", "00002f", 16, 16, "", 0 },
        { "id of 32", "0303", "00002f", 32, 16, "", 0 },
        { "id of 33", "0303", "00002f", 33, 16, "", 0 },
        { "a byte behind", "0303", "00002f", 0, 16, "00", 0 },
        { "a byte less", "0303", "00002f", 0, 16, "", -1 },
        { "alert behind", "0303", "00002f 0000ff", 0, 16, "15 0303 0002 0228", -7 },
    };

    for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
        struct input in = { 0 };
        char name[60];

        (void)snprintf(name, sizeof(name), "v2: %s", hellos[i].name);
        add_v2_hello(&in, &hellos[i]);
        feed_all(name, &in, true, false);
    }
}

static void test_v2_lengths(void)
{
    static const char *const records[] = { "8000 01",
                                           "8001 01",
                                           "8002 01 03 03 00 00",
                                           "8003 01 0303 0000",
                                           "8008 01 0303 0003 0000 00",
                                           "8009 01 0303 0000 0000 0000",
                                           "ffff 01 0303 0003",
                                           "8020 01 0303 0003",
                                           "8009 02 0303 0003 0000 0000",
                                           "0009 01 0303 0003 0000 0000",
                                           "c009 00 01 0303 0003 0000" };

    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        struct input in = { 0 };

        add_hex(&in, records[i]);
        feed_all(records[i], &in, true, false);
    }
}

/* The hello in pieces; each length of the first. */
static void test_v2_pieces(void)
{
    static const struct v2_hello hello = { "TLS 1.2", "0303", "00002f 0000ff", 0, 16, "", 0 };
    static const size_t cuts[] = { 1, 2, 3, 4, 5, 6, 11, 20 };

    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        SSL_CTX *ctx = context(true, -1, -1);
        struct input in = { 0 };

        section("v2 in pieces, the first of %zu", cuts[i]);
        add_v2_hello(&in, &hello);
        feed(ctx, true, &in, cuts[i]);
        SSL_CTX_free(ctx);
    }
}

static int on_client_hello(SSL *ssl, int *alert, void *arg)
{
    const unsigned char *bytes;
    const unsigned char *compressions;
    int *types;
    size_t num;

    (void)alert;
    (void)arg;
    note("is v2 %d, legacy version %04x", SSL_client_hello_isv2(ssl),
         SSL_client_hello_get0_legacy_version(ssl));
    num = SSL_client_hello_get0_ciphers(ssl, &bytes);
    note("suites %zu %016llx", num, (unsigned long long)hash_bytes(bytes, num));
    num = SSL_client_hello_get0_random(ssl, &bytes);
    note("random %zu %016llx", num, (unsigned long long)hash_bytes(bytes, num));
    num = SSL_client_hello_get0_session_id(ssl, &bytes);
    note("id %zu %016llx", num, (unsigned long long)hash_bytes(bytes, num));
    num = SSL_client_hello_get0_compression_methods(ssl, &compressions);
    note("compressions %zu, first %d", num, num > 0 ? compressions[0] : -1);
    note("extensions %d, ", SSL_client_hello_get1_extensions_present(ssl, &types, &num));
    note("%zu", num);
    OPENSSL_free(types);
    return SSL_CLIENT_HELLO_SUCCESS;
}

static int on_cert(SSL *ssl, void *arg)
{
    const unsigned char *raw;
    char shared[100];
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get_client_ciphers(ssl);

    (void)arg;
    note("client ciphers %d, raw %ld", sk_SSL_CIPHER_num(ciphers),
         (long)SSL_get0_raw_cipherlist(ssl, &raw));
    note("shared %s", SSL_get_shared_ciphers(ssl, shared, sizeof(shared)));
    return 1;
}

static void test_v2_callbacks(void)
{
    static const struct v2_hello hellos[] = {
        { "", "0303", "010080 00002f 00003c 0000ff", 16, 20, "", 0 },
        { "", "0301", "00002f 000035 0000ff 020080", 0, 32, "", 0 },
    };

    for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
        SSL_CTX *ctx = context(true, TLS1_VERSION, TLS1_2_VERSION);
        struct input in = { 0 };

        section("callbacks of a v2 hello, %zu", i);
        SSL_CTX_set_client_hello_cb(ctx, on_client_hello, NULL);
        SSL_CTX_set_cert_cb(ctx, on_cert, NULL);
        add_v2_hello(&in, &hellos[i]);
        feed(ctx, true, &in, 0);
        SSL_CTX_free(ctx);
    }
}

int main(void)
{
    contract_start();
    test_other_protocols();
    test_records();
    test_hello_versions();
    test_answered_versions();
    test_v2_hellos();
    test_v2_lengths();
    test_v2_pieces();
    test_v2_callbacks();
    identity_default_free();
    return contract_finish();
}
