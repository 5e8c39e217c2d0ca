/*
 * A server that does not remember whom it has sent a HelloRetryRequest: SSL_stateless(3),
 * SSL_CTX_set_stateless_cookie_generate_cb(3). The cookies are made in handshake/cookie13.c. Those
 * of DTLS have callbacks of their own, which nothing asks here.
 */
#include "api/cookie.h"

#include "api/pump.h"
#include "handshake/cookie13.h"

#include <openssl/err.h>
#include <string.h>

_Static_assert(sizeof(((SSL_CTX *)0)->cookie_key) == COOKIE13_KEY_LEN, "a key for cookies");

void SSL_CTX_set_cookie_generate_cb(SSL_CTX *ctx,
                                    int (*app_gen_cookie_cb)(SSL *ssl, unsigned char *cookie,
                                                             unsigned int *cookie_len))
{
    ctx->cookie_generate = app_gen_cookie_cb;
}

void SSL_CTX_set_cookie_verify_cb(SSL_CTX *ctx,
                                  int (*app_verify_cookie_cb)(SSL *ssl, const unsigned char *cookie,
                                                              unsigned int cookie_len))
{
    ctx->cookie_verify = app_verify_cookie_cb;
}

void SSL_CTX_set_stateless_cookie_generate_cb(SSL_CTX *ctx,
                                              int (*gen_stateless_cookie_cb)(SSL *ssl,
                                                                             unsigned char *cookie,
                                                                             size_t *cookie_len))
{
    ctx->stateless_generate = gen_stateless_cookie_cb;
}

void SSL_CTX_set_stateless_cookie_verify_cb(
    SSL_CTX *ctx,
    int (*verify_stateless_cookie_cb)(SSL *ssl, const unsigned char *cookie, size_t cookie_len))
{
    ctx->stateless_verify = verify_stateless_cookie_cb;
}

int SSL_stateless(SSL *s)
{
    struct tls_conn *c = &s->conn;

    if (SSL_clear(s) == 0) {
        return 0;
    }
    ERR_clear_error();
    c->stateless = true;
    int ret = SSL_accept(s);
    c->stateless = false;
    if (ret > 0 && c->cookie_is_good) {
        return 1;
    }
    return c->neg.was_retried && !c->cookie_is_good && !c->error.failed ? 0 : -1;
}

/* --- Hooks --- */

const uint8_t *cookie_key(void *owner)
{
    const SSL *s = owner;

    return s->session_ctx->cookie_key;
}

enum hook_answer cookie_make(void *owner, uint8_t *cookie, size_t room, size_t *len,
                             struct record_error *failure)
{
    SSL *s = owner;
    uint8_t made[SSL_COOKIE_LENGTH]; /* what callbacks may fill */

    if (s->ctx->stateless_generate == NULL) {
        return HOOK_FAIL; /* preset: nobody makes cookies */
    }
    *len = 0;
    if (s->ctx->stateless_generate(s, made, len) == 0) {
        failure->reason = SSL_R_COOKIE_GEN_CALLBACK_FAILURE;
        return HOOK_FAIL;
    }
    if (*len == 0 || *len > room) {
        failure->reason = ERR_R_INTERNAL_ERROR;
        return HOOK_FAIL;
    }
    memcpy(cookie, made, *len);
    return HOOK_OK;
}

bool cookies_are_taken(void *owner)
{
    const SSL *s = owner;

    return s->ctx->stateless_verify != NULL;
}

bool cookie_verify(void *owner, const uint8_t *cookie, size_t len)
{
    SSL *s = owner;

    return s->ctx->stateless_verify(s, cookie, len) != 0;
}
