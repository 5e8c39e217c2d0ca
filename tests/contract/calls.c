/*
 * Calls of the API with their outcome in the log; see calls.h for the form of the lines.
 */
#include "calls.h"

#include "log.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define NAMES_MAX 2048

static struct {
    const SSL *ssl;
    const char *name;
} names[NAMES_MAX];
static size_t num_names;
static pthread_mutex_t names_lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local bool keep_foreign;

void ssl_set_name(const SSL *ssl, const char *name)
{
    size_t i = 0;

    (void)pthread_mutex_lock(&names_lock);
    while (i < num_names && names[i].ssl != ssl) {
        i++;
    }
    REQUIRE(i < NAMES_MAX);
    names[i].ssl = ssl;
    names[i].name = name;
    if (i == num_names) {
        num_names++;
    }
    (void)pthread_mutex_unlock(&names_lock);
}

void ssl_forget_name(const SSL *ssl)
{
    (void)pthread_mutex_lock(&names_lock);
    for (size_t i = 0; i < num_names; i++) {
        if (names[i].ssl == ssl) {
            names[i] = names[--num_names];
            break;
        }
    }
    (void)pthread_mutex_unlock(&names_lock);
}

const char *ssl_get_name(const SSL *ssl)
{
    const char *name = "?";

    (void)pthread_mutex_lock(&names_lock);
    for (size_t i = 0; i < num_names; i++) {
        if (names[i].ssl == ssl) {
            name = names[i].name;
        }
    }
    (void)pthread_mutex_unlock(&names_lock);
    return name;
}

const char *name_of_error(int ssl_error)
{
    static const char *const text[] = {
        "NONE",
        "SSL",
        "WANT_READ",
        "WANT_WRITE",
        "WANT_X509_LOOKUP",
        "SYSCALL",
        "ZERO_RETURN",
        "WANT_CONNECT",
        "WANT_ACCEPT",
        "WANT_ASYNC",
        "WANT_ASYNC_JOB",
        "WANT_CLIENT_HELLO_CB",
        "WANT_RETRY_VERIFY",
    };

    if (ssl_error < 0 || (size_t)ssl_error >= sizeof(text) / sizeof(text[0])) {
        return "?";
    }
    return text[ssl_error];
}

const char *name_of_want(int want)
{
    switch (want) {
    case SSL_NOTHING:
        return "nothing";
    case SSL_WRITING:
        return "writing";
    case SSL_READING:
        return "reading";
    case SSL_X509_LOOKUP:
        return "x509_lookup";
    case SSL_ASYNC_PAUSED:
        return "async_paused";
    case SSL_ASYNC_NO_JOBS:
        return "async_no_jobs";
    case SSL_CLIENT_HELLO_CB:
        return "client_hello_cb";
    case SSL_RETRY_VERIFY:
        return "retry_verify";
    default:
        return "?";
    }
}

void log_errors(const char *prefix)
{
    unsigned long code;

    while ((code = ERR_get_error()) != 0) {
        const char *reason = ERR_reason_error_string(code);

        /* A provider's own words about a failure that the next entry names. */
        if (ERR_GET_LIB(code) == ERR_LIB_PROV) {
            continue;
        }
        /* Codes of the system carry errno, whose text is the C library's affair. */
        if (ERR_SYSTEM_ERROR(code)) {
            note("  %s system:%d", prefix, ERR_GET_REASON(code));
        } else {
            note("  %s %d:%d %s", prefix, ERR_GET_LIB(code), ERR_GET_REASON(code),
                 reason != NULL ? reason : "(no text)");
        }
    }
}

void errors_drop(void)
{
    ERR_clear_error();
}

void errors_keep_foreign(bool keep)
{
    keep_foreign = keep;
}

static void before_call(void)
{
    if (!keep_foreign) {
        log_errors("before:");
    }
    errno = 0;
}

/* `data` may be NULL: nothing was delivered. */
static int after_call(SSL *ssl, const char *what, int ret, const void *data, size_t data_len)
{
    int saved_errno = errno;
    int error = SSL_get_error(ssl, ret);
    char tail[128] = "";

    if (data != NULL) {
        (void)snprintf(tail, sizeof(tail), " data %zu %016" PRIx64, data_len,
                       hash_bytes(data, data_len));
    } else if (error == SSL_ERROR_SYSCALL) {
        (void)snprintf(tail, sizeof(tail), " errno %d", saved_errno);
    }
    note("%s %s = %d %s %s%s", ssl_get_name(ssl), what, ret, name_of_error(error),
         name_of_want(SSL_want(ssl)), tail);
    log_errors("error");
    return ret;
}

int log_call(SSL *ssl, const char *what, int ret)
{
    return after_call(ssl, what, ret, NULL, 0);
}

int call_do_handshake(SSL *ssl)
{
    before_call();
    return log_call(ssl, "SSL_do_handshake", SSL_do_handshake(ssl));
}

int call_connect(SSL *ssl)
{
    before_call();
    return log_call(ssl, "SSL_connect", SSL_connect(ssl));
}

int call_accept(SSL *ssl)
{
    before_call();
    return log_call(ssl, "SSL_accept", SSL_accept(ssl));
}

int call_shutdown(SSL *ssl)
{
    before_call();
    return log_call(ssl, "SSL_shutdown", SSL_shutdown(ssl));
}

int call_key_update(SSL *ssl, int type)
{
    char what[64];

    (void)snprintf(what, sizeof(what), "SSL_key_update(%d)", type);
    before_call();
    return log_call(ssl, what, SSL_key_update(ssl, type));
}

int call_write(SSL *ssl, const void *buf, int num)
{
    char what[64];

    (void)snprintf(what, sizeof(what), "SSL_write(%d)", num);
    before_call();
    return log_call(ssl, what, SSL_write(ssl, buf, num));
}

int call_write_ex(SSL *ssl, const void *buf, size_t num, size_t *written)
{
    char what[96];
    int ret;

    before_call();
    *written = 0;
    ret = SSL_write_ex(ssl, buf, num, written);
    (void)snprintf(what, sizeof(what), "SSL_write_ex(%zu, %zu)", num, *written);
    return log_call(ssl, what, ret);
}

/* The name of a read for the log; the int forms report their result as the amount. */
static int after_read(SSL *ssl, const char *function, size_t num, int ret, const void *buf,
                      size_t got)
{
    char what[96];

    (void)snprintf(what, sizeof(what), "%s(%zu)", function, num);
    return after_call(ssl, what, ret, ret > 0 ? buf : NULL, got);
}

int call_read(SSL *ssl, void *buf, int num)
{
    int ret;

    before_call();
    ret = SSL_read(ssl, buf, num);
    return after_read(ssl, "SSL_read", (size_t)num, ret, buf, ret > 0 ? (size_t)ret : 0);
}

int call_peek(SSL *ssl, void *buf, int num)
{
    int ret;

    before_call();
    ret = SSL_peek(ssl, buf, num);
    return after_read(ssl, "SSL_peek", (size_t)num, ret, buf, ret > 0 ? (size_t)ret : 0);
}

int call_read_ex(SSL *ssl, void *buf, size_t num, size_t *got)
{
    int ret;

    before_call();
    *got = 0;
    ret = SSL_read_ex(ssl, buf, num, got);
    return after_read(ssl, "SSL_read_ex", num, ret, buf, *got);
}

int call_peek_ex(SSL *ssl, void *buf, size_t num, size_t *got)
{
    int ret;

    before_call();
    *got = 0;
    ret = SSL_peek_ex(ssl, buf, num, got);
    return after_read(ssl, "SSL_peek_ex", num, ret, buf, *got);
}

void log_state(SSL *ssl)
{
    note("%s state: pending %d has_pending %d shutdown %d init %d want %s", ssl_get_name(ssl),
         SSL_pending(ssl), SSL_has_pending(ssl), SSL_get_shutdown(ssl), SSL_in_init(ssl),
         name_of_want(SSL_want(ssl)));
}
