/*
 * Next protocol negotiation, which never became an RFC (draft-agl-tls-nextprotoneg-04) and was
 * replaced by ALPN: a server that is asked lists its protocols in the ServerHello, the client tells
 * its choice under the new keys. Only before TLS 1.3, only in a first handshake.
 */
#include "handshake/ext/extensions.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* The message's body is padded to a multiple of this, so that its length hides the name's. */
#define NEXT_PROTOCOL_UNIT 32

bool npn_offer_due(const struct handshake *hs, unsigned place)
{
    const struct tls_conn *c = hs->conn;

    (void)place;
    return hs->initial && c->hooks->asks_next_protocol(c->owner);
}

enum step_result npn_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    hs->peer_wants_npn = hs->initial;
    return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
}

/* ALPN takes precedence: RFC 7301 came to replace this. */
bool npn_answer_due(const struct handshake *hs, unsigned place)
{
    const struct tls_conn *c = hs->conn;

    (void)place;
    return hs->peer_wants_npn && c->neg.alpn == NULL && c->hooks->advertises_protocols(c->owner);
}

bool npn_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    hs->conn->hooks->write_protocols(hs->conn->owner, w);
    hs->next_protocol_due = true;
    return true;
}

enum step_result npn_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct record_error failure = { ALERT_HANDSHAKE_FAILURE, SSL_R_BAD_EXTENSION };
    struct reader list = *body;
    struct blob *chosen = NULL;

    (void)place;
    /* A server may have nothing to list; the client chooses all the same. */
    if (!reader_is_empty(&list) && !alpn_is_protocol_list(list)) {
        return STEP_MALFORMED;
    }
    enum hook_answer answer =
        c->hooks->choose_next_protocol(c->owner, list.at, list.left, &chosen, &failure);
    if (answer != HOOK_OK) {
        return step_of_answer(hs, HOOK_FAIL, &failure, PAUSE_NONE);
    }
    blob_set(&c->neg.next_protocol, chosen);
    hs->next_protocol_due = true;
    return reader_skip(body, reader_left(body)) ? STEP_OK : STEP_MALFORMED;
}

/* --- The message NextProtocol --- */

enum step_result write_next_protocol(struct handshake *hs, struct writer *w)
{
    static const uint8_t zeros[NEXT_PROTOCOL_UNIT];
    const struct blob *name = hs->conn->neg.next_protocol;

    writer_open(w, 1);
    writer_bytes(w, name->bytes, name->len);
    writer_close(w);
    writer_open(w, 1);
    writer_bytes(w, zeros, NEXT_PROTOCOL_UNIT - (name->len + 2) % NEXT_PROTOCOL_UNIT);
    writer_close(w);
    return STEP_OK;
}

enum step_result read_next_protocol(struct handshake *hs, struct reader *body)
{
    struct tls_conn *c = hs->conn;
    struct reader name;
    struct reader padding;

    if (!reader_vec8(body, &name) || !reader_vec8(body, &padding)) {
        return STEP_MALFORMED;
    }
    blob_set(&c->neg.next_protocol, blob_new(name.at, name.left));
    return c->neg.next_protocol != NULL ? STEP_OK
                                        : step_fail(hs, ALERT_INTERNAL_ERROR, ERR_R_MALLOC_FAILURE);
}
