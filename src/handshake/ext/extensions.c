/*
 * The table of extensions and its walkers (RFC 8446, 4.2); see extensions.h.
 */
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/psk13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

static bool always(const struct handshake *hs, unsigned place)
{
    (void)hs;
    (void)place;
    return true;
}

static bool never(const struct handshake *hs, unsigned place)
{
    (void)hs;
    (void)place;
    return false;
}

/* The extension is recognised so that its place is checked; its content is of no use to us. */
static enum step_result ignore(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)hs;
    (void)place;
    return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
}

static bool write_empty(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)hs;
    (void)place;
    (void)w;
    return true;
}

/* In the order they are written: OpenSSL's. pre_shared_key has to be last. */
/* clang-format off */
static const struct extension table[] = {
    { EXT_RENEGOTIATION_INFO, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_TLS12_ONLY,
      renegotiation_offer_due, renegotiation_offer, renegotiation_on_offer,
      renegotiation_answer_due, renegotiation_answer, renegotiation_on_answer },
    { EXT_SERVER_NAME, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_ENCRYPTED_EXTENSIONS,
      server_name_offer_due, server_name_offer, server_name_on_offer,
      server_name_answer_due, write_empty, server_name_on_answer },
    { EXT_MAX_FRAGMENT_LENGTH,
      EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_ENCRYPTED_EXTENSIONS,
      max_fragment_offer_due, max_fragment_write, max_fragment_on_offer,
      max_fragment_answer_due, max_fragment_write, max_fragment_on_answer },
    { EXT_POINT_FORMATS, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_TLS12_ONLY,
      point_formats_offer_due, point_formats_offer, point_formats_on_offer,
      point_formats_answer_due, point_formats_offer, point_formats_on_answer },
    { EXT_SUPPORTED_GROUPS, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_ENCRYPTED_EXTENSIONS,
      groups_offer_due, groups_offer, groups_on_offer,
      groups_answer_due, groups_offer, groups_on_answer },
    { EXT_SESSION_TICKET, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_TLS12_ONLY,
      ticket_offer_due, ticket_offer, ticket_on_offer,
      ticket_answer_due, write_empty, ticket_on_answer },
    { EXT_STATUS_REQUEST,
      EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_CERTIFICATE_REQUEST | EXT_CERTIFICATE,
      status_offer_due, status_offer, status_on_offer,
      status_answer_due, status_answer, status_on_answer },
    { EXT_NEXT_PROTOCOL, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_TLS12_ONLY,
      npn_offer_due, write_empty, npn_on_offer,
      npn_answer_due, npn_answer, npn_on_answer },
    { EXT_ALPN, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_ENCRYPTED_EXTENSIONS,
      alpn_offer_due, alpn_offer, alpn_on_offer,
      alpn_answer_due, alpn_answer, alpn_on_answer },
    /* As in OpenSSL a client that has profiles offers them, and no TLS server bears it. */
    { EXT_USE_SRTP, EXT_CLIENT_HELLO | EXT_DTLS_ONLY,
      srtp_offer_due, srtp_offer, NULL,
      never, NULL, NULL },
    { EXT_ENCRYPT_THEN_MAC, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_TLS12_ONLY,
      etm_offer_due, write_empty, etm_on_offer,
      etm_answer_due, write_empty, etm_on_answer },
    /* A server leaves timestamps to custom extensions, which is how applications configure them. */
    { EXT_SCT, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_CERTIFICATE | EXT_CERTIFICATE_REQUEST,
      scts_offer_due, write_empty, NULL,
      never, NULL, scts_on_answer },
    { EXT_EXTENDED_MASTER_SECRET, EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO | EXT_TLS12_ONLY,
      ems_offer_due, write_empty, ems_on_offer,
      ems_answer_due, write_empty, ems_on_answer },
    { EXT_POST_HANDSHAKE_AUTH, EXT_CLIENT_HELLO | EXT_TLS13_ONLY,
      post_auth_offer_due, post_auth_offer, post_auth_on_offer,
      never, NULL, NULL },
    { EXT_SIGNATURE_ALGORITHMS_CERT, EXT_CLIENT_HELLO | EXT_CERTIFICATE_REQUEST,
      never, NULL, sigalgs_cert_on_offer,
      never, NULL, NULL },
    { EXT_SIGNATURE_ALGORITHMS, EXT_CLIENT_HELLO | EXT_CERTIFICATE_REQUEST,
      sigalgs_offer_due, sigalgs_offer, sigalgs_on_offer,
      never, NULL, NULL },
    { EXT_SUPPORTED_VERSIONS, EXT_CLIENT_HELLO | EXT_TLS13_ONLY | EXT_SERVER_HELLO | EXT_HELLO_RETRY_REQUEST,
      always, versions_offer, ignore,
      always, versions_answer, versions_on_answer },
    { EXT_PSK_KEY_EXCHANGE_MODES, EXT_CLIENT_HELLO | EXT_TLS13_ONLY,
      always, psk_modes_offer, psk_modes_on_offer,
      never, NULL, NULL },
    { EXT_KEY_SHARE, EXT_CLIENT_HELLO | EXT_TLS13_ONLY | EXT_SERVER_HELLO | EXT_HELLO_RETRY_REQUEST,
      always, key_share_offer, key_share_on_offer,
      key_share_answer_due, key_share_answer, key_share_on_answer },
    { EXT_COOKIE, EXT_CLIENT_HELLO | EXT_TLS13_ONLY | EXT_HELLO_RETRY_REQUEST,
      cookie_offer_due, cookie_offer, cookie_on_offer,
      cookie_answer_due, cookie_answer, cookie_on_answer },
    { EXT_EARLY_DATA, EXT_CLIENT_HELLO | EXT_TLS13_ONLY | EXT_ENCRYPTED_EXTENSIONS | EXT_NEW_SESSION_TICKET,
      early_data_offer_due, write_empty, nothing_on_offer,
      early_data_answer_due, early_data_answer, early_data_on_answer },
    { EXT_CERTIFICATE_AUTHORITIES, EXT_CLIENT_HELLO | EXT_TLS13_ONLY | EXT_CERTIFICATE_REQUEST,
      authorities_offer_due, authorities_offer, authorities_on_offer,
      never, NULL, NULL },
    { EXT_PADDING, EXT_CLIENT_HELLO,
      padding_offer_due, padding_offer, ignore,
      never, NULL, NULL },
    { EXT_PRE_SHARED_KEY, EXT_CLIENT_HELLO | EXT_TLS13_ONLY | EXT_SERVER_HELLO,
      psk_offer_due, psk_offer, psk_on_offer,
      psk_answer_due, psk_answer, psk_on_answer },
};
/* clang-format on */

_Static_assert(COUNT_OF(table) <= 64, "rows are bits of a 64-bit set");

static bool is_request(unsigned place)
{
    return place == EXT_CLIENT_HELLO || place == EXT_CERTIFICATE_REQUEST;
}

static const struct extension *row_of(uint16_t type)
{
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        if (table[i].type == type) {
            return &table[i];
        }
    }
    return NULL;
}

static uint64_t bit_of(const struct extension *row)
{
    return (uint64_t)1 << (row - table);
}

bool extension_was_seen(const struct handshake *hs, uint16_t type)
{
    const struct extension *row = row_of(type);

    return row != NULL && (hs->seen_extensions & bit_of(row)) != 0;
}

/* --- Writing --- */

static enum step_result write_row(struct handshake *hs, unsigned place, const struct extension *row,
                                  struct writer *w)
{
    bool request = is_request(place);
    bool due = request ? row->offer_due(hs, place) : row->answer_due(hs, place);

    if (!due) {
        return STEP_OK;
    }
    writer_u16(w, row->type);
    writer_open(w, 2);
    bool ok = request ? row->offer(hs, place, w) : row->answer(hs, place, w);
    writer_close(w);
    if (!ok) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR);
    }
    if (request) {
        hs->sent_extensions |= bit_of(row);
    }
    return STEP_OK;
}

/* A ClientHello that does not offer TLS 1.3 has none of its extensions. Those of TLS 1.2 are sent
 * all the same, as OpenSSL does. */
static bool is_beside_offer(const struct handshake *hs, const struct extension *row)
{
    return (row->where & EXT_TLS13_ONLY) != 0 && !negotiate_allows_version(hs->conn, VERSION_TLS13);
}

/* What a server does not look at once the version is chosen. */
static bool is_of_other_version(const struct handshake *hs, unsigned place,
                                const struct extension *row)
{
    unsigned other = hs->conn->neg.version == VERSION_TLS13 ? EXT_TLS12_ONLY : EXT_TLS13_ONLY;

    return place == EXT_CLIENT_HELLO && (row->where & other) != 0;
}

enum step_result extensions_write(struct handshake *hs, unsigned place, struct writer *w,
                                  X509 *cert, size_t index)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };
    size_t before = writer_len(w);

    writer_open(w, 2);
    size_t empty = writer_len(w);
    enum hook_answer answer =
        c->hooks->write_custom_extensions(c->owner, place, w, cert, index, &failure);
    enum step_result result = step_of_answer(hs, answer, &failure, PAUSE_NONE);
    if (result == STEP_OK && place == EXT_CLIENT_HELLO) {
        result = psk13_collect(hs);
    }
    for (size_t i = 0; i < COUNT_OF(table) && result == STEP_OK; i++) {
        /* Answers about a certificate go with the leaf alone. */
        if ((table[i].where & place) != 0 && (place != EXT_CERTIFICATE || index == 0) &&
            !(place == EXT_CLIENT_HELLO && is_beside_offer(hs, &table[i]))) {
            hs->hello_len = writer_len(w);
            result = write_row(hs, place, &table[i], w);
        }
    }
    bool is_empty = writer_len(w) == empty;
    writer_close(w);
    /* RFC 5246, 7.4.1.4: who knows no extensions takes no empty block either. */
    if (is_empty && (place & (EXT_CLIENT_HELLO | EXT_TLS12_SERVER_HELLO)) != 0) {
        writer_cut(w, before);
    }
    return result;
}

bool extension_was_sent(const struct handshake *hs, uint16_t type)
{
    const struct extension *row = row_of(type);

    return row != NULL && (hs->sent_extensions & bit_of(row)) != 0;
}

/* --- Reading --- */

static enum step_result bad_extension(struct handshake *hs)
{
    return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_EXTENSION);
}

/* A whole body was to be read; what is left over, or did not parse, is malformed. */
static enum step_result finish_row(struct handshake *hs, enum step_result result,
                                   const struct reader *body)
{
    if (result == STEP_MALFORMED || (result == STEP_OK && !reader_is_empty(body))) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
    }
    return result;
}

/* An extension that is not in the table: somebody may have registered it; in an answer it must have
 * been asked for. */
static enum step_result read_unknown(struct handshake *hs, unsigned place, uint16_t type,
                                     struct reader body, struct peer_chain *chain, size_t index)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_INTERNAL_ERROR, ERR_R_INTERNAL_ERROR };

    enum hook_answer answer =
        c->hooks->read_custom_extension(c->owner, place, type, body, chain, index, &failure);
    if (answer == HOOK_NONE && !is_request(place) && place != EXT_NEW_SESSION_TICKET) {
        /* RFC 8446, 4.2: an answer to what was not asked. */
        return step_fail(hs, ALERT_UNSUPPORTED_EXTENSION, SSL_R_UNSOLICITED_EXTENSION);
    }
    return step_of_answer(hs, answer, &failure, PAUSE_NONE);
}

/* RFC 8446, 4.2: answers only to what was sent; a HelloRetryRequest's cookie is the exception, and
 * renegotiation_info, for which a signalling suite may have stood. */
static bool is_unsolicited(const struct handshake *hs, unsigned place, const struct extension *row)
{
    return !is_request(place) && place != EXT_NEW_SESSION_TICKET && row->type != EXT_COOKIE &&
           row->type != EXT_RENEGOTIATION_INFO && (hs->sent_extensions & bit_of(row)) == 0;
}

/* What belongs into either ServerHello is first judged by whether it was asked for. */
static const unsigned server_hellos = EXT_TLS12_SERVER_HELLO | EXT_SERVER_HELLO;

static enum step_result read_known(struct handshake *hs, unsigned place,
                                   const struct extension *row, struct reader body, size_t index)
{
    enum step_result (*read)(struct handshake *, unsigned, struct reader *) =
        is_request(place) ? row->on_offer : row->on_answer;

    unsigned places = (place & server_hellos) != 0 ? server_hellos : place;

    if ((row->where & places) == 0 || (hs->seen_extensions & bit_of(row)) != 0) {
        return bad_extension(hs);
    }
    if (is_unsolicited(hs, place, row)) {
        return step_fail(hs, ALERT_UNSUPPORTED_EXTENSION, SSL_R_UNSOLICITED_EXTENSION);
    }
    if ((row->where & place) == 0) {
        return bad_extension(hs);
    }
    if (is_of_other_version(hs, place, row)) {
        return STEP_OK;
    }
    hs->seen_extensions |= bit_of(row);
    if (read == NULL) {
        return bad_extension(hs);
    }
    /* A response about another certificate than the leaf is of no use: nobody asks for it. */
    if (row->type == EXT_STATUS_REQUEST && index > 0) {
        return STEP_OK;
    }
    return finish_row(hs, read(hs, place, &body), &body);
}

/* Splits a block into extensions: form, number, and that none comes twice. */
static enum step_result split(struct handshake *hs, struct reader block, struct raw_extension *list,
                              size_t *num)
{
    *num = 0;
    while (!reader_is_empty(&block)) {
        struct raw_extension *next = &list[*num];
        if (*num == HELLO_MAX_EXTENSIONS || !reader_u16(&block, &next->type) ||
            !reader_vec16(&block, &next->body)) {
            return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_EXTENSION);
        }
        for (size_t i = 0; i < *num; i++) {
            if (list[i].type == next->type) {
                return bad_extension(hs);
            }
        }
        ++*num;
    }
    return STEP_OK;
}

/* True when the table's row takes the extension. What has no reader is the application's, and so
 * are timestamps that Certificate Transparency did not ask for: programs register that type, too.
 */
static bool is_ours(const struct handshake *hs, unsigned place, const struct extension *row)
{
    if (row == NULL || (is_request(place) && row->on_offer == NULL)) {
        return false;
    }
    return row->type != EXT_SCT || !is_unsolicited(hs, place, row);
}

static enum step_result read_list(struct handshake *hs, unsigned place,
                                  const struct raw_extension *list, size_t num,
                                  struct peer_chain *chain, size_t index)
{
    enum step_result result = STEP_OK;

    hs->seen_extensions = 0;
    for (size_t i = 0; i < num && result == STEP_OK; i++) {
        const struct extension *row = row_of(list[i].type);
        result = is_ours(hs, place, row)
                     ? read_known(hs, place, row, list[i].body, index)
                     : read_unknown(hs, place, list[i].type, list[i].body, chain, index);
    }
    return result;
}

static void report_list(struct tls_conn *c, const struct raw_extension *list, size_t num)
{
    for (size_t i = 0; i < num; i++) {
        c->hooks->extension_seen(c->owner, list[i].type, list[i].body.at, list[i].body.left);
    }
}

enum step_result extensions_read(struct handshake *hs, unsigned place, struct reader block,
                                 struct peer_chain *chain, size_t index)
{
    struct raw_extension list[HELLO_MAX_EXTENSIONS];
    size_t num;
    enum step_result result = split(hs, block, list, &num);

    if (result != STEP_OK) {
        return result;
    }
    report_list(hs->conn, list, num);
    return read_list(hs, place, list, num, chain, index);
}

/* --- ClientHello --- */

enum step_result extensions_split(struct handshake *hs, struct client_hello *hello)
{
    struct reader ignored;
    enum step_result result =
        split(hs, hello->extensions_block, hello->extensions, &hello->num_extensions);

    for (size_t i = 0; i < hello->num_extensions && result == STEP_OK; i++) {
        const struct extension *row = row_of(hello->extensions[i].type);
        if (row != NULL && (row->where & EXT_DTLS_ONLY) != 0) {
            result = bad_extension(hs);
        }
    }
    if (result != STEP_OK) {
        return result;
    }
    report_list(hs->conn, hello->extensions, hello->num_extensions);
    if (client_hello_extension(hello, EXT_PRE_SHARED_KEY, &ignored) &&
        hello->extensions[hello->num_extensions - 1].type != EXT_PRE_SHARED_KEY) {
        return bad_extension(hs);
    }
    return STEP_OK;
}

bool client_hello_extension(const struct client_hello *hello, uint16_t type, struct reader *body)
{
    for (size_t i = 0; i < hello->num_extensions; i++) {
        if (hello->extensions[i].type == type) {
            *body = hello->extensions[i].body;
            return true;
        }
    }
    return false;
}

enum step_result extensions_read_hello(struct handshake *hs)
{
    return read_list(hs, EXT_CLIENT_HELLO, hs->hello->extensions, hs->hello->num_extensions, NULL,
                     0);
}

enum step_result extension_read_u16_list(struct handshake *hs, struct reader *body,
                                         struct blob **list)
{
    struct reader ids;
    uint16_t id;

    if (!reader_vec16(body, &ids) || reader_is_empty(&ids) || reader_left(&ids) % 2 != 0) {
        return STEP_MALFORMED;
    }
    struct blob *copy = blob_new(NULL, ids.left);
    if (copy == NULL) {
        return step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
    }
    for (size_t i = 0; reader_u16(&ids, &id); i++) {
        u16_list_set(copy, i, id);
    }
    blob_set(list, copy);
    return STEP_OK;
}
