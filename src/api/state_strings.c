/*
 * States and alerts in words: SSL_state_string(3), SSL_rstate_string(3), SSL_alert_type_string(3).
 */
#include "api/internal.h"

struct words {
    const char *brief;
    const char *full;
};

/* By OSSL_HANDSHAKE_STATE. */
static const struct words states[] = {
    [TLS_ST_BEFORE] = { "PINIT", "before SSL initialization" },
    [TLS_ST_OK] = { "SSLOK", "SSL negotiation finished successfully" },
    [DTLS_ST_CR_HELLO_VERIFY_REQUEST] = { "DRCHV", "DTLS1 read hello verify request" },
    [TLS_ST_CR_SRVR_HELLO] = { "TRSH", "SSLv3/TLS read server hello" },
    [TLS_ST_CR_CERT] = { "TRSC", "SSLv3/TLS read server certificate" },
    [TLS_ST_CR_CERT_STATUS] = { "TRCS", "SSLv3/TLS read certificate status" },
    [TLS_ST_CR_KEY_EXCH] = { "TRSKE", "SSLv3/TLS read server key exchange" },
    [TLS_ST_CR_CERT_REQ] = { "TRCR", "SSLv3/TLS read server certificate request" },
    [TLS_ST_CR_SRVR_DONE] = { "TRSD", "SSLv3/TLS read server done" },
    [TLS_ST_CR_SESSION_TICKET] = { "TRST", "SSLv3/TLS read server session ticket" },
    [TLS_ST_CR_CHANGE] = { "TRCCS", "SSLv3/TLS read change cipher spec" },
    [TLS_ST_CR_FINISHED] = { "TRFIN", "SSLv3/TLS read finished" },
    [TLS_ST_CW_CLNT_HELLO] = { "TWCH", "SSLv3/TLS write client hello" },
    [TLS_ST_CW_CERT] = { "TWCC", "SSLv3/TLS write client certificate" },
    [TLS_ST_CW_KEY_EXCH] = { "TWCKE", "SSLv3/TLS write client key exchange" },
    [TLS_ST_CW_CERT_VRFY] = { "TWCV", "SSLv3/TLS write certificate verify" },
    [TLS_ST_CW_CHANGE] = { "TWCCS", "SSLv3/TLS write change cipher spec" },
    [TLS_ST_CW_NEXT_PROTO] = { "TWNP", "SSLv3/TLS write next proto" },
    [TLS_ST_CW_FINISHED] = { "TWFIN", "SSLv3/TLS write finished" },
    [TLS_ST_SW_HELLO_REQ] = { "TWHR", "SSLv3/TLS write hello request" },
    [TLS_ST_SR_CLNT_HELLO] = { "TRCH", "SSLv3/TLS read client hello" },
    [DTLS_ST_SW_HELLO_VERIFY_REQUEST] = { "DWCHV", "DTLS1 write hello verify request" },
    [TLS_ST_SW_SRVR_HELLO] = { "TWSH", "SSLv3/TLS write server hello" },
    [TLS_ST_SW_CERT] = { "TWSC", "SSLv3/TLS write certificate" },
    [TLS_ST_SW_KEY_EXCH] = { "TWSKE", "SSLv3/TLS write key exchange" },
    [TLS_ST_SW_CERT_REQ] = { "TWCR", "SSLv3/TLS write certificate request" },
    [TLS_ST_SW_SRVR_DONE] = { "TWSD", "SSLv3/TLS write server done" },
    [TLS_ST_SR_CERT] = { "TRCC", "SSLv3/TLS read client certificate" },
    [TLS_ST_SR_KEY_EXCH] = { "TRCKE", "SSLv3/TLS read client key exchange" },
    [TLS_ST_SR_CERT_VRFY] = { "TRCV", "SSLv3/TLS read certificate verify" },
    [TLS_ST_SR_NEXT_PROTO] = { "TRNP", "SSLv3/TLS read next proto" },
    [TLS_ST_SR_CHANGE] = { "TRCCS", "SSLv3/TLS read change cipher spec" },
    [TLS_ST_SR_FINISHED] = { "TRFIN", "SSLv3/TLS read finished" },
    [TLS_ST_SW_SESSION_TICKET] = { "TWST", "SSLv3/TLS write session ticket" },
    [TLS_ST_SW_CERT_STATUS] = { "TWCS", "SSLv3/TLS write certificate status" },
    [TLS_ST_SW_CHANGE] = { "TWCCS", "SSLv3/TLS write change cipher spec" },
    [TLS_ST_SW_FINISHED] = { "TWFIN", "SSLv3/TLS write finished" },
    [TLS_ST_SW_ENCRYPTED_EXTENSIONS] = { "TWEE", "TLSv1.3 write encrypted extensions" },
    [TLS_ST_CR_ENCRYPTED_EXTENSIONS] = { "TREE", "TLSv1.3 read encrypted extensions" },
    [TLS_ST_CR_CERT_VRFY] = { "TRSCV", "TLSv1.3 read server certificate verify" },
    [TLS_ST_SW_CERT_VRFY] = { "TWSCV", "TLSv1.3 write server certificate verify" },
    [TLS_ST_CR_HELLO_REQ] = { "TRHR", "SSLv3/TLS read hello request" },
    [TLS_ST_SW_KEY_UPDATE] = { "TWSKU", "TLSv1.3 write server key update" },
    [TLS_ST_CW_KEY_UPDATE] = { "TWCKU", "TLSv1.3 write client key update" },
    [TLS_ST_SR_KEY_UPDATE] = { "TRCKU", "TLSv1.3 read client key update" },
    [TLS_ST_CR_KEY_UPDATE] = { "TRSKU", "TLSv1.3 read server key update" },
    [TLS_ST_EARLY_DATA] = { "TED", "TLSv1.3 early data" },
    [TLS_ST_PENDING_EARLY_DATA_END] = { "TPEDE", "TLSv1.3 pending early data end" },
    [TLS_ST_CW_END_OF_EARLY_DATA] = { "TWEOED", "TLSv1.3 write end of early data" },
    [TLS_ST_SR_END_OF_EARLY_DATA] = { "TWEOED", "TLSv1.3 read end of early data" },
};

static const struct words unknown_state = { "UNKWN", "unknown state" };
static const struct words error_state = { "SSLERR", "error" };

static const struct words *state_words(const SSL *s)
{
    int state = s->conn.state;

    if (s->conn.error.failed) {
        return &error_state;
    }
    return state >= 0 && (size_t)state < COUNT_OF(states) ? &states[state] : &unknown_state;
}

const char *SSL_state_string(const SSL *s)
{
    return state_words(s)->brief;
}

const char *SSL_state_string_long(const SSL *s)
{
    return state_words(s)->full;
}

/* What the record layer waits for: a header, or the body of a record whose header has come. */
static bool waits_for_body(const SSL *s)
{
    const struct record_in *in = &s->conn.in;

    return in->current_size == 0 && buffer_len(&in->buffer) >= RECORD_HEADER_LEN;
}

const char *SSL_rstate_string(const SSL *s)
{
    return waits_for_body(s) ? "RB" : "RH";
}

const char *SSL_rstate_string_long(const SSL *s)
{
    return waits_for_body(s) ? "read body" : "read header";
}

/* --- Alerts: values are level << 8 | description --- */

static const char unknown_alert[] = "unknown";

const char *SSL_alert_type_string(int value)
{
    switch (value >> 8) {
    case SSL3_AL_WARNING:
        return "W";
    case SSL3_AL_FATAL:
        return "F";
    default:
        return "U";
    }
}

const char *SSL_alert_type_string_long(int value)
{
    switch (value >> 8) {
    case SSL3_AL_WARNING:
        return "warning";
    case SSL3_AL_FATAL:
        return "fatal";
    default:
        return unknown_alert;
    }
}

/* Descriptions that OpenSSL 3.0 has words for: RFC 8446, 6 and what it took over. */
static const struct {
    uint8_t description;
    struct words words;
} alerts[] = {
    { 0, { "CN", "close notify" } },
    { 10, { "UM", "unexpected_message" } },
    { 20, { "BM", "bad record mac" } },
    { 21, { "DC", "decryption failed" } },
    { 22, { "RO", "record overflow" } },
    { 30, { "DF", "decompression failure" } },
    { 40, { "HF", "handshake failure" } },
    { 41, { "NC", "no certificate" } },
    { 42, { "BC", "bad certificate" } },
    { 43, { "UC", "unsupported certificate" } },
    { 44, { "CR", "certificate revoked" } },
    { 45, { "CE", "certificate expired" } },
    { 46, { "CU", "certificate unknown" } },
    { 47, { "IP", "illegal parameter" } },
    { 48, { "CA", "unknown CA" } },
    { 49, { "AD", "access denied" } },
    { 50, { "DE", "decode error" } },
    { 51, { "CY", "decrypt error" } },
    { 60, { "ER", "export restriction" } },
    { 70, { "PV", "protocol version" } },
    { 71, { "IS", "insufficient security" } },
    { 80, { "IE", "internal error" } },
    { 90, { "US", "user canceled" } },
    { 100, { "NR", "no renegotiation" } },
    { 110, { "UE", "unsupported extension" } },
    { 111, { "CO", "certificate unobtainable" } },
    { 112, { "UN", "unrecognized name" } },
    { 113, { "BR", "bad certificate status response" } },
    { 114, { "BH", "bad certificate hash value" } },
    { 115, { "UP", "unknown PSK identity" } },
    { 120, { "UK", "no application protocol" } },
};

static const struct words *alert_words(int value)
{
    static const struct words unknown = { "UK", unknown_alert };

    for (size_t i = 0; i < COUNT_OF(alerts); i++) {
        if (alerts[i].description == (value & 0xff)) {
            return &alerts[i].words;
        }
    }
    return &unknown;
}

const char *SSL_alert_desc_string(int value)
{
    return alert_words(value)->brief;
}

const char *SSL_alert_desc_string_long(int value)
{
    return alert_words(value)->full;
}
