/*
 * Extensions of pre-shared keys: psk_key_exchange_modes (RFC 8446, 4.2.9), early_data (4.2.10) and
 * pre_shared_key (4.2.11). A server reads the first and the last before all others:
 * choose_session13.
 */
#include "handshake/ext/extensions.h"
#include "handshake/psk13.h"

#include <openssl/err.h>
#include <openssl/sslerr.h>

/* --- psk_key_exchange_modes --- */

bool psk_modes_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    hs->psk_modes = PSK_DHE_KE;
    writer_open(w, 1);
    writer_u8(w, PSK_MODE_DHE_KE);
    if ((hs->conn->config->options & OPTION_ALLOW_NO_DHE_KEX) != 0) {
        hs->psk_modes |= PSK_KE;
        writer_u8(w, PSK_MODE_KE);
    }
    writer_close(w);
    return true;
}

enum step_result psk_modes_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader modes;

    (void)hs;
    (void)place;
    return reader_vec8(body, &modes) && !reader_is_empty(&modes) ? STEP_OK : STEP_MALFORMED;
}

/* --- early_data --- */

bool early_data_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->early_offered && hs->retry == RETRY_NONE;
}

bool early_data_answer_due(const struct handshake *hs, unsigned place)
{
    const struct tls_conn *c = hs->conn;

    return place == EXT_NEW_SESSION_TICKET ? c->config->max_early_data > 0
                                           : c->neg.early_data == EARLY_DATA_ACCEPTED;
}

bool early_data_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    if (place == EXT_NEW_SESSION_TICKET) {
        writer_u32(w, hs->conn->config->max_early_data);
    }
    return true;
}

enum step_result early_data_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct tls_conn *c = hs->conn;

    if (place == EXT_NEW_SESSION_TICKET) {
        return reader_u32(body, &c->session->max_early_data) && reader_is_empty(body)
                   ? STEP_OK
                   : step_fail(hs, ALERT_DECODE_ERROR, SSL_R_INVALID_MAX_EARLY_DATA);
    }
    /* RFC 8446, 4.2.10: only with the first key. */
    if (!c->neg.resumed || hs->psk_identity != 0) {
        return step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_EXTENSION);
    }
    c->neg.early_data = EARLY_DATA_ACCEPTED;
    return STEP_OK;
}

/* --- pre_shared_key --- */

bool psk_offer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->num_offers > 0;
}

/* With room for the binders, which cover the whole message before them. */
bool psk_offer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_open(w, 2);
    for (size_t i = 0; i < hs->num_offers; i++) {
        const struct psk_offer *offer = &hs->offers[i];
        writer_open(w, 2);
        writer_bytes(w, offer->identity->bytes, offer->identity->len);
        writer_close(w);
        writer_u32(w, offer->obfuscated_age);
    }
    writer_close(w);
    writer_open(w, 2);
    for (size_t i = 0; i < hs->num_offers; i++) {
        writer_open(w, 1);
        writer_zeros(w, psk13_binder_len(hs, i));
        writer_close(w);
    }
    writer_close(w);
    return true;
}

/* The form; what is in it has been looked at already. */
enum step_result psk_on_offer(struct handshake *hs, unsigned place, struct reader *body)
{
    struct reader identities;
    struct reader binders;

    (void)hs;
    (void)place;
    return reader_vec16(body, &identities) && reader_vec16(body, &binders) ? STEP_OK
                                                                           : STEP_MALFORMED;
}

bool psk_answer_due(const struct handshake *hs, unsigned place)
{
    (void)place;
    return hs->conn->neg.resumed;
}

bool psk_answer(struct handshake *hs, unsigned place, struct writer *w)
{
    (void)place;
    writer_u16(w, hs->psk_identity);
    return true;
}

enum step_result psk_on_answer(struct handshake *hs, unsigned place, struct reader *body)
{
    (void)place;
    if (!reader_u16(body, &hs->psk_identity) || !reader_is_empty(body)) {
        return step_fail(hs, ALERT_DECODE_ERROR, SSL_R_LENGTH_MISMATCH);
    }
    return hs->psk_identity < hs->num_offers
               ? STEP_OK
               : step_fail(hs, ALERT_ILLEGAL_PARAMETER, SSL_R_BAD_PSK_IDENTITY);
}
