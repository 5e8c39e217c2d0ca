/*
 * Tickets. The first byte says how: the rest is a whole ticket under keys of ours (all zeros), a
 * ticket that needs only its MAC, or the text that such a ticket holds, so that the decoder behind
 * the MAC is reached. What opens seals again.
 */
#include "stage.h"

#include "api/internal.h"
#include "crypto/hash.h"
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_LEN 32 /* name and IV */
#define MAC_LEN  32

static const uint8_t keys[80];
static SSL_CTX *ctx;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    ctx = SSL_CTX_new(TLS_server_method());
    stage_require(ctx != NULL &&
                      SSL_CTX_set_tlsext_ticket_keys(ctx, (void *)(uintptr_t)keys, 80) == 1,
                  "a context");
    return 0;
}

static size_t encrypt(uint8_t *out, const uint8_t *text, size_t len)
{
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int part = 0;
    int last = 0;

    stage_require(cipher != NULL &&
                      EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys, keys) == 1 &&
                      EVP_EncryptUpdate(cipher, out, &part, text, (int)len) == 1 &&
                      EVP_EncryptFinal_ex(cipher, out + part, &last) == 1,
                  "encryption");
    EVP_CIPHER_CTX_free(cipher);
    return (size_t)(part + last);
}

/* Makes the ticket; *len is its length. */
static uint8_t *make_ticket(uint8_t how, const uint8_t *data, size_t size, size_t *len)
{
    uint8_t *ticket = calloc(1, HEAD_LEN + size + EVP_MAX_BLOCK_LENGTH + MAC_LEN);

    stage_require(ticket != NULL, "memory");
    if (how % 3 == 0) {
        memcpy(ticket, data, size);
        *len = size;
        return ticket;
    }
    *len = HEAD_LEN;
    if (how % 3 == 1) {
        memcpy(ticket + HEAD_LEN, data, size);
        *len += size;
    } else {
        *len += encrypt(ticket + HEAD_LEN, data, size);
    }
    stage_require(hmac_once(hash_get(ctx->lib, HASH_SHA256), keys, 32, ticket, *len, ticket + *len),
                  "a MAC");
    *len += MAC_LEN;
    return ticket;
}

static void seal_again(SSL *s, SSL_SESSION *session)
{
    struct buffer sealed = { 0 };
    struct writer w = writer_to(&sealed);
    struct record_error failure = { 0 };
    SSL_SESSION *again = NULL;
    bool renew;

    stage_require(ssl_hooks.seal_ticket(s, session, &w, &failure) == HOOK_OK && writer_ok(&w),
                  "what opened seals");
    stage_require(ssl_hooks.open_ticket(s, buffer_bytes(&sealed), buffer_len(&sealed),
                                        reader_of(NULL, 0), &again, &renew, &failure) == HOOK_OK,
                  "what was sealed opens");
    SSL_SESSION_free(again);
    buffer_wipe(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct record_error failure = { 0 };
    SSL_SESSION *session = NULL;
    bool renew;
    size_t len;
    SSL *s;

    if (size == 0 || size > 0xf000) {
        return 0;
    }
    s = SSL_new(ctx);
    stage_require(s != NULL, "a connection");
    SSL_set_accept_state(s);
    uint8_t *ticket = make_ticket(data[0], data + 1, size - 1, &len);
    uint8_t *copy = stage_copy(ticket, len);
    if (ssl_hooks.open_ticket(s, copy, len, reader_of("id", 2), &session, &renew, &failure) ==
        HOOK_OK) {
        (void)ssl_hooks.may_resume(s, session, false, &failure);
        (void)ssl_hooks.belongs_here(s, session);
        seal_again(s, session);
    }
    stage_require(ERR_peek_error() == 0, "a stranger's ticket leaves no error");
    SSL_SESSION_free(session);
    free(copy);
    free(ticket);
    SSL_free(s);
    return 0;
}
