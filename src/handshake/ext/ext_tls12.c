/*
 * Extensions of TLS 1.2 alone: renegotiation_info (RFC 5746), ec_point_formats (RFC 8422, 5.1.2),
 * session_ticket (RFC 5077), encrypt_then_mac (RFC 7366) and extended_master_secret (RFC 7627).
 */
#include "handshake/ext/extensions.h"
#include "handshake/negotiate.h"
#include "handshake/negotiate12.h"
#include "handshake/resume12.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* --- renegotiation_info --- */

/* The first handshake sends a signalling suite instead: RFC 5746, 3.4. */
bool renegotiation_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return !hs->initial;
}

bool renegotiation_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    const struct secret *client = &hs->conn->neg.own_finished;

    (void)place;
    writer_open(w, 1);
    writer_bytes(w, client->bytes, hs->initial ? 0 : client->len);
    writer_close(w);
    return true;
}

static enum step_result mismatch(struct handshake *hs)
{
    return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_RENEGOTIATION_MISMATCH);
}

/* RFC 5746, 3.6 and 3.7: the client's last verify_data, nothing in a first handshake. */
enum step_result renegotiation_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    const struct secret *client = &hs->conn->neg.peer_finished;
    struct reader data;

    (void)place;
    if (!reader_vec8(body, &data) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_RENEGOTIATION_ENCODING_ERR);
    }
    if (reader_left(&data) != (hs->initial ? 0 : client->len) ||
        !constant_time_equals(data.at, client->bytes, reader_left(&data))) {
        return mismatch(hs);
    }
    hs->client_is_secure = true;
    hs->conn->neg.secure_renegotiation = true;
    return STEP_OK;
}

bool renegotiation_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->client_is_secure;
}

bool renegotiation_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    const struct negotiated *neg = &hs->conn->neg;

    (void)place;
    writer_open(w, 1);
    if (!hs->initial) {
        writer_bytes(w, neg->peer_finished.bytes, neg->peer_finished.len);
        writer_bytes(w, neg->own_finished.bytes, neg->own_finished.len);
    }
    writer_close(w);
    return true;
}

/* RFC 5746, 3.4 and 3.5: both last verify_data, the client's first. */
enum step_result renegotiation_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct negotiated *neg = &hs->conn->neg;
    const struct secret *own = &neg->own_finished;
    const struct secret *peer = &neg->peer_finished;
    struct reader data;

    (void)place;
    if (!reader_vec8(body, &data) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_RENEGOTIATION_ENCODING_ERR);
    }
    size_t expected = hs->initial ? 0 : (size_t)own->len + peer->len;
    if (reader_left(&data) != expected ||
        (!hs->initial && (!constant_time_equals(data.at, own->bytes, own->len) ||
                          !constant_time_equals(data.at + own->len, peer->bytes, peer->len)))) {
        return mismatch(hs);
    }
    neg->secure_renegotiation = true;
    return STEP_OK;
}

/* --- ec_point_formats --- */

static bool offers_curves(const struct handshake *hs)
{
    const struct ssl_cipher_st *suite;
    size_t position = 0;
    uint16_t min;
    uint16_t max;

    if (negotiate_allows_version(hs->conn, VERSION_TLS13)) {
        return true;
    }
    if (!negotiate_version_range(hs->conn, &min, &max) ||
        !negotiate_has_curve12(hs->conn, min, max)) {
        return false;
    }
    while ((suite = negotiate_next_suite12(hs->conn, min, max, &position)) != NULL) {
        if (suite12_exchange(suite) == EXCHANGE12_ECDHE || suite->auth == AUTH_ECDSA) {
            return true;
        }
    }
    return false;
}

bool point_formats_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return offers_curves(hs);
}

bool groups_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return offers_curves(hs);
}

bool point_formats_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    /* RFC 8422, 5.1.2: uncompressed; OpenSSL names the two compressed forms as well, under Suite B
     * that of prime curves. */
    writer_open(w, 1);
    writer_u8(w, 0);
    writer_u8(w, 1);
    if (hs->conn->config->suite_b == SUITE_B_OFF) {
        writer_u8(w, 2);
    }
    writer_close(w);
    return true;
}

enum step_result point_formats_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader list;

    (void)place;
    if (!reader_vec8(body, &list) || reader_is_empty(&list)) {
        return STEP_MALFORMED;
    }
    blob_set(&hs->conn->neg.peer_point_formats, blob_new(list.at, list.left));
    return hs->conn->neg.peer_point_formats != NULL
               ? STEP_OK
               : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}

bool point_formats_answer_due(const struct handshake *hs, unsigned place)
{
    const struct negotiated *neg = &hs->conn->neg;

    (void)place;
    return neg->peer_point_formats != NULL &&
           (neg->suite->kx == KX_ECDHE || neg->suite->auth == AUTH_ECDSA);
}

/* Uncompressed points are all that we send and take: RFC 8422, 5.1.2 has every peer know them. */
enum step_result point_formats_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    const struct reader empty = reader_of((const uint8_t *)"", 1);

    if (reader_equals(body, empty.at, empty.left)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_BAD_LENGTH);
    }
    return point_formats_on_offer(hs, place, body);
}

/* --- session_ticket, encrypt_then_mac, extended_master_secret --- */

static bool may_use_tickets(const struct tls_conn *c)
{
    return (c->config->options & OPTION_NO_TICKET) == 0 && c->hooks->allows_tickets(c->owner);
}

static bool session_has_ticket(const struct handshake *hs)
{
    return resume12_is_offered(hs) && hs->conn->session->ticket != NULL;
}

bool ticket_offer_due(const struct handshake *hs, unsigned place)
{
    const struct tls_conn *c = hs->conn;
    struct blob *ignored;

    (void)place;
    return may_use_tickets(c) &&
           (session_has_ticket(hs) || c->hooks->application_ticket(c->owner, &ignored));
}

/* The application's ticket goes with the session from now on, unless that is one of TLS 1.3, for
 * which it would be a pre-shared key. */
static bool keep_application_ticket(struct tls_conn *c, struct blob *ticket)
{
    if (c->session->version == VERSION_TLS13 && c->session->ticket != NULL) {
        return true;
    }
    struct ssl_session_st *session = conn_own_session(c);
    if (session == NULL) {
        return false;
    }
    blob_set(&session->ticket, blob_ref(ticket));
    return true;
}

/* RFC 5077, 3.2: the ticket, or that one is wanted. */
bool ticket_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    struct tls_conn *c = hs->conn;
    struct blob *ticket = NULL;

    (void)place;
    if (session_has_ticket(hs)) {
        ticket = c->session->ticket;
    } else {
        (void)c->hooks->application_ticket(c->owner, &ticket);
        /* As in OpenSSL an empty one is none that could be kept. */
        if (ticket != NULL && (ticket->len == 0 || !keep_application_ticket(c, ticket))) {
            return false;
        }
    }
    if (ticket != NULL) {
        writer_bytes(w, ticket->bytes, ticket->len);
    }
    return true;
}

/* Whether the server resumes by it was found out before: find_session12(). */
enum step_result ticket_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct tls_conn *c = hs->conn;

    (void)place;
    if (!c->hooks->ticket_seen(c->owner, body->at, body->left)) {
        return step_internal(hs);
    }
    return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
}

bool ticket_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->expect_ticket;
}

bool etm_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return (hs->conn->config->options & OPTION_NO_ENCRYPT_THEN_MAC) == 0;
}

bool ems_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return (hs->conn->config->options & OPTION_NO_EXTENDED_MASTER_SECRET) == 0;
}

enum step_result ticket_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct tls_conn *c = hs->conn;

    (void)place;
    if (!c->hooks->ticket_seen(c->owner, body->at, body->left)) {
        return step_fail(hs, ALERT_HANDSHAKE_FAILURE, SSL_R_BAD_EXTENSION);
    }
    hs->expect_ticket = true; /* the walker sees to it that there is nothing in it */
    return STEP_OK;
}

enum step_result etm_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)body;
    hs->conn->neg.encrypt_then_mac = etm_offer_due(hs, place);
    return STEP_OK;
}

/* RFC 7366, 3, has it for block ciphers alone; OpenSSL also where nothing is encrypted, which makes
 * no difference to the records. */
static bool has_mac_of_its_own(const struct ssl_cipher_st *suite)
{
    return suite->aead == AEAD_NONE;
}

bool etm_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->neg.encrypt_then_mac && has_mac_of_its_own(hs->conn->neg.suite);
}

enum step_result etm_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    (void)body;
    hs->conn->neg.encrypt_then_mac = has_mac_of_its_own(hs->conn->neg.suite);
    return STEP_OK;
}

enum step_result ems_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)body;
    hs->extended_master_secret = ems_offer_due(hs, place);
    return STEP_OK;
}

bool ems_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->extended_master_secret;
}

enum step_result ems_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    (void)body;
    hs->extended_master_secret = true;
    return STEP_OK;
}
