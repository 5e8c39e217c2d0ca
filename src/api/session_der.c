/*
 * The DER (X.690, 10) of sessions; see session_der.h.
 */
#include "api/session_der.h"

#include "base/reader.h"

#include <openssl/err.h>
#include <string.h>

#define TAG_INTEGER      0x02
#define TAG_OCTET_STRING 0x04
#define TAG_SEQUENCE     0x30
#define EXPLICIT(n)      (0xa0 | (n)) /* context-specific, constructed */

/* Of a length in one and in two bytes more: X.690, 8.1.3.5. */
#define LENGTH_1 0x81
#define LENGTH_2 0x82

enum kind { OCTETS, INT32, INT64, UINT32, UINT64, CERTIFICATE };

struct field {
    uint8_t tag; /* explicit, and the field may be left out; 0: no such tag, always there */
    enum kind kind;
    size_t offset; /* in ENCODED_SESSION */
};

#define FIELD(tag, kind, name)                                                                     \
    {                                                                                              \
        tag, kind, offsetof(ENCODED_SESSION, name)                                                 \
    }

static const struct field fields[] = {
    FIELD(0, UINT32, structure_version),
    FIELD(0, INT32, tls_version),
    FIELD(0, OCTETS, suite),
    FIELD(0, OCTETS, id),
    FIELD(0, OCTETS, secret),
    FIELD(EXPLICIT(1), INT64, time),
    FIELD(EXPLICIT(2), INT64, timeout),
    FIELD(EXPLICIT(3), CERTIFICATE, peer),
    FIELD(EXPLICIT(4), OCTETS, context),
    FIELD(EXPLICIT(5), INT32, verify_result),
    FIELD(EXPLICIT(6), OCTETS, hostname),
    FIELD(EXPLICIT(7), OCTETS, psk_identity_hint),
    FIELD(EXPLICIT(8), OCTETS, psk_identity),
    FIELD(EXPLICIT(9), UINT64, ticket_lifetime_hint),
    FIELD(EXPLICIT(10), OCTETS, ticket),
    FIELD(EXPLICIT(13), UINT64, flags),
    FIELD(EXPLICIT(14), UINT32, ticket_age_add),
    FIELD(EXPLICIT(15), UINT32, max_early_data),
    FIELD(EXPLICIT(16), OCTETS, alpn),
    FIELD(EXPLICIT(17), UINT32, max_fragment_code),
    FIELD(EXPLICIT(18), OCTETS, ticket_appdata),
    FIELD(EXPLICIT(19), UINT32, group),
};

_Static_assert(COUNT_OF(fields) == SESSION_DER_NUM_FIELDS, "a string for each field");

void session_der_borrow(ASN1_OCTET_STRING **field, ASN1_OCTET_STRING *string, const void *data,
                        size_t len)
{
    if (data == NULL) {
        *field = NULL;
        return;
    }
    string->type = V_ASN1_OCTET_STRING;
    /* Nobody writes through it. */
    string->data = (unsigned char *)(uintptr_t)data;
    string->length = (int)len;
    string->flags = 0;
    *field = string;
}

/* --- Reading --- */

/* Takes an element with tag, whose length is as short as it can be. */
static bool take_element(struct reader *r, uint8_t tag, struct reader *contents)
{
    uint8_t found;

    if (!reader_u8(r, &found) || found != tag || reader_is_empty(r)) {
        return false;
    }
    switch (r->at[0]) {
    case LENGTH_1:
        return reader_skip(r, 1) && reader_vec8(r, contents) && reader_left(contents) > 0x7f;
    case LENGTH_2:
        return reader_skip(r, 1) && reader_vec16(r, contents) && reader_left(contents) > 0xff;
    default:
        return r->at[0] <= 0x7f && reader_vec8(r, contents);
    }
}

/* A number that is not negative, in as few bytes as it can be. */
static bool take_integer(struct reader *r, uint64_t max, uint64_t *value)
{
    struct reader bytes;
    uint8_t byte;

    if (!take_element(r, TAG_INTEGER, &bytes) || reader_is_empty(&bytes) || bytes.at[0] > 0x7f) {
        return false;
    }
    if (bytes.at[0] == 0 && reader_left(&bytes) > 1) {
        if (!reader_skip(&bytes, 1) || bytes.at[0] <= 0x7f) {
            return false; /* the zero is needed only where the number would be negative */
        }
    }
    if (reader_left(&bytes) > sizeof(*value)) {
        return false;
    }
    *value = 0;
    while (reader_u8(&bytes, &byte)) {
        *value = *value << 8 | byte;
    }
    return *value <= max;
}

static bool read_value(struct reader *r, enum kind kind, uint8_t *value, ASN1_OCTET_STRING *string)
{
    struct reader octets;
    uint64_t number = 0;
    bool ok = false;

    switch (kind) {
    case OCTETS:
        if (take_element(r, TAG_OCTET_STRING, &octets)) {
            session_der_borrow((ASN1_OCTET_STRING **)(void *)value, string, octets.at, octets.left);
            return true;
        }
        return false;
    case INT32:
    case UINT32: {
        ok = take_integer(r, kind == INT32 ? INT32_MAX : UINT32_MAX, &number);
        uint32_t narrow = (uint32_t)number;
        memcpy(value, &narrow, sizeof(narrow));
        return ok;
    }
    case INT64:
    case UINT64:
        ok = take_integer(r, kind == INT64 ? INT64_MAX : UINT64_MAX, &number);
        memcpy(value, &number, sizeof(number));
        return ok;
    case CERTIFICATE:
        return false; /* no value that can be read in place */
    }
    return false;
}

static bool read_field(struct reader *r, size_t i, ENCODED_SESSION *e,
                       struct session_strings *strings)
{
    const struct field *f = &fields[i];
    uint8_t *value = (uint8_t *)e + f->offset;
    struct reader inner;

    if (f->tag == 0) {
        return read_value(r, f->kind, value, &strings->of_field[i]);
    }
    if (reader_is_empty(r) || r->at[0] != f->tag) {
        return true;
    }
    if (!take_element(r, f->tag, &inner)) {
        return false;
    }
    if (f->kind == CERTIFICATE) {
        strings->certificate = inner;
        return !reader_is_empty(&inner);
    }
    return read_value(&inner, f->kind, value, &strings->of_field[i]) && reader_is_empty(&inner);
}

/* What fails here fails for libcrypto as well, which then says why. */
static bool decode_peer(struct peer_chain **peer, const struct reader *der)
{
    const struct crypto_lib *lib = crypto_lib_default();
    struct peer_chain *chain = peer_chain_new();

    ERR_set_mark();
    bool ok = lib != NULL && chain != NULL &&
              peer_chain_add(&chain, lib, der->at, der->left) == PEER_CHAIN_ADDED;
    ERR_pop_to_mark();
    if (!ok) {
        peer_chain_free(chain);
        return false;
    }
    /* The handshake in which it was proved is over; whether it was verified is the session's word
     * alone. */
    peer_chain_keep(chain, false);
    *peer = chain;
    return true;
}

bool session_der_read(ENCODED_SESSION *e, struct session_strings *strings, struct peer_chain **peer,
                      size_t *used, const uint8_t *data, size_t len)
{
    struct reader all = reader_of(data, len);
    struct reader r;
    bool ok = take_element(&all, TAG_SEQUENCE, &r);

    memset(e, 0, sizeof(*e));
    strings->certificate = reader_of(NULL, 0);
    *peer = NULL;
    for (size_t i = 0; ok && i < COUNT_OF(fields); i++) {
        ok = read_field(&r, i, e, strings);
    }
    *used = len - reader_left(&all);
    return ok && reader_is_empty(&r) &&
           (reader_is_empty(&strings->certificate) || decode_peer(peer, &strings->certificate));
}

/* --- Writing --- */

/* Writes from the end to the beginning, so that a length is known when it is due. */
struct der_end {
    uint8_t *end; /* of the room; NULL: only counts */
    size_t len;   /* bytes written */
};

static void put_bytes(struct der_end *d, const void *bytes, size_t len)
{
    d->len += len;
    if (d->end != NULL && len > 0) {
        memcpy(d->end - d->len, bytes, len);
    }
}

static void put_byte(struct der_end *d, uint8_t byte)
{
    put_bytes(d, &byte, 1);
}

/* Tag and length of what was written since there were `before` bytes. */
static void put_header(struct der_end *d, uint8_t tag, size_t before)
{
    size_t len = d->len - before;
    size_t num = 0;

    for (size_t rest = len; len > 0x7f && rest > 0; rest >>= 8) {
        put_byte(d, (uint8_t)rest);
        num++;
    }
    put_byte(d, len > 0x7f ? (uint8_t)(0x80 | num) : (uint8_t)len);
    put_byte(d, tag);
}

static void put_integer(struct der_end *d, uint64_t value)
{
    size_t before = d->len;
    uint64_t rest = value;

    do {
        put_byte(d, (uint8_t)rest);
        rest >>= 8;
    } while (rest > 0);
    if (value >> (8 * (d->len - before) - 1) != 0) {
        put_byte(d, 0); /* else it would be negative */
    }
    put_header(d, TAG_INTEGER, before);
}

static void put_octets(struct der_end *d, const ASN1_OCTET_STRING *string)
{
    size_t before = d->len;

    put_bytes(d, string->data, (size_t)string->length);
    put_header(d, TAG_OCTET_STRING, before);
}

/* The number of a field as it lies in the structure; *ok: it is not negative. */
static uint64_t number_at(const uint8_t *value, enum kind kind, bool *ok)
{
    uint32_t narrow;
    uint64_t number;

    if (kind == INT32 || kind == UINT32) {
        memcpy(&narrow, value, sizeof(narrow));
        number = narrow;
    } else {
        memcpy(&number, value, sizeof(number));
    }
    *ok = kind == INT32 ? number <= INT32_MAX : kind != INT64 || number <= INT64_MAX;
    return number;
}

static bool put_certificate(struct der_end *d, const X509 *cert)
{
    int len = i2d_X509(cert, NULL);

    if (len <= 0) {
        return false;
    }
    d->len += (size_t)len;
    unsigned char *at = d->end == NULL ? NULL : d->end - d->len;
    return at == NULL || i2d_X509(cert, &at) == len;
}

static bool put_field(struct der_end *d, const struct field *f, const ENCODED_SESSION *e)
{
    const uint8_t *value = (const uint8_t *)e + f->offset;
    const bool is_number = f->kind != OCTETS && f->kind != CERTIFICATE;
    const void *object = NULL;
    size_t before = d->len;
    uint64_t number = 0;
    bool ok = true;

    if (is_number) {
        number = number_at(value, f->kind, &ok);
    } else {
        memcpy(&object, value, sizeof(object));
    }
    if (f->tag != 0 && object == NULL && number == 0) {
        return ok;
    }
    if (is_number) {
        put_integer(d, number);
    } else if (object == NULL) {
        return false; /* it may not be left out */
    } else if (f->kind == OCTETS) {
        put_octets(d, object);
    } else {
        ok = put_certificate(d, object);
    }
    if (f->tag != 0) {
        put_header(d, f->tag, before);
    }
    return ok;
}

static bool put_session(struct der_end *d, const ENCODED_SESSION *e)
{
    bool ok = e->key_arg == NULL && e->compression == NULL && e->srp_username == NULL;

    for (size_t i = COUNT_OF(fields); ok && i > 0; i--) {
        ok = put_field(d, &fields[i - 1], e);
    }
    put_header(d, TAG_SEQUENCE, 0);
    return ok;
}

size_t session_der_len(const ENCODED_SESSION *e)
{
    struct der_end d = { NULL, 0 };

    return put_session(&d, e) ? d.len : 0;
}

void session_der_write(const ENCODED_SESSION *e, uint8_t *out, size_t len)
{
    struct der_end d = { out + len, 0 };

    (void)put_session(&d, e);
}
