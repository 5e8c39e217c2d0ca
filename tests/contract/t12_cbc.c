/*
 * TLS 1.2's CBC records made by hand, with the connection's own keys: paddings of every length, and
 * everything that may be wrong with padding and MAC, in both orders of encrypting and
 * authenticating. Whatever is wrong, the answer must be one and the same (RFC 5246, 6.2.3.2; RFC
 * 7366, 3).
 */
#include "contract.h"
#include "hs_peer.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/hmac.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN 16
#define MAC_MAX   48

struct suite {
    const char *name;
    const char *prf;
    const char *digest;
    size_t mac_len;
    size_t key_len;
};

static const struct suite suites[] = {
    { "ECDHE-ECDSA-AES128-SHA", "SHA256", "SHA1", 20, 16 },
    { "ECDHE-ECDSA-AES128-SHA256", "SHA256", "SHA256", 32, 16 },
    { "ECDHE-ECDSA-AES256-SHA384", "SHA384", "SHA384", 48, 32 },
};

/* The client's keys, which the forged records are made with. */
struct keys {
    const struct suite *suite;
    bool mac_last; /* encrypt-then-mac */
    uint8_t mac[MAC_MAX];
    uint8_t cipher[32];
};

/* A record of the client's; what is zero is as it should be. */
struct forged {
    const char *name;
    size_t len;        /* of the content */
    int padding;       /* bytes before the length byte, -1: as few as fit */
    int break_padding; /* this padding byte from the end is wrong (1: the last before its length) */
    int padding_says;  /* the length byte, -1: the truth */
    bool break_mac;    /* the MAC's first bit */
    bool break_mac_end; /* its last bit */
    size_t mac_missing; /* bytes that are left out */
    uint64_t sequence;  /* added to the right one */
    unsigned mac_type;  /* the type that the MAC covers, 0: the record's */
    unsigned mac_version;
    int mac_len_more; /* added to the length that the MAC covers */
    bool flip_iv;
    bool flip_last; /* a bit of the record's last byte */
    size_t cut;     /* bytes cut from the record's end */
    bool good;
    bool good_outside; /* good where the MAC covers the padding too: it is content then */
    bool may_be_short; /* some suites' records are too short for their MAC by their length alone */
};

#define AS_IT_IS .padding = -1, .padding_says = -1

static const struct forged forged[] = {
    { .name = "as it should be", .len = 5, AS_IT_IS, .good = true },
    { .name = "no content", .len = 0, AS_IT_IS, .good = true },
    { .name = "one block of padding more",
      .len = 5,
      .padding = 16,
      .padding_says = -1,
      .good = true },
    { .name = "most padding", .len = 5, .padding = 240, .padding_says = -1, .good = true },
    { .name = "16384 bytes of content", .len = 16384, AS_IT_IS, .good = true },
    { .name = "16384 bytes of content and most padding",
      .len = 16384,
      .padding = 240,
      .padding_says = -1,
      .good = true },
    { .name = "16385 bytes of content", .len = 16385, AS_IT_IS },
    { .name = "first padding byte",
      .len = 5,
      .padding = 32,
      .padding_says = -1,
      .break_padding = 32 },
    { .name = "last padding byte",
      .len = 5,
      .padding = 32,
      .padding_says = -1,
      .break_padding = 1 },
    { .name = "padding amid 240 bytes",
      .len = 5,
      .padding = 240,
      .padding_says = -1,
      .break_padding = 130 },
    { .name = "padding says one less", .len = 5, .padding = 32, .padding_says = 31 },
    { .name = "padding says one more", .len = 5, .padding = 32, .padding_says = 33 },
    { .name = "padding says none",
      .len = 5,
      .padding = 32,
      .padding_says = 0,
      .good_outside = true },
    { .name = "padding says all", .len = 5, .padding = 16, .padding_says = 255 },
    { .name = "padding longer than the record", .len = 0, .padding = -1, .padding_says = 250 },
    { .name = "MAC's first bit", .len = 5, AS_IT_IS, .break_mac = true },
    { .name = "MAC's last bit", .len = 5, AS_IT_IS, .break_mac_end = true },
    { .name = "MAC and padding",
      .len = 5,
      .padding = 32,
      .padding_says = -1,
      .break_padding = 9,
      .break_mac = true },
    { .name = "MAC a byte short", .len = 5, AS_IT_IS, .mac_missing = 1 },
    { .name = "no MAC", .len = 5, AS_IT_IS, .mac_missing = MAC_MAX, .may_be_short = true },
    { .name = "MAC of the next record", .len = 5, AS_IT_IS, .sequence = 1 },
    { .name = "MAC of another type", .len = 5, AS_IT_IS, .mac_type = SSL3_RT_HANDSHAKE },
    { .name = "MAC of another version", .len = 5, AS_IT_IS, .mac_version = 0x0302 },
    { .name = "MAC of another length", .len = 5, AS_IT_IS, .mac_len_more = 1 },
    { .name = "initialisation vector", .len = 5, AS_IT_IS, .flip_iv = true },
    { .name = "the record's last bit", .len = 5, AS_IT_IS, .flip_last = true },
    { .name = "a byte short", .len = 5, AS_IT_IS, .cut = 1 },
    { .name = "a block short", .len = 40, AS_IT_IS, .cut = 16 },
    { .name = "only a vector", .len = 5, AS_IT_IS, .cut = 100000, .may_be_short = true },
};

static void derive_keys(struct keys *keys, const struct pair *p)
{
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, "TLS1-PRF", NULL);
    EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
    uint8_t master[48], seed[13 + 64] = "key expansion", block[2 * MAC_MAX + 2 * 32];
    OSSL_PARAM params[4];

    REQUIRE(SSL_SESSION_get_master_key(SSL_get_session(p->client), master, 48) == 48);
    REQUIRE(SSL_get_server_random(p->client, seed + 13, 32) == 32);
    REQUIRE(SSL_get_client_random(p->client, seed + 45, 32) == 32);
    params[0] = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST,
                                                 (char *)(uintptr_t)keys->suite->prf, 0);
    params[1] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, 48);
    params[2] = OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof(seed));
    params[3] = OSSL_PARAM_construct_end();
    REQUIRE(ctx != NULL && EVP_KDF_derive(ctx, block, sizeof(block), params) == 1);
    memcpy(keys->mac, block, keys->suite->mac_len);
    memcpy(keys->cipher, block + 2 * keys->suite->mac_len, keys->suite->key_len);
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
}

/* RFC 5246, 6.2.3.1: sequence number, type, version, length, content. */
static void add_mac(struct bytes *out, const struct keys *keys, const struct forged *f,
                    const uint8_t *data, size_t len)
{
    struct bytes covered = { 0 };
    uint8_t mac[EVP_MAX_MD_SIZE];
    unsigned mac_len = 0;
    size_t taken = keys->suite->mac_len -
                   (f->mac_missing < keys->suite->mac_len ? f->mac_missing : keys->suite->mac_len);

    /* The Finished was the first record under these keys. */
    bytes_add_number(&covered, 8, (size_t)(1 + f->sequence));
    bytes_add_number(&covered, 1, f->mac_type != 0 ? f->mac_type : SSL3_RT_APPLICATION_DATA);
    bytes_add_number(&covered, 2, f->mac_version != 0 ? f->mac_version : 0x0303);
    bytes_add_number(&covered, 2, (size_t)((int)len + f->mac_len_more));
    bytes_add(&covered, data, len);
    REQUIRE(HMAC(EVP_get_digestbyname(keys->suite->digest), keys->mac, (int)keys->suite->mac_len,
                 covered.data, covered.len, mac, &mac_len) != NULL);
    mac[0] ^= f->break_mac;
    mac[mac_len - 1] ^= f->break_mac_end;
    bytes_add(out, mac, taken);
    bytes_free(&covered);
}

/* The content is as long as whole blocks, its last byte the padding's length. */
static void add_padding(struct bytes *out, const struct forged *f)
{
    size_t fits = BLOCK_LEN - 1 - out->len % BLOCK_LEN;
    size_t padding = fits;

    while (f->padding >= 0 && padding + BLOCK_LEN <= 255 && padding < (size_t)f->padding) {
        padding += BLOCK_LEN;
    }
    for (size_t i = padding; i > 0; i--) {
        bytes_add_number(out, 1, (padding & 0xff) ^ (i == (size_t)f->break_padding ? 0x01 : 0));
    }
    bytes_add_number(out, 1, f->padding_says >= 0 ? (size_t)f->padding_says : padding);
}

static void encrypt(struct bytes *out, const struct keys *keys, const struct bytes *plain)
{
    const EVP_CIPHER *cipher = keys->suite->key_len == 16 ? EVP_aes_128_cbc() : EVP_aes_256_cbc();
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    uint8_t iv[BLOCK_LEN];
    size_t start;
    int len;

    REQUIRE(RAND_bytes(iv, sizeof(iv)) == 1);
    bytes_add(out, iv, sizeof(iv));
    start = out->len;
    bytes_add(out, plain->data, plain->len);
    REQUIRE(ctx != NULL && EVP_EncryptInit_ex2(ctx, cipher, keys->cipher, iv, NULL) == 1);
    REQUIRE(EVP_CIPHER_CTX_set_padding(ctx, 0) == 1);
    REQUIRE(EVP_EncryptUpdate(ctx, out->data + start, &len, plain->data, (int)plain->len) == 1);
    REQUIRE((size_t)len == plain->len);
    EVP_CIPHER_CTX_free(ctx);
}

static void forge(struct bytes *record, const struct keys *keys, const struct forged *f)
{
    uint8_t *content = pattern_new(f->len > 0 ? f->len : 1, 1);
    struct bytes plain = { 0 };
    struct bytes body = { 0 };

    bytes_add(&plain, content, f->len);
    if (!keys->mac_last) {
        add_mac(&plain, keys, f, content, f->len);
    }
    add_padding(&plain, f);
    encrypt(&body, keys, &plain);
    if (keys->mac_last) {
        add_mac(&body, keys, f, body.data, body.len);
    }
    body.data[0] ^= f->flip_iv;
    body.data[body.len - 1] ^= f->flip_last;
    body.len -= f->cut < body.len - BLOCK_LEN ? f->cut : body.len - BLOCK_LEN;
    bytes_add_hex(record, "17 0303");
    bytes_add_number(record, 2, body.len);
    bytes_add(record, body.data, body.len);
    bytes_free(&plain);
    bytes_free(&body);
    free(content);
}

static char alerts[32];

static void on_info(const SSL *ssl, int where, int ret)
{
    (void)ssl;
    if (where == SSL_CB_WRITE_ALERT) {
        (void)snprintf(alerts + strlen(alerts), sizeof(alerts) - strlen(alerts), " %04x",
                       (unsigned)ret);
    }
}

/* What the server under test makes of the record, in one line. */
static void run(const struct suite *suite, bool mac_last, const struct forged *f, char *seen,
                size_t size)
{
    static uint8_t got[20000];
    struct keys keys = { .suite = suite, .mac_last = mac_last };
    struct bytes record = { 0 };
    unsigned long last;
    struct pair p;
    bool good = f->good || (f->good_outside && mac_last);
    int ret, error;

    pair_init(&p, OVER_WIRE, 0);
    REQUIRE(SSL_set_cipher_list(p.client, suite->name) == 1);
    (void)SSL_set_options(p.client, mac_last ? 0 : SSL_OP_NO_ENCRYPT_THEN_MAC);
    REQUIRE(drive_handshake(p.client, p.server));
    SSL_set_info_callback(p.server, on_info);
    derive_keys(&keys, &p);
    forge(&record, &keys, f);
    wire_inject(p.wire, WIRE_SERVER, record.data, record.len);
    alerts[0] = '\0';
    ERR_clear_error();
    ret = SSL_read(p.server, got, sizeof(got));
    error = SSL_get_error(p.server, ret);
    last = ERR_peek_last_error();
    (void)snprintf(seen, size, "%d %s %d:%d alerts%s", ret, name_of_error(error), ERR_GET_LIB(last),
                   ERR_GET_REASON(last), alerts);
    if (ret > 0) {
        uint8_t *expected = pattern_new(f->len, 1);

        CHECK((size_t)ret >= f->len && memcmp(expected, got, f->len) == 0);
        free(expected);
    }
    CHECK(good == (ret > 0 || error == SSL_ERROR_WANT_READ));
    errors_drop();
    bytes_free(&record);
    pair_free(&p);
}

static void test_suite(const struct suite *suite, bool mac_last)
{
    char first[128] = "";

    section("%s, %s", suite->name, mac_last ? "encrypt-then-mac" : "mac-then-encrypt");
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++) {
        const struct forged *f = &forged[i];
        char seen[128];

        run(suite, mac_last, f, seen, sizeof(seen));
        if (f->may_be_short) {
            log_difference("cbc-record-too-short", "%s: %s", f->name, seen);
        } else {
            note("%s: %s", f->name, seen);
        }
        /* Lengths are no secret; all else has one answer. */
        if (!f->good && !f->good_outside && !f->may_be_short && f->len < 16385) {
            if (first[0] == '\0') {
                (void)snprintf(first, sizeof(first), "%s", seen);
            }
            CHECK(strcmp(first, seen) == 0);
        }
    }
}

int main(void)
{
    contract_start();
    pair_version = TLS1_2_VERSION;
    for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++) {
        test_suite(&suites[i], false);
        test_suite(&suites[i], true);
    }
    identity_default_free();
    return contract_finish();
}
