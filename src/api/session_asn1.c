/*
 * Sessions as DER, byte for byte as OpenSSL writes them, and as PEM. Behaviour: d2i_SSL_SESSION(3),
 * PEM_read_bio_SSL_SESSION in <openssl/ssl.h>. The structure:
 *
 *   SEQUENCE { version, TLS version, cipher suite, session id, secret,
 *              then optional fields, each with its own explicit tag }
 */
#include "api/internal.h"
#include "api/session_der.h"

#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>
#include <time.h>

/* Bit of the flags field: the secret was made with the extended master secret (RFC 7627). */
#define FLAG_EXTENDED_MASTER_SECRET 1

/* Seconds a session lives whose encoding names no timeout. */
#define MISSING_TIMEOUT 3

ASN1_SEQUENCE(ENCODED_SESSION) = {
    ASN1_EMBED(ENCODED_SESSION, structure_version, UINT32),
    ASN1_EMBED(ENCODED_SESSION, tls_version, INT32),
    ASN1_SIMPLE(ENCODED_SESSION, suite, ASN1_OCTET_STRING),
    ASN1_SIMPLE(ENCODED_SESSION, id, ASN1_OCTET_STRING),
    ASN1_SIMPLE(ENCODED_SESSION, secret, ASN1_OCTET_STRING),
    ASN1_IMP_OPT(ENCODED_SESSION, key_arg, ASN1_OCTET_STRING, 0),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, time, ZINT64, 1),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, timeout, ZINT64, 2),
    ASN1_EXP_OPT(ENCODED_SESSION, peer, X509, 3),
    ASN1_EXP_OPT(ENCODED_SESSION, context, ASN1_OCTET_STRING, 4),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, verify_result, ZINT32, 5),
    ASN1_EXP_OPT(ENCODED_SESSION, hostname, ASN1_OCTET_STRING, 6),
    ASN1_EXP_OPT(ENCODED_SESSION, psk_identity_hint, ASN1_OCTET_STRING, 7),
    ASN1_EXP_OPT(ENCODED_SESSION, psk_identity, ASN1_OCTET_STRING, 8),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, ticket_lifetime_hint, ZUINT64, 9),
    ASN1_EXP_OPT(ENCODED_SESSION, ticket, ASN1_OCTET_STRING, 10),
    ASN1_EXP_OPT(ENCODED_SESSION, compression, ASN1_OCTET_STRING, 11),
    ASN1_EXP_OPT(ENCODED_SESSION, srp_username, ASN1_OCTET_STRING, 12),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, flags, ZUINT64, 13),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, ticket_age_add, ZUINT32, 14),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, max_early_data, ZUINT32, 15),
    ASN1_EXP_OPT(ENCODED_SESSION, alpn, ASN1_OCTET_STRING, 16),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, max_fragment_code, ZUINT32, 17),
    ASN1_EXP_OPT(ENCODED_SESSION, ticket_appdata, ASN1_OCTET_STRING, 18),
    ASN1_EXP_OPT_EMBED(ENCODED_SESSION, group, ZUINT32, 19),
} ASN1_SEQUENCE_END(ENCODED_SESSION)

/* --- Writing --- */

/* Octet strings that borrow a session's bytes while it is encoded. */
struct borrowed {
    ASN1_OCTET_STRING suite, id, secret, context, hostname, psk_identity_hint, psk_identity, ticket,
        alpn, ticket_appdata;
    uint8_t suite_bytes[2];
};

static void borrow_text(ASN1_OCTET_STRING **field, ASN1_OCTET_STRING *string, const char *text)
{
    session_der_borrow(field, string, text, text != NULL ? strlen(text) : 0);
}

static void borrow_blob(ASN1_OCTET_STRING **field, ASN1_OCTET_STRING *string,
                        const struct blob *blob)
{
    session_der_borrow(field, string, blob != NULL ? blob->bytes : NULL, blob_len(blob));
}

static void fill(ENCODED_SESSION *e, struct borrowed *b, const SSL_SESSION *session)
{
    uint32_t suite = session->suite != NULL ? session->suite->id : session->suite_id;

    b->suite_bytes[0] = (uint8_t)(suite >> 8);
    b->suite_bytes[1] = (uint8_t)suite;
    e->structure_version = SSL_SESSION_ASN1_VERSION;
    e->tls_version = session->version;
    session_der_borrow(&e->suite, &b->suite, b->suite_bytes, sizeof(b->suite_bytes));
    session_der_borrow(&e->id, &b->id, session->id, session->id_len);
    session_der_borrow(&e->secret, &b->secret, session->master.bytes, session->master.len);
    session_der_borrow(&e->context, &b->context, session->context, session->context_len);
    e->time = session->time;
    e->timeout = session->timeout;
    e->verify_result = (int32_t)session->verify_result;
    e->peer = peer_chain_look(session->peer, 0);
    borrow_text(&e->hostname, &b->hostname, session->hostname);
    borrow_text(&e->psk_identity_hint, &b->psk_identity_hint, session->psk_identity_hint);
    borrow_text(&e->psk_identity, &b->psk_identity, session->psk_identity);
    e->ticket_lifetime_hint = session->ticket_lifetime_hint;
    borrow_blob(&e->ticket, &b->ticket, session->ticket);
    e->flags = (uint64_t)(int64_t)session->unknown_flags;
    if (session->extended_master_secret) {
        e->flags |= FLAG_EXTENDED_MASTER_SECRET;
    }
    e->ticket_age_add = session->ticket_age_add;
    e->max_early_data = session->max_early_data;
    borrow_blob(&e->alpn, &b->alpn, session->alpn);
    e->max_fragment_code = session->max_fragment_code;
    borrow_blob(&e->ticket_appdata, &b->ticket_appdata, session->ticket_appdata);
    e->group = session->group;
}

int i2d_SSL_SESSION(const SSL_SESSION *in, unsigned char **pp)
{
    ENCODED_SESSION encoded;
    struct borrowed borrowed;

    if (in == NULL || (in->suite == NULL && in->suite_id == 0)) {
        return 0;
    }
    memset(&encoded, 0, sizeof(encoded));
    memset(&borrowed, 0, sizeof(borrowed));
    fill(&encoded, &borrowed, in);
    size_t len = session_der_len(&encoded);
    if (len == 0 || len > INT_MAX || (pp != NULL && *pp == NULL)) {
        return ASN1_item_i2d((const ASN1_VALUE *)&encoded, pp, ASN1_ITEM_rptr(ENCODED_SESSION));
    }
    if (pp != NULL) {
        session_der_write(&encoded, *pp, len);
        *pp += len;
    }
    return (int)len;
}

/* --- Reading --- */

/* Copies field, which may be missing, to dst. False: longer than max bytes. */
static bool read_bytes(uint8_t *dst, uint8_t *len, size_t max, const ASN1_OCTET_STRING *field)
{
    *len = 0;
    if (field == NULL) {
        return true;
    }
    if (field->length < 0 || (size_t)field->length > max) {
        return false;
    }
    memcpy(dst, field->data, (size_t)field->length);
    *len = (uint8_t)field->length;
    return true;
}

/* Replaces *text by a copy of field; NULL for none. False: out of memory. */
static bool read_text(char **text, const ASN1_OCTET_STRING *field)
{
    OPENSSL_free(*text);
    *text = NULL;
    if (field == NULL) {
        return true;
    }
    *text = OPENSSL_strndup((const char *)field->data, (size_t)field->length);
    return *text != NULL;
}

static bool read_blob(struct blob **blob, const ASN1_OCTET_STRING *field)
{
    struct blob *copy = NULL;

    if (field != NULL && field->data != NULL) {
        copy = blob_new(field->data, (size_t)field->length);
        if (copy == NULL) {
            return false;
        }
    }
    blob_set(blob, copy);
    return true;
}

/* Version and suite. False: not a session of ours; an error may have been raised. */
static bool read_protocol(SSL_SESSION *session, const ENCODED_SESSION *e)
{
    if (e->structure_version != SSL_SESSION_ASN1_VERSION) {
        raise_error(SSL_R_UNKNOWN_SSL_VERSION);
        return false;
    }
    if ((e->tls_version >> 8) != SSL3_VERSION_MAJOR &&
        (e->tls_version >> 8) != DTLS1_VERSION_MAJOR && e->tls_version != DTLS1_BAD_VER) {
        raise_error(SSL_R_UNSUPPORTED_SSL_VERSION);
        return false;
    }
    if (e->suite->length != 2) {
        raise_error(SSL_R_CIPHER_CODE_WRONG_LENGTH);
        return false;
    }
    /* A compression method is one byte; it is not kept, as there is none. */
    if (e->compression != NULL && e->compression->length != 1) {
        raise_error(SSL_R_BAD_LENGTH);
        return false;
    }
    session->version = (uint16_t)e->tls_version;
    session->suite = suite_by_id((uint16_t)(e->suite->data[0] << 8 | e->suite->data[1]));
    session->suite_id =
        0x03000000U | (uint32_t)e->suite->data[0] << 8 | (uint32_t)e->suite->data[1];
    return session->suite != NULL;
}

static bool read_secret(SSL_SESSION *session, const ASN1_OCTET_STRING *field)
{
    if (field->length < 0 || field->length > SECRET_MAX) {
        return false;
    }
    secret_set(&session->master, field->data, (size_t)field->length);
    return true;
}

/* Fills session with what was decoded. */
static bool take(SSL_SESSION *session, const ENCODED_SESSION *e, struct peer_chain *peer)
{
    if (!read_protocol(session, e) ||
        !read_bytes(session->id, &session->id_len, SESSION_MAX_ID, e->id) ||
        !read_secret(session, e->secret)) {
        return false;
    }
    session->time = e->time != 0 ? e->time : (int64_t)time(NULL);
    session->timeout = e->timeout != 0 ? e->timeout : MISSING_TIMEOUT;
    peer_chain_free(session->peer);
    session->peer = peer_chain_ref(peer);
    session->verify_result = e->verify_result;
    session->ticket_lifetime_hint = (uint32_t)e->ticket_lifetime_hint;
    session->ticket_age_add = e->ticket_age_add;
    session->max_early_data = e->max_early_data;
    session->max_fragment_code = (uint8_t)e->max_fragment_code;
    session->extended_master_secret = (e->flags & FLAG_EXTENDED_MASTER_SECRET) != 0;
    session->unknown_flags = (int32_t)(e->flags & ~(uint64_t)FLAG_EXTENDED_MASTER_SECRET);
    session->group = (uint16_t)e->group;
    return read_bytes(session->context, &session->context_len, SESSION_MAX_CONTEXT, e->context) &&
           read_text(&session->hostname, e->hostname) &&
           read_text(&session->psk_identity_hint, e->psk_identity_hint) &&
           read_text(&session->psk_identity, e->psk_identity) &&
           read_blob(&session->ticket, e->ticket) && read_blob(&session->alpn, e->alpn) &&
           read_blob(&session->ticket_appdata, e->ticket_appdata);
}

/* The session in e and peer; *a is reused if there is one. NULL: not a session of ours, or out of
 * memory. */
static SSL_SESSION *session_from(SSL_SESSION **a, const ENCODED_SESSION *e, struct peer_chain *peer)
{
    bool reuse = a != NULL && *a != NULL;
    SSL_SESSION *session = reuse ? *a : SSL_SESSION_new();

    if (session == NULL || !take(session, e, peer)) {
        if (!reuse) {
            session_free(session);
        }
        return NULL;
    }
    if (a != NULL) {
        *a = session;
    }
    return session;
}

/* The same of any encoding that libcrypto's templates read. */
static SSL_SESSION *session_by_template(SSL_SESSION **a, const unsigned char **at, long length)
{
    ENCODED_SESSION *e =
        (ENCODED_SESSION *)ASN1_item_d2i(NULL, at, length, ASN1_ITEM_rptr(ENCODED_SESSION));
    struct peer_chain *peer = NULL;
    SSL_SESSION *session = NULL;
    bool ok = e != NULL;

    if (ok && e->peer != NULL) {
        peer = peer_chain_of(e->peer);
        e->peer = NULL;
        ok = peer != NULL;
    }
    if (ok) {
        session = session_from(a, e, peer);
    }
    peer_chain_free(peer);
    ASN1_item_free((ASN1_VALUE *)e, ASN1_ITEM_rptr(ENCODED_SESSION));
    return session;
}

SSL_SESSION *d2i_SSL_SESSION(SSL_SESSION **a, const unsigned char **pp, long length)
{
    const unsigned char *at = *pp;
    struct session_strings strings;
    struct peer_chain *peer;
    ENCODED_SESSION e;
    SSL_SESSION *session;
    size_t used;

    if (length > 0 && session_der_read(&e, &strings, &peer, &used, at, (size_t)length)) {
        at += used;
        session = session_from(a, &e, peer);
        peer_chain_free(peer);
    } else {
        session = session_by_template(a, &at, length);
    }
    if (session != NULL) {
        *pp = at;
    }
    return session;
}

/* --- PEM --- */

static void *read_der(void **to, const unsigned char **from, long len)
{
    return d2i_SSL_SESSION((SSL_SESSION **)to, from, len);
}

static int write_der(const void *from, unsigned char **to)
{
    return i2d_SSL_SESSION(from, to);
}

SSL_SESSION *PEM_read_bio_SSL_SESSION(BIO *out, SSL_SESSION **x, pem_password_cb *cb, void *u)
{
    return PEM_ASN1_read_bio(read_der, PEM_STRING_SSL_SESSION, out, (void **)x, cb, u);
}

SSL_SESSION *PEM_read_SSL_SESSION(FILE *out, SSL_SESSION **x, pem_password_cb *cb, void *u)
{
    return PEM_ASN1_read(read_der, PEM_STRING_SSL_SESSION, out, (void **)x, cb, u);
}

int PEM_write_bio_SSL_SESSION(BIO *out, const SSL_SESSION *x)
{
    return PEM_ASN1_write_bio(write_der, PEM_STRING_SSL_SESSION, out, x, NULL, NULL, 0, NULL, NULL);
}

int PEM_write_SSL_SESSION(FILE *out, const SSL_SESSION *x)
{
    return PEM_ASN1_write(write_der, PEM_STRING_SSL_SESSION, out, x, NULL, NULL, 0, NULL, NULL);
}
