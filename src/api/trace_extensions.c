/*
 * SSL_trace()'s view of extensions.
 */
#include "api/trace_print.h"

/* A list behind a length that covers the rest of the extension. width: bytes of that length. */
static bool take_list(struct reader *body, size_t width, struct reader *list)
{
    bool ok = width == 1 ? reader_vec8(body, list) : reader_vec16(body, list);

    return ok && reader_is_empty(body);
}

static bool print_alpn(BIO *out, int indent, struct reader body)
{
    struct reader list, name;

    if (!take_list(&body, 2, &list)) {
        return false;
    }
    while (!reader_is_empty(&list)) {
        if (!reader_vec8(&list, &name)) {
            return false;
        }
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_write(out, name.at, (int)name.left);
        BIO_puts(out, "\n");
    }
    return true;
}

/* The Finished messages of the handshake before: RFC 5746, 3.2. */
static bool print_renegotiation(BIO *out, int indent, bool from_server, struct reader body)
{
    struct reader data;
    size_t client_len;

    if (!take_list(&body, 1, &data)) {
        return false;
    }
    if (reader_is_empty(&data)) {
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_puts(out, "<EMPTY>\n");
        return true;
    }
    if (from_server && data.left % 2 != 0) {
        return false;
    }
    client_len = from_server ? data.left / 2 : data.left;
    trace_hex(out, indent, "client_verify_data", data.at, client_len);
    if (from_server) {
        trace_hex(out, indent, "server_verify_data", data.at + client_len, client_len);
    }
    return true;
}

static void print_group(BIO *out, int indent, uint16_t group)
{
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "NamedGroup: %s (%d)\n", trace_name(NAMES_GROUPS, group), group);
}

static bool print_key_share(BIO *out, int indent, bool from_server, struct reader body)
{
    struct reader shares = body;
    struct reader key;
    uint16_t group;

    /* A HelloRetryRequest names a group alone. */
    if (from_server && body.left == 2 && reader_u16(&body, &group)) {
        print_group(out, indent, group);
        return true;
    }
    if (from_server ? body.left < 2 : !take_list(&body, 2, &shares)) {
        return false;
    }
    while (!reader_is_empty(&shares)) {
        if (!reader_u16(&shares, &group) || !reader_vec16(&shares, &key)) {
            return false;
        }
        print_group(out, indent, group);
        trace_hex(out, indent, "key_exchange: ", key.at, key.left);
    }
    return true;
}

static bool print_supported_versions(BIO *out, int indent, bool from_server, struct reader body)
{
    struct reader list;

    if (from_server) {
        return body.left == 2 && trace_list(out, indent + 4, NAMES_VERSIONS, 2, body);
    }
    return take_list(&body, 1, &list) && trace_list(out, indent + 2, NAMES_VERSIONS, 2, list);
}

static bool print_early_data(BIO *out, int indent, int message, struct reader body)
{
    uint32_t max;

    if (message != SSL3_MT_NEWSESSION_TICKET) {
        return true;
    }
    if (body.left != 4 || !reader_u32(&body, &max)) {
        return false;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "max_early_data=%u\n", max);
    return true;
}

static bool print_signature_schemes(BIO *out, int indent, struct reader body)
{
    struct reader list;

    return take_list(&body, 2, &list) && list.left % 2 == 0 && trace_signatures(out, indent, list);
}

/* The body of one extension. */
static bool print_extension_body(BIO *out, int indent, bool from_server, int message, uint16_t type,
                                 struct reader body)
{
    struct reader list;
    struct reader rest = body;

    switch (type) {
    case TLSEXT_TYPE_max_fragment_length:
        return body.left >= 1 && trace_list(out, indent + 2, NAMES_FRAGMENT_LENGTHS, 1, body);
    case TLSEXT_TYPE_ec_point_formats:
        return take_list(&rest, 1, &list) &&
               trace_list(out, indent + 2, NAMES_POINT_FORMATS, 1, list);
    case TLSEXT_TYPE_supported_groups:
        return take_list(&rest, 2, &list) && trace_list(out, indent + 2, NAMES_GROUPS, 2, list);
    case TLSEXT_TYPE_application_layer_protocol_negotiation:
        return print_alpn(out, indent + 2, body);
    case TLSEXT_TYPE_signature_algorithms:
        return print_signature_schemes(out, indent + 2, body);
    case TLSEXT_TYPE_renegotiate:
        return print_renegotiation(out, indent + 4, from_server, body);
    case TLSEXT_TYPE_session_ticket:
        if (!reader_is_empty(&body)) {
            trace_hex(out, indent + 4, "ticket", body.at, body.left);
        }
        return true;
    case TLSEXT_TYPE_key_share:
        return print_key_share(out, indent + 4, from_server, body);
    case TLSEXT_TYPE_supported_versions:
        return print_supported_versions(out, indent, from_server, body);
    case TLSEXT_TYPE_psk_kex_modes:
        return take_list(&rest, 1, &list) && trace_list(out, indent + 2, NAMES_PSK_MODES, 1, list);
    case TLSEXT_TYPE_early_data:
        return print_early_data(out, indent + 2, message, body);
    default:
        BIO_dump_indent(out, (const char *)body.at, (int)body.left, indent + 2);
        return true;
    }
}

static bool print_extension(BIO *out, int indent, bool from_server, int message, struct reader *r)
{
    struct reader whole = *r;
    struct reader body;
    uint16_t type, len;

    if (!reader_u16(r, &type) || !reader_u16(r, &len)) {
        return false;
    }
    if (r->left < len) {
        BIO_printf(out, "extensions, extype = %d, extlen = %d\n", type, len);
        BIO_dump_indent(out, (const char *)whole.at, (int)whole.left, indent);
        return false;
    }
    body = reader_of(r->at, len);
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    BIO_printf(out, "extension_type=%s(%d), length=%d\n", trace_name(NAMES_EXTENSIONS, type), type,
               len);
    return print_extension_body(out, indent, from_server, message, type, body) &&
           reader_skip(r, len);
}

bool trace_extensions(BIO *out, int indent, bool from_server, int message, struct reader *r)
{
    struct reader block;
    uint16_t len;

    if (reader_is_empty(r)) {
        BIO_indent(out, indent, TRACE_MAX_INDENT);
        BIO_puts(out, "No extensions\n");
        return true;
    }
    BIO_indent(out, indent, TRACE_MAX_INDENT);
    if (!reader_u16(r, &len)) {
        return false;
    }
    if (len == 0) {
        BIO_puts(out, "No extensions\n");
        return true;
    }
    if (r->left < len) {
        return false;
    }
    BIO_printf(out, "extensions, length = %d\n", len);
    block = reader_of(r->at, len);
    while (!reader_is_empty(&block)) {
        if (!print_extension(out, indent + 2, from_server, message, &block)) {
            return false;
        }
    }
    return reader_skip(r, len);
}
