/*
 * Sessions as text, in the form that s_client and others show. Behaviour: SSL_SESSION_print(3).
 */
#include "api/versions.h"

#include <openssl/err.h>

#include <stdio.h>

static bool print_hex(BIO *out, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (BIO_printf(out, "%02X", bytes[i]) <= 0) {
            return false;
        }
    }
    return true;
}

static bool print_suite(BIO *out, const SSL_SESSION *session)
{
    if (session->suite == NULL) {
        return BIO_printf(out, "    Cipher    : %04X\n", session->suite_id & 0xffff) > 0;
    }
    return BIO_printf(out, "    Cipher    : %s\n", session->suite->name) > 0;
}

static bool print_identifiers(BIO *out, const SSL_SESSION *session)
{
    const char *secret =
        session->version == TLS1_3_VERSION ? "\n    Resumption PSK: " : "\n    Master-Key: ";

    return BIO_puts(out, "    Session-ID: ") > 0 && print_hex(out, session->id, session->id_len) &&
           BIO_puts(out, "\n    Session-ID-ctx: ") > 0 &&
           print_hex(out, session->context, session->context_len) && BIO_puts(out, secret) > 0 &&
           print_hex(out, session->master.bytes, session->master.len);
}

static bool print_psk(BIO *out, const SSL_SESSION *session)
{
    const char *identity = session->psk_identity != NULL ? session->psk_identity : "None";
    const char *hint = session->psk_identity_hint != NULL ? session->psk_identity_hint : "None";

    return BIO_printf(out, "\n    PSK identity: %s", identity) > 0 &&
           BIO_printf(out, "\n    PSK identity hint: %s", hint) > 0 &&
           BIO_puts(out, "\n    SRP username: None") > 0;
}

static bool print_ticket(BIO *out, const SSL_SESSION *session)
{
    const struct blob *ticket = session->ticket;

    if (session->ticket_lifetime_hint != 0 &&
        BIO_printf(out, "\n    TLS session ticket lifetime hint: %u (seconds)",
                   session->ticket_lifetime_hint) <= 0) {
        return false;
    }
    if (ticket == NULL) {
        return true;
    }
    return BIO_puts(out, "\n    TLS session ticket:\n") > 0 &&
           BIO_dump_indent(out, (const char *)ticket->bytes, (int)ticket->len, 4) > 0;
}

static bool print_times(BIO *out, const SSL_SESSION *session)
{
    if (session->time != 0 &&
        BIO_printf(out, "\n    Start Time: %lld", (long long)session->time) <= 0) {
        return false;
    }
    return session->timeout == 0 ||
           BIO_printf(out, "\n    Timeout   : %lld (sec)", (long long)session->timeout) > 0;
}

int SSL_SESSION_print(BIO *bp, const SSL_SESSION *x)
{
    if (x == NULL) {
        return 0;
    }
    if (BIO_puts(bp, "SSL-Session:\n") <= 0 ||
        BIO_printf(bp, "    Protocol  : %s\n", version_name(x->version)) <= 0 ||
        !print_suite(bp, x) || !print_identifiers(bp, x) || !print_psk(bp, x) ||
        !print_ticket(bp, x) || !print_times(bp, x)) {
        return 0;
    }
    if (BIO_printf(bp, "\n    Verify return code: %ld (%s)\n", x->verify_result,
                   X509_verify_cert_error_string(x->verify_result)) <= 0 ||
        BIO_printf(bp, "    Extended master secret: %s\n",
                   x->extended_master_secret ? "yes" : "no") <= 0) {
        return 0;
    }
    return x->version != TLS1_3_VERSION ||
           BIO_printf(bp, "    Max Early Data: %u\n", x->max_early_data) > 0;
}

int SSL_SESSION_print_fp(FILE *fp, const SSL_SESSION *ses)
{
    BIO *out = BIO_new(BIO_s_file());
    int printed;

    if (out == NULL) {
        raise_error(ERR_R_BUF_LIB);
        return 0;
    }
    BIO_set_fp(out, fp, BIO_NOCLOSE);
    printed = SSL_SESSION_print(out, ses);
    BIO_free(out);
    return printed;
}

/* A line of NSS's key log, which finds the secret of TLS 1.2 by the session id. */
int SSL_SESSION_print_keylog(BIO *bp, const SSL_SESSION *x)
{
    if (x == NULL || x->id_len == 0 || x->master.len == 0) {
        return 0;
    }
    return BIO_puts(bp, "RSA Session-ID:") > 0 && print_hex(bp, x->id, x->id_len) &&
           BIO_puts(bp, " Master-Key:") > 0 && print_hex(bp, x->master.bytes, x->master.len) &&
           BIO_puts(bp, "\n") > 0;
}
