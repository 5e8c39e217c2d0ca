/*
 * Sessions as objects: accessors, the cache of a context, encodings and text. Nothing is resumed
 * here.
 * Manual pages: PEM_read_CMS(3), SSL_CTX_sess_set_get_cb(3), SSL_CTX_sessions(3),
 * SSL_CTX_set_num_tickets(3), SSL_CTX_set_timeout(3), SSL_SESSION_get0_cipher(3),
 * SSL_SESSION_get0_hostname(3), SSL_SESSION_get_protocol_version(3), SSL_SESSION_has_ticket(3),
 * SSL_SESSION_set1_id(3), SSL_get_session(3), d2i_SSL_SESSION(3).
 */
#include "contract.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

/* Sessions that OpenSSL 3.0.22 wrote: of a TLS 1.2 client, and of a client and a server of TLS 1.3
 * that used a ticket, early data, ALPN, a server name and application data. */
static const char tls12_client[] =
    "308202ad020101020203030402c02c042046f2dd99cdf1d1b286e521c3a97fe3315b317e0d8dd48880e2bf5a"
    "484b3f2bf804302dc339a45f143a8c0c6d56a4fd096ff07140b428ba7021ecfb05fbb1af53f15f23d41ab863"
    "b611d65b5c0705808a3f17a10602046b03e684a20402021c20a38201643082016030820105a0030201020201"
    "01300a06082a8648ce3d04030230143112301006035504030c096c6f63616c686f7374301e170d3236313132"
    "333036303835325a170d3236313132343037303835325a30143112301006035504030c096c6f63616c686f73"
    "743059301306072a8648ce3d020106082a8648ce3d0301070342000435f354d4e23271e36c3d55af54240fde"
    "35ecf306add01f1218612c664ca043ea9104d597a4383ec5c69cd71f36086fb4b22872372bf17fbee5acc983"
    "e1814b9aa3483046300f0603551d130101ff040530030101ff301d0603551d0e04160414db4d7116d44f34c1"
    "8d2b46bdc7ff3998bdd6e6f130140603551d11040d300b82096c6f63616c686f7374300a06082a8648ce3d04"
    "03020349003046022100d7b8a415b6b1e3c2260f01bfb2902dd1b519a5ec62bcda5c783a8c77dfba248b0221"
    "0090608609e3b111e730ec23723fa822300223e36391efc20c57c074c88d119b53a4050403637478a5030201"
    "12a90402021c20aa81b30481b0b0d4aced3dbeb413466fe0952840e54dc72d3911762c36596e28bd338e75f3"
    "3e4c979caec08b0448a8e35981a020432fa85a3a40c7486ed8ff4c2e805ffc0bc71b86b998ac6f66fd4813d3"
    "f85328e0f9173154d619ff1daf4f29b600195f672039cf872dc1e8ab38e7a4d24d6e1b9e93a687713b5eefc5"
    "aaec7fae8c16a61f65c9e1b7ffaa83a8f081028862365b2ce6de001124a0f8f5076ac109c8591df1aee18c60"
    "dc91a2d6960f3d4013550a7040ad03020101b00404026832b30302011d";
static const char tls13_client[] =
    "308202240201010202030404021302042024c51b07599b9ab9527afc2cb72d2b14e7027a6409ff1fc0077620"
    "f416131de60430efb0ea0c1e5a637109e06fb0cd7b3843765f5bf28d4adb7c19890e0eb9acc324697fbbf4e2"
    "91dbe28aca1bcd92f022e1a10602046b03e684a20402021c20a38201643082016030820105a0030201020201"
    "01300a06082a8648ce3d04030230143112301006035504030c096c6f63616c686f7374301e170d3236313132"
    "333036303835325a170d3236313132343037303835325a30143112301006035504030c096c6f63616c686f73"
    "743059301306072a8648ce3d020106082a8648ce3d0301070342000435f354d4e23271e36c3d55af54240fde"
    "35ecf306add01f1218612c664ca043ea9104d597a4383ec5c69cd71f36086fb4b22872372bf17fbee5acc983"
    "e1814b9aa3483046300f0603551d130101ff040530030101ff301d0603551d0e04160414db4d7116d44f34c1"
    "8d2b46bdc7ff3998bdd6e6f130140603551d11040d300b82096c6f63616c686f7374300a06082a8648ce3d04"
    "03020349003046022100d7b8a415b6b1e3c2260f01bfb2902dd1b519a5ec62bcda5c783a8c77dfba248b0221"
    "0090608609e3b111e730ec23723fa822300223e36391efc20c57c074c88d119b53a4050403637478a5030201"
    "12a90402021c20aa22042011c613013ac94821464415481f01d397cd9181b8d4573673689bfca7c43be8cdae"
    "06020458a3149baf04020203e8b00404026832b30302011d";
static const char tls13_server[] =
    "3081950201010202030404021302042011c613013ac94821464415481f01d397cd9181b8d4573673689bfca7"
    "c43be8cd0430efb0ea0c1e5a637109e06fb0cd7b3843765f5bf28d4adb7c19890e0eb9acc324697fbbf4e291"
    "dbe28aca1bcd92f022e1a10602046b03e684a20402021c20a4020400ae06020458a3149baf04020203e8b004"
    "04026832b209040761707064617461b30302011d";

static size_t from_hex(unsigned char *out, const char *hex)
{
    size_t len = 0;
    unsigned byte;

    for (; sscanf(hex, "%2x", &byte) == 1; hex += 2) {
        out[len++] = (unsigned char)byte;
    }
    return len;
}

static void log_hex(const char *what, const unsigned char *bytes, size_t len)
{
    char text[200] = "";

    for (size_t i = 0; i < len && i < 64; i++) {
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    }
    note("  %s: %zu bytes %s", what, len, text);
}

static void log_bio(const char *what, BIO *bio)
{
    char *data;
    char line[256];
    size_t len = (size_t)BIO_get_mem_data(bio, &data);

    note("  %s: %zu bytes, hash %016llx", what, len, (unsigned long long)hash_bytes(data, len));
    while (BIO_gets(bio, line, sizeof(line)) > 0) {
        line[strcspn(line, "\n")] = '\0';
        note("    |%s", line);
    }
}

static void log_session(SSL_SESSION *s)
{
    const unsigned char *bytes;
    unsigned char secret[64];
    size_t len;
    unsigned short_len;
    void *data;
    X509 *peer = SSL_SESSION_get0_peer(s);

    note("  version %x cipher %s time %ld timeout %ld resumable %d compression %u",
         SSL_SESSION_get_protocol_version(s), SSL_CIPHER_get_name(SSL_SESSION_get0_cipher(s)),
         SSL_SESSION_get_time(s), SSL_SESSION_get_timeout(s), SSL_SESSION_is_resumable(s),
         SSL_SESSION_get_compress_id(s));
    bytes = SSL_SESSION_get_id(s, &short_len);
    log_hex("id", bytes, short_len);
    bytes = SSL_SESSION_get0_id_context(s, &short_len);
    log_hex("context", bytes, short_len);
    len = SSL_SESSION_get_master_key(s, secret, sizeof(secret));
    log_hex("secret", secret, len);
    SSL_SESSION_get0_ticket(s, &bytes, &len);
    log_hex("ticket", bytes, len);
    SSL_SESSION_get0_alpn_selected(s, &bytes, &len);
    log_hex("alpn", bytes, len);
    SSL_SESSION_get0_ticket_appdata(s, &data, &len);
    log_hex("appdata", data, len);
    note("  has ticket %d hint %lu early %u host %s fragment %u", SSL_SESSION_has_ticket(s),
         SSL_SESSION_get_ticket_lifetime_hint(s), SSL_SESSION_get_max_early_data(s),
         SSL_SESSION_get0_hostname(s) != NULL ? SSL_SESSION_get0_hostname(s) : "(null)",
         SSL_SESSION_get_max_fragment_length(s));
    note("  peer subject hash %lx", peer != NULL ? X509_subject_name_hash(peer) : 0);
}

/* Decodes, shows, encodes again. */
static void test_encoded(const char *title, const char *hex)
{
    unsigned char der[1500], again[1500];
    size_t len = from_hex(der, hex);
    const unsigned char *in = der;
    unsigned char *out = again;
    SSL_SESSION *s = d2i_SSL_SESSION(NULL, &in, (long)len);
    SSL_SESSION *copy = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    int written;

    section("%s", title);
    REQUIRE(s != NULL && bio != NULL);
    note("read %td of %zu", in - der, len);
    log_session(s);
    note("length %d", i2d_SSL_SESSION(s, NULL));
    written = i2d_SSL_SESSION(s, &out);
    CHECK((size_t)written == len && memcmp(der, again, len) == 0 && out == again + len);
    note("print %d", SSL_SESSION_print(bio, s));
    log_bio("text", bio);
    BIO_reset(bio);
    note("print keylog %d", SSL_SESSION_print_keylog(bio, s));
    log_bio("keylog", bio);
    BIO_reset(bio);
    note("write PEM %d", PEM_write_bio_SSL_SESSION(bio, s));
    copy = PEM_read_bio_SSL_SESSION(bio, NULL, NULL, NULL);
    REQUIRE(copy != NULL);
    out = again;
    CHECK(i2d_SSL_SESSION(copy, &out) == written && memcmp(der, again, len) == 0);
    SSL_SESSION_free(copy);
    copy = SSL_SESSION_dup(s);
    REQUIRE(copy != NULL);
    out = again;
    CHECK(i2d_SSL_SESSION(copy, &out) == written && memcmp(der, again, len) == 0);
    /* Into an object that exists. */
    in = der;
    CHECK(d2i_SSL_SESSION(&copy, &in, (long)len) == copy);
    out = again;
    CHECK(i2d_SSL_SESSION(copy, &out) == written && memcmp(der, again, len) == 0);
    SSL_SESSION_free(copy);
    SSL_SESSION_free(s);
    BIO_free(bio);
}

/* Every encoding with one byte changed, and every prefix: accepted or not, and with what error. */
static void test_malformed(const char *title, const char *hex)
{
    unsigned char der[1500];
    size_t len = from_hex(der, hex);
    uint64_t hash = 0;
    int accepted = 0;

    section("%s, malformed", title);
    for (size_t i = 0; i < len; i++) {
        for (int change = 1; change < 256; change += 37) {
            const unsigned char *in = der;
            SSL_SESSION *s;

            der[i] ^= (unsigned char)change;
            s = d2i_SSL_SESSION(NULL, &in, (long)len);
            if (s != NULL) {
                unsigned char *out = NULL;
                int n;

                /* An encoding without a time gets the present one. */
                SSL_SESSION_set_time(s, 1);
                n = i2d_SSL_SESSION(s, &out);

                accepted++;
                hash = hash * 31 + hash_bytes(out, n > 0 ? (size_t)n : 0);
                OPENSSL_free(out);
            }
            hash = hash * 31 + (unsigned)ERR_GET_REASON(ERR_peek_last_error());
            ERR_clear_error();
            SSL_SESSION_free(s);
            der[i] ^= (unsigned char)change;
        }
    }
    note("accepted %d, hash %016llx", accepted, (unsigned long long)hash);
    accepted = 0;
    for (size_t i = 0; i < len; i++) {
        const unsigned char *in = der;
        SSL_SESSION *s = d2i_SSL_SESSION(NULL, &in, (long)i);

        accepted += s != NULL;
        SSL_SESSION_free(s);
        ERR_clear_error();
    }
    note("prefixes accepted %d", accepted);
}

static void test_accessors(void)
{
    SSL_SESSION *s = SSL_SESSION_new();
    unsigned char big[600] = { 1, 2, 3 };
    unsigned char out[64];

    section("accessors");
    note("timeout %ld version %x resumable %d", SSL_SESSION_get_timeout(s),
         SSL_SESSION_get_protocol_version(s), SSL_SESSION_is_resumable(s));
    note("empty i2d %d, NULL %d", i2d_SSL_SESSION(s, NULL), i2d_SSL_SESSION(NULL, NULL));
    note("set_timeout %ld %ld", SSL_SESSION_set_timeout(s, -1), SSL_SESSION_set_timeout(s, 5));
    note("set_time %ld", SSL_SESSION_set_time(s, -7));
    note("now %ld %ld", SSL_SESSION_get_time(s), SSL_SESSION_get_timeout(s));
    note("of NULL %ld %ld %ld %ld", SSL_SESSION_set_time(NULL, 3), SSL_SESSION_get_time(NULL),
         SSL_SESSION_set_timeout(NULL, 3), SSL_SESSION_get_timeout(NULL));
    note("id of 32: %d", SSL_SESSION_set1_id(s, big, 32));
    note("id of 33: %d", SSL_SESSION_set1_id(s, big, 33));
    log_errors("id");
    note("context of 32: %d", SSL_SESSION_set1_id_context(s, big, 32));
    note("context of 33: %d", SSL_SESSION_set1_id_context(s, big, 33));
    log_errors("context");
    note("secret of 48: %d", SSL_SESSION_set1_master_key(s, big, 48));
    note("length %zu, 10 bytes %zu, 64 bytes %zu", SSL_SESSION_get_master_key(s, NULL, 0),
         SSL_SESSION_get_master_key(s, out, 10), SSL_SESSION_get_master_key(s, out, 64));
    note("secret of 513: %d", SSL_SESSION_set1_master_key(s, big, 513));
    note("host %d", SSL_SESSION_set1_hostname(s, "example.org"));
    note("alpn %d", SSL_SESSION_set1_alpn_selected(s, (const unsigned char *)"h2", 2));
    note("appdata %d", SSL_SESSION_set1_ticket_appdata(s, "data", 4));
    note("early %d version %d cipher %d", SSL_SESSION_set_max_early_data(s, 77),
         SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION), SSL_SESSION_set_cipher(s, NULL));
    SSL_SESSION_set_time(s, 1000);
    log_session(s);
    note("host %d", SSL_SESSION_set1_hostname(s, NULL));
    note("alpn %d", SSL_SESSION_set1_alpn_selected(s, NULL, 3));
    note("appdata %d", SSL_SESSION_set1_ticket_appdata(s, NULL, 3));
    log_session(s);
    note("up_ref %d", SSL_SESSION_up_ref(s));
    SSL_SESSION_free(s);
    SSL_SESSION_free(s);
    SSL_SESSION_free(NULL);
}

/* --- The cache --- */

static void removed(SSL_CTX *ctx, SSL_SESSION *s)
{
    unsigned len;
    const unsigned char *id = SSL_SESSION_get_id(s, &len);

    (void)ctx;
    note("  removed %d, resumable %d", len > 0 ? id[0] : -1, SSL_SESSION_is_resumable(s));
}

static SSL_SESSION *session_with(int number, long timeout)
{
    SSL_SESSION *s = SSL_SESSION_new();
    unsigned char id[32] = { 0 };

    REQUIRE(s != NULL);
    id[0] = (unsigned char)number;
    CHECK(SSL_SESSION_set1_id(s, id, sizeof(id)) == 1);
    SSL_SESSION_set_time(s, 1000);
    SSL_SESSION_set_timeout(s, timeout);
    SSL_SESSION_set_protocol_version(s, TLS1_2_VERSION);
    return s;
}

static void add(SSL_CTX *ctx, int number, SSL_SESSION *s)
{
    int ret = SSL_CTX_add_session(ctx, s);

    note("add %d = %d, %ld in the cache, full %ld", number, ret, SSL_CTX_sess_number(ctx),
         SSL_CTX_sess_cache_full(ctx));
}

static void test_cache(void)
{
    static const long timeouts[] = { 100, 50, 400, 300, 200, 10, 700 };
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL_SESSION *s[7], *same;
    unsigned char id[32] = { 7 };
    SSL *ssl;

    section("cache");
    SSL_CTX_sess_set_remove_cb(ctx, removed);
    note("size %ld mode %ld timeout %ld", SSL_CTX_sess_get_cache_size(ctx),
         SSL_CTX_get_session_cache_mode(ctx), SSL_CTX_get_timeout(ctx));
    SSL_CTX_sess_set_cache_size(ctx, 3);
    for (int i = 0; i < 7; i++) {
        s[i] = session_with(i + 1, timeouts[i]);
        add(ctx, i + 1, s[i]);
    }
    add(ctx, 7, s[6]);
    same = session_with(7, 10);
    add(ctx, 7, same);
    ssl = SSL_new(ctx);
    note("matching %d", SSL_has_matching_session_id(ssl, id, 32));
    id[0] = 99;
    note("matching %d", SSL_has_matching_session_id(ssl, id, 32));
    note("too long %d", SSL_has_matching_session_id(ssl, id, 33));
    SSL_free(ssl);
    note("remove absent %d", SSL_CTX_remove_session(ctx, s[0]));
    note("remove present %d", SSL_CTX_remove_session(ctx, same));
    note("remove NULL %d", SSL_CTX_remove_session(ctx, NULL));
    SSL_SESSION_free(same);
    for (int i = 0; i < 7; i++) {
        SSL_SESSION_free(s[i]);
    }
    SSL_CTX_sess_set_cache_size(ctx, 0);
    for (int i = 0; i < 7; i++) {
        s[i] = session_with(i + 20, timeouts[i]);
        add(ctx, i + 20, s[i]);
    }
    note("flush at 1100");
    SSL_CTX_flush_sessions(ctx, 1100);
    note("another time");
    SSL_SESSION_set_time(s[6], 100);
    SSL_CTX_flush_sessions(ctx, 1100);
    note("another timeout");
    SSL_SESSION_set_timeout(s[2], 1);
    SSL_CTX_flush_sessions(ctx, 1002);
    note("%ld left, %lu in the table", SSL_CTX_sess_number(ctx),
         (unsigned long)OPENSSL_LH_num_items((OPENSSL_LHASH *)SSL_CTX_sessions(ctx)));
    for (int i = 0; i < 7; i++) {
        SSL_SESSION_free(s[i]);
    }
    note("free");
    SSL_CTX_free(ctx);
}

static int new_cb(SSL *ssl, SSL_SESSION *s)
{
    (void)ssl;
    (void)s;
    return 0;
}

static SSL_SESSION *get_cb(SSL *ssl, const unsigned char *id, int len, int *copy)
{
    (void)ssl;
    (void)id;
    (void)len;
    (void)copy;
    return NULL;
}

static void test_settings(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(ctx);
    SSL_SESSION *s = session_with(1, 10);
    unsigned char bytes[80] = { 1, 2, 3 };
    unsigned char keys[80];

    section("settings");
    SSL_CTX_sess_set_new_cb(ctx, new_cb);
    SSL_CTX_sess_set_get_cb(ctx, get_cb);
    SSL_CTX_sess_set_remove_cb(ctx, removed);
    note("callbacks %d %d %d", SSL_CTX_sess_get_new_cb(ctx) == new_cb,
         SSL_CTX_sess_get_get_cb(ctx) == get_cb, SSL_CTX_sess_get_remove_cb(ctx) == removed);
    note("context of 32: %d", SSL_set_session_id_context(ssl, bytes, 32));
    note("context of 33: %d", SSL_set_session_id_context(ssl, bytes, 33));
    log_errors("e");
    note("context of 33: %d", SSL_CTX_set_session_id_context(ctx, bytes, 33));
    log_errors("e");
    note("timeout %ld then %ld", SSL_CTX_set_timeout(ctx, 33), SSL_CTX_set_timeout(ctx, 44));
    note("default %ld, of NULL %ld %ld", SSL_get_default_timeout(ssl), SSL_CTX_get_timeout(NULL),
         SSL_CTX_set_timeout(NULL, 1));
    note("tickets %zu %zu", SSL_get_num_tickets(ssl), SSL_CTX_get_num_tickets(ctx));
    note("set %d", SSL_set_num_tickets(ssl, 7));
    note("set %d", SSL_CTX_set_num_tickets(ctx, 9));
    note("tickets %zu %zu", SSL_get_num_tickets(ssl), SSL_CTX_get_num_tickets(ctx));
    note("keys %ld %ld", (long)SSL_CTX_get_tlsext_ticket_keys(ctx, NULL, 0),
         (long)SSL_CTX_get_tlsext_ticket_keys(ctx, keys, 79));
    log_errors("keys");
    note("set keys %ld", (long)SSL_CTX_set_tlsext_ticket_keys(ctx, bytes, 80));
    note("get keys %ld", (long)SSL_CTX_get_tlsext_ticket_keys(ctx, keys, 80));
    CHECK(memcmp(bytes, keys, 80) == 0);
    note("session %d", SSL_set_session(ssl, s));
    note("same %d, result %ld", SSL_get_session(ssl) == s, SSL_get_verify_result(ssl));
    SSL_SESSION_free(SSL_get1_session(ssl));
    note("none %d", SSL_set_session(ssl, NULL));
    note("same %d", SSL_get_session(ssl) == NULL);
    SSL_SESSION_free(s);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
}

int main(void)
{
    contract_start();
    test_encoded("TLS 1.2 client", tls12_client);
    test_encoded("TLS 1.3 client", tls13_client);
    test_encoded("TLS 1.3 server", tls13_server);
    test_malformed("TLS 1.2 client", tls12_client);
    test_malformed("TLS 1.3 server", tls13_server);
    test_accessors();
    test_cache();
    test_settings();
    return contract_finish();
}
