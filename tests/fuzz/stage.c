/*
 * Handshakes in the middle; see stage.h.
 */
#include "stage.h"

#include "crypto/cert.h"
#include "handshake/keys12.h"

#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void stage_require(bool ok, const char *promise)
{
    if (!ok) {
        fprintf(stderr, "broken promise: %s\n", promise);
        abort();
    }
}

void stage_setup(void)
{
    deterministic_random_install();
    (void)endpoint_cert_for(0xc02f); /* the keys are made before any input is read */
    (void)endpoint_cert();
}

void stage_configure(struct endpoint *e, uint8_t flags)
{
    struct tls_config *config = &e->config;

    e->knows_extensions = (flags & FLAG_KNOWS_EXTENSIONS) != 0;
    if ((flags & FLAG_EVERYTHING) == 0) {
        return;
    }
    config->alpn = blob_new("\2h2\5hello", 9);
    config->max_fragment_code = 2;
    config->request_ocsp = true;
    config->post_handshake_auth = true;
    config->ask_client_cert = true;
    config->options |= OPTION_PRIORITIZE_CHACHA | OPTION_CIPHER_SERVER_PREFERENCE;
    e->alpn = blob_new("h2", 2);
    e->ocsp = blob_new("response", 8);
    e->npn = blob_new("\2h2", 3);
    stage_require(config->alpn != NULL && e->alpn != NULL && e->ocsp != NULL && e->npn != NULL,
                  "memory");
}

void stage_resume12(struct endpoint *e)
{
    static const uint16_t suite = RESUMED_SUITE;

    e->config.suites = u16_list_of(&suite, 1);
    e->tickets = e->keeps_sessions = e->renews_tickets = true;
    if (e->conn.role == ROLE_CLIENT) {
        e->conn.session = earlier_session12(suite, true);
    } else {
        e->kept = earlier_session12(suite, false);
    }
}

/* A CertificateRequest that is outstanding: its context is four bytes. */
static struct blob *request(void)
{
    static const uint8_t bytes[] = {
        MSG_CERTIFICATE_REQUEST, 0, 0, 13, 4, 1, 2, 3, 4, 0, 6, 0, 13, 0, 2, 8, 7
    };

    return blob_new(bytes, sizeof(bytes));
}

static void fill_secret(struct secret *s, uint8_t len, uint8_t value)
{
    s->len = len;
    memset(s->bytes, value, len);
}

void stage_init(struct endpoint *e, uint8_t flags)
{
    struct tls_conn *c = &e->conn;

    ERR_clear_error();
    deterministic_random_restart();
    endpoint_init(e, (flags & FLAG_SERVER) != 0 ? ROLE_SERVER : ROLE_CLIENT);
    stage_configure(e, flags | FLAG_EVERYTHING);
    c->neg.version = VERSION_TLS13;
    c->neg.suite = suite_by_id((flags & FLAG_SHA384) != 0 ? 0x1302 : 0x1301);
    c->neg.server_name = blob_new("unit.example", 12);
    c->session = c->hooks->make_session(e);
    stage_require(c->session != NULL && handshake_start(c, scripts[0].steps, true), "memory");
    c->session->version = VERSION_TLS13;
    c->session->suite = c->neg.suite;
    cert_up_ref(endpoint_cert());
    c->session->peer = peer_chain_of(endpoint_cert());
    stage_require(c->session->peer != NULL, "memory");
    uint8_t len = (uint8_t)hash_len(keys13_hash(c));
    stage_require(conn_reserve_secrets(c), "memory");
    fill_secret(&c->handshake_secrets->client_handshake, len, 1);
    fill_secret(&c->handshake_secrets->server_handshake, len, 2);
    fill_secret(&c->secrets->client_application, len, 3);
    fill_secret(&c->secrets->server_application, len, 4);
    stage_require(transcript_start(&c->hs->transcript, keys13_hash(c)), "a transcript");
    c->hs->sent_extensions = (flags & FLAG_NOTHING_SENT) != 0 ? 0 : UINT64_MAX;
    c->hs->share_group = group_by_id(crypto_lib_default(), 0x001d);
    if ((flags & FLAG_POST_AUTH) != 0) {
        c->hs->is_post_auth = true;
        c->auth_request = request();
        stage_require(c->auth_request != NULL, "memory");
    }
}

const uint16_t stage_suites12[] = {
    0xc02b, /* ECDHE-ECDSA */
    0xc02f, /* ECDHE-RSA */
    0x009e, /* DHE-RSA */
    0x009c, /* RSA */
    0x00a8, /* PSK */
    0x00ac, /* RSA-PSK */
    0x00aa, /* DHE-PSK */
    0xccac, /* ECDHE-PSK */
};
const size_t stage_num_suites12 = COUNT_OF(stage_suites12);

void stage_init12(struct endpoint *e, uint8_t flags, uint8_t choice)
{
    struct tls_conn *c = &e->conn;
    uint16_t suite = stage_suites12[choice % COUNT_OF(stage_suites12)];
    /* Any scheme, so that a peer may sign with each of our keys. */
    static const uint16_t schemes[] = { 0x0807, 0x0804, 0x0401 };

    ERR_clear_error();
    deterministic_random_restart();
    endpoint_init(e, (flags & FLAG_SERVER) != 0 ? ROLE_SERVER : ROLE_CLIENT);
    stage_configure(e, flags | FLAG_EVERYTHING);
    endpoint_use_tls12(e, suite);
    c->neg.version = c->neg.client_version = c->in.version = VERSION_TLS12;
    c->neg.suite = suite_by_id(suite);
    c->neg.peer_sigalgs = u16_list_of(schemes, COUNT_OF(schemes));
    c->session = c->hooks->make_session(e);
    stage_require(c->session != NULL && handshake_start(c, scripts[0].steps, true), "memory");
    c->session->version = VERSION_TLS12;
    c->session->suite = c->neg.suite;
    X509 *peer = endpoint_cert_for((flags & FLAG_SERVER) != 0 ? 0xc02b : suite);
    cert_up_ref(peer);
    c->session->peer = peer_chain_of(peer);
    stage_require(c->session->peer != NULL, "memory");
    fill_secret(&c->session->master, MASTER_SECRET_LEN, 5);
    if ((flags & FLAG_RESUMES) != 0) {
        c->neg.resumed = true;
        c->session->id_len = SESSION_MAX_ID;
    }
    stage_require(transcript_start(&c->hs->transcript, keys12_hash(c)), "a transcript");
    c->hs->sent_extensions = (flags & FLAG_NOTHING_SENT) != 0 ? 0 : UINT64_MAX;
    c->hs->extended_master_secret = (flags & FLAG_RETRY) == 0;
    c->hs->next_protocol_due = true;
    c->hs->share_group = group_by_id(crypto_lib_default(), 0x001d);
}

void stage_frame(struct buffer *out, uint8_t type, const uint8_t *body, size_t len)
{
    struct buffer message = { 0 };
    struct writer w = writer_to(&message);
    struct record_out records = { .version = VERSION_TLS12 };

    writer_u8(&w, type);
    writer_open(&w, 3);
    writer_bytes(&w, body, len);
    writer_close(&w);
    stage_require(writer_ok(&w), "memory");
    while (buffer_len(&message) > 0) {
        size_t piece = buffer_len(&message);
        if (piece > RECORD_MAX_PLAINTEXT) {
            piece = RECORD_MAX_PLAINTEXT;
        }
        stage_require(record_seal(&records, CONTENT_HANDSHAKE, buffer_bytes(&message), piece, NULL),
                      "memory");
        buffer_consume(&message, piece);
    }
    stage_require(buffer_append(out, buffer_bytes(&records.buffer), buffer_len(&records.buffer)),
                  "memory");
    record_out_wipe(&records);
    buffer_wipe(&message);
}

uint8_t *stage_copy(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);

    stage_require(copy != NULL, "memory");
    if (size > 0) {
        memcpy(copy, data, size);
    }
    return copy;
}
