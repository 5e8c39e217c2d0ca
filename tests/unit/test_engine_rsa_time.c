/*
 * Key exchange by RSA at a server: from the raw result of the private operation on, through
 * libcrypto's judgement of the padding and our way to the master secret, nothing depends on what
 * was encrypted. RFC 5246, 7.4.7.1; CVE-2017-13099 (ROBOT), CVE-2022-4304. The raw result is
 * undefined to memcheck.
 */
#include "unit.h"

#include "crypto/dhe.h"
#include "engines.h"
#include "memcheck.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SUITE_RSA 0x009c /* AES-128-GCM, SHA-256 */
#define KEY_LEN   128    /* short: it is made under memcheck, too */

/* The default method's private operation, whose result nobody may know. */
static int decrypt_unknown(int len, const unsigned char *from, unsigned char *to, RSA *rsa,
                           int padding)
{
    int result = RSA_meth_get_priv_dec(RSA_PKCS1_OpenSSL())(len, from, to, rsa, padding);

    if (result > 0) {
        VALGRIND_MAKE_MEM_UNDEFINED(to, (size_t)result);
    }
    return result;
}

static RSA_METHOD *method;

/* Before the first RSA key is made. */
static void install_method(void)
{
    method = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    if (method == NULL || RSA_meth_set_priv_dec(method, decrypt_unknown) != 1) {
        abort();
    }
    RSA_set_default_method(method);
}

/* What a client may have encrypted. */
enum plaintext {
    RIGHT,
    WRONG_VERSION,
    TOO_SHORT,
    TOO_LONG,
    WRONG_TYPE,
    NO_END, /* of the padding */
    NOTHING /* zeros */
};

/* The block 00 02 padding 00 secret, or one that is wrong. */
static void fill_block(uint8_t block[KEY_LEN], enum plaintext what)
{
    size_t len = what == TOO_SHORT  ? PREMASTER_LEN - 1
                 : what == TOO_LONG ? PREMASTER_LEN + 1
                                    : PREMASTER_LEN;

    memset(block, what == NOTHING ? 0 : 0xa5, KEY_LEN);
    block[0] = 0;
    block[1] = what == WRONG_TYPE ? 1 : 2;
    block[KEY_LEN - len - 1] = what == NO_END ? 1 : 0;
    block[KEY_LEN - len] = 3;
    block[KEY_LEN - len + 1] = what == WRONG_VERSION ? 1 : 3;
}

static bool encrypt_block(EVP_PKEY *key, const uint8_t block[KEY_LEN], uint8_t out[KEY_LEN])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    size_t len = KEY_LEN;
    bool ok = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              EVP_PKEY_encrypt(ctx, out, &len, block, KEY_LEN) == 1 && len == KEY_LEN;

    EVP_PKEY_CTX_free(ctx);
    return ok;
}

/* A ClientKeyExchange in a record. */
static bool key_exchange(const struct endpoint *server, enum plaintext what,
                         uint8_t record[RECORD_HEADER_LEN + 6 + KEY_LEN])
{
    static const uint8_t head[] = { 22, 3, 3,           0, 6 + KEY_LEN, MSG_CLIENT_KEY_EXCHANGE,
                                    0,  0, 2 + KEY_LEN, 0, KEY_LEN };
    uint8_t block[KEY_LEN];

    fill_block(block, what);
    memcpy(record, head, sizeof(head));
    return encrypt_block(server->config.credentials->slot[KEY_RSA].key, block,
                         record + sizeof(head));
}

/* One server takes it. True: it went on, and its secret is the one that was sent only when it was
 * right. `leaks`: this program then looks at a byte of the master secret. */
static bool take(enum plaintext what, bool leaks)
{
    uint8_t record[RECORD_HEADER_LEN + 6 + KEY_LEN];
    struct endpoint client;
    struct endpoint server;
    struct buffer wire = { 0 };

    endpoint_init(&client, ROLE_CLIENT);
    endpoint_init(&server, ROLE_SERVER);
    endpoint_use_tls12(&client, SUITE_RSA);
    endpoint_use_tls12(&server, SUITE_RSA);
    (void)endpoint_run(&client, &wire);
    (void)endpoint_run(&server, NULL);
    endpoint_feed(&server, buffer_bytes(&wire), buffer_len(&wire));
    buffer_wipe(&wire);
    (void)endpoint_run(&server, NULL);
    bool ok = key_exchange(&server, what, record);
    endpoint_feed(&server, record, sizeof(record));
    enum tls_status status = endpoint_run(&server, NULL);

    struct secret *master = &server.conn.session->master;
    if (leaks && master->bytes[0] == 1) {
        (void)getpid();
    }
    VALGRIND_MAKE_MEM_DEFINED(master, sizeof(*master));
    ok = ok && status == TLS_WANT_INPUT && server.conn.hs != NULL &&
         server.conn.hs->step->message == MSG_CCS && master->len == 48;
    endpoint_wipe(&client);
    endpoint_wipe(&server);
    return ok;
}

static int run_marked(void)
{
    bool fine = true;

    for (int what = RIGHT; what <= NOTHING; what++) {
        fine = take((enum plaintext)what, false) && fine;
    }
    return fine ? 0 : EXIT_WRONG;
}

/* The control: what was undefined is so still where the way ends. */
static int run_leaking(void)
{
    return take(RIGHT, true) ? 0 : EXIT_WRONG;
}

static void time_tells_nothing(void **state)
{
    (void)state;
    memcheck_finds("leaking", "marked");
}

/* Without memcheck. */
static void a_server_goes_on_whatever_was_encrypted(void **state)
{
    (void)state;
    assert_int_equal(run_marked(), 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_server_goes_on_whatever_was_encrypted),
        cmocka_unit_test(time_tells_nothing),
    };

    install_method();
    endpoint_rsa_bits = 8 * KEY_LEN;
    int result = argc != 2                         ? cmocka_run_group_tests(tests, NULL, NULL)
                 : strcmp(argv[1], "leaking") == 0 ? run_leaking()
                                                   : run_marked();
    endpoint_identity_free();
    RSA_meth_free(method);
    return result;
}
