/*
 * The suites a client offers, as its server's application sees them.
 */
#include "api/internal.h"

#include <string.h>

/* Signals stand in the client's list without being suites: RFC 5746, 3.3 and RFC 7507, 4. */
static bool is_signal(const SSL_CIPHER *suite)
{
    return (suite->kx | suite->auth | suite->enc | suite->mac) == 0;
}

/* Reads a list of suites (of 3 bytes in an SSLv2 hello, else 2); unknown ones are left out. False:
 * an error was raised. */
static bool read_list(struct reader list, bool is_v2, STACK_OF(SSL_CIPHER) *suites,
                      STACK_OF(SSL_CIPHER) *signals)
{
    size_t width = is_v2 ? 3 : 2;

    if (reader_is_empty(&list)) {
        raise_error(SSL_R_NO_CIPHERS_SPECIFIED);
        return false;
    }
    if (reader_left(&list) % width != 0) {
        raise_error(SSL_R_ERROR_IN_RECEIVED_CIPHER_LIST);
        return false;
    }
    while (!reader_is_empty(&list)) {
        uint8_t kind = 0;
        uint16_t id;

        if ((is_v2 && !reader_u8(&list, &kind)) || !reader_u16(&list, &id)) {
            raise_error(SSL_R_BAD_LENGTH);
            return false;
        }
        /* A first byte other than zero is a suite of SSL 2.0 itself. */
        const SSL_CIPHER *suite = kind == 0 ? suite_by_id(id) : NULL;
        if (suite != NULL && sk_SSL_CIPHER_push(is_signal(suite) ? signals : suites, suite) <= 0) {
            raise_error(ERR_R_MALLOC_FAILURE);
            return false;
        }
    }
    return true;
}

int SSL_bytes_to_cipher_list(SSL *s, const unsigned char *bytes, size_t len, int isv2format,
                             STACK_OF(SSL_CIPHER) **suites_out, STACK_OF(SSL_CIPHER) **scsvs_out)
{
    STACK_OF(SSL_CIPHER) *suites = sk_SSL_CIPHER_new_null();
    STACK_OF(SSL_CIPHER) *signals = sk_SSL_CIPHER_new_null();
    bool ok = false;

    (void)s;
    if (suites == NULL || signals == NULL) {
        raise_error(ERR_R_MALLOC_FAILURE);
    } else {
        ok = read_list(reader_of(bytes, len), isv2format != 0, suites, signals);
    }
    if (ok && suites_out != NULL) {
        *suites_out = suites;
        suites = NULL;
    }
    if (ok && scsvs_out != NULL) {
        *scsvs_out = signals;
        signals = NULL;
    }
    sk_SSL_CIPHER_free(suites);
    sk_SSL_CIPHER_free(signals);
    return ok;
}

STACK_OF(SSL_CIPHER) *SSL_get_client_ciphers(const SSL *s)
{
    /* The list is made on demand; that is no change anybody could see through s. */
    union {
        const SSL *given;
        SSL *writable;
    } object = { .given = s };

    if (s == NULL || !SSL_is_server(s)) {
        return NULL;
    }
    if (s->peer_ciphers == NULL && s->conn.neg.peer_suites != NULL) {
        const struct blob *list = s->conn.neg.peer_suites;

        (void)ERR_set_mark();
        if (SSL_bytes_to_cipher_list(object.writable, list->bytes, list->len, 0,
                                     &object.writable->peer_ciphers, NULL) == 0) {
            object.writable->peer_ciphers = NULL;
        }
        (void)ERR_pop_to_mark();
    }
    return s->peer_ciphers;
}

char *SSL_get_shared_ciphers(const SSL *s, char *buf, int size)
{
    STACK_OF(SSL_CIPHER) *client = SSL_get_client_ciphers(s);
    STACK_OF(SSL_CIPHER) *server = SSL_get_ciphers(s);
    char *at = buf;

    if (client == NULL || size < 2 || sk_SSL_CIPHER_num(client) == 0 ||
        sk_SSL_CIPHER_num(server) <= 0) {
        return NULL;
    }
    size_t left = (size_t)size;
    for (int i = 0; i < sk_SSL_CIPHER_num(client); i++) {
        const SSL_CIPHER *suite = sk_SSL_CIPHER_value(client, i);
        size_t len = strlen(suite->name);

        if (sk_SSL_CIPHER_find(server, suite) < 0) {
            continue;
        }
        if (len >= left) {
            break;
        }
        memcpy(at, suite->name, len);
        at[len] = ':';
        at += len + 1;
        left -= len + 1;
    }
    if (at == buf) {
        return NULL;
    }
    at[-1] = '\0'; /* the last colon becomes the end */
    return buf;
}
