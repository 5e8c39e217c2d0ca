/*
 * Serverinfo: extensions that a server sends with a certificate, given as data. Behaviour:
 * SSL_CTX_use_serverinfo(3). Each record is kept in the second format, a context (SSL_EXT_*) before
 * an extension as it stands in a hello; records of the first format, which have no context, get
 * that of the old custom extensions.
 */
#include "api/certs.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <string.h>

/* Context of a record of the first format. */
#define FIRST_FORMAT_CONTEXT                                                                       \
    (SSL_EXT_TLS1_2_AND_BELOW_ONLY | SSL_EXT_CLIENT_HELLO | SSL_EXT_TLS1_2_SERVER_HELLO |          \
     SSL_EXT_IGNORE_ON_RESUMPTION)

struct record {
    uint32_t context;
    uint16_t type;
    struct reader body;
};

static bool read_record(struct reader *r, unsigned version, struct record *record)
{
    record->context = FIRST_FORMAT_CONTEXT;
    if (version == SSL_SERVERINFOV2 && !reader_u32(r, &record->context)) {
        return false;
    }
    return reader_u16(r, &record->type) && reader_vec16(r, &record->body);
}

static void write_record(struct writer *w, const struct record *record)
{
    writer_u32(w, record->context);
    writer_u16(w, record->type);
    writer_open(w, 2);
    writer_bytes(w, record->body.at, record->body.left);
    writer_close(w);
}

/* --- Sending --- */

/* The body for type among the records that go with the certificate in use. False: none. */
static bool find_body(const SSL *s, unsigned type, struct reader *body)
{
    const struct credentials *set = certs_of(s, NULL);
    enum key_slot slot = s->conn.neg.own_slot == KEY_NONE ? set->current : s->conn.neg.own_slot;
    const struct blob *info = set->slot[slot].serverinfo;
    struct reader r = reader_of(info != NULL ? info->bytes : NULL, blob_len(info));
    struct record record;

    while (!reader_is_empty(&r) && read_record(&r, SSL_SERVERINFOV2, &record)) {
        if (record.type == type) {
            *body = record.body;
            return true;
        }
    }
    return false;
}

static int add_record(SSL *s, unsigned type, const unsigned char **out, size_t *len)
{
    struct reader body;

    if (!find_body(s, type, &body)) {
        return 0;
    }
    *out = body.at;
    *len = body.left;
    return 1;
}

/* It concerns the server's own certificate, not those above it. */
static int add_for_certificate(SSL *s, unsigned type, unsigned context, const unsigned char **out,
                               size_t *len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)cert;
    (void)alert;
    (void)arg;
    if ((context & SSL_EXT_TLS1_3_CERTIFICATE) != 0 && index > 0) {
        return 0;
    }
    return add_record(s, type, out, len);
}

static int add_for_hello(SSL *s, unsigned type, const unsigned char **out, size_t *len, int *alert,
                         void *arg)
{
    (void)alert;
    (void)arg;
    return add_record(s, type, out, len);
}

/* A client asks with an empty extension. */
static int parse_empty(size_t len, int *alert)
{
    if (len != 0) {
        *alert = SSL_AD_DECODE_ERROR;
        return 0;
    }
    return 1;
}

static int parse_for_certificate(SSL *s, unsigned type, unsigned context, const unsigned char *in,
                                 size_t len, X509 *cert, size_t index, int *alert, void *arg)
{
    (void)s;
    (void)type;
    (void)context;
    (void)in;
    (void)cert;
    (void)index;
    (void)arg;
    return parse_empty(len, alert);
}

static int parse_for_hello(SSL *s, unsigned type, const unsigned char *in, size_t len, int *alert,
                           void *arg)
{
    (void)s;
    (void)type;
    (void)in;
    (void)arg;
    return parse_empty(len, alert);
}

/* --- Setting --- */

/* Converts data[0..len) to the second format; NULL: malformed, or out of memory. */
static struct blob *convert(unsigned version, const unsigned char *data, size_t len)
{
    struct reader r = reader_of(data, len);
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    struct blob *info = NULL;
    struct record record;
    bool ok = true;

    while (ok && !reader_is_empty(&r)) {
        ok = read_record(&r, version, &record);
        if (ok) {
            write_record(&w, &record);
        }
    }
    if (ok && writer_ok(&w)) {
        info = blob_new(buffer_bytes(&out), buffer_len(&out));
    }
    buffer_wipe(&out);
    return info;
}

static bool register_record(SSL_CTX *ctx, const struct record *record)
{
    if (record->context == FIRST_FORMAT_CONTEXT) {
        return SSL_CTX_add_server_custom_ext(ctx, record->type, add_for_hello, NULL, NULL,
                                             parse_for_hello, NULL) == 1;
    }
    return SSL_CTX_add_custom_ext(ctx, record->type, record->context, add_for_certificate, NULL,
                                  NULL, parse_for_certificate, NULL) == 1;
}

static bool register_records(SSL_CTX *ctx, const struct blob *info)
{
    struct reader r = reader_of(info->bytes, info->len);
    struct record record;

    while (!reader_is_empty(&r)) {
        if (!read_record(&r, SSL_SERVERINFOV2, &record) || !register_record(ctx, &record)) {
            raise_error(SSL_R_INVALID_SERVERINFO_DATA);
            return false;
        }
    }
    return true;
}

int SSL_CTX_use_serverinfo_ex(SSL_CTX *ctx, unsigned int version, const unsigned char *serverinfo,
                              size_t serverinfo_length)
{
    struct credentials *set;
    struct blob *info;

    if (ctx == NULL || serverinfo == NULL || serverinfo_length == 0) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    info = version == SSL_SERVERINFOV1 || version == SSL_SERVERINFOV2
               ? convert(version, serverinfo, serverinfo_length)
               : NULL;
    if (info == NULL) {
        raise_error(SSL_R_INVALID_SERVERINFO_DATA);
        return 0;
    }
    set = certs_edit(NULL, ctx);
    if (set == NULL) {
        blob_free(info);
        return 0;
    }
    blob_set(&set->slot[set->current].serverinfo, info);
    return register_records(ctx, info);
}

int SSL_CTX_use_serverinfo(SSL_CTX *ctx, const unsigned char *serverinfo, size_t serverinfo_length)
{
    return SSL_CTX_use_serverinfo_ex(ctx, SSL_SERVERINFOV1, serverinfo, serverinfo_length);
}

/* --- Files --- */

/* The format that the name of a PEM block announces; 0: none, an error was raised. */
static unsigned version_of_name(const char *name)
{
    static const char first[] = "SERVERINFO FOR ";
    static const char second[] = "SERVERINFOV2 FOR ";

    if (strncmp(name, first, sizeof(first) - 1) == 0) {
        return SSL_SERVERINFOV1;
    }
    if (strlen(name) < sizeof(second) - 1) {
        raise_error(SSL_R_PEM_NAME_TOO_SHORT);
        return 0;
    }
    if (strncmp(name, second, sizeof(second) - 1) != 0) {
        raise_error(SSL_R_PEM_NAME_BAD_PREFIX);
        return 0;
    }
    return SSL_SERVERINFOV2;
}

/* Appends one PEM block, which holds exactly one record. */
static bool append_block(struct writer *w, const char *name, const unsigned char *data, long len)
{
    unsigned version = version_of_name(name);
    struct reader r = reader_of(data, len > 0 ? (size_t)len : 0);
    struct record record;

    if (version == 0) {
        return false;
    }
    if (!read_record(&r, version, &record) || !reader_is_empty(&r)) {
        raise_error(SSL_R_BAD_DATA);
        return false;
    }
    write_record(w, &record);
    return true;
}

static bool read_blocks(BIO *in, struct writer *w)
{
    char *name, *header;
    unsigned char *data;
    long len;
    bool ok = true;

    while (ok && PEM_read_bio(in, &name, &header, &data, &len)) {
        ok = append_block(w, name, data, len);
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_free(data);
    }
    if (ok && writer_len(w) == 0) {
        raise_error(SSL_R_NO_PEM_EXTENSIONS);
        return false;
    }
    return ok && writer_ok(w);
}

int SSL_CTX_use_serverinfo_file(SSL_CTX *ctx, const char *file)
{
    struct buffer out = { 0 };
    struct writer w = writer_to(&out);
    BIO *in;
    int used;

    if (ctx == NULL || file == NULL) {
        raise_error(ERR_R_PASSED_NULL_PARAMETER);
        return 0;
    }
    in = certs_open_file(file);
    if (in == NULL) {
        raise_error(ERR_R_SYS_LIB);
        return 0;
    }
    used = read_blocks(in, &w) &&
           SSL_CTX_use_serverinfo_ex(ctx, SSL_SERVERINFOV2, buffer_bytes(&out), buffer_len(&out));
    BIO_free(in);
    buffer_wipe(&out);
    return used;
}
