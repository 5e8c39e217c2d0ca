/*
 * Calls of the API with their outcome in the log: one line with the SSL's name, the function, what
 * it returned, SSL_get_error() and SSL_want(), then one line for each entry of the error queue,
 * which is empty afterwards. Delivered bytes appear as length and hash.
 *
 * Entries that other calls left in the queue before the call are logged ("before:") and removed,
 * so that they cannot change SSL_get_error(); see errors_keep_foreign().
 */
#ifndef CONTRACT_CALLS_H
#define CONTRACT_CALLS_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

/* Gives an SSL the name that the log shows ("?" without). `name` must be a string literal. */
void ssl_set_name(const SSL *ssl, const char *name);
void ssl_forget_name(const SSL *ssl); /* before SSL_free, where a program makes very many */
const char *ssl_get_name(const SSL *ssl);

int call_do_handshake(SSL *ssl);
int call_connect(SSL *ssl);
int call_accept(SSL *ssl);
int call_write(SSL *ssl, const void *buf, int num);
int call_write_ex(SSL *ssl, const void *buf, size_t num, size_t *written);
int call_read(SSL *ssl, void *buf, int num);
int call_read_ex(SSL *ssl, void *buf, size_t num, size_t *got);
int call_peek(SSL *ssl, void *buf, int num);
int call_peek_ex(SSL *ssl, void *buf, size_t num, size_t *got);
int call_shutdown(SSL *ssl);
int call_key_update(SSL *ssl, int type);

/* Any other call on an SSL: runs nothing, logs `ret` as the outcome of `what`; returns ret.
 * Use: log_call(ssl, "SSL_verify_client_post_handshake", SSL_verify_client_post_handshake(ssl)) */
int log_call(SSL *ssl, const char *what, int ret);

/* One line with SSL_pending, SSL_has_pending, SSL_get_shutdown, SSL_in_init, SSL_want. */
void log_state(SSL *ssl);

/* Logs and removes the entries of the thread's error queue, each as "  PREFIX lib:reason text". */
void log_errors(const char *prefix);

/* Removes them unseen. */
void errors_drop(void);

/* While true, the calls above leave earlier entries of this thread's error queue in place. */
void errors_keep_foreign(bool keep);

/* Names of numbers, for log lines. */
const char *name_of_error(int ssl_error);
const char *name_of_want(int want);

#endif
