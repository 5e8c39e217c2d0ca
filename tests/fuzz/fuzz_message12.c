/*
 * Parsers of the handshake messages that only TLS 1.2 and older have: the body goes straight to the
 * handler. Input: a byte of flags, a byte that chooses the suite, then the body.
 */
#include "stage.h"

#include "handshake/keys12.h"
#include "handshake/negotiate12.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdlib.h>
#include <string.h>

struct parser {
    const char *name;
    enum step_result (*read)(struct handshake *hs, struct reader *body);
    bool on_client;
    bool on_server;
    void (*prepare)(struct handshake *hs);
    void (*judge)(struct handshake *hs, const uint8_t *body, size_t size, enum step_result result,
                  size_t left);
};

static const struct parser *parser;

/* --- ServerKeyExchange --- */

static bool has_exchange_message(const struct ssl_cipher_st *suite)
{
    return (suite->kx & KX_RSA) == 0;
}

/* What was taken is enough to go on with: the ClientKeyExchange and a master secret. */
static void judge_server_key_exchange(struct handshake *hs, const uint8_t *body, size_t size,
                                      enum step_result result, size_t left)
{
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    (void)body;
    (void)size;
    if (result != STEP_OK || left > 0) {
        return;
    }
    stage_require(write_client_key_exchange(hs, &w) == STEP_OK && writer_ok(&w),
                  "a client answers what it has taken");
    stage_require(derive_master_secret(hs) == STEP_OK, "and has a secret then");
    buffer_wipe(&out);
}

/* --- ClientKeyExchange --- */

/* The server's half, which it has sent. */
static void prepare_client_key_exchange(struct handshake *hs)
{
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    struct tls_conn *c = hs->conn;

    if (has_exchange_message(c->neg.suite)) {
        handshake_choose_scheme(hs, negotiate_server_scheme12(c));
        stage_require(write_server_key_exchange(hs, &w) == STEP_OK && writer_ok(&w),
                      "a server writes its half");
    }
    buffer_wipe(&out);
}

/* An RSA ciphertext is a number below the modulus, and not longer than it. */
static bool is_rsa_ciphertext(EVP_PKEY *key, const uint8_t *bytes, size_t len)
{
    BIGNUM *modulus = NULL;
    BIGNUM *number = BN_bin2bn(bytes, (int)len, NULL);

    stage_require(number != NULL && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus),
                  "memory");
    bool ok = len <= (size_t)BN_num_bytes(modulus) && BN_cmp(number, modulus) < 0;
    BN_free(number);
    BN_free(modulus);
    return ok;
}

/* RFC 5246, 7.4.7.1: whatever an RSA ciphertext holds, nobody sees whether it was right. What
 * isn't one, is refused: everybody can see that. */
static void judge_client_key_exchange(struct handshake *hs, const uint8_t *body, size_t size,
                                      enum step_result result, size_t left)
{
    if (hs->conn->neg.suite->kx == KX_RSA) {
        EVP_PKEY *key = hs->conn->config->credentials->slot[KEY_RSA].key;
        bool is_vector = size >= 2 && (size_t)(body[0] << 8 | body[1]) == size - 2;
        bool is_taken = is_vector && is_rsa_ciphertext(key, body + 2, size - 2);
        stage_require((result == STEP_OK) == is_taken, "an RSA ciphertext is taken as it comes");
    }
    if (result == STEP_OK && left == 0) {
        stage_require(derive_master_secret(hs) == STEP_OK, "a server has a secret then");
    }
}

/* --- Finished --- */

static struct secret expected_finished;

static void prepare_finished(struct handshake *hs)
{
    stage_require(keys12_finished(hs, DIRECTION_IN, &expected_finished), "a Finished is computed");
}

static void judge_finished(struct handshake *hs, const uint8_t *body, size_t size,
                           enum step_result result, size_t left)
{
    bool is_right =
        size == FINISHED12_LEN && memcmp(body, expected_finished.bytes, FINISHED12_LEN) == 0;

    (void)hs;
    stage_require((result == STEP_OK && left == 0) == is_right, "one Finished is right");
}

/* --- Certificates --- */

static void judge_certificate(struct handshake *hs, const uint8_t *body, size_t size,
                              enum step_result result, size_t left)
{
    (void)body;
    (void)size;
    if (result == STEP_OK && left == 0 && hs->peer_has_cert) {
        result = verify_peer(hs);
        stage_require((result == STEP_FAILED) == hs->conn->error.failed, "a failure is explained");
    }
}

/* A request that is taken can be answered: by a certificate, or by none. */
static void judge_certificate_request(struct handshake *hs, const uint8_t *body, size_t size,
                                      enum step_result result, size_t left)
{
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);

    (void)body;
    (void)size;
    if (result == STEP_OK && left == 0) {
        stage_require(hs->asked_cert && choose_credential_client(hs) == STEP_OK &&
                          write_certificate12(hs, &w) == STEP_OK && writer_ok(&w),
                      "a client answers");
    }
    buffer_wipe(&out);
}

/* Signed by whom the certificate names, over what was said, or refused. */
static void judge_certificate_verify(struct handshake *hs, const uint8_t *body, size_t size,
                                     enum step_result result, size_t left)
{
    (void)body;
    (void)left;
    stage_require(result != STEP_OK || (size > 4 && hs->conn->neg.peer_scheme != NULL),
                  "who has signed has said how");
}

static const struct parser parsers[] = {
    { "server_key_exchange", read_server_key_exchange, true, false, NULL,
      judge_server_key_exchange },
    { "client_key_exchange", read_client_key_exchange, false, true, prepare_client_key_exchange,
      judge_client_key_exchange },
    { "certificate12", read_certificate12, true, true, NULL, judge_certificate },
    { "certificate_request12", read_certificate_request12, true, false, NULL,
      judge_certificate_request },
    { "certificate_verify12", read_certificate_verify12, false, true, NULL,
      judge_certificate_verify },
    { "certificate_status", read_certificate_status, true, false, NULL, NULL },
    { "new_session_ticket12", read_new_session_ticket12, true, false, NULL, NULL },
    { "finished12", read_finished12, true, true, prepare_finished, judge_finished },
    { "next_protocol", read_next_protocol, false, true, NULL, NULL },
};

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    stage_setup();
    for (size_t i = 0; i < COUNT_OF(parsers); i++) {
        if (strcmp(parsers[i].name, TARGET) == 0) {
            parser = &parsers[i];
        }
    }
    stage_require(parser != NULL, "there is such a parser");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct endpoint e;

    if (size < 2) {
        return 0;
    }
    uint8_t flags = data[0] | (parser->on_client ? 0 : FLAG_SERVER);
    if (!parser->on_server) {
        flags &= (uint8_t)~FLAG_SERVER;
    }
    size -= 2;
    uint8_t *body = stage_copy(data + 2, size);
    struct reader r = reader_of(body, size);
    stage_init12(&e, flags, data[1]);
    struct handshake *hs = e.conn.hs;
    if (parser->read == read_server_key_exchange && !has_exchange_message(e.conn.neg.suite)) {
        endpoint_wipe(&e);
        free(body);
        return 0;
    }
    if (parser->prepare != NULL) {
        parser->prepare(hs);
    }
    enum step_result result = parser->read(hs, &r);
    /* What the runner counts on. */
    stage_require(result != STEP_PAUSED, "a parser doesn't pause");
    stage_require((result == STEP_FAILED) == e.conn.error.failed, "a failure is explained");
    if (parser->judge != NULL) {
        parser->judge(hs, body, size, result, reader_left(&r));
    }
    endpoint_wipe(&e);
    free(body);
    return 0;
}
