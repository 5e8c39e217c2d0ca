/*
 * TLS as a filter BIO. Behaviour: BIO_f_ssl(3).
 */
#include "api/internal.h"

#include <openssl/err.h>

#include <limits.h>
#include <string.h>
#include <time.h>

/* What a filter keeps. */
struct ssl_bio {
    SSL *ssl; /* owns when the BIO's close flag is set */
    int num_renegotiates;
    unsigned long limit;      /* bytes after which it renegotiates; 0: never */
    unsigned long since_last; /* bytes since then */
    unsigned long interval;   /* seconds after which it renegotiates; 0: never */
    time_t last_time;
};

/* Renegotiates when enough bytes have passed or enough time has. */
static void count_bytes(struct ssl_bio *f, size_t len)
{
    time_t now;

    if (f->limit > 0) {
        f->since_last += len;
        if (f->since_last > f->limit) {
            f->since_last = 0;
            f->num_renegotiates++;
            (void)SSL_renegotiate(f->ssl);
            return;
        }
    }
    if (f->interval > 0) {
        now = time(NULL);
        if (now > f->last_time + (time_t)f->interval) {
            f->last_time = now;
            f->num_renegotiates++;
            (void)SSL_renegotiate(f->ssl);
        }
    }
}

/* Translates why a call stopped into the BIO's retry flags. */
static void set_retry(BIO *b, int error)
{
    switch (error) {
    case SSL_ERROR_WANT_READ:
        BIO_set_retry_read(b);
        break;
    case SSL_ERROR_WANT_WRITE:
        BIO_set_retry_write(b);
        break;
    case SSL_ERROR_WANT_X509_LOOKUP:
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_RR_SSL_X509_LOOKUP);
        break;
    case SSL_ERROR_WANT_ACCEPT:
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_RR_ACCEPT);
        break;
    case SSL_ERROR_WANT_CONNECT:
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_RR_CONNECT);
        break;
    default:
        break;
    }
}

/* What follows a read or write: ret is what the SSL function returned, *done its bytes. */
static int finish_call(BIO *b, struct ssl_bio *f, int ret, size_t done)
{
    int error = SSL_get_error(f->ssl, ret);

    BIO_set_retry_reason(b, 0);
    if (error == SSL_ERROR_NONE) {
        count_bytes(f, done);
    } else {
        set_retry(b, error);
    }
    return ret;
}

static int filter_read(BIO *b, char *buf, size_t len, size_t *got)
{
    struct ssl_bio *f = BIO_get_data(b);
    int ret;

    if (buf == NULL) {
        return 0;
    }
    BIO_clear_retry_flags(b);
    if (len == 0) {
        ret = SSL_read(f->ssl, buf, 0);
    } else {
        ret = SSL_read(f->ssl, buf, len < INT_MAX ? (int)len : INT_MAX);
        if (ret > 0) {
            *got = (size_t)ret;
            ret = 1;
        }
    }
    return finish_call(b, f, ret, ret > 0 ? *got : 0);
}

static int filter_write(BIO *b, const char *buf, size_t len, size_t *taken)
{
    struct ssl_bio *f = BIO_get_data(b);
    int ret;

    if (buf == NULL) {
        return 0;
    }
    BIO_clear_retry_flags(b);
    if (len == 0) {
        ret = SSL_write_ex(f->ssl, buf, 0, taken);
    } else {
        ret = SSL_write(f->ssl, buf, len < INT_MAX ? (int)len : INT_MAX);
        if (ret > 0) {
            *taken = (size_t)ret;
            ret = 1;
        }
    }
    return finish_call(b, f, ret, ret > 0 ? *taken : 0);
}

static int filter_puts(BIO *b, const char *text)
{
    size_t len = strlen(text);

    return BIO_write(b, text, len < INT_MAX ? (int)len : INT_MAX);
}

static int filter_create(BIO *b)
{
    struct ssl_bio *f = OPENSSL_zalloc(sizeof(*f));

    if (f == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
        return 0;
    }
    BIO_set_init(b, 0);
    BIO_set_data(b, f);
    BIO_clear_flags(b, ~0);
    return 1;
}

/* Sends close_notify where there is a connection to close; where there is none, that is no error.
 */
static void shut_down_quietly(SSL *ssl)
{
    ERR_set_mark();
    (void)SSL_shutdown(ssl);
    ERR_pop_to_mark();
}

static int filter_destroy(BIO *b)
{
    struct ssl_bio *f = b != NULL ? BIO_get_data(b) : NULL;

    if (f == NULL) {
        return 0;
    }
    if (f->ssl != NULL) {
        shut_down_quietly(f->ssl);
    }
    if (BIO_get_shutdown(b)) {
        if (BIO_get_init(b)) {
            SSL_free(f->ssl);
        }
        BIO_clear_flags(b, ~0);
        BIO_set_init(b, 0);
    }
    OPENSSL_free(f);
    BIO_set_data(b, NULL);
    return 1;
}

/* --- Control commands --- */

/* BIO_reset(): ends the connection and prepares the next one. */
static long reset(BIO *b, SSL *ssl)
{
    BIO *below = BIO_next(b) != NULL ? BIO_next(b) : ssl->rbio;

    (void)SSL_shutdown(ssl);
    if (ssl->state_set && SSL_is_server(ssl)) {
        SSL_set_accept_state(ssl);
    } else if (ssl->state_set) {
        SSL_set_connect_state(ssl);
    }
    if (!SSL_clear(ssl)) {
        return 0;
    }
    return below != NULL ? BIO_reset(below) : 1;
}

/* BIO_set_ssl(): the SSL's own BIO becomes the next of the chain. */
static long attach(BIO *b, SSL *ssl, int close)
{
    BIO *next = BIO_next(b);
    struct ssl_bio *f = BIO_get_data(b);
    BIO *rbio;

    if (f->ssl != NULL) {
        filter_destroy(b);
        if (!filter_create(b)) {
            return 0;
        }
        f = BIO_get_data(b);
    }
    BIO_set_shutdown(b, close);
    f->ssl = ssl;
    rbio = SSL_get_rbio(ssl);
    if (rbio != NULL) {
        if (next != NULL) {
            BIO_push(rbio, next);
        }
        BIO_set_next(b, rbio);
        BIO_up_ref(rbio);
    }
    BIO_set_init(b, 1);
    return 1;
}

/* BIO_dup_chain(): copies the connection into the new filter. */
static long duplicate(const struct ssl_bio *f, BIO *to)
{
    struct ssl_bio *copy = BIO_get_data(to);

    SSL_free(copy->ssl);
    *copy = *f;
    copy->ssl = SSL_dup(f->ssl);
    return copy->ssl != NULL;
}

/* BIO_do_handshake(). */
static long run_handshake(BIO *b, SSL *ssl)
{
    int ret, error;

    BIO_clear_retry_flags(b);
    BIO_set_retry_reason(b, 0);
    ret = SSL_do_handshake(ssl);
    error = SSL_get_error(ssl, ret);
    if (error == SSL_ERROR_WANT_CONNECT) {
        BIO_set_retry_special(b);
        BIO_set_retry_reason(b, BIO_get_retry_reason(BIO_next(b)));
    } else {
        set_retry(b, error);
    }
    return ret;
}

/* Fewer seconds than this would have a connection do little else than renegotiate. */
#define MIN_RENEGOTIATE_SECONDS 60
#define MIN_RENEGOTIATE_BYTES   512

/* The commands about renegotiation; each returns the value before. */
static long control_renegotiation(struct ssl_bio *f, int command, long number)
{
    long before;

    if (command == BIO_C_SET_SSL_RENEGOTIATE_TIMEOUT) {
        before = (long)f->interval;
        f->interval = number < MIN_RENEGOTIATE_SECONDS ? 5 : (unsigned long)number;
        f->last_time = time(NULL);
        return before;
    }
    if (command == BIO_C_SET_SSL_RENEGOTIATE_BYTES) {
        before = (long)f->limit;
        if (number >= MIN_RENEGOTIATE_BYTES) {
            f->limit = (unsigned long)number;
        }
        return before;
    }
    return f->num_renegotiates;
}

/* The commands about the chain below. */
static long control_chain(BIO *b, SSL *ssl, int command, long number, void *arg)
{
    BIO *next = BIO_next(b);
    long ret = 1;

    switch (command) {
    case BIO_CTRL_PUSH:
        if (next != NULL && next != ssl->rbio) {
            BIO_up_ref(next);
            SSL_set_bio(ssl, next, next);
        }
        break;
    case BIO_CTRL_POP:
        if (b == arg) {
            SSL_set_bio(ssl, NULL, NULL);
        }
        break;
    case BIO_CTRL_WPENDING:
        ret = BIO_ctrl(ssl->wbio, command, number, arg);
        break;
    case BIO_CTRL_PENDING:
        ret = SSL_pending(ssl);
        if (ret == 0) {
            ret = BIO_pending(ssl->rbio);
        }
        break;
    case BIO_CTRL_FLUSH:
        BIO_clear_retry_flags(b);
        ret = BIO_ctrl(ssl->wbio, command, number, arg);
        BIO_copy_next_retry(b);
        break;
    default:
        ret = BIO_ctrl(ssl->rbio, command, number, arg);
        break;
    }
    return ret;
}

static long give_ssl(SSL *ssl, SSL **out)
{
    if (out == NULL) {
        return 0;
    }
    *out = ssl;
    return 1;
}

static long give_info_callback(const SSL *ssl, void (**out)(const SSL *, int, int))
{
    *out = SSL_get_info_callback(ssl);
    return 1;
}

static long filter_control(BIO *b, int command, long number, void *arg)
{
    struct ssl_bio *f = BIO_get_data(b);
    SSL *ssl = f->ssl;

    if (command == BIO_C_SET_SSL) {
        return attach(b, arg, (int)number);
    }
    if (ssl == NULL) {
        return 0;
    }
    switch (command) {
    case BIO_CTRL_RESET:
        return reset(b, ssl);
    case BIO_CTRL_INFO:
    case BIO_CTRL_SET_CALLBACK: /* belongs to BIO_callback_ctrl() */
        return 0;
    case BIO_CTRL_GET_CALLBACK:
        return give_info_callback(ssl, arg);
    case BIO_CTRL_GET_CLOSE:
        return BIO_get_shutdown(b);
    case BIO_CTRL_SET_CLOSE:
        BIO_set_shutdown(b, (int)number);
        return 1;
    case BIO_CTRL_DUP:
        return duplicate(f, arg);
    case BIO_C_DO_STATE_MACHINE:
        return run_handshake(b, ssl);
    case BIO_C_GET_SSL:
        return give_ssl(ssl, arg);
    case BIO_C_SSL_MODE:
        if (number != 0) {
            SSL_set_connect_state(ssl);
        } else {
            SSL_set_accept_state(ssl);
        }
        return 1;
    case BIO_C_SET_SSL_RENEGOTIATE_BYTES:
    case BIO_C_SET_SSL_RENEGOTIATE_TIMEOUT:
    case BIO_C_GET_SSL_NUM_RENEGOTIATES:
        return control_renegotiation(f, command, number);
    default:
        return control_chain(b, ssl, command, number, arg);
    }
}

static long filter_callback_control(BIO *b, int command, BIO_info_cb *callback)
{
    struct ssl_bio *f = BIO_get_data(b);

    if (command != BIO_CTRL_SET_CALLBACK || f->ssl == NULL) {
        return 0;
    }
    return BIO_callback_ctrl(f->ssl->rbio, command, callback);
}

/* --- The method --- */

static CRYPTO_ONCE method_once = CRYPTO_ONCE_STATIC_INIT;
static BIO_METHOD *method;

static void make_method(void)
{
    BIO_METHOD *made = BIO_meth_new(BIO_TYPE_SSL, "ssl");

    if (made != NULL && BIO_meth_set_write_ex(made, filter_write) &&
        BIO_meth_set_read_ex(made, filter_read) && BIO_meth_set_puts(made, filter_puts) &&
        BIO_meth_set_ctrl(made, filter_control) && BIO_meth_set_create(made, filter_create) &&
        BIO_meth_set_destroy(made, filter_destroy) &&
        BIO_meth_set_callback_ctrl(made, filter_callback_control)) {
        method = made;
    } else {
        BIO_meth_free(made);
    }
}

const BIO_METHOD *BIO_f_ssl(void)
{
    return CRYPTO_THREAD_run_once(&method_once, make_method) ? method : NULL;
}

/* --- Ready-made chains --- */

BIO *BIO_new_ssl(SSL_CTX *ctx, int client)
{
    BIO *b = BIO_new(BIO_f_ssl());
    SSL *ssl;

    if (b == NULL) {
        return NULL;
    }
    ssl = SSL_new(ctx);
    if (ssl == NULL) {
        BIO_free(b);
        return NULL;
    }
    if (client) {
        SSL_set_connect_state(ssl);
    } else {
        SSL_set_accept_state(ssl);
    }
    BIO_set_ssl(b, ssl, BIO_CLOSE);
    return b;
}

BIO *BIO_new_ssl_connect(SSL_CTX *ctx)
{
    BIO *socket = BIO_new(BIO_s_connect());
    BIO *tls = socket != NULL ? BIO_new_ssl(ctx, 1) : NULL;

    if (tls == NULL) {
        BIO_free(socket);
        return NULL;
    }
    return BIO_push(tls, socket);
}

BIO *BIO_new_buffer_ssl_connect(SSL_CTX *ctx)
{
    BIO *buffer = BIO_new(BIO_f_buffer());
    BIO *tls = buffer != NULL ? BIO_new_ssl_connect(ctx) : NULL;

    if (tls == NULL) {
        BIO_free(buffer);
        return NULL;
    }
    return BIO_push(buffer, tls);
}

/* The SSL of the first TLS filter in a chain; NULL: none. */
static SSL *ssl_of_chain(BIO *chain)
{
    BIO *b = BIO_find_type(chain, BIO_TYPE_SSL);
    const struct ssl_bio *f = b != NULL ? BIO_get_data(b) : NULL;

    return f != NULL ? f->ssl : NULL;
}

int BIO_ssl_copy_session_id(BIO *to, BIO *from)
{
    SSL *target = ssl_of_chain(to);
    SSL *source = ssl_of_chain(from);

    return target != NULL && source != NULL && SSL_copy_session_id(target, source);
}

void BIO_ssl_shutdown(BIO *ssl_bio)
{
    for (BIO *b = ssl_bio; b != NULL; b = BIO_next(b)) {
        const struct ssl_bio *f = BIO_method_type(b) == BIO_TYPE_SSL ? BIO_get_data(b) : NULL;

        if (f != NULL && f->ssl != NULL) {
            (void)SSL_shutdown(f->ssl);
        }
    }
}
