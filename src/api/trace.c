/*
 * SSL_trace(): a message callback that prints records and messages as text, in the form that
 * s_client -trace shows. Extensions are in trace_extensions.c, names in trace_names.c.
 */
#include "api/trace_print.h"

#include <openssl/pem.h>

/* Columns a handshake message is indented by. */
#define MESSAGE_INDENT 4

/* --- Pieces --- */

void trace_hex(BIO *out, int indent, const char *name, const uint8_t *bytes, size_t len)
{
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "%s (len=%d): ", name, (int)len);
    for (size_t i = 0; i < len; i++) {
        BIO_printf(out, "%02X", bytes[i]);
    }
    BIO_puts(out, "\n");
}

bool trace_vector(BIO *out, int indent, const char *name, size_t width, struct reader *r)
{
    struct reader vec;

    if (width == 1 ? !reader_vec8(r, &vec) : !reader_vec16(r, &vec)) {
        return false;
    }
    trace_hex(out, indent, name, vec.at, vec.left);
    return true;
}

bool trace_list(BIO *out, int indent, enum trace_names names, size_t width, struct reader list)
{
    if (list.left % width != 0) {
        return false;
    }
    while (!reader_is_empty(&list)) {
        uint8_t byte = 0;
        uint16_t value = 0;

        if (width == 1 ? !reader_u8(&list, &byte) : !reader_u16(&list, &value)) {
            return false;
        }
        value = width == 1 ? byte : value;
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_printf(out, "%s (%d)\n", trace_name(names, value), value);
    }
    return true;
}

bool trace_signatures(BIO *out, int indent, struct reader list)
{
    uint16_t value;

    while (!reader_is_empty(&list)) {
        if (!reader_u16(&list, &value)) {
            return false;
        }
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_printf(out, "%s (0x%04x)\n", trace_name(NAMES_SIGNATURES, value), value);
    }
    return true;
}

static bool print_version(BIO *out, int indent, const char *name, struct reader *r)
{
    uint16_t version;

    if (!reader_u16(r, &version)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "%s=0x%x (%s)\n", name, version, trace_name(NAMES_VERSIONS, version));
    return true;
}

/* The first four bytes were once the time. */
static bool print_random(BIO *out, int indent, struct reader *r)
{
    uint32_t time;
    const uint8_t *rest;

    if (r->left < 32 || !reader_u32(r, &time) || !reader_bytes(r, &rest, 28)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_puts(out, "Random:\n");
    BIO_indent(out, indent + 2, TRACE_MAX_INDENT);
    BIO_printf(out, "gmt_unix_time=0x%08X\n", time);
    trace_hex(out, indent + 2, "random_bytes", rest, 28);
    return true;
}

static void print_suite(BIO *out, uint16_t suite)
{
    BIO_printf(out, "{0x%02X, 0x%02X} %s\n", suite >> 8, suite & 0xff,
               trace_name(NAMES_SUITES, suite));
}

static bool is_tls13(const SSL *s)
{
    return s->conn.neg.version == TLS1_3_VERSION;
}

static bool has_signature_algorithms(const SSL *s)
{
    return s->conn.neg.version == 0 || s->conn.neg.version >= TLS1_2_VERSION;
}

/* --- Hellos --- */

static bool print_suites(BIO *out, int indent, struct reader *r)
{
    struct reader list;
    uint16_t len, suite;

    if (!reader_u16(r, &len)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "cipher_suites (len=%d)\n", len);
    list = reader_of(r->at, len);
    if (len % 2 != 0 || !reader_skip(r, len)) {
        return false;
    }
    while (reader_u16(&list, &suite)) {
        BIO_indent(out, indent + 2, TRACE_MAX_INDENT);
        print_suite(out, suite);
    }
    return true;
}

static bool print_compressions(BIO *out, int indent, struct reader *r)
{
    struct reader list;
    uint8_t method;

    if (!reader_vec8(r, &list)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "compression_methods (len=%d)\n", (int)list.left);
    while (reader_u8(&list, &method)) {
        BIO_indent(out, indent + 2, TRACE_MAX_INDENT);
        BIO_printf(out, "%s (0x%02X)\n", trace_name(NAMES_COMPRESSIONS, method), method);
    }
    return true;
}

static bool print_client_hello(BIO *out, int indent, struct reader *r)
{
    return print_version(out, indent, "client_version", r) && print_random(out, indent, r) &&
           trace_vector(out, indent, "session_id", 1, r) && print_suites(out, indent, r) &&
           print_compressions(out, indent, r) &&
           trace_extensions(out, indent, false, SSL3_MT_CLIENT_HELLO, r);
}

static bool print_server_hello(BIO *out, int indent, struct reader *r)
{
    uint16_t suite;
    uint8_t method;

    if (!print_version(out, indent, "server_version", r) || !print_random(out, indent, r) ||
        !trace_vector(out, indent, "session_id", 1, r) || !reader_u16(r, &suite)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_puts(out, "cipher_suite ");
    print_suite(out, suite);
    if (!reader_u8(r, &method)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "compression_method: %s (0x%02X)\n", trace_name(NAMES_COMPRESSIONS, method),
               method);
    return trace_extensions(out, indent, true, SSL3_MT_SERVER_HELLO, r);
}

/* --- Key exchange of TLS 1.2 --- */

/* The key exchange of the suite in use; 0: none. */
static uint32_t key_exchange_of(const SSL *s, const char **name)
{
    static const struct {
        uint32_t kx;
        const char *name;
    } names[] = {
        { KX_RSA, "rsa" },
        { KX_DHE, "DHE" },
        { KX_ECDHE, "ECDHE" },
        { KX_PSK, "PSK" },
        { KX_RSA_PSK, "RSAPSK" },
        { KX_DHE_PSK, "DHEPSK" },
        { KX_ECDHE_PSK, "ECDHEPSK" },
        { KX_SRP, "SRP" },
    };
    uint32_t kx = s->conn.neg.suite != NULL ? s->conn.neg.suite->kx : 0;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if ((kx & names[i].kx) != 0) {
            *name = names[i].name;
            return names[i].kx;
        }
    }
    *name = "UNKNOWN";
    return 0;
}

static bool print_signature(BIO *out, int indent, const SSL *s, struct reader *r)
{
    uint16_t scheme;

    if (r->left < 2) {
        return false;
    }
    if (has_signature_algorithms(s)) {
        if (!reader_u16(r, &scheme)) {
            return false;
        }
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_printf(out, "Signature Algorithm: %s (0x%04x)\n", trace_name(NAMES_SIGNATURES, scheme),
                   scheme);
    }
    return trace_vector(out, indent, "Signature", 2, r);
}

/* ECParameters and the point: RFC 8422, 5.4. */
static bool print_ecdh_parameters(BIO *out, int indent, struct reader *r)
{
    enum { EXPLICIT_PRIME = 1, EXPLICIT_CHAR2 = 2, NAMED_CURVE = 3 };
    uint8_t type;
    uint16_t curve;

    if (!reader_u8(r, &type)) {
        return false;
    }
    BIO_indent(out, indent + 2, TRACE_MAX_INDENT);
    if (type == EXPLICIT_PRIME || type == EXPLICIT_CHAR2) {
        BIO_puts(out, type == EXPLICIT_PRIME ? "explicit_prime\n" : "explicit_char2\n");
        return true;
    }
    if (type != NAMED_CURVE) {
        BIO_printf(out, "UNKNOWN CURVE PARAMETER TYPE %d\n", type);
        return false;
    }
    if (!reader_u16(r, &curve)) {
        return false;
    }
    BIO_printf(out, "named_curve: %s (%d)\n", trace_name(NAMES_GROUPS, curve), curve);
    return trace_vector(out, indent + 2, "point", 1, r);
}

static bool print_server_parameters(BIO *out, int indent, uint32_t kx, struct reader *r)
{
    if (kx == KX_RSA) {
        return trace_vector(out, indent + 2, "rsa_modulus", 2, r) &&
               trace_vector(out, indent + 2, "rsa_exponent", 2, r);
    }
    if (kx == KX_DHE || kx == KX_DHE_PSK) {
        return trace_vector(out, indent + 2, "dh_p", 2, r) &&
               trace_vector(out, indent + 2, "dh_g", 2, r) &&
               trace_vector(out, indent + 2, "dh_Ys", 2, r);
    }
    if (kx == KX_ECDHE || kx == KX_ECDHE_PSK) {
        return print_ecdh_parameters(out, indent, r);
    }
    return true;
}

static bool print_server_key_exchange(BIO *out, int indent, const SSL *s, struct reader *r)
{
    const char *name;
    uint32_t kx = key_exchange_of(s, &name);

    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "KeyExchangeAlgorithm=%s\n", name);
    if ((kx & KX_ALL_PSK) != 0 && !trace_vector(out, indent + 2, "psk_identity_hint", 2, r)) {
        return false;
    }
    if (!print_server_parameters(out, indent, kx, r)) {
        return false;
    }
    /* A message without a signature, or with half of one, is not complained about. */
    if ((kx & KX_ALL_PSK) == 0) {
        (void)print_signature(out, indent, s, r);
    }
    return reader_is_empty(r);
}

static bool print_client_key_exchange(BIO *out, int indent, const SSL *s, struct reader *r)
{
    const char *name;
    uint32_t kx = key_exchange_of(s, &name);
    bool ok = true;

    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "KeyExchangeAlgorithm=%s\n", name);
    if ((kx & KX_ALL_PSK) != 0) {
        ok = trace_vector(out, indent + 2, "psk_identity", 2, r);
    }
    if (ok && (kx == KX_RSA || kx == KX_RSA_PSK)) {
        ok = trace_vector(out, indent + 2, "EncryptedPreMasterSecret", 2, r);
    } else if (ok && (kx == KX_DHE || kx == KX_DHE_PSK)) {
        ok = trace_vector(out, indent + 2, "dh_Yc", 2, r);
    } else if (ok && (kx == KX_ECDHE || kx == KX_ECDHE_PSK)) {
        ok = trace_vector(out, indent + 2, "ecdh_Yc", 1, r);
    }
    return ok && reader_is_empty(r);
}

/* --- Certificates --- */

static bool print_certificate(BIO *out, int indent, struct reader *r)
{
    struct reader der;
    const unsigned char *at;
    X509 *cert;

    if (!reader_vec24(r, &der)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "ASN.1Cert, length=%d", (int)der.left);
    at = der.at;
    cert = d2i_X509(NULL, &at, (long)der.left);
    if (cert == NULL) {
        BIO_puts(out, "<UNPARSABLE CERTIFICATE>\n");
    } else {
        BIO_puts(out, "\n------details-----\n");
        X509_print_ex(out, cert, XN_FLAG_ONELINE, 0);
        PEM_write_bio_X509(out, cert);
        BIO_puts(out, "------------------\n");
        X509_free(cert);
    }
    if (at != der.at + der.left) {
        BIO_puts(out, "<TRAILING GARBAGE AFTER CERTIFICATE>\n");
    }
    return true;
}

static bool print_certificates(BIO *out, int indent, const SSL *s, bool from_server,
                               struct reader *r)
{
    struct reader list;

    if ((is_tls13(s) && !trace_vector(out, indent, "context", 1, r)) || !reader_vec24(r, &list) ||
        !reader_is_empty(r)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "certificate_list, length=%d\n", (int)list.left);
    while (!reader_is_empty(&list)) {
        if (!print_certificate(out, indent + 2, &list) ||
            (is_tls13(s) &&
             !trace_extensions(out, indent + 2, from_server, SSL3_MT_CERTIFICATE, &list))) {
            return false;
        }
    }
    return true;
}

static bool print_names(BIO *out, int indent, struct reader list)
{
    struct reader der;

    while (!reader_is_empty(&list)) {
        const unsigned char *at;
        X509_NAME *name;

        if (!reader_vec16(&list, &der)) {
            return false;
        }
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_printf(out, "DistinguishedName (len=%d): ", (int)der.left);
        at = der.at;
        name = d2i_X509_NAME(NULL, &at, (long)der.left);
        if (name == NULL) {
            BIO_puts(out, "<UNPARSABLE DN>\n");
        } else {
            X509_NAME_print_ex(out, name, 0, XN_FLAG_ONELINE);
            BIO_puts(out, "\n");
            X509_NAME_free(name);
        }
    }
    return true;
}

static bool print_request12(BIO *out, int indent, const SSL *s, struct reader *r)
{
    struct reader list;
    uint16_t len;

    if (!reader_vec8(r, &list)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "certificate_types (len=%d)\n", (int)list.left);
    if (!trace_list(out, indent + 2, NAMES_CERTIFICATE_TYPES, 1, list)) {
        return false;
    }
    if (has_signature_algorithms(s)) {
        if (!reader_vec16(r, &list) || list.left % 2 != 0) {
            return false;
        }
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_printf(out, "signature_algorithms (len=%d)\n", (int)list.left);
        if (!trace_signatures(out, indent + 2, list)) {
            return false;
        }
    }
    if (!reader_u16(r, &len)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    list = reader_of(r->at, len);
    if (!reader_skip(r, len)) {
        return false;
    }
    BIO_printf(out, "certificate_authorities (len=%d)\n", len);
    return print_names(out, indent + 2, list) && reader_is_empty(r);
}

static bool print_request(BIO *out, int indent, const SSL *s, struct reader *r)
{
    if (!is_tls13(s)) {
        return print_request12(out, indent, s, r);
    }
    return trace_vector(out, indent, "request_context", 1, r) &&
           trace_extensions(out, indent, true, SSL3_MT_CERTIFICATE_REQUEST, r);
}

/* --- The rest --- */

static bool print_ticket(BIO *out, int indent, const SSL *s, struct reader *r)
{
    uint32_t number;

    if (reader_is_empty(r)) {
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_puts(out, "No Ticket\n");
        return true;
    }
    if (!reader_u32(r, &number)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "ticket_lifetime_hint=%u\n", number);
    if (is_tls13(s)) {
        if (!reader_u32(r, &number)) {
            return false;
        }
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_printf(out, "ticket_age_add=%u\n", number);
        if (!trace_vector(out, indent, "ticket_nonce", 1, r)) {
            return false;
        }
    }
    if (!trace_vector(out, indent, "ticket", 2, r) ||
        (is_tls13(s) && !trace_extensions(out, indent, false, SSL3_MT_NEWSESSION_TICKET, r))) {
        return false;
    }
    return reader_is_empty(r);
}

static void print_unsupported(BIO *out, int indent, const struct reader *r)
{
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_puts(out, "Unsupported, hex dump follows:\n");
    BIO_dump_indent(out, (const char *)r->at, (int)r->left, indent + 2);
}

static bool print_body(BIO *out, int indent, const SSL *s, bool from_server, uint8_t type,
                       struct reader *r)
{
    switch (type) {
    case SSL3_MT_CLIENT_HELLO:
        return print_client_hello(out, indent, r);
    case SSL3_MT_SERVER_HELLO:
        return print_server_hello(out, indent, r);
    case DTLS1_MT_HELLO_VERIFY_REQUEST:
        return print_version(out, indent, "server_version", r) &&
               trace_vector(out, indent, "cookie", 1, r);
    case SSL3_MT_NEWSESSION_TICKET:
        return print_ticket(out, indent + 2, s, r);
    case SSL3_MT_ENCRYPTED_EXTENSIONS:
        return trace_extensions(out, indent, true, SSL3_MT_ENCRYPTED_EXTENSIONS, r);
    case SSL3_MT_CERTIFICATE:
        return print_certificates(out, indent, s, from_server, r);
    case SSL3_MT_SERVER_KEY_EXCHANGE:
        return print_server_key_exchange(out, indent, s, r);
    case SSL3_MT_CERTIFICATE_REQUEST:
        return print_request(out, indent, s, r);
    case SSL3_MT_SERVER_DONE:
        if (!reader_is_empty(r)) {
            trace_hex(out, indent, "unexpected value", r->at, r->left);
        }
        return true;
    case SSL3_MT_CERTIFICATE_VERIFY:
        return print_signature(out, indent, s, r);
    case SSL3_MT_CLIENT_KEY_EXCHANGE:
        return print_client_key_exchange(out, indent, s, r);
    case SSL3_MT_FINISHED:
        trace_hex(out, indent, "verify_data", r->at, r->left);
        return true;
    case SSL3_MT_KEY_UPDATE:
        if (r->left != 1) {
            trace_hex(out, indent, "unexpected value", r->at, r->left);
            return false;
        }
        return trace_list(out, indent, NAMES_KEY_UPDATES, 1, *r);
    default:
        print_unsupported(out, indent, r);
        return true;
    }
}

static bool print_handshake(BIO *out, const SSL *s, bool from_server, struct reader r)
{
    uint8_t type;
    uint32_t len;

    if (r.left < SSL3_HM_HEADER_LENGTH || !reader_u8(&r, &type) || !reader_u24(&r, &len)) {
        return false;
    }
    BIO_indent(out, MESSAGE_INDENT, TRACE_MAX_INDENT);
    BIO_printf(out, "%s, Length=%d\n", trace_name(NAMES_MESSAGES, type), (int)len);
    return r.left >= len && print_body(out, MESSAGE_INDENT + 2, s, from_server, type, &r);
}

static void print_record_header(BIO *out, bool sent, struct reader r)
{
    uint8_t type;
    uint16_t version, len;

    if (r.left < SSL3_RT_HEADER_LENGTH || !reader_u8(&r, &type) || !reader_u16(&r, &version) ||
        !reader_u16(&r, &len)) {
        trace_hex(out, 0, sent ? "Sent too short message" : "Received too short message", r.at,
                  r.left);
        BIO_puts(out, "\n");
        return;
    }
    BIO_printf(out, "%s Record\nHeader:\n  Version = %s (0x%x)\n", sent ? "Sent" : "Received",
               trace_name(NAMES_VERSIONS, version), version);
    BIO_printf(out, "  Content Type = %s (%d)\n  Length = %d\n",
               trace_name(NAMES_CONTENT_TYPES, type), type, len);
}

static void print_alert(BIO *out, const uint8_t *bytes, size_t len)
{
    if (len != 2) {
        BIO_puts(out, "    Illegal Alert Length\n");
        return;
    }
    BIO_printf(out, "    Level=%s(%d), description=%s(%d)\n",
               SSL_alert_type_string_long(bytes[0] << 8), bytes[0],
               SSL_alert_desc_string_long(bytes[1]), bytes[1]);
}

void SSL_trace(int write_p, int version, int content_type, const void *buf, size_t len, SSL *ssl,
               void *arg)
{
    const uint8_t *bytes = buf;
    bool from_server = SSL_is_server(ssl) ? write_p != 0 : write_p == 0;
    BIO *out = arg;

    (void)version;
    switch (content_type) {
    case SSL3_RT_HEADER:
        print_record_header(out, write_p != 0, reader_of(buf, len));
        return;
    case SSL3_RT_INNER_CONTENT_TYPE:
        BIO_printf(out, "  Inner Content Type = %s (%d)\n",
                   trace_name(NAMES_CONTENT_TYPES, bytes[0]), bytes[0]);
        return;
    case SSL3_RT_HANDSHAKE:
        if (!print_handshake(out, ssl, from_server, reader_of(buf, len))) {
            BIO_puts(out, "Message length parse error!\n");
        }
        break;
    case SSL3_RT_CHANGE_CIPHER_SPEC:
        if (len == 1 && bytes[0] == 1) {
            BIO_puts(out, "    change_cipher_spec (1)\n");
        } else {
            trace_hex(out, MESSAGE_INDENT, "unknown value", bytes, len);
        }
        break;
    case SSL3_RT_ALERT:
        print_alert(out, bytes, len);
        break;
    default:
        break;
    }
    BIO_puts(out, "\n");
}
